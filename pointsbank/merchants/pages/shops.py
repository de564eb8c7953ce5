"""The HTML door of a merchant's shops: seen by members, kept by clerks; the till's poster."""

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.codes import Purpose, url_of
from pointsbank.core.db import reading, run, transaction
from pointsbank.core.errors import Conflict, Invalid
from pointsbank.core.keys import draw_bytes
from pointsbank.core.printing import find_font
from pointsbank.members.errors import NameMissing
from pointsbank.merchants.errors import BadHours, DecisionMissing, PositionIncomplete
from pointsbank.merchants.hours import (
    CLOSED,
    TEXT_LENGTH_MAX,
    WEEKDAYS,
    as_typed,
    day_text,
    hours_from,
    is_open,
)
from pointsbank.merchants.models import SHOP_STATES, TILL_HANDLE_BYTES, Hours
from pointsbank.merchants.policy import may_keep, may_see
from pointsbank.merchants.poster_pdf import TillPoster, till_poster_pdf
from pointsbank.merchants.queries import ShopLine, shops_of
from pointsbank.merchants.schemas import (
    ADDRESS_LENGTH_MAX,
    SHOP_NAME_LENGTH_MAX,
    TELEPHONE_LENGTH_MAX,
    WEEKDAY_WORDS,
)
from pointsbank.merchants.scope import merchant_to_keep, shop_to_keep, shop_to_see
from pointsbank.merchants.shops import (
    ShopFacts,
    add_shop,
    change_shop,
    renew_till_code,
    set_shop_state,
)
from pointsbank.merchants.tills import till_text
from pointsbank.organizations.queries import merchant_of
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.errors import sentence_of
from pointsbank.web.forms import attempt, settings, typed

pages = Blueprint("shop_pages", __name__)

KEEPERS = ("administrator", "clerk")
VIEWERS = ("administrator", "clerk", "auditor")
POSITION_LENGTH_MAX = 20
LENGTHS = {
    "name": SHOP_NAME_LENGTH_MAX,
    "address": ADDRESS_LENGTH_MAX,
    "telephone": TELEPHONE_LENGTH_MAX,
    "latitude": POSITION_LENGTH_MAX,
    "longitude": POSITION_LENGTH_MAX,
    "usual": TEXT_LENGTH_MAX,
    **{f"day_{weekday}": TEXT_LENGTH_MAX for weekday in WEEKDAYS},
}
FIELD_OF = {"bad_hours": "usual", "position_incomplete": "latitude"}


@pages.get("/merchants/<id:merchant_id>/shops")
@members_only
def list_shops(merchant_id: int) -> ResponseReturnValue:
    """Show where a merchant's shops are and when they are open."""
    actor, now = current_actor(), clock.now()
    with reading() as session:
        merchant = merchant_of(session, merchant_id)
        sees_all = may_see(actor, merchant_id, merchant.path)
        shops = shops_of(session, merchant_id, is_open_only=not sees_all)
    desk = url_for("desk_pages.show_desk", merchant_id=merchant_id)
    return render_template(
        "merchants/shops.html",
        merchant=merchant,
        shops=[
            {
                "line": shop,
                "week": week_lines(shop.hours),
                "is_open": is_open(shop.hours, now, settings().zone),
            }
            for shop in shops
        ],
        may_keep=may_keep(actor, merchant_id, merchant.path),
        may_print=sees_all,
        links={"back": desk if sees_all else url_for("reward_pages.catalogue")},
    )


def week_lines(hours: tuple[Hours, ...]) -> list[tuple[str, str]]:
    """Return a week as it is read: days in a row with the same hours stand in one line."""
    lines: list[tuple[list[int], str]] = []
    for weekday in WEEKDAYS if hours else ():
        text = day_text(hours, weekday)
        if lines and lines[-1][1] == text:
            lines[-1][0].append(weekday)
        else:
            lines.append(([weekday], text))
    closed = gettext("closed")
    return [(days_words(days), closed if text == CLOSED else text) for days, text in lines]


