"""A drafted notice looked at by others, so that nobody lets their own line pass."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.messages.service import tell_each
from pointsbank.notices.drafting import lock_row, withdraw_notice
from pointsbank.notices.models import Notice
from pointsbank.notices.objection_errors import (
    DraftReviewedByAnother,
    NoticeReviewed,
    OwnLine,
)
from pointsbank.notices.policy import REVIEWERS
from pointsbank.notices.queries import NoticeFile, notice_of, people_in
from pointsbank.organizations.workdays import is_working_day, working_day_after


@dataclass(frozen=True)
class Reviewed:
    """What became of a review. state: draft while the reviewer's own line waits for another."""

    state: str
    opened_on: date | None = None
    closes_on: date | None = None


def review_notice(
    session: Session, *, notice_id: int, actor: Actor, today: date, now: datetime
) -> Reviewed:
    """Let a draft pass to the public: today, or on the next day that is worked.

    Whoever stands in the list themself reviews the others' lines only; then a second reviewer
    is needed, and until then it stays a draft. Rule: docs/notices.md, "Review".
    Raises NoticeNotFound, NoticeReviewed, DraftReviewedByAnother, OwnLine.
    """
    notice_of(session, notice_id, actor.paths(*REVIEWERS))
    found = lock_row(session, notice_id)
    if found.state != "draft":
        raise NoticeReviewed
    if actor.member_id == found.drafted_by_id:
        raise DraftReviewedByAnother
    people = people_in(session, notice_id)
    is_alone = all(each == actor.member_id for each in people)
    if is_alone or found.reviewed_by_id == actor.member_id:
        raise OwnLine
    is_first = found.reviewed_by_id is None
    reviewer = "reviewed_by_id" if is_first else "also_reviewed_by_id"
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="review_notice",
        subject=("notice", notice_id),
        digest=found.digest,
    )
    if is_first and actor.member_id in people:
        _keep(session, notice_id, reviewed_by_id=actor.member_id, reviewed_at=now)
        return Reviewed("draft")
    opened_on = (
        today if is_working_day(session, today) else working_day_after(session, today, 1)
    )
    closes_on = last_day(session, found, opened_on)
    state = "open" if opened_on == today else "reviewed"
    _keep(
        session,
        notice_id,
        **{reviewer: actor.member_id},
        reviewed_at=now,
        state=state,
        opened_on=opened_on,
        closes_on=closes_on,
    )
    tell_each(
        session,
        key=f"notice:{notice_id}:names",
        member_ids=[each for each in people if each is not None],
        kind="notice_names_you",
        facts={
            "notice_id": notice_id,
            "title": found.title,
            "closes_on": closes_on.isoformat(),
        },
        now=now,
    )
    return Reviewed(state, opened_on, closes_on)


def last_day(session: Session, notice: NoticeFile, opened_on: date) -> date:
    """Return the last day of a window that opens on this day, which does not count itself.

    Rule: Civil Code, Art. 201. A corrected version is never shown for less than the version
    before it would have been; drafts that were replaced before anybody reviewed them had no
    days and are passed over.
    """
    closes_on = working_day_after(session, opened_on, notice.window_days)
    before = notice
    while before.replaces_id is not None:
        before = notice_of(session, before.replaces_id)
        if before.closes_on is not None:
            return max(closes_on, before.closes_on)
    return closes_on


def take_back(
    session: Session, *, notice_id: int, actor: Actor, reason: str, now: datetime
) -> None:
    """Withdraw a notice of one's scope for good: a draft that is wrong, or one that is shown.

    Raises NoticeNotFound, NoticeNotAlive, ObjectionsUndecided, ReasonMissing, PrivateNumber.
    """
    notice_of(session, notice_id, actor.paths(*REVIEWERS))
    withdraw_notice(session, notice_id=notice_id, by_id=actor.member_id, reason=reason, now=now)


def _keep(session: Session, notice_id: int, **values: object) -> None:
    session.execute(
        update(Notice)
        .where(Notice.id == notice_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
