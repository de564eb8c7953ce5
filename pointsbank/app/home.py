"""The first page: what is next for the person who opens it."""

from datetime import datetime
from typing import Any

from flask import Flask, current_app, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.attendance.models import Attendance
from pointsbank.core import clock
from pointsbank.core.actor import Actor
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading
from pointsbank.core.settings import Settings
from pointsbank.core.text import masked_name
from pointsbank.members.queries import member_of
from pointsbank.organizations.queries import organization_of
from pointsbank.passbooks.queries import cover_of
from pointsbank.passbooks.schemas import cover_words
from pointsbank.scoring.queries import Standard, standard_on
from pointsbank.tasks.claims import ClaimLine, claims_of
from pointsbank.tasks.giving import whole_shift_gives
from pointsbank.tasks.invitations import count_open_invitations
from pointsbank.tasks.models import Claim, Shift, Task
from pointsbank.tasks.queries import TaskFilter, TaskLine, count_open_tasks, open_tasks
from pointsbank.web.access import anyone, visiting_actor

TASKS_SHOWN = 3
# Some of the nearest may be the member's own already.
TASKS_LOOKED_AT = 12
# Further ahead the date says more than a count of hours.
COUNTED_MINUTES_MAX = 12 * 60


def install(app: Flask) -> None:
    """Add the first page."""

    @app.get("/")
    @anyone
    def home() -> ResponseReturnValue:
        actor = visiting_actor()
        if actor is None:
            return render_template(
                "home.html",
                next_task=None,
                book=None,
                tasks=[],
                tasks_total=0,
                help_phone="",
                links={"sign_in": url_for("sign_in.sign_in")},
            )
        return members_home(actor)


def members_home(actor: Actor) -> ResponseReturnValue:
    """Show a member's next task, their code, their book, and tasks that still need people."""
    settings: Settings = current_app.extensions["settings"]
    now = clock.now()
    with reading() as session:
        person = member_of(session, actor.member_id)
        claim = next_claim(session, actor.member_id, now)
        cover = cover_of(session, actor.member_id)
        wanted = TaskFilter(home_path=organization_of(session, actor.organization_id).path)
        tasks = tasks_to_claim(session, actor.member_id, now, wanted)
        total = count_open_tasks(session, now=now, wanted=TaskFilter())
        standard = standard_on(session, local_day(now, settings.zone))
        context = {
            "next_task": claim and next_task(session, claim, now),
            "book": cover_words(cover, person.name, person.volunteer_no)
            | {"place": person.organization_name},
            "tasks": [task_row(task, standard) for task in tasks],
            "tasks_total": total,
            "invitations": count_open_invitations(session, actor.member_id, now),
        }
    return render_template(
        "home.html",
        **context,
        help_phone="",
        links={
            "code": url_for("own_code_pages.show_code"),
            "passbook": url_for("book_pages.book"),
            "tasks": url_for("finding_pages.list_tasks"),
            "withdraw": claim
            and url_for("task_pages.show_task", task_id=claim.task.id, shift=claim.shift.id),
        },
    )


def next_claim(session: Session, member_id: int, now: datetime) -> ClaimLine | None:
    """Return the member's claim on the shift that runs now or comes next, None without one."""
    shift_id = session.scalar(
        select(Shift.id)
        .join(Claim, Claim.shift_id == Shift.id)
        .join(Task, Task.id == Shift.task_id)
        .where(
            Claim.member_id == member_id,
            Claim.state == "claimed",
            Task.state == "open",
            Shift.ends_at > now,
        )
        .order_by(Shift.starts_at, Shift.id)
        .limit(1)
    )
    if shift_id is None:
        return None
    return claims_of(session, member_id, shift_ids=[shift_id], limit=1)[0]


def tasks_to_claim(
    session: Session, member_id: int, now: datetime, wanted: TaskFilter
) -> list[TaskLine]:
    """Return the first tasks with free places on which the member has no place yet."""
    found = open_tasks(session, now=now, wanted=wanted, limit=TASKS_LOOKED_AT)
    ids = [shift.id for task in found for shift in task.shifts]
    mine = {
        claim.task.id for claim in claims_of(session, member_id, shift_ids=ids, limit=len(ids))
    }
    return [task for task in found if task.id not in mine][:TASKS_SHOWN]


def next_task(session: Session, claim: ClaimLine, now: datetime) -> dict[str, Any]:
    """Return the next task as the slip prints it."""
    present = select(Attendance.id).where(
        Attendance.claim_id == claim.id, Attendance.state == "present"
    )
    zone = current_app.extensions["settings"].zone
    minutes_left = int((claim.shift.starts_at - now).total_seconds()) // 60
    return {
        "title": claim.task.title,
        "starts_at": claim.shift.starts_at,
        "ends_at": claim.shift.ends_at,
        "place_name": claim.shift.place_name,
        "lead": masked_name(claim.task.organizer_name),
        "minutes_left": minutes_left if 0 < minutes_left <= COUNTED_MINUTES_MAX else None,
        "is_today": local_day(claim.shift.starts_at, zone) == local_day(now, zone),
        "state": "checked_in" if session.scalar(present.limit(1)) else "claimed",
    }


def task_row(task: TaskLine, standard: Standard) -> dict[str, Any]:
    """Return a task as a row prints it, by its first free shift and all its points."""
    shift = task.shifts[0]
    return {
        "href": url_for("task_pages.show_task", task_id=task.id),
        "title": task.title,
        "starts_at": shift.starts_at,
        "ends_at": shift.ends_at,
        "place_name": shift.place_name,
        "points": whole_shift_gives(standard, task, shift)[0],
        "places_left": shift.places_left,
    }
