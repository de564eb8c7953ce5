"""Settlement within the month's issue budget: who fits, who waits, who is awarded later."""

from datetime import timedelta

import time_machine
from sqlalchemy import select, text

from pointsbank.attendance.models import Attendance
from pointsbank.attendance.settling import BUDGET_SPENT, Held, settle_shift
from pointsbank.core.audit import AuditEntry
from pointsbank.core.db import run
from pointsbank.ledger.budgets import budget_left, set_budget
from pointsbank.ledger.queries import balance_of
from pointsbank.ledger.service import open_account
from pointsbank.ledger.verifying import offenders
from pointsbank.scoring.models import ScoreEntry
from pointsbank.scoring.queries import service_minutes_of
from tests.attendance.scene import ENDS, STARTS, ZONE, actor_of, set_scene
from tests.browsing import Browser, words_of
from tests.builders import (
    COMMUNITY_CODE,
    a_claim,
    a_member,
    how_many,
    with_role,
)
from tests.racing import race

AFTER = ENDS + timedelta(minutes=5)
ISSUER = f"issue:community:{COMMUNITY_CODE}"
# What each of the shift gets: two and a half hours at ten points.
EACH = 25


def budget(session, points_max, month="2026-11"):
    open_account(session, code=ISSUER, kind="issue")
    set_budget(session, code=ISSUER, month=month, points_max=points_max)


def settle(session, scene, now=AFTER, actor_id=None):
    return settle_shift(
        session,
        shift_id=scene.shift_id,
        actor_id=actor_id or scene.organizer.member_id,
        paths=("/",),
        zone=ZONE,
        now=now,
    )


def three_came(scene, writing):
    """Let the volunteer and two more come and go; return the ids in the order of coming."""
    with writing() as session:
        more = [a_member(session) for _ in range(2)]
        for member_id in more:
            a_claim(session, scene.shift_id, member_id)
        people = [scene.volunteer, *(actor_of(session, each) for each in more)]
    # Who joined last comes first.
    people.reverse()
    for minutes, person in enumerate(people):
        scene.check_in(STARTS - timedelta(minutes=10 - minutes), person)
        scene.check_out(who=person)
    return [person.member_id for person in people]


def figures(session, member_id):
    return balance_of(session, f"member:{member_id}").posted, service_minutes_of(
        session, member_id
    )


def test_who_came_first_is_awarded_and_the_rest_waits_with_points_and_minutes(scene, writing):
    first, second, third = three_came(scene, writing)
    with writing() as session:
        budget(session, 2 * EACH + 24)
    with writing() as session:
        settlement = settle(session, scene)
    assert {each.member_id for each in settlement.awarded} == {first, second}
    assert settlement.held == (Held(third, BUDGET_SPENT),)
    with writing() as session:
        assert figures(session, second) == (EACH, 150)
        assert figures(session, third) == (0, 0)
        assert budget_left(session, ISSUER, "2026-11") == 24
        assert offenders(session) == []


def test_settling_again_awards_them_once_the_budget_was_raised(scene, writing):
    first, second, third = three_came(scene, writing)
    with writing() as session:
        budget(session, EACH)
    with writing() as session:
        before = settle(session, scene)
    with writing() as session:
        notes, settled = how_many(session, AuditEntry), settled_at_of(session, third)
        again = settle(session, scene, AFTER + timedelta(hours=1))
        # Nothing fits yet, and nothing changes.
        assert again == before
        assert (how_many(session, AuditEntry), settled_at_of(session, third)) == (
            notes,
            settled,
        )
        budget(session, 3 * EACH)
    with writing() as session:
        last = settle(session, scene, AFTER + timedelta(days=1))
        assert last.held == ()
        for member_id in (first, second, third):
            assert figures(session, member_id) == (EACH, 150)
        assert how_many(session, ScoreEntry) == 3
        assert settle(session, scene, AFTER + timedelta(days=2)) == last
        assert budget_left(session, ISSUER, "2026-11") == 0
        assert offenders(session) == []


