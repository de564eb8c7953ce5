"""Plans of organizations: the list, one with its items, what its people do with it."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.certificates.models import MARKS_ALL, TEXT_LENGTH_MAX
from pointsbank.certificates.noticing import draft_plans_notice, take_plan_out
from pointsbank.certificates.pages.keeping import corrected, ticked
from pointsbank.certificates.planning import FILERS, deliver_item, withdraw_plan
from pointsbank.certificates.plans_queries import (
    PlanFile,
    PlanItemLine,
    delivered_bands,
    items_of,
    plan_of,
    plans_seen_by,
    starred,
    starred_years,
)
from pointsbank.certificates.plans_schemas import YEAR_LEAST, YEAR_MOST
from pointsbank.certificates.queries import levels_on
from pointsbank.certificates.rating import may_review, review_plan, self_rate
from pointsbank.certificates.words import (
    PLANS,
    reason_words,
    star_count,
    stars_words,
)
from pointsbank.core import clock
from pointsbank.core.actor import Actor
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.core.text import halfwidth
from pointsbank.notices.queries import notice_of, upheld_without_correction
from pointsbank.organizations.queries import OrganizationNode, organizations_at
from pointsbank.web.access import anyone, current_actor, members_only, roles_only
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.forms import attempt, settings, typed, typed_id

pages = Blueprint("plan_pages", __name__)

PLANS_A_PAGE = 30
LIST = "plan_pages.list_plans"
REASON_MAX = 200
YEAR_DIGITS = 4
BAND_READERS = ("administrator", "auditor")


def year_asked(this_year: int) -> int:
    """Return the year of the address, the running one for what is none."""
    text = request.args.get("year", "")
    is_year = text.isascii() and text.isdigit() and len(text) == YEAR_DIGITS
    return int(text) if is_year and YEAR_LEAST <= int(text) <= YEAR_MOST else this_year


@pages.get("/organization-plans")
@members_only
def list_plans() -> ResponseReturnValue:
    """List the plans of one's scope and those with an item of one's own."""
    return list_page(), 200


def list_page(kept: Mapping[str, Any] | None = None) -> str:
    """Render the list; kept: a correction that was refused, as it was typed."""
    actor = current_actor()
    before = position_from(request.args.get("cursor"))
    with reading() as session:
        found = plans_seen_by(session, actor, before_id=before, limit=PLANS_A_PAGE + 1)
        places = organizations_at(session, actor.paths("administrator"))
        upheld = upheld_in_scope(session, actor)
    shown, here = found[:PLANS_A_PAGE], url_for(LIST)
    return render_template(
        "certificates/plans.html",
        plans=[listed(each) for each in shown],
        reviewed=to_notice(found, places),
        upheld=upheld,
        kept=kept or {},
        links={
            "new": url_for("plan_writing_pages.ask") if actor.is_(*FILERS) else "",
            "bands": url_for("plan_pages.show_bands") if actor.is_(*BAND_READERS) else "",
            "starred": url_for("plan_pages.list_starred"),
            "draft": url_for("plan_pages.draft"),
            "first": here if before else "",
            "next": f"{here}?cursor={cursor_from(shown[-1].id)}"
            if len(found) > PLANS_A_PAGE
            else "",
        },
    )


def to_notice(found: list[PlanFile], places: list[OrganizationNode]) -> list[dict[str, Any]]:
    """Return what an administrator may put into a notice, by organization and year."""
    groups: dict[tuple[int, int], dict[str, Any]] = {}
    for plan in found:
        place = next((each for each in places if plan.path.startswith(each.path)), None)
        if plan.state != "reviewed" or place is None:
            continue
        group = groups.setdefault(
            (place.id, plan.year),
            {"id": place.id, "name": place.name, "year": plan.year, "lines": []},
        )
        group["lines"].append(listed(plan))
    return list(groups.values())


def upheld_in_scope(session: Session, actor: Actor) -> list[dict[str, Any]]:
    """Return the notices to which an objection as a whole was upheld: who is taken out?"""
    found = []
    for each in upheld_without_correction(session, kind="organization_star"):
        notice = notice_of(session, each.notice_id)
        if each.line_no is None and actor.oversees(notice.path, "administrator"):
            plans = plans_seen_by(session, actor)
            found.append(
                {
                    "id": notice.id,
                    "title": notice.title,
                    "decision": each.decision,
                    "href": url_for("plan_pages.correct", notice_id=each.notice_id),
                    "lines": [listed(p) for p in plans if p.notice_id == each.notice_id],
                }
            )
    return found


def listed(plan: PlanFile) -> dict[str, Any]:
    """Return a plan as a list prints it."""
    return {
        "id": plan.id,
        "href": url_for("plan_pages.show_plan", plan_id=plan.id),
        "name": plan.organization_name,
        "year": plan.year,
        "state": plan.state,
        "state_word": str(PLANS[plan.state]),
        "progress": gettext(
            "%(done)s of %(items)s delivered, %(marks)s marks",
            done=plan.items_delivered,
            items=plan.items,
            marks=plan.delivered,
        ),
        "stars": stars_words(plan.stars) if plan.stars else "",
        "marks": plan.reviewed_marks,
    }


@pages.get("/organization-plans/<id:plan_id>")
@members_only
def show_plan(plan_id: int) -> ResponseReturnValue:
    """Show a plan, and what its reader may do with it."""
    return plan_page(plan_id, {}, 200)


def plan_page(plan_id: int, form: dict[str, str], status: int) -> ResponseReturnValue:
    """Render a plan, with marks and words as they were typed."""
    actor, today = current_actor(), local_day(clock.now(), settings().zone)
    with reading() as session:
        plan = plan_of(session, plan_id, actor)
        items = items_of(session, plan_id)
    is_filer = actor.oversees(plan.path, *FILERS)
    may = {
        "change": is_filer and plan.state == "filed" and not plan.items_delivered,
        "withdraw": is_filer and plan.state in ("filed", "self_rated"),
        "rate": is_filer and plan.state == "filed",
        "review": may_review(actor, plan) and plan.state == "self_rated",
    }
    page = render_template(
        "certificates/plan.html",
        plan=plan,
        review=reason_words(plan.review),
        state_word=PLANS[plan.state],
        stars=stars_words(plan.stars) if plan.stars else "",
        items=[printed_item(each, plan, actor, is_filer) for each in items],
        today=today,
        is_overdue=plan.state == "filed" and any(each.is_overdue(today) for each in items),
        form=form,
        may=may,
        text_max=TEXT_LENGTH_MAX,
        links={
            "back": url_for(LIST),
            **{
                name: url_for(f"plan_pages.{name}", plan_id=plan_id)
                for name in ("withdraw", "rate", "review")
            },
            "change": url_for("plan_writing_pages.ask_anew", plan_id=plan_id),
        },
    )
    return page, status


def printed_item(
    item: PlanItemLine, plan: PlanFile, actor: Actor, is_filer: bool
) -> dict[str, Any]:
    """Return an item as the page prints it, with where it is delivered if one may."""
    may_deliver = plan.state == "filed" and (is_filer or actor.member_id == item.owner_id)
    return {
        "line": item,
        "deliver": url_for("plan_pages.deliver", plan_id=plan.id, no=item.no)
        if may_deliver
        else "",
        "is_mine": actor.member_id == item.owner_id,
    }


def back_to(plan_id: int) -> ResponseReturnValue:
    """Go back to a plan's page."""
    return redirect(url_for("plan_pages.show_plan", plan_id=plan_id), 303)


