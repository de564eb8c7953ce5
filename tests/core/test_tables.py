"""Tables that people send: what is read, and what is refused before or while it is."""

import io
import struct
import time
import zipfile

import openpyxl
import pytest

from pointsbank.core.tables import (
    COLUMNS_MAX,
    MISSING,
    RATIO_FROM_BYTES,
    BadTable,
    TableTooLarge,
    read_table,
)

COLUMNS = {"code": ("code", "编码"), "name": ("name", "名称")}
LINES = "编码,名称\r\n1,矿区\r\n2,平潭街街道\r\n"


def read(content, filename="t.csv", **more):
    return read_table(content, filename, columns=COLUMNS, required=("code", "name"), **more)


def cells(content, filename="t.csv"):
    table, problems = read(content, filename)
    assert problems == []
    return [(row.number, dict(row.cells)) for row in table.rows]


def workbook(rows, **more):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for name, value in more.items():
        book.active[name] = value
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def repacked(content, **changes):
    """Return a workbook with parts added or replaced."""
    archive = zipfile.ZipFile(io.BytesIO(content))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for part in archive.namelist():
            if part not in changes:
                new.writestr(part, archive.read(part))
        for part, data in changes.items():
            new.writestr(part, data)
    return packed.getvalue()


EXPECTED = [
    (2, {"code": "1", "name": "矿区"}),
    (3, {"code": "2", "name": "平潭街街道"}),
]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "utf-16-le-bom", "utf-16-be-bom"]
)
def test_every_encoding_of_a_chinese_desktop_is_read(encoding):
    if encoding.endswith("-bom"):
        content = "\ufeff".encode(encoding[:-4]) + LINES.encode(encoding[:-4])
    else:
        content = LINES.encode(encoding)
    assert cells(content) == EXPECTED


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_every_separator_is_read(delimiter):
    assert cells(LINES.replace(",", delimiter).encode()) == EXPECTED


def test_blank_lines_count_but_hold_nothing():
    text = LINES.replace("1,矿区\r\n", "\r\n1,矿区\r\n , \r\n")
    assert [number for number, _ in cells(text.encode())] == [3, 5]


def test_headings_in_any_case_with_stars_and_unknown_columns_are_read():
    text = "备注, CODE *,名称\n随便,1,矿区\n"
    assert cells(text.encode()) == [(2, {"code": "1", "name": "矿区"})]


def test_a_workbook_is_read_with_numbers_as_they_look():
    content = workbook([["code", "name"], [140303001002, "甲"], [7.0, "乙"], [1.5, "丙"]])
    assert [row["code"] for _, row in cells(content, "t.xlsx")] == ["140303001002", "7", "1.5"]


def test_a_column_that_is_missing_or_doubled_is_named():
    _, problems = read("编码,编码\n1,2\n".encode())
    assert [(p.row, p.column, p.sentence) for p in problems] == [
        (1, "编码", "This column stands here twice."),
        (1, "name", MISSING),
    ]


@pytest.mark.parametrize(
    ("content", "filename", "row"),
    [
        (b"", "t.csv", 1),
        (b"\xef\xbb\xbf \r\n", "t.csv", 1),
        ("编码,名称\n".encode(), "t.csv", 1),
        (LINES.encode()[:-6] + b"\xff" + LINES.encode()[-6:], "t.csv", 3),
        (b"code,name\n1,\xff\xff\xff\n", "t.csv", 2),
        (b"\xff\xfec\x00o\x00\x00\xd8,\x00\n\x00", "t.csv", 1),
        (b'code,name\n1,"open\n2,b\n', "t.csv", 2),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00", "t.csv", None),
        (LINES.encode(), "t.xlsx", None),
        (LINES.encode(), "t.pdf", None),
        (LINES.encode(), "t", None),
        (b"PK\x03\x04 not a zip", "t.xlsx", None),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old", "t.xlsx", None),
    ],
)
def test_what_is_no_table_is_refused_with_its_row(content, filename, row):
    with pytest.raises(BadTable) as refused:
        read(content, filename)
    assert refused.value.facts["row"] == row


def test_a_workbook_under_the_name_of_a_text_is_refused():
    with pytest.raises(BadTable, match="not what its name says"):
        read(workbook([["code", "name"]]), "t.csv")


def test_torn_utf8_does_not_turn_into_other_words():
    whole = "编码,名称\n" + "1,平潭街街道西社区\n" * 20
    torn = whole.encode()[:60] + whole.encode()[61:]
    with pytest.raises(BadTable) as refused:
        read(torn)
    assert refused.value.facts["row"] == 3


def test_formulas_are_refused_by_row_and_column():
    table, problems = read(
        workbook([["编码", "名称"], [1, "=1+1"], ['=cmd|"/c"!A1', "乙"]]), "t.xlsx"
    )
    assert [(p.row, p.column) for p in problems] == [(2, "名称"), (3, "编码")]
    assert table.rows == []
    _, problems = read('编码,名称\n="007",甲\n'.encode())
    assert [(p.row, p.column) for p in problems] == [(2, "编码")]


