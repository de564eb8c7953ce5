"""Volunteer stars: applied for, shown, awarded with a number, refused, withdrawn."""

from datetime import date, timedelta

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from pointsbank.certificates.applying import refuse_application, withdraw_application
from pointsbank.certificates.errors import (
    BadLevels,
    LevelsNotFound,
    LevelsTooSoon,
    NothingChosen,
    OwnStar,
    StarApplicationMoved,
    StarApplicationNotFound,
    StarAppliedFor,
    StarHeld,
    StarNotReached,
    WholeNeeded,
)
from pointsbank.certificates.levels import drop_levels, set_levels
from pointsbank.certificates.models import StarApplication
from pointsbank.certificates.policy import Way, stars_for, way_of, years_after
from pointsbank.certificates.queries import (
    applications_in_notice,
    applications_within,
    award_by_number,
    level_sets,
    levels_on,
)
from pointsbank.members.models import Member
from pointsbank.messages.queries import inbox
from pointsbank.notices.errors import NoticeAlive
from pointsbank.notices.models import Notice, NoticeLine
from pointsbank.organizations.errors import OrganizationNotFound
from tests.builders import TODAY, a_branch, a_member, a_score_entry, how_many, with_role
from tests.certificates.starring import (
    a_home,
    administrator_of,
    an_applicant,
    an_award,
    applied,
    ended,
    noticed,
    secretary_of,
    settled,
    state_of,
    with_hours,
)
from tests.moments import NOON
from tests.scoring.hands import actor_of

DEFAULT = {1: 100, 2: 300, 3: 600, 4: 1000, 5: 1500}
SMALL = {1: 10, 2: 20, 3: 30, 4: 40, 5: 50}


@pytest.fixture
def home(session):
    return a_home(session)


def kinds_told(session, member_id):
    return [line.kind for line in inbox(session, member_id)]


def test_the_levels_hold_from_the_beginning(session):
    assert levels_on(session, "volunteer", TODAY) == DEFAULT
    assert levels_on(session, "organization", TODAY) == {1: 60, 2: 70, 3: 80, 4: 90, 5: 96}


@pytest.mark.parametrize(
    ("minutes", "way"),
    [
        (0, Way(0, 1, 100, 6000, 0)),
        (5999, Way(0, 1, 100, 1, 99)),
        (6000, Way(1, 2, 300, 12000, 0)),
        (18000, Way(2, 3, 600, 18000, 0)),
        (90000, Way(5, 0, 0, 0, 100)),
    ],
)
def test_how_far_somebody_is(minutes, way):
    assert way_of(DEFAULT, minutes) == way


@pytest.mark.parametrize(
    ("marks", "stars"), [(59, 0), (60, 1), (69, 1), (89, 3), (90, 4), (95, 4), (96, 5)]
)
def test_marks_come_to_stars(marks, stars):
    assert stars_for({1: 60, 2: 70, 3: 80, 4: 90, 5: 96}, marks) == stars


def test_a_bar_ends_on_the_same_day_of_a_later_year():
    assert years_after(date(2026, 11, 21), 3) == date(2029, 11, 21)
    assert years_after(date(2028, 2, 29), 1) == date(2029, 3, 1)


def test_whoever_reached_a_star_applies_and_the_secretary_hears(session, home):
    member_id = an_applicant(session, home, 299)
    row = session.get_one(StarApplication, applied(session, member_id))
    assert (row.state, row.stars, row.hours_needed) == ("applied", 1, 100)
    assert (row.service_minutes, row.number) == (299 * 60, None)
    assert kinds_told(session, home.secretary_id) == ["star_applied"]
    assert kinds_told(session, member_id) == []


def test_nobody_applies_a_minute_too_early(session, home):
    member_id = an_applicant(session, home, 99)
    a_score_entry(session, member_id, service_minutes=59)
    with pytest.raises(StarNotReached) as refused:
        applied(session, member_id)
    assert refused.value.facts == {"hours": 100, "done": 99}
    a_score_entry(session, member_id, service_minutes=1)
    assert applied(session, member_id)


def test_one_application_at_a_time_and_none_for_what_is_held(session, home):
    member_id = an_applicant(session, home, 700)
    applied(session, member_id)
    for stars in (1, 3):
        with pytest.raises(StarAppliedFor):
            applied(session, member_id, stars)
    other = an_applicant(session, home, 700)
    an_award(session, home, other)
    with pytest.raises(StarHeld):
        applied(session, other)
    assert applied(session, other, 3)
    assert how_many(session, StarApplication) == 3