@pages.post("/organization-plans/<id:plan_id>/items/<id:no>/delivery")
@members_only
def deliver(plan_id: int, no: int) -> ResponseReturnValue:
    """Say that an item is delivered, with what proves it."""
    actor, now = current_actor(), clock.now()
    evidence = typed("evidence", TEXT_LENGTH_MAX)
    with reading() as session:
        plan_of(session, plan_id, actor)
    if not evidence:
        flash(gettext("Please say what proves it: where it is seen, who was there."), "error")
        return back_to(plan_id)

    def act(session: Session) -> None:
        deliver_item(
            session,
            actor=actor,
            plan_id=plan_id,
            no=no,
            evidence=evidence,
            today=local_day(now, settings().zone),
            now=now,
        )

    attempt(lambda: run(act), gettext("Delivered. It counts now."))
    return back_to(plan_id)


@pages.post("/organization-plans/<id:plan_id>/withdrawal")
@roles_only(*FILERS)
def withdraw(plan_id: int) -> ResponseReturnValue:
    """Withdraw a plan before it is reviewed."""
    actor, now = current_actor(), clock.now()

    def act(session: Session) -> None:
        withdraw_plan(session, actor=actor, plan_id=plan_id, now=now)

    attempt(lambda: run(act), gettext("The plan was withdrawn. Another can be filed."))
    return back_to(plan_id)


def marks_typed(items: list[PlanItemLine]) -> tuple[dict[int, int], dict[str, str]]:
    """Return the marks of the form that are numbers, and all of them as they were typed."""
    form = {f"marks_{each.no}": typed(f"marks_{each.no}", 10) for each in items}
    marks = {}
    for each in items:
        text = halfwidth(form[f"marks_{each.no}"])
        if text.isascii() and text.isdigit() and int(text) <= MARKS_ALL:
            marks[each.no] = int(text)
    return marks, form


