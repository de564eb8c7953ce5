"""What comes in and goes out of series, single dates and standing claims, with their words."""

import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from pointsbank.core.calendar import local_day
from pointsbank.tasks.dates import DateChange
from pointsbank.tasks.following import Changed
from pointsbank.tasks.models import PLACES_MAX
from pointsbank.tasks.queries import ShiftLine
from pointsbank.tasks.recurrence import RULE_LENGTH_MAX, WEEKDAYS, Recurrence, read_rule
from pointsbank.tasks.recurring import WEEKS_AHEAD, Plan, plan_of
from pointsbank.tasks.schemas import MINUTES_A_DAY, ROLES_MAX, NewShiftRole, Planned
from pointsbank.tasks.series_queries import (
    WEEKS_AHEAD_MAX,
    SeriesLine,
    StandingLine,
    is_behind,
)
from pointsbank.tasks.standing import StandingMade, StandingWish
from pointsbank.web.contract import Body, RowId, Text, Whole
from pointsbank.web.formats import day as day_words
from pointsbank.web.formats import weekday as weekday_word

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
# Any Monday: the words of weekdays are those of its week.
A_MONDAY = date(2026, 11, 23)
EVERY_DAY = 7


class Day(fields.Date):
    """A local day of this century, 2026-11-21."""

    def __init__(self, **more: Any) -> None:
        """Bound the day on both sides."""
        bounds = validate.Range(min=FIRST_DAY, max=LAST_DAY)
        super().__init__(format="%Y-%m-%d", validate=bounds, **more)


class TimeOfDay(fields.Field[int]):
    """A local time, 08:30, as its minute of the day."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> int:
        match = TIME_OF_DAY.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise ValidationError("Not a valid time.")
        return int(match[1]) * 60 + int(match[2])


class NewSeries(Body):
    """How a shift is to recur."""

    rule = Text(length_max=RULE_LENGTH_MAX, required=True)
    ends_on = Day(allow_none=True, load_default=None)
    weeks_ahead = Whole(least=1, most=WEEKS_AHEAD_MAX, load_default=WEEKS_AHEAD)


class PositionBody(Body):
    """A body with a position, of both numbers or of none."""

    latitude = fields.Float(allow_nan=False, validate=validate.Range(-90, 90))
    longitude = fields.Float(allow_nan=False, validate=validate.Range(-180, 180))

    @validates_schema
    def _want_both(self, data: dict[str, Any], **_more: Any) -> None:
        if ("latitude" in data) != ("longitude" in data):
            raise ValidationError({"longitude": ["A position needs both numbers."]})


class SeriesChange(PositionBody):
    """What is to be other from a day on; what is left out stays."""

    from_on = Day(required=True)
    rule = Text(length_max=RULE_LENGTH_MAX)
    ends_on = Day(allow_none=True)
    weeks_ahead = Whole(least=1, most=WEEKS_AHEAD_MAX)
    starts = TimeOfDay()
    lasts_minutes = Whole(least=1, most=MINUTES_A_DAY)
    break_minutes = Whole(least=0, most=MINUTES_A_DAY - 1)
    place_name = Text(length_max=120)
    roles = fields.List(
        fields.Nested(NewShiftRole), validate=validate.Length(min=1, max=ROLES_MAX)
    )


class SeriesEnd(Body):
    """From which day on there are no more dates; without one from today."""

    from_on = Day()


class RolePlaces(Body):
    """How many places a role of a date has."""

    id = RowId(required=True)
    places = Whole(least=1, most=PLACES_MAX, required=True)


class ChangedDate(PositionBody):
    """What is to be other on one date; what is left out stays."""

    starts_at = Planned()
    ends_at = Planned()
    break_minutes = Whole(least=0, most=MINUTES_A_DAY - 1)
    place_name = Text(length_max=120)
    roles = fields.List(
        fields.Nested(RolePlaces), validate=validate.Length(max=ROLES_MAX), load_default=list
    )


class NewStandingClaim(Body):
    """On which weekdays of a series, from when, until when and in which role."""

    weekdays = fields.List(
        fields.String(validate=validate.OneOf(WEEKDAYS)),
        required=True,
        validate=validate.Length(min=1, max=EVERY_DAY),
    )
    since = Day(allow_none=True, load_default=None)
    until = Day(allow_none=True, load_default=None)
    role = Text(length_min=0, length_max=40, load_default="")


class SeriesDateOut(Schema):
    """A date of a series; is_changed: by itself, so that changes of the whole pass it over."""

    id = fields.Integer()
    starts_at = fields.AwareDateTime(format="iso")
    ends_at = fields.AwareDateTime(format="iso")
    places = fields.Integer()
    claimed = fields.Integer()
    waitlisted = fields.Integer()
    place_name = fields.String()
    is_changed = fields.Boolean()
    called_off_at = fields.AwareDateTime(format="iso", allow_none=True)


class SeriesRoleOut(Schema):
    """A role that each date of a series has."""

    name = fields.String()
    places = fields.Integer()
    eligibility = fields.Dict()


class SeriesOut(Schema):
    """A series with its dates to come; words say its rule, behind that dates are missing."""

    id = fields.Integer()
    task_id = fields.Integer()
    title = fields.String()
    rule = fields.String()
    words = fields.String()
    weekdays = fields.List(fields.String())
    starts_on = fields.Date()
    ends_on = fields.Date(allow_none=True)
    starts = fields.String()
    lasts_minutes = fields.Integer()
    break_minutes = fields.Integer()
    roles = fields.List(fields.Nested(SeriesRoleOut))
    place_name = fields.String()
    latitude = fields.Float(allow_none=True)
    longitude = fields.Float(allow_none=True)
    weeks_ahead = fields.Integer()
    made_through = fields.Date(allow_none=True)
    state = fields.String()
    follows_id = fields.Integer(allow_none=True)
    behind = fields.Boolean()
    dates = fields.List(fields.Nested(SeriesDateOut))


class SeriesListOut(Schema):
    """The series of a task that are not over; a task has so few that next is null."""

    items = fields.List(fields.Nested(SeriesOut))
    next = fields.String(allow_none=True)


class SeriesChangedOut(Schema):
    """A series after a change: kept are dates with people on them, which stay as they are."""

    series = fields.Nested(SeriesOut)
    kept = fields.List(fields.Nested(SeriesDateOut))
    removed = fields.Integer()
    made = fields.Integer()


class StandingClaimOut(Schema):
    """A standing claim."""

    id = fields.Integer()
    series_id = fields.Integer()
    task_id = fields.Integer()
    title = fields.String()
    words = fields.String()
    weekdays = fields.List(fields.String())
    role = fields.String()
    since = fields.Date()
    until = fields.Date(allow_none=True)


class StandingClaimMadeOut(StandingClaimOut):
    """A standing claim as it was made: on how many dates it has a place, waits, or has none."""

    claimed = fields.Integer()
    waitlisted = fields.Integer()
    missed = fields.Integer()


class StandingClaimsOut(Schema):
    """One's own standing claims; there are so few that next is null."""

    items = fields.List(fields.Nested(StandingClaimOut))
    next = fields.String(allow_none=True)


