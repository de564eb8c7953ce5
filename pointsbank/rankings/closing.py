"""Closing a period: what each member of an organization had in it, frozen once.

Rule: docs/evaluation.md, "Closing a period". Version 1 counts what was recorded until some
nights after the period, however late it is made, so that one made late is the same.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Date, and_, bindparam, func, insert, or_, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from pointsbank.core.audit import note
from pointsbank.core.calendar import Period, local_day, midnight, quarter_of, read_period
from pointsbank.core.db import state_of
from pointsbank.members.models import Belonging, Member, MemberChange
from pointsbank.organizations.queries import organization_of
from pointsbank.rankings.errors import EntriesBusy, PeriodNotOver
from pointsbank.rankings.freezing import Head, Line, digest_of, line_of, ranked
from pointsbank.rankings.models import PeriodCourse, Snapshot, SnapshotLine
from pointsbank.rankings.policy import yearly_factor
from pointsbank.rankings.sources import (
    Cut,
    caps_for,
    covers,
    entries_of,
    last_day,
    placing_of,
    portions,
    standard_for,
    tables_for,
)
from pointsbank.scoring.evaluating import evaluate
from pointsbank.scoring.models import ScoreEntry

# Shifts of a period's last days are settled in the first days of the next one.
CLOSING_NIGHTS = 7
# Longer than any settlement holds the table; the closing comes again a moment later.
LOCK_WAIT_MS = 2000
LOCK_NOT_AVAILABLE = "55P03"

# Of two who close or correct the same period the second waits at this row.
MEET = text(
    """
    INSERT INTO period_course (period, organization_id) VALUES (:period, :organization_id)
    ON CONFLICT (period, organization_id) DO NOTHING
    """
)
# An organization that somebody belonged to on the period's last day, without a snapshot of it.
NEXT = text(
    """
    SELECT organization.id FROM organization
    WHERE EXISTS (
            SELECT 1 FROM belonging
            WHERE belonging.organization_id = organization.id
              AND belonging.from_on <= :last_on
              AND (belonging.until_on IS NULL OR belonging.until_on > :last_on))
      AND NOT EXISTS (
            SELECT 1 FROM snapshot
            WHERE snapshot.organization_id = organization.id AND snapshot.period = :period)
    ORDER BY organization.id LIMIT 1
    """
).bindparams(bindparam("last_on", type_=Date()))


@dataclass(frozen=True)
class Counted:
    """What a cut holds of an organization's period: the lines with their ranks, and sums."""

    standard_id: int
    standard_version: int
    cut: Cut
    entry_id: int
    entries: int
    sum_hundredths: int
    sum_points: int
    sum_minutes: int
    lines: list[Line]


def cut_at(period: Period, zone: ZoneInfo) -> datetime:
    """Return the moment up to which the first version counts what is recorded."""
    return midnight(period.end_on + timedelta(days=CLOSING_NIGHTS), zone)


def periods_to_close(session: Session, *, zone: ZoneInfo, now: datetime) -> list[Period]:
    """Return the quarters and years from the first entry on whose closing has come.

    The oldest first; of a quarter and a year that end together the quarter.
    """
    first_on = session.scalar(select(func.min(ScoreEntry.earned_on)))
    found = []
    running = quarter_of(first_on) if first_on else None
    while running is not None and now >= cut_at(running, zone):
        found.append(running)
        if running.name.endswith("Q4"):
            found.append(read_period(running.name[:4]))
        running = quarter_of(running.end_on)
    return found


def next_to_close(session: Session, period: Period) -> int | None:
    """Return an organization whose period is not closed, None when all are."""
    values = {"period": period.name, "last_on": last_day(period)}
    return session.execute(NEXT, values).scalar()


def close_period(
    session: Session, *, organization_id: int, period: Period, zone: ZoneInfo, now: datetime
) -> int:
    """Freeze an organization's period and return its first snapshot's id.

    A repeat returns the one that stands. Raises PeriodNotOver, EntriesBusy, NoStandard.
    """
    at = cut_at(period, zone)
    if now < at:
        raise PeriodNotOver(period=period.name)
    meet(session, organization_id=organization_id, period=period.name)
    standing = session.scalar(
        select(Snapshot.id).where(
            Snapshot.period == period.name,
            Snapshot.organization_id == organization_id,
            Snapshot.version == 1,
        )
    )
    if standing is not None:
        return standing
    decided = decided_id(session)
    counted = count(
        session,
        member_ids=members_at(session, organization_id, period, at),
        period=period,
        cut=Cut(at, decided),
        decided_before=at,
        zone=zone,
    )
    snapshot_id = freeze(
        session, counted, organization_id=organization_id, period=period, version=1, now=now
    )
    note(
        session,
        at=now,
        actor_id=None,
        action="close_period",
        subject=("snapshot", snapshot_id),
        period=period.name,
        organization_id=organization_id,
        members=len(counted.lines),
    )
    return snapshot_id


def meet(session: Session, *, organization_id: int, period: str) -> None:
    """Wait for whoever closes, corrects or shows the same period."""
    values = {"period": period, "organization_id": organization_id}
    session.execute(MEET, values)
    session.execute(
        select(PeriodCourse.period)
        .where(PeriodCourse.period == period, PeriodCourse.organization_id == organization_id)
        .with_for_update()
    ).one()


