"""Households give to each other.

Why: Points may be given within a registered household, so much a month.
Undo: downgrade drops these tables with all they hold.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "household",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "organization_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "registered_by_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_household_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["registered_by_id"],
            ["member.id"],
            name=op.f("fk_household_registered_by_id_member"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_household")),
    )
    op.create_index(
        op.f("ix_household_organization_id"), "household", ["organization_id"], unique=False
    )
    op.create_table(
        "household_member",
        sa.Column(
            "member_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "household_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "added_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["added_by_id"], ["member.id"], name=op.f("fk_household_member_added_by_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["household_id"],
            ["household.id"],
            name=op.f("fk_household_member_household_id_household"),
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_household_member_member_id_member")
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_household_member")),
    )
    op.create_index(
        op.f("ix_household_member_household_id"),
        "household_member",
        ["household_id"],
        unique=False,
    )
    op.create_table(
        "gift",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column(
            "giver_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "receiver_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "points", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("words", sa.String(length=60), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("giver_id <> receiver_id", name=op.f("ck_gift_two_people")),
        sa.CheckConstraint("points BETWEEN 1 AND 200", name=op.f("ck_gift_points")),
        sa.ForeignKeyConstraint(
            ["giver_id"], ["member.id"], name=op.f("fk_gift_giver_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["receiver_id"], ["member.id"], name=op.f("fk_gift_receiver_id_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gift")),
        sa.UniqueConstraint("key", name=op.f("uq_gift_key")),
    )
    op.create_index(
        op.f("ix_gift_giver_id_given_at"), "gift", ["giver_id", "given_at"], unique=False
    )
    op.create_index(op.f("ix_gift_receiver_id"), "gift", ["receiver_id"], unique=False)
    op.create_table(
        "gift_month",
        sa.Column(
            "member_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column(
            "points", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.CheckConstraint("points BETWEEN 0 AND 200", name=op.f("ck_gift_month_points")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_gift_month_member_id_member")
        ),
        sa.PrimaryKeyConstraint("member_id", "month", name=op.f("pk_gift_month")),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("gift_month")
    op.drop_table("gift")
    op.drop_table("household_member")
    op.drop_table("household")
