"""Two administrators of everything, who write and publish standards."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor, Grant
from pointsbank.scoring.drafting import draft_standard
from pointsbank.scoring.starting import beginning
from tests.builders import a_member, with_role
from tests.moments import NOON

TODAY = NOON.date()


@dataclass(frozen=True)
class Keepers:
    """Who drafts and who publishes."""

    one: Actor
    other: Actor


def some_keepers(session: Session) -> Keepers:
    """Make two administrators of everything."""
    ids = [
        with_role(session, a_member(session, name), "administrator") for name in ("甲", "乙")
    ]
    return Keepers(*(Actor(each, "", 0, 0, (Grant("administrator", "/"),)) for each in ids))


def a_draft(session: Session, actor: Actor, plain: Any = None, source: str = "in_force") -> int:
    """Make a draft of the version in force, or of what is given."""
    content = beginning(session, source, today=TODAY) if plain is None else plain
    return draft_standard(session, actor=actor, plain=content, today=TODAY, now=NOON)
