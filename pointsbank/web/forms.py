"""What a page does with a form: reads it, and says what was done or why it was not."""

from collections.abc import Callable

from flask import current_app, flash, request

from pointsbank.core.errors import Conflict, Invalid, NotAllowed, TooMany
from pointsbank.core.settings import Settings
from pointsbank.core.text import cleaned, halfwidth
from pointsbank.web.contract import ID_MAX
from pointsbank.web.errors import sentence_of

NUMBER_TYPED_MAX = 20
KEY_TYPED_MAX = 200


def settings() -> Settings:
    """Return the settings of this service."""
    found: Settings = current_app.extensions["settings"]
    return found


def typed(name: str, length_max: int) -> str:
    """Return one line of a form, cleaned and cut."""
    # Invisible characters are gone only after cleaning, so a little more is looked at.
    return cleaned(request.form.get(name, "")[: 4 * length_max])[:length_max]


def typed_id(name: str) -> int | None:
    """Return the id of a row that a form names, None for what no row can have."""
    text = request.form.get(name, "")
    if not text.isascii() or not text.isdigit() or len(text) > len(str(ID_MAX)):
        return None
    return int(text) if 1 <= int(text) <= ID_MAX else None


def typed_whole(name: str, most: int) -> int | None:
    """Return a whole number from 1 as it was typed, full-width digits too; None for others."""
    text = halfwidth(typed(name, NUMBER_TYPED_MAX))
    if not text.isascii() or not text.isdigit():
        return None
    return int(text) if 1 <= int(text) <= most else None


def drawn_key() -> str | None:
    """Return the key that was drawn when this form was printed, None for a form not ours."""
    key = typed("idempotency_key", KEY_TYPED_MAX)
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        return None
    return f"form:{key}"


def attempt(act: Callable[[], object], done: str) -> bool:
    """Carry out an act, leave a sentence for the next page, and tell whether it was done.

    What is not found stays a refusal: its page does not exist either.
    """
    try:
        act()
    except (Invalid, Conflict, NotAllowed, TooMany) as refusal:
        flash(sentence_of(refusal), "error")
        return False
    flash(done, "success")
    return True
