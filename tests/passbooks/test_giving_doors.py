"""Gifts and care funds from outside: programs' calls, bad input by hand, and the pages."""

import re
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from pointsbank.jobs.table import work_expiry
from pointsbank.ledger.queries import balance_of
from pointsbank.ledger.verifying import offenders
from pointsbank.messages.models import Message
from pointsbank.passbooks.care import spending_of
from pointsbank.passbooks.gifts import gifts_of
from pointsbank.passbooks.models import CareFundSpending, Donation, Gift
from tests.builders import a_member as a_person
from tests.builders import a_merchant, how_many, signed_in, with_points, with_role
from tests.moments import NOON
from tests.passbooks.family import ZONE, Family
from tests.passbooks.test_funds import Street

KEY = re.compile(r'name="idempotency_key" value="([^"]+)"')


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def family(app, writing):
    people = Family(app)
    with writing() as session:
        people.settle_in(session)
        with_points(session, people.grandmother, 500)
    return people


@pytest.fixture
def street(app, writing):
    return Street(app, writing)


@pytest.fixture
def knock(app, client):
    """Send a request as a member, and look at its status."""
    headers = {}

    def send(member_id, method, path, status, key=None, **more):
        if member_id not in headers:
            headers[member_id] = signed_in(app, member_id)
        sent = {**headers[member_id], **({"Idempotency-Key": key} if key else {})}
        answer = client.open(path, method=method, headers=sent, **more)
        assert answer.status_code == status, answer.text
        return answer

    return send


def test_a_program_gives_once_for_a_key(family, knock, writing):
    wish = {"receiver_id": family.son, "points": 30, "words": "买药"}
    first = knock(family.grandmother, "POST", "/api/v1/me/gifts", 201, "k", json=wish)
    again = knock(family.grandmother, "POST", "/api/v1/me/gifts", 201, "k", json=wish)
    assert again.get_json() == first.get_json()
    assert again.headers["Idempotency-Replayed"] == "true"
    body = first.get_json()
    assert body["receiver"] == {"id": family.son, "display_name": "李*国"}
    assert (body["points"], body["balance_after"], body["month_left"]) == (30, 470, 170)
    other = {**wish, "points": 31}
    refused = knock(family.grandmother, "POST", "/api/v1/me/gifts", 409, "k", json=other)
    assert refused.get_json()["code"] == "key_reused"
    with writing() as session:
        assert how_many(session, Gift) == 1
        told = session.scalars(select(Message).where(Message.member_id == family.son)).all()
        assert [(each.kind, each.facts["points"]) for each in told] == [("gift_received", 30)]


@pytest.mark.engine("sqlite")
@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"points": 0}, 422, "bad_fields"),
        ({"points": -5}, 422, "bad_fields"),
        ({"points": 201}, 422, "bad_fields"),
        ({"points": 10.0}, 422, "bad_fields"),
        ({"points": "10"}, 422, "bad_fields"),
        ({"points": True}, 422, "bad_fields"),
        ({"points": None}, 422, "bad_fields"),
        ({"points": 2**70}, 422, "bad_fields"),
        ({"points": float("nan")}, 422, "bad_fields"),
        ({"words": "长" * 61}, 422, "bad_fields"),
        ({"words": 5}, 422, "bad_fields"),
        ({"receiver_id": 0}, 422, "bad_fields"),
        ({"receiver_id": "7"}, 422, "bad_fields"),
        ({"receiver_id": 2**63 - 1}, 404, "not_of_household"),
        ({"giver_id": 1}, 422, "bad_fields"),
        ({"receiver_id": "SELF"}, 400, "gift_to_oneself"),
        ({"receiver_id": "NEIGHBOUR"}, 404, "not_of_household"),
        ({"key": None}, 400, "idempotency_key_missing"),
        ({"key": "no spaces"}, 400, "idempotency_key_missing"),
    ],
)
def test_bad_gifts_are_refused(family, knock, writing, change, status, code):
    change = dict(change)
    key = change.pop("key", "k")
    people = {"SELF": family.grandmother, "NEIGHBOUR": family.neighbour}
    if change.get("receiver_id") in people:
        change["receiver_id"] = people[change["receiver_id"]]
    wish = {"receiver_id": family.son, "points": 10, **change}
    answer = knock(family.grandmother, "POST", "/api/v1/me/gifts", status, key, json=wish)
    assert answer.get_json()["code"] == code
    with writing() as session:
        assert how_many(session, Gift) == 0


