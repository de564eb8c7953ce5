"""Households: who registers them, that nobody belongs to two, and what is shown of them."""

import threading
from functools import partial

import pytest
import time_machine
from sqlalchemy import func, select, text

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.audit import AuditEntry
from pointsbank.core.db import reading, run, transaction
from pointsbank.members.errors import (
    AlreadyInHousehold,
    HouseholdFull,
    HouseholdNotFound,
    HouseholdTooSmall,
    MemberNotFound,
    OwnHousehold,
)
from pointsbank.members.households import (
    HOUSEHOLD_PEOPLE_MAX,
    add_to_household,
    join_by_number,
    register_household,
    remove_from_household,
)
from pointsbank.members.models import Household, HouseholdMember, Member
from pointsbank.members.queries import household_of
from tests.builders import a_member, an_organization, how_many, signed_in, with_role
from tests.moments import NOON
from tests.racing import MEET_SECONDS_MAX, race


class Street:
    """A community with its secretary, three of a family, and a stranger of the next street."""

    def __init__(self, writing):
        with writing() as session:
            top = an_organization(session, "top", "district")
            mine = an_organization(session, "mine", "community", parent=top)
            other = an_organization(session, "other", "community", parent=top)
            self.secretary = with_role(
                session, a_member(session, "陈书记", mine), "secretary", mine
            )
            self.family = [
                a_member(session, name, mine) for name in ("王建国", "李秀兰", "王芳")
            ]
            self.stranger = a_member(session, "赵铁柱", other)
            path = f"/{top}/{mine}/"
        self.actor = Actor(self.secretary, "陈书记", mine, 0, (Grant("secretary", path),))
        self.mine = mine


@pytest.fixture
def street(writing):
    return Street(writing)


@pytest.fixture
def keeper(app, client, street):
    """Send a request as the secretary."""
    headers = signed_in(app, street.secretary)

    def send(method, path, status, **more):
        answer = client.open(path, method=method, headers=headers, **more)
        assert answer.status_code == status, answer.text
        return answer

    return send


def register(session, street, *members):
    return register_household(session, actor=street.actor, member_ids=members, now=NOON)


def test_a_registered_household_holds_its_people_and_is_audited(writing, street):
    with writing() as session:
        household_id = register(session, street, *street.family[:2])
        add_to_household(
            session,
            actor=street.actor,
            household_id=household_id,
            member_id=street.family[2],
            now=NOON,
        )
        found = household_of(session, street.family[1])
        assert (found.id, found.organization_id) == (household_id, street.mine)
        assert set(found.member_ids) == set(street.family)
        notes = session.scalars(
            select(AuditEntry)
            .where(AuditEntry.subject_kind == "household")
            .order_by(AuditEntry.id)
        ).all()
        assert [(each.action, each.actor_id) for each in notes] == [
            ("register", street.secretary),
            ("add_person", street.secretary),
        ]
        assert notes[1].facts == {"member_id": street.family[2]}


def test_adding_the_same_person_again_changes_nothing(writing, street):
    with writing() as session:
        household_id = register(session, street, *street.family[:2])
        before = how_many(session, AuditEntry)
        add_to_household(
            session,
            actor=street.actor,
            household_id=household_id,
            member_id=street.family[0],
            now=NOON,
        )
        assert (how_many(session, HouseholdMember), how_many(session, AuditEntry)) == (
            2,
            before,
        )


def test_nobody_belongs_to_two(writing, street):
    with writing() as session:
        register(session, street, *street.family[:2])
    with pytest.raises(AlreadyInHousehold), writing() as session:
        register(session, street, street.family[2], street.family[0])
    with writing() as session:
        assert how_many(session, Household) == 1
        assert household_of(session, street.family[2]) is None


@pytest.mark.parametrize("twice", [True, False])
def test_one_person_is_no_household(writing, street, twice):
    with pytest.raises(HouseholdTooSmall), writing() as session:
        register(session, street, *street.family[:1] * (2 if twice else 1))


