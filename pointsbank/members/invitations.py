"""Invitation codes of a branch: made, looked at, withdrawn, used up by whoever registers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Row, bindparam, delete, select, text, update
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.db import Moment
from pointsbank.core.keys import keyed_hash
from pointsbank.core.text import halfwidth
from pointsbank.members.errors import BadInvitation, InvitationNotFound
from pointsbank.members.models import BranchInvitation, InvitationGuess, Member
from pointsbank.organizations.errors import UnknownKind
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import organization_by_code, within

INVITERS = ("administrator", "secretary")
# Staff are taken in by whoever answers for them, not by a code that is passed on.
INVITED_KINDS = ("volunteer", "resident", "party_member", "probationary_member")
# 32 letters without 0, O, 1 and I: 40 bits in eight of them.
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
CODE_LETTERS = 8
PREFIX_LETTERS = 4
DAYS_MAX = 180
USES_MAX = 500
LISTED_MAX = 200

# A hall full of people shares one address, and mistypes one code: both limits leave room for
# them. Of the 2^20 codes that begin alike a guesser reaches 1920 a day.
GUESSES_MAX = {"prefix": 20, "client": 30}
GUESS_MINUTES = 15

COUNT_GUESS = (
    text(
        """
    INSERT INTO invitation_guess (key_hash, guesses, since) VALUES (:key_hash, 1, :now)
    ON CONFLICT (key_hash) DO UPDATE SET
        guesses = CASE WHEN invitation_guess.since <= :window THEN 1
                       ELSE invitation_guess.guesses + 1 END,
        since = CASE WHEN invitation_guess.since <= :window THEN :now
                     ELSE invitation_guess.since END
    RETURNING guesses, since
    """
    )
    .bindparams(bindparam("now", type_=Moment()), bindparam("window", type_=Moment()))
    .columns(guesses=BigInteger(), since=Moment())
)

# The guard: of any number of uses at once as many succeed as there are left.
USE = text(
    """
    UPDATE branch_invitation SET uses = uses + 1
    WHERE code_hash = :code_hash AND uses < uses_max AND withdrawn_at IS NULL
      AND expires_at > :now
    RETURNING id, organization_id, kind
    """
).bindparams(bindparam("now", type_=Moment()))


@dataclass(frozen=True)
class InvitationLine:
    """An invitation as its list shows it; its code is known to nobody any more."""

    id: int
    organization_code: str
    organization_name: str
    kind: str
    made_by: str
    made_at: datetime
    expires_at: datetime
    uses: int
    uses_max: int
    withdrawn_at: datetime | None

    def is_good(self, now: datetime) -> bool:
        """Tell whether somebody could still register with it."""
        return self.withdrawn_at is None and self.expires_at > now and self.uses < self.uses_max


def code_from(typed: str) -> str:
    """Return an invitation code as it was typed, in the one spelling that is hashed."""
    return "".join(each for each in halfwidth(typed).upper() if each not in " -—–·.")


def spelled(code: str) -> str:
    """Write a code as people read it out: ABCD-EFGH."""
    return f"{code[:PREFIX_LETTERS]}-{code[PREFIX_LETTERS:]}"


def code_hash(secret: str, code: str) -> bytes:
    """Return the hash under which an invitation stands."""
    return keyed_hash(secret, "branch invitation", code_from(code))


def make_invitation(
    session: Session,
    *,
    actor: Actor,
    organization_code: str,
    kind: str,
    code: str,
    expires_at: datetime,
    uses_max: int,
    secret: str,
    now: datetime,
) -> int:
    """Keep an invitation under a code that the door drew, and return its id.

    Raises OrganizationNotFound, UnknownKind, BadInvitation.
    """
    place = organization_by_code(session, organization_code, actor.paths(*INVITERS))
    if kind not in INVITED_KINDS:
        raise UnknownKind
    is_soon = now < expires_at <= now + timedelta(days=DAYS_MAX)
    if not is_soon or not 1 <= uses_max <= USES_MAX:
        raise BadInvitation(uses=USES_MAX, days=DAYS_MAX)
    invitation = BranchInvitation(
        organization_id=place.id,
        code_hash=code_hash(secret, code),
        kind=kind,
        made_by_id=actor.member_id,
        made_at=now,
        expires_at=expires_at,
        uses_max=uses_max,
        uses=0,
    )
    session.add(invitation)
    session.flush()
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="make_invitation",
        subject=("organization", place.id),
        invitation_id=invitation.id,
        kind=kind,
        uses_max=uses_max,
    )
    return invitation.id


def invitations_within(
    session: Session, paths: Iterable[str], *, before_id: int | None = None, limit: int = 50
) -> list[InvitationLine]:
    """Return the invitations into organizations under these paths, newest first."""
    statement = (
        select(
            BranchInvitation.id,
            Organization.code,
            Organization.name,
            BranchInvitation.kind,
            Member.name.label("made_by"),
            BranchInvitation.made_at,
            BranchInvitation.expires_at,
            BranchInvitation.uses,
            BranchInvitation.uses_max,
            BranchInvitation.withdrawn_at,
        )
        .join(Organization, Organization.id == BranchInvitation.organization_id)
        .join(Member, Member.id == BranchInvitation.made_by_id)
        .where(within(Organization.path, paths))
        .order_by(BranchInvitation.id.desc())
        .limit(limit)
    )
    if before_id is not None:
        statement = statement.where(BranchInvitation.id < before_id)
    rows: Iterable[Any] = session.execute(statement)
    return [InvitationLine(*row) for row in rows]


def withdraw_invitation(
    session: Session, *, actor: Actor, invitation_id: int, now: datetime
) -> None:
    """Let nobody register with an invitation any more; a repeat changes nothing.

    Raises InvitationNotFound.
    """
    row = session.execute(
        select(BranchInvitation.organization_id, BranchInvitation.withdrawn_at)
        .join(Organization, Organization.id == BranchInvitation.organization_id)
        .where(
            BranchInvitation.id == invitation_id,
            within(Organization.path, actor.paths(*INVITERS)),
        )
    ).first()
    if row is None:
        raise InvitationNotFound
    withdrawn = session.execute(
        update(BranchInvitation)
        .where(BranchInvitation.id == invitation_id, BranchInvitation.withdrawn_at.is_(None))
        .values(withdrawn_at=now)
        .returning(BranchInvitation.id)
    ).scalar()
    if withdrawn is not None:
        note(
            session,
            at=now,
            actor_id=actor.member_id,
            action="withdraw_invitation",
            subject=("organization", row.organization_id),
            invitation_id=invitation_id,
        )


def guess_keys(secret: str, *, code: str, client: str) -> dict[str, bytes]:
    """Return the keys under which a try with this code from this client is counted."""
    return {
        "prefix": keyed_hash(secret, "invitation prefix", code_from(code)[:PREFIX_LETTERS]),
        "client": keyed_hash(secret, "invitation client", client),
    }


def count_guess(session: Session, keys: dict[str, bytes], now: datetime) -> int:
    """Count a try before it is judged; return the seconds to wait, 0 when it may be judged.

    Tries at the same moment meet at their rows, so that no more are judged than the limits say.
    """
    window = now - timedelta(minutes=GUESS_MINUTES)
    seconds = 0
    for kind, key_hash in sorted(keys.items(), key=lambda item: item[1]):
        row = session.execute(
            COUNT_GUESS, {"key_hash": key_hash, "now": now, "window": window}
        ).one()
        if row.guesses > GUESSES_MAX[kind]:
            ends_at = row.since + timedelta(minutes=GUESS_MINUTES)
            seconds = max(seconds, 1, int((ends_at - now).total_seconds()))
    session.execute(delete(InvitationGuess).where(InvitationGuess.since <= window))
    return seconds


def forget_guess(session: Session, keys: dict[str, bytes]) -> None:
    """Take a counted try back: its code was good."""
    for key_hash in sorted(keys.values()):
        session.execute(
            update(InvitationGuess)
            .where(InvitationGuess.key_hash == key_hash, InvitationGuess.guesses > 0)
            .values(guesses=InvitationGuess.guesses - 1)
        )


def is_good_code(session: Session, *, code: str, secret: str, now: datetime) -> bool:
    """Tell whether somebody could register with this code now, without using it."""
    found = session.scalar(
        select(BranchInvitation.id).where(
            BranchInvitation.code_hash == code_hash(secret, code),
            BranchInvitation.withdrawn_at.is_(None),
            BranchInvitation.expires_at > now,
            BranchInvitation.uses < BranchInvitation.uses_max,
        )
    )
    return found is not None


def use_invitation(
    session: Session, *, code: str, secret: str, now: datetime
) -> Row[Any] | None:
    """Use an invitation once; return (id, organization_id, kind), None when it is not good."""
    return session.execute(USE, {"code_hash": code_hash(secret, code), "now": now}).first()
