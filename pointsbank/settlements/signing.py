"""Both sides of a statement: disputes and their answers, confirming, approving, paying."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.calendar import local_day
from pointsbank.core.money import yuan_text
from pointsbank.members.queries import role_holders_over
from pointsbank.merchants.clerks import clerk_ids
from pointsbank.messages.service import tell_each
from pointsbank.settlements.errors import (
    CorrectionMissing,
    CorrectionTooLarge,
    DisputesOpen,
    LineDisputed,
    LineNotDisputed,
    NotApprovedYet,
    NotConfirmedYet,
    StatementLineNotFound,
    StatementNotFound,
    StatementPaid,
    StatementSecondPerson,
    StatementSigned,
)
from pointsbank.settlements.models import Statement, StatementLine
from pointsbank.settlements.policy import (
    fen_of,
    may_confirm,
    may_decide,
    may_see,
)
from pointsbank.settlements.queries import (
    StatementFile,
    open_disputes,
    statement_of,
)

UNSIGNED = ("closed", "disputed")


def statement_to_see(
    session: Session, actor: Actor, merchant_id: int, month: str
) -> StatementFile:
    """Return a month's statement that this person may read.

    Raises StatementNotFound, for a foreign one as for one that is not there.
    """
    found = statement_of(session, merchant_id, month)
    if found is None or not may_see(actor, merchant_id, found.path):
        raise StatementNotFound
    return found


def dispute_line(
    session: Session,
    *,
    merchant_id: int,
    month: str,
    no: int,
    actor: Actor,
    reason: str,
    now: datetime,
) -> None:
    """Say for the merchant that a line is wrong; the community has to answer it.

    A repeat by the same person with the same reason changes nothing.
    Raises StatementNotFound, StatementLineNotFound, StatementSigned, LineDisputed.
    """
    found = _locked(session, actor, merchant_id, month)
    if not may_confirm(actor, merchant_id):
        raise StatementSecondPerson
    line = _line(session, found.id, no)
    if line.dispute is not None:
        if line.disputed_by_id == actor.member_id and line.dispute_reason == reason:
            return
        raise LineDisputed
    if found.state not in UNSIGNED:
        raise StatementSigned
    _change_line(
        session,
        found.id,
        no,
        dispute="open",
        dispute_reason=reason,
        disputed_by_id=actor.member_id,
        disputed_at=now,
    )
    _change(session, found.id, state="disputed")
    _note(session, actor, "dispute_statement_line", found, now, line=no)
    tell_each(
        session,
        key=f"statement_disputed:{found.id}:{no}",
        member_ids=role_holders_over(session, found.path, ("administrator",)),
        kind="statement_disputed",
        facts={"month": month, "line": no, "merchant_id": merchant_id},
        now=now,
    )


def answer_dispute(
    session: Session,
    *,
    merchant_id: int,
    month: str,
    no: int,
    actor: Actor,
    is_accepted: bool,
    correction_fen: int,
    answer: str,
    now: datetime,
) -> None:
    """Answer a disputed line: accept it with an amount of money, or reject it, with a reason.

    correction_fen: what the statement gains, or loses below zero; 0 when it is rejected. Points
    stay: they are the ledger's.
    Raises StatementNotFound, StatementLineNotFound, LineNotDisputed, CorrectionMissing,
    CorrectionTooLarge, StatementSecondPerson.
    """
    found = _locked(session, actor, merchant_id, month)
    if not may_decide(actor, merchant_id, found.path):
        raise StatementSecondPerson
    line = _line(session, found.id, no)
    if line.dispute != "open":
        raise LineNotDisputed
    if line.disputed_by_id == actor.member_id:
        raise StatementSecondPerson
    if is_accepted:
        most = 2 * abs(fen_of(line.points * line.rate_fen))
        if correction_fen == 0:
            raise CorrectionMissing
        if abs(correction_fen) > most:
            raise CorrectionTooLarge(most=yuan_text(most))
    else:
        correction_fen = 0
    _change_line(
        session,
        found.id,
        no,
        dispute="accepted" if is_accepted else "rejected",
        correction_fen=correction_fen,
        answer=answer,
        answered_by_id=actor.member_id,
        answered_at=now,
    )
    is_last = open_disputes(session, found.id) == 0
    _change(
        session,
        found.id,
        state="closed" if is_last else "disputed",
        correction_fen=found.correction_fen + correction_fen,
    )
    _note(session, actor, "answer_statement_line", found, now, line=no, accepted=is_accepted)
    tell_each(
        session,
        key=f"statement_answered:{found.id}:{no}",
        member_ids=clerk_ids(session, merchant_id),
        kind="statement_answered",
        facts={"month": month, "line": no, "merchant_id": merchant_id},
        now=now,
    )


def confirm_statement(
    session: Session, *, merchant_id: int, month: str, actor: Actor, now: datetime
) -> None:
    """Sign a statement for the merchant; a repeat changes nothing.

    Raises StatementNotFound, DisputesOpen, StatementSecondPerson.
    """
    found = _locked(session, actor, merchant_id, month)
    if not may_confirm(actor, merchant_id):
        raise StatementSecondPerson
    if found.state not in UNSIGNED:
        return
    _refuse_open_disputes(session, found.id)
    _change(
        session,
        found.id,
        state="confirmed",
        confirmed_by_id=actor.member_id,
        confirmed_at=now,
    )
    _note(session, actor, "confirm_statement", found, now)
    tell_each(
        session,
        key=f"statement_confirmed:{found.id}",
        member_ids=role_holders_over(session, found.path, ("administrator",)),
        kind="statement_confirmed",
        facts={"month": month, "merchant_id": merchant_id},
        now=now,
    )


def approve_statement(
    session: Session,
    *,
    merchant_id: int,
    month: str,
    actor: Actor,
    zone: ZoneInfo,
    now: datetime,
) -> None:
    """Sign a statement for the community; a repeat changes nothing.

    After the time to confirm is over, a merchant's silence counts as a yes.
    Raises StatementNotFound, NotConfirmedYet, DisputesOpen, StatementSecondPerson.
    """
    found = _locked(session, actor, merchant_id, month)
    if not may_decide(actor, merchant_id, found.path):
        raise StatementSecondPerson
    if found.state in ("approved", "paid"):
        return
    changes: dict[str, Any] = {}
    if found.state in UNSIGNED:
        _refuse_open_disputes(session, found.id)
        if now < found.confirm_by:
            raise NotConfirmedYet(confirm_by=local_day(found.confirm_by, zone).isoformat())
        changes = {"confirmed_at": now}
    _change(
        session,
        found.id,
        state="approved",
        approved_by_id=actor.member_id,
        approved_at=now,
        **changes,
    )
    _note(session, actor, "approve_statement", found, now, by_silence=bool(changes))


def mark_paid(
    session: Session,
    *,
    merchant_id: int,
    month: str,
    actor: Actor,
    reference: str,
    now: datetime,
) -> None:
    """Keep under which reference a statement was paid; a repeat with it changes nothing.

    Whoever approved does not pay.
    Raises StatementNotFound, NotApprovedYet, StatementPaid, StatementSecondPerson.
    """
    found = _locked(session, actor, merchant_id, month)
    if not may_decide(actor, merchant_id, found.path):
        raise StatementSecondPerson
    if found.state == "paid":
        if found.payment_reference != reference:
            raise StatementPaid
        return
    if found.state != "approved":
        raise NotApprovedYet
    if found.approved_by_id == actor.member_id:
        raise StatementSecondPerson
    _change(
        session,
        found.id,
        state="paid",
        paid_by_id=actor.member_id,
        paid_at=now,
        payment_reference=reference,
    )
    _note(session, actor, "pay_statement", found, now, reference=reference)
    tell_each(
        session,
        key=f"statement_paid:{found.id}",
        member_ids=clerk_ids(session, merchant_id),
        kind="statement_paid",
        facts={"month": month, "merchant_id": merchant_id},
        now=now,
    )


def _locked(session: Session, actor: Actor, merchant_id: int, month: str) -> StatementFile:
    """Lock a statement, so that whoever waited judges it as it is then."""
    session.execute(
        select(Statement.id)
        .where(Statement.merchant_id == merchant_id, Statement.month == month)
        .with_for_update()
    )
    return statement_to_see(session, actor, merchant_id, month)


def _line(session: Session, statement_id: int, no: int) -> Any:
    row = session.execute(
        select(
            StatementLine.points,
            StatementLine.rate_fen,
            StatementLine.dispute,
            StatementLine.dispute_reason,
            StatementLine.disputed_by_id,
        ).where(StatementLine.statement_id == statement_id, StatementLine.no == no)
    ).first()
    if row is None:
        raise StatementLineNotFound
    return row


def _refuse_open_disputes(session: Session, statement_id: int) -> None:
    count = open_disputes(session, statement_id)
    if count:
        raise DisputesOpen(count=count)


def _change(session: Session, statement_id: int, **values: Any) -> None:
    session.execute(
        update(Statement)
        .where(Statement.id == statement_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def _change_line(session: Session, statement_id: int, no: int, **values: Any) -> None:
    session.execute(
        update(StatementLine)
        .where(StatementLine.statement_id == statement_id, StatementLine.no == no)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def _note(
    session: Session,
    actor: Actor,
    action: str,
    found: StatementFile,
    now: datetime,
    **facts: Any,
) -> None:
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action=action,
        subject=("statement", found.id),
        **facts,
    )
