"""Who acts: a member with the roles that stand at this moment."""

from dataclasses import dataclass

from pointsbank.core.text import masked_name

ROLES = ("administrator", "organizer", "clerk", "secretary", "auditor", "committee")


@dataclass(frozen=True)
class Grant:
    """One role, over an organization's subtree, over one merchant, or over everything.

    path: the materialized path of the organization ("/1/5/"); "/" is the whole installation.
    """

    role: str
    path: str | None = None
    merchant_id: int | None = None


@dataclass(frozen=True)
class Actor:
    """A signed-in member."""

    member_id: int
    name: str
    organization_id: int
    session_id: int
    grants: tuple[Grant, ...] = ()
    locale: str | None = None
    display_mode: str = ""

    @property
    def display_name(self) -> str:
        """The masked name: 王*兰."""
        return masked_name(self.name)

    def is_(self, *roles: str) -> bool:
        """Tell whether any of these roles stands, anywhere."""
        return any(grant.role in roles for grant in self.grants)

    def paths(self, *roles: str) -> tuple[str, ...]:
        """Return the organization paths over which any of these roles stands."""
        return tuple(g.path for g in self.grants if g.role in roles and g.path is not None)

    def oversees(self, path: str, *roles: str) -> bool:
        """Tell whether any of these roles covers the organization at this path."""
        return any(path.startswith(mine) for mine in self.paths(*roles))

    def merchant_ids(self) -> tuple[int, ...]:
        """Return the merchants at whose counter this person is a clerk."""
        return tuple(
            g.merchant_id
            for g in self.grants
            if g.role == "clerk" and g.merchant_id is not None
        )
