"""The HTML door of signing in and out, of registering, and of what a browser remembers."""

from datetime import datetime, timedelta
from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask import session as browser
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.db import reading, run, transaction
from pointsbank.core.errors import Refusal
from pointsbank.core.keys import draw_token
from pointsbank.core.text import phone_from
from pointsbank.members import passwords, sessions
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
from pointsbank.members.models import DISPLAY_MODES
from pointsbank.members.schemas import NAME_LENGTH_MAX, PASSWORD_TYPED_MAX, PHONE_LENGTH_MAX
from pointsbank.members.service import set_preferences
from pointsbank.web.access import (
    AFTER_SIGN_IN,
    anyone,
    drop_session_cookie,
    set_session_cookie,
    visiting_actor,
)
from pointsbank.web.errors import sentence_of, status_of
from pointsbank.web.forms import settings, typed
from pointsbank.web.languages import LOCALE_COOKIE, LOCALES
from pointsbank.web.paths import own_path

pages = Blueprint("sign_in", __name__)
registering = Blueprint("register_pages", __name__)

DISPLAY_COOKIE = "pointsbank_display"
PREFERENCE_SECONDS = 365 * 24 * 3600
# The one thing that outlives signing in: the code that was scanned before.
SCAN_TICKET = "scan_ticket"

INVITATION_TYPED_MAX = 40
# At which field a refusal is told; the rest stand above the form.
FIELDS = {
    "name_missing": "name",
    "not_a_phone": "phone",
    "weak_password": "password",
    "invitation_not_good": "code",
}


@pages.get("/sign-in")
@anyone
def sign_in() -> ResponseReturnValue:
    """Ask for phone and password; who is signed in already goes on."""
    goes_to = asked_way()
    if visiting_actor() is not None:
        return redirect(goes_to)
    return sign_in_page(goes_to)


def asked_way() -> str:
    """Return where to go afterwards: an address that holds a code waited in the cookie."""
    return own_path(request.args.get("next") or browser.get(AFTER_SIGN_IN))


def sign_in_page(goes_to: str, phone: str = "", refusal: Refusal | None = None) -> Response:
    """Render the sign-in, with the code that was scanned before and what went wrong."""
    ticket = kept_ticket()
    page = render_template(
        "members/sign_in.html",
        form={"phone": phone},
        errors={"form": sentence_of(refusal)} if refusal else {},
        next=goes_to,
        ticket=ticket,
        help_phone="",
        links={
            "register": url_for("register_pages.ask_to_register", next=request.args.get("next"))
        },
    )
    response = make_response(page, status_of(refusal) if refusal else 200)
    if refusal is not None and "retry_after_seconds" in refusal.facts:
        response.headers["Retry-After"] = str(refusal.facts["retry_after_seconds"])
    return response


def kept_ticket() -> dict[str, Any] | None:
    """Return what is said of the code that was scanned before, None when there is none."""
    ticket = browser.get(SCAN_TICKET)
    has_words = isinstance(ticket, dict) and {"task", "direction", "until"} <= set(ticket)
    return ticket if has_words else None


@pages.post("/sign-in")
@anyone
def begin_session() -> ResponseReturnValue:
    """Begin a session in this browser and go where the person wanted to go."""
    goes_to = own_path(request.form.get("next"))
    phone = typed("phone", PHONE_LENGTH_MAX)
    password = request.form.get("password", "")[:PASSWORD_TYPED_MAX]
    token, now = draw_token(), clock.now()
    try:
        signed_in = judged(phone, password, token)
    except (BadCredentials, SignInLocked, MemberSuspended) as refusal:
        return sign_in_page(goes_to, phone, refusal)
    return entered(goes_to, token, signed_in, now)


def entered(
    goes_to: str, token: str, signed_in: sessions.SignedIn, now: datetime
) -> ResponseReturnValue:
    """Give this browser its session and go on; of what it held before only a scan stays."""
    ticket = browser.get(SCAN_TICKET)
    browser.clear()
    if ticket is not None:
        browser[SCAN_TICKET] = ticket
    response = redirect(goes_to)
    seconds = int((signed_in.expires_at - now).total_seconds())
    set_session_cookie(response, token, seconds)
    if signed_in.locale in LOCALES:
        remember(response, LOCALE_COOKIE, str(signed_in.locale))
    if signed_in.display_mode:
        remember(response, DISPLAY_COOKIE, signed_in.display_mode)
    return response


def judged(phone: str, password: str, token: str) -> sessions.SignedIn:
    """Begin a browser's session after a right password, and end the one it had.

    Raises BadCredentials, SignInLocked, MemberSuspended.
    """
    secret, now, before = settings().secret_key, clock.now(), visiting_actor()
    hasher = passwords.hasher_for(is_cheap=settings().argon2_cheap)
    with reading() as session:
        tried = sessions.begin_try(session, phone=phone, secret=secret, now=now)
    is_right = passwords.is_right(password, tried.password_hash, hasher)

    def begin(session: Session) -> sessions.SignedIn | None:
        signed_in = sessions.finish_try(
            session,
            tried=tried,
            is_right=is_right,
            token=token,
            kind="browser",
            staff_lasts=timedelta(hours=settings().staff_session_hours),
            member_lasts=timedelta(days=settings().member_session_days),
            now=now,
        )
        if signed_in is not None and before is not None:
            sessions.end_session(session, session_id=before.session_id, now=now)
        return signed_in

    signed_in = run(begin)
    if signed_in is None:
        raise BadCredentials
    return signed_in


@pages.post("/sign-out")
@anyone
def sign_out() -> ResponseReturnValue:
    """End this browser's session everywhere, and forget everything."""
    actor = visiting_actor()
    if actor is not None:
        with transaction() as session:
            sessions.end_session(session, session_id=actor.session_id, now=clock.now())
    browser.clear()
    response = redirect(url_for("sign_in.sign_in"))
    drop_session_cookie(response)
    return response


def remember(response: Any, name: str, value: str) -> None:
    """Keep a preference in this browser for a year."""
    response.set_cookie(
        name,
        value,
        max_age=PREFERENCE_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
    )


@pages.post("/display")
@anyone
def choose_display() -> ResponseReturnValue:
    """Set the size of the text, in this browser and for this person."""
    mode = request.form.get("mode", "")
    response = redirect(own_path(request.form.get("next")))
    if mode in DISPLAY_MODES:
        keep_preference(display_mode=mode)
        if mode:
            remember(response, DISPLAY_COOKIE, mode)
        else:
            response.delete_cookie(DISPLAY_COOKIE)
    return response


@pages.post("/language")
@anyone
def choose_language() -> ResponseReturnValue:
    """Set the language, in this browser and for this person."""
    locale = request.form.get("locale", "")
    response = redirect(own_path(request.form.get("next")))
    if locale in LOCALES:
        keep_preference(locale=locale)
        remember(response, LOCALE_COOKIE, locale)
    return response


def keep_preference(**values: str) -> None:
    """Keep a preference with the member, when one is signed in."""
    actor = visiting_actor()
    if actor is not None:
        with transaction() as session:
            set_preferences(session, member_id=actor.member_id, **values)


@registering.get("/register")
@anyone
def ask_to_register() -> ResponseReturnValue:
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


@registering.post("/register")
@anyone
def register() -> ResponseReturnValue:
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
            client=request.remote_addr or "",
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
