"""Reads of who stands at a merchant's counter."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.core.text import masked_name
from pointsbank.members.models import Member, MemberRole


@dataclass(frozen=True)
class ClerkLine:
    """A clerk with the role that makes them one; the name is masked."""

    role_id: int
    member_id: int
    name: str
    volunteer_no: str
    granted_at: datetime


def clerks_of(session: Session, merchant_id: int) -> list[ClerkLine]:
    """Return who stands at a merchant's counter, since when, the first appointed first."""
    rows = session.execute(
        select(
            MemberRole.id.label("role_id"),
            MemberRole.member_id,
            Member.name,
            Member.volunteer_no,
            MemberRole.granted_at,
        )
        .join(Member, Member.id == MemberRole.member_id)
        .where(
            MemberRole.merchant_id == merchant_id,
            MemberRole.role == "clerk",
            MemberRole.withdrawn_at.is_(None),
        )
        .order_by(MemberRole.id)
    )
    return [ClerkLine(**{**row._mapping, "name": masked_name(row.name)}) for row in rows]


def clerk_ids(session: Session, merchant_id: int) -> list[int]:
    """Return the active members who are clerks of a merchant: those who are told."""
    return list(
        session.scalars(
            select(MemberRole.member_id)
            .join(Member, Member.id == MemberRole.member_id)
            .where(
                MemberRole.role == "clerk",
                MemberRole.merchant_id == merchant_id,
                MemberRole.withdrawn_at.is_(None),
                Member.state == "active",
            )
            .distinct()
            .order_by(MemberRole.member_id)
        )
    )
