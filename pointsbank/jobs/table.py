"""The table of jobs: each by name, with the occasions it is due on and what it does."""

from datetime import datetime
from zoneinfo import ZoneInfo

from pointsbank.jobs.checking import CHECKS_AT, work_checking
from pointsbank.jobs.closing import due_closing, work_closing
from pointsbank.jobs.errors import JobUnknown
from pointsbank.jobs.minutes import (
    due_each_minute,
    work_confirmations,
    work_orders,
    work_places,
    work_sealing,
    work_webhooks,
)
from pointsbank.jobs.months import due_settlement, newest_month_over, work_settlement
from pointsbank.jobs.nights import (
    VERIFYING_TAKES,
    due_contracts,
    due_expiry,
    due_series,
    due_verifying,
    work_contracts,
    work_expiry,
    work_series,
    work_verifying,
)
from pointsbank.jobs.notices import due_notices, work_notices
from pointsbank.jobs.occasions import Job, Slot, daily, minute_now, today
from pointsbank.jobs.reminding import due_reminders, work_reminders
from pointsbank.jobs.rolling import due_rankings, quarter_now, work_rankings
from pointsbank.jobs.shifts import due_shift_reminders, work_shift_reminders
from pointsbank.jobs.starring import due_stars, work_stars

JOBS = {
    job.name: job
    for job in (
        Job("rankings", due_rankings, work_rankings, quarter_now),
        Job("rankings_check", daily(CHECKS_AT), work_checking, today),
        Job("closing", due_closing, work_closing, today),
        Job("expiry", due_expiry, work_expiry, today),
        Job("contracts", due_contracts, work_contracts, today),
        Job("series", due_series, work_series, today),
        Job("notices", due_notices, work_notices, today),
        Job("reminders", due_reminders, work_reminders, today),
        Job("shift_reminders", due_shift_reminders, work_shift_reminders, minute_now),
        Job("seal", due_each_minute, work_sealing, minute_now),
        Job("verify", due_verifying, work_verifying, today, may_take=VERIFYING_TAKES),
        Job("places", due_each_minute, work_places, minute_now),
        Job("settlement", due_settlement, work_settlement, newest_month_over, kept=None),
        Job("confirmations", due_each_minute, work_confirmations, minute_now),
        Job("orders", due_each_minute, work_orders, minute_now),
        Job("webhooks", due_each_minute, work_webhooks, minute_now),
        Job("stars", due_stars, work_stars, minute_now),
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
