"""Reads of voids that were asked for and wait for a second administrator."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from pointsbank.core.text import masked_name
from pointsbank.members.models import Member
from pointsbank.organizations.models import Merchant, Organization
from pointsbank.organizations.queries import within
from pointsbank.rewards.models import Redemption, RedemptionVoid, Reward

Asker = aliased(Member)


@dataclass(frozen=True)
class AskedVoid:
    """A void that waits for a second administrator; names masked.

    quantity, points: what would go back. asked_by_id, member_id: who does not decide it.
    """

    id: int
    redemption_id: int
    number: str
    redeemed_on: date
    merchant_id: int
    merchant_name: str
    reward_name: str
    reward_kind: str
    member_id: int
    member_name: str
    quantity: int
    points: int
    reason: str | None
    asked_by_id: int
    asked_by_name: str
    asked_at: datetime

    def is_decided_by(self, member_id: int) -> bool:
        """Tell whether an administrator over it may agree or refuse."""
        return member_id not in (self.asked_by_id, self.member_id)


def voids_asked(
    session: Session, paths: Sequence[str], *, after_id: int | None = None, limit: int = 50
) -> list[AskedVoid]:
    """Return what waits at merchants under these paths, the oldest first."""
    statement = _waiting(
        select(
            RedemptionVoid.id,
            Redemption.id.label("redemption_id"),
            Redemption.number,
            Redemption.redeemed_on,
            Merchant.id.label("merchant_id"),
            Merchant.name.label("merchant_name"),
            Reward.name.label("reward_name"),
            Reward.kind.label("reward_kind"),
            Redemption.member_id,
            Member.name.label("member_name"),
            RedemptionVoid.quantity,
            RedemptionVoid.points,
            RedemptionVoid.reason,
            RedemptionVoid.asked_by_id,
            Asker.name.label("asked_by_name"),
            RedemptionVoid.asked_at,
        ),
        paths,
    )
    if after_id is not None:
        statement = statement.where(RedemptionVoid.id > after_id)
    rows = session.execute(statement.order_by(RedemptionVoid.id).limit(limit))
    return [
        AskedVoid(
            **{
                **row._mapping,
                "member_name": masked_name(row.member_name),
                "asked_by_name": masked_name(row.asked_by_name),
            }
        )
        for row in rows
    ]


def count_voids_to_decide(session: Session, paths: Sequence[str], member_id: int) -> int:
    """Return how many of them an administrator over these paths may decide."""
    statement = _waiting(select(func.count(RedemptionVoid.id)), paths).where(
        RedemptionVoid.asked_by_id != member_id, Redemption.member_id != member_id
    )
    number: int = session.scalars(statement).one()
    return number


def _waiting(
    statement: Select[*tuple[Any, ...]], paths: Sequence[str]
) -> Select[*tuple[Any, ...]]:
    # What its clerk voided meanwhile needs nobody's word.
    return (
        statement.join_from(
            RedemptionVoid, Redemption, Redemption.id == RedemptionVoid.redemption_id
        )
        .join(Merchant, Merchant.id == Redemption.merchant_id)
        .join(Organization, Organization.id == Merchant.organization_id)
        .join(Reward, Reward.id == Redemption.reward_id)
        .join(Member, Member.id == Redemption.member_id)
        .join(Asker, Asker.id == RedemptionVoid.asked_by_id)
        .where(
            RedemptionVoid.decision.is_(None),
            Redemption.state == "completed",
            within(Organization.path, paths),
        )
    )
