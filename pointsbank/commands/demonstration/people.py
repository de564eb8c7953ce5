"""Who lives in the demonstration district: organizations, members, merchants and the people
with roles.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from argon2 import PasswordHasher
from sqlalchemy.orm import Session

from pointsbank.commands.demonstration.content import (
    COMMUNITIES,
    GIVEN,
    GRIDS_EACH,
    MEMBERS,
    MERCHANTS,
    MORE_SHOP_KINDS,
    MORE_SHOP_NAMES,
    SHOPS,
    SURNAMES,
    Shop,
)
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import transaction
from pointsbank.members import passwords
from pointsbank.members.models import HANDLE_BYTES
from pointsbank.members.service import add_first_administrator, add_member, grant_role
from pointsbank.organizations.importing import import_organizations, read_organizations
from pointsbank.organizations.queries import organization_by_code
from pointsbank.organizations.service import add_merchant, add_organization
from pointsbank.rewards.offering import Offer
from pointsbank.rewards.service import offer_reward

ORGANIZATIONS = Path(__file__).parents[1] / "data" / "kuangqu.csv"
# For looking around on one's own machine; a real installation never has it.
PASSWORD = "sunny river bank"
# 100 to 109 are not given to any network, so none of these numbers rings anywhere.
PHONE_FIRST = 10_000_000_000
STEP_SIZE = 40
PARTY_SHARE = 0.6

Tick = Callable[[int], None]


@dataclass
class Merchant:
    """A merchant with its clerk and what it offers: (reward id, points)."""

    id: int
    clerk_id: int
    rewards: list[tuple[int, int]] = field(default_factory=list)


@dataclass
class Community:
    """A community with its people; branches and members by id."""

    code: str
    id: int
    path: str
    branches: list[int]
    organizer_id: int = 0
    members: list[int] = field(default_factory=list)


@dataclass
class District:
    """Everyone and everything the history is made with. signs_in: role -> (name, phone)."""

    communities: list[Community] = field(default_factory=list)
    merchants: list[Merchant] = field(default_factory=list)
    signs_in: dict[str, tuple[str, str]] = field(default_factory=dict)
    administrator_id: int = 0


class Crowd:
    """Draws names, phones and handles without repeating a phone."""

    def __init__(self, dice: random.Random, hasher: PasswordHasher) -> None:
        """Hash the one password once: a different salt for each would only cost time."""
        self.dice = dice
        self.password_hash = passwords.hashed(PASSWORD, hasher)
        self._phones = PHONE_FIRST

    def name(self) -> str:
        """Draw an invented name."""
        return self.dice.choice(SURNAMES) + self.dice.choice(GIVEN)

    def phone(self) -> str:
        """Return the next number of the row that is given to nobody."""
        self._phones += 1
        return str(self._phones)

    def join(
        self,
        session: Session,
        *,
        name: str,
        organization_id: int,
        kind: str,
        now: datetime,
        signs_in: bool = False,
    ) -> tuple[int, str]:
        """Take a person in and return their id and phone."""
        phone = self.phone()
        member_id = add_member(
            session,
            name=name,
            phone=phone,
            organization_id=organization_id,
            kind=kind,
            password_hash=self.password_hash if signs_in else None,
            handle=self.dice.randbytes(HANDLE_BYTES),
            now=now,
        )
        return member_id, phone


def settle_the_district(crowd: Crowd, *, since: datetime, tick: Tick) -> District:
    """Import the real organizations and people them; tick is told how many people came."""
    district = District()
    administrator_phone = crowd.phone()
    with transaction() as session:
        district.administrator_id = add_first_administrator(
            session,
            name="郑明",
            phone=administrator_phone,
            password_hash=crowd.password_hash,
            handle=crowd.dice.randbytes(HANDLE_BYTES),
            now=since,
        )
        district.signs_in["administrator"] = ("郑明", administrator_phone)
        table, problems = read_organizations(ORGANIZATIONS.read_bytes(), ORGANIZATIONS.name)
        import_organizations(
            session,
            table=table,
            problems=problems,
            paths=("/",),
            actor_id=district.administrator_id,
            now=since,
        )
        district.communities = [a_community(session, code, since) for code in COMMUNITIES]
    people_with_roles(crowd, district, since)
    for first in range(0, MEMBERS, STEP_SIZE):
        with transaction() as session:
            for number in range(first, min(first + STEP_SIZE, MEMBERS)):
                an_inhabitant(session, crowd, district, number, since)
        tick(STEP_SIZE)
    open_the_shops(crowd, district, since)
    return district


def a_community(session: Session, code: str, now: datetime) -> Community:
    """Give a real community its branches and grids."""
    found = organization_by_code(session, code)
    branches = [
        add_organization(
            session,
            code=f"{code}-B{n}",
            name=found.name.removesuffix("居委会") + name,
            kind="branch",
            parent_code=code,
            now=now,
        )
        for n, name in enumerate(("第一党支部", "第二党支部"), start=1)
    ]
    for n in range(1, GRIDS_EACH + 1):
        add_organization(
            session,
            code=f"{code}-G{n}",
            name=f"第{n}网格",
            kind="grid",
            parent_code=code,
            now=now,
        )
    return Community(code=code, id=found.id, path=found.path, branches=branches)


def people_with_roles(crowd: Crowd, district: District, now: datetime) -> None:
    """Give every community an organizer and its branches a secretary; the first ones are
    printed.
    """
    with transaction() as session:
        for number, community in enumerate(district.communities):
            name = "李敏" if number == 0 else crowd.name()
            community.organizer_id, phone = crowd.join(
                session, name=name, organization_id=community.branches[0], kind="party_member",
                now=now, signs_in=True,
            )  # fmt: skip
            give_role(session, district, community.organizer_id, "organizer", community.id, now)
            district.signs_in.setdefault("organizer", (name, phone))
            for branch in community.branches:
                name = "陈志明" if "secretary" not in district.signs_in else crowd.name()
                secretary_id, phone = crowd.join(
                    session, name=name, organization_id=branch, kind="party_member",
                    now=now, signs_in=True,
                )  # fmt: skip
                give_role(session, district, secretary_id, "secretary", community.id, now)
                district.signs_in.setdefault("secretary", (name, phone))
        auditor_id, phone = crowd.join(
            session, name="周正", organization_id=district.communities[0].branches[1],
            kind="staff", now=now, signs_in=True,
        )  # fmt: skip
        top = organization_by_code(session, "140303")
        give_role(session, district, auditor_id, "auditor", top.id, now)
        district.signs_in["auditor"] = ("周正", phone)


def give_role(
    session: Session,
    district: District,
    member_id: int,
    role: str,
    organization_id: int,
    now: datetime,
) -> None:
    """Let the administrator give a role over an organization."""
    grant_role(
        session,
        member_id=member_id,
        role=role,
        organization_id=organization_id,
        granted_by_id=district.administrator_id,
        now=now,
    )


def an_inhabitant(
    session: Session, crowd: Crowd, district: District, number: int, now: datetime
) -> None:
    """Take in one more member: party members in branches, volunteers in the community."""
    community = district.communities[number % len(district.communities)]
    is_first = number == 0
    is_party_member = crowd.dice.random() < PARTY_SHARE and not is_first
    member_id, phone = crowd.join(
        session,
        name="王桂兰" if is_first else crowd.name(),
        organization_id=community.branches[0]
        if is_first
        else crowd.dice.choice(community.branches),
        kind="party_member" if is_party_member else "volunteer",
        now=now,
        signs_in=is_first,
    )
    community.members.append(member_id)
    if is_first:
        district.signs_in["volunteer"] = ("王桂兰", phone)


def open_the_shops(crowd: Crowd, district: District, now: datetime) -> None:
    """Open as many merchants as such a district has, each with a clerk and its offers."""
    shops = [*SHOPS]
    names = [(name, kind) for name in MORE_SHOP_NAMES for kind in MORE_SHOP_KINDS]
    for name, (suffix, kind, offers) in names[: MERCHANTS - len(shops)]:
        shops.append(Shop(name + suffix, kind, offers))
    with transaction() as session:
        for number, shop in enumerate(shops):
            community = district.communities[number % len(district.communities)]
            district.merchants.append(
                a_merchant(session, crowd, district, community, shop, now)
            )


def a_merchant(
    session: Session,
    crowd: Crowd,
    district: District,
    community: Community,
    shop: Shop,
    now: datetime,
) -> Merchant:
    """Open one merchant."""
    merchant_id = add_merchant(
        session, name=shop.name, organization_code=community.code, kind=shop.kind, now=now
    )
    name = "赵小梅" if "clerk" not in district.signs_in else crowd.name()
    clerk_id, phone = crowd.join(
        session,
        name=name,
        organization_id=community.id,
        kind="resident",
        now=now,
        signs_in=True,
    )
    grant_role(
        session,
        member_id=clerk_id,
        role="clerk",
        merchant_id=merchant_id,
        granted_by_id=district.administrator_id,
        now=now,
    )
    district.signs_in.setdefault("clerk", (name, phone))
    merchant = Merchant(merchant_id, clerk_id)
    clerk = Actor(
        clerk_id, name, community.id, 0, grants=(Grant("clerk", merchant_id=merchant_id),)
    )
    for offer in shop.offers:
        reward_id = offer_reward(
            session,
            actor=clerk,
            merchant_id=merchant_id,
            offer=Offer(
                name=offer.name,
                points=offer.points,
                stock=offer.stock,
                limit_per_member=offer.limit,
                kind=offer.kind,
                category=offer.category,
            ),
            now=now,
        )
        merchant.rewards.append((reward_id, offer.points))
    return merchant
