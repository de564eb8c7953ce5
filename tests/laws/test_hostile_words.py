"""Whatever people type stays text: every page with markup in each word that the tables hold."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import String, column, func, literal, table, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from pointsbank.core.db import db
from tests.laws.authorization import ROWS
from tests.laws.doors import Row
from tests.laws.knocking import Knocking
from tests.laws.markup import Page
from tests.laws.world import OWN, PERSONAS, World

# It closes a value in either quotes, opens an element, and would run as a script.
HOSTILE = "'\"><b onx=1>"
SHOWN = "&lt;b onx=1&gt;"
# Each word says which column it fills.
COLUMN_SHOWN = re.compile(re.escape(SHOWN) + r"([a-z_]+\.[a-z_]+)")
# The columns that people fill with words of their own, or that are made of such words.
TYPED = {
    "address",
    "answer",
    "comment",
    "contact_name",
    "contact_phone",
    "decision",
    "decision_note",
    "decision_reason",
    "description",
    "dispute_reason",
    "document",
    "document_no",
    "end_reason",
    "evidence",
    "facts",
    "file_name",
    "grantor",
    "insurance_ref",
    "license_no",
    "lift_reason",
    "measures",
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
    "review",
    "review_note",
    "risk_note",
    "role_name",
    "shown_name",
    "statement",
    "stopped_reason",
    "summary",
    "task",
    "telephone",
    "title",
    "url",
    "void_reason",
    "what",
    "withdrawn_reason",
    "words",
}
# A name by which jobs and their leases are found; what is chosen out of a list, by a CHECK.
NOT_TYPED = {
    ("consent", "purpose"),
    ("job_lease", "name"),
    ("scoring_item", "evidence"),
    ("sign_in_session", "end_reason"),
}
# Empty, by a CHECK, as long as nothing was delivered, and where a period was closed in time.
EMPTY_TELLS = {("plan_item", "evidence"), ("snapshot", "reason")}
WORDS_LENGTH_MIN = 20
TRIGGERS = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY rowid"
LOOKS = [row for row in ROWS if row.is_page and row.method == "GET"]
ROOMS = sorted({row.room for row in LOOKS})
# What is typed stands on these pages; on others there is none, or the world holds none.
TELLING = {
    f"pages {name}"
    for name in (
        "T",
        "V",
        "adjustments",
        "appraisals",
        "approvals",
        "at-till",
        "budgets",
        "cards",
        "care-fund-spendings",
        "care-funds",
        "counter",
        "disputes",
        "dual-registrations",
        "evaluation-papers",
        "front",
        "gifts",
        "grades",
        "groups",
        "manual-entries",
        "members",
        "merchant-applications",
        "merchants",
        "my-attendance",
        "notice-desk",
        "notices",
        "objections",
        "orders",
        "organization-life",
        "organization-plans",
        "organizations",
        "own",
        "periods",
        "rankings",
        "reports",
        "reviews",
        "reward-wishes",
        "rewards",
        "series",
        "service",
        "shifts",
        "shops",
        "standards",
        "stars",
        "t",
        "tasks",
        "trainings",
        "webhooks",
    )
}
# What an administrator types into a standard, and why a period was counted anew: kept for ever
# and shown to many.
TOLD = {
    "pages organization-plans": {"organization_star_plan.review", "plan_item.measures"},
    "pages own": {"transfer.reason"},
    "pages periods": {"snapshot.reason"},
    "pages rankings": {"scoring_item.name_zh"},
    "pages standards": {"scoring_standard.name", "scoring_item.name", "scoring_item.name_zh"},
    "pages tasks": {"scoring_item.name_zh"},
}


def typed_columns() -> list[tuple[str, str]]:
    """Return table and column of every word that people type."""
    return [
        (each.name, words.name)
        for each in db.metadata.sorted_tables
        for words in each.columns
        if words.name in TYPED
        and (each.name, words.name) not in NOT_TYPED
        and isinstance(words.type, String)
        and (words.type.length or WORDS_LENGTH_MIN) >= WORDS_LENGTH_MIN
    ]


@contextmanager
def rewritable(session: Session) -> Iterator[None]:
    """Let rows be changed that are kept for ever: no service could, and they hold words too."""
    connection = session.connection()
    kept = connection.exec_driver_sql(TRIGGERS).all()
    for trigger in kept:
        connection.exec_driver_sql(f"DROP TRIGGER {trigger.name}")
    yield
    for trigger in kept:
        connection.exec_driver_sql(trigger.sql)


def poison(world: World) -> None:
    """Put markup into every word that people typed, another in each row."""
    with world.writing() as session, rewritable(session):
        for name, words in typed_columns():
            filled = column(words)
            session.execute(
                update(table(name, filled))
                .where(
                    filled.is_not(None),
                    filled.not_in([""] if (name, words) in EMPTY_TELLS else []),
                    func.substr(filled, 1, len(HOSTILE)) != HOSTILE,
                )
                .values({words: literal(f"{HOSTILE}{name}.{words} ").op("||")(column("rowid"))})
            )


def faults_of(world: World, row: Row) -> tuple[list[str], set[str]]:
    """Return what is wrong with a page full of markup, and the columns whose markup is seen."""
    knocking, places = Knocking(world, row), dict.fromkeys(row.objects, OWN)
    # Who sees the least of it and who sees the most.
    admitted = [persona for persona in PERSONAS if row.admits(persona)]
    looks = [
        (persona, knocking.objects_for_looking(persona, places))
        for persona in dict.fromkeys((admitted[0], admitted[-1]))
    ]
    poison(world)
    faults: list[str] = []
    seen: set[str] = set()
    for persona, made in looks:
        answer = knocking.ask(world.tokens.get(persona), made)
        if answer.status_code >= 500:
            faults.append(f"{row.name} by {persona}: {answer.status_code}")
        if answer.mimetype == "text/html":
            page = Page(answer.text)
            faults += [f"{row.name} by {persona}: {fault}" for fault in page.faults]
            seen.update(COLUMN_SHOWN.findall(answer.text))
    return faults, seen


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.engine("sqlite")
def test_markup_in_words_stays_words(room: str, world: World) -> None:
    faults: list[str] = []
    seen: set[str] = set()
    for row in LOOKS:
        if row.room == room:
            found, shown = faults_of(world, row)
            faults += found
            seen |= shown
    assert "\n".join(faults) == ""
    assert seen or room not in TELLING
    assert seen >= TOLD.get(room, set())


def test_the_rooms_that_tell_are_rooms() -> None:
    assert set(ROOMS) >= TELLING | set(TOLD)
    told = {f"{name}.{words}" for name, words in typed_columns()}
    assert told >= set().union(*TOLD.values())


def test_the_columns_are_those_of_the_tables() -> None:
    found = typed_columns()
    assert {words for _, words in found} == TYPED
    assert ("statement_line", "dispute_reason") in found


@pytest.mark.engine("sqlite")
def test_what_is_kept_for_ever_cannot_be_changed_afterwards(world: World) -> None:
    poison(world)
    renamed = update(table("scoring_item", column("name"))).values(name="Another")
    with pytest.raises(DBAPIError, match="never changed"), world.writing() as session:
        session.execute(renamed)


def test_a_page_that_does_not_escape_is_found() -> None:
    assert Page(f"<p>{HOSTILE}</p>").faults == ["line 1: <b onx=…>"]
    assert Page(f'<input value="{HOSTILE}">').faults == ["line 1: <b onx=…>"]
    assert Page(f"<p>{SHOWN}</p>").faults == []
