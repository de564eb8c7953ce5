"""Head counts and roll calls: what is kept, who is drawn, and that nobody draws twice."""

import random
import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from pointsbank.attendance.counting import (
    SAMPLE_MIN,
    answer_roll_call,
    call_roll,
    count_heads,
    head_counts,
    latest_roll,
    sample_size,
)
from pointsbank.attendance.evidence import facts_for_review
from pointsbank.attendance.models import HeadCount, RollCall, RollCallAnswer
from pointsbank.attendance.review_errors import (
    NobodyCame,
    RollCallAnswered,
    RollCallNotFound,
    ShiftNotRunning,
)
from pointsbank.attendance.weighing import weigh
from pointsbank.core.db import reading, run, transaction
from pointsbank.tasks.errors import ShiftNotFound
from tests.attendance.crowd import many_come
from tests.attendance.scene import ENDS, RULES, STARTS, ZONE
from tests.builders import how_many
from tests.racing import MEET_SECONDS_MAX, race

MIDDLE = STARTS + timedelta(hours=1)


def paths(scene):
    return scene.organizer.paths("organizer")


def heads(session, scene, counted, at=MIDDLE):
    return count_heads(
        session,
        shift_id=scene.shift_id,
        counted=counted,
        actor_id=scene.organizer.member_id,
        paths=paths(scene),
        rules=RULES,
        now=at,
    )


def call(session, scene, seed=7, at=MIDDLE):
    return call_roll(
        session,
        shift_id=scene.shift_id,
        actor_id=scene.organizer.member_id,
        paths=paths(scene),
        rules=RULES,
        chance=random.Random(seed),
        now=at,
    )


def mark(session, scene, roll, member_id, is_here, at=MIDDLE):
    return answer_roll_call(
        session,
        roll_call_id=roll.id,
        member_id=member_id,
        is_here=is_here,
        actor_id=scene.organizer.member_id,
        paths=paths(scene),
        now=at,
    )


def test_every_count_is_kept_beside_what_the_scans_say(scene, writing):
    many_come(scene, writing, 4)
    with writing() as session:
        heads(session, scene, 3)
        heads(session, scene, 5, MIDDLE + timedelta(minutes=5))
        seen = [(each.counted, each.by_scans) for each in head_counts(session, scene.shift_id)]
        assert seen == [(5, 4), (3, 4)]
        assert how_many(session, HeadCount) == 2


def test_the_last_count_is_weighed(scene, writing):
    people = many_come(scene, writing, 4)
    with writing() as session:
        heads(session, scene, 3)
        weighed = weigh(facts_for_review(session, scene.shift_id, ZONE))
        assert {reason.code for reason in weighed[people[0]].reasons} == {"head_count_short"}
        heads(session, scene, 4, MIDDLE + timedelta(minutes=5))
        weighed = weigh(facts_for_review(session, scene.shift_id, ZONE))
        assert weighed[people[0]].score == 0


@pytest.mark.parametrize("at", [STARTS - timedelta(minutes=31), ENDS + timedelta(minutes=61)])
def test_heads_are_counted_and_people_called_while_they_are_there(scene, writing, at):
    with writing() as session:
        with pytest.raises(ShiftNotRunning):
            heads(session, scene, 3, at)
        with pytest.raises(ShiftNotRunning):
            call(session, scene, at=at)
        assert how_many(session, HeadCount) == 0


def test_a_foreign_shift_is_not_counted(scene, writing):
    with writing() as session, pytest.raises(ShiftNotFound):
        count_heads(
            session,
            shift_id=scene.shift_id,
            counted=3,
            actor_id=scene.stranger.member_id,
            paths=(),
            rules=RULES,
            now=MIDDLE,
        )


@pytest.mark.parametrize(
    ("present", "drawn"), [(1, 1), (2, 2), (3, 3), (29, 3), (30, 3), (31, 4), (200, 20)]
)
def test_a_tenth_is_drawn_and_three_at_least(present, drawn):
    assert sample_size(present) == drawn