def test_lines_of_gifts_read_well(family, knock):
    given = family.give(family.grandmother, family.son, 30)
    for person, kind, memo in (
        (family.grandmother, "gift_out", "转赠给家人"),
        (family.son, "gift_in", "家人转赠"),
    ):
        line = knock(person, "GET", "/api/v1/me/passbook", 200).get_json()["items"][0]
        assert (line["kind"], line["memo"]) == (kind, memo)
        assert line["source"] == {"kind": "gift", "id": given.id}
        page = knock(person, "GET", "/passbook", 200).text
        assert f'href="/gifts/{given.id}"' in page
    out = knock(family.grandmother, "GET", "/passbook?kind=out", 200).text
    assert "转赠给家人" in out
    assert "转赠给家人</span>" not in knock(family.son, "GET", "/passbook?kind=out", 200).text


def test_the_pages_lead_from_a_person_to_the_gift(family, knock, writing):
    start = knock(family.grandmother, "GET", "/gifts", 200).text
    assert "李*国" in start
    assert "李建国" not in start
    choose = knock(family.grandmother, "GET", f"/gifts/to/{family.son}", 200).text
    assert 'name="points" value="50"' in choose
    form = {"receiver_id": family.son, "points": "５０"}
    look = knock(family.grandmother, "POST", "/gifts/look", 200, data=form).text
    assert "450" in look
    with writing() as session:
        assert how_many(session, Gift) == 0
    sent = {**form, "words": "买药", "idempotency_key": KEY.search(look)[1]}
    first = knock(family.grandmother, "POST", "/gifts", 303, data=sent)
    again = knock(family.grandmother, "POST", "/gifts", 303, data=sent)
    assert again.location == first.location
    with writing() as session:
        assert how_many(session, Gift) == 1
    for person, word in ((family.grandmother, "已转赠"), (family.son, "收到转赠")):
        page = knock(person, "GET", first.location, 200).text
        assert word in page
        assert "买药" in page
    knock(family.neighbour, "GET", first.location, 404)


@pytest.mark.parametrize(
    ("form", "status", "sentence"),
    [
        ({"points": ""}, 400, "1 到 200"),
        ({"points": "0"}, 400, "1 到 200"),
        ({"points": "-3"}, 400, "1 到 200"),
        ({"points": "1.5"}, 400, "1 到 200"),
        ({"points": "201"}, 400, "1 到 200"),
        ({"points": "九"}, 400, "1 到 200"),
        ({"points": "9" * 40}, 400, "1 到 200"),
        ({"receiver_id": "x"}, 404, "家庭"),
        ({"receiver_id": "9" * 30}, 404, "家庭"),
    ],
)
@pytest.mark.engine("sqlite")
def test_bad_forms_of_gifts_come_back(family, knock, form, status, sentence):
    sent = {"receiver_id": family.son, "points": "10", **form}
    for path in ("/gifts/look", "/gifts"):
        answer = knock(
            family.grandmother, "POST", path, status, data={**sent, "idempotency_key": "k"}
        )
        assert sentence in answer.text


def test_a_form_without_its_key_gives_nothing(family, knock, writing):
    sent = {"receiver_id": family.son, "points": "10"}
    knock(family.grandmother, "POST", "/gifts", 400, data=sent)
    knock(family.grandmother, "POST", "/gifts", 400, data={**sent, "idempotency_key": "a b"})
    with writing() as session:
        assert how_many(session, Gift) == 0


