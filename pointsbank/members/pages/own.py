"""The HTML door of one's own: the code to show, the page of what is kept, the password."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.codes import Purpose, url_of
from pointsbank.core.db import reading, run, transaction
from pointsbank.core.keys import draw_number
from pointsbank.core.text import masked_phone
from pointsbank.ledger.queries import balance_of
from pointsbank.members import codes, passwords, sessions, showing
from pointsbank.members.errors import SignInLocked, WeakPassword, WrongPassword
from pointsbank.members.queries import household_of, member_of, standing_roles
from pointsbank.members.schemas import KIND_WORDS, PASSWORD_TYPED_MAX, ROLE_WORDS
from pointsbank.members.service import set_password
from pointsbank.web.access import current_actor, members_only
from pointsbank.web.errors import sentence_of
from pointsbank.web.forms import settings
from pointsbank.web.qr import qr_svg

pages = Blueprint("member_pages", __name__)


@pages.get("/my-code/general")
@members_only
def show_code() -> ResponseReturnValue:
    """Show the personal code for attendance at any shift; it needs a network."""
    return general_code_page()


def general_code_page() -> str:
    """Render the code of this moment that is not made for one shift."""
    actor, now = current_actor(), clock.now()
    with reading() as session:
        member = member_of(session, actor.member_id)
    text = codes.personal_text(settings().secret_key, member.handle, codes.GENERAL, now)
    left = max(1, round((codes.personal_ends_at(now) - now).total_seconds()))
    url = url_of(settings().public_url, Purpose.PERSONAL, text)
    code = {"svg": qr_svg(url), "left": left, "total": codes.PERSONAL_STEP_SECONDS}
    return code_page("attend", code, member.display_name, member.volunteer_no)


@pages.get("/my-code/redeem")
@members_only
def ask_for_redemption_code() -> ResponseReturnValue:
    """Offer a redemption code; looking draws none, because a new one kills the one before."""
    return code_page("redeem", None)


@pages.post("/my-code/redeem")
@members_only
def draw_redemption_code() -> ResponseReturnValue:
    """Draw a redemption code and show it; it is shown this once."""
    actor, now, secret = current_actor(), clock.now(), settings().secret_key
    number = draw_number(codes.REDEMPTION_NUMBER_DIGITS)
    run(
        lambda session: showing.draw_redemption_code(
            session, member_id=actor.member_id, number=number, secret=secret, now=now
        )
    )
    url = url_of(
        settings().public_url, Purpose.REDEMPTION, codes.redemption_text(secret, number)
    )
    seconds = codes.REDEMPTION_SECONDS
    code = {"svg": qr_svg(url), "left": seconds, "total": seconds}
    return code_page("redeem", {**code, "digits": codes.redemption_digits(number)})


def code_page(
    purpose: str, code: dict[str, Any] | None, name: str = "", number: str = ""
) -> str:
    """Render a code, or the offer of one."""
    with reading() as session:
        balance = balance_of(session, f"member:{current_actor().member_id}").available
    return render_template(
        "members/my_code.html",
        purpose=purpose,
        code=code,
        member={"name": name, "number": number},
        balance=balance,
        confirm_from=codes.CONFIRM_ABOVE + 1,
        next_task=None,
        total=codes.REDEMPTION_SECONDS,
        links={
            "home": "/",
            "attend": url_for("own_code_pages.show_code"),
            "redeem": url_for("member_pages.ask_for_redemption_code"),
            "api": url_for("members_api.draw_code"),
            "waiting": url_for("rewards_api.list_mine", state="waiting", limit=1),
            "confirm": url_for("confirm_pages.find_waiting"),
        },
    )


@pages.get("/me")
@members_only
def show_me() -> ResponseReturnValue:
    """Show the person who asks what is kept about them."""
    return my_page({})


def my_page(errors: dict[str, str]) -> ResponseReturnValue:
    """Render the person's own page, with what was wrong with a new password."""
    actor = current_actor()
    with reading() as session:
        member = member_of(session, actor.member_id)
        roles = standing_roles(session, actor.member_id)
        household = household_of(session, actor.member_id)
    page = render_template(
        "members/me.html",
        household=[
            person
            for person in (household.people if household else ())
            if person.id != actor.member_id
        ],
        member=member,
        phone=masked_phone(member.phone) if member.phone else "",
        roles=roles,
        role_words=ROLE_WORDS,
        kinds=KIND_WORDS,
        errors=errors,
    )
    return page, 422 if errors else 200


@pages.post("/me/password")
@members_only
def change_password() -> ResponseReturnValue:
    """Take a new password; every other session of this person ends."""
    actor, now = current_actor(), clock.now()
    hasher = passwords.hasher_for(is_cheap=settings().argon2_cheap)
    old, new = (
        request.form.get(name, "")[:PASSWORD_TYPED_MAX]
        for name in ("old_password", "new_password")
    )
    if passwords.is_weak(new):
        return my_page({"new_password": sentence_of(WeakPassword())})
    try:
        with reading() as session:
            tried = sessions.begin_own_try(
                session, member_id=actor.member_id, secret=settings().secret_key, now=now
            )
        is_right = passwords.is_right(old, tried.password_hash, hasher)
        password_hash = passwords.hashed(new, hasher)
        with transaction() as session:
            member = sessions.judge_try(session, tried=tried, is_right=is_right, now=now)
            if member is not None:
                set_password(
                    session,
                    member_id=actor.member_id,
                    password_hash=password_hash,
                    keep_session_id=actor.session_id,
                    now=now,
                )
    except SignInLocked as refusal:
        return my_page({"old_password": sentence_of(refusal)})
    if member is None:
        return my_page({"old_password": sentence_of(WrongPassword())})
    flash(gettext("Your new password is set. Other devices were signed out."), "success")
    return redirect(url_for("member_pages.show_me"))
