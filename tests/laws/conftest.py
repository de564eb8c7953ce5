"""The world that the laws of the doors are tried in."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import time_machine
from flask import Flask

from pointsbank.app import create_app
from pointsbank.core.settings import Settings
from tests.databases import Databases, app_for, lent
from tests.laws.world import World, a_world
from tests.moments import NOON


@pytest.fixture
def quick_app(settings: Settings, databases: Databases) -> Iterator[Flask]:
    """The service at noon, with the cheap hash of passwords."""
    is_kept = databases.are_kept_at(settings.database_url)
    with time_machine.travel(NOON, tick=False):
        yield from lent(app_for(quick(settings)), keeps_connection=is_kept)


@pytest.fixture
def own_quick_app(settings: Settings) -> Iterator[Flask]:
    """The same for one test alone, to be changed at will."""
    with time_machine.travel(NOON, tick=False):
        yield from lent(create_app(quick(settings)))


def quick(settings: Settings) -> Settings:
    """Return settings that hash and log little."""
    return replace(settings, argon2_cheap=True, log_level="ERROR")


@pytest.fixture
def world(quick_app: Flask) -> World:
    """Two communities side by side."""
    return a_world(quick_app)
