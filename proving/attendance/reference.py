"""Claims, scans and awards of a small world in the plainest words."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from proving.attendance.awards import POINTS_DAY_MAX, counted, is_doubtful, points_for
from proving.attendance.lines import Claim, Places
from proving.attendance.ordering import in_turn, pairs_of, way_of
from proving.attendance.presence import (
    COMINGS_MAX,
    MINUTE,
    OPENS,
    STAYS,
    Answer,
    Ask,
    Coming,
    Judge,
    Mark,
    Sheet,
    Shown,
    flags_of,
)
from proving.reference import Refused

UNDO = timedelta(seconds=60)
NEAR = timedelta(seconds=120)
GUESSES_MAX, GUESSES_IN = 5, timedelta(minutes=10)
STANDING_REASONS = ("already_in", "already_out", "repeat_just_now")


def told(result: str, reason: str, direction: str | None) -> str | None:
    """Return what a person was told: in, out, line, stands, or nothing."""
    if result != "ok":
        return None
    return {"repeat_just_now": "stands", "waitlisted": "line"}.get(reason, direction)


class Reference:
    """Everything. Each method does the step or raises Refused and changes nothing."""

    def __init__(self, shifts: Sequence[Places], members: int, co_sign_above: int) -> None:
        self.shifts = shifts
        self.members = range(members)
        self.co_sign_above = co_sign_above
        self.sheets = {(s, m): Sheet() for s in range(len(shifts)) for m in self.members}
        self.marks: list[Mark] = []
        self.wallets = dict.fromkeys(self.members, 0)
        self.room = dict.fromkeys(self.members, POINTS_DAY_MAX)
        self.minutes = dict.fromkeys(self.sheets, 0)
        self.signed: dict[int, int] = {}
        self.differences: dict[str, Shown] = {}
        self.settled_differences: dict[str, str] = {}

    def mark(self, nonce: str) -> Mark:
        """Return a scan by what names it."""
        return next(each for each in self.marks if each.nonce == nonce)

    def counting(self, shift: int, member: int, occurrence: int) -> dict[str, Mark]:
        """Return the scans that a coming stands on, by direction."""
        return {
            each.direction: each
            for each in self.marks
            if each.counts
            and (each.shift, each.member, each.occurrence) == (shift, member, occurrence)
        }

    def scan(self, nonce: str, shift: int, member: int, ask: Ask, now: datetime) -> Mark:
        """Answer a scan and keep it; one that was sent before is answered as the first time."""
        if sent := [each for each in self.marks if each.nonce == nonce]:
            return sent[0]
        if ask.digits in ("right", "wrong") and self.guesses(shift, member, now) >= GUESSES_MAX:
            ask = replace(ask, digits="locked")
        places, sheet = self.shifts[shift], self.sheets[shift, member]
        elsewhere = self._has_place_on(member, ask.at.date())
        so_far = len(sheet.comings)
        mark_of = self.counting(shift, member, so_far)
        answer = Judge(places, member, sheet, ask, mark_of, elsewhere).answer()
        flags = flags_of(ask, answer, now)
        claim = places.living(member)
        if answer.act == "come":
            claim.accept_by = None
        elif answer.act in ("join", "wait"):
            claim = places.claim(member, ask.at, source="walk_in")
        comes = answer.act in ("come", "join")
        occurrence = so_far + 1 if comes else max(1, so_far)
        counts = comes or answer.act in ("leave", "move")
        if answer.act == "move":
            mark_of["out"].counts = False
        made = Mark(
            nonce,
            shift,
            member,
            ask,
            answer,
            occurrence,
            now,
            counts,
            direction=answer.direction,
            first_occurrence=occurrence,
        )
        self.marks.append(made)
        if comes:
            sheet.comings.append(Coming(ask.at, claim, flags=flags))
        elif counts:
            self._leave(sheet.comings[-1], ask.at, claim, flags, answer)
        return made

    def _has_place_on(self, member: int, day: date) -> bool:
        """Tell whether somebody has a place on any shift of a day."""
        claims = [e.living(member) for e in self.shifts if e.starts_at.date() == day]
        return any(claim is not None and claim.state == "claimed" for claim in claims)

    def guesses(self, shift: int, member: int, now: datetime) -> int:
        """Return how often somebody typed wrong digits of late."""
        return sum(
            each.answer.reason == "wrong_digits" and each.recorded_at > now - GUESSES_IN
            for each in self.marks
            if (each.shift, each.member) == (shift, member)
        )

    def _leave(
        self, coming: Coming, at: datetime, claim: Claim | None, flags: set[str], answer: Answer
    ) -> None:
        coming.left_at, coming.flags = at, coming.flags | flags
        if answer.act == "leave":
            coming.claim = claim or coming.claim
            coming.state = "left" if coming.state == "present" else coming.state

    def undo(self, nonce: str, now: datetime) -> None:
        """Take a scan back, within a minute."""
        mark = self.mark(nonce)
        if mark.is_undone:
            return
        if not mark.counts:
            raise Refused("cannot_undo")
        if now > mark.recorded_at + UNDO:
            raise Refused("undo_too_late")
        self.take_back(mark)

    def take_back(self, mark: Mark) -> None:
        """Let a scan count no more; the check-out that it moved stands again."""
        comings = self.sheets[mark.shift, mark.member].comings
        if len(comings) != mark.occurrence:
            raise Refused("cannot_undo")
        coming = comings[-1]
        if coming.is_settled or coming.state == "rejected":
            raise Refused("cannot_undo")
        if mark.direction == "in":
            if coming.left_at is not None:
                raise Refused("cannot_undo")
            comings.pop()
        else:
            coming.left_at, coming.state = None, "present"
        mark.counts, mark.is_undone = False, True
        if mark.direction == "out":
            self._restore(mark, coming)

    def _restore(self, mark: Mark, coming: Coming) -> None:
        place = (mark.shift, mark.member, mark.occurrence)
        for each in self.marks[: self.marks.index(mark)][::-1]:
            was_out = each.answer.reason == "ok_out" and not each.is_undone
            if was_out and (each.shift, each.member, each.occurrence) == place:
                each.counts, coming.left_at, coming.state = True, each.ask.at, "left"
                return

    def upload(self, mark: Mark, shown: Shown | None) -> None:
        """Note where a station showed something else than the answer of its scan, and put what
        all stations showed of the person into the order of its time."""
        if shown is None or not mark.ask.is_offline or mark.shown is not None:
            return
        mark.shown = shown
        if self._differs(mark, shown):
            self.differences[mark.nonce] = shown
        if told(shown.result, shown.reason, shown.direction) in ("in", "out"):
            self.put_in_order(mark.shift, mark.member)

    def put_in_order(self, shift: int, member: int) -> None:
        """Let marks count that came too late to count, where all that counts goes on to."""
        sheet = self.sheets[shift, member]
        if not sheet.comings or any(
            e.is_settled or e.state == "rejected" for e in sheet.comings
        ):
            return
        own = [each for each in self.marks if (each.shift, each.member) == (shift, member)]
        counted = [each for each in own if each.counts]
        turns = in_turn([*counted, *(each for each in own if self._may_count(each))])
        standing = [(each.came_at, each.left_at) for each in sheet.comings]
        keeps_all = set(counted) <= set(turns) and pairs_of(in_turn(counted)) == standing
        if len(turns) > 2 * COMINGS_MAX or not keeps_all or len(turns) == len(counted):
            return
        for place, mark in enumerate(turns):
            if not mark.counts and mark.nonce in self.differences:
                self.settled_differences[mark.nonce] = "let_in"
            mark.direction, mark.occurrence = way_of(mark), place // 2 + 1
            mark.counts = True
        for number, (came_at, left_at) in enumerate(pairs_of(turns)):
            if number == len(sheet.comings):
                sheet.comings.append(Coming(came_at, sheet.comings[0].claim))
            coming = sheet.comings[number]
            coming.came_at, coming.left_at = came_at, left_at
            coming.state = "present" if left_at is None else "left"

    def _may_count(self, mark: Mark) -> bool:
        """Tell whether a mark did not count only because of the order of uploads."""
        places, way = self.shifts[mark.shift], way_of(mark)
        is_waiting = not mark.counts and not mark.is_undone and mark.ask.is_offline
        is_late = mark.answer.reason in ("not_in", *STANDING_REASONS)
        if way is None or not is_waiting or not is_late:
            return False
        closes_at = places.ends_at + (STAYS if way == "out" else 0 * MINUTE)
        is_open = places.starts_at - OPENS <= mark.ask.at <= closes_at
        return is_open and mark.nonce not in self.settled_differences

    def _differs(self, mark: Mark, shown: Shown) -> bool:
        showed = told(shown.result, shown.reason, shown.direction)
        found = told(mark.answer.result, mark.answer.reason, mark.answer.direction)
        if showed == "stands":
            return False
        if showed is None:
            return found in ("in", "out")
        if showed == found:
            return False
        if mark.answer.reason in STANDING_REASONS and showed in ("in", "out"):
            return not self._is_covered(mark, showed)
        return True

    def _is_covered(self, mark: Mark, way: str) -> bool:
        """Tell whether what stands gives the person as much."""
        at = mark.ask.at
        for each in self.sheets[mark.shift, mark.member].standing:
            came, left = each.came_at, each.left_at
            if way == "in" and came <= at + NEAR and (left is None or at <= left):
                return True
            if way == "out" and left is not None and came <= at <= left + NEAR:
                return True
        return False

    def settle_difference(self, nonce: str, decision: str, now: datetime) -> None:
        """Let what a station showed count, or leave it out."""
        shown = self.differences.get(nonce)
        if shown is None:
            raise Refused("difference_not_found")
        before = self.settled_differences.get(nonce)
        if before is not None:
            if before != decision:
                raise Refused("difference_decided")
            return
        mark = self.mark(nonce)
        self.settled_differences[nonce] = decision
        try:
            if decision == "let_in":
                self._let_in(mark, told(shown.result, shown.reason, shown.direction), now)
            elif mark.counts:
                self.take_back(mark)
        except Refused:
            del self.settled_differences[nonce]
            raise

    def _let_in(self, mark: Mark, way: str | None, now: datetime) -> None:
        if way not in ("in", "out") or mark.counts or self._is_covered(mark, way):
            return
        sheet = self.sheets[mark.shift, mark.member]
        later = [each for each in sheet.standing if each.came_at > mark.ask.at]
        if way == "in" and later:
            self._came_earlier(mark, sheet.comings.index(later[0]) + 1, later[0])
            return
        ask = replace(
            mark.ask,
            direction=way,
            confirm=True,
            has_note=True,
            is_fresh=True,
            is_lead=True,
            clock=mark.ask.at,
        )
        length = len(self.marks)
        made = self._try(f"difference-{mark.nonce}", mark, ask)
        if made.answer.reason != f"ok_{way}":
            del self.marks[length:]
            raise Refused("still_refused")
        made.recorded_at = now
        self.put_in_order(mark.shift, mark.member)

    def _try(self, nonce: str, mark: Mark, ask: Ask) -> Mark:
        places = self.shifts[mark.shift]
        before = len(places.claims)
        made = self.scan(nonce, mark.shift, mark.member, ask, mark.recorded_at)
        if not made.counts:
            del places.claims[before:]
        return made

    def _came_earlier(self, mark: Mark, occurrence: int, coming: Coming) -> None:
        if coming.is_settled:
            raise Refused("still_refused")
        for each in self.counting(mark.shift, mark.member, occurrence).values():
            each.counts = each.counts and each.direction != "in"
        mark.direction, mark.occurrence, mark.counts = "in", occurrence, True
        coming.came_at, coming.flags = mark.ask.at, coming.flags | {"let_in"}

    def people_come(self, shift: int) -> int:
        """Return how many came."""
        return sum(bool(self.sheets[shift, each].standing) for each in self.members)

    def co_sign(self, shift: int, signer: int | None) -> None:
        """Vouch for the list; signer: None for the secretary, who oversees it."""
        if signer is not None and not self.sheets[shift, signer].standing:
            raise Refused("shift_not_found")
        people = self.people_come(shift)
        if not people:
            raise Refused("nobody_came")
        self.signed[shift] = max(self.signed.get(shift, 0), people)

    def settle(self, shift: int, now: datetime, only: int | None = None) -> tuple[list, list]:
        """Award and hold; return who was awarded what, and who is held why, by member."""
        sheets = {m: self.sheets[shift, m] for m in self.members}
        come = {m: sheet for m, sheet in sheets.items() if sheet.standing}
        have_left = come and all(sheet.has_left for sheet in come.values())
        if now < self.shifts[shift].ends_at and not have_left:
            raise Refused("shift_not_over")
        waiting = [m for m in come if self._is_to_settle(come[m]) and only in (None, m)]
        is_new = any(not each.is_settled for m in waiting for each in come[m].standing)
        if is_new and self.people_come(shift) > max(
            self.co_sign_above, self.signed.get(shift, 0)
        ):
            raise Refused("co_signature_missing")
        marks = [each for each in self.marks if each.shift == shift and each.counts]
        for member in waiting:
            doubt = is_doubtful(member, come[member].standing, marks)
            self._award(shift, member, come[member], doubt)
        awarded = [
            (m, sheet.standing[0].points, sheet.standing[0].minutes)
            for m, sheet in come.items()
            if all(each.state == "credited" for each in sheet.standing)
        ]
        held = [
            (m, next(each.held for each in sheet.standing if each.held))
            for m, sheet in come.items()
            if any(each.state == "held" for each in sheet.standing)
        ]
        return awarded, held

    def _is_to_settle(self, sheet: Sheet) -> bool:
        if any(not each.is_settled for each in sheet.standing):
            return True
        first = sheet.standing[0]
        return first.held == "review" and first.review == "approved"

    def _award(self, shift: int, member: int, sheet: Sheet, doubt: bool) -> None:
        first, minutes = sheet.standing[0], counted(self.shifts[shift], sheet.standing)
        held = None
        if not sheet.has_left:
            held = "missing_check_out"
        elif not self._has_claim(shift, member, sheet):
            held = "claim_given_up"
        elif minutes is None:
            held = "too_short"
        elif doubt and first.review != "approved":
            held = "review"
        for each in sheet.standing:
            each.is_settled, each.held = True, held
            each.state = "held" if held else "credited"
            each.points = each.minutes = None if held else 0
        if held == "review":
            first.review = "waiting"
        if not held:
            # Both shifts are of one day, whose limit cuts points and never minutes.
            first.points = min(points_for(minutes), self.room[member])
            first.minutes = minutes
            self.room[member] -= first.points
            self.wallets[member] += first.points
            self.minutes[shift, member] += minutes

    def _has_claim(self, shift: int, member: int, sheet: Sheet) -> bool:
        """Tell whether the person has a place, or came with one that they did not give up."""
        places = self.shifts[shift]
        living = places.living(member)
        if living is not None and living.state == "claimed":
            return True
        came_with = min((each.claim for each in sheet.comings), key=places.claims.index)
        return came_with.state != "withdrawn"

    def decide(self, shift: int, member: int, is_approved: bool, now: datetime) -> None:
        """Let what waited for somebody else count, or not."""
        first = next(
            (e for e in self.sheets[shift, member].comings if e.review != "none"), None
        )
        if first is None:
            raise Refused("review_not_found")
        if first.review != "waiting":
            raise Refused("review_decided")
        first.review = "approved" if is_approved else "refused"
        if is_approved:
            try:
                self.settle(shift, now, only=member)
            except Refused:
                first.review = "waiting"
                raise

    def reject(self, shift: int, member: int) -> tuple[int, int]:
        """Strike out all of one's comings; return the points taken back and those spent."""
        sheet = self.sheets[shift, member]
        if not sheet.comings:
            raise Refused("not_attended")
        awarded = sum(each.points or 0 for each in sheet.standing)
        self.minutes[shift, member] -= sum(each.minutes or 0 for each in sheet.standing)
        for each in sheet.standing:
            each.state = "rejected"
            each.review = "none" if each.review == "waiting" else each.review
        if awarded > self.wallets[member]:
            return 0, awarded
        self.wallets[member] -= awarded
        self.room[member] += awarded
        return awarded, 0

    def spend(self, member: int, points: int) -> None:
        """Spend points at a shop."""
        if points > self.wallets[member]:
            raise Refused("not_enough_points")
        self.wallets[member] -= points
