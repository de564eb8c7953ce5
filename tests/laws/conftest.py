"""The world that the laws of the doors are tried in."""

from collections.abc import Iterator
from dataclasses import replace
from string import printable

import pytest
import time_machine
from flask import Flask
from fontTools import subset

from pointsbank.app import create_app
from pointsbank.core.printing import MISSING_SORT, NoPrintFont, find_font
from pointsbank.core.settings import ROOT, Settings
from tests.databases import Databases, app_for, lent
from tests.laws.world import World, a_world
from tests.moments import NOON


@pytest.fixture(scope="session")
def small_font(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of a font with the letters of the interface and no others.

    A PDF takes half a second with a whole font, and these laws ask for a hundred of them; that
    they print well with the whole one is tried where they are made.
    """
    try:
        whole = find_font()
    except NoPrintFont:
        return ""
    catalogs = (path.read_text() for path in sorted(ROOT.glob("translations/**/*.po")))
    options = subset.Options(font_number=whole.face)
    font = subset.load_font(whole.path, options)
    reduced = subset.Subsetter(options)
    reduced.populate(text="".join({*printable, MISSING_SORT, *"".join(catalogs)}))
    reduced.subset(font)
    path = tmp_path_factory.mktemp("font") / "small.otf"
    subset.save_font(font, str(path), options)
    font.close()
    return str(path)


@pytest.fixture
def quick_settings(settings: Settings, small_font: str) -> Settings:
    """Settings that log and print little."""
    return replace(settings, pdf_font=small_font, log_level="ERROR")


@pytest.fixture
def quick_app(quick_settings: Settings, databases: Databases) -> Iterator[Flask]:
    """The service at noon."""
    is_kept = databases.are_kept_at(quick_settings.database_url)
    with time_machine.travel(NOON, tick=False):
        yield from lent(app_for(quick_settings), keeps_connection=is_kept)


@pytest.fixture
def own_quick_app(quick_settings: Settings) -> Iterator[Flask]:
    """The same for one test alone, to be changed at will."""
    with time_machine.travel(NOON, tick=False):
        yield from lent(create_app(quick_settings))


@pytest.fixture
def world(quick_app: Flask) -> World:
    """Two communities side by side."""
    return a_world(quick_app)
