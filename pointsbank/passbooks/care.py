"""Reads of care funds: which a person may see, what came in, what went out and for what."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session, aliased

from pointsbank.core.actor import Actor
from pointsbank.core.calendar import local_day, midnight
from pointsbank.core.text import masked_name
from pointsbank.ledger.queries import Balance, balance_of
from pointsbank.members.models import Member
from pointsbank.members.queries import member_of
from pointsbank.organizations.models import Merchant, Organization
from pointsbank.organizations.queries import in_scope, lineage_of, within
from pointsbank.passbooks.errors import CareFundNotFound, SpendingNotFound
from pointsbank.passbooks.models import CareFund, CareFundSpending, Donation

# Who looks after a fund: asks for what it spends, and decides as the second person.
FUND_KEEPERS = ("administrator", "secretary")
# Who reads all about the funds in their scope, what was refused included.
FUND_READERS = (*FUND_KEEPERS, "auditor")
STATEMENT_MONTHS = 12
STATEMENT_LINES = 50
FUNDS_SHOWN = 200


@dataclass(frozen=True)
class CareFundLine:
    """A fund with what it holds; path is its organization's."""

    id: int
    name: str
    organization_id: int
    organization_name: str
    path: str
    created_at: datetime
    balance: Balance


@dataclass(frozen=True)
class DonationLine:
    """A donation; donor_name is masked, and None for who wants to stay unnamed."""

    id: int
    donor_name: str | None
    points: int
    given_at: datetime


@dataclass(frozen=True)
class MonthOfDonations:
    """What a fund was given in a local month, however many lines are listed."""

    first_on: date
    points: int
    donations: int


@dataclass(frozen=True)
class SpendingLine:
    """What a fund spends or was to spend; names are masked, path is the fund's."""

    id: int
    fund_id: int
    fund_name: str
    path: str
    merchant_id: int
    merchant_name: str
    points: int
    purpose: str
    hold_id: int
    state: str
    author_id: int
    author_name: str
    asked_at: datetime
    decide_by: datetime
    decided_by_id: int | None
    decided_by_name: str | None
    decided_at: datetime | None
    decision_reason: str


def fund_account(fund_id: int) -> str:
    """Return the code of a fund's account in the ledger."""
    return f"care_fund:{fund_id}"


def fund_of(session: Session, fund_id: int) -> CareFundLine:
    """Return a fund, wherever it stands.

    Raises CareFundNotFound.
    """
    row = session.execute(_funds().where(CareFund.id == fund_id)).first()
    if row is None:
        raise CareFundNotFound
    return _fund(session, row)


def fund_to_see(session: Session, fund_id: int, actor: Actor) -> CareFundLine:
    """Return a fund that a person may donate to or oversees.

    Raises CareFundNotFound, for a foreign one as for an unknown one.
    """
    fund = fund_of(session, fund_id)
    if not (
        in_scope(fund.path, actor.paths(*FUND_READERS))
        or is_donor_path(session, fund, actor.member_id)
    ):
        raise CareFundNotFound
    return fund


def is_donor_path(session: Session, fund: CareFundLine, member_id: int) -> bool:
    """Tell whether a member belongs to the fund's organization or to one under it."""
    return member_of(session, member_id).path.startswith(fund.path)


def funds_to_see(session: Session, actor: Actor) -> list[CareFundLine]:
    """Return the funds a person may donate to or oversees, the nearest organization first."""
    above = [each.id for each in lineage_of(session, member_of(session, actor.member_id).path)]
    rows = session.execute(
        _funds()
        .where(
            or_(
                CareFund.organization_id.in_(above),
                within(Organization.path, actor.paths(*FUND_READERS)),
            )
        )
        .order_by(Organization.path.desc())
        .limit(FUNDS_SHOWN)
    ).all()
    return [_fund(session, row) for row in rows]


def newest_donations(
    session: Session, fund_id: int, *, limit: int = STATEMENT_LINES
) -> list[DonationLine]:
    """Return what a fund was given last, newest first."""
    rows = session.execute(
        select(
            Donation.id, Member.name, Donation.is_anonymous, Donation.points, Donation.given_at
        )
        .join(Member, Member.id == Donation.donor_id)
        .where(Donation.fund_id == fund_id)
        .order_by(Donation.id.desc())
        .limit(limit)
    )
    return [
        DonationLine(
            row.id,
            None if row.is_anonymous else masked_name(row.name),
            row.points,
            row.given_at,
        )
        for row in rows
    ]