def decided_id(session: Session) -> int:
    """Return an id up to which no score entry is still to come.

    On PostgreSQL an INSERT holds ROW EXCLUSIVE from before it draws its id: once SHARE is
    granted, all below are decided. The savepoint gives the lock back at once.
    Raises EntriesBusy.
    """
    newest = select(func.coalesce(func.max(ScoreEntry.id), 0))
    if session.get_bind().dialect.name != "postgresql":
        return int(session.scalar(newest) or 0)
    moment_of_lock = session.begin_nested()
    try:
        session.execute(text(f"SET LOCAL lock_timeout = {LOCK_WAIT_MS}"))
        session.execute(text("LOCK TABLE score_entry IN SHARE MODE"))
        return int(session.scalar(newest) or 0)
    except OperationalError as error:
        if state_of(error) != LOCK_NOT_AVAILABLE:
            raise
        raise EntriesBusy from error
    finally:
        moment_of_lock.rollback()


def members_at(
    session: Session, organization_id: int, period: Period, at: datetime
) -> list[int]:
    """Return who belonged to an organization on the period's last day and was active then.

    Active at a moment: as now, less what changed since; every change of state leaves a row.
    """
    # Member by member, so that a branch's closing does not read everybody's changes.
    changes = (
        select(func.count())
        .select_from(MemberChange)
        .where(
            MemberChange.member_id == Member.id,
            MemberChange.cause == "state",
            MemberChange.recorded_at >= at,
        )
        .correlate(Member)
        .scalar_subquery()
    )
    flipped = changes % 2 == 1
    return list(
        session.scalars(
            select(Member.id)
            .join(Belonging, Belonging.member_id == Member.id)
            .where(
                Belonging.organization_id == organization_id,
                covers(Belonging, last_day(period)),
                or_(
                    and_(Member.state == "active", ~flipped),
                    and_(Member.state != "active", flipped),
                ),
            )
            .order_by(Member.id)
        )
    )


def count(
    session: Session,
    *,
    member_ids: Sequence[int],
    period: Period,
    cut: Cut,
    decided_before: datetime | None,
    zone: ZoneInfo,
) -> Counted:
    """Return what a cut holds of a period for these members, each evaluated entry by entry.

    Raises NoStandard.
    """
    standard = standard_for(session, period, local_day(cut.before, zone))
    caps, tables = caps_for(session, standard), tables_for(session, standard.id)
    entries = entries_of(session, member_ids=member_ids, period=period, cut=cut)
    placings = placing_of(
        session, member_ids=member_ids, period=period, decided_before=decided_before
    )
    numbers = _numbers(session, member_ids)
    lines = [
        line_of(
            evaluate(
                entries[member_id],
                caps=caps,
                table=tables[placings[member_id].table_name],
                factor=yearly_factor(period),
            ),
            member_id=member_id,
            volunteer_no=numbers[member_id],
            table_name=tables[placings[member_id].table_name].name,
            is_exempt=placings[member_id].is_exempt,
            is_vetoed=placings[member_id].is_vetoed,
        )
        for member_id in member_ids
    ]
    every = [entry for own in entries.values() for entry in own]
    return Counted(
        standard_id=standard.id,
        standard_version=standard.version,
        cut=cut,
        entry_id=_newest_counted(session, member_ids, period, cut),
        entries=len(every),
        sum_hundredths=sum(entry.hundredths for entry in every),
        sum_points=sum(entry.points for entry in every),
        sum_minutes=sum(entry.service_minutes for entry in every),
        lines=ranked(lines),
    )


def _numbers(session: Session, member_ids: Sequence[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for ids in portions(member_ids):
        rows = session.execute(select(Member.id, Member.volunteer_no).where(Member.id.in_(ids)))
        found |= {row.id: row.volunteer_no for row in rows}
    return found


def _newest_counted(
    session: Session, member_ids: Sequence[int], period: Period, cut: Cut
) -> int:
    """Return the highest id among the entries that count: the same however late it is made."""
    newest = 0
    for ids in portions(member_ids):
        found = session.scalar(
            select(func.max(ScoreEntry.id)).where(
                ScoreEntry.member_id.in_(ids),
                ScoreEntry.earned_on >= period.first_on,
                ScoreEntry.earned_on < period.end_on,
                *cut.holds(),
            )
        )
        newest = max(newest, found or 0)
    return newest


def freeze(
    session: Session,
    counted: Counted,
    *,
    organization_id: int,
    period: Period,
    version: int,
    now: datetime,
    **why: Any,
) -> int:
    """Write a snapshot with its lines and return its id.

    why: reason, objection_id and made_by_id of a correction.
    """
    sums: dict[str, Any] = {
        "entry_id": counted.entry_id,
        "entries": counted.entries,
        "sum_hundredths": counted.sum_hundredths,
        "sum_points": counted.sum_points,
        "sum_minutes": counted.sum_minutes,
        "members": len(counted.lines),
        "cut_at": counted.cut.before,
    }
    head = Head(
        period=period.name,
        organization_code=organization_of(session, organization_id).code,
        version=version,
        standard_version=counted.standard_version,
        **sums,
    )
    snapshot_id = session.execute(
        insert(Snapshot)
        .values(
            period=period.name,
            organization_id=organization_id,
            version=version,
            standard_id=counted.standard_id,
            digest=digest_of(head, counted.lines),
            made_at=now,
            **sums,
            **why,
        )
        .returning(Snapshot.id)
    ).scalar_one()
    if counted.lines:
        session.execute(
            insert(SnapshotLine),
            [_kept(line) | {"snapshot_id": snapshot_id} for line in counted.lines],
        )
    return snapshot_id


def _kept(line: Line) -> dict[str, Any]:
    return {name: value for name, value in asdict(line).items() if name != "volunteer_no"}
