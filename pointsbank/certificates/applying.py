"""An application for a star: made and withdrawn by its member, refused by who decides."""

from datetime import date, datetime

from sqlalchemy import bindparam, insert, text
from sqlalchemy.orm import Session

from pointsbank.certificates.errors import (
    ApplicantBarred,
    OwnStar,
    StarApplicationMoved,
    StarAppliedFor,
    StarHeld,
    StarNotReached,
)
from pointsbank.certificates.models import OPEN_STATES, StarApplication
from pointsbank.certificates.policy import MINUTES_AN_HOUR, OWN_REASONS
from pointsbank.certificates.queries import (
    ApplicationFile,
    application_of,
    applications_of_member,
    barred_until,
    levels_on,
    own_application,
    stars_held,
)
from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.db import Moment
from pointsbank.members.queries import member_of, role_holders_over
from pointsbank.messages.service import tell, tell_each
from pointsbank.scoring.queries import service_minutes_of

KEEPERS = ("administrator", "secretary")
READERS = (*KEEPERS, "auditor")

# The guards: of a withdrawal, a refusal, a notice and an award one finds the state it asks for.
WITHDRAW = text(
    """
    UPDATE star_application SET state = 'withdrawn', decided_at = :now
    WHERE id = :id AND state IN ('applied', 'noticed')
    RETURNING id
    """
).bindparams(bindparam("now", type_=Moment()))
REFUSE = text(
    """
    UPDATE star_application
    SET state = 'refused', decided_by_id = :actor_id, decided_at = :now,
        decision_reason = :reason
    WHERE id = :id AND state = :was
    RETURNING id
    """
).bindparams(bindparam("now", type_=Moment()))


def apply_for_star(
    session: Session, *, member_id: int, stars: int, today: date, now: datetime
) -> int:
    """Apply for a star that the member's service time reaches today, and return the id.

    Nothing is awarded yet: it is shown in public first. Twice at once: the second breaks a
    unique index, and core.db.run tries again and finds the first.
    Raises ApplicantBarred, StarAppliedFor, StarHeld, StarNotReached.
    Rule: research/domain.md 2.1: applied for, never automatic.
    """
    until = barred_until(session, member_id, today)
    if until is not None:
        raise ApplicantBarred(until=until.isoformat())
    before = applications_of_member(session, member_id)
    if any(each.state in OPEN_STATES for each in before):
        raise StarAppliedFor
    if stars_held(session, member_id) >= stars:
        raise StarHeld
    hours_needed = levels_on(session, "volunteer", today)[stars]
    minutes = service_minutes_of(session, member_id)
    if minutes < MINUTES_AN_HOUR * hours_needed:
        raise StarNotReached(hours=hours_needed, done=minutes // MINUTES_AN_HOUR)
    member = member_of(session, member_id)
    application_id = session.execute(
        insert(StarApplication)
        .values(
            member_id=member_id,
            organization_id=member.organization_id,
            stars=stars,
            hours_needed=hours_needed,
            service_minutes=minutes,
            applied_at=now,
        )
        .returning(StarApplication.id)
    ).scalar_one()
    _tell_keepers(session, member.path, application_id, member_id, now)
    note(
        session,
        at=now,
        actor_id=member_id,
        action="apply_for_star",
        subject=("star_application", application_id),
        stars=stars,
    )
    return application_id


def _tell_keepers(
    session: Session, path: str, application_id: int, member_id: int, now: datetime
) -> None:
    """Tell the secretaries over the member; the administrators where nobody is secretary."""
    for role in ("secretary", "administrator"):
        others = set(role_holders_over(session, path, [role])) - {member_id}
        if others:
            break
    tell_each(
        session,
        key=f"star:{application_id}:applied",
        member_ids=others,
        kind="star_applied",
        facts={"application_id": application_id},
        now=now,
    )


def withdraw_application(
    session: Session, *, member_id: int, application_id: int, now: datetime
) -> None:
    """Withdraw one's own application before it is decided; a repeat changes nothing.

    A notice that shows it stays as it hangs; nothing is awarded when it is over.
    Raises StarApplicationNotFound, StarApplicationMoved.
    """
    own_application(session, application_id, member_id)
    if session.execute(WITHDRAW, {"id": application_id, "now": now}).first() is None:
        # Looked at after the guard: a second click at once finds what the first one did.
        if own_application(session, application_id, member_id).state != "withdrawn":
            raise StarApplicationMoved
        return
    note(
        session,
        at=now,
        actor_id=member_id,
        action="withdraw_star_application",
        subject=("star_application", application_id),
    )


def refuse_application(
    session: Session, *, actor: Actor, application_id: int, reason: str, now: datetime
) -> None:
    """Refuse an application that is in no notice yet, with a reason for its member.

    Raises StarApplicationNotFound, OwnStar, StarApplicationMoved.
    """
    found = application_of(session, application_id, actor.paths(*KEEPERS))
    if found.member_id == actor.member_id:
        raise OwnStar
    if not refuse(session, found, was="applied", by_id=actor.member_id, reason=reason, now=now):
        raise StarApplicationMoved


def refuse(
    session: Session,
    found: ApplicationFile,
    *,
    was: str,
    by_id: int | None,
    reason: str,
    now: datetime,
) -> bool:
    """Let an application in this state end as refused, and tell its member why.

    reason: what a person typed, or one of policy.OWN_REASONS. by_id: None for the job.
    False when it is in another state by now.
    """
    values = {"id": found.id, "was": was, "actor_id": by_id, "reason": reason, "now": now}
    if session.execute(REFUSE, values).first() is None:
        return False
    tell(
        session,
        key=f"star:{found.id}:refused",
        member_id=found.member_id,
        kind=f"star_refused_{reason}" if reason in OWN_REASONS else "star_refused",
        facts={"stars": found.stars, "reason": reason, "hours": found.hours_needed},
        now=now,
    )
    note(
        session,
        at=now,
        actor_id=by_id,
        action="refuse_star",
        subject=("star_application", found.id),
    )
    return True
