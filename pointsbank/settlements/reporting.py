"""What became of points in a span of months, counted from the ledger's own transfers."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import TextClause, bindparam, select, text
from sqlalchemy.orm import Session

from pointsbank.budgets.months import month_now, months_from, read_month
from pointsbank.budgets.queries import ISSUING_KIND
from pointsbank.core.calendar import Period
from pointsbank.core.db import Moment
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import OrganizationNode, within
from pointsbank.settlements.reports_errors import BadMonthSpan

# What a chart can show side by side; also a year.
SPAN_MONTHS_MAX = 12
WALLETS = ("member", "fund")
# What a wallet's points came from or went to, by the kind of the account across from it.
# Everything else is another wallet, through the clearing account: a gift or a donation.
FLOWS = {
    ("in", "issue"): ("issued", 1),
    ("out", "issue"): ("taken_back", 1),
    ("out", "merchant"): ("redeemed", 1),
    ("in", "merchant"): ("voided", 1),
    ("out", "expired"): ("expired", 1),
    ("in", "expired"): ("expired", -1),
}
MOVED = {"in": ("moved", 1), "out": ("moved", -1)}

# One statement is one moment on both engines: months and places agree.
LEGS = """
    WITH holder AS (
        SELECT account.id, account.kind, member.organization_id
        FROM member JOIN account ON account.code = 'member:' || member.id
        UNION ALL
        SELECT account.id, account.kind, care_fund.organization_id
        FROM care_fund JOIN account ON account.code = 'care_fund:' || care_fund.id
        UNION ALL
        SELECT account.id, account.kind, organization.id
        FROM organization
        JOIN account ON account.code = 'issue:' || organization.kind || ':' || organization.code
    ), moved AS (
        SELECT {month} AS month_no, source_id, target_id, SUM(points) AS points
        FROM transfer WHERE recorded_at < :until
        GROUP BY 1, source_id, target_id
    )
    SELECT moved.month_no, holder.kind, holder.organization_id, 'in' AS way,
           other.kind AS other, SUM(moved.points) AS points
    FROM moved JOIN holder ON holder.id = moved.target_id
    JOIN account AS other ON other.id = moved.source_id
    GROUP BY 1, 2, 3, 5
    UNION ALL
    SELECT moved.month_no, holder.kind, holder.organization_id, 'out',
           other.kind, SUM(moved.points)
    FROM moved JOIN holder ON holder.id = moved.source_id
    JOIN account AS other ON other.id = moved.target_id
    GROUP BY 1, 2, 3, 5
"""

# A void belongs to what it takes back; what neither a redemption nor a loan stands behind, such
# as the spending of a care fund, belongs to no reward.
BY_REWARD = text(
    """
    WITH taken AS (
        SELECT merchant.id AS merchant_id, transfer.id AS origin_id,
               transfer.points AS redeemed, 0 AS voided
        FROM merchant JOIN account ON account.code = 'merchant:' || merchant.id
        JOIN transfer ON transfer.target_id = account.id
        WHERE transfer.recorded_at >= :since AND transfer.recorded_at < :until
        UNION ALL
        SELECT merchant.id, COALESCE(transfer.reverses_id, transfer.id), 0, transfer.points
        FROM merchant JOIN account ON account.code = 'merchant:' || merchant.id
        JOIN transfer ON transfer.source_id = account.id
        WHERE transfer.recorded_at >= :since AND transfer.recorded_at < :until
    ), summed AS (
        SELECT taken.merchant_id, COALESCE(redemption.reward_id, loan.reward_id) AS reward_id,
               SUM(taken.redeemed) AS redeemed, SUM(taken.voided) AS voided
        FROM taken
        LEFT JOIN redemption ON redemption.transfer_id = taken.origin_id
        LEFT JOIN loan ON loan.transfer_id = taken.origin_id
        GROUP BY 1, 2
    )
    SELECT merchant.organization_id, merchant.id AS merchant_id, merchant.name AS merchant,
           summed.reward_id, reward.name AS reward, summed.redeemed, summed.voided
    FROM summed JOIN merchant ON merchant.id = summed.merchant_id
    LEFT JOIN reward ON reward.id = summed.reward_id
    """
).bindparams(bindparam("since", type_=Moment()), bindparam("until", type_=Moment()))


@dataclass
class Flow:
    """What went into wallets and out of them. moved: from other wallets less to them; all
    others are zero or more, but for expired where more came back than expired.
    """

    issued: int = 0
    taken_back: int = 0
    redeemed: int = 0
    voided: int = 0
    expired: int = 0
    moved: int = 0

    @property
    def change(self) -> int:
        """How much more the wallets held afterwards."""
        into = self.issued + self.voided + self.moved
        return into - self.taken_back - self.redeemed - self.expired

    @property
    def net_redeemed(self) -> int:
        """Points redeemed less those given back."""
        return self.redeemed - self.voided

    def add(self, other: "Flow") -> None:
        """Count another's points in."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


