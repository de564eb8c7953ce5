"""Attendance keeps every scan, refused ones too.

Why: What a shift awards stands on scans that can be shown. Undo: downgrade drops these tables
with all they hold.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "scan",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "actor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("code_kind", sa.String(length=12), nullable=False),
        sa.Column(
            "shift_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "member_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("direction", sa.String(length=4), nullable=True),
        sa.Column(
            "occurrence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("result", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=24), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("is_offline", sa.Boolean(), nullable=False),
        sa.Column("scanned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("device_id", sa.String(length=64), nullable=True),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("verdict", sa.JSON(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "code_kind IN ('venue', 'personal', 'redemption', 'card', 'poster', 'manual', "
            "'unknown')",
            name=op.f("ck_scan_code_kind"),
        ),
        sa.CheckConstraint("direction IN ('in', 'out')", name=op.f("ck_scan_direction")),
        sa.CheckConstraint(
            "result IN ('ok', 'confirm', 'refuse')", name=op.f("ck_scan_result")
        ),
        sa.CheckConstraint(
            "NOT counts OR (shift_id IS NOT NULL AND member_id IS NOT NULL AND direction IS "
            "NOT NULL)",
            name=op.f("ck_scan_counts"),
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["member.id"], name=op.f("fk_scan_actor_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_scan_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["shift_id"], ["shift.id"], name=op.f("fk_scan_shift_id_shift")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scan")),
        sa.UniqueConstraint("actor_id", "nonce", name=op.f("uq_scan_actor_id_nonce")),
    )
    op.create_index(op.f("ix_scan_code_hash"), "scan", ["code_hash"], unique=False)
    op.create_index(op.f("ix_scan_member_id"), "scan", ["member_id"], unique=False)
    op.create_index(op.f("ix_scan_shift_id_id"), "scan", ["shift_id", "id"], unique=False)
    op.create_index(
        op.f("ix_scan_device_id_shift_id"),
        "scan",
        ["device_id", "shift_id"],
        unique=False,
        sqlite_where=sa.text("device_id IS NOT NULL"),
        postgresql_where=sa.text("device_id IS NOT NULL"),
    )
    op.create_index(
        "uq_scan_counting",
        "scan",
        ["shift_id", "member_id", "direction", "occurrence"],
        unique=True,
        sqlite_where=sa.text("counts"),
        postgresql_where=sa.text("counts"),
    )
    op.create_table(
        "attendance",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "shift_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "member_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "claim_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "occurrence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("checked_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_out_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "settled_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("held_reason", sa.String(length=24), nullable=True),
        sa.Column(
            "service_minutes",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.Column(
            "points", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "standard_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "transfer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.CheckConstraint(
            "state IN ('present', 'left', 'credited', 'held')", name=op.f("ck_attendance_state")
        ),
        sa.CheckConstraint(
            "checked_in_at IS NOT NULL OR checked_out_at IS NULL",
            name=op.f("ck_attendance_in_before_out"),
        ),
        sa.CheckConstraint("checked_out_at >= checked_in_at", name=op.f("ck_attendance_span")),
        sa.ForeignKeyConstraint(
            ["claim_id"], ["claim.id"], name=op.f("fk_attendance_claim_id_claim")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_attendance_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["settled_by_id"], ["member.id"], name=op.f("fk_attendance_settled_by_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["shift_id"], ["shift.id"], name=op.f("fk_attendance_shift_id_shift")
        ),
        sa.ForeignKeyConstraint(
            ["standard_id"],
            ["scoring_standard.id"],
            name=op.f("fk_attendance_standard_id_scoring_standard"),
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["transfer.id"], name=op.f("fk_attendance_transfer_id_transfer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendance")),
        sa.UniqueConstraint(
            "shift_id",
            "member_id",
            "occurrence",
            name=op.f("uq_attendance_shift_id_member_id_occurrence"),
        ),
    )
    op.create_index(
        op.f("ix_attendance_member_id_state"),
        "attendance",
        ["member_id", "state"],
        unique=False,
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("attendance")
    op.drop_table("scan")
