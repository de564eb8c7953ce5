"""Members sign in, hold roles, and show codes and cards.

Why: People are known by their phone, act by their roles, and are ended by ending their
sessions. Undo: downgrade drops these tables with all they hold.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "sign_in_failure",
        sa.Column("phone_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column(
            "failures", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("failures >= 0", name=op.f("ck_sign_in_failure_failures")),
        sa.PrimaryKeyConstraint("phone_hash", name=op.f("pk_sign_in_failure")),
    )
    op.create_table(
        "member",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("volunteer_no", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("phone", sa.String(length=11), nullable=True),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column(
            "organization_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "grid_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("handle", sa.LargeBinary(length=5), nullable=False),
        sa.Column("locale", sa.String(length=8), nullable=True),
        sa.Column("display_mode", sa.String(length=12), server_default="", nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "display_mode IN ('', 'elder', 'elder-xl')", name=op.f("ck_member_display_mode")
        ),
        sa.CheckConstraint(
            "kind IN ('volunteer', 'party_member', 'probationary_member', 'resident', 'staff')",
            name=op.f("ck_member_kind"),
        ),
        sa.CheckConstraint("state IN ('active', 'suspended')", name=op.f("ck_member_state")),
        sa.ForeignKeyConstraint(
            ["grid_id"], ["organization.id"], name=op.f("fk_member_grid_id_organization")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_member_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
        sa.UniqueConstraint("handle", name=op.f("uq_member_handle")),
        sa.UniqueConstraint("phone", name=op.f("uq_member_phone")),
        sa.UniqueConstraint("volunteer_no", name=op.f("uq_member_volunteer_no")),
    )
    op.create_index(op.f("ix_member_name"), "member", ["name"], unique=False)
    op.create_index(
        op.f("ix_member_organization_id"), "member", ["organization_id"], unique=False
    )
    op.create_table(
        "card",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "member_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("number_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("pin_hash", sa.String(length=200), nullable=True),
        sa.Column(
            "failed_pins",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default="0",
            nullable=False,
        ),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "issued_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("failed_pins >= 0", name=op.f("ck_card_failed_pins")),
        sa.ForeignKeyConstraint(
            ["issued_by_id"], ["member.id"], name=op.f("fk_card_issued_by_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_card_member_id_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card")),
        sa.UniqueConstraint("number_hash", name=op.f("uq_card_number_hash")),
    )
    op.create_index(op.f("ix_card_member_id"), "card", ["member_id"], unique=False)
    op.create_table(
        "member_role",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "member_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column(
            "organization_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.Column(
            "merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "granted_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(role = 'clerk' AND merchant_id IS NOT NULL AND organization_id IS NULL) OR "
            "(role <> 'clerk' AND merchant_id IS NULL)",
            name=op.f("ck_member_role_scope"),
        ),
        sa.CheckConstraint(
            "organization_id IS NOT NULL OR merchant_id IS NOT NULL OR role = 'administrator'",
            name=op.f("ck_member_role_everything"),
        ),
        sa.CheckConstraint(
            "role IN ('administrator', 'organizer', 'clerk', 'secretary', 'auditor')",
            name=op.f("ck_member_role_role"),
        ),
        sa.ForeignKeyConstraint(
            ["granted_by_id"], ["member.id"], name=op.f("fk_member_role_granted_by_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_member_role_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchant.id"], name=op.f("fk_member_role_merchant_id_merchant")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_member_role_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_role")),
    )
    op.create_index(
        op.f("ix_member_role_member_id"), "member_role", ["member_id"], unique=False
    )
    op.create_index(
        "uq_member_role_organization",
        "member_role",
        ["member_id", "role", "organization_id"],
        unique=True,
        sqlite_where=sa.text("withdrawn_at IS NULL AND organization_id IS NOT NULL"),
        postgresql_where=sa.text("withdrawn_at IS NULL AND organization_id IS NOT NULL"),
    )
    op.create_index(
        "uq_member_role_merchant",
        "member_role",
        ["member_id", "merchant_id"],
        unique=True,
        sqlite_where=sa.text("withdrawn_at IS NULL AND merchant_id IS NOT NULL"),
        postgresql_where=sa.text("withdrawn_at IS NULL AND merchant_id IS NOT NULL"),
    )
    op.create_table(
        "volunteer_count",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "drawn", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.CheckConstraint("id = 1", name=op.f("ck_volunteer_count_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_volunteer_count")),
    )
    op.create_table(
        "redemption_code",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "member_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("number_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('fresh', 'used', 'replaced')", name=op.f("ck_redemption_code_state")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_redemption_code_member_id_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redemption_code")),
        sa.UniqueConstraint("number_hash", name=op.f("uq_redemption_code_number_hash")),
    )
    op.create_index(
        "uq_redemption_code_fresh",
        "redemption_code",
        ["member_id"],
        unique=True,
        sqlite_where=sa.text("state = 'fresh'"),
        postgresql_where=sa.text("state = 'fresh'"),
    )
    op.create_table(
        "sign_in_session",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column(
            "member_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.String(length=24), nullable=True),
        sa.CheckConstraint(
            "kind IN ('browser', 'program')", name=op.f("ck_sign_in_session_kind")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_sign_in_session_member_id_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_in_session_token_hash")),
    )
    op.create_index(
        op.f("ix_sign_in_session_member_id_ended_at"),
        "sign_in_session",
        ["member_id", "ended_at"],
        unique=False,
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("card")
    op.drop_table("redemption_code")
    op.drop_table("sign_in_failure")
    op.drop_table("sign_in_session")
    op.drop_table("volunteer_count")
    op.drop_table("member_role")
    op.drop_table("member")