def test_several_are_shown_in_one_notice_and_awarded_when_it_is_locked(session, home):
    ids = [applied(session, an_applicant(session, home, hours)) for hours in (120, 130)]
    notice_id = noticed(session, home, ids)
    notice = session.get_one(Notice, notice_id)
    assert (notice.kind, notice.subject) == ("star", f"star:2026:{home.branch_id}")
    assert (notice.window_days, notice.drafted_by_id) == (5, home.secretary_id)
    lines = session.scalars(select(NoticeLine).where(NoticeLine.notice_id == notice_id)).all()
    assert [(each.shown_name, each.facts) for each in lines] == [
        ("王*兰", {"stars": 1, "minutes": 7200}),
        ("王*兰", {"stars": 1, "minutes": 7800}),
    ]
    assert settled(session) == 0
    ended(session, notice_id)
    assert settled(session) == 2
    rows = session.scalars(select(StarApplication).order_by(StarApplication.id)).all()
    assert [each.state for each in rows] == ["awarded", "awarded"]
    numbers = [each.number or "" for each in rows]
    assert [number[:11] for number in numbers] == ["2026-000001", "2026-000002"]
    assert len({number[12:] for number in numbers}) == 2
    assert {each.awarded_on for each in rows} == {TODAY}
    assert kinds_told(session, rows[0].member_id) == ["star_awarded"]
    assert settled(session) == 0
    assert award_by_number(session, numbers[0]).display_name == "王*兰"


def test_time_that_fell_below_the_level_is_noticed_at_the_award(session, home):
    member_id = an_applicant(session, home, 100)
    application_id = applied(session, member_id)
    notice_id = noticed(session, home, [application_id])
    a_score_entry(session, member_id, service_minutes=-1, points=0)
    ended(session, notice_id)
    assert settled(session) == 1
    row = session.get_one(StarApplication, application_id)
    assert (row.state, row.number, row.decided_by_id) == ("refused", None, None)
    assert row.decision_reason == "service_time_fell"
    assert kinds_told(session, member_id) == ["star_refused_service_time_fell"]


def test_a_stopped_account_gets_no_star(session, home):
    member_id = an_applicant(session, home)
    application_id = applied(session, member_id)
    notice_id = noticed(session, home, [application_id])
    session.execute(update(Member).where(Member.id == member_id).values(state="suspended"))
    ended(session, notice_id)
    settled(session)
    assert state_of(session, application_id) == "refused"


def test_levels_that_rose_meanwhile_do_not_take_what_was_promised(session, home):
    application_id = applied(session, an_applicant(session, home, 100))
    higher = {1: 200, 2: 400, 3: 600, 4: 800, 5: 1000}
    set_levels(
        session,
        actor=administrator_of(session, home),
        kind="volunteer",
        levels=higher,
        valid_from=TODAY + timedelta(days=1),
        today=TODAY,
        now=NOON,
    )
    ended(session, noticed(session, home, [application_id]))
    settled(session, NOON + timedelta(days=9))
    assert state_of(session, application_id) == "awarded"
    late = an_applicant(session, home, 150)
    with pytest.raises(StarNotReached):
        applied(session, late, now=NOON + timedelta(days=1))
    assert levels_on(session, "volunteer", TODAY) == DEFAULT


def test_levels_are_set_by_who_answers_for_everyone_from_tomorrow(session, home):
    given = {"kind": "volunteer", "levels": SMALL, "today": TODAY, "now": NOON}
    whole = administrator_of(session, home)
    tomorrow = TODAY + timedelta(days=1)
    with pytest.raises(WholeNeeded):
        set_levels(session, actor=secretary_of(session, home), valid_from=tomorrow, **given)
    local = with_role(session, a_member(session), "administrator", home.community_id)
    with pytest.raises(WholeNeeded):
        set_levels(session, actor=actor_of(session, local), valid_from=tomorrow, **given)
    with pytest.raises(LevelsTooSoon):
        set_levels(session, actor=whole, valid_from=TODAY, **given)
    for wrong in ({**SMALL, 3: 20}, {**SMALL, 5: 0}, {1: 10}):
        with pytest.raises(BadLevels):
            set_levels(session, actor=whole, valid_from=tomorrow, **{**given, "levels": wrong})
    set_levels(session, actor=whole, valid_from=tomorrow, **given)
    set_levels(session, actor=whole, valid_from=tomorrow, **{**given, "levels": DEFAULT})
    assert levels_on(session, "volunteer", tomorrow) == DEFAULT
    assert len(level_sets(session)) == 3
    named = {"kind": "volunteer", "valid_from": tomorrow, "today": TODAY, "now": NOON}
    drop_levels(session, actor=whole, **named)
    with pytest.raises(LevelsNotFound):
        drop_levels(session, actor=whole, **named)
    with pytest.raises(LevelsNotFound):
        drop_levels(session, actor=whole, **{**named, "valid_from": date(2012, 1, 1)})


