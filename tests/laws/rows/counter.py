"""Who may knock at the doors of what comes after a deal: its yes or no, and the day's end."""

from sqlalchemy.orm import Session

from pointsbank.core.keys import draw_number
from pointsbank.rewards.redeeming import Order, redeem_reward
from tests.builders import a_member, a_reward, redemption_code, with_points, with_role
from tests.laws.doors import (
    DAY_READERS,
    MEMBERS,
    Row,
    door,
    fields,
    form,
    says_nothing_is_there,
)
from tests.laws.world import (
    MERCHANT_ID,
    MINE,
    OWN_REDEMPTION,
    REDEMPTION,
    Kind,
    Made,
    World,
)
from tests.moments import NOON

ABOVE = 201


def make_waiting(session: Session, world: World, _place: str, actor: int, _made: Made) -> int:
    """A deal above 200 points, next door, that waits for whoever acts."""
    merchant_id = world.own.next_door_id
    clerk = with_role(session, a_member(session, "赵店员"), "clerk", merchant_id=merchant_id)
    with_points(session, actor, 300)
    order = Order(
        merchant_id=merchant_id,
        reward_id=a_reward(session, merchant_id, points=ABOVE, stock=10),
        quantity=1,
        code=redemption_code(session, world.app, actor, NOON),
    )
    return redeem_reward(
        session,
        order,
        clerk_id=clerk,
        number=draw_number(14),
        secret=world.secret,
        today=NOON.date(),
        now=NOON,
    ).id


WAITING = Kind(MINE, make_waiting)

ROWS: list[Row] = [
    door(
        "GET",
        "/api/v1/redemptions/<id:redemption_id>",
        DAY_READERS,
        is_denied=says_nothing_is_there,
        redemption_id=REDEMPTION,
    ),
    door(
        "GET",
        "/api/v1/redemptions/<id:redemption_id>",
        MEMBERS,
        case="one's own",
        redemption_id=OWN_REDEMPTION,
    ),
    door(
        "POST",
        "/api/v1/redemptions/<id:redemption_id>/confirmation",
        MEMBERS,
        fields(decision="confirm"),
        redemption_id=WAITING,
    ),
    door(
        "POST",
        "/api/v1/merchants/<id:merchant_id>/closings",
        ("clerk",),
        fields(note="少收一笔"),
        merchant_id=MERCHANT_ID,
    ),
    door("GET", "/redemptions/waiting", MEMBERS),
    door(
        "GET", "/redemptions/<id:redemption_id>", MEMBERS, case="waiting", redemption_id=WAITING
    ),
    door(
        "POST",
        "/redemptions/<id:redemption_id>/confirmation",
        MEMBERS,
        form(decision="confirm"),
        redemption_id=WAITING,
    ),
    door(
        "POST",
        "/till/<id:merchant_id>/closing",
        ("clerk",),
        form(note="少收一笔"),
        merchant_id=MERCHANT_ID,
    ),
]