def given(
    plan_id: int, act: Callable[[Session, dict[int, int]], object], done: str
) -> ResponseReturnValue:
    """Carry out an act with the marks of the form; what was wrong is said with all of them."""
    actor = current_actor()
    with reading() as session:
        plan_of(session, plan_id, actor)
        items = items_of(session, plan_id)
    marks, form = marks_typed(items)
    form["words"] = typed("words", TEXT_LENGTH_MAX)
    if not attempt(lambda: run(lambda session: act(session, marks)), done):
        return plan_page(plan_id, form, 422)
    return back_to(plan_id)


@pages.post("/organization-plans/<id:plan_id>/self-rating")
@roles_only(*FILERS)
def rate(plan_id: int) -> ResponseReturnValue:
    """Rate one's own plan."""
    actor, now = current_actor(), clock.now()
    return given(
        plan_id,
        lambda session, marks: self_rate(
            session, actor=actor, plan_id=plan_id, marks=marks, now=now
        ),
        gettext("Rated. An administrator above reviews it."),
    )


@pages.post("/organization-plans/<id:plan_id>/review")
@roles_only("administrator")
def review(plan_id: int) -> ResponseReturnValue:
    """Review a rated plan."""
    actor, now, zone = current_actor(), clock.now(), settings().zone
    words = typed("words", TEXT_LENGTH_MAX)
    return given(
        plan_id,
        lambda session, marks: review_plan(
            session,
            actor=actor,
            plan_id=plan_id,
            marks=marks,
            words=words,
            zone=zone,
            now=now,
        ),
        gettext("Reviewed. The organization is told."),
    )


@pages.post("/organization-plans/notices")
@roles_only("administrator")
def draft() -> ResponseReturnValue:
    """Draft one notice for the plans that were ticked."""
    actor, now = current_actor(), clock.now()
    place, ids = typed_id("organization_id") or 0, ticked("plan_id")

    def act(session: Session) -> int:
        return draft_plans_notice(
            session, actor=actor, organization_id=place, plan_ids=ids, now=now
        )

    attempt(lambda: run(act), gettext("The notice is drafted. Somebody else reviews it."))
    return redirect(url_for(LIST), 303)


@pages.post("/organization-plans/notices/<id:notice_id>/corrections")
@roles_only("administrator")
def correct(notice_id: int) -> ResponseReturnValue:
    """Take the plans that were ticked out of a notice, and show the others again."""
    actor, now = current_actor(), clock.now()
    ids, reason = ticked("plan_id"), typed("reason", REASON_MAX)

    def act(session: Session) -> int | None:
        notice_of(session, notice_id, actor.paths("administrator"))
        return take_plan_out(
            session,
            notice_id=notice_id,
            plan_ids=ids,
            reason=reason,
            by_id=actor.member_id,
            now=now,
        )

    kept: dict[str, Any] = {"id": notice_id, "ids": ids, "reason": reason}
    if not corrected(act, kept):
        return list_page(kept), 422
    return redirect(url_for(LIST), 303)


@pages.get("/organization-plans/bands")
@roles_only(*BAND_READERS)
def show_bands() -> ResponseReturnValue:
    """Show organizations by bands of delivered marks; who is under the lowest is counted."""
    today = local_day(clock.now(), settings().zone)
    year = year_asked(today.year)
    with reading() as session:
        levels = levels_on(session, "organization", today)
        bands, below = delivered_bands(
            session, current_actor().paths(*BAND_READERS), year, levels
        )
    return render_template(
        "certificates/bands.html",
        year=year,
        bands=[{"band": each, "words": star_count(each.stars)} for each in bands],
        lowest=min(levels.values()),
        below=below,
        links={
            "back": url_for(LIST),
            "before": url_for("plan_pages.show_bands", year=year - 1),
        },
    )


@pages.get("/organization-stars")
@anyone
def list_starred() -> ResponseReturnValue:
    """Show everyone the organizations with stars of a year."""
    with reading() as session:
        years = starred_years(session)
        newest = years[0] if years else local_day(clock.now(), settings().zone).year
        year = year_asked(newest)
        found = starred(session, year)
    return render_template(
        "certificates/starred.html",
        year=year,
        years=[(each, url_for("plan_pages.list_starred", year=each)) for each in years],
        organizations=[(each.name, stars_words(each.stars)) for each in found],
        links={"home": url_for("home")},
    )
