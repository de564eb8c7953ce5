"""Pure rules: who does what with papers, which days they may name, what a vote comes to."""

from dataclasses import dataclass
from datetime import date, timedelta

from pointsbank.appraisals.errors import BadExemptionSpan, BadPaperDay, NotEvaluated
from pointsbank.appraisals.models import EVALUATED_KINDS
from pointsbank.scoring.models import Item
from pointsbank.scoring.policy import worth_of

ENTERERS = ("administrator", "secretary")
DECIDERS = ENTERERS
# The committee confirms grades, so it reads what they rest on.
READERS = (*DECIDERS, "committee", "auditor")
# Quarters of a vote: excellent counts in full, qualified three of them, basic one.
FULL_WEIGHT, QUALIFIED_WEIGHT = 4, 3


@dataclass(frozen=True)
class Count:
    """How many ballots gave one member each grade."""

    member_id: int
    excellent: int
    qualified: int
    basic: int
    unqualified: int

    @property
    def cast(self) -> int:
        """How many ballots said anything about the member."""
        return self.excellent + self.qualified + self.basic + self.unqualified


def says_enough(count: Count, ballots: int) -> bool:
    """Tell whether at least half of the ballots said something about the member."""
    return count.cast > 0 and 2 * count.cast >= ballots


def appraisal_hundredths(count: Count, most: int) -> int:
    """Return what the votes for one member come to, from 0 to most hundredths, rounded down.

    most: what the standard gives when everybody votes excellent. Blank ballots do not count.
    Rule: docs/appraisals.md, "Democratic appraisal".
    """
    if count.cast == 0:
        return 0
    weight = FULL_WEIGHT * count.excellent + QUALIFIED_WEIGHT * count.qualified + count.basic
    return most * weight // (FULL_WEIGHT * count.cast)


def worth_of_late(item: Item, times: int, minutes: int) -> tuple[int, int, int]:
    """Return times, service minutes and hundredths of what is entered late by an item.

    minutes count in the item's steps, rounded down; of an item by the hour they are what is
    worth something, of any other the times are.
    """
    counted = minutes - minutes % item.unit_minutes
    kept = counted if item.counts_minutes else 0
    if item.unit == "hour":
        return 1, kept, worth_of(item, counted)[1]
    return times, kept, times * worth_of(item, counted)[1]


def demand_party_member(kind: str) -> None:
    """Refuse what would count against somebody who is not evaluated.

    Raises NotEvaluated.
    """
    if kind not in EVALUATED_KINDS:
        raise NotEvaluated


def demand_paper_day(day: date, today: date) -> None:
    """Refuse a day to come, and one before last year.

    Raises BadPaperDay.
    """
    first_on = date(today.year - 1, 1, 1)
    if not first_on <= day <= today:
        raise BadPaperDay(first_on=first_on, last_on=today)


def demand_span(from_on: date, until_on: date | None, today: date) -> None:
    """Refuse an exemption that begins before last year or after next year, or ends first.

    until_on: exclusive. Raises BadExemptionSpan.
    """
    first_on, end_on = date(today.year - 1, 1, 1), date(today.year + 2, 1, 1)
    ends_well = until_on is None or until_on > from_on
    if not (first_on <= from_on < end_on and ends_well):
        raise BadExemptionSpan(first_on=first_on, last_on=end_on - timedelta(days=1))
