"""Tools on loan: a deposit held, given back or settled, once; people reminded."""

import threading
from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from pointsbank.core.db import reading, run, transaction
from pointsbank.core.errors import Refusal
from pointsbank.core.keys import draw_number, draw_token
from pointsbank.ledger.queries import book_lines
from pointsbank.ledger.verifying import offenders
from pointsbank.rewards import lending
from pointsbank.rewards.errors import LimitReached, NotForOneself, OutOfStock, RewardNotFound
from pointsbank.rewards.guarding import HAS_STOCK
from pointsbank.rewards.lending import Ending, end_loan, lend_tool
from pointsbank.rewards.loans_errors import (
    ChargeTooHigh,
    ChargeUnfounded,
    LoanEnded,
    LoanNotFound,
)
from pointsbank.rewards.loans_queries import LoanLine, loan_of, loans_of_member, loans_out
from pointsbank.rewards.queries import reward_of
from pointsbank.rewards.recalling import tell_of_loans
from tests.browsing import Browser, words_of
from tests.builders import a_member, a_merchant, a_reward, with_points, with_role
from tests.moments import NOON
from tests.racing import MEET_SECONDS_MAX, after_looking, forget_guard, race
from tests.rewards.test_orders import balances, clerk_of, counted, someone
from tests.rewards.traces import everything

DAYS = 7
ZONE = ZoneInfo("Asia/Shanghai")
BACK = Ending("returned")
BROKEN = Ending("damaged", 25, "钻头断了")


@pytest.fixture
def drill(counter, writing) -> int:
    """Two drills, lent for a week against 60 points, one a person."""
    with writing() as session:
        return a_reward(
            session,
            counter.merchant_id,
            "电钻",
            60,
            2,
            kind="loan",
            loan_days=DAYS,
            limit_per_member=1,
        )


@pytest.fixture
def lend(counter, writing, drill):
    """Lend a drill as the clerk at noon."""

    def act(**changes) -> LoanLine:
        asked = {"code": counter.code(now=NOON), "reward_id": drill, **changes}
        with writing() as session:
            return lend_tool(
                session,
                counter.order(**asked),
                clerk_id=counter.clerk_id,
                number=draw_number(14),
                secret=counter.secret,
                today=NOON.date(),
                now=NOON,
            )

    return act


def ending(counter, loan: LoanLine, end: Ending):
    """Return a contestant who ends a loan as the clerk."""
    return partial(
        run, partial(end_loan, loan_id=loan.id, ending=end, actor=clerk_of(counter), now=NOON)
    )


def end(counter, loan: LoanLine, how: Ending) -> LoanLine:
    with counter.app.app_context():
        return ending(counter, loan, how)()


def test_a_deposit_is_held_and_nothing_spent(counter, writing, drill, lend):
    loan = lend()
    assert (loan.state, loan.deposit) == ("out", 60)
    assert loan.due_on == NOON.date() + timedelta(days=DAYS)
    with writing() as session:
        assert balances(session, counter) == (100, 40, 0)
        assert counted(session, counter, drill) == (1, 1, 0)
        assert loans_out(session, counter.merchant_id) == [loan]
        assert loans_of_member(session, counter.member_id) == [loan]
        assert offenders(session) == []


def test_what_comes_back_whole_frees_the_deposit_once(counter, writing, drill, lend):
    loan = lend()
    answers = [end(counter, loan, BACK) for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0].state == "returned"
    with writing() as session:
        assert balances(session, counter) == (100, 100, 0)
        assert counted(session, counter, drill) == (2, 0, 0)
        assert loans_out(session, counter.merchant_id) == []
        assert offenders(session) == []
    with pytest.raises(LoanEnded):
        end(counter, loan, BROKEN)


@pytest.mark.parametrize(("state", "charged"), [("damaged", 25), ("lost", 60), ("lost", 0)])
def test_damage_and_loss_are_settled_from_the_deposit(
    counter, writing, drill, lend, state, charged
):
    done = end(counter, lend(), Ending(state, charged, "钻头断了"))
    assert (done.state, done.charged, done.reason) == (state, charged, "钻头断了")
    with writing() as session:
        left = 100 - charged
        assert balances(session, counter) == (left, left, charged)
        # Not on the shelf again before the shop adds it.
        assert counted(session, counter, drill) == (1, 0, 0)
        booked = book_lines(session, f"member:{counter.member_id}")
        kept = [line.reason for line in booked if line.points == -charged and charged]
        assert kept == ["电钻 · 惠民粮油店 · 钻头断了"] * bool(charged)
        assert offenders(session) == []


