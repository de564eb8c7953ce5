"""Batches: claimed once, recorded once, the same again after a failure, never out of order."""

import json
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select, update
from standardwebhooks import Webhook as StandardWebhook

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.audit import AuditEntry
from pointsbank.core.db import transaction
from pointsbank.messages.models import Message
from pointsbank.outbox import delivering
from pointsbank.outbox.calling import Answer
from pointsbank.outbox.delivering import CLAIM_LASTS, body_of, claim_batch, record_answer
from pointsbank.outbox.errors import (
    OutboxForWhole,
    PositionAhead,
    TooManyWebhooks,
    WebhookNotFound,
)
from pointsbank.outbox.models import SALT_BYTES, Webhook, WebhookTry
from pointsbank.outbox.policy import BACKOFF_FIRST, BACKOFF_LONGEST, FAILING_MAX, backoff
from pointsbank.outbox.service import (
    CHANGE_OVER,
    WEBHOOKS_MAX,
    add_webhook,
    change_secret,
    change_state,
    remove_webhook,
    send_again,
)
from pointsbank.outbox.signing import secret_of, shown, signed_headers
from tests.builders import COMMUNITY_CODE, a_member, an_organization, with_role
from tests.moments import NOON
from tests.outbox.sealed import URL, a_claim, a_webhook, sealed, webhook_row, whole
from tests.racing import race, times

SECRET = "a key that only tests know, of fair length"
TAKEN = Answer(204, None, 12)
REFUSED = Answer(500, "bad_status", 12)
GONE = Answer(410, "bad_status", 12)
MINUTE = timedelta(minutes=1)


def claimed(session, now=NOON, limit=100):
    return claim_batch(session, claim=a_claim(), service_secret=SECRET, now=now, limit=limit)


def recorded(session, batch, answer=TAKEN, now=NOON):
    return record_answer(session, batch, answer, jitter=0.0, now=now)


def spans(batch):
    return batch.entries[0].position, batch.last


def test_batches_follow_one_another_and_end_where_the_seal_ends(session):
    sealed(session, 3, 4)
    webhook_id = a_webhook(session)
    found = []
    while batch := claimed(session, limit=3):
        found.append(spans(batch))
        assert recorded(session, batch)
    assert found == [(1, 3), (4, 6), (7, 7)]
    assert webhook_row(session, webhook_id).position == 7
    sealed(session, 1)
    assert spans(claimed(session)) == (8, 8)


def test_a_batch_that_failed_is_sent_again_as_it_was_and_nothing_before_it(session):
    sealed(session, 3)
    webhook_id = a_webhook(session)
    first = claimed(session)
    recorded(session, first, REFUSED)
    sealed(session, 5)
    assert claimed(session) is None
    again = claimed(session, NOON + BACKOFF_FIRST)
    assert (again.message_id, body_of(again)) == (first.message_id, body_of(first))
    assert again.claim != first.claim
    recorded(session, again, TAKEN, NOON + BACKOFF_FIRST)
    row = webhook_row(session, webhook_id)
    assert (row.position, row.failures, row.failing_since) == (3, 0, None)
    assert spans(claimed(session, NOON + BACKOFF_FIRST)) == (4, 8)


def test_a_sender_that_dies_leaves_the_batch_to_the_next_under_the_same_name(session):
    """Killed between sending and recording: the receiver gets the same message twice."""
    sealed(session, 2)
    webhook_id = a_webhook(session)
    sent = claimed(session)
    sealed(session, 2)
    assert claimed(session, NOON + CLAIM_LASTS - MINUTE / 60) is None
    again = claimed(session, NOON + CLAIM_LASTS)
    assert (again.message_id, body_of(again)) == (sent.message_id, body_of(sent))
    # It was only asleep: what it comes back with is of no account.
    assert not recorded(session, sent, TAKEN, NOON + CLAIM_LASTS)
    assert webhook_row(session, webhook_id).position == 0
    assert recorded(session, again, TAKEN, NOON + CLAIM_LASTS)
    assert webhook_row(session, webhook_id).position == 2
    assert not recorded(session, again, TAKEN, NOON + CLAIM_LASTS)


