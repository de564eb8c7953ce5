"""A rank computed from the cells of the exported workbook, and from nothing else.

Written anew from docs/evaluation.md, "By hand": it knows neither the service nor its rules.
"""

import datetime
import hashlib
import json
from collections import defaultdict

FIRST_ROW = 4


def read_book(book):
    """Return the rows of the workbook's sheets in their order, cells as they stand."""
    sheets = [
        [
            row
            for row in page.iter_rows(min_row=FIRST_ROW, values_only=True)
            if any(cell is not None for cell in row)
        ]
        for page in book.worksheets
    ]
    names = ("head", "items", "tables", "entries", "lines", "parts", "changes")
    found = dict(zip(names, sheets, strict=False))
    found["head"] = {row[0]: row[2] for row in found["head"]}
    return found


def at_most(value, cap):
    return value if cap is None else min(value, cap)


def entries_of(book, number):
    """Return the sums of days by item, each item's category, and what is deducted."""
    days, categories, deducted = defaultdict(int), {}, 0
    for row in book["entries"]:
        day, item, category, hundredths = row[3], row[4], row[5], row[7]
        if row[1] == number and category == "deduction":
            deducted -= hundredths
        elif row[1] == number:
            days[item, day] += hundredths
            categories[item] = category
    return days, categories, deducted


def category_sums(book, days, categories):
    """Return what each category has after the caps of its items, on a year's scale."""
    caps = {row[0]: row[3:6] for row in book["items"]}
    weeks, items, sums = defaultdict(int), defaultdict(int), defaultdict(int)
    for (item, day), value in days.items():
        year, week, _ = datetime.date.fromisoformat(day).isocalendar()
        weeks[item, year, week] += at_most(value, caps[item][0])
    for (item, _year, _week), value in weeks.items():
        items[item] += at_most(value, caps[item][1])
    for item, value in items.items():
        sums[categories[item]] += at_most(value * book["head"]["factor"], caps[item][2])
    return sums


def points_of(book, number, table_name):
    """Return one member's score in hundredths: the table's rows summed, less deductions."""
    days, categories, deducted = entries_of(book, number)
    sums = category_sums(book, days, categories)
    score = 0
    for _name, mode, kind, category, most in (
        row for row in book["tables"] if row[0] == table_name
    ):
        if kind == "base" and mode == "start_full_and_deduct":
            score += most
        elif kind in ("base", "bonus"):
            score += max(0, min(most, sums[category]))
    return max(0, min(10000, score - max(0, deducted)))


def ranks_of(book):
    """Return each member's (score, rank) by volunteer number."""
    scores = {row[1]: points_of(book, row[1], row[3]) for row in book["lines"]}
    ranked = [row[1] for row in book["lines"] if not row[4]]
    return {
        number: (
            score,
            1 + sum(1 for other in ranked if scores[other] > score)
            if number in ranked
            else None,
        )
        for number, score in scores.items()
    }


def digest_of(book):
    """Return the digest of the version, from the cells alone."""
    head = book["head"]
    lines = [
        {
            "format": "pointsbank-snapshot/1",
            "period": head["period"],
            "organization": head["organization"],
            "version": head["version"],
            "standard": head["standard"],
            "cut_at": head["cut_at"],
            "entry": head["entry"],
            "entries": head["entries"],
            "hundredths": head["hundredths"],
            "points": head["points"],
            "minutes": head["minutes"],
            "members": head["members"],
        }
    ]
    for row in sorted(book["lines"], key=lambda each: each[1]):
        lines.append(
            {
                "no": row[1],
                "rank": row[0],
                "table": row[3],
                "exempt": bool(row[4]),
                "vetoed": bool(row[5]),
                "base": row[6],
                "bonus": row[7],
                "deduction": row[8],
                "score": row[9],
                "points": row[10],
                "minutes": row[11],
                "parts": [list(part[1:7]) for part in book["parts"] if part[0] == row[1]],
            }
        )
    text = "".join(
        json.dumps(line, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"
        for line in lines
    )
    return hashlib.sha256(text.encode()).hexdigest()
