"""A counter's November: what is taken, what comes back, and its cut-off."""

from datetime import datetime, timedelta

from pointsbank.core.calendar import read_period
from pointsbank.ledger.service import reverse
from pointsbank.rewards.queries import redemption_of
from pointsbank.rewards.redeeming import redeem_reward
from pointsbank.settlements.closing import close_month
from tests.builders import SHANGHAI

NOVEMBER = read_period("2026-11")
CUT_OFF = NOVEMBER.ends_at(SHANGHAI)
SOON_AFTER = CUT_OFF + timedelta(minutes=15)


def at(month: int, day: int, hour: int = 12) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=SHANGHAI)


def redeem(counter, writing, number: str, moment: datetime):
    code = counter.code(now=moment)
    with writing() as session:
        return redeem_reward(
            session,
            counter.order(code),
            clerk_id=counter.clerk_id,
            number=number,
            secret=counter.secret,
            today=moment.astimezone(SHANGHAI).date(),
            now=moment,
        )


def take_back(writing, redemption_id: int, moment: datetime) -> None:
    """Give the points back as a void does."""
    with writing() as session:
        reverse(
            session,
            transfer_id=redemption_of(session, redemption_id).transfer_id,
            key=f"void:{redemption_id}",
            reason="拿错了",
            actor_id=None,
            today=moment.astimezone(SHANGHAI).date(),
            now=moment,
        )


def close(session, counter, month=NOVEMBER, now=SOON_AFTER):
    return close_month(
        session, merchant_id=counter.merchant_id, month=month, zone=SHANGHAI, now=now
    )
