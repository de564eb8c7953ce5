"""Who may knock at which door of the JSON API, and the whole table with the pages'.

One row for each route and method, more where one door means several things. A new route needs
its row here, or in page_doors.py; test_authorization.py holds the service to every row.
"""

from datetime import timedelta

from werkzeug.test import TestResponse

from tests.laws.doors import (
    ADMINISTRATOR,
    ANYONE,
    CARD_GIVERS,
    COUNTER,
    DAY_READERS,
    MEMBERS,
    ORGANIZER,
    PEOPLE_FILE,
    RANKING_READERS,
    READERS,
    TREE_FILE,
    asking,
    door,
    fields,
    file_of,
    keyed,
    says_nothing_is_there,
)
from tests.laws.page_doors import PAGES
from tests.laws.rows import ROWS as MORE
from tests.laws.world import (
    ANY_MERCHANT,
    ANY_ORGANIZATION,
    CARD,
    CLAIM,
    DRAFT,
    MEMBER,
    MERCHANT_ID,
    OPEN_SHIFT,
    OPEN_TASK,
    ORGANIZATION,
    PASSWORD,
    PERSONAL_CODE,
    PHONE,
    REDEMPTION,
    REDEMPTION_CODE,
    REWARD,
    ROLE,
    SCAN,
    SHIFT,
    SHIFT_AT_WORK,
    SHIFT_OVER,
    TASK,
    VENUE_CODE,
    VOLUNTEER_NO,
)
from tests.moments import NOON


def took_a_row(answer: TestResponse) -> bool:
    return answer.status_code == 200 and answer.get_json()["rejected"] == []


def rejected_a_row(answer: TestResponse) -> bool:
    return answer.status_code == 200 and answer.get_json()["rejected"] != []


def found_one(answer: TestResponse) -> bool:
    return answer.status_code == 200 and len(answer.get_json()["items"]) == 1


def found_none(answer: TestResponse) -> bool:
    return answer.status_code == 200 and answer.get_json()["items"] == []


def scanned(answer: TestResponse) -> bool:
    return answer.status_code == 200 and answer.get_json()["result"] == "ok"


def all_scanned(answer: TestResponse) -> bool:
    verdicts = answer.get_json()["verdicts"]
    return answer.status_code == 200 and [each["result"] for each in verdicts] == ["ok"]


def scan_refused(answer: TestResponse) -> bool:
    verdict = answer.get_json()
    has_told = verdict["person"] or verdict["shift"] or verdict["counts"]
    return verdict["reason"] == "no_permission" and not has_told


