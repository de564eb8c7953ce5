"""The table of jobs: each by name, with the occasions it is due on and what it does."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pointsbank.core.calendar import (
    Period,
    local_day,
    quarter_before,
    quarter_of,
    read_period,
)
from pointsbank.core.keys import draw_bytes
from pointsbank.jobs.errors import DayNotOver, JobUnknown
from pointsbank.jobs.months import close_next
from pointsbank.jobs.reminding import REMINDING_BATCH, remind
from pointsbank.jobs.sending import send_due
from pointsbank.jobs.shifts import look_ahead
from pointsbank.jobs.verifying import forget_old_runs, verify_ledger
from pointsbank.ledger.holding import expire_holds
from pointsbank.ledger.leaves import HASH_BYTES
from pointsbank.ledger.sealing import BLOCK_ROWS_MAX, seal
from pointsbank.ledger.service import expire_points
from pointsbank.merchants.contracting import keep_terms
from pointsbank.passbooks.funds import lapse_spendings
from pointsbank.rankings.service import roll_up
from pointsbank.rewards.confirming import lapse_next_confirmation
from pointsbank.rewards.ordering import expire_next_order
from pointsbank.rewards.telling import tell_of_stopped
from pointsbank.tasks.claiming import lapse_places
from pointsbank.tasks.models import HANDLE_BYTES
from pointsbank.tasks.recurring import keep_series_ahead, next_series_due

# So often the running quarter is counted anew: a secretary sees today's work within this time.
ROLL_UP_MINUTES = 15
# Shifts of a quarter's last days are settled in the first days of the next one.
CLOSING_NIGHTS = 7
CLOSES_AT = time(0, 30)
# Before anybody redeems on a contract's first day, or after its last.
CONTRACTS_AT = time(0, 5)
EXPIRES_AT = time(0, 10)
SERIES_AT = time(0, 20)
# Late enough that nobody is woken by a telephone, early enough for the day's plans.
REMINDS_AT = time(8, 0)
# So often shifts are looked at: a reminder comes at most so much later than its moment.
SHIFTS_MINUTES = 10
# Transactions that began before midnight are over by then.
SETTLES_AT = time(0, 15)
# After the night's expiry, before anybody redeems.
VERIFIES_AT = time(2, 30)
# Wallets of one batch stay locked until it is committed, so a night's work goes in small ones.
EXPIRY_BATCH = 500
# Each lapse locks its shift until the batch is committed, and people claim meanwhile.
PLACES_BATCH = 50


@dataclass(frozen=True)
class Slot:
    """One occasion of a job; key stands in job_run beside the job's name, unique there."""

    key: str
    period: str


@dataclass(frozen=True)
class Step:
    """What one transaction of a job did; after one that was not the last, the next goes on.

    errand: what is to be done once that transaction is over, outside of any, and counted too;
    whatever waits for others, such as a call to another service, goes there. The lease does not
    fence it, so it must be harmless when two schedulers do it at once.
    """

    count: int
    is_last: bool = True
    errand: Callable[[], int] | None = None


@dataclass(frozen=True)
class Job:
    """A job; due tells the newest occasion of each of its series, which covers older ones."""

    name: str
    due: Callable[[datetime, ZoneInfo], list[Slot]]
    work: Callable[[Session, str, ZoneInfo, datetime], Step]
    period_now: Callable[[datetime, ZoneInfo], str]


def due_rankings(now: datetime, zone: ZoneInfo) -> list[Slot]:
    """Return the running quarter's quarter-hour, and the night that closes the one before."""
    local = now.astimezone(zone)
    quarter = quarter_of(local.date())
    begun = local.replace(minute=local.minute - local.minute % ROLL_UP_MINUTES)
    slots = [Slot(f"{quarter.name}/{begun:%Y-%m-%dT%H:%M}", quarter.name)]
    night = last_closing_night(quarter, local)
    if night is not None:
        before = quarter_before(quarter)
        slots.append(Slot(f"{before.name}/{night.isoformat()}", before.name))
    return slots


def last_closing_night(quarter: Period, local: datetime) -> date | None:
    """Return the newest of the nights at a quarter's beginning that close the one before it."""
    nights = (quarter.first_on + timedelta(days=n) for n in range(CLOSING_NIGHTS))
    past = [n for n in nights if datetime.combine(n, CLOSES_AT, local.tzinfo) <= local]
    return past[-1] if past else None


def work_rankings(session: Session, period: str, zone: ZoneInfo, now: datetime) -> Step:
    """Roll the period up."""
    return Step(roll_up(session, period=read_period(period), zone=zone, now=now).members)


def due_expiry(now: datetime, zone: ZoneInfo) -> list[Slot]:
    """Return the newest night; its work covers every night before it."""
    return newest_day(now, zone, EXPIRES_AT)


def newest_day(now: datetime, zone: ZoneInfo, at: time) -> list[Slot]:
    """Return the newest local day on which it has been this time."""
    local = now.astimezone(zone)
    is_over = local.time() >= at
    day = (local.date() if is_over else local.date() - timedelta(days=1)).isoformat()
    return [Slot(day, day)]


