"""The JSON door of people: codes, search, roles, cards, and what one sees of oneself."""

from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
import time_machine
from sqlalchemy import select

from pointsbank.core.audit import AuditEntry
from pointsbank.core.codes import read_code
from pointsbank.ledger.posting import Posting
from pointsbank.ledger.service import open_account, post
from pointsbank.members.codes import (
    number_of_digits,
    number_of_redemption,
    personal_key,
    read_personal,
)
from pointsbank.members.models import Member, RedemptionCode
from pointsbank.members.queries import standing_roles
from pointsbank.members.showing import member_of_card, use_redemption_code
from tests.builders import (
    a_branch,
    a_member,
    a_merchant,
    an_organization,
    how_many,
    signed_in,
    with_role,
)
from tests.moments import NOON


class World:
    """Two streets: an administrator of the first, its people, and a stranger of the second."""

    def __init__(self, app, writing):
        self.app = app
        with writing() as session:
            top = an_organization(session, "top", "district")
            self.mine = an_organization(session, "mine", "street", parent=top)
            self.other = an_organization(session, "other", "street", parent=top)
            self.root = with_role(
                session, a_member(session, "根", organization_id=top), "administrator"
            )
            self.boss = with_role(
                session,
                a_member(session, "陈主任", organization_id=self.mine),
                "administrator",
                self.mine,
            )
            self.secretary = with_role(
                session,
                a_member(session, "陈书记", organization_id=self.mine),
                "secretary",
                self.mine,
            )
            self.organizer = with_role(
                session,
                a_member(session, "李敏", organization_id=self.mine),
                "organizer",
                self.mine,
            )
            self.member = a_member(
                session,
                "王桂兰",
                organization_id=self.mine,
                phone="13800138000",
                volunteer_no="V1",
            )
            self.stranger = a_member(
                session,
                "王小花",
                organization_id=self.other,
                phone="13800138001",
                volunteer_no="V2",
            )
            self.my_shop = a_merchant(session, organization_id=self.mine)
            self.other_shop = a_merchant(session, organization_id=self.other)

    def headers(self, name):
        return signed_in(self.app, getattr(self, name))


@pytest.fixture
def world(app, writing):
    return World(app, writing)


def test_an_attendance_code_is_made_for_this_moment(client, world, settings, writing):
    headers = world.headers("member")
    with time_machine.travel(datetime.now(UTC).replace(second=7, microsecond=0), tick=False):
        answer = client.post("/api/v1/me/codes", json={"purpose": "attend"}, headers=headers)
        code = answer.json
        assert answer.status_code == 201
        assert "digits" not in code
        assert code["refresh_seconds"] == 23
    with writing() as session:
        handle = session.scalar(select(Member.handle).where(Member.id == world.member))
        assert how_many(session, RedemptionCode) == 0
    read = read_code(code["url"])
    assert read.text == code["code"]
    assert read_personal(read).handle == bytes(handle)
    assert read.is_genuine(personal_key(settings.secret_key, bytes(handle)))


def test_a_redemption_code_is_drawn_and_its_three_forms_agree(client, world, settings, writing):
    headers = world.headers("member")
    code = client.post("/api/v1/me/codes", json={"purpose": "redeem"}, headers=headers).json
    assert code["refresh_seconds"] == 60
    number = number_of_digits(code["digits"])
    assert number == number_of_redemption(read_code(code["code"]))
    assert number == number_of_redemption(read_code(code["url"]))
    now = datetime.fromisoformat(code["expires_at"]) - timedelta(seconds=1)
    with writing() as session:
        used_by = use_redemption_code(
            session, text=code["url"], secret=settings.secret_key, now=now
        )
    assert used_by == world.member


