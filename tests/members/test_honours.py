"""Honours: recorded by one, confirmed by another, once; withdrawn when wrong."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from pointsbank.core.db import transaction
from pointsbank.members import honours
from pointsbank.members.errors import MemberNotFound
from pointsbank.members.honours import decide_honour, honours_of, withdraw_honour
from pointsbank.members.honours_errors import (
    BadGrantedOn,
    HonourDecided,
    HonourNotFound,
    HonourRecorded,
    OwnHonour,
    SecondPersonForHonour,
)
from pointsbank.members.honours_models import Honour
from pointsbank.messages.queries import inbox
from tests.builders import TODAY, a_branch, a_member, how_many, signed_in, with_role
from tests.members.honoured import HONOUR, confirmed_by, recorded_by
from tests.moments import NOON
from tests.racing import forget_guard, race
from tests.scoring.hands import actor_of, some_hands

DECISIONS = 4


@pytest.fixture
def hands(session):
    return some_hands(session)


def test_an_honour_stands_once_a_second_person_confirmed_it(session, hands):
    honour_id = recorded_by(session, hands.secretary_id, hands.member_id)
    assert honours_of(session, hands.member_id) == []
    with pytest.raises(SecondPersonForHonour):
        confirmed_by(session, hands.secretary_id, hands.member_id, honour_id)
    state = confirmed_by(session, hands.administrator_id, hands.member_id, honour_id)
    (line,) = honours_of(session, hands.member_id)
    assert (state, line.title, line.document_no) == (
        "confirmed",
        "优秀志愿者",
        "文明办〔2026〕3号",
    )
    assert (line.recorded_by, line.decided_by) == ("张*记", "赵*理")
    with pytest.raises(HonourDecided):
        confirmed_by(session, hands.administrator_id, hands.member_id, honour_id)


def test_nobody_records_or_confirms_for_themselves_or_outside_their_scope(session, hands):
    with pytest.raises(OwnHonour):
        recorded_by(session, hands.secretary_id, hands.secretary_id)
    own = recorded_by(session, hands.administrator_id, hands.secretary_id)
    with pytest.raises(OwnHonour):
        confirmed_by(session, hands.secretary_id, hands.secretary_id, own)
    beside = a_branch(session, "B2", hands.community_id)
    foreign = with_role(session, a_member(session, "外人", beside), "secretary", beside)
    with pytest.raises(MemberNotFound):
        recorded_by(session, foreign, hands.member_id)
    with pytest.raises(MemberNotFound):
        recorded_by(session, hands.organizer_id, hands.member_id)
    with pytest.raises(HonourNotFound):
        confirmed_by(session, hands.administrator_id, hands.member_id, own)


def test_the_same_honour_is_recorded_once_and_on_a_day_that_has_come(session, hands):
    honour_id = recorded_by(session, hands.secretary_id, hands.member_id)
    with pytest.raises(HonourRecorded):
        recorded_by(session, hands.administrator_id, hands.member_id)
    for day in (TODAY + timedelta(days=1), date(1945, 12, 31)):
        wrong = replace(HONOUR, granted_on=day)
        with pytest.raises(BadGrantedOn):
            recorded_by(session, hands.secretary_id, hands.member_id, wrong)
    actor = actor_of(session, hands.secretary_id)
    given = {"actor": actor, "member_id": hands.member_id, "honour_id": honour_id, "now": NOON}
    for _ in range(2):
        withdraw_honour(session, **given)
    assert recorded_by(session, hands.secretary_id, hands.member_id)


def test_the_database_refuses_one_person_for_both(writing):
    with writing() as session:
        hands = some_hands(session)
    row = {
        **vars(HONOUR),
        "member_id": hands.member_id,
        "organization_id": hands.branch_id,
        "state": "confirmed",
        "recorded_by_id": hands.secretary_id,
        "recorded_at": NOON,
    }
    for who in (hands.secretary_id, hands.member_id):
        with pytest.raises(IntegrityError, match="ck_honour_second_person"):
            with writing() as session:
                session.execute(insert(Honour).values(**row, decided_by_id=who))
    with writing() as session:
        session.execute(insert(Honour).values(**row, decided_by_id=hands.administrator_id))


def deciding_race(app, writing):
    with writing() as session:
        hands = some_hands(session)
        honour_id = recorded_by(session, hands.secretary_id, hands.member_id)
        actor = actor_of(session, hands.administrator_id)

    def decided(is_confirmed):
        def contestant():
            with transaction() as session:
                return decide_honour(
                    session,
                    actor=actor,
                    member_id=hands.member_id,
                    honour_id=honour_id,
                    is_confirmed=is_confirmed,
                    reason="x",
                    now=NOON,
                ).state

        return contestant

    return race(app, [decided(True), decided(False)] * (DECISIONS // 2))


def test_of_decisions_at_once_one_counts(app, writing):
    answers = deciding_race(app, writing)
    assert sum(isinstance(each, str) for each in answers) == 1
    assert sum(isinstance(each, HonourDecided) for each in answers) == DECISIONS - 1


def test_control_without_the_guard_several_decide(app, writing, monkeypatch):
    forget_guard(monkeypatch, honours, "DECIDE", "state = 'pending'")
    answers = deciding_race(app, writing)
    assert sum(isinstance(each, str) for each in answers) == DECISIONS


def test_over_the_api_everybody_concerned_hears_of_it(app, writing):
    with writing() as session:
        hands = some_hands(session)
    client, now = app.test_client(), None
    secretary = signed_in(app, hands.secretary_id, now)
    administrator = signed_in(app, hands.administrator_id, now)
    path = f"/api/v1/members/{hands.member_id}/honours"
    body = {"title": "模范", "grantor": "区委", "granted_on": "2026-01-01"}
    made = client.post(path, json=body, headers=secretary)
    assert (made.status_code, made.get_json()["state"]) == (201, "pending")
    decision = {"decision": "confirm", "reason": "与原件一致"}
    address = f"{path}/{made.get_json()['id']}/decision"
    assert client.post(address, json=decision, headers=secretary).status_code == 403
    assert client.post(address, json=decision, headers=administrator).status_code == 200
    with writing() as session:
        assert inbox(session, hands.administrator_id)[0].kind == "honour_recorded"
        line = inbox(session, hands.member_id)[0]
        assert (line.kind, line.facts["title"]) == ("honour_confirmed", "模范")
        assert how_many(session, Honour) == 1
