"""The fields of a form as a page prints them, and as a browser would send them back."""

from html.parser import HTMLParser

import pytest
from flask import get_template_attribute

from pointsbank.core.db import reading
from pointsbank.tasks.eligibility_form import (
    EligibilityFields,
    fields_of_tree,
    fields_typed,
    tree_of_form,
)
from pointsbank.tasks.eligibility_words import eligibility_options
from tests.members.schooling import a_training

TREES = [
    {},
    {"rule": "age", "min": 18},
    {
        "all": [
            {"rule": "age", "max": 70},
            {"rule": "skill", "code": "first_aid", "confirmed": True},
            {"rule": "skill", "code": "law", "confirmed": True},
            {"rule": "kind", "in": ["party_member", "staff"]},
            {"rule": "training", "code": "first_aid_course"},
            {"rule": "trust", "min": 2},
        ]
    },
    {"any": [{"rule": "skill", "code": "law"}, {"rule": "trust", "min": 1}]},
]


class Sent(HTMLParser):
    """What a browser sends of a form that nobody touched: each name with its values."""

    def __init__(self, page):
        super().__init__()
        self.lists = {}
        self.ids = []
        self._select = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.ids += [values["id"]] if "id" in values else []
        is_choice = values.get("type") in ("radio", "checkbox")
        if tag == "select":
            self._select = values["name"]
        elif tag == "option" and "selected" in values:
            self.lists.setdefault(self._select, []).append(values["value"])
        elif tag == "input" and (not is_choice or "checked" in values):
            self.lists.setdefault(values["name"], []).append(values.get("value", ""))


@pytest.fixture
def printed(app, writing):
    with writing() as session:
        a_training(session)

    def render(fields, errors=None, prefix=""):
        with app.test_request_context(), reading() as session:
            macro = get_template_attribute("tasks/_eligibility.html", "eligibility_fields")
            return str(macro(fields, eligibility_options(session), errors or {}, prefix))

    return render


@pytest.mark.parametrize("prefix", ["", "role_2_"])
@pytest.mark.parametrize("tree", TREES)
def test_what_is_printed_is_sent_back_as_the_same_tree(printed, tree, prefix):
    sent = Sent(printed(fields_of_tree(tree), prefix=prefix))
    assert tree_of_form(fields_typed(sent.lists, prefix)) == tree


def test_two_of_them_on_one_page_do_not_mix(printed):
    first, second = TREES[1], TREES[2]
    page = printed(fields_of_tree(first)) + printed(fields_of_tree(second), prefix="role_1_")
    sent = Sent(page)
    assert len(set(sent.ids)) == len(sent.ids)
    assert tree_of_form(fields_typed(sent.lists)) == first
    assert tree_of_form(fields_typed(sent.lists, "role_1_")) == second


def test_a_mistake_is_shown_where_it_was_made(printed):
    page = printed(
        EligibilityFields(age_min="eighteen"), {"role_1_eligibility": "年龄请填整数"}, "role_1_"
    )
    assert "<details open" in page
    assert "年龄请填整数" in page
    assert 'value="eighteen"' in page


def test_what_asks_for_nothing_stays_closed(printed):
    page = printed(EligibilityFields())
    assert "<details>" in page
    assert "谁可以参加" in page
