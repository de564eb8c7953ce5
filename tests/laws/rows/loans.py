"""Who may knock at the doors of tools on loan: a merchant's clerks lend, members look."""

from sqlalchemy.orm import Session

from pointsbank.core.keys import draw_number, draw_token
from pointsbank.rewards.lending import lend_tool
from pointsbank.rewards.redeeming import Order
from tests.builders import a_member, a_reward, redemption_code, with_points, with_role
from tests.laws.doors import COUNTER, MEMBERS, Row, door, fields, form, keyed
from tests.laws.world import MERCHANT, MERCHANT_ID, REDEMPTION_CODE, Kind, Made, World
from tests.moments import NOON


def make_tool(session: Session, world: World, place: str, _actor: int, _made: Made) -> int:
    return a_reward(session, world.merchant_id(place), "电钻", kind="loan", loan_days=7)


def make_loan(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """A tool that a member has at home."""
    merchant_id = world.merchant_id(place)
    clerk = with_role(session, a_member(session, "赵店员"), "clerk", merchant_id=merchant_id)
    member_id = with_points(session, a_member(session, "吴海燕"), 100)
    order = Order(
        merchant_id=merchant_id,
        reward_id=make_tool(session, world, place, actor, made),
        quantity=1,
        code=redemption_code(session, world.app, member_id, NOON),
    )
    return lend_tool(
        session,
        order,
        clerk_id=clerk,
        number=draw_number(14),
        secret=world.secret,
        today=NOON.date(),
        now=NOON,
    ).id


def on_a_form(made: Made) -> dict[str, object]:
    """The form of a loan, under a key of its own."""
    return {"data": {**made, "idempotency_key": draw_token()}}


LOAN = Kind(MERCHANT, make_loan)
TOOL = Kind(MERCHANT, make_tool)

ROWS: list[Row] = [
    door(
        "POST",
        "/api/v1/loans",
        ("clerk",),
        keyed(merchant_id="MERCHANT_ID", reward_id="REWARD_ID", code="CODE"),
        merchant_id=MERCHANT_ID,
        reward_id=TOOL,
        code=REDEMPTION_CODE,
    ),
    door(
        "POST",
        "/api/v1/loans/<id:loan_id>/end",
        ("clerk",),
        fields(state="returned"),
        loan_id=LOAN,
    ),
    door("GET", "/api/v1/me/loans", MEMBERS),
    door("GET", "/api/v1/merchants/<id:merchant_id>/loans", COUNTER, merchant_id=MERCHANT_ID),
    door("GET", "/till/<id:merchant_id>/loans", ("clerk",), merchant_id=MERCHANT_ID),
    door(
        "POST",
        "/till/<id:merchant_id>/loans",
        ("clerk",),
        on_a_form,
        merchant_id=MERCHANT_ID,
        reward_id=TOOL,
        code=REDEMPTION_CODE,
    ),
    door(
        "POST",
        "/till/loans/<id:loan_id>/end",
        ("clerk",),
        form(state="returned"),
        loan_id=LOAN,
    ),
    door("GET", "/loans", MEMBERS),
]
