"""What speaks against a person's attendance: from a shift's facts to reasons and a score.

It is pure. Nothing here refuses anybody: whoever reaches REVIEW_FROM waits until somebody else
has looked. Rule: docs/scanning.md, "Review".
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

# From here on somebody else looks before anything is awarded (docs/scanning.md, "Review").
REVIEW_FROM = 60
SCORE_MAX = 100

# Each weight with its reason. Nothing that befalls honest elders reaches REVIEW_FROM by itself.
WEIGHTS: dict[str, int] = {
    # A couple has one phone between them, and a neighbour lends hers: no more than half way.
    "same_device": 30,
    # More than a family and its neighbours: somebody brought others' accounts along.
    "device_crowd": 25,
    # Signing out, in and scanning takes longer than this by hand, however practised.
    "device_burst": 60,
    # Came and went within seconds: a finger that slipped, or a list that was worked off.
    "quick_pair": 40,
    # Nobody serves at two places at once; one of the two is wrong.
    "overlap": 60,
    # Positions err in dense streets and can be made up: evidence, never the ground.
    "other_place": 25,
    # A shift by day leaves no marks at night, unless somebody sat over the list.
    "night": 35,
    # One person alone may have forgotten; several at night were entered together.
    "night_cluster": 25,
    # Who keeps the list stands on it. Another lead must settle that line anyway.
    "organizer_own": 40,
    # Both to the second: a choir raises its phones together once, hardly twice.
    "equal_hours": 50,
    # Cheap phones are minutes off; it matters only beside something else.
    "clock_skew": 10,
    # Typed without a code, the lead says so and nothing else does.
    "typed_once": 20,
    "typed_throughout": 40,
    # Where most of a shift was typed, the list is the lead's word alone.
    "typed_crowd": 20,
    # Joining on the spot is welcome; it says only that nobody knew before.
    "walk_in": 10,
    # By the poster alone, which anybody could have photographed: somebody has to say they came.
    "poster_unconfirmed": 60,
    # Outside of the hours, on the lead's say.
    "let_in": 20,
    # Called up in the middle of the shift, and not there.
    "absent_at_roll_call": 60,
    # Fewer heads than marks: somebody is missing, and it is not known who.
    "head_count_short": 20,
}
# What the scans noted themselves (attendance/finding.py) and is weighed as it stands.
NOTED = ("other_place", "clock_skew", "walk_in", "poster_unconfirmed", "let_in")

# What everybody scans for themselves with their own phone.
OWN_PHONE_KINDS = ("venue", "poster")
# A family of four on one phone is not a crowd.
DEVICE_PEOPLE = 4
BURST_SECONDS = 2
QUICK_PAIR_SECONDS = 10
# Clocks and slow queues: back to back is not at once.
OVERLAP_MINUTES = 5
NIGHT_FROM = time(23)
NIGHT_UNTIL = time(5)
NIGHT_PEOPLE = 3
# Coming before and leaving after a shift that is planned late belongs to it.
BESIDE_MINUTES = 60
EQUAL_PEOPLE = 5
# Below this many a shift has no "most".
TYPED_PEOPLE = 5


@dataclass(frozen=True)
class Mark:
    """One counting scan; kind: one of models.CODE_KINDS; at: the moment it was held up."""

    member_id: int
    actor_id: int
    direction: str
    occurrence: int
    kind: str
    at: datetime
    device_id: str | None = None


@dataclass(frozen=True)
class Line:
    """One row of a person's attendance, with what its scans noted."""

    member_id: int
    occurrence: int
    came_at: datetime | None
    left_at: datetime | None
    noted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Elsewhere:
    """Presence of one of these people at another shift, within that shift's own hours."""

    member_id: int
    came_at: datetime
    left_at: datetime


@dataclass(frozen=True)
class Heads:
    """The last count of heads, beside how many were there by the scans."""

    counted: int
    by_scans: int
    at: datetime


