"""Prove ledger and codes for hours: it can be stopped with Ctrl-C and goes on where it was.

    make prove                                  everything
    make prove ARGS="--hours 1"                 what fits into an hour; again for the next hour
    make prove ARGS="--parts model --share 0.01"
    make prove ARGS="--fresh --seed 4711"       forget what was done, begin anew

Progress and findings stand in instance/prove/; docs/ledger.md, "Proving it yourself", explains
them. It exits 1 when anything was lost, doubled or wrong, or a control did not fail.
"""

import argparse
import logging
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from pointsbank.core.settings import ROOT
from proving import controls, each_call, faults, fuzz, last_item, model, summary
from proving.progress import FOLDER, Progress
from proving.schedulers import contest
from proving.year import twins
from tests.databases import ENGINES

SUITE = ("tests/ledger", "tests/faults")


@dataclass
class Run:
    """What was asked for: the seed that all others come from, how much, until when."""

    seed: str
    share: float
    deadline: float

    @property
    def is_over(self) -> bool:
        """Whether the time that was given is up."""
        return time.monotonic() > self.deadline


def prove_model(run: Run) -> None:
    """Play the rest of the ledger's operations against its reference model."""
    _play(model.LEDGER, run)


def prove_attendance(run: Run) -> None:
    """Play the rest of the claims and scans against theirs."""
    _play(model.ATTENDANCE, run)


def prove_market(run: Run) -> None:
    """Play the rest of the marketplace's orders, deals and statements against theirs."""
    _play(model.MARKET, run)


def prove_standings(run: Run) -> None:
    """Roll the rest of random histories up, and compare each with a naive sum."""
    _play(model.STANDINGS, run)


def _play(proof: model.Proof, run: Run) -> None:
    for engine in ENGINES:
        progress = model.begun(FOLDER / f"{proof.name}-{engine}.json", run.seed)
        wanted = round(proof.operations[engine] * run.share)
        model.run_model(proof, engine, wanted, progress, tell, lambda: run.is_over)


def prove_controls(run: Run) -> None:
    """Show that the harness sees losses and doubles where they must happen."""
    progress = Progress(FOLDER / "controls.json", {"seed": run.seed, "controls": []})
    controls.run_controls(progress, tell)


def prove_calls(run: Run) -> None:
    """Crash at each call of every flow, once an engine."""
    progress = Progress(FOLDER / "calls.json", {"seed": run.seed, "reports": {}})
    for engine in ENGINES:
        if engine not in progress["reports"] and not run.is_over:
            with model.clean_database(engine) as url:
                found = each_call.reports(url)
            progress["reports"] = progress["reports"] | {engine: found}
            progress.save()
            for each in found:
                tell(f"calls on {engine}: {summary.calls_line(each)}")


