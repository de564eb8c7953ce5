"""Disputes: said once, answered once by someone else, by a reversal or a reason, in time."""

import threading
from datetime import date, timedelta
from functools import partial

import pytest
import time_machine
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import reading, run, transaction
from pointsbank.core.keys import draw_number
from pointsbank.jobs.reminding import REMINDERS
from pointsbank.ledger.errors import AlreadyReversed
from pointsbank.ledger.models import Transfer
from pointsbank.ledger.moving import Move, move
from pointsbank.ledger.queries import balance_of, book_lines
from pointsbank.ledger.verifying import offenders
from pointsbank.messages.queries import inbox
from pointsbank.organizations.workdays import working_day_after
from pointsbank.passbooks.disputes import DisputeFile, dispute_in_scope
from pointsbank.passbooks.disputing import Answer, answer_dispute, open_dispute
from pointsbank.passbooks.errors import AlreadyAnswered
from pointsbank.passbooks.models import Dispute
from pointsbank.passbooks.urging import tell_of_overdue
from pointsbank.rewards.redeeming import Order, redeem_reward
from pointsbank.rewards.voiding import Voided, void_redemption
from pointsbank.scoring.reversals import lower_score
from tests.builders import (
    a_member,
    a_merchant,
    a_reward,
    an_organization,
    how_many,
    points_for,
    points_spent,
    redemption_code,
    signed_in,
    with_points,
    with_role,
)
from tests.moments import NOON
from tests.racing import MEET_SECONDS_MAX, race

TODAY = NOON.date()
FRIDAY = date(2026, 11, 27)


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def member(writing):
    """A member with one line in, 45, and one out, 20."""
    with writing() as session:
        member_id = a_member(session)
        points_for(session, member_id, 45, "award:17")
        points_spent(session, member_id, 20, "redeem:R1")
        return member_id


@pytest.fixture
def secretary(writing):
    with writing() as session:
        return with_role(session, a_member(session, "李敏"), "secretary")


@pytest.fixture
def call(app, client):
    """Send something as somebody; return the answer."""

    def send(person, path, body=None, method=None):
        return client.open(
            f"/api/v1{path}",
            method=method or ("POST" if body is not None else "GET"),
            json=body,
            headers=signed_in(app, person, NOON),
        )

    return send


@pytest.fixture
def dispute(writing, member):
    """Dispute a line of the member's book, and return the dispute."""

    def say(line=1, reason="我没有参加这次活动", member_id=None, now=NOON):
        with writing() as session:
            return open_dispute(
                session,
                member_id=member_id or member,
                line=line,
                reason=reason,
                today=now.date(),
                now=now,
            ).id

    return say


def answerer(member_id: int) -> Actor:
    return Actor(member_id, "李敏", 0, 0, (Grant("secretary", "/"),))


def answered(session, dispute_id, by, decision="uphold", reason="", points=None):
    return answer_dispute(
        session,
        dispute_id=dispute_id,
        actor=answerer(by),
        answer=Answer(decision, reason, points),
        lower_score=lower_score,
        today=TODAY,
        now=NOON,
    )


def redeemed_at(session, app, merchant_id, member_id):
    """Let a clerk of the merchant hand the member a reward; return the redemption."""
    order = Order(
        merchant_id=merchant_id,
        reward_id=a_reward(session, merchant_id, points=20),
        quantity=1,
        code=redemption_code(session, app, member_id, NOON),
    )
    return redeem_reward(
        session,
        order,
        clerk_id=with_role(session, a_member(session, "李建军"), "clerk", None, merchant_id),
        number=draw_number(14),
        secret=app.extensions["settings"].secret_key,
        today=TODAY,
        now=NOON,
    ).id


def lines_of(session, member_id):
    return [
        (line.line, line.kind, line.points, line.balance_after)
        for line in book_lines(session, f"member:{member_id}")
    ]


@pytest.mark.parametrize(
    ("today", "answer_by"),
    [
        (date(2026, 11, 20), FRIDAY),
        (date(2026, 11, 21), FRIDAY),
        (date(2026, 9, 28), date(2026, 10, 10)),  # National Day; its Saturday is worked
    ],
)
def test_a_dispute_is_answered_within_five_working_days(writing, member, today, answer_by):
    said = {"member_id": member, "line": 1, "reason": "我没有参加"}
    with writing() as session:
        opened = open_dispute(session, **said, today=today, now=NOON)
    assert opened.answer_by == answer_by


