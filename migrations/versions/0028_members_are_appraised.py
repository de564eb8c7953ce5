"""What goes into an evaluation besides work is entered by one and confirmed by another.

Why: Deductions, vetoes, exemptions and the counts of democratic appraisal; the kind of a
meeting, so that a branch sees what it held.
Undo: downgrade drops the tables and the kind.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

SECOND_PERSON = (
    "confirmed_by_id IS NULL OR (confirmed_by_id <> entered_by_id"
    " AND confirmed_by_id <> member_id)"
)
LIFTED_BY_ANOTHER = (
    "lifted_by_id IS NULL OR (lifted_by_id <> entered_by_id AND lifted_by_id <> member_id)"
)
STATE = "state IN ('pending', 'confirmed', 'refused', 'lifted')"
DECIDED = "(confirmed_by_id IS NULL) = (state = 'pending')"
LIFTED = "state <> 'lifted' OR lifted_by_id IS NOT NULL"
ANSWERED = (
    "(answered_by_id IS NULL) = (answered_at IS NULL)"
    " AND (answered_by_id IS NULL OR (stated_at IS NOT NULL AND answered_by_id <> member_id))"
)
STANDING = sa.text("state IN ('pending', 'confirmed')")
MEETING_KINDS = ("branch_assembly", "committee", "group", "lecture", "theme_day")


def moment(name: str, *, nullable: bool = True) -> sa.Column:
    """Return a column for a moment."""
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def words(name: str, length: int) -> sa.Column:
    """Return a column for words, which may be empty."""
    return sa.Column(name, sa.String(length=length), nullable=False)


def person(name: str, *, nullable: bool = True) -> sa.Column:
    """Return a column for a member."""
    return sa.Column(name, BIG, nullable=nullable)


def rule(table: str, name: str, condition: str) -> sa.CheckConstraint:
    """Return a condition that the database holds a table to."""
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def refers(table: str, column: str, other: str = "member") -> sa.ForeignKeyConstraint:
    """Return a reference to another table's row."""
    return sa.ForeignKeyConstraint(
        [column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}")
    )


def decision() -> list[sa.Column]:
    """Return the columns of what two people do: enter, decide, take back."""
    return [
        words("state", 12),
        person("entered_by_id", nullable=False),
        moment("entered_at", nullable=False),
        person("confirmed_by_id"),
        moment("decided_at"),
        words("decision_reason", 200),
        person("lifted_by_id"),
        moment("lifted_at"),
        words("lift_reason", 200),
    ]


def contest() -> list[sa.Column]:
    """Return the columns of what the member says to it, and of the answer."""
    return [
        words("statement", 400),
        moment("stated_at"),
        words("answer", 400),
        person("answered_by_id"),
        moment("answered_at"),
    ]


