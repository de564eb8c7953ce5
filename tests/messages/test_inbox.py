"""What is told once, to whom, and what reading it marks."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from pointsbank.core.db import transaction
from pointsbank.members.models import MemberRole
from pointsbank.members.queries import role_holders_over
from pointsbank.members.service import suspend_member
from pointsbank.messages.models import Message
from pointsbank.messages.queries import UNREAD_COUNTED_MAX, inbox, newest_id, unread_count
from pointsbank.messages.service import mark_read, tell, tell_each
from pointsbank.organizations.models import Organization
from tests.builders import a_branch, a_member, an_organization, how_many, with_role
from tests.moments import NOON
from tests.racing import race, times

FACTS = {"points": 20, "expires_on": "2027-01-20"}


def told(session, member_id, key="expiry:1:2027-01-20:60", now=NOON):
    return tell(
        session, key=key, member_id=member_id, kind="points_expire", facts=FACTS, now=now
    )


def test_a_message_is_told_once_whatever_comes_with_its_key(session):
    member = a_member(session)
    assert told(session, member)
    assert not told(session, member, now=NOON + timedelta(days=3))
    assert not tell(
        session,
        key="expiry:1:2027-01-20:60",
        member_id=a_member(session),
        kind="points_expire",
        facts={"points": 1, "expires_on": "2027-01-01"},
        now=NOON,
    )
    lines = inbox(session, member)
    assert [(line.facts, line.told_at, line.read_at) for line in lines] == [(FACTS, NOON, None)]
    assert how_many(session, Message) == 1


def test_several_are_told_each_once(session):
    people = [a_member(session) for _ in range(3)]
    asked = {"kind": "adjustment_asked", "facts": {}, "now": NOON}
    assert tell_each(session, key="adjustment:7", member_ids=people[:2], **asked) == 2
    assert tell_each(session, key="adjustment:7", member_ids=people * 2, **asked) == 1
    keys = session.scalars(select(Message.key).order_by(Message.id)).all()
    assert keys == [f"adjustment:7:{member}" for member in people]


def test_the_newest_stands_first_and_pages_follow(session):
    member = a_member(session)
    told(session, a_member(session), "other")
    for number in range(5):
        told(session, member, f"key:{number}")
    ids = [line.id for line in inbox(session, member)]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 5
    first = inbox(session, member, limit=2)
    rest = inbox(session, member, before_id=first[-1].id)
    assert [line.id for line in [*first, *rest]] == ids
    assert newest_id(session, member) == ids[0]
    assert newest_id(session, a_member(session)) == 0


def test_reading_marks_what_was_on_the_page_and_nobody_elses(session):
    member, other = a_member(session), a_member(session)
    for number in range(4):
        told(session, member, f"key:{number}")
    told(session, other, "theirs")
    up_to = inbox(session, member)[1].id
    mark_read(session, member_id=member, up_to_id=up_to, now=NOON)
    assert [line.read_at for line in inbox(session, member)] == [None, NOON, NOON, NOON]
    assert (unread_count(session, member), unread_count(session, other)) == (1, 1)
    later = NOON + timedelta(hours=1)
    mark_read(session, member_id=member, up_to_id=newest_id(session, member), now=later)
    assert [line.read_at for line in inbox(session, member)] == [later, NOON, NOON, NOON]
    assert unread_count(session, member) == 0


def test_unread_messages_are_counted_up_to_a_limit(session):
    member = a_member(session)
    for number in range(UNREAD_COUNTED_MAX + 3):
        told(session, member, f"key:{number}")
    assert unread_count(session, member) == UNREAD_COUNTED_MAX


def test_of_many_who_tell_the_same_at_once_one_does_and_none_fails(app, writing):
    with writing() as session:
        member = a_member(session)

    def tell_it():
        with transaction() as session:
            return told(session, member)

    answers = race(app, times(8, tell_it))
    assert sorted(answers) == [False] * 7 + [True]
    with writing() as session:
        assert how_many(session, Message) == 1


@pytest.fixture
def tree(session):
    """A community under a district, its branch, and a community beside it."""
    district = an_organization(session, "140303", "district")
    community = an_organization(session, None, "community", district)
    beside = an_organization(session, "140303009", "community", district)
    return {
        "district": district,
        "community": community,
        "branch": a_branch(session, "B1", community),
        "beside": beside,
    }


def test_those_who_hold_a_role_over_an_organization_are_found(session, tree):
    path = session.get_one(Organization, tree["branch"]).path
    first = with_role(session, a_member(session), "administrator")
    over_all = with_role(session, a_member(session), "administrator", tree["district"])
    own = with_role(session, a_member(session), "secretary", tree["branch"])
    with_role(session, a_member(session), "secretary", tree["beside"])
    with_role(session, a_member(session), "organizer", tree["community"])
    gone = with_role(session, a_member(session), "administrator", tree["district"])
    withdrawn(session, gone)
    found = role_holders_over(session, path, ("administrator", "secretary"))
    assert found == sorted([first, over_all, own])
    above = session.get_one(Organization, tree["district"]).path
    assert role_holders_over(session, above, ("secretary",)) == []


def withdrawn(session, member_id):
    """Take every role of a member back."""
    session.execute(
        update(MemberRole).where(MemberRole.member_id == member_id).values(withdrawn_at=NOON)
    )


def test_a_stopped_account_and_two_roles_are_not_counted_twice(session, tree):
    path = session.get_one(Organization, tree["branch"]).path
    twice = with_role(session, a_member(session), "secretary", tree["branch"])
    with_role(session, twice, "secretary", tree["community"])
    stopped = with_role(session, a_member(session), "secretary", tree["branch"])
    suspend_member(
        session, member_id=stopped, suspended_by_id=twice, now=NOON, today=NOON.date()
    )
    assert role_holders_over(session, path, ("secretary",)) == [twice]
