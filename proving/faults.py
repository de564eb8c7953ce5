"""Rounds of faults over HTTP: clients retry, things are killed, nothing told may be lost.

python -m proving.faults --engine postgresql --seed 4711:3      repeat one round
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from flask import Flask

from pointsbank.app import create_app
from pointsbank.core.db import db, transaction
from pointsbank.core.settings import ROOT
from proving.district import CLIENTS, District, a_district, settings_of
from proving.progress import Progress
from proving.reader import Reader, Readings
from proving.servers import CARELESS_SETTINGS, POSTGRES_SETTINGS, Database, Service
from proving.verdict import SHOWN_MAX, Verdict, judge
from proving.world import plain_connection
from tests.databases import ENGINES, migrate
from tests.serving import free_port
from tests.shelf import Shelf

# What is killed in one full round, by engine. Twenty rounds of each are the thousand:
# 500 workers, 200 backends, 300 servers (100 of them PostgreSQL, 200 the service).
DECKS = {
    "sqlite": {"worker": 13, "service": 7},
    "postgresql": {"worker": 12, "backend": 10, "service": 3, "postgres": 5},
}
ROUNDS = 20
PROCESSES = 2
# Between one fault and the next, after somebody was answered again.
PAUSE_SECONDS = (0.05, 0.5)
ANSWERS_BETWEEN = 25
# Where nothing was there to be killed, it is tried again.
TRIES_MAX = 50
TRY_AGAIN_SECONDS = 0.1
# Long, because machines that prove may do other things beside.
RECOVERY_SECONDS_MAX = 180
CLIENTS_END_SECONDS_MAX = 300


@dataclass(frozen=True)
class Round:
    """One round. careless: PostgreSQL answers before it writes. keyless: clients try again
    under a new key. Both are controls, which must end in losses and doubles.
    """

    engine: str
    seed: str
    faults: tuple[str, ...]
    keyless: bool = False
    careless: bool = False
    clients: int = CLIENTS
    patience_seconds: int = 60
    # The share of answers lost on the way, as when a phone leaves the network.
    lost_answers: float = 0.05
    # How many orders are answered before the first fault, and between two.
    answers_first: int = ANSWERS_BETWEEN
    answers_between: int = ANSWERS_BETWEEN


@dataclass
class Outcome:
    """What a round found; wrong, lost and doubled are empty unless something is broken."""

    engine: str
    seed: str
    seconds: float = 0.0
    faults: dict[str, int] = field(default_factory=dict)
    faults_missed: int = 0
    acknowledged: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    refusals: dict[str, int] = field(default_factory=dict)
    later: dict[str, int] = field(default_factory=dict)
    unknown_done: int = 0
    reads: int = 0
    reads_away: int = 0
    started_again: int = 0
    recovery_p50: float = 0.0
    recovery_max: float = 0.0
    # All of them; the lists hold the first.
    lost_in_all: int = 0
    doubled_in_all: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def is_right(self) -> bool:
        """Whether nothing was lost, doubled or otherwise wrong."""
        return not (self.lost or self.doubled or self.wrong)


def deck_of(engine: str, seed: str) -> tuple[str, ...]:
    """Return the faults of a full round, in the order that its seed shuffles them."""
    deck = [kind for kind, count in DECKS[engine].items() for _ in range(count)]
    random.Random(seed).shuffle(deck)
    return tuple(deck)


class Ground:
    """Where rounds take place: a folder, a PostgreSQL if need be, a template of the tables."""

    def __init__(self, engine: str, *, careless: bool = False) -> None:
        # On the disk: what is durable must be durable there, and memory may be small.
        self.shelf = Shelf(Path(tempfile.gettempdir()))
        self.shelf.folder.chmod(0o755)
        self.engine = engine
        self.database: Database | None = None
        if engine == "postgresql":
            settings = CARELESS_SETTINGS if careless else POSTGRES_SETTINGS
            self.database = Database(self.shelf.folder, settings)
            migrate(self.database.url)
        else:
            self._template = self.shelf.folder / "template.sqlite"
            migrate(f"sqlite:///{self._template}")

    def fresh(self) -> str:
        """Return the URL of a database as the migrations left it."""
        if self.database is not None:
            server = self.database.server
            return server.create_database("bank", template="pointsbank")
        for old in self.shelf.folder.glob("bank.sqlite*"):
            old.unlink()
        shutil.copyfile(self._template, self.shelf.folder / "bank.sqlite")
        return f"sqlite:///{self.shelf.folder / 'bank.sqlite'}"

    def close(self) -> None:
        """Stop the server and remove everything."""
        if self.database is not None:
            self.database.cluster.close()
        self.shelf.close()


@contextmanager
def ground(engine: str, *, careless: bool = False) -> Iterator[Ground]:
    """Give a ground that is gone afterwards."""
    made = Ground(engine, careless=careless)
    try:
        yield made
    finally:
        made.close()


def run_round(place: Ground, asked: Round) -> Outcome:
    """Serve, let clients work, kill what the deck says, and judge when all is quiet."""
    began = time.monotonic()
    outcome = Outcome(asked.engine, asked.seed)
    url = place.fresh()
    town = a_district(url, asked.clients)
    folder = Path(tempfile.mkdtemp(prefix="round-", dir=place.shelf.folder))
    service = Service(url, free_port(), place.shelf.folder)
    reader = Reader(url, town)
    reader.start()
    clients = _start_clients(folder, service, town, asked)
    try:
        _Nemesis(place, service, folder, asked, outcome).work()
    finally:
        (folder / "stop").touch()
        _wait_for(clients, outcome)
        readings = reader.stop()
        service.stop()
    outcome.started_again = service.started_again
    _take_down(outcome, readings, _judged(url, folder))
    outcome.seconds = round(time.monotonic() - began, 1)
    shutil.rmtree(folder)
    return outcome


def _start_clients(
    folder: Path, service: Service, town: District, asked: Round
) -> list[subprocess.Popen[bytes]]:
    started = []
    for number in range(PROCESSES):
        spec = {
            "seed": asked.seed,
            "port": service.port,
            "folder": str(folder),
            "keyless": asked.keyless,
            "patience_seconds": asked.patience_seconds,
            "lost_answers": asked.lost_answers,
            "clients": town.clients[number::PROCESSES],
        }
        path = folder / f"spec-{number}.json"
        path.write_text(json.dumps(spec))
        started.append(
            subprocess.Popen([sys.executable, "-m", "proving.client", str(path)], cwd=ROOT)
        )
    return started


def _wait_for(clients: list[subprocess.Popen[bytes]], outcome: Outcome) -> None:
    for process in clients:
        try:
            code = process.wait(CLIENTS_END_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        if code != 0:
            outcome.wrong.append(f"a client process ended with {code}")


class _Nemesis:
    """Kills one thing after the other, each when somebody has been answered since the last."""

    def __init__(
        self, place: Ground, service: Service, folder: Path, asked: Round, outcome: Outcome
    ) -> None:
        self._place = place
        self._service = service
        self._folder = folder
        self._asked = asked
        self._outcome = outcome
        self._dice = random.Random(f"{asked.seed}:nemesis")
        self._read: Counter[Path] = Counter()

    def work(self) -> None:
        """Commit every fault of the deck."""
        done: Counter[str] = Counter()
        recoveries = []
        self._wait_for_answers(self._asked.answers_first)
        for kind in self._asked.faults:
            time.sleep(self._dice.uniform(*PAUSE_SECONDS))
            self._answers_since()
            began = time.monotonic()
            if any(self._commit(kind) for _ in range(TRIES_MAX)):
                done[kind] += 1
            else:
                self._outcome.faults_missed += 1
            if not self._wait_for_answers(self._asked.answers_between):
                self._outcome.wrong.append(
                    f"nobody was answered for {RECOVERY_SECONDS_MAX} s after {kind}:"
                    f" {self._service.log_end()}"
                )
            recoveries.append(time.monotonic() - began)
        self._outcome.faults = dict(done)
        if recoveries:
            self._outcome.recovery_p50 = round(median(recoveries), 2)
            self._outcome.recovery_max = round(max(recoveries), 2)

    def _commit(self, kind: str) -> bool:
        """Commit one fault; False, after a moment, when there was nothing to kill."""
        is_done = self._kill(kind)
        if not is_done:
            time.sleep(TRY_AGAIN_SECONDS)
        return is_done

    def _kill(self, kind: str) -> bool:
        database = self._place.database
        if kind == "worker":
            return self._service.kill_a_worker(self._dice)
        if kind == "service":
            self._service.kill()
            return True
        if database is None:
            raise ValueError(f"{kind} is nothing that SQLite has")
        if kind == "backend":
            return database.kill_a_backend(self._dice)
        database.stop_and_start()
        return True

    def _wait_for_answers(self, wanted: int) -> bool:
        """Wait until so many orders were answered; False when that takes too long."""
        deadline = time.monotonic() + RECOVERY_SECONDS_MAX
        while wanted > 0:
            if time.monotonic() > deadline:
                return False
            wanted -= self._answers_since()
            time.sleep(0.01)
        return True

    def _answers_since(self) -> int:
        """Return how many orders were answered as done since this was asked last."""
        answered = 0
        for path in self._folder.glob("record-*.jsonl"):
            with path.open("rb") as file:
                file.seek(self._read[path])
                more = file.read()
            self._read[path] += len(more)
            answered += more.count(b'"state": "ok"')
        return answered


def _judged(url: str, folder: Path) -> Verdict:
    app: Flask = create_app(settings_of(url))
    with app.app_context():
        try:
            with plain_connection(url) as rows, transaction() as session:
                return judge(folder, rows, session)
        finally:
            db.engine.dispose()


def _take_down(outcome: Outcome, readings: Readings, verdict: Verdict) -> None:
    outcome.acknowledged = verdict.acknowledged
    outcome.outcomes = dict(sorted(verdict.outcomes.items()))
    outcome.refusals = dict(sorted(verdict.refusals.items()))
    outcome.later = dict(sorted(verdict.later.items()))
    outcome.unknown_done = verdict.unknown_done
    outcome.reads, outcome.reads_away = readings.reads, readings.away
    outcome.lost_in_all, outcome.doubled_in_all = len(verdict.lost), len(verdict.doubled)
    outcome.lost = verdict.lost[:SHOWN_MAX]
    outcome.doubled = verdict.doubled[:SHOWN_MAX]
    outcome.wrong += (readings.wrong + verdict.wrong)[:SHOWN_MAX]


def told(outcome: Outcome) -> str:
    """Return a round in a line."""
    killed = ", ".join(f"{count} {kind}" for kind, count in sorted(outcome.faults.items()))
    state = "right" if outcome.is_right else "WRONG"
    return (
        f"faults on {outcome.engine}, seed {outcome.seed}: {state}; killed {killed};"
        f" {outcome.acknowledged:,} acknowledged, {outcome.lost_in_all} lost,"
        f" {outcome.doubled_in_all} doubled, {outcome.reads} reads; answered again after"
        f" {outcome.recovery_p50} s (p50), {outcome.recovery_max} s (max); {outcome.seconds} s"
    )


def run_rounds(
    engine: str,
    rounds: int,
    progress: Progress,
    tell: Callable[[str], None],
    is_over: Callable[[], bool],
) -> None:
    """Run rounds until there are so many in all, those of earlier runs counted."""
    if len(progress["rounds"]) >= rounds:
        return
    with ground(engine) as place:
        while len(progress["rounds"]) < rounds and not is_over():
            seed = f"{progress['seed']}:{len(progress['rounds'])}"
            outcome = run_round(place, Round(engine, seed, deck_of(engine, seed)))
            progress["rounds"] = [*progress["rounds"], as_json(outcome)]
            progress.save()
            tell(f"{len(progress['rounds'])} of {rounds}: {told(outcome)}")


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as it is kept."""
    return asdict(outcome)


def main() -> None:
    """Repeat one round by its seed: the same faults and orders, though not the same moments."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--engine", choices=ENGINES, required=True)
    words.add_argument("--seed", required=True, help="as it was printed, such as 4711:3")
    words.add_argument("--faults", type=int, help="only the first so many")
    words.add_argument("--kinds", help="only these kinds, such as worker,postgres")
    words.add_argument("--keyless", action="store_true", help="control A")
    words.add_argument("--careless", action="store_true", help="control B, PostgreSQL only")
    asked = words.parse_args()
    deck = deck_of(asked.engine, asked.seed)
    if asked.kinds:
        deck = tuple(kind for kind in deck if kind in asked.kinds.split(","))
    wanted = Round(
        asked.engine, asked.seed, deck[: asked.faults], asked.keyless, asked.careless
    )
    with ground(asked.engine, careless=asked.careless) as place:
        outcome = run_round(place, wanted)
    print(told(outcome))
    print(json.dumps(as_json(outcome), ensure_ascii=False, indent=1))
    raise SystemExit(0 if outcome.is_right else 1)


if __name__ == "__main__":
    main()
