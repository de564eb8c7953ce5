"""What comes of notices: stars awarded once they are locked, corrected once one was upheld.

The notices room knows nothing of stars; this one asks how each notice ended.
"""

from collections.abc import Callable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Date, bindparam, select, text, update
from sqlalchemy.orm import Session

from pointsbank.certificates.applying import refuse
from pointsbank.certificates.models import OrganizationStarPlan, StarApplication
from pointsbank.certificates.noticing import take_plan_out, take_star_out
from pointsbank.certificates.plans_queries import PlanFile, plans_in_notice
from pointsbank.certificates.policy import ACCOUNT_STOPPED, BARRED, MINUTES_AN_HOUR, TIME_FELL
from pointsbank.certificates.queries import (
    ApplicationFile,
    applications_in_notice,
    barred_until,
)
from pointsbank.core.audit import note
from pointsbank.core.calendar import local_day
from pointsbank.core.db import Moment
from pointsbank.members.queries import member_of, role_holders_over
from pointsbank.messages.service import tell, tell_each
from pointsbank.notices.models import Notice, NoticeLine
from pointsbank.notices.policy import OBJECTION_UPHELD
from pointsbank.notices.queries import (
    Upheld,
    undecided_objections,
    upheld_without_correction,
)
from pointsbank.scoring.queries import service_minutes_of

# Draws the digits behind a running number, so that no other number can be told from one.
Draw = Callable[[], str]
CHECK_DIGITS = 4

# Of two awards at once each waits for the other's row and has the next number.
DRAW_NUMBER = text(
    """
    INSERT INTO star_count (year, drawn) VALUES (:year, 1)
    ON CONFLICT (year) DO UPDATE SET drawn = star_count.drawn + 1
    RETURNING drawn
    """
)
AWARD = text(
    """
    UPDATE star_application
    SET state = 'awarded', number = :number, awarded_on = :today, decided_at = :now
    WHERE id = :id AND state = 'noticed'
    RETURNING id
    """
).bindparams(bindparam("today", type_=Date()), bindparam("now", type_=Moment()))
AWARD_PLAN = text(
    """
    UPDATE organization_star_plan SET state = 'awarded', awarded_on = :today
    WHERE id = :id AND state = 'noticed'
    RETURNING id
    """
).bindparams(bindparam("today", type_=Date()))


def settle_next_notice(session: Session, *, draw: Draw, zone: ZoneInfo, now: datetime) -> int:
    """Do what the next notice that ended or was objected to asks for; return how many lines of
    it moved, 0 when nothing is left to do.

    A repeat finds nothing: each line moves once.
    """
    return (
        correct_next(session, now=now)
        or _end_stars(session, draw, zone, now)
        or _end_plans(session, zone, now)
    )


def correct_next(session: Session, *, now: datetime) -> int:
    """Take whoever an upheld objection is about out of a notice; the rest is shown again.

    An objection to a notice as a whole names nobody: a person decides what comes of it, and of
    the lines beside it as well. While other objections wait for their decision, so does this.
    """
    for kind in ("star", "organization_star"):
        upheld = upheld_without_correction(session, kind=kind)
        for notice_id in sorted({each.notice_id for each in upheld}):
            if undecided_objections(session, notice_id):
                continue
            about = [each for each in upheld if each.notice_id == notice_id]
            if any(each.line_no is None for each in about):
                continue
            moved = (
                _take_stars_out(session, notice_id, about, now)
                if kind == "star"
                else _take_plans_out(session, notice_id, about, now)
            )
            if moved:
                return moved
    return 0


def _take_stars_out(
    session: Session, notice_id: int, upheld: list[Upheld], now: datetime
) -> int:
    members = {each.member_id for each in upheld}
    shown = applications_in_notice(session, notice_id)
    take_star_out(
        session,
        notice_id=notice_id,
        application_ids=[each.id for each in shown if each.member_id in members],
        reason=OBJECTION_UPHELD,
        by_id=None,
        now=now,
    )
    return len(members)


def _take_plans_out(
    session: Session, notice_id: int, upheld: list[Upheld], now: datetime
) -> int:
    lines = {each.line_no for each in upheld}
    places = set(
        session.scalars(
            select(NoticeLine.organization_id).where(
                NoticeLine.notice_id == notice_id, NoticeLine.no.in_(lines)
            )
        )
    )
    shown = plans_in_notice(session, notice_id)
    take_plan_out(
        session,
        notice_id=notice_id,
        plan_ids=[each.id for each in shown if each.organization_id in places],
        reason=OBJECTION_UPHELD,
        by_id=None,
        now=now,
    )
    return len(lines)


