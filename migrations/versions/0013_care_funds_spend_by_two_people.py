"""Care funds spend by two people.

Why: Members donate to a fund whose spending one person asks for and another decides.
Undo: downgrade drops these tables with all they hold.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "care_fund",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "organization_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_care_fund_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_fund")),
        sa.UniqueConstraint("organization_id", name=op.f("uq_care_fund_organization_id")),
    )
    op.create_table(
        "donation",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column(
            "fund_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "donor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "points", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("is_anonymous", sa.Boolean(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("points BETWEEN 1 AND 100000", name=op.f("ck_donation_points")),
        sa.ForeignKeyConstraint(
            ["donor_id"], ["member.id"], name=op.f("fk_donation_donor_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["fund_id"], ["care_fund.id"], name=op.f("fk_donation_fund_id_care_fund")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_donation")),
        sa.UniqueConstraint("key", name=op.f("uq_donation_key")),
    )
    op.create_index(op.f("ix_donation_donor_id"), "donation", ["donor_id"], unique=False)
    op.create_index(
        op.f("ix_donation_fund_id_given_at"), "donation", ["fund_id", "given_at"], unique=False
    )
    op.create_table(
        "care_fund_spending",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column(
            "fund_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "points", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("purpose", sa.String(length=200), nullable=False),
        sa.Column(
            "hold_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column(
            "author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decide_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.String(length=200), nullable=False),
        sa.CheckConstraint(
            "(state IN ('approved', 'refused')) = (decided_by_id IS NOT NULL)",
            name=op.f("ck_care_fund_spending_decision"),
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'approved', 'refused', 'lapsed')",
            name=op.f("ck_care_fund_spending_state"),
        ),
        sa.CheckConstraint(
            "decided_by_id IS NULL OR decided_by_id <> author_id",
            name=op.f("ck_care_fund_spending_two_people"),
        ),
        sa.CheckConstraint(
            "points BETWEEN 1 AND 100000", name=op.f("ck_care_fund_spending_points")
        ),
        sa.ForeignKeyConstraint(
            ["author_id"], ["member.id"], name=op.f("fk_care_fund_spending_author_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"],
            ["member.id"],
            name=op.f("fk_care_fund_spending_decided_by_id_member"),
        ),
        sa.ForeignKeyConstraint(
            ["fund_id"], ["care_fund.id"], name=op.f("fk_care_fund_spending_fund_id_care_fund")
        ),
        sa.ForeignKeyConstraint(
            ["hold_id"], ["hold.id"], name=op.f("fk_care_fund_spending_hold_id_hold")
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"],
            ["merchant.id"],
            name=op.f("fk_care_fund_spending_merchant_id_merchant"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_fund_spending")),
        sa.UniqueConstraint("hold_id", name=op.f("uq_care_fund_spending_hold_id")),
        sa.UniqueConstraint("key", name=op.f("uq_care_fund_spending_key")),
    )
    op.create_index(
        op.f("ix_care_fund_spending_fund_id_id"),
        "care_fund_spending",
        ["fund_id", "id"],
        unique=False,
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("care_fund_spending")
    op.drop_table("donation")
    op.drop_table("care_fund")
