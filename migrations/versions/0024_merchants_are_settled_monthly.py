"""A merchant's month is a statement that both sides sign.

Why: Every transfer to or from a merchant stands on one line, once; two people approve and pay.
Undo: downgrade drops statements and lines.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "statement",
        sa.Column("id", BIG, nullable=False),
        sa.Column("merchant_id", BIG, nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("cut_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("line_count", BIG, nullable=False),
        sa.Column("redeemed_points", BIG, nullable=False),
        sa.Column("voided_points", BIG, nullable=False),
        sa.Column("net_points", BIG, nullable=False),
        sa.Column("amount_fen", BIG, nullable=False),
        sa.Column("correction_fen", BIG, nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirm_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pay_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by_id", BIG, nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by_id", BIG, nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paid_by_id", BIG, nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("payment_reference", sa.String(length=80), nullable=True),
        sa.CheckConstraint(
            "(approved_by_id IS NULL) = (state IN ('closed', 'disputed', 'confirmed'))"
            " AND (approved_by_id IS NULL) = (approved_at IS NULL)",
            name=op.f("ck_statement_approved"),
        ),
        sa.CheckConstraint(
            "(confirmed_at IS NULL) = (state IN ('closed', 'disputed'))",
            name=op.f("ck_statement_confirmed"),
        ),
        sa.CheckConstraint(
            "(state = 'paid') = (paid_by_id IS NOT NULL)"
            " AND (paid_by_id IS NULL) = (paid_at IS NULL)"
            " AND (paid_by_id IS NULL) = (payment_reference IS NULL)",
            name=op.f("ck_statement_paid"),
        ),
        sa.CheckConstraint(
            "state IN ('closed', 'disputed', 'confirmed', 'approved', 'paid')",
            name=op.f("ck_statement_state"),
        ),
        sa.CheckConstraint(
            "net_points = redeemed_points - voided_points", name=op.f("ck_statement_net_points")
        ),
        sa.CheckConstraint(
            "paid_by_id <> approved_by_id", name=op.f("ck_statement_second_person")
        ),
        sa.CheckConstraint(
            "redeemed_points >= 0 AND voided_points >= 0", name=op.f("ck_statement_points")
        ),
        sa.ForeignKeyConstraint(
            ["approved_by_id"], ["member.id"], name=op.f("fk_statement_approved_by_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["confirmed_by_id"], ["member.id"], name=op.f("fk_statement_confirmed_by_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchant.id"], name=op.f("fk_statement_merchant_id_merchant")
        ),
        sa.ForeignKeyConstraint(
            ["paid_by_id"], ["member.id"], name=op.f("fk_statement_paid_by_id_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement")),
        sa.UniqueConstraint(
            "merchant_id", "month", name=op.f("uq_statement_merchant_id_month")
        ),
    )
    op.create_index(
        op.f("ix_statement_month_state"), "statement", ["month", "state"], unique=False
    )
    op.create_table(
        "statement_line",
        sa.Column("statement_id", BIG, nullable=False),
        sa.Column("no", BIG, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("transfer_id", BIG, nullable=False),
        sa.Column("redemption_id", BIG, nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.String(length=200), nullable=False),
        sa.Column("points", BIG, nullable=False),
        sa.Column("rate_fen", BIG, nullable=False),
        sa.Column("correction_fen", BIG, nullable=False),
        sa.Column("dispute", sa.String(length=8), nullable=True),
        sa.Column("dispute_reason", sa.String(length=200), nullable=True),
        sa.Column("disputed_by_id", BIG, nullable=True),
        sa.Column("disputed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.String(length=200), nullable=True),
        sa.Column("answered_by_id", BIG, nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(COALESCE(dispute, 'open') = 'open') = (answered_by_id IS NULL)"
            " AND (answered_by_id IS NULL) = (answered_at IS NULL)",
            name=op.f("ck_statement_line_answered"),
        ),
        sa.CheckConstraint(
            "correction_fen = 0 OR dispute = 'accepted'",
            name=op.f("ck_statement_line_correction_fen"),
        ),
        sa.CheckConstraint(
            "dispute IN ('open', 'accepted', 'rejected')",
            name=op.f("ck_statement_line_dispute"),
        ),
        sa.CheckConstraint(
            "kind IN ('redemption', 'void', 'loan', 'other')",
            name=op.f("ck_statement_line_kind"),
        ),
        sa.CheckConstraint(
            "(dispute IS NULL) = (disputed_at IS NULL)"
            " AND (dispute IS NULL) = (dispute_reason IS NULL)"
            " AND (dispute IS NULL) = (disputed_by_id IS NULL)",
            name=op.f("ck_statement_line_disputed"),
        ),
        sa.CheckConstraint(
            "answered_by_id <> disputed_by_id", name=op.f("ck_statement_line_second_person")
        ),
        sa.CheckConstraint("points <> 0", name=op.f("ck_statement_line_points")),
        sa.CheckConstraint("rate_fen >= 1", name=op.f("ck_statement_line_rate_fen")),
        sa.ForeignKeyConstraint(
            ["answered_by_id"],
            ["member.id"],
            name=op.f("fk_statement_line_answered_by_id_member"),
        ),
        sa.ForeignKeyConstraint(
            ["disputed_by_id"],
            ["member.id"],
            name=op.f("fk_statement_line_disputed_by_id_member"),
        ),
        sa.ForeignKeyConstraint(
            ["redemption_id"],
            ["redemption.id"],
            name=op.f("fk_statement_line_redemption_id_redemption"),
        ),
        sa.ForeignKeyConstraint(
            ["statement_id"],
            ["statement.id"],
            name=op.f("fk_statement_line_statement_id_statement"),
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"],
            ["transfer.id"],
            name=op.f("fk_statement_line_transfer_id_transfer"),
        ),
        sa.PrimaryKeyConstraint("statement_id", "no", name=op.f("pk_statement_line")),
        sa.UniqueConstraint("transfer_id", name=op.f("uq_statement_line_transfer_id")),
    )
    op.create_index(
        op.f("ix_statement_line_redemption_id"),
        "statement_line",
        ["redemption_id"],
        unique=False,
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("statement_line")
    op.drop_table("statement")
