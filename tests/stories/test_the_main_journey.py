"""The main job over HTTP: from an empty installation to a ranking that explains itself."""

import io
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import time_machine
from click.testing import CliRunner
from flask.testing import FlaskClient

from pointsbank.commands import main
from pointsbank.core.settings import Settings
from tests.moments import NOON

ORGANIZATIONS = Path(__file__).parents[2] / "pointsbank" / "commands" / "data" / "kuangqu.csv"
COMMUNITY = "140303001002"
OTHER_COMMUNITY = "140303005004"
PASSWORD = "a quiet river bank"

MEMBERS_CSV = """姓名,手机号,所属组织编码,类别,初始密码
王桂兰,13900000001,140303001002,志愿者,a quiet river bank
李敏,13900000002,140303001002,党员,a quiet river bank
赵店员,13900000003,140303001002,居民,a quiet river bank
陈书记,13900000004,140303001002,党员,a quiet river bank
周审计,13900000005,140303001002,工作人员,a quiet river bank
"""


class Person:
    """Someone signed in over the JSON API."""

    def __init__(self, client: FlaskClient, phone: str, password: str = PASSWORD) -> None:
        self.client = client
        answer = client.post("/api/v1/sessions", json={"phone": phone, "password": password})
        assert answer.status_code == 201, answer.text
        self.token = answer.json["token"]
        self.id = answer.json["member"]["id"]

    def __call__(self, method: str, path: str, status: int = 200, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        answer = self.client.open(f"/api/v1{path}", method=method, headers=headers, **more)
        assert answer.status_code == status, f"{method} {path}: {answer.status} {answer.text}"
        return answer.json if answer.is_json else answer

    def scan(self, code: str, **more: Any) -> Any:
        """Send one scan with a nonce of its own."""
        return self("POST", "/scans", json={"nonce": str(uuid.uuid4()), "code": code, **more})


def uploaded(text: str | bytes, name: str) -> dict[str, Any]:
    """Return a multipart form with one file."""
    content = text if isinstance(text, bytes) else text.encode()
    return {"file": (io.BytesIO(content), name)}


def a_sheet_of_members() -> bytes:
    """Return an XLSX file with English headers and one volunteer of another community."""
    book = openpyxl.Workbook()
    book.active.append(["name", "phone", "organization_code", "kind", "initial_password"])
    book.active.append(["吴海燕", "13900000006", OTHER_COMMUNITY, "volunteer", PASSWORD])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


@pytest.fixture
def travel() -> Any:
    """The clock on the wall, at noon of the story's Saturday; tests move it."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def command(settings: Settings, travel: Any) -> Callable[..., None]:
    """Type a command as the operator does, on this test's database."""

    def typed(*words: str) -> None:
        environment = {
            "POINTSBANK_DATABASE_URL": settings.database_url,
            "POINTSBANK_SECRET_KEY": settings.secret_key,
            "POINTSBANK_ENVIRONMENT": "test",
            "POINTSBANK_ARGON2_CHEAP": "1",
        }
        result = CliRunner().invoke(main, words, env=environment)
        assert result.exit_code == 0, result.output

    return typed


@pytest.fixture
def administrator(client: FlaskClient, command: Callable[..., None]) -> Person:
    """The first administrator, made from the command line."""
    command(
        "admin", "create", "--phone", "13900000000", "--name", "管理员", "--password", PASSWORD
    )
    return Person(client, "13900000000")


def test_the_main_journey(
    client: FlaskClient, administrator: Person, command: Callable[..., None], travel: Any
) -> None:
    admin = administrator
    report = admin(
        "POST",
        "/organizations/import",
        data=uploaded(ORGANIZATIONS.read_bytes(), "kuangqu.csv"),
    )
    assert (report["created"], report["rejected"]) == (63, [])
    again = admin(
        "POST",
        "/organizations/import",
        data=uploaded(ORGANIZATIONS.read_bytes(), "kuangqu.csv"),
    )
    assert (again["created"], again["unchanged"]) == (0, 63)

    assert (
        admin("POST", "/members/import", data=uploaded(MEMBERS_CSV, "members.csv"))["created"]
        == 5
    )
    sheet = admin(
        "POST", "/members/import", data=uploaded(a_sheet_of_members(), "members.xlsx")
    )
    assert sheet["created"] == 1

    volunteer, organizer, clerk, secretary, auditor, stranger = (
        Person(client, f"1390000000{n}") for n in range(1, 7)
    )
    merchant_id = admin(
        "POST",
        "/merchants",
        201,
        json={
            "name": "平潭街爱心超市",
            "organization_code": COMMUNITY,
            "kind": "community_store",
        },
    )["id"]
    for person, role in (
        (organizer, "organizer"),
        (secretary, "secretary"),
        (auditor, "auditor"),
    ):
        admin(
            "POST",
            f"/members/{person.id}/roles",
            201,
            json={"role": role, "organization_code": COMMUNITY},
        )
    admin(
        "POST",
        f"/members/{clerk.id}/roles",
        201,
        json={"role": "clerk", "merchant_id": merchant_id},
    )

    shift = work(organizer, volunteer, stranger, travel)
    settle(organizer, volunteer, stranger, shift)
    redeem(clerk, volunteer, merchant_id)
    command("jobs", "run", "rankings", "--period", "2026-Q4")
    rank(secretary, volunteer)
    command("ledger", "verify")


def work(organizer: Person, volunteer: Person, stranger: Person, travel: Any) -> Any:
    """A task is drafted, published, claimed, and worked from 13:30 to 16:00."""
    starts_at = NOON.replace(hour=13, minute=30)
    task = organizer(
        "POST",
        "/tasks",
        201,
        json={
            "title": "河道清洁",
            "kind": "activity",
            "organization_code": COMMUNITY,
            "scoring_item": "volunteer_hour",
            "summary": "沿河捡拾垃圾",
            "risk_note": "岸边湿滑，请穿防滑鞋",
            "shifts": [
                {
                    "starts_at": starts_at.isoformat(),
                    "ends_at": (starts_at + timedelta(minutes=150)).isoformat(),
                    "places": 1,
                    "place_name": "东门桥头",
                }
            ],
        },
    )
    shift_id = task["shifts"][0]["id"]
    assert [item["id"] for item in volunteer("GET", "/tasks")["items"]] == []
    organizer("POST", f"/tasks/{task['id']}/publication")
    assert [item["id"] for item in volunteer("GET", "/tasks")["items"]] == [task["id"]]

    first = stranger("POST", f"/shifts/{shift_id}/claims", 201)
    waiting = volunteer("POST", f"/shifts/{shift_id}/claims", 201)
    assert (first["state"], waiting["state"], waiting["position"]) == (
        "claimed",
        "waitlisted",
        1,
    )
    stranger("DELETE", f"/claims/{first['id']}", 204)
    assert volunteer("POST", f"/shifts/{shift_id}/claims", 201)["state"] == "claimed"

    venue = f"/shifts/{shift_id}/venue-code?direction=in"
    too_early = volunteer.scan(organizer("GET", venue)["code"])
    assert (too_early["result"], too_early["reason"]) == ("confirm", "too_early")

    travel.move_to(starts_at - timedelta(minutes=8))
    code = organizer("GET", venue)
    travel.shift(timedelta(seconds=90))
    assert volunteer.scan(code["url"])["reason"] == "code_expired"
    arrived = volunteer.scan(organizer("GET", venue)["url"])
    assert (arrived["result"], arrived["reason"]) == ("ok", "ok_in")

    travel.move_to(starts_at + timedelta(minutes=150))
    shown = volunteer("POST", "/me/codes", 201, json={"purpose": "redeem"})
    assert organizer.scan(shown["code"], shift_id=shift_id)["reason"] == "wrong_purpose"
    shown = volunteer("POST", "/me/codes", 201, json={"purpose": "attend"})
    forged = shown["code"][:-1] + ("A" if shown["code"][-1] != "A" else "B")
    assert organizer.scan(forged, shift_id=shift_id)["result"] == "refuse"
    left = organizer.scan(shown["code"], shift_id=shift_id, direction="out")
    assert (left["result"], left["reason"]) == ("ok", "ok_out")
    travel.shift(timedelta(minutes=5))
    return shift_id


def settle(organizer: Person, volunteer: Person, stranger: Person, shift_id: int) -> None:
    """Settling awards once; the passbook shows where the line came from."""
    awarded = [{"member_id": volunteer.id, "points": 25, "service_minutes": 150}]
    for _ in range(2):
        settled = organizer("POST", f"/shifts/{shift_id}/settlement")
        assert settled == {"awarded": awarded, "held": []}
    book = volunteer("GET", "/me/passbook")["items"]
    assert [(line["line"], line["points"], line["balance_after"]) for line in book] == [
        (1, 25, 25)
    ]
    assert "河道清洁" in book[0]["memo"]
    me = volunteer("GET", "/me")
    assert me["points"]["available"] == 25
    assert me["points"]["expiring"][0]["expires_on"] == "2027-12-31"
    assert me["service_minutes"] == 150
    assert stranger("GET", "/me/passbook")["items"] == []


def redeem(clerk: Person, volunteer: Person, merchant_id: int) -> None:
    """Stock and points move once, whatever is resent, and come back once."""
    reward_id = clerk(
        "POST",
        "/rewards",
        201,
        json={"merchant_id": merchant_id, "name": "磨刀一次", "points": 20, "stock": 1},
    )["id"]
    code = volunteer("POST", "/me/codes", 201, json={"purpose": "redeem"})
    body = {
        "merchant_id": merchant_id,
        "reward_id": reward_id,
        "quantity": 1,
        "code": code["digits"],
    }
    key = {"Idempotency-Key": "till-1-0001"}
    first = clerk("POST", "/redemptions", 201, json=body, headers=key)
    second = clerk("POST", "/redemptions", 201, json=body, headers=key)
    assert first == second
    assert (first["points"], first["balance_after"]) == (20, 5)
    assert first["member"]["display_name"] == "王*兰"
    used = clerk(
        "POST", "/redemptions", 409, json=body, headers={"Idempotency-Key": "till-1-0002"}
    )
    assert used["code"] == "code_used"
    for n in (1, 2):
        voided = clerk(
            "POST", f"/redemptions/{first['id']}/void", headers={"Idempotency-Key": f"void-{n}"}
        )
        assert voided["state"] == "voided"
    assert volunteer("GET", "/me")["points"]["available"] == 25


def rank(secretary: Person, volunteer: Person) -> None:
    """The secretary sees why each rank is what it is; members see nothing unless they may."""
    board = secretary(
        "GET", f"/rankings?period=2026-Q4&organization_code={COMMUNITY}&of=members"
    )
    top = board["items"][0]
    assert (top["rank"], top["member"]["id"], top["points_earned"]) == (1, volunteer.id, 25)
    assert top["evaluation_score"] == pytest.approx(sum(part["score"] for part in top["parts"]))
    branches = secretary(
        "GET", f"/rankings?period=2026-Q4&organization_code={COMMUNITY}&of=branches"
    )
    assert branches["items"][0]["organization"]["code"] == COMMUNITY
    volunteer("GET", f"/rankings?period=2026-Q4&organization_code={COMMUNITY}", 403)
