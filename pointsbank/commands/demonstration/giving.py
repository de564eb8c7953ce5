"""Two families who give to each other, and a care fund that collects and spends."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pointsbank.commands.demonstration.people import Community, District
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import transaction
from pointsbank.ledger.queries import balance_of
from pointsbank.members.households import register_household
from pointsbank.members.queries import role_holders_over
from pointsbank.passbooks.funds import (
    SpendingWish,
    ask_for_spending,
    decide_spending,
    donate,
    open_fund,
)
from pointsbank.passbooks.giving import Wish, give

FUND_NAME = "平潭街西社区爱心基金"
GIFT_POINTS = 10
DONATION_POINTS = 20
DONORS = 8
APPROVED_POINTS = 60
PENDING_POINTS = 40
# Registered long ago, given and spent this afternoon: after the last line of every book.
REGISTERED_AGO = timedelta(days=80)
GIVEN_AGO = timedelta(hours=3)


def make_giving(district: District, *, zone: ZoneInfo, now: datetime) -> None:
    """Register two households, let one gift be made, and let a fund collect and spend."""
    community = district.communities[0]
    with transaction() as session:
        keepers = [
            Actor(each, "", 0, 0, (Grant("secretary", community.path),))
            for each in role_holders_over(session, community.path, ["secretary"])
        ]
        well_off = with_points(session, community, GIFT_POINTS + DONATION_POINTS)
        if len(keepers) < 2 or len(well_off) < DONORS:
            return
        # The secretary who is printed decides; the other one asks.
        decider, author = keepers[:2]
        volunteer = community.members[0]
        grandson, *others = [each for each in well_off if each != volunteer]
        for family in ((volunteer, grandson), others[:3]):
            register_household(
                session, actor=author, member_ids=family, now=now - REGISTERED_AGO
            )
        wish = Wish(grandson, volunteer, GIFT_POINTS, "奶奶辛苦了", "demonstration:gift")
        give(session, wish, zone=zone, now=now - GIVEN_AGO)
        fund_id = a_fund(session, district, community, well_off, now - GIVEN_AGO)
        spend(session, district, fund_id, author, decider, now - GIVEN_AGO)


def with_points(session: Session, community: Community, points: int) -> list[int]:
    """Return the members of a community who have so many points, in their order."""
    return [
        each
        for each in community.members
        if balance_of(session, f"member:{each}").available >= points
    ]


def a_fund(
    session: Session,
    district: District,
    community: Community,
    donors: list[int],
    now: datetime,
) -> int:
    """Open the fund of a community and let some donate, every third without a name."""
    administrator = Actor(district.administrator_id, "", 0, 0, (Grant("administrator", "/"),))
    fund_id = open_fund(
        session,
        actor=administrator,
        organization_code=community.code,
        name=FUND_NAME,
        now=now - timedelta(days=30),
    )
    for number, donor in enumerate(donors[:DONORS]):
        donate(
            session,
            fund_id=fund_id,
            actor=Actor(donor, "", 0, 0),
            points=DONATION_POINTS,
            is_anonymous=number % 3 == 2,
            key="demonstration:donation",
            now=now + timedelta(minutes=5 * number),
        )
    return fund_id


def spend(
    session: Session,
    district: District,
    fund_id: int,
    author: Actor,
    decider: Actor,
    now: datetime,
) -> None:
    """Let one person ask twice, and another approve the first."""
    merchant_id = district.merchants[0].id
    asked_at = now + timedelta(hours=1)
    wanted = (
        (APPROVED_POINTS, "给三户独居老人送米和油"),
        (PENDING_POINTS, "给困难家庭的孩子买书包"),
    )
    spendings = [
        ask_for_spending(
            session,
            SpendingWish(fund_id, merchant_id, points, purpose, f"demonstration:{points}"),
            actor=author,
            now=asked_at,
        )
        for points, purpose in wanted
    ]
    decide_spending(
        session,
        spending_id=spendings[0].id,
        actor=decider,
        is_approved=True,
        reason="",
        now=asked_at + timedelta(hours=1),
    )
