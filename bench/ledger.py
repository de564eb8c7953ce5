"""Postings through the ledger service, without HTTP, against pgbench's TPC-B-like beside it.

    python -m bench.ledger [--rounds 5] [--seconds 4] [--engine postgresql|sqlite|both]

Eight clients spend members' points, at many merchants and at one hot merchant: one posting a
transaction, and fifty a transaction as a settlement writes them. On SQLite eight writers share
one file; how even their turns are is shown. Goals: docs/performance.md.
"""

import itertools
import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from statistics import median

from bench import district
from bench.report import Goal, Measured, measure, print_rounds
from bench.servers import Postgres, postgres, sqlite_file
from pointsbank.core.db import run, transaction
from pointsbank.ledger.batching import post_many
from pointsbank.ledger.posting import Posting
from pointsbank.ledger.service import open_account, post
from pointsbank.ledger.verifying import offenders

CLIENTS = 8
MERCHANTS = 200
MEMBERS = 10_000
BATCH = 50
# Enough for each member to be drawn thousands of times.
POINTS_EACH = 90_000


def prepare(database_url: str) -> None:
    """Make members with points, and merchants."""
    app = district.migrated(database_url)
    with app.app_context():
        with transaction() as session:
            community = district.a_community(session)
            people = district.signed_in_people(session, community, MEMBERS, "1")
            for number in range(MERCHANTS):
                open_account(session, code=f"merchant:{number}", kind="merchant")
        for first in range(0, MEMBERS, district.CHUNK):
            with transaction() as session:
                district.rich_members(
                    session, people.ids[first : first + district.CHUNK], POINTS_EACH
                )
    district.close(app)


def spendings(client: int, merchants: int) -> Iterator[Posting]:
    """Give spendings of one client's own share of the members, each member in turn."""
    nonce = f"{os.getpid()}-{time.monotonic_ns()}"
    members = itertools.cycle(range(1 + client, MEMBERS + 1, CLIENTS))
    for number, member in enumerate(members):
        wallet = f"member:{member}"
        yield Posting(
            key=f"bench:{nonce}:{number}",
            kind="spend",
            source=wallet,
            target=f"merchant:{(number * CLIENTS + client) % merchants}",
            wallet=wallet,
            points=1,
            occurred_at=datetime.now(UTC),
            reason="大米 1 袋",
            actor_id=1,
        )


def spend(database_url: str, client: int, merchants: int, seconds: float, batch: int) -> int:
    """Post until the time is over; return how many postings were committed."""
    app = district.connected(database_url)
    waiting = spendings(client, merchants)
    posted = 0
    with app.app_context():
        # The first opens the connection and prepares the statements.
        run(lambda session: post(session, next(waiting), datetime.now(UTC)))
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            postings = list(itertools.islice(waiting, batch))
            write(postings)
            posted += len(postings)
    district.close(app)
    return posted


def write(postings: Sequence[Posting]) -> None:
    """Post one or many in one transaction."""
    now = datetime.now(UTC)
    if len(postings) == 1:
        run(lambda session: post(session, postings[0], now))
    else:
        run(lambda session: post_many(session, postings, now))


def burst(database_url: str, merchants: int, seconds: float, batch: int = 1) -> list[int]:
    """Let all clients post at once; return how many each committed."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(CLIENTS) as pool:
        return pool.starmap(
            spend, [(database_url, n, merchants, seconds, batch) for n in range(CLIENTS)]
        )


def demand_all_right(database_url: str) -> None:
    """Stop unless the ledger is in order."""
    app = district.connected(database_url)
    with app.app_context(), transaction() as session:
        found = offenders(session)
    district.close(app)
    if found:
        raise SystemExit(f"the ledger is wrong: {found}")


def one_round(database: Postgres, url: str, seconds: float) -> list[float]:
    """Measure pgbench and the four ways of posting, one after the other."""
    baseline, baseline_cpu = database.pgbench(seconds, "tpcb-like")
    row = [baseline]
    for batch in (1, BATCH):
        before = database.cpu()
        many = sum(burst(url, MERCHANTS, seconds, batch)) / seconds
        cpu_each = (database.cpu() - before) / (many * seconds)
        hot = sum(burst(url, 1, seconds, batch)) / seconds
        row += [many, hot, many / baseline, hot / baseline, cpu_each / baseline_cpu]
    return row


def on_postgresql(rounds: int, seconds: float) -> Measured:
    """Measure beside pgbench, interleaved."""
    with postgres() as database:
        url = database.server.create_database("pointsbank")
        prepare(url)
        # pgbench does the same with its own tables.
        with database.server.connect("pointsbank") as connection:
            connection.execute("VACUUM ANALYZE")
        rows = [one_round(database, url, seconds) for _ in range(rounds)]
        demand_all_right(url)
    heads = ["TPC-B/s"]
    for kind in ("one", f"{BATCH}"):
        heads += [f"many x{kind}", f"hot x{kind}", "many ratio", "hot ratio", "db CPU ratio"]
    print_rounds("postings on PostgreSQL, 8 clients", heads, rows)
    middle = [median(column) for column in zip(*rows, strict=True)]
    goals = [
        Goal("one a transaction, many accounts / TPC-B-like", middle[3], 1.2),
        Goal("one a transaction, one hot merchant / TPC-B-like", middle[4], 1.4),
        Goal("fifty a transaction, many accounts / TPC-B-like", middle[8], 1.2),
        Goal("fifty a transaction, one hot merchant / TPC-B-like", middle[9], 1.4),
        Goal("one hot merchant / many accounts", middle[2] / middle[1], 0.9),
    ]
    return goals, rows


def on_sqlite(rounds: int, seconds: float) -> Measured:
    """Measure eight writers on one file, and how even their turns are."""
    rows = []
    with sqlite_file() as url:
        prepare(url)
        for _ in range(rounds):
            each = burst(url, MERCHANTS, seconds)
            rows.append([sum(each) / seconds, min(each), max(each), min(each) / max(each)])
        demand_all_right(url)
    print_rounds(
        "postings on SQLite, 8 writers",
        ["postings/s", "fewest", "most", "fewest / most"],
        rows,
    )
    goals = [Goal("SQLite fewest / most a writer", median(row[3] for row in rows), 0.5)]
    return goals, rows


if __name__ == "__main__":
    measure("ledger", __doc__, {"postgresql": on_postgresql, "sqlite": on_sqlite})
