"""Reads of orders: one, a member's own, and those that wait at a merchant."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from pointsbank.core.text import masked_name
from pointsbank.members.models import Member
from pointsbank.organizations.models import Merchant, Organization
from pointsbank.rewards.models import Reward
from pointsbank.rewards.orders_errors import OrderNotFound
from pointsbank.rewards.orders_models import RewardOrder


@dataclass(frozen=True)
class OrderLine:
    """One order as it is shown: the name masked, path that of the merchant's organization.

    word: of an order at a counter. delivered: how many of its pieces were handed over.
    takes_until: the merchant's last day, None for no end.
    """

    id: int
    number: str
    way: str
    state: str
    merchant_id: int
    merchant_name: str
    merchant_state: str
    takes_until: date | None
    path: str
    shop_id: int | None
    reward_id: int
    reward_name: str
    reward_kind: str
    member_id: int
    member_name: str
    quantity: int
    delivered: int
    unit_points: int
    word: str | None
    ordered_at: datetime
    expires_at: datetime
    decided_at: datetime | None

    def state_at(self, now: datetime) -> str:
        """Return its state; one whose time is over has expired, whoever writes that down."""
        is_over = self.state == "reserved" and self.expires_at <= now
        return "expired" if is_over else self.state

    def is_stopped_on(self, day: date) -> bool:
        """Tell whether its merchant hands nothing over on a local day."""
        is_over = self.takes_until is not None and self.takes_until < day
        return self.merchant_state != "active" or is_over

    @property
    def left(self) -> int:
        """How many pieces were not handed over."""
        return self.quantity - self.delivered

    @property
    def points(self) -> int:
        """The points of all its pieces."""
        return self.quantity * self.unit_points


def order_of(session: Session, order_id: int) -> OrderLine:
    """Return one order.

    Raises OrderNotFound.
    """
    row = session.execute(_orders().where(RewardOrder.id == order_id)).first()
    if row is None:
        raise OrderNotFound
    return _line(row)


def orders_of_member(
    session: Session, member_id: int, *, before_id: int | None = None, limit: int = 50
) -> list[OrderLine]:
    """Return a member's orders, the newest first."""
    statement = _orders().where(RewardOrder.member_id == member_id)
    if before_id is not None:
        statement = statement.where(RewardOrder.id < before_id)
    rows = session.execute(statement.order_by(RewardOrder.id.desc()).limit(limit))
    return [_line(row) for row in rows]


def open_orders(
    session: Session,
    merchant_id: int,
    *,
    now: datetime,
    way: str | None = None,
    member_id: int | None = None,
    after_id: int | None = None,
    limit: int = 50,
) -> list[OrderLine]:
    """Return what is still to be handed over at a merchant, the oldest first.

    way: only those at a counter, or only those with a voucher, when given. member_id: only
    this member's, when given.
    """
    statement = _orders().where(
        RewardOrder.merchant_id == merchant_id,
        RewardOrder.state == "reserved",
        RewardOrder.expires_at > now,
    )
    if way is not None:
        statement = statement.where(RewardOrder.way == way)
    if member_id is not None:
        statement = statement.where(RewardOrder.member_id == member_id)
    if after_id is not None:
        statement = statement.where(RewardOrder.id > after_id)
    rows = session.execute(statement.order_by(RewardOrder.id).limit(limit))
    return [_line(row) for row in rows]


def order_with_hash(session: Session, voucher_hash: bytes) -> OrderLine | None:
    """Return the order whose voucher's code has this hash, None when none has."""
    row = session.execute(_orders().where(RewardOrder.voucher_hash == voucher_hash)).first()
    return None if row is None else _line(row)


def _orders() -> Select[*tuple[Any, ...]]:
    return (
        select(
            RewardOrder,
            Merchant.name.label("merchant_name"),
            Merchant.state.label("merchant_state"),
            Merchant.takes_until,
            Organization.path,
            Reward.name.label("reward_name"),
            Reward.kind.label("reward_kind"),
            Member.name.label("member_name"),
        )
        .join(Merchant, Merchant.id == RewardOrder.merchant_id)
        .join(Organization, Organization.id == Merchant.organization_id)
        .join(Reward, Reward.id == RewardOrder.reward_id)
        .join(Member, Member.id == RewardOrder.member_id)
        .execution_options(populate_existing=True)
    )


def _line(row: Any) -> OrderLine:
    order: RewardOrder = row.RewardOrder
    return OrderLine(
        id=order.id,
        number=order.number,
        way=order.way,
        state=order.state,
        merchant_id=order.merchant_id,
        merchant_name=row.merchant_name,
        merchant_state=row.merchant_state,
        takes_until=row.takes_until,
        path=row.path,
        shop_id=order.shop_id,
        reward_id=order.reward_id,
        reward_name=row.reward_name,
        reward_kind=row.reward_kind,
        member_id=order.member_id,
        member_name=masked_name(row.member_name),
        quantity=order.quantity,
        delivered=order.delivered,
        unit_points=order.unit_points,
        word=order.word,
        ordered_at=order.ordered_at,
        expires_at=order.expires_at,
        decided_at=order.decided_at,
    )
