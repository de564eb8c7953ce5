"""What a picture of a page is taken of: who opens it, where, and what is done there first."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

from tools.district import District

Act = Callable[[Page, District], None]
Before = Callable[[District], None]


@dataclass(frozen=True)
class Sight:
    """A page: who opens it, where, and what is done there before the picture.

    before: what must have happened shortly before it is opened; it may add rows.
    """

    name: str
    role: str
    path: str
    act: Act | None = None
    before: Before | None = None
