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


def show_code(page: Page, code: str, pin: str = "") -> None:
    """Put a code and six digits into the till's fields; nothing looks them over by itself."""
    for name, typed in {"code": code, "pin": pin}.items():
        field = page.locator(f"#till-form [name={name}]")
        field.evaluate("(field, typed) => { field.value = typed; }", typed)


def look_over(page: Page, district: District) -> None:
    """Choose a reward, show the volunteer's digits, and come to the question."""
    page.locator("input[name=reward_id]").first.check()
    show_code(page, district.redemption_digits())
    page.locator("button[form=till-form]").click()
    page.locator(".sheet form").wait_for()
