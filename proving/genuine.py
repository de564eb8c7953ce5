"""Which texts are genuine codes at one moment, written a second time from docs/scanning.md.

It shares no line with the service's own reader, and never reads a code: it writes down every
code that is good at the moment and compares texts. So what the reader forgives shows here.
"""

import hashlib
import hmac
import string
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cached_property

ALPHABET = string.ascii_uppercase + "234567"
PURPOSES = {"venue": 0, "personal": 1, "redemption": 2, "card": 3, "poster": 4}
LETTERS = "SMRKP"
ADDRESSES = ("http://", "https://")
TEXT_LENGTH_MAX = 500
NUMBER_LENGTH_MAX = 20
# docs/scanning.md, "Every code is a URL": slots of 15 s and steps of 30 s, −2 … +1 of them.
SLOTS = (15, (-2, -1, 0, 1))
STEPS = (30, (-2, -1, 0, 1))
STEPS_OFFLINE = (30, (-4, -3, -2, -1, 0, 1, 2))
ANY_SHIFT = bytes(5)
DIRECTIONS = ("in", "out", "either")
MOMENT = datetime(2026, 11, 21, 13, 30, 7, tzinfo=timezone(timedelta(hours=8)))


@dataclass(frozen=True)
class Meaning:
    """What a genuine code says. number: of a redemption, its 15 digits."""

    kind: str
    member: bytes | None = None
    shift: bytes | None = None
    direction: str | None = None
    number: str | None = None


@dataclass(frozen=True)
class World:
    """The people and shifts that codes are about, and the moment at which they are shown."""

    secret: str = "a key that only tests know, of fair length"
    at: datetime = MOMENT
    members: tuple[bytes, ...] = (b"\x01\x02\x03\x04\x05", b"\xa1\xb2\xc3\xd4\xe5")
    shifts: tuple[bytes, ...] = (b"\x0a\x0b\x0c\x0d\x0e", b"\xf1\xe2\xd3\xc4\xb5")
    cards: tuple[bytes, ...] = (bytes(range(10)), bytes(range(250, 240, -1)))
    numbers: tuple[str, ...] = ("123456789012345", "000000000000007")
    offline: bool = False

    @cached_property
    def good(self) -> dict[str, Meaning]:
        """Every code that is genuine and fresh at the moment, as it is printed."""
        return dict(self._written(fresh=True))

    @cached_property
    def stale(self) -> list[str]:
        """Genuine codes of other moments, the nearest ones among them."""
        return [text for text, _ in self._written(fresh=False)]

    @cached_property
    def texts(self) -> list[str]:
        """The good codes in order, so that a number picks one."""
        return list(self.good)

    def _written(self, *, fresh: bool) -> Iterator[tuple[str, Meaning]]:
        steps = STEPS_OFFLINE if self.offline else STEPS
        for shift in self.shifts:
            for slot in self._times(SLOTS, fresh):
                for way, direction in enumerate(DIRECTIONS):
                    body = shift + slot.to_bytes(4, "big") + bytes([way])
                    meaning = Meaning("venue", shift=shift, direction=direction)
                    yield self.sealed("venue", body), meaning
        for member in self.members:
            for shift in (ANY_SHIFT, *self.shifts):
                for step in self._times(steps, fresh):
                    named = None if shift == ANY_SHIFT else shift
                    body = member + shift + step.to_bytes(4, "big")
                    yield self.sealed("personal", body), Meaning("personal", member, named)
        if fresh:
            yield from self._timeless()

    def _timeless(self) -> Iterator[tuple[str, Meaning]]:
        for number in self.numbers:
            body = int(number).to_bytes(7, "big")
            yield self.sealed("redemption", body), Meaning("redemption", number=number)
        for card in self.cards:
            yield self.sealed("card", card), Meaning("card")
        for shift in self.shifts:
            yield self.sealed("poster", shift), Meaning("poster", shift=shift)

    def _times(self, rule: tuple[int, tuple[int, ...]], fresh: bool) -> list[int]:
        seconds, taken = rule
        now = int(self.at.timestamp()) // seconds
        if fresh:
            return [now + each for each in taken]
        edges = (min(taken) - 1, max(taken) + 1, min(taken) - 9, max(taken) + 9, 1 - now)
        return [now + each for each in edges]

    def key_of(self, kind: str, body: bytes) -> bytes:
        """Return the key under which a body of this kind is sealed."""
        if kind == "personal":
            return derived(
                derived(self.secret.encode(), "personal", body[:5]), "shift", body[5:10]
            )
        parts = (body[:5],) if kind == "venue" else ()
        return derived(self.secret.encode(), kind, *parts)

    def sealed(
        self, kind: str, body: bytes, key: bytes | None = None, header: int | None = None
    ) -> str:
        """Write a code; key and header are the right ones unless given."""
        first = 0b01_000_000 | PURPOSES[kind] if header is None else header
        message = bytes([first]) + body
        mac = hmac.new(key or self.key_of(kind, body), message, hashlib.sha256).digest()
        return written(message + mac[:10])

    def meaning(self, text: str) -> Meaning | None:
        """Return what a text says in one of the spellings that docs/scanning.md lists, None
        when it is no genuine code of this moment.
        """
        number = number_under(text)
        if number is not None:
            return Meaning("redemption", number=number)
        bare = spelled(text)
        return self.good.get(bare.upper()) if bare is not None else None


