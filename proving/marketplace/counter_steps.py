"""Steps at a counter: deals at once, those that wait for their member, voids, and repeats."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from pointsbank.core.db import run, transaction
from pointsbank.core.keys import draw_number
from pointsbank.members.codes import REDEMPTION_NUMBER_DIGITS, redemption_digits
from pointsbank.members.showing import draw_redemption_code
from pointsbank.passbooks.reversing import reverse_line
from pointsbank.rewards import confirming
from pointsbank.rewards.redeeming import Order as Asked
from pointsbank.rewards.schemas import redemption_out, voided_out
from pointsbank.rewards.till import look_over, take_deal
from pointsbank.rewards.voiding import refuse_void, void_redemption
from pointsbank.scoring.reversals import lower_score
from pointsbank.web.idempotency import Answer, once
from proving.marketplace import deals
from proving.marketplace.deals import Ask
from proving.marketplace.deck import (
    ANY,
    FLAG,
    administrator,
    buyer,
    clerk_at,
    late,
    merchant_for,
    reward_like,
    step,
)
from proving.marketplace.world import PIN, Request, World

CODE_LASTS = timedelta(seconds=60)
WAYS = ("code", "code", "code", "card", "pin")
SOLD = ("goods", "service", "fee_offset", "coupon")
# Few wait for long; some come back to what is long over.
STALE = 3
TRANSFER = {
    table: text(f"SELECT transfer_id FROM {table} WHERE id = :id")
    for table in ("redemption", "loan")
}


def shown_code(world: World, member: int) -> int:
    """Draw a code on the member's phone and return its number."""
    number, expires_at = draw_number(REDEMPTION_NUMBER_DIGITS), world.now + CODE_LASTS
    with transaction() as session:
        draw_redemption_code(
            session,
            member_id=world.numbers.persons[member],
            number=number,
            secret=world.secret,
            now=world.now,
        )
    world.codes.append(redemption_digits(number))
    return world.model.draw_code(member, expires_at)


def order_of(world: World, ask: Ask) -> Asked:
    """Return what the service is asked for."""
    return Asked(
        world.numbers.merchants[ask.merchant],
        world.numbers.rewards[ask.reward],
        ask.quantity,
        code=None if ask.code is None else world.codes[ask.code],
        card=world.cards[ask.member] if ask.code is None else None,
    )


def deal_for(world: World, ask: Ask, key: str) -> Request:
    """Return the request of a deal at a till."""

    def act(sent: bytes) -> Answer:
        return take_deal(
            order_of(world, ask),
            pin=None if ask.way == "code" else PIN,
            clerk_id=world.numbers.persons[ask.clerk],
            key=key,
            sent=sent,
            secret=world.secret,
            today=world.today,
            now=world.now,
        )

    return Request(
        ask.clerk,
        key,
        ask,
        lambda: deals.redeem(world.model, ask),
        act,
        lambda body: (body["state"], body["points"], body["balance_after"]),
    )


def take(world: World, who: int, reward: int, quantity: int, clerk: int, way: int) -> None:
    """Let a buyer show a code or a card at a till."""
    merchant, member = merchant_for(world, reward, who), buyer(who)
    shown = WAYS[way % len(WAYS)]
    code = None if shown == "card" else shown_code(world, member)
    ask = Ask(merchant, reward, quantity, clerk_at(merchant, clerk), shown, code, member)
    world.send(deal_for(world, ask, world.name()))


@step(24, who=ANY, which=ANY, quantity=(1, 3), clerk=ANY, way=ANY)
def sell(world: World, who: int, which: int, quantity: int, clerk: int, way: int) -> None:
    """Hand a reward over."""
    take(world, who, reward_like(world, which, *SOLD), quantity, clerk, way)


@step(8, who=ANY, which=ANY, points=(1, 900), clerk=ANY, way=ANY)
def sell_by_points(
    world: World, who: int, which: int, points: int, clerk: int, way: int
) -> None:
    """Take as many points as the bill asks for."""
    take(world, who, reward_like(world, which, "by_points"), points, clerk, way)


