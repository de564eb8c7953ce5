"""Grades whose notice is locked are final, however late the job comes that says so."""

import pytest

from pointsbank.notices.reviewing import review_notice
from pointsbank.notices.timekeeping import keep_time
from pointsbank.rankings.grade_notices import draft_grade_notice, finish_locked
from pointsbank.rankings.grading import advise_again
from pointsbank.rankings.grading_errors import ReviewNotOpen
from pointsbank.rankings.snapshots import snapshot_with
from tests.rankings.closings import AFTER_YEAR, YEAR, ZONE, ask, decide
from tests.rankings.sittings import Sitting

ENTERED, LOCKED_ON = (AFTER_YEAR.replace(month=2, day=each) for each in (6, 7))


@pytest.fixture
def sitting(writing):
    """A year whose grades are all decided and were shown for as long as they are."""
    with writing() as session:
        made = Sitting(session)
        made.agree(session, made.members[0], "qualified")
        for member_id in made.members[1:]:
            made.agree(session, member_id, "unqualified")
        actor = made.actor(made.secretary, "secretary")
        notice_id = draft_grade_notice(
            session, review_id=made.review_id, reason="", actor=actor, now=AFTER_YEAR
        )
        review_notice(
            session,
            notice_id=notice_id,
            actor=made.actor(made.third),
            today=AFTER_YEAR.date(),
            now=AFTER_YEAR,
        )
        return made


def locked(session):
    keep_time(session, today=LOCKED_ON.date(), zone=ZONE, now=LOCKED_ON)


def test_while_the_notice_is_open_a_grade_is_decided_anew(sitting, writing):
    with writing() as session:
        sitting.ask_again(session, sitting.members[0], now=LOCKED_ON)
        assert sitting.state(session) == "open"


def test_once_it_is_locked_nothing_is_asked_again(sitting, writing):
    with writing() as session:
        locked(session)
        with pytest.raises(ReviewNotOpen):
            sitting.ask_again(session, sitting.members[0], now=LOCKED_ON)
        assert finish_locked(session, now=LOCKED_ON, limit=10) == 1
        assert sitting.state(session) == "final"


def test_once_it_is_locked_a_correction_changes_no_grade(sitting, writing):
    with writing() as session:
        locked(session)
        for item in ("theme_day", "study_session", "community_duty"):
            sitting.entry(session, sitting.members[3], 3000, item, now=ENTERED)
        correction_id = ask(session, sitting, period=YEAR, now=LOCKED_ON)
    with writing() as session:
        corrected_id = decide(session, sitting, correction_id, now=LOCKED_ON)
        snapshot = snapshot_with(session, corrected_id)
        assert snapshot.version == 2
        assert advise_again(session, snapshot=snapshot, now=LOCKED_ON) == 0
        assert sitting.state(session) == "noticed"
        assert finish_locked(session, now=LOCKED_ON, limit=10) == 1
        assert sitting.case(session, sitting.members[3])[1] == "unqualified"