def test_a_line_is_disputed_once_and_a_repeat_answers_the_same(call, writing, member):
    first = call(member, "/me/passbook/1/disputes", {"reason": "我没有参加"})
    assert first.status_code == 201, first.text
    assert first.json == {"id": first.json["id"], "answer_by": FRIDAY.isoformat()}
    again = call(member, "/me/passbook/1/disputes", {"reason": " 我没有参加 "})
    assert (again.status_code, again.json) == (201, first.json)
    other = call(member, "/me/passbook/1/disputes", {"reason": "是别人去的"})
    assert (other.status_code, other.json["code"]) == (409, "line_disputed")
    assert other.json["dispute_id"] == first.json["id"]
    with writing() as session:
        assert how_many(session, Dispute) == 1


@pytest.mark.parametrize("line", [3, 2**62])
def test_a_line_that_is_not_there_cannot_be_disputed(call, member, line):
    answer = call(member, f"/me/passbook/{line}/disputes", {"reason": "不对"})
    assert (answer.status_code, answer.json["code"]) == (404, "line_not_found")


@pytest.mark.parametrize("body", [{}, {"reason": " "}, {"reason": "不" * 301}, {"reason": 7}])
def test_a_dispute_needs_a_reason(call, member, body):
    answer = call(member, "/me/passbook/1/disputes", body)
    assert (answer.status_code, answer.json["code"]) == (422, "bad_fields")


def test_upholding_a_deposit_takes_it_out_again(call, writing, member, secretary, dispute):
    with writing() as session:
        points_for(session, member, 30, "award:18")
    disputed = dispute(3)
    answer = call(secretary, f"/disputes/{disputed}/answer", {"decision": "uphold"})
    assert answer.status_code == 200, answer.text
    assert answer.json["state"] == "upheld"
    with writing() as session:
        assert lines_of(session, member)[0] == (4, "reversal", -30, 25)
        reversal = session.get_one(Transfer, answer.json["reversal_id"])
        assert reversal.key == f"dispute:{disputed}"
        assert reversal.actor_id == secretary
        assert offenders(session) == []


def test_upholding_a_spending_brings_a_part_back(call, writing, member, secretary, dispute):
    disputed = dispute(2)
    body = {"decision": "uphold", "reason": "多扣了", "points": 5}
    assert call(secretary, f"/disputes/{disputed}/answer", body).status_code == 200
    with writing() as session:
        assert lines_of(session, member)[0] == (3, "reversal", 5, 30)
        assert offenders(session) == []


def test_rejecting_needs_a_reason_and_moves_nothing(call, writing, member, secretary, dispute):
    path = f"/disputes/{dispute()}/answer"
    bare = call(secretary, path, {"decision": "reject"})
    assert (bare.status_code, bare.json["code"]) == (400, "answer_reason_missing")
    answer = call(secretary, path, {"decision": "reject", "reason": "签到记录在，核对无误"})
    assert (answer.status_code, answer.json["state"]) == (200, "rejected")
    assert answer.json["answer"] == "签到记录在，核对无误"
    with writing() as session:
        assert len(lines_of(session, member)) == 2


def test_points_go_with_upholding_only(call, secretary, dispute):
    body = {"decision": "reject", "reason": "核对无误", "points": 5}
    answer = call(secretary, f"/disputes/{dispute()}/answer", body)
    assert (answer.status_code, answer.json["code"]) == (422, "bad_fields")


def test_an_answer_stands(call, writing, member, secretary, dispute):
    path = f"/disputes/{dispute(2)}/answer"
    call(secretary, path, {"decision": "uphold"})
    again = call(secretary, path, {"decision": "uphold"})
    assert (again.status_code, again.json["code"]) == (409, "already_answered")
    assert again.json["state"] == "upheld"
    with writing() as session:
        assert len(lines_of(session, member)) == 3


def test_a_line_that_was_answered_may_be_disputed_anew(call, secretary, member, dispute):
    call(secretary, f"/disputes/{dispute()}/answer", {"decision": "reject", "reason": "无误"})
    second = call(member, "/me/passbook/1/disputes", {"reason": "我没有参加"})
    assert second.status_code == 201


def test_what_cannot_be_reversed_refuses_the_answer_and_stays_open(
    call, writing, member, secretary, dispute
):
    spent_already = dispute(1)
    answer = call(secretary, f"/disputes/{spent_already}/answer", {"decision": "uphold"})
    assert (answer.status_code, answer.json["code"]) == (409, "not_enough_points")
    too_much = {"decision": "uphold", "points": 46}
    answer = call(secretary, f"/disputes/{spent_already}/answer", too_much)
    assert (answer.status_code, answer.json["code"]) == (409, "already_reversed")
    taken_back = dispute(2)
    call(secretary, f"/disputes/{taken_back}/answer", {"decision": "uphold"})
    of_the_reversal = dispute(3)
    answer = call(secretary, f"/disputes/{of_the_reversal}/answer", {"decision": "uphold"})
    assert (answer.status_code, answer.json["code"]) == (409, "line_not_reversible")
    twice = dispute(2, "还是不对")
    answer = call(secretary, f"/disputes/{twice}/answer", {"decision": "uphold"})
    assert (answer.status_code, answer.json["code"]) == (409, "already_reversed")
    with writing() as session:
        states = session.scalars(select(Dispute.state).order_by(Dispute.id)).all()
        assert states == ["open", "upheld", "open", "open"]
        assert offenders(session) == []


