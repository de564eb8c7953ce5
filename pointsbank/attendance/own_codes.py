"""The shifts for which a person's phone makes its own codes, and the key for each."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.members.codes import personal_key
from pointsbank.members.models import Member
from pointsbank.tasks.models import Claim, Shift, Task

# Long enough to load the page at home in the morning for a cellar in the afternoon.
AHEAD_HOURS = 12
# Whoever is still there after the end can check out; then the phone forgets the key.
KEPT_HOURS = 2
SHIFTS_MAX = 10


@dataclass(frozen=True)
class OwnShift:
    """A claimed shift that runs or begins soon, with what this person's codes for it need.

    key: opens this one member's codes for this one shift; only they ever get it.
    """

    id: int
    title: str
    place_name: str
    starts_at: datetime
    ends_at: datetime
    member_handle: bytes
    shift_handle: bytes
    key: bytes

    @property
    def kept_until(self) -> datetime:
        """When the phone forgets the key."""
        return self.ends_at + timedelta(hours=KEPT_HOURS)


def own_shifts(
    session: Session, *, member_id: int, secret: str, now: datetime
) -> list[OwnShift]:
    """Return the shifts on which this member has a place and that run or begin within twelve
    hours, the soonest first."""
    rows: Iterable[Any] = session.execute(
        select(
            Shift.id,
            Task.title,
            Shift.place_name,
            Shift.starts_at,
            Shift.ends_at,
            Member.handle.label("member_handle"),
            Shift.handle.label("shift_handle"),
        )
        .join(Claim, Claim.shift_id == Shift.id)
        .join(Member, Member.id == Claim.member_id)
        .join(Task, Task.id == Shift.task_id)
        .where(
            Claim.member_id == member_id,
            Claim.state == "claimed",
            Task.state == "open",
            Shift.called_off_at.is_(None),
            Shift.starts_at <= now + timedelta(hours=AHEAD_HOURS),
            Shift.ends_at > now - timedelta(hours=KEPT_HOURS),
        )
        .order_by(Shift.starts_at, Shift.id)
        .limit(SHIFTS_MAX)
    )
    return [
        OwnShift(
            **row._mapping,
            key=personal_key(secret, bytes(row.member_handle), bytes(row.shift_handle)),
        )
        for row in rows
    ]
