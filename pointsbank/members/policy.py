"""Who may change whom, and how old somebody is: pure judgements."""

import re
from collections.abc import Iterable
from datetime import date

from pointsbank.organizations.queries import in_scope

# Older than anyone who ever lived here; a wrong century is noticed.
BORN_YEARS_MAX = 120
# As people and spreadsheets write a day: 1953-04-05, 1953/4/5, 1953年4月5日, 19530405.
# Who appoints, and to which one role a secretary may.
APPOINTERS = ("administrator", "secretary")
COMMITTEE = "committee"
DAY = re.compile(
    r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{2})(\d{2}))(?:[T ]00:00:00)?", re.ASCII
)


def may_change(actor_paths: Iterable[str], administered: Iterable[str]) -> bool:
    """Tell whether roles over actor_paths suffice to change an administrator of these paths.

    Nobody changes a person who administers more than they oversee themselves; a person who
    administers nothing may be changed by everyone in whose scope they are.
    """
    mine = tuple(actor_paths)
    return all(in_scope(path, mine) for path in administered)


def appointing_roles(role: str) -> tuple[str, ...]:
    """Return the roles that may give this role and take it back, over the place it is for.

    Rule: research/domain.md 0.9: the branch committee confirms grades; its secretary and the
    administrators say who sits on it.
    """
    return APPOINTERS if role == COMMITTEE else APPOINTERS[:1]


def age_on(born_on: date, on: date) -> int:
    """Return how many whole years old somebody is on a day, 0 before their birth."""
    has_birthday_ahead = (on.month, on.day) < (born_on.month, born_on.day)
    return max(0, on.year - born_on.year - has_birthday_ahead)


def may_be_birth_day(born_on: date, today: date) -> bool:
    """Tell whether somebody alive today can have been born on this day."""
    return born_on <= today and age_on(born_on, today) <= BORN_YEARS_MAX


def day_from(text: str) -> date | None:
    """Return the day that somebody wrote in a table, None for what is none."""
    found = DAY.fullmatch(text)
    if found is None:
        return None
    year, *rest = (int(part) for part in found.groups() if part is not None)
    try:
        return date(year, *rest)
    except ValueError:
        return None
