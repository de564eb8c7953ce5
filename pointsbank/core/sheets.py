"""XLSX and CSV as they are handed out, row by row so that a long one needs no memory."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import IO, Any

import xlsxwriter

from pointsbank.core.errors import Invalid

# A spreadsheet program may run what begins like this as a formula (OWASP, CSV injection).
FORMULA_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r")

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV_TYPE = "text/csv"
# Without this mark, spreadsheet programs in Chinese read UTF-8 as GB18030.
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
HEADER_ROW = 2
# What the format holds, less the rows above; whatever were written below would be lost.
XLSX_ROWS_MAX = 1_048_576 - (HEADER_ROW + 1)
COLUMN_WIDTH = 16
# A sheet's name may hold neither these nor more than 31 characters, nor begin or end with '.
NAME_LENGTH_MAX = 31
NOT_IN_NAMES = "[]:*?/\\'"

# None leaves the cell empty.
Cell = str | int | float | None


class SheetTooLong(Invalid):
    """An XLSX file cannot hold so many rows."""

    code = "sheet_too_long"
    message = "An XLSX file holds %(rows)s rows, and there are more. Take CSV."


@dataclass(frozen=True)
class Sheet:
    """What is written: a line that says as of when, the headers, rows of text and numbers."""

    name: str
    note: str
    headers: Sequence[str]
    rows: Iterable[Sequence[Cell]]


def harmless(text: str) -> str:
    """Return text that no spreadsheet takes for a formula, also after it is saved as CSV."""
    return f"'{text}" if text.startswith(FORMULA_BEGINNINGS) else text


def write_sheet(file: IO[bytes], sheet: Sheet) -> int:
    """Write an XLSX file and return the number of rows below the header.

    Raises SheetTooLong.
    """
    return write_book(file, [sheet])


def write_book(file: IO[bytes], sheets: Iterable[Sheet]) -> int:
    """Write an XLSX file of several sheets, in their order; return the rows below the headers.

    Raises SheetTooLong.
    """
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    with xlsxwriter.Workbook(file, options) as book:
        bold = book.add_format({"bold": True})
        return sum(_write_page(book, sheet, bold) for sheet in sheets)


def _write_page(book: Any, sheet: Sheet, bold: Any) -> int:
    name = "".join(" " if mark in NOT_IN_NAMES else mark for mark in sheet.name)
    count = 0
    page = book.add_worksheet(name[:NAME_LENGTH_MAX])
    page.set_column(0, max(len(sheet.headers) - 1, 0), COLUMN_WIDTH)
    page.freeze_panes(HEADER_ROW + 1, 0)
    page.write_string(0, 0, harmless(sheet.note))
    for column, header in enumerate(sheet.headers):
        page.write_string(HEADER_ROW, column, harmless(header), bold)
    for count, row in enumerate(sheet.rows, start=1):
        if count > XLSX_ROWS_MAX:
            raise SheetTooLong(rows=XLSX_ROWS_MAX)
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                page.write_string(HEADER_ROW + count, column, harmless(cell))
            elif cell is not None:
                page.write_number(HEADER_ROW + count, column, cell)
    return count


def write_csv(file: IO[bytes], sheet: Sheet) -> int:
    """Write a CSV file in UTF-8 with its mark and return the number of rows below the header.

    The headers are the first line, for programs that read them; the note is left out.
    """
    count = 0
    file.write(BYTE_ORDER_MARK)
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    try:
        writer = csv.writer(text)
        writer.writerow([harmless(header) for header in sheet.headers])
        for row in sheet.rows:
            writer.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in row])
            count += 1
    finally:
        # The file stays open: it is the caller's.
        text.detach()
    return count