@pytest.mark.parametrize("body", [{}, {"purpose": "pay"}, {"purpose": "attend", "for": 7}])
def test_a_code_needs_a_purpose(client, world, body):
    answer = client.post("/api/v1/me/codes", json=body, headers=world.headers("member"))
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("who", "words", "found"),
    [
        ("boss", {"phone": "138 0013 8000"}, ["V1"]),
        ("boss", {"phone": "13800138001"}, []),
        ("boss", {"phone": "no phone"}, []),
        ("boss", {"name": "王"}, ["V1"]),
        ("boss", {"name": "%"}, []),
        ("secretary", {"volunteer_no": "V1"}, ["V1"]),
        ("secretary", {"volunteer_no": "V2"}, []),
        ("secretary", {"volunteer_no": "V1", "name": "李"}, []),
        ("root", {"name": "王"}, ["V1", "V2"]),
    ],
)
def test_people_are_found_within_scope(client, world, who, words, found):
    answer = client.post("/api/v1/members/search", json=words, headers=world.headers(who))
    assert [item["volunteer_no"] for item in answer.json["items"]] == found
    assert answer.json["next"] is None


def test_who_may_search_reads_full_names_and_masked_phones(client, world):
    answer = client.post(
        "/api/v1/members/search", json={"name": "桂兰"}, headers=world.headers("secretary")
    )
    item = answer.json["items"][0]
    assert (item["name"], item["organization_code"], item["kind"]) == (
        "王桂兰",
        "mine",
        "volunteer",
    )
    assert item["masked_phone"] == "138****8000"
    assert "13800138000" not in answer.text


def test_a_search_goes_on_where_it_ended(client, world):
    headers, names, cursor = world.headers("root"), [], None
    while True:
        body = {"name": "王", "limit": 1, **({"cursor": cursor} if cursor else {})}
        page = client.post("/api/v1/members/search", json=body, headers=headers).json
        names += [item["name"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert names == ["王桂兰", "王小花"]


@pytest.mark.parametrize("body", [{}, {"limit": 5}, {"name": ""}, {"name": "王", "limit": 201}])
def test_a_search_for_everyone_is_refused(client, world, body):
    answer = client.post("/api/v1/members/search", json=body, headers=world.headers("boss"))
    assert answer.status_code == 422


def give(client, headers, whom, **body):
    return client.post(f"/api/v1/members/{whom}/roles", json=body, headers=headers)


def test_a_role_is_given_seen_and_taken_back(client, world, writing):
    boss, member = world.headers("boss"), world.headers("member")
    given = give(client, boss, world.member, role="organizer", organization_code="mine")
    assert given.status_code == 201
    again = give(client, boss, world.member, role="organizer", organization_code="mine")
    assert again.json == given.json
    roles = client.get("/api/v1/me", headers=member).json["roles"]
    assert roles == [
        {
            "id": given.json["id"],
            "role": "organizer",
            "organization_code": "mine",
            "merchant_id": None,
        }
    ]
    path = f"/api/v1/members/{world.member}/roles/{given.json['id']}"
    assert client.delete(path, headers=boss).status_code == 204
    assert client.get("/api/v1/me", headers=member).status_code == 401
    assert client.delete(path, headers=boss).status_code == 404
    with writing() as session:
        acts = list(
            session.scalars(
                select(AuditEntry.action)
                .where(AuditEntry.actor_id == world.boss)
                .order_by(AuditEntry.id)
            )
        )
    assert acts == ["grant_role", "withdraw_role"]


def test_a_clerk_is_given_a_merchant(client, world):
    answer = give(
        client, world.headers("boss"), world.member, role="clerk", merchant_id=world.my_shop
    )
    assert answer.status_code == 201
    roles = client.get("/api/v1/me", headers=world.headers("member")).json["roles"]
    assert [(role["role"], role["merchant_id"]) for role in roles] == [("clerk", world.my_shop)]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"role": "organizer", "organization_code": "other"}, 404, "organization_not_found"),
        ({"role": "organizer", "organization_code": "top"}, 404, "organization_not_found"),
        ({"role": "organizer", "organization_code": "zzz"}, 404, "organization_not_found"),
        ({"role": "administrator"}, 400, "bad_role_scope"),
        ({"role": "clerk", "organization_code": "mine"}, 400, "bad_role_scope"),
        ({"role": "organizer", "organization_code": "mine", "merchant_id": 1}, 400, None),
        ({"role": "emperor", "organization_code": "mine"}, 422, "bad_fields"),
        ({"role": "organizer", "organization_code": "mine", "member_id": 1}, 422, "bad_fields"),
        ({"role": "clerk", "merchant_id": 10**30}, 422, "bad_fields"),
        ({"role": "clerk", "merchant_id": True}, 422, "bad_fields"),
        ({"role": "clerk", "merchant_id": 10**12}, 404, "merchant_not_found"),
    ],
)
def test_a_role_outside_the_scope_is_refused(client, world, body, status, code):
    answer = give(client, world.headers("boss"), world.member, **body)
    assert answer.status_code == status
    assert code is None or answer.json["code"] == code


