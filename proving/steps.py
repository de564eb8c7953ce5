"""What may happen to the small ledger: each step takes small numbers and is done on both sides.

The numbers are drawn by Hypothesis or by a seeded generator; each step reads them modulo what
there is, so that any of them means something and a sequence can be shortened anywhere.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from pointsbank.ledger import service
from pointsbank.ledger.posting import Posting
from proving.world import FUNDS, ISSUERS, MEMBERS, PAYEES, World

WALLETS = (*MEMBERS, *FUNDS)
Step = Callable[..., None]

# How often a step is taken among a hundred or so, and the bounds of the numbers it reads.
STEPS: dict[str, tuple[int, Step, dict[str, tuple[int, int]]]] = {}
POINTS = (1, 60)
ANY = (0, 999)


def step(weight: int, **numbers: tuple[int, int]) -> Callable[[Step], Step]:
    """Add a step to the list."""

    def add(function: Step) -> Step:
        STEPS[function.__name__] = (weight, function, numbers)
        return function

    return add


def earn_as(world: World, key: str, posting: Posting) -> None:
    """Post points coming in on both sides."""
    world.both(
        lambda: world.model.earn(
            key,
            posting.wallet,
            posting.source,
            posting.points,
            posting.expires_on,
            world.month,
            posting.kind,
            world.now,
        ),
        lambda session: service.post(session, posting, world.now),
        key,
    )


def spend_as(world: World, key: str, posting: Posting) -> None:
    """Post points going out on both sides."""
    world.both(
        lambda: world.model.spend(
            key, posting.wallet, posting.target, posting.points, posting.kind, world.now
        ),
        lambda session: service.post(session, posting, world.now),
        key,
    )


def earning(world: World, key: str, who: int, points: int, days: int, kind: str) -> Posting:
    wallet = WALLETS[who % len(WALLETS)]
    return Posting(
        key=key,
        kind=kind,
        source=ISSUERS[who % len(ISSUERS)],
        target=wallet,
        wallet=wallet,
        points=points,
        occurred_at=world.now,
        reason="river cleaning",
        expires_on=world.today + timedelta(days=days),
        budget_month=world.month,
    )


def spending(world: World, key: str, who: int, points: int, kind: str) -> Posting:
    wallet = WALLETS[who % len(WALLETS)]
    return Posting(
        key=key,
        kind=kind,
        source=wallet,
        target=PAYEES[points % len(PAYEES)],
        wallet=wallet,
        points=points,
        occurred_at=world.now,
        reason="a towel",
    )


@step(22, who=ANY, points=POINTS, days=(0, 80))
def earn(world: World, who: int, points: int, days: int) -> None:
    key = world.name()
    earn_as(world, key, earning(world, key, who, points, days, "earn"))


@step(22, who=ANY, points=POINTS)
def spend(world: World, who: int, points: int) -> None:
    key = world.name()
    spend_as(world, key, spending(world, key, who, points, "spend"))


@step(4, who=ANY, points=POINTS, days=(0, 80), up=(0, 1))
def adjust(world: World, who: int, points: int, days: int, up: int) -> None:
    key = world.name()
    if up:
        earn_as(world, key, earning(world, key, who, points, days, "adjust_up"))
    else:
        spend_as(world, key, spending(world, key, who, points, "adjust_down"))


@step(10, which=ANY, other=(0, 3))
def send_again(world: World, which: int, other: int) -> None:
    """Repeat what was sent; sometimes the same key comes with another body."""
    known = [key for key, entry in world.model.entries.items() if entry.body[0] in AGAIN]
    if not known:
        return
    key = known[which % len(known)]
    kind, source, target, points, expires_on = world.model.entries[key].body
    posting = Posting(
        key=key,
        kind=kind,
        source=source,
        target=target,
        wallet=world.model.entries[key].wallet,
        points=points,
        occurred_at=world.now,
        reason="river cleaning" if expires_on else "a towel",
        expires_on=expires_on,
        budget_month=world.month if expires_on else None,
    )
    if other == 1:
        posting = replace(posting, points=points % 60 + 1)
    elif other == 2 and expires_on:
        posting = replace(posting, expires_on=expires_on + timedelta(days=1))
    again = earn_as if expires_on else spend_as
    again(world, key, posting)


AGAIN = ("earn", "spend", "adjust_up", "adjust_down")


def reverse_as(world: World, key: str, original: str, points: int | None) -> None:
    """Reverse on both sides."""
    world.both(
        lambda: world.model.reverse(key, original, points, world.today, world.now),
        lambda session: service.reverse(
            session,
            transfer_id=world.ids[original],
            key=key,
            reason="a mistake",
            actor_id=None,
            today=world.today,
            now=world.now,
            points=points,
        ),
        key,
    )


@step(14, which=ANY, points=(0, 60))
def take_back(world: World, which: int, points: int) -> None:
    """Reverse any transfer, reversals included; nought points stand for all that is left."""
    if world.ids:
        known = list(world.ids)
        reverse_as(world, world.name(), known[which % len(known)], points or None)


@step(3, which=ANY, points=(0, 60), key=ANY)
def take_back_again(world: World, which: int, points: int, key: int) -> None:
    """Send a reversal under a key that is known already, whatever it names."""
    if world.ids:
        known = list(world.ids)
        name = known[key % len(known)]
        original = world.model.entries[name].reverses or known[which % len(known)]
        reverse_as(world, name, original, points or None)


@step(6, days=(0, 25))
def let_days_pass(world: World, days: int) -> None:
    """Let time pass, then expire what is due."""
    world.now += timedelta(days=days)
    world.both(
        lambda: world.model.expire(world.today, world.now, world.name),
        lambda session: service.expire_points(
            session, today=world.today, now=world.now, limit=10_000
        ),
    )