def work_expiry(session: Session, period: str, zone: ZoneInfo, now: datetime) -> Step:
    """Expire what was good through the day before, one batch of lots at a time.

    Orders whose time is over go first, each with its hold, then other holds, and with them the
    spendings of care funds that nobody decided: a wallet with an open hold would have to wait
    with its lots.
    Raises DayNotOver.
    """
    today = read_day(period)
    if today > local_day(now, zone):
        raise DayNotOver
    if expire_next_order(session, now=now):
        return Step(1, is_last=False)
    holds = expire_holds(session, now=now, limit=EXPIRY_BATCH)
    lapse_spendings(session, now=now)
    if holds:
        return Step(holds, is_last=False)
    count = expire_points(session, today=today, now=now, limit=EXPIRY_BATCH)
    return Step(count, is_last=count < EXPIRY_BATCH)


def due_contracts(now: datetime, zone: ZoneInfo) -> list[Slot]:
    """Return the newest night; its work covers every night before it."""
    return newest_day(now, zone, CONTRACTS_AT)


def work_contracts(session: Session, period: str, zone: ZoneInfo, now: datetime) -> Step:
    """Bring merchants and their contracts to this day, whichever night was missed.

    Raises DayNotOver.
    """
    today = local_day(now, zone)
    if read_day(period) > today:
        raise DayNotOver
    return Step(keep_terms(session, today=today, now=now))


def due_series(now: datetime, zone: ZoneInfo) -> list[Slot]:
    """Return the newest night; its work covers every night before it."""
    return newest_day(now, zone, SERIES_AT)


def work_series(session: Session, period: str, zone: ZoneInfo, now: datetime) -> Step:
    """Make the dates of the series that lacks them for longest, and claim them for who wished.

    Raises DayNotOver.
    """
    today = local_day(now, zone)
    if read_day(period) > today:
        raise DayNotOver
    series_id = next_series_due(session, today)
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


def due_reminders(now: datetime, zone: ZoneInfo) -> list[Slot]:
    """Return the newest morning; its work covers every morning before it."""
    return newest_day(now, zone, REMINDS_AT)


def work_reminders(session: Session, period: str, zone: ZoneInfo, now: datetime) -> Step:
    """Remind people of what is due at this moment, whichever morning was missed.

    Raises DayNotOver.
    """
    if read_day(period) > local_day(now, zone):
        raise DayNotOver
    count, is_last = remind(session, now, zone)
    return Step(count, is_last)


def due_shift_reminders(now: datetime, zone: ZoneInfo) -> list[Slot]:
    """Return the running ten minutes; what was missed in those before is made good in it."""
    local = now.astimezone(zone)
    begun = local.replace(minute=local.minute - local.minute % SHIFTS_MINUTES)
    slot = f"{begun:%Y-%m-%dT%H:%M}"
    return [Slot(slot, slot)]


def work_shift_reminders(
    session: Session, _period: str, _zone: ZoneInfo, now: datetime
) -> Step:
    """Remind people of shifts, warn organizers, close invitations and release groups."""
    count, is_last = look_ahead(session, now)
    return Step(count, is_last)


def due_sealing(now: datetime, zone: ZoneInfo) -> list[Slot]:
    """Return this minute; what was not sealed in the minutes before is sealed in it too."""
    return this_minute(now, zone)


def this_minute(now: datetime, zone: ZoneInfo) -> list[Slot]:
    """Return the running minute."""
    minute = f"{now.astimezone(zone):%Y-%m-%dT%H:%M}"
    return [Slot(minute, minute)]


def work_sealing(session: Session, _period: str, _zone: ZoneInfo, now: datetime) -> Step:
    """Seal what was posted since the last block, one block at a time."""
    count = seal(session, now=now, salt=draw_bytes(HASH_BYTES))
    return Step(count, is_last=count < BLOCK_ROWS_MAX)


def due_verifying(now: datetime, zone: ZoneInfo) -> list[Slot]:
    """Return the newest night."""
    return newest_day(now, zone, VERIFIES_AT)


def work_verifying(session: Session, _period: str, _zone: ZoneInfo, now: datetime) -> Step:
    """Leave the recomputing as an errand: it takes long, and nobody may wait for it.

    It is done also when it found offenders; that is loud in other places.
    """
    forget_old_runs(session, now)
    return Step(0, errand=verify_ledger)


def due_places(now: datetime, zone: ZoneInfo) -> list[Slot]:
    """Return this minute; places whose time to accept was over before lapse in it too."""
    return this_minute(now, zone)


def work_places(session: Session, _period: str, _zone: ZoneInfo, now: datetime) -> Step:
    """Hand on the places that nobody accepted in time, one batch of claims at a time."""
    count = lapse_places(session, now=now, limit=PLACES_BATCH)
    return Step(count, is_last=count < PLACES_BATCH)


