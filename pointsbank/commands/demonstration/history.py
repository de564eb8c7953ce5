"""Three months of the district, each act by the real service at its own moment."""

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pointsbank.attendance.codes import slot_at, venue_text
from pointsbank.attendance.finding import Desk, NewScan
from pointsbank.attendance.policy import Rules
from pointsbank.attendance.recording import record_scan
from pointsbank.attendance.settling import settle_shift
from pointsbank.commands.demonstration.adjustments import make_adjustments
from pointsbank.commands.demonstration.closing import make_closing
from pointsbank.commands.demonstration.content import COMMUNITIES, WORKS, Work
from pointsbank.commands.demonstration.disputes import make_disputes
from pointsbank.commands.demonstration.giving import make_giving
from pointsbank.commands.demonstration.inviting import make_invitations
from pointsbank.commands.demonstration.joining import make_joining
from pointsbank.commands.demonstration.limits import make_budgets
from pointsbank.commands.demonstration.partners import make_partners
from pointsbank.commands.demonstration.people import Community, District, Merchant, Tick
from pointsbank.commands.demonstration.repeating import make_series
from pointsbank.commands.demonstration.reviews import make_reviews, sign_for_many
from pointsbank.commands.demonstration.roles import make_roles
from pointsbank.commands.demonstration.webhooks import make_webhooks
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.calendar import local_day, midnight, quarter_before, quarter_of
from pointsbank.core.db import transaction
from pointsbank.core.settings import Settings
from pointsbank.ledger.queries import balance_of
from pointsbank.members.codes import redemption_digits
from pointsbank.members.showing import draw_redemption_code
from pointsbank.rankings.service import roll_up
from pointsbank.rewards.redeeming import Order, redeem_reward
from pointsbank.rewards.voiding import void_redemption
from pointsbank.tasks.claiming import claim_shift, give_up_claim
from pointsbank.tasks.drafting import NewShift, draft_task
from pointsbank.tasks.models import HANDLE_BYTES
from pointsbank.tasks.publishing import APPROVAL_PLACES, call_off_task, publish_task
from pointsbank.tasks.queries import shift_of, task_of

PAST_TASKS = 56
COMING_TASKS = 16
DRAFTS = 3
HISTORY_DAYS = 92
# One in so many forgets to check out, gives the place up, or comes late.
FORGETFUL_IN = 25
GIVES_UP_IN = 15
REDEMPTIONS_A_DAY = 3
VOIDED_IN = 20
SMALL_REWARD_POINTS = 60
LATITUDE, LONGITUDE = 37.87, 113.56


@dataclass(frozen=True)
class Stage:
    """What every act needs: chance, the clock of the story, the settings."""

    dice: random.Random
    settings: Settings
    zone: ZoneInfo
    today: date

    def moment(self, day: date, hour: int, minutes: float = 0) -> datetime:
        """Return a moment on a local day."""
        return midnight(day, self.zone) + timedelta(hours=hour, minutes=minutes)

    def desk(self) -> Desk:
        """Return what scans are judged by."""
        rules = Rules(
            self.settings.check_in_opens_minutes, self.settings.check_out_stays_minutes
        )
        return Desk(self.settings.secret_key, rules, self.zone)

    def nonce(self) -> str:
        """Draw what a phone would draw for one scan."""
        return str(UUID(int=self.dice.getrandbits(128)))


