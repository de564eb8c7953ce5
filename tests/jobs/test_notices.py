"""The job `notices`: due each night, harmless twice, and after days of downtime as if daily."""

from datetime import date, timedelta

import pytest
import time_machine
from sqlalchemy import select

from pointsbank.jobs.errors import DayNotOver
from pointsbank.jobs.occasions import Slot
from pointsbank.jobs.reminding import REMINDERS
from pointsbank.jobs.running import run_slot
from pointsbank.jobs.table import JOBS
from pointsbank.notices.models import Notice
from pointsbank.notices.queries import how_it_stands
from pointsbank.notices.reviewing import review_notice
from tests.builders import SHANGHAI
from tests.moments import NOON
from tests.notices.boards import MONDAY, a_board, a_draft, at

JOB = JOBS["notices"]
LAST = date(2026, 11, 30)


@pytest.fixture
def notice_id(writing):
    with writing() as session:
        board = a_board(session)
        made = a_draft(session, board)
        review_notice(
            session,
            notice_id=made,
            actor=board.actor(board.committee),
            today=NOON.date(),
            now=NOON,
        )
        return made


def on(app, day):
    """Run the job in the night that begins a day; return how much changed."""
    with app.app_context(), time_machine.travel(at(day, 1), tick=False):
        slots = JOB.due(at(day, 1), SHANGHAI)
        return [run_slot(JOB, slot, zone=SHANGHAI) for slot in slots]


def test_it_is_due_forty_minutes_after_midnight():
    midnight = at(MONDAY, 0)
    before, after = (
        [slot.period for slot in JOB.due(midnight + timedelta(minutes=minutes), SHANGHAI)]
        for minutes in (39, 40)
    )
    assert (before[-1], after[-1]) == ("2026-11-22", "2026-11-23")


def test_one_night_after_downtime_leaves_what_nine_nights_leave(app, writing, notice_id):
    with writing() as session:
        other_board = a_board(session)
        other = a_draft(session, other_board)
    assert on(app, LAST + timedelta(days=1)) == [2]
    assert on(app, LAST + timedelta(days=1)) == [None]
    with writing() as session:
        standing = how_it_stands(session, notice_id)
        assert how_it_stands(session, other).state == "draft"
    assert (standing.state, standing.closes_on) == ("locked", LAST)
    assert standing.locked_at == at(LAST, 24)
    assert on(app, LAST + timedelta(days=2)) == [0]


def test_daily_nights_lead_to_the_same(app, writing, notice_id):
    changed = [on(app, MONDAY + timedelta(days=n))[0] for n in range(10)]
    assert changed == [1, 0, 0, 0, 0, 0, 0, 0, 1, 0]
    with writing() as session:
        assert session.scalars(select(Notice.locked_at)).one() == at(LAST, 24)


def test_a_day_ahead_is_refused(app):
    ahead = Slot("by hand", (MONDAY + timedelta(days=1)).isoformat())
    with (
        app.app_context(),
        time_machine.travel(at(MONDAY), tick=False),
        pytest.raises(DayNotOver),
    ):
        run_slot(JOB, ahead, zone=SHANGHAI)


def test_the_reminders_of_the_morning_know_objections():
    assert "of_objections" in [reminder.__name__ for reminder in REMINDERS]
