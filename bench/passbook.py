"""The passbook page and the balance at a past moment, in a ledger of ten million transfers.

    python -m bench.passbook [--rounds 5] [--transfers 10000000]

Members with a long and with a short past stand in the same ledger: what the statements of a
page take in the database may not grow with the past. Goals: docs/performance.md.
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
from sqlalchemy import Engine, event
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


def milliseconds(app: Flask, look: Callable[[Session, int], None], others: int) -> float:
    """Return the median time all statements of one look take, after so many other members."""
    sums = []
    with app.app_context(), reading() as session, statement_seconds(db.engine) as taken:
        for _ in range(LOOKS):
            taken.clear()
            look(session, others + random.randint(1, MEMBERS))
            sums.append(sum(taken) * 1e3)
    return median(sums)


def prepared(database: Postgres, lines: int) -> Flask:
    """Return the application on a ledger where half of the members have so many lines, and the
    other half, who came in its last weeks, a few.
    """
    app = district.migrated(database.server.create_database("past"))
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
    with postgres() as database:
        app = prepared(database, asked.transfers // MEMBERS)
        rows = []
        for number in range(asked.rounds + 1):
            row = [
                milliseconds(app, look, others)
                for look in (open_page, look_back)
                for others in (MEMBERS, 0)
            ]
            # The first round fills the caches.
            if number:
                rows.append(row)
        district.close(app)
    heads = ["page, short ms", "page, long ms", "then, short ms", "then, long ms"]
    print_rounds(f"statements of a page, {asked.transfers:,} transfers", heads, rows)
    middle = [median(column) for column in zip(*rows, strict=True)]
    goals = [
        Goal("passbook page, ms in the database", middle[1], 2, is_least=False),
        Goal("balance at a moment, ms in the database", middle[3], 2, is_least=False),
        Goal("passbook page, long / short past", middle[1] / middle[0], 1.5, is_least=False),
        Goal("balance at, long / short past", middle[3] / middle[2], 1.5, is_least=False),
    ]
    finish("passbook", goals, {"postgresql": rows, "transfers": asked.transfers})


if __name__ == "__main__":
    main()
