"""Tasks have roles, series, groups and rules of who may claim.

Why: Places belong to roles, shifts recur, a freed place is offered with a time to accept, a
branch keeps places for its people, and large or dangerous work needs more than its organizer.
Undo: downgrade drops what is new; submitted tasks become drafts.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# Claims and shifts of before have one role without a name.
GIVE_ROLES = """
    INSERT INTO shift_role (shift_id, name, places, claimed)
    SELECT id, '', places, claimed FROM shift
"""
TAKE_ROLES = """
    UPDATE claim SET role_id =
        (SELECT id FROM shift_role WHERE shift_role.shift_id = claim.shift_id)
"""


def upgrade() -> None:
    """Make the tables, and give every shift its role."""
    widen_tasks()
    widen_shifts()
    make_groups()
    widen_claims()
    make_promises()


def widen_tasks() -> None:
    """Add what a task asks for and who approved it."""
    with op.batch_alter_table("task") as batch:
        batch.add_column(
            sa.Column("risk_level", sa.String(length=8), server_default="low", nullable=False)
        )
        batch.add_column(sa.Column("insurance_ref", sa.String(length=80), nullable=True))
        batch.add_column(sa.Column("contact_name", sa.String(length=60), nullable=True))
        batch.add_column(sa.Column("contact_phone", sa.String(length=20), nullable=True))
        batch.add_column(
            sa.Column("eligibility", sa.JSON(), server_default=sa.text("'{}'"), nullable=False)
        )
        batch.add_column(sa.Column("claims_open_at", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(
            sa.Column("claims_close_at", sa.DateTime(timezone=True), nullable=True)
        )
        batch.add_column(
            sa.Column("needs_approval", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch.add_column(sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("approved_by_id", BIG, nullable=True))
        batch.add_column(sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True))
        batch.create_foreign_key(
            batch.f("fk_task_approved_by_id_member"), "member", ["approved_by_id"], ["id"]
        )
        batch.drop_constraint(batch.f("ck_task_state"), type_="check")
        batch.create_check_constraint(
            batch.f("ck_task_state"), "state IN ('draft', 'submitted', 'open', 'cancelled')"
        )
        batch.create_check_constraint(
            batch.f("ck_task_risk_level"), "risk_level IN ('low', 'medium', 'high')"
        )
        batch.create_check_constraint(
            batch.f("ck_task_insured"),
            "state <> 'open' OR risk_level <> 'high' OR insurance_ref IS NOT NULL",
        )
        batch.create_check_constraint(
            batch.f("ck_task_approved"),
            "state <> 'open' OR NOT needs_approval OR approved_by_id IS NOT NULL",
        )
        batch.create_check_constraint(
            batch.f("ck_task_second_person"),
            "approved_by_id IS NULL OR approved_by_id <> organizer_id",
        )
        batch.create_check_constraint(
            batch.f("ck_task_claim_window"), "claims_open_at < claims_close_at"
        )
    op.create_table(
        "task_skill",
        sa.Column("task_id", BIG, nullable=False),
        sa.Column("skill_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["skill_id"], ["skill.id"], name=op.f("fk_task_skill_skill_id_skill")
        ),
        sa.ForeignKeyConstraint(
            ["task_id"], ["task.id"], name=op.f("fk_task_skill_task_id_task")
        ),
        sa.PrimaryKeyConstraint("task_id", "skill_id", name=op.f("pk_task_skill")),
    )
    op.create_index(op.f("ix_task_skill_skill_id"), "task_skill", ["skill_id"], unique=False)


def widen_shifts() -> None:
    """Make series and roles."""
    op.create_table(
        "series",
        sa.Column("id", BIG, nullable=False),
        sa.Column("task_id", BIG, nullable=False),
        sa.Column("rule", sa.String(length=400), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("start_minute", BIG, nullable=False),
        sa.Column("lasts_minutes", BIG, nullable=False),
        sa.Column("break_minutes", BIG, server_default="0", nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("place_name", sa.String(length=120), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("weeks_ahead", BIG, nullable=False),
        sa.Column("made_through", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("follows_id", BIG, nullable=True),
        sa.Column("made_by_id", BIG, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('active', 'ended')", name=op.f("ck_series_state")),
        sa.CheckConstraint("break_minutes >= 0", name=op.f("ck_series_break_minutes")),
        sa.CheckConstraint(
            "lasts_minutes BETWEEN 1 AND 1440", name=op.f("ck_series_lasts_minutes")
        ),
        sa.CheckConstraint(
            "start_minute BETWEEN 0 AND 1439", name=op.f("ck_series_start_minute")
        ),
        sa.CheckConstraint("weeks_ahead BETWEEN 1 AND 26", name=op.f("ck_series_weeks_ahead")),
        sa.ForeignKeyConstraint(
            ["follows_id"], ["series.id"], name=op.f("fk_series_follows_id_series")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["member.id"], name=op.f("fk_series_made_by_id_member")
        ),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_series_task_id_task")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_series")),
    )
    op.create_index(op.f("ix_series_task_id"), "series", ["task_id"], unique=False)
    with op.batch_alter_table("shift") as batch:
        batch.add_column(sa.Column("break_minutes", BIG, server_default="0", nullable=False))
        batch.add_column(sa.Column("series_id", BIG, nullable=True))
        batch.add_column(sa.Column("occurs_on", sa.Date(), nullable=True))
        batch.add_column(
            sa.Column("is_detached", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch.add_column(sa.Column("called_off_at", sa.DateTime(timezone=True), nullable=True))
        batch.create_unique_constraint(
            batch.f("uq_shift_series_id_occurs_on"), ["series_id", "occurs_on"]
        )
        batch.create_foreign_key(
            batch.f("fk_shift_series_id_series"), "series", ["series_id"], ["id"]
        )
        batch.create_check_constraint(batch.f("ck_shift_break_minutes"), "break_minutes >= 0")
        batch.create_check_constraint(
            batch.f("ck_shift_occurrence"), "(series_id IS NULL) = (occurs_on IS NULL)"
        )
    op.create_table(
        "shift_role",
        sa.Column("id", BIG, nullable=False),
        sa.Column("shift_id", BIG, nullable=False),
        sa.Column("name", sa.String(length=40), server_default="", nullable=False),
        sa.Column("places", BIG, nullable=False),
        sa.Column("claimed", BIG, server_default="0", nullable=False),
        sa.Column("eligibility", sa.JSON(), server_default=sa.text("'{}'"), nullable=False),
        sa.CheckConstraint(
            "0 <= claimed AND claimed <= places", name=op.f("ck_shift_role_claimed")
        ),
        sa.CheckConstraint("places BETWEEN 1 AND 2000", name=op.f("ck_shift_role_places")),
        sa.ForeignKeyConstraint(
            ["shift_id"], ["shift.id"], name=op.f("fk_shift_role_shift_id_shift")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift_role")),
        sa.UniqueConstraint("shift_id", "name", name=op.f("uq_shift_role_shift_id_name")),
    )
    op.execute(GIVE_ROLES)


def make_groups() -> None:
    """Make the places that branches keep."""
    op.create_table(
        "group_claim",
        sa.Column("id", BIG, nullable=False),
        sa.Column("shift_id", BIG, nullable=False),
        sa.Column("role_id", BIG, nullable=False),
        sa.Column("organization_id", BIG, nullable=False),
        sa.Column("places", BIG, nullable=False),
        sa.Column("taken", BIG, server_default="0", nullable=False),
        sa.Column("made_by_id", BIG, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("release_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("0 <= taken AND taken <= places", name=op.f("ck_group_claim_taken")),
        sa.CheckConstraint("places BETWEEN 1 AND 200", name=op.f("ck_group_claim_places")),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["member.id"], name=op.f("fk_group_claim_made_by_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_group_claim_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["role_id"], ["shift_role.id"], name=op.f("fk_group_claim_role_id_shift_role")
        ),
        sa.ForeignKeyConstraint(
            ["shift_id"], ["shift.id"], name=op.f("fk_group_claim_shift_id_shift")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_group_claim")),
    )
    op.create_index(
        op.f("ix_group_claim_organization_id"), "group_claim", ["organization_id"], unique=False
    )
    op.create_index(op.f("ix_group_claim_shift_id"), "group_claim", ["shift_id"], unique=False)
    op.create_index(
        "uq_group_claim_standing",
        "group_claim",
        ["role_id", "organization_id"],
        unique=True,
        sqlite_where=sa.text("released_at IS NULL"),
        postgresql_where=sa.text("released_at IS NULL"),
    )


def widen_claims() -> None:
    """Give every claim its role, and those who move up a time to accept."""
    with op.batch_alter_table("claim") as batch:
        batch.add_column(sa.Column("role_id", BIG, nullable=True))
        batch.add_column(
            sa.Column("source", sa.String(length=12), server_default="self", nullable=False)
        )
        batch.add_column(sa.Column("group_claim_id", BIG, nullable=True))
        batch.add_column(sa.Column("accept_by", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("withdrawal", sa.String(length=16), nullable=True))
        batch.add_column(sa.Column("told_in_time", sa.Boolean(), nullable=True))
        batch.add_column(sa.Column("missed_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(TAKE_ROLES)
    with op.batch_alter_table("claim") as batch:
        batch.alter_column("role_id", existing_type=BIG, nullable=False)
        batch.create_index(
            batch.f("ix_claim_accept_by"),
            ["accept_by"],
            unique=False,
            sqlite_where=sa.text("accept_by IS NOT NULL"),
            postgresql_where=sa.text("accept_by IS NOT NULL"),
        )
        batch.create_index(batch.f("ix_claim_group_claim_id"), ["group_claim_id"], unique=False)
        batch.create_index(batch.f("ix_claim_role_id"), ["role_id"], unique=False)
        batch.create_foreign_key(
            batch.f("fk_claim_role_id_shift_role"), "shift_role", ["role_id"], ["id"]
        )
        batch.create_foreign_key(
            batch.f("fk_claim_group_claim_id_group_claim"),
            "group_claim",
            ["group_claim_id"],
            ["id"],
        )
        batch.create_check_constraint(
            batch.f("ck_claim_source"),
            "source IN ('self', 'walk_in', 'standing', 'invitation')",
        )
        batch.create_check_constraint(
            batch.f("ck_claim_withdrawal"),
            "withdrawal IN ('gave_up', 'offer_lapsed', 'task_called_off')",
        )
        batch.create_check_constraint(
            batch.f("ck_claim_accept_by"), "accept_by IS NULL OR state = 'claimed'"
        )


def make_promises() -> None:
    """Make invitations, standing claims and calendars."""
    op.create_table(
        "invitation",
        sa.Column("id", BIG, nullable=False),
        sa.Column("shift_id", BIG, nullable=False),
        sa.Column("role_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("group_claim_id", BIG, nullable=True),
        sa.Column("invited_by_id", BIG, nullable=False),
        sa.Column("invited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claim_id", BIG, nullable=True),
        sa.CheckConstraint(
            "(state = 'accepted') = (claim_id IS NOT NULL)", name=op.f("ck_invitation_claim")
        ),
        sa.CheckConstraint(
            "(state = 'open') = (answered_at IS NULL)", name=op.f("ck_invitation_answer")
        ),
        sa.CheckConstraint(
            "state IN ('open', 'accepted', 'declined', 'lapsed')",
            name=op.f("ck_invitation_state"),
        ),
        sa.ForeignKeyConstraint(
            ["claim_id"], ["claim.id"], name=op.f("fk_invitation_claim_id_claim")
        ),
        sa.ForeignKeyConstraint(
            ["group_claim_id"],
            ["group_claim.id"],
            name=op.f("fk_invitation_group_claim_id_group_claim"),
        ),
        sa.ForeignKeyConstraint(
            ["invited_by_id"], ["member.id"], name=op.f("fk_invitation_invited_by_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_invitation_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["role_id"], ["shift_role.id"], name=op.f("fk_invitation_role_id_shift_role")
        ),
        sa.ForeignKeyConstraint(
            ["shift_id"], ["shift.id"], name=op.f("fk_invitation_shift_id_shift")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("claim_id", name=op.f("uq_invitation_claim_id")),
    )
    op.create_index(
        op.f("ix_invitation_member_id_state"),
        "invitation",
        ["member_id", "state"],
        unique=False,
    )
    op.create_index(
        "uq_invitation_open",
        "invitation",
        ["shift_id", "member_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "standing_claim",
        sa.Column("id", BIG, nullable=False),
        sa.Column("series_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("role_name", sa.String(length=40), server_default="", nullable=False),
        sa.Column("weekdays", BIG, nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("until >= since", name=op.f("ck_standing_claim_span")),
        sa.CheckConstraint(
            "weekdays BETWEEN 1 AND 127", name=op.f("ck_standing_claim_weekdays")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_standing_claim_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["series_id"], ["series.id"], name=op.f("fk_standing_claim_series_id_series")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standing_claim")),
    )
    op.create_index(
        op.f("ix_standing_claim_member_id"), "standing_claim", ["member_id"], unique=False
    )
    op.create_index(
        "uq_standing_claim_living",
        "standing_claim",
        ["series_id", "member_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "calendar_feed",
        sa.Column("id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_calendar_feed_member_id_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_feed")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_calendar_feed_token_hash")),
    )
    op.create_index(
        "uq_calendar_feed_living",
        "calendar_feed",
        ["member_id"],
        unique=True,
        sqlite_where=sa.text("withdrawn_at IS NULL"),
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )


def downgrade() -> None:
    """Drop what is new."""
    op.drop_table("calendar_feed")
    op.drop_table("standing_claim")
    op.drop_table("invitation")
    op.drop_index(op.f("ix_claim_accept_by"), "claim")
    op.drop_index(op.f("ix_claim_group_claim_id"), "claim")
    op.drop_index(op.f("ix_claim_role_id"), "claim")
    with op.batch_alter_table("claim") as batch:
        batch.drop_constraint(batch.f("ck_claim_source"), type_="check")
        batch.drop_constraint(batch.f("ck_claim_withdrawal"), type_="check")
        batch.drop_constraint(batch.f("ck_claim_accept_by"), type_="check")
        batch.drop_constraint(batch.f("fk_claim_role_id_shift_role"), type_="foreignkey")
        batch.drop_constraint(
            batch.f("fk_claim_group_claim_id_group_claim"), type_="foreignkey"
        )
        batch.drop_column("missed_at")
        batch.drop_column("told_in_time")
        batch.drop_column("withdrawal")
        batch.drop_column("accept_by")
        batch.drop_column("group_claim_id")
        batch.drop_column("source")
        batch.drop_column("role_id")
    op.drop_table("group_claim")
    op.drop_table("shift_role")
    with op.batch_alter_table("shift") as batch:
        batch.drop_constraint(batch.f("ck_shift_break_minutes"), type_="check")
        batch.drop_constraint(batch.f("ck_shift_occurrence"), type_="check")
        batch.drop_constraint(batch.f("fk_shift_series_id_series"), type_="foreignkey")
        batch.drop_constraint(batch.f("uq_shift_series_id_occurs_on"), type_="unique")
        batch.drop_column("called_off_at")
        batch.drop_column("is_detached")
        batch.drop_column("occurs_on")
        batch.drop_column("series_id")
        batch.drop_column("break_minutes")
    op.drop_table("series")
    op.drop_table("task_skill")
    op.execute("UPDATE task SET state = 'draft' WHERE state = 'submitted'")
    with op.batch_alter_table("task") as batch:
        batch.drop_constraint(batch.f("ck_task_state"), type_="check")
        batch.drop_constraint(batch.f("ck_task_risk_level"), type_="check")
        batch.drop_constraint(batch.f("ck_task_insured"), type_="check")
        batch.drop_constraint(batch.f("ck_task_approved"), type_="check")
        batch.drop_constraint(batch.f("ck_task_second_person"), type_="check")
        batch.drop_constraint(batch.f("ck_task_claim_window"), type_="check")
        batch.drop_constraint(batch.f("fk_task_approved_by_id_member"), type_="foreignkey")
        batch.create_check_constraint(
            batch.f("ck_task_state"), "state IN ('draft', 'open', 'cancelled')"
        )
        batch.drop_column("approved_at")
        batch.drop_column("approved_by_id")
        batch.drop_column("submitted_at")
        batch.drop_column("needs_approval")
        batch.drop_column("claims_close_at")
        batch.drop_column("claims_open_at")
        batch.drop_column("eligibility")
        batch.drop_column("contact_phone")
        batch.drop_column("contact_name")
        batch.drop_column("insurance_ref")
        batch.drop_column("risk_level")
