"""The pages of statements: both sides' forms, what is late, and the three files."""

import csv
import io
import re
import zlib
from pathlib import Path

import pytest
import time_machine
from openpyxl import load_workbook
from sqlalchemy import text

from pointsbank.core.printing import KNOWN_FONTS
from pointsbank.core.sheets import FORMULA_BEGINNINGS
from tests.browsing import Browser
from tests.builders import a_member, with_role
from tests.settlements.months import at, close, redeem, take_back

NOW = at(12, 3)
NUMBER = re.compile(r"-?\d+(\.\d+)?")
needs_font = pytest.mark.skipif(
    not any(Path(place).is_file() for place in KNOWN_FONTS),
    reason="this machine has no font with Chinese characters",
)


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


class Someone(Browser):
    """A browser that fills in the forms of the page it last opened."""

    def get(self, url):
        self.page = self.open(url)
        return self.page

    def fill(self, action, **filled):
        self.page = self.send(self.form(self.page, action), **filled)
        return self.page


@pytest.fixture
def november(counter, writing):
    """Two redemptions of 20 points, one of them taken back, and the cut-off."""
    first = redeem(counter, writing, "A1", at(11, 3))
    redeem(counter, writing, "A2", at(11, 4))
    take_back(writing, first.id, at(11, 3, 18))
    with writing() as session:
        close(session, counter)
    return f"/merchants/{counter.merchant_id}/statements/2026-11"


@pytest.fixture
def clerk(counter):
    return Someone(counter.app, counter.clerk_id)


@pytest.fixture
def administrators(writing):
    with writing() as session:
        return [
            with_role(session, a_member(session, name), "administrator")
            for name in ("周文", "吴静")
        ]


@pytest.fixture
def office(counter, administrators):
    """Two administrators' browsers."""
    return [Someone(counter.app, each) for each in administrators]


def test_a_clerk_finds_their_months(clerk, counter, november):
    led = clerk.open("/statements/mine")
    assert "2026年12月" in led.text
    assert led.request.path == f"/merchants/{counter.merchant_id}/statements"
    assert f'href="{november}"' in led.text
    assert "等商户确认" in led.text
    assert "¥2.00" in led.text


def test_from_a_dispute_to_the_payment(clerk, office, november):
    clerk.get(f"{november}/lines/2")
    assert "已提出异议" in clerk.fill(f"{november}/lines/2/dispute", reason="实际交了两件").text
    assert f'action="{november}/confirmation"' not in clerk.page.text
    first, second = office
    assert "每 100 分 ¥10.00" in first.get(november).text
    page = first.get(f"{november}/lines/2")
    assert "实际交了两件" in page.text
    told = first.fill(
        f"{november}/lines/2/answer", decision="accept", correction="１.50", reason="核对属实"
    )
    assert "这一行已答复" in told.text
    assert "¥3.50" in told.text
    clerk.get(november)
    assert "您已确认这张结算单" in clerk.fill(f"{november}/confirmation").text
    first.get(november)
    told = first.fill(f"{november}/approval")
    assert "付款要由另一位管理员登记" in told.text
    assert f'action="{november}/payment"' not in told.text
    second.get(november)
    paid = second.fill(f"{november}/payment", reference="2026-1205-17")
    assert "已登记付款" in paid.text
    assert "2026-1205-17" in clerk.get(november).text


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"decision": "accept", "correction": "很多", "reason": "x"}, "金额请写成"),
        ({"decision": "accept", "correction": "", "reason": "x"}, "不能是零"),
        ({"decision": "accept", "correction": "1", "reason": " "}, "请填写完整"),
        ({"reason": "x"}, "请填写完整"),
    ],
)
def test_an_answer_that_says_too_little_changes_nothing(
    clerk, office, november, fields, sentence
):
    clerk.get(f"{november}/lines/1")
    clerk.fill(f"{november}/lines/1/dispute", reason="多记了")
    office[0].get(f"{november}/lines/1")
    page = office[0].fill(f"{november}/lines/1/answer", **fields)
    assert sentence in page.text
    assert "有异议，等答复" in page.text


def test_what_is_late_stands_first(app, administrators, november, travel):
    someone = Someone(app, administrators[0])
    assert "已超期" not in someone.get("/statements").text
    travel.move_to(at(12, 6, 1))
    someone = Someone(app, administrators[0])
    page = someone.get("/statements?month=2026-10").text
    assert "确认已逾期" in page
    assert "这个月没有商户收积分" in page
    someone.get(november)
    assert "视为同意" in someone.fill(f"{november}/approval").text
    travel.move_to(at(12, 17))
    assert "付款已逾期" in Someone(app, administrators[0]).get("/statements").text


