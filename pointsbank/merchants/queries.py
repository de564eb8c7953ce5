"""Reads of merchants: the terms of a day, their shops, who stands at their counter."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from pointsbank.merchants.errors import ShopNotFound
from pointsbank.merchants.models import (
    DEFAULT_RATE_FEN,
    SIGNED_STATES,
    Hours,
    MerchantContract,
    Shop,
    ShopHours,
)
from pointsbank.organizations.models import Merchant, Organization


@dataclass(frozen=True)
class Terms:
    """What holds for a merchant on a day. contract_id: None where no contract does.

    rate_fen: what the community pays for 100 points. month_points_max: what a calendar month
    may bring, None for no limit.
    """

    rate_fen: int
    month_points_max: int | None
    contract_id: int | None


@dataclass(frozen=True)
class ShopLine:
    """A shop with its hours and its merchant; path is that of the merchant's organization."""

    id: int
    merchant_id: int
    merchant_name: str
    merchant_state: str
    path: str
    name: str
    address: str
    telephone: str
    latitude: float | None
    longitude: float | None
    state: str
    till_handle: bytes
    added_at: datetime
    hours: tuple[Hours, ...] = ()


SHOP = (
    Shop.id,
    Shop.merchant_id,
    Merchant.name.label("merchant_name"),
    Merchant.state.label("merchant_state"),
    Organization.path,
    Shop.name,
    Shop.address,
    Shop.telephone,
    Shop.latitude,
    Shop.longitude,
    Shop.state,
    Shop.till_handle,
    Shop.added_at,
)


def terms_on(session: Session, merchant_id: int, day: date) -> Terms:
    """Return the terms of a merchant on a local day.

    Between two contracts, and after the last, the rate of the one before still holds, without a
    limit: what is voided then is counted as it was paid. Before the first the usual rate does.
    """
    latest = session.execute(
        select(
            MerchantContract.id,
            MerchantContract.rate_fen,
            MerchantContract.month_points_max,
            MerchantContract.valid_until,
        )
        .where(
            MerchantContract.merchant_id == merchant_id,
            MerchantContract.state.in_(SIGNED_STATES),
            MerchantContract.valid_from <= day,
        )
        .order_by(MerchantContract.valid_from.desc())
        .limit(1)
    ).first()
    if latest is None:
        return Terms(DEFAULT_RATE_FEN, None, None)
    if latest.valid_until < day:
        return Terms(latest.rate_fen, None, None)
    return Terms(latest.rate_fen, latest.month_points_max, latest.id)


def rate_on(session: Session, merchant_id: int, day: date) -> int:
    """Return what the community pays a merchant for 100 points of a local day, in fen."""
    return terms_on(session, merchant_id, day).rate_fen


def shops_of(
    session: Session, merchant_id: int, *, is_open_only: bool = False
) -> list[ShopLine]:
    """Return a merchant's shops with their hours, open ones first, by name."""
    statement = _shops().where(Shop.merchant_id == merchant_id)
    if is_open_only:
        statement = statement.where(Shop.state == "open")
    rows = session.execute(statement.order_by(Shop.state.desc(), Shop.name, Shop.id)).all()
    hours = hours_of(session, [row.id for row in rows])
    return [_line(row, hours) for row in rows]


def shop_of(session: Session, shop_id: int) -> ShopLine:
    """Return one shop.

    Raises ShopNotFound.
    """
    shop = _shop(session, _shops().where(Shop.id == shop_id))
    if shop is None:
        raise ShopNotFound
    return shop


def shop_with_handle(session: Session, till_handle: bytes) -> ShopLine | None:
    """Return the shop whose till has this handle, None where none has it any more."""
    return _shop(session, _shops().where(Shop.till_handle == till_handle))


def hours_of(session: Session, shop_ids: Iterable[int]) -> dict[int, tuple[Hours, ...]]:
    """Return the opening hours of these shops; those that are not known are left out."""
    found: dict[int, list[Hours]] = {}
    rows = session.execute(
        select(ShopHours.shop_id, ShopHours.weekday, ShopHours.opens, ShopHours.closes)
        .where(ShopHours.shop_id.in_(set(shop_ids)))
        .order_by(ShopHours.shop_id, ShopHours.weekday, ShopHours.opens)
    )
    for row in rows:
        found.setdefault(row.shop_id, []).append(Hours(row.weekday, row.opens, row.closes))
    return {shop_id: tuple(hours) for shop_id, hours in found.items()}


def _shops() -> Select[*tuple[Any, ...]]:
    return (
        select(*SHOP)
        .join(Merchant, Merchant.id == Shop.merchant_id)
        .join(Organization, Organization.id == Merchant.organization_id)
    )


def _shop(session: Session, statement: Select[*tuple[Any, ...]]) -> ShopLine | None:
    row = session.execute(statement).first()
    if row is None:
        return None
    return _line(row, hours_of(session, [row.id]))


def _line(row: Any, hours: dict[int, tuple[Hours, ...]]) -> ShopLine:
    return ShopLine(**row._mapping, hours=hours.get(row.id, ()))
