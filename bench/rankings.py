"""The roll-up and the rankings of a year: a million members, ten million entries.

    python -m bench.rankings [--members 1000000] [--entries 10000000] [--rounds 3]

The full roll-up stands beside a bare GROUP BY of the same rows; increments of three sizes
beside each other; one of the same size beside a history ten times as long. Looking ranks up is
what the database itself spends, planning and running (pg_stat_statements). Goals:
docs/performance.md.
"""

import argparse
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import Flask
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from bench import district, standings
from bench.passbook import COUNTING, SPENT
from bench.report import Goal, finish, print_rounds, say
from bench.servers import Postgres, postgres
from pointsbank.core.calendar import read_period
from pointsbank.core.db import reading, transaction
from pointsbank.rankings.models import RollUp
from pointsbank.rankings.queries import (
    Scope,
    member_ranked,
    ranked_branches,
    ranked_members,
    scope_of,
)
from pointsbank.rankings.rolling_up import roll_up_step

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 21, 4, tzinfo=UTC)
YEAR = read_period(standings.YEAR)
DISTRICT, COMMUNITY = "/1/", "/1/3/101/"
INCREMENTS = (1_000, 10_000, 100_000)
MIDDLE = 1
HISTORY = 10
LOOKS = 50
SEED = 20261122
BARE = """
    SELECT COUNT(*) FROM (
        SELECT member_id, category, SUM(evaluation_hundredths), SUM(points),
               SUM(service_minutes), COUNT(*)
        FROM score_entry
        WHERE earned_on >= :first_on AND earned_on < :end_on
        GROUP BY member_id, category) AS sums
"""
SETTINGS = {**COUNTING, "shared_buffers": "512MB", "work_mem": "64MB", "max_wal_size": "4GB"}


def prepared(database: Postgres, name: str, members: int, entries: int, old: int) -> Flask:
    """Return the application on a district with so many entries of this year and before."""
    url = database.server.create_database(name)
    with database.server.connect(name) as connection:
        connection.execute("CREATE EXTENSION pg_stat_statements")
    app = district.migrated(url)
    began = time.monotonic()
    with database.server.connect(name) as connection:
        standings.write_district(connection, members)
        if old:
            standings.write_entries(connection, members=members, count=old, seed=1, is_old=True)
        standings.write_entries(connection, members=members, count=entries, seed=2)
    vacuum(database, name)
    say(
        f"  {name}: {members:,} members, {entries:,} entries of the year, {old:,} before,"
        f" in {time.monotonic() - began:.0f} s"
    )
    return app


def vacuum(database: Postgres, name: str) -> None:
    """Let the planner know the tables, as autovacuum would within minutes."""
    with database.server.connect(name) as connection:
        connection.execute("VACUUM ANALYZE")


