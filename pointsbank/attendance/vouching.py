"""Co-signatures: a second person vouches for the list of a large shift before it is settled."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, exists, func, select, text
from sqlalchemy.orm import Session

from pointsbank.attendance.models import Attendance, CoSignature, Scan
from pointsbank.attendance.review_errors import (
    CannotVouch,
    CoSignatureMissing,
    NobodyCame,
    NoSuchSigner,
)
from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.db import Moment
from pointsbank.core.text import masked_name
from pointsbank.members.models import Member
from pointsbank.members.queries import role_holders_over
from pointsbank.messages.service import tell
from pointsbank.tasks.errors import ShiftNotFound
from pointsbank.tasks.queries import ShiftLine, TaskLine, shift_of

# Rule: docs/scanning.md, "Co-signing": above so many nobody can know every face.
CO_SIGN_ABOVE = 30
# Who oversees a shift without having been there.
OVERSEEING_ROLES = ("administrator", "secretary", "organizer")
# A list of names to choose a signer from stays one that a person can read.
SIGNERS_SHOWN_MAX = 60

# Signing again covers who has come since; of two at once the larger number stands.
SIGN = text(
    """
    INSERT INTO co_signature (shift_id, member_id, people, signed_at)
    VALUES (:shift_id, :member_id, :people, :now)
    ON CONFLICT (shift_id, member_id) DO UPDATE
        SET people = excluded.people, signed_at = excluded.signed_at
        WHERE co_signature.people < excluded.people
    """
).bindparams(bindparam("now", type_=Moment()))


@dataclass(frozen=True)
class Signature:
    """Who vouched, masked, for how many people, and when."""

    display_name: str
    people: int
    signed_at: datetime


@dataclass(frozen=True)
class Vouching:
    """Where the co-signing of a shift stands. people: how many have come."""

    people: int
    is_needed: bool
    is_signed: bool
    signatures: tuple[Signature, ...]


@dataclass(frozen=True)
class Signer:
    """Somebody who can be asked; is_overseer: without having been there."""

    member_id: int
    display_name: str
    is_overseer: bool


def people_come(session: Session, shift_id: int) -> int:
    """Return how many different people came, without those who say that they did not."""
    return int(
        session.scalar(
            select(func.count(Attendance.member_id.distinct())).where(
                Attendance.shift_id == shift_id, Attendance.state != "rejected"
            )
        )
        or 0
    )


def vouching_of(session: Session, shift_id: int) -> Vouching:
    """Return where the co-signing of a shift stands."""
    people = people_come(session, shift_id)
    rows = session.execute(
        select(
            Member.name, CoSignature.people, CoSignature.signed_at, _is_good().label("is_good")
        )
        .join(Member, Member.id == CoSignature.member_id)
        .where(CoSignature.shift_id == shift_id)
        .order_by(CoSignature.signed_at, CoSignature.member_id)
    ).all()
    return Vouching(
        people,
        is_needed=people > CO_SIGN_ABOVE,
        is_signed=any(row.is_good and row.people >= people for row in rows),
        signatures=tuple(
            Signature(masked_name(row.name), row.people, row.signed_at) for row in rows
        ),
    )


def demand_co_signature(session: Session, shift_id: int) -> None:
    """Let a settlement go on when the shift is small, or somebody vouched for all who came.

    Raises CoSignatureMissing. Rule: docs/scanning.md, "Co-signing".
    """
    people = people_come(session, shift_id)
    if people <= CO_SIGN_ABOVE:
        return
    signed = session.scalar(
        select(func.count())
        .select_from(CoSignature)
        .where(CoSignature.shift_id == shift_id, CoSignature.people >= people, _is_good())
    )
    if not signed:
        raise CoSignatureMissing(people=people)


def _is_good() -> ColumnElement[bool]:
    """Return the condition that who signed has not scanned others in since."""
    return ~_kept_the_list(CoSignature.shift_id, CoSignature.member_id)


def _kept_the_list(shift_id: Any, member_id: Any) -> ColumnElement[bool]:
    return exists().where(
        Scan.shift_id == shift_id,
        Scan.counts,
        Scan.actor_id == member_id,
        Scan.member_id != member_id,
    )


def list_to_vouch_for(
    session: Session, shift_id: int, actor: Actor
) -> tuple[ShiftLine, TaskLine]:
    """Return a shift to somebody who was there or oversees it.

    Raises ShiftNotFound for everybody else.
    """
    shift, task = shift_of(session, shift_id)
    if not (
        actor.oversees(task.path, *OVERSEEING_ROLES)
        or was_there(session, shift_id, actor.member_id)
    ):
        raise ShiftNotFound
    return shift, task


def was_there(session: Session, shift_id: int, member_id: int) -> bool:
    """Tell whether somebody stands among those who came to a shift."""
    found = session.scalar(
        select(Attendance.id)
        .where(
            Attendance.shift_id == shift_id,
            Attendance.member_id == member_id,
            Attendance.state != "rejected",
        )
        .limit(1)
    )
    return found is not None


def may_vouch(session: Session, shift_id: int, task: TaskLine, member_id: int) -> bool:
    """Tell whether somebody neither organizes a shift nor scanned others in there."""
    if member_id == task.organizer_id:
        return False
    return not session.scalar(select(_kept_the_list(shift_id, member_id)))


def co_sign(session: Session, *, shift_id: int, actor: Actor, now: datetime) -> Vouching:
    """Vouch for all who have come so far; signing again covers who came since.

    Raises ShiftNotFound for who was neither there nor oversees it, CannotVouch, NobodyCame.
    """
    _, task = list_to_vouch_for(session, shift_id, actor)
    if not may_vouch(session, shift_id, task, actor.member_id):
        raise CannotVouch
    people = people_come(session, shift_id)
    if people == 0:
        raise NobodyCame
    values = {
        "shift_id": shift_id,
        "member_id": actor.member_id,
        "people": people,
        "now": now,
    }
    session.execute(SIGN, values)
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="shift_co_signed",
        subject=("shift", shift_id),
        people=people,
    )
    return vouching_of(session, shift_id)


@dataclass(frozen=True)
class Listed:
    """One person of the list as a signer sees it: masked, with when they came and left."""

    display_name: str
    came_at: datetime | None
    left_at: datetime | None


def people_on_list(session: Session, shift_id: int) -> list[Listed]:
    """Return who came to a shift, in the order of their coming."""
    rows = session.execute(
        select(Member.name, Attendance.checked_in_at, Attendance.checked_out_at)
        .join(Member, Member.id == Attendance.member_id)
        .where(Attendance.shift_id == shift_id, Attendance.state != "rejected")
        .order_by(Attendance.checked_in_at, Attendance.id)
    )
    return [
        Listed(masked_name(row.name), row.checked_in_at, row.checked_out_at) for row in rows
    ]


def signers_for(session: Session, shift_id: int, task: TaskLine) -> list[Signer]:
    """Return who can be asked to sign: those who oversee the shift, then those who came."""
    overseers = role_holders_over(session, task.path, ("secretary", "administrator"))
    keepers = set(
        session.scalars(
            select(Scan.actor_id)
            .where(Scan.shift_id == shift_id, Scan.counts, Scan.actor_id != Scan.member_id)
            .distinct()
        )
    ) | {task.organizer_id}
    came = session.scalars(
        select(Attendance.member_id)
        .where(Attendance.shift_id == shift_id, Attendance.state != "rejected")
        .distinct()
        .order_by(Attendance.member_id)
        .limit(SIGNERS_SHOWN_MAX)
    ).all()
    wanted = [each for each in dict.fromkeys([*overseers, *came]) if each not in keepers]
    rows = session.execute(select(Member.id, Member.name).where(Member.id.in_(wanted)))
    names = {row.id: row.name for row in rows}
    there = set(came)
    return [
        Signer(each, masked_name(names[each]), is_overseer=each not in there)
        for each in wanted[:SIGNERS_SHOWN_MAX]
    ]


def ask_to_vouch(
    session: Session,
    *,
    shift_id: int,
    signer_id: int,
    actor_id: int,
    paths: Sequence[str],
    now: datetime,
) -> bool:
    """Ask somebody by a message to vouch for a shift's list; False when they were asked before.

    Raises ShiftNotFound, NoSuchSigner.
    """
    shift, task = shift_of(session, shift_id, paths)
    overseers = role_holders_over(session, task.path, ("secretary", "administrator"))
    is_known = signer_id in overseers or was_there(session, shift_id, signer_id)
    if not is_known or not may_vouch(session, shift_id, task, signer_id):
        raise NoSuchSigner
    is_new = tell(
        session,
        key=f"shift:{shift_id}:vouch:{signer_id}",
        member_id=signer_id,
        kind="co_signature_asked",
        facts={
            "shift_id": shift_id,
            "title": task.title,
            "starts_at": shift.starts_at.isoformat(),
        },
        now=now,
    )
    if is_new:
        note(
            session,
            at=now,
            actor_id=actor_id,
            action="co_signature_asked",
            subject=("shift", shift_id),
            member_id=signer_id,
        )
    return is_new
