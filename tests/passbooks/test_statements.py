"""Statements of one's own book: page, PDF and file agree, and the tool finds the file right."""

import json
import re
import zlib
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import text

from pointsbank.core.calendar import read_period
from pointsbank.core.printing import KNOWN_FONTS, NoPrintFont, find_font
from pointsbank.ledger.sealing import seal
from pointsbank.ledger.service import reverse
from pointsbank.passbooks.errors import BadStatementPeriod, FuturePeriod
from pointsbank.passbooks.statements import read_statement_period, statement_of
from tests.builders import SHANGHAI, a_member, points_for, points_spent, signed_in
from tests.counting import statements_of
from tests.ledger.stripping import strip_guards
from tests.moments import DISTRICT_TIME, NOON
from tests.tools.paper import judge, load_tool

DAY = timedelta(days=1)
MONTH = "/passbook/statements/2026-11"
API = "/api/v1/me/passbook"

needs_font = pytest.mark.skipif(
    not any(Path(place).is_file() for place in KNOWN_FONTS),
    reason="this machine has no font with Chinese characters",
)
tool = load_tool()


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def member(writing):
    with writing() as session:
        return a_member(session)


@pytest.fixture
def get(app, client, member):
    headers = signed_in(app, member)

    def get_it(path, status=200, **more):
        answer = client.get(path, headers={**headers, **more})
        assert answer.status_code == status, answer.text
        return answer

    return get_it


@pytest.fixture
def book(writing, member):
    """October: 100 in. November: 30 out, 45 in, 10 taken back; all sealed but the last line."""
    with writing() as session:
        points_for(session, member, 100, "award:1", NOON - 40 * DAY)
        spent = points_spent(session, member, 30, "redeem:R1", NOON - 2 * DAY)
        points_for(session, a_member(session, "李敏"), 7, "award:9", NOON - 2 * DAY)
        seal(session, now=NOON - DAY, salt=bytes(32))
        points_for(session, member, 45, "award:2", NOON - DAY)
        seal(session, now=NOON, salt=b"\x01" * 32)
        reverse(
            session,
            transfer_id=spent,
            key="void:1",
            reason="拿错了",
            actor_id=None,
            today=NOON.date(),
            now=NOON,
            points=10,
        )
    return member


def checked(folder: Path, get: Any, statement: Any) -> tuple[int, str]:
    roots = get("/ledger/roots.json").get_data()
    return judge(tool, folder, statement, roots)


def test_the_file_is_found_right_by_the_tool(book, get, tmp_path):
    data = get(f"{MONTH}/file").get_data()
    answer, told = checked(tmp_path, get, data)
    assert answer == 0, told
    assert "RIGHT: all 2 sealed lines" in told
    assert "（从第 4 行起）还没封存" in told
    found = json.loads(data)
    assert (found["opening_balance"], found["closing_balance"]) == (100, 125)
    assert [entry["row"]["line"] for entry in found["lines"]] == [2, 3, 4]
    assert found["newest_block"]["no"] == 2
    assert get(f"{API}/statements/2026-11").json == found


def test_a_year_and_an_empty_month_are_right_too(book, get, tmp_path):
    for period, opening, closing, count in (("2026", 0, 125, 4), ("2026-09", 0, 0, 0)):
        data = get(f"/passbook/statements/{period}/file").get_data()
        found = json.loads(data)
        sums = (found["opening_balance"], found["closing_balance"], len(found["lines"]))
        assert sums == (opening, closing, count)
        assert checked(tmp_path, get, data)[0] == 0


def test_a_line_that_was_changed_in_the_file_is_named(book, get, tmp_path):
    found = get(f"{API}/statements/2026-11").json
    found["lines"][1]["row"]["reason"] = "河道清洗"
    answer, told = checked(tmp_path, get, found)
    assert answer == 1
    assert "Line 3 does not lead to the root of block 2" in told


def test_the_proof_of_a_line_is_what_the_tool_takes(book, get, tmp_path):
    proof = get(f"{API}/2/proof").json
    assert proof["row"]["reason"] == "大米 5 公斤"
    assert checked(tmp_path, get, proof)[0] == 0
    unsealed = get(f"{API}/4/proof").json
    assert unsealed["unsealed"] is True
    assert sorted(unsealed) == ["row", "unsealed"]
    assert get(f"{API}/5/proof", 404).json["code"] == "line_not_found"


def test_the_page_has_both_balances_and_the_root(book, get):
    page = get(MONTH).text
    opening, first, last, closing = (
        page.index(each)
        for each in ("期初结余 <b>100</b>", 'id="line-2"', 'id="line-4"', "期末结余 <b>125</b>")
    )
    assert opening < first < last < closing
    assert 'id="line-1"' not in page
    root = get("/api/v1/ledger/blocks/2").json["root"]
    assert root in page.replace(" ", "")
    assert "还没封存" in page
    assert "这一期还没结束" in page
    assert "王桂兰" in page


