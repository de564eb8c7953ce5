"""Honours of members: recorded by one person, confirmed by another, withdrawn when wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, bindparam, insert, select, text
from sqlalchemy.orm import Session, aliased

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.db import Moment
from pointsbank.core.text import masked_name
from pointsbank.members.honours_errors import (
    BadGrantedOn,
    HonourDecided,
    HonourNotFound,
    HonourRecorded,
    OwnHonour,
    SecondPersonForHonour,
)
from pointsbank.members.honours_models import Honour
from pointsbank.members.models import Member
from pointsbank.members.queries import member_in_scope

KEEPERS = ("administrator", "secretary")
# A wrong century is noticed; medals of long ago are entered all the same.
GRANTED_YEARS_MAX = 80

# Of several decisions and a withdrawal one finds it as it was.
DECIDE = text(
    """
    UPDATE honour SET state = :state, decided_by_id = :actor_id, decided_at = :now,
                      decision_reason = :reason
    WHERE id = :id AND state = 'pending'
    RETURNING id
    """
).bindparams(bindparam("now", type_=Moment()))
WITHDRAW = text(
    """
    UPDATE honour SET state = 'withdrawn'
    WHERE id = :id AND state IN ('pending', 'confirmed')
    RETURNING id
    """
)


@dataclass(frozen=True)
class NewHonour:
    """What a commendation says; document: the paper's words."""

    title: str
    grantor: str
    granted_on: date
    document_no: str = ""
    document: str = ""


@dataclass(frozen=True)
class HonourLine:
    """An honour as it is shown; names of who recorded and confirmed it are masked."""

    id: int
    member_id: int
    title: str
    grantor: str
    granted_on: date
    document_no: str
    document: str
    state: str
    recorded_by_id: int
    recorded_by: str
    recorded_at: datetime
    decided_by: str
    decided_at: datetime | None
    decision_reason: str


def record_honour(
    session: Session,
    *,
    actor: Actor,
    member_id: int,
    honour: NewHonour,
    today: date,
    now: datetime,
) -> int:
    """Record an honour of a member within the actor's scope, and return its id.

    It stands in the file once a second person has confirmed it.
    Raises MemberNotFound, OwnHonour, BadGrantedOn, HonourRecorded.
    """
    member = member_in_scope(session, actor.paths(*KEEPERS), member_id)
    if member_id == actor.member_id:
        raise OwnHonour
    earliest = date(today.year - GRANTED_YEARS_MAX, 1, 1)
    if not earliest <= honour.granted_on <= today:
        raise BadGrantedOn(years=GRANTED_YEARS_MAX)
    standing = session.scalar(
        select(Honour.id).where(
            Honour.member_id == member_id,
            Honour.title == honour.title,
            Honour.granted_on == honour.granted_on,
            Honour.state.in_(("pending", "confirmed")),
        )
    )
    if standing is not None:
        raise HonourRecorded
    honour_id = session.execute(
        insert(Honour)
        .values(
            **vars(honour),
            member_id=member_id,
            organization_id=member.organization_id,
            recorded_by_id=actor.member_id,
            recorded_at=now,
        )
        .returning(Honour.id)
    ).scalar_one()
    _note(session, actor, "record_honour", member_id, honour_id, now)
    return honour_id


def decide_honour(
    session: Session,
    *,
    actor: Actor,
    member_id: int,
    honour_id: int,
    is_confirmed: bool,
    reason: str,
    now: datetime,
) -> HonourLine:
    """Confirm or reject an honour as its second person, and return it as it stands then.

    Raises MemberNotFound, HonourNotFound, OwnHonour, SecondPersonForHonour, HonourDecided.
    """
    found = _judged(session, actor, member_id, honour_id)
    if found.recorded_by_id == actor.member_id:
        raise SecondPersonForHonour
    state = "confirmed" if is_confirmed else "rejected"
    values = {"id": honour_id, "actor_id": actor.member_id, "reason": reason, "now": now}
    if session.execute(DECIDE, {**values, "state": state}).first() is None:
        raise HonourDecided
    _note(session, actor, f"honour_{state}", member_id, honour_id, now)
    return honour_of(session, member_id, honour_id)


def withdraw_honour(
    session: Session, *, actor: Actor, member_id: int, honour_id: int, now: datetime
) -> None:
    """Withdraw an honour that was recorded by mistake; a repeat changes nothing.

    Raises MemberNotFound, HonourNotFound, OwnHonour, HonourDecided when it was rejected.
    """
    found = _judged(session, actor, member_id, honour_id)
    if session.execute(WITHDRAW, {"id": honour_id}).first() is None:
        if found.state == "rejected":
            raise HonourDecided
        return
    _note(session, actor, "withdraw_honour", member_id, honour_id, now)


def _judged(session: Session, actor: Actor, member_id: int, honour_id: int) -> HonourLine:
    member_in_scope(session, actor.paths(*KEEPERS), member_id)
    if member_id == actor.member_id:
        raise OwnHonour
    return honour_of(session, member_id, honour_id)


def _note(
    session: Session, actor: Actor, action: str, member_id: int, honour_id: int, now: datetime
) -> None:
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action=action,
        subject=("member", member_id),
        honour_id=honour_id,
    )


def _honours() -> Select[*tuple[Any, ...]]:
    recorder, decider = aliased(Member), aliased(Member)
    return (
        select(
            Honour.id,
            Honour.member_id,
            Honour.title,
            Honour.grantor,
            Honour.granted_on,
            Honour.document_no,
            Honour.document,
            Honour.state,
            Honour.recorded_by_id,
            recorder.name.label("recorded_by"),
            Honour.recorded_at,
            decider.name.label("decided_by"),
            Honour.decided_at,
            Honour.decision_reason,
        )
        .join(recorder, recorder.id == Honour.recorded_by_id)
        .outerjoin(decider, decider.id == Honour.decided_by_id)
    )


def _line(row: Any) -> HonourLine:
    names = {
        name: masked_name(row._mapping[name]) if row._mapping[name] else ""
        for name in ("recorded_by", "decided_by")
    }
    return HonourLine(**{**row._mapping, **names})


def honour_of(session: Session, member_id: int, honour_id: int) -> HonourLine:
    """Return one honour of a member.

    Raises HonourNotFound.
    """
    row = session.execute(
        _honours().where(Honour.id == honour_id, Honour.member_id == member_id)
    ).first()
    if row is None:
        raise HonourNotFound
    return _line(row)


def honours_of(
    session: Session, member_id: int, states: Sequence[str] = ("confirmed",)
) -> list[HonourLine]:
    """Return the honours of a member in these states, the newest first."""
    statement = (
        _honours()
        .where(Honour.member_id == member_id, Honour.state.in_(states))
        .order_by(Honour.granted_on.desc(), Honour.id.desc())
    )
    return [_line(row) for row in session.execute(statement)]
