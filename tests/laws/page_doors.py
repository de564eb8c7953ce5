"""Who may knock at which door of the pages."""

import re

from werkzeug.test import TestResponse

from pointsbank.core.keys import draw_token
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
    VIEWERS,
    asking,
    door,
    file_of,
    form,
    says_no,
    says_nothing_is_there,
)
from tests.laws.world import (
    ANY_ORGANIZATION,
    ANY_REWARD,
    ANYONES_CODE,
    CARD,
    CARD_CODE,
    CLAIM,
    DRAFT,
    MEMBER,
    MEMBERS_CODE,
    MERCHANT_ID,
    MINE,
    OPEN_SHIFT,
    OPEN_TASK,
    ORGANIZATION,
    OWN_CODE,
    OWN_REDEMPTION,
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
    STANDING,
    TASK,
    TICKET,
    VENUE_CODE,
    VOLUNTEER_NO,
    Kind,
)

STAFF = ("administrator", "secretary", "organizer", "auditor")
LOOKERS = ("administrator", "secretary", "organizer")
CLERK = ("clerk",)
REPORT = re.compile(r'class="report-sum">\s*<[^>]*class="note (good|bad)')
VERDICT = re.compile(r'class="verdict (\w+)')
PLAN = {
    "title": "河道清洁",
    "kind": "activity",
    "organization_code": "CODE",
    "scoring_item": "volunteer_hour",
    "starts_at_1": "2026-11-22T14:00",
    "ends_at_1": "2026-11-22T16:00",
    "places_1": "3",
    "place_name_1": "东门桥头",
}
DEAL = {"reward_id": "REWARD_ID", "quantity": "1", "code": "CODE"}


def took_the_file(answer: TestResponse) -> bool:
    """Tell whether the report's note is the good one."""
    return answer.status_code == 200 and REPORT.findall(answer.text) == ["good"]


def rejected_the_file(answer: TestResponse) -> bool:
    return answer.status_code == 200 and REPORT.findall(answer.text) == ["bad"]


def asks_again(answer: TestResponse) -> bool:
    """Tell whether a form came back with a sentence about what was typed."""
    return answer.status_code == 422


def found_a_person(answer: TestResponse) -> bool:
    return answer.status_code == 200 and "吴海燕" in answer.text


def found_nobody(answer: TestResponse) -> bool:
    return answer.status_code == 200 and "吴海燕" not in answer.text


def shows_a_good_scan(answer: TestResponse) -> bool:
    return answer.status_code == 200 and VERDICT.findall(answer.text) == ["ok"]


def shows_a_refused_scan(answer: TestResponse) -> bool:
    return answer.status_code == 200 and VERDICT.findall(answer.text) == ["no"]


