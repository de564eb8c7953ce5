"""Manual adjustments over HTTP and on pages: what is taken, refused, shown."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import text

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.scoring.models import Adjustment
from tests.browsing import Browser, Forms, words_of
from tests.builders import a_member, how_many, signed_in
from tests.moments import NOON
from tests.scoring.hands import ZONE, asked, decided, some_hands

URL = "/api/v1/adjustments"


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(NOON) as traveller:
        yield traveller


@pytest.fixture
def hands(writing):
    with writing() as session:
        return some_hands(session)


@pytest.fixture
def as_(app):
    """Return somebody's headers, by their id."""
    return lambda member_id: signed_in(app, member_id)


def body(hands, **more):
    found = {
        "member_id": hands.member_id,
        "points": 20,
        "reason_code": "missed_scan",
        "reason": "签退时手机没电",
    }
    found.update(more)
    return {name: value for name, value in found.items() if value is not ...}


def today():
    return local_day(clock.now(), ZONE)


def asked_now(session, hands, author_id=None, **more):
    """Ask at this moment: the doors know no other."""
    return asked(session, hands, author_id, now=clock.now(), **more)


def test_one_asks_another_decides_and_it_stands_in_the_book(client, hands, as_):
    made = client.post(URL, json=body(hands), headers=as_(hands.organizer_id))
    assert made.status_code == 201
    answer = made.get_json()
    assert set(answer) == {"id", "state", "decide_by"}
    assert answer["state"] == "pending"
    decision = f"{URL}/{answer['id']}/decision"
    choice = {"decision": "approve", "reason": "情况属实"}
    done = client.post(decision, json=choice, headers=as_(hands.secretary_id))
    assert (done.status_code, done.get_json()["state"]) == (200, "approved")
    assert done.get_json()["decided_by"]["display_name"] == "张*记"
    again = client.post(decision, json=choice, headers=as_(hands.administrator_id))
    assert (again.status_code, again.get_json()["code"]) == (409, "adjustment_decided")
    lines = client.get("/api/v1/me/passbook", headers=as_(hands.member_id)).get_json()["items"]
    assert (lines[0]["kind"], lines[0]["points"]) == ("adjust_up", 20)
    assert lines[0]["source"] == {"kind": "adjustment", "id": answer["id"]}
    shown = client.get(f"{URL}/{answer['id']}", headers=as_(hands.organizer_id)).get_json()
    assert shown["transfer_id"] == lines[0]["transfer_id"]
    assert shown["member"]["display_name"] == "王*兰"


def test_author_and_beneficiary_are_refused_with_403(client, hands, as_, writing):
    mine = body(hands, member_id=hands.secretary_id)
    refused = client.post(URL, json=mine, headers=as_(hands.secretary_id))
    assert (refused.status_code, refused.get_json()["code"]) == (403, "adjustment_for_oneself")
    with writing() as session:
        found = asked_now(session, hands, hands.secretary_id)
        other = asked_now(session, hands, hands.organizer_id, member_id=hands.secretary_id)
    choice = {"decision": "approve", "reason": "属实"}
    for adjustment in (found, other):
        answer = client.post(
            f"{URL}/{adjustment.id}/decision", json=choice, headers=as_(hands.secretary_id)
        )
        assert (answer.status_code, answer.get_json()["code"]) == (403, "second_person_needed")
    by_member = client.post(
        f"{URL}/{found.id}/decision", json=choice, headers=as_(hands.member_id)
    )
    assert by_member.status_code == 403


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"points": 20.5}, "points"),
        ({"points": 20.0}, "points"),
        ({"points": "20"}, "points"),
        ({"points": "２０"}, "points"),
        ({"points": True}, "points"),
        ({"points": None}, "points"),
        ({"points": 0}, "points"),
        ({"points": 301}, "points"),
        ({"points": -301}, "points"),
        ({"points": 10**30}, "points"),
        ({"points": [20]}, "points"),
        ({"points": ...}, "_schema"),
        ({"service_minutes": 30}, "_schema"),
        ({"points": ..., "service_minutes": 481}, "service_minutes"),
        ({"points": ..., "service_minutes": 0}, "service_minutes"),
        ({"points": ..., "service_minutes": 1.5}, "service_minutes"),
        ({"member_id": "7"}, "member_id"),
        ({"member_id": 2**63}, "member_id"),
        ({"member_id": ...}, "member_id"),
        ({"reason_code": "because"}, "reason_code"),
        ({"reason_code": ...}, "reason_code"),
        ({"reason": ...}, "reason"),
        ({"reason": "  "}, "reason"),
        ({"reason": "长" * 201}, "reason"),
        ({"evidence": "长" * 401}, "evidence"),
        ({"occurred_on": "２０２６-１１-２１"}, "occurred_on"),
        ({"occurred_on": "21.11.2026"}, "occurred_on"),
        ({"occurred_on": 20261121}, "occurred_on"),
        ({"occurred_on": None}, "occurred_on"),
        ({"state": "approved"}, "state"),
        ({"author_id": 1}, "author_id"),
        ({"decided_by_id": 1}, "decided_by_id"),
        ({"evaluation_score": 5}, "evaluation_score"),
    ],
)
def test_a_bad_body_is_refused_and_leaves_nothing(client, hands, as_, writing, more, field):
    answer = client.post(URL, json=body(hands, **more), headers=as_(hands.organizer_id))
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == [field]
    with writing() as session:
        assert how_many(session, Adjustment) == 0