@dataclass(frozen=True)
class MonthLine:
    """One month of all wallets, and what they held at its end, or hold now."""

    month: Period
    flow: Flow
    outstanding: int


@dataclass
class PlaceSums:
    """A community's two sides: what it issued, to whomever, and what its own wallets did.

    outstanding: what its members and care funds held at the end of the span.
    """

    issued: int = 0
    taken_back: int = 0
    outstanding: int = 0
    wallets: Flow = field(default_factory=Flow)


@dataclass(frozen=True)
class PlaceLine:
    """The sums of one community, or of an organization that stands in none."""

    place: OrganizationNode
    sums: PlaceSums


@dataclass(frozen=True)
class TakenLine:
    """What one merchant took; of one reward where it is named, of none where reward_id is None
    and the merchant's lines are by reward.
    """

    merchant_id: int
    merchant: str
    redeemed: int
    voided: int
    reward_id: int | None = None
    reward: str | None = None

    @property
    def net(self) -> int:
        """Points taken less points given back."""
        return self.redeemed - self.voided


@dataclass(frozen=True)
class Report:
    """A span of months within a scope; opening: what wallets held before it."""

    opening: int
    months: list[MonthLine]
    places: list[PlaceLine]
    merchants: list[TakenLine]
    rewards: list[TakenLine]

    @property
    def total(self) -> Flow:
        """All months together."""
        found = Flow()
        for line in self.months:
            found.add(line.flow)
        return found

    @property
    def outstanding(self) -> int:
        """What the wallets held at the end of the span."""
        return self.months[-1].outstanding


def span_of(first: str | None, last: str | None, now: datetime, zone: ZoneInfo) -> list[Period]:
    """Return the months from one to another, both included.

    Without a last one it is the running month, without a first one the year that ends there.
    Raises NotAMonth, BadMonthSpan.
    """
    running = month_now(now, zone)
    end = read_month(last) if last else running
    start = read_month(first) if first else months_from(end, 1 - SPAN_MONTHS_MAX)
    found = [start]
    while found[-1].name < end.name and len(found) <= SPAN_MONTHS_MAX:
        found.append(months_from(found[-1], 1))
    if found[-1] != end or len(found) > SPAN_MONTHS_MAX or end.name > running.name:
        raise BadMonthSpan(months=SPAN_MONTHS_MAX)
    return found


def report_of(
    session: Session, paths: Sequence[str], months: Sequence[Period], zone: ZoneInfo
) -> Report:
    """Return the report of these months for what stands under these paths.

    Months are those in which transfers were recorded, as on merchants' statements. People and
    merchants count where they belong at present.
    """
    nodes = _nodes_within(session, paths)
    wallets: dict[int, Flow] = defaultdict(Flow)
    places: dict[int, PlaceSums] = defaultdict(PlaceSums)
    statement, values = _legs(months, zone)
    for leg in session.execute(statement, values):
        if leg.organization_id in nodes:
            place = places[_community_of(nodes, leg.organization_id)]
            _count(leg, wallets[leg.month_no], place)
    opening = wallets[0].change
    rewards = _taken_for_rewards(session, nodes, months, zone)
    return Report(
        opening,
        _month_lines(opening, months, wallets),
        sorted(
            (PlaceLine(nodes[at], sums) for at, sums in places.items()),
            key=lambda line: line.place.code,
        ),
        _taken_by_merchants(rewards),
        rewards,
    )


