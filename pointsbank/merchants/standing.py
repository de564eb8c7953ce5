"""Whether a merchant takes points: stopped with a reason, and let return."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.merchants.clerks import clerk_ids
from pointsbank.merchants.scope import merchant_to_judge
from pointsbank.messages.service import tell_each
from pointsbank.organizations.models import Merchant


@dataclass(frozen=True)
class Standing:
    """Whether a merchant takes points, and until when. takes_until: None for no end."""

    state: str
    stopped_reason: str | None
    takes_until: date | None
    month_points_max: int | None

    def takes_points_on(self, day: date) -> bool:
        """Tell whether points are taken on a local day, as far as it is known now."""
        is_in_term = self.takes_until is None or day <= self.takes_until
        return self.state == "active" and is_in_term


def standing_of(session: Session, merchant_id: int) -> Standing:
    """Return how a merchant stands; the merchant is known to be there."""
    row = session.execute(
        select(
            Merchant.state,
            Merchant.stopped_reason,
            Merchant.takes_until,
            Merchant.month_points_max,
        ).where(Merchant.id == merchant_id)
    ).one()
    return Standing(*row)


def stop_merchant(
    session: Session, *, actor: Actor, merchant_id: int, reason: str, now: datetime
) -> None:
    """Let a merchant take no points from now on; its clerks read why. A repeat changes nothing.

    Raises MerchantNotFound, OwnMerchant.
    """
    merchant_to_judge(session, actor, merchant_id)
    if _set(session, merchant_id, "suspended", reason):
        _tell(session, actor, merchant_id, "merchant_stopped", now, reason=reason)


def let_merchant_return(
    session: Session, *, actor: Actor, merchant_id: int, now: datetime
) -> None:
    """Let a merchant take points again; a repeat changes nothing.

    Raises MerchantNotFound, OwnMerchant.
    """
    merchant_to_judge(session, actor, merchant_id)
    if _set(session, merchant_id, "active", None):
        _tell(session, actor, merchant_id, "merchant_returned", now)


def _set(session: Session, merchant_id: int, state: str, reason: str | None) -> bool:
    changed = session.execute(
        update(Merchant)
        .where(Merchant.id == merchant_id, Merchant.state != state)
        .values(state=state, stopped_reason=reason)
        .returning(Merchant.id)
        .execution_options(synchronize_session=False)
    ).scalar()
    return changed is not None


def _tell(
    session: Session, actor: Actor, merchant_id: int, kind: str, now: datetime, **facts: str
) -> None:
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action=kind,
        subject=("merchant", merchant_id),
        # The merchant's row forgets why it was stopped when it returns.
        **facts,
    )
    tell_each(
        session,
        key=f"merchant:{merchant_id}:{kind}:{now.isoformat()}",
        member_ids=clerk_ids(session, merchant_id),
        kind=kind,
        facts={"merchant_id": merchant_id, **facts},
        now=now,
    )
