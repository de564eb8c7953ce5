"""A contest: four schedulers on one database, whose leader is killed again and again.

python -m proving.schedulers.contest --engine postgresql --kills 10 --seed 1
"""

import argparse
import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event, text

from proving.model import clean_database
from proving.progress import Progress
from proving.schedulers.contender import LEASE_SECONDS, Role, contend
from proving.schedulers.probe import STEPS, TABLES, Probe
from tests.databases import ENGINES

CONTENDERS = 4
KILLS = 50
# Rounds of the long form: a database each.
KILLS_A_ROUND = 10
PATIENCE_SECONDS = 60
STOP_SECONDS = 15
LOOK_SECONDS = 0.02
# A leader is killed so long after it began to work, at most.
KILLED_AFTER_SECONDS = 0.6
SHOWN_MAX = 3


@dataclass(frozen=True)
class Outcome:
    """What a contest left: how many periods came, and which of them not exactly once."""

    engine: str
    seed: str
    weakened: str
    kills: int
    leaders: int
    periods: int
    doubled: list[str]
    lost: list[str]


class Contest:
    """Contenders in processes of their own on one database, and what they leave in it."""

    def __init__(
        self, url: str, probe: Probe, job: str = "periodic", weakened: str = ""
    ) -> None:
        self.role = Role(url, probe, job, weakened)
        self._engine = create_engine(url)
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _be_patient)
        with self._engine.begin() as connection:
            connection.execute(text(TABLES[self._engine.dialect.name]))
        self._processes: list[Any] = []
        self._spawn = multiprocessing.get_context("forkserver")
        self._spawn.set_forkserver_preload(["proving.schedulers.contender"])
        self.leaders: set[int] = set()

    def add(self) -> int:
        """Start one more contender and return its process's number."""
        process = self._spawn.Process(target=contend, args=(self.role,), daemon=True)
        process.start()
        self._processes.append(process)
        return process.pid

    def read(self, statement: str, **values: Any) -> list[Any]:
        """Return what a statement reads."""
        with self._engine.connect() as connection:
            return list(connection.execute(text(statement), values).all())

    def leader(self) -> int | None:
        """Return the process that the lease names, None when it has run out or died."""
        for (holder,) in self.read("SELECT holder FROM job_lease"):
            pid = int(holder.split(":")[1])
            if any(each.pid == pid and each.is_alive() for each in self._processes):
                self.leaders.add(pid)
                return pid
        return None

    def effects_of(self, pid: int) -> int:
        """Return how many effects a process has left."""
        (row,) = self.read("SELECT COUNT(*) FROM probe_effect WHERE pid = :pid", pid=pid)
        return row[0]

    def kill_leader(self, dice: random.Random) -> None:
        """Wait until somebody leads and has worked, then kill -9 it at some moment."""
        pid = until(lambda: self._at_work(), "nobody leads")
        time.sleep(dice.uniform(0, KILLED_AFTER_SECONDS))
        self.kill(pid)

    def _at_work(self) -> int | None:
        pid = self.leader()
        return pid if pid is not None and self.effects_of(pid) else None

    def kill(self, pid: int) -> None:
        """Kill a contender at once."""
        os.kill(pid, signal.SIGKILL)
        for process in self._processes:
            if process.pid == pid:
                process.join(STOP_SECONDS)

    def wait_for(self, periods: int) -> None:
        """Wait until so many periods are kept as done, for as long as more and more are."""
        done = 0
        while done < periods:
            done = until(partial(self._done_beyond, done, periods), "periods are left undone")

    def _done_beyond(self, before: int, periods: int) -> int | None:
        (row,) = self.read(
            "SELECT COUNT(*) FROM job_run WHERE state = 'done' AND period < :until",
            until=f"{periods:06}",
        )
        return row[0] if row[0] > before else None

    def oldest_work(self) -> Any:
        """Return when the oldest transaction began; None on SQLite, or where none is open."""
        if self._engine.dialect.name == "sqlite":
            return None
        (row,) = self.read(
            "SELECT MIN(xact_start) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return row[0]

    def stop(self) -> None:
        """Tell all to stop, and kill who does not."""
        for process in self._processes:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGCONT)
            process.terminate()
        for process in self._processes:
            process.join(STOP_SECONDS)
            if process.is_alive():
                process.kill()
        self._engine.dispose()

    def wrong(self, periods: int, steps: int) -> tuple[list[str], list[str]]:
        """Return which of the first so many periods have effects twice, and which lack some."""
        found = Counter(
            (row.period, row.step) for row in self.read("SELECT period, step FROM probe_effect")
        )
        expected = [(f"{n:06}", step) for n in range(periods) for step in range(steps)]
        beyond = [each for each in found if each[1] >= steps]
        doubled = [f"{p}/{s}" for (p, s), count in found.items() if count > 1]
        lost = [f"{p}/{s}" for p, s in expected if (p, s) not in found]
        return sorted(doubled + [f"{p}/{s}" for p, s in beyond]), lost


def _be_patient(connection: Any, _record: Any) -> None:
    connection.execute(f"PRAGMA busy_timeout = {PATIENCE_SECONDS * 1000}")


