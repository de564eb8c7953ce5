"""Structured logs: JSON in production, readable in development, one line a request with its id.

A line holds the route's pattern, never the path or query, because scan addresses carry codes.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from time import perf_counter
from typing import Any
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request

REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
# Names of values that must not reach a log, whoever passes them.
SECRET_NAMES = frozenset(
    ("phone", "name", "password", "token", "code", "digits", "pin", "authorization", "cookie")
)
PHONE = re.compile(r"(?<!\d)1\d{10}(?!\d)")
# PostgreSQL quotes the whole offending row after this word.
DATABASE_DETAIL = re.compile(r"DETAIL: .*")


def hide_secrets(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Blank out what must not be logged: by the value's name, and phones by their form."""
    for key, value in event.items():
        event[key] = _hidden(key, value)
    return event


def _hidden(key: str, value: Any) -> Any:
    if SECRET_NAMES.intersection(key.lower().split("_")):
        return "[hidden]"
    if isinstance(value, dict):
        return {str(name): _hidden(str(name), inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_hidden("", inner) for inner in value]
    if isinstance(value, str):
        return PHONE.sub("[phone]", DATABASE_DETAIL.sub("DETAIL: [hidden]", value))
    if isinstance(value, int) and PHONE.fullmatch(str(value)):
        return "[phone]"
    return value


def configure(*, is_json: bool, level: str) -> None:
    """Send every log line, the libraries' too, through one chain to standard error."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        hide_secrets,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if is_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger("pointsbank")
    root.handlers = [handler]
    root.setLevel(level)
    root.propagate = False


def install(app: Flask) -> None:
    """Give each request an id and one line."""
    logger = structlog.get_logger("pointsbank.request")

    @app.before_request
    def begin() -> None:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if REQUEST_ID.fullmatch(given) else uuid4().hex
        g.began = perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.get("request_id", "")
        if request.endpoint != "static":
            logger.info(
                "request",
                method=request.method,
                route=request.url_rule.rule if request.url_rule else "(none)",
                status=response.status_code,
                took_ms=round((perf_counter() - g.get("began", perf_counter())) * 1000, 1),
            )
        return response
