"""The pages of tasks: find, claim, give up; plan, publish, call off."""

from datetime import timedelta

import pytest
import time_machine

from pointsbank.tasks.claiming import give_up_claim
from pointsbank.tasks.drafting import Details, NewRole
from pointsbank.tasks.models import Shift, ShiftRole, Task
from pointsbank.tasks.publishing import call_off_task
from tests.browsing import Browser, Forms, words_of
from tests.builders import a_claim, a_member, a_shift, a_task, how_many, with_role
from tests.counting import statements_of
from tests.moments import NOON
from tests.tasks.planning import a_drafted_task, a_plan_with_roles, a_shift_with_roles


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


def test_a_role_is_added_without_script_and_the_draft_is_changed(organizer, writing):
    form = organizer.form(organizer.open("/organizing/new"), "/organizing/new")
    assert form.fields["places_1"] == "10"
    assert form.fields["contact_name"] == "李敏"
    more = organizer.form(organizer.send(form, **FORM, more_roles="1"), "/organizing/new")
    assert more.fields["places_1"] == "２５"
    kept = {name: FORM[name] for name in ("kind", "organization_code", "scoring_item")}
    roles = {"role_1_1": "保洁", "places_1": "6", "role_1_2": "司机", "places_1_2": "2"}
    driving = {"role_skill_1_2": "driving", "risk_level": "high", "insurance_ref": "P1"}
    planned = organizer.send(more, **kept, **roles, **driving)
    assert "保洁" in words_of(planned)
    assert "P1" in words_of(planned)
    with writing() as session:
        task_id = session.query(Task).one().id
        first, second = session.query(ShiftRole).order_by(ShiftRole.id)
        assert (first.name, first.places, first.eligibility) == ("保洁", 6, {})
        assert (second.name, second.eligibility) == (
            "司机",
            {"rule": "skill", "code": "driving"},
        )
        assert session.query(Shift).one().places == 8
    edit = organizer.form(organizer.open(f"/organizing/{task_id}/edit"), "/edit")
    assert edit.fields["starts_at_1"] == FORM["starts_at_1"]
    chosen = {**kept, "role_skill_1_2": "driving", "risk_level": "high"}
    assert "社区夜巡" in words_of(organizer.send(edit, **chosen, title="社区夜巡"))
    with writing() as session:
        assert session.query(Task).one().title == "社区夜巡"
        assert [role.name for role in session.query(ShiftRole).order_by(ShiftRole.id)] == [
            "保洁",
            "司机",
        ]


def test_requirements_that_a_form_cannot_say_survive_it(organizer, writing):
    party = {"any": [{"rule": "kind", "in": ["party_member"]}, {"rule": "trust", "min": 2}]}
    with writing() as session:
        plan = a_plan_with_roles(NewRole("领队", 1, party), NewRole("保洁", 1))
        task_id = a_drafted_task(session, plan, details=Details(eligibility=party))
    edit = organizer.form(organizer.open(f"/organizing/{task_id}/edit"), "/edit")
    kept = {name: FORM[name] for name in ("kind", "organization_code", "scoring_item")}
    assert organizer.send(edit, **kept, risk_level="low").status_code == 200
    with writing() as session:
        assert session.get_one(Task, task_id).eligibility == party
        assert session.query(ShiftRole).order_by(ShiftRole.id).first().eligibility == party


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("risk_level", "deadly"),
        ("contact_phone", "call me"),
        ("break_minutes_1", "soon"),
        ("claims_open_at", "soon"),
        ("eligibility_age_min", "old"),
    ],
)
def test_a_wrong_detail_comes_back_with_a_sentence(organizer, writing, name, value):
    form = organizer.form(organizer.open("/organizing/new"), "/organizing/new")
    answer = organizer.send(form, **{**FORM, name: value})
    assert answer.status_code == 422
    assert "problems" in answer.text
    with writing() as session:
        assert how_many(session, Task) == 0


def test_a_task_says_what_is_asked_and_what_is_missing(volunteer, writing):
    skill = {"rule": "skill", "code": "first_aid"}
    with writing() as session:
        shift_id = a_shift_with_roles(session, NewRole("急救", 1, skill), NewRole("保洁", 2))
        task_id = session.get_one(Shift, shift_id).task_id
    page = volunteer.open(f"/tasks/{task_id}")
    assert "急救" in words_of(page)
    (claim,) = [each for each in Forms(page.text).forms if each.action.endswith("/claims")]
    with writing() as session:
        cleaning = session.query(ShiftRole).filter_by(name="保洁").one().id
    assert claim.fields["role_id"] == str(cleaning)
    assert "已经记下" in words_of(volunteer.send(claim))


