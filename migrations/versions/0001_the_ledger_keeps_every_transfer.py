"""The ledger keeps every transfer.

Why: Points live in one double-entry ledger; a transfer and a block can be added and never
changed. Undo: downgrade drops these tables with all they hold.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


NEVER_CHANGED = ("transfer", "block")

POSTGRESQL_FUNCTION = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed or removed', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$
"""


def refuse_changes() -> None:
    """Let rows of the two tables be added only."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(POSTGRESQL_FUNCTION)
        # Wallet rows change with each posting; free space on the page keeps those updates off
        # the index.
        op.execute("ALTER TABLE wallet SET (fillfactor = 70)")
        for table in NEVER_CHANGED:
            op.execute(
                f"CREATE TRIGGER {table}_is_never_changed BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            )
            op.execute(
                f"CREATE TRIGGER {table}_is_never_emptied BEFORE TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )
        return
    for table in NEVER_CHANGED:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuses_{verb.lower()} BEFORE {verb} ON {table} BEGIN "
                f"SELECT RAISE(ABORT, 'rows of {table} are never changed or removed'); END"
            )


def upgrade() -> None:
    """Make the tables, refuse changes to what is kept for ever, and open the account of expired
    points.
    """
    op.create_table(
        "account",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('member', 'fund', 'merchant', 'issue', 'expired', 'clearing')",
            name=op.f("ck_account_kind"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("code", name=op.f("uq_account_code")),
    )
    op.create_table(
        "block",
        sa.Column(
            "no",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "up_to", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("previous_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column(
            "count", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("count >= 1", name=op.f("ck_block_count")),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_block")),
        sa.UniqueConstraint("up_to", name=op.f("uq_block_up_to")),
    )
    op.create_table(
        "merchant_checkpoint",
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "block_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "balance", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_merchant_checkpoint_account_id_account"),
        ),
        sa.ForeignKeyConstraint(
            ["block_no"], ["block.no"], name=op.f("fk_merchant_checkpoint_block_no_block")
        ),
        sa.PrimaryKeyConstraint("account_id", "block_no", name=op.f("pk_merchant_checkpoint")),
    )
    op.create_table(
        "wallet",
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "posted", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("held", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("0 <= held AND held <= posted", name=op.f("ck_wallet_floor")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_wallet_account_id_account")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_wallet")),
    )
    op.create_table(
        "hold",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column(
            "wallet_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "points", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('open', 'settled', 'void', 'expired')", name=op.f("ck_hold_state")
        ),
        sa.CheckConstraint("points BETWEEN 1 AND 100000", name=op.f("ck_hold_points")),
        sa.ForeignKeyConstraint(
            ["wallet_id"], ["wallet.account_id"], name=op.f("fk_hold_wallet_id_wallet")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
        sa.UniqueConstraint("key", name=op.f("uq_hold_key")),
    )
    op.create_index(
        op.f("ix_hold_wallet_id_state"), "hold", ["wallet_id", "state"], unique=False
    )
    op.create_table(
        "lot",
        sa.Column(
            "wallet_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column(
            "granted", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("used", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("0 <= used AND used <= granted", name=op.f("ck_lot_used")),
        sa.ForeignKeyConstraint(
            ["wallet_id"], ["wallet.account_id"], name=op.f("fk_lot_wallet_id_wallet")
        ),
        sa.PrimaryKeyConstraint("wallet_id", "expires_on", name=op.f("pk_lot")),
    )
    op.create_index(op.f("ix_lot_expires_on"), "lot", ["expires_on"], unique=False)
    op.create_table(
        "transfer",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column(
            "source_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "target_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "points", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "wallet_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "wallet_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "wallet_after", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "hold_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "reverses_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column(
            "actor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.CheckConstraint(
            "(kind = 'reversal') = (reverses_id IS NOT NULL)", name=op.f("ck_transfer_reversal")
        ),
        sa.CheckConstraint(
            "kind IN ('earn', 'spend', 'reversal', 'expire', 'gift_out', 'gift_in', "
            "'donate', 'adjust_up', 'adjust_down')",
            name=op.f("ck_transfer_kind"),
        ),
        sa.CheckConstraint(
            "(wallet_id IS NULL) = (wallet_seq IS NULL) AND (wallet_id IS NULL) = "
            "(wallet_after IS NULL)",
            name=op.f("ck_transfer_wallet_line"),
        ),
        sa.CheckConstraint("points BETWEEN 1 AND 100000", name=op.f("ck_transfer_points")),
        sa.CheckConstraint("source_id <> target_id", name=op.f("ck_transfer_two_accounts")),
        sa.CheckConstraint(
            "wallet_after IS NULL OR wallet_after >= 0", name=op.f("ck_transfer_wallet_after")
        ),
        sa.CheckConstraint(
            "wallet_id IS NULL OR wallet_id IN (source_id, target_id)",
            name=op.f("ck_transfer_wallet"),
        ),
        sa.ForeignKeyConstraint(
            ["hold_id"], ["hold.id"], name=op.f("fk_transfer_hold_id_hold")
        ),
        sa.ForeignKeyConstraint(
            ["reverses_id"], ["transfer.id"], name=op.f("fk_transfer_reverses_id_transfer")
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["account.id"], name=op.f("fk_transfer_source_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["target_id"], ["account.id"], name=op.f("fk_transfer_target_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["wallet_id"], ["wallet.account_id"], name=op.f("fk_transfer_wallet_id_wallet")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer")),
        sa.UniqueConstraint("hold_id", name=op.f("uq_transfer_hold_id")),
        sa.UniqueConstraint("key", name=op.f("uq_transfer_key")),
        sa.UniqueConstraint(
            "wallet_id", "wallet_seq", name=op.f("uq_transfer_wallet_id_wallet_seq")
        ),
    )
    op.create_index(op.f("ix_transfer_reverses_id"), "transfer", ["reverses_id"], unique=False)
    op.create_index(
        op.f("ix_transfer_source_id_id"), "transfer", ["source_id", "id"], unique=False
    )
    op.create_index(
        op.f("ix_transfer_target_id_id"), "transfer", ["target_id", "id"], unique=False
    )
    op.create_table(
        "lot_use",
        sa.Column(
            "transfer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column(
            "points", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "returned",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default="0",
            nullable=False,
        ),
        sa.CheckConstraint(
            "0 <= returned AND returned <= points", name=op.f("ck_lot_use_returned")
        ),
        sa.CheckConstraint("points > 0", name=op.f("ck_lot_use_points")),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["transfer.id"], name=op.f("fk_lot_use_transfer_id_transfer")
        ),
        sa.PrimaryKeyConstraint("transfer_id", "expires_on", name=op.f("pk_lot_use")),
    )
    op.create_table(
        "reversed",
        sa.Column(
            "transfer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "points", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "reversed", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.CheckConstraint(
            "0 < reversed AND reversed <= points", name=op.f("ck_reversed_at_most_once")
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["transfer.id"], name=op.f("fk_reversed_transfer_id_transfer")
        ),
        sa.PrimaryKeyConstraint("transfer_id", name=op.f("pk_reversed")),
    )
    refuse_changes()
    op.execute("INSERT INTO account (kind, code) VALUES ('expired', 'expired')")


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("merchant_checkpoint")
    op.drop_table("block")
    op.drop_table("lot_use")
    op.drop_table("lot")
    op.drop_table("reversed")
    op.drop_table("transfer")
    op.drop_table("hold")
    op.drop_table("wallet")
    op.drop_table("account")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")