def test_a_statement_not_yet_made_shows_no_button(clerk, counter, writing, november):
    redeem(counter, writing, "A3", at(12, 1))
    page = clerk.get(november.replace("2026-11", "2026-12")).text
    assert "出结算单以前，数字还会变" in page
    assert "/confirmation" not in page
    assert clerk.open(november.replace("2026-11", "2027-02")).status_code == 400
    assert clerk.open(f"{november}/lines/9").status_code == 404


def test_the_sheets_add_up(clerk, office, november):
    book = load_workbook(io.BytesIO(clerk.open(f"{november}/file?format=xlsx").data))
    rows = list(book.active.iter_rows(min_row=4, values_only=True))
    assert [(row[0], row[3], row[5], row[7]) for row in rows] == [
        (1, "A1", 20, 2),
        (2, "A2", 20, 2),
        (3, "A1", -20, -2),
    ]
    lines = clerk.open(f"{november}/file?format=csv").data.decode("utf-8-sig").splitlines()
    assert len(lines) == 1 + len(rows)
    assert lines[3].startswith("3,已撤销,2026-11-03 18:00:00,A1,拿错了,-20,10.0,-2.0")
    book = load_workbook(io.BytesIO(office[0].open("/statements/2026-11.xlsx").data))
    row = next(book.active.iter_rows(min_row=4, values_only=True))
    assert row[3:10] == (3, 40, 20, 20, 2, 0, 2)


@pytest.mark.parametrize("beginning", FORMULA_BEGINNINGS)
def test_no_name_becomes_a_formula(counter, writing, clerk, office, beginning):
    """Of a reward or of the shop: text stays text in every file of statements and reports."""
    with writing() as session:
        for table in ("reward", "merchant"):
            session.execute(
                text(f"UPDATE {table} SET name = :name"), {"name": f"{beginning}1+1"}
            )
    redeem(counter, writing, "A1", at(11, 3))
    with writing() as session:
        close(session, counter)
    own = f"/merchants/{counter.merchant_id}/statements/2026-11/file"
    files = {
        f"{own}?format=xlsx": clerk,
        f"{own}?format=csv": clerk,
        "/statements/2026-11.xlsx": office[0],
        "/reports/points.xlsx?by=rewards&first=2026-11&last=2026-11": office[0],
        "/reports/points.xlsx?by=merchants&first=2026-11&last=2026-11": office[0],
    }
    for address, who in files.items():
        answer = who.open(address)
        assert answer.status_code == 200, address
        cells = list(texts_of(answer.data, is_csv=address.endswith("csv")))
        assert [cell for cell in cells if cell.startswith(FORMULA_BEGINNINGS)] == [], address
        assert [cell for cell in cells if cell.startswith("'") and "1+1" in cell], address


def texts_of(content, *, is_csv):
    """Return every cell of a file that is text; a cell of an XLSX file that is a formula would
    be returned as it is.
    """
    if is_csv:
        for row in csv.reader(io.StringIO(content.decode("utf-8-sig"))):
            yield from (cell for cell in row if not NUMBER.fullmatch(cell))
        return
    for row in load_workbook(io.BytesIO(content)).active.iter_rows():
        for cell in row:
            assert cell.data_type != "f"
            if isinstance(cell.value, str):
                yield cell.value


@needs_font
def test_the_pdf_is_the_same_each_time_and_has_a_place_for_both_stamps(clerk, november):
    answer = clerk.open(f"{november}/file?format=pdf")
    assert answer.content_type == "application/pdf"
    assert answer.data == clerk.open(f"{november}/file?format=pdf").data
    told = characters_of(answer.data)
    for words in ("2026年11月商户结算单", "惠民粮油店", "洗洁精一瓶", "盖章", "应付金额"):
        assert set(words) <= told


def characters_of(pdf: bytes) -> set[str]:
    """Return the characters of a PDF, by the table from glyphs to them that it carries."""
    streams = [
        zlib.decompress(match.group(1))
        for match in re.finditer(rb"/FlateDecode.*?stream\n(.*?)\nendstream", pdf, re.DOTALL)
    ]
    return {
        bytes.fromhex(character.decode()).decode("utf-16-be")
        for stream in (pdf, *streams)
        for block in re.findall(rb"beginbfchar(.*?)endbfchar", stream, re.DOTALL)
        for _glyph, character in re.findall(rb"<(\w+)> <(\w+)>", block)
    }
