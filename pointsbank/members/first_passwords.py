"""What both doors of a first password do alike: judge the code, count a wrong one."""

from pointsbank.core import clock
from pointsbank.core.db import reading, run
from pointsbank.members import passwords, sessions
from pointsbank.members.activating import activate
from pointsbank.members.errors import BadActivation
from pointsbank.web.forms import settings

CODE_TYPED_MAX = 40


def choose_first_password(*, phone: str, code: str, password: str) -> None:
    """Give the person their first password by their code.

    What is slow about a password is done outside of transactions, and for anybody alike.
    Raises WeakPassword, BadActivation, SignInLocked, MemberSuspended.
    """
    passwords.check_strength(password)
    secret, now = settings().secret_key, clock.now()
    hasher = passwords.hasher_for(is_cheap=settings().argon2_cheap)
    password_hash = passwords.hashed(password, hasher)
    with reading() as session:
        tried = sessions.begin_try(session, phone=phone, secret=secret, now=now)
    is_good = run(
        lambda session: activate(
            session,
            tried=tried,
            code=code,
            password_hash=password_hash,
            secret=secret,
            now=now,
        )
    )
    if not is_good:
        raise BadActivation
