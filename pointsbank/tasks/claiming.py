"""Writes of places: claimed, accepted, given up, handed on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, bindparam, func, insert, select, text, update
from sqlalchemy.orm import Session

from pointsbank.core.audit import AuditEntry
from pointsbank.core.calendar import local_day
from pointsbank.messages.service import tell
from pointsbank.tasks.claims import Overlap, overlaps_of, position_of
from pointsbank.tasks.eligibility import Fitness, Person, both, judge_eligibility
from pointsbank.tasks.errors import (
    ClaimNotFound,
    ClaimsClosed,
    ClaimsNotOpenYet,
    NotEligible,
    NotOpen,
    OfferLapsed,
    RoleNotFound,
    ShiftNotFound,
    ShiftOver,
)
from pointsbank.tasks.fitness import people_of
from pointsbank.tasks.group_places import give_group_place_back, take_group_place
from pointsbank.tasks.models import UNSEEN_STATES, Claim, Shift, ShiftRole, Task

# Whoever says so a day before leaves the organizer time to find somebody else; and everyone may
# think again for an hour.
# How the audit trail tells that people promised another time or place.
MOVES = ("date_changed", "shift_moved")
MOVED_FIELDS = {"starts_at", "ends_at", "place_name", "latitude", "longitude"}
TOLD_IN_TIME_BEFORE = timedelta(hours=24)
SECOND_THOUGHTS = timedelta(hours=1)
# Somebody who moved up has half a day to accept, but the organizer knows two hours before.
OFFER_LASTS = timedelta(hours=12)
OFFER_ENDS_BEFORE = timedelta(hours=2)
# So shortly before the start nobody is asked: the place is theirs.
OFFER_NOT_WITHIN = timedelta(hours=3)
# Where ages are counted when a caller names no other place.
HOME_ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class ClaimHeld:
    """A claim as it stands; position is the place in the role's waiting line, from 1, None for
    a claimed place.

    accept_by: until when somebody who moved up keeps the place without saying so. overlaps:
    other shifts of this person at the same time. is_eligible: False for somebody whom the lead
    let in all the same.
    """

    id: int
    state: str
    position: int | None
    role_id: int | None = None
    accept_by: datetime | None = None
    overlaps: tuple[Overlap, ...] = ()
    is_eligible: bool = True


@dataclass(frozen=True)
class LockedShift:
    """A shift whose row is locked, with what its task says; state is the task's."""

    id: int
    task_id: int
    starts_at: datetime
    ends_at: datetime
    places: int
    called_off_at: datetime | None
    title: str
    state: str
    eligibility: dict[str, Any]
    claims_open_at: datetime | None
    claims_close_at: datetime | None


@dataclass(frozen=True)
class Wish:
    """What a person wants of a shift; role_id None: whichever has a place for them."""

    member_id: int
    role_id: int | None
    source: str
    group_claim_id: int | None
    is_lead_present: bool


# Built once: every claim and every settlement asks both.
SHIFT_TO_LOCK = (
    select(
        Shift.id,
        Shift.task_id,
        Shift.starts_at,
        Shift.ends_at,
        Shift.places,
        Shift.called_off_at,
    )
    .where(Shift.id == bindparam("id"))
    .with_for_update(key_share=True)
)
TASK_BEHIND_LOCK = select(
    Task.title, Task.state, Task.eligibility, Task.claims_open_at, Task.claims_close_at
).where(Task.id == bindparam("id"))

# So are the questions of a claim itself, and the counts of places that it changes.
HELD_BEFORE = select(Claim.id, Claim.state).where(
    Claim.shift_id == bindparam("shift_id"),
    Claim.member_id == bindparam("member_id"),
    Claim.state != "withdrawn",
)
CLAIM_AS_IT_STANDS = select(
    Claim.state, Claim.role_id, Claim.member_id, Claim.queue_no, Claim.accept_by
).where(Claim.id == bindparam("id"))
ROLES_OF_SHIFT = (
    select(ShiftRole.id, ShiftRole.places, ShiftRole.claimed, ShiftRole.eligibility)
    .where(ShiftRole.shift_id == bindparam("shift_id"))
    .order_by(ShiftRole.id)
)
LAST_NUMBER = select(func.max(Claim.queue_no)).where(Claim.shift_id == bindparam("shift_id"))
TAKE_ROLE = text(
    "UPDATE shift_role SET claimed = claimed + 1"
    " WHERE id = :role_id AND claimed < places RETURNING id"
)
TAKE_SHIFT = text("UPDATE shift SET claimed = claimed + 1 WHERE id = :shift_id")


