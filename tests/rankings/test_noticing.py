"""What a ranking's notice says of scores, and which version of a period is archived by it."""

import pytest
from sqlalchemy import select

from pointsbank.notices.models import Notice
from pointsbank.notices.reviewing import review_notice
from pointsbank.notices.timekeeping import keep_time
from pointsbank.rankings.models import PeriodCourse
from pointsbank.rankings.noticing import archive_locked, band_of
from pointsbank.rankings.snapshots import NamedLine, lines_of, snapshot_with
from pointsbank.scoring.tables import EvaluationTable
from tests.rankings.closings import (
    CLOSES,
    ENTERED_LATE,
    LATER,
    ZONE,
    Branch,
    ask,
    close,
    decide,
    drafted,
)

AFTER_WINDOW = LATER.replace(month=11, day=20)


def a_table(excellent, qualified, basic):
    floors = {"excellent": excellent, "qualified": qualified, "basic": basic}
    return EvaluationTable("default", "earn", {"duty": 5000}, {}, floors)


@pytest.fixture
def branch(writing):
    """A closed branch in which one member reached the second band of the quarter."""
    with writing() as session:
        made = Branch(session)
        made.reach_second_band(session)
        made.snapshot_id = close(session, made, now=CLOSES)
        return made


@pytest.mark.parametrize(
    ("score", "band"),
    [
        (10_000, (0, "89.5–100")),
        (8950, (0, "89.5–100")),
        (8949, (1, "75.25–89.5")),
        (7525, (1, "75.25–89.5")),
        (7524, (2, "60–75.25")),
        (6000, (2, "60–75.25")),
        (5999, (3, "")),
    ],
)
def test_a_band_ends_exactly_where_the_next_begins(branch, session, score, band):
    (line,) = [
        each.line
        for each in lines_of(session, snapshot_with(session, branch.snapshot_id).id)
        if each.line.member_id == branch.members[0]
    ]
    line = type(line)(**{**vars(line), "evaluation_hundredths": score})
    assert band_of(NamedLine("王桂兰", line), a_table(8950, 7525, 6000)) == band


def shown(session, branch, notice_id, now=LATER):
    review_notice(
        session,
        notice_id=notice_id,
        actor=branch.actor(branch.second),
        today=now.date(),
        now=now,
    )


def locked(session, now=AFTER_WINDOW):
    keep_time(session, today=now.date(), zone=ZONE, now=now)


def archived(session, branch):
    return session.scalar(
        select(PeriodCourse.archived_at).where(PeriodCourse.organization_id == branch.id)
    )


def test_a_notice_of_an_older_version_archives_nothing(branch, writing):
    with writing() as session:
        shown(session, branch, drafted(session, branch))
        branch.entry(session, branch.members[3], now=ENTERED_LATE)
        correction_id = ask(session, branch)
    with writing() as session:
        # While a correction waits, what the notice shows may not be what stands.
        locked(session)
        assert session.scalar(select(Notice.state)) == "locked"
        assert archive_locked(session, now=AFTER_WINDOW, limit=10) == 0
    with writing() as session:
        decide(session, branch, correction_id, now=AFTER_WINDOW)
        assert archive_locked(session, now=AFTER_WINDOW, limit=10) == 0
        assert archived(session, branch) is None
    with writing() as session:
        shown(session, branch, drafted(session, branch, AFTER_WINDOW), AFTER_WINDOW)
        done = AFTER_WINDOW.replace(month=12)
        locked(session, done)
        assert archive_locked(session, now=done, limit=10) == 1
        assert archived(session, branch) == done


def test_a_correction_that_was_refused_keeps_nothing_back(branch, writing):
    with writing() as session:
        shown(session, branch, drafted(session, branch))
        branch.entry(session, branch.members[3], now=ENTERED_LATE)
        correction_id = ask(session, branch)
        locked(session)
    with writing() as session:
        decide(session, branch, correction_id, is_confirmed=False, now=AFTER_WINDOW)
        assert archive_locked(session, now=AFTER_WINDOW, limit=10) == 1
