"""A shift of yesterday on which two people stand by one phone, and a station differs."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.attendance.codes import slot_at, venue_text
from pointsbank.attendance.counting import count_heads
from pointsbank.attendance.differences import Shown, record_from_station
from pointsbank.attendance.finding import Desk, NewScan
from pointsbank.attendance.models import Attendance
from pointsbank.attendance.recording import record_scan
from pointsbank.attendance.settling import settle_shift
from pointsbank.attendance.vouching import co_sign, vouching_of
from pointsbank.commands.demonstration.content import WORKS
from pointsbank.commands.demonstration.people import Community, District
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import transaction
from pointsbank.members.queries import member_of
from pointsbank.tasks.claiming import claim_shift
from pointsbank.tasks.drafting import NewShift, draft_task
from pointsbank.tasks.publishing import publish_task
from pointsbank.tasks.queries import ShiftLine, task_of

# Neither the volunteer who is printed nor those whose books are disputed.
PEOPLE = slice(20, 25)
WORK = WORKS[0]
DAY = timedelta(days=1)


def sign_for_many(session: Session, shift_id: int, now: datetime) -> None:
    """Let one of those who came sign for the list, where so many came that somebody has to."""
    vouching = vouching_of(session, shift_id)
    if not vouching.is_needed:
        return
    signer = session.scalars(
        select(Attendance.member_id).where(Attendance.shift_id == shift_id).limit(1)
    ).one()
    co_sign(session, shift_id=shift_id, actor=Actor(signer, "", 0, 0), now=now)


def make_reviews(
    district: District, *, desk: Desk, handle: bytes, nonce: Callable[[], str], now: datetime
) -> None:
    """Let a shift be settled of which a secretary has two lines to look at, and its lead a
    scan to settle."""
    community = district.communities[0]
    people = community.members[PEOPLE]
    begins = now - timedelta(days=1)
    starts_at = begins.astimezone(desk.zone).replace(hour=9, minute=0, second=0, microsecond=0)
    with transaction() as session:
        shift = a_shift(session, community, handle, starts_at, desk)
        for member_id in people[:-1]:
            claim_shift(session, shift_id=shift.id, member_id=member_id, now=starts_at - DAY)
    with transaction() as session:
        for place, member_id in enumerate(people[:-1]):
            # The first two follow each other within a second on one phone.
            device = "one phone" if place < 2 else f"phone {place}"
            wait = timedelta(seconds=1 if place == 1 else 40 * place)
            for direction, at in (("in", shift.starts_at), ("out", shift.ends_at)):
                code = venue_text(desk.secret, shift.handle, slot_at(at + wait), direction)
                scan = NewScan(nonce(), code, direction=direction, device_id=device)
                actor = Actor(member_id, "", 0, 0)
                record_scan(session, actor, scan, desk, now=at + wait)
    a_lead_watches(community, shift, people[-1], desk=desk, nonce=nonce)


def a_shift(
    session: Session, community: Community, handle: bytes, starts_at: datetime, desk: Desk
) -> ShiftLine:
    """Draft and publish the task, and return its shift."""
    drafted_at = starts_at - 3 * DAY
    task_id = draft_task(
        session,
        title=WORK.title,
        kind=WORK.kind,
        organization_code=community.code,
        scoring_item=WORK.item,
        summary=WORK.summary,
        risk_note=WORK.risk_note,
        shifts=[
            NewShift(
                starts_at=starts_at,
                ends_at=starts_at + timedelta(minutes=WORK.minutes),
                places=WORK.places,
                place_name=WORK.place,
                handle=handle,
            )
        ],
        organizer_id=community.organizer_id,
        paths=(community.path,),
        zone=desk.zone,
        now=drafted_at,
    )
    publish_task(
        session,
        task_id=task_id,
        actor_id=community.organizer_id,
        paths=(community.path,),
        now=drafted_at,
    )
    return task_of(session, task_id, (community.path,)).shifts[0]


def a_lead_watches(
    community: Community,
    shift: ShiftLine,
    newcomer: int,
    *,
    desk: Desk,
    nonce: Callable[[], str],
) -> None:
    """Count heads in the middle, upload what a station showed somebody without a claim, and
    settle."""
    lead = Actor(community.organizer_id, "", 0, 0, (Grant("organizer", community.path),))
    late = shift.ends_at + timedelta(minutes=40)
    with transaction() as session:
        count_heads(
            session,
            shift_id=shift.id,
            counted=4,
            actor_id=lead.member_id,
            paths=(community.path,),
            rules=desk.rules,
            now=shift.starts_at + timedelta(minutes=45),
        )
        scan = NewScan(
            nonce(),
            member_of(session, newcomer).volunteer_no,
            shift.id,
            "in",
            shift.starts_at + timedelta(minutes=5),
            is_offline=True,
            device_id="station",
        )
        shown = Shown("ok", "ok_in", "in")
        record_from_station(session, lead, scan, shown, desk, now=late)
        settle_shift(
            session,
            shift_id=shift.id,
            actor_id=lead.member_id,
            paths=(community.path,),
            zone=desk.zone,
            now=late,
        )
