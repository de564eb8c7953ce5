"""Random histories: however a period was rolled up, it holds what entry by entry comes out."""

import threading
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text, update

from pointsbank.appraisals.models import Exemption, Veto
from pointsbank.core.calendar import Period, midnight, read_period
from pointsbank.core.db import transaction
from pointsbank.members.belonging import move_member, note_change
from pointsbank.members.models import Member
from pointsbank.rankings import rolling_up
from pointsbank.rankings.models import RollUp
from pointsbank.rankings.rolling_up import decided_ids, roll_up, roll_up_step
from pointsbank.scoring.models import ScoreEntry, ScoringItem
from tests.builders import (
    a_branch,
    a_member,
    a_score_entry,
    an_organization,
)
from tests.moments import NOON
from tests.rankings.boards import ZONE
from tests.rankings.naive import differences, kept_rows
from tests.rankings.standards import a_later_standard

PERIODS = (
    read_period("2026-10"),
    read_period("2026-Q4"),
    read_period("2026"),
    Period("2026-autumn", date(2026, 9, 15), date(2026, 11, 20)),
)
FIRST_DAY = date(2026, 9, 20)
CODES = ("volunteer_hour", "night_patrol", "study_session", "theme_day", "deduction")
PEOPLE = 4
CAPS = {
    "volunteer_hour": {"hundredths_day_max": 150, "hundredths_week_max": 400},
    "night_patrol": {"hundredths_year_max": 900},
    "study_session": {"hundredths_week_max": 300},
}
FULL_TABLE = {
    "base_mode": "start_full_and_deduct",
    "base": {"organization_life": 5000, "study": 2000},
    "bonus": {"volunteer_service": 2000},
    "grades": {"excellent": 9000, "qualified": 7500, "basic": 6000},
}

people = st.integers(0, PEOPLE - 1)
days = st.integers(0, 100)
steps = st.one_of(
    st.tuples(st.just("entry"), people, st.sampled_from(CODES), days, st.integers(-300, 700)),
    st.tuples(st.just("reversal"), st.integers(0, 40)),
    st.tuples(st.just("move"), people, st.integers(0, 3)),
    st.tuples(st.just("state"), people),
    st.tuples(st.just("exempt"), people, st.sampled_from(("over_70", "mobile")), days),
    st.tuples(st.just("veto"), people, days),
    st.tuples(st.just("join"), st.integers(0, 3)),
    st.tuples(st.just("standard"), st.booleans()),
    st.tuples(st.just("days"), st.integers(1, 40)),
    st.tuples(st.just("roll"), st.integers(1, 4), st.booleans()),
)


