"""The pages of merchants' statements: a merchant's months, a month of all, one, its files."""

import io
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.budgets.months import month_now, months_from, read_month
from pointsbank.core import clock
from pointsbank.core.calendar import Period
from pointsbank.core.db import reading, run
from pointsbank.core.money import yuan
from pointsbank.core.printing import find_font
from pointsbank.core.sheets import CSV_TYPE, XLSX_TYPE, Sheet, write_csv, write_sheet
from pointsbank.merchants.scope import merchant_to_see
from pointsbank.organizations.queries import merchants_within
from pointsbank.settlements.errors import StatementWordsMissing
from pointsbank.settlements.pages.facing import (
    answered_facts,
    facts_of,
    line_facts,
    may_of,
    printed_line,
    printed_statement,
)
from pointsbank.settlements.pages.statement_pdf import statement_pdf
from pointsbank.settlements.pages.statement_sheets import month_sheet, statement_sheet
from pointsbank.settlements.policy import correction_from
from pointsbank.settlements.queries import (
    late_statements,
    line_of,
    month_totals,
    statements_of_merchant,
    statements_of_month,
)
from pointsbank.settlements.schemas import (
    AMOUNT_LENGTH_MAX,
    REASON_LENGTH_MAX,
    REFERENCE_LENGTH_MAX,
)
from pointsbank.settlements.signing import (
    answer_dispute,
    approve_statement,
    confirm_statement,
    dispute_line,
    mark_paid,
    statement_to_see,
)
from pointsbank.settlements.viewing import (
    lines_seen,
    month_named,
    month_seen,
    rates_seen,
    signers_of,
)
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.formats import month_name, points
from pointsbank.web.forms import attempt, settings, typed

pages = Blueprint("settlement_pages", __name__)

READERS = ("clerk", "administrator", "auditor")
OVERSEERS = ("administrator", "auditor")
MONTH = "/merchants/<id:merchant_id>/statements/<month:month>"
STATEMENTS_A_PAGE = 50
LATE_SHOWN = 20
LINES_A_PAGE = 100
FORMS = ("pdf", "xlsx", "csv")
DECISIONS = ("accept", "reject")
MONTHS_OFFERED = 13
# One sheet for a month of every merchant of a province.
SHEET_STATEMENTS_MAX = 20_000


@pages.get("/statements")
@roles_only(*OVERSEERS)
def list_month() -> ResponseReturnValue:
    """List a month of all merchants, and before it what is overdue of any month."""
    now, zone = clock.now(), settings().zone
    month = month_named(request.args.get("month"), zone, now)
    after = position_from(request.args.get("cursor")) or 0
    paths = current_actor().paths(*OVERSEERS)
    with reading() as session:
        found = statements_of_month(
            session,
            paths,
            month.name,
            after_merchant_id=after,
            limit=STATEMENTS_A_PAGE + 1,
        )
        late = [] if after else late_statements(session, paths, now, limit=LATE_SHOWN)
        totals = month_totals(session, paths, month.name)
    here = url_for("settlement_pages.list_month", month=month.name)
    more = ""
    if len(found) > STATEMENTS_A_PAGE:
        cursor = cursor_from(found[STATEMENTS_A_PAGE - 1].merchant_id)
        more = url_for("settlement_pages.list_month", month=month.name, cursor=cursor)
    return render_template(
        "settlements/month.html",
        month=month_name(month.first_on),
        chosen=month.name,
        months=months_to_choose(month_now(now, zone), month),
        is_running=month.ends_at(zone) > now,
        counts=[
            {"label": gettext("Merchants"), "figure": points(totals.statements)},
            {"label": gettext("Net points"), "figure": points(totals.net_points)},
            {"label": gettext("To be paid"), "figure": yuan(totals.due_fen)},
            {"label": gettext("Paid"), "figure": yuan(totals.paid_fen)},
        ],
        late=[printed_statement(each, now) for each in late],
        statements=[printed_statement(each, now) for each in found[:STATEMENTS_A_PAGE]],
        links={
            "here": url_for("settlement_pages.list_month"),
            "sheet": url_for("settlement_pages.month_file", month=month.name),
            "next": more,
            "first": here if after else "",
        },
    )


def months_to_choose(running: Period, chosen: Period) -> list[tuple[str, str]]:
    """Return the running month, those before it, and the one that is shown, newest first."""
    near = {
        each.name: each for each in (months_from(running, -n) for n in range(MONTHS_OFFERED))
    }
    near[chosen.name] = chosen
    return [(name, month_name(near[name].first_on)) for name in sorted(near, reverse=True)]


@pages.get("/statements/<month:month>.xlsx")
@roles_only(*OVERSEERS)
def month_file(month: str) -> ResponseReturnValue:
    """Hand a month of all merchants out as an XLSX file."""
    now = clock.now()
    with reading() as session:
        found = statements_of_month(
            session, current_actor().paths(*OVERSEERS), month, limit=SHEET_STATEMENTS_MAX
        )
    sheet = month_sheet(read_month(month), found, settings().zone, now)
    return sheet_file(sheet, f"statements-{month}.xlsx")


