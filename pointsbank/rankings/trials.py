"""Reads of trials: those of a draft, and one with the names of who moved, masked."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.text import masked_name
from pointsbank.members.models import Member
from pointsbank.organizations.models import Organization
from pointsbank.rankings.errors import TrialNotFound
from pointsbank.scoring.models import StandardTrial
from pointsbank.scoring.standards import check_keeper


@dataclass(frozen=True)
class TrialFile:
    """A trial as it was kept; ran_by is masked. names: masked, of the members it names."""

    id: int
    standard_id: int
    period: str
    organization_name: str
    ran_by: str
    ran_at: datetime
    digest: str
    summary: dict[str, Any]
    names: dict[int, str]


def trials_of(
    session: Session,
    actor: Actor,
    standard_id: int,
    *,
    before_id: int | None = None,
    limit: int = 20,
) -> list[TrialFile]:
    """Return the trials of a draft, the newest first, without the names of their members.

    Raises StandardsForWhole.
    """
    check_keeper(session, actor)
    statement = (
        _files()
        .where(StandardTrial.standard_id == standard_id)
        .order_by(StandardTrial.id.desc())
        .limit(limit)
    )
    if before_id is not None:
        statement = statement.where(StandardTrial.id < before_id)
    return [_file(row, {}) for row in session.execute(statement)]


def trial_file(session: Session, actor: Actor, trial_id: int) -> TrialFile:
    """Return one trial.

    Raises StandardsForWhole, TrialNotFound.
    """
    check_keeper(session, actor)
    row = session.execute(_files().where(StandardTrial.id == trial_id)).first()
    if row is None:
        raise TrialNotFound
    ids = [line["member_id"] for line in row.summary["lines"]]
    people = session.execute(select(Member.id, Member.name).where(Member.id.in_(ids)))
    return _file(row, {each.id: masked_name(each.name) for each in people})


def _files() -> Any:
    return (
        select(
            StandardTrial.id,
            StandardTrial.standard_id,
            StandardTrial.period,
            Organization.name.label("organization_name"),
            Member.name.label("ran_by"),
            StandardTrial.ran_at,
            StandardTrial.digest,
            StandardTrial.summary,
        )
        .join(Organization, Organization.id == StandardTrial.organization_id)
        .join(Member, Member.id == StandardTrial.ran_by_id)
    )


def _file(row: Any, names: dict[int, str]) -> TrialFile:
    return TrialFile(
        **{**row._mapping, "ran_by": masked_name(row.ran_by)},
        names=names,
    )
