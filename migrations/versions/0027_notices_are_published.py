"""What is shown in public has a clock, and whoever objects is answered.

Why: Rankings, grades, stars and posts are shown for working days and can be contested.
Undo: downgrade drops the tables.
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "calendar_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("is_working", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("loaded_by_id", BIG, nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["loaded_by_id"], ["member.id"], name=op.f("fk_calendar_day_loaded_by_id_member")
        ),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_calendar_day")),
    )

    op.create_table(
        "notice",
        sa.Column("id", BIG, nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("no", BIG, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("organization_id", BIG, nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("window_days", BIG, nullable=False),
        sa.Column("drafted_by_id", BIG, nullable=True),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reviewed_by_id", BIG, nullable=True),
        sa.Column("also_reviewed_by_id", BIG, nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("closes_on", sa.Date(), nullable=True),
        sa.Column("locked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replaces_id", BIG, nullable=True),
        sa.Column("withdrawn_reason", sa.String(length=200), nullable=False),
        sa.CheckConstraint(
            "(opened_on IS NULL) = (state = 'draft') OR state IN ('withdrawn', 'replaced')",
            name=op.f("ck_notice_opened"),
        ),
        sa.CheckConstraint(
            "(locked_at IS NULL) = (state <> 'locked')", name=op.f("ck_notice_locked")
        ),
        sa.CheckConstraint(
            "also_reviewed_by_id IS NULL OR (reviewed_by_id IS NOT NULL"
            " AND also_reviewed_by_id <> reviewed_by_id)",
            name=op.f("ck_notice_third_person"),
        ),
        sa.CheckConstraint(
            "also_reviewed_by_id IS NULL OR also_reviewed_by_id <> drafted_by_id",
            name=op.f("ck_notice_third_is_not_first"),
        ),
        sa.CheckConstraint(
            "kind IN ('ranking', 'grade', 'post', 'star', 'organization_star', 'certificate')",
            name=op.f("ck_notice_kind"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'reviewed', 'open', 'contested', 'locked', 'replaced',"
            " 'withdrawn')",
            name=op.f("ck_notice_state"),
        ),
        sa.CheckConstraint(
            "(opened_on IS NULL) = (closes_on IS NULL)", name=op.f("ck_notice_window")
        ),
        sa.CheckConstraint(
            "reviewed_by_id IS NULL OR reviewed_by_id <> drafted_by_id",
            name=op.f("ck_notice_second_person"),
        ),
        sa.CheckConstraint("window_days BETWEEN 1 AND 30", name=op.f("ck_notice_window_days")),
        sa.ForeignKeyConstraint(
            ["also_reviewed_by_id"],
            ["member.id"],
            name=op.f("fk_notice_also_reviewed_by_id_member"),
        ),
        sa.ForeignKeyConstraint(
            ["drafted_by_id"], ["member.id"], name=op.f("fk_notice_drafted_by_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_notice_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["replaces_id"], ["notice.id"], name=op.f("fk_notice_replaces_id_notice")
        ),
        sa.ForeignKeyConstraint(
            ["reviewed_by_id"], ["member.id"], name=op.f("fk_notice_reviewed_by_id_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("subject", "no", name=op.f("uq_notice_subject_no")),
    )
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_notice_organization_id_opened_on"),
            ["organization_id", "opened_on"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_notice_state_closes_on"), ["state", "closes_on"], unique=False
        )
        batch_op.create_index(
            "uq_notice_alive",
            ["subject"],
            unique=True,
            sqlite_where=sa.text("state IN ('draft', 'reviewed', 'open', 'contested')"),
            postgresql_where=sa.text("state IN ('draft', 'reviewed', 'open', 'contested')"),
        )

    op.create_table(
        "notice_line",
        sa.Column("notice_id", BIG, nullable=False),
        sa.Column("no", BIG, autoincrement=False, nullable=False),
        sa.Column("member_id", BIG, nullable=True),
        sa.Column("organization_id", BIG, nullable=True),
        sa.Column("shown_name", sa.String(length=60), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_notice_line_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notice.id"], name=op.f("fk_notice_line_notice_id_notice")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_notice_line_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("notice_id", "no", name=op.f("pk_notice_line")),
    )
    with op.batch_alter_table("notice_line", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_notice_line_member_id"), ["member_id"], unique=False
        )

    op.create_table(
        "objection",
        sa.Column("id", BIG, nullable=False),
        sa.Column("notice_id", BIG, nullable=False),
        sa.Column("line_no", BIG, nullable=True),
        sa.Column("objector_id", BIG, nullable=True),
        sa.Column("receipt_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("facts", sa.String(length=1000), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer_by", sa.Date(), nullable=False),
        sa.Column("decide_by", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("answered_by_id", BIG, nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.String(length=400), nullable=False),
        sa.Column("decided_by_id", BIG, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision", sa.String(length=400), nullable=False),
        sa.CheckConstraint(
            "(answered_at IS NULL) = (state = 'raised')", name=op.f("ck_objection_answered")
        ),
        sa.CheckConstraint(
            "(decided_at IS NULL) = (state IN ('raised', 'accepted', 'dismissed'))",
            name=op.f("ck_objection_decided"),
        ),
        sa.CheckConstraint(
            "objector_id IS NOT NULL OR facts <> ''", name=op.f("ck_objection_facts")
        ),
        sa.CheckConstraint(
            "objector_id IS NULL OR receipt_hash IS NULL",
            name=op.f("ck_objection_receipt_without_name"),
        ),
        sa.CheckConstraint(
            "state IN ('raised', 'accepted', 'dismissed', 'upheld', 'rejected')",
            name=op.f("ck_objection_state"),
        ),
        sa.CheckConstraint(
            "answered_by_id IS NULL OR objector_id IS NULL OR answered_by_id <> objector_id",
            name=op.f("ck_objection_answered_by_another"),
        ),
        sa.ForeignKeyConstraint(
            ["answered_by_id"], ["member.id"], name=op.f("fk_objection_answered_by_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["member.id"], name=op.f("fk_objection_decided_by_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notice.id"], name=op.f("fk_objection_notice_id_notice")
        ),
        sa.ForeignKeyConstraint(
            ["objector_id"], ["member.id"], name=op.f("fk_objection_objector_id_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objection")),
        sa.UniqueConstraint("receipt_hash", name=op.f("uq_objection_receipt_hash")),
    )
    with op.batch_alter_table("objection", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_objection_objector_id"), ["objector_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_objection_notice_id_state"), ["notice_id", "state"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_objection_state_answer_by"), ["state", "answer_by"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_objection_state_decide_by"), ["state", "decide_by"], unique=False
        )

    op.create_table(
        "objection_try",
        sa.Column("key_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tries", BIG, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("tries >= 0", name=op.f("ck_objection_try_tries")),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_objection_try")),
    )
    with op.batch_alter_table("objection_try", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_objection_try_since"), ["since"], unique=False)


def downgrade() -> None:
    """Take everything back."""
    op.drop_table("objection_try")
    op.drop_table("objection")
    op.drop_table("notice_line")
    op.drop_table("notice")
    op.drop_table("calendar_day")