@step(5, who=ANY, which=ANY, quantity=(1, 3), clerk=ANY)
def look(world: World, who: int, which: int, quantity: int, clerk: int) -> None:
    """Look a deal over before it is taken; nothing is changed by that."""
    reward, member = reward_like(world, which, *SOLD), buyer(who)
    merchant, code = merchant_for(world, reward, who), shown_code(world, member)
    ask = Ask(merchant, reward, quantity, clerk_at(merchant, clerk), "code", code, member)

    def service() -> tuple[int, int, int]:
        seen = look_over(
            order_of(world, ask),
            pin=None,
            clerk_id=world.numbers.persons[ask.clerk],
            secret=world.secret,
            today=world.today,
            now=world.now,
        )
        return seen.points, seen.balance_before, seen.balance_after

    world.both(lambda: deals.look(world.model, ask), service)


@step(3, which=ANY, old=ANY, clerk=ANY)
def sell_for_old_code(world: World, which: int, old: int, clerk: int) -> None:
    """Try a code that was shown before, for another deal."""
    if world.codes:
        reward, code = reward_like(world, which, *SOLD), -1 - old % min(STALE, len(world.codes))
        code += len(world.codes)
        merchant = world.model.rewards[reward].merchant
        member = world.model.codes[code].member
        ask = Ask(merchant, reward, 1, clerk_at(merchant, clerk), "code", code, member)
        world.send(deal_for(world, ask, world.name()))


@step(12, which=ANY)
def send_again(world: World, which: int) -> None:
    """Send anything again that was sent under a key, whatever it was answered."""
    number = late(world.requests, which, range(len(world.requests)))
    if number is not None:
        world.send(world.requests[number])


@step(2, which=ANY)
def send_other(world: World, which: int) -> None:
    """Send another deal under a key that is known."""
    known = [each for each in world.requests if isinstance(each.asked, Ask)]
    if known:
        request = known[which % len(known)]
        ask = replace(request.asked, quantity=request.asked.quantity + 1)
        world.send(deal_for(world, ask, request.key))


def of_state(world: World, *states: str) -> list[int]:
    """Return the numbers of deals in one of these states."""
    return [no for no, each in enumerate(world.model.deals) if each.state in states]


@step(9, which=ANY, who=ANY)
def confirm(world: World, which: int, who: int) -> None:
    """Let a member say yes, now and then somebody else."""
    number = late(world.model.deals, which, of_state(world, "waiting"))
    if number is None:
        return
    actor = world.model.deals[number].member if who % 8 else who // 8 % len(world.actors)

    def act(session: Session) -> tuple[str, int | None]:
        found = confirming.confirm_redemption(
            session,
            redemption_id=world.numbers.deals[number],
            actor=world.actors[actor],
            now=world.now,
        )
        return found.state, found.balance_after

    world.both(lambda: deals.confirm(world.model, number, actor), lambda: run(act))


@step(4, which=ANY, who=ANY, counter=FLAG)
def decline(world: World, which: int, who: int, counter: int) -> None:
    """Let the member or the counter say no, now and then somebody else."""
    number = late(world.model.deals, which, of_state(world, "waiting"))
    if number is None:
        return
    deal = world.model.deals[number]
    actor = clerk_at(deal.merchant, who) if counter else deal.member

    def act(session: Session) -> str:
        return confirming.decline_redemption(
            session,
            redemption_id=world.numbers.deals[number],
            actor=world.actors[actor],
            now=world.now,
        ).state

    world.both(lambda: deals.decline(world.model, number, actor), lambda: run(act))


def voiding(world: World, number: int, actor: int, quantity: int | None, key: str) -> Request:
    """Return the request to take pieces back; None for all that are left."""

    def use_case(session: Session) -> dict[str, Any]:
        voided = void_redemption(
            session,
            redemption_id=world.numbers.deals[number],
            actor=world.actors[actor],
            reason="拿错了",
            today=world.today,
            now=world.now,
            quantity=quantity,
        )
        return voided_out(voided, world.now)

    return deciding(
        world,
        actor,
        key,
        ("void", number, quantity),
        lambda: deals.void(world.model, number, actor, quantity),
        use_case,
    )


