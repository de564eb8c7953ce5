"""A small district lives through days: people work, and a scheduler looks now and then."""

import random
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

import time_machine
from flask import Flask
from sqlalchemy.orm import Session

from pointsbank.core.db import run
from pointsbank.jobs.scheduler import Tenure, keep_lease, run_due, watch
from pointsbank.ledger.errors import NotEnoughPoints
from pointsbank.members.queries import member_of
from pointsbank.rewards.redeeming import redeem_reward
from pointsbank.scoring.policy import Award
from pointsbank.scoring.queries import standard_on
from pointsbank.scoring.service import record_entry
from proving.year.calendar import Interruptions, at, days_from, looks_on, works_on
from tests.builders import (
    a_branch,
    a_member,
    a_merchant,
    a_reward,
    points_for,
    with_points,
    with_role,
)
from tests.rewards.conftest import Counter

MEMBERS = 6
SHOPS = 2
# Good through the end of the first year: what is left of it expires over the year's end.
FIRST_POINTS = 200
STOCK = 100_000
ITEMS = ("volunteer_hour", "theme_day")


@dataclass(frozen=True)
class Town:
    """Who lives and sells here."""

    app: Flask
    members: list[int]
    counters: list[Counter]


def evening_before(day: date) -> datetime:
    """Return when a town is founded whose life begins on a day."""
    return at(day, time()) - timedelta(hours=4)


def founded(app: Flask, day: date) -> Town:
    """Make the town as it is on the evening before a day."""
    now = evening_before(day)

    def found(session: Session) -> Town:
        branches = [a_branch(session, f"B-{n}", name=f"第{n}党支部", now=now) for n in (1, 2)]
        members = [
            a_member(
                session,
                organization_id=branches[n % 2],
                kind="party_member",
                volunteer_no=f"V{n:08}",
                now=now,
            )
            for n in range(MEMBERS)
        ]
        for member in members:
            good_until = date(day.year, 12, 31)
            with_points(session, member, FIRST_POINTS, expires_on=good_until, now=now)
        with_role(session, a_member(session, "管理员", now=now), "administrator", now=now)
        return Town(app, members, [a_counter(session, app, n, now) for n in range(SHOPS)])

    return run(found)


def a_counter(session: Session, app: Flask, number: int, now: datetime) -> Counter:
    """Make a shop with a clerk and one reward."""
    merchant = a_merchant(session, f"小店{number}", now=now)
    clerk = with_role(session, a_member(session, "店员", now=now), "clerk", None, merchant, now)
    reward = a_reward(session, merchant, points=5 + number, stock=STOCK, now=now)
    return Counter(app, merchant, clerk, 0, reward)


def live(
    app: Flask, first: date, count: int, met: Interruptions, *, seed: str, is_twin: bool
) -> None:
    """Let so many days pass. Whoever lives with the same seed does the same work.

    Nobody redeems while the scheduler of the other life is down: points that should have
    expired can be spent until they did.
    """
    with app.app_context():
        with time_machine.travel(evening_before(first), tick=False):
            town = founded(app, first)
        tenure = Tenure()
        for day in days_from(first, count):
            looks = looks_on(day, None if is_twin else met)
            works = works_on(day, met.gone)
            dice = random.Random(f"{seed}:{day}")
            if not looks:
                # The scheduler that comes back is another process.
                tenure = Tenure()
            # A clock that is set back gives its looks in their own order; work comes after.
            morning = [each for each in looks if each < works[0]] if works else looks
            evening = [each for each in looks if each not in morning]
            for moment in morning:
                look(app, tenure, moment)
            for moment in works:
                with time_machine.travel(moment, tick=False):
                    work(town, moment, dice, may_redeem=day not in met.down)
            for moment in evening:
                look(app, tenure, moment)
        # Both lives end at the same moment with everything done that is due.
        look(app, tenure, looks_on(first + timedelta(days=count), None)[0])


def look(app: Flask, tenure: Tenure, moment: datetime) -> None:
    """Let the scheduler do at a moment what it does all the time."""
    with time_machine.travel(moment, tick=False):
        keep_lease(app, tenure)
        run_due(app, tenure)
        watch(app, tenure)


def work(town: Town, moment: datetime, dice: random.Random, *, may_redeem: bool) -> None:
    """Let some people work and some redeem, at least one of each: no month is without."""
    for n in range(dice.randint(1, 3)):
        member = dice.choice(town.members)
        name = f"{moment:%Y-%m-%dT%H}:{n}"
        minutes = dice.randint(1, 8) * 30
        item = dice.choice(ITEMS)
        run(lambda s, m=member, k=name, t=minutes, i=item: award(s, m, k, t, i, moment))
    for n in range(dice.randint(1, 2)):
        counter, member = dice.choice(town.counters), dice.choice(town.members)
        if may_redeem:
            buy(replace(counter, member_id=member), f"{moment:%Y%m%d%H}{n}", moment)


def award(
    session: Session, member: int, name: str, minutes: int, item: str, moment: datetime
) -> None:
    """Score a piece of work, and give its points."""
    points = minutes // 6 if item == "volunteer_hour" else 0
    record_entry(
        session,
        cause=f"year:{name}",
        member_id=member,
        organization_id=member_of(session, member).organization_id,
        item=standard_on(session, moment.date()).item(item),
        award=Award(minutes, points, minutes * 2),
        title="河道清洁",
        earned_on=moment.date(),
        now=moment,
    )
    if points:
        points_for(session, member, points, f"year:{name}", now=moment)


def buy(counter: Counter, number: str, moment: datetime) -> None:
    """Redeem one reward, if the points are there."""
    code = counter.code(now=moment)
    with suppress(NotEnoughPoints):
        run(
            lambda session: redeem_reward(
                session,
                counter.order(code),
                clerk_id=counter.clerk_id,
                number=number,
                secret=counter.secret,
                today=moment.date(),
                now=moment,
            )
        )
