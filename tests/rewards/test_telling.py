"""People hear once that a voucher runs out, its shop stopped, or it was called off."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from pointsbank.core import clock
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.keys import draw_number
from pointsbank.jobs.reminding import remind
from pointsbank.jobs.table import job_named
from pointsbank.ledger.verifying import offenders
from pointsbank.rewards.ordering import (
    VOUCHER_DAYS,
    NewOrder,
    cancel_order,
    order_at_counter,
    order_reward,
)
from pointsbank.rewards.telling import tell_of_stopped, tell_of_vouchers
from pointsbank.rewards.vouchers import voucher_code
from tests.browsing import Browser, words_of
from tests.merchants.partners import a_shop
from tests.moments import NOON

ZONE = ZoneInfo("Asia/Shanghai")
ENOUGH = 100
STOP = "UPDATE merchant SET state = 'suspended', stopped_reason = '盘点'"
RETURN = "UPDATE merchant SET state = 'active', stopped_reason = NULL"


@pytest.fixture
def order(counter, writing):
    """Set a piece aside at noon."""

    def act(now=NOON) -> int:
        new = NewOrder(counter.reward_id, 1, counter.member_id, draw_number(14))
        with writing() as session:
            return order_reward(
                session, new, secret=counter.secret, today=now.date(), now=now
            ).id

    return act


@pytest.fixture
def told(writing):
    """Return the kinds of the messages there are, in the order they were told."""

    def act() -> list[str]:
        with writing() as session:
            return list(session.scalars(text("SELECT kind FROM message ORDER BY id")))

    return act


def ending(writing, now, limit=ENOUGH) -> int:
    with writing() as session:
        return tell_of_vouchers(session, now=now, zone=ZONE, limit=limit)


def stopped(writing, now=NOON, limit=ENOUGH) -> int:
    with writing() as session:
        return tell_of_stopped(session, today=now.date(), now=now, limit=limit)


def execute(writing, statement) -> None:
    with writing() as session:
        session.execute(text(statement))


def test_a_voucher_is_told_of_on_the_day_before_its_last_and_once(order, writing, told):
    order()
    days = [
        day for day in range(VOUCHER_DAYS + 2) if ending(writing, NOON + timedelta(days=day))
    ]
    assert days == [VOUCHER_DAYS - 1]
    assert told() == ["voucher_ends"]


def test_a_missed_morning_is_made_good_while_there_is_time(order, writing, told):
    order()
    last_morning = NOON + timedelta(days=VOUCHER_DAYS, hours=-4)
    assert ending(writing, last_morning) == 1
    order(NOON + timedelta(days=1))
    late = NOON + timedelta(days=VOUCHER_DAYS + 1)
    assert ending(writing, late) == 0, "what is over is not told of"


def test_what_was_fetched_or_called_off_is_not_told_of(counter, order, writing):
    fetched, called_off = order(), order()
    execute(
        writing,
        "UPDATE reward_order SET state = 'delivered', delivered = 1, decided_at = ordered_at"
        f" WHERE id = {fetched}",
    )
    with writing() as session:
        owner = Actor(counter.member_id, "王秀兰", 1, 1, ())
        cancel_order(session, order_id=called_off, actor=owner, now=NOON)
    assert ending(writing, NOON + timedelta(days=VOUCHER_DAYS - 1)) == 0


def test_many_are_told_in_small_batches_each_once(order, writing, told):
    for _ in range(3):
        order()
    day_before = NOON + timedelta(days=VOUCHER_DAYS - 1)
    assert [ending(writing, day_before, limit=2) for _ in range(3)] == [2, 1, 0]
    assert told() == ["voucher_ends"] * 3


def test_the_job_reminds_and_the_inbox_says_it_in_both_languages(
    counter, order, writing, client
):
    order()
    with writing() as session:
        remind(session, NOON + timedelta(days=VOUCHER_DAYS - 1), ZONE)
    headers = counter.headers(counter.member_id)
    for language, said in (("zh", "保留到"), ("en", "is set aside for you until")):
        answer = client.get(
            "/api/v1/me/messages", headers={**headers, "Accept-Language": language}
        )
        items = answer.get_json()["items"]
        (item,) = (each for each in items if each["kind"] == "voucher_ends")
        assert said in item["sentence"]
        assert "洗洁精一瓶" in item["sentence"]
        assert item["href"] == "/orders/1"


def test_who_ordered_hears_that_the_shop_stopped_once(order, writing, told):
    order()
    assert stopped(writing) == 0
    execute(writing, STOP)
    assert [stopped(writing) for _ in range(2)] == [1, 0]
    assert told() == ["order_stopped"]
    # As long as it is stopped, running out is no news of its own; once it returned it is.
    day_before = NOON + timedelta(days=VOUCHER_DAYS - 1)
    assert ending(writing, day_before) == 0
    execute(writing, RETURN)
    assert ending(writing, day_before) == 1
    assert told() == ["order_stopped", "voucher_ends"]


def test_a_contract_that_is_over_stops_a_shop_as_well(order, writing, told):
    order()
    execute(writing, f"UPDATE merchant SET takes_until = '{NOON.date().isoformat()}'")
    assert stopped(writing) == 0, "its last day is still one"
    assert stopped(writing, NOON + timedelta(days=1)) == 1


def test_the_job_of_orders_tells_and_ends_them(counter, order, writing, told):
    order()
    execute(writing, STOP)
    job = job_named("orders")
    for now, count in ((NOON, 1), (NOON, 0), (NOON + timedelta(days=VOUCHER_DAYS), 1)):
        with writing() as session:
            assert job.work(session, job.period_now(now, ZONE), ZONE, now).count == count
    assert told() == ["order_stopped"]
    assert counter.points() == 100
    with writing() as session:
        assert offenders(session) == []


def test_an_order_at_a_stopped_shop_says_so_and_can_be_called_off(
    counter, order, writing, client
):
    order_id = order(clock.now())
    member = Browser(counter.app, counter.member_id)
    said = "这家店现在不收积分"
    assert said not in words_of(member.open(f"/orders/{order_id}"))
    execute(writing, STOP)
    page = member.open(f"/orders/{order_id}")
    assert said in words_of(page)
    headers = counter.headers(counter.member_id)
    line = client.get(f"/api/v1/orders/{order_id}", headers=headers).get_json()
    assert (line["state"], line["merchant_stopped"]) == ("reserved", True)
    member.send(member.form(page, "/cancellation"))
    assert counter.points() == 100
    assert said not in words_of(member.open(f"/orders/{order_id}"))


def test_a_counter_that_stopped_offers_to_call_off_and_nothing_else(counter, order, writing):
    number = order_number(writing, order(clock.now()))
    clerk = Browser(counter.app, counter.clerk_id)
    execute(writing, STOP)
    till = clerk.open(f"/till/{counter.merchant_id}?way=reward")
    assert "这家店现在不收积分" in words_of(till)
    assert "洗洁精一瓶" not in words_of(till)
    voucher = clerk.send(clerk.form(till, "/look"), code=voucher_code(counter.secret, number))
    assert "这家店现在不收积分" in words_of(voucher)
    assert "/handing" not in voucher.text
    clerk.send(clerk.form(voucher, "/cancellation"))
    assert counter.points() == 100


def test_an_order_at_the_till_says_so_too(counter, writing):
    with writing() as session:
        order_id = order_at_counter(
            session,
            NewOrder(counter.reward_id, 1, counter.member_id, draw_number(14)),
            shop_id=a_shop(session, counter.merchant_id, "总店"),
            word="4711",
            today=clock.now().date(),
            now=clock.now(),
        ).id
    execute(writing, STOP)
    page = Browser(counter.app, counter.member_id).open(f"/at-till/{order_id}")
    assert "这家店现在不收积分" in words_of(page)
    assert "/cancellation" in page.text
    assert stopped(writing, clock.now()) == 0, "they stand at the till and see it there"


def order_number(writing, order_id) -> str:
    with writing() as session:
        return session.scalars(
            text(f"SELECT number FROM reward_order WHERE id = {order_id}")
        ).one()


def test_a_member_hears_that_the_counter_called_the_order_off(counter, order, writing, told):
    order_id = order()
    clerk = Actor(
        counter.clerk_id, "李建军", 1, 1, (Grant("clerk", None, counter.merchant_id),)
    )
    for _ in range(2):
        with writing() as session:
            cancel_order(session, order_id=order_id, actor=clerk, now=NOON)
    assert told() == ["order_called_off"]
    assert counter.points() == 100
