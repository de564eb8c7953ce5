"""Coming and going several times, breaks, overtime, and check-outs that the lead enters."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from pointsbank.attendance.completing import ENTERED, enter_check_outs, let_count
from pointsbank.attendance.errors import (
    CheckOutOutOfBounds,
    NobodyLacksCheckOut,
    NotHeld,
    OvertimeDecided,
    OvertimeNotFound,
    OvertimeOutOfBounds,
    OvertimePending,
    OwnAttendance,
    OwnOvertime,
    SettledBefore,
    ShiftNotOver,
)
from pointsbank.attendance.models import Attendance, NoShow, Overtime, Scan
from pointsbank.attendance.no_shows import record_no_shows
from pointsbank.attendance.overtimes import (
    ask_overtime,
    decide_overtime,
    overtime_of,
    withdraw_overtime,
)
from pointsbank.attendance.policy import minutes_of_presence
from pointsbank.attendance.settling import Awarded, Held, settle_shift
from pointsbank.core.actor import Grant
from pointsbank.core.db import run
from pointsbank.ledger.verifying import offenders
from pointsbank.messages.models import Message
from pointsbank.scoring.models import ScoreEntry
from pointsbank.scoring.queries import service_minutes_of
from pointsbank.tasks.claiming import give_up_claim
from pointsbank.tasks.models import Claim, Shift, Task
from tests.attendance.scene import ENDS, SECRET, STARTS, ZONE, actor_of, reason
from tests.builders import a_claim, a_member, how_many, with_role
from tests.counting import statements_of
from tests.racing import race

AFTER = ENDS + timedelta(minutes=5)
PATHS = ("/",)


def at(minutes: int):
    return STARTS + timedelta(minutes=minutes)


def settle(session, scene, now=AFTER, actor_id=None):
    return settle_shift(
        session,
        shift_id=scene.shift_id,
        actor_id=actor_id or scene.organizer.member_id,
        paths=PATHS,
        zone=ZONE,
        now=now,
    )


def come_back(scene, minutes, who=None):
    """Come in again by the venue's code, saying so."""
    moment = at(minutes)
    return scene.scan(who or scene.volunteer, scene.venue(moment, "in"), moment, confirm=True)


def comings(session, member_id):
    return session.scalars(
        select(Attendance)
        .where(Attendance.member_id == member_id)
        .order_by(Attendance.occurrence)
    ).all()


def a_secretary(session):
    """Somebody who decides over the test's community and has no hand in the shift."""
    member_id = with_role(session, a_member(session, "陈书记"), "secretary")
    return replace(actor_of(session, member_id), grants=(Grant("secretary", "/"),))


@pytest.mark.parametrize(
    ("pairs", "rest", "minutes"),
    [
        ([(0, 60), (90, 150)], 0, 120),
        ([(0, 60), (90, 150)], 30, 120),
        ([(0, 60), (90, 150)], 45, 105),
        ([(0, 150)], 30, 120),
        ([(0, 20)], 30, 0),
        ([(0, 90), (60, 150)], 0, 150),
        ([(0, 150), (30, 60)], 0, 150),
        ([(-20, 10), (140, 200)], 0, 20),
        ([(0, 60), (90, None)], 0, 60),
        ([(None, None)], 10, 0),
        ([], 0, 0),
    ],
)
def test_all_comings_count_once_and_the_break_less_the_time_away(pairs, rest, minutes):
    marks = [tuple(None if each is None else at(each) for each in pair) for pair in pairs]
    assert minutes_of_presence(marks, STARTS, ENDS, rest) == minutes
    assert minutes_of_presence(marks[::-1], STARTS, ENDS, rest) == minutes


def test_two_comings_are_settled_together_and_awarded_once(scene, writing):
    scene.check_in(at(0))
    scene.check_out(at(60))
    asked = scene.scan(scene.volunteer, scene.venue(at(80), "in"), at(80))
    assert reason(asked) == ("confirm", "already_out")
    assert (asked.facts["direction"], asked.facts["may_confirm"]) == ("in", True)
    back = come_back(scene, 90)
    assert reason(back) == ("ok", "ok_in")
    assert back.facts["occurrence"] == 2
    assert back.facts["counts"]["arrived"] == 1
    left = scene.check_out(at(150))
    assert (left.facts["minutes"], left.facts["points_preview"]["service_minutes"]) == (
        120,
        120,
    )
    member_id = scene.volunteer.member_id
    for _ in range(2):
        with writing() as session:
            settlement = settle(session, scene)
        assert settlement.awarded == (Awarded(member_id, 20, 120),)
        assert settlement.held == ()
    with writing() as session:
        rows = comings(session, member_id)
        assert [
            (row.occurrence, row.state, row.points, row.present_minutes) for row in rows
        ] == [
            (1, "credited", 20, 60),
            (2, "credited", 0, 60),
        ]
        assert [row.transfer_id is None for row in rows] == [False, True]
        assert {row.standard_id for row in rows} == {rows[0].standard_id}
        assert rows[0].standard_id is not None
        entry = session.scalars(select(ScoreEntry)).one()
        assert entry.cause == f"award:{scene.claim_id}"
        counting = select(Scan.direction, Scan.occurrence).where(Scan.counts).order_by(Scan.id)
        assert [tuple(row) for row in session.execute(counting)] == [
            ("in", 1),
            ("out", 1),
            ("in", 2),
            ("out", 2),
        ]
        assert offenders(session) == []


