"""Every route, every person, their own object and a foreign one: who may is who can."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, jsonify

from pointsbank.web.access import Rule, anyone, members_only, roles_only
from tests.laws.authorization import ROWS
from tests.laws.doors import Row, door
from tests.laws.knocking import Knocking
from tests.laws.world import (
    MEMBER,
    UNKNOWN_ID,
    World,
    a_world,
)

ROOMS = sorted({row.room for row in ROWS})


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
    own_quick_app: Flask, status: Any, mark: Any, complaint: str
) -> None:
    own_quick_app.add_url_rule(FAULTY_RULE, "faulty", answering(status, mark))
    assert missing_rows(own_quick_app, ROWS) >= {("GET", FAULTY_RULE)}
    assert (unruled(own_quick_app) == ["faulty"]) == (mark is unmarked)
    faults = Knocking(a_world(own_quick_app), FAULTY_ROW).find_faults()
    assert complaint in "\n".join(faults)


@pytest.mark.engine("sqlite")
def test_a_row_without_a_door_is_found(app: Flask) -> None:
    assert dead_rows(app, [FAULTY_ROW]) == {("GET", FAULTY_RULE)}
