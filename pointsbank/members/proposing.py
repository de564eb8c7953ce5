"""A move that one branch proposes and the other confirms: two people, one at each end."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.db import Moment
from pointsbank.members.appointing import changeable
from pointsbank.members.belonging import move_member
from pointsbank.members.errors import MemberNotFound, MoveOneself, NotAHome
from pointsbank.members.models import Member
from pointsbank.members.moves_errors import (
    BelongsThere,
    MoveDecided,
    MoveOvertaken,
    MoveProposalNotFound,
    MoveProposed,
    MoveReasonMissing,
    OtherEndConfirms,
)
from pointsbank.members.moves_models import MoveProposal
from pointsbank.members.moves_queries import ProposalFile, proposal_of
from pointsbank.members.moving import GRID_KINDS, MOVERS, judge_move_day
from pointsbank.members.queries import MemberFile, member_of, role_holders_over
from pointsbank.organizations.queries import OrganizationNode, organization_by_code

# Those that wait come first; what is older than these stands in the audit trail.
PROPOSALS_MAX = 100
REASON_LENGTH_MAX = 200

# Messages stand on a higher step of the staircase: the app hands in what tells people.
TellOfMove = Callable[[Session, str, Iterable[int], dict[str, Any], datetime], None]

DECIDE = text(
    """
    UPDATE move_proposal
    SET state = :state, decided_by_id = :actor_id, decided_at = :now, decision_reason = :reason
    WHERE id = :id AND state = 'pending'
    RETURNING id
    """
).bindparams(bindparam("now", type_=Moment()))


@dataclass(frozen=True)
class WantedMove:
    """Whom to let belong where, from which local day on, and why."""

    volunteer_no: str
    organization_code: str
    on: date
    reason: str


def propose_move(
    session: Session,
    wanted: WantedMove,
    *,
    actor: Actor,
    tell_of_move: TellOfMove,
    today: date,
    now: datetime,
) -> int:
    """Propose a move as one who looks after one of its ends, and return the proposal's id.

    Those who look after the other end are told.
    Raises MoveReasonMissing, MemberNotFound, NotOverThisPerson, OrganizationNotFound, NotAHome,
    MoveOneself, BelongsThere, BadMoveDay, MoveProposed.
    """
    if not wanted.reason:
        raise MoveReasonMissing
    place = organization_by_code(session, wanted.organization_code)
    # The member's row is where two proposals, and a move, meet.
    member_id = session.scalar(
        select(Member.id).where(Member.volunteer_no == wanted.volunteer_no).with_for_update()
    )
    if member_id is None:
        raise MemberNotFound
    member = member_of(session, member_id)
    side = _side_of(session, actor, member, place)
    judge_move_day(wanted.on, today)
    waiting = select(MoveProposal.id).where(
        MoveProposal.member_id == member_id, MoveProposal.state == "pending"
    )
    if session.scalar(waiting) is not None:
        raise MoveProposed
    made = MoveProposal(
        member_id=member_id,
        from_id=member.organization_id,
        to_id=place.id,
        side=side,
        from_on=wanted.on,
        reason=wanted.reason,
        proposed_by_id=actor.member_id,
        proposed_at=now,
    )
    session.add(made)
    session.flush()
    _note(session, "propose_move", made.id, actor, now, member_id=member_id, to_id=place.id)
    other = role_holders_over(session, place.path if side == "from" else member.path, MOVERS)
    deciders = sorted(set(other) - {actor.member_id, member_id})
    tell_of_move(session, "proposed", deciders, {"proposal_id": made.id}, now)
    return made.id


def _side_of(
    session: Session, actor: Actor, member: MemberFile, place: OrganizationNode
) -> str:
    """Return the end that a move is proposed from: where the member belongs, if it may be."""
    is_from, is_to = (actor.oversees(path, *MOVERS) for path in (member.path, place.path))
    if not (is_from or is_to):
        raise MemberNotFound
    if member.id == actor.member_id:
        raise MoveOneself
    if place.kind in GRID_KINDS:
        raise NotAHome
    if place.id == member.organization_id:
        raise BelongsThere
    if is_from:
        changeable(session, actor, member.id, *MOVERS)
    return "from" if is_from else "to"


def decide_proposal(
    session: Session,
    *,
    proposal_id: int,
    actor: Actor,
    is_confirmed: bool,
    reason: str,
    tell_of_move: TellOfMove,
    today: date,
    now: datetime,
) -> str:
    """Let the other end confirm or refuse, or the proposer withdraw; return the state.

    Their repeat changes nothing. Confirmed, the member belongs there from the day on; the grid
    they live in stays.
    Raises MoveProposalNotFound, MoveOneself, OtherEndConfirms, MoveReasonMissing, MoveDecided,
    and on confirming MoveOvertaken, NotOverThisPerson, BadMoveDay, MoveTooEarly.
    """
    paths = actor.paths(*MOVERS)
    found = proposal_of(session, proposal_id, paths)
    if found is None:
        raise MoveProposalNotFound
    state = _wanted_state(found, actor, is_confirmed=is_confirmed, reason=reason)
    if (found.state, found.decided_by_id) == (state, actor.member_id):
        return state
    if found.state != "pending":
        raise MoveDecided
    values = {"id": found.id, "state": state, "actor_id": actor.member_id, "now": now}
    if session.execute(DECIDE, {**values, "reason": reason}).first() is None:
        raise MoveDecided
    if state == "confirmed":
        _carry_out(session, found, actor, today, now)
    action = {"confirmed": "confirm", "refused": "refuse", "withdrawn": "withdraw"}[state]
    _note(session, f"{action}_move", found.id, actor, now, member_id=found.member_id)
    facts = {"proposal_id": found.id, "place": found.to_name}
    if state != "withdrawn":
        tell_of_move(session, state, [found.proposed_by_id], facts, now)
    if state == "confirmed":
        tell_of_move(session, "done", [found.member_id], facts, now)
    return state


def _wanted_state(found: ProposalFile, actor: Actor, *, is_confirmed: bool, reason: str) -> str:
    """Return what a person's word makes of a proposal, if it is theirs to say."""
    if actor.member_id == found.member_id:
        raise MoveOneself
    if actor.member_id == found.proposed_by_id:
        if is_confirmed:
            raise OtherEndConfirms
        return "withdrawn"
    if not found.is_decided_from(actor.paths(*MOVERS)):
        raise OtherEndConfirms
    if not is_confirmed and not reason:
        raise MoveReasonMissing
    return "confirmed" if is_confirmed else "refused"


def _carry_out(
    session: Session, found: ProposalFile, actor: Actor, today: date, now: datetime
) -> None:
    """Move the member as proposed, if they still belong where they did."""
    locked = session.execute(
        select(Member.organization_id, Member.grid_id)
        .where(Member.id == found.member_id)
        .with_for_update()
    ).one()
    if locked.organization_id != found.from_id:
        raise MoveOvertaken
    if found.side == "to":
        changeable(session, actor, found.member_id, *MOVERS)
    judge_move_day(found.from_on, today)
    move_member(
        session,
        member_id=found.member_id,
        organization_id=found.to_id,
        grid_id=locked.grid_id,
        on=found.from_on,
        now=now,
    )


def _note(
    session: Session, action: str, proposal_id: int, actor: Actor, now: datetime, **facts: int
) -> None:
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action=action,
        subject=("move_proposal", proposal_id),
        **facts,
    )
