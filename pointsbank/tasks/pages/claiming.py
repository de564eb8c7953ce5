"""The HTML door of one task: claiming it, accepting, giving up; and one's own claims."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.core import clock
from pointsbank.core.actor import Actor
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, run
from pointsbank.core.text import masked_name
from pointsbank.scoring.queries import Standard, standard_on
from pointsbank.tasks.claiming import (
    ClaimHeld,
    accept_place,
    claim_shift,
    give_up_claim,
    is_told_in_time,
    moved_at,
)
from pointsbank.tasks.claims import ClaimLine, Overlap, claimed_names, claims_of, overlaps_of
from pointsbank.tasks.eligibility import Fitness
from pointsbank.tasks.eligibility_words import missing_words, requirement_words
from pointsbank.tasks.fitting import fits_of
from pointsbank.tasks.giving import whole_shift_gives
from pointsbank.tasks.pages.standing import standing_rows
from pointsbank.tasks.queries import RoleLine, ShiftLine, TaskLine, shift_of, task_of
from pointsbank.tasks.schemas import kind_words, risk_words
from pointsbank.web.access import current_actor, members_only
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.formats import moment
from pointsbank.web.forms import attempt, settings, typed, typed_id

pages = Blueprint("task_pages", __name__)

CLAIMS_A_PAGE = 30


@dataclass(frozen=True)
class Sight:
    """A task and one of its shifts, as one person looks at them."""

    actor: Actor
    now: datetime
    task: TaskLine
    shift: ShiftLine
    claim: ClaimLine | None
    points: int
    names: list[str]
    fits: dict[int, Fitness]
    overlaps: tuple[Overlap, ...]
    moved_at: datetime | None

    @property
    def is_lead(self) -> bool:
        """Whether the person organizes this task."""
        return self.actor.oversees(self.task.path, "organizer")

    @property
    def is_eligible(self) -> bool:
        """Whether some role would take this person."""
        return any(fit.is_eligible for fit in self.fits.values())


@pages.get("/tasks/<id:task_id>")
@members_only
def show_task(task_id: int) -> ResponseReturnValue:
    """Show a task and one of its shifts: the asked one, the one claimed, or the next."""
    sight = look(task_id, request.args.get("shift", ""))
    task, shift = sight.task, sight.shift
    return render_template(
        "tasks/task.html",
        task=task_words(sight),
        shift=shift_words(sight),
        roles=role_rows(sight),
        missing=easiest_words(sight),
        overlaps=sight.overlaps,
        lead=lead_words(sight),
        other_shifts=[
            {
                "href": url_for("task_pages.show_task", task_id=task_id, shift=other.id),
                "starts_at": other.starts_at,
                "ends_at": other.ends_at,
                "left": other.places_left,
            }
            for other in task.shifts
            if other.id != shift.id
            and other.ends_at > sight.now
            and other.called_off_at is None
        ],
        why_not=why_not(sight),
        links=task_links(sight),
    )


def look(task_id: int, asked: str) -> Sight:
    """Return all that the page of a task shows to whoever looks at it.

    Raises TaskNotFound.
    """
    actor, now, zone = current_actor(), clock.now(), settings().zone
    with reading() as session:
        task = task_of(session, task_id, actor.paths("organizer"))
        ids = [shift.id for shift in task.shifts]
        claims = claims_of(session, actor.member_id, shift_ids=ids, limit=len(ids))
        shift = chosen_shift(task, claims, asked, now)
        standard = standard_on(session, local_day(now, zone))
        return Sight(
            actor,
            now,
            task,
            shift,
            next((each for each in claims if each.shift.id == shift.id), None),
            whole_shift_gives(standard, task, shift)[0],
            claimed_names(session, shift.id),
            fits_of(session, task, [shift], actor.member_id, zone),
            overlaps_of(session, actor.member_id, shift.id, shift.starts_at, shift.ends_at),
            moved_at(session, shift.id),
        )


def chosen_shift(
    task: TaskLine, claims: list[ClaimLine], asked: str, now: datetime
) -> ShiftLine:
    """Return the shift that a task's page is about."""
    for shift in task.shifts:
        if str(shift.id) == asked:
            return shift
    held = {claim.shift.id for claim in claims}
    to_come = [
        shift for shift in task.shifts if shift.ends_at > now and shift.called_off_at is None
    ]
    own = [shift for shift in to_come if shift.id in held]
    return (own or to_come or list(task.shifts))[0]


