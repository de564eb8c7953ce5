"""Manual adjustments: asked for by one person, bounded by the month, decided by another."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, insert, select, text, update
from sqlalchemy.orm import Session

from pointsbank.budgets.issuing import open_issuer, warn_of_budget
from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.calendar import end_of_next_year, local_day, local_month
from pointsbank.core.db import Moment
from pointsbank.ledger.posting import Posting
from pointsbank.ledger.service import post
from pointsbank.members.models import Member
from pointsbank.members.queries import member_in_scope, role_holders_over
from pointsbank.messages.service import tell, tell_each
from pointsbank.scoring.adjustments import AdjustmentFile, adjustment_of
from pointsbank.scoring.errors import (
    AdjustmentDecided,
    AdjustmentForOneself,
    AdjustmentLapsed,
    AdjustmentMonthFull,
    BadOccurredOn,
    DayAlreadyFull,
    NotEnoughMinutes,
    OneMeasureNeeded,
    SecondPersonNeeded,
    UnknownScoringItem,
)
from pointsbank.scoring.models import (
    ADJUSTMENT_MONTH_MINUTES_MAX,
    ADJUSTMENT_MONTH_POINTS_MAX,
    Adjustment,
    AdjustmentMonth,
    Item,
)
from pointsbank.scoring.policy import Award
from pointsbank.scoring.queries import (
    Standard,
    minutes_counted_on,
    service_minutes_of,
    standard_on,
)
from pointsbank.scoring.service import record_entry

ASKING_ROLES = ("administrator", "secretary", "organizer")
DECIDING_ROLES = ("administrator", "secretary")
READING_ROLES = (*ASKING_ROLES, "auditor")
# Rule: docs/ledger.md, "Manual adjustments".
DECIDE_WITHIN = timedelta(days=7)
OCCURRED_WITHIN_DAYS = 7
# What is entered by hand counts in this part of the rankings, and adds no evaluation to it.
ENTRY_CATEGORY = "volunteer_service"
NOON = time(12)
# Printed in the passbook for ever, so the words stand here and in no catalog.
LINE_WORDS = {
    "missed_scan": "人工调整 · 漏签到或漏签退",
    "device_failure": "人工调整 · 设备故障",
    "paper_record": "人工调整 · 纸质签到补录",
    "wrong_entry": "人工调整 · 更正记错的",
    "commendation": "人工调整 · 表彰奖励",
    "other": "人工调整 · 其他原因",
}

# Of several that ask at once for one person each counts on top of those before; a size alone
# always fits, because the table bounds it.
TAKE_QUOTA = text(
    """
    INSERT INTO adjustment_month (member_id, month, points, service_minutes)
    VALUES (:member_id, :month, :points, :minutes)
    ON CONFLICT (member_id, month) DO UPDATE
        SET points = adjustment_month.points + excluded.points,
            service_minutes = adjustment_month.service_minutes + excluded.service_minutes
        WHERE adjustment_month.points + excluded.points <= :points_max
          AND adjustment_month.service_minutes + excluded.service_minutes <= :minutes_max
    RETURNING points
    """
)

# Of several decisions, and of a decision and the lapse, exactly one finds it pending.
DECIDE = text(
    """
    UPDATE adjustment
    SET state = :state, decided_by_id = :decided_by_id, decided_at = :now,
        decision_reason = :reason
    WHERE id = :id AND state = 'pending'
    RETURNING id
    """
).bindparams(bindparam("now", type_=Moment()))


@dataclass(frozen=True)
class NewAdjustment:
    """What is asked for: points or minutes, signed, for what happened on a local day."""

    member_id: int
    reason_code: str
    reason: str
    points: int | None = None
    service_minutes: int | None = None
    evidence: str = ""
    occurred_on: date | None = None


@dataclass(frozen=True)
class Asked:
    """An adjustment that waits for a second person until decide_by."""

    id: int
    decide_by: datetime


def ask_adjustment(
    session: Session, wanted: NewAdjustment, *, actor: Actor, zone: ZoneInfo, now: datetime
) -> Asked:
    """Ask for an adjustment of a member within the actor's scope, and tell who may decide it.

    Nothing moves yet, but it counts in the member's month until it is refused or lapses.
    Raises AdjustmentForOneself, MemberNotFound, OneMeasureNeeded, BadOccurredOn,
    AdjustmentMonthFull. Rule: docs/ledger.md, "Manual adjustments".
    """
    if wanted.member_id == actor.member_id:
        raise AdjustmentForOneself
    member = member_in_scope(session, actor.paths(*ASKING_ROLES), wanted.member_id)
    _demand_one_measure(wanted)
    today = local_day(now, zone)
    occurred_on = wanted.occurred_on or today
    if not timedelta(0) <= today - occurred_on <= timedelta(days=OCCURRED_WITHIN_DAYS):
        raise BadOccurredOn(days=OCCURRED_WITHIN_DAYS)
    _take_quota(session, wanted, local_month(now, zone))
    decide_by = now + DECIDE_WITHIN
    adjustment_id = session.execute(
        insert(Adjustment)
        .values(
            member_id=member.id,
            organization_id=member.organization_id,
            points=wanted.points,
            service_minutes=wanted.service_minutes,
            occurred_on=occurred_on,
            reason_code=wanted.reason_code,
            reason=wanted.reason,
            evidence=wanted.evidence,
            author_id=actor.member_id,
            asked_at=now,
            decide_by=decide_by,
        )
        .returning(Adjustment.id)
    ).scalar_one()
    deciders = set(role_holders_over(session, member.path, DECIDING_ROLES))
    tell_each(
        session,
        key=f"adjustment:{adjustment_id}:asked",
        member_ids=deciders - {actor.member_id, member.id},
        kind="adjustment_asked",
        facts={"adjustment_id": adjustment_id, "decide_by": decide_by.isoformat()},
        now=now,
    )
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="adjustment_asked",
        subject=("adjustment", adjustment_id),
        member_id=member.id,
        points=wanted.points,
        service_minutes=wanted.service_minutes,
        reason_code=wanted.reason_code,
    )
    return Asked(adjustment_id, decide_by)


def _demand_one_measure(wanted: NewAdjustment) -> None:
    given = [each for each in (wanted.points, wanted.service_minutes) if each is not None]
    if len(given) != 1 or given[0] == 0:
        raise OneMeasureNeeded
    most = ADJUSTMENT_MONTH_POINTS_MAX if wanted.points else ADJUSTMENT_MONTH_MINUTES_MAX
    if abs(given[0]) > most:
        raise AdjustmentMonthFull(left=most)


def _take_quota(session: Session, wanted: NewAdjustment, month: str) -> None:
    values = {
        "member_id": wanted.member_id,
        "month": month,
        "points": abs(wanted.points or 0),
        "minutes": abs(wanted.service_minutes or 0),
        "points_max": ADJUSTMENT_MONTH_POINTS_MAX,
        "minutes_max": ADJUSTMENT_MONTH_MINUTES_MAX,
    }
    if session.execute(TAKE_QUOTA, values).first() is not None:
        return
    used = session.execute(
        select(AdjustmentMonth.points, AdjustmentMonth.service_minutes).where(
            AdjustmentMonth.member_id == wanted.member_id, AdjustmentMonth.month == month
        )
    ).one()
    raise AdjustmentMonthFull(
        left=ADJUSTMENT_MONTH_POINTS_MAX - used.points
        if wanted.points
        else ADJUSTMENT_MONTH_MINUTES_MAX - used.service_minutes
    )


def give_quota_back(
    session: Session,
    *,
    member_id: int,
    points: int | None,
    service_minutes: int | None,
    asked_at: datetime,
    zone: ZoneInfo,
) -> None:
    """Give the month in which an adjustment was asked for back what it took of it."""
    session.execute(
        update(AdjustmentMonth)
        .where(
            AdjustmentMonth.member_id == member_id,
            AdjustmentMonth.month == local_month(asked_at, zone),
        )
        .values(
            points=AdjustmentMonth.points - abs(points or 0),
            service_minutes=AdjustmentMonth.service_minutes - abs(service_minutes or 0),
        )
    )


def decide_adjustment(
    session: Session,
    *,
    adjustment_id: int,
    actor: Actor,
    is_approved: bool,
    reason: str,
    zone: ZoneInfo,
    now: datetime,
) -> str:
    """Approve or refuse an adjustment as its second person, and return its state.

    Approved points are posted, approved minutes only counted; the member and the author are
    told. What the ledger refuses leaves the adjustment pending.
    Raises AdjustmentNotFound, SecondPersonNeeded, AdjustmentDecided, AdjustmentLapsed,
    DayAlreadyFull, NotEnoughMinutes, NotEnoughPoints, BudgetSpent.
    """
    found = adjustment_of(session, adjustment_id, actor.paths(*DECIDING_ROLES))
    if actor.member_id in (found.author_id, found.member_id):
        raise SecondPersonNeeded
    if found.state_at(now) == "lapsed":
        raise AdjustmentLapsed
    state = "approved" if is_approved else "refused"
    values = {"decided_by_id": actor.member_id, "now": now, "reason": reason}
    decided = session.execute(DECIDE, {"id": adjustment_id, "state": state, **values}).first()
    if decided is None:
        raise AdjustmentDecided
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action=f"adjustment_{state}",
        subject=("adjustment", adjustment_id),
    )
    _tell_decision(session, found, is_approved=is_approved, now=now)
    if is_approved:
        _carry_out(session, found, actor_id=actor.member_id, zone=zone, now=now)
    else:
        give_quota_back(
            session,
            member_id=found.member_id,
            points=found.points,
            service_minutes=found.service_minutes,
            asked_at=found.asked_at,
            zone=zone,
        )
    return state


def _tell_decision(
    session: Session, found: AdjustmentFile, *, is_approved: bool, now: datetime
) -> None:
    key, facts = f"adjustment:{found.id}", {"adjustment_id": found.id}
    tell(
        session,
        key=f"{key}:author",
        member_id=found.author_id,
        kind="adjustment_request_approved" if is_approved else "adjustment_request_refused",
        facts={"adjustment_id": found.id},
        now=now,
    )
    if found.points is not None:
        facts["points"] = found.points
    if found.service_minutes is not None:
        facts["minutes"] = found.service_minutes
    approved = (
        "adjustment_minutes_approved" if found.points is None else "adjustment_points_approved"
    )
    tell(
        session,
        key=f"{key}:member",
        member_id=found.member_id,
        kind=approved if is_approved else "adjustment_refused",
        facts=facts,
        now=now,
    )


def _carry_out(
    session: Session,
    found: AdjustmentFile,
    *,
    actor_id: int,
    zone: ZoneInfo,
    now: datetime,
) -> None:
    """Count what was approved, and post points last: the wallet stays locked until the end."""
    standard = standard_on(session, found.occurred_on)
    item = _entry_item(standard)
    # Another adjustment, or the settlement of a shift of that day, waits here.
    session.execute(
        select(Member.id).where(Member.id == found.member_id).with_for_update(key_share=True)
    )
    if found.service_minutes is not None:
        _judge_minutes(session, found, found.service_minutes, item)
    entry_id = record_entry(
        session,
        cause=f"adjust:{found.id}",
        member_id=found.member_id,
        organization_id=found.organization_id,
        item=item,
        award=Award(found.service_minutes or 0, found.points or 0, 0),
        title=LINE_WORDS[found.reason_code],
        earned_on=found.occurred_on,
        now=now,
    )
    transfer_id = None
    if found.points is not None:
        issuer = open_issuer(session, found.organization_id)
        posting = _posting(
            found, found.points, issuer.code, actor_id=actor_id, zone=zone, now=now
        )
        transfer_id = post(session, posting, now).id
        if posting.budget_month is not None:
            warn_of_budget(session, issuer, posting.budget_month, now)
    session.execute(
        update(Adjustment)
        .where(Adjustment.id == found.id)
        .values(entry_id=entry_id, transfer_id=transfer_id)
    )


def _entry_item(standard: Standard) -> Item:
    """Return the item under which entries by hand stand: the first of their category.

    Raises UnknownScoringItem.
    """
    for item in standard.items:
        if item.category == ENTRY_CATEGORY:
            return item
    raise UnknownScoringItem(scoring_item=ENTRY_CATEGORY)


def _judge_minutes(session: Session, found: AdjustmentFile, minutes: int, item: Item) -> None:
    member_id = found.member_id
    if minutes < 0:
        total = service_minutes_of(session, member_id)
        if total + minutes < 0:
            raise NotEnoughMinutes(minutes=total)
        return
    counted = minutes_counted_on(session, [member_id], found.occurred_on).get(member_id, 0)
    if counted + minutes > item.day_minutes_max:
        raise DayAlreadyFull(counted=counted, most=item.day_minutes_max)


def _posting(
    found: AdjustmentFile,
    points: int,
    issuer: str,
    *,
    actor_id: int,
    zone: ZoneInfo,
    now: datetime,
) -> Posting:
    wallet, is_up = f"member:{found.member_id}", points > 0
    return Posting(
        key=f"adjust:{found.id}",
        kind="adjust_up" if is_up else "adjust_down",
        source=issuer if is_up else wallet,
        target=wallet if is_up else issuer,
        wallet=wallet,
        points=abs(points),
        occurred_at=min(datetime.combine(found.occurred_on, NOON, zone), found.asked_at),
        reason=LINE_WORDS[found.reason_code],
        actor_id=actor_id,
        expires_on=end_of_next_year(found.occurred_on) if is_up else None,
        budget_month=local_month(now, zone) if is_up else None,
    )