NEW_SHIFT = {
    "starts_at": (NOON + timedelta(days=1)).isoformat(),
    "ends_at": (NOON + timedelta(days=1, hours=2)).isoformat(),
    "places": 3,
    "place_name": "东门桥头",
}
NEW_TASK = {
    "title": "河道清洁",
    "kind": "activity",
    "organization_code": "CODE",
    "scoring_item": "volunteer_hour",
    "shifts": [NEW_SHIFT],
}
API = [
    # sessions, and what each member has of their own
    door(
        "POST",
        "/api/v1/sessions",
        ANYONE,
        fields(phone="PHONE", password=PASSWORD),
        phone=PHONE,
    ),
    door("DELETE", "/api/v1/sessions/current", MEMBERS),
    door("GET", "/api/v1/me", MEMBERS),
    door("GET", "/api/v1/me/claims", MEMBERS),
    door("GET", "/api/v1/me/passbook", MEMBERS),
    door("GET", "/api/v1/me/redemptions", MEMBERS),
    door("POST", "/api/v1/me/codes", MEMBERS, fields(purpose="redeem")),
    door(
        "POST",
        "/api/v1/me/password",
        MEMBERS,
        fields(old_password=PASSWORD, new_password="another quiet bank"),
    ),
    # people
    door(
        "POST",
        "/api/v1/members/import",
        READERS,
        file_of(PEOPLE_FILE),
        is_done=took_a_row,
        is_foreign=rejected_a_row,
        code=ORGANIZATION,
    ),
    door(
        "POST",
        "/api/v1/members/search",
        READERS,
        fields(volunteer_no="NUMBER"),
        is_done=found_one,
        is_foreign=found_none,
        number=VOLUNTEER_NO,
    ),
    door(
        "POST",
        "/api/v1/members/<id:member_id>/roles",
        ADMINISTRATOR,
        fields(role="secretary", organization_code="CODE"),
        is_denied=says_nothing_is_there,
        member_id=MEMBER,
        code=ORGANIZATION,
    ),
    door(
        "POST",
        "/api/v1/members/<id:member_id>/roles",
        ADMINISTRATOR,
        fields(role="clerk", merchant_id="MERCHANT_ID"),
        case="clerk",
        is_denied=says_nothing_is_there,
        member_id=MEMBER,
        merchant_id=MERCHANT_ID,
    ),
    door(
        "DELETE",
        "/api/v1/members/<id:member_id>/roles/<id:role_id>",
        ADMINISTRATOR,
        is_denied=says_nothing_is_there,
        member_id=MEMBER,
        role_id=ROLE,
    ),
    door("POST", "/api/v1/members/<id:member_id>/suspension", ADMINISTRATOR, member_id=MEMBER),
    door(
        "DELETE", "/api/v1/members/<id:member_id>/suspension", ADMINISTRATOR, member_id=MEMBER
    ),
    door("POST", "/api/v1/members/<id:member_id>/cards", CARD_GIVERS, member_id=MEMBER),
    door(
        "DELETE",
        "/api/v1/members/<id:member_id>/cards/<id:card_id>",
        CARD_GIVERS,
        member_id=MEMBER,
        card_id=CARD,
    ),
    # the tree and the merchants
    door("GET", "/api/v1/organizations", MEMBERS, asking(under="CODE"), code=ANY_ORGANIZATION),
    door(
        "POST",
        "/api/v1/organizations/import",
        ADMINISTRATOR,
        file_of(TREE_FILE),
        is_done=took_a_row,
        is_foreign=rejected_a_row,
        code=ORGANIZATION,
    ),
    door("GET", "/api/v1/merchants", MEMBERS),
    door(
        "POST",
        "/api/v1/merchants",
        ADMINISTRATOR,
        fields(name="便民超市", organization_code="CODE", kind="shop"),
        code=ORGANIZATION,
    ),
    # tasks and claims
    door("GET", "/api/v1/scoring/standard", MEMBERS),
    door("GET", "/api/v1/tasks", MEMBERS),
    door("GET", "/api/v1/tasks/<id:task_id>", MEMBERS, task_id=OPEN_TASK),
    door(
        "GET",
        "/api/v1/tasks/<id:task_id>",
        ORGANIZER,
        case="a draft",
        is_denied=says_nothing_is_there,
        task_id=DRAFT,
    ),
    door("POST", "/api/v1/tasks", ORGANIZER, fields(**NEW_TASK), code=ORGANIZATION),
    door("POST", "/api/v1/tasks/<id:task_id>/publication", ORGANIZER, task_id=DRAFT),
    door(
        "POST",
        "/api/v1/tasks/<id:task_id>/cancellation",
        ORGANIZER,
        fields(reason="下雨"),
        task_id=TASK,
    ),
    door("POST", "/api/v1/shifts/<id:shift_id>/claims", MEMBERS, shift_id=OPEN_SHIFT),
    door("DELETE", "/api/v1/claims/<id:claim_id>", MEMBERS, claim_id=CLAIM),
    # attendance
    door(
        "POST",
        "/api/v1/scans",
        MEMBERS,
        fields(nonce="n1", code="CODE", confirm=True),
        is_done=scanned,
        shift_id=SHIFT_AT_WORK,
        code=VENUE_CODE,
    ),
    door(
        "POST",
        "/api/v1/scans",
        ORGANIZER,
        fields(nonce="n1", code="CODE", shift_id="SHIFT_ID"),
        case="another person's code",
        is_done=scanned,
        is_foreign=scan_refused,
        is_denied=scan_refused,
        shift_id=SHIFT,
        code=PERSONAL_CODE,
    ),
    door(
        "POST",
        "/api/v1/scans/batch",
        MEMBERS,
        fields(scans=[{"nonce": "n1", "code": "CODE", "confirm": True}]),
        is_done=all_scanned,
        shift_id=SHIFT_AT_WORK,
        code=VENUE_CODE,
    ),
    door("POST", "/api/v1/scans/<id:scan_id>/undo", MEMBERS, scan_id=SCAN),
    door(
        "GET",
        "/api/v1/shifts/<id:shift_id>/venue-code",
        ORGANIZER,
        asking(direction="in"),
        shift_id=SHIFT,
    ),
    door("GET", "/api/v1/shifts/<id:shift_id>/attendance", ORGANIZER, shift_id=SHIFT),
    door("GET", "/api/v1/shifts/<id:shift_id>/arrivals", ORGANIZER, shift_id=SHIFT),
    door("POST", "/api/v1/shifts/<id:shift_id>/settlement", ORGANIZER, shift_id=SHIFT_OVER),
    # rewards and the counter
    door(
        "GET",
        "/api/v1/rewards",
        MEMBERS,
        asking(merchant_id="MERCHANT_ID"),
        merchant_id=ANY_MERCHANT,
    ),
    door(
        "POST",
        "/api/v1/rewards",
        COUNTER,
        fields(merchant_id="MERCHANT_ID", name="大米", points=20, stock=3),
        merchant_id=MERCHANT_ID,
    ),
    door(
        "PATCH",
        "/api/v1/rewards/<id:reward_id>",
        COUNTER,
        fields(add_stock=2),
        reward_id=REWARD,
    ),
    door(
        "PATCH",
        "/api/v1/rewards/<id:reward_id>",
        COUNTER,
        fields(state="withdrawn"),
        case="withdrawal",
        reward_id=REWARD,
    ),
    door(
        "POST",
        "/api/v1/redemptions",
        ("clerk",),
        keyed(merchant_id="MERCHANT_ID", reward_id="REWARD_ID", quantity=1, code="CODE"),
        merchant_id=MERCHANT_ID,
        reward_id=REWARD,
        code=REDEMPTION_CODE,
    ),
    door(
        "POST",
        "/api/v1/redemptions/<id:redemption_id>/void",
        COUNTER,
        keyed(reason="拿错了"),
        redemption_id=REDEMPTION,
    ),
    door(
        "GET",
        "/api/v1/merchants/<id:merchant_id>/redemptions",
        DAY_READERS,
        merchant_id=MERCHANT_ID,
    ),
    # rankings
    door(
        "GET",
        "/api/v1/rankings",
        RANKING_READERS,
        asking(period="2026-Q4", organization_code="CODE"),
        code=ORGANIZATION,
    ),
    # what describes itself
    door("GET", "/api/openapi.json", ANYONE),
]

ROWS = [*API, *PAGES, *MORE]
