"""Passwords: argon2id, and what is too easy to guess."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from pointsbank.members.errors import WeakPassword

PASSWORD_LENGTH_MIN = 8
PASSWORD_LENGTH_MAX = 72
# One or two characters repeated are no password, however long.
DISTINCT_MIN = 3

# RFC 9106, second recommended option, halved in memory twice for a machine of two cores.
HASHER = PasswordHasher(time_cost=3, memory_cost=19456, parallelism=1)
CHEAP_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

WELL_KNOWN = frozenset(
    ["12345678", "123456789", "1234567890", "password", "11111111", "88888888", "00000000"]
    + ["66666666", "87654321", "qwertyui", "qwertyuiop", "iloveyou", "woaini1314", "abcd1234"]
    + ["a1234567", "a12345678", "1qaz2wsx", "5201314a", "password1", "123123123", "1234qwer"]
)


def is_weak(password: str) -> bool:
    """Tell whether a password is too short, too long or too easy to guess."""
    return (
        not PASSWORD_LENGTH_MIN <= len(password) <= PASSWORD_LENGTH_MAX
        or password.lower() in WELL_KNOWN
        or len(set(password)) < DISTINCT_MIN
    )


def check_strength(password: str) -> None:
    """Accept a password or raise WeakPassword."""
    if is_weak(password):
        raise WeakPassword


def hasher_for(*, is_cheap: bool) -> PasswordHasher:
    """Return the hasher of this service; the cheap one is for tests and demonstrations."""
    hasher = CHEAP_HASHER if is_cheap else HASHER
    # Made before anyone's password is judged, so that the first stranger takes no longer
    # either.
    _nobody(hasher)
    return hasher


def hashed(password: str, hasher: PasswordHasher) -> str:
    """Hash a password with a random salt."""
    return hasher.hash(password)


def is_right(password: str, password_hash: str | None, hasher: PasswordHasher) -> bool:
    """Compare, taking as long for a person without a password as for one with."""
    try:
        return hasher.verify(password_hash or _nobody(hasher), password) and bool(password_hash)
    except (VerificationError, InvalidHashError):
        return False


_NOBODY: dict[int, str] = {}


def _nobody(hasher: PasswordHasher) -> str:
    if id(hasher) not in _NOBODY:
        _NOBODY[id(hasher)] = hasher.hash("nobody has this password")
    return _NOBODY[id(hasher)]
