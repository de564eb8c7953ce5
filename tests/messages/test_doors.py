"""The inbox over HTTP, as JSON and as a page."""

import pytest

from pointsbank.messages.queries import inbox, newest_id, unread_count
from pointsbank.messages.service import tell
from tests.browsing import Browser, Forms, words_of
from tests.builders import a_member, signed_in
from tests.moments import NOON


@pytest.fixture
def member(writing):
    """A member with three messages."""
    with writing() as session:
        member_id = a_member(session)
        for number in range(3):
            told(session, member_id, f"key:{number}", points=20 + number)
    return member_id


def told(session, member_id, key, points=20):
    facts = {"points": points, "expires_on": "2027-01-20"}
    tell(session, key=key, member_id=member_id, kind="points_expire", facts=facts, now=NOON)


def test_a_program_reads_its_persons_messages(app, client, member):
    headers = signed_in(app, member)
    answer = client.get("/api/v1/me/messages?limit=2", headers=headers).get_json()
    assert answer["unread"] == 3
    first = answer["items"][0]
    assert first["sentence"].startswith("您有22分到2027年1月20日到期")
    assert first["facts"] == {"points": 22, "expires_on": "2027-01-20"}
    assert (first["kind"], first["href"], first["read_at"]) == (
        "points_expire",
        "/rewards",
        None,
    )
    rest = client.get(f"/api/v1/me/messages?cursor={answer['next']}", headers=headers)
    assert [m["facts"]["points"] for m in rest.get_json()["items"]] == [20]
    assert rest.get_json()["next"] is None


def test_reading_is_marked_by_a_post_alone(app, client, member, writing):
    headers = signed_in(app, member)
    client.get("/api/v1/me/messages", headers=headers)
    Browser(app, member).open("/messages")
    with writing() as session:
        assert unread_count(session, member) == 3
        up_to = inbox(session, member)[1].id
    url = "/api/v1/me/messages/reading"
    for _ in range(2):
        answer = client.post(url, json={"up_to": up_to}, headers=headers)
        assert (answer.status_code, answer.get_json()) == (200, {"unread": 1})


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"up_to": "7"},
        {"up_to": "７"},
        {"up_to": 7.0},
        {"up_to": 0},
        {"up_to": -1},
        {"up_to": 2**63},
        {"up_to": True},
        {"up_to": None},
        {"up_to": 7, "member_id": 1},
        [],
    ],
)
def test_a_bad_reading_is_refused(app, client, member, body):
    headers = signed_in(app, member)
    answer = client.post("/api/v1/me/messages/reading", json=body, headers=headers)
    assert answer.status_code == 422
    assert client.get("/api/v1/me/messages", headers=headers).get_json()["unread"] == 3


def test_nobody_reads_or_marks_anothers(app, client, member, writing):
    with writing() as session:
        other = a_member(session)
        up_to = newest_id(session, member)
    headers = signed_in(app, other)
    assert client.get("/api/v1/me/messages", headers=headers).get_json()["items"] == []
    client.post("/api/v1/me/messages/reading", json={"up_to": up_to}, headers=headers)
    with writing() as session:
        assert unread_count(session, member) == 3


def test_the_page_lists_marks_and_leads_on(app, member):
    browser = Browser(app, member)
    page = browser.open("/messages")
    assert words_of(page).count("未读") == 3
    assert "您有22分到2027年1月20日到期" in words_of(page)
    assert Forms(page.text).links.count("/rewards") == 3
    read = browser.send(browser.form(page, "/messages/reading"))
    assert "已全部标为已读。" in words_of(read)
    assert "未读" not in words_of(read)


def test_what_comes_while_the_page_is_open_stays_unread(app, member, writing):
    browser = Browser(app, member)
    page = browser.open("/messages")
    with writing() as session:
        told(session, member, "later")
    read = browser.send(browser.form(page, "/messages/reading"))
    assert words_of(read).count("未读") == 1


def test_a_form_with_a_bad_number_marks_nothing(app, member, writing):
    browser = Browser(app, member)
    form = browser.form(browser.open("/messages"), "/messages/reading")
    for bad in ("", "x", "９", "-1", "9" * 30):
        assert browser.send(form, up_to=bad).status_code == 200
    with writing() as session:
        assert unread_count(session, member) == 3


def test_the_first_page_the_bar_and_ones_own_page_tell_how_many_wait(app, member):
    browser = Browser(app, member)
    home = browser.open("/")
    assert words_of(home).count("您有3条消息没看。") == 3
    assert "/messages" in Forms(home.text).links
    me = browser.open("/me")
    assert "/messages" in Forms(me.text).links
    browser.send(browser.form(browser.open("/messages"), "/messages/reading"))
    assert "没看" not in words_of(browser.open("/"))


def test_an_empty_inbox_says_what_will_stand_there(app, writing):
    with writing() as session:
        member = a_member(session)
    page = Browser(app, member).open("/messages")
    assert "还没有消息" in words_of(page)
    assert not any(f.action == "/messages/reading" for f in Forms(page.text).forms)


def test_many_messages_go_over_several_pages(app, writing):
    with writing() as session:
        member = a_member(session)
        for number in range(65):
            told(session, member, f"key:{number}", points=100 + number)
    browser = Browser(app, member)
    page, seen = browser.open("/messages"), []
    for _ in range(3):
        seen += [n for n in range(100, 165) if f"您有{n}分" in page.text]
        following = [link for link in Forms(page.text).links if "cursor=" in link]
        page = browser.open(following[-1]) if following else page
    assert sorted(seen) == list(range(100, 165))


def test_in_english(app, client, member):
    headers = {**signed_in(app, member), "Accept-Language": "en"}
    items = client.get("/api/v1/me/messages", headers=headers).get_json()["items"]
    assert items[0]["sentence"].startswith("22 of your points are good through 20 Jan 2027.")
