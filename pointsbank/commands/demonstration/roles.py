"""A task with roles and requirements, one that waits for approval, and a place to accept."""

import random
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.commands.demonstration.people import Community, District
from pointsbank.core.calendar import local_day, midnight
from pointsbank.core.db import transaction
from pointsbank.tasks.claiming import claim_shift, give_up_claim
from pointsbank.tasks.drafting import Details, NewRole, NewShift, draft_task
from pointsbank.tasks.models import HANDLE_BYTES, Shift
from pointsbank.tasks.publishing import publish_task

PLACE = "东门桥头"
# The leader is somebody of experience, the drivers can drive; everyone is grown up.
FLOOD_ROLES = (
    NewRole("领队", 1, {"rule": "trust", "min": 2}),
    NewRole("司机", 2, {"rule": "skill", "code": "driving"}),
    NewRole("装沙袋", 8),
)
FLOOD = Details(
    risk_level="high",
    insurance_ref="PICC-2026-DEMO",
    contact_name="值班室",
    contact_phone="0353-0000000",
    eligibility={"rule": "age", "min": 18},
    skills=("driving", "first_aid"),
)
VISITORS = (NewRole("引导", 12), NewRole("观众秩序", 48))


def make_roles(
    district: District, *, dice: random.Random, zone: ZoneInfo, now: datetime
) -> None:
    """Publish a drill with roles, submit an evening for many, and let the volunteer who is
    printed move up to a place that waits for their answer."""
    community = district.communities[0]
    today = local_day(now, zone)

    def shift(days: int, hour: int, *roles: NewRole) -> NewShift:
        starts_at = midnight(today + timedelta(days=days), zone) + timedelta(hours=hour)
        return NewShift(
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=3),
            places=sum(role.places for role in roles),
            place_name=PLACE,
            handle=dice.randbytes(HANDLE_BYTES),
            break_minutes=15,
            roles=roles,
        )

    with transaction() as session:
        plan(
            session,
            community,
            "防汛演练",
            "河堤湿滑，必须穿救生衣，听从领队指挥",
            shift(6, 9, *FLOOD_ROLES),
            FLOOD,
            zone,
            now,
        )
        plan(
            session,
            community,
            "元宵灯会",
            "人多拥挤，照看好老人和孩子",
            shift(20, 18, *VISITORS),
            Details(risk_level="medium"),
            zone,
            now,
        )
        task_id = plan(
            session,
            community,
            "清扫楼道",
            "注意脚下",
            shift(4, 8, NewRole("", 1)),
            Details(contact_name="值班室"),
            zone,
            now,
        )
        let_one_move_up(session, community, task_id, now)


def plan(
    session: Session,
    community: Community,
    title: str,
    risk_note: str,
    shift: NewShift,
    details: Details,
    zone: ZoneInfo,
    now: datetime,
) -> int:
    """Draft and publish a task of a community, and return its id."""
    task_id = draft_task(
        session,
        title=title,
        kind="activity",
        organization_code=community.code,
        scoring_item="volunteer_hour",
        summary="请提前十分钟到场集合。",
        risk_note=risk_note,
        shifts=[shift],
        organizer_id=community.organizer_id,
        paths=(community.path,),
        zone=zone,
        now=now,
        details=details,
    )
    publish_task(
        session,
        task_id=task_id,
        actor_id=community.organizer_id,
        paths=(community.path,),
        now=now,
    )
    return task_id


def let_one_move_up(
    session: Session, community: Community, task_id: int, now: datetime
) -> None:
    """Give the one place to somebody who gives it up again; the printed volunteer moves up."""
    shift_id = session.scalars(select(Shift.id).where(Shift.task_id == task_id)).one()
    printed, leaving, waiting = community.members[:3]
    claims = {
        member_id: claim_shift(session, shift_id=shift_id, member_id=member_id, now=now).id
        for member_id in (leaving, printed, waiting)
    }
    give_up_claim(
        session, claim_id=claims[leaving], member_id=leaving, now=now, reason="家里有事"
    )
