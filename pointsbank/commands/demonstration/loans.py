"""Tools on loan in the demonstration: out, overdue, back, damaged and lost."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from pointsbank.commands.demonstration.agenda import Agenda
from pointsbank.commands.demonstration.market import SHOWS_CODE, Market, clerk_of
from pointsbank.commands.demonstration.stage import Stage
from pointsbank.core.calendar import local_day
from pointsbank.core.db import transaction
from pointsbank.rewards.lending import Ending, end_loan, lend_tool
from pointsbank.rewards.redeeming import Order


@dataclass(frozen=True)
class Lent:
    """A tool lent by the community's own store so many days ago; ending: None while it is out.

    is_printed: to the volunteer who is printed.
    """

    days_ago: int
    tool: str
    days: int = 0
    ending: Ending | None = None
    is_printed: bool = False


BACK = Ending("returned")
LOANS = (
    Lent(40, "电钻 借用", 4, BACK),
    Lent(31, "折叠梯 借用", 6, BACK, is_printed=True),
    Lent(24, "电钻 借用", 9, Ending("damaged", 20, "钻头断了一根，按进价赔付")),
    Lent(20, "爱心雨伞 借用", 5, Ending("lost", 10, "忘在公交车上，没有找回来")),
    Lent(11, "电钻 借用"),
    Lent(9, "轮椅 借用"),
    Lent(5, "折叠梯 借用"),
    Lent(2, "爱心雨伞 借用", is_printed=True),
)


def plan_loans(
    agenda: Agenda, stage: Stage, market: Market, tools: dict[str, tuple[int, int]]
) -> None:
    """Put down every loan. tools: reward id and deposit, by name."""
    store = market.district.merchants[0]

    def lend(lent: Lent, at: datetime) -> None:
        reward_id, deposit = tools[lent.tool]
        with transaction() as session:
            if lent.is_printed:
                buyer: int | None = market.district.communities[0].members[0]
            else:
                buyer = market.buyer(market.purses(session), store, reward_id, deposit)
            if buyer is None or not market.can_pay(session, buyer, deposit):
                return
            day = local_day(at, stage.zone)
            loan = lend_tool(
                session,
                Order(store.id, reward_id, 1, code=market.code(session, buyer, at)),
                clerk_id=store.clerk_id,
                number=stage.number(day),
                secret=stage.settings.secret_key,
                today=day,
                now=at + SHOWS_CODE,
            )
        if lent.ending is not None:
            back_at = at + timedelta(days=lent.days, hours=2)
            agenda.add(back_at, partial(take_back, loan.id, lent.ending))

    def take_back(loan_id: int, ending: Ending, at: datetime) -> None:
        with transaction() as session:
            end_loan(session, loan_id=loan_id, ending=ending, actor=clerk_of(store), now=at)

    for lent in LOANS:
        agenda.add(stage.ago(lent.days_ago, 9, 50), partial(lend, lent))
