"""The ledger is sealed, budgeted and verified.

Why: Blocks carry the hashes of their rows, so that one changed byte is named and one line is
proved without showing the others; issues are counted by month; verifications are kept.
Undo: downgrade drops what is new; blocks are lost, since the older shape cannot hold them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

NEVER_CHANGED = ("block", "merchant_checkpoint")

# Every transfer up to the answer is decided: an INSERT holds ROW EXCLUSIVE from before it draws
# its id, so that no id below is still to come once SHARE is granted. The application's role may
# not lock a table that it may not change; the function does it with its owner's rights.
DECIDED = """
CREATE FUNCTION decided_transfer_id() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE newest bigint;
BEGIN
    LOCK TABLE public.transfer IN SHARE MODE;
    SELECT COALESCE(MAX(id), 0) INTO newest FROM public.transfer;
    RETURN newest;
END $$
"""

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# Local months at UTC+8, which is what every installation so far counts in.
COUNT_ISSUES = {
    "postgresql": """
        INSERT INTO issue_budget (account_id, month, issued)
        SELECT source_id, to_char(recorded_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') AS month,
               SUM(transfer.points)
        FROM transfer JOIN account ON account.id = source_id
        WHERE account.kind = 'issue' AND transfer.kind <> 'reversal' GROUP BY source_id, month
    """,
    "sqlite": """
        INSERT INTO issue_budget (account_id, month, issued)
        SELECT source_id, strftime('%Y-%m', recorded_at, '+8 hours') AS month,
               SUM(transfer.points)
        FROM transfer JOIN account ON account.id = source_id
        WHERE account.kind = 'issue' AND transfer.kind <> 'reversal' GROUP BY source_id, month
    """,
}


def make_checkpoints() -> None:
    """Make the table of balances at a block."""
    op.create_table(
        "merchant_checkpoint",
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("block_no", BIG, nullable=False),
        sa.Column("balance", BIG, nullable=False),
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


def refuse_changes(tables: tuple[str, ...]) -> None:
    """Let rows of these tables be added only."""
    for table in tables:
        if op.get_bind().dialect.name == "postgresql":
            op.execute(
                f"CREATE TRIGGER {table}_is_never_changed BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            )
            op.execute(
                f"CREATE TRIGGER {table}_is_never_emptied BEFORE TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )
            continue
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuses_{verb.lower()} BEFORE {verb} ON {table} BEGIN "
                f"SELECT RAISE(ABORT, 'rows of {table} are never changed or removed'); END"
            )


def upgrade() -> None:
    """Make blocks anew (nothing ever wrote one), and the tables beside them."""
    op.drop_table("merchant_checkpoint")
    op.drop_table("block")
    op.create_table(
        "block",
        sa.Column("no", BIG, autoincrement=False, nullable=False),
        sa.Column("up_to", BIG, nullable=False),
        sa.Column("count", BIG, nullable=False),
        sa.Column("total", BIG, nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tree", sa.LargeBinary(length=32), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=32), nullable=False),
        sa.Column("leaves", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("count >= 1 AND total >= count", name=op.f("ck_block_count")),
        sa.CheckConstraint("LENGTH(leaves) = 32 * count", name=op.f("ck_block_leaves")),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_block")),
        sa.UniqueConstraint("total", name=op.f("uq_block_total")),
        sa.UniqueConstraint("up_to", name=op.f("uq_block_up_to")),
    )
    make_checkpoints()
    refuse_changes(NEVER_CHANGED)
    op.create_table(
        "verification",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "rules", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "transfers", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "offender_count",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("offenders", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verification")),
    )
    op.create_table(
        "issue_budget",
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column(
            "points_max", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "issued", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.CheckConstraint(
            "issued >= 0 AND (points_max IS NULL OR issued <= points_max)",
            name=op.f("ck_issue_budget_within"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_issue_budget_account_id_account")
        ),
        sa.PrimaryKeyConstraint("account_id", "month", name=op.f("pk_issue_budget")),
    )
    op.execute(COUNT_ISSUES[op.get_bind().dialect.name])
    op.add_column("hold", sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_hold_open_expires_at",
        "hold",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        op.f("ix_transfer_wallet_id_recorded_at"),
        "transfer",
        ["wallet_id", "recorded_at"],
        unique=False,
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(DECIDED)


def downgrade() -> None:
    """Drop what is new and make blocks in their older shape, empty."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION decided_transfer_id()")
    op.drop_index(op.f("ix_transfer_wallet_id_recorded_at"), "transfer")
    op.drop_index("ix_hold_open_expires_at", "hold")
    with op.batch_alter_table("hold") as batch:
        batch.drop_column("decided_at")
    op.drop_table("issue_budget")
    op.drop_table("verification")
    op.drop_table("merchant_checkpoint")
    op.drop_table("block")
    op.create_table(
        "block",
        sa.Column("no", BIG, autoincrement=False, nullable=False),
        sa.Column("up_to", BIG, nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("count", BIG, nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("count >= 1", name=op.f("ck_block_count")),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_block")),
        sa.UniqueConstraint("up_to", name=op.f("uq_block_up_to")),
    )
    make_checkpoints()
    refuse_changes(("block",))
