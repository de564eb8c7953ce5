"""What the job `rankings_check` does each night: compute some standings anew, and be loud."""

from dataclasses import dataclass
from datetime import date, datetime, time
from functools import partial
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.db import reading, run
from pointsbank.jobs.alarming import administrators_of_all
from pointsbank.jobs.occasions import Step, day_that_came
from pointsbank.messages.service import tell_each
from pointsbank.rankings.checking import (
    check_members,
    checked_on,
    is_untouched,
    keep_check,
    snapshots_on,
)
from pointsbank.rankings.periods import periods_running

# After the night's expiry and the ledger's check, before anybody looks.
CHECKS_AT = time(3, 30)

logger = structlog.get_logger()


class RankingsWrong(RuntimeError):
    """Standings differed from what the entries give; the next roll-up makes them anew."""


def work_checking(session: Session, period: str, zone: ZoneInfo, now: datetime) -> Step:
    """Leave the comparing as an errand: it goes portion by portion, each its own transaction.

    Raises DayNotOver.
    """
    day = day_that_came(period, now, zone)
    return Step(0, errand=lambda: check_standings(day))


def check_standings(day: date) -> int:
    """Compare the standings and snapshots whose turn it is, and return how many were compared.

    What differs marks its period, is kept for the figures, is told to administrators, and fails
    the job: it is tried again until the period was made anew. Needs the application's context.
    Raises RankingsWrong.
    """
    compared, wrong, after = 0, 0, 0
    while True:
        with reading() as session:
            ids = checked_on(session, day, after=after)
        if not ids:
            break
        after = ids[-1]
        for period in periods_running(day):
            wrong += len(run(partial(check_members, period=period, member_ids=ids, today=day)))
            compared += len(ids)
    touched = touched_snapshots(day)
    keep = partial(keep_check, day=day, compared=compared, wrong=wrong, now=clock.now())
    run(keep)
    if wrong:
        logger.error("rankings_are_wrong", standings=wrong)
        run(lambda session: tell_of(session, day, "rankings_wrong", standings=wrong))
    if touched.ids:
        count = len(touched.ids)
        run(lambda session: tell_of(session, day, "snapshots_wrong", snapshots=count))
    if wrong or touched.ids:
        raise RankingsWrong
    return compared + touched.compared


@dataclass(frozen=True)
class Touched:
    """Of so many snapshots these no longer give their digest."""

    compared: int
    ids: list[int]


def touched_snapshots(day: date) -> Touched:
    """Recompute the digests of the snapshots whose turn it is; the log names what differs.

    Nothing mends them: closed periods are never written again, so somebody did it by hand.
    """
    with reading() as session:
        turn = snapshots_on(session, day)
    ids = []
    for snapshot_id in turn:
        with reading() as session:
            if not is_untouched(session, snapshot_id):
                ids.append(snapshot_id)
    if ids:
        logger.error("snapshots_are_wrong", snapshots=ids)
    return Touched(len(turn), ids)


def tell_of(session: Session, day: date, kind: str, **found: int) -> None:
    """Tell administrators, once a day, of standings or snapshots that the check found wrong."""
    tell_each(
        session,
        key=f"{kind}:{day.isoformat()}",
        member_ids=administrators_of_all(session),
        kind=kind,
        facts={**found, "found_on": day.isoformat()},
        now=clock.now(),
    )
