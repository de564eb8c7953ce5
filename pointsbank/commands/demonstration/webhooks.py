"""A webhook of the demonstration: paused, so that nothing is ever sent from it."""

from datetime import datetime, timedelta

from pointsbank.commands.demonstration.people import District
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import transaction
from pointsbank.core.keys import draw_bytes
from pointsbank.outbox.models import SALT_BYTES
from pointsbank.outbox.service import add_webhook, change_state

# A name that nobody can register (RFC 2606).
URL = "https://data.example.org/pointsbank"
AGO = timedelta(days=20)


def make_webhooks(district: District, *, now: datetime) -> None:
    """Let the administrator add a webhook and pause it before anything was sent."""
    administrator = Actor(
        district.administrator_id, "管理员", 0, 0, (Grant("administrator", "/"),)
    )
    with transaction() as session:
        webhook_id = add_webhook(
            session,
            actor=administrator,
            name="区数据平台",
            url=URL,
            after=0,
            salt=draw_bytes(SALT_BYTES),
            now=now - AGO,
        )
        change_state(
            session, actor=administrator, webhook_id=webhook_id, state="paused", now=now - AGO
        )
