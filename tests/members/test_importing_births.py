"""An import of people may bring their dates of birth."""

import io
from datetime import date, datetime

import openpyxl
import pytest

from pointsbank.core.keys import draw_bytes
from pointsbank.members.abilities_queries import born_on_of
from pointsbank.members.importing import import_members, read_members
from pointsbank.members.queries import member_id_of_number
from tests.builders import COMMUNITY_CODE, an_organization
from tests.moments import NOON

HEADER = "志愿者编号,姓名,手机号,所属组织编码,类别"
ROW = f"20000001,王桂兰,13800138001,{COMMUNITY_CODE},居民"
BORN = date(1953, 4, 5)


def imported(session, content, filename="people.csv"):
    table, problems = read_members(content, filename)
    return import_members(
        session,
        table=table,
        problems=problems,
        paths=("/",),
        password_hashes={},
        draw_handle=draw_bytes,
        actor_id=None,
        now=NOON,
        today=NOON.date(),
    )


def lines(born_on=None, heading="出生日期"):
    if born_on is None:
        return f"{HEADER}\n{ROW}\n".encode()
    return f"{HEADER},{heading}\n{ROW},{born_on}\n".encode()


def counts(report):
    return report.created, report.updated, report.unchanged


def born(session):
    member_id = member_id_of_number(session, "20000001")
    assert member_id is not None
    return born_on_of(session, member_id)


@pytest.fixture
def place(session):
    return an_organization(session)


@pytest.mark.parametrize("heading", ["出生日期", "生日", "born_on"])
def test_a_date_of_birth_comes_with_its_person(session, place, heading):
    assert counts(imported(session, lines("1953/4/5", heading))) == (1, 0, 0)
    assert born(session) == BORN


def test_it_is_brought_up_to_date_and_kept_where_it_is_left_out(session, place):
    imported(session, lines())
    assert born(session) is None
    assert counts(imported(session, lines("19530406"))) == (0, 1, 0)
    assert counts(imported(session, lines("1953年4月5日"))) == (0, 1, 0)
    for again in (lines("1953-04-05"), lines(""), lines()):
        assert counts(imported(session, again)) == (0, 0, 1)
        assert born(session) == BORN


@pytest.mark.parametrize(
    "written", ["1953", "5.4.1953", "1953-02-30", "2026-11-22", "1853-04-05"]
)
def test_what_is_no_date_of_birth_is_said_with_its_row(session, place, written):
    report = imported(session, lines(written))
    assert counts(report) == (0, 0, 0)
    assert [(each.row, each.column) for each in report.rejected] == [(2, "出生日期")]
    assert member_id_of_number(session, "20000001") is None


@pytest.mark.parametrize("cell", [datetime(1953, 4, 5), 19530405, "1953-04-05"])  # noqa: DTZ001
def test_a_spreadsheet_writes_days_in_its_own_ways(session, place, cell):
    book = openpyxl.Workbook()
    book.active.append([*HEADER.split(","), "出生日期"])
    book.active.append([*ROW.split(","), cell])
    kept = io.BytesIO()
    book.save(kept)
    assert counts(imported(session, kept.getvalue(), "people.xlsx")) == (1, 0, 0)
    assert born(session) == BORN