def clock_words(minute: int) -> str:
    """Return a minute of the day as 08:30."""
    return f"{minute // 60:02}:{minute % 60:02}"


def weekday_words(days: tuple[int, ...]) -> str:
    """Return weekdays as a person lists them."""
    words = [weekday_word(A_MONDAY + timedelta(days=day)) for day in days]
    return str(gettext(", ")).join(words)


def rule_words(rule: Recurrence, starts_on: date) -> str:
    """Return a rule as a sentence without its full stop."""
    if rule.frequency == "DAILY":
        words = _daily_words(rule)
    elif rule.frequency == "WEEKLY":
        words = _weekly_words(rule, starts_on)
    else:
        words = _monthly_words(rule, starts_on)
    if rule.count:
        return str(gettext("%(rule)s, %(count)s times", rule=words, count=rule.count))
    if rule.until:
        last = day_words(rule.until)
        return str(gettext("%(rule)s, until %(last)s", rule=words, last=last))
    return words


def _daily_words(rule: Recurrence) -> str:
    if rule.interval == 1:
        return str(gettext("Each day"))
    return str(gettext("Every %(n)s days", n=rule.interval))


def _weekly_words(rule: Recurrence, starts_on: date) -> str:
    days = tuple(day for _, day in rule.weekdays) or (starts_on.weekday(),)
    if rule.interval == 1:
        return str(gettext("Every week on %(days)s", days=weekday_words(days)))
    return str(
        gettext("Every %(n)s weeks on %(days)s", n=rule.interval, days=weekday_words(days))
    )


