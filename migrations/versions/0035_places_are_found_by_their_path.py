"""Paths of the tree are compared by their bytes on PostgreSQL, as SQLite always does.

Why: What lies under a place begins with its path; only in this order an index finds it,
     whatever language the database was made for.
Undo: downgrade gives the column the database's own order back.
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let PostgreSQL compare paths by their bytes."""
    _compare_by("C")


def downgrade() -> None:
    """Let PostgreSQL compare paths as it compares other words."""
    _compare_by("default")


def _compare_by(collation: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column(
            "organization",
            "path",
            type_=sa.String(length=400, collation=collation),
            existing_nullable=False,
        )
