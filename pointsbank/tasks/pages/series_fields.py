"""What the forms of series and of single dates have in common: fields read, faults told."""

from collections.abc import Callable
from datetime import date
from typing import Any

from flask_babel import gettext
from marshmallow import Schema, ValidationError

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.errors import Conflict, Invalid
from pointsbank.core.keys import draw_bytes
from pointsbank.core.text import halfwidth
from pointsbank.tasks.models import HANDLE_BYTES, PLACES_MAX
from pointsbank.tasks.recurrence import WEEKDAYS
from pointsbank.tasks.schemas import MINUTES_A_DAY
from pointsbank.tasks.series_form import NTH
from pointsbank.tasks.series_queries import WEEKS_AHEAD_MAX
from pointsbank.tasks.series_schemas import weekday_words
from pointsbank.web.access import current_actor
from pointsbank.web.errors import sentence_of
from pointsbank.web.forms import settings, typed

FIELD_LENGTH = 120
RULE_FIELDS = ("repeats", "every", "month_days", "last_day", "nth", "nth_day")
PLAN_FIELDS = ("ends_on", "weeks_ahead", "starts", "lasts_minutes", "place_name", "from_on")
Problems = list[tuple[str, str]]


def paths() -> tuple[str, ...]:
    """Return what the person organizes."""
    return current_actor().paths("organizer")


def draw_handle() -> bytes:
    """Draw the random name of a shift."""
    return draw_bytes(HANDLE_BYTES)


def today() -> date:
    """Return the local day."""
    return local_day(clock.now(), settings().zone)


def typed_fields() -> dict[str, str]:
    """Return the fields of a rule and a plan as typed."""
    names = (*RULE_FIELDS, *PLAN_FIELDS, *(f"weekday_{day}" for day in WEEKDAYS))
    return {name: typed(name, FIELD_LENGTH) for name in names}


def whole(text: str) -> int | str:
    """Return a whole number as it was typed, or the text that is none."""
    digits = halfwidth(text)
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= 9
    return int(digits) if is_number else text


def loaded(schema: Schema, values: dict[str, Any]) -> dict[str, Any]:
    """Return a form's values as a program would have sent them; what was left out stays out.

    Raises ValidationError.
    """
    given = {name: value for name, value in values.items() if value not in ("", None)}
    body: dict[str, Any] = schema.load(given)
    return body


def problems_of(error: ValidationError) -> Problems:
    """Return the fields that were wrong, each with a sentence."""
    sentences = {
        "ends_on": gettext("A day, such as 2026-12-31."),
        "from_on": gettext("A day, such as 2026-12-31."),
        "since": gettext("A day, such as 2026-12-31."),
        "until": gettext("A day, such as 2026-12-31."),
        "weekdays": gettext("Please choose on which weekdays."),
        "weeks_ahead": gettext("A whole number from 1 to %(most)s.", most=WEEKS_AHEAD_MAX),
        "starts": gettext("A time, such as 08:30."),
        "starts_at": gettext("The day and time it begins."),
        "ends_at": gettext("The day and time it ends."),
        "lasts_minutes": gettext("A whole number from 1 to %(most)s.", most=MINUTES_A_DAY),
        "place_name": gettext("Where people meet, in up to 120 characters."),
        "roles": gettext("A whole number from 1 to %(most)s.", most=PLACES_MAX),
    }
    wrong: Any = error.messages_dict
    found = [(name, str(text)) for name, text in sentences.items() if name in wrong]
    return found or [("", str(gettext("Some fields are not right.")))]


def tried(act: Callable[[], Any]) -> tuple[Any, Problems]:
    """Carry out what a form asks; return its answer, or what is wrong with the form."""
    try:
        return act(), []
    except ValidationError as error:
        return None, problems_of(error)
    except (Invalid, Conflict) as refusal:
        return None, [("", sentence_of(refusal))]


def rule_choices() -> dict[str, Any]:
    """Return the choices of the part of a form that asks for a rule."""
    order = (
        gettext("first"),
        gettext("second"),
        gettext("third"),
        gettext("fourth"),
        gettext("last"),
    )
    days = [(name, weekday_words((number,))) for number, name in enumerate(WEEKDAYS)]
    return {"days": days, "nth": list(zip(NTH, map(str, order), strict=True))}
