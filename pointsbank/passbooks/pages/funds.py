"""The HTML door of care funds: the statement, a donation, a spending and its second person."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.actor import Actor
from pointsbank.core.db import reading, run
from pointsbank.core.errors import Conflict, Invalid, NotAllowed
from pointsbank.core.keys import draw_token
from pointsbank.ledger.errors import NotEnoughPoints
from pointsbank.ledger.models import TRANSFER_POINTS_MAX
from pointsbank.ledger.queries import balance_of
from pointsbank.organizations.errors import MerchantNotFound, OrganizationNotFound
from pointsbank.organizations.queries import in_scope, merchants_within
from pointsbank.passbooks.care import (
    FUND_KEEPERS,
    FUND_READERS,
    SpendingLine,
    fund_to_see,
    funds_to_see,
    is_donor_path,
    months_of_donations,
    newest_donations,
    spending_of,
    spendings_of_fund,
)
from pointsbank.passbooks.errors import FundNameMissing, GivingIncomplete, PurposeMissing
from pointsbank.passbooks.funds import (
    SpendingWish,
    ask_for_spending,
    decide_spending,
    donate,
    fund_to_donate_to,
    fund_to_keep,
    open_fund,
)
from pointsbank.passbooks.policy import POINTS_TO_CHOOSE
from pointsbank.passbooks.queries import account_code
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.errors import sentence_of, status_of
from pointsbank.web.formats import month_name
from pointsbank.web.forms import (
    NUMBER_TYPED_MAX,
    attempt,
    drawn_key,
    settings,
    typed,
    typed_id,
    typed_whole,
)
from pointsbank.web.idempotency import once

pages = Blueprint("fund_pages", __name__)

CODE_LENGTH_MAX = 32
NAME_LENGTH_MAX = 60
PURPOSE_LENGTH_MAX = 200
SHOWN_TO_MEMBERS = ("pending", "approved")


@pages.get("/care-funds")
@members_only
def list_funds() -> ResponseReturnValue:
    """Show the funds one may donate to or oversees."""
    return funds_page({})


def funds_page(
    words: dict[str, str], error: str = "", status: int = 200
) -> ResponseReturnValue:
    """Render the funds, with what was typed for one that could not be opened."""
    actor = current_actor()
    with reading() as session:
        funds = funds_to_see(session, actor)
    page = render_template(
        "passbooks/funds.html",
        funds=[(fund, url_for("fund_pages.show_fund", fund_id=fund.id)) for fund in funds],
        may_open=actor.is_("administrator"),
        words=words,
        error=error,
        links={
            "back": url_for("book_pages.book"),
            "open": url_for("fund_pages.open_new_fund"),
        },
    )
    return page, status


@pages.post("/care-funds")
@roles_only("administrator")
def open_new_fund() -> ResponseReturnValue:
    """Open the care fund of an organization."""
    actor, now = current_actor(), clock.now()
    words = {
        "organization_code": typed("organization_code", CODE_LENGTH_MAX),
        "name": typed("name", NAME_LENGTH_MAX),
    }
    try:
        if not words["name"]:
            raise FundNameMissing
        fund_id = run(lambda session: open_fund(session, actor=actor, now=now, **words))
    except (Invalid, Conflict, OrganizationNotFound) as refusal:
        return funds_page(words, sentence_of(refusal), status_of(refusal))
    flash(gettext("The care fund is open."), "success")
    return redirect(url_for("fund_pages.show_fund", fund_id=fund_id), 303)


@pages.get("/care-funds/<id:fund_id>")
@members_only
def show_fund(fund_id: int) -> ResponseReturnValue:
    """Show a fund's statement, and the ways to donate and to ask for a spending."""
    return fund_page(fund_id)


