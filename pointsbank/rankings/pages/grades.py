"""The pages of yearly grades: a branch's cases, one case, one's own grades."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from pointsbank.appraisals.models import GRADES
from pointsbank.core import clock
from pointsbank.core.calendar import read_period
from pointsbank.core.db import reading, run
from pointsbank.rankings.grade_notices import draft_grade_notice
from pointsbank.rankings.grade_schemas import (
    GRADE_REASON_LENGTH_MAX,
    GRADE_WORDS,
    NOTICE_REASON_LENGTH_MAX,
    REVIEW_WORDS,
)
from pointsbank.rankings.grades import (
    CaseFile,
    OwnGrade,
    case_of,
    cases_of,
    own_grades,
    review_of,
    voices_of,
)
from pointsbank.rankings.grading import (
    COMMITTEE_ROLES,
    VOICES_MIN,
    Opinion,
    ask_again,
    decide_case,
    majority_of,
    open_review,
    say_grade,
)
from pointsbank.rankings.pages.course_facing import notice_link, printed_line
from pointsbank.rankings.pages.facing import period_name
from pointsbank.rankings.schemas import figure, label_of
from pointsbank.rankings.snapshots import NamedLine, line_of_member
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.formats import MINUS, hundredths
from pointsbank.web.forms import attempt, typed

pages = Blueprint("grade_pages", __name__)

CASE = "/grades/<id:review_id>/members/<id:member_id>"


@pages.post("/periods/<string:period>/<id:organization_id>/grades")
@roles_only(*COMMITTEE_ROLES)
def begin(period: str, organization_id: int) -> ResponseReturnValue:
    """Begin the grades of a closed year and show them."""
    actor, now = current_actor(), clock.now()
    begun: list[int] = []
    attempt(
        lambda: begun.append(
            run(
                lambda session: open_review(
                    session,
                    organization_id=organization_id,
                    period=period,
                    actor=actor,
                    now=now,
                )
            )
        ),
        gettext("Begun. Each of the committee says a grade for each member."),
    )
    if not begun:
        here = url_for(
            "period_pages.show_period", period=period, organization_id=organization_id
        )
        return redirect(here, 303)
    return redirect(url_for("grade_pages.show_review", review_id=begun[0]), 303)


@pages.get("/grades/<id:review_id>")
@roles_only(*COMMITTEE_ROLES)
def show_review(review_id: int) -> ResponseReturnValue:
    """Show a branch's grades of a year, those that wait first."""
    actor = current_actor()
    with reading() as session:
        review = review_of(session, review_id, actor.paths(*COMMITTEE_ROLES))
        cases = cases_of(session, review_id)
    left = sum(1 for each in cases if each.grade is None)
    # One's own would be what these sums hold beside the lines that tell theirs.
    told = [each.grade for each in cases if each.member_id != actor.member_id]
    return render_template(
        "rankings/grades.html",
        title=period_name(read_period(review.period)),
        place=review.organization_name,
        review=review,
        state_word=REVIEW_WORDS[review.state],
        left=left,
        counts=[
            {"label": str(word), "figure": told.count(grade)}
            for grade, word in GRADE_WORDS.items()
        ],
        cases=[printed_case(each, actor.member_id) for each in cases],
        limits={"reason": NOTICE_REASON_LENGTH_MAX},
        links={
            "back": url_for(
                "period_pages.show_period",
                period=review.period,
                organization_id=review.organization_id,
            ),
            "show": url_for("grade_pages.show_in_public", review_id=review_id),
            "notice": notice_link(review.notice_id) if review.notice_id else "",
        },
    )


def printed_case(case: CaseFile, actor_id: int) -> dict[str, Any]:
    """Return a case as the list prints it; in one's own nothing is told."""
    is_own = case.member_id == actor_id
    return {
        "href": url_for(
            "grade_pages.show_case", review_id=case.review_id, member_id=case.member_id
        ),
        "name": case.name,
        "is_own": is_own,
        "advised": GRADE_WORDS[case.advised],
        "grade": GRADE_WORDS[case.grade] if case.grade and not is_own else "",
        "differs": bool(case.grade) and case.grade != case.advised and not is_own,
        "voices": case.voices,
    }


@pages.get(CASE)
@roles_only(*COMMITTEE_ROLES)
def show_case(review_id: int, member_id: int) -> ResponseReturnValue:
    """Show one case: what it rests on, what was said, and what its reader can do."""
    actor = current_actor()
    with reading() as session:
        review = review_of(session, review_id, actor.paths(*COMMITTEE_ROLES))
        case = case_of(session, review_id, member_id)
        line = line_of_member(session, review.snapshot_id, member_id)
        is_own = member_id == actor.member_id
        voices = [] if is_own else voices_of(session, review_id, member_id)
    running = [each for each in voices if each.round == case.round]
    majority = majority_of([each.grade for each in running])
    mine = next((each for each in running if each.voter_id == actor.member_id), None)
    return render_template(
        "rankings/grade_case.html",
        case=case,
        place=f"{review.organization_name} · {period_name(read_period(review.period))}",
        line=printed_line(NamedLine(case.name, line), is_full=True) if line else None,
        parts=printed_parts(line.parts) if line else [],
        is_own=is_own,
        is_open=review.state == "open" and case.grade is None,
        may_ask_again=case.grade is not None and review.state != "final" and not is_own,
        words=GRADE_WORDS,
        voices=[{"it": each, "is_past": each.round != case.round} for each in voices],
        mine=mine,
        majority=majority,
        majority_reason=next(
            (v.reason for v in running if v.grade == majority and v.reason), ""
        ),
        least=VOICES_MIN,
        limits={"reason": GRADE_REASON_LENGTH_MAX},
        links={
            "back": url_for("grade_pages.show_review", review_id=review_id),
            **{
                act: url_for(f"grade_pages.{act}", review_id=review_id, member_id=member_id)
                for act in ("say", "decide", "again")
            },
        },
    )