def seconds(act: Callable[[], object]) -> float:
    """Return what an act takes."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def roll(app: Flask) -> None:
    """Bring the year up to date, step by step as the job does."""
    is_last = False
    while not is_last:
        with app.app_context(), transaction() as session:
            is_last = roll_up_step(session, period=YEAR, zone=ZONE, now=NOW).is_last


def bare(app: Flask) -> float:
    """Return the seconds of the bare GROUP BY."""
    with app.app_context(), reading() as session:
        values = {"first_on": YEAR.first_on, "end_on": YEAR.end_on}
        return seconds(lambda: session.execute(text(BARE), values).scalar_one())


def full(app: Flask) -> float:
    """Return the seconds of making the whole year anew."""
    with app.app_context(), transaction() as session:
        session.execute(update(RollUp).values(is_doubted=True))
    return seconds(lambda: roll(app))


def increment(app: Flask, database: Postgres, name: str, count: int, seed: int) -> float:
    """Return the seconds of rolling so many new entries up."""
    with database.server.connect(name) as connection:
        found = connection.execute("SELECT COUNT(*) FROM member").fetchone()
        members = int(found[0]) if found else 0
        standings.write_entries(connection, members=members, count=count, seed=seed)
    return seconds(lambda: roll(app))


def look_ups(chance: random.Random, members: int) -> dict[str, Callable[[Session], object]]:
    """Return what people look up, by its name; each returns what it found."""

    def scope(session: Session, path: str, measure: str = "evaluation") -> Scope:
        return scope_of(session, period=YEAR.name, paths=(path,), measure=measure)

    def my_rank(session: Session, measure: str = "evaluation") -> object:
        who = chance.randint(1, members)
        return member_ranked(session, scope(session, DISTRICT, measure), who)

    return {
        "my rank in the district": my_rank,
        "my rank by points": lambda session: my_rank(session, "points"),
        "top 50 of the district": lambda s: ranked_members(s, scope(s, DISTRICT)),
        "top 50 of a community": lambda s: ranked_members(s, scope(s, COMMUNITY)),
        "branches of a community": lambda s: ranked_branches(
            s,
            scope=scope(s, COMMUNITY),
            paths=(COMMUNITY,),
        ),
    }


def milliseconds(app: Flask, look: Callable[[Session], object]) -> float:
    """Return what the database spends on one look, the mean of many.

    Raises LookupError where a look finds nothing, which would cost next to nothing.
    """
    with app.app_context(), reading() as session:
        if not look(session):
            raise LookupError("nothing to be seen")
        session.execute(text("SELECT pg_stat_statements_reset()"))
        for _ in range(LOOKS):
            look(session)
        return float(session.execute(SPENT).scalar_one()) / LOOKS


def rolled(
    app: Flask, database: Postgres, rounds: int
) -> tuple[list[list[float]], list[list[float]]]:
    """Return rounds of the bare and the full way, and of the increments."""
    whole = [[bare(app), full(app)] for _ in range(rounds)]
    vacuum(database, "whole")
    steps = [
        [
            increment(app, database, "whole", count, 100 + 10 * each + place)
            for place, count in enumerate(INCREMENTS)
        ]
        for each in range(rounds)
    ]
    return whole, steps


def histories(database: Postgres, members: int, entries: int, rounds: int) -> list[list[float]]:
    """Return rounds of one increment after a short past, and after one ten times as long."""
    apps = {
        "short": prepared(database, "short", members, entries, 0),
        "long": prepared(database, "long", members, entries, (HISTORY - 1) * entries),
    }
    for app in apps.values():
        roll(app)
    for name in apps:
        vacuum(database, name)
    count = INCREMENTS[MIDDLE]
    return [
        [increment(app, database, name, count, 100 + each) for name, app in apps.items()]
        for each in range(rounds)
    ]


def main() -> None:
    """Measure, and report."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--members", type=int, default=1_000_000)
    words.add_argument("--entries", type=int, default=10_000_000)
    words.add_argument("--rounds", type=int, default=3)
    asked = words.parse_args()
    chance = random.Random(SEED)
    with postgres(SETTINGS) as database:
        app = prepared(database, "whole", asked.members, asked.entries, 0)
        roll(app)
        whole, steps = rolled(app, database, asked.rounds)
        vacuum(database, "whole")
        looks = {
            name: milliseconds(app, look)
            for name, look in look_ups(chance, asked.members).items()
        }
        tenth = asked.members // HISTORY, asked.entries // HISTORY
        past = histories(database, *tenth, asked.rounds)
    print_rounds("the whole year, s", ["bare GROUP BY", "full"], whole)
    print_rounds("increments, s", [f"{count:,}" for count in INCREMENTS], steps)
    print_rounds("10,000 new entries, s", ["short past", "10 x as long"], past)
    print_rounds("looking up, ms", list(looks), [list(looks.values())])
    goals = goals_of(whole, steps, past, looks)
    details = {"whole": whole, "increments": steps, "pasts": past, "looks": looks}
    finish("rankings", goals, {**details, "members": asked.members, "entries": asked.entries})


def goals_of(
    whole: list[list[float]],
    steps: list[list[float]],
    past: list[list[float]],
    looks: dict[str, float],
) -> list[Goal]:
    """Judge the medians."""
    bare_s, full_s = middles(whole)
    small, middle, large = middles(steps)
    short, long = middles(past)
    ceilings = {
        "full / bare GROUP BY": (full_s / bare_s, 1.5),
        "10,000 new entries / full": (middle / full_s, 0.05),
        "10,000 / 1,000 new entries": (middle / small, 11),
        "100,000 / 10,000 new entries": (large / middle, 11),
        "10 x the past, same increment": (long / short, 1.2),
        **{
            f"{name}, ms": (value, 1) for name, value in looks.items() if "branches" not in name
        },
    }
    return [
        Goal(name, value, wanted, is_least=False) for name, (value, wanted) in ceilings.items()
    ]


def middles(rows: list[list[float]]) -> list[float]:
    """Return the median of each column."""
    return [sorted(column)[len(column) // 2] for column in zip(*rows, strict=True)]


if __name__ == "__main__":
    main()
