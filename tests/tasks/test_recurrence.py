"""Rules of recurrence: what is taken, and which days follow, also from a naive reading."""

from calendar import monthrange
from datetime import date, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pointsbank.tasks import recurrence
from pointsbank.tasks.recurrence import (
    WEEKDAYS,
    Recurrence,
    check_has_dates,
    days_within,
    is_over,
    read_rule,
    weekdays_of,
)
from pointsbank.tasks.series_errors import BadRule


def days(rule, starts_on, last, ends_on=None, first=None):
    """Return the days of a rule as text."""
    found = days_within(
        read_rule(rule),
        date.fromisoformat(starts_on),
        date.fromisoformat(ends_on) if ends_on else None,
        first=date.fromisoformat(first or starts_on),
        last=date.fromisoformat(last),
    )
    return [day.isoformat() for day in found]


GOLDEN = {
    "each Saturday": (
        ("FREQ=WEEKLY;BYDAY=SA", "2026-11-21", "2026-12-12"),
        "2026-11-21 2026-11-28 2026-12-05 2026-12-12",
    ),
    "the first day is none where the rule does not say so": (
        ("FREQ=WEEKLY;BYDAY=TU,TH", "2026-11-21", "2026-12-03"),
        "2026-11-24 2026-11-26 2026-12-01 2026-12-03",
    ),
    "days 4, 14 and 24 over the turn of the year": (
        ("FREQ=MONTHLY;BYMONTHDAY=4,14,24", "2026-12-05", "2027-01-20"),
        "2026-12-14 2026-12-24 2027-01-04 2027-01-14",
    ),
    "months without a 31st have no date": (
        ("FREQ=MONTHLY;BYMONTHDAY=31", "2027-01-31", "2027-08-31"),
        "2027-01-31 2027-03-31 2027-05-31 2027-07-31 2027-08-31",
    ),
    "a series that begins on a 31st keeps to it": (
        ("FREQ=MONTHLY", "2027-01-31", "2027-05-31"),
        "2027-01-31 2027-03-31 2027-05-31",
    ),
    "the last day of the month": (
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2027-01-15", "2027-04-30"),
        "2027-01-31 2027-02-28 2027-03-31 2027-04-30",
    ),
    "leap days only": (
        ("FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=29", "2027-02-01", "2033-01-01"),
        "2028-02-29 2032-02-29",
    ),
    "the day after a leap day": (
        ("FREQ=DAILY;INTERVAL=2", "2028-02-27", "2028-03-04"),
        "2028-02-27 2028-02-29 2028-03-02 2028-03-04",
    ),
    "the first and the last Saturday": (
        ("FREQ=MONTHLY;BYDAY=1SA,-1SA", "2026-11-21", "2027-01-31"),
        "2026-11-28 2026-12-05 2026-12-26 2027-01-02 2027-01-30",
    ),
    "a fifth Monday, where there is one": (
        ("FREQ=MONTHLY;BYDAY=5MO", "2026-11-01", "2027-06-01"),
        "2026-11-30 2027-03-29 2027-05-31",
    ),
    "each Monday and the first Tuesday": (
        ("FREQ=MONTHLY;BYDAY=MO,1TU", "2026-11-21", "2026-12-08"),
        "2026-11-23 2026-11-30 2026-12-01 2026-12-07",
    ),
    "every second week, over the turn of the year": (
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU", "2026-12-20", "2027-01-31"),
        "2026-12-20 2026-12-28 2027-01-03 2027-01-11 2027-01-17 2027-01-25 2027-01-31",
    ),
    "every third month": (
        ("FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=14", "2026-11-21", "2027-12-31"),
        "2027-02-14 2027-05-14 2027-08-14 2027-11-14",
    ),
    "so many times": (
        ("FREQ=WEEKLY;BYDAY=SA;COUNT=3", "2026-11-22", "2027-12-31"),
        "2026-11-28 2026-12-05 2026-12-12",
    ),
    "until a day, itself included": (
        ("FREQ=DAILY;UNTIL=20261123", "2026-11-21", "2027-12-31"),
        "2026-11-21 2026-11-22 2026-11-23",
    ),
}


@pytest.mark.parametrize("case", GOLDEN)
def test_these_days_follow(case):
    asked, expected = GOLDEN[case]
    assert days(*asked) == expected.split()


