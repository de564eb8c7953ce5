"""The full name behind a scan, told to the shift's lead, with a line of the audit trail."""

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from pointsbank.attendance.errors import ScanNotFound
from pointsbank.attendance.models import Attendance, Scan
from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.members.models import Member
from pointsbank.organizations.models import Organization
from pointsbank.tasks.models import Claim, Shift, Task

# A code that only the person holds up; a typed number may be anybody's.
SHOWN_KINDS = ("venue", "personal", "card")


def reveal_name(session: Session, *, scan_id: int, actor: Actor, now: datetime) -> str:
    """Return the full name of whom a scan is about, and note who looked, at whom and when.

    Told to the lead of the scan's shift, about who is on its list, who held a code up there,
    and members of the lead's own organizations: typing numbers tells nobody's name. Each look
    is noted. Raises ScanNotFound, for a foreign one as for an unknown one.
    """
    is_on_list = exists().where(
        Claim.shift_id == Scan.shift_id, Claim.member_id == Scan.member_id
    ) | exists().where(
        Attendance.shift_id == Scan.shift_id, Attendance.member_id == Scan.member_id
    )
    of_member = Organization.__table__.alias("of_member")
    row = session.execute(
        select(
            Scan.member_id,
            Scan.shift_id,
            Scan.code_kind,
            Member.name,
            Organization.path,
            of_member.c.path.label("member_path"),
            is_on_list.label("is_on_list"),
        )
        .join(Member, Member.id == Scan.member_id)
        .join(of_member, of_member.c.id == Member.organization_id)
        .join(Shift, Shift.id == Scan.shift_id)
        .join(Task, Task.id == Shift.task_id)
        .join(Organization, Organization.id == Task.organization_id)
        .where(Scan.id == scan_id)
    ).first()
    if row is None or not actor.oversees(row.path, "organizer"):
        raise ScanNotFound
    may_see = (
        row.is_on_list
        or row.code_kind in SHOWN_KINDS
        or actor.oversees(row.member_path, "organizer")
    )
    if not may_see:
        raise ScanNotFound
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="name_revealed",
        subject=("member", row.member_id),
        scan_id=scan_id,
        shift_id=row.shift_id,
    )
    name: str = row.name
    return name
