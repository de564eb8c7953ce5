"""What the rankings take and answer, and the words for it in the reader's language."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import gettext, lazy_gettext, ngettext
from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.calendar import Period
from pointsbank.rankings.overview import (
    Waiting,
    attendance_held,
    shifts_to_settle,
    undecided,
)
from pointsbank.rankings.policy import yearly_factor
from pointsbank.rankings.queries import Ranked
from pointsbank.rewards.shortage import short_places
from pointsbank.rewards.voids_queries import count_voids_to_decide
from pointsbank.scoring.models import CATEGORIES
from pointsbank.web.access import current_actor
from pointsbank.web.contract import PageQuery
from pointsbank.web.formats import hours, hundredths, moment
from pointsbank.web.forms import settings

CODE_LENGTH_MAX = 32
PERIOD_LENGTH_MAX = 20
LABELS = {
    "organization_life": lazy_gettext("Organization life"),
    "study": lazy_gettext("Study"),
    "duty": lazy_gettext("Duty and appraisal"),
    "volunteer_service": lazy_gettext("Volunteer service"),
    "post_service": lazy_gettext("Post service"),
    "recognition": lazy_gettext("Recognition"),
}


class RankingQuery(PageQuery):
    """Which ranking is asked for; the running quarter and one's whole scope when not told."""

    period = fields.String(validate=validate.Length(max=PERIOD_LENGTH_MAX))
    organization_code = fields.String(validate=validate.Length(max=CODE_LENGTH_MAX))
    of = fields.String(load_default="members", validate=validate.OneOf(["members", "branches"]))


class PartOut(Schema):
    """One category's part of an evaluation score, and why it is that much."""

    category = fields.String()
    label = fields.String()
    earned = fields.Float(metadata={"description": "what the period's entries gave"})
    cap = fields.Float(metadata={"description": "the most this category gives"})
    score = fields.Float(metadata={"description": "earned, on a year's scale, up to the cap"})
    entries = fields.Integer()
    points = fields.Integer()
    service_minutes = fields.Integer()
    reason = fields.String()


class RankedMemberOut(Schema):
    """Who has this rank; the name is masked."""

    id = fields.Integer()
    display_name = fields.String()
    volunteer_no = fields.String()
    organization = fields.String()


class RankedOrganizationOut(Schema):
    """Which organization has this rank, and how many of its members took part."""

    code = fields.String()
    name = fields.String()
    member_count = fields.Integer()
    active_count = fields.Integer()


class RankedOut(Schema):
    """One row of a ranking; the scores of its parts add up to its evaluation score."""

    rank = fields.Integer()
    member = fields.Nested(RankedMemberOut)
    organization = fields.Nested(RankedOrganizationOut)
    evaluation_score = fields.Float()
    points_earned = fields.Integer()
    service_minutes = fields.Integer()
    parts = fields.List(fields.Nested(PartOut))


class RankingOut(Schema):
    """A page of a ranking; as_of is null while the period has not been rolled up."""

    period = fields.String()
    of = fields.String()
    as_of = fields.AwareDateTime(format="iso", allow_none=True)
    standard_version = fields.Integer(allow_none=True)
    items = fields.List(fields.Nested(RankedOut))
    next = fields.String(allow_none=True)


def label_of(category: str) -> str:
    """Return a category's name."""
    return str(LABELS.get(category, category))


def reason_of(part: dict[str, Any], period: Period) -> str:
    """Say why a part is as large as it is: the work behind it, the scale, the cap."""
    said = [str(ngettext("%(num)s time", "%(num)s times", part["entries"]))]
    if part["minutes"]:
        said.append(hours(part["minutes"]))
    factor = yearly_factor(period)
    earned = hundredths(part["earned"])
    if factor > 1:
        said.append(
            str(gettext("%(earned)s × %(factor)s for a year", earned=earned, factor=factor))
        )
    if part["earned"] * factor > part["cap"]:
        said.append(str(gettext("counted up to the cap")))
    return " · ".join(said)


def part_out(part: dict[str, Any], period: Period) -> dict[str, Any]:
    """Return a part as the contract has it: scores as numbers, not in hundredths."""
    return {
        "category": part["category"],
        "label": label_of(part["category"]),
        "earned": part["earned"] / 100,
        "cap": part["cap"] / 100,
        "score": part["score"] / 100,
        "entries": part["entries"],
        "points": part["points"],
        "service_minutes": part["minutes"],
        "reason": reason_of(part, period),
    }


def figure(value: int) -> int | float:
    """Return hundredths as a number: 28 or 18.5."""
    return value // 100 if value % 100 == 0 else value / 100


def header_words(of: str) -> list[str]:
    """Return the headings of an exported ranking, before those of the categories."""
    who = (
        [gettext("Organization code"), gettext("Organization")]
        if of == "branches"
        else [gettext("Name"), gettext("Volunteer no."), gettext("Organization")]
    )
    count = [gettext("Members"), gettext("Took part")] if of == "branches" else []
    return [
        gettext("Rank"),
        *who,
        gettext("Evaluation score"),
        gettext("Points earned"),
        gettext("Service minutes"),
        *count,
    ]


def row_cells(row: Ranked, of: str) -> list[str | int | float]:
    """Return a row of an exported ranking, below the headings and the categories."""
    scores = {part["category"]: part["score"] / 100 for part in row.parts}
    who = [row.code, row.name] if of == "branches" else [row.name, row.code, row.place]
    count = [row.member_count or 0, row.active_count or 0] if of == "branches" else []
    return [
        row.rank,
        *who,
        row.evaluation_hundredths / 100,
        row.points_earned,
        row.service_minutes,
        *count,
        *(scores.get(category, 0) for category in CATEGORIES),
    ]


def work_that_waits(
    session: Session, actor: Actor, paths: Sequence[str], now: datetime
) -> list[dict[str, Any]]:
    """Return a line for each kind of work that waits under these paths."""
    return [
        *work_item(shifts_to_settle(session, paths, now), "clock", "settle"),
        *work_item(attendance_held(session, paths, now), "people", "held"),
        *decisions(session, actor),
        *voids_to_decide(session, actor),
        *too_few_rewards(session, actor, now),
    ]


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
