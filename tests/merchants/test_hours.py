"""Opening hours: what is understood, what is refused, and when a shop is open."""

from datetime import UTC, datetime

import pytest

from pointsbank.merchants.errors import BadHours
from pointsbank.merchants.hours import (
    as_typed,
    clock_text,
    day_text,
    hours_from,
    is_open,
    judged,
    minute_from,
    spans_from,
)
from pointsbank.merchants.models import Hours
from tests.builders import SHANGHAI

EMPTY = [""] * 7
SATURDAY = 5


def at(clock: str, day: int = 21) -> datetime:
    hour, minute = clock.split(":")
    return datetime(2026, 11, day, int(hour), int(minute), tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("clock", "expected"),
    [("07:59", False), ("08:00", True), ("11:59", True), ("12:00", False), ("14:00", True)],
)
def test_a_shop_is_open_from_the_minute_it_opens_to_before_it_closes(clock, expected):
    hours = hours_from("08:00-12:00, 14:00-18:00", EMPTY)
    assert is_open(hours, at(clock), SHANGHAI) is expected


def test_hours_are_local_and_of_their_day():
    hours = [Hours(SATURDAY, 22 * 60, 24 * 60)]
    assert is_open(hours, at("23:59"), SHANGHAI) is True
    assert is_open(hours, at("23:59", 22), SHANGHAI) is False
    # 22:30 on Saturday in the district is still the afternoon in UTC.
    assert is_open(hours, datetime(2026, 11, 21, 14, 30, tzinfo=UTC), SHANGHAI) is True


def test_unknown_hours_say_nothing():
    assert is_open((), at("12:00"), SHANGHAI) is None


@pytest.mark.parametrize(
    "typed",
    [
        "08:00-12:00, 14:00-18:00",
        "8:00-12:00，14:00－18:00",
        "08：00 - 12：00、14：00 至 18：00",
        "08:00–12:00;14:00~18:00",
        "8:00到12:00和14:00到18:00",
        "08:00-12:00 14:00-18:00",
    ],
)
def test_people_write_hours_in_many_ways(typed):
    assert spans_from(typed) == [(480, 720), (840, 1080)]


@pytest.mark.parametrize("typed", ["-", "休息", "关门", " 不营业 ", "Closed", "—"])
def test_a_day_can_be_closed(typed):
    assert spans_from(typed) == []


@pytest.mark.parametrize(
    "typed",
    [
        "8",
        "8-20",
        "08:00",
        "08:00-25:00",
        "08:60-09:00",
        "24:01-24:02",
        "20:00-08:00",
        "08:00-08:00",
        "08:00-12:00, 11:59-13:00",
        "1:00-2:00, 3:00-4:00, 5:00-6:00, 7:00-8:00",
        "all day",
        "八点到十二点",
        ",",
    ],
)
def test_what_are_no_hours_is_refused(typed):
    with pytest.raises(BadHours):
        hours_from(typed, EMPTY)


@pytest.mark.parametrize(
    "hours",
    [
        [Hours(7, 0, 60)],
        [Hours(-1, 0, 60)],
        [Hours(0, -1, 60)],
        [Hours(0, 0, 1441)],
        [Hours(0, 60, 60)],
        [Hours(0, 0, 60), Hours(0, 59, 120)],
    ],
)
def test_a_programs_hours_are_judged_alike(hours):
    with pytest.raises(BadHours):
        judged(hours)


def test_spans_that_touch_do_not_overlap():
    assert judged([Hours(0, 60, 120), Hours(0, 0, 60)]) == (Hours(0, 0, 60), Hours(0, 60, 120))


def test_a_week_goes_through_a_form_and_back():
    days = ["", "", "", "", "", "09:00-24:00", "休息"]
    hours = hours_from("08:00-20:00", days)
    assert day_text(hours, SATURDAY) == "09:00-24:00"
    assert day_text(hours, 6) == "-"
    usual, shown = as_typed(hours)
    assert (usual, shown) == ("08:00-20:00", ["", "", "", "", "", "09:00-24:00", "-"])
    assert hours_from(usual, shown) == hours
    assert as_typed(()) == ("", EMPTY)
    assert hours_from("", EMPTY) == ()


def test_minutes_are_written_and_read():
    assert [clock_text(minute) for minute in (0, 510, 1440)] == ["00:00", "08:30", "24:00"]
    assert [minute_from(text) for text in ("0:00", "08:30", "24:00")] == [0, 510, 1440]
