"""Administrators are told once when a month's budget is nearly spent, and once when it is."""

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select

from pointsbank.attendance.settling import settle_shift
from pointsbank.budgets.issuing import open_issuer, warn_of_budget
from pointsbank.budgets.service import set_issue_budget
from pointsbank.core.db import run
from pointsbank.messages.models import Message
from tests.attendance.scene import ENDS, STARTS, ZONE, set_scene
from tests.builders import (
    COMMUNITY_CODE,
    SHANGHAI,
    a_member,
    an_organization,
    with_points,
    with_role,
)
from tests.moments import NOON
from tests.racing import race, times
from tests.scoring.hands import asked, decided, some_hands

MONTH = "2026-11"
# What the one volunteer of the scene gets.
AWARD = 25


@pytest.fixture
def world(writing):
    """A community under a district, with its administrators, and one who is not asked."""
    with writing() as session:
        district = an_organization(session, "140303", "district", name="矿区")
        community = an_organization(session, COMMUNITY_CODE, parent=district)
        elsewhere = an_organization(session, "140303005004", parent=district)
        return {
            "community": community,
            "told": {
                with_role(session, a_member(session), "administrator", community),
                with_role(session, a_member(session), "administrator", district),
                with_role(session, a_member(session), "administrator"),
            },
            "not told": {
                with_role(session, a_member(session), "administrator", elsewhere),
                with_role(session, a_member(session), "secretary", community),
            },
        }


def budget(session, points_max):
    set_issue_budget(
        session,
        code=COMMUNITY_CODE,
        month=MONTH,
        points_max=points_max,
        paths=("/",),
        actor_id=a_member(session),
        zone=SHANGHAI,
        now=NOON,
    )


def award(session, world, points):
    """Give points as any room does that issues them."""
    with_points(session, a_member(session), points)
    issuer = open_issuer(session, world["community"])
    return warn_of_budget(session, issuer, MONTH, NOON)


def told(session, kind=None):
    messages = session.scalars(select(Message).order_by(Message.id)).all()
    return [each for each in messages if kind in (None, each.kind)]


def test_at_eighty_per_cent_the_administrators_of_that_place_are_told_once(writing, world):
    with writing() as session:
        budget(session, 100)
        assert award(session, world, 79) == 0
        assert award(session, world, 1) == 3
        assert award(session, world, 1) == 0
        messages = told(session)
        assert {each.member_id for each in messages} == world["told"]
        assert {each.kind for each in messages} == {"issue_budget_nearly_spent"}
        assert messages[0].facts == {
            "organization": "平潭街西社区居委会",
            "month": MONTH,
            "issued": 80,
            "points_max": 100,
        }


def test_the_last_point_is_told_beside_it(writing, world):
    with writing() as session:
        budget(session, 100)
        award(session, world, 90)
        assert award(session, world, 10) == 3
        assert len(told(session, "issue_budget_spent")) == 3


def test_a_raised_limit_is_told_of_again_when_it_is_nearly_spent(writing, world):
    with writing() as session:
        budget(session, 100)
        award(session, world, 80)
        budget(session, 200)
        assert award(session, world, 10) == 0
        assert award(session, world, 70) == 3


def test_without_a_limit_nobody_is_told(writing, world):
    with writing() as session:
        assert award(session, world, 10_000) == 0
        assert told(session) == []


def test_awards_at_once_tell_once(app, writing, world):
    with writing() as session:
        budget(session, 100)
        award(session, world, 70)
    answers = race(app, times(5, partial(run, lambda session: award(session, world, 4))))
    assert sorted(answers) == [0, 0, 0, 0, 3], answers
    with writing() as session:
        assert len(told(session)) == 3


def settled(app, writing, points_max):
    """Let a volunteer come and go, then settle within so many points."""
    with writing() as session:
        scene = set_scene(app, session)
        budget(session, points_max)
    scene.check_in(STARTS)
    scene.check_out(ENDS)
    with writing() as session:
        settle_shift(
            session,
            shift_id=scene.shift_id,
            actor_id=scene.organizer.member_id,
            paths=("/",),
            zone=ZONE,
            now=ENDS + timedelta(minutes=5),
        )
    with writing() as session:
        return [each.kind for each in told(session)]


@pytest.mark.parametrize(
    ("points_max", "kind"),
    [
        (AWARD * 2, None),
        (AWARD * 5 // 4, "issue_budget_nearly_spent"),
        (AWARD, "issue_budget_spent"),
        (AWARD - 1, "issue_budget_spent"),
    ],
)
def test_settling_a_shift_tells(app, writing, world, points_max, kind):
    assert settled(app, writing, points_max) == ([kind] * 3 if kind else [])


def test_an_approved_adjustment_tells_too(session):
    hands = some_hands(session)
    budget(session, 20)
    found = asked(session, hands)
    decided(session, found.id, hands.secretary_id)
    assert {each.member_id for each in told(session, "issue_budget_spent")} == {
        hands.administrator_id
    }
