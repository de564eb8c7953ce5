"""A person's calendar: read by two parsers, kept to the octet, and behind a secret address."""

from datetime import UTC, timedelta

import icalendar
import pytest
import time_machine
from ical.calendar_stream import IcsCalendarStream
from sqlalchemy import select, update

from pointsbank.core.keys import plain_hash
from pointsbank.members.models import Member
from pointsbank.tasks.calendars import (
    Entry,
    calendar_file,
    entries_of,
    make_feed,
    reader_of_feed,
    withdraw_feed,
)
from pointsbank.tasks.claiming import give_up_claim
from pointsbank.tasks.models import CalendarFeed, Shift, Task
from pointsbank.tasks.pages import calendars as calendar_pages
from tests.browsing import Browser, words_of
from tests.builders import a_claim, a_member, a_shift, how_many, signed_in
from tests.moments import NOON

STARTS = NOON + timedelta(days=2)
LINE_OCTETS_MAX = 75
NASTY = "河道清洁; 一,二\\三\n“四”: https://例子.中国 " + "很长的说明" * 30


@pytest.fixture
def _at_noon():
    with time_machine.travel(NOON, tick=False):
        yield


def an_entry(**changes):
    values = {
        "shift_id": 7,
        "task_id": 3,
        "title": "河道清洁",
        "summary": "沿河捡拾垃圾",
        "risk_note": "岸边湿滑",
        "starts_at": STARTS,
        "ends_at": STARTS + timedelta(hours=2),
        "place_name": "东门桥头",
        "latitude": 37.87,
        "longitude": 113.56,
        "status": "CONFIRMED",
        "sequence": 0,
        "changed_at": NOON,
    }
    return Entry(**{**values, **changes})


def filed(*entries):
    return calendar_file(
        entries,
        name="我的志愿服务",
        waiting="（候补）",
        host="points.example",
        public_url="https://points.example",
    )


def test_two_parsers_read_what_was_meant():
    content = filed(an_entry())
    (event,) = icalendar.Calendar.from_ical(content).walk("VEVENT")
    (other,) = IcsCalendarStream.calendar_from_ics(content.decode()).events
    assert event["uid"] == other.uid == "shift-7@points.example"
    assert event["dtstart"].dt == other.dtstart == STARTS
    assert event["dtend"].dt == other.dtend == STARTS + timedelta(hours=2)
    assert event["dtstamp"].dt == other.dtstamp == NOON
    assert event["summary"] == other.summary == "河道清洁"
    assert event["location"] == other.location == "东门桥头"
    assert event["status"] == other.status.value == "CONFIRMED"
    assert event["sequence"] == other.sequence == 0
    assert str(event["url"]) == "https://points.example/tasks/3?shift=7"


def test_strange_words_come_out_as_they_went_in():
    content = filed(an_entry(title=NASTY, place_name=NASTY, summary=NASTY, risk_note=""))
    (event,) = icalendar.Calendar.from_ical(content).walk("VEVENT")
    (other,) = IcsCalendarStream.calendar_from_ics(content.decode()).events
    for name in ("summary", "location", "description"):
        assert str(event[name]) == getattr(other, name) == NASTY


def test_each_line_ends_in_crlf_and_has_75_octets_at_most():
    content = filed(an_entry(title=NASTY, summary=NASTY), an_entry(shift_id=8))
    assert content.endswith(b"END:VCALENDAR\r\n")
    lines = content.split(b"\r\n")
    assert max(len(line) for line in lines) <= LINE_OCTETS_MAX
    assert any(len(line) == LINE_OCTETS_MAX or line.startswith(b" ") for line in lines)
    assert not [line for line in lines if b"\n" in line or b"\r" in line]
    # Each line by itself is UTF-8: no character is cut in two.
    assert "".join(line.decode() for line in lines)


def test_times_are_written_in_utc_and_an_empty_calendar_is_one():
    assert f"DTSTART:{STARTS.astimezone(UTC):%Y%m%dT%H%M%SZ}".encode() in filed(an_entry())
    assert icalendar.Calendar.from_ical(filed()).walk("VEVENT") == []
    assert b"VERSION:2.0" in filed()


def statuses(session, member_id, now=NOON):
    return [(each.status, each.sequence) for each in entries_of(session, member_id, now)]


def test_a_claim_waits_is_given_up_and_comes_back_under_one_name(session):
    member_id, shift_id = a_member(session), a_shift(session, STARTS, places=1)
    other = a_member(session)
    first = a_claim(session, shift_id, other)
    claim = a_claim(session, shift_id, member_id)
    assert statuses(session, member_id) == [("TENTATIVE", 0)]
    give_up_claim(session, claim_id=first.id, member_id=other, now=NOON)
    assert statuses(session, member_id) == [("CONFIRMED", 1)]
    give_up_claim(session, claim_id=claim.id, member_id=member_id, now=NOON)
    assert statuses(session, member_id) == [("CANCELLED", 2)]
    a_claim(session, shift_id, member_id, now=NOON + timedelta(minutes=1))
    # The sequence grows with each change, also when the first claim is long forgotten.
    assert statuses(session, member_id) == [("CONFIRMED", 3)]
    session.execute(update(Shift).values(ends_at=STARTS + timedelta(days=50)))
    later = NOON + timedelta(days=40)
    assert statuses(session, member_id, later) == [("CONFIRMED", 3)]


