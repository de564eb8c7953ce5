"""Sends to webhooks what is due: claim, call, record, until the time for it is over."""

import time

from flask import current_app

from pointsbank.core import clock
from pointsbank.core.db import run
from pointsbank.core.keys import draw_bytes
from pointsbank.core.settings import Settings
from pointsbank.outbox.addresses import Reach, reach_of
from pointsbank.outbox.calling import call
from pointsbank.outbox.delivering import Batch, body_of, claim_batch, record_answer
from pointsbank.outbox.models import CLAIM_BYTES
from pointsbank.outbox.signing import signed_headers

# Other jobs wait as long. What is not sent in this time is sent in the next minute.
SENDING_SECONDS = 20.0
# A call is not begun late in its turn: when it ended, another sender might have the batch.
TURN_SECONDS = 60.0
USER_AGENT = "Pointsbank-Webhooks"


def send_due(reach: Reach | None = None, seconds: float = SENDING_SECONDS) -> int:
    """Send batches to webhooks until nothing is due, and begin none after so many seconds.

    Returns how many batches were taken. Needs the application's context. Two senders at once
    share the webhooks out; a batch is one sender's at a time. reach: what the settings allow
    when none; only tests hand in another.
    """
    settings: Settings = current_app.extensions["settings"]
    allowed = reach or reach_of(is_production=settings.is_production)
    begun = time.monotonic()
    taken = 0
    while time.monotonic() - begun < seconds:
        turn_begun = time.monotonic()
        batch = _claimed(settings.secret_key)
        if batch is None:
            break
        if time.monotonic() - turn_begun < TURN_SECONDS:
            taken += send_batch(batch, allowed)
    return taken


def _claimed(service_secret: str) -> Batch | None:
    claim = draw_bytes(CLAIM_BYTES)
    return run(
        lambda session: claim_batch(
            session, claim=claim, service_secret=service_secret, now=clock.now()
        )
    )


def send_batch(batch: Batch, reach: Reach) -> bool:
    """Send one batch and record how it went; tell whether it was taken and counted."""
    body = body_of(batch)
    headers = signed_headers(
        batch.secrets, message_id=batch.message_id, at=clock.now(), body=body
    )
    answer = call(
        batch.url,
        body=body,
        headers={**headers, "Content-Type": "application/json", "User-Agent": USER_AGENT},
        reach=reach,
    )
    jitter = draw_bytes(1)[0] / 255
    is_recorded = run(
        lambda session: record_answer(session, batch, answer, jitter=jitter, now=clock.now())
    )
    return is_recorded and answer.problem is None
