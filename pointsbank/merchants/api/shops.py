"""The JSON door of a merchant's shops and their tills' codes."""

from typing import Any

from pointsbank.core import clock
from pointsbank.core.codes import Purpose, url_of
from pointsbank.core.db import reading, run, transaction
from pointsbank.core.keys import draw_bytes
from pointsbank.merchants.models import TILL_HANDLE_BYTES
from pointsbank.merchants.policy import may_see
from pointsbank.merchants.queries import ShopLine, shop_of, shops_of
from pointsbank.merchants.schemas import (
    ShopBody,
    ShopOut,
    ShopsOut,
    ShopState,
    TillCodeOut,
    hours_in,
    shop_out,
)
from pointsbank.merchants.scope import shop_to_see
from pointsbank.merchants.shops import (
    ShopFacts,
    add_shop,
    change_shop,
    renew_till_code,
    set_shop_state,
)
from pointsbank.merchants.tills import till_text
from pointsbank.organizations.queries import merchant_of
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import Blueprint
from pointsbank.web.forms import settings

api = Blueprint("shops_api", __name__, description="Shops of merchants, and their tills.")

KEEPERS = ("administrator", "clerk")
VIEWERS = ("administrator", "clerk", "auditor")


@api.get("/merchants/<id:merchant_id>/shops")
@api.response(200, ShopsOut)
@members_only
def list_shops(merchant_id: int) -> dict[str, Any]:
    """List a merchant's shops; those closed for good only for who looks after them."""
    actor, now = current_actor(), clock.now()
    with reading() as session:
        merchant = merchant_of(session, merchant_id)
        sees_all = may_see(actor, merchant_id, merchant.path)
        shops = shops_of(session, merchant_id, is_open_only=not sees_all)
    return {"items": [shop_out(shop, now, settings().zone) for shop in shops]}


@api.post("/merchants/<id:merchant_id>/shops")
@api.arguments(ShopBody)
@api.response(201, ShopOut)
@roles_only(*KEEPERS)
def new_shop(body: dict[str, Any], merchant_id: int) -> dict[str, Any]:
    """Add a shop."""
    actor, now = current_actor(), clock.now()
    hours = hours_in(body.pop("hours"))
    shop_id = run(
        lambda session: add_shop(
            session,
            actor=actor,
            merchant_id=merchant_id,
            facts=ShopFacts(**body),
            hours=hours,
            handle=draw_bytes(TILL_HANDLE_BYTES),
            now=now,
        )
    )
    return shown(shop_id)


@api.put("/shops/<id:shop_id>")
@api.arguments(ShopBody)
@api.response(200, ShopOut)
@roles_only(*KEEPERS)
def put_shop(body: dict[str, Any], shop_id: int) -> dict[str, Any]:
    """Write a shop anew, with its hours."""
    actor, now = current_actor(), clock.now()
    hours = hours_in(body.pop("hours"))
    run(
        lambda session: change_shop(
            session,
            actor=actor,
            shop_id=shop_id,
            facts=ShopFacts(**body),
            hours=hours,
            now=now,
        )
    )
    return shown(shop_id)


@api.post("/shops/<id:shop_id>/state")
@api.arguments(ShopState)
@api.response(200, ShopOut)
@roles_only(*KEEPERS)
def set_state(body: dict[str, Any], shop_id: int) -> dict[str, Any]:
    """Close a shop for good, or open it again."""
    with transaction() as session:
        set_shop_state(
            session,
            actor=current_actor(),
            shop_id=shop_id,
            state=body["state"],
            now=clock.now(),
        )
    return shown(shop_id)


@api.get("/shops/<id:shop_id>/till-code")
@api.response(200, TillCodeOut)
@roles_only(*VIEWERS)
def show_till_code(shop_id: int) -> dict[str, Any]:
    """Answer the code that stands at a shop's till."""
    with reading() as session:
        return till_code_out(shop_to_see(session, current_actor(), shop_id))


@api.post("/shops/<id:shop_id>/till-code")
@api.response(201, TillCodeOut)
@roles_only(*KEEPERS)
def new_till_code(shop_id: int) -> dict[str, Any]:
    """Give a till a new code; the one before is good no more."""
    with transaction() as session:
        renew_till_code(
            session,
            actor=current_actor(),
            shop_id=shop_id,
            handle=draw_bytes(TILL_HANDLE_BYTES),
            now=clock.now(),
        )
        return till_code_out(shop_of(session, shop_id))


def till_code_out(shop: ShopLine) -> dict[str, str]:
    """Return the code at a shop's till, bare and as its URL."""
    text = till_text(settings().secret_key, shop.till_handle)
    return {"code": text, "url": url_of(settings().public_url, Purpose.TILL, text)}


def shown(shop_id: int) -> dict[str, Any]:
    """Return a shop as it stands after a change."""
    with reading() as session:
        return shop_out(shop_of(session, shop_id), clock.now(), settings().zone)
