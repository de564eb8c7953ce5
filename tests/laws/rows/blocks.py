"""Who may see the roots of blocks: everyone."""

import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.core.keys import draw_bytes
from pointsbank.ledger.models import Block
from pointsbank.ledger.sealing import seal
from tests.builders import points_for
from tests.laws.doors import ANYONE, Row, door
from tests.laws.world import SHARED, Kind, Made, World
from tests.moments import NOON


def make_block(session: Session, _world: World, _place: str, actor: int, _made: Made) -> int:
    """A block with at least one new line."""
    points_for(session, actor, 20, f"award:test:{secrets.token_hex(8)}")
    seal(session, now=NOON, salt=draw_bytes(32))
    no = session.scalar(select(Block.no).order_by(Block.no.desc()).limit(1))
    assert no is not None
    return no


BLOCK = Kind(SHARED, make_block)

ROWS: list[Row] = [
    door("GET", "/api/v1/ledger/blocks", ANYONE),
    door("GET", "/api/v1/ledger/blocks/<id:no>", ANYONE, no=BLOCK),
    door("GET", "/ledger/blocks", ANYONE),
    door("GET", "/ledger/blocks/<id:no>", ANYONE, no=BLOCK),
    door("GET", "/ledger/roots.json", ANYONE),
    door("GET", "/ledger/verify_statement.py", ANYONE),
]
