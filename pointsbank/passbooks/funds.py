"""Care funds (爱心基金): opened once, donated to by members, spent by two people."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.db import Moment
from pointsbank.core.errors import KeyReused
from pointsbank.ledger.errors import HoldDecided
from pointsbank.ledger.holding import place_hold, settle_hold, void_hold
from pointsbank.ledger.models import Transfer
from pointsbank.ledger.moving import Move, move
from pointsbank.ledger.service import open_account
from pointsbank.members.queries import role_holders_over
from pointsbank.messages.service import tell, tell_each
from pointsbank.organizations.queries import in_scope, merchant_of, organization_by_code
from pointsbank.passbooks.care import (
    FUND_KEEPERS,
    CareFundLine,
    SpendingLine,
    fund_account,
    fund_of,
    is_donor_path,
    spending_of,
)
from pointsbank.passbooks.errors import (
    CareFundNotFound,
    CareFundStands,
    GainingMerchant,
    MerchantNotTakingPart,
    OwnSpending,
    RefusalReasonMissing,
    SpendingDecided,
)
from pointsbank.passbooks.models import CareFund, CareFundSpending, Donation
from pointsbank.passbooks.queries import account_code

# What a fund holds waits for whoever needs it: it does not expire.
NEVER = date(9999, 12, 31)
DECISION_DAYS = 7

# Printed in the books and on statements as they are; whom a spending helps stands nowhere here.
DONATION_REASON = "捐赠"
SPENDING_REASON = "爱心基金支出"

DECIDE = text(
    """
    UPDATE care_fund_spending
    SET state = :state, decided_by_id = :actor_id, decided_at = :now, decision_reason = :reason
    WHERE id = :id AND state = 'pending'
    RETURNING id
    """
).bindparams(bindparam("now", type_=Moment()))

LAPSE = text(
    """
    UPDATE care_fund_spending SET state = 'lapsed'
    WHERE state = 'pending'
      AND hold_id IN (SELECT id FROM hold WHERE state = 'expired')
    RETURNING id, author_id, points
    """
)


@dataclass(frozen=True)
class Donated:
    """A donation as it stands, and the donor's balance right after it."""

    id: int
    points: int
    balance_after: int
    is_replay: bool


@dataclass(frozen=True)
class SpendingWish:
    """What a fund is to spend at a merchant, and the asking person's own key."""

    fund_id: int
    merchant_id: int
    points: int
    purpose: str
    key: str


def open_fund(
    session: Session, *, actor: Actor, organization_code: str, name: str, now: datetime
) -> int:
    """Open the care fund of an organization that the actor administers, and return its id.

    Raises OrganizationNotFound, CareFundStands.
    """
    paths = actor.paths("administrator")
    organization = organization_by_code(session, organization_code, paths)
    taken = select(CareFund.id).where(CareFund.organization_id == organization.id)
    if session.scalar(taken) is not None:
        raise CareFundStands
    fund = CareFund(organization_id=organization.id, name=name, created_at=now)
    session.add(fund)
    session.flush()
    open_account(session, code=fund_account(fund.id), kind="fund")
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="open",
        subject=("care_fund", fund.id),
        organization_id=organization.id,
    )
    return fund.id


def donate(
    session: Session,
    *,
    fund_id: int,
    actor: Actor,
    points: int,
    is_anonymous: bool,
    key: str,
    now: datetime,
) -> Donated:
    """Move a member's points into a fund, where they never expire; a repeat donates once.

    Donors belong to the fund's organization or to one under it. Points that were received as a
    gift may be donated, and go first.
    Raises CareFundNotFound, NotEnoughPoints, BadPoints, KeyReused.
    """
    kept_key = _own_key(actor.member_id, key)
    standing = session.scalar(select(Donation).where(Donation.key == kept_key))
    if standing is not None:
        return _replay(session, standing, fund_id, points, is_anonymous)
    fund = fund_to_donate_to(session, fund_id, actor)
    donation = Donation(
        key=kept_key,
        fund_id=fund_id,
        donor_id=actor.member_id,
        points=points,
        is_anonymous=is_anonymous,
        given_at=now,
    )
    session.add(donation)
    session.flush()
    # The audit tells what was done; of an unnamed donor the fund's own readers see nothing.
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="donate",
        subject=("care_fund", fund_id),
        donation_id=donation.id,
        points=points,
    )
    moved = move(
        session,
        Move(
            key=f"donation:{donation.id}",
            source=account_code(actor.member_id),
            target=fund_account(fund_id),
            points=points,
            occurred_at=now,
            kind_out="donate",
            kind_in="donate",
            reason_out=fund.name,
            reason_in=DONATION_REASON,
            actor_id=actor.member_id,
            expires_on=NEVER,
        ),
        now,
    )
    return Donated(donation.id, points, moved.out.balance_after, is_replay=False)