def fund_page(
    fund_id: int, error: str = "", typed_text: str = "", status: int = 200
) -> ResponseReturnValue:
    """Render a fund, with what was wrong with a donation."""
    actor, now = current_actor(), clock.now()
    with reading() as session:
        fund = fund_to_see(session, fund_id, actor)
        is_reader = in_scope(fund.path, actor.paths(*FUND_READERS))
        spendings = spendings_of_fund(
            session, fund_id, states=() if is_reader else SHOWN_TO_MEMBERS
        )
        months = months_of_donations(session, fund_id, now=now, zone=settings().zone)
        donations = newest_donations(session, fund_id)
        may_donate = is_donor_path(session, fund, actor.member_id)
        available = balance_of(session, account_code(actor.member_id)).available
    is_keeper = in_scope(fund.path, actor.paths(*FUND_KEEPERS))
    page = render_template(
        "passbooks/fund.html",
        fund=fund,
        months=[
            {
                "title": month_name(each.first_on),
                "points": each.points,
                "donations": each.donations,
            }
            for each in months
        ],
        donations=donations,
        spendings=[spending_row(each, is_keeper=is_keeper) for each in spendings],
        donor={
            "may_donate": may_donate,
            "available": available,
            "choices": [points for points in POINTS_TO_CHOOSE if points <= available],
        },
        error=error,
        typed_points=typed_text,
        links={
            "back": url_for("fund_pages.list_funds"),
            "look": url_for("fund_pages.look", fund_id=fund_id),
            "ask": url_for("fund_pages.ask", fund_id=fund_id) if is_keeper else "",
        },
    )
    return page, status


def spending_row(spending: SpendingLine, *, is_keeper: bool) -> dict[str, Any]:
    """Return a spending as the statement prints it; keepers are led to its page."""
    return {
        "href": url_for("fund_pages.show_spending", spending_id=spending.id)
        if is_keeper
        else "",
        "purpose": spending.purpose,
        "merchant": spending.merchant_name,
        "points": spending.points,
        "author": spending.author_name,
        "second": spending.decided_by_name,
        "on": spending.decided_at or spending.asked_at,
        "state": state_word(spending.state),
        "is_pending": spending.state == "pending",
        "is_approved": spending.state == "approved",
    }


def state_word(state: str) -> str:
    """Return the word for the state of a spending."""
    words = {
        "pending": gettext("Waiting for a second person"),
        "approved": gettext("Spent"),
        "refused": gettext("Refused"),
        "lapsed": gettext("Not decided in time"),
    }
    return str(words[state])


def wanted_points() -> int:
    """Return the points of a form.

    Raises GivingIncomplete.
    """
    points = typed_whole("points", TRANSFER_POINTS_MAX)
    if points is None:
        raise GivingIncomplete(most=TRANSFER_POINTS_MAX)
    return points


def wanted_key() -> str:
    """Return the key of a form.

    Raises GivingIncomplete for one that is none of ours.
    """
    key = drawn_key()
    if key is None:
        raise GivingIncomplete(most=TRANSFER_POINTS_MAX)
    return key


@pages.post("/care-funds/<id:fund_id>/look")
@members_only
def look(fund_id: int) -> ResponseReturnValue:
    """Show what would be donated, before anything moves."""
    actor = current_actor()
    with reading() as session:
        fund = fund_to_donate_to(session, fund_id, actor)
        available = balance_of(session, account_code(actor.member_id)).available
    try:
        points = wanted_points()
        if points > available:
            raise NotEnoughPoints(available=available, needed=points)
    except (Invalid, Conflict) as refusal:
        text = typed("points", NUMBER_TYPED_MAX)
        return fund_page(fund_id, sentence_of(refusal), text, status_of(refusal))
    return render_template(
        "passbooks/donation_confirm.html",
        fund=fund,
        points=points,
        balance={"before": available, "after": available - points},
        key=draw_token(),
        links={
            "give": url_for("fund_pages.make_donation", fund_id=fund_id),
            "back": url_for("fund_pages.show_fund", fund_id=fund_id),
        },
    )


@pages.post("/care-funds/<id:fund_id>/donations")
@members_only
def make_donation(fund_id: int) -> ResponseReturnValue:
    """Donate once for the key of this form, and lead to the statement."""
    actor, now = current_actor(), clock.now()
    is_anonymous = "anonymous" in request.form
    try:
        points, key = wanted_points(), wanted_key()

        def use_case(session: Session) -> dict[str, Any]:
            donated = donate(
                session,
                fund_id=fund_id,
                actor=actor,
                points=points,
                is_anonymous=is_anonymous,
                key=key,
                now=now,
            )
            return {"id": donated.id}

        once(
            use_case,
            member_id=actor.member_id,
            key=key,
            sent=repr(("donation", fund_id, points, is_anonymous)).encode(),
            now=now,
        )
    except (Invalid, Conflict) as refusal:
        return fund_page(fund_id, sentence_of(refusal), "", status_of(refusal))
    flash(gettext("Thank you. %(points)s points were donated.", points=points), "success")
    return redirect(url_for("fund_pages.show_fund", fund_id=fund_id), 303)