def test_of_many_senders_at_once_one_has_the_batch(app, writing):
    with writing() as session:
        sealed(session, 5)
        a_webhook(session)

    def claim():
        with transaction() as session:
            return claimed(session)

    found = race(app, times(6, claim))
    assert [spans(batch) for batch in found if batch is not None] == [(1, 5)]


def test_the_control_without_the_guard_several_have_it(app, writing):
    with writing() as session:
        sealed(session, 5)
        a_webhook(session)

    def claim():
        with transaction() as session:
            return claim_batch(
                session,
                claim=a_claim(),
                service_secret=SECRET,
                now=NOON,
                guard=lambda _now: (),
            )

    assert [spans(batch) for batch in race(app, times(6, claim))] == [(1, 5)] * 6


def test_one_with_much_to_be_sent_keeps_nobody_waiting(session):
    sealed(session, 6)
    one, other = a_webhook(session), a_webhook(session, name="另一个平台")
    turns = []
    for second in range(6):
        now = NOON + timedelta(seconds=second)
        batch = claimed(session, now, limit=2)
        turns.append(batch.webhook_id)
        recorded(session, batch, TAKEN, now)
    assert turns == [one, other] * 3


def test_one_that_fails_does_not_hold_up_another(session):
    sealed(session, 2)
    one, other = a_webhook(session), a_webhook(session, name="另一个平台")
    recorded(session, claimed(session), REFUSED)
    recorded(session, claimed(session))
    assert claimed(session) is None
    assert webhook_row(session, one).position == 0
    assert webhook_row(session, other).position == 2


def test_the_wait_doubles_from_a_minute_to_twelve_hours():
    waits = [backoff(failures, 0.0) for failures in range(1, 20)]
    assert waits[:4] == [MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE]
    assert waits == sorted(waits)
    assert max(backoff(failures, 1.0) for failures in (1, 12, 1000)) == BACKOFF_LONGEST
    assert backoff(1, 1.0) == 1.25 * MINUTE
    assert backoff(1, 0.5) != backoff(1, 0.6)


def fail_through(session, days):
    """Let every try fail until so many days are over; return how many there were."""
    now, tries = NOON, 0
    while now <= NOON + timedelta(days=days):
        batch = claimed(session, now)
        if batch is None:
            now += timedelta(minutes=30)
            continue
        recorded(session, batch, REFUSED, now)
        tries += 1
    return tries


def test_after_five_days_it_is_given_up_until_somebody_resumes_it(session):
    sealed(session, 2)
    webhook_id = a_webhook(session)
    assert fail_through(session, 4.4) > 10
    row = webhook_row(session, webhook_id)
    assert (row.state, row.position, row.failing_since) == ("active", 0, NOON)
    fail_through(session, 6)
    assert webhook_row(session, webhook_id).state == "failed"
    later = NOON + timedelta(days=30)
    assert claimed(session, later) is None
    change_state(
        session, actor=whole(session), webhook_id=webhook_id, state="active", now=later
    )
    assert spans(claimed(session, later)) == (1, 2)
    assert timedelta(days=5) == FAILING_MAX


def test_one_that_says_it_is_gone_is_given_up_at_once_and_administrators_are_told(session):
    top = an_organization(session, "140303", "district", None, "矿区")
    below = an_organization(session, "140303001", "street", top, "街道")
    an_organization(session, COMMUNITY_CODE, "community", below)
    on_top = with_role(session, a_member(session), "administrator", top)
    with_role(session, a_member(session), "administrator", below)
    with_role(session, a_member(session), "auditor", top)
    sealed(session, 1)
    webhook_id = a_webhook(session)
    first = webhook_row(session, webhook_id).created_by_id
    recorded(session, claimed(session), GONE)
    assert webhook_row(session, webhook_id).state == "failed"
    told = session.execute(select(Message.member_id, Message.kind, Message.facts)).all()
    assert sorted(member_id for member_id, _, _ in told) == sorted([on_top, first])
    assert {(kind, facts["system"], facts["webhook_id"]) for _, kind, facts in told} == {
        ("webhook_failed", "区平台", webhook_id)
    }


