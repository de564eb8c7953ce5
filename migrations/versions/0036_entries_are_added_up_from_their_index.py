"""The index of a member's entries holds what is added up of them, on PostgreSQL.

Why: A roll-up of new entries adds up all entries of the members concerned, which lie apart from
     each other in the table and beside each other in the index.
Undo: downgrade makes the index without the figures again.
"""

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

INDEX = "ix_score_entry_member_id_earned_on"
FIGURES = [
    "id",
    "item_id",
    "category",
    "evaluation_hundredths",
    "points",
    "service_minutes",
]


def upgrade() -> None:
    """Make the index anew with the figures."""
    _make_anew(FIGURES)


def downgrade() -> None:
    """Make the index anew without them."""
    _make_anew([])


def _make_anew(figures: list[str]) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index(op.f(INDEX), table_name="score_entry")
        op.create_index(
            op.f(INDEX), "score_entry", ["member_id", "earned_on"], postgresql_include=figures
        )
