"""The ledger in the plainest words: what every account must hold after each step."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

GRACE = timedelta(days=30)
Lots = dict[date, int]


class Refused(Exception):
    """The model refuses; code is what the ledger must answer."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass
class Entry:
    """A transfer. change is the wallet's, taken the lots that a spending still owes from."""

    body: tuple
    wallet: str
    other: str
    change: int
    line: int
    after: int
    taken: Lots
    left: int
    reverses: str | None = None
    move: str | None = None


@dataclass
class Hold:
    """Points set aside."""

    wallet: str
    points: int
    expires_at: datetime
    state: str = "open"


@dataclass
class Book:
    """One wallet: lots by day of expiry, signed lines, the moment and balance of each."""

    lots: Lots = field(default_factory=dict)
    held: int = 0
    lines: list[int] = field(default_factory=list)
    afters: list[tuple[datetime, int]] = field(default_factory=list)

    @property
    def posted(self) -> int:
        return sum(self.lots.values())

    def put(self, lots: Lots) -> None:
        for day, points in lots.items():
            self.lots[day] = self.lots.get(day, 0) + points

    def take(self, points: int) -> Lots:
        """Take points from the lots that end first, and return what came from each."""
        taken: Lots = {}
        for day in sorted(self.lots):
            taken[day] = min(points, self.lots[day])
            points -= taken[day]
            self.lots[day] -= taken[day]
        self.lots = {day: left for day, left in self.lots.items() if left}
        return {day: part for day, part in taken.items() if part}


