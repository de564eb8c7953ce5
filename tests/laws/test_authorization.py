"""Every route, every person, their own object and a foreign one: who may is who can."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
import time_machine
from flask import Flask, jsonify
from werkzeug.test import TestResponse

from pointsbank.app import create_app
from pointsbank.core.db import db
from pointsbank.core.settings import Settings
from pointsbank.web.access import SAFE_METHODS, Rule, anyone, members_only, roles_only
from tests.builders import a_token
from tests.laws.authorization import ROWS
from tests.laws.doors import Row, door
from tests.laws.world import (
    MEMBER,
    MINE,
    OWN,
    PERSON,
    PERSONAS,
    PLACES,
    UNKNOWN_ID,
    Made,
    World,
    a_world,
    reaches,
)
from tests.moments import NOON

ROOMS = sorted({row.room for row in ROWS})
# A refused scan is kept too, and its own number tells nothing.
KEPT_UNDER = re.compile(r'"scan_id":\d+')


@pytest.fixture
def quick_app(settings: Settings) -> Any:
    """The service at noon, with the cheap hash of passwords."""
    with time_machine.travel(NOON, tick=False):
        app = create_app(replace(settings, argon2_cheap=True, log_level="ERROR"))
        yield app
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def world(quick_app: Flask) -> World:
    """Both sides, on each engine."""
    return a_world(quick_app)


def doors_of(app: Flask) -> set[tuple[str, str]]:
    """Return every route and method of the service, but the static files."""
    return {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint != "static"
    }


def unruled(app: Flask) -> list[str]:
    """Return the views that no rule opens; the guard could not judge them."""
    return [
        name
        for name, view in app.view_functions.items()
        if name != "static" and not isinstance(getattr(view, "access", None), Rule)
    ]


def missing_rows(app: Flask, rows: list[Row]) -> set[tuple[str, str]]:
    """Return the doors that no row describes."""
    return doors_of(app) - {(row.method, row.rule) for row in rows}


def dead_rows(app: Flask, rows: list[Row]) -> set[tuple[str, str]]:
    """Return the rows whose door is gone."""
    return {(row.method, row.rule) for row in rows} - doors_of(app)


class Knocking:
    """One row put to the service, person by person and place by place."""

    def __init__(self, world: World, row: Row) -> None:
        self.world, self.row = world, row
        self.shared: dict[tuple[str, ...], Made] = {}
        self.faults: list[str] = []

    def find_faults(self) -> list[str]:
        """Return what every person's requests show to be wrong."""
        for persona in PERSONAS:
            if self.row.admits(persona):
                self.try_admitted(persona)
            else:
                self.try_denied(persona)
        return self.faults

    def try_denied(self, persona: str) -> None:
        for places in self.combinations():
            made = self.objects_for_looking(persona, places)
            answer = self.ask(self.world.tokens.get(persona), made)
            is_right = (
                self.is_turned_away(answer)
                if persona == "anonymous"
                else (self.row.is_denied(answer))
            )
            if not is_right:
                self.complain(persona, places, answer, "was not turned away")

    def is_turned_away(self, answer: TestResponse) -> bool:
        """Tell whether a stranger is asked to sign in; a page's reader is led there."""
        if self.row.is_page and self.row.method in SAFE_METHODS:
            return answer.status_code == 302 and answer.headers["Location"] == (
                f"/sign-in?next={quote(answer.request.path)}"
            )
        return answer.status_code == 401

    def try_admitted(self, persona: str) -> None:
        for places in self.combinations():
            token, made = self.fresh_objects(persona, places)
            answer = self.ask(token, made)
            if all(
                reaches(persona, self.row.objects[name], place)
                for name, place in places.items()
            ):
                if not self.row.is_done(answer):
                    self.complain(persona, places, answer, "could not do it")
                continue
            if not self.row.is_foreign(answer):
                self.complain(persona, places, answer, "reached a foreign object")
            else:
                self.compare_with_unknown(persona, places, made, answer)

    def compare_with_unknown(
        self, persona: str, places: dict[str, str], made: Made, answer: TestResponse
    ) -> None:
        """See that a foreign object looks like one that there is not."""
        unknown = {
            name: self.row.objects[name].unknown
            if not reaches(persona, self.row.objects[name], place)
            else made[name]
            for name, place in places.items()
        }
        other = self.ask(self.world.tokens.get(persona), unknown)
        told, told_of_nothing = self.plain(answer, made), self.plain(other, unknown)
        if told != told_of_nothing:
            self.complain(
                persona, places, answer, f"tells more of it than {told_of_nothing}: {told}"
            )

    def plain(self, answer: TestResponse, made: Made) -> tuple[int, str]:
        """Return an answer without what was asked for."""
        text = answer.text.replace(self.path(made), "PATH")
        for name, value in made.items():
            if isinstance(value, str):
                text = text.replace(value, name)
        return answer.status_code, KEPT_UNDER.sub('"scan_id"', text)

    def combinations(self) -> list[dict[str, str]]:
        """Return every object at its own place, and then each one by itself at every other."""
        names = self.row.objects
        home = dict.fromkeys(names, OWN)
        return [home] + [
            {**home, name: place}
            for name, kind in names.items()
            for place in PLACES[kind.scope]
            if place != OWN
        ]

    def fresh_objects(self, persona: str, places: dict[str, str]) -> tuple[str | None, Made]:
        """Return a session and objects that this request may use up; looking uses up none."""
        if persona == "anonymous" or self.row.method in SAFE_METHODS:
            return (
                self.world.tokens.get(persona),
                self.objects_for_looking(persona, places),
            )
        with self.world.writing() as session:
            member_id = self.world.person(session, persona)
            token = a_token(session, member_id, NOON)
            return token, self.made(session, places, member_id)

    def objects_for_looking(self, persona: str, places: dict[str, str]) -> Made:
        """Return objects that no request changes."""
        member_id = self.world.people.get(persona, self.world.people["volunteer"])
        is_personal = any(kind.scope in (PERSON, MINE) for kind in self.row.objects.values())
        key = (*places.values(), *([persona] if is_personal else []))
        if key not in self.shared:
            with self.world.writing() as session:
                self.shared[key] = self.made(session, places, member_id)
        return self.shared[key]

    def made(self, session: Any, places: dict[str, str], member_id: int) -> Made:
        made: Made = {}
        for name, place in places.items():
            made[name] = self.row.objects[name].make(
                session, self.world, place, member_id, made
            )
        return made

    def path(self, made: Made) -> str:
        """Return the row's path with its objects in it."""
        path = self.row.rule
        for name, value in made.items():
            for form in (f"<id:{name}>", f"<{name}>", f"<string:{name}>"):
                path = path.replace(form, str(value))
        assert "<" not in path, f"{self.row.name}: an object of the path has no kind"
        return path

    def ask(self, token: str | None, made: Made) -> TestResponse:
        client = self.world.client(token, is_page=self.row.is_page)
        asked = self.row.send(made)
        if self.row.is_page and self.row.method not in SAFE_METHODS:
            form = asked.setdefault("data", {})
            form["csrf_token"] = self.world.form_token()[0]
        answer = client.open(self.path(made), method=self.row.method, buffered=True, **asked)
        if self.row.is_page:
            with client.session_transaction() as kept:
                answer.told = [category for category, _ in kept.get("_flashes", [])]
        return answer

    def complain(
        self, persona: str, places: dict[str, str], answer: TestResponse, what: str
    ) -> None:
        shown = ", ".join(f"{name} {place}" for name, place in places.items())
        text = answer.text[:300] if answer.mimetype != "text/html" else answer.mimetype
        self.faults.append(
            f"{self.row.name}: {persona} [{shown}] {what}: {answer.status_code} {text}"
        )


