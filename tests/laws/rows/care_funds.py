"""Who may knock at the doors of care funds."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.keys import draw_token
from pointsbank.members.models import Member
from pointsbank.organizations.models import Organization
from pointsbank.passbooks.funds import SpendingWish, ask_for_spending, donate, open_fund
from tests.builders import a_branch, a_member, with_points, with_role
from tests.laws.doors import (
    ADMINISTRATOR,
    MEMBERS,
    READERS,
    Row,
    door,
    fields,
    form,
    keyed,
    says_nothing_is_there,
)
from tests.laws.world import COMMUNITY, OWN, Kind, Made, World, make_merchant
from tests.moments import NOON


def a_keeper(session: Session) -> Actor:
    """An administrator over everything, who is a new person."""
    member_id = with_role(session, a_member(session, "管理员"), "administrator")
    return Actor(member_id, "管理员", 0, 0, (Grant("administrator", "/"),))


def open_at(session: Session, organization_id: int, name: str) -> int:
    code = session.scalar(select(Organization.code).where(Organization.id == organization_id))
    assert code is not None
    return open_fund(
        session, actor=a_keeper(session), organization_code=code, name=name, now=NOON
    )


def make_fund(session: Session, world: World, place: str, _actor: int, _made: Made) -> int:
    """A fund of a new branch on one side, with points in it."""
    branch = a_branch(session, parent=world.ground(place).community_id)
    fund_id = open_at(session, branch, "支部爱心基金")
    donor = with_points(session, a_member(session, "王桂兰", branch), 100)
    donate(
        session,
        fund_id=fund_id,
        actor=Actor(donor, "", 0, 0),
        points=100,
        is_anonymous=False,
        key=draw_token(),
        now=NOON,
    )
    return fund_id


def make_fund_above(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """A fund to which whoever acts may donate; elsewhere one of the other side."""
    if place != OWN:
        return make_fund(session, world, place, actor, made)
    with_points(session, actor, 100)
    home = session.get_one(Member, actor)
    branch = a_branch(session, parent=world.own.community_id)
    home.organization_id = branch
    session.flush()
    return open_at(session, branch, "支部爱心基金")


def make_spending(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """A spending that a person over everything asked for."""
    wish = SpendingWish(
        fund_id=make_fund(session, world, place, actor, made),
        merchant_id=world.merchant_id(place),
        points=20,
        purpose="给独居老人买米",
        key=draw_token(),
    )
    return ask_for_spending(session, wish, actor=a_keeper(session), now=NOON).id


def make_code_of_branch(
    session: Session, world: World, place: str, _actor: int, _made: Made
) -> str:
    """The code of a new branch, which has no fund."""
    branch = a_branch(session, parent=world.ground(place).community_id)
    return session.get_one(Organization, branch).code


# A secretary's merchants are all of the community, not one counter.
MERCHANT_OF_SCOPE = Kind(COMMUNITY, make_merchant)
FUND = Kind(COMMUNITY, make_fund)
FUND_TO_DONATE_TO = Kind("person", make_fund_above)
OWN_FUND = Kind("mine", make_fund_above)
SPENDING = Kind(COMMUNITY, make_spending)
BRANCH_CODE = Kind(COMMUNITY, make_code_of_branch, "999999999999")
FORM_KEY = "a-key-of-this-form"
OVERSEERS = ("administrator", "secretary", "auditor")

ROWS: list[Row] = [
    door("GET", "/api/v1/care-funds", MEMBERS),
    door("GET", "/api/v1/care-funds/<id:fund_id>", MEMBERS, fund_id=OWN_FUND),
    door(
        "GET",
        "/api/v1/care-funds/<id:fund_id>",
        OVERSEERS,
        case="of others",
        is_denied=says_nothing_is_there,
        fund_id=FUND,
    ),
    door(
        "POST",
        "/api/v1/care-funds",
        ADMINISTRATOR,
        fields(organization_code="CODE", name="支部爱心基金"),
        code=BRANCH_CODE,
    ),
    door(
        "POST",
        "/api/v1/care-funds/<id:fund_id>/donations",
        MEMBERS,
        keyed(points=10, anonymous=True),
        fund_id=FUND_TO_DONATE_TO,
    ),
    door(
        "POST",
        "/api/v1/care-funds/<id:fund_id>/spendings",
        READERS,
        keyed(merchant_id="MERCHANT_ID", points=20, purpose="给独居老人买米"),
        fund_id=FUND,
        merchant_id=MERCHANT_OF_SCOPE,
    ),
    door(
        "POST",
        "/api/v1/care-fund-spendings/<id:spending_id>/decision",
        READERS,
        fields(decision="approve"),
        spending_id=SPENDING,
    ),
    door("GET", "/care-funds", MEMBERS),
    door("GET", "/care-funds/<id:fund_id>", MEMBERS, fund_id=OWN_FUND),
    door(
        "GET",
        "/care-funds/<id:fund_id>",
        OVERSEERS,
        case="of others",
        is_denied=says_nothing_is_there,
        fund_id=FUND,
    ),
    door(
        "POST",
        "/care-funds",
        ADMINISTRATOR,
        form(organization_code="CODE", name="支部爱心基金"),
        code=BRANCH_CODE,
    ),
    door(
        "POST",
        "/care-funds/<id:fund_id>/look",
        MEMBERS,
        form(points="10"),
        fund_id=FUND_TO_DONATE_TO,
    ),
    door(
        "POST",
        "/care-funds/<id:fund_id>/donations",
        MEMBERS,
        form(points="10", idempotency_key=FORM_KEY),
        fund_id=FUND_TO_DONATE_TO,
    ),
    door("GET", "/care-funds/<id:fund_id>/spendings/new", READERS, fund_id=FUND),
    door(
        "POST",
        "/care-funds/<id:fund_id>/spendings",
        READERS,
        form(
            merchant_id="MERCHANT_ID",
            points="20",
            purpose="给独居老人买米",
            idempotency_key=FORM_KEY,
        ),
        fund_id=FUND,
        merchant_id=MERCHANT_OF_SCOPE,
    ),
    door("GET", "/care-fund-spendings/<id:spending_id>", READERS, spending_id=SPENDING),
    door(
        "POST",
        "/care-fund-spendings/<id:spending_id>/decision",
        READERS,
        form(decision="approve"),
        spending_id=SPENDING,
    ),
]
