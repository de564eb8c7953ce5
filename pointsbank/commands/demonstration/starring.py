"""Stars of the demonstration: awarded, waiting, a plan of the year, and an honour."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pointsbank.certificates.applying import apply_for_star
from pointsbank.certificates.awarding import settle_next_notice
from pointsbank.certificates.levels import set_levels
from pointsbank.certificates.noticing import draft_star_notice
from pointsbank.certificates.planning import NewItem, deliver_item, file_plan
from pointsbank.certificates.queries import minutes_of
from pointsbank.commands.demonstration.disputes import secretary_over
from pointsbank.commands.demonstration.people import District
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.calendar import local_day
from pointsbank.core.db import transaction
from pointsbank.members.honours import NewHonour, decide_honour, record_honour
from pointsbank.notices.reviewing import review_notice
from pointsbank.notices.timekeeping import keep_time

# Three months bring nobody to a hundred hours: the levels of a small community.
LEVELS = {1: 10, 2: 20, 3: 30, 4: 40, 5: 50}
LEVELS_AGO, NOTICE_AGO = timedelta(days=60), timedelta(days=14)
AWARDED, WAITING = 3, 2
CHECK = "4831"


def make_stars(district: District, *, zone: ZoneInfo, now: datetime) -> None:
    """Let the second community award stars, look at two more, and plan its year."""
    community = district.communities[1]
    keeper = Actor(district.administrator_id, "", 0, 0, (Grant("administrator", "/"),))
    with transaction() as session:
        secretary = secretary_over(session, community)
        if secretary is None:
            return
        set_levels(
            session,
            actor=keeper,
            kind="volunteer",
            levels=LEVELS,
            valid_from=local_day(now - LEVELS_AGO, zone),
            today=local_day(now - LEVELS_AGO, zone) - timedelta(days=1),
            now=now - LEVELS_AGO,
        )
        minutes = minutes_of(session, community.members)
        able = [each for each in community.members if minutes[each] >= 60 * LEVELS[1]]
        applied = [
            apply_for_star(
                session,
                member_id=each,
                stars=1,
                today=local_day(at, zone),
                now=at,
            )
            for number, each in enumerate(able[: AWARDED + WAITING])
            for at in [now - (NOTICE_AGO if number < AWARDED else timedelta(hours=3))]
        ]
        award_through_a_notice(session, applied[:AWARDED], secretary, keeper, zone, now)
        plan_the_year(session, community.members, secretary, zone, now)
        honour_the_first(session, district, secretary, keeper, now)


def award_through_a_notice(
    session: Session,
    ids: list[int],
    secretary: Actor,
    keeper: Actor,
    zone: ZoneInfo,
    now: datetime,
) -> None:
    """Show the first applications in public, and award them once the notice is over."""
    if not ids:
        return
    then = now - NOTICE_AGO
    place = int((secretary.paths("secretary")[0]).rstrip("/").rpartition("/")[2])
    notice_id = draft_star_notice(
        session,
        actor=secretary,
        organization_id=place,
        application_ids=ids,
        zone=zone,
        now=then,
    )
    review_notice(
        session, notice_id=notice_id, actor=keeper, today=local_day(then, zone), now=then
    )
    keep_time(session, today=local_day(now, zone), zone=zone, now=now)
    settle_next_notice(session, draw=lambda: CHECK, zone=zone, now=now)


def plan_the_year(
    session: Session, members: list[int], secretary: Actor, zone: ZoneInfo, now: datetime
) -> None:
    """File the community's plan: one task delivered, one overdue, one to come."""
    today = local_day(now, zone)
    place = int((secretary.paths("secretary")[0]).rstrip("/").rpartition("/")[2])
    dues = (today - timedelta(days=9), today - timedelta(days=2), date(today.year, 12, 31))
    tasks = (
        ("楼道堆物清零", "每月一次，楼长带队", 40),
        ("邻里议事会四次", "每季度一次，留会议记录", 35),
        ("结对帮扶独居老人", "十户，每周上门", 25),
    )
    items = [
        NewItem(task, how, owner, max(due, date(today.year, 1, 1)), marks)
        for (task, how, marks), owner, due in zip(tasks, members, dues, strict=False)
    ]
    plan_id = file_plan(
        session,
        actor=secretary,
        organization_id=place,
        year=today.year,
        items=items,
        today=today,
        now=now - LEVELS_AGO,
    )
    deliver_item(
        session,
        actor=secretary,
        plan_id=plan_id,
        no=1,
        evidence="清理前后照片在社区公告栏，六个单元楼长签字",
        today=dues[0],
        now=now - timedelta(days=9),
    )


def honour_the_first(
    session: Session, district: District, secretary: Actor, keeper: Actor, now: datetime
) -> None:
    """Give the volunteer who is printed an honour."""
    member_id = district.communities[0].members[0]
    recorder = secretary_over(session, district.communities[0]) or secretary
    honour = NewHonour(
        "优秀志愿者", "区文明办", now.date() - timedelta(days=40), "文明办〔2026〕3号"
    )
    honour_id = record_honour(
        session,
        actor=recorder,
        member_id=member_id,
        honour=honour,
        today=now.date(),
        now=now - timedelta(days=30),
    )
    decide_honour(
        session,
        actor=keeper,
        member_id=member_id,
        honour_id=honour_id,
        is_confirmed=True,
        reason="与证书一致",
        now=now - timedelta(days=29),
    )
