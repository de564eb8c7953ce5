"""Orders: points and pieces set aside, handed over, called off or over, each once."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.errors import Refusal
from pointsbank.core.keys import draw_number
from pointsbank.jobs.table import job_named
from pointsbank.ledger.errors import NotEnoughPoints
from pointsbank.ledger.holding import expire_holds
from pointsbank.ledger.queries import balance_of, book_lines
from pointsbank.ledger.verifying import offenders
from pointsbank.rewards.delivering import Handing, deliver_order, redeem_voucher
from pointsbank.rewards.errors import (
    LentNotSold,
    LimitReached,
    MerchantStopped,
    NotForOneself,
    OutOfStock,
    RewardNotFound,
    TooManyPoints,
)
from pointsbank.rewards.ordering import (
    COUNTER_MINUTES,
    HOLD_SLACK,
    VOUCHER_DAYS,
    NewOrder,
    Ordered,
    cancel_order,
    expire_next_order,
    order_at_counter,
    order_reward,
)
from pointsbank.rewards.orders_errors import (
    AlreadyRedeemed,
    FewerOrdered,
    OrderCancelled,
    OrderNotFound,
    ShopElsewhere,
    VoucherExpired,
    VoucherNeeded,
    VoucherNotFound,
)
from pointsbank.rewards.orders_queries import open_orders, order_of, orders_of_member
from pointsbank.rewards.queries import had_by, redemption_of, reward_of
from pointsbank.rewards.vouchers import voucher_code
from tests.builders import a_member, a_merchant, a_reward, with_points, with_role
from tests.merchants.partners import a_shop
from tests.moments import NOON
from tests.rewards.traces import everything

ZONE = ZoneInfo("Asia/Shanghai")
WEEK_LATER = NOON + timedelta(days=VOUCHER_DAYS)
LAST_MOMENT = WEEK_LATER - timedelta(seconds=1)
SPENT_1941 = """
    INSERT INTO spent_by_day (member_id, day, points) SELECT id, '2026-11-21', 1941 FROM member
"""


TAKEN = text(
    """
    SELECT COALESCE(SUM(CASE WHEN transfer.target_id = shop.id THEN points ELSE -points END), 0)
    FROM transfer JOIN account AS shop ON shop.code = 'merchant:' || :merchant_id
    WHERE shop.id IN (transfer.source_id, transfer.target_id)
    """
)


def someone(member_id: int, *grants: Grant) -> Actor:
    return Actor(member_id, "某人", 1, 1, grants)


def clerk_of(counter) -> Actor:
    return someone(counter.clerk_id, Grant("clerk", None, counter.merchant_id))


def ordering(counter, session, quantity=1, **changes) -> Ordered:
    """Order as the counter's member, at noon."""
    new = NewOrder(counter.reward_id, quantity, counter.member_id, draw_number(14))
    return order_reward(
        session,
        replace(new, **changes),
        secret=counter.secret,
        today=NOON.date(),
        now=NOON,
    )


def code_of(counter, ordered: Ordered) -> str:
    return voucher_code(counter.secret, ordered.number)


def handing(counter, now=NOON, **changes) -> Handing:
    return Handing(clerk_of(counter), draw_number(14), now.date(), now, **changes)


def redeeming(counter, session, ordered: Ordered, now=NOON, **changes):
    return redeem_voucher(
        session,
        handing(counter, now, **changes),
        code=code_of(counter, ordered),
        secret=counter.secret,
    )


def counted(session, counter, reward_id=None) -> tuple[int | None, int, int]:
    """Return stock, share, and what days counted."""
    reward_id = reward_id or counter.reward_id
    day = session.scalar(text("SELECT COALESCE(SUM(points), 0) FROM spent_by_day"))
    return (
        reward_of(session, reward_id).stock,
        had_by(session, reward_id, counter.member_id),
        day,
    )


