"""Reads of series, their dates, and standing claims."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from pointsbank.organizations.models import Organization
from pointsbank.tasks.models import UNSEEN_STATES, Claim, Series, Shift, StandingClaim, Task
from pointsbank.tasks.queries import ShiftLine, TaskLine, filled, shift_lines, shift_of
from pointsbank.tasks.recurrence import Recurrence, read_rule, weekdays_of
from pointsbank.tasks.series_errors import SeriesNotFound

WEEKS_AHEAD_MAX = 26
# After two missed nights somebody has to look why; after one the next night makes it good.
BEHIND_DAYS = 2
DATES_SHOWN_MAX = 60


@dataclass(frozen=True)
class SeriesLine:
    """A series with what its task says of it; made_through is the last local day through which
    its dates exist."""

    id: int
    task_id: int
    title: str
    path: str
    task_state: str
    rule: str
    starts_on: date
    ends_on: date | None
    start_minute: int
    lasts_minutes: int
    break_minutes: int
    roles: list[dict[str, Any]]
    place_name: str
    latitude: float | None
    longitude: float | None
    weeks_ahead: int
    made_through: date | None
    state: str
    follows_id: int | None

    @property
    def recurrence(self) -> Recurrence:
        """The rule as it is read."""
        return read_rule(self.rule)

    @property
    def weekdays(self) -> tuple[int, ...]:
        """The weekdays on which it may take place, from 0 for Monday."""
        return weekdays_of(self.recurrence, self.starts_on)

    @property
    def places(self) -> int:
        """How many places a date has."""
        return sum(int(role["places"]) for role in self.roles)

    @property
    def role_names(self) -> tuple[str, ...]:
        """The names of its roles; a series without named roles has none."""
        return tuple(role["name"] for role in self.roles if role["name"])


@dataclass(frozen=True)
class StandingLine:
    """A standing claim with its series; weekdays from 0 for Monday."""

    id: int
    series_id: int
    member_id: int
    role_name: str
    weekday_bits: int
    since: date
    until: date | None
    ended_at: datetime | None

    @property
    def weekdays(self) -> tuple[int, ...]:
        """The weekdays it is for."""
        return tuple(day for day in range(7) if self.weekday_bits & 1 << day)


SERIES = (
    Series.id,
    Series.task_id,
    Task.title,
    Organization.path,
    Task.state.label("task_state"),
    Series.rule,
    Series.starts_on,
    Series.ends_on,
    Series.start_minute,
    Series.lasts_minutes,
    Series.break_minutes,
    Series.roles,
    Series.place_name,
    Series.latitude,
    Series.longitude,
    Series.weeks_ahead,
    Series.made_through,
    Series.state,
    Series.follows_id,
)
STANDING = (
    StandingClaim.id,
    StandingClaim.series_id,
    StandingClaim.member_id,
    StandingClaim.role_name,
    StandingClaim.weekdays,
    StandingClaim.since,
    StandingClaim.until,
    StandingClaim.ended_at,
)


def starts_at_on(day: date, start_minute: int, zone: ZoneInfo) -> datetime:
    """Return the moment of a minute of a local day, in UTC.

    A minute that the clocks skip is read by the offset before; one that comes twice is the
    first.
    """
    local = datetime.combine(day, time(*divmod(start_minute, 60)), zone)
    return local.astimezone(UTC)


def _series_selected() -> Select[*tuple[Any, ...]]:
    return (
        select(*SERIES)
        .join(Task, Task.id == Series.task_id)
        .join(Organization, Organization.id == Task.organization_id)
    )


def series_of(
    session: Session, series_id: int, paths: Sequence[str] | None = None
) -> SeriesLine:
    """Return a series, if its task stands under one of these paths.

    paths: None for everyone's view, in which drafts do not exist.
    Raises SeriesNotFound, for a foreign one as for an unknown one.
    """
    row = session.execute(_series_selected().where(Series.id == series_id)).first()
    if row is None:
        raise SeriesNotFound
    series = SeriesLine(*row)
    if paths is None and series.task_state in UNSEEN_STATES:
        raise SeriesNotFound
    if paths is not None and not any(series.path.startswith(path) for path in paths):
        raise SeriesNotFound
    return series


def locked_series(session: Session, series_id: int, paths: Sequence[str]) -> SeriesLine:
    """Lock a series until the transaction ends, and return it as it then is.

    It comes before the locks of its shifts. Claims, which name a series by a foreign key, do
    not wait for it.
    Raises SeriesNotFound.
    """
    session.execute(
        select(Series.id).where(Series.id == series_id).with_for_update(key_share=True)
    )
    return series_of(session, series_id, paths)


def whole_shift_of(
    session: Session, shift_id: int, paths: Sequence[str]
) -> tuple[ShiftLine, TaskLine]:
    """Return a shift with its roles, and its task, if that stands under one of these paths.

    Raises ShiftNotFound, for a foreign one as for an unknown one.
    """
    line, task = shift_of(session, shift_id, paths)
    whole = filled(session, [replace(task, shifts=(line,))])[0]
    return whole.shifts[0], whole


def series_of_tasks(session: Session, task_ids: Sequence[int]) -> list[SeriesLine]:
    """Return the series of these tasks that are not over, by their ids."""
    rows = session.execute(
        _series_selected()
        .where(Series.task_id.in_(task_ids), Series.state == "active")
        .order_by(Series.id)
    )
    return [SeriesLine(*row) for row in rows]


def series_among(session: Session, ids: Sequence[int]) -> dict[int, SeriesLine]:
    """Return these series by their ids, wherever they stand."""
    rows = session.execute(_series_selected().where(Series.id.in_(ids)))
    return {row.id: SeriesLine(*row) for row in rows}


def is_followed(session: Session, series_id: int) -> bool:
    """Tell whether another series carries this one on."""
    found = select(Series.id).where(Series.follows_id == series_id).limit(1)
    return session.scalar(found) is not None


def forebears_of(session: Session, follows_id: int | None) -> list[int]:
    """Return the series that one carries on, the nearest first."""
    found: list[int] = []
    while follows_id is not None:
        found.append(follows_id)
        follows_id = session.scalar(select(Series.follows_id).where(Series.id == follows_id))
    return found


def dates_of(
    session: Session, series_id: int, *, now: datetime, limit: int = DATES_SHOWN_MAX
) -> list[ShiftLine]:
    """Return the dates of a series that are not over, in the order of time."""
    ids = session.scalars(
        select(Shift.id)
        .where(Shift.series_id == series_id, Shift.ends_at > now)
        .order_by(Shift.starts_at, Shift.id)
        .limit(limit)
    ).all()
    return shift_lines(session, Shift.id.in_(ids))


def detached_dates(session: Session, series_id: int) -> set[int]:
    """Return the shifts of a series that were changed by themselves."""
    return set(
        session.scalars(select(Shift.id).where(Shift.series_id == series_id, Shift.is_detached))
    )


def lacks_dates(today: date) -> ColumnElement[bool]:
    """Say of a series that its dates do not reach as far ahead as they should on this day."""
    # Both engines compare days, but each adds weeks to them in words of its own.
    short = or_(
        *(
            and_(
                Series.weeks_ahead == weeks,
                Series.made_through < today + timedelta(weeks=weeks),
            )
            for weeks in range(1, WEEKS_AHEAD_MAX + 1)
        )
    )
    return and_(Series.state == "active", or_(Series.made_through.is_(None), short))


def series_behind(session: Session, today: date) -> int:
    """Return how many series of open tasks lack dates that two nights should have made."""
    return int(
        session.scalar(
            select(func.count(Series.id))
            .join(Task, Task.id == Series.task_id)
            .where(Task.state == "open", lacks_dates(_missed_twice(today)))
        )
        or 0
    )


def is_behind(series: SeriesLine, today: date) -> bool:
    """Tell whether this series lacks dates that two nights should have made."""
    if series.state != "active" or series.task_state != "open":
        return False
    reaches = _missed_twice(today) + timedelta(weeks=series.weeks_ahead)
    return series.made_through is None or series.made_through < reaches


def _missed_twice(today: date) -> date:
    return today - timedelta(days=BEHIND_DAYS - 1)


def standing_claims_of(session: Session, member_id: int) -> list[StandingLine]:
    """Return a member's standing claims that were not ended, by their ids."""
    rows = session.execute(
        select(*STANDING)
        .where(StandingClaim.member_id == member_id, StandingClaim.ended_at.is_(None))
        .order_by(StandingClaim.id)
    )
    return [StandingLine(*row) for row in rows]


def standing_on(session: Session, series_id: int) -> list[StandingLine]:
    """Return the standing claims on a series that were not ended, in the order in which they
    claim."""
    rows = session.execute(
        select(*STANDING)
        .where(StandingClaim.series_id == series_id, StandingClaim.ended_at.is_(None))
        .order_by(StandingClaim.id)
    )
    return [StandingLine(*row) for row in rows]


def ever_claimed(session: Session, series_id: int) -> set[tuple[int, int]]:
    """Return who has or had a claim on which shift of a series: pairs of shift and member."""
    rows = session.execute(
        select(Claim.shift_id, Claim.member_id)
        .join(Shift, Shift.id == Claim.shift_id)
        .where(Shift.series_id == series_id)
    )
    return {(row.shift_id, row.member_id) for row in rows}
