"""The roll-up: what counts, how it is scaled and capped, and that a repeat changes nothing."""

import re
import threading
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import inspect, select, text, update

from pointsbank.core.calendar import read_period
from pointsbank.core.db import run, transaction
from pointsbank.ledger.verifying import offenders
from pointsbank.members.belonging import move_member
from pointsbank.members.service import suspend_member
from pointsbank.rankings.models import BranchStanding, MemberStanding, RollUp
from pointsbank.rankings.rolling_up import roll_up
from pointsbank.rankings.statements import ENTRIES, ENTRIES_OF_ITEMS, SEEN
from pointsbank.scoring.models import ScoreEntry
from tests.builders import (
    TODAY,
    a_branch,
    a_member,
    a_score_entry,
    how_many,
    points_for,
    points_spent,
)
from tests.moments import NOON

ZONE = ZoneInfo("Asia/Shanghai")
QUARTER = read_period("2026-Q4")


def roll(session, period="2026-Q4", now=NOON):
    return roll_up(session, period=read_period(period), zone=ZONE, now=now)


def standing_of(session, member_id, period="2026-Q4"):
    return session.get(MemberStanding, (period, member_id), populate_existing=True)


def all_standings(session):
    """Return every derived row as it is kept, in an order of its own."""
    tables = {
        "member_standing": "1, 2",
        "branch_standing": "1, 2",
        "standing_count": "1, 2, 3, 4",
    }
    return [
        tuple(map(str, row))
        for table, order in tables.items()
        for row in session.execute(text(f"SELECT * FROM {table} ORDER BY {order}"))
    ]


def test_a_quarter_is_put_on_the_scale_of_a_year(session):
    member = a_member(session)
    a_score_entry(session, member, evaluation_hundredths=150, points=25, service_minutes=150)
    a_score_entry(session, member, evaluation_hundredths=50, points=10, service_minutes=60)
    counted = roll(session)
    standing = standing_of(session, member)
    assert (counted.members, counted.entries, counted.standard_version) == (1, 2, 1)
    assert standing.evaluation_hundredths == (150 + 50) * 4
    assert (standing.points_earned, standing.service_minutes) == (35, 210)
    assert standing.parts == [
        {
            "category": "volunteer_service",
            "kind": "bonus",
            "earned": 200,
            "cap": 2500,
            "score": 800,
            "entries": 2,
            "points": 35,
            "minutes": 210,
        }
    ]


@pytest.mark.parametrize(
    ("period", "score"), [("2026-11", 200 * 12), ("2026-Q4", 200 * 4), ("2026", 200)]
)
def test_a_shorter_period_counts_for_more(session, period, score):
    member = a_member(session)
    a_score_entry(session, member, evaluation_hundredths=200)
    roll(session, period)
    assert standing_of(session, member, period).evaluation_hundredths == score


def test_a_category_gives_no_more_than_its_cap(session):
    member = a_member(session)
    a_score_entry(session, member, "night_patrol", evaluation_hundredths=900)
    a_score_entry(session, member, "study_session", evaluation_hundredths=200)
    roll(session)
    standing = standing_of(session, member)
    scores = {part["category"]: part["score"] for part in standing.parts}
    assert scores == {"post_service": 1000, "study": 800}
    assert standing.evaluation_hundredths == sum(scores.values())


def test_what_was_taken_back_never_goes_below_zero(session):
    member = a_member(session)
    a_score_entry(session, member, evaluation_hundredths=-300, points=-10, service_minutes=-60)
    roll(session)
    standing = standing_of(session, member)
    assert (standing.evaluation_hundredths, standing.points_earned) == (0, -10)


def test_only_entries_of_the_period_count(session):
    member, other = a_member(session), a_member(session)
    a_score_entry(session, member, earned_on=date(2026, 10, 1))
    a_score_entry(session, member, earned_on=date(2026, 12, 31))
    a_score_entry(session, member, earned_on=date(2027, 1, 1))
    a_score_entry(session, other, earned_on=date(2026, 9, 30))
    assert roll(session).entries == 2
    assert standing_of(session, member).service_minutes == 240
    assert standing_of(session, other) is None


def test_a_stopped_account_has_no_standing(session):
    member = a_member(session)
    a_score_entry(session, member)
    suspend_member(session, member_id=member, suspended_by_id=None, now=NOON, today=NOON.date())
    assert roll(session).members == 0


def test_a_branch_is_the_mean_of_its_members_and_its_parts_add_up(session):
    branch = a_branch(session)
    members = [a_member(session, organization_id=branch) for _ in range(3)]
    a_score_entry(session, members[0], evaluation_hundredths=100, points=10)
    a_score_entry(session, members[0], "study_session", evaluation_hundredths=25, points=0)
    a_score_entry(session, members[1], evaluation_hundredths=50, points=5)
    roll(session)
    standing = session.get(BranchStanding, ("2026-Q4", branch))
    scores = {part["category"]: part["score"] for part in standing.parts}
    assert scores == {"volunteer_service": 200, "study": 33}
    assert standing.evaluation_hundredths == 233
    assert (standing.member_count, standing.active_count) == (3, 2)
    assert (standing.points_earned, standing.service_minutes) == (15, 360)


def test_a_branch_where_nobody_did_anything_stands_at_zero(session):
    branch = a_branch(session)
    a_member(session, organization_id=branch)
    roll(session)
    standing = session.get(BranchStanding, ("2026-Q4", branch))
    assert (standing.evaluation_hundredths, standing.active_count, standing.parts) == (0, 0, [])


