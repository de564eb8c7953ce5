"""Writes of the ledger: open an account, post, reverse, expire."""

from datetime import date, datetime, timedelta

from sqlalchemy import Date, bindparam, insert, select, text, update
from sqlalchemy.orm import Session

from pointsbank.core.errors import KeyReused
from pointsbank.ledger import lots
from pointsbank.ledger.errors import AlreadyReversed, TransferNotFound
from pointsbank.ledger.models import WALLET_KINDS, Account, Transfer, Wallet
from pointsbank.ledger.posting import Posted, Posting, write_transfer

# Points that come back on the day they would expire can still be spent (docs/ledger.md, "Expiry").
RETURN_GRACE_DAYS = 30

EXPIRED = "expired"

DUE_LOTS = (
    text(
        """
    SELECT lot.wallet_id, lot.expires_on, account.code,
           lot.granted - lot.used AS points
    FROM lot
    JOIN wallet ON wallet.account_id = lot.wallet_id
    JOIN account ON account.id = lot.wallet_id
    WHERE lot.expires_on < :today AND lot.granted > lot.used AND wallet.held = 0
    ORDER BY lot.wallet_id, lot.expires_on
    LIMIT :limit
    """
    )
    .columns(expires_on=Date())
    .bindparams(bindparam("today", type_=Date()))
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
    found = session.scalar(select(Account.id).where(Account.code == code))
    if found is not None:
        return found
    account_id = session.execute(
        insert(Account).values(code=code, kind=kind).returning(Account.id)
    ).scalar_one()
    if kind in WALLET_KINDS:
        session.execute(insert(Wallet).values(account_id=account_id, posted=0, held=0, seq=0))
    return account_id


def post(session: Session, posting: Posting, now: datetime) -> Posted:
    """Write one transfer and move the wallet's lots, or answer the transfer its key already names.

    Points coming in need expires_on. The wallet stays locked until the transaction ends: call this last.
    Raises what write_transfer raises. Rule: docs/ledger.md, "Posting".
    """
    if posting.is_credit and posting.expires_on is None:
        raise ValueError("points that come in need a day on which they expire")
    posted = write_transfer(session, posting, now)
    if posted.is_replay:
        return posted
    if posting.is_credit:
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
    """Write the transfer that takes another back, wholly or in part; the original stays as it is.

    points: how many to take back, at least 1; all that is left when not given.
    key: a repeat answers the reversal already written.
    today: the local day; points of a spending come back to the lots they were taken from, and never
    to a day before today plus RETURN_GRACE_DAYS.
    Raises TransferNotFound, AlreadyReversed, KeyReused, and NotEnoughPoints when an earning is taken back
    that was already spent.
    """
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
    if prior is not None:
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
    original = session.get(Transfer, transfer_id)
    if original is None or original.kind == "reversal" or original.wallet_id is None:
        raise TransferNotFound
    part = _guard_reversal(session, original, points)
    codes = dict(
        session.execute(
            select(Account.id, Account.code).where(
                Account.id.in_([original.source_id, original.target_id])
            )
        ).all()
    )
    was_spending = original.wallet_id == original.source_id
    posting = Posting(
        key=key,
        kind="reversal",
        source=codes[original.target_id],
        target=codes[original.source_id],
        wallet=codes[original.wallet_id],
        points=part,
        occurred_at=now,
        reason=reason,
        actor_id=actor_id,
        reverses_id=transfer_id,
    )
    posted = write_transfer(session, posting, now)
    if was_spending:
        lots.give_back(
            session,
            wallet_id=original.wallet_id,
            spent_by=transfer_id,
            points=part,
            not_before=today + timedelta(days=RETURN_GRACE_DAYS),
        )
    else:
        lots.take(session, wallet_id=original.wallet_id, transfer_id=posted.id, points=part)
    return posted


def _guard_reversal(session: Session, original: Transfer, points: int | None) -> int:
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
    """Post the expiry of lots whose last day is past, and return how many were posted.

    A repeat posts nothing more: the key is expire:{wallet}:{date}. A wallet with an open hold waits until
    the hold is decided, because held points may not leave.
    """
    due = session.execute(DUE_LOTS, {"today": today, "limit": limit}).all()
    for lot in due:
        post(
            session,
            Posting(
                key=f"expire:{lot.wallet_id}:{lot.expires_on.isoformat()}",
                kind="expire",
                source=lot.code,
                target=EXPIRED,
                wallet=lot.code,
                points=lot.points,
                occurred_at=now,
                reason="expired",
            ),
            now,
        )
    return len(due)


def close_account(session: Session, *, account_id: int, now: datetime) -> None:
    """Close an account: it takes no more transfers. A repeat keeps the first moment."""
    session.execute(
        update(Account)
        .where(Account.id == account_id, Account.closed_at.is_(None))
        .values(closed_at=now)
    )
