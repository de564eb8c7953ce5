"""docs/map.md names each room and file of the package, and nothing that is not there."""

import re

from tests.laws.tree import ROOT, python_files

MAP = ROOT / "docs" / "map.md"
PACKAGE = ROOT / "pointsbank"
# `ledger/` is a room, `ledger/service.py` a file: both are written from the package's folder.
FOLDER = re.compile(r"`([a-z_]+)/`")
FILE = re.compile(r"`([a-z_]+/[a-z_/]+\.py|__main__\.py)`")
WORDS_MIN = 3


def map_lines() -> list[str]:
    return MAP.read_text().splitlines()


def named(pattern: re.Pattern[str]) -> set[str]:
    return {name for line in map_lines() for name in pattern.findall(line)}


def beside_the_package(name: str) -> bool:
    """Tell whether the map may name this because it stands in the checkout, elsewhere."""
    return (ROOT / name).exists()


def rooms() -> set[str]:
    return {path.parent.name for path in PACKAGE.glob("*/__init__.py")}


def files_to_explain() -> set[str]:
    """Return the files that hold something; an __init__.py is explained by its room's line."""
    names = {path.relative_to(PACKAGE).as_posix() for path in python_files("pointsbank")}
    return {name for name in names if not name.endswith("__init__.py")}


def test_the_map_names_every_room_and_none_that_is_gone() -> None:
    found = named(FOLDER)
    assert rooms() - found == set()
    assert {name for name in found - rooms() if not beside_the_package(name)} == set()


def test_the_map_names_every_file_and_none_that_is_gone() -> None:
    found = named(FILE)
    assert files_to_explain() - found == set()
    gone = {name for name in found if not (PACKAGE / name).exists()}
    assert {name for name in gone if not beside_the_package(name)} == set()


def test_each_line_says_what_the_file_holds() -> None:
    lines = [line for line in map_lines() if FILE.search(line)]
    assert lines
    silent = [line for line in lines if len(re.sub(r"`[^`]*`", "", line).split()) < WORDS_MIN]
    assert silent == []
