"""Reads of the standard in force and of what was scored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pointsbank.scoring.errors import NoStandard, UnknownScoringItem
from pointsbank.scoring.models import Item, ScoreEntry, ScoringItem, ScoringStandard

ITEM = (
    ScoringItem.id,
    ScoringItem.code,
    ScoringItem.name,
    ScoringItem.name_zh,
    ScoringItem.category,
    ScoringItem.unit,
    ScoringItem.points,
    ScoringItem.evaluation_hundredths,
    ScoringItem.counts_minutes,
    ScoringItem.unit_minutes,
    ScoringItem.share_min_percent,
    ScoringItem.day_minutes_max,
    ScoringItem.evidence,
    ScoringItem.coefficient_percent_max,
    ScoringItem.points_day_max,
    ScoringItem.points_week_max,
    ScoringItem.points_year_max,
    ScoringItem.hundredths_day_max,
    ScoringItem.hundredths_week_max,
    ScoringItem.hundredths_year_max,
    ScoringStandard.rounding,
)


@dataclass(frozen=True)
class Standard:
    """One version of the rules that was published.

    valid_to: exclusive; None while no later version is published. evaluation_tables: how a year
    is evaluated, as scoring/tables.py reads it.
    """

    id: int
    version: int
    name: str
    valid_from: date
    valid_to: date | None
    evaluation_tables: dict[str, Any]
    items: tuple[Item, ...]

    def item(self, code: str) -> Item:
        """Return the item with this code.

        Raises UnknownScoringItem.
        """
        for item in self.items:
            if item.code == code:
                return item
        raise UnknownScoringItem(scoring_item=code[:40])

    def task_item(self, code: str) -> Item:
        """Return the item with this code by which work on a task can be scored.

        Raises UnknownScoringItem, for a deduction and an item by decision too.
        """
        item = self.item(code)
        if not item.is_for_tasks:
            raise UnknownScoringItem(scoring_item=code[:40])
        return item


def standard_on(session: Session, day: date) -> Standard:
    """Return the version in force on a local day: the newest published that began by then.

    Raises NoStandard.
    """
    newest = (
        select(func.max(ScoringStandard.valid_from))
        .where(ScoringStandard.state == "published", ScoringStandard.valid_from <= day)
        .scalar_subquery()
    )
    rows: Sequence[Any] = session.execute(
        select(ScoringStandard, *ITEM)
        .outerjoin(ScoringItem, ScoringItem.standard_id == ScoringStandard.id)
        .where(ScoringStandard.state == "published", ScoringStandard.valid_from == newest)
        .order_by(ScoringItem.id)
    ).all()
    if not rows:
        raise NoStandard
    row = rows[0].ScoringStandard
    return Standard(
        row.id,
        row.version,
        row.name,
        row.valid_from,
        row.valid_to,
        row.evaluation_tables,
        tuple(Item(*found[1:]) for found in rows if found[1] is not None),
    )


def service_minutes_of(session: Session, member_id: int) -> int:
    """Return all the service time of a member; it is never spent and never expires."""
    total = session.scalar(
        select(func.sum(ScoreEntry.service_minutes)).where(ScoreEntry.member_id == member_id)
    )
    return int(total or 0)


def minutes_counted_on(
    session: Session, member_ids: Sequence[int], day: date
) -> dict[int, int]:
    """Return the minutes already counted for these members on a local day; who has none is left
    out."""
    rows = session.execute(
        select(ScoreEntry.member_id, func.sum(ScoreEntry.service_minutes).label("minutes"))
        .where(ScoreEntry.earned_on == day, ScoreEntry.member_id.in_(member_ids))
        .group_by(ScoreEntry.member_id)
    )
    return {row.member_id: int(row.minutes) for row in rows}
