"""Points that the ledger took back are no longer points earned."""

from datetime import datetime

from sqlalchemy import bindparam, func, select, text
from sqlalchemy.orm import Session

from pointsbank.core.db import Moment
from pointsbank.ledger.models import Transfer
from pointsbank.ledger.posting import Posted
from pointsbank.scoring.models import ScoreEntry

AWARD, REJECT = "award:", "reject:"

# The same member, item and day, so that every period loses what it had gained. A repeat finds
# its cause taken. Transfers without an entry, such as spendings and gifts, lower nothing, nor
# do those whose entry its person struck out: that took the points as well.
LOWER = text(
    """
    INSERT INTO score_entry (cause, member_id, organization_id, item_id, category,
                             evaluation_hundredths, points, service_minutes, title, earned_on,
                             recorded_at)
    SELECT :cause, entry.member_id, entry.organization_id, entry.item_id, entry.category,
           0, -:points, 0, entry.title, entry.earned_on, :now
    FROM transfer JOIN score_entry AS entry ON entry.cause = transfer.key
    WHERE transfer.id = :transfer_id
      AND NOT EXISTS (SELECT 1 FROM score_entry AS struck WHERE struck.cause = :struck)
    ON CONFLICT (cause) DO NOTHING
    """
).bindparams(bindparam("now", type_=Moment()))


def lower_score(session: Session, *, transfer_id: int, reversal: Posted, now: datetime) -> None:
    """Take the points of a reversal from what the reversed line counts as earned.

    Service time and evaluation stay: what was done is struck out by its person, or lowered by
    an adjustment or a deduction. A line that no work left behind changes nothing; a repeat
    neither.
    """
    key = session.scalar(select(Transfer.key).where(Transfer.id == transfer_id)) or ""
    session.execute(
        LOWER,
        {
            "cause": cause_of(reversal.id),
            "struck": rejection_of(key),
            "transfer_id": transfer_id,
            "points": reversal.points,
            "now": now,
        },
    )


def rejection_of(cause: str) -> str:
    """Return the cause under which the work of an award is struck out by its person."""
    return REJECT + cause.removeprefix(AWARD)


def cause_of(reversal_id: int) -> str:
    """Return the cause under which a reversal stands among the score entries."""
    return f"reversal:{reversal_id}"


def points_lowered(session: Session, cause: str) -> int:
    """Return how many points of the entry with this cause the ledger has taken back."""
    reversals = session.scalars(
        select(Transfer.id).where(
            Transfer.reverses_id
            == select(Transfer.id).where(Transfer.key == cause).scalar_subquery()
        )
    )
    causes = [cause_of(reversal_id) for reversal_id in reversals]
    if not causes:
        return 0
    lowered = session.scalar(
        select(func.sum(ScoreEntry.points)).where(ScoreEntry.cause.in_(causes))
    )
    return -int(lowered or 0)
