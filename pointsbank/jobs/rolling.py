"""The job `rankings`: what runs, every quarter of an hour; what is over, every night.

A period is brought up to date by what is new, whenever that was entered: after days of downtime
one run does what each of them would have done, and the rows are the same.
"""

from datetime import datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pointsbank.core.calendar import Period, local_day, quarter_of
from pointsbank.jobs.occasions import Slot, Step, newest_day, round_begun
from pointsbank.rankings.periods import (
    period_named,
    periods_over,
    periods_running,
    spans_running,
)
from pointsbank.rankings.rolling_up import roll_up_step

# So often running periods are counted on: a secretary sees today's work within this time.
ROLL_UP_MINUTES = 15
# Shifts of a period's last days are settled after it, and objections later still.
OVER_AT = time(0, 30)
# Spans of days that somebody made, which only the database knows; and all that is over.
SPANS = "spans"
OVER = "over"


def due_rankings(now: datetime, zone: ZoneInfo) -> list[Slot]:
    """Return the quarter-hour of the running month, quarter, year and spans, and the night."""
    begun = round_begun(now, zone, ROLL_UP_MINUTES)
    running = [period.name for period in periods_running(local_day(now, zone))]
    night = newest_day(now, zone, OVER_AT)[0]
    return [
        *(Slot(f"{name}/{begun:%Y-%m-%dT%H:%M}", name, begun) for name in (*running, SPANS)),
        Slot(f"{OVER}/{night.key}", OVER, night.due_at),
    ]


def quarter_now(now: datetime, zone: ZoneInfo) -> str:
    """Return the running quarter as a period: 2026-Q4."""
    return quarter_of(local_day(now, zone)).name


def work_rankings(session: Session, period: str, zone: ZoneInfo, now: datetime) -> Step:
    """Bring the first of these periods that lags behind a step further.

    Raises UnknownPeriod.
    """
    for each in periods_meant(session, period, zone, now):
        step = roll_up_step(session, period=each, zone=zone, now=now)
        if step.touched or not step.is_last:
            return Step(step.touched, is_last=False)
    return Step(0)


def periods_meant(session: Session, name: str, zone: ZoneInfo, now: datetime) -> list[Period]:
    """Return the one period of this name, every running span, or all that is over.

    Raises UnknownPeriod.
    """
    today = local_day(now, zone)
    if name == SPANS:
        return spans_running(session, today)
    if name == OVER:
        return periods_over(session, today)
    return [period_named(session, name)]
