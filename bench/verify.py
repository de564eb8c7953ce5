"""pointsbank ledger verify over five million transfers, sealed in blocks.

    python -m bench.verify [--transfers 5000000]

The command is run as an operator runs it, once over a tenth and once over all, and its memory
is the most its process and whatever it starts ever held. Goals: docs/performance.md.
"""

import argparse
import os
import subprocess
import sys
import time
from datetime import UTC, datetime

from bench import district, history
from bench.report import Goal, finish, print_rounds, say
from bench.servers import ROOT, Postgres, environment, postgres
from pointsbank.core.db import transaction
from pointsbank.core.keys import draw_bytes
from pointsbank.ledger.sealing import seal

MEMBERS = 10_000
SALT_BYTES = 32


def prepare(database: Postgres, name: str, transfers: int) -> None:
    """Write the past and seal all of it."""
    app = district.migrated(database.server.create_database(name))
    began = time.monotonic()
    history.write(database, name, members=MEMBERS, lines=transfers // MEMBERS)
    written = time.monotonic()
    sealed = 1
    with app.app_context():
        while sealed:
            with transaction() as session:
                sealed = seal(session, now=datetime.now(UTC), salt=draw_bytes(SALT_BYTES))
    district.close(app)
    say(
        f"  {transfers:,} transfers: wrote them in {written - began:.0f} s,"
        f" sealed them in {time.monotonic() - written:.0f} s"
    )


def verify(url: str) -> tuple[float, float]:
    """Run the command; return its seconds and the most megabytes it held.

    Stops unless it found the ledger right.
    """
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "pointsbank", "ledger", "verify"],
        cwd=ROOT,
        env=environment(url),
        stdout=subprocess.DEVNULL,
    )
    _pid, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit("the ledger is wrong")
    return seconds, usage.ru_maxrss / 1024


def main() -> None:
    """Measure a tenth and all, and report."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--transfers", type=int, default=5_000_000)
    words.add_argument("--rounds", type=int, default=1)
    asked = words.parse_args()
    with postgres() as database:
        prepare(database, "tenth", asked.transfers // 10)
        prepare(database, "whole", asked.transfers)
        rows = [
            [*verify(database.server.url_of("tenth")), *verify(database.server.url_of("whole"))]
            for _ in range(asked.rounds)
        ]
    print_rounds(
        f"ledger verify, {asked.transfers:,} transfers",
        ["a tenth, s", "a tenth, MB", "all, s", "all, MB"],
        rows,
    )
    last = rows[-1]
    goals = [
        Goal("verify, seconds", min(row[2] for row in rows), 60, is_least=False),
        Goal("verify, memory of all / of a tenth", last[3] / last[1], 1.2, is_least=False),
    ]
    finish("verify", goals, {"postgresql": rows, "transfers": asked.transfers})


if __name__ == "__main__":
    main()
