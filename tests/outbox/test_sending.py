"""The job: what is sealed arrives at a real receiver, signed, in order, each position once."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update
from standardwebhooks import Webhook as StandardWebhook

from pointsbank.core import clock
from pointsbank.core.db import db, run
from pointsbank.core.settings import ROOT
from pointsbank.jobs import sending
from pointsbank.jobs.models import JobRun
from pointsbank.jobs.running import run_slot
from pointsbank.jobs.sending import send_due
from pointsbank.jobs.table import JOBS, slot_by_hand
from pointsbank.ledger.verifying import offenders
from pointsbank.outbox.models import Webhook, WebhookTry
from pointsbank.outbox.signing import secret_of, shown
from tests.outbox.receiver import reach_here, receiving
from tests.outbox.sealed import a_webhook, sealed, webhook_row
from tests.racing import race, times
from tests.serving import environment_of

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def receiver():
    with receiving() as found:
        yield found


@pytest.fixture
def reaching_here(monkeypatch):
    """Let the job reach this machine: an argument of its, which no setting can give."""
    monkeypatch.setattr(sending, "reach_of", lambda is_production: reach_here())


def send(app):
    with app.app_context():
        return send_due(reach_here())


def let_time_pass(writing):
    """Bring every webhook's next try to now."""
    with writing() as session:
        session.execute(
            update(Webhook).values(next_try_at=None, claimed_until=None, claim=None)
        )


def positions(message):
    return [item["position"] for item in json.loads(message.body)["data"]["items"]]


def test_what_is_sealed_arrives_signed_and_once(app, writing, receiver):
    with writing() as session:
        sealed(session, 3, 6)
        webhook_id = a_webhook(session, receiver.url)
        salt = webhook_row(session, webhook_id).salt
    assert send(app) == 1
    assert send(app) == 0
    (message,) = receiver.messages
    assert positions(message) == list(range(1, 10))
    secret = shown(secret_of(app.extensions["settings"].secret_key, salt))
    StandardWebhook(secret).verify(message.body, message.headers)
    assert message.headers["content-type"] == "application/json"
    with writing() as session:
        assert webhook_row(session, webhook_id).position == 9
        tried = session.scalars(select(WebhookTry)).one()
        assert (tried.first_position, tried.last_position, tried.status) == (1, 9, 204)
        assert offenders(session) == []


def test_the_job_sends_outside_of_any_transaction(app, writing, receiver, reaching_here):
    """While the receiver takes its time, nothing of ours is open on the database."""
    open_ones = []

    def look(talk):
        with app.app_context():
            open_ones.append((db.engine.pool.checkedout(), db.session().in_transaction()))
        # Somebody else writes meanwhile, which on SQLite one open transaction would prevent.
        with app.app_context():
            run(lambda session: session.execute(update(Webhook).values(name="改名")))
        talk.answer(204)

    receiver.behave = look
    with writing() as session:
        sealed(session, 2)
        webhook_id = a_webhook(session, receiver.url)
    job, now = JOBS["webhooks"], clock.now()
    (slot,) = job.due(now, ZONE)
    with app.app_context():
        assert run_slot(job, slot, zone=ZONE) == 1
        assert run_slot(job, slot, zone=ZONE) is None
        assert run_slot(job, slot_by_hand(job, None, now, ZONE), zone=ZONE) == 0
    assert open_ones == [(0, False)]
    with writing() as session:
        row = webhook_row(session, webhook_id)
        assert (row.name, row.position) == ("改名", 2)
        states = session.scalars(select(JobRun.state).where(JobRun.job == "webhooks")).all()
        assert states == ["done", "done"]


