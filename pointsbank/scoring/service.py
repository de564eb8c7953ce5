"""Writes of scoring: the entry that work leaves behind."""

from datetime import date, datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session

from pointsbank.scoring.models import Item, ScoreEntry
from pointsbank.scoring.policy import Award


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
