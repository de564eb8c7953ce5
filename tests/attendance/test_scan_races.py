"""Many scans at once: one attendance stands, whoever scans and however often it is sent."""

import threading
from datetime import timedelta

from sqlalchemy import select

from pointsbank.attendance.models import OCCURRENCES_MAX, Attendance, Scan
from pointsbank.attendance.undoing import undo_scan
from pointsbank.core.db import reading, transaction
from pointsbank.ledger.verifying import offenders
from tests.attendance.scene import ENDS, STARTS, actor_of, set_scene
from tests.builders import a_member, how_many
from tests.racing import MEET_SECONDS_MAX, race

SCANNERS = 50


def reasons(answers) -> dict[str, int]:
    assert not [answer for answer in answers if isinstance(answer, Exception)], answers
    found = [answer.facts["reason"] for answer in answers]
    return {reason: found.count(reason) for reason in found}


def counting(session) -> int:
    return len(session.scalars(select(Scan.id).where(Scan.counts)).all())


def test_fifty_scans_of_one_person_make_one_attendance(app, scene, writing):
    code = scene.venue(STARTS)
    answers = race(
        app, [lambda: scene.scan(scene.volunteer, code, STARTS) for _ in range(SCANNERS)]
    )
    assert reasons(answers) == {"ok_in": 1, "repeat_just_now": SCANNERS - 1}
    with writing() as session:
        assert how_many(session, Attendance) == 1
        assert (how_many(session, Scan), counting(session)) == (SCANNERS, 1)
        assert offenders(session) == []


def test_fifty_times_the_same_nonce_is_one_scan(app, scene, writing):
    code = scene.venue(STARTS)
    answers = race(
        app,
        [
            lambda: scene.scan(scene.volunteer, code, STARTS, nonce="once")
            for _ in range(SCANNERS)
        ],
    )
    assert all(answer == answers[0] for answer in answers), answers
    with writing() as session:
        assert (how_many(session, Scan), how_many(session, Attendance)) == (1, 1)


def test_two_stations_and_the_volunteer_check_out_at_once(app, scene, writing):
    scene.check_in()
    own, shown = scene.venue(ENDS, "out"), scene.personal(scene.volunteer, ENDS)
    answers = race(
        app,
        [lambda: scene.scan(scene.volunteer, own, ENDS) for _ in range(5)]
        + [
            lambda: scene.scan(
                scene.organizer, shown, ENDS, shift_id=scene.shift_id, direction="out"
            )
            for _ in range(5)
        ],
    )
    assert reasons(answers)["ok_out"] == 1
    with writing() as session:
        line = session.scalars(select(Attendance)).one()
        assert (line.state, line.checked_out_at) == ("left", ENDS)
        assert counting(session) == 2


def test_without_the_guard_fifty_scans_make_many(app, scene, writing):
    """The control: who looks first and writes later, under no unique index, counts twice.

    The occurrence number is the one column of the index that a careless writer could vary.
    """
    all_have_looked = threading.Barrier(OCCURRENCES_MAX, timeout=MEET_SECONDS_MAX)

    def careless(number: int) -> None:
        with reading() as session:
            is_there = session.scalars(select(Attendance.id)).first()
        all_have_looked.wait()
        if is_there is None:
            scene.write_carelessly(number, STARTS)

    numbers = range(1, OCCURRENCES_MAX + 1)
    race(app, [lambda number=number: careless(number) for number in numbers])
    with writing() as session:
        assert how_many(session, Attendance) == OCCURRENCES_MAX


def test_the_last_place_is_joined_once(app, writing):
    from_many = 6
    with writing() as session:
        scene = set_scene_with_room(app, session)
        people = newcomers(session, from_many)
    code = scene.venue(STARTS)
    answers = race(
        app,
        [lambda actor=actor: scene.scan(actor, code, STARTS, confirm=True) for actor in people],
    )
    assert reasons(answers) == {"ok_in": 1, "waitlisted": from_many - 1}
    with writing() as session:
        assert how_many(session, Attendance) == 1


def set_scene_with_room(app, session):
    return set_scene(app, session, places=2)


def newcomers(session, count):
    return [actor_of(session, a_member(session)) for _ in range(count)]


def test_undoing_at_once_takes_back_once(app, scene, writing):
    verdict = scene.check_in()

    def undo():
        with transaction() as session:
            return undo_scan(
                session,
                scan_id=verdict.scan_id,
                actor_id=scene.volunteer.member_id,
                now=STARTS + timedelta(seconds=10),
            )

    answers = race(app, [undo for _ in range(8)])
    assert all(answer == answers[0] for answer in answers), answers
    with writing() as session:
        assert (how_many(session, Attendance), counting(session)) == (0, 0)
