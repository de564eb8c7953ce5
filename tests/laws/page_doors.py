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
    PEOPLE_FILE,
    READERS,
    TREE_FILE,
    VIEWERS,
    asking,
    door,
    file_of,
    form,
    says_nothing_is_there,
)
from tests.laws.world import (
    ANY_REWARD,
    ANYONES_CODE,
    CARD,
    MEMBER,
    MERCHANT_ID,
    ORGANIZATION,
    OWN_CODE,
    OWN_REDEMPTION,
    PASSWORD,
    PHONE,
    REDEMPTION,
    REDEMPTION_CODE,
    REWARD,
    ROLE,
    STANDING,
    VOLUNTEER_NO,
)

STAFF = ("administrator", "secretary", "organizer", "auditor")
LOOKERS = ("administrator", "secretary", "organizer")
CLERK = ("clerk",)
REPORT = re.compile(r'class="report-sum">\s*<[^>]*class="note (good|bad)')
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


PAGES = [
    # the first page, what browsers remember, and what operators ask
    door("GET", "/", ANYONE),
    door("GET", "/healthz", ANYONE),
    door("GET", "/readyz", ANYONE),
    door("GET", "/metrics", ANYONE),
    door("GET", "/api/docs", ANYONE),
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
        member_id=MEMBER,
        code=ORGANIZATION,
    ),
    door(
        "POST",
        "/members/<id:member_id>/roles",
        ADMINISTRATOR,
        form(role="clerk", merchant_id="MERCHANT_ID"),
        case="clerk",
        member_id=MEMBER,
        merchant_id=MERCHANT_ID,
    ),
    door(
        "POST",
        "/members/<id:member_id>/roles/<id:role_id>/withdrawal",
        ADMINISTRATOR,
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
    door("GET", "/rankings", VIEWERS, asking(organization_code="CODE"), code=ORGANIZATION),
    door("GET", "/rankings/members/<id:member_id>/why", VIEWERS, member_id=STANDING),
    door(
        "POST",
        "/rankings/export.xlsx",
        VIEWERS,
        form(organization_code="CODE"),
        code=ORGANIZATION,
    ),
    # addresses in codes
    door("GET", "/R/<string:code>", MEMBERS, code=ANYONES_CODE),
    door("GET", "/r/<string:code>", MEMBERS, code=ANYONES_CODE),
    door("GET", "/R/<string:code>", MEMBERS, case="one's own", code=OWN_CODE),
]
