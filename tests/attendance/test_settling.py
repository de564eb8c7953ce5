"""Settlement: what a shift awards, once, and what it holds."""

import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from pointsbank.attendance.errors import ShiftNotOver
from pointsbank.attendance.models import Attendance
from pointsbank.attendance.rejecting import reject_attendance
from pointsbank.attendance.settling import Awarded, Held, reason_text, settle_shift
from pointsbank.core.db import reading, run, transaction
from pointsbank.ledger.queries import balance_of, book_lines, expiring_points
from pointsbank.ledger.verifying import offenders
from pointsbank.members.models import Member
from pointsbank.scoring.models import ScoreEntry
from pointsbank.scoring.policy import award_for
from pointsbank.scoring.queries import minutes_counted_on, service_minutes_of, standard_on
from pointsbank.scoring.service import record_entry
from pointsbank.tasks.claiming import give_up_claim
from pointsbank.tasks.errors import NotOpen, ShiftNotFound
from pointsbank.tasks.models import Shift
from pointsbank.tasks.publishing import call_off_task
from tests.attendance.scene import ENDS, STARTS, ZONE, actor_of, reason, set_scene
from tests.builders import a_claim, a_member, how_many, with_role
from tests.moments import DISTRICT_TIME
from tests.racing import MEET_SECONDS_MAX, race

AFTER = ENDS + timedelta(minutes=5)


def settle(session, scene, now=AFTER, actor=None, paths=("/",)):
    return settle_shift(
        session,
        shift_id=scene.shift_id,
        actor_id=(actor or scene.organizer).member_id,
        paths=paths,
        zone=ZONE,
        now=now,
    )


def a_crowd(scene, writing, size):
    """Let so many more people claim, come and go; return their ids."""
    with writing() as session:
        members = [a_member(session) for _ in range(size)]
        for member_id in members:
            a_claim(session, scene.shift_id, member_id)
        crowd = [actor_of(session, member_id) for member_id in members]
    for actor in crowd:
        scene.check_in(who=actor)
        scene.check_out(who=actor)
    return members


def test_time_becomes_points_once(scene, writing):
    scene.check_in()
    scene.check_out()
    member_id = scene.volunteer.member_id
    for _ in range(3):
        with writing() as session:
            settlement = settle(session, scene)
        assert settlement.awarded == (Awarded(member_id, 25, 150),)
        assert settlement.held == ()
    with writing() as session:
        (line,) = book_lines(session, f"member:{member_id}")
        assert (line.points, line.reason) == (25, "河道清洁 · 2小时30分")
        assert line.key == f"award:{scene.claim_id}"
        (expiring,) = expiring_points(session, f"member:{member_id}")
        assert expiring.expires_on.isoformat() == "2027-12-31"
        assert service_minutes_of(session, member_id) == 150
        entry = session.scalars(select(ScoreEntry)).one()
        assert (entry.cause, entry.evaluation_hundredths) == (f"award:{scene.claim_id}", 125)
        assert entry.earned_on == STARTS.date()
        attendance = session.scalars(select(Attendance)).one()
        assert (attendance.state, attendance.transfer_id) == ("credited", line.transfer_id)
        assert offenders(session) == []


def test_a_missing_check_out_is_held(scene, writing):
    scene.check_in()
    for _ in range(2):
        with writing() as session:
            settlement = settle(session, scene)
        assert settlement.held == (Held(scene.volunteer.member_id, "missing_check_out"),)
        assert settlement.awarded == ()
    with writing() as session:
        assert balance_of(session, f"member:{scene.volunteer.member_id}").available == 0
        assert how_many(session, ScoreEntry) == 0


def test_a_held_person_may_still_check_out_and_stays_held(scene, writing):
    scene.check_in()
    with writing() as session:
        settle(session, scene)
    left = scene.check_out(AFTER + timedelta(minutes=10))
    assert reason(left) == ("ok", "ok_out")
    with writing() as session:
        assert settle(session, scene).held[0].reason == "missing_check_out"
        line = session.scalars(select(Attendance)).one()
        assert (line.state, line.checked_out_at is not None) == ("held", True)


def test_too_short_is_held(scene, writing):
    scene.check_in()
    scene.check_out(STARTS + timedelta(minutes=89))
    with writing() as session:
        assert settle(session, scene).held == (Held(scene.volunteer.member_id, "too_short"),)


def test_nobody_awards_themself(scene, writing):
    with writing() as session:
        a_claim(session, scene.shift_id, scene.organizer.member_id)
    scene.check_in(who=scene.organizer)
    scene.check_out(who=scene.organizer)
    with writing() as session:
        settlement = settle(session, scene)
    assert settlement.held == (Held(scene.organizer.member_id, "own_shift"),)


def test_whoever_did_not_come_is_in_neither_list(scene, writing):
    with writing() as session:
        settlement = settle(session, scene)
    assert (settlement.awarded, settlement.held) == ((), ())


