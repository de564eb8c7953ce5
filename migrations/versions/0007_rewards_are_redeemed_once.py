"""Rewards are redeemed once.

Why: Stock, limit, code and points move together or not at all. Undo: downgrade drops these
tables with all they hold.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "reward",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column(
            "points", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "stock", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "limit_per_member",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('offered', 'withdrawn')", name=op.f("ck_reward_state")),
        sa.CheckConstraint("limit_per_member >= 1", name=op.f("ck_reward_limit_per_member")),
        sa.CheckConstraint("points BETWEEN 1 AND 2000", name=op.f("ck_reward_points")),
        sa.CheckConstraint("stock BETWEEN 0 AND 1000000", name=op.f("ck_reward_stock")),
        sa.CheckConstraint("valid_from < valid_until", name=op.f("ck_reward_validity")),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchant.id"], name=op.f("fk_reward_merchant_id_merchant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reward")),
    )
    op.create_index(
        op.f("ix_reward_merchant_id_state"), "reward", ["merchant_id", "state"], unique=False
    )
    op.create_table(
        "wrong_code",
        sa.Column(
            "clerk_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "failures", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("failures >= 0", name=op.f("ck_wrong_code_failures")),
        sa.ForeignKeyConstraint(
            ["clerk_id"], ["member.id"], name=op.f("fk_wrong_code_clerk_id_member")
        ),
        sa.PrimaryKeyConstraint("clerk_id", name=op.f("pk_wrong_code")),
    )
    op.create_table(
        "reward_taken",
        sa.Column(
            "reward_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "member_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "quantity", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_reward_taken_quantity")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_reward_taken_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["reward_id"], ["reward.id"], name=op.f("fk_reward_taken_reward_id_reward")
        ),
        sa.PrimaryKeyConstraint("reward_id", "member_id", name=op.f("pk_reward_taken")),
    )
    op.create_table(
        "redemption",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column(
            "merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "reward_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "member_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "clerk_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "quantity", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "points", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column(
            "transfer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "balance_after",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("redeemed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("redeemed_on", sa.Date(), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "voided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("void_reason", sa.String(length=200), nullable=True),
        sa.CheckConstraint(
            "(state = 'voided') = (voided_at IS NOT NULL)", name=op.f("ck_redemption_voided")
        ),
        sa.CheckConstraint(
            "state IN ('completed', 'voided')", name=op.f("ck_redemption_state")
        ),
        sa.CheckConstraint("clerk_id <> member_id", name=op.f("ck_redemption_not_for_oneself")),
        sa.CheckConstraint("points >= 1", name=op.f("ck_redemption_points")),
        sa.CheckConstraint("quantity BETWEEN 1 AND 99", name=op.f("ck_redemption_quantity")),
        sa.ForeignKeyConstraint(
            ["clerk_id"], ["member.id"], name=op.f("fk_redemption_clerk_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_redemption_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchant.id"], name=op.f("fk_redemption_merchant_id_merchant")
        ),
        sa.ForeignKeyConstraint(
            ["reward_id"], ["reward.id"], name=op.f("fk_redemption_reward_id_reward")
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["transfer.id"], name=op.f("fk_redemption_transfer_id_transfer")
        ),
        sa.ForeignKeyConstraint(
            ["voided_by_id"], ["member.id"], name=op.f("fk_redemption_voided_by_id_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redemption")),
        sa.UniqueConstraint("number", name=op.f("uq_redemption_number")),
        sa.UniqueConstraint("transfer_id", name=op.f("uq_redemption_transfer_id")),
    )
    op.create_index(
        op.f("ix_redemption_member_id_id"), "redemption", ["member_id", "id"], unique=False
    )
    op.create_index(
        op.f("ix_redemption_merchant_id_redeemed_on_id"),
        "redemption",
        ["merchant_id", "redeemed_on", "id"],
        unique=False,
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("wrong_code")
    op.drop_table("redemption")
    op.drop_table("reward_taken")
    op.drop_table("reward")
