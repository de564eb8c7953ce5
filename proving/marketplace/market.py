"""The model of the marketplace: shelves, bounds, books, and what all deals share."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from proving.marketplace.shelf import Merchant, Reward, month_of, period_of
from proving.reference import Reference, Refused

DEAL_POINTS_MAX = 2000
DAY_POINTS_MAX = 2000


@dataclass
class Code:
    """A redemption code that a member showed."""

    member: int
    expires_at: datetime
    state: str = "fresh"


@dataclass
class Deal:
    """What was handed over, or waits for its member.

    key: of its transfer, or the name of its hold. day: on which it counts. paid_on: the day of
    its transfer, after midnight another one when its member said yes then.
    """

    merchant: int
    reward: int
    member: int
    clerk: int
    way: str
    quantity: int
    points: int
    period: str
    day: date
    key: str
    state: str = "completed"
    confirm_by: datetime | None = None
    voided: int = 0
    after: int | None = None
    paid_on: date | None = None


@dataclass
class Void:
    """Pieces taken back, or asked to be."""

    deal: int
    quantity: int
    points: int
    asked_by: int
    needs_second: bool
    decision: str | None = None
    decided_by: int | None = None


@dataclass
class Order:
    """Pieces and points set aside. hold: the name of what is held for the rest."""

    reward: int
    merchant: int
    member: int
    way: str
    quantity: int
    unit: int
    period: str
    expires_at: datetime
    hold: str
    delivered: int = 0
    state: str = "reserved"

    @property
    def left(self) -> int:
        """How many pieces were not handed over."""
        return self.quantity - self.delivered


@dataclass
class Loan:
    """A tool at somebody's home, or brought back. paid_on: the day on which some was kept."""

    reward: int
    merchant: int
    member: int
    clerk: int
    deposit: int
    hold: str
    due_on: date
    state: str = "out"
    charged: int = 0
    paid_on: date | None = None

    @property
    def key(self) -> str:
        """The key of the transfer of what was kept."""
        return f"{self.hold}:charged"


@dataclass
class Move:
    """Points to a merchant, below zero back from it; taken_on: the day of the rate."""

    merchant: int
    points: int
    kind: str
    at: datetime
    taken_on: date
    is_settled: bool = False


@dataclass
class Line:
    """One line of a statement."""

    kind: str
    points: int
    rate: int
    dispute: str | None = None
    disputed: tuple[int, str] | None = None
    correction: int = 0


@dataclass
class Statement:
    """A merchant's month as it was cut off."""

    lines: list[Line]
    confirm_by: datetime
    state: str = "closed"
    approved_by: int | None = None
    paid: tuple[int, str] | None = None


