"""The model of one shift's places: who has one, who waits, what a branch keeps."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from proving.reference import Refused

HOUR = timedelta(hours=1)


@dataclass(eq=False)
class Group:
    """Places that a branch keeps. lost: those that nobody may have any more, after the end."""

    role: int
    places: int
    taken: int = 0
    lost: int = 0
    is_released: bool = False


@dataclass(eq=False)
class Claim:
    """A place or a place in line; accept_by: until when whoever moved up has to answer."""

    member: int
    role: int
    state: str
    source: str
    claimed_at: datetime
    group: Group | None = None
    accept_by: datetime | None = None
    promoted_at: datetime | None = None
    withdrawal: str | None = None
    told_in_time: bool | None = None


@dataclass(eq=False)
class Places:
    """A shift: the places of each role, its claims in the order in which they were made."""

    starts_at: datetime
    ends_at: datetime
    places: tuple[int, ...]
    break_minutes: int
    claims: list[Claim] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)

    def counted(self, role: int) -> int:
        """Return how many places of a role nobody else can have."""
        own = sum(
            each.state == "claimed" and (each.group is None or each.group.is_released)
            for each in self.claims
            if each.role == role
        )
        kept = sum(
            each.lost if each.is_released else each.places
            for each in self.groups
            if each.role == role
        )
        return own + kept

    def free(self, role: int) -> int:
        """Return how many places of a role anybody may have."""
        return self.places[role] - self.counted(role)

    @property
    def free_in_all(self) -> int:
        """How many places anybody may have."""
        return sum(self.free(role) for role in range(len(self.places)))

    def living(self, member: int) -> Claim | None:
        """Return the claim that a person has now."""
        return next(
            (
                each
                for each in self.claims
                if each.member == member and each.state != "withdrawn"
            ),
            None,
        )

    def position(self, claim: Claim) -> int | None:
        """Return the place in the role's line, from 1."""
        if claim.state != "waitlisted":
            return None
        line = [e for e in self.claims if e.role == claim.role and e.state == "waitlisted"]
        return line.index(claim) + 1

    def claim(
        self,
        member: int,
        now: datetime,
        *,
        role: int | None = None,
        source: str = "self",
        group: Group | None = None,
    ) -> Claim:
        """Give a place, or a place in line; whoever has one keeps it."""
        held = self.living(member)
        has_kept_place = (
            group is not None and not group.is_released and group.taken < group.places
        )
        if held is not None:
            if held.state == "waitlisted" and has_kept_place:
                held.state, held.role, held.group = "claimed", group.role, group
                held.promoted_at = now
                group.taken += 1
            return held
        if self.ends_at <= now:
            raise Refused("shift_over")
        if role is None:
            role = next((each for each in range(len(self.places)) if self.free(each)), 0)
        state = "claimed" if has_kept_place or self.free(role) else "waitlisted"
        made = Claim(member, role, state, source, now)
        if has_kept_place:
            made.group, group.taken = group, group.taken + 1
        self.claims.append(made)
        return made

    def give_up(self, claim: Claim, now: datetime) -> None:
        """Give a place up; whoever is first in line has it."""
        if claim.state == "withdrawn":
            return
        if self.ends_at <= now:
            raise Refused("shift_over")
        had_since = claim.promoted_at or claim.claimed_at
        is_early = now <= self.starts_at - 24 * HOUR or now - had_since <= HOUR
        waits = claim.state == "waitlisted" or claim.accept_by is not None
        self._withdraw(claim, "gave_up", now)
        claim.told_in_time = waits or is_early

    def accept(self, claim: Claim) -> None:
        """Keep the place that one moved up to."""
        if claim.state == "withdrawn":
            is_lapsed = claim.withdrawal == "offer_lapsed"
            raise Refused("offer_lapsed" if is_lapsed else "claim_not_found")
        claim.accept_by = None

    def lapse(self, now: datetime) -> int:
        """Take back what nobody accepted in time, unless the shift has begun."""
        due = [each for each in self.claims if each.accept_by and each.accept_by <= now]
        for each in due:
            if self.starts_at <= now:
                each.accept_by = None
            else:
                self._withdraw(each, "offer_lapsed", now)
        return len(due)

    def _withdraw(self, claim: Claim, why: str, now: datetime) -> None:
        had_place, claim.accept_by = claim.state == "claimed", None
        claim.state, claim.withdrawal = "withdrawn", why
        if not had_place:
            return
        if claim.group is not None:
            claim.group.taken -= 1
            if not claim.group.is_released:
                return
        self._move_up(claim.role, now)

    def _move_up(self, role: int, now: datetime) -> None:
        for each in self.claims:
            if each.role == role and each.state == "waitlisted":
                each.state, each.promoted_at = "claimed", now
                if self.starts_at - now > 3 * HOUR:
                    each.accept_by = min(now + 12 * HOUR, self.starts_at - 2 * HOUR)
                return

    def standing_group(self, role: int) -> Group | None:
        """Return what the branch keeps of a role now."""
        return next((e for e in self.groups if e.role == role and not e.is_released), None)

    def keep(self, role: int, places: int, now: datetime) -> Group:
        """Keep so many places of a role for the branch; fewer than before go to the line."""
        if self.ends_at <= now:
            raise Refused("shift_over")
        if self.starts_at - 24 * HOUR <= now:
            raise Refused("group_too_late")
        group = self.standing_group(role)
        if group is not None and places < group.taken:
            raise Refused("group_places_taken")
        if places - (group.places if group else 0) > self.free(role):
            raise Refused("places_not_free")
        if group is None:
            group = Group(role, places)
            self.groups.append(group)
        given_back, group.places = max(0, group.places - places), places
        for _ in range(given_back):
            self._move_up(role, now)
        return group

    def release(self, group: Group, now: datetime) -> int:
        """Let everyone have what the branch did not fill."""
        if group.is_released:
            return 0
        group.is_released, unfilled = True, group.places - group.taken
        if self.ends_at <= now:
            group.lost = unfilled
            return unfilled
        for _ in range(unfilled):
            self._move_up(group.role, now)
        return unfilled

    def release_due(self, now: datetime) -> int:
        """Release what the branch keeps within a day of the start."""
        due = [e for e in self.groups if not e.is_released]
        if self.starts_at > now + 24 * HOUR:
            return 0
        for each in due:
            self.release(each, now)
        return len(due)
