"""The passbook page and the balance at a past moment, in a ledger of ten million transfers.

    python -m bench.passbook [--rounds 5] [--transfers 10000000]

Members with a long and with a short past stand in the same ledger: what the statements of a
page take in the database may not grow with the past. What the database itself spends, planning
and running, is counted by pg_stat_statements; beside it stands the way there and back. Goals:
docs/performance.md.
"""

import argparse
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from flask import Flask
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from bench import district, history
from bench.report import Goal, finish, print_rounds, say
from bench.servers import Postgres, postgres
from pointsbank.core.db import db, reading
from pointsbank.ledger.queries import balance_at
from pointsbank.passbooks.queries import (
    cover_of,
    lines_of,
    month_sums,
    taken_back,
    years_of,
)

MEMBERS = 10_000
# Who came lately: as many people again, whose books are short.
SHORT_LINES = 50
LOOKS = 200
PAGE = 41
ZONE = ZoneInfo("Asia/Shanghai")
FIRST_DAY = datetime(2024, 1, 1, tzinfo=UTC)
LATE = "2026-11-01 00:00:00+08"
SEED = 20261121
COUNTING = {
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.track_planning": "on",
}
SPENT = text(
    "SELECT sum(total_plan_time + total_exec_time) FROM pg_stat_statements"
    " WHERE query NOT LIKE '%pg_stat_statements%'"
)


@contextmanager
def statement_seconds(engine: Engine) -> Iterator[list[float]]:
    """Gather what each statement takes, from sending it to its answer."""
    taken: list[float] = []
    began: list[float] = []

    def before(*_facts: object) -> None:
        began.append(time.perf_counter())

    def after(*_facts: object) -> None:
        taken.append(time.perf_counter() - began.pop())

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    try:
        yield taken
    finally:
        event.remove(engine, "before_cursor_execute", before)
        event.remove(engine, "after_cursor_execute", after)


def open_page(session: Session, member_id: int) -> None:
    """Read what the first page of a book shows."""
    lines = lines_of(session, member_id, limit=PAGE)
    cover_of(session, member_id)
    years_of(session, member_id, ZONE)
    months = sorted({date(at.year, at.month, 1) for at in (x.recorded_at for x in lines)})
    month_sums(session, member_id, months, ZONE)
    taken_back(session, lines)


def look_back(session: Session, member_id: int) -> None:
    """Read a balance at some moment of the person's past."""
    # Who came late is asked about the last of it: before, there is nothing to read.
    share = 1.0 if member_id <= MEMBERS else 1 / 3 / 52
    ago = random.uniform(0, share) * history.SECONDS_OF_PAST
    moment = FIRST_DAY + timedelta(seconds=history.SECONDS_OF_PAST - ago)
    balance_at(session, f"member:{member_id}", moment)


def milliseconds(
    app: Flask, look: Callable[[Session, int], None], others: int
) -> tuple[float, float]:
    """Return what one look takes, after so many other members: the mean of what the database
    spends, and the median of the statements with their way there and back.
    """
    sums = []
    with app.app_context(), reading() as session, statement_seconds(db.engine) as taken:
        session.execute(text("SELECT pg_stat_statements_reset()"))
        for _ in range(LOOKS):
            taken.clear()
            look(session, others + random.randint(1, MEMBERS))
            sums.append(sum(taken) * 1e3)
        spent = float(session.execute(SPENT).scalar_one())
    return spent / LOOKS, median(sums)


def prepared(database: Postgres, lines: int) -> Flask:
    """Return the application on a ledger where half of the members have so many lines, and the
    other half, who came in its last weeks, a few.
    """
    url = database.server.create_database("past")
    with database.server.connect("past") as connection:
        connection.execute("CREATE EXTENSION pg_stat_statements")
    app = district.migrated(url)
    began = time.monotonic()
    history.write(database, "past", members=MEMBERS, lines=lines)
    history.write(
        database,
        "past",
        members=MEMBERS,
        lines=SHORT_LINES,
        others=MEMBERS,
        before=MEMBERS * lines,
        starts_at=LATE,
        seconds=history.SECONDS_OF_PAST * SHORT_LINES // lines,
    )
    count = MEMBERS * (lines + SHORT_LINES)
    say(f"  wrote {count:,} transfers in {time.monotonic() - began:.0f} s")
    return app


def main() -> None:
    """Measure both pasts in turn, and report."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--transfers", type=int, default=10_000_000)
    asked = words.parse_args()
    random.seed(SEED)
    say(f"seed {SEED}")
    with postgres(COUNTING) as database:
        app = prepared(database, asked.transfers // MEMBERS)
        rows = []
        for number in range(asked.rounds + 1):
            row = [
                taken
                for look in (open_page, look_back)
                for others in (MEMBERS, 0)
                for taken in milliseconds(app, look, others)
            ]
            # The first round fills the caches.
            if number:
                rows.append(row)
        district.close(app)
    heads = [
        f"{what}{way}"
        for what in ("page, short", "page, long", "then, short", "then, long")
        for way in ("", " + way")
    ]
    print_rounds(f"ms of all statements of a look, {asked.transfers:,} transfers", heads, rows)
    short, _, long, _, short_then, _, long_then, _ = (
        median(column) for column in zip(*rows, strict=True)
    )
    goals = [
        Goal("passbook page, ms in the database", long, 2, is_least=False),
        Goal("balance at a moment, ms in the database", long_then, 2, is_least=False),
        Goal("passbook page, long / short past", long / short, 1.5, is_least=False),
        Goal("balance at, long / short past", long_then / short_then, 1.5, is_least=False),
    ]
    finish("passbook", goals, {"postgresql": rows, "transfers": asked.transfers})


if __name__ == "__main__":
    main()
