"""Yearly grades: the rules advise, a branch's committee says and decides, nobody in their own.

Rule: docs/evaluation.md, "Grades". A decision needs two voices and more than half of those
said; another grade than the advised one needs a reason.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, bindparam, delete, func, insert, select, text, update
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.db import Moment
from pointsbank.notices.queries import how_it_stands
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import organization_of, within
from pointsbank.rankings.closing import meet
from pointsbank.rankings.freezing import Line
from pointsbank.rankings.grading_errors import (
    CaseDecided,
    CaseNotDecided,
    CaseNotFound,
    GradesAreYearly,
    NoMajority,
    OwnCase,
    ReasonNeeded,
    ReviewExists,
    ReviewNotFound,
    ReviewNotOpen,
)
from pointsbank.rankings.models import GradeCase, GradeReview, GradeVoice
from pointsbank.rankings.policy import MONTHS_A_YEAR, months_in
from pointsbank.rankings.snapshots import SnapshotFile, lines_of, snapshot_of
from pointsbank.rankings.sources import tables_for

# A branch's committee and its secretary; those of a general branch over it as well.
COMMITTEE_ROLES = ("secretary", "committee")
VOICES_MIN = 2

# Somebody who says something else before the decision has changed their mind.
SAY = text(
    """
    INSERT INTO grade_voice (review_id, member_id, voter_id, round, grade, reason, said_at)
    VALUES (:review_id, :member_id, :voter_id, :round, :grade, :reason, :now)
    ON CONFLICT (review_id, member_id, voter_id, round) DO UPDATE
        SET grade = excluded.grade, reason = excluded.reason, said_at = excluded.said_at
    """
).bindparams(bindparam("now", type_=Moment()))


@dataclass(frozen=True)
class Opinion:
    """A grade that somebody stands for; the reason may be empty where it is as advised."""

    grade: str
    reason: str


def open_review(
    session: Session, *, organization_id: int, period: str, actor: Actor, now: datetime
) -> int:
    """Begin a committee's sitting over a closed year and return the review's id.

    Everyone of the newest snapshot has a case with the grade that the rules advise, less those
    who are exempt; where all are, there is nothing to decide.
    Raises OrganizationNotFound, SnapshotNotFound, GradesAreYearly, ReviewExists.
    """
    place = organization_of(session, organization_id, actor.paths(*COMMITTEE_ROLES))
    snapshot = snapshot_of(session, period=period, organization_id=place.id)
    if months_in(snapshot.span) != MONTHS_A_YEAR:
        raise GradesAreYearly
    meet(session, organization_id=place.id, period=period)
    snapshot = snapshot_of(session, period=period, organization_id=place.id)
    standing = select(GradeReview.id).where(
        GradeReview.period == period, GradeReview.organization_id == place.id
    )
    if session.scalar(standing) is not None:
        raise ReviewExists
    review_id = session.execute(
        insert(GradeReview)
        .values(
            period=period,
            organization_id=place.id,
            snapshot_id=snapshot.id,
            opened_by_id=actor.member_id,
            opened_at=now,
        )
        .returning(GradeReview.id)
    ).scalar_one()
    advice = advised_of(session, snapshot)
    if advice:
        session.execute(
            insert(GradeCase),
            [
                {"review_id": review_id, "member_id": member_id, "advised": grade}
                for member_id, grade in advice.items()
            ],
        )
    else:
        # Nobody waits for a decision, and none would ever confirm it.
        _set_state(session, review_id, "confirmed")
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="open_grade_review",
        subject=("grade_review", review_id),
        period=period,
        cases=len(advice),
    )
    return review_id


def advised_of(session: Session, snapshot: SnapshotFile) -> dict[int, str]:
    """Return the grade that the rules advise for each member of a snapshot with a rank."""
    tables = tables_for(session, snapshot.standard_id)

    def advised(line: Line) -> str:
        return tables[line.table_name].advised_grade(
            line.evaluation_hundredths, is_vetoed=line.is_vetoed
        )

    lines = (each.line for each in lines_of(session, snapshot.id))
    return {line.member_id: advised(line) for line in lines if not line.is_exempt}


def say_grade(
    session: Session,
    *,
    review_id: int,
    member_id: int,
    opinion: Opinion,
    actor: Actor,
    now: datetime,
) -> None:
    """Keep what one of the committee says in a case; a repeat takes the place of the first.

    Raises ReviewNotFound, CaseNotFound, OwnCase, ReviewNotOpen, CaseDecided, ReasonNeeded.
    """
    review_in_scope(session, review_id, actor)
    if member_id == actor.member_id:
        raise OwnCase
    # A decision counts voices behind this lock: a voice is counted, or refused as too late.
    case = _locked_case(session, review_id, member_id)
    if case.grade is not None:
        raise CaseDecided
    if _state_of(session, review_id) != "open":
        raise ReviewNotOpen
    if opinion.grade != case.advised and not opinion.reason:
        raise ReasonNeeded
    session.execute(
        SAY,
        {
            "review_id": review_id,
            "member_id": member_id,
            "voter_id": actor.member_id,
            "round": case.round,
            "grade": opinion.grade,
            "reason": opinion.reason,
            "now": now,
        },
    )


def decide_case(
    session: Session,
    *,
    review_id: int,
    member_id: int,
    opinion: Opinion,
    actor: Actor,
    now: datetime,
) -> None:
    """Keep a case's grade as what more than half of the voices said, of two at least.

    opinion: the grade that is to be decided; what others said meanwhile may speak against it.
    The last case that is decided confirms the review. Raises ReviewNotFound, CaseNotFound,
    OwnCase, ReviewNotOpen, CaseDecided, NoMajority, ReasonNeeded.
    """
    review_in_scope(session, review_id, actor)
    if member_id == actor.member_id:
        raise OwnCase
    # Two who decide the last two cases at once: the second sees the first one's decision. A
    # voice refers to the review, which must not wait for this lock while it holds the case's.
    lock_review(session, review_id)
    case = _locked_case(session, review_id, member_id)
    if case.grade is not None:
        raise CaseDecided
    if _state_of(session, review_id) != "open":
        raise ReviewNotOpen
    voices = session.scalars(
        select(GradeVoice.grade).where(
            GradeVoice.review_id == review_id,
            GradeVoice.member_id == member_id,
            GradeVoice.round == case.round,
        )
    ).all()
    if majority_of(voices) != opinion.grade:
        raise NoMajority(voices=len(voices), least=VOICES_MIN)
    if opinion.grade != case.advised and not opinion.reason:
        raise ReasonNeeded
    session.execute(
        update(GradeCase)
        .where(GradeCase.review_id == review_id, GradeCase.member_id == member_id)
        .values(
            grade=opinion.grade,
            reason=opinion.reason,
            decided_by_id=actor.member_id,
            decided_at=now,
        )
    )
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="decide_grade",
        subject=("grade_review", review_id),
        member_id=member_id,
        advised=case.advised,
        grade=opinion.grade,
        voices=len(voices),
    )
    if not undecided(session, review_id):
        _set_state(session, review_id, "confirmed")


def ask_again(
    session: Session,
    *,
    review_id: int,
    member_id: int,
    reason: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Take a decision back and ask the committee anew, as an upheld objection may need.

    What was said before stays readable; the review is open again until all is decided. Raises
    ReviewNotFound, CaseNotFound, OwnCase, CaseNotDecided, ReviewNotOpen when it is final.
    """
    review_in_scope(session, review_id, actor)
    if member_id == actor.member_id:
        raise OwnCase
    lock_review(session, review_id)
    case = _locked_case(session, review_id, member_id)
    if case.grade is None:
        raise CaseNotDecided
    if _is_final(session, review_id):
        raise ReviewNotOpen
    _begin_round(session, review_id, member_id, case.advised, case.round + 1)
    _set_state(session, review_id, "open")
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="ask_grade_again",
        subject=("grade_review", review_id),
        member_id=member_id,
        grade=case.grade,
        reason=reason,
    )


