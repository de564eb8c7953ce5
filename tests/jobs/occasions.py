"""Jobs made for tests: their output is a line of the audit trail, which can be counted."""

from sqlalchemy import func, select

from pointsbank.core.audit import AuditEntry, note
from pointsbank.jobs.occasions import Job, Slot, Step

SLOT = Slot("2026-11-21", "2026-11-21")


def never_due(_now, _zone):
    return []


def a_job(work=None):
    """Return a job that notes each of its steps."""

    def noted(session, period, zone, now):
        note(session, at=now, actor_id=None, action="worked", subject=("job", None))
        return work(session, period, zone, now) if work else Step(1)

    return Job("test", never_due, noted, lambda _now, _zone: SLOT.period)


def times_worked(session):
    return session.scalar(
        select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "worked")
    )
