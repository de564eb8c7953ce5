"""A draft run over a past period (试算): who would have moved and why. It binds nobody."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.calendar import Period, read_period
from pointsbank.organizations.queries import organization_by_code
from pointsbank.rankings.errors import TrialInFuture, TrialTooLarge
from pointsbank.rankings.policy import yearly_factor
from pointsbank.rankings.remeasuring import Kept, remeasured
from pointsbank.rankings.sources import (
    Placing,
    caps_for,
    members_of,
    placing_of,
    portions,
    standard_for,
    tables_for,
)
from pointsbank.scoring.contents import digest_of
from pointsbank.scoring.errors import NotADraftStandard
from pointsbank.scoring.evaluating import Evaluation, ItemCaps, Scored, evaluate
from pointsbank.scoring.models import Item, ScoreEntry, ScoringItem, StandardTrial
from pointsbank.scoring.standards import check_keeper, content_of, standard_line
from pointsbank.scoring.tables import DEFAULT_TABLE, MOBILE_TABLE, EvaluationTable, table_named

MEMBERS_MAX = 5000
# The summary counts everybody; so many are kept with their parts, who moved furthest first.
MOVED_KEPT = 200


@dataclass(frozen=True)
class Standpoint:
    """How one member stands by one set of rules; rank None: not ranked."""

    score: int
    rank: int | None
    grade: str | None


@dataclass(frozen=True)
class Rules:
    """All that entries are evaluated by."""

    caps: Mapping[str, ItemCaps]
    tables: Mapping[str, EvaluationTable]
    factor: int


def run_trial(
    session: Session,
    *,
    standard_id: int,
    period_name: str,
    organization_code: str,
    actor: Actor,
    today: date,
    now: datetime,
) -> int:
    """Evaluate a period anew by a draft, keep what would have changed, and return its id.

    Only the trial's own row is written.
    Raises StandardsForWhole, StandardNotFound, NotADraftStandard, UnknownPeriod, TrialInFuture,
    OrganizationNotFound, TrialTooLarge, NoStandard.
    """
    check_keeper(session, actor)
    if standard_line(session, standard_id).state != "draft":
        raise NotADraftStandard
    period = read_period(period_name)
    if period.first_on > today:
        raise TrialInFuture
    place = organization_by_code(session, organization_code)
    content = content_of(session, standard_id)
    member_ids = members_of(session, organization_id=place.id, period=period, and_below=True)
    if len(member_ids) > MEMBERS_MAX:
        raise TrialTooLarge(most=MEMBERS_MAX)
    summary = compared(session, member_ids, period, content, today)
    trial_id = session.execute(
        insert(StandardTrial)
        .values(
            standard_id=standard_id,
            period=period.name,
            organization_id=place.id,
            ran_by_id=actor.member_id,
            ran_at=now,
            digest=digest_of(content),
            summary=summary,
        )
        .returning(StandardTrial.id)
    ).scalar_one()
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="standard_tried",
        subject=("standard", standard_id),
        period=period.name,
    )
    return trial_id


def compared(
    session: Session,
    member_ids: Sequence[int],
    period: Period,
    content: Mapping[str, Any],
    today: date,
) -> dict[str, Any]:
    """Return how these members stand by the rules of a period and how by a content."""
    standard = standard_for(session, period, today)
    factor = yearly_factor(period)
    old = Rules(caps_for(session, standard), tables_for(session, standard.id), factor)
    items = items_of(content)
    new = Rules(caps_of(items), tables_of(content), factor)
    entries = kept_entries(session, member_ids, period)
    placing = placing_of(session, member_ids=member_ids, period=period)
    before = {m: [each.scored for each in entries[m]] for m in member_ids}
    after = {
        m: [found for each in entries[m] if (found := remeasured(each, items)) is not None]
        for m in member_ids
    }
    was = evaluated(before, before, placing, old)
    would = evaluated(after, before, placing, new)
    return summed(was, would, placing, old, new) | {
        "standard_version": standard.version,
        "not_counted": sum(len(before[m]) - len(after[m]) for m in member_ids),
    }


def kept_entries(
    session: Session, member_ids: Sequence[int], period: Period
) -> dict[int, list[Kept]]:
    """Return each member's entries of a period as they stand."""
    found: dict[int, list[Kept]] = {member_id: [] for member_id in member_ids}
    for ids in portions(member_ids):
        rows = session.execute(
            select(
                ScoreEntry.member_id,
                ScoreEntry.cause,
                ScoringItem.code,
                ScoringItem.evaluation_hundredths,
                ScoreEntry.category,
                ScoreEntry.earned_on,
                ScoreEntry.evaluation_hundredths,
                ScoreEntry.points,
                ScoreEntry.service_minutes,
            )
            .join(ScoringItem, ScoringItem.id == ScoreEntry.item_id)
            .where(
                ScoreEntry.member_id.in_(ids),
                ScoreEntry.earned_on >= period.first_on,
                ScoreEntry.earned_on < period.end_on,
            )
            .order_by(ScoreEntry.id)
        )
        for row in rows:
            found[row[0]].append(Kept(*row))
    return found


