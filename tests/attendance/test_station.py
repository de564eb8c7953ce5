"""What a station takes along: small, one shift's, noted, and gone two hours after the end."""

import base64
import hmac
import json
from datetime import datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from pointsbank.attendance.codes import look_at
from pointsbank.attendance.snapshot import FIELDS, KEPT_HOURS, number_key
from pointsbank.core.audit import AuditEntry
from pointsbank.core.codes import Purpose, read_code, seal
from pointsbank.core.keys import draw_bytes
from pointsbank.members.codes import (
    CARD_NUMBER_BYTES,
    STEP_BYTES,
    card_key,
    card_text,
    personal_key,
    step_at,
)
from pointsbank.members.models import Member
from pointsbank.members.showing import issue_card, revoke_card
from pointsbank.tasks.models import Claim, Shift, ShiftRole
from tests.attendance.scene import ENDS, SECRET, STARTS
from tests.builders import a_member, a_shift, an_organization, signed_in, with_role
from tests.counting import statements_of
from tests.moments import NOON

SNAPSHOT_BYTES_MAX = 100_000
CROWD = 500


@pytest.fixture(autouse=True)
def clock():
    """The clock on the wall, standing at the beginning of the shift."""
    with time_machine.travel(STARTS, tick=False) as traveller:
        yield traveller


@pytest.fixture
def fetch(app, client, scene):
    """Ask for a shift's snapshot, as its organizer unless somebody else is given."""

    def ask(who=None, shift_id=None, device="phone-1"):
        headers = signed_in(app, (who or scene.organizer).member_id)
        path = f"/api/v1/shifts/{shift_id or scene.shift_id}/station"
        return client.post(path, json={"device_id": device}, headers=headers)

    return ask