def balances(session, counter) -> tuple[int, int, int]:
    """Return what the member has and can spend, and what the shop took."""
    mine = balance_of(session, f"member:{counter.member_id}")
    return mine.posted, mine.available, session.execute(TAKEN, vars(counter)).scalar_one()


@pytest.fixture
def ordered(counter, writing) -> Ordered:
    """Three bottles at 20 of 100 points, with a voucher."""
    with writing() as session:
        return ordering(counter, session, quantity=3)


def test_an_order_sets_points_and_pieces_aside(counter, writing, ordered):
    assert (ordered.points, ordered.expires_at) == (60, WEEK_LATER)
    with writing() as session:
        assert balances(session, counter) == (100, 40, 0)
        assert counted(session, counter) == (7, 3, 0)
        kept = order_of(session, ordered.id)
        assert (kept.state, kept.way, kept.left) == ("reserved", "voucher", 3)
        assert orders_of_member(session, counter.member_id) == [kept]
        assert offenders(session) == []


def test_a_voucher_stands_in_no_table(counter, writing, ordered):
    code = code_of(counter, ordered)
    with writing() as session:
        row = session.execute(text("SELECT * FROM reward_order")).one()
        assert code not in repr(row)
        assert code not in repr(everything(session))
    assert len(code) == 12
    assert voucher_code("another secret", ordered.number) != code


@pytest.mark.parametrize(
    "spell",
    [
        str,
        str.lower,
        lambda code: f" {code[:4]}-{code[4:8]}-{code[8:]} ",
        lambda code: " ".join(code),
        lambda code: code.replace("0", "O").replace("1", "l"),
        lambda code: f"HTTPS://POINTS.EXAMPLE/V/{code}",
    ],
)
def test_a_code_is_read_in_any_spelling(counter, writing, ordered, spell):
    with writing() as session:
        done = redeem_voucher(
            session,
            handing(counter),
            code=spell(code_of(counter, ordered)),
            secret=counter.secret,
        )
        assert done.order.state == "delivered"


def test_a_voucher_is_paid_with_what_was_held(counter, writing, ordered):
    with writing() as session:
        done = redeeming(counter, session, ordered, LAST_MOMENT)
        line = done.redemption
        assert (line.state, line.way, line.points, line.quantity) == (
            "completed",
            "voucher",
            60,
            3,
        )
        assert line.balance_after == 40
    with writing() as session:
        assert balances(session, counter) == (40, 40, 60)
        assert counted(session, counter) == (7, 3, 60)
        booked = book_lines(session, f"member:{counter.member_id}")[0]
        assert (booked.points, booked.key) == (-60, f"redeem:{line.number}")
        assert order_of(session, ordered.id).decided_at == LAST_MOMENT
        assert offenders(session) == []


def test_a_voucher_is_redeemed_once(counter, writing, ordered):
    with writing() as session:
        redeeming(counter, session, ordered)
    with writing() as session:
        before = everything(session)
    with pytest.raises(AlreadyRedeemed), writing() as session:
        redeeming(counter, session, ordered)
    with pytest.raises(AlreadyRedeemed), writing() as session:
        redeeming(counter, session, ordered, quantity=1)
    with pytest.raises(AlreadyRedeemed), writing() as session:
        cancel_order(session, order_id=ordered.id, actor=someone(counter.member_id), now=NOON)
    with writing() as session:
        assert not expire_next_order(session, now=WEEK_LATER)
        assert everything(session) == before


def test_parts_are_paid_one_by_one(counter, writing, ordered):
    for quantity, left in ((1, 2), (1, 1), (None, 0)):
        with writing() as session:
            done = redeeming(counter, session, ordered, quantity=quantity)
            assert (done.redemption.points, done.order.left) == (20, left)
            assert done.order.state == ("reserved" if left else "delivered")
        with writing() as session:
            posted = 40 + 20 * left
            assert balances(session, counter) == (posted, 40, 100 - posted)
            assert counted(session, counter) == (7, 3, 100 - posted)
            assert offenders(session) == []
    assert counter.points() == 40


