"""Cutting off a merchant's month: every transfer on one line, once."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, bindparam, insert, select, text
from sqlalchemy.orm import Session

from pointsbank.core.audit import note
from pointsbank.core.calendar import Period, local_day, local_month, read_period
from pointsbank.core.db import Moment
from pointsbank.merchants.clerks import clerk_ids
from pointsbank.merchants.queries import rate_on
from pointsbank.merchants.scope import lock_merchant
from pointsbank.messages.service import tell_each
from pointsbank.settlements.errors import MonthNotOver
from pointsbank.settlements.models import Statement, StatementLine
from pointsbank.settlements.policy import (
    CONFIRM_DAY,
    PAY_DAY,
    Moved,
    digest_of,
    end_of_day,
    sums_of,
)

# A void counts at the rate of the day on which the points were taken.
UNSETTLED = (
    text(
        """
        SELECT transfer.id AS transfer_id, transfer.kind, transfer.reason AS what,
               CASE WHEN transfer.target_id = account.id THEN transfer.points
                    ELSE -transfer.points END AS points,
               transfer.occurred_at, COALESCE(original.occurred_at, transfer.occurred_at)
                   AS taken_at,
               redemption.id AS redemption_id, loan.id AS loan_id
        FROM account
        JOIN transfer ON transfer.target_id = account.id OR transfer.source_id = account.id
        LEFT JOIN transfer AS original ON original.id = transfer.reverses_id
        LEFT JOIN redemption ON redemption.transfer_id = COALESCE(original.id, transfer.id)
        LEFT JOIN loan ON loan.transfer_id = COALESCE(original.id, transfer.id)
        LEFT JOIN statement_line ON statement_line.transfer_id = transfer.id
        WHERE account.code = :code AND transfer.recorded_at < :cut_at
          AND statement_line.transfer_id IS NULL
        ORDER BY transfer.id
        """
    )
    .columns(occurred_at=Moment(), taken_at=Moment())
    .bindparams(bindparam("cut_at", type_=Moment()))
)

# The next merchant whose month is not cut off though something of it waits.
NEXT = text(
    """
    SELECT merchant.id FROM merchant
    JOIN account ON account.code = 'merchant:' || merchant.id
    WHERE NOT EXISTS (
            SELECT 1 FROM statement
            WHERE statement.merchant_id = merchant.id AND statement.month = :month)
      AND EXISTS (
            SELECT 1 FROM transfer
            LEFT JOIN statement_line ON statement_line.transfer_id = transfer.id
            WHERE (transfer.target_id = account.id OR transfer.source_id = account.id)
              AND transfer.recorded_at < :cut_at AND statement_line.transfer_id IS NULL)
    ORDER BY merchant.id LIMIT 1
    """
).bindparams(bindparam("cut_at", type_=Moment()))

OLDEST = (
    text(
        """
        SELECT MIN(transfer.recorded_at) AS oldest
        FROM account
        JOIN transfer ON transfer.target_id = account.id OR transfer.source_id = account.id
        LEFT JOIN statement_line ON statement_line.transfer_id = transfer.id
        WHERE account.code = :code AND transfer.recorded_at < :cut_at
          AND statement_line.transfer_id IS NULL
        """
    )
    .columns(oldest=Moment())
    .bindparams(bindparam("cut_at", type_=Moment()))
)


def unsettled(
    session: Session, merchant_id: int, cut_at: datetime, zone: ZoneInfo
) -> list[Moved]:
    """Return what was recorded for a merchant before a moment and is on no statement yet."""
    rows = session.execute(
        UNSETTLED, {"code": f"merchant:{merchant_id}", "cut_at": cut_at}
    ).all()
    days = {local_day(row.taken_at, zone) for row in rows}
    rates = {day: rate_on(session, merchant_id, day) for day in days}
    return [
        Moved(
            row.transfer_id,
            row.redemption_id,
            _kind_of(row),
            row.occurred_at,
            row.what,
            row.points,
            rates[local_day(row.taken_at, zone)],
        )
        for row in rows
    ]


def _kind_of(row: Row[Any]) -> str:
    if row.loan_id is not None:
        return "loan"
    if row.redemption_id is None:
        return "other"
    return "void" if row.kind == "reversal" else "redemption"


def close_through(
    session: Session, *, merchant_id: int, month: Period, zone: ZoneInfo, now: datetime
) -> int:
    """Cut off every month of a merchant from its oldest unsettled transfer through this one.

    So a scheduler that was down for months makes the statements it would have made. Returns how
    many statements are new. Raises MonthNotOver.
    """
    oldest = session.execute(
        OLDEST, {"code": f"merchant:{merchant_id}", "cut_at": month.ends_at(zone)}
    ).scalar()
    if oldest is None:
        return 0
    closed = 0
    running = read_period(local_month(oldest, zone))
    while running.first_on <= month.first_on:
        is_new = not has_statement(session, merchant_id, running.name)
        made = close_month(session, merchant_id=merchant_id, month=running, zone=zone, now=now)
        closed += is_new and made is not None
        running = read_period(f"{running.end_on:%Y-%m}")
    return closed


def has_statement(session: Session, merchant_id: int, month: str) -> bool:
    """Tell whether a merchant's month was cut off."""
    found = select(Statement.id).where(
        Statement.merchant_id == merchant_id, Statement.month == month
    )
    return session.scalar(found) is not None


