"""Reads of the tree and of the merchants, by code, by id and by scope."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, false, or_, select
from sqlalchemy.orm import Session

from pointsbank.organizations.errors import MerchantNotFound, OrganizationNotFound
from pointsbank.organizations.models import Merchant, Organization


@dataclass(frozen=True)
class OrganizationNode:
    """An organization; path is "/1/5/17/", the ids from the top down to it."""

    id: int
    code: str
    name: str
    kind: str
    path: str

    @property
    def depth(self) -> int:
        """How many organizations stand above it."""
        return self.path.count("/") - 2


@dataclass(frozen=True)
class MerchantLine:
    """A partner merchant and the organization it belongs to."""

    id: int
    name: str
    kind: str
    state: str
    organization_id: int
    organization_name: str
    path: str


NODE = (
    Organization.id,
    Organization.code,
    Organization.name,
    Organization.kind,
    Organization.path,
)
MERCHANT = (
    Merchant.id,
    Merchant.name,
    Merchant.kind,
    Merchant.state,
    Merchant.organization_id,
    Organization.name.label("organization_name"),
    Organization.path,
)


def in_scope(path: str, paths: Iterable[str]) -> bool:
    """Tell whether the organization at this path stands under any of these paths."""
    return any(path.startswith(above) for above in paths)


def within(column: Any, paths: Iterable[str]) -> ColumnElement[bool]:
    """Return the SQL condition that a path column stands at or under any of these paths.

    A path holds digits and slashes only, so it needs no escape in LIKE; as it is compared by
    its bytes, PostgreSQL finds what begins alike by the index.
    """
    conditions = [column.like(f"{path}%") for path in paths]
    return or_(*conditions) if conditions else false()


def organization_by_code(
    session: Session, code: str, paths: Sequence[str] = ("/",)
) -> OrganizationNode:
    """Return the organization with this code, if it stands under one of these paths.

    Raises OrganizationNotFound, for a foreign one as for an unknown one.
    """
    row = session.execute(select(*NODE).where(Organization.code == code)).first()
    return _node(row, paths)


def organization_of(
    session: Session, organization_id: int, paths: Sequence[str] = ("/",)
) -> OrganizationNode:
    """Return the organization with this id, if it stands under one of these paths.

    Raises OrganizationNotFound, for a foreign one as for an unknown one.
    """
    row = session.execute(select(*NODE).where(Organization.id == organization_id)).first()
    return _node(row, paths)


def _node(row: Any, paths: Sequence[str]) -> OrganizationNode:
    if row is None or not in_scope(row.path, paths):
        raise OrganizationNotFound
    return OrganizationNode(row.id, row.code, row.name, row.kind, row.path)


def organizations_within(
    session: Session,
    paths: Sequence[str],
    *,
    kinds: Sequence[str] = (),
    after: str | None = None,
    limit: int | None = None,
) -> list[OrganizationNode]:
    """Return the organizations under these paths in the order of their codes.

    kinds: only these, all when empty. after: the code behind which to go on.
    """
    statement = (
        select(*NODE).where(within(Organization.path, paths)).order_by(Organization.code)
    )
    if kinds:
        statement = statement.where(Organization.kind.in_(kinds))
    if after is not None:
        statement = statement.where(Organization.code > after)
    if limit is not None:
        statement = statement.limit(limit)
    return [OrganizationNode(*row) for row in session.execute(statement)]


def children_of(session: Session, organization_id: int) -> list[OrganizationNode]:
    """Return what stands directly under an organization, in the order of the codes."""
    statement = (
        select(*NODE)
        .where(Organization.parent_id == organization_id)
        .order_by(Organization.code)
    )
    return [OrganizationNode(*row) for row in session.execute(statement)]


def organizations_at(session: Session, paths: Iterable[str]) -> list[OrganizationNode]:
    """Return the organizations these paths lead to; the tops of the tree for "/"."""
    wanted = set(paths)
    condition = (
        Organization.parent_id.is_(None) if "/" in wanted else Organization.path.in_(wanted)
    )
    statement = select(*NODE).where(condition).order_by(Organization.code)
    return [OrganizationNode(*row) for row in session.execute(statement)]


def lineage_of(session: Session, path: str) -> list[OrganizationNode]:
    """Return the organizations on a path, from the top down to the one it leads to."""
    ids = [int(part) for part in path.strip("/").split("/") if part]
    rows = session.execute(select(*NODE).where(Organization.id.in_(ids)))
    found = {row.id: OrganizationNode(*row) for row in rows}
    return [found[each] for each in ids if each in found]


def subtree_ids(session: Session, organization_id: int) -> list[int]:
    """Return the ids of an organization and of all that stand under it."""
    path = organization_of(session, organization_id).path
    return list(
        session.scalars(
            select(Organization.id)
            .where(within(Organization.path, [path]))
            .order_by(Organization.id)
        )
    )


def organization_names(session: Session, ids: Iterable[int]) -> dict[int, str]:
    """Return the names of these organizations by id."""
    rows = session.execute(
        select(Organization.id, Organization.name).where(Organization.id.in_(set(ids)))
    )
    return {row.id: row.name for row in rows}


def merchant_of(
    session: Session, merchant_id: int, paths: Sequence[str] = ("/",)
) -> MerchantLine:
    """Return the merchant with this id, if it belongs under one of these paths.

    Raises MerchantNotFound, for a foreign one as for an unknown one.
    """
    row = session.execute(
        select(*MERCHANT)
        .join(Organization, Organization.id == Merchant.organization_id)
        .where(Merchant.id == merchant_id, within(Organization.path, paths))
    ).first()
    if row is None:
        raise MerchantNotFound
    return MerchantLine(*row)


def merchants_within(
    session: Session,
    paths: Sequence[str],
    *,
    ids: Sequence[int] = (),
    after_id: int = 0,
    limit: int = 200,
) -> list[MerchantLine]:
    """Return the merchants under these paths and those with these ids, by their ids."""
    rows = session.execute(
        select(*MERCHANT)
        .join(Organization, Organization.id == Merchant.organization_id)
        .where(
            or_(within(Organization.path, paths), Merchant.id.in_(ids)), Merchant.id > after_id
        )
        .order_by(Merchant.id)
        .limit(limit)
    )
    return [MerchantLine(*row) for row in rows]
