"""What a work unit reads of its people who serve at home: sums, by consent, to nobody else."""

import io
from datetime import date, timedelta

import openpyxl
import pypdfium2
import pytest
import time_machine
from sqlalchemy import select, update

from pointsbank.core.audit import AuditEntry
from pointsbank.core.calendar import quarter_of
from pointsbank.members.dual_registering import end_registration, set_naming, write_comment
from pointsbank.rankings.reports_errors import NoUnitSheet
from pointsbank.rankings.unit_sheets import unit_sheet, units_with_people
from pointsbank.scoring.models import ScoreEntry
from pointsbank.scoring.service import negate_entry
from tests.builders import TODAY, a_score_entry, signed_in
from tests.counting import statements_of
from tests.members.homes import Town
from tests.moments import NOON

QUARTER = quarter_of(TODAY)
MAY = date(2026, 5, 4)


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def town(writing):
    """王桂兰 agreed to be named and served 5 h, 3 h of it this quarter; 李敏 did not agree."""
    with writing() as session:
        town = Town(session)
        town.named = town.accepted(session, is_named=True, first_on=date(2026, 3, 1))
        town.silent = town.accepted(session, town.person(session, "李敏"))
        worker = town.worker.member_id
        a_score_entry(session, worker, service_minutes=120, earned_on=date(2026, 1, 9))
        a_score_entry(session, worker, service_minutes=120, earned_on=MAY)
        a_score_entry(session, worker, service_minutes=120)
        a_score_entry(session, worker, service_minutes=60)
        write_comment(
            session,
            actor=town.secretary,
            registration_id=town.named,
            period=QUARTER,
            comment="每周都来",
            now=NOON,
        )
        return town


def sheet_for(session, actor, code="U-WATER", period=QUARTER, **more):
    paths = actor.paths("secretary", "administrator")
    return unit_sheet(session, code=code, paths=paths, period=period, **more)


def test_the_unit_reads_sums_of_those_who_agreed(town, writing):
    with writing() as session:
        for reader in (town.contact, town.secretary):
            sheet = sheet_for(session, reader)
            (line,) = sheet.lines
            assert (line.name, line.comment) == ("王桂兰", "每周都来")
            assert (line.minutes, line.tasks) == (180, 2)
            # January was before the registration.
            assert (line.year_minutes, line.year_tasks) == (300, 3)
            assert (sheet.minutes, sheet.tasks, sheet.unnamed) == (180, 2, 1)


def test_a_late_entry_is_a_task_until_it_is_lifted(town, writing):
    with writing() as session:
        for cause, minutes in (("late_entry:1", 90), ("adjust:1", 30)):
            entry_id = a_score_entry(session, town.worker.member_id, service_minutes=minutes)
            session.execute(
                update(ScoreEntry).where(ScoreEntry.id == entry_id).values(cause=cause)
            )
        (line,) = sheet_for(session, town.contact).lines
        assert (line.minutes, line.tasks) == (300, 3)
        negate_entry(session, cause="lift:late_entry:1", of_cause="late_entry:1", now=NOON)
        (line,) = sheet_for(session, town.contact).lines
        assert (line.minutes, line.tasks) == (210, 2)


def test_consent_that_is_taken_back_takes_the_name_and_the_hours_away(town, writing):
    with writing() as session:
        set_naming(session, actor=town.worker, is_named=False, now=NOON)
        sheet = sheet_for(session, town.contact)
        assert (sheet.lines, sheet.minutes, sheet.unnamed) == ([], 0, 2)
    with pytest.raises(NoUnitSheet), writing() as session:
        sheet_for(session, town.contact, registration_id=town.named)


def test_one_persons_sheet_holds_that_person_alone(town, writing):
    with writing() as session:
        sheet = sheet_for(session, town.contact, registration_id=town.named)
        assert [line.name for line in sheet.lines] == ["王桂兰"]
        assert sheet.unnamed == 0
    with pytest.raises(NoUnitSheet), writing() as session:
        sheet_for(session, town.contact, registration_id=town.silent)


def test_nobody_else_reads_it(town, writing):
    with writing() as session:
        assert units_with_people(session, town.foreign.paths("secretary"), QUARTER) == []
        (unit,) = units_with_people(session, town.contact.paths("secretary"), QUARTER)
        assert (unit.code, unit.people) == ("U-WATER", 2)
    for actor, code in (
        (town.foreign, "U-WATER"),
        (town.contact, "U-GAS"),
        (town.contact, "X"),
    ):
        with pytest.raises(NoUnitSheet), writing() as session:
            sheet_for(session, actor, code)


def test_time_counts_only_while_the_registration_stands(town, writing):
    with writing() as session:
        end_registration(
            session,
            actor=town.worker,
            registration_id=town.named,
            reason="搬家了",
            today=TODAY - timedelta(days=10),
            now=NOON,
        )
        assert sheet_for(session, town.contact).lines[0].minutes == 0
        before = sheet_for(session, town.contact, period=quarter_of(MAY)).lines[0]
        assert (before.minutes, before.year_minutes) == (120, 120)


