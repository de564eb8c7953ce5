"""Batches to webhooks: claimed in one transaction, recorded in the next, sent in between.

Nobody's transaction stays open while a receiver makes up its mind. The row's claim says which
sender is at work; what a claim that ran out comes back with is not recorded. A sender that dies
between sending and recording leaves the batch as it was: it is sent again, under the same name
and with the same body.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session

from pointsbank.members.queries import role_holders_over
from pointsbank.messages.service import tell_each
from pointsbank.organizations.queries import organizations_at
from pointsbank.outbox.calling import Answer
from pointsbank.outbox.models import Webhook, WebhookTry
from pointsbank.outbox.policy import backoff, is_given_up
from pointsbank.outbox.queries import Entry, entries_after, newest_position
from pointsbank.outbox.signing import secret_of

BATCH_MAX = 100
# Well above the longest call with its look-up; so long a dead sender is waited for.
CLAIM_LASTS = timedelta(minutes=2)
# At a batch a minute a day is 1440 tries; these are for looking at what went wrong.
TRIES_KEPT = 500
MESSAGE_TYPE = "ledger.transfers.sealed"

Guard = Callable[[datetime], Sequence[ColumnElement[bool]]]


@dataclass(frozen=True)
class Batch:
    """What one call carries: the webhook, its positions in order, and whose turn it is.

    message_id is the same for every try of the batch. secrets: the newest first.
    """

    webhook_id: int
    url: str
    claim: bytes
    message_id: str
    secrets: tuple[bytes, ...]
    entries: tuple[Entry, ...]

    @property
    def last(self) -> int:
        """The position the receiver is at once it took this."""
        return self.entries[-1].position


def free_at(now: datetime) -> Sequence[ColumnElement[bool]]:
    """Return the conditions under which a webhook may be claimed: it is due, nobody sends."""
    return (
        Webhook.state == "active",
        or_(Webhook.next_try_at.is_(None), Webhook.next_try_at <= now),
        or_(Webhook.claimed_until.is_(None), Webhook.claimed_until <= now),
    )


def claim_batch(
    session: Session,
    *,
    claim: bytes,
    service_secret: str,
    now: datetime,
    limit: int = BATCH_MAX,
    guard: Guard = free_at,
) -> Batch | None:
    """Claim the next batch that is due, None when nothing is or another sender was faster.

    claim: 16 random bytes, of this turn only. A batch that was begun keeps its end, so that a
    try after a failed one carries the same.
    """
    newest = newest_position(session)
    # Whose turn is longest ago comes first: one with much to be sent keeps nobody waiting.
    webhook_id = session.scalar(
        select(Webhook.id)
        .where(Webhook.position < newest, *guard(now))
        .order_by(Webhook.next_try_at.asc().nulls_first(), Webhook.id)
        .limit(1)
    )
    if webhook_id is None:
        return None
    # A second sender waits here for the first, and then finds the claim in the new row.
    webhook = session.execute(
        update(Webhook)
        .where(Webhook.id == webhook_id, *guard(now))
        .values(claim=claim, claimed_until=now + CLAIM_LASTS)
        .returning(Webhook)
        .execution_options(populate_existing=True)
    ).scalar()
    if webhook is None:
        return None
    if webhook.batch_last is None:
        webhook.batch_last = min(newest, webhook.position + limit)
    size = webhook.batch_last - webhook.position
    entries = tuple(entries_after(session, webhook.position, limit=size))
    return Batch(
        webhook_id=webhook.id,
        url=webhook.url,
        claim=claim,
        message_id="_".join(
            str(part)
            for part in (
                "pb",
                webhook.id,
                webhook.series,
                webhook.position + 1,
                webhook.batch_last,
            )
        ),
        secrets=_secrets(webhook, service_secret, now),
        entries=entries,
    )


def _secrets(webhook: Webhook, service_secret: str, now: datetime) -> tuple[bytes, ...]:
    """Return what signs now: the secret, and for a while the one before it."""
    found = [secret_of(service_secret, webhook.salt)]
    if webhook.previous_salt and webhook.previous_until and webhook.previous_until > now:
        found.append(secret_of(service_secret, webhook.previous_salt))
    return tuple(found)


def body_of(batch: Batch) -> bytes:
    """Write the body of a batch, the same bytes for every try of it."""
    document = {
        "type": MESSAGE_TYPE,
        # When it happened: the last of these was sealed then, whenever it is sent.
        "timestamp": batch.entries[-1].sealed_at.isoformat(),
        "data": {"items": [_plain(entry) for entry in batch.entries], "next": batch.last},
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _plain(entry: Entry) -> dict[str, Any]:
    """Return an entry with the fields of GET /api/v1/outbox."""
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in asdict(entry).items()
        if name != "sealed_at"
    }


def record_answer(
    session: Session, batch: Batch, answer: Answer, *, jitter: float, now: datetime
) -> bool:
    """Record how a call went; False when the turn was over, and then nothing is recorded.

    The webhook's position moves only here, and only when the batch was taken. jitter: a
    fraction from 0 to 1 for the wait after a failure.
    """
    webhook = session.scalar(
        select(Webhook)
        .where(Webhook.id == batch.webhook_id, Webhook.claim == batch.claim)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if webhook is None:
        return False
    webhook.claim = webhook.claimed_until = None
    if answer.problem is None:
        webhook.position, webhook.batch_last = batch.last, None
        webhook.failures, webhook.failing_since = 0, None
        webhook.next_try_at = now
    else:
        _count_failure(session, webhook, answer, jitter, now)
    _keep_try(session, batch, answer, now)
    return True


def _count_failure(
    session: Session, webhook: Webhook, answer: Answer, jitter: float, now: datetime
) -> None:
    """Put the next try off, or give up and tell who can do something about it."""
    webhook.failures += 1
    webhook.failing_since = webhook.failing_since or now
    webhook.next_try_at = now + backoff(webhook.failures, jitter)
    if webhook.state != "active" or not is_given_up(answer.status, webhook.failing_since, now):
        return
    webhook.state = "failed"
    tops = organizations_at(session, ("/",))
    whole = tops[0].path if len(tops) == 1 else "/"
    tell_each(
        session,
        key=f"webhook_failed:{webhook.id}:{webhook.failing_since.isoformat()}",
        member_ids=role_holders_over(session, whole, ("administrator",)),
        kind="webhook_failed",
        facts={"system": webhook.name, "webhook_id": webhook.id},
        now=now,
    )


def _keep_try(session: Session, batch: Batch, answer: Answer, now: datetime) -> None:
    """Write the try down, and drop what lies far behind."""
    session.add(
        WebhookTry(
            webhook_id=batch.webhook_id,
            first_position=batch.entries[0].position,
            last_position=batch.last,
            tried_at=now - timedelta(milliseconds=answer.milliseconds),
            milliseconds=answer.milliseconds,
            status=answer.status,
            problem=answer.problem,
        )
    )
    session.flush()
    oldest_kept = session.scalar(
        select(WebhookTry.id)
        .where(WebhookTry.webhook_id == batch.webhook_id)
        .order_by(WebhookTry.id.desc())
        .offset(TRIES_KEPT - 1)
        .limit(1)
    )
    if oldest_kept is not None:
        session.execute(
            delete(WebhookTry).where(
                WebhookTry.webhook_id == batch.webhook_id, WebhookTry.id < oldest_kept
            )
        )
