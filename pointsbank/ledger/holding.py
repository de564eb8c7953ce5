"""Holds: points set aside in a wallet until they are settled, given free or too old."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, text
from sqlalchemy.orm import Session

from pointsbank.core.db import Moment
from pointsbank.core.errors import KeyReused
from pointsbank.ledger.errors import (
    AccountClosed,
    AccountNotFound,
    BadPoints,
    HoldDecided,
    HoldNotFound,
    NotEnoughPoints,
)
from pointsbank.ledger.models import TRANSFER_POINTS_MAX
from pointsbank.ledger.posting import AVAILABLE, Posted, Posting, standing_transfer
from pointsbank.ledger.service import post

PRIOR = text(
    """
    SELECT hold.id, hold.wallet_id, hold.points, hold.expires_at, account.code
    FROM hold JOIN account ON account.id = hold.wallet_id
    WHERE hold.key = :key
    """
).columns(expires_at=Moment())

SET_ASIDE = text(
    """
    UPDATE wallet SET held = held + :points
    WHERE account_id = (SELECT id FROM account WHERE code = :code AND closed_at IS NULL)
      AND posted - held >= :points
    RETURNING account_id
    """
)

INSERT_HOLD = text(
    """
    INSERT INTO hold (key, wallet_id, points, state, placed_at, expires_at)
    VALUES (:key, :wallet_id, :points, 'open', :now, :expires_at)
    RETURNING id
    """
).bindparams(bindparam("now", type_=Moment()), bindparam("expires_at", type_=Moment()))

HOLD = text(
    """
    SELECT hold.id, hold.wallet_id, hold.points, hold.state, account.code
    FROM hold JOIN account ON account.id = hold.wallet_id
    WHERE hold.id = :hold_id
    """
)

# The row where settling, voiding and expiring meet: whoever changes it while it is open, wins.
SETTLE = text(
    """
    UPDATE hold SET state = 'settled', decided_at = :now
    WHERE id = :hold_id AND state = 'open' AND expires_at > :now
    RETURNING points
    """
).bindparams(bindparam("now", type_=Moment()))

VOID = text(
    """
    UPDATE hold SET state = 'void', decided_at = :now
    WHERE id = :hold_id AND state = 'open'
    RETURNING wallet_id, points
    """
).bindparams(bindparam("now", type_=Moment()))

RELEASE = text("UPDATE wallet SET held = held - :points WHERE account_id = :wallet_id")

DUE = """
    SELECT id FROM hold WHERE state = 'open' AND expires_at <= :now
    ORDER BY expires_at, id LIMIT :limit
