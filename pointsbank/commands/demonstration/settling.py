"""The demonstration's months settled: older ones paid, the last one at every stage."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.budgets.months import month_now, months_from
from pointsbank.commands.demonstration.people import District
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.calendar import read_period
from pointsbank.core.db import reading, transaction
from pointsbank.jobs.months import close_next
from pointsbank.members.models import Member
from pointsbank.members.service import add_member, grant_role
from pointsbank.settlements.models import Statement
from pointsbank.settlements.signing import (
    approve_statement,
    confirm_statement,
    dispute_line,
    mark_paid,
)

DAY = timedelta(days=1)
# When the job runs, after midnight.
JOB_AFTER = timedelta(minutes=15)
# How far the first merchants' last month has come; the others' is paid.
LAST_MONTH = ("closed", "paid", "disputed", "confirmed", "approved")
SECOND_NAME, SECOND_PHONE = "吴静", "10009990001"


def settle_the_months(
    district: District, *, handle: bytes, zone: ZoneInfo, now: datetime
) -> None:
    """Cut off every month that is over, and let both sides sign.

    It comes after whatever else moves points in the past: a month is cut off once.
    """
    last = months_from(month_now(now, zone), -1)
    cut_off = last.ends_at(zone) + JOB_AFTER
    if cut_off > now:
        return
    closed = 1
    while closed:
        with transaction() as session:
            closed = close_next(session, last.name, zone, cut_off)
    with transaction() as session:
        second = a_second_administrator(session, district, handle, cut_off - 30 * DAY)
    first = Actor(district.administrator_id, "", 0, 0, (Grant("administrator", "/"),))
    with reading() as session:
        made = session.execute(
            select(Statement.merchant_id, Statement.month).order_by(
                Statement.month, Statement.merchant_id
            )
        ).all()
    newest = [each for each in made if each.month == last.name]
    stages = dict(zip(newest, LAST_MONTH, strict=False))
    clerks = {merchant.id: merchant.clerk_id for merchant in district.merchants}
    for each in made:
        if each.merchant_id in clerks:
            merchant_id = each.merchant_id
            clerk = Actor(clerks[merchant_id], "", 0, 0, (Grant("clerk", None, merchant_id),))
            sign(
                merchant_id,
                each.month,
                stages.get(each, "paid"),
                (clerk, second, first),
                zone,
                now,
            )


def a_second_administrator(
    session: Session, district: District, handle: bytes, now: datetime
) -> Actor:
    """Take in a second administrator, who signs in with the demonstration's password."""
    password_hash = session.scalar(
        select(Member.password_hash).where(Member.id == district.administrator_id)
    )
    member_id = add_member(
        session,
        name=SECOND_NAME,
        phone=SECOND_PHONE,
        organization_id=district.communities[0].id,
        kind="staff",
        password_hash=password_hash,
        handle=handle,
        now=now,
    )
    grant_role(
        session,
        member_id=member_id,
        role="administrator",
        organization_id=None,
        granted_by_id=district.administrator_id,
        now=now,
    )
    return Actor(member_id, SECOND_NAME, 0, 0, (Grant("administrator", "/"),))


def sign(
    merchant_id: int,
    name: str,
    stage: str,
    people: tuple[Actor, Actor, Actor],
    zone: ZoneInfo,
    now: datetime,
) -> None:
    """Bring a statement to a stage, each step a day after the one before.

    people: the clerk, who approves, who pays.
    """
    clerk, approver, payer = people
    made_at = read_period(name).ends_at(zone) + JOB_AFTER

    def after(days: int) -> datetime:
        return min(made_at + days * DAY, now)

    with transaction() as session:
        if stage == "disputed":
            dispute_line(
                session,
                merchant_id=merchant_id,
                month=name,
                no=1,
                actor=clerk,
                reason="这一笔实际交了两件",
                now=after(1),
            )
        if stage in ("confirmed", "approved", "paid"):
            confirm_statement(
                session, merchant_id=merchant_id, month=name, actor=clerk, now=after(1)
            )
        if stage in ("approved", "paid"):
            approve_statement(
                session,
                merchant_id=merchant_id,
                month=name,
                actor=approver,
                zone=zone,
                now=after(2),
            )
        if stage == "paid":
            mark_paid(
                session,
                merchant_id=merchant_id,
                month=name,
                actor=payer,
                reference=f"{name.replace('-', '')}-{merchant_id:03}",
                now=after(3),
            )
