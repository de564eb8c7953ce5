"""Contracts, shops and hours of the district's merchants; applications; one that is stopped."""

import io
from dataclasses import replace
from datetime import date, datetime, timedelta

from PIL import Image, ImageDraw
from sqlalchemy.orm import Session

from pointsbank.commands.demonstration.agenda import Agenda
from pointsbank.commands.demonstration.content import Offer
from pointsbank.commands.demonstration.people import District, Merchant, offer_all
from pointsbank.commands.demonstration.stage import Stage
from pointsbank.core.actor import Actor
from pointsbank.core.calendar import local_day
from pointsbank.core.db import transaction
from pointsbank.core.keys import draw_bytes
from pointsbank.merchants.applying import (
    NewApplication,
    apply_as_merchant,
    approve_application,
    refuse_application,
)
from pointsbank.merchants.contracting import (
    NewContract,
    decide_contract,
    keep_terms,
    propose_contract,
)
from pointsbank.merchants.hours import hours_from
from pointsbank.merchants.licenses import check_letter
from pointsbank.merchants.models import TILL_HANDLE_BYTES
from pointsbank.merchants.papers import Paper, judged_paper
from pointsbank.merchants.shops import ShopFacts, add_shop
from pointsbank.merchants.standing import stop_merchant
from pointsbank.organizations.queries import merchant_of

RATES_FEN = (1_000, 1_000, 1_000, 900, 1_200)
MONTHLY_POINTS = 2_000
LIMITED_EVERY = 8
USUAL = ("08:00-20:00", "08:30-21:00", "08:00-12:00, 14:00-18:30")
CLOSED_SUNDAYS_EVERY = 3
SUNDAY = 6
A_SUNDAY = date(2026, 1, 4)
EVERY_DAY = [""] * 7
SUNDAYS_OFF = [*[""] * 6, "-"]
STREETS = ("平潭街", "桥头街", "北大街", "虎尾沟路", "红岭湾路")
# Which merchant's contract ends soon, and which one was stopped lately.
ENDING, STOPPED = 1, 21
ENDS_IN = timedelta(days=20)
STOPPED_DAYS_AGO = 5


def license_no(first: str) -> str:
    """Return a number with the character that belongs behind it."""
    return first + check_letter(first)


# The last of the forty began with an application; another was refused, one waits.
TAILOR = NewApplication(
    "阿娟裁缝铺",
    "service",
    "",
    license_no("92140303MA0K3Q1X2"),
    "红岭湾路 37 号",
    "改衣、换拉链、锁边",
)
TAILORED = (
    Offer("改裤脚 一条", 30, 120, None, "service", "home"),
    Offer("换拉链 一条", 45, 80, None, "service", "home"),
)
REFUSED = NewApplication(
    "鸿运棋牌室", "service", "", license_no("92140303MA0H7C5T8"), "桥头街 5 号", "棋牌娱乐"
)
REFUSED_BECAUSE = "棋牌室不在合作范围内，谢谢您的热心。"
NEWCOMER = NewApplication(
    "老刘修鞋配钥匙",
    "service",
    "",
    license_no("92140303MA0JT9R4N"),
    "北大街 21 号",
    "修鞋、配钥匙、换拉链",
)


def is_open_on(number: int, day: date) -> bool:
    """Tell whether the merchant of this place in the district is open on a day at all."""
    is_off = number % CLOSED_SUNDAYS_EVERY == CLOSED_SUNDAYS_EVERY - 1
    return not (is_off and day.weekday() == SUNDAY)


def begin_with_partners(district: District, stage: Stage, *, since: datetime) -> None:
    """Give each merchant a shop, and all but the last, which applies, a contract."""
    day = local_day(since, stage.zone)
    with transaction() as session:
        let_the_last_apply(session, district, since)
        for merchant in district.merchants[:-1]:
            open_the_shop(session, district.first, merchant, since)
            is_ending = merchant.number == ENDING
            ends_on = stage.today + ENDS_IN if is_ending else date(stage.today.year + 1, 12, 31)
            sign(session, district, merchant, day, ends_on, since)


