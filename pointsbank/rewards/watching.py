"""Unusual patterns at counters: each a small judgement over what was read of a few weeks.

A finding accuses nobody: it names what an auditor should look at, and why.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, aliased

from pointsbank.core.audit import AuditEntry
from pointsbank.core.calendar import local_day, midnight
from pointsbank.members.models import HouseholdMember
from pointsbank.merchants.hours import HOUR_MINUTES, is_open
from pointsbank.merchants.models import Hours, Shop, ShopHours
from pointsbank.organizations.models import Merchant, Organization
from pointsbank.organizations.queries import within
from pointsbank.rewards.locking import ALERT_CODES, MANY_WRONG_CODES
from pointsbank.rewards.models import Redemption, RedemptionVoid, Reward, TillClosing
from pointsbank.rewards.watching_errors import BadDaySpan

T = TypeVar("T")

# A month as it is usually looked at, and two of them, which still are read at once.
DAYS_USUAL = 30
DAYS_MAX = 62
# One clerk and one member: so many deals, and so large a share of all of this clerk's.
PAIR_DEALS_MIN = 8
PAIR_SHARE = 4
# By points a clerk types the amount: so many round ones, and half of all typed.
ROUND_POINTS = 50
ROUND_DEALS_MIN = 5
ROUND_SHARE = 2
# Clocks differ, and somebody may stand at the till when the door is closed.
GRACE = timedelta(minutes=15)
# Faster than people can be served.
BURST_DEALS = 10
BURST_LASTS = timedelta(minutes=3)
FAMILY_DEALS_MIN = 2
# Taken back when nobody else is at the till any more.
LATE_VOIDS_MIN = 2
LATE_LASTS = timedelta(minutes=15)
RECEIPTS_SHOWN = 5


@dataclass(frozen=True)
class Deal:
    """One completed redemption; is_typed: by points. is_family: clerk and member of one
    household.
    """

    id: int
    merchant_id: int
    shop_id: int | None
    clerk_id: int
    member_id: int
    points: int
    at: datetime
    is_typed: bool
    is_family: bool


@dataclass(frozen=True)
class TakenBack:
    """A void on the deal's own day, by the clerk alone; closed_at: when the till was closed."""

    deal_id: int
    merchant_id: int
    shop_id: int | None
    clerk_id: int
    points: int
    at: datetime
    closed_at: datetime | None


@dataclass(frozen=True)
class Alarm:
    """Many wrong codes at a clerk's till."""

    merchant_id: int
    clerk_id: int
    at: datetime


@dataclass(frozen=True)
class Facts:
    """What is judged, in the order of time. shops: the hours of each merchant's shops by id;
    none at all where they are not known.
    """

    zone: ZoneInfo
    deals: Sequence[Deal] = ()
    voids: Sequence[TakenBack] = ()
    alarms: Sequence[Alarm] = ()
    shops: Mapping[int, Mapping[int, Sequence[Hours]]] = field(default_factory=dict)

    def hours_at(self, merchant_id: int, shop_id: int | None) -> list[Sequence[Hours]]:
        """Return the hours of the shop, or of each of the merchant's where none is named."""
        shops = self.shops.get(merchant_id, {})
        return [hours for each, hours in shops.items() if shop_id in (None, each)]


@dataclass(frozen=True)
class Finding:
    """Something to look at: which pattern, whose, how often and how much; receipts: some."""

    kind: str
    merchant_id: int
    clerk_id: int
    member_id: int | None
    times: int
    points: int
    first_at: datetime
    last_at: datetime
    receipts: tuple[int, ...] = ()


def same_pair(facts: Facts) -> Iterator[Finding]:
    """Find one clerk and one member again and again."""
    of_clerk = grouped(facts.deals, lambda deal: deal.clerk_id)
    for deals in grouped(facts.deals, _pair).values():
        all_of_clerk = len(of_clerk[deals[0].clerk_id])
        if len(deals) >= PAIR_DEALS_MIN and len(deals) * PAIR_SHARE >= all_of_clerk:
            yield found("same_pair", deals, deals[0].member_id)


def round_amounts(facts: Facts) -> Iterator[Finding]:
    """Find clerks whose typed amounts are round more often than bills are."""
    typed = [deal for deal in facts.deals if deal.is_typed]
    for deals in grouped(typed, _till).values():
        even = [deal for deal in deals if deal.points % ROUND_POINTS == 0]
        if len(even) >= ROUND_DEALS_MIN and len(even) * ROUND_SHARE >= len(deals):
            yield found("round_amounts", even)


def after_hours(facts: Facts) -> Iterator[Finding]:
    """Find deals while the shop was closed; nothing where its hours are not known."""
    closed = [deal for deal in facts.deals if _is_closed(facts, deal)]
    for deals in grouped(closed, _till).values():
        yield found("after_hours", deals)


