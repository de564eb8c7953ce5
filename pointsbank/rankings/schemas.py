"""What the rankings take and answer, and the words for it in the reader's language."""

from typing import Any

from flask_babel import gettext, lazy_gettext, ngettext
from marshmallow import Schema, fields, validate

from pointsbank.core.calendar import PERIOD_PATTERN, Period
from pointsbank.rankings.explaining import EntryLine
from pointsbank.rankings.models import MEASURES, PERIOD_LENGTH_MAX
from pointsbank.rankings.periods import TITLE_LENGTH_MAX
from pointsbank.rankings.policy import Band, yearly_factor
from pointsbank.rankings.queries import Ranked
from pointsbank.scoring.evaluating import DEDUCTION
from pointsbank.scoring.models import CATEGORIES
from pointsbank.web.contract import PageQuery
from pointsbank.web.formats import hours, hundredths
from pointsbank.web.languages import locale_name

CODE_LENGTH_MAX = 32
NO_BREAK = "\u00a0"
LABELS = {
    "organization_life": lazy_gettext("Organization life"),
    "study": lazy_gettext("Study"),
    "duty": lazy_gettext("Duty and appraisal"),
    "volunteer_service": lazy_gettext("Volunteer service"),
    "post_service": lazy_gettext("Post service"),
    "recognition": lazy_gettext("Recognition"),
    "deduction": lazy_gettext("Deductions"),
}


class RankingQuery(PageQuery):
    """Which ranking is asked for; the running quarter and one's whole scope when not told."""

    period = fields.String(validate=validate.Length(max=PERIOD_LENGTH_MAX))
    organization_code = fields.String(validate=validate.Length(max=CODE_LENGTH_MAX))
    of = fields.String(load_default="members", validate=validate.OneOf(["members", "branches"]))
    measure = fields.String(load_default="evaluation", validate=validate.OneOf(MEASURES))


class RankedEntriesQuery(PageQuery):
    """Which entries are asked for: those behind one part of a member's score."""

    period = fields.String(validate=validate.Length(max=PERIOD_LENGTH_MAX))
    organization_code = fields.String(validate=validate.Length(max=CODE_LENGTH_MAX))
    category = fields.String(required=True, validate=validate.OneOf(CATEGORIES))


class SpanIn(Schema):
    """A span of days to rank by, its last day included."""

    title = fields.String(required=True, validate=validate.Length(min=1, max=TITLE_LENGTH_MAX))
    first_on = fields.Date(required=True)
    last_on = fields.Date(required=True)


class SpanOut(Schema):
    """A span of days that is ranked by; name stands for it where a period is asked for."""

    name = fields.String()
    title = fields.String()
    first_on = fields.Date()
    last_on = fields.Date()


class SpansOut(Schema):
    """Every span that somebody made."""

    items = fields.List(fields.Nested(SpanOut))


class PartOut(Schema):
    """One category's part of an evaluation score, and why it is that much."""

    category = fields.String()
    label = fields.String()
    kind = fields.String(
        metadata={"description": "base and bonus are added up, deduction is taken off"}
    )
    earned = fields.Float(metadata={"description": "what the period's entries gave"})
    cap = fields.Float(metadata={"description": "the most this category gives"})
    score = fields.Float(metadata={"description": "earned, on a year's scale, up to the cap"})
    entries = fields.Integer()
    points = fields.Integer()
    service_minutes = fields.Integer()
    reason = fields.String()


class SnapshotPartOut(Schema):
    """One category of a line, in hundredths."""

    category = fields.String()
    kind = fields.String()
    earned = fields.Integer()
    cap = fields.Integer()
    score = fields.Integer()
    entries = fields.Integer()
    points = fields.Integer()
    minutes = fields.Integer()


class PeriodNotice(Schema):
    """The notice that was drafted; null: there was nobody to name."""

    notice_id = fields.Integer(allow_none=True)


