"""The JSON door and the pages of hours, from the forgotten check-out to the decision."""

import threading
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from pointsbank.attendance.models import Attendance, Overtime
from pointsbank.core.db import reading, run
from pointsbank.scoring.models import ScoreEntry
from pointsbank.scoring.queries import service_minutes_of
from tests.attendance.scene import ENDS, STARTS
from tests.browsing import Browser, words_of
from tests.builders import a_claim, a_member, a_score_entry, how_many, signed_in, with_role
from tests.racing import MEET_SECONDS_MAX, race

AFTER = ENDS + timedelta(minutes=5)


@pytest.fixture(autouse=True)
def clock():
    """The clock on the wall, a little after the end."""
    with time_machine.travel(AFTER, tick=False) as traveller:
        yield traveller


@pytest.fixture
def ask(app, client):
    """Send JSON as somebody, and return status and body."""

    def send(member_id, method, path, **body):
        answer = client.open(
            f"/api/v1{path}",
            method=method,
            headers=signed_in(app, member_id),
            json=body if method == "POST" else None,
        )
        return answer.status_code, answer.get_json(silent=True)

    return send


@pytest.fixture
def secretary(writing):
    """Somebody who decides over the test's community."""
    with writing() as session:
        return with_role(session, a_member(session, "陈书记"), "secretary")


def test_a_shift_is_closed_and_settled_over_the_api(ask, scene, writing, secretary):
    with writing() as session:
        a_claim(session, scene.shift_id, scene.stranger.member_id)
    scene.check_in()
    lead, shift = scene.organizer.member_id, f"/shifts/{scene.shift_id}"
    assert ask(lead, "POST", f"{shift}/check-outs", reason="一起收的工") == (
        200,
        {"entered": 1},
    )
    status, refused = ask(lead, "POST", f"{shift}/check-outs")
    assert (status, refused["code"]) == (422, "bad_fields")
    until = (ENDS + timedelta(hours=1)).isoformat()
    status, asked = ask(lead, "POST", f"{shift}/overtime", until=until, reason="活没干完")
    assert (status, asked["state"], asked["minutes"]) == (201, "pending", 60)
    status, refused = ask(lead, "POST", f"{shift}/settlement")
    assert (status, refused["code"]) == (409, "overtime_pending")
    assert ask(secretary, "GET", "/overtime")[1]["items"][0]["shift_id"] == scene.shift_id
    status, decided = ask(secretary, "POST", f"{shift}/overtime/decision", decision="refuse")
    assert (status, decided["state"], decided["decided_by"]) == (200, "refused", "陈*记")
    assert ask(lead, "POST", f"{shift}/no-shows") == (200, {"recorded": 1})
    status, settled = ask(lead, "POST", f"{shift}/settlement")
    assert [each["service_minutes"] for each in settled["awarded"]] == [150]
    status, refused = ask(lead, "POST", f"{shift}/overtime", until=until, reason="活没干完")
    assert (status, refused["code"]) == (409, "settled_before")


def test_who_asks_never_decides(ask, scene, writing):
    """Somebody who organizes and is secretary here as well."""
    lead, shift = scene.organizer.member_id, f"/shifts/{scene.shift_id}"
    with writing() as session:
        with_role(session, lead, "secretary")
    until = (ENDS + timedelta(hours=1)).isoformat()
    assert ask(lead, "POST", f"{shift}/overtime", until=until, reason="活没干完")[0] == 201
    status, refused = ask(lead, "POST", f"{shift}/overtime/decision", decision="approve")
    assert (status, refused["code"]) == (403, "own_overtime")
    for _ in range(2):
        assert ask(lead, "DELETE", f"{shift}/overtime")[0] == 204
    with writing() as session:
        assert how_many(session, Overtime) == 0


