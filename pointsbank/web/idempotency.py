"""Idempotency-Key: a repeated request is answered as the first time and does nothing again."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Response, jsonify, request
from sqlalchemy import JSON, bindparam, select, text
from sqlalchemy.orm import Session

from pointsbank.core.db import Moment, reading, run
from pointsbank.core.errors import Invalid, KeyReused
from pointsbank.web.models import IdempotentAnswer

KEY_LENGTH_MAX = 255

# Written once and compiled once: they stand in every call that moves points.
CLAIM = text(
    """
    INSERT INTO idempotent_answer (member_id, key, request_hash, status, body, answered_at)
    VALUES (:member_id, :key, :request_hash, 0, '{}', :now)
    ON CONFLICT DO NOTHING RETURNING key
    """
).bindparams(bindparam("now", type_=Moment()))

STANDING = select(
    IdempotentAnswer.request_hash, IdempotentAnswer.status, IdempotentAnswer.body
).where(
    IdempotentAnswer.member_id == bindparam("member_id"),
    IdempotentAnswer.key == bindparam("key"),
)

ANSWER = text(
    """
    UPDATE idempotent_answer SET status = :status, body = :body
    WHERE member_id = :member_id AND key = :key
    """
).bindparams(bindparam("body", type_=JSON()))


@dataclass(frozen=True)
class Answer:
    """What a request was answered; is_replay tells that it was answered before."""

    status: int
    body: dict[str, Any]
    is_replay: bool


class KeyMissing(Invalid):
    """Where points move, the caller names the request, so that it can be sent again safely."""

    code = "idempotency_key_missing"
    message = "The header Idempotency-Key is needed: 1 to 255 visible ASCII characters."


def request_key() -> str:
    """Return this request's Idempotency-Key.

    Raises KeyMissing, also for one that is too long or not visible ASCII.
    """
    key = request.headers.get("Idempotency-Key", "")
    if not 1 <= len(key) <= KEY_LENGTH_MAX or not all("!" <= c <= "~" for c in key):
        raise KeyMissing
    return key


def answer_once(
    use_case: Callable[[Session], dict[str, Any]],
    *,
    member_id: int,
    key: str,
    now: datetime,
    status: int = 201,
) -> Response:
    """Answer this request as `once` does, with the header that tells a repeat."""
    sent = b"\0".join((request.method.encode(), request.path.encode(), request.get_data()))
    answer = once(use_case, member_id=member_id, key=key, sent=sent, now=now, status=status)
    return answered(answer)


def answered(answer: Answer, **more: Any) -> Response:
    """Return an answer under a key, with the header that tells a repeat.

    more: what stands beside it and is not kept, such as a secret that can be made again.
    """
    response = jsonify({**answer.body, **more})
    response.status_code = answer.status
    if answer.is_replay:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def once(
    use_case: Callable[[Session], dict[str, Any]],
    *,
    member_id: int,
    key: str,
    sent: bytes,
    now: datetime,
    status: int = 201,
) -> Answer:
    """Run a use case once for a member's key, and answer every repeat with the same status and
    body.

    sent: what was asked for; the same key with something else raises KeyReused.
    The key's row is written first, so that a request with the same key at the same time waits
    for this one. A refusal leaves no row: a later try is judged anew.
    """
    request_hash = sent_hash(sent)

    def work(session: Session) -> Answer:
        prior = _claim_key(session, member_id, key, request_hash, now)
        if prior is not None:
            if bytes(prior.request_hash) != request_hash:
                raise KeyReused
            return Answer(prior.status, prior.body, is_replay=True)
        body = use_case(session)
        values = {"member_id": member_id, "key": key, "status": status, "body": body}
        session.execute(ANSWER, values)
        return Answer(status, body, is_replay=False)

    return run(work)


def answered_before(member_id: int, key: str, sent: bytes) -> Answer | None:
    """Return what a member's key was answered, None while it was not.

    Raises KeyReused when something else was sent under it.
    """
    with reading() as session:
        prior = session.execute(STANDING, {"member_id": member_id, "key": key}).first()
    if prior is None:
        return None
    if bytes(prior.request_hash) != sent_hash(sent):
        raise KeyReused
    return Answer(prior.status, prior.body, is_replay=True)


def sent_hash(sent: bytes) -> bytes:
    """Return what is kept of a request, to tell a repeat from another one under its key."""
    return hashlib.sha256(sent).digest()


def _claim_key(
    session: Session, member_id: int, key: str, request_hash: bytes, now: datetime
) -> Any:
    """Write the key's row and return None, or return the answer that stands under it."""
    values = {"member_id": member_id, "key": key, "request_hash": request_hash, "now": now}
    if session.execute(CLAIM, values).first() is not None:
        return None
    return session.execute(STANDING, values).one()
