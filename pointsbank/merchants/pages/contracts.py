"""The HTML door of a merchant's terms: contracts, standing, clerks."""

from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run, transaction
from pointsbank.core.errors import Conflict, Invalid, NotAllowed, NotFound
from pointsbank.core.money import fen_from, yuan_text
from pointsbank.core.text import halfwidth
from pointsbank.members.appointing import appoint, dismiss
from pointsbank.members.errors import MemberNotFound, RoleNotFound
from pointsbank.members.policy import day_from
from pointsbank.members.queries import member_id_of_number
from pointsbank.merchants.clerks import clerks_of
from pointsbank.merchants.contracting import (
    NewContract,
    decide_contract,
    end_contract,
    propose_contract,
)
from pointsbank.merchants.contracts import contract_of, contracts_of
from pointsbank.merchants.errors import (
    ContractNotFound,
    DayMissing,
    DecisionMissing,
    ReasonMissing,
)
from pointsbank.merchants.models import DEFAULT_RATE_FEN, MONTH_POINTS_MAX, RATE_FEN_MAX
from pointsbank.merchants.policy import may_rule, works_at
from pointsbank.merchants.queries import terms_on
from pointsbank.merchants.schemas import (
    CONTRACT_WORDS,
    REASON_LENGTH_MAX,
    REFERENCE_LENGTH_MAX,
)
from pointsbank.merchants.scope import merchant_to_rule, merchant_to_see
from pointsbank.merchants.standing import let_merchant_return, standing_of, stop_merchant
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.errors import sentence_of
from pointsbank.web.forms import attempt, settings, typed

pages = Blueprint("contract_pages", __name__)

VIEWERS = ("administrator", "clerk", "auditor")
FIGURE_LENGTH_MAX = 20
DECISIONS = ("approve", "refuse")


def today_here() -> date:
    """Return the local day."""
    return local_day(clock.now(), settings().zone)


@pages.get("/merchants/<id:merchant_id>/contracts")
@roles_only(*VIEWERS)
def list_contracts(merchant_id: int) -> ResponseReturnValue:
    """Show a merchant's terms, its contracts, and the form of a new one."""
    return contracts_page(merchant_id, {}, {})


def contracts_page(
    merchant_id: int, form: dict[str, str], errors: dict[str, str]
) -> ResponseReturnValue:
    """Render a merchant's contracts, with what was wrong with a new one."""
    actor, today = current_actor(), today_here()
    with reading() as session:
        merchant = merchant_to_see(session, actor, merchant_id)
        terms = terms_on(session, merchant_id, today)
        contracts = contracts_of(session, merchant_id)
        standing = standing_of(session, merchant_id)
    judges = may_rule(actor, merchant.path) and not works_at(actor, merchant_id)
    page = render_template(
        "merchants/contracts.html",
        merchant=merchant,
        standing=standing,
        takes_points=standing.takes_points_on(today),
        rate=yuan_text(terms.rate_fen),
        is_usual=not contracts or terms.contract_id is None,
        contracts=[
            {
                "line": line,
                "rate": yuan_text(line.rate_fen),
                "may_decide": judges
                and line.state == "proposed"
                and line.proposed_by_id != actor.member_id,
                "is_mine": line.proposed_by_id == actor.member_id,
                "may_end": judges and line.state == "in_force" and line.valid_until > today,
                "holds": line.id == terms.contract_id,
            }
            for line in contracts
        ],
        states=CONTRACT_WORDS,
        may_rule=may_rule(actor, merchant.path),
        judges=judges,
        today=today,
        form={"rate": yuan_text(DEFAULT_RATE_FEN), **form},
        errors=errors,
        links={
            "back": url_for("desk_pages.show_desk", merchant_id=merchant_id),
            "papers": url_for("paper_pages.list_papers", merchant_id=merchant_id),
        },
    )
    return page, 422 if errors else 200


