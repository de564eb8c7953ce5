"""Each kind of message that the code tells has words, and gets the facts that they need."""

import ast
import re
from datetime import timedelta

import pytest
from flask import Flask

from pointsbank.messages.queries import MessageLine
from pointsbank.messages.schemas import WORDS, fact_words, href_of, sentence_of_message
from tests.laws.test_translations import PLACE, translations
from tests.laws.tree import ROOT, python_files
from tests.moments import NOON

TELLING = ("tell", "tell_each")


def tellings(source: str) -> list[tuple[set[str], set[str] | None]]:
    """Return each call that tells: the kinds it may name, and its facts if they are spelled."""
    found = []
    for node in ast.walk(ast.parse(source)):
        name = getattr(getattr(node, "func", None), "id", None)
        if name not in TELLING or not isinstance(node, ast.Call):
            continue
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        if "kind" not in given:
            continue
        facts = given.get("facts")
        names = (
            {key.value for key in facts.keys if isinstance(key, ast.Constant)}
            if isinstance(facts, ast.Dict) and None not in facts.keys
            else None
        )
        found.append((kinds_in(given["kind"]), names))
    return found


def kinds_in(node: ast.expr) -> set[str]:
    """Return the kinds that an expression spells out: a word, or one of two."""
    if isinstance(node, ast.IfExp):
        return kinds_in(node.body) | kinds_in(node.orelse)
    return {node.value} if isinstance(node, ast.Constant) else set()


def told() -> list[tuple[set[str], set[str] | None]]:
    return [each for path in python_files("pointsbank") for each in tellings(path.read_text())]


def needed(kind: str) -> set[str]:
    """Return the facts without which a message of this kind cannot be shown."""
    words = WORDS[kind]
    return set(PLACE.findall(sentence(kind))) | set(words.address)


def sentence(kind: str) -> str:
    return WORDS[kind].sentence._args[0]


def unsaid(calls: list[tuple[set[str], set[str] | None]]) -> set[str]:
    """Return the kinds without words, and those whose facts do not suffice."""
    kinds = {kind for found, _ in calls for kind in found}
    short = {
        kind
        for found, facts in calls
        for kind in found & set(WORDS)
        if facts is not None and needed(kind) - facts
    }
    return (kinds - set(WORDS)) | short


def test_each_kind_that_is_told_has_words_and_facts():
    calls = told()
    assert len(calls) > 2
    assert unsaid(calls) == set()


def test_each_kind_with_words_is_told():
    words = ROOT / "pointsbank" / "messages" / "words.py"
    named = {
        node.value
        for path in python_files("pointsbank")
        if path != words
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value in WORDS
    }
    assert set(WORDS) - named == set()


@pytest.mark.parametrize(
    "source",
    [
        'tell(session, kind="no_such_kind", facts={})',
        'tell_each(session, kind="points_expire", facts={"points": 1})',
        'tell(session, kind="adjustment_asked" if x else "gone", facts=facts)',
    ],
)
def test_a_kind_without_words_or_facts_is_found(source):
    assert unsaid(tellings(source)) != set()


def test_each_sentence_is_there_in_chinese():
    known = translations()
    assert {kind for kind in WORDS if sentence(kind) not in known} == set()


@pytest.mark.engine("sqlite")
def test_each_message_leads_to_a_view_that_is_there(app: Flask):
    views = app.view_functions
    gone = {k: w.endpoint for k, w in WORDS.items() if w.endpoint and w.endpoint not in views}
    assert gone == {}


def line(kind, /, **facts):
    return MessageLine(1, kind, facts, NOON, None)


def a_fact(name):
    """Return a value that a fact of this name may have."""
    if name.endswith("_on"):
        return "2027-01-20"
    if name.endswith(("_at", "_by")):
        return (NOON + timedelta(days=7)).isoformat()
    return "2026-11" if name == "month" else 20


@pytest.mark.engine("sqlite")
def test_each_kind_can_be_said_in_both_languages_and_leads_on(app: Flask):
    for language in ("zh", "en"):
        with app.test_request_context(headers={"Accept-Language": language}):
            for kind in WORDS:
                message = line(kind, **{name: a_fact(name) for name in needed(kind)})
                said = sentence_of_message(message)
                assert not re.search(r"%\(|None", said)
                assert bool(re.search(r"[\u4e00-\u9fff]", said)) == (language == "zh")
                assert bool(href_of(message)) == bool(WORDS[kind].endpoint)


@pytest.mark.engine("sqlite")
@pytest.mark.parametrize(
    ("language", "name", "value", "words"),
    [
        ("zh", "expires_on", "2027-01-20", "2027年1月20日"),
        ("en", "expires_on", "2027-01-20", "20 Jan 2027"),
        ("zh", "decide_by", "2026-11-21T04:00:00+00:00", "11月21日 12:00"),
        ("zh", "month", "2026-11", "2026年11月"),
        ("zh", "points", 1200, "1,200"),
        ("zh", "points", -20, "\u221220"),
        ("zh", "minutes", 150, "2小时30分"),
        ("zh", "minutes", -30, "\u221230分钟"),
    ],
)
def test_a_fact_is_written_by_its_name(app: Flask, language, name, value, words):
    with app.test_request_context(headers={"Accept-Language": language}):
        assert fact_words(name, value) == words


@pytest.mark.engine("sqlite")
def test_a_kind_of_a_newer_version_is_said_without_its_words(app: Flask):
    with app.test_request_context():
        assert sentence_of_message(line("of_tomorrow", any=1)) == "您有一条新消息。"
        assert href_of(line("of_tomorrow")) is None
