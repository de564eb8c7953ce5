"""The jobs of each night; whichever night was missed, the newest covers it."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pointsbank.core.calendar import local_day
from pointsbank.core.keys import draw_bytes
from pointsbank.jobs.occasions import Step, daily, day_that_came
from pointsbank.jobs.recording import forget_old_runs
from pointsbank.jobs.verifying import verify_ledger
from pointsbank.ledger.holding import expire_holds
from pointsbank.ledger.service import expire_points
from pointsbank.merchants.contracting import keep_terms
from pointsbank.passbooks.funds import lapse_spendings
from pointsbank.rewards.ordering import expire_next_order
from pointsbank.tasks.models import HANDLE_BYTES
from pointsbank.tasks.recurring import keep_series_ahead, next_series_due

# Before anybody redeems on a contract's first day, or after its last.
CONTRACTS_AT = time(0, 5)
EXPIRES_AT = time(0, 10)
SERIES_AT = time(0, 20)
# After the night's expiry, before anybody redeems.
VERIFIES_AT = time(2, 30)
# It reads the whole ledger: minutes for a district, more on a small machine.
VERIFYING_TAKES = timedelta(hours=2)
# Wallets of one batch stay locked until it is committed, so a night's work goes in small ones.
EXPIRY_BATCH = 500

due_contracts = daily(CONTRACTS_AT)
due_expiry = daily(EXPIRES_AT)
due_series = daily(SERIES_AT)
due_verifying = daily(VERIFIES_AT)


def work_expiry(session: Session, period: str, zone: ZoneInfo, now: datetime) -> Step:
    """Expire what was good through the day before, one batch of lots at a time.

    Orders whose time is over go first, each with its hold, then other holds, and with them the
    spendings of care funds that nobody decided: a wallet with an open hold would have to wait
    with its lots.
    Raises DayNotOver.
    """
    day = day_that_came(period, now, zone)
    if expire_next_order(session, now=now):
        return Step(1, is_last=False)
    holds = expire_holds(session, now=now, limit=EXPIRY_BATCH)
    lapse_spendings(session, now=now)
    if holds:
        return Step(holds, is_last=False)
    count = expire_points(session, today=day, now=now, limit=EXPIRY_BATCH)
    return Step(count, is_last=count < EXPIRY_BATCH)


def work_contracts(session: Session, period: str, zone: ZoneInfo, now: datetime) -> Step:
    """Bring merchants and their contracts to this day, whichever night was missed.

    Raises DayNotOver.
    """
    day_that_came(period, now, zone)
    return Step(keep_terms(session, today=local_day(now, zone), now=now))


def work_series(session: Session, period: str, zone: ZoneInfo, now: datetime) -> Step:
    """Make the dates of the series that lacks them for longest, and claim them for who wished.

    Raises DayNotOver.
    """
    day_that_came(period, now, zone)
    series_id = next_series_due(session, local_day(now, zone))
    if series_id is None:
        return Step(0)
    count = keep_series_ahead(
        session,
        series_id=series_id,
        zone=zone,
        draw=lambda: draw_bytes(HANDLE_BYTES),
        now=now,
    )
    return Step(count, is_last=False)


def work_verifying(session: Session, _period: str, _zone: ZoneInfo, now: datetime) -> Step:
    """Leave the recomputing as an errand: it takes long, and nobody may wait for it.

    It is done also when it found offenders; that is loud in other places.
    """
    forget_old_runs(session, now)
    return Step(0, errand=verify_ledger)