def derived(secret: bytes, purpose: str, *parts: bytes) -> bytes:
    """Return the key of a purpose and its parts."""
    message = purpose.encode()
    for part in parts:
        message += len(part).to_bytes(2, "big") + part
    return hmac.new(secret, message + b"\x01", hashlib.sha256).digest()


def written(data: bytes) -> str:
    """Write bytes in base32 without padding, five bits a letter."""
    letters = -(-len(data) * 8 // 5)
    value = int.from_bytes(data, "big") << (letters * 5 - len(data) * 8)
    return "".join(ALPHABET[value >> 5 * place & 31] for place in reversed(range(letters)))


def spelled(text: str) -> str | None:
    """Return the bare text of a code that may be bare or an address; None for other text."""
    stripped = text.strip()
    if len(text) > TEXT_LENGTH_MAX or any(ord(each) > 127 for each in stripped):
        return None
    lower = stripped.lower()
    for begin in ADDRESSES:
        if lower.startswith(begin):
            return _in_address(stripped[len(begin) :])
    return stripped


def _in_address(rest: str) -> str | None:
    parts = rest.split("/")
    if len(parts) == 4 and parts[3] == "":
        parts.pop()
    if len(parts) != 3 or parts[1].upper() not in tuple(LETTERS):
        return None
    host_is_visible = bool(parts[0]) and all("!" <= each <= "~" for each in parts[0])
    return parts[2] if host_is_visible else None


def number_under(text: str) -> str | None:
    """Return the 15 digits of a number typed from under a redemption code, None for others."""
    plain = unicodedata.normalize("NFKC", text)
    digits = "".join(each for each in plain if each != "-" and not each.isspace())
    if len(digits) != 18 or any(each not in string.digits for each in digits):
        return None
    doubled = [int(each) * 2 for each in digits[-2::-2]]
    total = sum(int(each) for each in digits[-1::-2]) + sum(
        each // 10 + each % 10 for each in doubled
    )
    return digits[2:17] if digits.startswith("77") and total % 10 == 0 else None


def digits_of(number: str) -> str:
    """Return the 18 digits under the redemption code with this number."""
    return next(
        digits
        for last in string.digits
        if number_under(digits := f"77{number}{last}") is not None
    )


def member_number(text: str) -> str | None:
    """Return a member's number as it may be typed at a station, None for other text."""
    typed = unicodedata.normalize("NFKC", text).strip()
    letters = string.ascii_letters + string.digits
    is_one = (
        1 <= len(typed) <= NUMBER_LENGTH_MAX
        and all(each in letters + "-" for each in typed)
        and typed[0] in letters
        and any(each in string.digits for each in typed)
    )
    return typed if is_one else None
