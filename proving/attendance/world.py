"""One small afternoon twice: the model and the service. After each step they must agree."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.attendance import vouching
from pointsbank.attendance.differences import Shown as Showed
from pointsbank.attendance.differences import record_from_station
from pointsbank.attendance.finding import Desk, NewScan
from pointsbank.attendance.policy import Rules
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import run, transaction
from pointsbank.core.errors import Refusal
from pointsbank.ledger.verifying import offenders
from pointsbank.members.models import Member
from pointsbank.organizations.models import Organization
from pointsbank.tasks.drafting import NewRole, NewShift
from pointsbank.tasks.models import Shift, ShiftRole
from pointsbank.tasks.recurrence import read_rule
from pointsbank.tasks.recurring import plan_series
from proving.attendance.awards import POINTS_DAY_MAX
from proving.attendance.kept import broken_laws, kept_by
from proving.attendance.lines import Places
from proving.attendance.presence import Ask, Mark, Shown
from proving.attendance.reference import Reference
from proving.reference import Refused
from proving.world import Disagreement, demand
from tests.builders import (
    SHANGHAI,
    a_member,
    a_plan,
    a_task,
    an_organization,
    shifts_of,
    with_role,
)
from tests.moments import NOON
from tests.standards import a_standard

VOLUNTEERS = 6
# Thirty people would hide what two show; the number is the only rule that is made smaller.
CO_SIGN_ABOVE = 1
RULES = Rules(opens_minutes=30, stays_minutes=60)
BEGINS = NOON - timedelta(hours=26)
AFTERNOON = Places(NOON + timedelta(minutes=90), NOON + timedelta(minutes=240), (1, 3), 20)
EVENING = Places(NOON + timedelta(hours=6), NOON + timedelta(hours=7), (2,), 0)
ROLES = ("司机", "保洁")
# What happens between is nothing: the clock leaps from one of these to the next.
MOMENTS = tuple(
    NOON + timedelta(minutes=each)
    for each in (-1380, -150, 65, 89, 150, 232, 245, 270, 335, 361, 400, 418, 430, 510)
)
# Nobody is scanned at night here: it would speak against them (docs/scanning.md, "Review").
DAY_HOURS = range(6, 22)
STEP_SECONDS = 5


class World:
    """Six volunteers, two leads, a secretary, an afternoon with two roles and an evening.

    The application's context must be pushed. The clock is the world's own and moves with it.
    """

    def __init__(self, app: Flask) -> None:
        self.now: datetime = BEGINS
        self.sent: list[tuple[Actor, NewScan, Showed | None]] = []
        self.waiting: list[tuple[Actor, NewScan, Showed | None, int, int, Ask]] = []
        self.model = Reference(
            [
                Places(each.starts_at, each.ends_at, each.places, each.break_minutes)
                for each in (AFTERNOON, EVENING)
            ],
            VOLUNTEERS,
            CO_SIGN_ABOVE,
        )
        self.desk = Desk(app.extensions["settings"].secret_key, RULES, SHANGHAI)
        self.rules = patch.object(vouching, "CO_SIGN_ABOVE", CO_SIGN_ABOVE)
        self.rules.start()
        with transaction() as session:
            self._people(session)
            self._shifts(session)
        self.compare()

    def _people(self, session: Session) -> None:
        community = an_organization(session, now=BEGINS)
        limit = {"volunteer_hour": {"points_day_max": POINTS_DAY_MAX}}
        a_standard(session, valid_from=BEGINS.date(), changes=limit)
        path = session.get_one(Organization, community).path

        def somebody(name: str, role: str = "") -> Actor:
            member_id = a_member(session, name, now=BEGINS)
            if role:
                with_role(session, member_id, role, now=BEGINS)
            return Actor(member_id, name, community, 0, (Grant(role, path),) if role else ())

        self.leads = [somebody("李敏", "organizer"), somebody("周强", "organizer")]
        self.secretary = somebody("何书记", "secretary")
        self.volunteers = [somebody(f"王桂{number}") for number in "一二三四五六"]
        self.member_ids = [each.member_id for each in self.volunteers]
        members = [session.get_one(Member, each) for each in self.member_ids]
        self.numbers = [each.volunteer_no for each in members]
        self.handles = [each.handle for each in members]

    def _shifts(self, session: Session) -> None:
        afternoon = a_plan(AFTERNOON.starts_at, places=4)
        plans = [
            NewShift(
                **{**vars(afternoon), "break_minutes": AFTERNOON.break_minutes},
            ),
            a_plan(EVENING.starts_at, minutes=60, places=EVENING.places[0]),
        ]
        roles = tuple(
            NewRole(name, places) for name, places in zip(ROLES, AFTERNOON.places, strict=True)
        )
        plans[0] = NewShift(**{**vars(plans[0]), "roles": roles})
        self.shift_ids = [
            shifts_of(
                session,
                a_task(
                    session, organizer_id=self.leads[0].member_id, shifts=[plan], now=BEGINS
                ),
            )[0]
            for plan in plans
        ]
        self.series_id = plan_series(
            session,
            shift_id=self.shift_ids[1],
            recurrence=read_rule("FREQ=WEEKLY;BYDAY=SA"),
            actor_id=self.leads[0].member_id,
            paths=["/"],
            zone=SHANGHAI,
            draw=lambda: b"never",
            now=BEGINS,
            ends_on=NOON.date(),
        )
        self.shift_handles = [session.get_one(Shift, each).handle for each in self.shift_ids]
        self.role_ids = [
            list(
                session.scalars(
                    select(ShiftRole.id)
                    .where(ShiftRole.shift_id == each)
                    .order_by(ShiftRole.id)
                )
            )
            for each in self.shift_ids
        ]

    @property
    def shift(self) -> int:
        """The shift that is nearest to the clock."""
        return int(self.now > AFTERNOON.ends_at + timedelta(minutes=90))

    def move(self, to: datetime) -> None:
        """Set the clock, but not into the night."""
        if to.hour in DAY_HOURS:
            self.now = to

    def name(self) -> str:
        """Return a nonce that nobody used."""
        return f"scan-{len(self.sent)}"

    def both(self, model: Callable[[], Any], service: Callable[[Session], Any]) -> Any:
        """Do a step on both, compare their answers and all they hold; return the answer."""
        try:
            foreseen = model()
        except Refused as refusal:
            foreseen = refusal.code
        try:
            answer = run(service)
        except Refusal as refusal:
            answer = refusal.code
        if answer != foreseen:
            raise Disagreement(f"the service answered {answer}, the model {foreseen}")
        self.compare()
        self.now += timedelta(seconds=STEP_SECONDS)
        return answer

    def send(
        self,
        actor: Actor,
        scan: NewScan,
        shift: int,
        member: int,
        ask: Ask,
        showed: Showed | None = None,
    ) -> Any:
        """Send a scan on both sides; the answer is what a person reads of it."""
        if all(each.nonce != scan.nonce for _, each, _ in self.sent):
            self.sent.append((actor, scan, showed))

        def foresee() -> tuple[Any, ...]:
            mark = self.model.scan(scan.nonce, shift, member, ask, self.now)
            self.model.upload(mark, showed and Shown(**vars(showed)))
            return said(mark)

        return self.both(foresee, lambda session: self.record(session, actor, scan, showed))

    def record(
        self, session: Session, actor: Actor, scan: NewScan, showed: Showed | None
    ) -> tuple[Any, ...]:
        """Let the service judge a scan; return what a person reads of it."""
        verdict = record_from_station(session, actor, scan, showed, self.desk, now=self.now)
        facts = verdict.facts
        return facts["result"], facts["reason"], facts["direction"], facts["occurrence"]

    def compare(self) -> None:
        """Demand that what is kept is what the model says, and breaks no law."""
        self.kept = kept_by(self.shift_ids, self.role_ids, self.member_ids)
        demand("broken laws", broken_laws(self.kept), [])
        model = self.model
        demand(
            "places",
            [[each.counted for each in roles] for roles in self.kept.roles],
            [[each.counted(role) for role in range(len(each.places))] for each in model.shifts],
        )
        for number, shift in enumerate(model.shifts):
            claims = [
                (e.member, e.role, e.state, e.source, e.accept_by, e.withdrawal, e.told_in_time)
                for e in shift.claims
            ]
            demand(f"claims of shift {number}", self.kept.claims[number], claims)
        comings = {
            (*key, number): (
                each.state,
                each.came_at,
                each.left_at,
                each.points,
                each.minutes,
                each.held,
                each.review,
            )
            for key, sheet in model.sheets.items()
            for number, each in enumerate(sheet.comings, 1)
        }
        demand("comings", as_items(self.kept.comings), as_items(comings))
        scans = [
            (each.nonce, *said(each)[:2], each.counts, each.is_undone) for each in model.marks
        ]
        demand("scans", self.kept.scans, scans)
        open_ones = sorted(model.differences.keys() - model.settled_differences.keys())
        demand("open differences", sorted(self.kept.open_differences), open_ones)
        demand("wallets", self.kept.wallets, list(model.wallets.values()))
        minutes = {key: each for key, each in model.minutes.items() if each}
        demand("service minutes", self.kept.minutes, minutes)

    def close(self) -> None:
        """Send every scan once more and let the ledger verify itself."""
        before = self.kept
        for actor, scan, showed in self.sent:
            mark = next((e for e in self.model.marks if e.nonce == scan.nonce), None)
            if mark is not None:
                again = run(
                    lambda session, each=(actor, scan, showed): self.record(session, *each)
                )
                demand(f"the answer to {scan.nonce} sent again", again, said(mark))
        self.compare()
        demand("what is kept after all was sent again", self.kept, before)
        with transaction() as session:
            demand("offenders", offenders(session), [])


def as_items(rows: dict[Any, Any]) -> list[Any]:
    """Return what a mapping holds in the order of its keys, moments in one zone."""
    return [
        (key, *(e.astimezone(SHANGHAI) if isinstance(e, datetime) else e for e in rows[key]))
        for key in sorted(rows)
    ]


def said(mark: Mark) -> tuple[str, str, str | None, int]:
    """Return what a person reads of an answer."""
    answer = mark.answer
    return answer.result, answer.reason, answer.direction, mark.first_occurrence