def test_the_lead_lets_people_back_in_at_once(scene):
    scene.check_in(at(0))
    scene.check_out(at(30))
    code = scene.personal(scene.volunteer, at(60))
    back = scene.scan(scene.organizer, code, at(60), shift_id=scene.shift_id, direction="in")
    assert reason(back) == ("ok", "ok_in")
    assert back.facts["occurrence"] == 2


def test_nobody_comes_a_fourth_time(scene, writing):
    scene.check_in(at(0))
    scene.check_out(at(10))
    for start in (20, 40):
        assert reason(come_back(scene, start)) == ("ok", "ok_in")
        assert reason(scene.check_out(at(start + 10))) == ("ok", "ok_out")
    assert reason(come_back(scene, 60)) == ("refuse", "no_more_pairs")
    with writing() as session:
        assert how_many(session, Attendance) == 3


def test_six_at_once_come_back_once(app, scene, writing):
    scene.check_in(at(0))
    scene.check_out(at(30))
    answers = race(app, [lambda: come_back(scene, 60) for _ in range(6)])
    assert all(answer.facts["result"] in ("ok", "confirm") for answer in answers)
    with writing() as session:
        rows = comings(session, scene.volunteer.member_id)
        assert [row.occurrence for row in rows] == [1, 2]


def test_whoever_settles_while_somebody_comes_back_awards_once(app, scene, writing):
    """Whichever is first: the award stands on all comings, or the second coming is refused."""
    scene.check_in(at(0))
    scene.check_out(at(100))

    race(
        app,
        [
            lambda: run(lambda session: settle(session, scene, at(101))),
            lambda: come_back(scene, 101),
        ],
    )
    scene.check_out(at(150))
    with writing() as session:
        settle(session, scene)
        assert how_many(session, ScoreEntry) <= 1
        entered = [row.points or 0 for row in comings(session, scene.volunteer.member_id)]
        assert sum(entered) in (15, 20, 25)
        assert offenders(session) == []


def test_a_usual_check_in_asks_the_database_no_more_than_before(app, scene, engine_name):
    """The facts in one read; on PostgreSQL the marks in one write, on SQLite in two."""
    with statements_of(app) as sent:
        assert reason(scene.check_in()) == ("ok", "ok_in")
    work = [each for each in sent if not each.startswith(("BEGIN", "COMMIT", "PRAGMA", "SET"))]
    assert len(work) == (2 if engine_name == "postgresql" else 3), work


def test_coming_accepts_a_place_that_waited(scene, writing):
    with writing() as session:
        session.execute(update(Claim).values(accept_by=STARTS + timedelta(hours=1)))
    assert reason(scene.check_in()) == ("ok", "ok_in")
    with writing() as session:
        assert session.get_one(Claim, scene.claim_id).accept_by is None


def ask_for_skill(session, scene):
    task_id = session.get_one(Shift, scene.shift_id).task_id
    session.execute(
        update(Task)
        .where(Task.id == task_id)
        .values(eligibility={"rule": "skill", "code": "first_aid"})
    )


def test_who_may_not_take_part_is_told_what_is_missing_and_the_lead_may_let_them_in(
    scene, writing
):
    with writing() as session:
        ask_for_skill(session, scene)
    refused = scene.check_in(who=scene.stranger)
    assert reason(refused) == ("refuse", "not_eligible")
    assert refused.facts["missing"][0]["code"] == "first_aid"
    of_shift = {"shift_id": scene.shift_id}
    code = scene.personal(scene.stranger, STARTS)
    asked = scene.scan(scene.organizer, code, STARTS, **of_shift)
    assert reason(asked) == ("confirm", "not_eligible")
    assert asked.facts["needs_reason"]
    let_in = scene.scan(
        scene.organizer, code, STARTS, confirm=True, note="有医生在场", **of_shift
    )
    assert reason(let_in) == ("ok", "ok_in")
    assert {"walk_in", "not_eligible", "let_in"} <= set(let_in.facts["flags"])
    # A claim that stands is honoured.
    assert reason(scene.check_in()) == ("ok", "ok_in")


