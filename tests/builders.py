"""Builders: each makes one thing, through the service that makes the real ones."""

import secrets
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pointsbank.core import clock
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.calendar import local_day, local_month
from pointsbank.core.db import transaction
from pointsbank.core.keys import draw_bytes, draw_number, draw_token
from pointsbank.ledger.posting import Posting
from pointsbank.ledger.service import open_account, post
from pointsbank.members import passwords
from pointsbank.members.codes import REDEMPTION_NUMBER_DIGITS, redemption_digits
from pointsbank.members.models import HANDLE_BYTES
from pointsbank.members.queries import member_of
from pointsbank.members.service import add_member, grant_role
from pointsbank.members.sessions import begin_session
from pointsbank.members.showing import draw_redemption_code
from pointsbank.organizations.models import Organization
from pointsbank.organizations.service import add_merchant, add_organization
from pointsbank.rewards.offering import Offer
from pointsbank.rewards.service import offer_reward
from pointsbank.scoring.policy import Award
from pointsbank.scoring.queries import standard_on
from pointsbank.scoring.service import record_entry
from pointsbank.tasks.claiming import ClaimHeld, claim_shift
from pointsbank.tasks.drafting import NewShift, draft_task
from pointsbank.tasks.models import HANDLE_BYTES as SHIFT_HANDLE_BYTES
from pointsbank.tasks.models import Shift, Task
from pointsbank.tasks.publishing import approve_task, publish_task
from tests.moments import NOON

COMMUNITY_CODE = "140303001002"
TODAY = NOON.date()
SHANGHAI = ZoneInfo("Asia/Shanghai")