def test_a_pause_lets_nothing_out_and_what_is_on_its_way_still_counts(session):
    sealed(session, 4)
    webhook_id = a_webhook(session)
    actor = whole(session)
    on_its_way = claimed(session, limit=2)
    change_state(session, actor=actor, webhook_id=webhook_id, state="paused", now=NOON)
    assert claimed(session, NOON + timedelta(days=1)) is None
    assert recorded(session, on_its_way)
    assert webhook_row(session, webhook_id).position == 2
    change_state(session, actor=actor, webhook_id=webhook_id, state="active", now=NOON)
    assert spans(claimed(session)) == (3, 4)


def test_sending_again_starts_behind_the_position_under_new_names(session):
    sealed(session, 4)
    webhook_id = a_webhook(session)
    actor = whole(session)
    first = claimed(session, limit=2)
    recorded(session, first)
    on_its_way = claimed(session)
    send_again(session, actor=actor, webhook_id=webhook_id, after=0, now=NOON)
    # Nothing goes out beside what is on its way, and that is not recorded any more.
    assert claimed(session) is None
    assert not recorded(session, on_its_way)
    again = claimed(session, NOON + CLAIM_LASTS, limit=2)
    assert spans(again) == (1, 2)
    assert again.message_id != first.message_id
    assert [each.id for each in again.entries] == [each.id for each in first.entries]
    with pytest.raises(PositionAhead):
        send_again(session, actor=actor, webhook_id=webhook_id, after=5, now=NOON)


def test_a_webhook_may_begin_behind_what_is_there_already(session):
    sealed(session, 4)
    webhook_id = a_webhook(session, after=4)
    assert claimed(session) is None
    sealed(session, 1)
    assert spans(claimed(session)) == (5, 5)
    assert webhook_row(session, webhook_id).batch_last == 5
    with pytest.raises(PositionAhead):
        a_webhook(session, after=6)


def test_there_are_only_so_many(session):
    actor = whole(session)
    for number in range(WEBHOOKS_MAX):
        a_webhook(session, name=f"平台 {number}")
    with pytest.raises(TooManyWebhooks):
        add_webhook(session, actor=actor, name="x", url=URL, after=0, salt=bytes(16), now=NOON)


def test_what_is_removed_is_gone_with_its_tries_and_the_trail_keeps_it(session):
    sealed(session, 4)
    webhook_id = a_webhook(session)
    actor = whole(session)
    recorded(session, claimed(session, limit=2))
    on_its_way = claimed(session)
    remove_webhook(session, actor=actor, webhook_id=webhook_id, now=NOON)
    assert not recorded(session, on_its_way)
    session.flush()
    for model in (Webhook, WebhookTry):
        assert session.scalar(select(func.count()).select_from(model)) == 0
    with pytest.raises(WebhookNotFound):
        remove_webhook(session, actor=actor, webhook_id=webhook_id, now=NOON)
    actions = session.scalars(
        select(AuditEntry.action).where(AuditEntry.subject_kind == "webhook")
    ).all()
    assert actions == ["add_webhook", "remove_webhook"]


def test_old_tries_are_dropped(session, monkeypatch):
    monkeypatch.setattr(delivering, "TRIES_KEPT", 3)
    sealed(session, 10)
    webhook_id = a_webhook(session)
    for _ in range(10):
        recorded(session, claimed(session, limit=1))
    kept = session.scalars(
        select(WebhookTry.last_position)
        .where(WebhookTry.webhook_id == webhook_id)
        .order_by(WebhookTry.id)
    ).all()
    assert kept == [8, 9, 10]


