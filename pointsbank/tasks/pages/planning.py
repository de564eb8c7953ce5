"""The HTML door of planning: a task as a form, drafted and changed while it is a draft."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, time, timedelta
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from marshmallow import ValidationError

from pointsbank.core import clock
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading, transaction
from pointsbank.core.errors import Conflict, Invalid, NotFound
from pointsbank.core.keys import draw_bytes
from pointsbank.core.text import halfwidth
from pointsbank.organizations.queries import organizations_within
from pointsbank.scoring.models import COEFFICIENT_PERCENT_MAX
from pointsbank.scoring.policy import NO_COEFFICIENT
from pointsbank.scoring.queries import Standard, standard_on
from pointsbank.tasks.drafting import change_draft, draft_task
from pointsbank.tasks.eligibility_form import (
    EligibilityFields,
    fields_of_tree,
    fields_typed,
    tree_of_form,
)
from pointsbank.tasks.eligibility_words import eligibility_options
from pointsbank.tasks.errors import BadEligibility, NotADraft
from pointsbank.tasks.meeting_words import MEETING_WORDS
from pointsbank.tasks.models import HANDLE_BYTES, PLACES_MAX
from pointsbank.tasks.queries import RoleLine, ShiftLine, TaskLine, own_task
from pointsbank.tasks.schemas import ROLES_MAX, NewTask, kind_words, plan_of, risk_words
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.errors import sentence_of
from pointsbank.web.formats import form_moment
from pointsbank.web.forms import settings, typed
from pointsbank.web.languages import locale_name

pages = Blueprint("planning_pages", __name__)

ORGANIZATIONS_SHOWN_MAX = 200
SHIFTS_ON_A_FORM_MAX = 20
# What most organizers plan: a morning's work for a few people, a day ahead.
USUAL_ITEM = "volunteer_hour"
USUAL_BEGIN, USUAL_HOURS, USUAL_PLACES = time(9), 2, 10
FIELD_LENGTHS = {
    "title": 80,
    "kind": 16,
    "meeting_kind": 16,
    "organization_code": 32,
    "scoring_item": 40,
    "coefficient_percent": 8,
    "risk_level": 8,
    "insurance_ref": 80,
    "contact_name": 60,
    "contact_phone": 20,
    "claims_open_at": 20,
    "claims_close_at": 20,
}
TEXT_LENGTHS = {"summary": 2000, "risk_note": 500}
SHIFT_FIELDS = ("starts_at", "ends_at", "place_name", "break_minutes", "latitude", "longitude")
# A shift in whose row none of these was typed is none.
ASKED_FIELDS = ("starts_at", "ends_at", "place_name")
Typed = dict[str, Any]
Problems = list[tuple[str, str]]


@pages.get("/organizing/new")
@roles_only("organizer")
def ask_for_task() -> ResponseReturnValue:
    """Ask what is to be done, where and when."""
    return task_form(usual_form(), [usual_shift()], EligibilityFields(), [])


@pages.post("/organizing/new")
@roles_only("organizer")
def draft() -> ResponseReturnValue:
    """Draft a task, judged by the same schema as a program's, and show it."""
    return save(None)


@pages.get("/organizing/<id:task_id>/edit")
@roles_only("organizer")
def ask_for_changes(task_id: int) -> ResponseReturnValue:
    """Show a draft as the form it came from.

    Raises TaskNotFound, NotADraft.
    """
    with reading() as session:
        task = own_task(session, task_id, current_actor().paths("organizer"))
    if task.state != "draft":
        raise NotADraft
    own_shifts = [shift_form(shift) for shift in task.shifts if shift.series_id is None]
    fields = fields_of_tree(task.eligibility)
    return task_form(form_of(task), own_shifts or [usual_shift()], fields, [], task_id)


@pages.post("/organizing/<id:task_id>/edit")
@roles_only("organizer")
def change(task_id: int) -> ResponseReturnValue:
    """Let a draft say what was typed instead, and show it.

    Raises TaskNotFound.
    """
    with reading() as session:
        own_task(session, task_id, current_actor().paths("organizer"))
    return save(task_id)


