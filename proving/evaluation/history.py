"""What happened, as plain facts in plain lists; nothing here knows the service."""

from dataclasses import dataclass, field, replace
from datetime import date

NOT_COUNTED = ("over_70", "long_illness", "other")


@dataclass(frozen=True)
class Fact:
    """One entry: hundredths, points and minutes as the service wrote them."""

    member: int
    code: str
    category: str
    day: date
    hundredths: int
    points: int
    minutes: int


@dataclass(frozen=True)
class Rules:
    """One version of the standard: item -> its category and caps by day, week and year."""

    version: int
    valid_from: date
    items: dict[str, tuple[str, int | None, int | None, int | None]]
    # Table name -> mode, base, bonus.
    tables: dict[str, tuple[str, dict[str, int], dict[str, int]]]


@dataclass
class Span:
    """An exemption: from a day until another, which is exclusive; None: for ever."""

    reason: str
    from_on: date
    until_on: date | None
    is_lifted: bool = False

    def ends(self, day: date) -> None:
        """Hold no more from a day on; one that never held is as if it had never been."""
        self.is_lifted = self.from_on >= day
        self.until_on = self.until_on if self.is_lifted else day

    def covers(self, day: date) -> bool:
        """Tell whether it stands on a day."""
        ends = self.until_on is None or day < self.until_on
        return not self.is_lifted and self.from_on <= day and ends


@dataclass
class Person:
    """A member: where they belonged from which day on, and what lifts them out."""

    places: list[tuple[date, int, int | None]]
    is_active: bool = True
    exemptions: list[Span] = field(default_factory=list)
    vetoes: list[date] = field(default_factory=list)

    def place_on(self, day: date) -> tuple[int, int | None]:
        """Return organization and grid of a day; before the first, those of the first."""
        had = [place for place in self.places if place[0] <= day] or self.places[:1]
        return had[-1][1:]

    def moves(self, day: date, organization: int, grid: int | None) -> None:
        """Belong somewhere else from a day on; of one day the last word counts."""
        self.places = [place for place in self.places if place[0] < day]
        self.places.append((day, organization, grid))

    def table_on(self, day: date) -> str:
        """Return by which table they are evaluated."""
        is_mobile = any(s.reason == "mobile" and s.covers(day) for s in self.exemptions)
        return "mobile" if is_mobile else "default"

    def is_exempt_on(self, day: date) -> bool:
        """Tell whether nobody ranks them."""
        return any(s.reason in NOT_COUNTED and s.covers(day) for s in self.exemptions)


@dataclass
class History:
    """Everything that happened so far."""

    people: dict[int, Person]
    # Organization -> those above it, itself included.
    above: dict[int, tuple[int, ...]]
    versions: list[Rules]
    facts: list[Fact] = field(default_factory=list)

    def takes_back(self, fact: Fact) -> None:
        """Write the entry that undoes another."""
        undone = replace(
            fact,
            hundredths=-fact.hundredths,
            points=-fact.points,
            minutes=-fact.minutes,
        )
        self.facts.append(undone)

    def rules_on(self, day: date) -> Rules:
        """Return the version in force on a day."""
        return [rules for rules in self.versions if rules.valid_from <= day][-1]
