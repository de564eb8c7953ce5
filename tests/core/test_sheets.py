"""Sheets as they are handed out: whatever people named things, a file runs nothing."""

import io

import pytest
from openpyxl import load_workbook

from pointsbank.core.sheets import Sheet, write_csv, write_sheet

BEGINNINGS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1")


def written(write, name="商户", cells=()):
    file = io.BytesIO()
    rows = [[cell] for cell in cells]
    write(file, Sheet(name=name, note="", headers=["店名"], rows=rows))
    return file.getvalue()


@pytest.mark.parametrize(
    "name", ["'老王'的店'", "x" * 30 + "'" + "2026-11", "[1]:*?/\\", "=HYPERLINK(1)"]
)
def test_a_shop_may_be_called_anything(name):
    book = load_workbook(io.BytesIO(written(write_sheet, name)))
    assert len(book.sheetnames[0]) <= 31


def test_no_cell_begins_a_formula():
    page = load_workbook(io.BytesIO(written(write_sheet, cells=BEGINNINGS))).active
    found = [row[0] for row in page.iter_rows(min_row=4, values_only=True)]
    assert len(found) == len(BEGINNINGS)
    assert all(cell.startswith("'") for cell in found)
    text = written(write_csv, cells=BEGINNINGS[:4]).decode("utf-8-sig")
    assert text.splitlines()[1:] == [f"'{cell}" for cell in BEGINNINGS[:4]]