@pages.get("/care-funds/<id:fund_id>/spendings/new")
@roles_only(*FUND_KEEPERS)
def ask(fund_id: int) -> ResponseReturnValue:
    """Ask what the fund is to spend."""
    return asking_page(fund_id, {}, "")


def asking_page(
    fund_id: int, words: dict[str, str], error: str, status: int = 200
) -> ResponseReturnValue:
    """Render the form of a spending, with what was wrong."""
    actor = current_actor()
    with reading() as session:
        fund = fund_to_keep(session, fund_id, actor)
        merchants = merchants_to_pay(session, actor)
    page = render_template(
        "passbooks/new_spending.html",
        fund=fund,
        merchants=merchants,
        words=words,
        error=error,
        key=draw_token(),
        purpose_max=PURPOSE_LENGTH_MAX,
        links={
            "back": url_for("fund_pages.show_fund", fund_id=fund_id),
            "ask": url_for("fund_pages.ask_for_points", fund_id=fund_id),
        },
    )
    return page, status


def merchants_to_pay(session: Session, actor: Actor) -> list[tuple[str, str]]:
    """Return the merchants at which this person may let a fund spend."""
    own = actor.merchant_ids()
    return [
        (str(merchant.id), merchant.name)
        for merchant in merchants_within(session, actor.paths(*FUND_KEEPERS))
        if merchant.state == "active" and merchant.id not in own
    ]


@pages.post("/care-funds/<id:fund_id>/spendings")
@roles_only(*FUND_KEEPERS)
def ask_for_points(fund_id: int) -> ResponseReturnValue:
    """Set the points aside once for the key of this form, and lead to the spending."""
    actor, now = current_actor(), clock.now()
    merchant_id = typed_id("merchant_id") or 0
    words = {
        "merchant_id": str(merchant_id or ""),
        "points": typed("points", NUMBER_TYPED_MAX),
        "purpose": typed("purpose", PURPOSE_LENGTH_MAX),
    }
    try:
        points, key = wanted_points(), wanted_key()
        if not words["purpose"]:
            raise PurposeMissing
        wish = SpendingWish(
            fund_id=fund_id,
            merchant_id=merchant_id,
            points=points,
            purpose=words["purpose"],
            key=key,
        )
        answer = once(
            lambda session: {"id": ask_for_spending(session, wish, actor=actor, now=now).id},
            member_id=actor.member_id,
            key=key,
            sent=repr(("spending", fund_id, sorted(words.items()))).encode(),
            now=now,
        )
    except (Invalid, Conflict, NotAllowed, MerchantNotFound) as refusal:
        return asking_page(fund_id, words, sentence_of(refusal), status_of(refusal))
    return redirect(url_for("fund_pages.show_spending", spending_id=answer.body["id"]), 303)


@pages.get("/care-fund-spendings/<id:spending_id>")
@roles_only(*FUND_KEEPERS)
def show_spending(spending_id: int) -> ResponseReturnValue:
    """Show a spending to those who look after its fund; the second person decides here."""
    actor, now = current_actor(), clock.now()
    with reading() as session:
        spending = spending_of(session, spending_id, actor.paths(*FUND_KEEPERS))
    is_late = spending.state == "pending" and spending.decide_by <= now
    is_mine = spending.author_id == actor.member_id
    return render_template(
        "passbooks/spending.html",
        spending=spending,
        state=state_word("lapsed" if is_late else spending.state),
        is_open=spending.state == "pending" and not is_late,
        is_mine=is_mine,
        is_clerk=spending.merchant_id in actor.merchant_ids(),
        links={
            "back": url_for("fund_pages.show_fund", fund_id=spending.fund_id),
            "decide": url_for("fund_pages.decide", spending_id=spending_id),
        },
    )


@pages.post("/care-fund-spendings/<id:spending_id>/decision")
@roles_only(*FUND_KEEPERS)
def decide(spending_id: int) -> ResponseReturnValue:
    """Approve or refuse a spending that somebody else asked for."""
    actor, now = current_actor(), clock.now()
    is_approved = request.form.get("decision") == "approve"
    reason = typed("reason", PURPOSE_LENGTH_MAX)
    attempt(
        lambda: run(
            lambda session: decide_spending(
                session,
                spending_id=spending_id,
                actor=actor,
                is_approved=is_approved,
                reason=reason,
                now=now,
            )
        ),
        gettext("The points go to the merchant.")
        if is_approved
        else gettext("The spending was refused; the points are back in the fund."),
    )
    return redirect(url_for("fund_pages.show_spending", spending_id=spending_id), 303)
