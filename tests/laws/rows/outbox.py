"""Who may read the outbox and look after webhooks: only who stands over everything."""

from sqlalchemy.orm import Session

from pointsbank.core.keys import draw_bytes
from pointsbank.outbox.models import SALT_BYTES, Webhook
from tests.laws.doors import Row, asking, door, fields, form
from tests.laws.world import SHARED, Kind, Made, World
from tests.moments import NOON

# Administrators and auditors of a part are turned away like everybody else.
WHOLE = ("first administrator",)
# A number, so that nobody is asked for a name.
URL = "https://1.1.1.1/hooks"


def make_webhook(session: Session, world: World, _place: str, _actor: int, _made: Made) -> int:
    """A webhook that was never sent anything; more are made than anybody may add."""
    webhook = Webhook(
        name="区平台",
        url=URL,
        salt=draw_bytes(SALT_BYTES),
        created_by_id=world.people["first administrator"],
        created_at=NOON,
    )
    session.add(webhook)
    session.flush()
    return webhook.id


WEBHOOK = Kind(SHARED, make_webhook)

ROWS: list[Row] = [
    door("GET", "/api/v1/outbox", WHOLE, asking(after="0", limit="10")),
    door("GET", "/api/v1/webhooks", WHOLE),
    door("POST", "/api/v1/webhooks", WHOLE, fields(name="区平台", url=URL)),
    door("GET", "/api/v1/webhooks/<id:webhook_id>", WHOLE, webhook_id=WEBHOOK),
    door(
        "PATCH",
        "/api/v1/webhooks/<id:webhook_id>",
        WHOLE,
        fields(state="paused"),
        webhook_id=WEBHOOK,
    ),
    door("DELETE", "/api/v1/webhooks/<id:webhook_id>", WHOLE, webhook_id=WEBHOOK),
    door("POST", "/api/v1/webhooks/<id:webhook_id>/secret", WHOLE, webhook_id=WEBHOOK),
    door(
        "POST",
        "/api/v1/webhooks/<id:webhook_id>/resending",
        WHOLE,
        fields(after=0),
        webhook_id=WEBHOOK,
    ),
    door("GET", "/api/v1/webhooks/<id:webhook_id>/tries", WHOLE, webhook_id=WEBHOOK),
    door("GET", "/webhooks", WHOLE),
    door("GET", "/webhooks/new", WHOLE),
    door("POST", "/webhooks/new", WHOLE, form(name="区平台", url=URL)),
    door("GET", "/webhooks/<id:webhook_id>", WHOLE, webhook_id=WEBHOOK),
    door(
        "POST",
        "/webhooks/<id:webhook_id>/state",
        WHOLE,
        form(state="paused"),
        webhook_id=WEBHOOK,
    ),
    door("POST", "/webhooks/<id:webhook_id>/secret", WHOLE, webhook_id=WEBHOOK),
    door(
        "POST",
        "/webhooks/<id:webhook_id>/resending",
        WHOLE,
        form(after="0"),
        webhook_id=WEBHOOK,
    ),
    door("POST", "/webhooks/<id:webhook_id>/removal", WHOLE, webhook_id=WEBHOOK),
]