def test_the_code_on_paper_names_nobody(book, get, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        "pointsbank.passbooks.pages.statements.qr_svg", lambda text: drawn.append(text) or ""
    )
    get(MONTH)
    assert len(drawn) == 1
    assert re.fullmatch(r"https?://[^/]+/ledger/blocks/2", drawn[0])


def test_a_month_that_is_over_says_nothing_of_running(book, get):
    page = get("/passbook/statements/2026-10").text
    assert "这一期还没结束" not in page
    assert "期末结余 <b>100</b>" in page


def test_an_empty_month_prints_well(book, get):
    page = get("/passbook/statements/2026-09").text
    assert "这一期没有记账" in page
    assert "期末结余 <b>0</b>" in page


def test_before_anything_is_sealed_there_is_no_code(get, writing, member):
    with writing() as session:
        points_for(session, member, 5, "award:1")
    page = get(MONTH).text
    assert "还没有封存过账目" in page
    assert '<svg class="qr"' not in page
    assert get(f"{MONTH}/file").json["newest_block"] is None


def test_months_and_years_are_listed(book, get):
    page = get("/passbook/statements").text
    november, october = page.index("2026年11月"), page.index("2026年10月")
    assert november < october
    assert "存入 45 · 支取 30 · 冲正 10" in page[november:october]
    assert 'href="/passbook/statements/2026-11"' in page
    assert 'href="/passbook/statements/2026"' in page
    assert "2026年9月" not in page


@pytest.mark.parametrize(
    ("period", "code"),
    [
        ("2026-12", "future_period"),
        ("2027", "future_period"),
        ("2026-Q4", "bad_statement_period"),
        ("2026-13", "bad_statement_period"),
        ("２０２６", "bad_statement_period"),
        ("nonsense", "bad_statement_period"),
    ],
)
def test_a_period_that_is_none_is_refused(book, get, period, code):
    assert get(f"{API}/statements/{period}", 400).json["code"] == code
    for page in ("", "/pdf", "/file"):
        get(f"/passbook/statements/{period}{page}", 400)


def test_periods_begin_at_midnight_in_the_district() -> None:
    late = date(2026, 11, 30)
    assert read_statement_period("2026-11", late).name == "2026-11"
    with pytest.raises(FuturePeriod):
        read_statement_period("2026-12", late)
    with pytest.raises(BadStatementPeriod):
        read_statement_period("2026-Q1", late)


def test_months_share_no_line_and_leave_none_out(writing, member, travel):
    midnight = datetime(2026, 11, 1, tzinfo=DISTRICT_TIME)
    blink = timedelta(microseconds=1)
    with writing() as session:
        points_for(session, member, 1, "award:1", midnight - blink)
        # Two counters read their clocks, and got the wallet the other way round.
        points_for(session, member, 2, "award:2", midnight + blink)
        points_for(session, member, 4, "award:3", midnight - blink)
        points_for(session, member, 8, "award:4", midnight)
    with writing() as session:
        months = [
            statement_of(session, member, read_period(name), SHANGHAI)
            for name in ("2026-09", "2026-10", "2026-11", "2026-12")
        ]
        year = statement_of(session, member, read_period("2026"), SHANGHAI)
    assert [[line.line for line in month.lines] for month in months] == [[], [1, 2, 3], [4], []]
    assert [(m.opening, m.closing) for m in months] == [(0, 0), (0, 7), (7, 15), (15, 15)]
    assert [line.line for line in year.lines] == [1, 2, 3, 4]
    for each in (*months, year):
        assert each.opening + each.deposited - each.withdrawn + each.taken_back == each.closing


def test_a_line_of_the_blink_around_midnight_is_right_for_the_tool(
    writing, member, get, tmp_path
):
    midnight = datetime(2026, 11, 1, tzinfo=DISTRICT_TIME)
    blink = timedelta(microseconds=1)
    with writing() as session:
        points_for(session, member, 2, "award:2", midnight + blink)
        points_for(session, member, 4, "award:3", midnight - blink)
        seal(session, now=midnight, salt=bytes(32))
    data = get("/passbook/statements/2026-10/file").get_data()
    assert len(json.loads(data)["lines"]) == 2
    assert checked(tmp_path, get, data)[0] == 0


def test_nobody_gets_anothers_statement(book, app, client, writing):
    with writing() as session:
        other = a_member(session, "李敏")
    headers = signed_in(app, other)
    assert client.get(f"{API}/statements/2026-11", headers=headers).json["lines"] == []
    assert client.get(f"{API}/2/proof", headers=headers).status_code == 404
    assert "大米" not in client.get(MONTH, headers=headers).text
    assert client.get(f"{API}/2/proof").status_code == 401
    assert client.get(MONTH).status_code == 302


def test_a_line_that_is_not_what_was_sealed_gets_no_proof(book, get, writing):
    with writing() as session:
        strip_guards(session)
        session.execute(text("UPDATE transfer SET reason = 'x' WHERE key = 'redeem:R1'"))
    assert get(f"{API}/2/proof", 409).json["code"] == "line_not_as_sealed"
    assert get(f"{API}/statements/2026-11", 409).json["code"] == "line_not_as_sealed"
    assert "与封存时不一样" in get(f"{MONTH}/file", 409).text


