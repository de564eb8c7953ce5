"""Who may change whom, and how old somebody is: pure judgements."""

from collections.abc import Iterable
from datetime import date

from pointsbank.organizations.queries import in_scope


def may_change(actor_paths: Iterable[str], administered: Iterable[str]) -> bool:
    """Tell whether roles over actor_paths suffice to change an administrator of these paths.

    Nobody changes a person who administers more than they oversee themselves; a person who
    administers nothing may be changed by everyone in whose scope they are.
    """
    mine = tuple(actor_paths)
    return all(in_scope(path, mine) for path in administered)


def age_on(born_on: date, on: date) -> int:
    """Return how many whole years old somebody is on a day, 0 before their birth."""
    has_birthday_ahead = (on.month, on.day) < (born_on.month, born_on.day)
    return max(0, on.year - born_on.year - has_birthday_ahead)
