"""A volunteer's code, opened as an address: who is signed in decides; looking does nothing."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from pointsbank.attendance.models import Attendance, Scan
from pointsbank.members.codes import GENERAL, card_text, personal_text
from pointsbank.members.models import Member
from pointsbank.members.showing import issue_card
from tests.builders import (
    a_claim,
    a_member,
    a_merchant,
    a_shift,
    an_organization,
    how_many,
    signed_in,
    with_role,
)
from tests.moments import NOON

BEGIN = NOON + timedelta(minutes=90)


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(BEGIN, tick=False) as traveller:
        yield traveller


class Scene:
    """A volunteer with a place on a shift, and the people who may open their code."""

    def __init__(self, session):
        self.owner = a_member(session)
        self.stranger = a_member(session, "李敏")
        self.organizer = with_role(session, a_member(session, "陈明"), "organizer")
        self.clerk = with_role(
            session, a_member(session, "赵国"), "clerk", merchant_id=a_merchant(session)
        )
        self.shift = a_shift(session, organizer_id=self.organizer)
        self.claim = a_claim(session, self.shift, self.owner).id
        self.handle = session.scalar(select(Member.handle).where(Member.id == self.owner))


@pytest.fixture
def scene(writing):
    with writing() as session:
        return Scene(session)


@pytest.fixture
def secret(app):
    return app.extensions["settings"].secret_key


@pytest.fixture
def code(scene, secret):
    return personal_text(secret, scene.handle, GENERAL, BEGIN)


@pytest.fixture
def look(app, client):
    def look_as(member_id, path):
        headers = signed_in(app, member_id) if member_id else {}
        return client.get(path, headers=headers)

    return look_as


def fields_of(page):
    """Return the hidden fields of the page's scan form."""
    form = page[page.index('action="/scanned"') :].split("</form>")[0]
    parts = form.split('<input type="hidden" name="')[1:]
    return {
        part.split('"')[0]: part.split('value="')[1].split('"')[0]
        for part in parts
        if not part.startswith("csrf_token")
    }


def press(app, client, member_id, fields):
    return client.post("/scanned", data=fields, headers=signed_in(app, member_id))


@pytest.mark.parametrize("path", ["/M/{}", "/m/{}"])
def test_the_owner_is_led_to_their_own_code(scene, code, look, path):
    answer = look(scene.owner, path.format(code))
    assert (answer.status_code, answer.location) == (302, "/my-code")


def test_a_stranger_learns_that_it_is_a_volunteers_code_and_nothing_else(
    scene, code, look, secret
):
    forged = code[:-1] + ("A" if code[-1] != "A" else "B")
    unknown = personal_text(secret, b"nobod", GENERAL, BEGIN)
    pages = [look(scene.stranger, f"/M/{text}") for text in (code, forged, unknown)]
    assert all(page.status_code == 200 for page in pages)
    assert len({page.text.split("<main")[1].split("</main>")[0] for page in pages}) == 1
    assert "这是志愿者的码" in pages[0].text
    assert "王*兰" not in pages[0].text


def test_whoever_is_not_signed_in_is_offered_the_door_with_the_way_back(code, look):
    page = look(None, f"/M/{code}").text
    assert "这是志愿者的码" in page
    assert 'href="/sign-in"' in page


def test_a_clerk_learns_that_it_takes_no_points(scene, code, look):
    page = look(scene.clerk, f"/M/{code}").text
    assert "请对方出示兑换码" in page
    assert 'href="/till"' in page
    assert "王*兰" not in page


def test_an_organizer_sees_whom_and_the_shifts_under_way(writing, scene, code, look):
    with writing() as session:
        a_shift(session, BEGIN + timedelta(days=1), organizer_id=scene.organizer, title="明天")
        away = an_organization(session, "140303005004", name="别处社区")
        a_shift(session, BEGIN, organization_id=away, title="别处")
    page = look(scene.organizer, f"/M/{code}").text
    assert "王*兰" in page
    assert "河道清洁" in page
    assert "明天" not in page
    assert "别处" not in page


