"""The full name behind a scan: who is told, and that each look is kept."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from pointsbank.attendance.errors import ScanNotFound
from pointsbank.attendance.revealing import reveal_name
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.audit import AuditEntry
from pointsbank.members.models import Member
from tests.attendance.scene import STARTS, actor_of
from tests.builders import a_member, an_organization, signed_in

LATER = STARTS + timedelta(minutes=1)


def look(session, scan_id, actor):
    return reveal_name(session, scan_id=scan_id, actor=actor, now=LATER)


def looks(session):
    return session.scalars(select(AuditEntry).where(AuditEntry.action == "name_revealed")).all()


def test_the_lead_is_told_and_each_look_is_kept(scene, writing):
    verdict = scene.check_in()
    for _ in range(2):
        with writing() as session:
            assert look(session, verdict.scan_id, scene.organizer) == "王桂兰"
    with writing() as session:
        first, _ = looks(session)
        assert (first.actor_id, first.at) == (scene.organizer.member_id, LATER)
        assert (first.subject_kind, first.subject_id) == ("member", scene.volunteer.member_id)
        assert first.facts == {"scan_id": verdict.scan_id, "shift_id": scene.shift_id}


def test_nobody_else_is_told_and_nothing_is_kept(scene, writing):
    verdict = scene.check_in()
    with writing() as session:
        secretary = Actor(scene.stranger.member_id, "", 0, 0, (Grant("secretary", "/"),))
        elsewhere = Actor(scene.stranger.member_id, "", 0, 0, (Grant("organizer", "/999/"),))
        for actor in (scene.volunteer, scene.stranger, secretary, elsewhere):
            with pytest.raises(ScanNotFound):
                look(session, verdict.scan_id, actor)
        with pytest.raises(ScanNotFound):
            look(session, 10**9, scene.organizer)
        assert looks(session) == []


def test_typing_numbers_tells_nobodys_name(scene, writing):
    """Somebody of another organization who is not on the list: only their code says yes."""
    with writing() as session:
        far = an_organization(session, "140303002", name="东城社区")
        other = actor_of(session, a_member(session, "欧阳梓萱", far))
        member = session.get_one(Member, other.member_id)
        number, scene.handles[other.member_id] = member.volunteer_no, member.handle
    typed = scene.scan(scene.organizer, number, STARTS, shift_id=scene.shift_id)
    with writing() as session, pytest.raises(ScanNotFound):
        look(session, typed.scan_id, scene.organizer)
    shown = scene.scan(
        scene.organizer, scene.personal(other, STARTS), STARTS, shift_id=scene.shift_id
    )
    with writing() as session:
        assert look(session, shown.scan_id, scene.organizer) == "欧阳梓萱"


def test_a_scan_of_nobody_has_no_name(scene, writing):
    verdict = scene.scan(scene.organizer, "99999999", STARTS, shift_id=scene.shift_id)
    with writing() as session, pytest.raises(ScanNotFound):
        look(session, verdict.scan_id, scene.organizer)


def test_programs_ask_and_looking_alone_tells_nothing(app, client, scene):
    verdict = scene.check_in()
    path = f"/api/v1/scans/{verdict.scan_id}/name"
    with time_machine.travel(LATER, tick=False):
        lead = signed_in(app, scene.organizer.member_id, LATER)
        answer = client.post(path, headers=lead)
        assert answer.get_json() == {"scan_id": verdict.scan_id, "name": "王桂兰"}
        assert answer.headers["Cache-Control"] == "no-store"
        assert client.get(path, headers=lead).status_code == 405
        volunteer = signed_in(app, scene.volunteer.member_id, LATER)
        assert client.post(path, headers=volunteer).status_code == 403