def settled_at_of(session, member_id):
    return session.scalar(
        select(Attendance.settled_at).where(Attendance.member_id == member_id)
    )


def test_the_next_month_has_room_of_its_own(scene, writing):
    *_, third = three_came(scene, writing)
    december = AFTER.replace(month=12, day=1, hour=0, minute=0)
    with writing() as session:
        budget(session, 2 * EACH)
        budget(session, EACH, "2026-12")
        settle(session, scene)
        last_moment = december - timedelta(microseconds=1)
        assert settle(session, scene, last_moment).held == (Held(third, BUDGET_SPENT),)
        assert settle(session, scene, december).held == ()
        assert figures(session, third) == (EACH, 150)
        assert budget_left(session, ISSUER, "2026-12") == 0


def test_fewer_points_may_fit_where_more_do_not(scene, writing):
    first, second, third = three_came(scene, writing)
    with writing() as session:
        # The second of them left after two hours, with twenty points.
        session.scalars(
            select(Attendance).where(Attendance.member_id == second)
        ).one().checked_out_at = ENDS - timedelta(minutes=30)
        budget(session, EACH + 20)
    with writing() as session:
        settlement = settle(session, scene)
        assert {each.member_id for each in settlement.awarded} == {first, second}
        assert [held.member_id for held in settlement.held] == [third]


def test_what_gives_no_points_needs_no_budget(scene, writing):
    three_came(scene, writing)
    with writing() as session:
        budget(session, 0)
        session.execute(text("UPDATE task SET scoring_item = 'community_duty'"))
    with writing() as session:
        assert settle(session, scene).held == ()


def test_ones_own_line_goes_on_waiting_for_somebody_else(scene, writing):
    """Settling one's own shift would hold it for ever; the budget only delays it."""
    *_, third = three_came(scene, writing)
    with writing() as session:
        budget(session, 2 * EACH)
        with_role(session, third, "organizer")
    with writing() as session:
        settle(session, scene)
        budget(session, 3 * EACH)
        assert settle(session, scene, actor_id=third).held == (Held(third, BUDGET_SPENT),)
        assert settle(session, scene).held == ()
        assert figures(session, third) == (EACH, 150)


def test_two_shifts_settled_at_once_share_one_budget(app, scene, writing):
    """Whoever comes second learns what the first left; nobody's settlement fails."""
    three_came(scene, writing)
    with writing() as session:
        other = set_scene(app, session)
    three_came(other, writing)
    with writing() as session:
        budget(session, 4 * EACH + 3)
    answers = race(
        app,
        [
            lambda: run(lambda session: settle(session, scene)),
            lambda: run(lambda session: settle(session, other)),
        ],
    )
    assert sorted(len(answer.awarded) for answer in answers) == [1, 3], answers
    assert sum(len(answer.held) for answer in answers) == 2
    with writing() as session:
        assert budget_left(session, ISSUER, "2026-11") == 3
        assert offenders(session) == []


def test_the_sheet_says_who_waits_and_offers_to_settle_again(app, scene, writing):
    *_, third = three_came(scene, writing)
    with writing() as session:
        budget(session, 2 * EACH)
        settle(session, scene)
    address = f"/shifts/{scene.shift_id}/attendance"
    with time_machine.travel(AFTER, tick=False):
        browser = Browser(app, scene.organizer.member_id)
        page = browser.open(address)
        assert "本月发放预算已用完" in words_of(page)
        assert "有 1 人因本月发放预算不足而暂缓入账" in words_of(page)
        with writing() as session:
            budget(session, 3 * EACH)
        after = browser.send(browser.form(page, f"/shifts/{scene.shift_id}/settlement"))
        assert "再结算一次" not in words_of(after)
    with writing() as session:
        assert figures(session, third) == (EACH, 150)