def test_the_database_refuses_a_batch_that_lies_behind(session):
    sealed(session, 2)
    a_webhook(session)
    with pytest.raises(Exception, match="ck_webhook_batch|batch"), session.begin_nested():
        session.execute(update(Webhook).values(position=2, batch_last=2))


def headers_of(batch, body, at):
    return signed_headers(batch.secrets, message_id=batch.message_id, at=at, body=body)


@pytest.fixture
def noon_everywhere():
    """Let the library that verifies believe it is noon."""
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.mark.usefixtures("noon_everywhere")
def test_an_independent_library_finds_the_signature_good(session):
    sealed(session, 2)
    webhook_id = a_webhook(session)
    batch = claimed(session)
    body = body_of(batch)
    secret = shown(secret_of(SECRET, webhook_row(session, webhook_id).salt))
    assert secret.startswith("whsec_")
    document = StandardWebhook(secret).verify(body, headers_of(batch, body, NOON))
    assert document["type"] == "ledger.transfers.sealed"
    assert [item["position"] for item in document["data"]["items"]] == [1, 2]
    assert document["data"]["next"] == 2
    assert document == json.loads(body)


@pytest.mark.usefixtures("noon_everywhere")
@pytest.mark.parametrize("change", ["body", "id", "late", "early", "secret", "none"])
def test_the_library_finds_every_change(session, change):
    sealed(session, 1)
    webhook_id = a_webhook(session)
    batch = claimed(session)
    body = body_of(batch)
    at = {"late": NOON - 6 * MINUTE, "early": NOON + 6 * MINUTE}.get(change, NOON)
    headers = headers_of(batch, body, at)
    salt = webhook_row(session, webhook_id).salt
    if change == "body":
        body = body.replace(b'"points":5', b'"points":6')
    elif change == "id":
        headers["webhook-id"] += "0"
    elif change == "secret":
        salt = bytes(SALT_BYTES)
    elif change == "none":
        headers["webhook-signature"] = ""
    with pytest.raises(Exception, match="signature|headers|timestamp"):
        StandardWebhook(shown(secret_of(SECRET, salt))).verify(body, headers)


@pytest.mark.usefixtures("noon_everywhere")
def test_while_a_secret_is_changed_both_are_good(session):
    sealed(session, 3)
    webhook_id = a_webhook(session)
    old = shown(secret_of(SECRET, webhook_row(session, webhook_id).salt))
    until = change_secret(
        session, actor=whole(session), webhook_id=webhook_id, salt=a_claim(), now=NOON
    )
    assert until == NOON + CHANGE_OVER
    new = shown(secret_of(SECRET, webhook_row(session, webhook_id).salt))
    assert new != old
    batch = claimed(session, limit=1)
    body = body_of(batch)
    for secret in (old, new):
        StandardWebhook(secret).verify(body, headers_of(batch, body, NOON))
    recorded(session, batch)
    batch = claimed(session, until, limit=1)
    assert len(batch.secrets) == 1
    body = body_of(batch)
    StandardWebhook(new).verify(body, headers_of(batch, body, NOON))
    with pytest.raises(Exception, match="signature"):
        StandardWebhook(old).verify(body, headers_of(batch, body, NOON))


def test_secrets_of_two_webhooks_and_of_two_services_differ():
    salts = [bytes([number]) * SALT_BYTES for number in range(3)]
    found = {secret_of(service, salt) for salt in salts for service in (SECRET, SECRET + "!")}
    assert len(found) == 6
    assert all(len(secret) == 32 for secret in found)


def test_only_who_looks_after_everything_may(session):
    webhook_id = a_webhook(session)
    actor = Actor(1, "何素芬", 1, 0, (Grant("administrator", "/1/2/"), Grant("auditor", "/")))
    with pytest.raises(OutboxForWhole):
        change_state(session, actor=actor, webhook_id=webhook_id, state="paused", now=NOON)
