"""Reads of registrations at home: one, a member's, a scope's; and what can be chosen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from pointsbank.core.text import masked_name
from pointsbank.members.models import DualComment, DualRegistration, Member
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import in_scope, within

COMMUNITY, WORK_UNIT = "community", "work_unit"
Community, WorkUnit = aliased(Organization), aliased(Organization)
RANK = case((DualRegistration.state == "applied", 0), else_=1)
COLUMNS = (
    DualRegistration.id,
    DualRegistration.member_id,
    Member.name,
    Member.volunteer_no,
    DualRegistration.state,
    WorkUnit.code.label("work_unit_code"),
    WorkUnit.name.label("work_unit_name"),
    WorkUnit.path.label("work_unit_path"),
    Community.code.label("community_code"),
    Community.name.label("community_name"),
    Community.path.label("community_path"),
    DualRegistration.entered_at,
    DualRegistration.accepted_at,
    DualRegistration.confirmed_at,
    DualRegistration.from_on,
    DualRegistration.until_on,
    DualRegistration.end_reason,
    DualRegistration.named_at,
)


@dataclass(frozen=True)
class RegistrationFile:
    """One registration; until_on is exclusive, named_at None where no name may be told."""

    id: int
    member_id: int
    name: str
    volunteer_no: str
    state: str
    work_unit_code: str
    work_unit_name: str
    work_unit_path: str
    community_code: str
    community_name: str
    community_path: str
    entered_at: datetime
    accepted_at: datetime | None
    confirmed_at: datetime | None
    from_on: date | None
    until_on: date | None
    end_reason: str
    named_at: datetime | None

    @property
    def rank(self) -> int:
        """Where the list has it: what waits for the community comes first."""
        return 0 if self.state == "applied" else 1

    @property
    def display_name(self) -> str:
        """The masked name: 王*兰."""
        return masked_name(self.name)

    def is_at_home(self, paths: Sequence[str]) -> bool:
        """Tell whether who answers for these paths answers for the community."""
        return in_scope(self.community_path, paths)

    def is_at_work(self, paths: Sequence[str]) -> bool:
        """Tell whether who answers for these paths answers for the work unit."""
        return in_scope(self.work_unit_path, paths)


def seen_from(paths: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that the community or the work unit stands under these paths."""
    return or_(within(Community.path, paths), within(WorkUnit.path, paths))


def registrations(
    session: Session,
    *conditions: ColumnElement[bool],
    after: tuple[int, ...] | None = None,
    limit: int = 50,
) -> list[RegistrationFile]:
    """Return registrations, those that wait for the community first, the newest first in each.

    after: rank and id of the one behind which to go on.
    """
    statement = (
        _files().where(*conditions).order_by(RANK, DualRegistration.id.desc()).limit(limit)
    )
    if after is not None:
        rank, last_id = after
        statement = statement.where(tuple_(RANK, -DualRegistration.id) > (rank, -last_id))
    return [RegistrationFile(*row) for row in session.execute(statement)]


def registration_of(
    session: Session, registration_id: int, paths: Sequence[str]
) -> RegistrationFile | None:
    """Return a registration that is seen from these paths, None for every other."""
    found = registrations(
        session, DualRegistration.id == registration_id, seen_from(paths), limit=1
    )
    return found[0] if found else None


def registrations_of_member(session: Session, member_id: int) -> list[RegistrationFile]:
    """Return what one person registered, the newest first."""
    return registrations(session, DualRegistration.member_id == member_id)


def applications_waiting(
    session: Session, paths: Sequence[str], actor_id: int
) -> tuple[int, datetime | None]:
    """Return how many applications wait for these paths' communities, and since when."""
    row = session.execute(
        select(func.count(), func.min(DualRegistration.entered_at))
        .join(Community, Community.id == DualRegistration.community_id)
        .where(
            DualRegistration.state == "applied",
            DualRegistration.member_id != actor_id,
            within(Community.path, paths),
        )
    ).one()
    return int(row[0]), row[1]


def confirmations_waiting(session: Session, paths: Sequence[str], actor_id: int) -> int:
    """Return how many accepted registrations wait for the word of these paths' work units."""
    return session.execute(
        select(func.count())
        .select_from(DualRegistration)
        .join(WorkUnit, WorkUnit.id == DualRegistration.work_unit_id)
        .where(
            DualRegistration.state == "accepted",
            DualRegistration.member_id != actor_id,
            within(WorkUnit.path, paths),
        )
    ).scalar_one()


def comment_of(session: Session, registration_id: int, period: str) -> str:
    """Return what the community wrote of a quarter, empty when it wrote nothing."""
    return (
        session.scalar(
            select(DualComment.comment).where(
                DualComment.registration_id == registration_id, DualComment.period == period
            )
        )
        or ""
    )


def places_of_kind(session: Session, kind: str, limit: int) -> list[tuple[str, str]]:
    """Return code and name of communities or work units, in the order of their names."""
    rows = session.execute(
        select(Organization.code, Organization.name)
        .where(Organization.kind == kind)
        .order_by(Organization.name, Organization.code)
        .limit(limit)
    )
    return [(row.code, row.name) for row in rows]


def _files() -> Any:
    return (
        select(*COLUMNS)
        .join(Member, Member.id == DualRegistration.member_id)
        .join(WorkUnit, WorkUnit.id == DualRegistration.work_unit_id)
        .join(Community, Community.id == DualRegistration.community_id)
    )
