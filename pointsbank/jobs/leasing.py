"""The scheduler's lease: one of many may run jobs, and one that stands still loses that right.

A tenure has a holder of its own, drawn anew each time the lease is taken, so that work begun
under a tenure that has ended is noticed even when the same process holds the lease again.
"""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from pointsbank.core.db import Moment
from pointsbank.jobs.errors import LeaseLost

NAME = "scheduler"
LEASE_SECONDS = 30
# Six tries fit into one lease, so that a short stall of the database does not cost it.
RENEW_SECONDS = 5

# A machine that freezes in the middle of a step holds its locks, and the next leader waits for
# them. No step thinks so long between two statements; PostgreSQL then ends it.
FROZEN_SECONDS = 60

FREE = text(f"SET LOCAL idle_in_transaction_session_timeout = '{FROZEN_SECONDS}s'")

TAKE = text(
    """
    INSERT INTO job_lease (name, holder, expires_at) VALUES (:name, :holder, :until)
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
    WHERE job_lease.holder = excluded.holder OR job_lease.expires_at <= :now
    RETURNING holder
    """
).bindparams(bindparam("until", type_=Moment()), bindparam("now", type_=Moment()))

KEEP = text(
    """
    UPDATE job_lease SET expires_at = :until WHERE name = :name AND holder = :holder
    RETURNING holder
    """
).bindparams(bindparam("until", type_=Moment()))


def take_lease(session: Session, *, holder: str, now: datetime) -> bool:
    """Take the lease or renew it, and tell whether this holder has it now.

    It can be taken when nobody has it or its time has run out. Clocks of machines that share a
    database must agree within a few seconds (docs/running.md).
    """
    until = now + timedelta(seconds=LEASE_SECONDS)
    values = {"name": NAME, "holder": holder, "until": until, "now": now}
    return session.execute(TAKE, values).first() is not None


def hold_fast(session: Session, *, holder: str, now: datetime) -> None:
    """Fence the running transaction: renew the lease in it, so that nobody takes it meanwhile.

    Call this last, because the lease's row stays locked. Raises LeaseLost.
    """
    until = now + timedelta(seconds=LEASE_SECONDS)
    values = {"name": NAME, "holder": holder, "until": until}
    if session.execute(KEEP, values).first() is None:
        raise LeaseLost


def free_when_frozen(session: Session) -> None:
    """Let PostgreSQL undo the running transaction when nothing more comes of it.

    On SQLite who stands still holds the file until its process ends.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(FREE)


def give_up_lease(session: Session, *, holder: str, now: datetime) -> None:
    """Let the lease run out now; one that another holds is left alone."""
    session.execute(KEEP, {"name": NAME, "holder": holder, "until": now})
