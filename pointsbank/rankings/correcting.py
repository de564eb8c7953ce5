"""Corrections of a closed period: counted anew into the next version, by two people.

Rule: docs/evaluation.md, "Corrections". Nobody types a score: what is wrong is entered where it
belongs, and a correction counts every entry that there is by now.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, insert, select, update
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.members.models import Member
from pointsbank.notices.queries import upheld_without_correction
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import organization_of, within
from pointsbank.rankings.closing import Counted, count, decided_id, freeze, meet, members_at
from pointsbank.rankings.errors import (
    CorrectionDecided,
    CorrectionNotFound,
    CorrectionWaits,
    NothingToCorrect,
    ObjectionNotUpheld,
    OwnCorrection,
    SnapshotChanged,
)
from pointsbank.rankings.grading import advise_again
from pointsbank.rankings.models import SnapshotCorrection
from pointsbank.rankings.snapshots import (
    Change,
    NamedLine,
    SnapshotFile,
    changes_between,
    lines_of,
    snapshot_of,
    snapshot_with,
)
from pointsbank.rankings.sources import Cut, placing_of
from pointsbank.scoring.models import ScoreEntry

CORRECTING_ROLES = ("secretary", "committee", "administrator")


@dataclass(frozen=True)
class Preview:
    """What a correction would make of the version that stands."""

    snapshot: SnapshotFile
    counted: Counted
    changes: list[Change]

    def named(self, session: Session) -> list[NamedLine]:
        """Return its lines with the full names of the people."""
        ids = [line.member_id for line in self.counted.lines]
        found = session.execute(select(Member.id, Member.name).where(Member.id.in_(ids)))
        names = {row.id: row.name for row in found}
        return [NamedLine(names[line.member_id], line) for line in self.counted.lines]


@dataclass(frozen=True)
class CorrectionFile:
    """One correction; the names are full, doors mask them."""

    id: int
    period: str
    organization_id: int
    path: str
    snapshot_id: int
    reason: str
    objection_id: int | None
    state: str
    asked_by_id: int
    asked_by_name: str
    asked_at: datetime
    decided_by_id: int | None
    decided_at: datetime | None
    decision_reason: str
    corrected_id: int | None


def preview_of(
    session: Session, *, organization_id: int, period: str, zone: ZoneInfo, now: datetime
) -> Preview:
    """Return what counting a closed period anew would change; writes and locks nothing.

    Raises SnapshotNotFound.
    """
    newest = int(session.scalar(select(func.coalesce(func.max(ScoreEntry.id), 0))) or 0)
    return _counted_anew(
        session,
        snapshot_of(session, period=period, organization_id=organization_id),
        Cut(now, newest),
        zone,
    )


def _counted_anew(
    session: Session, snapshot: SnapshotFile, cut: Cut, zone: ZoneInfo
) -> Preview:
    """Count the people of a snapshot who still count there, and who should have been in it."""
    period, place = snapshot.span, snapshot.organization_id
    before = [each.line for each in lines_of(session, snapshot.id)]
    frozen = [line.member_id for line in before]
    placings = placing_of(session, member_ids=frozen, period=period)
    stayed = {each for each in frozen if placings[each].organization_id == place}
    belonging = members_at(session, place, period, cut.before)
    counted = count(
        session,
        member_ids=sorted(stayed | set(belonging)),
        period=period,
        cut=cut,
        decided_before=None,
        zone=zone,
    )
    return Preview(snapshot, counted, changes_between(before, counted.lines))


def ask_correction(
    session: Session,
    *,
    organization_id: int,
    period: str,
    reason: str,
    objection_id: int | None,
    actor: Actor,
    zone: ZoneInfo,
    now: datetime,
) -> int:
    """Ask that a closed period be counted anew, and return the correction's id.

    objection_id: one that was upheld against the notice of this period. Raises
    OrganizationNotFound, SnapshotNotFound, NothingToCorrect, CorrectionWaits,
    ObjectionNotUpheld.
    """
    place = organization_of(session, organization_id, actor.paths(*CORRECTING_ROLES))
    snapshot_of(session, period=period, organization_id=place.id)
    meet(session, organization_id=place.id, period=period)
    waiting = select(SnapshotCorrection.id).where(
        SnapshotCorrection.period == period,
        SnapshotCorrection.organization_id == place.id,
        SnapshotCorrection.state == "pending",
    )
    if session.scalar(waiting) is not None:
        raise CorrectionWaits
    if objection_id is not None and not _is_upheld(session, objection_id, period, place.id):
        raise ObjectionNotUpheld
    found = preview_of(session, organization_id=place.id, period=period, zone=zone, now=now)
    if not found.changes:
        raise NothingToCorrect
    correction_id = session.execute(
        insert(SnapshotCorrection)
        .values(
            period=period,
            organization_id=place.id,
            snapshot_id=found.snapshot.id,
            reason=reason,
            objection_id=objection_id,
            asked_by_id=actor.member_id,
            asked_at=now,
        )
        .returning(SnapshotCorrection.id)
    ).scalar_one()
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="ask_correction",
        subject=("snapshot_correction", correction_id),
        period=period,
        organization_id=place.id,
    )
    return correction_id


def _is_upheld(session: Session, objection_id: int, period: str, organization_id: int) -> bool:
    """Tell whether an objection was upheld against the period's ranking or its grades."""
    about = {
        "ranking": f"ranking:{period}:{organization_id}",
        "grade": f"grades:{period}:{organization_id}",
    }
    return any(
        each.objection_id == objection_id and each.subject == subject
        for kind, subject in about.items()
        for each in upheld_without_correction(
            session, kind=kind, organization_id=organization_id
        )
    )


