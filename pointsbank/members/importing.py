"""People from a file: taken in, or brought up to date; all of them or none."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any

from argon2 import PasswordHasher
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from pointsbank.core.audit import note
from pointsbank.core.tables import Problem, Report, Row, Table, read_table
from pointsbank.core.text import cleaned, halfwidth, phone_from
from pointsbank.ledger.service import open_accounts
from pointsbank.members import passwords
from pointsbank.members.belonging import Home, begin_belonging, move_all
from pointsbank.members.errors import PhoneTaken, VolunteerNoTaken, WeakPassword
from pointsbank.members.models import HANDLE_BYTES, Member
from pointsbank.members.policy import day_from, may_be_birth_day, may_change
from pointsbank.members.queries import administrator_paths
from pointsbank.members.service import draw_volunteer_numbers
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import in_scope

COLUMNS = {
    "volunteer_no": ("volunteer_no", "志愿者编号", "编号", "志愿者号"),
    "name": ("name", "姓名", "名字"),
    "phone": ("phone", "手机号", "手机", "手机号码", "电话", "联系电话"),
    "organization_code": ("organization_code", "所属组织编码", "组织编码", "所属组织代码"),
    "kind": ("kind", "类别", "人员类别", "身份"),
    "initial_password": ("initial_password", "初始密码", "密码"),
    "born_on": ("born_on", "出生日期", "生日", "出生年月日"),
}
REQUIRED = ("name", "phone", "organization_code", "kind")
KIND_WORDS = {
    "volunteer": ("志愿者",),
    "party_member": ("党员", "中共党员", "正式党员"),
    "probationary_member": ("预备党员", "中共预备党员"),
    "resident": ("居民", "群众"),
    "staff": ("工作人员", "社工", "干部"),
}
KINDS = {word: kind for kind, words in KIND_WORDS.items() for word in (kind, *words)}
VOLUNTEER_NO = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,19}")
NAME_LENGTH_MAX = 60
# One hash takes some 30 ms by design: 5,000 are two and a half minutes on one core. More people
# than that get their passwords in several files, or when they come to the desk.
INITIAL_PASSWORDS_MAX = 5000
# Values in one IN list: SQLite takes 32,766, PostgreSQL 65,535.
BATCH_ROWS = 2000

FOREIGN = "This person is not yours to change."
NO_BIRTH_DAY = "This is not a date of birth, such as 1953-04-05."
UNKNOWN_ORGANIZATION = "There is no organization with this code."


@dataclass(frozen=True)
class Wanted:
    """One person as the file wants them. password: as typed, only for those who have none."""

    row: int
    volunteer_no: str | None
    name: str
    phone: str | None
    organization_code: str
    kind: str
    password: str | None
    born_on: date | None = None


@dataclass(frozen=True)
class Standing:
    """One person as they stand."""

    id: int
    volunteer_no: str
    name: str
    phone: str | None
    organization_id: int
    path: str
    kind: str
    has_password: bool
    born_on: date | None
    grid_id: int | None


STANDING = (
    Member.id,
    Member.volunteer_no,
    Member.name,
    Member.phone,
    Member.organization_id,
    Organization.path,
    Member.kind,
    Member.password_hash.is_not(None),
    Member.born_on,
    Member.grid_id,
)


@dataclass(frozen=True)
class Place:
    """Where a person can belong."""

    id: int
    path: str


@dataclass(frozen=True)
class Plan:
    """What a file leads to: who is new, and who changes into what."""

    report: Report
    places: Mapping[str, Place]
    new: Sequence[Wanted] = ()
    changed: Sequence[tuple[Wanted, Standing]] = ()


@dataclass(frozen=True)
class Known:
    """Whom the file may mean, by number and by phone, and what they administer."""

    by_number: Mapping[str, Standing]
    by_phone: Mapping[str, Standing]
    administered: Mapping[int, tuple[str, ...]]


def read_members(content: bytes, filename: str) -> tuple[Table, list[Problem]]:
    """Read a file of people.

    Raises BadTable, TableTooLarge.
    """
    table, problems = read_table(content, filename, columns=COLUMNS, required=REQUIRED)
    with_password = [row for row in table.rows if "initial_password" in row.cells]
    for row in with_password[INITIAL_PASSWORDS_MAX:][:1]:
        sentence = "At most %(most)s initial passwords can be set by one file."
        problems.append(
            table.problem(row.number, "initial_password", sentence, most=INITIAL_PASSWORDS_MAX)
        )
    return table, problems


def hashed_passwords(table: Table, hasher: PasswordHasher) -> dict[int, str]:
    """Hash the initial passwords of a file, by row; slow on purpose, so in no transaction."""
    return {
        row.number: passwords.hashed(row.cells["initial_password"], hasher)
        for row in table.rows
        if "initial_password" in row.cells
    }


def import_members(
    session: Session,
    *,
    table: Table,
    problems: Iterable[Problem] = (),
    paths: Sequence[str],
    password_hashes: Mapping[int, str],
    draw_handle: Callable[[int], bytes],
    actor_id: int | None,
    now: datetime,
    today: date,
    is_dry_run: bool = False,
) -> Report:
    """Take in and bring up to date whom the file names, all or nothing, and say what was done.

    A person is known by their volunteer number, without one by their phone. A password is set
    only for whoever has none. today: the local day from which newcomers belong, and on which
    those move whom the file puts elsewhere. paths: what the importer oversees. problems: what
    reading the file found already; with any, nothing is done. A repeat of the same file changes
    nothing. A dry run only says.
    """
    plan = planned(session, table, list(problems), paths, today)
    if plan.report.rejected or is_dry_run:
        return plan.report
    _take_in(session, plan, password_hashes, draw_handle, now, today)
    _bring_up_to_date(session, plan, password_hashes, now, today)
    session.expire_all()
    note(
        session,
        at=now,
        actor_id=actor_id,
        action="import_members",
        subject=("member", None),
        created=plan.report.created,
        updated=plan.report.updated,
    )
    return plan.report


def planned(
    session: Session,
    table: Table,
    problems: list[Problem],
    paths: Sequence[str],
    today: date,
) -> Plan:
    """Judge every row against the file and the people who stand; nothing is written."""
    wanted: list[Wanted] = []
    places: dict[str, Place] = {}
    changed: list[tuple[Wanted, Standing]] = []
    new: list[Wanted] = []
    if set(REQUIRED) <= set(table.headers):
        wanted = _read_rows(table, problems, today)
        places = _places(session, wanted, paths)
        known = _known(session, wanted)
        for each in wanted:
            found = _match(table, each, known, places, paths, problems)
            if found is None:
                new.append(each)
            elif _differs(each, found, places):
                changed.append((each, found))
    if problems:
        ordered = sorted(problems, key=lambda problem: problem.row)
        return Plan(Report(rejected=tuple(ordered)), places)
    report = Report(len(new), len(changed), len(wanted) - len(new) - len(changed))
    return Plan(report, places, new, changed)


def _read_rows(table: Table, problems: list[Problem], today: date) -> list[Wanted]:
    wanted: list[Wanted] = []
    numbers: dict[str, int] = {}
    phones: dict[str, int] = {}
    for row in table.rows:
        each, found = _read_row(table, row, today)
        if each.volunteer_no is not None:
            other = numbers.setdefault(each.volunteer_no, row.number)
            if other != row.number:
                sentence = "This number stands in row %(other)s already."
                found.append(table.problem(row.number, "volunteer_no", sentence, other=other))
        if each.phone is not None:
            other = phones.setdefault(each.phone, row.number)
            if other != row.number:
                sentence = "This phone number stands in row %(other)s already."
                found.append(table.problem(row.number, "phone", sentence, other=other))
        problems.extend(found)
        if not found:
            wanted.append(each)
    return wanted


def _read_row(table: Table, row: Row, today: date) -> tuple[Wanted, list[Problem]]:
    """Read one row, and say what is wrong with it; a phone is never said back."""
    each = Wanted(
        row=row.number,
        volunteer_no=halfwidth(cleaned(row.cells.get("volunteer_no", ""))) or None,
        name=cleaned(row.cells.get("name", "")),
        phone=phone_from(cleaned(row.cells.get("phone", ""))),
        organization_code=halfwidth(cleaned(row.cells.get("organization_code", ""))),
        kind=KINDS.get(halfwidth(cleaned(row.cells.get("kind", ""))).lower(), ""),
        password=row.cells.get("initial_password"),
        born_on=day_from(halfwidth(cleaned(row.cells.get("born_on", "")))),
    )
    found = [
        table.problem(row.number, column, sentence, **facts)
        for column, sentence, facts in _complaints(each, "phone" in row.cells)
    ]
    if "born_on" in row.cells and not (each.born_on and may_be_birth_day(each.born_on, today)):
        found.append(table.problem(row.number, "born_on", NO_BIRTH_DAY))
    return each, found


def _complaints(each: Wanted, has_phone: bool) -> Iterator[tuple[str, str, dict[str, int]]]:
    """Yield what is wrong with one row by itself: the column, the sentence and its facts."""
    if each.volunteer_no is not None and not VOLUNTEER_NO.fullmatch(each.volunteer_no):
        yield "volunteer_no", "A volunteer number has 1 to 20 letters, digits or dashes.", {}
    if not 1 <= len(each.name) <= NAME_LENGTH_MAX:
        yield "name", "A name has 1 to %(most)s characters.", {"most": NAME_LENGTH_MAX}
    if each.phone is None and has_phone:
        yield "phone", "This is not a mobile number of eleven digits.", {}
    elif each.phone is None and each.volunteer_no is None:
        yield "phone", "A person needs a phone number or a volunteer number.", {}
    if not each.kind:
        yield "kind", "This kind is not known.", {}
    if not each.organization_code:
        yield "organization_code", UNKNOWN_ORGANIZATION, {}
    if each.password is not None and passwords.is_weak(each.password):
        yield "initial_password", WeakPassword.message, {}


def _batches(values: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(values)
    while batch := list(islice(rest, BATCH_ROWS)):
        yield batch


def _places(
    session: Session, wanted: Sequence[Wanted], paths: Sequence[str]
) -> dict[str, Place]:
    """Return the organizations that the file names and the importer oversees, by code."""
    places: dict[str, Place] = {}
    for codes in _batches({each.organization_code for each in wanted}):
        rows = session.execute(
            select(Organization.code, Organization.id, Organization.path).where(
                Organization.code.in_(codes)
            )
        )
        places.update(
            {row.code: Place(row.id, row.path) for row in rows if in_scope(row.path, paths)}
        )
    return places


def _known(session: Session, wanted: Sequence[Wanted]) -> Known:
    numbers = [each.volunteer_no for each in wanted if each.volunteer_no is not None]
    phones = [each.phone for each in wanted if each.phone is not None]
    by_number = {
        found.volunteer_no: found for found in _standing(session, Member.volunteer_no, numbers)
    }
    by_phone = {found.phone or "": found for found in _standing(session, Member.phone, phones)}
    ids = {found.id for found in (*by_number.values(), *by_phone.values())}
    administered: dict[int, tuple[str, ...]] = {}
    for batch in _batches(ids):
        administered.update(administrator_paths(session, batch))
    return Known(by_number, by_phone, administered)


def _standing(
    session: Session, column: InstrumentedAttribute[Any], values: Sequence[str]
) -> Iterator[Standing]:
    for batch in _batches(values):
        rows = session.execute(
            select(*STANDING)
            .join(Organization, Organization.id == Member.organization_id)
            .where(column.in_(batch))
        )
        for row in rows:
            yield Standing(*tuple(row))


def _match(
    table: Table,
    each: Wanted,
    known: Known,
    places: Mapping[str, Place],
    paths: Sequence[str],
    problems: list[Problem],
) -> Standing | None:
    """Return whom a row means, None for a new person, and note why it may not be done."""
    by_number = known.by_number.get(each.volunteer_no or "")
    by_phone = known.by_phone.get(each.phone or "")
    found = by_number if each.volunteer_no is not None else by_phone

    def refuse(column: str, sentence: str) -> None:
        problems.append(table.problem(each.row, column, sentence))

    if each.organization_code not in places:
        refuse("organization_code", UNKNOWN_ORGANIZATION)
    elif found is not None and not in_scope(found.path, paths):
        # Who they are and where they belong is not said.
        if each.volunteer_no is not None:
            refuse("volunteer_no", VolunteerNoTaken.message)
        else:
            refuse("phone", PhoneTaken.message)
    elif by_phone is not None and by_phone != found:
        refuse("phone", PhoneTaken.message)
    elif (
        found is not None
        and _differs(each, found, places)
        and not may_change(paths, known.administered.get(found.id, ()))
    ):
        refuse("name", FOREIGN)
    return found


def _differs(each: Wanted, found: Standing, places: Mapping[str, Place]) -> bool:
    place = places.get(each.organization_code)
    return (
        each.name != found.name
        or each.kind != found.kind
        or (each.phone is not None and each.phone != found.phone)
        or (each.born_on is not None and each.born_on != found.born_on)
        or (place is not None and place.id != found.organization_id)
        or (each.password is not None and not found.has_password)
    )


def _take_in(
    session: Session,
    plan: Plan,
    password_hashes: Mapping[int, str],
    draw_handle: Callable[[int], bytes],
    now: datetime,
    today: date,
) -> None:
    numberless = sum(each.volunteer_no is None for each in plan.new)
    numbers = iter(draw_volunteer_numbers(session, numberless))
    handles = iter(_free_handles(session, len(plan.new), draw_handle))
    for batch in _batches(plan.new):
        taken_in = session.execute(
            insert(Member).returning(Member.id, Member.organization_id),
            [
                {
                    "volunteer_no": each.volunteer_no or next(numbers),
                    "name": each.name,
                    "phone": each.phone,
                    "password_hash": password_hashes.get(each.row),
                    "kind": each.kind,
                    "state": "active",
                    "organization_id": plan.places[each.organization_code].id,
                    "handle": next(handles),
                    "born_on": each.born_on,
                    "joined_at": now,
                }
                for each in batch
            ],
        ).all()
        homes = [Home(row.id, row.organization_id) for row in taken_in]
        begin_belonging(session, members=homes, on=today, now=now)
        codes = [f"member:{home.member_id}" for home in homes]
        open_accounts(session, codes=codes, kind="member")


def _free_handles(
    session: Session, count: int, draw_handle: Callable[[int], bytes]
) -> list[bytes]:
    """Draw so many handles that nobody has; two alike, of 40 bits each, are rare."""
    free: set[bytes] = set()
    while len(free) < count:
        drawn = {draw_handle(HANDLE_BYTES) for _ in range(count - len(free))}
        for batch in _batches(drawn):
            taken = session.scalars(select(Member.handle).where(Member.handle.in_(batch)))
            drawn -= {bytes(handle) for handle in taken}
        free |= drawn
    return list(free)


def _bring_up_to_date(
    session: Session,
    plan: Plan,
    password_hashes: Mapping[int, str],
    now: datetime,
    today: date,
) -> None:
    if not plan.changed:
        return
    table = Member.__table__
    names = ("name", "kind", "phone", "born_on")
    session.connection().execute(
        update(table)  # type: ignore[arg-type]  # a declarative class hides its Table's type
        .where(table.c.id == bindparam("row_id"))
        .values({name: bindparam(f"new_{name}") for name in names}),
        [
            {
                "row_id": found.id,
                "new_name": each.name,
                "new_kind": each.kind,
                "new_phone": each.phone or found.phone,
                "new_born_on": each.born_on or found.born_on,
            }
            for each, found in plan.changed
        ],
    )
    homes = [
        (found, Home(found.id, plan.places[each.organization_code].id, found.grid_id))
        for each, found in plan.changed
    ]
    moved = [home for found, home in homes if home.organization_id != found.organization_id]
    move_all(session, homes=moved, on=today, now=now)
    for each, found in plan.changed:
        if each.password is not None and not found.has_password:
            session.execute(
                update(Member)
                .where(Member.id == found.id, Member.password_hash.is_(None))
                .values(password_hash=password_hashes[each.row])
            )
