"""What both doors of honours do alike: record or decide one, and let people hear of it."""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.members.honours import KEEPERS, NewHonour, decide_honour, record_honour
from pointsbank.members.queries import member_of, role_holders_over

# Messages stand on a higher step of the staircase: the app hands in what tells people.
TellOfHonour = Callable[[Session, str, Iterable[int], dict[str, Any], datetime], None]


def record(
    session: Session,
    tell_of_honour: TellOfHonour,
    *,
    actor: Actor,
    member_id: int,
    honour: NewHonour,
    today: date,
    now: datetime,
) -> int:
    """Record an honour, and tell those who may confirm it; return its id.

    Raises what record_honour raises.
    """
    honour_id = record_honour(
        session, actor=actor, member_id=member_id, honour=honour, today=today, now=now
    )
    keepers = set(role_holders_over(session, member_of(session, member_id).path, KEEPERS))
    facts = {"member_id": member_id, "honour_id": honour_id}
    tell_of_honour(session, "recorded", keepers - {actor.member_id, member_id}, facts, now)
    return honour_id


def decide(
    session: Session,
    tell_of_honour: TellOfHonour,
    *,
    actor: Actor,
    member_id: int,
    honour_id: int,
    is_confirmed: bool,
    reason: str,
    now: datetime,
) -> str:
    """Decide on an honour, tell its member or whoever recorded it, and return its state.

    Raises what decide_honour raises.
    """
    line = decide_honour(
        session,
        actor=actor,
        member_id=member_id,
        honour_id=honour_id,
        is_confirmed=is_confirmed,
        reason=reason,
        now=now,
    )
    facts = {"member_id": member_id, "honour_id": honour_id, "title": line.title}
    if is_confirmed:
        tell_of_honour(session, "confirmed", [member_id], facts, now)
    else:
        facts["reason"] = reason
        tell_of_honour(session, "rejected", [line.recorded_by_id], facts, now)
    return line.state
