"""How much each organizer entered by hand, and how much came from scans."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, exists, func, select
from sqlalchemy.orm import Session

from pointsbank.appraisals.models import LateEntry
from pointsbank.attendance.models import Attendance, Scan
from pointsbank.core.text import masked_name
from pointsbank.members.models import Member
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import (
    OrganizationNode,
    lineage_of,
    organization_of,
    within,
)
from pointsbank.scoring.models import Adjustment
from pointsbank.tasks.models import Shift, Task

COMMUNITY, DISTRICT = "community", "district"


@dataclass(frozen=True)
class HandShare:
    """What one organizer answers for: entries by scan and by hand; the name is masked."""

    member_id: int
    name: str
    place: str
    by_scan: int
    by_hand: int

    @property
    def percent(self) -> int:
        """The share by hand in whole percent, rounded up: one entry in a thousand is not 0."""
        return -(-100 * self.by_hand // (self.by_scan + self.by_hand))


def home_of(session: Session, organization_id: int, of: str) -> OrganizationNode:
    """Return the nearest community above somebody's organization, or the top of its tree.

    Who stands under no community is answered the top as well.
    """
    above = lineage_of(session, organization_of(session, organization_id).path)
    communities = [node for node in above if node.kind == COMMUNITY]
    return communities[-1] if of == COMMUNITY and communities else above[0]


def hand_shares(session: Session, paths: Sequence[str], since: datetime) -> list[HandShare]:
    """Return the share of each organizer under these paths since a moment, the largest first.

    An attendance counts for whoever settled it, by hand where a member number was typed for its
    check-in or check-out; an approved adjustment counts for whoever asked for it, a confirmed
    late entry for whoever entered it.
    """
    scans: dict[int, int] = {}
    hands: dict[int, int] = {}
    for row in _settled(session, paths, since):
        scans[row[0]] = int(row[1]) - int(row[2])
        hands[row[0]] = int(row[2])
    for row in _entered(session, paths, since):
        hands[row[0]] = hands.get(row[0], 0) + int(row[1])
    people = session.execute(
        select(Member.id, Member.name, Organization.name.label("place"))
        .join(Organization, Organization.id == Member.organization_id)
        .where(Member.id.in_(set(scans) | set(hands)))
    )
    shares = [
        HandShare(
            row.id,
            masked_name(row.name),
            row.place,
            scans.get(row.id, 0),
            hands.get(row.id, 0),
        )
        for row in people
    ]
    return sorted(shares, key=lambda each: (-each.percent, -each.by_hand, each.member_id))


def _settled(
    session: Session, paths: Sequence[str], since: datetime
) -> Sequence[Sequence[int]]:
    """Return who settled, how many attendances were credited, and how many of them typed."""
    is_typed = exists().where(
        Scan.shift_id == Attendance.shift_id,
        Scan.member_id == Attendance.member_id,
        Scan.occurrence == Attendance.occurrence,
        Scan.counts,
        Scan.code_kind == "manual",
    )
    rows = session.execute(
        select(
            Attendance.settled_by_id,
            func.count(),
            func.sum(case((is_typed, 1), else_=0)),
        )
        .join(Shift, Shift.id == Attendance.shift_id)
        .join(Task, Task.id == Shift.task_id)
        .join(Organization, Organization.id == Task.organization_id)
        .where(
            Attendance.state == "credited",
            Attendance.settled_at >= since,
            Attendance.settled_by_id.is_not(None),
            within(Organization.path, paths),
        )
        .group_by(Attendance.settled_by_id)
    )
    return [tuple(row) for row in rows]


def _entered(
    session: Session, paths: Sequence[str], since: datetime
) -> Sequence[Sequence[int]]:
    """Return who asked for adjustments or entered service late that a second person let pass,
    and for how many.
    """
    found: list[tuple[int, int]] = []
    for table, author, state in (
        (Adjustment, Adjustment.author_id, "approved"),
        (LateEntry, LateEntry.entered_by_id, "confirmed"),
    ):
        model: Any = table
        rows = session.execute(
            select(author, func.count())
            .join(Organization, Organization.id == model.organization_id)
            .where(
                model.state == state,
                model.decided_at >= since,
                within(Organization.path, paths),
            )
            .group_by(author)
        )
        found += [(row[0], row[1]) for row in rows]
    return found
