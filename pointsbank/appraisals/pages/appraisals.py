"""The pages of democratic appraisals: which branch and day, the counts, the second person."""

from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.appraisals.errors import ReasonMissing
from pointsbank.appraisals.meeting_queries import (
    Appraisable,
    AppraisalFile,
    appraisable_on,
    appraisal_of,
    counts_of,
)
from pointsbank.appraisals.meetings import (
    NewAppraisal,
    decide_appraisal,
    enter_appraisal,
    lift_appraisal,
)
from pointsbank.appraisals.models import GRADES, REASON_LENGTH
from pointsbank.appraisals.pages.papers import typed_day
from pointsbank.appraisals.policy import (
    DECIDERS,
    ENTERERS,
    READERS,
    Count,
    appraisal_hundredths,
    demand_paper_day,
    says_enough,
)
from pointsbank.appraisals.schemas import BALLOTS_MAX
from pointsbank.appraisals.words import STATE_WORDS, VOTE_WORDS
from pointsbank.core import clock
from pointsbank.core.actor import Actor
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.core.errors import Conflict, Invalid, NotAllowed
from pointsbank.organizations.models import BRANCH_KINDS
from pointsbank.organizations.queries import (
    OrganizationNode,
    organization_by_code,
    organizations_within,
)
from pointsbank.scoring.queries import standard_on
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.errors import sentence_of
from pointsbank.web.forms import attempt, settings, typed

pages = Blueprint("appraisal_pages", __name__)

CODE_LENGTH = 32
FIGURE_LENGTH = 6


@pages.get("/appraisals/new")
@roles_only(*ENTERERS)
def ask_for_branch() -> ResponseReturnValue:
    """Ask which branch voted, and when; its members are listed next."""
    return branch_page([]), 200


def branch_page(problems: list[tuple[str, str]]) -> str:
    """Render the question which branch voted, with what was typed and what was wrong."""
    actor = current_actor()
    with reading() as session:
        branches = [
            (node.code, node.name)
            for node in organizations_within(session, actor.paths(*ENTERERS))
            if node.kind in BRANCH_KINDS
        ]
    return render_template(
        "appraisals/which_branch.html",
        branches=branches,
        code=typed("organization_code", CODE_LENGTH),
        held_on=typed("held_on", 20) or local_day(clock.now(), settings().zone).isoformat(),
        problems=problems,
    )


@pages.post("/appraisals/counts")
@roles_only(*ENTERERS)
def ask_for_counts() -> ResponseReturnValue:
    """List the branch's party members of that day, with a place for each count."""
    held_on, today = typed_day("held_on"), local_day(clock.now(), settings().zone)
    try:
        demand_paper_day(held_on or date.max, today)
    except Invalid as refusal:
        return branch_page([("held_on", sentence_of(refusal))]), 422
    return counting_page([])


def counting_page(problems: list[tuple[str, str]]) -> ResponseReturnValue:
    """Render the list of members with what was typed so far."""
    node, members = chosen()
    page = render_template(
        "appraisals/counts.html",
        branch=node,
        held_on=typed("held_on", 20),
        ballots=typed("ballots", FIGURE_LENGTH),
        members=members,
        grades=VOTE_WORDS,
        typed={
            f"{grade}-{each.member_id}": typed(f"{grade}-{each.member_id}", FIGURE_LENGTH)
            for each in members
            for grade in GRADES
        },
        problems=problems,
    )
    return page, 422 if problems else 200


def chosen() -> tuple[OrganizationNode, list[Appraisable]]:
    """Return the branch that was chosen, and whom it can appraise on the day that was."""
    held_on = typed_day("held_on")
    with reading() as session:
        node = organization_by_code(
            session, typed("organization_code", CODE_LENGTH), current_actor().paths(*ENTERERS)
        )
        members = appraisable_on(session, node.id, held_on) if held_on else []
    return node, members


@pages.post("/appraisals/new")
@roles_only(*ENTERERS)
def enter() -> ResponseReturnValue:
    """Enter what was counted, and show it."""
    actor, now, held_on = current_actor(), clock.now(), typed_day("held_on")
    today = local_day(now, settings().zone)
    node, members = chosen()
    ballots = figure_from(typed("ballots", FIGURE_LENGTH))
    counts = [count for each in members if (count := count_from(each)) is not None]
    if held_on is None or not ballots or not counts or len(counts) < len(members):
        sentence = gettext("Please enter the ballots and, for each member, four whole numbers.")
        return counting_page([("", str(sentence))])
    wanted = NewAppraisal(node.code, held_on, ballots, [c for c in counts if c.cast])
    try:
        appraisal_id = run(
            lambda session: enter_appraisal(session, wanted, actor=actor, today=today, now=now)
        )
    except (Invalid, Conflict, NotAllowed) as refusal:
        return counting_page([("", sentence_of(refusal))])
    flash(gettext("Entered. Nothing counts until a second person confirms it."), "success")
    shown = url_for("appraisal_pages.show_appraisal", appraisal_id=appraisal_id)
    return redirect(shown, 303)


