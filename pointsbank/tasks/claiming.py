"""Writes of places: claimed, accepted, given up, handed on."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.orm import Session

from pointsbank.tasks.errors import (
    ClaimNotFound,
    NotOpen,
    RoleNotFound,
    ShiftNotFound,
    ShiftOver,
)
from pointsbank.tasks.group_places import give_group_place_back, take_group_place
from pointsbank.tasks.models import Claim, Shift, ShiftRole, Task
from pointsbank.tasks.queries import position_of


@dataclass(frozen=True)
class Overlap:
    """Another shift that the person has a claim on, and that overlaps in time."""

    title: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class ClaimHeld:
    """A claim as it stands; position is the place in the waiting line, from 1, None for a
    claimed place.

    accept_by: until when somebody who moved up keeps the place without saying so.
    """

    id: int
    state: str
    position: int | None
    role_id: int | None = None
    accept_by: datetime | None = None
    overlaps: tuple[Overlap, ...] = ()


def locked_shift(session: Session, shift_id: int) -> Row[*tuple[Any, ...]]:
    """Lock a shift until the transaction ends and return it with its task's state.

    Everything that changes who has a place takes this lock first, so the queue has one order.
    Raises ShiftNotFound.
    """
    row = session.execute(
        select(Shift.id, Shift.starts_at, Shift.ends_at, Shift.places, Task.state)
        .join(Task, Task.id == Shift.task_id)
        .where(Shift.id == shift_id)
        .with_for_update(of=Shift)
    ).first()
    if row is None:
        raise ShiftNotFound
    return row


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
) -> ClaimHeld:
    """Claim a place on a shift for the person who asks, or a place in its waiting line when it
    is full.

    A repeat answers the claim already held.
    Raises ShiftNotFound (also for a draft), NotOpen, ShiftOver, RoleNotFound.
    """
    shift = locked_shift(session, shift_id)
    held = session.execute(
        select(Claim.id, Claim.state, Claim.queue_no).where(
            Claim.shift_id == shift_id,
            Claim.member_id == member_id,
            Claim.state != "withdrawn",
        )
    ).first()
    if held is not None:
        return _held(session, held.id, held.state, shift_id, held.queue_no)
    if shift.state == "draft":
        raise ShiftNotFound
    if shift.state != "open":
        raise NotOpen
    if shift.ends_at <= now:
        raise ShiftOver
    roles = session.scalars(
        select(ShiftRole.id).where(ShiftRole.shift_id == shift_id).order_by(ShiftRole.id)
    ).all()
    if role_id is not None and role_id not in roles:
        raise RoleNotFound
    chosen = role_id if role_id is not None else roles[0]
    is_kept = group_claim_id is not None and take_group_place(session, group_claim_id, chosen)
    state = "claimed" if is_kept or take_place(session, shift_id, chosen) else "waitlisted"
    last = session.scalar(select(func.max(Claim.queue_no)).where(Claim.shift_id == shift_id))
    queue_no = (last or 0) + 1
    claim_id = session.execute(
        insert(Claim)
        .values(
            shift_id=shift_id,
            role_id=chosen,
            member_id=member_id,
            state=state,
            source=source,
            group_claim_id=group_claim_id if is_kept else None,
            queue_no=queue_no,
            claimed_at=now,
        )
        .returning(Claim.id)
    ).scalar_one()
    return _held(session, claim_id, state, shift_id, queue_no)


def take_place(session: Session, shift_id: int, role_id: int) -> bool:
    """Count one more place of a role as taken, if one is free."""
    taken = session.execute(
        update(ShiftRole)
        .where(ShiftRole.id == role_id, ShiftRole.claimed < ShiftRole.places)
        .values(claimed=ShiftRole.claimed + 1)
        .returning(ShiftRole.id)
    ).first()
    if taken is None:
        return False
    session.execute(update(Shift).where(Shift.id == shift_id).values(claimed=Shift.claimed + 1))
    return True


def free_place(session: Session, shift_id: int, role_id: int, now: datetime) -> None:
    """Give a place that became free to the first in the role's line, else count it as free.

    The caller holds the lock of the shift.
    """
    if _move_up(session, role_id, now):
        return
    session.execute(
        update(ShiftRole).where(ShiftRole.id == role_id).values(claimed=ShiftRole.claimed - 1)
    )
    session.execute(update(Shift).where(Shift.id == shift_id).values(claimed=Shift.claimed - 1))


def _held(
    session: Session, claim_id: int, state: str, shift_id: int, queue_no: int
) -> ClaimHeld:
    position = position_of(session, shift_id, queue_no) if state == "waitlisted" else None
    return ClaimHeld(claim_id, state, position)


def give_up_claim(
    session: Session, *, claim_id: int, member_id: int, now: datetime, reason: str | None = None
) -> None:
    """Give the person's own place up; the first in the waiting line moves up. A repeat changes
    nothing.

    Raises ClaimNotFound, for another's claim as for an unknown one, and ShiftOver.
    """
    claim = session.execute(
        select(Claim.shift_id).where(Claim.id == claim_id, Claim.member_id == member_id)
    ).first()
    if claim is None:
        raise ClaimNotFound
    shift = locked_shift(session, claim.shift_id)
    held = session.execute(
        select(Claim.state, Claim.role_id, Claim.group_claim_id).where(Claim.id == claim_id)
    ).one()
    if held.state == "withdrawn":
        return
    if shift.ends_at <= now:
        raise ShiftOver
    session.execute(
        update(Claim)
        .where(Claim.id == claim_id)
        .values(state="withdrawn", withdrawn_at=now, withdrawn_reason=reason)
    )
    is_kept = held.group_claim_id is not None and give_group_place_back(
        session, held.group_claim_id
    )
    if held.state == "claimed" and not is_kept:
        free_place(session, claim.shift_id, held.role_id, now)


def _move_up(session: Session, role_id: int, now: datetime) -> bool:
    """Hand a place that was given up to the first in the waiting line, if there is one."""
    first = session.scalar(
        select(Claim.id)
        .where(Claim.role_id == role_id, Claim.state == "waitlisted")
        .order_by(Claim.queue_no)
        .limit(1)
    )
    if first is None:
        return False
    session.execute(
        update(Claim).where(Claim.id == first).values(state="claimed", promoted_at=now)
    )
    return True


def accept_place(session: Session, *, claim_id: int, member_id: int, now: datetime) -> None:
    """Keep the place that the person moved up to; a repeat changes nothing.

    Raises ClaimNotFound, for another's claim as for an unknown one or one given up.
    """
    shift_id = session.scalar(
        select(Claim.shift_id).where(Claim.id == claim_id, Claim.member_id == member_id)
    )
    if shift_id is None:
        raise ClaimNotFound
    locked_shift(session, shift_id)
    kept = session.execute(
        update(Claim)
        .where(Claim.id == claim_id, Claim.state != "withdrawn")
        .values(accept_by=None)
        .returning(Claim.id)
    ).first()
    if kept is None:
        raise ClaimNotFound


def lapse_places(session: Session, *, now: datetime, limit: int) -> int:
    """Take back places that people moved up to and did not accept in time, the longest over
    first; the next in line moves up. Return how many.

    limit: how many at most in this transaction.
    """
    due = session.execute(
        select(Claim.id, Claim.shift_id, Claim.role_id)
        .where(Claim.accept_by <= now)
        .order_by(Claim.shift_id, Claim.id)
        .limit(limit)
    ).all()
    return sum(_lapse(session, *row, now) for row in due)


def _lapse(session: Session, claim_id: int, shift_id: int, role_id: int, now: datetime) -> bool:
    locked_shift(session, shift_id)
    lapsed = session.execute(
        update(Claim)
        .where(Claim.id == claim_id, Claim.state == "claimed", Claim.accept_by <= now)
        .values(state="withdrawn", accept_by=None, withdrawn_at=now, withdrawal="offer_lapsed")
        .returning(Claim.id)
    ).first()
    if lapsed is None:
        return False
    free_place(session, shift_id, role_id, now)
    return True
