"""What the service keeps of the small world, and the laws that hold whatever the model says."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pointsbank.attendance.models import Attendance, Scan, ScanDifference
from pointsbank.core.db import reading
from pointsbank.ledger.models import Account, Transfer, Wallet
from pointsbank.scoring.models import ScoreEntry
from pointsbank.tasks.models import Claim, GroupClaim, Shift, ShiftRole

COMINGS_MAX = 3


@dataclass(frozen=True)
class RoleKept:
    """A role's own row, and what the rows of its claims and groups say."""

    places: int
    counted: int
    in_claims: int
    in_line: int
    by_groups: int
    given_away: int


@dataclass(frozen=True)
class Kept:
    """The rows; members, shifts and roles by their number in the world.

    of_shifts: places and count in each shift's own row. living: (shift, member) of each living
    claim. marks: what each counting scan stands for. awards: (shift, member) of each award in
    the ledger; award_points: what those and their reversals sum up to.
    """

    roles: list[list[RoleKept]]
    of_shifts: list[tuple[int, int]]
    claims: list[list[tuple[Any, ...]]]
    living: list[tuple[int, int]]
    comings: dict[tuple[int, int, int], tuple[Any, ...]]
    scans: list[tuple[Any, ...]]
    marks: list[tuple[int, int, str, int]]
    open_differences: list[str]
    wallets: list[int]
    minutes: dict[tuple[int, int], int]
    awards: list[tuple[int, int]]


class Reader:
    """Reads the rows of one world."""

    def __init__(
        self,
        session: Session,
        shift_ids: Sequence[int],
        role_ids: Sequence[Sequence[int]],
        member_ids: Sequence[int],
    ) -> None:
        self.session = session
        self.shift_ids = shift_ids
        self.role_ids = role_ids
        self.shifts = {each: number for number, each in enumerate(shift_ids)}
        self.members = {each: number for number, each in enumerate(member_ids)}
        self.claim_of: dict[int, tuple[int, int]] = {}

    def read(self) -> Kept:
        """Read everything."""
        rows = self.session.execute(select(Claim.__table__).order_by(Claim.queue_no)).all()
        for row in rows:
            self.claim_of[row.id] = (self.shifts[row.shift_id], self.members[row.member_id])
        groups = self.session.execute(select(GroupClaim.__table__)).all()
        roles = {row.id: row for row in self.session.execute(select(ShiftRole.__table__))}
        comings, scans = self.comings(), self.scans()
        return Kept(
            roles=[
                [self.role(roles[each], rows, groups) for each in ids] for ids in self.role_ids
            ],
            of_shifts=self.of_shifts(),
            claims=[
                [self.claim(row) for row in rows if row.shift_id == each]
                for each in self.shift_ids
            ],
            living=[self.claim_of[row.id] for row in rows if row.state != "withdrawn"],
            comings=comings,
            scans=[
                (
                    self.nonce(scans, row),
                    row.result,
                    row.reason,
                    row.counts,
                    bool(row.undone_at),
                )
                for row in scans.values()
            ],
            marks=[
                (
                    self.shifts[row.shift_id],
                    self.members[row.member_id],
                    row.direction,
                    row.occurrence,
                )
                for row in scans.values()
                if row.counts
            ],
            open_differences=[
                scans[each].nonce
                for each in self.session.scalars(
                    select(ScanDifference.scan_id).where(ScanDifference.decision.is_(None))
                )
            ],
            wallets=self.wallets(),
            minutes=self.minutes(),
            awards=[self.claim_of[int(key.split(":")[1])] for key in self.award_keys()],
        )

    def role(self, row: Any, claims: Sequence[Any], groups: Sequence[Any]) -> RoleKept:
        """Return one role beside the rows that it counts."""
        standing = {each.id for each in groups if each.released_at is None}
        own = [each for each in claims if each.role_id == row.id]
        with_place = [each for each in own if each.state == "claimed"]
        return RoleKept(
            row.places,
            row.claimed,
            in_claims=sum(each.group_claim_id not in standing for each in with_place),
            in_line=sum(each.state == "waitlisted" for each in own),
            by_groups=sum(e.places for e in groups if e.role_id == row.id and e.id in standing),
            given_away=len(with_place),
        )

    def of_shifts(self) -> list[tuple[int, int]]:
        """Return places and count of the shifts' own rows."""
        rows = {row.id: row for row in self.session.execute(select(Shift.__table__))}
        return [(rows[each].places, rows[each].claimed) for each in self.shift_ids]

    def claim(self, row: Any) -> tuple[Any, ...]:
        """Return a claim as the model has it."""
        return (
            self.members[row.member_id],
            self.role_ids[self.shifts[row.shift_id]].index(row.role_id),
            row.state,
            row.source,
            row.accept_by,
            row.withdrawal,
            row.told_in_time,
        )

    def comings(self) -> dict[tuple[int, int, int], tuple[Any, ...]]:
        """Return attendance by shift, member and occurrence."""
        rows = self.session.execute(select(Attendance.__table__).order_by(Attendance.id)).all()
        found = {
            (self.shifts[row.shift_id], self.members[row.member_id], row.occurrence): (
                row.state,
                row.checked_in_at,
                row.checked_out_at,
                row.points,
                row.service_minutes,
                row.held_reason,
                row.review_state,
            )
            for row in rows
        }
        if len(found) != len(rows):
            raise AssertionError("two rows of one coming")
        return found

    def scans(self) -> dict[int, Any]:
        """Return all scans by their id, in order."""
        return {
            row.id: row
            for row in self.session.execute(select(Scan.__table__).order_by(Scan.id))
        }

    def nonce(self, scans: dict[int, Any], row: Any) -> str:
        """Return what the model calls a scan; one that the lead let in is called after its
        first."""
        _, found, number = row.nonce.partition("difference-")
        return f"difference-{scans[int(number)].nonce}" if found else str(row.nonce)

    def wallets(self) -> list[int]:
        """Return what each member has."""
        codes = [f"member:{each}" for each in self.members]
        found = self.session.execute(
            select(Account.code, Wallet.posted)
            .join(Wallet, Wallet.account_id == Account.id)
            .where(Account.code.in_(codes))
        )
        rows = {row.code: row.posted for row in found}
        return [rows[each] for each in codes]

    def minutes(self) -> dict[tuple[int, int], int]:
        """Return the minutes in the scores by shift and member, without sums of nothing."""
        found: Counter[tuple[int, int]] = Counter()
        for cause, minutes in self.session.execute(
            select(ScoreEntry.cause, ScoreEntry.service_minutes)
        ):
            found[self.claim_of[int(cause.split(":")[1])]] += minutes
        return {key: each for key, each in found.items() if each}

    def award_keys(self) -> Sequence[str]:
        """Return what names each award in the ledger."""
        return self.session.scalars(
            select(Transfer.key).where(func.substr(Transfer.key, 1, 6) == "award:")
        ).all()