def test_half_of_a_gift_is_not_taken_back(call, writing, member, secretary, dispute):
    with writing() as session:
        other = a_member(session, "吴海燕")
        gift = Move(
            key="gift:1",
            source=f"member:{member}",
            target=f"member:{other}",
            points=5,
            occurred_at=NOON,
            kind_out="gift_out",
            kind_in="gift_in",
            reason_out="赠送",
            reason_in="获赠",
        )
        move(session, gift, NOON)
    answer = call(secretary, f"/disputes/{dispute(3)}/answer", {"decision": "uphold"})
    assert (answer.status_code, answer.json["code"]) == (409, "part_of_move")


def test_nobody_answers_their_own_dispute(call, writing, secretary, dispute):
    with writing() as session:
        with_points(session, secretary, 20)
    answer = call(
        secretary, f"/disputes/{dispute(1, member_id=secretary)}/answer", {"decision": "uphold"}
    )
    assert (answer.status_code, answer.json["code"]) == (403, "own_book")


def test_the_database_refuses_an_answer_to_oneself(writing, member, dispute):
    disputed = dispute()
    with pytest.raises(IntegrityError, match="two_people"), writing() as session:
        session.execute(
            text(
                "UPDATE dispute SET state = 'rejected', answered_by_id = member_id"
                " WHERE id = :id"
            ),
            {"id": disputed},
        )


def test_a_foreign_dispute_is_not_there(call, writing, dispute):
    with writing() as session:
        place = an_organization(session, "140303005004", name="桥头社区居委会")
        stranger = with_role(session, a_member(session, "赵敏"), "secretary", place)
    for disputed in (dispute(), 9_000_000):
        answer = call(stranger, f"/disputes/{disputed}/answer", {"decision": "uphold"})
        assert (answer.status_code, answer.json["code"]) == (404, "dispute_not_found")
    assert call(stranger, "/disputes").json["items"] == []


def test_the_list_begins_with_what_is_overdue(call, member, secretary, dispute):
    late = dispute(1, now=NOON - timedelta(days=8))
    fresh = dispute(2)
    items = call(secretary, "/disputes").json["items"]
    assert [(item["id"], item["overdue"]) for item in items] == [(late, True), (fresh, False)]
    assert items[0]["points"] == 45
    assert items[1]["points"] == -20
    assert items[0]["display_name"] == "王*兰"


@pytest.mark.parametrize("state", ["open", "answered"])
def test_the_list_goes_on_by_cursor(call, member, secretary, dispute, state):
    ids = [dispute(2), dispute(1, now=NOON - timedelta(days=8))]
    if state == "answered":
        for each in ids:
            body = {"decision": "reject", "reason": "核对无误"}
            assert call(secretary, f"/disputes/{each}/answer", body).status_code == 200
    path, seen = f"/disputes?limit=1&state={state}", []
    page = call(secretary, path).json
    while True:
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        page = call(secretary, f"{path}&cursor={page['next']}").json
    assert seen == ids[::-1]


def test_two_answers_at_once_are_one(app, writing, member, secretary, dispute):
    disputed = dispute(2)
    with writing() as session:
        other = with_role(session, a_member(session, "赵敏"), "secretary")
    answers = race(
        app,
        [
            partial(
                run,
                lambda session, by=by, decision=decision: answered(
                    session, disputed, by, decision, "核对过了"
                ),
            )
            for by in (secretary, other)
            for decision in ("uphold", "reject", "uphold")
        ],
    )
    assert sum(isinstance(each, DisputeFile) for each in answers) == 1, answers
    assert sum(isinstance(each, AlreadyAnswered) for each in answers) == 5
    with writing() as session:
        stands = dispute_in_scope(session, ["/"], disputed)
        reversals = how_many(session, Transfer) - 2
        assert reversals == (stands.state == "upheld")
        assert (stands.reversal_id is not None) == (stands.state == "upheld")
        assert offenders(session) == []


