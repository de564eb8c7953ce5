"""A reward as a merchant describes it, and what must hold of it whoever writes it."""

from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.merchants.queries import rate_on
from pointsbank.organizations.errors import OrganizationNotFound
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import organization_by_code
from pointsbank.rewards.errors import BadValidity, LoanDaysMissing, PriceMissing
from pointsbank.rewards.models import REWARD_KINDS, REWARD_POINTS_MAX, Reward
from pointsbank.rewards.policy import points_for

# By points is made by the counter itself, on first use.
OFFERED_KINDS = tuple(kind for kind in REWARD_KINDS if kind != "by_points")


@dataclass(frozen=True)
class Offer:
    """Everything a merchant says of a reward.

    points: of a tool on loan, the deposit. market_fen: what it costs in money, for the
    suggested price. stock: None for as many as are asked for. weekdays, monthdays: bits as in
    days.py; both 0 for every day.
    """

    name: str
    points: int
    kind: str = "goods"
    category: str = "other"
    description: str = ""
    market_fen: int | None = None
    stock: int | None = None
    limit_per_member: int | None = None
    limit_period: str = "ever"
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    weekdays: int = 0
    monthdays: int = 0
    audience_id: int | None = None
    stars_min: int = 0
    loan_days: int | None = None

    def values(self) -> dict[str, Any]:
        """Return the columns; without a limit there is no period of one, and that of a tool is
        what somebody has at home.
        """
        has_period = self.limit_per_member is not None and self.kind != "loan"
        period = self.limit_period if has_period else "ever"
        return {**asdict(self), "limit_period": period}


FIELDS = tuple(each.name for each in fields(Offer))


@dataclass(frozen=True)
class Price:
    """How many points something is worth at a merchant, and the rate it follows from."""

    points: int
    rate_fen: int


def offer_of(session: Session, reward_id: int) -> Offer:
    """Return what is said of a reward that exists."""
    row = session.execute(
        select(*(getattr(Reward, name) for name in FIELDS)).where(Reward.id == reward_id)
    ).one()
    return Offer(**row._mapping)


def judge(session: Session, offer: Offer) -> None:
    """Refuse an offer that cannot stand.

    Raises BadValidity, LoanDaysMissing, OrganizationNotFound.
    """
    first, last = offer.valid_from, offer.valid_until
    if first is not None and last is not None and first >= last:
        raise BadValidity
    if (offer.kind == "loan") != (offer.loan_days is not None):
        raise LoanDaysMissing
    if offer.audience_id is not None:
        known = select(Organization.id).where(Organization.id == offer.audience_id)
        if session.scalar(known) is None:
            raise OrganizationNotFound


def suggested_price(session: Session, merchant_id: int, market_fen: int, day: date) -> Price:
    """Return what a merchant's thing of this price in money is worth on a local day."""
    rate_fen = rate_on(session, merchant_id, day)
    return Price(points_for(market_fen, rate_fen), rate_fen)


def resolved(
    session: Session, merchant_id: int, body: dict[str, Any], day: date, *, needs_price: bool
) -> dict[str, Any]:
    """Return the fields of an Offer that a body holds, its organization found by code.

    needs_price: without points they follow from the price in money; at most what one thing may
    cost.
    Raises OrganizationNotFound, PriceMissing.
    """
    values = {name: body[name] for name in FIELDS if name in body}
    if "audience_code" in body:
        code = body["audience_code"]
        values["audience_id"] = organization_by_code(session, code).id if code else None
    if needs_price and "points" not in values:
        market_fen = values.get("market_fen")
        if market_fen is None:
            raise PriceMissing
        price = suggested_price(session, merchant_id, market_fen, day)
        values["points"] = min(price.points, REWARD_POINTS_MAX)
    return values
