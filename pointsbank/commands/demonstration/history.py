"""Three months of the district, each act by the real service at its own moment."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pointsbank.attendance.codes import slot_at, venue_text
from pointsbank.attendance.finding import NewScan
from pointsbank.attendance.recording import record_scan
from pointsbank.attendance.settling import settle_shift
from pointsbank.commands.demonstration.adjustments import make_adjustments
from pointsbank.commands.demonstration.agenda import Agenda
from pointsbank.commands.demonstration.appraising import make_appraisals
from pointsbank.commands.demonstration.closing import make_closing
from pointsbank.commands.demonstration.content import WORKS, Work
from pointsbank.commands.demonstration.disputes import make_disputes
from pointsbank.commands.demonstration.giving import make_giving
from pointsbank.commands.demonstration.grading import grade_last_year
from pointsbank.commands.demonstration.homes import make_homes
from pointsbank.commands.demonstration.inviting import make_invitations
from pointsbank.commands.demonstration.joining import make_joining
from pointsbank.commands.demonstration.limits import make_budgets
from pointsbank.commands.demonstration.notices import make_notices
from pointsbank.commands.demonstration.people import Community, District, Tick
from pointsbank.commands.demonstration.periods import close_last_quarter
from pointsbank.commands.demonstration.ranking import make_rankings
from pointsbank.commands.demonstration.repeating import make_series
from pointsbank.commands.demonstration.reviews import make_reviews, sign_for_many
from pointsbank.commands.demonstration.roles import make_roles
from pointsbank.commands.demonstration.stage import Stage
from pointsbank.commands.demonstration.standards import make_standards
from pointsbank.commands.demonstration.starring import make_stars
from pointsbank.commands.demonstration.webhooks import make_webhooks
from pointsbank.core.actor import Actor
from pointsbank.core.db import transaction
from pointsbank.messages.models import Message
from pointsbank.messages.service import mark_read
from pointsbank.organizations.queries import organization_of
from pointsbank.tasks.claiming import claim_shift, give_up_claim
from pointsbank.tasks.drafting import Details, NewShift, draft_task
from pointsbank.tasks.models import HANDLE_BYTES
from pointsbank.tasks.publishing import APPROVAL_PLACES, call_off_task, publish_task
from pointsbank.tasks.queries import ShiftLine, task_of

PAST_TASKS = 50
# So many came to this one that somebody had to sign for the list.
CROWDED_TASK = 48
PLACES_USUAL = 24
COMING_TASKS = 16
DRAFTS = 3
HISTORY_DAYS = 92
# One in so many forgets to check out, gives the place up, or comes late.
FORGETFUL_IN = 25
GIVES_UP_IN = 15
# In each community so many come again and again, and every fourth place goes to somebody else.
REGULARS = 20
NEWCOMER_IN = 4
CALLED_OFF_SHARE = 0.05
DRAFTED_DAYS_AHEAD = 5
SIGNED_AFTER = timedelta(hours=1)
SETTLED_AFTER = timedelta(hours=2)
READ_AFTER = timedelta(days=2)
LATITUDE, LONGITUDE = 37.87, 113.56


def plan_past_tasks(agenda: Agenda, stage: Stage, district: District, tick: Tick) -> None:
    """Put down the tasks of three months: planned, attended and settled, or called off."""
    for number in range(PAST_TASKS):
        day = stage.today - timedelta(days=HISTORY_DAYS - number * HISTORY_DAYS // PAST_TASKS)
        community = district.communities[number % len(district.communities)]
        work = WORKS[number % len(WORKS)]
        if number != CROWDED_TASK:
            work = replace(work, places=min(work.places, PLACES_USUAL))
        PastTask(agenda, stage, community, work, day, tick, guest_of(district, number)).plan()


def guest_of(district: District, number: int) -> int:
    """Return who comes from the community beside to its task of this number, and so has much to
    spend; never the volunteer who is printed.
    """
    count = len(district.communities)
    return district.communities[number % (count - 1) + 1].members[0]


def make_present(stage: Stage, district: District, *, tick: Tick) -> None:
    """Let the district plan, ask, answer and be ranked as things stand now."""
    now = stage.now
    grade_last_year(stage, district)
    let_inboxes_be_read(stage)
    for number in range(COMING_TASKS):
        community = district.communities[number % len(district.communities)]
        day = stage.today + timedelta(days=1 + number)
        a_coming_task(stage, community, WORKS[number % len(WORKS)], day, now)
        tick(1)
    make_adjustments(district, zone=stage.zone, now=now)
    make_appraisals(district, zone=stage.zone, now=now)
    a_shift_under_way(stage, district.communities[0], now)
    with transaction() as session:
        for number in range(DRAFTS):
            day = stage.today + timedelta(days=30 + number)
            draft(session, stage, district.communities[number], WORKS[number + 2], day, 1, now)
    make_giving(district, zone=stage.zone, now=now)
    make_disputes(district, zone=stage.zone, now=now)
    make_stars(district, zone=stage.zone, now=now)
    make_reviews(
        district,
        desk=stage.desk(),
        handle=stage.dice.randbytes(HANDLE_BYTES),
        nonce=stage.nonce,
        now=now,
    )
    make_closing(
        district,
        desk=stage.desk(),
        handle=stage.dice.randbytes(HANDLE_BYTES),
        nonce=stage.nonce,
        now=now,
    )
    make_budgets(district, zone=stage.zone, now=now)
    make_joining(district, secret=stage.settings.secret_key, zone=stage.zone, now=now)
    make_webhooks(district, now=now)
    make_invitations(district, now=now)
    make_series(district, dice=stage.dice, zone=stage.zone, now=now)
    make_roles(district, dice=stage.dice, zone=stage.zone, now=now)
    make_notices(district, secret=stage.settings.secret_key, zone=stage.zone, now=now)
    make_homes(district, zone=stage.zone, now=now)
    close_last_quarter(stage, district)
    make_rankings(stage, district, now)
    make_standards(district, zone=stage.zone, now=now)


def let_inboxes_be_read(stage: Stage) -> None:
    """Let everybody have read what they were told more than some days ago."""
    with transaction() as session:
        rows = session.execute(
            select(Message.member_id, func.max(Message.id))
            .where(Message.told_at < stage.now - READ_AFTER)
            .group_by(Message.member_id)
        ).all()
        for member_id, last in rows:
            mark_read(session, member_id=member_id, up_to_id=last, now=stage.now - READ_AFTER)


def draft(
    session: Session,
    stage: Stage,
    community: Community,
    work: Work,
    day: date,
    days: int,
    now: datetime,
) -> int:
    """Draft a task of this kind with a shift on each of so many days."""
    shifts = []
    for offset in range(days):
        starts_at = stage.moment(day + timedelta(days=offset), work.start_hour)
        shifts.append(
            NewShift(
                starts_at=starts_at,
                ends_at=starts_at + timedelta(minutes=work.minutes),
                places=work.places,
                place_name=work.place,
                handle=stage.dice.randbytes(HANDLE_BYTES),
                latitude=LATITUDE,
                longitude=LONGITUDE,
            )
        )
    is_meeting = work.kind == "meeting"
    # A meeting is a branch's, and stands in its organization life.
    place = organization_of(session, community.branches[0]) if is_meeting else None
    return draft_task(
        session,
        title=work.title,
        kind=work.kind,
        organization_code=place.code if place else community.code,
        details=Details(meeting_kind="theme_day" if is_meeting else None),
        scoring_item=work.item,
        summary=work.summary,
        risk_note=work.risk_note,
        shifts=shifts,
        organizer_id=community.organizer_id,
        paths=(community.path,),
        zone=stage.zone,
        now=now,
    )


@dataclass(frozen=True)
class PastTask:
    """A task of the past: planned days before, then attended and settled, or called off."""

    agenda: Agenda
    stage: Stage
    community: Community
    work: Work
    day: date
    tick: Tick
    guest: int

    def plan(self) -> None:
        """Put down its beginning; the rest follows from that."""
        at = self.stage.moment(self.day - timedelta(days=DRAFTED_DAYS_AHEAD), 10)
        self.agenda.add(at, self.begin)

    def begin(self, at: datetime) -> None:
        """Draft, publish, let people claim; one in twenty is called off the evening before."""
        community, stage = self.community, self.stage
        with transaction() as session:
            task_id = draft(session, stage, community, self.work, self.day, 1, at)
            publish_task(
                session,
                task_id=task_id,
                actor_id=community.organizer_id,
                paths=(community.path,),
                now=at,
            )
            shift = task_of(session, task_id, (community.path,)).shifts[0]
            people = claims(session, self, shift.id, at)
        if stage.dice.random() < CALLED_OFF_SHARE:
            evening = stage.moment(self.day - timedelta(days=1), 18)
            self.agenda.add(evening, partial(self.call_off, task_id))
        else:
            settled_at = shift.ends_at + SETTLED_AFTER
            self.agenda.add(settled_at, partial(self.settle, shift, people))

    def call_off(self, task_id: int, at: datetime) -> None:
        """Call the task off."""
        with transaction() as session:
            call_off_task(
                session,
                task_id=task_id,
                actor_id=self.community.organizer_id,
                paths=(self.community.path,),
                reason="天气原因",
                now=at,
            )
        self.tick(1)

    def settle(self, shift: ShiftLine, people: list[int], at: datetime) -> None:
        """Let people have come and gone, somebody sign where they were many, and the lead
        settle."""
        with transaction() as session:
            attend(session, self.stage, shift, people)
            sign_for_many(session, shift.id, shift.ends_at + SIGNED_AFTER)
            settle_shift(
                session,
                shift_id=shift.id,
                actor_id=self.community.organizer_id,
                paths=(self.community.path,),
                zone=self.stage.zone,
                now=at,
            )
        self.tick(1)


def claims(session: Session, task: PastTask, shift_id: int, since: datetime) -> list[int]:
    """Let people claim, some of them only a place in the waiting line, and a few give theirs
    up.
    """
    stage, community, places = task.stage, task.community, task.work.places
    wanted = stage.dice.randint(max(2, places - 2), places + 3)
    regulars, others = community.members[:REGULARS], community.members[REGULARS:]
    newcomers = min(wanted // NEWCOMER_IN, len(others))
    people = stage.dice.sample(regulars, min(wanted - newcomers, len(regulars)))
    people += stage.dice.sample(others, newcomers)
    steady = list(dict.fromkeys((community.members[0], task.guest)))
    people = [*steady, *(each for each in people if each not in steady)][: len(people)]
    held = {}
    for number, member_id in enumerate(people):
        at = since + timedelta(minutes=7 * (number + 1))
        held[member_id] = claim_shift(session, shift_id=shift_id, member_id=member_id, now=at)
    for member_id, claim in list(held.items()):
        if stage.dice.randrange(GIVES_UP_IN) == 0 and member_id not in steady:
            give_up_claim(
                session,
                claim_id=claim.id,
                member_id=member_id,
                now=since + timedelta(days=1),
                reason="临时有事",
            )
            people.remove(member_id)
    return people[:places]


def attend(session: Session, stage: Stage, shift: ShiftLine, people: list[int]) -> None:
    """Let people scan the venue's code when they come and when they go."""
    for member_id in people:
        came_at = shift.starts_at - timedelta(minutes=stage.dice.uniform(-6, 18))
        went_at = shift.ends_at + timedelta(minutes=stage.dice.uniform(-4, 15))
        scan_venue(session, stage, member_id, shift.handle, "in", came_at)
        if stage.dice.randrange(FORGETFUL_IN):
            scan_venue(session, stage, member_id, shift.handle, "out", went_at)