def save(task_id: int | None) -> ResponseReturnValue:
    """Save what was typed as a new draft or a changed one, or show what is wrong with it."""
    form, shifts = typed_task()
    fields = fields_typed(request.form.to_dict(flat=False))
    if add_row(shifts):
        return task_form(form, shifts, fields, [], task_id)
    try:
        body = NewTask().load(body_of(form, shifts, fields))
    except BadEligibility as refusal:
        problem = ("eligibility", sentence_of(refusal))
        return task_form(form, shifts, fields, [problem], task_id)
    except ValidationError as error:
        return task_form(form, shifts, fields, problems_of(error), task_id)
    try:
        saved_id = keep(task_id, body)
    except (Invalid, NotFound, Conflict) as refusal:
        return task_form(form, shifts, fields, [("", sentence_of(refusal))], task_id)
    return redirect(url_for("organizing_pages.show_plan", task_id=saved_id), 303)


def keep(task_id: int | None, body: dict[str, Any]) -> int:
    """Draft or change a task and return its id."""
    actor = current_actor()
    plan = plan_of(body, lambda: draw_bytes(HANDLE_BYTES))
    door: dict[str, Any] = {
        "paths": actor.paths("organizer"),
        "zone": settings().zone,
        "now": clock.now(),
    }
    with transaction() as session:
        if task_id is None:
            return draft_task(session, **plan, **door, organizer_id=actor.member_id)
        change_draft(session, **plan, **door, task_id=task_id, actor_id=actor.member_id)
    return task_id


def add_row(shifts: list[Typed]) -> bool:
    """Add the shift or the role that a button asks for, without saving; tell whether so."""
    if "more" in request.form and len(shifts) < SHIFTS_ON_A_FORM_MAX:
        shifts.append({**shifts[-1], "roles": [dict(role) for role in shifts[-1]["roles"]]})
        return True
    number = request.form.get("more_roles", "")
    if number.isascii() and number.isdigit() and 1 <= int(number[:4]) <= len(shifts):
        roles = shifts[int(number) - 1]["roles"]
        if len(roles) < ROLES_MAX:
            roles.append({"name": "", "places": "", "skill": "", "tree": ""})
        return True
    return False


def task_form(
    form: Typed,
    shifts: Sequence[Typed],
    fields: EligibilityFields,
    problems: Problems,
    task_id: int | None = None,
) -> ResponseReturnValue:
    """Render the form of a task, with what was wrong."""
    paths = current_actor().paths("organizer")
    with reading() as session:
        places = organizations_within(session, paths, limit=ORGANIZATIONS_SHOWN_MAX)
        standard = standard_on(session, local_day(clock.now(), settings().zone))
        options = eligibility_options(session)
    is_chinese = locale_name() == "zh"
    is_new = task_id is None
    page = render_template(
        "tasks/draft.html",
        form=form,
        shifts=shifts,
        fields=fields,
        problems=problems,
        errors=dict(problems),
        kinds=list(kind_words().items()),
        meetings=[("", gettext("another one")), *MEETING_WORDS.items()],
        risks=list(risk_words().items()),
        options=options,
        organizations=[(place.code, place.name) for place in places],
        items=[
            (item.code, item.name_zh if is_chinese else item.name)
            for item in standard.items
            if item.is_for_tasks
        ],
        multiplied=multiplied(standard, is_chinese),
        limits={"places": PLACES_MAX, "shifts": SHIFTS_ON_A_FORM_MAX, "roles": ROLES_MAX},
        is_new=is_new,
        links={
            "back": url_for("organizing_pages.list_plans")
            if is_new
            else url_for("organizing_pages.show_plan", task_id=task_id),
            "save": url_for("planning_pages.draft")
            if is_new
            else url_for("planning_pages.change", task_id=task_id),
        },
    )
    return page, 422 if problems else 200


def multiplied(standard: Standard, is_chinese: bool) -> list[str]:
    """Return what a task may multiply, and how far: Flood duty 150%."""
    return [
        f"{item.name_zh if is_chinese else item.name} {item.coefficient_percent_max}%"
        for item in standard.items
        if item.is_for_tasks and item.coefficient_percent_max > NO_COEFFICIENT
    ]


