"""What is owed: points outstanding by place and by month of expiry."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Date, select, text
from sqlalchemy.orm import Session

from pointsbank.budgets.queries import ISSUING_KIND
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import OrganizationNode, within

# Care funds stand in a room beside this one; the app hands its query in (app.extensions):
# the account code of each fund, with the id of the organization it belongs to.
FundPlaces = Callable[[Session], Mapping[str, int]]

# Points of care funds carry the last day there is: they do not expire.
NEVER = f"{date.max:%Y-%m}"

# One statement is one moment on both engines: points that move meanwhile are counted once. A
# wallet's lots hold what the wallet holds (docs/ledger.md, "Expiry").
OWED = text(
    """
    WITH holder AS (
        SELECT account.id, CASE WHEN account.kind = 'fund' THEN account.code END AS fund,
               CASE WHEN account.kind = 'member'
                    THEN CAST(SUBSTR(account.code, 8) AS bigint) END AS member_id
        FROM account WHERE account.kind IN ('member', 'fund')
    )
    SELECT member.organization_id, holder.fund, lot.expires_on,
           SUM(lot.granted - lot.used) AS points, 0 AS held
    FROM lot JOIN holder ON holder.id = lot.wallet_id
    LEFT JOIN member ON member.id = holder.member_id
    WHERE lot.granted > lot.used
    GROUP BY member.organization_id, holder.fund, lot.expires_on
    UNION ALL
    SELECT member.organization_id, holder.fund, NULL, 0, SUM(wallet.held)
    FROM wallet JOIN holder ON holder.id = wallet.account_id
    LEFT JOIN member ON member.id = holder.member_id
    WHERE wallet.held > 0
    GROUP BY member.organization_id, holder.fund
    """
).columns(expires_on=Date())


@dataclass
class Owed:
    """Points outstanding. months: by the month in which they expire ("2027-12"), or NEVER;
    together they are all of them. funds: how many of them lie in care funds; held: how many are
    set aside.
    """

    points: int = 0
    held: int = 0
    funds: int = 0
    months: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, other: "Owed") -> None:
        """Count another's points in."""
        self.points += other.points
        self.held += other.held
        self.funds += other.funds
        for month, points in other.months.items():
            self.months[month] += points


@dataclass(frozen=True)
class OwedHere:
    """What is owed to the members and funds of one community, or of an organization above."""

    place: OrganizationNode
    owed: Owed


@dataclass(frozen=True)
class Liability:
    """All that is owed within a scope, and by place in the order of their codes."""

    total: Owed
    places: list[OwedHere]


def liability_within(
    session: Session, paths: Sequence[str], fund_places: Mapping[str, int]
) -> Liability:
    """Return what is owed to members and funds that belong under these paths.

    fund_places: the organization of each care fund, by its account's code. Wallets of a
    community's branches and grids count in the community. Every wallet counts, those of stopped
    members too: their points stand until they expire.
    """
    nodes = _nodes_within(session, paths)
    found: dict[int, Owed] = defaultdict(Owed)
    for row in session.execute(OWED):
        at = row.organization_id if row.fund is None else fund_places.get(row.fund)
        if at in nodes:
            points = int(row.points)
            owed = Owed(points, int(row.held), points if row.fund else 0)
            if row.expires_on is not None:
                owed.months[f"{row.expires_on:%Y-%m}"] = points
            found[_community_of(nodes, at)].add(owed)
    total = Owed()
    for owed in found.values():
        total.add(owed)
    places = [OwedHere(nodes[at], owed) for at, owed in found.items()]
    return Liability(total, sorted(places, key=lambda each: each.place.code))


def _nodes_within(session: Session, paths: Sequence[str]) -> dict[int, OrganizationNode]:
    rows = session.execute(
        select(
            Organization.id,
            Organization.code,
            Organization.name,
            Organization.kind,
            Organization.path,
        ).where(within(Organization.path, paths))
    )
    return {row.id: OrganizationNode(*row) for row in rows}


def _community_of(nodes: Mapping[int, OrganizationNode], organization_id: int) -> int:
    """Return the nearest community above an organization within the scope, else itself."""
    ids = [int(part) for part in nodes[organization_id].path.strip("/").split("/")]
    for above in reversed(ids):
        if above in nodes and nodes[above].kind == ISSUING_KIND:
            return above
    return organization_id
