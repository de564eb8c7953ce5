"""Who may enter check-outs, ask for overtime, record no-shows, decide, and strike out."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from pointsbank.attendance.models import Attendance, Overtime
from pointsbank.attendance.no_shows import record_no_shows
from pointsbank.tasks.models import Claim, Shift
from tests.builders import a_claim, a_member, with_role
from tests.laws.doors import MEMBERS, ORGANIZER, READERS, Row, door, fields, form
from tests.laws.rows.reviews import somebody_came
from tests.laws.world import (
    COMMUNITY,
    MINE,
    OWN,
    SHIFT_OVER,
    UNKNOWN_ID,
    Kind,
    Made,
    World,
    a_shift_that_is_over,
)
from tests.moments import NOON

WHY = "门口点过名"
# An hour after the end of a shift that is over.
UNTIL = "2026-11-21T12:30"


def make_open_coming(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """A shift that is over, with somebody who has no check-out and somebody who is away."""
    shift_id = a_shift_that_is_over(session, world, place, actor, made)
    somebody_came(session, shift_id)
    a_claim(session, shift_id, now=NOON - timedelta(days=1))
    return shift_id


def make_given_up(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """A shift that is over, with somebody who is held because they gave their place up."""
    shift_id = a_shift_that_is_over(session, world, place, actor, made)
    line = session.get_one(Attendance, somebody_came(session, shift_id))
    ends_at = session.get_one(Shift, shift_id).ends_at
    line.state, line.held_reason, line.settled_at = "held", "claim_given_up", ends_at
    line.checked_out_at = ends_at
    session.execute(
        update(Claim)
        .where(Claim.id == line.claim_id)
        .values(state="withdrawn", withdrawn_at=ends_at)
    )
    made["who_gave_up"] = line.member_id
    return shift_id


def make_overtime(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """A shift whose overtime waits, asked for by another."""
    shift_id = make_given_up(session, world, place, actor, made)
    session.execute(
        update(Attendance).where(Attendance.shift_id == shift_id).values(settled_at=None)
    )
    ground = world.ground(place)
    asker = with_role(session, a_member(session, "周组织"), "organizer", ground.community_id)
    session.add(
        Overtime(
            shift_id=shift_id,
            until=session.get_one(Shift, shift_id).ends_at + timedelta(hours=1),
            reason=WHY,
            asked_by_id=asker,
            asked_at=NOON,
        )
    )
    session.flush()
    return shift_id


def standing(kind: str) -> Callable[[Made], dict[str, Any]]:
    """Name whoever gave up; on a shift that does not exist somebody who does not either."""
    return lambda made: {
        kind: {"member_id": made.get("who_gave_up", UNKNOWN_ID), "reason": WHY}
    }


def a_record(session: Session, shift_id: int, member_id: int | None) -> int:
    claim_id = a_claim(session, shift_id, member_id, NOON - timedelta(days=1)).id
    recorder = with_role(session, a_member(session, "周组织"), "organizer")
    record_no_shows(session, shift_id=shift_id, actor_id=recorder, paths=("/",), now=NOON)
    return claim_id


def make_record(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """A record of that side about somebody else, by somebody else."""
    return a_record(session, a_shift_that_is_over(session, world, place, actor, made), None)


def make_own_record(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """A record about whoever acts; elsewhere it is about another member."""
    shift_id = a_shift_that_is_over(session, world, OWN, actor, made)
    return a_record(session, shift_id, actor if place == OWN else None)


def make_own_service(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """A shift that whoever acts came to; elsewhere another member did."""
    shift_id = a_shift_that_is_over(session, world, OWN, actor, made)
    somebody_came(session, shift_id, actor if place == OWN else None)
    return shift_id


def make_own_claim(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """The claim with which whoever acts came."""
    shift_id = a_shift_that_is_over(session, world, OWN, actor, made)
    attendance_id = somebody_came(session, shift_id, actor if place == OWN else None)
    return session.get_one(Attendance, attendance_id).claim_id


OPEN_COMING = Kind(COMMUNITY, make_open_coming)
GIVEN_UP = Kind(COMMUNITY, make_given_up)
OVERTIME = Kind(COMMUNITY, make_overtime)
RECORD = Kind(COMMUNITY, make_record)
OWN_RECORD = Kind(MINE, make_own_record)
OWN_SERVICE = Kind(MINE, make_own_service)
OWN_CLAIM = Kind(MINE, make_own_claim)
SHIFTS = "/api/v1/shifts/<id:shift_id>"

ROWS: list[Row] = [
    door("POST", f"{SHIFTS}/check-outs", ORGANIZER, fields(reason=WHY), shift_id=OPEN_COMING),
    door(
        "POST",
        f"{SHIFTS}/standing",
        ORGANIZER,
        standing("json"),
        shift_id=GIVEN_UP,
    ),
    door(
        "POST",
        f"{SHIFTS}/overtime",
        ORGANIZER,
        fields(until=f"{UNTIL}:00+08:00", reason=WHY),
        shift_id=SHIFT_OVER,
    ),
    door("DELETE", f"{SHIFTS}/overtime", ORGANIZER, shift_id=OVERTIME),
    door(
        "POST",
        f"{SHIFTS}/overtime/decision",
        READERS,
        fields(decision="approve"),
        shift_id=OVERTIME,
    ),
    door("GET", "/api/v1/overtime", READERS),
    door("POST", f"{SHIFTS}/no-shows", ORGANIZER, fields(), shift_id=OPEN_COMING),
    door("GET", "/api/v1/no-shows", READERS),
    door(
        "POST",
        "/api/v1/claims/<id:claim_id>/no-show/answer",
        MEMBERS,
        fields(answer="发烧了"),
        claim_id=OWN_RECORD,
    ),
    door(
        "POST",
        "/api/v1/no-shows/<id:claim_id>/decision",
        READERS,
        fields(decision="excuse"),
        claim_id=RECORD,
    ),
    door("GET", "/api/v1/me/service", MEMBERS),
    door("POST", f"{SHIFTS}/attendance/rejection", MEMBERS, fields(), shift_id=OWN_SERVICE),
    door(
        "POST",
        "/shifts/<id:shift_id>/check-outs",
        ORGANIZER,
        form(reason=WHY),
        shift_id=OPEN_COMING,
    ),
    door(
        "POST",
        "/shifts/<id:shift_id>/standing",
        ORGANIZER,
        standing("data"),
        shift_id=GIVEN_UP,
    ),
    door(
        "POST",
        "/shifts/<id:shift_id>/overtime",
        ORGANIZER,
        form(until=UNTIL, reason=WHY),
        shift_id=SHIFT_OVER,
    ),
    door(
        "POST",
        "/shifts/<id:shift_id>/overtime/withdrawal",
        ORGANIZER,
        form(),
        shift_id=OVERTIME,
    ),
    door("POST", "/shifts/<id:shift_id>/no-shows", ORGANIZER, form(), shift_id=OPEN_COMING),
    door("GET", "/hours", READERS),
    door(
        "POST",
        "/hours/overtime/<id:shift_id>",
        READERS,
        form(decision="approve"),
        shift_id=OVERTIME,
    ),
    door(
        "POST",
        "/hours/no-shows/<id:claim_id>",
        READERS,
        form(decision="uphold"),
        claim_id=RECORD,
    ),
    door("GET", "/service", MEMBERS),
    door("GET", "/service/claims/<id:claim_id>", MEMBERS, claim_id=OWN_CLAIM),
    door("GET", "/service/<id:shift_id>/rejection", MEMBERS, shift_id=OWN_SERVICE),
    door("POST", "/service/<id:shift_id>/rejection", MEMBERS, form(), shift_id=OWN_SERVICE),
    door(
        "POST",
        "/service/claims/<id:claim_id>/answer",
        MEMBERS,
        form(answer="发烧了"),
        claim_id=OWN_RECORD,
    ),
]