def make_history(stage: Stage, district: District, *, now: datetime, tick: Tick) -> None:
    """Let the district work, redeem and be ranked for three months up to now."""
    span = timedelta(days=HISTORY_DAYS)
    for number in range(PAST_TASKS):
        day = stage.today - span + timedelta(days=number * HISTORY_DAYS // PAST_TASKS)
        community = district.communities[number % len(district.communities)]
        a_finished_task(stage, community, WORKS[number % len(WORKS)], day)
        an_evening(stage, district, number, day)
        tick(1)
    for number in range(COMING_TASKS):
        community = district.communities[number % len(district.communities)]
        day = stage.today + timedelta(days=1 + number)
        a_coming_task(stage, community, WORKS[number % len(WORKS)], day, now)
        tick(1)
    the_volunteer_redeems(stage, district)
    make_adjustments(district, zone=stage.zone, now=now)
    a_shift_under_way(stage, district.communities[0], now)
    with transaction() as session:
        for number in range(DRAFTS):
            day = stage.today + timedelta(days=30 + number)
            draft(session, stage, district.communities[number], WORKS[number + 2], day, 1, now)
    make_giving(district, zone=stage.zone, now=now)
    make_disputes(district, zone=stage.zone, now=now)
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
    make_joining(district, secret=stage.settings.secret_key, now=now)
    make_webhooks(district, now=now)
    make_invitations(district, now=now)
    make_series(district, dice=stage.dice, zone=stage.zone, now=now)
    make_roles(district, dice=stage.dice, zone=stage.zone, now=now)
    make_partners(district, today=stage.today, now=now)
    roll_the_quarters_up(stage, now)


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
    return draft_task(
        session,
        title=work.title,
        kind=work.kind,
        organization_code=community.code,
        scoring_item=work.item,
        summary=work.summary,
        risk_note=work.risk_note,
        shifts=shifts,
        organizer_id=community.organizer_id,
        paths=(community.path,),
        zone=stage.zone,
        now=now,
    )


def a_finished_task(stage: Stage, community: Community, work: Work, day: date) -> None:
    """Draft, publish, claim, come, go and settle; one in twenty is called off instead."""
    drafted_at = stage.moment(day - timedelta(days=5), 10)
    with transaction() as session:
        task_id = draft(session, stage, community, work, day, 1, drafted_at)
        publish_task(
            session,
            task_id=task_id,
            actor_id=community.organizer_id,
            paths=(community.path,),
            now=drafted_at,
        )
        shift_id = task_of(session, task_id, (community.path,)).shifts[0].id
        people = claims(session, stage, community, shift_id, work.places, drafted_at)
    if stage.dice.random() < 0.05:
        with transaction() as session:
            call_off_task(
                session,
                task_id=task_id,
                actor_id=community.organizer_id,
                paths=(community.path,),
                reason="天气原因",
                now=stage.moment(day - timedelta(days=1), 18),
            )
        return
    with transaction() as session:
        attend(session, stage, community, shift_id, people)
    with transaction() as session:
        shift, _task = shift_of(session, shift_id, (community.path,))
        sign_for_many(session, shift_id, shift.ends_at + timedelta(hours=1))
        settle_shift(
            session,
            shift_id=shift_id,
            actor_id=community.organizer_id,
            paths=(community.path,),
            zone=stage.zone,
            now=shift.ends_at + timedelta(hours=2),
        )


def claims(
    session: Session,
    stage: Stage,
    community: Community,
    shift_id: int,
    places: int,
    since: datetime,
) -> list[int]:
    """Let people claim, some of them only a place in the waiting line, and a few give theirs
    up.
    """
    wanted = stage.dice.randint(max(2, places - 2), places + 3)
    people = stage.dice.sample(community.members, min(wanted, len(community.members)))
    if 1 < places < len(community.members) and community.members[0] not in people:
        people[0] = community.members[0]
    held = {}
    for number, member_id in enumerate(people):
        at = since + timedelta(minutes=7 * (number + 1))
        held[member_id] = claim_shift(session, shift_id=shift_id, member_id=member_id, now=at)
    for member_id, claim in list(held.items()):
        if stage.dice.randrange(GIVES_UP_IN) == 0 and member_id != community.members[0]:
            give_up_claim(
                session,
                claim_id=claim.id,
                member_id=member_id,
                now=since + timedelta(days=1),
                reason="临时有事",
            )
            people.remove(member_id)
    return people[:places]


def attend(
    session: Session, stage: Stage, community: Community, shift_id: int, people: list[int]
) -> None:
    """Let people scan the venue's code when they come and when they go."""
    shift, _task = shift_of(session, shift_id, (community.path,))
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


def an_evening(stage: Stage, district: District, number: int, day: date) -> None:
    """Let the next merchants in turn be redeemed at."""
    for turn in range(number * REDEMPTIONS_A_DAY, (number + 1) * REDEMPTIONS_A_DAY):
        merchant = district.merchants[turn % len(district.merchants)]
        a_redemption(stage, district, merchant, stage.moment(day, 20, stage.dice.randrange(60)))


def a_redemption(stage: Stage, district: District, merchant: Merchant, at: datetime) -> None:
    """Let somebody who has enough redeem something; now and then it is voided the same day.

    Where nobody who is asked has enough for it, they are asked for the merchant's cheapest.
    """
    wishes = [
        stage.dice.choice(merchant.rewards),
        min(merchant.rewards, key=lambda reward: reward[1]),
    ]
    with transaction() as session:
        for reward_id, points in wishes:
            for community in stage.dice.sample(district.communities, len(COMMUNITIES)):
                buyer = somebody_with(session, stage, community, points)
                if buyer is not None:
                    is_voided = stage.dice.randrange(VOIDED_IN) == 0
                    redeem(session, stage, merchant, reward_id, buyer, at, is_voided=is_voided)
                    return


def the_volunteer_redeems(stage: Stage, district: District) -> None:
    """Give the volunteer who is printed a book with lines in, out and taken back."""
    affordable = [
        (merchant, reward_id)
        for merchant in district.merchants
        for reward_id, points in merchant.rewards
        if points <= SMALL_REWARD_POINTS
    ]
    for days_ago, is_voided in ((2, False), (1, True)):
        merchant, reward_id = stage.dice.choice(affordable)
        at = stage.moment(stage.today - timedelta(days=days_ago), 17, 40)
        buyer = district.communities[0].members[0]
        with transaction() as session:
            if balance_of(session, f"member:{buyer}").available >= SMALL_REWARD_POINTS:
                redeem(session, stage, merchant, reward_id, buyer, at, is_voided=is_voided)


def redeem(
    session: Session,
    stage: Stage,
    merchant: Merchant,
    reward_id: int,
    buyer: int,
    at: datetime,
    *,
    is_voided: bool,
) -> None:
    """Let a member show a code and the clerk take it, and perhaps take it back."""
    number = f"{stage.dice.randrange(10**15):015d}"
    secret = stage.settings.secret_key
    draw_redemption_code(session, member_id=buyer, number=number, secret=secret, now=at)
    day = local_day(at, stage.zone)
    redeemed = redeem_reward(
        session,
        Order(merchant.id, reward_id, 1, code=redemption_digits(number)),
        clerk_id=merchant.clerk_id,
        number=f"{day:%y%m%d}{stage.dice.randrange(10**8):08d}",
        secret=secret,
        today=day,
        now=at + timedelta(seconds=20),
    )
    if is_voided:
        void_redemption(
            session,
            redemption_id=redeemed.id,
            actor=clerk_of(merchant),
            reason="拿错了",
            today=day,
            now=at + timedelta(minutes=3),
        )


def somebody_with(
    session: Session, stage: Stage, community: Community, points: int
) -> int | None:
    """Find a member with enough points for this, the one who is printed left out."""
    for member_id in stage.dice.sample(community.members[1:], 12):
        if balance_of(session, f"member:{member_id}").available >= points:
            return member_id
    return None


def clerk_of(merchant: Merchant) -> Actor:
    """Return a merchant's clerk as one who acts."""
    return Actor(
        member_id=merchant.clerk_id,
        name="",
        organization_id=0,
        session_id=0,
        grants=(Grant("clerk", merchant_id=merchant.id),),
    )


def roll_the_quarters_up(stage: Stage, now: datetime) -> None:
    """Roll up this quarter and the one before."""
    current = quarter_of(stage.today)
    for period in (quarter_before(current), current):
        with transaction() as session:
            roll_up(session, period=period, zone=stage.zone, now=now)
