"""What the people of the demonstration can do: skills and two trainings."""

import random
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from pointsbank.commands.demonstration.people import Community, District
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import transaction
from pointsbank.members.abilities import (
    confirm_skill,
    define_training,
    record_training,
    tell_skills,
)

SKILLS = (
    *("first_aid", "driving", "haircutting", "cooking", "tutoring", "computers"),
    *("appliances", "electrics", "mediation", "music_and_dance", "gardening", "law"),
)
TRAININGS = (("first_aid_course", "急救培训", 24), ("fire_safety_course", "消防安全培训", 12))
# Of the members of a community: this share told skills, and of those some are confirmed.
TOLD_SHARE = 0.4
CONFIRMED_SHARE = 0.6
COURSE_PEOPLE = 12
COURSE_DAYS_AGO = (40, 75)
# What the volunteer who is printed can do, so that the same shows every time.
FIRST_SKILLS = ("first_aid", "cooking")


def make_abilities(district: District, *, seed: int, today: date, now: datetime) -> None:
    """Let people tell skills, have some confirmed, and record two course days."""
    dice = random.Random(f"{seed}-abilities")  # a story, not a secret
    keeper = Actor(district.administrator_id, "", 0, 0, (Grant("administrator", "/"),))
    with transaction() as session:
        trainings = [
            define_training(
                session, actor=keeper, code=code, name=name, valid_months=months, now=now
            )
            for code, name, months in TRAININGS
        ]
    for community in district.communities:
        with transaction() as session:
            tell_and_confirm(session, community, keeper, dice, now)
            for training_id, days in zip(trainings, COURSE_DAYS_AGO, strict=True):
                record_training(
                    session,
                    actor=keeper,
                    training_id=training_id,
                    member_ids=dice.sample(
                        community.members, min(COURSE_PEOPLE, len(community.members))
                    ),
                    completed_on=today - timedelta(days=days),
                    today=today,
                    now=now,
                )
    with transaction() as session:
        introduce_the_first(session, district.communities[0].members[0], keeper, now)


def tell_and_confirm(
    session: Session, community: Community, keeper: Actor, dice: random.Random, now: datetime
) -> None:
    """Let some people of a community tell skills, and the administrator confirm some."""
    for member_id in community.members:
        if dice.random() > TOLD_SHARE:
            continue
        skills = dice.sample(SKILLS, dice.randint(1, 3))
        tell_skills(session, member_id=member_id, codes=skills, now=now)
        if dice.random() < CONFIRMED_SHARE:
            confirm_skill(
                session, actor=keeper, member_id=member_id, skill_code=skills[0], now=now
            )


def introduce_the_first(session: Session, member_id: int, keeper: Actor, now: datetime) -> None:
    """Give the volunteer who is printed a confirmed skill and one that waits."""
    tell_skills(session, member_id=member_id, codes=FIRST_SKILLS, now=now)
    confirm_skill(
        session, actor=keeper, member_id=member_id, skill_code=FIRST_SKILLS[1], now=now
    )
