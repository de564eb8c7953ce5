"""A district with two communities, a work unit outside them, and who answers for each."""

from datetime import timedelta

from pointsbank.core.actor import Actor, Grant
from pointsbank.members.dual_registering import (
    Wanted,
    accept_registration,
    apply_at_home,
)
from pointsbank.organizations.queries import organization_of
from tests.builders import TODAY, a_branch, a_member, an_organization, with_role
from tests.moments import NOON

LONG_AGO = TODAY - timedelta(days=100)


def acting(session, member_id, organization_id, *grants):
    """Return somebody who acts, with roles over organizations."""
    paths = [(role, organization_of(session, place).path) for role, place in grants]
    return Actor(
        member_id,
        "何素芬",
        organization_id,
        0,
        tuple(Grant(role, path) for role, path in paths),
    )


class Town:
    """Two communities and a unit under one district; party members who work in the unit."""

    def __init__(self, session):
        self.district = an_organization(session, "140303", "district", name="矿区")
        self.home = an_organization(session, "140303001002", parent=self.district)
        self.away = an_organization(
            session, "140303001004", parent=self.district, name="桥头社区居委会"
        )
        self.unit = an_organization(
            session, "U-WATER", "work_unit", self.district, name="市自来水公司"
        )
        self.other_unit = an_organization(
            session, "U-GAS", "work_unit", self.district, name="市燃气公司"
        )
        self.unit_branch = a_branch(session, "U-WATER-1", self.unit, "自来水公司第一党支部")
        self.secretary = self.keeper(session, self.home, self.home)
        self.foreign = self.keeper(session, self.away, self.away)
        self.contact = self.keeper(session, self.unit_branch, self.unit)
        self.worker = self.person(session, "王桂兰")

    def person(self, session, name="王桂兰", kind="party_member"):
        """Return somebody who belongs to the unit's branch."""
        member_id = a_member(session, name, self.unit_branch, kind=kind)
        return acting(session, member_id, self.unit_branch)

    def keeper(self, session, belongs, keeps, role="secretary"):
        """Return who looks after a place."""
        member_id = with_role(session, a_member(session, "陈书记", belongs), role, keeps)
        return acting(session, member_id, belongs, (role, keeps))

    def wanted(self, *, is_named=False, community="140303001002"):
        """Return a registration of the unit's people at the home community."""
        return Wanted("U-WATER", community, is_named)

    def applied(self, session, actor=None, **more):
        """Return the id of an application."""
        return apply_at_home(
            session, actor=actor or self.worker, wanted=self.wanted(**more), now=NOON
        )

    def accepted(self, session, actor=None, first_on=LONG_AGO, **more):
        """Return the id of a registration that stands."""
        made = self.applied(session, actor, **more)
        accept_registration(
            session,
            actor=self.secretary,
            registration_id=made,
            first_on=first_on,
            today=TODAY,
            now=NOON,
        )
        return made