@pytest.mark.parametrize(
    "choice",
    [
        {},
        {"decision": "approve"},
        {"decision": "approved", "reason": "x"},
        {"decision": True, "reason": "x"},
        {"decision": "approve", "reason": ""},
        {"decision": "approve", "reason": "x", "points": 999},
        {"decision": "approve", "reason": "字" * 201},
    ],
)
def test_a_bad_decision_is_refused(client, hands, as_, writing, choice):
    with writing() as session:
        found = asked_now(session, hands)
    answer = client.post(
        f"{URL}/{found.id}/decision", json=choice, headers=as_(hands.secretary_id)
    )
    assert answer.status_code == 422
    with writing() as session:
        assert session.get_one(Adjustment, found.id).state == "pending"


def test_old_days_full_months_and_spent_points_are_said_by_code(client, hands, as_):
    def code_of(**more):
        answer = client.post(URL, json=body(hands, **more), headers=as_(hands.organizer_id))
        return answer.status_code, answer.get_json()["code"]

    old, ahead = today() - timedelta(days=8), today() + timedelta(days=1)
    assert code_of(occurred_on=old.isoformat()) == (400, "bad_occurred_on")
    assert code_of(occurred_on=ahead.isoformat()) == (400, "bad_occurred_on")
    made = client.post(URL, json=body(hands, points=-300), headers=as_(hands.organizer_id))
    assert code_of(points=1) == (409, "adjustment_month_full")
    choice = {"decision": "approve", "reason": "属实"}
    decision = f"{URL}/{made.get_json()['id']}/decision"
    refused = client.post(decision, json=choice, headers=as_(hands.secretary_id))
    assert (refused.status_code, refused.get_json()["code"]) == (409, "not_enough_points")
    shown = client.get(decision.removesuffix("/decision"), headers=as_(hands.secretary_id))
    assert shown.get_json()["state"] == "pending"


def test_the_list_pages_through_those_that_wait_and_those_that_do_not(
    client, hands, as_, writing
):
    with writing() as session:
        ids = [asked_now(session, hands).id for _ in range(5)]
        decided(session, ids[4], hands.secretary_id, now=clock.now())
    headers, seen, query = as_(hands.secretary_id), [], "?limit=2"
    while query:
        page = client.get(f"{URL}{query}", headers=headers).get_json()
        seen += [(each["id"], each["state"]) for each in page["items"]]
        query = page["next"] and f"?limit=2&cursor={page['next']}"
    assert seen == [
        *((each, "pending") for each in (ids[3], ids[2], ids[1], ids[0])),
        (ids[4], "approved"),
    ]
    assert client.get(f"{URL}?cursor=zzz", headers=headers).status_code == 400


