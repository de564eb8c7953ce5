"""Kept places and invitations over HTTP and on their pages."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import update

from pointsbank.tasks.models import Task
from tests.browsing import Browser, words_of
from tests.builders import (
    a_claim,
    a_member,
    a_shift,
    an_organization,
    signed_in,
    with_role,
)
from tests.moments import NOON
from tests.tasks.inviting_scene import IN_THREE_DAYS, a_scene, an_invitation, kept


@pytest.fixture(autouse=True)
def _at_noon():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def scene(writing):
    with writing() as session:
        return a_scene(session, places=4)


@pytest.fixture
def secretary(app, scene):
    return signed_in(app, scene.secretary_id)


@pytest.fixture
def volunteer(app, writing, scene):
    """A person of the branch: their id, and their headers."""
    with writing() as session:
        member_id = a_member(session, organization_id=scene.branch_id)
    return member_id, signed_in(app, member_id)


def test_a_branch_brings_people_by_their_own_word(client, scene, secretary, volunteer):
    member_id, me = volunteer
    keeping = {"organization_code": scene.code, "places": 3}
    made = client.post(
        f"/api/v1/shifts/{scene.shift_id}/groups", json=keeping, headers=secretary
    )
    assert (made.status_code, made.json["places"], made.json["taken"]) == (201, 3, 0)
    group = f"/api/v1/groups/{made.json['id']}"
    asked = client.post(
        f"{group}/invitations", json={"member_ids": [member_id]}, headers=secretary
    )
    assert asked.json == {"items": [{"member_id": member_id, "state": "invited"}]}
    (waiting,) = client.get("/api/v1/me/invitations", headers=me).json["items"]
    assert (waiting["title"], waiting["is_eligible"], waiting["missing"]) == (
        "河道清洁",
        True,
        [],
    )
    assert client.get("/api/v1/me/claims", headers=me).json["items"] == []
    address = f"/api/v1/invitations/{waiting['id']}/acceptance"
    claimed = client.post(address, headers=me)
    assert (claimed.status_code, claimed.json["state"]) == (201, "claimed")
    assert client.post(address, headers=me).json["id"] == claimed.json["id"]
    assert client.get(group, headers=secretary).json["taken"] == 1
    assert client.get("/api/v1/me/invitations", headers=me).json["items"] == []
    released = client.post(f"{group}/release", headers=secretary)
    assert released.json["released_at"] is not None
    again = client.post(
        f"{group}/invitations", json={"member_ids": [member_id]}, headers=secretary
    )
    assert (again.status_code, again.json["code"]) == (409, "group_released")


def test_too_many_places_are_refused_with_how_many_are_free(client, scene, secretary):
    answer = client.post(
        f"/api/v1/shifts/{scene.shift_id}/groups",
        json={"organization_code": scene.code, "places": 5},
        headers=secretary,
    )
    assert (answer.status_code, answer.json["code"], answer.json["free"]) == (
        409,
        "places_not_free",
        4,
    )
    for bad in ({"places": 0}, {"places": 201}, {"places": "3"}, {"role_id": 0}, {"why": 1}):
        body = {"organization_code": scene.code, "places": 2, **bad}
        answer = client.post(
            f"/api/v1/shifts/{scene.shift_id}/groups", json=body, headers=secretary
        )
        assert answer.status_code == 422, bad


def test_who_lacks_something_is_told_what(client, app, writing, scene):
    with writing() as session:
        rule = {"rule": "kind", "in": ["party_member"]}
        session.execute(update(Task).values(eligibility=rule))
        member_id, invitation_id = an_invitation(session, scene)
    me = signed_in(app, member_id)
    (waiting,) = client.get("/api/v1/me/invitations", headers=me).json["items"]
    assert (waiting["is_eligible"], waiting["missing"]) == (False, [rule])
    refused = client.post(f"/api/v1/invitations/{invitation_id}/acceptance", headers=me)
    assert (refused.status_code, refused.json["code"]) == (403, "not_eligible")
    assert refused.json["missing"] == waiting["missing"]
    assert "党员" in client.get("/my-invitations", headers=me).text


def test_an_organizer_invites_within_their_scope(client, app, writing):
    with writing() as session:
        organizer = with_role(session, a_member(session, "李敏"), "organizer")
        shift_id = a_shift(session, IN_THREE_DAYS)
        mine, taken = a_member(session), a_member(session)
        a_claim(session, shift_id, taken)
        elsewhere = a_member(session, organization_id=an_organization(session, "140303006001"))
    headers = signed_in(app, organizer)
    path = f"/api/v1/shifts/{shift_id}/invitations"
    sent = client.post(path, json={"member_ids": [mine, taken]}, headers=headers)
    assert [each["state"] for each in sent.json["items"]] == ["invited", "has_place"]
    (line,) = client.get(path, headers=headers).json["items"]
    assert (line["display_name"], line["state"]) == ("王*兰", "open")
    late = {"member_ids": [mine], "answer_by": (NOON - timedelta(hours=1)).isoformat()}
    refused = client.post(path, json=late, headers=headers)
    assert (refused.status_code, refused.json["code"]) == (400, "bad_answer_by")
    outside = client.post(path, json={"member_ids": [elsewhere]}, headers=headers)
    assert (outside.status_code, outside.json["code"]) == (404, "member_not_found")


def test_the_pages_of_a_branch(app, writing, scene):
    with writing() as session:
        person = a_member(session, "孙立新", organization_id=scene.branch_id)
    secretary, volunteer = Browser(app, scene.secretary_id), Browser(app, person)
    assert "还没有预留名额" in words_of(secretary.open("/groups"))
    plan = secretary.open(f"/shifts/{scene.shift_id}/group")
    group = secretary.send(
        secretary.form(plan, "/groups"), organization_code=scene.code, places=3
    )
    assert "名额已预留" in words_of(group)
    assert "孙*新" in words_of(group)
    assert "孙立新" not in group.text
    asked = secretary.send(secretary.form(group, "/invitations"), member_id=person)
    assert "邀请已送达" in words_of(asked)
    waiting = volunteer.open("/my-invitations")
    assert "给您留了名额" in words_of(waiting)
    done = volunteer.send(volunteer.form(waiting, "/acceptance"))
    assert "已经记下" in words_of(done)
    assert "没有等您答复的邀请" in words_of(volunteer.open("/my-invitations"))
    assert "1/3" in words_of(secretary.open("/groups"))
    gone = secretary.send(secretary.form(group, "/release"))
    assert "已开放给大家" in words_of(gone)


def test_declining_on_the_page(app, writing, scene):
    with writing() as session:
        group_id = kept(session, scene, 2)
        member_id, _ = an_invitation(session, scene, group_id)
    browser = Browser(app, member_id)
    page = browser.open("/my-invitations")
    assert "不扣任何分" in words_of(browser.send(browser.form(page, "/decline")))


def test_an_unknown_number_is_said_so(app, writing):
    with writing() as session:
        organizer = with_role(session, a_member(session, "李敏"), "organizer")
        shift_id = a_shift(session, IN_THREE_DAYS)
    browser = Browser(app, organizer)
    form = browser.form(browser.open(f"/shifts/{shift_id}/invitations"), "/invitations")
    assert "没有这个编号的人" in words_of(browser.send(form, volunteer_no="nobody"))
