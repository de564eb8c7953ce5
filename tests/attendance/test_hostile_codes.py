"""Whatever is held up: never a fault, and never taken for a code that it is not."""

from collections import Counter
from dataclasses import replace

import pytest
from flask import Flask

from proving.code_doors import Doors, doors
from proving.code_reading import complaints
from proving.genuine import PURPOSES, World
from proving.hostile import corpus
from proving.weakened import CHECKS, without

WORLD = World()
OFFLINE = replace(WORLD, offline=True)
TEXTS = {text: name for name, text in corpus(WORLD)}
# The doors take a hundred times as long as reading; make prove begins with all texts there.
EVERY = {"sqlite": 4, "postgresql": 12}


def wrong(world: World = WORLD) -> dict[str, list[str]]:
    """Return what the readers get wrong, by the name of the text."""
    found = {(name, text): complaints(world, text) for name, text in corpus(world)}
    return {f"{name} {text[:80]!r}": each for (name, text), each in found.items() if each}


def wrong_at(opened: Doors, texts: list[str]) -> dict[str, list[str]]:
    """Return what the doors get wrong, by the name of the text."""
    found = {text: opened.complaints(text) for text in texts}
    return {f"{TEXTS[text]} {text[:80]!r}": each for text, each in found.items() if each}


def test_the_corpus_holds_hundreds_of_texts_good_and_bad() -> None:
    meanings = [WORLD.meaning(text) for text in TEXTS]
    said = Counter(each.kind if each else "none" for each in meanings)
    assert len(TEXTS) > 800
    assert said["none"] > 500
    assert all(said[kind] >= 10 for kind in PURPOSES)


@pytest.mark.parametrize("world", [WORLD, OFFLINE], ids=["online", "offline"])
def test_readers_and_judge_take_good_codes_and_nothing_else(world: World) -> None:
    assert wrong(world) == {}


@pytest.mark.parametrize("check", CHECKS)
def test_a_reader_without_one_of_its_checks_is_found_out(check: str) -> None:
    with without(check):
        assert wrong()
    assert wrong() == {}


def test_no_door_fails_or_takes_what_is_not_good(app: Flask, engine_name: str) -> None:
    with doors(app, WORLD) as opened:
        assert wrong_at(opened, list(TEXTS)[:: EVERY[engine_name]]) == {}


@pytest.mark.engine("sqlite")
def test_doors_with_a_reader_that_forgot_the_mac_are_found_out(app: Flask) -> None:
    forged = [text for text, name in TEXTS.items() if name.endswith("under no key")]
    with doors(app, WORLD) as opened, without("MAC"):
        found = wrong_at(opened, forged)
    assert {name.split()[0] for name in found} == set(PURPOSES)
