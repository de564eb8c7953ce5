"""Pages: no inline code, every form with its token, a strict policy, and light enough."""

import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from pointsbank.core.calendar import read_period
from pointsbank.rankings.rolling_up import roll_up
from pointsbank.web.access import SAFE_METHODS, for_programs, members_only
from tests.builders import a_member, a_score_entry, an_organization, points_for
from tests.laws.authorization import ROWS
from tests.laws.doors import MEMBERS, Row, door
from tests.laws.knocking import Knocking
from tests.laws.markup import Page
from tests.laws.test_gets_change_nothing import hash_of_tables
from tests.laws.tree import ROOT, shown
from tests.laws.world import (
    OWN,
    PERSONAS,
    World,
    a_world,
    an_open_task,
    make_redemption,
)
from tests.moments import NOON

PAGES = [row for row in ROWS if row.is_page]
LOOKS = [row for row in PAGES if row.method == "GET"]
FORMS = [row for row in PAGES if row.method not in SAFE_METHODS]
ROOMS = sorted({row.room for row in LOOKS})
WEIGHT_MAX = 150_000
LINES = 51
JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
SCRIPT_FAULT = re.compile(r"""setAttribute\(["'](?:style|on)|\beval\(|new Function|innerHTML""")
SAID_OF_BAD_FORM = "bad_form_token"
# Signing in and registering need no cookie that a foreign page could use, and set none.
WITHOUT_COOKIE = (
    "/api/v1/sessions",
    "/api/v1/registrations",
    "/api/v1/activations",
    "/api/v1/stars/verification",
    "/api/v1/public-notices/<id:notice_id>/objections",
    "/api/v1/objection-receipts",
)
# The first of these who may use a door tries it without the form's token.
ADMINISTRATORS = ("administrator", "first administrator")


def templates() -> list[Path]:
    return sorted((ROOT / "templates").rglob("*.html"))


def html_pages(world: World, row: Row) -> list[tuple[str, Any]]:
    """Return what everyone who may open a page gets, as far as it is HTML."""
    knocking, places = Knocking(world, row), dict.fromkeys(row.objects, OWN)
    found = []
    for persona in PERSONAS:
        made = knocking.objects_for_looking(persona, places)
        answer = knocking.ask(world.tokens.get(persona), made)
        if answer.mimetype == "text/html":
            found.append((f"{row.name} by {persona}", answer))
    return found


def faults_of_forms(world: World, row: Row) -> list[str]:
    """Return what goes wrong when a form comes without its token, or with another's."""
    knocking, places = Knocking(world, row), dict.fromkeys(row.objects, OWN)
    persona = next(name for name in PERSONAS[1:] if row.admits(name))
    made = knocking.objects_for_looking(persona, places)
    before = hash_of_tables(world.app)
    faults = []
    for token in (None, "forged", world.form_token()[0][:-3] + "AAA"):
        client = world.client(world.tokens[persona], is_page=True)
        asked = row.send(made)
        asked.setdefault("data", {}).update({"csrf_token": token} if token else {})
        answer = client.open(knocking.path(made), method=row.method, **asked)
        if answer.status_code != 400:
            faults.append(f"{row.name} with token {token}: {answer.status_code}")
    if hash_of_tables(world.app) != before:
        faults.append(f"{row.name} without its token changed the database")
    return faults


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.engine("sqlite")
def test_pages_hold_no_inline_code_and_are_light(room: str, world: World) -> None:
    for row in LOOKS:
        if row.room != room:
            continue
        for name, answer in html_pages(world, row):
            page = Page(answer.text)
            assert page.faults == [], name
            assert page.weight() < WEIGHT_MAX, f"{name}: {page.weight()} bytes"
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'self'" in policy, name
            assert "unsafe" not in policy, name


