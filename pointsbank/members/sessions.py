"""Sign-in sessions: kept in a table, so that ending one ends it everywhere."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Connection, bindparam, delete, select, text, update
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import Moment
from pointsbank.core.keys import keyed_hash, plain_hash
from pointsbank.core.text import phone_from
from pointsbank.members.errors import MemberSuspended, SignInLocked
from pointsbank.members.models import Member, MemberRole, SignInFailure, SignInSession

FAILURES_MAX = 5
LOCK_MINUTES = 15

# One round trip for every request: the person, and a row for each role that stands.
FIND_ACTOR = text(
    """
    SELECT s.id AS session_id, m.id AS member_id, m.name, m.organization_id, m.locale,
           m.display_mode, r.role, r.merchant_id, o.path
    FROM sign_in_session s
    JOIN member m ON m.id = s.member_id AND m.state = 'active'
    LEFT JOIN member_role r ON r.member_id = m.id AND r.withdrawn_at IS NULL
    LEFT JOIN organization o ON o.id = r.organization_id
    WHERE s.token_hash = :token_hash AND s.ended_at IS NULL AND s.expires_at > :now
    """
).bindparams(bindparam("now", type_=Moment()))


def find_actor(session: Session | Connection, token: str, now: datetime) -> Actor | None:
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


@dataclass(frozen=True)
class Try:
    """A try to sign in, before its password is judged: what the phone leads to."""

    phone_hash: bytes
    member_id: int | None
    password_hash: str | None


@dataclass(frozen=True)
class SignedIn:
    """A session that has begun."""

    member_id: int
    expires_at: datetime
    locale: str | None
    display_mode: str


def phone_hash(secret: str, phone: str) -> bytes:
    """Return under which key tries for this phone are counted, whether anyone has it or not."""
    return keyed_hash(secret, "sign-in phone", phone)


def begin_try(session: Session, *, phone: str, secret: str, now: datetime) -> Try:
    """Return what the phone leads to, for the door to judge the password outside transactions.

    phone: as it was typed; one that cannot be a phone is counted like any other.
    Raises SignInLocked.
    """
    known = phone_from(phone)
    counted = phone_hash(secret, known or phone)
    _refuse_locked(session, counted, now)
    row = session.execute(
        select(Member.id, Member.password_hash).where(Member.phone == known)
    ).first()
    return Try(counted, row.id if row else None, row.password_hash if row else None)


def begin_own_try(session: Session, *, member_id: int, secret: str, now: datetime) -> Try:
    """Return what a signed-in member's password is judged against, counted with their sign-ins.

    Raises SignInLocked.
    """
    member = session.get_one(Member, member_id)
    counted = phone_hash(secret, member.phone or f"member {member_id}")
    _refuse_locked(session, counted, now)
    return Try(counted, member_id, member.password_hash)


def _refuse_locked(session: Session, counted: bytes, now: datetime) -> None:
    locked_until = session.scalar(
        select(SignInFailure.locked_until).where(SignInFailure.phone_hash == counted)
    )
    if locked_until is not None and locked_until > now:
        raise locked(locked_until, now)


def finish_try(
    session: Session,
    *,
    tried: Try,
    is_right: bool,
    token: str,
    kind: str,
    staff_lasts: timedelta,
    member_lasts: timedelta,
    now: datetime,
) -> SignedIn | None:
    """Begin a session after a right password; count a wrong one and return None.

    A wrong try is a value and not a refusal, so that the door keeps the count and then refuses.
    A person with a role gets staff_lasts. Raises SignInLocked, MemberSuspended.
    """
    member = judge_try(session, tried=tried, is_right=is_right, now=now)
    if member is None:
        return None
    if member.state != "active":
        raise MemberSuspended
    has_role = session.scalar(
        select(MemberRole.id)
        .where(MemberRole.member_id == member.id, MemberRole.withdrawn_at.is_(None))
        .limit(1)
    )
    expires_at = begin_session(
        session,
        member_id=member.id,
        token=token,
        kind=kind,
        lasts=staff_lasts if has_role is not None else member_lasts,
        now=now,
    )
    return SignedIn(member.id, expires_at, member.locale, member.display_mode)


def judge_try(session: Session, *, tried: Try, is_right: bool, now: datetime) -> Member | None:
    """Return the member after a right password; count a wrong one and return None.

    However many passwords are judged at once, only five outcomes are told before the lock:
    whoever comes here after it learns nothing. Raises SignInLocked.
    """
    failure = session.execute(
        select(SignInFailure.locked_until)
        .where(SignInFailure.phone_hash == tried.phone_hash)
        .with_for_update()
    ).first()
    if failure is not None and failure.locked_until and failure.locked_until > now:
        raise locked(failure.locked_until, now)
    member = session.get(Member, tried.member_id) if tried.member_id is not None else None
    if member is None or not is_right or member.password_hash != tried.password_hash:
        _count_failure(session, tried.phone_hash, now)
        return None
    if failure is not None:
        session.execute(
            delete(SignInFailure).where(SignInFailure.phone_hash == tried.phone_hash)
        )
    return member


def locked(locked_until: datetime, now: datetime) -> SignInLocked:
    """Return the refusal that tells how long the lock still stands."""
    seconds = max(1, int((locked_until - now).total_seconds()))
    return SignInLocked(retry_after_seconds=seconds, minutes=-(-seconds // 60))


# One statement, so that tries at the same moment are counted one after the other on their row.
COUNT_FAILURE = text(
    """
    INSERT INTO sign_in_failure (phone_hash, failures, locked_until)
    VALUES (:phone_hash, 1, NULL)
    ON CONFLICT (phone_hash) DO UPDATE SET
        failures = CASE WHEN sign_in_failure.locked_until <= :now THEN 1
                        ELSE sign_in_failure.failures + 1 END,
        locked_until = CASE
            WHEN sign_in_failure.locked_until > :now THEN sign_in_failure.locked_until
            WHEN sign_in_failure.locked_until IS NULL
                 AND sign_in_failure.failures + 1 >= :failures_max THEN :until
            ELSE NULL END
    RETURNING failures, locked_until
    """
).bindparams(bindparam("now", type_=Moment()), bindparam("until", type_=Moment()))


def _count_failure(session: Session, counted: bytes, now: datetime) -> None:
    row = session.execute(
        COUNT_FAILURE.columns(failures=BigInteger(), locked_until=Moment()),
        {
            "phone_hash": counted,
            "now": now,
            "failures_max": FAILURES_MAX,
            "until": now + timedelta(minutes=LOCK_MINUTES),
        },
    ).one()
    if row.failures > FAILURES_MAX:
        raise locked(row.locked_until, now)


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
    """End every session of a member at once: after a lost role, a stopped account."""
    end_other_sessions(session, member_id=member_id, keep_id=None, reason=reason, now=now)


def end_other_sessions(
    session: Session, *, member_id: int, keep_id: int | None, reason: str, now: datetime
) -> None:
    """End every session of a member but this one at once: after a new password."""
    statement = update(SignInSession).where(
        SignInSession.member_id == member_id, SignInSession.ended_at.is_(None)
    )
    if keep_id is not None:
        statement = statement.where(SignInSession.id != keep_id)
    session.execute(statement.values(ended_at=now, end_reason=reason))
