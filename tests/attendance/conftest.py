"""The scene that tests of attendance play in."""

import pytest

from tests.attendance.scene import Scene, set_scene


@pytest.fixture
def scene(app, writing) -> Scene:
    """A shift of 25 places from 13:30 to 16:00, claimed by one volunteer."""
    with writing() as session:
        return set_scene(app, session)
