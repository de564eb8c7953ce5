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
    models = [
        _model(name, engine, _read(folder / f"{name}-{engine}.json"))
        for name in ("model", "attendance", "market", "standings")
        for engine in ENGINES
    ]
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
    facts["fuzz"] = _fuzz(_read(folder / "fuzz.json"))
    races = [
        _last_item(engine, _read(folder / f"last-item-{engine}.json")) for engine in ENGINES
    ]
    facts["last item"] = [each for each in races if each]
    contests = [
        _schedulers(engine, _read(folder / f"schedulers-{engine}.json")) for engine in ENGINES
    ]
    facts["schedulers"] = [each for each in contests if each]
    years = [_year(engine, _read(folder / f"year-{engine}.json")) for engine in ENGINES]
    facts["year"] = [each for each in years if each]
    counted = [*facts["model"], *facts["faults"], *facts["last item"]]
    counted += [*facts["schedulers"], *facts["year"]]
    violations = sum(each["violations"] for each in counted)
    violations += sum(len(each["wrong"]) for each in facts["calls"])
    violations += sum(each["exit"] != 0 for each in facts["suite"])
    violations += facts["fuzz"].get("findings", 0)
    facts["violations"] = violations
    facts["is_right"] = violations == 0 and all(
        each["is_found"]
        for each in [
            *controls,
            *facts["fuzz"].get("controls", []),
            *facts["last item"],
            *facts["year"],
            *(control for each in facts["schedulers"] for control in each["controls"]),
        ]
    )
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


