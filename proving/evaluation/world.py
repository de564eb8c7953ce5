"""A few members of a small district twice: as plain facts, and as the service rolls them up."""

import json
from collections import Counter, defaultdict
from dataclasses import astuple, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from pointsbank.appraisals.deciding import decide_paper, lift_paper
from pointsbank.appraisals.entering import (
    NewDeduction,
    NewExemption,
    NewVeto,
    enter_deduction,
    enter_exemption,
    enter_veto,
)
from pointsbank.appraisals.errors import ExemptionStands, PaperNotInForce
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.calendar import read_period
from pointsbank.core.db import run, transaction
from pointsbank.ledger.service import reverse
from pointsbank.members.belonging import move_member
from pointsbank.members.service import activate_member, suspend_member
from pointsbank.organizations.queries import organization_of
from pointsbank.rankings.policy import yearly_factor
from pointsbank.rankings.rolling_up import roll_up_step
from pointsbank.scoring.policy import Award
from pointsbank.scoring.queries import standard_on
from pointsbank.scoring.reversals import lower_score
from pointsbank.scoring.service import negate_entry, record_entry
from proving.evaluation import kept, naive
from proving.evaluation.history import Fact, History, Person, Rules, Span
from proving.world import Rows, demand
from tests.builders import SHANGHAI, a_member, an_organization, points_for, points_spent
from tests.standards import a_standard

# A Sunday in the middle of a quarter, so that weeks and months end on both sides.
BEGINS = datetime(2026, 11, 15, 9, 0, tzinfo=SHANGHAI)
JOINED = datetime(2026, 8, 1, 9, 0, tzinfo=SHANGHAI)
NAMES = ("王桂兰", "赵铁柱", "李建军", "周小燕", "吴敏")
PERIODS = ("2026-Q4", "2026", "2026-11", "2026-Q3")
DEDUCTION = "deduction"
# One version with caps on items, one that gives the base in full and has another table.
VERSIONS: tuple[dict[str, Any], ...] = (
    {
        "changes": {
            "volunteer_hour": {"hundredths_day_max": 150, "hundredths_week_max": 400},
            "night_patrol": {"hundredths_week_max": 250, "hundredths_year_max": 900},
            "theme_day": {"hundredths_year_max": 2000},
        },
    },
    {
        "without": ("night_patrol",),
        "tables": {
            "default": {
                "base_mode": "start_full_and_deduct",
                "base": {"organization_life": 4000, "study": 2000},
                "bonus": {"volunteer_service": 3000, "post_service": 1000},
                "grades": {"excellent": 9000, "qualified": 7500, "basic": 6000},
            },
            "mobile": {
                "base_mode": "earn",
                "base": {"study": 5000},
                "bonus": {"volunteer_service": 5000},
                "grades": {"excellent": 8000, "qualified": 6000, "basic": 4000},
            },
        },
    },
)


@dataclass
class Awarded:
    """One award as it stands: what it was, its transfer if it gave points.

    left: what the ledger can still take back, which may be spent when its work is struck out.
    """

    cause: str
    fact: Fact
    transfer_id: int | None
    left: int
    is_struck_out: bool = False


