"""Clocks: ends of months and years, phones that are minutes off, a server clock that jumps."""

from datetime import date, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from pointsbank.attendance import recording
from pointsbank.attendance.codes import (
    DIGITS_SLOT_SECONDS,
    digits_slot_at,
    poster_text,
    venue_digits,
)
from pointsbank.attendance.differences import Shown, record_from_station
from pointsbank.attendance.errors import UndoTooLate
from pointsbank.attendance.finding import NewScan
from pointsbank.attendance.models import Attendance, Scan
from pointsbank.attendance.settling import settle_shift
from pointsbank.attendance.undoing import undo_scan
from pointsbank.core.calendar import midnight
from pointsbank.core.db import run
from pointsbank.ledger.budgets import set_budget
from pointsbank.ledger.models import IssueBudget, Lot, Transfer
from pointsbank.ledger.queries import balance_of
from pointsbank.ledger.service import open_account
from pointsbank.ledger.verifying import offenders
from pointsbank.messages.models import Message
from pointsbank.scoring.models import ScoreEntry
from pointsbank.scoring.queries import minutes_counted_on
from pointsbank.tasks.claiming import accept_place, claim_shift, give_up_claim, lapse_places
from pointsbank.tasks.models import Claim
from pointsbank.tasks.reminding import remind_of_shifts, warn_of_unclaimed
from tests.attendance.scene import DESK, ENDS, SECRET, STARTS, ZONE, Scene, reason, set_scene
from tests.browsing import Browser, words_of
from tests.builders import a_claim, a_member, a_shift, how_many
from tests.moments import DISTRICT_TIME
from tests.tasks.repeating import a_series, days

SKEWS = (-600, -90, 90, 600)
IN = Shown("ok", "ok_in", "in")


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=DISTRICT_TIME)


def settle(session, scene: Scene, now: datetime):
    return settle_shift(
        session,
        shift_id=scene.shift_id,
        actor_id=scene.organizer.member_id,
        paths=["/"],
        zone=ZONE,
        now=now,
    )


def a_night(app, session, starts_at: datetime, minutes: int = 120) -> Scene:
    """A shift about midnight, claimed the day before."""
    return set_scene(
        app, session, now=starts_at - timedelta(days=1), starts_at=starts_at, minutes=minutes
    )


# The first moment of the day after, on the wall clock of the district.
ENDS_OF_TIME = [
    pytest.param(local(2026, 12, 1), id="month"),
    pytest.param(local(2027, 1, 1), id="year"),
    pytest.param(local(2027, 3, 1), id="February"),
    pytest.param(local(2028, 2, 29), id="leap day"),
]


@pytest.mark.parametrize("turns_at", ENDS_OF_TIME)
def test_a_shift_over_midnight_belongs_to_the_day_it_begins(app, writing, turns_at):
    starts_at = turns_at - timedelta(minutes=60)
    with writing() as session:
        scene = a_night(app, session, starts_at)
    ends_at = starts_at + timedelta(minutes=120)
    assert reason(scene.check_in(starts_at)) == ("ok", "ok_in")
    assert reason(scene.check_out(ends_at)) == ("ok", "ok_out")
    day, member_id = starts_at.date(), scene.volunteer.member_id
    with writing() as session:
        settled = settle(session, scene, ends_at + timedelta(minutes=1))
        assert [(e.points, e.service_minutes) for e in settled.awarded] == [(20, 120)]
        entry = session.scalars(select(ScoreEntry)).one()
        assert entry.earned_on == day
        assert minutes_counted_on(session, [member_id], day) == {member_id: 120}
        assert minutes_counted_on(session, [member_id], turns_at.date()) == {}
        # Points expire at the end of the year after the work, not after its settlement.
        lot = session.scalars(select(Lot)).one()
        assert lot.expires_on == date(day.year + 1, 12, 31)


