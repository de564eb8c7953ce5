"""Why a part of a score is as large as it is, in words that fit its figures."""

import pytest

from pointsbank.core.calendar import read_period
from pointsbank.rankings.schemas import reason_of

QUARTER, YEAR = read_period("2026-Q4"), read_period("2026")


def a_part(**more):
    part = {
        "category": "duty",
        "kind": "base",
        "earned": 300,
        "cap": 1500,
        "score": 1200,
        "entries": 3,
        "points": 0,
        "minutes": 0,
    }
    return part | more


@pytest.mark.parametrize(
    ("part", "period", "words"),
    [
        (a_part(), QUARTER, "3 次 · 3 × 4 折合全年"),
        (a_part(earned=400, score=1500), QUARTER, "3 次 · 4 × 4 折合全年 · 按上限计"),
        # A limit of the item's own cuts as well, below that of the category.
        (a_part(score=500), QUARTER, "3 次 · 3 × 4 折合全年 · 按上限计"),
        (a_part(score=300), YEAR, "3 次"),
        (a_part(earned=0, entries=0, score=1500), QUARTER, "基础分，记满分"),
        # The base is given in full with entries as well, and no cap cuts it.
        (a_part(score=1500), QUARTER, "3 次 · 基础分，记满分"),
        (a_part(earned=-300, score=0), QUARTER, "3 次 · -3 × 4 折合全年"),
        (
            a_part(kind="deduction", earned=-500, cap=0, score=500, entries=1),
            QUARTER,
            "1 次 · 按决定直接扣除",
        ),
        # Of a branch what all have together, and the mean of it.
        (
            a_part(earned=3000, score=600, members=2, total=2400),
            QUARTER,
            "3 次 · 全员合计 24，取平均",
        ),
        (
            a_part(
                kind="deduction", earned=-500, cap=0, score=125, entries=1, members=1, total=500
            ),
            QUARTER,
            "1 次 · 全员合计 5，取平均",
        ),
    ],
)
def test_a_reason_fits_the_figures(app, part, period, words):
    with app.test_request_context(headers={"Accept-Language": "zh"}):
        assert reason_of(part, period) == words
