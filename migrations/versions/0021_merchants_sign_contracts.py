"""Merchants apply, sign contracts and have shops.

Why: A shop becomes a partner by papers and a second person's word; terms end, shops have hours.
Undo: downgrade drops the tables and the copied terms; a stopped merchant stays stopped.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables and copy the terms in force to the merchant."""
    op.create_table(
        "merchant_application",
        sa.Column("id", BIG, nullable=False),
        sa.Column("applicant_id", BIG, nullable=False),
        sa.Column("organization_id", BIG, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("license_no", sa.String(length=32), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by_id", BIG, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_note", sa.String(length=200), nullable=True),
        sa.Column("merchant_id", BIG, nullable=True),
        sa.CheckConstraint(
            "(state = 'approved') = (merchant_id IS NOT NULL)",
            name=op.f("ck_merchant_application_approved"),
        ),
        sa.CheckConstraint(
            "(state IN ('approved', 'refused')) = (decided_by_id IS NOT NULL)"
            " AND (decided_by_id IS NULL) = (decided_at IS NULL)",
            name=op.f("ck_merchant_application_decided"),
        ),
        sa.CheckConstraint(
            "kind IN ('shop', 'community_store', 'service')",
            name=op.f("ck_merchant_application_kind"),
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'approved', 'refused', 'withdrawn')",
            name=op.f("ck_merchant_application_state"),
        ),
        sa.CheckConstraint(
            "decided_by_id <> applicant_id", name=op.f("ck_merchant_application_second_person")
        ),
        sa.ForeignKeyConstraint(
            ["applicant_id"],
            ["member.id"],
            name=op.f("fk_merchant_application_applicant_id_member"),
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"],
            ["member.id"],
            name=op.f("fk_merchant_application_decided_by_id_member"),
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"],
            ["merchant.id"],
            name=op.f("fk_merchant_application_merchant_id_merchant"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_merchant_application_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merchant_application")),
        sa.UniqueConstraint("merchant_id", name=op.f("uq_merchant_application_merchant_id")),
    )
    op.create_index(
        op.f("ix_merchant_application_organization_id_state"),
        "merchant_application",
        ["organization_id", "state"],
        unique=False,
    )
    op.create_index(
        "uq_merchant_application_waiting",
        "merchant_application",
        ["applicant_id", "name"],
        unique=True,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "merchant_paper",
        sa.Column("id", BIG, nullable=False),
        sa.Column("application_id", BIG, nullable=True),
        sa.Column("merchant_id", BIG, nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("file_name", sa.String(length=120), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("uploaded_by_id", BIG, nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('license', 'permit', 'contract', 'other')",
            name=op.f("ck_merchant_paper_kind"),
        ),
        sa.CheckConstraint(
            "media_type IN ('image/jpeg', 'image/png', 'image/webp', 'application/pdf')",
            name=op.f("ck_merchant_paper_media_type"),
        ),
        sa.CheckConstraint(
            "(application_id IS NULL) <> (merchant_id IS NULL)",
            name=op.f("ck_merchant_paper_belongs_to_one"),
        ),
        sa.CheckConstraint("size BETWEEN 1 AND 2097152", name=op.f("ck_merchant_paper_size")),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["merchant_application.id"],
            name=op.f("fk_merchant_paper_application_id_merchant_application"),
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"],
            ["merchant.id"],
            name=op.f("fk_merchant_paper_merchant_id_merchant"),
        ),
        sa.ForeignKeyConstraint(
            ["uploaded_by_id"],
            ["member.id"],
            name=op.f("fk_merchant_paper_uploaded_by_id_member"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merchant_paper")),
    )
    op.create_index(
        op.f("ix_merchant_paper_application_id"),
        "merchant_paper",
        ["application_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_merchant_paper_merchant_id"), "merchant_paper", ["merchant_id"], unique=False
    )
    op.create_table(
        "merchant_contract",
        sa.Column("id", BIG, nullable=False),
        sa.Column("merchant_id", BIG, nullable=False),
        sa.Column("reference", sa.String(length=80), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("rate_fen", BIG, nullable=False),
        sa.Column("month_points_max", BIG, nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("proposed_by_id", BIG, nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by_id", BIG, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'proposed') = (decided_by_id IS NULL)"
            " AND (decided_by_id IS NULL) = (decided_at IS NULL)",
            name=op.f("ck_merchant_contract_decided"),
        ),
        sa.CheckConstraint(
            "state IN ('proposed', 'in_force', 'refused', 'ended')",
            name=op.f("ck_merchant_contract_state"),
        ),
        sa.CheckConstraint(
            "month_points_max BETWEEN 1 AND 100000000",
            name=op.f("ck_merchant_contract_month_points_max"),
        ),
        sa.CheckConstraint(
            "decided_by_id <> proposed_by_id", name=op.f("ck_merchant_contract_second_person")
        ),
        sa.CheckConstraint(
            "rate_fen BETWEEN 1 AND 100000", name=op.f("ck_merchant_contract_rate_fen")
        ),
        sa.CheckConstraint(
            "valid_from <= valid_until", name=op.f("ck_merchant_contract_validity")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"],
            ["member.id"],
            name=op.f("fk_merchant_contract_decided_by_id_member"),
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"],
            ["merchant.id"],
            name=op.f("fk_merchant_contract_merchant_id_merchant"),
        ),
        sa.ForeignKeyConstraint(
            ["proposed_by_id"],
            ["member.id"],
            name=op.f("fk_merchant_contract_proposed_by_id_member"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merchant_contract")),
    )
    op.create_index(
        op.f("ix_merchant_contract_merchant_id_valid_from"),
        "merchant_contract",
        ["merchant_id", "valid_from"],
        unique=False,
    )
    op.create_index(
        "uq_merchant_contract_in_force",
        "merchant_contract",
        ["merchant_id", "valid_from"],
        unique=True,
        sqlite_where=sa.text("state = 'in_force'"),
        postgresql_where=sa.text("state = 'in_force'"),
    )
    op.create_table(
        "shop",
        sa.Column("id", BIG, nullable=False),
        sa.Column("merchant_id", BIG, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("telephone", sa.String(length=20), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("till_handle", sa.LargeBinary(length=8), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('open', 'closed')", name=op.f("ck_shop_state")),
        sa.CheckConstraint(
            "(latitude IS NULL) = (longitude IS NULL)", name=op.f("ck_shop_position")
        ),
        sa.CheckConstraint("latitude BETWEEN -90 AND 90", name=op.f("ck_shop_latitude")),
        sa.CheckConstraint("longitude BETWEEN -180 AND 180", name=op.f("ck_shop_longitude")),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchant.id"], name=op.f("fk_shop_merchant_id_merchant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shop")),
        sa.UniqueConstraint("merchant_id", "name", name=op.f("uq_shop_merchant_id_name")),
        sa.UniqueConstraint("till_handle", name=op.f("uq_shop_till_handle")),
    )
    op.create_table(
        "shop_hours",
        sa.Column("shop_id", BIG, nullable=False),
        sa.Column("weekday", sa.SmallInteger(), nullable=False),
        sa.Column("opens", sa.SmallInteger(), nullable=False),
        sa.Column("closes", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint(
            "opens >= 0 AND opens < closes AND closes <= 1440", name=op.f("ck_shop_hours_span")
        ),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_shop_hours_weekday")),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_shop_hours_shop_id_shop")
        ),
        sa.PrimaryKeyConstraint("shop_id", "weekday", "opens", name=op.f("pk_shop_hours")),
    )
    with op.batch_alter_table("merchant") as batch:
        batch.add_column(sa.Column("stopped_reason", sa.String(length=200), nullable=True))
        batch.add_column(sa.Column("takes_until", sa.Date(), nullable=True))
        batch.add_column(sa.Column("month_points_max", BIG, nullable=True))


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table("merchant") as batch:
        batch.drop_column("month_points_max")
        batch.drop_column("takes_until")
        batch.drop_column("stopped_reason")
    op.drop_table("shop_hours")
    op.drop_table("shop")
    op.drop_table("merchant_contract")
    op.drop_table("merchant_paper")
    op.drop_table("merchant_application")
