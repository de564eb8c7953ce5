"""Somebody who is not a member yet and stands there: registered and checked in at once."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.attendance.errors import WalkInNotTaken
from pointsbank.attendance.finding import Desk, NewScan
from pointsbank.attendance.models import Scan
from pointsbank.attendance.recording import Verdict, record_scan
from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.calendar import local_day
from pointsbank.members.errors import MemberSuspended, PhoneTaken
from pointsbank.members.models import Member
from pointsbank.members.service import add_member
from pointsbank.tasks.queries import shift_of

WALK_IN_KIND = "volunteer"


@dataclass(frozen=True)
class NewWalkIn:
    """Who stands there. nonce: made by the device, of this one person's registration.

    phone: eleven digits, or None. scanned_at, is_offline: for a station that had no network.
    reason: why, outside of the shift's hours. handle: five random bytes drawn by the door.
    """

    nonce: str
    name: str
    phone: str | None
    handle: bytes
    scanned_at: datetime | None = None
    is_offline: bool = False
    device_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class WalkIn:
    """Who was checked in. is_new: whether they were registered by this; verdict: the scan's."""

    member_id: int
    volunteer_no: str
    is_new: bool
    verdict: Verdict


def take_walk_in(
    session: Session,
    actor: Actor,
    shift_id: int,
    walk_in: NewWalkIn,
    desk: Desk,
    *,
    now: datetime,
) -> WalkIn:
    """Register a person into the shift's organization and check them in, both or neither.

    Somebody with this phone and this name is checked in as the member they are. The same nonce
    of the same person answers as the first time and does nothing; what one lead sends at one
    moment comes one after the other, so that no repeat registers anybody again.
    Raises ShiftNotFound, PhoneTaken, MemberSuspended, WalkInNotTaken.
    """
    _, task = shift_of(session, shift_id, actor.paths("organizer"))
    # Not FOR UPDATE: rows that only refer to the lead need not wait.
    session.execute(
        select(Member.id).where(Member.id == actor.member_id).with_for_update(key_share=True)
    )
    before = _answered_before(session, actor, walk_in.nonce)
    if before is not None:
        return before
    member_id = _known(session, walk_in)
    is_new = member_id is None
    if member_id is None:
        member_id = add_member(
            session,
            name=walk_in.name,
            phone=walk_in.phone,
            organization_id=task.organization_id,
            kind=WALK_IN_KIND,
            password_hash=None,
            handle=walk_in.handle,
            now=now,
            today=local_day(now, desk.zone),
        )
        note(
            session,
            at=now,
            actor_id=actor.member_id,
            action="register_walk_in",
            subject=("member", member_id),
            shift_id=shift_id,
        )
    number = _number_of(session, member_id)
    verdict = record_scan(session, actor, _scan(walk_in, shift_id, number), desk, now=now)
    if verdict.facts["result"] != "ok":
        # Nobody is registered by a check-in that did not take place.
        raise WalkInNotTaken(reason=verdict.facts["reason"])
    return WalkIn(member_id, number, is_new, verdict)


def _scan(walk_in: NewWalkIn, shift_id: int, number: str) -> NewScan:
    return NewScan(
        nonce=walk_in.nonce,
        code=number,
        shift_id=shift_id,
        direction="in",
        scanned_at=walk_in.scanned_at,
        is_offline=walk_in.is_offline,
        device_id=walk_in.device_id,
        confirm=True,
        note=walk_in.reason,
    )


def _answered_before(session: Session, actor: Actor, nonce: str) -> WalkIn | None:
    row = session.execute(
        select(Scan.id, Scan.verdict, Member.id.label("member_id"), Member.volunteer_no)
        .join(Member, Member.id == Scan.member_id)
        .where(Scan.actor_id == actor.member_id, Scan.nonce == nonce)
    ).first()
    if row is None:
        return None
    return WalkIn(
        row.member_id, row.volunteer_no, is_new=False, verdict=Verdict(row.id, row.verdict)
    )


def _known(session: Session, walk_in: NewWalkIn) -> int | None:
    """Return the member with this phone, who has to have this name too.

    A phone under another name is nobody's to check in by: it could be anybody's, and the lead
    would learn whose.
    """
    if walk_in.phone is None:
        return None
    row = session.execute(
        select(Member.id, Member.name, Member.state).where(Member.phone == walk_in.phone)
    ).first()
    if row is None:
        return None
    if row.name != walk_in.name:
        raise PhoneTaken
    if row.state != "active":
        raise MemberSuspended
    member_id: int = row.id
    return member_id


def _number_of(session: Session, member_id: int) -> str:
    return session.execute(
        select(Member.volunteer_no).where(Member.id == member_id)
    ).scalar_one()
