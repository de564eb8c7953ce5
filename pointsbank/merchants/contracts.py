"""Reads of contracts, and what of them stands at the merchant itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from pointsbank.merchants.errors import ContractNotFound
from pointsbank.merchants.models import SIGNED_STATES, MerchantContract
from pointsbank.organizations.models import Merchant, Organization

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class ContractLine:
    """A contract; both of its days are in it. path is that of the merchant's organization."""

    id: int
    merchant_id: int
    path: str
    reference: str
    valid_from: date
    valid_until: date
    rate_fen: int
    month_points_max: int | None
    state: str
    proposed_by_id: int
    proposed_at: datetime
    decided_by_id: int | None
    decided_at: datetime | None


@dataclass(frozen=True)
class Copied:
    """The terms as they are copied to a merchant: its last day, and what a month may bring."""

    takes_until: date | None
    month_points_max: int | None


def contracts_of(session: Session, merchant_id: int) -> list[ContractLine]:
    """Return every contract of a merchant, the latest first."""
    rows = session.execute(
        _contracts()
        .where(MerchantContract.merchant_id == merchant_id)
        .order_by(MerchantContract.valid_from.desc(), MerchantContract.id.desc())
    )
    return [ContractLine(**row._mapping) for row in rows]


def contract_of(session: Session, contract_id: int) -> ContractLine:
    """Return one contract.

    Raises ContractNotFound.
    """
    row = session.execute(_contracts().where(MerchantContract.id == contract_id)).first()
    if row is None:
        raise ContractNotFound
    return ContractLine(**row._mapping)


def copied_terms(contracts: Sequence[ContractLine], today: date) -> Copied:
    """Return what a merchant's contracts say for today.

    Contracts that follow each other without a gap count as one for the last day, so that
    nobody is turned away at midnight. Before the first contract there is no end and no limit.
    """
    signed = sorted(
        (each for each in contracts if each.state in SIGNED_STATES),
        key=lambda each: each.valid_from,
    )
    begun = [each for each in signed if each.valid_from <= today]
    if not begun:
        return Copied(None, None)
    until = begun[-1].valid_until
    if until < today:
        return Copied(until, begun[-1].month_points_max)
    for each in signed[len(begun) :]:
        if each.valid_from != until + ONE_DAY:
            break
        until = each.valid_until
    return Copied(until, begun[-1].month_points_max)


def _contracts() -> Select[*tuple[Any, ...]]:
    return (
        select(
            MerchantContract.id,
            MerchantContract.merchant_id,
            Organization.path,
            MerchantContract.reference,
            MerchantContract.valid_from,
            MerchantContract.valid_until,
            MerchantContract.rate_fen,
            MerchantContract.month_points_max,
            MerchantContract.state,
            MerchantContract.proposed_by_id,
            MerchantContract.proposed_at,
            MerchantContract.decided_by_id,
            MerchantContract.decided_at,
        )
        .join(Merchant, Merchant.id == MerchantContract.merchant_id)
        .join(Organization, Organization.id == Merchant.organization_id)
    )
