"""Invitations: somebody is asked to take part, and has a place only when they accept."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from pointsbank.core.audit import note
from pointsbank.members.errors import MemberNotFound
from pointsbank.members.models import Member
from pointsbank.messages.service import tell
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import within
from pointsbank.tasks.claiming import ClaimHeld, LockedShift, claim_shift, locked_shift
from pointsbank.tasks.errors import (
    BadAnswerBy,
    InvitationAnswered,
    InvitationLapsed,
    InvitationNotFound,
    InviteesMissing,
    KeptPlacesTaken,
    NotOpen,
    RoleNotFound,
    ShiftNotFound,
)
from pointsbank.tasks.models import UNSEEN_STATES, Claim, GroupClaim, Invitation, ShiftRole

# Long enough to ask at home; who is in a hurry names an earlier moment.
ANSWER_DAYS = timedelta(days=3)
INVITEES_MAX = 200


@dataclass(frozen=True)
class Invited:
    """What became of inviting somebody: invited, or why not.

    state: invited, already_invited, has_place, waitlisted.
    """

    member_id: int
    state: str


@dataclass(frozen=True)
class Wish:
    """Whom somebody invites to what. paths: where these people belong.

    group_claim_id: the group whose kept places they may take. answer_by: None for three days.
    """

    shift_id: int
    member_ids: Sequence[int]
    invited_by_id: int
    paths: Sequence[str]
    role_id: int | None = None
    group_claim_id: int | None = None
    answer_by: datetime | None = None


def invite(session: Session, wish: Wish, *, now: datetime) -> list[Invited]:
    """Ask people to take part and tell them; nobody is assigned. Answers stand in their order.

    A repeat invites nobody twice.
    Raises InviteesMissing, MemberNotFound for anybody outside of the paths, ShiftNotFound,
    NotOpen, RoleNotFound, BadAnswerBy.
    """
    if not wish.member_ids:
        raise InviteesMissing
    shift = _shift_to_come(session, wish.shift_id, now)
    role_id = _role_of(session, wish)
    answer_by = _answer_by(session, wish, shift.starts_at, now)
    member_ids = list(dict.fromkeys(wish.member_ids))
    _check_people(session, member_ids, wish.paths)
    states = _standing(session, wish.shift_id, member_ids)
    may_leave_the_line = wish.group_claim_id is not None
    answers = []
    for member_id in member_ids:
        state = states.get(member_id, "invited")
        if state == "waitlisted" and may_leave_the_line:
            state = "invited"
        if state == "invited":
            _ask(session, wish, shift, member_id, role_id, answer_by, now)
        answers.append(Invited(member_id, state))
    return answers


def _shift_to_come(session: Session, shift_id: int, now: datetime) -> LockedShift:
    """Lock a shift that members can still claim, and return it.

    Raises ShiftNotFound, NotOpen, BadAnswerBy for one that has begun.
    """
    shift = locked_shift(session, shift_id)
    if shift.state in UNSEEN_STATES:
        raise ShiftNotFound
    if shift.state != "open" or shift.called_off_at is not None:
        raise NotOpen
    if shift.starts_at <= now:
        raise BadAnswerBy
    return shift


def _role_of(session: Session, wish: Wish) -> int:
    """Return the role that a wish is about: the group's, the named one, or the first.

    Raises RoleNotFound.
    """
    statement = select(ShiftRole.id).where(ShiftRole.shift_id == wish.shift_id)
    if wish.group_claim_id is not None:
        statement = statement.join(GroupClaim, GroupClaim.role_id == ShiftRole.id).where(
            GroupClaim.id == wish.group_claim_id
        )
    elif wish.role_id is not None:
        statement = statement.where(ShiftRole.id == wish.role_id)
    found = session.scalar(statement.order_by(ShiftRole.id).limit(1))
    if found is None:
        raise RoleNotFound
    return found


def _answer_by(session: Session, wish: Wish, starts_at: datetime, now: datetime) -> datetime:
    """Return until when people may answer: before the start, and while the group keeps places.

    Raises BadAnswerBy.
    """
    latest = starts_at
    if wish.group_claim_id is not None:
        release_at = session.scalar(
            select(GroupClaim.release_at).where(GroupClaim.id == wish.group_claim_id)
        )
        latest = min(starts_at, release_at or starts_at)
    if wish.answer_by is None:
        return min(now + ANSWER_DAYS, latest)
    if not now < wish.answer_by <= starts_at:
        raise BadAnswerBy
    return min(wish.answer_by, latest)


def _check_people(session: Session, member_ids: Sequence[int], paths: Iterable[str]) -> None:
    """Accept people who all belong under these paths and whose accounts are not stopped.

    Raises MemberNotFound.
    """
    found = session.scalars(
        select(Member.id)
        .join(Organization, Organization.id == Member.organization_id)
        .where(
            Member.id.in_(member_ids),
            Member.state == "active",
            within(Organization.path, paths),
        )
    ).all()
    if set(found) != set(member_ids):
        raise MemberNotFound


def _standing(session: Session, shift_id: int, member_ids: Sequence[int]) -> dict[int, str]:
    """Return who of these is invited already, has a place, or waits in line."""
    invited = session.scalars(
        select(Invitation.member_id).where(
            Invitation.shift_id == shift_id,
            Invitation.state == "open",
            Invitation.member_id.in_(member_ids),
        )
    )
    states = dict.fromkeys(invited, "already_invited")
    claims = session.execute(
        select(Claim.member_id, Claim.state).where(
            Claim.shift_id == shift_id,
            Claim.state != "withdrawn",
            Claim.member_id.in_(member_ids),
        )
    )
    for claim in claims:
        if claim.state == "claimed" or claim.member_id not in states:
            states[claim.member_id] = "has_place" if claim.state == "claimed" else "waitlisted"
    return states


def _ask(
    session: Session,
    wish: Wish,
    shift: LockedShift,
    member_id: int,
    role_id: int,
    answer_by: datetime,
    now: datetime,
) -> None:
    invitation_id = session.execute(
        insert(Invitation)
        .values(
            shift_id=wish.shift_id,
            role_id=role_id,
            member_id=member_id,
            group_claim_id=wish.group_claim_id,
            invited_by_id=wish.invited_by_id,
            invited_at=now,
            answer_by=answer_by,
            state="open",
        )
        .returning(Invitation.id)
    ).scalar_one()
    tell(
        session,
        key=f"invitation:{invitation_id}",
        member_id=member_id,
        kind="invited_to_shift",
        facts={
            "task": shift.title,
            "starts_at": shift.starts_at.isoformat(),
            "answer_by": answer_by.isoformat(),
        },
        now=now,
    )
    note(
        session,
        at=now,
        actor_id=wish.invited_by_id,
        action="member_invited",
        subject=("invitation", invitation_id),
        shift_id=wish.shift_id,
    )


def accept_invitation(
    session: Session, *, invitation_id: int, member_id: int, now: datetime
) -> ClaimHeld:
    """Claim the place that the person was invited to, and return the claim.

    A kept place when the group still has one; else a place like everyone, or one in the waiting
    line. A repeat answers the claim that stands.
    Raises InvitationNotFound, InvitationAnswered when it was declined or the place given up
    again, InvitationLapsed, KeptPlacesTaken, and whatever claiming refuses, NotEligible too.
    """
    invitation = _locked(session, invitation_id, member_id)
    if invitation.state == "lapsed" or (
        invitation.state == "open" and invitation.answer_by <= now
    ):
        raise InvitationLapsed
    if invitation.state == "declined" or not _stands(session, invitation.claim_id):
        raise InvitationAnswered
    if invitation.state == "open":
        _leave_the_line(session, invitation, now)
    claim = claim_shift(
        session,
        shift_id=invitation.shift_id,
        member_id=member_id,
        now=now,
        role_id=invitation.role_id,
        source="invitation",
        group_claim_id=invitation.group_claim_id,
    )
    if invitation.state == "open":
        _answer(session, invitation_id, claim.id, now)
    return claim


def _answer(session: Session, invitation_id: int, claim_id: int, now: datetime) -> None:
    """Note the claim with which an open invitation was accepted.

    Raises InvitationLapsed when the job, which waits for no shift's lock, closed it meanwhile.
    """
    answered = session.scalar(
        update(Invitation)
        .where(Invitation.id == invitation_id, Invitation.state == "open")
        .values(state="accepted", answered_at=now, claim_id=claim_id)
        .returning(Invitation.id)
    )
    if answered is None:
        raise InvitationLapsed


def _locked(session: Session, invitation_id: int, member_id: int) -> Row[*tuple[Any, ...]]:
    """Lock the shift of one's own invitation, and return the invitation.

    Raises InvitationNotFound, for another's as for an unknown one.
    """
    wanted = select(
        Invitation.shift_id,
        Invitation.role_id,
        Invitation.member_id,
        Invitation.group_claim_id,
        Invitation.state,
        Invitation.answer_by,
        Invitation.claim_id,
    ).where(Invitation.id == invitation_id, Invitation.member_id == member_id)
    first = session.execute(wanted).first()
    if first is None:
        raise InvitationNotFound
    locked_shift(session, first.shift_id)
    # Somebody may have answered while this waited for the lock.
    return session.execute(wanted).one()


def _stands(session: Session, claim_id: int | None) -> bool:
    """Tell whether a claim was not given up; an invitation without a claim is as good."""
    if claim_id is None:
        return True
    state = session.scalar(select(Claim.state).where(Claim.id == claim_id))
    return state != "withdrawn"


def _leave_the_line(session: Session, invitation: Row[*tuple[Any, ...]], now: datetime) -> None:
    """Let somebody who waits in line go over to a place that their group keeps.

    Raises KeptPlacesTaken when it keeps none that is free.
    """
    if invitation.group_claim_id is None:
        return
    waiting = session.scalar(
        select(Claim.id).where(
            Claim.shift_id == invitation.shift_id,
            Claim.member_id == invitation.member_id,
            Claim.state == "waitlisted",
        )
    )
    if waiting is None:
        return
    free = session.scalar(
        select(GroupClaim.id).where(
            GroupClaim.id == invitation.group_claim_id,
            GroupClaim.released_at.is_(None),
            GroupClaim.taken < GroupClaim.places,
        )
    )
    if free is None:
        raise KeptPlacesTaken
    session.execute(
        update(Claim).where(Claim.id == waiting).values(state="withdrawn", withdrawn_at=now)
    )


def decline_invitation(
    session: Session, *, invitation_id: int, member_id: int, now: datetime
) -> None:
    """Say no to an invitation, which costs nothing; a repeat changes nothing.

    Raises InvitationNotFound, InvitationAnswered when it was accepted.
    """
    invitation = _locked(session, invitation_id, member_id)
    if invitation.state == "accepted":
        raise InvitationAnswered
    session.execute(
        update(Invitation)
        .where(Invitation.id == invitation_id, Invitation.state == "open")
        .values(state="declined", answered_at=now)
    )


def lapse_invitations(session: Session, *, now: datetime, limit: int) -> int:
    """Close invitations that nobody answered in time; return how many, at most limit.

    Of an answer and the lapse exactly one finds the row open. Nobody is told: no answer is an
    answer, and the place is claimed like any other.
    """
    overdue = (
        select(Invitation.id)
        .where(Invitation.state == "open", Invitation.answer_by <= now)
        .order_by(Invitation.id)
        .limit(limit)
    )
    lapsed = session.scalars(
        update(Invitation)
        .where(Invitation.id.in_(overdue), Invitation.state == "open")
        .values(state="lapsed", answered_at=now)
        .returning(Invitation.id)
    ).all()
    return len(lapsed)
