"""An afternoon at the river: an organizer, volunteers, a shift, and the codes they hold up."""

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Flask
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from pointsbank.attendance.codes import slot_at, venue_text
from pointsbank.attendance.finding import Desk, NewScan
from pointsbank.attendance.models import Attendance
from pointsbank.attendance.policy import Rules
from pointsbank.attendance.recording import Verdict, record_scan
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import run, transaction
from pointsbank.members.codes import GENERAL, personal_text
from pointsbank.members.models import Member
from pointsbank.organizations.models import Organization
from pointsbank.tasks.models import Shift
from tests.builders import a_claim, a_member, a_shift, an_organization, with_role
from tests.moments import NOON

SECRET = "a key that only tests know, of fair length"
ZONE = ZoneInfo("Asia/Shanghai")
RULES = Rules(opens_minutes=30, stays_minutes=60)
NONCES = itertools.count(1)
DESK = Desk(SECRET, RULES, ZONE)

STARTS = NOON + timedelta(minutes=90)
ENDS = STARTS + timedelta(minutes=150)


def actor_of(session: Session, member_id: int) -> Actor:
    """Return a member as the one who acts, with the roles of the test's community."""
    member = session.get_one(Member, member_id)
    path = session.scalar(
        select(Organization.path).where(Organization.id == member.organization_id)
    )
    grants = (Grant("organizer", path),) if member.name == "李敏" else ()
    return Actor(member_id, member.name, member.organization_id, 0, grants)


@dataclass
class Scene:
    """What a test of scans needs, by id."""

    app: Flask
    organizer: Actor
    volunteer: Actor
    stranger: Actor
    shift_id: int
    shift_handle: bytes
    handles: dict[int, bytes]
    claim_id: int

    def venue(self, at: datetime, direction: str = "in") -> str:
        """Return the venue code of a moment."""
        return venue_text(SECRET, self.shift_handle, slot_at(at), direction)

    def personal(self, who: Actor, at: datetime, shift_handle: bytes = GENERAL) -> str:
        """Return the personal code of a moment."""
        return personal_text(SECRET, self.handles[who.member_id], shift_handle, at)

    def write_carelessly(self, occurrence: int, at: datetime) -> None:
        """Mark the volunteer as here without a look at what stands: for controls."""
        with transaction() as session:
            session.execute(
                insert(Attendance).values(
                    shift_id=self.shift_id,
                    member_id=self.volunteer.member_id,
                    claim_id=self.claim_id,
                    occurrence=occurrence,
                    state="present",
                    checked_in_at=at,
                    flags=[],
                )
            )

    def scan(self, actor: Actor, code: str, at: datetime, **more: object) -> Verdict:
        """Send one scan, with a nonce of its own unless one is given."""
        more.setdefault("nonce", f"n{next(NONCES)}")
        seen_at = more.pop("seen_at", None)
        scan = NewScan(code=code, **more)
        with self.app.app_context():
            return run(
                lambda session: record_scan(session, actor, scan, DESK, now=at, seen_at=seen_at)
            )

    def check_in(self, at: datetime = STARTS, who: Actor | None = None) -> Verdict:
        """Check a volunteer in by the venue code."""
        return self.scan(who or self.volunteer, self.venue(at, "in"), at)

    def check_out(self, at: datetime = ENDS, who: Actor | None = None) -> Verdict:
        """Check a volunteer out by the venue code."""
        return self.scan(who or self.volunteer, self.venue(at, "out"), at)


def reason(verdict: Verdict) -> tuple[str, str]:
    """Return what a verdict says in two words."""
    return verdict.facts["result"], verdict.facts["reason"]


def set_scene(app: Flask, session: Session, now: datetime = NOON, **shift: object) -> Scene:
    """Make the people, the shift and one claim."""
    community = an_organization(session)
    organizer = with_role(session, a_member(session, "李敏"), "organizer")
    volunteer, stranger = a_member(session), a_member(session, "吴海燕")
    shift_id = a_shift(
        session, organizer_id=organizer, organization_id=community, now=now, **shift
    )
    claim = a_claim(session, shift_id, volunteer, now)
    people = (organizer, volunteer, stranger)
    return Scene(
        app,
        *(actor_of(session, member_id) for member_id in people),
        shift_id,
        session.get_one(Shift, shift_id).handle,
        {each: session.get_one(Member, each).handle for each in people},
        claim.id,
    )
