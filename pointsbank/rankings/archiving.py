"""Everything of one branch's year, row by row, for the archive; nothing is held in memory."""

from collections.abc import Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, case, func, null, or_, select
from sqlalchemy.orm import Session

from pointsbank.appraisals.models import (
    AppraisalCount,
    AppraisalMeeting,
    Deduction,
    Exemption,
    LateEntry,
    Veto,
)
from pointsbank.certificates.models import OrganizationStarPlan, StarApplication
from pointsbank.core.calendar import Period
from pointsbank.members.models import Belonging, Member
from pointsbank.notices.models import Notice, NoticeLine, Objection
from pointsbank.rankings.models import (
    GradeCase,
    GradeReview,
    Snapshot,
    SnapshotCorrection,
    SnapshotLine,
)
from pointsbank.rankings.sources import covers, last_day
from pointsbank.scoring.models import ScoreEntry, ScoringStandard

ROWS_AT_ONCE = 500
LIFE = "organization_life"
# Their subjects name a task or a certificate, and no year.
KINDS_WITHOUT_YEAR = ("post", "certificate")
# From then on a grade is told to whom it is about.
TOLD_STATES = ("noticed", "final")
Row = Sequence[Any]


def of_year(column: Any, year: Period) -> Any:
    """Return the condition that a period's name is this year, or a part of it."""
    return or_(column == year.name, column.like(f"{year.name}-%"))


def snapshots_in(session: Session, place_id: int, year: Period) -> Iterator[Row]:
    """Yield the head of every version of each closed period, in their order."""
    yield from _rows(
        session,
        select(
            Snapshot.period,
            Snapshot.version,
            ScoringStandard.version.label("standard"),
            Snapshot.members,
            Snapshot.entries,
            Snapshot.sum_hundredths,
            Snapshot.sum_points,
            Snapshot.sum_minutes,
            Snapshot.made_at,
            Snapshot.reason,
            Snapshot.digest,
        )
        .join(ScoringStandard, ScoringStandard.id == Snapshot.standard_id)
        .where(Snapshot.organization_id == place_id, of_year(Snapshot.period, year))
        .order_by(Snapshot.period, Snapshot.version),
    )


def snapshot_lines_in(session: Session, place_id: int, year: Period) -> Iterator[Row]:
    """Yield every line of those versions."""
    yield from _rows(
        session,
        select(
            Snapshot.period,
            Snapshot.version,
            Member.volunteer_no,
            Member.name,
            SnapshotLine.table_name,
            SnapshotLine.is_exempt,
            SnapshotLine.is_vetoed,
            SnapshotLine.base_hundredths,
            SnapshotLine.bonus_hundredths,
            SnapshotLine.deduction_hundredths,
            SnapshotLine.evaluation_hundredths,
            SnapshotLine.points_earned,
            SnapshotLine.service_minutes,
        )
        .join(Snapshot, Snapshot.id == SnapshotLine.snapshot_id)
        .join(Member, Member.id == SnapshotLine.member_id)
        .where(Snapshot.organization_id == place_id, of_year(Snapshot.period, year))
        .order_by(Snapshot.period, Snapshot.version, Member.volunteer_no),
    )


def corrections_in(session: Session, place_id: int, year: Period) -> Iterator[Row]:
    """Yield what was asked to be counted anew, and what became of it."""
    yield from _rows(
        session,
        select(
            SnapshotCorrection.period,
            SnapshotCorrection.asked_at,
            SnapshotCorrection.reason,
            SnapshotCorrection.state,
            SnapshotCorrection.decided_at,
            SnapshotCorrection.decision_reason,
        )
        .where(
            SnapshotCorrection.organization_id == place_id,
            of_year(SnapshotCorrection.period, year),
        )
        .order_by(SnapshotCorrection.id),
    )


def notices_in(session: Session, place_id: int, year: Period, zone: ZoneInfo) -> Iterator[Row]:
    """Yield every version of the branch's notices about the year; one whose subject names no
    year, as of posts, is of the year it was drafted in.
    """
    yield from _rows(
        session,
        select(
            Notice.id,
            Notice.title,
            Notice.kind,
            Notice.no,
            Notice.state,
            Notice.opened_on,
            Notice.closes_on,
            Notice.locked_at,
            Notice.digest,
        )
        .where(Notice.organization_id == place_id, _is_of(year, zone))
        .order_by(Notice.id),
    )


