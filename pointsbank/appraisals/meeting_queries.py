"""Democratic appraisals as those read them who look after a branch, and as a member does."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from pointsbank.appraisals.errors import AppraisalNotFound
from pointsbank.appraisals.models import EVALUATED_KINDS, AppraisalCount, AppraisalMeeting
from pointsbank.core.text import masked_name
from pointsbank.members.models import Belonging, Member
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import within
from pointsbank.scoring.models import ScoreEntry

MEETINGS_MAX = 50


@dataclass(frozen=True)
class AppraisalFile:
    """A democratic appraisal with the people who entered and decided it, masked."""

    id: int
    organization_id: int
    organization_code: str
    organization_name: str
    path: str
    held_on: date
    ballots: int
    state: str
    entered_by_id: int
    entered_by: str
    entered_at: datetime
    confirmed_by_id: int | None
    confirmed_by: str
    decided_at: datetime | None
    decision_reason: str
    lifted_by_id: int | None
    lifted_at: datetime | None
    lift_reason: str


@dataclass(frozen=True)
class CountLine:
    """The counts of one member, and what they came to; hundredths None: no entry."""

    member_id: int
    display_name: str
    volunteer_no: str
    excellent: int
    qualified: int
    basic: int
    unqualified: int
    hundredths: int | None


@dataclass(frozen=True)
class OwnAppraisal:
    """What an appraisal came to for one member, without anybody's vote."""

    held_on: date
    organization_name: str
    hundredths: int | None
    state: str


@dataclass(frozen=True)
class Appraisable:
    """A party member of a branch on a day; the name is masked."""

    member_id: int
    display_name: str
    volunteer_no: str


def appraisals_within(
    session: Session,
    paths: Iterable[str],
    *,
    before_id: int | None = None,
    limit: int = MEETINGS_MAX,
) -> list[AppraisalFile]:
    """Return the appraisals of the branches under these paths, the newest first."""
    condition = within(Organization.path, paths)
    if before_id is not None:
        condition = condition & (AppraisalMeeting.id < before_id)
    return _read(session, condition, limit)


def appraisal_of(session: Session, appraisal_id: int, paths: Iterable[str]) -> AppraisalFile:
    """Return one appraisal of a branch under these paths.

    Raises AppraisalNotFound, for a foreign one as for an unknown one.
    """
    condition = within(Organization.path, paths) & (AppraisalMeeting.id == appraisal_id)
    found = _read(session, condition, 1)
    if not found:
        raise AppraisalNotFound
    return found[0]


def _read(session: Session, condition: Any, limit: int) -> list[AppraisalFile]:
    author, decider = aliased(Member), aliased(Member)
    rows = session.execute(
        select(AppraisalMeeting, Organization, author.name, decider.name)
        .join(Organization, Organization.id == AppraisalMeeting.organization_id)
        .join(author, author.id == AppraisalMeeting.entered_by_id)
        .outerjoin(decider, decider.id == AppraisalMeeting.confirmed_by_id)
        .where(condition)
        .order_by(AppraisalMeeting.id.desc())
        .limit(limit)
    )
    return [
        AppraisalFile(
            id=meeting.id,
            organization_id=place.id,
            organization_code=place.code,
            organization_name=place.name,
            path=place.path,
            held_on=meeting.held_on,
            ballots=meeting.ballots,
            state=meeting.state,
            entered_by_id=meeting.entered_by_id,
            entered_by=masked_name(author_name),
            entered_at=meeting.entered_at,
            confirmed_by_id=meeting.confirmed_by_id,
            confirmed_by=masked_name(decider_name) if decider_name else "",
            decided_at=meeting.decided_at,
            decision_reason=meeting.decision_reason,
            lifted_by_id=meeting.lifted_by_id,
            lifted_at=meeting.lifted_at,
            lift_reason=meeting.lift_reason,
        )
        for meeting, place, author_name, decider_name in rows
    ]


def counts_of(session: Session, appraisal_id: int) -> list[CountLine]:
    """Return the counts of an appraisal, by the members' numbers."""
    rows = session.execute(
        select(
            AppraisalCount,
            Member.name,
            Member.volunteer_no,
            ScoreEntry.evaluation_hundredths,
        )
        .join(Member, Member.id == AppraisalCount.member_id)
        .outerjoin(ScoreEntry, ScoreEntry.id == AppraisalCount.entry_id)
        .where(AppraisalCount.meeting_id == appraisal_id)
        .order_by(Member.volunteer_no)
    )
    return [
        CountLine(
            member_id=count.member_id,
            display_name=masked_name(name),
            volunteer_no=volunteer_no,
            excellent=count.excellent,
            qualified=count.qualified,
            basic=count.basic,
            unqualified=count.unqualified,
            hundredths=hundredths,
        )
        for count, name, volunteer_no, hundredths in rows
    ]


def appraisals_about(session: Session, member_id: int) -> list[OwnAppraisal]:
    """Return what confirmed appraisals came to for one member, the newest first."""
    rows = session.execute(
        select(
            AppraisalMeeting.held_on,
            Organization.name,
            ScoreEntry.evaluation_hundredths,
            AppraisalMeeting.state,
        )
        .join(AppraisalCount, AppraisalCount.meeting_id == AppraisalMeeting.id)
        .join(Organization, Organization.id == AppraisalMeeting.organization_id)
        .outerjoin(ScoreEntry, ScoreEntry.id == AppraisalCount.entry_id)
        .where(
            AppraisalCount.member_id == member_id,
            AppraisalMeeting.state.in_(("confirmed", "lifted")),
        )
        .order_by(AppraisalMeeting.held_on.desc(), AppraisalMeeting.id.desc())
        .limit(MEETINGS_MAX)
    )
    return [OwnAppraisal(*row) for row in rows]


def appraisable_on(session: Session, organization_id: int, day: date) -> list[Appraisable]:
    """Return the active party members who belonged to a branch on a day, by their numbers."""
    rows = session.execute(
        select(Member.id, Member.name, Member.volunteer_no)
        .join(Belonging, Belonging.member_id == Member.id)
        .where(
            Belonging.organization_id == organization_id,
            Belonging.from_on <= day,
            or_(Belonging.until_on.is_(None), Belonging.until_on > day),
            Member.kind.in_(EVALUATED_KINDS),
            Member.state == "active",
        )
        .order_by(Member.volunteer_no)
    )
    return [Appraisable(row.id, masked_name(row.name), row.volunteer_no) for row in rows]
