"""An administrator takes a line of somebody's book back: once, in parts, in their scope."""

from functools import partial

import pytest
import time_machine
from sqlalchemy import select

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.audit import AuditEntry
from pointsbank.core.db import run
from pointsbank.ledger.errors import AlreadyReversed
from pointsbank.ledger.models import Transfer
from pointsbank.ledger.queries import balance_of, book_lines
from pointsbank.ledger.service import open_account
from pointsbank.ledger.verifying import offenders
from pointsbank.passbooks.reversing import key_of, reverse_line
from pointsbank.scoring.reversals import lower_score
from tests.builders import (
    a_member,
    an_organization,
    points_for,
    points_spent,
    signed_in,
    with_points,
    with_role,
)
from tests.moments import NOON
from tests.racing import race


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def administrator(writing):
    with writing() as session:
        place = an_organization(session)
        return with_role(session, a_member(session, "李敏"), "administrator", place)


@pytest.fixture
def lines(writing):
    """A member's award of 45 and spending of 20: the member, and the two transfers."""
    with writing() as session:
        member = a_member(session)
        earned = points_for(session, member, 45, "award:17")
        return member, earned, points_spent(session, member, 20, "redeem:R1")


@pytest.fixture
def reverse(app, client, administrator):
    def send(transfer, key="k1", person=None, **body):
        headers = signed_in(app, person or administrator, NOON)
        return client.post(
            f"/api/v1/transfers/{transfer}/reversal",
            json={"reason": "记错了人", **body},
            headers=headers | ({"Idempotency-Key": key} if key else {}),
        )

    return send


def test_a_spending_comes_back(writing, reverse, lines, administrator):
    member, _, spent = lines
    answer = reverse(spent)
    assert answer.status_code == 201, answer.text
    assert answer.json == {
        "id": answer.json["id"],
        "line": 3,
        "points": 20,
        "balance_after": 45,
        "reverses_id": spent,
        "reverses_line": 2,
    }
    with writing() as session:
        newest = book_lines(session, f"member:{member}")[0]
        assert (newest.points, newest.reason, newest.reverses_line) == (20, "记错了人", 2)
        assert newest.actor_id == administrator
        kept = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "reverse_transfer")
        ).one()
        assert (kept.actor_id, kept.subject_id) == (administrator, spent)
        assert offenders(session) == []


def test_a_line_is_taken_back_in_parts_and_no_further(reverse, lines):
    _, _, spent = lines
    assert reverse(spent, "k1", points=15).json["balance_after"] == 40
    too_much = reverse(spent, "k2", points=6)
    assert (too_much.status_code, too_much.json["code"]) == (409, "already_reversed")
    assert too_much.json["left"] == 5
    assert reverse(spent, "k3").json["points"] == 5
    nothing_left = reverse(spent, "k4")
    assert (nothing_left.status_code, nothing_left.json["code"]) == (409, "already_reversed")


def test_a_repeat_answers_the_same(writing, reverse, lines):
    _, _, spent = lines
    first = reverse(spent, points=5)
    again = reverse(spent, points=5)
    assert (again.status_code, again.json) == (201, first.json)
    assert again.headers["Idempotency-Replayed"] == "true"
    other = reverse(spent, points=6)
    assert (other.status_code, other.json["code"]) == (409, "key_reused")


def test_the_ledger_knows_the_request_even_when_its_answer_is_forgotten(
    writing, lines, administrator
):
    _, _, spent = lines
    actor = Actor(administrator, "李敏", 0, 0, (Grant("administrator", "/"),))

    def again(session):
        return reverse_line(
            session,
            transfer_id=spent,
            actor=actor,
            key="k1",
            reason="记错了人",
            points=5,
            lower_score=lower_score,
            today=NOON.date(),
            now=NOON,
        )[1]

    with writing() as session:
        first = again(session)
    with writing() as session:
        second = again(session)
        assert (second.id, second.is_replay) == (first.id, True)
        assert session.get_one(Transfer, first.id).key == key_of(administrator, spent, "k1")


@pytest.mark.parametrize("key", [None, "a b"])
def test_a_key_is_needed(reverse, lines, key):
    answer = reverse(lines[2], key)
    assert (answer.status_code, answer.json["code"]) == (400, "idempotency_key_missing")


@pytest.mark.parametrize(
    "body", [{"reason": ""}, {"reason": "长" * 201}, {"points": 0}, {"points": 1.0}, {"x": 1}]
)
def test_a_bad_body_is_refused(reverse, lines, body):
    answer = reverse(lines[2], **body)
    assert (answer.status_code, answer.json["code"]) == (422, "bad_fields")


def test_points_that_were_spent_since_are_not_taken(writing, reverse, lines):
    member, earned, _ = lines
    answer = reverse(earned)
    assert (answer.status_code, answer.json["code"]) == (409, "not_enough_points")
    assert reverse(earned, "k2", points=25).json["balance_after"] == 0
    with writing() as session:
        assert balance_of(session, f"member:{member}").available == 0
        assert offenders(session) == []


def test_a_reversal_is_not_reversed(reverse, lines):
    reversal = reverse(lines[2]).json["id"]
    answer = reverse(reversal, "k2")
    assert (answer.status_code, answer.json["code"]) == (409, "line_not_reversible")


def test_nobody_takes_back_a_line_of_their_own(writing, reverse, administrator):
    with writing() as session:
        with_points(session, administrator, 50)
        spent = points_spent(session, administrator, 20, "redeem:R2")
    answer = reverse(spent)
    assert (answer.status_code, answer.json["code"]) == (403, "own_book")


def test_what_lies_elsewhere_is_not_there(writing, reverse):
    with writing() as session:
        place = an_organization(session, "140303005004", name="桥头社区居委会")
        foreign = points_for(session, a_member(session, "赵敏", place), 20, "award:elsewhere")
        open_account(session, code="care_fund:1", kind="fund")
        of_a_fund = a_funds_line(session)
    for transfer in (foreign, of_a_fund, 9_000_000):
        answer = reverse(transfer)
        assert (answer.status_code, answer.json["code"]) == (404, "transfer_not_found")


def a_funds_line(session):
    """Return a transfer in the book of a fund, which is nobody's passbook."""
    issuer = open_account(session, code="issue:test", kind="issue")
    fund = open_account(session, code="care_fund:1", kind="fund")
    line = Transfer(
        key="donate:1",
        request_hash=b"0" * 32,
        kind="donate",
        source_id=issuer,
        target_id=fund,
        points=5,
        wallet_id=fund,
        wallet_seq=1,
        wallet_after=5,
        occurred_at=NOON,
        recorded_at=NOON,
        reason="捐赠",
    )
    session.add(line)
    session.flush()
    return line.id


def test_two_requests_at_once_take_back_once(app, writing, lines, administrator):
    member, _, spent = lines
    actor = Actor(administrator, "李敏", 0, 0, (Grant("administrator", "/"),))

    def take(session, key):
        return reverse_line(
            session,
            transfer_id=spent,
            actor=actor,
            key=key,
            reason="记错了人",
            points=None,
            lower_score=lower_score,
            today=NOON.date(),
            now=NOON,
        )

    answers = race(app, [partial(run, lambda s, n=n: take(s, f"k{n}")) for n in range(6)])
    assert sum(isinstance(each, AlreadyReversed) for each in answers) == 5, answers
    with writing() as session:
        assert balance_of(session, f"member:{member}").available == 45
        assert offenders(session) == []
