"""How a measurement is printed, judged against its goals, and kept for comparison."""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from bench.load import Result

RESULTS = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True)
class Goal:
    """One figure and what is wanted of it; is_least tells a floor from a ceiling."""

    name: str
    value: float
    wanted: float
    is_least: bool = True

    @property
    def is_met(self) -> bool:
        """Whether the figure is on the right side."""
        return self.value >= self.wanted if self.is_least else self.value <= self.wanted


# Goals, and the rounds' rows.
Measured = tuple[list[Goal], list[list[float]]]
Measure = Callable[[int, float], Measured]


def print_rounds(title: str, heads: list[str], rows: list[list[float]]) -> None:
    """Print each round and the medians."""
    say(f"\n{title}")
    say("  " + "".join(f"{head:>16}" for head in ["round", *heads]))
    for number, row in enumerate(rows, start=1):
        say("  " + f"{number:>16}" + "".join(f"{value:>16.3f}" for value in row))
    middles = [median(column) for column in zip(*rows, strict=True)]
    say("  " + f"{'median':>16}" + "".join(f"{value:>16.3f}" for value in middles))


def sqlite_rows(
    title: str, what: str, results: list[Result]
) -> tuple[list[Goal], list[list[float]]]:
    """Print the rounds of a burst on SQLite, and return its goals: speed, latency, fairness."""
    rows = [
        [r.per_second, r.percentile(0.5) * 1e3, r.percentile(0.99) * 1e3]
        + [min(r.by_connection), max(r.by_connection)]
        for r in results
    ]
    heads = [f"{what}/s", "p50 ms", "p99 ms", "fewest a conn.", "most a conn."]
    print_rounds(title, heads, rows)
    goals = [
        Goal(f"SQLite {what}/s", median(row[0] for row in rows), 400),
        Goal("SQLite p99 ms", median(row[2] for row in rows), 150, is_least=False),
        Goal("SQLite fewest / most a connection", median(r[3] / r[4] for r in rows), 0.5),
    ]
    return goals, rows


def measure(name: str, description: str, measures: dict[str, Measure]) -> None:
    """Read what is asked for on the command line, measure it engine by engine, and report."""
    words = argparse.ArgumentParser(description=description)
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--seconds", type=float, default=4)
    words.add_argument("--engine", choices=(*measures, "both"), default="both")
    asked = words.parse_args()
    goals: list[Goal] = []
    details: dict[str, Any] = {}
    for engine, measure_engine in measures.items():
        if asked.engine in (engine, "both"):
            more, details[engine] = measure_engine(asked.rounds, asked.seconds)
            goals += more
    finish(name, goals, details)


def finish(name: str, goals: list[Goal], details: dict[str, Any]) -> None:
    """Print each goal with the change since the last run, and write the JSON."""
    RESULTS.mkdir(exist_ok=True)
    kept = RESULTS / f"{name}.json"
    before = json.loads(kept.read_text())["goals"] if kept.exists() else {}
    say("\n  goal" + " " * 48 + "value     wanted   change")
    for goal in goals:
        sign = ">=" if goal.is_least else "<="
        word = "met" if goal.is_met else "NOT MET"
        last = before.get(goal.name)
        change = f"{goal.value - last:+.3f}" if last is not None else "-"
        say(
            f"  {goal.name:<50}{goal.value:>9.3f}  {sign}{goal.wanted:>7.3f} {change:>8} {word}"
        )
    kept.write_text(
        json.dumps(
            {
                "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "goals": {goal.name: round(goal.value, 4) for goal in goals},
                "wanted": {goal.name: goal.wanted for goal in goals},
                "details": details,
            },
            indent=1,
            ensure_ascii=False,
        )
        + "\n"
    )


def say(text: str) -> None:
    """Print one line at once, so that a long run shows where it is."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
