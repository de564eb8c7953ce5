"""Who may wish, vote and answer, and who sees where rewards are too few."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.members.models import Member
from pointsbank.rewards.wishing import wish
from tests.builders import a_member
from tests.laws.doors import ADMINISTRATOR, MEMBERS, Row, door, fields, form
from tests.laws.world import COMMUNITY, MINE, Kind, Made, World
from tests.moments import NOON


def make_wish(session: Session, world: World, place: str, _actor: int, _made: Made) -> int:
    """A wish of somebody of a community."""
    member_id = a_member(session, organization_id=world.ground(place).branch_id)
    return wish(session, member_id=member_id, title="雨伞", note_text="", now=NOON)


def make_wish_at_home(
    session: Session, _world: World, _place: str, actor: int, _made: Made
) -> int:
    """A wish of somebody who belongs where the person does who acts."""
    home = session.scalar(select(Member.organization_id).where(Member.id == actor))
    member_id = a_member(session, organization_id=home)
    return wish(session, member_id=member_id, title="雨伞", note_text="", now=NOON)


WISH = Kind(COMMUNITY, make_wish)
WISH_AT_HOME = Kind(MINE, make_wish_at_home)
READERS = ("administrator", "auditor")

ROWS: list[Row] = [
    door("GET", "/api/v1/reward-wishes", MEMBERS),
    door("POST", "/api/v1/reward-wishes", MEMBERS, fields(title="雨伞")),
    door("PUT", "/api/v1/reward-wishes/<id:wish_id>/vote", MEMBERS, wish_id=WISH_AT_HOME),
    door("DELETE", "/api/v1/reward-wishes/<id:wish_id>/vote", MEMBERS, wish_id=WISH_AT_HOME),
    door("GET", "/api/v1/reward-wishes/unanswered", ADMINISTRATOR),
    door(
        "POST",
        "/api/v1/reward-wishes/<id:wish_id>/answer",
        ADMINISTRATOR,
        fields(decision="declined", answer="没有商户"),
        wish_id=WISH,
    ),
    door("GET", "/api/v1/reward-shortages", READERS),
    door("GET", "/reward-wishes", MEMBERS),
    door("POST", "/reward-wishes", MEMBERS, form(title="雨伞")),
    door(
        "POST",
        "/reward-wishes/<id:wish_id>/vote",
        MEMBERS,
        form(wanted="1"),
        wish_id=WISH_AT_HOME,
    ),
    door("GET", "/reward-wishes/answers", ADMINISTRATOR),
    door("GET", "/reward-wishes/<id:wish_id>/answer", ADMINISTRATOR, wish_id=WISH),
    door(
        "POST",
        "/reward-wishes/<id:wish_id>/answer",
        ADMINISTRATOR,
        form(decision="declined", answer="没有商户"),
        wish_id=WISH,
    ),
    door("GET", "/rewards/shortage", READERS),
]
