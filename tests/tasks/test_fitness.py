"""What is known of people when rules are judged, and what it costs to find out."""

from datetime import date, timedelta

import pytest
from sqlalchemy import update

from pointsbank.members.abilities import tell_birth_day, withdraw_training
from pointsbank.members.models import MemberTraining
from pointsbank.organizations.queries import organization_of
from pointsbank.scoring.policy import Award
from pointsbank.scoring.queries import standard_on
from pointsbank.scoring.service import record_entry
from pointsbank.tasks.eligibility import Person, judge_eligibility
from pointsbank.tasks.errors import BadEligibility
from pointsbank.tasks.fitness import (
    LET_DOWN_DAYS,
    TRUST_DAYS,
    check_eligibility,
    names_of,
    people_of,
    trust_of,
)
from pointsbank.tasks.models import Claim
from tests.builders import a_claim, a_member, a_shift, an_organization
from tests.counting import statements_of
from tests.members.schooling import a_completion, a_training, an_overseer, confirmed, told
from tests.moments import NOON

TODAY = NOON.date()
STATEMENTS = 5


def known(session, member_id, on=TODAY):
    return people_of(session, [member_id], on)[member_id]


def service(session, member_id, number, cause="award", on=TODAY):
    """Write the entry of a service, as a settlement does, or another cause of an entry."""
    record_entry(
        session,
        cause=f"{cause}:{number}",
        member_id=member_id,
        organization_id=an_organization(session),
        item=standard_on(session, on).item("volunteer_hour"),
        award=Award(60, 10, 100),
        title="河道清洁",
        earned_on=on,
        now=NOON,
    )


def test_a_newcomer_is_known_by_kind_and_place(session):
    member_id = a_member(session, kind="resident")
    path = organization_of(session, an_organization(session)).path
    assert known(session, member_id) == Person(member_id, None, "resident", path)


def test_nobody_is_known_who_is_not_a_member(session):
    member_id = a_member(session)
    assert set(people_of(session, [member_id, member_id + 1], TODAY)) == {member_id}
    assert people_of(session, [], TODAY) == {}


def test_an_age_is_that_of_the_day_that_is_asked_about(session):
    member_id = a_member(session)
    tell_birth_day(
        session, member_id=member_id, born_on=date(2008, 11, 25), today=TODAY, now=NOON
    )
    assert known(session, member_id).age == 17
    assert known(session, member_id, date(2008, 11, 25).replace(year=2026)).age == 18


def test_skills_told_and_confirmed_are_told_apart(session):
    member_id = confirmed(session, a_member(session), "first_aid")
    told(session, member_id, "first_aid", "law")
    person = known(session, member_id)
    assert person.skills == {"first_aid", "law"}
    assert person.confirmed == {"first_aid"}


def test_a_training_counts_from_its_day_until_it_runs_out(session):
    member_id = a_member(session)
    day = date(2026, 1, 31)
    completion_id = a_completion(session, member_id, a_training(session, valid_months=1), day)
    held = {
        on: bool(known(session, member_id, on).trainings)
        for on in (
            day - timedelta(days=1),
            day,
            date(2026, 2, 28),
            date(2026, 3, 1),
        )
    }
    assert list(held.values()) == [False, True, True, False]
    withdraw_training(
        session, actor=an_overseer(session), completion_id=completion_id, now=NOON
    )
    assert known(session, member_id, day).trainings == frozenset()


def test_a_training_without_end_goes_on(session):
    member_id = a_member(session)
    a_completion(session, member_id, a_training(session, valid_months=None))
    assert known(session, member_id, date(2060, 1, 1)).trainings == {"first_aid_course"}
    session.execute(update(MemberTraining).values(valid_until=TODAY))
    assert known(session, member_id, TODAY + timedelta(days=1)).trainings == frozenset()


