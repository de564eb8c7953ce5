"""Both sides of a statement: who signs when, and who does not."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.errors import Refusal
from pointsbank.ledger.verifying import verify
from pointsbank.settlements.queries import lines_of, statement_of
from pointsbank.settlements.rules import RULES_OF_STATEMENTS
from pointsbank.settlements.signing import (
    answer_dispute,
    approve_statement,
    confirm_statement,
    dispute_line,
    mark_paid,
)
from tests.builders import SHANGHAI, a_member, a_merchant, with_role
from tests.settlements.months import SOON_AFTER, at, close, redeem

IN_TIME = datetime(2026, 12, 3, 9, tzinfo=SHANGHAI)
TOO_LATE = datetime(2026, 12, 6, 0, tzinfo=SHANGHAI)


@pytest.fixture
def people(counter, writing):
    """The merchant's clerk, two administrators, and an auditor."""
    with writing() as session:
        first = with_role(session, a_member(session, "周文"), "administrator")
        second = with_role(session, a_member(session, "吴静"), "administrator")
        auditor = with_role(session, a_member(session, "郑明"), "auditor")
    return {
        "clerk": Actor(counter.clerk_id, "李建军", 1, 1, (clerk_of(counter),)),
        "first": Actor(first, "周文", 1, 1, (Grant("administrator", "/"),)),
        "second": Actor(second, "吴静", 1, 1, (Grant("administrator", "/"),)),
        "auditor": Actor(auditor, "郑明", 1, 1, (Grant("auditor", "/"),)),
        "both": Actor(first, "周文", 1, 1, (Grant("administrator", "/"), clerk_of(counter))),
    }


@pytest.fixture
def closed(counter, writing):
    """November of the counter: two redemptions of 20 points, worth 400 fen."""
    for number in ("A1", "A2"):
        redeem(counter, writing, number, at(11, 3))
    with writing() as session:
        return close(session, counter, now=SOON_AFTER)


def clerk_of(counter) -> Grant:
    return Grant("clerk", None, counter.merchant_id)


def sign(writing, counter, act, actor, now=IN_TIME, **more):
    with writing() as session:
        act(
            session,
            merchant_id=counter.merchant_id,
            month="2026-11",
            actor=actor,
            now=now,
            **more,
        )


def found(writing, counter):
    with writing() as session:
        return statement_of(session, counter.merchant_id, "2026-11")


def refused(act) -> str:
    with pytest.raises(Refusal) as refusal:
        act()
    return refusal.value.code


def test_a_month_goes_from_the_counter_to_the_bank(counter, writing, people, closed):
    for _ in range(2):
        sign(writing, counter, confirm_statement, people["clerk"])
    for _ in range(2):
        sign(writing, counter, approve_statement, people["first"], zone=SHANGHAI)
    for _ in range(2):
        sign(writing, counter, mark_paid, people["second"], reference="2026-1205-17")
    statement = found(writing, counter)
    assert (statement.state, statement.due_fen) == ("paid", 400)
    assert statement.payment_reference == "2026-1205-17"
    assert not statement.is_by_silence
    assert statement.lateness(TOO_LATE + timedelta(days=60)) is None


def test_another_reference_does_not_pay_twice(counter, writing, people, closed):
    sign(writing, counter, confirm_statement, people["clerk"])
    sign(writing, counter, approve_statement, people["first"], zone=SHANGHAI)
    sign(writing, counter, mark_paid, people["second"], reference="17")
    again = refused(lambda: sign(writing, counter, mark_paid, people["second"], reference="18"))
    assert again == "statement_paid"


def test_silence_is_a_yes_only_after_its_time(counter, writing, people, closed):
    early = refused(
        lambda: sign(writing, counter, approve_statement, people["first"], zone=SHANGHAI)
    )
    assert early == "not_confirmed_yet"
    assert found(writing, counter).lateness(TOO_LATE) == "confirmation"
    sign(writing, counter, approve_statement, people["first"], now=TOO_LATE, zone=SHANGHAI)
    assert found(writing, counter).is_by_silence


@pytest.mark.parametrize(
    ("who", "code"),
    [
        ("clerk", "statement_second_person"),
        ("auditor", "statement_second_person"),
        ("both", "statement_second_person"),
    ],
)
def test_nobody_signs_for_both_sides(counter, writing, people, closed, who, code):
    sign(writing, counter, confirm_statement, people["clerk"])
    assert code == refused(
        lambda: sign(writing, counter, approve_statement, people[who], zone=SHANGHAI)
    )


