"""Statements as pages print them: words, figures, addresses, and what a reader may do."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.budgets.months import read_month
from pointsbank.core.actor import Actor
from pointsbank.core.money import yuan
from pointsbank.settlements.policy import fen_of, may_confirm, may_decide
from pointsbank.settlements.queries import LineFile, StatementFile, open_disputes
from pointsbank.settlements.viewing import MonthSeen
from pointsbank.settlements.words import DISPUTES, KINDS, LATE, STATES, rate
from pointsbank.web.formats import day, moment, month_name, points

# A clock ends at midnight: its last day is the one before.
EARLIER = timedelta(seconds=1)


def printed_statement(each: StatementFile, now: datetime) -> dict[str, Any]:
    """Return a statement as a list prints it."""
    late = each.lateness(now)
    return {
        "merchant": each.merchant_name,
        "month": month_name(read_month(each.month).first_on),
        "points": points(each.net_points),
        "money": yuan(each.due_fen),
        "state": str(STATES[each.state]),
        "late": str(LATE[late]) if late else "",
        "href": url_for(
            "settlement_pages.show_statement", merchant_id=each.merchant_id, month=each.month
        ),
    }


def printed_line(line: LineFile, seen: MonthSeen) -> dict[str, Any]:
    """Return a line as the table prints it; an open month's has no page of its own."""
    return {
        "no": line.no,
        "at": moment(line.occurred_at),
        "what": line.what,
        "kind": str(KINDS[line.kind]) if line.kind != "redemption" else "",
        "number": line.number,
        "points": points(line.points),
        "money": yuan(fen_of(line.points * line.rate_fen)),
        "dispute": str(DISPUTES[line.dispute]) if line.dispute else "",
        "correction": yuan(line.correction_fen) if line.correction_fen else "",
        "href": url_for(
            "settlement_pages.show_line",
            merchant_id=seen.merchant_id,
            month=seen.month.name,
            no=line.no,
        )
        if seen.statement
        else "",
    }


def line_facts(line: LineFile) -> list[tuple[str, str]]:
    """Return what is known of one line."""
    facts = [
        (gettext("Kind"), str(KINDS[line.kind])),
        (gettext("Time"), moment(line.occurred_at)),
        (gettext("For what"), line.what),
        (gettext("Points"), points(line.points)),
        (gettext("Rate"), rate(line.rate_fen)),
        (gettext("Amount"), yuan(fen_of(line.points * line.rate_fen))),
        (gettext("Transfer"), str(line.transfer_id)),
    ]
    if line.number:
        facts.insert(2, (gettext("Redemption number"), line.number))
    return facts


def answered_facts(line: LineFile) -> list[tuple[str, str]]:
    """Return how a disputed line was answered; nothing while it waits."""
    if line.dispute is None or line.dispute == "open":
        return []
    facts = [(gettext("Result"), str(DISPUTES[line.dispute]))]
    if line.correction_fen:
        facts.append((gettext("Correction"), yuan(line.correction_fen)))
    return [*facts, (gettext("Answer"), line.answer or "")]


def facts_of(
    seen: MonthSeen, names: Mapping[int, str], rates: Sequence[int], now: datetime
) -> list[tuple[str, str]]:
    """Return what is known of a month beside its totals; names: of who signed, by id."""
    facts = [
        (gettext("State"), str(STATES[seen.state])),
        (gettext("Lines"), points(seen.sums.lines)),
    ]
    if rates:
        facts.append((gettext("Rate"), " / ".join(rate(fen) for fen in rates)))
    return [*facts, *made_facts(seen.statement, names, now)] if seen.statement else facts


def made_facts(
    found: StatementFile, names: Mapping[int, str], now: datetime
) -> list[tuple[str, str]]:
    """Return what is known of a statement that was made: corrections, clocks, signatures."""
    facts = []
    late = found.lateness(now)
    if late:
        facts.append((gettext("Late"), str(LATE[late])))
    if found.correction_fen:
        facts.append((gettext("Amount of the lines"), yuan(found.amount_fen)))
        facts.append((gettext("Corrections"), yuan(found.correction_fen)))
    if found.confirmed_at is None:
        facts.append((gettext("To be confirmed through"), day(found.confirm_by - EARLIER)))
    elif found.confirmed_by_id is None:
        silence = gettext("%(day)s, by silence", day=day(found.confirmed_at))
        facts.append((gettext("Confirmed"), silence))
    facts += signed_facts(found, names)
    if found.paid_at is None:
        facts.append((gettext("To be paid through"), day(found.pay_by - EARLIER)))
    if found.payment_reference is not None:
        facts.append((gettext("Payment reference"), found.payment_reference))
    return facts


def signed_facts(found: StatementFile, names: Mapping[int, str]) -> list[tuple[str, str]]:
    """Return who signed on which day."""
    signatures = (
        (gettext("Confirmed"), found.confirmed_by_id, found.confirmed_at),
        (gettext("Approved"), found.approved_by_id, found.approved_at),
        (gettext("Paid"), found.paid_by_id, found.paid_at),
    )
    return [
        (word, f"{day(at)} · {names[member_id]}")
        for word, member_id, at in signatures
        if member_id is not None and at is not None
    ]


def may_of(
    session: Session, actor: Actor, path: str, seen: MonthSeen, now: datetime
) -> dict[str, bool]:
    """Return what this person can do about a month at this moment."""
    found = seen.statement
    if found is None:
        return dict.fromkeys(("confirm", "dispute", "answer", "approve", "pay", "wait"), False)
    is_unsigned = found.state in ("closed", "disputed")
    is_clerk = may_confirm(actor, seen.merchant_id)
    is_decider = may_decide(actor, seen.merchant_id, path)
    has_open = is_unsigned and open_disputes(session, found.id) > 0
    is_silent = is_unsigned and not has_open and now >= found.confirm_by
    return {
        "confirm": is_clerk and is_unsigned and not has_open,
        "dispute": is_clerk and is_unsigned,
        "answer": is_decider and has_open,
        "approve": is_decider and (found.state == "confirmed" or is_silent),
        "pay": is_decider
        and found.state == "approved"
        and found.approved_by_id != actor.member_id,
        "wait": is_decider
        and found.state == "approved"
        and found.approved_by_id == actor.member_id,
    }
