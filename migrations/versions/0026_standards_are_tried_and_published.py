"""A standard is drafted, tried over the past, and published by a second person.

Why: Items carry caps and the evidence they need; a draft binds nobody, and what was published
never changes: a trigger refuses it, as the ledger's do.
Undo: downgrade drops drafts, trials, caps, coefficients and what was entered by the new items.
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# Caps of a year in hundredths, and the lowest score of each grade (research/domain.md 2.3).
TABLES = {
    "default": {
        "base_mode": "earn",
        "base": {"organization_life": 3000, "study": 1500, "duty": 1500},
        "bonus": {"volunteer_service": 2500, "post_service": 1000, "recognition": 500},
        "grades": {"excellent": 9000, "qualified": 7500, "basic": 6000},
    }
}
OLD_CATEGORIES = (
    "organization_life",
    "study",
    "duty",
    "volunteer_service",
    "post_service",
    "recognition",
)
CATEGORIES = (*OLD_CATEGORIES, "deduction")
OLD_UNITS = ("hour", "shift")
UNITS = (*OLD_UNITS, "each")


# What the first version gets for what people decide, not for time. An item that is entered case
# by case has 0 here; the category of an appraisal is the one that research/domain.md 2.3 caps.
# code, name, name_zh, category, evaluation_hundredths
NEW_ITEMS = (
    ("deduction", "Deduction", "扣分", "deduction", 0),
    ("democratic_appraisal", "Democratic appraisal", "民主评议", "duty", 500),
    ("suggestion_adopted", "Suggestion adopted", "建议采纳", "recognition", 100),
    ("commendation", "Commendation", "表扬嘉奖", "recognition", 200),
)
YEARLY = "democratic_appraisal"
NEW_CODES = ", ".join(repr(row[0]) for row in NEW_ITEMS)
CAPS = (
    "points_day_max",
    "points_week_max",
    "points_year_max",
    "hundredths_day_max",
    "hundredths_week_max",
    "hundredths_year_max",
)
# Everything of a published version stands for ever but its last day, which is set once.
FROZEN = (
    "id",
    "version",
    "name",
    "state",
    "valid_from",
    "rounding",
    "evaluation_tables",
    "drafted_by_id",
    "drafted_at",
    "published_by_id",
    "published_at",
)
POSTGRESQL_FUNCTION = """
CREATE FUNCTION refuse_change_of_published_items() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM scoring_standard AS standard
        WHERE standard.state <> 'draft' AND (
            (TG_OP <> 'INSERT' AND standard.id = OLD.standard_id)
            OR (TG_OP <> 'DELETE' AND standard.id = NEW.standard_id))
    ) THEN
        RAISE EXCEPTION 'items of a published standard are never changed'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$
