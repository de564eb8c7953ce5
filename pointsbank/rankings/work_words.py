"""Work that waits as the dashboard lists it: what, how much, since when, where it is done."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.rankings.overview import (
    Waiting,
    attendance_held,
    shifts_to_settle,
    undecided,
)
from pointsbank.rankings.waiting import Pile, piles
from pointsbank.rewards.shortage import short_places
from pointsbank.rewards.voids_queries import count_voids_to_decide
from pointsbank.web.access import current_actor
from pointsbank.web.formats import day, moment
from pointsbank.web.forms import settings

WORK_WORDS = {
    "papers": lazy_gettext("Decide on deductions, vetoes, exemptions and late entries"),
    "appraisals": lazy_gettext("Confirm democratic appraisals"),
    "notices": lazy_gettext("Review public notices"),
    "answers": lazy_gettext("Answer objections"),
    "rulings": lazy_gettext("Decide on objections"),
    "corrections": lazy_gettext("Decide on corrections of closed periods"),
    "grades": lazy_gettext("Say your grade in open cases"),
    "stars": lazy_gettext("Decide on applications for stars"),
    "revocations": lazy_gettext("Decide on revocations of stars"),
    "applications": lazy_gettext("Accept party members who register at home"),
    "confirmations": lazy_gettext("Confirm your people who registered at home"),
    "moves": lazy_gettext("Decide on moves that another branch proposed"),
}
WORK_ICONS = {
    "answers": "flag",
    "rulings": "flag",
    "notices": "bell",
    "applications": "home",
    "confirmations": "home",
    "moves": "people",
}
WORK_PAGES = {
    "papers": "evaluation_paper_pages.show_all",
    "appraisals": "evaluation_paper_pages.show_all",
    "notices": "notice_desk_pages.list_notices",
    "answers": "objection_pages.list_objections",
    "rulings": "objection_pages.list_objections",
    "corrections": "period_pages.list_periods",
    "stars": "star_pages.list_applications",
    "revocations": "star_pages.list_applications",
    "applications": "dual_pages.list_registrations",
    "confirmations": "dual_pages.list_registrations",
    "moves": "proposal_pages.list_proposals",
}


def work_that_waits(
    session: Session, actor: Actor, paths: Sequence[str], now: datetime
) -> list[dict[str, Any]]:
    """Return a line for each kind of work that waits under these paths."""
    return [
        *work_item(shifts_to_settle(session, paths, now), "clock", "settle"),
        *work_item(attendance_held(session, paths, now), "people", "held"),
        *decisions(session, actor),
        *secretary_work(session, actor),
        *voids_to_decide(session, actor),
        *too_few_rewards(session, actor, now),
    ]


def secretary_work(session: Session, actor: Actor) -> list[dict[str, Any]]:
    """Return a line for each pile of papers, notices, objections, grades, stars and moves."""
    return [
        {
            "href": page_of(pile),
            "icon": WORK_ICONS.get(pile.kind, "edit"),
            "title": str(WORK_WORDS[pile.kind]),
            "detail": gettext("The first is due on %(day)s", day=day(pile.due_on))
            if pile.due_on
            else "",
            "number": pile.count,
        }
        for pile in piles(session, actor)
    ]


def page_of(pile: Pile) -> str:
    """Return the address of the page where a pile is worked off."""
    if pile.review_id is not None:
        return url_for("grade_pages.show_review", review_id=pile.review_id)
    return url_for(WORK_PAGES[pile.kind])


def voids_to_decide(session: Session, actor: Actor) -> list[dict[str, Any]]:
    """Return a line for an administrator of the voids that wait for a second one."""
    paths = actor.paths("administrator")
    number = count_voids_to_decide(session, paths, actor.member_id) if paths else 0
    if not number:
        return []
    return [
        {
            "href": url_for("void_pages.show"),
            "icon": "undo",
            "title": gettext("Decide on voids"),
            "detail": gettext("Asked for by another administrator"),
            "number": number,
        }
    ]


def too_few_rewards(session: Session, actor: Actor, now: datetime) -> list[dict[str, Any]]:
    """Return a line for an administrator whose communities have too few rewards."""
    paths = actor.paths("administrator")
    places = short_places(session, paths, now, settings().zone) if paths else []
    if not places:
        return []
    return [
        {
            "href": url_for("shortage_pages.show"),
            "icon": "gift",
            "title": gettext("Bring in rewards"),
            "detail": gettext("Communities with too few for five hours' work"),
            "number": len(places),
        }
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
