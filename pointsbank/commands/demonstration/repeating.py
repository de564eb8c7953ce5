"""Work that recurs there: a patrol twice a week with people who always come, a desk on three
days of each month."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from pointsbank.commands.demonstration.content import WORKS, Work
from pointsbank.commands.demonstration.people import Community, District
from pointsbank.core.calendar import local_day, midnight
from pointsbank.core.db import transaction
from pointsbank.tasks.dates import DateChange, change_date
from pointsbank.tasks.drafting import NewShift, draft_task
from pointsbank.tasks.models import HANDLE_BYTES
from pointsbank.tasks.publishing import publish_task
from pointsbank.tasks.queries import task_of
from pointsbank.tasks.recurrence import read_rule
from pointsbank.tasks.recurring import plan_series
from pointsbank.tasks.series_queries import dates_of, series_of
from pointsbank.tasks.standing import StandingWish, make_standing_claim

PATROL = ("patrol", "FREQ=WEEKLY;BYDAY=TU,SA")
DESK = ("post", "FREQ=MONTHLY;BYMONTHDAY=4,14,24")
FIRST_IN_DAYS = 2
ALWAYS_COMING = 3


def make_series(
    district: District, *, dice: random.Random, zone: ZoneInfo, now: datetime
) -> None:
    """Let two tasks recur, three people stand in for one of them, and one date be moved."""
    community = district.communities[0]

    def draw() -> bytes:
        return dice.randbytes(HANDLE_BYTES)

    with transaction() as session:
        patrol = repeated(session, community, PATROL, draw, zone, now)
        repeated(session, community, DESK, draw, zone, now)
        series = series_of(session, patrol)
        for member_id in community.members[:ALWAYS_COMING]:
            make_standing_claim(
                session,
                series_id=patrol,
                member_id=member_id,
                wish=StandingWish(weekdays=frozenset(series.weekdays)),
                zone=zone,
                now=now,
            )
        last = dates_of(session, patrol, now=now)[-1]
        change_date(
            session,
            shift_id=last.id,
            change=DateChange(place_name="社区活动室门口"),
            actor_id=community.organizer_id,
            paths=(community.path,),
            now=now,
        )


def repeated(
    session: Session,
    community: Community,
    kind_and_rule: tuple[str, str],
    draw: Callable[[], bytes],
    zone: ZoneInfo,
    now: datetime,
) -> int:
    """Publish a task of a kind and let its shift recur; return the series."""
    kind, rule = kind_and_rule
    work: Work = next(each for each in WORKS if each.kind == kind)
    begins_on = local_day(now, zone) + timedelta(days=FIRST_IN_DAYS)
    starts_at = midnight(begins_on, zone) + timedelta(hours=work.start_hour)
    by, paths = community.organizer_id, (community.path,)
    task_id = draft_task(
        session,
        title=f"{work.title}（长期）",
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
                handle=draw(),
            )
        ],
        organizer_id=by,
        paths=paths,
        zone=zone,
        now=now,
    )
    publish_task(session, task_id=task_id, actor_id=by, paths=paths, now=now)
    return plan_series(
        session,
        shift_id=task_of(session, task_id, paths).shifts[0].id,
        recurrence=read_rule(rule),
        actor_id=by,
        paths=paths,
        zone=zone,
        draw=draw,
        now=now,
    )