@pytest.mark.parametrize("turns_at", ENDS_OF_TIME[:2])
def test_the_budget_is_that_of_the_month_in_which_it_is_settled(app, writing, turns_at):
    starts_at = turns_at - timedelta(minutes=180)
    with writing() as session:
        scene = a_night(app, session, starts_at)
    scene.check_in(starts_at)
    scene.check_out(starts_at + timedelta(minutes=120))
    old, new = f"{starts_at:%Y-%m}", f"{turns_at:%Y-%m}"
    issuer = "issue:community:140303001002"
    with writing() as session:
        open_account(session, code=issuer, kind="issue")
        for month, points in ((old, 0), (new, 50)):
            set_budget(session, code=issuer, month=month, points_max=points)
    with writing() as session:
        before = settle(session, scene, turns_at - seconds(1))
        assert [e.reason for e in before.held] == ["budget_spent"]
    with writing() as session:
        after = settle(session, scene, turns_at)
        assert [e.points for e in after.awarded] == [20]
        issued = {row.month: row.issued for row in session.scalars(select(IssueBudget))}
        assert issued == {old: 0, new: 20}


def test_two_shifts_of_two_days_do_not_fill_the_same_day(app, writing):
    """Eight hours a local day: an hour before midnight and eight after it all count."""
    turns_at = local(2026, 12, 1)
    with writing() as session:
        late = a_night(app, session, turns_at - timedelta(minutes=60), 60)
        early = a_night(app, session, turns_at, 8 * 60)
        a_claim(session, early.shift_id, late.volunteer.member_id, turns_at - timedelta(days=1))
        early.volunteer, early.handles = late.volunteer, late.handles
    spans = ((late, turns_at - timedelta(minutes=60), 60), (early, turns_at, 480))
    for scene, starts_at, minutes in spans:
        scene.check_in(starts_at)
        scene.check_out(starts_at + timedelta(minutes=minutes))
    with writing() as session:
        for scene, starts_at, minutes in spans:
            settled = settle(session, scene, starts_at + timedelta(minutes=minutes + 1))
            assert [e.service_minutes for e in settled.awarded] == [minutes]


def test_a_series_passes_the_ends_of_months_and_of_the_year(session):
    now = local(2026, 12, 20, 12)
    starts_at = local(2026, 12, 31, 23, 30)
    monthly = a_series(
        session,
        "FREQ=MONTHLY;BYMONTHDAY=31",
        starts_at=starts_at,
        minutes=60,
        now=now,
        weeks_ahead=15,
    )
    last_days = a_series(
        session,
        "FREQ=MONTHLY;BYMONTHDAY=-1",
        starts_at=starts_at,
        minutes=60,
        now=now,
        weeks_ahead=10,
    )
    weekly = a_series(session, "FREQ=WEEKLY;BYDAY=TH", starts_at=starts_at, now=now)
    assert days(session, monthly) == ["2026-12-31", "2027-01-31", "2027-03-31"]
    assert days(session, last_days) == ["2026-12-31", "2027-01-31", "2027-02-28"]
    assert days(session, weekly)[:2] == ["2026-12-31", "2027-01-07"]


@pytest.mark.parametrize("skew", SKEWS)
def test_the_venues_screen_is_read_by_a_phone_that_is_off(scene, writing, skew):
    """The code is the screen's, the moment the server's; the phone's clock is a flag only."""
    verdict = scene.scan(
        scene.volunteer, scene.venue(STARTS), STARTS, scanned_at=STARTS + seconds(skew)
    )
    assert reason(verdict) == ("ok", "ok_in")
    assert ("clock_skew" in verdict.facts["flags"]) is (abs(skew) > 90)
    with writing() as session:
        line = session.scalars(select(Attendance)).one()
        assert line.checked_in_at == STARTS
        assert ("clock_skew" in line.flags) is (abs(skew) > 90)


@pytest.mark.parametrize(
    ("skew", "answer"),
    [
        # Slots of 15 s, two before and one after the one that runs: a slow screen is forgiven
        # for half a minute, a fast one for a slot.
        (-600, ("refuse", "code_expired")),
        (-90, ("refuse", "code_expired")),
        (-30, ("ok", "ok_in")),
        (15, ("ok", "ok_in")),
        (90, ("refuse", "code_expired")),
        (600, ("refuse", "code_expired")),
    ],
)
def test_a_screen_that_is_off_itself_shows_codes_of_another_time(scene, skew, answer):
    screen = scene.venue(STARTS + seconds(skew))
    assert reason(scene.scan(scene.volunteer, screen, STARTS)) == answer