def test_no_more_is_handed_over_than_is_left(counter, writing, ordered):
    with writing() as session:
        redeeming(counter, session, ordered, quantity=2)
    with pytest.raises(FewerOrdered) as refused, writing() as session:
        redeeming(counter, session, ordered, quantity=2)
    assert refused.value.facts == {"left": 1}


def test_what_was_not_fetched_returns_by_itself(counter, writing, ordered):
    with writing() as session:
        redeeming(counter, session, ordered, quantity=1)
    with writing() as session:
        assert not expire_next_order(session, now=LAST_MOMENT)
        assert expire_next_order(session, now=WEEK_LATER)
        assert not expire_next_order(session, now=WEEK_LATER)
    with writing() as session:
        assert order_of(session, ordered.id).state == "expired"
        assert balances(session, counter) == (80, 80, 20)
        assert counted(session, counter) == (9, 1, 20)
        assert session.scalar(text("SELECT COUNT(*) FROM hold WHERE state = 'open'")) == 0
        assert offenders(session) == []


def test_a_voucher_is_over_at_its_last_moment_whoever_looked(counter, writing, ordered):
    for _ in range(2):
        with pytest.raises(VoucherExpired), writing() as session:
            redeeming(counter, session, ordered, WEEK_LATER)
        with writing() as session:
            assert order_of(session, ordered.id).state_at(WEEK_LATER) == "expired"
            assert open_orders(session, counter.merchant_id, now=WEEK_LATER) == []
            expire_next_order(session, now=WEEK_LATER)


@pytest.mark.parametrize("job", ["expiry", "orders"])
def test_both_jobs_return_what_was_not_fetched(counter, writing, ordered, job):
    work = job_named(job).work
    with writing() as session:
        early = work(session, "2026-11-21", ZONE, LAST_MOMENT)
        assert early.is_last
        assert balances(session, counter) == (100, 40, 0)
    with writing() as session:
        step = work(session, "2026-11-21", ZONE, WEEK_LATER)
        assert (step.count, step.is_last) == (1, False)
        assert order_of(session, ordered.id).state == "expired"
        assert balances(session, counter) == (100, 100, 0)
        assert work(session, "2026-11-21", ZONE, WEEK_LATER).is_last


def test_the_nights_expiry_of_holds_leaves_an_order_alone(counter, writing, ordered):
    """Were its hold to end alone, its points would be free and its pieces set aside."""
    with writing() as session:
        assert expire_holds(session, now=WEEK_LATER) == 0
    with writing() as session:
        # Nobody looked for days: the points are free, and the pieces follow.
        assert expire_holds(session, now=WEEK_LATER + HOLD_SLACK) == 1
        assert expire_next_order(session, now=WEEK_LATER + HOLD_SLACK)
        assert balances(session, counter) == (100, 100, 0)
        assert counted(session, counter) == (10, 0, 0)
        assert offenders(session) == []


def test_an_order_ends_with_its_reward(counter, writing):
    with writing() as session:
        until = NOON + timedelta(days=2)
        soon_over = a_reward(session, counter.merchant_id, valid_until=until)
        assert ordering(counter, session, reward_id=soon_over).expires_at == until


@pytest.mark.parametrize("who", ["member", "clerk"])
def test_what_is_called_off_returns_once(counter, writing, ordered, who):
    actor = someone(counter.member_id) if who == "member" else clerk_of(counter)
    for _ in range(2):
        with writing() as session:
            line = cancel_order(session, order_id=ordered.id, actor=actor, now=NOON)
            assert line.state == "cancelled"
    with writing() as session:
        assert balances(session, counter) == (100, 100, 0)
        assert counted(session, counter) == (10, 0, 0)
        assert offenders(session) == []
    with pytest.raises(OrderCancelled), writing() as session:
        redeeming(counter, session, ordered)


