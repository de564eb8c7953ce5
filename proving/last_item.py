"""The last item of a reward, raced for by fifty people, round after round: one gets it.

python -m proving.last_item --engine postgresql --rounds 20      some rounds, told one by one
"""

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any
from unittest.mock import patch

from flask import Flask
from sqlalchemy import event

from pointsbank.core.db import db
from pointsbank.rewards import at_once, ordering, redeeming
from pointsbank.rewards.guarding import HAS_STOCK
from proving.model import clean_database
from proving.one_piece import MIXES, WAYS, Round, Scene, scene
from proving.progress import Progress
from tests.databases import ENGINES, let_go
from tests.racing import after_looking, loosened

ROUNDS = 10_000
# A scene lasts so many rounds; then its whole ledger is verified.
SCENE_ROUNDS = 250
SAVE_SECONDS = 20
SHOWN_MAX = 2
# The three statements that take a piece off the shelf, each with what it asks of the row.
SALES = (
    (redeeming, "TAKE_STOCK", HAS_STOCK),
    (ordering, "TAKE_PIECES", HAS_STOCK),
    (at_once, "TAKE", HAS_STOCK.replace("reward.", "")),
)


@contextmanager
def unguarded(app: Flask) -> Iterator[None]:
    """Let all ways sell without asking the row for its stock, and the table go below zero."""
    with app.app_context():
        engine = db.engine
    let_go(app)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def allow(connection: Any, _record: Any) -> None:
            connection.execute("PRAGMA ignore_check_constraints = ON")

    else:
        with engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE reward DROP CONSTRAINT ck_reward_stock")
    with ExitStack() as stack:
        for module, name, guard in SALES:
            loose = loosened(getattr(module, name), guard)
            stack.enter_context(patch.object(module, name, loose))
        yield


def run_control(database_url: str, seed: str) -> Round:
    """Play a round in which the stock is looked at first and not guarded; it must be wrong.

    It changes the database's schema.
    """
    with scene(database_url) as shop, unguarded(shop.app):
        return shop.play(seed, WAYS, partial(after_looking, shop.has_stock))


def run_rounds(
    engine: str,
    wanted: int,
    progress: Progress,
    tell: Callable[[str], None],
    is_over: Callable[[], bool],
) -> None:
    """Show by a control that two winners would be seen; then play until so many rounds are
    done in all, the earlier ones counted.

    It goes on in a new scene after a round that was wrong.
    """
    if progress["control"] is None:
        with clean_database(engine) as url:
            found = run_control(url, f"{progress['seed']}:{engine}:control")
        progress["control"] = {"seed": found.seed, "wrong": found.wrong}
        progress.save()
        tell(f"last item on {engine}: without the guard {shown(found.wrong)}")
    while progress["rounds"] < wanted and not is_over():
        with clean_database(engine) as url, scene(url) as shop:
            _play_scene(shop, engine, wanted, progress, tell, is_over)
        progress.save()


def _play_scene(
    shop: Scene,
    engine: str,
    wanted: int,
    progress: Progress,
    tell: Callable[[str], None],
    is_over: Callable[[], bool],
) -> None:
    saved = time.monotonic()
    for _ in range(min(SCENE_ROUNDS, wanted - progress["rounds"])):
        if is_over():
            break
        began, number = time.monotonic(), progress["rounds"]
        found = shop.play(f"{progress['seed']}:{engine}:{number}", MIXES[number % len(MIXES)])
        progress["rounds"] += 1
        progress["seconds"] += time.monotonic() - began
        if found.wrong:
            _keep_failure(progress, found.seed, found.wrong)
            tell(f"last item on {engine}: seed {found.seed} WRONG: {shown(found.wrong)}")
            return
        won = progress["won"]
        progress["won"] = won | {found.winner: won.get(found.winner, 0) + 1}
        if time.monotonic() - saved > SAVE_SECONDS:
            saved = time.monotonic()
            progress.save()
            tell(told(engine, wanted, progress))
    if wrong := shop.closing():
        seed = f"{progress['seed']}:{engine}:{progress['rounds'] - 1}"
        _keep_failure(progress, seed, wrong)
        tell(f"last item on {engine}: after seed {seed} WRONG: {shown(wrong)}")
    progress["scenes"] += 1


def _keep_failure(progress: Progress, seed: str, wrong: list[str]) -> None:
    progress["failures"] = [*progress["failures"], {"seed": seed, "wrong": wrong}]


def begun(seed: str) -> dict[str, Any]:
    """Return what a proof begins with."""
    return {
        "seed": seed,
        "control": None,
        "rounds": 0,
        "scenes": 0,
        "seconds": 0.0,
        "won": {},
        "failures": [],
    }


def shown(wrong: list[str]) -> str:
    """Return the first findings of a round in a line."""
    more = f" and {len(wrong) - SHOWN_MAX} more" if len(wrong) > SHOWN_MAX else ""
    return ("; ".join(wrong[:SHOWN_MAX]) or "nothing was wrong") + more


def told(engine: str, wanted: int, progress: Progress) -> str:
    """Return how far it is, in a line."""
    rate = progress["rounds"] / max(progress["seconds"], 0.001)
    return (
        f"last item on {engine}: {progress['rounds']:,} of {wanted:,} rounds, {rate:.1f}/s,"
        f" {len(progress['failures'])} wrong"
    )


def main() -> None:
    """Play some rounds, and tell each."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--engine", choices=ENGINES, required=True)
    words.add_argument("--rounds", type=int, default=20)
    words.add_argument("--seed", default="0")
    asked = words.parse_args()
    won: Counter[str] = Counter()
    with clean_database(asked.engine) as url, scene(url) as shop:
        for number in range(asked.rounds):
            began = time.monotonic()
            found = shop.play(f"{asked.seed}:{number}", MIXES[number % len(MIXES)])
            won[found.winner] += 1
            print(f"{number}: {time.monotonic() - began:.3f} s, {shown(found.wrong)}")
            if found.wrong:
                break
        print(*(shop.closing() or [f"all is right; won by {dict(won)}"]), sep="\n")
    with clean_database(asked.engine) as url:
        print(f"without the guard: {shown(run_control(url, asked.seed).wrong)}")


if __name__ == "__main__":
    main()