"""


def freeze_published() -> None:
    """Let no published version change, nor its items; a draft may."""
    columns = ", ".join(FROZEN)
    frozen = {
        "is_never_changed": (f"UPDATE OF {columns}", "OLD.state <> 'draft'"),
        "ends_once": ("UPDATE OF valid_to", "OLD.valid_to IS NOT NULL"),
        "is_never_removed": ("DELETE", "OLD.state <> 'draft'"),
    }
    if op.get_bind().dialect.name == "postgresql":
        for name, (verb, condition) in frozen.items():
            op.execute(
                f"CREATE TRIGGER scoring_standard_{name} BEFORE {verb} ON scoring_standard "
                f"FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION refuse_change()"
            )
        op.execute(POSTGRESQL_FUNCTION)
        op.execute(
            "CREATE TRIGGER scoring_item_is_never_changed"
            " BEFORE INSERT OR UPDATE OR DELETE ON scoring_item"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change_of_published_items()"
        )
        return
    for name, (verb, condition) in frozen.items():
        op.execute(
            f"CREATE TRIGGER scoring_standard_{name} BEFORE {verb} ON scoring_standard"
            f" WHEN {condition} BEGIN"
            " SELECT RAISE(ABORT, 'a published standard is never changed or removed'); END"
        )
    for verb, sides in (("INSERT", "NEW"), ("UPDATE", "OLD NEW"), ("DELETE", "OLD")):
        ids = ", ".join(f"{side}.standard_id" for side in sides.split())
        op.execute(
            f"CREATE TRIGGER scoring_item_refuses_{verb.lower()} BEFORE {verb} ON scoring_item"
            f" WHEN EXISTS (SELECT 1 FROM scoring_standard WHERE id IN ({ids})"
            " AND state <> 'draft') BEGIN"
            " SELECT RAISE(ABORT, 'items of a published standard are never changed'); END"
        )


def let_change() -> None:
    """Take the triggers away."""
    names = [
        *(("scoring_standard", name) for name in ("is_never_changed", "ends_once")),
        ("scoring_standard", "is_never_removed"),
    ]
    if op.get_bind().dialect.name == "postgresql":
        for table, name in [*names, ("scoring_item", "is_never_changed")]:
            op.execute(f"DROP TRIGGER {table}_{name} ON {table}")
        op.execute("DROP FUNCTION refuse_change_of_published_items()")
        return
    for table, name in names:
        op.execute(f"DROP TRIGGER {table}_{name}")
    for verb in ("insert", "update", "delete"):
        op.execute(f"DROP TRIGGER scoring_item_refuses_{verb}")


def add_new_items() -> None:
    """Give every version that stands what members are evaluated by beside their time."""
    item = sa.table(
        "scoring_item",
        *(sa.column(name) for name in ("standard_id", "code", "name", "name_zh", "category")),
        *(sa.column(name) for name in ("unit", "points", "evaluation_hundredths", "evidence")),
        sa.column("counts_minutes", sa.Boolean),
        *(sa.column(name) for name in ("unit_minutes", "share_min_percent", "day_minutes_max")),
        sa.column("hundredths_year_max", sa.Integer),
    )
    ids = op.get_bind().scalars(sa.text("SELECT id FROM scoring_standard ORDER BY id")).all()
    op.bulk_insert(
        item,
        [
            {
                "standard_id": standard_id,
                "code": code,
                "name": name,
                "name_zh": name_zh,
                "category": category,
                "unit": "each",
                "points": 0,
                "evaluation_hundredths": hundredths,
                "evidence": "document",
                "counts_minutes": False,
                "unit_minutes": 30,
                "share_min_percent": 60,
                "day_minutes_max": 8 * 60,
                # A vote is for a year: no part of the year may count it several times over.
                "hundredths_year_max": hundredths if code == YEARLY else None,
            }
            for standard_id in ids
            for code, name, name_zh, category, hundredths in NEW_ITEMS
        ],
    )


def bring_back_category_caps() -> None:
    """Say again what each category gives at most, as the default table has it."""
    with op.batch_alter_table("scoring_standard") as batch:
        batch.add_column(sa.Column("category_caps", sa.JSON(), nullable=True))
    standard = sa.table(
        "scoring_standard",
        sa.column("id", sa.BigInteger),
        sa.column("category_caps", sa.JSON),
        sa.column("evaluation_tables", sa.JSON),
    )
    for row in op.get_bind().execute(sa.select(standard)).all():
        table = row.evaluation_tables["default"]
        op.execute(
            standard.update()
            .where(standard.c.id == row.id)
            .values(category_caps={**table["base"], **table["bonus"]})
        )
    with op.batch_alter_table("scoring_standard") as batch:
        batch.alter_column("category_caps", existing_type=sa.JSON(), nullable=False)


def one_of(column: str, values: tuple[str, ...]) -> str:
    """Return the SQL condition that a column holds one of these words."""
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "points_taken",
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("item_code", sa.String(length=40), nullable=False),
        sa.Column("span", sa.String(length=10), nullable=False),
        sa.Column("points", BIG, nullable=False),
        sa.CheckConstraint("points >= 0", name=op.f("ck_points_taken_points")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_points_taken_member_id_member")
        ),
        sa.PrimaryKeyConstraint("member_id", "item_code", "span", name=op.f("pk_points_taken")),
    )

    op.create_table(
        "standard_trial",
        sa.Column("id", BIG, nullable=False),
        sa.Column("standard_id", BIG, nullable=False),
        sa.Column("period", sa.String(length=24), nullable=False),
        sa.Column("organization_id", BIG, nullable=False),
        sa.Column("ran_by_id", BIG, nullable=False),
        sa.Column("ran_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_standard_trial_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["ran_by_id"], ["member.id"], name=op.f("fk_standard_trial_ran_by_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["standard_id"],
            ["scoring_standard.id"],
            name=op.f("fk_standard_trial_standard_id_scoring_standard"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standard_trial")),
        sa.UniqueConstraint(
            "standard_id",
            "period",
            "organization_id",
            "ran_at",
            name=op.f("uq_standard_trial_standard_id_period_organization_id_ran_at"),
        ),
    )
    with op.batch_alter_table("scoring_standard") as batch:
        batch.add_column(
            sa.Column("state", sa.String(length=12), nullable=False, server_default="published")
        )
        batch.add_column(sa.Column("valid_to", sa.Date(), nullable=True))
        batch.add_column(
            sa.Column("rounding", sa.String(length=8), nullable=False, server_default="floor")
        )
        batch.add_column(
            sa.Column(
                "evaluation_tables",
                sa.JSON(),
                nullable=False,
                server_default=json.dumps(TABLES),
            )
        )
        batch.add_column(sa.Column("drafted_by_id", BIG, nullable=True))
        batch.add_column(sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("published_by_id", BIG, nullable=True))
        batch.add_column(sa.Column("published_at", sa.DateTime(timezone=True), nullable=True))
        # The tables say it now, and which of it is base and which bonus.
        batch.drop_column("category_caps")
        batch.alter_column("version", existing_type=BIG, nullable=True)
        batch.drop_constraint(batch.f("uq_scoring_standard_valid_from"), type_="unique")
    with op.batch_alter_table("scoring_standard") as batch:
        batch.alter_column("state", server_default=None)
        batch.alter_column("rounding", server_default=None)
        batch.alter_column("evaluation_tables", server_default=None)
        batch.create_check_constraint(
            batch.f("ck_scoring_standard_state"),
            one_of("state", ("draft", "published", "discarded")),
        )
        batch.create_check_constraint(
            batch.f("ck_scoring_standard_version"),
            "(state = 'published') = (version IS NOT NULL)",
        )
        batch.create_check_constraint(
            batch.f("ck_scoring_standard_rounding"), one_of("rounding", ("floor", "half_up"))
        )
        batch.create_check_constraint(
            batch.f("ck_scoring_standard_span"), "valid_to IS NULL OR valid_to > valid_from"
        )
        batch.create_check_constraint(
            batch.f("ck_scoring_standard_second_person"),
            "published_by_id IS NULL OR published_by_id <> drafted_by_id",
        )
        batch.create_foreign_key(
            batch.f("fk_scoring_standard_drafted_by_id_member"),
            "member",
            ["drafted_by_id"],
            ["id"],
        )
        batch.create_foreign_key(
            batch.f("fk_scoring_standard_published_by_id_member"),
            "member",
            ["published_by_id"],
            ["id"],
        )
    op.create_index(
        "uq_scoring_standard_valid_from",
        "scoring_standard",
        ["valid_from"],
        unique=True,
        sqlite_where=sa.text("state = 'published'"),
        postgresql_where=sa.text("state = 'published'"),
    )
    op.execute(
        "UPDATE scoring_standard SET valid_to = (SELECT MIN(later.valid_from)"
        " FROM scoring_standard AS later WHERE later.valid_from > scoring_standard.valid_from)"
    )
    with op.batch_alter_table("scoring_item") as batch:
        batch.add_column(
            sa.Column("evidence", sa.String(length=12), server_default="scan", nullable=False)
        )
        batch.add_column(
            sa.Column("coefficient_percent_max", BIG, server_default="100", nullable=False)
        )
        batch.add_column(sa.Column("points_day_max", BIG, nullable=True))
        batch.add_column(sa.Column("points_week_max", BIG, nullable=True))
        batch.add_column(sa.Column("points_year_max", BIG, nullable=True))
        batch.add_column(sa.Column("hundredths_day_max", BIG, nullable=True))
        batch.add_column(sa.Column("hundredths_week_max", BIG, nullable=True))
        batch.add_column(sa.Column("hundredths_year_max", BIG, nullable=True))
        batch.drop_constraint(batch.f("ck_scoring_item_unit"), type_="check")
        batch.drop_constraint(batch.f("ck_scoring_item_category"), type_="check")
        batch.create_check_constraint(batch.f("ck_scoring_item_unit"), one_of("unit", UNITS))
        batch.create_check_constraint(
            batch.f("ck_scoring_item_category"), one_of("category", CATEGORIES)
        )
    with op.batch_alter_table("scoring_item") as batch:
        batch.create_check_constraint(
            batch.f("ck_scoring_item_evidence"),
            one_of("evidence", ("none", "scan", "photo", "document")),
        )
        batch.create_check_constraint(
            batch.f("ck_scoring_item_coefficient"),
            "coefficient_percent_max BETWEEN 100 AND 150",
        )
        batch.create_check_constraint(
            batch.f("ck_scoring_item_never_paid"),
            "category NOT IN ('organization_life', 'deduction') OR points = 0",
        )
        batch.create_check_constraint(
            batch.f("ck_scoring_item_caps"),
            " AND ".join(f"({name} IS NULL OR {name} >= 0)" for name in CAPS),
        )
    with op.batch_alter_table("score_entry") as batch:
        batch.drop_constraint(batch.f("ck_score_entry_category"), type_="check")
        batch.create_check_constraint(
            batch.f("ck_score_entry_category"), one_of("category", CATEGORIES)
        )
    with op.batch_alter_table("task") as batch:
        batch.add_column(
            sa.Column("coefficient_percent", BIG, server_default="100", nullable=False)
        )
        batch.create_check_constraint(
            batch.f("ck_task_coefficient"), "coefficient_percent BETWEEN 100 AND 150"
        )
    with op.batch_alter_table("attendance") as batch:
        batch.add_column(sa.Column("cut_reason", sa.String(length=12), nullable=True))
    add_new_items()
    freeze_published()


def downgrade() -> None:
    """Take everything back."""
    let_change()
    with op.batch_alter_table("attendance") as batch:
        batch.drop_column("cut_reason")
    with op.batch_alter_table("task") as batch:
        batch.drop_constraint(batch.f("ck_task_coefficient"), type_="check")
        batch.drop_column("coefficient_percent")
    gone = f"category = 'deduction' OR unit = 'each' OR code IN ({NEW_CODES})"
    op.execute(
        "DELETE FROM score_entry WHERE category = 'deduction'"
        f" OR item_id IN (SELECT id FROM scoring_item WHERE {gone})"
    )
    op.execute(f"DELETE FROM scoring_item WHERE {gone}")
    op.execute(
        "DELETE FROM scoring_item WHERE standard_id IN"
        " (SELECT id FROM scoring_standard WHERE state <> 'published')"
    )
    op.drop_table("standard_trial")
    op.drop_table("points_taken")
    op.execute("DELETE FROM scoring_standard WHERE state <> 'published'")
    with op.batch_alter_table("score_entry") as batch:
        batch.drop_constraint(batch.f("ck_score_entry_category"), type_="check")
        batch.create_check_constraint(
            batch.f("ck_score_entry_category"), one_of("category", OLD_CATEGORIES)
        )
    with op.batch_alter_table("scoring_item") as batch:
        for name in ("caps", "never_paid", "coefficient"):
            batch.drop_constraint(batch.f(f"ck_scoring_item_{name}"), type_="check")
        batch.drop_constraint(batch.f("ck_scoring_item_evidence"), type_="check")
        batch.drop_constraint(batch.f("ck_scoring_item_unit"), type_="check")
        batch.drop_constraint(batch.f("ck_scoring_item_category"), type_="check")
        batch.create_check_constraint(
            batch.f("ck_scoring_item_unit"), one_of("unit", OLD_UNITS)
        )
        batch.create_check_constraint(
            batch.f("ck_scoring_item_category"), one_of("category", OLD_CATEGORIES)
        )
        batch.drop_column("hundredths_year_max")
        batch.drop_column("hundredths_week_max")
        batch.drop_column("hundredths_day_max")
        batch.drop_column("points_year_max")
        batch.drop_column("points_week_max")
        batch.drop_column("points_day_max")
        batch.drop_column("coefficient_percent_max")
        batch.drop_column("evidence")
    op.drop_index("uq_scoring_standard_valid_from", table_name="scoring_standard")
    with op.batch_alter_table("scoring_standard") as batch:
        for name in ("second_person", "span", "rounding", "version", "state"):
            batch.drop_constraint(batch.f(f"ck_scoring_standard_{name}"), type_="check")
        for name in ("published_by_id", "drafted_by_id"):
            batch.drop_constraint(
                batch.f(f"fk_scoring_standard_{name}_member"), type_="foreignkey"
            )
    bring_back_category_caps()
    with op.batch_alter_table("scoring_standard") as batch:
        for name in (
            "published_at",
            "published_by_id",
            "drafted_at",
            "drafted_by_id",
            "evaluation_tables",
            "rounding",
            "valid_to",
            "state",
        ):
            batch.drop_column(name)
        batch.alter_column("version", existing_type=BIG, nullable=False)
        batch.create_unique_constraint(
            batch.f("uq_scoring_standard_valid_from"), ["valid_from"]
        )
