"""The ledger, attendance, the marketplace and standings against their models, chunk by chunk.

python -m proving.model --engine sqlite --seed 4711:38      replay one chunk and shorten it
python -m proving.model --of attendance --engine sqlite --seed 4711:38
python -m proving.model --of market --engine sqlite --seed 4711:38
python -m proving.model --of standings --engine sqlite --seed 4711:38
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from proving.attendance.grounds import afternoons
from proving.evaluation.grounds import histories
from proving.marketplace.grounds import seasons
from proving.places import Place, place
from proving.progress import Progress
from proving.sequences import Ground, drawn, judged
from tests.databases import ENGINES, Databases
from tests.postgres import URL_VARIABLE, Server, session_prefix
from tests.shelf import Shelf

SAVE_SECONDS = 20


@contextmanager
def clean_database(engine: str) -> Iterator[str]:
    """Give the URL of a migrated database of this engine that is gone afterwards."""
    shelf, prefix = Shelf(), session_prefix()
    databases = Databases(shelf.folder, prefix)
    try:
        url, remove = databases.copy(engine)
        yield url
        remove()
    finally:
        if URL_VARIABLE in os.environ:
            Server(os.environ[URL_VARIABLE]).drop_databases(prefix)
        shelf.close()


@contextmanager
def clean_place(engine: str) -> Iterator[Place]:
    """Give a clean database with the application on it."""
    with clean_database(engine) as url, place(url) as made:
        yield made


@dataclass(frozen=True)
class Proof:
    """Something with a model: what its lines are called, how it is played, and how often.

    chunk: how many steps a world lasts, short enough that comparing everything after each
    stays cheap. operations: by engine; on PostgreSQL a step takes several times as long.
    """

    name: str
    chunk: int
    operations: dict[str, int]
    grounds: Callable[[str], AbstractContextManager[Ground]]


LEDGER = Proof("model", 500, {"sqlite": 1_800_000, "postgresql": 200_000}, clean_place)
# An afternoon has ended after so many steps.
ATTENDANCE = Proof("attendance", 150, {"sqlite": 200_000, "postgresql": 50_000}, afternoons)
# Long enough for a month or two, with their settlement.
MARKET = Proof("market", 150, {"sqlite": 150_000, "postgresql": 50_000}, seasons)
# Some months of work, moves and rules.
STANDINGS = Proof("standings", 120, {"sqlite": 200_000, "postgresql": 60_000}, histories)
PROOFS = {
    "ledger": LEDGER,
    "attendance": ATTENDANCE,
    "market": MARKET,
    "standings": STANDINGS,
}


def run_model(
    proof: Proof,
    engine: str,
    operations: int,
    progress: Progress,
    tell: Callable[[str], None],
    is_over: Callable[[], bool],
) -> None:
    """Play chunks until so many operations are done in all, the earlier ones counted.

    It goes on after a chunk that failed: progress keeps each with its shortest form.
    """
    if progress["operations"] >= operations:
        return
    done = f"{progress['operations']:,} done so far"
    tell(f"{proof.name} on {engine}: seed {progress['seed']}, {done}")
    with proof.grounds(engine) as made:
        saved = time.monotonic()
        while progress["operations"] < operations and not is_over():
            chunk_began = time.monotonic()
            seed = f"{progress['seed']}:{progress['chunks']}"
            found = judged(made, drawn(made.deck, seed, proof.chunk))
            progress["chunks"] += 1
            progress["operations"] += proof.chunk
            progress["seconds"] += time.monotonic() - chunk_began
            if found is not None:
                failed = {"seed": seed, "why": found.why, "shortest": found.shortest}
                progress["failures"] = [*progress["failures"], failed]
                tell(f"{proof.name} on {engine}: seed {seed} FAILED: {found.why}")
            if time.monotonic() - saved > SAVE_SECONDS or found is not None:
                saved = time.monotonic()
                progress.save()
                tell(told(proof, engine, operations, progress))
    progress.save()


def told(proof: Proof, engine: str, operations: int, progress: Progress) -> str:
    """Return how far it is, in a line."""
    rate = progress["operations"] / max(progress["seconds"], 0.001)
    return (
        f"{proof.name} on {engine}: {progress['operations']:,} of {operations:,} operations,"
        f" {rate:,.0f}/s, {len(progress['failures'])} failures"
    )


def begun(path: Path, seed: str) -> Progress:
    """Take up a run, or begin one under this seed."""
    start = {"seed": seed, "chunks": 0, "operations": 0, "seconds": 0.0, "failures": []}
    return Progress(path, start)


def main() -> None:
    """Replay one chunk by its seed; say why it fails and the shortest sequence that does."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--of", choices=PROOFS, default="ledger")
    words.add_argument("--engine", choices=ENGINES, required=True)
    words.add_argument("--seed", required=True, help="as it was printed, such as 4711:38")
    asked = words.parse_args()
    proof = PROOFS[asked.of]
    with proof.grounds(asked.engine) as made:
        found = judged(made, drawn(made.deck, asked.seed, proof.chunk))
    if found is None:
        print(f"{asked.seed}: {proof.chunk} operations, {asked.of} and model agree after each")
        return
    print(f"{asked.seed}: step {found.at}: {found.why}")
    for step in found.shortest:
        print(f"  {json.dumps(step)}")
    raise SystemExit(1)


if __name__ == "__main__":
    main()