def days_words(days: list[int]) -> str:
    """Return days that follow each other as people say them."""
    if len(days) == len(WEEKDAYS):
        return str(gettext("Every day"))
    first, last = str(WEEKDAY_WORDS[days[0]]), str(WEEKDAY_WORDS[days[-1]])
    return first if len(days) == 1 else f"{first}–{last}"


@pages.get("/merchants/<id:merchant_id>/shops/new")
@roles_only(*KEEPERS)
def ask_for_shop(merchant_id: int) -> ResponseReturnValue:
    """Ask what the new shop is."""
    with reading() as session:
        merchant = merchant_to_keep(session, current_actor(), merchant_id)
    return shop_form(merchant.id, merchant.name, None, {}, {})


@pages.post("/merchants/<id:merchant_id>/shops/new")
@roles_only(*KEEPERS)
def new_shop(merchant_id: int) -> ResponseReturnValue:
    """Add a shop."""
    actor, now, form = current_actor(), clock.now(), form_sent()
    with reading() as session:
        merchant = merchant_to_keep(session, actor, merchant_id)
    try:
        facts, hours = shop_from(form)
        run(
            lambda session: add_shop(
                session,
                actor=actor,
                merchant_id=merchant_id,
                facts=facts,
                hours=hours,
                handle=draw_bytes(TILL_HANDLE_BYTES),
                now=now,
            )
        )
    except (Invalid, Conflict) as refusal:
        return shop_form(merchant_id, merchant.name, None, form, problem(form, refusal))
    return redirect(url_for("shop_pages.list_shops", merchant_id=merchant_id), 303)


@pages.get("/shops/<id:shop_id>")
@roles_only(*KEEPERS)
def ask_for_changes(shop_id: int) -> ResponseReturnValue:
    """Show a shop as a form."""
    with reading() as session:
        shop = shop_to_keep(session, current_actor(), shop_id)
    return shop_form(shop.merchant_id, shop.merchant_name, shop, form_of(shop), {})


@pages.post("/shops/<id:shop_id>")
@roles_only(*KEEPERS)
def save_shop(shop_id: int) -> ResponseReturnValue:
    """Write a shop anew."""
    actor, now, form = current_actor(), clock.now(), form_sent()
    with reading() as session:
        shop = shop_to_keep(session, actor, shop_id)
    try:
        facts, hours = shop_from(form)
        run(
            lambda session: change_shop(
                session, actor=actor, shop_id=shop_id, facts=facts, hours=hours, now=now
            )
        )
    except (Invalid, Conflict) as refusal:
        errors = problem(form, refusal)
        return shop_form(shop.merchant_id, shop.merchant_name, shop, form, errors)
    return redirect(url_for("shop_pages.list_shops", merchant_id=shop.merchant_id), 303)


def form_sent() -> dict[str, str]:
    """Return the form of a shop as it was typed."""
    return {name: typed(name, most) for name, most in LENGTHS.items()}


def form_of(shop: ShopLine) -> dict[str, Any]:
    """Return a shop as its form shows it."""
    usual, days = as_typed(shop.hours)
    # A word that spans_from reads in every language of the pages.
    closed = str(gettext("closed"))
    days = [closed if text == CLOSED else text for text in days]
    return {
        **{name: getattr(shop, name) for name in ("name", "address", "telephone")},
        **{name: getattr(shop, name) for name in ("latitude", "longitude")},
        "usual": usual,
        **{f"day_{weekday}": text for weekday, text in zip(WEEKDAYS, days, strict=True)},
    }


def shop_from(form: dict[str, str]) -> tuple[ShopFacts, tuple[Hours, ...]]:
    """Return the shop that a form holds.

    Raises NameMissing, PositionIncomplete, BadHours.
    """
    if not form["name"]:
        raise NameMissing
    facts = ShopFacts(
        form["name"],
        form["address"],
        form["telephone"],
        degrees(form["latitude"], 90),
        degrees(form["longitude"], 180),
    )
    return facts, hours_from(form["usual"], [form[f"day_{day}"] for day in WEEKDAYS])


