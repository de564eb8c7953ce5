"""The four digits beside a poster: how those that a person typed fit, and when to stop them."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pointsbank.attendance.codes import are_digits_right
from pointsbank.attendance.models import Scan
from pointsbank.core.text import halfwidth
from pointsbank.members.models import Member

# Rule: docs/scanning.md. Two of ten thousand numbers are good at a time, so five tries in ten
# minutes leave a guesser one chance in a thousand.
WRONG_TRIES_MAX = 5
WRONG_TRIES_MINUTES = 10


def fit_of_digits(
    session: Session,
    *,
    member_id: int,
    shift_id: int | None,
    shift_handle: bytes,
    typed: str | None,
    secret: str,
    now: datetime,
) -> str:
    """Return right, wrong, missing, or locked: after five wrong tries here in ten minutes.

    Wrong tries are the scans that were kept as such. One person's tries wait for each other, so
    that many at one moment are not judged before the first is counted.
    """
    digits = "".join(halfwidth(typed or "").split())
    if not digits:
        return "missing"
    if shift_id is None:
        return "wrong"
    # Not FOR UPDATE: rows that only refer to the member need not wait.
    session.execute(
        select(Member.id).where(Member.id == member_id).with_for_update(key_share=True)
    )
    wrong = session.scalar(
        select(func.count(Scan.id)).where(
            Scan.actor_id == member_id,
            Scan.shift_id == shift_id,
            Scan.reason == "wrong_digits",
            Scan.recorded_at > now - timedelta(minutes=WRONG_TRIES_MINUTES),
        )
    )
    if (wrong or 0) >= WRONG_TRIES_MAX:
        return "locked"
    return "right" if are_digits_right(secret, shift_handle, digits, now) else "wrong"
