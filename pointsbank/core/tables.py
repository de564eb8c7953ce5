"""Tables that people send: CSV and XLSX read alike, judged before they are parsed.

What a spreadsheet program on a Chinese desktop writes is taken: UTF-8 with or without its mark,
UTF-16, GB18030, commas, semicolons or tabs. Formulas are refused, because nobody can see what
they hold.
"""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from pointsbank.core.errors import Invalid
from pointsbank.core.text import cleaned, halfwidth

ROWS_MAX = 200_000
COLUMNS_MAX = 60
CELL_LENGTH_MAX = 1000
# A workbook of 50,000 rows unpacks to some 20 MB; a bomb to thousands of times its size.
PARTS_MAX = 500
UNPACKED_BYTES_MAX = 128 * 1024 * 1024
RATIO_MAX = 150
# Very small parts of plain XML may be packed harder than any sheet; below this size the ratio
# says nothing.
RATIO_FROM_BYTES = 4 * 1024 * 1024
# Spreadsheets count with 15 digits; a longer number has lost its end.
WHOLE_NUMBER_MAX = 10**15

ZIP_MARK = b"PK\x03\x04"
MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
MISSING = "This column is missing. Its heading may be %(heading)s."
DELIMITERS = ",\t;"
CJK = re.compile("[\u4e00-\u9fff]")
DOCTYPE = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
SCAN_BYTES = 1 << 20

BROKEN_WORKBOOK = (
    zipfile.BadZipFile,
    zlib.error,
    ParseError,
    InvalidFileException,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


class BadTable(Invalid):
    """The file as a whole cannot be read as a table; facts tell the row and column where they
    are known.
    """

    code = "bad_table"
    message = "This file could not be read as a table."

    def __init__(self, message: str, *, row: int | None = None, **facts: Any) -> None:
        """Keep the place of the trouble."""
        super().__init__(message, row=row, **facts)


class TableTooLarge(BadTable):
    """More rows, parts or unpacked bytes than any honest file has."""

    code = "table_too_large"


@dataclass(frozen=True)
class Problem:
    """Why a row was not taken. sentence is English with %(name)s places; it never repeats a
    cell's text.

    row: as the spreadsheet counts, the header being row 1. column: the header as it was
    written.
    """

    row: int
    column: str | None
    sentence: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """What an import did, or would do; with anything rejected it did nothing."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Row:
    """One row: the text of each known column that is not empty, under the column's own name."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class Table:
    """A table with its columns recognised. headers: each column's heading as it was written."""

    headers: Mapping[str, str]
    rows: Sequence[Row]

    def problem(self, row: int, column: str, sentence: str, **facts: Any) -> Problem:
        """Say what is wrong in one cell, under the heading that the sender wrote."""
        return Problem(row, self.headers.get(column, column), sentence, facts)


def read_table(
    content: bytes,
    filename: str,
    *,
    columns: Mapping[str, Sequence[str]],
    required: Iterable[str],
    rows_max: int = ROWS_MAX,
) -> tuple[Table, list[Problem]]:
    """Read a file into rows and the problems of its cells; columns nobody knows are passed
    over.

    columns: for each column the headings under which it may stand, in any language.
    Raises BadTable, TableTooLarge.
    """
    if not content.strip(b"\r\n\t \x00\xef\xbb\xbf\xff\xfe"):
        raise BadTable("This file is empty.", row=1)
    lines = numbered_lines(content, filename, rows_max)
    heading = next(lines, None)
    if heading is None:
        raise BadTable("This file is empty.", row=1)
    places, headers, problems = _recognised(heading, columns, set(required))
    table = Table(headers, _rows(lines, places, headers, problems))
    if not table.rows and not problems:
        raise BadTable("This file has no rows below its headings.", row=heading[0])
    return table, problems


def _rows(
    lines: Iterator[tuple[int, list[str]]],
    places: Mapping[str, int],
    headers: Mapping[str, str],
    problems: list[Problem],
) -> list[Row]:
    rows: list[Row] = []
    for number, cells in lines:
        row_cells: dict[str, str] = {}
        found = len(problems)
        for name, place in places.items():
            text = cells[place] if place < len(cells) else ""
            problem = _cell_problem(text)
            if problem is not None:
                problems.append(Problem(number, headers[name], problem))
            elif text := text.strip():
                row_cells[name] = text
        # One problem says enough about a cell: what it lacks now is not judged any more.
        if row_cells and len(problems) == found:
            rows.append(Row(number, row_cells))
    return rows


def _cell_problem(text: str) -> str | None:
    if text.lstrip().startswith("="):
        return "This cell holds a formula. Please enter its value instead."
    if text.startswith(LOST_DIGITS):
        return "This number is too long for a spreadsheet. Please format the column as text."
    if len(text) > CELL_LENGTH_MAX:
        return "This cell is too long."
    return None


def _recognised(
    heading: tuple[int, list[str]], columns: Mapping[str, Sequence[str]], required: set[str]
) -> tuple[dict[str, int], dict[str, str], list[Problem]]:
    """Return where each known column stands, how its heading is written, and what is wrong with
    them.
    """
    number, written = heading
    names = {_plain(alias): name for name, aliases in columns.items() for alias in aliases}
    places: dict[str, int] = {}
    headers: dict[str, str] = {}
    problems = []
    for place, text in enumerate(written):
        name = names.get(_plain(text))
        if name is None:
            continue
        if name in places:
            problems.append(Problem(number, cleaned(text), "This column stands here twice."))
            continue
        places[name], headers[name] = place, cleaned(text)
    problems.extend(
        Problem(number, name, MISSING, {"heading": [*columns[name], name][1]})
        for name in sorted(required - set(places))
    )
    return places, headers, problems


def _plain(heading: str) -> str:
    return re.sub(r"[\s*_\-（）()]", "", halfwidth(cleaned(heading))).lower()


def numbered_lines(
    content: bytes, filename: str, rows_max: int = ROWS_MAX
) -> Iterator[tuple[int, list[str]]]:
    """Yield each row that holds anything, with its number, whatever kind of table the file is.

    Raises BadTable, TableTooLarge, as far as it was read.
    """
    extension = filename.rsplit(".", 1)[-1].lower() if "." in filename else ""
    if extension not in ("csv", "txt", "xlsx"):
        raise BadTable("Please send a file that ends in .csv or .xlsx.")
    is_workbook = content.startswith(ZIP_MARK)
    if is_workbook != (extension == "xlsx"):
        raise BadTable("The content of this file is not what its name says.")
    lines = _workbook_lines(content) if is_workbook else _csv_lines(content)
    for number, cells in enumerate(lines, start=1):
        if number > rows_max + 1:
            raise TableTooLarge("This file has more than %(rows)s rows.", rows=rows_max)
        if any(cell.strip() for cell in cells):
            yield number, cells


def decoded(content: bytes) -> str:
    """Return the text of a CSV file, in whichever of our encodings it is.

    Raises BadTable with the row of the first byte that fits none.
    """
    for mark, encoding in MARKS.items():
        if content.startswith(mark):
            try:
                return content.decode(encoding)
            except UnicodeDecodeError as error:
                raise _broken_at(content, error.start) from error
    if b"\x00" in content:
        raise BadTable("The content of this file is not what its name says.")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        # One torn character in UTF-8 still reads as GB18030, but as other words: count what
        # makes sense.
        torn = content.decode("utf-8", errors="replace")
        if len(CJK.findall(torn)) > torn.count("\ufffd"):
            raise _broken_at(content, error.start) from error
    try:
        return content.decode("gb18030")
    except UnicodeDecodeError as error:
        raise _broken_at(content, error.start) from error


def _broken_at(content: bytes, position: int) -> BadTable:
    return BadTable(
        "This file holds characters that cannot be read. Please save it as UTF-8 or as XLSX.",
        row=content.count(b"\n", 0, position) + 1,
    )


def _csv_lines(content: bytes) -> Iterator[list[str]]:
    text = decoded(content)
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    while True:
        number += 1
        try:
            yield next(reader)[:COLUMNS_MAX]
        except StopIteration:
            return
        except csv.Error as error:
            raise BadTable(
                "A quotation mark is opened in row %(row)s and never closed.", row=number
            ) from error


def _workbook_lines(content: bytes) -> Iterator[list[str]]:
    try:
        judge_archive(content)
        # data_only=False: a formula is seen as one, and refused, instead of the value it had
        # somewhere.
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False)
        if not book.worksheets:
            raise BadTable("This file is empty.", row=1)
        sheet = book.worksheets[0]
        # What the file says about its own size is not to be believed.
        sheet.reset_dimensions()
        for cells in sheet.iter_rows(max_col=COLUMNS_MAX):
            yield [_cell_text(cell) for cell in cells]
    except BROKEN_WORKBOOK as error:
        raise BadTable(
            "This workbook is damaged. Please save it again as XLSX or CSV."
        ) from error


