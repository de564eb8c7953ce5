"""Writes of the tree and of the merchants, one at a time; importing.py takes files."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pointsbank.ledger.service import open_account
from pointsbank.organizations.errors import (
    OrganizationCodeTaken,
    OrganizationNotFound,
    TreeTooDeep,
    UnknownKind,
)
from pointsbank.organizations.models import (
    LEVELS_MAX,
    MERCHANT_KINDS,
    ORGANIZATION_KINDS,
    Merchant,
    Organization,
)
from pointsbank.organizations.queries import organization_by_code


def add_organization(
    session: Session,
    *,
    code: str,
    name: str,
    kind: str,
    parent_code: str | None,
    now: datetime,
) -> int:
    """Add one organization under its parent, or at the top without one, and return its id.

    Raises OrganizationCodeTaken, OrganizationNotFound for an unknown parent, TreeTooDeep,
    UnknownKind.
    """
    if kind not in ORGANIZATION_KINDS:
        raise UnknownKind
    if session.scalar(select(Organization.id).where(Organization.code == code)) is not None:
        raise OrganizationCodeTaken
    parent_id, above = None, "/"
    if parent_code is not None:
        # Shared lock: the parent cannot be moved, and its path change, before this row stands
        # under it.
        parent = session.execute(
            select(Organization.id, Organization.path)
            .where(Organization.code == parent_code)
            .with_for_update(read=True)
        ).first()
        if parent is None:
            raise OrganizationNotFound
        parent_id, above = parent.id, parent.path
    if above.count("/") > LEVELS_MAX:
        raise TreeTooDeep(levels=LEVELS_MAX)
    organization = Organization(
        code=code, name=name, kind=kind, parent_id=parent_id, path="", created_at=now
    )
    session.add(organization)
    session.flush()
    session.execute(
        update(Organization)
        .where(Organization.id == organization.id)
        .values(path=f"{above}{organization.id}/")
    )
    session.expire(organization)
    return organization.id


def add_merchant(
    session: Session, *, name: str, organization_code: str, kind: str, now: datetime
) -> int:
    """Add a partner merchant, open its ledger account merchant:{id}, and return its id.

    Raises OrganizationNotFound, UnknownKind.
    """
    if kind not in MERCHANT_KINDS:
        raise UnknownKind
    organization = organization_by_code(session, organization_code)
    merchant = Merchant(
        name=name, organization_id=organization.id, kind=kind, state="active", created_at=now
    )
    session.add(merchant)
    session.flush()
    open_account(session, code=f"merchant:{merchant.id}", kind="merchant")
    return merchant.id