def test_a_stranger_finds_no_order(counter, writing, ordered):
    with writing() as session:
        elsewhere = a_merchant(session, "别家店")
        foreign = someone(a_member(session), Grant("clerk", None, elsewhere))
        stranger = someone(a_member(session, "张伟"))
    for actor in (foreign, stranger):
        with pytest.raises(OrderNotFound), writing() as session:
            cancel_order(session, order_id=ordered.id, actor=actor, now=NOON)
        with pytest.raises(VoucherNotFound), writing() as session:
            redeem_voucher(
                session,
                Handing(actor, draw_number(14), NOON.date(), NOON),
                code=code_of(counter, ordered),
                secret=counter.secret,
            )


@pytest.mark.parametrize("code", ["", "7", "U" * 12, "0" * 12, "钥匙", "0" * 500])
def test_a_code_that_is_none_is_not_found(counter, writing, ordered, code):
    with pytest.raises(VoucherNotFound), writing() as session:
        redeem_voucher(session, handing(counter), code=code, secret=counter.secret)


def test_nobody_hands_their_own_order_over(counter, writing):
    with writing() as session:
        with_role(session, counter.member_id, "clerk", None, counter.merchant_id)
        ordered = ordering(counter, session)
    own = someone(counter.member_id, Grant("clerk", None, counter.merchant_id))
    with pytest.raises(NotForOneself), writing() as session:
        redeem_voucher(
            session,
            Handing(own, draw_number(14), NOON.date(), NOON),
            code=code_of(counter, ordered),
            secret=counter.secret,
        )


@pytest.mark.parametrize(
    ("changes", "reward", "refusal"),
    [
        ({"quantity": 6}, {}, NotEnoughPoints),
        ({"quantity": 11}, {}, OutOfStock),
        ({"reward_id": 10**9}, {}, RewardNotFound),
        ({"quantity": 2}, {"limit_per_member": 1}, LimitReached),
        ({"quantity": 3}, {"points": 1000}, TooManyPoints),
        ({}, {"kind": "loan", "loan_days": 7}, LentNotSold),
        ({}, {"is_draft": True}, Refusal),
    ],
    ids=str,
)
def test_a_refused_order_leaves_nothing(counter, writing, changes, reward, refusal):
    with writing() as session:
        other = a_reward(session, counter.merchant_id, **reward)
    with writing() as session:
        before = everything(session)
    with pytest.raises(refusal), writing() as session:
        ordering(counter, session, **{"reward_id": other, **changes})
    with writing() as session:
        assert everything(session) == before
        assert session.scalar(text("SELECT COUNT(*) FROM reward_order")) == 0


def test_a_merchant_that_stopped_hands_nothing_over(counter, writing, ordered):
    with writing() as session:
        session.execute(text("UPDATE merchant SET state = 'suspended'"))
    with pytest.raises(MerchantStopped), writing() as session:
        redeeming(counter, session, ordered)
    with writing() as session:
        assert expire_next_order(session, now=WEEK_LATER)
        assert balances(session, counter) == (100, 100, 0)


@pytest.mark.parametrize(
    ("bound", "code"),
    [
        ("UPDATE merchant SET month_points_max = 59", "month_full"),
        (
            SPENT_1941,
            "day_full",
        ),
    ],
)
def test_what_is_handed_over_counts_in_its_day_and_month(
    counter, writing, ordered, bound, code
):
    with writing() as session:
        session.execute(text(bound))
        before = everything(session)
    with pytest.raises(Refusal) as refused, writing() as session:
        redeeming(counter, session, ordered)
    assert refused.value.code == code
    with writing() as session:
        assert everything(session) == before
        # Some of it fits.
        assert redeeming(counter, session, ordered, quantity=2).order.left == 1


def test_a_void_of_what_was_handed_over_returns_it_once(counter, writing, ordered):
    with writing() as session:
        first = redeeming(counter, session, ordered, quantity=2).redemption
    with writing() as session:
        counter.void(session, first.id)
    with writing() as session:
        assert redemption_of(session, first.id).state == "voided"
        assert balances(session, counter) == (100, 80, 0)
        assert counted(session, counter) == (9, 1, 0)
        assert order_of(session, ordered.id).left == 1
        assert offenders(session) == []


