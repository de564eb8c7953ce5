"""The pages and the JSON door of consent."""

import pytest
import time_machine

from pointsbank.members.consenting import consents_of
from tests.builders import a_member, signed_in, with_role
from tests.laws.world import FORM_TOKEN
from tests.moments import NOON


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def browser(app):
    def enter(member_id):
        client = app.test_client()
        token = signed_in(app, member_id, NOON)["Authorization"][7:]
        client.set_cookie("pointsbank", token)
        return client

    return enter


def posted(client, path, **form):
    token = FORM_TOKEN.search(client.get(path).text)[1]
    return client.post(path, data={"csrf_token": token, **form}, follow_redirects=True)


def stands(writing, member_id):
    with writing() as session:
        found = consents_of(session, member_id)
    return {each.purpose: each.channel for each in found if each.given_at is not None}


def test_everybody_says_for_themself_and_takes_it_back(browser, writing):
    with writing() as session:
        member_id = a_member(session)
    client = browser(member_id)
    assert "/me/consents" in client.get("/me").text
    given = posted(client, "/me/consents", purpose="publish_name", act="give")
    assert "已记下" in given.text
    assert stands(writing, member_id) == {"publish_name": "screen"}
    assert "已撤回" in posted(client, "/me/consents", purpose="publish_name", act="no").text
    assert stands(writing, member_id) == {}
    assert "没有这一项" in posted(client, "/me/consents", purpose="phone", act="give").text


def test_a_secretary_records_a_paper_but_never_their_own(browser, writing):
    with writing() as session:
        member_id = a_member(session, "王桂兰")
        secretary = with_role(session, a_member(session, "赵书记"), "secretary")
    client = browser(secretary)
    path = f"/members/{member_id}/consents"
    assert "王桂兰" in client.get(path).text
    posted(client, path, purpose="publish_name", act="give")
    assert stands(writing, member_id) == {"publish_name": "paper"}
    own = posted(client, f"/members/{secretary}/consents", purpose="publish_name", act="give")
    assert "由别人登记" in own.text
    assert stands(writing, secretary) == {}


def test_programs_do_the_same(app, writing):
    with writing() as session:
        member_id = a_member(session)
    client, headers = app.test_client(), signed_in(app, member_id, NOON)
    path = "/api/v1/me/consents"
    for _ in range(2):
        answer = client.put(f"{path}/publish_name", headers=headers)
        assert answer.status_code == 200
    items = client.get(path, headers=headers).json["items"]
    assert [(each["purpose"], each["given_at"] is not None) for each in items] == [
        ("publish_name", True),
    ]
    answer = client.delete(f"{path}/publish_name", headers=headers)
    assert answer.json["items"][0]["given_at"] is None
    unknown = client.put(f"{path}/phone", headers=headers)
    assert (unknown.status_code, unknown.json["code"]) == (400, "unknown_purpose")
