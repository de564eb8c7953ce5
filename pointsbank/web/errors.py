"""Refusals and faults as answers: problem details for programs, a page for people."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import structlog
from flask import Flask, Response, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    InterfaceError,
    OperationalError,
    TimeoutError,
)
from werkzeug.exceptions import HTTPException

from pointsbank.core.db import state_of
from pointsbank.core.errors import Conflict, Invalid, NotAllowed, NotFound, Refusal, TooMany
from pointsbank.web import access
from pointsbank.web.access import BadForm, SignInNeeded, wants_json

STATUS: dict[type[Refusal], int] = {
    Invalid: 400,
    NotAllowed: 403,
    NotFound: 404,
    Conflict: 409,
    TooMany: 429,
    SignInNeeded: 401,
    BadForm: 400,
}
# Leaves whose status the HTTP contract fixes apart from their kind's.
STATUS_BY_CODE = {
    "bad_credentials": 401,
    "code_expired": 410,
    "voucher_expired": 410,
    "bad_table": 422,
    "table_too_large": 413,
}

RETRY_AFTER_SECONDS = 2
# Somebody has to make room first.
FULL_RETRY_AFTER_SECONDS = 30
# PostgreSQL: disk full; connection exceptions, and a server that is stopping or starting.
FULL_STATES = ("53100",)
AWAY_STATES = ("08", "57P")
# SQLite cannot tell a full quota or a limit of the file's size from other failures to write.
FULL_SQLITE_ERRORS = ("SQLITE_FULL", "SQLITE_IOERR")
BUSY_SQLITE_ERRORS = ("SQLITE_BUSY", "SQLITE_LOCKED")

logger = structlog.get_logger()


def status_of(refusal: Refusal) -> int:
    """Return the HTTP status of a refusal: its code's own, else that of its nearest kind."""
    if refusal.code in STATUS_BY_CODE:
        return STATUS_BY_CODE[refusal.code]
    return next(STATUS[kind] for kind in type(refusal).__mro__ if kind in STATUS)


def sentence_of(refusal: Refusal) -> str:
    """Return the refusal's sentence in the language of this request."""
    return str(gettext(refusal.sentence, **refusal.facts))