def fund_to_donate_to(session: Session, fund_id: int, actor: Actor) -> CareFundLine:
    """Return a fund of the actor's own organization or of one above it.

    Raises CareFundNotFound.
    """
    fund = fund_of(session, fund_id)
    if not is_donor_path(session, fund, actor.member_id):
        raise CareFundNotFound
    return fund


def ask_for_spending(
    session: Session, wish: SpendingWish, *, actor: Actor, now: datetime
) -> SpendingLine:
    """Set points of a fund aside for a merchant, until a second person decides within a week.

    A repeat answers the spending that stands. The merchant belongs to the actor's scope.
    Raises CareFundNotFound, MerchantNotFound, MerchantNotTakingPart, GainingMerchant,
    NotEnoughPoints, KeyReused.
    """
    fund = fund_to_keep(session, wish.fund_id, actor)
    kept_key = _own_key(actor.member_id, wish.key)
    standing = session.scalar(select(CareFundSpending).where(CareFundSpending.key == kept_key))
    if standing is not None:
        sent = (wish.fund_id, wish.merchant_id, wish.points, wish.purpose)
        if (standing.fund_id, standing.merchant_id, standing.points, standing.purpose) != sent:
            raise KeyReused
        return spending_of(session, standing.id)
    merchant = merchant_of(session, wish.merchant_id, actor.paths(*FUND_KEEPERS))
    if merchant.id in actor.merchant_ids():
        raise GainingMerchant
    if merchant.state != "active":
        raise MerchantNotTakingPart
    decide_by = now + timedelta(days=DECISION_DAYS)
    hold = place_hold(
        session,
        key=f"fund_hold:{kept_key}",
        code=fund_account(fund.id),
        points=wish.points,
        expires_at=decide_by,
        now=now,
    )
    spending = CareFundSpending(
        key=kept_key,
        fund_id=fund.id,
        merchant_id=merchant.id,
        points=wish.points,
        purpose=wish.purpose,
        hold_id=hold.id,
        state="pending",
        author_id=actor.member_id,
        asked_at=now,
        decide_by=decide_by,
        decision_reason="",
    )
    session.add(spending)
    session.flush()
    _note(session, "ask", spending.id, actor, now, points=wish.points, fund_id=fund.id)
    _tell_deciders(session, fund, spending, now)
    return spending_of(session, spending.id)


def _tell_deciders(
    session: Session, fund: CareFundLine, spending: CareFundSpending, now: datetime
) -> None:
    """Tell everyone who may be the second person, the author left out."""
    keepers = role_holders_over(session, fund.path, FUND_KEEPERS)
    tell_each(
        session,
        key=f"fund_spending:{spending.id}:asked",
        member_ids=[each for each in keepers if each != spending.author_id],
        kind="fund_spending_asked",
        facts={
            "points": spending.points,
            "spending_id": spending.id,
            "decide_by": spending.decide_by.isoformat(),
        },
        now=now,
    )


def fund_to_keep(session: Session, fund_id: int, actor: Actor) -> CareFundLine:
    """Return a fund that the actor looks after.

    Raises CareFundNotFound, for a foreign one as for an unknown one.
    """
    fund = fund_of(session, fund_id)
    if not in_scope(fund.path, actor.paths(*FUND_KEEPERS)):
        raise CareFundNotFound
    return fund