@pytest.fixture
def at_till(counter, writing):
    """One bottle ordered at the shop's till, and the shop."""
    with writing() as session:
        shop_id = a_shop(session, counter.merchant_id)
        new = NewOrder(counter.reward_id, 1, counter.member_id, draw_number(14))
        return order_at_counter(
            session, new, shop_id=shop_id, word="4711", today=NOON.date(), now=NOON
        ), shop_id


def test_an_order_at_the_till_is_handed_over_there(counter, writing, at_till):
    ordered, shop_id = at_till
    assert ordered.expires_at == NOON + timedelta(minutes=COUNTER_MINUTES)
    with writing() as session:
        [waiting] = open_orders(session, counter.merchant_id, now=NOON, way="counter")
        assert (waiting.id, waiting.word, waiting.shop_id) == (ordered.id, "4711", shop_id)
        assert open_orders(session, counter.merchant_id, now=NOON, way="voucher") == []
        done = deliver_order(session, handing(counter), order_id=ordered.id)
        assert (done.redemption.way, done.redemption.points) == ("counter", 20)
        assert session.scalar(text("SELECT shop_id FROM redemption")) == shop_id
        assert balances(session, counter) == (80, 80, 20)
        assert offenders(session) == []


def test_an_order_at_the_till_is_soon_over(counter, writing, at_till):
    ordered, _ = at_till
    over = NOON + timedelta(minutes=COUNTER_MINUTES)
    with pytest.raises(VoucherExpired), writing() as session:
        deliver_order(session, handing(counter, over), order_id=ordered.id)
    with writing() as session:
        assert expire_next_order(session, now=over)
        assert balances(session, counter) == (100, 100, 0)
        assert counted(session, counter) == (10, 0, 0)


def test_a_till_hands_over_its_own_orders_only(counter, writing, ordered, at_till):
    at_the_till, _ = at_till
    with writing() as session:
        elsewhere = a_merchant(session, "别家店")
        foreign = someone(a_member(session), Grant("clerk", None, elsewhere))
        shop_elsewhere = a_shop(session, elsewhere)
    with pytest.raises(VoucherNeeded), writing() as session:
        deliver_order(session, handing(counter), order_id=ordered.id)
    with pytest.raises(OrderNotFound), writing() as session:
        deliver_order(
            session,
            Handing(foreign, draw_number(14), NOON.date(), NOON),
            order_id=at_the_till.id,
        )
    new = NewOrder(counter.reward_id, 1, counter.member_id, draw_number(14))
    with pytest.raises(ShopElsewhere), writing() as session:
        order_at_counter(
            session, new, shop_id=shop_elsewhere, word="0000", today=NOON.date(), now=NOON
        )


def test_points_are_ordered_at_a_till_only(counter, writing, at_till):
    _, shop_id = at_till
    with writing() as session:
        with_points(session, counter.member_id, 100)
        by_points = session.scalar(
            text(
                "INSERT INTO reward (merchant_id, name, kind, category, description, points,"
                " limit_period, weekdays, monthdays, stars_min, state, offered_at)"
                " SELECT merchant_id, '按积分', 'by_points', 'other', '', 1, 'ever', 0, 0, 0,"
                " 'offered', offered_at FROM reward WHERE id = :id RETURNING id"
            ),
            {"id": counter.reward_id},
        )
    with pytest.raises(RewardNotFound), writing() as session:
        ordering(counter, session, reward_id=by_points)
    new = NewOrder(by_points, 35, counter.member_id, draw_number(14))
    with writing() as session:
        made = order_at_counter(
            session, new, shop_id=shop_id, word="0000", today=NOON.date(), now=NOON
        )
        assert made.points == 35
