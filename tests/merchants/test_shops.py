"""Shops: who keeps them, what is refused, and that changes are whole."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from pointsbank.core.audit import AuditEntry
from pointsbank.core.keys import draw_bytes
from pointsbank.merchants import shops
from pointsbank.merchants.errors import (
    BadHours,
    PositionIncomplete,
    ShopNameTaken,
    ShopNotFound,
    TooManyShops,
)
from pointsbank.merchants.models import TILL_HANDLE_BYTES, Hours
from pointsbank.merchants.queries import shop_of, shops_of
from pointsbank.merchants.shops import ShopFacts, add_shop, change_shop, set_shop_state
from pointsbank.organizations.errors import MerchantNotFound
from tests.builders import a_merchant
from tests.merchants.partners import DAILY, a_clerk, a_shop, an_administrator
from tests.moments import NOON

FACTS = ShopFacts("二店", "东街 5 号", "0353-1234567", 37.86, 113.58)


@pytest.fixture
def merchant_id(session):
    return a_merchant(session)


def added(session, actor, merchant_id, facts=FACTS, hours=DAILY):
    return add_shop(
        session,
        actor=actor,
        merchant_id=merchant_id,
        facts=facts,
        hours=hours,
        handle=draw_bytes(TILL_HANDLE_BYTES),
        now=NOON,
    )


def test_a_clerk_adds_a_shop(session, merchant_id):
    actor = a_clerk(session, merchant_id)
    shop = shop_of(session, added(session, actor, merchant_id))
    said = (shop.name, shop.address, shop.telephone, shop.latitude, shop.longitude)
    assert said == tuple(vars(FACTS).values())
    assert (shop.state, shop.hours) == ("open", DAILY)
    assert session.scalars(select(AuditEntry.action)).all()[-1] == "add_shop"


def test_nobody_reaches_a_foreign_merchants_shops(session, merchant_id):
    other = a_clerk(session, a_merchant(session, "利民理发店"))
    shop_id = a_shop(session, merchant_id)
    with pytest.raises(MerchantNotFound):
        added(session, other, merchant_id)
    for act in (
        lambda: change_shop(
            session, actor=other, shop_id=shop_id, facts=FACTS, hours=(), now=NOON
        ),
        lambda: set_shop_state(session, actor=other, shop_id=shop_id, state="closed", now=NOON),
        lambda: shops.renew_till_code(
            session, actor=other, shop_id=shop_id, handle=bytes(8), now=NOON
        ),
    ):
        with pytest.raises(ShopNotFound):
            act()


@pytest.mark.parametrize(
    ("facts", "hours", "refusal"),
    [
        (replace(FACTS, name="总店"), (), ShopNameTaken),
        (replace(FACTS, latitude=None), (), PositionIncomplete),
        (FACTS, (Hours(0, 60, 0),), BadHours),
    ],
)
def test_what_is_wrong_with_a_shop(session, merchant_id, facts, hours, refusal):
    actor = an_administrator(session)
    shop_id = a_shop(session, merchant_id, "三店")
    a_shop(session, merchant_id, "总店")
    before = shop_of(session, shop_id)
    with pytest.raises(refusal):
        added(session, actor, merchant_id, facts, hours)
    with pytest.raises(refusal):
        change_shop(session, actor=actor, shop_id=shop_id, facts=facts, hours=hours, now=NOON)
    assert shop_of(session, shop_id) == before
    assert len(shops_of(session, merchant_id)) == 2


def test_another_merchant_may_have_a_shop_of_that_name(session, merchant_id):
    a_shop(session, merchant_id)
    assert a_shop(session, a_merchant(session)) > 0


def test_a_change_replaces_the_hours_and_keeps_the_tills_code(session, merchant_id):
    actor = a_clerk(session, merchant_id)
    shop_id = a_shop(session, merchant_id)
    handle = shop_of(session, shop_id).till_handle
    hours = (Hours(6, 0, 1440),)
    change_shop(session, actor=actor, shop_id=shop_id, facts=FACTS, hours=hours, now=NOON)
    shop = shop_of(session, shop_id)
    assert (shop.name, shop.hours, shop.till_handle) == ("二店", hours, handle)
    change_shop(session, actor=actor, shop_id=shop_id, facts=FACTS, hours=(), now=NOON)
    assert shop_of(session, shop_id).hours == ()


def test_a_shop_is_closed_once_and_opened_again(session, merchant_id):
    actor, shop_id = a_clerk(session, merchant_id), a_shop(session, merchant_id)
    for state in ("closed", "closed", "open"):
        set_shop_state(session, actor=actor, shop_id=shop_id, state=state, now=NOON)
        assert shop_of(session, shop_id).state == state
    notes = session.scalars(
        select(AuditEntry.facts).where(AuditEntry.action == "set_shop_state")
    )
    assert [facts["state"] for facts in notes] == ["closed", "open"]


def test_a_merchant_has_so_many_shops_and_no_more(session, merchant_id, monkeypatch):
    monkeypatch.setattr(shops, "SHOPS_MAX", 2)
    for name in ("一店", "二店"):
        a_shop(session, merchant_id, name)
    with pytest.raises(TooManyShops):
        a_shop(session, merchant_id, "三店")
