"""A period's way to the archive as pages print it: stages, the next step, lines, changes."""

from collections.abc import Sequence
from typing import Any

from flask import url_for
from flask_babel import gettext, ngettext

from pointsbank.core.actor import Actor
from pointsbank.core.calendar import read_period
from pointsbank.rankings.correcting import CORRECTING_ROLES
from pointsbank.rankings.courses import Way
from pointsbank.rankings.grades import ReviewFile
from pointsbank.rankings.grading import COMMITTEE_ROLES
from pointsbank.rankings.pages.facing import period_name
from pointsbank.rankings.period_schemas import STAGE_WORDS, name_for, next_step
from pointsbank.rankings.policy import MONTHS_A_YEAR, months_in
from pointsbank.rankings.schemas import figure, label_of, scored_words
from pointsbank.rankings.snapshots import (
    Change,
    Closed,
    NamedLine,
    SnapshotFile,
    changes_between,
)
from pointsbank.web.formats import enumerated, hundredths

BEFORE_CLOSING = ("running", "settling", "unclosed")
# How many of the five marks of the way are behind, and which is at work.
MARKS_BEHIND = {
    "running": 0,
    "settling": 0,
    "unclosed": 1,
    "draft": 2,
    "reviewed": 2,
    "open": 3,
    "contested": 3,
    "upheld": 3,
    "corrected": 3,
    "locked": 4,
    "archived": 5,
}


def printed_closed(found: Closed) -> dict[str, Any]:
    """Return a closed period as the list prints it."""
    return {
        "href": url_for(
            "period_pages.show_period",
            period=found.period,
            organization_id=found.organization_id,
        ),
        "title": f"{period_name(read_period(found.period))} · {found.organization_name}",
        "detail": ngettext("%(num)s member", "%(num)s members", found.members),
        "version": gettext("version %(number)s", number=found.version),
        "state": gettext("Archived")
        if found.archived_at
        else gettext("Notice drafted or shown")
        if found.notice_id
        else gettext("Period closed"),
    }


def printed_way(way: Way, review: ReviewFile | None, actor: Actor) -> dict[str, Any]:
    """Return all that the page of a period prints, its lines aside."""
    newest = way.versions[0] if way.versions else None
    about: dict[str, Any] = {"period": way.period.name, "organization_id": way.organization.id}
    may = may_of(way, actor)
    return {
        "title": period_name(way.period),
        "place": way.organization.name,
        "stage": way.stage,
        "stage_word": stage_word(way),
        "next_step": next_step(way),
        "marks": marks_of(way),
        "main": main_act(way, review, may, about),
        "late": way.late,
        "closes_at": way.closes_at,
        "newest": newest,
        "versions": [printed_version(each, about) for each in way.versions],
        "notice": way.notice,
        "review": review,
        "objections": way.objections,
        "may": may,
        "links": {
            "back": url_for("period_pages.list_periods"),
            "sheet": url_for("period_pages.export_sheet", **about),
            "correct": url_for("period_pages.ask_for_correction", **about),
        },
    }


def stage_word(way: Way) -> str:
    """Return the words of a period's stage; a year that is closed waits for its grades."""
    if way.stage in ("closed", "unshown") and months_in(way.period) == MONTHS_A_YEAR:
        return str(gettext("Closed, grades to decide"))
    return str(STAGE_WORDS[way.stage])


def may_of(way: Way, actor: Actor) -> dict[str, bool]:
    """Return what this person may do with a period."""
    corrects = actor.oversees(way.organization.path, *CORRECTING_ROLES)
    return {
        "correct": corrects,
        "decide": corrects
        and way.waiting is not None
        and way.waiting.asked_by_id != actor.member_id,
        "grade": actor.oversees(way.organization.path, *COMMITTEE_ROLES),
    }


def marks_of(way: Way) -> list[dict[str, Any]]:
    """Return the five marks of the way, each behind, at work, or ahead."""
    is_shown = way.notice is not None
    behind = MARKS_BEHIND.get(way.stage, 3 if is_shown else 2)
    words = [
        gettext("Entries"),
        gettext("Period closed"),
        gettext("Notice"),
        gettext("Objections heard"),
        gettext("Archived"),
    ]
    return [
        {"label": word, "done": place < behind, "current": place == behind}
        for place, word in enumerate(words)
    ]


