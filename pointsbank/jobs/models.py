"""Tables of the scheduler: the lease, each run, how each job stands, and who asked for one."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pointsbank.core.db import BigId, Model, one_of

HOLDER_LENGTH_MAX = 80
FAULT_LENGTH_MAX = 200
TROUBLES = ("failing", "stuck", "late")


class JobLease(Model):
    """The right to schedule; a holder that stops renewing loses it."""

    __tablename__ = "job_lease"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    holder: Mapped[str] = mapped_column(String(HOLDER_LENGTH_MAX))
    expires_at: Mapped[datetime]


class JobRun(Model):
    """One run of one job for one period; the unique pair makes a second run harmless.

    count: how many things all its steps did. failures: how often it failed before it was done,
    or until now. kept_until: none for a row that keeps its period from ever being due again.
    """

    __tablename__ = "job_run"
    __table_args__ = (
        UniqueConstraint("job", "period"),
        Index(None, "job", "started_at"),
        CheckConstraint(one_of("state", ("running", "done", "failed")), name="state"),
        CheckConstraint(
            "(failures = 0) = (fault IS NULL) AND (failures = 0) = (failed_at IS NULL)"
            " AND (failures = 0) = (failing_since IS NULL)",
            name="failures",
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    job: Mapped[str] = mapped_column(String(40))
    period: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(8))
    due_at: Mapped[datetime | None]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    milliseconds: Mapped[int | None]
    count: Mapped[int | None]
    holder: Mapped[str | None] = mapped_column(String(HOLDER_LENGTH_MAX))
    failures: Mapped[int] = mapped_column(default=0)
    fault: Mapped[str | None] = mapped_column(String(FAULT_LENGTH_MAX))
    failing_since: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    kept_until: Mapped[datetime | None]


class JobState(Model):
    """What holds of a job between its runs: the one at work, failures in a row, its trouble.

    A run is seen by others only once it is committed; that it goes on stands here. failures
    counts all that ever were.
    """

    __tablename__ = "job_state"
    __table_args__ = (
        CheckConstraint(
            "(running_since IS NULL) = (running_period IS NULL)"
            " AND (running_since IS NULL) = (running_holder IS NULL)",
            name="running",
        ),
        CheckConstraint("(failing_since IS NULL) = (failures_in_row = 0)", name="failing"),
        CheckConstraint(one_of("trouble", TROUBLES), name="trouble"),
        CheckConstraint("(trouble IS NULL) = (trouble_since IS NULL)", name="trouble_since"),
    )

    job: Mapped[str] = mapped_column(String(40), primary_key=True)
    running_since: Mapped[datetime | None]
    running_period: Mapped[str | None] = mapped_column(String(40))
    running_holder: Mapped[str | None] = mapped_column(String(HOLDER_LENGTH_MAX))
    failing_since: Mapped[datetime | None]
    failures_in_row: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    trouble: Mapped[str | None] = mapped_column(String(8))
    trouble_since: Mapped[datetime | None]


class JobRequest(Model):
    """Somebody wants a job run now; the scheduler does it under the key "asked/<id>", once."""

    __tablename__ = "job_request"
    __table_args__ = (Index(None, "asked_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    job: Mapped[str] = mapped_column(String(40))
    asked_by_id: Mapped[int] = mapped_column(BigId, ForeignKey("member.id"))
    asked_at: Mapped[datetime]
