"""What all runs so far have shown, in a file for programs and one for people."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.databases import ENGINES


@dataclass(frozen=True)
class Summary:
    """The words for people, and whether nothing was wrong and every control failed."""

    text: str
    is_right: bool


def write(folder: Path) -> Summary:
    """Write summary.json and summary.txt."""
    whole = _read(folder / "run.json")
    models = [_model(engine, _read(folder / f"model-{engine}.json")) for engine in ENGINES]
    rounds = [_faults(engine, _read(folder / f"faults-{engine}.json")) for engine in ENGINES]
    controls = [
        {"name": each["name"], "engine": each["engine"], "must find": each["must find"]}
        | {"is_found": each["is_found"], "found": _found(each)}
        for each in _read(folder / "controls.json").get("controls", [])
    ]
    calls = _read(folder / "calls.json").get("reports", {})
    facts = {
        "seed": whole["seed"],
        "code": whole["code"],
        "hours": round(whole["seconds"] / 3600, 2),
        "model": [each for each in models if each],
        "faults": [each for each in rounds if each],
        "calls": [each for found in calls.values() for each in found],
        "suite": [
            {"exit": each["exit"], "said": each["said"]}
            for each in _read(folder / "suite.json").get("ran", [])
        ],
        "controls": controls,
    }
    violations = sum(each["violations"] for each in [*facts["model"], *facts["faults"]])
    violations += sum(len(each["wrong"]) for each in facts["calls"])
    violations += sum(each["exit"] != 0 for each in facts["suite"])
    facts["violations"] = violations
    facts["is_right"] = violations == 0 and all(each["is_found"] for each in controls)
    (folder / "summary.json").write_text(json.dumps(facts, ensure_ascii=False, indent=1))
    text = "\n".join(_lines(facts))
    (folder / "summary.txt").write_text(text + "\n")
    return Summary(text, facts["is_right"])


def calls_line(report: dict[str, Any]) -> str:
    """Return what crashes at each call of a flow have left, in a line."""
    return (
        f"{report['flow']}: {report['calls']} crashes, {report['kept_nothing']} kept nothing,"
        f" {report['kept_all']} all, {len(report['wrong'])} wrong"
    )


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.exists() else {}


def _model(engine: str, kept: dict[str, Any]) -> dict[str, Any]:
    if not kept.get("chunks"):
        return {}
    return {
        "engine": engine,
        "operations": kept["operations"],
        "per_second": round(kept["operations"] / max(kept["seconds"], 0.001)),
        "seeds": f"{kept['seed']}:0 to {kept['seed']}:{kept['chunks'] - 1}",
        "violations": len(kept["failures"]),
        "failures": kept["failures"],
    }


def _faults(engine: str, kept: dict[str, Any]) -> dict[str, Any]:
    rounds = kept.get("rounds", [])
    if not rounds:
        return {}
    killed: Counter[str] = Counter()
    later: Counter[str] = Counter()
    for each in rounds:
        killed.update(each["faults"])
        later.update(each["later"])
    wrong = [
        f"{each['seed']}: {found}"
        for each in rounds
        for found in (*each["lost"], *each["doubled"], *each["wrong"])
    ]
    return {
        "engine": engine,
        "rounds": len(rounds),
        "seeds": f"{rounds[0]['seed']} to {rounds[-1]['seed']}",
        "killed": dict(sorted(killed.items())),
        "faults": sum(killed.values()),
        "missed": sum(each["faults_missed"] for each in rounds),
        "acknowledged": sum(each["acknowledged"] for each in rounds),
        "lost": sum(each["lost_in_all"] for each in rounds),
        "doubled": sum(each["doubled_in_all"] for each in rounds),
        "unknown_in_the_end": sum(
            count
            for each in rounds
            for name, count in each["outcomes"].items()
            if name.endswith(" unknown") and not name.startswith("look")
        ),
        "answered later": dict(sorted(later.items())),
        "started again by the supervisor": sum(each["started_again"] for each in rounds),
        "reads": sum(each["reads"] for each in rounds),
        "recovery_p50": sorted(each["recovery_p50"] for each in rounds)[len(rounds) // 2],
        "recovery_max": max(each["recovery_max"] for each in rounds),
        "violations": len(wrong),
        "wrong": wrong,
    }


def _found(control: dict[str, Any]) -> int:
    return sum(each[f"{control['must find']}_in_all"] for each in control["rounds"])


def _lines(facts: dict[str, Any]) -> list[str]:
    lines = [
        f"seed {facts['seed']}, code {', '.join(facts['code'])}, {facts['hours']} hours in all"
    ]
    lines += [
        f"model on {m['engine']}: {m['operations']:,} operations ({m['per_second']:,}/s),"
        f" seeds {m['seeds']}, {m['violations']} violations"
        for m in facts["model"]
    ]
    for each in facts["faults"]:
        killed = ", ".join(f"{count} {kind}" for kind, count in each["killed"].items())
        lines.append(
            f"faults on {each['engine']}: {each['faults']} ({killed})"
            f" in {each['rounds']} rounds, seeds {each['seeds']};"
            f" {each['acknowledged']:,} acknowledged, {each['lost']} lost,"
            f" {each['doubled']} doubled, {each['reads']:,} reads; answered again after"
            f" {each['recovery_p50']} s (p50), {each['recovery_max']} s (max);"
            f" {each['violations']} violations"
        )
    lines += [f"calls on {each['engine']}: {calls_line(each)}" for each in facts["calls"]]
    lines += [f"suite: {each['said']}" for each in facts["suite"]]
    lines += [
        f"control {each['name']} on {each['engine']}: {each['found']} {each['must find']},"
        f" {'as it must be' if each['is_found'] else 'BUT NONE WAS SEEN'}"
        for each in facts["controls"]
    ]
    return [*lines, "all is right" if facts["is_right"] else "NOT RIGHT"]