def test_only_those_present_are_drawn_and_chance_decides(scene, writing):
    people = many_come(scene, writing, 12)
    gone = scene.volunteer
    with writing() as session:
        roll = call(session, scene, seed=1)
        drawn = {each.member_id for each in roll.people}
        assert len(drawn) == SAMPLE_MIN
        assert drawn <= set(people)
        assert gone.member_id not in drawn
        assert roll.is_open
    others = set()
    for seed in range(2, 12):
        with writing() as session:
            session.query(RollCallAnswer).delete()
            session.query(RollCall).delete()
            others |= {each.member_id for each in call(session, scene, seed).people}
    assert len(others) > SAMPLE_MIN


def test_nobody_draws_again_until_everybody_is_marked(scene, writing):
    many_come(scene, writing, 12)
    with writing() as session:
        first = call(session, scene, seed=1)
        assert call(session, scene, seed=2) == first
        for person in first.people:
            mark(session, scene, first, person.member_id, True)
        again = call(session, scene, seed=2)
        assert again.id != first.id
        assert latest_roll(session, scene.shift_id) == again


def test_who_is_absent_is_weighed_and_a_slip_is_mended_within_a_minute(scene, writing):
    many_come(scene, writing, 5)
    with writing() as session:
        roll = call(session, scene)
        one, other = (each.member_id for each in roll.people[:2])
        mark(session, scene, roll, one, False)
        mark(session, scene, roll, other, False)
        assert mark(session, scene, roll, other, False) == latest_roll(session, scene.shift_id)
        mark(session, scene, roll, other, True, MIDDLE + timedelta(seconds=60))
        with pytest.raises(RollCallAnswered) as refused:
            mark(session, scene, roll, one, True, MIDDLE + timedelta(seconds=61))
        assert refused.value.facts == {"is_here": False}
        weighed = weigh(facts_for_review(session, scene.shift_id, ZONE))
        assert weighed[one].is_doubtful
        assert weighed[other].score == 0


def test_nobody_else_is_marked(scene, writing):
    many_come(scene, writing, 4)
    with writing() as session:
        roll = call(session, scene)
        with pytest.raises(RollCallNotFound):
            mark(session, scene, roll, scene.stranger.member_id, True)
        with pytest.raises(RollCallNotFound):
            answer_roll_call(
                session,
                roll_call_id=roll.id,
                member_id=roll.people[0].member_id,
                is_here=True,
                actor_id=scene.stranger.member_id,
                paths=(),
                now=MIDDLE,
            )


def test_where_nobody_is_nobody_is_called(scene, writing):
    with writing() as session, pytest.raises(NobodyCame):
        call(session, scene)


def test_two_leads_who_call_at_once_call_the_same_people(app, scene, writing):
    many_come(scene, writing, 12)
    rolls = race(
        app,
        [
            lambda seed=seed: run(lambda session: call(session, scene, seed))
            for seed in range(6)
        ],
    )
    assert all(roll == rolls[0] for roll in rolls), rolls
    with writing() as session:
        assert how_many(session, RollCall) == 1


def test_without_the_lock_each_draws_names_of_their_own(app, scene, writing):
    """The control: who looks first and draws later draws beside the others."""
    many_come(scene, writing, 12)
    all_have_looked = threading.Barrier(3, timeout=MEET_SECONDS_MAX)

    def careless(number):
        with reading() as session:
            standing = session.scalar(select(func.count()).select_from(RollCall))
        all_have_looked.wait()
        if not standing:
            with transaction() as session:
                session.add(
                    RollCall(
                        shift_id=scene.shift_id,
                        called_by_id=scene.organizer.member_id,
                        called_at=MIDDLE,
                    )
                )

    race(app, [lambda number=number: careless(number) for number in range(3)])
    with writing() as session:
        assert how_many(session, RollCall) == 3