def make_papers(table: str, day: str, *more: sa.Column | sa.CheckConstraint) -> None:
    """Make the table of one kind of paper about a member."""
    is_contestable = table in ("deduction", "veto")
    op.create_table(
        table,
        sa.Column("id", BIG, nullable=False),
        person("member_id", nullable=False),
        sa.Column("organization_id", BIG, nullable=False),
        words("reason", 200),
        *decision(),
        *(contest() if is_contestable else []),
        *more,
        rule(table, "state", STATE),
        rule(table, "not_oneself", "entered_by_id <> member_id"),
        rule(table, "second_person", SECOND_PERSON),
        rule(table, "decided", DECIDED),
        rule(table, "lifted", LIFTED),
        rule(table, "lifted_by_another", LIFTED_BY_ANOTHER),
        *([rule(table, "answered", ANSWERED)] if is_contestable else []),
        *(
            refers(table, column)
            for column in ("member_id", "entered_by_id", "confirmed_by_id", "lifted_by_id")
        ),
        *([refers(table, "answered_by_id")] if is_contestable else []),
        refers(table, "organization_id", "organization"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_member_id_{day}"), table, ["member_id", day])
    op.create_index(
        op.f(f"ix_{table}_organization_id_state"), table, ["organization_id", "state"]
    )


def make_appraisals() -> None:
    """Make the tables of meetings and counts."""
    table = "appraisal_meeting"
    op.create_table(
        table,
        sa.Column("id", BIG, nullable=False),
        sa.Column("organization_id", BIG, nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("ballots", BIG, nullable=False),
        *decision(),
        rule(table, "state", STATE),
        rule(table, "ballots", "ballots > 0"),
        rule(
            table,
            "second_person",
            "confirmed_by_id IS NULL OR confirmed_by_id <> entered_by_id",
        ),
        rule(
            table,
            "lifted_by_another",
            "lifted_by_id IS NULL OR lifted_by_id <> entered_by_id",
        ),
        rule(table, "decided", DECIDED),
        rule(table, "lifted", LIFTED),
        *(
            refers(table, column)
            for column in ("entered_by_id", "confirmed_by_id", "lifted_by_id")
        ),
        refers(table, "organization_id", "organization"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(
        "uq_appraisal_meeting_standing",
        table,
        ["organization_id", "held_on"],
        unique=True,
        sqlite_where=STANDING,
        postgresql_where=STANDING,
    )
    table = "appraisal_count"
    op.create_table(
        table,
        sa.Column("meeting_id", BIG, nullable=False),
        person("member_id", nullable=False),
        *(
            sa.Column(name, BIG, nullable=False)
            for name in ("excellent", "qualified", "basic", "unqualified")
        ),
        sa.Column("entry_id", BIG, nullable=True),
        rule(
            table,
            "counts",
            "excellent >= 0 AND qualified >= 0 AND basic >= 0 AND unqualified >= 0",
        ),
        refers(table, "entry_id", "score_entry"),
        refers(table, "meeting_id", "appraisal_meeting"),
        refers(table, "member_id"),
        sa.PrimaryKeyConstraint("meeting_id", "member_id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("entry_id", name=op.f(f"uq_{table}_entry_id")),
    )


def upgrade() -> None:
    """Make the tables."""
    make_appraisals()
    make_papers(
        "deduction",
        "occurred_on",
        sa.Column("hundredths", BIG, nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        words("document_no", 60),
        words("evidence", 400),
        sa.Column("entry_id", BIG, nullable=True),
        rule("deduction", "hundredths", "hundredths BETWEEN 200 AND 2000"),
        rule("deduction", "entry", "entry_id IS NULL OR state IN ('confirmed', 'lifted')"),
        refers("deduction", "entry_id", "score_entry"),
        sa.UniqueConstraint("entry_id", name=op.f("uq_deduction_entry_id")),
    )
    make_papers(
        "veto",
        "occurred_on",
        words("reason_code", 16),
        words("document_no", 60),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        rule("veto", "document", "document_no <> ''"),
        rule(
            "veto",
            "reason_code",
            "reason_code IN ('discipline', 'crime', 'cult', 'social_harm', 'falsified',"
            " 'other')",
        ),
    )
    make_papers(
        "exemption",
        "from_on",
        words("reason_code", 16),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        rule("exemption", "span", "until_on IS NULL OR until_on > from_on"),
        rule(
            "exemption",
            "reason_code",
            "reason_code IN ('over_70', 'long_illness', 'mobile', 'other')",
        ),
    )
    make_papers(
        "late_entry",
        "occurred_on",
        words("item_code", 40),
        sa.Column("times", BIG, nullable=False),
        sa.Column("service_minutes", BIG, nullable=False),
        sa.Column("hundredths", BIG, nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        words("document_no", 60),
        sa.Column("entry_id", BIG, nullable=True),
        rule("late_entry", "hundredths", "hundredths >= 0"),
        rule("late_entry", "times", "times BETWEEN 1 AND 9"),
        rule("late_entry", "service_minutes", "service_minutes BETWEEN 0 AND 480"),
        rule("late_entry", "something", "hundredths > 0 OR service_minutes > 0"),
        rule("late_entry", "document", "document_no <> ''"),
        rule("late_entry", "entry", "entry_id IS NULL OR state IN ('confirmed', 'lifted')"),
        refers("late_entry", "entry_id", "score_entry"),
        sa.UniqueConstraint("entry_id", name=op.f("uq_late_entry_entry_id")),
    )
    kinds = ", ".join(repr(kind) for kind in MEETING_KINDS)
    with op.batch_alter_table("task") as batch:
        batch.add_column(sa.Column("meeting_kind", sa.String(length=16), nullable=True))
        batch.create_check_constraint(
            batch.f("ck_task_meeting_kind"),
            f"meeting_kind IS NULL OR (kind = 'meeting' AND meeting_kind IN ({kinds}))",
        )


def downgrade() -> None:
    """Take everything back."""
    with op.batch_alter_table("task") as batch:
        batch.drop_constraint(batch.f("ck_task_meeting_kind"), type_="check")
        batch.drop_column("meeting_kind")
    op.drop_table("late_entry")
    op.drop_table("exemption")
    op.drop_table("veto")
    op.drop_table("deduction")
    op.drop_table("appraisal_count")
    op.drop_table("appraisal_meeting")
