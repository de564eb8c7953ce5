"""Steps of orders, handed over, called off, and of tools lent and brought back."""

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from pointsbank.core.db import reading, run
from pointsbank.rewards.handing_schemas import hand_over_order, hand_over_voucher, make_order
from pointsbank.rewards.lending import Ending
from pointsbank.rewards.lending import end_loan as end
from pointsbank.rewards.loans_counter import lend_once
from pointsbank.rewards.ordering import cancel_order
from pointsbank.rewards.vouchers import voucher_code
from pointsbank.web.idempotency import Answer
from proving.marketplace import orders
from proving.marketplace.counter_steps import SOLD, WAYS, order_of, shown_code
from proving.marketplace.deals import Ask
from proving.marketplace.deck import (
    ANY,
    FLAG,
    buyer,
    clerk_at,
    late,
    merchant_for,
    reward_like,
    step,
)
from proving.marketplace.orders import Wish
from proving.marketplace.world import PIN, Request, World

ENDINGS = ("returned", "returned", "damaged", "lost")
NUMBER = text("SELECT number FROM reward_order WHERE id = :id")


@step(16, who=ANY, which=ANY, quantity=(1, 3), till=(0, 8))
def order(world: World, who: int, which: int, quantity: int, till: int) -> None:
    """Set pieces aside for a voucher, or at a till; there by points too."""
    at_till = till % 2 == 1
    kinds = (*SOLD, "by_points") if at_till else SOLD
    reward = reward_like(world, which, *kinds)
    found = world.model.rewards[reward]
    if found.kind == "by_points":
        quantity *= 97
    merchant = merchant_for(world, reward, who) if at_till else None
    wish = Wish(reward, quantity, buyer(who), merchant)
    key = world.name()

    def act(sent: bytes) -> Answer:
        return make_order(
            reward_id=world.numbers.rewards[reward],
            quantity=quantity,
            till=None if merchant is None else world.tills[merchant],
            member_id=world.numbers.persons[wish.member],
            key=key,
            sent=sent,
            secret=world.secret,
            today=world.today,
            now=world.now,
        )

    world.send(
        Request(
            wish.member,
            key,
            wish,
            lambda: orders.order(world.model, wish),
            act,
            lambda body: (body["points"], datetime.fromisoformat(body["expires_at"])),
        )
    )


def open_orders(world: World) -> list[int]:
    """Return the numbers of orders that stand, also of those whose time has just gone by."""
    return [no for no, each in enumerate(world.model.orders) if each.state == "reserved"]


@step(16, which=ANY, clerk=ANY, quantity=(0, 3))
def deliver(world: World, which: int, clerk: int, quantity: int) -> None:
    """Hand over what was ordered, all that is left or some."""
    number = late(world.model.orders, which, open_orders(world))
    if number is None:
        return
    found = world.model.orders[number]
    # A voucher at a foreign till is a wrong code, and is not told from one that is none.
    who = clerk if found.way == "counter" else clerk | 1
    actor, wanted = clerk_at(found.merchant, who), quantity or None
    if found.quantity > SOME_PIECES and wanted:
        wanted *= found.quantity // 4
    key = world.name()

    def act(sent: bytes) -> Answer:
        what: dict[str, Any] = {
            "quantity": wanted,
            "actor": world.actors[actor],
            "key": key,
            "sent": sent,
            "today": world.today,
            "now": world.now,
        }
        if found.way == "counter":
            return hand_over_order(world.numbers.orders[number], **what)
        with reading() as session:
            named = session.execute(NUMBER, {"id": world.numbers.orders[number]}).scalar_one()
        return hand_over_voucher(voucher_code(world.secret, named), secret=world.secret, **what)

    world.send(
        Request(
            actor,
            key,
            ("deliver", number, wanted),
            lambda: orders.deliver(world.model, number, actor, wanted),
            act,
            lambda body: (
                body["points"],
                body["balance_after"],
                body["order"]["state"],
                body["order"]["left"],
            ),
        )
    )


SOME_PIECES = 4


@step(6, which=ANY, who=ANY, counter=FLAG)
def cancel(world: World, which: int, who: int, counter: int) -> None:
    """Call off what is left of an order, now and then somebody else's."""
    number = late(world.model.orders, which, open_orders(world))
    if number is None:
        return
    found = world.model.orders[number]
    actor = clerk_at(found.merchant, who) if counter else found.member
    if who % 8 == 0:
        actor = buyer(who // 8)

    def act(session: Session) -> str:
        return cancel_order(
            session,
            order_id=world.numbers.orders[number],
            actor=world.actors[actor],
            now=world.now,
        ).state

    world.both(lambda: orders.cancel(world.model, number, actor), lambda: run(act))


@step(8, who=ANY, which=ANY, clerk=ANY, way=ANY)
def lend(world: World, who: int, which: int, clerk: int, way: int) -> None:
    """Lend a tool against its deposit."""
    reward, member = reward_like(world, which, "loan"), buyer(who)
    merchant, shown = merchant_for(world, reward, who), WAYS[way % len(WAYS)]
    code = None if shown == "card" else shown_code(world, member)
    ask = Ask(merchant, reward, 1, clerk_at(merchant, clerk), shown, code, member)
    key = world.name()

    def act(sent: bytes) -> Answer:
        return lend_once(
            order_of(world, ask),
            pin=None if shown == "code" else PIN,
            clerk_id=world.numbers.persons[ask.clerk],
            key=key,
            sent=sent,
            secret=world.secret,
            today=world.today,
            now=world.now,
        )

    world.send(
        Request(
            ask.clerk,
            key,
            ("lend", ask),
            lambda: orders.lend(world.model, ask),
            act,
            lambda body: (body["deposit"], body["due_on"]),
        )
    )


@step(8, which=ANY, who=ANY, ending=ANY, charged=(0, 170))
def bring_back(world: World, which: int, who: int, ending: int, charged: int) -> None:
    """Take a tool back whole, or damaged or lost with some of the deposit kept."""
    out = [no for no, each in enumerate(world.model.loans) if each.state == "out"]
    number = late(world.model.loans, which, out)
    if number is None:
        return
    actor = clerk_at(world.model.loans[number].merchant, who)
    state = ENDINGS[ending % len(ENDINGS)]
    kept = 0 if state == "returned" and ending % 16 else charged

    def act(session: Session) -> tuple[str, int]:
        found = end(
            session,
            loan_id=world.numbers.loans[number],
            ending=Ending(state, kept, "手柄断了" if kept else None),
            actor=world.actors[actor],
            now=world.now,
        )
        return found.state, found.charged

    world.both(
        lambda: orders.end_loan(world.model, number, actor, state, kept), lambda: run(act)
    )
