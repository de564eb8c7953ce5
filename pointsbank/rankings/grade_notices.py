"""Notices of yearly grades: shown for five working days, then final; the members are told."""

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.messages.service import tell
from pointsbank.notices.drafting import DraftLine, draft_notice, replace_notice
from pointsbank.notices.models import ALIVE, Notice
from pointsbank.notices.policy import window_days_of
from pointsbank.notices.queries import how_it_stands
from pointsbank.rankings.grades import cases_of, review_of
from pointsbank.rankings.grading import COMMITTEE_ROLES, lock_review
from pointsbank.rankings.grading_errors import ReviewNotConfirmed
from pointsbank.rankings.models import GradeReview
from pointsbank.rankings.noticing import period_in_chinese
from pointsbank.rankings.snapshots import snapshot_with

TITLE = "{place}{period}党员评定结果公示"
GRADE_ORDER = ("excellent", "qualified", "basic")


def draft_grade_notice(
    session: Session, *, review_id: int, reason: str, actor: Actor, now: datetime
) -> int | None:
    """Draft the notice of grades that are all decided, tell each member theirs, return its id.

    Whoever is graded unqualified is counted and not named. A notice that stands is replaced,
    for this reason. None when there is nobody to name: then the grades are final.
    Raises ReviewNotFound, ReviewNotConfirmed, and what notices.drafting raises.
    """
    review = review_of(session, review_id, actor.paths(*COMMITTEE_ROLES))
    lock_review(session, review_id)
    review = review_of(session, review_id, actor.paths(*COMMITTEE_ROLES))
    state = how_it_stands(session, review.notice_id).state if review.notice_id else ""
    if review.state != "confirmed" and (review.state, state) != ("noticed", "withdrawn"):
        raise ReviewNotConfirmed
    cases = cases_of(session, review_id)
    named = sorted(
        (each for each in cases if each.grade in GRADE_ORDER),
        key=lambda each: (GRADE_ORDER.index(each.grade or ""), each.name),
    )
    snapshot = snapshot_with(session, review.snapshot_id)
    said: dict[str, Any] = {
        "title": TITLE.format(
            place=review.organization_name, period=period_in_chinese(snapshot.span)
        ),
        "facts": {
            "period": review.period,
            "standard": snapshot.standard_version,
            "members": len(cases),
            "exempt": snapshot.members - len(cases),
            "unnamed": len(cases) - len(named),
            "snapshot": snapshot.version,
            "snapshot_digest": snapshot.digest,
        },
        "lines": [DraftLine(each.member_id, None, {"grade": each.grade}) for each in named],
        "now": now,
    }
    if not named:
        notice_id = None
    elif review.notice_id is not None and state in ALIVE:
        notice_id = replace_notice(
            session,
            notice_id=review.notice_id,
            by_id=actor.member_id,
            reason=reason or snapshot.reason,
            **said,
        )
    else:
        notice_id = draft_notice(
            session,
            kind="grade",
            subject=f"grades:{review.period}:{review.organization_id}",
            organization_id=review.organization_id,
            drafted_by_id=actor.member_id,
            window_days=window_days_of("grade"),
            replaces_id=review.notice_id,
            **said,
        )
    session.execute(
        update(GradeReview)
        .where(GradeReview.id == review_id)
        .values(
            state="noticed" if notice_id else "final",
            notice_id=notice_id or review.notice_id,
            final_at=None if notice_id else now,
        )
    )
    _tell(session, review_id, kind="grade_decided" if notice_id else "grade_final", now=now)
    return notice_id


def finish_locked(session: Session, *, now: datetime, limit: int) -> int:
    """Make grades final whose notice is locked, and tell the members; return how many reviews.

    limit: at most so many at once.
    """
    found = session.scalars(
        select(GradeReview.id)
        .join(Notice, Notice.id == GradeReview.notice_id)
        .where(GradeReview.state == "noticed", Notice.state == "locked")
        .order_by(GradeReview.id)
        .limit(limit)
        .with_for_update(of=GradeReview, key_share=True)
    ).all()
    for review_id in found:
        session.execute(
            update(GradeReview)
            .where(GradeReview.id == review_id)
            .values(state="final", final_at=now)
        )
        note(
            session,
            at=now,
            actor_id=None,
            action="finish_grades",
            subject=("grade_review", review_id),
        )
        _tell(session, review_id, kind="grade_final", now=now)
    return len(found)


def _tell(session: Session, review_id: int, *, kind: str, now: datetime) -> None:
    """Tell each member their grade, again only after it was decided anew."""
    review = review_of(session, review_id, ("/",))
    for each in cases_of(session, review_id):
        tell(
            session,
            key=f"{kind}:{review_id}:{each.member_id}:{each.round}",
            member_id=each.member_id,
            kind=kind,
            facts={"period": review.period, "grade": each.grade, "advised": each.advised},
            now=now,
        )
