"""Contracts, shops and opening hours of the district's merchants, and a shop that applies."""

import io
from datetime import date, datetime, timedelta

from PIL import Image, ImageDraw
from sqlalchemy.orm import Session

from pointsbank.commands.demonstration.people import PASSWORD, District
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import transaction
from pointsbank.core.keys import draw_bytes
from pointsbank.members import passwords
from pointsbank.members.models import HANDLE_BYTES
from pointsbank.members.service import add_member, grant_role
from pointsbank.merchants.applying import NewApplication, apply_as_merchant
from pointsbank.merchants.contracting import (
    NewContract,
    decide_contract,
    keep_terms,
    propose_contract,
)
from pointsbank.merchants.hours import hours_from
from pointsbank.merchants.models import TILL_HANDLE_BYTES
from pointsbank.merchants.papers import judged_paper
from pointsbank.merchants.shops import ShopFacts, add_shop
from pointsbank.organizations.queries import merchant_of, organization_by_code

# Nobody has this number, as little as the others of the district.
SECOND_PHONE = "10900000011"
SECOND_NAME = "段红梅"
MONTHS_AGO = 120
RATES_FEN = (1_000, 1_000, 1_000, 900, 1_200)
MONTHLY_POINTS = 20_000
LIMITED_EVERY = 8
USUAL = ("08:00-20:00", "08:30-21:00", "08:00-12:00, 14:00-18:30")
CLOSED_SUNDAYS_EVERY = 3
EVERY_DAY = [""] * 7
SUNDAYS_OFF = [*[""] * 6, "-"]
STREETS = ("平潭街", "桥头街", "北大街", "虎尾沟路", "红岭湾路")
NEWCOMER = NewApplication(
    "老刘修鞋配钥匙",
    "service",
    "",
    "91350100M000100Y43",
    "北大街 21 号",
    "修鞋、配钥匙、换拉链",
)


def make_partners(district: District, *, today: date, now: datetime) -> None:
    """Give each merchant a shop and all but one a contract; let one end soon and one wait."""
    first = Actor(district.administrator_id, "", 0, 0, (Grant("administrator", "/"),))
    since = now - timedelta(days=MONTHS_AGO)
    with transaction() as session:
        second = a_second_administrator(session, district, since)
        for number, merchant in enumerate(district.merchants):
            open_the_shop(session, first, merchant.id, number, since)
            # The last one still takes points at the usual rate.
            if number < len(district.merchants) - 1:
                sign(session, (first, second), merchant.id, number, since.date(), since)
        propose_contract(
            session,
            actor=second,
            merchant_id=district.merchants[-1].id,
            contract=NewContract("合作-新", today, date(today.year + 1, 12, 31), 1_000),
            today=today,
            now=now,
        )
        keep_terms(session, today=today, now=now)
        let_somebody_apply(session, district, now - timedelta(days=1))


def a_second_administrator(session: Session, district: District, at: datetime) -> Actor:
    """Take in whoever signs what the first administrator proposes."""
    member_id = add_member(
        session,
        name=SECOND_NAME,
        phone=SECOND_PHONE,
        organization_id=district.communities[0].id,
        kind="staff",
        password_hash=passwords.hashed(PASSWORD, passwords.CHEAP_HASHER),
        handle=draw_bytes(HANDLE_BYTES),
        now=at,
    )
    grant_role(
        session,
        member_id=member_id,
        role="administrator",
        granted_by_id=district.administrator_id,
        now=at,
    )
    return Actor(member_id, SECOND_NAME, 0, 0, (Grant("administrator", "/"),))


def open_the_shop(
    session: Session, actor: Actor, merchant_id: int, number: int, at: datetime
) -> None:
    """Give a merchant its shop with hours and a code for the till."""
    days = EVERY_DAY if number % CLOSED_SUNDAYS_EVERY else SUNDAYS_OFF
    add_shop(
        session,
        actor=actor,
        merchant_id=merchant_id,
        facts=ShopFacts(
            merchant_of(session, merchant_id).name,
            f"{STREETS[number % len(STREETS)]} {3 + 2 * number} 号",
            f"0353-20{number:05d}",
        ),
        hours=hours_from(USUAL[number % len(USUAL)], days),
        handle=draw_bytes(TILL_HANDLE_BYTES),
        now=at,
    )


def sign(
    session: Session,
    people: tuple[Actor, Actor],
    merchant_id: int,
    number: int,
    today: date,
    at: datetime,
) -> None:
    """Let two administrators sign a contract that began some months ago."""
    is_ending = number == 1
    ends_on = today + timedelta(days=MONTHS_AGO + 20) if is_ending else None
    contract_id = propose_contract(
        session,
        actor=people[0],
        merchant_id=merchant_id,
        contract=NewContract(
            f"合作-{number + 1:03d}",
            today.replace(day=1),
            ends_on or date(today.year + 1, 12, 31),
            RATES_FEN[number % len(RATES_FEN)],
            None if number % LIMITED_EVERY else MONTHLY_POINTS,
        ),
        today=today,
        now=at,
    )
    decide_contract(
        session, actor=people[1], contract_id=contract_id, is_signed=True, today=today, now=at
    )


def let_somebody_apply(session: Session, district: District, at: datetime) -> None:
    """Let a member apply with a shop; the application waits."""
    community = district.communities[0]
    code = organization_by_code(session, community.code).code
    apply_as_merchant(
        session,
        applicant_id=community.members[-1],
        application=NewApplication(**{**vars(NEWCOMER), "organization_code": code}),
        papers=[judged_paper("license", "license.png", a_license())],
        now=at,
    )


def a_license() -> bytes:
    """Draw something that may stand for the photo of a license."""
    sheet = Image.new("RGB", (840, 600), (252, 246, 224))
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((24, 24, 816, 576), outline=(170, 40, 30), width=6)
    pen.text((300, 60), "BUSINESS LICENSE (sample)", fill=(170, 40, 30))
    pen.text((120, 200), NEWCOMER.license_no, fill=(40, 40, 40))
    written = io.BytesIO()
    sheet.save(written, "PNG")
    return written.getvalue()
