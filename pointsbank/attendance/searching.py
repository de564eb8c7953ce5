"""People looked up at a station by name, number or the end of a phone; no phone is shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from pointsbank.attendance.models import Attendance
from pointsbank.core.text import halfwidth, masked_name
from pointsbank.members.models import Member
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import within
from pointsbank.tasks.models import Claim

FOUND_MAX = 20
# Fewer digits of a phone fit half a street.
PHONE_DIGITS_MIN = 4
PHONE_DIGITS_MAX = 11
WORDS_LENGTH_MAX = 40


@dataclass(frozen=True)
class FoundPerson:
    """Somebody who may be meant, masked. claim: claimed, waitlisted or None.

    came_at, left_at: of their last coming to this shift.
    """

    member_id: int
    display_name: str
    volunteer_no: str
    organization_name: str
    claim: str | None
    came_at: datetime | None
    left_at: datetime | None

    @property
    def is_present(self) -> bool:
        """Whether they are there by the marks."""
        return self.came_at is not None and self.left_at is None


def find_people(
    session: Session, shift_id: int, words: str, paths: Sequence[str]
) -> list[FoundPerson]:
    """Return who is meant by a name, a number or the last digits of a phone, at most twenty.

    Looked for among the people of the shift, who stand in front, and the members under these
    paths. words: as typed; too few digits of a phone find nobody by it.
    """
    wanted = halfwidth(words)
    if not wanted:
        return []
    coming = aliased(Attendance)
    last = (
        select(func.max(coming.occurrence))
        .where(coming.shift_id == shift_id, coming.member_id == Member.id)
        .scalar_subquery()
    )
    is_of_shift = or_(Claim.id.is_not(None), Attendance.id.is_not(None))
    rows = session.execute(
        select(
            Member.id,
            Member.name,
            Member.volunteer_no,
            Organization.name.label("organization_name"),
            Claim.state,
            Attendance.checked_in_at,
            Attendance.checked_out_at,
        )
        .join(Organization, Organization.id == Member.organization_id)
        .outerjoin(
            Claim,
            (Claim.member_id == Member.id)
            & (Claim.shift_id == shift_id)
            & (Claim.state != "withdrawn"),
        )
        .outerjoin(
            Attendance,
            (Attendance.member_id == Member.id)
            & (Attendance.shift_id == shift_id)
            & (Attendance.occurrence == last),
        )
        .where(
            _fits(wanted),
            Member.state == "active",
            or_(is_of_shift, within(Organization.path, paths)),
        )
        .order_by(case((is_of_shift, 0), else_=1), Member.name, Member.id)
        .limit(FOUND_MAX)
    )
    return [
        FoundPerson(
            row.id,
            masked_name(row.name),
            row.volunteer_no,
            row.organization_name,
            row.state,
            row.checked_in_at,
            row.checked_out_at,
        )
        for row in rows
    ]


def _fits(wanted: str) -> ColumnElement[bool]:
    """Return the condition that somebody is meant by what was typed."""
    conditions: list[ColumnElement[bool]] = [
        Member.name.contains(wanted, autoescape=True),
        Member.volunteer_no == wanted.upper(),
    ]
    is_digits = wanted.isascii() and wanted.isdigit()
    if is_digits and PHONE_DIGITS_MIN <= len(wanted) <= PHONE_DIGITS_MAX:
        conditions.append(Member.phone.endswith(wanted))
        conditions.append(Member.volunteer_no.endswith(wanted))
    return or_(*conditions)
