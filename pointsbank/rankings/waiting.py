"""The work that waits for whoever opens the dashboard, in words, with where each leads."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.rankings.overview import (
    Waiting,
    attendance_held,
    shifts_to_settle,
    undecided,
)
from pointsbank.web.access import current_actor
from pointsbank.web.formats import moment


def work_that_waits(
    session: Session, actor: Actor, paths: Sequence[str], now: datetime
) -> list[dict[str, Any]]:
    """Return a line for each kind of work that waits under these paths."""
    return [
        *work_item(shifts_to_settle(session, paths, now), "clock", "settle"),
        *work_item(attendance_held(session, paths, now), "people", "held"),
        *decisions(session, actor),
    ]


def work_item(waiting: Waiting | None, icon: str, kind: str) -> list[dict[str, Any]]:
    """Return a line of work that waits, none when there is nothing."""
    if waiting is None:
        return []
    titles = {
        "settle": gettext("Settle shifts that are over"),
        "held": gettext("Review service time that was held"),
    }
    return [
        {
            "href": sheet_link(waiting.shift_id),
            "icon": icon,
            "title": titles[kind],
            "detail": gettext("The oldest ended %(time)s", time=moment(waiting.since)),
            "number": waiting.count,
        }
    ]


def decisions(session: Session, actor: Actor) -> list[dict[str, Any]]:
    """Return what waits for this person's decision, a line each."""
    paths = actor.paths("administrator", "secretary")
    if not paths:
        return []
    waiting = undecided(session, paths, actor.member_id)
    lines = (
        ("disputing_pages.list_disputes", "flag", gettext("Answer disputes"), waiting.disputes),
        (
            "adjustment_pages.list_adjustments",
            "edit",
            gettext("Decide on adjustments"),
            waiting.adjustments,
        ),
        (
            "fund_pages.list_funds",
            "gift",
            gettext("Decide on spendings of care funds"),
            waiting.spendings,
        ),
    )
    return [
        {"href": url_for(page), "icon": icon, "title": title, "detail": "", "number": number}
        for page, icon, title, number in lines
        if number
    ]


def sheet_link(shift_id: int) -> str:
    """Return the address of a shift's attendance sheet, empty for who may not open it."""
    if not current_actor().is_("organizer"):
        return ""
    return url_for("attendance_pages.sheet", shift_id=shift_id)