@pages.post("/merchants/<id:merchant_id>/contracts")
@roles_only("administrator")
def propose(merchant_id: int) -> ResponseReturnValue:
    """Propose a contract from the form."""
    form = {
        "reference": typed("reference", REFERENCE_LENGTH_MAX),
        **{
            name: typed(name, FIGURE_LENGTH_MAX)
            for name in ("valid_from", "valid_until", "rate", "month_points_max")
        },
    }
    contract, errors = contract_from(form)
    if contract is None:
        with reading() as session:
            merchant_to_rule(session, current_actor(), merchant_id)
        return contracts_page(merchant_id, form, errors)
    try:
        with transaction() as session:
            propose_contract(
                session,
                actor=current_actor(),
                merchant_id=merchant_id,
                contract=contract,
                today=today_here(),
                now=clock.now(),
            )
    except (Invalid, Conflict, NotAllowed) as refusal:
        return contracts_page(merchant_id, form, {"valid_from": sentence_of(refusal)})
    flash(gettext("The contract waits for a second administrator to sign it."), "success")
    return back_to(merchant_id)


def contract_from(form: dict[str, str]) -> tuple[NewContract | None, dict[str, str]]:
    """Return the contract that a form holds, or what is wrong with it by field."""
    first, last = day_from(form["valid_from"]), day_from(form["valid_until"])
    rate = fen_from(form["rate"])
    is_rate = rate is not None and 1 <= rate <= RATE_FEN_MAX
    limit = halfwidth(form["month_points_max"]).replace(",", "")
    is_limit = not limit or (
        limit.isascii() and limit.isdigit() and 1 <= int(limit) <= MONTH_POINTS_MAX
    )
    errors = {
        "reference": gettext("Please fill this in.") if not form["reference"] else "",
        "valid_from": gettext("Please choose a day.") if first is None else "",
        "valid_until": gettext("Please choose a day.") if last is None else "",
        "rate": gettext("An amount in yuan, such as 10 or 10.50.") if not is_rate else "",
        "month_points_max": ""
        if is_limit
        else gettext("A whole number of points, or nothing."),
    }
    errors = {name: sentence for name, sentence in errors.items() if sentence}
    if errors or first is None or last is None or rate is None:
        return None, errors
    return NewContract(form["reference"], first, last, rate, int(limit) if limit else None), {}


@pages.post("/merchant-contracts/<id:contract_id>/decision")
@roles_only("administrator")
def decide(contract_id: int) -> ResponseReturnValue:
    """Sign or refuse a contract that another administrator proposed."""
    decision = request.form.get("decision")
    is_signed = decision == "approve"
    merchant_id = merchant_of_contract(contract_id)

    def act() -> None:
        if decision not in DECISIONS:
            raise DecisionMissing
        with transaction() as session:
            decide_contract(
                session,
                actor=current_actor(),
                contract_id=contract_id,
                is_signed=is_signed,
                today=today_here(),
                now=clock.now(),
            )

    done = gettext("The contract is signed.")
    attempt(act, done if is_signed else gettext("The contract was not signed."))
    return back_to(merchant_id)


@pages.post("/merchant-contracts/<id:contract_id>/end")
@roles_only("administrator")
def end(contract_id: int) -> ResponseReturnValue:
    """End a contract early, with the day of the form."""
    merchant_id = merchant_of_contract(contract_id)
    last_on = day_from(typed("last_on", FIGURE_LENGTH_MAX))

    def act() -> None:
        if last_on is None:
            raise DayMissing
        with transaction() as session:
            end_contract(
                session,
                actor=current_actor(),
                contract_id=contract_id,
                last_on=last_on,
                today=today_here(),
                now=clock.now(),
            )

    attempt(act, gettext("The contract ends."))
    return back_to(merchant_id)


def merchant_of_contract(contract_id: int) -> int:
    """Return the merchant of a contract that this administrator rules.

    Raises ContractNotFound.
    """
    with reading() as session:
        line = contract_of(session, contract_id)
        if not may_rule(current_actor(), line.path):
            raise ContractNotFound
    return line.merchant_id


