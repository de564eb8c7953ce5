"""What the ledger takes back lowers the points that count as earned, once and by as much."""

import pytest
import time_machine
from sqlalchemy import func, select

from pointsbank.ledger.queries import book_lines
from pointsbank.scoring.models import ScoreEntry
from pointsbank.scoring.policy import Award
from pointsbank.scoring.queries import standard_on
from pointsbank.scoring.service import negate_entry, record_entry
from tests.builders import (
    TODAY,
    a_member,
    an_organization,
    points_for,
    points_spent,
    signed_in,
    with_role,
)
from tests.moments import NOON

CAUSE = "award:17"


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
def award(writing):
    """A member's award of 45 points for two hours: the member and the transfer."""
    with writing() as session:
        member = a_member(session)
        record_entry(
            session,
            cause=CAUSE,
            member_id=member,
            organization_id=an_organization(session),
            item=standard_on(session, TODAY).item("volunteer_hour"),
            award=Award(120, 45, 100),
            title="河道清洁",
            earned_on=TODAY,
            now=NOON,
        )
        return member, points_for(session, member, 45, CAUSE)


@pytest.fixture
def reverse(app, client, administrator):
    def send(transfer, key, **body):
        headers = signed_in(app, administrator, NOON) | {"Idempotency-Key": key}
        return client.post(
            f"/api/v1/transfers/{transfer}/reversal",
            json={"reason": "记错了", **body},
            headers=headers,
        )

    return send


def measures(session, member):
    return tuple(
        session.execute(
            select(
                func.count(),
                func.sum(ScoreEntry.points),
                func.sum(ScoreEntry.service_minutes),
                func.sum(ScoreEntry.evaluation_hundredths),
            ).where(ScoreEntry.member_id == member, ScoreEntry.earned_on == TODAY)
        ).one()
    )


def test_points_taken_back_are_not_earned_and_the_time_stays(writing, reverse, award):
    member, transfer = award
    assert reverse(transfer, "k1", points=5).status_code == 201
    with writing() as session:
        assert measures(session, member) == (2, 40, 120, 100)
    assert reverse(transfer, "k2").status_code == 201
    with writing() as session:
        assert measures(session, member) == (3, 0, 120, 100)


def test_a_repeat_and_a_refusal_lower_nothing_more(writing, reverse, award):
    member, transfer = award
    assert reverse(transfer, "k1", points=5).status_code == 201
    assert reverse(transfer, "k1", points=5).status_code == 201
    assert reverse(transfer, "k2", points=41).status_code == 409
    with writing() as session:
        assert measures(session, member) == (2, 40, 120, 100)


def test_what_no_work_left_behind_lowers_nothing(writing, reverse, award):
    member, _ = award
    with writing() as session:
        spent = points_spent(session, member, 20, "redeem:R1")
    assert reverse(spent, "k1").status_code == 201
    with writing() as session:
        assert measures(session, member) == (1, 45, 120, 100)


def test_an_upheld_dispute_lowers_it_as_well(writing, app, client, administrator, award):
    member, transfer = award
    with writing() as session:
        book = book_lines(session, f"member:{member}")
        line = next(each.line for each in book if each.transfer_id == transfer)
    own = signed_in(app, member, NOON)
    opened = client.post(
        f"/api/v1/me/passbook/{line}/disputes", json={"reason": "多记了"}, headers=own
    )
    assert opened.status_code == 201, opened.text
    answered = client.post(
        f"/api/v1/disputes/{opened.json['id']}/answer",
        json={"decision": "uphold", "reason": "", "points": 15},
        headers=signed_in(app, administrator, NOON),
    )
    assert answered.status_code == 200, answered.text
    with writing() as session:
        assert measures(session, member) == (2, 30, 120, 100)


def test_what_is_struck_out_afterwards_is_not_taken_twice(writing, reverse, award):
    member, transfer = award
    assert reverse(transfer, "k1", points=5).status_code == 201
    with writing() as session:
        negate_entry(session, cause="reject:17", of_cause=CAUSE, now=NOON)
        assert measures(session, member) == (3, 0, 0, 0)


def test_what_was_struck_out_before_is_not_taken_twice(writing, reverse, award):
    """As where the points were spent then, and an administrator takes them back later."""
    member, transfer = award
    with writing() as session:
        negate_entry(session, cause="reject:17", of_cause=CAUSE, now=NOON)
        assert measures(session, member) == (2, 0, 0, 0)
    assert reverse(transfer, "k1").status_code == 201
    with writing() as session:
        assert measures(session, member) == (2, 0, 0, 0)
