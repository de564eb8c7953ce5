"""What a dashboard counts of the work that waits."""

from datetime import timedelta

from pointsbank.attendance.settling import settle_shift
from pointsbank.core.db import reading
from pointsbank.rankings.overview import attendance_held, shifts_to_settle
from tests.attendance.scene import ENDS, STARTS, ZONE, actor_of, set_scene
from tests.builders import a_claim, a_member

AFTER = ENDS + timedelta(minutes=5)


def test_held_work_is_counted_by_people_and_without_what_nobody_can_decide(app, writing):
    with writing() as session:
        scene = set_scene(app, session)
        short = actor_of(session, a_member(session))
        a_claim(session, scene.shift_id, short.member_id)
    moment = STARTS
    for direction in ("in", "out", "in"):  # twice there, and no check-out at the end
        scene.scan(
            scene.volunteer, scene.venue(moment, direction), moment, confirm=direction == "in"
        )
        moment += timedelta(minutes=20)
    scene.check_in(STARTS, short)
    scene.check_out(STARTS + timedelta(minutes=10), short)
    with app.app_context(), reading() as session:
        assert shifts_to_settle(session, ["/"], AFTER).count == 1
        assert attendance_held(session, ["/"], AFTER) is None
    with writing() as session:
        settled = settle_shift(
            session,
            shift_id=scene.shift_id,
            actor_id=scene.organizer.member_id,
            paths=["/"],
            zone=ZONE,
            now=AFTER,
        )
    assert {each.reason for each in settled.held} == {"missing_check_out", "too_short"}
    with app.app_context(), reading() as session:
        assert shifts_to_settle(session, ["/"], AFTER) is None
        held = attendance_held(session, ["/"], AFTER)
    assert (held.count, held.shift_id, held.since) == (1, scene.shift_id, ENDS)
