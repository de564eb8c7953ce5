"""Everyone of a shift: claimed, and perhaps come, each person's comings as one line."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from pointsbank.attendance.models import Attendance, Pair
from pointsbank.members.models import Member
from pointsbank.tasks.models import Claim

# The work of somebody who waits until somebody else looked at it.
REVIEW = "review"


@dataclass(frozen=True)
class Coming:
    """One row of attendance: one coming and going of a person."""

    id: int
    member_id: int
    claim_id: int
    occurrence: int
    state: str
    checked_in_at: datetime | None
    checked_out_at: datetime | None
    flags: list[str]
    settled_at: datetime | None
    held_reason: str | None
    present_minutes: int | None
    service_minutes: int | None
    points: int | None
    standard_id: int | None
    transfer_id: int | None
    review_state: str
    review_score: int
    cut_reason: str | None


COMING = (
    Attendance.id,
    Attendance.member_id,
    Attendance.claim_id,
    Attendance.occurrence,
    Attendance.state,
    Attendance.checked_in_at,
    Attendance.checked_out_at,
    Attendance.flags,
    Attendance.settled_at,
    Attendance.held_reason,
    Attendance.present_minutes,
    Attendance.service_minutes,
    Attendance.points,
    Attendance.standard_id,
    Attendance.transfer_id,
    Attendance.review_state,
    Attendance.review_score,
    Attendance.cut_reason,
)


@dataclass(frozen=True)
class SheetLine:
    """One person of a shift with all their comings; name is the full name, doors mask it.

    claim_id: the claim that stands, else the one they came with.
    """

    claim_id: int
    claim_state: str
    member_id: int
    name: str
    missed_at: datetime | None
    comings: tuple[Coming, ...] = ()

    @property
    def standing(self) -> tuple[Coming, ...]:
        """The comings that the person did not reject."""
        return tuple(each for each in self.comings if each.state != "rejected")

    @property
    def has_come(self) -> bool:
        """Whether the person came, and does not say otherwise."""
        return bool(self.standing)

    @property
    def first(self) -> Coming | None:
        """The coming on which the award for all of them stands."""
        return next(iter(self.standing or self.comings), None)

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """When they came and left, each time."""
        return tuple((each.checked_in_at, each.checked_out_at) for each in self.standing)

    @property
    def open_coming(self) -> Coming | None:
        """The coming that has no check-out; there is one at most."""
        return next((each for each in self.standing if each.checked_out_at is None), None)

    @property
    def state(self) -> str | None:
        """Where the person stands: present, left, credited, held, rejected; None: not come."""
        if not self.comings:
            return None
        if not self.standing:
            return "rejected"
        states = {each.state for each in self.standing}
        return next(each for each in ("present", "held", "credited", "left") if each in states)

    @property
    def checked_in_at(self) -> datetime | None:
        """When they came first."""
        return self.first.checked_in_at if self.first else None

    @property
    def checked_out_at(self) -> datetime | None:
        """When they left last; None while they are there."""
        if self.open_coming is not None or not self.comings:
            return None
        return (self.standing or self.comings)[-1].checked_out_at

    @property
    def flags(self) -> list[str]:
        """What a reviewer should know, of all comings."""
        return sorted({flag for each in self.comings for flag in each.flags or ()})

    @property
    def settled_at(self) -> datetime | None:
        """When all their comings had been settled; None while one is not."""
        moments = [each.settled_at for each in self.standing]
        if not moments or any(moment is None for moment in moments):
            return None
        return max(moment for moment in moments if moment is not None)

    @property
    def cut_reason(self) -> str | None:
        """Which limit of the item left them fewer points, if one did."""
        return next((each.cut_reason for each in self.standing if each.cut_reason), None)

    @property
    def held_reason(self) -> str | None:
        """Why they wait for review, if they do."""
        return next((each.held_reason for each in self.standing if each.held_reason), None)

    @property
    def review_state(self) -> str:
        """Whether somebody else has to look at it, or has: none, waiting, approved, refused."""
        return self.first.review_state if self.first else "none"

    @property
    def points(self) -> int | None:
        """The points awarded for all their comings."""
        return self.first.points if self.first else None

    @property
    def service_minutes(self) -> int | None:
        """The minutes counted for all their comings."""
        return self.first.service_minutes if self.first else None


def _is_on_sheet() -> ColumnElement[bool]:
    """Select the one claim for which each person stands on the sheet."""
    other, came = aliased(Claim), aliased(Attendance)
    of_person = and_(came.shift_id == Claim.shift_id, came.member_id == Claim.member_id)
    came_with = select(func.min(came.claim_id)).where(of_person).scalar_subquery()
    has_place = exists().where(
        other.shift_id == Claim.shift_id,
        other.member_id == Claim.member_id,
        other.state == "claimed",
    )
    return or_(Claim.state == "claimed", and_(Claim.id == came_with, ~has_place))


# Built once: building it costs more than asking.
IS_ON_SHEET = _is_on_sheet()


def sheet_lines(
    session: Session,
    shift_id: int,
    *,
    after_id: int = 0,
    limit: int | None = None,
    member_ids: Collection[int] | None = None,
) -> list[SheetLine]:
    """Return everyone with a place on a shift, and everyone who came, in the order of their
    claims.

    member_ids: only these people.
    """
    statement = (
        select(
            Claim.id,
            Claim.state.label("claim_state"),
            Claim.member_id,
            Member.name,
            Claim.missed_at,
        )
        .join(Member, Member.id == Claim.member_id)
        .where(Claim.shift_id == shift_id, Claim.id > after_id, IS_ON_SHEET)
        .order_by(Claim.id)
    )
    if limit is not None:
        statement = statement.limit(limit)
    if member_ids is not None:
        statement = statement.where(Claim.member_id.in_(member_ids))
    rows: Sequence[Any] = session.execute(statement).all()
    comings = _comings(session, shift_id, [row.member_id for row in rows])
    return [
        SheetLine(
            row.id,
            row.claim_state,
            row.member_id,
            row.name,
            row.missed_at,
            tuple(comings.get(row.member_id, ())),
        )
        for row in rows
    ]


def _comings(
    session: Session, shift_id: int, member_ids: Sequence[int]
) -> dict[int, list[Coming]]:
    rows: Iterable[Any] = session.execute(
        select(*COMING)
        .where(Attendance.shift_id == shift_id, Attendance.member_id.in_(member_ids))
        .order_by(Attendance.occurrence)
    )
    comings: dict[int, list[Coming]] = {}
    for row in rows:
        comings.setdefault(row.member_id, []).append(Coming(*row))
    return comings