def test_whoever_approved_does_not_pay(counter, writing, people, closed):
    sign(writing, counter, confirm_statement, people["clerk"])
    unsigned = refused(
        lambda: sign(writing, counter, mark_paid, people["second"], reference="17")
    )
    assert unsigned == "not_approved_yet"
    sign(writing, counter, approve_statement, people["first"], zone=SHANGHAI)
    same = refused(lambda: sign(writing, counter, mark_paid, people["first"], reference="17"))
    assert same == "statement_second_person"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE statement SET paid_by_id = approved_by_id",
        "UPDATE statement_line SET answered_by_id = disputed_by_id WHERE no = 1",
    ],
)
def test_the_tables_want_a_second_person_themselves(
    counter, writing, people, closed, statement
):
    sign(writing, counter, dispute_line, people["clerk"], no=1, reason="多记了")
    answer = {"is_accepted": False, "correction_fen": 0, "answer": "签收单在"}
    sign(writing, counter, answer_dispute, people["first"], no=1, **answer)
    sign(writing, counter, confirm_statement, people["clerk"])
    sign(writing, counter, approve_statement, people["first"], zone=SHANGHAI)
    sign(writing, counter, mark_paid, people["second"], reference="17")
    with pytest.raises(IntegrityError, match="second_person"), writing() as session:
        session.execute(text(statement))


def test_an_administrator_does_not_confirm_for_the_merchant(counter, writing, people, closed):
    code = refused(lambda: sign(writing, counter, confirm_statement, people["first"]))
    assert code == "statement_second_person"


def test_another_merchants_statement_is_not_there(counter, writing, people, closed):
    with writing() as session:
        elsewhere = a_merchant(session, "隔壁小店")
    stranger = Actor(999, "钱多", 1, 1, (Grant("clerk", None, elsewhere),))
    code = refused(lambda: sign(writing, counter, confirm_statement, stranger))
    assert code == "statement_not_found"


def test_an_accepted_dispute_moves_money_and_no_point(counter, writing, people, closed):
    for _ in range(2):
        sign(writing, counter, dispute_line, people["clerk"], no=2, reason="实际交了两件")
    assert found(writing, counter).state == "disputed"
    waits = refused(lambda: sign(writing, counter, confirm_statement, people["clerk"]))
    assert waits == "disputes_open"
    answer = {"no": 2, "is_accepted": True, "answer": "核对属实"}
    for wrong, code in ((0, "correction_missing"), (401, "correction_too_large")):
        assert code == refused(
            lambda fen=wrong: sign(
                writing, counter, answer_dispute, people["first"], correction_fen=fen, **answer
            )
        )
    sign(writing, counter, answer_dispute, people["first"], correction_fen=200, **answer)
    statement = found(writing, counter)
    assert (statement.state, statement.net_points) == ("closed", 40)
    assert (statement.amount_fen, statement.due_fen) == (400, 600)
    with writing() as session:
        assert verify(session, more=RULES_OF_STATEMENTS).offenders == []
        line = lines_of(session, statement.id)[1]
    assert (line.dispute, line.correction_fen, line.answer) == ("accepted", 200, "核对属实")
    again = refused(
        lambda: sign(
            writing, counter, answer_dispute, people["second"], correction_fen=1, **answer
        )
    )
    assert again == "line_not_disputed"
    second = refused(
        lambda: sign(writing, counter, dispute_line, people["clerk"], no=2, reason="还是不对")
    )
    assert second == "statement_line_disputed"
    sign(writing, counter, confirm_statement, people["clerk"])
    late = refused(
        lambda: sign(writing, counter, dispute_line, people["clerk"], no=1, reason="晚了")
    )
    assert late == "statement_signed"


def test_a_rejected_dispute_changes_no_amount(counter, writing, people, closed):
    sign(writing, counter, dispute_line, people["clerk"], no=1, reason="多记了")
    sign(
        writing,
        counter,
        answer_dispute,
        people["first"],
        no=1,
        is_accepted=False,
        correction_fen=500,
        answer="签收单在",
    )
    statement = found(writing, counter)
    assert (statement.state, statement.due_fen) == ("closed", 400)


def test_a_line_that_is_none_cannot_be_disputed(counter, writing, people, closed):
    code = refused(
        lambda: sign(writing, counter, dispute_line, people["clerk"], no=9, reason="？")
    )
    assert code == "statement_line_not_found"