def scan_venue(
    session: Session,
    stage: Stage,
    member_id: int,
    shift_handle: bytes,
    direction: str,
    at: datetime,
) -> None:
    """Scan what the venue's screen shows at that moment."""
    code = venue_text(stage.settings.secret_key, shift_handle, slot_at(at), direction)
    actor = Actor(member_id=member_id, name="", organization_id=0, session_id=0)
    scan = NewScan(nonce=stage.nonce(), code=code, direction=direction)
    record_scan(session, actor, scan, stage.desk(), now=at)


def a_coming_task(
    stage: Stage, community: Community, work: Work, day: date, now: datetime
) -> None:
    """Publish a task of the days to come, with some places claimed."""
    days = stage.dice.choice((1, 1, 2))
    # With more places somebody else would have to approve it first.
    days = days if days * work.places <= APPROVAL_PLACES else 1
    with transaction() as session:
        task_id = draft(session, stage, community, work, day, days, now)
        publish_task(
            session,
            task_id=task_id,
            actor_id=community.organizer_id,
            paths=(community.path,),
            now=now,
        )
        shift = task_of(session, task_id, (community.path,)).shifts[0]
        for member_id in stage.dice.sample(
            community.members[1:], stage.dice.randint(0, work.places)
        ):
            claim_shift(session, shift_id=shift.id, member_id=member_id, now=now)


