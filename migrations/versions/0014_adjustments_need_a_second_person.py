"""Adjustments need a second person.

Why: What is entered by hand is asked for, bounded by the month, and decided by somebody else.
Undo: downgrade drops these tables with all they hold.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "adjustment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "member_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "organization_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "points", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "service_minutes",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("reason_code", sa.String(length=24), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("evidence", sa.String(length=400), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column(
            "author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decide_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.String(length=200), nullable=False),
        sa.Column(
            "transfer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "entry_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.CheckConstraint(
            "(state IN ('approved', 'refused')) = (decided_by_id IS NOT NULL)",
            name=op.f("ck_adjustment_decision"),
        ),
        sa.CheckConstraint(
            "reason_code IN ('missed_scan', 'device_failure', 'paper_record', 'wrong_entry', "
            "'commendation', 'other')",
            name=op.f("ck_adjustment_reason_code"),
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'approved', 'refused', 'lapsed')",
            name=op.f("ck_adjustment_state"),
        ),
        sa.CheckConstraint(
            "(points IS NULL) <> (service_minutes IS NULL)",
            name=op.f("ck_adjustment_one_measure"),
        ),
        sa.CheckConstraint(
            "author_id <> member_id", name=op.f("ck_adjustment_author_is_not_beneficiary")
        ),
        sa.CheckConstraint(
            "decided_by_id IS NULL OR (decided_by_id <> author_id"
            " AND decided_by_id <> member_id)",
            name=op.f("ck_adjustment_second_person"),
        ),
        sa.CheckConstraint(
            "points IS NULL OR (points <> 0 AND ABS(points) <= 300)",
            name=op.f("ck_adjustment_points"),
        ),
        sa.CheckConstraint(
            "service_minutes IS NULL OR (service_minutes <> 0 AND ABS(service_minutes) <= 480)",
            name=op.f("ck_adjustment_service_minutes"),
        ),
        sa.ForeignKeyConstraint(
            ["author_id"], ["member.id"], name=op.f("fk_adjustment_author_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["member.id"], name=op.f("fk_adjustment_decided_by_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["score_entry.id"], name=op.f("fk_adjustment_entry_id_score_entry")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_adjustment_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_adjustment_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["transfer.id"], name=op.f("fk_adjustment_transfer_id_transfer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adjustment")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_adjustment_entry_id")),
        sa.UniqueConstraint("transfer_id", name=op.f("uq_adjustment_transfer_id")),
    )
    op.create_index(
        op.f("ix_adjustment_author_id_asked_at"),
        "adjustment",
        ["author_id", "asked_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_adjustment_member_id_asked_at"),
        "adjustment",
        ["member_id", "asked_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_adjustment_state_decide_by"),
        "adjustment",
        ["state", "decide_by"],
        unique=False,
    )
    op.create_table(
        "adjustment_month",
        sa.Column(
            "member_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column(
            "points", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "service_minutes",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.CheckConstraint("points BETWEEN 0 AND 300", name=op.f("ck_adjustment_month_points")),
        sa.CheckConstraint(
            "service_minutes BETWEEN 0 AND 480",
            name=op.f("ck_adjustment_month_service_minutes"),
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_adjustment_month_member_id_member")
        ),
        sa.PrimaryKeyConstraint("member_id", "month", name=op.f("pk_adjustment_month")),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("adjustment_month")
    op.drop_table("adjustment")
