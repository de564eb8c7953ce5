"""Reads of a merchant's shops."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.merchants.models import Shop


def shops_of(session: Session, merchant_id: int) -> list[Shop]:
    """Return a merchant's shops, open ones first, by name."""
    return list(
        session.scalars(
            select(Shop)
            .where(Shop.merchant_id == merchant_id)
            .order_by(Shop.state.desc(), Shop.name)
        )
    )
