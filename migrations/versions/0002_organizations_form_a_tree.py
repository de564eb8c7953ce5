"""Organizations form a tree, with partner merchants beside it.

Why: Everything is scoped to an organization's subtree or to a merchant.
Undo: downgrade drops these tables with all they hold.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "organization",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column(
            "parent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("path", sa.String(length=400), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('district', 'street', 'community', 'general_branch', 'branch', "
            "'party_group', 'grid', 'micro_grid', 'building', 'work_unit')",
            name=op.f("ck_organization_kind"),
        ),
        sa.CheckConstraint("parent_id <> id", name=op.f("ck_organization_not_its_own_parent")),
        sa.ForeignKeyConstraint(
            ["parent_id"],
            ["organization.id"],
            name=op.f("fk_organization_parent_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization")),
        sa.UniqueConstraint("code", name=op.f("uq_organization_code")),
    )
    op.create_index(
        op.f("ix_organization_parent_id"), "organization", ["parent_id"], unique=False
    )
    op.create_index(op.f("ix_organization_path"), "organization", ["path"], unique=False)
    op.create_table(
        "merchant",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column(
            "organization_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('shop', 'community_store', 'service')", name=op.f("ck_merchant_kind")
        ),
        sa.CheckConstraint("state IN ('active', 'suspended')", name=op.f("ck_merchant_state")),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_merchant_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merchant")),
    )
    op.create_index(
        op.f("ix_merchant_organization_id"), "merchant", ["organization_id"], unique=False
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("merchant")
    op.drop_table("organization")
