"""The standard in force on a day, and the entries that came of it."""

from datetime import date, timedelta

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError

from pointsbank.scoring.errors import NoStandard, UnknownScoringItem
from pointsbank.scoring.models import ScoringStandard
from pointsbank.scoring.policy import Award
from pointsbank.scoring.queries import minutes_counted_on, service_minutes_of, standard_on
from pointsbank.scoring.service import record_entry
from tests.builders import a_member, an_organization, signed_in
from tests.moments import NOON

TODAY = NOON.date()


def an_entry(session, member_id, cause="award:1", minutes=150, day=TODAY):
    return record_entry(
        session,
        cause=cause,
        member_id=member_id,
        organization_id=an_organization(session),
        item=standard_on(session, day).item("volunteer_hour"),
        award=Award(minutes, minutes // 6, 0),
        title="河道清洁",
        earned_on=day,
        now=NOON,
    )


def test_the_default_standard_is_in_force(session):
    standard = standard_on(session, TODAY)
    assert standard.version == 1
    hour = standard.item("volunteer_hour")
    assert (hour.points, hour.unit_minutes, hour.share_min_percent) == (10, 30, 60)
    assert standard.item("night_patrol").unit == "shift"


def test_before_the_first_version_nothing_is_in_force(session):
    with pytest.raises(NoStandard):
        standard_on(session, date(2019, 12, 31))


def test_a_new_version_holds_from_its_own_day(session):
    session.execute(
        insert(ScoringStandard).values(
            version=2, name="Second", valid_from=TODAY, category_caps={}
        )
    )
    assert standard_on(session, TODAY - timedelta(days=1)).version == 1
    assert standard_on(session, TODAY).version == 2


def test_an_unknown_item_is_refused(session):
    with pytest.raises(UnknownScoringItem):
        standard_on(session, TODAY).item("daily_sign_in")


def test_service_minutes_add_up_and_stay_with_their_day(session):
    member, other = a_member(session), a_member(session)
    an_entry(session, member, "award:1", 150)
    an_entry(session, member, "award:2", 60, TODAY - timedelta(days=1))
    assert service_minutes_of(session, member) == 210
    assert service_minutes_of(session, other) == 0
    assert minutes_counted_on(session, [member, other], TODAY) == {member: 150}


def test_the_same_work_is_scored_once(writing):
    with writing() as session:
        member = a_member(session)
        an_entry(session, member)
    with pytest.raises(IntegrityError), writing() as session:
        an_entry(session, member)
    with writing() as session:
        assert session.scalar(text("SELECT COUNT(*) FROM score_entry")) == 1


def test_everyone_may_read_the_standard(app, client, writing):
    with writing() as session:
        member = a_member(session)
    answer = client.get("/api/v1/scoring/standard", headers=signed_in(app, member))
    assert answer.status_code == 200
    items = {item["code"]: item for item in answer.json["items"]}
    assert items["volunteer_hour"]["evaluation_score"] == 0.5
    assert items["night_patrol"]["points"] == 20
    assert client.get("/api/v1/scoring/standard").status_code == 401
