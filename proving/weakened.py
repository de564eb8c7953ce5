"""The readers of codes with one check removed: what a proof must find, or it proves nothing."""

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from pointsbank.attendance import codes as attendance_codes
from pointsbank.core import codes as core_codes
from pointsbank.members import codes as member_codes
from pointsbank.members import showing

Patches = list[tuple[Any, str, Any]]


class _Anything(str):
    """A digit that is every digit."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, _other: object) -> bool:
        return True


def _loosely(text: str) -> bytes:
    """Read base32 as the library does, whatever the last bits of the last letter are."""
    upper = text.upper()
    return base64.b32decode(upper + "=" * (-len(upper) % 8))


def _cut(text: str) -> str:
    stripped = text.strip()[: core_codes.TEXT_LENGTH_MAX]
    if not stripped.isascii():
        raise core_codes.NotACode
    return stripped


def _whatever_letters(text: str) -> str:
    if len(text) > core_codes.TEXT_LENGTH_MAX:
        raise core_codes.NotACode
    return text.strip()


def _own_header(purpose: core_codes.Purpose) -> Any:
    """Return a header that equals every other."""

    class AnyHeader(bytes):
        __hash__ = bytes.__hash__

        def __eq__(self, _other: object) -> bool:
            return True

    return AnyHeader(bytes([core_codes.VERSION << 6 | purpose]))


CHECKS: dict[str, Callable[[], Patches]] = {
    "MAC": lambda: [(core_codes, "same", lambda _one, _other: True)],
    "key id": lambda: [(core_codes, "header_of", _own_header)],
    "one spelling": lambda: [(core_codes, "unbase32", _loosely)],
    "plain letters": lambda: [(core_codes, "plain", _whatever_letters)],
    "length": lambda: [(core_codes, "plain", _cut)],
    "time of a venue code": lambda: [(attendance_codes, "VENUE_SLOTS", range(-3, 2))],
    "time of a personal code": lambda: [(attendance_codes, "PERSONAL_STEPS", range(-2, 3))],
    "direction": lambda: [(attendance_codes, "DIRECTIONS", ("in", "out", "either", "in"))],
    "check digit": lambda: [(member_codes, "check_digit", lambda _digits: _Anything())],
    "purpose at a till": lambda: [
        (showing, "_redemption_number", lambda _text, _secret: "123456789012345")
    ],
}


@contextmanager
def without(check: str) -> Iterator[None]:
    """Let the readers go without one of CHECKS until the block ends."""
    patches = [patch.object(*each) for each in CHECKS[check]()]
    for each in patches:
        each.start()
    try:
        yield
    finally:
        for each in patches:
            each.stop()