def test_positions_arrive_in_order_whatever_fails_between(app, writing, receiver):
    """Each position is taken once, in order, with every other answer a failure."""
    receiver.answer(500, 204, 302, 503, 204, 429, 200, 404, 204)
    with writing() as session:
        sealed(session, 2)
        webhook_id = a_webhook(session, receiver.url)
    for number in range(9):
        send(app)
        let_time_pass(writing)
        if number % 2:
            with writing() as session:
                sealed(session, 3)
    with writing() as session:
        tries = session.scalars(select(WebhookTry).order_by(WebhookTry.id)).all()
        assert webhook_row(session, webhook_id).position == 14
        spans = [(each.first_position, each.last_position, each.problem) for each in tries]
    taken = [span[:2] for span in spans if span[2] is None]
    assert taken[0][0] == 1
    assert all(
        next_one[0] == one[1] + 1 for one, next_one in zip(taken, taken[1:], strict=False)
    )
    # A try after a failed one is the very same message.
    for (first, second), (one, other) in zip(
        zip(spans, spans[1:], strict=False),
        zip(receiver.messages, receiver.messages[1:], strict=False),
        strict=True,
    ):
        if first[2] is not None:
            assert first[:2] == second[:2]
            assert (one.body, one.headers["webhook-id"]) == (
                other.body,
                other.headers["webhook-id"],
            )


def test_many_senders_at_once_deliver_each_position_once(app, writing, receiver):
    receiver.behave = lambda talk: (time.sleep(0.02), talk.answer(204))
    with writing() as session:
        sealed(session, *[30] * 8)
        webhook_id = a_webhook(session, receiver.url)
    found = race(app, times(4, lambda: send_due(reach_here())))
    while send(app):
        pass
    assert sum(found) >= 1
    with writing() as session:
        assert webhook_row(session, webhook_id).position == 240
    assert [each for message in receiver.messages for each in positions(message)] == list(
        range(1, 241)
    )


def test_a_receiver_in_a_private_network_is_not_called(app, writing, receiver):
    """With the reach of the settings, what leads to this machine is refused at each sending."""
    with writing() as session:
        sealed(session, 2)
        webhook_id = a_webhook(session, f"http://127.0.0.1:{receiver.port}/")
        other_id = a_webhook(session, "https://127.0.0.1/", name="另一个平台")
    with app.app_context():
        assert send_due() == 0
    assert receiver.messages == []
    with writing() as session:
        problems = session.scalars(select(WebhookTry.problem).order_by(WebhookTry.id)).all()
        assert problems == ["bad_address", "address_not_public"]
        assert webhook_row(session, webhook_id).failures == 1
        assert webhook_row(session, other_id).position == 0


KILLED = """
import os, signal
from pointsbank.app import create_app
from pointsbank.core.settings import read_settings
from pointsbank.jobs import sending
from tests.outbox.receiver import reach_here

def die(*_args, **_more):
    os.kill(os.getpid(), signal.SIGKILL)

sending.record_answer = die
with create_app(read_settings(os.environ)).app_context():
    sending.send_due(reach_here())
"""


def test_a_sender_killed_between_sending_and_recording(app, settings, writing, receiver):
    """At least once: the batch comes again with the same name and body, and nothing is lost."""
    with writing() as session:
        sealed(session, 3)
        webhook_id = a_webhook(session, receiver.url)
    ended = subprocess.run(
        [sys.executable, "-c", KILLED],
        cwd=ROOT,
        env={**os.environ, **environment_of(settings)},
        timeout=60,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    assert len(receiver.messages) == 1
    # Its claim still stands, so nobody sends beside it; then the next sender takes over.
    assert send(app) == 0
    with writing() as session:
        row = webhook_row(session, webhook_id)
        assert (row.position, row.batch_last) == (0, 3)
        assert row.claimed_until - clock.now() <= timedelta(minutes=2)
        session.execute(update(Webhook).values(claimed_until=clock.now()))
        sealed(session, 2)
    assert send(app) == 2
    first, again, last = receiver.messages
    assert (first.body, first.headers["webhook-id"]) == (
        again.body,
        again.headers["webhook-id"],
    )
    assert positions(again) == [1, 2, 3]
    assert positions(last) == [4, 5]


def test_no_batch_is_begun_when_the_time_is_over(app, writing, receiver):
    with writing() as session:
        sealed(session, 2)
        a_webhook(session, receiver.url)
    with app.app_context():
        assert send_due(reach_here(), seconds=0.0) == 0
    assert receiver.messages == []
