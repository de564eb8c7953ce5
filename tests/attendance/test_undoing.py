"""A scan is taken back within a minute, by whoever made it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from pointsbank.attendance.errors import CannotUndo, ScanNotFound, UndoTooLate
from pointsbank.attendance.models import Attendance, Scan
from pointsbank.attendance.settling import settle_shift
from pointsbank.attendance.undoing import undo_scan
from tests.attendance.scene import ENDS, STARTS, ZONE, reason
from tests.builders import how_many

SOON = timedelta(seconds=59)


def undo(session, scene, verdict, at, actor=None):
    return undo_scan(
        session,
        scan_id=verdict.scan_id,
        actor_id=(actor or scene.volunteer).member_id,
        now=at,
    )


def test_a_check_in_is_taken_back_and_can_be_made_again(scene, writing):
    came = scene.check_in()
    with writing() as session:
        undone = undo(session, scene, came, STARTS + SOON)
        assert (undone.arrivals.arrived, undone.arrivals.present) == (0, 0)
    with writing() as session:
        assert undo(session, scene, came, STARTS + timedelta(hours=1)) == undone
        row = session.get_one(Scan, came.scan_id)
        assert (row.counts, row.undone_at) == (False, STARTS + SOON)
    assert reason(scene.check_in(STARTS + timedelta(minutes=2))) == ("ok", "ok_in")


def test_a_check_out_is_taken_back(scene, writing):
    scene.check_in()
    left = scene.check_out()
    with writing() as session:
        undo(session, scene, left, ENDS + SOON)
    with writing() as session:
        line = session.scalars(select(Attendance)).one()
        assert (line.state, line.checked_out_at) == ("present", None)
    assert reason(scene.check_out(ENDS + timedelta(minutes=5))) == ("ok", "ok_out")


def test_taking_a_later_check_out_back_lets_the_earlier_stand(scene, writing):
    scene.check_in()
    first_at = ENDS - timedelta(hours=1)
    scene.check_out(first_at)
    moved = scene.scan(scene.volunteer, scene.venue(ENDS, "out"), ENDS, confirm=True)
    with writing() as session:
        undo(session, scene, moved, ENDS + SOON)
    with writing() as session:
        line = session.scalars(select(Attendance)).one()
        assert (line.state, line.checked_out_at) == ("left", first_at)


def test_what_cannot_be_taken_back(scene, writing):
    came = scene.check_in()
    refused = scene.scan(scene.volunteer, "nonsense", STARTS)
    later = STARTS + timedelta(seconds=61)
    left_at = STARTS + timedelta(minutes=30)
    for verdict, at, actor, refusal in (
        (came, later, None, UndoTooLate),
        (came, STARTS, scene.stranger, ScanNotFound),
        (refused, STARTS, None, CannotUndo),
    ):
        with pytest.raises(refusal), writing() as session:
            undo(session, scene, verdict, at, actor)
    scene.check_out(left_at)
    with pytest.raises(CannotUndo), writing() as session:
        undo(session, scene, came, STARTS + SOON)
    with writing() as session:
        assert how_many(session, Attendance) == 1


def test_what_was_settled_stays(scene, writing):
    scene.check_in()
    left = scene.check_out()
    with writing() as session:
        settle_shift(
            session,
            shift_id=scene.shift_id,
            actor_id=scene.organizer.member_id,
            paths=["/"],
            zone=ZONE,
            now=ENDS,
        )
    with pytest.raises(CannotUndo), writing() as session:
        undo(session, scene, left, ENDS + SOON)
