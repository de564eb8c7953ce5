"""Members have skills and trainings, and join by an invitation.

Why: Tasks ask for skills, courses and ages; people register themselves with a branch's code.
Undo: downgrade drops these tables and the dates of birth.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

SKILLS = (
    ("first_aid", "First aid", "急救"),
    ("nursing", "Nursing and care", "护理照料"),
    ("driving", "Driving", "驾驶"),
    ("electrics", "Electrical repairs", "电工维修"),
    ("plumbing", "Plumbing and heating", "水暖维修"),
    ("appliances", "Appliance repairs", "家电维修"),
    ("haircutting", "Hair cutting", "理发"),
    ("cooking", "Cooking", "做饭"),
    ("tutoring", "Tutoring", "功课辅导"),
    ("computers", "Phones and computers", "手机电脑"),
    ("photography", "Photography", "摄影"),
    ("music_and_dance", "Music and dance", "文艺表演"),
    ("calligraphy", "Calligraphy and painting", "书法绘画"),
    ("law", "Legal advice", "法律咨询"),
    ("counselling", "Counselling", "心理疏导"),
    ("mediation", "Mediation", "矛盾调解"),
    ("sign_language", "Sign language", "手语"),
    ("translation", "Translation", "翻译"),
    ("gardening", "Gardening", "园艺"),
    ("fire_safety", "Fire safety", "消防安全"),
)


def upgrade() -> None:
    """Make the tables, with the skills that tasks can ask for."""
    op.create_table(
        "skill",
        sa.Column("id", BIG, nullable=False),
        sa.Column("code", sa.String(length=24), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("name_zh", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_skill")),
        sa.UniqueConstraint("code", name=op.f("uq_skill_code")),
    )
    op.create_table(
        "training",
        sa.Column("id", BIG, nullable=False),
        sa.Column("code", sa.String(length=24), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("valid_months", BIG, nullable=True),
        sa.CheckConstraint("valid_months > 0", name=op.f("ck_training_valid_months")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training")),
        sa.UniqueConstraint("code", name=op.f("uq_training_code")),
    )
    op.create_table(
        "member_skill",
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("skill_id", BIG, nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by_id", BIG, nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(confirmed_by_id IS NULL) = (confirmed_at IS NULL)",
            name=op.f("ck_member_skill_confirmation"),
        ),
        sa.CheckConstraint(
            "confirmed_by_id IS NULL OR confirmed_by_id <> member_id",
            name=op.f("ck_member_skill_second_person"),
        ),
        sa.ForeignKeyConstraint(
            ["confirmed_by_id"],
            ["member.id"],
            name=op.f("fk_member_skill_confirmed_by_id_member"),
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_member_skill_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["skill_id"], ["skill.id"], name=op.f("fk_member_skill_skill_id_skill")
        ),
        sa.PrimaryKeyConstraint("member_id", "skill_id", name=op.f("pk_member_skill")),
    )
    op.create_index(
        op.f("ix_member_skill_skill_id"), "member_skill", ["skill_id"], unique=False
    )
    op.create_table(
        "member_training",
        sa.Column("id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("training_id", BIG, nullable=False),
        sa.Column("completed_on", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("recorded_by_id", BIG, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "recorded_by_id <> member_id", name=op.f("ck_member_training_second_person")
        ),
        sa.CheckConstraint("valid_until >= completed_on", name=op.f("ck_member_training_span")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_member_training_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"],
            ["member.id"],
            name=op.f("fk_member_training_recorded_by_id_member"),
        ),
        sa.ForeignKeyConstraint(
            ["training_id"],
            ["training.id"],
            name=op.f("fk_member_training_training_id_training"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_training")),
    )
    op.create_index(
        op.f("ix_member_training_member_id"), "member_training", ["member_id"], unique=False
    )
    op.create_index(
        "uq_member_training_standing",
        "member_training",
        ["member_id", "training_id", "completed_on"],
        unique=True,
        sqlite_where=sa.text("withdrawn_at IS NULL"),
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_table(
        "branch_invitation",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organization_id", BIG, nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("made_by_id", BIG, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("uses_max", BIG, nullable=False),
        sa.Column("uses", BIG, server_default="0", nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('volunteer', 'party_member', 'probationary_member', 'resident', 'staff')",
            name=op.f("ck_branch_invitation_kind"),
        ),
        sa.CheckConstraint(
            "0 <= uses AND uses <= uses_max", name=op.f("ck_branch_invitation_uses")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["member.id"], name=op.f("fk_branch_invitation_made_by_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_branch_invitation_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_branch_invitation")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_branch_invitation_code_hash")),
    )
    op.create_index(
        op.f("ix_branch_invitation_organization_id"),
        "branch_invitation",
        ["organization_id"],
        unique=False,
    )
    op.create_table(
        "invitation_guess",
        sa.Column("key_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("guesses", BIG, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("guesses >= 0", name=op.f("ck_invitation_guess_guesses")),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_invitation_guess")),
    )
    op.create_index(
        op.f("ix_invitation_guess_since"), "invitation_guess", ["since"], unique=False
    )
    op.bulk_insert(
        sa.table("skill", sa.column("code"), sa.column("name"), sa.column("name_zh")),
        [{"code": code, "name": name, "name_zh": name_zh} for code, name, name_zh in SKILLS],
    )
    op.add_column("member", sa.Column("born_on", sa.Date(), nullable=True))


def downgrade() -> None:
    """Drop what is new."""
    op.drop_column("member", "born_on")
    op.drop_table("invitation_guess")
    op.drop_table("branch_invitation")
    op.drop_table("member_training")
    op.drop_table("member_skill")
    op.drop_table("training")
    op.drop_table("skill")
