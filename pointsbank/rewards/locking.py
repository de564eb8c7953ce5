"""Wrong codes in a row at one clerk's till: counted, and five lock it for a minute."""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import Session

from pointsbank.core.db import Moment
from pointsbank.rewards.errors import TillLocked
from pointsbank.rewards.models import WrongCode

WRONG_CODES_MAX = 5
LOCK_SECONDS = 60

# A lock that has ended begins the count anew; one that still stands is not counted on.
COUNT = text(
    """
    INSERT INTO wrong_code (clerk_id, failures, failed_at) VALUES (:clerk_id, 1, :now)
    ON CONFLICT (clerk_id) DO UPDATE SET
        failures = CASE WHEN wrong_code.locked_until IS NULL
                        THEN wrong_code.failures + 1 ELSE 1 END,
        failed_at = :now,
        locked_until = CASE WHEN wrong_code.locked_until IS NULL
                             AND wrong_code.failures + 1 >= :most THEN :until END
    WHERE wrong_code.locked_until IS NULL OR wrong_code.locked_until <= :now
    RETURNING failures
    """
).bindparams(bindparam("now", type_=Moment()), bindparam("until", type_=Moment()))


def count_wrong_code(session: Session, clerk_id: int, now: datetime) -> None:
    """Count one wrong code; the fifth in a row locks the till for LOCK_SECONDS.

    Raises TillLocked when it is locked already, and then counts nothing.
    """
    values = {
        "clerk_id": clerk_id,
        "now": now,
        "until": now + timedelta(seconds=LOCK_SECONDS),
        "most": WRONG_CODES_MAX,
    }
    if session.execute(COUNT, values).first() is None:
        refuse_while_locked(session, clerk_id, now)


def refuse_while_locked(session: Session, clerk_id: int, now: datetime) -> None:
    """Return when this clerk may try a code, or raise TillLocked with the seconds to wait."""
    locked_until = session.scalar(
        select(WrongCode.locked_until).where(WrongCode.clerk_id == clerk_id)
    )
    if locked_until is not None and locked_until > now:
        seconds = max(1, -int((now - locked_until).total_seconds() // 1))
        raise TillLocked(retry_after_seconds=seconds)
