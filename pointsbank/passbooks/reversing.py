"""An administrator takes a line of somebody's book back, wholly or in part."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.ledger.errors import TransferNotFound
from pointsbank.ledger.models import Account, Transfer
from pointsbank.ledger.posting import Posted
from pointsbank.ledger.service import reverse
from pointsbank.members.errors import MemberNotFound
from pointsbank.members.queries import member_in_scope
from pointsbank.passbooks.errors import LineNotReversible, OwnBook
from pointsbank.passbooks.queries import ACCOUNT_PREFIX

REVERSER = "administrator"
# Scores stand on a higher step of the staircase: the app hands in what lowers them.
LowerScore = Callable[..., None]


@dataclass(frozen=True)
class Reversible:
    """What stands to be reversed: a line, and whose book it is in."""

    member_id: int
    line: int
    kind: str


def reverse_line(
    session: Session,
    *,
    transfer_id: int,
    actor: Actor,
    key: str,
    reason: str,
    points: int | None,
    lower_score: LowerScore,
    today: date,
    now: datetime,
) -> tuple[Reversible, Posted]:
    """Reverse a transfer in the book of a member whom the actor administers.

    key: the actor's own for this request; a repeat answers the reversal that stands.
    points: all that is left when not given. lower_score: as the app hands it to the door.
    Raises TransferNotFound for a foreign one as for an unknown one, OwnBook, LineNotReversible,
    and what ledger.service.reverse raises.
    """
    found = _line_in_scope(session, actor, transfer_id)
    if found.member_id == actor.member_id:
        raise OwnBook
    if found.kind == "reversal":
        raise LineNotReversible
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="reverse_transfer",
        subject=("transfer", transfer_id),
        points=points,
    )
    returned = reverse(
        session,
        transfer_id=transfer_id,
        key=key_of(actor.member_id, transfer_id, key),
        reason=reason,
        actor_id=actor.member_id,
        today=today,
        now=now,
        points=points,
    )
    lower_score(session, transfer_id=transfer_id, reversal=returned, now=now)
    return found, returned


def key_of(actor_id: int, transfer_id: int, key: str) -> str:
    """Return the ledger's key of a reversal: one request of one person names one for ever."""
    digest = hashlib.sha256(f"{actor_id}:{key}".encode()).hexdigest()
    return f"reversal:{transfer_id}:{digest}"


def _line_in_scope(session: Session, actor: Actor, transfer_id: int) -> Reversible:
    """Return the line, if its book is that of a member whom the actor administers."""
    row = session.execute(
        select(Account.code, Transfer.wallet_seq, Transfer.kind)
        .join(Account, Account.id == Transfer.wallet_id)
        .where(Transfer.id == transfer_id, Account.kind == "member")
    ).first()
    if row is None:
        raise TransferNotFound
    member_id = int(row.code.removeprefix(ACCOUNT_PREFIX))
    try:
        member_in_scope(session, actor.paths(REVERSER), member_id)
    except MemberNotFound as error:
        raise TransferNotFound from error
    return Reversible(member_id, row.wallet_seq, row.kind)
