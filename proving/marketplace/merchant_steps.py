"""Steps of merchants: what they offer, their contracts, and points that their buyers earn."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from pointsbank.core.calendar import local_day
from pointsbank.core.db import run
from pointsbank.members.service import activate_member, suspend_member
from pointsbank.merchants.contracting import (
    NewContract,
    decide_contract,
    end_contract,
    propose_contract,
)
from pointsbank.merchants.standing import let_merchant_return, stop_merchant
from pointsbank.rewards.service import change_reward, change_state, restock_reward
from proving.marketplace import agreeing
from proving.marketplace.agreeing import Terms
from proving.marketplace.deck import ANY, FLAG, SOME, administrator, buyer, clerk_at, step
from proving.marketplace.shelf import Contract, Reward
from proving.marketplace.world import ADMINISTRATORS, World
from tests.builders import SHANGHAI

REWARDS_MAX = 16
RENEWED_DAYS = 60
PERIODS = ("ever", "year", "quarter", "month", "week", "day")


@step(14, who=ANY, points=(1, 1500), days=(0, 90))
def earn(world: World, who: int, points: int, days: int) -> None:
    """Give somebody points that are good for so many days."""
    world.earn(buyer(who), points, world.today + timedelta(days=days))


@step(3, merchant=ANY, points=(5, 400), stock=(0, 6), limit=(0, 4), period=ANY)
def offer(
    world: World, merchant: int, points: int, stock: int, limit: int, period: int
) -> None:
    """Offer something new."""
    if len(world.model.rewards) < REWARDS_MAX:
        reward = Reward(merchant % len(world.model.merchants), points, stock=stock or None)
        if limit:
            reward.limit, reward.period = limit, PERIODS[period % len(PERIODS)]
        world.offer(reward)
        world.compare()


def offered(world: World, which: int) -> int:
    """Return a reward that is described by people."""
    described = [n for n, e in enumerate(world.model.rewards) if e.kind != "by_points"]
    return described[which % len(described)]


@step(6, which=ANY, more=(1, 5), who=ANY)
def restock(world: World, which: int, more: int, who: int) -> None:
    """Put more on the shelf."""
    reward = offered(world, which)
    actor = clerk_at(world.model.rewards[reward].merchant, who)

    def act(session: Session) -> int:
        return restock_reward(
            session,
            actor=world.actors[actor],
            reward_id=world.numbers.rewards[reward],
            more=more,
            now=world.now,
        )

    world.both(lambda: agreeing.restock(world.model, reward, actor, more), lambda: run(act))


@step(6, which=ANY, back=FLAG, who=ANY)
def withdraw(world: World, which: int, back: int, who: int) -> None:
    """Withdraw a reward, or offer it again."""
    reward = offered(world, which)
    actor = clerk_at(world.model.rewards[reward].merchant, who)
    state = "offered" if back else "withdrawn"

    def act(session: Session) -> None:
        change_state(
            session,
            actor=world.actors[actor],
            reward_id=world.numbers.rewards[reward],
            state=state,
            now=world.now,
        )

    world.both(
        lambda: agreeing.change_state(world.model, reward, actor, state), lambda: run(act)
    )


@step(6, which=ANY, what=(0, 4), number=ANY)
def change(world: World, which: int, what: int, number: int) -> None:
    """Change a price, a limit, until when, on which days, or whether pieces are counted."""
    reward = offered(world, which)
    found = world.model.rewards[reward]
    changes: dict[str, Any] = [
        {"points": 1 + number % 300},
        {
            "limit_per_member": number % 4 or None,
            "limit_period": PERIODS[number % len(PERIODS)],
        },
        {"valid_until": world.now + timedelta(hours=number) if number % 2 else None},
        {"weekdays": number % 128 if number % 3 == 0 else 0, "monthdays": 0},
        {"stock": None if number % 9 == 0 else number % 7},
    ][what]

    def act(session: Session) -> None:
        change_reward(
            session,
            actor=world.actors[administrator(number)],
            reward_id=world.numbers.rewards[reward],
            changes=changes,
            now=world.now,
        )

    world.both(lambda: agreeing.change(found, changes), lambda: run(act))


@step(2, merchant=ANY, back=FLAG)
def stop(world: World, merchant: int, back: int) -> None:
    """Stop a merchant, or let it return; one that is stopped returns soon."""
    number = merchant % len(world.model.merchants)
    found = world.model.merchants[number]
    returns = bool(back) or found.is_stopped

    def act(session: Session) -> None:
        what: dict[str, Any] = {
            "actor": world.actors[ADMINISTRATORS[0]],
            "merchant_id": world.numbers.merchants[number],
            "now": world.now,
        }
        if returns:
            let_merchant_return(session, **what)
        else:
            stop_merchant(session, **what, reason="证照到期")

    def foresee() -> None:
        found.is_stopped = not returns

    world.both(foresee, lambda: run(act))


@step(2, who=ANY)
def suspend(world: World, who: int) -> None:
    """Stop a buyer's account."""
    set_state(world, buyer(who), suspends=True)