def kept_by(
    shift_ids: Sequence[int], role_ids: Sequence[Sequence[int]], member_ids: Sequence[int]
) -> Kept:
    """Read what is kept, in a transaction of its own."""
    with reading() as session:
        return Reader(session, shift_ids, role_ids, member_ids).read()


def broken_laws(kept: Kept) -> list[str]:
    """Return each law that what is kept breaks; the model is not asked."""
    return [
        *_broken_counts(kept),
        *(found for number, roles in enumerate(kept.roles) for found in _broken(number, roles)),
        *_doubled(kept),
        *_broken_comings(kept),
    ]


def _broken_counts(kept: Kept) -> Iterator[str]:
    for number, (roles, (places, counted)) in enumerate(
        zip(kept.roles, kept.of_shifts, strict=True)
    ):
        if (places, counted) != (sum(e.places for e in roles), sum(e.counted for e in roles)):
            yield f"shift {number} counts {counted} of {places}, its roles {roles}"


def _broken(number: int, roles: Sequence[RoleKept]) -> Iterator[str]:
    for each in roles:
        if max(each.given_away, each.counted) > each.places:
            yield f"shift {number}: more than its places: {each}"
        if each.counted < each.in_claims + each.by_groups:
            yield f"shift {number}: fewer counted than taken: {each}"
        if each.in_line and each.counted < each.places:
            yield f"shift {number}: somebody waits while a place is free: {each}"


def _doubled(kept: Kept) -> Iterator[str]:
    """Yield what is there twice and may be there once."""
    once: dict[str, Sequence[Any]] = {
        "living claims": kept.living,
        "scans that count": kept.marks,
        "rows of a scan": [each[0] for each in kept.scans],
        "awards": kept.awards,
    }
    for what, keys in once.items():
        yield from (f"{n} {what} of {key}" for key, n in Counter(keys).items() if n > 1)


def _broken_comings(kept: Kept) -> Iterator[str]:
    wanted = set()
    for key, (_, came_at, left_at, *_) in kept.comings.items():
        shift, member, occurrence = key
        follows = occurrence == 1 or (shift, member, occurrence - 1) in kept.comings
        if occurrence > COMINGS_MAX or not follows:
            yield f"coming {key}"
        if left_at is not None and left_at < came_at:
            yield f"{key} left before coming"
        wanted.add((shift, member, "in", occurrence))
        if left_at is not None:
            wanted.add((shift, member, "out", occurrence))
    if wanted != set(kept.marks):
        yield f"comings stand on {wanted}, scans that count are {set(kept.marks)}"
