"""Organization life: meetings by their kind against the rhythm, from attendance alone; never a
point."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError

from pointsbank.attendance.life_queries import life_of
from pointsbank.core.calendar import read_period
from pointsbank.ledger.models import Transfer
from pointsbank.members.models import Member
from pointsbank.organizations.queries import organization_of
from pointsbank.scoring.models import ScoreEntry
from pointsbank.tasks.models import Shift, Task
from tests.attendance.scene import set_scene
from tests.attendance.test_settling import settle
from tests.builders import how_many, with_points

ZONE = ZoneInfo("Asia/Shanghai")
TODAY = date(2026, 11, 22)


def a_meeting(session, scene, kind):
    task_id = session.scalar(select(Shift.task_id).where(Shift.id == scene.shift_id))
    session.execute(
        update(Task).where(Task.id == task_id).values(kind="meeting", meeting_kind=kind)
    )
    return session.get_one(Task, task_id).organization_id


def life(session, organization_id, today=TODAY, year="2026"):
    branch = organization_of(session, organization_id)
    return life_of(session, branch, read_period(year), zone=ZONE, today=today)


def held(found):
    return {each.kind: each.held for each in found.rhythms if each.held}


def test_settling_a_theme_day_leaves_the_ledger_as_it_was(app, writing):
    with writing() as session:
        scene = set_scene(app, session, scoring_item="theme_day", title="主题党日")
        with_points(session, scene.volunteer.member_id, 30)
        before = how_many(session, Transfer), ledger(session)
    scene.check_in()
    scene.check_out()
    with writing() as session:
        settle(session, scene)
        assert (how_many(session, Transfer), ledger(session)) == before
        entry = session.scalars(
            select(ScoreEntry).where(ScoreEntry.category == "organization_life")
        ).one()
        assert (entry.points, entry.evaluation_hundredths) == (0, 300)


def ledger(session):
    return session.execute(
        text("SELECT account_id, posted, held, seq FROM wallet ORDER BY account_id")
    ).all()


@pytest.mark.parametrize("category", ["organization_life", "deduction"])
def test_no_item_of_organization_life_can_give_points(session, category):
    """The control: without points the same row is taken."""
    standard = session.execute(
        text(
            "INSERT INTO scoring_standard (name, state, valid_from, rounding,"
            " evaluation_tables) VALUES ('草稿', 'draft', '2030-01-01', 'floor', '{}')"
            " RETURNING id"
        )
    ).scalar_one()
    row = (
        "INSERT INTO scoring_item (standard_id, code, name, name_zh, category, unit, points,"
        " evaluation_hundredths, counts_minutes, unit_minutes, share_min_percent,"
        " day_minutes_max) VALUES (:standard, :code, 'x', 'x', :category, 'shift', :points,"
        " 0, :no, 30, 60, 480)"
    )
    values = {"standard": standard, "category": category, "no": False}
    session.execute(text(row), {**values, "code": "free", "points": 0})
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(text(row), {**values, "code": "paid", "points": 1})


def test_a_meeting_stands_in_the_year_with_who_was_there(app, writing):
    with writing() as session:
        scene = set_scene(app, session, scoring_item="theme_day", title="主题党日")
        place = a_meeting(session, scene, "theme_day")
        session.execute(
            update(Member)
            .where(Member.id.in_([scene.volunteer.member_id, scene.stranger.member_id]))
            .values(kind="party_member")
        )
        # Nobody has come yet.
        assert held(life(session, place)) == {}
    scene.check_in()
    with writing() as session:
        found = life(session, place)
        assert held(found) == {"theme_day": 1}
        assert [(m.title, m.took_part) for m in found.meetings] == [("主题党日", 1)]
        there = {each.member_id: each.took_part for each in found.attendees}
        assert there == {scene.volunteer.member_id: 1, scene.stranger.member_id: 0}
        rhythm = next(each for each in found.rhythms if each.kind == "theme_day")
        assert rhythm.by_month[10] == 1
        assert (rhythm.usual, rhythm.missing) == (10, 9)
        assert held(life(session, place, year="2025")) == {}
        assert held(life(session, place, TODAY - timedelta(days=2))) == {}


@pytest.mark.parametrize(
    ("today", "assembly", "committee"),
    [
        (date(2026, 1, 31), 0, 0),
        (date(2026, 4, 1), 1, 3),
        (date(2026, 12, 31), 3, 11),
        (date(2027, 1, 1), 4, 12),
        (date(2025, 12, 31), 0, 0),
    ],
)
def test_only_what_is_over_is_asked_for(app, writing, today, assembly, committee):
    with writing() as session:
        scene = set_scene(app, session)
        place = a_meeting(session, scene, None)
        usual = {each.kind: each.usual for each in life(session, place, today).rhythms}
    assert (usual["branch_assembly"], usual["committee"]) == (assembly, committee)


def test_a_called_off_meeting_and_other_work_are_no_meetings(app, writing):
    with writing() as session:
        scene = set_scene(app, session)
        place = a_meeting(session, scene, None)
    scene.check_in()
    with writing() as session:
        assert held(life(session, place)) == {"other": 1}
        session.execute(update(Shift).values(called_off_at=func.current_timestamp()))
        assert held(life(session, place)) == {}
        session.execute(update(Shift).values(called_off_at=None))
        session.execute(update(Task).values(kind="activity"))
        assert held(life(session, place)) == {}


def test_the_kind_of_a_meeting_is_a_meetings(session, app):
    scene = set_scene(app, session)
    a_meeting(session, scene, "lecture")
    for wrong in ("kind = 'activity'", "meeting_kind = 'party'"):
        with pytest.raises(IntegrityError), session.begin_nested():
            session.execute(text(f"UPDATE task SET {wrong}"))
