"""The HTML door of registration: an invitation of the branch, and a member who is signed in."""

from flask import Blueprint, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from pointsbank.core import clock
from pointsbank.core.errors import Refusal
from pointsbank.core.text import phone_from
from pointsbank.members.errors import (
    BadCredentials,
    InvitationNotGood,
    MemberSuspended,
    NameMissing,
    NotAPhone,
    RegistrationLocked,
    SignInLocked,
    WeakPassword,
)
from pointsbank.members.joining import registered
from pointsbank.members.pages.signing_in import asked_way, entered, kept_ticket
from pointsbank.members.schemas import NAME_LENGTH_MAX, PASSWORD_TYPED_MAX, PHONE_LENGTH_MAX
from pointsbank.web.access import anyone, visiting_actor
from pointsbank.web.errors import sentence_of, status_of
from pointsbank.web.forms import typed
from pointsbank.web.paths import own_path

pages = Blueprint("register_pages", __name__)

INVITATION_TYPED_MAX = 40
# At which field a refusal is told; the rest stand above the form.
FIELDS = {
    "name_missing": "name",
    "not_a_phone": "phone",
    "weak_password": "password",
    "invitation_not_good": "code",
}


@pages.get("/register")
@anyone
def ask() -> ResponseReturnValue:
    """Ask for name, phone, password and invitation; who is signed in already goes on."""
    goes_to = asked_way()
    if visiting_actor() is not None:
        return redirect(goes_to)
    return register_page(goes_to, {})


def register_page(
    goes_to: str, words: dict[str, str], refusal: Refusal | None = None
) -> ResponseReturnValue:
    """Render the form, with what was typed and what was wrong with it."""
    errors = {}
    if refusal is not None:
        errors[FIELDS.get(refusal.code, "form")] = sentence_of(refusal)
    page = render_template(
        "members/register.html",
        form=words,
        errors=errors,
        next=goes_to,
        ticket=kept_ticket(),
        may_be_member=isinstance(refusal, BadCredentials),
    )
    response = make_response(page, status_of(refusal) if refusal else 200)
    if refusal is not None and "retry_after_seconds" in refusal.facts:
        response.headers["Retry-After"] = str(refusal.facts["retry_after_seconds"])
    return response


@pages.post("/register")
@anyone
def join() -> ResponseReturnValue:
    """Register, begin a session in this browser, and go on to what was scanned before."""
    goes_to = own_path(request.form.get("next"))
    if visiting_actor() is not None:
        return redirect(goes_to)
    words = {
        "name": typed("name", NAME_LENGTH_MAX),
        "phone": typed("phone", PHONE_LENGTH_MAX),
        "code": typed("code", INVITATION_TYPED_MAX),
    }
    now = clock.now()
    try:
        token, signed_in = registered(
            **asked_of(words),
            password=request.form.get("password", "")[:PASSWORD_TYPED_MAX],
            kind="browser",
        )
    except (
        NameMissing,
        NotAPhone,
        WeakPassword,
        InvitationNotGood,
        RegistrationLocked,
        BadCredentials,
        SignInLocked,
        MemberSuspended,
    ) as refusal:
        return register_page(goes_to, words, refusal)
    return entered(goes_to, token, signed_in, now)


def asked_of(words: dict[str, str]) -> dict[str, str]:
    """Return the words as a registration needs them.

    Raises NameMissing, NotAPhone.
    """
    phone = phone_from(words["phone"])
    if not words["name"]:
        raise NameMissing
    if phone is None:
        raise NotAPhone
    return {"name": words["name"], "phone": phone, "code": words["code"]}
