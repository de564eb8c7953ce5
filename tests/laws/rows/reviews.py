"""Who may knock at reviews, co-signing, head counts, roll calls, look-ups, differences."""

import random
from datetime import timedelta

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from pointsbank.attendance.counting import call_roll
from pointsbank.attendance.models import Attendance, RollCallAnswer, Scan, ScanDifference
from pointsbank.attendance.policy import Rules
from pointsbank.core.keys import draw_bytes, draw_token
from pointsbank.tasks.models import Claim, Shift, Task
from tests.builders import a_claim, a_member, with_role
from tests.laws.doors import MEMBERS, ORGANIZER, READERS, Row, asking, door, fields, form
from tests.laws.world import (
    COMMUNITY,
    MINE,
    OWN,
    PERSON,
    SHIFT,
    Kind,
    Made,
    World,
    a_shift_at_work,
    a_shift_that_is_over,
)
from tests.moments import NOON

HOUR = timedelta(hours=1)
HASH_BYTES = 32


def somebody_came(session: Session, shift_id: int, member_id: int | None = None) -> int:
    """Put somebody among those who are at a shift, and return the attendance."""
    claim_id = a_claim(session, shift_id, member_id, NOON - timedelta(days=1)).id
    claim = session.get_one(Claim, claim_id)
    return session.execute(
        insert(Attendance)
        .values(
            shift_id=shift_id,
            member_id=claim.member_id,
            claim_id=claim_id,
            state="present",
            checked_in_at=session.get_one(Shift, shift_id).starts_at,
            flags=[],
        )
        .returning(Attendance.id)
    ).scalar_one()


def it_waits(session: Session, attendance_id: int) -> int:
    """Let an attendance wait for review after somebody else settled it."""
    line = session.get_one(Attendance, attendance_id)
    shift = session.get_one(Shift, line.shift_id)
    line.state, line.held_reason = "held", "review"
    line.checked_out_at = shift.ends_at
    line.settled_at, line.settled_by_id = (
        shift.ends_at,
        session.get_one(Task, shift.task_id).organizer_id,
    )
    line.review_state, line.review_score = "waiting", 60
    line.review_reasons = [{"code": "absent_at_roll_call", "weight": 60}]
    session.flush()
    return attendance_id