def usual_form() -> Typed:
    """Return the form of a new task with what it usually is."""
    return {
        "kind": "activity",
        "scoring_item": USUAL_ITEM,
        "risk_level": "low",
        "contact_name": current_actor().name,
        "skills": [],
    }


def usual_shift() -> Typed:
    """Return a shift as it usually is: tomorrow morning."""
    tomorrow = local_day(clock.now(), settings().zone) + timedelta(days=1)
    begins = datetime.combine(tomorrow, USUAL_BEGIN, settings().zone)
    return {
        "starts_at": form_moment(begins),
        "ends_at": form_moment(begins + timedelta(hours=USUAL_HOURS)),
        "roles": [{"name": "", "places": str(USUAL_PLACES), "skill": "", "tree": ""}],
    }


def form_of(task: TaskLine) -> Typed:
    """Return a task as its form shows it."""
    kept = {name: getattr(task, name) or "" for name in (*FIELD_LENGTHS, *TEXT_LENGTHS)}
    window = {name: form_moment(getattr(task, name)) for name in FIELD_LENGTHS if "_at" in name}
    return {**kept, **window, "skills": list(task.skills)}


def shift_form(shift: ShiftLine) -> Typed:
    """Return a shift as its form shows it."""
    kept = {name: getattr(shift, name) for name in SHIFT_FIELDS}
    shown = {name: "" if value is None else str(value) for name, value in kept.items()}
    return {
        **shown,
        "starts_at": form_moment(shift.starts_at),
        "ends_at": form_moment(shift.ends_at),
        "roles": [role_form(role) for role in shift.roles],
    }


def role_form(role: RoleLine) -> Typed:
    """Return a role as its form shows it; what a choice of one skill cannot say is kept."""
    fields = fields_of_tree(role.eligibility)
    simple = EligibilityFields(skills=fields.skills[:1])
    is_simple = asdict(fields) == asdict(simple)
    return {
        "name": role.name,
        "places": str(role.places),
        "skill": next(iter(fields.skills), "") if is_simple else "",
        "tree": "" if is_simple else json.dumps(role.eligibility, ensure_ascii=False),
    }


def typed_task() -> tuple[Typed, list[Typed]]:
    """Return the form as typed, and its shifts; a shift left empty is none."""
    form: Typed = {name: typed(name, 2 * length) for name, length in FIELD_LENGTHS.items()}
    for name, length in TEXT_LENGTHS.items():
        form[name] = request.form.get(name, "")[: 2 * length]
    form["skills"] = [code[:40] for code in request.form.getlist("skills")[:40]]
    shifts = []
    for number in range(1, SHIFTS_ON_A_FORM_MAX + 1):
        shift: Typed = {name: typed(f"{name}_{number}", 250) for name in SHIFT_FIELDS}
        shift["roles"] = typed_roles(number)
        if number == 1 or any(shift[name] for name in ASKED_FIELDS):
            shifts.append(shift)
    return form, shifts


def typed_roles(number: int) -> list[Typed]:
    """Return the roles of a shift as typed; a role left empty is none."""
    roles = []
    for row in range(1, ROLES_MAX + 1):
        role = {
            "name": typed(f"role_{number}_{row}", 80),
            "places": typed(places_name(number, row), 20),
            "skill": typed(f"role_skill_{number}_{row}", 40),
            "tree": request.form.get(f"role_tree_{number}_{row}", "")[:8001],
        }
        if row == 1 or role["name"] or role["places"]:
            roles.append(role)
    return roles


def places_name(number: int, row: int) -> str:
    """Return the field of how many a role needs; the first is the shift's own."""
    return f"places_{number}" if row == 1 else f"places_{number}_{row}"


def body_of(form: Typed, shifts: list[Typed], fields: EligibilityFields) -> dict[str, Any]:
    """Return a form as a program would send it.

    Raises BadEligibility.
    """
    body = {name: form[name] for name in (*FIELD_LENGTHS, *TEXT_LENGTHS)}
    for name in ("claims_open_at", "claims_close_at"):
        body[name] = with_offset(form[name]) if form[name] else None
    body["risk_level"] = form["risk_level"] or "low"
    # Whoever changes their mind about the kind of work leaves the other choice where it was.
    is_meeting = form["kind"] == "meeting"
    body["meeting_kind"] = (form["meeting_kind"] or None) if is_meeting else None
    body["coefficient_percent"] = whole(form["coefficient_percent"] or str(NO_COEFFICIENT))
    return {
        **body,
        "skills": form["skills"],
        "eligibility": tree_of_form(fields),
        "shifts": [values_of(shift) for shift in shifts],
    }


