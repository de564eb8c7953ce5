"""Party members of a work unit register with the community where they live.

Why: What they do at home is told to their unit once a quarter, in sums and by consent.
Undo: downgrade drops the tables.
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PEOPLE = ("member_id", "entered_by_id", "accepted_by_id", "confirmed_by_id", "ended_by_id")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "dual_registration",
        sa.Column("id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("work_unit_id", BIG, nullable=False),
        sa.Column("community_id", BIG, nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("entered_by_id", BIG, nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_by_id", BIG, nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by_id", BIG, nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("from_on", sa.Date(), nullable=True),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("ended_by_id", BIG, nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.String(length=200), nullable=False),
        sa.Column("named_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("named_channel", sa.String(length=8), nullable=True),
        *checks(),
        *(
            sa.ForeignKeyConstraint(
                [column], ["member.id"], name=op.f(f"fk_dual_registration_{column}_member")
            )
            for column in PEOPLE
        ),
        *(
            sa.ForeignKeyConstraint(
                [column],
                ["organization.id"],
                name=op.f(f"fk_dual_registration_{column}_organization"),
            )
            for column in ("work_unit_id", "community_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dual_registration")),
    )
    with op.batch_alter_table("dual_registration", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_dual_registration_member_id"), ["member_id"], unique=False
        )
        for column in ("community_id", "work_unit_id"):
            batch_op.create_index(
                batch_op.f(f"ix_dual_registration_{column}_state"),
                [column, "state"],
                unique=False,
            )
        batch_op.create_index(
            "uq_dual_registration_alive",
            ["member_id"],
            unique=True,
            sqlite_where=sa.text("state <> 'ended'"),
            postgresql_where=sa.text("state <> 'ended'"),
        )
    op.create_table(
        "dual_comment",
        sa.Column("registration_id", BIG, nullable=False),
        sa.Column("period", sa.String(length=7), nullable=False),
        sa.Column("comment", sa.String(length=200), nullable=False),
        sa.Column("written_by_id", BIG, nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["dual_registration.id"],
            name=op.f("fk_dual_comment_registration_id_dual_registration"),
        ),
        sa.ForeignKeyConstraint(
            ["written_by_id"],
            ["member.id"],
            name=op.f("fk_dual_comment_written_by_id_member"),
        ),
        sa.PrimaryKeyConstraint("registration_id", "period", name=op.f("pk_dual_comment")),
    )


def checks() -> list[sa.CheckConstraint]:
    """Return what a registration must be, whoever writes it."""
    conditions = {
        "state": "state IN ('applied', 'accepted', 'active', 'ended')",
        "accepted": "(accepted_by_id IS NULL) = (from_on IS NULL)",
        "applied": "state <> 'applied' OR from_on IS NULL",
        "standing": "state NOT IN ('accepted', 'active') OR from_on IS NOT NULL",
        "confirmed": "state <> 'active' OR confirmed_by_id IS NOT NULL",
        "ended": "(state = 'ended') = (ended_at IS NOT NULL)",
        "span": "until_on IS NULL OR until_on >= from_on",
        "second_person": "(accepted_by_id IS NULL OR accepted_by_id <> member_id)"
        " AND (confirmed_by_id IS NULL OR confirmed_by_id <> member_id)",
        "named": "(named_at IS NULL) = (named_channel IS NULL)",
        "named_channel": "named_channel IN ('screen', 'paper')",
    }
    return [
        sa.CheckConstraint(condition, name=op.f(f"ck_dual_registration_{name}"))
        for name, condition in conditions.items()
    ]


def downgrade() -> None:
    """Take everything back."""
    op.drop_table("dual_comment")
    op.drop_table("dual_registration")
