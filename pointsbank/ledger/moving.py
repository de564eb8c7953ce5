"""Moves: points from one wallet to another, as two rows through the clearing account."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import Session

from pointsbank.core.errors import KeyReused
from pointsbank.ledger import lots
from pointsbank.ledger.errors import AccountNotFound, AlreadyReversed, TransferNotFound
from pointsbank.ledger.models import Transfer
from pointsbank.ledger.posting import Posted, Posting, standing_transfer, write_transfer
from pointsbank.ledger.service import (
    CLEARING,
    guard_reversal,
    open_account,
    reversal_under,
    write_reversal,
)

WALLETS = text(
    """
    SELECT account.code, wallet.account_id FROM account
    LEFT JOIN wallet ON wallet.account_id = account.id
    WHERE account.code IN :codes
    """
).bindparams(bindparam("codes", expanding=True))

# FOR NO KEY UPDATE: a row that points at these wallets need not wait.
LOCK_WALLETS = text(
    """
    SELECT account_id FROM wallet WHERE account_id IN :wallets
    ORDER BY account_id FOR NO KEY UPDATE
    """
).bindparams(bindparam("wallets", expanding=True))


@dataclass(frozen=True)
class Move:
    """Points that leave one wallet for another: a gift, a donation.

    key: names the cause for ever; the two rows stand under key:out and key:in.
    reason_out, reason_in: what each passbook prints.
    expires_on: the last local day of the points in the new wallet; without it they keep the
    days they had.
    """

    key: str
    source: str
    target: str
    points: int
    occurred_at: datetime
    kind_out: str
    kind_in: str
    reason_out: str
    reason_in: str
    actor_id: int | None = None
    expires_on: date | None = None

    def __post_init__(self) -> None:
        """Refuse what no caller may build: a move to itself."""
        if self.source == self.target:
            raise ValueError(f"{self.key} moves points between two different wallets")

    @property
    def leaving(self) -> Posting:
        """The row of the giving wallet."""
        return Posting(
            key=f"{self.key}:out",
            kind=self.kind_out,
            source=self.source,
            target=CLEARING,
            wallet=self.source,
            points=self.points,
            occurred_at=self.occurred_at,
            reason=self.reason_out,
            actor_id=self.actor_id,
        )

    @property
    def arriving(self) -> Posting:
        """The row of the receiving wallet."""
        return Posting(
            key=f"{self.key}:in",
            kind=self.kind_in,
            source=CLEARING,
            target=self.target,
            wallet=self.target,
            points=self.points,
            occurred_at=self.occurred_at,
            reason=self.reason_in,
            actor_id=self.actor_id,
            expires_on=self.expires_on,
        )


@dataclass(frozen=True)
class Moved:
    """The two rows of a move, as they stand: out of one wallet, into the other."""

    out: Posted
    into: Posted


def move(session: Session, move: Move, now: datetime) -> Moved:
    """Move points between two wallets, or answer the move that the key already names.

    Both wallets stay locked, taken in the order of their ids, until the transaction ends: call
    this last.
    Raises NotEnoughPoints, AccountNotFound when one side has no wallet, AccountClosed,
    BadPoints, KeyReused. Rule: docs/ledger.md, "Moves between wallets".
    """
    leaving, arriving = move.leaving, move.arriving
    leaving.judge()
    standing = _standing(session, leaving, arriving)
    if standing is not None:
        return standing
    _lock(session, _wallets(session, move))
    out = write_transfer(session, leaving, now)
    into = write_transfer(session, arriving, now)
    if out.is_replay != into.is_replay:
        raise KeyReused
    if out.is_replay:
        # The same request, sent a moment earlier, was waited for at the wallets.
        return Moved(out, into)
    lots.take(session, wallet_id=out.wallet_id, transfer_id=out.id, points=move.points)
    for use in session.execute(lots.USES, {"transfer_id": out.id}).all():
        lots.add(
            session,
            wallet_id=into.wallet_id,
            expires_on=move.expires_on or use.expires_on,
            points=use.points,
        )
    return Moved(out, into)


def reverse_move(
    session: Session,
    *,
    key: str,
    reversal_key: str,
    reason: str,
    actor_id: int | None,
    today: date,
    now: datetime,
) -> Moved:
    """Take a whole move back: out of the receiving wallet, into the one that gave.

    key: the move's. A repeat under the same reversal_key answers the reversal already written.
    today: the local day; points come back to the giver's lots as in ledger.service.reverse.
    Raises TransferNotFound, AlreadyReversed, KeyReused, and NotEnoughPoints when the receiver
    has spent them.
    """
    given = _row(session, f"{key}:out")
    received = _row(session, f"{key}:in")
    keys = {given.id: f"{reversal_key}:in", received.id: f"{reversal_key}:out"}
    prior = _reversed_under(session, keys, given, received)
    if prior is not None:
        return prior
    try:
        for row in (given, received):
            if guard_reversal(session, row, None) != row.points:
                raise AssertionError(f"transfer {row.id} was reversed in part")
    except AlreadyReversed:
        # It may have been a request with this very key, waited for at the guarding row.
        prior = _reversed_under(session, keys, given, received)
        if prior is None:
            raise
        return prior
    _lock(session, [row.wallet_id for row in (given, received) if row.wallet_id])
    out, into = (
        write_reversal(
            session,
            row,
            points=row.points,
            key=keys[row.id],
            reason=reason,
            actor_id=actor_id,
            today=today,
            now=now,
        )
        for row in (received, given)
    )
    return Moved(out, into)


def _standing(session: Session, leaving: Posting, arriving: Posting) -> Moved | None:
    out = standing_transfer(session, leaving)
    into = standing_transfer(session, arriving)
    return Moved(out, into) if out is not None and into is not None else None


def _wallets(session: Session, move: Move) -> list[int]:
    """Return the ids of both wallets; the clearing account is there afterwards.

    Raises AccountNotFound.
    """
    rows = session.execute(WALLETS, {"codes": [move.source, move.target, CLEARING]}).all()
    found = {row.code: row.account_id for row in rows}
    wallets = [found[code] for code in (move.source, move.target) if found.get(code)]
    if len(wallets) < 2:
        raise AccountNotFound
    if CLEARING not in found:
        open_account(session, code=CLEARING, kind="clearing")
    return wallets


def _lock(session: Session, wallets: list[int]) -> None:
    """Lock two wallets in the order of their ids, so that opposite moves do not wait for each
    other; on SQLite there is one writer at a time.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(LOCK_WALLETS, {"wallets": wallets})


def _row(session: Session, key: str) -> Transfer:
    row = session.scalar(select(Transfer).where(Transfer.key == key))
    if row is None:
        raise TransferNotFound
    return row


def _reversed_under(
    session: Session, keys: dict[int, str], given: Transfer, received: Transfer
) -> Moved | None:
    out = reversal_under(session, keys[received.id], received.id, None)
    into = reversal_under(session, keys[given.id], given.id, None)
    return Moved(out, into) if out is not None and into is not None else None