def make_review(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """An attendance of that side that waits."""
    shift_id = a_shift_that_is_over(session, world, place, actor, made)
    return it_waits(session, somebody_came(session, shift_id))


def make_own_review(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """An attendance of whoever acts that waits; elsewhere it is another member's."""
    shift_id = a_shift_that_is_over(session, world, OWN, actor, made)
    member_id = actor if place == OWN else None
    return it_waits(session, somebody_came(session, shift_id, member_id))


def a_shift_they_came_to(
    session: Session, world: World, place: str, actor: int, made: Made
) -> int:
    """A shift at which whoever acts is."""
    shift_id = a_shift_at_work(session, world, place, actor, made)
    somebody_came(session, shift_id, actor)
    return shift_id


def a_shift_with_people(
    session: Session, world: World, place: str, actor: int, made: Made
) -> int:
    """A shift at which somebody is."""
    shift_id = a_shift_at_work(session, world, place, actor, made)
    somebody_came(session, shift_id)
    return shift_id


def make_signer(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """Somebody who is at the shift made before; elsewhere somebody who is not."""
    if place != OWN:
        return a_member(session, "吴海燕", world.ground(place).branch_id)
    line = session.get_one(Attendance, somebody_came(session, made["shift_id"]))
    return line.member_id


def make_roll(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """A roll call at a shift of that side."""
    shift_id = a_shift_with_people(session, world, place, actor, made)
    lead = with_role(session, a_member(session, "周组织"), "organizer")
    return call_roll(
        session,
        shift_id=shift_id,
        actor_id=lead,
        paths=("/",),
        rules=Rules(30, 60),
        chance=random.Random(7),
        now=NOON,
    ).id


def a_shift_with_a_roll(
    session: Session, world: World, place: str, actor: int, made: Made
) -> int:
    """A shift at which the roll was called."""
    shift_id = a_shift_with_people(session, world, place, actor, made)
    call_roll(
        session,
        shift_id=shift_id,
        actor_id=with_role(session, a_member(session, "周组织"), "organizer"),
        paths=("/",),
        rules=Rules(30, 60),
        chance=random.Random(7),
        now=NOON,
    )
    return shift_id


def make_called(session: Session, world: World, place: str, _actor: int, made: Made) -> int:
    """Somebody who was called in the roll call made before; elsewhere somebody who was not."""
    if place != OWN:
        return a_member(session, "吴海燕", world.ground(place).branch_id)
    member_id = session.scalar(
        select(RollCallAnswer.member_id).where(
            RollCallAnswer.roll_call_id == made["roll_call_id"]
        )
    )
    assert member_id is not None
    return member_id


def make_difference(session: Session, world: World, place: str, actor: int, made: Made) -> int:
    """A scan of that side that station and server judged otherwise."""
    shift_id = a_shift_at_work(session, world, place, actor, made)
    member_id = a_member(session, "吴海燕", world.ground(place).branch_id)
    scan_id = session.execute(
        insert(Scan)
        .values(
            actor_id=member_id,
            nonce=draw_token(),
            code_hash=draw_bytes(HASH_BYTES),
            code_kind="personal",
            shift_id=shift_id,
            member_id=member_id,
            direction="in",
            result="confirm",
            reason="not_claimed",
            counts=False,
            is_offline=True,
            scanned_at=NOON,
            recorded_at=NOON,
            flags=[],
            verdict={},
            device_verdict={"result": "ok", "reason": "ok_in", "direction": "in"},
        )
        .returning(Scan.id)
    ).scalar_one()
    session.execute(
        insert(ScanDifference).values(
            scan_id=scan_id,
            shift_id=shift_id,
            device_result="ok",
            device_reason="ok_in",
            server_result="confirm",
            server_reason="not_claimed",
            found_at=NOON,
        )
    )
    return scan_id


REVIEW = Kind(COMMUNITY, make_review)
OWN_REVIEW = Kind(PERSON, make_own_review)
SHIFT_CAME_TO = Kind(MINE, a_shift_they_came_to)
SHIFT_WITH_PEOPLE = Kind(COMMUNITY, a_shift_with_people)
SHIFT_WITH_ROLL = Kind(COMMUNITY, a_shift_with_a_roll)
SIGNER = Kind(COMMUNITY, make_signer)
ROLL = Kind(COMMUNITY, make_roll)
CALLED = Kind(COMMUNITY, make_called)
DIFFERENCE = Kind(COMMUNITY, make_difference)
SHIFTS = "/api/v1/shifts/<id:shift_id>"

ROWS: list[Row] = [
    door("GET", "/api/v1/reviews", READERS),
    door("GET", "/api/v1/reviews", READERS, asking(state="decided"), case="decided"),
    door("GET", "/api/v1/reviews/<id:attendance_id>", READERS, attendance_id=REVIEW),
    door(
        "POST",
        "/api/v1/reviews/<id:attendance_id>/decision",
        READERS,
        fields(decision="approve"),
        attendance_id=REVIEW,
    ),
    door("GET", f"{SHIFTS}/co-signatures", MEMBERS, shift_id=SHIFT_CAME_TO),
    door("POST", f"{SHIFTS}/co-signatures", MEMBERS, shift_id=SHIFT_CAME_TO),
    door(
        "POST",
        f"{SHIFTS}/co-signatures/asking",
        ORGANIZER,
        fields(member_id="MEMBER_ID"),
        shift_id=SHIFT,
        member_id=SIGNER,
    ),
    door("GET", f"{SHIFTS}/head-counts", ORGANIZER, shift_id=SHIFT),
    door("POST", f"{SHIFTS}/head-counts", ORGANIZER, fields(counted=3), shift_id=SHIFT),
    door("GET", f"{SHIFTS}/roll-call", ORGANIZER, shift_id=SHIFT_WITH_ROLL),
    door("POST", f"{SHIFTS}/roll-call", ORGANIZER, shift_id=SHIFT_WITH_PEOPLE),
    door(
        "POST",
        "/api/v1/roll-calls/<id:roll_call_id>/answers",
        ORGANIZER,
        fields(member_id="MEMBER_ID", here=True),
        roll_call_id=ROLL,
        member_id=CALLED,
    ),
    door(
        "POST",
        f"{SHIFTS}/people/search",
        ORGANIZER,
        fields(words="何素芬"),
        shift_id=SHIFT,
    ),
    door("GET", f"{SHIFTS}/differences", ORGANIZER, shift_id=SHIFT),
    door(
        "POST",
        "/api/v1/differences/<id:scan_id>/decision",
        ORGANIZER,
        fields(decision="leave_out"),
        scan_id=DIFFERENCE,
    ),
    door("GET", "/reviews", READERS),
    door("GET", "/reviews/<id:attendance_id>", READERS, attendance_id=REVIEW),
    door(
        "POST",
        "/reviews/<id:attendance_id>/decision",
        READERS,
        form(decision="approve"),
        attendance_id=REVIEW,
    ),
    door("GET", "/my-attendance/<id:attendance_id>", MEMBERS, attendance_id=OWN_REVIEW),
    door("GET", "/shifts/<id:shift_id>/watching", ORGANIZER, shift_id=SHIFT_WITH_ROLL),
    door(
        "POST",
        "/shifts/<id:shift_id>/head-counts",
        ORGANIZER,
        form(counted="3"),
        shift_id=SHIFT,
    ),
    door("POST", "/shifts/<id:shift_id>/roll-call", ORGANIZER, shift_id=SHIFT_WITH_PEOPLE),
    door(
        "POST",
        "/roll-calls/<id:roll_call_id>/answers",
        ORGANIZER,
        form(member_id="MEMBER_ID", here="yes"),
        roll_call_id=ROLL,
        member_id=CALLED,
    ),
    door("GET", "/shifts/<id:shift_id>/vouching", MEMBERS, shift_id=SHIFT_CAME_TO),
    door("POST", "/shifts/<id:shift_id>/vouching", MEMBERS, shift_id=SHIFT_CAME_TO),
    door(
        "POST",
        "/shifts/<id:shift_id>/vouching/asking",
        ORGANIZER,
        form(member_id="MEMBER_ID"),
        shift_id=SHIFT,
        member_id=SIGNER,
    ),
    door("GET", "/shifts/<id:shift_id>/people", ORGANIZER, shift_id=SHIFT),
    door("POST", "/shifts/<id:shift_id>/people", ORGANIZER, form(words="吴"), shift_id=SHIFT),
    door(
        "POST",
        "/shifts/<id:shift_id>/people/scans",
        ORGANIZER,
        form(volunteer_no="V99999999", direction="in", reason="手机没电"),
        shift_id=SHIFT,
    ),
    door("GET", "/shifts/<id:shift_id>/differences", ORGANIZER, shift_id=SHIFT),
    door(
        "POST",
        "/differences/<id:scan_id>/decision",
        ORGANIZER,
        form(decision="leave_out"),
        scan_id=DIFFERENCE,
    ),
]
