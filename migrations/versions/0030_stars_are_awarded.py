"""Volunteers and organizations apply for stars, and get them after a notice.

Why: Stars are applied for, shown in public, then awarded; what others honour a member with
stands in the member's file beside them.
Undo: downgrade drops the tables.
"""

from datetime import date

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# Hours: the rule of 2012 on recording volunteer service (民函〔2012〕340号). Marks: the
# bands of a county's scheme for its branches. Both hold until a later set is entered.
FIRST_DAY = date(2012, 1, 1)
LEVELS = {"volunteer": (100, 300, 600, 1000, 1500), "organization": (60, 70, 80, 90, 96)}


def upgrade() -> None:
    """Make the tables, with the levels that hold from the beginning."""
    op.create_table(
        "number_check",
        sa.Column("key_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("checks", BIG, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("checks >= 0", name=op.f("ck_number_check_checks")),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_number_check")),
    )
    with op.batch_alter_table("number_check", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_number_check_since"), ["since"], unique=False)

    op.create_table(
        "star_count",
        sa.Column("year", BIG, autoincrement=False, nullable=False),
        sa.Column("drawn", BIG, nullable=False),
        sa.CheckConstraint("drawn > 0", name=op.f("ck_star_count_drawn")),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_star_count")),
    )
    op.create_table(
        "star_level",
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("stars", BIG, autoincrement=False, nullable=False),
        sa.Column("least", BIG, nullable=False),
        sa.CheckConstraint(
            "kind = 'volunteer' OR least <= 100", name=op.f("ck_star_level_marks")
        ),
        sa.CheckConstraint(
            "kind IN ('volunteer', 'organization')", name=op.f("ck_star_level_kind")
        ),
        sa.CheckConstraint("least BETWEEN 1 AND 100000", name=op.f("ck_star_level_least")),
        sa.CheckConstraint("stars BETWEEN 1 AND 5", name=op.f("ck_star_level_stars")),
        sa.PrimaryKeyConstraint("kind", "valid_from", "stars", name=op.f("pk_star_level")),
    )
    op.create_table(
        "honour",
        sa.Column("id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("organization_id", BIG, nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("grantor", sa.String(length=80), nullable=False),
        sa.Column("granted_on", sa.Date(), nullable=False),
        sa.Column("document_no", sa.String(length=60), nullable=False),
        sa.Column("document", sa.String(length=1000), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("recorded_by_id", BIG, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by_id", BIG, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.String(length=200), nullable=False),
        sa.CheckConstraint(
            "state = 'withdrawn' OR (decided_by_id IS NULL) = (state = 'pending')",
            name=op.f("ck_honour_decided"),
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'confirmed', 'rejected', 'withdrawn')",
            name=op.f("ck_honour_state"),
        ),
        sa.CheckConstraint(
            "decided_by_id IS NULL OR (decided_by_id <> recorded_by_id AND decided_by_id <>"
            " member_id)",
            name=op.f("ck_honour_second_person"),
        ),
        sa.CheckConstraint("recorded_by_id <> member_id", name=op.f("ck_honour_not_oneself")),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["member.id"], name=op.f("fk_honour_decided_by_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_honour_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_honour_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["member.id"], name=op.f("fk_honour_recorded_by_id_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_honour")),
    )
    with op.batch_alter_table("honour", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_honour_member_id"), ["member_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_honour_organization_id_state"),
            ["organization_id", "state"],
            unique=False,
        )
        batch_op.create_index(
            "uq_honour_standing",
            ["member_id", "title", "granted_on"],
            unique=True,
            sqlite_where=sa.text("state IN ('pending', 'confirmed')"),
            postgresql_where=sa.text("state IN ('pending', 'confirmed')"),
        )

    op.create_table(
        "organization_star_plan",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organization_id", BIG, nullable=False),
        sa.Column("year", BIG, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("stars", BIG, nullable=False),
        sa.Column("filed_by_id", BIG, nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("self_rated_by_id", BIG, nullable=True),
        sa.Column("self_rated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewed_by_id", BIG, nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("review", sa.String(length=400), nullable=False),
        sa.Column("notice_id", BIG, nullable=True),
        sa.Column("awarded_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "(awarded_on IS NULL) = (state <> 'awarded')",
            name=op.f("ck_organization_star_plan_awarded"),
        ),
        sa.CheckConstraint(
            "state IN ('filed', 'self_rated', 'reviewed', 'noticed', 'awarded', 'refused',"
            " 'withdrawn')",
            name=op.f("ck_organization_star_plan_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('noticed', 'awarded') OR notice_id IS NOT NULL",
            name=op.f("ck_organization_star_plan_notice"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('reviewed', 'noticed', 'awarded') OR stars > 0",
            name=op.f("ck_organization_star_plan_rated"),
        ),
        sa.CheckConstraint(
            "reviewed_by_id IS NULL OR (reviewed_by_id <> filed_by_id AND reviewed_by_id <>"
            " self_rated_by_id)",
            name=op.f("ck_organization_star_plan_second_person"),
        ),
        sa.CheckConstraint(
            "stars BETWEEN 0 AND 5", name=op.f("ck_organization_star_plan_stars")
        ),
        sa.ForeignKeyConstraint(
            ["filed_by_id"],
            ["member.id"],
            name=op.f("fk_organization_star_plan_filed_by_id_member"),
        ),
        sa.ForeignKeyConstraint(
            ["notice_id"],
            ["notice.id"],
            name=op.f("fk_organization_star_plan_notice_id_notice"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_organization_star_plan_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["reviewed_by_id"],
            ["member.id"],
            name=op.f("fk_organization_star_plan_reviewed_by_id_member"),
        ),
        sa.ForeignKeyConstraint(
            ["self_rated_by_id"],
            ["member.id"],
            name=op.f("fk_organization_star_plan_self_rated_by_id_member"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization_star_plan")),
    )
    with op.batch_alter_table("organization_star_plan", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_organization_star_plan_notice_id"), ["notice_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_organization_star_plan_year_state"), ["year", "state"], unique=False
        )
        batch_op.create_index(
            "uq_organization_star_plan_alive",
            ["organization_id", "year"],
            unique=True,
            sqlite_where=sa.text("state <> 'withdrawn'"),
            postgresql_where=sa.text("state <> 'withdrawn'"),
        )

    op.create_table(
        "star_application",
        sa.Column("id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("organization_id", BIG, nullable=False),
        sa.Column("stars", BIG, nullable=False),
        sa.Column("hours_needed", BIG, nullable=False),
        sa.Column("service_minutes", BIG, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("notice_id", BIG, nullable=True),
        sa.Column("decided_by_id", BIG, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.String(length=200), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=True),
        sa.Column("awarded_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "(number IS NULL) = (state NOT IN ('awarded', 'revoked'))",
            name=op.f("ck_star_application_number"),
        ),
        sa.CheckConstraint(
            "state <> 'refused' OR decision_reason <> ''",
            name=op.f("ck_star_application_reason"),
        ),
        sa.CheckConstraint(
            "state IN ('applied', 'noticed', 'awarded', 'refused', 'withdrawn', 'revoked')",
            name=op.f("ck_star_application_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('noticed', 'awarded', 'revoked') OR notice_id IS NOT NULL",
            name=op.f("ck_star_application_notice"),
        ),
        sa.CheckConstraint(
            "(number IS NULL) = (awarded_on IS NULL)", name=op.f("ck_star_application_awarded")
        ),
        sa.CheckConstraint(
            "decided_by_id IS NULL OR decided_by_id <> member_id",
            name=op.f("ck_star_application_not_oneself"),
        ),
        sa.CheckConstraint(
            "hours_needed BETWEEN 1 AND 100000", name=op.f("ck_star_application_hours_needed")
        ),
        sa.CheckConstraint(
            "service_minutes >= 60 * hours_needed",
            name=op.f("ck_star_application_service_minutes"),
        ),
        sa.CheckConstraint("stars BETWEEN 1 AND 5", name=op.f("ck_star_application_stars")),
        sa.ForeignKeyConstraint(
            ["decided_by_id"],
            ["member.id"],
            name=op.f("fk_star_application_decided_by_id_member"),
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_star_application_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notice.id"], name=op.f("fk_star_application_notice_id_notice")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_star_application_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_star_application")),
        sa.UniqueConstraint("number", name=op.f("uq_star_application_number")),
    )
    with op.batch_alter_table("star_application", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_star_application_member_id"), ["member_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_star_application_notice_id"), ["notice_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_star_application_organization_id_state"),
            ["organization_id", "state"],
            unique=False,
        )
        batch_op.create_index(
            "uq_star_application_alive",
            ["member_id", "stars"],
            unique=True,
            sqlite_where=sa.text("state IN ('applied', 'noticed', 'awarded')"),
            postgresql_where=sa.text("state IN ('applied', 'noticed', 'awarded')"),
        )
        batch_op.create_index(
            "uq_star_application_open",
            ["member_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('applied', 'noticed')"),
            postgresql_where=sa.text("state IN ('applied', 'noticed')"),
        )

    op.create_table(
        "plan_item",
        sa.Column("plan_id", BIG, nullable=False),
        sa.Column("no", BIG, autoincrement=False, nullable=False),
        sa.Column("task", sa.String(length=120), nullable=False),
        sa.Column("measures", sa.String(length=400), nullable=False),
        sa.Column("owner_id", BIG, nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("marks", BIG, nullable=False),
        sa.Column("delivered_on", sa.Date(), nullable=True),
        sa.Column("delivered_by_id", BIG, nullable=True),
        sa.Column("evidence", sa.String(length=400), nullable=False),
        sa.Column("self_marks", BIG, nullable=True),
        sa.Column("reviewed_marks", BIG, nullable=True),
        sa.CheckConstraint(
            "(delivered_on IS NULL) = (evidence = '') AND (delivered_on IS NULL) ="
            " (delivered_by_id IS NULL)",
            name=op.f("ck_plan_item_evidence"),
        ),
        sa.CheckConstraint(
            "delivered_on IS NOT NULL OR (COALESCE(self_marks, 0) = 0 AND"
            " COALESCE(reviewed_marks, 0) = 0)",
            name=op.f("ck_plan_item_delivered"),
        ),
        sa.CheckConstraint("marks BETWEEN 1 AND 100", name=op.f("ck_plan_item_marks")),
        sa.CheckConstraint(
            "reviewed_marks IS NULL OR reviewed_marks BETWEEN 0 AND marks",
            name=op.f("ck_plan_item_reviewed"),
        ),
        sa.CheckConstraint(
            "self_marks IS NULL OR self_marks BETWEEN 0 AND marks",
            name=op.f("ck_plan_item_self"),
        ),
        sa.ForeignKeyConstraint(
            ["delivered_by_id"], ["member.id"], name=op.f("fk_plan_item_delivered_by_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["member.id"], name=op.f("fk_plan_item_owner_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"],
            ["organization_star_plan.id"],
            name=op.f("fk_plan_item_plan_id_organization_star_plan"),
        ),
        sa.PrimaryKeyConstraint("plan_id", "no", name=op.f("pk_plan_item")),
    )
    with op.batch_alter_table("plan_item", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_plan_item_owner_id_due_on"), ["owner_id", "due_on"], unique=False
        )

    op.create_table(
        "star_revocation",
        sa.Column("id", BIG, nullable=False),
        sa.Column("application_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("bar_years", BIG, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("asked_by_id", BIG, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by_id", BIG, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.String(length=200), nullable=False),
        sa.Column("barred_until", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "(barred_until IS NULL) = (state <> 'confirmed')",
            name=op.f("ck_star_revocation_bar"),
        ),
        sa.CheckConstraint(
            "(decided_by_id IS NULL) = (state = 'pending')",
            name=op.f("ck_star_revocation_decided"),
        ),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_star_revocation_reason")),
        sa.CheckConstraint(
            "state IN ('pending', 'confirmed', 'rejected')",
            name=op.f("ck_star_revocation_state"),
        ),
        sa.CheckConstraint(
            "asked_by_id <> member_id", name=op.f("ck_star_revocation_not_oneself")
        ),
        sa.CheckConstraint(
            "bar_years BETWEEN 1 AND 3", name=op.f("ck_star_revocation_bar_years")
        ),
        sa.CheckConstraint(
            "decided_by_id IS NULL OR (decided_by_id <> asked_by_id AND decided_by_id <>"
            " member_id)",
            name=op.f("ck_star_revocation_second_person"),
        ),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["star_application.id"],
            name=op.f("fk_star_revocation_application_id_star_application"),
        ),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["member.id"], name=op.f("fk_star_revocation_asked_by_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"],
            ["member.id"],
            name=op.f("fk_star_revocation_decided_by_id_member"),
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_star_revocation_member_id_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_star_revocation")),
    )
    with op.batch_alter_table("star_revocation", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_star_revocation_member_id_barred_until"),
            ["member_id", "barred_until"],
            unique=False,
        )
        batch_op.create_index(
            "uq_star_revocation_alive",
            ["application_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('pending', 'confirmed')"),
            postgresql_where=sa.text("state IN ('pending', 'confirmed')"),
        )

    op.bulk_insert(
        sa.table(
            "star_level",
            sa.column("kind", sa.String),
            sa.column("valid_from", sa.Date),
            sa.column("stars", sa.Integer),
            sa.column("least", sa.Integer),
        ),
        [
            {"kind": kind, "valid_from": FIRST_DAY, "stars": stars, "least": least}
            for kind, levels in LEVELS.items()
            for stars, least in enumerate(levels, 1)
        ],
    )


def downgrade() -> None:
    """Take everything back."""
    op.drop_table("star_revocation")
    op.drop_table("plan_item")
    op.drop_table("star_application")
    op.drop_table("organization_star_plan")
    op.drop_table("honour")
    op.drop_table("star_level")
    op.drop_table("star_count")
    op.drop_table("number_check")
