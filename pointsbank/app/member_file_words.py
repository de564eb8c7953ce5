"""A member's file in words: tables that the page, the paper and programs share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext, lazy_gettext

from pointsbank.app.member_file import Evaluated, Event, WholeFile
from pointsbank.certificates.words import STATES as STAR_STATES
from pointsbank.certificates.words import stars_words
from pointsbank.core.text import masked_phone
from pointsbank.members.schemas import KIND_WORDS
from pointsbank.notices.words import GRADE_WORDS
from pointsbank.rankings.schemas import LABELS, period_words, scored_words
from pointsbank.web.formats import full_day, hours, hundredths, points, several, signed
from pointsbank.web.languages import locale_name

TRANSFERS: dict[str, Any] = {
    "earn": lazy_gettext("Earned by service"),
    "spend": lazy_gettext("Redemption"),
    "reversal": lazy_gettext("Reversed"),
    "expire": lazy_gettext("Expired"),
    "gift_out": lazy_gettext("Given to the family"),
    "gift_in": lazy_gettext("Received from the family"),
    "donate": lazy_gettext("Donated"),
    "adjust_up": lazy_gettext("Added by hand"),
    "adjust_down": lazy_gettext("Taken back by hand"),
}
PAPERS: dict[str, Any] = {
    "deductions": lazy_gettext("A deduction"),
    "vetoes": lazy_gettext("A veto"),
    "exemptions": lazy_gettext("An exemption from evaluation"),
}
EVENTS: dict[str, Any] = {
    "entry": lazy_gettext("Service and activities"),
    "honour": lazy_gettext("Honour"),
    "training": lazy_gettext("Training"),
    "star": lazy_gettext("Star awarded"),
    "grade": lazy_gettext("Grade of the year"),
    "paper": lazy_gettext("Deduction or exemption"),
    "appraisal": lazy_gettext("Democratic appraisal"),
    "moved": lazy_gettext("Belongs to"),
}


@dataclass(frozen=True)
class Section:
    """One part of the file as a table; figures: the columns that hold figures."""

    title: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    figures: tuple[int, ...] = ()


def profile_of(file: WholeFile) -> list[tuple[str, str]]:
    """Return who the file is about; the phone is masked, for its own member too."""
    member = file.member
    return [
        (gettext("Member no."), member.volunteer_no),
        (gettext("Phone number"), masked_phone(member.phone) if member.phone else "–"),
        (gettext("Kind"), str(KIND_WORDS[member.kind])),
        (gettext("Branch"), member.organization_name),
        (gettext("Joined on"), full_day(member.joined_at)),
    ]


def sections_of(file: WholeFile) -> list[Section]:
    """Return everything but the timeline, section by section; an empty one has no rows."""
    return [
        *_abilities(file),
        Section(
            str(gettext("Service time by year")),
            (gettext("Year"), gettext("Service time")),
            [(str(each.year), hours(each.minutes)) for each in file.hours],
            (1,),
        ),
        _points(file),
        _evaluations(file),
        *_judgements(file),
        *_recognitions(file),
        Section(
            str(gettext("Entered by hand, with evidence")),
            (gettext("Day"), gettext("What it was"), gettext("Why"), gettext("Evidence")),
            [
                (
                    full_day(each.occurred_on),
                    signed(each.points)
                    if each.points is not None
                    else hours(each.service_minutes or 0),
                    each.reason,
                    each.evidence or "–",
                )
                for each in file.evidences
            ],
        ),
    ]


def _abilities(file: WholeFile) -> list[Section]:
    is_chinese = locale_name() == "zh"
    return [
        Section(
            str(gettext("Skills")),
            (gettext("Skill"), gettext("Confirmed by")),
            [
                (
                    each.name_zh if is_chinese else each.name,
                    each.confirmed_by or str(gettext("not confirmed")),
                )
                for each in file.skills
            ],
        ),
        Section(
            str(gettext("Trainings")),
            (gettext("Training"), gettext("Completed on"), gettext("Good through")),
            [
                (
                    each.name,
                    full_day(each.completed_on),
                    full_day(each.valid_until) if each.valid_until else "–",
                )
                for each in file.trainings
            ],
        ),
        Section(
            str(gettext("Posts and standing claims")),
            (gettext("Work"), gettext("Role"), gettext("From"), gettext("Until")),
            [
                (
                    each.title,
                    each.role_name or "–",
                    full_day(each.since),
                    full_day(each.ended_at)
                    if each.ended_at
                    else (full_day(each.until) if each.until else "–"),
                )
                for each in file.posts
            ],
        ),
    ]


def _points(file: WholeFile) -> Section:
    rows = [
        (
            str(TRANSFERS[each.kind]),
            points(each.came_in) if each.came_in else "–",
            points(each.went_out) if each.went_out else "–",
        )
        for each in file.sums
    ]
    return Section(
        str(gettext("Points: %(points)s available", points=points(file.balance.available))),
        (gettext("Kind"), gettext("Points in"), gettext("Points out")),
        rows,
        (1, 2),
    )


def _evaluations(file: WholeFile) -> Section:
    confirmed = {each.period: each.grade for each in file.grades}
    has_ranks = any(each.rank for each in file.evaluations)
    return Section(
        str(gettext("Evaluation by period")),
        (
            gettext("Period"),
            gettext("Score"),
            gettext("Advised grade"),
            gettext("Confirmed grade"),
            *([gettext("Rank")] if has_ranks else []),
            gettext("How it stands"),
            gettext("Parts"),
        ),
        [
            (
                period_words(each.period),
                _score(each),
                str(GRADE_WORDS[each.advised]) if each.advised else "–",
                str(GRADE_WORDS[confirmed[each.period]]) if each.period in confirmed else "–",
                *([str(each.rank or "–")] if has_ranks else []),
                _state(each),
                several(map(_part, each.parts)),
            )
            for each in file.evaluations
        ],
        (1,),
    )


def _state(found: Evaluated) -> str:
    if found.state == "closed":
        return str(gettext("Closed, version %(version)s", version=found.version))
    return str(gettext("Over, not closed yet") if found.state == "over" else gettext("Running"))


def _score(found: Evaluated) -> str:
    return str(gettext("exempt")) if found.is_exempt else hundredths(found.hundredths)


def _part(part: dict[str, Any]) -> str:
    label = LABELS.get(part["category"], part["category"])
    return scored_words(str(label), f"{hundredths(part['score'])}/{hundredths(part['cap'])}")


def _judgements(file: WholeFile) -> list[Section]:
    return [
        Section(
            str(gettext("Grades")),
            (gettext("Year"), gettext("Grade"), gettext("Why")),
            [
                (period_words(each.period), str(GRADE_WORDS[each.grade]), each.reason or "–")
                for each in file.grades
            ],
        ),
        Section(
            str(gettext("Deductions, vetoes and exemptions in force")),
            (gettext("Day"), gettext("What it was"), gettext("Why"), gettext("Evidence")),
            [
                (
                    full_day(each.occurred_on),
                    str(PAPERS[each.kind])
                    + (f" {hundredths(each.hundredths)}" if each.hundredths else ""),
                    each.reason or "–",
                    each.document_no or each.evidence or "–",
                )
                for each in file.papers
            ],
        ),
        Section(
            str(gettext("Democratic appraisals so far")),
            (gettext("Day"), gettext("Branch"), gettext("Score")),
            [
                (
                    full_day(each.held_on),
                    each.organization_name,
                    hundredths(each.hundredths) if each.hundredths is not None else "–",
                )
                for each in file.appraisals
            ],
            (2,),
        ),
    ]


def _recognitions(file: WholeFile) -> list[Section]:
    return [
        Section(
            str(gettext("Honours")),
            (
                gettext("Day"),
                gettext("Honour"),
                gettext("Granted by"),
                gettext("Number of the document"),
            ),
            [
                (full_day(each.granted_on), each.title, each.grantor, each.document_no or "–")
                for each in file.honours
            ],
        ),
        Section(
            str(gettext("Stars of volunteers")),
            (gettext("Stars"), gettext("State"), gettext("Number"), gettext("Awarded on")),
            [
                (
                    stars_words(each.stars),
                    str(STAR_STATES[each.state]),
                    each.number or "–",
                    full_day(each.awarded_on) if each.awarded_on else "–",
                )
                for each in file.stars
            ],
        ),
    ]


def timeline_of(file: WholeFile) -> Section:
    """Return the chosen year day by day, the newest first."""
    return Section(
        str(gettext("Day by day in %(year)s", year=file.year)),
        (gettext("Day"), gettext("What it was"), gettext("Service time"), gettext("Points")),
        [
            (
                full_day(each.on),
                event_words(each),
                hours(each.minutes) if each.minutes else "–",
                signed(each.points) if each.points else "–",
            )
            for each in file.timeline
        ],
        (2, 3),
    )


def event_words(event: Event) -> str:
    """Write what happened on a day."""
    if event.kind == "entry":
        return event.name if locale_name() == "zh" else event.name_en
    return str(gettext("%(what)s: %(said)s", what=str(EVENTS[event.kind]), said=_detail(event)))


def _detail(event: Event) -> str:
    if event.kind == "star":
        return stars_words(int(event.name))
    if event.kind == "grade":
        return str(GRADE_WORDS[event.name])
    if event.kind == "paper":
        return str(PAPERS[event.name])
    return event.name


def as_json(file: WholeFile) -> dict[str, Any]:
    """Return the file for programs: the same tables, in the language that was asked for."""
    tables: Sequence[Section] = [*sections_of(file), timeline_of(file)]
    return {
        "member_id": file.member.id,
        "name": file.member.name,
        "profile": [{"label": label, "value": value} for label, value in profile_of(file)],
        "service_minutes": file.minutes,
        "points_available": file.balance.available,
        "year": file.year,
        "years": file.years,
        "sections": [
            {"title": each.title, "columns": list(each.heads), "rows": [*map(list, each.rows)]}
            for each in tables
        ],
    }
