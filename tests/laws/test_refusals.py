"""Each refusal has a code, a status, a sentence to be filled, and a line in docs/http.md."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from pointsbank.core.errors import Conflict, Invalid, NotAllowed, NotFound, Refusal, TooMany
from pointsbank.rewards.errors import OutOfStock
from pointsbank.web.errors import STATUS_BY_CODE, status_of
from tests.laws.test_translations import PLACE, refusals, translations
from tests.laws.tree import ROOT, python_files, shown

HTTP = (ROOT / "docs" / "http.md").read_text()
CODE_LINE = re.compile(r"^\| `(\w+)` \| (\d{3}) \| (\S.*\S) \|$", re.MULTILINE)
CALL_LINE = re.compile(r"^\| `([A-Z]+) (/api/v1/[^`?]*)` \|", re.MULTILINE)
OUR_CODE = re.compile(r"[a-z]+(?:_[a-z]+)*")
# Where sentences are kept in tables or variables, so that no extractor of messages finds them.
SAYING = [
    ROOT / "pointsbank" / name
    for name in (
        "core/tables.py",
        "members/importing.py",
        "organizations/importing.py",
        "scoring/contents.py",
        "scoring/errors.py",
        "web/errors.py",
    )
]
SENTENCE = re.compile(r"[A-Z][^\n]* [^\n]*\.")
KINDS = (Refusal, Invalid, NotAllowed, NotFound, Conflict, TooMany)
# Answered without a refusal of a room: by Werkzeug, the schema layer, or after a fault.
OF_HTTP = {
    "not_found": 404,
    "bad_request": 400,
    "method_not_allowed": 405,
    "request_entity_too_large": 413,
    "unsupported_media_type": 415,
    "bad_fields": 422,
    "fault": 500,
    "busy": 503,
    "storage_full": 503,
    "database_away": 503,
    "connection_lost": 503,
}


def leaves() -> list[type[Refusal]]:
    """Return what is refused by name, and the kinds that are raised as they are."""
    as_they_are = {name for name, _, _ in raised() if name in {kind.__name__ for kind in KINDS}}
    return sorted(
        (kind for kind in refusals() if kind not in KINDS or kind.__name__ in as_they_are),
        key=lambda kind: kind.code,
    )


def status_of_class(leaf: type[Refusal]) -> int:
    """Return the status without filling the sentence, which may need facts."""
    return status_of(leaf.__new__(leaf))


@cache
def raised() -> list[tuple[str, ast.Call | None, str]]:
    """Return each place that may make a refusal: the name, the call if it is one, and where."""
    found: list[tuple[str, ast.Call | None, str]] = []
    for path in python_files("pointsbank"):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            where = f"{shown(path)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Name):
                found.append((node.exc.id, None, where))
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                found.append((node.func.id, node, where))
    return found


def unfilled(leaf: type[Refusal], call: ast.Call | None) -> set[str]:
    """Return the places of the sentence for which this call hands over no fact."""
    sentence, given = leaf.message, set[str | None]()
    if call is not None:
        given = {keyword.arg for keyword in call.keywords}
        if call.args:
            if not isinstance(call.args[0], ast.Constant):
                return set()
            sentence = str(call.args[0].value)
    # What comes as **facts cannot be read here.
    return set() if None in given else set(PLACE.findall(sentence)) - given


def sentences_in(path: Path) -> set[str]:
    """Return the sentences for people in a file: what is no docstring, and reads like one."""
    tree = ast.parse(path.read_text())
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and isinstance(node.body[0], ast.Expr)
    }
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in docstrings
        and SENTENCE.fullmatch(node.value)
    }


def documented() -> dict[str, int]:
    return {code: int(status) for code, status, _ in CODE_LINE.findall(HTTP)}


def calls_of(app: Flask) -> set[tuple[str, str]]:
    """Return the JSON calls as docs/http.md writes them."""
    return {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def test_each_code_is_one_refusals_own() -> None:
    codes = Counter(leaf.code for leaf in leaves())
    assert len(codes) > len(KINDS)
    assert {code for code, count in codes.items() if count > 1} == set()
    assert [code for code in codes if not OUR_CODE.fullmatch(code)] == []
    assert set(codes) & (set(OF_HTTP) - {"not_found"}) == set()
    inherited = [leaf.__name__ for leaf in leaves() if "code" not in vars(leaf)]
    assert inherited == []


def test_each_refusal_has_a_status_of_the_table() -> None:
    statuses = {leaf.code: status_of_class(leaf) for leaf in leaves()}
    assert {code: s for code, s in statuses.items() if not 400 <= s < 500} == {}
    assert set(STATUS_BY_CODE) <= set(statuses)


def test_each_refusal_is_said_in_chinese() -> None:
    known = translations()
    assert [leaf.code for leaf in leaves() if leaf.message not in known] == []


def test_what_is_said_of_files_and_requests_is_said_in_chinese() -> None:
    said, known = {each for path in SAYING for each in sentences_in(path)}, translations()
    assert len(said) > len(SAYING)
    assert sorted(said - set(known)) == []


def test_each_sentence_can_be_filled() -> None:
    for leaf in leaves():
        facts: dict[str, Any] = dict.fromkeys(PLACE.findall(leaf.message), 7)
        assert "%(" not in leaf.message % facts if facts else "%" not in leaf.message, leaf


def test_each_place_is_filled_wherever_a_refusal_is_made() -> None:
    by_name = {leaf.__name__: leaf for leaf in leaves() if "__init__" not in vars(leaf)}
    made = [(name, call, where) for name, call, where in raised() if name in by_name]
    assert len(made) > len(by_name)
    missing = {
        f"{where} {name}": found
        for name, call, where in made
        if (found := unfilled(by_name[name], call))
    }
    assert missing == {}


def test_each_refusal_is_made_somewhere() -> None:
    made = {name for name, _, _ in raised()}
    assert [leaf.__name__ for leaf in leaves() if leaf.__name__ not in made] == []


@pytest.mark.parametrize(
    ("source", "places"),
    [
        ("OutOfStock(left=1)", set()),
        ("OutOfStock(right=1)", {"left"}),
        ("OutOfStock('%(other)s', left=1)", {"other"}),
        ("OutOfStock(**facts)", set()),
    ],
)
def test_an_unfilled_place_is_found(source: str, places: set[str]) -> None:
    call = ast.parse(source, mode="eval").body
    assert isinstance(call, ast.Call)
    assert unfilled(OutOfStock, call) == places
    assert unfilled(OutOfStock, None) == {"left"}


def test_the_contract_lists_every_code_with_its_status() -> None:
    ours = {leaf.code: status_of_class(leaf) for leaf in leaves()}
    assert documented() == {**ours, **OF_HTTP}
    counted = Counter(code for code, _, _ in CODE_LINE.findall(HTTP))
    assert [code for code, count in counted.items() if count > 1] == []


@pytest.mark.engine("sqlite")
def test_the_contract_the_document_and_the_service_know_the_same_calls(app: Flask) -> None:
    written = CALL_LINE.findall(HTTP)
    assert Counter(written).most_common(1)[0][1] == 1
    assert set(written) == calls_of(app)
    paths = app.test_client().get("/api/openapi.json").get_json()["paths"]
    described = {
        (method.upper(), path)
        for path, methods in paths.items()
        for method in methods
        if method != "parameters"
    }
    assert described == calls_of(app)
