"""What the job `verify` does each night: recompute the ledger, keep what was found, be loud."""

from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.db import glance, reading, run
from pointsbank.jobs.alarming import administrators_of_all
from pointsbank.ledger.verifying import Verified, record, verify
from pointsbank.messages.service import tell_each
from pointsbank.settlements.rules import RULES_OF_STATEMENTS

logger = structlog.get_logger()


def verify_ledger() -> int:
    """Recompute the whole ledger while others write, keep the answer, and tell it if it is bad.

    Returns the number of offenders. Needs the application's context.
    """
    started_at = clock.now()
    with reading() as session, glance() as beside:
        verified = verify(session, beside=beside, more=RULES_OF_STATEMENTS)
    finished_at = clock.now()

    def keep(session: Session) -> int:
        return keep_verified(session, verified, started_at, finished_at)

    kept = run(keep)
    if verified.count:
        logger.error("ledger_is_wrong", verification=kept, offenders=verified.count)
    return verified.count


def keep_verified(
    session: Session, verified: Verified, started_at: datetime, finished_at: datetime
) -> int:
    """Keep a verification and return its id; tell administrators of one that found offenders.

    Whoever stands over a whole tree of organizations is told, and whoever stands over all.
    """
    kept = record(session, verified, started_at=started_at, finished_at=finished_at)
    if verified.count:
        tell_each(
            session,
            key=f"ledger_wrong:{kept}",
            member_ids=administrators_of_all(session),
            kind="ledger_wrong",
            facts={"offenders": verified.count, "found_at": finished_at.isoformat()},
            now=finished_at,
        )
    return kept
