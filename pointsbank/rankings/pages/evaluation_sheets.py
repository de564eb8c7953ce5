"""A closed period as a workbook from which anybody computes a rank by hand."""

from collections.abc import Iterator, Sequence

from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.core.clock import moment_text
from pointsbank.core.sheets import Cell, Sheet
from pointsbank.rankings.evidence import Rules, entries_counted, rules_of
from pointsbank.rankings.pages.facing import period_name
from pointsbank.rankings.period_schemas import name_for
from pointsbank.rankings.policy import yearly_factor
from pointsbank.rankings.snapshots import (
    NamedLine,
    SnapshotFile,
    changes_between,
    lines_of,
    snapshot_of,
)


def workbook_of(session: Session, snapshot: SnapshotFile, *, is_full: bool) -> Iterator[Sheet]:
    """Yield the sheets of one version of a closed period; rows are read as they are written.

    Scores are whole hundredths throughout. is_full: names are written in full.
    """
    lines = lines_of(session, snapshot.id)
    rules = rules_of(session, snapshot)
    said = f"{snapshot.organization_name} · {period_name(snapshot.span)}"
    yield head_sheet(snapshot, rules, said)
    yield items_sheet(rules, said)
    yield tables_sheet(rules, said)
    yield entries_sheet(session, snapshot, said, is_full=is_full)
    yield lines_sheet(lines, said, is_full=is_full)
    yield parts_sheet(lines, said)
    if snapshot.version > 1:
        older = snapshot_of(
            session,
            period=snapshot.period,
            organization_id=snapshot.organization_id,
            version=snapshot.version - 1,
        )
        yield changes_sheet(lines_of(session, older.id), lines, said, is_full=is_full)


def head_sheet(snapshot: SnapshotFile, rules: Rules, said: str) -> Sheet:
    """Return what the version was made of, by names that programs read too."""
    facts: list[tuple[str, str, Cell]] = [
        ("period", gettext("Period"), snapshot.period),
        ("first_on", gettext("First day"), snapshot.span.first_on.isoformat()),
        ("end_on", gettext("Day after the last"), snapshot.span.end_on.isoformat()),
        ("factor", gettext("Factor to a year"), yearly_factor(snapshot.span)),
        ("organization", gettext("Organization code"), snapshot.organization_code),
        ("version", gettext("Version"), snapshot.version),
        ("reason", gettext("Reason of the correction"), snapshot.reason),
        ("standard", gettext("Version of the standard"), snapshot.standard_version),
        ("standard_name", gettext("Standard"), rules.name),
        ("cut_at", gettext("Recorded before"), moment_text(snapshot.cut_at)),
        ("entry", gettext("Entries through number"), snapshot.entry_id),
        ("entries", gettext("Number of entries"), snapshot.entries),
        ("hundredths", gettext("Sum of hundredths"), snapshot.sum_hundredths),
        ("points", gettext("Sum of points"), snapshot.sum_points),
        ("minutes", gettext("Sum of service minutes"), snapshot.sum_minutes),
        ("members", gettext("Members"), snapshot.members),
        ("digest", gettext("Digest"), snapshot.digest),
        ("made_at", gettext("Made"), moment_text(snapshot.made_at)),
    ]
    return Sheet(
        name=gettext("Snapshot"),
        note=f"{said} · {gettext('Computed by hand as docs/evaluation.md shows.')}",
        headers=[gettext("Field"), gettext("Meaning"), gettext("Value")],
        rows=facts,
    )


def items_sheet(rules: Rules, said: str) -> Sheet:
    """Return every item with its caps; an empty cap is none."""
    return Sheet(
        name=gettext("Items"),
        note=said,
        headers=[
            gettext("Item"),
            gettext("Name"),
            gettext("Category"),
            gettext("Most a day"),
            gettext("Most a week"),
            gettext("Most a year"),
        ],
        rows=(
            [code, name, category, caps.day, caps.week, caps.year]
            for code, (name, category, caps) in rules.items.items()
        ),
    )


