"""Writes of webhooks: add, pause, resume, give a new secret, send again, remove."""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.outbox.addresses import Reach
from pointsbank.outbox.errors import PositionAhead, TooManyWebhooks, WebhookNotFound
from pointsbank.outbox.models import CLAIM_BYTES, Webhook, WebhookTry
from pointsbank.outbox.queries import check_whole, newest_position

# Each is called once a minute at most; so many fit into the scheduler's time for them.
WEBHOOKS_MAX = 20
# How long the secret before the newest signs too.
CHANGE_OVER = timedelta(hours=24)
ADMINISTRATOR = "administrator"
# Takes a turn from whoever has it, so that nothing of it is recorded any more.
NOBODYS_CLAIM = bytes(CLAIM_BYTES)


def check_address(url: str, reach: Reach) -> None:
    """Judge where an address leads, now; it is judged again at each sending.

    It may wait for the resolver for seconds. Raises BadAddress, AddressNotFound,
    AddressNotPublic.
    """
    reach.addresses_of(reach.place_of(url))


def add_webhook(
    session: Session,
    *,
    actor: Actor,
    name: str,
    url: str,
    after: int,
    salt: bytes,
    now: datetime,
) -> int:
    """Add a webhook that is sent everything behind a position, and return its id.

    url: judged by check_address before. salt: 16 random bytes; its secret is derived from them.
    Raises OutboxForWhole, TooManyWebhooks, PositionAhead.
    """
    check_whole(session, actor, ADMINISTRATOR)
    if (session.scalar(select(func.count()).select_from(Webhook)) or 0) >= WEBHOOKS_MAX:
        raise TooManyWebhooks(most=WEBHOOKS_MAX)
    _check_position(session, after)
    webhook = Webhook(
        name=name,
        url=url,
        salt=salt,
        state="active",
        position=after,
        created_by_id=actor.member_id,
        created_at=now,
    )
    session.add(webhook)
    session.flush()
    _note(session, actor, webhook, "add_webhook", now, after=after)
    return webhook.id


def change_state(
    session: Session, *, actor: Actor, webhook_id: int, state: str, now: datetime
) -> None:
    """Pause a webhook, or let it go on at once from where it is; a repeat changes nothing.

    A batch that is on its way when it is paused still counts when it is taken. Raises
    OutboxForWhole, WebhookNotFound.
    """
    webhook = _webhook(session, actor, webhook_id)
    if webhook.state == state:
        return
    webhook.state = state
    if state == "active":
        _try_at_once(webhook)
    _note(session, actor, webhook, "change_webhook", now, state=state)


def change_secret(
    session: Session, *, actor: Actor, webhook_id: int, salt: bytes, now: datetime
) -> datetime:
    """Give a webhook a new secret, and return until when the one before signs as well.

    Raises OutboxForWhole, WebhookNotFound.
    """
    webhook = _webhook(session, actor, webhook_id)
    until = now + CHANGE_OVER
    webhook.previous_salt, webhook.previous_until = webhook.salt, until
    webhook.salt = salt
    _note(session, actor, webhook, "change_webhook_secret", now)
    return until


def send_again(
    session: Session, *, actor: Actor, webhook_id: int, after: int, now: datetime
) -> None:
    """Send everything behind a position once more, or pass over what lies before it.

    What is on its way now is not recorded, and nothing is sent beside it: the next batch waits
    until that turn would have run out. The messages get new names, so that a receiver that
    knows the old ones takes them. Raises OutboxForWhole, WebhookNotFound, PositionAhead.
    """
    webhook = _webhook(session, actor, webhook_id)
    _check_position(session, after)
    webhook.position, webhook.batch_last = after, None
    if webhook.claim is not None:
        webhook.claim = NOBODYS_CLAIM
    webhook.series += 1
    _try_at_once(webhook)
    _note(session, actor, webhook, "send_again", now, after=after)


def remove_webhook(session: Session, *, actor: Actor, webhook_id: int, now: datetime) -> None:
    """Remove a webhook with its tries; the audit trail keeps that it was there.

    Raises OutboxForWhole, WebhookNotFound.
    """
    webhook = _webhook(session, actor, webhook_id)
    _note(session, actor, webhook, "remove_webhook", now, position=webhook.position)
    session.execute(delete(WebhookTry).where(WebhookTry.webhook_id == webhook_id))
    session.delete(webhook)


def _webhook(session: Session, actor: Actor, webhook_id: int) -> Webhook:
    """Return a webhook, locked: a sender that records meanwhile waits or is waited for."""
    check_whole(session, actor, ADMINISTRATOR)
    webhook = session.scalar(
        select(Webhook)
        .where(Webhook.id == webhook_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if webhook is None:
        raise WebhookNotFound
    return webhook


def _check_position(session: Session, after: int) -> None:
    newest = newest_position(session)
    if after > newest:
        raise PositionAhead(newest=newest)


def _try_at_once(webhook: Webhook) -> None:
    webhook.failures, webhook.failing_since, webhook.next_try_at = 0, None, None


def _note(
    session: Session,
    actor: Actor,
    webhook: Webhook,
    action: str,
    now: datetime,
    **facts: int | str,
) -> None:
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action=action,
        subject=("webhook", webhook.id),
        **facts,
    )
