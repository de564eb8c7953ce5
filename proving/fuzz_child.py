"""One stretch of fuzzing, in a process of its own.

proving/fuzz.py starts it with an Order as JSON and reads the report, which is written all
along: libFuzzer ends the process itself, and nothing can be done after that. Where Atheris is
not to be had, the same texts are drawn by dice, without a look at which lines they reach.
"""

import inspect
import json
import os
import random
import sys
import zlib
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType

from pointsbank.app import create_app
from pointsbank.attendance import codes as attendance_codes
from pointsbank.attendance import policy
from pointsbank.core import codes as core_codes
from pointsbank.core import keys, text
from pointsbank.members import codes as member_codes
from pointsbank.members import showing
from proving.code_doors import doors
from proving.code_reading import complaints
from proving.genuine import World
from proving.hostile import Draw, mutated
from proving.weakened import without
from tests.databases import settings_for

try:
    import atheris
except ImportError:
    atheris = None

GUIDED = (attendance_codes, core_codes, keys, member_codes, policy, showing, text)
INPUT_BYTES_MAX = 1024
INPUT_SECONDS_MAX = 60
TEXTS_KEPT_EACH = 3
# Each save is a write to disk; a text at the doors takes a hundred times as long as one read.
SAVE_EVERY = {"readers": 2000, "offline": 2000, "doors": 10}
RAW = 1


@dataclass(frozen=True)
class Order:
    """What is fuzzed, for how long, from which seed and corpus, and where the report goes.

    target: readers, offline (as a station without a network reads them) or doors. check: one
    of the checks that the readers go without, for a control, which ends at its first finding.
    """

    target: str
    seed: str
    seconds: int
    report: str
    corpus: str
    database_url: str = ""
    check: str | None = None


@dataclass
class Report:
    """How many texts were tried, how many of them were good by kind, and what was wrong."""

    inputs: int = 0
    good: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    texts: dict[str, list[str]] = field(default_factory=dict)
    is_guided: bool = atheris is not None

    def save(self, path: Path) -> None:
        """Write the file so that whoever reads it sees a whole one."""
        partial = path.with_suffix(".part")
        partial.write_text(json.dumps(vars(self)))
        partial.rename(path)


class Bytes:
    """Chance that a fuzzer decides: two bytes a number, nothing but zeros after the end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __call__(self, bound: int) -> int:
        """Return a number from 0 to bound - 1."""
        part = self._data[self._at : self._at + 2]
        self._at += 2
        return int.from_bytes(part, "big") % bound


def text_of(world: World, data: bytes) -> str:
    """Return the text that a fuzzer's bytes stand for: as they are, or as changes of a code."""
    if data[:1] == bytes([RAW]):
        return data[1:].decode("utf-8", "surrogatepass" if is_text(data[1:]) else "replace")
    return mutated(world, Bytes(data[1:]))


def is_text(data: bytes) -> bool:
    """Tell whether bytes are UTF-8, half surrogate pairs let through."""
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def raw_input(text: str) -> bytes:
    """Return the bytes that text_of reads as this text."""
    return bytes([RAW]) + text.encode("utf-8", "surrogatepass")


class Trial:
    """Tries texts one after the other and keeps the report."""

    def __init__(
        self, order: Order, world: World, complain: Callable[[World, str], list[str]]
    ) -> None:
        self.order = order
        self.world = world
        self.report = Report()
        self._complain = complain
        self._path = Path(order.report)

    def __call__(self, data: bytes) -> None:
        """Try the text that these bytes stand for."""
        self.attempt(text_of(self.world, data))

    def attempt(self, text: str) -> None:
        """Try one text; a control is over with its first finding."""
        report = self.report
        report.inputs += 1
        meaning = self.world.meaning(text)
        if meaning is not None:
            report.good[meaning.kind] += 1
        found = self._complain(self.world, text)
        for why in found:
            report.wrong[why] += 1
            kept = report.texts.setdefault(why, [])
            if len(kept) < TEXTS_KEPT_EACH:
                kept.append(text)
        if found or report.inputs % SAVE_EVERY[self.order.target] == 0:
            report.save(self._path)
        if found and self.order.check is not None:
            os._exit(0)


def guide(module: ModuleType) -> None:
    """Let libFuzzer see which branches of a module's functions are taken."""
    classes = [each for each in vars(module).values() if inspect.isclass(each)]
    for owner in (module, *(each for each in classes if each.__module__ == module.__name__)):
        for function in list(vars(owner).values()):
            if inspect.isfunction(function) and function.__module__ == module.__name__:
                atheris.instrument_func(function)


def fuzz(order: Order, trial: Trial) -> None:
    """Try texts until the time is over; with Atheris it never returns."""
    if atheris is None:
        draw_texts(order, trial)
        return
    for module in GUIDED:
        guide(module)
    number = zlib.crc32(order.seed.encode()) or 1
    options = {
        "seed": number,
        "max_total_time": order.seconds,
        "max_len": INPUT_BYTES_MAX,
        "timeout": INPUT_SECONDS_MAX,
        "rss_limit_mb": 0,
        "len_control": 0,
        "print_final_stats": 1,
        "artifact_prefix": order.report,
    }
    words = [f"-{name}={value}" for name, value in options.items()]
    atheris.Setup([sys.argv[0], order.corpus, *words], trial)
    atheris.Fuzz()


def draw_texts(order: Order, trial: Trial) -> None:
    """Try texts drawn by dice until the time is over."""
    draw: Draw = random.Random(order.seed).randrange
    # The clock that programs read may be standing still.
    until = os.times().elapsed + order.seconds
    while os.times().elapsed < until:
        trial.attempt(mutated(trial.world, draw))
    trial.report.save(Path(order.report))


def main() -> None:
    """Carry out the order that stands on the command line."""
    order = Order(**json.loads(sys.argv[1]))
    world = World(offline=order.target == "offline")
    with ExitStack() as stack:
        stack.enter_context(without(order.check) if order.check else nullcontext())
        if order.target != "doors":
            fuzz(order, Trial(order, world, complaints))
            return
        app = create_app(replace(settings_for(order.database_url), log_level="CRITICAL"))
        opened = stack.enter_context(doors(app, world))
        fuzz(order, Trial(order, opened.world, lambda _world, text: opened.tried(text)))


if __name__ == "__main__":
    main()