def until(look: Callable[[], Any], otherwise: str) -> Any:
    """Return what a look finds as soon as it finds something.

    Raises TimeoutError, saying otherwise.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(otherwise)
        time.sleep(LOOK_SECONDS)


@contextmanager
def contest(
    url: str, *, job: str = "periodic", weakened: str = "", stall: Path | None = None
) -> Iterator[Contest]:
    """Give a contest that has begun, with all its contenders; none is left behind."""
    probe = Probe(time.time(), str(stall or ""))
    held = Contest(url, probe, job, weakened)
    try:
        for _ in range(CONTENDERS):
            held.add()
        yield held
    finally:
        held.stop()


def kill_leaders(url: str, engine: str, seed: str, kills: int, weakened: str = "") -> Outcome:
    """Kill so many leaders at moments that the seed draws; return what is left.

    Every period that came until the last kill is waited for; without a lease there is nobody
    to kill, and all run until something is done twice.
    """
    dice = random.Random(seed)
    with contest(url, weakened=weakened) as held:
        for _ in range(kills):
            if "no lease" in weakened:
                # On a slow machine one may run alone for seconds before the others begin.
                with suppress(TimeoutError):
                    until(lambda: held.wrong(0, STEPS)[0], "nothing is done twice")
            else:
                held.kill_leader(dice)
                held.add()
        periods = held.role.probe.periods_until(time.time())
        held.wait_for(periods)
        held.stop()
        doubled, lost = held.wrong(periods, STEPS)
        return Outcome(engine, seed, weakened, kills, len(held.leaders), periods, doubled, lost)


def stall_leader(url: str, stall: Path, weakened: str = "") -> tuple[list[str], list[str]]:
    """Stop a leader in the middle of a step for longer than its lease, then let it go on.

    Return which periods were done twice, and which not at all, when all is quiet.
    """
    with contest(url, job="newest", weakened=weakened, stall=stall) as held:
        until(lambda: held.leader(), "nobody leads")
        stall.touch()
        until(lambda: not stall.exists(), "nobody stalls")
        stopped = until(lambda: _stopped(held), "nobody stands still")
        before = len(held.read("SELECT 1 FROM probe_effect"))
        time.sleep(2 * LEASE_SECONDS)
        _others_worked(held, before)
        stalled = held.oldest_work()
        os.kill(stopped, signal.SIGCONT)
        time.sleep(LEASE_SECONDS)
        # Told to stop before it is through with its step, it would undo it for that reason.
        until(lambda: held.oldest_work() is None or held.oldest_work() != stalled, "it stalls")
        periods = held.role.probe.periods_until(time.time())
        until(lambda: held.wrong(periods, 1)[1] == [], "periods are left undone")
        held.stop()
        return held.wrong(periods, 1)


def _others_worked(held: Contest, before: int) -> None:
    """Wait until another works where it can: on SQLite the one that stands holds the file."""
    if not held.role.database_url.startswith("sqlite"):
        until(
            lambda: len(held.read("SELECT 1 FROM probe_effect")) > before, "nobody takes over"
        )


def _stopped(held: Contest) -> int | None:
    for process in held._processes:
        if process.is_alive() and state_of(process.pid) == "T":
            return int(process.pid)
    return None


def state_of(pid: int) -> str:
    """Return a process's state as the kernel writes it: R, S, T for one that was stopped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


CONTROLS = (
    ("no lease, row after the effect", "doubled", 2),
    ("row after the effect", "doubled", 6),
    ("row before the effect", "lost", 6),
)


def run_contests(
    engine: str,
    wanted: int,
    progress: Progress,
    tell: Callable[[str], None],
    is_over: Callable[[], bool],
) -> None:
    """Show by controls that doubles and losses would be seen; then kill so many in all."""
    for weakened, finds, kills in CONTROLS[len(progress["controls"]) :]:
        with clean_database(engine) as url:
            outcome = kill_leaders(
                url, engine, f"{progress['seed']}:{weakened}", kills, weakened
            )
        found = {"must find": finds, "is_found": bool(asdict(outcome)[finds])}
        progress["controls"] = [*progress["controls"], asdict(outcome) | found]
        progress.save()
        tell(told(outcome))
    while (done := sum(each["kills"] for each in progress["rounds"])) < wanted:
        if is_over():
            return
        seed = f"{progress['seed']}:{engine}:{len(progress['rounds'])}"
        with clean_database(engine) as url:
            outcome = kill_leaders(url, engine, seed, min(KILLS_A_ROUND, wanted - done))
        progress["rounds"] = [*progress["rounds"], asdict(outcome)]
        progress.save()
        tell(told(outcome))


def told(outcome: Outcome) -> str:
    """Return what a contest has shown, in a line."""
    without = f" {outcome.weakened}:" if outcome.weakened else ""
    return (
        f"schedulers on {outcome.engine}:{without} {outcome.kills} leaders killed,"
        f" {outcome.leaders} led, {outcome.periods} periods of {STEPS} steps,"
        f" {len(outcome.doubled)} doubled {outcome.doubled[:SHOWN_MAX]},"
        f" {len(outcome.lost)} lost {outcome.lost[:SHOWN_MAX]}, seed {outcome.seed}"
    )


def main() -> None:
    """Hold one contest and tell what it shows."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--engine", choices=ENGINES, required=True)
    words.add_argument("--kills", type=int, default=5)
    words.add_argument("--seed", default="0")
    words.add_argument("--without", default="", choices=["", *(each[0] for each in CONTROLS)])
    asked = words.parse_args()
    began = time.monotonic()
    with clean_database(asked.engine) as url:
        print(told(kill_leaders(url, asked.engine, asked.seed, asked.kills, asked.without)))
    print(f"{time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    main()
