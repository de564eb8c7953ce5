"""What speaks against an attendance: each sign alone, what stays below the threshold, order."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsbank.attendance.weighing import (
    BURST_SECONDS,
    DEVICE_PEOPLE,
    EQUAL_PEOPLE,
    NIGHT_PEOPLE,
    REVIEW_FROM,
    SCORE_MAX,
    WEIGHTS,
    Elsewhere,
    Heads,
    Line,
    Mark,
    ShiftFacts,
    scored,
    weigh,
)
from tests.attendance.scene import ENDS, STARTS, ZONE

ORGANIZER = 1000


def facts(**more) -> ShiftFacts:
    return ShiftFacts(STARTS, ENDS, ZONE, ORGANIZER, **more)


def came(member_id, seconds=0, noted=()):
    """A person who came and went at a second of their own."""
    apart = timedelta(seconds=seconds or 7 * member_id)
    return Line(member_id, 1, STARTS + apart, ENDS - apart, noted)


def mark(member_id, at, kind="venue", direction="in", actor_id=None, device_id=None):
    return Mark(member_id, actor_id or member_id, direction, 1, kind, at, device_id)


def codes(weighed, member_id) -> set[str]:
    return {reason.code for reason in weighed[member_id].reasons}


def test_an_ordinary_afternoon_says_nothing_against_anybody():
    lines = tuple(came(each) for each in range(1, 31))
    marks = tuple(
        mark(each, STARTS + timedelta(seconds=7 * each), device_id=f"d{each}")
        for each in range(1, 31)
    )
    weighed = weigh(facts(lines=lines, marks=marks))
    assert len(weighed) == 30
    assert {each.score for each in weighed.values()} == {0}


def test_a_couple_with_one_phone_is_noted_and_does_not_wait():
    marks = (
        mark(1, STARTS, device_id="ours"),
        mark(2, STARTS + timedelta(seconds=40), device_id="ours"),
    )
    weighed = weigh(facts(lines=(came(1), came(2), came(3)), marks=marks))
    assert codes(weighed, 1) == codes(weighed, 2) == {"same_device"}
    assert not weighed[1].is_doubtful
    assert weighed[3].score == 0


def test_a_station_that_scans_many_quickly_is_no_shared_phone():
    marks = tuple(
        mark(
            each, STARTS + each * timedelta(milliseconds=300), "personal", "in", 900, "station"
        )
        for each in range(1, 41)
    )
    lines = tuple(came(each) for each in range(1, 41))
    assert {each.score for each in weigh(facts(lines=lines, marks=marks)).values()} == {0}


def test_a_crowd_on_one_phone_is_more_than_a_family():
    def on_one_phone(people):
        marks = tuple(
            mark(each, STARTS + timedelta(minutes=each), device_id="one")
            for each in range(1, people + 1)
        )
        return weigh(facts(lines=tuple(came(each) for each in range(1, 9)), marks=marks))

    assert codes(on_one_phone(DEVICE_PEOPLE), 1) == {"same_device"}
    assert codes(on_one_phone(DEVICE_PEOPLE + 1), 1) == {"same_device", "device_crowd"}


@pytest.mark.parametrize(("apart", "is_burst"), [(BURST_SECONDS - 0.1, True), (2, False)])
def test_two_people_on_one_phone_within_two_seconds_wait(apart, is_burst):
    marks = (
        mark(1, STARTS, device_id="one"),
        mark(2, STARTS + timedelta(seconds=apart), device_id="one"),
    )
    weighed = weigh(facts(lines=(came(1), came(2)), marks=marks))
    assert ("device_burst" in codes(weighed, 1)) is is_burst
    assert weighed[1].is_doubtful is weighed[2].is_doubtful is is_burst


def test_in_and_out_within_seconds_is_noted_for_that_person_only():
    slipped = Line(1, 1, STARTS, STARTS + timedelta(seconds=9))
    weighed = weigh(facts(lines=(slipped, came(2))))
    assert codes(weighed, 1) == {"quick_pair"}
    assert codes(weighed, 2) == set()
    slower = replace(slipped, left_at=STARTS + timedelta(seconds=10))
    assert codes(weigh(facts(lines=(slower,))), 1) == set()


def test_two_places_at_once_wait_and_back_to_back_does_not():
    at_once = Elsewhere(1, STARTS + timedelta(minutes=30), ENDS)
    after = Elsewhere(2, ENDS - timedelta(minutes=5), ENDS + timedelta(hours=2))
    stays_on = Line(2, 1, STARTS, ENDS + timedelta(minutes=40))
    weighed = weigh(facts(lines=(came(1), stays_on), elsewhere=(at_once, after)))
    assert codes(weighed, 1) == {"overlap"}
    assert weighed[1].is_doubtful
    assert codes(weighed, 2) == set()


def test_marks_at_night_are_noted_and_weigh_more_when_there_are_several():
    at_night = STARTS.replace(hour=23, minute=30)
    marks = tuple(mark(each, at_night, "manual", actor_id=900) for each in (1, 2, 3))
    lines = tuple(came(each) for each in (1, 2, 3))
    assert "night" in codes(weigh(facts(lines=lines, marks=marks[:1])), 1)
    assert "night_cluster" not in codes(weigh(facts(lines=lines, marks=marks[:2])), 1)
    assert len(marks) == NIGHT_PEOPLE
    assert codes(weigh(facts(lines=lines, marks=marks)), 1) >= {"night", "night_cluster"}


def test_a_patrol_that_is_planned_at_night_is_no_sign():
    begins = STARTS.replace(hour=22)
    patrol = replace(facts(), starts_at=begins, ends_at=begins + timedelta(hours=4))
    marks = (mark(1, begins), mark(1, begins + timedelta(hours=4, minutes=50), direction="out"))
    weighed = weigh(replace(patrol, lines=(Line(1, 1, begins, None),), marks=marks))
    assert weighed[1].score == 0


def test_the_organizers_own_line_does_not_wait_for_that_alone():
    weighed = weigh(facts(lines=(came(ORGANIZER, seconds=5),)))
    assert codes(weighed, ORGANIZER) == {"organizer_own"}
    assert not weighed[ORGANIZER].is_doubtful


def test_who_checks_themselves_in_at_a_station_is_noted():
    own_card = mark(1, STARTS, "card", actor_id=1)
    own_phone = mark(2, STARTS, "venue", actor_id=2)
    weighed = weigh(facts(lines=(came(1), came(2)), marks=(own_card, own_phone)))
    assert (codes(weighed, 1), codes(weighed, 2)) == ({"organizer_own"}, set())


def test_who_scans_the_poster_is_no_keeper_of_a_station():
    weighed = weigh(facts(lines=(came(1),), marks=(mark(1, STARTS, "poster", actor_id=1),)))
    assert codes(weighed, 1) == set()


def test_the_same_second_in_and_out_for_many():
    def equal(people):
        return weigh(facts(lines=tuple(came(each, seconds=3) for each in range(1, people + 1))))

    assert codes(equal(EQUAL_PEOPLE - 1), 1) == set()
    assert codes(equal(EQUAL_PEOPLE), 1) == {"equal_hours"}


def test_typed_once_typed_throughout_and_most_of_a_shift_typed():
    def typed(people, of):
        marks = [
            mark(each, STARTS, "manual" if each <= people else "venue", actor_id=900)
            for each in range(1, of + 1)
        ]
        lines = tuple(came(each) for each in range(1, of + 1))
        return weigh(facts(lines=lines, marks=tuple(marks)))

    assert codes(typed(1, 5), 1) == {"typed_throughout"}
    assert not typed(1, 5)[1].is_doubtful
    assert codes(typed(3, 5), 1) == {"typed_throughout", "typed_crowd"}
    assert typed(3, 5)[1].is_doubtful
    assert codes(typed(4, 4), 1) == {"typed_throughout"}
    both = (mark(1, STARTS, "manual", actor_id=900), mark(1, ENDS, "venue", "out"))
    assert codes(weigh(facts(lines=(came(1),), marks=both)), 1) == {"typed_once"}


def test_absent_at_a_roll_call_waits():
    weighed = weigh(facts(lines=(came(1), came(2)), absent=frozenset({1})))
    assert codes(weighed, 1) == {"absent_at_roll_call"}
    assert (weighed[1].is_doubtful, weighed[2].score) == (True, 0)


def test_fewer_heads_than_marks_touch_who_was_there_by_the_marks():
    noon = STARTS + timedelta(hours=1)
    gone = Line(2, 1, STARTS, noon - timedelta(minutes=1))
    lines = (came(1), gone)
    short = weigh(facts(lines=lines, heads=Heads(3, 5, noon)))
    assert (codes(short, 1), codes(short, 2)) == ({"head_count_short"}, set())
    assert weigh(facts(lines=lines, heads=Heads(5, 5, noon)))[1].score == 0


def test_what_the_scans_noted_is_weighed_and_being_offline_is_not():
    noted = ("other_place", "clock_skew", "walk_in", "offline")
    weighed = weigh(facts(lines=(came(1, noted=noted),)))
    assert codes(weighed, 1) == {"other_place", "clock_skew", "walk_in"}
    assert not weighed[1].is_doubtful


# What may befall an honest person without a hand of theirs in it.
HONEST = (
    "same_device",
    "other_place",
    "clock_skew",
    "walk_in",
    "typed_once",
    "typed_throughout",
    "let_in",
    "quick_pair",
    "equal_hours",
    "head_count_short",
    "organizer_own",
    "night",
)


@pytest.mark.parametrize("code", HONEST)
def test_one_innocent_sign_never_waits(code):
    assert scored([code]).score < REVIEW_FROM


def test_a_shared_phone_with_any_one_small_sign_does_not_wait():
    for other in ("other_place", "clock_skew", "walk_in", "typed_once", "head_count_short"):
        assert scored(["same_device", other]).score < REVIEW_FROM


SIGNS = st.sets(st.sampled_from(sorted(WEIGHTS)))


@given(SIGNS)
def test_the_score_stays_within_bounds_and_the_reasons_are_those_found(signs):
    weighed = scored(signs)
    assert 0 <= weighed.score <= SCORE_MAX
    assert {reason.code for reason in weighed.reasons} == signs
    assert weighed.is_doubtful == (weighed.score >= REVIEW_FROM)


@given(SIGNS, SIGNS)
def test_more_signs_never_weigh_less(some, more):
    assert scored(some | more).score >= scored(some).score


@given(st.lists(st.sampled_from(sorted(WEIGHTS)), max_size=5))
def test_a_sign_counts_once_in_whatever_order(signs):
    found = {scored(order) for order in permutations(signs)}
    assert found == {scored(set(signs))}


SECONDS = st.integers(0, 9000).map(lambda seconds: STARTS + timedelta(seconds=seconds))
MARKS = st.builds(
    mark,
    st.integers(1, 8),
    SECONDS,
    st.sampled_from(("venue", "personal", "card", "manual")),
    st.sampled_from(("in", "out")),
    st.integers(1, 8),
    st.sampled_from((None, "one", "two")),
)
LINES = st.builds(
    lambda member_id, one, other, noted: Line(
        member_id, 1, min(one, other), max(one, other), tuple(noted)
    ),
    st.integers(1, 8),
    SECONDS,
    SECONDS,
    st.sets(st.sampled_from(("walk_in", "clock_skew", "offline"))),
)


@given(st.lists(LINES, max_size=8), st.lists(MARKS, max_size=16), st.randoms())
def test_the_order_of_facts_means_nothing(lines, marks, chance):
    one = weigh(facts(lines=tuple(lines), marks=tuple(marks), absent=frozenset({3})))
    chance.shuffle(lines)
    chance.shuffle(marks)
    other = weigh(facts(lines=tuple(lines), marks=tuple(marks), absent=frozenset({3})))
    assert one == other
    assert set(one) == {line.member_id for line in lines}
    assert all(0 <= each.score <= SCORE_MAX for each in one.values())


@given(st.lists(LINES, max_size=6), st.lists(MARKS, max_size=10), st.integers(1, 8))
def test_an_absence_at_a_roll_call_never_lightens(lines, marks, member_id):
    before = weigh(facts(lines=tuple(lines), marks=tuple(marks)))
    after = weigh(facts(lines=tuple(lines), marks=tuple(marks), absent=frozenset({member_id})))
    assert all(after[each].score >= before[each].score for each in before)
