"""A dashboard's figures as its page prints them, with sample sizes and what is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import gettext, ngettext

from pointsbank.rankings.partaking import Entered, Gaps, MonthPart, PlacePart
from pointsbank.rankings.policy import MONTHS_A_YEAR
from pointsbank.web.formats import hours, moment, month_label, month_name, points
from pointsbank.web.languages import locale_name

MONTHS_SHOWN = 12
# The page shows the smallest shares; who wants all of them takes the ranking's file.
PLACES_SHOWN = 20
WAN, KILO = 10_000, 1_000
Months = Mapping[tuple[int, int], MonthPart]


@dataclass(frozen=True)
class Figures:
    """What was counted of a period."""

    branches: list[PlacePart]
    grids: list[PlacePart]
    entered: Entered
    gaps: Gaps

    @property
    def members(self) -> int:
        """How many members there are."""
        return sum(part.members for part in self.branches)

    @property
    def active(self) -> int:
        """How many of them took part."""
        return sum(part.active for part in self.branches)


def first_month(today: date) -> date:
    """Return the first day of the first month that is shown."""
    year, month = divmod(MONTHS_A_YEAR * today.year + today.month - MONTHS_SHOWN, MONTHS_A_YEAR)
    return date(year, month + 1, 1)


def month_after(day: date) -> date:
    """Return the first day of the month after a day's."""
    year, month = divmod(MONTHS_A_YEAR * day.year + day.month, MONTHS_A_YEAR)
    return date(year, month + 1, 1)


def counts_of(shown: Figures) -> list[dict[str, Any]]:
    """Return the figures on top, each beside what it is of."""
    return [
        {
            "label": gettext("Taking part"),
            "figure": share_words(shown.active, shown.members),
            "unit": f"{shown.active}/{shown.members}",
        },
        {
            "label": gettext("Service time"),
            "figure": f"{shown.entered.net_minutes / 60:.1f}".removesuffix(".0"),
            "unit": gettext("hours"),
        },
        {
            "label": gettext("Points earned"),
            "figure": points(shown.entered.net_points),
            "unit": gettext("points"),
        },
        {
            "label": gettext("Time by hand"),
            "figure": f"{shown.entered.minutes_percent}%",
            "unit": "",
        },
    ]


def share_words(part: int, whole: int) -> str:
    """Write 9%, or a dash where there is nothing to take a share of."""
    return f"{PlacePart('', '', whole, part).percent}%" if whole else "–"


def samples_of(shown: Figures, counted_at: datetime) -> list[str]:
    """Say of how many the figures are, what they do not hold yet, and as of when."""
    gaps = shown.gaps
    said = [
        gettext(
            "%(active)s of %(members)s members took part.",
            active=shown.active,
            members=shown.members,
        ),
        gettext("Counted %(time)s.", time=moment(counted_at)),
    ]
    for count, sentence in (
        (
            gaps.meetings_without_list,
            ngettext(
                "%(num)s meeting has no list yet.",
                "%(num)s meetings have no list yet.",
                gaps.meetings_without_list,
            ),
        ),
        (
            gaps.shifts_without_list,
            ngettext(
                "At %(num)s shift that is over nobody was recorded.",
                "At %(num)s shifts that are over nobody was recorded.",
                gaps.shifts_without_list,
            ),
        ),
        (
            gaps.shifts_unsettled,
            ngettext(
                "%(num)s shift is not settled; its people may be missing here.",
                "%(num)s shifts are not settled; their people may be missing here.",
                gaps.shifts_unsettled,
            ),
        ),
    ):
        if count:
            said.append(sentence)
    return [str(each) for each in said]


def tables_of(shown: Figures) -> list[dict[str, Any]]:
    """Return who took part by branch and by grid, those with the smallest share first."""
    return [
        table_of("branches", gettext("By branch"), gettext("Organization"), shown.branches),
        table_of("grids", gettext("By grid"), gettext("Grid"), shown.grids),
    ]