def _model(name: str, engine: str, kept: dict[str, Any]) -> dict[str, Any]:
    if not kept.get("chunks"):
        return {}
    return {
        "of": name,
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


def _last_item(engine: str, kept: dict[str, Any]) -> dict[str, Any]:
    if not kept:
        return {}
    control = kept["control"] or {"wrong": []}
    return {
        "engine": engine,
        "rounds": kept["rounds"],
        "per_second": round(kept["rounds"] / max(kept["seconds"], 0.001), 1),
        "seeds": f"{kept['seed']}:{engine}:0 to {kept['rounds'] - 1}",
        "won": dict(sorted(kept["won"].items())),
        "scenes": kept["scenes"],
        "is_found": bool(control["wrong"]),
        "without the guard": control["wrong"][:1],
        "violations": len(kept["failures"]),
        "failures": kept["failures"],
    }


def _last_item_lines(races: list[dict[str, Any]]) -> list[str]:
    lines = []
    for each in races:
        won = ", ".join(f"{count:,} by {way}" for way, count in each["won"].items())
        lines.append(
            f"last item on {each['engine']}: {each['rounds']:,} rounds of fifty"
            f" ({each['per_second']}/s), seeds {each['seeds']}, one winner each ({won}),"
            f" {each['violations']} violations; without the guard"
            f" {', '.join(each['without the guard']) or 'NOTHING WAS WRONG'}"
        )
    return lines


def _schedulers(engine: str, kept: dict[str, Any]) -> dict[str, Any]:
    rounds = kept.get("rounds", [])
    if not rounds:
        return {}
    wrong = [
        f"{each['seed']}: {word} {period}"
        for each in rounds
        for word in ("doubled", "lost")
        for period in each[word]
    ]
    return {
        "engine": engine,
        "seeds": f"{rounds[0]['seed']} to {rounds[-1]['seed']}",
        "kills": sum(each["kills"] for each in rounds),
        "leaders": sum(each["leaders"] for each in rounds),
        "periods": sum(each["periods"] for each in rounds),
        "controls": [
            {name: each[name] for name in ("weakened", "must find", "is_found")}
            | {"found": len(each[each["must find"]])}
            for each in kept["controls"]
        ],
        "violations": len(wrong),
        "wrong": wrong,
    }


def _schedulers_lines(contests: list[dict[str, Any]]) -> list[str]:
    lines = []
    for each in contests:
        lines.append(
            f"schedulers on {each['engine']}: {each['kills']} leaders of four killed,"
            f" {each['leaders']} led, {each['periods']:,} periods, seeds {each['seeds']},"
            f" {each['violations']} done twice or not at all"
        )
        lines += [
            f"control {control['weakened']} on {each['engine']}: {control['found']}"
            f" {control['must find']},"
            f" {'as it must be' if control['is_found'] else 'BUT NONE WAS SEEN'}"
            for control in each["controls"]
        ]
        lines += each["wrong"]
    return lines


def _year(engine: str, kept: dict[str, Any]) -> dict[str, Any]:
    if not kept.get("lives"):
        return {}
    (lives,), (control,) = kept["lives"], kept["control"]
    return {
        **lives,
        "engine": engine,
        "forgetful": sorted(control["wrong"]),
        "is_found": bool(control["wrong"]),
        "violations": len(lives["wrong"]),
    }


def _fuzz(kept: dict[str, Any]) -> dict[str, Any]:
    stretches = kept.get("stretches", [])
    controls = kept.get("controls", [])
    tried: Counter[str] = Counter()
    good: Counter[str] = Counter()
    for each in stretches:
        tried[each["name"]] += each["inputs"]
        good[each["name"]] += sum(each["good"].values())
    if not stretches and not controls:
        return {}
    return {
        "minutes": round(sum(each["seconds"] for each in stretches) / 60, 1),
        "is_guided": all(each["is_guided"] for each in stretches),
        "seeds": [each["seed"] for each in stretches],
        "texts": dict(tried),
        "good": dict(good),
        "findings": sum(sum(each["wrong"].values()) for each in stretches),
        "wrong": [
            f"{each['seed']} {name}: {why}: {json.dumps(text)}"
            for each in stretches
            for name, texts in [(each["name"], each["texts"])]
            for why, found in texts.items()
            for text in found
        ],
        "controls": [
            {name: each[name] for name in ("check", "name", "is_found", "inputs")}
            for each in controls
        ],
    }


def _fuzz_lines(found: dict[str, Any]) -> list[str]:
    if not found:
        return []
    tried = ", ".join(
        f"{count:,} at {name} ({found['good'][name]:,} good)"
        for name, count in found["texts"].items()
    )
    seeds = (
        f"seeds {found['seeds'][0]} to {found['seeds'][-1]}" if found["seeds"] else "no seed"
    )
    how = "guided by coverage" if found["is_guided"] else "drawn by dice alone"
    shown = [each for each in found["controls"] if each["is_found"]]
    missed = [each["check"] for each in found["controls"] if not each["is_found"]]
    findings = f"{found['findings']} findings"
    return [
        f"fuzz: {found['minutes']} minutes, {how}, {seeds}: {tried or 'no text'}; {findings}",
        f"fuzz controls: {len(shown)} of {len(found['controls'])} removed checks found out"
        + (f", BUT NOT {', '.join(missed)}" if missed else ""),
        *found["wrong"],
    ]


def _found(control: dict[str, Any]) -> int:
    return sum(each[f"{control['must find']}_in_all"] for each in control["rounds"])


def _lines(facts: dict[str, Any]) -> list[str]:
    lines = [
        f"seed {facts['seed']}, code {', '.join(facts['code'])}, {facts['hours']} hours in all"
    ]
    lines += [
        f"{m['of']} on {m['engine']}: {m['operations']:,} operations ({m['per_second']:,}/s),"
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
    lines += _last_item_lines(facts["last item"])
    lines += _schedulers_lines(facts["schedulers"])
    lines += [
        f"year on {each['engine']}: {each['days']} days from {each['first']} lived twice, seed"
        f" {each['seed']}, {sum(each['rows'].values()):,} rows compared, {each['violations']}"
        f" tables differ; where what was missed is forgotten"
        f" {', '.join(each['forgetful']) or 'NOTHING DIFFERED'}"
        for each in facts["year"]
    ]
    lines += _fuzz_lines(facts["fuzz"])
    return [*lines, "all is right" if facts["is_right"] else "NOT RIGHT"]
