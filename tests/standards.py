"""Versions of the scoring standard for tests: published as the service publishes them."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from pointsbank.scoring.models import ScoringItem, ScoringStandard
from pointsbank.scoring.queries import standard_on


def a_standard(
    session: Session,
    *,
    valid_from: date,
    changes: Mapping[str, Mapping[str, Any]] | None = None,
    more: Collection[Mapping[str, Any]] = (),
    without: Collection[str] = (),
    tables: Mapping[str, Any] | None = None,
    rounding: str = "floor",
    state: str = "published",
) -> int:
    """Make a version out of the one in force on that day and return its id.

    changes: columns by item code. more: whole items; columns that are missing are those of the
    hour of volunteer service. without: items that it has no more. A published one ends the
    version before it and begins after every other.
    """
    before = standard_on(session, valid_from)
    kept = session.get_one(ScoringStandard, before.id)
    standard_id = session.execute(
        insert(ScoringStandard)
        .values(
            version=None,
            name="Another standard",
            state="draft",
            valid_from=valid_from,
            rounding=rounding,
            evaluation_tables=dict(tables or kept.evaluation_tables),
        )
        .returning(ScoringStandard.id)
    ).scalar_one()
    session.execute(
        insert(ScoringItem), _items(session, before.id, standard_id, changes, more, without)
    )
    if state == "published":
        newest = session.scalar(select(func.max(ScoringStandard.version)))
        session.execute(
            update(ScoringStandard)
            .where(ScoringStandard.id == before.id)
            .values(valid_to=valid_from)
        )
        session.execute(
            update(ScoringStandard)
            .where(ScoringStandard.id == standard_id)
            .values(state="published", version=(newest or 0) + 1)
        )
    session.expire_all()
    return standard_id


def _items(
    session: Session,
    before_id: int,
    standard_id: int,
    changes: Mapping[str, Mapping[str, Any]] | None,
    more: Collection[Mapping[str, Any]],
    without: Collection[str],
) -> list[dict[str, Any]]:
    columns = [each for each in ScoringItem.__table__.columns if each.name != "id"]
    rows = session.execute(
        select(*columns).where(ScoringItem.standard_id == before_id).order_by(ScoringItem.id)
    )
    items = {row.code: dict(row._mapping) for row in rows if row.code not in without}
    for code, values in (changes or {}).items():
        items[code] |= values
    hour = items.get("volunteer_hour") or next(iter(items.values()))
    for values in more:
        items[values["code"]] = {**hour, **values}
    return [{**values, "standard_id": standard_id} for values in items.values()]
