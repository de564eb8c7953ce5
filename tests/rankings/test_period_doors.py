"""The doors of closed periods and grades: one main act at a time, cases, notices."""

import dataclasses
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from pointsbank.core import clock
from pointsbank.core.db import transaction
from pointsbank.messages.models import Message
from pointsbank.notices.models import Notice, NoticeLine
from pointsbank.notices.reviewing import review_notice
from pointsbank.notices.timekeeping import keep_time
from pointsbank.rankings.grade_notices import finish_locked
from pointsbank.rankings.grading import Opinion, decide_case, open_review, say_grade
from pointsbank.rankings.models import GradeReview, PeriodCourse
from pointsbank.rankings.noticing import archive_locked
from tests.browsing import Browser, words_of
from tests.builders import signed_in, with_role
from tests.rankings.closings import (
    AFTER_YEAR,
    ENTERED_LATE,
    LATER,
    YEAR,
    ZONE,
    Branch,
    close,
)


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(LATER, tick=False) as traveller:
        yield traveller


@pytest.fixture
def settings(settings):
    return dataclasses.replace(settings, ranking_visibility="published_notice")


@pytest.fixture
def branch(writing):
    """A closed branch in which one member reached the second band of the quarter."""
    with writing() as session:
        made = Branch(session)
        made.reach_second_band(session)
        with_role(session, made.secretary, "secretary", made.id)
        with_role(session, made.second, "committee", made.id)
        with_role(session, made.third, "auditor", made.id)
        close(session, made)
        return made


def course(branch, period="2026-Q3"):
    return f"/periods/{period}/{branch.id}"


def mains(page):
    """Return the words of the main acts that a page offers."""
    return page.text.count("main-act")


def review_and_lock(session, branch, by):
    """Let another person review the draft, and its working days go by."""
    (notice_id,) = session.scalars(select(Notice.id).where(Notice.state == "draft"))
    review_notice(
        session,
        notice_id=notice_id,
        actor=branch.actor(by, "secretary"),
        today=clock.now().date(),
        now=clock.now(),
    )
    later = clock.now() + timedelta(days=30)
    keep_time(session, today=later.date(), zone=ZONE, now=later)
    return later


def the_draft_shows_bands_and_no_places(writing, branch):
    with writing() as session:
        drafted = session.scalars(select(Notice)).one()
        (line,) = session.scalars(select(NoticeLine)).all()
        assert (drafted.subject, drafted.kind) == (f"ranking:2026-Q3:{branch.id}", "ranking")
        assert drafted.facts["unnamed"] == 4
        assert (line.shown_name, line.facts) == ("王*兰", {"band": "75–90"})


def correct_by_two(secretary, second, branch):
    """Let the secretary ask for the correction that is missing, and another confirm it."""
    page = secretary.open(course(branch))
    assert "封账后又有 3 条记录" in words_of(page)
    form = secretary.open(f"{course(branch)}/correction")
    assert "周芬" in words_of(form)
    page = secretary.send(secretary.form(form, "/correction"), reason="")
    assert page.status_code == 422
    secretary.send(secretary.form(page, "/correction"), reason="漏记三次服务")
    assert "/decision" not in secretary.open(f"{course(branch)}/correction").text
    page = second.open(f"{course(branch)}/correction")
    page = second.send(second.form(page, "/decision"), decision="confirm", reason="属实")
    assert "已更正" in words_of(page)


def test_a_quarter_goes_from_closing_to_its_archive(app, branch, writing):
    secretary, second = Browser(app, branch.secretary), Browser(app, branch.second)
    page = secretary.open(course(branch))
    assert mains(page) == 1
    page = secretary.send(secretary.form(page, "/notice"))
    assert "公示已拟好" in words_of(page)
    the_draft_shows_bands_and_no_places(writing, branch)
    with writing() as session:
        # Somebody entered something late; the secretary sees that it is not in.
        for _ in range(3):
            branch.entry(session, branch.members[3], now=ENTERED_LATE)
    correct_by_two(secretary, second, branch)
    page = second.open(course(branch))
    second.send(second.form(page, "/notice"))
    with writing() as session:
        first, again = session.scalars(select(Notice).order_by(Notice.no)).all()
        assert (first.state, again.state, again.replaces_id) == ("replaced", "draft", first.id)
        assert again.facts["snapshot"] == 2
        later = review_and_lock(session, branch, branch.secretary)
    with writing() as session:
        assert archive_locked(session, now=later, limit=10) == 1
        assert archive_locked(session, now=later, limit=10) == 0
    page = secretary.open(course(branch))
    assert "已归档" in words_of(page)
    assert mains(page) == 0
    assert "漏记三次服务" in words_of(secretary.open(f"{course(branch)}/versions/2"))
    assert secretary.open(f"{course(branch)}/versions/3").status_code == 404


