"""A democratic appraisal: counts within ballots, two people, an integer formula, secrecy."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from pointsbank.appraisals.errors import (
    AnotherPersonNeeded,
    AppraisalStands,
    BadPaperDay,
    CountedTwice,
    NotABranch,
    NotOfThisBranch,
    PaperDecided,
    PaperNotInForce,
    TooManyVotes,
)
from pointsbank.appraisals.meeting_queries import appraisals_about, counts_of
from pointsbank.appraisals.meetings import decide_appraisal, lift_appraisal
from pointsbank.appraisals.policy import Count, appraisal_hundredths, says_enough
from pointsbank.core.db import db
from pointsbank.ledger.models import Transfer
from pointsbank.members.belonging import move_member
from pointsbank.organizations.queries import organization_of
from tests.appraisals.committee_room import (
    SPRING,
    TODAY,
    a_room,
    appraisal,
    appraised,
    entries,
)
from tests.builders import a_branch, how_many
from tests.moments import NOON
from tests.scoring.hands import actor_of

MOST = 500
VOTES = st.integers(0, 300)
COUNTS = st.builds(Count, st.just(1), VOTES, VOTES, VOTES, VOTES)


@pytest.fixture
def room(session):
    return a_room(session)


@given(COUNTS, st.integers(0, 1500))
def test_what_votes_come_to_stays_within_its_bounds(count, most):
    found = appraisal_hundredths(count, most)
    assert 0 <= found <= most
    if count.cast and count.cast == count.excellent:
        assert found == most
    if count.cast == count.unqualified:
        assert found == 0


@given(COUNTS)
def test_a_better_vote_never_comes_to_less(count):
    if count.unqualified:
        better = Count(
            1, count.excellent, count.qualified, count.basic + 1, count.unqualified - 1
        )
        assert appraisal_hundredths(better, MOST) >= appraisal_hundredths(count, MOST)
    if count.qualified:
        better = Count(
            1, count.excellent + 1, count.qualified - 1, count.basic, count.unqualified
        )
        assert appraisal_hundredths(better, MOST) >= appraisal_hundredths(count, MOST)


def test_the_example_of_the_documentation():
    """20 ballots: 12 excellent, 6 qualified, 1 basic, 1 unqualified; of at most 5.00."""
    count = Count(1, 12, 6, 1, 1)
    assert appraisal_hundredths(count, MOST) == 500 * (48 + 18 + 1) // 80 == 418
    assert says_enough(count, 40)
    assert not says_enough(count, 41)


def test_confirmed_counts_become_entries_of_their_category(session, room):
    before = how_many(session, Transfer)
    appraisal_id = appraisal(
        session, room, Count(room.member_id, 8, 2, 0, 0), Count(room.other_id, 1, 1, 1, 0)
    )
    assert entries(session, room.member_id) == []
    assert appraised(session, room, appraisal_id) == "confirmed"
    assert entries(session, room.member_id) == [("duty", 500 * 38 // 40, 0, SPRING)]
    # Three of ten ballots said something about the other one: too few.
    assert entries(session, room.other_id) == []
    assert [line.hundredths for line in counts_of(session, appraisal_id)].count(None) == 1
    assert how_many(session, Transfer) == before
    assert [each.hundredths for each in appraisals_about(session, room.member_id)] == [475]


def test_a_lifted_appraisal_takes_its_entries_away(session, room):
    appraisal_id = appraisal(session, room)
    appraised(session, room, appraisal_id)
    given_ = {"appraisal_id": appraisal_id, "reason": "重新计票", "now": NOON}
    with pytest.raises(AnotherPersonNeeded):
        lift_appraisal(session, actor=actor_of(session, room.secretary_id), **given_)
    administrator = actor_of(session, room.administrator_id)
    lift_appraisal(session, actor=administrator, **given_)
    assert sum(entry[1] for entry in entries(session, room.member_id)) == 0
    with pytest.raises(PaperNotInForce):
        lift_appraisal(session, actor=administrator, **given_)
    appraised(session, room, appraisal(session, room))
    assert sum(entry[1] for entry in entries(session, room.member_id)) == 475


def test_a_second_person_decides_once(session, room):
    appraisal_id = appraisal(session, room)
    with pytest.raises(AnotherPersonNeeded):
        decide_appraisal(
            session,
            appraisal_id=appraisal_id,
            actor=actor_of(session, room.secretary_id),
            is_confirmed=True,
            reason="一致",
            now=NOON,
        )
    assert appraised(session, room, appraisal_id, is_confirmed=False) == "refused"
    with pytest.raises(PaperDecided):
        appraised(session, room, appraisal_id)
    assert entries(session, room.member_id) == []
    assert appraisal(session, room) != appraisal_id


def test_counts_are_judged_whole(session, room):
    me, other = room.member_id, room.other_id
    for counts, refusal in (
        ((Count(me, 8, 2, 1, 0),), TooManyVotes),
        ((Count(me, 1, 0, 0, 0), Count(me, 1, 0, 0, 0)), CountedTwice),
        ((Count(me, 1, 0, 0, 0), Count(room.resident_id, 1, 0, 0, 0)), NotOfThisBranch),
        ((Count(other, 1, 0, 0, 0), Count(me, 11, 0, 0, 0)), TooManyVotes),
    ):
        with pytest.raises(refusal):
            appraisal(session, room, *counts)
    community = organization_of(session, room.community_id).code
    with pytest.raises(NotABranch):
        appraisal(session, room, by=room.administrator_id, organization_code=community)
    with pytest.raises(BadPaperDay):
        appraisal(session, room, held_on=date(2026, 11, 22))
    appraisal(session, room)
    with pytest.raises(AppraisalStands):
        appraisal(session, room, Count(other, 1, 0, 0, 0))


def test_only_those_who_belonged_there_that_day_are_appraised(session, room):
    elsewhere = a_branch(session, "B9", room.community_id)
    move_member(
        session,
        member_id=room.member_id,
        organization_id=elsewhere,
        grid_id=None,
        on=date(2026, 6, 1),
        now=NOON,
    )
    with pytest.raises(NotOfThisBranch):
        appraisal(session, room, held_on=TODAY)
    appraised(session, room, appraisal(session, room))
    assert len(entries(session, room.member_id)) == 1


def test_the_database_holds_to_ballots_counts_and_a_second_person(session, room):
    appraisal_id = appraisal(session, room)
    for wrong in (
        "UPDATE appraisal_meeting SET ballots = 0",
        "UPDATE appraisal_count SET basic = -1",
        "UPDATE appraisal_meeting SET state = 'confirmed', confirmed_by_id = entered_by_id",
        "UPDATE appraisal_meeting SET state = 'confirmed'",
    ):
        with pytest.raises(IntegrityError), session.begin_nested():
            session.execute(text(wrong))
    assert counts_of(session, appraisal_id)


def test_who_voted_how_is_kept_nowhere(app):
    """No table has a row a voter: a meeting and a count a member are all there is."""
    with app.app_context():
        tables = {
            name: {column["name"] for column in inspect(db.engine).get_columns(name)}
            for name in inspect(db.engine).get_table_names()
            if name.startswith("appraisal")
        }
    assert set(tables) == {"appraisal_meeting", "appraisal_count"}
    people = {"entered_by_id", "confirmed_by_id", "lifted_by_id"}
    assert {c for c in tables["appraisal_meeting"] if c.endswith("_by_id")} == people
    assert {c for c in tables["appraisal_count"] if c.endswith("_id")} == {
        "meeting_id",
        "member_id",
        "entry_id",
    }