def test_the_series_ends_where_it_is_told_to_and_counts_from_its_beginning():
    assert days("FREQ=DAILY", "2026-11-21", "2026-12-31", ends_on="2026-11-22") == [
        "2026-11-21",
        "2026-11-22",
    ]
    assert days("FREQ=DAILY;COUNT=3", "2026-11-21", "2026-12-31", first="2026-11-23") == [
        "2026-11-23"
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is written like"),
        ("weekly", "is written like"),
        ("FREQ=WEEKLY;;BYDAY=SA", "is written like"),
        ("FREQ=WEEKLY;FREQ=DAILY", "is written like"),
        ("FREQ=WEEKLY;BYDAY=SA\nEXDATE=20261121", "is written like"),
        ("FREQ=WEEKLY" + ";BYDAY=SA" * 60, "is written like"),
        ("FREQ=YEARLY", "FREQ is"),
        ("FREQ=SECONDLY", "FREQ is"),
        ("INTERVAL=2", "FREQ is"),
        ("FREQ=WEEKLY;WKST=SU", "not WKST"),
        ("FREQ=MONTHLY;BYSETPOS=1;BYDAY=MO", "not BYSETPOS"),
        ("FREQ=DAILY;BYHOUR=1", "not BYHOUR"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL is"),
        ("FREQ=DAILY;INTERVAL=367", "INTERVAL is"),
        ("FREQ=MONTHLY;INTERVAL=13", "INTERVAL is"),
        ("FREQ=DAILY;INTERVAL=99999999999999999999", "INTERVAL is"),
        ("FREQ=WEEKLY;BYDAY=1SA", "BYDAY names"),
        ("FREQ=WEEKLY;BYDAY=XX", "BYDAY names"),
        ("FREQ=MONTHLY;BYDAY=6SA", "BYDAY names"),
        ("FREQ=MONTHLY;BYDAY=0SA", "BYDAY names"),
        ("FREQ=DAILY;BYDAY=SA", "BYDAY goes with"),
        ("FREQ=WEEKLY;BYMONTHDAY=4", "BYDAY goes with"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY names"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY names"),
        ("FREQ=MONTHLY;BYMONTHDAY=4,,24", "BYMONTHDAY names"),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "not both"),
        ("FREQ=DAILY;COUNT=0", "COUNT is"),
        ("FREQ=DAILY;COUNT=1001", "COUNT is"),
        ("FREQ=DAILY;UNTIL=20261301", "UNTIL is"),
        ("FREQ=DAILY;UNTIL=20261121T000000Z", "UNTIL is"),
        ("FREQ=DAILY;UNTIL=20261121;COUNT=3", "by COUNT or by UNTIL"),
    ],
)
def test_what_is_not_taken_is_refused_with_a_sentence(text, sentence):
    with pytest.raises(BadRule, match=sentence):
        read_rule(text)


def test_a_rule_is_written_in_one_way():
    assert read_rule("rrule:byday=su,sa,su;freq=weekly;interval=1").text == (
        "FREQ=WEEKLY;BYDAY=SA,SU"
    )
    full = "FREQ=MONTHLY;INTERVAL=2;BYDAY=-1SA,+1SU;UNTIL=20271231"
    assert read_rule(full).text == "FREQ=MONTHLY;INTERVAL=2;BYDAY=-1SA,1SU;UNTIL=20271231"
    assert read_rule(read_rule(full).text) == read_rule(full)


@pytest.mark.parametrize(
    ("rule", "starts_on", "ends_on"),
    [
        ("FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=30", date(2027, 2, 1), None),
        ("FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=-31", date(2027, 4, 1), None),
        ("FREQ=MONTHLY;INTERVAL=12", date(2028, 2, 29), date(2028, 2, 28)),
        ("FREQ=WEEKLY;BYDAY=SA", date(2026, 11, 22), date(2026, 11, 27)),
        ("FREQ=DAILY;UNTIL=20261120", date(2026, 11, 21), None),
        ("FREQ=MONTHLY;INTERVAL=12;BYDAY=5SA", date(2027, 2, 1), None),
    ],
)
def test_a_rule_without_dates_is_refused_at_once(rule, starts_on, ends_on):
    with pytest.raises(BadRule, match="No date follows"):
        check_has_dates(read_rule(rule), starts_on, ends_on)


def test_a_day_that_never_comes_is_not_searched_for(monkeypatch):
    """Without this dateutil would look through all months to the year 9999."""

    def searched(*_, **__):
        raise AssertionError("searched")

    monkeypatch.setattr(recurrence, "rrule", searched)
    assert days("FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=30", "2027-02-01", "2099-12-31") == []
    with pytest.raises(AssertionError, match="searched"):
        days("FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=29", "2027-02-01", "2099-12-31")