@pytest.mark.parametrize(
    ("table", "values"),
    [(Task, {"state": "cancelled"}), (Shift, {"called_off_at": NOON})],
    ids=["task", "date"],
)
def test_what_is_called_off_is_cancelled(session, table, values):
    member_id = a_member(session)
    a_claim(session, a_shift(session, STARTS), member_id)
    session.execute(update(table).values(**values))
    assert [status for status, _ in statuses(session, member_id)] == ["CANCELLED"]


def test_what_was_given_up_long_ago_or_is_long_over_is_gone(session):
    member_id, shift_id = a_member(session), a_shift(session, STARTS)
    claim = a_claim(session, shift_id, member_id)
    a_claim(session, a_shift(session, STARTS))
    give_up_claim(session, claim_id=claim.id, member_id=member_id, now=NOON)
    month = timedelta(days=30)
    assert statuses(session, member_id, NOON + month - timedelta(seconds=1)) != []
    assert statuses(session, member_id, NOON + month) == []
    kept = a_member(session)
    a_claim(session, shift_id, kept)
    assert statuses(session, kept, STARTS + timedelta(days=80)) == [("CONFIRMED", 0)]
    assert statuses(session, kept, STARTS + timedelta(days=91)) == []


def test_an_address_is_replaced_withdrawn_and_only_its_hash_kept(session):
    member_id = a_member(session)

    def reader(token):
        return reader_of_feed(session, plain_hash(token))

    for token in ("first", "second"):
        make_feed(session, member_id=member_id, token_hash=plain_hash(token), now=NOON)
    assert (reader("first"), reader("second")) == (None, (member_id, None))
    assert {len(row) for row in session.scalars(select(CalendarFeed.token_hash))} == {32}
    for _ in range(2):
        withdraw_feed(session, member_id=member_id, now=NOON)
    assert reader("second") is None
    make_feed(session, member_id=member_id, token_hash=plain_hash("third"), now=NOON)
    session.execute(update(Member).values(state="suspended"))
    assert reader("third") is None


@pytest.mark.usefixtures("_at_noon")
def test_the_address_is_read_without_signing_in_and_stands_in_no_log(
    app, client, writing, caplog, capfd
):
    with writing() as session:
        member_id = a_member(session)
        a_claim(session, a_shift(session, STARTS), member_id)
    headers = signed_in(app, member_id)
    made = client.post("/api/v1/me/calendar-address", headers=headers)
    assert made.status_code == 201
    path = made.json["url"].removeprefix(app.extensions["settings"].public_url)
    token = path.removeprefix("/calendars/").removesuffix(".ics")
    assert len(token) >= 43
    stranger = app.test_client()
    read = stranger.get(path)
    assert (read.status_code, read.mimetype) == (200, "text/calendar")
    assert read.headers["Cache-Control"] == "no-store"
    assert "河道清洁" in read.text
    assert read.data == client.get("/api/v1/me/calendar.ics", headers=headers).data
    assert client.delete("/api/v1/me/calendar-address", headers=headers).status_code == 204
    for dead in (path, "/calendars/x.ics", f"/calendars/{'x' * 5000}.ics"):
        assert stranger.get(dead).status_code == 404
    figures = stranger.get("/metrics").text
    logged = caplog.text + "".join(capfd.readouterr())
    assert "/calendars/<token>.ics" in logged
    assert "/calendars/<token>.ics" in figures
    assert token not in logged
    assert token not in figures
    with writing() as session:
        assert how_many(session, CalendarFeed) == 1


@pytest.mark.usefixtures("_at_noon")
def test_a_fault_while_an_address_is_read_leaves_no_trace_of_it(
    app, caplog, capfd, monkeypatch
):
    token = "t" * 43

    def broken(*_):
        raise RuntimeError("the store is away")

    monkeypatch.setattr(calendar_pages, "reader_of_feed", broken)
    assert app.test_client().get(f"/calendars/{token}.ics").status_code == 500
    logged = caplog.text + "".join(capfd.readouterr())
    assert "the store is away" in logged
    assert "/calendars/<token>.ics" in logged
    assert token not in logged


@pytest.mark.usefixtures("_at_noon")
def test_the_page_shows_an_address_once(app, writing):
    with writing() as session:
        member_id = a_member(session)
    browser = Browser(app, member_id)
    page = browser.open("/my-calendar")
    made = browser.send(browser.form(page, "/my-calendar"))
    assert "/calendars/" in made.text
    later = browser.open("/my-calendar")
    assert "/calendars/" not in later.text
    assert "停用日历地址" in words_of(later)
    gone = browser.send(browser.form(later, "/withdrawal"))
    assert "地址已停用" in words_of(gone)


@pytest.mark.usefixtures("_at_noon")
def test_a_calendar_speaks_its_persons_language(app, client, writing):
    with writing() as session:
        member_id, shift_id = a_member(session), a_shift(session, STARTS, places=1)
        a_claim(session, shift_id)
        a_claim(session, shift_id, member_id)
        make_feed(session, member_id=member_id, token_hash=plain_hash("secret"), now=NOON)
    assert "（候补）" in client.get("/calendars/secret.ics").text
    with writing() as session:
        session.execute(update(Member).where(Member.id == member_id).values(locale="en"))
    assert "(waiting list)" in client.get("/calendars/secret.ics").text