class RankedMemberOut(Schema):
    """Who has this rank; the name is masked."""

    id = fields.Integer()
    display_name = fields.String()
    volunteer_no = fields.String()
    organization = fields.String()


class RankedOrganizationOut(Schema):
    """Which organization has this rank, and how many of its members took part."""

    code = fields.String()
    name = fields.String()
    member_count = fields.Integer()
    active_count = fields.Integer()


class RankedBandOut(Schema):
    """The range that a score lies in, between the floors of two grades."""

    from_score = fields.Float()
    to_score = fields.Float(allow_none=True)


class RankedOut(Schema):
    """One row of a ranking; the scores of its parts add up to its evaluation score.

    rank is null for members, who see their band, and for who is exempt.
    """

    rank = fields.Integer(allow_none=True)
    is_tied = fields.Boolean()
    is_exempt = fields.Boolean()
    band = fields.Nested(RankedBandOut)
    member = fields.Nested(RankedMemberOut)
    organization = fields.Nested(RankedOrganizationOut)
    evaluation_score = fields.Float()
    points_earned = fields.Integer()
    service_minutes = fields.Integer()
    parts = fields.List(fields.Nested(PartOut))


class RankingOut(Schema):
    """A page of a ranking; as_of is null while the period has not been rolled up."""

    period = fields.String()
    of = fields.String()
    measure = fields.String()
    as_of = fields.AwareDateTime(format="iso", allow_none=True)
    standard_version = fields.Integer(allow_none=True)
    items = fields.List(fields.Nested(RankedOut))
    next = fields.String(allow_none=True)


class RankedEntryOut(Schema):
    """One entry behind a part, and which caps its day, week, item and category reached."""

    id = fields.Integer()
    title = fields.String()
    item = fields.String()
    item_name = fields.String()
    earned_on = fields.Date()
    standard_version = fields.Integer()
    evaluation_score = fields.Float()
    points = fields.Integer()
    service_minutes = fields.Integer()
    cuts = fields.List(fields.String())


class RankedEntriesOut(Schema):
    """A page of the entries behind one part, the newest first."""

    period = fields.String()
    category = fields.String()
    items = fields.List(fields.Nested(RankedEntryOut))
    next = fields.String(allow_none=True)


CUT_WORDS = {
    "day": lazy_gettext("the day's cap of this item is reached"),
    "week": lazy_gettext("the week's cap of this item is reached"),
    "year": lazy_gettext("the year's cap of this item is reached"),
    "category": lazy_gettext("the cap of this part is reached"),
}


def item_name_of(line: EntryLine) -> str:
    """Return an item's name in the reader's language."""
    return line.item_name_zh if locale_name() == "zh" else line.item_name


def entry_out(line: EntryLine) -> dict[str, Any]:
    """Return an entry as the contract has it."""
    return {
        "id": line.id,
        "title": line.title,
        "item": line.item_code,
        "item_name": item_name_of(line),
        "earned_on": line.earned_on,
        "standard_version": line.standard_version,
        "evaluation_score": line.hundredths / 100,
        "points": line.points,
        "service_minutes": line.service_minutes,
        "cuts": list(line.cuts),
    }


def band_out(band: Band) -> dict[str, float | None]:
    """Return a band as the contract has it."""
    return {
        "from_score": band.lower / 100,
        "to_score": None if band.upper is None else band.upper / 100,
    }


def band_words(band: Band) -> str:
    """Write 75 to 90, below 60, or 90 and more."""
    if band.upper is None:
        return str(gettext("%(from)s and more", **{"from": figure(band.lower)}))
    if not band.lower:
        return str(gettext("below %(to)s", to=figure(band.upper)))
    return str(
        gettext("%(from)s to %(to)s", **{"from": figure(band.lower), "to": figure(band.upper)})
    )


def label_of(category: str) -> str:
    """Return a category's name."""
    return str(LABELS.get(category, category))


