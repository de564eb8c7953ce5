"""What the nightly check of standings found is kept, a row for each day.

Why: Figures, readiness and the dashboard tell of standings that differed, as of the ledger.
Undo: downgrade drops the table; the next night begins anew.
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "standing_check",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("compared", sa.BigInteger(), nullable=False),
        sa.Column("wrong", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("wrong >= 0", name=op.f("ck_standing_check_wrong")),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_standing_check")),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("standing_check")
