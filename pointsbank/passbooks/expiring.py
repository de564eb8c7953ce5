"""Tells members what of their points expires soon: 60, 30 and 7 days before."""

from datetime import date, datetime, timedelta

from sqlalchemy import Date, bindparam, select, text
from sqlalchemy.orm import Session

from pointsbank.ledger.models import Lot
from pointsbank.messages.service import tell

# Rule: docs/ledger.md, "Expiry".
NOTICE_DAYS = (7, 30, 60)
MEMBER_ACCOUNT = "member:"

# The key is put together in the statement, so that only those are found who were not told yet.
UNTOLD = text(
    """
    SELECT lot.wallet_id, account.code, lot.granted - lot.used AS points
    FROM lot JOIN account ON account.id = lot.wallet_id
    WHERE lot.expires_on = :expires_on AND lot.granted > lot.used AND account.kind = 'member'
      AND NOT EXISTS (
          SELECT 1 FROM message
          WHERE message.key = 'expiry:' || CAST(lot.wallet_id AS varchar) || :ending
      )
    ORDER BY lot.wallet_id
    LIMIT :limit
    """
).bindparams(bindparam("expires_on", type_=Date()))


def notice_due(days_left: int) -> int | None:
    """Return the notice that applies so many days before the last day: 7, 30 or 60, or none."""
    if days_left < 0:
        return None
    return next((days for days in NOTICE_DAYS if days_left <= days), None)


def tell_of_expiry(session: Session, *, today: date, now: datetime, limit: int) -> int:
    """Tell whoever was not told yet what of theirs expires soon; return how many were told.

    Of the notices that apply to a lot only the latest is given, so that days without a run are
    made good by one message, not by several. A repeat tells nobody twice: the key is
    expiry:{wallet}:{day}:{notice}. limit: at most so many in this transaction.
    """
    told = 0
    days = session.scalars(
        select(Lot.expires_on)
        .where(
            Lot.expires_on >= today,
            Lot.expires_on <= today + timedelta(days=max(NOTICE_DAYS)),
            Lot.granted > Lot.used,
        )
        .distinct()
        .order_by(Lot.expires_on)
    ).all()
    for expires_on in days:
        ending = f":{expires_on.isoformat()}:{notice_due((expires_on - today).days)}"
        values = {"expires_on": expires_on, "ending": ending, "limit": limit - told}
        for lot in session.execute(UNTOLD, values).all():
            told += tell(
                session,
                key=f"expiry:{lot.wallet_id}{ending}",
                member_id=int(lot.code.removeprefix(MEMBER_ACCOUNT)),
                kind="points_expire",
                facts={"points": lot.points, "expires_on": expires_on.isoformat()},
                now=now,
            )
        if told >= limit:
            break
    return told
