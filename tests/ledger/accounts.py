"""Accounts and postings for tests of the ledger: codes only, since it knows no member."""

from datetime import date, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from pointsbank.ledger import service
from pointsbank.ledger.posting import Posted, Posting
from tests.moments import NOON

MEMBER = "member:1"
SHOP = "merchant:1"
ISSUER = "issue:community:140303001002"
TODAY = NOON.date()
MONTH = "2026-11"
NEXT_YEAR = date(2027, 12, 31)


def open_accounts(session: Session, *members: str) -> None:
    """Open a shop, an issuer and the members' wallets."""
    service.open_account(session, code=SHOP, kind="merchant")
    service.open_account(session, code=ISSUER, kind="issue")
    for code in members or (MEMBER,):
        service.open_account(session, code=code, kind="member")


def earning(
    key: str, points: int, *, member: str = MEMBER, expires_on: date = NEXT_YEAR
) -> Posting:
    """Points for work done."""
    return Posting(
        key=key,
        kind="earn",
        source=ISSUER,
        target=member,
        wallet=member,
        points=points,
        occurred_at=NOON,
        reason="river cleaning",
        expires_on=expires_on,
        budget_month=MONTH,
    )


def spending(key: str, points: int, *, member: str = MEMBER, shop: str = SHOP) -> Posting:
    """Points for a reward."""
    return Posting(
        key=key,
        kind="spend",
        source=member,
        target=shop,
        wallet=member,
        points=points,
        occurred_at=NOON,
        reason="a towel",
    )


def earn(session: Session, key: str, points: int, **more: object) -> Posted:
    """Post points for work done."""
    return service.post(session, earning(key, points, **more), NOON)


def spend(session: Session, key: str, points: int, **more: object) -> Posted:
    """Post points for a reward."""
    return service.post(session, spending(key, points, **more), NOON)


def reverse(
    session: Session,
    transfer_id: int,
    key: str,
    *,
    points: int | None = None,
    today: date = TODAY,
) -> Posted:
    """Take a transfer back."""
    return service.reverse(
        session,
        transfer_id=transfer_id,
        key=key,
        reason="a mistake",
        actor_id=None,
        today=today,
        now=NOON,
        points=points,
    )


def lots_of(session: Session, member: str = MEMBER) -> dict[date, int]:
    """Return what is unspent by day of expiry."""
    rows = session.execute(
        text(
            "SELECT expires_on, granted - used AS points FROM lot"
            " JOIN account ON account.id = lot.wallet_id WHERE code = :code AND granted > used"
        ),
        {"code": member},
    )
    return {date.fromisoformat(str(row.expires_on)): row.points for row in rows}


def rows_of_everything(session: Session) -> dict[str, list[tuple]]:
    """Return all that the ledger keeps, to compare before and after."""
    tables = (
        "account",
        "wallet",
        "transfer",
        "reversed",
        "lot",
        "lot_use",
        "hold",
        "issue_budget",
    )
    return {
        table: sorted(tuple(row) for row in session.execute(text(f"SELECT * FROM {table}")))
        for table in tables
    }


def in_days(days: int) -> date:
    """Return the day so many days from the day of the test."""
    return TODAY + timedelta(days=days)
