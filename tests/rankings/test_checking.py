"""The nightly check of standings: everybody in turn, and what it does when one is wrong."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, text, update

from pointsbank.core.calendar import read_period
from pointsbank.core.db import transaction
from pointsbank.jobs import checking
from pointsbank.jobs.checking import RankingsWrong, Touched, check_standings, touched_snapshots
from pointsbank.jobs.models import JobRun
from pointsbank.jobs.running import run_slot
from pointsbank.jobs.table import JOBS, slot_by_hand
from pointsbank.members.belonging import move_member
from pointsbank.messages.models import Message
from pointsbank.rankings.checking import (
    TURN_DAYS,
    check_members,
    checked_on,
    keep_check,
    last_check,
)
from pointsbank.rankings.models import MemberStanding, RollUp
from pointsbank.rankings.rolling_up import roll_up
from pointsbank.rankings.sources import placing_of
from pointsbank.scoring.models import ScoreEntry
from tests.builders import TODAY, a_branch, a_member, a_score_entry, signed_in, with_role
from tests.moments import NOON
from tests.racing import race
from tests.rankings.boards import ZONE
from tests.rankings.closings import Branch, close

QUARTER = read_period("2026-Q4")


def roll(session, period=QUARTER):
    return roll_up(session, period=period, zone=ZONE, now=NOON)


def checked(session, members):
    return check_members(session, period=QUARTER, member_ids=members, today=TODAY)


def made_wrong(session, member, **values):
    session.execute(
        update(MemberStanding).where(MemberStanding.member_id == member).values(**values)
    )


def test_everybody_has_a_turn_within_the_weeks_and_nobody_two(session):
    members = [a_member(session) for _ in range(2 * TURN_DAYS + 3)]
    turns = [
        each
        for night in range(TURN_DAYS)
        for each in checked_on(session, TODAY + timedelta(days=night), after=0)
    ]
    assert sorted(turns) == members
    first = checked_on(session, TODAY, after=0, limit=1)
    assert checked_on(session, TODAY, after=first[0])[0] > first[0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"evaluation_hundredths": 1},
        {"points_earned": 1},
        {"parts": []},
        {"is_exempt": True},
        {"organization_id": 999},
    ],
)
def test_a_standing_that_is_wrong_is_found_and_the_next_roll_up_mends_it(session, wrong):
    members = [a_member(session) for _ in range(3)]
    for member in members:
        a_score_entry(session, member)
    roll(session)
    assert checked(session, members) == []
    made_wrong(session, members[1], **wrong)
    assert checked(session, members) == [members[1]]
    assert session.scalar(select(RollUp.is_doubted)) is True
    assert roll(session).touched == 3
    assert checked(session, members) == []


def test_one_that_is_missing_or_too_many_is_found_as_well(session):
    one, other = a_member(session), a_member(session)
    a_score_entry(session, one)
    roll(session)
    made_wrong(session, one, member_id=other)
    assert checked(session, [one, other]) == [one, other]


def test_what_is_new_since_the_last_roll_up_is_no_difference(session):
    member = a_member(session)
    a_score_entry(session, member)
    roll(session)
    a_score_entry(session, member)
    assert checked(session, [member]) == []
    move_member(
        session,
        member_id=member,
        organization_id=a_branch(session),
        grid_id=None,
        on=TODAY,
        now=NOON,
    )
    assert checked(session, [member]) == []


@pytest.mark.engine("postgresql")
def test_what_changes_while_it_is_checked_is_no_difference(app, writing, monkeypatch):
    """On SQLite nobody writes meanwhile."""
    with writing() as session:
        member, elsewhere = a_member(session), a_branch(session)
        a_score_entry(session, member)
        roll(session)

    def move_away():
        with transaction() as other:
            move_member(
                other,
                member_id=member,
                organization_id=elsewhere,
                grid_id=None,
                on=TODAY,
                now=NOON,
            )

    def after_a_move(*args, **more):
        assert race(app, [move_away]) == [None]
        return placing_of(*args, **more)

    monkeypatch.setattr("pointsbank.rankings.checking.placing_of", after_a_move)
    with writing() as session:
        assert checked(session, [member]) == []
    with writing() as session:
        assert session.scalar(select(RollUp.is_doubted)) is False


def test_a_night_with_a_difference_is_loud_and_the_next_try_is_quiet(app, writing, monkeypatch):
    with writing() as session:
        member = a_member(session)
        chief = with_role(session, a_member(session), "administrator")
        a_score_entry(session, member)
        roll(session)
        made_wrong(session, member, points_earned=1)
    monkeypatch.setattr("pointsbank.rankings.checking.TURN_DAYS", 1)
    job = JOBS["rankings_check"]
    with time_machine.travel(NOON, tick=False), app.app_context():
        with pytest.raises(RankingsWrong):
            run_slot(job, slot_by_hand(job, None, NOON, ZONE), zone=ZONE)
    with writing() as session:
        failed = session.scalars(select(JobRun).where(JobRun.state == "failed")).one()
        assert (failed.job, failed.fault) == ("rankings_check", "RankingsWrong")
        told = session.scalars(
            select(Message.member_id).where(Message.kind == "rankings_wrong")
        ).all()
        assert told == [chief]
        kept = last_check(session)
        assert (kept.day, kept.compared, kept.wrong) == (TODAY, 2 * 3, 1)
        roll(session)
    with app.app_context():
        assert check_standings(TODAY) == 2 * 3
    with writing() as session:
        assert last_check(session).wrong == 1


def test_an_entry_that_somebody_changed_is_found(session):
    """By hand in the database, of which no roll-up hears."""
    member = a_member(session)
    entry = a_score_entry(session, member)
    roll(session)
    session.execute(
        update(ScoreEntry).where(ScoreEntry.id == entry).values(evaluation_hundredths=101)
    )
    assert checked(session, [member]) == [member]


CHANGES = [
    "UPDATE snapshot_line SET points_earned = points_earned + 1 WHERE member_id = {member}",
    "UPDATE snapshot_line SET rank = 1 WHERE member_id = {member}",
    "DELETE FROM snapshot_line WHERE member_id = {member}",
    "UPDATE snapshot SET sum_points = sum_points + 1",
    "UPDATE snapshot SET digest = 'another'",
]


@pytest.mark.changes_schema
@pytest.mark.parametrize("change", CHANGES)
def test_a_snapshot_that_somebody_changed_is_named(app, writing, monkeypatch, change):
    """Past the triggers, as who owns the database could."""
    with writing() as session:
        branch = Branch(session)
        chief = with_role(session, a_member(session), "administrator")
        snapshot_id = close(session, branch)
    monkeypatch.setattr("pointsbank.rankings.checking.TURN_DAYS", 1)
    with app.app_context():
        assert touched_snapshots(TODAY) == Touched(1, [])
    with writing() as session:
        for table in ("snapshot", "snapshot_line"):
            is_postgresql = session.get_bind().dialect.name == "postgresql"
            for trigger in without_triggers(table, is_postgresql):
                session.execute(text(trigger))
        session.execute(text(change.format(member=branch.members[2])))
    with app.app_context():
        assert touched_snapshots(TODAY) == Touched(1, [snapshot_id])
        with pytest.raises(RankingsWrong):
            check_standings(TODAY)
    with writing() as session:
        told = select(Message.member_id).where(Message.kind == "snapshots_wrong")
        assert session.scalars(told).all() == [chief]


def without_triggers(table, is_postgresql):
    """Return what takes the triggers of a table that is never changed."""
    if is_postgresql:
        return [f"ALTER TABLE {table} DISABLE TRIGGER ALL"]
    return [
        f"DROP TRIGGER IF EXISTS {table}_refuses_update",
        f"DROP TRIGGER IF EXISTS {table}_refuses_delete",
    ]


def test_a_quiet_night_is_kept_as_well(app, writing):
    with app.app_context():
        assert check_standings(TODAY) == 0
    with writing() as session:
        assert (last_check(session).day, last_check(session).wrong) == (TODAY, 0)


@pytest.mark.parametrize(("role", "is_told"), [("administrator", True), ("secretary", False)])
def test_the_dashboard_of_administrators_says_it(app, client, writing, role, is_told):
    with writing() as session:
        reader = with_role(session, a_member(session), role)
        keep_check(session, day=TODAY, compared=9, wrong=2, now=NOON)
    page = client.get("/dashboard", headers=signed_in(app, reader)).text
    assert ("核对" in page and "2 条" in page) is is_told


def test_portions_come_to_the_same(app, writing, monkeypatch):
    with writing() as session:
        for _ in range(7):
            a_score_entry(session, a_member(session))
        roll(session)
    monkeypatch.setattr("pointsbank.rankings.checking.TURN_DAYS", 1)
    monkeypatch.setattr(
        checking, "checked_on", lambda *a, **more: checked_on(*a, **more, limit=2)
    )
    with app.app_context():
        assert check_standings(TODAY) == 3 * 7
