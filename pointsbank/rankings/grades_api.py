"""The JSON door of yearly grades: a branch's cases, voices, decisions; one's own."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.db import reading, run
from pointsbank.rankings.grade_notices import draft_grade_notice
from pointsbank.rankings.grade_schemas import (
    GradeCaseOut,
    GradesBegun,
    GradesOut,
    OwnGradesOut,
    WantedGrade,
    WhyAgain,
    WhyShown,
    case_out,
    own_out,
    review_out,
)
from pointsbank.rankings.grades import case_of, cases_of, own_grades, review_of, voices_of
from pointsbank.rankings.grading import (
    COMMITTEE_ROLES,
    Opinion,
    ask_again,
    decide_case,
    open_review,
    say_grade,
)
from pointsbank.rankings.schemas import PeriodNotice
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import Blueprint

api = Blueprint("grades_api", __name__, description="Yearly grades that committees decide.")

CASE = "/grades/<id:review_id>/members/<id:member_id>"


@api.post("/closed-periods/<string:period>/<id:organization_id>/grades")
@api.response(201, GradesBegun)
@roles_only(*COMMITTEE_ROLES)
def begin(period: str, organization_id: int) -> dict[str, Any]:
    """Begin the grades of a closed year."""
    actor, now = current_actor(), clock.now()
    return {
        "id": run(
            lambda session: open_review(
                session,
                organization_id=organization_id,
                period=period,
                actor=actor,
                now=now,
            )
        )
    }


@api.get("/grades/<id:review_id>")
@api.response(200, GradesOut)
@roles_only(*COMMITTEE_ROLES)
def show_review(review_id: int) -> dict[str, Any]:
    """Answer a branch's grades of a year, those that wait first."""
    actor = current_actor()
    with reading() as session:
        review = review_of(session, review_id, actor.paths(*COMMITTEE_ROLES))
        return review_out(review, cases_of(session, review_id), actor.member_id)


@api.get(CASE)
@api.response(200, GradeCaseOut)
@roles_only(*COMMITTEE_ROLES)
def show_case(review_id: int, member_id: int) -> dict[str, Any]:
    """Answer one case with what was said in it; not in one's own."""
    return shown_case(review_id, member_id)


def shown_case(review_id: int, member_id: int) -> dict[str, Any]:
    """Return a case as it stands."""
    actor = current_actor()
    with reading() as session:
        review_of(session, review_id, actor.paths(*COMMITTEE_ROLES))
        case = case_of(session, review_id, member_id)
        return case_out(case, actor.member_id, voices_of(session, review_id, member_id))


def acted(
    act: Callable[..., None], review_id: int, member_id: int, **more: Any
) -> dict[str, Any]:
    """Carry out an act in a case and return the case as it stands."""
    actor, now = current_actor(), clock.now()

    def use_case(session: Session) -> None:
        act(session, review_id=review_id, member_id=member_id, actor=actor, now=now, **more)

    run(use_case)
    return shown_case(review_id, member_id)


@api.post(f"{CASE}/voice")
@api.arguments(WantedGrade)
@api.response(200, GradeCaseOut)
@roles_only(*COMMITTEE_ROLES)
def say(body: dict[str, Any], review_id: int, member_id: int) -> dict[str, Any]:
    """Say which grade somebody should have; a repeat takes the place of the first."""
    return acted(say_grade, review_id, member_id, opinion=Opinion(**body))


@api.post(f"{CASE}/decision")
@api.arguments(WantedGrade)
@api.response(200, GradeCaseOut)
@roles_only(*COMMITTEE_ROLES)
def decide(body: dict[str, Any], review_id: int, member_id: int) -> dict[str, Any]:
    """Decide on a grade that more than half of the voices gave, of two at least."""
    return acted(decide_case, review_id, member_id, opinion=Opinion(**body))


@api.post(f"{CASE}/again")
@api.arguments(WhyAgain)
@api.response(200, GradeCaseOut)
@roles_only(*COMMITTEE_ROLES)
def again(body: dict[str, Any], review_id: int, member_id: int) -> dict[str, Any]:
    """Take a decision back and ask the committee anew."""
    return acted(ask_again, review_id, member_id, reason=body["reason"])


@api.post("/grades/<id:review_id>/notice")
@api.arguments(WhyShown)
@api.response(201, PeriodNotice)
@roles_only(*COMMITTEE_ROLES)
def show_in_public(body: dict[str, Any], review_id: int) -> dict[str, Any]:
    """Draft the notice of grades that are all decided, and tell each member theirs."""
    actor, now = current_actor(), clock.now()
    return {
        "notice_id": run(
            lambda session: draft_grade_notice(
                session, review_id=review_id, reason=body["reason"], actor=actor, now=now
            )
        )
    }


@api.get("/me/grades")
@api.response(200, OwnGradesOut)
@members_only
def show_own() -> dict[str, Any]:
    """Answer one's own grades: what the rules advise, what was decided and why."""
    with reading() as session:
        found = own_grades(session, current_actor().member_id)
    return {"items": [own_out(each) for each in found]}
