"""Stations without a network that upload in another order than people came and left."""

import itertools
from datetime import timedelta

import pytest
from sqlalchemy import select

from pointsbank.attendance.differences import (
    LEAVE_OUT,
    LET_IN,
    differences_of,
    open_differences,
)
from pointsbank.attendance.models import Attendance, Scan
from pointsbank.attendance.settling import settle_shift
from pointsbank.attendance.undoing import undo_scan
from pointsbank.core.audit import AuditEntry
from pointsbank.ledger.queries import balance_of
from pointsbank.ledger.verifying import offenders
from tests.attendance.scene import ENDS, STARTS, ZONE
from tests.attendance.test_differences import IN, OUT, UPLOAD, settle_it, upload


def at(minutes):
    return STARTS + timedelta(minutes=minutes)


# minutes after the start, by which of two stations, and what its screen showed
MORNING = [(0, "one", IN), (60, "one", OUT)]
AFTERNOON = [(90, "two", IN), (150, "two", OUT)]


def send(app, scene, marks):
    for minutes, station, shown in marks:
        upload(app, scene, scene.volunteer, at(minutes), shown, device_id=station)


def award(session, scene):
    """Settle, and return minutes and points of the volunteer."""
    settle_shift(
        session,
        shift_id=scene.shift_id,
        actor_id=scene.organizer.member_id,
        paths=scene.organizer.paths("organizer"),
        zone=ZONE,
        now=UPLOAD,
    )
    first = session.scalars(select(Attendance).where(Attendance.occurrence == 1)).one()
    assert offenders(session) == []
    points = balance_of(session, f"member:{scene.volunteer.member_id}").available
    assert points == (first.points or 0)
    return first.service_minutes, points


def pairs(session):
    rows = session.scalars(select(Attendance).order_by(Attendance.occurrence))
    return [(each.checked_in_at, each.checked_out_at) for each in rows]


def test_a_departure_that_is_uploaded_before_its_arrival_counts_by_itself(app, scene, writing):
    send(app, scene, [(150, "two", OUT)])
    with writing() as session:
        assert open_differences(session, scene.shift_id) == 1
    send(app, scene, [(0, "one", IN)])
    with writing() as session:
        assert open_differences(session, scene.shift_id) == 0
        assert pairs(session) == [(STARTS, ENDS)]
        kinds = session.scalars(select(Scan.code_kind).where(Scan.counts)).all()
        assert kinds == ["personal", "personal"], "nobody typed anything"
        noted = select(AuditEntry.subject_id).where(AuditEntry.action == "scan_put_in_order")
        assert len(session.scalars(noted).all()) == 1
        assert award(session, scene) == (150, 25)


def test_it_counts_once_however_often_it_is_sent(app, scene, writing):
    for _ in range(2):
        for minutes, shown in ((150, OUT), (0, IN)):
            nonce = f"sent again {minutes}"
            upload(app, scene, scene.volunteer, at(minutes), shown, nonce=nonce)
    with writing() as session:
        assert pairs(session) == [(STARTS, ENDS)]
        assert len(session.scalars(select(Scan.id).where(Scan.counts)).all()) == 2
        assert award(session, scene) == (150, 25)


def test_a_departure_before_the_arrival_is_none_of_it(app, scene, writing):
    send(app, scene, [(60, "two", OUT), (90, "one", IN)])
    with writing() as session:
        assert pairs(session) == [(at(90), None)]
        assert open_differences(session, scene.shift_id) == 1


def test_a_departure_that_came_too_late_still_waits_for_the_lead(app, scene, writing):
    send(app, scene, [(150 + 61, "two", OUT), (0, "one", IN)])
    with writing() as session:
        assert pairs(session) == [(STARTS, None)]
        assert open_differences(session, scene.shift_id) == 1


@pytest.mark.parametrize("marks", list(itertools.permutations([*MORNING, *AFTERNOON])))
def test_whatever_the_order_the_hours_of_both_comings_are_right(app, scene, writing, marks):
    """Two hours in two parts, half an hour away between them: 120 minutes, 20 points."""
    send(app, scene, marks)
    with writing() as session:
        assert open_differences(session, scene.shift_id) == 0
        assert pairs(session) == [(at(0), at(60)), (at(90), at(150))]
        assert award(session, scene) == (120, 20)


