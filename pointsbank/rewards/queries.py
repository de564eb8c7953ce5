"""Reads of the rewards room: what can be had, what was handed over, and a day's sum."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, case, func, literal, select
from sqlalchemy.orm import Session, aliased

from pointsbank.core.text import masked_name
from pointsbank.ledger.queries import balance_of
from pointsbank.members.models import Member
from pointsbank.organizations.models import Merchant, Organization
from pointsbank.rewards.errors import RedemptionNotFound, RewardNotFound
from pointsbank.rewards.models import Redemption, Reward, RewardPicture, RewardTaken


@dataclass(frozen=True)
class RewardLine:
    """A reward and the merchant who offers it; path is that of the merchant's organization.

    weekdays, monthdays: bits as in days.py. picture_digest: None where there is no picture.
    """

    id: int
    merchant_id: int
    merchant_name: str
    path: str
    name: str
    points: int
    stock: int | None
    limit_per_member: int | None
    limit_period: str
    valid_from: datetime | None
    valid_until: datetime | None
    state: str
    kind: str
    category: str
    description: str
    market_fen: int | None
    weekdays: int
    monthdays: int
    audience_id: int | None
    audience_name: str | None
    stars_min: int
    loan_days: int | None
    picture_digest: bytes | None

    def is_on_offer(self, now: datetime) -> bool:
        """Tell whether it is on offer; redemption days and people are not asked."""
        return (
            self.state == "offered"
            and self.stock != 0
            and (self.valid_from is None or self.valid_from <= now)
            and (self.valid_until is None or self.valid_until > now)
        )


@dataclass(frozen=True)
class RedemptionLine:
    """One redemption as it is shown: names masked, path that of the merchant's organization."""

    id: int
    number: str
    state: str
    merchant_id: int
    merchant_name: str
    path: str
    reward_id: int
    reward_name: str
    member_id: int
    member_name: str
    clerk_id: int
    clerk_name: str
    quantity: int
    points: int
    balance_after: int | None
    redeemed_at: datetime
    redeemed_on: date
    voided_at: datetime | None
    transfer_id: int | None
    reward_kind: str
    way: str
    period: str
    hold_id: int | None
    confirm_by: datetime | None
    voided_quantity: int

    def state_at(self, now: datetime) -> str:
        """Return its state; one whose minute is over has lapsed, whoever writes that down."""
        is_late = self.confirm_by is not None and self.confirm_by <= now
        return "lapsed" if self.state == "waiting" and is_late else self.state

    def tells_balance(self, reader_id: int, today: date) -> bool:
        """Tell whether this person reads what was left: the member, and that day its clerk."""
        is_its_clerk = reader_id == self.clerk_id and today == self.redeemed_on
        return is_its_clerk or reader_id == self.member_id

    @property
    def points_kept(self) -> int:
        """Its points without those of the pieces that were taken back."""
        return self.points - self.voided_quantity * (self.points // self.quantity)


@dataclass(frozen=True)
class DayTotals:
    """What one merchant handed over on one day; points without what was voided.

    voided: redemptions that were taken back as a whole.
    """

    redemptions: int
    points: int
    voided: int


Audience = aliased(Organization)
REWARD = (
    Reward.id,
    Reward.merchant_id,
    Merchant.name.label("merchant_name"),
    Organization.path,
    Reward.name,
    Reward.points,
    Reward.stock,
    Reward.limit_per_member,
    Reward.limit_period,
    Reward.valid_from,
    Reward.valid_until,
    Reward.state,
    Reward.kind,
    Reward.category,
    Reward.description,
    Reward.market_fen,
    Reward.weekdays,
    Reward.monthdays,
    Reward.audience_id,
    Audience.name.label("audience_name"),
    Reward.stars_min,
    Reward.loan_days,
    RewardPicture.digest.label("picture_digest"),
)

SHELF_ORDER = case({"offered": 0, "draft": 1}, value=Reward.state, else_=2)
Clerk = aliased(Member)
# The price of a piece is a whole number, so the division leaves nothing.
POINTS_KEPT = Redemption.points - Redemption.voided_quantity * (
    Redemption.points // Redemption.quantity
)


def rewards_of_merchant(session: Session, merchant_id: int) -> list[RewardLine]:
    """Return every reward of a merchant: on offer, drafts, withdrawn, each the cheapest first.

    What is had by points is the counter's own and not among them.
    """
    statement = (
        rewards()
        .where(Reward.merchant_id == merchant_id, Reward.kind != "by_points")
        .order_by(SHELF_ORDER, Reward.points, Reward.id)
    )
    return [RewardLine(*row) for row in session.execute(statement)]


def rewards_within(session: Session, path: str, *, limit: int = 200) -> list[RewardLine]:
    """Return what is offered at merchants under an organization and at those above it."""
    statement = (
        rewards()
        .where(
            Reward.state == "offered",
            Reward.kind != "by_points",
            Organization.path.startswith(path) | literal(path).startswith(Organization.path),
        )
        .order_by(Reward.name, Reward.id)
        .limit(limit)
    )
    return [RewardLine(*row) for row in session.execute(statement)]


def reward_of(session: Session, reward_id: int) -> RewardLine:
    """Return one reward.

    Raises RewardNotFound.
    """
    row = session.execute(rewards().where(Reward.id == reward_id)).first()
    if row is None:
        raise RewardNotFound
    return RewardLine(*row)


def rewards() -> Select[*tuple[Any, ...]]:
    """Return the statement whose rows are RewardLines, to be narrowed."""
    return (
        select(*REWARD)
        .join(Merchant, Merchant.id == Reward.merchant_id)
        .join(Organization, Organization.id == Merchant.organization_id)
        .outerjoin(Audience, Audience.id == Reward.audience_id)
        .outerjoin(RewardPicture, RewardPicture.reward_id == Reward.id)
    )


def had_by(session: Session, reward_id: int, member_id: int, period: str = "") -> int:
    """Return how many of a reward a member has had in a period, voided ones not counted."""
    had = session.scalar(
        select(RewardTaken.quantity).where(
            RewardTaken.reward_id == reward_id,
            RewardTaken.member_id == member_id,
            RewardTaken.period == period,
        )
    )
    return had or 0


def available_points(session: Session, member_id: int) -> int:
    """Return what a member can spend at this moment."""
    return balance_of(session, f"member:{member_id}").available


def redemption_of(session: Session, redemption_id: int) -> RedemptionLine:
    """Return one redemption.

    Raises RedemptionNotFound.
    """
    row = session.execute(_redemptions().where(Redemption.id == redemption_id)).first()
    if row is None:
        raise RedemptionNotFound
    return _line(row)


def redemptions_on(
    session: Session,
    merchant_id: int,
    day: date,
    *,
    before_id: int | None = None,
    limit: int = 50,
) -> list[RedemptionLine]:
    """Return what a merchant handed over on a local day, the newest first."""
    statement = _redemptions().where(
        Redemption.merchant_id == merchant_id, Redemption.redeemed_on == day
    )
    return _newest(session, statement, before_id, limit)


def redemptions_of_member(
    session: Session,
    member_id: int,
    *,
    state: str | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[RedemptionLine]:
    """Return what a member has had, the newest first; only those in one state when given."""
    statement = _redemptions().where(Redemption.member_id == member_id)
    if state is not None:
        statement = statement.where(Redemption.state == state)
    return _newest(session, statement, before_id, limit)


def _newest(
    session: Session, statement: Select[*tuple[Any, ...]], before_id: int | None, limit: int
) -> list[RedemptionLine]:
    if before_id is not None:
        statement = statement.where(Redemption.id < before_id)
    rows = session.execute(statement.order_by(Redemption.id.desc()).limit(limit))
    return [_line(row) for row in rows]


def totals_on(session: Session, merchant_id: int, day: date) -> DayTotals:
    """Return a merchant's sum of a local day."""
    rows = session.execute(
        select(Redemption.state, func.count(), func.coalesce(func.sum(POINTS_KEPT), 0))
        .where(Redemption.merchant_id == merchant_id, Redemption.redeemed_on == day)
        .group_by(Redemption.state)
    )
    found = {state: (number, int(points)) for state, number, points in rows}
    number, points = found.get("completed", (0, 0))
    return DayTotals(number, points, found.get("voided", (0, 0))[0])


def _redemptions() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Redemption,
            Merchant.name.label("merchant_name"),
            Organization.path,
            Reward.name.label("reward_name"),
            Reward.kind.label("reward_kind"),
            Member.name.label("member_name"),
            Clerk.name.label("clerk_name"),
        )
        .join(Merchant, Merchant.id == Redemption.merchant_id)
        .join(Organization, Organization.id == Merchant.organization_id)
        .join(Reward, Reward.id == Redemption.reward_id)
        .join(Member, Member.id == Redemption.member_id)
        .join(Clerk, Clerk.id == Redemption.clerk_id)
    )


def _line(row: Any) -> RedemptionLine:
    redemption: Redemption = row.Redemption
    return RedemptionLine(
        id=redemption.id,
        number=redemption.number,
        state=redemption.state,
        merchant_id=redemption.merchant_id,
        merchant_name=row.merchant_name,
        path=row.path,
        reward_id=redemption.reward_id,
        reward_name=row.reward_name,
        member_id=redemption.member_id,
        member_name=masked_name(row.member_name),
        clerk_id=redemption.clerk_id,
        clerk_name=masked_name(row.clerk_name),
        quantity=redemption.quantity,
        points=redemption.points,
        balance_after=redemption.balance_after,
        redeemed_at=redemption.redeemed_at,
        redeemed_on=redemption.redeemed_on,
        voided_at=redemption.voided_at,
        transfer_id=redemption.transfer_id,
        reward_kind=row.reward_kind,
        way=redemption.way,
        period=redemption.period,
        hold_id=redemption.hold_id,
        confirm_by=redemption.confirm_by,
        voided_quantity=redemption.voided_quantity,
    )
