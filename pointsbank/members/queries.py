"""Reads of people and their roles, within what the reader may see."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from pointsbank.core.text import masked_name
from pointsbank.members.errors import MemberNotFound
from pointsbank.members.models import (
    Belonging,
    Card,
    Household,
    HouseholdMember,
    Member,
    MemberRole,
)
from pointsbank.organizations.models import Merchant, Organization
from pointsbank.organizations.queries import within

FOUND_MAX = 50


@dataclass(frozen=True)
class MemberFile:
    """A person with their organization; the full name is only for those who may see it."""

    id: int
    volunteer_no: str
    name: str
    phone: str | None
    kind: str
    state: str
    organization_id: int
    organization_code: str
    organization_name: str
    path: str
    grid_id: int | None
    handle: bytes
    joined_at: datetime

    @property
    def display_name(self) -> str:
        """The masked name: 王*兰."""
        return masked_name(self.name)


@dataclass(frozen=True)
class StandingRole:
    """A role that stands; path is None for a clerk's, "/" for one over everything."""

    id: int
    role: str
    organization_code: str | None
    organization_name: str | None
    path: str | None
    merchant_id: int | None
    merchant_name: str | None
    granted_at: datetime


@dataclass(frozen=True)
class Stay:
    """Where somebody belonged, from a local day until another, which is exclusive."""

    organization_code: str
    organization: str
    grid: str | None
    from_on: date
    until_on: date | None


@dataclass(frozen=True)
class CardLine:
    """A card that is good."""

    id: int
    issued_at: datetime
    has_pin: bool


@dataclass(frozen=True)
class HouseholdPerson:
    """One person of a household; path is their organization's."""

    id: int
    volunteer_no: str
    name: str
    state: str
    path: str

    @property
    def display_name(self) -> str:
        """The masked name: 王*兰."""
        return masked_name(self.name)


@dataclass(frozen=True)
class HouseholdFile:
    """A registered household with its people, in the order in which they were added."""

    id: int
    organization_id: int
    people: tuple[HouseholdPerson, ...]

    @property
    def member_ids(self) -> tuple[int, ...]:
        """The ids of its people."""
        return tuple(person.id for person in self.people)


FILE = (
    Member.id,
    Member.volunteer_no,
    Member.name,
    Member.phone,
    Member.kind,
    Member.state,
    Member.organization_id,
    Organization.code.label("organization_code"),
    Organization.name.label("organization_name"),
    Organization.path,
    Member.grid_id,
    Member.handle,
    Member.joined_at,
)


def _file(row: Any) -> MemberFile:
    return MemberFile(*row)


def member_in_scope(session: Session, paths: Iterable[str], member_id: int) -> MemberFile:
    """Return the member with this id, if their organization stands under one of these paths.

    Raises MemberNotFound, for a foreign member as for an unknown one.
    """
    row = session.execute(
        select(*FILE)
        .join(Organization, Organization.id == Member.organization_id)
        .where(Member.id == member_id, within(Organization.path, paths))
    ).first()
    if row is None:
        raise MemberNotFound
    return _file(row)


def member_of(session: Session, member_id: int) -> MemberFile:
    """Return the member with this id, wherever they belong.

    Raises MemberNotFound.
    """
    return member_in_scope(session, ("/",), member_id)


def members_within(
    session: Session,
    paths: Iterable[str],
    *,
    phone: str | None = None,
    name: str | None = None,
    volunteer_no: str | None = None,
    after_id: int = 0,
    limit: int = FOUND_MAX,
) -> list[MemberFile]:
    """Return the members under these paths that fit every given word, by their ids.

    name: any part of it. phone: eleven digits.
    """
    statement = (
        select(*FILE)
        .join(Organization, Organization.id == Member.organization_id)
        .where(within(Organization.path, paths), Member.id > after_id)
        .order_by(Member.id)
        .limit(limit)
    )
    if phone is not None:
        statement = statement.where(Member.phone == phone)
    if volunteer_no is not None:
        statement = statement.where(Member.volunteer_no == volunteer_no)
    if name is not None:
        statement = statement.where(Member.name.contains(name, autoescape=True))
    return [_file(row) for row in session.execute(statement)]


def organizations_on(session: Session, member_ids: Sequence[int], day: date) -> dict[int, int]:
    """Return where each of these members belonged on a local day; before they came, where they
    came to."""
    rows = session.execute(
        select(Belonging.member_id, Belonging.organization_id)
        .where(
            Belonging.member_id.in_(member_ids),
            or_(Belonging.until_on.is_(None), Belonging.until_on > day),
        )
        .order_by(Belonging.member_id, Belonging.from_on.desc())
    )
    # The earliest of those that had not ended by then comes last, and stands.
    return {row.member_id: row.organization_id for row in rows}


def stays_of(session: Session, member_id: int) -> list[Stay]:
    """Return everywhere a member belonged, the newest first."""
    grid = aliased(Organization)
    rows = session.execute(
        select(
            Organization.code,
            Organization.name,
            grid.name,
            Belonging.from_on,
            Belonging.until_on,
        )
        .join(Organization, Organization.id == Belonging.organization_id)
        .outerjoin(grid, grid.id == Belonging.grid_id)
        .where(Belonging.member_id == member_id)
        .order_by(Belonging.from_on.desc())
    )
    return [Stay(*row) for row in rows]