def let_the_last_apply(session: Session, district: District, at: datetime) -> None:
    """Let a member become the last merchant by an application."""
    number = len(district.merchants)
    home = district.communities[number % len(district.communities)]
    applicant_id = home.members[-1]
    application_id = apply(session, home.code, applicant_id, TAILOR, at)
    decided_at = at + timedelta(days=2)
    merchant_id = approve_application(
        session,
        actor=district.first,
        application_id=application_id,
        handle=draw_bytes(TILL_HANDLE_BYTES),
        now=decided_at,
    )
    merchant = Merchant(merchant_id, applicant_id, number)
    district.merchants.append(merchant)
    offer_all(session, merchant, TAILORED, decided_at)


def plan_partners(agenda: Agenda, stage: Stage, district: District) -> None:
    """Put down a refused application and one that waits, a stopped merchant, and the contract
    that is to be signed."""

    def refuse(at: datetime) -> None:
        home = district.communities[1]
        with transaction() as session:
            asked = apply(session, home.code, home.members[-1], REFUSED, at - timedelta(days=2))
            refuse_application(
                session,
                actor=district.first,
                application_id=asked,
                reason=REFUSED_BECAUSE,
                now=at,
            )

    def stop(at: datetime) -> None:
        stopped = district.merchants[STOPPED]
        with transaction() as session:
            stop_merchant(
                session,
                actor=district.first,
                merchant_id=stopped.id,
                reason="店面装修，暂停收积分，开门前另行通知",
                now=at,
            )
        stopped.is_stopped = True

    def ask(at: datetime) -> None:
        home, last = district.communities[0], district.merchants[-1]
        contract = NewContract(
            "合作-040", stage.today, date(stage.today.year + 1, 12, 31), 1_000
        )
        with transaction() as session:
            apply(session, home.code, home.members[-1], NEWCOMER, at)
            propose_contract(
                session,
                actor=district.second,
                merchant_id=last.id,
                contract=contract,
                today=stage.today,
                now=at,
            )
            keep_terms(session, today=stage.today, now=at)

    agenda.add(stage.ago(18, 9, 30), refuse)
    agenda.add(stage.ago(STOPPED_DAYS_AGO, 8, 10), stop)
    agenda.add(stage.at_counters() - timedelta(minutes=50), ask)


def open_the_shop(session: Session, actor: Actor, merchant: Merchant, at: datetime) -> None:
    """Give a merchant its shop with hours and a code for the till."""
    number = merchant.number
    days = SUNDAYS_OFF if not is_open_on(number, A_SUNDAY) else EVERY_DAY
    merchant.shop_id = add_shop(
        session,
        actor=actor,
        merchant_id=merchant.id,
        facts=ShopFacts(
            merchant_of(session, merchant.id).name,
            f"{STREETS[number % len(STREETS)]} {3 + 2 * number} 号",
            f"0353-20{number:05d}",
        ),
        hours=hours_from(USUAL[number % len(USUAL)], days),
        handle=draw_bytes(TILL_HANDLE_BYTES),
        now=at,
    )


def sign(
    session: Session,
    district: District,
    merchant: Merchant,
    today: date,
    ends_on: date,
    at: datetime,
) -> None:
    """Let two administrators sign a contract that began some months ago."""
    number = merchant.number
    contract_id = propose_contract(
        session,
        actor=district.first,
        merchant_id=merchant.id,
        contract=NewContract(
            f"合作-{number + 1:03d}",
            today.replace(day=1),
            ends_on,
            RATES_FEN[number % len(RATES_FEN)],
            None if number % LIMITED_EVERY else MONTHLY_POINTS,
        ),
        today=today,
        now=at,
    )
    decide_contract(
        session,
        actor=district.second,
        contract_id=contract_id,
        is_signed=True,
        today=today,
        now=at,
    )


def apply(
    session: Session,
    code: str,
    applicant_id: int,
    application: NewApplication,
    at: datetime,
) -> int:
    """Let a member apply with a shop to their community, and return the application."""
    return apply_as_merchant(
        session,
        applicant_id=applicant_id,
        application=replace(application, organization_code=code),
        papers=[a_license(application.license_no)],
        now=at,
    )


def a_license(number: str) -> Paper:
    """Draw something that may stand for the photo of a license."""
    sheet = Image.new("RGB", (420, 300), (252, 246, 224))
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((12, 12, 408, 288), outline=(170, 40, 30), width=4)
    pen.text((120, 40), "BUSINESS LICENSE (sample)", fill=(170, 40, 30))
    pen.text((60, 100), number, fill=(40, 40, 40))
    written = io.BytesIO()
    sheet.save(written, "PNG")
    return judged_paper("license", "license.png", written.getvalue())
