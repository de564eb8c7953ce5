"""Which ranking a person may see: the scope they asked for, within the scope they have."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.calendar import Period, local_day, quarter_of, read_period
from pointsbank.organizations.errors import OrganizationNotFound
from pointsbank.organizations.queries import organization_by_code, organization_of
from pointsbank.rankings.errors import RankingNotShown
from pointsbank.rankings.policy import may_see_own_row, viewing_paths


@dataclass(frozen=True)
class View:
    """What one person may see of a period: whom under which paths, or their own row alone."""

    period: Period
    paths: tuple[str, ...]
    member_id: int | None
    place: str | None


def view_for(
    session: Session,
    actor: Actor,
    *,
    period: str | None,
    organization_code: str | None,
    of: str,
    visibility: str,
    zone: ZoneInfo,
    now: datetime,
) -> View:
    """Return what this person may see of what they ask for.

    Who answers for organizations sees everyone under them. A member sees their own row where
    the setting allows, with the rank it has in their own organization or in one above it.
    Raises UnknownPeriod, RankingNotShown, OrganizationNotFound for a foreign one as for an
    unknown.
    """
    chosen = read_period(period) if period else quarter_of(local_day(now, zone))
    paths = viewing_paths(actor)
    if not paths and (of != "members" or not may_see_own_row(visibility)):
        raise RankingNotShown
    if paths and not organization_code:
        return View(chosen, paths, None, None)
    node = (
        organization_by_code(session, organization_code)
        if organization_code
        else organization_of(session, actor.organization_id)
    )
    if paths:
        if not any(node.path.startswith(mine) for mine in paths):
            raise OrganizationNotFound
        return View(chosen, (node.path,), None, node.name)
    home = organization_of(session, actor.organization_id)
    if not home.path.startswith(node.path):
        raise OrganizationNotFound
    return View(chosen, (node.path,), actor.member_id, node.name)
