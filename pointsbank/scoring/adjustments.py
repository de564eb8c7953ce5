"""Reads of manual adjustments: one, those of a scope, and those behind lines of a passbook."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, case, select, tuple_
from sqlalchemy.orm import Session, aliased

from pointsbank.core.text import masked_name
from pointsbank.members.models import Member
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import in_scope, within
from pointsbank.scoring.errors import AdjustmentNotFound
from pointsbank.scoring.models import Adjustment

# Those that wait stand first in a list.
WAITING, OVER = 1, 2


@dataclass(frozen=True)
class AdjustmentFile:
    """An adjustment with the people it names, all masked; path is where its member belonged.

    rank: its part of a list, WAITING or OVER.
    """

    id: int
    member_id: int
    member_name: str
    organization_id: int
    organization_name: str
    path: str
    points: int | None
    service_minutes: int | None
    occurred_on: date
    reason_code: str
    reason: str
    evidence: str
    state: str
    author_id: int
    author_name: str
    asked_at: datetime
    decide_by: datetime
    decided_by_id: int | None
    decided_by_name: str
    decided_at: datetime | None
    decision_reason: str
    transfer_id: int | None
    rank: int

    def state_at(self, now: datetime) -> str:
        """Return the state at a moment: what nobody decided in time has lapsed, counted or
        not."""
        return "lapsed" if self.state == "pending" and now >= self.decide_by else self.state


@dataclass(frozen=True)
class Adjusted:
    """What stands behind a line that was entered by hand; both names are masked."""

    reason_code: str
    author_name: str
    decided_by_name: str


def _files() -> Select[*tuple[Any, ...]]:
    member, author, decider = aliased(Member), aliased(Member), aliased(Member)
    return (
        select(
            Adjustment.id,
            Adjustment.member_id,
            member.name.label("member_name"),
            Adjustment.organization_id,
            Organization.name.label("organization_name"),
            Organization.path,
            Adjustment.points,
            Adjustment.service_minutes,
            Adjustment.occurred_on,
            Adjustment.reason_code,
            Adjustment.reason,
            Adjustment.evidence,
            Adjustment.state,
            Adjustment.author_id,
            author.name.label("author_name"),
            Adjustment.asked_at,
            Adjustment.decide_by,
            Adjustment.decided_by_id,
            decider.name.label("decided_by_name"),
            Adjustment.decided_at,
            Adjustment.decision_reason,
            Adjustment.transfer_id,
            _rank().label("rank"),
        )
        .join(Organization, Organization.id == Adjustment.organization_id)
        .join(member, member.id == Adjustment.member_id)
        .join(author, author.id == Adjustment.author_id)
        .outerjoin(decider, decider.id == Adjustment.decided_by_id)
    )


def _rank() -> Any:
    return case((Adjustment.state == "pending", WAITING), else_=OVER)


def _file(row: Any) -> AdjustmentFile:
    names = {
        name: masked_name(row._mapping[name]) if row._mapping[name] else ""
        for name in ("member_name", "author_name", "decided_by_name")
    }
    return AdjustmentFile(**{**row._mapping, **names})


def adjustment_of(session: Session, adjustment_id: int, paths: Iterable[str]) -> AdjustmentFile:
    """Return an adjustment whose member belonged under one of these paths when it was asked.

    Raises AdjustmentNotFound, for a foreign one as for an unknown one.
    """
    row = session.execute(_files().where(Adjustment.id == adjustment_id)).first()
    if row is None or not in_scope(row.path, paths):
        raise AdjustmentNotFound
    return _file(row)


def adjustments_within(
    session: Session,
    paths: Sequence[str],
    *,
    after: tuple[int, ...] | None = None,
    limit: int = 50,
) -> list[AdjustmentFile]:
    """Return the adjustments under these paths: those that wait first, then the newest.

    after: rank and id behind which to go on.
    """
    statement = (
        _files()
        .where(within(Organization.path, paths))
        .order_by(_rank(), Adjustment.id.desc())
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(tuple_(_rank(), -Adjustment.id) > (after[0], -after[1]))
    return [_file(row) for row in session.execute(statement)]


def adjusted_lines(session: Session, transfer_ids: Sequence[int]) -> dict[int, Adjusted]:
    """Return what stands behind those of these transfers that were entered by hand."""
    if not transfer_ids:
        return {}
    author, decider = aliased(Member), aliased(Member)
    rows = session.execute(
        select(
            Adjustment.transfer_id,
            Adjustment.reason_code,
            author.name.label("author_name"),
            decider.name.label("decided_by_name"),
        )
        .join(author, author.id == Adjustment.author_id)
        .join(decider, decider.id == Adjustment.decided_by_id)
        .where(Adjustment.transfer_id.in_(transfer_ids))
    )
    return {
        row.transfer_id: Adjusted(
            row.reason_code, masked_name(row.author_name), masked_name(row.decided_by_name)
        )
        for row in rows
        if row.transfer_id is not None
    }