@pytest.mark.parametrize(
    ("how", "refusal"),
    [
        (Ending("returned", 5, "脏了"), ChargeUnfounded),
        (Ending("damaged", 5), ChargeUnfounded),
        (Ending("lost", 61, "丢了"), ChargeTooHigh),
    ],
)
def test_no_points_are_kept_without_cause(counter, writing, lend, how, refusal):
    loan = lend()
    with writing() as session:
        before = everything(session)
    with pytest.raises(refusal):
        end(counter, loan, how)
    with writing() as session:
        assert everything(session) == before
        assert loan_of(session, loan.id).state == "out"


def test_one_person_has_one_at_home(counter, lend):
    first = lend()
    with pytest.raises(LimitReached):
        lend()
    end(counter, first, BACK)
    assert lend().state == "out"


def test_what_cannot_be_lent_is_refused(counter, writing, drill, lend):
    with pytest.raises(RewardNotFound):
        lend(reward_id=counter.reward_id)
    with writing() as session:
        session.execute(text("UPDATE reward SET stock = 0 WHERE id = :id"), {"id": drill})
    with pytest.raises(OutOfStock):
        lend()
    with writing() as session:
        assert session.scalar(text("SELECT COUNT(*) FROM loan")) == 0
    assert counter.points() == 100


def test_only_the_counter_ends_a_loan_and_nobody_their_own(counter, writing, lend):
    loan = lend()
    with writing() as session:
        elsewhere = a_merchant(session, "别家店")
        foreign = with_role(session, a_member(session), "clerk", None, elsewhere)
        with_role(session, counter.member_id, "clerk", None, counter.merchant_id)
    own = someone(counter.member_id, *clerk_of(counter).grants)
    cases = [(someone(foreign), LoanNotFound), (own, NotForOneself)]
    for actor, refusal in cases:
        with pytest.raises(refusal), writing() as session:
            end_loan(session, loan_id=loan.id, ending=BACK, actor=actor, now=NOON)


@pytest.fixture
def borrowers(counter, writing, drill):
    """Six people with a code each, at a shop with one drill left."""
    with writing() as session:
        session.execute(text("UPDATE reward SET stock = 1 WHERE id = :id"), {"id": drill})
        people = [with_points(session, a_member(session), 100) for _ in range(6)]
    lend = partial(
        lend_tool,
        clerk_id=counter.clerk_id,
        secret=counter.secret,
        today=NOON.date(),
        now=NOON,
    )
    orders = [counter.order(counter.code(each, NOON), reward_id=drill) for each in people]
    return [
        partial(run, partial(lend, order=order, number=draw_number(14))) for order in orders
    ]


def test_the_last_tool_is_lent_to_one_of_six(counter, writing, drill, borrowers):
    answers = race(counter.app, borrowers)
    assert sum(isinstance(answer, LoanLine) for answer in answers) == 1, answers
    assert sum(isinstance(answer, OutOfStock) for answer in answers) == 5, answers
    with writing() as session:
        assert reward_of(session, drill).stock == 0
        assert session.scalar(text("SELECT COUNT(*) FROM hold")) == 1
        assert offenders(session) == []


def test_without_the_guard_the_last_tool_is_kept_by_the_table_alone(
    counter, drill, borrowers, monkeypatch
):
    """Control: look whether there is one, then lend it. The others break on the row's bound
    instead of being told that none is left.
    """
    forget_guard(monkeypatch, lending, "TAKE_TOOL", HAS_STOCK)
    looks = after_looking(lambda session: reward_of(session, drill).stock == 1, borrowers)
    answers = race(counter.app, looks)
    assert sum(isinstance(answer, LoanLine) for answer in answers) == 1, answers
    assert sum(isinstance(answer, IntegrityError) for answer in answers) == 5, answers


def test_two_ends_at_once_are_one_of_them(counter, writing, drill, lend):
    for _ in range(3):
        loan = lend()
        with writing() as session:
            before, shelf = balances(session, counter), counted(session, counter, drill)[0]
        answers = race(
            counter.app,
            [ending(counter, loan, BACK), ending(counter, loan, Ending("damaged", 1, "脏了"))],
        )
        done = [answer for answer in answers if isinstance(answer, LoanLine)]
        refused = [answer for answer in answers if isinstance(answer, LoanEnded)]
        assert (len(done), len(refused)) == (1, 1), answers
        kept = done[0].charged
        with writing() as session:
            posted, available, taken = balances(session, counter)
            assert (posted, taken) == (before[0] - kept, before[2] + kept)
            assert available == before[1] + 60 - kept
            assert counted(session, counter, drill)[0] == shelf + (kept == 0)
            assert offenders(session) == []
            session.execute(text("UPDATE reward SET stock = 2 WHERE id = :id"), {"id": drill})


