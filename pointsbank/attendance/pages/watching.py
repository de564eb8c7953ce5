"""The pages for the middle of a shift: head counts, roll calls, and who signs for the list."""

import random

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.attendance.counting import (
    HEADS_MAX,
    answer_roll_call,
    call_roll,
    count_heads,
    head_counts,
    latest_roll,
)
from pointsbank.attendance.queries import arrivals_of
from pointsbank.attendance.review_errors import HeadCountMissing, NoSuchSigner, RollCallNotFound
from pointsbank.attendance.schemas import desk_here
from pointsbank.attendance.vouching import (
    CO_SIGN_ABOVE,
    ask_to_vouch,
    co_sign,
    list_to_vouch_for,
    may_vouch,
    people_on_list,
    signers_for,
    vouching_of,
)
from pointsbank.core import clock
from pointsbank.core.db import reading, run
from pointsbank.core.text import halfwidth
from pointsbank.tasks.queries import shift_of
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.forms import NUMBER_TYPED_MAX, attempt, typed, typed_id

pages = Blueprint("watching_pages", __name__)


def typed_heads() -> int:
    """Return the number of heads as it was typed; nobody at all is a count as well.

    Raises HeadCountMissing.
    """
    text = halfwidth(typed("counted", NUMBER_TYPED_MAX))
    if not text.isascii() or not text.isdigit() or int(text) > HEADS_MAX:
        raise HeadCountMissing(most=HEADS_MAX)
    return int(text)


@pages.get("/shifts/<id:shift_id>/watching")
@roles_only("organizer")
def watch(shift_id: int) -> ResponseReturnValue:
    """Show the head counts of a shift and its last roll call."""
    with reading() as session:
        shift, task = shift_of(session, shift_id, current_actor().paths("organizer"))
        arrivals = arrivals_of(session, shift_id)
        seen = head_counts(session, shift_id)
        roll = latest_roll(session, shift_id)
    return render_template(
        "attendance/watching.html",
        shift=shift,
        title=task.title,
        present=arrivals.present,
        heads=seen,
        roll=roll,
        most=HEADS_MAX,
        links={
            "back": url_for("attendance_pages.sheet", shift_id=shift_id),
            "count": url_for("watching_pages.count", shift_id=shift_id),
            "call": url_for("watching_pages.begin_roll_call", shift_id=shift_id),
            "answer": url_for("watching_pages.answer", roll_call_id=roll.id) if roll else "",
        },
    )


@pages.post("/shifts/<id:shift_id>/head-counts")
@roles_only("organizer")
def count(shift_id: int) -> ResponseReturnValue:
    """Keep how many people the lead sees."""
    actor, now, rules = current_actor(), clock.now(), desk_here().rules

    def act() -> object:
        counted = typed_heads()
        return run(
            lambda session: count_heads(
                session,
                shift_id=shift_id,
                counted=counted,
                actor_id=actor.member_id,
                paths=actor.paths("organizer"),
                rules=rules,
                now=now,
            )
        )

    attempt(act, gettext("The count is kept."))
    return redirect(url_for("watching_pages.watch", shift_id=shift_id), 303)


@pages.post("/shifts/<id:shift_id>/roll-call")
@roles_only("organizer")
def begin_roll_call(shift_id: int) -> ResponseReturnValue:
    """Draw who is called up."""
    actor, now, rules = current_actor(), clock.now(), desk_here().rules
    attempt(
        lambda: run(
            lambda session: call_roll(
                session,
                shift_id=shift_id,
                actor_id=actor.member_id,
                paths=actor.paths("organizer"),
                rules=rules,
                chance=random.SystemRandom(),
                now=now,
            )
        ),
        gettext("Please call up these people, and mark each."),
    )
    return redirect(url_for("watching_pages.watch", shift_id=shift_id), 303)


@pages.post("/roll-calls/<id:roll_call_id>/answers")
@roles_only("organizer")
def answer(roll_call_id: int) -> ResponseReturnValue:
    """Mark somebody who was called as here or not."""
    actor, now = current_actor(), clock.now()
    member_id = typed_id("member_id")
    if member_id is None:
        raise RollCallNotFound
    is_here = request.form.get("here") == "yes"
    shift_id = typed_id("shift_id")
    attempt(
        lambda: run(
            lambda session: answer_roll_call(
                session,
                roll_call_id=roll_call_id,
                member_id=member_id,
                is_here=is_here,
                actor_id=actor.member_id,
                paths=actor.paths("organizer"),
                now=now,
            )
        ),
        gettext("Marked as here.") if is_here else gettext("Marked as not here."),
    )
    if shift_id is None:
        return redirect(url_for("organizing_pages.list_plans"), 303)
    return redirect(url_for("watching_pages.watch", shift_id=shift_id), 303)


@pages.get("/shifts/<id:shift_id>/vouching")
@members_only
def vouch(shift_id: int) -> ResponseReturnValue:
    """Show the list of a shift to who was there or oversees it, and ask them to sign."""
    actor = current_actor()
    is_lead = False
    with reading() as session:
        shift, task = list_to_vouch_for(session, shift_id, actor)
        vouching = vouching_of(session, shift_id)
        people = people_on_list(session, shift_id)
        is_lead = actor.oversees(task.path, "organizer")
        signers = signers_for(session, shift_id, task) if is_lead else []
        may_sign = may_vouch(session, shift_id, task, actor.member_id)
    return render_template(
        "attendance/vouching.html",
        shift=shift,
        title=task.title,
        vouching=vouching,
        people=people,
        may_sign=may_sign and vouching.people > 0,
        is_lead=is_lead,
        signers=[
            (
                each.member_id,
                gettext("%(name)s (oversees the shift)", name=each.display_name)
                if each.is_overseer
                else each.display_name,
            )
            for each in signers
        ],
        threshold=CO_SIGN_ABOVE,
        links={
            "back": url_for("attendance_pages.sheet", shift_id=shift_id)
            if is_lead
            else url_for("home"),
            "sign": url_for("watching_pages.sign", shift_id=shift_id),
            "ask": url_for("watching_pages.ask", shift_id=shift_id),
        },
    )


@pages.post("/shifts/<id:shift_id>/vouching")
@members_only
def sign(shift_id: int) -> ResponseReturnValue:
    """Vouch for everybody on the list."""
    actor, now = current_actor(), clock.now()
    attempt(
        lambda: run(lambda session: co_sign(session, shift_id=shift_id, actor=actor, now=now)),
        gettext("You signed for the list. Thank you."),
    )
    return redirect(url_for("watching_pages.vouch", shift_id=shift_id), 303)


@pages.post("/shifts/<id:shift_id>/vouching/asking")
@roles_only("organizer")
def ask(shift_id: int) -> ResponseReturnValue:
    """Ask somebody by a message to sign for the list."""
    actor, now = current_actor(), clock.now()
    signer_id = typed_id("member_id")
    if signer_id is None:
        raise NoSuchSigner
    attempt(
        lambda: run(
            lambda session: ask_to_vouch(
                session,
                shift_id=shift_id,
                signer_id=signer_id,
                actor_id=actor.member_id,
                paths=actor.paths("organizer"),
                now=now,
            )
        ),
        gettext("They were asked by a message."),
    )
    return redirect(url_for("watching_pages.vouch", shift_id=shift_id), 303)
