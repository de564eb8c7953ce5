"""The tree from a file: all or nothing, in any order, within the importer's scope."""

import io
import threading
import time
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import select

from pointsbank.core.audit import AuditEntry
from pointsbank.core.db import run
from pointsbank.core.tables import MISSING
from pointsbank.organizations.importing import (
    KIND_WORDS,
    KINDS,
    import_organizations,
    mend_paths,
    read_organizations,
)
from pointsbank.organizations.models import LEVELS_MAX, ORGANIZATION_KINDS, Organization
from pointsbank.organizations.queries import organization_by_code, subtree_ids
from tests.builders import an_organization, how_many
from tests.moments import NOON
from tests.racing import race

REAL_FILE = Path(__file__).parents[2] / "pointsbank" / "commands" / "data" / "kuangqu.csv"
HEADER = "code,name,kind,parent_code\n"


def imported(session, text, paths=("/",), **more):
    content = text if isinstance(text, bytes) else text.encode()
    table, problems = read_organizations(content, "tree.csv")
    return import_organizations(
        session, table=table, problems=problems, paths=paths, actor_id=None, now=NOON, **more
    )


def rejected(report):
    assert (report.created, report.updated, report.unchanged) == (0, 0, 0)
    return [(problem.row, problem.column, problem.sentence) for problem in report.rejected]


def tree(session):
    """Return each code's chain of codes, from the paths alone."""
    rows = session.execute(select(Organization.id, Organization.code, Organization.path)).all()
    codes = {row.id: row.code for row in rows}
    return {
        row.code: "/".join(codes[int(part)] for part in row.path.strip("/").split("/"))
        for row in rows
    }


def test_kind_words_mean_one_kind_each():
    assert set(KIND_WORDS) == set(ORGANIZATION_KINDS)
    assert len(KINDS) == sum(1 + len(words) for words in KIND_WORDS.values())


def test_the_real_district_is_taken_and_a_repeat_changes_nothing(session):
    report = imported(session, REAL_FILE.read_bytes())
    assert (report.created, report.updated, report.unchanged, report.rejected) == (63, 0, 0, ())
    district = organization_by_code(session, "140303")
    assert len(subtree_ids(session, district.id)) == 63
    street = organization_by_code(session, "140303001")
    assert organization_by_code(session, "140303001002").path.startswith(street.path)
    again = imported(session, REAL_FILE.read_bytes())
    assert (again.created, again.updated, again.unchanged) == (0, 0, 63)


def test_children_may_stand_before_their_parents(session):
    imported(session, HEADER + "c,丙,社区,b\nb,乙,street,a\na,甲,区,\n")
    assert tree(session) == {"a": "a", "b": "a/b", "c": "a/b/c"}


def test_a_move_takes_the_whole_subtree_along(session):
    imported(session, HEADER + "a,甲,区,\nb,乙,街道,a\nc,丙,社区,b\nd,丁,网格,c\ne,戊,街道,a\n")
    report = imported(session, HEADER + "c,丙（新）,社区,e\n")
    assert (report.created, report.updated, report.unchanged) == (0, 1, 0)
    assert tree(session)["d"] == "a/e/c/d"
    assert organization_by_code(session, "c").name == "丙（新）"
    assert mend_paths(session) == 0


def test_two_moves_and_a_newcomer_in_one_file(session):
    imported(session, HEADER + "a,甲,区,\nb,乙,街道,a\nc,丙,社区,b\n")
    imported(session, HEADER + "b,乙,街道,n\nn,新,街道,a\nc,丙,社区,a\n")
    assert tree(session) == {"a": "a", "n": "a/n", "b": "a/n/b", "c": "a/c"}


def test_a_dry_run_says_the_same_and_does_nothing(session):
    an_organization(session, "a", "district", name="甲")
    report = imported(session, HEADER + "a,甲甲,区,\nb,乙,街道,a\n", is_dry_run=True)
    assert (report.created, report.updated) == (1, 1)
    assert how_many(session, Organization) == 1
    assert how_many(session, AuditEntry) == 0


