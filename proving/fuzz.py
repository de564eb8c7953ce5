"""Codes fuzzed for ten minutes: the readers, and the doors on both engines, stretch by stretch.

python -m proving.fuzz '"HTTPS://POINTS.EXAMPLE/M/…"'      try one text again, as JSON writes it
"""

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pointsbank.app import create_app
from pointsbank.core.settings import ROOT
from proving.code_doors import doors
from proving.code_reading import complaints
from proving.fuzz_child import Order, raw_input
from proving.genuine import World
from proving.hostile import corpus
from proving.model import clean_database
from proving.progress import FOLDER, Progress
from proving.weakened import CHECKS
from tests.databases import ENGINES, settings_for

SECONDS = 600
CONTROL_SECONDS_MAX = 60
# Starting and ending take a while beside the time that is spent on texts.
GRACE_SECONDS = 120
# libFuzzer counts branches (cov) and how often each was taken (ft).
REACHED = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)")


@dataclass(frozen=True)
class Stretch:
    """What is fuzzed at a time. engine: of the doors."""

    target: str
    seconds: int
    engine: str = ""

    @property
    def name(self) -> str:
        """How it is called in reports."""
        return f"{self.target} on {self.engine}" if self.engine else self.target


# In turn, so that a run that is cut short has tried all of them.
TURNS = (
    Stretch("readers", 60),
    Stretch("offline", 15),
    Stretch("doors", 45, "sqlite"),
    Stretch("doors", 30, "postgresql"),
)
# A reader without a check must be found out, by reading or at a door.
CONTROLS = (*((check, TURNS[0]) for check in CHECKS), ("MAC", TURNS[2]))


def run_fuzz(
    seconds: float,
    progress: Progress,
    tell: Callable[[str], None],
    is_over: Callable[[], bool],
) -> None:
    """Run the controls, then stretches until so many seconds are done in all."""
    for check, stretch in CONTROLS[len(progress["controls"]) :]:
        if is_over():
            return
        _keep(progress, "controls", control(check, stretch, progress["seed"]))
        tell(control_line(progress["controls"][-1]))
    while sum(each["seconds"] for each in progress["stretches"]) < seconds and not is_over():
        number = len(progress["stretches"])
        spent = sum(each["seconds"] for each in progress["stretches"])
        stretch = TURNS[number % len(TURNS)]
        stretch = replace(stretch, seconds=min(stretch.seconds, max(1, round(seconds - spent))))
        seed = f"{progress['seed']}:{number}"
        _keep(progress, "stretches", {"seed": seed, **run_stretch(stretch, seed)})
        tell(stretch_line(progress["stretches"][-1]))


def _keep(progress: Progress, name: str, found: dict[str, Any]) -> None:
    progress[name] = [*progress[name], found]
    progress.save()


def control(check: str, stretch: Stretch, seed: str) -> dict[str, Any]:
    """Fuzz readers that go without a check, from no corpus; is_found tells whether it shows."""
    found = run_stretch(
        replace(stretch, seconds=CONTROL_SECONDS_MAX), f"{seed}:{check}", check=check
    )
    return {"check": check, "is_found": bool(found["wrong"]), **found}


def run_stretch(stretch: Stretch, seed: str, check: str | None = None) -> dict[str, Any]:
    """Fuzz for so long in a process of its own, and return what it reported."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(clean_database(stretch.engine)) if stretch.engine else ""
        inputs = folder / "corpus" if check else corpus_of(stretch)
        inputs.mkdir(parents=True, exist_ok=True)
        order = Order(
            stretch.target,
            seed,
            stretch.seconds,
            str(folder / "report.json"),
            str(inputs),
            url,
            check,
        )
        began = time.monotonic()
        ended = subprocess.run(
            [sys.executable, "-m", "proving.fuzz_child", json.dumps(asdict(order))],
            cwd=ROOT,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=stretch.seconds + GRACE_SECONDS,
        )
        report = folder / "report.json"
        if not report.exists() or ended.returncode != 0:
            raise RuntimeError(
                f"fuzzing ended with {ended.returncode}:\n{ended.stderr[-4000:]}"
            )
        if stretch.engine and not check:
            _forget_given(inputs)
        reached = REACHED.findall(ended.stderr)
        return {
            "name": stretch.name,
            "seconds": min(stretch.seconds, round(time.monotonic() - began, 1)),
            **json.loads(report.read_text()),
            "reached": [int(each) for each in reached[-1]] if reached else [],
        }


def corpus_of(stretch: Stretch) -> Path:
    """Return the folder of inputs that reach something new; it grows from run to run."""
    folder = FOLDER / "fuzz-corpus" / stretch.name.replace(" ", "-")
    if not folder.exists():
        folder.mkdir(parents=True)
        for number, (_, text) in enumerate(corpus(World(offline=stretch.target == "offline"))):
            (folder / f"{number:04}").write_bytes(raw_input(text))
    return folder


def _forget_given(folder: Path) -> None:
    """Remove the texts that were given at the beginning and tried: libFuzzer tries all that it
    finds each time anew, and at the doors that takes a whole stretch.
    """
    for path in folder.glob("????"):
        path.unlink()


def stretch_line(found: dict[str, Any]) -> str:
    """Return what a stretch has shown, in a line."""
    wrong = ", ".join(f"{why} ({count})" for why, count in found["wrong"].items()) or "nothing"
    return (
        f"fuzz {found['name']}, seed {found['seed']}: {found['inputs']:,} texts,"
        f" {sum(found['good'].values()):,} of them good; wrong: {wrong}"
    )


def control_line(found: dict[str, Any]) -> str:
    """Return what a control has shown, in a line."""
    shows = f"found after {found['inputs']:,} texts" if found["is_found"] else "NOT FOUND"
    return f"fuzz control without {found['check']} ({found['name']}): {shows}"


def main() -> None:
    """Try one text at the readers and at all doors, and say what is wrong with it."""
    text = json.loads(sys.argv[1])
    print(*(complaints(World(), text) or ["the readers are right"]), sep="\n")
    for engine in ENGINES:
        with clean_database(engine) as url:
            app = create_app(replace(settings_for(url), log_level="ERROR"))
            with doors(app, World()) as opened:
                found = opened.complaints(text, thorough=True)
        print(*(found or [f"the doors are right on {engine}"]), sep="\n")


if __name__ == "__main__":
    main()
