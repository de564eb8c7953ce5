"""Who may knock at the doors of the catalogue: members look, the merchant's people change."""

import io

from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor, Grant
from pointsbank.rewards.models import RewardPicture
from pointsbank.rewards.pictures import encoded, keep_picture
from tests.builders import a_member, a_reward, with_role
from tests.laws.doors import COUNTER, MEMBERS, Row, asking, door, fields, form
from tests.laws.world import (
    ANY_REWARD,
    MERCHANT,
    MERCHANT_ID,
    REWARD,
    SHARED,
    Kind,
    Made,
    World,
)
from tests.moments import NOON


def a_drawing() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(written, "PNG")
    return written.getvalue()


def a_picture(_made: Made) -> dict[str, object]:
    return {"data": {"file": (io.BytesIO(a_drawing()), "p.png")}}


def make_digest(session: Session, _world: World, _place: str, _actor: int, made: Made) -> str:
    """The address of a picture of the reward made before."""
    keeper = with_role(session, a_member(session, "管理员"), "administrator")
    actor = Actor(keeper, "管理员", 0, 0, (Grant("administrator", "/"),))
    reward_id = made["reward_id"]
    keep_picture(
        session, actor=actor, reward_id=reward_id, picture=encoded(a_drawing()), now=NOON
    )
    digest = session.scalar(
        select(RewardPicture.digest).where(RewardPicture.reward_id == reward_id)
    )
    assert digest is not None
    return digest.hex()


def make_draft(session: Session, world: World, place: str, _actor: int, _made: Made) -> int:
    return a_reward(session, world.merchant_id(place), is_draft=True)


def make_size(_session: Session, _world: World, _place: str, _actor: int, _made: Made) -> str:
    return "small"


DIGEST = Kind(SHARED, make_digest, "0" * 64)
SIZE = Kind(SHARED, make_size, "huge")
DRAFT_REWARD = Kind(MERCHANT, make_draft)

ROWS: list[Row] = [
    door("GET", "/api/v1/rewards/<id:reward_id>", MEMBERS, reward_id=ANY_REWARD),
    door(
        "PATCH",
        "/api/v1/rewards/<id:reward_id>",
        COUNTER,
        fields(state="offered"),
        case="a draft",
        reward_id=DRAFT_REWARD,
    ),
    door(
        "GET",
        "/api/v1/merchants/<id:merchant_id>/rewards",
        COUNTER,
        merchant_id=MERCHANT_ID,
    ),
    door(
        "GET",
        "/api/v1/merchants/<id:merchant_id>/price",
        COUNTER,
        asking(market_fen=1250),
        merchant_id=MERCHANT_ID,
    ),
    door("PUT", "/api/v1/rewards/<id:reward_id>/picture", COUNTER, a_picture, reward_id=REWARD),
    door("DELETE", "/api/v1/rewards/<id:reward_id>/picture", COUNTER, reward_id=REWARD),
    door(
        "GET",
        "/rewards/<id:reward_id>/pictures/<string:digest>/<string:size>",
        MEMBERS,
        reward_id=ANY_REWARD,
        digest=DIGEST,
        size=SIZE,
    ),
    door("GET", "/rewards/<id:reward_id>/edit", COUNTER, reward_id=REWARD),
    door(
        "POST",
        "/rewards/<id:reward_id>/edit",
        COUNTER,
        form(name="大米", points="30", kind="goods", category="food"),
        reward_id=REWARD,
    ),
    door("POST", "/rewards/<id:reward_id>/picture", COUNTER, a_picture, reward_id=REWARD),
    door("POST", "/rewards/<id:reward_id>/picture/removal", COUNTER, reward_id=REWARD),
]
