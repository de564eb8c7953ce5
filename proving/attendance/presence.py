"""The model of scans: what each is answered, and the comings and goings that follow from it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from proving.attendance.lines import Claim, Places

MINUTE = timedelta(minutes=1)
SAME_SCAN = timedelta(seconds=120)
COMINGS_MAX = 3
OPENS, STAYS = 30 * MINUTE, 60 * MINUTE
SKEW = timedelta(seconds=90)


@dataclass(frozen=True)
class Ask:
    """What a scan asks: by which code, when, by whom, how firmly.

    digits: how those beside a poster fit; None for every other code. clock: what the device
    says the time is, if it says so.
    """

    kind: str
    at: datetime
    device: str
    direction: str = "auto"
    is_lead: bool = False
    confirm: bool = False
    has_note: bool = False
    digits: str | None = None
    is_fresh: bool = True
    is_offline: bool = False
    clock: datetime | None = None

    @property
    def is_let_in(self) -> bool:
        """Whether the lead insists and says why."""
        return self.is_lead and self.confirm and self.has_note


@dataclass(frozen=True)
class Answer:
    """The answer to a scan, and what follows: nothing, come, join, wait, leave or move."""

    result: str
    reason: str
    direction: str | None = None
    act: str = ""


@dataclass(frozen=True)
class Shown:
    """What a station without a network showed."""

    result: str
    reason: str
    direction: str | None = None


@dataclass(eq=False)
class Mark:
    """A scan that is kept."""

    nonce: str
    shift: int
    member: int
    ask: Ask
    answer: Answer
    occurrence: int
    recorded_at: datetime
    counts: bool = False
    is_undone: bool = False
    shown: Shown | None = None
    # A difference that is let in changes what the scan stands for; its answer stays.
    direction: str | None = None
    first_occurrence: int = 1


@dataclass(eq=False)
class Coming:
    """One coming of a person, and what settling made of it."""

    came_at: datetime
    claim: Claim
    left_at: datetime | None = None
    state: str = "present"
    flags: set[str] = field(default_factory=set)
    is_settled: bool = False
    held: str | None = None
    review: str = "none"
    points: int | None = None
    minutes: int | None = None


@dataclass(eq=False)
class Sheet:
    """One person at one shift."""

    comings: list[Coming] = field(default_factory=list)

    @property
    def standing(self) -> list[Coming]:
        """The comings that the person did not strike out."""
        return [each for each in self.comings if each.state != "rejected"]

    @property
    def last(self) -> Coming | None:
        """The coming that a scan is about; one that was struck out before settling is none."""
        last = self.comings[-1] if self.comings else None
        return None if last and last.state == "rejected" and not last.is_settled else last

    @property
    def has_left(self) -> bool:
        """Whether the person is not there any more."""
        return all(each.left_at is not None for each in self.standing)


class Judge:
    """Answers one scan of one person at one shift."""

    def __init__(
        self,
        shift: Places,
        member: int,
        sheet: Sheet,
        ask: Ask,
        mark_of: dict[str, Mark],
        elsewhere: bool,
    ) -> None:
        """mark_of: the counting scans of the last coming by their direction. elsewhere: whether
        the person has a place on another shift of that day."""
        self.shift, self.member, self.sheet, self.ask = shift, member, sheet, ask
        self.mark_of, self.elsewhere = mark_of, elsewhere
        self.last = sheet.last

    def answer(self) -> Answer:
        """Return the answer; docs/scanning.md is its rule."""
        ask = self.ask
        if ask.digits in ("wrong", "locked"):
            reason = "wrong_digits" if ask.digits == "wrong" else "digits_locked"
            return Answer("refuse", reason)
        if not ask.is_fresh:
            return Answer("refuse", "code_expired")
        way = self.way()
        is_there = self.last is not None and (way == "out" or self.last.left_at is None)
        if way == "out":
            found = self.leaving()
        else:
            found = self.in_again() if is_there else self.arriving()
        if (
            found.act in ("come", "join", "leave")
            and ask.digits == "missing"
            and not ask.confirm
        ):
            return Answer("confirm", "poster_waiting", way)
        return found

    def is_repeat(self, direction: str, marked_at: datetime) -> bool:
        """Tell whether the same phone made that mark a moment ago."""
        mark = self.mark_of.get(direction)
        is_same = mark is not None and mark.ask.device == self.ask.device
        return is_same and abs(self.ask.at - marked_at) < SAME_SCAN

    def way(self) -> str:
        """Return what is meant, in or out."""
        ask, last = self.ask, self.last
        if last is None:
            return "out" if ask.direction == "out" else "in"
        if ask.direction == "out":
            return "out"
        if last.left_at is not None:
            if ask.direction == "auto":
                return "out"
            away = ask.at - last.left_at
            return "in" if away >= (0 * SAME_SCAN if ask.confirm else SAME_SCAN) else "out"
        if ask.direction == "auto":
            is_just_in = ask.at - last.came_at < SAME_SCAN and not ask.confirm
            return "in" if is_just_in else "out"
        if ask.confirm and not self.is_repeat("in", last.came_at):
            return "out"
        return "in"

    def window(self, way: str) -> Answer | None:
        """Ask outside of the hours; only the lead insists, and says why."""
        at, ends_at = self.ask.at, self.shift.ends_at + (STAYS if way == "out" else 0 * STAYS)
        opens_at = self.shift.starts_at - OPENS
        if opens_at <= at <= ends_at or self.ask.is_let_in:
            return None
        return Answer("confirm", "too_early" if at < opens_at else "too_late", way)

    def leaving(self) -> Answer:
        """Answer somebody who goes, or who has gone."""
        ask, last = self.ask, self.last
        if last is None or ask.at < last.came_at:
            return Answer("refuse", "not_in", "in")
        if outside := self.window("out"):
            return outside
        if last.left_at is None:
            return Answer("ok", "ok_out", "out", "leave")
        if self.is_repeat("out", last.left_at) and not ask.confirm:
            return Answer("ok", "repeat_just_now", "out")
        if last.is_settled:
            return Answer("refuse", "settled", "out")
        if ask.confirm and ask.at >= last.left_at:
            return Answer("ok", "ok_out", "out", "move")
        return Answer("confirm", "already_out", "out")

    def in_again(self) -> Answer:
        """Answer somebody who is there and comes in."""
        if outside := self.window("in"):
            return outside
        if self.is_repeat("in", self.last.came_at):
            return Answer("ok", "repeat_just_now", "in")
        return Answer("confirm", "already_in", "out")

    def arriving(self) -> Answer:
        """Answer somebody who comes, for the first time or back."""
        ask, claim = self.ask, self.shift.living(self.member)
        has_room = self.shift.free_in_all > 0
        if claim is None:
            if ask.at >= self.shift.ends_at:
                return Answer("refuse", "too_late", "in")
            if not ask.confirm and has_room:
                return Answer(
                    "confirm", "wrong_shift" if self.elsewhere else "not_claimed", "in"
                )
        if outside := self.window("in"):
            return outside
        if claim is not None and claim.state == "waitlisted":
            return Answer("refuse", "full", "in")
        if claim is None and not has_room:
            if ask.confirm:
                return Answer("ok", "waitlisted", "in", "wait")
            return Answer("confirm", "full", "in")
        return self.once_more() or Answer(
            "ok", "ok_in", "in", "join" if claim is None else "come"
        )

    def once_more(self) -> Answer | None:
        """Refuse or ask somebody who was there before."""
        if not self.sheet.comings:
            return None
        if self.sheet.comings[-1].is_settled:
            return Answer("refuse", "settled", "in")
        if len(self.sheet.comings) >= COMINGS_MAX:
            return Answer("refuse", "no_more_pairs", "in")
        if self.last is None or self.ask.confirm or self.ask.is_lead:
            return None
        return Answer("confirm", "already_out", "in")


def flags_of(ask: Ask, answer: Answer, now: datetime) -> set[str]:
    """Return what a review should know of a scan."""
    flags = set()
    off = ask.clock - now if ask.clock else timedelta()
    if off > SKEW or (off < -SKEW and not ask.is_offline):
        flags.add("clock_skew")
    if ask.digits == "missing" and answer.act:
        flags.add("poster_unconfirmed")
    if answer.result == "ok" and ask.confirm and ask.has_note:
        flags.add("let_in")
    return flags | ({"walk_in"} if answer.act in ("join", "wait") else set())
