"""Jobs made to be counted: each effect is a row of a table without any unique constraint."""

import os
import signal
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from pointsbank.jobs.occasions import Job, Slot, Step

# A period of the probe; so many pass while a dead leader's lease runs out.
PERIOD_SECONDS = 0.25
STEPS = 3
# A step's work lies between two statements, so that a kill mostly meets a step half done.
STEP_SECONDS = 0.02

TABLES = {
    "sqlite": "CREATE TABLE probe_effect (id INTEGER PRIMARY KEY, period TEXT, step INTEGER,"
    " pid INTEGER)",
    "postgresql": "CREATE TABLE probe_effect (id BIGSERIAL PRIMARY KEY, period TEXT,"
    " step INTEGER, pid INTEGER)",
}
INSERT = text("INSERT INTO probe_effect (period, step, pid) VALUES (:period, :step, :pid)")
COUNT = text("SELECT COUNT(*) FROM probe_effect WHERE period = :period")


@dataclass(frozen=True)
class Probe:
    """What a probe of one contest is: since when its periods come, and where it stalls.

    stall: a file that makes the process that removes it stop itself in the middle of a step.
    """

    begun_at: float
    stall: str = ""

    def periods_until(self, moment: float) -> int:
        """Return how many periods have come by then."""
        return max(0, int((moment - self.begun_at) / PERIOD_SECONDS))


def periodic(probe: Probe) -> Job:
    """Return a job of periods: each has so many steps, and each step matters once."""

    def due(now: datetime, _zone: ZoneInfo) -> list[Slot]:
        return [
            Slot(f"{n:06}", f"{n:06}", at(probe, n))
            for n in range(probe.periods_until(now.timestamp()))
        ]

    def work(session: Session, period: str, _zone: ZoneInfo, _now: datetime) -> Step:
        step = session.execute(COUNT, {"period": period}).scalar_one()
        time.sleep(STEP_SECONDS / 2)
        session.execute(INSERT, {"period": period, "step": step, "pid": os.getpid()})
        time.sleep(STEP_SECONDS / 2)
        return Step(1, is_last=step + 1 >= STEPS)

    return Job("probe", due, work, lambda *_: "", kept=None)


def newest_only(probe: Probe) -> Job:
    """Return a job that works from its source: of its occasions the newest covers the others.

    Its source are the periods; it does those that have no effect yet, all in one step.
    """

    def due(now: datetime, _zone: ZoneInfo) -> list[Slot]:
        newest = probe.periods_until(now.timestamp())
        return [Slot(f"{newest:06}", f"{newest:06}", at(probe, newest))]

    def work(session: Session, period: str, _zone: ZoneInfo, _now: datetime) -> Step:
        done = set(session.execute(text("SELECT period FROM probe_effect")).scalars())
        missing = [f"{n:06}" for n in range(int(period)) if f"{n:06}" not in done]
        if missing:
            stall_when_told(probe)
        for each in missing:
            session.execute(INSERT, {"period": each, "step": 0, "pid": os.getpid()})
        return Step(len(missing))

    return Job("probe", due, work, lambda *_: "")


def at(probe: Probe, period: int) -> datetime:
    """Return when a period came."""
    return datetime.fromtimestamp(probe.begun_at, UTC) + timedelta(
        seconds=(period + 1) * PERIOD_SECONDS
    )


def stall_when_told(probe: Probe) -> None:
    """Stop this process in the middle of its step, if nobody was told to before."""
    try:
        Path(probe.stall).unlink()
    except OSError:
        return
    os.kill(os.getpid(), signal.SIGSTOP)
