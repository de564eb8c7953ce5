"""The nightly check: standings of a part of the members are computed anew, entry by entry."""

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Date, bindparam, func, select, text, update
from sqlalchemy.orm import Session

from pointsbank.core.calendar import Period
from pointsbank.core.db import Moment
from pointsbank.members.models import Belonging, Member, MemberChange
from pointsbank.rankings.models import MemberStanding, RollUp, Snapshot, StandingCheck
from pointsbank.rankings.policy import yearly_factor
from pointsbank.rankings.snapshots import digest_again, snapshot_with
from pointsbank.rankings.sources import (
    Cut,
    Placing,
    caps_for,
    entries_of,
    last_day,
    placing_of,
    standard_for,
    tables_for,
)
from pointsbank.scoring.evaluating import Scored, evaluate
from pointsbank.scoring.tables import EvaluationTable

# After so many nights everybody was checked once.
TURN_DAYS = 28
# So many are checked while the period's row is held, which keeps a roll-up waiting.
PORTION = 500
KEEP_CHECK = text(
    """
    INSERT INTO standing_check (day, checked_at, compared, wrong)
    VALUES (:day, :now, :compared, :wrong)
    ON CONFLICT (day) DO UPDATE SET checked_at = excluded.checked_at,
        compared = excluded.compared,
        wrong = CASE WHEN standing_check.wrong > excluded.wrong
                     THEN standing_check.wrong ELSE excluded.wrong END
    """
).bindparams(bindparam("day", type_=Date()), bindparam("now", type_=Moment()))
FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)
COMPARED = (
    "organization_id",
    "grid_id",
    "table_name",
    "is_exempt",
    "is_vetoed",
    "base_hundredths",
    "bonus_hundredths",
    "deduction_hundredths",
    "evaluation_hundredths",
    "points_earned",
    "service_minutes",
    "parts",
)


@dataclass(frozen=True)
class Checked:
    """What the check of a local day came to: of so many compared so many were wrong."""

    day: date
    checked_at: datetime
    compared: int
    wrong: int


def checked_on(session: Session, day: date, *, after: int, limit: int = PORTION) -> list[int]:
    """Return ids of members whose turn it is on a local day, behind an id, in their order."""
    return list(
        session.scalars(
            select(Member.id)
            .where(Member.id > after, Member.id % TURN_DAYS == day.toordinal() % TURN_DAYS)
            .order_by(Member.id)
            .limit(limit)
        )
    )


def check_members(
    session: Session, *, period: Period, member_ids: list[int], today: date
) -> list[int]:
    """Return those of these members whose standing differs from what their entries give.

    The period's row stays locked to the end of the transaction; a difference marks it, so that
    the next roll-up starts over. Whoever changed since the last roll-up is left out, and
    everybody while the period waits for one.
    """
    kept = session.execute(
        select(RollUp.entry_id, RollUp.change_id, RollUp.standard_id, RollUp.is_doubted)
        .where(RollUp.period == period.name)
        .with_for_update()
    ).first()
    standard = standard_for(session, period, today)
    if kept is None or kept.is_doubted or kept.standard_id != standard.id or not member_ids:
        return []
    cut = Cut(before=FOR_EVER, through_id=kept.entry_id)
    entries = entries_of(session, member_ids=member_ids, period=period, cut=cut)
    placing = placing_of(session, member_ids=member_ids, period=period)
    caps, tables = caps_for(session, standard), tables_for(session, standard.id)
    standing = _kept(session, period, member_ids)
    active = _active_since(session, member_ids)
    # Asked last: whoever changed while this was read is seen here and left out.
    changed = set(
        session.scalars(
            select(MemberChange.member_id).where(
                MemberChange.id > kept.change_id, MemberChange.member_id.in_(member_ids)
            )
        )
    )
    ids = [each for each in member_ids if each not in changed]
    wrong = [
        member_id
        for member_id in ids
        if standing.get(member_id)
        != _wanted(
            entries[member_id],
            placing[member_id],
            tables[placing[member_id].table_name],
            caps,
            yearly_factor(period),
            has_begun=member_id in active and active[member_id] <= last_day(period),
            is_active=member_id in active,
        )
    ]
    if wrong:
        session.execute(
            update(RollUp).where(RollUp.period == period.name).values(is_doubted=True)
        )
    return wrong


def snapshots_on(session: Session, day: date) -> list[int]:
    """Return ids of the snapshots whose turn it is on a local day."""
    turn = Snapshot.id % TURN_DAYS == day.toordinal() % TURN_DAYS
    return list(session.scalars(select(Snapshot.id).where(turn).order_by(Snapshot.id)))


def is_untouched(session: Session, snapshot_id: int) -> bool:
    """Tell whether a snapshot's rows still give the digest that was kept with it."""
    snapshot = snapshot_with(session, snapshot_id)
    return digest_again(session, snapshot) == snapshot.digest


def keep_check(
    session: Session, *, day: date, compared: int, wrong: int, now: datetime
) -> None:
    """Keep what a check of a day found; of several tries the most that was wrong stays.

    The try after a difference finds nothing, because the standings were made anew meanwhile.
    """
    session.execute(KEEP_CHECK, {"day": day, "now": now, "compared": compared, "wrong": wrong})


def last_check(session: Session) -> Checked | None:
    """Return what the newest night's check found, None before the first."""
    row = session.execute(
        select(*StandingCheck.__table__.columns).order_by(StandingCheck.day.desc()).limit(1)
    ).first()
    return Checked(**row._asdict()) if row else None


def standings_last_found(session: Session) -> int:
    """Return how many standings differed in the newest night's check, 0 before the first."""
    last = last_check(session)
    return last.wrong if last else 0


def _wanted(
    entries: list[Scored],
    placing: Placing,
    table: EvaluationTable,
    caps: Any,
    factor: int,
    *,
    has_begun: bool,
    is_active: bool,
) -> dict[str, Any] | None:
    """Return what a standing should hold, None where there should be none."""
    is_given = table.base_mode == "start_full_and_deduct" and has_begun
    if not is_active or not (entries or is_given):
        return None
    found = evaluate(entries, caps=caps, table=table, factor=factor)
    facts = asdict(placing) | asdict(found)
    facts |= {"table_name": table.name, "parts": [asdict(part) for part in found.parts]}
    return {name: facts[name] for name in COMPARED}


def _kept(session: Session, period: Period, ids: list[int]) -> dict[int, dict[str, Any]]:
    rows = session.execute(
        select(*MemberStanding.__table__.columns).where(
            MemberStanding.period == period.name, MemberStanding.member_id.in_(ids)
        )
    )
    return {row.member_id: {name: getattr(row, name) for name in COMPARED} for row in rows}


def _active_since(session: Session, ids: list[int]) -> dict[int, date]:
    """Return the first day on which each active member belonged anywhere."""
    rows = session.execute(
        select(Member.id, func.min(Belonging.from_on))
        .join(Belonging, Belonging.member_id == Member.id)
        .where(Member.id.in_(ids), Member.state == "active")
        .group_by(Member.id)
    )
    return {row[0]: row[1] for row in rows}
