"""The world that the laws of the doors are tried in."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import time_machine
from flask import Flask

from pointsbank.app import create_app
from pointsbank.core.db import db
from pointsbank.core.settings import Settings
from tests.laws.world import World, a_world
from tests.moments import NOON


@pytest.fixture
def quick_app(settings: Settings) -> Iterator[Flask]:
    """The service at noon, with the cheap hash of passwords."""
    with time_machine.travel(NOON, tick=False):
        app = create_app(replace(settings, argon2_cheap=True, log_level="ERROR"))
        yield app
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def world(quick_app: Flask) -> World:
    """Two communities side by side."""
    return a_world(quick_app)
