"""People register themselves with an invitation of their branch, and are signed in at once."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.core.audit import note
from pointsbank.members.invitations import (
    count_guess,
    forget_guess,
    guess_keys,
    is_good_code,
    use_invitation,
)
from pointsbank.members.models import Member
from pointsbank.members.service import add_member
from pointsbank.members.sessions import SignedIn, Try, begin_session, finish_try

# What a try comes to; each but the first two is kept counted, and then refused by the door.
OUTCOMES = ("registered", "signed_in", "not_good", "bad_credentials", "locked", "look_again")


@dataclass(frozen=True)
class NewRegistration:
    """What somebody registers with. handle, token: drawn by the door.

    phone: eleven digits. client: the address the request came from; only a keyed hash of it is
    kept, for a quarter of an hour.
    """

    name: str
    phone: str
    code: str
    password_hash: str
    handle: bytes
    token: str
    client: str
    kind: str = "browser"


@dataclass(frozen=True)
class Outcome:
    """What became of a registration. wait_seconds: only when it is locked."""

    word: str
    signed_in: SignedIn | None = None
    wait_seconds: int = 0


def register(
    session: Session,
    wanted: NewRegistration,
    *,
    tried: Try,
    is_right: bool,
    secret: str,
    staff_lasts: timedelta,
    member_lasts: timedelta,
    now: datetime,
    today: date,
) -> Outcome:
    """Take somebody in by their branch's invitation and begin their session.

    The code is judged before anything is told of the phone, so a stranger without one learns
    nothing. Whoever is a member already signs in, if the password is theirs, and uses nothing
    up; otherwise they hear what the sign-in says, and the try counts there and here.
    look_again: the phone became a member's while the password was judged; nothing was changed.
    Raises SignInLocked, MemberSuspended.
    """
    keys = guess_keys(secret, code=wanted.code, client=wanted.client)
    wait_seconds = count_guess(session, keys, now)
    if wait_seconds:
        return Outcome("locked", wait_seconds=wait_seconds)
    if not is_good_code(session, code=wanted.code, secret=secret, now=now):
        return Outcome("not_good")
    known_id = session.scalar(select(Member.id).where(Member.phone == wanted.phone))
    if known_id is not None:
        if tried.member_id != known_id:
            forget_guess(session, keys)
            return Outcome("look_again")
        signed_in = finish_try(
            session,
            tried=tried,
            is_right=is_right,
            token=wanted.token,
            kind=wanted.kind,
            staff_lasts=staff_lasts,
            member_lasts=member_lasts,
            now=now,
        )
        if signed_in is None:
            return Outcome("bad_credentials")
        forget_guess(session, keys)
        return Outcome("signed_in", signed_in)
    return _taken_in(
        session, wanted, keys, secret=secret, lasts=member_lasts, now=now, today=today
    )


def _taken_in(
    session: Session,
    wanted: NewRegistration,
    keys: dict[str, bytes],
    *,
    secret: str,
    lasts: timedelta,
    now: datetime,
    today: date,
) -> Outcome:
    """Use the invitation up and take the person in, if it still has a use."""
    used = use_invitation(session, code=wanted.code, secret=secret, now=now)
    if used is None:
        return Outcome("not_good")
    forget_guess(session, keys)
    member_id = add_member(
        session,
        name=wanted.name,
        phone=wanted.phone,
        organization_id=used.organization_id,
        kind=used.kind,
        password_hash=wanted.password_hash,
        handle=wanted.handle,
        now=now,
        today=today,
    )
    note(
        session,
        at=now,
        actor_id=member_id,
        action="register",
        subject=("member", member_id),
        invitation_id=used.id,
    )
    expires_at = begin_session(
        session,
        member_id=member_id,
        token=wanted.token,
        kind=wanted.kind,
        lasts=lasts,
        now=now,
    )
    return Outcome("registered", SignedIn(member_id, expires_at, None, ""))
