"""Reads of yearly grades: a branch's cases, one with what was said in it, one's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from pointsbank.members.models import Member
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import within
from pointsbank.rankings.freezing import Line
from pointsbank.rankings.grading_errors import CaseNotFound, ReviewNotFound
from pointsbank.rankings.models import GradeCase, GradeReview, GradeVoice
from pointsbank.rankings.snapshots import line_of_member


@dataclass(frozen=True)
class ReviewFile:
    """One branch's grades of one year, and how far they are."""

    id: int
    period: str
    organization_id: int
    organization_name: str
    path: str
    snapshot_id: int
    state: str
    opened_at: datetime
    notice_id: int | None
    final_at: datetime | None


@dataclass(frozen=True)
class CaseFile:
    """One member's case; name is the full name, which a committee may read of its own branch.

    voices: how many of the running round.
    """

    review_id: int
    member_id: int
    name: str
    volunteer_no: str
    round: int
    advised: str
    grade: str | None
    reason: str
    decided_by_id: int | None
    decided_at: datetime | None
    voices: int


@dataclass(frozen=True)
class VoiceFile:
    """What one of the committee said in a case."""

    voter_id: int
    name: str
    round: int
    grade: str
    reason: str
    said_at: datetime


@dataclass(frozen=True)
class OwnGrade:
    """A member's own grade of a year, with the line it rests on."""

    period: str
    organization_name: str
    state: str
    advised: str
    grade: str | None
    reason: str
    final_at: datetime | None
    notice_id: int | None
    line: Line | None


def review_of(session: Session, review_id: int, paths: Sequence[str]) -> ReviewFile:
    """Return one review within these paths.

    Raises ReviewNotFound, for a foreign one as for an unknown one.
    """
    row = session.execute(
        _reviews().where(GradeReview.id == review_id, within(Organization.path, paths))
    ).first()
    if row is None:
        raise ReviewNotFound
    return ReviewFile(*row)


def review_about(session: Session, *, period: str, organization_id: int) -> ReviewFile | None:
    """Return the review of a year's grades of an organization, None before it is begun."""
    row = session.execute(
        _reviews().where(
            GradeReview.period == period, GradeReview.organization_id == organization_id
        )
    ).first()
    return ReviewFile(*row) if row else None


def _reviews() -> Select[*tuple[Any, ...]]:
    return select(
        GradeReview.id,
        GradeReview.period,
        GradeReview.organization_id,
        Organization.name,
        Organization.path,
        GradeReview.snapshot_id,
        GradeReview.state,
        GradeReview.opened_at,
        GradeReview.notice_id,
        GradeReview.final_at,
    ).join(Organization, Organization.id == GradeReview.organization_id)


def cases_of(
    session: Session, review_id: int, *, member_id: int | None = None
) -> list[CaseFile]:
    """Return the cases of a review, those that wait first, then in order of name.

    member_id: that one alone.
    """
    voices = (
        select(func.count())
        .where(
            GradeVoice.review_id == GradeCase.review_id,
            GradeVoice.member_id == GradeCase.member_id,
            GradeVoice.round == GradeCase.round,
        )
        .correlate(GradeCase)
        .scalar_subquery()
    )
    statement = (
        select(
            GradeCase.review_id,
            GradeCase.member_id,
            Member.name,
            Member.volunteer_no,
            GradeCase.round,
            GradeCase.advised,
            GradeCase.grade,
            GradeCase.reason,
            GradeCase.decided_by_id,
            GradeCase.decided_at,
            voices,
        )
        .join(Member, Member.id == GradeCase.member_id)
        .where(GradeCase.review_id == review_id)
        .order_by(GradeCase.grade.is_not(None), Member.name, Member.id)
    )
    if member_id is not None:
        statement = statement.where(GradeCase.member_id == member_id)
    return [CaseFile(*row) for row in session.execute(statement)]


def case_of(session: Session, review_id: int, member_id: int) -> CaseFile:
    """Return one case of a review.

    Raises CaseNotFound.
    """
    found = cases_of(session, review_id, member_id=member_id)
    if not found:
        raise CaseNotFound
    return found[0]


def voices_of(session: Session, review_id: int, member_id: int) -> list[VoiceFile]:
    """Return what was said in a case, the running round first."""
    rows = session.execute(
        select(
            GradeVoice.voter_id,
            Member.name,
            GradeVoice.round,
            GradeVoice.grade,
            GradeVoice.reason,
            GradeVoice.said_at,
        )
        .join(Member, Member.id == GradeVoice.voter_id)
        .where(GradeVoice.review_id == review_id, GradeVoice.member_id == member_id)
        .order_by(GradeVoice.round.desc(), GradeVoice.said_at, GradeVoice.voter_id)
    )
    return [VoiceFile(*row) for row in rows]


def own_grades(session: Session, member_id: int) -> list[OwnGrade]:
    """Return a member's grades, the newest year first; what is not shown yet has no grade.

    What the rules advise is told at once, what people decide when the notice is drafted.
    """
    rows = session.execute(
        select(
            GradeReview.period,
            Organization.name,
            GradeReview.state,
            GradeCase.advised,
            GradeCase.grade,
            GradeCase.reason,
            GradeReview.final_at,
            GradeReview.notice_id,
            GradeReview.snapshot_id,
        )
        .join(GradeReview, GradeReview.id == GradeCase.review_id)
        .join(Organization, Organization.id == GradeReview.organization_id)
        .where(GradeCase.member_id == member_id)
        .order_by(GradeReview.period.desc(), GradeReview.id.desc())
    ).all()
    return [
        OwnGrade(
            period=row.period,
            organization_name=row.name,
            state=row.state,
            advised=row.advised,
            grade=row.grade if row.state in ("noticed", "final") else None,
            reason=row.reason if row.state in ("noticed", "final") else "",
            final_at=row.final_at,
            notice_id=row.notice_id,
            line=line_of_member(session, row.snapshot_id, member_id),
        )
        for row in rows
    ]