def _count(leg: Any, month: Flow, place: PlaceSums) -> None:
    """Count one leg of the ledger where it belongs; month_no is 0 before the span."""
    points, is_before = int(leg.points), not leg.month_no
    if leg.kind in WALLETS:
        name, sign = FLOWS.get((leg.way, leg.other), MOVED[leg.way])
        part = Flow(**{name: sign * points})
        month.add(part)
        place.outstanding += part.change
        if not is_before:
            place.wallets.add(part)
    elif not is_before and leg.way == "out":
        place.issued += points
    elif not is_before:
        place.taken_back += points


def _legs(months: Sequence[Period], zone: ZoneInfo) -> tuple[TextClause, dict[str, datetime]]:
    """Return the statement that sums transfers by the number of their month, from 1 on."""
    starts = {f"start_{no}": month.starts_at(zone) for no, month in enumerate(months)}
    until = months[-1].ends_at(zone)
    cases = "".join(f" WHEN recorded_at < :start_{no} THEN {no}" for no in range(len(months)))
    statement = text(LEGS.format(month=f"CASE{cases} ELSE {len(months)} END")).bindparams(
        *(bindparam(name, type_=Moment()) for name in (*starts, "until"))
    )
    return statement, {**starts, "until": until}


def _month_lines(
    opening: int, months: Sequence[Period], wallets: Mapping[int, Flow]
) -> list[MonthLine]:
    lines, held = [], opening
    for no, month in enumerate(months, start=1):
        flow = wallets.get(no, Flow())
        held += flow.change
        lines.append(MonthLine(month, flow, held))
    return lines


def _taken_for_rewards(
    session: Session,
    nodes: Mapping[int, OrganizationNode],
    months: Sequence[Period],
    zone: ZoneInfo,
) -> list[TakenLine]:
    """Return what merchants took for each reward, the most first."""
    span = {"since": months[0].starts_at(zone), "until": months[-1].ends_at(zone)}
    return _most_first(
        TakenLine(
            row.merchant_id,
            row.merchant,
            int(row.redeemed),
            int(row.voided),
            row.reward_id,
            row.reward,
        )
        for row in session.execute(BY_REWARD, span)
        if row.organization_id in nodes
    )


def _taken_by_merchants(rewards: Iterable[TakenLine]) -> list[TakenLine]:
    """Return what each merchant took for all its rewards, the most first."""
    names: dict[int, str] = {}
    taken: dict[int, Flow] = defaultdict(Flow)
    for line in rewards:
        names[line.merchant_id] = line.merchant
        taken[line.merchant_id].add(Flow(redeemed=line.redeemed, voided=line.voided))
    return _most_first(
        TakenLine(merchant_id, names[merchant_id], flow.redeemed, flow.voided)
        for merchant_id, flow in taken.items()
    )


def _most_first(lines: Iterable[TakenLine]) -> list[TakenLine]:
    return sorted(lines, key=lambda line: (-line.net, line.merchant_id, line.reward_id or 0))


def _nodes_within(session: Session, paths: Sequence[str]) -> dict[int, OrganizationNode]:
    rows = session.execute(
        select(
            Organization.id,
            Organization.code,
            Organization.name,
            Organization.kind,
            Organization.path,
        ).where(within(Organization.path, paths))
    )
    return {row.id: OrganizationNode(*row) for row in rows}


def _community_of(nodes: Mapping[int, OrganizationNode], organization_id: int) -> int:
    """Return the nearest community above an organization within the scope, else itself."""
    for part in reversed(nodes[organization_id].path.strip("/").split("/")):
        above = nodes.get(int(part))
        if above is not None and above.kind == ISSUING_KIND:
            return above.id
    return organization_id
