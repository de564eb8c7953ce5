"""When a job is due next, and since when it has been: asked of its own due function."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pointsbank.jobs.occasions import Job, Slot

# A job of years is due within one; further ahead nobody asks.
AHEAD_MAX = timedelta(days=400)
FIRST_STEP = timedelta(minutes=1)
EXACT = timedelta(seconds=1)


def next_slot(job: Job, after: datetime, zone: ZoneInfo) -> Slot | None:
    """Return the first occasion that comes after a moment, None when none does for a year.

    An occasion that came never returns, so "something new is due" is false up to a moment and
    true from it on: it is found by doubling and halving.
    """
    known = {slot.key for slot in job.due(after, zone)}

    def new_at(moment: datetime) -> list[Slot]:
        return [slot for slot in job.due(moment, zone) if slot.key not in known]

    early, step = after, FIRST_STEP
    while not new_at(after + step):
        early, step = after + step, 2 * step
        if step > AHEAD_MAX:
            return None
    late = after + step
    while late - early > EXACT:
        middle = early + (late - early) / 2
        if new_at(middle):
            late = middle
        else:
            early = middle
    return new_at(late)[0]


def came_at(slot: Slot, otherwise: datetime) -> datetime:
    """Return when an occasion came, as far as its job says so."""
    return slot.due_at or otherwise
