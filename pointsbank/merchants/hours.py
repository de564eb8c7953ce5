"""Opening hours: judged, written, read, and whether a shop is open at a moment. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from pointsbank.core.text import halfwidth
from pointsbank.merchants.errors import BadHours
from pointsbank.merchants.models import DAY_MINUTES, Hours

WEEKDAYS = range(7)
HOUR_MINUTES = 60
# A shop that closes at noon and in the afternoon, and one more.
SPANS_A_DAY_MAX = 3
TEXT_LENGTH_MAX = 60
CLOSED = "-"
# What people write for a day without hours.
CLOSED_WORDS = (CLOSED, "–", "—", "休息", "关门", "不营业", "closed")
SPAN = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})", re.ASCII)
DASHES = re.compile("[–—~～至到]+")
BETWEEN = re.compile("[,、;和 ]+")


def is_open(hours: Iterable[Hours], at: datetime, zone: ZoneInfo) -> bool | None:
    """Tell whether a shop with these hours is open at a moment; None when they are not known.

    The minute in which it closes is not in it any more.
    """
    known = tuple(hours)
    if not known:
        return None
    local = at.astimezone(zone)
    minute = local.hour * HOUR_MINUTES + local.minute
    return any(
        each.weekday == local.weekday() and each.opens <= minute < each.closes for each in known
    )


def judged(hours: Iterable[Hours]) -> tuple[Hours, ...]:
    """Return hours in their order.

    Raises BadHours for a span that is none, for two that overlap and for too many.
    """
    ordered = tuple(sorted(hours))
    for each in ordered:
        if each.weekday not in WEEKDAYS or not 0 <= each.opens < each.closes <= DAY_MINUTES:
            raise BadHours
    for one, next_one in zip(ordered, ordered[1:], strict=False):
        if one.weekday == next_one.weekday and next_one.opens < one.closes:
            raise BadHours
    most = max(Counter(each.weekday for each in ordered).values(), default=0)
    if most > SPANS_A_DAY_MAX:
        raise BadHours
    return ordered


def clock_text(minute: int) -> str:
    """Write a minute of the day as 08:30; the last one is 24:00."""
    return f"{minute // HOUR_MINUTES:02d}:{minute % HOUR_MINUTES:02d}"


def minute_from(text: str) -> int:
    """Read 08:30 as a minute of the day.

    Raises BadHours.
    """
    found = re.fullmatch(r"(\d{1,2}):([0-5]\d)", text, re.ASCII)
    minute = int(found[1]) * HOUR_MINUTES + int(found[2]) if found else DAY_MINUTES + 1
    if minute > DAY_MINUTES:
        raise BadHours
    return minute


def day_text(hours: Iterable[Hours], weekday: int) -> str:
    """Write the hours of a weekday as 08:00-12:00, 14:00-18:00; "-" when it is closed."""
    spans = [
        f"{clock_text(each.opens)}-{clock_text(each.closes)}"
        for each in sorted(hours)
        if each.weekday == weekday
    ]
    return ", ".join(spans) or CLOSED


def spans_from(text: str) -> list[tuple[int, int]]:
    """Read what somebody typed for one day; nothing for a day on which it is closed.

    Raises BadHours.
    """
    plain = halfwidth(text).casefold()
    if plain in CLOSED_WORDS:
        return []
    # Spaces around a dash belong to it; everything else that stands between spans divides them.
    dashed = re.sub(r"\s*-\s*", "-", DASHES.sub("-", plain))
    parts = [part for part in BETWEEN.split(dashed) if part]
    if not parts or not all(SPAN.fullmatch(part) for part in parts):
        raise BadHours
    spans = [part.split("-") for part in parts]
    return [(minute_from(opens), minute_from(closes)) for opens, closes in spans]


def hours_from(usual: str, days: Sequence[str]) -> tuple[Hours, ...]:
    """Read a week as a form asks for it: the usual hours, and for each day those that differ.

    An empty day has the usual hours; a week that is empty throughout is not known.
    Raises BadHours.
    """
    found = []
    for weekday, text in zip(WEEKDAYS, days, strict=True):
        chosen = text.strip() or usual.strip()
        if chosen:
            found += [Hours(weekday, *span) for span in spans_from(chosen)]
    return judged(found)


def as_typed(hours: Iterable[Hours]) -> tuple[str, list[str]]:
    """Return a week as a form shows it: what most days have, and the days that differ."""
    known = tuple(hours)
    if not known:
        return "", [""] * len(WEEKDAYS)
    days = [day_text(known, weekday) for weekday in WEEKDAYS]
    usual = Counter(day for day in days if day != CLOSED).most_common(1)[0][0]
    return usual, ["" if day == usual else day for day in days]
