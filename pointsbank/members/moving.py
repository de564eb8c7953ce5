"""Somebody moved to another branch or grid by those who look after both ends."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.members.appointing import changeable
from pointsbank.members.belonging import move_member
from pointsbank.members.errors import BadMoveDay, MoveOneself, NotAGrid, NotAHome
from pointsbank.organizations.queries import OrganizationNode, organization_by_code

MOVERS = ("administrator", "secretary")
GRID_KINDS = ("grid", "micro_grid", "building")


@dataclass(frozen=True)
class Move:
    """Where somebody is to belong from a local day on; grid_code None: no grid is known."""

    member_id: int
    organization_code: str
    grid_code: str | None
    on: date


def move(
    session: Session, wanted: Move, *, actor: Actor, today: date, now: datetime
) -> OrganizationNode:
    """Let a member belong elsewhere, both ends within the actor's scope; return where.

    A repeat changes nothing.
    Raises MoveOneself, MemberNotFound, NotOverThisPerson, OrganizationNotFound, NotAHome,
    NotAGrid, BadMoveDay, MoveTooEarly.
    """
    if wanted.member_id == actor.member_id:
        raise MoveOneself
    member = changeable(session, actor, wanted.member_id, *MOVERS)
    paths = actor.paths(*MOVERS)
    place = organization_by_code(session, wanted.organization_code, paths)
    if place.kind in GRID_KINDS:
        raise NotAHome
    grid = organization_by_code(session, wanted.grid_code, paths) if wanted.grid_code else None
    if grid is not None and grid.kind not in GRID_KINDS:
        raise NotAGrid
    judge_move_day(wanted.on, today)
    has_moved = move_member(
        session,
        member_id=member.id,
        organization_id=place.id,
        grid_id=grid.id if grid else None,
        on=wanted.on,
        now=now,
    )
    if not has_moved:
        return place
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="move_member",
        subject=("member", member.id),
        from_id=member.organization_id,
        to_id=place.id,
        grid_id=grid.id if grid else None,
        on=wanted.on.isoformat(),
    )
    return place


def judge_move_day(on: date, today: date) -> None:
    """Let pass the days of this year through today.

    Raises BadMoveDay.
    """
    first_on = date(today.year, 1, 1)
    if not first_on <= on <= today:
        raise BadMoveDay(first_on=first_on, last_on=today)
