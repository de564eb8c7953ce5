"""The table of a branch's quarter for the wall (支部季度积分公示表): bands, masked names."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.core.calendar import Period
from pointsbank.core.text import masked_name
from pointsbank.members.consenting import who_consents
from pointsbank.members.models import Member
from pointsbank.notices.queries import PUBLISH_NAME, shown_lines, versions_of
from pointsbank.organizations.queries import OrganizationNode
from pointsbank.rankings.errors import SnapshotNotFound
from pointsbank.rankings.freezing import Line
from pointsbank.rankings.models import MemberStanding, RollUp
from pointsbank.rankings.noticing import band_of, period_in_chinese, shown_of
from pointsbank.rankings.reports_errors import NoTableYet
from pointsbank.rankings.snapshots import NamedLine, snapshot_of
from pointsbank.rankings.sources import members_of, placing_of, tables_for

# Versions that nobody may hang up: not reviewed yet, or taken back.
NOT_FOR_THE_WALL = ("withdrawn", "replaced")


@dataclass(frozen=True)
class TableLine:
    """One person in the table; the name is masked unless they agreed to it."""

    no: int
    name: str
    band: str


@dataclass(frozen=True)
class QuarterTable:
    """A quarter of one organization as it may hang on the wall.

    source: notice, snapshot or standing, whichever speaks first in this order. unnamed: how
    many are below the lowest band, who are counted and not named. digest: the notice's or the
    snapshot's; empty for what is still being counted. state, opens_on, closes_on: the notice's.
    may_hang: whether the public may read it today, whatever a job has noted of it yet.
    """

    title: str
    place: str
    period: Period
    source: str
    version: int
    standard_version: int
    lines: list[TableLine]
    unnamed: int
    digest: str
    state: str = ""
    opens_on: date | None = None
    closes_on: date | None = None
    may_hang: bool = False


def quarter_table(
    session: Session, *, place: OrganizationNode, period: Period, today: date
) -> QuarterTable:
    """Return a quarter's table: of its notice, else its snapshot, else of what is counted.

    Whoever asks must have seen to it that the organization is in scope. Raises NoTableYet.
    """
    found = _of_notice(session, place, period, today) or _of_snapshot(session, place, period)
    return found or _of_standings(session, place, period)


def _of_notice(
    session: Session, place: OrganizationNode, period: Period, today: date
) -> QuarterTable | None:
    versions = [
        each
        for each in versions_of(session, f"ranking:{period.name}:{place.id}")
        if each.state not in NOT_FOR_THE_WALL
    ]
    if not versions:
        return None
    notice = versions[-1]
    facts = notice.facts
    return QuarterTable(
        title=notice.title,
        place=place.name,
        period=period,
        source="notice",
        version=notice.no,
        standard_version=int(facts.get("standard", 0)),
        lines=[
            TableLine(line.no, line.name, str(line.facts.get("band", "")))
            for line in shown_lines(session, notice.id)
        ],
        unnamed=int(facts.get("unnamed", 0)),
        digest=notice.digest,
        state=notice.state,
        opens_on=notice.opened_on,
        closes_on=notice.closes_on,
        may_hang=notice.is_shown(today),
    )


def _of_snapshot(
    session: Session, place: OrganizationNode, period: Period
) -> QuarterTable | None:
    try:
        snapshot = snapshot_of(session, period=period.name, organization_id=place.id)
    except SnapshotNotFound:
        return None
    shown = shown_of(session, snapshot)
    bands = [(each.member_id or 0, str(each.facts["band"])) for each in shown.lines]
    return QuarterTable(
        title=title_of(place, period),
        place=place.name,
        period=period,
        source="snapshot",
        version=snapshot.version,
        standard_version=snapshot.standard_version,
        lines=_named(session, bands),
        unnamed=shown.unnamed,
        digest=snapshot.digest,
    )


def _of_standings(session: Session, place: OrganizationNode, period: Period) -> QuarterTable:
    counted = session.execute(
        select(RollUp.standard_id, RollUp.standard_version).where(RollUp.period == period.name)
    ).first()
    rows = list(session.execute(_standings(place, period)))
    if counted is None or not rows:
        raise NoTableYet
    tables = tables_for(session, counted.standard_id)
    placed: list[tuple[int, str, int, str]] = []
    for row in rows:
        line = _line(row)
        at, band = band_of(NamedLine(row.name, line), tables[line.table_name])
        if band:
            placed.append((at, row.name, line.member_id, band))
    return QuarterTable(
        title=title_of(place, period),
        place=place.name,
        period=period,
        source="standing",
        version=0,
        standard_version=counted.standard_version,
        lines=_named(session, [(each[2], each[3]) for each in sorted(placed)]),
        unnamed=_ranked(session, place, period, rows) - len(placed),
        digest="",
    )


def _ranked(
    session: Session, place: OrganizationNode, period: Period, rows: Sequence[Any]
) -> int:
    """Return how many members count, those without an entry too, as in a closed period; whoever
    came later and has a standing here by late entries counts as well.
    """
    members = members_of(session, organization_id=place.id, period=period)
    placings = placing_of(session, member_ids=members, period=period)
    counted = {each for each, placing in placings.items() if not placing.is_exempt}
    return len(counted | {row.MemberStanding.member_id for row in rows})


def title_of(place: OrganizationNode, period: Period) -> str:
    """Return the title of a table; it hangs on a wall in China, so it is Chinese."""
    return f"{place.name}{period_in_chinese(period)}积分公示表"


def _standings(place: OrganizationNode, period: Period) -> Any:
    return (
        select(MemberStanding, Member.name, Member.volunteer_no)
        .join(Member, Member.id == MemberStanding.member_id)
        .where(
            MemberStanding.period == period.name,
            MemberStanding.organization_id == place.id,
            MemberStanding.is_exempt.is_(False),
        )
    )


def _line(row: Any) -> Line:
    standing = row.MemberStanding
    return Line(
        member_id=standing.member_id,
        volunteer_no=row.volunteer_no,
        rank=None,
        table_name=standing.table_name,
        is_exempt=standing.is_exempt,
        is_vetoed=standing.is_vetoed,
        base_hundredths=standing.base_hundredths,
        bonus_hundredths=standing.bonus_hundredths,
        deduction_hundredths=standing.deduction_hundredths,
        evaluation_hundredths=standing.evaluation_hundredths,
        points_earned=standing.points_earned,
        service_minutes=standing.service_minutes,
        parts=standing.parts,
    )


def _named(session: Session, bands: Sequence[tuple[int, str]]) -> list[TableLine]:
    """Return numbered lines with each name as its person allows."""
    ids = [member_id for member_id, _ in bands]
    rows = session.execute(select(Member.id, Member.name).where(Member.id.in_(ids)))
    names = {row.id: row.name for row in rows}
    allowed = who_consents(session, PUBLISH_NAME, ids)
    return [
        TableLine(
            no,
            names[member_id] if member_id in allowed else masked_name(names[member_id]),
            band,
        )
        for no, (member_id, band) in enumerate(bands, start=1)
    ]
