"""Rewards are ordered, lent, confirmed by their member and taken back in parts.

Why: Points and pieces are set aside before they move; a void after its day needs two people.
Undo: downgrade drops orders, loans and what was never completed; parts taken back look whole,
and more than 99 pieces like 99.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables of orders and loans and widen redemptions."""
    op.create_table(
        "reward_order",
        sa.Column("id", BIG, nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("way", sa.String(length=8), nullable=False),
        sa.Column("reward_id", BIG, nullable=False),
        sa.Column("merchant_id", BIG, nullable=False),
        sa.Column("shop_id", BIG, nullable=True),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("quantity", BIG, nullable=False),
        sa.Column("delivered", BIG, nullable=False),
        sa.Column("unit_points", BIG, nullable=False),
        sa.Column("period", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("hold_id", BIG, nullable=False),
        sa.Column("voucher_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("word", sa.String(length=4), nullable=True),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_id", BIG, nullable=True),
        sa.CheckConstraint(
            "(state = 'reserved') = (decided_at IS NULL)", name=op.f("ck_reward_order_decided")
        ),
        sa.CheckConstraint(
            "(way = 'counter') = (word IS NOT NULL)"
            " AND (way = 'counter') = (shop_id IS NOT NULL)",
            name=op.f("ck_reward_order_counter"),
        ),
        sa.CheckConstraint(
            "(way = 'voucher') = (voucher_hash IS NOT NULL)",
            name=op.f("ck_reward_order_voucher"),
        ),
        sa.CheckConstraint(
            "state <> 'delivered' OR delivered = quantity",
            name=op.f("ck_reward_order_all_delivered"),
        ),
        sa.CheckConstraint(
            "state IN ('reserved', 'delivered', 'expired', 'cancelled')",
            name=op.f("ck_reward_order_state"),
        ),
        sa.CheckConstraint("way IN ('voucher', 'counter')", name=op.f("ck_reward_order_way")),
        sa.CheckConstraint(
            "delivered BETWEEN 0 AND quantity", name=op.f("ck_reward_order_delivered")
        ),
        sa.CheckConstraint(
            "quantity BETWEEN 1 AND 2000", name=op.f("ck_reward_order_quantity")
        ),
        sa.CheckConstraint(
            "unit_points BETWEEN 1 AND 2000", name=op.f("ck_reward_order_unit_points")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["member.id"], name=op.f("fk_reward_order_decided_by_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["hold_id"], ["hold.id"], name=op.f("fk_reward_order_hold_id_hold")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_reward_order_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchant.id"], name=op.f("fk_reward_order_merchant_id_merchant")
        ),
        sa.ForeignKeyConstraint(
            ["reward_id"], ["reward.id"], name=op.f("fk_reward_order_reward_id_reward")
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_reward_order_shop_id_shop")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reward_order")),
        sa.UniqueConstraint("hold_id", name=op.f("uq_reward_order_hold_id")),
        sa.UniqueConstraint("number", name=op.f("uq_reward_order_number")),
        sa.UniqueConstraint("voucher_hash", name=op.f("uq_reward_order_voucher_hash")),
    )
    op.create_index(
        op.f("ix_reward_order_member_id_id"), "reward_order", ["member_id", "id"], unique=False
    )
    op.create_index(
        op.f("ix_reward_order_merchant_id_state_id"),
        "reward_order",
        ["merchant_id", "state", "id"],
        unique=False,
    )
    op.create_index(
        "ix_reward_order_reserved_expires_at",
        "reward_order",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("state = 'reserved'"),
        postgresql_where=sa.text("state = 'reserved'"),
    )
    op.create_table(
        "loan",
        sa.Column("id", BIG, nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("reward_id", BIG, nullable=False),
        sa.Column("merchant_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("clerk_id", BIG, nullable=False),
        sa.Column("deposit", BIG, nullable=False),
        sa.Column("hold_id", BIG, nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("lent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("charged", BIG, nullable=False),
        sa.Column("transfer_id", BIG, nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("decided_by_id", BIG, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'out') = (decided_at IS NULL)"
            " AND (decided_at IS NULL) = (decided_by_id IS NULL)",
            name=op.f("ck_loan_decided"),
        ),
        sa.CheckConstraint(
            "charged = 0 OR (state IN ('damaged', 'lost') AND reason IS NOT NULL)",
            name=op.f("ck_loan_reason"),
        ),
        sa.CheckConstraint(
            "state IN ('out', 'returned', 'damaged', 'lost')", name=op.f("ck_loan_state")
        ),
        sa.CheckConstraint(
            "(charged > 0) = (transfer_id IS NOT NULL)", name=op.f("ck_loan_transfer")
        ),
        sa.CheckConstraint("charged BETWEEN 0 AND deposit", name=op.f("ck_loan_charged")),
        sa.CheckConstraint("clerk_id <> member_id", name=op.f("ck_loan_not_for_oneself")),
        sa.CheckConstraint("decided_by_id <> member_id", name=op.f("ck_loan_not_by_oneself")),
        sa.CheckConstraint("deposit BETWEEN 1 AND 2000", name=op.f("ck_loan_deposit")),
        sa.ForeignKeyConstraint(
            ["clerk_id"], ["member.id"], name=op.f("fk_loan_clerk_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["member.id"], name=op.f("fk_loan_decided_by_id_member")
        ),
        sa.ForeignKeyConstraint(["hold_id"], ["hold.id"], name=op.f("fk_loan_hold_id_hold")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_loan_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchant.id"], name=op.f("fk_loan_merchant_id_merchant")
        ),
        sa.ForeignKeyConstraint(
            ["reward_id"], ["reward.id"], name=op.f("fk_loan_reward_id_reward")
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["transfer.id"], name=op.f("fk_loan_transfer_id_transfer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loan")),
        sa.UniqueConstraint("hold_id", name=op.f("uq_loan_hold_id")),
        sa.UniqueConstraint("number", name=op.f("uq_loan_number")),
        sa.UniqueConstraint("transfer_id", name=op.f("uq_loan_transfer_id")),
    )
    op.create_index(op.f("ix_loan_member_id_id"), "loan", ["member_id", "id"], unique=False)
    op.create_index(
        op.f("ix_loan_merchant_id_state_due_on"),
        "loan",
        ["merchant_id", "state", "due_on"],
        unique=False,
    )
    op.create_index(
        "ix_loan_out_due_on",
        "loan",
        ["due_on"],
        unique=False,
        sqlite_where=sa.text("state = 'out'"),
        postgresql_where=sa.text("state = 'out'"),
    )
    with op.batch_alter_table("redemption") as batch:
        batch.add_column(sa.Column("shop_id", BIG, nullable=True))
        batch.add_column(sa.Column("order_id", BIG, nullable=True))
        batch.add_column(
            sa.Column("way", sa.String(length=8), server_default="code", nullable=False)
        )
        batch.add_column(
            sa.Column("period", sa.String(length=10), server_default="", nullable=False)
        )
        batch.add_column(sa.Column("hold_id", BIG, nullable=True))
        batch.add_column(sa.Column("confirm_by", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("voided_quantity", BIG, server_default="0", nullable=False))
        batch.alter_column("transfer_id", existing_type=BIG, nullable=True)
        batch.alter_column("balance_after", existing_type=BIG, nullable=True)
        batch.drop_constraint(batch.f("ck_redemption_quantity"), type_="check")
        batch.drop_constraint(batch.f("ck_redemption_state"), type_="check")
        batch.create_unique_constraint(batch.f("uq_redemption_hold_id"), ["hold_id"])
        batch.create_foreign_key(
            batch.f("fk_redemption_shop_id_shop"), "shop", ["shop_id"], ["id"]
        )
        batch.create_foreign_key(
            batch.f("fk_redemption_order_id_reward_order"), "reward_order", ["order_id"], ["id"]
        )
        batch.create_foreign_key(
            batch.f("fk_redemption_hold_id_hold"), "hold", ["hold_id"], ["id"]
        )
        batch.create_index(batch.f("ix_redemption_order_id"), ["order_id"])
        batch.create_index(
            "ix_redemption_waiting_confirm_by",
            ["confirm_by"],
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )
    op.execute("UPDATE redemption SET voided_quantity = quantity WHERE state = 'voided'")
    with op.batch_alter_table("redemption") as batch:
        batch.create_check_constraint(
            batch.f("ck_redemption_quantity"), "quantity BETWEEN 1 AND 2000"
        )
        batch.create_check_constraint(
            batch.f("ck_redemption_state"),
            "state IN ('waiting', 'completed', 'voided', 'lapsed', 'declined')",
        )
        batch.create_check_constraint(
            batch.f("ck_redemption_way"), "way IN ('code', 'card', 'counter', 'voucher')"
        )
        batch.create_check_constraint(
            batch.f("ck_redemption_voided_quantity"),
            "voided_quantity BETWEEN 0 AND quantity"
            " AND (state = 'voided') = (voided_quantity = quantity)",
        )
        batch.create_check_constraint(
            batch.f("ck_redemption_transfer"),
            "(state IN ('completed', 'voided')) = (transfer_id IS NOT NULL)"
            " AND (transfer_id IS NULL) = (balance_after IS NULL)",
        )
        batch.create_check_constraint(
            batch.f("ck_redemption_waiting"),
            "(state NOT IN ('waiting', 'lapsed', 'declined')) OR (hold_id IS NOT NULL"
            " AND confirm_by IS NOT NULL)",
        )
        batch.alter_column("way", existing_type=sa.String(length=8), server_default=None)
        batch.alter_column("period", existing_type=sa.String(length=10), server_default=None)
        batch.alter_column("voided_quantity", existing_type=BIG, server_default=None)
    op.create_table(
        "redemption_void",
        sa.Column("id", BIG, nullable=False),
        sa.Column("redemption_id", BIG, nullable=False),
        sa.Column("quantity", BIG, nullable=False),
        sa.Column("points", BIG, nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("needs_second", sa.Boolean(), nullable=False),
        sa.Column("asked_by_id", BIG, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", sa.String(length=8), nullable=True),
        sa.Column("decided_by_id", BIG, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("transfer_id", BIG, nullable=True),
        sa.CheckConstraint(
            "(COALESCE(decision, '') = 'approved') = (transfer_id IS NOT NULL)",
            name=op.f("ck_redemption_void_transfer"),
        ),
        sa.CheckConstraint(
            "decision IN ('approved', 'refused')", name=op.f("ck_redemption_void_decision")
        ),
        sa.CheckConstraint(
            "(decision IS NULL) = (decided_at IS NULL)"
            " AND (decision IS NULL) = (decided_by_id IS NULL)",
            name=op.f("ck_redemption_void_decided"),
        ),
        sa.CheckConstraint(
            "NOT needs_second OR decided_by_id <> asked_by_id",
            name=op.f("ck_redemption_void_second_person"),
        ),
        sa.CheckConstraint("points >= 1", name=op.f("ck_redemption_void_points")),
        sa.CheckConstraint("quantity >= 1", name=op.f("ck_redemption_void_quantity")),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["member.id"], name=op.f("fk_redemption_void_asked_by_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"],
            ["member.id"],
            name=op.f("fk_redemption_void_decided_by_id_member"),
        ),
        sa.ForeignKeyConstraint(
            ["redemption_id"],
            ["redemption.id"],
            name=op.f("fk_redemption_void_redemption_id_redemption"),
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"],
            ["transfer.id"],
            name=op.f("fk_redemption_void_transfer_id_transfer"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redemption_void")),
        sa.UniqueConstraint("transfer_id", name=op.f("uq_redemption_void_transfer_id")),
    )
    op.create_index(
        op.f("ix_redemption_void_redemption_id"),
        "redemption_void",
        ["redemption_id"],
        unique=False,
    )
    op.create_index(
        "uq_redemption_void_undecided",
        "redemption_void",
        ["redemption_id"],
        unique=True,
        sqlite_where=sa.text("decision IS NULL"),
        postgresql_where=sa.text("decision IS NULL"),
    )
    op.create_table(
        "till_closing",
        sa.Column("merchant_id", BIG, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("redemptions", BIG, nullable=False),
        sa.Column("points", BIG, nullable=False),
        sa.Column("voided", BIG, nullable=False),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("closed_by_id", BIG, nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "redemptions >= 0 AND points >= 0 AND voided >= 0",
            name=op.f("ck_till_closing_sums"),
        ),
        sa.ForeignKeyConstraint(
            ["closed_by_id"], ["member.id"], name=op.f("fk_till_closing_closed_by_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchant.id"], name=op.f("fk_till_closing_merchant_id_merchant")
        ),
        sa.PrimaryKeyConstraint("merchant_id", "day", name=op.f("pk_till_closing")),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("till_closing")
    op.drop_table("redemption_void")
    op.execute("DELETE FROM redemption WHERE transfer_id IS NULL")
    op.execute("UPDATE redemption SET quantity = 99 WHERE quantity > 99")
    with op.batch_alter_table("redemption") as batch:
        batch.drop_constraint(batch.f("ck_redemption_quantity"), type_="check")
        batch.drop_constraint(batch.f("ck_redemption_state"), type_="check")
        batch.drop_constraint(batch.f("ck_redemption_way"), type_="check")
        batch.drop_constraint(batch.f("ck_redemption_voided_quantity"), type_="check")
        batch.drop_constraint(batch.f("ck_redemption_transfer"), type_="check")
        batch.drop_constraint(batch.f("ck_redemption_waiting"), type_="check")
        batch.drop_constraint(batch.f("uq_redemption_hold_id"), type_="unique")
        batch.drop_constraint(batch.f("fk_redemption_hold_id_hold"), type_="foreignkey")
        batch.drop_constraint(
            batch.f("fk_redemption_order_id_reward_order"), type_="foreignkey"
        )
        batch.drop_constraint(batch.f("fk_redemption_shop_id_shop"), type_="foreignkey")
        batch.drop_index("ix_redemption_waiting_confirm_by")
        batch.drop_index(batch.f("ix_redemption_order_id"))
        batch.create_check_constraint(
            batch.f("ck_redemption_quantity"), "quantity BETWEEN 1 AND 99"
        )
        batch.create_check_constraint(
            batch.f("ck_redemption_state"), "state IN ('completed', 'voided')"
        )
        batch.alter_column("balance_after", existing_type=BIG, nullable=False)
        batch.alter_column("transfer_id", existing_type=BIG, nullable=False)
        batch.drop_column("voided_quantity")
        batch.drop_column("confirm_by")
        batch.drop_column("hold_id")
        batch.drop_column("period")
        batch.drop_column("way")
        batch.drop_column("order_id")
        batch.drop_column("shop_id")
    op.drop_table("loan")
    op.drop_table("reward_order")
