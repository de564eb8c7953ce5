"""Builders of series: a task whose shift recurs, its dates, its standing claims."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlalchemy import select

from pointsbank.core.calendar import local_day
from pointsbank.core.keys import draw_bytes
from pointsbank.messages.models import Message
from pointsbank.tasks.following import change_following
from pointsbank.tasks.models import HANDLE_BYTES, Claim, Shift
from pointsbank.tasks.recurrence import read_rule
from pointsbank.tasks.recurring import keep_series_ahead, plan_of, plan_series
from pointsbank.tasks.series_queries import series_of
from pointsbank.tasks.standing import StandingWish, make_standing_claim
from tests.builders import SHANGHAI, a_member, a_plan, a_task, shifts_of
from tests.moments import NOON

EVERYWHERE = ["/"]
# A Saturday.
TODAY = NOON.date()
SATURDAYS = "FREQ=WEEKLY;BYDAY=SA"
SHAPE = ("places", "minutes", "starts_at")
SATURDAY = frozenset({5})


def draw():
    """Draw a shift's handle."""
    return draw_bytes(HANDLE_BYTES)


def a_series(session, rule=SATURDAYS, *, shift_id=None, zone=SHANGHAI, now=NOON, **more):
    """Return a new series of a shift, of a new open task's this afternoon unless given.

    places and minutes go to the shift, what else is given to plan_series.
    """
    shape = {
        name: more.pop(name) for name in ("places", "minutes", "starts_at") if name in more
    }
    if shift_id is None:
        task_id = a_task(session, shifts=[a_plan(**shape)], now=now)
        shift_id = shifts_of(session, task_id)[0]
    return plan_series(
        session,
        shift_id=shift_id,
        recurrence=read_rule(rule),
        actor_id=1,
        paths=EVERYWHERE,
        zone=zone,
        draw=draw,
        now=now,
        **more,
    )


def shifts(session, series_id):
    """Return the rows of the shifts of a series, by their days."""
    return session.execute(
        select(Shift.__table__).where(Shift.series_id == series_id).order_by(Shift.occurs_on)
    ).all()


def days(session, series_id):
    """Return the days of a series' shifts as text."""
    return [row.occurs_on.isoformat() for row in shifts(session, series_id)]


def shift_on(session, series_id, day):
    """Return the id of the shift of a series on a day that is written as text."""
    return session.scalars(
        select(Shift.id).where(
            Shift.series_id == series_id, Shift.occurs_on == date.fromisoformat(day)
        )
    ).one()


def a_night_later(session, series_id, nights=1, zone=SHANGHAI):
    """Do what the job does so many nights later, in the first hour of the day."""
    now = night(nights)
    return keep_series_ahead(session, series_id=series_id, zone=zone, draw=draw, now=now)


def night(nights: int) -> datetime:
    """Return 00:20 so many nights after the tests' noon."""
    return NOON + timedelta(days=nights) - timedelta(hours=11, minutes=40)


def a_standing(session, series_id, member_id=None, weekdays=SATURDAY, now=NOON, **more):
    """Let a member, a new one unless given, stand in for a series; return what was made."""
    return make_standing_claim(
        session,
        series_id=series_id,
        member_id=member_id if member_id is not None else a_member(session),
        wish=StandingWish(weekdays=frozenset(weekdays), **more),
        zone=SHANGHAI,
        now=now,
    )


def changed(session, series_id, from_on, *, now=NOON, rule=None, **plan):
    """Change a series from a day on that is written as text."""
    standing = plan_of(series_of(session, series_id))
    if rule is not None:
        plan["recurrence"] = read_rule(rule)
    return change_following(
        session,
        series_id=series_id,
        from_on=date.fromisoformat(from_on),
        plan=replace(standing, **plan),
        actor_id=1,
        paths=EVERYWHERE,
        zone=SHANGHAI,
        draw=draw,
        now=now,
    )


def claims_by(session, member_id):
    """Return a member's claims as pairs of local day and state, in the order of time."""
    rows = session.execute(
        select(Shift.starts_at, Claim.state)
        .join(Claim, Claim.shift_id == Shift.id)
        .where(Claim.member_id == member_id)
        .order_by(Shift.starts_at)
    )
    return [(local_day(row.starts_at, SHANGHAI).isoformat(), row.state) for row in rows]


def told(session, member_id):
    """Return the kinds of a member's messages, the oldest first."""
    return list(
        session.scalars(
            select(Message.kind).where(Message.member_id == member_id).order_by(Message.id)
        )
    )
