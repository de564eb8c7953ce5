"""The HTML door of what comes after a deal: the member's yes or no, and the day's end.

A deal above 200 points stands under the address of its receipt: while it waits, its member sees
the question there and the counter sees the clock.
"""

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.merchants.errors import DecisionMissing
from pointsbank.rewards.closing import close_day
from pointsbank.rewards.confirming import confirm_redemption, decline_redemption
from pointsbank.rewards.pages.counter_bar import counter_bar
from pointsbank.rewards.queries import (
    RedemptionLine,
    available_points,
    redemptions_of_member,
)
from pointsbank.rewards.redeeming import CONFIRM_SECONDS
from pointsbank.rewards.words import what_words
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.forms import attempt, settings, typed

pages = Blueprint("confirm_pages", __name__)

NOTE_LENGTH_MAX = 200
DECISIONS = {"confirm": confirm_redemption, "decline": decline_redemption}


@pages.get("/redemptions/waiting")
@members_only
def find_waiting() -> ResponseReturnValue:
    """Lead to the deal that waits for this member, or say that none does."""
    actor, now = current_actor(), clock.now()
    with reading() as session:
        found = redemptions_of_member(session, actor.member_id, state="waiting", limit=1)
    if found and found[0].state_at(now) == "waiting":
        return redirect(url_for("till_pages.show_receipt", redemption_id=found[0].id))
    flash(gettext("Nothing waits for you to confirm just now."), "success")
    return redirect(url_for("member_pages.ask_for_redemption_code"))


def waiting_page(line: RedemptionLine, *, is_member: bool, now: datetime) -> str:
    """Render the question to the member, or the clock to the counter."""
    available = None
    if is_member:
        with reading() as session:
            available = available_points(session, line.member_id)
    left = line.confirm_by - now if line.confirm_by else None
    bar = {} if is_member else {"bar": counter_bar(line.merchant_id)}
    return render_template(
        "rewards/waiting.html",
        deal=line,
        what=what_words(line),
        is_member=is_member,
        # The points are set aside already: what is available is what will be left.
        available=available,
        left=max(1, round(left.total_seconds())) if left else 1,
        total=CONFIRM_SECONDS,
        links={
            "here": url_for("till_pages.show_receipt", redemption_id=line.id),
            "api": url_for("counter_api.show", redemption_id=line.id),
            "decide": url_for("confirm_pages.decide", redemption_id=line.id),
            "back": url_for("home")
            if is_member
            else url_for("till_pages.show_till", merchant_id=line.merchant_id),
        },
        **bar,
    )


@pages.post("/redemptions/<id:redemption_id>/confirmation")
@members_only
def decide(redemption_id: int) -> ResponseReturnValue:
    """Carry out the member's yes, or the no of the member or the counter."""
    decision = request.form.get("decision")
    actor, now = current_actor(), clock.now()

    def act() -> None:
        if decision not in DECISIONS:
            raise DecisionMissing
        decide_so = DECISIONS[decision]
        run(
            lambda session: decide_so(
                session, redemption_id=redemption_id, actor=actor, now=now
            )
        )

    is_yes = decision == "confirm"
    attempt(
        act,
        gettext("Confirmed.") if is_yes else gettext("Not redeemed; no points were taken."),
    )
    return redirect(url_for("till_pages.show_receipt", redemption_id=redemption_id), 303)


@pages.post("/till/<id:merchant_id>/closing")
@roles_only("clerk")
def close(merchant_id: int) -> ResponseReturnValue:
    """Close today at this counter, once."""
    actor, now = current_actor(), clock.now()
    today = local_day(now, settings().zone)
    closing: dict[str, Any] = {
        "actor": actor,
        "merchant_id": merchant_id,
        "day": today,
        "words": typed("note", NOTE_LENGTH_MAX) or None,
        "today": today,
        "now": now,
    }
    attempt(
        lambda: run(lambda session: close_day(session, **closing)),
        gettext("Today is closed."),
    )
    return redirect(url_for("till_pages.show_till", merchant_id=merchant_id), 303)
