"""A canary flies through the whole house: its phone, name, password, tokens, codes stay inside.

None of them may stand in a log line, in the facts of an answer that refuses, in a Location, or
in any address but that of the scanned code itself.
"""

import io
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import structlog
import time_machine
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from pointsbank.app import create_app
from pointsbank.core.db import db, transaction
from pointsbank.core.settings import Settings
from pointsbank.web.access import anyone
from tests.builders import (
    a_claim,
    a_member,
    a_merchant,
    a_reward,
    a_shift,
    an_organization,
    points_for,
    with_role,
)
from tests.laws.world import FORM_TOKEN
from tests.moments import NOON

PHONE, OTHER_PHONE = "13987650123", "13987650124"
NAME = "欧阳梓萱甲"
PASSWORD, WRONG_PASSWORD, NEW_PASSWORD = "canary-Pw0rd-1", "canary-Pw0rd-2", "canary-Pw0rd-3"
PIN = "246813"
PEOPLE = (
    f"姓名,手机号,所属组织编码,类别,初始密码\n{NAME},{PHONE},140303001002,志愿者,{PASSWORD}\n"
)
BAD_PEOPLE = (
    f"{PEOPLE}{NAME},{OTHER_PHONE},999,志愿者,{PASSWORD}\n{NAME},{PHONE},140303001002,x,\n"
)
FAULT_RULE = "/api/v1/fault"


@dataclass
class Witness:
    """Remembers what the house said, and what it must not have said."""

    app: Flask
    log: io.StringIO
    secrets: dict[str, str] = field(default_factory=dict)
    said: list[tuple[str, str]] = field(default_factory=list)
    addresses: list[tuple[str, str]] = field(default_factory=list)

    def keep(self, **secrets: str) -> None:
        """Add what must not be said from now on, and must not have been said before."""
        self.secrets |= secrets

    def hear(self, path: str, answer: TestResponse) -> TestResponse:
        """Listen to an answer: its Location, the links on it, and the facts of a refusal."""
        if "Location" in answer.headers:
            self.addresses.append((path, answer.headers["Location"]))
        if answer.mimetype == "application/problem+json":
            self.said.append((f"problem of {path}", answer.text))
        return answer

    def told(self) -> list[str]:
        """Return every secret that came out, and where."""
        lines = [("log", line) for line in self.log.getvalue().splitlines()]
        return [
            f"{name} in {where}: {line[:300]}"
            for name, secret in self.secrets.items()
            for where, line in (*lines, *self.said, *self.addresses)
            if secret in line and line != f"/R/{secret}"
        ]


