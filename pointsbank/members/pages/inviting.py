"""The HTML door of a branch's invitations: made, shown once, watched, withdrawn."""

from datetime import timedelta

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.calendar import local_day, midnight
from pointsbank.core.db import reading, run, transaction
from pointsbank.core.errors import Invalid, NotFound, Refusal
from pointsbank.core.keys import draw_letters
from pointsbank.members.errors import BadInvitation
from pointsbank.members.invitations import (
    ALPHABET,
    CODE_LETTERS,
    DAYS_MAX,
    INVITED_KINDS,
    INVITERS,
    LISTED_MAX,
    USES_MAX,
    invitations_within,
    make_invitation,
    spelled,
    withdraw_invitation,
)
from pointsbank.members.schemas import CODE_LENGTH_MAX, KIND_WORDS
from pointsbank.organizations.queries import organization_by_code, organizations_at
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.errors import sentence_of, status_of
from pointsbank.web.forms import attempt, settings, typed, typed_whole

pages = Blueprint("invitation_pages", __name__)

DAYS_USUAL, USES_USUAL = 14, 30


@pages.get("/branch-invitations")
@roles_only(*INVITERS)
def list_invitations() -> ResponseReturnValue:
    """List the invitations within one's scope, with a form for a new one."""
    return invitations_page({})


def invitations_page(
    words: dict[str, str], refusal: Refusal | None = None
) -> ResponseReturnValue:
    """Render the list, with what was typed for an invitation that could not be made."""
    now, paths = clock.now(), current_actor().paths(*INVITERS)
    with reading() as session:
        lines = invitations_within(session, paths, limit=LISTED_MAX)
        places = organizations_at(session, paths)
    page = render_template(
        "members/invitations.html",
        lines=[(line, line.is_good(now)) for line in lines],
        kinds=KIND_WORDS,
        kind_options=[(kind, KIND_WORDS[kind]) for kind in INVITED_KINDS],
        words={
            "organization_code": places[0].code if len(places) == 1 else "",
            "days": str(DAYS_USUAL),
            "uses_max": str(USES_USUAL),
            "kind": INVITED_KINDS[0],
            **words,
        },
        most={"days": DAYS_MAX, "uses": USES_MAX},
        error=sentence_of(refusal) if refusal else "",
    )
    return page, status_of(refusal) if refusal else 200


@pages.post("/branch-invitations")
@roles_only(*INVITERS)
def make() -> ResponseReturnValue:
    """Make an invitation and show its code, this once."""
    actor, now, secret = current_actor(), clock.now(), settings().secret_key
    code = draw_letters(ALPHABET, CODE_LETTERS)
    words = {
        "organization_code": typed("organization_code", CODE_LENGTH_MAX),
        "kind": request.form.get("kind", ""),
        "days": typed("days", 4),
        "uses_max": typed("uses_max", 4),
    }
    days = typed_whole("days", DAYS_MAX)
    uses_max = typed_whole("uses_max", USES_MAX)
    # Through the end of its last local day.
    last_day = local_day(now, settings().zone) + timedelta(days=days or 0)
    expires_at = min(midnight(last_day, settings().zone), now + timedelta(days=DAYS_MAX))

    def act(session: Session) -> str:
        if days is None or uses_max is None:
            raise BadInvitation(uses=USES_MAX, days=DAYS_MAX)
        make_invitation(
            session,
            actor=actor,
            organization_code=words["organization_code"],
            kind=words["kind"],
            code=code,
            expires_at=expires_at,
            uses_max=uses_max,
            secret=secret,
            now=now,
        )
        return organization_by_code(session, words["organization_code"]).name

    try:
        name = run(act)
    except (Invalid, NotFound) as refusal:
        return invitations_page(words, refusal)
    return render_template(
        "members/invitation.html",
        code=spelled(code),
        organization_name=name,
        kind=KIND_WORDS[words["kind"]],
        uses_max=uses_max,
        last_moment=expires_at,
        address=settings().public_url.rstrip("/") + url_for("register_pages.ask_to_register"),
        links={"back": url_for("invitation_pages.list_invitations")},
    )


@pages.post("/branch-invitations/<id:invitation_id>/withdrawal")
@roles_only(*INVITERS)
def withdraw(invitation_id: int) -> ResponseReturnValue:
    """Let nobody register with an invitation any more."""
    actor = current_actor()

    def act() -> None:
        with transaction() as session:
            withdraw_invitation(
                session, actor=actor, invitation_id=invitation_id, now=clock.now()
            )

    attempt(act, gettext("Nobody can register with this invitation any more."))
    return redirect(url_for("invitation_pages.list_invitations"), 303)
