"""What a station needs to judge scans without a network: one shift's people, marks and keys."""

import base64
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, select, union
from sqlalchemy.orm import Session

from pointsbank.attendance.errors import StationOver
from pointsbank.attendance.models import Attendance, Scan
from pointsbank.attendance.overtimes import overtime_of
from pointsbank.attendance.policy import Rules
from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.keys import derive_key, keyed_hash
from pointsbank.core.text import masked_name
from pointsbank.members.codes import card_number_key, personal_key
from pointsbank.members.models import Card, Member
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import within
from pointsbank.tasks.models import Claim, Shift, Task
from pointsbank.tasks.queries import ShiftLine, TaskLine, shift_of

FORMAT = "pointsbank-station/1"
# So long after the end a forgotten check-out may still be caught up with; then the keys go.
KEPT_HOURS = 2
NUMBER_HASH_BYTES = 6
CARD_HASH_BYTES = 9
ACTOR_HASH_BYTES = 9
TAIL_CHARACTERS = 3
CLAIM_LETTERS = {"claimed": "c", "waitlisted": "w"}
# Shifts that a station may be opened for: still to be caught up with, or soon to begin.
SOON = timedelta(hours=36)
# The order of the values of each person; a program reads them by these names.
FIELDS = (
    "handle",
    "key",
    "name",
    "number",
    "tail",
    "claim",
    "suspended",
    "visits",
    "in_by",
    "out_by",
    "same_device",
    "settled",
    "cards",
)


@dataclass(frozen=True)
class Mark:
    """A scan that counts: when, made by whom, and whether at the device that asks."""

    at: datetime
    by: str
    is_same_device: bool


@dataclass(frozen=True)
class LedShift:
    """A shift that a station can be opened for."""

    id: int
    title: str
    starts_at: datetime
    ends_at: datetime
    place_name: str


def fetch_station(
    session: Session,
    *,
    shift_id: int,
    actor: Actor,
    device_id: str | None,
    secret: str,
    rules: Rules,
    now: datetime,
) -> dict[str, Any]:
    """Return the snapshot of a shift, and note who fetched it: it holds keys.

    Its personal keys fit this shift's codes of these people and nothing else; the key of card
    numbers finds cards and makes none. Handing it out again is harmless.
    Raises ShiftNotFound, StationOver once the shift has been over for two hours.
    """
    shift, task = shift_of(session, shift_id, actor.paths("organizer"))
    expires_at = shift.ends_at + timedelta(hours=KEPT_HOURS)
    if now >= expires_at:
        raise StationOver
    people = _people(session, shift, actor, device_id, secret)
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="fetch_station",
        subject=("shift", shift_id),
        people=len(people["people"]),
    )
    return {
        "format": FORMAT,
        "server_time": now.isoformat(),
        "expires_at": expires_at.isoformat(),
        "actor": actor_tag(actor.member_id, secret),
        "shift": _shift(session, shift, task, rules),
        "number_key": _written(number_key(secret, shift.handle)),
        "card_key": _written(card_number_key(secret)),
        "fields": list(FIELDS),
        **people,
    }


def actor_tag(member_id: int, secret: str) -> str:
    """Return by what a station knows, without a name or an id, whose scans it keeps."""
    return _written(keyed_hash(secret, "station actor", str(member_id))[:ACTOR_HASH_BYTES])


def number_key(secret: str, shift_handle: bytes) -> bytes:
    """Return the key under which this shift's snapshot hashes member numbers."""
    return derive_key(secret, "station numbers", shift_handle)


def shifts_to_lead(session: Session, actor: Actor, now: datetime) -> list[LedShift]:
    """Return the open shifts near this moment that a person organizes, the first to begin
    first."""
    rows = session.execute(
        select(Shift.id, Task.title, Shift.starts_at, Shift.ends_at, Shift.place_name)
        .join(Task, Task.id == Shift.task_id)
        .join(Organization, Organization.id == Task.organization_id)
        .where(
            Task.state == "open",
            Shift.called_off_at.is_(None),
            Shift.starts_at <= now + SOON,
            Shift.ends_at > now - timedelta(hours=KEPT_HOURS),
            within(Organization.path, actor.paths("organizer")),
        )
        .order_by(Shift.starts_at, Shift.id)
    )
    return [LedShift(*row) for row in rows]


