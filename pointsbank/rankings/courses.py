"""How far an organization's period is between its entries and the archive."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.calendar import Period, UnknownPeriod, read_period
from pointsbank.notices.queries import (
    NoticeFile,
    Upheld,
    notice_of,
    undecided_objections,
    upheld_without_correction,
)
from pointsbank.organizations.queries import OrganizationNode, organization_of
from pointsbank.rankings.closing import cut_at
from pointsbank.rankings.correcting import CORRECTING_ROLES, CorrectionFile, corrections_of
from pointsbank.rankings.errors import SnapshotNotFound
from pointsbank.rankings.noticing import PUBLISHING, Course, course_of, shown_of
from pointsbank.rankings.snapshots import SnapshotFile, came_after, versions_of

READING_ROLES = (*CORRECTING_ROLES, "auditor")
# Who looks after people reads full names; whoever checks on them reads 王*兰.
NAMING_ROLES = CORRECTING_ROLES


@dataclass(frozen=True)
class Way:
    """A period of an organization with all that says how far it is.

    stage: running, settling, unclosed; asked, late, corrected, upheld, closed, unshown; draft,
    reviewed, open, contested, withdrawn; locked, archived. late: entries that came after the
    newest version. objections: undecided ones against its notice.
    """

    organization: OrganizationNode
    period: Period
    closes_at: datetime
    stage: str
    versions: Sequence[SnapshotFile]
    late: int
    corrections: Sequence[CorrectionFile]
    course: Course
    notice: NoticeFile | None
    objections: int
    upheld: Sequence[Upheld]

    @property
    def waiting(self) -> CorrectionFile | None:
        """The correction that waits for a second person."""
        return next((each for each in self.corrections if each.state == "pending"), None)


def way_of(
    session: Session,
    *,
    period: str,
    organization_id: int,
    actor: Actor,
    visibility: str,
    zone: ZoneInfo,
    now: datetime,
) -> Way:
    """Return how far a period is, for somebody who answers for the organization or checks it.

    Raises OrganizationNotFound, SnapshotNotFound for what is no period.
    """
    place = organization_of(session, organization_id, actor.paths(*READING_ROLES))
    try:
        span = read_period(period)
    except UnknownPeriod as error:
        raise SnapshotNotFound from error
    about: dict[str, Any] = {"period": span.name, "organization_id": place.id}
    versions = versions_of(session, **about)
    course = course_of(session, **about)
    notice = notice_of(session, course.notice_id) if course.notice_id else None
    found = Way(
        organization=place,
        period=span,
        closes_at=cut_at(span, zone),
        stage="",
        versions=versions,
        late=came_after(session, versions[0]) if versions else 0,
        corrections=corrections_of(session, **about),
        course=course,
        notice=notice,
        objections=undecided_objections(session, notice.id) if notice else 0,
        upheld=[
            each
            for each in upheld_without_correction(
                session, kind="ranking", organization_id=place.id
            )
            if notice and each.notice_id == notice.id
        ],
    )
    is_shown = bool(versions) and visibility == PUBLISHING
    stage = stage_of(
        found,
        is_shown=is_shown and bool(shown_of(session, versions[0]).lines),
        is_over=now >= span.ends_at(zone),
        is_due=now >= found.closes_at,
    )
    return Way(**{**found.__dict__, "stage": stage})


def stage_of(way: Way, *, is_shown: bool, is_over: bool, is_due: bool) -> str:
    """Return at which stage a period is: the first thing that somebody has to do comes first.

    is_shown: whether rankings are public here and somebody would be named.
    """
    if not way.versions:
        return ("unclosed" if is_due else "settling") if is_over else "running"
    is_newest = way.course.snapshot_id == way.versions[0].id
    if way.waiting:
        return "asked"
    if way.course.archived_at and is_newest:
        return "archived"
    if way.late and not (way.notice and way.notice.state == "locked"):
        return "late"
    if way.notice and way.notice.state != "withdrawn":
        if not is_newest:
            return "corrected"
        return "upheld" if way.upheld and not way.objections else way.notice.state
    return "closed" if is_shown else "unshown"
