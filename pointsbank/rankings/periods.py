"""Periods that are ranked: years, quarters, months, and spans of days that somebody made."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from pointsbank.core.audit import note
from pointsbank.core.calendar import (
    PERIOD_PATTERN,
    Period,
    UnknownPeriod,
    read_period,
)
from pointsbank.rankings.errors import BadPeriodSpan, TooManyPeriods
from pointsbank.rankings.models import PERIOD_LENGTH_MAX, CustomPeriod
from pointsbank.scoring.models import ScoreEntry

# Who answers for a branch; an auditor makes nothing.
SPAN_MAKERS = ("secretary", "administrator")
TITLE_LENGTH_MAX = 60
# A year and a leap day; longer spans are years, which are counted anyway.
SPAN_DAYS_MAX = 366
# Each is counted every quarter of an hour until it is over.
RUNNING_MAX = 20
# So long a period that is over still takes in what is entered late, such as after an objection.
COUNTED_AFTER = timedelta(days=400)


def period_named(session: Session, name: str) -> Period:
    """Return a period by its name: 2026, 2026-Q4, 2026-11, or 2026-11-01..2026-11-20.

    Raises UnknownPeriod, for a span that nobody made as well.
    """
    if PERIOD_PATTERN.fullmatch(name):
        return read_period(name)
    kept = session.get(CustomPeriod, name[:PERIOD_LENGTH_MAX])
    if kept is None or kept.name != name:
        raise UnknownPeriod(period=name[:PERIOD_LENGTH_MAX])
    return Period(kept.name, kept.first_on, kept.end_on)


def make_period(
    session: Session,
    *,
    title: str,
    first_on: date,
    last_on: date,
    made_by_id: int,
    today: date,
    now: datetime,
) -> str:
    """Make a span of days a period of its own, counted from now on, and return its name.

    A span that somebody made before is that period, under the title it has. today: the local
    day, by which those that still run are told.
    Raises BadPeriodSpan, TooManyPeriods.
    """
    days = (last_on - first_on).days + 1
    if not 2 <= days <= SPAN_DAYS_MAX or not title.strip():
        raise BadPeriodSpan(days=SPAN_DAYS_MAX)
    name = f"{first_on.isoformat()}..{last_on.isoformat()}"
    if session.get(CustomPeriod, name) is not None:
        return name
    running = session.scalar(
        select(func.count()).select_from(CustomPeriod).where(CustomPeriod.end_on > today)
    )
    if (running or 0) >= RUNNING_MAX:
        raise TooManyPeriods(most=RUNNING_MAX)
    session.add(
        CustomPeriod(
            name=name,
            title=title.strip()[:TITLE_LENGTH_MAX],
            first_on=first_on,
            end_on=last_on + timedelta(days=1),
            made_by_id=made_by_id,
            made_at=now,
        )
    )
    session.flush()
    note(
        session,
        at=now,
        actor_id=made_by_id,
        action="make_period",
        subject=("custom_period", None),
        period=name,
    )
    return name


@dataclass(frozen=True)
class Span:
    """A span of days that somebody made; last_on is in it."""

    name: str
    title: str
    first_on: date
    last_on: date


def spans_made(session: Session) -> list[Span]:
    """Return every span that somebody made, the latest first."""
    rows = session.execute(
        select(
            CustomPeriod.name,
            CustomPeriod.title,
            CustomPeriod.first_on,
            CustomPeriod.end_on,
        ).order_by(CustomPeriod.end_on.desc(), CustomPeriod.name)
    )
    return [
        Span(row.name, row.title, row.first_on, row.end_on - timedelta(days=1)) for row in rows
    ]


def titles(session: Session) -> dict[str, str]:
    """Return the title of each span that somebody made, by its name."""
    return {span.name: span.title for span in spans_made(session)}


def spans_running(session: Session, today: date) -> list[Period]:
    """Return the spans that somebody made and that are not over, by name."""
    return _spans(session, CustomPeriod.end_on > today)


def periods_running(today: date) -> list[Period]:
    """Return the month, the quarter and the year that a local day falls in."""
    quarter = f"{today.year}-Q{(today.month + 2) // 3}"
    return [read_period(name) for name in (f"{today:%Y-%m}", quarter, str(today.year))]


def periods_over(session: Session, today: date) -> list[Period]:
    """Return the periods that are over and still counted, the oldest first.

    Months, quarters and years from the first entry on, and every span that somebody made.
    """
    first = session.scalar(select(func.min(ScoreEntry.earned_on)))
    found = {}
    day = max(first, today - COUNTED_AFTER) if first else today
    while day < today:
        for period in periods_running(day):
            if period.end_on <= today:
                found[period.name] = period
        day = read_period(f"{day:%Y-%m}").end_on
    spans = _spans(
        session, CustomPeriod.end_on <= today, CustomPeriod.end_on > today - COUNTED_AFTER
    )
    return sorted([*found.values(), *spans], key=lambda each: (each.end_on, each.name))


def _spans(session: Session, *conditions: ColumnElement[bool]) -> list[Period]:
    rows = session.execute(
        select(CustomPeriod.name, CustomPeriod.first_on, CustomPeriod.end_on)
        .where(*conditions)
        .order_by(CustomPeriod.name)
    )
    return [Period(*row) for row in rows]
