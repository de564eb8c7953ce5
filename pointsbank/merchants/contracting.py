"""Contracts: proposed by one administrator, signed by another, ended, copied each night."""

from dataclasses import dataclass
from datetime import MAXYEAR, date, datetime, timedelta

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.members.queries import role_holders_over
from pointsbank.merchants.clerks import clerk_ids
from pointsbank.merchants.contracts import (
    ContractLine,
    contract_of,
    contracts_of,
    copied_terms,
)
from pointsbank.merchants.errors import (
    BadLastDay,
    BadTerm,
    ContractDecided,
    ContractNotFound,
    ContractNotInForce,
    ContractOverlaps,
    OwnMerchant,
    SecondPersonNeeded,
)
from pointsbank.merchants.models import SIGNED_STATES, MerchantContract
from pointsbank.merchants.policy import may_rule, works_at
from pointsbank.merchants.scope import lock_merchant, merchant_to_judge
from pointsbank.messages.service import tell_each
from pointsbank.organizations.models import Merchant, Organization

YEARS_MAX = 10
LEAP_DAY = (2, 29)
# So long before the last day both sides are told, so that a new contract is signed in time.
TOLD_DAYS = 30


@dataclass(frozen=True)
class NewContract:
    """Terms to be signed; both days are in it. rate_fen: for 100 points."""

    reference: str
    valid_from: date
    valid_until: date
    rate_fen: int
    month_points_max: int | None = None


def propose_contract(
    session: Session,
    *,
    actor: Actor,
    merchant_id: int,
    contract: NewContract,
    today: date,
    now: datetime,
) -> int:
    """Keep a contract that a second administrator has to sign, and return its id.

    It may begin in the running month already, which is not settled yet, and not before.
    Raises MerchantNotFound, OwnMerchant, BadTerm, ContractOverlaps.
    """
    merchant = merchant_to_judge(session, actor, merchant_id)
    _judge(session, merchant_id, contract.valid_from, contract.valid_until, today)
    contract_id = session.execute(
        insert(MerchantContract)
        .values(
            merchant_id=merchant_id,
            **vars(contract),
            state="proposed",
            proposed_by_id=actor.member_id,
            proposed_at=now,
        )
        .returning(MerchantContract.id)
    ).scalar_one()
    _note(session, actor.member_id, "propose_contract", contract_id, now)
    deciders = set(role_holders_over(session, merchant.path, ("administrator",)))
    tell_each(
        session,
        key=f"contract:{contract_id}:proposed",
        member_ids=deciders - {actor.member_id},
        kind="contract_proposed",
        facts={"shop": merchant.name, "merchant_id": merchant_id},
        now=now,
    )
    return contract_id


def decide_contract(
    session: Session,
    *,
    actor: Actor,
    contract_id: int,
    is_signed: bool,
    today: date,
    now: datetime,
) -> ContractLine:
    """Sign or refuse a contract that another administrator proposed, and return it.

    Signing copies the terms to the merchant at once.
    Raises ContractNotFound, OwnMerchant, SecondPersonNeeded, ContractDecided, BadTerm,
    ContractOverlaps.
    """
    line = _locked(session, actor, contract_id)
    if line.proposed_by_id == actor.member_id:
        raise SecondPersonNeeded
    if line.state != "proposed":
        raise ContractDecided
    if is_signed:
        _judge(session, line.merchant_id, line.valid_from, line.valid_until, today)
    session.execute(
        update(MerchantContract)
        .where(MerchantContract.id == contract_id)
        .values(
            state="in_force" if is_signed else "refused",
            decided_by_id=actor.member_id,
            decided_at=now,
        )
    )
    action = "sign_contract" if is_signed else "refuse_contract"
    _note(session, actor.member_id, action, contract_id, now)
    copy_terms(session, line.merchant_id, today)
    if is_signed:
        _tell_clerks(session, line, "contract_signed", now)
    return contract_of(session, contract_id)


def end_contract(
    session: Session,
    *,
    actor: Actor,
    contract_id: int,
    last_on: date,
    today: date,
    now: datetime,
) -> ContractLine:
    """End a contract early with this last day and return it; one that has not begun is dropped.

    last_on: today at the earliest, and before the day that the contract says.
    Raises ContractNotFound, OwnMerchant, ContractNotInForce, BadLastDay.
    """
    line = _locked(session, actor, contract_id)
    if line.state != "in_force" or line.valid_until < today:
        raise ContractNotInForce
    if not today <= last_on < line.valid_until:
        raise BadLastDay(before=line.valid_until.isoformat())
    has_begun = line.valid_from <= last_on
    session.execute(
        update(MerchantContract)
        .where(MerchantContract.id == contract_id)
        .values(**({"valid_until": last_on} if has_begun else {"state": "refused"}))
    )
    _note(
        session, actor.member_id, "end_contract", contract_id, now, last_on=last_on.isoformat()
    )
    copy_terms(session, line.merchant_id, today)
    _tell_clerks(session, line, "contract_ended", now, last_on=last_on.isoformat())
    return contract_of(session, contract_id)


