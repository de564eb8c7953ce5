"""The JSON door of merchants' monthly statements."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.db import reading, run
from pointsbank.merchants.scope import merchant_to_see
from pointsbank.settlements.policy import correction_from
from pointsbank.settlements.queries import (
    month_totals,
    statements_of_merchant,
    statements_of_month,
)
from pointsbank.settlements.schemas import (
    MonthStatementsOut,
    NewPayment,
    NewStatementAnswer,
    NewStatementDispute,
    StatementBriefsOut,
    StatementDetailOut,
    StatementsQuery,
    brief_out,
    detail_out,
    totals_out,
)
from pointsbank.settlements.signing import (
    answer_dispute,
    approve_statement,
    confirm_statement,
    dispute_line,
    mark_paid,
)
from pointsbank.settlements.viewing import lines_seen, month_named, month_seen, signers_of
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import Blueprint, PageQuery, cursor_from, position_from
from pointsbank.web.forms import settings

api = Blueprint(
    "settlements_api", __name__, description="Merchants' monthly statements, signed twice."
)

READERS = ("clerk", "administrator", "auditor")
OVERSEERS = ("administrator", "auditor")
MONTH = "/merchants/<id:merchant_id>/statements/<month:month>"


@api.get("/statements")
@api.arguments(StatementsQuery, location="query")
@api.response(200, MonthStatementsOut)
@roles_only(*OVERSEERS)
def list_month(query: dict[str, Any]) -> dict[str, Any]:
    """List a month's statements of all merchants within one's scope, by merchant."""
    limit, now = query["limit"], clock.now()
    month = month_named(query.get("month"), settings().zone, now)
    paths = current_actor().paths(*OVERSEERS)
    with reading() as session:
        found = statements_of_month(
            session,
            paths,
            month.name,
            after_merchant_id=position_from(query.get("cursor")) or 0,
            limit=limit + 1,
        )
        totals = month_totals(session, paths, month.name)
    return {
        "month": month.name,
        "totals": totals_out(totals),
        "items": [brief_out(each, now) for each in found[:limit]],
        "next": cursor_from(found[limit - 1].merchant_id) if len(found) > limit else None,
    }


@api.get("/merchants/<id:merchant_id>/statements")
@api.arguments(PageQuery, location="query")
@api.response(200, StatementBriefsOut)
@roles_only(*READERS)
def list_statements(query: dict[str, Any], merchant_id: int) -> dict[str, Any]:
    """List a merchant's statements, the newest month first."""
    limit, now = query["limit"], clock.now()
    position = position_from(query.get("cursor"))
    before = f"{position // 100:04}-{position % 100:02}" if position else None
    with reading() as session:
        merchant_to_see(session, current_actor(), merchant_id)
        found = statements_of_merchant(
            session, merchant_id, before_month=before, limit=limit + 1
        )
    last = found[limit - 1].month.replace("-", "") if len(found) > limit else ""
    return {
        "items": [brief_out(each, now) for each in found[:limit]],
        "next": cursor_from(int(last)) if last else None,
    }


@api.get(MONTH)
@api.response(200, StatementDetailOut)
@roles_only(*READERS)
def show_month(merchant_id: int, month: str) -> dict[str, Any]:
    """Show a merchant's month with all its lines; the running one as it stands at present."""
    with reading() as session:
        return shown(session, merchant_id, month, clock.now())


@api.post(f"{MONTH}/confirmation")
@api.response(200, StatementDetailOut)
@roles_only("clerk")
def confirm(merchant_id: int, month: str) -> dict[str, Any]:
    """Sign for the merchant; a repeat changes nothing."""
    return signed(confirm_statement, merchant_id, month)


@api.post(f"{MONTH}/lines/<id:no>/dispute")
@api.arguments(NewStatementDispute)
@api.response(200, StatementDetailOut)
@roles_only("clerk")
def dispute(body: dict[str, Any], merchant_id: int, month: str, no: int) -> dict[str, Any]:
    """Say for the merchant that a line is wrong; the same again changes nothing."""
    return signed(dispute_line, merchant_id, month, no=no, reason=body["reason"])


@api.post(f"{MONTH}/lines/<id:no>/answer")
@api.arguments(NewStatementAnswer)
@api.response(200, StatementDetailOut)
@roles_only("administrator")
def answer(body: dict[str, Any], merchant_id: int, month: str, no: int) -> dict[str, Any]:
    """Answer a disputed line, once."""
    return signed(
        answer_dispute,
        merchant_id,
        month,
        no=no,
        is_accepted=body["decision"] == "accept",
        correction_fen=correction_from(body["correction_yuan"]),
        answer=body["reason"],
    )


@api.post(f"{MONTH}/approval")
@api.response(200, StatementDetailOut)
@roles_only("administrator")
def approve(merchant_id: int, month: str) -> dict[str, Any]:
    """Sign for the community; a repeat changes nothing."""
    return signed(approve_statement, merchant_id, month, zone=settings().zone)


@api.post(f"{MONTH}/payment")
@api.arguments(NewPayment)
@api.response(200, StatementDetailOut)
@roles_only("administrator")
def pay(body: dict[str, Any], merchant_id: int, month: str) -> dict[str, Any]:
    """Keep under which reference it was paid; the same again changes nothing."""
    return signed(mark_paid, merchant_id, month, reference=body["reference"])


def signed(
    act: Callable[..., None], merchant_id: int, month: str, **more: Any
) -> dict[str, Any]:
    """Carry an act out and answer the statement as it stands after it."""
    actor, now = current_actor(), clock.now()

    def work(session: Session) -> dict[str, Any]:
        act(session, merchant_id=merchant_id, month=month, actor=actor, now=now, **more)
        return shown(session, merchant_id, month, now)

    return run(work)


def shown(session: Session, merchant_id: int, month: str, now: datetime) -> dict[str, Any]:
    """Return a month as programs see it."""
    seen = month_seen(session, current_actor(), merchant_id, month, settings().zone, now)
    return detail_out(seen, lines_seen(session, seen), signers_of(session, seen), now)