def test_an_organizer_asks_on_a_page_and_a_secretary_decides(app, hands, writing):
    with writing() as session:
        number = session.execute(
            text("SELECT volunteer_no FROM member WHERE id = :id"), {"id": hands.member_id}
        ).scalar_one()
    organizer = Browser(app, hands.organizer_id)
    asking = organizer.open(f"/members/{hands.member_id}/adjustments/new")
    form = organizer.form(asking, "/adjustments/new")
    assert form.fields["volunteer_no"] == number
    assert form.fields["occurred_on"] == today().isoformat()
    filled = {"amount": "２０", "reason_code": "missed_scan", "reason": "手机没电"}
    page = organizer.send(form, **filled)
    assert "已提交申请" in words_of(page)
    assert "王*兰 · +20分" in words_of(page)
    assert "由第二个人审核：书记或管理员" in words_of(page)
    secretary = Browser(app, hands.secretary_id)
    listed = secretary.open("/adjustments")
    assert "王*兰 · +20分" in words_of(listed)
    leads_on = [link for link in Forms(listed.text).links if link.startswith("/adjustments/")]
    page = secretary.open(leads_on[-1])
    done = secretary.send(secretary.form(page, "/decision"), decision="approve", reason="属实")
    assert "已批准，并通知了当事人。" in words_of(done)
    member = Browser(app, hands.member_id)
    book = words_of(member.open("/passbook"))
    assert "人工调整 · 漏签到或漏签退" in book
    assert "申请人 李* 批准人 张*记" in book
    assert "李敏" not in book
    assert "张书记" not in book
    assert "一笔20分的人工调整已批准" in words_of(member.open("/messages"))


def test_the_form_keeps_what_was_typed_and_says_what_is_wrong(app, hands, writing):
    organizer = Browser(app, hands.organizer_id)
    form = organizer.form(organizer.open("/adjustments/new"), "/adjustments/new")
    answer = organizer.send(form, volunteer_no="V999", amount="1.5", reason="")
    assert answer.status_code == 422
    words = words_of(answer)
    for sentence in (
        "您管辖范围内没有这个编号的成员。",
        "请填整数：积分最多300分，时长最多480分钟。",
        "请选择原因。",
        "请说明情况，最多 200 个字。",
    ):
        assert sentence in words
    assert organizer.form(answer, "/adjustments/new").fields["volunteer_no"] == "V999"
    for bad in ("", "-5", "0", "9" * 20, "五"):
        assert organizer.send(form, amount=bad).status_code == 422
    with writing() as session:
        assert how_many(session, Adjustment) == 0


@pytest.mark.parametrize(
    ("what", "amount", "size"),
    [
        ("points_down", "20", "\u221220分"),
        ("minutes_up", "90", "服务时长+1小时30分"),
        ("minutes_down", "30", "服务时长\u221230分钟"),
    ],
)
def test_the_form_takes_time_and_takes_back(app, hands, writing, what, amount, size):
    organizer = Browser(app, hands.organizer_id)
    page = organizer.open(f"/members/{hands.member_id}/adjustments/new")
    form = organizer.form(page, "/adjustments/new")
    more = {"what": what, "amount": amount, "reason_code": "other", "reason": "更正"}
    assert size in words_of(organizer.send(form, **more))


def test_a_decision_without_a_reason_changes_nothing(app, hands, writing):
    with writing() as session:
        found = asked_now(session, hands)
    secretary = Browser(app, hands.secretary_id)
    form = secretary.form(secretary.open(f"/adjustments/{found.id}"), "/decision")
    for choice in ({"decision": "approve", "reason": " "}, {"reason": "属实"}):
        assert "请写明理由" in words_of(secretary.send(form, **choice))
    with writing() as session:
        assert session.get_one(Adjustment, found.id).state == "pending"


def test_who_may_not_decide_is_not_asked_to(app, hands, writing):
    with writing() as session:
        found = asked_now(session, hands, hands.secretary_id)
    for person in (hands.secretary_id, hands.organizer_id):
        page = Browser(app, person).open(f"/adjustments/{found.id}")
        assert not [f for f in Forms(page.text).forms if f.action.endswith("/decision")]


def test_an_overdue_one_is_shown_as_lapsed(app, hands, writing, client, as_):
    with writing() as session:
        found = asked(session, hands, now=clock.now() - timedelta(days=7, minutes=1))
    page = Browser(app, hands.secretary_id).open(f"/adjustments/{found.id}")
    assert "已作废" in words_of(page)
    shown = client.get(f"{URL}/{found.id}", headers=as_(hands.secretary_id)).get_json()
    assert shown["state"] == "lapsed"


def test_what_is_typed_is_escaped(app, hands, writing):
    with writing() as session:
        found = asked_now(session, hands, reason="<script>alert(1)</script>", evidence="<b>x")
    page = Browser(app, hands.secretary_id).open(f"/adjustments/{found.id}")
    assert "<script>alert(1)" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text


def test_a_volunteer_has_no_way_to_adjustments(app, hands, writing):
    with writing() as session:
        volunteer = a_member(session)
    assert Browser(app, volunteer).open("/adjustments").status_code == 403
