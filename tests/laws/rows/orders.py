"""Who may knock at the doors of orders: members order, a merchant's clerks hand over."""

from sqlalchemy.orm import Session

from pointsbank.core.keys import draw_number
from pointsbank.rewards.ordering import NewOrder, order_at_counter, order_reward
from pointsbank.rewards.vouchers import voucher_code
from tests.builders import a_member, a_reward, with_points
from tests.laws.doors import (
    COUNTER,
    DAY_READERS,
    MEMBERS,
    Row,
    door,
    keyed,
    says_nothing_is_there,
)
from tests.laws.world import (
    ANY_REWARD,
    MERCHANT,
    MERCHANT_ID,
    MINE,
    OWN,
    Kind,
    Made,
    World,
)
from tests.merchants.partners import a_shop
from tests.moments import NOON


def an_order(session: Session, world: World, place: str, member_id: int) -> NewOrder:
    with_points(session, member_id, 100)
    reward_id = a_reward(session, world.merchant_id(place))
    return NewOrder(reward_id, 2, member_id, draw_number(14))


def make_at_till(session: Session, world: World, place: str, _actor: int, _made: Made) -> int:
    """What a member ordered at a till of the place."""
    new = an_order(session, world, place, a_member(session, "吴海燕"))
    shop_id = a_shop(session, world.merchant_id(place), f"分店{draw_number(6)}")
    return order_at_counter(
        session, new, shop_id=shop_id, word="4711", today=NOON.date(), now=NOON
    ).id


def make_own(session: Session, world: World, _place: str, actor: int, _made: Made) -> int:
    """What whoever acts ordered."""
    new = an_order(session, world, OWN, actor)
    return order_reward(session, new, secret=world.secret, today=NOON.date(), now=NOON).id


def make_voucher(session: Session, world: World, place: str, _actor: int, _made: Made) -> str:
    """The code of a member's voucher for the place's merchant."""
    new = an_order(session, world, place, a_member(session, "吴海燕"))
    order_reward(session, new, secret=world.secret, today=NOON.date(), now=NOON)
    return voucher_code(world.secret, new.number)


def with_one_to_spend(
    session: Session, world: World, place: str, actor: int, made: Made
) -> int:
    """Points for whoever acts, and a reward to order."""
    with_points(session, actor, 100)
    return a_reward(session, world.merchant_id(place))


AT_TILL = Kind(MERCHANT, make_at_till)
OWN_ORDER = Kind(MINE, make_own)
VOUCHER = Kind(MERCHANT, make_voucher, "0123456789AB")
REWARD_TO_HAVE = Kind(ANY_REWARD.scope, with_one_to_spend)

ROWS: list[Row] = [
    door(
        "POST",
        "/api/v1/rewards/<id:reward_id>/orders",
        MEMBERS,
        keyed(quantity=1),
        reward_id=REWARD_TO_HAVE,
    ),
    door("GET", "/api/v1/me/orders", MEMBERS),
    door(
        "GET",
        "/api/v1/orders/<id:order_id>",
        DAY_READERS,
        is_denied=says_nothing_is_there,
        order_id=AT_TILL,
    ),
    door("GET", "/api/v1/orders/<id:order_id>", MEMBERS, case="one's own", order_id=OWN_ORDER),
    door(
        "POST",
        "/api/v1/orders/<id:order_id>/cancellation",
        ("clerk",),
        is_denied=says_nothing_is_there,
        order_id=AT_TILL,
    ),
    door(
        "POST",
        "/api/v1/orders/<id:order_id>/cancellation",
        MEMBERS,
        case="one's own",
        order_id=OWN_ORDER,
    ),
    door("GET", "/api/v1/merchants/<id:merchant_id>/orders", COUNTER, merchant_id=MERCHANT_ID),
    door(
        "POST",
        "/api/v1/orders/<id:order_id>/redemption",
        ("clerk",),
        keyed(quantity=1),
        order_id=AT_TILL,
    ),
    door(
        "POST",
        "/api/v1/vouchers/<string:code>/redemption",
        ("clerk",),
        keyed(quantity=1),
        code=VOUCHER,
    ),
]
