"""Who may look at merchants' statements, and who signs them for which side."""

import secrets
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pointsbank.budgets.months import months_from
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.calendar import Period, read_period
from pointsbank.ledger.posting import Posting
from pointsbank.ledger.service import open_account, post
from pointsbank.settlements.closing import close_month, has_statement
from pointsbank.settlements.signing import approve_statement, dispute_line
from tests.builders import a_member, with_points, with_role
from tests.laws.doors import ADMINISTRATOR, Row, asking, door, fields, form
from tests.laws.world import MERCHANT_ID, SHARED, Kind, Made, World
from tests.moments import NOON

READERS = ("clerk", "administrator", "auditor")
OVERSEERS = ("administrator", "auditor")
CLERK = ("clerk",)
NEWEST = read_period("2026-10")


def free_month(session: Session, merchant_id: int) -> Period:
    """Return the newest month of a merchant that is not cut off; each is signed but once."""
    month = NEWEST
    while has_statement(session, merchant_id, month.name):
        month = months_from(month, -1)
    return month


def make_statement(session: Session, world: World, _place: str, _actor: int, made: Made) -> str:
    """A month of the merchant made before, with one line; its time to confirm is over."""
    zone: ZoneInfo = world.app.extensions["settings"].zone
    merchant_id = made["merchant_id"]
    month = free_month(session, merchant_id)
    a_deal(session, merchant_id, month.starts_at(zone))
    close_month(session, merchant_id=merchant_id, month=month, zone=zone, now=NOON)
    return month.name


def a_deal(session: Session, merchant_id: int, at: datetime) -> None:
    """Let somebody give the merchant 20 points at a moment."""
    giver = with_points(session, a_member(session, "吴海燕"), 20, now=at)
    open_account(session, code=f"merchant:{merchant_id}", kind="merchant")
    posting = Posting(
        key=f"spend:test:{secrets.token_hex(8)}",
        kind="spend",
        source=f"member:{giver}",
        target=f"merchant:{merchant_id}",
        wallet=f"member:{giver}",
        points=20,
        occurred_at=at,
        reason="大米 5 公斤",
    )
    post(session, posting, at)


def make_disputed(session: Session, world: World, place: str, actor: int, made: Made) -> str:
    """A month whose first line another clerk of the merchant disputed."""
    month = make_statement(session, world, place, actor, made)
    sign(session, dispute_line, made, month, a_clerk(session, made), no=1, reason="多记了")
    return month


def make_approved(session: Session, world: World, place: str, actor: int, made: Made) -> str:
    """A month that another administrator approved."""
    month = make_statement(session, world, place, actor, made)
    other = with_role(session, a_member(session, "吴静"), "administrator")
    approver = Actor(other, "吴静", 0, 0, (Grant("administrator", "/"),))
    zone = world.app.extensions["settings"].zone
    sign(session, approve_statement, made, month, approver, zone=zone)
    return month


def a_clerk(session: Session, made: Made) -> Actor:
    """Return another clerk of the merchant made before."""
    merchant_id = made["merchant_id"]
    clerk_id = with_role(session, a_member(session, "赵店员"), "clerk", merchant_id=merchant_id)
    return Actor(clerk_id, "赵店员", 0, 0, (Grant("clerk", None, merchant_id),))


def sign(session: Session, act: Any, made: Made, month: str, actor: Actor, **more: Any) -> None:
    act(session, merchant_id=made["merchant_id"], month=month, actor=actor, now=NOON, **more)


def first_line(_session: Session, _world: World, _place: str, _actor: int, _made: Made) -> int:
    return 1


STATEMENT = Kind(SHARED, make_statement, "2019-02")
DISPUTED = Kind(SHARED, make_disputed, "2019-02")
APPROVED = Kind(SHARED, make_approved, "2019-02")
LINE = Kind(SHARED, first_line)
MONTH_OF_ALL = Kind(SHARED, lambda *_: "2026-10", "2019-02")

ONE = "/merchants/<id:merchant_id>/statements/<month:month>"
API = f"/api/v1{ONE}"
PAYMENT = {"reference": "2026-1105-17"}
CLAIM = {"reason": "实际交了两件"}

ROWS: list[Row] = [
    door("GET", "/api/v1/statements", OVERSEERS, asking(month="2026-10")),
    door(
        "GET",
        "/api/v1/merchants/<id:merchant_id>/statements",
        READERS,
        merchant_id=MERCHANT_ID,
    ),
    door("GET", API, READERS, merchant_id=MERCHANT_ID, month=STATEMENT),
    door("POST", f"{API}/confirmation", CLERK, merchant_id=MERCHANT_ID, month=STATEMENT),
    door(
        "POST",
        f"{API}/lines/<id:no>/dispute",
        CLERK,
        fields(**CLAIM),
        merchant_id=MERCHANT_ID,
        month=STATEMENT,
        no=LINE,
    ),
    door(
        "POST",
        f"{API}/lines/<id:no>/answer",
        ADMINISTRATOR,
        fields(decision="accept", correction_yuan="0.50", reason="核对属实"),
        merchant_id=MERCHANT_ID,
        month=DISPUTED,
        no=LINE,
    ),
    door("POST", f"{API}/approval", ADMINISTRATOR, merchant_id=MERCHANT_ID, month=STATEMENT),
    door(
        "POST",
        f"{API}/payment",
        ADMINISTRATOR,
        fields(**PAYMENT),
        merchant_id=MERCHANT_ID,
        month=APPROVED,
    ),
    door("GET", "/statements", OVERSEERS),
    door("GET", "/statements/mine", CLERK),
    door(
        "GET",
        "/statements/<month:month>.xlsx",
        OVERSEERS,
        month=MONTH_OF_ALL,
    ),
    door("GET", "/merchants/<id:merchant_id>/statements", READERS, merchant_id=MERCHANT_ID),
    door("GET", ONE, READERS, merchant_id=MERCHANT_ID, month=STATEMENT),
    door(
        "GET",
        f"{ONE}/file",
        READERS,
        asking(format="csv"),
        merchant_id=MERCHANT_ID,
        month=STATEMENT,
    ),
    door(
        "GET",
        f"{ONE}/lines/<id:no>",
        READERS,
        merchant_id=MERCHANT_ID,
        month=STATEMENT,
        no=LINE,
    ),
    door("POST", f"{ONE}/confirmation", CLERK, merchant_id=MERCHANT_ID, month=STATEMENT),
    door(
        "POST",
        f"{ONE}/lines/<id:no>/dispute",
        CLERK,
        form(**CLAIM),
        merchant_id=MERCHANT_ID,
        month=STATEMENT,
        no=LINE,
    ),
    door(
        "POST",
        f"{ONE}/lines/<id:no>/answer",
        ADMINISTRATOR,
        form(decision="accept", correction="0.50", reason="核对属实"),
        merchant_id=MERCHANT_ID,
        month=DISPUTED,
        no=LINE,
    ),
    door("POST", f"{ONE}/approval", ADMINISTRATOR, merchant_id=MERCHANT_ID, month=STATEMENT),
    door(
        "POST",
        f"{ONE}/payment",
        ADMINISTRATOR,
        form(**PAYMENT),
        merchant_id=MERCHANT_ID,
        month=APPROVED,
    ),
]
