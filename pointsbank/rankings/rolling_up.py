"""The roll-up: score entries of a period become standings, step by step or all at once.

Rule: docs/rankings.md, "The roll-up". Whatever way it took, the rows are the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, bindparam, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from pointsbank.core.calendar import Period, local_day
from pointsbank.core.db import Moment, state_of
from pointsbank.rankings import statements as sql
from pointsbank.rankings.filling_in import words_for
from pointsbank.rankings.models import MEASURE_COLUMNS, RollUp
from pointsbank.rankings.policy import yearly_factor
from pointsbank.rankings.sources import caps_for, last_day, standard_for, tables_for
from pointsbank.scoring.models import ScoringItem
from pointsbank.scoring.queries import Standard

# Entries of one step: its transaction is over within a second, and a crash costs no more.
STEP_ROWS = 10_000
# So long writers of entries may be kept waiting for the moment in which ids are read.
LOCK_WAIT_MS = 2000
LOCK_NOT_AVAILABLE = "55P03"

# This row is locked until the end: of two roll-ups of one period the second waits.
BEGIN = text(
    """
    INSERT INTO roll_up (period, first_on, end_on, as_of, standard_id, standard_version,
                         entry_id, change_id, is_doubted, entries, members)
    VALUES (:period, :first_on, :end_on, :now, :standard_id, :standard_version,
            0, 0, :yes, 0, 0)
    ON CONFLICT (period) DO UPDATE SET as_of = excluded.as_of
    """
).bindparams(bindparam("now", type_=Moment()))
FINISH = text(
    """
    UPDATE roll_up
    SET first_on = :first_on, end_on = :end_on, standard_id = :standard_id,
        standard_version = :standard_version, entry_id = :entry_id, change_id = :change_id,
        is_doubted = :no, entries = :entries, members = :members
    WHERE period = :period
    """
)
# The last id of a step: its rows are counted by the id, whatever period they belong to.
REACHED = """
    SELECT MAX(id) FROM (SELECT id FROM {table} WHERE id > :after AND id <= :until
                         ORDER BY id LIMIT :limit) AS step
