"""People registered on the spot: both or neither, once for each nonce, found by their phone."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from pointsbank.attendance import walk_ins
from pointsbank.attendance.models import Attendance, Scan
from pointsbank.members.models import Member
from pointsbank.tasks.models import Shift
from tests.attendance.scene import ENDS, STARTS
from tests.browsing import Browser, words_of
from tests.builders import a_member, signed_in
from tests.racing import forget_lock, meet_after, race

PHONE = "13800138000"
SENDINGS = 6


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(STARTS, tick=False) as traveller:
        yield traveller


@pytest.fixture
def take(app, client, scene):
    headers = signed_in(app, scene.organizer.member_id, STARTS)

    def take_one(name="新来的", nonce="n-1", **more):
        body = {"nonce": nonce, "name": name, **more}
        address = f"/api/v1/shifts/{scene.shift_id}/walk-ins"
        return client.post(address, json=body, headers=headers)

    return take_one


def members_named(writing, name="新来的"):
    with writing() as session:
        return session.execute(
            select(Member.id, Member.phone, Member.kind, Member.organization_id).where(
                Member.name == name
            )
        ).all()


def came(writing, member_id):
    with writing() as session:
        return session.execute(
            select(Attendance.state, Attendance.flags).where(Attendance.member_id == member_id)
        ).all()


def test_somebody_new_is_a_member_of_the_shifts_organization_and_present(take, writing, scene):
    answer = take(phone=PHONE)
    assert answer.status_code == 201, answer.text
    assert (answer.json["is_new"], answer.json["verdict"]["reason"]) == (True, "ok_in")
    found = members_named(writing)
    assert [(row.phone, row.kind) for row in found] == [(PHONE, "volunteer")]
    assert [row.state for row in came(writing, found[0].id)] == ["present"]
    assert "walk_in" in came(writing, found[0].id)[0].flags
    with writing() as session:
        assert session.get_one(Shift, scene.shift_id).claimed == 2


def test_the_same_nonce_registers_once_and_answers_the_same(take, writing):
    first, second = take(), take()
    assert first.json["member_id"] == second.json["member_id"]
    assert first.json["verdict"]["scan_id"] == second.json["verdict"]["scan_id"]
    assert len(members_named(writing)) == 1


def taken_at_once(app, scene):
    """Send one registration six times at one moment; return whom each answer names."""
    headers = signed_in(app, scene.organizer.member_id, STARTS)
    clients = [app.test_client() for _ in range(SENDINGS)]
    address = f"/api/v1/shifts/{scene.shift_id}/walk-ins"
    body = {"nonce": "same", "name": "新来的"}
    answers = race(
        app,
        [
            lambda client=client: client.post(address, json=body, headers=headers)
            for client in clients
        ],
    )
    assert {answer.status_code for answer in answers} == {201}
    return {answer.json["member_id"] for answer in answers}


def test_the_same_nonce_at_one_moment_registers_once(app, scene, writing):
    assert len(taken_at_once(app, scene)) == 1
    assert len(members_named(writing)) == 1


@pytest.mark.engine("postgresql")
def test_without_waiting_the_same_person_is_registered_again(app, scene, writing, monkeypatch):
    """The control: all have asked for the nonce before one registers.

    The counter of volunteer numbers then lets them on one after the other, so that each finds
    the check-in of the first.
    """
    forget_lock(monkeypatch, walk_ins, Member.id)
    meet_after(monkeypatch, walk_ins, "_answered_before", SENDINGS)
    assert len(taken_at_once(app, scene)) == SENDINGS
    assert len(members_named(writing)) == SENDINGS


def test_a_member_is_found_by_phone_and_name(take, writing):
    with writing() as session:
        known = a_member(session, "孙平", phone=PHONE)
    answer = take("孙平", phone="138 0013 8000")
    assert (answer.json["member_id"], answer.json["is_new"]) == (known, False)
    assert [row.state for row in came(writing, known)] == ["present"]


def test_a_phone_under_another_name_tells_nothing_more(take, writing):
    with writing() as session:
        a_member(session, "孙平", phone=PHONE)
    answer = take("别人", phone=PHONE)
    assert (answer.status_code, answer.json["code"]) == (409, "phone_taken")
    assert "孙" not in answer.text
    assert members_named(writing, "别人") == []


def test_a_check_in_that_is_refused_registers_nobody(take, writing, travel):
    travel.move_to(ENDS + timedelta(hours=3))
    answer = take()
    assert (answer.status_code, answer.json["code"]) == (409, "walk_in_not_taken")
    assert answer.json["reason"] == "too_late"
    assert members_named(writing) == []


def test_too_early_needs_a_reason(take, writing, travel):
    travel.move_to(STARTS - timedelta(hours=1))
    assert take().json["reason"] == "too_early"
    assert take(note="来搬桌子").status_code == 201
    assert len(members_named(writing)) == 1


def test_what_a_station_kept_is_judged_as_of_then(take, writing, travel):
    travel.move_to(ENDS + timedelta(hours=1))
    answer = take(scanned_at=(STARTS + timedelta(minutes=5)).isoformat(), offline=True)
    assert answer.status_code == 201, answer.text
    with writing() as session:
        marks = session.scalars(
            select(Attendance.checked_in_at).where(
                Attendance.member_id == answer.json["member_id"]
            )
        ).all()
        flags = session.scalars(
            select(Scan.flags).where(Scan.id == answer.json["verdict"]["scan_id"])
        ).one()
    assert marks == [STARTS + timedelta(minutes=5)]
    assert {"offline", "walk_in"} <= set(flags)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"phone": "12345"}, "not_a_phone"),
        ({"name": " "}, "bad_fields"),
        ({"nonce": ""}, "bad_fields"),
        ({"kind": "staff"}, "bad_fields"),
    ],
)
def test_what_is_typed_wrong_is_refused(take, writing, body, code):
    assert take(**body).json["code"] == code
    assert members_named(writing) == []


def test_the_page_registers_and_shows_the_number(app, scene, writing):
    browser = Browser(app, scene.organizer.member_id)
    page = browser.open(f"/shifts/{scene.shift_id}/walk-ins")
    form = browser.form(page, "/walk-ins")
    wrong = browser.send(form, name="新来的", phone="12345")
    assert wrong.status_code == 400
    assert "11 位手机号" in words_of(wrong)
    done = browser.send(browser.form(wrong, "/walk-ins"), name="新来的", phone="")
    assert done.status_code == 200
    assert "签到成功" in words_of(done)
    with writing() as session:
        number = session.scalars(
            select(Member.volunteer_no).where(Member.name == "新来的")
        ).one()
    assert number in words_of(done)
