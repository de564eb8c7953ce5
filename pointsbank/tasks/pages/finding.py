"""The HTML door of whoever looks for something to do: shifts, narrowed and ordered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.actor import Actor
from pointsbank.core.calendar import local_day
from pointsbank.core.db import reading
from pointsbank.core.text import cleaned
from pointsbank.organizations.queries import (
    OrganizationNode,
    lineage_of,
    organization_by_code,
)
from pointsbank.scoring.queries import Standard, standard_on
from pointsbank.tasks.finding import (
    ORDERS,
    WHENS,
    WORDS_MAX,
    FoundShift,
    Search,
    count_shifts,
    find_shifts,
    home_of,
    metres_between,
    span_of,
)
from pointsbank.tasks.giving import whole_shift_gives
from pointsbank.tasks.models import TASK_KINDS
from pointsbank.tasks.schemas import kind_words
from pointsbank.web.access import current_actor, members_only
from pointsbank.web.contract import cursor_from, position_from
from pointsbank.web.formats import day, weekday
from pointsbank.web.forms import settings

pages = Blueprint("finding_pages", __name__)

SHIFTS_A_PAGE = 30
METRES_SHOWN = 100
METRES_A_KILOMETRE = 1000
DEGREES = {"latitude": 90.0, "longitude": 180.0}


@dataclass(frozen=True)
class Asked:
    """What the filter's fields say, as they were typed or chosen."""

    organization_code: str
    kind: str
    when: str
    words: str
    order: str
    is_full_too: bool

    @classmethod
    def from_fields(cls, fields: Mapping[str, str]) -> "Asked":
        """Read the fields; what none of the choices has is no choice."""
        kind, order = fields.get("kind", ""), fields.get("order", "")
        when = fields.get("on", "") or fields.get("when", "")
        return cls(
            organization_code=fields.get("organization_code", "")[:32],
            kind=kind if kind in TASK_KINDS else "",
            when=when[:10],
            words=cleaned(fields.get("q", "")[: 4 * WORDS_MAX])[:WORDS_MAX],
            order=order if order in ORDERS else ORDERS[0],
            is_full_too=fields.get("full") == "1",
        )

    def fields(self) -> dict[str, Any]:
        """Return what an address or a form must hold to ask the same again."""
        is_day = self.when not in WHENS
        return {
            "organization_code": self.organization_code or None,
            "kind": self.kind or None,
            "when": None if is_day else self.when,
            "on": (self.when or None) if is_day else None,
            "q": self.words or None,
            "order": self.order if self.order != ORDERS[0] else None,
            "full": "1" if self.is_full_too else None,
        }


@pages.get("/tasks")
@members_only
def list_tasks() -> ResponseReturnValue:
    """Show what can be claimed: by day, or by what was asked to stand first."""
    return found_page(Asked.from_fields(request.args), request.args.get("cursor"), None)


@pages.post("/tasks/nearby")
@members_only
def list_nearby() -> ResponseReturnValue:
    """Show what can be claimed, the nearest to a position first.

    The position comes in a form, so that it stands in no address, and is forgotten with the
    answer.
    """
    return found_page(
        Asked.from_fields(request.form), request.form.get("cursor"), position_typed()
    )


def position_typed() -> tuple[float, float] | None:
    """Return the position in a form, None for what is none."""
    found = []
    for name, most in DEGREES.items():
        try:
            degrees = float(request.form.get(name, "")[:12])
        except ValueError:
            return None
        if not -most <= degrees <= most:
            return None
        found.append(degrees)
    return found[0], found[1]


def found_page(
    asked: Asked, cursor: str | None, near: tuple[float, float] | None
) -> ResponseReturnValue:
    """Show one page of what was asked for."""
    actor, now = current_actor(), clock.now()
    after = position_from(cursor) or 0
    today = local_day(now, settings().zone)
    with reading() as session:
        lineage = lineage_of(session, home_of(session, actor.member_id))
        search = search_of(session, asked, actor, lineage, near)
        found = find_shifts(session, search, now=now, after=after, limit=SHIFTS_A_PAGE + 1)
        total = count_shifts(session, search, now=now)
        standard = standard_on(session, today)
    rows = [shift_row(each, standard, near) for each in found[:SHIFTS_A_PAGE]]
    is_by_day = near is None and asked.order == ORDERS[0]
    next_cursor = cursor_from(after + SHIFTS_A_PAGE) if len(found) > SHIFTS_A_PAGE else None
    return render_template(
        "tasks/list.html",
        days=by_day(rows, today) if is_by_day else [{"title": "", "tasks": rows}] * bool(rows),
        filters=filter_fields(asked, lineage, today),
        total=total,
        near=near and {"latitude": near[0], "longitude": near[1], **given(asked)},
        links=links_of(asked, after, next_cursor, near),
    )


