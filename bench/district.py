"""A district to measure with: members signed in, shifts claimed, rewards they can afford."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from bench.servers import SECRET_KEY
from pointsbank.app import create_app
from pointsbank.core.calendar import local_day
from pointsbank.core.db import db
from pointsbank.core.keys import draw_bytes, plain_hash
from pointsbank.core.settings import Settings
from pointsbank.ledger.batching import post_many
from pointsbank.ledger.models import Account, Wallet
from pointsbank.ledger.posting import Posting
from pointsbank.ledger.service import open_account
from pointsbank.members.belonging import Home, begin_belonging
from pointsbank.members.models import Member, MemberRole, SignInSession
from pointsbank.organizations.service import add_merchant, add_organization
from pointsbank.rewards.models import Reward
from pointsbank.tasks.models import Claim, Shift, ShiftRole, Task

MEMBERS = 2000
ZONE = ZoneInfo("Asia/Shanghai")
CHUNK = 500


@dataclass(frozen=True)
class People:
    """Member ids with the token each is signed in with."""

    ids: list[int]
    tokens: list[str]


def connected(database_url: str) -> Flask:
    """Return the application on a database as it is."""
    return create_app(
        Settings(database_url=database_url, secret_key=SECRET_KEY, environment="test")
    )


def migrated(database_url: str) -> Flask:
    """Return the application on a database brought to the newest migration."""
    app = connected(database_url)
    with app.app_context():
        upgrade()
    return app


def close(app: Flask) -> None:
    """Let go of the database, so that only the service under measurement holds it."""
    with app.app_context():
        db.engine.dispose()


def a_community(session: Session) -> int:
    """Make the one community."""
    return add_organization(
        session,
        code="140303001002",
        name="平潭街西社区居委会",
        kind="community",
        parent_code=None,
        now=datetime.now(UTC),
    )


def signed_in_people(session: Session, organization_id: int, count: int, prefix: str) -> People:
    """Make members with wallets and sessions, in bulk."""
    now = datetime.now(UTC)
    members = [
        {
            "volunteer_no": f"{prefix}{n:07d}",
            "name": "王桂兰",
            "kind": "volunteer",
            "state": "active",
            "organization_id": organization_id,
            "handle": draw_bytes(5),
            "display_mode": "",
            "joined_at": now,
        }
        for n in range(count)
    ]
    session.execute(insert(Member), members)
    ids = list(
        session.scalars(
            select(Member.id)
            .where(Member.volunteer_no.startswith(prefix))
            .order_by(Member.volunteer_no)
        )
    )
    homes = [Home(each, organization_id) for each in ids]
    begin_belonging(session, members=homes, on=local_day(now, ZONE), now=now)
    session.execute(insert(Account), [{"code": f"member:{m}", "kind": "member"} for m in ids])
    accounts = session.scalars(
        select(Account.id).where(Account.code.in_([f"member:{m}" for m in ids]))
    )
    session.execute(
        insert(Wallet),
        [{"account_id": a, "posted": 0, "held": 0, "seq": 0} for a in accounts],
    )
    tokens = [f"{prefix}-token-{m}" for m in ids]
    session.execute(
        insert(SignInSession),
        [
            {
                "token_hash": plain_hash(token),
                "member_id": member_id,
                "kind": "program",
                "started_at": now,
                "expires_at": now + timedelta(hours=12),
            }
            for token, member_id in zip(tokens, ids, strict=True)
        ],
    )
    return People(ids, tokens)


def give_role(session: Session, member_id: int, role: str, **scope: int) -> None:
    """Give one person a role."""
    session.execute(
        insert(MemberRole).values(
            member_id=member_id, role=role, granted_at=datetime.now(UTC), **scope
        )
    )


def claimed_shifts(
    session: Session,
    organization_id: int,
    organizer_id: int,
    members: list[int],
    count: int,
    *,
    free: int = 0,
    starts_in: timedelta = timedelta(minutes=-5),
) -> list[tuple[int, bytes]]:
    """Make shifts, under way unless told otherwise, with every member's claim and so many
    places free, and return their ids and handles.
    """
    now = datetime.now(UTC)
    places = len(members) + free
    task_id = session.execute(
        insert(Task)
        .values(
            title="河道清洁",
            kind="activity",
            organization_id=organization_id,
            organizer_id=organizer_id,
            scoring_item="volunteer_hour",
            summary="沿河捡拾垃圾",
            risk_note="岸边湿滑",
            state="open",
            drafted_at=now,
            published_at=now,
        )
        .returning(Task.id)
    ).scalar_one()
    shifts = []
    for _ in range(count):
        handle = draw_bytes(5)
        shift_id = session.execute(
            insert(Shift)
            .values(
                task_id=task_id,
                handle=handle,
                starts_at=now + starts_in,
                ends_at=now + starts_in + timedelta(hours=6),
                places=places,
                claimed=len(members),
                place_name="东门桥头",
            )
            .returning(Shift.id)
        ).scalar_one()
        shifts.append((shift_id, handle))
        role_id = session.execute(
            insert(ShiftRole)
            .values(shift_id=shift_id, places=places, claimed=len(members))
            .returning(ShiftRole.id)
        ).scalar_one()
        claims = [
            {
                "shift_id": shift_id,
                "role_id": role_id,
                "member_id": member_id,
                "state": "claimed",
                "queue_no": number,
                "claimed_at": now,
            }
            for number, member_id in enumerate(members, start=1)
        ]
        if claims:
            session.execute(insert(Claim), claims)
    return shifts


def rich_members(session: Session, members: list[int], points: int) -> None:
    """Let every member earn so many points through the ledger's own posting."""
    now = datetime.now(UTC)
    open_account(session, code="issue:bench", kind="issue")
    earnings = [
        Posting(
            key=f"bench:{member_id}",
            kind="earn",
            source="issue:bench",
            target=f"member:{member_id}",
            wallet=f"member:{member_id}",
            points=points,
            occurred_at=now,
            reason="measurement",
            expires_on=(now + timedelta(days=400)).date(),
            budget_month=f"{now:%Y-%m}",
        )
        for member_id in members
    ]
    post_many(session, earnings, now)


def merchants_with_rewards(session: Session, count: int) -> list[tuple[int, int]]:
    """Make merchants with one reward each, and return (merchant id, reward id)."""
    made = []
    for number in range(count):
        merchant_id = add_merchant(
            session,
            name=f"商户{number}",
            organization_code="140303001002",
            kind="shop",
            now=datetime.now(UTC),
        )
        reward_id = session.execute(
            insert(Reward)
            .values(
                merchant_id=merchant_id,
                name="牛肉面一碗",
                points=1,
                stock=1_000_000,
                limit_per_member=1_000_000,
                state="offered",
                offered_at=datetime.now(UTC),
            )
            .returning(Reward.id)
        ).scalar_one()
        made.append((merchant_id, reward_id))
    return made
