"""An objection answered, then decided, by somebody it does not concern."""

from datetime import datetime

from sqlalchemy import bindparam, text, update
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.db import Moment
from pointsbank.core.text import holds_private_number
from pointsbank.members.queries import role_holders_over
from pointsbank.messages.service import tell, tell_each
from pointsbank.notices.drafting import lock_row
from pointsbank.notices.errors import PrivateNumber, ReasonMissing
from pointsbank.notices.models import Notice
from pointsbank.notices.objection_errors import (
    ObjectionAnswered,
    ObjectionDecided,
    OwnObjection,
)
from pointsbank.notices.objections import ObjectionFile, objection_in_scope
from pointsbank.notices.policy import REVIEWERS

# The guards: of several answers at once, or decisions, one finds it as it was.
ANSWER = text(
    """
    UPDATE objection SET state = :state, answered_by_id = :actor_id, answered_at = :now,
                         answer = :reason
    WHERE id = :id AND state = 'raised'
    RETURNING id
    """
).bindparams(bindparam("now", type_=Moment()))
DECIDE = text(
    """
    UPDATE objection SET state = :state, decided_by_id = :actor_id, decided_at = :now,
                         decision = :reason
    WHERE id = :id AND state = 'accepted'
    RETURNING id
    """
).bindparams(bindparam("now", type_=Moment()))


def answer_objection(
    session: Session,
    *,
    objection_id: int,
    actor: Actor,
    is_accepted: bool,
    reason: str,
    now: datetime,
) -> str:
    """Take an objection up for investigation or dismiss it with a reason; return its state.

    Raises ObjectionNotFound, also for whom it is about; OwnObjection, ObjectionAnswered,
    ReasonMissing, PrivateNumber.
    """
    found = _to_judge(session, objection_id, actor, reason)
    if not is_accepted and not reason:
        raise ReasonMissing
    state = "accepted" if is_accepted else "dismissed"
    values = {"id": objection_id, "actor_id": actor.member_id, "now": now, "reason": reason}
    if session.execute(ANSWER, {**values, "state": state}).first() is None:
        raise ObjectionAnswered
    _keep_trace(session, found, actor, f"objection_{state}", now)
    return state


def decide_objection(
    session: Session,
    *,
    objection_id: int,
    actor: Actor,
    is_upheld: bool,
    reason: str,
    now: datetime,
) -> str:
    """Decide what was investigated, with a reason; return the objection's state.

    Upheld: the notice is contested until it is corrected or withdrawn.
    Raises ObjectionNotFound, also for whom it is about; OwnObjection, ObjectionDecided,
    ReasonMissing, PrivateNumber.
    """
    found = _to_judge(session, objection_id, actor, reason)
    if not reason:
        raise ReasonMissing
    state = "upheld" if is_upheld else "rejected"
    values = {"id": objection_id, "actor_id": actor.member_id, "now": now, "reason": reason}
    if session.execute(DECIDE, {**values, "state": state}).first() is None:
        raise ObjectionDecided
    _keep_trace(session, found, actor, f"objection_{state}", now)
    if is_upheld:
        _contest(session, found, now)
    return state


def _to_judge(session: Session, objection_id: int, actor: Actor, reason: str) -> ObjectionFile:
    """Return an objection that this person may judge, with its notice's row locked."""
    found = objection_in_scope(session, actor.paths(*REVIEWERS), objection_id, actor.member_id)
    if found.objector_id == actor.member_id:
        raise OwnObjection
    if holds_private_number(reason):
        raise PrivateNumber
    # Whoever changes an objection first holds its notice: the clock and a correction wait.
    lock_row(session, found.notice_id)
    return found


def _contest(session: Session, found: ObjectionFile, now: datetime) -> None:
    session.execute(
        update(Notice)
        .where(Notice.id == found.notice_id, Notice.state.in_(("reviewed", "open")))
        .values(state="contested")
        .execution_options(synchronize_session=False)
    )
    tell_each(
        session,
        key=f"objection:{found.id}:contested",
        member_ids=set(role_holders_over(session, found.path, REVIEWERS)) - {found.about_id},
        kind="notice_contested",
        facts={"notice_id": found.notice_id, "title": found.title},
        now=now,
    )


def _keep_trace(
    session: Session, found: ObjectionFile, actor: Actor, action: str, now: datetime
) -> None:
    """Note who judged, and tell the objector where one is known."""
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action=action,
        subject=("objection", found.id),
        notice_id=found.notice_id,
    )
    if found.objector_id is not None:
        tell(
            session,
            key=f"objection:{found.id}:{action}",
            member_id=found.objector_id,
            kind=action,
            facts={
                "objection_id": found.id,
                "title": found.title,
                "decide_on": found.decide_by.isoformat(),
            },
            now=now,
        )
