"""Keys, keyed hashes and random draws.

One secret makes every key: a key for a purpose is HMAC-SHA256(secret, purpose and its parts),
the expand step of HKDF (RFC 5869) with one block. Keys of different purposes tell nothing of
each other.
"""

import base64
import hashlib
import hmac
import secrets


def derive_key(secret: str | bytes, purpose: str, *parts: bytes) -> bytes:
    """Make the 32-byte key for one purpose and its parts, each part bound by its length."""
    message = (
        purpose.encode() + b"".join(len(part).to_bytes(2) + part for part in parts) + b"\x01"
    )
    key = secret.encode() if isinstance(secret, str) else secret
    return hmac.digest(key, message, "sha256")


def keyed_hash(secret: str, purpose: str, text: str) -> bytes:
    """Hash what must be found again but never read back, such as a session token or a code."""
    return hmac.digest(derive_key(secret, purpose), text.encode(), "sha256")


def plain_hash(text: str) -> bytes:
    """Hash a long random token, which needs no key to stay unguessable."""
    return hashlib.sha256(text.encode()).digest()


def same(one: bytes, other: bytes) -> bool:
    """Compare two digests in constant time."""
    return hmac.compare_digest(one, other)


def draw_bytes(length: int) -> bytes:
    """Draw random bytes. Doors draw; services are handed what was drawn."""
    return secrets.token_bytes(length)


def draw_token() -> str:
    """Draw a token of 256 bits for a session."""
    return secrets.token_urlsafe(32)


def draw_number(digits: int) -> str:
    """Draw a decimal number of exactly so many digits, leading zeros included."""
    return f"{secrets.randbelow(10**digits):0{digits}d}"


def base32(data: bytes) -> str:
    """Write bytes in RFC 4648 base32, upper case, without padding."""
    return base64.b32encode(data).decode().rstrip("=")


def unbase32(text: str) -> bytes:
    """Read base32 in either case, without padding.

    Raises ValueError, also for a spelling that base32() would not have written.
    """
    upper = text.upper()
    data = base64.b32decode(upper + "=" * (-len(upper) % 8))
    if base32(data) != upper:
        raise ValueError("not the one spelling of these bytes")
    return data


def draw_letters(alphabet: str, length: int) -> str:
    """Draw so many letters of an alphabet."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


def base64url(data: bytes) -> str:
    """Write bytes as a script in a page reads them, without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
