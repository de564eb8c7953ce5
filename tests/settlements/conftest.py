"""The counter of the rewards room, whose months are settled here."""

from tests.rewards.conftest import counter

__all__ = ["counter"]