@dataclass
class Market:
    """Everything. What changes it does so wholly, or raises Refused and changes nothing.

    clerks: the merchants at whose counter a person stands. now: the moment, set by the world.
    """

    wallets: list[str]
    clerks: dict[int, tuple[int, ...]]
    administrators: tuple[int, ...]
    zone: ZoneInfo
    now: datetime
    merchants: list[Merchant] = field(default_factory=list)
    rewards: list[Reward] = field(default_factory=list)
    shares: Counter[tuple[int, int, str]] = field(default_factory=Counter)
    days: Counter[tuple[int, date]] = field(default_factory=Counter)
    months: Counter[tuple[int, str]] = field(default_factory=Counter)
    codes: list[Code] = field(default_factory=list)
    deals: list[Deal] = field(default_factory=list)
    voids: list[Void] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    loans: list[Loan] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    suspended: set[int] = field(default_factory=set)
    statements: dict[tuple[int, str], Statement] = field(default_factory=dict)
    answers: dict[tuple[int, str], tuple[Any, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ledger = Reference(self.wallets)

    @property
    def today(self) -> date:
        """The local day."""
        return self.now.astimezone(self.zone).date()

    def name(self) -> str:
        """Return a key that names no transfer yet."""
        return f"transfer:{self.ledger.count}"

    def copy_contracts(self) -> None:
        """Copy what contracts say today to every merchant that has signed one."""
        for each in self.merchants:
            if each.contracts:
                each.copy(self.today)

    def stands_at(self, person: int, merchant: int) -> bool:
        """Tell whether somebody is a clerk there."""
        return merchant in self.clerks.get(person, ())

    def may_see(self, person: int, merchant: int) -> bool:
        """Tell whether somebody has to do with a merchant's deals at all."""
        return self.stands_at(person, merchant) or person in self.administrators

    def once(self, who: int, key: str, asked: Any, act: Callable[[], Any]) -> Any:
        """Act once for somebody's key; a repeat is answered the same, marked as one."""
        prior = self.answers.get((who, key))
        if prior is not None:
            if prior[0] != asked:
                raise Refused("key_reused")
            return (*prior[1], True)
        answer = act()
        self.answers[who, key] = (asked, answer)
        return (*answer, False)

    def draw_code(self, member: int, expires_at: datetime) -> int:
        """Draw a code; the one before it dies. Return its number."""
        for each in self.codes:
            if each.member == member and each.state == "fresh":
                each.state = "replaced"
        self.codes.append(Code(member, expires_at))
        return len(self.codes) - 1

    def owner_of(self, code: int) -> int:
        """Return whose code this is, as long as it is good."""
        found = self.codes[code]
        if found.state == "used":
            raise Refused("code_used")
        if found.state != "fresh" or found.expires_at <= self.now:
            raise Refused("code_expired")
        self.refuse_suspended(found.member)
        return found.member

    def refuse_suspended(self, member: int) -> None:
        """Refuse whoever's account is stopped."""
        if member in self.suspended:
            raise Refused("member_suspended")

    def refuse_unoffered(self, number: int, quantity: int) -> None:
        """Refuse what stands between anybody and a reward, but for limits and points."""
        reward = self.rewards[number]
        obstacles = {
            "merchant_stopped": not self.merchants[reward.merchant].takes(self.today),
            "reward_withdrawn": reward.state != "offered",
            "reward_over": reward.valid_until is not None and reward.valid_until <= self.now,
            "reward_not_today": not reward.is_on(self.today),
            "reward_for_others": reward.is_for_others,
            "stars_missing": reward.stars > 0,
            "out_of_stock": reward.stock is not None and reward.stock < quantity,
        }
        for code, stands in obstacles.items():
            if stands:
                raise Refused(code)

    def refuse_beyond_share(self, number: int, member: int, quantity: int, period: str) -> None:
        """Refuse more pieces than one person may have."""
        limit = self.rewards[number].limit
        if limit is not None and self.shares[number, member, period] + quantity > limit:
            raise Refused("limit_reached")

    def refuse_beyond_bounds(self, merchant: int, member: int, points: int) -> None:
        """Refuse what is beyond a merchant's month, then what is beyond a person's day."""
        most = self.merchants[merchant].most
        if most is not None and self.months[merchant, month_of(self.today)] + points > most:
            raise Refused("month_full")
        if self.days[member, self.today] + points > DAY_POINTS_MAX:
            raise Refused("day_full")

    def brought(self, merchant: int) -> int:
        """Return what the running month brought a merchant so far."""
        return self.months[merchant, month_of(self.today)]

    def period(self, number: int) -> str:
        """Return the period in which a reward's limit counts what is had today."""
        return period_of(self.rewards[number].period, self.today)

    def take_pieces(self, number: int, member: int, quantity: int, period: str) -> None:
        """Take pieces from the shelf, or with a number below zero return them."""
        reward = self.rewards[number]
        if reward.stock is not None:
            reward.stock -= quantity
        self.shares[number, member, period] += quantity

    def take_bounds(self, merchant: int, member: int, points: int, day: date) -> None:
        """Count points in a merchant's month and a person's day."""
        self.months[merchant, month_of(day)] += points
        self.days[member, day] += points

    def give_back(self, deal: Deal, quantity: int, points: int) -> None:
        """Return what a deal took, or some of it, to where it was taken."""
        self.take_pieces(deal.reward, deal.member, -quantity, deal.period)
        self.take_bounds(deal.merchant, deal.member, -points, deal.day)

    def free(self, hold: str) -> None:
        """Free what is held, unless the night did."""
        if self.ledger.holds[hold].state == "open":
            self.ledger.void(hold)

    def paid(self, merchant: int, points: int, kind: str, taken_on: date) -> None:
        """Note what moved to a merchant or back."""
        self.moves.append(Move(merchant, points, kind, self.now, taken_on))

    def earn(self, member: int, points: int, expires_on: date) -> int:
        """Give a member points that are good through this day; return the balance."""
        entry, _ = self.ledger.earn(
            self.name(),
            self.wallets[member],
            "issuer",
            points,
            expires_on,
            month_of(self.today),
            "earn",
            self.now,
        )
        return entry.after
