"""People strike out what was never theirs, and answer when they did not come."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
import time_machine
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from pointsbank.attendance import rejecting
from pointsbank.attendance.errors import (
    AnswerTooLate,
    HasCome,
    NoShowDecided,
    NoShowNotFound,
    NotAttended,
    OwnNoShow,
    ShiftNotOver,
)
from pointsbank.attendance.models import Attendance, NoShow
from pointsbank.attendance.no_shows import (
    answer_no_show,
    decide_no_show,
    no_shows_of,
    no_shows_within,
    record_no_shows,
)
from pointsbank.attendance.own_service import services_of
from pointsbank.attendance.rejecting import Rejection, reject_attendance
from pointsbank.attendance.settling import settle_shift
from pointsbank.core.actor import Grant
from pointsbank.core.db import run
from pointsbank.ledger.queries import balance_of
from pointsbank.ledger.service import reverse
from pointsbank.ledger.verifying import offenders
from pointsbank.messages.models import Message
from pointsbank.scoring.models import ScoreEntry
from pointsbank.scoring.queries import service_minutes_of
from pointsbank.scoring.reversals import lower_score
from pointsbank.tasks.fitness import people_of
from pointsbank.tasks.models import Claim
from tests.attendance.scene import ENDS, STARTS, ZONE, actor_of, reason
from tests.browsing import Browser, words_of
from tests.builders import a_claim, a_member, how_many, points_spent, with_role
from tests.racing import race

AFTER = ENDS + timedelta(minutes=5)
TODAY = date(2026, 11, 21)


def settle(session, scene, now=AFTER):
    return settle_shift(
        session,
        shift_id=scene.shift_id,
        actor_id=scene.organizer.member_id,
        paths=("/",),
        zone=ZONE,
        now=now,
    )


def reject(session, scene, who=None, now=AFTER):
    return reject_attendance(
        session,
        member_id=(who or scene.volunteer).member_id,
        shift_id=scene.shift_id,
        note="那天我在外地",
        today=TODAY,
        now=now,
    )


def told(session, kind):
    return list(
        session.scalars(
            select(Message.member_id).where(Message.kind == kind).order_by(Message.id)
        )
    )


def a_secretary(session):
    member_id = with_role(session, a_member(session, "陈书记"), "secretary")
    return replace(actor_of(session, member_id), grants=(Grant("secretary", "/"),))


def test_what_was_awarded_is_taken_back_once_and_those_in_charge_hear_of_it(scene, writing):
    scene.check_in()
    scene.check_out()
    member_id = scene.volunteer.member_id
    with writing() as session:
        secretary = a_secretary(session)
        settle(session, scene)
    with writing() as session:
        assert reject(session, scene) == Rejection(points_back=25)
    for moment in (AFTER, AFTER + timedelta(days=9)):
        with writing() as session:
            assert reject(session, scene, now=moment) == Rejection()
    with writing() as session:
        assert balance_of(session, f"member:{member_id}").posted == 0
        assert service_minutes_of(session, member_id) == 0
        entries = session.scalars(select(ScoreEntry).order_by(ScoreEntry.id)).all()
        assert [entry.cause for entry in entries] == [
            f"award:{scene.claim_id}",
            f"reject:{scene.claim_id}",
        ]
        assert sum(entry.evaluation_hundredths for entry in entries) == 0
        line = session.scalars(select(Attendance)).one()
        assert (line.state, line.rejection_note) == ("rejected", "那天我在外地")
        assert told(session, "attendance_struck") == [scene.organizer.member_id]
        assert told(session, "attendance_struck_below") == [secretary.member_id]
        assert people_of(session, [member_id], TODAY)[member_id].trust == 0
        assert offenders(session) == []
    with writing() as session:
        settlement = settle(session, scene, AFTER + timedelta(hours=1))
        assert (settlement.awarded, settlement.held) == ((), ())


def test_points_that_are_spent_stay_spent_and_an_administrator_hears_of_it(scene, writing):
    scene.check_in()
    scene.check_out()
    member_id = scene.volunteer.member_id
    with writing() as session:
        administrator = with_role(session, a_member(session, "管理员"), "administrator")
        settle(session, scene)
        points_spent(session, member_id, 20, "redeem:test")
    with writing() as session:
        assert reject(session, scene) == Rejection(points_spent=25)
    with writing() as session:
        assert balance_of(session, f"member:{member_id}").posted == 5
        assert service_minutes_of(session, member_id) == 0
        assert told(session, "attendance_struck_spent") == [administrator]
        assert offenders(session) == []


@pytest.mark.engine("postgresql")
def test_a_line_that_an_administrator_takes_back_meanwhile_is_lowered_once(
    app, scene, writing, monkeypatch
):
    """On SQLite nobody writes meanwhile."""
    scene.check_in()
    scene.check_out()
    with writing() as session:
        settle(session, scene)
        transfer_id = session.scalar(select(Attendance.transfer_id))
        assert transfer_id is not None

    def taken_back(session):
        returned = reverse(
            session,
            transfer_id=transfer_id,
            key="reversal:meanwhile",
            reason="记错了",
            actor_id=scene.organizer.member_id,
            today=TODAY,
            now=AFTER,
        )
        lower_score(session, transfer_id=transfer_id, reversal=returned, now=AFTER)

    def after_an_administrator(session, **more):
        assert race(app, [lambda: run(taken_back)]) == [None]
        return reverse(session, **more)

    monkeypatch.setattr(rejecting, "reverse", after_an_administrator)
    with writing() as session:
        assert reject(session, scene) == Rejection()
    with writing() as session:
        sums = [
            session.scalar(select(func.sum(column)))
            for column in (ScoreEntry.points, ScoreEntry.service_minutes)
        ]
        assert sums == [0, 0]
        assert offenders(session) == []


def test_an_open_line_is_struck_and_its_person_may_come_in_truth(scene, writing):
    number = scene.check_in()
    assert reason(number) == ("ok", "ok_in")
    with writing() as session:
        assert reject(session, scene, now=STARTS + timedelta(minutes=5)) == Rejection()
        assert how_many(session, ScoreEntry) == 0
    came = scene.check_in(STARTS + timedelta(minutes=20))
    assert reason(came) == ("ok", "ok_in")
    assert (came.facts["occurrence"], came.facts["counts"]["arrived"]) == (2, 1)
    scene.check_out()
    with writing() as session:
        settlement = settle(session, scene)
        assert [each.service_minutes for each in settlement.awarded] == [120]
        states = session.scalars(select(Attendance.state).order_by(Attendance.occurrence))
        assert list(states) == ["rejected", "credited"]


def test_only_who_is_on_the_list_strikes_out(scene, writing):
    with pytest.raises(NotAttended), writing() as session:
        reject(session, scene, scene.stranger)


def test_two_taps_at_once_take_back_once(app, scene, writing):
    scene.check_in()
    scene.check_out()
    with writing() as session:
        settle(session, scene)
    answers = race(app, [lambda: run(lambda session: reject(session, scene)) for _ in range(4)])
    assert sorted(answer.points_back for answer in answers) == [0, 0, 0, 25]
    with writing() as session:
        assert how_many(session, ScoreEntry) == 2
        assert offenders(session) == []


def test_whom_another_hand_checked_in_is_told_and_who_did_it_themself_is_not(scene, writing):
    scene.check_in()
    with writing() as session:
        assert told(session, "checked_in_by_hand") == []
    code = scene.personal(scene.stranger, STARTS)
    scene.scan(scene.organizer, code, STARTS, shift_id=scene.shift_id, confirm=True)
    with writing() as session:
        assert told(session, "checked_in_by_hand") == [scene.stranger.member_id]


def test_ones_own_list_shows_raw_times_counted_time_and_rules(scene, writing):
    scene.check_in(STARTS - timedelta(minutes=8))
    scene.check_out(ENDS - timedelta(minutes=10))
    with writing() as session:
        settle(session, scene)
        (service,) = services_of(session, scene.volunteer.member_id)
    assert service.pairs == ((STARTS - timedelta(minutes=8), ENDS - timedelta(minutes=10)),)
    assert (service.present_minutes, service.service_minutes, service.points) == (140, 120, 20)
    assert (service.state, service.standard_version, service.by_hand) == ("credited", 1, None)


def record(session, scene, now=AFTER, actor_id=None, only=None):
    return record_no_shows(
        session,
        shift_id=scene.shift_id,
        actor_id=actor_id or scene.organizer.member_id,
        paths=("/",),
        now=now,
        only=only,
    )


def test_who_had_a_place_and_did_not_come_is_recorded_once(scene, writing):
    with writing() as session:
        came = a_member(session)
        a_claim(session, scene.shift_id, came)
        a_claim(session, scene.shift_id, scene.organizer.member_id)
        came = actor_of(session, came)
    scene.check_in(who=came)
    with pytest.raises(ShiftNotOver), writing() as session:
        record(session, scene, STARTS)
    for wrong in (came.member_id, scene.stranger.member_id, scene.organizer.member_id):
        with pytest.raises(HasCome), writing() as session:
            record(session, scene, only=[wrong])
    for expected in (1, 0):
        with writing() as session:
            assert record(session, scene) == expected
    with writing() as session:
        assert session.get_one(Claim, scene.claim_id).missed_at == AFTER
        assert told(session, "no_show_recorded") == [scene.volunteer.member_id]
        assert balance_of(session, f"member:{scene.volunteer.member_id}").posted == 0


def test_a_record_is_answered_by_its_person_within_a_week(scene, writing):
    with writing() as session:
        secretary = a_secretary(session)
        record(session, scene)
    answer = {
        "claim_id": scene.claim_id,
        "member_id": scene.volunteer.member_id,
        "answer": "发烧了",
    }
    week = timedelta(days=7)
    with pytest.raises(AnswerTooLate), writing() as session:
        answer_no_show(session, now=AFTER + week + timedelta(seconds=1), **answer)
    others = {**answer, "member_id": scene.stranger.member_id}
    with pytest.raises(NoShowNotFound), writing() as session:
        answer_no_show(session, now=AFTER, **others)
    with writing() as session:
        assert answer_no_show(session, now=AFTER + week, **answer).state == "answered"
        assert told(session, "no_show_answered") == [secretary.member_id]
        (found,) = no_shows_within(session, ("/",))
        assert (found.answer, found.display_name) == ("发烧了", "王*兰")


def test_who_is_excused_was_never_missed(scene, writing):
    claim_id, member_id = scene.claim_id, scene.volunteer.member_id
    with writing() as session:
        secretary = a_secretary(session)
        record(session, scene)
    recorder = replace(scene.organizer, grants=(Grant("secretary", "/"),))
    excuse = {"claim_id": claim_id, "decision": "excuse", "now": AFTER}
    with pytest.raises(OwnNoShow), writing() as session:
        decide_no_show(session, actor=recorder, **excuse)
    with writing() as session:
        assert decide_no_show(session, actor=secretary, **excuse).state == "excused"
    with pytest.raises(NoShowDecided), writing() as session:
        decide_no_show(session, actor=secretary, **excuse)
    with writing() as session:
        assert session.get_one(Claim, claim_id).missed_at is None
        assert no_shows_of(session, member_id) == []
        # Recording the rest of the shift later passes over who was excused.
        assert record(session, scene) == 0


def test_what_is_upheld_weighs_on_trust_until_ninety_days_are_over(scene, writing):
    with writing() as session:
        secretary = a_secretary(session)
        record(session, scene)
        decide_no_show(
            session, claim_id=scene.claim_id, actor=secretary, decision="uphold", now=AFTER
        )
        assert session.get_one(Claim, scene.claim_id).missed_at is not None
        assert told(session, "no_show_upheld") == [scene.volunteer.member_id]


def test_the_database_too_wants_a_second_person_for_a_record(scene, writing):
    with writing() as session:
        record(session, scene)
    with pytest.raises(IntegrityError), writing() as session:
        session.execute(update(NoShow).values(recorded_by_id=NoShow.member_id))


@pytest.fixture
def browser(app):
    return lambda actor: Browser(app, actor.member_id)


def test_a_lead_closes_a_shift_on_its_sheet(browser, scene, writing):
    with writing() as session:
        a_claim(session, scene.shift_id, scene.stranger.member_id)
    scene.check_in()
    with time_machine.travel(AFTER, tick=False):
        lead, here = browser(scene.organizer), f"/shifts/{scene.shift_id}"
        page = lead.open(f"{here}/attendance")
        assert "1人没有签退" in words_of(page)
        assert "将待核实：没有签退" in words_of(page)
        page = lead.send(lead.form(page, "/check-outs"), reason="")
        assert "没有签退" in words_of(page)
        page = lead.send(lead.form(page, "/check-outs"), reason="大家一起收的工")
        assert "签退已补记" in words_of(page)
        page = lead.send(lead.form(page, "/no-shows"))
        assert "已记录" in words_of(page)
        page = lead.send(lead.form(page, "/settlement"))
        assert "已入账" in words_of(page)
    with writing() as session:
        assert session.scalars(select(Attendance)).one().state == "credited"
        assert session.scalars(select(NoShow)).one().member_id == scene.stranger.member_id


def test_a_person_strikes_out_with_one_question_and_answers_for_a_missed_shift(
    browser, scene, writing
):
    with writing() as session:
        a_claim(session, scene.shift_id, scene.stranger.member_id)
    scene.check_in()
    scene.check_out()
    with writing() as session:
        settle(session, scene)
        record(session, scene)
    with time_machine.travel(AFTER, tick=False):
        mine = browser(scene.volunteer)
        listed = mine.open("/service")
        assert "规则第1版" in words_of(listed)
        question = mine.open(f"/service/claims/{scene.claim_id}")
        assert "+25" in question.text
        done = mine.send(mine.form(question, "/rejection"))
        assert "已作废" in words_of(done)
        other = browser(scene.stranger)
        page = other.open("/service")
        assert "认领了但没有到场" in words_of(page)
        page = other.send(other.form(page, "/answer"), answer="发烧了")
        assert "您的说明：发烧了" in words_of(page)
    with writing() as session:
        assert session.scalars(select(NoShow)).one().state == "answered"
        assert balance_of(session, f"member:{scene.volunteer.member_id}").posted == 0