def copy_terms(session: Session, merchant_id: int, today: date) -> bool:
    """Copy what the contracts say today to the merchant; tell whether anything changed.

    The till and the catalogue read the copy, since they cannot look a contract up each time.
    """
    copied = copied_terms(contracts_of(session, merchant_id), today)
    changed = session.execute(
        update(Merchant)
        .where(
            Merchant.id == merchant_id,
            Merchant.takes_until.is_distinct_from(copied.takes_until)
            | Merchant.month_points_max.is_distinct_from(copied.month_points_max),
        )
        .values(**vars(copied))
        .returning(Merchant.id)
        .execution_options(synchronize_session=False)
    ).scalar()
    return changed is not None


def keep_terms(session: Session, *, today: date, now: datetime) -> int:
    """Do what a new day asks for and return how much: end contracts that are over, copy the
    terms of those that begin, tell of those that end within 30 days.
    """
    ended = session.scalars(
        update(MerchantContract)
        .where(MerchantContract.state == "in_force", MerchantContract.valid_until < today)
        .values(state="ended")
        .returning(MerchantContract.id)
        .execution_options(synchronize_session=False)
    ).all()
    signed = session.scalars(
        select(MerchantContract.merchant_id)
        .where(MerchantContract.state.in_(SIGNED_STATES))
        .distinct()
        .order_by(MerchantContract.merchant_id)
    ).all()
    changed = sum(copy_terms(session, merchant_id, today) for merchant_id in signed)
    return len(ended) + changed + _tell_of_ends(session, today, now)


def _tell_of_ends(session: Session, today: date, now: datetime) -> int:
    rows = session.execute(
        select(Merchant.id, Merchant.name, Merchant.takes_until, Organization.path)
        .join(Organization, Organization.id == Merchant.organization_id)
        .where(Merchant.takes_until.between(today, today + timedelta(days=TOLD_DAYS)))
        .order_by(Merchant.id)
    )
    return sum(
        tell_each(
            session,
            key=f"contract_ends:{row.id}:{row.takes_until.isoformat()}",
            member_ids=[
                *role_holders_over(session, row.path, ("administrator",)),
                *clerk_ids(session, row.id),
            ],
            kind="contract_ends",
            facts={
                "shop": row.name,
                "ends_on": row.takes_until.isoformat(),
                "merchant_id": row.id,
            },
            now=now,
        )
        for row in rows.all()
    )


def _locked(session: Session, actor: Actor, contract_id: int) -> ContractLine:
    line = contract_of(session, contract_id)
    if not may_rule(actor, line.path):
        raise ContractNotFound
    if works_at(actor, line.merchant_id):
        raise OwnMerchant
    lock_merchant(session, line.merchant_id)
    return contract_of(session, contract_id)


def _judge(
    session: Session, merchant_id: int, valid_from: date, valid_until: date, today: date
) -> None:
    """Raise BadTerm, ContractOverlaps for days that cannot be signed today."""
    lock_merchant(session, merchant_id)
    earliest = today.replace(day=1)
    is_ordered = earliest <= valid_from <= valid_until and today <= valid_until
    if not is_ordered or valid_until >= years_after(valid_from, YEARS_MAX):
        raise BadTerm(earliest=earliest.isoformat())
    other = session.execute(
        select(MerchantContract.valid_from, MerchantContract.valid_until)
        .where(
            MerchantContract.merchant_id == merchant_id,
            MerchantContract.state.in_(SIGNED_STATES),
            MerchantContract.valid_from <= valid_until,
            MerchantContract.valid_until >= valid_from,
        )
        .order_by(MerchantContract.valid_from)
        .limit(1)
    ).first()
    if other is not None:
        raise ContractOverlaps(
            valid_from=other.valid_from.isoformat(), valid_until=other.valid_until.isoformat()
        )


def years_after(day: date, years: int) -> date:
    """Return the same day some years later; of a 29 February the next day, the last of all days
    where the calendar ends.
    """
    if day.year + years > MAXYEAR:
        return date.max
    if (day.month, day.day) == LEAP_DAY:
        return date(day.year + years, 3, 1)
    return day.replace(year=day.year + years)


def _tell_clerks(
    session: Session, line: ContractLine, kind: str, now: datetime, **facts: str
) -> None:
    tell_each(
        session,
        key=f"contract:{line.id}:{kind}:{now.isoformat()}",
        member_ids=clerk_ids(session, line.merchant_id),
        kind=kind,
        facts={"merchant_id": line.merchant_id, **facts},
        now=now,
    )


def _note(
    session: Session,
    actor_id: int,
    action: str,
    contract_id: int,
    now: datetime,
    **facts: object,
) -> None:
    note(
        session,
        at=now,
        actor_id=actor_id,
        action=action,
        subject=("merchant_contract", contract_id),
        **facts,
    )
