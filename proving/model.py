"""The ledger against the reference model, two million operations, chunk by chunk.

python -m proving.model --engine sqlite --seed 4711:38      replay one chunk and shorten it
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from proving.places import Place, place
from proving.progress import Progress
from proving.sequences import drawn, judged
from tests.databases import ENGINES, Databases
from tests.postgres import URL_VARIABLE, Server, session_prefix
from tests.shelf import Shelf

# Short enough that comparing everything after each step stays cheap.
CHUNK = 500
# On PostgreSQL a step takes several times as long (docs/ledger.md, "Proving it yourself").
OPERATIONS = {"sqlite": 1_800_000, "postgresql": 200_000}
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


def run_model(
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
    tell(f"model on {engine}: seed {progress['seed']}, {progress['operations']:,} done so far")
    with clean_place(engine) as made:
        saved = time.monotonic()
        while progress["operations"] < operations and not is_over():
            chunk_began = time.monotonic()
            seed = f"{progress['seed']}:{progress['chunks']}"
            found = judged(made, drawn(seed, CHUNK))
            progress["chunks"] += 1
            progress["operations"] += CHUNK
            progress["seconds"] += time.monotonic() - chunk_began
            if found is not None:
                failed = {"seed": seed, "why": found.why, "shortest": found.shortest}
                progress["failures"] = [*progress["failures"], failed]
                tell(f"model on {engine}: seed {seed} FAILED: {found.why}")
            if time.monotonic() - saved > SAVE_SECONDS or found is not None:
                saved = time.monotonic()
                progress.save()
                tell(told(engine, operations, progress))
    progress.save()


def told(engine: str, operations: int, progress: Progress) -> str:
    """Return how far it is, in a line."""
    rate = progress["operations"] / max(progress["seconds"], 0.001)
    return (
        f"model on {engine}: {progress['operations']:,} of {operations:,} operations,"
        f" {rate:,.0f}/s, {len(progress['failures'])} failures"
    )


def begun(path: Path, seed: str) -> Progress:
    """Take up a run, or begin one under this seed."""
    start = {"seed": seed, "chunks": 0, "operations": 0, "seconds": 0.0, "failures": []}
    return Progress(path, start)


def main() -> None:
    """Replay one chunk by its seed; say why it fails and the shortest sequence that does."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--engine", choices=ENGINES, required=True)
    words.add_argument("--seed", required=True, help="as it was printed, such as 4711:38")
    asked = words.parse_args()
    with clean_place(asked.engine) as made:
        found = judged(made, drawn(asked.seed, CHUNK))
    if found is None:
        print(f"{asked.seed}: {CHUNK} operations, ledger and model agree after each")
        return
    print(f"{asked.seed}: step {found.at}: {found.why}")
    for step in found.shortest:
        print(f"  {json.dumps(step)}")
    raise SystemExit(1)


if __name__ == "__main__":
    main()
