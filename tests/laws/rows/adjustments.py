"""Who may knock at manual adjustments."""

from sqlalchemy.orm import Session

from tests.builders import a_member, with_role
from tests.laws.doors import MEMBERS, Row, asking, door, fields, form
from tests.laws.world import COMMUNITY, MEMBER, VOLUNTEER_NO, Kind, Made, World, make_member
from tests.scoring.hands import asked_by

ASKING = ("administrator", "secretary", "organizer")
DECIDING = ("administrator", "secretary")
READING = (*ASKING, "auditor")
ADJUSTMENTS = "/api/v1/adjustments"
WHY = {"reason_code": "missed_scan", "reason": "手机没电"}


def make_adjustment(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """An adjustment of a member of that side, asked for by an organizer there."""
    ground = world.ground(place)
    author = with_role(session, a_member(session, "周组织"), "organizer", ground.community_id)
    member_id = make_member(session, world, place, actor, made)
    return asked_by(session, author, member_id)


ADJUSTMENT = Kind(COMMUNITY, make_adjustment)

ROWS: list[Row] = [
    door("GET", ADJUSTMENTS, READING),
    door(
        "POST",
        ADJUSTMENTS,
        ASKING,
        fields(member_id="MEMBER_ID", points=20, **WHY),
        member_id=MEMBER,
    ),
    door("GET", f"{ADJUSTMENTS}/<id:adjustment_id>", READING, adjustment_id=ADJUSTMENT),
    door(
        "POST",
        f"{ADJUSTMENTS}/<id:adjustment_id>/decision",
        DECIDING,
        fields(decision="approve", reason="属实"),
        adjustment_id=ADJUSTMENT,
    ),
    door("GET", "/api/v1/manual-entries", MEMBERS, asking(of="district")),
    door("GET", "/adjustments", READING),
    door("GET", "/adjustments/new", ASKING),
    door("GET", "/members/<id:member_id>/adjustments/new", ASKING, member_id=MEMBER),
    door(
        "POST",
        "/adjustments/new",
        ASKING,
        form(
            volunteer_no="VOLUNTEER_NO",
            what="points_up",
            amount=20,
            occurred_on="2026-11-21",
            **WHY,
        ),
        volunteer_no=VOLUNTEER_NO,
        is_foreign=lambda answer: answer.status_code == 422,
    ),
    door("GET", "/adjustments/<id:adjustment_id>", READING, adjustment_id=ADJUSTMENT),
    door(
        "POST",
        "/adjustments/<id:adjustment_id>/decision",
        DECIDING,
        form(decision="approve", reason="属实"),
        adjustment_id=ADJUSTMENT,
    ),
    door("GET", "/manual-entries", MEMBERS),
]