def test_an_import_is_noted(session):
    imported(session, HEADER + "a,甲,区,\n")
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.action, entry.facts) == ("import_organizations", {"created": 1, "updated": 0})


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("a,甲,区,\na,乙,区,\n", [(3, "code", "This code stands in row %(other)s already.")]),
        ("a,甲,区,x\n", [(2, "parent_code", "There is no organization with this code.")]),
        ("a,甲,区,a\n", [(2, "parent_code", "An organization cannot stand under itself.")]),
        (
            "a,甲,区,b\nb,乙,街道,a\nc,丙,街道,b\n",
            [
                (2, "parent_code", "These organizations form a circle."),
                (3, "parent_code", "These organizations form a circle."),
            ],
        ),
        ("a,甲,星系,\n", [(2, "kind", "This kind is not known.")]),
        ("a,,区,\n", [(2, "name", "A name has 1 to %(most)s characters.")]),
        (f"a,{'长' * 121},区,\n", [(2, "name", "A name has 1 to %(most)s characters.")]),
        (
            ",甲,区,\n",
            [(2, "code", "A code has 1 to 32 letters, digits, dots or dashes.")],
        ),
        (
            "1.4E+11,甲,区,\n",
            [(2, "code", "A code has 1 to 32 letters, digits, dots or dashes.")],
        ),
        (
            "a,=HYPERLINK(1),区,\n",
            [(2, "name", "This cell holds a formula. Please enter its value instead.")],
        ),
    ],
)
def test_one_bad_row_keeps_all_out(session, rows, expected):
    an_organization(session, "root", "district")
    report = imported(session, HEADER + rows + "ok,好,区,\n")
    assert rejected(report) == expected
    assert how_many(session, Organization) == 1


def test_a_circle_with_what_stands_is_found(session):
    imported(session, HEADER + "a,甲,区,\nb,乙,街道,a\nc,丙,社区,b\n")
    report = imported(session, HEADER + "a,甲,区,c\n")
    assert rejected(report) == [(2, "parent_code", "These organizations form a circle.")]
    assert tree(session)["c"] == "a/b/c"


def test_a_chain_that_is_too_long_is_refused(session):
    chain = [f"n{number},层,网格,{f'n{number - 1}' if number else ''}" for number in range(25)]
    report = imported(session, HEADER + "\n".join(chain))
    assert [problem.row for problem in report.rejected] == list(range(LEVELS_MAX + 2, 27))


def test_a_missing_column_is_named_once(session):
    report = imported(session, "编码,名称,类型\na,甲,区\n")
    assert rejected(report) == [(1, "parent_code", MISSING)]


def test_problems_stand_under_the_heading_that_was_written(session):
    report = imported(session, "编码,名称,类型,上级编码\na,甲,区,x\n")
    assert rejected(report) == [
        (2, "上级编码", "There is no organization with this code."),
    ]


def test_names_keep_their_markup_and_lose_what_is_invisible(session):
    imported(session, HEADER + '"a","<b>甲</b>\u202e🎉",区,\nＢ１,乙,区,\n')
    assert organization_by_code(session, "a").name == "<b>甲</b>🎉"
    assert organization_by_code(session, "B1").name == "乙"


@pytest.fixture
def two_streets(session):
    imported(session, HEADER + "a,甲,区,\nb,乙,街道,a\nc,丙,街道,a\nx,子,社区,c\n")
    return session


@pytest.mark.parametrize(
    ("row", "column", "sentence"),
    [
        ("n,新,街道,a", "parent_code", "There is no organization with this code."),
        ("n,新,街道,", "parent_code", "There is no organization with this code."),
        ("n,新,社区,x", "parent_code", "There is no organization with this code."),
        ("x,改,社区,c", "code", "This organization is not yours to change."),
        ("x,子,社区,b", "code", "This organization is not yours to change."),
        ("b,乙,街道,", "parent_code", "There is no organization with this code."),
    ],
)
def test_who_oversees_one_street_changes_nothing_else(two_streets, row, column, sentence):
    path = organization_by_code(two_streets, "b").path
    before = tree(two_streets)
    report = imported(two_streets, f"{HEADER}{row}\n", paths=(path,))
    assert rejected(report) == [(2, column, sentence)]
    assert tree(two_streets) == before


