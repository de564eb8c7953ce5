"""What pages say: words that rooms share in English, ways to the notices, refused forms."""

import pytest
import time_machine

from tests.appraisals.committee_room import a_room
from tests.browsing import Browser, words_of
from tests.builders import (
    a_branch,
    a_member,
    points_spent,
    with_points,
    with_role,
)
from tests.certificates.planned import a_plan_of, plans_noticed
from tests.certificates.starring import a_home, an_objection
from tests.members.honoured import confirmed_by, recorded_by
from tests.moments import NOON

NOTICES = "/notices"
IN_ENGLISH = {"Accept-Language": "en"}


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def home(writing):
    with writing() as session:
        return a_home(session)


@pytest.fixture
def room(writing):
    with writing() as session:
        return a_room(session)


def test_a_file_speaks_of_points_and_not_of_checking_in(app, writing, home):
    with writing() as session:
        member_id = a_member(session, "王桂兰", home.branch_id)
        with_points(session, member_id, 100)
        points_spent(session, member_id, 30, "spend:1")
        honour_id = recorded_by(session, home.secretary_id, member_id)
        confirmed_by(session, home.administrator_id, member_id, honour_id)
    browser = Browser(app, member_id)
    said = words_of(browser.open("/me/file"))
    assert "收入" in said
    assert "支出" in said
    assert "签到时刻" not in said
    assert "兑换成功" not in said
    english = browser.client.get("/me/file", headers=IN_ENGLISH).text
    assert "Honour: 优秀志愿者" in english
    assert "：" not in english
    assert "；" not in english


def test_an_honour_is_confirmed_by_a_person_and_not_by_a_merchant(app, writing, home):
    with writing() as session:
        member_id = a_member(session, "王桂兰", home.branch_id)
        honour_id = recorded_by(session, home.secretary_id, member_id)
        confirmed_by(session, home.administrator_id, member_id, honour_id)
    said = words_of(Browser(app, home.secretary_id).open(f"/members/{member_id}/honours"))
    assert "第二人已确认" in said
    assert "商户确认" not in said


def test_everybody_finds_the_public_notices(app, writing, home):
    with writing() as session:
        member_id = a_member(session, "王桂兰", home.branch_id)
    for browser, page in (
        (Browser(app), "/"),
        (Browser(app), "/sign-in"),
        (Browser(app, member_id), "/me"),
    ):
        assert f'href="{NOTICES}"' in browser.open(page).text
        assert browser.open(NOTICES).status_code == 200


def test_the_reports_offer_nobody_what_is_refused(app, writing, home):
    with writing() as session:
        auditor_id = a_member(session, "周正", home.branch_id)
        with_role(session, auditor_id, "auditor", home.district_id)
    offered = {
        each: "/reports/archive" in Browser(app, each).open("/reports").text
        for each in (auditor_id, home.secretary_id)
    }
    assert offered == {auditor_id: False, home.secretary_id: True}
    for each, status in ((auditor_id, 403), (home.secretary_id, 200)):
        assert Browser(app, each).open("/reports/archive").status_code == status


def test_a_move_without_a_branch_is_asked_for_one(app, writing, home):
    with writing() as session:
        member_id = a_member(session, "王桂兰", home.branch_id)
    browser = Browser(app, home.administrator_id)
    page = browser.open(f"/members/{member_id}/moves")
    asked = browser.send(browser.form(page, "/moves"), grid_code="G7", organization_code="")
    assert asked.status_code == 422
    assert "请选择要转到的支部" in words_of(asked)
    assert browser.form(asked, "/moves").fields["grid_code"] == "G7"


@pytest.mark.parametrize("held_on", ["", "2026-02-31", "1999-01-01", "2099-01-01"])
def test_a_wrong_day_of_an_appraisal_is_said_before_anything_is_counted(app, room, held_on):
    browser = Browser(app, room.secretary_id)
    form = browser.form(browser.open("/appraisals/new"), "/appraisals/counts")
    filled = {"organization_code": room.code, "held_on": held_on}
    refused = browser.send(form, **filled)
    assert refused.status_code == 422
    assert "列出支部党员" in words_of(refused)
    assert browser.send(form, **{**filled, "held_on": "2026-11-02"}).status_code == 200


def test_who_is_taken_out_of_a_notice_is_asked_for_and_the_reason_kept(app, writing, home):
    with writing() as session:
        other = a_branch(session, "B2", home.community_id, "第二党支部")
        plans = [a_plan_of(session, each, state="reviewed") for each in (home.branch_id, other)]
        notice_id = plans_noticed(session, home.community_id, plans)
        an_objection(session, notice_id, None)
    browser = Browser(app, home.administrator_id)
    form = browser.form(browser.open("/organization-plans"), "/corrections")
    nobody = browser.send(form, reason="材料不实")
    assert nobody.status_code == 422
    assert "请勾选从公示中撤下的对象" in words_of(nobody)
    again = browser.form(nobody, "/corrections")
    assert again.fields["reason"] == "材料不实"
    unsaid = browser.send(again, plan_id=plans[0], reason="")
    assert unsaid.status_code == 422
    kept = browser.form(unsaid, "/corrections")
    assert kept.fields["plan_id"] == str(plans[0])
    done = browser.send(kept, reason="材料不实")
    assert "请勾选" not in words_of(done)
    assert done.status_code == 200