@dataclass(frozen=True)
class ShiftFacts:
    """All of a shift that is weighed. absent: who was called up and was not there."""

    starts_at: datetime
    ends_at: datetime
    zone: ZoneInfo
    organizer_id: int
    lines: tuple[Line, ...] = ()
    marks: tuple[Mark, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    heads: Heads | None = None
    absent: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Reason:
    """One thing that speaks against an attendance."""

    code: str
    weight: int


@dataclass(frozen=True)
class Weighed:
    """What speaks against one person's attendance, the heaviest first; score: 0 to 100."""

    score: int
    reasons: tuple[Reason, ...]

    @property
    def is_doubtful(self) -> bool:
        """Whether somebody else looks at it before anything is awarded."""
        return self.score >= REVIEW_FROM

    @property
    def kept_reasons(self) -> list[dict[str, str | int]]:
        """The reasons as the table keeps them."""
        return [{"code": each.code, "weight": each.weight} for each in self.reasons]


def weigh(facts: ShiftFacts) -> dict[int, Weighed]:
    """Weigh each person of a shift, all their rows together, in whatever order they come."""
    found: dict[int, set[str]] = {line.member_id: set() for line in facts.lines}
    for look in LOOKS:
        for member_id, code in look(facts):
            if member_id in found:
                found[member_id].add(code)
    return {member_id: scored(codes) for member_id, codes in found.items()}


def scored(codes: Iterable[str]) -> Weighed:
    """Add up the weights of different reasons, to SCORE_MAX at most."""
    reasons = [Reason(code, WEIGHTS[code]) for code in set(codes)]
    reasons.sort(key=lambda each: (-each.weight, each.code))
    return Weighed(min(SCORE_MAX, sum(each.weight for each in reasons)), tuple(reasons))


Flags = Iterator[tuple[int, str]]


def _noted(facts: ShiftFacts) -> Flags:
    for line in facts.lines:
        yield from ((line.member_id, code) for code in line.noted if code in NOTED)


def _own_scans(facts: ShiftFacts) -> dict[str, list[Mark]]:
    """Return what people scanned for themselves, by device; a station scans everybody."""
    by_device: dict[str, list[Mark]] = defaultdict(list)
    for mark in facts.marks:
        if mark.device_id and mark.kind == "venue":
            by_device[mark.device_id].append(mark)
    return by_device


def _devices(facts: ShiftFacts) -> Flags:
    for marks in _own_scans(facts).values():
        people = {mark.member_id for mark in marks}
        if len(people) > 1:
            yield from ((each, "same_device") for each in people)
        if len(people) > DEVICE_PEOPLE:
            yield from ((each, "device_crowd") for each in people)


def _bursts(facts: ShiftFacts) -> Flags:
    near = timedelta(seconds=BURST_SECONDS)
    for marks in _own_scans(facts).values():
        ordered = sorted(marks, key=lambda mark: (mark.at, mark.member_id))
        # Between two people's marks in a row lies every pair that is near enough.
        for one, next_one in zip(ordered, ordered[1:], strict=False):
            if one.member_id != next_one.member_id and next_one.at - one.at < near:
                yield one.member_id, "device_burst"
                yield next_one.member_id, "device_burst"


def _quick_pairs(facts: ShiftFacts) -> Flags:
    for line in facts.lines:
        if line.came_at is None or line.left_at is None:
            continue
        if line.left_at - line.came_at < timedelta(seconds=QUICK_PAIR_SECONDS):
            yield line.member_id, "quick_pair"


def _overlaps(facts: ShiftFacts) -> Flags:
    others: dict[int, list[Elsewhere]] = defaultdict(list)
    for each in facts.elsewhere:
        others[each.member_id].append(each)
    for line in facts.lines:
        if line.came_at is None or line.left_at is None:
            continue
        came, left = max(line.came_at, facts.starts_at), min(line.left_at, facts.ends_at)
        for other in others[line.member_id]:
            shared = min(left, other.left_at) - max(came, other.came_at)
            if shared > timedelta(minutes=OVERLAP_MINUTES):
                yield line.member_id, "overlap"


def _nights(facts: ShiftFacts) -> Flags:
    beside = timedelta(minutes=BESIDE_MINUTES)
    people = {
        mark.member_id
        for mark in facts.marks
        if _is_night(mark.at, facts.zone)
        and not facts.starts_at - beside <= mark.at <= facts.ends_at + beside
    }
    yield from ((each, "night") for each in people)
    if len(people) >= NIGHT_PEOPLE:
        yield from ((each, "night_cluster") for each in people)


def _is_night(moment: datetime, zone: ZoneInfo) -> bool:
    at = moment.astimezone(zone).time()
    return at >= NIGHT_FROM or at < NIGHT_UNTIL


def _organizers_own(facts: ShiftFacts) -> Flags:
    yield facts.organizer_id, "organizer_own"
    # A station that checks its keeper in; with one's own phone at the venue all are alike.
    for mark in facts.marks:
        if mark.actor_id == mark.member_id and mark.kind not in OWN_PHONE_KINDS:
            yield mark.member_id, "organizer_own"


def _equal_hours(facts: ShiftFacts) -> Flags:
    pairs: dict[tuple[datetime, datetime], set[int]] = defaultdict(set)
    for line in facts.lines:
        if line.came_at is not None and line.left_at is not None:
            to_the_second = (
                line.came_at.replace(microsecond=0),
                line.left_at.replace(microsecond=0),
            )
            pairs[to_the_second].add(line.member_id)
    for people in pairs.values():
        if len(people) >= EQUAL_PEOPLE:
            yield from ((each, "equal_hours") for each in people)


def _typed(facts: ShiftFacts) -> Flags:
    of_person: Counter[int] = Counter(mark.member_id for mark in facts.marks)
    typed: Counter[int] = Counter(
        mark.member_id for mark in facts.marks if mark.kind == "manual"
    )
    for member_id, count in typed.items():
        yield (
            member_id,
            "typed_throughout" if count == of_person[member_id] else "typed_once",
        )
    if len(of_person) >= TYPED_PEOPLE and 2 * len(typed) > len(of_person):
        yield from ((each, "typed_crowd") for each in typed)


def _roll_calls(facts: ShiftFacts) -> Flags:
    yield from ((each, "absent_at_roll_call") for each in facts.absent)


def _heads(facts: ShiftFacts) -> Flags:
    heads = facts.heads
    if heads is None or heads.counted >= heads.by_scans:
        return
    for line in facts.lines:
        is_in = line.came_at is not None and line.came_at <= heads.at
        if is_in and (line.left_at is None or line.left_at > heads.at):
            yield line.member_id, "head_count_short"


LOOKS = (
    _noted,
    _devices,
    _bursts,
    _quick_pairs,
    _overlaps,
    _nights,
    _organizers_own,
    _equal_hours,
    _typed,
    _roll_calls,
    _heads,
)
