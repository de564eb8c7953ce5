"""Who may knock at the doors of applications, contracts, shops and clerks."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from pointsbank.core.keys import draw_number
from pointsbank.members.service import grant_role
from pointsbank.merchants.applications import papers_of
from pointsbank.merchants.applying import NewApplication, apply_as_merchant
from pointsbank.merchants.papers import add_merchant_paper, judged_paper
from tests.builders import a_member, a_merchant
from tests.laws.doors import (
    ADMINISTRATOR,
    COUNTER,
    DAY_READERS,
    MEMBERS,
    Row,
    asking,
    door,
    fields,
    form,
    says_nothing_is_there,
)
from tests.laws.world import (
    ANY_MERCHANT,
    ANY_ORGANIZATION,
    COMMUNITY,
    MERCHANT,
    MERCHANT_ID,
    VOLUNTEER_NO,
    Kind,
    Made,
    World,
)
from tests.merchants.partners import a_contract, a_proposal, a_shop, an_administrator
from tests.merchants.pictures import PDF
from tests.moments import NOON

LICENSE = "91350100M000100Y43"
PAPER = judged_paper("license", "license.pdf", PDF)
TODAY = NOON.date()
NEXT_YEAR = TODAY + timedelta(days=365)
NEW = NewApplication("惠民粮油店", "shop", "", LICENSE, "平潭街 8 号")
BODY = {**vars(NEW), "organization_code": "CODE"}
CONTRACT = {
    "reference": "2026-07",
    "valid_from": TODAY.isoformat(),
    "valid_until": NEXT_YEAR.isoformat(),
}


def an_application(session: Session, world: World, place: str, applicant_id: int) -> int:
    return apply_as_merchant(
        session,
        applicant_id=applicant_id,
        application=replace(
            NEW, name=draw_number(9), organization_code=world.ground(place).code
        ),
        papers=[PAPER],
        now=NOON,
    )


def make_application(
    session: Session, world: World, place: str, _actor: int, _made: Made
) -> int:
    """An application to the community of a place, by somebody else."""
    return an_application(session, world, place, a_member(session, "赵老板"))


def make_own_application(
    session: Session, world: World, place: str, actor: int, _made: Made
) -> int:
    return an_application(session, world, place, actor)


def make_own_paper(session: Session, world: World, place: str, actor: int, _made: Made) -> int:
    application_id = an_application(session, world, place, actor)
    return papers_of(session, application_id)[0].id


def make_merchants_paper(
    session: Session, world: World, place: str, _actor: int, _made: Made
) -> int:
    merchant_id = world.merchant_id(place)
    actor = an_administrator(session)
    return add_merchant_paper(
        session, actor=actor, merchant_id=merchant_id, paper=PAPER, now=NOON
    )


def make_proposal(session: Session, world: World, place: str, _actor: int, _made: Made) -> int:
    return a_proposal(session, world.merchant_id(place), TODAY, NEXT_YEAR)


def make_contract(session: Session, world: World, place: str, _actor: int, _made: Made) -> int:
    """A contract that holds, of a merchant that has no other."""
    merchant_id = a_merchant(session, organization_id=world.ground(place).community_id)
    return a_contract(session, merchant_id, TODAY, NEXT_YEAR)


def make_shop(session: Session, world: World, place: str, _actor: int, _made: Made) -> int:
    return a_shop(session, world.merchant_id(place), draw_number(9))


def make_clerk(session: Session, world: World, place: str, _actor: int, made: Made) -> int:
    """The role of a clerk at the merchant made before."""
    return grant_role(
        session,
        member_id=a_member(session, "赵店员", world.ground(place).branch_id),
        role="clerk",
        merchant_id=made["merchant_id"],
        granted_by_id=None,
        now=NOON,
    )


def a_paper(**values: str) -> Callable[[Made], dict[str, Any]]:
    """Send a PDF with these words."""
    return lambda _made: {"data": {"file": (io.BytesIO(PDF), "permit.pdf"), **values}}


def an_application_form(made: Made) -> dict[str, Any]:
    filled = {**vars(NEW), "organization_code": made["code"]}
    return {"data": {**filled, "license": (io.BytesIO(PDF), "license.pdf")}}


def a_shop_named(kind: str, **more: str) -> Callable[[Made], dict[str, Any]]:
    """Send a shop under a name that no other has."""
    return lambda _made: {kind: {"name": draw_number(9), **more}}


def says_so_or_nothing(answer: TestResponse) -> bool:
    """Tell whether a foreign person was refused in words, or a foreign merchant not found."""
    return says_nothing_is_there(answer) or "error" in getattr(answer, "told", ())


APPLICATION = Kind(COMMUNITY, make_application)
OWN_APPLICATION = Kind("mine", make_own_application)
OWN_PAPER = Kind("mine", make_own_paper)
MERCHANTS_PAPER = Kind(MERCHANT, make_merchants_paper)
PROPOSAL = Kind(COMMUNITY, make_proposal)
SIGNED = Kind(COMMUNITY, make_contract)
SHOP = Kind(MERCHANT, make_shop)
CLERK = Kind("mine", make_clerk)
APPLICATIONS = "/api/v1/merchant-applications"
MERCHANTS = "/api/v1/merchants/<id:merchant_id>"

ROWS: list[Row] = [
    door("POST", APPLICATIONS, MEMBERS, fields(**BODY), code=ANY_ORGANIZATION),
    door("GET", APPLICATIONS, MEMBERS),
    door("GET", f"{APPLICATIONS}/<id:application_id>", MEMBERS, application_id=OWN_APPLICATION),
    door(
        "DELETE", f"{APPLICATIONS}/<id:application_id>", MEMBERS, application_id=OWN_APPLICATION
    ),
    door(
        "POST",
        f"{APPLICATIONS}/<id:application_id>/papers",
        MEMBERS,
        a_paper(kind="permit"),
        application_id=OWN_APPLICATION,
    ),
    door("GET", "/api/v1/merchant-papers/<id:paper_id>", MEMBERS, paper_id=OWN_PAPER),
    door(
        "POST",
        f"{APPLICATIONS}/<id:application_id>/decision",
        ADMINISTRATOR,
        fields(decision="approve"),
        application_id=APPLICATION,
    ),
    door("GET", MERCHANTS, DAY_READERS, merchant_id=MERCHANT_ID),
    door(
        "POST",
        f"{MERCHANTS}/state",
        ADMINISTRATOR,
        fields(state="active"),
        merchant_id=MERCHANT_ID,
    ),
    door(
        "GET",
        f"{MERCHANTS}/dashboard",
        DAY_READERS,
        asking(month="2026-10"),
        merchant_id=MERCHANT_ID,
    ),
    door("GET", f"{MERCHANTS}/papers", DAY_READERS, merchant_id=MERCHANT_ID),
    door(
        "POST",
        f"{MERCHANTS}/papers",
        COUNTER,
        a_paper(kind="license"),
        merchant_id=MERCHANT_ID,
    ),
    door(
        "GET",
        "/api/v1/merchant-papers/<id:paper_id>",
        DAY_READERS,
        case="a merchant's",
        is_denied=says_nothing_is_there,
        paper_id=MERCHANTS_PAPER,
    ),
    door("GET", f"{MERCHANTS}/contracts", DAY_READERS, merchant_id=MERCHANT_ID),
    door(
        "POST",
        f"{MERCHANTS}/contracts",
        ADMINISTRATOR,
        fields(**CONTRACT, rate_fen=1000),
        merchant_id=MERCHANT_ID,
    ),
    door(
        "POST",
        "/api/v1/merchant-contracts/<id:contract_id>/decision",
        ADMINISTRATOR,
        fields(decision="refuse"),
        contract_id=PROPOSAL,
    ),
    door(
        "POST",
        "/api/v1/merchant-contracts/<id:contract_id>/end",
        ADMINISTRATOR,
        fields(last_on=TODAY.isoformat()),
        contract_id=SIGNED,
    ),
    door("GET", f"{MERCHANTS}/clerks", DAY_READERS, merchant_id=MERCHANT_ID),
    door("GET", f"{MERCHANTS}/shops", MEMBERS, merchant_id=ANY_MERCHANT),
    door("POST", f"{MERCHANTS}/shops", COUNTER, a_shop_named("json"), merchant_id=MERCHANT_ID),
    door("PUT", "/api/v1/shops/<id:shop_id>", COUNTER, a_shop_named("json"), shop_id=SHOP),
    door(
        "POST", "/api/v1/shops/<id:shop_id>/state", COUNTER, fields(state="open"), shop_id=SHOP
    ),
    door("GET", "/api/v1/shops/<id:shop_id>/till-code", DAY_READERS, shop_id=SHOP),
    door("POST", "/api/v1/shops/<id:shop_id>/till-code", COUNTER, shop_id=SHOP),
    # pages
    door("GET", "/merchant-applications", MEMBERS),
    door("GET", "/merchant-applications/new", MEMBERS),
    door(
        "POST",
        "/merchant-applications/new",
        MEMBERS,
        an_application_form,
        code=ANY_ORGANIZATION,
    ),
    door(
        "GET",
        "/merchant-applications/<id:application_id>",
        MEMBERS,
        application_id=OWN_APPLICATION,
    ),
    door(
        "POST",
        "/merchant-applications/<id:application_id>/papers",
        MEMBERS,
        a_paper(kind="permit"),
        application_id=OWN_APPLICATION,
    ),
    door(
        "POST",
        "/merchant-applications/<id:application_id>/withdrawal",
        MEMBERS,
        form(),
        application_id=OWN_APPLICATION,
    ),
    door(
        "POST",
        "/merchant-applications/<id:application_id>/decision",
        ADMINISTRATOR,
        form(decision="approve"),
        application_id=APPLICATION,
    ),
    door("GET", "/merchant-papers/<id:paper_id>", MEMBERS, paper_id=OWN_PAPER),
    door(
        "GET",
        "/merchant-papers/<id:paper_id>",
        DAY_READERS,
        case="a merchant's",
        is_denied=says_nothing_is_there,
        paper_id=MERCHANTS_PAPER,
    ),
    door("GET", "/merchants/mine", ("clerk",)),
    door("GET", "/merchants/<id:merchant_id>", DAY_READERS, merchant_id=MERCHANT_ID),
    door("GET", "/merchants/<id:merchant_id>/papers", DAY_READERS, merchant_id=MERCHANT_ID),
    door(
        "POST",
        "/merchants/<id:merchant_id>/papers",
        COUNTER,
        a_paper(kind="license"),
        merchant_id=MERCHANT_ID,
    ),
    door("GET", "/merchants/<id:merchant_id>/contracts", DAY_READERS, merchant_id=MERCHANT_ID),
    door(
        "POST",
        "/merchants/<id:merchant_id>/contracts",
        ADMINISTRATOR,
        form(**CONTRACT, rate="10.50"),
        merchant_id=MERCHANT_ID,
    ),
    door(
        "POST",
        "/merchant-contracts/<id:contract_id>/decision",
        ADMINISTRATOR,
        form(decision="refuse"),
        contract_id=PROPOSAL,
    ),
    door(
        "POST",
        "/merchant-contracts/<id:contract_id>/end",
        ADMINISTRATOR,
        form(last_on=TODAY.isoformat()),
        contract_id=SIGNED,
    ),
    door(
        "POST",
        "/merchants/<id:merchant_id>/standing",
        ADMINISTRATOR,
        form(state="active"),
        merchant_id=MERCHANT_ID,
    ),
    door("GET", "/merchants/<id:merchant_id>/clerks", DAY_READERS, merchant_id=MERCHANT_ID),
    door(
        "POST",
        "/merchants/<id:merchant_id>/clerks",
        ADMINISTRATOR,
        form(volunteer_no="NUMBER"),
        merchant_id=MERCHANT_ID,
        number=VOLUNTEER_NO,
        is_foreign=says_so_or_nothing,
    ),
    door(
        "POST",
        "/merchants/<id:merchant_id>/clerks/<id:role_id>/withdrawal",
        ADMINISTRATOR,
        form(),
        merchant_id=MERCHANT_ID,
        role_id=CLERK,
    ),
    door("GET", "/merchants/<id:merchant_id>/shops", MEMBERS, merchant_id=ANY_MERCHANT),
    door("GET", "/merchants/<id:merchant_id>/shops/new", COUNTER, merchant_id=MERCHANT_ID),
    door(
        "POST",
        "/merchants/<id:merchant_id>/shops/new",
        COUNTER,
        a_shop_named("data", usual="08:00-20:00"),
        merchant_id=MERCHANT_ID,
    ),
    door("GET", "/shops/<id:shop_id>", COUNTER, shop_id=SHOP),
    door("POST", "/shops/<id:shop_id>", COUNTER, a_shop_named("data"), shop_id=SHOP),
    door("POST", "/shops/<id:shop_id>/state", COUNTER, form(state="open"), shop_id=SHOP),
    door("POST", "/shops/<id:shop_id>/till-code", COUNTER, form(), shop_id=SHOP),
    door("GET", "/shops/<id:shop_id>/till-poster", DAY_READERS, shop_id=SHOP),
]
