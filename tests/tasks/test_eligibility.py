"""Who may take part: the shared vectors, and what holds for every tree and person."""

import itertools
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pointsbank.members.models import MEMBER_KINDS
from pointsbank.tasks.eligibility import (
    AGE,
    AGE_NOT_TOLD,
    KIND,
    ORGANIZATION,
    SKILL_CONFIRMED,
    SKILL_TOLD,
    TRAINING,
    TRUST,
    Person,
    both,
    check_tree,
    judge_eligibility,
    leaves_of,
)
from pointsbank.tasks.errors import BadEligibility

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "eligibility.json").read_text())
SETS = ("skills", "confirmed", "trainings")
CODES = ("first_aid", "law", "music")
PATHS = ("/", "/1/", "/1/4/", "/1/5/", "/2/")


def person_from(values):
    return Person(1, **{k: frozenset(v) if k in SETS else v for k, v in values.items()})


@pytest.mark.parametrize("vector", VECTORS["cases"], ids=lambda vector: vector["name"])
def test_the_vectors_hold(vector):
    check_tree(vector["tree"])
    fitness = judge_eligibility(vector["tree"], person_from(vector["person"]))
    judged = {"is_eligible": fitness.is_eligible, "missing": list(fitness.missing)}
    assert judged == vector["expect"]


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: vector["name"])
def test_what_is_no_tree_of_ours_is_refused(vector):
    with pytest.raises(BadEligibility):
        check_tree(vector["tree"])


def test_the_vectors_reach_every_rule_as_missing():
    missing = {leaf["rule"] for v in VECTORS["cases"] for leaf in v["expect"]["missing"]}
    assert missing == {"age", "skill", "kind", "organization", "training", "trust"}


codes = st.sampled_from(CODES)
ages = st.integers(0, 120)
leaves = st.one_of(
    st.builds(lambda a, b: {"rule": "age", "min": min(a, b), "max": max(a, b)}, ages, ages),
    st.builds(lambda a: {"rule": "age", "min": a}, ages),
    st.builds(lambda a: {"rule": "age", "max": a}, ages),
    st.builds(lambda code: {"rule": "skill", "code": code}, codes),
    st.builds(lambda code: {"rule": "skill", "code": code, "confirmed": True}, codes),
    st.builds(
        lambda kinds: {"rule": "kind", "in": kinds},
        st.lists(st.sampled_from(MEMBER_KINDS), min_size=1, max_size=3, unique=True),
    ),
    st.builds(lambda path: {"rule": "organization", "path": path}, st.sampled_from(PATHS)),
    st.builds(lambda code: {"rule": "training", "code": code}, codes),
    st.builds(lambda step: {"rule": "trust", "min": step}, st.integers(1, 3)),
)


def is_taken(tree):
    try:
        check_tree(tree)
    except BadEligibility:
        return False
    return True


