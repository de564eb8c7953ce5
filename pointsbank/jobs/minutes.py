"""The jobs of each minute; what was missed in the minutes before is done in the running one."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pointsbank.core.calendar import local_day
from pointsbank.core.keys import draw_bytes
from pointsbank.jobs.occasions import Step, every_minutes
from pointsbank.jobs.reminding import REMINDING_BATCH
from pointsbank.jobs.sending import send_due
from pointsbank.ledger.leaves import HASH_BYTES
from pointsbank.ledger.sealing import BLOCK_ROWS_MAX, seal
from pointsbank.rewards.confirming import lapse_next_confirmation
from pointsbank.rewards.ordering import expire_next_order
from pointsbank.rewards.telling import tell_of_stopped
from pointsbank.tasks.claiming import lapse_places

# Each lapse locks its shift until the batch is committed, and people claim meanwhile.
PLACES_BATCH = 50

due_each_minute = every_minutes(1)


def work_sealing(session: Session, _period: str, _zone: ZoneInfo, now: datetime) -> Step:
    """Seal what was posted since the last block, one block at a time."""
    count = seal(session, now=now, salt=draw_bytes(HASH_BYTES))
    return Step(count, is_last=count < BLOCK_ROWS_MAX)


def work_places(session: Session, _period: str, _zone: ZoneInfo, now: datetime) -> Step:
    """Hand on the places that nobody accepted in time, one batch of claims at a time."""
    count = lapse_places(session, now=now, limit=PLACES_BATCH)
    return Step(count, is_last=count < PLACES_BATCH)


def work_confirmations(session: Session, _period: str, _zone: ZoneInfo, now: datetime) -> Step:
    """Give back what one redemption took whose member did not confirm it in time."""
    has_lapsed = lapse_next_confirmation(session, now=now)
    return Step(int(has_lapsed), is_last=not has_lapsed)


def work_orders(session: Session, _period: str, zone: ZoneInfo, now: datetime) -> Step:
    """Give back what one order set aside that nobody fetched in time; when none is left, tell
    those whose merchant hands nothing over for now.
    """
    if expire_next_order(session, now=now):
        return Step(1, is_last=False)
    today = local_day(now, zone)
    told = tell_of_stopped(session, today=today, now=now, limit=REMINDING_BATCH)
    return Step(told, is_last=told < REMINDING_BATCH)


def work_webhooks(_session: Session, _period: str, _zone: ZoneInfo, _now: datetime) -> Step:
    """Leave the sending as an errand: a receiver is never waited for in a transaction."""
    return Step(0, errand=send_due)