def decide_spending(
    session: Session,
    *,
    spending_id: int,
    actor: Actor,
    is_approved: bool,
    reason: str,
    now: datetime,
) -> SpendingLine:
    """Let a second person approve or refuse a spending; their repeat changes nothing.

    Approved, the points go to the merchant; refused, the fund has them again.
    Raises SpendingNotFound, OwnSpending, GainingMerchant, RefusalReasonMissing,
    SpendingDecided.
    """
    found = spending_of(session, spending_id, actor.paths(*FUND_KEEPERS))
    judge_decider(found, actor)
    if not is_approved and not reason:
        raise RefusalReasonMissing
    state = "approved" if is_approved else "refused"
    if found.state == state and found.decided_by_id == actor.member_id:
        return found
    if found.state != "pending" or found.decide_by <= now:
        raise SpendingDecided(state="lapsed" if found.state == "pending" else found.state)
    # The hold decides between two people at once, and between them and its end; everyone takes
    # it before the row of the spending.
    try:
        if is_approved:
            settle_hold(
                session,
                hold_id=found.hold_id,
                key=f"fund_spending:{spending_id}",
                kind="spend",
                target=f"merchant:{found.merchant_id}",
                reason=SPENDING_REASON,
                actor_id=actor.member_id,
                now=now,
            )
        else:
            void_hold(session, hold_id=found.hold_id, now=now)
    except HoldDecided as lost:
        raise SpendingDecided(state=spending_of(session, spending_id).state) from lost
    values = {"id": spending_id, "state": state, "actor_id": actor.member_id, "now": now}
    if session.execute(DECIDE, {**values, "reason": reason}).first() is None:
        raise SpendingDecided(state=spending_of(session, spending_id).state)
    _note(session, state, spending_id, actor, now, points=found.points)
    tell(
        session,
        key=f"fund_spending:{spending_id}:decided",
        member_id=found.author_id,
        kind="fund_spending_approved" if is_approved else "fund_spending_refused",
        facts={"points": found.points, "spending_id": spending_id},
        now=now,
    )
    return spending_of(session, spending_id)


def judge_decider(found: SpendingLine, actor: Actor) -> None:
    """Let a second person pass who gains nothing by the decision.

    Raises OwnSpending, GainingMerchant.
    """
    if found.author_id == actor.member_id:
        raise OwnSpending
    if found.merchant_id in actor.merchant_ids():
        raise GainingMerchant


def lapse_spendings(session: Session, *, now: datetime) -> int:
    """Mark the spendings as lapsed whose holds have expired; return how many.

    A repeat finds those that are left. Call it after ledger.holding.expire_holds.
    """
    lapsed = session.execute(LAPSE).all()
    for spending in lapsed:
        note(
            session,
            at=now,
            actor_id=None,
            action="lapse",
            subject=("care_fund_spending", spending.id),
        )
        tell(
            session,
            key=f"fund_spending:{spending.id}:lapsed",
            member_id=spending.author_id,
            kind="fund_spending_lapsed",
            facts={"points": spending.points, "spending_id": spending.id},
            now=now,
        )
    return len(lapsed)


def _own_key(member_id: int, key: str) -> str:
    """Return a person's key as the tables keep it: nobody else's can be the same."""
    return hashlib.sha256(f"{member_id}:{key}".encode()).hexdigest()


def _replay(
    session: Session, standing: Donation, fund_id: int, points: int, is_anonymous: bool
) -> Donated:
    sent = (fund_id, points, is_anonymous)
    if (standing.fund_id, standing.points, standing.is_anonymous) != sent:
        raise KeyReused
    after = session.scalar(
        select(Transfer.wallet_after).where(Transfer.key == f"donation:{standing.id}:out")
    )
    return Donated(standing.id, points, after or 0, is_replay=True)


def _note(
    session: Session, action: str, spending_id: int, actor: Actor, now: datetime, **facts: int
) -> None:
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action=action,
        subject=("care_fund_spending", spending_id),
        **facts,
    )
