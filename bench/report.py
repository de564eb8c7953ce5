"""How a measurement is printed, judged against its goals, and kept for comparison."""

import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

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


def print_rounds(title: str, heads: list[str], rows: list[list[float]]) -> None:
    """Print each round and the medians."""
    say(f"\n{title}")
    say("  " + "".join(f"{head:>16}" for head in ["round", *heads]))
    for number, row in enumerate(rows, start=1):
        say("  " + f"{number:>16}" + "".join(f"{value:>16.3f}" for value in row))
    middles = [median(column) for column in zip(*rows, strict=True)]
    say("  " + f"{'median':>16}" + "".join(f"{value:>16.3f}" for value in middles))


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
