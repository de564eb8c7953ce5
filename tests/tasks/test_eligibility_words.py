"""What a task asks for and what is missing, in both languages."""

import pytest

from pointsbank.core.db import reading
from pointsbank.organizations.queries import organization_of
from pointsbank.tasks.eligibility import Person, judge_eligibility
from pointsbank.tasks.eligibility_words import (
    eligibility_options,
    missing_words,
    requirement_words,
)
from tests.builders import an_organization
from tests.counting import statements_of
from tests.members.schooling import a_training

FIRST_AID = {"rule": "skill", "code": "first_aid"}
CONFIRMED = {**FIRST_AID, "confirmed": True}
SAID = [
    (
        {"rule": "age", "min": 18},
        "年龄要求：年满 18 周岁。",
        "Only for people of 18 years or older.",
    ),
    (
        {"rule": "age", "min": 18, "max": 70, "is_told": False},
        "需要：出生日期（要求18 到 70 周岁），请到“我的技能和培训”填写。",
        (
            "Needed: your date of birth, because this is for people of 18 to 70 years. Enter it"
            " under My skills and trainings."
        ),
    ),
    (
        FIRST_AID,
        "需要：急救。会的话，请到“我的技能和培训”勾选。",
        "Needed: First aid. If you can do it, say so under My skills and trainings.",
    ),
    (
        {**CONFIRMED, "is_told": True},
        "需要：急救（未确认，请带证件请支部确认）。",
        "Needed: First aid (not confirmed yet; show your branch the proof).",
    ),
    (
        {**CONFIRMED, "is_told": False},
        "需要：急救（须经支部确认）。请先到“我的技能和培训”勾选，再带证件请支部确认。",
        (
            "Needed: First aid, confirmed. Say it under My skills and trainings, then show your"
            " branch the proof."
        ),
    ),
    (
        {"rule": "training", "code": "first_aid_course"},
        "需要：培训“急救培训”。请问支部下一次什么时候开班。",
        "Needed: the training 急救培训. Ask your branch when it is held next.",
    ),
    (
        {"rule": "trust", "min": 2},
        "需要：近一年至少服务 12 次，近期没有临时退领或缺席。请先参加别的活动。",
        (
            "Needed: at least 12 services in the past year, and no places let go late. Take"
            " part in some others first."
        ),
    ),
    (
        {"rule": "kind", "in": ["party_member", "probationary_member"]},
        "仅限：党员或预备党员。",
        "Only for: Party member or Probationary party member.",
    ),
    (
        {"rule": "organization", "path": "PATH"},
        "仅限“平潭街西社区居委会”的人员。",
        "Only for people of 平潭街西社区居委会.",
    ),
]
ASKED = {
    "all": [
        {"rule": "age", "max": 70},
        {"any": [CONFIRMED, {"rule": "training", "code": "first_aid_course"}]},
    ]
}


@pytest.fixture
def path(writing):
    with writing() as session:
        a_training(session)
        return organization_of(session, an_organization(session)).path


@pytest.fixture(params=["zh", "en"])
def language(request, app):
    with app.test_request_context(headers={"Accept-Language": request.param}):
        yield request.param


def test_every_missing_leaf_is_said_with_the_way_to_it(path, language):
    leaves = [
        {**leaf, "path": path} if "path" in leaf else leaf for leaf, _chinese, _english in SAID
    ]
    wanted = [chinese if language == "zh" else english for _leaf, chinese, english in SAID]
    assert missing_words(leaves) == wanted


def test_what_is_asked_for_is_said_in_phrases(path, language):
    wanted = {
        "zh": ["70 周岁以下（含）", "符合其中一项即可：急救（须经支部确认）或培训“急救培训”"],
        "en": [
            "70 years or younger",
            "one of these: First aid, confirmed or training 急救培训",
        ],
    }
    assert requirement_words(ASKED) == wanted[language]
    assert requirement_words({}) == []
    assert requirement_words(FIRST_AID) == ["急救" if language == "zh" else "First aid"]


def test_what_is_gone_is_said_by_its_code(path, language):
    (sentence,) = missing_words([{"rule": "training", "code": "no_longer_held"}])
    assert "no_longer_held" in sentence


def test_words_without_names_ask_the_database_nothing(app, path, language):
    with statements_of(app) as sent:
        missing_words([{"rule": "trust", "min": 1}, {"rule": "kind", "in": ["staff"]}])
    assert sent == []


def test_everything_that_can_be_missing_has_words(path, language):
    tree = {
        "all": [leaf if "path" not in leaf else {**leaf, "path": path} for leaf, *_ in SAID[2:]]
    }
    nobody = Person(1, 40, "volunteer", "/9/")
    missing = judge_eligibility(tree, nobody).missing
    assert {leaf["rule"] for leaf in missing} == {
        *("skill", "training", "trust", "kind", "organization"),
    }
    assert len(missing_words(missing)) == len(missing)


def test_a_form_offers_what_there_is(path, language):
    with reading() as session:
        options = eligibility_options(session)
    assert options["skills"][0] == ("first_aid", "急救" if language == "zh" else "First aid")
    assert options["trainings"] == [("first_aid_course", "急救培训")]
    assert [value for value, _ in options["trusts"]] == ["1", "2", "3"]
    assert len(options["kinds"]) == 5
