"""What a task asks of people, and what is missing, said to a person of seventy."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.core.db import glance
from pointsbank.members.models import Skill, Training
from pointsbank.members.schemas import KIND_WORDS
from pointsbank.tasks.eligibility import Leaf, Tree, leaves_of
from pointsbank.tasks.fitness import TRUST_SERVICES, Names, names_of
from pointsbank.web.languages import locale_name

Say = Callable[[Leaf, Names], str]


def missing_words(
    missing: Iterable[Mapping[str, Any]], names: Names | None = None
) -> list[str]:
    """Return a sentence for each leaf of Fitness.missing: what is needed, and where to get it.

    names: what fitness.names_of found for all of a list at once; looked up when not given.
    """
    leaves = [dict(leaf) for leaf in missing]
    known = names if names is not None else _looked_up(leaves)
    return [MISSING[leaf["rule"]](leaf, known) for leaf in leaves]


def requirement_words(tree: Tree, names: Names | None = None) -> list[str]:
    """Return what a tree asks for, one phrase a requirement; none when everyone may take part.

    Where one of several is enough, they stand in one phrase. names: as for missing_words.
    """
    known = names if names is not None else _looked_up(leaves_of(tree))
    if not tree:
        return []
    return [_phrase(branch, known) for branch in tree.get("all", [tree])]


def eligibility_options(session: Session) -> dict[str, list[tuple[str, str]]]:
    """Return what the fields of the form offer: skills, kinds, trainings and steps of trust,
    each as (value, word)."""
    skill_name = Skill.name_zh if locale_name() == "zh" else Skill.name
    return {
        "skills": [
            (row[0], row[1])
            for row in session.execute(select(Skill.code, skill_name).order_by(Skill.id))
        ],
        "kinds": [(kind, str(word)) for kind, word in KIND_WORDS.items()],
        "trainings": [
            (row[0], row[1])
            for row in session.execute(
                select(Training.code, Training.name).order_by(Training.name, Training.id)
            )
        ],
        "trusts": [
            (str(step), str(gettext("At least %(count)s services in a year", count=services)))
            for step, services in enumerate(TRUST_SERVICES, start=1)
        ],
    }


def _looked_up(leaves: list[Leaf]) -> Names:
    if not any(leaf["rule"] in ("skill", "training", "organization") for leaf in leaves):
        return Names()
    with glance() as connection:
        return names_of(connection, leaves)


def _phrase(tree: Tree, names: Names) -> str:
    if "any" in tree:
        either = str(gettext(" or ")).join(_phrase(branch, names) for branch in tree["any"])
        return str(gettext("one of these: %(either)s", either=either))
    if "all" in tree:
        return str(gettext(" and ")).join(_phrase(branch, names) for branch in tree["all"])
    return ASKED[tree["rule"]](dict(tree), names) if tree else str(gettext("nothing more"))


def _ages(leaf: Leaf) -> str:
    if "max" not in leaf:
        return str(gettext("%(least)s years or older", least=leaf["min"]))
    if "min" not in leaf:
        return str(gettext("%(most)s years or younger", most=leaf["max"]))
    return str(gettext("%(least)s to %(most)s years", least=leaf["min"], most=leaf["max"]))


def _skill(leaf: Leaf, names: Names) -> str:
    both = names.skills.get(leaf["code"])
    if both is None:
        return str(leaf["code"])
    return both[1] if locale_name() == "zh" else both[0]


def _asked_skill(leaf: Leaf, names: Names) -> str:
    skill = _skill(leaf, names)
    if leaf.get("confirmed", False):
        return str(gettext("%(skill)s, confirmed", skill=skill))
    return skill


def _kinds(leaf: Leaf, _names: Names) -> str:
    return str(gettext(" or ")).join(str(KIND_WORDS[kind]) for kind in leaf["in"])


def _organization(leaf: Leaf, names: Names) -> str:
    found = names.organizations.get(leaf["path"])
    return found if found is not None else str(gettext("another organization"))


def _training(leaf: Leaf, names: Names) -> str:
    return names.trainings.get(leaf["code"], leaf["code"])


def _missing_age(leaf: Leaf, _names: Names) -> str:
    if leaf.get("is_told", True):
        return str(gettext("Only for people of %(ages)s.", ages=_ages(leaf)))
    return str(
        gettext(
            "Needed: your date of birth, because this is for people of %(ages)s. Enter it under"
            " My skills and trainings.",
            ages=_ages(leaf),
        )
    )


def _missing_skill(leaf: Leaf, names: Names) -> str:
    skill = _skill(leaf, names)
    if not leaf.get("confirmed", False):
        return str(
            gettext(
                "Needed: %(skill)s. If you can do it, say so under My skills and trainings.",
                skill=skill,
            )
        )
    if leaf.get("is_told", False):
        return str(
            gettext(
                "Needed: %(skill)s (not confirmed yet; show your branch the proof).",
                skill=skill,
            )
        )
    return str(
        gettext(
            "Needed: %(skill)s, confirmed. Say it under My skills and trainings, then show your"
            " branch the proof.",
            skill=skill,
        )
    )


def _missing_training(leaf: Leaf, names: Names) -> str:
    return str(
        gettext(
            "Needed: the training %(training)s. Ask your branch when it is held next.",
            training=_training(leaf, names),
        )
    )


def _services(leaf: Leaf) -> int:
    return TRUST_SERVICES[leaf["min"] - 1]


def _missing_trust(leaf: Leaf, _names: Names) -> str:
    return str(
        gettext(
            "Needed: at least %(count)s services in the past year, and no places let go late."
            " Take part in some others first.",
            count=_services(leaf),
        )
    )


def _missing_kind(leaf: Leaf, names: Names) -> str:
    return str(gettext("Only for: %(kinds)s.", kinds=_kinds(leaf, names)))


def _missing_organization(leaf: Leaf, names: Names) -> str:
    return str(
        gettext("Only for people of %(organization)s.", organization=_organization(leaf, names))
    )


def _asked_training(leaf: Leaf, names: Names) -> str:
    return str(gettext("training %(training)s", training=_training(leaf, names)))


def _asked_trust(leaf: Leaf, _names: Names) -> str:
    return str(gettext("at least %(count)s services in the past year", count=_services(leaf)))


MISSING: Mapping[str, Say] = {
    "age": _missing_age,
    "skill": _missing_skill,
    "training": _missing_training,
    "trust": _missing_trust,
    "kind": _missing_kind,
    "organization": _missing_organization,
}
ASKED: Mapping[str, Say] = {
    "age": lambda leaf, _names: _ages(leaf),
    "skill": _asked_skill,
    "training": _asked_training,
    "trust": _asked_trust,
    "kind": _kinds,
    "organization": _organization,
}