def deciding(
    world: World, actor: int, key: str, asked: Any, foresee: Any, use_case: Any
) -> Request:
    """Return a request about a deal, sent as its door does."""

    def act(sent: bytes) -> Answer:
        return once(
            use_case,
            member_id=world.numbers.persons[actor],
            key=key,
            sent=sent,
            now=world.now,
        )

    return Request(
        actor,
        key,
        asked,
        foresee,
        act,
        lambda body: (body["state"], body["voided_quantity"], body["balance_after"]),
    )


@step(14, which=ANY, who=ANY, quantity=(0, 4))
def void(world: World, which: int, who: int, quantity: int) -> None:
    """Let the clerk who made a deal take it back, now and then somebody else."""
    completed = of_state(world, "completed")
    fresh = [no for no in completed if world.model.deals[no].day == world.today]
    number = late(world.model.deals, which, fresh or completed)
    if number is not None:
        deal = world.model.deals[number]
        actor = deal.clerk if who % 4 else who // 4 % len(world.actors)
        world.send(voiding(world, number, actor, pieces(deal.quantity, quantity), world.name()))


def pieces(whole: int, quantity: int) -> int | None:
    """Return how many pieces: all that are left, or a few, of many a good part."""
    return quantity * max(1, whole // 4) if quantity else None


@step(9, which=ANY, who=ANY, quantity=(0, 3), again=FLAG)
def void_later(world: World, which: int, who: int, quantity: int, again: int) -> None:
    """Let an administrator ask for a void, or agree to one."""
    asked = [each.deal for each in world.model.voids if each.decision is None]
    number = late(world.model.deals, which, asked if again else of_state(world, "completed"))
    if number is not None:
        few = 0 if again and quantity < STALE else quantity
        wanted = pieces(world.model.deals[number].quantity, few)
        world.send(voiding(world, number, administrator(who), wanted, world.name()))


@step(4, which=ANY, who=ANY)
def refuse(world: World, which: int, who: int) -> None:
    """Let an administrator refuse a void that another asked for, now and then a clerk."""
    asked = [each.deal for each in world.model.voids if each.decision is None]
    number = late(world.model.deals, which, asked)
    if number is None:
        return
    actor = administrator(who) if who % 8 else world.model.deals[number].clerk

    def use_case(session: Session) -> dict[str, Any]:
        found = refuse_void(
            session,
            redemption_id=world.numbers.deals[number],
            actor=world.actors[actor],
            today=world.today,
            now=world.now,
        )
        return redemption_out(found, world.now)

    world.send(
        deciding(
            world,
            actor,
            world.name(),
            ("refuse", number),
            lambda: deals.refuse_void(world.model, number, actor),
            use_case,
        )
    )


@step(5, which=ANY, who=ANY, points=(0, 200), again=(0, 5))
def reverse_by_hand(world: World, which: int, who: int, points: int, again: int) -> None:
    """Let an administrator give points of a deal or a kept deposit back beside it, now and then
    under a key that was used before.
    """
    model, numbers = world.model, world.numbers
    known = [
        *(("loan", numbers.loans, no, e) for no, e in enumerate(model.loans) if e.charged),
        *(
            ("redemption", numbers.deals, no, e)
            for no, e in enumerate(model.deals)
            if e.after is not None
        ),
    ]
    number = late(known, which, range(len(known)))
    if number is None:
        return
    table, ids, of, thing = known[number]
    actor, part = administrator(who), points or None
    key = f"hand:{world.now if again else actor}"

    def act(session: Session) -> tuple[int, bool]:
        named = session.execute(TRANSFER[table], {"id": ids[of]}).scalar_one()
        _, posted = reverse_line(
            session,
            transfer_id=named,
            actor=world.actors[actor],
            key=key,
            reason="误记",
            points=part,
            lower_score=lower_score,
            today=world.today,
            now=world.now,
        )
        return posted.points, posted.is_replay

    world.both(
        lambda: deals.reverse_by_hand(model, thing, part, f"{actor}:{key}"), lambda: run(act)
    )