def due_settlement(now: datetime, zone: ZoneInfo) -> list[Slot]:
    """Return the newest month whose cut-off has come; its work makes those that were missed."""
    local = now.astimezone(zone)
    first = local.date().replace(day=1)
    if local.date() == first and local.time() < SETTLES_AT:
        first = (first - timedelta(days=1)).replace(day=1)
    month = f"{first - timedelta(days=1):%Y-%m}"
    return [Slot(month, month)]


def work_settlement(session: Session, period: str, zone: ZoneInfo, now: datetime) -> Step:
    """Cut off the month of one merchant after the other.

    Raises UnknownPeriod, MonthNotOver.
    """
    count = close_next(session, period, zone, now)
    return Step(count, is_last=count == 0)


def due_confirmations(now: datetime, zone: ZoneInfo) -> list[Slot]:
    """Return this minute; what nobody confirmed in the minutes before lapses in it too."""
    return this_minute(now, zone)


def work_confirmations(session: Session, _period: str, _zone: ZoneInfo, now: datetime) -> Step:
    """Give back what one redemption took whose member did not confirm it in time."""
    has_lapsed = lapse_next_confirmation(session, now=now)
    return Step(int(has_lapsed), is_last=not has_lapsed)


def due_orders(now: datetime, zone: ZoneInfo) -> list[Slot]:
    """Return this minute; orders whose time was over before expire in it too."""
    return this_minute(now, zone)


def work_orders(session: Session, _period: str, zone: ZoneInfo, now: datetime) -> Step:
    """Give back what one order set aside that nobody fetched in time; when none is left, tell
    those whose merchant hands nothing over for now.
    """
    if expire_next_order(session, now=now):
        return Step(1, is_last=False)
    today = local_day(now, zone)
    told = tell_of_stopped(session, today=today, now=now, limit=REMINDING_BATCH)
    return Step(told, is_last=told < REMINDING_BATCH)


def due_webhooks(now: datetime, zone: ZoneInfo) -> list[Slot]:
    """Return this minute; what was not sent in the minutes before is due in it too."""
    return this_minute(now, zone)


def work_webhooks(_session: Session, _period: str, _zone: ZoneInfo, _now: datetime) -> Step:
    """Leave the sending as an errand: a receiver is never waited for in a transaction."""
    return Step(0, errand=send_due)


def read_day(text: str) -> date:
    """Read 2026-11-21.

    Raises DayNotOver.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise DayNotOver from error


JOBS = {
    job.name: job
    for job in (
        Job(
            "rankings",
            due_rankings,
            work_rankings,
            lambda now, zone: quarter_of(local_day(now, zone)).name,
        ),
        Job(
            "expiry",
            due_expiry,
            work_expiry,
            lambda now, zone: local_day(now, zone).isoformat(),
        ),
        Job(
            "contracts",
            due_contracts,
            work_contracts,
            lambda now, zone: local_day(now, zone).isoformat(),
        ),
        Job(
            "series",
            due_series,
            work_series,
            lambda now, zone: local_day(now, zone).isoformat(),
        ),
        Job(
            "reminders",
            due_reminders,
            work_reminders,
            lambda now, zone: local_day(now, zone).isoformat(),
        ),
        Job(
            "shift_reminders",
            due_shift_reminders,
            work_shift_reminders,
            lambda now, zone: f"{now.astimezone(zone):%Y-%m-%dT%H:%M}",
        ),
        Job(
            "seal",
            due_sealing,
            work_sealing,
            lambda now, zone: f"{now.astimezone(zone):%Y-%m-%dT%H:%M}",
        ),
        Job(
            "verify",
            due_verifying,
            work_verifying,
            lambda now, zone: local_day(now, zone).isoformat(),
        ),
        Job(
            "places",
            due_places,
            work_places,
            lambda now, zone: f"{now.astimezone(zone):%Y-%m-%dT%H:%M}",
        ),
        Job(
            "settlement",
            due_settlement,
            work_settlement,
            lambda now, zone: due_settlement(now, zone)[0].period,
        ),
        Job(
            "confirmations",
            due_confirmations,
            work_confirmations,
            lambda now, zone: f"{now.astimezone(zone):%Y-%m-%dT%H:%M}",
        ),
        Job(
            "orders",
            due_orders,
            work_orders,
            lambda now, zone: f"{now.astimezone(zone):%Y-%m-%dT%H:%M}",
        ),
        Job(
            "webhooks",
            due_webhooks,
            work_webhooks,
            lambda now, zone: f"{now.astimezone(zone):%Y-%m-%dT%H:%M}",
        ),
    )
}


def job_named(name: str) -> Job:
    """Return the job of this name.

    Raises JobUnknown.
    """
    if name not in JOBS:
        raise JobUnknown(names=", ".join(sorted(JOBS)))
    return JOBS[name]


def slot_by_hand(job: Job, period: str | None, now: datetime, zone: ZoneInfo) -> Slot:
    """Return an occasion of its own, under which the work is always done again."""
    chosen = period or job.period_now(now, zone)
    return Slot(f"{chosen[:10]}/{now:%Y-%m-%dT%H:%M:%S.%f}", chosen)
