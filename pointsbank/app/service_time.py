"""Hands service time, which scoring keeps, to the passbook, which stands on a lower step."""

from datetime import date

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pointsbank.passbooks.policy import ServiceTime
from pointsbank.scoring.models import ScoreEntry
from pointsbank.scoring.queries import service_minutes_of


def service_time_of(session: Session, member_id: int, today: date) -> ServiceTime:
    """Return a member's service time: all of it, and this calendar year's."""
    this_year = session.scalar(
        select(func.coalesce(func.sum(ScoreEntry.service_minutes), 0)).where(
            ScoreEntry.member_id == member_id,
            ScoreEntry.earned_on >= date(today.year, 1, 1),
            ScoreEntry.earned_on < date(today.year + 1, 1, 1),
        )
    )
    return ServiceTime(service_minutes_of(session, member_id), int(this_year or 0))


def install(app: Flask) -> None:
    """Leave the query where the passbook's page looks for it."""
    app.extensions["service_time"] = service_time_of
