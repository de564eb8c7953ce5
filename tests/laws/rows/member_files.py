"""Who may knock at honours and at members' files."""

from sqlalchemy.orm import Session

from tests.builders import a_member, with_role
from tests.laws.doors import MEMBERS, Row, asking, door, fields, form
from tests.laws.world import MEMBER, MINE, Kind, Made, World
from tests.members.honoured import recorded_by

KEEPERS = ("administrator", "secretary")
SECRETARY = ("secretary",)
API = "/api/v1/members/<id:member_id>"
PAGE = "/members/<id:member_id>"
HONOUR = {"title": "优秀志愿者", "grantor": "区文明办", "granted_on": "2026-10-01"}


def make_honour(session: Session, world: World, place: str, _actor: int, made: Made) -> int:
    """An honour of the member made before, recorded by another secretary."""
    ground = world.ground(place)
    recorder = a_member(session, "孙文", ground.branch_id)
    with_role(session, recorder, "secretary", world.own.community_id)
    with_role(session, recorder, "secretary", world.elsewhere.community_id)
    return recorded_by(session, recorder, made["member_id"])


HONOUR_OF = Kind(MINE, make_honour)

ROWS: list[Row] = [
    door("GET", "/api/v1/me/honours", MEMBERS),
    door("GET", f"{API}/honours", KEEPERS, member_id=MEMBER),
    door("POST", f"{API}/honours", KEEPERS, fields(**HONOUR), member_id=MEMBER),
    door(
        "POST",
        f"{API}/honours/<id:honour_id>/decision",
        KEEPERS,
        fields(decision="confirm", reason="与原件一致"),
        member_id=MEMBER,
        honour_id=HONOUR_OF,
    ),
    door(
        "POST",
        f"{API}/honours/<id:honour_id>/withdrawal",
        KEEPERS,
        member_id=MEMBER,
        honour_id=HONOUR_OF,
    ),
    door("GET", "/me/honours", MEMBERS),
    door("GET", f"{PAGE}/honours", KEEPERS, member_id=MEMBER),
    door("POST", f"{PAGE}/honours", KEEPERS, form(**HONOUR), member_id=MEMBER),
    door(
        "POST",
        f"{PAGE}/honours/<id:honour_id>/decision",
        KEEPERS,
        form(decision="confirm"),
        member_id=MEMBER,
        honour_id=HONOUR_OF,
    ),
    door(
        "POST",
        f"{PAGE}/honours/<id:honour_id>/withdrawal",
        KEEPERS,
        member_id=MEMBER,
        honour_id=HONOUR_OF,
    ),
    door("GET", "/api/v1/me/file", MEMBERS, asking(year="2026")),
    door("POST", f"{API}/file", SECRETARY, fields(year=2026), member_id=MEMBER),
    door("GET", "/me/file", MEMBERS),
    door("GET", "/me/file.pdf", MEMBERS),
    door("POST", f"{PAGE}/file", SECRETARY, member_id=MEMBER),
    door("POST", f"{PAGE}/file.pdf", SECRETARY, form(year="2026"), member_id=MEMBER),
]
