"""Voiding a redemption: points, stock and share go back, once."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.db import Moment
from pointsbank.ledger.service import reverse
from pointsbank.rewards.errors import NotForOneself, RedemptionNotFound, VoidNotAllowed
from pointsbank.rewards.models import STOCK_MAX
from pointsbank.rewards.policy import may_offer, may_void
from pointsbank.rewards.queries import RedemptionLine, redemption_of
from pointsbank.rewards.redeeming import reason_of

# The guard: of any number of voids at once one changes the row, the others find it voided.
VOID = text(
    """
    UPDATE redemption SET state = 'voided', voided_at = :now, voided_by_id = :actor_id,
                          void_reason = :reason, voided_quantity = quantity
    WHERE id = :id AND state = 'completed'
    RETURNING period
    """
).bindparams(bindparam("now", type_=Moment()))

# A merchant may have filled the shelf to its bound meanwhile; the bound holds.
RETURN_STOCK = text(
    f"""
    UPDATE reward SET stock = CASE WHEN stock + :quantity > {STOCK_MAX} THEN {STOCK_MAX}
                                   ELSE stock + :quantity END
    WHERE id = :reward_id
    """
)

RETURN_SHARE = text(
    """
    UPDATE reward_taken SET quantity = quantity - :quantity
    WHERE reward_id = :reward_id AND member_id = :member_id AND period = :period
    """
)


@dataclass(frozen=True)
class Voided:
    """A redemption that was taken back, and the member's balance right after that."""

    redemption: RedemptionLine
    balance_after: int


def void_redemption(
    session: Session,
    *,
    redemption_id: int,
    actor: Actor,
    reason: str | None,
    today: date,
    now: datetime,
) -> Voided:
    """Take a redemption back; a repeat changes nothing and answers the same.

    Raises RedemptionNotFound for a foreign one as for an unknown one, VoidNotAllowed,
    NotForOneself.
    """
    found = redemption_of(session, redemption_id)
    if not may_offer(actor, found.merchant_id, found.path):
        raise RedemptionNotFound
    if not may_void(
        actor,
        clerk_id=found.clerk_id,
        redeemed_on=found.redeemed_on,
        merchant_id=found.merchant_id,
        path=found.path,
        today=today,
    ):
        raise VoidNotAllowed
    if found.member_id == actor.member_id:
        raise NotForOneself
    if found.transfer_id is None:
        raise RedemptionNotFound
    values = {
        "id": redemption_id,
        "now": now,
        "actor_id": actor.member_id,
        "reason": reason,
        "reward_id": found.reward_id,
        "member_id": found.member_id,
        "quantity": found.quantity,
    }
    voided = session.execute(VOID, values).first()
    if voided is not None:
        session.execute(RETURN_STOCK, values)
        session.execute(RETURN_SHARE, {**values, "period": voided.period})
        note(
            session,
            at=now,
            actor_id=actor.member_id,
            action="void",
            subject=("redemption", redemption_id),
            points=found.points,
        )
    returned = reverse(
        session,
        transfer_id=found.transfer_id,
        key=f"void:{redemption_id}",
        reason=reason_of(found.reward_name, found.quantity, found.merchant_name),
        actor_id=actor.member_id,
        today=today,
        now=now,
    )
    session.expire_all()
    return Voided(redemption_of(session, redemption_id), returned.balance_after)
