"""Builders: each makes one thing with sensible defaults, through the services that make the real ones."""

import secrets
from datetime import date, datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import transaction
from pointsbank.core.keys import draw_bytes, draw_number, draw_token
from pointsbank.ledger.posting import Posting
from pointsbank.ledger.service import open_account, post
from pointsbank.members import passwords
from pointsbank.members.codes import REDEMPTION_NUMBER_DIGITS, redemption_digits
from pointsbank.members.models import HANDLE_BYTES
from pointsbank.members.service import add_member, grant_role
from pointsbank.members.sessions import begin_session
from pointsbank.members.showing import draw_redemption_code
from pointsbank.organizations.models import Organization
from pointsbank.organizations.service import add_merchant, add_organization
from pointsbank.rewards.service import offer_reward
from tests.moments import NOON

COMMUNITY_CODE = "140303001002"


def an_organization(
    session: Session,
    code: str | None = None,
    kind: str = "community",
    parent: int | None = None,
    name: str = "平潭街西社区居委会",
    now: datetime = NOON,
) -> int:
    """Return an organization's id; without a code it is the test's one community, made when first asked for.

    parent: the id of the organization above.
    """
    if code is None:
        code = COMMUNITY_CODE
        found = session.scalar(select(Organization.id).where(Organization.code == code))
        if found is not None:
            return found
    above = None
    if parent is not None:
        above = session.scalar(select(Organization.code).where(Organization.id == parent))
    return add_organization(
        session, code=code, name=name, kind=kind, parent_code=above, now=now
    )


def a_branch(
    session: Session,
    code: str | None = None,
    parent: int | None = None,
    name: str = "第一党支部",
    now: datetime = NOON,
) -> int:
    """Return a new party branch's id, under the test's community unless parent says otherwise."""
    above = parent if parent is not None else an_organization(session)
    return an_organization(
        session, code or f"B{secrets.token_hex(6)}", "branch", above, name, now
    )


def a_merchant(
    session: Session,
    name: str = "惠民粮油店",
    organization_id: int | None = None,
    kind: str = "shop",
    now: datetime = NOON,
) -> int:
    """Return a new merchant's id, in the test's community unless said otherwise."""
    place = organization_id if organization_id is not None else an_organization(session)
    code = session.scalar(select(Organization.code).where(Organization.id == place))
    assert code is not None
    return add_merchant(session, name=name, organization_code=code, kind=kind, now=now)


def a_phone() -> str:
    """Return a phone number that nobody has."""
    return "19" + draw_number(9)


def a_member(
    session: Session,
    name: str = "王桂兰",
    organization_id: int | None = None,
    password: str | None = None,
    phone: str | None = None,
    kind: str = "volunteer",
    volunteer_no: str | None = None,
    now: datetime = NOON,
) -> int:
    """Return a new member's id; the password is hashed with the cheap hasher."""
    return add_member(
        session,
        volunteer_no=volunteer_no,
        name=name,
        phone=phone or a_phone(),
        organization_id=organization_id
        if organization_id is not None
        else an_organization(session),
        kind=kind,
        password_hash=password and passwords.hashed(password, passwords.CHEAP_HASHER),
        handle=draw_bytes(HANDLE_BYTES),
        now=now,
    )


def with_role(
    session: Session,
    member_id: int,
    role: str,
    organization_id: int | None = None,
    merchant_id: int | None = None,
    now: datetime = NOON,
) -> int:
    """Give a member a role and return the member's id.

    An administrator without an organization stands over everything; any other role without one stands
    over the test's community.
    """
    if organization_id is None and merchant_id is None and role != "administrator":
        organization_id = an_organization(session)
    grant_role(
        session,
        member_id=member_id,
        role=role,
        organization_id=organization_id,
        merchant_id=merchant_id,
        granted_by_id=None,
        now=now,
    )
    return member_id


def a_token(session: Session, member_id: int, now: datetime | None = None) -> str:
    """Return the token of a session that has begun, in real time unless said otherwise."""
    token = draw_token()
    begin_session(
        session,
        member_id=member_id,
        token=token,
        kind="program",
        lasts=timedelta(hours=12),
        now=now or clock.now(),
    )
    return token


def signed_in(app: Flask, member_id: int, now: datetime | None = None) -> dict[str, str]:
    """Return the headers with which a program acts as this member."""
    with app.app_context(), transaction() as session:
        token = a_token(session, member_id, now)
    return {"Authorization": f"Bearer {token}"}


def how_many(session: Session, model: type) -> int:
    """Return how many rows a table holds."""
    return session.scalar(select(func.count()).select_from(model)) or 0


def with_points(
    session: Session,
    member_id: int,
    points: int,
    expires_on: date = date(2027, 12, 31),
    now: datetime = NOON,
) -> int:
    """Give a member points as the test's community's issuer would, and return the member's id."""
    issuer, member = f"issue:community:{COMMUNITY_CODE}", f"member:{member_id}"
    open_account(session, code=issuer, kind="issue")
    posting = Posting(
        key=f"award:test:{secrets.token_hex(8)}",
        kind="earn",
        source=issuer,
        target=member,
        wallet=member,
        points=points,
        occurred_at=now,
        reason="河道清洁",
        expires_on=expires_on,
    )
    post(session, posting, now)
    return member_id


def a_reward(
    session: Session,
    merchant_id: int | None = None,
    name: str = "洗洁精一瓶",
    points: int = 20,
    stock: int = 10,
    now: datetime = NOON,
    **more: Any,
) -> int:
    """Return a new reward's id, offered by an administrator of everything."""
    administrator = with_role(session, a_member(session, "管理员"), "administrator")
    actor = Actor(administrator, "管理员", 0, 0, (Grant("administrator", "/"),))
    merchant = merchant_id if merchant_id is not None else a_merchant(session)
    return offer_reward(
        session,
        actor=actor,
        merchant_id=merchant,
        name=name,
        points=points,
        stock=stock,
        now=now,
        **more,
    )


def redemption_code(session: Session, app: Flask, member_id: int, now: datetime) -> str:
    """Return the 18 digits of a fresh redemption code of this member."""
    number = draw_number(REDEMPTION_NUMBER_DIGITS)
    secret = app.extensions["settings"].secret_key
    draw_redemption_code(session, member_id=member_id, number=number, secret=secret, now=now)
    return redemption_digits(number)
