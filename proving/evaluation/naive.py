"""Standings by the slowest way there is: every fact of the period, one after the other.

It shares no line with the service, so that a mistake would have to be made twice.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from proving.evaluation.history import Fact, History, Rules

ORDER = (
    "organization_life",
    "study",
    "duty",
    "volunteer_service",
    "post_service",
    "recognition",
    "deduction",
)


@dataclass(frozen=True)
class Span:
    """A period: its first day, the day after its last, how often it fits into a year."""

    name: str
    first_on: date
    end_on: date
    factor: int

    @property
    def last_on(self) -> date:
        """The day whose belonging and exemptions count."""
        return self.end_on - timedelta(days=1)


@dataclass(frozen=True)
class Row:
    """A member's standing."""

    organization: int
    grid: int | None
    table: str
    is_exempt: bool
    is_vetoed: bool
    base: int
    bonus: int
    deduction: int
    evaluation: int
    points: int
    minutes: int
    parts: tuple[tuple[Any, ...], ...]


def standings(history: History, span: Span, today: date) -> dict[int, Row]:
    """Return everybody's standing in a period."""
    rules = history.rules_on(max(span.first_on, min(today, span.last_on)))
    found = {}
    for number, person in history.people.items():
        facts = [
            fact
            for fact in history.facts
            if fact.member == number and span.first_on <= fact.day < span.end_on
        ]
        name = person.table_on(span.last_on)
        name = name if name in rules.tables else "default"
        mode = rules.tables[name][0]
        had_come = person.places[0][0] <= span.last_on
        is_listed = bool(facts) or (mode == "start_full_and_deduct" and had_come)
        if not person.is_active or not is_listed:
            continue
        parts = tuple(_parts(history, rules, name, facts, span.factor))
        base, bonus, deduction = (
            sum(part[4] for part in parts if part[1] == kind)
            for kind in ("base", "bonus", "deduction")
        )
        organization, grid = person.place_on(span.last_on)
        found[number] = Row(
            organization=organization,
            grid=grid,
            table=name,
            is_exempt=person.is_exempt_on(span.last_on),
            is_vetoed=any(span.first_on <= day < span.end_on for day in person.vetoes),
            base=base,
            bonus=bonus,
            deduction=deduction,
            evaluation=min(10_000, max(0, base + bonus - deduction)),
            points=sum(fact.points for fact in facts),
            minutes=sum(fact.minutes for fact in facts),
            parts=parts,
        )
    return found


def _parts(
    history: History, rules: Rules, table: str, facts: list[Fact], factor: int
) -> Iterator[tuple[Any, ...]]:
    mode, base, bonus = rules.tables[table]
    for category in ORDER:
        own = [fact for fact in facts if fact.category == category]
        is_full = mode == "start_full_and_deduct" and category in base
        if not own and not is_full:
            continue
        earned = sum(fact.hundredths for fact in own)
        most = base.get(category, bonus.get(category, 0))
        kind = "base" if category in base else "bonus"
        if category == "deduction":
            kind, score, most = "deduction", max(0, -earned), 0
        elif is_full:
            score = most
        else:
            score = sum(
                _item(history, rules, code, own, factor) for code in {f.code for f in own}
            )
            score = max(0, min(most, score))
        points, minutes = sum(f.points for f in own), sum(f.minutes for f in own)
        yield (category, kind, earned, most, score, len(own), points, minutes)


def _item(history: History, rules: Rules, code: str, facts: list[Fact], factor: int) -> int:
    """Return what one item comes to after its caps."""
    day_most, week_most, year_most = _caps(history, rules, code)
    total = 0
    for week in {fact.day.isocalendar()[:2] for fact in facts if fact.code == code}:
        in_week = 0
        for weekday in range(1, 8):
            day = date.fromisocalendar(*week, weekday)
            in_day = sum(f.hundredths for f in facts if f.code == code and f.day == day)
            in_week += in_day if day_most is None else min(in_day, day_most)
        total += in_week if week_most is None else min(in_week, week_most)
    total *= factor
    return total if year_most is None else min(total, year_most)


def _caps(
    history: History, rules: Rules, code: str
) -> tuple[int | None, int | None, int | None]:
    """Return an item's caps: by the newest version up to this one that has it, or else by the
    first that ever had it.
    """
    having = [version for version in history.versions if code in version.items]
    known = [version for version in having if version.version <= rules.version]
    return (known[-1:] or having[:1])[0].items[code][1:]


def counts(history: History, rows: dict[int, Row]) -> Counter[tuple[int, str, int]]:
    """Return how many have each value of each measure, in each organization and above it."""
    found: Counter[tuple[int, str, int]] = Counter()
    for row in rows.values():
        if row.is_exempt:
            continue
        for place in history.above[row.organization]:
            found[place, "evaluation", row.evaluation] += 1
            found[place, "points", row.points] += 1
            found[place, "minutes", row.minutes] += 1
    return found


def rank(rows: dict[int, Row], among: set[int], member: int, measure: str) -> int | None:
    """Return one member's place among some: how many are better, and one."""
    mine = rows.get(member)
    if mine is None or mine.is_exempt:
        return None
    others = (rows[each] for each in among if each in rows and not rows[each].is_exempt)
    return 1 + sum(getattr(row, measure) > getattr(mine, measure) for row in others)
