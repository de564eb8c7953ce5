"""Attendance is reviewed, vouched for and answered.

Why: What a station judged by itself is compared, suspicious marks wait for a second person,
large shifts are vouched for, and people answer what is recorded about them.
Undo: downgrade drops what is new; rejected attendances become held.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables and widen attendance."""
    op.create_table(
        "scan_difference",
        sa.Column("scan_id", BIG, nullable=False),
        sa.Column("shift_id", BIG, nullable=False),
        sa.Column("device_result", sa.String(length=8), nullable=False),
        sa.Column("device_reason", sa.String(length=24), nullable=False),
        sa.Column("server_result", sa.String(length=8), nullable=False),
        sa.Column("server_reason", sa.String(length=24), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", sa.String(length=12), nullable=True),
        sa.Column("decided_by_id", BIG, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.CheckConstraint(
            "decision IN ('let_in', 'leave_out')", name=op.f("ck_scan_difference_decision")
        ),
        sa.CheckConstraint(
            "(decision IS NULL) = (decided_by_id IS NULL)"
            " AND (decision IS NULL) = (decided_at IS NULL)",
            name=op.f("ck_scan_difference_decided"),
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"],
            ["member.id"],
            name=op.f("fk_scan_difference_decided_by_id_member"),
        ),
        sa.ForeignKeyConstraint(
            ["scan_id"], ["scan.id"], name=op.f("fk_scan_difference_scan_id_scan")
        ),
        sa.ForeignKeyConstraint(
            ["shift_id"], ["shift.id"], name=op.f("fk_scan_difference_shift_id_shift")
        ),
        sa.PrimaryKeyConstraint("scan_id", name=op.f("pk_scan_difference")),
    )
    op.create_index(
        op.f("ix_scan_difference_shift_id"),
        "scan_difference",
        ["shift_id"],
        unique=False,
        sqlite_where=sa.text("decision IS NULL"),
        postgresql_where=sa.text("decision IS NULL"),
    )
    op.create_table(
        "overtime",
        sa.Column("shift_id", BIG, nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("asked_by_id", BIG, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by_id", BIG, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'pending') = (decided_by_id IS NULL)", name=op.f("ck_overtime_decision")
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'approved', 'refused')", name=op.f("ck_overtime_state")
        ),
        sa.CheckConstraint(
            "decided_by_id IS NULL OR decided_by_id <> asked_by_id",
            name=op.f("ck_overtime_second_person"),
        ),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["member.id"], name=op.f("fk_overtime_asked_by_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["member.id"], name=op.f("fk_overtime_decided_by_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["shift_id"], ["shift.id"], name=op.f("fk_overtime_shift_id_shift")
        ),
        sa.PrimaryKeyConstraint("shift_id", name=op.f("pk_overtime")),
    )
    op.create_table(
        "head_count",
        sa.Column("id", BIG, nullable=False),
        sa.Column("shift_id", BIG, nullable=False),
        sa.Column("counted", BIG, nullable=False),
        sa.Column("by_scans", BIG, nullable=False),
        sa.Column("counted_by_id", BIG, nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("by_scans >= 0", name=op.f("ck_head_count_by_scans")),
        sa.CheckConstraint("counted >= 0", name=op.f("ck_head_count_counted")),
        sa.ForeignKeyConstraint(
            ["counted_by_id"], ["member.id"], name=op.f("fk_head_count_counted_by_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["shift_id"], ["shift.id"], name=op.f("fk_head_count_shift_id_shift")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_head_count")),
    )
    op.create_index(op.f("ix_head_count_shift_id"), "head_count", ["shift_id"], unique=False)
    op.create_table(
        "roll_call",
        sa.Column("id", BIG, nullable=False),
        sa.Column("shift_id", BIG, nullable=False),
        sa.Column("called_by_id", BIG, nullable=False),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["called_by_id"], ["member.id"], name=op.f("fk_roll_call_called_by_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["shift_id"], ["shift.id"], name=op.f("fk_roll_call_shift_id_shift")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roll_call")),
    )
    op.create_index(op.f("ix_roll_call_shift_id"), "roll_call", ["shift_id"], unique=False)
    op.create_table(
        "roll_call_answer",
        sa.Column("roll_call_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("is_here", sa.Boolean(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(is_here IS NULL) = (answered_at IS NULL)", name=op.f("ck_roll_call_answer_answer")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_roll_call_answer_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["roll_call_id"],
            ["roll_call.id"],
            name=op.f("fk_roll_call_answer_roll_call_id_roll_call"),
        ),
        sa.PrimaryKeyConstraint("roll_call_id", "member_id", name=op.f("pk_roll_call_answer")),
    )
    op.create_table(
        "co_signature",
        sa.Column("shift_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("people", BIG, nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("people >= 0", name=op.f("ck_co_signature_people")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_co_signature_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["shift_id"], ["shift.id"], name=op.f("fk_co_signature_shift_id_shift")
        ),
        sa.PrimaryKeyConstraint("shift_id", "member_id", name=op.f("pk_co_signature")),
    )
    op.create_table(
        "no_show",
        sa.Column("claim_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("recorded_by_id", BIG, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("answer", sa.String(length=200), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_id", BIG, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state IN ('excused', 'upheld')) = (decided_by_id IS NOT NULL)",
            name=op.f("ck_no_show_decision"),
        ),
        sa.CheckConstraint(
            "state IN ('recorded', 'answered', 'excused', 'upheld')",
            name=op.f("ck_no_show_state"),
        ),
        sa.CheckConstraint(
            "(answer IS NULL) = (answered_at IS NULL)", name=op.f("ck_no_show_answer")
        ),
        sa.CheckConstraint(
            "recorded_by_id <> member_id", name=op.f("ck_no_show_second_person")
        ),
        sa.ForeignKeyConstraint(
            ["claim_id"], ["claim.id"], name=op.f("fk_no_show_claim_id_claim")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["member.id"], name=op.f("fk_no_show_decided_by_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_no_show_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["member.id"], name=op.f("fk_no_show_recorded_by_id_member")
        ),
        sa.PrimaryKeyConstraint("claim_id", name=op.f("pk_no_show")),
    )
    op.create_index(op.f("ix_no_show_member_id"), "no_show", ["member_id"], unique=False)
    op.add_column("scan", sa.Column("device_verdict", sa.JSON(), nullable=True))
    with op.batch_alter_table("attendance") as batch:
        batch.add_column(sa.Column("present_minutes", BIG, nullable=True))
        batch.add_column(sa.Column("review_score", BIG, server_default="0", nullable=False))
        batch.add_column(
            sa.Column(
                "review_reasons", sa.JSON(), server_default=sa.text("'[]'"), nullable=False
            )
        )
        batch.add_column(
            sa.Column(
                "review_state", sa.String(length=8), server_default="none", nullable=False
            )
        )
        batch.add_column(sa.Column("reviewed_by_id", BIG, nullable=True))
        batch.add_column(sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("review_note", sa.String(length=200), nullable=True))
        batch.add_column(sa.Column("rejected_at", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("rejection_note", sa.String(length=200), nullable=True))
        batch.create_index(
            batch.f("ix_attendance_shift_id_review_state"),
            ["shift_id", "review_state"],
            unique=False,
            sqlite_where=sa.text("review_state = 'waiting'"),
            postgresql_where=sa.text("review_state = 'waiting'"),
        )
        batch.create_foreign_key(
            batch.f("fk_attendance_reviewed_by_id_member"), "member", ["reviewed_by_id"], ["id"]
        )
        batch.drop_constraint(batch.f("ck_attendance_state"), type_="check")
        batch.create_check_constraint(
            batch.f("ck_attendance_state"),
            "state IN ('present', 'left', 'credited', 'held', 'rejected')",
        )
        batch.create_check_constraint(
            batch.f("ck_attendance_occurrence"), "occurrence BETWEEN 1 AND 3"
        )
        batch.create_check_constraint(
            batch.f("ck_attendance_review_state"),
            "review_state IN ('none', 'waiting', 'approved', 'refused')",
        )
        batch.create_check_constraint(
            batch.f("ck_attendance_review_score"), "review_score BETWEEN 0 AND 100"
        )
        batch.create_check_constraint(
            batch.f("ck_attendance_review"),
            "(review_state IN ('approved', 'refused')) = (reviewed_by_id IS NOT NULL)",
        )
        batch.create_check_constraint(
            batch.f("ck_attendance_second_person"),
            "reviewed_by_id IS NULL OR reviewed_by_id <> member_id",
        )
        batch.create_check_constraint(
            batch.f("ck_attendance_rejection"),
            "(state = 'rejected') = (rejected_at IS NOT NULL)",
        )


def downgrade() -> None:
    """Drop what is new."""
    op.execute(
        "UPDATE attendance SET rejected_at = NULL, state = 'held' WHERE state = 'rejected'"
    )
    op.drop_index(op.f("ix_attendance_shift_id_review_state"), "attendance")
    with op.batch_alter_table("attendance") as batch:
        batch.drop_constraint(batch.f("ck_attendance_state"), type_="check")
        batch.drop_constraint(batch.f("ck_attendance_occurrence"), type_="check")
        batch.drop_constraint(batch.f("ck_attendance_review_state"), type_="check")
        batch.drop_constraint(batch.f("ck_attendance_review_score"), type_="check")
        batch.drop_constraint(batch.f("ck_attendance_review"), type_="check")
        batch.drop_constraint(batch.f("ck_attendance_second_person"), type_="check")
        batch.drop_constraint(batch.f("ck_attendance_rejection"), type_="check")
        batch.drop_constraint(
            batch.f("fk_attendance_reviewed_by_id_member"), type_="foreignkey"
        )
        batch.create_check_constraint(
            batch.f("ck_attendance_state"), "state IN ('present', 'left', 'credited', 'held')"
        )
        batch.drop_column("rejection_note")
        batch.drop_column("rejected_at")
        batch.drop_column("review_note")
        batch.drop_column("reviewed_at")
        batch.drop_column("reviewed_by_id")
        batch.drop_column("review_state")
        batch.drop_column("review_reasons")
        batch.drop_column("review_score")
        batch.drop_column("present_minutes")
    op.drop_column("scan", "device_verdict")
    op.drop_table("no_show")
    op.drop_table("co_signature")
    op.drop_table("roll_call_answer")
    op.drop_table("roll_call")
    op.drop_table("head_count")
    op.drop_table("overtime")
    op.drop_table("scan_difference")
