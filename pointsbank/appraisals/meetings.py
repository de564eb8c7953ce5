"""A branch's democratic appraisal: ballots on paper, counted by one, confirmed by another."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import bindparam, insert, select, text, update
from sqlalchemy.orm import Session

from pointsbank.appraisals.errors import (
    AnotherPersonNeeded,
    AppraisalStands,
    CountedTwice,
    NotABranch,
    NotOfThisBranch,
    PaperDecided,
    PaperNotInForce,
    TooManyVotes,
)
from pointsbank.appraisals.meeting_queries import (
    AppraisalFile,
    appraisable_on,
    appraisal_of,
    counts_of,
)
from pointsbank.appraisals.models import AppraisalCount, AppraisalMeeting
from pointsbank.appraisals.policy import (
    DECIDERS,
    ENTERERS,
    Count,
    appraisal_hundredths,
    demand_paper_day,
    says_enough,
)
from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.db import Moment
from pointsbank.members.queries import role_holders_over
from pointsbank.messages.service import tell_each
from pointsbank.organizations.models import BRANCH_KINDS, Organization
from pointsbank.organizations.queries import organization_by_code
from pointsbank.scoring.policy import Award
from pointsbank.scoring.queries import standard_on
from pointsbank.scoring.service import negate_entry, record_entry

APPRAISAL_ITEM = "democratic_appraisal"
# Stands in the members' entries for ever, so the words stand here and in no catalog.
APPRAISAL_TITLE = "民主评议"

# Of several who decide at once, whatever they decide, exactly one finds it pending.
DECIDE = text(
    "UPDATE appraisal_meeting SET state = :state, confirmed_by_id = :by, decided_at = :now,"
    " decision_reason = :reason WHERE id = :id AND state = 'pending' RETURNING id"
).bindparams(bindparam("now", type_=Moment()))
LIFT = text(
    "UPDATE appraisal_meeting SET state = 'lifted', lifted_by_id = :by, lifted_at = :now,"
    " lift_reason = :reason WHERE id = :id AND state = 'confirmed' RETURNING id"
).bindparams(bindparam("now", type_=Moment()))


@dataclass(frozen=True)
class NewAppraisal:
    """What a branch counted on a day; ballots: how many were handed in."""

    organization_code: str
    held_on: date
    ballots: int
    counts: Sequence[Count]


def enter_appraisal(
    session: Session, wanted: NewAppraisal, *, actor: Actor, today: date, now: datetime
) -> int:
    """Enter the counts of a branch within the actor's scope, and return the appraisal's id.

    Nothing counts yet; those who may decide are told.
    Raises OrganizationNotFound, NotABranch, BadPaperDay, CountedTwice, NotOfThisBranch,
    TooManyVotes, AppraisalStands.
    """
    place = organization_by_code(session, wanted.organization_code, actor.paths(*ENTERERS))
    if place.kind not in BRANCH_KINDS:
        raise NotABranch
    demand_paper_day(wanted.held_on, today)
    # Two who enter the same meeting at once, or a double click, meet at the branch.
    session.execute(
        select(Organization.id)
        .where(Organization.id == place.id)
        .with_for_update(key_share=True)
    )
    _judge_counts(session, wanted, place.id)
    if _stands(session, place.id, wanted.held_on):
        raise AppraisalStands
    appraisal_id = session.execute(
        insert(AppraisalMeeting)
        .values(
            organization_id=place.id,
            held_on=wanted.held_on,
            ballots=wanted.ballots,
            entered_by_id=actor.member_id,
            entered_at=now,
        )
        .returning(AppraisalMeeting.id)
    ).scalar_one()
    rows = [{"meeting_id": appraisal_id, **vars(count)} for count in wanted.counts]
    session.execute(insert(AppraisalCount), rows)
    deciders = set(role_holders_over(session, place.path, DECIDERS))
    tell_each(
        session,
        key=f"appraisal:{appraisal_id}:entered",
        member_ids=deciders - {actor.member_id},
        kind="appraisal_entered",
        facts={"appraisal_id": appraisal_id},
        now=now,
    )
    _note(session, appraisal_id, "enter_appraisal", actor, now)
    return appraisal_id


def _judge_counts(session: Session, wanted: NewAppraisal, organization_id: int) -> None:
    ids = [count.member_id for count in wanted.counts]
    if len(set(ids)) != len(ids):
        raise CountedTwice
    theirs = appraisable_on(session, organization_id, wanted.held_on)
    if not ids or not set(ids) <= {each.member_id for each in theirs}:
        raise NotOfThisBranch
    if any(count.cast > wanted.ballots for count in wanted.counts):
        raise TooManyVotes(ballots=wanted.ballots)


def _stands(session: Session, organization_id: int, held_on: date) -> bool:
    standing = select(AppraisalMeeting.id).where(
        AppraisalMeeting.organization_id == organization_id,
        AppraisalMeeting.held_on == held_on,
        AppraisalMeeting.state.in_(("pending", "confirmed")),
    )
    return session.scalar(standing) is not None


def decide_appraisal(
    session: Session,
    *,
    appraisal_id: int,
    actor: Actor,
    is_confirmed: bool,
    reason: str,
    now: datetime,
) -> str:
    """Confirm or refuse the counts as a second person, and return the appraisal's state.

    Confirmed, each member about whom at least half of the ballots said something gets a score
    entry of the standard in force on that day.
    Raises AppraisalNotFound, AnotherPersonNeeded, PaperDecided, NoStandard.
    """
    found = _judged(session, appraisal_id, actor)
    state = "confirmed" if is_confirmed else "refused"
    values = {"by": actor.member_id, "now": now, "reason": reason}
    decided = session.execute(DECIDE, {"id": appraisal_id, "state": state, **values}).first()
    if decided is None:
        raise PaperDecided
    session.expire_all()
    if is_confirmed:
        _carry_out(session, found, now)
    _note(session, appraisal_id, f"{state}_appraisal", actor, now)
    return state


def lift_appraisal(
    session: Session, *, appraisal_id: int, actor: Actor, reason: str, now: datetime
) -> None:
    """Take a confirmed appraisal back, with every entry it gave; whoever entered it cannot.

    Raises AppraisalNotFound, AnotherPersonNeeded, PaperNotInForce.
    """
    _judged(session, appraisal_id, actor)
    values = {"id": appraisal_id, "by": actor.member_id, "now": now, "reason": reason}
    if session.execute(LIFT, values).first() is None:
        raise PaperNotInForce
    session.expire_all()
    for count in counts_of(session, appraisal_id):
        cause = f"appraisal:{appraisal_id}:{count.member_id}"
        negate_entry(session, cause=f"lift:{cause}", of_cause=cause, now=now)
    _note(session, appraisal_id, "lifted_appraisal", actor, now)


def _judged(session: Session, appraisal_id: int, actor: Actor) -> AppraisalFile:
    found = appraisal_of(session, appraisal_id, actor.paths(*DECIDERS))
    if actor.member_id == found.entered_by_id:
        raise AnotherPersonNeeded
    return found


def _carry_out(session: Session, found: AppraisalFile, now: datetime) -> None:
    item = standard_on(session, found.held_on).item(APPRAISAL_ITEM)
    for line in counts_of(session, found.id):
        count = Count(
            line.member_id, line.excellent, line.qualified, line.basic, line.unqualified
        )
        if not says_enough(count, found.ballots):
            continue
        hundredths = appraisal_hundredths(count, item.evaluation_hundredths)
        entry_id = record_entry(
            session,
            cause=f"appraisal:{found.id}:{line.member_id}",
            member_id=line.member_id,
            organization_id=found.organization_id,
            item=item,
            award=Award(evaluation_hundredths=hundredths),
            title=APPRAISAL_TITLE,
            earned_on=found.held_on,
            now=now,
        )
        session.execute(
            update(AppraisalCount)
            .where(
                AppraisalCount.meeting_id == found.id,
                AppraisalCount.member_id == line.member_id,
            )
            .values(entry_id=entry_id)
        )


def _note(
    session: Session, appraisal_id: int, action: str, actor: Actor, now: datetime
) -> None:
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action=action,
        subject=("appraisal_meeting", appraisal_id),
    )