def locked_shift(session: Session, shift_id: int) -> LockedShift:
    """Lock a shift until the transaction ends and return it with what its task says.

    Everything that changes who has a place takes this lock first, so the queue has one order;
    a task is called off under the locks of its shifts, so its state is read behind this one.
    Scans, whose rows only point at the shift, do not wait for it. Raises ShiftNotFound.
    """
    shift = session.execute(SHIFT_TO_LOCK, {"id": shift_id}).first()
    if shift is None:
        raise ShiftNotFound
    return LockedShift(*shift, *session.execute(TASK_BEHIND_LOCK, {"id": shift.task_id}).one())


def claim_shift(
    session: Session,
    *,
    shift_id: int,
    member_id: int,
    now: datetime,
    role_id: int | None = None,
    source: str = "self",
    group_claim_id: int | None = None,
    is_lead_present: bool = False,
    zone: ZoneInfo = HOME_ZONE,
) -> ClaimHeld:
    """Claim a place on a shift, or a place in the role's waiting line when it is full.

    role_id: None for the first role with a free place that the person is eligible for, else
    the first such role's line. source: walk_in passes the claim window; group_claim_id: the
    group that keeps the place. A repeat answers the claim held, which a kept place lifts out
    of the line.
    Raises ShiftNotFound (also for a draft), NotOpen, ShiftOver, ClaimsNotOpenYet, ClaimsClosed,
    RoleNotFound, and NotEligible, except for a walk-in that the lead lets in.
    """
    shift = locked_shift(session, shift_id)
    wish = Wish(member_id, role_id, source, group_claim_id, is_lead_present)
    held = session.execute(HELD_BEFORE, {"shift_id": shift_id, "member_id": member_id}).first()
    if held is not None:
        if held.state == "waitlisted" and group_claim_id is not None:
            _lift_into_group(session, held.id, group_claim_id, role_id, now)
        return _held(session, held.id, shift)
    _demand_open(shift, source, now)
    role, is_eligible = _chosen_role(session, shift, wish, zone)
    is_kept = group_claim_id is not None and take_group_place(session, group_claim_id, role.id)
    state = "claimed" if is_kept or take_place(session, shift_id, role.id) else "waitlisted"
    claim_id = session.execute(
        insert(Claim)
        .values(
            shift_id=shift_id,
            role_id=role.id,
            member_id=member_id,
            state=state,
            source=source,
            group_claim_id=group_claim_id if is_kept else None,
            queue_no=_next_number(session, shift_id),
            claimed_at=now,
        )
        .returning(Claim.id)
    ).scalar_one()
    return _held(session, claim_id, shift, is_eligible=is_eligible)


def _demand_open(shift: LockedShift, source: str, now: datetime) -> None:
    if shift.state in UNSEEN_STATES:
        raise ShiftNotFound
    if shift.state != "open" or shift.called_off_at is not None:
        raise NotOpen
    if shift.ends_at <= now:
        raise ShiftOver
    if source == "walk_in":
        return
    if shift.claims_open_at is not None and now < shift.claims_open_at:
        raise ClaimsNotOpenYet(opens_at=shift.claims_open_at.isoformat())
    if shift.claims_close_at is not None and now >= shift.claims_close_at:
        raise ClaimsClosed(closed_at=shift.claims_close_at.isoformat())


def _chosen_role(
    session: Session, shift: LockedShift, wish: Wish, zone: ZoneInfo
) -> tuple[Row[*tuple[Any, ...]], bool]:
    """Return the role that a person gets a place or a place in line of, and whether they are
    eligible for it."""
    roles = session.execute(ROLES_OF_SHIFT, {"shift_id": shift.id}).all()
    if wish.role_id is not None:
        roles = [role for role in roles if role.id == wish.role_id]
        if not roles:
            raise RoleNotFound
    trees = [both(shift.eligibility, role.eligibility) for role in roles]
    if not any(trees):
        return _with_room(roles), True
    person = people_of(session, [wish.member_id], local_day(shift.starts_at, zone))
    fits = fitness_for(trees, person[wish.member_id])
    fitting = [role for role, fit in zip(roles, fits, strict=True) if fit.is_eligible]
    if fitting:
        return _with_room(fitting), True
    if wish.source == "walk_in" and wish.is_lead_present:
        return _with_room(roles), False
    easiest = judge_eligibility({"any": trees}, person[wish.member_id])
    raise NotEligible(missing=list(easiest.missing))


def fitness_for(trees: Sequence[dict[str, Any]], person: Person) -> list[Fitness]:
    """Return how a person fits each of these trees."""
    return [judge_eligibility(tree, person) for tree in trees]


def _with_room(roles: Sequence[Row[*tuple[Any, ...]]]) -> Row[*tuple[Any, ...]]:
    return next((role for role in roles if role.claimed < role.places), roles[0])