@pytest.mark.parametrize(
    ("skew", "online", "offline"),
    [
        # Steps of 30 s: −2 … +1 by the server, −4 … +2 at a station without network.
        (-600, "code_expired", "code_expired"),
        (-120, "code_expired", "ok_in"),
        (-90, "code_expired", "ok_in"),
        (-60, "ok_in", "ok_in"),
        (30, "ok_in", "ok_in"),
        (60, "code_expired", "ok_in"),
        (90, "code_expired", "code_expired"),
        (600, "code_expired", "code_expired"),
    ],
)
def test_a_code_of_a_phone_that_is_off(app, scene, skew, online, offline):
    code = scene.personal(scene.volunteer, STARTS + seconds(skew))
    kept = NewScan(
        nonce="kept", code=code, shift_id=scene.shift_id, scanned_at=STARTS, is_offline=True
    )
    with app.app_context():
        later = run(
            lambda session: record_from_station(
                session, scene.organizer, kept, IN, DESK, now=STARTS + timedelta(hours=1)
            )
        )
    assert later.facts["reason"] == offline
    if offline == "ok_in":
        return
    now = scene.scan(scene.organizer, code, STARTS, shift_id=scene.shift_id)
    assert now.facts["reason"] == online


@pytest.mark.parametrize(
    ("skew", "online"), [(-120, False), (-90, False), (-60, True), (30, True), (60, False)]
)
def test_the_server_takes_a_personal_code_of_two_steps_before_to_one_after(scene, skew, online):
    code = scene.personal(scene.volunteer, STARTS + seconds(skew))
    verdict = scene.scan(scene.organizer, code, STARTS, shift_id=scene.shift_id)
    expected = ("ok", "ok_in") if online else ("refuse", "code_expired")
    assert reason(verdict) == expected


@pytest.mark.parametrize("skew", [*SKEWS, -900, 300])
def test_digits_of_a_screen_that_is_off(scene, skew):
    """Five minutes each, and those before: a fast screen shows what nobody knows yet."""
    begins = STARTS - seconds(STARTS.timestamp() % DIGITS_SLOT_SECONDS)
    at = begins + seconds(120)
    shown = digits_slot_at(at + seconds(skew))
    verdict = scene.scan(
        scene.volunteer,
        poster_text(SECRET, scene.shift_handle),
        at,
        digits=venue_digits(SECRET, scene.shift_handle, shown),
    )
    is_taken = shown in (digits_slot_at(at), digits_slot_at(at) - 1)
    assert is_taken is (skew in (-90, 90))
    assert reason(verdict) == (("ok", "ok_in") if is_taken else ("refuse", "wrong_digits"))


@pytest.mark.parametrize("skew", SKEWS)
def test_what_a_station_kept_counts_by_its_own_clock_but_not_in_the_future(
    app, scene, writing, skew
):
    """A station sends by the server's time; one that is off all the same is fast or slow by so
    much, and nobody comes later than now."""
    at = STARTS + seconds(skew)
    code = scene.personal(scene.volunteer, at)
    scan = NewScan(
        nonce="kept", code=code, shift_id=scene.shift_id, scanned_at=at, is_offline=True
    )
    with app.app_context():
        verdict = run(
            lambda session: record_from_station(
                session, scene.organizer, scan, IN, DESK, now=STARTS
            )
        )
    # What is more than two steps ahead of now is no code of now.
    is_taken = skew <= 60
    expected = ("ok", "ok_in") if is_taken else ("refuse", "code_expired")
    assert reason(verdict) == expected
    assert ("clock_skew" in verdict.facts["flags"]) is (skew > 90)
    assert "offline" in verdict.facts["flags"]
    with writing() as session:
        assert session.scalars(select(Scan.scanned_at)).one() == min(at, STARTS)
        lines = session.scalars(select(Attendance.checked_in_at)).all()
        assert lines == ([at] if is_taken else [])