class History:
    """A small district, and what happens in it step by step."""

    def __init__(self, session):
        self.session = session
        self.today = FIRST_DAY
        street = an_organization(session, "S1", "street")
        homes = [an_organization(session, f"C{n}", parent=street) for n in range(2)]
        self.grid = an_organization(session, "G1", "grid", homes[0])
        self.places = [a_branch(session, parent=home) for home in homes] + homes
        self.judges = [a_member(session, now=self.now) for _ in range(2)]
        self.people = [self.join(n % 4) for n in range(PEOPLE)]

    @property
    def now(self):
        return midnight(self.today, ZONE) + timedelta(hours=12)

    def join(self, place):
        return a_member(self.session, organization_id=self.places[place], now=self.now)

    def entry(self, who, code, day, hundredths):
        if code == "deduction":
            hundredths = -abs(hundredths)
        a_score_entry(
            self.session,
            self.people[who],
            code,
            evaluation_hundredths=hundredths,
            points=0 if code in ("theme_day", "deduction") else hundredths // 10,
            service_minutes=30 * (hundredths // 100),
            earned_on=FIRST_DAY + timedelta(days=day),
            now=self.now,
        )

    def reversal(self, number):
        rows = self.session.scalars(select(ScoreEntry).order_by(ScoreEntry.id)).all()
        if not rows:
            return
        row = rows[number % len(rows)]
        self.session.add(
            ScoreEntry(
                cause=f"back:{len(rows)}",
                member_id=row.member_id,
                organization_id=row.organization_id,
                item_id=row.item_id,
                category=row.category,
                evaluation_hundredths=-row.evaluation_hundredths,
                points=-row.points,
                service_minutes=-row.service_minutes,
                title=row.title,
                earned_on=row.earned_on,
                recorded_at=self.now,
            )
        )
        self.session.flush()

    def move(self, who, place):
        move_member(
            self.session,
            member_id=self.people[who],
            organization_id=self.places[place],
            grid_id=self.grid if place == 2 else None,
            on=self.today,
            now=self.now,
        )

    def state(self, who):
        member = self.session.get(Member, self.people[who], populate_existing=True)
        member.state = "active" if member.state == "suspended" else "suspended"
        self.session.flush()
        self.note("state", who)

    def note(self, cause, who):
        note_change(
            self.session,
            member_ids=[self.people[who]],
            cause=cause,
            from_on=self.today,
            now=self.now,
        )

    def confirmed(self, kind, who, **more):
        self.session.add(
            kind(
                member_id=self.people[who],
                organization_id=self.places[0],
                state="confirmed",
                entered_by_id=self.judges[0],
                entered_at=self.now,
                confirmed_by_id=self.judges[1],
                decided_at=self.now,
                **more,
            )
        )
        self.session.flush()

    def exempt(self, who, reason, day):
        from_on = FIRST_DAY + timedelta(days=day)
        until_on = from_on + timedelta(days=30) if day % 2 else None
        self.confirmed(Exemption, who, reason_code=reason, from_on=from_on, until_on=until_on)
        self.note("exemption", who)

    def veto(self, who, day):
        self.confirmed(
            Veto,
            who,
            reason_code="other",
            reason="警告",
            document_no="〔2026〕1号",
            occurred_on=FIRST_DAY + timedelta(days=day),
        )
        self.note("veto", who)

    def standard(self, is_full):
        last = self.session.scalar(text("SELECT MAX(valid_from) FROM scoring_standard"))
        if str(last) >= self.today.isoformat():
            return
        a_later_standard(
            self.session,
            self.today,
            caps=CAPS,
            gone=("night_patrol",) if is_full else (),
            tables={"default": FULL_TABLE if is_full else MOBILE, "mobile": FULL_TABLE},
        )

    def days(self, count):
        self.today += timedelta(days=count)

    def roll(self, limit, is_cut_short):
        """Take one step of each period; cut short, all it wrote is gone as after a crash."""
        for period in PERIODS:
            point = self.session.begin_nested()
            roll_up_step(self.session, period=period, zone=ZONE, now=self.now, limit=limit)
            point.rollback() if is_cut_short else point.commit()

    def finish(self):
        for period in PERIODS:
            while not roll_up_step(
                self.session, period=period, zone=ZONE, now=self.now, limit=3
            ).is_last:
                pass


MOBILE = FULL_TABLE | {"base_mode": "earn"}


def play(history, played):
    for name, *values in played:
        if name == "entry" and not has_item(history, values[1]):
            continue
        getattr(history, name)(*values)


def has_item(history, code):
    """Tell whether the standard still has this item, on whatever day."""
    have = history.session.scalars(
        select(ScoringItem.standard_id).where(ScoringItem.code == code)
    ).all()
    versions = history.session.scalars(text("SELECT id FROM scoring_standard")).all()
    return set(versions) <= set(have)


@settings(
    max_examples=25,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
@given(played=st.lists(steps, min_size=5, max_size=30))
def test_steps_crashes_and_rebuilds_come_to_what_entry_by_entry_comes_to(session, played):
    point = session.begin_nested()
    try:
        history = History(session)
        play(history, played)
        history.finish()
        for period in PERIODS:
            judge(history, period)
    finally:
        point.rollback()


def judge(history, period):
    session = history.session
    assert differences(session, period, history.today) == {}, period.name
    by_steps = kept_rows(session, period)
    assert roll_up(session, period=period, zone=ZONE, now=history.now).touched == 0
    doubted = update(RollUp).where(RollUp.period == period.name).values(is_doubted=True)
    session.execute(doubted)
    roll_up(session, period=period, zone=ZONE, now=history.now)
    assert kept_rows(session, period) == by_steps, period.name


def a_capped_history(session):
    history = History(session)
    history.days(5)
    history.standard(False)
    for _ in range(2):
        history.entry(0, "volunteer_hour", 20, 600)
    history.finish()
    return history


def test_a_roll_up_that_forgets_the_caps_of_items_is_found_out(session, monkeypatch):
    """The negative control of the comparison itself."""
    history = a_capped_history(session)
    assert differences(session, PERIODS[1], history.today) == {}
    monkeypatch.setattr(rolling_up, "caps_for", lambda *_: {})
    session.execute(update(RollUp).values(is_doubted=True))
    roll_up(session, period=PERIODS[1], zone=ZONE, now=history.now)
    assert "standings" in differences(session, PERIODS[1], history.today)


def slow_writer(app, member_id, has_drawn, may_commit):
    """Draw an entry's id, and commit only when told."""
    with app.app_context(), transaction() as session:
        a_score_entry(session, member_id, evaluation_hundredths=500)
        has_drawn.set()
        may_commit.wait(30)


def roll_beside_a_slow_writer(app, writing):
    """Roll up while an entry with a lower id is not committed; return what it then lacks."""
    with writing() as session:
        slow, quick = a_member(session), a_member(session)
        roll_up(session, period=PERIODS[1], zone=ZONE, now=NOON)
    has_drawn, may_commit = threading.Event(), threading.Event()
    thread = threading.Thread(target=slow_writer, args=(app, slow, has_drawn, may_commit))
    thread.start()
    has_drawn.wait(30)
    with writing() as session:
        a_score_entry(session, quick, evaluation_hundredths=300)
    with writing() as session:
        roll_up(session, period=PERIODS[1], zone=ZONE, now=NOON)
    may_commit.set()
    thread.join()
    with writing() as session:
        roll_up(session, period=PERIODS[1], zone=ZONE, now=NOON)
        return differences(session, PERIODS[1], NOON.date())


@pytest.mark.engine("postgresql")
def test_an_entry_that_commits_late_is_counted_all_the_same(app, writing, monkeypatch):
    monkeypatch.setattr(rolling_up, "LOCK_WAIT_MS", 200)
    assert roll_beside_a_slow_writer(app, writing) == {}


@pytest.mark.engine("postgresql")
def test_with_the_highest_id_alone_a_late_entry_would_be_lost(app, writing, monkeypatch):
    """The negative control of the lock."""

    def highest(session):
        rows = [
            session.scalar(text(f"SELECT COALESCE(MAX(id), 0) FROM {table}"))
            for table in ("score_entry", "member_change")
        ]
        return rolling_up.Decided(*rows)

    assert decided_ids is not highest
    monkeypatch.setattr(rolling_up, "decided_ids", highest)
    assert "standings" in roll_beside_a_slow_writer(app, writing)