def test_a_household_has_a_largest_size(writing, street):
    with writing() as session:
        crowd = [a_member(session, "王芳", street.mine) for _ in range(HOUSEHOLD_PEOPLE_MAX)]
        household_id = register(session, street, *crowd)
    with pytest.raises(HouseholdFull), writing() as session:
        add_to_household(
            session,
            actor=street.actor,
            household_id=household_id,
            member_id=street.family[0],
            now=NOON,
        )
    with pytest.raises(HouseholdFull), writing() as session:
        register(session, street, *range(1, HOUSEHOLD_PEOPLE_MAX + 2))


def test_whoever_keeps_households_does_not_keep_their_own(writing, street):
    with pytest.raises(OwnHousehold), writing() as session:
        register(session, street, street.secretary, street.family[0])
    with writing() as session:
        household_id = register(session, street, *street.family[:2])
    with pytest.raises(OwnHousehold), writing() as session:
        add_to_household(
            session,
            actor=street.actor,
            household_id=household_id,
            member_id=street.secretary,
            now=NOON,
        )
    with writing() as session:
        session.add(
            HouseholdMember(
                member_id=street.secretary,
                household_id=household_id,
                added_by_id=street.family[0],
                added_at=NOON,
            )
        )
    for change in (add_to_household, remove_from_household):
        with pytest.raises(OwnHousehold), writing() as session:
            change(
                session,
                actor=street.actor,
                household_id=household_id,
                member_id=street.family[1],
                now=NOON,
            )


def test_both_people_are_within_the_scope(writing, street):
    with pytest.raises(MemberNotFound), writing() as session:
        register(session, street, street.family[0], street.stranger)
    with writing() as session:
        household_id = register(session, street, *street.family[:2])
    with pytest.raises(MemberNotFound), writing() as session:
        add_to_household(
            session,
            actor=street.actor,
            household_id=household_id,
            member_id=street.stranger,
            now=NOON,
        )
    outsider = Actor(street.secretary, "", 0, 0, (Grant("secretary", "/999/"),))
    with pytest.raises(HouseholdNotFound), writing() as session:
        remove_from_household(
            session,
            actor=outsider,
            household_id=household_id,
            member_id=street.family[0],
            now=NOON,
        )


def test_whoever_was_taken_out_can_be_registered_elsewhere(writing, street):
    with writing() as session:
        household_id = register(session, street, *street.family[:2])
        remove_from_household(
            session,
            actor=street.actor,
            household_id=household_id,
            member_id=street.family[1],
            now=NOON,
        )
        register(session, street, *street.family[1:])
        assert household_of(session, street.family[0]).member_ids == (street.family[0],)
    with pytest.raises(MemberNotFound), writing() as session:
        remove_from_household(
            session,
            actor=street.actor,
            household_id=household_id,
            member_id=street.family[1],
            now=NOON,
        )


def test_a_number_joins_a_household_or_makes_one(writing, street):
    with writing() as session:
        numbers = [session.get_one(Member, each).volunteer_no for each in street.family]
        first = street.family[0]
        made = [
            join_by_number(
                session, actor=street.actor, member_id=first, volunteer_no=number, now=NOON
            )
            for number in numbers[1:]
        ]
        assert made[0] == made[1]
        assert set(household_of(session, first).member_ids) == set(street.family)
    with pytest.raises(MemberNotFound), writing() as session:
        join_by_number(
            session, actor=street.actor, member_id=first, volunteer_no="12345678", now=NOON
        )


def test_two_desks_that_register_one_person_at_once_make_one_household(app, writing, street):
    first, second, third = street.family
    answers = race(
        app,
        [
            partial(run, lambda session, pair=pair: register(session, street, *pair))
            for pair in ((first, second), (first, third), (second, first), (third, first))
        ],
    )
    assert sum(isinstance(answer, int) for answer in answers) == 1, answers
    assert sum(isinstance(answer, AlreadyInHousehold) for answer in answers) == 3
    with writing() as session:
        assert (how_many(session, Household), how_many(session, HouseholdMember)) == (1, 2)


