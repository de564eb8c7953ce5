"""Series of shifts: planned from a shift, and made some weeks ahead, each date once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from pointsbank.core.audit import note
from pointsbank.core.calendar import local_day
from pointsbank.tasks.claiming import locked_shift
from pointsbank.tasks.drafting import NewRole, NewShift, add_shift
from pointsbank.tasks.errors import NotOpen
from pointsbank.tasks.models import Series, Shift, Task
from pointsbank.tasks.publishing import APPROVAL_PLACES
from pointsbank.tasks.queries import ShiftLine
from pointsbank.tasks.recurrence import Recurrence, check_has_dates, days_within, is_over
from pointsbank.tasks.series_errors import (
    ApprovalMissing,
    BadSpan,
    DateCalledOff,
    ShiftRepeats,
    TooManySeries,
)
from pointsbank.tasks.series_queries import (
    SeriesLine,
    forebears_of,
    lacks_dates,
    locked_series,
    series_of,
    starts_at_on,
    whole_shift_of,
)
from pointsbank.tasks.standing import claim_dates, end_standing_on

WEEKS_AHEAD = 4
SERIES_A_TASK_MAX = 10

# Draws a shift's handle; the door decides how.
Draw = Callable[[], bytes]


@dataclass(frozen=True)
class Plan:
    """What the dates of a series are like. start_minute: of the local day; roles: as the
    series keeps them, {name, places, eligibility}."""

    recurrence: Recurrence
    ends_on: date | None
    weeks_ahead: int
    start_minute: int
    lasts_minutes: int
    break_minutes: int
    roles: tuple[dict[str, Any], ...]
    place_name: str
    latitude: float | None
    longitude: float | None

    @property
    def columns(self) -> dict[str, Any]:
        """What stands in the series' row."""
        planned = {name: value for name, value in vars(self).items() if name != "recurrence"}
        return {**planned, "roles": list(self.roles), "rule": self.recurrence.text}

    def shift_on(self, day: date, handle: bytes, zone: ZoneInfo) -> NewShift:
        """Return the shift of one local day; it lasts as long where clocks are changed."""
        starts_at = starts_at_on(day, self.start_minute, zone)
        return NewShift(
            starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=self.lasts_minutes),
            places=sum(int(role["places"]) for role in self.roles),
            place_name=self.place_name,
            handle=handle,
            latitude=self.latitude,
            longitude=self.longitude,
            break_minutes=self.break_minutes,
            roles=tuple(NewRole(**role) for role in self.roles),
        )


def plan_of(series: SeriesLine) -> Plan:
    """Return what the dates of a series are like."""
    return Plan(
        recurrence=series.recurrence,
        ends_on=series.ends_on,
        weeks_ahead=series.weeks_ahead,
        start_minute=series.start_minute,
        lasts_minutes=series.lasts_minutes,
        break_minutes=series.break_minutes,
        roles=tuple(series.roles),
        place_name=series.place_name,
        latitude=series.latitude,
        longitude=series.longitude,
    )


def plan_series(
    session: Session,
    *,
    shift_id: int,
    recurrence: Recurrence,
    actor_id: int,
    paths: Sequence[str],
    zone: ZoneInfo,
    draw: Draw,
    now: datetime,
    ends_on: date | None = None,
    weeks_ahead: int = WEEKS_AHEAD,
) -> int:
    """Let a shift of an open task recur from its day on, at its time and place and with its
    roles; return the series. Its next dates are made at once.

    The shift becomes the first date where the rule says its day; else it stays by itself.
    Raises ShiftNotFound, NotOpen, DateCalledOff, ShiftRepeats, BadRule, BadSpan, TooManySeries.
    """
    shift, task = whole_shift_of(session, shift_id, paths)
    locked = locked_shift(session, shift_id)
    if task.state != "open":
        raise NotOpen("Publish the task first. Then its shifts can be repeated.")
    if locked.called_off_at is not None:
        raise DateCalledOff
    if shift.series_id is not None:
        raise ShiftRepeats
    starts_on = local_day(shift.starts_at, zone)
    check_span(recurrence, starts_on, ends_on)
    running = select(func.count(Series.id)).where(
        Series.task_id == task.id, Series.state == "active"
    )
    if (session.scalar(running) or 0) >= SERIES_A_TASK_MAX:
        raise TooManySeries(most=SERIES_A_TASK_MAX)
    plan = _like(shift, recurrence, ends_on, weeks_ahead, zone)
    series_id = add_series(session, task.id, plan, starts_on, actor_id, now)
    if days_within(recurrence, starts_on, ends_on, first=starts_on, last=starts_on):
        session.execute(
            update(Shift)
            .where(Shift.id == shift_id)
            .values(series_id=series_id, occurs_on=starts_on)
        )
    through = local_day(now, zone) + timedelta(weeks=weeks_ahead)
    make_shifts(session, series_id=series_id, through=through, zone=zone, draw=draw, now=now)
    note_series(session, series_id, "series_planned", actor_id, now)
    return series_id


