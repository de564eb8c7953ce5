"""A shift of yesterday afternoon that its lead has not closed: what is left to do stands on its
sheet."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from pointsbank.attendance.codes import slot_at, venue_text
from pointsbank.attendance.finding import Desk, NewScan
from pointsbank.attendance.no_shows import answer_no_show, record_no_shows
from pointsbank.attendance.overtimes import ask_overtime
from pointsbank.attendance.recording import record_scan
from pointsbank.commands.demonstration.people import District
from pointsbank.commands.demonstration.reviews import a_shift
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import transaction
from pointsbank.members.queries import member_of
from pointsbank.tasks.claiming import claim_shift
from pointsbank.tasks.queries import ShiftLine

# Others than those of the morning's shift, which is looked at elsewhere.
PEOPLE = slice(26, 32)
PEOPLE_NEEDED = 6
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def make_closing(
    district: District, *, desk: Desk, handle: bytes, nonce: Callable[[], str], now: datetime
) -> None:
    """Let one come twice, two forget to check out, one be typed in, and two stay away; let the
    lead ask for overtime."""
    community = district.communities[0]
    people = community.members[PEOPLE]
    if len(people) < PEOPLE_NEEDED:
        return
    starts_at = (
        (now - DAY).astimezone(desk.zone).replace(hour=14, minute=0, second=0, microsecond=0)
    )
    with transaction() as session:
        shift = a_shift(session, community, handle, starts_at, desk)
        claims = [
            claim_shift(session, shift_id=shift.id, member_id=each, now=starts_at - DAY).id
            for each in people
        ]
    lead = Actor(community.organizer_id, "", 0, 0, (Grant("organizer", community.path),))
    with transaction() as session:
        they_come(session, shift, people, lead, desk=desk, nonce=nonce)
        ask_overtime(
            session,
            shift_id=shift.id,
            actor=lead,
            until=shift.ends_at + HOUR,
            reason="垃圾比预想的多，大家一起收完才走",
            now=shift.ends_at + HOUR,
        )
    with transaction() as session:
        away, recorded_at = people[-1], shift.ends_at + 2 * HOUR
        record_no_shows(
            session,
            shift_id=shift.id,
            actor_id=lead.member_id,
            paths=(community.path,),
            now=recorded_at,
            only=[away],
        )
        answer_no_show(
            session,
            claim_id=claims[-1],
            member_id=away,
            answer="孩子突然发烧，去了医院，没来得及说",
            now=recorded_at + HOUR,
        )


def they_come(
    session: Session,
    shift: ShiftLine,
    people: list[int],
    lead: Actor,
    *,
    desk: Desk,
    nonce: Callable[[], str],
) -> None:
    """Scan whoever comes and goes, in the order of time."""

    def scan(member_id: int, direction: str, minutes: int) -> None:
        at = shift.starts_at + timedelta(minutes=minutes)
        code = venue_text(desk.secret, shift.handle, slot_at(at), direction)
        asked = NewScan(nonce(), code, direction=direction, confirm=direction == "in")
        record_scan(session, Actor(member_id, "", 0, 0), asked, desk, now=at)

    twice, one, other, typed, *_ = people
    for minutes, member_id in enumerate((twice, one, other)):
        scan(member_id, "in", minutes)
    number = member_of(session, typed).volunteer_no
    for direction, at in (("in", shift.starts_at), ("out", shift.ends_at)):
        record_scan(session, lead, NewScan(nonce(), number, shift.id, direction), desk, now=at)
    scan(twice, "out", 50)
    scan(twice, "in", 80)
    scan(twice, "out", 140)