def test_marks_of_organizations_end_at_a_hundred(session, home):
    with pytest.raises(BadLevels):
        set_levels(
            session,
            actor=administrator_of(session, home),
            kind="organization",
            levels={1: 60, 2: 70, 3: 80, 4: 90, 5: 101},
            valid_from=TODAY + timedelta(days=1),
            today=TODAY,
            now=NOON,
        )


def test_a_refusal_has_a_reason_and_ends_it(session, home):
    member_id = an_applicant(session, home)
    application_id = applied(session, member_id)
    given = {"application_id": application_id, "reason": "时长待核实", "now": NOON}
    refuse_application(session, actor=secretary_of(session, home), **given)
    assert state_of(session, application_id) == "refused"
    assert kinds_told(session, member_id) == ["star_refused"]
    with pytest.raises(StarApplicationMoved):
        refuse_application(session, actor=secretary_of(session, home), **given)
    assert applied(session, member_id)


def test_a_member_withdraws_before_it_is_decided(session, home):
    member_id = an_applicant(session, home)
    application_id = applied(session, member_id)
    with pytest.raises(StarApplicationNotFound):
        withdraw_application(
            session, member_id=home.secretary_id, application_id=application_id, now=NOON
        )
    notice_id = noticed(session, home, [application_id])
    for _ in range(2):
        withdraw_application(
            session, member_id=member_id, application_id=application_id, now=NOON
        )
    ended(session, notice_id)
    assert settled(session) == 0
    assert state_of(session, application_id) == "withdrawn"
    award = an_award(session, home)
    with pytest.raises(StarApplicationMoved):
        withdraw_application(
            session,
            member_id=session.get_one(StarApplication, award).member_id,
            application_id=award,
            now=NOON,
        )


def test_nobody_decides_on_their_own_star(session, home):
    with_hours(session, home.secretary_id, 100)
    own = applied(session, home.secretary_id)
    secretary = secretary_of(session, home)
    with pytest.raises(OwnStar):
        refuse_application(session, actor=secretary, application_id=own, reason="x", now=NOON)
    with pytest.raises(OwnStar):
        noticed(session, home, [own])
    assert noticed(session, home, [own], actor=administrator_of(session, home))


def test_the_database_refuses_who_decides_on_themselves(writing):
    with writing() as session:
        home = a_home(session)
    row = {
        "member_id": home.secretary_id,
        "organization_id": home.branch_id,
        "stars": 1,
        "hours_needed": 100,
        "service_minutes": 6000,
        "state": "refused",
        "applied_at": NOON,
        "decided_by_id": home.secretary_id,
        "decision_reason": "x",
    }
    with pytest.raises(IntegrityError, match="not_oneself"):
        with writing() as session:
            session.execute(insert(StarApplication).values(**row))
    with writing() as session:
        other = {**row, "decided_by_id": home.administrator_id}
        session.execute(insert(StarApplication).values(**other))


def test_only_what_waits_within_the_scope_gets_into_a_notice(session, home):
    ids = [applied(session, an_applicant(session, home))]
    beside = a_branch(session, "B2", home.community_id)
    foreign = with_role(session, a_member(session, "外人", beside), "secretary", beside)
    outside = with_hours(session, a_member(session, "李四", beside), 100)
    with pytest.raises(NothingChosen):
        noticed(session, home, [])
    with pytest.raises(StarApplicationNotFound):
        noticed(session, home, [*ids, applied(session, outside)])
    with pytest.raises(OrganizationNotFound):
        noticed(session, home, ids, actor=actor_of(session, foreign))
    assert (
        applications_within(session, actor_of(session, foreign).paths("secretary"))[0].member_id
        == outside
    )
    noticed(session, home, ids)
    with pytest.raises(StarApplicationMoved):
        noticed(session, home, ids)
    with pytest.raises(NoticeAlive):
        noticed(session, home, [applied(session, an_applicant(session, home))])


def test_a_withdrawn_notice_lets_its_applications_wait_for_another(session, home):
    application_id = applied(session, an_applicant(session, home))
    notice_id = noticed(session, home, [application_id])
    ended(session, notice_id, "withdrawn")
    assert settled(session) == 1
    row = session.get_one(StarApplication, application_id)
    assert (row.state, row.notice_id, row.decided_by_id) == ("applied", None, None)
    ended(session, noticed(session, home, [application_id]))
    settled(session)
    assert state_of(session, application_id) == "awarded"
    assert applications_in_notice(session, notice_id) == []
