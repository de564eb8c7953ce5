"""Members dispute lines.

Why: A line that is wrong is answered by a reversal or a reason, within a clock.
Undo: downgrade drops these tables with all they hold.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "dispute",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "member_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "transfer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("line", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer_by", sa.Date(), nullable=False),
        sa.Column(
            "answered_by_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.String(length=300), nullable=False),
        sa.Column(
            "reversal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.CheckConstraint(
            "(state = 'open') = (answered_by_id IS NULL)", name=op.f("ck_dispute_answer")
        ),
        sa.CheckConstraint(
            "reversal_id IS NULL OR state = 'upheld'", name=op.f("ck_dispute_reversal")
        ),
        sa.CheckConstraint(
            "state IN ('open', 'upheld', 'rejected')", name=op.f("ck_dispute_state")
        ),
        sa.CheckConstraint(
            "answered_by_id IS NULL OR answered_by_id <> member_id",
            name=op.f("ck_dispute_two_people"),
        ),
        sa.ForeignKeyConstraint(
            ["answered_by_id"], ["member.id"], name=op.f("fk_dispute_answered_by_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_dispute_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["reversal_id"], ["transfer.id"], name=op.f("fk_dispute_reversal_id_transfer")
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["transfer.id"], name=op.f("fk_dispute_transfer_id_transfer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispute")),
        sa.UniqueConstraint(
            "transfer_id", "number", name=op.f("uq_dispute_transfer_id_number")
        ),
    )
    op.create_index(op.f("ix_dispute_member_id"), "dispute", ["member_id"], unique=False)
    op.create_index(
        op.f("ix_dispute_state_answer_by"), "dispute", ["state", "answer_by"], unique=False
    )
    op.create_index(
        "uq_dispute_open",
        "dispute",
        ["transfer_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("dispute")
