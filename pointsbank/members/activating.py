"""A first password by a code: made for somebody who has none, used once by themselves."""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.db import Moment
from pointsbank.core.keys import keyed_hash
from pointsbank.members.appointing import changeable
from pointsbank.members.errors import (
    HasPassword,
    MemberSuspended,
    NotOverThisPerson,
    PhoneMissing,
)
from pointsbank.members.invitations import code_from
from pointsbank.members.models import Member
from pointsbank.members.queries import standing_roles
from pointsbank.members.service import set_password
from pointsbank.members.sessions import Try, judge_try

ACTIVATORS = ("administrator", "secretary")
# Long enough to reach somebody at the next meeting of the branch.
CODE_DAYS = 7

# A new code takes the place of the one before, used or not.
KEEP = text(
    """
    INSERT INTO activation_code (member_id, code_hash, made_by_id, made_at, expires_at)
    VALUES (:member_id, :code_hash, :made_by_id, :now, :expires_at)
    ON CONFLICT (member_id) DO UPDATE SET
        code_hash = excluded.code_hash, made_by_id = excluded.made_by_id,
        made_at = excluded.made_at, expires_at = excluded.expires_at, used_at = NULL
    """
).bindparams(bindparam("now", type_=Moment()), bindparam("expires_at", type_=Moment()))
# The guard: of any number of uses at once one succeeds.
USE = text(
    """
    UPDATE activation_code SET used_at = :now
    WHERE member_id = :member_id AND code_hash = :code_hash AND used_at IS NULL
      AND expires_at > :now
    RETURNING member_id
    """
).bindparams(bindparam("now", type_=Moment()))


def code_hash(secret: str, member_id: int, code: str) -> bytes:
    """Return the hash under which a code of this member stands; it fits no other member."""
    return keyed_hash(secret, "activation code", f"{member_id} {code_from(code)}")


def make_activation_code(
    session: Session,
    *,
    actor: Actor,
    member_id: int,
    code: str,
    secret: str,
    now: datetime,
) -> datetime:
    """Keep a code that the door drew, in place of any before, and return when it ends.

    Only for a person without a password, and for whoever holds a role only by an administrator
    over them: a code is a way into the account.
    Raises MemberNotFound, NotOverThisPerson, MemberSuspended, HasPassword, PhoneMissing.
    """
    member = changeable(session, actor, member_id, *ACTIVATORS)
    is_plain = not standing_roles(session, member_id)
    if not is_plain and not actor.oversees(member.path, "administrator"):
        raise NotOverThisPerson
    row = session.execute(
        select(Member.state, Member.password_hash, Member.phone).where(Member.id == member_id)
    ).one()
    if row.state != "active":
        raise MemberSuspended
    if row.password_hash is not None:
        raise HasPassword
    if row.phone is None:
        raise PhoneMissing
    expires_at = now + timedelta(days=CODE_DAYS)
    session.execute(
        KEEP,
        {
            "member_id": member_id,
            "code_hash": code_hash(secret, member_id, code),
            "made_by_id": actor.member_id,
            "now": now,
            "expires_at": expires_at,
        },
    )
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="make_activation_code",
        subject=("member", member_id),
    )
    return expires_at


def activate(
    session: Session,
    *,
    tried: Try,
    code: str,
    password_hash: str,
    secret: str,
    now: datetime,
) -> bool:
    """Give a member their first password if the code is theirs and good; it is used by that.

    A wrong try is counted like a wrong password and answers False, so that the door keeps the
    count and then refuses. Raises SignInLocked, MemberSuspended.
    """
    is_right = tried.password_hash is None and _use(session, tried.member_id, code, secret, now)
    member = judge_try(session, tried=tried, is_right=is_right, now=now)
    if member is None:
        return False
    if member.state != "active":
        raise MemberSuspended
    set_password(
        session,
        member_id=member.id,
        password_hash=password_hash,
        keep_session_id=None,
        now=now,
    )
    note(
        session,
        at=now,
        actor_id=member.id,
        action="activate_account",
        subject=("member", member.id),
    )
    return True


def _use(
    session: Session, member_id: int | None, code: str, secret: str, now: datetime
) -> bool:
    if member_id is None:
        return False
    values = {
        "member_id": member_id,
        "code_hash": code_hash(secret, member_id, code),
        "now": now,
    }
    return session.execute(USE, values).first() is not None
