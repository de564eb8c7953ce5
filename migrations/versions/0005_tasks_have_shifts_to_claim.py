"""Tasks have shifts whose places can be claimed.

Why: Nobody is assigned: a place is taken by a claim, in order. Undo: downgrade drops these
tables with all they hold.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "task",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column(
            "organization_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "organizer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("scoring_item", sa.String(length=40), nullable=False),
        sa.Column("summary", sa.String(length=2000), nullable=False),
        sa.Column("risk_note", sa.String(length=500), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('activity', 'post', 'patrol', 'visit', 'wish', 'need', 'mobilization', "
            "'meeting')",
            name=op.f("ck_task_kind"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'open', 'cancelled')", name=op.f("ck_task_state")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_task_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["organizer_id"], ["member.id"], name=op.f("fk_task_organizer_id_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
    )
    op.create_index(op.f("ix_task_organization_id"), "task", ["organization_id"], unique=False)
    op.create_index(op.f("ix_task_organizer_id"), "task", ["organizer_id"], unique=False)
    op.create_index(
        op.f("ix_task_state_organization_id"),
        "task",
        ["state", "organization_id"],
        unique=False,
    )
    op.create_table(
        "shift",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("handle", sa.LargeBinary(length=5), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "places", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "claimed",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default="0",
            nullable=False,
        ),
        sa.Column("place_name", sa.String(length=120), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.CheckConstraint("0 <= claimed AND claimed <= places", name=op.f("ck_shift_claimed")),
        sa.CheckConstraint("latitude BETWEEN -90 AND 90", name=op.f("ck_shift_latitude")),
        sa.CheckConstraint("longitude BETWEEN -180 AND 180", name=op.f("ck_shift_longitude")),
        sa.CheckConstraint("places BETWEEN 1 AND 2000", name=op.f("ck_shift_places")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_shift_span")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_shift_task_id_task")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift")),
        sa.UniqueConstraint("handle", name=op.f("uq_shift_handle")),
    )
    op.create_index(op.f("ix_shift_starts_at"), "shift", ["starts_at"], unique=False)
    op.create_index(op.f("ix_shift_task_id"), "shift", ["task_id"], unique=False)
    op.create_table(
        "claim",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "shift_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "member_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column(
            "queue_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("promoted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_reason", sa.String(length=200), nullable=True),
        sa.CheckConstraint(
            "state IN ('claimed', 'waitlisted', 'withdrawn')", name=op.f("ck_claim_state")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_claim_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["shift_id"], ["shift.id"], name=op.f("fk_claim_shift_id_shift")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim")),
        sa.UniqueConstraint("shift_id", "queue_no", name=op.f("uq_claim_shift_id_queue_no")),
    )
    op.create_index(
        op.f("ix_claim_member_id_state"), "claim", ["member_id", "state"], unique=False
    )
    op.create_index(
        "uq_claim_living",
        "claim",
        ["shift_id", "member_id"],
        unique=True,
        sqlite_where=sa.text("state <> 'withdrawn'"),
        postgresql_where=sa.text("state <> 'withdrawn'"),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("claim")
    op.drop_table("shift")
    op.drop_table("task")