def printed_parts(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the parts of a line as the chart prints them; deductions take away."""
    return [
        {
            "name": label_of(part["category"]),
            "score": f"{MINUS}{hundredths(part['score'])}"
            if part["kind"] == "deduction"
            else figure(part["score"]),
            "cap": figure(part["cap"]),
            "why": ngettext("%(num)s entry", "%(num)s entries", part["entries"]),
        }
        for part in found
    ]


def opinion_typed() -> Opinion | None:
    """Return the grade and reason of a form, None without a grade."""
    grade = request.form.get("grade", "")
    reason = typed("reason", GRADE_REASON_LENGTH_MAX)
    return Opinion(grade, reason) if grade in GRADES else None


def act_in(
    act: Callable[..., None], review_id: int, member_id: int, done: str, **more: Any
) -> ResponseReturnValue:
    """Carry out an act in a case and show the case as it stands."""
    actor, now = current_actor(), clock.now()

    def use_case(session: Session) -> None:
        act(session, review_id=review_id, member_id=member_id, actor=actor, now=now, **more)

    attempt(lambda: run(use_case), done)
    return redirect(
        url_for("grade_pages.show_case", review_id=review_id, member_id=member_id), 303
    )


def without_grade(review_id: int, member_id: int) -> ResponseReturnValue:
    """Ask for what is missing, on the page of the case."""
    flash(gettext("Please choose a grade."), "error")
    return redirect(
        url_for("grade_pages.show_case", review_id=review_id, member_id=member_id), 303
    )


@pages.post(f"{CASE}/voice")
@roles_only(*COMMITTEE_ROLES)
def say(review_id: int, member_id: int) -> ResponseReturnValue:
    """Keep what one of the committee says."""
    opinion = opinion_typed()
    if opinion is None:
        return without_grade(review_id, member_id)
    return act_in(
        say_grade,
        review_id,
        member_id,
        gettext("Kept. You can change it until the grade is decided."),
        opinion=opinion,
    )


@pages.post(f"{CASE}/decision")
@roles_only(*COMMITTEE_ROLES)
def decide(review_id: int, member_id: int) -> ResponseReturnValue:
    """Decide on what more than half of the voices gave."""
    opinion = opinion_typed()
    if opinion is None:
        return without_grade(review_id, member_id)
    return act_in(
        decide_case, review_id, member_id, gettext("The grade is decided."), opinion=opinion
    )


@pages.post(f"{CASE}/again")
@roles_only(*COMMITTEE_ROLES)
def again(review_id: int, member_id: int) -> ResponseReturnValue:
    """Take a decision back and ask the committee anew."""
    reason = typed("reason", GRADE_REASON_LENGTH_MAX)
    if not reason:
        flash(gettext("Please say why the grade is decided anew."), "error")
        return redirect(
            url_for("grade_pages.show_case", review_id=review_id, member_id=member_id), 303
        )
    return act_in(
        ask_again,
        review_id,
        member_id,
        gettext("The committee is asked anew. What was said stays readable."),
        reason=reason,
    )


@pages.post("/grades/<id:review_id>/notice")
@roles_only(*COMMITTEE_ROLES)
def show_in_public(review_id: int) -> ResponseReturnValue:
    """Draft the notice of grades that are all decided."""
    actor, now = current_actor(), clock.now()
    reason = typed("reason", NOTICE_REASON_LENGTH_MAX)
    attempt(
        lambda: run(
            lambda session: draft_grade_notice(
                session, review_id=review_id, reason=reason, actor=actor, now=now
            )
        ),
        gettext("The notice is drafted, and each member is told their grade."),
    )
    return redirect(url_for("grade_pages.show_review", review_id=review_id), 303)


@pages.get("/me/grades")
@members_only
def show_own() -> ResponseReturnValue:
    """Show one's own grades with what they rest on."""
    with reading() as session:
        found = own_grades(session, current_actor().member_id)
    return render_template(
        "rankings/own_grades.html",
        grades=[printed_own(each) for each in found],
        links={"back": url_for("member_pages.show_me")},
    )


def printed_own(found: OwnGrade) -> dict[str, Any]:
    """Return one's own grade as the page prints it."""
    return {
        "title": f"{period_name(read_period(found.period))} · {found.organization_name}",
        "state_word": REVIEW_WORDS[found.state],
        "is_final": found.state == "final",
        "advised": GRADE_WORDS[found.advised],
        "grade": GRADE_WORDS[found.grade] if found.grade else "",
        "reason": found.reason,
        "score": hundredths(found.line.evaluation_hundredths) if found.line else "",
        "parts": printed_parts(found.line.parts) if found.line else [],
    }
