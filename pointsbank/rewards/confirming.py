"""Above 200 points: the member says yes within a minute, or no, or the minute goes by.

The redemption's own row is where all of them meet: each first changes it while it waits, so
that exactly one wins. Then the points that were held are posted, or they and all else that the
deal took go back.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Date, Row, TextualSelect, bindparam, text
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.db import Moment
from pointsbank.ledger.errors import HoldDecided
from pointsbank.ledger.holding import settle_hold, void_hold
from pointsbank.rewards.bounds import Share, give_back
from pointsbank.rewards.errors import (
    AlreadyConfirmed,
    ConfirmationOver,
    MemberConfirms,
    RedemptionNotFound,
)
from pointsbank.rewards.policy import may_take_points
from pointsbank.rewards.queries import RedemptionLine, redemption_of
from pointsbank.rewards.redeeming import reason_of

RESULT = """
    RETURNING id, number, merchant_id, reward_id, member_id, clerk_id, quantity, points, period,
              hold_id, redeemed_on
"""


def _typed(statement: str) -> TextualSelect:
    return (
        text(statement).columns(redeemed_on=Date()).bindparams(bindparam("now", type_=Moment()))
    )


# Written as it is: whoever comes later finds the row locked, and then no longer waiting.
CLAIM = _typed(
    f"""
    UPDATE redemption SET confirm_by = confirm_by
    WHERE id = :id AND state = 'waiting' AND confirm_by > :now {RESULT}
    """
)
COMPLETE = text(
    """
    UPDATE redemption SET state = 'completed', transfer_id = :transfer_id,
                          balance_after = :balance_after
    WHERE id = :id
    """
)
# Of one whose time is over the no comes too late, and it lapses.
DECLINE = _typed(
    f"""
    UPDATE redemption SET state = CASE WHEN confirm_by > :now THEN 'declined' ELSE 'lapsed' END
    WHERE id = :id AND state = 'waiting' {RESULT}
    """
)
DUE = """
    SELECT id FROM redemption WHERE state = 'waiting' AND confirm_by <= :now
    ORDER BY confirm_by, id LIMIT 1
"""
# What is being confirmed or declined at this moment need not be waited for.
CLAIM_DUE = f"{DUE} FOR NO KEY UPDATE SKIP LOCKED"
LAPSE = _typed(
    f"""
    UPDATE redemption SET state = 'lapsed'
    WHERE id = :id AND state = 'waiting' AND confirm_by <= :now {RESULT}
    """
)


def confirm_redemption(
    session: Session, *, redemption_id: int, actor: Actor, now: datetime
) -> RedemptionLine:
    """Let the member say yes: the held points go to the merchant. A repeat answers the same.

    Raises RedemptionNotFound for a foreign one as for an unknown one, MemberConfirms,
    ConfirmationOver.
    """
    found = _own(session, redemption_id, actor)
    if found.member_id != actor.member_id:
        raise MemberConfirms
    won = session.execute(CLAIM, {"id": redemption_id, "now": now}).first()
    if won is None:
        session.expire_all()
        standing = redemption_of(session, redemption_id)
        if standing.transfer_id is None:
            raise ConfirmationOver
        return standing
    try:
        posted = settle_hold(
            session,
            hold_id=won.hold_id,
            key=f"redeem:{won.number}",
            kind="spend",
            target=f"merchant:{won.merchant_id}",
            reason=reason_of(
                found.reward_name, won.quantity, found.merchant_name, found.reward_kind
            ),
            actor_id=won.clerk_id,
            now=now,
        )
    except HoldDecided as error:
        # Another server's clock is ahead: there the minute was over.
        raise ConfirmationOver from error
    values = {"transfer_id": posted.id, "balance_after": posted.balance_after}
    session.execute(COMPLETE, {"id": redemption_id, **values})
    _note(session, won, "confirm_redemption", actor.member_id, now)
    session.expire_all()
    return redemption_of(session, redemption_id)


def decline_redemption(
    session: Session, *, redemption_id: int, actor: Actor, now: datetime
) -> RedemptionLine:
    """Let the member or the counter say no: everything goes back. A repeat answers the same.

    Raises RedemptionNotFound, AlreadyConfirmed.
    """
    _own(session, redemption_id, actor)
    won = session.execute(DECLINE, {"id": redemption_id, "now": now}).first()
    if won is not None:
        _return_all(session, won, now)
        _note(session, won, "decline_redemption", actor.member_id, now)
    session.expire_all()
    standing = redemption_of(session, redemption_id)
    if standing.transfer_id is not None:
        raise AlreadyConfirmed
    return standing


def lapse_next_confirmation(session: Session, *, now: datetime) -> bool:
    """Give back what the oldest redemption took whose minute went by; False when there is none.

    One a transaction: a second one's reward would be locked after the first one's wallet. One
    that is being decided at this moment is skipped.
    """
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    due = text(CLAIM_DUE if is_postgresql else DUE).bindparams(bindparam("now", type_=Moment()))
    redemption_id = session.scalar(due, {"now": now})
    if redemption_id is None:
        return False
    won = session.execute(LAPSE, {"id": redemption_id, "now": now}).one()
    _return_all(session, won, now)
    _note(session, won, "lapse_redemption", None, now)
    return True


def _own(session: Session, redemption_id: int, actor: Actor) -> RedemptionLine:
    """Return a redemption of this member, or of the counter at which this person stands."""
    found = redemption_of(session, redemption_id)
    is_member = found.member_id == actor.member_id
    if not is_member and not may_take_points(actor, found.merchant_id):
        raise RedemptionNotFound
    return found


def _return_all(session: Session, won: Row[Any], now: datetime) -> None:
    share = Share(
        won.reward_id,
        won.merchant_id,
        won.member_id,
        won.quantity,
        won.points,
        won.period,
        won.redeemed_on,
    )
    give_back(session, share)
    try:
        void_hold(session, hold_id=won.hold_id, now=now)
    except HoldDecided:
        # The night's expiry of holds was here before: the points are free already.
        return


def _note(
    session: Session, won: Row[Any], action: str, actor_id: int | None, now: datetime
) -> None:
    note(
        session,
        at=now,
        actor_id=actor_id,
        action=action,
        subject=("redemption", won.id),
        merchant_id=won.merchant_id,
        points=won.points,
    )