def test_pages_say_why_nothing_can_be_given(family, knock):
    family.give(family.grandmother, family.son, 200)
    full = knock(family.grandmother, "GET", f"/gifts/to/{family.son}", 200).text
    assert "下个月 1 号" in full
    received = knock(family.son, "GET", f"/gifts/to/{family.grandmother}", 200).text
    assert "不能再转赠" in received
    nothing = knock(family.granddaughter, "GET", f"/gifts/to/{family.son}", 200).text
    assert "没有可以转赠的积分" in nothing
    assert "户口簿" in knock(family.neighbour, "GET", "/gifts", 200).text


def test_an_administrator_takes_a_gift_back_on_its_page(family, knock, writing):
    given = family.give(family.grandmother, family.son, 40)
    with writing() as session:
        boss = with_role(session, a_person(session, "郑明"), "administrator")
    page = knock(boss, "GET", f"/gifts/{given.id}", 200).text
    assert "冲正这笔转赠" in page
    form = {"reason": "按错了人"}
    knock(boss, "POST", f"/gifts/{given.id}/reversal", 303, data=form)
    path = f"/api/v1/gifts/{given.id}/reversal"
    again = knock(boss, "POST", path, 201, "r", json={"reason": "按错了人"}).get_json()
    assert (again["id"], again["points"]) == (given.id, 40)
    assert "已冲正" in knock(family.son, "GET", f"/gifts/{given.id}", 200).text
    with writing() as session:
        assert balance_of(session, f"member:{family.grandmother}").available == 500
        kinds = session.scalars(
            select(Message.kind).where(Message.member_id == family.grandmother)
        ).all()
        assert kinds == ["gift_taken_back"]
        assert offenders(session) == []


def test_lists_of_gifts_go_on_over_pages(family, knock, writing):
    for _ in range(25):
        family.give(family.grandmother, family.son, 1)
    page = knock(family.son, "GET", "/gifts", 200).text
    more = re.search(r'href="(/gifts\?cursor=[^"]+)"', page)[1]
    assert page.count("王*兰转来") == 20
    assert knock(family.son, "GET", more, 200).text.count("王*兰转来") == 5
    with writing() as session:
        assert len(gifts_of(session, family.son)) == 25


def test_programs_open_funds_and_donate(street, knock):
    boss, donor = street.administrator.member_id, street.donor
    taken = {"organization_code": "140303001002", "name": "又一个"}
    refused = knock(boss, "POST", "/api/v1/care-funds", 409, json=taken)
    assert refused.get_json()["code"] == "care_fund_stands"
    path = f"/api/v1/care-funds/{street.fund}"
    quiet = {"points": 25, "anonymous": True}
    first = knock(donor, "POST", f"{path}/donations", 201, "k", json=quiet)
    again = knock(donor, "POST", f"{path}/donations", 201, "k", json=quiet)
    assert again.get_json() == first.get_json()
    assert again.headers["Idempotency-Replayed"] == "true"
    statement = knock(donor, "GET", path, 200).get_json()
    assert [each["donor"] for each in statement["donations"]] == [None, "王*兰"]
    assert statement["months"] == [{"month": "2026-11", "points": 525, "donations": 2}]
    listed = knock(donor, "GET", "/api/v1/care-funds", 200).get_json()
    assert [(fund["id"], fund["balance"]) for fund in listed["items"]] == [(street.fund, 525)]
    line = knock(donor, "GET", "/api/v1/me/passbook", 200).get_json()["items"][0]
    assert (line["kind"], line["memo"]) == ("donate", "捐给平潭街西社区爱心基金")
    assert line["source"] == {"kind": "donation", "id": first.get_json()["id"]}


