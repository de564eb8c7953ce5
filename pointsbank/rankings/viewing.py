"""Which ranking a person may see: the scope they asked for, within the scope they have."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.calendar import Period, local_day, quarter_of
from pointsbank.organizations.errors import OrganizationNotFound
from pointsbank.organizations.queries import organization_by_code, organization_of
from pointsbank.rankings.errors import RankingNotShown
from pointsbank.rankings.periods import period_named
from pointsbank.rankings.policy import RANKING_ROLES, may_see_own_row


@dataclass(frozen=True)
class View:
    """What one person may see of a period: whom under which paths, or their own row alone."""

    period: Period
    paths: tuple[str, ...]
    member_id: int | None
    place: str | None

    @property
    def reach(self) -> tuple[str, ...]:
        """Where standings are looked for: one's own counts wherever one belonged then."""
        return self.paths if self.member_id is None else ("/",)


def view_for(
    session: Session,
    actor: Actor,
    *,
    period: str | None,
    organization_code: str | None,
    of: str,
    visibility: str,
    roles: Sequence[str] = RANKING_ROLES,
    zone: ZoneInfo,
    now: datetime,
) -> View:
    """Return what this person may see of what they ask for.

    Who answers for organizations sees everyone under them. roles: those by which somebody does.
    A member sees their own row where
    the setting allows: its parts and its band, and no place.
    Raises UnknownPeriod, RankingNotShown, OrganizationNotFound for a foreign one as for an
    unknown.
    """
    chosen = period_named(session, period) if period else quarter_of(local_day(now, zone))
    paths = actor.paths(*roles)
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