"""
# Whoever decides a hold at this moment need not be waited for. Without "no key" a row that
# points at one would wait.
CLAIM_DUE = f"{DUE} FOR NO KEY UPDATE SKIP LOCKED"

EXPIRE = text(
    """
    UPDATE hold SET state = 'expired', decided_at = :now
    WHERE id IN :ids AND state = 'open'
    RETURNING wallet_id, points
    """
).bindparams(bindparam("now", type_=Moment()), bindparam("ids", expanding=True))


@dataclass(frozen=True)
class Placed:
    """A hold as it was placed; is_replay tells that it already stood before this call."""

    id: int
    wallet_id: int
    points: int
    expires_at: datetime
    is_replay: bool


def place_hold(
    session: Session, *, key: str, code: str, points: int, expires_at: datetime, now: datetime
) -> Placed:
    """Set points of a wallet aside, or answer the hold that the key already names.

    expires_at: from this moment on the hold cannot be settled. The wallet stays locked until
    the transaction ends.
    Raises BadPoints, NotEnoughPoints, AccountNotFound, AccountClosed, KeyReused; an
    IntegrityError when the same key is placed at the same time, after which core.db.run tries
    again. Rule: docs/ledger.md, "Holds".
    """
    if expires_at <= now:
        raise ValueError(f"the hold {key} would have expired before it is placed")
    if type(points) is not int or not 1 <= points <= TRANSFER_POINTS_MAX:
        raise BadPoints(limit=TRANSFER_POINTS_MAX)
    values = {"key": key, "code": code, "points": points, "expires_at": expires_at, "now": now}
    prior = session.execute(PRIOR, values).first()
    if prior is not None:
        return _replay(prior, code, points)
    wallet_id = session.execute(SET_ASIDE, values).scalar()
    if wallet_id is None:
        # The points may have gone to this very request, sent a moment earlier.
        prior = session.execute(PRIOR, values).first()
        if prior is None:
            raise _refusal(session, code, points)
        return _replay(prior, code, points)
    hold_id = session.execute(INSERT_HOLD, {**values, "wallet_id": wallet_id}).scalar_one()
    return Placed(hold_id, wallet_id, points, expires_at, is_replay=False)


def settle_hold(
    session: Session,
    *,
    hold_id: int,
    key: str,
    kind: str,
    target: str,
    reason: str,
    actor_id: int | None,
    now: datetime,
    points: int | None = None,
) -> Posted:
    """Post what a hold set aside to the target account, or answer what the key already names.

    points: at most the hold's; the rest becomes available again. All of them when not given.
    Lots pay as for any spending, those that expire first going first.
    Raises HoldNotFound, HoldDecided when the hold was decided or its time is over, BadPoints
    for more than was held, and what post raises.
    """
    hold = _hold(session, hold_id)
    if points is not None and not 1 <= points <= hold.points:
        raise BadPoints(limit=hold.points)
    posting = Posting(
        key=key,
        kind=kind,
        source=hold.code,
        target=target,
        wallet=hold.code,
        points=hold.points if points is None else points,
        occurred_at=now,
        reason=reason,
        actor_id=actor_id,
        hold_id=hold_id,
        released=hold.points,
    )
    standing = standing_transfer(session, posting)
    if standing is not None:
        return standing
    if session.execute(SETTLE, {"hold_id": hold_id, "now": now}).first() is None:
        # The winner may have been a request with this very key.
        standing = standing_transfer(session, posting)
        if standing is None:
            state = _hold(session, hold_id).state
            raise HoldDecided(state="expired" if state == "open" else state)
        return standing
    return post(session, posting, now)


def void_hold(session: Session, *, hold_id: int, now: datetime) -> None:
    """Give the points of an open hold free.

    Raises HoldNotFound, HoldDecided.
    """
    won = session.execute(VOID, {"hold_id": hold_id, "now": now}).first()
    if won is None:
        raise HoldDecided(state=_hold(session, hold_id).state)
    session.execute(RELEASE, {"wallet_id": won.wallet_id, "points": won.points})


def expire_holds(session: Session, *, now: datetime, limit: int = 500) -> int:
    """Give the points of up to limit open holds free whose time is over; return how many holds.

    A repeat finds those that are left. A hold that is being decided at this moment is skipped.
    """
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    due = text(CLAIM_DUE if is_postgresql else DUE).bindparams(bindparam("now", type_=Moment()))
    ids = session.scalars(due, {"now": now, "limit": limit}).all()
    expired = session.execute(EXPIRE, {"now": now, "ids": ids}).all()
    # Every hold is claimed before the first wallet is locked, and wallets in the order of their
    # ids: whoever decides another hold of the same wallet takes them in this order too.
    released: dict[int, int] = {}
    for hold in expired:
        released[hold.wallet_id] = released.get(hold.wallet_id, 0) + hold.points
    for wallet_id, points in sorted(released.items()):
        session.execute(RELEASE, {"wallet_id": wallet_id, "points": points})
    return len(expired)


def _hold(session: Session, hold_id: int) -> Row[Any]:
    row = session.execute(HOLD, {"hold_id": hold_id}).first()
    if row is None:
        raise HoldNotFound
    return row


def _replay(row: Row[Any], code: str, points: int) -> Placed:
    if (row.code, row.points) != (code, points):
        raise KeyReused
    return Placed(row.id, row.wallet_id, row.points, row.expires_at, is_replay=True)


def _refusal(session: Session, code: str, points: int) -> Exception:
    account = session.execute(
        text("SELECT id, closed_at FROM account WHERE code = :code"), {"code": code}
    ).first()
    if account is None:
        return AccountNotFound()
    if account.closed_at:
        return AccountClosed()
    available = session.execute(AVAILABLE, {"id": account.id}).scalar()
    if available is None:
        return AccountNotFound()
    return NotEnoughPoints(available=available, needed=points)
