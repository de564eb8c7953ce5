"""Series changed from a day on: ended, or carried on by another; people keep their places."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from pointsbank.core.calendar import local_day
from pointsbank.tasks.claiming import locked_shift
from pointsbank.tasks.drafting import check_shift
from pointsbank.tasks.errors import NotOpen
from pointsbank.tasks.models import Claim, GroupClaim, Invitation, Series, Shift, ShiftRole
from pointsbank.tasks.recurring import (
    Draw,
    Plan,
    add_series,
    check_approval,
    check_span,
    end_if_over,
    make_shifts,
    note_series,
)
from pointsbank.tasks.series_errors import BadSpan, SeriesEnded
from pointsbank.tasks.series_queries import SeriesLine, is_followed, locked_series, series_of
from pointsbank.tasks.standing import (
    bound_standing_on,
    carry_standing_on,
    claim_dates,
    end_standing_on,
)


@dataclass(frozen=True)
class Changed:
    """A series after it was ended or changed from a day on.

    kept: dates after that day that stay as they are, because people have places on them or
    they were changed by themselves. removed: how many free ones are gone. made: how many new
    ones there are in series_id.
    """

    series_id: int
    kept: tuple[int, ...]
    removed: int
    made: int = 0


def end_series(
    session: Session,
    *,
    series_id: int,
    from_on: date,
    actor_id: int,
    paths: Sequence[str],
    zone: ZoneInfo,
    now: datetime,
) -> Changed:
    """End a series, so that from a local day on it has no dates but those that are kept.

    A repeat finds nothing left to remove.
    Raises SeriesNotFound, BadSpan for a day that is past.
    """
    series = locked_series(session, series_id, paths)
    today = local_day(now, zone)
    if from_on < today:
        raise BadSpan
    kept, removed = _clear_dates(session, series_id, from_on, now)
    if series.state == "active":
        _stop(session, series, from_on, today, now)
        note_series(
            session, series_id, "series_ended", actor_id, now, from_on=from_on.isoformat()
        )
    return Changed(series_id, kept, removed)


def _stop(
    session: Session, series: SeriesLine, from_on: date, today: date, now: datetime
) -> None:
    """Let a series have no dates from a day on."""
    last_on = min(from_on - timedelta(days=1), series.ends_on or date.max)
    session.execute(update(Series).where(Series.id == series.id).values(ends_on=last_on))
    end_if_over(session, series.id, today, now)


def _clear_dates(
    session: Session, series_id: int, from_on: date, now: datetime
) -> tuple[tuple[int, ...], int]:
    """Remove the free dates of a series from a day on; return those kept, and how many are
    gone. What has begun or was called off is neither."""
    dates = session.execute(
        select(Shift.id, Shift.is_detached)
        .where(
            Shift.series_id == series_id,
            Shift.occurs_on >= from_on,
            Shift.starts_at > now,
            Shift.called_off_at.is_(None),
        )
        .order_by(Shift.id)
    ).all()
    kept = []
    for shift_id, is_detached in dates:
        locked_shift(session, shift_id)
        if is_detached or _is_wanted(session, shift_id):
            kept.append(shift_id)
        else:
            _remove(session, shift_id, now)
    return tuple(kept), len(dates) - len(kept)


def _is_wanted(session: Session, shift_id: int) -> bool:
    """Tell whether anybody has a place on a shift, waits for one, or was asked to come."""
    asks = (
        select(Claim.id).where(Claim.shift_id == shift_id, Claim.state != "withdrawn"),
        select(GroupClaim.id).where(
            GroupClaim.shift_id == shift_id, GroupClaim.released_at.is_(None)
        ),
        select(Invitation.id).where(
            Invitation.shift_id == shift_id, Invitation.state == "open"
        ),
    )
    return any(session.scalar(each.limit(1)) is not None for each in asks)


def _remove(session: Session, shift_id: int, now: datetime) -> None:
    """Remove a shift that nobody wants; where its past is on record, call it off instead."""
    try:
        with session.begin_nested():
            session.execute(delete(ShiftRole).where(ShiftRole.shift_id == shift_id))
            session.execute(delete(Shift).where(Shift.id == shift_id))
    except IntegrityError:
        session.execute(
            update(Shift)
            .where(Shift.id == shift_id)
            .values(called_off_at=now, series_id=None, occurs_on=None)
        )


def change_following(
    session: Session,
    *,
    series_id: int,
    from_on: date,
    plan: Plan,
    actor_id: int,
    paths: Sequence[str],
    zone: ZoneInfo,
    draw: Draw,
    now: datetime,
) -> Changed:
    """Change a series from a local day on: it ends the day before, and a new one follows it,
    which counts its intervals and its number of dates from that day.

    Dates on which people have places stay as they are, in the old series; the new one leaves
    their days out. Standing claims go on where the rule and the hours are the same.
    Raises SeriesNotFound, SeriesEnded, NotOpen, BadSpan, BadRule, ApprovalMissing, and what
    check_shift raises.
    """
    old = locked_series(session, series_id, paths)
    today = local_day(now, zone)
    if old.task_state != "open":
        raise NotOpen
    if old.state != "active" or is_followed(session, series_id):
        raise SeriesEnded
    if from_on < today or (old.ends_on is not None and from_on > old.ends_on):
        raise BadSpan
    check_span(plan.recurrence, from_on, plan.ends_on)
    check_shift(session, plan.shift_on(from_on, b"", zone))
    check_approval(session, old.task_id, sum(int(role["places"]) for role in plan.roles))
    kept, removed = _clear_dates(session, series_id, from_on, now)
    new_id = add_series(session, old.task_id, plan, from_on, actor_id, now, series_id)
    new = series_of(session, new_id, paths)
    through = today + timedelta(weeks=plan.weeks_ahead)
    made = make_shifts(
        session, series_id=new_id, through=through, zone=zone, draw=draw, now=now
    )
    carried: list[int] = []
    if _same_times(old, plan):
        carried = carry_standing_on(session, old, new, from_on=from_on, now=now)
    _hand_over(session, old, from_on, carried, today, now)
    claim_dates(session, new, zone=zone, now=now)
    note_series(
        session, new_id, "series_changed", actor_id, now, follows=series_id, kept=len(kept)
    )
    return Changed(new_id, kept, removed, made)


def _same_times(old: SeriesLine, plan: Plan) -> bool:
    new_rule = replace(plan.recurrence, count=None, until=None)
    old_rule = replace(old.recurrence, count=None, until=None)
    return (new_rule, plan.start_minute, plan.lasts_minutes) == (
        old_rule,
        old.start_minute,
        old.lasts_minutes,
    )


def _hand_over(
    session: Session,
    old: SeriesLine,
    from_on: date,
    carried: Sequence[int],
    today: date,
    now: datetime,
) -> None:
    """End the old series; standing claims that are carried on end with it in silence."""
    last_on = from_on - timedelta(days=1)
    if last_on < today:
        end_standing_on(session, old, today=today, now=now, but=carried)
    else:
        bound_standing_on(session, old, last_on=last_on, now=now, but=carried)
    _stop(session, old, from_on, today, now)
