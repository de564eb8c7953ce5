"""Which period and which organization a report is about, as its form asks."""

from datetime import date

from flask import request
from flask_babel import gettext
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.calendar import Period, quarter_before, quarter_of, read_period
from pointsbank.organizations.errors import OrganizationNotFound
from pointsbank.organizations.queries import (
    in_scope,
    organization_by_code,
    organizations_at,
    organizations_within,
)
from pointsbank.rankings.pages.facing import period_name
from pointsbank.rankings.policy import reporting_paths

QUARTERS_OFFERED = 8
PERIOD_LENGTH_MAX = 24
# Finer than any tree that people read as a list to choose from.
PLACES_MAX = 300
PLACE_KINDS = ("district", "street", "community", "general_branch", "branch", "work_unit")


def asked_period(today: date) -> Period:
    """Return the period that is asked for, the running quarter when none is.

    Raises UnknownPeriod.
    """
    name = request.values.get("period", "")[:PERIOD_LENGTH_MAX]
    return read_period(name) if name else quarter_of(today)


def periods_offered(today: date) -> list[tuple[str, str]]:
    """Return quarters and years to choose from, the running quarter first."""
    quarters, period = [], quarter_of(today)
    for _ in range(QUARTERS_OFFERED):
        quarters.append(period)
        period = quarter_before(period)
    years = [read_period(str(year)) for year in (today.year, today.year - 1)]
    return [(each.name, period_name(each)) for each in (*quarters, *years)]


def scope_of(session: Session, paths: tuple[str, ...], code: str) -> tuple[str, ...]:
    """Return the path of the organization with this code; without one all of one's own.

    Raises OrganizationNotFound, for a foreign one as for an unknown one.
    """
    if not code:
        return paths
    node = organization_by_code(session, code)
    if not in_scope(node.path, paths):
        raise OrganizationNotFound
    return (node.path,)


def place_of(session: Session, actor: Actor, code: str) -> str:
    """Return the name of what a report is about: one organization, or all one answers for."""
    if code:
        return organization_by_code(session, code).name
    mine = organizations_at(session, reporting_paths(actor))
    return mine[0].name if len(mine) == 1 else str(gettext("All I answer for"))


def places_offered(session: Session, actor: Actor) -> list[tuple[str, str]]:
    """Return code and name of the organizations to choose from, all of them first."""
    places = organizations_within(
        session, reporting_paths(actor), kinds=PLACE_KINDS, limit=PLACES_MAX
    )
    return [("", gettext("All I answer for")), *((each.code, each.name) for each in places)]