@step(8)
def activate(world: World) -> None:
    """Open an account again that was stopped."""
    for member in sorted(world.model.suspended):
        set_state(world, member, suspends=False)


def set_state(world: World, member: int, *, suspends: bool) -> None:
    """Stop an account or open it on both sides."""
    suspended, member_id = world.model.suspended, world.numbers.persons[member]

    def act(session: Session) -> None:
        if suspends:
            suspend_member(
                session,
                member_id=member_id,
                suspended_by_id=None,
                now=world.now,
                today=local_day(world.now, SHANGHAI),
            )
        else:
            activate_member(
                session,
                member_id=member_id,
                activated_by_id=None,
                now=world.now,
                today=local_day(world.now, SHANGHAI),
            )

    world.both(
        lambda: suspended.add(member) if suspends else suspended.discard(member),
        lambda: run(act),
    )


@step(8, merchant=ANY, starts=(-9, 9), days=(0, 120), rate=ANY, room=(-40, 4000))
def sign(world: World, merchant: int, starts: int, days: int, rate: int, room: int) -> None:
    """Sign a contract: right after the last one, or on days that may not fit.

    room: what the month may still bring beyond what it brought; a lot stands for no limit.
    """
    number = merchant % len(world.model.merchants)
    sign_as(world, number, terms_for(world, number, starts, days, rate, room))


@step(6, merchant=ANY, room=(20, 900))
def renew(world: World, merchant: int, room: int) -> None:
    """End today what holds, and go on tomorrow with a limit, or without one where there was."""
    number = merchant % len(world.model.merchants)
    last = world.model.merchants[number].contracts[-1:]
    is_free = any(each.most is None for each in last)
    if last and last[0].begins <= world.today < last[0].ends:
        end_as(world, number, last[0], world.today)
    begins = world.today + timedelta(days=bool(last))
    most = world.model.brought(number) + room if is_free else None
    sign_as(world, number, Terms(begins, begins + timedelta(days=RENEWED_DAYS), 900, most))


def sign_as(world: World, number: int, terms: Terms) -> None:
    """Let two administrators sign on both sides."""
    proposer, signer = (world.actors[each] for each in ADMINISTRATORS)

    def act(session: Session) -> None:
        contract_id = propose_contract(
            session,
            actor=proposer,
            merchant_id=world.numbers.merchants[number],
            contract=NewContract("合同", *vars(terms).values()),
            today=world.today,
            now=world.now,
        )
        decide_contract(
            session,
            actor=signer,
            contract_id=contract_id,
            is_signed=True,
            today=world.today,
            now=world.now,
        )
        world.contract_ids[number, terms.begins] = contract_id

    world.both(lambda: agreeing.sign(world.model, number, terms), lambda: run(act))


def terms_for(world: World, number: int, starts: int, days: int, rate: int, room: int) -> Terms:
    """Return the terms of a contract that begins where the last one ends, if there is one."""
    last = max((e.ends for e in world.model.merchants[number].contracts), default=None)
    begins = world.today + timedelta(days=starts)
    if last is not None and starts % SOME:
        begins = max(last + timedelta(days=1), world.today)
    brought = world.model.brought(number)
    most = None if room > 2000 else max(1, brought + room)
    # Short ones are frequent, so that a month sees several.
    ends = begins + timedelta(days=days * days // 120)
    return Terms(begins, ends, 700 + rate, most)


@step(3, merchant=ANY, which=ANY, days=(0, 3))
def end(world: World, merchant: int, which: int, days: int) -> None:
    """End a contract early, some days from now."""
    number = merchant % len(world.model.merchants)
    contracts = world.model.merchants[number].contracts
    if not contracts:
        return
    last_on = world.today + timedelta(days=days)
    end_as(world, number, contracts[which % len(contracts)], last_on)


def end_as(world: World, number: int, contract: Contract, last_on: date) -> None:
    """End a contract on both sides."""

    def act(session: Session) -> None:
        end_contract(
            session,
            actor=world.actors[ADMINISTRATORS[0]],
            contract_id=world.contract_ids[number, contract.begins],
            last_on=last_on,
            today=world.today,
            now=world.now,
        )

    world.both(lambda: agreeing.end(world.model, number, contract, last_on), lambda: run(act))
