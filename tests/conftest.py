"""What every test may ask for: a service on each engine, a client, chance and time."""

import gc
import os
import random
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings as hypothesis_settings
from sqlalchemy.orm import Session

from pointsbank.app import create_app
from pointsbank.core.db import transaction
from pointsbank.core.settings import Settings
from tests.browser.phones import (
    browser_page,
    browser_process,
    camera,
    camera_film,
    open_page,
    people,
)
from tests.databases import ENGINES, Databases, app_for, lent, let_go, settings_for
from tests.moments import NOON
from tests.postgres import URL_VARIABLE, Server, session_prefix
from tests.serving import free_port, serving
from tests.shelf import VARIABLE as SHELF_VARIABLE
from tests.shelf import Shelf, shelf_folder

SEED_VARIABLE = "POINTSBANK_TEST_SEED"
PREFIX_VARIABLE = "POINTSBANK_TEST_PREFIX"
SHELF = pytest.StashKey[Shelf]()
# Python's own 700 new objects are fewer than one request makes.
NEW_OBJECTS_MAX = 10_000

# pytest finds fixtures by name: one Chromium of a process serves stories and browser tests.
__all__ = ["browser_page", "browser_process", "camera", "camera_film", "open_page", "people"]

# How long an example takes tells of the machine and whoever shares it, not of the code.
hypothesis_settings.register_profile("patient", deadline=None)
hypothesis_settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine",
        choices=(*ENGINES, "both"),
        default="both",
        help="which databases the tests run on (default: both)",
    )


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    os.environ.setdefault(SEED_VARIABLE, str(secrets.randbelow(10**9)))
    os.environ[PREFIX_VARIABLE] = session_prefix()
    shelf = Shelf()
    config.stash[SHELF] = shelf
    os.environ[SHELF_VARIABLE] = str(shelf.folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    if SHELF not in config.stash:
        return
    if URL_VARIABLE in os.environ:
        Server(os.environ[URL_VARIABLE]).drop_databases(os.environ[PREFIX_VARIABLE])
    config.stash[SHELF].close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser_process" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


def pytest_collection_finish() -> None:
    """Spare the collector what stays to the end: thousands of tests, and the modules."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS_MAX, *gc.get_threshold()[1:])


def pytest_report_header() -> str:
    return f"chance: {SEED_VARIABLE}={os.environ[SEED_VARIABLE]} repeats this run's dice"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run whatever touches a database once on each engine."""
    if "engine_name" not in metafunc.fixturenames:
        return
    asked = metafunc.config.getoption("--engine")
    marker = metafunc.definition.get_closest_marker("engine")
    sensible = marker.args if marker else ENGINES
    chosen = [name for name in sensible if asked in (name, "both")]
    metafunc.parametrize("engine_name", chosen, indirect=True)


@pytest.fixture
def engine_name(request: pytest.FixtureRequest) -> str:
    """The engine this test runs on."""
    return request.param


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """Databases for this process."""
    handed_out = Databases(shelf_folder(), os.environ[PREFIX_VARIABLE])
    yield handed_out
    handed_out.close()


@pytest.fixture
def database_url(
    request: pytest.FixtureRequest, engine_name: str, databases: Databases
) -> Iterator[str]:
    """A database as the migrations made it."""
    is_marked = request.node.get_closest_marker("changes_schema") is not None
    make = databases.copy if is_marked else databases.for_one_test
    url, give_back = make(engine_name)
    yield url
    give_back()


@pytest.fixture
def create_database_from_template(
    engine_name: str, databases: Databases
) -> Iterator[Callable[[], str]]:
    """Make more migrated databases, for tests that need several or change the schema."""
    removals = []

    def create() -> str:
        url, remove = databases.copy(engine_name)
        removals.append(remove)
        return url

    yield create
    for remove in removals:
        remove()


@pytest.fixture
def empty_database_url(engine_name: str, databases: Databases) -> Iterator[str]:
    """A database without any table, for tests of the migrations themselves."""
    url, remove = databases.empty(engine_name)
    yield url
    remove()


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Settings of the service under test."""
    return settings_for(database_url)


@pytest.fixture
def app(settings: Settings, databases: Databases) -> Iterator[Flask]:
    """The service under test; no context is pushed, so requests do not share one.

    Tests of one process share it; a test that changes it takes `own_app`.
    """
    is_kept = databases.are_kept_at(settings.database_url)
    yield from lent(app_for(settings), keeps_connection=is_kept)


@pytest.fixture
def own_app(settings: Settings) -> Iterator[Flask]:
    """A service that no other test sees, to be changed at will."""
    yield from lent(create_app(settings))


@pytest.fixture
def another_app(settings: Settings) -> Iterator[Callable[..., Flask]]:
    """Make a service beside the shared one, some settings changed: `another_app(port=1)`."""
    made: list[Flask] = []

    def make(**changed: object) -> Flask:
        made.append(create_app(replace(settings, **changed)))
        return made[-1]

    yield make
    for each in made:
        let_go(each)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Someone who talks to the service over HTTP."""
    return app.test_client()


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """One transaction for the whole test, committed at its end; `writing` is for several."""
    with app.app_context(), transaction() as opened:
        yield opened


@pytest.fixture
def writing(app: Flask) -> Callable[[], AbstractContextManager[Session]]:
    """Open and commit one transaction: `with writing() as session:`, as often as needed."""

    @contextmanager
    def one_transaction() -> Iterator[Session]:
        with app.app_context(), transaction() as opened:
            yield opened

    return one_transaction


@pytest.fixture
def live_server(settings: Settings) -> Iterator[str]:
    """The URL of the real service, in a process of its own on this test's database."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with serving(replace(settings, port=port, public_url=url), shelf_folder()) as answering:
        yield answering


@pytest.fixture
def dice(request: pytest.FixtureRequest) -> random.Random:
    """Chance that can be repeated: its seed is printed with a failure."""
    seed = f"{os.environ[SEED_VARIABLE]}:{request.node.nodeid}"
    print(f"dice: {seed}")  # noqa: T201  # pytest shows it with the failure
    return random.Random(seed)


@pytest.fixture
def at_noon() -> Iterator[None]:
    """Let the clock stand at the test's moment, also for what asks it."""
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def now() -> datetime:
    """The moment of the test."""
    return NOON
