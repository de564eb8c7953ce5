"""Wrong codes at one clerk's till: five in a row lock it, twenty in a day alert people."""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import Session

from pointsbank.core.audit import note
from pointsbank.core.db import Moment
from pointsbank.members.models import MemberRole
from pointsbank.members.queries import role_holders_over
from pointsbank.messages.service import tell_each
from pointsbank.organizations.models import Merchant, Organization
from pointsbank.rewards.errors import TillLocked
from pointsbank.rewards.models import WrongCode

WRONG_CODES_MAX = 5
LOCK_SECONDS = 60
# Somebody who tries that many within a day is not mistyping.
ALERT_CODES = 20
TALLY_LASTS = timedelta(days=1)
MANY_WRONG_CODES = "many_wrong_codes"

# A lock that has ended begins the count anew; one that still stands is not counted on.
COUNT = text(
    """
    INSERT INTO wrong_code (clerk_id, failures, failed_at) VALUES (:clerk_id, 1, :now)
    ON CONFLICT (clerk_id) DO UPDATE SET
        failures = CASE WHEN wrong_code.locked_until IS NULL
                        THEN wrong_code.failures + 1 ELSE 1 END,
        failed_at = :now,
        locked_until = CASE WHEN wrong_code.locked_until IS NULL
                             AND wrong_code.failures + 1 >= :most THEN :until END
    WHERE wrong_code.locked_until IS NULL OR wrong_code.locked_until <= :now
    RETURNING failures
    """
).bindparams(bindparam("now", type_=Moment()), bindparam("until", type_=Moment()))

TALLY = (
    text(
        """
        INSERT INTO wrong_code_tally (clerk_id, failures, began_at) VALUES (:clerk_id, 1, :now)
        ON CONFLICT (clerk_id) DO UPDATE SET
            failures = CASE WHEN wrong_code_tally.began_at > :day_ago
                            THEN wrong_code_tally.failures + 1 ELSE 1 END,
            began_at = CASE WHEN wrong_code_tally.began_at > :day_ago
                            THEN wrong_code_tally.began_at ELSE :now END
        RETURNING failures, began_at
        """
    )
    .columns(began_at=Moment())
    .bindparams(bindparam("now", type_=Moment()), bindparam("day_ago", type_=Moment()))
)


def count_wrong_code(session: Session, clerk_id: int, now: datetime) -> None:
    """Count one wrong code; the fifth in a row locks the till for LOCK_SECONDS.

    The ALERT_CODES-th within a day of the first tells the administrators over the clerk's
    merchants, once.
    Raises TillLocked when it is locked already, and then counts nothing.
    """
    values = {
        "clerk_id": clerk_id,
        "now": now,
        "until": now + timedelta(seconds=LOCK_SECONDS),
        "most": WRONG_CODES_MAX,
    }
    if session.execute(COUNT, values).first() is None:
        refuse_while_locked(session, clerk_id, now)
        return
    values = {"clerk_id": clerk_id, "now": now, "day_ago": now - TALLY_LASTS}
    tally = session.execute(TALLY, values).one()
    if tally.failures == ALERT_CODES:
        _alert(session, clerk_id, tally.began_at, now)


def _alert(session: Session, clerk_id: int, began_at: datetime, now: datetime) -> None:
    """Tell the administrators over each merchant at whose counter this clerk stands."""
    merchants = session.execute(
        select(Merchant.id, Merchant.name, Organization.path)
        .join(Organization, Organization.id == Merchant.organization_id)
        .join(MemberRole, MemberRole.merchant_id == Merchant.id)
        .where(
            MemberRole.member_id == clerk_id,
            MemberRole.role == "clerk",
            MemberRole.withdrawn_at.is_(None),
        )
        .order_by(Merchant.id)
    )
    for merchant in merchants:
        told = set(role_holders_over(session, merchant.path, ("administrator",)))
        tell_each(
            session,
            key=f"wrong_codes:{clerk_id}:{merchant.id}:{began_at.isoformat()}",
            member_ids=told - {clerk_id},
            kind="many_wrong_codes",
            facts={"shop": merchant.name, "failures": ALERT_CODES},
            now=now,
        )
        note(
            session,
            at=now,
            actor_id=clerk_id,
            action=MANY_WRONG_CODES,
            subject=("merchant", merchant.id),
            failures=ALERT_CODES,
            began_at=began_at.isoformat(),
        )


def refuse_while_locked(session: Session, clerk_id: int, now: datetime) -> None:
    """Return when this clerk may try a code, or raise TillLocked with the seconds to wait."""
    locked_until = session.scalar(
        select(WrongCode.locked_until).where(WrongCode.clerk_id == clerk_id)
    )
    if locked_until is not None and locked_until > now:
        seconds = max(1, -int((now - locked_until).total_seconds() // 1))
        raise TillLocked(retry_after_seconds=seconds)
