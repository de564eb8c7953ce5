"""Where a station without a network showed something else than the server finds."""

import itertools
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from pointsbank.attendance.differences import (
    LEAVE_OUT,
    LET_IN,
    Shown,
    differences_of,
    differs,
    is_covered,
    open_differences,
    record_from_station,
    settle_difference,
)
from pointsbank.attendance.finding import NewScan
from pointsbank.attendance.models import Attendance, Scan, ScanDifference
from pointsbank.attendance.review_errors import (
    DifferenceDecided,
    DifferenceNotFound,
    DifferenceOfNobody,
    StillRefused,
    WhyMissing,
)
from pointsbank.attendance.settling import settle_shift
from pointsbank.core.db import run
from pointsbank.ledger.verifying import offenders
from pointsbank.members.models import Member
from pointsbank.tasks.models import Claim
from tests.attendance.scene import DESK, ENDS, STARTS, ZONE, actor_of, set_scene
from tests.builders import a_claim, a_member, how_many
from tests.racing import race

UPLOAD = ENDS + timedelta(minutes=45)
NUMBERS = itertools.count(1)
IN, OUT = Shown("ok", "ok_in", "in"), Shown("ok", "ok_out", "out")


def upload(app, scene, who, at, shown, *, code=None, sent_at=UPLOAD, **more):
    """Send what a station kept: by default the person's own code of that moment."""
    scan = NewScan(
        nonce=more.pop("nonce", f"kept-{next(NUMBERS)}"),
        code=code or scene.personal(who, at),
        shift_id=scene.shift_id,
        scanned_at=at,
        is_offline=True,
        device_id=more.pop("device_id", "station-1"),
        **more,
    )
    with app.app_context():
        return run(
            lambda session: record_from_station(
                session, scene.organizer, scan, shown, DESK, now=sent_at
            )
        )


def settle_it(session, scan_id, decision, actor, note="当时在场", at=UPLOAD):
    return settle_difference(
        session,
        scan_id=scan_id,
        decision=decision,
        note=note,
        actor=actor,
        desk=DESK,
        now=at,
    )


def line_of(session, member_id):
    return session.scalars(
        select(Attendance).where(Attendance.member_id == member_id)
    ).one_or_none()


@pytest.mark.parametrize(
    ("shown", "server", "expected"),
    [
        (IN, ("ok", "ok_in", "in"), False),
        (OUT, ("ok", "ok_out", "out"), False),
        (Shown("ok", "offline_saved", "in"), ("ok", "ok_in", "in"), False),
        (IN, ("ok", "ok_out", "out"), True),
        (IN, ("confirm", "not_claimed", "in"), True),
        (IN, ("refuse", "code_expired", None), True),
        (IN, ("ok", "waitlisted", "in"), True),
        (Shown("ok", "waitlisted", "in"), ("ok", "waitlisted", "in"), False),
        (Shown("ok", "repeat_just_now", "in"), ("confirm", "already_in", "out"), False),
        (Shown("refuse", "not_member"), ("refuse", "suspended", None), False),
        (Shown("confirm", "not_claimed", "in"), ("refuse", "too_late", "in"), False),
        (Shown("refuse", "code_expired"), ("ok", "ok_in", "in"), True),
    ],
)
def test_a_difference_is_in_what_was_done_and_not_in_the_words(shown, server, expected):
    facts = dict(zip(("result", "reason", "direction"), server, strict=True))
    assert differs(shown, facts, STARTS, []) is expected


def test_a_mark_that_stands_serves_as_well():
    stays = [(STARTS, ENDS)]
    assert is_covered("in", STARTS, stays)
    assert is_covered("in", STARTS + timedelta(minutes=20), stays)
    assert not is_covered("in", STARTS - timedelta(minutes=3), stays)
    assert not is_covered("in", ENDS + timedelta(minutes=5), stays)
    assert is_covered("out", ENDS - timedelta(minutes=20), stays)
    assert not is_covered("out", ENDS + timedelta(minutes=3), stays)
    assert not is_covered("out", ENDS, [(STARTS, None)])
    assert not is_covered("in", STARTS, [(None, None)])


