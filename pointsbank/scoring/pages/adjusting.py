"""The pages of manual adjustments: the list, asking for one, deciding on one."""

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from marshmallow import ValidationError

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.core.errors import Conflict, Invalid, NotAllowed, NotFound
from pointsbank.core.text import halfwidth
from pointsbank.members.queries import member_id_of_number, member_in_scope
from pointsbank.scoring.adjusting import (
    ASKING_ROLES,
    DECIDING_ROLES,
    OCCURRED_WITHIN_DAYS,
    READING_ROLES,
    NewAdjustment,
    ask_adjustment,
    decide_adjustment,
)
from pointsbank.scoring.adjustments import AdjustmentFile, adjustment_of, adjustments_within
from pointsbank.scoring.models import (
    ADJUSTMENT_MONTH_MINUTES_MAX,
    ADJUSTMENT_MONTH_POINTS_MAX,
)
from pointsbank.scoring.schemas import (
    EVIDENCE_LENGTH_MAX,
    REASON_LENGTH_MAX,
    REASON_WORDS,
    STATE_WORDS,
    WantedAdjustment,
)
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import cursor_from, positions_from
from pointsbank.web.errors import sentence_of
from pointsbank.web.formats import hours, signed
from pointsbank.web.forms import attempt, settings, typed

pages = Blueprint("adjustment_pages", __name__)

ADJUSTMENTS_A_PAGE = 30
NUMBER_LENGTH_MAX = 20
FORM = {
    "volunteer_no": NUMBER_LENGTH_MAX,
    "what": NUMBER_LENGTH_MAX,
    "amount": NUMBER_LENGTH_MAX,
    "occurred_on": NUMBER_LENGTH_MAX,
    "reason_code": NUMBER_LENGTH_MAX,
    "reason": REASON_LENGTH_MAX,
    "evidence": EVIDENCE_LENGTH_MAX,
}
# What the form offers: the measure, and which way it goes.
WHAT = {
    "points_up": ("points", 1),
    "points_down": ("points", -1),
    "minutes_up": ("service_minutes", 1),
    "minutes_down": ("service_minutes", -1),
}


def size_words(found: AdjustmentFile) -> str:
    """Write +20 points, or −1 h of service time."""
    if found.points is not None:
        return str(gettext("%(points)s points", points=signed(found.points)))
    minutes = found.service_minutes or 0
    time = f"{'+' * (minutes > 0)}{hours(minutes)}"
    return str(gettext("%(time)s of service time", time=time))


@pages.get("/adjustments")
@roles_only(*READING_ROLES)
def list_adjustments() -> ResponseReturnValue:
    """List the adjustments of one's scope: those that wait first, then the newest."""
    actor, now = current_actor(), clock.now()
    after = positions_from(request.args.get("cursor"), 2)
    with reading() as session:
        found = adjustments_within(
            session,
            actor.paths(*READING_ROLES),
            after=after,
            limit=ADJUSTMENTS_A_PAGE + 1,
        )
    shown, here = found[:ADJUSTMENTS_A_PAGE], url_for("adjustment_pages.list_adjustments")
    return render_template(
        "scoring/adjustments.html",
        adjustments=[listed(each, now) for each in shown],
        links={
            "new": url_for("adjustment_pages.ask_for_adjustment")
            if actor.is_(*ASKING_ROLES)
            else "",
            "share": url_for("manual_pages.show_shares"),
            "next": len(found) > ADJUSTMENTS_A_PAGE
            and f"{here}?cursor={cursor_from(shown[-1].rank, shown[-1].id)}",
            "first": here if after else "",
        },
    )


def listed(found: AdjustmentFile, now: datetime) -> dict[str, Any]:
    """Return an adjustment as the list prints it."""
    state = found.state_at(now)
    return {
        "href": url_for("adjustment_pages.show_adjustment", adjustment_id=found.id),
        "name": found.member_name,
        "size": size_words(found),
        "why": str(REASON_WORDS[found.reason_code]),
        "asked_at": found.asked_at,
        "state": state,
        "state_word": str(STATE_WORDS[state]),
    }


@pages.get("/adjustments/<id:adjustment_id>")
@roles_only(*READING_ROLES)
def show_adjustment(adjustment_id: int) -> ResponseReturnValue:
    """Show one adjustment, and to its second person what they may decide."""
    actor, now = current_actor(), clock.now()
    with reading() as session:
        found = adjustment_of(session, adjustment_id, actor.paths(*READING_ROLES))
    state = found.state_at(now)
    return render_template(
        "scoring/adjustment.html",
        adjustment=found,
        size=size_words(found),
        why=REASON_WORDS[found.reason_code],
        state=state,
        state_word=STATE_WORDS[state],
        may_decide=state == "pending"
        and actor.oversees(found.path, *DECIDING_ROLES)
        and actor.member_id not in (found.author_id, found.member_id),
        limits={"reason": REASON_LENGTH_MAX},
        links={
            "back": url_for("adjustment_pages.list_adjustments"),
            "decide": url_for("adjustment_pages.decide", adjustment_id=adjustment_id),
        },
    )


@pages.get("/adjustments/new")
@roles_only(*ASKING_ROLES)
def ask_for_adjustment() -> ResponseReturnValue:
    """Ask what is to be entered by hand, for whom, and why."""
    return asking_page({"occurred_on": local_day(clock.now(), settings().zone).isoformat()}, [])


