"""Reads of versions and drafts for those who make them: one, all, and their contents."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from pointsbank.core.actor import Actor
from pointsbank.core.text import masked_name
from pointsbank.members.models import Member
from pointsbank.organizations.queries import organizations_at
from pointsbank.scoring.contents import ITEM_RULES
from pointsbank.scoring.errors import StandardNotFound, StandardsForWhole
from pointsbank.scoring.models import ScoringItem, ScoringStandard, StandardTrial

KEEPER = "administrator"


@dataclass(frozen=True)
class StandardLine:
    """A version or a draft without its items; the names of its people are masked."""

    id: int
    version: int | None
    name: str
    state: str
    valid_from: date
    valid_to: date | None
    drafted_by_id: int | None
    drafted_by: str
    drafted_at: datetime | None
    published_by: str
    published_at: datetime | None

    def is_in_force(self, today: date) -> bool:
        """Tell whether it judges what is done today."""
        began = self.state == "published" and self.valid_from <= today
        return began and (self.valid_to is None or today < self.valid_to)


def check_keeper(session: Session, actor: Actor) -> None:
    """Let pass who administers everything: without an organization, or on the single top.

    Raises StandardsForWhole.
    """
    paths = actor.paths(KEEPER)
    if "/" in paths:
        return
    tops = organizations_at(session, ("/",))
    if len(tops) != 1 or tops[0].path not in paths:
        raise StandardsForWhole


def _lines() -> Any:
    drafter, publisher = aliased(Member), aliased(Member)
    return (
        select(
            ScoringStandard.id,
            ScoringStandard.version,
            ScoringStandard.name,
            ScoringStandard.state,
            ScoringStandard.valid_from,
            ScoringStandard.valid_to,
            ScoringStandard.drafted_by_id,
            drafter.name.label("drafted_by"),
            ScoringStandard.drafted_at,
            publisher.name.label("published_by"),
            ScoringStandard.published_at,
        )
        .outerjoin(drafter, drafter.id == ScoringStandard.drafted_by_id)
        .outerjoin(publisher, publisher.id == ScoringStandard.published_by_id)
    )


def _line(row: Any) -> StandardLine:
    names = {
        name: masked_name(row._mapping[name]) if row._mapping[name] else ""
        for name in ("drafted_by", "published_by")
    }
    return StandardLine(**{**row._mapping, **names})


def standards_of(
    session: Session, states: Sequence[str], *, before_id: int | None = None, limit: int = 50
) -> list[StandardLine]:
    """Return versions and drafts in these states, the newest first."""
    statement = (
        _lines()
        .where(ScoringStandard.state.in_(states))
        .order_by(ScoringStandard.id.desc())
        .limit(limit)
    )
    if before_id is not None:
        statement = statement.where(ScoringStandard.id < before_id)
    return [_line(row) for row in session.execute(statement)]


def standard_line(session: Session, standard_id: int) -> StandardLine:
    """Return one version or draft.

    Raises StandardNotFound.
    """
    row = session.execute(_lines().where(ScoringStandard.id == standard_id)).first()
    if row is None:
        raise StandardNotFound
    return _line(row)


def content_of(session: Session, standard_id: int) -> dict[str, Any]:
    """Return what a version or draft says, as contents.judged() has it.

    Raises StandardNotFound.
    """
    row = session.execute(
        select(
            ScoringStandard.name, ScoringStandard.rounding, ScoringStandard.evaluation_tables
        ).where(ScoringStandard.id == standard_id)
    ).first()
    if row is None:
        raise StandardNotFound
    items = session.execute(
        select(*(getattr(ScoringItem, name) for name in ITEM_RULES))
        .where(ScoringItem.standard_id == standard_id)
        .order_by(ScoringItem.id)
    )
    return {
        "name": row.name,
        "rounding": row.rounding,
        "items": [dict(item._mapping) for item in items],
        "evaluation_tables": row.evaluation_tables,
    }


def known_categories(session: Session) -> dict[str, str]:
    """Return the category of each item code that a published version has."""
    rows = session.execute(
        select(ScoringItem.code, ScoringItem.category)
        .join(ScoringStandard, ScoringStandard.id == ScoringItem.standard_id)
        .where(ScoringStandard.state == "published")
        .order_by(ScoringStandard.version)
    )
    return {row.code: row.category for row in rows}


def newest_published(session: Session) -> StandardLine:
    """Return the version after which the next one begins.

    Raises StandardNotFound.
    """
    newest = select(func.max(ScoringStandard.version)).scalar_subquery()
    row = session.execute(_lines().where(ScoringStandard.version == newest)).first()
    if row is None:
        raise StandardNotFound
    return _line(row)


def tried_at(session: Session, standard_id: int, digest: str) -> datetime | None:
    """Return when a draft was last tried as it stands; None when it was not."""
    return session.scalar(
        select(func.max(StandardTrial.ran_at)).where(
            StandardTrial.standard_id == standard_id, StandardTrial.digest == digest
        )
    )