def handed(client, app, actor, ending, **more):
    return client.post(
        f"/reports/unit-sheet.{ending}",
        data={"period": QUARTER.name, "work_unit_code": "U-WATER"} | more,
        headers=signed_in(app, actor.member_id),
    )


def test_the_files_hold_what_the_page_shows(app, client, town, writing):
    answer = handed(client, app, town.contact, "xlsx")
    rows = list(
        openpyxl.load_workbook(io.BytesIO(answer.data)).active.iter_rows(values_only=True)
    )
    assert rows[3][:2] == ("王桂兰", "平潭街西社区居委会")
    assert rows[3][3:8] == (3, 2, 5, 3, "每周都来")
    assert rows[4][:5] == ("合计", None, None, 3, 2)
    answer = handed(client, app, town.contact, "pdf")
    with pypdfium2.PdfDocument(answer.data) as pdf:
        text = "".join(page.get_textpage().get_text_bounded() for page in pdf)
    for words in (
        "双报到党员服务反馈单",
        "王桂兰",
        "3小时",
        "每周都来",
        "另有 1 人报到",
        "50小时",
    ):
        assert words in text
    assert "李敏" not in text
    page = client.get("/reports/unit-sheet", headers=signed_in(app, town.contact.member_id))
    assert "王桂兰" in page.text
    assert "李敏" not in page.text
    with writing() as session:
        noted = session.scalars(
            select(AuditEntry.action).where(AuditEntry.action == "export_unit_sheet")
        )
        assert len(list(noted)) == 2


def test_a_comment_that_looks_like_a_formula_stays_text(app, client, town, writing):
    with writing() as session:
        write_comment(
            session,
            actor=town.secretary,
            registration_id=town.named,
            period=QUARTER,
            comment='=HYPERLINK("http://x")',
            now=NOON,
        )
    answer = handed(client, app, town.contact, "xlsx")
    cell = openpyxl.load_workbook(io.BytesIO(answer.data)).active["H4"]
    assert (cell.value, cell.data_type) == ('\'=HYPERLINK("http://x")', "s")


def test_a_program_reads_the_same(app, client, town):
    answer = client.get(
        "/api/v1/reports/unit-sheet",
        query_string={"work_unit_code": "U-WATER", "period": "2026-Q4"},
        headers=signed_in(app, town.contact.member_id),
    )
    assert answer.status_code == 200
    assert answer.json["service_minutes"] == 180
    assert [each["name"] for each in answer.json["items"]] == ["王桂兰"]
    bad = client.get(
        "/api/v1/reports/unit-sheet",
        query_string={"work_unit_code": "U-WATER", "period": "2026-11"},
        headers=signed_in(app, town.contact.member_id),
    )
    assert (bad.status_code, bad.json["code"]) == (400, "not_a_quarter")


def test_more_people_ask_no_more_of_the_database(app, client, town, writing):
    headers = signed_in(app, town.contact.member_id)

    def asked(path):
        with statements_of(app) as sent:
            assert client.get(path, headers=headers).status_code == 200
        return len(sent)

    paths = ("/reports/unit-sheet", "/dual-registrations")
    few = [asked(path) for path in paths]
    with writing() as session:
        for _ in range(8):
            town.accepted(session, town.person(session, "周芬"), is_named=True)
    assert [asked(path) for path in paths] == few


def test_a_member_registers_and_the_community_accepts_in_the_browser(
    app, client, town, writing
):
    with writing() as session:
        newcomer = town.person(session, "周芬")
    headers = signed_in(app, newcomer.member_id)
    form = client.get("/me/dual-registration", headers=headers).text
    assert "市自来水公司" in form
    assert "桥头社区居委会" in form
    wrong = client.post(
        "/me/dual-registration",
        data={"work_unit_code": "U-WATER", "community_code": ""},
        headers=headers,
    )
    assert wrong.status_code == 422
    # Nothing that was chosen is lost.
    assert '<option value="U-WATER" selected>' in wrong.text
    sent = client.post(
        "/me/dual-registration",
        data={"work_unit_code": "U-WATER", "community_code": "140303001002"},
        headers=headers,
    )
    assert sent.status_code == 303
    assert "等社区接收" in client.get("/me/dual-registration", headers=headers).text
    keeper = signed_in(app, town.secretary.member_id)
    listed = client.get("/dual-registrations", headers=keeper).text
    assert "周*" in listed
    assert "周芬" not in listed
    found = client.get("/api/v1/dual-registrations?state=applied", headers=keeper).json["items"]
    path = f"/dual-registrations/{found[0]['id']}"
    assert "接收这位党员" in client.get(path, headers=keeper).text
    client.post(f"{path}/acceptance", data={"first_on": "2026-11-20"}, headers=keeper)
    assert "社区已接收" in client.get("/me/dual-registration", headers=headers).text
