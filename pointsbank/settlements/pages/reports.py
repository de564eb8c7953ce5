"""The pages of the reports: charts that are tables, and their files."""

import io
from collections.abc import Callable, Sequence
from typing import Any

from flask import Blueprint, abort, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.budgets.months import month_now, months_from
from pointsbank.core import clock
from pointsbank.core.db import reading
from pointsbank.core.sheets import XLSX_TYPE, write_sheet
from pointsbank.settlements.reporting import (
    MonthLine,
    Report,
    TakenLine,
    report_of,
    span_of,
)
from pointsbank.settlements.reports_schemas import (
    SHEETS,
    flow_figures,
    flow_headers,
    place_figures,
    report_sheet,
    reward_name,
    taken_figures,
    taken_headers,
)
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.formats import month_label, month_name, points
from pointsbank.web.forms import settings
from pointsbank.web.languages import locale_name

pages = Blueprint("report_pages", __name__)

OVERSEERS = ("administrator", "auditor")
# As far back as the form offers; an address may name any month.
MONTHS_OFFERED = 25
# The page shows the largest; the file has all.
LINES_SHOWN = 30
WAN, KILO = 10_000, 1_000


@pages.get("/reports/points")
@roles_only(*OVERSEERS)
def show_points() -> ResponseReturnValue:
    """Show what was issued, redeemed and expired, and what is left."""
    report = asked_report()
    total = report.total
    first, last = report.months[0].month, report.months[-1].month
    running = month_now(clock.now(), settings().zone)
    span: dict[str, Any] = {"first": first.name, "last": last.name}
    return render_template(
        "settlements/report.html",
        span=gettext(
            "%(first)s to %(last)s",
            first=month_name(first.first_on),
            last=month_name(last.first_on),
        ),
        chosen=span,
        months=[
            (each.name, month_name(each.first_on))
            for each in (months_from(running, -back) for back in range(MONTHS_OFFERED))
        ],
        counts=[
            {"label": gettext("Issued"), "figure": points(total.issued)},
            {"label": gettext("Redeemed in all"), "figure": points(total.redeemed)},
            {"label": gettext("Expired in all"), "figure": points(total.expired)},
            {"label": gettext("Outstanding"), "figure": points(report.outstanding)},
        ],
        opening=points(report.opening),
        charts=charts_of(report),
        tables=[by_month(report), by_community(report), by_merchant(report), by_reward(report)],
        links={
            "here": url_for("report_pages.show_points"),
            "files": {by: url_for("report_pages.points_file", by=by, **span) for by in SHEETS},
        },
    )


@pages.get("/reports/points.xlsx")
@roles_only(*OVERSEERS)
def points_file() -> ResponseReturnValue:
    """Hand one part of the report out as an XLSX file."""
    by = request.args.get("by", SHEETS[0])
    if by not in SHEETS:
        abort(404)
    report = asked_report()
    file = io.BytesIO()
    write_sheet(file, report_sheet(report, by, settings().zone, clock.now()))
    file.seek(0)
    name = f"points-{by}-{report.months[0].month.name}-{report.months[-1].month.name}.xlsx"
    return send_file(file, mimetype=XLSX_TYPE, as_attachment=True, download_name=name)


def asked_report() -> Report:
    """Return the report of the months in the address, within the scope of whoever looks."""
    zone = settings().zone
    months = span_of(request.args.get("first"), request.args.get("last"), clock.now(), zone)
    with reading() as session:
        return report_of(session, current_actor().paths(*OVERSEERS), months, zone)


def charts_of(report: Report) -> list[dict[str, Any]]:
    """Return a chart for each of the figures that are looked at month by month."""
    shown: list[tuple[str, Callable[[MonthLine], int]]] = [
        (gettext("Issued"), lambda line: line.flow.issued),
        (gettext("Redeemed in all"), lambda line: line.flow.redeemed),
        (gettext("Expired in all"), lambda line: line.flow.expired),
        (gettext("Outstanding"), lambda line: line.outstanding),
    ]
    return [
        {
            "title": title,
            "bars": [
                {
                    "label": month_label(line.month.first_on.month),
                    "name": month_name(line.month.first_on),
                    # A bar has no length below zero: more may come back than expired.
                    "value": max(figure(line), 0),
                    "text": short(figure(line)),
                    "exact": points(figure(line)),
                }
                for line in report.months
            ],
        }
        for title, figure in shown
    ]


def short(value: int) -> str:
    """Write a figure so that twelve stand beside each other: 1.2万, or 12k."""
    if abs(value) < WAN:
        return points(value)
    unit, word = (WAN, "万") if locale_name() == "zh" else (KILO, "k")
    return (
        f"{points(value // unit)}{word}" if value >= 10 * unit else f"{value / unit:.1f}{word}"
    )


def by_month(report: Report) -> dict[str, Any]:
    """Return the months as a table, with their sums below."""
    rows = [
        [month_name(line.month.first_on), *flow_figures(line.flow, line.outstanding)]
        for line in report.months
    ]
    rows.append([gettext("In all"), *flow_figures(report.total, report.outstanding)])
    return table("months", gettext("By month"), [gettext("Month")], flow_headers(), rows)


def by_community(report: Report) -> dict[str, Any]:
    """Return the communities as a table; the bar is what each issued."""
    rows = [[each.place.name, *place_figures(each)] for each in report.places]
    bars = [each.sums.issued for each in report.places]
    return table(
        "communities",
        gettext("By community"),
        [gettext("Community")],
        flow_headers(),
        rows,
        bars,
    )


def by_merchant(report: Report) -> dict[str, Any]:
    """Return the merchants as a table; the bar is what each took."""
    rows = [[each.merchant, *taken_figures(each)] for each in report.merchants]
    return table(
        "merchants",
        gettext("By merchant"),
        [gettext("Merchant")],
        taken_headers(),
        rows,
        nets(report.merchants),
    )


def by_reward(report: Report) -> dict[str, Any]:
    """Return the rewards as a table; the bar is what was taken for each."""
    rows = [[reward_name(each), each.merchant, *taken_figures(each)] for each in report.rewards]
    return table(
        "rewards",
        gettext("By reward"),
        [gettext("Reward"), gettext("Merchant")],
        taken_headers(),
        rows,
        nets(report.rewards),
    )


def nets(lines: Sequence[TakenLine]) -> list[int]:
    """Return what was taken less what was given back, for each line."""
    return [each.net for each in lines]


def table(
    name: str,
    title: str,
    words: list[str],
    figures: list[str],
    rows: list[list[Any]],
    bars: list[int] | None = None,
) -> dict[str, Any]:
    """Return a table as the template prints it; bars: whole percents of the longest."""
    longest = max([1, *(bars or [])])
    return {
        "name": name,
        "title": title,
        "columns": [
            *({"label": word, "kind": "" if no else "head"} for no, word in enumerate(words)),
            *({"label": figure, "kind": "n"} for figure in figures),
        ],
        "rows": [
            {
                "cells": [each if isinstance(each, str) else points(each) for each in row],
                "bar": max(0, 100 * bars[no] // longest) if bars is not None else None,
            }
            for no, row in enumerate(rows[:LINES_SHOWN])
        ],
        "more": max(0, len(rows) - LINES_SHOWN),
    }