@pages.get("/statements/mine")
@roles_only("clerk")
def list_mine() -> ResponseReturnValue:
    """Lead a clerk to the statements of their shop; one with several chooses."""
    ids = current_actor().merchant_ids()
    if len(ids) == 1:
        return redirect(url_for("settlement_pages.list_statements", merchant_id=ids[0]))
    with reading() as session:
        merchants = merchants_within(session, (), ids=ids)
    return render_template(
        "merchants/choose.html",
        title=gettext("Our statements"),
        entries=[
            (each, url_for("settlement_pages.list_statements", merchant_id=each.id))
            for each in merchants
        ],
    )


@pages.get("/merchants/<id:merchant_id>/statements")
@roles_only(*READERS)
def list_statements(merchant_id: int) -> ResponseReturnValue:
    """List a merchant's months, the running one first."""
    actor, now, zone = current_actor(), clock.now(), settings().zone
    running = month_now(now, zone)
    with reading() as session:
        merchant = merchant_to_see(session, actor, merchant_id)
        seen = month_seen(session, actor, merchant_id, running.name, zone, now)
        found = statements_of_merchant(session, merchant_id)
    return render_template(
        "settlements/statements.html",
        merchant=merchant,
        running={
            "month": month_name(running.first_on),
            "points": points(seen.sums.net),
            "money": yuan(seen.due_fen),
            "href": url_for(
                "settlement_pages.show_statement", merchant_id=merchant_id, month=running.name
            ),
        },
        statements=[printed_statement(each, now) for each in found],
        links={
            "back": url_for("desk_pages.show_desk", merchant_id=merchant_id),
            "all": url_for("settlement_pages.list_month") if actor.is_(*OVERSEERS) else "",
        },
    )


@pages.get(MONTH)
@roles_only(*READERS)
def show_statement(merchant_id: int, month: str) -> ResponseReturnValue:
    """Show a merchant's month with its lines, and what its reader can do about it."""
    actor, now, zone = current_actor(), clock.now(), settings().zone
    after = position_from(request.args.get("cursor")) or 0
    with reading() as session:
        merchant = merchant_to_see(session, actor, merchant_id)
        seen = month_seen(session, actor, merchant_id, month, zone, now)
        lines = lines_seen(session, seen, after_no=after, limit=LINES_A_PAGE + 1)
        facts = facts_of(seen, signers_of(session, seen), rates_seen(session, seen), now)
        may = may_of(session, actor, merchant.path, seen, now)
    here = address("show_statement", merchant_id, month)
    more = ""
    if len(lines) > LINES_A_PAGE:
        cursor = cursor_from(lines[LINES_A_PAGE - 1].no)
        more = address("show_statement", merchant_id, month, cursor=cursor)
    back = address("list_statements", merchant_id, None)
    return render_template(
        "settlements/statement.html",
        merchant=merchant,
        month=month_name(seen.month.first_on),
        seen=seen,
        counts=[
            {"label": gettext("Points taken"), "figure": points(seen.sums.redeemed)},
            {"label": gettext("Points given back"), "figure": points(seen.sums.voided)},
            {"label": gettext("Net points"), "figure": points(seen.sums.net)},
            {"label": gettext("To be paid"), "figure": yuan(seen.due_fen)},
        ],
        facts=facts,
        lines=[printed_line(line, seen) for line in lines[:LINES_A_PAGE]],
        may=may,
        reference_max=REFERENCE_LENGTH_MAX,
        links={
            "back": back,
            "pdf": address("statement_file", merchant_id, month, format="pdf"),
            "xlsx": address("statement_file", merchant_id, month, format="xlsx"),
            "csv": address("statement_file", merchant_id, month, format="csv"),
            "confirm": address("confirm", merchant_id, month),
            "approve": address("approve", merchant_id, month),
            "pay": address("pay", merchant_id, month),
            "next": more,
            "first": here if after else "",
        },
    )


def address(view: str, merchant_id: int, month: str | None, **more: Any) -> str:
    """Return the address of a view of a merchant, and of its month where one is given."""
    named: dict[str, Any] = {"month": month, **more} if month else more
    return url_for(f"settlement_pages.{view}", merchant_id=merchant_id, **named)


@pages.get(f"{MONTH}/file")
@roles_only(*READERS)
def statement_file(merchant_id: int, month: str) -> ResponseReturnValue:
    """Hand a merchant's month out with all its lines: ?format=xlsx, csv or pdf."""
    form = request.args.get("format", "")
    form = form if form in FORMS else FORMS[0]
    actor, now, zone = current_actor(), clock.now(), settings().zone
    font = find_font(settings().pdf_font) if form == "pdf" else None
    with reading() as session:
        seen = month_seen(session, actor, merchant_id, month, zone, now)
        lines = lines_seen(session, seen)
        facts = facts_of(seen, signers_of(session, seen), rates_seen(session, seen), now)
    name = f"statement-{merchant_id}-{month}.{form}"
    if font is not None:
        response = Response(
            statement_pdf(seen, lines, facts, font, now), mimetype="application/pdf"
        )
        response.headers.set("Content-Disposition", "attachment", filename=name)
        return response
    return sheet_file(statement_sheet(seen, lines, zone, now), name)


