"""The form of a reward: what was typed, as a program would send it, and what was wrong."""

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import request
from flask_babel import gettext
from marshmallow import ValidationError
from sqlalchemy.orm import Session

from pointsbank.core.money import FEN_A_YUAN
from pointsbank.core.text import cleaned_lines, halfwidth
from pointsbank.organizations.queries import lineage_of, organizations_within
from pointsbank.rewards.days import (
    MONTHDAY_MAX,
    WEEKDAYS,
    monthday_numbers,
    weekday_names,
)
from pointsbank.rewards.models import (
    CATEGORIES,
    LIMIT_PERIODS,
    LOAN_DAYS_MAX,
    REWARD_POINTS_MAX,
    STARS_MAX,
    STOCK_MAX,
)
from pointsbank.rewards.offering import OFFERED_KINDS
from pointsbank.rewards.policy import STAR_HOURS
from pointsbank.rewards.queries import RewardLine
from pointsbank.rewards.schemas import DESCRIPTION_LENGTH_MAX, NAME_LENGTH_MAX
from pointsbank.rewards.words import (
    CATEGORY_WORDS,
    KIND_WORDS,
    PERIOD_WORDS,
    WEEKDAY_WORDS,
)
from pointsbank.web.formats import form_moment
from pointsbank.web.forms import settings, typed

NUMBER_TYPED_MAX = 12
CODE_TYPED_MAX = 32
DAYS_TYPED_MAX = 120
# More organizations than people read as a list to choose from.
CHOICES_MAX = 200
WHOLE = ("points", "stock", "limit_per_member", "loan_days", "stars_min")
MOMENTS = ("valid_from", "valid_until")
CHOSEN = ("kind", "category", "limit_period")

Typed = dict[str, Any]


def typed_offer() -> Typed:
    """Return the form as it was typed."""
    return {
        "name": typed("name", 2 * NAME_LENGTH_MAX),
        "description": cleaned_lines(
            request.form.get("description", "")[: 4 * DESCRIPTION_LENGTH_MAX]
        ),
        "audience_code": typed("audience_code", CODE_TYPED_MAX),
        "market_yuan": halfwidth(typed("market_yuan", NUMBER_TYPED_MAX)),
        "monthdays": halfwidth(typed("monthdays", DAYS_TYPED_MAX)),
        "weekdays": request.form.getlist("weekdays")[: len(WEEKDAYS)],
        **{name: halfwidth(typed(name, NUMBER_TYPED_MAX)) for name in WHOLE},
        **{name: typed(name, 2 * NUMBER_TYPED_MAX) for name in (*MOMENTS, *CHOSEN)},
    }


def typed_before(reward: RewardLine, audience_code: str) -> Typed:
    """Return the form as it would have been typed for a reward that is there."""
    fen = reward.market_fen
    return {
        "name": reward.name,
        "description": reward.description,
        "audience_code": audience_code,
        "market_yuan": "" if fen is None else f"{Decimal(fen) / FEN_A_YUAN:.2f}",
        "monthdays": ", ".join(str(day) for day in monthday_numbers(reward.monthdays)),
        "weekdays": weekday_names(reward.weekdays),
        **{
            name: "" if getattr(reward, name) is None else getattr(reward, name)
            for name in WHOLE
        },
        **{name: form_moment(getattr(reward, name)) for name in MOMENTS},
        **{name: getattr(reward, name) for name in CHOSEN},
    }


def values_of(form: Typed) -> dict[str, Any]:
    """Return the form as a program would send it; local moments get their offset.

    What a form does not have is not sent: its default holds, or what was there before.
    """
    values: dict[str, Any] = {"name": form["name"], "description": form["description"]}
    values |= {name: form[name] for name in CHOSEN if form[name]}
    for name in WHOLE:
        if name in request.form:
            values[name] = number_of(form[name])
    if values.get("points", 0) is None:
        del values["points"]
    if values.get("stars_min", 0) is None:
        values["stars_min"] = 0
    values |= {name: with_offset(form[name]) if form[name] else None for name in MOMENTS}
    values["market_fen"] = fen_of(form["market_yuan"])
    values["weekdays"] = form["weekdays"]
    values["monthdays"] = days_of(form["monthdays"])
    values["audience_code"] = form["audience_code"] or None
    return values


def number_of(text: str) -> int | str | None:
    """Return the whole number that was typed, None for nothing, the text itself for others."""
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() else text


def fen_of(text: str) -> int | str | None:
    """Return an amount in yuan as fen, None for nothing, the text itself for no amount."""
    if not text:
        return None
    try:
        fen = Decimal(text) * FEN_A_YUAN
    except InvalidOperation:
        return text
    return int(fen) if fen.is_finite() and fen == int(fen) else text


def days_of(text: str) -> list[int | str]:
    """Return the days of the month that were typed, with whatever stands between them."""
    parts = "".join(each if each.isalnum() else " " for each in text).split()
    return [int(part) if part.isascii() and part.isdigit() else part for part in parts]


def with_offset(text: str) -> str:
    """Return a local moment as a browser's field gives it, with this service's offset."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=settings().zone).isoformat()
    except ValueError:
        return text


def errors_of(error: ValidationError) -> dict[str, str]:
    """Return a sentence for each field that was wrong."""
    sentences = {
        "name": gettext("A name of up to %(most)s characters.", most=NAME_LENGTH_MAX),
        "description": gettext("At most %(most)s characters.", most=DESCRIPTION_LENGTH_MAX),
        "points": gettext("A whole number from 1 to %(most)s.", most=REWARD_POINTS_MAX),
        "market_fen": gettext("An amount such as 12.50, or nothing."),
        "stock": gettext("A whole number from 0 to %(most)s, or nothing.", most=STOCK_MAX),
        "limit_per_member": gettext("A whole number from 1, or nothing."),
        "valid_from": gettext("A day and a time, or nothing."),
        "valid_until": gettext("A day and a time, or nothing."),
        "monthdays": gettext("Days from 1 to %(most)s, such as 1, 15.", most=MONTHDAY_MAX),
        "loan_days": gettext("A whole number from 1 to %(most)s.", most=LOAN_DAYS_MAX),
    }
    wrong = error.messages_dict
    found = {name: sentence for name, sentence in sentences.items() if name in wrong}
    if "market_fen" in found:
        found["market_yuan"] = found.pop("market_fen")
    # A choice of a list that is none of it was not made on this page.
    return found or {"name": gettext("Please fill the form in once more.")}


def choices(session: Session, path: str) -> dict[str, Any]:
    """Return what the form lets one choose from, at a merchant of this organization."""
    above = lineage_of(session, path)
    below = organizations_within(session, [path], limit=CHOICES_MAX)
    places = {each.code: each.name for each in [*reversed(above), *below]}
    return {
        "kinds": [(name, KIND_WORDS[name]) for name in OFFERED_KINDS],
        "categories": [(name, CATEGORY_WORDS[name]) for name in CATEGORIES],
        "periods": [(name, PERIOD_WORDS[name]) for name in LIMIT_PERIODS],
        "weekdays": [(name, WEEKDAY_WORDS[name]) for name in WEEKDAYS],
        "audiences": [("", gettext("Every member")), *places.items()],
        "stars": [(0, gettext("No stars needed"))]
        + [
            (
                stars,
                gettext(
                    "%(stars)s stars: %(hours)s hours of service", stars=stars, hours=hours
                ),
            )
            for stars, hours in enumerate(STAR_HOURS[:STARS_MAX], 1)
        ],
    }