def test_where_nothing_is_public_the_secretary_archives(app, branch, writing):
    with writing() as session:
        quiet = Branch(session)
        with_role(session, quiet.secretary, "secretary", quiet.id)
        close(session, quiet)
    browser = Browser(app, quiet.secretary)
    page = browser.open(course(quiet))
    page = browser.send(browser.form(page, "/archive"))
    assert "已归档" in words_of(page)
    with writing() as session:
        kept = session.scalars(
            select(PeriodCourse).where(PeriodCourse.organization_id == quiet.id)
        ).one()
        assert (kept.archived_by_id, kept.notice_id) == (quiet.secretary, None)


def test_the_setting_off_shows_nothing_in_public(another_app, branch):
    app = another_app(ranking_visibility="off")
    client = app.test_client()
    headers = signed_in(app, branch.secretary)
    one = f"/api/v1/closed-periods/2026-Q3/{branch.id}"
    answer = client.post(f"{one}/notice", headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "ranking_not_published")
    assert client.get(one, headers=headers).get_json()["stage"] == "unshown"
    assert client.post(f"{one}/archive", headers=headers).get_json() == {"stage": "archived"}
    again = client.post(f"{one}/archive", headers=headers)
    assert again.get_json()["code"] == "period_archived"


def test_programs_read_versions_and_differences(app, branch, writing, client):
    one = f"/api/v1/closed-periods/2026-Q3/{branch.id}"
    mine, theirs = signed_in(app, branch.secretary), signed_in(app, branch.second)
    with writing() as session:
        branch.entry(session, branch.members[4], now=ENTERED_LATE)
    found = client.get(one, headers=mine).get_json()
    assert (found["version"], found["came_after"], found["stage"]) == (1, 1, "late")
    assert [line["rank"] for line in found["lines"]] == [1, 2, 2, 4, 5]
    assert client.get(f"{one}/changes", headers=mine).get_json()["items"] == []
    asked = client.post(f"{one}/corrections", json={"reason": "漏记"}, headers=mine).get_json()
    twice = client.post(f"{one}/corrections", json={"reason": "漏记"}, headers=mine)
    assert twice.get_json()["code"] == "correction_waits"
    decision = {"decision": "confirm", "reason": "属实"}
    here = f"/api/v1/corrections/{asked['id']}/decision"
    assert client.post(here, json=decision, headers=mine).get_json()["code"] == "own_correction"
    assert client.post(here, json=decision, headers=theirs).get_json()["state"] == "confirmed"
    changes = client.get(f"{one}/changes", headers=mine).get_json()
    assert changes["version"] == 2
    own = [each for each in changes["items"] if each["is_own"]]
    assert [(each["score_before"], each["score_after"]) for each in own] == [(0, 200)]
    listed = client.get("/api/v1/closed-periods", headers=mine).get_json()["items"]
    assert [(each["period"], each["version"]) for each in listed] == [("2026-Q3", 2)]
    auditor = client.get(one, headers=signed_in(app, branch.third)).get_json()
    assert auditor["lines"][0]["name"] == "王*兰"
    assert client.get(f"{one}?version=9", headers=mine).status_code == 404
    assert client.post(f"{one}/corrections", json={}, headers=mine).status_code == 422
    wrong = {"reason": "异议", "objection_id": 77}
    refused = client.post(f"{one}/corrections", json=wrong, headers=mine)
    assert refused.get_json()["code"] in ("objection_not_upheld", "nothing_to_correct")


@pytest.fixture
def year(branch, writing, travel):
    travel.move_to(AFTER_YEAR)
    with writing() as session:
        for item, hundredths in (
            ("theme_day", 2250),
            ("study_session", 1125),
            ("community_duty", 1125),
        ):
            branch.entry(session, branch.members[0], hundredths, item)
        close(session, branch, YEAR, AFTER_YEAR)
        with_role(session, branch.members[0], "committee", branch.id)
    return branch


def reviewed(session, year):
    return open_review(
        session,
        organization_id=year.id,
        period="2026",
        actor=year.actor(year.second),
        now=AFTER_YEAR,
    )


