"""Two lives of the same days: one interrupted, one not; at the end nothing may differ.

python -m proving.year.twins --engine sqlite --first 2025-12-10 --days 40 --seed 1
"""

import argparse
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from unittest.mock import patch

from flask import Flask
from sqlalchemy import make_url

from pointsbank.app import create_app
from pointsbank.core import clock
from pointsbank.core.db import db
from pointsbank.jobs import scheduler
from pointsbank.jobs.occasions import Job, Slot
from proving.model import clean_database
from proving.progress import Progress
from proving.year.calendar import Interruptions, interruptions_of
from proving.year.comparing import differences, left_in
from proving.year.living import live
from tests.databases import ENGINES, settings_for

# Both years' holidays are announced; National Day, New Year and the Spring Festival lie in it.
FIRST = date(2025, 7, 1)
DAYS = 365
# A new year's night of the control: short, because it is seen at once.
CONTROL_FIRST = date(2025, 12, 26)
CONTROL_DAYS = 10
# Between two looks of a scheduler that is never interrupted less time passes.
FORGOTTEN_AFTER = timedelta(hours=18)


@dataclass(frozen=True)
class Lives:
    """What two lives have left: rows by table, and where they differ."""

    engine: str
    seed: str
    first: str
    days: int
    seconds: float
    rows: dict[str, int]
    wrong: dict[str, list[str]]


def live_twice(
    urls: tuple[str, str], seed: str, first: date, days: int, *, is_forgetful: bool = False
) -> Lives:
    """Live so many days in two clean databases, interrupted and not, and compare what is left.

    is_forgetful: for controls: the interrupted one's scheduler never makes good what it missed.
    """
    began = time.monotonic()
    met = interruptions_of(first, days)
    with _forgetting() if is_forgetful else nullcontext():
        interrupted = lived(urls[0], first, days, met, seed, is_twin=False)
    twin = lived(urls[1], first, days, met, seed, is_twin=True)
    return Lives(
        make_url(urls[0]).get_backend_name(),
        seed,
        first.isoformat(),
        days,
        round(time.monotonic() - began, 1),
        {name: sum(rows.values()) for name, rows in twin.items()},
        differences(interrupted, twin),
    )


def lived(
    url: str, first: date, days: int, met: Interruptions, seed: str, *, is_twin: bool
) -> dict[str, Counter[str]]:
    """Live once and return what is left."""
    app = create_app(settings_for(url))
    live(app, first, days, met, seed=seed, is_twin=is_twin)
    with app.app_context():
        with db.engine.connect() as connection:
            left = left_in(connection)
        db.engine.dispose()
    return left


@contextmanager
def _forgetting() -> Iterator[None]:
    """Let schedulers drop what was due while none looked, as those do that run on triggers."""
    see = scheduler.waiting_slots

    def fresh_slots(app: Flask) -> list[tuple[Job, Slot]]:
        oldest = clock.now() - FORGOTTEN_AFTER
        return [(j, slot) for j, slot in see(app) if slot.due_at and slot.due_at > oldest]

    with patch.object(scheduler, "waiting_slots", fresh_slots):
        yield


def run_year(
    engine: str, share: float, progress: Progress, tell: Callable[[str], None]
) -> None:
    """Show by a control that a missed period would be seen; then live a year twice, once."""
    for name, first, days, is_forgetful in (
        ("control", CONTROL_FIRST, CONTROL_DAYS, True),
        ("lives", FIRST, max(CONTROL_DAYS, round(DAYS * share)), False),
    ):
        if not progress[name]:
            seed = f"{progress['seed']}:{engine}:{name}"
            with clean_database(engine) as one, clean_database(engine) as other:
                lives = live_twice((one, other), seed, first, days, is_forgetful=is_forgetful)
            progress[name] = [asdict(lives)]
            progress.save()
            tell(f"{'control, forgetful: ' if is_forgetful else ''}{told(lives)}")


def told(lives: Lives) -> str:
    """Return what two lives have shown, in a line."""
    rows = ", ".join(f"{count:,} {name}" for name, count in lives.rows.items() if count)
    wrong = "; ".join(f"{name}: {' | '.join(each)}" for name, each in lives.wrong.items())
    return (
        f"year on {lives.engine}: {lives.days} days from {lives.first}, seed {lives.seed},"
        f" {lives.seconds} s; {rows}; {wrong or 'nothing differs'}"
    )


def main() -> None:
    """Live twice and tell what differs."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--engine", choices=ENGINES, required=True)
    words.add_argument("--first", type=date.fromisoformat, default=FIRST)
    words.add_argument("--days", type=int, default=DAYS)
    words.add_argument("--seed", default="0")
    asked = words.parse_args()
    logging.disable(logging.CRITICAL)
    with clean_database(asked.engine) as one, clean_database(asked.engine) as other:
        print(told(live_twice((one, other), asked.seed, asked.first, asked.days)))


if __name__ == "__main__":
    main()