# A mark that no text of a cell begins with: control characters do not get into XML.
LOST_DIGITS = "\x00lost"


def _cell_text(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if getattr(cell, "data_type", "") == "f":
        return "="
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return _number_text(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


def _number_text(value: float) -> str:
    if abs(value) >= WHOLE_NUMBER_MAX:
        return LOST_DIGITS
    return str(int(value)) if value == int(value) else str(value)


def judge_archive(content: bytes) -> None:
    """Accept a workbook's archive, by what it says of itself, before anything in it is
    unpacked.

    Raises TableTooLarge for a bomb, BadTable for a part that declares entities (XXE).
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        unpacked = sum(part.file_size for part in parts)
        packed_too_hard = any(
            part.file_size > RATIO_FROM_BYTES
            and part.file_size > RATIO_MAX * max(part.compress_size, 1)
            for part in parts
        )
        if len(parts) > PARTS_MAX or unpacked > UNPACKED_BYTES_MAX or packed_too_hard:
            raise TableTooLarge("This workbook would unpack to more than can be read.")
        for part in parts:
            if part.filename.lower().endswith((".xml", ".rels", ".vml")):
                _judge_part(archive, part)


def _judge_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """Refuse entities, and any encoding in which they could hide from this look."""
    with archive.open(part) as stream:
        before = b""
        while piece := stream.read(SCAN_BYTES):
            if not before and (piece[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in piece[:4]):
                raise BadTable("This workbook is damaged. Please save it again as XLSX or CSV.")
            if DOCTYPE.search(before[-16:] + piece):
                raise BadTable("This workbook is damaged. Please save it again as XLSX or CSV.")
            before = piece
