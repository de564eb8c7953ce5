"""Steps of settlement: months cut off, lines disputed, statements signed and paid."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from pointsbank.core.db import run
from pointsbank.settlements import signing
from proving.marketplace import statements
from proving.marketplace.deck import ANY, FLAG, administrator, clerk_at, late, step
from proving.marketplace.shelf import month_of
from proving.marketplace.world import World
from tests.builders import SHANGHAI

REASONS = ("没有这笔", "金额不对")


@step(5, old=(0, 5))
def cut_off(world: World, old: int) -> None:
    """Let the job run, by itself or by hand for a month that may not be over."""
    world.job("settlement", month_of(world.today) if old == 0 else "")


def which_month(
    world: World, which: int, *states: str
) -> tuple[tuple[int, str], statements.Statement] | None:
    """Return a statement, nearly always one in such a state."""
    known = list(world.model.statements.items())
    wanted = [no for no, (_, each) in enumerate(known) if each.state in states]
    number = late(known, which, wanted)
    return None if number is None else known[number]


def sign(
    world: World,
    merchant: int,
    month: str,
    actor: int,
    foresee: Callable[..., None],
    act: Callable[..., None],
    **more: Any,
) -> None:
    """Do on both sides what somebody does with a statement."""

    def service(session: Session) -> None:
        act(
            session,
            merchant_id=world.numbers.merchants[merchant],
            month=month,
            actor=world.actors[actor],
            now=world.now,
            **more,
        )

    world.both(lambda: foresee(world.model, merchant, month, actor), lambda: run(service))


def somebody(world: World, who: int) -> int:
    """Return anybody at all."""
    return who // 8 % len(world.actors)


@step(6, which=ANY, who=ANY, line=ANY, reason=FLAG)
def dispute(world: World, which: int, who: int, line: int, reason: int) -> None:
    """Let a clerk say that a line is wrong, now and then somebody else."""
    found = which_month(world, which, "closed", "disputed")
    if found is None:
        return
    (merchant, month), statement = found
    no, why = 1 + line % (len(statement.lines) + 1), REASONS[reason]
    actor = clerk_at(merchant, who) if who % 8 else somebody(world, who)
    sign(
        world,
        merchant,
        month,
        actor,
        lambda *each: statements.dispute(*each[:3], no, each[3], why),
        signing.dispute_line,
        no=no,
        reason=why,
    )


@step(7, which=ANY, who=ANY, line=ANY, correction=(-300, 300))
def answer(world: World, which: int, who: int, line: int, correction: int) -> None:
    """Let an administrator answer a dispute, with money or without."""
    found = which_month(world, which, "disputed")
    if found is None:
        return
    (merchant, month), statement = found
    disputed = [no for no, each in enumerate(statement.lines) if each.dispute == "open"]
    no = 1 + (late(statement.lines, line, disputed) or 0)
    fen = correction if correction % 2 else 0
    actor = administrator(who) if who % 8 else somebody(world, who)
    sign(
        world,
        merchant,
        month,
        actor,
        lambda *each: statements.answer(*each[:3], no, each[3], fen),
        signing.answer_dispute,
        no=no,
        is_accepted=fen != 0,
        correction_fen=fen,
        answer="已核对",
    )


@step(5, which=ANY, who=ANY)
def confirm_statement(world: World, which: int, who: int) -> None:
    """Let a clerk sign, now and then somebody else."""
    found = which_month(world, which, "closed", "disputed")
    if found is not None:
        merchant, month = found[0]
        actor = clerk_at(merchant, who) if who % 8 else somebody(world, who)
        sign(world, merchant, month, actor, statements.confirm, signing.confirm_statement)


@step(6, which=ANY, who=ANY)
def approve(world: World, which: int, who: int) -> None:
    """Let an administrator sign, now and then somebody else."""
    found = which_month(world, which, "confirmed", "closed")
    if found is not None:
        merchant, month = found[0]
        actor = administrator(who) if who % 8 else somebody(world, who)
        sign(
            world,
            merchant,
            month,
            actor,
            statements.approve,
            signing.approve_statement,
            zone=SHANGHAI,
        )


@step(6, which=ANY, who=ANY, reference=FLAG)
def pay(world: World, which: int, who: int, reference: int) -> None:
    """Mark a statement as paid."""
    found = which_month(world, which, "approved")
    if found is not None:
        merchant, month = found[0]
        actor = administrator(who) if who % 8 else somebody(world, who)
        name = f"电汇 {reference}"
        sign(
            world,
            merchant,
            month,
            actor,
            lambda *each: statements.pay(*each, name),
            signing.mark_paid,
            reference=name,
        )