def test_the_contact_appears_with_the_claim_and_goes_with_it(volunteer, writing):
    details = Details(contact_name="李敏", contact_phone="13912345678")
    with writing() as session:
        shift_id = a_shift_with_roles(session, NewRole("", 2), details=details)
        task_id = session.get_one(Shift, shift_id).task_id
    page = volunteer.open(f"/tasks/{task_id}")
    assert "13912345678" not in page.text
    claimed = volunteer.send(volunteer.form(page, "/claims"))
    assert "tel:13912345678" in claimed.text
    volunteer.send(volunteer.form(claimed, "/withdrawal"), reason="临时有事")
    assert "13912345678" not in volunteer.open(f"/tasks/{task_id}").text


def test_a_place_is_accepted_on_its_page(app, volunteer, writing):
    with writing() as session:
        shift_id = a_shift(session, NOON + timedelta(days=2), places=1)
        task_id = session.get_one(Shift, shift_id).task_id
        leaving = a_member(session)
        held = a_claim(session, shift_id, leaving)
    page = volunteer.open(f"/tasks/{task_id}")
    volunteer.send(volunteer.form(page, "/claims"))
    with writing() as session:
        give_up_claim(session, claim_id=held.id, member_id=leaving, now=NOON)
    assert "请确认" in words_of(volunteer.open("/my-tasks"))
    offered = volunteer.open(f"/tasks/{task_id}")
    assert "轮到您了" in words_of(offered)
    volunteer.send(volunteer.form(offered, "/acceptance"))
    assert "轮到您了" not in words_of(volunteer.open(f"/tasks/{task_id}"))


def test_an_overlap_is_warned_of_before_and_after(volunteer, writing):
    with writing() as session:
        first = a_shift(session, title="社区夜巡")
        second = a_shift(session)
        ids = [session.get_one(Shift, each).task_id for each in (first, second)]
    volunteer.send(volunteer.form(volunteer.open(f"/tasks/{ids[0]}"), "/claims"))
    page = volunteer.open(f"/tasks/{ids[1]}")
    assert "同一时间您还有“社区夜巡”" in words_of(page)
    assert "请注意" in words_of(volunteer.send(volunteer.form(page, "/claims")))


def test_what_was_called_off_stays_on_ones_list(volunteer, writing):
    with writing() as session:
        shift_id = a_shift(session, NOON + timedelta(days=2), title="河道清洁")
        task_id = session.get_one(Shift, shift_id).task_id
    volunteer.send(volunteer.form(volunteer.open(f"/tasks/{task_id}"), "/claims"))
    with writing() as session:
        call_off_task(
            session, task_id=task_id, actor_id=1, paths=["/"], reason="大雨", now=NOON
        )
    assert "已取消" in words_of(volunteer.open("/my-tasks"))


def test_many_places_go_to_whoever_approves(app, organizer, writing):
    with writing() as session:
        secretary_id = with_role(session, a_member(session, "赵书记"), "secretary")
    secretary = Browser(app, secretary_id)
    form = organizer.form(organizer.open("/organizing/new"), "/organizing/new")
    planned = organizer.send(form, **{**FORM, "places_1": "51"})
    submitted = organizer.send(organizer.form(planned, "/publication"))
    assert "已提交审批" in words_of(submitted)
    with writing() as session:
        task_id = session.query(Task).one().id
    assert "河道清洁" in words_of(secretary.open("/approvals"))
    page = secretary.open(f"/approvals/{task_id}")
    approve = next(
        each for each in Forms(page.text).forms if each.fields.get("decision") == "approve"
    )
    assert "已批准" in words_of(secretary.send(approve))
    assert "没有等待审批" in words_of(secretary.open("/approvals"))


def test_an_open_task_changes_its_words_on_a_page(organizer, writing):
    with writing() as session:
        shift_id = a_shift(session, NOON + timedelta(days=2))
        task_id = session.get_one(Shift, shift_id).task_id
    form = organizer.form(organizer.open(f"/organizing/{task_id}/words"), "/words")
    wrong = organizer.send(form, contact_phone="call me")
    assert wrong.status_code == 422
    changed = organizer.send(form, summary="带手套", **{f"place_name_{shift_id}": "西门"})
    assert "大家的名额都保留" in words_of(changed)
    assert "西门" in words_of(changed)