@dataclass
class Person:
    """Someone who talks to the house, as a program or with a browser, and is listened to."""

    witness: Witness
    token: str = ""

    def __post_init__(self) -> None:
        self.browser = self.witness.app.test_client()

    def sign_in(self, phone: str, password: str) -> None:
        answer = self("POST", "/sessions", 201, json={"phone": phone, "password": password})
        self.token = answer["token"]
        self.witness.keep(**{f"token of {phone[-2:]}": self.token})

    def __call__(self, method: str, path: str, status: int, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        client = self.witness.app.test_client()
        answer = client.open(f"/api/v1{path}", method=method, headers=headers, **more)
        assert answer.status_code == status, f"{method} {path}: {answer.status} {answer.text}"
        self.witness.hear(path, answer)
        return answer.get_json(silent=True)

    def page(self, path: str, status: int) -> str:
        answer = self.witness.hear(path, self.browser.get(path))
        assert answer.status_code == status, f"{path}: {answer.status}"
        return answer.text

    def fill_in(self, path: str, status: int, **form: str) -> str:
        found = FORM_TOKEN.search(self.browser.get("/sign-in", follow_redirects=True).text)
        assert found
        form["csrf_token"] = found[1]
        answer = self.witness.hear(path, self.browser.post(path, data=form))
        assert answer.status_code == status, f"{path}: {answer.status}"
        return answer.text


@pytest.fixture
def clock() -> Iterator[Any]:
    """The wall clock at noon, which the story moves."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def witness(settings: Settings, clock: Any) -> Iterator[Witness]:
    """The house as in production, its log lines caught, everything down to DEBUG."""
    real = replace(settings, environment="production", argon2_cheap=False, log_level="DEBUG")
    app = create_app(real)
    app.add_url_rule(FAULT_RULE, "fault", fail_over_the_canary)
    log, root = io.StringIO(), logging.getLogger()
    house = logging.getLogger("pointsbank")
    for handler in house.handlers:
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(log)
    # The libraries' own lines, as a service manager would collect them.
    others = logging.StreamHandler(log)
    others.setFormatter(logging.Formatter('{"other": "%(name)s %(message)s"}'))
    others.addFilter(lambda record: not record.name.startswith("pointsbank"))
    root.addHandler(others)
    yield Witness(app, log)
    root.removeHandler(others)
    with app.app_context():
        db.engine.dispose()


@anyone
def fail_over_the_canary() -> str:
    """Break a constraint, so that the database complains about the canary's own row."""
    statement = text(
        "UPDATE member SET phone = :phone, name = :name"
        " WHERE id = (SELECT MIN(id) FROM member WHERE phone <> :phone)"
    )
    with transaction() as session:
        session.execute(statement, {"phone": PHONE, "name": NAME})
    return "unreachable"


def set_up(witness: Witness) -> dict[str, int]:
    """Build what the canary flies through: people with roles, a shift at work, a shop."""
    with witness.app.app_context(), transaction() as session:
        an_organization(session)
        people = {
            role: a_member(session, "测试员", password=PASSWORD, phone=f"1800000000{n}")
            for n, role in enumerate(("administrator", "organizer", "clerk"))
        }
        merchant_id = a_merchant(session)
        with_role(session, people["administrator"], "administrator")
        with_role(session, people["organizer"], "organizer")
        with_role(session, people["clerk"], "clerk", merchant_id=merchant_id)
        shift_id = a_shift(
            session, starts_at=NOON - timedelta(minutes=5), now=NOON - timedelta(days=1)
        )
        return {
            **people,
            "merchant_id": merchant_id,
            "reward_id": a_reward(session, merchant_id),
            "shift_id": shift_id,
        }


def come_in(witness: Witness) -> tuple[Person, Person]:
    """The canary is imported, searched for, and signs in, rightly and wrongly, twice over."""
    administrator, canary = Person(witness), Person(witness)
    administrator.sign_in("18000000000", PASSWORD)
    for content, created in ((BAD_PEOPLE, 0), (PEOPLE, 1)):
        upload = {"file": (io.BytesIO(content.encode()), f"{NAME}.csv")}
        report = administrator("POST", "/members/import", 200, data=upload)
        assert report["created"] == created
    broken = {"file": (io.BytesIO(f"PK\x03\x04{NAME},{PHONE}".encode()), f"{PHONE}.xlsx")}
    administrator("POST", "/members/import", 422, data=broken)
    for words in ({"phone": PHONE}, {"name": NAME}):
        found = administrator("POST", "/members/search", 200, json=words)
        assert len(found["items"]) == 1
    administrator("POST", "/members/search", 422, json={"phone": PHONE, "full_name": NAME})
    administrator.fill_in("/sign-in", 302, phone="18000000000", password=PASSWORD)
    assert NAME in administrator.fill_in("/members", 200, phone=PHONE)
    canary("POST", "/sessions", 401, json={"phone": PHONE, "password": WRONG_PASSWORD})
    canary("POST", "/sessions", 422, json={"phone": PHONE, "pass": WRONG_PASSWORD})
    canary(
        "POST",
        "/sessions",
        400,
        data=f'{{"phone": "{PHONE}", "password": "{PASSWORD}',
        content_type="application/json",
    )
    canary.fill_in("/sign-in", 401, phone=PHONE, password=WRONG_PASSWORD)
    canary.sign_in(PHONE, PASSWORD)
    canary.fill_in("/sign-in", 302, phone=PHONE, password=PASSWORD, next=f"//{PHONE}.example")
    return administrator, canary


def attend(witness: Witness, canary: Person, house: dict[str, int]) -> None:
    """Codes are shown, opened, scanned, scanned again, and looked for in the wrong places."""
    organizer, stranger = Person(witness), Person(witness)
    organizer.sign_in("18000000001", PASSWORD)
    organizer.fill_in("/sign-in", 302, phone="18000000001", password=PASSWORD)
    shown = canary("POST", "/me/codes", 201, json={"purpose": "attend"})
    venue = organizer("GET", f"/shifts/{house['shift_id']}/venue-code?direction=in", 200)
    witness.keep(personal=shown["code"], venue=venue["code"])
    for who, status in ((stranger, 200), (canary, 302), (organizer, 200)):
        who.page(f"/M/{shown['code']}", status)
    stranger.page(f"/S/{venue['code']}", 302)
    canary.page(f"/S/{venue['code']}", 302)
    canary.page("/scan", 200)
    for code in (shown["code"], shown["url"], venue["code"], f"{shown['code'][:-2]}AA"):
        body = {
            "nonce": f"n{len(code)}{code[-2:]}",
            "code": code,
            "shift_id": house["shift_id"],
        }
        organizer("POST", "/scans", 200, json=body)
    organizer("POST", "/scans", 422, json={"nonce": "", "code": shown["code"]})
    for path in (f"/X/{shown['code']}", f"/{PHONE}", f"/members/{NAME}?phone={PHONE}"):
        stranger.page(path, 404)
    organizer("GET", f"/members/{shown['code']}", 404)
    organizer("PUT", f"/me?token={shown['code']}", 405)


def spend(witness: Witness, canary: Person, house: dict[str, int]) -> None:
    """A redemption code is opened and used, used again, and a card is tried with its PIN."""
    clerk, stranger = Person(witness), Person(witness)
    clerk.sign_in("18000000002", PASSWORD)
    clerk.fill_in("/sign-in", 302, phone="18000000002", password=PASSWORD)
    shown = canary("POST", "/me/codes", 201, json={"purpose": "redeem"})
    witness.keep(redemption=shown["code"], digits=shown["digits"])
    stranger.page(f"/R/{shown['code']}", 302)
    clerk.page(f"/R/{shown['code']}", 200)
    deal = {"merchant_id": house["merchant_id"], "reward_id": house["reward_id"], "quantity": 1}
    for key, status in (("k1", 201), ("k1", 201), ("k2", 409)):
        body = {**deal, "code": shown["digits"]}
        done = clerk(
            "POST", "/redemptions", status, json=body, headers={"Idempotency-Key": key}
        )
        if status == 201:
            redemption_id = done["id"]
    stranger.fill_in("/sign-in", 302, phone=PHONE, password=PASSWORD)
    void = f"/redemptions/{redemption_id}/void"
    clerk("POST", void, 200, json={"reason": "拿错了"}, headers={"Idempotency-Key": "v1"})
    form = {"reward_id": str(house["reward_id"]), "quantity": "1", "code": shown["digits"]}
    clerk.fill_in(f"/till/{house['merchant_id']}/look", 409, **form)


def order(witness: Witness, canary: Person, house: dict[str, int]) -> None:
    """A voucher is ordered, looked at by others, used twice, and sent where it is none."""
    clerk, stranger = Person(witness), Person(witness)
    clerk.sign_in("18000000002", PASSWORD)
    clerk.fill_in("/sign-in", 302, phone="18000000002", password=PASSWORD)
    ordered = canary(
        "POST",
        f"/rewards/{house['reward_id']}/orders",
        201,
        json={"quantity": 1},
        headers=key("o1"),
    )
    grouped = ordered["voucher"]
    code = grouped.replace("-", "")
    witness.keep(voucher=code, voucher_in_groups=grouped)
    stranger.page(f"/V/{code}", 302)
    clerk.page(f"/V/{code}", 200)
    canary("POST", f"/vouchers/{grouped}/redemption", 403, json={}, headers=key("o2"))
    for name, status in (("o3", 201), ("o3", 201), ("o4", 409)):
        clerk("POST", f"/vouchers/{grouped}/redemption", status, json={}, headers=key(name))
    clerk("POST", f"/vouchers/{code}/redemption", 422, json={"code": code}, headers=key("o5"))
    clerk("GET", f"/orders/{code}", 404)


def key(name: str) -> dict[str, str]:
    return {"Idempotency-Key": name}


def hold_a_card(witness: Witness, administrator: Person, house: dict[str, int]) -> None:
    """A card is issued to the canary, opened by a stranger, and tried with a wrong PIN."""
    clerk, stranger = Person(witness), Person(witness)
    clerk.sign_in("18000000002", PASSWORD)
    found = administrator("POST", "/members/search", 200, json={"phone": PHONE})
    member_id = found["items"][0]["id"]
    card = administrator("POST", f"/members/{member_id}/cards", 201, json={"pin": PIN})
    witness.keep(card=card["code"], pin=PIN)
    assert f"next=/K/{card['code']}" not in stranger.page(f"/K/{card['code']}", 200)
    deal = {"merchant_id": house["merchant_id"], "reward_id": house["reward_id"], "quantity": 1}
    for key, pin, status in (("c1", "000000", 400), ("c2", PIN, 201)):
        body = {**deal, "card": card["code"], "pin": pin}
        clerk("POST", "/redemptions", status, json=body, headers={"Idempotency-Key": key})


def test_the_canary_is_heard_nowhere(witness: Witness, clock: Any) -> None:
    house = set_up(witness)
    witness.keep(
        phone=PHONE,
        name=NAME,
        password=PASSWORD,
        wrong_password=WRONG_PASSWORD,
        new_password=NEW_PASSWORD,
    )
    administrator, canary = come_in(witness)
    with witness.app.app_context(), transaction() as session:
        member_id = session.execute(
            text("SELECT id FROM member WHERE phone = :phone"), {"phone": PHONE}
        ).scalar_one()
        points_for(session, member_id, 100, "award:canary")
        a_claim(session, house["shift_id"], member_id)
    attend(witness, canary, house)
    spend(witness, canary, house)
    hold_a_card(witness, administrator, house)
    order(witness, canary, house)
    fault = canary("GET", "/fault", 500)
    passwords = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
    canary("POST", "/me/password", 204, json=passwords)
    canary("DELETE", "/sessions/current", 204)
    assert witness.told() == []
    lines = [json.loads(line) for line in witness.log.getvalue().splitlines()]
    faults = [line for line in lines if line.get("fault_id") == fault["fault_id"]]
    assert "IntegrityError" in faults[0]["exception"]
    routes = {line["route"] for line in lines if line.get("event") == "request"}
    assert routes >= {"/R/<string:code>", "/api/v1/redemptions", "(none)", FAULT_RULE}
    assert len(witness.secrets) > 10


@pytest.mark.parametrize(
    ("event", "values"),
    [
        (f"calling {PHONE}", {}),
        ("import", {"cell": PHONE}),
        ("import", {"row": [NAME, {"contact": PHONE}]}),
        ("import", {"row": {"name": NAME}}),
        ("sign_in", {"session_token": "canary-token"}),
        ("sign_in", {"password": PASSWORD}),
    ],
)
@pytest.mark.engine("sqlite")
def test_what_is_logged_on_purpose_is_hidden_or_heard(
    witness: Witness, event: str, values: dict[str, Any]
) -> None:
    """A value under its own name and every phone are hidden; a name elsewhere is heard."""
    witness.keep(phone=PHONE, name=NAME, token="canary-token", password=PASSWORD)
    structlog.get_logger("pointsbank.test").info(event, **values)
    assert witness.log.getvalue().count("\n") == 1
    is_bare_name = values.get("row", {}) and not isinstance(values["row"], dict)
    assert [told.split(" in ")[0] for told in witness.told()] == (
        ["name"] if is_bare_name else []
    )


@pytest.mark.engine("sqlite")
def test_a_told_secret_is_heard(witness: Witness, now: datetime) -> None:
    witness.keep(code="CANARYCODE")
    witness.addresses = [("/R/CANARYCODE", "/sign-in?next=/R/CANARYCODE")]
    witness.said = [("problem", '{"detail": "CANARYCODE has expired"}')]
    witness.log.write('{"event": "CANARYCODE"}\n')
    assert len(witness.told()) == 3
