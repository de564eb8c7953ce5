"""Controls: the same harness where something must go wrong, to show that it would be seen."""

from collections.abc import Callable
from dataclasses import dataclass

from proving.faults import Round, as_json, ground, run_round, told
from proving.progress import Progress


@dataclass(frozen=True)
class Control:
    """One control: how it is run, and what it must find."""

    name: str
    engine: str
    faults: tuple[str, ...]
    finds: str
    keyless: bool = False
    careless: bool = False
    lost_answers: float = 0.05
    answers_first: int = 20


CONTROLS = (
    # Whoever tries again under a new key, because no answer came, is served twice.
    Control("A: no key", "sqlite", ("worker",) * 6, "doubled", keyless=True),
    Control("A: no key", "postgresql", ("worker", "backend") * 3, "doubled", keyless=True),
    # What was answered and not written yet is gone with the server.
    Control(
        "B: synchronous_commit = off", "postgresql", ("postgres",) * 4, "lost", careless=True
    ),
)
# Chance may spare a control once; a harness that sees nothing is not spared.
TRIES_MAX = 3


def run_controls(progress: Progress, tell: Callable[[str], None]) -> None:
    """Run the controls that have not been run, and keep what each found."""
    for control in CONTROLS[len(progress["controls"]) :]:
        progress["controls"] = [
            *progress["controls"],
            run_control(control, progress["seed"], tell),
        ]
        progress.save()


def run_control(control: Control, seed: str, tell: Callable[[str], None]) -> dict[str, object]:
    """Run one control until it finds what it must; is_found tells whether it ever did."""
    rounds = []
    with ground(control.engine, careless=control.careless) as place:
        for number in range(TRIES_MAX):
            asked = Round(
                control.engine,
                f"{seed}:{control.name[0]}{number}",
                control.faults,
                control.keyless,
                control.careless,
                lost_answers=control.lost_answers,
                answers_first=control.answers_first,
            )
            outcome = run_round(place, asked)
            rounds.append(as_json(outcome))
            tell(f"control {control.name}: {told(outcome)}")
            if rounds[-1][control.finds]:
                break
    return {
        "name": control.name,
        "engine": control.engine,
        "must find": control.finds,
        "is_found": bool(rounds[-1][control.finds]),
        "rounds": rounds,
    }
