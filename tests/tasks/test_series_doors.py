"""The doors of series: plain choices and rules, dates changed and kept, standing claims."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from pointsbank.tasks.models import Series, Shift, StandingClaim
from pointsbank.tasks.series_errors import BadRule
from pointsbank.tasks.series_form import rule_from
from tests.browsing import Browser, words_of
from tests.builders import a_claim, a_member, a_shift, how_many, signed_in, with_role
from tests.moments import NOON
from tests.tasks.repeating import SATURDAYS, a_series, days, shift_on, told


@pytest.fixture(autouse=True)
def _at_noon():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def organizer(writing):
    with writing() as session:
        return with_role(session, a_member(session, "李敏"), "organizer")


@pytest.fixture
def asked(app, client, organizer):
    """Return a way to ask the JSON API as an organizer, or as another member."""

    def ask(method, path, body=None, member_id=None):
        headers = signed_in(app, member_id or organizer, NOON)
        answer = client.open(f"/api/v1{path}", method=method, json=body, headers=headers)
        return answer.status_code, answer.get_json(silent=True)

    return ask


def test_a_program_repeats_changes_and_ends(asked, writing):
    with writing() as session:
        shift_id = a_shift(session)
    body = {"rule": "freq=weekly;byday=sa", "weeks_ahead": 2}
    status, series = asked("POST", f"/shifts/{shift_id}/series", body)
    assert (status, series["rule"], series["starts"], series["weekdays"]) == (
        201,
        SATURDAYS,
        "13:30",
        ["SA"],
    )
    assert [each["starts_at"][:10] for each in series["dates"]] == [
        "2026-11-21",
        "2026-11-28",
        "2026-12-05",
    ]
    with writing() as session:
        a_claim(session, series["dates"][2]["id"])
    where = f"/series/{series['id']}"
    status, changed = asked(
        "POST", f"{where}/following", {"from_on": "2026-11-24", "starts": "09:00"}
    )
    assert status == 201
    assert ([each["id"] for each in changed["kept"]], changed["removed"], changed["made"]) == (
        [series["dates"][2]["id"]],
        1,
        1,
    )
    assert changed["series"]["follows_id"] == series["id"]
    new = f"/series/{changed['series']['id']}"
    assert asked("GET", new)[1]["dates"][0]["starts_at"] == "2026-11-28T01:00:00+00:00"
    status, ended = asked("POST", f"{new}/end", {})
    assert (status, ended["removed"], ended["series"]["state"]) == (200, 1, "ended")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"rule": "FREQ=YEARLY"}, 400, "bad_rule"),
        ({"rule": "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31"}, 400, "bad_rule"),
        ({"rule": SATURDAYS, "ends_on": "2026-11-01"}, 400, "bad_span"),
        ({"rule": SATURDAYS, "ends_on": "3026-11-01"}, 422, "bad_fields"),
        ({"rule": SATURDAYS, "weeks_ahead": 27}, 422, "bad_fields"),
        ({"rule": SATURDAYS, "weeks_ahead": "4"}, 422, "bad_fields"),
        ({"rule": "A" * 401}, 422, "bad_fields"),
        ({"rule": 7}, 422, "bad_fields"),
        ({}, 422, "bad_fields"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_reason(asked, writing, body, status, code):
    with writing() as session:
        shift_id = a_shift(session)
    answer = asked("POST", f"/shifts/{shift_id}/series", body)
    assert (answer[0], answer[1]["code"]) == (status, code)
    with writing() as session:
        assert how_many(session, Series) == 0


@pytest.mark.parametrize(
    "body",
    [
        {"starts": "24:00"},
        {"starts": "9:00"},
        {"from_on": "tomorrow"},
        {"latitude": 37.0},
        {"roles": []},
        {"lasts_minutes": 0},
    ],
)
def test_a_wrong_change_is_refused_by_its_field(asked, writing, body):
    with writing() as session:
        series_id = a_series(session)
    whole = {"from_on": "2026-11-24", **body}
    status, answer = asked("POST", f"/series/{series_id}/following", whole)
    assert (status, answer["code"]) == (422, "bad_fields")


def test_a_program_changes_one_date_and_calls_one_off(asked, writing):
    with writing() as session:
        series_id, member_id = a_series(session), a_member(session)
        moved = shift_on(session, series_id, "2026-11-28")
        off = shift_on(session, series_id, "2026-12-05")
        for shift_id in (moved, off):
            a_claim(session, shift_id, member_id)
    status, shift = asked("PATCH", f"/shifts/{moved}", {"place_name": "西门"})
    assert (status, shift["place_name"], shift["claimed"]) == (200, "西门", 1)
    role_id = shift["roles"][0]["id"]
    status, grown = asked(
        "PATCH", f"/shifts/{moved}", {"roles": [{"id": role_id, "places": 30}]}
    )
    assert (status, grown["places"]) == (200, 30)
    for _ in range(2):
        status, shift = asked("POST", f"/shifts/{off}/cancellation", {"reason": "大雪"})
        assert (status, shift["claimed"]) == (200, 0)
    dates = {each["id"]: each for each in asked("GET", f"/series/{series_id}")[1]["dates"]}
    assert dates[moved]["is_changed"]
    assert dates[off]["called_off_at"]
    with writing() as session:
        assert told(session, member_id) == ["date_changed", "shift_called_off"]


def test_a_member_stands_in_sees_it_and_ends_it(asked, writing):
    with writing() as session:
        series_id, member_id = a_series(session), a_member(session)
    where = f"/series/{series_id}/standing-claims"
    status, made = asked("POST", where, {"weekdays": ["SA"]}, member_id)
    assert (status, made["claimed"], made["missed"], made["weekdays"]) == (201, 5, 0, ["SA"])
    assert asked("POST", where, {"weekdays": ["SU"]}, member_id)[1]["code"] == (
        "not_of_the_series"
    )
    mine = asked("GET", "/me/standing-claims", None, member_id)[1]["items"]
    assert [each["id"] for each in mine] == [made["id"]]
    for _ in range(2):
        assert asked("DELETE", f"/standing-claims/{made['id']}", None, member_id)[0] == 204
    assert asked("GET", "/me/standing-claims", None, member_id)[1]["items"] == []
    assert asked("DELETE", f"/standing-claims/{made['id']}")[0] == 404


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"repeats": "daily"}, "FREQ=DAILY;INTERVAL=1"),
        ({"repeats": "daily", "every": "２"}, "FREQ=DAILY;INTERVAL=2"),
        (
            {"repeats": "weekly", "weekday_SA": "1", "weekday_TU": "1"},
            "FREQ=WEEKLY;INTERVAL=1;BYDAY=TU,SA",
        ),
        (
            {"repeats": "month_days", "month_days": "４、14日 24"},
            "FREQ=MONTHLY;INTERVAL=1;BYMONTHDAY=4,14,24",
        ),
        (
            {"repeats": "month_days", "last_day": "1"},
            "FREQ=MONTHLY;INTERVAL=1;BYMONTHDAY=-1",
        ),
        (
            {"repeats": "nth", "nth": "-1", "nth_day": "SA"},
            "FREQ=MONTHLY;INTERVAL=1;BYDAY=-1SA",
        ),
    ],
)
def test_plain_choices_become_a_rule(fields, rule):
    assert rule_from(lambda name: fields.get(name, "")) == rule


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"repeats": "yearly"},
        {"repeats": "weekly"},
        {"repeats": "daily", "every": "two"},
        {"repeats": "month_days"},
        {"repeats": "month_days", "month_days": "4, 32"},
        {"repeats": "nth", "nth": "5", "nth_day": "SA"},
        {"repeats": "nth", "nth": "1", "nth_day": "XX"},
    ],
)
def test_a_choice_that_is_missing_is_said(fields):
    with pytest.raises(BadRule):
        rule_from(lambda name: fields.get(name, ""))


def test_an_organizer_repeats_changes_and_ends_on_pages(app, organizer, writing):
    with writing() as session:
        shift_id = a_shift(session, title="<b>河道</b>清洁")
    browser = Browser(app, organizer)
    form = browser.form(browser.open(f"/shifts/{shift_id}/series/new"), "/series")
    assert form.fields["weekday_SA"] == "1"
    assert "地点都是东门桥头" in words_of(browser.open(f"/shifts/{shift_id}/series/new"))
    wrong = browser.send(form, repeats="month_days", month_days="40")
    assert wrong.status_code == 422
    assert "4、14、24" in words_of(wrong)
    page = browser.send(form, repeats="month_days", month_days="4, 14, 24")
    assert "每月4日、14日、24日" in words_of(page)
    assert "<b>河道" not in page.text
    with writing() as session:
        series_id = session.scalars(select(Series.id)).one()
        assert days(session, series_id) == ["2026-11-24", "2026-12-04", "2026-12-14"]
        claimed = shift_on(session, series_id, "2026-12-14")
        a_claim(session, claimed)
    form = browser.form(browser.open(f"/series/{series_id}/following"), "/following")
    page = browser.send(form, starts="09:30", places_0="12")
    assert "有 1 个日期已有人认领" in words_of(page)
    assert "09:30" in words_of(page)
    assert f"/shifts/{claimed}/change" in page.text
    with writing() as session:
        newest = session.scalars(select(Series.id).order_by(Series.id.desc())).first()
        assert series_places(session, newest) == {12}
    ended = browser.send(browser.form(page, "/end"))
    assert "不再重复" in words_of(ended)
    with writing() as session:
        assert days(session, newest) == []


def series_places(session, series_id):
    return set(session.scalars(select(Shift.places).where(Shift.series_id == series_id)))


def test_an_organizer_changes_one_date_on_a_page(app, organizer, writing):
    with writing() as session:
        series_id = a_series(session, places=5)
        shift_id = shift_on(session, series_id, "2026-11-28")
        for _ in range(2):
            a_claim(session, shift_id)
    browser = Browser(app, organizer)
    page = browser.open(f"/shifts/{shift_id}/change")
    form = browser.form(page, "/change")
    (places,) = [name for name in form.fields if name.startswith("places_")]
    refused = browser.send(form, **{places: "1"})
    assert refused.status_code == 422
    assert "不能再少" in words_of(refused)
    shown = browser.send(form, **{places: "6", "starts_at": "2026-11-28T14:00"})
    assert "已改好" in words_of(shown)
    with writing() as session:
        shift = session.get_one(Shift, shift_id)
        assert (shift.places, shift.starts_at) == (6, NOON + timedelta(days=7, hours=2))
    gone = browser.send(browser.form(page, "/cancellation"), reason="大雪")
    assert "已取消" in words_of(gone)


def test_a_member_stands_in_and_ends_it_on_pages(app, writing):
    with writing() as session:
        series_id, member_id = a_series(session), a_member(session)
    browser = Browser(app, member_id)
    form = browser.form(browser.open(f"/series/{series_id}/standing-claim"), "/standing-claims")
    assert form.fields["weekday_SA"] == "1"
    nothing = dict(form.fields)
    del nothing["weekday_SA"]
    assert browser.client.post(form.action, data=nothing).status_code == 422
    mine = browser.send(form)
    assert "已替您认领 5 次" in words_of(mine)
    page = browser.open(f"/series/{series_id}/standing-claim")
    browser.send(browser.form(page, "/end"))
    with writing() as session:
        assert session.scalars(select(StandingClaim.ended_at)).one() == NOON
        assert days(session, series_id)


def test_a_series_that_is_behind_is_seen_by_operator_and_organizer(
    app, client, organizer, writing
):
    with writing() as session:
        series_id = a_series(session)
    assert client.get("/readyz").get_json()["checks"]["series"] == "ok"
    assert "pointsbank_series_behind 0.0" in client.get("/metrics").get_data(as_text=True)
    with time_machine.travel(NOON + timedelta(days=2), tick=False):
        checks = client.get("/readyz").get_json()["checks"]
        assert checks["series"].startswith("1 behind")
        assert "pointsbank_series_behind 1.0" in client.get("/metrics").get_data(as_text=True)
        page = Browser(app, organizer).open(f"/series/{series_id}")
        assert "已有两晚没有生成新的日期" in words_of(page)
