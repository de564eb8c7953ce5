"""The plain fields of a form that stand for a tree of rules, there and back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pointsbank.core.text import halfwidth
from pointsbank.tasks.eligibility import AGE_MAX, Leaf, Tree, check_tree
from pointsbank.tasks.errors import BadEligibility

TYPED_MAX = 20
TREE_TYPED_MAX = 8000
CHOICES_MAX = 40


@dataclass(frozen=True)
class EligibilityFields:
    """What a form asks about who may take part, as typed or chosen; all empty: everyone may.

    training, trust: one code, or one of "1", "2", "3". other: a tree that these fields cannot
    say, as JSON; it is kept as it is and the other fields stay empty.
    """

    age_min: str = ""
    age_max: str = ""
    skills: tuple[str, ...] = ()
    is_confirmed: bool = False
    kinds: tuple[str, ...] = ()
    training: str = ""
    trust: str = ""
    other: str = ""


def fields_typed(lists: Mapping[str, Sequence[str]], prefix: str = "") -> EligibilityFields:
    """Return the fields of a form as typed.

    lists: every value of each name, as request.form.to_dict(flat=False) gives it. prefix: what
    stands before each name where one page has several, as the template's macro was given it.
    """

    def all_of(name: str) -> tuple[str, ...]:
        values = lists.get(f"{prefix}eligibility_{name}", ())
        return tuple(value[:TYPED_MAX].strip() for value in values[:CHOICES_MAX] if value)

    def one_of(name: str) -> str:
        return next(iter(all_of(name)), "")

    tree = next(iter(lists.get(f"{prefix}eligibility_tree", ())), "")
    return EligibilityFields(
        age_min=one_of("age_min"),
        age_max=one_of("age_max"),
        skills=all_of("skill"),
        is_confirmed=bool(one_of("confirmed")),
        kinds=all_of("kind"),
        training=one_of("training"),
        trust=one_of("trust"),
        other=tree[: TREE_TYPED_MAX + 1],
    )


def tree_of_form(fields: EligibilityFields) -> dict[str, Any]:
    """Return the tree that these fields stand for, {} where they ask for nothing.

    Whether its skills and trainings exist is fitness.check_eligibility's to say.
    Raises BadEligibility.
    """
    if fields.other:
        return _kept(fields.other)
    leaves: list[Leaf] = []
    ages = {
        name: _age(typed)
        for name, typed in (("min", fields.age_min), ("max", fields.age_max))
        if typed
    }
    if ages:
        leaves.append({"rule": "age", **ages})
    for code in dict.fromkeys(fields.skills):
        more = {"confirmed": True} if fields.is_confirmed else {}
        leaves.append({"rule": "skill", "code": code, **more})
    if fields.kinds:
        leaves.append({"rule": "kind", "in": list(dict.fromkeys(fields.kinds))})
    if fields.training:
        leaves.append({"rule": "training", "code": fields.training})
    if fields.trust:
        leaves.append({"rule": "trust", "min": _trust(fields.trust)})
    tree = _tree(leaves)
    check_tree(tree)
    return tree


def fields_of_tree(tree: Tree) -> EligibilityFields:
    """Return the fields that stand for a tree, so that its form can be shown again."""
    leaves = tree.get("all", [tree] if tree else [])
    fields = _fields(leaves) if all("rule" in leaf for leaf in leaves) else None
    if fields is None or not _says_the_same(fields, leaves):
        return EligibilityFields(other=json.dumps(tree, ensure_ascii=False, sort_keys=True))
    return fields


def _fields(leaves: Sequence[Tree]) -> EligibilityFields | None:
    by_rule: dict[str, list[Tree]] = {}
    for leaf in leaves:
        by_rule.setdefault(leaf["rule"], []).append(leaf)
    skills = by_rule.pop("skill", [])
    if "organization" in by_rule or any(len(found) > 1 for found in by_rule.values()):
        return None
    only = {rule: found[0] for rule, found in by_rule.items()}
    age = only.get("age", {})
    return EligibilityFields(
        age_min=str(age.get("min", "")),
        age_max=str(age.get("max", "")),
        skills=tuple(leaf["code"] for leaf in skills),
        is_confirmed=any(leaf.get("confirmed", False) for leaf in skills),
        kinds=tuple(only.get("kind", {}).get("in", ())),
        training=only.get("training", {}).get("code", ""),
        trust=str(only.get("trust", {}).get("min", "")),
    )


def _says_the_same(fields: EligibilityFields, leaves: Sequence[Tree]) -> bool:
    """Tell whether the fields lead back to these leaves, whatever their order."""
    again = tree_of_form(fields)
    said = again.get("all", [again] if again else [])

    def plain(found: Sequence[Tree]) -> list[str]:
        kept = ({k: v for k, v in leaf.items() if v is not False} for leaf in found)
        return sorted(json.dumps(leaf, sort_keys=True) for leaf in kept)

    return plain(said) == plain(leaves)


def _tree(leaves: list[Leaf]) -> dict[str, Any]:
    if len(leaves) > 1:
        return {"all": leaves}
    return leaves[0] if leaves else {}


def _kept(text: str) -> dict[str, Any]:
    if len(text) > TREE_TYPED_MAX:
        raise BadEligibility
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadEligibility from error
    check_tree(tree)
    return dict(tree)


def _age(typed: str) -> int:
    text = halfwidth(typed)
    if not _is_whole(text) or int(text) > AGE_MAX:
        raise BadEligibility("An age is a whole number of years, up to 120.")
    return int(text)


def _trust(typed: str) -> int:
    if not _is_whole(typed):
        raise BadEligibility
    return int(typed)


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit()
