"""Web: Flask tools without a domain.

Owns access, sessions' cookies, errors as answers, paging, idempotency, security headers,
languages, QR images, logs and metrics. It must never know a member's table or any room's rules.
"""