def test_programs_ask_and_decide(street, knock, writing):
    path = f"/api/v1/care-funds/{street.fund}"
    wish = {"merchant_id": street.merchant, "points": 100, "purpose": "给独居老人买米"}
    author, second = street.author.member_id, street.second.member_id
    asked = knock(author, "POST", f"{path}/spendings", 201, "s", json=wish).get_json()
    again = knock(author, "POST", f"{path}/spendings", 201, "s", json=wish).get_json()
    assert again == asked
    assert (asked["state"], asked["author"], asked["decided_by"]) == ("pending", "陈*明", None)
    decision = f"/api/v1/care-fund-spendings/{asked['id']}/decision"
    own = knock(author, "POST", decision, 403, json={"decision": "approve"}).get_json()
    assert own["code"] == "own_spending"
    bare = knock(second, "POST", decision, 400, json={"decision": "refuse"}).get_json()
    assert bare["code"] == "refusal_reason_missing"
    done = knock(second, "POST", decision, 200, json={"decision": "approve"}).get_json()
    assert (done["state"], done["decided_by"]) == ("approved", "孙*新")
    statement = knock(street.donor, "GET", path, 200).get_json()
    assert (statement["balance"], statement["held"]) == (400, 0)
    assert [each["purpose"] for each in statement["spendings"]] == ["给独居老人买米"]
    with writing() as session:
        assert kinds_told(session, second) == ["fund_spending_asked"]
        assert kinds_told(session, author) == ["fund_spending_approved"]
        assert offenders(session) == []


def kinds_told(session, member_id):
    return list(session.scalars(select(Message.kind).where(Message.member_id == member_id)))


LONG = "长" * 201


@pytest.mark.engine("sqlite")
@pytest.mark.parametrize(
    ("place", "body", "status", "code"),
    [
        ("donations", {"points": 0}, 422, "bad_fields"),
        ("donations", {"points": 100_001}, 422, "bad_fields"),
        ("donations", {"points": "5"}, 422, "bad_fields"),
        ("donations", {"points": 5, "anonymous": "yes"}, 422, "bad_fields"),
        ("donations", {"points": 5, "donor_id": 1}, 422, "bad_fields"),
        ("donations", {"points": 501}, 409, "not_enough_points"),
        ("spendings", {}, 422, "bad_fields"),
        ("spendings", {"points": 0, "purpose": "米", "merchant_id": 1}, 422, "bad_fields"),
        ("spendings", {"points": 1, "purpose": "  ", "merchant_id": 1}, 422, "bad_fields"),
        (
            "spendings",
            {"points": 1, "purpose": LONG, "merchant_id": 1},
            422,
            "bad_fields",
        ),
        (
            "spendings",
            {"points": 1, "purpose": "米", "merchant_id": 9**9},
            404,
            "merchant_not_found",
        ),
    ],
)
def test_bad_donations_and_spendings_are_refused(
    street, knock, writing, place, body, status, code
):
    who = street.donor if place == "donations" else street.author.member_id
    path = f"/api/v1/care-funds/{street.fund}/{place}"
    assert knock(who, "POST", path, status, "k", json=body).get_json()["code"] == code
    assert knock(who, "POST", path, 422 if status == 422 else 400, json=body)
    with writing() as session:
        assert (how_many(session, Donation), how_many(session, CareFundSpending)) == (1, 0)


@pytest.mark.engine("sqlite")
@pytest.mark.parametrize("decision", ["", "maybe", None, 1, ["approve"]])
def test_bad_decisions_are_refused(street, knock, writing, decision):
    asked = street.ask()
    path = f"/api/v1/care-fund-spendings/{asked.id}/decision"
    knock(street.second.member_id, "POST", path, 422, json={"decision": decision})
    with writing() as session:
        assert spendings_states(session) == ["pending"]


