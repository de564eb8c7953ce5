"""The HTML door of gifts: to whom, how many, the look before, what was given.

What changes something is a POST. The form that gives carries a key that was drawn when it was
printed: a double tap, a resent form and "back" lead to the same gift.
"""

from datetime import datetime
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.actor import Actor
from pointsbank.core.calendar import local_month
from pointsbank.core.db import reading, run
from pointsbank.core.errors import Conflict, Invalid
from pointsbank.core.keys import draw_token
from pointsbank.ledger.queries import balance_of
from pointsbank.members.queries import household_of, member_of
from pointsbank.organizations.queries import in_scope
from pointsbank.passbooks.errors import GiftNotFound, GivingIncomplete
from pointsbank.passbooks.gifts import GiftLine, entries_of, gift_of, gifts_of, month_left
from pointsbank.passbooks.giving import (
    Wish,
    give,
    judge_month,
    judge_points,
    judge_receiver,
    take_gift_back,
)
from pointsbank.passbooks.models import GIFT_MONTH_POINTS_MAX
from pointsbank.passbooks.policy import POINTS_TO_CHOOSE, giftable_points
from pointsbank.passbooks.queries import account_code
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.errors import sentence_of, status_of
from pointsbank.web.forms import (
    NUMBER_TYPED_MAX,
    attempt,
    drawn_key,
    settings,
    typed,
    typed_id,
    typed_whole,
)
from pointsbank.web.idempotency import once

pages = Blueprint("gift_pages", __name__)

LINES_A_PAGE = 20
WORDS_LENGTH_MAX = 60
REASON_LENGTH_MAX = 200


@pages.get("/gifts")
@members_only
def list_gifts() -> ResponseReturnValue:
    """Show whom one can give to, and what was given before."""
    actor, now = current_actor(), clock.now()
    before = position_from(request.args.get("cursor"))
    with reading() as session:
        household = household_of(session, actor.member_id)
        gifts = gifts_of(session, actor.member_id, before_id=before, limit=LINES_A_PAGE + 1)
        purse = purse_of(session, actor.member_id, now)
    shown = gifts[:LINES_A_PAGE]
    here = url_for("gift_pages.list_gifts")
    more = f"{here}?cursor={cursor_from(shown[-1].id)}" if len(gifts) > LINES_A_PAGE else ""
    return render_template(
        "passbooks/gifts.html",
        people=[
            person
            for person in (household.people if household else ())
            if person.id != actor.member_id and person.state == "active"
        ],
        has_household=household is not None,
        purse=purse,
        gifts=[gift_row(gift, actor.member_id) for gift in shown],
        links={
            "back": url_for("book_pages.book"),
            "next": more,
            "first": here if before is not None else "",
        },
    )


def purse_of(session: Session, member_id: int, now: datetime) -> dict[str, int]:
    """Return what a member has, what of it may be given, and what of that still fits this
    month.
    """
    available = balance_of(session, account_code(member_id)).available
    giftable = giftable_points(entries_of(session, member_id), available)
    left = month_left(session, member_id, local_month(now, settings().zone))
    return {
        "available": available,
        "giftable": giftable,
        "received": available - giftable,
        "month_left": left,
        "month_max": GIFT_MONTH_POINTS_MAX,
        "most": min(giftable, left),
    }


def gift_row(gift: GiftLine, member_id: int) -> dict[str, Any]:
    """Return a gift as a row of one of its two people prints it."""
    is_giver = gift.giver_id == member_id
    name = gift.receiver_name if is_giver else gift.giver_name
    return {
        "href": url_for("gift_pages.show_gift", gift_id=gift.id),
        "title": gettext("To %(name)s", name=name)
        if is_giver
        else gettext("From %(name)s", name=name),
        "given_at": gift.given_at,
        "points": -gift.points if is_giver else gift.points,
        "is_taken_back": gift.is_taken_back,
    }


@pages.get("/gifts/to/<id:member_id>")
@members_only
def ask_for_points(member_id: int) -> ResponseReturnValue:
    """Ask how many points a person of the household is given."""
    return points_page(member_id)


def points_page(
    receiver_id: int, error: str = "", typed_points: str = "", status: int = 200
) -> ResponseReturnValue:
    """Render the choice of points, with what was wrong."""
    actor, now = current_actor(), clock.now()
    with reading() as session:
        judge_receiver(session, actor.member_id, receiver_id)
        name = member_of(session, receiver_id).display_name
        purse = purse_of(session, actor.member_id, now)
    page = render_template(
        "passbooks/gift_points.html",
        receiver={"id": receiver_id, "name": name},
        purse=purse,
        choices=[points for points in POINTS_TO_CHOOSE if points <= purse["most"]],
        error=error,
        typed_points=typed_points,
        links={
            "back": url_for("gift_pages.list_gifts"),
            "look": url_for("gift_pages.look"),
            "fund": url_for("fund_pages.list_funds"),
        },
    )
    return page, status


