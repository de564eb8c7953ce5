"""A year's holidays from a file, as they were announced: all rows of it or none."""

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from pointsbank.core.audit import note
from pointsbank.core.tables import Problem, Report, Row, Table, read_table
from pointsbank.core.text import cleaned, halfwidth
from pointsbank.organizations.errors import CalendarDayUnknown, CalendarForWhole
from pointsbank.organizations.models import CalendarDay
from pointsbank.organizations.queries import organizations_at

COLUMNS = {
    "day": ("date", "日期", "day"),
    "working": ("working|off", "working", "休班", "上班或放假", "类型", "kind"),
    "name": ("name", "名称", "节日", "说明"),
}
REQUIRED = ("day", "working")
WORDS = {
    True: ("working", "work", "班", "上班", "补班", "工作日", "调休上班"),
    False: ("off", "休", "放假", "休息", "节假日", "假"),
}
IS_WORKING = {word: is_working for is_working, words in WORDS.items() for word in words}
# 2027-01-01, 2027/1/1 and 2027年1月1日; a workbook's own date has a time behind it.
DAY = re.compile(r"(20\d\d)(?:-|/|\.|年)(\d{1,2})(?:-|/|\.|月)(\d{1,2})日?(?:[T ]00:00:00)?")
NAME_LENGTH_MAX = 40


def read_calendar(content: bytes, filename: str) -> tuple[Table, list[Problem]]:
    """Read a file of days.

    Raises BadTable, TableTooLarge.
    """
    return read_table(content, filename, columns=COLUMNS, required=REQUIRED)


def import_calendar(
    session: Session,
    *,
    table: Table,
    problems: Iterable[Problem] = (),
    paths: Sequence[str],
    actor_id: int,
    now: datetime,
    is_dry_run: bool = False,
) -> Report:
    """Take every day of the file, all or nothing, and say what was done.

    paths: what the importer administers. A day that was loaded before is changed; days that the
    file does not name stay. A repeat of the same file changes nothing. A dry run only says.
    Raises CalendarForWhole.
    """
    check_whole(session, paths)
    found = list(problems)
    wanted: dict[date, CalendarDay] = {}
    if set(REQUIRED) <= set(table.headers):
        for row in table.rows:
            _read_row(table, row, wanted, found)
    if found:
        return Report(rejected=tuple(sorted(found, key=lambda problem: problem.row)))
    standing = {
        each.day: each
        for each in session.scalars(select(CalendarDay).where(CalendarDay.day.in_(wanted)))
    }
    changed = [
        day
        for day, each in wanted.items()
        if day in standing
        and (standing[day].is_working, standing[day].name) != (each.is_working, each.name)
    ]
    new = [day for day in wanted if day not in standing]
    report = Report(len(new), len(changed), len(wanted) - len(new) - len(changed))
    if not is_dry_run:
        _carry_out(session, [wanted[day] for day in (*new, *changed)], actor_id, now, report)
    return report


def check_whole(session: Session, paths: Sequence[str]) -> None:
    """Let pass who administers everything, or the one top of the tree.

    Raises CalendarForWhole.
    """
    tops = organizations_at(session, ["/"])
    whole = {"/"} | ({tops[0].path} if len(tops) == 1 else set())
    if not whole & set(paths):
        raise CalendarForWhole


def remove_day(
    session: Session, *, day: date | None, paths: Sequence[str], actor_id: int, now: datetime
) -> None:
    """Forget a day that was loaded, so that the announced calendar counts again.

    Raises CalendarForWhole, CalendarDayUnknown.
    """
    check_whole(session, paths)
    removed = session.execute(
        delete(CalendarDay)
        .where(CalendarDay.day == day)
        .returning(CalendarDay.day)
        .execution_options(synchronize_session=False)
    ).first()
    if day is None or removed is None:
        raise CalendarDayUnknown
    note(
        session,
        at=now,
        actor_id=actor_id,
        action="remove_calendar_day",
        subject=("calendar", None),
        day=day.isoformat(),
    )


def _read_row(
    table: Table, row: Row, wanted: dict[date, CalendarDay], problems: list[Problem]
) -> None:
    """Read one row, and note what is wrong with it."""
    found = len(problems)
    day = day_from(row.cells.get("day", ""))
    word = halfwidth(cleaned(row.cells.get("working", ""))).lower()
    name = cleaned(row.cells.get("name", ""))

    def refuse(column: str, sentence: str, **facts: int | str) -> None:
        problems.append(table.problem(row.number, column, sentence, **facts))

    if day is None:
        refuse("day", "This is not a date. Please write 2027-01-01.")
    elif day in wanted:
        refuse("day", "This day stands in the file twice.")
    if word not in IS_WORKING:
        refuse("working", "Please write working or off: 班 or 休.")
    if len(name) > NAME_LENGTH_MAX:
        refuse("name", "A name has at most %(most)s characters.", most=NAME_LENGTH_MAX)
    if day is not None and len(problems) == found:
        wanted[day] = CalendarDay(day=day, is_working=IS_WORKING[word], name=name)


def day_from(text: str) -> date | None:
    """Read a day as people and spreadsheets write it."""
    match = DAY.fullmatch(halfwidth(cleaned(text)))
    if match is None:
        return None
    try:
        return date(*(int(part) for part in match.groups()))
    except ValueError:
        return None


def _carry_out(
    session: Session,
    days: Sequence[CalendarDay],
    actor_id: int,
    now: datetime,
    report: Report,
) -> None:
    session.execute(
        delete(CalendarDay)
        .where(CalendarDay.day.in_([each.day for each in days]))
        .execution_options(synchronize_session=False)
    )
    if days:
        session.execute(
            insert(CalendarDay),
            [
                {
                    "day": each.day,
                    "is_working": each.is_working,
                    "name": each.name,
                    "loaded_by_id": actor_id,
                    "loaded_at": now,
                }
                for each in days
            ],
        )
    session.expire_all()
    note(
        session,
        at=now,
        actor_id=actor_id,
        action="import_calendar",
        subject=("calendar", None),
        created=report.created,
        updated=report.updated,
    )