def bursts(facts: Facts) -> Iterator[Finding]:
    """Find more deals of one clerk within minutes than people can be served."""
    for deals in grouped(facts.deals, _till).values():
        fast: dict[int, Deal] = {}
        for last in range(BURST_DEALS - 1, len(deals)):
            first = last - BURST_DEALS + 1
            if deals[last].at - deals[first].at <= BURST_LASTS:
                fast |= {deal.id: deal for deal in deals[first : last + 1]}
        if fast:
            yield found("bursts", list(fast.values()))


def own_family(facts: Facts) -> Iterator[Finding]:
    """Find clerks who hand over to their own household."""
    family = [deal for deal in facts.deals if deal.is_family]
    for deals in grouped(family, _pair).values():
        if len(deals) >= FAMILY_DEALS_MIN:
            yield found("own_family", deals, deals[0].member_id)


def late_voids(facts: Facts) -> Iterator[Finding]:
    """Find clerks who take deals back right before their till or their shop closes."""
    late = [void for void in facts.voids if _is_before_closing(facts, void)]
    for voids in grouped(late, lambda void: (void.merchant_id, void.clerk_id)).values():
        if len(voids) >= LATE_VOIDS_MIN:
            yield Finding(
                "late_voids",
                voids[0].merchant_id,
                voids[0].clerk_id,
                None,
                len(voids),
                sum(void.points for void in voids),
                voids[0].at,
                voids[-1].at,
                tuple(void.deal_id for void in voids[-RECEIPTS_SHOWN:]),
            )


def wrong_codes(facts: Facts) -> Iterator[Finding]:
    """Find tills at which many wrong codes were tried within a day."""
    for alarm in facts.alarms:
        yield Finding(
            "wrong_codes",
            alarm.merchant_id,
            alarm.clerk_id,
            None,
            ALERT_CODES,
            0,
            alarm.at,
            alarm.at,
        )


JUDGEMENTS: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    own_family,
    same_pair,
    late_voids,
    after_hours,
    bursts,
    round_amounts,
    wrong_codes,
)


def judged(facts: Facts) -> list[Finding]:
    """Return all that is unusual in these facts, the gravest pattern first, then by points."""
    return [
        finding
        for judge in JUDGEMENTS
        for finding in sorted(judge(facts), key=lambda each: (-each.points, each.first_at))
    ]


def found(kind: str, deals: Sequence[Deal], member_id: int | None = None) -> Finding:
    """Return what several deals at one till come to."""
    return Finding(
        kind,
        deals[0].merchant_id,
        deals[0].clerk_id,
        member_id,
        len(deals),
        sum(deal.points for deal in deals),
        deals[0].at,
        deals[-1].at,
        tuple(deal.id for deal in deals[-RECEIPTS_SHOWN:]),
    )


def grouped(many: Iterable[T], key: Callable[[T], Any]) -> dict[Any, list[T]]:
    """Return these by a key of each, in their order."""
    groups: dict[Any, list[T]] = defaultdict(list)
    for each in many:
        groups[key(each)].append(each)
    return groups


def days_of(
    first: str | None, last: str | None, now: datetime, zone: ZoneInfo
) -> tuple[date, date]:
    """Return a span of local days, both included; the last DAYS_USUAL when none is named.

    Raises BadDaySpan.
    """
    try:
        end = date.fromisoformat(last) if last else local_day(now, zone)
        start = date.fromisoformat(first) if first else end - timedelta(days=DAYS_USUAL - 1)
    except (ValueError, OverflowError) as error:
        raise BadDaySpan(days=DAYS_MAX) from error
    if not 0 <= (end - start).days < DAYS_MAX:
        raise BadDaySpan(days=DAYS_MAX)
    return start, end


def facts_of(
    session: Session, paths: Sequence[str], first: date, last: date, zone: ZoneInfo
) -> Facts:
    """Return what happened at the counters under these paths on these days.

    Four statements, however many counters and deals there are.
    """
    here = within(Organization.path, paths)
    return Facts(
        zone,
        _deals(session, here, first, last),
        _voids(session, here, first, last),
        _alarms(session, here, first, last, zone),
        _shops(session, here),
    )


def _pair(deal: Deal) -> tuple[int, int, int]:
    return deal.merchant_id, deal.clerk_id, deal.member_id


def _till(deal: Deal) -> tuple[int, int]:
    return deal.merchant_id, deal.clerk_id


def _is_closed(facts: Facts, deal: Deal) -> bool:
    known = facts.hours_at(deal.merchant_id, deal.shop_id)
    around = (deal.at - GRACE, deal.at, deal.at + GRACE)
    return bool(known) and all(
        is_open(hours, at, facts.zone) is False for hours in known for at in around
    )


