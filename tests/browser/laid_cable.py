"""Fixtures for tests whose phones reach the service by a cable that can be cut."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from pointsbank.core.settings import Settings
from tests.browser.cable import Cable, cable_to
from tests.browser.people import People
from tests.serving import free_port, serving
from tests.shelf import shelf_folder

MINUTE = timedelta(minutes=1)


@pytest.fixture
def cable(settings: Settings) -> Iterator[Cable]:
    """The service, and the cable that leads to it."""
    near, far = free_port(), free_port()
    address = f"http://127.0.0.1:{near}"
    behind = replace(settings, port=far, public_url=address)
    with cable_to(near, far) as laid, serving(behind, shelf_folder()):
        yield laid


@pytest.fixture
def live_server(cable: Cable) -> str:
    """The service's address at the phones' end of the cable."""
    return cable.url


def an_event(people: People, *names: str) -> tuple[int, int, list[int]]:
    """Return an organizer, a shift that runs, and the volunteers who claimed it."""
    organizer = people.join("李敏", "organizer")
    volunteers = [people.join(name) for name in names]
    return (
        organizer,
        people.shift(organizer, -20 * MINUTE, 100 * MINUTE, *volunteers),
        volunteers,
    )