@pytest.mark.parametrize("jump", [-3600, -600, -90, 90, 600])
def test_a_server_clock_that_jumps_between_in_and_out_makes_no_negative_minutes(
    scene, writing, jump
):
    came_at = STARTS + timedelta(minutes=70)
    scene.check_in(came_at)
    left = scene.check_out(came_at + seconds(jump))
    if jump < 0:
        assert reason(left) == ("refuse", "not_in")
        # Right again, it lets people go.
        left = scene.check_out(came_at + timedelta(minutes=60))
    assert reason(left) == ("ok", "ok_out")
    with writing() as session:
        line = session.scalars(select(Attendance)).one()
        assert line.checked_in_at <= line.checked_out_at
    assert left.facts["minutes"] >= 0


def test_a_check_out_is_not_moved_back_by_a_clock_that_fell_back(scene, writing):
    scene.check_in(STARTS)
    scene.check_out(ENDS)
    earlier = ENDS - timedelta(minutes=10)
    asked = scene.scan(scene.volunteer, scene.venue(earlier, "out"), earlier, confirm=True)
    assert reason(asked) == ("confirm", "already_out")
    assert not asked.facts["may_confirm"]
    with writing() as session:
        assert session.scalars(select(Attendance.checked_out_at)).one() == ENDS


def test_settled_in_a_time_that_came_twice_it_is_awarded_once(scene, writing):
    """The settlement, the clock set back before the end, the settlement again, and later."""
    scene.check_in(STARTS)
    scene.check_out(ENDS)
    member_id = scene.volunteer.member_id
    answers = []
    for now in (ENDS, ENDS - timedelta(hours=1), STARTS, ENDS + timedelta(days=40)):
        with writing() as session:
            answers.append(settle(session, scene, now))
    assert len(set(answers)) == 1
    with writing() as session:
        assert how_many(session, Transfer) == how_many(session, ScoreEntry) == 1
        assert (
            balance_of(session, f"member:{member_id}").available == answers[0].awarded[0].points
        )
        assert offenders(session) == []


def test_a_scan_sent_again_after_a_jump_is_answered_as_the_first_time(scene, writing):
    code = scene.venue(STARTS)
    first = scene.scan(scene.volunteer, code, STARTS, nonce="once")
    for jump in (-timedelta(hours=1), timedelta(hours=1), timedelta(days=30)):
        again = scene.scan(scene.volunteer, code, STARTS + jump, nonce="once")
        assert again == first
    with writing() as session:
        assert how_many(session, Scan) == how_many(session, Attendance) == 1


@pytest.mark.parametrize(
    ("jump", "is_taken"), [(-600, True), (-1, True), (60, True), (61, False), (600, False)]
)
def test_undoing_goes_by_the_server_whichever_way_it_jumped(scene, writing, jump, is_taken):
    scan_id = scene.check_in(STARTS).scan_id
    asked = {"scan_id": scan_id, "actor_id": scene.volunteer.member_id}
    with writing() as session:
        if is_taken:
            undo_scan(session, now=STARTS + seconds(jump), **asked)
        else:
            with pytest.raises(UndoTooLate):
                undo_scan(session, now=STARTS + seconds(jump), **asked)
        assert how_many(session, Attendance) == (not is_taken)
        # A second time, in any time, it is what it was.
    with writing() as session:
        if is_taken:
            undo_scan(session, now=STARTS + timedelta(days=1), **asked)
        assert how_many(session, Attendance) == (not is_taken)