def test_a_year_is_graded_shown_and_final(app, year, writing):
    secretary = Browser(app, year.secretary)
    page = secretary.open(course(year, "2026"))
    page = secretary.send(secretary.form(page, "/grades"))
    assert "还有 5 人待评定" in words_of(page)
    with writing() as session:
        review_id = session.scalars(select(GradeReview.id)).one()
    own = year.members[0]
    graded_by_the_others(app, year, f"/grades/{review_id}/members/{own}")
    with writing() as session:
        rest(session, year, review_id)
    page = secretary.open(f"/grades/{review_id}")
    page = secretary.send(secretary.form(page, "/notice"))
    assert "公示已拟好" in words_of(page)
    with writing() as session:
        notice = session.scalars(select(Notice)).one()
        assert (notice.kind, notice.window_days) == ("grade", 5)
        assert (notice.facts["members"], notice.facts["unnamed"]) == (5, 4)
        later = review_and_lock(session, year, year.second)
    with writing() as session:
        assert finish_locked(session, now=later, limit=10) == 1
        told = session.scalars(select(Message.kind).where(Message.member_id == own)).all()
        assert {"grade_decided", "grade_final"} <= set(told)
    mine = words_of(Browser(app, own).open("/me/grades"))
    assert "表现突出" in mine
    assert "已生效" in mine


def test_a_list_without_ones_own_grade_does_not_tell_it_by_its_sums(app, year, writing):
    with writing() as session:
        review_id = reviewed(session, year)
    own = year.members[0]
    graded_by_the_others(app, year, f"/grades/{review_id}/members/{own}")
    here = f"/grades/{review_id}"
    assert "合格 1" in words_of(Browser(app, year.second).open(here))
    mine = words_of(Browser(app, own).open(here))
    assert "合格 1" not in mine


def graded_by_the_others(app, year, here):
    """Let two of the committee grade a third, who sees nothing of it and can say nothing."""
    secretary, second = Browser(app, year.secretary), Browser(app, year.second)
    mine = Browser(app, year.members[0]).open(here)
    assert "请回避" in words_of(mine)
    assert "/voice" not in mine.text
    for browser in (secretary, second):
        page = browser.open(here)
        page = browser.send(browser.form(page, "/voice"), grade="qualified", reason="表现突出")
    page = second.send(second.form(page, "/decision"), reason="表现突出")
    assert "等次已评定" in words_of(page)


def rest(session, branch, review_id):
    """Let two of the committee decide every other case as advised."""
    for member_id in branch.members[1:]:
        about = {"review_id": review_id, "member_id": member_id, "now": AFTER_YEAR}
        for by in (branch.secretary, branch.second):
            say_grade(
                session, opinion=Opinion("unqualified", ""), actor=branch.actor(by), **about
            )
        decide_case(
            session,
            opinion=Opinion("unqualified", ""),
            actor=branch.actor(branch.second),
            **about,
        )


def test_programs_grade_and_own_cases_stay_closed(app, year, client):
    own = year.members[0]
    headers = signed_in(app, own)
    begun = client.post(f"/api/v1/closed-periods/2026/{year.id}/grades", headers=headers)
    one = f"/api/v1/grades/{begun.get_json()['id']}"
    cases = client.get(one, headers=headers).get_json()["cases"]
    assert [each["is_own"] for each in cases if each["member_id"] == own] == [True]
    grade = {"grade": "excellent", "reason": "我自己"}
    refused = client.post(f"{one}/members/{own}/voice", json=grade, headers=headers)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "own_grade_case")
    other = f"{one}/members/{year.members[1]}"
    voice = client.post(f"{other}/voice", json={"grade": "basic"}, headers=headers)
    assert voice.get_json()["code"] == "reason_needed"
    said = client.post(f"{other}/voice", json={**grade, "reason": "好"}, headers=headers)
    assert said.get_json()["voice_count"] == 1
    early = client.post(f"{other}/decision", json=grade, headers=headers)
    assert (early.status_code, early.get_json()["code"]) == (409, "no_majority")
    assert (
        client.post(f"{other}/voice", json={"grade": "best"}, headers=headers).status_code
        == 422
    )
    shown = client.post(f"{one}/notice", json={}, headers=headers)
    assert shown.get_json()["code"] == "grade_review_not_confirmed"
    mine = client.get("/api/v1/me/grades", headers=headers).get_json()["items"]
    assert [(each["advised"], each["grade"]) for each in mine] == [("basic", None)]


def test_a_page_of_a_foreign_branch_is_not_there(app, branch, year, writing):
    with writing() as session:
        other = Branch(session)
        with_role(session, other.second, "committee", other.id)
    stranger = Browser(app, other.second)
    assert stranger.open(course(branch)).status_code == 404
    with app.app_context(), transaction() as session:
        review_id = reviewed(session, year)
    assert stranger.open(f"/grades/{review_id}").status_code == 404
    assert stranger.open(f"/grades/{review_id}/members/{year.members[0]}").status_code == 404