def notice_lines_in(
    session: Session, place_id: int, year: Period, zone: ZoneInfo
) -> Iterator[Row]:
    """Yield the lines of those notices as they were shown, with the facts of each."""
    yield from _rows(
        session,
        select(NoticeLine.notice_id, NoticeLine.no, NoticeLine.shown_name, NoticeLine.facts)
        .join(Notice, Notice.id == NoticeLine.notice_id)
        .where(Notice.organization_id == place_id, _is_of(year, zone))
        .order_by(NoticeLine.notice_id, NoticeLine.no),
    )


def objections_in(
    session: Session, place_id: int, year: Period, reader_id: int, zone: ZoneInfo
) -> Iterator[Row]:
    """Yield what was said against those notices and what became of it; never by whom.

    Nothing of what is about the reader's own line: who objects is safe from whom it concerns.
    """
    yield from _rows(
        session,
        select(
            Objection.notice_id,
            Objection.line_no,
            Objection.reason,
            Objection.raised_at,
            Objection.state,
            Objection.answered_at,
            Objection.answer,
            Objection.decided_at,
            Objection.decision,
        )
        .join(Notice, Notice.id == Objection.notice_id)
        .outerjoin(
            NoticeLine,
            and_(
                NoticeLine.notice_id == Objection.notice_id,
                NoticeLine.no == Objection.line_no,
            ),
        )
        .where(
            Notice.organization_id == place_id,
            NoticeLine.member_id.is_distinct_from(reader_id),
            _is_of(year, zone),
        )
        .order_by(Objection.id),
    )


def grades_in(session: Session, place_id: int, year: Period, reader_id: int) -> Iterator[Row]:
    """Yield each member's grade of the year: what was advised, what was decided, why; of the
    reader's own what was decided only once it is shown in public.
    """
    is_told = or_(GradeCase.member_id != reader_id, GradeReview.state.in_(TOLD_STATES))
    yield from _rows(
        session,
        select(
            GradeReview.period,
            GradeReview.state,
            Member.volunteer_no,
            Member.name,
            GradeCase.advised,
            case((is_told, GradeCase.grade)),
            case((is_told, GradeCase.reason), else_=""),
            case((is_told, GradeCase.decided_at)),
        )
        .join(GradeReview, GradeReview.id == GradeCase.review_id)
        .join(Member, Member.id == GradeCase.member_id)
        .where(GradeReview.organization_id == place_id, of_year(GradeReview.period, year))
        .order_by(GradeReview.period, Member.volunteer_no),
    )


def papers_in(session: Session, place_id: int, year: Period) -> Iterator[Row]:
    """Yield deductions, vetoes, late entries and exemptions that concern the year, whatever was
    decided: what a deduction takes, what a late entry gives in score and minutes.
    """
    for kind, table, facts, condition in (
        (
            "deduction",
            Deduction,
            (
                Deduction.occurred_on,
                Deduction.hundredths,
                null(),
                null(),
                Deduction.document_no,
            ),
            _on(Deduction.occurred_on, year),
        ),
        (
            "veto",
            Veto,
            (Veto.occurred_on, null(), null(), null(), Veto.document_no),
            _on(Veto.occurred_on, year),
        ),
        (
            "late_entry",
            LateEntry,
            (
                LateEntry.occurred_on,
                null(),
                LateEntry.hundredths,
                LateEntry.service_minutes,
                LateEntry.document_no,
            ),
            _on(LateEntry.occurred_on, year),
        ),
        (
            "exemption",
            Exemption,
            (Exemption.from_on, null(), null(), null(), Exemption.reason_code),
            and_(
                Exemption.from_on < year.end_on,
                or_(Exemption.until_on.is_(None), Exemption.until_on > year.first_on),
            ),
        ),
    ):
        model: Any = table
        statement = (
            select(
                Member.volunteer_no,
                Member.name,
                *facts,
                model.reason,
                model.state,
                model.decided_at,
                model.decision_reason,
            )
            .join(Member, Member.id == model.member_id)
            .where(model.organization_id == place_id, condition)
            .order_by(model.id)
        )
        for row in _rows(session, statement):
            yield (kind, *row)


