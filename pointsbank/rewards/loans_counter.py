"""What both doors do alike of loans: lend once for a clerk's key, wrong codes counted."""

from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from pointsbank.rewards.lending import lend_tool
from pointsbank.rewards.loans_queries import LoanLine
from pointsbank.rewards.redeeming import Order
from pointsbank.rewards.till import draw_redemption_number, once_at_counter
from pointsbank.web.idempotency import Answer


def lend_once(
    order: Order,
    *,
    pin: str | None,
    clerk_id: int,
    key: str,
    sent: bytes,
    secret: str,
    today: date,
    now: datetime,
) -> Answer:
    """Lend a tool once for this clerk's key and answer every repeat the same.

    Raises what lend_tool raises, VoucherShown, CardPinWrong, CardLocked, PinMissing, KeyReused.
    """

    def use_case(session: Session) -> dict[str, Any]:
        line = lend_tool(
            session,
            order,
            clerk_id=clerk_id,
            number=draw_redemption_number(today),
            secret=secret,
            today=today,
            now=now,
        )
        return loan_out(line, today)

    return once_at_counter(
        use_case,
        order,
        pin=pin,
        clerk_id=clerk_id,
        key=key,
        sent=sent,
        secret=secret,
        now=now,
    )


def loan_out(loan: LoanLine, today: date) -> dict[str, Any]:
    """Return a loan as JSON shows it on this day."""
    return {
        "id": loan.id,
        "number": loan.number,
        "state": loan.state,
        "reward": {"id": loan.reward_id, "name": loan.reward_name},
        "merchant": {"id": loan.merchant_id, "name": loan.merchant_name},
        "member": {"display_name": loan.member_name},
        "deposit": loan.deposit,
        "charged": loan.charged,
        "reason": loan.reason,
        "lent_at": loan.lent_at.isoformat(),
        "due_on": loan.due_on.isoformat(),
        "overdue": loan.is_overdue(today),
        "decided_at": loan.decided_at and loan.decided_at.isoformat(),
    }
