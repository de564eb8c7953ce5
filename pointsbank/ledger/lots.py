"""Lots: which points expire when. Every change happens under the wallet row's lock."""

from datetime import date

from sqlalchemy import Date, bindparam, text
from sqlalchemy.orm import Session

ADD = text(
    """
    INSERT INTO lot (wallet_id, expires_on, granted, used)
    VALUES (:wallet_id, :expires_on, :points, 0)
    ON CONFLICT (wallet_id, expires_on) DO UPDATE SET granted = lot.granted + :points
    """
).bindparams(bindparam("expires_on", type_=Date()))

# A running total over the lots in order of expiry: a lot gives what is still wanted after the
# ones before it.
CHOOSE_EARLIEST = """
    INSERT INTO lot_use (transfer_id, expires_on, points)
    SELECT :transfer_id, expires_on,
           CASE WHEN unused < :points - before THEN unused ELSE :points - before END
    FROM (
        SELECT expires_on, granted - used AS unused,
               SUM(granted - used) OVER (ORDER BY expires_on) - (granted - used) AS before
        FROM lot WHERE wallet_id = :wallet_id AND granted > used
    ) AS waiting
    WHERE before < :points
"""
CHOOSE_EARLIEST_STATEMENT = text(CHOOSE_EARLIEST)

CHARGE = text(
    """
    UPDATE lot SET used = used + chosen.points
    FROM lot_use AS chosen
    WHERE chosen.transfer_id = :transfer_id AND lot.expires_on = chosen.expires_on
      AND lot.wallet_id = :wallet_id
    """
)

TAKE_AT_ONCE = text(
    f"""
    WITH chosen AS ({CHOOSE_EARLIEST} RETURNING expires_on, points)
    UPDATE lot SET used = used + chosen.points
    FROM chosen
    WHERE lot.expires_on = chosen.expires_on AND lot.wallet_id = :wallet_id
    """
)

USES = text(
    """
    SELECT expires_on, points - returned AS points FROM lot_use
    WHERE transfer_id = :transfer_id AND points > returned
    ORDER BY expires_on DESC
    """
).columns(expires_on=Date())

RETURN_USE = text(
    """
    UPDATE lot_use SET returned = returned + :points
    WHERE transfer_id = :transfer_id AND expires_on = :expires_on
    """
).bindparams(bindparam("expires_on", type_=Date()))

UNUSE = text(
    """
    UPDATE lot SET used = used - :points
    WHERE wallet_id = :wallet_id AND expires_on = :expires_on
    """
).bindparams(bindparam("expires_on", type_=Date()))


def add(session: Session, *, wallet_id: int, expires_on: date, points: int) -> None:
    """Put points into the wallet's lot of this day."""
    session.execute(ADD, {"wallet_id": wallet_id, "expires_on": expires_on, "points": points})


def take(session: Session, *, wallet_id: int, transfer_id: int, points: int) -> None:
    """Charge a spending to the wallet's lots, those that expire first going first."""
    values = {"wallet_id": wallet_id, "transfer_id": transfer_id, "points": points}
    if session.get_bind().dialect.name == "postgresql":
        session.execute(TAKE_AT_ONCE, values)
    else:
        session.execute(CHOOSE_EARLIEST_STATEMENT, values)
        session.execute(CHARGE, values)


def give_back(
    session: Session, *, wallet_id: int, spent_by: int, points: int, not_before: date
) -> None:
    """Return points of a spending to its lots, those that expire last coming back first.

    not_before: a lot that ends earlier is not revived; its points come back good through this
    day. Rule: docs/ledger.md, "Expiry".
    """
    left = points
    for use in session.execute(USES, {"transfer_id": spent_by}).all():
        part = min(left, use.points)
        session.execute(
            RETURN_USE,
            {"transfer_id": spent_by, "expires_on": use.expires_on, "points": part},
        )
        if use.expires_on >= not_before:
            session.execute(
                UNUSE, {"wallet_id": wallet_id, "expires_on": use.expires_on, "points": part}
            )
        else:
            add(session, wallet_id=wallet_id, expires_on=not_before, points=part)
        left -= part
        if left == 0:
            return
    raise AssertionError(f"transfer {spent_by} took fewer points from lots than are returned")