def prove_suite(run: Run) -> None:
    """Run the suite's own proofs, with those that make check has no time for."""
    progress = Progress(FOLDER / "suite.json", {"seed": run.seed, "ran": []})
    if progress["ran"]:
        return
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", *SUITE],
        cwd=ROOT,
        env={**os.environ, "POINTSBANK_TEST_LONG": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    last = (ended.stdout.strip().splitlines() or [ended.stderr.strip()])[-1]
    progress["ran"] = [{"exit": ended.returncode, "said": last, "all": ended.stdout}]
    progress.save()
    tell(f"suite: {last}")


def prove_last_item(run: Run) -> None:
    """Let fifty race for the last item of a reward, for the rest of the rounds."""
    for engine in ENGINES:
        progress = Progress(FOLDER / f"last-item-{engine}.json", last_item.begun(run.seed))
        wanted = max(1, round(last_item.ROUNDS * run.share))
        last_item.run_rounds(engine, wanted, progress, tell, lambda: run.is_over)


def prove_faults(run: Run) -> None:
    """Run the rest of the rounds."""
    for engine in ENGINES:
        progress = Progress(FOLDER / f"faults-{engine}.json", {"seed": run.seed, "rounds": []})
        wanted = max(1, round(faults.ROUNDS * run.share))
        faults.run_rounds(engine, wanted, progress, tell, lambda: run.is_over)


def prove_schedulers(run: Run) -> None:
    """Kill the rest of the leaders among four schedulers, after the controls."""
    for engine in ENGINES:
        begun = {"seed": run.seed, "controls": [], "rounds": []}
        progress = Progress(FOLDER / f"schedulers-{engine}.json", begun)
        wanted = max(1, round(contest.KILLS * run.share))
        contest.run_contests(engine, wanted, progress, tell, lambda: run.is_over)


def prove_year(run: Run) -> None:
    """Live a year of every job twice, interrupted and not, after a control."""
    for engine in ENGINES:
        begun = {"seed": run.seed, "control": [], "lives": []}
        progress = Progress(FOLDER / f"year-{engine}.json", begun)
        if not run.is_over:
            with quiet():
                twins.run_year(engine, run.share, progress, tell)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what the service logs to itself."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def prove_fuzz(run: Run) -> None:
    """Hold fuzzed codes up to their readers and doors for the rest of ten minutes."""
    begun = {"seed": run.seed, "controls": [], "stretches": []}
    progress = Progress(FOLDER / "fuzz.json", begun)
    fuzz.run_fuzz(fuzz.SECONDS * run.share, progress, tell, lambda: run.is_over)


PARTS: dict[str, Callable[[Run], None]] = {
    "controls": prove_controls,
    "calls": prove_calls,
    "suite": prove_suite,
    "model": prove_model,
    "attendance": prove_attendance,
    "market": prove_market,
    "standings": prove_standings,
    "last-item": prove_last_item,
    "faults": prove_faults,
    "schedulers": prove_schedulers,
    "year": prove_year,
    "fuzz": prove_fuzz,
}


def tell(line: str) -> None:
    """Print a line with the time, and keep it in the log."""
    stamped = f"{time.strftime('%H:%M:%S')} {line}"
    print(stamped, flush=True)
    with (FOLDER / "log.txt").open("a") as log:
        log.write(stamped + "\n")


def code_version() -> str:
    """Return the commit that is proved, with a mark when files differ from it."""
    try:
        said = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return said.stdout.strip()


def main() -> None:
    """Run the parts asked for, and tell what all runs so far have shown."""
    words = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    words.add_argument("--parts", default=",".join(PARTS), help="some of them only")
    words.add_argument("--share", type=float, default=1.0, help="of the full counts")
    words.add_argument("--hours", type=float, default=float("inf"), help="stop after so long")
    words.add_argument("--seed", help="with --fresh; drawn when not given")
    words.add_argument("--fresh", action="store_true", help="forget what was done")
    asked = words.parse_args()
    parts = asked.parts.split(",")
    if unknown := set(parts) - set(PARTS):
        words.error(f"no such part: {', '.join(sorted(unknown))}")
    if asked.fresh:
        shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    start = {"seed": asked.seed or str(secrets.randbelow(10**9)), "code": [], "seconds": 0.0}
    whole = Progress(FOLDER / "run.json", start)
    if asked.seed and asked.seed != whole["seed"]:
        words.error(f"seed {whole['seed']} is under way; --fresh begins anew")
    whole["code"] = sorted({*whole["code"], code_version()})
    whole.save()
    run = Run(whole["seed"], asked.share, time.monotonic() + asked.hours * 3600)
    tell(f"seed {run.seed}, code {code_version()}, parts {', '.join(parts)}")
    sys.exit(_run(parts, run))


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _run(parts: list[str], run: Run) -> int:
    # Told to stop in either way; one that was started in the background ignores Ctrl-C.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    began, is_stopped = time.monotonic(), False
    try:
        for part in parts:
            if not run.is_over:
                PARTS[part](run)
    except KeyboardInterrupt:
        is_stopped = True
        tell("stopped; the same command goes on from here")
    # Read anew: other parts may have run beside these.
    whole = Progress(FOLDER / "run.json", {})
    whole["seconds"] += round(time.monotonic() - began, 1)
    whole.save()
    told = summary.write(FOLDER)
    tell(told.text)
    if is_stopped:
        return 130
    return 0 if told.is_right else 1


if __name__ == "__main__":
    main()
