"""Headers of every answer: what a browser may load, keep and tell others."""

from collections.abc import Callable
from typing import Any, cast

from flask import Flask, Response, request

from pointsbank.web.access import View

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)
HSTS = "max-age=31536000; includeSubDomains"
STATIC_SECONDS = 3600


def cacheable(seconds: int, *, is_for_good: bool = False) -> Callable[[View], View]:
    """Let everyone's caches keep what a view answers: it is the same for all who ask.

    is_for_good: nothing else will ever stand at its address, so nobody need ask again.
    """

    def mark(view: View) -> View:
        cast(Any, view).cache_seconds = seconds
        cast(Any, view).is_cached_for_good = is_for_good
        return view

    return mark


def cache_control(app: Flask, response: Response) -> str:
    """Return how long an answer may be kept: not at all, unless its view says otherwise."""
    view = app.view_functions.get(request.endpoint or "")
    seconds: int | None = getattr(view, "cache_seconds", None)
    if seconds is None or response.status_code not in (200, 304):
        return "no-store"
    is_for_good = getattr(view, "is_cached_for_good", False)
    return f"public, max-age={seconds}" + ", immutable" * is_for_good


def install(app: Flask, *, is_https: bool) -> None:
    """Set the headers after each request."""
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = STATIC_SECONDS

    @app.after_request
    def protect(response: Response) -> Response:
        headers = response.headers
        headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        headers["X-Content-Type-Options"] = "nosniff"
        # Scan addresses carry codes: no other site may learn them.
        headers["Referrer-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(self), geolocation=(self), microphone=()"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        if request.endpoint != "static":
            headers["Cache-Control"] = cache_control(app, response)
            if headers["Cache-Control"] == "no-store":
                # What is made for one person, or for some days, belongs into no index.
                headers.setdefault("X-Robots-Tag", "noindex")
        if is_https:
            headers["Strict-Transport-Security"] = HSTS
        return response
