"""One shift that was settled stands in every report, as the same time."""

from datetime import timedelta

import pytest

from pointsbank.attendance.rejecting import reject_attendance
from pointsbank.attendance.settling import settle_shift
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.calendar import quarter_of, read_period
from pointsbank.members.dual_registering import Wanted, accept_registration, apply_at_home
from pointsbank.members.models import Member
from pointsbank.members.queries import member_of
from pointsbank.rankings.archiving import members_in
from pointsbank.rankings.models import MemberStanding
from pointsbank.rankings.partaking import entered_in, parts_by_month
from pointsbank.rankings.rolling_up import roll_up
from pointsbank.rankings.sources import evaluation_of
from pointsbank.rankings.unit_sheets import unit_sheet
from pointsbank.scoring.queries import service_minutes_of
from tests.attendance.scene import ENDS, actor_of, set_scene
from tests.builders import (
    SHANGHAI,
    TODAY,
    a_member,
    a_score_entry,
    an_organization,
    with_role,
)
from tests.moments import NOON

QUARTER, YEAR = quarter_of(TODAY), read_period(str(TODAY.year))
SETTLED_AT = ENDS + timedelta(hours=2)
SERVED = 150


@pytest.fixture
def scene(app, writing):
    """The volunteer of the scene is of a unit's party branch, and registered at home."""
    with writing() as session:
        scene = set_scene(app, session)
        an_organization(session, "U-WATER", "work_unit", name="市自来水公司")
        member_id = scene.volunteer.member_id
        session.get_one(Member, member_id).kind = "party_member"
        made = apply_at_home(
            session,
            actor=scene.volunteer,
            wanted=Wanted("U-WATER", "140303001002", is_named=True),
            now=NOON,
        )
        keeper = with_role(session, a_member(session, "陈书记"), "secretary")
        path = actor_of(session, scene.organizer.member_id).grants[0].path
        secretary = Actor(keeper, "陈书记", 0, 0, (Grant("secretary", path),))
        accept_registration(
            session,
            actor=secretary,
            registration_id=made,
            first_on=TODAY,
            today=TODAY,
            now=NOON,
        )
    scene.check_in()
    scene.check_out()
    with writing() as session:
        settle_shift(
            session,
            shift_id=scene.shift_id,
            actor_id=scene.organizer.member_id,
            paths=["/"],
            zone=SHANGHAI,
            now=SETTLED_AT,
        )
    return scene


def count(session):
    for period in (QUARTER, YEAR):
        roll_up(session, period=period, zone=SHANGHAI, now=SETTLED_AT)


def told(session, member_id):
    """Return the member's time as each report tells it; the others of the scene have none."""
    place = member_of(session, member_id)
    standings = {
        f"standing of {period.name}": standing.service_minutes
        for period in (QUARTER, YEAR)
        if (standing := session.get(MemberStanding, (period.name, member_id)))
    }
    months = parts_by_month(session, ["/"], YEAR.first_on, YEAR.end_on)
    sheet = unit_sheet(session, code="U-WATER", paths=["/"], period=QUARTER)
    archived = {row[0]: int(row[4]) for row in members_in(session, place.organization_id, YEAR)}
    return standings | {
        "own service time": service_minutes_of(session, member_id),
        "evaluation": evaluation_of(
            session, member_id=member_id, period=QUARTER, today=TODAY
        ).service_minutes,
        "dashboard, by month": sum(part.minutes for part in months.values()),
        "dashboard, in all": entered_in(session, ["/"], QUARTER, SHANGHAI).net_minutes,
        "unit sheet, quarter": sheet.lines[0].minutes,
        "unit sheet, year": sheet.lines[0].year_minutes,
        "archive": archived[place.volunteer_no],
    }


def test_a_settled_shift_is_the_same_time_in_every_report(scene, writing):
    with writing() as session:
        count(session)
        found = told(session, scene.volunteer.member_id)
    assert len(found) == 9
    assert set(found.values()) == {SERVED}, found


def test_what_is_taken_back_is_gone_from_every_report(scene, writing):
    with writing() as session:
        count(session)
        reject_attendance(
            session,
            member_id=scene.volunteer.member_id,
            shift_id=scene.shift_id,
            note=None,
            today=TODAY,
            now=SETTLED_AT,
        )
        count(session)
        found = told(session, scene.volunteer.member_id)
    assert set(found.values()) == {0}, found


def test_the_control_a_report_that_was_not_counted_anew_differs(scene, writing):
    with writing() as session:
        count(session)
        a_score_entry(session, scene.volunteer.member_id, service_minutes=60)
        found = told(session, scene.volunteer.member_id)
    assert {name for name, minutes in found.items() if minutes == SERVED} == {
        "standing of 2026-Q4",
        "standing of 2026",
    }
    assert set(found.values()) == {SERVED, SERVED + 60}
