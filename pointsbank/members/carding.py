"""Paper cards for many people at once: whose they are, which old ones die, the new ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.text import masked_name
from pointsbank.members.errors import (
    MemberNotFound,
    NobodyForCards,
    NotOverThisPerson,
    TooManyCards,
)
from pointsbank.members.models import Card, Member
from pointsbank.members.policy import may_change
from pointsbank.members.queries import administrator_paths
from pointsbank.members.showing import issue_card
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import organization_by_code, within

# 25 sheets: what one person cuts in an afternoon, and a PDF of a few seconds.
CARDS_MAX = 200
CARD_GIVERS = ("administrator", "organizer")
# Those who look after people read their full names; an organizer reads 王*兰.
NAME_READERS = ("administrator", "secretary")


@dataclass(frozen=True)
class Holder:
    """Somebody who gets a card. name: as the actor may read it.

    old_cards: how many good ones they hold, and with_pin how many of them may redeem.
    """

    member_id: int
    volunteer_no: str
    name: str
    organization_name: str
    old_cards: int
    with_pin: int


@dataclass(frozen=True)
class IssuedCards:
    """What was issued: card ids by member, and how many old cards died."""

    card_ids: dict[int, int]
    revoked: int


def holders_by_ids(session: Session, actor: Actor, ids: Sequence[int]) -> list[Holder]:
    """Return these active members, all within the actor's scope, by their numbers.

    Raises MemberNotFound, NotOverThisPerson, NobodyForCards, TooManyCards.
    """
    wanted = set(ids)
    found = _holders(session, actor, Member.id.in_(wanted), len(wanted))
    if len(found) != len(wanted):
        raise MemberNotFound
    return found


def holders_by_numbers(session: Session, actor: Actor, numbers: Sequence[str]) -> list[Holder]:
    """Return the active members with these volunteer numbers, all within the actor's scope.

    Raises what holders_by_ids raises; MemberNotFound with how many numbers nobody has.
    """
    wanted = set(numbers)
    found = _holders(session, actor, Member.volunteer_no.in_(wanted), len(wanted))
    if len(found) != len(wanted):
        raise MemberNotFound(
            "%(number)s of these numbers belong to nobody you look after.",
            number=len(wanted) - len(found),
        )
    return found


def holders_of_organization(session: Session, actor: Actor, code: str) -> list[Holder]:
    """Return the active members of an organization and of all that stands under it.

    Raises OrganizationNotFound, and what holders_by_ids raises.
    """
    place = organization_by_code(session, code, actor.paths(*CARD_GIVERS))
    condition = within(Organization.path, [place.path])
    number = session.scalar(
        select(func.count(Member.id))
        .join(Organization, Organization.id == Member.organization_id)
        .where(condition, Member.state == "active")
    )
    return _holders(session, actor, condition, int(number or 0))


def _holders(session: Session, actor: Actor, condition: object, number: int) -> list[Holder]:
    if number == 0:
        raise NobodyForCards
    if number > CARDS_MAX:
        raise TooManyCards(number=number, most=CARDS_MAX)
    paths = actor.paths(*CARD_GIVERS)
    good = Card.revoked_at.is_(None)
    rows = session.execute(
        select(
            Member.id,
            Member.volunteer_no,
            Member.name,
            Organization.name.label("organization_name"),
            Organization.path,
            func.count(Card.id).label("old_cards"),
            func.count(Card.pin_hash).label("with_pin"),
        )
        .join(Organization, Organization.id == Member.organization_id)
        .outerjoin(Card, (Card.member_id == Member.id) & good)
        .where(
            condition,  # type: ignore[arg-type]  # every caller hands a condition of columns
            Member.state == "active",
            within(Organization.path, paths),
        )
        .group_by(Member.id, Organization.id)
        .order_by(Member.volunteer_no)
    ).all()
    administered = administrator_paths(session, [row.id for row in rows])
    for row in rows:
        if row.id != actor.member_id and not may_change(paths, administered.get(row.id, ())):
            raise NotOverThisPerson
    return [
        Holder(
            row.id,
            row.volunteer_no,
            row.name if actor.oversees(row.path, *NAME_READERS) else masked_name(row.name),
            row.organization_name,
            int(row.old_cards),
            int(row.with_pin),
        )
        for row in rows
    ]


def issue_cards(
    session: Session,
    *,
    actor: Actor,
    numbers: dict[int, bytes],
    secret: str,
    now: datetime,
) -> IssuedCards:
    """Issue a card to each member with the random number of 10 bytes drawn for them.

    Every good card they hold dies in the same moment. The new ones have no six digits, so they
    check in and never spend. Two issuings at once for one person come one after the other, and
    the later card stays. Raises what holders_by_ids raises.
    """
    ids = sorted(numbers)
    # Not FOR UPDATE: rows that only refer to the member need not wait.
    session.execute(
        select(Member.id)
        .where(Member.id.in_(ids))
        .order_by(Member.id)
        .with_for_update(key_share=True)
    )
    holders_by_ids(session, actor, ids)
    revoked = session.execute(
        update(Card)
        .where(Card.member_id.in_(ids), Card.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(Card.id, Card.member_id)
    ).all()
    for card in revoked:
        note(
            session,
            at=now,
            actor_id=actor.member_id,
            action="revoke_card",
            subject=("member", card.member_id),
            card_id=card.id,
        )
    card_ids = {
        member_id: issue_card(
            session,
            member_id=member_id,
            number=numbers[member_id],
            pin=None,
            secret=secret,
            issued_by_id=actor.member_id,
            now=now,
        )
        for member_id in ids
    }
    return IssuedCards(card_ids, len(revoked))
