"""Every sentence that a person may read is there in Chinese, with the same places to fill."""

import ast
import importlib
import pkgutil
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po

import pointsbank
from pointsbank.core.errors import Refusal
from tests.laws.tree import ROOT, python_files, shown

CATALOGS = sorted((ROOT / "translations").glob("*/zh/LC_MESSAGES/messages.po"))
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "lazy_gettext": None,
    "lazy_ngettext": (1, 2),
    "lazy_pgettext": ((1, "c"), 2),
}
PLACE = re.compile(r"%\((\w+)\)[-+0-9.]*[a-z]")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
ENGLISH_WORD = re.compile(r"[a-z]{3}")
# Said in their own language in every language.
KEPT_AS_THEY_ARE = {"English"}


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale="zh", abort_invalid=True)


def sentences_marked() -> dict[str, str]:
    """Return the sentences marked for translation, each with where it stands."""
    found = {}
    for folder, method in (("templates", "jinja2"), ("pointsbank", "python")):
        suffix = "html" if method == "jinja2" else "py"
        for name, line, sentence, _, _ in extract_from_dir(
            ROOT / folder,
            method_map=[(f"**.{suffix}", method)],
            options_map={f"**.{suffix}": {"encoding": "utf-8", "silent": "false"}},
            keywords=KEYWORDS,
        ):
            first = sentence if isinstance(sentence, str) else sentence[0]
            found[first] = f"{folder}/{name}:{line}"
    return found


def refusals() -> set[type[Refusal]]:
    """Return every kind and leaf of refusal in the package; what tests make up is not asked."""
    for module in pkgutil.walk_packages(pointsbank.__path__, "pointsbank."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    known, waiting = set(), [Refusal]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.startswith("pointsbank."):
            known.add(kind)
    return known


def sentences_refusing() -> dict[str, str]:
    """Return what refusals say: the classes' own sentences, and those given in raising them."""
    kinds = refusals()
    found = {kind.message: kind.__qualname__ for kind in kinds}
    names = {kind.__name__ for kind in kinds}
    for path in python_files("pointsbank"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", getattr(node.func, "attr", "")) in names
                and node.args
                and isinstance(node.args[0], ast.Constant)
                and isinstance(node.args[0].value, str)
            ):
                found[node.args[0].value] = f"{shown(path)}:{node.lineno}"
    return found


def translations() -> dict[str, str]:
    """Return every finished translation, whichever room's catalog holds it."""
    return {
        key: value
        for path in CATALOGS
        for message in read(path)
        if message.id and not message.fuzzy
        for key, value in [(as_texts(message.id)[0], as_texts(message.string)[0])]
        if value
    }


def as_texts(value: object) -> list[str]:
    return [value] if isinstance(value, str) else [str(part) for part in value]


def faults_of(message: Message) -> list[str]:
    """Return what is wrong with one translation."""
    wanted = set(PLACE.findall(as_texts(message.id)[-1]))
    faults = []
    for text in as_texts(message.string):
        if not text:
            faults.append("empty")
        elif set(PLACE.findall(text)) != wanted:
            faults.append(f"other places to fill: {text}")
        elif (
            ENGLISH_WORD.search(PLACE.sub("", as_texts(message.id)[0]))
            and not CHINESE.search(text)
            and text not in KEPT_AS_THEY_ARE
        ):
            faults.append(f"not Chinese: {text}")
    return [*faults, *(["fuzzy"] if message.fuzzy else [])]


def test_every_sentence_in_pages_and_doors_is_translated() -> None:
    marked, known = sentences_marked(), translations()
    assert marked
    missing = {sentence: place for sentence, place in marked.items() if sentence not in known}
    assert missing == {}


def test_every_refusal_is_translated() -> None:
    said, known = sentences_refusing(), translations()
    assert said
    missing = {sentence: place for sentence, place in said.items() if sentence not in known}
    assert missing == {}


def test_translations_are_finished_and_fill_the_same_places() -> None:
    faults = {
        f"{shown(path)}: {message.id}": found
        for path in CATALOGS
        for message in read(path)
        if message.id and (found := faults_of(message))
    }
    assert faults == {}


def test_a_sentence_has_one_translation() -> None:
    first: dict[str, tuple[str, str]] = {}
    contradictions = []
    for path in CATALOGS:
        for message in read(path):
            key = (message.context, *as_texts(message.id))
            said = (as_texts(message.string)[0], shown(path))
            if message.id and first.setdefault(key, said)[0] != said[0]:
                contradictions.append((message.id, first[key], said))
    assert CATALOGS
    assert contradictions == []


@pytest.mark.parametrize(
    ("sentence", "translation"),
    [
        ("Sign in", ""),
        ("Sign in", "Sign in"),
        ("%(count)s left", "还剩"),
        ("Sign in", "%(name)s登录"),
    ],
)
def test_a_bad_translation_is_found(sentence: str, translation: str) -> None:
    assert faults_of(Message(sentence, translation)) != []


def test_a_good_translation_is_left_alone() -> None:
    assert faults_of(Message("%(count)s places left", "还剩 %(count)s 个名额")) == []
