"""A move between branches by those who look after both ends, over the API and on the page."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from pointsbank.core.audit import AuditEntry
from pointsbank.members.errors import (
    BadMoveDay,
    MemberNotFound,
    MoveOneself,
    NotAGrid,
    NotAHome,
)
from pointsbank.members.moving import Move, move
from pointsbank.members.queries import member_of, stays_of
from pointsbank.organizations.errors import OrganizationNotFound
from pointsbank.organizations.queries import organization_of
from tests.builders import a_branch, a_member, a_token, an_organization, with_role
from tests.moments import NOON
from tests.scoring.hands import actor_of, some_hands

TODAY = NOON.date()


@pytest.fixture
def hands(session):
    return some_hands(session)


def moved(session, by, member_id, place, grid=None, on=TODAY):
    wanted = Move(
        member_id,
        organization_of(session, place).code,
        grid and organization_of(session, grid).code,
        on,
    )
    return move(session, wanted, actor=actor_of(session, by), today=TODAY, now=NOON)


def test_an_administrator_over_both_ends_moves_a_member(session, hands):
    other = a_branch(session, "B2", hands.community_id)
    grid = an_organization(session, "G1", "grid", hands.community_id, "第一网格")
    moved(session, hands.administrator_id, hands.member_id, other, grid)
    found = member_of(session, hands.member_id)
    assert (found.organization_id, found.grid_id) == (other, grid)
    assert [stay.grid for stay in stays_of(session, hands.member_id)] == ["第一网格"]
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "move_member")).one()
    assert entry.actor_id == hands.administrator_id
    moved(session, hands.administrator_id, hands.member_id, other, grid)
    assert (
        len(
            session.scalars(
                select(AuditEntry.id).where(AuditEntry.action == "move_member")
            ).all()
        )
        == 1
    )


def test_a_secretary_cannot_give_a_member_away_nor_fetch_one(session, hands):
    other = a_branch(session, "B2", hands.community_id)
    stranger = a_member(session, organization_id=other)
    with pytest.raises(OrganizationNotFound):
        moved(session, hands.secretary_id, hands.member_id, other)
    with pytest.raises(MemberNotFound):
        moved(session, hands.secretary_id, stranger, hands.branch_id)
    with pytest.raises(MoveOneself):
        moved(session, hands.secretary_id, hands.secretary_id, hands.branch_id)
    both = with_role(session, a_member(session), "secretary", hands.community_id)
    moved(session, both, hands.member_id, other)
    assert member_of(session, hands.member_id).organization_id == other


def test_a_move_is_dated_in_this_year_and_to_a_home(session, hands):
    other = a_branch(session, "B2", hands.community_id)
    grid = an_organization(session, "G1", "grid", hands.community_id, "第一网格")
    by = hands.administrator_id
    for on in (TODAY + timedelta(days=1), TODAY.replace(year=2025)):
        with pytest.raises(BadMoveDay):
            moved(session, by, hands.member_id, other, on=on)
    with pytest.raises(NotAHome):
        moved(session, by, hands.member_id, grid)
    with pytest.raises(NotAGrid):
        moved(session, by, hands.member_id, other, other)


@pytest.mark.usefixtures("at_noon")
def test_over_the_api_the_answer_is_where_they_belonged(client, writing):
    with writing() as session:
        hands = some_hands(session)
        other = a_branch(session, "B2", hands.community_id)
        code = organization_of(session, other).code
        token = a_token(session, hands.administrator_id)
    headers = {"Authorization": f"Bearer {token}"}
    path = f"/api/v1/members/{hands.member_id}/moves"
    answer = client.post(path, json={"organization_code": code}, headers=headers)
    assert answer.status_code == 200, answer.text
    newest = answer.json["items"][0]
    assert (newest["organization_code"], newest["until_on"]) == (code, None)
    assert client.get(path, headers=headers).json == answer.json
    early = {"organization_code": code, "on": "2020-01-01"}
    refused = client.post(path, json=early, headers=headers)
    assert (refused.status_code, refused.json["code"]) == (400, "bad_move_day")
