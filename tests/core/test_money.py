"""Yuan as people type them, and as they are printed."""

import pytest

from pointsbank.core.money import fen_from, yuan, yuan_text


@pytest.mark.parametrize(
    ("typed", "fen"),
    [
        ("10", 1_000),
        ("10.5", 1_050),
        ("１0.05 元", 1_005),
        ("-0.05", -5),
        ("\u221212.50", -1_250),
        ("", None),
        ("10,5", None),
        ("1.234", None),
        ("ten", None),
        ("٣", None),
        ("1" * 9, None),
    ],
)
def test_an_amount_is_read_to_the_fen(typed, fen):
    assert fen_from(typed) == fen


@pytest.mark.parametrize(
    ("fen", "plain", "printed"),
    [
        (0, "0.00", "¥0.00"),
        (5, "0.05", "¥0.05"),
        (-5, "-0.05", "\u2212¥0.05"),
        (123_450, "1234.50", "¥1,234.50"),
    ],
)
def test_an_amount_is_written(fen, plain, printed):
    assert (yuan_text(fen), yuan(fen)) == (plain, printed)