def test_whoever_gave_up_after_coming_is_held(scene, writing):
    scene.check_in()
    with writing() as session:
        give_up_claim(
            session,
            claim_id=scene.claim_id,
            member_id=scene.volunteer.member_id,
            now=STARTS + timedelta(hours=1),
        )
    scene.check_out()
    with writing() as session:
        assert settle(session, scene).held[0].reason == "claim_given_up"


def test_a_fixed_sum_for_a_whole_shift(app, writing):
    with writing() as session:
        scene = set_scene(app, session, scoring_item="night_patrol", title="社区夜巡")
    scene.check_in()
    scene.check_out(STARTS + timedelta(minutes=100))
    with writing() as session:
        settlement = settle(session, scene)
        assert settlement.awarded == (Awarded(scene.volunteer.member_id, 20, 90),)


def test_evaluation_without_points_makes_no_transfer(app, writing):
    with writing() as session:
        scene = set_scene(app, session, scoring_item="theme_day", title="主题党日")
    scene.check_in()
    scene.check_out()
    for _ in range(2):
        with writing() as session:
            settlement = settle(session, scene)
            assert settlement.awarded == (Awarded(scene.volunteer.member_id, 0, 0),)
    with writing() as session:
        entry = session.scalars(select(ScoreEntry)).one()
        assert (entry.points, entry.evaluation_hundredths) == (0, 300)
        assert book_lines(session, f"member:{scene.volunteer.member_id}") == []


def test_coming_early_and_staying_on_add_nothing(scene, writing):
    scene.check_in(STARTS - timedelta(minutes=25))
    scene.check_out(ENDS + timedelta(minutes=50))
    with writing() as session:
        awarded = settle(session, scene, AFTER + timedelta(hours=1)).awarded
    assert awarded == (Awarded(scene.volunteer.member_id, 25, 150),)


def test_seconds_at_the_door_cost_nobody_half_an_hour(scene, writing):
    scene.check_in(STARTS + timedelta(seconds=59))
    scene.check_out(ENDS + timedelta(seconds=1))
    with writing() as session:
        assert settle(session, scene).awarded[0].service_minutes == 150


def test_it_waits_for_the_end_and_for_its_own_organizers(scene, writing):
    for now, paths, refusal in (
        (ENDS - timedelta(seconds=1), ("/",), ShiftNotOver),
        (AFTER, ("/999/",), ShiftNotFound),
        (AFTER, (), ShiftNotFound),
    ):
        with pytest.raises(refusal), writing() as session:
            settle(session, scene, now, paths=paths)


def test_what_was_called_off_awards_nobody(scene, writing):
    with writing() as session:
        task_id = session.get_one(Shift, scene.shift_id).task_id
        call_off_task(
            session, task_id=task_id, actor_id=1, paths=["/"], reason="大雨", now=STARTS
        )
    with pytest.raises(NotOpen), writing() as session:
        settle(session, scene)


def worked(app, writing, spans, **shift):
    """Let one person work these spans (start, minutes), and return what each gave."""
    with writing() as session:
        member_id = a_member(session)
        organizer_id = with_role(session, a_member(session, "李敏"), "organizer")
        actor = actor_of(session, member_id)
        organizer = actor_of(session, organizer_id)
    given = []
    for starts_at, minutes in spans:
        with writing() as session:
            scene = set_scene(
                app, session, starts_at=starts_at, minutes=minutes, now=starts_at, **shift
            )
            a_claim(session, scene.shift_id, member_id, now=starts_at)
        ends_at = starts_at + timedelta(minutes=minutes)
        scene.check_in(starts_at, actor)
        scene.check_out(ends_at, actor)
        with writing() as session:
            given.append(settle(session, scene, ends_at, organizer))
    return member_id, given


def test_a_day_counts_eight_hours_over_all_its_shifts(app, writing):
    morning = datetime(2026, 11, 21, 6, 0, tzinfo=DISTRICT_TIME)
    spans = [(morning + timedelta(hours=5 * n), 240) for n in range(3)]
    _, given = worked(app, writing, spans)
    assert [settled.awarded[0].service_minutes for settled in given[:2]] == [240, 240]
    assert given[2].held[0].reason == "day_full"


def test_a_full_day_that_has_room_again_is_judged_again(app, writing):
    morning = datetime(2026, 11, 21, 6, 0, tzinfo=DISTRICT_TIME)
    spans = [(morning + timedelta(hours=5 * n), 240) for n in range(3)]
    member_id, given = worked(app, writing, spans)
    assert given[2].held[0].reason == "day_full"
    with writing() as session:
        shifts = session.scalars(select(Attendance.shift_id).order_by(Attendance.id)).all()
        lead = session.scalars(select(Attendance.settled_by_id)).first()
        now = morning + timedelta(hours=15)

        def settled_again():
            return settle_shift(
                session, shift_id=shifts[2], actor_id=lead, paths=["/"], zone=ZONE, now=now
            )

        before = session.scalars(select(Attendance.settled_at).order_by(Attendance.id)).all()
        assert settled_again() == given[2], "there is no room yet, and nothing changes"
        after = session.scalars(select(Attendance.settled_at).order_by(Attendance.id)).all()
        assert before == after
        reject_attendance(
            session,
            member_id=member_id,
            shift_id=shifts[0],
            note=None,
            today=now.date(),
            now=now,
        )
        assert settled_again().awarded == (Awarded(member_id, 40, 240),)


