"""What a number on a certificate proves, to anybody who asks, as often as people do."""

from datetime import datetime, timedelta

from sqlalchemy import BigInteger, bindparam, delete, text
from sqlalchemy.orm import Session

from pointsbank.certificates.errors import StarNumberNotFound, TooManyNumbers
from pointsbank.certificates.models import NumberCheck
from pointsbank.certificates.queries import Award, award_by_number
from pointsbank.core.db import Moment
from pointsbank.core.keys import keyed_hash
from pointsbank.core.text import halfwidth

# An office that looks at a pile of certificates from one address has room; the four digits
# behind each running number that cannot be foreseen keep a search by machine hopeless.
CHECKS_MAX = 30
CHECK_MINUTES = 15

COUNT = (
    text(
        """
    INSERT INTO number_check (key_hash, checks, since) VALUES (:key_hash, 1, :now)
    ON CONFLICT (key_hash) DO UPDATE SET
        checks = CASE WHEN number_check.since <= :window THEN 1
                      ELSE number_check.checks + 1 END,
        since = CASE WHEN number_check.since <= :window THEN :now
                     ELSE number_check.since END
    RETURNING checks, since
    """
    )
    .bindparams(bindparam("now", type_=Moment()), bindparam("window", type_=Moment()))
    .columns(checks=BigInteger(), since=Moment())
)


def number_from(typed: str) -> str:
    """Return a number as it was typed, in the one spelling that is kept: 2026-000012-4831."""
    digits = "".join(each for each in halfwidth(typed) if each.isascii() and each.isdigit())
    return f"{digits[:4]}-{digits[4:10]}-{digits[10:]}"


def count_check(session: Session, *, client: str, secret: str, now: datetime) -> None:
    """Count one look from an address, and forget what is long over.

    Raises TooManyNumbers.
    """
    window = now - timedelta(minutes=CHECK_MINUTES)
    session.execute(delete(NumberCheck).where(NumberCheck.since <= window))
    row = session.execute(
        COUNT,
        {
            "key_hash": keyed_hash(secret, "number check", client),
            "now": now,
            "window": window,
        },
    ).one()
    if row.checks > CHECKS_MAX:
        wait = row.since + timedelta(minutes=CHECK_MINUTES) - now
        raise TooManyNumbers(
            minutes=max(1, -(-int(wait.total_seconds()) // 60)),
            retry_after_seconds=max(1, int(wait.total_seconds())),
        )


def checked(session: Session, number: str) -> Award:
    """Return what a number proves.

    Raises StarNumberNotFound.
    """
    found = award_by_number(session, number_from(number))
    if found is None:
        raise StarNumberNotFound
    return found