def a_shift_under_way(stage: Stage, community: Community, now: datetime) -> None:
    """Let a shift be under way now, so that its screen, station and codes can be tried."""
    work = WORKS[0]
    started = now - timedelta(minutes=10)
    starts_at = started.replace(minute=started.minute // 10 * 10, second=0, microsecond=0)
    with transaction() as session:
        task_id = draft_task(
            session,
            title=work.title,
            kind=work.kind,
            organization_code=community.code,
            scoring_item=work.item,
            summary=work.summary,
            risk_note=work.risk_note,
            shifts=[
                NewShift(
                    starts_at=starts_at,
                    ends_at=starts_at + timedelta(minutes=work.minutes),
                    places=work.places,
                    place_name=work.place,
                    handle=stage.dice.randbytes(HANDLE_BYTES),
                )
            ],
            organizer_id=community.organizer_id,
            paths=(community.path,),
            zone=stage.zone,
            now=now - timedelta(days=2),
        )
        publish_task(
            session,
            task_id=task_id,
            actor_id=community.organizer_id,
            paths=(community.path,),
            now=now - timedelta(days=2),
        )
        shift = task_of(session, task_id, (community.path,)).shifts[0]
        people = community.members[: work.places - 2]
        for member_id in people:
            claim_shift(session, shift_id=shift.id, member_id=member_id, now=now)
        # The volunteer who is printed has claimed a place and is about to scan.
        for member_id in people[1 : work.places // 2]:
            scan_venue(session, stage, member_id, shift.handle, "in", now)