def test_a_month_ends_at_local_midnight(app, writing):
    """23:00 on the 30th in the district is still the 30th in UTC; an hour later is not here."""
    last_evening = datetime(2026, 11, 30, 14, 0, tzinfo=DISTRICT_TIME)
    first_night = datetime(2026, 12, 1, 0, 0, tzinfo=DISTRICT_TIME)
    spans = [(last_evening, 480), (last_evening + timedelta(hours=8), 60), (first_night, 480)]
    member_id, given = worked(app, writing, spans)
    assert given[0].awarded[0].service_minutes == 480
    assert given[1].held[0].reason == "day_full"
    assert given[2].awarded[0].service_minutes == 480
    with writing() as session:
        days = session.scalars(
            select(ScoreEntry.earned_on)
            .where(ScoreEntry.member_id == member_id)
            .order_by(ScoreEntry.id)
        ).all()
        assert [day.isoformat() for day in days] == ["2026-11-30", "2026-12-01"]


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (150, "河道清洁 · 2小时30分"),
        (120, "河道清洁 · 2小时"),
        (30, "河道清洁 · 30分"),
        (0, "河道清洁"),
    ],
)
def test_the_printed_line_says_what_it_was_for(minutes, words):
    assert reason_text("河道清洁", minutes) == words


def test_two_settlements_at_once_award_once(app, scene, writing):
    members = a_crowd(scene, writing, 8)
    answers = race(app, [lambda: run(lambda session: settle(session, scene)) for _ in range(6)])
    assert len({repr(answer) for answer in answers}) == 1
    assert len(answers[0].awarded) == 8
    with writing() as session:
        assert how_many(session, ScoreEntry) == 8
        for member_id in members:
            assert balance_of(session, f"member:{member_id}").available == 25
        assert offenders(session) == []


def test_two_shifts_of_a_day_settled_at_once_keep_the_days_limit(app, writing):
    """Each alone fits into the day; together they do not, whichever is first."""
    morning = datetime(2026, 11, 21, 1, 0, tzinfo=DISTRICT_TIME)
    with writing() as session:
        members = [a_member(session) for _ in range(6)]
        scenes = [
            set_scene(app, session, starts_at=start, minutes=360, now=morning)
            for start in (morning, morning + timedelta(hours=7))
        ]
        people = [actor_of(session, member_id) for member_id in members]
        for scene in scenes:
            for member_id in members:
                a_claim(session, scene.shift_id, member_id, now=morning)
    for scene, start in zip(scenes, (morning, morning + timedelta(hours=7)), strict=True):
        for actor in people:
            scene.check_in(start, actor)
            scene.check_out(start + timedelta(hours=6), actor)
    race(
        app,
        [
            lambda scene=scene: run(lambda session: settle(session, scene, AFTER))
            for scene in scenes
        ],
    )
    with writing() as session:
        for member_id in members:
            assert service_minutes_of(session, member_id) == 480
        assert offenders(session) == []


def test_without_the_lock_two_shifts_fill_the_day_twice(app, writing):
    """The control: both read the day's minutes before either writes what it adds."""
    with writing() as session:
        member_id = a_member(session)
        place = session.get_one(Member, member_id).organization_id
        item = standard_on(session, STARTS.date()).item("volunteer_hour")
    both_have_read = threading.Barrier(2, timeout=MEET_SECONDS_MAX)

    def settle_unguarded(cause):
        with reading() as session:
            before = minutes_counted_on(session, [member_id], STARTS.date())
        both_have_read.wait()
        award = award_for(
            item,
            planned_minutes=360,
            actual_minutes=360,
            day_minutes_before=before.get(member_id, 0),
        )
        with transaction() as session:
            record_entry(
                session,
                cause=cause,
                member_id=member_id,
                organization_id=place,
                item=item,
                award=award,
                title="河道清洁",
                earned_on=STARTS.date(),
                now=AFTER,
            )

    race(app, [lambda cause=cause: settle_unguarded(cause) for cause in ("a", "b")])
    with writing() as session:
        assert service_minutes_of(session, member_id) == 720


def test_people_are_settled_in_the_order_of_their_wallets(scene, writing):
    members = a_crowd(scene, writing, 12)
    with writing() as session:
        awarded = settle(session, scene).awarded
    assert [each.member_id for each in awarded] == sorted(members)


def test_a_shift_that_everyone_has_left_can_be_settled_before_its_time(scene, writing):
    scene.check_in(STARTS)
    scene.check_out(ENDS - timedelta(minutes=30))
    with writing() as session:
        settled = settle(session, scene, now=ENDS - timedelta(minutes=20))
    assert settled.awarded == (Awarded(scene.volunteer.member_id, 20, 120),)
