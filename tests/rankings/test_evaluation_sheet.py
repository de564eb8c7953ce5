"""From the exported workbook alone, a person outside computes every score, rank and digest."""

import io
import random
from datetime import date, timedelta

import pytest
from openpyxl import load_workbook
from sqlalchemy import select, update

from pointsbank.appraisals.models import Exemption
from pointsbank.core.audit import AuditEntry
from pointsbank.members.models import Member
from tests.browsing import Browser
from tests.builders import a_member, with_role
from tests.rankings.by_hand import digest_of, ranks_of, read_book
from tests.rankings.closings import (
    DURING,
    ENTERED_LATE,
    Branch,
    ask,
    close,
    decide,
)
from tests.standards import a_standard

ITEMS = ("volunteer_hour", "night_patrol", "theme_day", "study_session", "community_duty")


@pytest.fixture
def branch(writing):
    """A branch with a random quarter: several items, days and weeks, things taken back."""
    dice = random.Random(20261122)
    with writing() as session:
        made = Branch(session)
        # From the middle of the quarter on; it counts all of the quarter.
        a_standard(
            session,
            valid_from=date(2026, 8, 15),
            changes={
                "volunteer_hour": {
                    "hundredths_day_max": 300,
                    "hundredths_week_max": 500,
                    "hundredths_year_max": 2200,
                }
            },
        )
        made.members += [a_member(session, f"组员{n}", made.id, now=DURING) for n in range(6)]
        for member_id in made.members[2:]:
            for _ in range(dice.randrange(0, 14)):
                made.entry(
                    session,
                    member_id,
                    dice.choice((50, 100, 200, 300, -50, 450)),
                    dice.choice(ITEMS),
                    earned_on=date(2026, 7, 1) + timedelta(days=dice.randrange(92)),
                )
        session.add_all(
            Exemption(
                member_id=member_id,
                organization_id=made.id,
                reason_code=reason,
                from_on=date(2026, 1, 1),
                state="confirmed",
                entered_by_id=made.secretary,
                entered_at=DURING,
                confirmed_by_id=made.second,
                decided_at=DURING,
            )
            for member_id, reason in (
                (made.members[0], "over_70"),
                (made.members[3], "mobile"),
            )
        )
        with_role(session, made.secretary, "secretary", made.id)
        with_role(session, made.third, "auditor", made.id)
        close(session, made)
        return made


def exported(app, branch, member_id, **more):
    browser = Browser(app, member_id)
    page = browser.open(f"/periods/2026-Q3/{branch.id}")
    with browser.send(browser.form(page, "sheet.xlsx"), **more) as answer:
        assert answer.status_code == 200
        return load_workbook(io.BytesIO(answer.data))


def test_every_rank_and_the_digest_follow_from_the_cells_alone(app, branch):
    book = read_book(exported(app, branch, branch.secretary))
    assert ranks_of(book) == {row[1]: (row[9], row[0]) for row in book["lines"]}
    assert digest_of(book) == book["head"]["digest"]
    assert len(book["lines"]) == 11
    assert sum(1 for row in book["lines"] if row[0] is None) == 1
    entries = book["entries"]
    assert [book["head"][name] for name in ("entries", "hundredths", "points", "minutes")] == [
        len(entries),
        *(sum(row[column] for row in entries) for column in (7, 8, 9)),
    ]
    assert max(row[0] for row in entries) == book["head"]["entry"]


@pytest.mark.parametrize(
    ("sheet", "column", "row"),
    [("entries", 7, -1), ("items", 3, "volunteer_hour"), ("tables", 4, 4)],
)
def test_another_cell_gives_another_result(app, branch, sheet, column, row):
    """The control: an hour less, a cap less or another table is seen in some score."""
    book = read_book(exported(app, branch, branch.secretary))
    if isinstance(row, str):
        row = next(n for n, cells in enumerate(book[sheet]) if cells[0] == row)
    elif sheet == "tables":
        row = next(n for n, cells in enumerate(book[sheet]) if cells[3] == "volunteer_service")
    changed = list(book[sheet][row])
    changed[column] = 1
    book[sheet][row] = tuple(changed)
    assert ranks_of(book) != {line[1]: (line[9], line[0]) for line in book["lines"]}


def test_another_rank_gives_another_digest(app, branch):
    book = read_book(exported(app, branch, branch.secretary))
    book["lines"][0] = (9, *book["lines"][0][1:])
    assert digest_of(book) != book["head"]["digest"]


def test_a_corrected_version_has_its_changes_and_the_old_one_can_be_had(app, branch, writing):
    with writing() as session:
        branch.entry(session, branch.members[1], 200, "theme_day", now=ENTERED_LATE)
        decide(session, branch, ask(session, branch))
    book = read_book(exported(app, branch, branch.secretary))
    assert (book["head"]["version"], book["head"]["reason"]) == (2, "漏记一次服务")
    assert digest_of(book) == book["head"]["digest"]
    own = [row for row in book["changes"] if row[6]]
    assert [(row[1], row[2], row[3]) for row in own] == [("李敏", 400, 1200)]
    assert all(row[7] for row in book["changes"] if not row[6])
    first = read_book(exported(app, branch, branch.secretary, version=1))
    assert (first["head"]["version"], "changes" in first) == (1, False)
    assert digest_of(first) == first["head"]["digest"]


def test_an_auditor_reads_masked_names_and_each_file_is_noted(app, branch, writing):
    def names(member_id):
        book = read_book(exported(app, branch, member_id))
        return {row[2] for row in [*book["lines"], *book["entries"]]}

    masked, full = names(branch.third), names(branch.secretary)
    assert "王*兰" in masked
    assert "王桂兰" not in masked
    assert "王桂兰" in full
    with writing() as session:
        noted = session.scalars(
            select(AuditEntry)
            .where(AuditEntry.action == "export_snapshot")
            .order_by(AuditEntry.id)
        ).all()
        assert [(each.actor_id, each.facts["with_names"]) for each in noted] == [
            (branch.third, False),
            (branch.secretary, True),
        ]


def test_no_name_and_no_reason_becomes_a_formula(app, branch, writing):
    """What somebody typed begins a formula; in no sheet of the book it is one."""
    with writing() as session:
        session.execute(
            update(Member).where(Member.id == branch.members[1]).values(name="=1+1")
        )
        branch.entry(session, branch.members[1], 200, "theme_day", now=ENTERED_LATE)
        decide(session, branch, ask(session, branch, reason="@SUM(A1)"))
    book = exported(app, branch, branch.secretary)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} & {"f"} == set()
    words = [cell.value for cell in cells if isinstance(cell.value, str)]
    assert {"'=1+1", "'@SUM(A1)"} <= set(words)
    assert not [each for each in words if each[:1] in "=+-@" and len(each) > 1]
