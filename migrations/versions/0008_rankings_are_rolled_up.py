"""Rankings are rolled up from score entries.

Why: A standing can be made again from its sources at any time. Undo: downgrade drops these
tables with all they hold.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "roll_up",
        sa.Column("period", sa.String(length=8), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "standard_version",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "entries", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "members", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.PrimaryKeyConstraint("period", name=op.f("pk_roll_up")),
    )
    op.create_table(
        "branch_standing",
        sa.Column("period", sa.String(length=8), nullable=False),
        sa.Column(
            "organization_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "member_count", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "active_count", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "evaluation_hundredths",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "points_earned",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "service_minutes",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_branch_standing_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["period"], ["roll_up.period"], name=op.f("fk_branch_standing_period_roll_up")
        ),
        sa.PrimaryKeyConstraint("period", "organization_id", name=op.f("pk_branch_standing")),
    )
    op.create_table(
        "member_standing",
        sa.Column("period", sa.String(length=8), nullable=False),
        sa.Column(
            "member_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "organization_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "evaluation_hundredths",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "points_earned",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "service_minutes",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "evaluation_hundredths BETWEEN 0 AND 10000",
            name=op.f("ck_member_standing_evaluation"),
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_member_standing_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_member_standing_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["period"], ["roll_up.period"], name=op.f("fk_member_standing_period_roll_up")
        ),
        sa.PrimaryKeyConstraint("period", "member_id", name=op.f("pk_member_standing")),
    )
    op.create_index(
        op.f("ix_member_standing_period_organization_id"),
        "member_standing",
        ["period", "organization_id"],
        unique=False,
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("branch_standing")
    op.drop_table("member_standing")
    op.drop_table("roll_up")
