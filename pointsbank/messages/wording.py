"""How a kind of message is worded: its sentence, and where it leads."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Words:
    """A kind's sentence with %(fact)s places, the view it leads to, and the facts that view's
    address takes.

    A fact is written by its name: …_on is an ISO day, …_at and …_by an ISO moment, minutes a
    length of time, month an ISO month; every other number gets its commas and its minus sign.
    """

    sentence: Any
    endpoint: str | None = None
    address: tuple[str, ...] = ()
