"""The standard in force on a day, and the entries that came of it."""

from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from pointsbank.scoring.errors import NoStandard, UnknownScoringItem
from pointsbank.scoring.models import ScoringStandard
from pointsbank.scoring.policy import Award
from pointsbank.scoring.queries import minutes_counted_on, service_minutes_of, standard_on
from pointsbank.scoring.service import record_entry
from tests.builders import a_member, an_organization, signed_in
from tests.moments import NOON
from tests.standards import a_standard

TODAY = NOON.date()
COPIED = (
    "category, unit, points, evaluation_hundredths, counts_minutes, unit_minutes,"
    " share_min_percent, day_minutes_max, name, name_zh, standard_id"
)
ADD_AN_ITEM = (
    f"INSERT INTO scoring_item (code, {COPIED}) SELECT 'added', {COPIED}"
    " FROM scoring_item WHERE code = 'theme_day'"
)
DEARER = {"volunteer_hour": {"points": 20}}


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
    a_standard(session, valid_from=TODAY)
    assert standard_on(session, TODAY - timedelta(days=1)).version == 1
    assert standard_on(session, TODAY).version == 2
    assert standard_on(session, TODAY - timedelta(days=1)).valid_to == TODAY


def test_a_draft_is_in_force_for_nobody(session):
    a_standard(session, valid_from=TODAY, state="draft", changes=DEARER)
    standard = standard_on(session, TODAY)
    assert (standard.version, standard.item("volunteer_hour").points) == (1, 10)


def test_the_first_version_has_what_people_decide(session):
    standard = standard_on(session, TODAY)
    decided = {item.code: item for item in standard.items if item.unit == "each"}
    assert {code: item.category for code, item in decided.items()} == {
        "deduction": "deduction",
        "democratic_appraisal": "duty",
        "suggestion_adopted": "recognition",
        "commendation": "recognition",
    }
    assert not any(item.points for item in decided.values())


@pytest.mark.parametrize("code", ["deduction", "commendation"])
def test_what_people_decide_scores_no_task(session, code):
    with pytest.raises(UnknownScoringItem):
        standard_on(session, TODAY).task_item(code)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE scoring_standard SET name = 'Another' WHERE version = 1",
        "UPDATE scoring_standard SET valid_to = '2030-01-01' WHERE version = 1",
        "UPDATE scoring_standard SET state = 'draft', version = NULL WHERE version = 1",
        "DELETE FROM scoring_standard WHERE version = 1",
        "UPDATE scoring_item SET points = 11 WHERE code = 'volunteer_hour'",
        "DELETE FROM scoring_item WHERE code = 'theme_day'",
        ADD_AN_ITEM,
    ],
)
def test_a_published_version_never_changes(writing, statement):
    with writing() as session:
        a_standard(session, valid_from=TODAY)
    with pytest.raises(DBAPIError, match="never changed"), writing() as session:
        session.execute(text(statement))


def test_a_draft_may_change(writing):
    with writing() as session:
        draft_id = a_standard(session, valid_from=TODAY, state="draft")
        changed = session.execute(
            text(
                f"UPDATE scoring_item SET points = 9 WHERE standard_id = {draft_id}"
                " AND points = 10"
            )
        )
        assert changed.rowcount > 0
        session.execute(text(f"DELETE FROM scoring_item WHERE standard_id = {draft_id}"))
        session.execute(text(f"DELETE FROM scoring_standard WHERE id = {draft_id}"))
    with writing() as session:
        assert session.get(ScoringStandard, draft_id) is None


@pytest.mark.parametrize("category", ["organization_life", "deduction"])
def test_a_meeting_is_never_paid_in_points(writing, category):
    paid = {"code": "paid", "category": category, "points": 1}
    with pytest.raises(IntegrityError), writing() as session:
        a_standard(session, valid_from=TODAY, state="draft", more=[paid])


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
