"""Writes of scoring: the entry that work leaves behind."""

from datetime import date, datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from pointsbank.scoring.models import Item, ScoreEntry
from pointsbank.scoring.policy import Award
from pointsbank.scoring.reversals import points_lowered


def record_entry(
    session: Session,
    *,
    cause: str,
    member_id: int,
    organization_id: int,
    item: Item,
    award: Award,
    title: str,
    earned_on: date,
    now: datetime,
) -> int:
    """Write what a piece of work added, and return the entry's id.

    cause: names the work for ever, such as "award:17"; a second entry with it breaks a unique
    constraint.
    organization_id: where the member belongs at this moment. earned_on: the local day of the
    work.
    """
    return session.execute(
        insert(ScoreEntry)
        .values(
            cause=cause,
            member_id=member_id,
            organization_id=organization_id,
            item_id=item.id,
            category=item.category,
            evaluation_hundredths=award.evaluation_hundredths,
            points=award.points,
            service_minutes=award.service_minutes,
            title=title,
            earned_on=earned_on,
            recorded_at=now,
        )
        .returning(ScoreEntry.id)
    ).scalar_one()


def negate_entry(session: Session, *, cause: str, of_cause: str, now: datetime) -> int | None:
    """Write an entry that takes away what another added, and return its id.

    It belongs to the same day, item and organization, so that every sum and period loses what
    it had gained; points that the ledger took back before are not taken twice. None when there
    is nothing to take away, or it was taken away before.
    """
    original = session.scalars(select(ScoreEntry).where(ScoreEntry.cause == of_cause)).first()
    prior = session.scalar(select(ScoreEntry.id).where(ScoreEntry.cause == cause))
    if original is None or prior is not None:
        return None
    return session.execute(
        insert(ScoreEntry)
        .values(
            cause=cause,
            member_id=original.member_id,
            organization_id=original.organization_id,
            item_id=original.item_id,
            category=original.category,
            evaluation_hundredths=-original.evaluation_hundredths,
            points=points_lowered(session, of_cause) - original.points,
            service_minutes=-original.service_minutes,
            title=original.title,
            earned_on=original.earned_on,
            recorded_at=now,
        )
        .returning(ScoreEntry.id)
    ).scalar_one()
