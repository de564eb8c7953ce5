"""One's own code for a shift: whose key it is, when it is shown, and golden codes."""

import base64
import json
import re
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import update

from pointsbank.attendance.codes import digits_slot_at, venue_digits, venue_key
from pointsbank.core.codes import Purpose, header_of
from pointsbank.core.settings import ROOT
from pointsbank.members.codes import personal_key, personal_text, step_at
from pointsbank.tasks.models import Shift
from tests.attendance.scene import ENDS, SECRET, STARTS, reason
from tests.browsing import Browser, words_of
from tests.builders import signed_in

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "codes.json").read_text())
CODES = "/api/v1/me/shift-codes"


@pytest.fixture
def at():
    with time_machine.travel(STARTS, tick=False) as traveller:
        yield traveller


def raw(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def ask(app, client, member_id, now):
    return client.get(CODES, headers=signed_in(app, member_id, now)).json


def test_the_vectors_hold():
    for vector in VECTORS["personal"]:
        handle, shift = raw(vector["handle"]), raw(vector["shift_handle"])
        assert raw(vector["key"]) == personal_key(VECTORS["secret"], handle, shift)
        assert vector["header"] == header_of(Purpose.PERSONAL)[0]
        at = STARTS.fromtimestamp(vector["step"] * 30, STARTS.tzinfo)
        assert step_at(at) == vector["step"]
        assert personal_text(VECTORS["secret"], handle, shift, at) == vector["code"]
    for vector in VECTORS["digits"]:
        handle = raw(vector["handle"])
        assert raw(vector["key"]) == venue_key(VECTORS["secret"], handle)
        assert venue_digits(VECTORS["secret"], handle, vector["slot"]) == vector["digits"]
    assert len(VECTORS["personal"]) >= 3
    assert len(VECTORS["digits"]) >= 3


def test_the_key_makes_codes_that_the_station_takes(app, client, scene, at):
    (own,) = ask(app, client, scene.volunteer.member_id, STARTS)["items"]
    assert own["shift"]["id"] == scene.shift_id
    assert raw(own["shift_handle"]) == scene.shift_handle
    handle = scene.handles[scene.volunteer.member_id]
    assert raw(own["key"]) == personal_key(SECRET, handle, scene.shift_handle)
    verdict = scene.scan(scene.organizer, own["code"], STARTS, shift_id=scene.shift_id)
    assert reason(verdict) == ("ok", "ok_in")


def test_nobody_gets_the_key_of_another_or_of_a_shift_without_a_place(app, client, scene, at):
    assert ask(app, client, scene.stranger.member_id, STARTS)["items"] == []
    assert ask(app, client, scene.organizer.member_id, STARTS)["items"] == []
    keys = {
        personal_key(SECRET, handle, scene.shift_handle) for handle in scene.handles.values()
    }
    assert len(keys) == len(scene.handles)


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (STARTS - timedelta(hours=12, minutes=1), False),
        (STARTS - timedelta(hours=12), True),
        (ENDS + timedelta(minutes=119), True),
        (ENDS + timedelta(minutes=121), False),
    ],
)
def test_the_shifts_code_is_shown_around_the_shift(app, client, scene, at, moment, shown):
    at.move_to(moment)
    assert bool(ask(app, client, scene.volunteer.member_id, moment)["items"]) is shown


def test_a_shift_that_is_called_off_has_no_code(app, client, scene, at, writing):
    with writing() as session:
        session.execute(update(Shift).values(called_off_at=STARTS))
    assert ask(app, client, scene.volunteer.member_id, STARTS)["items"] == []


def test_the_page_shows_the_shifts_code_and_leads_to_the_general_one(scene, app, at):
    browser = Browser(app, scene.volunteer.member_id)
    page = browser.open("/my-code")
    assert "河道清洁" in words_of(page)
    (kept,) = json.loads(unescape(re.search('data-codes="([^"]*)"', page.text)[1]))
    assert kept["id"] == scene.shift_id
    handle = scene.handles[scene.volunteer.member_id]
    assert raw(kept["key"]) == personal_key(SECRET, handle, scene.shift_handle)
    assert "/my-code/general" in page.text
    assert page.headers["Cache-Control"] == "no-store"


def test_what_a_phone_keeps_of_the_page_holds_nothing_of_anybody(scene, app, at):
    browser = Browser(app, scene.volunteer.member_id)
    shell = browser.open("/my-code-shell")
    for said in ("河道清洁", "王*兰", "data-codes", "/sign-out"):
        assert said in browser.open("/my-code").text
        assert said not in shell.text
    assert shell.text.count('name="csrf-token" content=""') == 1
    worker = browser.open("/my-code-worker.js")
    assert worker.mimetype == "text/javascript"
    kept = json.loads(re.match("const KEPT = (.*);\n", worker.text)[1])
    assert (kept["shell"], kept["pages"]) == ("/my-code-shell", "^/my-code$")
    assert {"/static/js/shiftcode.js", "/static/js/owncodes.js"} <= set(kept["files"])
    for path in kept["files"]:
        assert (ROOT / path.lstrip("/")).is_file(), path


def test_without_a_shift_the_page_shows_the_general_code(scene, app, at):
    page = Browser(app, scene.stranger.member_id).open("/my-code")
    assert page.status_code == 200
    assert "data-codes" not in page.text
    assert 'data-purpose="attend"' in page.text


def test_the_venues_screen_holds_the_digits_of_now(scene, app, at):
    page = Browser(app, scene.organizer.member_id).open(f"/shifts/{scene.shift_id}/venue")
    digits = venue_digits(SECRET, scene.shift_handle, digits_slot_at(STARTS))
    assert f"data-venue-digits>{digits}<" in page.text