def test_without_the_guard_a_deposit_is_freed_and_kept(counter, writing, drill, lend):
    """Control: look whether it is out, then write what was decided."""
    loan = lend()
    both_have_looked = threading.Barrier(2)

    def when_out(statement: str) -> bool:
        with reading() as session:
            is_out = loan_of(session, loan.id).state == "out"
        both_have_looked.wait(MEET_SECONDS_MAX)
        if is_out:
            with transaction() as session:
                session.execute(text(statement), {"id": drill})
        return is_out

    back = partial(when_out, "UPDATE reward SET stock = stock + 1 WHERE id = :id")
    keep = partial(when_out, "UPDATE wallet SET posted = posted - 60, held = 0 WHERE held = 60")
    assert race(counter.app, [back, keep]) == [True, True]
    with writing() as session:
        assert reward_of(session, drill).stock == 2
        assert balances(session, counter)[0] == 40


def test_people_are_reminded_three_times(counter, writing, lend):
    loan = lend()
    told = []
    for day in range(DAYS + 12):
        with writing() as session:
            if tell_of_loans(session, now=NOON + timedelta(days=day), zone=ZONE):
                told.append(day - DAYS)
            assert tell_of_loans(session, now=NOON + timedelta(days=day), zone=ZONE) == 0
    assert told == [-1, 1, 7]
    with writing() as session:
        kinds = session.scalars(text("SELECT kind FROM message ORDER BY id")).all()
        assert kinds == ["tool_due", "tool_overdue", "tool_overdue"]
    end(counter, loan, BACK)
    with writing() as session:
        late = NOON + timedelta(days=99)
        assert tell_of_loans(session, now=late, zone=ZONE) == 0


def test_a_missed_week_is_made_good_by_one_reminder(writing, lend):
    lend()
    with writing() as session:
        late = NOON + timedelta(days=DAYS + 8)
        assert tell_of_loans(session, now=late, zone=ZONE) == 1


def post(client, headers, url, body, key=None):
    more = {"Idempotency-Key": key or draw_token()}
    return client.post(f"/api/v1{url}", json=body, headers={**headers, **more})


def test_the_api_lends_once_and_takes_back(counter, client, drill):
    headers = counter.headers()
    body = {
        "merchant_id": counter.merchant_id,
        "reward_id": drill,
        "code": counter.code(),
    }
    first, again = (post(client, headers, "/loans", body, "k1") for _ in range(2))
    assert (first.status_code, again.data) == (201, first.data)
    loan = first.get_json()
    assert (loan["state"], loan["deposit"], loan["overdue"]) == ("out", 60, False)
    assert loan["member"] == {"display_name": "王*兰"}
    mine = client.get("/api/v1/me/loans", headers=counter.headers(counter.member_id))
    assert mine.get_json()["items"] == [loan]
    out = client.get(f"/api/v1/merchants/{counter.merchant_id}/loans", headers=headers)
    assert out.get_json()["items"] == [loan]
    url = f"/loans/{loan['id']}/end"
    bad = post(client, headers, url, {"state": "damaged", "charged": 61, "reason": "坏了"})
    assert (bad.status_code, bad.get_json()["code"]) == (400, "charge_too_high")
    assert post(client, headers, url, {"state": "out"}).status_code == 422
    done = post(client, headers, url, {"state": "damaged", "charged": 5, "reason": "坏了"})
    assert (done.status_code, done.get_json()["charged"]) == (200, 5)
    assert counter.points() == 95


@pytest.mark.parametrize("way", ["code", "card"])
def test_a_repeat_with_six_digits_lends_once(counter, client, drill, way):
    card = counter.card("246810")
    shown = {"code": counter.code()} if way == "code" else {"card": card}
    body = {"merchant_id": counter.merchant_id, "reward_id": drill, "pin": "246810", **shown}
    first, again = (post(client, counter.headers(), "/loans", body, "k1") for _ in range(2))
    assert (first.status_code, again.data) == (201, first.data)
    assert counter.points() == 40


def test_a_wrong_code_is_counted(counter, client, drill, writing):
    body = {"merchant_id": counter.merchant_id, "reward_id": drill, "code": "nonsense"}
    answer = post(client, counter.headers(), "/loans", body)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "bad_code")
    with writing() as session:
        assert session.scalar(text("SELECT failures FROM wrong_code")) == 1


