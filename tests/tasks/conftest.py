"""What tests of tasks share."""

import threading

import pytest

from tests.racing import MEET_SECONDS_MAX


@pytest.fixture
def barrier() -> threading.Barrier:
    """Where twenty racers meet between what they read and what they write."""
    return threading.Barrier(20, timeout=MEET_SECONDS_MAX)
