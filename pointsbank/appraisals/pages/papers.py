"""The pages of evaluation papers: what waits, every list, one paper and what becomes of it."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.appraisals.deciding import answer_statement, decide_paper, lift_paper
from pointsbank.appraisals.errors import ReasonMissing
from pointsbank.appraisals.meeting_queries import appraisals_within
from pointsbank.appraisals.models import EVIDENCE_LENGTH, REASON_LENGTH
from pointsbank.appraisals.policy import DECIDERS, ENTERERS, READERS
from pointsbank.appraisals.queries import elders_without_exemption
from pointsbank.appraisals.reading_queries import KINDS, PaperFile, paper_of, papers_within
from pointsbank.appraisals.words import KIND_WORDS, LIST_WORDS, REASON_WORDS, STATE_WORDS
from pointsbank.core import clock
from pointsbank.core.actor import Actor
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.formats import full_day, hours, hundredths
from pointsbank.web.forms import attempt, settings, typed
from pointsbank.web.languages import locale_name

pages = Blueprint("evaluation_paper_pages", __name__)

LINES_EACH = 10
PAPERS_A_PAGE = 30
DAY_LENGTH = 20


@pages.get("/evaluation-papers")
@roles_only(*READERS)
def show_all() -> ResponseReturnValue:
    """Show what waits for a second person, then the newest of each kind."""
    actor = current_actor()
    paths, today = actor.paths(*READERS), local_day(clock.now(), settings().zone)
    with reading() as session:
        waiting = [
            found
            for kind in KINDS
            for found in papers_within(session, kind, paths, states=["pending"])
        ]
        lists = {
            kind: papers_within(session, kind, paths, limit=LINES_EACH + 1) for kind in KINDS
        }
        appraisals = appraisals_within(session, paths)
        may_enter = actor.is_(*ENTERERS)
        elders = (
            elders_without_exemption(session, actor.paths(*ENTERERS), today)
            if may_enter
            else []
        )
    return render_template(
        "appraisals/papers.html",
        waiting=[listed(each) for each in waiting],
        lists=[
            {
                "kind": kind,
                "title": LIST_WORDS[kind],
                "papers": [listed(each) for each in found[:LINES_EACH]],
                "more": url_for("evaluation_paper_pages.list_kind", kind=kind)
                if len(found) > LINES_EACH
                else "",
            }
            for kind, found in lists.items()
        ],
        appraisals=appraisals,
        state_words=STATE_WORDS,
        kinds=KIND_WORDS,
        elders=elders,
        may_enter=may_enter,
    )


def listed(found: PaperFile) -> dict[str, Any]:
    """Return a paper as a list prints it."""
    state = "ended" if found.is_ended else found.state
    return {
        "href": url_for(
            "evaluation_paper_pages.show_paper", kind=found.kind, paper_id=found.id
        ),
        "name": f"{found.member_name} · {size_of(found)}",
        "detail": f"{full_day(found.occurred_on)} · {found.organization_name}",
        "kind": KIND_WORDS[found.kind],
        "state": state,
        "state_word": STATE_WORDS[state],
        "is_contested": found.stated_at is not None and found.answered_at is None,
    }


def size_of(found: PaperFile) -> str:
    """Write −5.00 or +1.00, or why somebody is vetoed or exempt."""
    if found.kind == "late_entries":
        return f"+{hundredths(found.hundredths or 0)}"
    if found.hundredths is not None:
        return f"−{hundredths(found.hundredths)}"
    return str(REASON_WORDS[found.kind][found.reason_code or "other"])


@pages.get("/evaluation-papers/<kind>")
@roles_only(*READERS)
def list_kind(kind: str) -> ResponseReturnValue:
    """List the papers of one kind, page by page."""
    before_id = position_from(request.args.get("cursor"))
    with reading() as session:
        found = papers_within(
            session,
            kind,
            current_actor().paths(*READERS),
            before_id=before_id,
            limit=PAPERS_A_PAGE + 1,
        )
    shown = found[:PAPERS_A_PAGE]
    here = url_for("evaluation_paper_pages.list_kind", kind=kind)
    return render_template(
        "appraisals/kind.html",
        title=LIST_WORDS[kind],
        papers=[listed(each) for each in shown],
        links={
            "next": f"{here}?cursor={cursor_from(shown[-1].id)}"
            if len(found) > PAPERS_A_PAGE
            else "",
            "first": here if before_id else "",
        },
    )


@pages.get("/evaluation-papers/<kind>/<id:paper_id>")
@roles_only(*READERS)
def show_paper(kind: str, paper_id: int) -> ResponseReturnValue:
    """Show one paper, and what the reader may do with it."""
    actor = current_actor()
    with reading() as session:
        found = paper_of(session, kind, paper_id, actor.paths(*READERS))
    may = may_do(actor, found)
    return render_template(
        "appraisals/paper.html",
        paper=found,
        title=KIND_WORDS[kind],
        size=size_of(found),
        facts=facts_of(found),
        state="ended" if found.is_ended else found.state,
        state_words=STATE_WORDS,
        may=may,
        today=local_day(clock.now(), settings().zone),
        limits={"reason": REASON_LENGTH, "answer": EVIDENCE_LENGTH},
    )


def may_do(actor: Actor, found: PaperFile) -> dict[str, bool]:
    """Tell what this reader may do with a paper."""
    is_outside = actor.member_id not in (found.entered_by_id, found.member_id)
    oversees = actor.oversees(found.path, *DECIDERS) or actor.oversees(
        found.home_path, *DECIDERS
    )
    is_second = is_outside and oversees
    in_force = found.state == "confirmed" and not found.is_ended
    return {
        "decide": is_second and found.state == "pending",
        "lift": is_second and in_force,
        "answer": is_second and found.stated_at is not None and found.answered_at is None,
    }


def facts_of(found: PaperFile) -> list[tuple[str, Any]]:
    """Return the lines of a paper: what, when, why, by which document, by whom."""
    facts: list[tuple[str, Any]] = [(gettext("Member no."), found.volunteer_no)]
    if found.kind == "exemptions":
        last_on = found.until_on and found.until_on - timedelta(days=1)
        facts.append((gettext("From"), full_day(found.occurred_on)))
        facts.append(
            (
                gettext("Through"),
                full_day(last_on) if last_on else gettext("until it is ended"),
            )
        )
    else:
        facts.append((gettext("Happened on"), full_day(found.occurred_on)))
    if found.item_code is not None:
        facts += late_facts(found)
    if found.reason_code:
        facts.append((gettext("Reason"), REASON_WORDS[found.kind][found.reason_code]))
    facts.append((gettext("What happened"), found.reason or "–"))
    if found.document_no is not None:
        facts.append((gettext("Document no."), found.document_no or "–"))
    if found.evidence is not None:
        facts.append((gettext("Evidence"), found.evidence or "–"))
    return facts


def item_name(name: str, name_zh: str) -> str:
    """Return what an item is called in the reader's language."""
    return name_zh if locale_name() == "zh" else name


