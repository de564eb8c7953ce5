"""The pages of consent: one's own, and what somebody signed on paper."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.db import reading, run
from pointsbank.members.consent_words import (
    CHANNEL_WORDS,
    PURPOSE_SENTENCES,
    PURPOSE_WORDS,
)
from pointsbank.members.consenting import (
    RECORDERS,
    consents_of,
    give_consent,
    withdraw_consent,
)
from pointsbank.members.queries import member_in_scope
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.forms import attempt, typed

pages = Blueprint("consent_pages", __name__)

PURPOSE_LENGTH_MAX = 20


@pages.get("/me/consents")
@members_only
def show_mine() -> ResponseReturnValue:
    """Show what one allows, each with a button that turns it round."""
    actor = current_actor()
    return consent_page(
        actor.member_id,
        "",
        url_for("member_pages.show_me"),
        url_for("consent_pages.change_mine"),
    )


@pages.get("/members/<id:member_id>/consents")
@roles_only(*RECORDERS)
def show_of(member_id: int) -> ResponseReturnValue:
    """Show what a member of one's scope allows, to record what they signed on paper."""
    with reading() as session:
        member = member_in_scope(session, current_actor().paths(*RECORDERS), member_id)
    return consent_page(
        member_id,
        member.name,
        url_for("people_pages.show_member", member_id=member_id),
        url_for("consent_pages.record_paper", member_id=member_id),
    )


def consent_page(member_id: int, name: str, back: str, action: str) -> str:
    """Render the purposes; name: of somebody else, "" for oneself."""
    with reading() as session:
        found = consents_of(session, member_id)
    return render_template(
        "members/consents.html",
        consents=found,
        name=name,
        words=PURPOSE_WORDS,
        sentences=PURPOSE_SENTENCES,
        channels=CHANNEL_WORDS,
        links={"back": back, "change": action},
    )


@pages.post("/me/consents")
@members_only
def change_mine() -> ResponseReturnValue:
    """Give or take back one's own consent to one purpose."""
    actor = current_actor()
    change(actor.member_id, "screen")
    return redirect(url_for("consent_pages.show_mine"))


@pages.post("/members/<id:member_id>/consents")
@roles_only(*RECORDERS)
def record_paper(member_id: int) -> ResponseReturnValue:
    """Record what a member of one's scope signed on paper, or took back on paper."""
    with reading() as session:
        member_in_scope(session, current_actor().paths(*RECORDERS), member_id)
    change(member_id, "paper")
    return redirect(url_for("consent_pages.show_of", member_id=member_id))


def change(member_id: int, channel: str) -> None:
    """Do what the form asks for, and leave a sentence that says so."""
    actor, now = current_actor(), clock.now()
    purpose = typed("purpose", PURPOSE_LENGTH_MAX)
    is_given = request.form.get("act") == "give"
    act: Any = give_consent if is_given else withdraw_consent
    attempt(
        lambda: run(
            lambda session: act(
                session,
                member_id=member_id,
                purpose=purpose,
                recorded_by_id=actor.member_id,
                now=now,
                channel=channel,
            )
        ),
        gettext("Recorded. It can be taken back at any time.")
        if is_given
        else gettext("Taken back. Notices that are open show the masked name from now on."),
    )
