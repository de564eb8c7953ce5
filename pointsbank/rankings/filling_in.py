"""What the statements of the roll-up are filled in with: how the standard counts, and whom."""

from collections.abc import Iterable, Mapping
from datetime import date

from pointsbank.rankings.models import COUNTED_KINDS
from pointsbank.rankings.sources import EXEMPTING_REASONS, MOBILE_REASON
from pointsbank.rankings.statements import (
    BODY,
    COVERS,
    CUT,
    ENTRIES,
    ENTRIES_OF_ITEMS,
    FULL_SUMS,
    ITEMS,
    LIFTED,
    NARROWED,
    OF_MEMBER,
    POSTGRESQL,
    RECOUNTED,
    RUNG,
    SEEN,
    SQLITE,
    SUMS,
)
from pointsbank.scoring.evaluating import DEDUCTION, ItemCaps
from pointsbank.scoring.models import CATEGORIES
from pointsbank.scoring.tables import (
    DEFAULT_TABLE,
    FULL_HUNDREDTHS,
    MOBILE_TABLE,
    EvaluationTable,
)


def quoted(words: Iterable[str]) -> str:
    """Return words of ours as a list of SQL texts."""
    return ", ".join(f"'{word}'" for word in words)


def shares_of(table: EvaluationTable) -> list[str]:
    """Return a row of each category: its name, place, kind, cap, and whether it is given whole.

    As scoring/evaluating.py has it, down to a table that says odd things.
    """
    rows = []
    for place, category in enumerate(CATEGORIES):
        kind = "base" if category in table.base else "bonus"
        cap = table.cap_of(category)
        if category == DEDUCTION:
            kind, cap = DEDUCTION, 0
        is_full = table.base_mode == "start_full_and_deduct" and category in table.base
        rows.append(f"'{category}', {place}, '{kind}', {cap}, {int(is_full)}")
    return rows


def items_with_caps(codes: Mapping[int, str], caps: Mapping[str, ItemCaps]) -> str:
    """Return a row of each item that has a limit of its own; items of one code share a number.

    codes: of every item by its id. Empty when no item has any limit.
    """
    numbers = {code: min(i for i, c in codes.items() if c == code) for code in codes.values()}
    rows = []
    for item_id, code in sorted(codes.items()):
        limit = caps.get(code, ItemCaps())
        if (limit.day, limit.week, limit.year) == (None, None, None):
            continue
        has_span = int(limit.day is not None or limit.week is not None)
        most = (
            "CAST(NULL AS bigint)" if each is None else str(each)
            for each in (limit.day, limit.week, limit.year)
        )
        rows.append(f"({item_id}, {numbers[code]}, {has_span}, {', '.join(most)})")
    return ", ".join(rows)


def rungs_of(week: str, limits: Iterable[ItemCaps], factor: int) -> str:
    """Return the sums that lead from entries to categories; a rung no item needs is left out.

    Days are cut at the day's cap, their weeks at the week's, the sum on a year's scale at the
    year's. Items without a limit add up in one group, code 0, which has neither day nor week.
    week: the SQL of the week of a day.
    """
    limits = list(limits)
    has_day, has_week, has_year = (
        any(getattr(each, span) is not None for each in limits)
        for span in ("day", "week", "year")
    )
    weekly = ["MAX(week_cap) AS week_cap"] if has_week else []
    yearly = ["MAX(year_cap) AS year_cap"] if has_year else []
    category, code = ["member_id", "category"], ["member_id", "category", "code_id"]
    week_key = f"CASE WHEN week_cap IS NOT NULL THEN {week} END"
    sum_of_year = f"SUM(counted) * {factor}"
    rungs = [
        (has_day, "days", [*code, "day"], [*weekly, *yearly], _cut("SUM(counted)", "day")),
        (has_week, "weeks", [*code, week_key], yearly, _cut("SUM(counted)", "week")),
        (has_year, "items", code, [], _cut(sum_of_year, "year")),
        (True, "found", category, [], "SUM(counted)" if has_year else sum_of_year),
    ]
    source = ENTRIES_OF_ITEMS if has_day or has_week or has_year else ENTRIES
    made = []
    for is_needed, name, keys, caps, counted in rungs:
        if is_needed:
            columns = [key for key in keys if key != week_key] + caps
            made.append(
                RUNG.format(
                    name=name,
                    columns=", ".join(columns),
                    keys=", ".join(keys),
                    counted=counted,
                    source=source,
                    sums=SUMS,
                )
            )
            source = name
    return ",".join(made)