def advise_again(session: Session, *, snapshot: SnapshotFile, now: datetime) -> int:
    """Bring the advice of a review to a corrected snapshot; return how many cases it changed.

    Where the advice is another, the committee is asked anew; who is exempt now has no case any
    more, and who came in has one. A final review stays as it is, as one whose notice is locked.
    """
    review = session.execute(
        select(GradeReview.id)
        .where(
            GradeReview.period == snapshot.period,
            GradeReview.organization_id == snapshot.organization_id,
        )
        .with_for_update(key_share=True)
    ).first()
    if review is None or _is_final(session, review.id):
        return 0
    session.execute(
        update(GradeReview).where(GradeReview.id == review.id).values(snapshot_id=snapshot.id)
    )
    advice = advised_of(session, snapshot)
    cases = {
        row.member_id: row
        for row in session.execute(
            select(GradeCase.member_id, GradeCase.advised, GradeCase.round)
            .where(GradeCase.review_id == review.id)
            .order_by(GradeCase.member_id)
            .with_for_update(key_share=True)
        )
    }
    changed = 0
    for member_id, grade in advice.items():
        case = cases.get(member_id)
        if case is None:
            session.execute(
                insert(GradeCase).values(
                    review_id=review.id, member_id=member_id, advised=grade
                )
            )
        elif case.advised != grade:
            _begin_round(session, review.id, member_id, grade, case.round + 1)
        changed += case is None or case.advised != grade
    changed += _close_cases(session, review.id, sorted(set(cases) - set(advice)))
    if changed:
        is_open = undecided(session, review.id)
        _set_state(session, review.id, "open" if is_open else "confirmed")
    note(
        session,
        at=now,
        actor_id=None,
        action="advise_grades_again",
        subject=("grade_review", review.id),
        version=snapshot.version,
        cases=changed,
    )
    return changed