def _is_before_closing(facts: Facts, void: TakenBack) -> bool:
    """Tell whether a void stands right before the end: the till's, else the shop's."""
    if void.closed_at is not None:
        return timedelta() <= void.closed_at - void.at <= LATE_LASTS
    local = void.at.astimezone(facts.zone)
    minute = local.hour * HOUR_MINUTES + local.minute
    ends = [
        max(each.closes for each in hours if each.weekday == local.weekday())
        for hours in facts.hours_at(void.merchant_id, void.shop_id)
        if any(each.weekday == local.weekday() for each in hours)
    ]
    return bool(ends) and 0 <= max(ends) - minute <= LATE_LASTS.total_seconds() / 60


def _deals(session: Session, here: Any, first: date, last: date) -> list[Deal]:
    of_clerk, of_member = aliased(HouseholdMember), aliased(HouseholdMember)
    rows = session.execute(
        select(
            Redemption.id,
            Redemption.merchant_id,
            Redemption.shop_id,
            Redemption.clerk_id,
            Redemption.member_id,
            Redemption.points,
            Redemption.redeemed_at,
            Reward.kind == "by_points",
            of_member.member_id.is_not(None),
        )
        .join(Reward, Reward.id == Redemption.reward_id)
        .join(Merchant, Merchant.id == Redemption.merchant_id)
        .join(Organization, Organization.id == Merchant.organization_id)
        .outerjoin(of_clerk, of_clerk.member_id == Redemption.clerk_id)
        .outerjoin(
            of_member,
            and_(
                of_member.member_id == Redemption.member_id,
                of_member.household_id == of_clerk.household_id,
            ),
        )
        .where(
            here,
            Redemption.redeemed_on.between(first, last),
            Redemption.state.in_(("completed", "voided")),
        )
        .order_by(Redemption.redeemed_at, Redemption.id)
    )
    return [Deal(*row[:7], bool(row[7]), bool(row[8])) for row in rows]


def _voids(session: Session, here: Any, first: date, last: date) -> list[TakenBack]:
    rows = session.execute(
        select(
            Redemption.id,
            Redemption.merchant_id,
            Redemption.shop_id,
            RedemptionVoid.asked_by_id,
            RedemptionVoid.points,
            RedemptionVoid.asked_at,
            TillClosing.closed_at,
        )
        .join(Redemption, Redemption.id == RedemptionVoid.redemption_id)
        .join(Merchant, Merchant.id == Redemption.merchant_id)
        .join(Organization, Organization.id == Merchant.organization_id)
        .outerjoin(
            TillClosing,
            and_(
                TillClosing.merchant_id == Redemption.merchant_id,
                TillClosing.day == Redemption.redeemed_on,
            ),
        )
        .where(
            here,
            Redemption.redeemed_on.between(first, last),
            RedemptionVoid.needs_second.is_(False),
            RedemptionVoid.decision == "approved",
        )
        .order_by(RedemptionVoid.asked_at, RedemptionVoid.id)
    )
    return [TakenBack(*row) for row in rows]


def _alarms(
    session: Session, here: Any, first: date, last: date, zone: ZoneInfo
) -> list[Alarm]:
    rows: Iterable[Any] = session.execute(
        select(Merchant.id, AuditEntry.actor_id, AuditEntry.at)
        .join(Merchant, Merchant.id == AuditEntry.subject_id)
        .join(Organization, Organization.id == Merchant.organization_id)
        .where(
            here,
            AuditEntry.subject_kind == "merchant",
            AuditEntry.action == MANY_WRONG_CODES,
            AuditEntry.at >= midnight(first, zone),
            AuditEntry.at < midnight(last + timedelta(days=1), zone),
        )
        .order_by(AuditEntry.at, AuditEntry.id)
    )
    return [Alarm(*row) for row in rows]


def _shops(session: Session, here: Any) -> dict[int, dict[int, list[Hours]]]:
    rows = session.execute(
        select(Shop.merchant_id, Shop.id, ShopHours.weekday, ShopHours.opens, ShopHours.closes)
        .join(Merchant, Merchant.id == Shop.merchant_id)
        .join(Organization, Organization.id == Merchant.organization_id)
        .outerjoin(ShopHours, ShopHours.shop_id == Shop.id)
        .where(here)
    )
    shops: dict[int, dict[int, list[Hours]]] = defaultdict(lambda: defaultdict(list))
    for merchant_id, shop_id, weekday, opens, closes in rows:
        hours = shops[merchant_id][shop_id]
        if weekday is not None:
            hours.append(Hours(weekday, opens, closes))
    return shops
