"""One member's file (一人一档): what every room keeps about them, read with a fixed number of
statements."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import case, extract, func, or_, select
from sqlalchemy.orm import Session

from pointsbank.appraisals.meeting_queries import OwnAppraisal, appraisals_about
from pointsbank.appraisals.reading_queries import PaperFile, papers_about
from pointsbank.certificates.queries import ApplicationFile, applications_of_member
from pointsbank.core.calendar import Period, local_day
from pointsbank.ledger.models import Transfer
from pointsbank.ledger.queries import Balance, balance_of, id_of_code
from pointsbank.members.abilities_queries import (
    Completion,
    SkillLine,
    completions_of,
    skills_of,
)
from pointsbank.members.honours import HonourLine, honours_of
from pointsbank.members.models import Belonging
from pointsbank.members.queries import MemberFile, member_of
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import in_scope
from pointsbank.passbooks.queries import account_code
from pointsbank.rankings.models import GradeCase, GradeReview, MemberStanding, RollUp
from pointsbank.rankings.snapshots import Frozen, frozen_of_member, periods_closed
from pointsbank.scoring.models import Adjustment, ScoreEntry, ScoringItem
from pointsbank.tasks.models import Series, StandingClaim, Task

# A year of somebody who serves three times a day; the passbook and the rankings have the rest.
YEAR_LINES_MAX = 1000
EVALUATIONS_MAX = 24
# Quarters and years are frozen a week after their end.
CLOSED_KINDS = re.compile(r"\d{4}(-Q[1-4])?")
SHOWN_GRADES = ("noticed", "final")
SETTLED_STARS = ("awarded", "revoked")


@dataclass(frozen=True)
class Post:
    """Work that somebody takes part in every time; ended_at: None while it goes on."""

    title: str
    role_name: str
    since: date
    until: date | None
    ended_at: datetime | None


@dataclass(frozen=True)
class Hours:
    """Service minutes of a calendar year."""

    year: int
    minutes: int


@dataclass(frozen=True)
class PointsSum:
    """What came in and went out by one kind of transfer; which merchant it was stays out."""

    kind: str
    came_in: int
    went_out: int


@dataclass(frozen=True)
class Evaluated:
    """An evaluation of a period with its parts.

    state: closed, as it is frozen in a version; over, until it is closed; running. advised: the
    grade that the rules advise. rank: within the branch, where the reader may see it.
    """

    period: str
    hundredths: int
    base: int
    bonus: int
    deduction: int
    points_earned: int
    service_minutes: int
    is_exempt: bool
    parts: list[dict[str, Any]]
    state: str = "running"
    version: int | None = None
    advised: str | None = None
    rank: int | None = None


@dataclass(frozen=True)
class Graded:
    """A grade of a year that was shown in public."""

    period: str
    grade: str
    reason: str
    final_at: datetime | None


@dataclass(frozen=True)
class Evidence:
    """What was entered by hand and approved, with what proves it."""

    occurred_on: date
    points: int | None
    service_minutes: int | None
    reason: str
    evidence: str


@dataclass(frozen=True)
class Event:
    """Something of one day, for the timeline. kind: entry, honour, training, star, grade,
    paper, appraisal, moved. name: in Chinese and in English where it has both."""

    on: date
    kind: str
    name: str
    name_en: str = ""
    minutes: int = 0
    points: int = 0
    hundredths: int = 0


@dataclass(frozen=True)
class WholeFile:
    """Everything that is kept about one member; year: the one whose days are listed."""

    member: MemberFile
    made_at: datetime
    year: int
    years: list[int]
    skills: list[SkillLine]
    trainings: list[Completion]
    posts: list[Post]
    hours: list[Hours]
    balance: Balance
    sums: list[PointsSum]
    evaluations: list[Evaluated]
    grades: list[Graded]
    papers: list[PaperFile]
    appraisals: list[OwnAppraisal]
    honours: list[HonourLine]
    evidences: list[Evidence]
    stars: list[ApplicationFile]
    timeline: list[Event]

    @property
    def minutes(self) -> int:
        """All service time."""
        return sum(each.minutes for each in self.hours)


def file_of(
    session: Session,
    member_id: int,
    *,
    year: int | None,
    ranks_under: Sequence[str] = (),
    zone: ZoneInfo,
    now: datetime,
) -> WholeFile:
    """Return a member's file; who may see it is the door's to judge.

    year: whose days are listed; the running one when not given. ranks_under: the paths of the
    organizations whose rankings the reader may see; none in one's own file.
    Raises MemberNotFound.
    """
    member = member_of(session, member_id)
    chosen = year or local_day(now, zone).year
    hours = _hours(session, member_id)
    honours, trainings = honours_of(session, member_id), completions_of(session, member_id)
    stars = applications_of_member(session, member_id)
    papers = [each for each in papers_about(session, member_id) if each.state == "confirmed"]
    appraisals = appraisals_about(session, member_id)
    grades = _grades(session, member_id)
    moves = _moves(session, member_id)
    events = [
        *(Event(each.granted_on, "honour", each.title) for each in honours),
        *(Event(each.completed_on, "training", each.name) for each in trainings),
        *_star_events(stars),
        *(Event(each.occurred_on, "paper", each.kind) for each in papers),
        *(Event(each.held_on, "appraisal", each.organization_name) for each in appraisals),
        *(
            Event(local_day(each.final_at, zone), "grade", each.grade)
            for each in grades
            if each.final_at is not None
        ),
        *moves,
    ]
    span = Period(str(chosen), date(chosen, 1, 1), date(chosen + 1, 1, 1))
    shown = [each for each in events if span.first_on <= each.on < span.end_on]
    timeline = sorted(
        [*shown, *_entries(session, member_id, span)], key=lambda each: each.on, reverse=True
    )
    years = {each.on.year for each in events} | {each.year for each in hours} | {chosen}
    return WholeFile(
        member=member,
        made_at=now,
        year=chosen,
        years=sorted(years, reverse=True),
        skills=[each for each in skills_of(session, member_id) if each.told_at],
        trainings=trainings,
        posts=_posts(session, member_id),
        hours=hours,
        balance=balance_of(session, account_code(member_id)),
        sums=_sums(session, member_id),
        evaluations=_evaluations(session, member_id, ranks_under, local_day(now, zone)),
        grades=grades,
        papers=papers,
        appraisals=appraisals,
        honours=honours,
        evidences=_evidences(session, member_id),
        stars=stars,
        timeline=timeline,
    )


def _hours(session: Session, member_id: int) -> list[Hours]:
    year = extract("year", ScoreEntry.earned_on)
    rows = session.execute(
        select(year.label("year"), func.sum(ScoreEntry.service_minutes).label("minutes"))
        .where(ScoreEntry.member_id == member_id)
        .group_by(year)
        .order_by(year.desc())
    )
    return [Hours(int(row.year), int(row.minutes)) for row in rows]


def _posts(session: Session, member_id: int) -> list[Post]:
    rows = session.execute(
        select(
            Task.title,
            StandingClaim.role_name,
            StandingClaim.since,
            StandingClaim.until,
            StandingClaim.ended_at,
        )
        .join(Series, Series.id == StandingClaim.series_id)
        .join(Task, Task.id == Series.task_id)
        .where(StandingClaim.member_id == member_id)
        .order_by(StandingClaim.id.desc())
    )
    return [Post(*row) for row in rows]


def _sums(session: Session, member_id: int) -> list[PointsSum]:
    account = id_of_code(account_code(member_id))
    rows = session.execute(
        select(
            Transfer.kind,
            func.sum(case((Transfer.target_id == account, Transfer.points), else_=0)),
            func.sum(case((Transfer.source_id == account, Transfer.points), else_=0)),
        )
        .where(or_(Transfer.target_id == account, Transfer.source_id == account))
        .group_by(Transfer.kind)
        .order_by(Transfer.kind)
    )
    return [PointsSum(kind, int(into), int(out)) for kind, into, out in rows]


def _evaluations(
    session: Session, member_id: int, ranks_under: Sequence[str], today: date
) -> list[Evaluated]:
    """Return what is frozen of closed periods, and what is rolled up of those that are not."""
    frozen = [
        _frozen(each, in_scope(each.path, ranks_under))
        for each in frozen_of_member(session, member_id, limit=EVALUATIONS_MAX)
    ]
    rows = session.execute(
        select(MemberStanding, RollUp.end_on)
        .join(RollUp, RollUp.period == MemberStanding.period)
        .where(MemberStanding.member_id == member_id)
        .order_by(MemberStanding.period.desc())
        .limit(EVALUATIONS_MAX)
    ).all()
    closed = periods_closed(session, [row.MemberStanding.period for row in rows])
    rolled = [
        _rolled_up(row.MemberStanding, is_over=row.end_on <= today)
        for row in rows
        # A month that is over is closed within its quarter.
        if row.MemberStanding.period not in closed
        and (row.end_on > today or CLOSED_KINDS.fullmatch(row.MemberStanding.period))
    ]
    return sorted([*frozen, *rolled], key=lambda each: each.period, reverse=True)


def _frozen(found: Frozen, is_ranked: bool) -> Evaluated:
    line = found.line
    return Evaluated(
        found.period,
        line.evaluation_hundredths,
        line.base_hundredths,
        line.bonus_hundredths,
        line.deduction_hundredths,
        line.points_earned,
        line.service_minutes,
        line.is_exempt,
        line.parts,
        state="closed",
        version=found.version,
        advised=found.advised,
        rank=line.rank if is_ranked else None,
    )


def _rolled_up(found: MemberStanding, *, is_over: bool) -> Evaluated:
    return Evaluated(
        found.period,
        found.evaluation_hundredths,
        found.base_hundredths,
        found.bonus_hundredths,
        found.deduction_hundredths,
        found.points_earned,
        found.service_minutes,
        found.is_exempt,
        found.parts,
        state="over" if is_over else "running",
    )


def _grades(session: Session, member_id: int) -> list[Graded]:
    rows = session.execute(
        select(GradeReview.period, GradeCase.grade, GradeCase.reason, GradeReview.final_at)
        .join(GradeReview, GradeReview.id == GradeCase.review_id)
        .where(
            GradeCase.member_id == member_id,
            GradeReview.state.in_(SHOWN_GRADES),
            GradeCase.grade.is_not(None),
        )
        .order_by(GradeReview.period.desc())
    )
    return [
        Graded(row.period, row.grade, row.reason, row.final_at)
        for row in rows
        if row.grade is not None
    ]


def _evidences(session: Session, member_id: int) -> list[Evidence]:
    rows = session.execute(
        select(
            Adjustment.occurred_on,
            Adjustment.points,
            Adjustment.service_minutes,
            Adjustment.reason,
            Adjustment.evidence,
        )
        .where(Adjustment.member_id == member_id, Adjustment.state == "approved")
        .order_by(Adjustment.occurred_on.desc(), Adjustment.id.desc())
    )
    return [Evidence(*row) for row in rows]


def _moves(session: Session, member_id: int) -> list[Event]:
    rows = session.execute(
        select(Belonging.from_on, Organization.name)
        .join(Organization, Organization.id == Belonging.organization_id)
        .where(Belonging.member_id == member_id)
    )
    return [Event(row.from_on, "moved", row.name) for row in rows]


def _star_events(stars: Sequence[ApplicationFile]) -> list[Event]:
    return [
        Event(each.awarded_on, "star", str(each.stars))
        for each in stars
        if each.state in SETTLED_STARS and each.awarded_on is not None
    ]


def _entries(session: Session, member_id: int, span: Period) -> list[Event]:
    rows = session.execute(
        select(
            ScoreEntry.earned_on,
            ScoreEntry.title,
            ScoringItem.name,
            ScoringItem.name_zh,
            ScoreEntry.service_minutes,
            ScoreEntry.points,
            ScoreEntry.evaluation_hundredths,
        )
        .join(ScoringItem, ScoringItem.id == ScoreEntry.item_id)
        .where(
            ScoreEntry.member_id == member_id,
            ScoreEntry.earned_on >= span.first_on,
            ScoreEntry.earned_on < span.end_on,
        )
        .order_by(ScoreEntry.earned_on.desc(), ScoreEntry.id.desc())
        .limit(YEAR_LINES_MAX)
    )
    return [
        Event(
            row.earned_on,
            "entry",
            f"{row.title} · {row.name_zh}",
            f"{row.title} · {row.name}",
            row.service_minutes,
            row.points,
            row.evaluation_hundredths,
        )
        for row in rows
    ]
