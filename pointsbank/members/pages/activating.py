"""The HTML door of first passwords: a code handed over, and used by its person."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.db import reading, run
from pointsbank.core.errors import Refusal
from pointsbank.core.keys import draw_letters
from pointsbank.members.activating import ACTIVATORS, make_activation_code
from pointsbank.members.errors import (
    BadActivation,
    HasPassword,
    MemberSuspended,
    NotOverThisPerson,
    PhoneMissing,
    SignInLocked,
    WeakPassword,
)
from pointsbank.members.first_passwords import CODE_TYPED_MAX, choose_first_password
from pointsbank.members.invitations import ALPHABET, CODE_LETTERS, spelled
from pointsbank.members.queries import member_of
from pointsbank.members.schemas import PASSWORD_TYPED_MAX, PHONE_LENGTH_MAX
from pointsbank.web.access import anyone, current_actor, roles_only, visiting_actor
from pointsbank.web.errors import sentence_of, status_of
from pointsbank.web.forms import settings, typed

pages = Blueprint("activation_pages", __name__)


@pages.post("/members/<id:member_id>/activation-code")
@roles_only(*ACTIVATORS)
def make(member_id: int) -> ResponseReturnValue:
    """Make a code for somebody without a password, and show it this once.

    Raises MemberNotFound.
    """
    actor, now, secret = current_actor(), clock.now(), settings().secret_key
    code = draw_letters(ALPHABET, CODE_LETTERS)
    try:
        expires_at = run(
            lambda session: make_activation_code(
                session, actor=actor, member_id=member_id, code=code, secret=secret, now=now
            )
        )
    except (HasPassword, PhoneMissing, MemberSuspended, NotOverThisPerson) as refusal:
        flash(sentence_of(refusal), "error")
        return redirect(url_for("people_pages.show_member", member_id=member_id), 303)
    with reading() as session:
        member = member_of(session, member_id)
    return render_template(
        "members/activation.html",
        code=spelled(code),
        name=member.name,
        volunteer_no=member.volunteer_no,
        expires_at=expires_at,
        address=settings().public_url.rstrip("/") + url_for("activation_pages.ask"),
        links={"back": url_for("people_pages.show_member", member_id=member_id)},
    )


@pages.get("/activate")
@anyone
def ask() -> ResponseReturnValue:
    """Ask for phone, code and the password to be; who is signed in has one."""
    if visiting_actor() is not None:
        return redirect(url_for("home"))
    return activate_page({})


def activate_page(words: dict[str, str], refusal: Refusal | None = None) -> ResponseReturnValue:
    """Render the form, with what was typed and what was wrong with it."""
    errors = {}
    if refusal is not None:
        field = "password" if refusal.code == "weak_password" else "form"
        errors[field] = sentence_of(refusal)
    page = render_template("members/activate.html", form=words, errors=errors)
    response = make_response(page, status_of(refusal) if refusal else 200)
    if refusal is not None and "retry_after_seconds" in refusal.facts:
        response.headers["Retry-After"] = str(refusal.facts["retry_after_seconds"])
    return response


@pages.post("/activate")
@anyone
def use() -> ResponseReturnValue:
    """Take the first password, and lead to the sign-in."""
    words = {
        "phone": typed("phone", PHONE_LENGTH_MAX),
        "code": typed("code", CODE_TYPED_MAX),
    }
    password = request.form.get("password", "")[:PASSWORD_TYPED_MAX]
    try:
        choose_first_password(**words, password=password)
    except (BadActivation, WeakPassword, SignInLocked, MemberSuspended) as refusal:
        return activate_page(words, refusal)
    flash(gettext("Your password is set. Please sign in with it."), "success")
    return redirect(url_for("sign_in.sign_in"), 303)
