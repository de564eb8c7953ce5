"""Writes of the ledger: open an account, post, reverse, expire."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Date, Row, bindparam, insert, select, text, update
from sqlalchemy.orm import Session

from pointsbank.core.errors import KeyReused
from pointsbank.ledger import budgets, lots
from pointsbank.ledger.errors import (
    AlreadyReversed,
    BudgetSpent,
    PartOfMove,
    TransferNotFound,
)
from pointsbank.ledger.models import WALLET_KINDS, Account, Transfer, Wallet
from pointsbank.ledger.posting import Posted, Posting, standing_transfer, write_transfer

# Points that come back on the day they would expire can still be spent (docs/ledger.md,
# "Expiry").
RETURN_GRACE_DAYS = 30

EXPIRED = "expired"
# What leaves one wallet for another passes through here, within one moment.
CLEARING = "clearing"

# Two who open the same account at once: one waits, then finds what the other opened.
OPEN_ACCOUNT = text(
    """
    INSERT INTO account (code, kind) VALUES (:code, :kind)
    ON CONFLICT (code) DO NOTHING RETURNING id
    """
)

DUE_WALLETS = text(
    """
    SELECT DISTINCT lot.wallet_id
    FROM lot JOIN wallet ON wallet.account_id = lot.wallet_id
    WHERE lot.expires_on < :today AND lot.granted > lot.used AND wallet.held = 0
    ORDER BY lot.wallet_id
    LIMIT :limit
    """
).bindparams(bindparam("today", type_=Date()))

# FOR NO KEY UPDATE: an award that writes a row pointing at this wallet need not wait.
LOCK_WALLET = text("SELECT 1 FROM wallet WHERE account_id = :wallet_id FOR NO KEY UPDATE")

DUE_LOTS = (
    text(
        """
    SELECT lot.wallet_id, lot.expires_on, lot.used, account.code,
           lot.granted - lot.used AS points
    FROM lot
    JOIN wallet ON wallet.account_id = lot.wallet_id
    JOIN account ON account.id = lot.wallet_id
    WHERE lot.wallet_id = :wallet_id
      AND lot.expires_on < :today AND lot.granted > lot.used AND wallet.held = 0
    ORDER BY lot.expires_on
    """
    )
    .columns(expires_on=Date())
    .bindparams(bindparam("today", type_=Date()))
)

RELEASE_REVERSAL = text(
    "UPDATE reversed SET reversed = reversed - :points WHERE transfer_id = :transfer_id"
)

GUARD_REVERSAL = text(
    """
    INSERT INTO reversed (transfer_id, points, reversed) VALUES (:transfer_id, :whole, :points)
    ON CONFLICT (transfer_id) DO UPDATE SET reversed = reversed.reversed + :points
    WHERE reversed.reversed + :points <= reversed.points
    RETURNING reversed
    """
)


def open_account(session: Session, *, code: str, kind: str) -> int:
    """Open the account with this code and return its id; a repeat returns the one that is open.

    Members and funds get a wallet, which is what gives them a floor and a passbook.
    """
    opened = session.execute(OPEN_ACCOUNT, {"code": code, "kind": kind}).scalar()
    if opened is None:
        return session.execute(select(Account.id).where(Account.code == code)).scalar_one()
    if kind in WALLET_KINDS:
        session.execute(insert(Wallet).values(account_id=opened, posted=0, held=0, seq=0))
    return int(opened)


def open_accounts(session: Session, *, codes: Sequence[str], kind: str) -> None:
    """Open many accounts at once, none of which is open yet: those of a file of members."""
    if not codes:
        return
    opened = session.scalars(
        insert(Account).returning(Account.id), [{"code": code, "kind": kind} for code in codes]
    ).all()
    if kind in WALLET_KINDS:
        session.execute(
            insert(Wallet),
            [{"account_id": each, "posted": 0, "held": 0, "seq": 0} for each in opened],
        )


def post(session: Session, posting: Posting, now: datetime) -> Posted:
    """Write one transfer and move the wallet's lots, or answer what its key already names.

    Points coming in need expires_on. What is issued counts against the budget of its month.
    The wallet stays locked until the transaction ends: call this last.
    Raises BudgetSpent and what write_transfer raises. Rule: docs/ledger.md, "Posting".
    """
    if posting.is_incoming and posting.expires_on is None:
        raise ValueError("points that come in need a day on which they expire")
    if posting.budget_month is not None:
        standing = _charge(session, posting, posting.budget_month)
        if standing is not None:
            return standing
    posted = write_transfer(session, posting, now)
    if posted.is_replay:
        if posting.budget_month is not None:
            budgets.uncharge(session, **_charged(posting, posting.budget_month))
        return posted
    if posting.is_incoming:
        lots.add(
            session,
            wallet_id=posted.wallet_id,
            expires_on=posting.expires_on or date.max,
            points=posting.points,
        )
    else:
        lots.take(
            session,
            wallet_id=posted.wallet_id,
            transfer_id=posted.id,
            points=posting.points,
        )
    return posted


def _charged(posting: Posting, month: str) -> dict[str, Any]:
    return {"code": posting.source, "month": month, "points": posting.points}


def _charge(session: Session, posting: Posting, month: str) -> Posted | None:
    """Count an issue against its month; return the transfer instead when its key names one.

    The key is judged first, and once more when the budget is spent: the last of it may have
    gone to this very request, sent a moment earlier.
    """
    posting.judge()
    standing = standing_transfer(session, posting)
    if standing is None:
        try:
            budgets.charge(session, **_charged(posting, month))
        except BudgetSpent:
            standing = standing_transfer(session, posting)
            if standing is None:
                raise
    return standing


def reverse(
    session: Session,
    *,
    transfer_id: int,
    key: str,
    reason: str,
    actor_id: int | None,
    today: date,
    now: datetime,
    points: int | None = None,
) -> Posted:
    """Write the transfer that takes another back, wholly or in part; the original stays.

    points: how many to take back, at least 1; all that is left when not given.
    key: a repeat answers the reversal already written.
    today: the local day; points of a spending come back to the lots they were taken from, and
    never to a day before today plus RETURN_GRACE_DAYS.
    Raises TransferNotFound, PartOfMove, AlreadyReversed, KeyReused, and NotEnoughPoints when an
    earning is taken back that was already spent.
    """
    prior = reversal_under(session, key, transfer_id, points)
    if prior is not None:
        return prior
    original = session.get(Transfer, transfer_id)
    if original is None or original.kind == "reversal" or original.wallet_id is None:
        raise TransferNotFound
    codes = _codes_of(session, original)
    if CLEARING in codes.values():
        raise PartOfMove
    try:
        part = guard_reversal(session, original, points)
    except AlreadyReversed:
        # The row may have been taken by a request with this very key while this one waited for
        # it.
        prior = reversal_under(session, key, transfer_id, points)
        if prior is None:
            raise
        return prior
    posted = write_reversal(
        session,
        original,
        points=part,
        key=key,
        reason=reason,
        actor_id=actor_id,
        today=today,
        now=now,
    )
    if posted.is_replay:
        session.execute(RELEASE_REVERSAL, {"transfer_id": transfer_id, "points": part})
    return posted


def write_reversal(
    session: Session,
    original: Transfer,
    *,
    points: int,
    key: str,
    reason: str,
    actor_id: int | None,
    today: date,
    now: datetime,
) -> Posted:
    """Write the row that runs the other way, whose part was claimed before, and move lots.

    Raises what write_transfer raises.
    """
    posting = _reversal_of(session, original, points, key, reason, actor_id, now)
    posted = write_transfer(session, posting, now)
    wallet_id = posted.wallet_id
    if posted.is_replay:
        return posted
    if posting.is_incoming:
        lots.give_back(
            session,
            wallet_id=wallet_id,
            spent_by=original.id,
            points=points,
            not_before=today + timedelta(days=RETURN_GRACE_DAYS),
        )
    else:
        lots.take(session, wallet_id=wallet_id, transfer_id=posted.id, points=points)
    return posted


def reversal_under(
    session: Session, key: str, transfer_id: int, points: int | None
) -> Posted | None:
    """Return the reversal this key already names, None when it names nothing yet."""
    prior = session.execute(
        select(
            Transfer.id,
            Transfer.reverses_id,
            Transfer.wallet_id,
            Transfer.wallet_seq,
            Transfer.wallet_after,
            Transfer.points,
        ).where(Transfer.key == key)
    ).first()
    if prior is None:
        return None
    if prior.reverses_id != transfer_id or points not in (None, prior.points):
        raise KeyReused
    return Posted(
        prior.id,
        prior.wallet_id or 0,
        prior.wallet_seq or 0,
        prior.wallet_after or 0,
        prior.points,
        is_replay=True,
    )


def _reversal_of(
    session: Session,
    original: Transfer,
    points: int,
    key: str,
    reason: str,
    actor_id: int | None,
    now: datetime,
) -> Posting:
    """Return the posting that runs the other way."""
    codes = _codes_of(session, original)
    source, target = codes[original.target_id], codes[original.source_id]
    return Posting(
        key=key,
        kind="reversal",
        source=source,
        target=target,
        wallet=source if original.wallet_id == original.target_id else target,
        points=points,
        occurred_at=now,
        reason=reason,
        actor_id=actor_id,
        reverses_id=original.id,
    )


def _codes_of(session: Session, original: Transfer) -> dict[int, str]:
    """Return the codes of a transfer's two accounts by their ids."""
    ids = [original.source_id, original.target_id]
    rows = session.execute(select(Account.id, Account.code).where(Account.id.in_(ids)))
    return {row.id: row.code for row in rows}


