"""The pages of tasks: find, claim, give up; plan, publish, call off."""

from datetime import timedelta

import pytest
import time_machine

from pointsbank.tasks.models import Shift, Task
from tests.browsing import Browser, Forms, words_of
from tests.builders import a_claim, a_member, a_shift, a_task, how_many, with_role
from tests.counting import statements_of
from tests.moments import NOON


@pytest.fixture(autouse=True)
def _at_noon():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def volunteer(app, writing):
    with writing() as session:
        member_id = a_member(session)
    return Browser(app, member_id)


@pytest.fixture
def organizer(app, writing):
    with writing() as session:
        member_id = with_role(session, a_member(session, "李敏"), "organizer")
    return Browser(app, member_id)


def test_a_task_is_found_claimed_and_given_up(volunteer, writing):
    with writing() as session:
        shift_id = a_shift(session, title="<b>河道</b>清洁")
    found = volunteer.open("/tasks")
    assert "<b>河道</b>清洁" in words_of(found)
    assert "<b>河道" not in found.text
    (link,) = [each for each in Forms(found.text).links if each.startswith("/tasks/")]
    page = volunteer.open(link)
    claimed = volunteer.send(volunteer.form(page, "/claims"))
    assert "已经记下" in words_of(claimed)
    assert "河道" in words_of(volunteer.open("/my-tasks"))
    gone = volunteer.send(volunteer.form(claimed, "/withdrawal"))
    assert "已退领" in words_of(gone)
    with writing() as session:
        assert session.get_one(Shift, shift_id).claimed == 0


def test_a_full_shift_tells_the_place_in_line(volunteer, writing):
    with writing() as session:
        shift_id = a_shift(session, places=1)
        a_claim(session, shift_id)
        task_id = session.get_one(Shift, shift_id).task_id
    page = volunteer.open(f"/tasks/{task_id}")
    waiting = volunteer.send(volunteer.form(page, "/claims"))
    assert "候补" in words_of(waiting)
    assert "候补第 1 位" in words_of(volunteer.open("/my-tasks"))


def test_drafts_are_pages_for_their_organizers_only(volunteer, organizer, writing):
    with writing() as session:
        task_id = a_task(session, is_open=False)
    assert volunteer.open(f"/tasks/{task_id}").status_code == 404
    assert volunteer.open("/organizing").status_code == 403
    assert organizer.open(f"/tasks/{task_id}").status_code == 200
    page = organizer.open(f"/organizing/{task_id}")
    published = organizer.send(organizer.form(page, "/publication"))
    assert "已发布" in words_of(published)
    assert volunteer.open(f"/tasks/{task_id}").status_code == 200


FORM = {
    "title": "河道清洁",
    "kind": "activity",
    "organization_code": "140303001002",
    "scoring_item": "volunteer_hour",
    "summary": "沿河捡拾垃圾",
    "risk_note": "岸边湿滑",
    "starts_at_1": "2026-11-24T13:30",
    "ends_at_1": "2026-11-24T16:00",
    "places_1": "２５",
    "place_name_1": "东门桥头",
}


def test_a_task_is_planned_in_local_time_and_called_off(organizer, writing):
    form = organizer.form(organizer.open("/organizing/new"), "/organizing/new")
    planned = organizer.send(form, **FORM)
    assert "草稿" in words_of(planned)
    with writing() as session:
        shift = session.query(Shift).one()
        assert shift.starts_at == NOON + timedelta(days=3, minutes=90)
        assert shift.places == 25
    gone = organizer.send(organizer.form(planned, "/cancellation"), reason="大雨")
    assert "已取消" in words_of(gone)


def test_another_shift_is_added_without_saving(organizer, writing):
    form = organizer.form(organizer.open("/organizing/new"), "/organizing/new")
    more = organizer.send(form, **FORM, more="1")
    again = organizer.form(more, "/organizing/new")
    assert again.fields["starts_at_2"] == "2026-11-24T13:30"
    second = {"starts_at_2": "2026-11-25T13:30", "ends_at_2": "2026-11-25T16:00"}
    kept = {name: FORM[name] for name in ("kind", "organization_code", "scoring_item")}
    organizer.send(again, **kept, **second)
    with writing() as session:
        assert (how_many(session, Task), how_many(session, Shift)) == (1, 2)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("title", ""),
        ("title", "x" * 81),
        ("kind", "war"),
        ("scoring_item", ""),
        ("scoring_item", "daily_sign_in"),
        ("organization_code", "nowhere"),
        ("starts_at_1", ""),
        ("starts_at_1", "soon"),
        ("starts_at_1", "0001-01-01T00:00"),
        ("ends_at_1", "2026-11-24T13:30"),
        ("ends_at_1", "9999-12-31T23:59"),
        ("places_1", "0"),
        ("places_1", "-3"),
        ("places_1", "9" * 30),
        ("places_1", "1.5"),
        ("place_name_1", ""),
    ],
)
def test_a_wrong_field_comes_back_with_a_sentence(organizer, writing, name, value):
    form = organizer.form(organizer.open("/organizing/new"), "/organizing/new")
    answer = organizer.send(form, **{**FORM, name: value})
    assert answer.status_code == 422
    assert "请再看一下" in words_of(answer) or "problems" in answer.text
    with writing() as session:
        assert how_many(session, Task) == 0


def test_lists_ask_the_database_no_more_for_more_rows(app, volunteer, organizer, writing):
    def statements() -> list[int]:
        counts = []
        for visitor, path in (
            (volunteer, "/tasks"),
            (volunteer, "/my-tasks"),
            (organizer, "/organizing"),
        ):
            with statements_of(app) as sent:
                assert visitor.open(path).status_code == 200
            counts.append(sum(each.lstrip().startswith("SELECT") for each in sent))
        return counts

    with writing() as session:
        a_claim(session, a_shift(session))
    few = statements()
    with writing() as session:
        for number in range(8):
            a_claim(session, a_shift(session, title=f"河道清洁 {number}"))
    assert statements() == few
    # One of them, on every page, counts the messages that its reader has not read.
    assert max(few) <= 9