def next_to_close(session: Session, month: Period, zone: ZoneInfo) -> int | None:
    """Return a merchant whose month holds something and is not cut off, None when none is."""
    values = {"month": month.name, "cut_at": month.ends_at(zone)}
    return session.execute(NEXT, values).scalar()


def close_month(
    session: Session, *, merchant_id: int, month: Period, zone: ZoneInfo, now: datetime
) -> int | None:
    """Cut a merchant's month off and return its statement's id; None when nothing is on it.

    A repeat returns the statement that stands. What was recorded before the month's end but
    committed after its cut-off is on the next one.
    Raises MonthNotOver.
    """
    cut_at = month.ends_at(zone)
    if now < cut_at:
        raise MonthNotOver
    # Two who cut off the same month meet here; the second finds the first one's statement.
    lock_merchant(session, merchant_id)
    standing = session.scalar(
        select(Statement.id).where(
            Statement.merchant_id == merchant_id, Statement.month == month.name
        )
    )
    if standing is not None:
        return standing
    moved = unsettled(session, merchant_id, cut_at, zone)
    if not moved:
        return None
    sums = sums_of(moved)
    statement_id = session.execute(
        insert(Statement)
        .values(
            merchant_id=merchant_id,
            month=month.name,
            state="closed",
            cut_at=cut_at,
            line_count=sums.lines,
            redeemed_points=sums.redeemed,
            voided_points=sums.voided,
            net_points=sums.net,
            amount_fen=sums.amount_fen,
            correction_fen=0,
            digest=digest_of(merchant_id, month.name, moved),
            closed_at=now,
            confirm_by=end_of_day(month, CONFIRM_DAY, zone),
            pay_by=end_of_day(month, PAY_DAY, zone),
        )
        .returning(Statement.id)
    ).scalar_one()
    session.execute(
        insert(StatementLine),
        [
            {"statement_id": statement_id, "no": no, "correction_fen": 0, **asdict(each)}
            for no, each in enumerate(moved, start=1)
        ],
    )
    note(
        session,
        at=now,
        actor_id=None,
        action="close_month",
        subject=("statement", statement_id),
        month=month.name,
        net_points=sums.net,
    )
    tell_each(
        session,
        key=f"statement:{statement_id}",
        member_ids=clerk_ids(session, merchant_id),
        kind="statement_closed",
        facts={"month": month.name, "points": sums.net, "merchant_id": merchant_id},
        now=now,
    )
    return statement_id
