"""The demonstration's months settled: older ones paid, the last one at every stage."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.budgets.months import month_now, months_from
from pointsbank.commands.demonstration.agenda import Agenda
from pointsbank.commands.demonstration.market import clerk_of
from pointsbank.commands.demonstration.people import District, Merchant
from pointsbank.commands.demonstration.stage import Stage
from pointsbank.core.calendar import Period
from pointsbank.core.db import reading, transaction
from pointsbank.jobs.months import close_next
from pointsbank.settlements.models import Statement
from pointsbank.settlements.signing import (
    answer_dispute,
    approve_statement,
    confirm_statement,
    dispute_line,
    mark_paid,
)

# The story is three months long: it touches five at most, of which the last one runs on.
MONTHS_BACK = 4
# When the job runs, after midnight, and when people sign, on a day.
JOB_AFTER = timedelta(minutes=15)
SIGNS_AFTER = timedelta(hours=10)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Step:
    """One step on a statement, so many days after the month's end; words: those it needs."""

    what: str
    days: int
    words: str = ""


SIGNED, AGREED, SENT = Step("confirm", 2), Step("approve", 3), Step("pay", 5)
ALL_PAID = (SIGNED, AGREED, SENT)
# How far the first merchants' last month has come; the others' is paid.
LAST_MONTH: tuple[tuple[Step, ...], ...] = (
    (),
    (Step("dispute", 1, "这一笔实际交了两件"),),
    (SIGNED,),
    (SIGNED, AGREED),
    (
        Step("dispute", 0, "当天活动价没有改过来，少算了一元"),
        Step("accept", 1, "核对了价目牌，补一元。"),
        *ALL_PAID,
    ),
    (
        Step("dispute", 0, "这一笔我们没有收到"),
        Step("reject", 1, "小票和居民的存折上都有，当天已经交付。"),
        *ALL_PAID,
    ),
)
# Of the month before, two are late; the third was approved after its merchant kept silent.
MONTH_BEFORE: dict[int, tuple[Step, ...]] = {
    8: (SIGNED, AGREED),
    9: (Step("dispute", 3, "这一笔当天已经退了"),),
    10: (Step("approve", 7), Step("pay", 8)),
}
CORRECTION_FEN = 100
LINE = 1


def plan_settlements(agenda: Agenda, stage: Stage, district: District) -> None:
    """Put down each month's end: the job cuts the month off, and both sides sign."""
    last = months_from(month_now(stage.now, stage.zone), -1)
    for back in range(MONTHS_BACK):
        month = months_from(last, -back)
        settling = Settling(agenda, stage, district, month, back)
        agenda.add(month.ends_at(stage.zone) + JOB_AFTER, settling.close)


@dataclass(frozen=True)
class Settling:
    """One month of all merchants. back: how many months were over since."""

    agenda: Agenda
    stage: Stage
    district: District
    month: Period
    back: int

    def close(self, at: datetime) -> None:
        """Do what the job does, and put down who signs when."""
        closed = 1
        while closed:
            with transaction() as session:
                closed = close_next(session, self.month.name, self.stage.zone, at)
        with reading() as session:
            made = session.scalars(
                select(Statement.merchant_id).where(Statement.month == self.month.name)
            ).all()
        days: dict[int, list[tuple[Merchant, Step]]] = {}
        for merchant in self.district.merchants:
            for step in self.steps_of(merchant.number) if merchant.id in made else ():
                days.setdefault(step.days, []).append((merchant, step))
        for day, steps in sorted(days.items()):
            # On a month's first day it has come as far as later, so that all can be seen.
            signed_at = min(at + SIGNS_AFTER + day * DAY, self.stage.now)
            self.agenda.add(signed_at, partial(self.sign, steps))

    def steps_of(self, number: int) -> tuple[Step, ...]:
        """Return what both sides do about the statement of the merchant of this place."""
        if self.back == 0 and number < len(LAST_MONTH):
            return LAST_MONTH[number]
        return MONTH_BEFORE.get(number, ALL_PAID) if self.back == 1 else ALL_PAID

    def sign(self, steps: list[tuple[Merchant, Step]], at: datetime) -> None:
        """Take the steps of one day."""
        with transaction() as session:
            for merchant, step in steps:
                self.take(session, merchant, step, at)

    def take(self, session: Session, merchant: Merchant, step: Step, at: datetime) -> None:
        """Take one step in the name of whoever it belongs to."""
        which: dict[str, Any] = {"merchant_id": merchant.id, "month": self.month.name}
        clerk, first, second = clerk_of(merchant), self.district.first, self.district.second
        if step.what == "dispute":
            dispute_line(session, **which, no=LINE, actor=clerk, reason=step.words, now=at)
        elif step.what == "confirm":
            confirm_statement(session, **which, actor=clerk, now=at)
        elif step.what == "approve":
            approve_statement(session, **which, actor=second, zone=self.stage.zone, now=at)
        elif step.what == "pay":
            reference = f"{self.month.name.replace('-', '')}-{merchant.number + 1:03d}"
            mark_paid(session, **which, actor=first, reference=reference, now=at)
        else:
            answer_dispute(
                session,
                **which,
                no=LINE,
                actor=first,
                is_accepted=step.what == "accept",
                correction_fen=CORRECTION_FEN if step.what == "accept" else 0,
                answer=step.words,
                now=at,
            )