def _cut(counted: str, span: str) -> str:
    return CUT.format(counted=counted, cap=f"MAX({span}_cap)")


def words_for(
    *,
    is_postgresql: bool,
    is_full: bool,
    span: Mapping[str, date | int],
    codes: Mapping[int, str],
    caps: Mapping[str, ItemCaps],
    tables: Mapping[str, EvaluationTable],
    factor: int,
) -> dict[str, str]:
    """Return what the statements of one step are filled in with.

    span: first_on, last_on, end_on, entry_id, change_id, after_entry, after_change. is_full:
    everybody, not only who was touched.
    """
    words = dict(POSTGRESQL if is_postgresql else SQLITE)
    words |= {
        key: value.isoformat() if isinstance(value, date) else str(value)
        for key, value in span.items()
    }
    words["category_of"] = words["text_of"].format("category")
    for fact in ("score", "earned", "entries", "points", "minutes", "members", "total"):
        words[f"{fact}_of"] = words["number_of"].format(fact)
    words |= {
        # A standard without a table for mobile members uses its default one for them.
        "mobile_table": tables[MOBILE_TABLE].name,
        "default_table": DEFAULT_TABLE,
        "mobile": MOBILE_REASON,
        "exempting": quoted(EXEMPTING_REASONS),
        "counted_kinds": quoted(COUNTED_KINDS),
        "deduction": DEDUCTION,
        "of_member": OF_MEMBER,
        "full": str(FULL_HUNDREDTHS),
        "here_covers": COVERS.format("here", **words),
        "exemption_covers": COVERS.format("exemption", **words),
        "seen": SEEN.format(**words),
        "standing_parts": words["parts"].format("standing"),
        "branch_parts": words["parts"].format("branch"),
        "parts_made": words["json"].format("made.parts"),
        "branch_parts_made": words["json"].format("COALESCE(made.parts, '[]')"),
        "body": BODY.format(more=""),
        "branch_body": BODY.format(
            more="""\"members": ' || members || ', \"total": ' || total || ', """
        ),
        **_narrowed(is_full=is_full),
    }
    words |= _sums(words, codes, caps, tables, factor)
    words["lifted"] = LIFTED.format(**words)
    return words


def _narrowed(*, is_full: bool) -> dict[str, str]:
    """Return what narrows each statement to those who were touched; nothing for everybody."""
    if is_full:
        return dict.fromkeys((*NARROWED, *RECOUNTED), "")
    return dict(NARROWED) | dict(RECOUNTED)


def _sums(
    words: Mapping[str, str],
    codes: Mapping[int, str],
    caps: Mapping[str, ItemCaps],
    tables: Mapping[str, EvaluationTable],
    factor: int,
) -> dict[str, str]:
    """Return how categories add up: through days and weeks only where an item limits them."""
    rows = items_with_caps(codes, caps)
    limits = [cap for code, cap in caps.items() if code in codes.values()]
    is_full_somewhere = any(
        table.base_mode == "start_full_and_deduct" for table in tables.values()
    )
    return {
        "shares": ", ".join(
            f"('{name}', {row})" for name, table in tables.items() for row in shares_of(table)
        ),
        "items": ITEMS.format(rows=rows) if rows else "",
        "rungs": rungs_of(words["week"], limits, factor).format(**words),
        "full_sums": FULL_SUMS.format(sums=SUMS) if is_full_somewhere else "",
        "last_sums": "summed_whole" if is_full_somewhere else "found",
        "sums": SUMS,
    }
