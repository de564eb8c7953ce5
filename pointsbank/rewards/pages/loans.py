"""The HTML door of tools on loan: lent and taken back at a counter, and what one borrowed."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.core.errors import Refusal
from pointsbank.core.keys import draw_token
from pointsbank.members.errors import CardPinWrong, PinMissing
from pointsbank.organizations.errors import MerchantNotFound
from pointsbank.organizations.queries import merchant_of
from pointsbank.rewards.catalogue import tools_lent_today
from pointsbank.rewards.errors import FormIncomplete
from pointsbank.rewards.lending import Ending, end_loan
from pointsbank.rewards.loans_counter import lend_once
from pointsbank.rewards.loans_errors import LoanNotFound
from pointsbank.rewards.loans_queries import loan_of, loans_of_member, loans_out
from pointsbank.rewards.loans_schemas import LOAN_ENDS
from pointsbank.rewards.models import REWARD_POINTS_MAX
from pointsbank.rewards.pages.counter_bar import counter_bar
from pointsbank.rewards.policy import may_take_points
from pointsbank.rewards.redeeming import REASON_LENGTH_MAX, Order
from pointsbank.rewards.schemas import CODE_TYPED_MAX, PIN_LENGTH_MAX
from pointsbank.rewards.till import read_order
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.errors import sentence_of, status_of
from pointsbank.web.forms import (
    attempt,
    drawn_key,
    settings,
    typed,
    typed_id,
    typed_whole,
)

pages = Blueprint("loan_pages", __name__)

LINES_A_PAGE = 40
LOANS_SHOWN = 200
TOOLS_SHOWN = 200


@pages.get("/till/<id:merchant_id>/loans")
@roles_only("clerk")
def show_loans(merchant_id: int) -> ResponseReturnValue:
    """Show what a merchant lends, and what it has out."""
    return loans_page(merchant_id, {})


def loans_page(
    merchant_id: int, form: dict[str, Any], refusal: Refusal | None = None
) -> ResponseReturnValue:
    """Render the counter's loans, with what was refused before."""
    if not may_take_points(current_actor(), merchant_id):
        raise MerchantNotFound
    now, zone = clock.now(), settings().zone
    with reading() as session:
        merchant = merchant_of(session, merchant_id)
        tools = tools_lent_today(session, merchant_id, now=now, zone=zone, limit=TOOLS_SHOWN)
        found = loans_out(session, merchant_id, limit=LOANS_SHOWN)
    page = render_template(
        "rewards/loans_counter.html",
        merchant=merchant,
        tools=tools,
        form=form,
        loans=found,
        today=local_day(now, zone),
        key=draw_token(),
        problem=sentence_of(refusal) if refusal else None,
        bar=counter_bar(merchant_id),
        links={
            "lend": url_for("loan_pages.lend", merchant_id=merchant_id),
            "till": url_for("till_pages.show_till", merchant_id=merchant_id),
        },
    )
    return page, status_of(refusal) if refusal else 200


@pages.post("/till/<id:merchant_id>/loans")
@roles_only("clerk")
def lend(merchant_id: int) -> ResponseReturnValue:
    """Lend a tool once for the key of this form."""
    actor, now = current_actor(), clock.now()
    if not may_take_points(actor, merchant_id):
        raise MerchantNotFound
    reward_id, code = typed_id("reward_id"), typed("code", CODE_TYPED_MAX)
    pin = typed("pin", PIN_LENGTH_MAX) or None
    form = {"reward_id": reward_id, "code": code}
    try:
        key = drawn_key()
        if key is None or reward_id is None or not code:
            raise FormIncomplete
        order = Order(merchant_id, reward_id, 1, code=code)
        answer = lend_once(
            read_order(order) if pin else order,
            pin=pin,
            clerk_id=actor.member_id,
            key=key,
            sent=repr(("lend", merchant_id, reward_id, code)).encode(),
            secret=settings().secret_key,
            today=local_day(now, settings().zone),
            now=now,
        )
    except (CardPinWrong, PinMissing, FormIncomplete) as refusal:
        # After a slip the code is as good as before.
        return loans_page(merchant_id, form, refusal)
    except Refusal as refusal:
        return loans_page(merchant_id, {**form, "code": ""}, refusal)
    borrower = answer.body["member"]["display_name"]
    lent = gettext(
        "Lent to %(name)s. The deposit is set aside until the tool is back.", name=borrower
    )
    flash(lent, "success")
    return redirect(url_for("loan_pages.show_loans", merchant_id=merchant_id), 303)


@pages.post("/till/loans/<id:loan_id>/end")
@roles_only("clerk")
def end(loan_id: int) -> ResponseReturnValue:
    """Take a tool back, or settle its damage or loss from the deposit."""
    actor, now = current_actor(), clock.now()
    with reading() as session:
        merchant_id = loan_of(session, loan_id).merchant_id
    if not may_take_points(actor, merchant_id):
        raise LoanNotFound
    state = request.form.get("state", "")

    def act() -> None:
        if state not in LOAN_ENDS:
            raise FormIncomplete
        charged = 0 if state == "returned" else typed_whole("charged", REWARD_POINTS_MAX) or 0
        ending = Ending(state, charged, typed("reason", REASON_LENGTH_MAX) or None)
        run(
            lambda session: end_loan(
                session, loan_id=loan_id, ending=ending, actor=actor, now=now
            )
        )

    attempt(act, gettext("Done. What is left of the deposit is back with the member."))
    return redirect(url_for("loan_pages.show_loans", merchant_id=merchant_id), 303)


@pages.get("/loans")
@members_only
def mine() -> ResponseReturnValue:
    """Show what the member borrowed, the newest first."""
    before = position_from(request.args.get("cursor"))
    with reading() as session:
        found = loans_of_member(
            session, current_actor().member_id, before_id=before, limit=LINES_A_PAGE + 1
        )
    links: dict[str, Any] = {"back": url_for("reward_pages.catalogue")}
    if len(found) > LINES_A_PAGE:
        cursor = cursor_from(found[LINES_A_PAGE - 1].id)
        links["next"] = url_for("loan_pages.mine", cursor=cursor)
    if before is not None:
        links["first"] = url_for("loan_pages.mine")
    return render_template(
        "rewards/loans.html",
        loans=found[:LINES_A_PAGE],
        today=local_day(clock.now(), settings().zone),
        links=links,
    )