def decide_correction(
    session: Session,
    *,
    correction_id: int,
    actor: Actor,
    is_confirmed: bool,
    reason: str,
    zone: ZoneInfo,
    now: datetime,
) -> int | None:
    """Confirm or refuse a correction that somebody else asked for.

    Returns the id of the version that it became, None for a refusal. Raises CorrectionNotFound,
    CorrectionDecided, OwnCorrection, SnapshotChanged, NothingToCorrect, EntriesBusy.
    """
    asked = correction_of(session, correction_id, actor.paths(*CORRECTING_ROLES))
    meet(session, organization_id=asked.organization_id, period=asked.period)
    asked = correction_of(session, correction_id, actor.paths(*CORRECTING_ROLES))
    if asked.state != "pending":
        raise CorrectionDecided
    if asked.asked_by_id == actor.member_id:
        raise OwnCorrection
    corrected_id = _made_anew(session, asked, zone, now) if is_confirmed else None
    session.execute(
        update(SnapshotCorrection)
        .where(SnapshotCorrection.id == correction_id)
        .values(
            state="confirmed" if is_confirmed else "refused",
            decided_by_id=actor.member_id,
            decided_at=now,
            decision_reason=reason,
            corrected_id=corrected_id,
        )
    )
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="confirm_correction" if is_confirmed else "refuse_correction",
        subject=("snapshot_correction", correction_id),
        period=asked.period,
        organization_id=asked.organization_id,
    )
    return corrected_id


def _made_anew(session: Session, asked: CorrectionFile, zone: ZoneInfo, now: datetime) -> int:
    standing = snapshot_of(session, period=asked.period, organization_id=asked.organization_id)
    if standing.id != asked.snapshot_id:
        raise SnapshotChanged
    found = _counted_anew(session, standing, Cut(now, decided_id(session)), zone)
    if not found.changes:
        raise NothingToCorrect
    corrected_id = freeze(
        session,
        found.counted,
        organization_id=asked.organization_id,
        period=standing.span,
        version=standing.version + 1,
        now=now,
        reason=asked.reason,
        objection_id=asked.objection_id,
        made_by_id=asked.asked_by_id,
    )
    advise_again(session, snapshot=snapshot_with(session, corrected_id), now=now)
    return corrected_id


def correction_of(
    session: Session, correction_id: int, paths: tuple[str, ...]
) -> CorrectionFile:
    """Return one correction within these paths.

    Raises CorrectionNotFound, for a foreign one as for an unknown one.
    """
    row = session.execute(
        _corrections().where(
            SnapshotCorrection.id == correction_id, within(Organization.path, paths)
        )
    ).first()
    if row is None:
        raise CorrectionNotFound
    return CorrectionFile(*row)


def corrections_of(
    session: Session, *, period: str, organization_id: int
) -> list[CorrectionFile]:
    """Return every correction of a period that was asked for, the newest first."""
    rows = session.execute(
        _corrections()
        .where(
            SnapshotCorrection.period == period,
            SnapshotCorrection.organization_id == organization_id,
        )
        .order_by(SnapshotCorrection.id.desc())
    )
    return [CorrectionFile(*row) for row in rows]


def _corrections() -> Select[*tuple[Any, ...]]:
    return (
        select(
            SnapshotCorrection.id,
            SnapshotCorrection.period,
            SnapshotCorrection.organization_id,
            Organization.path,
            SnapshotCorrection.snapshot_id,
            SnapshotCorrection.reason,
            SnapshotCorrection.objection_id,
            SnapshotCorrection.state,
            SnapshotCorrection.asked_by_id,
            Member.name.label("asked_by_name"),
            SnapshotCorrection.asked_at,
            SnapshotCorrection.decided_by_id,
            SnapshotCorrection.decided_at,
            SnapshotCorrection.decision_reason,
            SnapshotCorrection.corrected_id,
        )
        .join(Organization, Organization.id == SnapshotCorrection.organization_id)
        .join(Member, Member.id == SnapshotCorrection.asked_by_id)
    )