@pytest.mark.parametrize(
    ("services", "let_downs", "trust"),
    [
        *((0, 0, 0), (2, 0, 0), (3, 0, 1), (11, 0, 1), (12, 0, 2), (39, 0, 2), (40, 0, 3)),
        *((400, 0, 3), (40, 1, 3), (40, 2, 2), (40, 3, 2), (40, 4, 1), (3, 2, 0), (0, 9, 0)),
    ],
)
def test_trust_grows_with_services_and_falls_with_let_downs(services, let_downs, trust):
    assert trust_of(services, let_downs) == trust


def test_trust_counts_the_services_of_a_year_that_stand(session):
    member_id = a_member(session)
    last_year = TODAY - timedelta(days=TRUST_DAYS)
    for number, on in ((1, TODAY), (2, last_year + timedelta(days=1)), (3, last_year)):
        service(session, member_id, number, on=on)
    service(session, member_id, 4, on=TODAY + timedelta(days=1))
    service(session, member_id, 5, cause="adjust")
    assert known(session, member_id).trust == 0
    service(session, member_id, 6)
    assert known(session, member_id).trust == 1
    service(session, member_id, 6, cause="reject")
    assert known(session, member_id).trust == 0


def let_down(session, member_id, days_ago, *, missed=False, in_time=False):
    claim_id = a_claim(session, a_shift(session), member_id).id
    at = NOON - timedelta(days=days_ago)
    values = (
        {"missed_at": at}
        if missed
        else {"state": "withdrawn", "withdrawn_at": at, "told_in_time": in_time}
    )
    session.execute(update(Claim).where(Claim.id == claim_id).values(**values))


def test_trust_falls_with_what_was_let_go_late_and_not_come_to(session):
    member_id = a_member(session)
    for number in range(12):
        service(session, member_id, number)
    let_down(session, member_id, 1, in_time=True)
    let_down(session, member_id, LET_DOWN_DAYS + 2)
    let_down(session, member_id, LET_DOWN_DAYS + 2, missed=True)
    let_down(session, member_id, 3)
    assert known(session, member_id).trust == 2
    let_down(session, member_id, 5, missed=True)
    assert known(session, member_id).trust == 1


def test_a_hundred_people_cost_no_more_statements_than_one(app, writing):
    with writing() as session:
        ids = [a_member(session) for _ in range(100)]
        for member_id in ids[::3]:
            told(session, member_id, "law")
    counts = []
    for wanted in (ids[:1], ids):
        with statements_of(app) as sent, writing() as session:
            found = people_of(session, wanted, TODAY)
            counts.append(len([each for each in sent if "SELECT" in each]))
        assert set(found) == set(wanted)
    assert counts == [STATEMENTS, STATEMENTS]


def test_a_tree_names_what_there_is(session):
    a_training(session)
    path = organization_of(session, an_organization(session)).path
    check_eligibility(
        session,
        {
            "all": [
                {"rule": "skill", "code": "law"},
                {"rule": "training", "code": "first_aid_course"},
                {"rule": "organization", "path": path},
                {"rule": "organization", "path": "/"},
            ]
        },
    )
    for leaf in (
        {"rule": "skill", "code": "flying"},
        {"rule": "training", "code": "flying"},
        {"rule": "organization", "path": f"{path}99/"},
        {"rule": "height"},
    ):
        with pytest.raises(BadEligibility):
            check_eligibility(session, {"any": [leaf, {"rule": "trust", "min": 1}]})


def test_names_are_looked_up_only_where_there_are_any(app, writing):
    with statements_of(app) as sent, writing() as session:
        names_of(session, [{"rule": "age", "min": 18}, {"rule": "trust", "min": 1}])
        assert [each for each in sent if "SELECT" in each] == []


def test_somebody_real_is_judged(session):
    member_id = confirmed(session, a_member(session), "first_aid")
    tree = {
        "all": [
            {"rule": "skill", "code": "first_aid", "confirmed": True},
            {"rule": "age", "min": 18},
        ]
    }
    fitness = judge_eligibility(tree, known(session, member_id))
    assert fitness.missing == ({"rule": "age", "min": 18, "is_told": False},)
    tell_birth_day(
        session, member_id=member_id, born_on=date(1990, 1, 1), today=TODAY, now=NOON
    )
    assert judge_eligibility(tree, known(session, member_id)).is_eligible