def test_people_read_their_service_and_strike_it_out(ask, scene):
    scene.check_in()
    scene.check_out()
    mine, shift = scene.volunteer.member_id, f"/shifts/{scene.shift_id}"
    lead = scene.organizer.member_id
    ask(lead, "POST", f"{shift}/settlement")
    status, listed = ask(mine, "GET", "/me/service")
    (service,) = listed["items"]
    assert (status, service["state"], service["service_minutes"]) == (200, "credited", 150)
    assert service["standard_version"] == 1
    assert len(service["pairs"]) == 1
    back = {"state": "rejected", "points_back": 25, "points_spent": 0}
    assert ask(mine, "POST", f"{shift}/attendance/rejection") == (200, back)
    again = {**back, "points_back": 0}
    assert ask(mine, "POST", f"{shift}/attendance/rejection") == (200, again)
    assert ask(mine, "GET", "/me/service")[1]["items"][0]["state"] == "rejected"
    status, sheet = ask(lead, "GET", f"{shift}/attendance")
    assert sheet["items"][0]["state"] == "rejected"
    status, refused = ask(scene.stranger.member_id, "POST", f"{shift}/attendance/rejection")
    assert (status, refused["code"]) == (404, "not_attended")


def test_who_stayed_away_answers_and_a_second_person_decides(ask, scene, secretary):
    shift, claim = f"/shifts/{scene.shift_id}", scene.claim_id
    assert ask(scene.organizer.member_id, "POST", f"{shift}/no-shows") == (
        200,
        {"recorded": 1},
    )
    mine = scene.volunteer.member_id
    status, told = ask(mine, "POST", f"/claims/{claim}/no-show/answer", answer="发烧了")
    assert (status, told["state"]) == (200, "answered")
    listed = ask(secretary, "GET", "/no-shows")[1]["items"]
    assert [each["answer"] for each in listed] == ["发烧了"]
    decide = f"/no-shows/{claim}/decision"
    status, decided = ask(secretary, "POST", decide, decision="excuse")
    assert (status, decided["state"]) == (200, "excused")
    status, refused = ask(secretary, "POST", decide, decision="uphold")
    assert (status, refused["code"], refused["state"]) == (409, "no_show_decided", "excused")
    assert ask(secretary, "GET", "/no-shows")[1]["items"] == []


def test_a_secretary_decides_on_one_page(app, ask, scene, writing, secretary):
    lead, shift = scene.organizer.member_id, f"/shifts/{scene.shift_id}"
    until = (ENDS + timedelta(hours=1)).isoformat()
    ask(lead, "POST", f"{shift}/overtime", until=until, reason="活没干完")
    ask(lead, "POST", f"{shift}/no-shows")
    office = Browser(app, secretary)
    page = office.open("/hours")
    assert "活没干完" in words_of(page)
    page = office.send(
        office.form(page, f"/hours/overtime/{scene.shift_id}"), decision="approve"
    )
    page = office.send(
        office.form(page, f"/hours/no-shows/{scene.claim_id}"), decision="excuse"
    )
    assert "没有待审批的延时" in words_of(page)
    assert "没有待处理的记录" in words_of(page)
    with writing() as session:
        assert session.scalars(select(Overtime)).one().state == "approved"


def test_without_the_lock_two_come_back_as_two(app, scene, writing):
    """The control: both see that the person left, and each opens a coming of its own."""
    scene.check_in()
    scene.check_out(STARTS + timedelta(minutes=30))
    both_have_looked = threading.Barrier(2, timeout=MEET_SECONDS_MAX)

    def careless(number: int) -> None:
        with reading() as session:
            has_left = session.scalar(select(Attendance.checked_out_at)) is not None
        both_have_looked.wait()
        if has_left:
            scene.write_carelessly(number, AFTER)

    race(app, [lambda number=number: careless(number) for number in (2, 3)])
    with writing() as session:
        assert how_many(session, Attendance) == 3


def test_without_the_lock_two_taps_take_the_hours_back_twice(app, scene, writing):
    """The control: both see the entry stand, and each takes it away under a cause of its
    own."""
    member_id = scene.volunteer.member_id
    with writing() as session:
        a_score_entry(session, member_id, service_minutes=120)
    both_have_looked = threading.Barrier(2, timeout=MEET_SECONDS_MAX)

    def careless() -> None:
        with reading() as session:
            stands = service_minutes_of(session, member_id) > 0
        both_have_looked.wait()
        if stands:
            run(lambda session: a_score_entry(session, member_id, service_minutes=-120))

    race(app, [careless, careless])
    with writing() as session:
        assert how_many(session, ScoreEntry) == 3
        assert service_minutes_of(session, member_id) == -120
