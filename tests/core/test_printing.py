"""Lines of printed text: where Chinese and Latin words may be parted, and where not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsbank.core.printing import broken


def width_of(text):
    """A Chinese character is as wide as two Latin letters."""
    return float(sum(2 if ord(letter) >= 0x2E80 else 1 for letter in text))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("共 5 个工作日。如有异议", ["共 5 个工", "作日。如有", "异议"]),
        ("岗位履职\u00a08/10", ["岗位履", "职\u00a08/10"]),
        ("到 2026-11-26 止", ["到", "2026-11-26", "止"]),
        ("甲乙丙丁戊，己", ["甲乙丙丁", "戊，己"]),
        ("一二三四（五）", ["一二三四", "（五）"]),
        ("post service 8", ["post", "service 8"]),
        ("abcdefghijklm", ["abcdefghij", "klm"]),
        ("一\n\n二", ["一", "", "二"]),
        ("", [""]),
    ],
)
def test_words_figures_and_signs_stay_whole(text, lines):
    assert broken(text, 10, width_of) == lines


@given(st.text("甲乙，。（）a1/- \u00a0", max_size=60), st.integers(4, 30))
def test_nothing_is_lost_and_no_line_is_too_wide(text, room):
    lines = broken(text, room, width_of)
    assert all(width_of(line) <= room for line in lines)

    def letters(words):
        return "".join(words).replace(" ", "").replace("\u00a0", "")

    assert letters(lines) == letters(text)