def period_words(name: str) -> str:
    """Write 2026年第四季度, or 2026-Q4; a span of one's own by its days."""
    if PERIOD_PATTERN.fullmatch(name) is None:
        first, _, last = name.partition("..")
        return str(gettext("%(first)s to %(last)s", first=first, last=last))
    if locale_name() != "zh":
        return name
    year, _, rest = name.partition("-")
    if rest.startswith("Q"):
        return f"{year}年第{'一二三四'[int(rest[1]) - 1]}季度"
    return f"{year}年{int(rest)}月" if rest else f"{year}年"


def scored_words(label: str, figure: str) -> str:
    """Write 组织生活 12, of which the figure never stands on a line of its own."""
    return f"{label}{NO_BREAK}{figure}"


def reason_of(part: dict[str, Any], period: Period) -> str:
    """Say why a part is as large as it is: the work behind it, the scale, the cap.

    Of a branch it is the mean of what all its members have together.
    """
    said = []
    if part["entries"]:
        said.append(str(ngettext("%(num)s time", "%(num)s times", part["entries"])))
    if part["minutes"]:
        said.append(hours(part["minutes"]))
    factor = yearly_factor(period)
    earned = hundredths(part["earned"])
    whole = part["earned"] * factor
    if "total" in part:
        total = hundredths(part["total"])
        said.append(str(gettext("%(total)s of all together, the mean of it", total=total)))
    elif part.get("kind") == DEDUCTION:
        said.append(str(gettext("taken off as it was decided")))
    elif part["score"] > max(0, whole):
        # No cap lets more through than was earned: only a base in full is more.
        said.append(str(gettext("given in full")))
    else:
        if factor > 1:
            said.append(
                str(gettext("%(earned)s × %(factor)s for a year", earned=earned, factor=factor))
            )
        if part["score"] < whole:
            said.append(str(gettext("counted up to the cap")))
    return " · ".join(said)


def part_out(part: dict[str, Any], period: Period) -> dict[str, Any]:
    """Return a part as the contract has it: scores as numbers, not in hundredths."""
    return {
        "category": part["category"],
        "label": label_of(part["category"]),
        "kind": part["kind"],
        "earned": part["earned"] / 100,
        "cap": part["cap"] / 100,
        "score": part["score"] / 100,
        "entries": part["entries"],
        "points": part["points"],
        "service_minutes": part["minutes"],
        "reason": reason_of(part, period),
    }


def figure(value: int) -> int | float:
    """Return hundredths as a number: 28 or 18.5."""
    return value // 100 if value % 100 == 0 else value / 100


def signed_score(part: dict[str, Any]) -> int:
    """Return what a part adds to the score; a deduction takes off."""
    return -int(part["score"]) if part["kind"] == DEDUCTION else int(part["score"])


def header_words(of: str) -> list[str]:
    """Return the headings of an exported ranking, before those of the categories."""
    who = (
        [gettext("Organization code"), gettext("Organization")]
        if of == "branches"
        else [gettext("Name"), gettext("Volunteer no."), gettext("Organization")]
    )
    count = [gettext("Members"), gettext("Took part")] if of == "branches" else []
    return [
        gettext("Rank"),
        *who,
        gettext("Evaluation score"),
        gettext("Points earned"),
        gettext("Service minutes"),
        *count,
    ]


def row_cells(row: Ranked, of: str) -> list[str | int | float]:
    """Return a row of an exported ranking, below the headings and the categories."""
    scores = {part["category"]: signed_score(part) / 100 for part in row.parts}
    who = [row.code, row.name] if of == "branches" else [row.name, row.code, row.place]
    count = [row.member_count or 0, row.active_count or 0] if of == "branches" else []
    return [
        row.rank or "",
        *who,
        row.evaluation_hundredths / 100,
        row.points_earned,
        row.service_minutes,
        *count,
        *(scores.get(category, 0) for category in CATEGORIES),
    ]
