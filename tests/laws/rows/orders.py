"""Who may knock at the doors of orders: members order, a merchant's clerks hand over."""

from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from pointsbank.core.keys import draw_number, draw_token
from pointsbank.rewards.ordering import NewOrder, order_at_counter, order_reward
from pointsbank.rewards.vouchers import voucher_code
from tests.builders import a_member, a_reward, with_points
from tests.laws.doors import (
    COUNTER,
    DAY_READERS,
    MEMBERS,
    Row,
    door,
    form,
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


def make_own_voucher(
    session: Session, world: World, _place: str, actor: int, _made: Made
) -> str:
    """The code of whoever acts."""
    new = an_order(session, world, OWN, actor)
    order_reward(session, new, secret=world.secret, today=NOON.date(), now=NOON)
    return voucher_code(world.secret, new.number)


def says_only_a_clerk_uses_it(answer: TestResponse) -> bool:
    """Tell whether one who takes no points is told so."""
    return answer.status_code == 200 and "只有这家店的店员能核销" in answer.text


def one_piece(made: Made) -> dict[str, object]:
    """A form under a key of its own."""
    fields = {"quantity": "1", "idempotency_key": draw_token()}
    return {"data": {**fields, **({"code": made["code"]} if "code" in made else {})}}


AT_TILL = Kind(MERCHANT, make_at_till)
OWN_ORDER = Kind(MINE, make_own)
VOUCHER = Kind(MERCHANT, make_voucher, "0123456789AB")
# Where foreign codes are tried by another row: five wrong ones would lock the till.
OWN_COUNTERS_VOUCHER = Kind(MINE, make_voucher)
OWN_VOUCHER = Kind(MINE, make_own_voucher)
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
    door("GET", "/rewards/<id:reward_id>/order", MEMBERS, reward_id=REWARD_TO_HAVE),
    door("POST", "/rewards/<id:reward_id>/order", MEMBERS, one_piece, reward_id=REWARD_TO_HAVE),
    door("GET", "/orders", MEMBERS),
    door("GET", "/orders/<id:order_id>", MEMBERS, order_id=OWN_ORDER),
    door("POST", "/orders/<id:order_id>/cancellation", MEMBERS, order_id=OWN_ORDER),
    *(
        door(
            "GET",
            f"/{letter}/<string:code>",
            ("clerk",),
            is_denied=says_only_a_clerk_uses_it,
            code=VOUCHER,
        )
        for letter in ("V", "v")
    ),
    door("GET", "/V/<string:code>", MEMBERS, case="one's own", code=OWN_VOUCHER),
    door("GET", "/till/<id:merchant_id>/vouchers", ("clerk",), merchant_id=MERCHANT_ID),
    door(
        "POST",
        "/till/<id:merchant_id>/vouchers",
        ("clerk",),
        form(code="CODE"),
        merchant_id=MERCHANT_ID,
        code=VOUCHER,
    ),
    door(
        "POST",
        "/till/<id:merchant_id>/vouchers/handing",
        ("clerk",),
        one_piece,
        merchant_id=MERCHANT_ID,
        code=OWN_COUNTERS_VOUCHER,
    ),
    door(
        "POST",
        "/till/orders/<id:order_id>/cancellation",
        ("clerk",),
        order_id=AT_TILL,
    ),
]