# One chapter of the API, the same for everybody.
CHAPTER = Kind(MINE, lambda *_: "rankings")
PAGES = [
    # the first page, what browsers remember, and what operators ask
    door("GET", "/", ANYONE),
    door("GET", "/healthz", ANYONE),
    door("GET", "/readyz", ANYONE),
    door("GET", "/metrics", ANYONE),
    door("GET", "/api/docs", ANYONE),
    door("GET", "/api/docs/<name>", ANYONE, name=CHAPTER),
    door("GET", "/sign-in", ANYONE),
    door("POST", "/sign-in", ANYONE, form(phone="PHONE", password=PASSWORD), phone=PHONE),
    door("POST", "/sign-out", ANYONE),
    door("POST", "/display", ANYONE, form(mode="elder", next="/sign-in")),
    door("POST", "/language", ANYONE, form(locale="en", next="/sign-in")),
    # one's own
    door("GET", "/me", MEMBERS),
    door(
        "POST",
        "/me/password",
        MEMBERS,
        form(old_password=PASSWORD, new_password="another quiet bank"),
    ),
    door("GET", "/my-code", MEMBERS),
    door("GET", "/my-code/redeem", MEMBERS),
    door("POST", "/my-code/redeem", MEMBERS),
    door("GET", "/passbook", MEMBERS),
    # people
    door("GET", "/members", READERS),
    door(
        "POST",
        "/members",
        READERS,
        form(volunteer_no="NUMBER"),
        is_done=found_a_person,
        is_foreign=found_nobody,
        number=VOLUNTEER_NO,
    ),
    door("GET", "/members/<id:member_id>", LOOKERS, member_id=MEMBER),
    door(
        "POST",
        "/members/<id:member_id>/roles",
        ADMINISTRATOR,
        form(role="secretary", organization_code="CODE"),
        is_denied=says_nothing_is_there,
        member_id=MEMBER,
        code=ORGANIZATION,
    ),
    door(
        "POST",
        "/members/<id:member_id>/roles",
        ADMINISTRATOR,
        form(role="clerk", merchant_id="MERCHANT_ID"),
        case="clerk",
        is_denied=says_nothing_is_there,
        member_id=MEMBER,
        merchant_id=MERCHANT_ID,
    ),
    door(
        "POST",
        "/members/<id:member_id>/roles/<id:role_id>/withdrawal",
        ADMINISTRATOR,
        is_denied=says_no,
        member_id=MEMBER,
        role_id=ROLE,
    ),
    door("POST", "/members/<id:member_id>/suspension", ADMINISTRATOR, member_id=MEMBER),
    door("POST", "/members/<id:member_id>/activation", ADMINISTRATOR, member_id=MEMBER),
    door("POST", "/members/<id:member_id>/cards", CARD_GIVERS, member_id=MEMBER),
    door(
        "POST",
        "/members/<id:member_id>/cards/<id:card_id>/revocation",
        CARD_GIVERS,
        member_id=MEMBER,
        card_id=CARD,
    ),
    door("GET", "/members/import", READERS),
    door(
        "POST",
        "/members/import",
        READERS,
        file_of(PEOPLE_FILE),
        is_done=took_the_file,
        is_foreign=rejected_the_file,
        code=ORGANIZATION,
    ),
    # the tree and the merchants
    door("GET", "/organizations", STAFF, asking(code="CODE"), code=ORGANIZATION),
    door("GET", "/organizations/import", ADMINISTRATOR),
    door(
        "POST",
        "/organizations/import",
        ADMINISTRATOR,
        file_of(TREE_FILE),
        is_done=took_the_file,
        is_foreign=rejected_the_file,
        code=ORGANIZATION,
    ),
    door("GET", "/merchants", ("administrator", "auditor")),
    door("GET", "/merchants/new", ADMINISTRATOR),
    door(
        "POST",
        "/merchants/new",
        ADMINISTRATOR,
        form(name="便民超市", organization_code="CODE", kind="shop"),
        is_foreign=asks_again,
        code=ORGANIZATION,
    ),
    # rewards, for those who have them and those who offer them
    door("GET", "/rewards", MEMBERS),
    door("GET", "/rewards/<id:reward_id>", MEMBERS, reward_id=ANY_REWARD),
    door("GET", "/redemptions", MEMBERS),
    door(
        "GET",
        "/redemptions/<id:redemption_id>",
        DAY_READERS,
        is_denied=says_nothing_is_there,
        redemption_id=REDEMPTION,
    ),
    door(
        "GET",
        "/redemptions/<id:redemption_id>",
        MEMBERS,
        case="one's own",
        redemption_id=OWN_REDEMPTION,
    ),
    door("GET", "/merchants/<id:merchant_id>/rewards", COUNTER, merchant_id=MERCHANT_ID),
    door("GET", "/merchants/<id:merchant_id>/rewards/new", COUNTER, merchant_id=MERCHANT_ID),
    door(
        "POST",
        "/merchants/<id:merchant_id>/rewards",
        COUNTER,
        form(name="大米", points="20", stock="3"),
        merchant_id=MERCHANT_ID,
    ),
    door("POST", "/rewards/<id:reward_id>/stock", COUNTER, form(more="2"), reward_id=REWARD),
    door(
        "POST",
        "/rewards/<id:reward_id>/state",
        COUNTER,
        form(state="withdrawn"),
        reward_id=REWARD,
    ),
    door(
        "GET",
        "/merchants/<id:merchant_id>/redemptions",
        DAY_READERS,
        merchant_id=MERCHANT_ID,
    ),
    # the counter
    door("GET", "/till", CLERK),
    door("GET", "/till/<id:merchant_id>", CLERK, merchant_id=MERCHANT_ID),
    door(
        "POST",
        "/till/<id:merchant_id>/look",
        CLERK,
        form(**DEAL),
        merchant_id=MERCHANT_ID,
        reward_id=REWARD,
        code=REDEMPTION_CODE,
    ),
    door(
        "POST",
        "/till/<id:merchant_id>/redemptions",
        CLERK,
        lambda made: form(**DEAL, idempotency_key=draw_token())(made),
        merchant_id=MERCHANT_ID,
        reward_id=REWARD,
        code=REDEMPTION_CODE,
    ),
    door(
        "POST",
        "/redemptions/<id:redemption_id>/void",
        COUNTER,
        form(reason="拿错了"),
        redemption_id=REDEMPTION,
    ),
    # rankings
    door("GET", "/dashboard", VIEWERS),
    door(
        "GET", "/rankings", RANKING_READERS, asking(organization_code="CODE"), code=ORGANIZATION
    ),
    door("GET", "/rankings/members/<id:member_id>/why", RANKING_READERS, member_id=STANDING),
    door(
        "POST",
        "/rankings/export.xlsx",
        VIEWERS,
        form(organization_code="CODE"),
        code=ORGANIZATION,
    ),
    # tasks, for those who do them and those who plan them
    door("GET", "/tasks", MEMBERS, asking(organization_code="CODE"), code=ANY_ORGANIZATION),
    door("GET", "/tasks/<id:task_id>", MEMBERS, task_id=OPEN_TASK),
    door(
        "GET",
        "/tasks/<id:task_id>",
        ORGANIZER,
        case="a draft",
        is_denied=says_nothing_is_there,
        task_id=DRAFT,
    ),
    door("POST", "/shifts/<id:shift_id>/claims", MEMBERS, shift_id=OPEN_SHIFT),
    door("GET", "/my-tasks", MEMBERS),
    door("POST", "/claims/<id:claim_id>/withdrawal", MEMBERS, claim_id=CLAIM),
    door("GET", "/organizing", ORGANIZER),
    door("GET", "/organizing/<id:task_id>", ORGANIZER, task_id=TASK),
    door("GET", "/organizing/new", ORGANIZER),
    door(
        "POST",
        "/organizing/new",
        ORGANIZER,
        form(**PLAN),
        is_foreign=asks_again,
        code=ORGANIZATION,
    ),
    door("POST", "/organizing/<id:task_id>/publication", ORGANIZER, task_id=DRAFT),
    door(
        "POST",
        "/organizing/<id:task_id>/cancellation",
        ORGANIZER,
        form(reason="下雨"),
        task_id=TASK,
    ),
    # attendance
    door("GET", "/shifts/<id:shift_id>/venue", ORGANIZER, shift_id=SHIFT),
    door("GET", "/shifts/<id:shift_id>/station", ORGANIZER, shift_id=SHIFT),
    door(
        "POST",
        "/shifts/<id:shift_id>/station",
        ORGANIZER,
        form(code="CODE", direction="in"),
        is_done=shows_a_good_scan,
        shift_id=SHIFT,
        code=PERSONAL_CODE,
    ),
    door(
        "POST",
        "/shifts/<id:shift_id>/scans/<id:scan_id>/undo",
        ORGANIZER,
        shift_id=SHIFT,
        scan_id=SCAN,
    ),
    door("GET", "/shifts/<id:shift_id>/attendance", ORGANIZER, shift_id=SHIFT),
    door("POST", "/shifts/<id:shift_id>/settlement", ORGANIZER, shift_id=SHIFT_OVER),
    door("GET", "/scan", MEMBERS),
    door("POST", "/scan", MEMBERS),
    door(
        "POST",
        "/scanned",
        ORGANIZER,
        form(shift_id="SHIFT_ID", ticket="TICKET", direction="in"),
        is_done=shows_a_good_scan,
        is_foreign=shows_a_refused_scan,
        shift_id=SHIFT,
        ticket=TICKET,
    ),
    # addresses in codes
    door("GET", "/S/<string:code>", ANYONE, shift_id=SHIFT_AT_WORK, code=VENUE_CODE),
    door("GET", "/s/<string:code>", ANYONE, shift_id=SHIFT_AT_WORK, code=VENUE_CODE),
    door("GET", "/M/<string:code>", ANYONE, code=MEMBERS_CODE),
    door("GET", "/m/<string:code>", ANYONE, code=MEMBERS_CODE),
    door("GET", "/K/<string:code>", ANYONE, code=CARD_CODE),
    door("GET", "/k/<string:code>", ANYONE, code=CARD_CODE),
    door("GET", "/R/<string:code>", MEMBERS, code=ANYONES_CODE),
    door("GET", "/r/<string:code>", MEMBERS, code=ANYONES_CODE),
    door("GET", "/R/<string:code>", MEMBERS, case="one's own", code=OWN_CODE),
]
