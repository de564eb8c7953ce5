"""Looking changes nothing: link scanners and prefetchers open every address they are shown."""

import hashlib
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import inspect, text

from pointsbank.core import clock
from pointsbank.core.audit import note
from pointsbank.core.db import db, transaction
from pointsbank.web.access import members_only
from tests.laws.authorization import ROWS
from tests.laws.doors import MEMBERS, Row, door
from tests.laws.knocking import Knocking
from tests.laws.world import PERSONAS, World, a_world

LOOKS = [row for row in ROWS if row.method == "GET"]
ROOMS = sorted({row.room for row in LOOKS})
WRITING_RULE = "/writes"


def hash_of_tables(app: Flask) -> str:
    """Return a hash over every row of every table."""
    found = hashlib.sha256()
    with app.app_context(), db.engine.connect() as connection:
        for table in sorted(inspect(connection).get_table_names()):
            rows = connection.execute(text(f'SELECT * FROM "{table}"'))
            found.update(repr((table, sorted(map(repr, rows)))).encode())
    return found.hexdigest()


def changes_by_looking(world: World, row: Row) -> list[str]:
    """Return what GET and HEAD by everyone, of their own and of foreign objects, changed."""
    knocking = Knocking(world, row)
    looks = [
        (persona, knocking.objects_for_looking(persona, places))
        for persona in PERSONAS
        for places in knocking.combinations()
    ]
    before = hash_of_tables(world.app)
    faults = []
    for method in ("GET", "HEAD"):
        for persona, made in looks:
            answer = knocking.ask(world.tokens.get(persona), made, method)
            if answer.status_code >= 500:
                faults.append(f"{method} {row.rule}: {persona}: {answer.status_code}")
        if hash_of_tables(world.app) != before:
            faults.append(f"{method} {row.rule} changed the database")
    return faults


@pytest.mark.parametrize("room", ROOMS)
def test_looking_changes_nothing(room: str, world: World) -> None:
    rows = [row for row in LOOKS if row.room == room]
    faults = [fault for row in rows for fault in changes_by_looking(world, row)]
    assert "\n".join(faults) == ""


def test_a_look_that_writes_is_found(own_quick_app: Flask) -> None:
    @members_only
    def writes() -> Any:
        with transaction() as session:
            note(session, at=clock.now(), actor_id=None, action="look", subject=("page", None))
        return "looked"

    own_quick_app.add_url_rule(WRITING_RULE, "writes", writes)
    faults = changes_by_looking(a_world(own_quick_app), door("GET", WRITING_RULE, MEMBERS))
    assert faults == [
        f"GET {WRITING_RULE} changed the database",
        f"HEAD {WRITING_RULE} changed the database",
    ]


def test_every_table_is_looked_at(world: World) -> None:
    with world.app.app_context(), db.engine.connect() as connection:
        tables = inspect(connection).get_table_names()
    assert {table.name for table in db.metadata.sorted_tables} <= set(tables)
