"""Somebody who had a place did not come: recorded by the lead, answered, then decided."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, insert, select, update
from sqlalchemy.orm import Session

from pointsbank.attendance.completing import open_shift
from pointsbank.attendance.errors import (
    AnswerTooLate,
    HasCome,
    NoShowDecided,
    NoShowNotFound,
    OwnNoShow,
    ShiftNotOver,
)
from pointsbank.attendance.models import NoShow
from pointsbank.attendance.sheet import SheetLine, sheet_lines
from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.text import masked_name
from pointsbank.members.models import Member
from pointsbank.members.queries import role_holders_over
from pointsbank.messages.service import tell, tell_each
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import within
from pointsbank.tasks.claiming import locked_shift
from pointsbank.tasks.models import Claim, Shift, Task

# Rule: docs/scanning.md, "No-shows".
ANSWER_DAYS = 7
# Who excuses or upholds, within their scope.
DECIDERS = ("administrator", "secretary")
OPEN_STATES = ("recorded", "answered")
STATE_OF = {"excuse": "excused", "uphold": "upheld"}


@dataclass(frozen=True)
class NoShowFile:
    """A record with its shift; name is the full name, doors mask it."""

    claim_id: int
    member_id: int
    name: str
    state: str
    recorded_by_id: int
    recorded_at: datetime
    answer: str | None
    answered_at: datetime | None
    decided_at: datetime | None
    shift_id: int
    title: str
    starts_at: datetime
    ends_at: datetime
    path: str

    @property
    def display_name(self) -> str:
        """The masked name."""
        return masked_name(self.name)

    @property
    def answer_by(self) -> datetime:
        """Until when the person can answer."""
        return self.recorded_at + timedelta(days=ANSWER_DAYS)


def _files() -> Select[*tuple[Any, ...]]:
    return (
        select(
            NoShow.claim_id,
            NoShow.member_id,
            Member.name,
            NoShow.state,
            NoShow.recorded_by_id,
            NoShow.recorded_at,
            NoShow.answer,
            NoShow.answered_at,
            NoShow.decided_at,
            Claim.shift_id,
            Task.title,
            Shift.starts_at,
            Shift.ends_at,
            Organization.path,
        )
        .join(Claim, Claim.id == NoShow.claim_id)
        .join(Member, Member.id == NoShow.member_id)
        .join(Shift, Shift.id == Claim.shift_id)
        .join(Task, Task.id == Shift.task_id)
        .join(Organization, Organization.id == Task.organization_id)
    )


def _listed(session: Session, statement: Select[*tuple[Any, ...]]) -> list[NoShowFile]:
    rows: Iterable[Any] = session.execute(statement)
    return [NoShowFile(*row) for row in rows]


def no_shows_of(session: Session, member_id: int) -> list[NoShowFile]:
    """Return the records about a member, newest first, without those that were excused."""
    statement = _files().where(NoShow.member_id == member_id, NoShow.state != "excused")
    return _listed(session, statement.order_by(NoShow.recorded_at.desc(), NoShow.claim_id))


def no_shows_within(
    session: Session, paths: Sequence[str], *, after_id: int = 0, limit: int = 50
) -> list[NoShowFile]:
    """Return the records under these paths that nobody decided, by the ids of their claims."""
    statement = _files().where(
        within(Organization.path, paths),
        NoShow.state.in_(OPEN_STATES),
        NoShow.claim_id > after_id,
    )
    return _listed(session, statement.order_by(NoShow.claim_id).limit(limit))


def no_show_of(
    session: Session,
    claim_id: int,
    *,
    member_id: int | None = None,
    paths: Sequence[str] | None = None,
) -> NoShowFile:
    """Return the record about a claim: a member's own, or one under these paths.

    Raises NoShowNotFound, for a foreign one as for an unknown one.
    """
    for found in _listed(session, _files().where(NoShow.claim_id == claim_id)):
        is_own = member_id is not None and found.member_id == member_id
        if is_own or any(found.path.startswith(path) for path in paths or ()):
            return found
    raise NoShowNotFound


def has_stayed_away(line: SheetLine) -> bool:
    """Tell whether a person of the sheet had a place, did not come, and is not recorded."""
    return line.claim_state == "claimed" and not line.has_come and line.missed_at is None


def record_no_shows(
    session: Session,
    *,
    shift_id: int,
    actor_id: int,
    paths: Sequence[str],
    now: datetime,
    only: Collection[int] | None = None,
) -> int:
    """Record who had a place and did not come, tell each, and return how many are new.

    only: these members; everyone when not given, without the lead themself. A repeat records
    nobody twice; who was excused stays excused.
    Raises ShiftNotFound, NotOpen, ShiftNotOver, HasCome for a member who came or has no place.
    """
    shift, task = open_shift(session, shift_id, paths)
    if now < shift.ends_at:
        raise ShiftNotOver
    locked_shift(session, shift_id)
    lines = sheet_lines(session, shift_id, member_ids=only)
    if only is not None:
        away = {line.member_id for line in lines if not line.has_come}
        if set(only) - away or actor_id in only:
            raise HasCome
    known = set(
        session.scalars(
            select(NoShow.claim_id).where(
                NoShow.claim_id.in_([each.claim_id for each in lines])
            )
        )
    )
    missed = [
        line
        for line in lines
        if has_stayed_away(line) and line.member_id != actor_id and line.claim_id not in known
    ]
    for line in missed:
        _record(session, line, actor_id, now)
        tell(
            session,
            key=f"no_show:{line.claim_id}:{int(now.timestamp())}:recorded",
            member_id=line.member_id,
            kind="no_show_recorded",
            facts={
                "claim_id": line.claim_id,
                "title": task.title,
                "starts_at": shift.starts_at.isoformat(),
                "answer_by": (now + timedelta(days=ANSWER_DAYS)).isoformat(),
            },
            now=now,
        )
    if missed:
        note(
            session,
            at=now,
            actor_id=actor_id,
            action="no_shows_recorded",
            subject=("shift", shift_id),
            people=len(missed),
        )
    return len(missed)


def _record(session: Session, line: SheetLine, actor_id: int, now: datetime) -> None:
    session.execute(
        insert(NoShow).values(
            claim_id=line.claim_id,
            member_id=line.member_id,
            recorded_by_id=actor_id,
            recorded_at=now,
            state="recorded",
        )
    )
    session.execute(update(Claim).where(Claim.id == line.claim_id).values(missed_at=now))


def forget_no_show(session: Session, *, claim_id: int) -> None:
    """Take a record back, because its person came after all: a station's scan arrived late."""
    session.execute(delete(NoShow).where(NoShow.claim_id == claim_id))
    session.execute(update(Claim).where(Claim.id == claim_id).values(missed_at=None))