def degrees(text: str, most: int) -> float | None:
    """Return a coordinate, None for none.

    Raises PositionIncomplete.
    """
    if not text:
        return None
    try:
        value = float(text)
    except ValueError as error:
        raise PositionIncomplete from error
    if not -most <= value <= most:
        raise PositionIncomplete
    return value


def problem(form: dict[str, str], refusal: Invalid | Conflict) -> dict[str, str]:
    """Return what was wrong, under the field that it is about."""
    if isinstance(refusal, NameMissing):
        return {"name": gettext("Please fill this in.")}
    name = FIELD_OF.get(refusal.code, "name")
    if isinstance(refusal, BadHours) and not form["usual"]:
        name = next((f"day_{day}" for day in WEEKDAYS if form[f"day_{day}"]), name)
    return {name: sentence_of(refusal)}


def shop_form(
    merchant_id: int,
    merchant_name: str,
    shop: ShopLine | None,
    form: dict[str, Any],
    errors: dict[str, str],
) -> ResponseReturnValue:
    """Render the form of a shop, with what was wrong."""
    page = render_template(
        "merchants/shop.html",
        merchant_name=merchant_name,
        shop=shop,
        form=form,
        errors=errors,
        weekdays=list(enumerate(WEEKDAY_WORDS)),
        differs=any(form.get(f"day_{day}") for day in WEEKDAYS),
        links={"back": url_for("shop_pages.list_shops", merchant_id=merchant_id)},
    )
    return page, 422 if errors else 200


@pages.post("/shops/<id:shop_id>/state")
@roles_only(*KEEPERS)
def set_state(shop_id: int) -> ResponseReturnValue:
    """Close a shop for good, or open it again."""
    actor, state = current_actor(), request.form.get("state", "")
    with reading() as session:
        shop = shop_to_keep(session, actor, shop_id)

    def act() -> None:
        if state not in SHOP_STATES:
            raise DecisionMissing
        with transaction() as session:
            set_shop_state(session, actor=actor, shop_id=shop_id, state=state, now=clock.now())

    done = gettext("The shop is closed for good.")
    attempt(act, gettext("The shop is open again.") if state == "open" else done)
    return redirect(url_for("shop_pages.list_shops", merchant_id=shop.merchant_id), 303)


@pages.post("/shops/<id:shop_id>/till-code")
@roles_only(*KEEPERS)
def new_till_code(shop_id: int) -> ResponseReturnValue:
    """Give a till a new code; posters with the one before are good no more."""
    actor = current_actor()
    with reading() as session:
        shop = shop_to_keep(session, actor, shop_id)

    def act() -> None:
        with transaction() as session:
            renew_till_code(
                session,
                actor=actor,
                shop_id=shop_id,
                handle=draw_bytes(TILL_HANDLE_BYTES),
                now=clock.now(),
            )

    attempt(act, gettext("The till has a new code. Please print its poster anew."))
    return redirect(url_for("shop_pages.list_shops", merchant_id=shop.merchant_id), 303)


@pages.get("/shops/<id:shop_id>/till-poster")
@roles_only(*VIEWERS)
def download_poster(shop_id: int) -> ResponseReturnValue:
    """Answer the poster of a shop's till as a PDF; it may be had as often as it is wanted.

    Raises NoPrintFont.
    """
    font = find_font(settings().pdf_font)
    with reading() as session:
        shop = shop_to_see(session, current_actor(), shop_id)
        merchant = merchant_of(session, shop.merchant_id)
    text = till_text(settings().secret_key, shop.till_handle)
    poster = TillPoster(
        merchant=shop.merchant_name,
        shop=shop.name,
        address=shop.address,
        organization=merchant.organization_name,
        url=url_of(settings().public_url, Purpose.TILL, text),
    )
    response = Response(till_poster_pdf(poster, font, clock.now()), mimetype="application/pdf")
    response.headers.set("Content-Disposition", "attachment", filename=f"till-{shop_id}.pdf")
    return response