def late_facts(found: PaperFile) -> list[tuple[str, Any]]:
    """Return what was done, how often or how long, of a late entry."""
    facts: list[tuple[str, Any]] = [
        (gettext("What was done"), item_name(found.item_name, found.item_name_zh))
    ]
    if found.service_minutes:
        facts.append((gettext("Service time"), hours(found.service_minutes)))
    else:
        facts.append((gettext("How often"), found.times))
    return facts


@pages.post("/evaluation-papers/<kind>/<id:paper_id>/decision")
@roles_only(*DECIDERS)
def decide(kind: str, paper_id: int) -> ResponseReturnValue:
    """Confirm or refuse, and show what stands now."""
    actor, now = current_actor(), clock.now()
    choice = request.form.get("decision", "")
    reason = typed("reason", REASON_LENGTH)
    is_confirmed = choice == "confirm"
    return done(
        kind,
        paper_id,
        lambda session: decide_paper(
            session,
            kind=kind,
            paper_id=paper_id,
            actor=actor,
            is_confirmed=is_confirmed,
            reason=reason,
            now=now,
        ),
        gettext("Confirmed. The member is told.")
        if is_confirmed
        else gettext("Not accepted. The member is told."),
        is_whole=bool(reason) and choice in ("confirm", "refuse"),
    )


@pages.post("/evaluation-papers/<kind>/<id:paper_id>/lifting")
@roles_only(*DECIDERS)
def lift(kind: str, paper_id: int) -> ResponseReturnValue:
    """Take back what was confirmed, or end an exemption, and show what stands now."""
    actor, now = current_actor(), clock.now()
    reason = typed("reason", REASON_LENGTH)
    on = typed_day("on") or local_day(now, settings().zone)
    return done(
        kind,
        paper_id,
        lambda session: lift_paper(
            session,
            kind=kind,
            paper_id=paper_id,
            actor=actor,
            reason=reason,
            on=on,
            now=now,
        ),
        gettext("Taken back. The member is told."),
        is_whole=bool(reason),
    )


@pages.post("/evaluation-papers/<kind>/<id:paper_id>/answer")
@roles_only(*DECIDERS)
def answer(kind: str, paper_id: int) -> ResponseReturnValue:
    """Answer what the member said, and show what stands now."""
    actor, now = current_actor(), clock.now()
    words = typed("answer", EVIDENCE_LENGTH)
    return done(
        kind,
        paper_id,
        lambda session: answer_statement(
            session, kind=kind, paper_id=paper_id, actor=actor, answer=words, now=now
        ),
        gettext("Answered. The member is told."),
        is_whole=bool(words),
    )


def typed_day(name: str) -> date | None:
    """Return the day that was chosen, None for what is none."""
    try:
        return date.fromisoformat(typed(name, DAY_LENGTH))
    except ValueError:
        return None


def done(
    kind: str,
    paper_id: int,
    act: Callable[[Session], object],
    sentence: str,
    *,
    is_whole: bool,
) -> ResponseReturnValue:
    """Carry out an act if the form was filled in, and go back to the paper."""
    actor = current_actor()
    with reading() as session:
        paper_of(session, kind, paper_id, actor.paths(*DECIDERS))

    def act_whole() -> None:
        if not is_whole:
            raise ReasonMissing
        run(act)

    attempt(act_whole, sentence)
    here = url_for("evaluation_paper_pages.show_paper", kind=kind, paper_id=paper_id)
    return redirect(here, 303)