@pages.get("/members/<id:member_id>/adjustments/new")
@roles_only(*ASKING_ROLES)
def ask_for_member(member_id: int) -> ResponseReturnValue:
    """Ask the same for a member within one's scope, whose number is filled in."""
    with reading() as session:
        member = member_in_scope(session, current_actor().paths(*ASKING_ROLES), member_id)
    today = local_day(clock.now(), settings().zone)
    form = {"volunteer_no": member.volunteer_no, "occurred_on": today.isoformat()}
    return asking_page(form, [])


def asking_page(form: dict[str, str], problems: list[tuple[str, str]]) -> ResponseReturnValue:
    """Render the form, with what was typed and what was wrong."""
    page = render_template(
        "scoring/new_adjustment.html",
        form=form,
        problems=problems,
        errors=dict(problems),
        what=[
            ("points_up", gettext("Add points")),
            ("minutes_up", gettext("Add service time, in minutes (earns no points)")),
            ("points_down", gettext("Take points back")),
            ("minutes_down", gettext("Take service time back, in minutes")),
        ],
        reasons=[("", gettext("Choose a reason")), *REASON_WORDS.items()],
        limits={
            "points": ADJUSTMENT_MONTH_POINTS_MAX,
            "minutes": ADJUSTMENT_MONTH_MINUTES_MAX,
            "days": OCCURRED_WITHIN_DAYS,
            "reason": REASON_LENGTH_MAX,
            "evidence": EVIDENCE_LENGTH_MAX,
        },
        links={
            "back": url_for("adjustment_pages.list_adjustments"),
            "save": url_for("adjustment_pages.ask"),
        },
    )
    return page, 422 if problems else 200


@pages.post("/adjustments/new")
@roles_only(*ASKING_ROLES)
def ask() -> ResponseReturnValue:
    """Ask for what was typed, judged by the same schema as a program's, and show it."""
    form = {name: typed(name, length) for name, length in FORM.items()}
    actor, now, zone = current_actor(), clock.now(), settings().zone
    with reading() as session:
        member_id = member_id_of_number(session, halfwidth(form["volunteer_no"]))
    try:
        wanted = NewAdjustment(**WantedAdjustment().load(body_of(form, member_id)))
    except ValidationError as error:
        return asking_page(form, problems_of(error))
    try:
        asked = run(
            lambda session: ask_adjustment(session, wanted, actor=actor, zone=zone, now=now)
        )
    except NotFound:
        return asking_page(form, [no_such_member()])
    except (Invalid, Conflict, NotAllowed) as refusal:
        return asking_page(form, [("", sentence_of(refusal))])
    flash(gettext("Asked for. A second person decides within seven days."), "success")
    shown = url_for("adjustment_pages.show_adjustment", adjustment_id=asked.id)
    return redirect(shown, 303)


def body_of(form: dict[str, str], member_id: int | None) -> dict[str, Any]:
    """Return what was typed as a program would send it."""
    body: dict[str, Any] = {
        name: form[name] for name in ("reason_code", "reason", "evidence", "occurred_on")
    }
    if member_id is not None:
        body["member_id"] = member_id
    measure, sign = WHAT.get(form["what"], ("points", 1))
    amount = halfwidth(form["amount"])
    is_number = amount.isascii() and amount.isdigit()
    body[measure] = sign * int(amount) if is_number else amount
    return body


def no_such_member() -> tuple[str, str]:
    """Say that nobody within one's scope has this number."""
    return "volunteer_no", str(gettext("No member within your scope has this number."))


def problems_of(error: ValidationError) -> list[tuple[str, str]]:
    """Return the fields that were wrong, each with a sentence, in the order of the form."""
    wrong: Any = error.messages_dict
    amount = gettext(
        "A whole number: up to %(points)s points, or up to %(minutes)s minutes.",
        points=ADJUSTMENT_MONTH_POINTS_MAX,
        minutes=ADJUSTMENT_MONTH_MINUTES_MAX,
    )
    sentences = {
        "member_id": no_such_member(),
        "points": ("amount", str(amount)),
        "service_minutes": ("amount", str(amount)),
        "occurred_on": ("occurred_on", str(gettext("The day it happened."))),
        "reason_code": ("reason_code", str(gettext("Choose a reason."))),
        "reason": ("reason", str(gettext("Say what happened, in up to 200 characters."))),
        "evidence": ("evidence", str(gettext("Up to 400 characters."))),
    }
    return [sentences[name] for name in sentences if name in wrong]


@pages.post("/adjustments/<id:adjustment_id>/decision")
@roles_only(*DECIDING_ROLES)
def decide(adjustment_id: int) -> ResponseReturnValue:
    """Approve or refuse, and show what stands now."""
    actor, now, zone = current_actor(), clock.now(), settings().zone
    choice, reason = request.form.get("decision", ""), typed("reason", REASON_LENGTH_MAX)
    here = url_for("adjustment_pages.show_adjustment", adjustment_id=adjustment_id)
    if choice not in ("approve", "refuse") or not reason:
        flash(gettext("Please say why, and choose approve or refuse."), "error")
        return redirect(here, 303)
    attempt(
        lambda: run(
            lambda session: decide_adjustment(
                session,
                adjustment_id=adjustment_id,
                actor=actor,
                is_approved=choice == "approve",
                reason=reason,
                zone=zone,
                now=now,
            )
        ),
        gettext("Approved. The member is told.")
        if choice == "approve"
        else gettext("Refused. The member is told."),
    )
    return redirect(here, 303)
