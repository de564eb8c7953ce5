"""The JSON door: the sealed transfers in order, and webhooks."""

from typing import Any

from pointsbank.core import clock
from pointsbank.core.db import reading, transaction
from pointsbank.core.keys import draw_bytes
from pointsbank.outbox.addresses import reach_of
from pointsbank.outbox.models import SALT_BYTES
from pointsbank.outbox.queries import (
    check_whole,
    entries_after,
    tries_of,
    webhook_line,
    webhooks_after,
)
from pointsbank.outbox.schemas import (
    Again,
    NewWebhook,
    OutboxOut,
    OutboxQuery,
    SecretOut,
    TriesOut,
    WebhookAdded,
    WebhookChange,
    WebhookOut,
    WebhooksOut,
)
from pointsbank.outbox.service import (
    add_webhook,
    change_secret,
    change_state,
    check_address,
    remove_webhook,
    send_again,
)
from pointsbank.outbox.signing import secret_of, shown
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import Blueprint, PageQuery, cursor_from, position_from
from pointsbank.web.forms import settings

api = Blueprint("outbox_api", __name__, description="What other systems read.")


@api.get("/outbox")
@api.arguments(OutboxQuery, location="query")
@api.response(200, OutboxOut)
@roles_only("administrator", "auditor")
def read_outbox(query: dict[str, Any]) -> dict[str, Any]:
    """Read sealed transfers in order, each position once."""
    after = query["after"]
    with reading() as session:
        check_whole(session, current_actor(), "administrator", "auditor")
        entries = entries_after(session, after, limit=query["limit"])
    return {"items": entries, "next": entries[-1].position if entries else after}


@api.get("/webhooks")
@api.arguments(PageQuery, location="query")
@api.response(200, WebhooksOut)
@roles_only("administrator")
def list_webhooks(query: dict[str, Any]) -> dict[str, Any]:
    """List the webhooks."""
    limit = query["limit"]
    with reading() as session:
        check_whole(session, current_actor(), "administrator")
        found = webhooks_after(
            session, position_from(query.get("cursor")) or 0, limit=limit + 1
        )
    return {
        "items": found[:limit],
        "next": cursor_from(found[limit - 1].id) if len(found) > limit else None,
    }


@api.post("/webhooks")
@api.arguments(NewWebhook)
@api.response(201, WebhookAdded)
@roles_only("administrator")
def new_webhook(body: dict[str, Any]) -> dict[str, Any]:
    """Add a webhook; its secret is answered this once."""
    actor, salt = current_actor(), draw_bytes(SALT_BYTES)
    with reading() as session:
        check_whole(session, actor, "administrator")
    # Looking a name up may take seconds, so it is done while no transaction is open.
    check_address(body["url"], reach_of(is_production=settings().is_production))
    with transaction() as session:
        webhook_id = add_webhook(session, actor=actor, **body, salt=salt, now=clock.now())
        line = webhook_line(session, webhook_id)
    return {**vars(line), "secret": shown(secret_of(settings().secret_key, salt))}


@api.get("/webhooks/<id:webhook_id>")
@api.response(200, WebhookOut)
@roles_only("administrator")
def show_webhook(webhook_id: int) -> Any:
    """Show one webhook."""
    with reading() as session:
        check_whole(session, current_actor(), "administrator")
        return webhook_line(session, webhook_id)


@api.patch("/webhooks/<id:webhook_id>")
@api.arguments(WebhookChange)
@api.response(200, WebhookOut)
@roles_only("administrator")
def change_webhook(body: dict[str, Any], webhook_id: int) -> Any:
    """Pause a webhook, or let it go on."""
    with transaction() as session:
        change_state(
            session,
            actor=current_actor(),
            webhook_id=webhook_id,
            state=body["state"],
            now=clock.now(),
        )
        return webhook_line(session, webhook_id)


@api.delete("/webhooks/<id:webhook_id>")
@api.response(204)
@roles_only("administrator")
def take_webhook(webhook_id: int) -> None:
    """Remove a webhook with its tries."""
    with transaction() as session:
        remove_webhook(session, actor=current_actor(), webhook_id=webhook_id, now=clock.now())


@api.post("/webhooks/<id:webhook_id>/secret")
@api.response(201, SecretOut)
@roles_only("administrator")
def new_secret(webhook_id: int) -> dict[str, Any]:
    """Give a webhook a new secret, answered this once."""
    salt = draw_bytes(SALT_BYTES)
    with transaction() as session:
        until = change_secret(
            session,
            actor=current_actor(),
            webhook_id=webhook_id,
            salt=salt,
            now=clock.now(),
        )
    return {
        "secret": shown(secret_of(settings().secret_key, salt)),
        "previous_until": until,
    }


@api.post("/webhooks/<id:webhook_id>/resending")
@api.arguments(Again)
@api.response(200, WebhookOut)
@roles_only("administrator")
def resend(body: dict[str, Any], webhook_id: int) -> Any:
    """Send everything behind a position once more."""
    with transaction() as session:
        send_again(
            session,
            actor=current_actor(),
            webhook_id=webhook_id,
            after=body["after"],
            now=clock.now(),
        )
        return webhook_line(session, webhook_id)


@api.get("/webhooks/<id:webhook_id>/tries")
@api.arguments(PageQuery, location="query")
@api.response(200, TriesOut)
@roles_only("administrator")
def list_tries(query: dict[str, Any], webhook_id: int) -> dict[str, Any]:
    """List the newest tries of a webhook."""
    limit, before = query["limit"], position_from(query.get("cursor"))
    with reading() as session:
        check_whole(session, current_actor(), "administrator")
        webhook_line(session, webhook_id)
        found = tries_of(session, webhook_id, before_id=before, limit=limit + 1)
    return {
        "items": found[:limit],
        "next": cursor_from(found[limit - 1].id) if len(found) > limit else None,
    }