"""
HIGHEST = "SELECT COALESCE(MAX(id), 0) FROM {table}"


@dataclass(frozen=True)
class RolledUp:
    """What a roll-up has counted by now: entries, and members who have a standing by them.

    touched: members whose standing was made anew. is_last: nothing that was there waits.
    """

    period: str
    entries: int
    members: int
    standard_version: int
    touched: int
    is_last: bool


@dataclass(frozen=True)
class Decided:
    """Ids at or below which nothing is still to come: of entries, and of changes."""

    entry_id: int
    change_id: int


def roll_up(session: Session, *, period: Period, zone: ZoneInfo, now: datetime) -> RolledUp:
    """Bring every standing of a period up to date in one go, and return what is counted.

    For as much as fits one transaction; the job takes steps of its own.
    """
    touched = 0
    while True:
        step = roll_up_step(session, period=period, zone=zone, now=now)
        touched += step.touched
        if step.is_last:
            return RolledUp(**(vars(step) | {"touched": touched}))


def roll_up_step(
    session: Session,
    *,
    period: Period,
    zone: ZoneInfo,
    now: datetime,
    limit: int = STEP_ROWS,
) -> RolledUp:
    """Count up to so many new entries and changes of members, and return what is counted.

    Everybody they touch is made anew from all of their entries of the period. Everybody is, in
    one step, where there is no roll-up yet, another standard counts the period, or a check
    doubted it. The result depends on entries, members and the standard alone: a repeat gives
    the same rows, steps of any size give the same rows, and of two at once the second waits.
    Does nothing when slow writers keep the ids undecided; the next run goes on.
    """
    standard = standard_for(session, period, local_day(now, zone))
    values = {
        "period": period.name,
        "first_on": period.first_on,
        "end_on": period.end_on,
        "now": now,
        "standard_id": standard.id,
        "standard_version": standard.version,
        "yes": True,
        "no": False,
    }
    session.execute(BEGIN, values)
    before = session.execute(
        select(*RollUp.__table__.columns).where(RollUp.period == period.name)
    ).one()
    decided = decided_ids(session)
    if decided is None:
        return _as_it_was(before, is_last=True)
    is_full = (
        before.is_doubted
        or before.standard_id != standard.id
        or (before.first_on, before.end_on) != (period.first_on, period.end_on)
    )
    reached = decided if is_full else _reached(session, before, decided, limit)
    if not is_full and reached == Decided(before.entry_id, before.change_id):
        return _as_it_was(before, is_last=True)
    pipeline = Pipeline(session, period, standard, before, reached, is_full=is_full)
    counted = pipeline.run_all() if is_full else pipeline.run_touched()
    values |= {
        "entry_id": reached.entry_id,
        "change_id": reached.change_id,
        "entries": counted.entries,
        "members": counted.members,
    }
    session.execute(FINISH, values)
    return RolledUp(
        period.name,
        counted.entries,
        counted.members,
        standard.version,
        counted.touched,
        is_last=reached == decided,
    )


def decided_ids(session: Session) -> Decided | None:
    """Return ids up to which no entry and no change is still to come; None if not told in time.

    On PostgreSQL ids are drawn before they are committed, so the newest that can be seen says
    nothing of those below it. An INSERT holds ROW EXCLUSIVE from before it draws its id: once
    SHARE is granted all below are decided. The savepoint gives the locks back at once. On
    SQLite one transaction writes at a time, and this is it.
    """
    if session.get_bind().dialect.name != "postgresql":
        return Decided(*(_highest(session, t) for t in ("score_entry", "member_change")))
    moment_of_lock = session.begin_nested()
    try:
        session.execute(text(f"SET LOCAL lock_timeout = {LOCK_WAIT_MS}"))
        row = session.execute(text("SELECT entry_id, change_id FROM decided_score_ids()")).one()
        return Decided(int(row.entry_id), int(row.change_id))
    except OperationalError as error:
        if state_of(error) != LOCK_NOT_AVAILABLE:
            raise
        return None
    finally:
        moment_of_lock.rollback()


def _highest(session: Session, table: str) -> int:
    return int(session.execute(text(HIGHEST.format(table=table))).scalar_one())


def _reached(session: Session, before: Row[Any], decided: Decided, limit: int) -> Decided:
    """Return how far a step of so many rows goes, of entries and of changes each."""
    ends = []
    for table, after, until in (
        ("score_entry", before.entry_id, decided.entry_id),
        ("member_change", before.change_id, decided.change_id),
    ):
        values = {"after": after, "until": until, "limit": limit}
        found = session.execute(text(REACHED.format(table=table)), values).scalar_one()
        ends.append(after if found is None else int(found))
    return Decided(*ends)


def _as_it_was(before: Row[Any], *, is_last: bool) -> RolledUp:
    return RolledUp(
        before.period, before.entries, before.members, before.standard_version, 0, is_last
    )


@dataclass(frozen=True)
class Counted:
    """What a period has after a step."""

    entries: int
    members: int
    touched: int


class Pipeline:
    """The statements of one step, in order, over everybody or over who was touched."""

    def __init__(
        self,
        session: Session,
        period: Period,
        standard: Standard,
        before: Row[Any],
        reached: Decided,
        *,
        is_full: bool,
    ) -> None:
        """Prepare the words that every statement is filled in with."""
        self._session = session
        self._values = {"period": period.name}
        self._before = before
        self._words = words_for(
            is_postgresql=session.get_bind().dialect.name == "postgresql",
            is_full=is_full,
            span={
                "first_on": period.first_on,
                "last_on": last_day(period),
                "end_on": period.end_on,
                "entry_id": reached.entry_id,
                "change_id": reached.change_id,
                "after_entry": before.entry_id,
                "after_change": before.change_id,
            },
            codes={
                row.id: row.code
                for row in session.execute(select(ScoringItem.id, ScoringItem.code))
            },
            caps=caps_for(session, standard),
            tables=tables_for(session, standard.id),
            factor=yearly_factor(period),
        )

    def run_all(self) -> Counted:
        """Make every standing anew."""
        self._clear()
        for statement in sql.FORGET_ALL:
            self._run(statement)
        self._make_standings()
        self._run(sql.ROWS)
        self._run(sql.PARTS)
        self._run(sql.ROWS_NOW, sign="")
        self._count()
        change = self._session.execute(text(sql.CHANGE)).one()
        self._know("rolling_part", "rolling_count")
        self._run(sql.COUNTS_NEW)
        self._run(sql.BRANCHES_EMPTY)
        self._run(sql.BRANCHES_ALL)
        self._know("rolling_branch")
        self._run(sql.BRANCHES)
        self._clear()
        return Counted(int(change.entries), int(change.members), int(change.members))

    def run_touched(self) -> Counted:
        """Take out what the touched had, put in what they have now."""
        self._clear()
        self._run(sql.TOUCHED)
        self._know("rolling_touched")
        self._run(sql.ROWS)
        self._run(sql.PARTS)
        self._run(sql.PARTS_OLD)
        self._run(sql.ROWS_NOW, sign="-")
        touched = int(
            self._session.execute(text("SELECT COUNT(*) FROM rolling_touched")).scalar_one()
        )
        self._run(sql.FORGET_TOUCHED)
        self._make_standings()
        self._run(sql.ROWS_NOW, sign="")
        self._count()
        change = self._session.execute(text(sql.CHANGE)).one()
        self._know("rolling_part", "rolling_count")
        self._run(sql.COUNTS_LIFTED)
        self._run(sql.LIFTED_KEY)
        self._know("rolling_lifted")
        for statement in sql.COUNTS_CHANGED:
            self._run(statement)
        self._change_branches()
        self._clear()
        return Counted(
            self._before.entries + int(change.entries),
            self._before.members + int(change.members),
            touched,
        )

    def _make_standings(self) -> None:
        self._run(sql.SHARES)
        self._run(sql.MEMBERS)
        self._know("rolling_share", "rolling_member")
        self._run(sql.SCORES)
        self._know("rolling_score")
        self._run(sql.STANDINGS)

    def _count(self) -> None:
        self._run(sql.PARTS_NEW)
        self._run(sql.PARTS_ACTIVE)
        self._run(sql.COUNTS)
        for measure, column in MEASURE_COLUMNS.items():
            self._run(sql.COUNT_ROWS, measure=measure, column=column)

    def _change_branches(self) -> None:
        counts = self._filled(sql.BRANCH_COUNTS)
        self._run(sql.BRANCHES_TOUCHED)
        self._know("rolling_branch")
        self._run(sql.BRANCHES_UNKNOWN)
        self._run(sql.BRANCHES_RECOUNTED, counts=counts)
        self._run(sql.BRANCHES_KEPT)
        self._know("rolling_branch")
        self._run(sql.PARTS_KEPT)
        self._run(sql.PARTS_KEPT_ACTIVE)
        self._know("rolling_part")
        self._run(sql.FORGET_BRANCHES)
        self._run(sql.BRANCHES)

    def _know(self, *tables: str) -> None:
        """Let the planner know tables that nobody else tells it of."""
        for table in tables:
            self._run(self._words["analyze"], table=table)

    def _clear(self) -> None:
        """Drop what this step made, or one before it in the same transaction."""
        for table in sql.TEMPORARY:
            self._run("DROP TABLE IF EXISTS {temp}.{table}", table=table)

    def _filled(self, statement: str, **more: str) -> str:
        return statement.format(**(self._words | more))

    def _run(self, statement: str, **more: str) -> None:
        filled = self._filled(statement, **more)
        values: Mapping[str, str | date] = self._values if ":period" in filled else {}
        self._session.execute(text(filled), values)
