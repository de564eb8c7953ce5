"""Check-in over HTTP with everything real, against pgbench -N run right beside it.

    python -m bench.check_in [--rounds 5] [--seconds 5] [--engine postgresql|sqlite|both]

Each member scans the venue code once a shift with a session of their own: session look-up, MAC,
judging, scan row, attendance. Goals: docs/performance.md.
"""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from statistics import median

from sqlalchemy import func, select

from bench import district
from bench.load import Result, request_bytes, run_load
from bench.report import Goal, Measured, measure, print_rounds, say, sqlite_rows
from bench.servers import SECRET_KEY, Service, postgres, service, sqlite_file
from pointsbank.attendance.codes import slot_at, venue_text
from pointsbank.attendance.models import Attendance
from pointsbank.core.db import transaction

CONNECTIONS = 16
PACE_PER_SECOND = 50
# A big event of a community; a shift of hundreds is counted anew with each arrival.
SHIFT_SIZE = 100
SHIFTS_EACH = 40


class Crowd:
    """Check-ins that have not happened yet, one after the other over members and shifts."""

    def __init__(self, database_url: str) -> None:
        """Make the people and their claims."""
        self.app = district.migrated(database_url)
        with self.app.app_context(), transaction() as session:
            community = district.a_community(session)
            self.people = district.signed_in_people(session, community, district.MEMBERS, "1")
            people = list(zip(self.people.ids, self.people.tokens, strict=True))
            crews = [
                people[first : first + SHIFT_SIZE]
                for first in range(0, len(people), SHIFT_SIZE)
            ]
            shifts = [
                district.claimed_shifts(
                    session, community, people[0][0], [who for who, _ in crew], SHIFTS_EACH
                )
                for crew in crews
            ]
        district.close(self.app)
        # All crews at work at once: their people arrive in turn, as doors of many events do.
        self.arrivals = (
            (shifts[number][turn], crews[number][place][1])
            for turn in range(SHIFTS_EACH)
            for place in range(SHIFT_SIZE)
            for number in range(len(crews))
        )

    def requests(self) -> Iterator[bytes]:
        """Give each check-in with the code the venue shows at that moment."""
        codes: dict[tuple[bytes, int], str] = {}
        for (_shift_id, handle), token in self.arrivals:
            now = datetime.now(UTC)
            shown = (handle, slot_at(now))
            if shown not in codes:
                codes[shown] = venue_text(SECRET_KEY, *shown, "in")
            body = {"nonce": str(uuid.uuid4()), "code": codes[shown], "direction": "in"}
            yield request_bytes("/api/v1/scans", token, json.dumps(body).encode())

    def attended(self) -> int:
        """Count the attendances that stand in the database."""
        with self.app.app_context(), transaction() as session:
            return session.scalar(select(func.count()).select_from(Attendance)) or 0


def is_checked_in(status: int, body: bytes) -> bool:
    """Tell a check-in from every other answer."""
    return status == 200 and b'"ok_in"' in body


def burst(crowd: Crowd, serving: Service, seconds: float) -> Result:
    """Check in as fast as the connections allow."""
    return run_load(
        serving.port,
        crowd.requests(),
        connections=CONNECTIONS,
        seconds=seconds,
        is_right=is_checked_in,
    )


def demand_all_right(crowd: Crowd, results: list[Result]) -> None:
    """Stop unless each answer was a check-in, and each check-in stands in the database."""
    wrong = [body for result in results for body in result.bodies_wrong]
    if wrong:
        raise SystemExit(f"wrong answers, such as {wrong[0]!r}")
    answered = sum(result.answered for result in results)
    if crowd.attended() != answered:
        raise SystemExit(f"{answered} check-ins answered, {crowd.attended()} stored")


def on_postgresql(rounds: int, seconds: float) -> Measured:
    """Measure beside pgbench, interleaved, and then the latency at a steady pace."""
    with postgres() as database:
        crowd = Crowd(database.server.create_database("pointsbank"))
        with service(database.server.url_of("pointsbank")) as serving:
            results = [burst(crowd, serving, 2)]
            rows = []
            for _ in range(rounds):
                rate, cpu_each = database.pgbench(seconds)
                before = serving.cpu(), database.cpu()
                result = burst(crowd, serving, seconds)
                app_each = (serving.cpu() - before[0]) / result.answered
                database_each = (database.cpu() - before[1]) / result.answered
                results.append(result)
                rows.append(
                    [
                        rate,
                        result.per_second,
                        result.per_second / rate,
                        cpu_each * 1e3,
                        app_each * 1e3,
                        database_each * 1e3,
                        (app_each + database_each) / cpu_each,
                        result.percentile(0.99) * 1e3,
                    ]
                )
            paced = run_load(
                serving.port,
                crowd.requests(),
                connections=CONNECTIONS,
                seconds=20,
                is_right=is_checked_in,
                per_second=PACE_PER_SECOND,
            )
            results.append(paced)
        demand_all_right(crowd, results)
    heads = ["pgbench -N/s", "check-ins/s", "ratio", "pgbench ms CPU"]
    heads += ["app ms CPU", "db ms CPU", "CPU ratio", "p99 ms"]
    print_rounds("check-in on PostgreSQL, 16 connections", heads, rows)
    say(f"  at {PACE_PER_SECOND}/s: p50 {paced.percentile(0.5) * 1e3:.1f} ms, ")
    say(f"  p99 {paced.percentile(0.99) * 1e3:.1f} ms over {paced.answered} check-ins")
    goals = [
        Goal("check-in / pgbench -N", median(row[2] for row in rows), 0.35),
        Goal(
            "check-in CPU / pgbench -N CPU", median(row[6] for row in rows), 3.5, is_least=False
        ),
        Goal(
            f"p99 ms at {PACE_PER_SECOND}/s", paced.percentile(0.99) * 1e3, 100, is_least=False
        ),
    ]
    return goals, rows


def on_sqlite(rounds: int, seconds: float) -> Measured:
    """Measure two workers on one SQLite file; nobody may starve."""
    with sqlite_file() as url:
        crowd = Crowd(url)
        with service(url) as serving:
            burst_first = burst(crowd, serving, 2)
            results = [burst(crowd, serving, seconds) for _ in range(rounds)]
        demand_all_right(crowd, [burst_first, *results])
    return sqlite_rows("check-in on SQLite, two workers, 16 connections", "check-ins", results)


if __name__ == "__main__":
    measure("check_in", __doc__, {"postgresql": on_postgresql, "sqlite": on_sqlite})
