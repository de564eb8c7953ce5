"""Messages as Standard Webhooks has them: their names, their bodies, their signatures."""

import base64
import hmac
from collections.abc import Sequence
from datetime import datetime

from pointsbank.core.keys import derive_key

SECRET_PREFIX = "whsec_"


def secret_of(service_secret: str, salt: bytes) -> bytes:
    """Return the 32 bytes that sign for the webhook with this salt; they are stored nowhere."""
    return derive_key(service_secret, "webhook", salt)


def shown(secret: bytes) -> str:
    """Write a secret as receivers' libraries read it: whsec_ and base64."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def signed_headers(
    secrets: Sequence[bytes], *, message_id: str, at: datetime, body: bytes
) -> dict[str, str]:
    """Return the three headers by which a receiver knows who sent a body, and when.

    One signature for each secret, the newest first: while a secret is changed, a receiver that
    knows either finds its own (Standard Webhooks 1.0, signature scheme v1).
    """
    timestamp = str(int(at.timestamp()))
    content = f"{message_id}.{timestamp}.".encode() + body
    signatures = [
        "v1," + base64.b64encode(hmac.digest(secret, content, "sha256")).decode()
        for secret in secrets
    ]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }
