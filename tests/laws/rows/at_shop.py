"""Who may knock at the doors of a shop's own till code, and of what is ordered there."""

from sqlalchemy.orm import Session

from pointsbank.core.keys import draw_bytes, draw_number
from pointsbank.merchants.models import TILL_HANDLE_BYTES, Shop
from pointsbank.merchants.tills import till_text
from pointsbank.rewards.ordering import NewOrder, order_at_counter
from tests.builders import a_reward, with_points
from tests.laws.doors import MEMBERS, Row, door, form
from tests.laws.rows.orders import AT_TILL
from tests.laws.world import MINE, SHARED, Kind, Made, World
from tests.moments import NOON


def a_shop(session: Session, merchant_id: int) -> Shop:
    """Return a new shop of a merchant."""
    handle = draw_bytes(TILL_HANDLE_BYTES)
    shop = Shop(
        merchant_id=merchant_id,
        name=f"{draw_number(6)}号店",
        till_handle=handle,
        added_at=NOON,
    )
    session.add(shop)
    session.flush()
    return shop


def make_till_code(session: Session, world: World, place: str, actor: int, _made: Made) -> str:
    """The code at a till, and points for whoever acts."""
    merchant_id = world.merchant_id(place)
    with_points(session, actor, 100)
    return till_text(world.secret, a_shop(session, merchant_id).till_handle)


def make_own(session: Session, world: World, _place: str, actor: int, _made: Made) -> int:
    """An order of whoever acts, next door."""
    return ordered(session, world.own.next_door_id, with_points(session, actor, 100))


def ordered(session: Session, merchant_id: int, member_id: int) -> int:
    reward_id = a_reward(session, merchant_id, points=20, stock=10)
    new = NewOrder(reward_id, 1, member_id, draw_number(14))
    shop_id = a_shop(session, merchant_id).id
    return order_at_counter(
        session, new, shop_id=shop_id, word="4711", today=NOON.date(), now=NOON
    ).id


TILL_CODE = Kind(SHARED, make_till_code, "NONSENSE")
OWN_ORDER = Kind(MINE, make_own)
BY_POINTS = {"reward_id": "points", "points": "20", "idempotency_key": "a-key-of-this-form"}

ROWS: list[Row] = [
    door("GET", "/T/<string:code>", MEMBERS, code=TILL_CODE),
    door("GET", "/t/<string:code>", MEMBERS, code=TILL_CODE),
    door("POST", "/T/<string:code>", MEMBERS, form(**BY_POINTS), code=TILL_CODE),
    door("GET", "/at-till/<id:order_id>", MEMBERS, order_id=OWN_ORDER),
    door("POST", "/at-till/<id:order_id>/cancellation", MEMBERS, order_id=OWN_ORDER),
    door("POST", "/at-till/<id:order_id>/handing", ("clerk",), order_id=AT_TILL),
]
