"""The code at a till leads to its shop, and to no other; nothing else passes for it."""

import pytest

from pointsbank.core.codes import Purpose, read_code, seal, url_of
from pointsbank.core.keys import base32
from pointsbank.members.codes import card_key, card_text
from pointsbank.members.errors import ForgedCode, NotOurCode
from pointsbank.merchants.errors import NotATill, ShopClosed, TillCodeReplaced
from pointsbank.merchants.queries import shop_of, shops_of
from pointsbank.merchants.shops import renew_till_code, set_shop_state
from pointsbank.merchants.tills import shop_of_till, till_key, till_text
from tests.builders import a_merchant
from tests.merchants.partners import a_shop, an_administrator
from tests.moments import NOON

SECRET = "a secret of at least thirty-two characters"


@pytest.fixture
def shop(session):
    """A shop beside another of its merchant."""
    merchant_id = a_merchant(session)
    a_shop(session, merchant_id, "分店")
    return shop_of(session, a_shop(session, merchant_id))


def test_a_code_leads_to_its_shop_in_every_spelling(session, shop):
    text = till_text(SECRET, shop.till_handle)
    url = url_of("https://jf.example.cn", Purpose.TILL, text)
    assert url == f"HTTPS://JF.EXAMPLE.CN/T/{text}"
    for spelled in (text, text.lower(), f" {url} ", url.lower()):
        assert shop_of_till(session, spelled, SECRET) == shop
    assert len(shop.hours) == 7


def test_every_changed_bit_is_noticed(session, shop):
    code = read_code(till_text(SECRET, shop.till_handle))
    whole = code.header + code.body + code.mac
    for bit in range(len(whole) * 8):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises((NotOurCode, NotATill, ForgedCode)):
            shop_of_till(session, base32(bytes(changed)), SECRET)


def test_other_codes_and_keys_do_not_pass(session, shop):
    with pytest.raises(NotATill):
        shop_of_till(session, card_text(SECRET, bytes(10)), SECRET)
    for key in (card_key(SECRET), till_key(SECRET + "!")):
        with pytest.raises(ForgedCode):
            shop_of_till(session, seal(Purpose.TILL, shop.till_handle, key), SECRET)
    for text in ("", "码", "https://x/T/", "7" * 18):
        with pytest.raises(NotOurCode):
            shop_of_till(session, text, SECRET)


def test_a_replaced_code_and_a_closed_shop_are_told_apart(session, shop):
    actor, old = an_administrator(session), till_text(SECRET, shop.till_handle)
    renew_till_code(session, actor=actor, shop_id=shop.id, handle=b"new code", now=NOON)
    with pytest.raises(TillCodeReplaced):
        shop_of_till(session, old, SECRET)
    new = till_text(SECRET, b"new code")
    assert shop_of_till(session, new, SECRET).id == shop.id
    set_shop_state(session, actor=actor, shop_id=shop.id, state="closed", now=NOON)
    with pytest.raises(ShopClosed):
        shop_of_till(session, new, SECRET)
    assert [each.name for each in shops_of(session, shop.merchant_id)] == ["分店", "总店"]
    assert len(shops_of(session, shop.merchant_id, is_open_only=True)) == 1
