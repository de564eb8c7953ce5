"""What a closed period was computed from: entries, items with their caps, tables."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.members.models import Member
from pointsbank.rankings.models import SnapshotLine
from pointsbank.rankings.snapshots import SnapshotFile
from pointsbank.rankings.sources import caps_for, standard_for, tables_for
from pointsbank.scoring.evaluating import ItemCaps
from pointsbank.scoring.models import ScoreEntry, ScoringItem, ScoringStandard
from pointsbank.scoring.tables import EvaluationTable

ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class EntryFile:
    """One entry that a snapshot counts; name is the full name, doors mask it."""

    id: int
    volunteer_no: str
    name: str
    earned_on: date
    item_code: str
    category: str
    standard_version: int | None
    hundredths: int
    points: int
    minutes: int
    title: str
    cause: str


@dataclass(frozen=True)
class Rules:
    """The standard that counted a period: its tables, and the caps of every item in it."""

    name: str
    tables: dict[str, EvaluationTable]
    items: dict[str, tuple[str, str, ItemCaps]]


def entries_counted(session: Session, snapshot: SnapshotFile) -> Iterator[EntryFile]:
    """Yield the entries that a snapshot counts by volunteer number, day and id."""
    rows: Any = session.execute(
        select(
            ScoreEntry.id,
            Member.volunteer_no,
            Member.name,
            ScoreEntry.earned_on,
            ScoringItem.code,
            ScoreEntry.category,
            ScoringStandard.version,
            ScoreEntry.evaluation_hundredths,
            ScoreEntry.points,
            ScoreEntry.service_minutes,
            ScoreEntry.title,
            ScoreEntry.cause,
        )
        .join(Member, Member.id == ScoreEntry.member_id)
        .join(SnapshotLine, SnapshotLine.member_id == ScoreEntry.member_id)
        .join(ScoringItem, ScoringItem.id == ScoreEntry.item_id)
        .join(ScoringStandard, ScoringStandard.id == ScoringItem.standard_id)
        .where(
            SnapshotLine.snapshot_id == snapshot.id,
            ScoreEntry.earned_on >= snapshot.span.first_on,
            ScoreEntry.earned_on < snapshot.span.end_on,
            *snapshot.cut.holds(),
        )
        .order_by(Member.volunteer_no, ScoreEntry.earned_on, ScoreEntry.id),
        execution_options={"yield_per": ROWS_AT_ONCE},
    )
    for row in rows:
        yield EntryFile(*row)


def rules_of(session: Session, snapshot: SnapshotFile) -> Rules:
    """Return the rules that a snapshot was computed by; items by their code.

    Raises NoStandard.
    """
    standard = standard_for(session, snapshot.span, snapshot.cut_at.date())
    caps = caps_for(session, standard)
    named = {
        row.code: (row.name_zh, row.category)
        for row in session.execute(
            select(ScoringItem.code, ScoringItem.name_zh, ScoringItem.category)
            .join(ScoringStandard, ScoringStandard.id == ScoringItem.standard_id)
            .where(ScoringStandard.state == "published")
            .order_by(ScoringStandard.version)
        )
    }
    return Rules(
        name=standard.name,
        tables=tables_for(session, snapshot.standard_id),
        items={code: (*named[code], caps[code]) for code in sorted(caps)},
    )