def test_the_older_arrival_of_a_second_device_waits_for_the_lead(app, scene, writing):
    """Both saw the same coming; which of the two moments counts is not for us to say."""
    send(app, scene, [(40, "one", IN), (5, "two", IN), (150, "one", OUT)])
    with writing() as session:
        assert pairs(session) == [(at(40), at(150))]
        (waiting,) = differences_of(session, scene.shift_id)
        settle_it(session, waiting.scan_id, LET_IN, scene.organizer)
        assert pairs(session) == [(at(5), at(150))]
        assert award(session, scene) == (120, 20)


def test_an_older_departure_of_a_second_device_takes_nothing_away(app, scene, writing):
    send(app, scene, [(0, "one", IN), (150, "one", OUT), (140, "two", OUT)])
    with writing() as session:
        assert open_differences(session, scene.shift_id) == 0
        assert pairs(session) == [(at(0), at(150))]
        assert award(session, scene) == (150, 25)


def test_what_is_settled_stays_as_it_was(app, scene, writing):
    send(app, scene, [(40, "two", IN), (150, "two", OUT)])
    with writing() as session:
        assert award(session, scene) == (90, 15)
    send(app, scene, [(0, "one", IN), (30, "one", OUT)])
    with writing() as session:
        assert pairs(session) == [(at(40), at(150))]
        assert open_differences(session, scene.shift_id) == 2


def test_what_the_lead_left_out_stays_left_out(app, scene, writing):
    send(app, scene, [(60, "two", OUT)])
    with writing() as session:
        (waiting,) = differences_of(session, scene.shift_id)
        settle_it(session, waiting.scan_id, LEAVE_OUT, scene.organizer)
    send(app, scene, [(0, "one", IN), (150, "one", OUT)])
    with writing() as session:
        assert pairs(session) == [(at(0), at(150))]


def test_a_taken_back_scan_comes_back_by_no_order(app, scene, writing):
    came = scene.check_in(at(0))
    with writing() as session:
        undo_scan(
            session,
            scan_id=came.scan_id,
            actor_id=scene.volunteer.member_id,
            now=at(0) + timedelta(seconds=10),
        )
    send(app, scene, AFTERNOON)
    with writing() as session:
        assert pairs(session) == [(at(90), at(150))]


def test_a_departure_that_was_put_in_order_and_taken_back_comes_back_by_no_order(
    app, scene, writing
):
    """The second station's was no difference; it counted when the first one's was undone."""
    send(app, scene, [(0, "one", IN), (149, "one", OUT), (150, "two", OUT)])
    for minutes, left_at in ((5, at(150)), (6, None)):
        with writing() as session:
            out = session.scalars(
                select(Scan).where(Scan.direction == "out", Scan.counts)
            ).one()
            undo_scan(session, scan_id=out.id, actor_id=scene.organizer.member_id, now=UPLOAD)
            assert pairs(session) == [(STARTS, None)]
        send(app, scene, [(minutes, "two", IN)])
        with writing() as session:
            assert pairs(session) == [(STARTS, left_at)]


def test_a_mark_that_is_sent_again_moves_nothing(app, scene, writing):
    """What happened in between is not judged by a repeat; a new mark puts all in order."""
    out = {"code": scene.personal(scene.volunteer, at(60)), "nonce": "sent twice"}
    upload(app, scene, scene.volunteer, at(60), OUT, **out)
    scene.check_in(at(0))
    upload(app, scene, scene.volunteer, at(60), OUT, **out)
    with writing() as session:
        assert pairs(session) == [(STARTS, None)]
        assert open_differences(session, scene.shift_id) == 1
    send(app, scene, [(5, "two", IN)])
    with writing() as session:
        assert pairs(session) == [(STARTS, at(60))]
        assert open_differences(session, scene.shift_id) == 0