def wanted_points() -> int:
    """Return the points of a form.

    Raises GivingIncomplete.
    """
    points = typed_whole("points", GIFT_MONTH_POINTS_MAX)
    if points is None:
        raise GivingIncomplete(most=GIFT_MONTH_POINTS_MAX)
    return points


@pages.post("/gifts/look")
@members_only
def look() -> ResponseReturnValue:
    """Show who would get how much, before anything moves."""
    actor, now = current_actor(), clock.now()
    receiver_id = typed_id("receiver_id") or 0
    try:
        points = wanted_points()
        with reading() as session:
            judge_receiver(session, actor.member_id, receiver_id)
            judge_month(session, actor.member_id, points, local_month(now, settings().zone))
            judge_points(session, actor.member_id, points)
            name = member_of(session, receiver_id).display_name
            available = balance_of(session, account_code(actor.member_id)).available
    except (Invalid, Conflict) as refusal:
        typed_text = typed("points", NUMBER_TYPED_MAX)
        return points_page(receiver_id, sentence_of(refusal), typed_text, status_of(refusal))
    return render_template(
        "passbooks/gift_confirm.html",
        receiver={"id": receiver_id, "name": name},
        points=points,
        balance={"before": available, "after": available - points},
        key=draw_token(),
        words_max=WORDS_LENGTH_MAX,
        links={
            "give": url_for("gift_pages.make_gift"),
            "back": url_for("gift_pages.ask_for_points", member_id=receiver_id),
            "stop": url_for("gift_pages.list_gifts"),
        },
    )


@pages.post("/gifts")
@members_only
def make_gift() -> ResponseReturnValue:
    """Give once for the key of this form, and lead to the gift."""
    actor, now, zone = current_actor(), clock.now(), settings().zone
    receiver_id = typed_id("receiver_id") or 0
    words = typed("words", WORDS_LENGTH_MAX)
    try:
        points, key = wanted_points(), drawn_key()
        if key is None:
            raise GivingIncomplete(most=GIFT_MONTH_POINTS_MAX)
        wish = Wish(actor.member_id, receiver_id, points, words, key)
        answer = once(
            lambda session: {"id": give(session, wish, zone=zone, now=now).id},
            member_id=actor.member_id,
            key=key,
            sent=repr(("gift", receiver_id, points, words)).encode(),
            now=now,
        )
    except (Invalid, Conflict) as refusal:
        return points_page(receiver_id, sentence_of(refusal), "", status_of(refusal))
    return redirect(url_for("gift_pages.show_gift", gift_id=answer.body["id"]), 303)


@pages.get("/gifts/<id:gift_id>")
@members_only
def show_gift(gift_id: int) -> ResponseReturnValue:
    """Show a gift to its two people, and to administrators over both."""
    actor = current_actor()
    with reading() as session:
        gift = gift_of(session, gift_id)
        is_part = actor.member_id in (gift.giver_id, gift.receiver_id)
        may_take_back = not is_part and administers_both(session, gift, actor)
        if not is_part and not may_take_back:
            raise GiftNotFound
    return render_template(
        "passbooks/gift.html",
        gift=gift,
        is_giver=gift.giver_id == actor.member_id,
        is_receiver=gift.receiver_id == actor.member_id,
        may_take_back=may_take_back and not gift.is_taken_back,
        links={
            "back": url_for("gift_pages.list_gifts") if is_part else url_for("home"),
            "book": url_for("book_pages.book"),
            "reverse": url_for("gift_pages.reverse_gift", gift_id=gift_id),
        },
    )


def administers_both(session: Session, gift: GiftLine, actor: Actor) -> bool:
    """Tell whether a person administers both people of a gift."""
    paths = actor.paths("administrator")
    return bool(paths) and all(
        in_scope(member_of(session, each).path, paths)
        for each in (gift.giver_id, gift.receiver_id)
    )


@pages.post("/gifts/<id:gift_id>/reversal")
@roles_only("administrator")
def reverse_gift(gift_id: int) -> ResponseReturnValue:
    """Take a gift back, and show it again."""
    actor, now, zone = current_actor(), clock.now(), settings().zone
    reason = typed("reason", REASON_LENGTH_MAX) or gettext("A gift by mistake")
    attempt(
        lambda: run(
            lambda session: take_gift_back(
                session, gift_id=gift_id, actor=actor, reason=reason, zone=zone, now=now
            )
        ),
        gettext("The gift was taken back; the points are where they came from."),
    )
    return redirect(url_for("gift_pages.show_gift", gift_id=gift_id), 303)
