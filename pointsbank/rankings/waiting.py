"""What waits for one person in a secretary's rooms: papers, notices, objections, grades, …"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from pointsbank.appraisals.models import AppraisalMeeting, Deduction, Exemption, LateEntry, Veto
from pointsbank.appraisals.policy import DECIDERS as PAPER_DECIDERS
from pointsbank.certificates.applying import KEEPERS as STAR_KEEPERS
from pointsbank.certificates.models import StarApplication
from pointsbank.certificates.queries import count_revocations_to_decide
from pointsbank.core.actor import Actor
from pointsbank.members.dual_queries import applications_waiting, confirmations_waiting
from pointsbank.members.dual_registering import DECIDERS as REGISTRATION_DECIDERS
from pointsbank.members.moves_queries import count_moves_to_decide
from pointsbank.members.moving import MOVERS
from pointsbank.notices.models import Notice, NoticeLine, Objection
from pointsbank.notices.policy import REVIEWERS
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import within
from pointsbank.rankings.correcting import CORRECTING_ROLES
from pointsbank.rankings.grading import COMMITTEE_ROLES
from pointsbank.rankings.models import GradeCase, GradeReview, GradeVoice, SnapshotCorrection


@dataclass(frozen=True)
class Pile:
    """Work of one kind that waits for somebody.

    due_on: the first day something is due. review_id: the first sitting over grades in it.
    """

    kind: str
    count: int
    due_on: date | None = None
    review_id: int | None = None


def piles(session: Session, actor: Actor) -> list[Pile]:
    """Return each kind of work that waits for this person; what concerns themself does not.

    Each kind is one statement, however much of it waits.
    """
    found = [
        Pile("papers", _papers(session, actor)),
        Pile("appraisals", _appraisals(session, actor)),
        Pile("notices", _notices(session, actor)),
        *_objections(session, actor),
        Pile("corrections", _corrections(session, actor)),
        _grades(session, actor),
        Pile("stars", _stars(session, actor)),
        Pile("revocations", _revocations(session, actor)),
        Pile("applications", _applications(session, actor)),
        Pile("confirmations", _confirmations(session, actor)),
        Pile("moves", _moves(session, actor)),
    ]
    return [pile for pile in found if pile.count]


def _count(
    session: Session, table: Any, paths: Sequence[str], *conditions: ColumnElement[bool]
) -> int:
    if not paths:
        return 0
    return session.execute(
        select(func.count())
        .select_from(table)
        .join(Organization, Organization.id == table.organization_id)
        .where(within(Organization.path, paths), *conditions)
    ).scalar_one()


def _papers(session: Session, actor: Actor) -> int:
    """Count the deductions, vetoes, exemptions and late entries that others entered."""
    return sum(
        _count(
            session,
            table,
            actor.paths(*PAPER_DECIDERS),
            table.state == "pending",
            table.entered_by_id != actor.member_id,
            table.member_id != actor.member_id,
        )
        for table in (Deduction, Veto, Exemption, LateEntry)
    )


def _appraisals(session: Session, actor: Actor) -> int:
    return _count(
        session,
        AppraisalMeeting,
        actor.paths(*PAPER_DECIDERS),
        AppraisalMeeting.state == "pending",
        AppraisalMeeting.entered_by_id != actor.member_id,
    )


def _notices(session: Session, actor: Actor) -> int:
    """Count the drafts of others that have a line which is not one's own, and that one has not
    looked at yet: one's own line waits for another person.
    """
    is_about_others = exists().where(
        NoticeLine.notice_id == Notice.id,
        NoticeLine.member_id.is_distinct_from(actor.member_id),
    )
    return _count(
        session,
        Notice,
        actor.paths(*REVIEWERS),
        Notice.state == "draft",
        Notice.drafted_by_id.is_distinct_from(actor.member_id),
        Notice.reviewed_by_id.is_distinct_from(actor.member_id),
        is_about_others,
    )


def _objections(session: Session, actor: Actor) -> list[Pile]:
    """Count objections to answer and to decide, without those about or by this person."""
    paths = actor.paths(*REVIEWERS)
    if not paths:
        return []
    is_about_me = exists().where(
        NoticeLine.notice_id == Objection.notice_id,
        NoticeLine.no == Objection.line_no,
        NoticeLine.member_id == actor.member_id,
    )
    rows = session.execute(
        select(
            Objection.state,
            func.count(),
            func.min(Objection.answer_by),
            func.min(Objection.decide_by),
        )
        .join(Notice, Notice.id == Objection.notice_id)
        .join(Organization, Organization.id == Notice.organization_id)
        .where(
            within(Organization.path, paths),
            Objection.state.in_(("raised", "accepted")),
            Objection.objector_id.is_distinct_from(actor.member_id),
            ~is_about_me,
        )
        .group_by(Objection.state)
    )
    return [
        Pile("answers", row[1], row[2])
        if row[0] == "raised"
        else Pile("rulings", row[1], row[3])
        for row in sorted(rows, key=lambda row: row[0], reverse=True)
    ]


def _corrections(session: Session, actor: Actor) -> int:
    return _count(
        session,
        SnapshotCorrection,
        actor.paths(*CORRECTING_ROLES),
        SnapshotCorrection.state == "pending",
        SnapshotCorrection.asked_by_id != actor.member_id,
    )


def _grades(session: Session, actor: Actor) -> Pile:
    """Count the cases in which this member of a committee has not said anything this round."""
    paths = actor.paths(*COMMITTEE_ROLES)
    if not paths:
        return Pile("grades", 0)
    has_spoken = exists().where(
        GradeVoice.review_id == GradeCase.review_id,
        GradeVoice.member_id == GradeCase.member_id,
        GradeVoice.round == GradeCase.round,
        GradeVoice.voter_id == actor.member_id,
    )
    row = session.execute(
        select(func.count(), func.min(GradeReview.id))
        .select_from(GradeCase)
        .join(GradeReview, GradeReview.id == GradeCase.review_id)
        .join(Organization, Organization.id == GradeReview.organization_id)
        .where(
            within(Organization.path, paths),
            GradeReview.state == "open",
            GradeCase.grade.is_(None),
            GradeCase.member_id != actor.member_id,
            ~has_spoken,
        )
    ).one()
    return Pile("grades", row[0], review_id=row[1])


def _stars(session: Session, actor: Actor) -> int:
    return _count(
        session,
        StarApplication,
        actor.paths(*STAR_KEEPERS),
        StarApplication.state == "applied",
        StarApplication.member_id != actor.member_id,
    )


def _revocations(session: Session, actor: Actor) -> int:
    paths = actor.paths(*STAR_KEEPERS)
    return count_revocations_to_decide(session, paths, actor.member_id) if paths else 0


def _applications(session: Session, actor: Actor) -> int:
    paths = actor.paths(*REGISTRATION_DECIDERS)
    return applications_waiting(session, paths, actor.member_id)[0] if paths else 0


def _confirmations(session: Session, actor: Actor) -> int:
    paths = actor.paths(*REGISTRATION_DECIDERS)
    return confirmations_waiting(session, paths, actor.member_id) if paths else 0


def _moves(session: Session, actor: Actor) -> int:
    paths = actor.paths(*MOVERS)
    return count_moves_to_decide(session, paths, actor.member_id) if paths else 0
