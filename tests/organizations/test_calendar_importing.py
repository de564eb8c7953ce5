"""Holidays from a file: all or nothing, over what was announced, by who stands over all."""

import io
from datetime import date

import openpyxl
import pytest
import time_machine
from sqlalchemy import select

from pointsbank.core.audit import AuditEntry
from pointsbank.organizations.calendar_importing import (
    WORDS,
    day_from,
    import_calendar,
    read_calendar,
    remove_day,
)
from pointsbank.organizations.errors import CalendarDayUnknown, CalendarForWhole
from pointsbank.organizations.models import CalendarDay
from pointsbank.organizations.workdays import is_working_day, is_year_known
from tests.builders import a_member, an_organization, how_many, signed_in, with_role
from tests.moments import NOON

HEADER = "日期,休班,名称\n"
YEAR = HEADER + (
    "2027-01-01,休,元旦\n2027/1/3,班,元旦\n2027年5月1日,放假,劳动节\n2027-10-01,OFF,国庆节\n"
)


def imported(session, text, paths=("/",), name="days.csv", place=None, **more):
    content = text if isinstance(text, bytes) else text.encode()
    table, problems = read_calendar(content, name)
    return import_calendar(
        session,
        table=table,
        problems=problems,
        paths=paths,
        actor_id=a_member(session, organization_id=place),
        now=NOON,
        **more,
    )


def test_a_year_is_loaded_changed_and_loaded_again(session):
    assert imported(session, YEAR, is_dry_run=True).created == 4
    assert how_many(session, CalendarDay) == 0
    report = imported(session, YEAR)
    assert (report.created, report.updated, report.unchanged, report.rejected) == (4, 0, 0, ())
    assert is_working_day(session, date(2027, 1, 3))
    assert not is_working_day(session, date(2027, 1, 1))
    assert is_year_known(session, 2027)
    changed = imported(session, YEAR.replace("2027-01-01,休", "2027-01-01,班"))
    assert (changed.created, changed.updated, changed.unchanged) == (0, 1, 3)
    assert is_working_day(session, date(2027, 1, 1))
    assert (imported(session, YEAR.replace("休,元旦", "班,元旦"))).unchanged == 4
    noted = session.scalars(
        select(AuditEntry.action).where(AuditEntry.action == "import_calendar")
    )
    assert len(noted.all()) == 3


def test_a_workbook_with_real_dates_is_taken(session):
    book = openpyxl.Workbook()
    book.active.append(["日期", "休班", "名称"])
    book.active.append([date(2027, 2, 6), "休", "春节"])
    written = io.BytesIO()
    book.save(written)
    assert imported(session, written.getvalue(), name="days.xlsx").created == 1
    assert not is_working_day(session, date(2027, 2, 6))


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("2027-02-30,休,", "日期"),
        ("明天,休,", "日期"),
        ("2027-01-01,半天,", "休班"),
        ("2027-01-01,休," + "长" * 41, "名称"),
        ("2027-01-02,休,\n2027-01-02,班,", "日期"),
    ],
)
def test_one_bad_row_keeps_the_whole_file_out(session, row, column):
    report = imported(session, HEADER + "2027-03-01,休,好的\n" + row + "\n")
    assert [problem.column for problem in report.rejected] == [column]
    assert report.created == 0
    assert how_many(session, CalendarDay) == 0


def test_only_who_stands_over_everything_changes_the_one_calendar(session):
    top = an_organization(session, "a", "district")
    below = an_organization(session, "b", "street", parent=top)
    for paths in ((), (f"/{top}/{below}/",)):
        with pytest.raises(CalendarForWhole):
            imported(session, YEAR, paths, place=top)
    assert imported(session, YEAR, (f"/{top}/",), place=top).created == 4
    with pytest.raises(CalendarForWhole):
        remove_day(session, day=date(2027, 1, 1), paths=(), actor_id=1, now=NOON)
    an_organization(session, "c", "district")
    with pytest.raises(CalendarForWhole):
        imported(session, YEAR, (f"/{top}/",), place=top)


def test_a_day_taken_off_is_as_it_was_announced(session):
    imported(session, HEADER + "2026-02-14,休,改\n")
    assert not is_working_day(session, date(2026, 2, 14))
    actor = a_member(session)
    remove_day(session, day=date(2026, 2, 14), paths=("/",), actor_id=actor, now=NOON)
    assert is_working_day(session, date(2026, 2, 14))
    for missing in (date(2026, 2, 14), None):
        with pytest.raises(CalendarDayUnknown):
            remove_day(session, day=missing, paths=("/",), actor_id=actor, now=NOON)


def test_days_and_words_are_read_as_people_write_them():
    for text in ("2027-01-01", "2027/1/1", "2027.1.1", "２０２７年１月１日"):
        assert day_from(text) == date(2027, 1, 1)
    for text in ("", "27-01-01", "2027-13-01", "2027-01-01x", "1999-01-01"):
        assert day_from(text) is None
    assert not set(WORDS[True]) & set(WORDS[False])


def test_the_page_and_the_programs_door_tell_where_a_day_is_from(app, writing):
    with writing() as session:
        whole = with_role(session, a_member(session), "administrator")
    with time_machine.travel(NOON.replace(month=12), tick=False):
        headers = signed_in(app, whole, NOON.replace(month=12))
        client = app.test_client()
        page = client.get("/working-days?year=2026", headers=headers).text
        assert "国务院放假安排" in page
        assert "2027 年的放假安排还没有录入" in page
        answer = client.get("/api/v1/working-days?year=2027", headers=headers).json
        assert (answer["is_known"], answer["items"]) == (False, [])
        file = {"file": (io.BytesIO(YEAR.encode()), "days.csv")}
        done = client.post("/api/v1/working-days/import", data=file, headers=headers)
        assert done.json["created"] == 4
        answer = client.get("/api/v1/working-days?year=2027", headers=headers).json
        assert (answer["is_known"], len(answer["items"])) == (True, 4)
        assert "还没有录入" not in client.get("/working-days?year=2027", headers=headers).text
