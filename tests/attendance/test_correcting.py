"""Check-outs that were wrong: the lead says when somebody left, and they are judged anew."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from pointsbank.attendance.errors import NobodyLacksCheckOut
from pointsbank.attendance.models import Scan
from pointsbank.attendance.settling import Awarded, Held
from tests.attendance.test_hours import AFTER, at, enter, settle


def test_one_who_was_too_short_is_judged_anew_when_the_check_out_was_wrong(scene, writing):
    scene.check_in()
    scene.check_out(at(20))
    member_id = scene.volunteer.member_id
    with writing() as session:
        assert settle(session, scene).held == (Held(member_id, "too_short"),)
    with writing() as session:
        assert enter(session, scene) == 0, "only somebody who is named"
    with writing() as session:
        assert enter(session, scene, only=[member_id], left_at=at(120)) == 1
    with writing() as session:
        assert settle(session, scene).awarded == (Awarded(member_id, 20, 120),)
        outs = session.scalars(select(Scan).where(Scan.direction == "out").order_by(Scan.id))
        assert [(scan.code_kind, scan.counts) for scan in outs] == [
            ("venue", False),
            ("manual", True),
        ], "the wrong one stays on record"
    with pytest.raises(NobodyLacksCheckOut), writing() as session:
        enter(session, scene, only=[member_id], left_at=at(130))


def test_a_held_person_who_left_late_is_judged_anew_when_they_are_named(scene, writing):
    scene.check_in()
    with writing() as session:
        settle(session, scene)
    scene.check_out(AFTER + timedelta(minutes=1))
    member_id = scene.volunteer.member_id
    with writing() as session:
        assert enter(session, scene, AFTER + timedelta(minutes=2), only=[member_id]) == 1
    with writing() as session:
        assert settle(session, scene).awarded == (Awarded(member_id, 25, 150),)
