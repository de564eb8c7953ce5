"""Invitation codes of branches, one of them used up, and paper cards for a few."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pointsbank.commands.demonstration.people import PASSWORD, District
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.calendar import local_day
from pointsbank.core.db import transaction
from pointsbank.core.keys import draw_bytes, draw_letters, draw_token
from pointsbank.members import passwords
from pointsbank.members.carding import issue_cards
from pointsbank.members.codes import CARD_NUMBER_BYTES
from pointsbank.members.invitations import (
    ALPHABET,
    CODE_LETTERS,
    make_invitation,
    withdraw_invitation,
)
from pointsbank.members.models import HANDLE_BYTES
from pointsbank.members.registering import NewRegistration, register
from pointsbank.members.sessions import Try
from pointsbank.organizations.queries import organization_of

# Nobody has these numbers, as little as the others of the district.
PHONES = ("10900000001", "10900000002")
NEWCOMERS = ("马秀英", "高建国")
CARD_HOLDERS = 3


def make_joining(district: District, *, secret: str, zone: ZoneInfo, now: datetime) -> None:
    """Let a branch invite people, two of whom have come, and give some a paper card."""
    actor = Actor(district.administrator_id, "", 0, 0, (Grant("administrator", "/"),))
    first, second = district.communities[0].branches[:2]
    with transaction() as session:
        used = invited(session, actor, first, len(PHONES), secret, now - timedelta(days=6))
        invited(session, actor, first, 30, secret, now - timedelta(days=1))
        withdrawn = invited(session, actor, second, 20, secret, now - timedelta(days=3))
        withdraw_invitation(session, actor=actor, invitation_id=withdrawn[0], now=now)
        password_hash = passwords.hashed(PASSWORD, passwords.CHEAP_HASHER)
        for name, phone in zip(NEWCOMERS, PHONES, strict=True):
            newcomer = NewRegistration(
                name=name,
                phone=phone,
                code=used[1],
                password_hash=password_hash,
                handle=draw_bytes(HANDLE_BYTES),
                token=draw_token(),
                client="demonstration",
            )
            register(
                session,
                newcomer,
                tried=Try(b"", None, None),
                is_right=False,
                secret=secret,
                staff_lasts=timedelta(),
                member_lasts=timedelta(),
                now=now - timedelta(days=5),
                today=local_day(now - timedelta(days=5), zone),
            )
        holders = district.communities[0].members[1 : 1 + CARD_HOLDERS]
        issue_cards(
            session,
            actor=actor,
            numbers={member_id: draw_bytes(CARD_NUMBER_BYTES) for member_id in holders},
            secret=secret,
            now=now - timedelta(days=2),
        )


def invited(
    session: Session, actor: Actor, branch_id: int, uses: int, secret: str, at: datetime
) -> tuple[int, str]:
    """Make an invitation into a branch; return its id and its code."""
    code = draw_letters(ALPHABET, CODE_LETTERS)
    invitation_id = make_invitation(
        session,
        actor=actor,
        organization_code=organization_of(session, branch_id).code,
        kind="volunteer",
        code=code,
        expires_at=at + timedelta(days=14),
        uses_max=uses,
        secret=secret,
        now=at,
    )
    return invitation_id, code
