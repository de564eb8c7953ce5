"""The number on a business license, judged by its check character. Pure."""

import re

from pointsbank.core.text import halfwidth

# GB 32100-2015: eighteen characters without I, O, S, V, Z; weights are powers of 3 modulo 31.
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
LENGTH = 18
MODULUS = 31
WEIGHT_BASE = 3
# Licenses from before 2015 carry fifteen digits.
OLD = re.compile(r"\d{15}", re.ASCII)


def license_from(text: str) -> str | None:
    """Return a license's number as it is kept, None for one that was copied wrongly."""
    number = re.sub(r"[\s-]", "", halfwidth(text)).upper()
    if OLD.fullmatch(number):
        return number
    if len(number) != LENGTH or any(letter not in ALPHABET for letter in number):
        return None
    return number if check_letter(number[:-1]) == number[-1] else None


def check_letter(first: str) -> str:
    """Return the character that belongs behind the first seventeen."""
    total = sum(
        ALPHABET.index(letter) * pow(WEIGHT_BASE, place, MODULUS)
        for place, letter in enumerate(first)
    )
    return ALPHABET[-total % MODULUS]
