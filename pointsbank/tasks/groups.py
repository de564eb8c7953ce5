"""Places that a branch keeps for its people until a day before the start."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, func, or_, select, update
from sqlalchemy.orm import Session

from pointsbank.core.audit import note
from pointsbank.members.models import Member
from pointsbank.messages.service import tell
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import organization_by_code, within
from pointsbank.tasks.claiming import LockedShift, free_place, locked_shift
from pointsbank.tasks.errors import (
    ClaimsClosed,
    ClaimsNotOpenYet,
    GroupNotFound,
    GroupPlacesTaken,
    GroupReleased,
    GroupTooLate,
    NotOpen,
    PlacesNotFree,
    RoleNotFound,
    ShiftNotFound,
    ShiftOver,
    TooManyKept,
)
from pointsbank.tasks.models import (
    UNSEEN_STATES,
    GroupClaim,
    Invitation,
    Shift,
    ShiftRole,
    Task,
)

# From then on whoever wants to come may have what a branch did not fill.
RELEASE_BEFORE = timedelta(hours=24)
GROUP_PLACES_MAX = 200
# One branch keeps at most one in so many of the free places; the rest are everyone's.
SHARE_OF_FREE = 2


@dataclass(frozen=True)
class Group:
    """Places of one role that an organization keeps; invited: how many have not answered."""

    id: int
    shift_id: int
    role_id: int
    role_name: str
    organization_id: int
    organization_code: str
    organization_name: str
    path: str
    places: int
    taken: int
    invited: int
    release_at: datetime
    released_at: datetime | None
    task_id: int
    title: str
    starts_at: datetime
    ends_at: datetime
    place_name: str
    task_state: str
    called_off_at: datetime | None


GROUP: tuple[Any, ...] = (
    GroupClaim.id,
    GroupClaim.shift_id,
    GroupClaim.role_id,
    ShiftRole.name,
    GroupClaim.organization_id,
    Organization.code,
    Organization.name,
    Organization.path,
    GroupClaim.places,
    GroupClaim.taken,
    select(func.count(Invitation.id))
    .where(Invitation.group_claim_id == GroupClaim.id, Invitation.state == "open")
    .scalar_subquery(),
    GroupClaim.release_at,
    GroupClaim.released_at,
    Task.id,
    Task.title,
    Shift.starts_at,
    Shift.ends_at,
    Shift.place_name,
    Task.state,
    Shift.called_off_at,
)


def keep_places(
    session: Session,
    *,
    shift_id: int,
    organization_code: str,
    places: int,
    actor_id: int,
    paths: Sequence[str],
    now: datetime,
    role_id: int | None = None,
) -> int:
    """Keep so many places of a role for an organization's people; return the group's id.

    A repeat keeps the same; another number keeps more, or gives the difference back. role_id:
    None for the first role. paths: what the person is secretary of.
    Raises ShiftNotFound, NotOpen, ShiftOver, ClaimsNotOpenYet, ClaimsClosed, GroupTooLate,
    RoleNotFound, OrganizationNotFound, PlacesNotFree with how many are free, GroupPlacesTaken,
    TooManyKept with how many a branch may keep.
    """
    organization = organization_by_code(session, organization_code, paths)
    release_at = _open_shift(session, shift_id, now).starts_at - RELEASE_BEFORE
    if release_at <= now:
        raise GroupTooLate
    role = _role_of(session, shift_id, role_id)
    standing = session.execute(
        select(GroupClaim.id, GroupClaim.places, GroupClaim.taken).where(
            GroupClaim.role_id == role,
            GroupClaim.organization_id == organization.id,
            GroupClaim.released_at.is_(None),
        )
    ).first()
    before = standing.places if standing is not None else 0
    if places > before and not _is_own_branch(session, shift_id, organization.id):
        _check_share(session, role, places, before, standing.taken if standing else 0)
    if standing is not None:
        _change_places(session, standing, shift_id, role, places, now)
        group_id: int = standing.id
    else:
        _take_places(session, shift_id, role, places)
        group = GroupClaim(
            shift_id=shift_id,
            role_id=role,
            organization_id=organization.id,
            places=places,
            made_by_id=actor_id,
            made_at=now,
            release_at=release_at,
        )
        session.add(group)
        session.flush()
        group_id = group.id
    note(
        session,
        at=now,
        actor_id=actor_id,
        action="places_kept",
        subject=("group_claim", group_id),
        places=places,
    )
    return group_id


def _open_shift(session: Session, shift_id: int, now: datetime) -> LockedShift:
    """Lock a shift and return it, if members can claim it.

    Raises ShiftNotFound, NotOpen, ShiftOver, ClaimsNotOpenYet, ClaimsClosed.
    """
    shift = locked_shift(session, shift_id)
    if shift.state in UNSEEN_STATES:
        raise ShiftNotFound
    if shift.state != "open" or shift.called_off_at is not None:
        raise NotOpen
    if shift.ends_at <= now:
        raise ShiftOver
    if shift.claims_open_at is not None and now < shift.claims_open_at:
        raise ClaimsNotOpenYet(opens_at=shift.claims_open_at.isoformat())
    if shift.claims_close_at is not None and now >= shift.claims_close_at:
        raise ClaimsClosed(closed_at=shift.claims_close_at.isoformat())
    return shift


def _role_of(session: Session, shift_id: int, role_id: int | None) -> int:
    """Return a role of a shift, its first one for None.

    Raises RoleNotFound.
    """
    statement = select(ShiftRole.id).where(ShiftRole.shift_id == shift_id)
    if role_id is not None:
        statement = statement.where(ShiftRole.id == role_id)
    found = session.scalar(statement.order_by(ShiftRole.id).limit(1))
    if found is None:
        raise RoleNotFound
    return found


def _is_own_branch(session: Session, shift_id: int, organization_id: int) -> bool:
    """Tell whether the work is this organization's own, or that of whoever organizes it."""
    row = session.execute(
        select(Task.organization_id, Member.organization_id)
        .join(Shift, Shift.task_id == Task.id)
        .join(Member, Member.id == Task.organizer_id)
        .where(Shift.id == shift_id)
    ).one()
    return organization_id in tuple(row)