def test_where_both_agree_what_the_station_showed_is_kept_and_nothing_waits(
    app, scene, writing
):
    upload(app, scene, scene.volunteer, STARTS, IN)
    upload(app, scene, scene.volunteer, ENDS, OUT)
    with writing() as session:
        assert how_many(session, ScanDifference) == 0
        verdicts = session.scalars(select(Scan.device_verdict).order_by(Scan.id)).all()
        assert [each["reason"] for each in verdicts] == ["ok_in", "ok_out"]
        line = line_of(session, scene.volunteer.member_id)
        assert (line.checked_in_at, line.checked_out_at) == (STARTS, ENDS)


def test_two_stations_that_both_let_somebody_in_are_of_one_mind(app, scene, writing):
    upload(app, scene, scene.volunteer, STARTS, IN)
    later = STARTS + timedelta(minutes=10)
    upload(app, scene, scene.volunteer, later, IN, device_id="station-2")
    with writing() as session:
        assert how_many(session, ScanDifference) == 0
        line = line_of(session, scene.volunteer.member_id)
        assert (line.checked_in_at, line.checked_out_at) == (STARTS, None)


def test_a_station_that_let_a_stranger_in_waits_for_the_lead(app, scene, writing):
    verdict = upload(app, scene, scene.stranger, STARTS, IN)
    assert verdict.facts["reason"] == "not_claimed"
    with writing() as session:
        assert open_differences(session, scene.shift_id) == 1
        found = differences_of(session, scene.shift_id)[0]
        assert (found.device_reason, found.server_reason) == ("ok_in", "not_claimed")
        assert found.display_name == "吴*燕"
        settled = settle_it(session, found.scan_id, LET_IN, scene.organizer)
        assert (settled.decision, settled.note) == ("let_in", "当时在场")
        line = line_of(session, scene.stranger.member_id)
        assert (line.state, line.checked_in_at) == ("present", STARTS)
        assert {"walk_in", "let_in", "offline"} <= set(line.flags)
        claim = session.scalars(
            select(Claim).where(Claim.member_id == scene.stranger.member_id)
        ).one()
        assert claim.state == "claimed"
        kinds = session.scalars(
            select(Scan.code_kind).where(Scan.member_id == scene.stranger.member_id)
        ).all()
        assert list(kinds) == ["personal", "personal"]
        assert open_differences(session, scene.shift_id) == 0


def test_settling_a_difference_twice_changes_nothing(app, scene, writing):
    upload(app, scene, scene.stranger, STARTS, IN)
    with writing() as session:
        scan_id = differences_of(session, scene.shift_id)[0].scan_id
        first = settle_it(session, scan_id, LET_IN, scene.organizer)
    later = UPLOAD + timedelta(days=1)
    with writing() as session:
        again = settle_it(session, scan_id, LET_IN, scene.organizer, "又一次", later)
        assert again == first
        assert how_many(session, Attendance) == 1
        with pytest.raises(DifferenceDecided) as refused:
            settle_it(session, scan_id, LEAVE_OUT, scene.organizer, at=later)
        assert refused.value.facts == {"decision": "let_in"}


def test_many_leads_at_once_let_somebody_in_once(app, scene, writing):
    upload(app, scene, scene.stranger, STARTS, IN)
    with writing() as session:
        scan_id = differences_of(session, scene.shift_id)[0].scan_id
    answers = race(
        app,
        [lambda: run(lambda session: settle_it(session, scan_id, LET_IN, scene.organizer))] * 5,
    )
    assert all(answer == answers[0] for answer in answers), answers
    with writing() as session:
        assert how_many(session, Attendance) == 1
        assert len(session.scalars(select(Scan.id).where(Scan.counts)).all()) == 1


def test_an_old_difference_can_still_be_let_in(app, scene, writing):
    upload(app, scene, scene.stranger, STARTS, IN)
    with writing() as session:
        scan_id = differences_of(session, scene.shift_id)[0].scan_id
        settle_it(session, scan_id, LET_IN, scene.organizer, at=UPLOAD + timedelta(days=10))
        line = line_of(session, scene.stranger.member_id)
        assert line.checked_in_at == STARTS
        kept = session.scalars(select(Scan).where(Scan.counts)).one()
        assert kept.recorded_at == UPLOAD + timedelta(days=10)


