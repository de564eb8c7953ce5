"""One branch proposes that a member moves, and the other confirms.

Why: A secretary looks after one end of a move only; two people, one at each end, make it.
Undo: downgrade drops the table; moves that were made stay.
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PEOPLE = ("member_id", "proposed_by_id", "decided_by_id")
PLACES = ("from_id", "to_id")
CHECKS = {
    "state": "state IN ('pending', 'confirmed', 'refused', 'withdrawn')",
    "side": "side IN ('from', 'to')",
    "ends": "from_id <> to_id",
    "not_oneself": "proposed_by_id <> member_id",
    "decided": "(decided_by_id IS NULL) = (state = 'pending')",
    "second_person": (
        "decided_by_id IS NULL OR decided_by_id <> member_id"
        " AND (decided_by_id = proposed_by_id) = (state = 'withdrawn')"
    ),
}


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "move_proposal",
        sa.Column("id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("from_id", BIG, nullable=False),
        sa.Column("to_id", BIG, nullable=False),
        sa.Column("side", sa.String(length=4), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("proposed_by_id", BIG, nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by_id", BIG, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.String(length=200), nullable=False),
        *(
            sa.CheckConstraint(condition, name=op.f(f"ck_move_proposal_{name}"))
            for name, condition in CHECKS.items()
        ),
        *(
            sa.ForeignKeyConstraint(
                [column], ["member.id"], name=op.f(f"fk_move_proposal_{column}_member")
            )
            for column in PEOPLE
        ),
        *(
            sa.ForeignKeyConstraint(
                [column],
                ["organization.id"],
                name=op.f(f"fk_move_proposal_{column}_organization"),
            )
            for column in PLACES
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_move_proposal")),
    )
    with op.batch_alter_table("move_proposal", schema=None) as batch_op:
        for column in ("member_id", *PLACES):
            batch_op.create_index(
                batch_op.f(f"ix_move_proposal_{column}"), [column], unique=False
            )
        batch_op.create_index(
            "uq_move_proposal_pending",
            ["member_id"],
            unique=True,
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("move_proposal")
