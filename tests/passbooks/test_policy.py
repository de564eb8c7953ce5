"""Where a line came from, and under which month it stands."""

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from pointsbank.ledger.queries import Line
from pointsbank.passbooks.policy import by_month, source_of, span_of_year

ZONE = ZoneInfo("Asia/Shanghai")


def at(text):
    return datetime.fromisoformat(f"{text}+08:00")


LINE = Line(
    line=1,
    occurred_at=at("2026-10-31T23:00"),
    recorded_at=at("2026-11-01T00:30"),
    kind="earn",
    points=25,
    balance_after=25,
    reason="河道清洁",
    transfer_id=7,
    key="award:17",
    reverses_id=None,
    reverses_line=None,
    expires_on=date(2027, 12, 31),
    actor_id=None,
)


@pytest.mark.parametrize(
    ("key", "source"),
    [
        ("award:17", {"kind": "claim", "id": 17}),
        ("redeem:R202611210001", {"kind": "redemption", "number": "R202611210001"}),
        ("void:5", {"kind": "void", "id": 5}),
        ("expire:3:2026-12-31", {"kind": "expiry", "on": "2026-12-31"}),
        ("award:test:abc", {"kind": "claim"}),
        ("gift:9", {"kind": "gift", "id": 9}),
        ("one word", {"kind": "one word"}),
    ],
)
def test_a_key_tells_where_a_line_came_from(key, source):
    assert source_of(key) == source


def test_a_line_stands_under_the_local_month_in_which_it_was_written():
    october = replace(LINE, recorded_at=at("2026-10-31T23:59"))
    months = by_month([LINE, october], ZONE)
    assert [month.first_on for month in months] == [date(2026, 11, 1), date(2026, 10, 1)]


def test_what_was_carried_is_the_balance_before_the_oldest_line():
    newer = replace(LINE, line=3, points=-5, balance_after=90)
    older = replace(LINE, line=2, points=25, balance_after=95)
    assert by_month([newer, older], ZONE)[0].carried == 70


def test_a_year_begins_at_local_midnight():
    since, until = span_of_year(2026, ZONE)
    assert (since, until) == (at("2026-01-01T00:00"), at("2027-01-01T00:00"))