def test_nobody_gives_roles_to_strangers_or_at_foreign_merchants(client, world):
    boss = world.headers("boss")
    wanted = {"role": "organizer", "organization_code": "mine"}
    for member_id in (world.stranger, world.root, 10**9):
        assert give(client, boss, member_id, **wanted).json["code"] == "member_not_found"
    at = {"role": "clerk", "merchant_id": world.other_shop}
    assert give(client, boss, world.member, **at).json["code"] == "merchant_not_found"


def test_a_role_above_ones_own_is_not_taken_back(client, world, writing):
    with writing() as session:
        with_role(session, world.member, "administrator")
        role_id = standing_roles(session, world.member)[0].id
    path = f"/api/v1/members/{world.member}/roles/{role_id}"
    assert client.delete(path, headers=world.headers("boss")).status_code == 404
    suspension = f"/api/v1/members/{world.member}/suspension"
    stopped = client.post(suspension, headers=world.headers("boss"))
    assert (stopped.status_code, stopped.json["code"]) == (403, "not_over_this_person")
    assert client.delete(path, headers=world.headers("root")).status_code == 204
    assert client.post(suspension, headers=world.headers("boss")).status_code == 200


def test_an_account_is_stopped_at_once_and_opened_again(client, world):
    boss, member = world.headers("boss"), world.headers("member")
    path = f"/api/v1/members/{world.member}/suspension"
    for _ in range(2):
        answer = client.post(path, headers=boss)
        assert (answer.status_code, answer.json["state"]) == (200, "suspended")
    assert client.get("/api/v1/me", headers=member).status_code == 401
    assert client.delete(path, headers=boss).json["state"] == "active"
    assert client.get("/api/v1/me", headers=member).status_code == 401
    assert client.get("/api/v1/me", headers=world.headers("member")).status_code == 200
    own = client.post(f"/api/v1/members/{world.boss}/suspension", headers=boss)
    assert (own.status_code, own.json["code"]) == (403, "not_oneself")
    foreign = client.post(f"/api/v1/members/{world.stranger}/suspension", headers=boss)
    assert foreign.status_code == 404


def test_a_card_is_issued_once_shown_and_revoked(client, world, settings, writing):
    organizer = world.headers("organizer")
    path = f"/api/v1/members/{world.member}/cards"
    issued = client.post(path, json={"pin": "246810"}, headers=organizer)
    assert issued.status_code == 201
    assert read_code(issued.json["url"]).text == issued.json["code"]

    def owner():
        with writing() as session:
            return member_of_card(
                session, text=issued.json["code"], secret=settings.secret_key, now=NOON
            )

    assert owner() == world.member
    card = f"{path}/{issued.json['id']}"
    assert client.delete(card, headers=world.headers("boss")).status_code == 204
    assert client.delete(card, headers=organizer).status_code == 404
    assert client.post(path, json={}, headers=organizer).status_code == 201
    assert client.post(path, headers=organizer).status_code == 201


@pytest.mark.parametrize(
    "pin", ["12345", "1234567", "12345a", "１２３４５６", "123456\n", 123456]
)
def test_a_card_takes_six_plain_digits(client, world, pin):
    answer = client.post(
        f"/api/v1/members/{world.member}/cards",
        json={"pin": pin},
        headers=world.headers("organizer"),
    )
    assert answer.status_code == 422


