"""Who may change whom: pure judgements over paths."""

from collections.abc import Iterable

from pointsbank.organizations.queries import in_scope


def may_change(actor_paths: Iterable[str], administered: Iterable[str]) -> bool:
    """Tell whether roles over actor_paths suffice to change an administrator of these paths.

    Nobody changes a person who administers more than they oversee themselves; a person who
    administers nothing may be changed by everyone in whose scope they are.
    """
    mine = tuple(actor_paths)
    return all(in_scope(path, mine) for path in administered)
