"""What both doors of registration do alike: judge, register, and say what was refused."""

from datetime import timedelta

from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.core.keys import draw_bytes, draw_token
from pointsbank.members import passwords, sessions
from pointsbank.members.errors import BadCredentials, InvitationNotGood, RegistrationLocked
from pointsbank.members.models import HANDLE_BYTES
from pointsbank.members.registering import NewRegistration, Outcome, register
from pointsbank.web.forms import settings

# A second look, when the phone became a member's while the password was judged.
LOOKS = 2


def registered(
    *, name: str, phone: str, password: str, code: str, kind: str, client: str
) -> tuple[str, sessions.SignedIn]:
    """Register somebody, or sign in who is a member already; return the token of the session.

    phone: eleven digits. kind: browser or program. client: the address that asks.
    What is slow about a password is done outside of transactions, and done alike for a phone
    that is known and one that is not.
    Raises WeakPassword, RegistrationLocked, InvitationNotGood, BadCredentials, SignInLocked,
    MemberSuspended.
    """
    passwords.check_strength(password)
    secret, now = settings().secret_key, clock.now()
    hasher = passwords.hasher_for(is_cheap=settings().argon2_cheap)
    wanted = NewRegistration(
        name=name,
        phone=phone,
        code=code,
        password_hash=passwords.hashed(password, hasher),
        handle=draw_bytes(HANDLE_BYTES),
        token=draw_token(),
        client=client,
        kind=kind,
    )
    outcome = Outcome("look_again")
    for _ in range(LOOKS):
        with reading() as session:
            tried = sessions.begin_try(session, phone=phone, secret=secret, now=now)
        is_right = passwords.is_right(password, tried.password_hash, hasher)

        def act(
            session: Session, tried: sessions.Try = tried, *, is_right: bool = is_right
        ) -> Outcome:
            return register(
                session,
                wanted,
                tried=tried,
                is_right=is_right,
                secret=secret,
                staff_lasts=timedelta(hours=settings().staff_session_hours),
                member_lasts=timedelta(days=settings().member_session_days),
                now=now,
                today=local_day(now, settings().zone),
            )

        outcome = run(act)
        if outcome.word != "look_again":
            break
    return wanted.token, signed_in_or_refused(outcome)


def signed_in_or_refused(outcome: Outcome) -> sessions.SignedIn:
    """Return the session that began.

    Raises RegistrationLocked, InvitationNotGood, BadCredentials.
    """
    if outcome.signed_in is not None:
        return outcome.signed_in
    if outcome.word == "locked":
        seconds = outcome.wait_seconds
        raise RegistrationLocked(retry_after_seconds=seconds, minutes=-(-seconds // 60))
    if outcome.word == "not_good":
        raise InvitationNotGood
    raise BadCredentials
