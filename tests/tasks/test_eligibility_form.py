"""The plain fields of a form that stand for a tree of rules."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsbank.members.models import MEMBER_KINDS
from pointsbank.tasks.eligibility import check_tree
from pointsbank.tasks.eligibility_form import (
    EligibilityFields,
    fields_of_tree,
    fields_typed,
    tree_of_form,
)
from pointsbank.tasks.errors import BadEligibility

EVERYTHING = EligibilityFields(
    age_min="18",
    age_max="70",
    skills=("first_aid", "driving"),
    is_confirmed=True,
    kinds=("party_member",),
    training="fire_course",
    trust="2",
)
WHOLE_TREE = {
    "all": [
        {"rule": "age", "min": 18, "max": 70},
        {"rule": "skill", "code": "first_aid", "confirmed": True},
        {"rule": "skill", "code": "driving", "confirmed": True},
        {"rule": "kind", "in": ["party_member"]},
        {"rule": "training", "code": "fire_course"},
        {"rule": "trust", "min": 2},
    ]
}
SENT = {
    "title": ["河道清洁"],
    "eligibility_age_min": [" １８ "],
    "eligibility_age_max": ["70"],
    "eligibility_skill": ["first_aid", "driving"],
    "eligibility_confirmed": ["1"],
    "eligibility_kind": ["party_member"],
    "eligibility_training": ["fire_course"],
    "eligibility_trust": ["2"],
}


def test_every_field_is_one_leaf():
    assert tree_of_form(EVERYTHING) == WHOLE_TREE
    assert fields_of_tree(WHOLE_TREE) == EVERYTHING


def test_what_a_browser_sends_is_read_with_its_prefix():
    assert tree_of_form(fields_typed(SENT)) == WHOLE_TREE
    prefixed = {f"role_2_{name}": values for name, values in SENT.items()}
    assert tree_of_form(fields_typed(prefixed, "role_2_")) == WHOLE_TREE
    assert fields_typed(prefixed) == EligibilityFields()


def test_an_empty_form_asks_for_nothing():
    empty = fields_typed({name: [""] for name in SENT})
    assert empty == EligibilityFields()
    assert tree_of_form(empty) == {}
    assert fields_of_tree({}) == EligibilityFields()


def test_a_tick_without_skills_asks_for_nothing():
    assert tree_of_form(EligibilityFields(is_confirmed=True)) == {}


@pytest.mark.parametrize("typed", ["eighteen", "-1", "18.5", "121", "1 8", "9" * 20])
@pytest.mark.parametrize("name", ["age_min", "age_max"])
def test_an_age_that_is_none_is_refused_in_words(typed, name):
    with pytest.raises(BadEligibility, match="whole number of years"):
        tree_of_form(EligibilityFields(**{name: typed}))


@pytest.mark.parametrize(
    "fields",
    [
        {"age_min": "30", "age_max": "20"},
        {"kinds": ("cat",)},
        {"trust": "4"},
        {"trust": "much"},
        {"other": "no json"},
        {"other": '{"rule": "height"}'},
        {"other": "[" * 5000},
        {"other": " " * 9000},
        {"skills": tuple(f"s{number}" for number in range(25))},
    ],
)
def test_what_no_form_of_ours_sends_is_refused(fields):
    with pytest.raises(BadEligibility):
        tree_of_form(EligibilityFields(**fields))


OTHER_TREES = [
    {"any": [{"rule": "skill", "code": "law"}, {"rule": "trust", "min": 1}]},
    {"rule": "organization", "path": "/1/4/"},
    {"all": [{"rule": "age", "min": 18}, {"rule": "age", "max": 70}]},
    {
        "all": [
            {"rule": "skill", "code": "law"},
            {"rule": "skill", "code": "driving", "confirmed": True},
        ]
    },
    {"all": [{"rule": "trust", "min": 1}, {}]},
]


@pytest.mark.parametrize("tree", OTHER_TREES)
def test_what_the_fields_cannot_say_is_carried_as_it_is(tree):
    check_tree(tree)
    fields = fields_of_tree(tree)
    assert fields == EligibilityFields(other=fields.other)
    assert json.loads(fields.other) == tree
    assert tree_of_form(fields_typed({"eligibility_tree": [fields.other]})) == tree


names = st.sampled_from(["first_aid", "law", "driving"])
ages = st.one_of(st.just(""), st.integers(0, 120).map(str))


@settings(deadline=None)
@given(
    st.builds(
        EligibilityFields,
        age_min=ages.filter(lambda age: not age or int(age) <= 60),
        age_max=ages.filter(lambda age: not age or int(age) >= 60),
        skills=st.lists(names, unique=True).map(tuple),
        kinds=st.lists(st.sampled_from(MEMBER_KINDS), unique=True).map(tuple),
        training=st.one_of(st.just(""), names),
        trust=st.sampled_from(["", "1", "2", "3"]),
        is_confirmed=st.booleans(),
    )
)
def test_a_form_is_shown_again_as_it_was_filled_in(fields):
    tree = tree_of_form(fields)
    check_tree(tree)
    again = fields_of_tree(tree)
    assert again.other == ""
    assert tree_of_form(again) == tree
    assert (again.age_min, again.age_max) == (fields.age_min, fields.age_max)
    assert (again.kinds, again.trust) == (fields.kinds, fields.trust)
