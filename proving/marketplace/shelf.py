"""The model of what is offered, to whom and how much of it, and of what merchants agreed to."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

USUAL_RATE = 1000
ONE_DAY = timedelta(days=1)


@dataclass
class Reward:
    """Something at a merchant. weekdays, monthdays: none of either for every day."""

    merchant: int
    points: int
    kind: str = "goods"
    stock: int | None = None
    limit: int | None = None
    period: str = "ever"
    weekdays: frozenset[int] = frozenset()
    monthdays: frozenset[int] = frozenset()
    valid_until: datetime | None = None
    is_for_others: bool = False
    stars: int = 0
    loan_days: int | None = None
    state: str = "offered"

    def is_on(self, day: date) -> bool:
        """Tell whether a day is one of its redemption days."""
        if not self.weekdays and not self.monthdays:
            return True
        return day.weekday() in self.weekdays or day.day in self.monthdays


@dataclass
class Contract:
    """What holds from its first through its last day; most: what a month may bring."""

    begins: date
    ends: date
    rate: int
    most: int | None


@dataclass
class Merchant:
    """A merchant; takes_until and most are what was last copied from its contracts."""

    is_stopped: bool = False
    contracts: list[Contract] = field(default_factory=list)
    takes_until: date | None = None
    most: int | None = None

    def takes(self, day: date) -> bool:
        """Tell whether it takes points that day, as far as the copy says."""
        return not self.is_stopped and (self.takes_until is None or day <= self.takes_until)

    def rate(self, day: date) -> int:
        """Return the fen for 100 points of a day."""
        begun = [each for each in self.contracts if each.begins <= day]
        return max(begun, key=lambda each: each.begins).rate if begun else USUAL_RATE

    def copy(self, today: date) -> None:
        """Copy what the contracts say today."""
        begun = [each for each in self.contracts if each.begins <= today]
        if not begun:
            self.takes_until = self.most = None
            return
        newest = max(begun, key=lambda each: each.begins)
        self.most, self.takes_until = newest.most, newest.ends
        if newest.ends >= today:
            for following in self._following(newest):
                self.takes_until = following.ends

    def _following(self, contract: Contract) -> Iterator[Contract]:
        """Yield the contracts that follow one another without a gap."""
        ends = contract.ends
        for each in sorted(self.contracts, key=lambda each: each.begins):
            if each.begins == ends + ONE_DAY:
                ends = each.ends
                yield each


def period_of(kind: str, day: date) -> str:
    """Return how the period of a limit is called on a day."""
    year, week, _ = day.isocalendar()
    names = {
        "ever": "",
        "year": f"{day.year}",
        "quarter": f"{day.year}-Q{(day.month - 1) // 3 + 1}",
        "month": month_of(day),
        "week": f"{year}-W{week:02}",
        "day": f"{day}",
    }
    return names[kind]


def month_of(day: date) -> str:
    """Return the month of a day as 2026-11."""
    return f"{day.year}-{day.month:02}"


def first_after(month: str) -> date:
    """Return the first day after a month."""
    year, number = map(int, month.split("-"))
    return date(year + number // 12, number % 12 + 1, 1)