def test_every_door_has_a_row_and_no_row_is_dead(app: Flask) -> None:
    assert missing_rows(app, ROWS) == set()
    assert dead_rows(app, ROWS) == set()
    assert unruled(app) == []


def test_no_row_stands_twice() -> None:
    twice = {name: n for name, n in Counter(row.name for row in ROWS).items() if n > 1}
    assert twice == {}


@pytest.mark.parametrize("room", ROOMS)
def test_who_may_is_who_can(room: str, world: World) -> None:
    faults = [
        fault
        for row in ROWS
        if row.room == room
        for fault in Knocking(world, row).find_faults()
    ]
    assert "\n".join(faults) == ""


FAULTY_RULE = "/api/v1/members/<id:member_id>/faulty"
FAULTY_ROW = door("GET", FAULTY_RULE, ("administrator",), member_id=MEMBER)


def answering(status: Callable[[int], int], mark: Callable[[Any], Any]) -> Any:
    """Return a view that answers this status for a member's id, marked by an access rule."""

    def view(member_id: int) -> Any:
        return jsonify(code="any"), status(member_id)

    return mark(view)


def unmarked(view: Any) -> Any:
    return view


def kept_by_one(member_id: int) -> int:
    """Judge as a view does that says of foreign objects that they are there."""
    return 404 if member_id == UNKNOWN_ID else 403


@pytest.mark.parametrize(
    ("status", "mark", "complaint"),
    [
        (lambda _: 200, members_only, "volunteer [member_id own] was not turned away: 200"),
        (lambda _: 200, anyone, "anonymous [member_id own] was not turned away: 200"),
        (lambda _: 200, unmarked, "volunteer [member_id own] was not turned away: 500"),
        (
            lambda _: 200,
            roles_only("administrator"),
            "administrator [member_id elsewhere] reached a foreign object: 200",
        ),
        (
            kept_by_one,
            roles_only("administrator"),
            "administrator [member_id elsewhere] tells more of it",
        ),
        (lambda _: 200, roles_only("auditor"), "administrator [member_id own] could not do it"),
        (lambda _: 500, roles_only("administrator"), "could not do it: 500"),
    ],
    ids=["members", "anyone", "unmarked", "unscoped", "telling", "too narrow", "broken"],
)
@pytest.mark.engine("sqlite")
def test_a_faulty_door_is_found(
    quick_app: Flask, status: Any, mark: Any, complaint: str
) -> None:
    quick_app.add_url_rule(FAULTY_RULE, "faulty", answering(status, mark))
    assert missing_rows(quick_app, ROWS) >= {("GET", FAULTY_RULE)}
    assert (unruled(quick_app) == ["faulty"]) == (mark is unmarked)
    faults = Knocking(a_world(quick_app), FAULTY_ROW).find_faults()
    assert complaint in "\n".join(faults)


@pytest.mark.engine("sqlite")
def test_a_row_without_a_door_is_found(app: Flask) -> None:
    assert dead_rows(app, [FAULTY_ROW]) == {("GET", FAULTY_RULE)}
