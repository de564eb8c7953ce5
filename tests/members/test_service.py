"""Taking people in, giving and taking roles, stopping accounts."""

import pytest
from sqlalchemy import select

from pointsbank.ledger.models import Account, Wallet
from pointsbank.members.errors import (
    BadRoleScope,
    PhoneTaken,
    RoleNotFound,
    VolunteerNoTaken,
)
from pointsbank.members.models import Member, MemberRole
from pointsbank.members.queries import display_names, member_in_scope, standing_roles
from pointsbank.members.service import (
    add_first_administrator,
    draw_volunteer_numbers,
    grant_role,
    withdraw_role,
)
from pointsbank.members.sessions import find_actor
from pointsbank.organizations.queries import organization_of
from tests.builders import a_member, a_merchant, a_token, an_organization, with_role


def test_a_new_member_has_a_number_and_an_empty_passbook(session):
    first = a_member(session, name="王桂兰")
    second = a_member(session, name="李强")
    numbers = list(session.scalars(select(Member.volunteer_no).order_by(Member.id)))
    assert numbers == ["10000001", "10000002"]
    wallet = session.execute(
        select(Wallet.posted, Wallet.held)
        .join(Account, Account.id == Wallet.account_id)
        .where(Account.code == f"member:{first}")
    ).one()
    assert tuple(wallet) == (0, 0)
    assert display_names(session, [first, second]) == {first: "王*兰", second: "李*"}


def test_a_number_brought_along_is_passed_over(session):
    a_member(session, volunteer_no="10000002")
    assert draw_volunteer_numbers(session, 3) == ["10000001", "10000003", "10000004"]


def test_a_phone_and_a_number_belong_to_one_person(session):
    a_member(session, phone="13800138000", volunteer_no="A1")
    with pytest.raises(PhoneTaken):
        a_member(session, phone="13800138000")
    with pytest.raises(VolunteerNoTaken):
        a_member(session, volunteer_no="A1")


def test_a_role_is_given_once_and_taken_back_with_all_sessions(session, now):
    member_id = a_member(session)
    place = an_organization(session)
    role_id = grant_role(
        session,
        member_id=member_id,
        role="organizer",
        organization_id=place,
        granted_by_id=None,
        now=now,
    )
    again = grant_role(
        session,
        member_id=member_id,
        role="organizer",
        organization_id=place,
        granted_by_id=None,
        now=now,
    )
    assert again == role_id
    token = a_token(session, member_id, now)
    actor = find_actor(session, token, now)
    assert actor is not None
    assert actor.paths("organizer") == (organization_of(session, place).path,)
    withdraw_role(session, member_id=member_id, role_id=role_id, withdrawn_by_id=None, now=now)
    assert find_actor(session, token, now) is None
    assert standing_roles(session, member_id) == []
    with pytest.raises(RoleNotFound):
        withdraw_role(
            session, member_id=member_id, role_id=role_id, withdrawn_by_id=None, now=now
        )


def test_a_clerk_needs_a_merchant_and_nobody_else_may_have_one(session, now):
    member_id = a_member(session)
    merchant_id = a_merchant(session)
    place = an_organization(session)
    for role, organization_id, at in [
        ("clerk", place, None),
        ("clerk", None, None),
        ("organizer", None, merchant_id),
        ("organizer", None, None),
        ("clerk", place, merchant_id),
        ("emperor", place, None),
    ]:
        with pytest.raises(BadRoleScope):
            grant_role(
                session,
                member_id=member_id,
                role=role,
                organization_id=organization_id,
                merchant_id=at,
                granted_by_id=None,
                now=now,
            )
    with_role(session, member_id, "clerk", merchant_id=merchant_id)
    actor = find_actor(session, a_token(session, member_id, now), now)
    assert actor is not None
    assert actor.merchant_ids() == (merchant_id,)
    assert actor.paths("clerk") == ()


def test_the_first_administrator_stands_over_everything(session, now):
    member_id = add_first_administrator(
        session,
        name="管理员",
        phone="13900000001",
        password_hash="x",
        handle=b"12345",
        now=now,
        today=now.date(),
    )
    assert [role.path for role in standing_roles(session, member_id)] == ["/"]
    assert member_in_scope(session, ["/"], member_id).organization_code == "installation"
    place = an_organization(session)
    actor = find_actor(session, a_token(session, member_id, now), now)
    assert actor is not None
    assert actor.oversees(organization_of(session, place).path, "administrator")
    assert session.scalar(select(MemberRole.organization_id)) is None
