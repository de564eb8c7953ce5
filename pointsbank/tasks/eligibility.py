"""Who may take part: a tree of rules, judged for one person, with the easiest way to fit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from pointsbank.members.models import MEMBER_KINDS
from pointsbank.tasks.errors import BadEligibility

Tree = Mapping[str, Any]
Leaf = dict[str, Any]

# What a person would have to do for it: tell something is light, become somebody else is not.
AGE_NOT_TOLD, SKILL_TOLD, TRUST, TRAINING, SKILL_CONFIRMED = 10, 20, 30, 50, 60
ORGANIZATION, KIND, AGE = 90, 95, 100

AGE_MAX = 120
TRUST_MAX = 3
CODE_LENGTH_MAX = 24
PATH_LENGTH_MAX = 200
# A tree that a person could read aloud; more is a mistake or an attack.
DEPTH_MAX = 5
LEAVES_MAX = 24
ALTERNATIVES_MAX = 16


@dataclass(frozen=True)
class Person:
    """What is known of a person when rules are judged; age None: not told.

    path: of their organization. skills: all they told; confirmed: those that somebody
    confirmed. trainings: those still valid. trust: 0 to 3.
    """

    member_id: int
    age: int | None
    kind: str
    path: str
    skills: frozenset[str] = frozenset()
    confirmed: frozenset[str] = frozenset()
    trainings: frozenset[str] = frozenset()
    trust: int = 0


@dataclass(frozen=True)
class Fitness:
    """The judgement; missing: the leaves of the easiest way in, the hardest first.

    A leaf about an age that was never told carries is_told: False.
    """

    is_eligible: bool
    missing: tuple[Leaf, ...] = ()


def judge_eligibility(tree: Tree, person: Person) -> Fitness:
    """Tell whether a person fulfils a tree, and otherwise what is missing on the easiest way.

    A tree is rewritten to its alternatives, each a set of leaves that suffices. The easiest
    is the one whose hardest missing leaf is lightest, among equals the one with fewer missing
    leaves, then the one written first. Whoever gets exactly what is missing, and keeps the
    rest, is eligible. The tree was checked before.
    """
    if is_fulfilled(tree, person):
        return Fitness(is_eligible=True)
    ways = [
        tuple(leaf for leaf in way if not _holds(leaf, person)) for way in alternatives(tree)
    ]
    if not ways:
        # Together they exclude each other: what the task and the role ask for cannot both be.
        ways = [tuple(leaf for leaf in leaves_of(tree) if not _holds(leaf, person))]
    easiest = min(ways, key=lambda way: _effort(way, person))
    ordered = sorted(easiest, key=lambda leaf: -_weight(leaf, person))
    return Fitness(
        is_eligible=False, missing=tuple(_as_missing(leaf, person) for leaf in ordered)
    )


def is_fulfilled(tree: Tree, person: Person) -> bool:
    """Tell whether a person fulfils a tree that was checked before."""
    if not tree:
        return True
    if "all" in tree:
        return all(is_fulfilled(branch, person) for branch in tree["all"])
    if "any" in tree:
        return any(is_fulfilled(branch, person) for branch in tree["any"])
    return _holds(tree, person)


def both(task_tree: Tree, role_tree: Tree) -> dict[str, Any]:
    """Return the tree that asks for what the task and what the role ask for."""
    wanted = [tree for tree in (task_tree, role_tree) if tree]
    if not wanted:
        return {}
    return dict(wanted[0]) if len(wanted) == 1 else {"all": wanted}


def leaves_of(tree: Tree) -> list[Leaf]:
    """Return the leaves of a tree in the order in which they are written, each once."""
    if not tree:
        return []
    if "rule" in tree:
        return [dict(tree)]
    found: list[Leaf] = []
    for branch in tree.get("all") or tree.get("any") or ():
        found += [leaf for leaf in leaves_of(branch) if leaf not in found]
    return found


def alternatives(tree: Tree) -> list[tuple[Leaf, ...]]:
    """Return the sets of leaves each of which suffices, without those nobody could fulfil.

    Leaves of one set that ask for the same in two degrees are joined into one.
    """
    return [way for way in map(_condensed, _ways(tree)) if way is not None]


def _ways(tree: Tree) -> list[tuple[Leaf, ...]]:
    if not tree:
        return [()]
    if "rule" in tree:
        return [(dict(tree),)]
    if "any" in tree:
        return [way for branch in tree["any"] for way in _ways(branch)]
    parts = [_ways(branch) for branch in tree["all"]]
    return [tuple(leaf for way in chosen for leaf in way) for chosen in product(*parts)]


def _condensed(way: Iterable[Leaf]) -> tuple[Leaf, ...] | None:
    """Join what asks for the same; None where no one person could have all of it."""
    kept: dict[tuple[str, str], Leaf] = {}
    for leaf in way:
        about = leaf["rule"], leaf.get("code", "")
        joined = _joined(kept[about], leaf) if about in kept else leaf
        if joined is None:
            return None
        kept[about] = joined
    return tuple(kept.values())


def _joined(one: Leaf, other: Leaf) -> Leaf | None:
    """Return the one leaf that asks for what both ask for, None where they exclude each other.

    A person has one age, one kind and one place, so that getting what the one asks for must not
    lose the other.
    """
    match one["rule"]:
        case "age":
            (least, most), (low, high) = _ages(one), _ages(other)
            bounds = {"min": max(least, low), "max": min(most, high)}
            named = {"min", "max"} & (set(one) | set(other))
            joined = {"rule": "age", **{name: bounds[name] for name in sorted(named)}}
            return joined if bounds["min"] <= bounds["max"] else None
        case "skill":
            return one if one.get("confirmed", False) else other
        case "kind":
            kinds = [kind for kind in one["in"] if kind in other["in"]]
            return {"rule": "kind", "in": kinds} if kinds else None
        case "organization":
            longer, shorter = sorted((one, other), key=lambda leaf: -len(leaf["path"]))
            return longer if longer["path"].startswith(shorter["path"]) else None
        case "trust":
            return max(one, other, key=lambda leaf: int(leaf["min"]))
    return one


def _ages(leaf: Tree) -> tuple[int, int]:
    return leaf.get("min", 0), leaf.get("max", AGE_MAX)


def _holds(leaf: Tree, person: Person) -> bool:
    match leaf["rule"]:
        case "age":
            low, high = _ages(leaf)
            # People grow older than the highest age that a rule can name.
            return person.age is not None and low <= min(person.age, AGE_MAX) <= high
        case "skill":
            held = person.confirmed if leaf.get("confirmed", False) else person.skills
            return bool(leaf["code"] in held)
        case "kind":
            return bool(person.kind in leaf["in"])
        case "organization":
            return bool(person.path.startswith(leaf["path"]))
        case "training":
            return bool(leaf["code"] in person.trainings)
        case "trust":
            return bool(person.trust >= leaf["min"])
    raise ValueError(f"no such rule: {leaf['rule']}")


def _effort(way: tuple[Leaf, ...], person: Person) -> tuple[int, int]:
    return max(_weight(leaf, person) for leaf in way), len(way)


def _weight(leaf: Leaf, person: Person) -> int:
    if leaf["rule"] == "age":
        return AGE_NOT_TOLD if person.age is None else AGE
    if leaf["rule"] == "skill":
        return SKILL_CONFIRMED if leaf.get("confirmed", False) else SKILL_TOLD
    weights = {"trust": TRUST, "training": TRAINING, "organization": ORGANIZATION, "kind": KIND}
    return weights[leaf["rule"]]


def _as_missing(leaf: Leaf, person: Person) -> Leaf:
    if leaf["rule"] == "age" and person.age is None:
        return {**leaf, "is_told": False}
    if leaf["rule"] == "skill" and leaf.get("confirmed", False):
        return {**leaf, "is_told": leaf["code"] in person.skills}
    return leaf


def check_tree(tree: Any) -> None:
    """Accept a tree of known rules that is not too large and that somebody could fulfil.

    Raises BadEligibility.
    """
    leaves, ways = _measured(tree, DEPTH_MAX)
    if leaves > LEAVES_MAX or ways > ALTERNATIVES_MAX:
        raise BadEligibility("These are too many requirements. Please ask for less.")
    if not alternatives(tree):
        raise BadEligibility("Nobody could fulfil all of this together.")


def _measured(tree: Any, depth: int) -> tuple[int, int]:
    """Return how many leaves and alternatives a tree has, counted without writing them out."""
    if not isinstance(tree, dict) or depth < 1:
        raise BadEligibility
    if not tree:
        return 0, 1
    if "rule" in tree:
        _check_leaf(tree)
        return 1, 1
    if len(tree) != 1 or not set(tree) <= {"all", "any"}:
        raise BadEligibility
    ((word, branches),) = tree.items()
    if not isinstance(branches, list) or not 1 <= len(branches) <= LEAVES_MAX:
        raise BadEligibility
    measured = [_measured(branch, depth - 1) for branch in branches]
    ways = 1 if word == "all" else 0
    for _, each in measured:
        ways = ways * each if word == "all" else ways + each
    return sum(leaves for leaves, _ in measured), ways


def _check_leaf(leaf: Leaf) -> None:
    checks = LEAVES.get(leaf["rule"]) if isinstance(leaf["rule"], str) else None
    if checks is None or set(leaf) - {"rule"} - set(checks.known):
        raise BadEligibility
    if not checks.needed <= set(leaf) or len(leaf) < 2:
        raise BadEligibility
    if not all(checks.known[name](leaf[name]) for name in leaf if name != "rule"):
        raise BadEligibility
    if leaf["rule"] == "age" and leaf.get("min", 0) > leaf.get("max", AGE_MAX):
        raise BadEligibility("The youngest age is above the oldest.")


def _is_age(value: Any) -> bool:
    return type(value) is int and 0 <= value <= AGE_MAX


def _is_code(value: Any) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= CODE_LENGTH_MAX


def _is_path(value: Any) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= PATH_LENGTH_MAX
        and value.startswith("/")
        and value.endswith("/")
        and all(part.isascii() and part.isdigit() for part in value.split("/")[1:-1])
    )


def _are_kinds(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) > 0
        and all(isinstance(kind, str) and kind in MEMBER_KINDS for kind in value)
    )


def _is_trust(value: Any) -> bool:
    return type(value) is int and 1 <= value <= TRUST_MAX


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


@dataclass(frozen=True)
class LeafForm:
    """What a leaf may hold and must hold."""

    known: Mapping[str, Any]
    needed: frozenset[str] = frozenset()


LEAVES: Mapping[str, LeafForm] = {
    "age": LeafForm({"min": _is_age, "max": _is_age}),
    "skill": LeafForm({"code": _is_code, "confirmed": _is_flag}, frozenset({"code"})),
    "kind": LeafForm({"in": _are_kinds}, frozenset({"in"})),
    "organization": LeafForm({"path": _is_path}, frozenset({"path"})),
    "training": LeafForm({"code": _is_code}, frozenset({"code"})),
    "trust": LeafForm({"min": _is_trust}, frozenset({"min"})),
}
