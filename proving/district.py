"""A small district for fault runs: clerks, members with points, shops, shifts to be settled."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from pointsbank.app import create_app
from pointsbank.attendance.models import Attendance
from pointsbank.core import clock
from pointsbank.core.db import db, reading, transaction
from pointsbank.core.settings import Settings
from pointsbank.ledger.models import Account, Wallet
from proving.servers import SECRET_KEY
from tests.builders import (
    a_claim,
    a_member,
    a_merchant,
    a_plan,
    a_reward,
    a_task,
    a_token,
    shifts_of,
    with_points,
    with_role,
)

CLIENTS = 8
MEMBERS_EACH = 3
SHIFTS_EACH = 12
STOCK = 100_000
# One of each client's members is poor, so that definite refusals happen too.
RICH, POOR = 20_000, 15
PRICE = 4
SHIFT_MINUTES = 60


@dataclass(frozen=True)
class District:
    """What clients are told, and what a reader must find at every moment."""

    clients: list[dict[str, Any]]
    wallets: frozenset[str]
    stock: int


def settings_of(database_url: str) -> Settings:
    """Return the settings that the service under fault runs with."""
    return Settings(
        database_url=database_url,
        secret_key=SECRET_KEY,
        environment="test",
        argon2_cheap=True,
    )


def a_district(
    database_url: str,
    clients: int = CLIENTS,
    members: int = MEMBERS_EACH,
    shifts: int = SHIFTS_EACH,
) -> District:
    """Fill a migrated database, through the services that fill a real one.

    members: of each client, the first of them poor. shifts: how many each client has to settle,
    a day each.
    """
    app = create_app(settings_of(database_url))
    now = clock.now()
    made = []
    with app.app_context():
        for number in range(clients):
            with transaction() as session:
                made.append(_a_client(session, f"c{number}", members, shifts, now))
        with reading() as session:
            wallets = session.scalars(
                select(Account.code).join(Wallet, Wallet.account_id == Account.id)
            )
            found = frozenset(wallets)
        db.engine.dispose()
    return District(made, found, clients * STOCK)


def _a_client(
    session: Session, name: str, how_many: int, shifts: int, now: datetime
) -> dict[str, Any]:
    merchant_id = a_merchant(session, now=now)
    reward_id = a_reward(session, merchant_id, points=PRICE, stock=STOCK, now=now)
    clerk = with_role(session, a_member(session, now=now), "clerk", merchant_id=merchant_id)
    organizer = with_role(session, a_member(session, "李敏", now=now), "organizer", now=now)
    members = []
    for number in range(how_many):
        points = POOR if number == 0 else RICH
        member_id = with_points(
            session,
            a_member(session, now=now),
            points,
            now=now,
            expires_on=(now + timedelta(days=400)).date(),
        )
        members.append(
            {"id": member_id, "points": points, "token": a_token(session, member_id)}
        )
    ids = [member["id"] for member in members]
    return {
        "name": name,
        "merchant_id": merchant_id,
        "reward_id": reward_id,
        "clerk": a_token(session, clerk),
        "organizer": a_token(session, organizer),
        "members": members,
        "shifts": _shifts(session, organizer, ids, shifts, now),
    }


def _shifts(
    session: Session, organizer_id: int, members: list[int], count: int, now: datetime
) -> list[int]:
    """Return shifts of the last days that everyone came to and left, not settled yet."""
    planned = now - timedelta(days=count + 1)
    starts = [now - timedelta(days=days, hours=2) for days in range(1, count + 1)]
    plans = [a_plan(start, SHIFT_MINUTES, places=len(members)) for start in starts]
    task_id = a_task(session, organizer_id=organizer_id, shifts=plans, now=planned)
    shifts = shifts_of(session, task_id)
    for shift_id, start in zip(shifts, sorted(starts), strict=True):
        claims = [a_claim(session, shift_id, member, now=planned) for member in members]
        session.execute(
            insert(Attendance),
            [
                {
                    "shift_id": shift_id,
                    "member_id": member,
                    "claim_id": claim.id,
                    "occurrence": 1,
                    "state": "left",
                    "checked_in_at": start,
                    "checked_out_at": start + timedelta(minutes=SHIFT_MINUTES),
                    "flags": [],
                }
                for member, claim in zip(members, claims, strict=True)
            ],
        )
    return shifts
