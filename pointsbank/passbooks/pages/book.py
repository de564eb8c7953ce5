"""The page of one's own passbook, as a bank prints it."""

from datetime import date, timedelta
from itertools import zip_longest
from typing import Any

from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.calendar import local_day, midnight
from pointsbank.core.db import reading
from pointsbank.core.settings import Settings
from pointsbank.ledger.queries import Line, balance_at
from pointsbank.members.queries import display_names, member_of
from pointsbank.passbooks.disputes import newest_disputes
from pointsbank.passbooks.exporting import FORMATS
from pointsbank.passbooks.policy import (
    FILTERS,
    FindServiceTime,
    FindWordsBehind,
    Month,
    by_month,
    span_of_year,
)
from pointsbank.passbooks.queries import (
    Cover,
    MonthSums,
    account_code,
    cover_of,
    lines_of,
    month_sums,
    taken_back,
    years_of,
)
from pointsbank.passbooks.schemas import cover_words, day_with_year, printed_line
from pointsbank.web.access import current_actor, members_only
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.formats import month_label
from pointsbank.web.languages import locale_name

pages = Blueprint("book_pages", __name__)

LINES_A_PAGE = 40
# Points that expire within this time get a sentence of their own above the lines.
EXPIRY_TOLD_DAYS = 60
DAY_LENGTH = len("2026-11-21")
# A day ends this long before the next one begins, as finely as moments are kept.
SHORTEST = timedelta(microseconds=1)


@pages.get("/passbook")
@members_only
def book() -> ResponseReturnValue:
    """Show one's own book."""
    settings: Settings = current_app.extensions["settings"]
    find_service_time: FindServiceTime = current_app.extensions["service_time"]
    member_id = current_actor().member_id
    today = local_day(clock.now(), settings.zone)
    year, shown = wanted_year(), wanted_kind()
    before = position_from(request.args.get("cursor"))
    with reading() as session:
        lines = lines_of(
            session,
            member_id,
            before_line=before,
            limit=LINES_A_PAGE + 1,
            kinds=FILTERS.get(shown, ()),
            span=span_of_year(year, settings.zone) if year else None,
        )
        printed = lines[:LINES_A_PAGE]
        months = by_month(printed, settings.zone)
        person = member_of(session, member_id)
        cover = cover_of(session, member_id)
        context = {
            "past": past_balance(session, member_id),
            "book": cover_words(cover, person.name, person.volunteer_no)
            | {"place": person.organization_name},
            "service": find_service_time(session, member_id, today),
            "months": printed_months(session, member_id, months, shown),
            "filters": {
                "years": [("", gettext("All years"))]
                + [(each, str(each)) for each in years_of(session, member_id, settings.zone)],
                "year": year or "",
                "kinds": kinds_to_choose(),
                "kind": shown,
            },
            "expiring": expiring_soon(cover, today),
            "lots": [
                {"on": day_with_year(lot.expires_on), "points": lot.points}
                for lot in cover.expiring
            ],
        }
    return render_template(
        "passbooks/book.html",
        **context,
        verify=None,
        print_size="a5",
        links=links(printed, len(lines) > LINES_A_PAGE, before is not None, year, shown),
    )


def past_balance(session: Session, member_id: int) -> dict[str, Any]:
    """Return the balance at the end of the day that was asked for, if one was."""
    try:
        on = date.fromisoformat(request.args.get("day", "")[:DAY_LENGTH])
        next_day = on + timedelta(days=1)
    except (ValueError, OverflowError):
        return {"day": "", "on": "", "balance": 0}
    zone = current_app.extensions["settings"].zone
    end = midnight(next_day, zone) - SHORTEST
    balance = balance_at(session, account_code(member_id), end)
    return {"day": on.isoformat(), "on": day_with_year(on), "balance": balance}


def wanted_year() -> int | None:
    """Return the year that was asked for, None for all."""
    text = request.args.get("year", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) == 4 else None


def wanted_kind() -> str:
    """Return the kind of lines that was asked for, empty for all."""
    kind = request.args.get("kind", "")
    return kind if kind in FILTERS else ""


def kinds_to_choose() -> list[tuple[str, str]]:
    """Return the kinds of lines with their words."""
    return [
        ("", gettext("All kinds")),
        ("in", gettext("Deposit")),
        ("out", gettext("Withdrawal")),
        ("reversal", gettext("Reversal")),
    ]


def links(
    printed: list[Line], has_more: bool, is_later_page: bool, year: int | None, shown: str
) -> dict[str, str]:
    """Return where the page leads; next and first only where there is such a page."""
    asked: dict[str, Any] = {"year": year, "kind": shown or None}
    found = {"home": url_for("home"), "here": url_for("book_pages.book"), "print": "#print"}
    for form in FORMATS:
        found[form] = url_for("exporting_api.export_book", format=form)
    for name, endpoint in (
        ("rewards", "reward_pages.catalogue"),
        ("tasks", "finding_pages.list_tasks"),
    ):
        if endpoint in current_app.view_functions:
            found[name] = url_for(endpoint)
    if has_more:
        cursor = cursor_from(printed[-1].line)
        found["next"] = url_for("book_pages.book", cursor=cursor, **asked)
    if is_later_page:
        found["first"] = url_for("book_pages.book", **asked)
    return found


def expiring_soon(cover: Cover, today: date) -> dict[str, Any] | None:
    """Return what expires soon enough to be said in a sentence."""
    if not cover.expiring:
        return None
    first = cover.expiring[0]
    if first.expires_on > today + timedelta(days=EXPIRY_TOLD_DAYS):
        return None
    return {"points": first.points, "on": day_with_year(first.expires_on)}


def month_name(first_on: date) -> str:
    """Write 2026年11月, or November 2026."""
    if locale_name() == "zh":
        return f"{first_on.year}年{first_on.month}月"
    return f"{first_on:%B %Y}"


def printed_months(
    session: Session, member_id: int, months: list[Month], shown: str
) -> list[dict[str, Any]]:
    """Return the months as the component prints them.

    Under a choice of kinds nothing is carried forward, because lines between are left out.
    """
    settings: Settings = current_app.extensions["settings"]
    find_words_behind: FindWordsBehind = current_app.extensions["words_behind"]
    lines = [line for month in months for line in month.lines]
    sums = month_sums(session, member_id, [month.first_on for month in months], settings.zone)
    reversals = taken_back(session, lines)
    disputes = newest_disputes(session, lines)
    behind = find_words_behind(session, lines)
    people = display_names(session, {line.actor_id for line in lines if line.actor_id})
    on_page = {line.line for line in lines}
    return [
        {
            "title": month_name(month.first_on),
            **vars(sums.get(month.first_on, MonthSums())),
            "lines": [
                printed_line(
                    line,
                    reversals.get(line.transfer_id, 0),
                    people,
                    on_page,
                    disputes.get(line.transfer_id),
                    behind.get(line.transfer_id, ()),
                )
                for line in month.lines
            ],
            "carried": None if shown else carried(month, older),
        }
        for month, older in zip_longest(months, months[1:])
    ]


def carried(month: Month, older: Month | None) -> dict[str, Any] | None:
    """Return the balance that was carried forward to a month; none where the book begins.

    older: the month before it on this page. Without one the month may go on overleaf, so that
    the line is named instead.
    """
    before = month.lines[-1].line - 1
    if before == 0:
        return None
    title = (
        gettext("at the end of %(month)s", month=month_label(older.first_on.month))
        if older
        else gettext("after line %(line)s", line=before)
    )
    return {"title": title, "balance": month.carried}
