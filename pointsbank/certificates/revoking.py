"""A star taken back for cheating: asked for, decided by a second person, with a bar."""

from datetime import date, datetime

from sqlalchemy import Date, bindparam, insert, select, text
from sqlalchemy.orm import Session

from pointsbank.certificates.applying import KEEPERS, refuse
from pointsbank.certificates.errors import (
    OwnStar,
    RevocationAsked,
    RevocationDecided,
    SecondPersonForStar,
    StarApplicationMoved,
)
from pointsbank.certificates.models import StarRevocation
from pointsbank.certificates.policy import BARRED, years_after
from pointsbank.certificates.queries import (
    RevocationFile,
    application_of,
    applications_of_member,
    revocation_of,
)
from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.db import Moment
from pointsbank.members.queries import role_holders_over
from pointsbank.messages.service import tell, tell_each

# Of several decisions exactly one finds it pending.
DECIDE = text(
    """
    UPDATE star_revocation
    SET state = :state, decided_by_id = :actor_id, decided_at = :now,
        decision_reason = :reason, barred_until = :barred_until
    WHERE id = :id AND state = 'pending'
    RETURNING id
    """
).bindparams(bindparam("now", type_=Moment()), bindparam("barred_until", type_=Date()))
REVOKE = text(
    "UPDATE star_application SET state = 'revoked' WHERE id = :id AND state = 'awarded'"
    " RETURNING id"
)


def ask_revocation(
    session: Session,
    *,
    actor: Actor,
    application_id: int,
    reason: str,
    bar_years: int,
    now: datetime,
) -> int:
    """Ask that an awarded star is taken back, and tell who may decide it; return the id.

    bar_years: for how long its member may not apply again, one to three.
    Raises StarApplicationNotFound, OwnStar, StarApplicationMoved, RevocationAsked.
    """
    found = application_of(session, application_id, actor.paths(*KEEPERS))
    if found.member_id == actor.member_id:
        raise OwnStar
    if found.state != "awarded":
        raise StarApplicationMoved
    pending = session.scalar(
        select(StarRevocation.id).where(
            StarRevocation.application_id == application_id, StarRevocation.state == "pending"
        )
    )
    if pending is not None:
        raise RevocationAsked
    revocation_id = session.execute(
        insert(StarRevocation)
        .values(
            application_id=application_id,
            member_id=found.member_id,
            reason=reason,
            bar_years=bar_years,
            asked_by_id=actor.member_id,
            asked_at=now,
        )
        .returning(StarRevocation.id)
    ).scalar_one()
    deciders = set(role_holders_over(session, found.path, KEEPERS))
    tell_each(
        session,
        key=f"star_revocation:{revocation_id}:asked",
        member_ids=deciders - {actor.member_id, found.member_id},
        kind="star_revocation_asked",
        facts={"application_id": application_id},
        now=now,
    )
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="ask_star_revocation",
        subject=("star_application", application_id),
        revocation_id=revocation_id,
        bar_years=bar_years,
    )
    return revocation_id


def decide_revocation(
    session: Session,
    *,
    actor: Actor,
    revocation_id: int,
    is_confirmed: bool,
    reason: str,
    today: date,
    now: datetime,
) -> str:
    """Confirm or reject a revocation as its second person, and return its state.

    Confirmed: the star is revoked, its number says so, and the member is barred from today on;
    what they applied for meanwhile is refused.
    Raises RevocationNotFound, SecondPersonForStar, RevocationDecided.
    """
    found = revocation_of(session, revocation_id, actor.paths(*KEEPERS))
    if actor.member_id in (found.asked_by_id, found.member_id):
        raise SecondPersonForStar
    state = "confirmed" if is_confirmed else "rejected"
    until = years_after(today, found.bar_years) if is_confirmed else None
    values = {
        "id": revocation_id,
        "state": state,
        "actor_id": actor.member_id,
        "reason": reason,
        "barred_until": until,
        "now": now,
    }
    if session.execute(DECIDE, values).first() is None:
        raise RevocationDecided
    if until is not None:
        _carry_out(session, found, actor.member_id, until, now)
    tell(
        session,
        key=f"star_revocation:{revocation_id}:decided",
        member_id=found.asked_by_id,
        kind=f"star_revocation_{state}",
        facts={"application_id": found.application_id},
        now=now,
    )
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action=f"star_revocation_{state}",
        subject=("star_application", found.application_id),
        revocation_id=revocation_id,
    )
    return state


def _carry_out(
    session: Session, found: RevocationFile, actor_id: int, until: date, now: datetime
) -> None:
    if session.execute(REVOKE, {"id": found.application_id}).first() is None:
        raise RevocationDecided
    for each in applications_of_member(session, found.member_id):
        if each.state in ("applied", "noticed"):
            refuse(session, each, was=each.state, by_id=actor_id, reason=BARRED, now=now)
    tell(
        session,
        key=f"star:{found.application_id}:revoked",
        member_id=found.member_id,
        kind="star_revoked",
        facts={"stars": found.stars, "reason": found.reason, "until_on": until.isoformat()},
        now=now,
    )
