"""The page of a branch's organization life: what it held, against the usual rhythm."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pointsbank.attendance.life_queries import FIRST_YEAR, LAST_YEAR, OTHER, life_of
from pointsbank.core import clock
from pointsbank.core.calendar import local_day, read_period
from pointsbank.core.db import reading
from pointsbank.organizations.models import BRANCH_KINDS
from pointsbank.organizations.queries import organization_by_code, organizations_within
from pointsbank.tasks.meeting_words import MEETING_WORDS
from pointsbank.web.access import current_actor, roles_only
from pointsbank.web.forms import settings

pages = Blueprint("life_pages", __name__)

READERS = ("administrator", "secretary", "committee", "auditor")
CHOICES_MAX = 200
YEARS_BACK = 3
YEAR_DIGITS = 4
CODE_LENGTH = 32


@pages.get("/organization-life")
@roles_only(*READERS)
def show() -> ResponseReturnValue:
    """Show one branch's year: the chosen one, one's own, or the first of one's scope."""
    actor, zone = current_actor(), settings().zone
    today = local_day(clock.now(), zone)
    year = year_from(request.args.get("year", ""), today.year)
    code = request.args.get("organization", "")[:CODE_LENGTH]
    paths = actor.paths(*READERS)
    with reading() as session:
        branches = organizations_within(session, paths, kinds=BRANCH_KINDS, limit=CHOICES_MAX)
        branch = organization_by_code(session, code, paths) if code else None
        if branch is None and branches:
            own = [each for each in branches if each.id == actor.organization_id]
            branch = (own or branches)[0]
        life = branch and life_of(
            session, branch, read_period(str(year)), zone=zone, today=today
        )
    return render_template(
        "attendance/life.html",
        branch=branch,
        branches=[(each.code, each.name) for each in branches],
        years=[(today.year - back, today.year - back) for back in range(YEARS_BACK)],
        year=year,
        life=life,
        words={**MEETING_WORDS, OTHER: gettext("Other meetings")},
    )


def year_from(text: str, usual: int) -> int:
    """Return the year that was asked for, the usual one for what is none."""
    is_year = text.isascii() and text.isdigit() and len(text) == YEAR_DIGITS
    return min(max(int(text), FIRST_YEAR), LAST_YEAR) if is_year else usual