def test_the_pages_lend_and_take_back(counter, drill):
    clerk, member = (
        Browser(counter.app, each) for each in (counter.clerk_id, counter.member_id)
    )
    url = f"/till/{counter.merchant_id}/loans"
    lent = clerk.send(
        clerk.form(clerk.open(url), "/loans"), reward_id=drill, code=counter.code()
    )
    assert "已借出" in words_of(lent)
    assert "已借出给 王*兰" in words_of(lent)
    assert counter.points() == 40
    assert "借用中" in words_of(member.open("/loans"))
    whole, broken = clerk.forms(lent, "/end")
    assert whole.fields["state"] == "returned"
    slip = clerk.send(broken, state="lost", charged=30, reason="")
    assert "写明原因" in words_of(slip)
    done = clerk.send(broken, state="lost", charged=30, reason="丢在公园")
    assert "现在没有借出的工具" in words_of(done)
    assert counter.points() == 70
    assert "丢在公园" in words_of(member.open("/loans"))


def test_a_slip_keeps_what_was_typed_and_a_bad_code_goes(counter, writing, drill):
    """The scanner's own form brings a code without a tool."""
    with writing() as session:
        a_reward(session, counter.merchant_id, "梯子", 50, 1, kind="loan", loan_days=3)
    clerk = Browser(counter.app, counter.clerk_id)
    page = clerk.open(f"/till/{counter.merchant_id}/loans")
    assert "data-scanner" in page.text
    code = counter.code()
    slip = clerk.send(clerk.forms(page, "/loans")[1], code=code)
    assert slip.status_code == 400
    kept = clerk.form(slip, "/loans")
    assert kept.fields["code"] == code
    refused = clerk.send(kept, code="nonsense", reward_id=drill)
    fields = clerk.form(refused, "/loans").fields
    assert (fields["code"], fields["reward_id"]) == ("", str(drill))
    assert "已借出" in words_of(clerk.send(kept, reward_id=drill))


def test_a_tool_that_cannot_be_lent_today_is_not_offered(counter, writing, drill):
    clerk = Browser(counter.app, counter.clerk_id)
    url = f"/till/{counter.merchant_id}/loans"
    assert "电钻" in words_of(clerk.open(url))
    with writing() as session:
        session.execute(text("UPDATE merchant SET takes_until = '2026-01-01'"))
    assert "电钻" not in words_of(clerk.open(url))


def test_a_tools_limit_is_what_somebody_has_at_home(counter, client, writing, drill):
    """A period that a program names means nothing for a tool."""
    answer = client.patch(
        f"/api/v1/rewards/{drill}", json={"limit_period": "month"}, headers=counter.headers()
    )
    assert (answer.status_code, answer.get_json()["limit_period"]) == (200, "ever")
    member = Browser(counter.app, counter.member_id)
    assert "每人同时最多借 1 件" in words_of(member.open(f"/rewards/{drill}"))


@pytest.mark.parametrize("how", [BACK, BROKEN])
def test_what_is_kept_of_a_deposit_is_no_sale(counter, writing, drill, lend, how):
    """A month that is full leaves no broken tool unsettled, and nothing counts it."""
    loan = lend()
    with writing() as session:
        session.execute(text("UPDATE merchant SET month_points_max = 0"))
    assert end(counter, loan, how).charged == how.charged
    with writing() as session:
        counts = (
            "SELECT COUNT(*) FROM merchant_month UNION ALL SELECT COUNT(*) FROM spent_by_day"
        )
        assert session.scalars(text(counts)).all() == [0, 0]
        assert offenders(session) == []


def test_a_slip_on_the_page_is_said(counter, drill):
    clerk = Browser(counter.app, counter.clerk_id)
    form = clerk.form(clerk.open(f"/till/{counter.merchant_id}/loans"), "/loans")
    for filled in (
        {"code": ""},
        {"code": "nonsense"},
        {"code": counter.code(), "reward_id": 0},
    ):
        page = clerk.send(form, **{"reward_id": drill, **filled})
        assert page.status_code == 400
        assert clerk.form(page, "/loans")
    assert counter.points() == 100


def test_a_refused_loan_leaves_the_code_good(counter, writing, lend):
    with writing() as session:
        dear = a_reward(session, counter.merchant_id, "梯子", 101, 1, kind="loan", loan_days=3)
    with pytest.raises(Refusal) as refused:
        lend(reward_id=dear)
    assert refused.value.code == "not_enough_points"
    with writing() as session:
        assert session.scalars(text("SELECT state FROM redemption_code")).all() == ["fresh"]
