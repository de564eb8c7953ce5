"""Tools on loan: lent against held points, the deposit; brought back, damaged or lost.

Rows are locked as in redeeming.py: the code or the loan, the reward, the share, the wallet. The
share of a tool counts what a person has at home now, whatever period its limit names.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Date, TextClause, bindparam, text
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.db import Moment
from pointsbank.core.errors import KeyReused
from pointsbank.ledger.errors import HoldDecided
from pointsbank.ledger.holding import place_hold, settle_hold, void_hold
from pointsbank.members.showing import member_of_card, use_redemption_code
from pointsbank.rewards.bounds import RETURN_SHARE, RETURN_STOCK, Share, take_share
from pointsbank.rewards.errors import NotForOneself, NumberTaken, OutOfStock, RewardNotFound
from pointsbank.rewards.guarding import CAN_BE_HAD, guard_values, guarded, obstacles_on
from pointsbank.rewards.loans_errors import (
    ChargeTooHigh,
    ChargeUnfounded,
    DepositReleased,
    LoanEnded,
    LoanNotFound,
)
from pointsbank.rewards.loans_queries import LoanLine, loan_of
from pointsbank.rewards.locking import refuse_while_locked
from pointsbank.rewards.policy import may_take_points
from pointsbank.rewards.redeeming import FORGET_WRONG_CODES, REASON_LENGTH_MAX, Order

# A tool that nobody brings back and nobody settles: its deposit is free after another year.
DEPOSIT_DAYS = 365
AT_HOME = ""

TAKE_TOOL = guarded(
    f"""
    UPDATE reward SET stock = stock - :quantity
    WHERE reward.id = :reward_id AND reward.merchant_id = :merchant_id
      AND reward.kind = 'loan' AND {CAN_BE_HAD}
    RETURNING points, loan_days, limit_per_member
    """
)
IS_TOOL = text(
    """
    SELECT stock FROM reward
    WHERE id = :reward_id AND merchant_id = :merchant_id AND kind = 'loan'
    """
)


def _typed(statement: str) -> TextClause:
    return text(statement).bindparams(bindparam("now", type_=Moment()))


KEEP = _typed(
    """
    INSERT INTO loan (number, reward_id, merchant_id, member_id, clerk_id, deposit, hold_id,
                      state, lent_at, due_on, charged)
    VALUES (:number, :reward_id, :merchant_id, :member_id, :clerk_id, :deposit, :hold_id, 'out',
            :now, :due_on, 0)
    RETURNING id
    """
).bindparams(bindparam("due_on", type_=Date()))
# Written as it is: whoever comes later finds the row locked, and then no longer out.
CLAIM = text(
    "UPDATE loan SET charged = charged WHERE id = :id AND state = 'out' RETURNING hold_id"
)
END = _typed(
    """
    UPDATE loan SET state = :state, charged = :charged, transfer_id = :transfer_id,
                    reason = :reason, decided_by_id = :clerk_id, decided_at = :now
    WHERE id = :id
    """
)


@dataclass(frozen=True)
class Ending:
    """How a loan ends. state: returned, damaged or lost; charged: of the deposit, with a
    reason.
    """

    state: str
    charged: int = 0
    reason: str | None = None


def lend_tool(
    session: Session,
    order: Order,
    *,
    clerk_id: int,
    number: str,
    secret: str,
    today: date,
    now: datetime,
) -> LoanLine:
    """Lend one tool to the member behind a code or card, and hold its deposit.

    The six digits of a card were checked before, in a transaction of their own.
    Raises what members.showing raises for a code or card, RewardNotFound, what
    guarding.may_have finds, LimitReached, NotForOneself, TillLocked, NotEnoughPoints,
    NumberTaken.
    """
    refuse_while_locked(session, clerk_id, now)
    if order.code is not None:
        member_id = use_redemption_code(session, text=order.code, secret=secret, now=now)
    else:
        member_id = member_of_card(session, text=order.card or "", secret=secret, now=now)
    if member_id == clerk_id:
        raise NotForOneself
    values: dict[str, Any] = {
        "merchant_id": order.merchant_id,
        "reward_id": order.reward_id,
        "member_id": member_id,
        "clerk_id": clerk_id,
        "quantity": 1,
        "number": number,
        "now": now,
        **guard_values(today),
    }
    tool = session.execute(TAKE_TOOL, values).first()
    if tool is None:
        raise _refusal(session, values)
    share = Share(order.reward_id, order.merchant_id, member_id, 1, tool.points, AT_HOME, today)
    take_share(session, share, tool.limit_per_member)
    values |= {"deposit": tool.points, "due_on": today + timedelta(days=tool.loan_days)}
    values["hold_id"] = _hold_deposit(session, values)
    loan_id = session.execute(KEEP, values).scalar_one()
    session.execute(FORGET_WRONG_CODES, values)
    _note(session, loan_id, "lend_tool", clerk_id, now, deposit=tool.points)
    return loan_of(session, loan_id)


def _hold_deposit(session: Session, values: dict[str, Any]) -> int:
    until = values["due_on"] + timedelta(days=DEPOSIT_DAYS)
    try:
        hold = place_hold(
            session,
            key=f"loan:{values['number']}",
            code=f"member:{values['member_id']}",
            points=values["deposit"],
            expires_at=datetime.combine(until, time(), UTC),
            now=values["now"],
        )
    except KeyReused as error:
        raise NumberTaken from error
    if hold.is_replay:
        raise NumberTaken
    return hold.id


def _refusal(session: Session, values: dict[str, Any]) -> Exception:
    tool = session.execute(IS_TOOL, values).first()
    if tool is None:
        return RewardNotFound()
    reward_id, member_id = values["reward_id"], values["member_id"]
    found = obstacles_on(
        session, [reward_id], member_id, today=values["today"], now=values["now"]
    )
    return found[reward_id] or OutOfStock(left=tool.stock or 0)


def end_loan(
    session: Session, *, loan_id: int, ending: Ending, actor: Actor, now: datetime
) -> LoanLine:
    """Take a tool back, or settle its damage or loss from the deposit; the rest is free again.

    Only what comes back whole stands on the shelf again. The same end again changes nothing.
    Raises LoanNotFound, NotForOneself, ChargeUnfounded, ChargeTooHigh, DepositReleased,
    LoanEnded.
    """
    found = loan_of(session, loan_id)
    if not may_take_points(actor, found.merchant_id):
        raise LoanNotFound
    if found.member_id == actor.member_id:
        raise NotForOneself
    if ending.charged and (ending.state == "returned" or not ending.reason):
        raise ChargeUnfounded
    if ending.charged > found.deposit:
        raise ChargeTooHigh(deposit=found.deposit)
    won = session.execute(CLAIM, {"id": loan_id}).first()
    if won is None:
        return _standing(session, loan_id, ending)
    shelf = {
        "reward_id": found.reward_id,
        "member_id": found.member_id,
        "quantity": 1,
        "period": AT_HOME,
    }
    if ending.state == "returned":
        session.execute(RETURN_STOCK, shelf)
    session.execute(RETURN_SHARE, shelf)
    transfer_id = _settle_deposit(session, found, ending, won.hold_id, actor, now)
    session.execute(
        END,
        {
            **vars(ending),
            "id": loan_id,
            "transfer_id": transfer_id,
            "clerk_id": actor.member_id,
            "now": now,
        },
    )
    _note(
        session,
        loan_id,
        "end_loan",
        actor.member_id,
        now,
        state=ending.state,
        charged=ending.charged,
    )
    return loan_of(session, loan_id)


def _standing(session: Session, loan_id: int, ending: Ending) -> LoanLine:
    standing = loan_of(session, loan_id)
    if (standing.state, standing.charged) != (ending.state, ending.charged):
        raise LoanEnded
    return standing


def _settle_deposit(
    session: Session,
    found: LoanLine,
    ending: Ending,
    hold_id: int,
    actor: Actor,
    now: datetime,
) -> int | None:
    """Free the deposit, or post what is charged of it and return that transfer's id."""
    try:
        if not ending.charged:
            void_hold(session, hold_id=hold_id, now=now)
            return None
        return settle_hold(
            session,
            hold_id=hold_id,
            key=f"loan:{found.number}",
            kind="spend",
            target=f"merchant:{found.merchant_id}",
            reason=f"{found.reward_name} · {found.merchant_name} · {ending.reason}"[
                :REASON_LENGTH_MAX
            ],
            actor_id=actor.member_id,
            now=now,
            points=ending.charged,
        ).id
    except HoldDecided as error:
        if ending.charged:
            raise DepositReleased from error
        return None


def _note(
    session: Session,
    loan_id: int,
    action: str,
    actor_id: int | None,
    now: datetime,
    **facts: Any,
) -> None:
    note(session, at=now, actor_id=actor_id, action=action, subject=("loan", loan_id), **facts)