def test_who_oversees_one_street_adds_below_it(two_streets):
    path = organization_by_code(two_streets, "b").path
    text = f"{HEADER}b,乙（改名）,街道,a\nn,新,社区,b\nm,更新,网格,n\n"
    report = imported(two_streets, text, paths=(path,))
    assert (report.created, report.updated, report.rejected) == (2, 1, ())
    assert tree(two_streets)["m"] == "a/b/n/m"


@pytest.mark.slow
def test_fifty_thousand_rows_are_taken_quickly(writing):
    lines = ["s0,区,区,"]
    lines += [f"s{n},街道{n},街道,s0" for n in range(1, 501)]
    lines += [f"c{n},社区{n},社区,s{n % 500 + 1}" for n in range(49_499)]
    began = time.perf_counter()
    with writing() as session:
        report = imported(session, HEADER + "\n".join(reversed(lines)))
    took = time.perf_counter() - began
    assert (report.created, report.rejected) == (50_000, ())
    assert took < 60
    with writing() as session:
        street = organization_by_code(session, "s7")
        assert len(subtree_ids(session, street.id)) == 100


def test_fifty_thousand_rows_with_one_fault_leave_nothing(session):
    lines = [f"c{n},社区{n},社区," for n in range(49_999)]
    report = imported(session, HEADER + "\n".join([*lines, "c7,又一个,社区,"]))
    assert rejected(report) == [(50_001, "code", "This code stands in row %(other)s already.")]
    assert how_many(session, Organization) == 0


def test_two_imports_at_once_make_no_circle(app, writing):
    """Each move is right by itself; both together would be a circle."""
    with writing() as session:
        imported(session, HEADER + "r,根,区,\na,甲,街道,r\nb,乙,街道,r\n")

    def move(code, under):
        return run(lambda session: imported(session, f"{HEADER}{code},动,街道,{under}\n"))

    reports = race(app, [lambda: move("a", "b"), lambda: move("b", "a")])
    assert sorted(report.updated for report in reports) == [0, 1]
    with writing() as session:
        assert mend_paths(session) == 0
        assert len(subtree_ids(session, organization_by_code(session, "r").id)) == 3


@pytest.mark.engine("postgresql")
def test_without_the_lock_two_imports_make_a_circle(app, writing, monkeypatch):
    """The negative control: the same race, both having judged the tree before either writes."""
    with writing() as session:
        imported(session, HEADER + "r,根,区,\na,甲,街道,r\nb,乙,街道,r\n")
    both_have_judged = threading.Barrier(2)
    module = "pointsbank.organizations.importing"
    monkeypatch.setattr(f"{module}.LOCK_TREE", "SELECT 1")
    carry_out = import_organizations.__globals__["_carry_out"]

    def carry_out_together(*arguments):
        both_have_judged.wait(30)
        carry_out(*arguments)

    monkeypatch.setattr(f"{module}._carry_out", carry_out_together)

    def move(code, under):
        return run(lambda session: imported(session, f"{HEADER}{code},动,街道,{under}\n"))

    reports = race(app, [lambda: move("a", "b"), lambda: move("b", "a")])
    assert [report.updated for report in reports] == [1, 1]
    with writing() as session:
        parents = dict(session.execute(select(Organization.code, Organization.parent_id)).all())
        ids = dict(session.execute(select(Organization.code, Organization.id)).all())
        assert (parents["a"], parents["b"]) == (ids["b"], ids["a"])


def test_the_file_may_be_a_workbook(session):
    book = openpyxl.Workbook()
    for row in (["编码", "名称", "类型", "上级编码"], [140303, "矿区", "区", None]):
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    table, problems = read_organizations(content.getvalue(), "tree.xlsx")
    report = import_organizations(
        session, table=table, problems=problems, paths=("/",), actor_id=None, now=NOON
    )
    assert report.created == 1
    assert organization_by_code(session, "140303").name == "矿区"