def _end_stars(session: Session, draw: Draw, zone: ZoneInfo, now: datetime) -> int:
    """Award what a locked notice showed; what a withdrawn one showed waits for another."""
    row = session.execute(
        select(Notice.id, Notice.state)
        .join(StarApplication, StarApplication.notice_id == Notice.id)
        .where(StarApplication.state == "noticed", Notice.state.in_(("locked", "withdrawn")))
        .order_by(Notice.id)
        .limit(1)
    ).first()
    if row is None:
        return 0
    if row.state == "withdrawn":
        freed = session.execute(
            update(StarApplication)
            .where(StarApplication.notice_id == row.id, StarApplication.state == "noticed")
            .values(state="applied", notice_id=None, decided_by_id=None, decided_at=None)
            .returning(StarApplication.id)
        )
        return len(freed.all())
    shown = applications_in_notice(session, row.id)
    for each in shown:
        award(session, each, draw=draw, today=local_day(now, zone), now=now)
    return len(shown)


def award(
    session: Session, found: ApplicationFile, *, draw: Draw, today: date, now: datetime
) -> str | None:
    """Award a star whose notice is locked, and return its number.

    None when it is refused, because the service time is gone, the account stopped or the member
    barred; or when somebody moved it before.
    """
    # Whoever withdraws or revokes at this moment goes first or waits, and no number is lost.
    held = session.scalar(
        select(StarApplication.id)
        .where(StarApplication.id == found.id, StarApplication.state == "noticed")
        .with_for_update()
    )
    if held is None:
        return None
    against = _what_speaks_against(session, found, today)
    if against:
        refuse(session, found, was="noticed", by_id=None, reason=against, now=now)
        return None
    drawn = session.execute(DRAW_NUMBER, {"year": today.year}).scalar_one()
    number = f"{today.year}-{drawn:06d}-{draw()}"
    values = {"id": found.id, "number": number, "today": today, "now": now}
    if session.execute(AWARD, values).first() is None:
        return None
    tell(
        session,
        key=f"star:{found.id}:awarded",
        member_id=found.member_id,
        kind="star_awarded",
        facts={"application_id": found.id, "stars": found.stars},
        now=now,
    )
    note(
        session,
        at=now,
        actor_id=None,
        action="award_star",
        subject=("star_application", found.id),
    )
    return number


def _what_speaks_against(session: Session, found: ApplicationFile, today: date) -> str:
    if barred_until(session, found.member_id, today) is not None:
        return BARRED
    if member_of(session, found.member_id).state != "active":
        return ACCOUNT_STOPPED
    minutes = service_minutes_of(session, found.member_id)
    return TIME_FELL if minutes < MINUTES_AN_HOUR * found.hours_needed else ""


def _end_plans(session: Session, zone: ZoneInfo, now: datetime) -> int:
    row = session.execute(
        select(Notice.id, Notice.state)
        .join(OrganizationStarPlan, OrganizationStarPlan.notice_id == Notice.id)
        .where(
            OrganizationStarPlan.state == "noticed", Notice.state.in_(("locked", "withdrawn"))
        )
        .order_by(Notice.id)
        .limit(1)
    ).first()
    if row is None:
        return 0
    if row.state == "withdrawn":
        freed = session.execute(
            update(OrganizationStarPlan)
            .where(
                OrganizationStarPlan.notice_id == row.id,
                OrganizationStarPlan.state == "noticed",
            )
            .values(state="reviewed", notice_id=None)
            .returning(OrganizationStarPlan.id)
        )
        return len(freed.all())
    shown = plans_in_notice(session, row.id)
    for each in shown:
        _award_plan(session, each, local_day(now, zone), now)
    return len(shown)


def _award_plan(session: Session, plan: PlanFile, today: date, now: datetime) -> None:
    if session.execute(AWARD_PLAN, {"id": plan.id, "today": today}).first() is None:
        return
    tell_each(
        session,
        key=f"star_plan:{plan.id}:awarded",
        member_ids=role_holders_over(session, plan.path, ["secretary"]),
        kind="plan_awarded",
        facts={"plan_id": plan.id, "year": str(plan.year), "stars": plan.stars},
        now=now,
    )
    note(
        session,
        at=now,
        actor_id=None,
        action="award_organization_stars",
        subject=("organization_star_plan", plan.id),
    )
