"""What waits in the rooms of service: shifts to settle, held attendance, decisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from pointsbank.attendance.models import Attendance
from pointsbank.attendance.settling import NOTHING_TO_ENTER
from pointsbank.members.models import Member
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import within
from pointsbank.passbooks.models import CareFund, CareFundSpending, Dispute
from pointsbank.scoring.models import Adjustment
from pointsbank.tasks.models import Shift, Task


@dataclass(frozen=True)
class Waiting:
    """Work that waits for somebody: how much, and the shift where it waits longest."""

    count: int
    shift_id: int
    since: datetime


@dataclass(frozen=True)
class Undecided:
    """How much waits for a second person's decision or for an answer, by what it is."""

    adjustments: int
    disputes: int
    spendings: int


def shifts_to_settle(session: Session, paths: Sequence[str], now: datetime) -> Waiting | None:
    """Return the shifts that are over, were attended and are not settled; None for none."""
    return _waiting(session, paths, now, ("present", "left"), (Shift.id,))


def attendance_held(session: Session, paths: Sequence[str], now: datetime) -> Waiting | None:
    """Return how many people's attendances wait for somebody; None when there is none.

    Whoever came several times to a shift is one. What the standard gives nothing for waits for
    nobody.
    """
    return _waiting(session, paths, now, ("held",), (Shift.id, Attendance.member_id))


def _waiting(
    session: Session,
    paths: Sequence[str],
    now: datetime,
    states: tuple[str, ...],
    each: tuple[InstrumentedAttribute[int], ...],
) -> Waiting | None:
    condition = (
        Attendance.state.in_(states),
        func.coalesce(Attendance.held_reason, "").not_in(NOTHING_TO_ENTER),
        Shift.ends_at < now,
        within(Organization.path, paths),
    )
    of_scope = (
        select(Shift.id, Shift.ends_at)
        .join(Attendance, Attendance.shift_id == Shift.id)
        .join(Task, Task.id == Shift.task_id)
        .join(Organization, Organization.id == Task.organization_id)
        .where(*condition)
    )
    first = session.execute(of_scope.order_by(Shift.ends_at, Shift.id).limit(1)).first()
    if first is None:
        return None
    counted = of_scope.with_only_columns(*each).distinct().subquery()
    total = session.execute(select(func.count()).select_from(counted)).scalar_one()
    return Waiting(total, first.id, first.ends_at)


def undecided(session: Session, paths: Sequence[str], actor_id: int) -> Undecided:
    """Return what waits for this person's decision under these paths.

    What they asked for themselves, or what concerns them, waits for somebody else.
    """
    is_within = within(Organization.path, paths)
    adjustments = (
        select(func.count())
        .select_from(Adjustment)
        .join(Organization, Organization.id == Adjustment.organization_id)
        .where(
            is_within,
            Adjustment.state == "pending",
            Adjustment.author_id != actor_id,
            Adjustment.member_id != actor_id,
        )
    )
    disputes = (
        select(func.count())
        .select_from(Dispute)
        .join(Member, Member.id == Dispute.member_id)
        .join(Organization, Organization.id == Member.organization_id)
        .where(is_within, Dispute.state == "open", Dispute.member_id != actor_id)
    )
    spendings = (
        select(func.count())
        .select_from(CareFundSpending)
        .join(CareFund, CareFund.id == CareFundSpending.fund_id)
        .join(Organization, Organization.id == CareFund.organization_id)
        .where(
            is_within,
            CareFundSpending.state == "pending",
            CareFundSpending.author_id != actor_id,
        )
    )
    return Undecided(
        *(session.execute(each).scalar_one() for each in (adjustments, disputes, spendings))
    )
