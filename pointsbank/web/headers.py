"""Headers of every answer: what a browser may load, keep and tell others."""

from flask import Flask, Response, request

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)
HSTS = "max-age=31536000; includeSubDomains"
STATIC_SECONDS = 3600


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
            headers["Cache-Control"] = "no-store"
        if is_https:
            headers["Strict-Transport-Security"] = HSTS
        return response