class World:
    """Five members in three branches under two communities, with two grids.

    The application's context must be pushed. rows: a plain connection to its database.
    """

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.now = BEGINS
        self.awards: list[Awarded] = []
        # Points of awards that were struck out and had been spent: the ledger keeps them.
        self.kept: Counter[int] = Counter()
        # Exemptions of members, each with its paper.
        self.papers: defaultdict[int, list[tuple[int, Span]]] = defaultdict(list)
        self.names = 0
        with transaction() as session:
            self._people(session)
        first = JOINED.date()
        people = {each: Person([(first, self.branches[0], None)]) for each in self.members}
        people |= {each: Person([(first, self.homes[0], None)]) for each in self.judges}
        self.history = History(
            people=people,
            above={place: self._above(place) for place in (*self.branches, *self.homes)},
            versions=[],
        )
        self.read_versions()

    @property
    def today(self) -> date:
        """The local day."""
        return self.now.date()

    def _people(self, session: Session) -> None:
        district = an_organization(session, "140303", "district", name="矿区", now=JOINED)
        self.homes = homes = [
            an_organization(
                session, f"14030300100{n}", parent=district, name=f"{n}社区", now=JOINED
            )
            for n in (1, 2)
        ]
        kinds = (("branch", homes[0]), ("branch", homes[0]), ("branch", homes[1]))
        self.branches = [
            an_organization(session, f"{140303100 + no}", kind, parent=home, now=JOINED)
            for no, (kind, home) in enumerate(kinds)
        ]
        self.grids = [
            an_organization(session, f"{140303200 + no}", "grid", parent=home, now=JOINED)
            for no, home in enumerate(homes)
        ]
        joined: dict[str, Any] = {"kind": "party_member", "now": JOINED}
        self.members = [a_member(session, name, self.branches[0], **joined) for name in NAMES]
        self.judges = [a_member(session, name, homes[0], now=JOINED) for name in ("甲", "乙")]

    def _above(self, place: int) -> tuple[int, ...]:
        with transaction() as session:
            path = organization_of(session, place).path
        return tuple(int(each) for each in path.strip("/").split("/"))

    def read_versions(self) -> None:
        """Read the published versions as plain rules."""
        found: dict[int, Rules] = {}
        for row in self.rows.execute(kept.ITEMS).fetchall():
            version, valid_from, code, category, day, week, year, tables = row
            read = json.loads(tables) if isinstance(tables, str) else tables
            begins = date.fromisoformat(str(valid_from)[:10])
            rules = found.setdefault(
                version,
                Rules(
                    version,
                    begins,
                    {},
                    {
                        name: (table["base_mode"], table["base"], table["bonus"])
                        for name, table in read.items()
                    },
                ),
            )
            rules.items[code] = (category, day, week, year)
        self.history.versions = [found[version] for version in sorted(found)]

    def name(self) -> int:
        """Return a number that nobody used."""
        self.names += 1
        return self.names

    def award(
        self, who: int, code: str, day: date, hundredths: int, points: int, minutes: int
    ) -> None:
        """Let work be settled: points in the ledger, and the entry they stand for."""
        member = self.members[who]
        cause = f"award:{self.name()}"

        def act(session: Session) -> tuple[str, int | None]:
            item = standard_on(session, day).item(code)
            transfer = points_for(session, member, points, cause, self.now) if points else None
            record_entry(
                session,
                cause=cause,
                member_id=member,
                organization_id=self.branches[0],
                item=item,
                award=Award(minutes, points, hundredths),
                title="河道清洁",
                earned_on=day,
                now=self.now,
            )
            return item.category, transfer

        category, transfer = run(act)
        fact = Fact(member, code, category, day, hundredths, points, minutes)
        self.history.facts.append(fact)
        self.awards.append(Awarded(cause, fact, transfer, points))

    def strike_out(self, which: int) -> None:
        """Let somebody say that they did not take part."""
        award = self.awards[which]
        if award.is_struck_out:
            return
        has_them = award.left <= self._balance(award.fact.member)
        left, rejection = award.left, award.cause.replace("award", "reject", 1)

        def act(session: Session) -> None:
            if left and has_them:
                self._reverse(session, award, rejection, left)
            negate_entry(session, cause=rejection, of_cause=award.cause, now=self.now)

        run(act)
        award.is_struck_out, award.left = True, 0 if has_them else left
        self.kept[award.fact.member] += award.left
        fact = award.fact
        self.history.facts.append(
            Fact(
                fact.member,
                fact.code,
                fact.category,
                fact.day,
                -fact.hundredths,
                -left,
                -fact.minutes,
            )
        )

    def take_back(self, which: int, points: int) -> None:
        """Let an administrator take some points of an award back.

        Those of work that was struck out before are no longer earned, and lowered no more.
        """
        award = self.awards[which]
        taken = min(points, award.left, self._balance(award.fact.member))
        if not taken:
            return

        def act(session: Session) -> None:
            reversal = self._reverse(session, award, f"reversal:{self.name()}", taken)
            lower_score(
                session, transfer_id=award.transfer_id or 0, reversal=reversal, now=self.now
            )

        run(act)
        award.left -= taken
        fact = award.fact
        if award.is_struck_out:
            self.kept[fact.member] -= taken
            return
        self.history.facts.append(
            Fact(fact.member, fact.code, fact.category, fact.day, 0, -taken, 0)
        )

    def _reverse(self, session: Session, award: Awarded, key: str, points: int) -> Any:
        return reverse(
            session,
            transfer_id=award.transfer_id or 0,
            key=key,
            reason="记错了",
            actor_id=None,
            today=self.today,
            now=self.now,
            points=points,
        )

    def move(self, who: int, where: int, grid: int | None, day: date) -> None:
        """Let somebody belong elsewhere, not before their last belonging began."""
        person = self.history.people[self.members[who]]
        day = max(day, person.places[-1][0])
        place, lives = self.branches[where], None if grid is None else self.grids[grid]
        if (place, lives) == person.places[-1][1:]:
            return
        run(
            lambda session: move_member(
                session,
                member_id=self.members[who],
                organization_id=place,
                grid_id=lives,
                on=day,
                now=self.now,
            )
        )
        person.moves(day, place, lives)

    def deduct(self, who: int, day: date, hundredths: int) -> None:
        """Let two people take hundredths off for what happened on a day."""
        member = self.members[who]
        wanted = NewDeduction(member, hundredths, day, "未参加", f"文{self.name()}")
        self._judged("deductions", enter_deduction, wanted)
        self.history.facts.append(Fact(member, DEDUCTION, DEDUCTION, day, -hundredths, 0, 0))

    def veto(self, who: int, day: date) -> None:
        """Let two people veto somebody for a fact of a day."""
        wanted = NewVeto(self.members[who], "discipline", "处分", f"文{self.name()}", day)
        self._judged("vetoes", enter_veto, wanted)
        self.history.people[self.members[who]].vetoes.append(day)

    def exempt(self, who: int, span: Span) -> None:
        """Let two people exempt somebody, unless the same stands on some of these days."""
        wanted = NewExemption(
            self.members[who], span.reason, span.from_on, span.until_on, "长期在外"
        )
        try:
            paper = self._judged("exemptions", enter_exemption, wanted)
        except ExemptionStands:
            return
        self.history.people[self.members[who]].exemptions.append(span)
        self.papers[self.members[who]].append((paper, span))

    def lift(self, who: int) -> None:
        """Lift the last exemption of somebody that holds, from today on."""
        papers = self.papers[self.members[who]]
        if not papers:
            return
        paper, span = papers.pop()
        try:
            run(
                lambda session: lift_paper(
                    session,
                    kind="exemptions",
                    paper_id=paper,
                    actor=self._judge(1),
                    reason="已回来",
                    on=self.today,
                    now=self.now,
                )
            )
        except PaperNotInForce:
            return
        span.ends(self.today)

    def _judged(self, kind: str, enter: Any, wanted: Any) -> int:
        """Let one judge enter a paper and the other confirm it; return its id."""
        stamp = {"today": self.today, "now": self.now}
        paper: int = run(lambda s: enter(s, wanted, actor=self._judge(0), **stamp))
        run(
            lambda session: decide_paper(
                session,
                kind=kind,
                paper_id=paper,
                actor=self._judge(1),
                is_confirmed=True,
                reason="",
                now=self.now,
            )
        )
        return paper

    def _judge(self, which: int) -> Actor:
        return Actor(self.judges[which], "支书", 0, 0, (Grant("secretary", "/"),))

    def suspend(self, who: int) -> None:
        """Stop an account, or let it go on."""
        member = self.members[who]
        person = self.history.people[member]
        if person.is_active:
            run(
                lambda s: suspend_member(
                    s, member_id=member, suspended_by_id=None, today=self.today, now=self.now
                )
            )
        else:
            run(
                lambda s: activate_member(
                    s, member_id=member, activated_by_id=None, today=self.today, now=self.now
                )
            )
        person.is_active = not person.is_active

    def publish(self, which: int, day: date) -> None:
        """Put another version in force from a day on, after every other."""
        day = max(day, self.history.versions[-1].valid_from + timedelta(days=1))
        had = self.history.versions[-1].items
        asked = VERSIONS[which] | {
            "changes": {
                code: caps
                for code, caps in VERSIONS[which].get("changes", {}).items()
                if code in had
            }
        }
        run(lambda session: a_standard(session, valid_from=day, **asked))
        self.read_versions()

    def spend(self, who: int, points: int) -> None:
        """Take points out of a wallet that holds so many; nobody's standing may notice."""
        member = self.members[who]
        if self._balance(member) >= points:
            key = f"redeem:{self.name()}"
            run(lambda session: points_spent(session, member, points, key, self.now))

    def _balance(self, member: int) -> int:
        row = self.rows.execute(kept.BALANCE.format(code=f"member:{member}")).fetchone()
        return int(row[0])

    def steps(self, period: str, most: int, size: int) -> bool:
        """Take some steps of a roll-up, each a transaction; tell whether the last was there."""
        for _ in range(most):
            if run(lambda session: self._step(session, period, size)).is_last:
                return True
        return False

    def _step(self, session: Session, period: str, size: int) -> Any:
        return roll_up_step(
            session, period=read_period(period), zone=SHANGHAI, now=self.now, limit=size
        )

    def crash(self, period: str, size: int) -> None:
        """Let a step do its work and die before it is committed."""

        def act(session: Session) -> None:
            self._step(session, period, size)
            raise Crash

        try:
            run(act)
        except Crash:
            return

    def compare(self, period: str) -> None:
        """Demand that a period rolled up to its end holds what the naive sum finds."""
        asked = read_period(period)
        span = naive.Span(period, asked.first_on, asked.end_on, yearly_factor(asked))
        foreseen = naive.standings(self.history, span, self.today)
        found = {row[0]: kept.told(row[1:]) for row in self._all(kept.STANDINGS, period)}
        demand(
            f"standings of {period}",
            found,
            {member: astuple(row) for member, row in sorted(foreseen.items())},
        )
        counts = naive.counts(self.history, foreseen)
        stored = {tuple(row[:3]): row[3] for row in self._all(kept.COUNTS, period)}
        places = {place for place, _, _ in stored} | {p for p, _, _ in counts} - set(
            self.branches
        )
        demand(
            f"counts of {period}",
            {key: value for key, value in stored.items() if key[0] in places},
            {key: value for key, value in counts.items() if key[0] in places},
        )

    def _all(self, statement: str, period: str) -> list[Any]:
        return self.rows.execute(statement.format(period=period)).fetchall()

    def close(self) -> None:
        """Roll everything up and compare it; what the ledger gave is what counts as earned."""
        for period in PERIODS:
            while not self.steps(period, 1, 1000):
                pass
            self.compare(period)
        ledger = {row[0]: row[1] for row in self.rows.execute(kept.EARNED).fetchall() if row[1]}
        earned = {
            f"member:{member}": total
            for member in self.members
            if (total := self._earned(member) + self.kept[member])
        }
        demand("points earned", ledger, earned)

    def _earned(self, member: int) -> int:
        return sum(fact.points for fact in self.history.facts if fact.member == member)


class Crash(Exception):
    """The process died."""
