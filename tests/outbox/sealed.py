"""Sealed transfers, webhooks, and who may see them."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.keys import draw_bytes
from pointsbank.ledger.sealing import seal
from pointsbank.outbox.models import CLAIM_BYTES, SALT_BYTES, Webhook
from pointsbank.outbox.service import add_webhook
from tests.builders import a_member, points_for, with_role
from tests.moments import NOON

URL = "https://receiver.example/hooks"


def some_transfers(session: Session, count: int, member_id: int | None = None) -> list[int]:
    """Post so many transfers to a member, and return their ids."""
    member = member_id if member_id is not None else a_member(session)
    return [
        points_for(session, member, 5, f"award:{draw_bytes(8).hex()}") for _ in range(count)
    ]


def sealed(session: Session, *counts: int) -> list[int]:
    """Post and seal blocks of so many transfers each; return the ids in their order."""
    member_id = a_member(session)
    ids = []
    for count in counts:
        ids += some_transfers(session, count, member_id)
        assert seal(session, now=NOON, salt=draw_bytes(32)) == count
    return ids


def whole(session: Session) -> Actor:
    """Return an administrator of everything."""
    member_id = with_role(session, a_member(session), "administrator")
    return Actor(member_id, "管理员", 0, 0, (Grant("administrator", "/"),))


def a_webhook(
    session: Session, url: str = URL, after: int = 0, name: str = "区平台", now: datetime = NOON
) -> int:
    """Return a new webhook's id."""
    return add_webhook(
        session,
        actor=whole(session),
        name=name,
        url=url,
        after=after,
        salt=draw_bytes(SALT_BYTES),
        now=now,
    )


def a_claim() -> bytes:
    """Return the mark of a turn."""
    return draw_bytes(CLAIM_BYTES)


def webhook_row(session: Session, webhook_id: int) -> Webhook:
    """Return a webhook's row as it stands in the database now."""
    return session.scalars(
        select(Webhook)
        .where(Webhook.id == webhook_id)
        .execution_options(populate_existing=True)
    ).one()
