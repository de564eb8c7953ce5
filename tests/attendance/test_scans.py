"""Scans from code to verdict, and what is kept of them."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from pointsbank.attendance.models import Attendance, Scan
from pointsbank.core.actor import Grant
from pointsbank.core.keys import base32
from pointsbank.members.codes import redemption_digits, redemption_text
from pointsbank.members.models import Member
from pointsbank.members.service import suspend_member
from pointsbank.tasks.models import Claim, Shift
from pointsbank.tasks.publishing import call_off_task
from tests.attendance.scene import ENDS, SECRET, STARTS, reason, set_scene
from tests.builders import a_claim, a_member, a_shift, an_organization, how_many

SOON = timedelta(seconds=30)


def kept(session, verdict) -> Scan:
    return session.get_one(Scan, verdict.scan_id)


def test_the_venue_code_checks_in_and_out(scene, writing):
    came = scene.check_in(STARTS - timedelta(minutes=8))
    assert reason(came) == ("ok", "ok_in")
    assert came.facts["counts"] == {
        "places": 25,
        "claimed": 1,
        "arrived": 1,
        "present": 1,
        "waiting": 0,
    }
    assert came.facts["person"] == {"display_name": "王*兰"}
    assert came.facts["points_preview"] == {"points": 25, "service_minutes": 150}
    left = scene.check_out()
    assert reason(left) == ("ok", "ok_out")
    assert left.facts["points_preview"] == {"points": 25, "service_minutes": 150}
    assert left.facts["counts"]["present"] == 0
    with writing() as session:
        line = session.scalars(select(Attendance)).one()
        assert (line.state, line.checked_in_at) == ("left", STARTS - timedelta(minutes=8))
        assert line.checked_out_at == ENDS
        assert [scan.counts for scan in session.scalars(select(Scan))] == [True, True]


def test_the_organizer_scans_a_personal_code(scene):
    came = scene.scan(
        scene.organizer,
        scene.personal(scene.volunteer, STARTS),
        STARTS,
        shift_id=scene.shift_id,
    )
    assert reason(came) == ("ok", "ok_in")
    assert came.facts["direction"] == "in"


def number_of(scene, who, writing) -> str:
    with writing() as session:
        return session.get_one(Member, who.member_id).volunteer_no


def test_the_organizer_types_a_member_number(scene, writing):
    number, here = number_of(scene, scene.volunteer, writing), {"shift_id": scene.shift_id}
    came = scene.scan(scene.organizer, f" {number} ", STARTS, **here)
    assert reason(came) == ("ok", "ok_in")
    left = scene.scan(scene.organizer, number, ENDS, direction="out", **here)
    assert reason(left) == ("ok", "ok_out")
    with writing() as session:
        assert kept(session, came).code_kind == "manual"
    nobody = scene.scan(scene.organizer, "99999999", STARTS, **here)
    assert reason(nobody) == ("refuse", "not_member")


def test_a_member_number_is_good_only_for_the_lead_of_that_shift(scene, writing):
    number = number_of(scene, scene.volunteer, writing)
    for code in (number, "99999999"):
        own = scene.scan(scene.volunteer, code, STARTS, shift_id=scene.shift_id)
        assert reason(own) == ("refuse", "bad_code")
        elsewhere = scene.scan(scene.organizer, code, STARTS)
        assert reason(elsewhere) == ("refuse", "bad_code")
    stranger = replace(scene.organizer, grants=(Grant("organizer", "/another/"),))
    answers = [
        scene.scan(stranger, code, STARTS, shift_id=scene.shift_id).facts
        for code in (number, "99999999")
    ]
    assert [(each["reason"], each["person"]) for each in answers] == [
        ("no_permission", None),
        ("no_permission", None),
    ]


def test_without_a_shift_the_running_one_is_found(scene):
    code = scene.personal(scene.volunteer, STARTS)
    assert reason(scene.scan(scene.organizer, code, STARTS)) == ("ok", "ok_in")
    other = scene.personal(scene.stranger, STARTS)
    assert reason(scene.scan(scene.organizer, other, STARTS)) == ("refuse", "no_shift")


def test_a_code_for_one_shift_names_it(scene):
    code = scene.personal(scene.volunteer, STARTS, scene.shift_handle)
    assert reason(scene.scan(scene.organizer, code, STARTS)) == ("ok", "ok_in")


def test_a_code_for_another_shift_is_refused(scene, writing):
    with writing() as session:
        near = session.get_one(Shift, a_shift(session, title="社区夜巡")).handle
        place = an_organization(session, "140303005004", name="别处社区")
        far = session.get_one(Shift, a_shift(session, organization_id=place)).handle
    for handle, expected in ((near, "wrong_shift"), (far, "no_permission")):
        code = scene.personal(scene.volunteer, STARTS, handle)
        verdict = scene.scan(scene.organizer, code, STARTS, shift_id=scene.shift_id)
        assert reason(verdict) == ("refuse", expected)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "ok_in"), (30, "ok_in"), (-15, "ok_in"), (45, "code_expired"), (-30, "code_expired")],
)
def test_a_venue_code_lives_three_quarters_of_a_minute(scene, seconds, expected):
    shown_at = STARTS
    code = scene.venue(shown_at)
    verdict = scene.scan(scene.volunteer, code, shown_at + timedelta(seconds=seconds))
    assert verdict.facts["reason"] == expected


@pytest.mark.parametrize(
    ("seconds", "is_offline", "expected"),
    [
        (60, False, "ok_in"),
        (90, False, "code_expired"),
        (-30, False, "ok_in"),
        (-60, False, "code_expired"),
    ],
)
def test_a_personal_code_lives_a_minute_and_a_half(scene, seconds, is_offline, expected):
    code = scene.personal(scene.volunteer, STARTS)
    verdict = scene.scan(
        scene.organizer,
        code,
        STARTS + timedelta(seconds=seconds),
        shift_id=scene.shift_id,
        is_offline=is_offline,
    )
    assert verdict.facts["reason"] == expected


def test_forged_forwarded_and_foreign_codes_have_their_own_reasons_and_are_kept(scene, writing):
    venue = scene.venue(STARTS)
    forged = venue[:-3] + ("AAA" if venue[-3:-1] != "AA" else "BAA")
    digits = redemption_digits("123456789012345")
    cases = {
        "bad_code": "hello",
        "bad_signature": forged,
        "code_expired": scene.venue(STARTS - timedelta(minutes=3)),
        "wrong_purpose": redemption_text(SECRET, "123456789012345"),
    }
    for expected, code in cases.items():
        verdict = scene.scan(scene.volunteer, code, STARTS)
        assert reason(verdict) == ("refuse", expected)
        with writing() as session:
            row = kept(session, verdict)
            assert (row.result, row.reason, row.counts) == ("refuse", expected, False)
            assert code.encode() not in bytes(row.code_hash)
    assert scene.scan(scene.volunteer, digits, STARTS).facts["reason"] == "wrong_purpose"
    with writing() as session:
        assert how_many(session, Attendance) == 0


def test_a_personal_code_is_for_organizers_of_the_shift(scene, writing):
    code = scene.personal(scene.volunteer, STARTS)
    seen = scene.scan(scene.stranger, code, STARTS, shift_id=scene.shift_id)
    assert reason(seen) == ("refuse", "no_permission")
    assert seen.facts["person"] is None
    assert seen.facts["counts"] is None
    unknown = scene.scan(scene.organizer, code, STARTS, shift_id=999_999)
    assert reason(unknown) == ("refuse", "no_permission")
    with writing() as session:
        assert kept(session, unknown).shift_id is None


def test_the_same_nonce_answers_the_same(scene, writing):
    first = scene.scan(scene.volunteer, scene.venue(STARTS), STARTS, nonce="once")
    again = scene.scan(scene.volunteer, scene.venue(STARTS), STARTS + SOON, nonce="once")
    assert first == again
    other = scene.scan(scene.stranger, scene.venue(STARTS), STARTS, nonce="once")
    assert other.scan_id != first.scan_id
    with writing() as session:
        assert how_many(session, Scan) == 2


def test_a_second_scan_just_now_is_no_second_wish(scene, writing):
    scene.check_in()
    again = scene.scan(scene.volunteer, scene.venue(STARTS + SOON, "either"), STARTS + SOON)
    assert reason(again) == ("ok", "repeat_just_now")
    with writing() as session:
        assert not kept(session, again).counts
        assert session.scalars(select(Attendance)).one().state == "present"


def test_checking_in_twice_asks_and_may_become_a_check_out(scene):
    scene.check_in()
    later = STARTS + timedelta(hours=2)
    asked = scene.scan(scene.volunteer, scene.venue(later, "in"), later)
    assert reason(asked) == ("confirm", "already_in")
    assert datetime.fromisoformat(asked.facts["first"]["at"]) == STARTS
    assert asked.facts["first"]["by"] == "王*兰"
    left = scene.scan(scene.volunteer, scene.venue(later, "in"), later, confirm=True)
    assert reason(left) == ("ok", "ok_out")


def test_a_later_check_out_may_take_the_place_of_the_earlier(scene, writing):
    scene.check_in()
    scene.check_out(ENDS - timedelta(hours=1))
    asked = scene.check_out(ENDS)
    assert reason(asked) == ("confirm", "already_out")
    moved = scene.scan(scene.volunteer, scene.venue(ENDS, "out"), ENDS, confirm=True)
    assert reason(moved) == ("ok", "ok_out")
    with writing() as session:
        assert session.scalars(select(Attendance)).one().checked_out_at == ENDS
        assert [s.counts for s in session.scalars(select(Scan).order_by(Scan.id))] == [
            True,
            False,
            False,
            True,
        ]


def test_checking_out_needs_a_check_in(scene):
    assert reason(scene.check_out(STARTS)) == ("refuse", "not_in")


def test_who_has_not_claimed_may_join_while_a_place_is_free(scene, writing):
    asked = scene.check_in(who=scene.stranger)
    assert reason(asked) == ("confirm", "not_claimed")
    joined = scene.scan(scene.stranger, scene.venue(STARTS), STARTS, confirm=True)
    assert reason(joined) == ("ok", "ok_in")
    assert joined.facts["flags"] == ["walk_in"]
    assert joined.facts["counts"]["claimed"] == 2
    with writing() as session:
        claim = session.scalars(
            select(Claim).where(Claim.member_id == scene.stranger.member_id)
        ).one()
        assert claim.state == "claimed"
        assert session.get_one(Shift, scene.shift_id).claimed == 2


def test_a_full_shift_offers_its_waiting_line(app, writing):
    with writing() as session:
        scene = set_scene(app, session, places=1)
    asked = scene.check_in(who=scene.stranger)
    assert reason(asked) == ("confirm", "full")
    waits = scene.scan(scene.stranger, scene.venue(STARTS), STARTS, confirm=True)
    assert reason(waits) == ("ok", "waitlisted")
    assert (waits.facts["position"], waits.facts["undo_until"]) == (1, None)
    assert reason(scene.check_in(who=scene.stranger)) == ("refuse", "full")
    with writing() as session:
        assert how_many(session, Attendance) == 0


def test_whoever_claimed_another_shift_is_told_which(scene, writing):
    with writing() as session:
        evening = a_shift(session, STARTS + timedelta(hours=5), title="社区夜巡")
        a_claim(session, evening, scene.stranger.member_id)
    asked = scene.check_in(who=scene.stranger)
    assert reason(asked) == ("confirm", "wrong_shift")
    assert asked.facts["elsewhere"]["title"] == "社区夜巡"
    joined = scene.scan(scene.stranger, scene.venue(STARTS), STARTS, confirm=True)
    assert reason(joined) == ("ok", "ok_in")


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (STARTS - timedelta(minutes=31), "too_early"),
        (STARTS - timedelta(minutes=30), "ok_in"),
        (ENDS, "ok_in"),
        (ENDS + timedelta(minutes=1), "too_late"),
    ],
)
def test_check_in_has_its_hours(scene, at, expected):
    assert scene.check_in(at).facts["reason"] == expected


@pytest.mark.parametrize(("minutes", "expected"), [(60, "ok_out"), (61, "too_late")])
def test_check_out_stays_open_for_an_hour(scene, minutes, expected):
    scene.check_in()
    assert scene.check_out(ENDS + timedelta(minutes=minutes)).facts["reason"] == expected


def test_only_the_lead_opens_the_window_and_says_why(scene, writing):
    at = STARTS - timedelta(hours=1)
    own = scene.scan(
        scene.volunteer, scene.venue(at), at, confirm=True, note="I am here already"
    )
    assert reason(own) == ("confirm", "too_early")
    assert not own.facts["may_confirm"]
    code = scene.personal(scene.volunteer, at)
    of_shift = {"shift_id": scene.shift_id, "confirm": True}
    silent = scene.scan(scene.organizer, code, at, **of_shift)
    assert reason(silent) == ("confirm", "too_early")
    assert silent.facts["needs_reason"]
    let_in = scene.scan(scene.organizer, code, at, note="来搬桌子", **of_shift)
    assert reason(let_in) == ("ok", "ok_in")
    assert let_in.facts["flags"] == ["let_in"]
    with writing() as session:
        assert kept(session, let_in).note == "来搬桌子"


def test_a_code_grows_old_while_a_person_decides(scene):
    code, later = scene.venue(STARTS), STARTS + timedelta(minutes=3)
    assert reason(scene.scan(scene.stranger, code, STARTS)) == ("confirm", "not_claimed")
    joined = scene.scan(scene.stranger, code, later, confirm=True)
    assert reason(joined) == ("ok", "ok_in")
    assert reason(scene.scan(scene.volunteer, code, later, confirm=True)) == (
        "refuse",
        "code_expired",
    )
    last = scene.scan(scene.stranger, code, STARTS + timedelta(minutes=6), confirm=True)
    assert reason(last) == ("refuse", "code_expired")


def test_a_stopped_account_is_told_so(scene, writing):
    with writing() as session:
        suspend_member(
            session,
            member_id=scene.volunteer.member_id,
            suspended_by_id=None,
            now=STARTS,
            today=STARTS.date(),
        )
    code = scene.personal(scene.volunteer, STARTS)
    verdict = scene.scan(scene.organizer, code, STARTS, shift_id=scene.shift_id)
    assert reason(verdict) == ("refuse", "suspended")


def test_a_code_of_nobody_is_not_registered(scene):
    scene.handles[scene.volunteer.member_id] = b"\x00\x01\x02\x03\x04"
    code = scene.personal(scene.volunteer, STARTS)
    verdict = scene.scan(scene.organizer, code, STARTS, shift_id=scene.shift_id)
    assert reason(verdict) == ("refuse", "not_member")


def test_a_shift_that_was_called_off_takes_nobody(scene, writing):
    with writing() as session:
        call_off_task(
            session,
            task_id=session.get_one(Shift, scene.shift_id).task_id,
            actor_id=scene.organizer.member_id,
            paths=["/"],
            reason="大雨",
            now=STARTS,
        )
    assert reason(scene.check_in()) == ("refuse", "called_off")


def test_a_venue_code_of_no_shift_is_refused(scene):
    scene.shift_handle = b"\x09" * 5
    assert reason(scene.check_in()) == ("refuse", "no_shift")


def test_one_phone_for_two_people_is_noted_and_not_refused(scene, writing):
    with writing() as session:
        a_claim(session, scene.shift_id, scene.stranger.member_id)
    scene.scan(scene.volunteer, scene.venue(STARTS), STARTS, device_id="phone-1")
    second = scene.scan(scene.stranger, scene.venue(STARTS), STARTS, device_id="phone-1")
    assert reason(second) == ("ok", "ok_in")
    assert second.facts["flags"] == ["same_device"]
    with writing() as session:
        line = session.scalars(
            select(Attendance).where(Attendance.member_id == scene.stranger.member_id)
        ).one()
        assert line.flags == ["same_device"]


@pytest.mark.parametrize(("north", "flags"), [(0.0, []), (0.01, ["other_place"])])
def test_a_far_place_is_noted_and_the_position_forgotten(app, writing, north, flags):
    with writing() as session:
        scene = set_scene(app, session, latitude=37.8, longitude=113.6)
    verdict = scene.scan(
        scene.volunteer, scene.venue(STARTS), STARTS, location=(37.8 + north, 113.6, 20.0)
    )
    assert reason(verdict) == ("ok", "ok_in")
    assert verdict.facts["flags"] == flags
    with writing() as session:
        row = kept(session, verdict)
        assert "37.8" not in str(row.verdict) + str(row.flags)


def test_a_phone_with_a_wrong_clock_is_noted(scene):
    verdict = scene.scan(
        scene.volunteer,
        scene.venue(STARTS),
        STARTS,
        scanned_at=STARTS - timedelta(minutes=10),
    )
    assert verdict.facts["flags"] == ["clock_skew"]
    assert verdict.facts["at"] == verdict.facts["server_time"]


def test_a_station_uploads_what_it_saw_without_a_network(scene, writing):
    seen_at, now = STARTS, STARTS + timedelta(hours=2)
    verdict = scene.scan(
        scene.organizer,
        scene.personal(scene.volunteer, seen_at - timedelta(seconds=110)),
        now,
        shift_id=scene.shift_id,
        scanned_at=seen_at,
        is_offline=True,
    )
    assert reason(verdict) == ("ok", "ok_in")
    assert verdict.facts["flags"] == ["offline"]
    with writing() as session:
        assert session.scalars(select(Attendance)).one().checked_in_at == seen_at
        assert kept(session, verdict).recorded_at == now


def test_a_volunteer_cannot_date_a_scan_back(scene):
    verdict = scene.scan(
        scene.volunteer,
        scene.venue(STARTS),
        STARTS + timedelta(hours=2),
        scanned_at=STARTS,
        is_offline=True,
    )
    assert reason(verdict) == ("refuse", "code_expired")


def test_an_upload_that_comes_days_later_is_too_old(scene):
    verdict = scene.scan(
        scene.organizer,
        scene.personal(scene.volunteer, STARTS),
        STARTS + timedelta(hours=73),
        shift_id=scene.shift_id,
        scanned_at=STARTS,
        is_offline=True,
    )
    assert reason(verdict) == ("refuse", "code_expired")


def test_counts_are_of_this_shift_only(scene, writing):
    with writing() as session:
        other = set_scene(scene.app, session)
    other.check_in()
    scene.check_in()
    with writing() as session:
        for _ in range(3):
            a_claim(session, scene.shift_id, a_member(session))
    verdict = scene.check_out()
    assert verdict.facts["counts"]["arrived"] == 1
    assert verdict.facts["counts"]["claimed"] == 4


@pytest.mark.parametrize("length", [0, 1, 20, 25, 26, 400])
def test_random_bytes_are_no_code(scene, dice, length):
    verdict = scene.scan(scene.volunteer, base32(dice.randbytes(length)), STARTS)
    assert verdict.facts["reason"] in ("bad_code", "bad_signature")