def test_the_pages_of_a_fund(street, knock, writing):
    donor, author, second = (
        street.donor,
        street.author.member_id,
        street.second.member_id,
    )
    here = f"/care-funds/{street.fund}"
    assert "平潭街西社区爱心基金" in knock(donor, "GET", "/care-funds", 200).text
    assert 'name="points" value="100"' in knock(donor, "GET", here, 200).text
    look = knock(donor, "POST", f"{here}/look", 200, data={"points": "50"}).text
    sent = {"points": "50", "anonymous": "1", "idempotency_key": KEY.search(look)[1]}
    for _ in range(2):
        assert knock(donor, "POST", f"{here}/donations", 303, data=sent).location == here
    assert "一位不留名的成员" in knock(donor, "GET", here, 200).text
    form = knock(author, "GET", f"{here}/spendings/new", 200).text
    wish = {
        "merchant_id": street.merchant,
        "points": "80",
        "purpose": "给独居老人买米",
        "idempotency_key": KEY.search(form)[1],
    }
    first = knock(author, "POST", f"{here}/spendings", 303, data=wish)
    assert knock(author, "POST", f"{here}/spendings", 303, data=wish).location == first.location
    assert "您申请的" in knock(author, "GET", first.location, 200).text
    assert "等待第二人审核" in knock(donor, "GET", here, 200).text
    knock(donor, "GET", first.location, 403)
    decide = f"{first.location}/decision"
    assert "付给惠民粮油店" in knock(second, "GET", first.location, 200).text
    knock(author, "POST", decide, 303, data={"decision": "approve"})
    with writing() as session:
        assert spendings_states(session) == ["pending"]
    knock(second, "POST", decide, 303, data={"decision": "refuse", "reason": "已经买过"})
    with writing() as session:
        assert spendings_states(session) == ["refused"]
        assert how_many(session, Donation) == 2
    # Why something was refused is for those who look after the fund.
    assert "给独居老人买米" not in knock(donor, "GET", here, 200).text
    assert "给独居老人买米" in knock(author, "GET", here, 200).text


def spendings_states(session):
    return list(session.scalars(select(CareFundSpending.state)))


@pytest.mark.engine("sqlite")
@pytest.mark.parametrize(
    ("change", "status", "sentence"),
    [
        ({"points": "0"}, 400, "1 到 100000"),
        ({"points": "9999"}, 409, "积分不够"),
        ({"purpose": " "}, 400, "用来做什么"),
        ({"merchant_id": "x"}, 404, "商户"),
        ({"idempotency_key": ""}, 400, "1 到"),
    ],
)
def test_bad_forms_of_spendings_come_back_as_typed(street, knock, change, status, sentence):
    wish = {
        "merchant_id": street.merchant,
        "points": "10",
        "purpose": "给独居老人买米",
        "idempotency_key": "k",
        **change,
    }
    path = f"/care-funds/{street.fund}/spendings"
    page = knock(street.author.member_id, "POST", path, status, data=wish).text
    assert sentence in page
    if "purpose" not in change:
        assert 'value="给独居老人买米"' in page


@pytest.mark.engine("sqlite")
def test_bad_forms_of_donations_and_funds_come_back(street, knock):
    here = f"/care-funds/{street.fund}"
    for points, status in (("0", 400), ("x", 400), ("501", 409)):
        knock(street.donor, "POST", f"{here}/look", status, data={"points": points})
        sent = {"points": points, "idempotency_key": "k"}
        knock(street.donor, "POST", f"{here}/donations", status, data=sent)
    boss = street.administrator.member_id
    for code, name, status in (
        ("140303001002", "又一个", 409),
        ("140303005004", "别处", 404),
        ("140303001002", "", 400),
        ("", "无处", 404),
    ):
        form = {"organization_code": code, "name": name}
        page = knock(boss, "POST", "/care-funds", status, data=form).text
        assert f'value="{name}"' in page


def test_the_night_lapses_what_nobody_decided(street, writing):
    asked = street.ask(90)
    week = NOON + timedelta(days=7, minutes=1)
    day = week.date().isoformat()
    with writing() as session:
        assert work_expiry(session, "2026-11-21", ZONE, NOON).count == 0
        step = work_expiry(session, day, ZONE, week)
        assert (step.count, step.is_last) == (1, False)
        assert work_expiry(session, day, ZONE, week).is_last
        assert spending_of(session, asked.id).state == "lapsed"
        assert street.balance(session).available == 500
        kinds = session.scalars(
            select(Message.kind).where(Message.member_id == street.author.member_id)
        ).all()
        assert kinds == ["fund_spending_lapsed"]


def test_a_merchant_elsewhere_is_not_offered(street, knock, writing):
    with writing() as session:
        a_merchant(session, "桥头便利店", street.other)
    path = f"/care-funds/{street.fund}/spendings/new"
    page = knock(street.author.member_id, "GET", path, 200).text
    assert "惠民粮油店" in page
    assert "桥头便利店" not in page