def table_of(name: str, title: str, head: str, parts: Sequence[PlacePart]) -> dict[str, Any]:
    """Return one table as components/report_tables.html prints it; the bar is the share."""
    empty = [part for part in parts if part.members and not part.active]
    unknown = [part for part in parts if not part.members]
    said = []
    if empty:
        said.append(
            ngettext(
                "In %(num)s nobody has taken part.",
                "In %(num)s nobody has taken part.",
                len(empty),
            )
        )
    if unknown:
        said.append(
            ngettext(
                "In %(num)s no member is recorded, so nothing can be said.",
                "In %(num)s no member is recorded, so nothing can be said.",
                len(unknown),
            )
        )
    return {
        "name": name,
        "title": title,
        "said": [str(each) for each in said],
        "columns": [
            {"label": head, "kind": "head"},
            {"label": gettext("People who took part"), "kind": "n"},
            {"label": gettext("Members"), "kind": "n"},
            {"label": gettext("Share"), "kind": "n"},
        ],
        "rows": [
            {
                "cells": [
                    part.name,
                    points(part.active),
                    points(part.members),
                    share_words(part.active, part.members),
                ],
                "bar": part.percent,
            }
            for part in parts[:PLACES_SHOWN]
        ],
        "more": max(0, len(parts) - PLACES_SHOWN),
    }


def charts_of(months: Months, today: date) -> list[dict[str, Any]]:
    """Return a chart each of hours, points and people, over twelve months."""
    first = first_month(today)
    shown = []
    for no in range(MONTHS_SHOWN):
        year, month = divmod(MONTHS_A_YEAR * first.year + first.month - 1 + no, MONTHS_A_YEAR)
        shown.append(date(year, month + 1, 1))
    parts = [months.get((day.year, day.month), MonthPart()) for day in shown]
    return [
        {
            "title": title,
            "unit": unit,
            "bars": [
                {
                    "label": month_label(day.month),
                    "name": month_name(day),
                    # A bar has no length below zero: more may be taken back than was earned.
                    "value": max(value, 0),
                    "text": short(value),
                    "exact": exact,
                    "now": (day.year, day.month) == (today.year, today.month),
                }
                for day, value, exact in zip(shown, values, exacts, strict=True)
            ],
        }
        for title, unit, values, exacts in (
            (
                gettext("Service time (hours)"),
                gettext("hours"),
                [round(part.minutes / 60) for part in parts],
                [f"{part.minutes / 60:.1f}".removesuffix(".0") for part in parts],
            ),
            (
                gettext("Points earned"),
                gettext("points"),
                [part.points for part in parts],
                [points(part.points) for part in parts],
            ),
            (
                gettext("People who took part"),
                gettext("people"),
                [part.people for part in parts],
                [points(part.people) for part in parts],
            ),
        )
    ]


def short(value: int) -> str:
    """Write a figure so that twelve stand beside each other: 1.2万, or 12k."""
    if abs(value) < WAN:
        return points(value)
    unit, word = (WAN, "万") if locale_name() == "zh" else (KILO, "k")
    return (
        f"{points(value // unit)}{word}" if value >= 10 * unit else f"{value / unit:.1f}{word}"
    )


def by_hand_rows(entered: Entered) -> list[dict[str, Any]]:
    """Return how points and service time were entered, as rows of a table."""
    lines = (
        (
            gettext("By scan"),
            entered.all_points - entered.typed_points - entered.adjusted_points,
            entered.all_minutes - entered.typed_minutes - entered.adjusted_minutes,
        ),
        (gettext("Member number typed"), entered.typed_points, entered.typed_minutes),
        (
            gettext("Approved adjustments, up or down"),
            entered.adjusted_points,
            entered.adjusted_minutes,
        ),
        (gettext("In all"), entered.all_points, entered.all_minutes),
    )
    return [{"cells": [word, points(some), hours(time)]} for word, some, time in lines]