@pytest.mark.engine("sqlite")
def test_pages_stay_light_where_much_is_listed(world: World) -> None:
    fill(world)
    heavy = {}
    for row in LOOKS:
        if not row.objects:
            heavy |= {
                name: Page(answer.text).weight() for name, answer in html_pages(world, row)
            }
    assert len(heavy) > len(PERSONAS)
    assert {name: weight for name, weight in heavy.items() if weight >= WEIGHT_MAX} == {}


def fill(world: World) -> None:
    """Give every list more than a page of lines."""
    nobody = world.people["volunteer"]
    with world.writing() as session:
        for number in range(LINES):
            for make in (make_standing_member, an_open_task, make_redemption):
                make(session, world, OWN, world.people["clerk"], {})
            points_for(session, nobody, 5, f"award:{number}")
            an_organization(session, f"X{number}", "building", world.own.community_id, "1号楼")
        zone = world.app.extensions["settings"].zone
        roll_up(session, period=read_period("2026-Q4"), zone=zone, now=NOON)


def make_standing_member(session: Session, world: World, place: str, *_more: Any) -> None:
    a_score_entry(session, a_member(session, "欧阳建国", world.ground(place).branch_id))


@pytest.mark.engine("sqlite")
def test_no_form_is_taken_without_its_token(world: World) -> None:
    assert FORMS
    faults = [fault for row in FORMS for fault in faults_of_forms(world, row)]
    assert "\n".join(faults) == ""


@pytest.mark.engine("sqlite")
def test_a_program_s_door_asks_a_browser_for_the_token_too(world: World) -> None:
    for row in ROWS:
        who = next((name for name in ADMINISTRATORS if row.admits(name)), None)
        if row.is_page or row.method in SAFE_METHODS or who is None:
            continue
        if row.rule in WITHOUT_COOKIE:
            continue
        knocking = Knocking(world, row)
        made = knocking.objects_for_looking(who, dict.fromkeys(row.objects, OWN))
        client = world.client(world.tokens[who], is_page=True)
        answer = client.open(knocking.path(made), method=row.method, **row.send(made))
        assert (answer.status_code, answer.get_json()["code"]) == (400, SAID_OF_BAD_FORM), row


def test_templates_and_scripts_hold_no_inline_code() -> None:
    assert templates()
    faults = {
        shown(path): found
        for path in templates()
        if (found := Page(JINJA.sub("x", path.read_text())).faults)
    }
    assert faults == {}
    scripts = sorted((ROOT / "static" / "js").rglob("*.js"))
    assert scripts
    assert [shown(path) for path in scripts if SCRIPT_FAULT.search(path.read_text())] == []


@pytest.mark.parametrize(
    "html",
    [
        '<p style="color: red">',
        '<button onclick="go()">',
        "<script>go()</script>",
        "<style>p { color: red }</style>",
        '<a href="JavaScript:go()">',
        '<img src="//elsewhere.example/x.png">',
        '<link rel="stylesheet" href="https://elsewhere.example/x.css">',
    ],
)
def test_inline_code_is_found(html: str) -> None:
    assert Page(html).faults != []


def test_weight_counts_what_is_fetched() -> None:
    css = (ROOT / "static/css/components.css").stat().st_size
    cover = (ROOT / "static/img/guilloche-cover.svg").stat().st_size
    sheet = '<link rel="stylesheet" href="/static/css/components.css">'
    assert Page(sheet).weight() == css + len(sheet)
    assert Page(sheet + '<p class="book">').weight() >= css + cover
    codes = '<script type="module" src="/static/js/codes.js"></script>'
    encoder = (ROOT / "static/vendor/qr/index.js").stat().st_size
    assert Page(codes).weight() > encoder


@pytest.mark.engine("sqlite")
def test_a_form_taken_without_its_token_is_found(own_quick_app: Flask) -> None:
    @for_programs
    @members_only
    def trusting() -> str:
        return "done"

    own_quick_app.add_url_rule("/trusting", "trusting", trusting, methods=["POST"])
    faults = faults_of_forms(a_world(own_quick_app), door("POST", "/trusting", MEMBERS))
    assert faults[0] == "POST /trusting with token None: 200"