def _next_number(session: Session, shift_id: int) -> int:
    return (session.scalar(LAST_NUMBER, {"shift_id": shift_id}) or 0) + 1


def _lift_into_group(
    session: Session, claim_id: int, group_claim_id: int, role_id: int | None, now: datetime
) -> None:
    """Give somebody who waits the place that their group keeps for them, if it still does."""
    if role_id is None or not take_group_place(session, group_claim_id, role_id):
        return
    session.execute(
        update(Claim)
        .where(Claim.id == claim_id)
        .values(
            state="claimed", role_id=role_id, group_claim_id=group_claim_id, promoted_at=now
        )
    )


def _held(
    session: Session, claim_id: int, shift: LockedShift, *, is_eligible: bool = True
) -> ClaimHeld:
    claim = session.execute(CLAIM_AS_IT_STANDS, {"id": claim_id}).one()
    waits = claim.state == "waitlisted"
    return ClaimHeld(
        claim_id,
        claim.state,
        position_of(session, shift.id, claim.queue_no) if waits else None,
        claim.role_id,
        claim.accept_by,
        overlaps_of(session, claim.member_id, shift.id, shift.starts_at, shift.ends_at),
        is_eligible,
    )


def take_place(session: Session, shift_id: int, role_id: int) -> bool:
    """Count one more place of a role as taken, if one is free.

    The caller holds the lock of the shift.
    """
    if session.execute(TAKE_ROLE, {"role_id": role_id}).first() is None:
        return False
    session.execute(TAKE_SHIFT, {"shift_id": shift_id})
    return True


def free_place(session: Session, shift_id: int, role_id: int, now: datetime) -> None:
    """Give a place that became free to the first in the role's line, else count it as free.

    The caller holds the lock of the shift.
    """
    if _move_up(session, shift_id, role_id, now):
        return
    session.execute(
        update(ShiftRole).where(ShiftRole.id == role_id).values(claimed=ShiftRole.claimed - 1)
    )
    session.execute(update(Shift).where(Shift.id == shift_id).values(claimed=Shift.claimed - 1))


def _move_up(session: Session, shift_id: int, role_id: int, now: datetime) -> bool:
    """Hand a place to the first in the role's line, if there is one, and tell them."""
    first = session.execute(
        select(Claim.id, Claim.member_id, Shift.starts_at, Task.id.label("task_id"), Task.title)
        .join(Shift, Shift.id == Claim.shift_id)
        .join(Task, Task.id == Shift.task_id)
        .where(Claim.role_id == role_id, Claim.state == "waitlisted")
        .order_by(Claim.queue_no)
        .limit(1)
    ).first()
    if first is None:
        return False
    accept_by = offer_ends(first.starts_at, now)
    session.execute(
        update(Claim)
        .where(Claim.id == first.id)
        .values(state="claimed", promoted_at=now, accept_by=accept_by)
    )
    facts = {
        "task_id": first.task_id,
        "shift": shift_id,
        "title": first.title,
        "starts_at": first.starts_at.isoformat(),
    }
    if accept_by is not None:
        facts["accept_by"] = accept_by.isoformat()
    tell(
        session,
        key=f"claim:{first.id}:moved_up",
        member_id=first.member_id,
        kind="place_yours" if accept_by is None else "place_offered",
        facts=facts,
        now=now,
    )
    return True


def offer_ends(starts_at: datetime, now: datetime) -> datetime | None:
    """Return until when somebody who moves up now is to accept; None when nobody is asked."""
    if starts_at - now <= OFFER_NOT_WITHIN:
        return None
    return min(now + OFFER_LASTS, starts_at - OFFER_ENDS_BEFORE)


def give_up_claim(
    session: Session, *, claim_id: int, member_id: int, now: datetime, reason: str | None = None
) -> None:
    """Give the person's own place up; the first in the role's line moves up. A repeat changes
    nothing.

    Raises ClaimNotFound, for another's claim as for an unknown one, and ShiftOver.
    """
    shift = _shift_of_claim(session, claim_id, member_id)
    claim = session.execute(select(Claim.__table__).where(Claim.id == claim_id)).one()
    if claim.state == "withdrawn":
        return
    if shift.ends_at <= now:
        raise ShiftOver
    session.execute(
        update(Claim)
        .where(Claim.id == claim_id)
        .values(
            state="withdrawn",
            accept_by=None,
            withdrawn_at=now,
            withdrawn_reason=reason or None,
            withdrawal="gave_up",
            told_in_time=is_told_in_time(
                claim, shift.starts_at, now, moved_at=moved_at(session, shift.id)
            ),
        )
    )
    if claim.state == "claimed":
        _hand_back(session, shift.id, claim, now)