def _close_cases(session: Session, review_id: int, member_ids: list[int]) -> int:
    """Take the cases away of those whom nobody grades any more."""
    session.execute(
        delete(GradeVoice).where(
            GradeVoice.review_id == review_id, GradeVoice.member_id.in_(member_ids)
        )
    )
    session.execute(
        delete(GradeCase).where(
            GradeCase.review_id == review_id, GradeCase.member_id.in_(member_ids)
        )
    )
    return len(member_ids)


def majority_of(voices: Sequence[str]) -> str | None:
    """Return the grade that more than half of the voices gave, None below two voices."""
    if len(voices) < VOICES_MIN:
        return None
    grade, number = Counter(voices).most_common(1)[0]
    return grade if 2 * number > len(voices) else None


def undecided(session: Session, review_id: int) -> int:
    """Return how many cases of a review wait for their decision."""
    return (
        session.scalar(
            select(func.count())
            .select_from(GradeCase)
            .where(GradeCase.review_id == review_id, GradeCase.grade.is_(None))
        )
        or 0
    )


def review_in_scope(session: Session, review_id: int, actor: Actor) -> int:
    """Return the id of the organization of a review on whose committee this person sits.

    Raises ReviewNotFound, for a foreign one as for an unknown one.
    """
    found = session.scalar(
        select(GradeReview.organization_id)
        .join(Organization, Organization.id == GradeReview.organization_id)
        .where(
            GradeReview.id == review_id,
            within(Organization.path, actor.paths(*COMMITTEE_ROLES)),
        )
    )
    if found is None:
        raise ReviewNotFound
    return found


def lock_review(session: Session, review_id: int) -> None:
    """Wait for whoever decides on cases of the same review, or shows it."""
    session.execute(
        select(GradeReview.id)
        .where(GradeReview.id == review_id)
        .with_for_update(key_share=True)
    ).one()


def _state_of(session: Session, review_id: int) -> str:
    return session.execute(
        select(GradeReview.state).where(GradeReview.id == review_id)
    ).scalar_one()


def _is_final(session: Session, review_id: int) -> bool:
    """Tell whether the days of a review are over, though the job may not have said so yet."""
    state, notice_id = session.execute(
        select(GradeReview.state, GradeReview.notice_id).where(GradeReview.id == review_id)
    ).one()
    if state == "noticed" and notice_id is not None:
        return how_it_stands(session, notice_id).state == "locked"
    return state == "final"


def _set_state(session: Session, review_id: int, state: str) -> None:
    session.execute(update(GradeReview).where(GradeReview.id == review_id).values(state=state))


def _locked_case(session: Session, review_id: int, member_id: int) -> Row[str, str | None, int]:
    """Return a case, which nobody else says or decides anything in until the end.

    Raises CaseNotFound.
    """
    row = session.execute(
        select(GradeCase.advised, GradeCase.grade, GradeCase.round)
        .where(GradeCase.review_id == review_id, GradeCase.member_id == member_id)
        .with_for_update(key_share=True)
    ).first()
    if row is None:
        raise CaseNotFound
    return row


def _begin_round(
    session: Session, review_id: int, member_id: int, advised: str, number: int
) -> None:
    session.execute(
        update(GradeCase)
        .where(GradeCase.review_id == review_id, GradeCase.member_id == member_id)
        .values(
            advised=advised,
            round=number,
            grade=None,
            reason="",
            decided_by_id=None,
            decided_at=None,
        )
    )