def _check_share(session: Session, role_id: int, places: int, before: int, taken: int) -> None:
    """Leave at least half of a role's free places to everybody else; a last one may be kept.

    before, taken: what the branch keeps, and how much of that its people have. More than what
    is free at all is told by PlacesNotFree. Raises TooManyKept.
    """
    free = session.scalar(
        select(ShiftRole.places - ShiftRole.claimed).where(ShiftRole.id == role_id)
    )
    open_to_all = int(free or 0) + before - taken
    most = taken + max(1, open_to_all // SHARE_OF_FREE)
    if most < places <= taken + open_to_all:
        raise TooManyKept(most=most)


def _take_places(session: Session, shift_id: int, role_id: int, count: int) -> None:
    """Count so many more places as taken, shift first, then role; all of them or none.

    Raises PlacesNotFree.
    """
    of_shift = session.execute(
        update(Shift)
        .where(Shift.id == shift_id, Shift.claimed + count <= Shift.places)
        .values(claimed=Shift.claimed + count)
        .returning(Shift.id)
    ).first()
    of_role = session.execute(
        update(ShiftRole)
        .where(ShiftRole.id == role_id, ShiftRole.claimed + count <= ShiftRole.places)
        .values(claimed=ShiftRole.claimed + count)
        .returning(ShiftRole.id)
    ).first()
    if of_shift is None or of_role is None:
        free = session.scalar(
            select(ShiftRole.places - ShiftRole.claimed).where(ShiftRole.id == role_id)
        )
        raise PlacesNotFree(free=int(free or 0))


def _change_places(
    session: Session,
    standing: Row[*tuple[Any, ...]],
    shift_id: int,
    role_id: int,
    places: int,
    now: datetime,
) -> None:
    """Keep more or fewer places than a group does.

    Raises PlacesNotFree, GroupPlacesTaken.
    """
    if places < standing.taken:
        raise GroupPlacesTaken(taken=standing.taken)
    if places > standing.places:
        _take_places(session, shift_id, role_id, places - standing.places)
    session.execute(
        update(GroupClaim).where(GroupClaim.id == standing.id).values(places=places)
    )
    for _ in range(standing.places - places):
        free_place(session, shift_id, role_id, now)


def release_group(
    session: Session, *, group_id: int, actor_id: int | None, now: datetime
) -> int:
    """Let everyone have the places that a group did not fill; return how many those are.

    The first in the waiting line get them, unless the shift was called off or is over. Whoever
    has a place keeps it, and whoever is invited may still accept, like everyone. A repeat
    releases nothing.
    Raises GroupNotFound.
    """
    shift_id = session.scalar(select(GroupClaim.shift_id).where(GroupClaim.id == group_id))
    if shift_id is None:
        raise GroupNotFound
    locked_shift(session, shift_id)
    released = session.execute(
        update(GroupClaim)
        .where(GroupClaim.id == group_id, GroupClaim.released_at.is_(None))
        .values(released_at=now)
        .returning(
            GroupClaim.role_id, GroupClaim.places, GroupClaim.taken, GroupClaim.made_by_id
        )
    ).first()
    if released is None:
        return 0
    unfilled = int(released.places - released.taken)
    if is_on(session, shift_id, now):
        for _ in range(unfilled):
            free_place(session, shift_id, released.role_id, now)
    if actor_id is None and unfilled:
        tell(
            session,
            key=f"group:{group_id}:released",
            member_id=released.made_by_id,
            kind="kept_places_released",
            facts={"places": unfilled, "group_id": group_id},
            now=now,
        )
    note(
        session,
        at=now,
        actor_id=actor_id,
        action="places_released",
        subject=("group_claim", group_id),
        places=unfilled,
    )
    return unfilled


def is_on(session: Session, shift_id: int, now: datetime) -> bool:
    """Tell whether a shift still takes place: open, not called off, not over."""
    found = session.scalar(
        select(Shift.id)
        .join(Task, Task.id == Shift.task_id)
        .where(
            Shift.id == shift_id,
            Shift.ends_at > now,
            Shift.called_off_at.is_(None),
            Task.state == "open",
        )
    )
    return found is not None


def release_due_groups(session: Session, *, now: datetime, limit: int) -> int:
    """Release the groups whose shift starts within a day; return how many, at most limit.

    A shift that was moved to an earlier time counts by its new start. A repeat finds none.
    """
    due = session.scalars(
        select(GroupClaim.id)
        .join(Shift, Shift.id == GroupClaim.shift_id)
        .where(
            GroupClaim.released_at.is_(None),
            or_(GroupClaim.release_at <= now, Shift.starts_at <= now + RELEASE_BEFORE),
        )
        .order_by(GroupClaim.shift_id, GroupClaim.id)
        .limit(limit)
    ).all()
    for group_id in due:
        release_group(session, group_id=group_id, actor_id=None, now=now)
    return len(due)


def group_of(session: Session, group_id: int, paths: Sequence[str]) -> Group:
    """Return a group whose organization stands under one of these paths.

    Raises GroupNotFound, for a foreign one as for an unknown one.
    """
    found = _groups(session, GroupClaim.id == group_id, paths, limit=1)
    if not found:
        raise GroupNotFound
    return found[0]


def standing_group(session: Session, group_id: int, paths: Sequence[str]) -> Group:
    """Return a group that still keeps places.

    Raises GroupNotFound, GroupReleased.
    """
    group = group_of(session, group_id, paths)
    if group.released_at is not None:
        raise GroupReleased
    return group


def groups_within(
    session: Session,
    paths: Sequence[str],
    *,
    shift_id: int | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[Group]:
    """Return the groups of organizations under these paths, newest first."""
    condition = GroupClaim.id < before_id if before_id is not None else GroupClaim.id > 0
    if shift_id is not None:
        condition = (GroupClaim.shift_id == shift_id) & condition
    return _groups(session, condition, paths, limit)


def _groups(
    session: Session, condition: ColumnElement[bool], paths: Sequence[str], limit: int
) -> list[Group]:
    rows = session.execute(
        select(*GROUP)
        .join(Organization, Organization.id == GroupClaim.organization_id)
        .join(ShiftRole, ShiftRole.id == GroupClaim.role_id)
        .join(Shift, Shift.id == GroupClaim.shift_id)
        .join(Task, Task.id == Shift.task_id)
        .where(condition, within(Organization.path, paths))
        .order_by(GroupClaim.id.desc())
        .limit(limit)
    )
    return [Group(*row) for row in rows]