def guard_reversal(session: Session, original: Transfer, points: int | None) -> int:
    """Claim the part that is reversed; of two at once that do not both fit, one gets it."""
    taken = session.execute(
        text("SELECT reversed FROM reversed WHERE transfer_id = :id"), {"id": original.id}
    ).scalar()
    left = original.points - (taken or 0)
    part = left if points is None else points
    if not 1 <= part <= left:
        raise AlreadyReversed(left=left)
    claimed = session.execute(
        GUARD_REVERSAL,
        {"transfer_id": original.id, "whole": original.points, "points": part},
    ).scalar()
    if claimed is None:
        raise AlreadyReversed(left=0)
    return part


def expire_points(session: Session, *, today: date, now: datetime, limit: int = 500) -> int:
    """Post the expiry of lots whose last day is past, in up to limit wallets; return how many
    lots.

    A repeat posts nothing more: the key is expire:{wallet}:{date}. A wallet with an open hold
    waits until the hold is decided, because held points may not leave.
    """
    values = {"today": today, "limit": limit}
    expired = 0
    for wallet_id in session.execute(DUE_WALLETS, values).scalars().all():
        # Judged again under the wallet's lock: what was spent since must not be taken once
        # more.
        if session.get_bind().dialect.name == "postgresql":
            session.execute(LOCK_WALLET, {"wallet_id": wallet_id})
        due = session.execute(DUE_LOTS, {**values, "wallet_id": wallet_id}).all()
        for lot in due:
            post(session, _expiry_of(session, lot, now), now)
        expired += len(due)
    return expired


def _expiry_of(session: Session, lot: Row[Any], now: datetime) -> Posting:
    """Return the posting that ends a lot; one filled again after its end has a further key."""
    key = f"expire:{lot.wallet_id}:{lot.expires_on.isoformat()}"
    if session.scalar(select(Transfer.id).where(Transfer.key == key)) is not None:
        key = f"{key}:{lot.used}"
    return Posting(
        key=key,
        kind="expire",
        source=lot.code,
        target=EXPIRED,
        wallet=lot.code,
        points=lot.points,
        occurred_at=now,
        reason="expired",
    )


def close_account(session: Session, *, account_id: int, now: datetime) -> None:
    """Close an account: it takes no more transfers. A repeat keeps the first moment."""
    session.execute(
        update(Account)
        .where(Account.id == account_id, Account.closed_at.is_(None))
        .values(closed_at=now)
    )
