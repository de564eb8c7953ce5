"""Reminders of shifts: people a day and two hours before, organizers of what nobody claimed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from pointsbank.messages.queries import told_keys
from pointsbank.messages.service import tell
from pointsbank.tasks.models import Claim, Shift, Task

DAY_BEFORE = timedelta(hours=24)
HOURS_BEFORE = timedelta(hours=2)
# A task that was only just published is given so long to be seen before anybody is warned.
SEEN_FOR = timedelta(hours=2)


@dataclass(frozen=True)
class Due:
    """One person to be told of one shift. key: names the occasion for ever."""

    key: str
    member_id: int
    task_id: int
    title: str
    starts_at: datetime
    place_name: str


def remind_of_shifts(session: Session, *, now: datetime, limit: int) -> int:
    """Remind people of the shifts they have a place on; return how many were told.

    A day before and two hours before, each once; whoever got their place later than that knows
    it still and is not told. After a pause of the scheduler only the reminder that still
    applies is given. A shift that was moved is a new occasion. limit: at most so many.
    """
    due = [
        *_people(session, "2h", now, now, now + HOURS_BEFORE, HOURS_BEFORE),
        *_people(session, "24h", now, now + HOURS_BEFORE, now + DAY_BEFORE, DAY_BEFORE),
    ]
    fresh = _untold(session, due)[:limit]
    return sum(
        tell(
            session,
            key=each.key,
            member_id=each.member_id,
            kind="shift_soon",
            facts={
                "task": each.title,
                "starts_at": each.starts_at.isoformat(),
                "place": each.place_name,
            },
            now=now,
        )
        for each in fresh
    )


def _people(
    session: Session,
    name: str,
    now: datetime,
    after: datetime,
    through: datetime,
    before: timedelta,
) -> list[Due]:
    """Return who has a place on a shift that starts in this span, and had it so long before."""
    rows = session.execute(
        select(
            Claim.id,
            Claim.member_id,
            func.coalesce(Claim.promoted_at, Claim.claimed_at).label("since"),
            Task.id.label("task_id"),
            Task.title,
            Shift.starts_at,
            Shift.place_name,
        )
        .join(Shift, Shift.id == Claim.shift_id)
        .join(Task, Task.id == Shift.task_id)
        .where(
            Claim.state == "claimed",
            Shift.starts_at > after,
            Shift.starts_at <= through,
            Shift.called_off_at.is_(None),
            Task.state == "open",
        )
        .order_by(Shift.starts_at, Claim.id)
    )
    return [
        Due(
            f"shift:{name}:{row.id}:{row.starts_at:%Y%m%d%H%M}",
            row.member_id,
            row.task_id,
            row.title,
            row.starts_at,
            row.place_name,
        )
        for row in rows
        if row.since <= row.starts_at - before
    ]


def warn_of_unclaimed(session: Session, *, now: datetime, limit: int) -> int:
    """Tell organizers of shifts that start within a day and that nobody claimed; return how
    many were told.

    Each shift once, and once more when it is moved. limit: at most so many.
    """
    rows = session.execute(
        select(
            Shift.id,
            Task.organizer_id,
            Task.id.label("task_id"),
            Task.title,
            Shift.starts_at,
            Shift.place_name,
        )
        .join(Task, Task.id == Shift.task_id)
        .where(
            Task.state == "open",
            Task.published_at <= now - SEEN_FOR,
            Shift.starts_at > now,
            Shift.starts_at <= now + DAY_BEFORE,
            Shift.called_off_at.is_(None),
            ~exists().where(Claim.shift_id == Shift.id, Claim.state == "claimed"),
        )
        .order_by(Shift.starts_at, Shift.id)
    )
    due = [
        Due(
            f"shift:unclaimed:{row.id}:{row.starts_at:%Y%m%d%H%M}",
            row.organizer_id,
            row.task_id,
            row.title,
            row.starts_at,
            row.place_name,
        )
        for row in rows
    ]
    return sum(
        tell(
            session,
            key=each.key,
            member_id=each.member_id,
            kind="shift_unclaimed",
            facts={
                "task": each.title,
                "starts_at": each.starts_at.isoformat(),
                "task_id": each.task_id,
            },
            now=now,
        )
        for each in _untold(session, due)[:limit]
    )


def _untold(session: Session, due: Sequence[Due]) -> list[Due]:
    """Return those of whom nobody was told yet, in their order."""
    told = told_keys(session, [each.key for each in due])
    return [each for each in due if each.key not in told]