def test_a_member_stands_where_they_belonged_on_the_last_day(session):
    old, new = a_branch(session), a_branch(session)
    member = a_member(session, organization_id=old, now=NOON - timedelta(days=60))
    a_score_entry(session, member)
    a_score_entry(session, member, earned_on=date(2026, 10, 2))
    for period in ("2026-10", "2026-Q4"):
        roll(session, period)
    move_member(
        session, member_id=member, organization_id=new, grid_id=None, on=TODAY, now=NOON
    )
    for period in ("2026-10", "2026-Q4"):
        roll(session, period)
    assert standing_of(session, member, "2026-10").organization_id == old
    assert standing_of(session, member).organization_id == new
    assert session.get(BranchStanding, ("2026-10", new)) is None
    assert session.get(BranchStanding, ("2026-Q4", old)) is None
    assert session.get(BranchStanding, ("2026-Q4", new)).member_count == 1


def test_who_is_moved_on_the_day_they_came_leaves_nothing_behind(session):
    """Belonging forgets the first place then; only the change tells of it."""
    old, new = a_branch(session), a_branch(session)
    idle, stays = (a_member(session, organization_id=old) for _ in range(2))
    roll(session)
    assert session.get(BranchStanding, ("2026-Q4", old)).member_count == 2
    move_member(session, member_id=idle, organization_id=new, grid_id=None, on=TODAY, now=NOON)
    roll(session)
    counts = dict(
        session.execute(
            select(BranchStanding.organization_id, BranchStanding.member_count)
        ).all()
    )
    assert counts == {old: 1, new: 1}
    assert standing_of(session, stays) is None


def test_making_it_again_gives_the_same_rows(session):
    members = [a_member(session) for _ in range(5)]
    for place, member in enumerate(members):
        a_score_entry(session, member, evaluation_hundredths=100 + place)
    first = roll(session)
    before = all_standings(session)
    again = roll(session)
    assert (first.touched, again.touched) == (5, 0)
    assert (again.members, again.entries) == (first.members, first.entries) == (5, 5)
    assert all_standings(session) == before
    session.execute(update(RollUp).values(is_doubted=True))
    assert roll(session).touched == 5
    assert all_standings(session) == before
    # Five members, the branch they are in, and five scores of that community, one of points,
    # one of minutes.
    assert len(before) == 5 + 1 + 5 + 1 + 1


def test_redeeming_changes_no_rank(session):
    members = [a_member(session) for _ in range(3)]
    for place, member in enumerate(members):
        a_score_entry(session, member, points=50, evaluation_hundredths=100 * place)
        points_for(session, member, 50, f"award:{place}")
    roll(session)
    before = all_standings(session)
    points_spent(session, members[2], 50, "redeem:1")
    roll(session)
    assert all_standings(session) == before
    assert offenders(session) == []


def test_two_at_once_leave_one_whole_roll_up(app, writing):
    with writing() as session:
        for place in range(30):
            a_score_entry(session, a_member(session), evaluation_hundredths=place)
    start = threading.Barrier(4)
    faults = []

    def work():
        try:
            start.wait()
            with app.app_context():
                run(lambda session: roll(session))
        except Exception as fault:  # noqa: BLE001 - whatever a thread meets is judged below
            faults.append(fault)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    with writing() as session:
        assert how_many(session, MemberStanding) == 30
        assert session.scalar(select(RollUp.members)) == 30


@pytest.mark.engine("postgresql")
def test_without_the_row_that_is_locked_first_two_at_once_collide(app, writing, monkeypatch):
    """The negative control: the lock is what keeps two roll-ups apart."""
    monkeypatch.setattr("pointsbank.rankings.rolling_up.BEGIN", text("SELECT 1"))
    with writing() as session:
        session.execute(
            text(
                "INSERT INTO roll_up (period, first_on, end_on, as_of, standard_id,"
                " standard_version, entry_id, change_id, is_doubted, entries, members)"
                " SELECT '2026-Q4', '2026-10-01', '2027-01-01', now(), id, version, 0, 0, true,"
                " 0, 0 FROM scoring_standard"
            )
        )
        for place in range(30):
            a_score_entry(session, a_member(session), evaluation_hundredths=place)
    first_is_done, second_has_tried = threading.Event(), threading.Event()
    faults = []

    def second():
        first_is_done.wait()
        try:
            with app.app_context(), transaction() as session:
                session.execute(text("SET LOCAL lock_timeout = '300ms'"))
                roll(session)
        except Exception as fault:  # noqa: BLE001 - whatever the thread meets is judged below
            faults.append(fault)
        second_has_tried.set()

    thread = threading.Thread(target=second)
    thread.start()
    with app.app_context(), transaction() as session:
        roll(session)
        first_is_done.set()
        second_has_tried.wait()
    thread.join()
    assert [type(fault).__name__ for fault in faults] == ["OperationalError"]
    assert "member_standing" in str(faults[0])


@pytest.mark.engine("postgresql")
def test_an_index_holds_all_that_is_added_up_of_a_member(session):
    """Ten entries of a member lie in ten places of the table, and in one of the index."""
    said = set(re.findall(r"\w+", ENTRIES + ENTRIES_OF_ITEMS + SEEN))
    read = said & set(ScoreEntry.__table__.columns.keys())
    assert {"member_id", "earned_on", "id", "item_id", "points"} <= read
    (index,) = (
        each
        for each in inspect(session.connection()).get_indexes("score_entry")
        if each["column_names"][:2] == ["member_id", "earned_on"]
    )
    figures = index["dialect_options"]["postgresql_include"]
    assert read <= {*index["column_names"], *figures}
