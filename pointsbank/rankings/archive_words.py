"""The sheets of a year's archive, with their headings and words."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session

from pointsbank.core.calendar import Period
from pointsbank.core.sheets import Cell, Sheet
from pointsbank.rankings.archiving import (
    Row,
    appraisals_in,
    corrections_in,
    grades_in,
    meetings_in,
    members_in,
    notice_lines_in,
    notices_in,
    objections_in,
    papers_in,
    snapshot_lines_in,
    snapshots_in,
    stars_in,
)

# What the tables keep as codes.
WORDS = {
    "excellent": lazy_gettext("Excellent"),
    "qualified": lazy_gettext("Qualified"),
    "basic": lazy_gettext("Basically qualified"),
    "unqualified": lazy_gettext("Unqualified"),
    "pending": lazy_gettext("Waits for another person"),
    "confirmed": lazy_gettext("Confirmed by another"),
    "refused": lazy_gettext("Refused"),
    "lifted": lazy_gettext("Lifted"),
    "draft": lazy_gettext("Draft"),
    "reviewed": lazy_gettext("Reviewed by another"),
    "open": lazy_gettext("Under way"),
    "contested": lazy_gettext("Objected to"),
    "locked": lazy_gettext("Locked for good"),
    "replaced": lazy_gettext("Replaced"),
    "withdrawn": lazy_gettext("Withdrawn again"),
    "raised": lazy_gettext("Raised"),
    "accepted": lazy_gettext("Looked into"),
    "dismissed": lazy_gettext("Dismissed"),
    "upheld": lazy_gettext("Upheld"),
    "rejected": lazy_gettext("Objection rejected"),
    "noticed": lazy_gettext("In public"),
    "final": lazy_gettext("In force for good"),
    "applied": lazy_gettext("Applied for"),
    "awarded": lazy_gettext("Awarded"),
    "revoked": lazy_gettext("Revoked"),
    "filed": lazy_gettext("Plan filed"),
    "self_rated": lazy_gettext("Rated by themselves"),
    "deduction": lazy_gettext("Deduction"),
    "veto": lazy_gettext("Veto"),
    "late_entry": lazy_gettext("Late entry"),
    "exemption": lazy_gettext("Exemption"),
    "over_70": lazy_gettext("Over 70"),
    "long_illness": lazy_gettext("Long illness"),
    "mobile": lazy_gettext("Lives elsewhere"),
    "other": lazy_gettext("Other"),
    "default": lazy_gettext("Usual"),
    "volunteer": lazy_gettext("Volunteer"),
    "party_member": lazy_gettext("Party member"),
    "probationary_member": lazy_gettext("Probationary party member"),
    "resident": lazy_gettext("Resident"),
    "staff": lazy_gettext("Staff"),
    "organization": lazy_gettext("The organization itself"),
    "ranking": lazy_gettext("Ranking"),
    "grade": lazy_gettext("Grade"),
    "post": lazy_gettext("Post"),
    "star": lazy_gettext("Star"),
    "organization_star": lazy_gettext("Star of an organization"),
    "certificate": lazy_gettext("Certificate"),
}
Source = Callable[[Session, int, Period], Iterator[Row]]


def sheets_of(
    session: Session, *, place_id: int, place: str, year: Period, reader_id: int, zone: ZoneInfo
) -> Iterator[tuple[str, Sheet]]:
    """Yield a name and a sheet for each part of a year; rows are read while it is written.

    reader_id: who takes it; what is said about themself stays out, as it does elsewhere.
    """
    notices = partial(notices_in, zone=zone)
    notice_lines = partial(notice_lines_in, zone=zone)
    objections = partial(objections_in, reader_id=reader_id, zone=zone)
    grades = partial(grades_in, reader_id=reader_id)
    stars = partial(stars_in, zone=zone)
    parts: list[tuple[str, str, list[str], Source]] = [
        ("members", gettext("Members, hours and points"), member_heads(), members_in),
        ("meetings", gettext("Organization life"), meeting_heads(), meetings_in),
        ("snapshots", gettext("Closed periods"), snapshot_heads(), snapshots_in),
        ("snapshot-lines", gettext("Lines of them"), line_heads(), snapshot_lines_in),
        ("corrections", gettext("Corrections of periods"), correction_heads(), corrections_in),
        ("notices", gettext("Public notices"), notice_heads(), notices),
        ("notice-lines", gettext("Lines of notices"), shown_heads(), notice_lines),
        ("objections", gettext("Objections raised"), objection_heads(), objections),
        ("grades", gettext("Grades"), grade_heads(), grades),
        ("papers", gettext("Deductions and exemptions"), paper_heads(), papers_in),
        ("appraisals", gettext("Democratic appraisal"), appraisal_heads(), appraisals_in),
        ("stars", gettext("Stars"), star_heads(), stars),
    ]
    for name, title, heads, source in parts:
        rows = printed(source(session, place_id, year), heads, zone)
        yield name, Sheet(title, f"{place} · {year.name} · {title}", heads, rows)


def printed(rows: Iterator[Row], heads: Sequence[str], zone: ZoneInfo) -> Iterator[list[Cell]]:
    """Yield rows as a spreadsheet takes them: days as text, hundredths as scores, words."""
    scores = set(score_heads())
    is_score = [head in scores for head in heads]
    for row in rows:
        yield [
            value / 100 if scored and value is not None else cell(value, zone)
            for scored, value in zip(is_score, row, strict=True)
        ]


def cell(value: Any, zone: ZoneInfo) -> Cell:
    """Return one value as a cell."""
    if isinstance(value, bool):
        return str(gettext("yes")) if value else str(gettext("no"))
    if isinstance(value, str):
        return str(WORDS.get(value, value))
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, datetime):
        return f"{value.astimezone(zone):%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return "; ".join(f"{name}: {part}" for name, part in sorted(value.items()))
    # What PostgreSQL sums up comes as a decimal; all of it is whole.
    return int(value)


def score_heads() -> list[str]:
    """Return the headings of columns that hold hundredths."""
    return [
        gettext("Base"),
        gettext("Bonus"),
        gettext("Deduction"),
        gettext("Evaluation score"),
        gettext("Sum of scores"),
    ]


def who() -> list[str]:
    """Return the headings of a person."""
    return [gettext("Volunteer no."), gettext("Name")]


def member_heads() -> list[str]:
    """Return the headings of members."""
    return [
        *who(),
        gettext("Kind"),
        gettext("Entries"),
        gettext("Service minutes"),
        gettext("Points earned"),
    ]


def meeting_heads() -> list[str]:
    """Return the headings of meetings."""
    return [gettext("Day"), gettext("Meeting"), gettext("People who came")]


def snapshot_heads() -> list[str]:
    """Return the headings of closed periods."""
    return [
        gettext("Period"),
        gettext("Version"),
        gettext("Scoring standard"),
        gettext("Members"),
        gettext("Entries"),
        gettext("Sum of scores"),
        gettext("Points earned"),
        gettext("Service minutes"),
        gettext("Closed at"),
        gettext("Reason"),
        "SHA-256",
    ]


def line_heads() -> list[str]:
    """Return the headings of their lines."""
    return [
        gettext("Period"),
        gettext("Version"),
        *who(),
        gettext("Evaluation table"),
        gettext("Exempt"),
        gettext("Vetoed"),
        gettext("Base"),
        gettext("Bonus"),
        gettext("Deduction"),
        gettext("Evaluation score"),
        gettext("Points earned"),
        gettext("Service minutes"),
    ]


def correction_heads() -> list[str]:
    """Return the headings of corrections."""
    return [gettext("Period"), gettext("Asked at"), gettext("Reason"), *decided()]


def decided() -> list[str]:
    """Return the headings of what became of something."""
    return [gettext("State"), gettext("Decided at"), gettext("Reason of the decision")]


def notice_heads() -> list[str]:
    """Return the headings of notices."""
    return [
        gettext("Notice no."),
        gettext("Title of the notice"),
        gettext("Kind"),
        gettext("Version"),
        gettext("State"),
        gettext("First day"),
        gettext("Last day"),
        gettext("Locked at"),
        "SHA-256",
    ]


def shown_heads() -> list[str]:
    """Return the headings of their lines."""
    return [
        gettext("Notice no."),
        gettext("No."),
        gettext("Name as shown"),
        gettext("What it says"),
    ]


def objection_heads() -> list[str]:
    """Return the headings of objections."""
    return [
        gettext("Notice no."),
        gettext("Line"),
        gettext("Reason"),
        gettext("Raised at"),
        gettext("State"),
        gettext("Answered at"),
        gettext("Answer"),
        gettext("Decided at"),
        gettext("Decision"),
    ]


def grade_heads() -> list[str]:
    """Return the headings of grades."""
    return [
        gettext("Period"),
        gettext("State"),
        *who(),
        gettext("Advised grade"),
        gettext("Grade"),
        gettext("Reason"),
        gettext("Decided at"),
    ]


def paper_heads() -> list[str]:
    """Return the headings of deductions, vetoes, late entries and exemptions."""
    return [
        gettext("Kind"),
        *who(),
        gettext("Day"),
        gettext("Deduction"),
        gettext("Evaluation score"),
        gettext("Service minutes"),
        gettext("Document"),
        gettext("Reason"),
        *decided(),
    ]


def appraisal_heads() -> list[str]:
    """Return the headings of democratic appraisals."""
    return [
        gettext("Day"),
        gettext("State"),
        gettext("Ballots"),
        *who(),
        gettext("Excellent"),
        gettext("Qualified"),
        gettext("Basically qualified"),
        gettext("Unqualified"),
    ]


def star_heads() -> list[str]:
    """Return the headings of stars."""
    return [
        gettext("Whose"),
        *who(),
        gettext("Stars"),
        gettext("Service minutes"),
        gettext("State"),
        gettext("Applied at"),
        gettext("Decided at"),
        gettext("Number"),
    ]
