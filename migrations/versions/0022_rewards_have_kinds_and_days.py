"""Rewards have kinds, pictures, redemption days and limits by period.

Why: A catalogue that people search, with redemption days, limits by period and wishes.
Undo: downgrade drops what is new; drafts become withdrawn, counts of a period are lost.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Widen rewards, count shares by period, make the new tables."""
    with op.batch_alter_table("reward") as batch:
        batch.add_column(
            sa.Column("kind", sa.String(length=12), server_default="goods", nullable=False)
        )
        batch.add_column(
            sa.Column("category", sa.String(length=12), server_default="other", nullable=False)
        )
        batch.add_column(
            sa.Column("description", sa.String(length=1000), server_default="", nullable=False)
        )
        batch.add_column(sa.Column("market_fen", BIG, nullable=True))
        batch.add_column(
            sa.Column(
                "limit_period", sa.String(length=8), server_default="ever", nullable=False
            )
        )
        batch.add_column(
            sa.Column("weekdays", sa.SmallInteger(), server_default="0", nullable=False)
        )
        batch.add_column(sa.Column("monthdays", BIG, server_default="0", nullable=False))
        batch.add_column(sa.Column("audience_id", BIG, nullable=True))
        batch.add_column(
            sa.Column("stars_min", sa.SmallInteger(), server_default="0", nullable=False)
        )
        batch.add_column(sa.Column("loan_days", sa.SmallInteger(), nullable=True))
        batch.alter_column("stock", existing_type=BIG, nullable=True)
        batch.drop_constraint(batch.f("ck_reward_state"), type_="check")
        batch.create_foreign_key(
            batch.f("fk_reward_audience_id_organization"),
            "organization",
            ["audience_id"],
            ["id"],
        )
        batch.create_index(batch.f("ix_reward_state_points_id"), ["state", "points", "id"])
        batch.create_index(
            "uq_reward_by_points",
            ["merchant_id"],
            unique=True,
            sqlite_where=sa.text("kind = 'by_points'"),
            postgresql_where=sa.text("kind = 'by_points'"),
        )
    with op.batch_alter_table("reward") as batch:
        batch.create_check_constraint(
            batch.f("ck_reward_state"), "state IN ('draft', 'offered', 'withdrawn')"
        )
        batch.create_check_constraint(
            batch.f("ck_reward_kind"),
            "kind IN ('goods', 'service', 'fee_offset', 'coupon', 'loan', 'by_points')",
        )
        batch.create_check_constraint(
            batch.f("ck_reward_category"),
            "category IN ('food', 'daily', 'home', 'care', 'study', 'leisure', 'travel',"
            " 'tools', 'other')",
        )
        batch.create_check_constraint(
            batch.f("ck_reward_limit_period"),
            "limit_period IN ('ever', 'year', 'quarter', 'month', 'week', 'day')",
        )
        batch.create_check_constraint(
            batch.f("ck_reward_market_fen"), "market_fen BETWEEN 1 AND 10000000"
        )
        batch.create_check_constraint(
            batch.f("ck_reward_weekdays"), "weekdays BETWEEN 0 AND 127"
        )
        batch.create_check_constraint(
            batch.f("ck_reward_monthdays"), "monthdays BETWEEN 0 AND 4294967294"
        )
        batch.create_check_constraint(
            batch.f("ck_reward_stars_min"), "stars_min BETWEEN 0 AND 5"
        )
        batch.create_check_constraint(
            batch.f("ck_reward_loan_days"), "loan_days BETWEEN 1 AND 90"
        )
        batch.create_check_constraint(
            batch.f("ck_reward_loan"), "(kind = 'loan') = (loan_days IS NOT NULL)"
        )
        batch.create_check_constraint(
            batch.f("ck_reward_by_points"),
            "kind <> 'by_points' OR (points = 1 AND stock IS NULL)",
        )
        batch.alter_column("kind", existing_type=sa.String(length=12), server_default=None)
        batch.alter_column("category", existing_type=sa.String(length=12), server_default=None)
        batch.alter_column(
            "description", existing_type=sa.String(length=1000), server_default=None
        )
        batch.alter_column(
            "limit_period", existing_type=sa.String(length=8), server_default=None
        )
        batch.alter_column("weekdays", existing_type=sa.SmallInteger(), server_default=None)
        batch.alter_column("monthdays", existing_type=BIG, server_default=None)
        batch.alter_column("stars_min", existing_type=sa.SmallInteger(), server_default=None)
    with op.batch_alter_table("reward_taken") as batch:
        batch.add_column(
            sa.Column("period", sa.String(length=10), server_default="", nullable=False)
        )
        batch.drop_constraint(batch.f("pk_reward_taken"), type_="primary")
        batch.create_primary_key(
            batch.f("pk_reward_taken"), ["reward_id", "member_id", "period"]
        )
    with op.batch_alter_table("reward_taken") as batch:
        batch.alter_column("period", existing_type=sa.String(length=10), server_default=None)
    op.create_table(
        "reward_picture",
        sa.Column("reward_id", BIG, nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("width", BIG, nullable=False),
        sa.Column("height", BIG, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("small", sa.LargeBinary(), nullable=False),
        sa.Column("uploaded_by_id", BIG, nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "length(content) BETWEEN 1 AND 409600", name=op.f("ck_reward_picture_content")
        ),
        sa.CheckConstraint(
            "length(small) BETWEEN 1 AND 409600", name=op.f("ck_reward_picture_small")
        ),
        sa.ForeignKeyConstraint(
            ["reward_id"], ["reward.id"], name=op.f("fk_reward_picture_reward_id_reward")
        ),
        sa.ForeignKeyConstraint(
            ["uploaded_by_id"],
            ["member.id"],
            name=op.f("fk_reward_picture_uploaded_by_id_member"),
        ),
        sa.PrimaryKeyConstraint("reward_id", name=op.f("pk_reward_picture")),
    )
    op.create_table(
        "reward_wish",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organization_id", BIG, nullable=False),
        sa.Column("author_id", BIG, nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("wished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reward_id", BIG, nullable=True),
        sa.Column("answer", sa.String(length=200), nullable=True),
        sa.Column("answered_by_id", BIG, nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'open') = (answered_at IS NULL)"
            " AND (answered_at IS NULL) = (answered_by_id IS NULL)",
            name=op.f("ck_reward_wish_answered"),
        ),
        sa.CheckConstraint(
            "reward_id IS NULL OR state = 'fulfilled'", name=op.f("ck_reward_wish_reward")
        ),
        sa.CheckConstraint(
            "state IN ('open', 'fulfilled', 'declined')", name=op.f("ck_reward_wish_state")
        ),
        sa.ForeignKeyConstraint(
            ["answered_by_id"], ["member.id"], name=op.f("fk_reward_wish_answered_by_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["author_id"], ["member.id"], name=op.f("fk_reward_wish_author_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_reward_wish_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["reward_id"], ["reward.id"], name=op.f("fk_reward_wish_reward_id_reward")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reward_wish")),
    )
    op.create_index(
        op.f("ix_reward_wish_author_id"), "reward_wish", ["author_id"], unique=False
    )
    op.create_index(
        op.f("ix_reward_wish_organization_id_state"),
        "reward_wish",
        ["organization_id", "state"],
        unique=False,
    )
    op.create_table(
        "reward_wish_vote",
        sa.Column("wish_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("voted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_reward_wish_vote_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["wish_id"],
            ["reward_wish.id"],
            name=op.f("fk_reward_wish_vote_wish_id_reward_wish"),
        ),
        sa.PrimaryKeyConstraint("wish_id", "member_id", name=op.f("pk_reward_wish_vote")),
    )
    op.create_table(
        "spent_by_day",
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("points", BIG, nullable=False),
        sa.CheckConstraint("points >= 0", name=op.f("ck_spent_by_day_points")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_spent_by_day_member_id_member")
        ),
        sa.PrimaryKeyConstraint("member_id", "day", name=op.f("pk_spent_by_day")),
    )
    op.create_table(
        "merchant_month",
        sa.Column("merchant_id", BIG, nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("points", BIG, nullable=False),
        sa.CheckConstraint("points >= 0", name=op.f("ck_merchant_month_points")),
        sa.ForeignKeyConstraint(
            ["merchant_id"],
            ["merchant.id"],
            name=op.f("fk_merchant_month_merchant_id_merchant"),
        ),
        sa.PrimaryKeyConstraint("merchant_id", "month", name=op.f("pk_merchant_month")),
    )
    op.create_table(
        "wrong_code_tally",
        sa.Column("clerk_id", BIG, nullable=False),
        sa.Column("failures", BIG, nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("failures >= 1", name=op.f("ck_wrong_code_tally_failures")),
        sa.ForeignKeyConstraint(
            ["clerk_id"], ["member.id"], name=op.f("fk_wrong_code_tally_clerk_id_member")
        ),
        sa.PrimaryKeyConstraint("clerk_id", name=op.f("pk_wrong_code_tally")),
    )


def downgrade() -> None:
    """Take it back."""
    op.execute("DELETE FROM reward_taken WHERE period <> ''")
    with op.batch_alter_table("reward_taken") as batch:
        batch.drop_constraint(batch.f("pk_reward_taken"), type_="primary")
        batch.create_primary_key(batch.f("pk_reward_taken"), ["reward_id", "member_id"])
        batch.drop_column("period")
    op.drop_table("wrong_code_tally")
    op.drop_table("merchant_month")
    op.drop_table("spent_by_day")
    op.drop_table("reward_wish_vote")
    op.drop_table("reward_wish")
    op.drop_table("reward_picture")
    op.execute("UPDATE reward SET stock = 1000000 WHERE stock IS NULL")
    op.execute("UPDATE reward SET state = 'withdrawn' WHERE state = 'draft'")
    with op.batch_alter_table("reward") as batch:
        batch.drop_constraint(batch.f("ck_reward_state"), type_="check")
        batch.drop_constraint(batch.f("ck_reward_kind"), type_="check")
        batch.drop_constraint(batch.f("ck_reward_category"), type_="check")
        batch.drop_constraint(batch.f("ck_reward_limit_period"), type_="check")
        batch.drop_constraint(batch.f("ck_reward_market_fen"), type_="check")
        batch.drop_constraint(batch.f("ck_reward_weekdays"), type_="check")
        batch.drop_constraint(batch.f("ck_reward_monthdays"), type_="check")
        batch.drop_constraint(batch.f("ck_reward_stars_min"), type_="check")
        batch.drop_constraint(batch.f("ck_reward_loan_days"), type_="check")
        batch.drop_constraint(batch.f("ck_reward_loan"), type_="check")
        batch.drop_constraint(batch.f("ck_reward_by_points"), type_="check")
        batch.drop_constraint(batch.f("fk_reward_audience_id_organization"), type_="foreignkey")
        batch.drop_index("uq_reward_by_points")
        batch.drop_index(batch.f("ix_reward_state_points_id"))
        batch.create_check_constraint(
            batch.f("ck_reward_state"), "state IN ('offered', 'withdrawn')"
        )
        batch.alter_column("stock", existing_type=BIG, nullable=False)
        batch.drop_column("loan_days")
        batch.drop_column("stars_min")
        batch.drop_column("audience_id")
        batch.drop_column("monthdays")
        batch.drop_column("weekdays")
        batch.drop_column("limit_period")
        batch.drop_column("market_fen")
        batch.drop_column("description")
        batch.drop_column("category")
        batch.drop_column("kind")
