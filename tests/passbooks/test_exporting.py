"""A book as CSV and XLSX: text stays text, and a long one needs no memory."""

import csv
import io
import tracemalloc
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import openpyxl
import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from pointsbank.core import sheets
from pointsbank.core.sheets import (
    FORMULA_BEGINNINGS,
    Sheet,
    SheetTooLong,
    write_csv,
    write_sheet,
)
from pointsbank.ledger.models import Account, Transfer
from pointsbank.ledger.service import open_account, reverse
from pointsbank.passbooks.exporting import Words, write_account
from tests.builders import a_member, points_for, points_spent, signed_in
from tests.moments import NOON

ZONE = ZoneInfo("Asia/Shanghai")
WORDS = Words("book", "a note", [f"column {n}" for n in range(12)], {})


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def member(writing):
    with writing() as session:
        return a_member(session)


@pytest.fixture
def fetch(app, client, member):
    """Fetch one's own book as a file."""

    def fetch_file(form, status=200, language="en"):
        answer = client.get(
            "/api/v1/me/passbook/export",
            query_string={"format": form},
            headers=signed_in(app, member, NOON) | {"Accept-Language": language},
            buffered=True,
        )
        assert answer.status_code == status, answer.text
        return answer

    return fetch_file


def test_a_book_is_a_table_from_its_owners_side(writing, fetch, member):
    with writing() as session:
        points_for(session, member, 45, "award:1", NOON - timedelta(days=1))
        spent = points_spent(session, member, 20, "redeem:R1")
        reverse(
            session,
            transfer_id=spent,
            key="void:1",
            reason="冲正",
            actor_id=None,
            today=NOON.date(),
            now=NOON,
            points=5,
        )
    answer = fetch("csv")
    assert answer.data.startswith(b"\xef\xbb\xbf")
    assert (
        "attachment; filename=passbook-2026-11-21.csv" in answer.headers["Content-Disposition"]
    )
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))
    assert rows[0][:7] == [
        "Line",
        "Written",
        "Took place",
        "Kind",
        "For what",
        "Deposit",
        "Withdrawal",
    ]
    assert [row[:1] + row[4:9] for row in rows[1:]] == [
        ["1", "河道清洁", "45", "", "45", ""],
        ["2", "大米 5 公斤", "", "20", "25", ""],
        ["3", "冲正", "5", "", "30", "2"],
    ]
    assert rows[1][1] == "2026-11-20 12:00:00"
    assert fetch("csv", language="zh").data.decode("utf-8-sig").startswith("行号")


def test_a_book_is_a_workbook_whose_text_is_text(writing, fetch, member):
    with writing() as session:
        points_for(session, member, 45, "award:1")
    page = openpyxl.load_workbook(io.BytesIO(fetch("xlsx").data)).worksheets[0]
    cells = [cell for row in page.iter_rows(min_row=4) for cell in row if cell.value]
    assert {cell.data_type for cell in cells} == {"s", "n"}
    assert page["F4"].value == 45
    assert page["E4"].value == "河道清洁"


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]))))
def test_no_text_becomes_a_formula(texts):
    begun = [f"{beginning}1+1" for beginning in FORMULA_BEGINNINGS if beginning.isprintable()]
    rows = [[text] for text in (*begun, *texts)]
    workbook, table = io.BytesIO(), io.BytesIO()
    write_sheet(workbook, Sheet("a", "=1", ["=1"], rows))
    write_csv(table, Sheet("a", "=1", ["=1"], rows))
    page = openpyxl.load_workbook(workbook).worksheets[0]
    assert [cell for row in page.iter_rows() for cell in row if cell.data_type == "f"] == []
    read = csv.reader(io.StringIO(table.getvalue().decode("utf-8-sig"), newline=""))
    cells = [row[0] for row in read if row]
    assert [cell for cell in cells if cell.startswith(FORMULA_BEGINNINGS)] == []
    assert len(begun) == 4


def test_more_rows_than_a_workbook_holds_are_refused(monkeypatch):
    monkeypatch.setattr(sheets, "XLSX_ROWS_MAX", 3)
    with pytest.raises(SheetTooLong):
        write_sheet(io.BytesIO(), Sheet("a", "", ["a"], [[1]] * 4))
    assert write_sheet(io.BytesIO(), Sheet("a", "", ["a"], [[1]] * 3)) == 3


def test_a_book_is_a_journal_that_names_its_account(writing, fetch, member):
    with writing() as session:
        points_for(session, member, 45, "award:1")
    answer = fetch("beancount")
    assert answer.mimetype == "text/plain"
    assert f'code: "member:{member}"' in answer.text
    assert "河道清洁" in answer.text


@pytest.mark.parametrize("form", ["pdf", ""])
def test_an_unknown_form_is_refused(fetch, form):
    assert fetch(form, 422).json["code"] == "bad_fields"


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv", "beancount"])
def test_a_long_book_needs_no_more_memory_than_a_short_one(writing, member, form):
    """What is kept at once grows by less than a tenth of what is written more."""

    def written():
        with writing() as session, open("/dev/null", "wb") as nowhere:
            tracemalloc.start()
            write_account(
                session,
                nowhere,
                code=f"member:{member}",
                form=form,
                zone=ZONE,
                words=WORDS,
            )
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return peak

    with writing() as session:
        lines(session, member, 2_000)
    written()
    short = written()
    with writing() as session:
        lines(session, member, 8_000, since=2_000)
    assert written() < 1.3 * short


def lines(session, member_id, count, since=0):
    """Copy a line many times over, as a long life would write them."""
    code = f"member:{member_id}"
    wallet_id = session.scalar(select(Account.id).where(Account.code == code))
    issuer = open_account(session, code="issue:copies", kind="issue")
    session.bulk_insert_mappings(
        Transfer,
        [
            {
                "key": f"award:copy:{number}",
                "request_hash": b"0" * 32,
                "kind": "earn",
                "source_id": issuer,
                "target_id": wallet_id,
                "points": 1,
                "wallet_id": wallet_id,
                "wallet_seq": number,
                "wallet_after": number,
                "occurred_at": NOON,
                "recorded_at": NOON + timedelta(minutes=number),
                "expires_on": date(2030, 12, 31),
                "reason": "河道清洁",
            }
            for number in range(since + 1, since + count + 1)
        ],
    )