def task_words(sight: Sight) -> dict[str, Any]:
    """Return a task as its page prints it."""
    task = sight.task
    return {
        "title": task.title,
        "kind": kind_words()[task.kind],
        "organization": task.organization_name,
        "summary": task.summary,
        "risk_note": task.risk_note,
        "risk_level": task.risk_level,
        "risk": risk_words()[task.risk_level],
        "insured": task.insurance_ref is not None,
        "asks": requirement_words(task.eligibility),
        "state": task.state,
    }


def lead_words(sight: Sight) -> dict[str, str | None]:
    """Return who is in charge; whom to call is for people with a claim and for organizers."""
    lead: dict[str, str | None] = {"name": masked_name(sight.task.organizer_name)}
    if sight.claim is not None or sight.is_lead:
        lead["contact"] = sight.task.contact_name
        lead["phone"] = sight.task.contact_phone
    return lead


def shift_words(sight: Sight) -> dict[str, Any]:
    """Return a shift as its page prints it."""
    shift, claim = sight.shift, sight.claim
    state = claim.state if claim else ""
    if sight.task.state == "cancelled" or shift.called_off_at is not None:
        state = "cancelled"
    elif shift.ends_at <= sight.now:
        state = "over"
    return {
        "starts_at": shift.starts_at,
        "ends_at": shift.ends_at,
        "minutes": shift.planned_minutes,
        "break_minutes": shift.break_minutes,
        "place_name": shift.place_name,
        "places": shift.places,
        "claimed": shift.claimed,
        "left": shift.places_left,
        "waitlisted": shift.waitlisted,
        "opens_at": shift.starts_at - timedelta(minutes=settings().check_in_opens_minutes),
        "points": sight.points,
        "people": [masked_name(name) for name in sight.names],
        "state": state,
        "position": claim.position if claim else None,
        "role": claim.role_name if claim else "",
        "accept_by": claim.accept_by if claim else None,
        "is_in_time": claim is not None
        and is_told_in_time(claim, shift.starts_at, sight.now, moved_at=sight.moved_at),
    }


def role_rows(sight: Sight) -> list[dict[str, Any]]:
    """Return the named roles of a shift, each with how the person fits it."""
    return [role_row(role, sight) for role in sight.shift.roles if role.name]


def role_row(role: RoleLine, sight: Sight) -> dict[str, Any]:
    """Return a role as its row prints it."""
    fit = sight.fits[role.id]
    return {
        "id": role.id,
        "name": role.name,
        "places": role.places,
        "left": role.places_left,
        "waitlisted": role.waitlisted,
        "asks": requirement_words(role.eligibility),
        "is_eligible": fit.is_eligible,
        "missing": missing_words(fit.missing),
        "is_mine": sight.claim is not None and sight.claim.role_id == role.id,
    }


def easiest_words(sight: Sight) -> list[str]:
    """Return what is missing where a shift has one role without a name, and somebody is not
    eligible for it; named roles tell it each."""
    if sight.is_eligible or role_rows(sight):
        return []
    (fit,) = sight.fits.values()
    return missing_words(fit.missing)


def why_not(sight: Sight) -> str:
    """Return why nobody, or not this person, can claim now; empty when they can."""
    task, now = sight.task, sight.now
    if task.state != "open":
        return str(gettext("Members can claim it once it is published."))
    if task.claims_open_at is not None and now < task.claims_open_at:
        return str(gettext("Claiming begins on %(at)s.", at=moment(task.claims_open_at)))
    if task.claims_close_at is not None and now >= task.claims_close_at:
        return str(gettext("Claiming ended on %(at)s.", at=moment(task.claims_close_at)))
    if not sight.is_eligible:
        return str(gettext("Something is still missing. See above what, and how to get it."))
    return ""


def task_links(sight: Sight) -> dict[str, str]:
    """Return where a task's page leads; each way only for those who have it."""
    shift, claim = sight.shift, sight.claim
    links = {
        "back": url_for("finding_pages.list_tasks"),
        "claim": url_for("task_pages.claim", shift_id=shift.id),
        "abilities": url_for("ability_pages.show_own"),
        "code": url_for("own_code_pages.show_code"),
        "sign_in": url_for("sign_in.sign_in"),
    }
    if claim is not None:
        links["withdraw"] = url_for("task_pages.give_up", claim_id=claim.id)
        links["accept"] = url_for("task_pages.accept", claim_id=claim.id)
    is_to_come = sight.task.state == "open" and shift.starts_at > sight.now
    if is_to_come and shift.series_id is not None:
        links["every_time"] = url_for("standing_pages.ask", series_id=shift.series_id)
    if is_to_come and sight.actor.is_("secretary"):
        links["group"] = url_for("group_pages.plan_group", shift_id=shift.id)
    if sight.is_lead:
        links["edit"] = url_for("organizing_pages.show_plan", task_id=sight.task.id)
        if sight.task.state == "open":
            links["station"] = url_for("attendance_pages.station", shift_id=shift.id)
            links["sheet"] = url_for("attendance_pages.sheet", shift_id=shift.id)
    return links