def appraisals_in(session: Session, place_id: int, year: Period) -> Iterator[Row]:
    """Yield the counted ballots of each democratic appraisal; who voted how is nowhere."""
    yield from _rows(
        session,
        select(
            AppraisalMeeting.held_on,
            AppraisalMeeting.state,
            AppraisalMeeting.ballots,
            Member.volunteer_no,
            Member.name,
            AppraisalCount.excellent,
            AppraisalCount.qualified,
            AppraisalCount.basic,
            AppraisalCount.unqualified,
        )
        .join(AppraisalMeeting, AppraisalMeeting.id == AppraisalCount.meeting_id)
        .join(Member, Member.id == AppraisalCount.member_id)
        .where(
            AppraisalMeeting.organization_id == place_id, _on(AppraisalMeeting.held_on, year)
        )
        .order_by(AppraisalMeeting.held_on, AppraisalMeeting.id, Member.volunteer_no),
    )


def stars_in(session: Session, place_id: int, year: Period, zone: ZoneInfo) -> Iterator[Row]:
    """Yield the volunteers' applications for stars of the year, and the branch's own plan."""
    statement = (
        select(
            Member.volunteer_no,
            Member.name,
            StarApplication.stars,
            StarApplication.service_minutes,
            StarApplication.state,
            StarApplication.applied_at,
            StarApplication.decided_at,
            StarApplication.number,
        )
        .join(Member, Member.id == StarApplication.member_id)
        .where(
            StarApplication.organization_id == place_id,
            StarApplication.applied_at >= year.starts_at(zone),
            StarApplication.applied_at < year.ends_at(zone),
        )
        .order_by(StarApplication.id)
    )
    for row in _rows(session, statement):
        yield ("volunteer", *row)
    plans = select(OrganizationStarPlan.stars, OrganizationStarPlan.state).where(
        OrganizationStarPlan.organization_id == place_id,
        OrganizationStarPlan.year == int(year.name),
    )
    for stars, state in session.execute(plans):
        yield ("organization", "", "", stars, None, state, None, None, None)


def members_in(session: Session, place_id: int, year: Period) -> Iterator[Row]:
    """Yield each member of the year's last day with what the year's entries come to."""
    yield from _rows(
        session,
        select(
            Member.volunteer_no,
            Member.name,
            Member.kind,
            func.count(ScoreEntry.id),
            func.coalesce(func.sum(ScoreEntry.service_minutes), 0),
            func.coalesce(func.sum(ScoreEntry.points), 0),
        )
        .join(Belonging, Belonging.member_id == Member.id)
        .outerjoin(
            ScoreEntry,
            and_(ScoreEntry.member_id == Member.id, _on(ScoreEntry.earned_on, year)),
        )
        .where(
            Member.state == "active",
            covers(Belonging, last_day(year)),
            Belonging.organization_id == place_id,
        )
        .group_by(Member.id, Member.volunteer_no, Member.name, Member.kind)
        .order_by(Member.volunteer_no),
    )


def meetings_in(session: Session, place_id: int, year: Period) -> Iterator[Row]:
    """Yield the branch's meetings of the year (三会一课), and how many came.

    Whoever was struck out of one was not there, and a meeting of nobody was not held.
    """
    came = (
        select(ScoreEntry.earned_on, ScoreEntry.title)
        .where(
            ScoreEntry.organization_id == place_id,
            ScoreEntry.category == LIFE,
            _on(ScoreEntry.earned_on, year),
        )
        .group_by(ScoreEntry.earned_on, ScoreEntry.title, ScoreEntry.member_id)
        .having(func.sum(ScoreEntry.evaluation_hundredths) > 0)
        .subquery()
    )
    yield from _rows(
        session,
        select(came.c.earned_on, came.c.title, func.count())
        .group_by(came.c.earned_on, came.c.title)
        .order_by(came.c.earned_on, came.c.title),
    )


def _on(day: Any, year: Period) -> Any:
    return and_(day >= year.first_on, day < year.end_on)


def _is_of(year: Period, zone: ZoneInfo) -> Any:
    """Return the condition that a notice is about the year: by its subject, or by the day it
    was drafted where the subject names none.
    """
    return or_(
        Notice.subject.like(f"%:{year.name}:%"),
        Notice.subject.like(f"%:{year.name}-%"),
        and_(
            Notice.kind.in_(KINDS_WITHOUT_YEAR),
            Notice.drafted_at >= year.starts_at(zone),
            Notice.drafted_at < year.ends_at(zone),
        ),
    )


def _rows(session: Session, statement: Any) -> Iterator[Row]:
    rows = session.execute(statement, execution_options={"yield_per": ROWS_AT_ONCE})
    for row in rows:
        yield tuple(row)
