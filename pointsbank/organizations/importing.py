"""The tree from a file: rows in any order, that add, rename and move; all of them or none."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import bindparam, insert, select, text, update
from sqlalchemy.orm import Session

from pointsbank.core.audit import note
from pointsbank.core.tables import Problem, Report, Row, Table, read_table
from pointsbank.core.text import cleaned, halfwidth
from pointsbank.organizations.models import LEVELS_MAX, Organization
from pointsbank.organizations.queries import in_scope

COLUMNS = {
    "code": ("code", "编码", "代码", "组织编码", "组织代码", "机构编码"),
    "name": ("name", "名称", "组织名称", "机构名称"),
    "kind": ("kind", "类型", "类别", "组织类型"),
    "parent_code": ("parent_code", "上级编码", "上级代码", "上级组织编码", "上级"),
}
REQUIRED = ("code", "name", "kind", "parent_code")
KIND_WORDS = {
    "district": ("区", "县", "区县", "市辖区"),
    "street": ("街道", "乡镇", "镇", "乡", "街道乡镇"),
    "community": ("社区", "村", "居委会", "村委会", "社区村"),
    "general_branch": ("党总支", "党委", "社区党委"),
    "branch": ("党支部", "支部"),
    "party_group": ("党小组",),
    "grid": ("网格",),
    "micro_grid": ("微网格",),
    "building": ("楼栋", "楼"),
    "work_unit": ("单位", "驻区单位", "工作单位"),
}
KINDS = {word: kind for kind, words in KIND_WORDS.items() for word in (kind, *words)}
CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,31}")
NAME_LENGTH_MAX = 120
# Rows in one statement: SQLite takes 32,766 values in one, PostgreSQL 65,535.
BATCH_ROWS = 2000

# Two imports at once could each make a move that is right alone and a circle together.
LOCK_TREE = "LOCK TABLE organization IN SHARE ROW EXCLUSIVE MODE"

PATH_OF_NEW = text(
    """
    UPDATE organization SET path = COALESCE(
        (SELECT above.path FROM organization AS above
         WHERE above.id = organization.parent_id), '/'
    ) || id || '/'
    WHERE path = ''
    """
)


@dataclass(frozen=True)
class Wanted:
    """One organization as the file wants it."""

    row: int
    code: str
    name: str
    kind: str
    parent_code: str | None


@dataclass(frozen=True)
class Standing:
    """One organization as it stands."""

    id: int
    code: str
    name: str
    kind: str
    parent_code: str | None
    path: str


@dataclass(frozen=True)
class Plan:
    """What a file leads to. levels: the new ones, those nearest to the top first."""

    report: Report
    levels: Sequence[Sequence[Wanted]] = ()
    changed: Sequence[Wanted] = ()
    has_moves: bool = False


def read_organizations(content: bytes, filename: str) -> tuple[Table, list[Problem]]:
    """Read a file of organizations.

    Raises BadTable, TableTooLarge.
    """
    return read_table(content, filename, columns=COLUMNS, required=REQUIRED)


def import_organizations(
    session: Session,
    *,
    table: Table,
    problems: Iterable[Problem] = (),
    paths: Sequence[str],
    actor_id: int | None,
    now: datetime,
    is_dry_run: bool = False,
) -> Report:
    """Add, rename and move what the file wants, all or nothing, and say what was done.

    paths: what the importer oversees; "/" is everything. problems: what reading the file found
    already; with any, nothing is done. A repeat of the same file changes nothing. A dry run
    only says.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(LOCK_TREE))
    plan = planned(table, list(problems), standing_tree(session), paths)
    if plan.report.rejected or is_dry_run:
        return plan.report
    _carry_out(session, plan, now)
    note(
        session,
        at=now,
        actor_id=actor_id,
        action="import_organizations",
        subject=("organization", None),
        created=plan.report.created,
        updated=plan.report.updated,
    )
    return plan.report


def standing_tree(session: Session) -> dict[str, Standing]:
    """Return every organization by its code."""
    rows = session.execute(
        select(
            Organization.id,
            Organization.code,
            Organization.name,
            Organization.kind,
            Organization.parent_id,
            Organization.path,
        )
    ).all()
    codes = {row.id: row.code for row in rows}
    return {
        row.code: Standing(
            row.id, row.code, row.name, row.kind, codes.get(row.parent_id), row.path
        )
        for row in rows
    }