def search_of(
    session: Session,
    asked: Asked,
    actor: Actor,
    lineage: Sequence[OrganizationNode],
    near: tuple[float, float] | None,
) -> Search:
    """Return the search that the filter asks for.

    Raises OrganizationNotFound.
    """
    zone = settings().zone
    starts_from, starts_to = span_of(asked.when, local_day(clock.now(), zone), zone)
    code = asked.organization_code
    paths = {"": None, **{node.code: node.path for node in lineage}}
    path = paths[code] if code in paths else organization_by_code(session, code).path
    return Search(
        member_id=actor.member_id,
        home_paths=tuple(node.path for node in reversed(lineage)),
        path=path,
        kind=asked.kind or None,
        starts_from=starts_from,
        starts_to=starts_to,
        words=asked.words,
        only_free=not asked.is_full_too,
        order=asked.order,
        near=near,
    )


def shift_row(
    found: FoundShift, standard: Standard, near: tuple[float, float] | None
) -> dict[str, Any]:
    """Return a shift as a row prints it."""
    return {
        "href": url_for("task_pages.show_task", task_id=found.task_id, shift=found.id),
        "title": found.title,
        "starts_at": found.starts_at,
        "ends_at": found.ends_at,
        "place_name": found.place_name,
        "points": whole_shift_gives(standard, found, found)[0],
        "places_left": found.places_left,
        "state": found.state,
        "distance": found.distance,
        "away": far_words(metres_between(near, found)) if near else "",
        "fits": found.skills > 0,
    }


def far_words(metres: int | None) -> str:
    """Write a distance as people say it: 300 m, 1.2 km; nothing for none."""
    if metres is None:
        return ""
    if metres < METRES_A_KILOMETRE:
        rounded = max(METRES_SHOWN, round(metres / METRES_SHOWN) * METRES_SHOWN)
        return str(gettext("%(metres)s m away", metres=rounded))
    return str(
        gettext("%(kilometres)s km away", kilometres=f"{metres / METRES_A_KILOMETRE:.1f}")
    )


def by_day(rows: Sequence[dict[str, Any]], today: date) -> list[dict[str, Any]]:
    """Return rows under the day they are on; within a day those of one's own place first."""
    days: list[dict[str, Any]] = []
    for row in rows:
        on = local_day(row["starts_at"], settings().zone)
        if not days or days[-1]["on"] != on:
            days.append({"on": on, "title": day_title(on, today), "tasks": []})
        days[-1]["tasks"].append(row)
    for each in days:
        each["tasks"].sort(key=lambda row: row["distance"])
    return days


def day_title(on: date, today: date) -> str:
    """Return what a day is called above its rows."""
    near = {today: gettext("Today"), today + timedelta(days=1): gettext("Tomorrow")}
    return str(near.get(on) or f"{day(on)} {weekday(on)}")


def filter_fields(
    asked: Asked, lineage: Sequence[OrganizationNode], today: date
) -> dict[str, Any]:
    """Return the choices of the filter, and what is chosen."""
    is_day = asked.when not in ("", *WHENS)
    return {
        "organizations": [("", gettext("Everywhere"))]
        + [(each.code, each.name) for each in reversed(lineage)],
        "kinds": [("", gettext("Everything")), *kind_words().items()],
        "whens": [
            ("", gettext("Any time")),
            ("today", gettext("Today")),
            ("tomorrow", gettext("Tomorrow")),
            ("week", gettext("This week")),
            ("weekend", gettext("At the weekend")),
        ],
        "orders": [
            ("soon", gettext("What comes first")),
            ("home", gettext("My own place first")),
            ("skills", gettext("What I can do first")),
        ],
        "organization_code": asked.organization_code,
        "kind": asked.kind,
        "when": "" if is_day else asked.when,
        "on": asked.when if is_day else "",
        "q": asked.words,
        "order": asked.order,
        "full": asked.is_full_too,
        "today": today.isoformat(),
        "is_narrowed": bool(
            is_day or asked.words or asked.is_full_too or asked.order != ORDERS[0]
        ),
    }


def given(asked: Asked) -> dict[str, str]:
    """Return the fields that are filled, as a form's hidden ones."""
    return {name: value for name, value in asked.fields().items() if value}


def links_of(
    asked: Asked, after: int, next_cursor: str | None, near: tuple[float, float] | None
) -> dict[str, Any]:
    """Return where the list leads. By position it goes on in a form, not by an address."""
    is_listed = near is None
    return {
        "here": url_for("finding_pages.list_tasks"),
        "nearby": url_for("finding_pages.list_nearby"),
        "mine": url_for("task_pages.list_claims"),
        "cursor": next_cursor,
        "next": is_listed
        and next_cursor
        and url_for("finding_pages.list_tasks", cursor=next_cursor, **asked.fields()),
        "first": is_listed and after and url_for("finding_pages.list_tasks", **asked.fields()),
    }