@pytest.mark.parametrize(
    ("jump", "said"),
    [
        (0, "签到成功"),
        (300, "签到成功"),
        (301, "请重新扫码"),
        (3600, "请重新扫码"),
        # The form itself is not of this time yet.
        (-60, "请刷新一下再试"),
    ],
)
def test_a_scan_ticket_lives_five_minutes_and_not_before_it_was_opened(
    app, scene, writing, jump, said
):
    """Nothing is recorded of one that seems to come from the future: it is scanned anew."""
    with time_machine.travel(STARTS, tick=False) as clock:
        browser = Browser(app, scene.volunteer.member_id)
        form = browser.form(browser.open(f"/S/{scene.venue(STARTS)}"), "/scan")
        clock.move_to(STARTS + seconds(jump))
        assert said in words_of(browser.send(form))
    with writing() as session:
        assert how_many(session, Attendance) == (said == "签到成功")


def test_a_place_that_is_offered_lapses_once_whichever_way_the_clock_jumps(writing):
    with writing() as session:
        shift_id = a_shift(session, STARTS + timedelta(days=2), places=1)
        first, second, third = (a_member(session) for _ in range(3))
        claims = [
            claim_shift(session, shift_id=shift_id, member_id=each, now=STARTS)
            for each in (first, second, third)
        ]
        give_up_claim(session, claim_id=claims[0].id, member_id=first, now=STARTS)

    def place() -> list[tuple[str, datetime | None]]:
        rows = session.execute(select(Claim.state, Claim.accept_by).order_by(Claim.id))
        return [tuple(row) for row in rows][1:]

    due = STARTS + timedelta(hours=12)
    with writing() as session:
        assert place() == [("claimed", due), ("waitlisted", None)]
        for now in (due - seconds(1), due - timedelta(days=1)):
            assert lapse_places(session, now=now, limit=9) == 0
    jumped = due + timedelta(hours=5)
    for now in (jumped, due - timedelta(hours=1), jumped):
        with writing() as session:
            lapse_places(session, now=now, limit=9)
            assert place() == [
                ("withdrawn", None),
                ("claimed", jumped + timedelta(hours=12)),
            ]
    with writing() as session:
        # Set back, the answer is no less in time.
        accept_place(session, claim_id=claims[2].id, member_id=third, now=STARTS)
        assert lapse_places(session, now=jumped + timedelta(days=1), limit=9) == 0
        assert place()[1] == ("claimed", None)


def test_a_place_that_lapses_while_its_person_stands_at_the_door_is_claimed_anew(
    scene, writing, monkeypatch
):
    """The job was late and takes the place back between the look and the check-in."""
    member_id, at = scene.volunteer.member_id, STARTS - timedelta(minutes=20)
    with writing() as session:
        claim = session.get_one(Claim, scene.claim_id)
        claim.accept_by = STARTS - timedelta(hours=2)
    find = recording.find

    def found_and_lapsed(session, *asked):
        found = find(session, *asked)
        lapse_places(session, now=at, limit=9)
        return found

    monkeypatch.setattr(recording, "find", found_and_lapsed)
    assert reason(scene.check_in(at)) == ("ok", "ok_in")
    with writing() as session:
        states = session.execute(select(Claim.member_id, Claim.state).order_by(Claim.id))
        assert [tuple(row) for row in states] == [
            (member_id, "withdrawn"),
            (member_id, "claimed"),
        ]


def test_reminders_are_given_once_in_a_time_that_comes_twice(writing):
    starts_at = STARTS + timedelta(days=2)
    with writing() as session:
        shift_id = a_shift(session, starts_at, now=STARTS - timedelta(days=1))
        a_shift(session, starts_at, now=STARTS - timedelta(days=1))
        a_claim(session, shift_id, now=STARTS)
    hours = (25, 23, 25, 23, 3, 1, 23, 1.5, 1, 0, 1)
    for before in hours:
        now = starts_at - timedelta(hours=before)
        with writing() as session:
            remind_of_shifts(session, now=now, limit=99)
            warn_of_unclaimed(session, now=now, limit=99)
    with writing() as session:
        kinds = list(session.scalars(select(Message.kind)))
        assert sorted(kinds) == ["shift_soon", "shift_soon", "shift_unclaimed"]


def test_local_days_begin_at_the_districts_midnight_at_the_end_of_a_year():
    assert midnight(date(2027, 1, 1), ZONE) == local(2027, 1, 1)
