"""Work is scored by a versioned standard.

Why: An entry keeps the version it was made by, for ever. Undo: downgrade drops these tables
with all they hold.
"""

from datetime import date

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


# The most each category gives of the yearly 100, in hundredths (docs/scoring.md).
CATEGORY_CAPS = {
    "organization_life": 3000,
    "study": 1500,
    "duty": 1500,
    "volunteer_service": 2500,
    "post_service": 1000,
    "recognition": 500,
}
# code, name, name_zh, category, unit, points, evaluation_hundredths, counts_minutes
ITEMS = (
    (
        "volunteer_hour",
        "Volunteer service",
        "志愿服务",
        "volunteer_service",
        "hour",
        10,
        50,
        True,
    ),
    ("night_patrol", "Night patrol", "夜间平安巡逻", "post_service", "shift", 20, 100, True),
    ("post_shift", "Post duty", "岗位值守", "post_service", "hour", 10, 50, True),
    (
        "flood_duty",
        "Flood and typhoon duty",
        "防汛抗台值守",
        "volunteer_service",
        "hour",
        15,
        75,
        True,
    ),
    ("care_visit", "Care visit", "上门探访", "volunteer_service", "shift", 10, 50, True),
    (
        "micro_wish",
        "Micro-wish fulfilled",
        "点亮微心愿",
        "volunteer_service",
        "shift",
        15,
        100,
        False,
    ),
    (
        "theme_day",
        "Theme day and branch meeting",
        "主题党日与三会一课",
        "organization_life",
        "shift",
        0,
        300,
        False,
    ),
    ("study_session", "Study session", "集中学习", "study", "shift", 0, 200, False),
    ("community_duty", "Community duty", "社区义务劳动", "duty", "shift", 0, 300, False),
)


def add_default_standard() -> None:
    """Put the first version of the standard in force, so that work can be scored from the first
    day.
    """
    standard = sa.table(
        "scoring_standard",
        sa.column("id", sa.BigInteger),
        sa.column("version", sa.BigInteger),
        sa.column("name", sa.String),
        sa.column("valid_from", sa.Date),
        sa.column("category_caps", sa.JSON),
    )
    item = sa.table(
        "scoring_item",
        *(sa.column(name) for name in ("standard_id", "code", "name", "name_zh", "category")),
        *(sa.column(name) for name in ("unit", "points", "evaluation_hundredths")),
        sa.column("counts_minutes", sa.Boolean),
        *(sa.column(name) for name in ("unit_minutes", "share_min_percent", "day_minutes_max")),
    )
    op.bulk_insert(
        standard,
        [
            {
                "version": 1,
                "name": "Default standard 2020",
                "valid_from": date(2020, 1, 1),
                "category_caps": CATEGORY_CAPS,
            }
        ],
    )
    standard_id = op.get_bind().scalar(sa.select(standard.c.id))
    names = (
        "code",
        "name",
        "name_zh",
        "category",
        "unit",
        "points",
        "evaluation_hundredths",
        "counts_minutes",
    )
    rules = {"unit_minutes": 30, "share_min_percent": 60, "day_minutes_max": 8 * 60}
    op.bulk_insert(
        item,
        [
            {"standard_id": standard_id, **dict(zip(names, row, strict=True)), **rules}
            for row in ITEMS
        ],
    )


def upgrade() -> None:
    """Make the tables and put the default standard in force."""
    op.create_table(
        "scoring_standard",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("category_caps", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scoring_standard")),
        sa.UniqueConstraint("valid_from", name=op.f("uq_scoring_standard_valid_from")),
        sa.UniqueConstraint("version", name=op.f("uq_scoring_standard_version")),
    )
    op.create_table(
        "scoring_item",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "standard_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("name_zh", sa.String(length=60), nullable=False),
        sa.Column("category", sa.String(length=24), nullable=False),
        sa.Column("unit", sa.String(length=8), nullable=False),
        sa.Column(
            "points", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "evaluation_hundredths",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("counts_minutes", sa.Boolean(), nullable=False),
        sa.Column(
            "unit_minutes", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "share_min_percent",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "day_minutes_max",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "category IN ('organization_life', 'study', 'duty', 'volunteer_service', "
            "'post_service', 'recognition')",
            name=op.f("ck_scoring_item_category"),
        ),
        sa.CheckConstraint("unit IN ('hour', 'shift')", name=op.f("ck_scoring_item_unit")),
        sa.CheckConstraint(
            "evaluation_hundredths >= 0", name=op.f("ck_scoring_item_evaluation")
        ),
        sa.CheckConstraint("points >= 0", name=op.f("ck_scoring_item_points")),
        sa.CheckConstraint(
            "share_min_percent BETWEEN 0 AND 100", name=op.f("ck_scoring_item_share_min")
        ),
        sa.CheckConstraint(
            "unit_minutes BETWEEN 1 AND 60", name=op.f("ck_scoring_item_unit_minutes")
        ),
        sa.ForeignKeyConstraint(
            ["standard_id"],
            ["scoring_standard.id"],
            name=op.f("fk_scoring_item_standard_id_scoring_standard"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scoring_item")),
        sa.UniqueConstraint(
            "standard_id", "code", name=op.f("uq_scoring_item_standard_id_code")
        ),
    )
    op.create_table(
        "score_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cause", sa.String(length=80), nullable=False),
        sa.Column(
            "member_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "organization_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("category", sa.String(length=24), nullable=False),
        sa.Column(
            "evaluation_hundredths",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "points", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "service_minutes",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("earned_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "category IN ('organization_life', 'study', 'duty', 'volunteer_service', "
            "'post_service', 'recognition')",
            name=op.f("ck_score_entry_category"),
        ),
        sa.CheckConstraint("ABS(points) <= 100000", name=op.f("ck_score_entry_points")),
        sa.CheckConstraint(
            "ABS(service_minutes) <= 1440", name=op.f("ck_score_entry_service_minutes")
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["scoring_item.id"], name=op.f("fk_score_entry_item_id_scoring_item")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_score_entry_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_score_entry_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score_entry")),
        sa.UniqueConstraint("cause", name=op.f("uq_score_entry_cause")),
    )
    op.create_index(
        op.f("ix_score_entry_earned_on_member_id"),
        "score_entry",
        ["earned_on", "member_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_score_entry_member_id_earned_on"),
        "score_entry",
        ["member_id", "earned_on"],
        unique=False,
    )
    add_default_standard()


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("score_entry")
    op.drop_table("scoring_item")
    op.drop_table("scoring_standard")
