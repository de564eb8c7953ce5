"""Why a score is what it is: the entries behind each part, and which cap cut them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.core.calendar import Period
from pointsbank.rankings.models import RollUp
from pointsbank.rankings.policy import yearly_factor
from pointsbank.rankings.sources import caps_for, standard_for, tables_for
from pointsbank.scoring.evaluating import DEDUCTION, ItemCaps, Scored, cap_of, cut
from pointsbank.scoring.models import ScoreEntry, ScoringItem, ScoringStandard
from pointsbank.scoring.tables import EvaluationTable

START_FULL = "start_full_and_deduct"
# Of one person, one period and one category; more than a year can hold.
ENTRIES_MAX = 5000


@dataclass(frozen=True)
class EntryLine:
    """One entry behind a part. cuts: whose caps it reaches: day, week, year, category."""

    id: int
    title: str
    item_code: str
    item_name: str
    item_name_zh: str
    category: str
    earned_on: date
    standard_version: int | None
    hundredths: int
    points: int
    service_minutes: int
    cuts: tuple[str, ...]


def entries_behind(
    session: Session,
    *,
    member_id: int,
    period: Period,
    category: str,
    table_name: str,
    today: date,
) -> list[EntryLine]:
    """Return a member's entries of one category that the roll-up has counted, newest first.

    cuts names every cap that its day, week, item or category reached, so that what more of the
    same would have given is clear. Raises NoStandard, NoSuchTable.
    """
    rows = session.execute(_entries(member_id, period, category)).all()
    standard = standard_for(session, period, today)
    scored = [
        Scored(row.code, category, row.earned_on, row.evaluation_hundredths, 0, 0)
        for row in rows
    ]
    cuts = cuts_of(
        scored,
        caps=caps_for(session, standard),
        table=tables_for(session, standard.id)[table_name],
        factor=yearly_factor(period),
    )
    return [
        EntryLine(
            row.id,
            row.title,
            row.code,
            row.name,
            row.name_zh,
            category,
            row.earned_on,
            row.version,
            row.evaluation_hundredths,
            row.points,
            row.service_minutes,
            found,
        )
        for row, found in zip(rows, cuts, strict=True)
    ]


def _entries(member_id: int, period: Period, category: str) -> Any:
    counted = select(RollUp.entry_id).where(RollUp.period == period.name).scalar_subquery()
    return (
        select(
            ScoreEntry.id,
            ScoreEntry.title,
            ScoreEntry.earned_on,
            ScoreEntry.evaluation_hundredths,
            ScoreEntry.points,
            ScoreEntry.service_minutes,
            ScoringItem.code,
            ScoringItem.name,
            ScoringItem.name_zh,
            ScoringStandard.version,
        )
        .join(ScoringItem, ScoringItem.id == ScoreEntry.item_id)
        .join(ScoringStandard, ScoringStandard.id == ScoringItem.standard_id)
        .where(
            ScoreEntry.member_id == member_id,
            ScoreEntry.category == category,
            ScoreEntry.earned_on >= period.first_on,
            ScoreEntry.earned_on < period.end_on,
            ScoreEntry.id <= counted,
        )
        .order_by(ScoreEntry.earned_on.desc(), ScoreEntry.id.desc())
        .limit(ENTRIES_MAX)
    )


def cuts_of(
    entries: Sequence[Scored],
    *,
    caps: Mapping[str, ItemCaps],
    table: EvaluationTable,
    factor: int,
) -> list[tuple[str, ...]]:
    """Return for each entry of one category which caps cut the sum that it is part of.

    In the steps of scoring/evaluating.py; a deduction is cut by nothing, nor is a base that is
    given in full whatever its entries are.
    """
    days: dict[tuple[str, date], int] = defaultdict(int)
    for each in entries:
        days[each.item_code, each.earned_on] += each.hundredths
    weeks: dict[tuple[str, int, int], int] = defaultdict(int)
    for (code, day), total in days.items():
        weeks[code, *week_of(day)] += cut(total, cap_of(caps, code).day)
    items: dict[str, int] = defaultdict(int)
    for (code, _year, _week), total in weeks.items():
        items[code] += cut(total, cap_of(caps, code).week)
    whole = sum(cut(total * factor, cap_of(caps, code).year) for code, total in items.items())
    found = []
    for each in entries:
        code, limit = each.item_code, cap_of(caps, each.item_code)
        reached = {
            "day": is_above(days[code, each.earned_on], limit.day),
            "week": is_above(weeks[code, *week_of(each.earned_on)], limit.week),
            "year": is_above(items[code] * factor, limit.year),
            "category": is_above(whole, table.cap_of(each.category)),
        }
        is_full = table.base_mode == START_FULL and each.category in table.base
        is_cut = each.category != DEDUCTION and not is_full
        found.append(tuple(name for name, is_so in reached.items() if is_so and is_cut))
    return found


def week_of(day: date) -> tuple[int, int]:
    """Return the ISO year and week of a day."""
    iso = day.isocalendar()
    return iso.year, iso.week


def is_above(total: int, most: int | None) -> bool:
    """Tell whether a sum is more than its cap lets through."""
    return most is not None and total > most
