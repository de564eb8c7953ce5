"""The evaluation of one member in one period, entry by entry: what every faster way must equal.

Rule: docs/scoring.md, "The evaluation score". Whole numbers throughout, nothing is rounded.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from pointsbank.scoring.models import CATEGORIES
from pointsbank.scoring.tables import FULL_HUNDREDTHS, EvaluationTable

DEDUCTION = "deduction"


@dataclass(frozen=True)
class Scored:
    """What the evaluation needs of a score entry; hundredths may be negative."""

    item_code: str
    category: str
    earned_on: date
    hundredths: int
    points: int
    service_minutes: int


@dataclass(frozen=True)
class ItemCaps:
    """The most hundredths one item gives a local day, an ISO week, a year; None: no limit."""

    day: int | None = None
    week: int | None = None
    year: int | None = None


@dataclass(frozen=True)
class Part:
    """What one category gives: earned as it stands in the entries, score after every cap."""

    category: str
    kind: str
    earned: int
    cap: int
    score: int
    entries: int
    points: int
    minutes: int


@dataclass(frozen=True)
class Evaluation:
    """A member's measures in a period. evaluation = base + bonus - deduction, within 0..100."""

    base_hundredths: int
    bonus_hundredths: int
    deduction_hundredths: int
    evaluation_hundredths: int
    points_earned: int
    service_minutes: int
    parts: tuple[Part, ...]


def evaluate(
    entries: Iterable[Scored],
    *,
    caps: Mapping[str, ItemCaps],
    table: EvaluationTable,
    factor: int,
) -> Evaluation:
    """Return what a member's entries of one period come to.

    caps: by item code; an item that is missing has no limit of its own. factor: how often the
    period fits into a year. Item by item, days are cut at the day's cap, then their weeks at
    the week's (only the days within the period), then the sum times factor at the year's; the
    items of a category add up and are cut at the table's cap, below at zero. Deductions are
    taken off as they are entered, whatever the period's length.
    """
    kept = list(entries)
    counted = counted_by_category(kept, caps=caps, factor=factor)
    parts = tuple(
        part
        for category in CATEGORIES
        if (part := _part(category, kept, counted, table)) is not None
    )
    sums = {
        kind: sum(part.score for part in parts if part.kind == kind)
        for kind in ("base", "bonus", DEDUCTION)
    }
    total = sums["base"] + sums["bonus"] - sums[DEDUCTION]
    return Evaluation(
        base_hundredths=sums["base"],
        bonus_hundredths=sums["bonus"],
        deduction_hundredths=sums[DEDUCTION],
        evaluation_hundredths=max(0, min(FULL_HUNDREDTHS, total)),
        points_earned=sum(entry.points for entry in kept),
        service_minutes=sum(entry.service_minutes for entry in kept),
        parts=parts,
    )


def counted_by_category(
    entries: Iterable[Scored], *, caps: Mapping[str, ItemCaps], factor: int
) -> dict[str, int]:
    """Return what the items of each category come to, after their own caps, on a year's scale.

    An item's category is the one its entries carry; the entries of one item code carry one.
    """
    days: dict[tuple[str, str, date], int] = defaultdict(int)
    for entry in entries:
        if entry.category != DEDUCTION:
            days[entry.category, entry.item_code, entry.earned_on] += entry.hundredths
    weeks: dict[tuple[str, str, int, int], int] = defaultdict(int)
    for (category, code, day), hundredths in days.items():
        iso = day.isocalendar()
        weeks[category, code, iso.year, iso.week] += cut(hundredths, cap_of(caps, code).day)
    items: dict[tuple[str, str], int] = defaultdict(int)
    for (category, code, _year, _week), hundredths in weeks.items():
        items[category, code] += cut(hundredths, cap_of(caps, code).week)
    found: dict[str, int] = defaultdict(int)
    for (category, code), hundredths in items.items():
        found[category] += cut(hundredths * factor, cap_of(caps, code).year)
    return dict(found)


def cap_of(caps: Mapping[str, ItemCaps], code: str) -> ItemCaps:
    """Return an item's caps, none for an item that has none."""
    return caps.get(code, ItemCaps())


def cut(hundredths: int, most: int | None) -> int:
    """Return a sum cut at its cap; what was taken back may make it negative."""
    return hundredths if most is None else min(hundredths, most)


def _part(
    category: str, entries: list[Scored], counted: Mapping[str, int], table: EvaluationTable
) -> Part | None:
    """Return a category's part, None where there is neither an entry nor a base in full."""
    own = [entry for entry in entries if entry.category == category]
    is_full = table.base_mode == "start_full_and_deduct" and category in table.base
    if not own and not is_full:
        return None
    earned = sum(entry.hundredths for entry in own)
    cap = table.cap_of(category)
    kind = "base" if category in table.base else "bonus"
    if category == DEDUCTION:
        kind, cap, score = DEDUCTION, 0, max(0, -earned)
    elif is_full:
        score = cap
    else:
        score = max(0, min(cap, counted.get(category, 0)))
    return Part(
        category=category,
        kind=kind,
        earned=earned,
        cap=cap,
        score=score,
        entries=len(own),
        points=sum(entry.points for entry in own),
        minutes=sum(entry.service_minutes for entry in own),
    )
