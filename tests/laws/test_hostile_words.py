"""Whatever people type stays text: every page with markup in each word that the tables hold."""

import pytest
from sqlalchemy import String, column, func, literal, table, update

from pointsbank.core.db import db
from tests.laws.authorization import ROWS
from tests.laws.doors import Row
from tests.laws.knocking import Knocking
from tests.laws.markup import Page
from tests.laws.world import OWN, PERSONAS, World

# It closes a value in either quotes, opens an element, and would run as a script.
HOSTILE = "'\"><b onx=1>"
SHOWN = "&lt;b onx=1&gt;"
# The columns that people fill with words of their own, or that are made of such words.
TYPED = {
    "address",
    "answer",
    "contact_name",
    "decision_note",
    "decision_reason",
    "description",
    "dispute_reason",
    "evidence",
    "file_name",
    "insurance_ref",
    "name",
    "name_zh",
    "note",
    "payment_reference",
    "place_name",
    "problem",
    "purpose",
    "reason",
    "reference",
    "rejection_note",
    "review_note",
    "risk_note",
    "role_name",
    "stopped_reason",
    "summary",
    "telephone",
    "title",
    "void_reason",
    "what",
    "withdrawn_reason",
    "words",
}
# A name by which jobs and their leases are found; a line of the ledger cannot be rewritten.
NOT_TYPED = {"job_lease", "job_run", "transfer"}
WORDS_LENGTH_MIN = 20
LOOKS = [row for row in ROWS if row.is_page and row.method == "GET"]
ROOMS = sorted({row.room for row in LOOKS})
# What is typed stands on these pages; on others there is none, or the world holds none.
TELLING = {
    f"pages {name}"
    for name in (
        "merchant-applications",
        "merchants",
        "orders",
        "organizations",
        "own",
        "reward-wishes",
        "rewards",
        "shops",
        "tasks",
    )
}


def typed_columns() -> list[tuple[str, str]]:
    """Return table and column of every word that people type."""
    return [
        (each.name, words.name)
        for each in db.metadata.sorted_tables
        if each.name not in NOT_TYPED
        for words in each.columns
        if words.name in TYPED
        and isinstance(words.type, String)
        and (words.type.length or WORDS_LENGTH_MIN) >= WORDS_LENGTH_MIN
    ]


def poison(world: World) -> None:
    """Put markup into every word that people typed, another in each row."""
    with world.writing() as session:
        for name, words in typed_columns():
            filled = column(words)
            session.execute(
                update(table(name, filled))
                .where(filled.is_not(None), func.substr(filled, 1, len(HOSTILE)) != HOSTILE)
                .values({words: literal(HOSTILE).op("||")(column("rowid"))})
            )


def faults_of(world: World, row: Row) -> tuple[list[str], int]:
    """Return what is wrong with a page full of markup, and how often the markup is seen."""
    knocking, places = Knocking(world, row), dict.fromkeys(row.objects, OWN)
    # Who sees the least of it and who sees the most.
    admitted = [persona for persona in PERSONAS if row.admits(persona)]
    looks = [
        (persona, knocking.objects_for_looking(persona, places))
        for persona in dict.fromkeys((admitted[0], admitted[-1]))
    ]
    poison(world)
    faults, seen = [], 0
    for persona, made in looks:
        answer = knocking.ask(world.tokens.get(persona), made)
        if answer.status_code >= 500:
            faults.append(f"{row.name} by {persona}: {answer.status_code}")
        if answer.mimetype == "text/html":
            page = Page(answer.text)
            faults += [f"{row.name} by {persona}: {fault}" for fault in page.faults]
            seen += answer.text.count(SHOWN)
    return faults, seen


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.engine("sqlite")
def test_markup_in_words_stays_words(room: str, world: World) -> None:
    faults, seen = [], 0
    for row in LOOKS:
        if row.room == room:
            found, shown = faults_of(world, row)
            faults += found
            seen += shown
    assert "\n".join(faults) == ""
    assert seen > 0 or room not in TELLING


def test_the_rooms_that_tell_are_rooms() -> None:
    assert set(ROOMS) >= TELLING


def test_the_columns_are_those_of_the_tables() -> None:
    found = typed_columns()
    assert {words for _, words in found} == TYPED
    assert ("statement_line", "dispute_reason") in found


def test_a_page_that_does_not_escape_is_found() -> None:
    assert Page(f"<p>{HOSTILE}</p>").faults == ["line 1: <b onx=…>"]
    assert Page(f'<input value="{HOSTILE}">').faults == ["line 1: <b onx=…>"]
    assert Page(f"<p>{SHOWN}</p>").faults == []