def test_a_number_that_lost_its_end_is_refused():
    _, problems = read(workbook([["code", "name"], [110101199003071234, "甲"]]), "t.xlsx")
    assert [(p.row, p.column) for p in problems] == [(2, "code")]


def test_more_rows_than_allowed_are_refused():
    lines = b"code,name\n" + b"1,a\n" * 11
    assert len(read(lines, rows_max=11)[0].rows) == 11
    with pytest.raises(TableTooLarge):
        read(lines, rows_max=10)


def test_a_bomb_is_refused_before_it_is_unpacked():
    sheet = "xl/worksheets/sheet1.xml"
    bomb = repacked(workbook([["code", "name"]]), **{sheet: b" " * (8 * RATIO_FROM_BYTES)})
    assert len(bomb) < 100_000
    began = time.perf_counter()
    with pytest.raises(TableTooLarge):
        read(bomb, "t.xlsx")
    assert time.perf_counter() - began < 1


def test_an_archive_that_claims_more_than_fits_is_refused():
    content = bytearray(workbook([["code", "name"], ["1", "a"]]))
    place = content.index(b"PK\x01\x02")
    content[place + 24 : place + 28] = struct.pack("<I", 2**31)
    with pytest.raises(TableTooLarge):
        read(bytes(content), "t.xlsx")


def test_many_parts_are_refused():
    parts = {f"xl/extra{number}.bin": b"x" for number in range(600)}
    with pytest.raises(TableTooLarge):
        read(repacked(workbook([["code", "name"]]), **parts), "t.xlsx")


@pytest.mark.parametrize(
    "prolog",
    [
        b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
        b"<!-- " + b"x" * (1 << 20) + b" --><!doctype r []>",
    ],
)
def test_entities_are_refused(prolog):
    content = workbook([["code", "name"], ["1", "a"]])
    sheet = "xl/worksheets/sheet1.xml"
    part = zipfile.ZipFile(io.BytesIO(content)).read(sheet)
    head, _, rest = part.partition(b"<worksheet")
    with pytest.raises(BadTable):
        read(repacked(content, **{sheet: head + prolog + b"<worksheet" + rest}), "t.xlsx")


def test_an_encoding_in_which_entities_could_hide_is_refused():
    content = workbook([["code", "name"], ["1", "a"]])
    sheet = "xl/worksheets/sheet1.xml"
    part = zipfile.ZipFile(io.BytesIO(content)).read(sheet).decode()
    hidden = part.replace("utf-8", "utf-16").encode("utf-16")
    with pytest.raises(BadTable):
        read(repacked(content, **{sheet: hidden}), "t.xlsx")


def test_a_workbook_that_lies_about_its_size_is_read_to_its_limits():
    content = workbook([["code", "name"], ["1", "a"]])
    sheet = "xl/worksheets/sheet1.xml"
    part = zipfile.ZipFile(io.BytesIO(content)).read(sheet)
    small = part.replace(b'ref="A1:B2"', b'ref="A1:A1"')
    assert cells(repacked(content, **{sheet: small}), "t.xlsx") == [
        (2, {"code": "1", "name": "a"})
    ]
    far = part.replace(b'<row r="2"', b'<row r="900000000"')
    assert far != part
    with pytest.raises(TableTooLarge):
        read(repacked(content, **{sheet: far}), "t.xlsx", rows_max=1000)


def test_columns_beyond_the_limit_are_not_looked_at():
    heads = ["code", "name"] + ["x"] * COLUMNS_MAX
    assert cells(workbook([heads, ["1", "a"] + ["=1"] * COLUMNS_MAX]), "t.xlsx") == [
        (2, {"code": "1", "name": "a"})
    ]


@pytest.mark.parametrize("cut", [100, 1000, 3000, -30])
def test_a_torn_workbook_is_refused(cut):
    with pytest.raises(BadTable):
        read(workbook([["code", "name"], ["1", "a"]])[:cut], "t.xlsx")


def test_any_bytes_are_read_or_refused(dice):
    whole = workbook([["code", "name"], ["1", "矿区"], ["2", "平潭街"]])
    refused = []
    for filename, good in (("t.xlsx", whole), ("t.csv", LINES.encode())):
        for _ in range(150):
            bad = bytearray(good)
            for _ in range(dice.randrange(1, 6)):
                bad[dice.randrange(len(bad))] = dice.randrange(256)
            try:
                read(bytes(bad), filename)
            except BadTable:
                refused.append(filename)
    # Both happen: whatever else is raised ends the test.
    assert 0 < len(refused) < 300
    assert "t.xlsx" in refused