def test_opening_an_address_changes_nothing(writing, scene, code, look):
    for member_id in (None, scene.owner, scene.stranger, scene.clerk, scene.organizer):
        look(member_id, f"/M/{code}")
    with writing() as session:
        assert how_many(session, Scan) == 0
        assert how_many(session, Attendance) == 0


def test_pressing_checks_in_once_and_then_out(app, client, writing, scene, code, look, travel):
    fields = fields_of(look(scene.organizer, f"/M/{code}").text)
    assert fields["direction"] == "in"
    for _ in range(2):
        answer = press(app, client, scene.organizer, fields)
        assert answer.status_code == 200
        assert "签到成功" in answer.text
        assert "王*兰" in answer.text
    with writing() as session:
        assert how_many(session, Scan) == 1
        assert session.scalar(select(Attendance.state)) == "present"
    travel.shift(timedelta(minutes=150))
    fresh = personal_text(
        app.extensions["settings"].secret_key,
        scene.handle,
        GENERAL,
        BEGIN + timedelta(minutes=150),
    )
    fields = fields_of(look(scene.organizer, f"/M/{fresh}").text)
    assert fields["direction"] == "out"
    assert "签退成功" in press(app, client, scene.organizer, fields).text


def test_the_code_is_judged_as_of_its_opening(app, client, scene, code, look, travel):
    fields = fields_of(look(scene.organizer, f"/M/{code}").text)
    travel.shift(timedelta(minutes=4))
    assert "签到成功" in press(app, client, scene.organizer, fields).text


def test_a_ticket_does_not_live_for_ever(app, client, writing, scene, code, look, travel):
    fields = fields_of(look(scene.organizer, f"/M/{code}").text)
    travel.shift(timedelta(minutes=6))
    assert "签到成功" not in press(app, client, scene.organizer, fields).text
    with writing() as session:
        assert how_many(session, Attendance) == 0


def test_a_ticket_of_ones_own_making_is_worth_nothing(app, client, writing, scene, code):
    answer = press(app, client, scene.organizer, {"ticket": code, "shift_id": str(scene.shift)})
    assert answer.status_code == 200
    with writing() as session:
        assert session.scalar(select(Scan.result)) == "refuse"
        assert how_many(session, Attendance) == 0


def test_what_needs_a_yes_is_asked_and_then_done(app, client, writing, scene, look, secret):
    with writing() as session:
        newcomer = a_member(session, "钱进")
        handle = session.scalar(select(Member.handle).where(Member.id == newcomer))
    code = personal_text(secret, handle, GENERAL, BEGIN)
    first = press(
        app,
        client,
        scene.organizer,
        fields_of(look(scene.organizer, f"/M/{code}").text),
    )
    assert "没有报名" in first.text
    again = press(app, client, scene.organizer, fields_of(first.text))
    assert "签到成功" in again.text


def test_an_organizer_is_told_what_is_wrong_with_a_code(scene, code, look, secret):
    forged = code[:-1] + ("A" if code[-1] != "A" else "B")
    for text in (forged, "NONSENSE", card_text(secret, bytes(10))):
        assert look(scene.organizer, f"/M/{text}").status_code == 400


def test_nobody_else_may_press(app, client, scene, code, look):
    fields = fields_of(look(scene.organizer, f"/M/{code}").text)
    for member_id in (scene.stranger, scene.clerk, scene.owner):
        assert press(app, client, member_id, fields).status_code == 403


def test_a_card_leads_the_clerk_to_the_till_with_its_number_typed_in(
    writing, scene, look, secret
):
    with writing() as session:
        card = issue_card(
            session,
            member_id=scene.owner,
            number=b"0123456789",
            pin="123456",
            issued_by_id=None,
            secret=secret,
            now=BEGIN,
        )
    text = card_text(secret, b"0123456789")
    assert card
    page = look(scene.clerk, f"/K/{text}")
    assert page.status_code == 200
    assert text in page.text
    assert "王*兰" not in page.text
    assert look(scene.owner, f"/K/{text}").location == "/my-code"
    assert "王*兰" in look(scene.organizer, f"/K/{text}").text
    assert "王*兰" not in look(scene.stranger, f"/K/{text}").text
