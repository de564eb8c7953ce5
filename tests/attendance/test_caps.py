"""An item's limits by day, week and year: no splitting of the work gives more."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from pointsbank.attendance.models import Attendance
from pointsbank.attendance.own_service import services_of
from pointsbank.attendance.rejecting import reject_attendance
from pointsbank.attendance.settling import Awarded, settle_shift
from pointsbank.core.db import transaction
from pointsbank.ledger.queries import balance_of
from pointsbank.ledger.service import reverse
from pointsbank.ledger.verifying import offenders
from pointsbank.scoring import capping
from pointsbank.scoring.capping import room_for, take_points
from pointsbank.scoring.errors import CapTakenMeanwhile
from pointsbank.scoring.models import PointsTaken, ScoreEntry
from pointsbank.scoring.queries import standard_on
from tests.attendance.scene import ENDS, STARTS, ZONE, set_scene
from tests.builders import a_claim, a_member, a_shift, points_spent
from tests.moments import NOON
from tests.racing import forget_guard, race, times
from tests.standards import a_standard

TODAY = STARTS.date()
AFTER = ENDS + timedelta(minutes=5)


def limited(session, **caps):
    return a_standard(session, valid_from=TODAY, changes={"volunteer_hour": caps})


def settle(session, shift_id, actor_id, now=AFTER):
    return settle_shift(
        session, shift_id=shift_id, actor_id=actor_id, paths=("/",), zone=ZONE, now=now
    )


def worked(session, scene, minutes, *, days=0, from_minute=0):
    """Let the volunteer do so much in a shift of its own; return the shift's id."""
    starts = STARTS + timedelta(days=days, minutes=from_minute)
    ends = starts + timedelta(minutes=minutes)
    shift_id = a_shift(
        session,
        organizer_id=scene.organizer.member_id,
        organization_id=scene.organizer.organization_id,
        starts_at=starts,
        minutes=minutes,
        now=NOON,
    )
    claim = a_claim(session, shift_id, scene.volunteer.member_id, NOON)
    session.add(
        Attendance(
            shift_id=shift_id,
            member_id=scene.volunteer.member_id,
            claim_id=claim.id,
            state="left",
            checked_in_at=starts,
            checked_out_at=ends,
            flags=[],
        )
    )
    session.flush()
    return shift_id


def balance(session, scene):
    return balance_of(session, f"member:{scene.volunteer.member_id}").available


@pytest.mark.parametrize(
    ("cap", "reason"),
    [
        ("points_day_max", "day_cap"),
        ("points_week_max", "week_cap"),
        ("points_year_max", "year_cap"),
    ],
)
def test_what_goes_beyond_the_limit_is_cut(app, writing, cap, reason):
    with writing() as session:
        limited(session, **{cap: 18})
        scene = set_scene(app, session)
        member_id = scene.volunteer.member_id
    scene.check_in()
    scene.check_out()
    for _ in range(2):
        with writing() as session:
            settlement = settle(session, scene.shift_id, scene.organizer.member_id)
        assert settlement.awarded == (Awarded(member_id, 18, 150),)
    with writing() as session:
        entry = session.scalars(select(ScoreEntry)).one()
        assert (entry.points, entry.service_minutes, entry.evaluation_hundredths) == (
            18,
            150,
            125,
        )
        (service,) = services_of(session, member_id)
        assert (service.state, service.cut_reason, service.points) == ("credited", reason, 18)
        assert session.scalars(select(PointsTaken.points)).one() == 18
        assert offenders(session) == []


def test_a_full_limit_leaves_the_time_and_no_points(app, writing):
    with writing() as session:
        limited(session, points_day_max=0)
        scene = set_scene(app, session)
        shift_id = worked(session, scene, 120)
        settlement = settle(session, shift_id, scene.organizer.member_id)
        assert settlement.awarded == (Awarded(scene.volunteer.member_id, 0, 120),)
        assert balance(session, scene) == 0


@pytest.mark.parametrize("limit", [1, 23, 40, 75])
def test_no_splitting_gives_more_than_the_limit(app, writing, dice, limit):
    """Six hours in pieces of any size, on one day: one limit, whatever the pieces."""
    with writing() as session:
        limited(session, points_day_max=limit, points_week_max=limit + 7, points_year_max=90)
        scene = set_scene(app, session)
        begun = 0
        while begun < 360:
            minutes = min(dice.choice([30, 45, 60, 90, 150]), 360 - begun)
            shift_id = worked(session, scene, minutes, from_minute=begun)
            begun += minutes
            settle(session, shift_id, scene.organizer.member_id, AFTER + timedelta(hours=6))
        entries = session.scalars(select(ScoreEntry)).all()
        points = sum(entry.points for entry in entries)
        # Cut exactly where it is reached: pieces that do not fill a half hour give less.
        uncut = sum(entry.service_minutes for entry in entries) // 6
        assert points == balance(session, scene) == min(limit, uncut)


def test_a_week_and_a_year_limit_across_days(app, writing):
    """Saturday and Sunday are one week, Monday is the next: 2026-11-21 is a Saturday."""
    with writing() as session:
        limited(session, points_week_max=15, points_year_max=24)
        scene = set_scene(app, session)
        given = []
        for days in (0, 1, 2, 9):
            shift_id = worked(session, scene, 60, days=days)
            now = AFTER + timedelta(days=days)
            (awarded,) = settle(session, shift_id, scene.organizer.member_id, now).awarded
            given.append(awarded.points)
        assert given == [10, 5, 9, 0]
        rows = {row.span: row.points for row in session.scalars(select(PointsTaken))}
        assert rows == {"2026-W47": 15, "2026-W48": 9, "2026-W49": 0, "2026": 24}


