"""Redemption days: on a row bits of two numbers, among people names of weekdays and days."""

from collections.abc import Iterable

# As in RFC 5545; bit n of a reward's weekdays is the nth of these.
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MONTHDAY_MAX = 31


def weekday_bits(names: Iterable[str]) -> int:
    """Return the number a reward keeps for these weekdays.

    Raises ValueError for a name that is none.
    """
    return sum(1 << WEEKDAYS.index(name) for name in set(names))


def weekday_names(bits: int) -> list[str]:
    """Return the weekdays of a reward's number, from Monday on."""
    return [name for place, name in enumerate(WEEKDAYS) if bits >> place & 1]


def monthday_bits(days: Iterable[int]) -> int:
    """Return the number a reward keeps for these days of the month, 1 to 31."""
    return sum(1 << day for day in set(days))


def monthday_numbers(bits: int) -> list[int]:
    """Return the days of the month of a reward's number, from the first on."""
    return [day for day in range(1, MONTHDAY_MAX + 1) if bits >> day & 1]
