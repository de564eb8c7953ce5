"""Hands the inbox, a higher step, to those who record honours or propose moves."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session

from pointsbank.messages.service import tell_each

TellPeople = Callable[[Session, str, Iterable[int], dict[str, Any], datetime], None]


def _teller(subject: str, id_name: str, kind: str) -> TellPeople:
    """Return what tells people of an event of this subject, which the facts name by its id."""

    def tell(
        session: Session,
        event: str,
        member_ids: Iterable[int],
        facts: dict[str, Any],
        now: datetime,
    ) -> None:
        tell_each(
            session,
            key=f"{subject}:{facts[id_name]}:{event}",
            member_ids=member_ids,
            kind=f"{kind}_{event}",
            facts=facts,
            now=now,
        )

    return tell


# recorded, confirmed, rejected
tell_of_honour = _teller("honour", "honour_id", "honour")
# proposed, confirmed, refused, done
tell_of_move = _teller("move_proposal", "proposal_id", "move")


def install(app: Flask) -> None:
    """Leave the ways to the inbox where the doors of honours and of moves look for them."""
    app.extensions["tell_of_honour"] = tell_of_honour
    app.extensions["tell_of_move"] = tell_of_move