def test_another_item_has_its_own_limit(app, writing):
    with writing() as session:
        limited(session, points_day_max=5)
        scene = set_scene(app, session)
        for item in ("volunteer_hour", "post_shift"):
            shift_id = worked(session, scene, 60, from_minute=90 * (item == "post_shift"))
            session.execute(
                text(
                    "UPDATE task SET scoring_item = :item WHERE id ="
                    " (SELECT task_id FROM shift WHERE id = :shift_id)"
                ),
                {"item": item, "shift_id": shift_id},
            )
            settle(session, shift_id, scene.organizer.member_id, AFTER + timedelta(hours=3))
        assert balance(session, scene) == 5 + 10


def test_a_reversal_gives_room_back(app, writing):
    with writing() as session:
        limited(session, points_day_max=15)
        scene = set_scene(app, session)
        first = worked(session, scene, 60)
        settle(session, first, scene.organizer.member_id)
        reject_attendance(
            session,
            member_id=scene.volunteer.member_id,
            shift_id=first,
            note=None,
            today=TODAY,
            now=AFTER,
        )
        second = worked(session, scene, 120, from_minute=60)
        settle(session, second, scene.organizer.member_id, AFTER + timedelta(hours=2))
        assert balance(session, scene) == 15


def test_a_reversal_in_part_gives_that_part_back(app, writing):
    with writing() as session:
        limited(session, points_day_max=15)
        scene = set_scene(app, session)
        settle(session, worked(session, scene, 90), scene.organizer.member_id)
        transfer_id = session.scalars(select(Attendance.transfer_id)).one()
        reverse(
            session,
            transfer_id=transfer_id,
            key="reversal:by-hand",
            reason="记错了",
            actor_id=scene.organizer.member_id,
            today=TODAY,
            now=AFTER,
            points=4,
        )
        later = worked(session, scene, 60, from_minute=120)
        settle(session, later, scene.organizer.member_id, AFTER + timedelta(hours=1))
        assert balance(session, scene) == 15


def test_what_is_spent_already_gives_no_room_back(app, writing):
    with writing() as session:
        limited(session, points_day_max=15)
        scene = set_scene(app, session)
        member_id = scene.volunteer.member_id
        first = worked(session, scene, 90)
        settle(session, first, scene.organizer.member_id)
        points_spent(session, member_id, 15, "spent:1", AFTER)
        reject_attendance(
            session, member_id=member_id, shift_id=first, note=None, today=TODAY, now=AFTER
        )
        second = worked(session, scene, 60, from_minute=90)
        settle(session, second, scene.organizer.member_id, AFTER + timedelta(hours=2))
        assert balance(session, scene) == 0


def test_a_limit_that_begins_in_mid_year_counts_what_was_awarded_before(app, writing):
    with writing() as session:
        scene = set_scene(app, session)
        settle(session, worked(session, scene, 60), scene.organizer.member_id)
        a_standard(
            session,
            valid_from=TODAY + timedelta(days=1),
            changes={"volunteer_hour": {"points_year_max": 12}},
        )
        later = worked(session, scene, 60, days=1)
        settle(session, later, scene.organizer.member_id, AFTER + timedelta(days=1))
        assert balance(session, scene) == 12


def awarding(member_id, points):
    """Return a contestant that takes as many of these points as there is room for."""

    def contestant():
        with transaction() as session:
            item = standard_on(session, TODAY).item("volunteer_hour")
            rooms = room_for(session, member_ids=[member_id], item=item, day=TODAY)
            more = min(points, rooms[member_id].left)
            take_points(session, points={member_id: more}, rooms=rooms, item=item)
            return more

    return contestant


def raced(app, writing):
    """Let eight take ten points each at once where 40 are the most."""
    with writing() as session:
        limited(session, points_day_max=40)
        member_id = a_member(session)
    assert race(app, [awarding(member_id, 0)]) == [0]
    answers = race(app, times(8, awarding(member_id, 10)))
    with writing() as session:
        kept = session.scalars(select(PointsTaken.points)).one()
    return answers, sum(each for each in answers if isinstance(each, int)), kept


def test_of_many_at_once_nobody_passes_the_limit(app, writing):
    answers, given, kept = raced(app, writing)
    assert (sorted(answers), given, kept) == ([0, 0, 0, 0, 10, 10, 10, 10], 40, 40)


def look_without_a_lock(monkeypatch):
    """Let everybody read the row without its lock, and act a moment later."""

    def unlocked(session, ids, item, _spans):
        look = select(PointsTaken).where(PointsTaken.item_code == item.code)
        found = {(row.member_id, row.span): row.points for row in session.scalars(look)}
        session.execute(text("SELECT pg_sleep(0.1)"))
        return found

    monkeypatch.setattr(capping, "_taken", unlocked)


@pytest.mark.engine("postgresql")
def test_without_the_lock_the_row_guards_itself(app, writing, monkeypatch):
    look_without_a_lock(monkeypatch)
    answers, given, kept = raced(app, writing)
    assert given == kept == 40
    assert {type(each) for each in answers} == {int, CapTakenMeanwhile}


@pytest.mark.engine("postgresql")
def test_control_without_lock_and_guard_the_limit_is_passed(app, writing, monkeypatch):
    look_without_a_lock(monkeypatch)
    forget_guard(monkeypatch, capping, "TAKE", "points + :more <= :most")
    _answers, given, _kept = raced(app, writing)
    assert given > 40