def items_of(content: Mapping[str, Any]) -> dict[str, Item]:
    """Return a content's items by code, as the rules read them."""
    return {
        item["code"]: Item(id=0, **item, rounding=content["rounding"])
        for item in content["items"]
    }


def caps_of(items: Mapping[str, Item]) -> dict[str, ItemCaps]:
    """Return the limits of evaluation of each item."""
    return {
        code: ItemCaps(
            item.hundredths_day_max, item.hundredths_week_max, item.hundredths_year_max
        )
        for code, item in items.items()
    }


def tables_of(content: Mapping[str, Any]) -> dict[str, EvaluationTable]:
    """Return how a content evaluates members, by the name a placing gives."""
    tables = content["evaluation_tables"]
    return {name: table_named(tables, name) for name in (DEFAULT_TABLE, MOBILE_TABLE)}


def evaluated(
    entries: Mapping[int, Sequence[Scored]],
    entries_before: Mapping[int, Sequence[Scored]],
    placing: Mapping[int, Placing],
    rules: Rules,
) -> dict[int, Evaluation]:
    """Return the evaluation of everybody who has a standing by these rules.

    Whoever had an entry keeps a standing, even where the draft counts none of it.
    """
    return {
        member_id: evaluate(found, caps=rules.caps, table=table, factor=rules.factor)
        for member_id, found in entries.items()
        if member_id in placing
        and (
            (table := rules.tables[placing[member_id].table_name]).base_mode
            == "start_full_and_deduct"
            or entries_before[member_id]
        )
    }


def standpoints(
    found: Mapping[int, Evaluation], placing: Mapping[int, Placing], rules: Rules
) -> dict[int, Standpoint]:
    """Return score, rank and advised grade; ties share a rank, the exempt have none."""
    scores = sorted(
        (
            each.evaluation_hundredths
            for member_id, each in found.items()
            if not placing[member_id].is_exempt
        ),
        reverse=True,
    )
    ranks: dict[int, int] = {}
    for rank, score in enumerate(scores, 1):
        ranks.setdefault(score, rank)
    return {
        member_id: Standpoint(
            each.evaluation_hundredths,
            None if placing[member_id].is_exempt else ranks[each.evaluation_hundredths],
            None
            if placing[member_id].is_exempt
            else rules.tables[placing[member_id].table_name].advised_grade(
                each.evaluation_hundredths, is_vetoed=placing[member_id].is_vetoed
            ),
        )
        for member_id, each in found.items()
    }


NOWHERE = Standpoint(0, None, None)


def summed(
    was: Mapping[int, Evaluation],
    would: Mapping[int, Evaluation],
    placing: Mapping[int, Placing],
    old: Rules,
    new: Rules,
) -> dict[str, Any]:
    """Return the counts and who moved furthest, with the parts that differ."""
    before, after = standpoints(was, placing, old), standpoints(would, placing, new)
    everyone = sorted(set(before) | set(after))
    pairs = {m: (before.get(m, NOWHERE), after.get(m, NOWHERE)) for m in everyone}
    moved = [m for m in everyone if pairs[m][0] != pairs[m][1]]
    moved.sort(key=lambda m: (-abs(pairs[m][1].score - pairs[m][0].score), m))
    return {
        "members": len(everyone),
        "up": sum(new_.score > old_.score for old_, new_ in pairs.values()),
        "down": sum(new_.score < old_.score for old_, new_ in pairs.values()),
        "rank_changes": sum(new_.rank != old_.rank for old_, new_ in pairs.values()),
        "grade_changes": sum(new_.grade != old_.grade for old_, new_ in pairs.values()),
        "moved": len(moved),
        "lines": [
            {
                "member_id": m,
                "old": asdict(pairs[m][0]),
                "new": asdict(pairs[m][1]),
                "parts": _differences(was.get(m), would.get(m)),
            }
            for m in moved[:MOVED_KEPT]
        ],
    }


def _differences(was: Evaluation | None, would: Evaluation | None) -> list[dict[str, Any]]:
    """Return the categories whose part of the score differs."""
    old = {part.category: part.score for part in was.parts} if was else {}
    new = {part.category: part.score for part in would.parts} if would else {}
    return [
        {"category": each, "old": old.get(each, 0), "new": new.get(each, 0)}
        for each in dict.fromkeys([*old, *new])
        if old.get(each, 0) != new.get(each, 0)
    ]
