"""The code of a voucher: made from its order's number, read in any spelling, kept as a hash."""

import re

from pointsbank.core.keys import keyed_hash
from pointsbank.core.text import halfwidth

# Crockford's base32: no I, L, O and U, which are misread and misheard.
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LETTER_BITS = 5
# Sixty bits: nobody finds one by trying.
CODE_LETTERS = 12
GROUP_LETTERS = 4
# The letter of its address, beside those of core.codes.
ADDRESS_LETTER = "V"
TYPED_LENGTH_MAX = 200
MISREAD = str.maketrans("OIL", "011")
BETWEEN = re.compile(r"[\s-]")
IN_URL = re.compile(rf"https?://[^/\s]+/{ADDRESS_LETTER}/([^/\s]+)/?", re.IGNORECASE)


def voucher_code(secret: str, number: str) -> str:
    """Return the code of the order with this number; without the secret the number tells
    nothing of it.
    """
    value = int.from_bytes(keyed_hash(secret, "voucher code", number))
    places = range(0, CODE_LETTERS * LETTER_BITS, LETTER_BITS)
    return "".join(LETTERS[value >> place & (len(LETTERS) - 1)] for place in places)


def grouped(code: str) -> str:
    """Return a code as it is printed and read out, in groups of four."""
    return "-".join(
        code[place : place + GROUP_LETTERS] for place in range(0, len(code), GROUP_LETTERS)
    )


def read_voucher(text: str) -> str | None:
    """Return the bare code in a typed or scanned text, None when it has not the form of one.

    text: bare, in groups or as its URL, in either case; the letters O, I and L are the digits
    that they look like.
    """
    stripped = halfwidth(text).strip()[:TYPED_LENGTH_MAX]
    match = IN_URL.fullmatch(stripped)
    bare = BETWEEN.sub("", match[1] if match else stripped).upper().translate(MISREAD)
    is_code = len(bare) == CODE_LETTERS and set(bare) <= set(LETTERS)
    return bare if is_code else None


def voucher_hash(secret: str, code: str) -> bytes:
    """Return the hash under which the order of a bare code stands, whether one does or not."""
    return keyed_hash(secret, "voucher", code)


def voucher_url(public_url: str, code: str) -> str:
    """Return the URL in a voucher's QR code, in upper case as core.codes.url_of."""
    return f"{public_url.rstrip('/').upper()}/{ADDRESS_LETTER}/{code}"
