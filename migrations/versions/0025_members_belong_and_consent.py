"""Where members belonged is kept, and what they allowed.

Why: A period is counted by where people belonged on its last day; public notices ask for
consent; branches have committees.
Undo: downgrade drops both tables and the role of committees.
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

OLD_ROLES = ("administrator", "organizer", "clerk", "secretary", "auditor")
NEW_ROLES = (*OLD_ROLES, "committee")


def one_of(column: str, values: tuple[str, ...]) -> str:
    """Return the SQL condition that a column holds one of these words."""
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "belonging",
        sa.Column("id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("organization_id", BIG, nullable=False),
        sa.Column("grid_id", BIG, nullable=True),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "until_on IS NULL OR until_on > from_on", name=op.f("ck_belonging_span")
        ),
        sa.ForeignKeyConstraint(
            ["grid_id"], ["organization.id"], name=op.f("fk_belonging_grid_id_organization")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_belonging_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_belonging_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_belonging")),
        sa.UniqueConstraint(
            "member_id", "from_on", name=op.f("uq_belonging_member_id_from_on")
        ),
    )
    with op.batch_alter_table("belonging", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_belonging_organization_id_from_on"),
            ["organization_id", "from_on"],
            unique=False,
        )
        batch_op.create_index(
            "uq_belonging_now",
            ["member_id"],
            unique=True,
            sqlite_where=sa.text("until_on IS NULL"),
            postgresql_where=sa.text("until_on IS NULL"),
        )

    op.create_table(
        "member_change",
        sa.Column("id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("cause", sa.String(length=12), nullable=False),
        sa.Column("left_id", BIG, nullable=True),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "cause IN ('joined', 'moved', 'state', 'veto', 'exemption')",
            name=op.f("ck_member_change_cause"),
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_member_change_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["left_id"],
            ["organization.id"],
            name=op.f("fk_member_change_left_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_change")),
    )
    op.create_index(op.f("ix_member_change_member_id"), "member_change", ["member_id"])

    op.create_table(
        "consent",
        sa.Column("id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("recorded_by_id", BIG, nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("channel IN ('screen', 'paper')", name=op.f("ck_consent_channel")),
        sa.CheckConstraint("purpose IN ('publish_name')", name=op.f("ck_consent_purpose")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_consent_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["member.id"], name=op.f("fk_consent_recorded_by_id_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.create_index(
            "uq_consent_standing",
            ["member_id", "purpose"],
            unique=True,
            sqlite_where=sa.text("withdrawn_at IS NULL"),
            postgresql_where=sa.text("withdrawn_at IS NULL"),
        )
    # Where people belonged before is not known; where they are now counts from their first day.
    op.execute(
        "INSERT INTO belonging (member_id, organization_id, grid_id, from_on)"
        " SELECT id, organization_id, grid_id, DATE(joined_at) FROM member"
    )
    with op.batch_alter_table("member_role") as batch:
        batch.drop_constraint(batch.f("ck_member_role_role"), type_="check")
        batch.create_check_constraint(batch.f("ck_member_role_role"), one_of("role", NEW_ROLES))


def downgrade() -> None:
    """Take everything back."""
    op.execute("DELETE FROM member_role WHERE role = 'committee'")
    with op.batch_alter_table("member_role") as batch:
        batch.drop_constraint(batch.f("ck_member_role_role"), type_="check")
        batch.create_check_constraint(batch.f("ck_member_role_role"), one_of("role", OLD_ROLES))
    op.drop_table("consent")
    op.drop_table("member_change")
    op.drop_table("belonging")