def tables_sheet(rules: Rules, said: str) -> Sheet:
    """Return the tables: caps of base and bonus, then the lowest score of each grade."""
    return Sheet(
        name=gettext("Tables"),
        note=said,
        headers=[
            gettext("Table"),
            gettext("Mode"),
            gettext("Kind"),
            gettext("Category or grade"),
            gettext("Hundredths"),
        ],
        rows=(
            [name, table.base_mode, kind, key, value]
            for name, table in rules.tables.items()
            for kind, values in (
                ("base", table.base),
                ("bonus", table.bonus),
                ("grade", table.floors),
            )
            for key, value in values.items()
        ),
    )


def entries_sheet(
    session: Session, snapshot: SnapshotFile, said: str, *, is_full: bool
) -> Sheet:
    """Return every entry that the version counts."""
    return Sheet(
        name=gettext("Entries"),
        note=said,
        headers=[
            gettext("Number"),
            gettext("Volunteer no."),
            gettext("Name"),
            gettext("Day"),
            gettext("Item"),
            gettext("Category"),
            gettext("Version of the standard"),
            gettext("Hundredths"),
            gettext("Points"),
            gettext("Service minutes"),
            gettext("Title"),
            gettext("Cause"),
        ],
        rows=(
            [
                each.id,
                each.volunteer_no,
                name_for(each.name, is_full=is_full),
                each.earned_on.isoformat(),
                each.item_code,
                each.category,
                each.standard_version,
                each.hundredths,
                each.points,
                each.minutes,
                each.title,
                each.cause,
            ]
            for each in entries_counted(session, snapshot)
        ),
    )


def lines_sheet(lines: Sequence[NamedLine], said: str, *, is_full: bool) -> Sheet:
    """Return every member's line."""
    return Sheet(
        name=gettext("Ranks"),
        note=said,
        headers=[
            gettext("Rank"),
            gettext("Volunteer no."),
            gettext("Name"),
            gettext("Table"),
            gettext("Exempt"),
            gettext("Veto"),
            gettext("Base"),
            gettext("Bonus"),
            gettext("Deduction"),
            gettext("Evaluation score"),
            gettext("Points"),
            gettext("Service minutes"),
        ],
        rows=(
            [
                each.line.rank,
                each.line.volunteer_no,
                name_for(each.name, is_full=is_full),
                each.line.table_name,
                int(each.line.is_exempt),
                int(each.line.is_vetoed),
                each.line.base_hundredths,
                each.line.bonus_hundredths,
                each.line.deduction_hundredths,
                each.line.evaluation_hundredths,
                each.line.points_earned,
                each.line.service_minutes,
            ]
            for each in lines
        ),
    )


def parts_sheet(lines: Sequence[NamedLine], said: str) -> Sheet:
    """Return the parts of every line, category by category."""
    return Sheet(
        name=gettext("Parts"),
        note=said,
        headers=[
            gettext("Volunteer no."),
            gettext("Category"),
            gettext("Kind"),
            gettext("Earned"),
            gettext("Cap"),
            gettext("Score"),
            gettext("Number of entries"),
            gettext("Points"),
            gettext("Service minutes"),
        ],
        rows=(
            [
                each.line.volunteer_no,
                part["category"],
                part["kind"],
                part["earned"],
                part["cap"],
                part["score"],
                part["entries"],
                part["points"],
                part["minutes"],
            ]
            for each in lines
            for part in each.line.parts
        ),
    )


def changes_sheet(
    before: Sequence[NamedLine], after: Sequence[NamedLine], said: str, *, is_full: bool
) -> Sheet:
    """Return what this version changed against the one before it."""
    people = {each.line.member_id: each for each in [*before, *after]}
    changes = changes_between([each.line for each in before], [each.line for each in after])
    return Sheet(
        name=gettext("Changes"),
        note=said,
        headers=[
            gettext("Volunteer no."),
            gettext("Name"),
            gettext("Score before"),
            gettext("Score after"),
            gettext("Rank before"),
            gettext("Rank after"),
            gettext("Own change"),
            gettext("Moved because of"),
        ],
        rows=(
            [
                people[each.member_id].line.volunteer_no,
                name_for(people[each.member_id].name, is_full=is_full),
                each.before.evaluation_hundredths if each.before else None,
                each.after.evaluation_hundredths if each.after else None,
                each.before.rank if each.before else None,
                each.after.rank if each.after else None,
                int(each.is_own),
                " ".join(people[other].line.volunteer_no for other in each.because_of),
            ]
            for each in changes
        ),
    )