def figure_from(text: str) -> int | None:
    """Return a whole number from 0, nothing typed meaning 0; None for what is none."""
    if not text:
        return 0
    if not text.isascii() or not text.isdigit() or int(text) > BALLOTS_MAX:
        return None
    return int(text)


def count_from(member: Appraisable) -> Count | None:
    """Return the counts typed for a member, None when one is no number."""
    figures = [
        figure_from(typed(f"{grade}-{member.member_id}", FIGURE_LENGTH)) for grade in GRADES
    ]
    if any(figure is None for figure in figures):
        return None
    return Count(member.member_id, *[figure or 0 for figure in figures])


@pages.get("/appraisals/<id:appraisal_id>")
@roles_only(*READERS)
def show_appraisal(appraisal_id: int) -> ResponseReturnValue:
    """Show one appraisal: the counts, and what they come to or would."""
    actor = current_actor()
    with reading() as session:
        found = appraisal_of(session, appraisal_id, actor.paths(*READERS))
        counts = counts_of(session, appraisal_id)
        most = standard_on(session, found.held_on).item("democratic_appraisal")
    return render_template(
        "appraisals/appraisal.html",
        appraisal=found,
        lines=[
            {"line": each, "hundredths": come_to(each, found, most.evaluation_hundredths)}
            for each in counts
        ],
        most=most.evaluation_hundredths,
        grade_columns=[{"label": VOTE_WORDS[grade], "kind": "n"} for grade in GRADES],
        state_word=STATE_WORDS[found.state],
        may=may_do(actor, found),
        limits={"reason": REASON_LENGTH},
    )


def come_to(line: Any, found: AppraisalFile, most: int) -> int | None:
    """Return what a member's counts come to, None where too few ballots said anything."""
    count = Count(line.member_id, line.excellent, line.qualified, line.basic, line.unqualified)
    return appraisal_hundredths(count, most) if says_enough(count, found.ballots) else None


def may_do(actor: Actor, found: AppraisalFile) -> dict[str, bool]:
    """Tell what this reader may do with an appraisal."""
    is_second = actor.member_id != found.entered_by_id and actor.oversees(found.path, *DECIDERS)
    return {
        "decide": is_second and found.state == "pending",
        "lift": is_second and found.state == "confirmed",
    }


@pages.post("/appraisals/<id:appraisal_id>/decision")
@roles_only(*DECIDERS)
def decide(appraisal_id: int) -> ResponseReturnValue:
    """Confirm or refuse, and show what stands now."""
    actor, now = current_actor(), clock.now()
    choice, reason = request.form.get("decision", ""), typed("reason", REASON_LENGTH)
    with reading() as session:
        appraisal_of(session, appraisal_id, actor.paths(*DECIDERS))

    def act() -> None:
        if not reason or choice not in ("confirm", "refuse"):
            raise ReasonMissing
        run(
            lambda session: decide_appraisal(
                session,
                appraisal_id=appraisal_id,
                actor=actor,
                is_confirmed=choice == "confirm",
                reason=reason,
                now=now,
            )
        )

    attempt(
        act,
        gettext("Confirmed. It counts in the evaluation now.")
        if choice == "confirm"
        else gettext("Not accepted. It can be entered again."),
    )
    return redirect(url_for("appraisal_pages.show_appraisal", appraisal_id=appraisal_id), 303)


@pages.post("/appraisals/<id:appraisal_id>/lifting")
@roles_only(*DECIDERS)
def lift(appraisal_id: int) -> ResponseReturnValue:
    """Take a confirmed appraisal back, and show what stands now."""
    actor, now, reason = current_actor(), clock.now(), typed("reason", REASON_LENGTH)
    with reading() as session:
        appraisal_of(session, appraisal_id, actor.paths(*DECIDERS))

    def act() -> None:
        if not reason:
            raise ReasonMissing
        run(
            lambda session: lift_appraisal(
                session, appraisal_id=appraisal_id, actor=actor, reason=reason, now=now
            )
        )

    attempt(act, gettext("Taken back. It no longer counts, and can be entered again."))
    return redirect(url_for("appraisal_pages.show_appraisal", appraisal_id=appraisal_id), 303)
