"""Splitting work into more and smaller pieces never beats a cap, nor what the whole gives."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pointsbank.scoring.capping import room_for, take_points
from pointsbank.scoring.evaluating import ItemCaps, Scored, evaluate
from pointsbank.scoring.models import Item
from pointsbank.scoring.policy import award_for
from pointsbank.scoring.queries import standard_on
from pointsbank.scoring.tables import EvaluationTable
from tests.builders import TODAY, a_member
from tests.scoring.test_policy import FLOOD, HOUR, PATROL
from tests.standards import a_standard

MONDAY = date(2026, 11, 16)
CATEGORY = {"volunteer_hour": "volunteer_service", "night_patrol": "post_service"}
CAPS = st.none() | st.integers(0, 400)
ITEM_CAPS = st.builds(ItemCaps, day=CAPS, week=CAPS, year=CAPS)
# What an entry is cut into: how many hundredths, points and minutes each piece has.
PIECES = st.lists(
    st.tuples(st.integers(0, 90), st.integers(0, 30), st.integers(0, 120)),
    min_size=1,
    max_size=6,
)
WORK = st.lists(
    st.tuples(st.sampled_from(sorted(CATEGORY)), st.integers(0, 20), PIECES),
    min_size=1,
    max_size=8,
)


def table(post: int = 1000, service: int = 2500) -> EvaluationTable:
    return EvaluationTable(
        name="default",
        base_mode="earn",
        base={"post_service": post},
        bonus={"volunteer_service": service},
        floors={"excellent": 8500, "qualified": 6000, "basic": 4000},
    )


def scored(code: str, day: int, pieces: Sequence[tuple[int, int, int]]) -> Scored:
    """Return one entry that holds all of these pieces."""
    hundredths, points, minutes = (sum(each) for each in zip(*pieces, strict=True))
    on = MONDAY + timedelta(days=day)
    return Scored(code, CATEGORY[code], on, hundredths, points, minutes)


@given(
    work=WORK,
    caps=st.fixed_dictionaries({}, optional=dict.fromkeys(CATEGORY, ITEM_CAPS)),
    post=st.integers(0, 2000),
    service=st.integers(0, 3000),
    factor=st.sampled_from([1, 4, 12]),
)
def test_entries_in_pieces_are_worth_what_they_are_worth_whole(
    work, caps, post, service, factor
):
    """Any pieces of any entries of a day: the score, part by part, is the same."""
    whole = evaluate(
        [scored(*each) for each in work],
        caps=caps,
        table=table(post, service),
        factor=factor,
    )
    split = evaluate(
        [scored(code, day, [piece]) for code, day, pieces in work for piece in pieces],
        caps=caps,
        table=table(post, service),
        factor=factor,
    )
    counts = {part.category: part.entries for part in whole.parts}
    as_whole = tuple(replace(part, entries=counts[part.category]) for part in split.parts)
    assert replace(split, parts=as_whole) == whole
    for code, item_caps in caps.items():
        part = next((each for each in split.parts if each.category == CATEGORY[code]), None)
        if part is not None and item_caps.year is not None:
            assert part.score <= item_caps.year


def test_a_rule_that_cuts_entry_by_entry_would_be_beaten():
    """The control of the one above: the same work, and a rule that forgets the day's sum."""
    whole = [scored("volunteer_hour", 0, [(200, 0, 0)])]
    pieces = [scored("volunteer_hour", 0, [(100, 0, 0)]) for _ in range(2)]
    mistaken = [sum(min(each.hundredths, 100) for each in kept) for kept in (whole, pieces)]
    assert mistaken == [100, 200]
    caps = {"volunteer_hour": ItemCaps(day=100)}
    scores = [
        evaluate(each, caps=caps, table=table(), factor=1).evaluation_hundredths
        for each in (whole, pieces)
    ]
    assert scores == [100, 100]