def moved_at(session: Session, shift_id: int) -> datetime | None:
    """Return when the organizer last moved a shift to another time or place; None: never."""
    rows = session.execute(
        select(AuditEntry.at, AuditEntry.action, AuditEntry.facts)
        .where(
            AuditEntry.subject_kind == "shift",
            AuditEntry.subject_id == shift_id,
            AuditEntry.action.in_(MOVES),
        )
        .order_by(AuditEntry.id.desc())
    )
    return next(
        (row.at for row in rows if set(row.facts.get("fields", ())) & MOVED_FIELDS), None
    )


def is_told_in_time(
    claim: Any, starts_at: datetime, now: datetime, *, moved_at: datetime | None = None
) -> bool:
    """Tell whether giving a claim up at this moment lets nobody down.

    claim: its state, accept_by, claimed_at and promoted_at. Who only waits, or has not yet
    accepted a place, is always in time. moved_at: when the organizer last moved the shift;
    whoever had their place before that promised something else.
    """
    if claim.state == "waitlisted" or claim.accept_by is not None:
        return True
    had_since = claim.promoted_at or claim.claimed_at
    if moved_at is not None and moved_at > had_since:
        return True
    return bool(now <= starts_at - TOLD_IN_TIME_BEFORE or now - had_since <= SECOND_THOUGHTS)


def _hand_back(session: Session, shift_id: int, claim: Any, now: datetime) -> None:
    """Hand a withdrawn claim's place back: to its group, to the line, or to everyone."""
    group_claim_id = claim.group_claim_id
    if group_claim_id is not None and give_group_place_back(session, group_claim_id):
        return
    free_place(session, shift_id, claim.role_id, now)


def _shift_of_claim(session: Session, claim_id: int, member_id: int) -> LockedShift:
    shift_id = session.scalar(
        select(Claim.shift_id).where(Claim.id == claim_id, Claim.member_id == member_id)
    )
    if shift_id is None:
        raise ClaimNotFound
    return locked_shift(session, shift_id)


def accept_place(session: Session, *, claim_id: int, member_id: int, now: datetime) -> None:
    """Keep the place that the person moved up to; a repeat changes nothing.

    As long as nobody else got it, a late answer keeps it too.
    Raises ClaimNotFound, for another's claim as for an unknown one, and OfferLapsed.
    """
    _shift_of_claim(session, claim_id, member_id)
    claim = session.execute(
        select(Claim.state, Claim.withdrawal).where(Claim.id == claim_id)
    ).one()
    if claim.withdrawal == "offer_lapsed":
        raise OfferLapsed
    if claim.state == "withdrawn":
        raise ClaimNotFound
    keep_place(session, claim_id)


def keep_place(session: Session, claim_id: int) -> None:
    """Take somebody who moved up as having accepted, because they said so or came.

    It needs no lock but its own row's: a lapse at the same moment looks at that row again.
    """
    session.execute(
        update(Claim)
        .where(Claim.id == claim_id, Claim.accept_by.is_not(None))
        .values(accept_by=None)
    )


def lapse_places(session: Session, *, now: datetime, limit: int) -> int:
    """Take back places that people moved up to and did not accept in time; the next in line
    moves up. Return how many were looked at, at most limit.

    Who moved up to a shift that has begun meanwhile keeps the place.
    """
    due = session.execute(
        select(Claim.id, Claim.shift_id)
        .where(Claim.accept_by <= now)
        .order_by(Claim.shift_id, Claim.id)
        .limit(limit)
    ).all()
    for claim_id, shift_id in due:
        _lapse(session, claim_id, locked_shift(session, shift_id), now)
    return len(due)


def _lapse(session: Session, claim_id: int, shift: LockedShift, now: datetime) -> None:
    if shift.starts_at <= now:
        keep_place(session, claim_id)
        return
    claim = session.execute(
        update(Claim)
        .where(Claim.id == claim_id, Claim.state == "claimed", Claim.accept_by <= now)
        .values(state="withdrawn", accept_by=None, withdrawn_at=now, withdrawal="offer_lapsed")
        .returning(Claim.member_id, Claim.role_id, Claim.group_claim_id)
    ).first()
    if claim is None:
        return
    tell(
        session,
        key=f"claim:{claim_id}:lapsed",
        member_id=claim.member_id,
        kind="place_lapsed",
        facts={
            "task_id": shift.task_id,
            "shift": shift.id,
            "title": shift.title,
            "starts_at": shift.starts_at.isoformat(),
        },
        now=now,
    )
    _hand_back(session, shift.id, claim, now)