def test_leaving_out_keeps_the_scan_and_marks_nobody(app, scene, writing):
    upload(app, scene, scene.stranger, STARTS, IN)
    with writing() as session:
        scan_id = differences_of(session, scene.shift_id)[0].scan_id
        assert (
            settle_it(session, scan_id, LEAVE_OUT, scene.organizer, "").decision == "leave_out"
        )
        assert how_many(session, Attendance) == 0
        assert session.get_one(Scan, scan_id).device_verdict["reason"] == "ok_in"


def test_letting_in_says_why(app, scene, writing):
    upload(app, scene, scene.stranger, STARTS, IN)
    with writing() as session:
        scan_id = differences_of(session, scene.shift_id)[0].scan_id
        with pytest.raises(WhyMissing):
            settle_it(session, scan_id, LET_IN, scene.organizer, "")


def test_a_mark_of_the_server_that_the_station_refused_can_be_left_out(app, scene, writing):
    refused = Shown("refuse", "code_expired")
    upload(app, scene, scene.volunteer, STARTS, refused, direction="in")
    with writing() as session:
        found = differences_of(session, scene.shift_id)[0]
        assert (found.device_reason, found.server_reason) == ("code_expired", "ok_in")
        settle_it(session, found.scan_id, LEAVE_OUT, scene.organizer)
        assert line_of(session, scene.volunteer.member_id) is None
        scan = session.get_one(Scan, found.scan_id)
        assert (scan.counts, scan.undone_at is not None) == (False, True)


def test_a_mark_of_the_server_that_the_station_refused_can_stand(app, scene, writing):
    upload(app, scene, scene.volunteer, STARTS, Shown("refuse", "code_expired"), direction="in")
    with writing() as session:
        found = differences_of(session, scene.shift_id)[0]
        settle_it(session, found.scan_id, LET_IN, scene.organizer)
        assert line_of(session, scene.volunteer.member_id).checked_in_at == STARTS
        assert how_many(session, Scan) == 1


def test_a_code_of_nobody_lets_nobody_in(app, scene, writing):
    upload(app, scene, scene.stranger, STARTS, IN, code="NONSENSE CODE")
    with writing() as session:
        found = differences_of(session, scene.shift_id)[0]
        assert (found.member_id, found.display_name) == (None, "")
    with pytest.raises(DifferenceOfNobody), writing() as session:
        settle_it(session, found.scan_id, LET_IN, scene.organizer)
    with writing() as session:
        assert open_differences(session, scene.shift_id) == 1
        settle_it(session, found.scan_id, LEAVE_OUT, scene.organizer)
        assert open_differences(session, scene.shift_id) == 0


def test_no_lead_lets_a_stopped_account_in(app, scene, writing):
    with writing() as session:
        session.execute(
            update(Member)
            .where(Member.id == scene.volunteer.member_id)
            .values(state="suspended")
        )
    upload(app, scene, scene.volunteer, STARTS, IN)
    with writing() as session:
        found = differences_of(session, scene.shift_id)[0]
    with pytest.raises(StillRefused) as refused, writing() as session:
        settle_it(session, found.scan_id, LET_IN, scene.organizer)
    assert refused.value.facts == {"reason": "suspended"}
    with writing() as session:
        assert open_differences(session, scene.shift_id) == 1
        assert how_many(session, Attendance) == 0


def test_nobody_is_let_in_where_all_places_are_taken(app, writing):
    with writing() as session:
        scene = set_scene(app, session, places=1)
    upload(app, scene, scene.stranger, STARTS, IN)
    with writing() as session:
        found = differences_of(session, scene.shift_id)[0]
    with pytest.raises(StillRefused) as refused, writing() as session:
        settle_it(session, found.scan_id, LET_IN, scene.organizer)
    assert refused.value.facts == {"reason": "waitlisted"}
    with writing() as session:
        assert how_many(session, Claim) == 1