def planned(
    table: Table,
    problems: list[Problem],
    standing: Mapping[str, Standing],
    paths: Sequence[str],
) -> Plan:
    """Judge every row against the file and the tree; nothing is written."""
    wanted: dict[str, Wanted] = {}
    if set(REQUIRED) <= set(table.headers):
        for row in table.rows:
            _read_row(table, row, wanted, problems)
        if not problems:
            _judge_parents(table, wanted, standing, paths, problems)
        if not problems:
            _judge_depth(table, wanted, standing, problems)
    if problems:
        ordered = sorted(problems, key=lambda problem: problem.row)
        return Plan(Report(rejected=tuple(ordered)))
    new = [each for each in wanted.values() if each.code not in standing]
    changed = [
        each
        for each in wanted.values()
        if (found := standing.get(each.code)) and _differs(each, found)
    ]
    report = Report(len(new), len(changed), len(wanted) - len(new) - len(changed))
    has_moves = any(each.parent_code != standing[each.code].parent_code for each in changed)
    return Plan(report, _levels(new), changed, has_moves)


def _differs(wanted: Wanted, found: Standing) -> bool:
    return (wanted.name, wanted.kind, wanted.parent_code) != (
        found.name,
        found.kind,
        found.parent_code,
    )


def _read_row(
    table: Table, row: Row, wanted: dict[str, Wanted], problems: list[Problem]
) -> None:
    """Read one row, and note what is wrong with it."""
    found = len(problems)
    code = halfwidth(cleaned(row.cells.get("code", "")))
    name = cleaned(row.cells.get("name", ""))
    kind = KINDS.get(halfwidth(cleaned(row.cells.get("kind", ""))).lower(), "")
    parent_code = halfwidth(cleaned(row.cells.get("parent_code", ""))) or None

    def refuse(column: str, sentence: str, **facts: int | str) -> None:
        problems.append(table.problem(row.number, column, sentence, **facts))

    if not CODE.fullmatch(code):
        refuse("code", "A code has 1 to 32 letters, digits, dots or dashes.")
    elif code in wanted:
        refuse("code", "This code stands in row %(other)s already.", other=wanted[code].row)
    if not 1 <= len(name) <= NAME_LENGTH_MAX:
        refuse("name", "A name has 1 to %(most)s characters.", most=NAME_LENGTH_MAX)
    if not kind:
        refuse("kind", "This kind is not known.")
    if parent_code is not None and parent_code == code:
        refuse("parent_code", "An organization cannot stand under itself.")
    if len(problems) == found:
        wanted[code] = Wanted(row.number, code, name, kind, parent_code)


def _judge_parents(
    table: Table,
    wanted: Mapping[str, Wanted],
    standing: Mapping[str, Standing],
    paths: Sequence[str],
    problems: list[Problem],
) -> None:
    """Refuse parents that do not exist and places that the importer does not oversee."""
    is_over_all = "/" in paths

    def is_mine(code: str) -> bool:
        return code in standing and in_scope(standing[code].path, paths)

    for each in wanted.values():
        found = standing.get(each.code)
        parent = each.parent_code
        if found is not None and not is_mine(each.code):
            problems.append(
                table.problem(each.row, "code", "This organization is not yours to change.")
            )
        elif parent is not None and parent not in wanted and parent not in standing:
            problems.append(
                table.problem(
                    each.row, "parent_code", "There is no organization with this code."
                )
            )
        elif is_over_all or (found is not None and found.parent_code == parent):
            continue
        elif parent is None or not (is_mine(parent) or parent not in standing):
            # A foreign organization looks like one that does not exist.
            problems.append(
                table.problem(
                    each.row, "parent_code", "There is no organization with this code."
                )
            )