def _monthly_words(rule: Recurrence, starts_on: date) -> str:
    if rule.weekdays:
        parts = [_nth_words(nth, day) for nth, day in rule.weekdays]
    else:
        parts = [_month_day_words(day) for day in rule.month_days or (starts_on.day,)]
    days = str(gettext(", ")).join(parts)
    if rule.interval == 1:
        return str(gettext("Every month on %(days)s", days=days))
    return str(gettext("Every %(n)s months on %(days)s", n=rule.interval, days=days))


def _nth_words(nth: int, day: int) -> str:
    name = weekday_words((day,))
    if nth == 0:
        return str(gettext("each %(day)s", day=name))
    if nth == -1:
        return str(gettext("the last %(day)s", day=name))
    if nth < 0:
        return str(gettext("%(day)s no. %(n)s from the end", day=name, n=-nth))
    return str(gettext("%(day)s no. %(n)s", day=name, n=nth))


def _month_day_words(day: int) -> str:
    if day == -1:
        return str(gettext("the last day"))
    if day < 0:
        return str(gettext("day %(n)s from the end", n=-day))
    return str(gettext("day %(n)s", n=day))


def date_out(shift: ShiftLine, detached: set[int]) -> dict[str, Any]:
    """Return a date as it is shown."""
    names = [name for name in SeriesDateOut().fields if name != "is_changed"]
    shown = {name: getattr(shift, name) for name in names}
    return {**shown, "is_changed": shift.id in detached}


def series_out(
    series: SeriesLine,
    dates: list[ShiftLine],
    detached: set[int],
    zone: ZoneInfo,
    now: datetime,
) -> dict[str, Any]:
    """Return a series as it is shown."""
    shown = {
        name: getattr(series, name) for name in SeriesOut().fields if hasattr(series, name)
    }
    return {
        **shown,
        "words": rule_words(series.recurrence, series.starts_on),
        "weekdays": [WEEKDAYS[day] for day in series.weekdays],
        "starts": clock_words(series.start_minute),
        "behind": is_behind(series, local_day(now, zone)),
        "dates": [date_out(shift, detached) for shift in dates],
    }


def changed_out(
    changed: Changed, series: dict[str, Any], kept: list[ShiftLine], detached: set[int]
) -> dict[str, Any]:
    """Return what a change of a series did."""
    return {
        "series": series,
        "kept": [date_out(shift, detached) for shift in kept],
        "removed": changed.removed,
        "made": changed.made,
    }


def standing_out(standing: StandingLine, series: SeriesLine) -> dict[str, Any]:
    """Return a standing claim as it is shown."""
    return {
        "id": standing.id,
        "series_id": standing.series_id,
        "task_id": series.task_id,
        "title": series.title,
        "words": rule_words(series.recurrence, series.starts_on),
        "weekdays": [WEEKDAYS[day] for day in standing.weekdays],
        "role": standing.role_name,
        "since": standing.since,
        "until": standing.until,
    }


def standing_made_out(
    made: StandingMade, standing: StandingLine, series: SeriesLine
) -> dict[str, Any]:
    """Return a standing claim with what it did at once."""
    counts = {name: getattr(made, name) for name in ("claimed", "waitlisted", "missed")}
    return {**standing_out(standing, series), **counts}


def changed_plan(series: SeriesLine, body: dict[str, Any]) -> Plan:
    """Return what the dates of a series will be like, by a SeriesChange.

    Raises BadRule.
    """
    values = {name: value for name, value in body.items() if name not in ("from_on", "rule")}
    if "rule" in body:
        values["recurrence"] = read_rule(body["rule"])
    if "starts" in values:
        values["start_minute"] = values.pop("starts")
    if "roles" in values:
        values["roles"] = tuple(values["roles"])
    return replace(plan_of(series), **values)


def date_change(body: dict[str, Any]) -> DateChange:
    """Return what is to be other on one date, by a ChangedDate."""
    values = dict(body)
    places = {role["id"]: role["places"] for role in values.pop("roles")}
    position = None
    if "latitude" in values:
        position = (values.pop("latitude"), values.pop("longitude"))
    return DateChange(**values, position=position, places=places)


def standing_wish(body: dict[str, Any]) -> StandingWish:
    """Return what a person wishes for, by a NewStandingClaim."""
    return StandingWish(
        weekdays=frozenset(WEEKDAYS.index(day) for day in body["weekdays"]),
        since=body["since"],
        until=body["until"],
        role_name=body["role"],
    )
