"""The form of every code we print as QR: a header, a body and a MAC, in base32, behind a URL.

header: two bits version, three bits key id, three bits purpose. The MAC is HMAC-SHA256 over
header and body, cut to 80 bits, under a key of that purpose, so no kind of code passes for
another. A body holds random handles, never a phone, a name or a row's id. Rule:
docs/scanning.md.
"""

import hmac
import re
from dataclasses import dataclass
from enum import IntEnum

from pointsbank.core.keys import base32, same, unbase32

VERSION = 1
KEY_ID = 0
MAC_BYTES = 10
TEXT_LENGTH_MAX = 500


class Purpose(IntEnum):
    """What a code is for; the number stands in its header."""

    VENUE = 0
    PERSONAL = 1
    REDEMPTION = 2
    CARD = 3
    POSTER = 4
    TILL = 5


# The path letter of each purpose; one letter keeps the QR code small.
LETTERS = {
    Purpose.VENUE: "S",
    Purpose.PERSONAL: "M",
    Purpose.REDEMPTION: "R",
    Purpose.CARD: "K",
    Purpose.POSTER: "P",
    Purpose.TILL: "T",
}
BODY_BYTES = {
    Purpose.VENUE: 10,
    Purpose.PERSONAL: 14,
    Purpose.REDEMPTION: 7,
    Purpose.CARD: 10,
    Purpose.POSTER: 5,
    Purpose.TILL: 8,
}
IN_URL = re.compile(r"https?://[!-.0-~]+/([SMRKPT])/([A-Z2-7]+)/?", re.IGNORECASE)


class NotACode(ValueError):
    """The text has not the form of one of our codes."""


@dataclass(frozen=True)
class Code:
    """A code as read: of the right form, its MAC not yet judged."""

    text: str
    purpose: Purpose
    header: bytes
    body: bytes
    mac: bytes

    def is_genuine(self, key: bytes) -> bool:
        """Tell whether the MAC was made with this key over this header and body.

        A key id that is not in use has no key, so no code under it is genuine.
        """
        is_in_use = self.header == header_of(self.purpose)
        return same(mac_of(self.header + self.body, key), self.mac) and is_in_use


def header_of(purpose: Purpose) -> bytes:
    """Return the header byte of codes made now."""
    return bytes([VERSION << 6 | KEY_ID << 3 | purpose])


def mac_of(message: bytes, key: bytes) -> bytes:
    """Return the 80-bit MAC of a header and body."""
    return hmac.digest(key, message, "sha256")[:MAC_BYTES]


def seal(purpose: Purpose, body: bytes, key: bytes) -> str:
    """Make the text of a code."""
    if len(body) != BODY_BYTES[purpose]:
        raise ValueError(f"a {purpose.name} code has a body of {BODY_BYTES[purpose]} bytes")
    message = header_of(purpose) + body
    return base32(message + mac_of(message, key))


def plain(text: str) -> str:
    """Return a text without the white space around it.

    Raises NotACode for more than TEXT_LENGTH_MAX characters, and for any that is not ASCII:
    the long s and the Kelvin sign would become ours with a change of case.
    """
    stripped = text.strip()
    if len(text) > TEXT_LENGTH_MAX or not stripped.isascii():
        raise NotACode
    return stripped


def read_code(text: str) -> Code:
    """Read a code in one of the spellings that docs/scanning.md lists.

    Raises NotACode.
    """
    stripped = plain(text)
    match = IN_URL.fullmatch(stripped)
    bare = (match[2] if match else stripped).upper()
    try:
        data = unbase32(bare)
    except ValueError as error:
        raise NotACode from error
    if not data or data[0] >> 6 != VERSION:
        raise NotACode
    try:
        purpose = Purpose(data[0] & 0b111)
    except ValueError as error:
        raise NotACode from error
    if len(data) != 1 + BODY_BYTES[purpose] + MAC_BYTES:
        raise NotACode
    return Code(bare, purpose, data[:1], data[1:-MAC_BYTES], data[-MAC_BYTES:])


def url_of(public_url: str, purpose: Purpose, text: str) -> str:
    """Return the URL a QR code holds: in upper case, which QR writes in fewer modules."""
    return f"{public_url.rstrip('/').upper()}/{LETTERS[purpose]}/{text}"
