"""The JSON door of merchants' terms: contracts, standing, clerks."""

from typing import Any

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, transaction
from pointsbank.merchants.clerks import clerks_of
from pointsbank.merchants.contracting import (
    NewContract,
    decide_contract,
    end_contract,
    propose_contract,
)
from pointsbank.merchants.contracts import contract_of, contracts_of
from pointsbank.merchants.errors import ReasonMissing
from pointsbank.merchants.queries import terms_on
from pointsbank.merchants.schemas import (
    ClerksOut,
    ContractDecision,
    ContractEnd,
    ContractOut,
    ContractsOut,
    MerchantFileOut,
    MerchantState,
    NewContractBody,
    clerk_out,
    contract_out,
)
from pointsbank.merchants.scope import merchant_to_see
from pointsbank.merchants.standing import let_merchant_return, standing_of, stop_merchant
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import Blueprint
from pointsbank.web.forms import settings

api = Blueprint("merchant_contracts_api", __name__, description="The terms of merchants.")

VIEWERS = ("administrator", "clerk", "auditor")


@api.get("/merchants/<id:merchant_id>")
@api.response(200, MerchantFileOut)
@roles_only(*VIEWERS)
def show_merchant(merchant_id: int) -> dict[str, Any]:
    """Show how a merchant stands today, and on which terms."""
    return file_of(merchant_id)


def file_of(merchant_id: int) -> dict[str, Any]:
    """Return a merchant as those see it who may look at its terms."""
    today = local_day(clock.now(), settings().zone)
    with reading() as session:
        merchant = merchant_to_see(session, current_actor(), merchant_id)
        standing = standing_of(session, merchant_id)
        terms = terms_on(session, merchant_id, today)
    return {
        "id": merchant.id,
        "name": merchant.name,
        "kind": merchant.kind,
        "organization_name": merchant.organization_name,
        **vars(standing),
        **vars(terms),
        "takes_points": standing.takes_points_on(today),
    }


@api.post("/merchants/<id:merchant_id>/state")
@api.arguments(MerchantState)
@api.response(200, MerchantFileOut)
@roles_only("administrator")
def set_state(body: dict[str, Any], merchant_id: int) -> dict[str, Any]:
    """Stop a merchant with a reason, or let it take points again."""
    actor, now = current_actor(), clock.now()
    with transaction() as session:
        if body["state"] == "active":
            let_merchant_return(session, actor=actor, merchant_id=merchant_id, now=now)
        else:
            if "reason" not in body:
                raise ReasonMissing
            stop_merchant(
                session,
                actor=actor,
                merchant_id=merchant_id,
                reason=body["reason"],
                now=now,
            )
    return file_of(merchant_id)


@api.get("/merchants/<id:merchant_id>/contracts")
@api.response(200, ContractsOut)
@roles_only(*VIEWERS)
def list_contracts(merchant_id: int) -> dict[str, Any]:
    """List every contract of a merchant, the latest first."""
    with reading() as session:
        merchant_to_see(session, current_actor(), merchant_id)
        return {"items": [contract_out(line) for line in contracts_of(session, merchant_id)]}


@api.post("/merchants/<id:merchant_id>/contracts")
@api.arguments(NewContractBody)
@api.response(201, ContractOut)
@roles_only("administrator")
def propose(body: dict[str, Any], merchant_id: int) -> dict[str, Any]:
    """Propose a contract that a second administrator signs."""
    now = clock.now()
    with transaction() as session:
        contract_id = propose_contract(
            session,
            actor=current_actor(),
            merchant_id=merchant_id,
            contract=NewContract(**body),
            today=local_day(now, settings().zone),
            now=now,
        )
        return contract_out(contract_of(session, contract_id))


@api.post("/merchant-contracts/<id:contract_id>/decision")
@api.arguments(ContractDecision)
@api.response(200, ContractOut)
@roles_only("administrator")
def decide(body: dict[str, Any], contract_id: int) -> dict[str, Any]:
    """Sign or refuse a contract that another administrator proposed."""
    now = clock.now()
    with transaction() as session:
        line = decide_contract(
            session,
            actor=current_actor(),
            contract_id=contract_id,
            is_signed=body["decision"] == "approve",
            today=local_day(now, settings().zone),
            now=now,
        )
    return contract_out(line)


@api.post("/merchant-contracts/<id:contract_id>/end")
@api.arguments(ContractEnd)
@api.response(200, ContractOut)
@roles_only("administrator")
def end(body: dict[str, Any], contract_id: int) -> dict[str, Any]:
    """End a contract early."""
    now = clock.now()
    with transaction() as session:
        line = end_contract(
            session,
            actor=current_actor(),
            contract_id=contract_id,
            last_on=body["last_on"],
            today=local_day(now, settings().zone),
            now=now,
        )
    return contract_out(line)


@api.get("/merchants/<id:merchant_id>/clerks")
@api.response(200, ClerksOut)
@roles_only(*VIEWERS)
def list_clerks(merchant_id: int) -> dict[str, Any]:
    """List who stands at a merchant's counter."""
    with reading() as session:
        merchant_to_see(session, current_actor(), merchant_id)
        return {"items": [clerk_out(clerk) for clerk in clerks_of(session, merchant_id)]}
