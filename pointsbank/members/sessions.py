"""Sign-in sessions: begun, looked up and ended in a table, so that ending one ends it everywhere."""

from datetime import datetime, timedelta

from argon2 import PasswordHasher
from sqlalchemy import bindparam, select, text, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import Moment
from pointsbank.core.keys import plain_hash
from pointsbank.members import passwords
from pointsbank.members.errors import MemberSuspended, SignInLocked
from pointsbank.members.models import Member, SignInFailure, SignInSession

FAILURES_MAX = 5
LOCK_MINUTES = 15

# One round trip for every request: the person, and a row for each role that stands.
FIND_ACTOR = text(
    """
    SELECT s.id AS session_id, m.id AS member_id, m.name, m.organization_id, m.locale, m.display_mode,
           r.role, r.merchant_id, o.path
    FROM sign_in_session s
    JOIN member m ON m.id = s.member_id AND m.state = 'active'
    LEFT JOIN member_role r ON r.member_id = m.id AND r.withdrawn_at IS NULL
    LEFT JOIN organization o ON o.id = r.organization_id
    WHERE s.token_hash = :token_hash AND s.ended_at IS NULL AND s.expires_at > :now
    """
).bindparams(bindparam("now", type_=Moment()))


def find_actor(session: Session, token: str, now: datetime) -> Actor | None:
    """Return who holds this session token, None when it is unknown, ended or past its time."""
    rows = session.execute(FIND_ACTOR, {"token_hash": plain_hash(token), "now": now}).all()
    if not rows:
        return None
    first = rows[0]
    grants = tuple(
        Grant(row.role, None if row.role == "clerk" else row.path or "/", row.merchant_id)
        for row in rows
        if row.role is not None
    )
    return Actor(
        member_id=first.member_id,
        name=first.name,
        organization_id=first.organization_id,
        session_id=first.session_id,
        grants=grants,
        locale=first.locale,
        display_mode=first.display_mode,
    )


def check_password(
    session: Session,
    *,
    phone: str | None,
    phone_hash: bytes,
    password: str,
    hasher: PasswordHasher,
    now: datetime,
) -> int | None:
    """Return the id of the member with this phone and password, None when they do not fit.

    A wrong try is counted in the running transaction, which is why it is a value and not a refusal: the
    door keeps the count and then refuses. Known and unknown phones are counted and timed alike.
    Raises SignInLocked, MemberSuspended.
    """
    failure = session.get(SignInFailure, phone_hash, with_for_update=True)
    if failure is not None and failure.locked_until and failure.locked_until > now:
        raise locked(failure.locked_until, now)
    member = (
        session.scalars(select(Member).where(Member.phone == phone)).first() if phone else None
    )
    right = passwords.is_right(password, member.password_hash if member else None, hasher)
    if member is None or not right:
        _count_failure(session, phone_hash, failure, now)
        return None
    if failure is not None:
        session.delete(failure)
    if member.state != "active":
        raise MemberSuspended
    return member.id


def locked(locked_until: datetime, now: datetime) -> SignInLocked:
    """Return the refusal that tells how long the lock still stands."""
    seconds = max(1, int((locked_until - now).total_seconds()))
    return SignInLocked(retry_after_seconds=seconds, minutes=-(-seconds // 60))


def _count_failure(
    session: Session, phone_hash: bytes, failure: SignInFailure | None, now: datetime
) -> None:
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    insert = insert_postgresql if is_postgresql else insert_sqlite
    statement = insert(SignInFailure).values(
        phone_hash=phone_hash, failures=1, locked_until=None
    )
    lock_is_over = failure is not None and failure.locked_until is not None
    count = 1 if lock_is_over else SignInFailure.failures + 1
    failures = session.execute(
        statement.on_conflict_do_update(
            index_elements=["phone_hash"], set_={"failures": count, "locked_until": None}
        ).returning(SignInFailure.failures)
    ).scalar_one()
    if failures >= FAILURES_MAX:
        session.execute(
            update(SignInFailure)
            .where(SignInFailure.phone_hash == phone_hash)
            .values(locked_until=now + timedelta(minutes=LOCK_MINUTES))
        )


def begin_session(
    session: Session, *, member_id: int, token: str, kind: str, lasts: timedelta, now: datetime
) -> datetime:
    """Begin a session under a token that the door drew, and return when it ends by itself.

    kind: browser or program.
    """
    expires_at = now + lasts
    session.add(
        SignInSession(
            token_hash=plain_hash(token),
            member_id=member_id,
            kind=kind,
            started_at=now,
            expires_at=expires_at,
        )
    )
    session.flush()
    return expires_at


def end_session(session: Session, *, session_id: int, now: datetime) -> None:
    """End one session at once; a repeat changes nothing."""
    session.execute(
        update(SignInSession)
        .where(SignInSession.id == session_id, SignInSession.ended_at.is_(None))
        .values(ended_at=now, end_reason="signed_out")
    )


def end_all_sessions(session: Session, *, member_id: int, reason: str, now: datetime) -> None:
    """End every session of a member at once: after a new password, a lost role, a stopped account."""
    session.execute(
        update(SignInSession)
        .where(SignInSession.member_id == member_id, SignInSession.ended_at.is_(None))
        .values(ended_at=now, end_reason=reason)
    )