trees = st.recursive(
    leaves,
    lambda inner: st.builds(
        lambda word, branches: {word: branches},
        st.sampled_from(["all", "any"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=7,
).filter(is_taken)
sets = st.frozensets(codes)
people = st.builds(
    lambda age, kind, path, told, confirmed, trainings, trust: Person(
        1, age, kind, path, told | confirmed, confirmed, trainings, trust
    ),
    st.none() | st.integers(0, 130),
    st.sampled_from(MEMBER_KINDS),
    st.sampled_from(PATHS[1:]),
    sets,
    sets,
    sets,
    st.integers(0, 3),
)


def fits(tree, person):
    """Judge by the words of the rules alone, without any thought of what is missing."""
    if not tree:
        return True
    for word, judge in (("all", all), ("any", any)):
        if word in tree:
            return judge([fits(branch, person) for branch in tree[word]])
    return has(tree, person)


def has(leaf, person):
    match leaf:
        case {"rule": "age"}:
            known = person.age is not None
            age = min(person.age, 120) if known else -1
            return known and age in range(leaf.get("min", 0), leaf.get("max", 120) + 1)
        case {"rule": "skill", "code": code, "confirmed": True}:
            return code in person.confirmed
        case {"rule": "skill", "code": code}:
            return code in person.skills
        case {"rule": "kind", "in": kinds}:
            return person.kind in kinds
        case {"rule": "organization", "path": path}:
            return path == "/" or f"{person.path}".startswith(path)
        case {"rule": "training", "code": code}:
            return code in person.trainings
        case {"rule": "trust", "min": least}:
            return person.trust >= least
    raise AssertionError(leaf)


def with_it(person, leaf):
    """Return the person after they got what this leaf asks for, and nothing else."""
    match leaf:
        case {"rule": "age"}:
            low, high = leaf.get("min", 0), leaf.get("max", 120)
            return replace(person, age=max(low, min(high, person.age or 0)))
        case {"rule": "skill", "code": code, "confirmed": True}:
            return replace(
                person, skills=person.skills | {code}, confirmed=person.confirmed | {code}
            )
        case {"rule": "skill", "code": code}:
            return replace(person, skills=person.skills | {code})
        case {"rule": "kind", "in": kinds}:
            return replace(person, kind=kinds[0])
        case {"rule": "organization", "path": path}:
            return person if person.path.startswith(path) else replace(person, path=path)
        case {"rule": "training", "code": code}:
            return replace(person, trainings=person.trainings | {code})
        case {"rule": "trust", "min": least}:
            return replace(person, trust=max(person.trust, least))
    raise AssertionError(leaf)


def with_all(person, missing):
    for leaf in missing:
        person = with_it(person, leaf)
    return person


def weight(leaf, person):
    if leaf["rule"] == "age":
        return AGE_NOT_TOLD if person.age is None else AGE
    if leaf["rule"] == "skill":
        return SKILL_CONFIRMED if leaf.get("confirmed") else SKILL_TOLD
    known = {"trust": TRUST, "training": TRAINING, "organization": ORGANIZATION, "kind": KIND}
    return known[leaf["rule"]]


def effort(missing, person):
    return max(weight(leaf, person) for leaf in missing), len(missing)


@settings(deadline=None)
@given(trees, people)
def test_it_judges_as_the_words_of_the_rules_say(tree, person):
    fitness = judge_eligibility(tree, person)
    assert fitness.is_eligible == fits(tree, person)
    assert bool(fitness.missing) != fitness.is_eligible


@settings(deadline=None)
@given(trees, people)
def test_whoever_gets_exactly_what_is_missing_is_eligible(tree, person):
    missing = judge_eligibility(tree, person).missing
    assert fits(tree, with_all(person, missing))


@settings(deadline=None)
@given(trees, people)
def test_nothing_of_what_is_missing_could_be_left_out(tree, person):
    missing = judge_eligibility(tree, person).missing
    for leaf in missing:
        rest = [other for other in missing if other is not leaf]
        assert not fits(tree, with_all(person, rest))


@settings(deadline=None)
@given(trees, people)
def test_no_other_way_is_easier(tree, person):
    assume(not fits(tree, person))
    chosen = effort(judge_eligibility(tree, person).missing, person)
    asked = leaves_of(tree)
    for count in range(1, len(asked) + 1):
        for way in itertools.combinations(asked, count):
            if fits(tree, with_all(person, way)):
                assert chosen <= effort(way, person)


@settings(deadline=None)
@given(trees, people, sets, sets, sets, st.integers(0, 3))
def test_who_can_more_is_never_worse_off(tree, person, told, confirmed, trainings, trust):
    assume(judge_eligibility(tree, person).is_eligible)
    more = replace(
        person,
        skills=person.skills | told | confirmed,
        confirmed=person.confirmed | confirmed,
        trainings=person.trainings | trainings,
        trust=max(person.trust, trust),
    )
    assert judge_eligibility(tree, more).is_eligible


@settings(deadline=None)
@given(trees, trees, people)
def test_task_and_role_are_asked_for_together(task_tree, role_tree, person):
    joined = judge_eligibility(both(task_tree, role_tree), person)
    assert joined.is_eligible == (fits(task_tree, person) and fits(role_tree, person))
    assert bool(joined.missing) != joined.is_eligible


def test_a_role_that_excludes_its_task_still_says_what_is_asked():
    young, old = {"rule": "age", "max": 30}, {"rule": "age", "min": 60}
    middle = Person(1, 40, "volunteer", "/1/")
    assert judge_eligibility(both(young, old), middle).missing == (young, old)


def test_an_empty_tree_beside_another_asks_for_nothing_more():
    skill = {"rule": "skill", "code": "law"}
    assert (both({}, {}), both(skill, {}), both({}, skill)) == ({}, skill, skill)