def an_organization(
    session: Session,
    code: str | None = None,
    kind: str = "community",
    parent: int | None = None,
    name: str = "平潭街西社区居委会",
    now: datetime = NOON,
) -> int:
    """Return an organization's id; without a code the test's one community, made once.

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
    """Return a new party branch's id, under the test's community unless parent is given."""
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
        today=local_day(now, SHANGHAI),
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

    An administrator without an organization stands over everything; any other role without one
    stands over the test's community.
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
    """Give a member points as the community's issuer would, and return the member's id."""
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
        budget_month=local_month(now, SHANGHAI),
    )
    post(session, posting, now)
    return member_id


def a_reward(
    session: Session,
    merchant_id: int | None = None,
    name: str = "洗洁精一瓶",
    points: int = 20,
    stock: int | None = 10,
    is_draft: bool = False,
    now: datetime = NOON,
    **more: Any,
) -> int:
    """Return a new reward's id, offered by an administrator of everything.

    more: further fields of an Offer.
    """
    administrator = with_role(session, a_member(session, "管理员"), "administrator")
    actor = Actor(administrator, "管理员", 0, 0, (Grant("administrator", "/"),))
    merchant = merchant_id if merchant_id is not None else a_merchant(session)
    return offer_reward(
        session,
        actor=actor,
        merchant_id=merchant,
        offer=Offer(name=name, points=points, stock=stock, **more),
        is_draft=is_draft,
        now=now,
    )


def redemption_code(session: Session, app: Flask, member_id: int, now: datetime) -> str:
    """Return the 18 digits of a fresh redemption code of this member."""
    number = draw_number(REDEMPTION_NUMBER_DIGITS)
    secret = app.extensions["settings"].secret_key
    draw_redemption_code(session, member_id=member_id, number=number, secret=secret, now=now)
    return redemption_digits(number)


def a_score_entry(
    session: Session,
    member_id: int,
    item: str = "volunteer_hour",
    evaluation_hundredths: int = 100,
    points: int = 20,
    service_minutes: int = 120,
    earned_on: date = TODAY,
    now: datetime = NOON,
) -> int:
    """Return the id of a new entry, as the settlement of some shift would have written it."""
    standard = standard_on(session, earned_on)
    return record_entry(
        session,
        cause=f"test:{secrets.token_hex(8)}",
        member_id=member_id,
        organization_id=member_of(session, member_id).organization_id,
        item=standard.item(item),
        award=Award(service_minutes, points, evaluation_hundredths),
        title="河道清洁",
        earned_on=earned_on,
        now=now,
    )


def points_for(
    session: Session, member_id: int, points: int, key: str, now: datetime = NOON
) -> int:
    """Put points into a member's book, as an award would, and return the transfer's id."""
    open_account(session, code=f"issue:community:{COMMUNITY_CODE}", kind="issue")
    return post(
        session,
        Posting(
            key=key,
            kind="earn",
            source=f"issue:community:{COMMUNITY_CODE}",
            target=f"member:{member_id}",
            wallet=f"member:{member_id}",
            points=points,
            occurred_at=now,
            reason="河道清洁",
            expires_on=date(now.year + 1, 12, 31),
            budget_month=local_month(now, SHANGHAI),
        ),
        now,
    ).id


def points_spent(
    session: Session, member_id: int, points: int, key: str, now: datetime = NOON
) -> int:
    """Take points out of a member's book, as a redemption would; return the transfer's id."""
    open_account(session, code="merchant:test", kind="merchant")
    return post(
        session,
        Posting(
            key=key,
            kind="spend",
            source=f"member:{member_id}",
            target="merchant:test",
            wallet=f"member:{member_id}",
            points=points,
            occurred_at=now,
            reason="大米 5 公斤",
        ),
        now,
    ).id


def a_task(
    session: Session,
    title: str = "河道清洁",
    scoring_item: str = "volunteer_hour",
    organizer_id: int | None = None,
    organization_id: int | None = None,
    shifts: list[NewShift] | None = None,
    is_open: bool = True,
    now: datetime = NOON,
) -> int:
    """Return a new task's id: open, with one shift this afternoon, unless said otherwise.

    organizer_id: a new organizer of the task's organization when not given.
    """
    place = organization_id if organization_id is not None else an_organization(session)
    code, path = session.execute(
        select(Organization.code, Organization.path).where(Organization.id == place)
    ).one()
    if organizer_id is None:
        organizer_id = with_role(
            session, a_member(session, "李敏", place), "organizer", organization_id=place
        )
    task_id = draft_task(
        session,
        title=title,
        kind="activity",
        organization_code=code,
        scoring_item=scoring_item,
        summary="沿河捡拾垃圾",
        risk_note="岸边湿滑，请穿防滑鞋",
        shifts=shifts if shifts is not None else [a_plan()],
        organizer_id=organizer_id,
        paths=[path],
        zone=SHANGHAI,
        now=now,
    )
    if is_open:
        _open(session, task_id, organizer_id, path, now)
    return task_id


def _open(session: Session, task_id: int, organizer_id: int, path: str, now: datetime) -> None:
    """Publish a task before its first shift; where many come, a second person approves it."""
    first = session.scalar(select(func.min(Shift.starts_at)).where(Shift.task_id == task_id))
    at = min(now, first - timedelta(minutes=1)) if first is not None else now
    publish_task(session, task_id=task_id, actor_id=organizer_id, paths=[path], now=at)
    if session.scalar(select(Task.state).where(Task.id == task_id)) == "submitted":
        approver = with_role(session, a_member(session, "管理员"), "administrator")
        approve_task(session, task_id=task_id, actor_id=approver, paths=["/"], now=at)


def a_plan(
    starts_at: datetime = NOON + timedelta(minutes=90),
    minutes: int = 150,
    places: int = 25,
    latitude: float | None = None,
    longitude: float | None = None,
) -> NewShift:
    """Return a shift as an organizer plans it: from 13:30 to 16:00 unless said otherwise."""
    return NewShift(
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=minutes),
        places=places,
        place_name="东门桥头",
        handle=draw_bytes(SHIFT_HANDLE_BYTES),
        latitude=latitude,
        longitude=longitude,
    )


def shifts_of(session: Session, task_id: int) -> list[int]:
    """Return the ids of a task's shifts in the order of time."""
    return list(
        session.scalars(
            select(Shift.id).where(Shift.task_id == task_id).order_by(Shift.starts_at, Shift.id)
        )
    )


def a_shift(
    session: Session,
    starts_at: datetime = NOON + timedelta(minutes=90),
    minutes: int = 150,
    places: int = 25,
    latitude: float | None = None,
    longitude: float | None = None,
    **task: Any,
) -> int:
    """Return the id of the one shift of a new open task; what else is given is a_task's."""
    plan = a_plan(starts_at, minutes, places, latitude, longitude)
    return shifts_of(session, a_task(session, shifts=[plan], **task))[0]


def a_claim(
    session: Session, shift_id: int, member_id: int | None = None, now: datetime = NOON
) -> ClaimHeld:
    """Claim a shift for a member, a new one unless given, and return the claim."""
    return claim_shift(
        session,
        shift_id=shift_id,
        member_id=member_id if member_id is not None else a_member(session),
        now=now,
    )