class Reference:
    """All accounts. Every method does the step or raises Refused and changes nothing."""

    def __init__(self, wallets: list[str]) -> None:
        self.books = {code: Book() for code in wallets}
        self.sums: dict[str, int] = {}
        self.entries: dict[str, Entry] = {}
        self.holds: dict[str, Hold] = {}
        self.limits: dict[tuple[str, str], int | None] = {}
        self.issued: dict[tuple[str, str], int] = {}
        self.sealed = 0
        self.history: list[tuple[datetime, str, int]] = []

    @property
    def count(self) -> int:
        """How many transfers there are."""
        return len(self.history)

    def write(
        self,
        key: str,
        body: tuple,
        wallet: str,
        other: str,
        change: int,
        lots: Lots | None,
        now: datetime,
        **more: str | None,
    ) -> Entry:
        """Write a transfer: lots come in, or change leaves the lots that end first."""
        book = self.books[wallet]
        taken: Lots = {}
        if lots is None:
            if book.posted - book.held + change < 0:
                raise Refused("not_enough_points")
            taken = book.take(-change)
        else:
            book.put(lots)
        book.lines.append(change)
        book.afters.append((now, book.posted))
        self.sums[other] = self.sums.get(other, 0) - change
        self.history.append((now, other, -change))
        entry = Entry(
            body,
            wallet,
            other,
            change,
            len(book.lines),
            book.posted,
            taken,
            abs(change),
            **more,
        )
        self.entries[key] = entry
        return entry

    def replay(self, key: str, body: tuple) -> Entry | None:
        """Return what a key already names; another body is refused."""
        entry = self.entries.get(key)
        if entry is not None and entry.body != body:
            raise Refused("key_reused")
        return entry

    def earn(
        self,
        key: str,
        wallet: str,
        issuer: str,
        points: int,
        expires_on: date,
        month: str,
        kind: str,
        now: datetime,
    ) -> tuple[Entry, bool]:
        """Points come in from an issuer, within its budget of the month."""
        body = (kind, issuer, wallet, points, expires_on)
        prior = self.replay(key, body)
        if prior is not None:
            return prior, True
        budget = (issuer, month)
        most, issued = self.limits.get(budget), self.issued.get(budget, 0)
        if most is not None and issued + points > most:
            raise Refused("budget_spent")
        entry = self.write(key, body, wallet, issuer, points, {expires_on: points}, now)
        self.issued[budget] = issued + points
        return entry, False

    def spend(
        self, key: str, wallet: str, payee: str, points: int, kind: str, now: datetime
    ) -> tuple[Entry, bool]:
        """Points leave for a payee."""
        body = (kind, wallet, payee, points, None)
        prior = self.replay(key, body)
        if prior is not None:
            return prior, True
        return self.write(key, body, wallet, payee, -points, None, now), False

    def reverse(
        self, key: str, original: str, points: int | None, today: date, now: datetime
    ) -> tuple[Entry, bool]:
        """Take a transfer back, wholly or in part."""
        prior, old = self.entries.get(key), self.entries[original]
        if prior is not None:
            if prior.reverses != original or points not in (None, abs(prior.change)):
                raise Refused("key_reused")
            return prior, True
        if old.reverses is not None:
            raise Refused("transfer_not_found")
        if old.move is not None:
            raise Refused("part_of_move")
        part = old.left if points is None else points
        if not 1 <= part <= old.left:
            raise Refused("already_reversed")
        return self._undo(key, original, part, today, now), False

    def _undo(self, key: str, original: str, part: int, today: date, now: datetime) -> Entry:
        old = self.entries[original]
        body = ("reversal", original, part)
        if old.change > 0:
            entry = self.write(
                key, body, old.wallet, old.other, -part, None, now, reverses=original
            )
        else:
            lots = self._given_back(old, part, today)
            entry = self.write(
                key, body, old.wallet, old.other, part, lots, now, reverses=original
            )
        old.left -= part
        return entry

    def _given_back(self, old: Entry, part: int, today: date) -> Lots:
        """Return points to the lots they came from, those that end last first."""
        lots: Lots = {}
        for day in sorted(old.taken, reverse=True):
            share = min(part, old.taken[day])
            part -= share
            old.taken[day] -= share
            good = max(day, today + GRACE)
            if share:
                lots[good] = lots.get(good, 0) + share
        return lots

    def expire(self, today: date, now: datetime, name: Callable[[], str]) -> int:
        """End every lot whose last day is past, in wallets without an open hold."""
        done = 0
        for wallet, book in self.books.items():
            if book.held:
                continue
            for day in sorted(day for day in book.lots if day < today):
                points = book.lots[day]
                self.write(name(), ("expire",), wallet, "expired", -points, None, now)
                done += 1
        return done

    def place(
        self, key: str, wallet: str, points: int, expires_at: datetime
    ) -> tuple[Hold, bool]:
        """Set points aside."""
        prior = self.holds.get(key)
        if prior is not None:
            if (prior.wallet, prior.points) != (wallet, points):
                raise Refused("key_reused")
            return prior, True
        book = self.books[wallet]
        if book.posted - book.held < points:
            raise Refused("not_enough_points")
        book.held += points
        self.holds[key] = Hold(wallet, points, expires_at)
        return self.holds[key], False

    def settle(
        self, key: str, name: str, payee: str, points: int | None, now: datetime
    ) -> tuple[Entry, bool]:
        """Pay from a hold; what is left of it becomes available."""
        hold = self.holds[name]
        points = hold.points if points is None else points
        if points > hold.points:
            raise Refused("bad_points")
        body = ("settle", hold.wallet, payee, points, name)
        prior = self.replay(key, body)
        if prior is not None:
            return prior, True
        if hold.state != "open" or hold.expires_at <= now:
            raise Refused("hold_decided")
        self._release(hold, "settled")
        return self.write(key, body, hold.wallet, payee, -points, None, now), False

    def void(self, name: str) -> None:
        """Give the points of an open hold free."""
        if self.holds[name].state != "open":
            raise Refused("hold_decided")
        self._release(self.holds[name], "void")

    def expire_holds(self, now: datetime) -> int:
        """Give free what was set aside for too long."""
        due = [h for h in self.holds.values() if h.state == "open" and h.expires_at <= now]
        for hold in due:
            self._release(hold, "expired")
        return len(due)

    def _release(self, hold: Hold, state: str) -> None:
        hold.state = state
        self.books[hold.wallet].held -= hold.points

    def move(
        self,
        key: str,
        source: str,
        target: str,
        points: int,
        kind: str,
        expires_on: date | None,
        now: datetime,
    ) -> tuple[tuple[Entry, bool], tuple[Entry, bool]]:
        """Move points between wallets; lots keep their days, or get the one that is given."""
        out_key, in_key = f"{key}:out", f"{key}:in"
        body = (kind, source, target, points, expires_on)
        prior = self.replay(out_key, body)
        if prior is not None:
            return (prior, True), (self.entries[in_key], True)
        out = self.write(out_key, body, source, "clearing", -points, None, now, move=key)
        lots = out.taken if expires_on is None else {expires_on: points}
        into = self.write(in_key, body, target, "clearing", points, lots, now, move=key)
        return (out, False), (into, False)

    def reverse_move(
        self, key: str, reversal: str, today: date, now: datetime
    ) -> tuple[tuple[Entry, bool], tuple[Entry, bool]]:
        """Take a whole move back."""
        out_key, in_key = f"{reversal}:out", f"{reversal}:in"
        prior = self.entries.get(out_key)
        if prior is not None:
            if prior.reverses != f"{key}:in":
                raise Refused("key_reused")
            return (prior, True), (self.entries[in_key], True)
        given, received = self.entries[f"{key}:out"], self.entries[f"{key}:in"]
        if not given.left:
            raise Refused("already_reversed")
        out = self._undo(out_key, f"{key}:in", received.left, today, now)
        return (out, False), (self._undo(in_key, f"{key}:out", given.left, today, now), False)

    def limit(self, issuer: str, month: str, most: int | None) -> None:
        """Set what may be issued in a month."""
        if most is not None and most < self.issued.get((issuer, month), 0):
            raise Refused("budget_below_issued")
        self.limits[(issuer, month)] = most

    def seal(self, limit: int) -> int:
        """Seal what is not sealed yet, up to the limit."""
        sealed = min(limit, self.count - self.sealed)
        self.sealed += sealed
        return sealed

    def at(self, code: str, moment: datetime) -> int:
        """Return what an account held at a moment."""
        if code in self.books:
            before = [after for then, after in self.books[code].afters if then <= moment]
            return before[-1] if before else 0
        return sum(
            change for then, other, change in self.history if other == code and then <= moment
        )
