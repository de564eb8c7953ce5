"""Sets of levels: a new one from a day on, and one that is still to come taken back."""

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from pointsbank.certificates.errors import (
    BadLevels,
    LevelsNotFound,
    LevelsTooSoon,
    WholeNeeded,
)
from pointsbank.certificates.models import HOURS_MAX, MARKS_ALL, StarLevel
from pointsbank.certificates.policy import is_rising
from pointsbank.core.actor import Actor
from pointsbank.core.audit import note

# "/" is everything and "/1/" the top of the tree.
TOP_SLASHES = 2


def oversees_the_whole(actor: Actor) -> bool:
    """Tell whether somebody is an administrator of everything, or of the top of the tree."""
    return any(path.count("/") <= TOP_SLASHES for path in actor.paths("administrator"))


def set_levels(
    session: Session,
    *,
    actor: Actor,
    kind: str,
    levels: Mapping[int, int],
    valid_from: date,
    today: date,
    now: datetime,
) -> None:
    """Let a set of levels be valid from a later day on; one of the same day is replaced.

    What was applied for and awarded before keeps what was asked then.
    kind: volunteer, in hours, or organization, in marks.
    Raises WholeNeeded, LevelsTooSoon, BadLevels.
    """
    if not oversees_the_whole(actor):
        raise WholeNeeded
    if valid_from <= today:
        raise LevelsTooSoon
    if not is_rising(levels, HOURS_MAX if kind == "volunteer" else MARKS_ALL):
        raise BadLevels
    _clear(session, kind, valid_from)
    session.execute(
        insert(StarLevel),
        [
            {"kind": kind, "valid_from": valid_from, "stars": stars, "least": least}
            for stars, least in sorted(levels.items())
        ],
    )
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="set_star_levels",
        subject=("star_level", None),
        kind=kind,
        valid_from=valid_from.isoformat(),
        levels={str(stars): least for stars, least in sorted(levels.items())},
    )


def drop_levels(
    session: Session, *, actor: Actor, kind: str, valid_from: date, today: date, now: datetime
) -> None:
    """Take back a set of levels that is still to come.

    Raises WholeNeeded, LevelsNotFound.
    """
    if not oversees_the_whole(actor):
        raise WholeNeeded
    if valid_from <= today or not _clear(session, kind, valid_from):
        raise LevelsNotFound
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="drop_star_levels",
        subject=("star_level", None),
        kind=kind,
        valid_from=valid_from.isoformat(),
    )


def _clear(session: Session, kind: str, valid_from: date) -> int:
    gone = session.execute(
        delete(StarLevel)
        .where(StarLevel.kind == kind, StarLevel.valid_from == valid_from)
        .returning(StarLevel.stars)
    )
    return len(gone.all())
