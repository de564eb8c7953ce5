"""Fifty people at tills, with vouchers and at the shop's code, and one piece: one gets it.

`make prove` plays ten thousand rounds (proving/last_item.py).
"""

from collections import Counter

import pytest

from proving.last_item import run_control
from proving.one_piece import BUYERS, MIXES, WAYS, scene

ROUNDS = 50


def test_of_fifty_one_gets_the_last_item_round_after_round(database_url, dice):
    won = Counter()
    with scene(database_url) as shop:
        for number in range(ROUNDS):
            found = shop.play(str(dice.random()), MIXES[number % len(MIXES)])
            assert found.wrong == [], found
            won[found.winner] += 1
        assert shop.closing() == []
    assert won.total() == ROUNDS
    assert set(won) == set(WAYS)


@pytest.mark.changes_schema
def test_without_the_guard_all_fifty_get_it(database_url, dice):
    """Control: look at the stock, then sell without asking for it, and no bound on the row."""
    found = run_control(database_url, str(dice.random()))
    assert found.winner == ""
    assert found.wrong[0] == f"{BUYERS} of {BUYERS} won"
    assert f"{1 - BUYERS} pieces are in stock" in found.wrong