def problem(status: int, code: str, detail: str, **facts: Any) -> Response:
    """Answer RFC 9457 problem details."""
    body = {
        **facts,
        "type": f"urn:pointsbank:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    response = jsonify(body)
    response.status_code = status
    response.content_type = "application/problem+json"
    return response


def refusal_answer(status: int, code: str, detail: str, **facts: Any) -> Response:
    """Answer in the asker's own form: problem details, or the error page."""
    if wants_json():
        return problem(status, code, detail, **facts)
    page = render_template(
        "error.html",
        status=status,
        title=gettext("This did not work"),
        detail=detail,
        request_id=structlog.contextvars.get_contextvars().get("request_id", ""),
    )
    return make_response(page, status)


def on_refusal(refusal: Refusal) -> ResponseReturnValue:
    """Answer a refusal."""
    response = refusal_answer(
        status_of(refusal), refusal.code, sentence_of(refusal), **refusal.facts
    )
    if "retry_after_seconds" in refusal.facts:
        response.headers["Retry-After"] = str(refusal.facts["retry_after_seconds"])
    if isinstance(refusal, SignInNeeded):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


HTTP_SENTENCES = {
    400: "The request could not be read.",
    404: "There is nothing here.",
    405: "This address does not take that method.",
    413: "This is too large.",
    415: "This kind of content is not taken here.",
    422: "Some fields are not right.",
}


# The standard library has renamed these statuses; a code never changes.
HTTP_CODES = {413: "request_entity_too_large", 422: "bad_fields"}


def on_http_error(error: HTTPException) -> ResponseReturnValue:
    """Answer what Werkzeug and the schema layer refuse."""
    if error.response is not None:
        return error.response
    status = error.code or 500
    code = HTTP_CODES.get(status) or HTTPStatus(status).name.lower()
    facts: dict[str, Any] = {}
    if status == 422:
        facts["errors"] = field_errors(getattr(error, "data", None) or {})
    sentence = HTTP_SENTENCES.get(status, "This did not work.")
    response = refusal_answer(status, code, gettext(sentence), **facts)
    for name, value in error.get_headers(request.environ):
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def field_errors(data: dict[str, Any]) -> dict[str, Any]:
    """Return {field: [sentences]} from what the schema layer found."""
    found: dict[str, Any] = {}
    for errors in data.get("messages", {}).values():
        found.update(errors if isinstance(errors, dict) else {"_body": errors})
    return found


@dataclass(frozen=True)
class Outage:
    """Why the database could not do its part, and how long to wait before the next try."""

    code: str
    sentence: str
    retry_after_seconds: int = RETRY_AFTER_SECONDS


BUSY = Outage("busy", "The service is busy. Nothing was changed; please try again.")
FULL = Outage(
    "storage_full",
    "The service has no room left to write. Nothing was changed;"
    " please tell whoever runs it, and try again later.",
    FULL_RETRY_AFTER_SECONDS,
)
AWAY = Outage(
    "database_away",
    "The service cannot reach its records. Nothing was changed; please try again in a moment.",
)
LOST = Outage(
    "connection_lost",
    "The service lost its records on the way. Please look whether this was done"
    " before you try again.",
)


def outage_of(error: DBAPIError | TimeoutError) -> Outage | None:
    """Return which outage an error tells of; None when it is a fault of our own."""
    if isinstance(error, TimeoutError):
        return BUSY
    if error.connection_invalidated:
        # It may have been the answer to COMMIT that was lost.
        return LOST
    if not isinstance(error, OperationalError | InterfaceError):
        return None
    state, name = state_of(error) or "", sqlite_error_of(error)
    if state in FULL_STATES or name.startswith(FULL_SQLITE_ERRORS):
        return FULL
    if name.startswith(BUSY_SQLITE_ERRORS) or (state and not state.startswith(AWAY_STATES)):
        return BUSY
    return AWAY


def sqlite_error_of(error: DBAPIError) -> str:
    """Return SQLite's own name of an error, empty on PostgreSQL."""
    return getattr(error.orig, "sqlite_errorname", "")


def on_database_error(error: DBAPIError | TimeoutError) -> ResponseReturnValue:
    """Answer 503 when the database is busy, full or away."""
    if isinstance(error, DataError):
        # A value no column can hold, such as text with a NUL, which PostgreSQL alone refuses.
        return refusal_answer(400, "bad_request", gettext(HTTP_SENTENCES[400]))
    outage = outage_of(error)
    if outage is None:
        return on_fault(error)
    access.answer_a_stranger()
    logger.error("database_unavailable", kind=type(error).__name__, outage=outage.code)
    response = refusal_answer(503, outage.code, gettext(outage.sentence))
    response.headers["Retry-After"] = str(outage.retry_after_seconds)
    return response


def on_fault(error: Exception) -> ResponseReturnValue:
    """Answer 500 with an id that stands in the log, and nothing of the fault itself."""
    access.answer_a_stranger()
    fault_id = uuid4().hex[:12]
    logger.error("fault", fault_id=fault_id, exc_info=error)
    sentence = gettext("Something went wrong on our side. Nothing was changed.")
    return refusal_answer(500, "fault", sentence, fault_id=fault_id)


def install(app: Flask) -> None:
    """Register the answers."""

    def on_bad_form(_error: CSRFError) -> ResponseReturnValue:
        return on_refusal(BadForm())

    app.register_error_handler(Refusal, on_refusal)
    app.register_error_handler(CSRFError, on_bad_form)
    app.register_error_handler(HTTPException, on_http_error)
    app.register_error_handler(DBAPIError, on_database_error)
    app.register_error_handler(TimeoutError, on_database_error)
    app.register_error_handler(Exception, on_fault)
