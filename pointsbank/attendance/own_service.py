"""A person's own services: each shift with raw times, counted time, rule version and state."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.attendance.models import Attendance, Pair, Scan
from pointsbank.core.text import masked_name
from pointsbank.members.models import Member
from pointsbank.scoring.models import ScoringStandard
from pointsbank.tasks.models import Claim, Shift, Task


@dataclass(frozen=True)
class Service:
    """One shift that a person came to, as it stands in their own list.

    present_minutes: between the marks within the shift. standard_version: of the rules it was
    settled by. by_hand: the masked name of who checked them in, where it was not they.
    """

    id: int
    shift_id: int
    title: str
    place_name: str
    starts_at: datetime
    ends_at: datetime
    state: str
    pairs: tuple[Pair, ...]
    present_minutes: int | None
    service_minutes: int | None
    points: int | None
    standard_version: int | None
    held_reason: str | None
    cut_reason: str | None
    flags: tuple[str, ...]
    by_hand: str | None


def services_of(
    session: Session, member_id: int, *, before_id: int | None = None, limit: int = 50
) -> list[Service]:
    """Return the shifts that a member came to, what they rejected among them, newest first."""
    statement = (
        select(
            Attendance.id,
            Attendance.shift_id,
            Task.title,
            Shift.place_name,
            Shift.starts_at,
            Shift.ends_at,
        )
        .join(Shift, Shift.id == Attendance.shift_id)
        .join(Task, Task.id == Shift.task_id)
        .where(Attendance.member_id == member_id, Attendance.occurrence == 1)
        .order_by(Attendance.id.desc())
        .limit(limit)
    )
    if before_id is not None:
        statement = statement.where(Attendance.id < before_id)
    rows: Sequence[Any] = session.execute(statement).all()
    shift_ids = [row.shift_id for row in rows]
    comings = _comings(session, member_id, shift_ids)
    hands = _hands(session, member_id, shift_ids)
    return [_service(row, comings[row.shift_id], hands.get(row.shift_id)) for row in rows]


def _comings(
    session: Session, member_id: int, shift_ids: Sequence[int]
) -> dict[int, list[tuple[Attendance, int | None]]]:
    rows: Iterable[Any] = session.execute(
        select(Attendance, ScoringStandard.version)
        .outerjoin(ScoringStandard, ScoringStandard.id == Attendance.standard_id)
        .where(Attendance.member_id == member_id, Attendance.shift_id.in_(shift_ids))
        .order_by(Attendance.occurrence)
    )
    found: dict[int, list[tuple[Attendance, int | None]]] = {}
    for row in rows:
        found.setdefault(row.Attendance.shift_id, []).append((row.Attendance, row.version))
    return found


def _hands(session: Session, member_id: int, shift_ids: Sequence[int]) -> dict[int, str]:
    """Return who checked the person in on each shift where it was somebody else."""
    rows = session.execute(
        select(Scan.shift_id, Member.name)
        .join(Member, Member.id == Scan.actor_id)
        .where(
            Scan.member_id == member_id,
            Scan.shift_id.in_(shift_ids),
            Scan.direction == "in",
            Scan.counts,
            Scan.actor_id != member_id,
        )
        .order_by(Scan.occurrence.desc())
    )
    return {row.shift_id: masked_name(row.name) for row in rows if row.shift_id is not None}


def _service(
    row: Any, comings: Sequence[tuple[Attendance, int | None]], by_hand: str | None
) -> Service:
    standing = [each for each, _ in comings if each.state != "rejected"]
    shown = standing or [each for each, _ in comings]
    states = {each.state for each in standing}
    order = ("present", "held", "credited", "left")
    return Service(
        row.id,
        row.shift_id,
        row.title,
        row.place_name,
        row.starts_at,
        row.ends_at,
        state=next((state for state in order if state in states), "rejected"),
        pairs=tuple((each.checked_in_at, each.checked_out_at) for each in shown),
        present_minutes=_sum(each.present_minutes for each in shown),
        service_minutes=_sum(each.service_minutes for each in shown),
        points=_sum(each.points for each in shown),
        standard_version=next((version for _, version in comings if version), None),
        held_reason=next((each.held_reason for each in standing if each.held_reason), None),
        cut_reason=next((each.cut_reason for each in standing if each.cut_reason), None),
        flags=tuple(sorted({flag for each in shown for flag in each.flags or ()})),
        by_hand=by_hand,
    )


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def shift_of_claim(session: Session, claim_id: int, member_id: int) -> int | None:
    """Return the shift of one's own claim, for a line of the passbook that names the claim."""
    return session.scalar(
        select(Claim.shift_id).where(Claim.id == claim_id, Claim.member_id == member_id)
    )