def test_a_series_is_over_after_its_last_day():
    rule = read_rule("FREQ=WEEKLY;BYDAY=SA;COUNT=2")
    begin = date(2026, 11, 21)
    assert not is_over(rule, begin, None, date(2026, 11, 28))
    assert is_over(rule, begin, None, date(2026, 11, 29))
    assert is_over(rule, begin, date(2026, 11, 27), date(2026, 11, 28))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=WEEKLY;BYDAY=SU,TU", (1, 6)),
        ("FREQ=WEEKLY", (5,)),
        ("FREQ=DAILY;INTERVAL=14", (5,)),
        ("FREQ=DAILY", tuple(range(7))),
        ("FREQ=MONTHLY;BYDAY=1SA,-1SA,3MO", (0, 5)),
        ("FREQ=MONTHLY;BYMONTHDAY=4", tuple(range(7))),
    ],
)
def test_the_weekdays_of_a_rule_are_known(rule, expected):
    assert weekdays_of(read_rule(rule), date(2026, 11, 21)) == expected


def says(rule: Recurrence, starts_on: date, day: date) -> bool:
    """Tell whether a rule says a day, as one reads it aloud; its count is left out."""
    if rule.until is not None and day > rule.until:
        return False
    months = (day.year - starts_on.year) * 12 + day.month - starts_on.month
    length = monthrange(day.year, day.month)[1]
    if rule.frequency == "DAILY":
        return (day - starts_on).days % rule.interval == 0
    if rule.frequency == "WEEKLY":
        monday = starts_on - timedelta(days=starts_on.weekday())
        weeks = (day - monday).days // 7
        wanted = [weekday for _, weekday in rule.weekdays] or [starts_on.weekday()]
        return weeks % rule.interval == 0 and day.weekday() in wanted
    if months % rule.interval:
        return False
    if rule.weekdays:
        nth, nth_last = (day.day - 1) // 7 + 1, -((length - day.day) // 7 + 1)
        return any(
            weekday == day.weekday() and ordinal in (0, nth, nth_last)
            for ordinal, weekday in rule.weekdays
        )
    wanted_days = rule.month_days or (starts_on.day,)
    return day.day in wanted_days or day.day - length - 1 in wanted_days


def naive(rule: Recurrence, starts_on: date, last: date) -> list[date]:
    """Return the days of a rule by looking at each day."""
    span = (last - starts_on).days
    every = (starts_on + timedelta(days=n) for n in range(span + 1))
    found = [day for day in every if says(rule, starts_on, day)]
    return found if rule.count is None else found[: rule.count]


@st.composite
def rules(draw):
    """Draw the text of a rule that is taken."""
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY"]))
    parts = [f"FREQ={frequency}", f"INTERVAL={draw(st.integers(1, 12))}"]
    kinds = {"DAILY": [""], "WEEKLY": ["", "days"], "MONTHLY": ["", "days", "numbers"]}
    kind = draw(st.sampled_from(kinds[frequency]))
    if kind == "days":
        ordinals = ["", "1", "2", "3", "4", "5", "-1", "-2", "-5"]
        nth = st.sampled_from(ordinals if frequency == "MONTHLY" else [""])
        pairs = st.tuples(nth, st.sampled_from(WEEKDAYS)).map("".join)
        parts.append("BYDAY=" + ",".join(draw(st.lists(pairs, min_size=1, max_size=4))))
    if kind == "numbers":
        numbers = st.integers(-31, 31).filter(bool).map(str)
        parts.append("BYMONTHDAY=" + ",".join(draw(st.lists(numbers, min_size=1, max_size=4))))
    if draw(st.booleans()):
        parts.append(
            draw(st.sampled_from(["COUNT=1", "COUNT=7", "UNTIL=20280229", "UNTIL=20261231"]))
        )
    return ";".join(parts)


# How long an example takes is the machine's matter; a search without end is tested above.
@settings(deadline=None, max_examples=400)
@given(rules(), st.dates(date(2023, 1, 1), date(2029, 12, 31)), st.integers(0, 1500))
@example("FREQ=MONTHLY;BYMONTHDAY=31", date(2023, 12, 31), 1500)
@example("FREQ=MONTHLY;BYMONTHDAY=29,-1", date(2024, 1, 31), 1500)
@example("FREQ=MONTHLY;BYDAY=MO,1TU", date(2023, 1, 1), 400)
@example("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO", date(2026, 12, 27), 400)
def test_the_same_days_follow_from_a_naive_reading(text, starts_on, span):
    rule, last = read_rule(text), starts_on + timedelta(days=span)
    assert days_within(rule, starts_on, None, first=starts_on, last=last) == naive(
        rule, starts_on, last
    )