def test_a_card_of_a_stranger_or_a_higher_person_is_not_issued(client, world, writing):
    organizer = world.headers("organizer")

    def issue(member_id):
        path = f"/api/v1/members/{member_id}/cards"
        return client.post(path, json={}, headers=organizer).status_code

    assert [issue(each) for each in (world.stranger, world.root, 10**9)] == [404, 404, 404]
    with writing() as session:
        with_role(session, world.member, "administrator")
    assert issue(world.member) == 403


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/organizations/import", {"root", "boss"}),
        ("POST", "/members/import", {"root", "boss", "secretary"}),
        ("POST", "/members/search", {"root", "boss", "secretary"}),
        ("POST", "/members/{member}/roles", {"root", "boss", "secretary"}),
        ("DELETE", "/members/{member}/roles/1", {"root", "boss", "secretary"}),
        ("POST", "/members/{member}/cards", {"root", "boss", "organizer"}),
        ("DELETE", "/members/{member}/cards/1", {"root", "boss", "organizer"}),
        ("POST", "/members/{member}/suspension", {"root", "boss"}),
        ("POST", "/merchants", {"root", "boss"}),
        ("GET", "/me", {"root", "boss", "secretary", "organizer", "member"}),
        ("POST", "/me/codes", {"root", "boss", "secretary", "organizer", "member"}),
    ],
)
def test_doors_open_to_their_roles_only(client, world, method, path, allowed):
    """Whoever is let in meets the form's own judgement; nobody else gets so far."""
    address = f"/api/v1{path.format(member=world.member)}"
    people = ("root", "boss", "secretary", "organizer", "member")
    entered = {
        name
        for name in people
        if client.open(address, method=method, headers=world.headers(name)).status_code
        not in (401, 403)
    }
    assert entered == allowed
    stranger = client.open(address, method=method, headers={"Authorization": "Bearer x"})
    assert stranger.status_code == 401


@pytest.mark.parametrize("role", ["organizer", "secretary", "administrator", "auditor"])
def test_a_secretary_gives_no_role_but_the_committees(client, world, role):
    answer = client.post(
        f"/api/v1/members/{world.member}/roles",
        json={"role": role, "organization_code": "mine"},
        headers=world.headers("secretary"),
    )
    assert answer.status_code in (403, 404), answer.text


def test_me_shows_points_minutes_and_branch(client, app, writing):
    with writing() as session:
        branch = a_branch(session)
        group = an_organization(session, "g1", "party_group", parent=branch)
        member_id = a_member(session, organization_id=group)
        open_account(session, code="issue:test", kind="issue")
        post(
            session,
            Posting(
                key="test:1",
                kind="earn",
                source="issue:test",
                target=f"member:{member_id}",
                wallet=f"member:{member_id}",
                points=325,
                occurred_at=NOON,
                reason="河道清洁",
                expires_on=datetime(2027, 12, 31, tzinfo=UTC).date(),
                budget_month="2026-11",
            ),
            NOON,
        )
    me = client.get("/api/v1/me", headers=signed_in(app, member_id)).json
    assert me["points"] == {
        "available": 325,
        "held": 0,
        "expiring": [{"expires_on": "2027-12-31", "points": 325}],
    }
    assert (me["branch_id"], me["organization_id"], me["grid_id"]) == (branch, group, None)
    assert (me["display_name"], me["service_minutes"], me["roles"]) == ("王*兰", 0, [])
    with writing() as session:
        alone = a_member(session)
    assert client.get("/api/v1/me", headers=signed_in(app, alone)).json["branch_id"] is None


def test_a_secretary_imports_into_their_own_branch(client, world):
    text = "name,phone,organization_code,kind\n甲,13700137000,{},volunteer\n"
    headers = world.headers("secretary")

    def send(code, query=""):
        return client.post(
            f"/api/v1/members/import{query}",
            data={"file": (BytesIO(text.format(code).encode()), "people.csv")},
            headers=headers,
        ).json

    assert send("other")["created"] == 0
    assert send("mine", "?dry_run=true")["created"] == 1
    assert send("mine")["created"] == 1
    assert send("mine")["unchanged"] == 1
