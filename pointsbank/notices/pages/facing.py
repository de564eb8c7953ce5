"""A notice as pages print it, for everyone and for those who look after it."""

from datetime import date
from typing import Any

from flask import url_for
from sqlalchemy.orm import Session

from pointsbank.core.text import masked_name
from pointsbank.notices.queries import (
    NoticeFile,
    days_of_window,
    objection_counts,
    shown_lines,
)
from pointsbank.notices.words import cells, columns, sentences
from pointsbank.organizations.workdays import is_year_known
from pointsbank.web.formats import root_groups, weekday
from pointsbank.web.forms import settings
from pointsbank.web.qr import qr_svg


def public_address(notice_id: int) -> str:
    """Return the whole address of a notice's public page, as a QR code carries it."""
    path = url_for("notice_pages.show_notice", notice_id=notice_id)
    return f"{settings().public_url.rstrip('/')}{path}"


def printed(session: Session, found: NoticeFile, today: date) -> dict[str, Any]:
    """Return everything that a page prints of a notice."""
    lines = shown_lines(session, found.id)
    days = days_of_window(session, found)
    came_in, closed = objection_counts(session, found.id)
    return {
        "notice": found,
        "sentences": sentences(found.kind, found.facts),
        "columns": columns(found.kind),
        "lines": [cells(found.kind, line.name, line.facts) for line in lines],
        "has_masked": any(
            line.about == "member" and line.name == masked_name(line.name) for line in lines
        ),
        "days": [
            {"weekday": weekday(day), "day": day.day, "done": day < today} for day in days
        ],
        "over": sum(day < today for day in days),
        "left": sum(day >= today for day in days),
        "objections": came_in,
        "closed": closed,
        "unknown_year": next(
            (day.year for day in days if not is_year_known(session, day.year)), None
        ),
        "digest": root_groups(found.digest),
        "qr": qr_svg(public_address(found.id)),
    }