def values_of(shift: Typed) -> dict[str, Any]:
    """Return a shift as a program would send it; local moments get their offset."""
    values = {
        "starts_at": with_offset(shift["starts_at"]),
        "ends_at": with_offset(shift["ends_at"]),
        "place_name": shift["place_name"],
        "break_minutes": whole(shift["break_minutes"] or "0"),
    }
    if shift["latitude"] and shift["longitude"]:
        values |= {"latitude": shift["latitude"], "longitude": shift["longitude"]}
    roles = shift["roles"]
    if len(roles) == 1 and not any(roles[0][name] for name in ("name", "skill", "tree")):
        return {**values, "places": whole(roles[0]["places"])}
    return {**values, "roles": [role_values(role) for role in roles]}


def role_values(role: Typed) -> dict[str, Any]:
    """Return a role as a program would send it.

    Raises BadEligibility.
    """
    skills = (role["skill"],) if role["skill"] and not role["tree"] else ()
    tree = tree_of_form(EligibilityFields(skills=skills, other=role["tree"]))
    return {"name": role["name"], "places": whole(role["places"]), "eligibility": tree}


def whole(text: str) -> int | str:
    """Return a whole number as it was typed, full-width digits too; other text stays."""
    plain = halfwidth(text)
    is_number = plain.isascii() and plain.isdigit() and len(plain) <= 9
    return int(plain) if is_number else plain


def with_offset(text: str) -> str:
    """Return a local moment as a browser's field gives it, with this service's offset."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=settings().zone).isoformat()
    except ValueError:
        return text


def problems_of(error: ValidationError) -> Problems:
    """Return the fields that were wrong, each with a sentence, in the order of the form."""
    sentences = field_sentences()
    wrong: Any = error.messages_dict
    found = [(name, str(sentences[name])) for name in sentences if name in wrong]
    for index, shift in sorted((wrong.get("shifts") or {}).items()):
        number = index + 1
        found += [
            (f"{name}_{number}", str(sentences[name]))
            for name in ("starts_at", "ends_at", "places", "place_name", "break_minutes")
            if name in shift
        ]
        for row, role in sorted((shift.get("roles") or {}).items()):
            if "name" in role:
                found.append((f"role_{number}_{row + 1}", str(sentences["name"])))
            if "places" in role:
                found.append((places_name(number, row + 1), str(sentences["places"])))
    return found


def field_sentences() -> dict[str, str]:
    """Return what each field takes, in the order of the form."""
    return {
        "title": gettext("A title of up to 80 characters."),
        "kind": gettext("Choose what kind of work it is."),
        "meeting_kind": gettext("Choose which meeting it is."),
        "organization_code": gettext("Choose where it belongs."),
        "scoring_item": gettext("Choose how it is scored."),
        "coefficient_percent": gettext(
            "A whole percentage from 100 to %(most)s.", most=COEFFICIENT_PERCENT_MAX
        ),
        "summary": gettext("Up to 2000 characters."),
        "starts_at": gettext("The day and time it begins."),
        "ends_at": gettext("The day and time it ends."),
        "places": gettext("A whole number from 1 to %(most)s.", most=PLACES_MAX),
        "name": gettext("A name of up to 40 characters."),
        "place_name": gettext("Where people meet, in up to 120 characters."),
        "break_minutes": gettext("The break in whole minutes."),
        "skills": gettext("Choose skills from the list."),
        "claims_open_at": gettext("The day and time claiming begins, or nothing."),
        "claims_close_at": gettext("The day and time claiming ends, or nothing."),
        "risk_level": gettext("Choose how risky it is."),
        "risk_note": gettext("Up to 500 characters."),
        "insurance_ref": gettext("The number of the insurance, in up to 80 characters."),
        "contact_name": gettext("A name of up to 60 characters."),
        "contact_phone": gettext("A telephone number."),
    }
