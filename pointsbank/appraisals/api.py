"""The JSON door of evaluation papers of every kind, and of one's own."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from pointsbank.appraisals.deciding import (
    answer_statement,
    decide_paper,
    lift_paper,
    state_own_side,
)
from pointsbank.appraisals.entering import (
    NewDeduction,
    NewExemption,
    NewLateEntry,
    NewVeto,
    enter_deduction,
    enter_exemption,
    enter_late_entry,
    enter_veto,
)
from pointsbank.appraisals.meeting_queries import appraisals_about
from pointsbank.appraisals.policy import DECIDERS, ENTERERS, READERS
from pointsbank.appraisals.reading_queries import paper_of, papers_about, papers_within
from pointsbank.appraisals.schemas import (
    Answer,
    EvaluationPaperOut,
    EvaluationPapersOut,
    Lifting,
    OwnEvaluationPapersOut,
    PaperDecision,
    PaperEntered,
    PaperQuery,
    Statement,
    WantedDeduction,
    WantedExemption,
    WantedLateEntry,
    WantedVeto,
    own_appraisal_out,
    own_paper_out,
    paper_out,
)
from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.web.access import current_actor, members_only, roles_only
from pointsbank.web.contract import Blueprint, cursor_from, position_from
from pointsbank.web.forms import settings

api = Blueprint(
    "evaluation_papers_api",
    __name__,
    description="Deductions, vetoes, exemptions and late entries, each by two people.",
)


@api.get("/evaluation-papers/<kind>")
@api.arguments(PaperQuery, location="query")
@api.response(200, EvaluationPapersOut)
@roles_only(*READERS)
def list_papers(query: dict[str, Any], kind: str) -> dict[str, Any]:
    """List the papers of a kind within one's scope, the newest first."""
    limit = query["limit"]
    with reading() as session:
        found = papers_within(
            session,
            kind,
            current_actor().paths(*READERS),
            states=[query["state"]] if "state" in query else (),
            before_id=position_from(query.get("cursor")),
            limit=limit + 1,
        )
    shown = found[:limit]
    return {
        "items": [paper_out(each) for each in shown],
        "next": cursor_from(shown[-1].id) if len(found) > limit else None,
    }


@api.post("/evaluation-papers/deductions")
@api.arguments(WantedDeduction)
@api.response(201, PaperEntered)
@roles_only(*ENTERERS)
def new_deduction(body: dict[str, Any]) -> dict[str, Any]:
    """Enter a deduction, for a second person to decide."""
    return entered(enter_deduction, NewDeduction(**body))


@api.post("/evaluation-papers/vetoes")
@api.arguments(WantedVeto)
@api.response(201, PaperEntered)
@roles_only(*ENTERERS)
def new_veto(body: dict[str, Any]) -> dict[str, Any]:
    """Enter a veto, for a second person to decide."""
    return entered(enter_veto, NewVeto(**body))


@api.post("/evaluation-papers/exemptions")
@api.arguments(WantedExemption)
@api.response(201, PaperEntered)
@roles_only(*ENTERERS)
def new_exemption(body: dict[str, Any]) -> dict[str, Any]:
    """Enter an exemption, for a second person to decide."""
    return entered(enter_exemption, NewExemption(**body))


@api.post("/evaluation-papers/late_entries")
@api.arguments(WantedLateEntry)
@api.response(201, PaperEntered)
@roles_only(*ENTERERS)
def new_late_entry(body: dict[str, Any]) -> dict[str, Any]:
    """Enter service that was never counted, for a second person to decide."""
    return entered(enter_late_entry, NewLateEntry(**body))


def entered(enter: Callable[..., int], wanted: Any) -> dict[str, Any]:
    """Enter a paper now, and return what stands."""
    actor, now = current_actor(), clock.now()
    today = local_day(now, settings().zone)
    paper_id = run(lambda session: enter(session, wanted, actor=actor, today=today, now=now))
    return {"id": paper_id, "state": "pending"}


@api.get("/evaluation-papers/<kind>/<id:paper_id>")
@api.response(200, EvaluationPaperOut)
@roles_only(*READERS)
def show_paper(kind: str, paper_id: int) -> dict[str, Any]:
    """Answer one paper."""
    with reading() as session:
        found = paper_of(session, kind, paper_id, current_actor().paths(*READERS))
    return paper_out(found)


@api.post("/evaluation-papers/<kind>/<id:paper_id>/decision")
@api.arguments(PaperDecision)
@api.response(200, EvaluationPaperOut)
@roles_only(*DECIDERS)
def decide(body: dict[str, Any], kind: str, paper_id: int) -> dict[str, Any]:
    """Confirm or refuse what somebody else entered, about somebody else."""
    actor, now = current_actor(), clock.now()
    return after(
        kind,
        paper_id,
        lambda session: decide_paper(
            session,
            kind=kind,
            paper_id=paper_id,
            actor=actor,
            is_confirmed=body["decision"] == "confirm",
            reason=body["reason"],
            now=now,
        ),
    )


@api.post("/evaluation-papers/<kind>/<id:paper_id>/lifting")
@api.arguments(Lifting)
@api.response(200, EvaluationPaperOut)
@roles_only(*DECIDERS)
def lift(body: dict[str, Any], kind: str, paper_id: int) -> dict[str, Any]:
    """Take back what was confirmed, or end an exemption."""
    actor, now = current_actor(), clock.now()
    on = body.get("on") or local_day(now, settings().zone)
    return after(
        kind,
        paper_id,
        lambda session: lift_paper(
            session,
            kind=kind,
            paper_id=paper_id,
            actor=actor,
            reason=body["reason"],
            on=on,
            now=now,
        ),
    )


@api.post("/evaluation-papers/<kind>/<id:paper_id>/answer")
@api.arguments(Answer)
@api.response(200, EvaluationPaperOut)
@roles_only(*DECIDERS)
def answer(body: dict[str, Any], kind: str, paper_id: int) -> dict[str, Any]:
    """Answer what the member said to it."""
    actor, now = current_actor(), clock.now()
    return after(
        kind,
        paper_id,
        lambda session: answer_statement(
            session, kind=kind, paper_id=paper_id, actor=actor, answer=body["answer"], now=now
        ),
    )


def after(kind: str, paper_id: int, act: Callable[[Session], object]) -> dict[str, Any]:
    """Carry out an act, and return the paper as it stands then."""
    run(act)
    with reading() as session:
        return paper_out(paper_of(session, kind, paper_id, current_actor().paths(*DECIDERS)))


@api.get("/me/evaluation-papers")
@api.response(200, OwnEvaluationPapersOut)
@members_only
def list_own() -> dict[str, Any]:
    """Answer all that concerns oneself, whatever became of it."""
    member_id = current_actor().member_id
    with reading() as session:
        papers = papers_about(session, member_id)
        appraisals = appraisals_about(session, member_id)
    return {
        "items": [own_paper_out(each) for each in papers],
        "appraisals": [own_appraisal_out(each) for each in appraisals],
        "next": None,
    }


@api.post("/me/evaluation-papers/<kind>/<id:paper_id>/statement")
@api.arguments(Statement)
@api.response(204)
@members_only
def state(body: dict[str, Any], kind: str, paper_id: int) -> None:
    """Say one's side to a deduction or veto about oneself, once."""
    actor, now = current_actor(), clock.now()
    run(
        lambda session: state_own_side(
            session,
            kind=kind,
            paper_id=paper_id,
            actor=actor,
            statement=body["statement"],
            now=now,
        )
    )