def sheet_file(sheet: Sheet, name: str) -> ResponseReturnValue:
    """Return a sheet as the kind of file its name ends with."""
    file = io.BytesIO()
    is_csv = name.endswith(".csv")
    (write_csv if is_csv else write_sheet)(file, sheet)
    file.seek(0)
    return send_file(
        file,
        mimetype=CSV_TYPE if is_csv else XLSX_TYPE,
        as_attachment=True,
        download_name=name,
    )


@pages.get(f"{MONTH}/lines/<id:no>")
@roles_only(*READERS)
def show_line(merchant_id: int, month: str, no: int) -> ResponseReturnValue:
    """Show one line of a statement, with what was said of it and what can be."""
    actor, now = current_actor(), clock.now()
    with reading() as session:
        found = statement_to_see(session, actor, merchant_id, month)
        line = line_of(session, found.id, no)
        seen = month_seen(session, actor, merchant_id, month, settings().zone, now)
        may = may_of(session, actor, found.path, seen, now)
    return render_template(
        "settlements/line.html",
        merchant=found.merchant_name,
        month=month_name(seen.month.first_on),
        line=line,
        facts=line_facts(line),
        answered=answered_facts(line),
        may_dispute=may["dispute"] and line.dispute is None,
        may_answer=may["answer"] and line.dispute == "open",
        reason_max=REASON_LENGTH_MAX,
        amount_max=AMOUNT_LENGTH_MAX,
        links={
            "back": address("show_statement", merchant_id, month),
            "dispute": address("dispute", merchant_id, month, no=no),
            "answer": address("answer", merchant_id, month, no=no),
        },
    )


@pages.post(f"{MONTH}/confirmation")
@roles_only("clerk")
def confirm(merchant_id: int, month: str) -> ResponseReturnValue:
    """Sign for the merchant."""
    return sign(merchant_id, month, gettext("You confirmed this statement."), confirm_statement)


@pages.post(f"{MONTH}/lines/<id:no>/dispute")
@roles_only("clerk")
def dispute(merchant_id: int, month: str, no: int) -> ResponseReturnValue:
    """Say for the merchant that a line is wrong."""

    def act(session: Session, **who: Any) -> None:
        dispute_line(session, no=no, reason=words("reason", REASON_LENGTH_MAX), **who)

    done = gettext("It is said. The community answers, and you are told.")
    return sign(merchant_id, month, done, act)


@pages.post(f"{MONTH}/lines/<id:no>/answer")
@roles_only("administrator")
def answer(merchant_id: int, month: str, no: int) -> ResponseReturnValue:
    """Answer a disputed line."""
    decision = request.form.get("decision")
    is_accepted = decision == "accept"

    def act(session: Session, **who: Any) -> None:
        if decision not in DECISIONS:
            raise StatementWordsMissing
        amount = typed("correction", AMOUNT_LENGTH_MAX)
        answer_dispute(
            session,
            no=no,
            is_accepted=is_accepted,
            correction_fen=correction_from(amount) if is_accepted and amount else 0,
            answer=words("reason", REASON_LENGTH_MAX),
            **who,
        )

    done = gettext("The line is answered, and the merchant is told.")
    return sign(merchant_id, month, done, act)


@pages.post(f"{MONTH}/approval")
@roles_only("administrator")
def approve(merchant_id: int, month: str) -> ResponseReturnValue:
    """Sign for the community."""

    def act(session: Session, **who: Any) -> None:
        approve_statement(session, zone=settings().zone, **who)

    done = gettext("Approved. Another administrator marks it as paid.")
    return sign(merchant_id, month, done, act)


@pages.post(f"{MONTH}/payment")
@roles_only("administrator")
def pay(merchant_id: int, month: str) -> ResponseReturnValue:
    """Keep under which reference it was paid."""

    def act(session: Session, **who: Any) -> None:
        mark_paid(session, reference=words("reference", REFERENCE_LENGTH_MAX), **who)

    done = gettext("It is marked as paid, and the merchant is told.")
    return sign(merchant_id, month, done, act)


def words(name: str, length_max: int) -> str:
    """Return a line of the form that may not be empty.

    Raises StatementWordsMissing.
    """
    found = typed(name, length_max)
    if not found:
        raise StatementWordsMissing
    return found


def sign(
    merchant_id: int, month: str, done: str, act: Callable[..., None]
) -> ResponseReturnValue:
    """Carry an act out, say what became of it, and show the statement again."""
    actor, now = current_actor(), clock.now()

    def work(session: Session) -> None:
        act(session, merchant_id=merchant_id, month=month, actor=actor, now=now)

    attempt(lambda: run(work), done)
    return redirect(address("show_statement", merchant_id, month), 303)