def test_an_earlier_arrival_at_another_station_is_not_lost(app, scene, writing):
    late = STARTS + timedelta(minutes=30)
    upload(app, scene, scene.volunteer, late, IN)
    upload(app, scene, scene.volunteer, STARTS, IN, device_id="station-2")
    with writing() as session:
        found = differences_of(session, scene.shift_id)[0]
        settle_it(session, found.scan_id, LET_IN, scene.organizer)
        line = line_of(session, scene.volunteer.member_id)
        assert line.checked_in_at == STARTS
        counting = session.scalars(select(Scan.id).where(Scan.counts)).all()
        assert list(counting) == [found.scan_id]


def test_a_later_departure_at_another_station_is_not_lost(app, scene, writing):
    early = ENDS - timedelta(minutes=30)
    upload(app, scene, scene.volunteer, STARTS, IN)
    upload(app, scene, scene.volunteer, early, OUT)
    upload(app, scene, scene.volunteer, ENDS, OUT, device_id="station-2")
    with writing() as session:
        found = differences_of(session, scene.shift_id)[0]
        assert found.server_reason == "already_out"
        settle_it(session, found.scan_id, LET_IN, scene.organizer)
        assert line_of(session, scene.volunteer.member_id).checked_out_at == ENDS


def test_a_departure_waits_for_its_arrival(app, scene, writing):
    upload(app, scene, scene.stranger, STARTS, IN)
    upload(app, scene, scene.stranger, ENDS, OUT)
    with writing() as session:
        came, left = differences_of(session, scene.shift_id)
    with pytest.raises(StillRefused), writing() as session:
        settle_it(session, left.scan_id, LET_IN, scene.organizer)
    with writing() as session:
        settle_it(session, came.scan_id, LET_IN, scene.organizer)
        settle_it(session, left.scan_id, LET_IN, scene.organizer)
        line = line_of(session, scene.stranger.member_id)
        assert (line.checked_in_at, line.checked_out_at) == (STARTS, ENDS)
    with writing() as session:
        settlement = settle_shift(
            session,
            shift_id=scene.shift_id,
            actor_id=scene.organizer.member_id,
            paths=scene.organizer.paths("organizer"),
            zone=ZONE,
            now=UPLOAD,
        )
        assert [each.member_id for each in settlement.awarded] == [scene.stranger.member_id]
        assert offenders(session) == []


def test_the_automatic_of_a_second_station_takes_no_arrival_for_a_departure(
    app, scene, writing
):
    upload(app, scene, scene.volunteer, STARTS, IN)
    upload(app, scene, scene.volunteer, STARTS + timedelta(minutes=10), IN, direction="auto")
    with writing() as session:
        assert line_of(session, scene.volunteer.member_id).checked_out_at is None
        assert how_many(session, ScanDifference) == 0


def test_sending_again_adds_no_second_difference(app, scene, writing):
    for _ in range(3):
        upload(app, scene, scene.stranger, STARTS, IN, nonce="kept once", sent_at=UPLOAD)
    with writing() as session:
        assert how_many(session, ScanDifference) == 1
        assert how_many(session, Scan) == 1


def test_a_foreign_difference_is_like_none(app, scene, writing):
    upload(app, scene, scene.stranger, STARTS, IN)
    with writing() as session:
        scan_id = differences_of(session, scene.shift_id)[0].scan_id
        for actor, each in ((scene.stranger, scan_id), (scene.organizer, 10**9)):
            with pytest.raises(DifferenceNotFound):
                settle_it(session, each, LET_IN, actor)


def test_who_leads_nothing_here_fills_nobodys_list(app, scene, writing):
    with writing() as session:
        other = actor_of(session, a_member(session))
        a_claim(session, scene.shift_id, other.member_id)
        number = session.get_one(Member, other.member_id).volunteer_no
        stranger = type(scene.organizer)(
            other.member_id, "", 0, 0, (type(scene.organizer.grants[0])("organizer", "/999/"),)
        )
    scan = NewScan("n", number, scene.shift_id, "in", STARTS, is_offline=True)
    with app.app_context():
        verdict = run(
            lambda session: record_from_station(session, stranger, scan, IN, DESK, now=UPLOAD)
        )
    assert verdict.facts["reason"] == "no_permission"
    with writing() as session:
        assert how_many(session, ScanDifference) == 0
