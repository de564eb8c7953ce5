"""The page of what concerns oneself: papers, appraisals, and one's own side."""

from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.appraisals.deciding import state_own_side
from pointsbank.appraisals.errors import ReasonMissing
from pointsbank.appraisals.meeting_queries import appraisals_about
from pointsbank.appraisals.models import EVIDENCE_LENGTH
from pointsbank.appraisals.pages.papers import facts_of, size_of
from pointsbank.appraisals.reading_queries import PaperFile, own_paper, papers_about
from pointsbank.appraisals.words import KIND_WORDS, STATE_WORDS
from pointsbank.core import clock
from pointsbank.core.db import reading, run
from pointsbank.web.access import current_actor, members_only
from pointsbank.web.forms import attempt, typed

pages = Blueprint("own_paper_pages", __name__)


@pages.get("/my-evaluation-papers")
@members_only
def list_own() -> ResponseReturnValue:
    """Show all that concerns oneself, whatever became of it."""
    member_id = current_actor().member_id
    with reading() as session:
        papers = papers_about(session, member_id)
        appraisals = appraisals_about(session, member_id)
    return render_template(
        "appraisals/own.html",
        papers=[shown(each) for each in papers],
        appraisals=appraisals,
        state_words=STATE_WORDS,
        limits={"statement": EVIDENCE_LENGTH},
    )


def shown(found: PaperFile) -> dict[str, Any]:
    """Return a paper as its member sees it."""
    hidden = {gettext("Evidence"), gettext("Member no.")}
    state = "ended" if found.is_ended else found.state
    return {
        "paper": found,
        "title": f"{KIND_WORDS[found.kind]} · {size_of(found)}",
        "facts": [fact for fact in facts_of(found) if fact[0] not in hidden],
        "state": state,
        "state_word": STATE_WORDS[state],
        "may_state": found.statement is not None
        and found.stated_at is None
        and found.state in ("pending", "confirmed"),
    }


@pages.post("/my-evaluation-papers/<kind>/<id:paper_id>/statement")
@members_only
def state(kind: str, paper_id: int) -> ResponseReturnValue:
    """Say one's side, once."""
    actor, now = current_actor(), clock.now()
    words = typed("statement", EVIDENCE_LENGTH)
    with reading() as session:
        own_paper(session, kind, paper_id, actor.member_id)

    def act() -> None:
        if not words:
            raise ReasonMissing
        run(
            lambda session: state_own_side(
                session, kind=kind, paper_id=paper_id, actor=actor, statement=words, now=now
            )
        )

    attempt(act, gettext("Kept with the paper. Your branch reads it and answers."))
    return redirect(url_for("own_paper_pages.list_own"), 303)