def _judge_depth(
    table: Table,
    wanted: Mapping[str, Wanted],
    standing: Mapping[str, Standing],
    problems: list[Problem],
) -> None:
    """Refuse circles and chains that are too long, in the tree as the file would leave it."""
    parents = {code: found.parent_code for code, found in standing.items()}
    parents.update({each.code: each.parent_code for each in wanted.values()})
    depths: dict[str, int] = {}
    for start in parents:
        chain: list[str] = []
        seen: set[str] = set()
        code: str | None = start
        while code is not None and code not in depths and code not in seen:
            chain.append(code)
            seen.add(code)
            code = parents[code]
        circle = set(chain[chain.index(code) :]) if code in seen else set()
        depth = 0 if code is None else depths.get(code, 0)
        for member in reversed(chain):
            depth += 1
            depths[member] = depth
            guilty = wanted.get(member)
            if guilty is None:
                continue
            if member in circle:
                problems.append(
                    table.problem(
                        guilty.row, "parent_code", "These organizations form a circle."
                    )
                )
            elif depth > LEVELS_MAX:
                sentence = (
                    "Organizations can stand at most %(levels)s levels below one another."
                )
                problems.append(
                    table.problem(guilty.row, "parent_code", sentence, levels=LEVELS_MAX)
                )


def _levels(new: Sequence[Wanted]) -> list[list[Wanted]]:
    """Return the new ones so that each stands behind the level that holds its parent."""
    waiting: dict[str | None, list[Wanted]] = {}
    codes = {each.code for each in new}
    for each in new:
        above = each.parent_code if each.parent_code in codes else None
        waiting.setdefault(above, []).append(each)
    levels: list[list[Wanted]] = []
    level = waiting.get(None, [])
    while level:
        levels.append(level)
        level = [below for each in level for below in waiting.get(each.code, [])]
    return levels


def _carry_out(session: Session, plan: Plan, now: datetime) -> None:
    ids: dict[str | None, int | None] = {None: None}
    rows = session.execute(select(Organization.code, Organization.id))
    ids.update({row.code: row.id for row in rows})
    for level in plan.levels:
        for batch in _batches(level):
            added = session.execute(
                insert(Organization).returning(Organization.code, Organization.id),
                [
                    {
                        "code": each.code,
                        "name": each.name,
                        "kind": each.kind,
                        "parent_id": ids[each.parent_code],
                        "path": "",
                        "created_at": now,
                    }
                    for each in batch
                ],
            )
            ids.update({row.code: row.id for row in added})
        session.execute(PATH_OF_NEW)
    if plan.changed:
        table = Organization.__table__
        session.connection().execute(
            update(table)  # type: ignore[arg-type]  # a declarative class hides its Table's type
            .where(table.c.id == bindparam("row_id"))
            .values(
                name=bindparam("new_name"),
                kind=bindparam("new_kind"),
                parent_id=bindparam("new_parent_id"),
            ),
            [
                {
                    "row_id": ids[each.code],
                    "new_name": each.name,
                    "new_kind": each.kind,
                    "new_parent_id": ids[each.parent_code],
                }
                for each in plan.changed
            ],
        )
    if plan.has_moves:
        mend_paths(session)
    session.expire_all()


def _batches(level: Sequence[Wanted]) -> Iterable[list[Wanted]]:
    rest = iter(level)
    while batch := list(islice(rest, BATCH_ROWS)):
        yield batch


def mend_paths(session: Session) -> int:
    """Write every path anew that does not follow from its parent's, and return how many."""
    rows = session.execute(
        select(Organization.id, Organization.parent_id, Organization.path)
    ).all()
    below: dict[int | None, list[int]] = {}
    paths = {row.id: row.path for row in rows}
    for row in rows:
        below.setdefault(row.parent_id, []).append(row.id)
    wrong: list[dict[str, int | str]] = []
    waiting = [("/", each) for each in below.get(None, [])]
    while waiting:
        above, organization_id = waiting.pop()
        path = f"{above}{organization_id}/"
        if paths[organization_id] != path:
            wrong.append({"row_id": organization_id, "new_path": path})
        waiting.extend((path, each) for each in below.get(organization_id, []))
    if wrong:
        table = Organization.__table__
        session.connection().execute(
            update(table)  # type: ignore[arg-type]  # a declarative class hides its Table's type
            .where(table.c.id == bindparam("row_id"))
            .values(path=bindparam("new_path")),
            wrong,
        )
    return len(wrong)