def answer_no_show(
    session: Session, *, claim_id: int, member_id: int, answer: str, now: datetime
) -> NoShowFile:
    """Say why one did not come, or that one did; a further answer takes the place of the first.

    Raises NoShowNotFound, NoShowDecided, AnswerTooLate after seven days.
    """
    found = no_show_of(session, claim_id, member_id=member_id)
    if now > found.answer_by:
        raise AnswerTooLate(days=ANSWER_DAYS)
    answered = session.execute(
        update(NoShow)
        .where(NoShow.claim_id == claim_id, NoShow.state.in_(OPEN_STATES))
        .values(state="answered", answer=answer, answered_at=now)
        .returning(NoShow.claim_id)
    ).first()
    if answered is None:
        raise NoShowDecided(state=no_show_of(session, claim_id, member_id=member_id).state)
    deciders: list[int] = []
    for role in ("secretary", "administrator"):
        holders = role_holders_over(session, found.path, [role])
        deciders = [each for each in holders if each not in (member_id, found.recorded_by_id)]
        if deciders:
            break
    tell_each(
        session,
        key=f"no_show:{claim_id}:{int(found.recorded_at.timestamp())}:answered",
        member_ids=deciders,
        kind="no_show_answered",
        facts={"title": found.title, "starts_at": found.starts_at.isoformat()},
        now=now,
    )
    return no_show_of(session, claim_id, member_id=member_id)


def decide_no_show(
    session: Session, *, claim_id: int, actor: Actor, decision: str, now: datetime
) -> NoShowFile:
    """Excuse ("excuse") or uphold ("uphold") a record, once, as neither of its two people.

    Raises NoShowNotFound, OwnNoShow, NoShowDecided.
    """
    paths = actor.paths(*DECIDERS)
    found = no_show_of(session, claim_id, paths=paths)
    if actor.member_id in (found.member_id, found.recorded_by_id):
        raise OwnNoShow
    state = STATE_OF[decision]
    decided = session.execute(
        update(NoShow)
        .where(NoShow.claim_id == claim_id, NoShow.state.in_(OPEN_STATES))
        .values(state=state, decided_by_id=actor.member_id, decided_at=now)
        .returning(NoShow.claim_id)
    ).first()
    if decided is None:
        raise NoShowDecided(state=no_show_of(session, claim_id, paths=paths).state)
    if state == "excused":
        session.execute(update(Claim).where(Claim.id == claim_id).values(missed_at=None))
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action=f"no_show_{state}",
        subject=("claim", claim_id),
    )
    tell(
        session,
        key=f"no_show:{claim_id}:{int(found.recorded_at.timestamp())}:{state}",
        member_id=found.member_id,
        kind="no_show_excused" if state == "excused" else "no_show_upheld",
        facts={"title": found.title, "starts_at": found.starts_at.isoformat()},
        now=now,
    )
    return no_show_of(session, claim_id, paths=paths)
