"""The JSON door of sealed blocks, open to everyone."""

from typing import Any

from pointsbank.core.db import reading
from pointsbank.ledger.publishing import PublicBlock, newest_published, published_block
from pointsbank.ledger.schemas import BlockOut, BlocksOut
from pointsbank.web.access import anyone
from pointsbank.web.contract import Blueprint, PageQuery, cursor_from, position_from

api = Blueprint("ledger_api", __name__, description="Roots of the sealed ledger.")


@api.get("/ledger/blocks")
@api.arguments(PageQuery, location="query")
@api.response(200, BlocksOut)
@anyone
def list_blocks(query: dict[str, Any]) -> dict[str, Any]:
    """List sealed blocks, the newest first: roots and counts."""
    limit = query["limit"]
    with reading() as session:
        found = newest_published(
            session, before_no=position_from(query.get("cursor")), limit=limit + 1
        )
    shown = found[:limit]
    return {
        "items": [item(block) for block in shown],
        "next": cursor_from(shown[-1].head.no) if len(found) > limit else None,
    }


@api.get("/ledger/blocks/<id:no>")
@api.response(200, BlockOut)
@anyone
def read_block(no: int) -> dict[str, Any]:
    """Return the root and the counts of one block."""
    with reading() as session:
        return item(published_block(session, no))


def item(block: PublicBlock) -> dict[str, Any]:
    """Return a block as the contract has it."""
    return {**block.as_root(), "previous_hash": block.head.previous_hash.hex()}
