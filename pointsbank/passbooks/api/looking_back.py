"""The JSON door to the balance of one's book at a past moment."""

from typing import Any

from pointsbank.core.db import reading
from pointsbank.ledger.queries import balance_at
from pointsbank.passbooks.queries import account_code
from pointsbank.passbooks.schemas import MomentQuery, PastBalanceOut
from pointsbank.web.access import current_actor, members_only
from pointsbank.web.contract import Blueprint

api = Blueprint("looking_back_api", __name__, description="What a book showed once.")


@api.get("/me/passbook/balance")
@api.arguments(MomentQuery, location="query")
@api.response(200, PastBalanceOut)
@members_only
def balance(query: dict[str, Any]) -> dict[str, Any]:
    """Tell what one's book showed at a moment, by the lines recorded until then."""
    code = account_code(current_actor().member_id)
    with reading() as session:
        return {"at": query["at"], "balance": balance_at(session, code, query["at"])}
