"""The venue code, and any code at all as a scan sees it before the database is asked. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from pointsbank.core.codes import Code, NotACode, Purpose, read_code, seal
from pointsbank.core.keys import derive_key, same
from pointsbank.core.text import halfwidth
from pointsbank.members.codes import (
    GENERAL,
    card_key,
    digits_in,
    number_of_digits,
    personal_key,
    read_personal,
    redemption_key,
    step_at,
)
from pointsbank.tasks.models import HANDLE_BYTES

# Rule: docs/scanning.md. Slots are 15 s; −2…+1 are taken: a slow page, and clocks that
# differ.
VENUE_SLOT_SECONDS = 15
VENUE_SLOTS = range(-2, 2)
# Steps of 30 s of a personal code, and those a station without a network accepted.
PERSONAL_STEPS = range(-2, 2)
PERSONAL_STEPS_OFFLINE = range(-4, 3)
SLOT_BYTES = 4
# The four digits beside a poster are new every five minutes; those before are still taken.
DIGITS_SLOT_SECONDS = 300
DIGITS_SLOTS = (0, -1)
DIGITS = 4
DIRECTIONS = ("in", "out", "either")
# Letters alone are a word, not a number.
MEMBER_NUMBER = re.compile(r"(?=[A-Za-z-]*[0-9])[0-9A-Za-z][0-9A-Za-z-]{0,19}")

KINDS = {
    Purpose.VENUE: "venue",
    Purpose.PERSONAL: "personal",
    Purpose.REDEMPTION: "redemption",
    Purpose.CARD: "card",
    Purpose.POSTER: "poster",
}


@dataclass(frozen=True)
class Sight:
    """What was held up, as far as it can be known without asking anyone.

    kind: one of models.CODE_KINDS. is_fresh: whether its time fits the moment of the scan.
    direction: what the venue code is for; None for every other kind.
    """

    kind: str
    text: str
    is_genuine: bool = False
    is_fresh: bool = True
    shift_handle: bytes | None = None
    member_handle: bytes | None = None
    direction: str | None = None


def venue_key(secret: str, shift_handle: bytes) -> bytes:
    """Return the key of one shift's venue codes; it opens no other shift's."""
    return derive_key(secret, "venue", shift_handle)


def slot_at(now: datetime) -> int:
    """Return the slot of 15 s that this moment falls in."""
    return int(now.timestamp()) // VENUE_SLOT_SECONDS


def slot_ends_at(now: datetime) -> datetime:
    """Return the moment at which the next venue code takes over."""
    return datetime.fromtimestamp((slot_at(now) + 1) * VENUE_SLOT_SECONDS, UTC)


def venue_text(secret: str, shift_handle: bytes, slot: int, direction: str) -> str:
    """Return the text of the code that the venue's screen shows in this slot."""
    body = shift_handle + slot.to_bytes(SLOT_BYTES) + bytes([DIRECTIONS.index(direction)])
    return seal(Purpose.VENUE, body, venue_key(secret, shift_handle))


def poster_key(secret: str) -> bytes:
    """Return the key of all posters."""
    return derive_key(secret, "poster")


def poster_text(secret: str, shift_handle: bytes) -> str:
    """Return the text of the code on a shift's poster; it stays the same."""
    return seal(Purpose.POSTER, shift_handle, poster_key(secret))


def digits_slot_at(now: datetime) -> int:
    """Return the slot of five minutes that this moment falls in."""
    return int(now.timestamp()) // DIGITS_SLOT_SECONDS


def digits_end_at(now: datetime) -> datetime:
    """Return the moment at which the next four digits take over."""
    return datetime.fromtimestamp((digits_slot_at(now) + 1) * DIGITS_SLOT_SECONDS, UTC)


def venue_digits(secret: str, shift_handle: bytes, slot: int) -> str:
    """Return the four digits that the venue's screen shows in this slot of five minutes."""
    key = derive_key(venue_key(secret, shift_handle), "digits", slot.to_bytes(SLOT_BYTES))
    return f"{int.from_bytes(key[:8]) % 10**DIGITS:0{DIGITS}d}"


def are_digits_right(secret: str, shift_handle: bytes, digits: str, at: datetime) -> bool:
    """Tell whether these are the digits of this moment, or those just before."""
    slot = digits_slot_at(at)
    return any(
        same(venue_digits(secret, shift_handle, slot + each).encode(), digits.encode())
        for each in DIGITS_SLOTS
    )


def look_at(text: str, *, secret: str, at: datetime, is_offline: bool = False) -> Sight:
    """Read a bare code, its URL, or the digits under a redemption code.

    at: the moment the code was held up; is_offline: whether a station without a network saw it
    then.
    """
    digits = digits_in(text)
    if number_of_digits(digits) is not None:
        # Digits carry no MAC; that they are meant for a till is all that needs to be known
        # here.
        return Sight("redemption", digits, is_genuine=True)
    try:
        code = read_code(text)
    except NotACode:
        return Sight("unknown", text)
    if code.purpose is Purpose.VENUE:
        return _venue(code, secret, at)
    if code.purpose is Purpose.PERSONAL:
        return _personal(code, secret, at, is_offline)
    if code.purpose is Purpose.TILL:
        # A shop's code means nothing where people check in, and its key is not known here.
        return Sight("unknown", text)
    keys = {
        Purpose.REDEMPTION: redemption_key(secret),
        Purpose.CARD: card_key(secret),
        Purpose.POSTER: poster_key(secret),
    }
    is_genuine = code.is_genuine(keys[code.purpose])
    handle = code.body if code.purpose is Purpose.POSTER else None
    return Sight(KINDS[code.purpose], code.text, is_genuine, shift_handle=handle)


def typed_number(sight: Sight) -> Sight:
    """Return what was typed at a station as a member's number, if it can be one.

    It proves nothing; that the person in charge sees who stands there does.
    """
    number = halfwidth(sight.text)
    if sight.kind != "unknown" or not MEMBER_NUMBER.fullmatch(number):
        return sight
    return Sight("manual", number, is_genuine=True)


def _venue(code: Code, secret: str, at: datetime) -> Sight:
    handle, rest = code.body[:HANDLE_BYTES], code.body[HANDLE_BYTES:]
    slot, way = int.from_bytes(rest[:SLOT_BYTES]), rest[SLOT_BYTES]
    is_genuine = code.is_genuine(venue_key(secret, handle)) and way < len(DIRECTIONS)
    return Sight(
        "venue",
        code.text,
        is_genuine,
        is_fresh=slot - slot_at(at) in VENUE_SLOTS,
        shift_handle=handle,
        direction=DIRECTIONS[way] if is_genuine else None,
    )


def _personal(code: Code, secret: str, at: datetime, is_offline: bool) -> Sight:
    shown = read_personal(code)
    steps = PERSONAL_STEPS_OFFLINE if is_offline else PERSONAL_STEPS
    return Sight(
        "personal",
        code.text,
        code.is_genuine(personal_key(secret, shown.handle, shown.shift_handle)),
        is_fresh=shown.step - step_at(at) in steps,
        shift_handle=None if shown.shift_handle == GENERAL else shown.shift_handle,
        member_handle=shown.handle,
    )
