"""Reads of invitations: one's own that wait, those of a shift, and the people of a branch."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Session, aliased

from pointsbank.core.calendar import local_day
from pointsbank.core.text import masked_name
from pointsbank.members.models import Member
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import within
from pointsbank.tasks.eligibility import Fitness, Person, both, judge_eligibility
from pointsbank.tasks.fitness import people_of
from pointsbank.tasks.groups import Group
from pointsbank.tasks.models import Claim, GroupClaim, Invitation, Shift, ShiftRole, Task

PEOPLE_MAX = 200


@dataclass(frozen=True)
class OpenInvitation:
    """An invitation that waits for its person's answer.

    organization_name: of the branch that keeps a place, None without one. eligibility: what the
    task and the role ask for.
    """

    id: int
    shift_id: int
    task_id: int
    title: str
    kind: str
    scoring_item: str
    coefficient_percent: int
    role_id: int
    role_name: str
    starts_at: datetime
    ends_at: datetime
    break_minutes: int
    place_name: str
    answer_by: datetime
    inviter_name: str
    organization_name: str | None
    task_eligibility: dict[str, Any]
    role_eligibility: dict[str, Any]

    @property
    def planned_minutes(self) -> int:
        """How long the shift lasts."""
        return int((self.ends_at - self.starts_at).total_seconds()) // 60


@dataclass(frozen=True)
class InvitationLine:
    """An invitation as whoever invites sees it; display_name is masked."""

    id: int
    member_id: int
    display_name: str
    role_name: str
    state: str
    invited_at: datetime
    answer_by: datetime


@dataclass(frozen=True)
class Invitee:
    """A person who could be invited.

    state: empty, invited, declined, lapsed, waitlisted, or claimed.
    """

    id: int
    volunteer_no: str
    display_name: str
    state: str


def _waiting(member_id: int, now: datetime) -> ColumnElement[bool]:
    return and_(
        Invitation.member_id == member_id,
        Invitation.state == "open",
        Invitation.answer_by > now,
        Task.state == "open",
        Shift.called_off_at.is_(None),
    )


def open_invitations(
    session: Session, member_id: int, *, now: datetime, limit: int = 50
) -> list[OpenInvitation]:
    """Return a member's invitations that can be answered, the most pressing first."""
    inviter, branch = aliased(Member), aliased(Organization)
    columns: tuple[Any, ...] = (
        Invitation.id,
        Invitation.shift_id,
        Shift.task_id,
        Task.title,
        Task.kind,
        Task.scoring_item,
        Task.coefficient_percent,
        ShiftRole.id,
        ShiftRole.name,
        Shift.starts_at,
        Shift.ends_at,
        Shift.break_minutes,
        Shift.place_name,
        Invitation.answer_by,
        inviter.name,
        branch.name,
        Task.eligibility,
        ShiftRole.eligibility,
    )
    rows = session.execute(
        select(*columns)
        .join(Shift, Shift.id == Invitation.shift_id)
        .join(Task, Task.id == Shift.task_id)
        .join(ShiftRole, ShiftRole.id == Invitation.role_id)
        .join(inviter, inviter.id == Invitation.invited_by_id)
        .outerjoin(
            GroupClaim,
            and_(GroupClaim.id == Invitation.group_claim_id, GroupClaim.released_at.is_(None)),
        )
        .outerjoin(branch, branch.id == GroupClaim.organization_id)
        .where(_waiting(member_id, now))
        .order_by(Invitation.answer_by, Invitation.id)
        .limit(limit)
    )
    return [OpenInvitation(*row) for row in rows]


def fits_of_invitations(
    session: Session, waiting: Sequence[OpenInvitation], member_id: int, zone: ZoneInfo
) -> dict[int, Fitness]:
    """Return how a member fits what they are invited to, by the invitation's id.

    Ages and trainings are as of each shift's local day.
    """
    people: dict[date, Person] = {}
    fits = {}
    for each in waiting:
        tree = both(each.task_eligibility, each.role_eligibility)
        on = local_day(each.starts_at, zone)
        if tree and on not in people:
            people[on] = people_of(session, [member_id], on)[member_id]
        fits[each.id] = judge_eligibility(tree, people[on]) if tree else Fitness(True)
    return fits


def count_open_invitations(session: Session, member_id: int, now: datetime) -> int:
    """Return how many invitations of a member can be answered."""
    found = session.scalar(
        select(func.count(Invitation.id))
        .join(Shift, Shift.id == Invitation.shift_id)
        .join(Task, Task.id == Shift.task_id)
        .where(_waiting(member_id, now))
    )
    return int(found or 0)


def invitations_of(
    session: Session, shift_id: int, *, before_id: int | None = None, limit: int = 50
) -> list[InvitationLine]:
    """Return the invitations to a shift, newest first."""
    columns: tuple[Any, ...] = (
        Invitation.id,
        Invitation.member_id,
        Member.name,
        ShiftRole.name,
        Invitation.state,
        Invitation.invited_at,
        Invitation.answer_by,
    )
    statement = (
        select(*columns)
        .join(Member, Member.id == Invitation.member_id)
        .join(ShiftRole, ShiftRole.id == Invitation.role_id)
        .where(Invitation.shift_id == shift_id)
        .order_by(Invitation.id.desc())
        .limit(limit)
    )
    if before_id is not None:
        statement = statement.where(Invitation.id < before_id)
    rows = session.execute(statement)
    return [InvitationLine(row[0], row[1], masked_name(row[2]), *row[3:]) for row in rows]


def people_of_group(
    session: Session, group: Group, *, after_id: int = 0, limit: int = PEOPLE_MAX
) -> list[Invitee]:
    """Return the people of a group's organization, with what they said to this shift."""
    any_of_theirs = aliased(Invitation)
    newest = (
        select(func.max(any_of_theirs.id))
        .where(any_of_theirs.shift_id == group.shift_id, any_of_theirs.member_id == Member.id)
        .scalar_subquery()
    )
    columns: tuple[Any, ...] = (
        Member.id,
        Member.volunteer_no,
        Member.name,
        case(
            (Claim.state.is_not(None), Claim.state),
            (Invitation.state == "open", "invited"),
            (Invitation.state == "accepted", ""),
            (Invitation.state.is_not(None), Invitation.state),
            else_="",
        ),
    )
    rows: Sequence[Any] = session.execute(
        select(*columns)
        .join(Organization, Organization.id == Member.organization_id)
        .outerjoin(Invitation, Invitation.id == newest)
        .outerjoin(
            Claim,
            and_(
                Claim.shift_id == group.shift_id,
                Claim.member_id == Member.id,
                Claim.state != "withdrawn",
            ),
        )
        .where(
            within(Organization.path, [group.path]),
            Member.state == "active",
            Member.id > after_id,
        )
        .order_by(Member.id)
        .limit(limit)
    ).all()
    return [Invitee(row[0], row[1], masked_name(row[2]), row[3]) for row in rows]