def _written(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _shift(session: Session, shift: ShiftLine, task: TaskLine, rules: Rules) -> dict[str, Any]:
    row = session.get_one(Shift, shift.id)
    overtime = overtime_of(session, shift.id)
    # Check-out stays open after approved overtime as after any end.
    more = overtime.minutes if overtime is not None and overtime.state == "approved" else 0
    return {
        "id": shift.id,
        "title": task.title,
        "handle": _written(shift.handle),
        "starts_at": shift.starts_at.isoformat(),
        "ends_at": shift.ends_at.isoformat(),
        "places": shift.places,
        "claimed": shift.claimed,
        "place_name": shift.place_name,
        "break_minutes": row.break_minutes,
        "is_called_off": task.state == "cancelled" or row.called_off_at is not None,
        "opens_minutes": rules.opens_minutes,
        "stays_minutes": rules.stays_minutes + more,
    }


def _roster(shift_id: int) -> Select[tuple[int]]:
    """Select everyone with a living claim, and everyone who came all the same."""
    claimed = select(Claim.member_id).where(
        Claim.shift_id == shift_id, Claim.state != "withdrawn"
    )
    came = select(Attendance.member_id).where(Attendance.shift_id == shift_id)
    return select(union(claimed, came).subquery().c.member_id)


def _people(
    session: Session, shift: ShiftLine, actor: Actor, device_id: str | None, secret: str
) -> dict[str, Any]:
    """Return the people of a shift as rows, with the names of who marked them, in five
    statements whatever their number."""
    roster = _roster(shift.id)
    rows = session.execute(
        select(Member.id, Member.handle, Member.name, Member.volunteer_no, Member.state)
        .where(Member.id.in_(roster))
        .order_by(Member.id)
    ).all()
    claimed = session.execute(
        select(Claim.member_id, Claim.state).where(
            Claim.shift_id == shift.id, Claim.state != "withdrawn"
        )
    )
    claims = {row.member_id: row.state for row in claimed}
    visits = _visits(session, shift.id)
    marks = _marks(session, shift.id, actor, device_id)
    cards, revoked = _cards(session, roster)
    names = sorted({mark.by for mark in marks.values()})
    hashing = number_key(secret, shift.handle)
    people = []
    for row in rows:
        came = visits.get(row.id, [])
        occurrence = came[-1].occurrence if came else 0
        ways = [marks.get((row.id, way, occurrence)) for way in ("in", "out")]
        people.append(
            [
                _written(row.handle),
                _written(personal_key(secret, row.handle, shift.handle)),
                masked_name(row.name),
                _short(hashing, row.volunteer_no),
                row.volunteer_no[-TAIL_CHARACTERS:],
                CLAIM_LETTERS.get(claims.get(row.id, ""), ""),
                int(row.state != "active"),
                [
                    [_seconds(each.checked_in_at, shift), _seconds(each.checked_out_at, shift)]
                    for each in came
                ],
                *(names.index(mark.by) if mark else None for mark in ways),
                sum(bit for bit, mark in zip((1, 2), ways, strict=True) if _is_here(mark)),
                int(bool(came and came[-1].settled_at)),
                cards.get(row.id, []),
            ]
        )
    return {"by": names, "revoked_cards": revoked, "people": people}


def _is_here(mark: Mark | None) -> bool:
    return mark is not None and mark.is_same_device


def _short(key: bytes, number: str) -> str:
    """Return the hash by which a typed member number is recognised."""
    return _written(hmac.digest(key, number.encode(), "sha256")[:NUMBER_HASH_BYTES])


def _seconds(moment: datetime | None, shift: ShiftLine) -> int | None:
    """Return a mark as whole seconds from the shift's start: five characters, not thirty."""
    return None if moment is None else int((moment - shift.starts_at).total_seconds() // 1)


def _visits(session: Session, shift_id: int) -> dict[int, list[Row[Any]]]:
    """Return each person's comings in their order, without those that were not theirs."""
    rows: Iterable[Row[Any]] = session.execute(
        select(
            Attendance.member_id,
            Attendance.occurrence,
            Attendance.checked_in_at,
            Attendance.checked_out_at,
            Attendance.settled_at,
        )
        .where(Attendance.shift_id == shift_id, Attendance.state != "rejected")
        .order_by(Attendance.occurrence)
    )
    found: dict[int, list[Row[Any]]] = {}
    for row in rows:
        found.setdefault(row.member_id, []).append(row)
    return found


def _marks(
    session: Session, shift_id: int, actor: Actor, device_id: str | None
) -> dict[tuple[int, str, int], Mark]:
    """Return the scans that count, by person, direction and occurrence."""
    rows: Iterable[Row[Any]] = session.execute(
        select(
            Scan.member_id,
            Scan.direction,
            Scan.occurrence,
            Scan.scanned_at,
            Scan.device_id,
            Scan.actor_id,
            Member.name,
        )
        .join(Member, Member.id == Scan.actor_id)
        .where(Scan.shift_id == shift_id, Scan.counts)
    )
    return {
        (row.member_id, row.direction, row.occurrence): Mark(
            row.scanned_at,
            masked_name(row.name),
            row.device_id == device_id
            if row.device_id and device_id
            else row.actor_id == actor.member_id,
        )
        for row in rows
    }


def _cards(
    session: Session, roster: Select[tuple[int]]
) -> tuple[dict[int, list[str]], list[str]]:
    """Return the hashes of cards that are good, by owner, and of those that are not."""
    good: dict[int, list[str]] = {}
    revoked: list[str] = []
    rows = session.execute(
        select(Card.member_id, Card.number_hash, Card.revoked_at).where(
            Card.member_id.in_(roster)
        )
    )
    for row in rows:
        short = _written(bytes(row.number_hash)[:CARD_HASH_BYTES])
        if row.revoked_at is None:
            good.setdefault(row.member_id, []).append(short)
        else:
            revoked.append(short)
    return good, revoked