def test_a_date_that_was_called_off_takes_nobody(scene, writing):
    with writing() as session:
        session.get_one(Shift, scene.shift_id).called_off_at = STARTS
    assert reason(scene.check_in()) == ("refuse", "called_off")


def test_a_break_is_taken_off_once(app, scene, writing):
    with writing() as session:
        session.get_one(Shift, scene.shift_id).break_minutes = 30
    scene.check_in()
    scene.check_out()
    with writing() as session:
        assert settle(session, scene).awarded[0].service_minutes == 120


def enter(session, scene, now=AFTER, actor_id=None, **more):
    return enter_check_outs(
        session,
        shift_id=scene.shift_id,
        actor_id=actor_id or scene.organizer.member_id,
        paths=PATHS,
        reason="都在门口点过名",
        secret=SECRET,
        now=now,
        **more,
    )


def three_stay(scene, writing):
    """Let the volunteer, one more and the organizer come, and none of them leave."""
    with writing() as session:
        more = a_member(session)
        a_claim(session, scene.shift_id, more)
        a_claim(session, scene.shift_id, scene.organizer.member_id)
        people = [scene.volunteer, actor_of(session, more), scene.organizer]
    for minutes, person in enumerate(people):
        scene.check_in(at(minutes), person)
    return [person.member_id for person in people]


def test_all_who_lack_it_left_at_the_end_but_nobody_enters_their_own(scene, writing):
    first, second, organizer = three_stay(scene, writing)
    with pytest.raises(ShiftNotOver), writing() as session:
        enter(session, scene, ENDS - timedelta(minutes=1))
    with writing() as session:
        assert enter(session, scene) == 2
    with writing() as session:
        assert enter(session, scene) == 0
        scans = session.scalars(
            select(Scan).where(Scan.direction == "out").order_by(Scan.id)
        ).all()
        assert {scan.member_id for scan in scans} == {first, second}
        assert {(scan.code_kind, scan.note, scan.counts) for scan in scans} == {
            ("manual", "都在门口点过名", True)
        }
        assert comings(session, first)[0].flags == [ENTERED]
        settlement = settle(session, scene)
        assert {each.member_id for each in settlement.awarded} == {first, second}
        assert [each.member_id for each in settlement.held] == [organizer]
    with pytest.raises(OwnAttendance), writing() as session:
        enter(session, scene, only=[organizer])


def test_one_who_was_held_for_it_is_judged_anew(scene, writing):
    scene.check_in()
    member_id = scene.volunteer.member_id
    with writing() as session:
        assert settle(session, scene).held == (Held(member_id, "missing_check_out"),)
    for moment in (AFTER + timedelta(hours=1), STARTS - timedelta(hours=1)):
        with pytest.raises(CheckOutOutOfBounds), writing() as session:
            enter(session, scene, only=[member_id], left_at=moment)
    with writing() as session:
        assert enter(session, scene, only=[member_id], left_at=at(121)) == 1
    with pytest.raises(NobodyLacksCheckOut), writing() as session:
        enter(session, scene, only=[member_id])
    with writing() as session:
        assert settle(session, scene).awarded == (Awarded(member_id, 20, 120),)
        assert service_minutes_of(session, member_id) == 120


def test_the_lead_says_that_somebody_counts_who_gave_their_place_up(scene, writing):
    scene.check_in()
    member_id = scene.volunteer.member_id
    with writing() as session:
        give_up_claim(session, claim_id=scene.claim_id, member_id=member_id, now=at(60))
    scene.check_out()
    counts = {
        "shift_id": scene.shift_id,
        "member_id": member_id,
        "actor_id": scene.organizer.member_id,
        "paths": PATHS,
        "reason": "他一直在",
        "now": AFTER,
    }
    with pytest.raises(NotHeld), writing() as session:
        let_count(session, **counts)
    with writing() as session:
        assert settle(session, scene).held == (Held(member_id, "claim_given_up"),)
    with pytest.raises(OwnAttendance), writing() as session:
        let_count(session, **{**counts, "actor_id": member_id})
    for _ in range(2):
        with writing() as session:
            let_count(session, **counts)
            assert settle(session, scene).awarded == (Awarded(member_id, 25, 150),)


def test_another_lead_awards_what_nobody_awards_themself(scene, writing):
    with writing() as session:
        a_claim(session, scene.shift_id, scene.organizer.member_id)
        other = with_role(session, a_member(session, "李敏"), "organizer")
    scene.check_in(who=scene.organizer)
    scene.check_out(who=scene.organizer)
    organizer = scene.organizer.member_id
    for _ in range(2):
        with writing() as session:
            assert settle(session, scene).held == (Held(organizer, "own_shift"),)
    with writing() as session:
        assert settle(session, scene, actor_id=other).awarded == (Awarded(organizer, 25, 150),)
        assert offenders(session) == []


