"""Members without a password choose their first by a code.

Why: Whoever was imported has no password, and nobody could give them a way to sign in.
Undo: downgrade drops the codes; passwords that were chosen stay.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table of codes."""
    op.create_table(
        "activation_code",
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("made_by_id", BIG, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["member.id"], name=op.f("fk_activation_code_made_by_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_activation_code_member_id_member")
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_activation_code")),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("activation_code")
