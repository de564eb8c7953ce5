"""The personal code, the redemption code and the card: bodies, keys and spellings. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from pointsbank.core.codes import Code, Purpose, seal
from pointsbank.core.keys import derive_key
from pointsbank.core.text import halfwidth

# Rule: docs/scanning.md. A personal code is new every 30 s; −2…+1 steps are taken
# online.
PERSONAL_STEP_SECONDS = 30
HANDLE_BYTES = 5
STEP_BYTES = 4
# The handle of no shift: a personal code for whoever may look.
GENERAL = bytes(HANDLE_BYTES)

REDEMPTION_SECONDS = 60
# Above so many points whoever's code it is says yes once more: docs/rewards.md, "Above 200
# points".
CONFIRM_ABOVE = 200
# 77 is no prefix of the payment codes that tills know: WeChat's begin with 10 to 15, Alipay's
# with 25 to 30.
REDEMPTION_PREFIX = "77"
REDEMPTION_NUMBER_DIGITS = 15
REDEMPTION_DIGITS = 18
REDEMPTION_BODY_BYTES = 7

CARD_NUMBER_BYTES = 10


@dataclass(frozen=True)
class PersonalCode:
    """What a personal code says: who, for which shift, in which step of 30 s since 1970."""

    handle: bytes
    shift_handle: bytes
    step: int


def personal_key(secret: str, handle: bytes, shift_handle: bytes = GENERAL) -> bytes:
    """Return the key of one member's codes for one shift; it fits no other member or shift."""
    return derive_key(derive_key(secret, "personal", handle), "shift", shift_handle)


def step_at(now: datetime) -> int:
    """Return the step that this moment falls in."""
    return int(now.timestamp()) // PERSONAL_STEP_SECONDS


def personal_text(secret: str, handle: bytes, shift_handle: bytes, now: datetime) -> str:
    """Return the text of the code that a member shows at this moment."""
    body = handle + shift_handle + step_at(now).to_bytes(STEP_BYTES)
    return seal(Purpose.PERSONAL, body, personal_key(secret, handle, shift_handle))


def personal_ends_at(now: datetime) -> datetime:
    """Return the moment at which the next personal code takes over."""
    return datetime.fromtimestamp((step_at(now) + 1) * PERSONAL_STEP_SECONDS, UTC)


def read_personal(code: Code) -> PersonalCode:
    """Read the body of a personal code; whether it is genuine and fresh is not judged here."""
    if code.purpose is not Purpose.PERSONAL:
        raise ValueError("not a personal code")
    body = code.body
    return PersonalCode(
        handle=body[:HANDLE_BYTES],
        shift_handle=body[HANDLE_BYTES : 2 * HANDLE_BYTES],
        step=int.from_bytes(body[2 * HANDLE_BYTES :]),
    )


def check_digit(digits: str) -> str:
    """Return the Luhn digit that belongs behind these digits (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def redemption_digits(number: str) -> str:
    """Return the 18 digits under a redemption code: 77, the 15 of its number, a check digit."""
    if len(number) != REDEMPTION_NUMBER_DIGITS:
        raise ValueError(f"a redemption number has {REDEMPTION_NUMBER_DIGITS} digits")
    body = REDEMPTION_PREFIX + number
    return body + check_digit(body)


def digits_in(text: str) -> str:
    """Return digits as typed from under a code, full-width as plain, nothing between them."""
    return re.sub(r"[\s-]", "", halfwidth(text))


def number_of_digits(digits: str) -> str | None:
    """Return the number within 18 digits, None when they are none of ours."""
    is_ours = (
        len(digits) == REDEMPTION_DIGITS
        and digits.isascii()
        and digits.isdigit()
        and digits.startswith(REDEMPTION_PREFIX)
        and check_digit(digits[:-1]) == digits[-1]
    )
    return digits[len(REDEMPTION_PREFIX) : -1] if is_ours else None


def redemption_key(secret: str) -> bytes:
    """Return the key of all redemption codes; the number inside was drawn by the server."""
    return derive_key(secret, "redemption")


def redemption_text(secret: str, number: str) -> str:
    """Return the text of the redemption code with this number of 15 digits."""
    body = int(number).to_bytes(REDEMPTION_BODY_BYTES)
    return seal(Purpose.REDEMPTION, body, redemption_key(secret))


def number_of_redemption(code: Code) -> str | None:
    """Return the 15 digits within a redemption code, None for one that was never drawn."""
    number = f"{int.from_bytes(code.body):0{REDEMPTION_NUMBER_DIGITS}d}"
    return number if len(number) == REDEMPTION_NUMBER_DIGITS else None


def card_key(secret: str) -> bytes:
    """Return the key of all paper cards."""
    return derive_key(secret, "card")


def card_number_key(secret: str) -> bytes:
    """Return the key under which numbers of cards are kept hashed: it finds cards, and makes
    none."""
    return derive_key(secret, "card number")


def card_text(secret: str, number: bytes) -> str:
    """Return the text printed on a paper card with this random number of 10 bytes."""
    return seal(Purpose.CARD, number, card_key(secret))
