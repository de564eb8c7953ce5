"""Rules of recurrence, read and judged: which local days follow from one.

A small part of RFC 5545, cut so that from each rule that is taken a next day follows within a
bounded number of steps (decision 16).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import takewhile

from dateutil.rrule import DAILY, MONTHLY, WEEKLY, rrule, weekday

from pointsbank.tasks.series_errors import BadRule

RULE_LENGTH_MAX = 400
FREQUENCIES = {"DAILY": DAILY, "WEEKLY": WEEKLY, "MONTHLY": MONTHLY}
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
# Every month is reached again within twelve steps, so that a day no month has is found out.
INTERVAL_MAX = {"DAILY": 366, "WEEKLY": 52, "MONTHLY": 12}
COUNT_MAX = 1000
LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
# A series without a date in so long would be none that people could count on.
FIRST_WITHIN = timedelta(days=366)

PART = re.compile(r"([A-Z]{1,20})=([A-Z0-9,+-]{1,200})")
BYDAY = re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)")
DAY_OF_MONTH = re.compile(r"-?(?:[1-9]|[12]\d|3[01])")
NUMBER = re.compile(r"[1-9]\d{0,4}")
DAY = re.compile(r"\d{8}")


@dataclass(frozen=True)
class Recurrence:
    """A rule as it was read.

    weekdays: pairs of an ordinal and a weekday from 0 for Monday; ordinal 0 means each, -1 the
    last of the month. month_days: -1 is the last. until: a local day, itself included.
    """

    frequency: str
    interval: int = 1
    weekdays: tuple[tuple[int, int], ...] = ()
    month_days: tuple[int, ...] = ()
    count: int | None = None
    until: date | None = None

    @property
    def text(self) -> str:
        """The rule as an RRULE without DTSTART, its parts in one order."""
        days = ",".join(f"{nth or ''}{WEEKDAYS[day]}" for nth, day in self.weekdays)
        parts = (
            ("FREQ", self.frequency),
            ("INTERVAL", str(self.interval) if self.interval > 1 else ""),
            ("BYDAY", days),
            ("BYMONTHDAY", ",".join(map(str, self.month_days))),
            ("COUNT", str(self.count or "")),
            ("UNTIL", f"{self.until:%Y%m%d}" if self.until else ""),
        )
        return ";".join(f"{name}={value}" for name, value in parts if value)


def read_rule(text: str) -> Recurrence:
    """Read an RRULE without DTSTART, in either case, with or without its name in front.

    Raises BadRule with a sentence for whatever is not taken.
    """
    parts = _parts(text)
    frequency = parts.pop("FREQ", "")
    if frequency not in FREQUENCIES:
        raise BadRule("FREQ is DAILY, WEEKLY or MONTHLY.")
    if "BYDAY" in parts and "BYMONTHDAY" in parts:
        raise BadRule("A rule names weekdays or days of the month, not both.")
    if ("BYDAY" in parts and frequency == "DAILY") or (
        "BYMONTHDAY" in parts and frequency != "MONTHLY"
    ):
        raise BadRule("BYDAY goes with WEEKLY and MONTHLY, BYMONTHDAY with MONTHLY.")
    if "COUNT" in parts and "UNTIL" in parts:
        raise BadRule("A rule ends by COUNT or by UNTIL, not by both.")
    return Recurrence(
        frequency,
        interval=_interval(parts.get("INTERVAL", "1"), INTERVAL_MAX[frequency]),
        weekdays=_weekdays(parts.get("BYDAY"), frequency),
        month_days=_month_days(parts.get("BYMONTHDAY")),
        count=_count(parts.get("COUNT")),
        until=_until(parts.get("UNTIL")),
    )


def _parts(text: str) -> dict[str, str]:
    """Return the parts of a rule by name, none of them twice and none that is not taken."""
    if len(text) > RULE_LENGTH_MAX:
        raise BadRule
    found: dict[str, str] = {}
    for part in text.strip().upper().removeprefix("RRULE:").removesuffix(";").split(";"):
        match = PART.fullmatch(part)
        if match is None or match[1] in found:
            raise BadRule
        if match[1] not in ("FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "COUNT", "UNTIL"):
            raise BadRule(
                "A rule of recurrence knows FREQ, INTERVAL, BYDAY, BYMONTHDAY, COUNT and UNTIL,"
                " not %(part)s.",
                part=match[1],
            )
        found[match[1]] = match[2]
    return found


def _interval(text: str, most: int) -> int:
    if NUMBER.fullmatch(text) is None or int(text) > most:
        raise BadRule("INTERVAL is a whole number from 1 to %(most)s here.", most=most)
    return int(text)


def _count(text: str | None) -> int | None:
    if text is None:
        return None
    if NUMBER.fullmatch(text) is None or int(text) > COUNT_MAX:
        raise BadRule("COUNT is a whole number from 1 to %(most)s.", most=COUNT_MAX)
    return int(text)


def _until(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        if DAY.fullmatch(text) is None:
            raise ValueError
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadRule("UNTIL is a local day, such as 20261231.") from error


def _weekdays(text: str | None, frequency: str) -> tuple[tuple[int, int], ...]:
    if text is None:
        return ()
    matches = [BYDAY.fullmatch(each) for each in text.split(",")]
    pairs = [
        (int(match[1] or 0), WEEKDAYS.index(match[2])) for match in matches if match is not None
    ]
    if len(pairs) < len(matches) or (
        frequency == "WEEKLY" and any(ordinal for ordinal, _ in pairs)
    ):
        raise BadRule(
            "BYDAY names weekdays, such as SA or MO,WE; of a month also the first or the last"
            " ones, such as 1SA or -1SU."
        )
    return tuple(sorted(set(pairs), key=lambda pair: (pair[1], pair[0])))


def _month_days(text: str | None) -> tuple[int, ...]:
    if text is None:
        return ()
    days = text.split(",")
    if not all(DAY_OF_MONTH.fullmatch(each) for each in days):
        raise BadRule("BYMONTHDAY names days of a month, such as 4,14,24, or -1 for the last.")
    return tuple(sorted({int(each) for each in days}))


def days_from(recurrence: Recurrence, starts_on: date, ends_on: date | None) -> Iterator[date]:
    """Go through the local days that follow from a rule that begins on a day, in order.

    ends_on: after which there is none, whatever the rule says. The first day is one of them
    only where the rule says so. Without an end the days go on to the year 9999.
    """
    if not _is_ever(recurrence, starts_on):
        return iter(())
    rule = rrule(
        FREQUENCIES[recurrence.frequency],
        dtstart=datetime.combine(starts_on, time()),
        interval=recurrence.interval,
        byweekday=_for_dateutil(recurrence) or None,
        bymonthday=list(recurrence.month_days) or None,
        count=recurrence.count,
    )
    last = min(ends_on or date.max, recurrence.until or date.max)
    return takewhile(lambda day: day <= last, (moment.date() for moment in rule))


def _for_dateutil(recurrence: Recurrence) -> list[weekday]:
    """Return the weekdays of a rule as dateutil reads them.

    It takes "each Monday" beside "the first Tuesday" for days that are both, searches to the
    year 9999 and finds none; so beside an ordinal "each" is spelled out as the first to fifth.
    """
    has_ordinals = any(nth for nth, _ in recurrence.weekdays)
    every = range(1, 6) if has_ordinals else (None,)
    return [
        weekday(day, each)
        for nth, day in recurrence.weekdays
        for each in ((nth,) if nth else every)
    ]


def _is_ever(recurrence: Recurrence, starts_on: date) -> bool:
    """Tell whether one of the months that are reached is long enough for one of the days.

    Where none is, dateutil would search to the year 9999.
    """
    if recurrence.frequency != "MONTHLY" or recurrence.weekdays:
        return True
    days = recurrence.month_days or (starts_on.day,)
    months = {(starts_on.month - 1 + step * recurrence.interval) % 12 for step in range(12)}
    longest = max(LONGEST[month] for month in months)
    return any(abs(day) <= longest for day in days)


def days_within(
    recurrence: Recurrence, starts_on: date, ends_on: date | None, *, first: date, last: date
) -> list[date]:
    """Return the days of a rule from one day through another."""
    until = min(ends_on, last) if ends_on else last
    return [day for day in days_from(recurrence, starts_on, until) if day >= first]


def check_has_dates(recurrence: Recurrence, starts_on: date, ends_on: date | None) -> None:
    """Accept a rule from which a day follows within a year.

    Raises BadRule.
    """
    within = starts_on + FIRST_WITHIN
    if not days_within(recurrence, starts_on, ends_on, first=starts_on, last=within):
        raise BadRule("No date follows from this rule within a year.")


def is_over(recurrence: Recurrence, starts_on: date, ends_on: date | None, today: date) -> bool:
    """Tell whether no day from today on follows from a rule any more."""
    days = days_from(recurrence, starts_on, ends_on)
    return next((day for day in days if day >= today), None) is None


def weekdays_of(recurrence: Recurrence, starts_on: date) -> tuple[int, ...]:
    """Return the weekdays on which days of a rule may fall, from 0 for Monday."""
    if recurrence.weekdays:
        return tuple(sorted({day for _, day in recurrence.weekdays}))
    if recurrence.frequency == "WEEKLY" or (
        recurrence.frequency == "DAILY" and recurrence.interval % 7 == 0
    ):
        return (starts_on.weekday(),)
    return tuple(range(7))