def main_act(
    way: Way, review: ReviewFile | None, may: dict[str, bool], about: dict[str, Any]
) -> dict[str, str] | None:
    """Return the one thing to do next, None when it is not this person's or nobody's."""
    if not may["correct"]:
        return None
    correct = url_for("period_pages.ask_for_correction", **about)
    acts: dict[str, dict[str, str] | None] = {
        "asked": go(gettext("Decide on the correction"), correct) if may["decide"] else None,
        "late": go(gettext("Correct this period"), correct),
        "upheld": go(gettext("Correct this period"), correct),
        "corrected": send(
            gettext("Show the corrected version"), url_for("period_pages.draft", **about)
        ),
        "closed": send(
            gettext("Draft this period's notice"), url_for("period_pages.draft", **about)
        ),
        "withdrawn": send(
            gettext("Draft this period's notice"), url_for("period_pages.draft", **about)
        ),
        "unshown": send(
            gettext("Archive this period"), url_for("period_pages.archive", **about)
        ),
        **{stage: notice_act(way) for stage in ("draft", "reviewed", "open", "contested")},
    }
    is_year = months_in(way.period) == MONTHS_A_YEAR
    if is_year and may["grade"] and way.stage in ("closed", "unshown"):
        return grades_act(review, about)
    return acts.get(way.stage)


def go(label: str, href: str) -> dict[str, str]:
    """Return an act that is a page."""
    return {"label": label, "href": href, "action": ""}


def send(label: str, action: str) -> dict[str, str]:
    """Return an act that changes something."""
    return {"label": label, "href": "", "action": action}


def notice_act(way: Way) -> dict[str, str] | None:
    """Return what leads to the notice, where it is reviewed and answered for."""
    if way.notice is None:
        return None
    words = {
        "draft": gettext("Review the notice"),
        "contested": gettext("Answer the objections"),
    }
    label = words.get(way.stage, gettext("See the notice"))
    return go(label, notice_link(way.notice.id))


def notice_link(notice_id: int) -> str:
    """Return the address of a notice for those who answer for it."""
    return url_for("notice_desk_pages.show_notice", notice_id=notice_id)


def grades_act(review: ReviewFile | None, about: dict[str, Any]) -> dict[str, str]:
    """Return what leads to a year's grades, or begins them."""
    if review is None:
        return send(gettext("Begin the grades"), url_for("grade_pages.begin", **about))
    return go(
        gettext("Go to the grades"), url_for("grade_pages.show_review", review_id=review.id)
    )


def printed_version(found: SnapshotFile, about: dict[str, Any]) -> dict[str, Any]:
    """Return a version as the page of its period lists it."""
    return {
        "href": url_for("period_pages.show_version", version=found.version, **about),
        "number": found.version,
        "reason": found.reason or gettext("Closed by itself"),
        "made_at": found.made_at,
    }


def printed_line(each: NamedLine, *, is_full: bool) -> dict[str, Any]:
    """Return a member's line, with its parts in words."""
    line = each.line
    said = [
        scored_words(label_of(part["category"]), str(figure(part["score"])))
        for part in line.parts
    ]
    if line.is_exempt:
        said.append(str(gettext("exempt")))
    if line.is_vetoed:
        said.append(str(gettext("veto")))
    return {
        "member_id": line.member_id,
        "rank": line.rank,
        "name": name_for(each.name, is_full=is_full),
        "score": hundredths(line.evaluation_hundredths),
        "points": line.points_earned,
        "minutes": line.service_minutes,
        "parts": " · ".join(said),
    }


def printed_changes(
    before: Sequence[NamedLine], after: Sequence[NamedLine], *, is_full: bool
) -> list[dict[str, Any]]:
    """Return what changed between two versions, line by line, with who moved whom."""
    names = {
        each.line.member_id: name_for(each.name, is_full=is_full) for each in [*before, *after]
    }
    changes = changes_between([each.line for each in before], [each.line for each in after])
    return [
        {
            "name": names[each.member_id],
            "is_own": each.is_own,
            "score": from_to(score_of(each, "before"), score_of(each, "after")),
            "rank": from_to(rank_of(each, "before"), rank_of(each, "after")),
            "why": why_of(each, names),
        }
        for each in changes
    ]


def from_to(old: str, new: str) -> str:
    """Write 2 → 8, or 8 when both are."""
    return new if old == new else f"{old} → {new}"


def score_of(change: Change, side: str) -> str:
    """Return the score of one side of a difference, "–" where there was no line."""
    line = getattr(change, side)
    return hundredths(line.evaluation_hundredths) if line else "–"


def rank_of(change: Change, side: str) -> str:
    """Return the rank of one side of a difference, "–" without one."""
    line = getattr(change, side)
    return str(line.rank) if line and line.rank else "–"


def why_of(change: Change, names: dict[int, str]) -> str:
    """Say what of a line changed: parts for an own change, else because of whom."""
    said = []
    if change.is_own:
        old = {part["category"]: part for part in change.before.parts} if change.before else {}
        new = {part["category"]: part for part in change.after.parts} if change.after else {}
        for category in {**old, **new}:
            was, now = (figure(parts.get(category, {}).get("score", 0)) for parts in (old, new))
            if old.get(category) != new.get(category):
                said.append(f"{label_of(category)} {from_to(str(was), str(now))}")
    if change.because_of:
        others = enumerated(names[each] for each in change.because_of)
        said.append(str(gettext("because of %(names)s", names=others)))
    return " · ".join(said)
