"""Redemption over HTTP, with code, stock, limit and ledger, against pgbench -N beside it.

    python -m bench.redeem [--rounds 5] [--seconds 4] [--engine postgresql|sqlite|both]

Every redemption uses a code drawn by the real service for a member of its own. Goals:
docs/performance.md.
"""

import itertools
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from statistics import median

from sqlalchemy import func, select, update

from bench import district
from bench.load import Result, request_bytes, run_load
from bench.report import Goal, Measured, measure, print_rounds, sqlite_rows
from bench.servers import SECRET_KEY, Service, postgres, service, sqlite_file
from pointsbank.core.db import transaction
from pointsbank.core.keys import draw_number
from pointsbank.ledger.verifying import offenders
from pointsbank.members.codes import redemption_text
from pointsbank.members.models import RedemptionCode
from pointsbank.members.showing import draw_redemption_code
from pointsbank.rewards.models import Redemption

CONNECTIONS = 16
MERCHANTS = 40


class Counters:
    """Merchants with their clerks, and members who can afford what is offered."""

    def __init__(self, database_url: str) -> None:
        """Make everyone and everything."""
        self.app = district.migrated(database_url)
        with self.app.app_context(), transaction() as session:
            community = district.a_community(session)
            self.buyers = district.signed_in_people(session, community, district.MEMBERS, "1")
            self.clerks = district.signed_in_people(session, community, MERCHANTS, "2")
            self.merchants = district.merchants_with_rewards(session, MERCHANTS)
            for clerk_id, (merchant_id, _) in zip(self.clerks.ids, self.merchants, strict=True):
                district.give_role(session, clerk_id, "clerk", merchant_id=merchant_id)
        for first in range(0, len(self.buyers.ids), district.CHUNK):
            with self.app.app_context(), transaction() as session:
                district.rich_members(
                    session, self.buyers.ids[first : first + district.CHUNK], 10_000
                )

    def draw_codes(self) -> list[str]:
        """Let every buyer show a new code, good for as long as the measurement lasts."""
        codes = []
        now = datetime.now(UTC)
        with self.app.app_context(), transaction() as session:
            for buyer in self.buyers.ids:
                number = draw_number(15)
                draw_redemption_code(
                    session, member_id=buyer, number=number, secret=SECRET_KEY, now=now
                )
                codes.append(redemption_text(SECRET_KEY, number))
            # A minute is for people; the burst is only as long as a round, but rounds wait for
            # pgbench.
            session.execute(
                update(RedemptionCode)
                .where(RedemptionCode.state == "fresh")
                .values(expires_at=now + timedelta(days=1))
            )
        district.close(self.app)
        return codes

    def requests(self, codes: list[str], counters: int) -> Iterator[bytes]:
        """Give each redemption, spread over so many counters."""
        turns = itertools.cycle(range(counters))
        for code, turn in zip(codes, turns, strict=False):
            merchant_id, reward_id = self.merchants[turn]
            body = {
                "merchant_id": merchant_id,
                "reward_id": reward_id,
                "quantity": 1,
                "code": code,
            }
            yield request_bytes(
                "/api/v1/redemptions",
                self.clerks.tokens[turn],
                json.dumps(body).encode(),
                Idempotency_Key=str(uuid.uuid4()),
            )

    def demand_all_right(self, results: list[Result]) -> None:
        """Stop unless each answer was a redemption that stands once, and the ledger is in
        order.
        """
        wrong = [body for result in results for body in result.bodies_wrong]
        if wrong:
            raise SystemExit(f"wrong answers, such as {wrong[0]!r}")
        with self.app.app_context(), transaction() as session:
            stored = session.scalar(select(func.count()).select_from(Redemption))
            found = offenders(session)
        answered = sum(result.answered for result in results)
        if stored != answered or found:
            raise SystemExit(f"{answered} answered, {stored} stored, offenders {found}")


def is_redeemed(status: int, body: bytes) -> bool:
    """Tell a redemption from every other answer."""
    return status == 201 and b'"completed"' in body


def burst(counters: Counters, serving: Service, seconds: float, spread: int) -> Result:
    """Redeem as fast as the connections allow at so many merchants."""
    return run_load(
        serving.port,
        counters.requests(counters.draw_codes(), spread),
        connections=CONNECTIONS,
        seconds=seconds,
        is_right=is_redeemed,
    )


def on_postgresql(rounds: int, seconds: float) -> Measured:
    """Measure many merchants and one hot merchant beside pgbench, interleaved."""
    with postgres() as database:
        counters = Counters(database.server.create_database("pointsbank"))
        with service(database.server.url_of("pointsbank")) as serving:
            results = [burst(counters, serving, 2, MERCHANTS)]
            rows = []
            for _ in range(rounds):
                rate, cpu_each = database.pgbench(seconds)
                codes = counters.draw_codes()
                before = serving.cpu(), database.cpu()
                many = run_load(
                    serving.port,
                    counters.requests(codes, MERCHANTS),
                    connections=CONNECTIONS,
                    seconds=seconds,
                    is_right=is_redeemed,
                )
                app_each = (serving.cpu() - before[0]) / many.answered
                database_each = (database.cpu() - before[1]) / many.answered
                hot = burst(counters, serving, seconds, 1)
                results += [many, hot]
                rows.append(
                    [
                        rate,
                        many.per_second,
                        many.per_second / rate,
                        hot.per_second / many.per_second,
                        app_each * 1e3,
                        database_each * 1e3,
                        (app_each + database_each) / cpu_each,
                        many.percentile(0.99) * 1e3,
                    ]
                )
        counters.demand_all_right(results)
    heads = ["pgbench -N/s", "redemptions/s", "ratio", "hot / many"]
    heads += ["app ms CPU", "db ms CPU", "CPU ratio", "p99 ms"]
    print_rounds("redemption on PostgreSQL, 16 connections", heads, rows)
    goals = [
        Goal("redemption / pgbench -N", median(row[2] for row in rows), 0.25),
        Goal("one hot merchant / many merchants", median(row[3] for row in rows), 0.9),
        Goal(
            "redemption CPU / pgbench -N CPU", median(row[6] for row in rows), 5, is_least=False
        ),
    ]
    return goals, rows


def on_sqlite(rounds: int, seconds: float) -> Measured:
    """Measure two workers on one SQLite file; nobody may starve."""
    with sqlite_file() as url:
        counters = Counters(url)
        with service(url) as serving:
            first = burst(counters, serving, 2, MERCHANTS)
            results = [burst(counters, serving, seconds, MERCHANTS) for _ in range(rounds)]
        counters.demand_all_right([first, *results])
    return sqlite_rows(
        "redemption on SQLite, two workers, 16 connections", "redemptions", results
    )


if __name__ == "__main__":
    measure("redeem", __doc__, {"postgresql": on_postgresql, "sqlite": on_sqlite})