def ask(session, scene, until=ENDS + timedelta(hours=1), now=AFTER):
    return ask_overtime(
        session,
        shift_id=scene.shift_id,
        actor=replace(scene.organizer, grants=(Grant("organizer", "/"),)),
        until=until,
        reason="垃圾比预想的多",
        now=now,
    )


def test_overtime_counts_once_a_second_person_approved_it(scene, writing):
    scene.check_in()
    scene.check_out(ENDS + timedelta(minutes=60))
    with writing() as session:
        secretary = a_secretary(session)
        assert ask(session, scene).minutes == 60
    with pytest.raises(OvertimePending), writing() as session:
        settle(session, scene)
    asker = replace(scene.organizer, grants=(Grant("secretary", "/"),))
    with pytest.raises(OwnOvertime), writing() as session:
        decide_overtime(
            session, shift_id=scene.shift_id, actor=asker, is_approved=True, now=AFTER
        )
    with writing() as session:
        decided = decide_overtime(
            session, shift_id=scene.shift_id, actor=secretary, is_approved=True, now=AFTER
        )
        assert (decided.state, decided.decided_by) == ("approved", "陈书记")
        kinds = set(session.scalars(select(Message.kind)))
        assert {"overtime_asked", "overtime_approved"} <= kinds
    with pytest.raises(OvertimeDecided), writing() as session:
        ask(session, scene)
    with writing() as session:
        assert settle(session, scene).awarded[0].service_minutes == 210
    with pytest.raises(SettledBefore), writing() as session:
        decide_overtime(
            session, shift_id=scene.shift_id, actor=secretary, is_approved=False, now=AFTER
        )


def test_the_database_too_wants_a_second_person_for_overtime(scene, writing):
    with writing() as session:
        ask(session, scene)
    with pytest.raises(IntegrityError), writing() as session:
        session.execute(
            update(Overtime).values(
                state="approved", decided_by_id=scene.organizer.member_id, decided_at=AFTER
            )
        )


def test_overtime_has_its_bounds_and_can_be_taken_back(scene, writing):
    for until in (ENDS, ENDS + timedelta(hours=4, seconds=1)):
        with pytest.raises(OvertimeOutOfBounds), writing() as session:
            ask(session, scene, until)
    lead = replace(scene.organizer, grants=(Grant("organizer", "/"),))
    with writing() as session:
        ask(session, scene, ENDS + timedelta(hours=4))
        ask(session, scene)
        assert overtime_of(session, scene.shift_id).minutes == 60
        for _ in range(2):
            withdraw_overtime(session, shift_id=scene.shift_id, actor=lead, now=AFTER)
        assert overtime_of(session, scene.shift_id) is None
        stranger = a_secretary(session)
    with pytest.raises(OvertimeNotFound), writing() as session:
        decide_overtime(
            session, shift_id=scene.shift_id, actor=stranger, is_approved=True, now=AFTER
        )


def test_whoever_stayed_for_the_plan_is_not_too_short_for_overtime(scene, writing):
    scene.check_in()
    scene.check_out()
    with writing() as session:
        secretary = a_secretary(session)
        ask(session, scene, ENDS + timedelta(hours=4))
        decide_overtime(
            session, shift_id=scene.shift_id, actor=secretary, is_approved=True, now=AFTER
        )
        assert settle(session, scene).awarded[0].service_minutes == 150


def test_a_late_upload_takes_a_record_of_not_coming_back(scene, writing):
    with writing() as session:
        record_no_shows(
            session,
            shift_id=scene.shift_id,
            actor_id=scene.organizer.member_id,
            paths=PATHS,
            now=AFTER,
        )
        assert how_many(session, NoShow) == 1
    late = scene.scan(
        scene.organizer,
        scene.personal(scene.volunteer, STARTS),
        AFTER + timedelta(minutes=10),
        shift_id=scene.shift_id,
        scanned_at=STARTS,
        is_offline=True,
    )
    assert reason(late) == ("ok", "ok_in")
    with writing() as session:
        assert how_many(session, NoShow) == 0
        assert session.get_one(Claim, scene.claim_id).missed_at is None


@pytest.mark.parametrize(("minutes", "expected"), [(120, "ok_out"), (121, "too_late")])
def test_check_out_stays_open_for_an_hour_after_overtime(scene, writing, minutes, expected):
    scene.check_in()
    with writing() as session:
        secretary = a_secretary(session)
        ask(session, scene)
        decide_overtime(
            session, shift_id=scene.shift_id, actor=secretary, is_approved=True, now=AFTER
        )
    left = scene.check_out(ENDS + timedelta(minutes=minutes))
    assert left.facts["reason"] == expected
    if expected == "ok_out":
        assert left.facts["minutes"] == 210
        assert left.facts["points_preview"]["service_minutes"] == 210
