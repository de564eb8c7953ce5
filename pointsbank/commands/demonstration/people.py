"""Who lives in the demonstration district: organizations, members, merchants and the people
with roles.
"""

import csv
import io
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.commands.demonstration.content import (
    BRANCH_NAMES,
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
from pointsbank.commands.demonstration.content import (
    Offer as Offered,
)
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import transaction
from pointsbank.core.settings import Settings
from pointsbank.members import passwords
from pointsbank.members.importing import import_members, read_members
from pointsbank.members.models import HANDLE_BYTES, Member
from pointsbank.members.service import add_first_administrator, grant_role
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
PARTY_SHARE = 0.6
SECOND_NAME = "段红梅"
DISTRICT = "140303"
HEADINGS = ("姓名", "手机号", "所属组织编码", "类别", "初始密码", "出生日期")
# Of this share the date of birth is known.
BORN_ON_SHARE = 0.6
YOUNGEST, OLDEST = 19, 78
FIRST_BORN_ON = date(1958, 3, 12)

Tick = Callable[[int], None]


@dataclass
class Merchant:
    """A merchant with its clerk and what it offers: (reward id, points).

    number: its place in the district, from 0; it belongs to the community of that place.
    """

    id: int
    clerk_id: int
    number: int
    shop_id: int = 0
    is_stopped: bool = False
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
    """Everyone and everything the history is made with.

    second_id: the administrator who signs what the first one proposes.
    """

    communities: list[Community] = field(default_factory=list)
    merchants: list[Merchant] = field(default_factory=list)
    administrator_id: int = 0
    second_id: int = 0

    @property
    def first(self) -> Actor:
        """The first administrator as one who acts."""
        return Actor(self.administrator_id, "", 0, 0, (Grant("administrator", "/"),))

    @property
    def second(self) -> Actor:
        """The second administrator as one who acts."""
        return Actor(self.second_id, "", 0, 0, (Grant("administrator", "/"),))

    def home_of(self, merchant: Merchant) -> Community:
        """Return the community that a merchant belongs to."""
        return self.communities[merchant.number % len(self.communities)]


@dataclass(frozen=True)
class Person:
    """Somebody as the file of people says them. signs_in: with the demonstration's password."""

    name: str
    phone: str
    organization_code: str
    kind: str
    signs_in: bool = False
    born_on: date | None = None

    def row(self) -> tuple[str, ...]:
        """Return the cells of this person's row, under HEADINGS."""
        password = PASSWORD if self.signs_in else ""
        born_on = self.born_on.isoformat() if self.born_on else ""
        return self.name, self.phone, self.organization_code, self.kind, password, born_on


class Crowd:
    """Draws names, phones and handles without repeating a phone."""

    def __init__(
        self, dice: random.Random, settings: Settings, phones_after: int = PHONE_FIRST
    ) -> None:
        """Hash the one password once: a different salt for each would only cost time."""
        hasher = passwords.CHEAP_HASHER if settings.argon2_cheap else passwords.HASHER
        self.dice = dice
        self.password_hash = passwords.hashed(PASSWORD, hasher)
        self._phones = phones_after
        self._people: list[Person] = []

    def name(self) -> str:
        """Draw an invented name."""
        return self.dice.choice(SURNAMES) + self.dice.choice(GIVEN)

    def phone(self) -> str:
        """Return the next number of the row that is given to nobody."""
        self._phones += 1
        return str(self._phones)

    def welcome(
        self,
        organization_code: str,
        kind: str,
        *,
        name: str = "",
        signs_in: bool = False,
        born_on: date | None = None,
    ) -> str:
        """Put a person on the file, whose name is drawn where none is given; return their
        phone.
        """
        phone = self.phone()
        named = name or self.name()
        self._people.append(Person(named, phone, organization_code, kind, signs_in, born_on))
        return phone

    def take_in(
        self, session: Session, actor_id: int, now: datetime, today: date
    ) -> dict[str, int]:
        """Import the file of people, and return their ids by phone."""
        written = io.StringIO()
        csv.writer(written).writerows([HEADINGS, *(each.row() for each in self._people)])
        table, problems = read_members(written.getvalue().encode(), "people.csv")
        import_members(
            session,
            table=table,
            problems=problems,
            paths=("/",),
            password_hashes={
                row.number: self.password_hash
                for row in table.rows
                if row.cells.get("initial_password")
            },
            draw_handle=self.dice.randbytes,
            actor_id=actor_id,
            now=now,
            today=today,
        )
        found = session.execute(select(Member.phone, Member.id))
        return {phone: member_id for phone, member_id in found if phone}


def settle_the_district(crowd: Crowd, *, since: datetime, today: date, tick: Tick) -> District:
    """Import the real organizations and people them; tick is told how many people came."""
    district = District()
    with transaction() as session:
        district.administrator_id = add_first_administrator(
            session,
            name="郑明",
            phone=crowd.phone(),
            password_hash=crowd.password_hash,
            handle=crowd.dice.randbytes(HANDLE_BYTES),
            now=since,
            today=today,
        )
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
    roles = people_with_roles(crowd, district)
    inhabitants = [
        an_inhabitant(crowd, district, number, since.date()) for number in range(MEMBERS)
    ]
    clerks = [a_clerk(crowd, district, number) for number in range(MERCHANTS - 1)]
    with transaction() as session:
        ids = crowd.take_in(session, district.administrator_id, since, today)
        give_roles(session, district, roles, ids, since)
    for number, phone in enumerate(inhabitants):
        district.communities[number % len(COMMUNITIES)].members.append(ids[phone])
    tick(MEMBERS)
    with transaction() as session:
        for number, (shop, phone) in enumerate(zip(all_shops(), clerks, strict=True)):
            a_merchant(session, district, shop, ids[phone], number, since)
    return district


def a_community(session: Session, code: str, now: datetime) -> Community:
    """Give a real community its branches and grids."""
    found = organization_by_code(session, code)
    branches = [
        add_organization(
            session,
            code=branch_code(code, n),
            name=branch_name(found.name, name),
            kind="branch",
            parent_code=code,
            now=now,
        )
        for n, name in enumerate(BRANCH_NAMES)
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


def branch_name(community_name: str, name: str) -> str:
    """Return what a community's branch is called in full."""
    return community_name.removesuffix("居委会") + name


def branch_code(community_code: str, n: int) -> str:
    """Return the code of a community's branch, the first one 0."""
    return f"{community_code}-B{n + 1}"


def people_with_roles(crowd: Crowd, district: District) -> list[tuple[str, str, str]]:
    """Let every community have an organizer and its branches a secretary, the first ones
    printed, and the district a second administrator and an auditor; return phone, role and
    the code of the organization it is over.
    """
    given = []
    for number, community in enumerate(district.communities):
        name = "李敏" if number == 0 else ""
        home = branch_code(community.code, 0)
        phone = crowd.welcome(home, "party_member", name=name, signs_in=True)
        given.append((phone, "organizer", community.code))
        for n in range(len(BRANCH_NAMES)):
            name = "陈志明" if (number, n) == (0, 0) else ""
            home = branch_code(community.code, n)
            phone = crowd.welcome(home, "party_member", name=name, signs_in=True)
            given.append((phone, "secretary", community.code))
    first = COMMUNITIES[0]
    phone = crowd.welcome(first, "staff", name=SECOND_NAME, signs_in=True)
    given.append((phone, "administrator", ""))
    phone = crowd.welcome(branch_code(first, 1), "staff", name="周正", signs_in=True)
    given.append((phone, "auditor", DISTRICT))
    return given


def give_roles(
    session: Session,
    district: District,
    roles: list[tuple[str, str, str]],
    ids: dict[str, int],
    now: datetime,
) -> None:
    """Let the administrator give roles, over an organization or, without a code, over all."""
    communities = {each.code: each for each in district.communities}
    for phone, role, code in roles:
        grant_role(
            session,
            member_id=ids[phone],
            role=role,
            organization_id=organization_by_code(session, code).id if code else None,
            granted_by_id=district.administrator_id,
            now=now,
        )
        if role == "organizer":
            communities[code].organizer_id = ids[phone]
        elif role == "administrator":
            district.second_id = ids[phone]


def an_inhabitant(crowd: Crowd, district: District, number: int, today: date) -> str:
    """Let one more member come, into a branch of their community, and return their phone."""
    community = district.communities[number % len(district.communities)]
    if number == 0:
        home = branch_code(community.code, 0)
        return crowd.welcome(
            home, "volunteer", name="王桂兰", signs_in=True, born_on=FIRST_BORN_ON
        )
    dice = crowd.dice
    kind = "party_member" if dice.random() < PARTY_SHARE else "volunteer"
    home = branch_code(community.code, dice.randrange(len(BRANCH_NAMES)))
    is_told = dice.random() < BORN_ON_SHARE
    days = dice.randint(YOUNGEST * 366, OLDEST * 365)
    return crowd.welcome(home, kind, born_on=today - timedelta(days=days) if is_told else None)


def a_clerk(crowd: Crowd, district: District, number: int) -> str:
    """Let the clerk of one merchant come, and return their phone."""
    community = district.communities[number % len(district.communities)]
    name = "赵小梅" if number == 0 else ""
    return crowd.welcome(community.code, "resident", name=name, signs_in=True)


def all_shops() -> list[Shop]:
    """Return as many shops as such a district has, but the last, which applies."""
    names = [(name, kind) for name in MORE_SHOP_NAMES for kind in MORE_SHOP_KINDS]
    more = [Shop(name + suffix, kind, offers) for name, (suffix, kind, offers) in names]
    return [*SHOPS, *more][: MERCHANTS - 1]


def a_merchant(
    session: Session,
    district: District,
    shop: Shop,
    clerk_id: int,
    number: int,
    now: datetime,
) -> None:
    """Open one merchant, with its clerk and its offers."""
    community = district.communities[number % len(district.communities)]
    merchant_id = add_merchant(
        session, name=shop.name, organization_code=community.code, kind=shop.kind, now=now
    )
    grant_role(
        session,
        member_id=clerk_id,
        role="clerk",
        merchant_id=merchant_id,
        granted_by_id=district.administrator_id,
        now=now,
    )
    merchant = Merchant(merchant_id, clerk_id, number)
    district.merchants.append(merchant)
    offer_all(session, merchant, shop.offers, now)


def offer_all(
    session: Session, merchant: Merchant, offers: tuple[Offered, ...], now: datetime
) -> None:
    """Let a merchant's clerk offer all these, and remember them."""
    clerk = Actor(merchant.clerk_id, "", 0, 0, (Grant("clerk", merchant_id=merchant.id),))
    for offer in offers:
        reward_id = offer_reward(
            session,
            actor=clerk,
            merchant_id=merchant.id,
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