def unwritten(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def people_of(snapshot: dict) -> list[dict]:
    return [dict(zip(snapshot["fields"], row, strict=True)) for row in snapshot["people"]]


def a_crowd(session, shift_id: int, people: int) -> None:
    """Claim a shift for many, row by row as a busy month would have left them."""
    shift = session.get_one(Shift, shift_id)
    role_id = session.scalar(select(ShiftRole.id).where(ShiftRole.shift_id == shift_id))
    community = an_organization(session)
    members = [
        Member(
            volunteer_no=f"V{number:08d}",
            name="欧阳建国",
            kind="volunteer",
            organization_id=community,
            handle=draw_bytes(5),
            joined_at=NOON,
        )
        for number in range(people)
    ]
    session.add_all(members)
    session.flush()
    session.add_all(
        Claim(
            shift_id=shift_id,
            role_id=role_id,
            member_id=member.id,
            state="claimed",
            queue_no=place,
            claimed_at=NOON,
        )
        for place, member in enumerate(members, start=1)
    )
    shift.places = shift.claimed = people


def a_card(session, member_id: int, secret: str = SECRET) -> tuple[int, bytes]:
    """Return the id and the number of a new card."""
    number = draw_bytes(CARD_NUMBER_BYTES)
    return issue_card(
        session,
        member_id=member_id,
        number=number,
        pin=None,
        secret=secret,
        issued_by_id=None,
        now=NOON,
    ), number


def test_five_hundred_people_weigh_less_than_a_hundred_kilobytes(fetch, scene, app, writing):
    with writing() as session:
        shift_id = a_shift(session, organizer_id=scene.organizer.member_id, places=10)
        a_crowd(session, shift_id, CROWD)
        for member_id in session.scalars(select(Claim.member_id).limit(CROWD // 4)).all():
            a_card(session, member_id)
    with statements_of(app) as few:
        small = fetch()
    with statements_of(app) as many:
        large = fetch(shift_id=shift_id)
    assert len(people_of(small.get_json())) == 1
    assert len(people_of(large.get_json())) == CROWD
    assert len(large.data) < SNAPSHOT_BYTES_MAX, f"{len(large.data)} bytes"
    assert len(many) == len(few) <= 15, "as many statements for five hundred as for one"
    print(f"snapshot of {CROWD}: {len(large.data)} bytes, {len(many)} statements")  # noqa: T201


def test_a_personal_key_makes_this_shift_s_codes_and_no_others(fetch, scene, app):
    snapshot = fetch().get_json()
    secret = app.extensions["settings"].secret_key
    (person,) = people_of(snapshot)
    handle = scene.handles[scene.volunteer.member_id]
    assert unwritten(person["handle"]) == handle
    key = unwritten(person["key"])
    assert key == personal_key(secret, handle, scene.shift_handle)
    for shift_handle, is_genuine in ((scene.shift_handle, True), (bytes(5), False)):
        body = handle + shift_handle + step_at(STARTS).to_bytes(STEP_BYTES)
        forged = seal(Purpose.PERSONAL, body, key)
        assert look_at(forged, secret=secret, at=STARTS).is_genuine is is_genuine


def test_the_key_of_cards_finds_a_card_and_makes_none(fetch, scene, app, writing):
    secret = app.extensions["settings"].secret_key
    owner = scene.volunteer.member_id
    with writing() as session:
        _, number = a_card(session, owner, secret)
        lost_id, lost = a_card(session, owner, secret)
        revoke_card(session, member_id=owner, card_id=lost_id, revoked_by_id=None, now=NOON)
    snapshot = fetch().get_json()
    key = unwritten(snapshot["card_key"])
    (person,) = people_of(snapshot)

    def found(drawn: bytes) -> str:
        whole = hmac.digest(key, drawn.hex().encode(), "sha256")[:9]
        return base64.urlsafe_b64encode(whole).decode()

    assert person["cards"] == [found(number)]
    assert snapshot["revoked_cards"] == [found(lost)]
    forged = seal(Purpose.CARD, number, key)
    assert not read_code(forged).is_genuine(card_key(secret))
    assert read_code(card_text(secret, number)).is_genuine(card_key(secret))


def test_it_holds_no_phone_no_full_name_no_number_and_nothing_of_other_people(
    fetch, scene, writing
):
    with writing() as session:
        volunteer = session.get_one(Member, scene.volunteer.member_id)
        phone, name, number = volunteer.phone, volunteer.name, volunteer.volunteer_no
        stranger = session.get_one(Member, scene.stranger.member_id)
        others = [stranger.phone, stranger.volunteer_no, "吴"]
    answer = fetch()
    text = json.dumps(answer.get_json(), ensure_ascii=False)
    for private in (phone, name, number, *others):
        assert private not in text
    (person,) = people_of(answer.get_json())
    assert person["name"] == "王*兰"
    assert person["tail"] == number[-3:]


def test_a_typed_number_is_recognised(fetch, scene, app, writing):
    with writing() as session:
        number = session.get_one(Member, scene.volunteer.member_id).volunteer_no
    snapshot = fetch().get_json()
    key = number_key(app.extensions["settings"].secret_key, scene.shift_handle)
    assert unwritten(snapshot["number_key"]) == key
    (person,) = people_of(snapshot)
    assert unwritten(person["number"]) == hmac.digest(key, number.encode(), "sha256")[:6]


def test_marks_say_when_by_whom_and_whether_here(fetch, scene):
    at = STARTS + timedelta(minutes=3)
    code = scene.personal(scene.volunteer, at)
    scene.scan(scene.organizer, code, at, shift_id=scene.shift_id, device_id="phone-1")
    (here,) = people_of(fetch(device="phone-1").get_json())
    (there,) = people_of(fetch(device="phone-2").get_json())
    assert here["visits"] == [[180, None]]
    assert fetch().get_json()["by"][here["in_by"]] == "李*"
    assert (here["same_device"], there["same_device"]) == (1, 0)
    scene.check_out(ENDS)
    (gone,) = people_of(fetch(device="phone-2").get_json())
    assert gone["visits"] == [[180, 150 * 60]]
    assert gone["claim"] == "c"


def test_who_stands_in_line_and_who_is_stopped_is_told(fetch, scene, writing):
    with writing() as session:
        session.get_one(Member, scene.volunteer.member_id).state = "suspended"
        session.get_one(Claim, scene.claim_id).state = "waitlisted"
    (person,) = people_of(fetch().get_json())
    assert (person["claim"], person["suspended"]) == ("w", 1)


def test_a_claim_given_up_is_not_taken_along(fetch, scene, writing):
    with writing() as session:
        session.get_one(Claim, scene.claim_id).state = "withdrawn"
    assert fetch().get_json()["people"] == []


def test_it_is_noted_who_fetched_it(fetch, scene, writing):
    fetch()
    with writing() as session:
        (entry,) = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "fetch_station")
        )
        assert (entry.actor_id, entry.subject_kind, entry.subject_id) == (
            scene.organizer.member_id,
            "shift",
            scene.shift_id,
        )
        assert entry.facts == {"people": 1}


def test_two_hours_after_the_end_there_is_none(fetch, clock):
    clock.move_to(ENDS + timedelta(hours=KEPT_HOURS, seconds=-1))
    expires_at = datetime.fromisoformat(fetch().get_json()["expires_at"])
    assert expires_at == ENDS + timedelta(hours=KEPT_HOURS)
    clock.move_to(ENDS + timedelta(hours=KEPT_HOURS))
    answer = fetch()
    assert (answer.status_code, answer.get_json()["code"]) == (409, "station_over")


def test_only_the_lead_of_the_shift_gets_it(fetch, scene, writing):
    assert fetch(scene.volunteer).status_code == 403
    with writing() as session:
        elsewhere = an_organization(session, "140303001009", name="别处社区")
        other = with_role(session, a_member(session, "赵强", elsewhere), "organizer", elsewhere)
    answer = fetch(type("Other", (), {"member_id": other})())
    assert answer.status_code == 404


def test_the_fields_are_named_once_and_fit(fetch):
    snapshot = fetch().get_json()
    assert snapshot["format"] == "pointsbank-station/1"
    assert tuple(snapshot["fields"]) == FIELDS
    assert len(set(FIELDS)) == len(FIELDS)
    assert {len(row) for row in snapshot["people"]} == {len(FIELDS)}