def _like(
    shift: ShiftLine,
    recurrence: Recurrence,
    ends_on: date | None,
    weeks_ahead: int,
    zone: ZoneInfo,
) -> Plan:
    local = shift.starts_at.astimezone(zone)
    return Plan(
        recurrence=recurrence,
        ends_on=ends_on,
        weeks_ahead=weeks_ahead,
        start_minute=local.hour * 60 + local.minute,
        lasts_minutes=max(shift.planned_minutes, 1),
        break_minutes=shift.break_minutes,
        roles=tuple(
            {"name": role.name, "places": role.places, "eligibility": role.eligibility}
            for role in shift.roles
        ),
        place_name=shift.place_name,
        latitude=shift.latitude,
        longitude=shift.longitude,
    )


def check_span(recurrence: Recurrence, starts_on: date, ends_on: date | None) -> None:
    """Accept a first and a last day between which a rule has dates.

    Raises BadSpan, BadRule.
    """
    if ends_on is not None and ends_on < starts_on:
        raise BadSpan
    check_has_dates(recurrence, starts_on, ends_on)


def add_series(
    session: Session,
    task_id: int,
    plan: Plan,
    starts_on: date,
    actor_id: int,
    now: datetime,
    follows_id: int | None = None,
) -> int:
    """Write a series down, still without dates, and return its id."""
    return session.execute(
        insert(Series)
        .values(
            task_id=task_id,
            starts_on=starts_on,
            state="active",
            follows_id=follows_id,
            made_by_id=actor_id,
            made_at=now,
            **plan.columns,
        )
        .returning(Series.id)
    ).scalar_one()


def make_shifts(
    session: Session,
    *,
    series_id: int,
    through: date,
    zone: ZoneInfo,
    draw: Draw,
    now: datetime,
) -> int:
    """Make the shifts of a series through a local day and return how many are new.

    Dates that exist stay as they are, in whatever state, so that a repeat makes none twice;
    what has begun by now is not made any more. A series that is over, or whose task is not
    open, gets none.
    """
    series = locked_series(session, series_id, ["/"])
    if series.state != "active" or series.task_state != "open":
        return 0
    first = local_day(now, zone)
    if series.made_through is not None:
        first = max(first, series.made_through + timedelta(days=1))
    plan = plan_of(series)
    days = days_within(
        plan.recurrence, series.starts_on, series.ends_on, first=first, last=through
    )
    taken = _days_taken(session, series, first)
    plans = {day: plan.shift_on(day, draw(), zone) for day in days if day not in taken}
    wanted = {day: shift for day, shift in plans.items() if shift.starts_at > now}
    for day, shift in wanted.items():
        add_shift(session, series.task_id, shift, series_id=series_id, occurs_on=day)
    if series.made_through is None or through > series.made_through:
        session.execute(
            update(Series).where(Series.id == series_id).values(made_through=through)
        )
    return len(wanted)


def _days_taken(session: Session, series: SeriesLine, first: date) -> set[date]:
    """Return the days on which a date stands already, in this series or one it carries on."""
    found = session.scalars(
        select(Shift.occurs_on).where(
            Shift.series_id.in_([series.id, *forebears_of(session, series.follows_id)]),
            Shift.occurs_on >= first,
        )
    )
    return {day for day in found if day is not None}


def next_series_due(session: Session, today: date) -> int | None:
    """Return the series of an open task that lacks dates for longest, None when none does."""
    return session.scalar(
        select(Series.id)
        .join(Task, Task.id == Series.task_id)
        .where(Task.state == "open", lacks_dates(today))
        .order_by(Series.made_through.is_not(None), Series.made_through, Series.id)
        .limit(1)
    )


def keep_series_ahead(
    session: Session, *, series_id: int, zone: ZoneInfo, draw: Draw, now: datetime
) -> int:
    """Make the dates of a series as far ahead as it asks, claim them for its standing claims,
    and end it after its last day; return how many dates are new."""
    today = local_day(now, zone)
    series = series_of(session, series_id, ["/"])
    through = today + timedelta(weeks=series.weeks_ahead)
    made = make_shifts(
        session, series_id=series_id, through=through, zone=zone, draw=draw, now=now
    )
    claim_dates(session, series, zone=zone, now=now)
    end_if_over(session, series_id, today, now)
    return made


def end_if_over(session: Session, series_id: int, today: date, now: datetime) -> None:
    """End a series after its last day, and with it the standing claims on it."""
    series = series_of(session, series_id, ["/"])
    if is_over(series.recurrence, series.starts_on, series.ends_on, today):
        session.execute(update(Series).where(Series.id == series_id).values(state="ended"))
        end_standing_on(session, series, today=today, now=now)


def check_approval(session: Session, task_id: int, places: int) -> None:
    """Accept so many places of one date, if no second person has to look at them.

    Raises ApprovalMissing.
    """
    is_approved = session.scalar(select(Task.needs_approval).where(Task.id == task_id))
    if places > APPROVAL_PLACES and not is_approved:
        raise ApprovalMissing(most=APPROVAL_PLACES)


def note_series(
    session: Session, series_id: int, action: str, actor_id: int, now: datetime, **facts: Any
) -> None:
    """Write one act on a series into the audit trail."""
    note(
        session,
        at=now,
        actor_id=actor_id,
        action=action,
        subject=("series", series_id),
        **facts,
    )
