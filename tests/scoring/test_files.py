"""Standards as YAML: shipped ones, hostile ones, and reading what was written."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsbank.core.text import cleaned
from pointsbank.scoring.contents import (
    CATEGORIES,
    ITEM_CAPS,
    NEEDED,
    NEVER_PAID,
    digest_of,
    judged,
    warnings_of,
)
from pointsbank.scoring.drafting import publish_draft
from pointsbank.scoring.errors import BadStandardFile, NoSuchShippedStandard
from pointsbank.scoring.files import FILE_BYTES_MAX, read_file, shipped, shipped_names, written
from pointsbank.scoring.queries import standard_on
from pointsbank.scoring.standards import content_of
from pointsbank.scoring.starting import EMPTY, beginning
from tests.moments import NOON
from tests.scoring.keepers import TODAY, a_draft, some_keepers

SETS = {
    "default",
    "guide_60",
    "community_table",
    "branch_70_20_10",
    "dongyang",
    "huaning",
    "kaijiang",
    "kunshan",
    "huangshi",
    "guangzhou",
    "xihu",
    "shuanggang",
    "dezhou",
    "huzhu",
}


def test_the_sets_come_with_the_service():
    assert set(shipped_names()) == SETS
    assert shipped_names()[0] == "default"
    with pytest.raises(NoSuchShippedStandard):
        shipped("../../../etc/passwd")


@pytest.mark.parametrize("name", sorted(SETS))
def test_each_set_is_valid_and_can_be_published(session, name):
    content, problems = judged(shipped(name))
    assert problems == []
    keepers = some_keepers(session)
    draft_id = a_draft(session, keepers.one, source=name)
    assert content_of(session, draft_id) == content
    publish_draft(
        session,
        standard_id=draft_id,
        actor=keepers.other,
        valid_from=TODAY,
        seen_digest=digest_of(content),
        today=TODAY,
        now=NOON,
    )
    session.expire_all()
    assert standard_on(session, TODAY).name == content["name"]


def test_the_default_set_is_what_is_in_force_from_the_first_day(session):
    shipped_one, _ = judged(shipped("default"))
    in_force = content_of(session, standard_on(session, TODAY).id)
    assert shipped_one["items"] == in_force["items"]
    tables = shipped_one["evaluation_tables"]
    assert tables["default"] == in_force["evaluation_tables"]["default"]
    assert warnings_of(shipped_one) == []


def test_what_adds_up_to_more_is_said():
    (found,) = warnings_of(judged(shipped("kaijiang"))[0])
    assert (found.place, found.facts["total"]) == ("evaluation_tables.default", "120")


def test_almost_nothing_is_valid(session):
    assert judged(beginning(session, EMPTY, today=TODAY))[1] == []


GOOD = written(judged(shipped("default"))[0]).decode()
DEEP = "a: " + "[" * 5000
BOMB = "a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: [*b,*b,*b]\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOMB, "Line 1 repeats something by an anchor"),
        ("name: x\nitems: *items\n", "Line 2 repeats"),
        (DEEP, "Line 1 lies deeper"),
        ("name: !!python/object/apply:os.system [ls]\n", "Line 1 has a value of a kind"),
        ("name: !!binary aGk=\n", "Line 1 has a value of a kind"),
        ("a: !x y\n", "Line 1 has a value of a kind"),
        ("name: x\nname: y\n", "Line 2 names the field name a second time"),
        ("1: x\n", "Line 1 has a field whose name is no text"),
        ("name: [x\n", "is not YAML"),
        ("name: x\n--- \nname: y\n", "is not YAML"),
        ("name: \x00x\n", "is not YAML"),
        ("name: x\n\tb: y\n", "is not YAML"),
        ("name: " + "x" * FILE_BYTES_MAX, "larger than 100 kB"),
    ],
)
def test_a_hostile_file_is_refused_with_its_line(text, words):
    with pytest.raises(BadStandardFile, match=words):
        read_file(text.encode())


def test_a_merge_is_a_field_that_nobody_knows():
    (found, *_) = judged(read_file(b"<<: {name: x}\n"))[1]
    assert (found.place, found.sentence) == ("<<", "There is no such field.")


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", "名".encode("gbk")])
def test_what_is_no_text_is_refused(data):
    with pytest.raises(BadStandardFile, match="UTF-8"):
        read_file(data)


@pytest.mark.parametrize("data", [b"", b"- 1\n", b"7\n", b"# nothing\n"])
def test_what_is_no_standard_is_refused(data):
    assert judged(read_file(data))[1]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"extra": 1}, "extra"),
        ({"name": ""}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"name": "a\u202eb"}, "name"),
        ({"name": 7}, "name"),
        ({"rounding": "up"}, "rounding"),
        ({"items": []}, "items"),
        ({"items": {}}, "items"),
        ({"evaluation_tables": {}}, "evaluation_tables.default"),
        ({"evaluation_tables": {"other": {}}}, "evaluation_tables.other"),
    ],
)
def test_each_field_is_judged_by_name(change, place):
    plain = {**shipped("default"), **change}
    assert place in {each.place for each in judged(plain)[1]}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("points", True),
        ("points", -1),
        ("points", "10"),
        ("points", 1001),
        ("points", None),
        ("points", 1.5),
        ("evaluation_hundredths", 10_001),
        ("counts_minutes", 1),
        ("counts_minutes", "yes"),
        ("unit", "day"),
        ("category", "login"),
        ("evidence", "face"),
        ("unit_minutes", 0),
        ("coefficient_percent_max", 151),
        ("coefficient_percent_max", 99),
        ("points_day_max", -1),
        ("points_day_max", False),
        ("code", "Volunteer Hour"),
        ("code", "night_patrol"),
        ("name_zh", ""),
        ("surprise", 1),
    ],
)
def test_each_field_of_an_item_is_judged_by_name(field, value):
    plain = copy.deepcopy(shipped("default"))
    plain["items"][0][field] = value
    places = [each.place for each in judged(plain)[1]]
    assert places[0] in (f"items[1].{field}", "items[2].code")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"base_mode": "gift"}, "base_mode"),
        ({"base": {"deduction": 5}}, "base.deduction"),
        ({"base": {"study": True}}, "base.study"),
        ({"bonus": {"study": 100}}, "bonus.study"),
        ({"grades": {"excellent": 1, "qualified": 2, "basic": 3}}, "grades"),
        ({"grades": {"excellent": 9000}}, "grades.qualified"),
        ({"base": {}, "bonus": {}}, ""),
        ({"more": 1}, "more"),
    ],
)
def test_each_field_of_a_table_is_judged_by_name(change, place):
    plain = copy.deepcopy(shipped("default"))
    plain["evaluation_tables"]["default"] |= change
    at = "evaluation_tables.default"
    assert (f"{at}.{place}" if place else at) in {each.place for each in judged(plain)[1]}


@pytest.mark.parametrize("category", NEVER_PAID)
def test_what_is_never_paid_has_no_points(category):
    plain = copy.deepcopy(shipped("default"))
    plain["items"][6] |= {"category": category, "points": 1}
    assert "items[7].points" in {each.place for each in judged(plain)[1]}


@pytest.mark.parametrize("code", NEEDED)
def test_what_other_rooms_enter_cannot_be_missing(code):
    plain = shipped("default")
    plain["items"] = [each for each in plain["items"] if each["code"] != code]
    assert [each.facts["code"] for each in judged(plain)[1]] == [code]


def test_numbers_are_what_a_person_reads_as_one():
    text = "a: 010\nb: 0x1F\nc: 1_000\nd: 1:30\ne: yes\nf: 2026-11-22\ng: 12\nh: 1e3\ni: -0\n"
    found = read_file(text.encode())
    assert {name for name, value in found.items() if isinstance(value, str)} == set("abcdefhi")
    assert found["g"] == 12


words = st.text(min_size=1, max_size=40).map(cleaned).filter(bool)
caps = st.one_of(st.none(), st.integers(0, 100_000))


@st.composite
def contents(draw):
    """Any content that is valid, with names that look like everything else in YAML."""
    odd = st.sampled_from(["null", "yes", "010", "- x", "a: b", "# no", "*a", "&a", "'", "1e3"])
    content, _ = judged(shipped(draw(st.sampled_from(sorted(SETS)))))
    content["name"] = draw(st.one_of(words, odd))
    content["rounding"] = draw(st.sampled_from(["floor", "half_up"]))
    for item in content["items"]:
        item["name"], item["name_zh"] = draw(st.one_of(words, odd)), draw(words)
        item["evaluation_hundredths"] = draw(st.integers(0, 10_000))
        item["unit_minutes"] = draw(st.integers(1, 60))
        item |= {name: draw(caps) for name in ITEM_CAPS}
    for table in content["evaluation_tables"].values():
        for category in draw(st.sets(st.sampled_from(CATEGORIES[:3]))):
            table["base"][category] = draw(st.integers(0, 10_000))
    return judged(content)


@settings(max_examples=60, deadline=None)
@given(contents())
def test_reading_what_was_written_gives_the_same(found):
    content, problems = found
    again, problems_again = judged(read_file(written(content)))
    assert again == content
    assert problems_again == problems
    assert digest_of(again) == digest_of(content)
