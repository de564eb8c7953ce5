"""Builders of tasks with roles, details and several shifts."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.core.keys import draw_bytes
from pointsbank.organizations.models import Organization
from pointsbank.tasks.drafting import NO_DETAILS, Details, NewRole, NewShift, draft_task
from pointsbank.tasks.models import HANDLE_BYTES, Shift, ShiftRole
from pointsbank.tasks.publishing import publish_task
from tests.builders import SHANGHAI, a_member, a_plan, an_organization, with_role
from tests.moments import NOON


def a_plan_with_roles(
    *roles: NewRole, starts_at: datetime = NOON + timedelta(days=1), minutes: int = 150
) -> NewShift:
    """Return a shift as an organizer plans it, with these roles."""
    return NewShift(
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=minutes),
        places=sum(role.places for role in roles),
        place_name="东门桥头",
        handle=draw_bytes(HANDLE_BYTES),
        roles=roles,
    )


def a_drafted_task(
    session: Session,
    *shifts: NewShift,
    kind: str = "activity",
    details: Details = NO_DETAILS,
    organizer_id: int | None = None,
    risk_note: str = "岸边湿滑",
    now: datetime = NOON,
) -> int:
    """Return the id of a new draft of the test's community, of a new organizer unless given."""
    place = an_organization(session)
    code, path = session.execute(
        select(Organization.code, Organization.path).where(Organization.id == place)
    ).one()
    organizer = organizer_id or with_role(session, a_member(session, "李敏"), "organizer")
    return draft_task(
        session,
        title="河道清洁",
        kind=kind,
        organization_code=code,
        scoring_item="volunteer_hour",
        summary="沿河捡拾垃圾",
        risk_note=risk_note,
        shifts=shifts,
        organizer_id=organizer,
        paths=[path],
        zone=SHANGHAI,
        now=now,
        details=details,
    )


def an_open_task(session: Session, *starts: datetime) -> int:
    """Return the id of an open task with a shift at each of these moments."""
    task_id = a_drafted_task(session, *(a_plan(start, places=5) for start in starts))
    publish_task(session, task_id=task_id, actor_id=1, paths=["/"], now=NOON)
    return task_id


def a_shift_with_roles(
    session: Session,
    *roles: NewRole,
    details: Details = NO_DETAILS,
    places_at: datetime = NOON + timedelta(days=1),
) -> int:
    """Return the id of the one shift, with these roles, of a new open task."""
    plan = a_plan_with_roles(*roles, starts_at=places_at)
    task_id = a_drafted_task(session, plan, details=details)
    publish_task(session, task_id=task_id, actor_id=1, paths=["/"], now=NOON)
    return session.scalars(select(Shift.id).where(Shift.task_id == task_id)).one()


def roles_of(session: Session, shift_id: int) -> list[ShiftRole]:
    """Return the roles of a shift in their order."""
    return list(
        session.scalars(
            select(ShiftRole).where(ShiftRole.shift_id == shift_id).order_by(ShiftRole.id)
        )
    )