def test_without_the_guard_two_answers_overwrite_each_other(app, writing, secretary, dispute):
    """Control: each looks whether the dispute is open, then writes its answer."""
    disputed = dispute(2)
    both_have_looked = threading.Barrier(2)

    def answer_unguarded(words):
        with reading() as session:
            state = session.scalar(select(Dispute.state).where(Dispute.id == disputed))
        both_have_looked.wait(MEET_SECONDS_MAX)
        with transaction() as session:
            session.execute(
                text(
                    "UPDATE dispute SET state = 'rejected', answered_by_id = :by, answer = :w"
                    " WHERE id = :id"
                ),
                {"id": disputed, "by": secretary, "w": words},
            )
        return state

    assert race(app, [partial(answer_unguarded, w) for w in ("a", "b")]) == ["open", "open"]


def test_many_disputes_of_one_line_at_once_are_one(app, writing, member):
    def say(session, reason):
        return open_dispute(
            session, member_id=member, line=1, reason=reason, today=TODAY, now=NOON
        )

    answers = race(app, [partial(run, lambda s: say(s, "不对"))] * 6)
    assert len({answer.id for answer in answers}) == 1, answers
    assert sum(not answer.is_replay for answer in answers) == 1


def test_a_dispute_upheld_while_the_redemption_is_voided_gives_back_once(
    app, writing, secretary
):
    with writing() as session:
        merchant = a_merchant(session)
        buyer = with_points(session, a_member(session, "吴海燕"), 100)
        redemption = redeemed_at(session, app, merchant, buyer)
        disputed = open_dispute(
            session, member_id=buyer, line=2, reason="没有拿到", today=TODAY, now=NOON
        ).id
        first, second = (
            with_role(session, a_member(session, name), "administrator")
            for name in ("管理员", "副管理员")
        )

    def void(session, administrator=second):
        return void_redemption(
            session,
            redemption_id=redemption,
            actor=Actor(administrator, "管理员", 0, 0, (Grant("administrator", "/"),)),
            reason="拿错了",
            today=TODAY,
            now=NOON,
        )

    with writing() as session:
        assert void(session, first).is_asked
    contestants = [
        partial(run, lambda session: answered(session, disputed, secretary)),
        partial(run, void),
    ]
    uphold, voided = race(app, contestants)
    with writing() as session:
        assert balance_of(session, f"member:{buyer}").available == 100
        assert [kind for _, kind, _, _ in lines_of(session, buyer)].count("reversal") == 1
        assert offenders(session) == []
        state = dispute_in_scope(session, ["/"], disputed).state
    if isinstance(voided, Voided):
        assert isinstance(uphold, AlreadyReversed), uphold
        assert state == "open"
    else:
        assert isinstance(voided, AlreadyReversed), voided
        assert state == "upheld"


def inbox_of(session, member_id):
    return [(each.kind, each.facts) for each in inbox(session, member_id)]


def test_the_secretary_hears_of_a_dispute_and_the_member_of_the_answer(
    call, writing, member, secretary, dispute
):
    disputed = dispute(2)
    dispute(2)
    call(secretary, f"/disputes/{disputed}/answer", {"decision": "uphold"})
    with writing() as session:
        assert inbox_of(session, secretary) == [
            ("dispute_opened", {"dispute_id": disputed, "answer_on": FRIDAY.isoformat()})
        ]
        assert inbox_of(session, member) == [("dispute_upheld", {"line": 2})]


def test_without_a_secretary_the_administrator_hears_of_it(writing, dispute):
    with writing() as session:
        administrator = with_role(session, a_member(session, "赵敏"), "administrator")
    dispute(2)
    with writing() as session:
        assert [kind for kind, _ in inbox_of(session, administrator)] == ["dispute_opened"]


def test_who_answers_hears_each_day_what_is_overdue(writing, secretary, dispute):
    with writing() as session:
        place = an_organization(session, "140303005004", name="桥头社区居委会")
        stranger = with_role(session, a_member(session, "赵敏"), "secretary", place)
        with_points(session, secretary, 20)
    week_before = NOON - timedelta(days=8)
    dispute(1, now=week_before)
    dispute(2, now=week_before)
    dispute(1, now=week_before, member_id=secretary)

    def told_on(today):
        with writing() as session:
            return tell_of_overdue(session, today=today, now=NOON)

    with writing() as session:
        due = working_day_after(session, week_before.date(), 5)
    assert told_on(due) == 0
    assert told_on(due + timedelta(days=1)) == 1
    assert told_on(due + timedelta(days=1)) == 0
    assert told_on(due + timedelta(days=2)) == 1
    with writing() as session:
        told = [each for each in inbox_of(session, secretary) if each[0] == "disputes_overdue"]
        assert told == [("disputes_overdue", {"disputes": 2})] * 2
        assert inbox_of(session, stranger) == []
    run_reminders = [reminder.__name__ for reminder in REMINDERS]
    assert "of_disputes" in run_reminders
