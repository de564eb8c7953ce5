"""Head counts and roll calls: what the lead sees in the middle of a shift, beside the scans."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, insert, select, text
from sqlalchemy.orm import Session

from pointsbank.attendance.models import Attendance, HeadCount, RollCall, RollCallAnswer
from pointsbank.attendance.policy import Rules
from pointsbank.attendance.queries import arrivals_of
from pointsbank.attendance.review_errors import (
    NobodyCame,
    RollCallAnswered,
    RollCallNotFound,
    ShiftNotRunning,
)
from pointsbank.core.audit import note
from pointsbank.core.db import Moment
from pointsbank.core.text import masked_name
from pointsbank.members.models import Member
from pointsbank.tasks.claiming import locked_shift
from pointsbank.tasks.errors import ShiftNotFound
from pointsbank.tasks.queries import ShiftLine, shift_of

# Rule: docs/scanning.md, "In the middle of a shift": a tenth, and so many at least.
SAMPLE_SHARE = 10
SAMPLE_MIN = 3
# A slip of the finger is mended within so long; afterwards what was seen stands.
CORRECT_SECONDS = 60
# No place in a district holds more; a longer number is a slip.
HEADS_MAX = 10_000

# Of two answers at once one stands, and the other finds it.
ANSWER = text(
    """
    UPDATE roll_call_answer SET is_here = :is_here, answered_at = :now
    WHERE roll_call_id = :roll_call_id AND member_id = :member_id
      AND (is_here IS NULL OR answered_at >= :mendable_from)
    RETURNING is_here
    """
).bindparams(bindparam("now", type_=Moment()), bindparam("mendable_from", type_=Moment()))


@dataclass(frozen=True)
class HeadsSeen:
    """One count: how many were seen, and how many were there by the scans."""

    id: int
    counted: int
    by_scans: int
    counted_at: datetime


@dataclass(frozen=True)
class Called:
    """One person of a roll call, masked; is_here: None until it is known."""

    member_id: int
    display_name: str
    is_here: bool | None


@dataclass(frozen=True)
class Roll:
    """A roll call with everybody who was drawn for it."""

    id: int
    shift_id: int
    called_at: datetime
    people: tuple[Called, ...]

    @property
    def is_open(self) -> bool:
        """Whether it is not known of everybody yet."""
        return any(person.is_here is None for person in self.people)


def count_heads(
    session: Session,
    *,
    shift_id: int,
    counted: int,
    actor_id: int,
    paths: Sequence[str],
    rules: Rules,
    now: datetime,
) -> HeadsSeen:
    """Keep how many people the lead sees, beside how many are there by the scans.

    Every count is kept; the last one is weighed. Raises ShiftNotFound, ShiftNotRunning.
    """
    shift, _ = shift_of(session, shift_id, paths)
    _demand_running(shift, rules, now)
    by_scans = arrivals_of(session, shift_id).present
    count_id = session.execute(
        insert(HeadCount)
        .values(
            shift_id=shift_id,
            counted=counted,
            by_scans=by_scans,
            counted_by_id=actor_id,
            counted_at=now,
        )
        .returning(HeadCount.id)
    ).scalar_one()
    return HeadsSeen(count_id, counted, by_scans, now)


def head_counts(session: Session, shift_id: int) -> list[HeadsSeen]:
    """Return the counts of a shift, the newest first."""
    rows = session.execute(
        select(HeadCount.id, HeadCount.counted, HeadCount.by_scans, HeadCount.counted_at)
        .where(HeadCount.shift_id == shift_id)
        .order_by(HeadCount.id.desc())
    )
    return [HeadsSeen(*row) for row in rows]


def call_roll(
    session: Session,
    *,
    shift_id: int,
    actor_id: int,
    paths: Sequence[str],
    rules: Rules,
    chance: random.Random,
    now: datetime,
) -> Roll:
    """Draw a tenth of those present, three at least, and call them up.

    While one of those called is not marked yet, a repeat answers the same call: nobody draws
    until they like the names. Two at once meet at the shift's row.
    Raises ShiftNotFound, ShiftNotRunning, NobodyCame.
    """
    shift, _ = shift_of(session, shift_id, paths)
    _demand_running(shift, rules, now)
    locked_shift(session, shift_id)
    standing = latest_roll(session, shift_id)
    if standing is not None and standing.is_open:
        return standing
    present = [each for each in _present(session, shift_id) if each != actor_id]
    if not present:
        raise NobodyCame
    roll_id = session.execute(
        insert(RollCall)
        .values(shift_id=shift_id, called_by_id=actor_id, called_at=now)
        .returning(RollCall.id)
    ).scalar_one()
    drawn = sorted(chance.sample(present, sample_size(len(present))))
    session.execute(
        insert(RollCallAnswer),
        [{"roll_call_id": roll_id, "member_id": each} for each in drawn],
    )
    note(
        session,
        at=now,
        actor_id=actor_id,
        action="roll_called",
        subject=("shift", shift_id),
        people=len(drawn),
    )
    return _roll(session, roll_id)


def sample_size(present: int) -> int:
    """Return how many of so many present are called: a tenth rounded up, three, or all."""
    return min(present, max(SAMPLE_MIN, -(-present // SAMPLE_SHARE)))


def answer_roll_call(
    session: Session,
    *,
    roll_call_id: int,
    member_id: int,
    is_here: bool,
    actor_id: int,
    paths: Sequence[str],
    now: datetime,
) -> Roll:
    """Mark somebody who was called as here or not; within a minute it may be mended.

    The same answer again changes nothing. Raises RollCallNotFound, RollCallAnswered.
    """
    roll = _roll(session, roll_call_id)
    try:
        shift_of(session, roll.shift_id, paths)
    except ShiftNotFound as foreign:
        raise RollCallNotFound from foreign
    person = next((each for each in roll.people if each.member_id == member_id), None)
    if person is None:
        raise RollCallNotFound
    if person.is_here == is_here:
        return roll
    values = {
        "roll_call_id": roll_call_id,
        "member_id": member_id,
        "is_here": is_here,
        "now": now,
        "mendable_from": now - timedelta(seconds=CORRECT_SECONDS),
    }
    if session.execute(ANSWER, values).first() is None:
        raise RollCallAnswered(is_here=not is_here)
    note(
        session,
        at=now,
        actor_id=actor_id,
        action="roll_call_answered",
        subject=("roll_call", roll_call_id),
        member_id=member_id,
        is_here=is_here,
    )
    return _roll(session, roll_call_id)


def latest_roll(session: Session, shift_id: int) -> Roll | None:
    """Return the last roll call of a shift."""
    roll_id = session.scalar(
        select(RollCall.id)
        .where(RollCall.shift_id == shift_id)
        .order_by(RollCall.id.desc())
        .limit(1)
    )
    return _roll(session, roll_id) if roll_id is not None else None


def _roll(session: Session, roll_call_id: int) -> Roll:
    call = session.execute(
        select(RollCall.shift_id, RollCall.called_at).where(RollCall.id == roll_call_id)
    ).first()
    if call is None:
        raise RollCallNotFound
    people = session.execute(
        select(RollCallAnswer.member_id, Member.name, RollCallAnswer.is_here)
        .join(Member, Member.id == RollCallAnswer.member_id)
        .where(RollCallAnswer.roll_call_id == roll_call_id)
        .order_by(RollCallAnswer.member_id)
    )
    return Roll(
        roll_call_id,
        call.shift_id,
        call.called_at,
        tuple(Called(row.member_id, masked_name(row.name), row.is_here) for row in people),
    )


def _present(session: Session, shift_id: int) -> list[int]:
    return list(
        session.scalars(
            select(Attendance.member_id)
            .where(
                Attendance.shift_id == shift_id,
                Attendance.state != "rejected",
                Attendance.checked_in_at.is_not(None),
                Attendance.checked_out_at.is_(None),
            )
            .distinct()
            .order_by(Attendance.member_id)
        )
    )


def _demand_running(shift: ShiftLine, rules: Rules, now: datetime) -> None:
    opens_at = shift.starts_at - timedelta(minutes=rules.opens_minutes)
    closes_at = shift.ends_at + timedelta(minutes=rules.stays_minutes)
    if not opens_at <= now <= closes_at:
        raise ShiftNotRunning