@pytest.mark.changes_schema
def test_without_the_key_of_the_table_one_person_is_in_two(app, writing, street):
    """Control: each looks whether the person has a household, then writes to a plain table."""
    with writing() as session:
        session.execute(text("CREATE TABLE loose (member_id INTEGER, household_id INTEGER)"))
    both_have_looked = threading.Barrier(2)

    def register_unguarded(household_id):
        with reading() as session:
            taken = session.scalar(text("SELECT COUNT(*) FROM loose"))
        both_have_looked.wait(MEET_SECONDS_MAX)
        if not taken:
            with transaction() as session:
                session.execute(
                    text("INSERT INTO loose VALUES (:member_id, :household_id)"),
                    {"member_id": street.family[0], "household_id": household_id},
                )

    assert race(app, [partial(register_unguarded, n) for n in (1, 2)]) == [None, None]
    with writing() as session:
        assert session.scalar(text("SELECT COUNT(*) FROM loose")) == 2


def test_programs_keep_households(keeper, street, app, client, writing):
    first, second, third = street.family
    made = keeper("POST", "/api/v1/households", 201, json={"member_ids": [first, second]})
    household_id = made.get_json()["id"]
    path = f"/api/v1/households/{household_id}/members"
    added = keeper("POST", path, 201, json={"member_id": third}).get_json()
    names = ["王*国", "李*兰", "王*"]
    assert [each["display_name"] for each in added["members"]] == names
    mine = client.get("/api/v1/me/household", headers=signed_in(app, second)).get_json()
    assert mine == added
    keeper("DELETE", f"{path}/{third}", 204)
    nothing = client.get("/api/v1/me/household", headers=signed_in(app, third)).get_json()
    assert nothing == {"id": None, "members": []}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "bad_fields"),
        ({"member_ids": []}, 422, "bad_fields"),
        ({"member_ids": [1]}, 422, "bad_fields"),
        ({"member_ids": ["1", "2"]}, 422, "bad_fields"),
        ({"member_ids": [1.5, 2]}, 422, "bad_fields"),
        ({"member_ids": [True, 2]}, 422, "bad_fields"),
        ({"member_ids": [0, 2]}, 422, "bad_fields"),
        ({"member_ids": [2**63, 2]}, 422, "bad_fields"),
        ({"member_ids": [None, 2]}, 422, "bad_fields"),
        ({"member_ids": list(range(1, 14))}, 422, "bad_fields"),
        ({"member_ids": "1,2"}, 422, "bad_fields"),
        ({"member_ids": [1, 2], "organization_id": 3}, 422, "bad_fields"),
        ({"member_ids": [999_999, 999_998]}, 404, "member_not_found"),
        ({"member_ids": [999_999, 999_999]}, 400, "household_too_small"),
    ],
)
@pytest.mark.engine("sqlite")
def test_bad_households_are_refused(keeper, body, status, code):
    assert keeper("POST", "/api/v1/households", status, json=body).get_json()["code"] == code


def test_the_page_of_a_person_keeps_the_household(keeper, street, writing):
    first, second, _ = street.family
    with writing() as session:
        number = session.get_one(Member, second).volunteer_no
        stranger = session.get_one(Member, street.stranger).volunteer_no
    assert "还没有登记家庭" in keeper("GET", f"/members/{first}", 200).text
    refused = keeper(
        "POST", f"/members/{first}/household", 404, data={"household_no": stranger}
    )
    assert f'value="{stranger}"' in refused.text
    assert "没有这个成员" in refused.text or "没有这个人" in refused.text
    keeper("POST", f"/members/{first}/household", 302, data={"household_no": number})
    page = keeper("GET", f"/members/{first}", 200).text
    assert "李秀兰" in page
    keeper("POST", f"/members/{first}/household/{second}/removal", 302)
    with writing() as session:
        assert household_of(session, second) is None


def test_a_member_sees_masked_names_of_the_own_household(app, client, street, writing):
    with writing() as session:
        register(session, street, *street.family[:2])
    with time_machine.travel(NOON, tick=False):
        headers = signed_in(app, street.family[0])
        page = client.get("/me", headers=headers).text
        alone = client.get("/me", headers=signed_in(app, street.family[2])).text
    assert "李*兰" in page
    assert "李秀兰" not in page
    assert "户口簿" in alone


def test_the_audit_names_nobody(writing, street):
    with writing() as session:
        register(session, street, *street.family[:2])
        facts = session.scalar(
            select(func.max(AuditEntry.id)).where(AuditEntry.subject_kind == "household")
        )
        assert "王" not in str(session.get_one(AuditEntry, facts).facts)