@pages.post("/shifts/<id:shift_id>/claims")
@members_only
def claim(shift_id: int) -> ResponseReturnValue:
    """Claim a place, or a place in the waiting line, and show the task again."""
    actor, now, zone = current_actor(), clock.now(), settings().zone
    role_id = typed_id("role_id")
    held: list[ClaimHeld] = []

    def act() -> None:
        held.append(
            run(
                lambda session: claim_shift(
                    session,
                    shift_id=shift_id,
                    member_id=actor.member_id,
                    role_id=role_id,
                    zone=zone,
                    now=now,
                )
            )
        )

    attempt(act, gettext("It is written down. You can give it up at any time before the end."))
    for each in held[0].overlaps if held else ():
        flash(
            gettext(
                "Mind: at the same time you have “%(title)s”, %(at)s.",
                title=each.title,
                at=moment(each.starts_at),
            ),
            "warning",
        )
    with reading() as session:
        shown = shift_of(session, shift_id)[1]
    return redirect(url_for("task_pages.show_task", task_id=shown.id, shift=shift_id), 303)


@pages.post("/claims/<id:claim_id>/acceptance")
@members_only
def accept(claim_id: int) -> ResponseReturnValue:
    """Keep a place one moved up to, and show one's own claims."""
    actor, now = current_actor(), clock.now()
    attempt(
        lambda: run(
            lambda session: accept_place(
                session, claim_id=claim_id, member_id=actor.member_id, now=now
            )
        ),
        gettext("Good, you are in. See you there."),
    )
    return redirect(url_for("task_pages.list_claims"), 303)


@pages.post("/claims/<id:claim_id>/withdrawal")
@members_only
def give_up(claim_id: int) -> ResponseReturnValue:
    """Give a place up, with a reason or without, and show one's own claims."""
    actor, now = current_actor(), clock.now()
    reason = typed("reason", 200) or None
    attempt(
        lambda: run(
            lambda session: give_up_claim(
                session, claim_id=claim_id, member_id=actor.member_id, reason=reason, now=now
            )
        ),
        gettext("Your place is given up. Thank you for saying so."),
    )
    return redirect(url_for("task_pages.list_claims"), 303)


@pages.get("/my-tasks")
@members_only
def list_claims() -> ResponseReturnValue:
    """Show one's own claims: what is to come, the soonest first, and what is over."""
    actor, now = current_actor(), clock.now()
    before_id = position_from(request.args.get("cursor"))
    with reading() as session:
        claims = claims_of(
            session,
            actor.member_id,
            before_id=before_id,
            limit=CLAIMS_A_PAGE + 1,
            with_called_off=True,
        )
        standard = standard_on(session, local_day(now, settings().zone))
        standing = standing_rows(session, actor.member_id)
    shown = claims[:CLAIMS_A_PAGE]
    rows = [claim_row(each, standard) for each in shown]
    coming = sorted(
        (row for row in rows if row["ends_at"] > now and row["is_on"]),
        key=lambda row: row["starts_at"],
    )
    has_more = len(claims) > CLAIMS_A_PAGE
    return render_template(
        "tasks/mine.html",
        coming=coming,
        past=[row for row in rows if row not in coming],
        standing=[] if before_id else standing,
        links={
            "tasks": url_for("finding_pages.list_tasks"),
            "invitations": url_for("inviting_pages.list_invitations"),
            "next": has_more
            and url_for("task_pages.list_claims", cursor=cursor_from(shown[-1].id)),
            "first": before_id and url_for("task_pages.list_claims"),
        },
    )


def claim_row(each: ClaimLine, standard: Standard) -> dict[str, Any]:
    """Return a claim as a row prints it."""
    return {
        "href": url_for("task_pages.show_task", task_id=each.task.id, shift=each.shift.id),
        "title": each.task.title,
        "starts_at": each.shift.starts_at,
        "ends_at": each.shift.ends_at,
        "place_name": each.shift.place_name,
        "role": each.role_name,
        "accept_by": each.accept_by,
        "points": whole_shift_gives(standard, each.task, each.shift)[0],
        "state": each.state,
        "position": each.position,
        "is_on": each.task.state == "open" and each.state != "withdrawn",
    }