def test_the_page_asks_no_more_the_longer_the_month_is(app, get, writing, member):
    def asked():
        with statements_of(app) as sent:
            get(MONTH)
        return len(sent)

    with writing() as session:
        points_for(session, member, 10, "award:0")
    few = asked()
    with writing() as session:
        for place in range(1, 30):
            points_for(session, member, 10, f"award:{place}")
    assert asked() == few


def texts_of(pdf: bytes) -> str:
    """Read the text of a PDF back, by the table from glyphs to characters that it carries."""
    streams = [
        zlib.decompress(match.group(1))
        for match in re.finditer(rb"/FlateDecode.*?stream\n(.*?)\nendstream", pdf, re.DOTALL)
    ]
    table: dict[int, str] = {}
    for stream in (pdf, *streams):
        for block in re.findall(rb"beginbfchar(.*?)endbfchar", stream, re.DOTALL):
            for glyph, character in re.findall(rb"<(\w+)> <(\w+)>", block):
                table[int(glyph, 16)] = bytes.fromhex(character.decode()).decode("utf-16-be")
    return "\n".join(
        "".join(table[code] for code in codes_of(text))
        for stream in streams
        for text in re.findall(rb"\(((?:[^\\()]|\\.)*)\) Tj", stream, re.DOTALL)
    )


def codes_of(text: bytes) -> list[int]:
    plain = re.sub(
        rb"\\(.)",
        lambda found: {b"r": b"\r", b"n": b"\n"}.get(found.group(1), found.group(1)),
        text,
        flags=re.DOTALL,
    )
    return [
        int.from_bytes(plain[place : place + 2], "big") for place in range(0, len(plain), 2)
    ]


@needs_font
def test_the_pdf_says_what_the_page_says(book, get, tmp_path):
    answer = get(f"{MONTH}/pdf")
    assert answer.content_type == "application/pdf"
    assert "statement-2026-11.pdf" in answer.headers["Content-Disposition"]
    pdf = answer.get_data()
    told = texts_of(pdf)
    for words in (
        "2026年11月对账单",
        "王桂兰",
        "大米 5 公斤",
        "−30",
        "125",
        "拿错了",
        "怎样核对",
    ):
        assert words in told
    root = get("/api/v1/ledger/blocks/2").json["root"]
    assert root in re.sub(r"\s", "", told)
    assert "第 1 页，共 1 页" in told
    answer_of_tool, told_by_tool = checked(tmp_path, get, pdf)
    assert answer_of_tool == 0, told_by_tool


@needs_font
def test_the_same_statement_gives_the_same_bytes(book, get):
    assert get(f"{MONTH}/pdf").get_data() == get(f"{MONTH}/pdf").get_data()
    assert get(f"{MONTH}/pdf?paper=a5").get_data() != get(f"{MONTH}/pdf").get_data()


@needs_font
def test_a_long_month_goes_on_overleaf_with_its_head(get, writing, member):
    with writing() as session:
        for place in range(130):
            points_for(session, member, 10, f"award:{place}")
    # All at one moment, more than may cross at midnight.
    assert len(get(f"{MONTH}/file").json["lines"]) == 130
    told = texts_of(get(f"{MONTH}/pdf").get_data())
    pages = int(re.search(r"第 1 页，共 (\d+) 页", told).group(1))
    assert pages >= 3
    for page in range(1, pages + 1):
        assert f"第 {page} 页，共 {pages} 页" in told
    assert told.count("事由") == pages
    assert told.count("2026年11月对账单") == pages + 1


@needs_font
def test_characters_that_the_font_lacks_are_marked(get, writing, member, caplog):
    with writing() as session:
        points_for(session, member, 10, "award:1")
        strip_guards(session)
        session.execute(text("UPDATE transfer SET reason = '清洁😀'"))
    assert "清洁〓" in texts_of(get(f"{MONTH}/pdf").get_data())
    assert "😀" not in caplog.text


def test_without_a_font_it_says_what_is_missing(book, get, app, monkeypatch):
    monkeypatch.setattr("pointsbank.core.printing.KNOWN_FONTS", ())
    assert "装好中文字体" in get(f"{MONTH}/pdf", 409).text


def test_a_named_font_is_taken_or_refused(tmp_path):
    with pytest.raises(NoPrintFont):
        find_font(str(tmp_path / "none.ttc"))
    (tmp_path / "bad.ttf").write_bytes(b"no font")
    with pytest.raises(NoPrintFont):
        find_font(str(tmp_path / "bad.ttf"))


@needs_font
def test_the_mainland_face_of_a_collection_is_found():
    found = find_font()
    assert ord("账") in found.characters
    if found.path.endswith("NotoSansCJK-Regular.ttc"):
        assert found.face == 2
        assert find_font(f"{found.path}#0").face == 0