def display_names(session: Session, ids: Iterable[int]) -> dict[int, str]:
    """Return the masked names of these members by id."""
    wanted = set(ids)
    if not wanted:
        return {}
    rows = session.execute(select(Member.id, Member.name).where(Member.id.in_(wanted)))
    return {row.id: masked_name(row.name) for row in rows}


def member_id_of_handle(session: Session, handle: bytes) -> int | None:
    """Return whose personal codes carry this handle."""
    return session.scalar(select(Member.id).where(Member.handle == handle))


def member_id_of_number(session: Session, volunteer_no: str) -> int | None:
    """Return whose member number this is."""
    return session.scalar(select(Member.id).where(Member.volunteer_no == volunteer_no))


def standing_roles(session: Session, member_id: int) -> list[StandingRole]:
    """Return the roles of a member that stand, the oldest first."""
    rows = session.execute(
        select(
            MemberRole.id,
            MemberRole.role,
            Organization.code,
            Organization.name,
            Organization.path,
            MemberRole.merchant_id,
            Merchant.name.label("merchant_name"),
            MemberRole.granted_at,
        )
        .outerjoin(Organization, Organization.id == MemberRole.organization_id)
        .outerjoin(Merchant, Merchant.id == MemberRole.merchant_id)
        .where(MemberRole.member_id == member_id, MemberRole.withdrawn_at.is_(None))
        .order_by(MemberRole.id)
    )
    return [
        StandingRole(
            id=row.id,
            role=row.role,
            organization_code=row.code,
            organization_name=row.name,
            path=None if row.role == "clerk" else row.path or "/",
            merchant_id=row.merchant_id,
            merchant_name=row.merchant_name,
            granted_at=row.granted_at,
        )
        for row in rows
    ]


def administrator_paths(
    session: Session, member_ids: Sequence[int]
) -> dict[int, tuple[str, ...]]:
    """Return the paths that each of these members administers; who has none is left out."""
    rows = session.execute(
        select(MemberRole.member_id, Organization.path)
        .outerjoin(Organization, Organization.id == MemberRole.organization_id)
        .where(
            MemberRole.member_id.in_(member_ids),
            MemberRole.role == "administrator",
            MemberRole.withdrawn_at.is_(None),
        )
    )
    found: dict[int, tuple[str, ...]] = {}
    for row in rows:
        found[row.member_id] = (*found.get(row.member_id, ()), row.path or "/")
    return found


def good_cards(session: Session, member_id: int) -> list[CardLine]:
    """Return the cards of a member that were not revoked."""
    rows = session.execute(
        select(Card.id, Card.issued_at, Card.pin_hash)
        .where(Card.member_id == member_id, Card.revoked_at.is_(None))
        .order_by(Card.id)
    )
    return [CardLine(row.id, row.issued_at, row.pin_hash is not None) for row in rows]


def role_holders_over(session: Session, path: str, roles: Iterable[str]) -> list[int]:
    """Return the active members who hold one of these roles over the organization at this path.

    The first administrators, who stand over everything, are administrators here too.
    """
    above = [int(part) for part in path.strip("/").split("/") if part]
    rows = session.scalars(
        select(MemberRole.member_id)
        .join(Member, Member.id == MemberRole.member_id)
        .where(
            MemberRole.role.in_(tuple(roles)),
            MemberRole.withdrawn_at.is_(None),
            MemberRole.merchant_id.is_(None),
            MemberRole.organization_id.is_(None) | MemberRole.organization_id.in_(above),
            Member.state == "active",
        )
        .distinct()
        .order_by(MemberRole.member_id)
    )
    return list(rows)


def household_by_id(
    session: Session, paths: Iterable[str], household_id: int
) -> HouseholdFile | None:
    """Return a household whose organization stands under one of these paths."""
    organization_id = session.scalar(
        select(Household.organization_id)
        .join(Organization, Organization.id == Household.organization_id)
        .where(Household.id == household_id, within(Organization.path, paths))
    )
    if organization_id is None:
        return None
    rows = session.execute(
        select(Member.id, Member.volunteer_no, Member.name, Member.state, Organization.path)
        .join(HouseholdMember, HouseholdMember.member_id == Member.id)
        .join(Organization, Organization.id == Member.organization_id)
        .where(HouseholdMember.household_id == household_id)
        .order_by(HouseholdMember.added_at, Member.id)
    )
    people = tuple(HouseholdPerson(*row) for row in rows)
    return HouseholdFile(household_id, organization_id, people)


def has_no_password(session: Session, member_id: int) -> bool:
    """Tell whether an open account cannot be signed in to: it has a phone and no password."""
    row = session.execute(
        select(Member.state, Member.phone, Member.password_hash).where(Member.id == member_id)
    ).one()
    return row.state == "active" and row.phone is not None and row.password_hash is None


def household_of(session: Session, member_id: int) -> HouseholdFile | None:
    """Return the household a member belongs to, None without one."""
    household_id = session.scalar(
        select(HouseholdMember.household_id).where(HouseholdMember.member_id == member_id)
    )
    return None if household_id is None else household_by_id(session, ("/",), household_id)
