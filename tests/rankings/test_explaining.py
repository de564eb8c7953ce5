"""Which caps cut which entries, and who may see the entries behind a part."""

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
import time_machine

from pointsbank.rankings.explaining import cuts_of
from pointsbank.scoring.evaluating import ItemCaps, Scored
from pointsbank.scoring.tables import EvaluationTable
from tests.builders import a_score_entry, signed_in
from tests.moments import NOON
from tests.rankings.boards import Board, roll
from tests.rankings.standards import a_later_standard

MONDAY = date(2026, 11, 2)
TABLE = EvaluationTable(
    "default",
    "earn",
    base={"study": 1500},
    bonus={"volunteer_service": 2500},
    floors={"excellent": 9000, "qualified": 7500, "basic": 6000},
)


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def board(writing):
    with writing() as session:
        return Board(session)


def cuts(*entries, factor=1, **caps):
    scored = [
        Scored(code, "volunteer_service", MONDAY + timedelta(days=day), hundredths, 0, 0)
        for code, day, hundredths in entries
    ]
    return cuts_of(scored, caps={"a": ItemCaps(**caps)}, table=TABLE, factor=factor)


def test_a_day_is_cut_where_its_sum_is_above_the_cap_and_no_other():
    found = cuts(("a", 0, 60), ("a", 0, 60), ("a", 1, 100), ("b", 0, 500), day=100)
    assert found == [("day",), ("day",), (), ()]


def test_a_week_adds_up_what_days_leave():
    assert cuts(("a", 0, 300), ("a", 6, 100), ("a", 7, 100), day=100, week=200) == [
        ("day",),
        (),
        (),
    ]
    assert cuts(("a", 0, 150), ("a", 6, 100), ("a", 7, 100), week=200) == [
        ("week",),
        ("week",),
        (),
    ]


@pytest.mark.parametrize(("factor", "found"), [(4, [("year",)]), (1, [()])])
def test_a_year_counts_on_its_scale(factor, found):
    assert cuts(("a", 0, 300), factor=factor, year=1000) == found


def test_a_full_part_is_said_of_each_of_its_entries():
    assert cuts(("a", 0, 2000), ("b", 0, 501)) == [("category",), ("category",)]
    assert cuts(("a", 0, 2000), ("b", 0, 500)) == [(), ()]


def test_what_is_given_in_full_is_cut_by_nothing():
    """Entries of a base that only deductions lower neither raise it nor wait for room in it."""
    table = replace(TABLE, base_mode="start_full_and_deduct")
    entries = [Scored("a", "study", MONDAY, 2000, 0, 0)]
    caps = {"a": ItemCaps(day=100, week=100, year=100)}
    assert cuts_of(entries, caps=caps, table=table, factor=1) == [()]
    assert cuts_of(entries, caps=caps, table=TABLE, factor=1) == [("day",)]
    bonus = [replace(entries[0], category="volunteer_service", hundredths=2501)]
    assert cuts_of(bonus, caps={}, table=table, factor=1) == [("category",)]


def ask(app, client, member_id, who, status=200, **query):
    answer = client.get(
        f"/api/v1/rankings/members/{member_id}/entries",
        query_string={"period": "2026-Q4", "category": "volunteer_service"} | query,
        headers=signed_in(app, who),
    )
    assert answer.status_code == status, answer.text
    return answer.json


def test_entries_tell_what_they_gave_and_add_up_to_the_part(app, client, board):
    items = ask(app, client, board.first, board.secretary)["items"]
    assert len(items) == 3
    assert sum(item["evaluation_score"] for item in items) == 3
    assert sum(item["points"] for item in items) == 60
    assert items[0] | {"id": 0} == {
        "id": 0,
        "title": "河道清洁",
        "item": "volunteer_hour",
        "item_name": "志愿服务",
        "earned_on": "2026-11-21",
        "standard_version": 1,
        "evaluation_score": 1,
        "points": 20,
        "service_minutes": 120,
        "cuts": [],
    }


def test_entries_come_page_by_page_and_by_their_part(app, client, board):
    first = ask(app, client, board.first, board.secretary, limit=2)
    rest = ask(app, client, board.first, board.secretary, limit=2, cursor=first["next"])
    ids = [item["id"] for item in first["items"] + rest["items"]]
    assert (len(ids), sorted(ids, reverse=True)) == (3, ids)
    assert rest["next"] is None
    assert ask(app, client, board.first, board.secretary, category="study")["items"] == []
    ask(app, client, board.first, board.secretary, 422, category="no such")


def test_an_entry_that_is_not_counted_yet_is_not_behind_the_score(app, client, writing, board):
    with writing() as session:
        a_score_entry(session, board.first)
    assert len(ask(app, client, board.first, board.secretary)["items"]) == 3
    with writing() as session:
        roll(session)
    assert len(ask(app, client, board.first, board.secretary)["items"]) == 4


def test_the_entries_of_others_are_not_shown(app, client, board):
    ask(app, client, board.stranger, board.secretary, 404)
    ask(app, client, board.idle, board.secretary, 404)
    ask(app, client, board.first, board.first, 403)


def test_the_page_says_which_cap_cut_what(app, client, writing, board):
    with writing() as session:
        a_later_standard(
            session,
            date(2026, 11, 1),
            caps={"volunteer_hour": {"hundredths_day_max": 250}},
        )
        roll(session)
    headers = signed_in(app, board.secretary)
    why = client.get(
        f"/rankings/members/{board.first}/why?period=2026-Q4", headers=headers
    ).text
    assert re.search(r'class="sum-line"><span>合计</span><b class="num">10</b>', why)
    link = f"/rankings/members/{board.first}/entries?category=volunteer_service"
    assert link in why
    page = client.get(f"{link}&period=2026-Q4", headers=headers).text
    assert page.count("该项目当日已达上限") == 3
    assert "2小时" in page
    missing = client.get(
        f"/rankings/members/{board.first}/entries?category=nothing", headers=headers
    )
    assert missing.status_code == 404
