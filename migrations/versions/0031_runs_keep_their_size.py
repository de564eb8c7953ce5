"""Runs keep how long they took and what they did, and a job in trouble is known as such.

Why: Lateness, duration and failures of each job are shown and alarmed on; administrators ask
for a run, which the scheduler does.
Undo: downgrade drops all of it; of runs that failed the kind of fault stays as their summary.
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)

FAILURES = (
    "(failures = 0) = (fault IS NULL) AND (failures = 0) = (failed_at IS NULL)"
    " AND (failures = 0) = (failing_since IS NULL)"
)
# Of runs before, whoever asked which took how long: only when they failed is known.
KEEP_FAULTS = """
    UPDATE job_run SET failures = 1, fault = COALESCE(summary, 'unknown'),
        failing_since = COALESCE(finished_at, started_at),
        failed_at = COALESCE(finished_at, started_at)
    WHERE state = 'failed'
"""
# As jobs/occasions.py has it; a job of a period keeps its rows for ever.
FORGET_DONE = """
    UPDATE job_run SET kept_until = {days_after_finish}
    WHERE state = 'done' AND job <> 'settlement'
"""
DAYS_AFTER_FINISH = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', finished_at, '+120 days')",
    "postgresql": "finished_at + interval '120 days'",
}


def upgrade() -> None:
    """Add the columns and the tables."""
    with op.batch_alter_table("job_run") as table:
        for name in ("due_at", "failing_since", "failed_at", "kept_until"):
            table.add_column(sa.Column(name, MOMENT, nullable=True))
        for name in ("milliseconds", "count"):
            table.add_column(sa.Column(name, BIG, nullable=True))
        table.add_column(sa.Column("holder", sa.String(length=80), nullable=True))
        table.add_column(sa.Column("fault", sa.String(length=200), nullable=True))
        table.add_column(sa.Column("failures", BIG, nullable=False, server_default="0"))
    op.execute(KEEP_FAULTS)
    days_after_finish = DAYS_AFTER_FINISH[op.get_bind().dialect.name]
    op.execute(FORGET_DONE.format(days_after_finish=days_after_finish))
    with op.batch_alter_table("job_run") as table:
        table.alter_column("failures", server_default=None)
        table.drop_column("summary")
        table.create_check_constraint(op.f("ck_job_run_failures"), FAILURES)
    op.create_index(op.f("ix_job_run_job_started_at"), "job_run", ["job", "started_at"])
    op.create_table(
        "job_state",
        sa.Column("job", sa.String(length=40), nullable=False),
        sa.Column("running_since", MOMENT, nullable=True),
        sa.Column("running_period", sa.String(length=40), nullable=True),
        sa.Column("running_holder", sa.String(length=80), nullable=True),
        sa.Column("failing_since", MOMENT, nullable=True),
        sa.Column("failures_in_row", BIG, nullable=False),
        sa.Column("failures", BIG, nullable=False),
        sa.Column("trouble", sa.String(length=8), nullable=True),
        sa.Column("trouble_since", MOMENT, nullable=True),
        sa.CheckConstraint(
            "(running_since IS NULL) = (running_period IS NULL)"
            " AND (running_since IS NULL) = (running_holder IS NULL)",
            name=op.f("ck_job_state_running"),
        ),
        sa.CheckConstraint(
            "(failing_since IS NULL) = (failures_in_row = 0)", name=op.f("ck_job_state_failing")
        ),
        sa.CheckConstraint(
            "trouble IN ('failing', 'stuck', 'late')", name=op.f("ck_job_state_trouble")
        ),
        sa.CheckConstraint(
            "(trouble IS NULL) = (trouble_since IS NULL)",
            name=op.f("ck_job_state_trouble_since"),
        ),
        sa.PrimaryKeyConstraint("job", name=op.f("pk_job_state")),
    )
    op.create_table(
        "job_request",
        sa.Column("id", BIG, nullable=False),
        sa.Column("job", sa.String(length=40), nullable=False),
        sa.Column("asked_by_id", BIG, nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["member.id"], name=op.f("fk_job_request_asked_by_id_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_request")),
    )
    op.create_index(op.f("ix_job_request_asked_at"), "job_request", ["asked_at"])


def downgrade() -> None:
    """Take it back."""
    op.drop_table("job_request")
    op.drop_table("job_state")
    op.drop_index(op.f("ix_job_run_job_started_at"), table_name="job_run")
    with op.batch_alter_table("job_run") as table:
        table.drop_constraint(op.f("ck_job_run_failures"), type_="check")
        table.add_column(sa.Column("summary", sa.String(length=200), nullable=True))
    op.execute("UPDATE job_run SET summary = fault WHERE state = 'failed'")
    with op.batch_alter_table("job_run") as table:
        for name in ("due_at", "failing_since", "failed_at", "kept_until", "milliseconds"):
            table.drop_column(name)
        for name in ("count", "holder", "fault", "failures"):
            table.drop_column(name)