def months_of_donations(
    session: Session, fund_id: int, *, now: datetime, zone: ZoneInfo
) -> list[MonthOfDonations]:
    """Return what each of the last STATEMENT_MONTHS months gave a fund, newest first.

    Months in which nothing was given are left out.
    """
    today = local_day(now, zone)
    newest = 12 * today.year + today.month - 1
    months = [
        date(number // 12, number % 12 + 1, 1)
        for number in range(newest, newest - STATEMENT_MONTHS, -1)
    ]
    place = case(
        *((Donation.given_at >= midnight(on, zone), place) for place, on in enumerate(months))
    )
    rows = session.execute(
        select(
            place.label("place"),
            func.sum(Donation.points).label("points"),
            func.count().label("donations"),
        )
        .where(Donation.fund_id == fund_id, Donation.given_at >= midnight(months[-1], zone))
        .group_by(place)
        .order_by(place)
    )
    return [
        MonthOfDonations(months[row.place], int(row.points), int(row.donations)) for row in rows
    ]


def spendings_of_fund(
    session: Session,
    fund_id: int,
    *,
    states: Iterable[str] = (),
    limit: int = STATEMENT_LINES,
) -> list[SpendingLine]:
    """Return what a fund spent or was to spend, newest first; states: only these."""
    statement = _spendings().where(CareFundSpending.fund_id == fund_id)
    wanted = tuple(states)
    if wanted:
        statement = statement.where(CareFundSpending.state.in_(wanted))
    rows = session.execute(statement.order_by(CareFundSpending.id.desc()).limit(limit))
    return [_spending(row) for row in rows]


def spending_of(
    session: Session, spending_id: int, paths: Iterable[str] = ("/",)
) -> SpendingLine:
    """Return one spending of a fund under these paths, as it stands now.

    Raises SpendingNotFound, for a foreign one as for an unknown one.
    """
    row = session.execute(
        _spendings().where(CareFundSpending.id == spending_id, within(Organization.path, paths))
    ).first()
    if row is None:
        raise SpendingNotFound
    return _spending(row)


def _funds() -> Any:
    return select(
        CareFund.id,
        CareFund.name,
        CareFund.organization_id,
        Organization.name.label("organization_name"),
        Organization.path,
        CareFund.created_at,
    ).join(Organization, Organization.id == CareFund.organization_id)


def _fund(session: Session, row: Any) -> CareFundLine:
    return CareFundLine(**row._asdict(), balance=balance_of(session, fund_account(row.id)))


def _spendings() -> Any:
    author, second = aliased(Member), aliased(Member)
    return (
        select(
            CareFundSpending.id,
            CareFundSpending.fund_id,
            CareFund.name.label("fund_name"),
            Organization.path,
            CareFundSpending.merchant_id,
            Merchant.name.label("merchant_name"),
            CareFundSpending.points,
            CareFundSpending.purpose,
            CareFundSpending.hold_id,
            CareFundSpending.state,
            CareFundSpending.author_id,
            author.name.label("author_name"),
            CareFundSpending.asked_at,
            CareFundSpending.decide_by,
            CareFundSpending.decided_by_id,
            second.name.label("decided_by_name"),
            CareFundSpending.decided_at,
            CareFundSpending.decision_reason,
        )
        .join(CareFund, CareFund.id == CareFundSpending.fund_id)
        .join(Organization, Organization.id == CareFund.organization_id)
        .join(Merchant, Merchant.id == CareFundSpending.merchant_id)
        .join(author, author.id == CareFundSpending.author_id)
        .outerjoin(second, second.id == CareFundSpending.decided_by_id)
    )


def _spending(row: Any) -> SpendingLine:
    values = row._asdict()
    decided_by = values["decided_by_name"]
    return SpendingLine(
        **{
            **values,
            "author_name": masked_name(values["author_name"]),
            "decided_by_name": masked_name(decided_by) if decided_by else None,
        }
    )