def earned_in(item: Item, lengths: Sequence[int], percent: int = 100) -> list[Scored]:
    """Return the entries of shifts of these minutes, one after the other on one day."""
    entries: list[Scored] = []
    for minutes in lengths:
        award = award_for(
            item,
            planned_minutes=minutes,
            actual_minutes=minutes,
            day_minutes_before=sum(entry.service_minutes for entry in entries),
            coefficient_percent=percent,
        )
        worth = (award.evaluation_hundredths, award.points, award.service_minutes)
        entries.append(Scored(item.code, item.category, MONDAY, *worth))
    return entries


LENGTHS = st.lists(st.integers(1, 300), min_size=1, max_size=8)


@given(
    lengths=LENGTHS,
    item=st.sampled_from([HOUR, FLOOD]),
    percent=st.integers(100, 150),
    cap=st.builds(ItemCaps, day=CAPS),
)
def test_a_task_by_the_hour_gives_no_more_in_several_shifts(lengths, item, percent, cap):
    whole, split = (
        evaluate(
            earned_in(item, each, percent),
            caps={item.code: cap},
            table=table(),
            factor=1,
        )
        for each in ([sum(lengths)], lengths)
    )
    assert split.points_earned <= whole.points_earned
    assert split.service_minutes <= whole.service_minutes
    assert split.evaluation_hundredths <= whole.evaluation_hundredths


@given(lengths=LENGTHS, percent=st.integers(100, 150))
def test_rounding_to_the_nearest_gives_half_a_unit_a_shift_at_most(lengths, percent):
    """A standard that rounds halves up says so; what pieces gain is that rounding alone."""
    item = Item(**{**vars(FLOOD), "rounding": "half_up"})
    (whole,) = earned_in(item, [sum(lengths)], percent)
    split = earned_in(item, lengths, percent)
    for fact in ("points", "hundredths"):
        gained = sum(getattr(each, fact) for each in split) - getattr(whole, fact)
        assert 2 * gained <= len(split) + 1


@given(
    lengths=LENGTHS,
    item=st.sampled_from([HOUR, PATROL, Item(**{**vars(FLOOD), "rounding": "half_up"})]),
    cap=st.integers(0, 400),
)
def test_no_number_of_shifts_beats_the_cap_of_a_day(lengths, item, cap):
    """Not by the shift either, where each gives a fixed sum, nor where halves go up."""
    for caps in (ItemCaps(day=cap), ItemCaps(week=cap), ItemCaps(year=cap)):
        found = evaluate(
            earned_in(item, lengths, 150), caps={item.code: caps}, table=table(), factor=1
        )
        assert found.evaluation_hundredths <= cap


def taken(session, member_id, item, pieces, *, is_counted=True):
    """Return what these points come to where each piece asks for room before it is given."""
    given_points = 0
    for day, points in pieces:
        on = TODAY + timedelta(days=day)
        rooms = room_for(session, member_ids=[member_id], item=item, day=on)
        fitting = min(points, rooms[member_id].left)
        if is_counted:
            take_points(session, points={member_id: fitting}, rooms=rooms, item=item)
        given_points += fitting
    return given_points


def limited(session, **limits):
    a_standard(session, valid_from=TODAY, changes={"volunteer_hour": limits})
    return standard_on(session, TODAY).item("volunteer_hour")


def test_points_in_pieces_take_no_more_room_than_whole(session, dice):
    """2026-11-21 is a Saturday: three days are two weeks of one year."""
    item = limited(session, points_day_max=30, points_week_max=50, points_year_max=70)
    for _ in range(20):
        work = [(day, dice.randrange(0, 60)) for day in range(3)]
        pieces = []
        for day, points in work:
            while points:
                pieces.append((day, dice.randrange(1, points + 1)))
                points -= pieces[-1][1]
        whole = taken(session, a_member(session), item, work)
        split = taken(session, a_member(session), item, pieces)
        assert split == whole <= 70


def test_pieces_that_nobody_counts_beat_the_limit(session):
    """The control of the one above: room that is asked for and not taken."""
    item = limited(session, points_day_max=30)
    pieces = [(0, 20)] * 5
    assert taken(session, a_member(session), item, pieces) == 30
    assert taken(session, a_member(session), item, pieces, is_counted=False) == 100