@pages.post("/merchants/<id:merchant_id>/standing")
@roles_only("administrator")
def set_standing(merchant_id: int) -> ResponseReturnValue:
    """Stop a merchant with a reason, or let it take points again."""
    actor, now = current_actor(), clock.now()
    returns = request.form.get("state") == "active"
    reason = typed("reason", REASON_LENGTH_MAX)

    def act() -> None:
        with transaction() as session:
            if returns:
                let_merchant_return(session, actor=actor, merchant_id=merchant_id, now=now)
                return
            if not reason:
                raise ReasonMissing
            stop_merchant(session, actor=actor, merchant_id=merchant_id, reason=reason, now=now)

    with reading() as session:
        merchant_to_rule(session, actor, merchant_id)
    done = gettext("The merchant takes points again.")
    attempt(act, done if returns else gettext("The merchant takes no points from now on."))
    return back_to(merchant_id)


@pages.get("/merchants/<id:merchant_id>/clerks")
@roles_only(*VIEWERS)
def list_clerks(merchant_id: int) -> ResponseReturnValue:
    """Show who stands at a merchant's counter."""
    actor = current_actor()
    with reading() as session:
        merchant = merchant_to_see(session, actor, merchant_id)
        clerks = clerks_of(session, merchant_id)
    return render_template(
        "merchants/clerks.html",
        merchant=merchant,
        clerks=clerks,
        may_rule=may_rule(actor, merchant.path),
        links={"back": url_for("desk_pages.show_desk", merchant_id=merchant_id)},
    )


@pages.post("/merchants/<id:merchant_id>/clerks")
@roles_only("administrator")
def new_clerk(merchant_id: int) -> ResponseReturnValue:
    """Appoint a clerk by their member number."""
    actor, now = current_actor(), clock.now()
    number = typed("volunteer_no", FIGURE_LENGTH_MAX)

    def act(session: Session) -> None:
        merchant_to_rule(session, actor, merchant_id)
        member_id = member_id_of_number(session, halfwidth(number))
        if member_id is None:
            raise MemberNotFound
        appoint(
            session,
            actor=actor,
            member_id=member_id,
            role="clerk",
            organization_code=None,
            merchant_id=merchant_id,
            now=now,
        )

    told(lambda: run(act), gettext("They are a clerk now."))
    return redirect(url_for("contract_pages.list_clerks", merchant_id=merchant_id), 303)


@pages.post("/merchants/<id:merchant_id>/clerks/<id:role_id>/withdrawal")
@roles_only("administrator")
def withdraw_clerk(merchant_id: int, role_id: int) -> ResponseReturnValue:
    """Take a clerk's role back; the person is signed out everywhere."""
    actor = current_actor()
    with reading() as session:
        merchant_to_rule(session, actor, merchant_id)
        clerks = clerks_of(session, merchant_id)
    member_id = next((each.member_id for each in clerks if each.role_id == role_id), None)
    if member_id is None:
        raise RoleNotFound

    def act() -> None:
        with transaction() as session:
            dismiss(session, actor=actor, member_id=member_id, role_id=role_id, now=clock.now())

    told(act, gettext("They are no clerk any more, and are signed out."))
    return redirect(url_for("contract_pages.list_clerks", merchant_id=merchant_id), 303)


def told(act: Any, done: str) -> None:
    """Carry out an act on a person, and say so, also where there is no such person."""
    try:
        attempt(act, done)
    except NotFound as refusal:
        if not isinstance(refusal, MemberNotFound):
            raise
        flash(sentence_of(refusal), "error")


def back_to(merchant_id: int) -> ResponseReturnValue:
    """Lead back to a merchant's contracts."""
    return redirect(url_for("contract_pages.list_contracts", merchant_id=merchant_id), 303)
