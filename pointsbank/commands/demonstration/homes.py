"""Two work units, and party members of theirs who registered with the first community."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pointsbank.commands.demonstration.people import DISTRICT, District
from pointsbank.core.actor import Actor
from pointsbank.core.calendar import local_day, quarter_of
from pointsbank.core.db import transaction
from pointsbank.members.dual_registering import (
    Wanted,
    accept_registration,
    apply_at_home,
    confirm_registration,
    write_comment,
)
from pointsbank.members.models import Member
from pointsbank.organizations.service import add_organization
from pointsbank.scoring.models import ScoreEntry

UNITS = (("U-WATER", "阳泉市自来水公司"), ("U-SCHOOL", "矿区第一中学"))
PEOPLE = 9
# Of nine: two wait for the community, four of the others are confirmed by their unit as well.
WAITING, CONFIRMED = 2, 4
# Every third did not agree to be named.
UNNAMED_EACH = 3
REGISTERED_DAYS = 80
COMMENTS = ("每周都来参加文明劝导，居民很信任。", "带着同事一起清理河道。")


def make_homes(district: District, *, zone: ZoneInfo, now: datetime) -> None:
    """Let party members of two units register with the first community, in every state."""
    community = district.communities[0]
    today = local_day(now, zone)
    first_on = today - timedelta(days=REGISTERED_DAYS)
    with transaction() as session:
        for code, name in UNITS:
            add_organization(
                session, code=code, name=name, kind="work_unit", parent_code=DISTRICT, now=now
            )
        for place, member_id in enumerate(party_members(session, community.members)):
            registration_id = apply_at_home(
                session,
                actor=Actor(member_id, "", community.id, 0),
                wanted=Wanted(
                    UNITS[place % len(UNITS)][0],
                    community.code,
                    is_named=place % UNNAMED_EACH != UNNAMED_EACH - 1,
                ),
                now=now,
            )
            if place < WAITING:
                continue
            accept_registration(
                session,
                actor=district.first,
                registration_id=registration_id,
                first_on=first_on,
                today=today,
                now=now,
            )
            if place < WAITING + CONFIRMED:
                confirm_registration(
                    session, actor=district.first, registration_id=registration_id, now=now
                )
            write_comment(
                session,
                actor=district.first,
                registration_id=registration_id,
                period=quarter_of(today),
                comment=COMMENTS[place % len(COMMENTS)],
                now=now,
            )


def party_members(session: Session, member_ids: list[int]) -> list[int]:
    """Return the party members of a community who served most."""
    return list(
        session.scalars(
            select(Member.id)
            .join(ScoreEntry, ScoreEntry.member_id == Member.id)
            .where(Member.id.in_(member_ids), Member.kind == "party_member")
            .group_by(Member.id)
            .order_by(func.sum(ScoreEntry.service_minutes).desc(), Member.id)
            .limit(PEOPLE)
        )
    )
