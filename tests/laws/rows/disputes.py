"""Who may dispute a line, answer a dispute, and take a line back."""

import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.ledger.models import Account, Wallet
from pointsbank.passbooks.disputing import open_dispute
from tests.builders import points_for
from tests.laws.doors import (
    ADMINISTRATOR,
    MEMBERS,
    READERS,
    Row,
    asking,
    door,
    fields,
    form,
    keyed,
)
from tests.laws.world import COMMUNITY, MINE, Kind, Made, World, make_member
from tests.moments import NOON


def make_line(session: Session, _world: World, _place: str, actor: int, _made: Made) -> int:
    """A new line in the book of whoever acts."""
    points_for(session, actor, 20, f"award:test:{secrets.token_hex(8)}")
    line = session.scalar(
        select(Wallet.seq)
        .join(Account, Account.id == Wallet.account_id)
        .where(Account.code == f"member:{actor}")
    )
    assert line is not None
    return line


def make_transfer(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """An award to a member of a place."""
    member_id = make_member(session, world, place, actor, made)
    return points_for(session, member_id, 20, f"award:test:{secrets.token_hex(8)}")


def make_dispute(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """A dispute of a member of a place."""
    return open_dispute(
        session,
        member_id=make_member(session, world, place, actor, made),
        line=1,
        reason="我没有参加",
        today=NOON.date(),
        now=NOON,
    ).id


LINE = Kind(MINE, make_line)
TRANSFER = Kind(COMMUNITY, make_transfer)
DISPUTE = Kind(COMMUNITY, make_dispute)

ROWS: list[Row] = [
    door(
        "POST",
        "/api/v1/me/passbook/<id:line>/disputes",
        MEMBERS,
        fields(reason="我没有参加"),
        line=LINE,
    ),
    door("GET", "/api/v1/disputes", READERS, asking(state="open")),
    door(
        "POST",
        "/api/v1/disputes/<id:dispute_id>/answer",
        READERS,
        fields(decision="uphold"),
        dispute_id=DISPUTE,
    ),
    door(
        "POST",
        "/api/v1/transfers/<id:transfer_id>/reversal",
        ADMINISTRATOR,
        keyed(reason="记错了人"),
        transfer_id=TRANSFER,
    ),
    door("GET", "/passbook/<id:line>/disputes", MEMBERS, line=LINE),
    door("POST", "/passbook/<id:line>/disputes", MEMBERS, form(reason="不对"), line=LINE),
    door("GET", "/disputes", READERS),
    door("GET", "/disputes/<id:dispute_id>", READERS, dispute_id=DISPUTE),
    door(
        "POST",
        "/disputes/<id:dispute_id>/answer",
        READERS,
        form(decision="reject", reason="核对无误"),
        dispute_id=DISPUTE,
    ),
]
