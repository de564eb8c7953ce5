"""Periods are rolled up step by step, frozen with a hash, and graded by people.

Why: Totals by item make a roll-up cost what is new; a snapshot keeps what was published;
a committee confirms what is advised.
Undo: downgrade drops snapshots and grades; standings are rolled up anew.
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# The roll-up joins what it writes: a look-up for each key of each row would double its time.
STANDING_KEYS = (
    ("period", "roll_up"),
    ("member_id", "member"),
    ("organization_id", "organization"),
)

# Every entry and change up to the answer is decided, as in decided_transfer_id(): the lock
# comes only when nobody is inserting, and is given back at once.
DECIDED = """
CREATE FUNCTION decided_score_ids(OUT entry_id bigint, OUT change_id bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    LOCK TABLE public.score_entry, public.member_change IN SHARE MODE;
    SELECT COALESCE(MAX(id), 0) INTO entry_id FROM public.score_entry;
    SELECT COALESCE(MAX(id), 0) INTO change_id FROM public.member_change;
END $$
"""


def refuse_changes(tables: tuple[str, ...]) -> None:
    """Let rows of these tables be added only."""
    for table in tables:
        if op.get_bind().dialect.name == "postgresql":
            op.execute(
                f"CREATE TRIGGER {table}_is_never_changed BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            )
            op.execute(
                f"CREATE TRIGGER {table}_is_never_emptied BEFORE TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )
            continue
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuses_{verb.lower()} BEFORE {verb} ON {table} BEGIN "
                f"SELECT RAISE(ABORT, 'rows of {table} are never changed or removed'); END"
            )


def make_corrections() -> None:
    """Make the table of corrections: asked for by one person, confirmed by another."""
    op.create_table(
        "snapshot_correction",
        sa.Column("id", BIG, nullable=False),
        sa.Column("period", sa.String(length=24), nullable=False),
        sa.Column("organization_id", BIG, nullable=False),
        sa.Column("snapshot_id", BIG, nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("objection_id", BIG, nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("asked_by_id", BIG, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by_id", BIG, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.String(length=200), nullable=False),
        sa.Column("corrected_id", BIG, nullable=True),
        sa.CheckConstraint(
            "state IN ('pending', 'confirmed', 'refused')",
            name=op.f("ck_snapshot_correction_state"),
        ),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_snapshot_correction_reason")),
        sa.CheckConstraint(
            "decided_by_id IS NULL OR decided_by_id <> asked_by_id",
            name=op.f("ck_snapshot_correction_second_person"),
        ),
        sa.CheckConstraint(
            "(decided_by_id IS NULL) = (state = 'pending')",
            name=op.f("ck_snapshot_correction_decided"),
        ),
        sa.CheckConstraint(
            "(corrected_id IS NULL) = (state <> 'confirmed')",
            name=op.f("ck_snapshot_correction_corrected"),
        ),
        *(
            sa.ForeignKeyConstraint(
                [column],
                [f"{table}.id"],
                name=op.f(f"fk_snapshot_correction_{column}_{table}"),
            )
            for column, table in (
                ("organization_id", "organization"),
                ("snapshot_id", "snapshot"),
                ("objection_id", "objection"),
                ("asked_by_id", "member"),
                ("decided_by_id", "member"),
                ("corrected_id", "snapshot"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshot_correction")),
        sa.UniqueConstraint("corrected_id", name=op.f("uq_snapshot_correction_corrected_id")),
    )
    op.create_index(
        "uq_snapshot_correction_pending",
        "snapshot_correction",
        ["period", "organization_id"],
        unique=True,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )


def make_courses() -> None:
    """Make the table of how far a closed period is on its way to the archive."""
    op.create_table(
        "period_course",
        sa.Column("period", sa.String(length=24), nullable=False),
        sa.Column("organization_id", BIG, nullable=False),
        sa.Column("notice_id", BIG, nullable=True),
        sa.Column("snapshot_id", BIG, nullable=True),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("archived_by_id", BIG, nullable=True),
        sa.CheckConstraint(
            "notice_id IS NULL OR snapshot_id IS NOT NULL", name=op.f("ck_period_course_notice")
        ),
        sa.CheckConstraint(
            "archived_at IS NULL OR snapshot_id IS NOT NULL",
            name=op.f("ck_period_course_snapshot"),
        ),
        sa.CheckConstraint(
            "archived_by_id IS NULL OR archived_at IS NOT NULL",
            name=op.f("ck_period_course_archived"),
        ),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_period_course_{column}_{table}")
            )
            for column, table in (
                ("organization_id", "organization"),
                ("notice_id", "notice"),
                ("snapshot_id", "snapshot"),
                ("archived_by_id", "member"),
            )
        ),
        sa.PrimaryKeyConstraint("period", "organization_id", name=op.f("pk_period_course")),
    )
    op.create_index(
        "ix_period_course_shown",
        "period_course",
        ["notice_id"],
        sqlite_where=sa.text("archived_at IS NULL AND notice_id IS NOT NULL"),
        postgresql_where=sa.text("archived_at IS NULL AND notice_id IS NOT NULL"),
    )


def upgrade() -> None:
    """Make the tables."""
    # Derived from score entries: the job `rankings` makes them anew.
    for name in ("branch_standing", "member_standing", "roll_up"):
        op.execute(f"DELETE FROM {name}")
    with op.batch_alter_table("roll_up") as batch:
        batch.add_column(sa.Column("first_on", sa.Date(), nullable=False))
        batch.add_column(sa.Column("end_on", sa.Date(), nullable=False))
        batch.add_column(sa.Column("standard_id", BIG, nullable=False))
        batch.add_column(sa.Column("entry_id", BIG, nullable=False))
        batch.add_column(sa.Column("change_id", BIG, nullable=False))
        batch.add_column(sa.Column("is_doubted", sa.Boolean(), nullable=False))
        batch.alter_column(
            "period",
            existing_type=sa.VARCHAR(length=8),
            type_=sa.String(length=24),
            existing_nullable=False,
        )
        batch.create_foreign_key(
            batch.f("fk_roll_up_standard_id_scoring_standard"),
            "scoring_standard",
            ["standard_id"],
            ["id"],
        )
        batch.create_check_constraint(
            batch.f("ck_roll_up_counts"), "entries >= 0 AND members >= 0"
        )
    with op.batch_alter_table("member_standing") as batch:
        batch.add_column(sa.Column("grid_id", BIG, nullable=True))
        batch.add_column(sa.Column("table_name", sa.String(length=16), nullable=False))
        batch.add_column(sa.Column("is_exempt", sa.Boolean(), nullable=False))
        batch.add_column(sa.Column("is_vetoed", sa.Boolean(), nullable=False))
        batch.add_column(sa.Column("base_hundredths", BIG, nullable=False))
        batch.add_column(sa.Column("bonus_hundredths", BIG, nullable=False))
        batch.add_column(sa.Column("deduction_hundredths", BIG, nullable=False))
        batch.alter_column(
            "period",
            existing_type=sa.VARCHAR(length=8),
            type_=sa.String(length=24),
            existing_nullable=False,
        )
        batch.drop_index(batch.f("ix_member_standing_period_organization_id"))
        batch.create_index(
            batch.f("ix_member_standing_period_evaluation_hundredths_member_id"),
            ["period", "evaluation_hundredths", "member_id"],
            unique=False,
        )
        batch.create_index(
            batch.f("ix_member_standing_period_grid_id_evaluation_hundredths"),
            ["period", "grid_id", "evaluation_hundredths"],
            unique=False,
        )
        batch.create_index(
            batch.f("ix_member_standing_period_organization_id_evaluation_hundredths"),
            ["period", "organization_id", "evaluation_hundredths"],
            unique=False,
        )
        batch.create_index(
            batch.f("ix_member_standing_period_points_earned_member_id"),
            ["period", "points_earned", "member_id"],
            unique=False,
        )
        batch.create_index(
            batch.f("ix_member_standing_period_service_minutes_member_id"),
            ["period", "service_minutes", "member_id"],
            unique=False,
        )
        for column, table in STANDING_KEYS:
            batch.drop_constraint(
                batch.f(f"fk_member_standing_{column}_{table}"), type_="foreignkey"
            )
    with op.batch_alter_table("branch_standing") as batch:
        batch.alter_column(
            "period",
            existing_type=sa.VARCHAR(length=8),
            type_=sa.String(length=24),
            existing_nullable=False,
        )
    op.create_table(
        "custom_period",
        sa.Column("name", sa.String(length=24), nullable=False),
        sa.Column("title", sa.String(length=60), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("end_on", sa.Date(), nullable=False),
        sa.Column("made_by_id", BIG, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("end_on > first_on", name=op.f("ck_custom_period_span")),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["member.id"], name=op.f("fk_custom_period_made_by_id_member")
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_custom_period")),
    )

    op.create_table(
        "standing_count",
        sa.Column("period", sa.String(length=24), nullable=False),
        sa.Column("organization_id", BIG, nullable=False),
        sa.Column("measure", sa.String(length=12), nullable=False),
        sa.Column("value", BIG, autoincrement=False, nullable=False),
        sa.Column("members", BIG, nullable=False),
        sa.CheckConstraint(
            "measure IN ('evaluation', 'points', 'minutes')",
            name=op.f("ck_standing_count_measure"),
        ),
        sa.CheckConstraint("members >= 0", name=op.f("ck_standing_count_members")),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_standing_count_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["period"], ["roll_up.period"], name=op.f("fk_standing_count_period_roll_up")
        ),
        sa.PrimaryKeyConstraint(
            "period", "organization_id", "measure", "value", name=op.f("pk_standing_count")
        ),
    )

    op.create_table(
        "snapshot",
        sa.Column("id", BIG, nullable=False),
        sa.Column("period", sa.String(length=24), nullable=False),
        sa.Column("organization_id", BIG, nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.Column("standard_id", BIG, nullable=False),
        sa.Column("cut_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entry_id", BIG, nullable=False),
        sa.Column("entries", BIG, nullable=False),
        sa.Column("sum_hundredths", BIG, nullable=False),
        sa.Column("sum_points", BIG, nullable=False),
        sa.Column("sum_minutes", BIG, nullable=False),
        sa.Column("members", BIG, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("objection_id", BIG, nullable=True),
        sa.Column("made_by_id", BIG, nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(version = 1) = (reason = '')", name=op.f("ck_snapshot_reason")),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["member.id"], name=op.f("fk_snapshot_made_by_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["objection_id"], ["objection.id"], name=op.f("fk_snapshot_objection_id_objection")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_snapshot_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["standard_id"],
            ["scoring_standard.id"],
            name=op.f("fk_snapshot_standard_id_scoring_standard"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshot")),
        sa.UniqueConstraint(
            "period",
            "organization_id",
            "version",
            name=op.f("uq_snapshot_period_organization_id_version"),
        ),
    )

    op.create_table(
        "snapshot_line",
        sa.Column("snapshot_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("rank", BIG, nullable=True),
        sa.Column("table_name", sa.String(length=16), nullable=False),
        sa.Column("is_exempt", sa.Boolean(), nullable=False),
        sa.Column("is_vetoed", sa.Boolean(), nullable=False),
        sa.Column("base_hundredths", BIG, nullable=False),
        sa.Column("bonus_hundredths", BIG, nullable=False),
        sa.Column("deduction_hundredths", BIG, nullable=False),
        sa.Column("evaluation_hundredths", BIG, nullable=False),
        sa.Column("points_earned", BIG, nullable=False),
        sa.Column("service_minutes", BIG, nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_snapshot_line_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["snapshot_id"], ["snapshot.id"], name=op.f("fk_snapshot_line_snapshot_id_snapshot")
        ),
        sa.PrimaryKeyConstraint("snapshot_id", "member_id", name=op.f("pk_snapshot_line")),
    )
    with op.batch_alter_table("snapshot_line", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_snapshot_line_member_id"), ["member_id"], unique=False
        )

    make_corrections()
    make_courses()
    if op.get_bind().dialect.name == "postgresql":
        op.execute(DECIDED)
    refuse_changes(("snapshot", "snapshot_line"))

    op.create_table(
        "grade_review",
        sa.Column("id", BIG, nullable=False),
        sa.Column("period", sa.String(length=24), nullable=False),
        sa.Column("organization_id", BIG, nullable=False),
        sa.Column("snapshot_id", BIG, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("opened_by_id", BIG, nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("notice_id", BIG, nullable=True),
        sa.Column("final_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'confirmed', 'noticed', 'final')",
            name=op.f("ck_grade_review_state"),
        ),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notice.id"], name=op.f("fk_grade_review_notice_id_notice")
        ),
        sa.ForeignKeyConstraint(
            ["opened_by_id"], ["member.id"], name=op.f("fk_grade_review_opened_by_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_grade_review_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["snapshot_id"], ["snapshot.id"], name=op.f("fk_grade_review_snapshot_id_snapshot")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grade_review")),
        sa.UniqueConstraint(
            "period", "organization_id", name=op.f("uq_grade_review_period_organization_id")
        ),
    )

    op.create_table(
        "grade_case",
        sa.Column("review_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("round", BIG, nullable=False),
        sa.Column("advised", sa.String(length=12), nullable=False),
        sa.Column("grade", sa.String(length=12), nullable=True),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("decided_by_id", BIG, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "advised IN ('excellent', 'qualified', 'basic', 'unqualified')",
            name=op.f("ck_grade_case_advised"),
        ),
        sa.CheckConstraint(
            "grade IS NULL OR grade = advised OR reason <> ''",
            name=op.f("ck_grade_case_reason"),
        ),
        sa.CheckConstraint(
            "(grade IS NULL) = (decided_by_id IS NULL)", name=op.f("ck_grade_case_decided")
        ),
        sa.CheckConstraint("decided_by_id <> member_id", name=op.f("ck_grade_case_recusal")),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["member.id"], name=op.f("fk_grade_case_decided_by_id_member")
        ),
        sa.CheckConstraint(
            "grade IS NULL OR grade IN ('excellent', 'qualified', 'basic', 'unqualified')",
            name=op.f("ck_grade_case_grade"),
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_grade_case_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["review_id"],
            ["grade_review.id"],
            name=op.f("fk_grade_case_review_id_grade_review"),
        ),
        sa.PrimaryKeyConstraint("review_id", "member_id", name=op.f("pk_grade_case")),
    )
    with op.batch_alter_table("grade_case", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_grade_case_member_id"), ["member_id"], unique=False
        )

    op.create_table(
        "grade_voice",
        sa.Column("review_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("voter_id", BIG, nullable=False),
        sa.Column("round", BIG, autoincrement=False, nullable=False),
        sa.Column("grade", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "grade IN ('excellent', 'qualified', 'basic', 'unqualified')",
            name=op.f("ck_grade_voice_grade"),
        ),
        sa.CheckConstraint("voter_id <> member_id", name=op.f("ck_grade_voice_recusal")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_grade_voice_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["review_id"],
            ["grade_review.id"],
            name=op.f("fk_grade_voice_review_id_grade_review"),
        ),
        sa.ForeignKeyConstraint(
            ["voter_id"], ["member.id"], name=op.f("fk_grade_voice_voter_id_member")
        ),
        sa.PrimaryKeyConstraint(
            "review_id", "member_id", "voter_id", "round", name=op.f("pk_grade_voice")
        ),
    )


def downgrade() -> None:
    """Take everything back."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION decided_score_ids()")
    # Derived from score entries: the job `rankings` makes them anew.
    for name in ("standing_count", "branch_standing", "member_standing", "roll_up"):
        op.execute(f"DELETE FROM {name}")
    op.drop_table("grade_voice")
    op.drop_table("grade_case")
    op.drop_table("grade_review")
    op.drop_table("period_course")
    op.drop_table("snapshot_correction")
    op.drop_table("snapshot_line")
    op.drop_table("snapshot")
    op.drop_table("standing_count")
    op.drop_table("custom_period")
    with op.batch_alter_table("branch_standing") as batch:
        batch.alter_column(
            "period",
            existing_type=sa.String(length=24),
            type_=sa.VARCHAR(length=8),
            existing_nullable=False,
        )
    with op.batch_alter_table("member_standing") as batch:
        for column, table in STANDING_KEYS:
            batch.create_foreign_key(
                batch.f(f"fk_member_standing_{column}_{table}"),
                table,
                [column],
                ["period" if table == "roll_up" else "id"],
            )
        batch.drop_index(batch.f("ix_member_standing_period_service_minutes_member_id"))
        batch.drop_index(batch.f("ix_member_standing_period_points_earned_member_id"))
        batch.drop_index(
            batch.f("ix_member_standing_period_organization_id_evaluation_hundredths")
        )
        batch.drop_index(batch.f("ix_member_standing_period_grid_id_evaluation_hundredths"))
        batch.drop_index(batch.f("ix_member_standing_period_evaluation_hundredths_member_id"))
        batch.create_index(
            batch.f("ix_member_standing_period_organization_id"),
            ["period", "organization_id"],
            unique=False,
        )
        batch.alter_column(
            "period",
            existing_type=sa.String(length=24),
            type_=sa.VARCHAR(length=8),
            existing_nullable=False,
        )
        batch.drop_column("deduction_hundredths")
        batch.drop_column("bonus_hundredths")
        batch.drop_column("base_hundredths")
        batch.drop_column("is_vetoed")
        batch.drop_column("is_exempt")
        batch.drop_column("table_name")
        batch.drop_column("grid_id")
    with op.batch_alter_table("roll_up") as batch:
        batch.drop_constraint(batch.f("ck_roll_up_counts"), type_="check")
        batch.drop_constraint(
            batch.f("fk_roll_up_standard_id_scoring_standard"), type_="foreignkey"
        )
        batch.alter_column(
            "period",
            existing_type=sa.String(length=24),
            type_=sa.VARCHAR(length=8),
            existing_nullable=False,
        )
        batch.drop_column("is_doubted")
        batch.drop_column("change_id")
        batch.drop_column("entry_id")
        batch.drop_column("standard_id")
        batch.drop_column("end_on")
        batch.drop_column("first_on")
