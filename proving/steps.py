"""What may happen to the small ledger: each step takes small numbers and is done on both sides.

The numbers are drawn by Hypothesis or by a seeded generator; each step reads them modulo what
there is, so that any of them means something and a sequence can be shortened anywhere.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from pointsbank.ledger import budgets, holding, moving, queries, sealing, service
from pointsbank.ledger.posting import Posting
from proving.sequences import Deck, Step
from proving.world import FUNDS, ISSUERS, MEMBERS, PAYEES, World

WALLETS = (*MEMBERS, *FUNDS)

STEPS: Deck = {}
POINTS = (1, 60)
ANY = (0, 999)
HOLDS_LATE = 4


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


@step(22, who=ANY, points=(1, 120), days=(0, 80))
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


@step(6, which=ANY, points=(0, 60), key=ANY)
def take_back_again(world: World, which: int, points: int, key: int) -> None:
    """Send a reversal under a key that is known already, whatever it names."""
    if world.ids:
        known = list(world.ids)
        back = [name for name in known if world.model.entries[name].reverses] or known
        name = back[key % len(back)] if key % 2 else known[key % len(known)]
        original = world.model.entries[name].reverses or known[which % len(known)]
        # Without a number it is the same request again whenever the key is a reversal's.
        reverse_as(world, name, original, points if points % 3 else None)


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


@step(10, who=ANY, points=POINTS, seconds=(1, 400), again=(0, 4))
def set_aside(world: World, who: int, points: int, seconds: int, again: int) -> None:
    """Place a hold, now and then under a key that is known already."""
    known = list(world.model.holds)
    key = known[who % len(known)] if known and again == 0 else world.name()
    wallet = WALLETS[who % len(WALLETS)]
    expires_at = world.now + timedelta(seconds=seconds)
    placed = world.both(
        lambda: world.model.place(key, wallet, points, expires_at),
        lambda session: holding.place_hold(
            session,
            key=key,
            code=wallet,
            points=points,
            expires_at=expires_at,
            now=world.now,
        ),
    )
    if placed is not None:
        world.hold_ids[key] = placed.id


@step(9, which=ANY, points=(0, 60), other=(0, 3))
def settle(world: World, which: int, points: int, other: int) -> None:
    """Pay from a hold, in part or whole; mostly under the key that it was paid under before."""
    if not world.hold_ids:
        return
    name = late_hold(world, which)
    key = world.name() if other == 0 else f"settle:{name}"
    payee = PAYEES[len(name) % len(PAYEES)]
    # In part, or whole; now and then one point more than is held.
    part = points % (world.model.holds[name].points + 2) if other == 1 else None
    part = part or None
    world.both(
        lambda: world.model.settle(key, name, payee, part, world.now),
        lambda session: holding.settle_hold(
            session,
            hold_id=world.hold_ids[name],
            key=key,
            kind="spend",
            target=payee,
            reason="a towel",
            actor_id=None,
            now=world.now,
            points=part,
        ),
        key,
    )


def late_hold(world: World, which: int) -> str:
    """Return one of the holds placed last: the others were decided long ago."""
    known = list(world.hold_ids)[-HOLDS_LATE:]
    return known[which % len(known)]


@step(3, which=ANY)
def void(world: World, which: int) -> None:
    """Give a hold free, whatever became of it."""
    if world.hold_ids:
        name = late_hold(world, which)
        world.both(
            lambda: world.model.void(name),
            lambda session: holding.void_hold(
                session, hold_id=world.hold_ids[name], now=world.now
            ),
        )


@step(3)
def let_holds_expire(world: World) -> None:
    """Give free what was set aside for too long."""
    world.both(
        lambda: world.model.expire_holds(world.now),
        lambda session: holding.expire_holds(session, now=world.now),
    )


@step(10, who=ANY, to=ANY, points=POINTS, days=(0, 80), again=(0, 4))
def give(world: World, who: int, to: int, points: int, days: int, again: int) -> None:
    """Give points to another member, or to the fund, where they get a new day of expiry."""
    source = MEMBERS[who % len(MEMBERS)]
    others = [wallet for wallet in WALLETS if wallet != source]
    target = others[to % len(others)]
    is_donation = target in FUNDS
    expires_on = world.today + timedelta(days=days) if is_donation else None
    known = list(world.moves)
    key = known[who % len(known)] if known and again == 0 else world.name()
    kinds = ("donate", "donate") if is_donation else ("gift_out", "gift_in")
    asked = moving.Move(
        key=key,
        source=source,
        target=target,
        points=points,
        occurred_at=world.now,
        kind_out=kinds[0],
        kind_in=kinds[1],
        reason_out="to a neighbour",
        reason_in="from a neighbour",
        expires_on=expires_on,
    )
    moved = world.both(
        lambda: world.model.move(key, source, target, points, kinds[0], expires_on, world.now),
        lambda session: moving.move(session, asked, world.now),
        key,
    )
    if moved is not None:
        world.moves[key] = asked


@step(3, which=ANY)
def give_again(world: World, which: int) -> None:
    """Send a gift again as it was."""
    if world.moves:
        asked = list(world.moves.values())[which % len(world.moves)]
        world.both(
            lambda: world.model.move(
                asked.key,
                asked.source,
                asked.target,
                asked.points,
                asked.kind_out,
                asked.expires_on,
                world.now,
            ),
            lambda session: moving.move(session, asked, world.now),
            asked.key,
        )


@step(4, which=ANY, other=(0, 3))
def take_gift_back(world: World, which: int, other: int) -> None:
    """Reverse a whole move; mostly under one key a move."""
    if not world.moves:
        return
    known = list(world.moves)
    key = known[which % len(known)]
    reversal = world.name() if other == 0 else f"undo:{key}"
    world.both(
        lambda: world.model.reverse_move(key, reversal, world.today, world.now),
        lambda session: moving.reverse_move(
            session,
            key=key,
            reversal_key=reversal,
            reason="a mistake",
            actor_id=None,
            today=world.today,
            now=world.now,
        ),
        reversal,
    )


@step(3, who=ANY, more=(-20, 200))
def limit_month(world: World, who: int, more: int) -> None:
    """Set a month's budget near what was issued, or lift it."""
    issuer, month = ISSUERS[who % len(ISSUERS)], world.month
    issued = world.model.issued.get((issuer, month), 0)
    most = None if more > 150 else max(0, issued + more)
    world.both(
        lambda: world.model.limit(issuer, month, most),
        lambda session: budgets.set_budget(session, code=issuer, month=month, points_max=most),
    )


@step(3, rows=(1, 40))
def seal(world: World, rows: int) -> None:
    """Seal what stands unsealed, or a part of it."""
    salt = hashlib.sha256(str(world.model.sealed).encode()).digest()
    world.both(
        lambda: world.model.seal(rows),
        lambda session: sealing.seal(session, now=world.now, salt=salt, limit=rows),
    )


@step(4, who=ANY, back=(0, 100_000))
def look_back(world: World, who: int, back: int) -> None:
    """Ask what an account held at a past moment."""
    everyone = (*WALLETS, *PAYEES, *ISSUERS, "expired", "clearing")
    code, moment = everyone[who % len(everyone)], world.now - timedelta(seconds=back)
    world.both(
        lambda: world.model.at(code, moment),
        lambda session: queries.balance_at(session, code, moment),
    )
