"""Last year's grades in two branches that kept it on paper: final in one, under way in one."""

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from pointsbank.appraisals.deciding import decide_paper
from pointsbank.appraisals.entering import NewLateEntry, enter_late_entry
from pointsbank.commands.demonstration.people import (
    PHONE_FIRST,
    Crowd,
    District,
    branch_code,
    branch_name,
)
from pointsbank.commands.demonstration.stage import Stage
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.calendar import Period, local_day, quarter_of, read_period
from pointsbank.core.db import transaction
from pointsbank.members.service import grant_role
from pointsbank.notices.reviewing import review_notice
from pointsbank.notices.timekeeping import keep_time
from pointsbank.organizations.queries import organization_of
from pointsbank.organizations.service import add_organization
from pointsbank.rankings.closing import close_period, cut_at
from pointsbank.rankings.grade_notices import draft_grade_notice, finish_locked
from pointsbank.rankings.grades import CaseFile, cases_of
from pointsbank.rankings.grading import Opinion, decide_case, open_review, say_grade
from pointsbank.rankings.sources import last_day

# People of their own, whose names and phones leave the rest of the district as it is.
SEED = 20250109
PHONES_AFTER, PHONES_EACH = PHONE_FIRST + 9000, 100
COMMITTEE_SEATS = 3
DECIDED_SO_FAR = 2
# The branches came in December, with what they did on the fifteenth of each month.
FOUNDED_MONTH, WORKED_ON = 12, 15
# The first sits two days after the closing; its notice is over after some three weeks.
SITTING_AFTER = timedelta(days=2)
OVER_AFTER = timedelta(days=24)
SITTING_AGO = timedelta(days=3)


@dataclass(frozen=True)
class Work:
    """What somebody did in the year by one item: how often or how long, in which month."""

    item_code: str
    month: int
    times: int = 1
    service_minutes: int = 0


BASE = (Work("theme_day", 9, 9), Work("study_session", 6, 8), Work("community_duty", 4, 5))
# By the grade that the default standard advises: 93, 75, 60 and 26 of 100.
YEARS = {
    "excellent": (
        *BASE,
        Work("theme_day", 11),
        Work("micro_wish", 5, 9),
        Work("micro_wish", 10, 9),
        Work("volunteer_hour", 7, service_minutes=480),
        Work("post_shift", 3, service_minutes=480),
        Work("post_shift", 8, service_minutes=480),
        Work("care_visit", 2, 6),
    ),
    "qualified": (
        *BASE,
        Work("micro_wish", 5, 9),
        Work("volunteer_hour", 7, service_minutes=480),
        Work("post_shift", 8, service_minutes=480),
        Work("care_visit", 2, 2),
    ),
    "basic": (
        Work("theme_day", 9, 8),
        Work("study_session", 6, 5),
        Work("community_duty", 4, 4),
        Work("micro_wish", 5, 9),
        Work("volunteer_hour", 7, service_minutes=480),
        Work("care_visit", 2, 2),
    ),
    "unqualified": (Work("theme_day", 9, 6), Work("study_session", 6, 4)),
}


@dataclass(frozen=True)
class PaperBranch:
    """A branch that kept its year on paper: what each of its people did, by grade."""

    number: int
    name: str
    years: tuple[str, ...]


FINAL = PaperBranch(
    2,
    "退休党支部",
    ("excellent", "qualified", "qualified", "basic", "qualified", "unqualified"),
)
UNDER_WAY = PaperBranch(
    3, "商圈党支部", ("qualified", "basic", "qualified", "excellent", "qualified")
)
# One whose committee sees more in their year than the points say.
RAISED = Opinion("qualified", "全年照护两位独居老人，大多没有登记")
DOUBT = "下半年两次没有到岗"


@dataclass(frozen=True)
class Sitting:
    """A branch whose year is closed, and its committee."""

    branch_id: int
    period: Period
    committee: list[Actor]


def grade_last_year(stage: Stage, district: District) -> None:
    """Let two branches bring in their year from paper, and grade it."""
    period = year_to_grade(stage)
    first, second = (bring_in(stage, district, each, period) for each in (FINAL, UNDER_WAY))
    decide_all(stage, district, first, cut_at(period, stage.zone) + SITTING_AFTER)
    decide_some(second, stage.now - SITTING_AGO)


def year_to_grade(stage: Stage) -> Period:
    """Return the last year whose grades can be final by now."""
    period = read_period(str(stage.today.year - 1))
    if cut_at(period, stage.zone) + OVER_AFTER > stage.now:
        return read_period(str(stage.today.year - 2))
    return period


def bring_in(stage: Stage, district: District, branch: PaperBranch, period: Period) -> Sitting:
    """Found a branch in the year's last month, enter its year from paper, and close it."""
    community = district.communities[0]
    today = date(period.first_on.year, FOUNDED_MONTH, 3)
    now = stage.moment(today, 10)
    code = branch_code(community.code, branch.number)
    phones_after = PHONES_AFTER + branch.number * PHONES_EACH
    crowd = Crowd(random.Random(SEED), stage.settings, phones_after)  # a story, not a secret
    with transaction() as session:
        branch_id = add_organization(
            session,
            code=code,
            name=branch_name(organization_of(session, community.id).name, branch.name),
            kind="branch",
            parent_code=community.code,
            now=now,
        )
        phones = [crowd.welcome(code, "party_member", signs_in=True) for _ in branch.years]
        found = crowd.take_in(session, district.administrator_id, now, today)
        people = [found[phone] for phone in phones]
        committee = seat(session, district, branch_id, people[:COMMITTEE_SEATS], now)
        for member_id, grade in zip(people, branch.years, strict=True):
            # Nobody enters their own year.
            by = district.second if member_id == committee[0].member_id else committee[0]
            enter_year(session, district, by, member_id, YEARS[grade], today, now)
    for each in (quarter_of(last_day(period)), period):
        with transaction() as session:
            close_period(
                session,
                organization_id=branch_id,
                period=each,
                zone=stage.zone,
                now=cut_at(period, stage.zone),
            )
    return Sitting(branch_id, period, committee)


def seat(
    session: Session, district: District, branch_id: int, people: list[int], now: datetime
) -> list[Actor]:
    """Make the first a secretary and the others the branch's committee."""
    path = organization_of(session, branch_id).path
    actors = []
    for place, member_id in enumerate(people):
        role = "committee" if place else "secretary"
        grant_role(
            session,
            member_id=member_id,
            role=role,
            organization_id=branch_id,
            granted_by_id=district.administrator_id,
            now=now,
        )
        actors.append(Actor(member_id, "", 0, 0, (Grant(role, path),)))
    return actors


def enter_year(
    session: Session,
    district: District,
    by: Actor,
    member_id: int,
    works: tuple[Work, ...],
    today: date,
    now: datetime,
) -> None:
    """Enter one person's year from paper, each entry confirmed by an administrator."""
    for work in works:
        entered = NewLateEntry(
            member_id,
            work.item_code,
            date(today.year, work.month, WORKED_ON),
            "纸质登记册转入",
            f"平支〔{today.year}〕12号",
            work.times,
            work.service_minutes,
        )
        paper_id = enter_late_entry(session, entered, actor=by, today=today, now=now)
        decide_paper(
            session,
            kind="late_entries",
            paper_id=paper_id,
            actor=district.first,
            is_confirmed=True,
            reason="与登记册一致",
            now=now + timedelta(hours=2),
        )


def decide_all(stage: Stage, district: District, sitting: Sitting, now: datetime) -> None:
    """Let a committee agree with all advice but one, and its notice run out."""
    with transaction() as session:
        review_id = open_sitting(session, sitting, now)
        for case in cases_of(session, review_id):
            is_raised = case.advised == "basic"
            opinion = RAISED if is_raised else Opinion(case.advised, "")
            decide(session, sitting, case, opinion, now)
        notice_id = draft_grade_notice(
            session, review_id=review_id, reason="", actor=sitting.committee[0], now=now
        )
        if notice_id is None:
            return
        review_notice(
            session,
            notice_id=notice_id,
            actor=district.first,
            today=local_day(now, stage.zone),
            now=now,
        )
        over = now + OVER_AFTER - SITTING_AFTER
        keep_time(session, today=local_day(over, stage.zone), zone=stage.zone, now=over)
        finish_locked(session, now=over, limit=1)


def decide_some(sitting: Sitting, now: datetime) -> None:
    """Let a committee agree on some cases, be of two minds on the next, and go on later."""
    with transaction() as session:
        review_id = open_sitting(session, sitting, now)
        *agreed, contested = cases_of(session, review_id)[: DECIDED_SO_FAR + 1]
        for case in agreed:
            decide(session, sitting, case, Opinion(case.advised, ""), now)
        one, other = others(sitting, contested)[:2]
        say(session, contested, Opinion(contested.advised, ""), one, now)
        say(session, contested, Opinion("basic", DOUBT), other, now)


def open_sitting(session: Session, sitting: Sitting, now: datetime) -> int:
    """Begin a committee's grades and return the review's id."""
    return open_review(
        session,
        organization_id=sitting.branch_id,
        period=sitting.period.name,
        actor=sitting.committee[0],
        now=now,
    )


def others(sitting: Sitting, case: CaseFile) -> list[Actor]:
    """Return those of a committee who may speak in a case: not the one it is about."""
    return [each for each in sitting.committee if each.member_id != case.member_id]


def decide(
    session: Session, sitting: Sitting, case: CaseFile, opinion: Opinion, now: datetime
) -> None:
    """Let everyone of a committee but the person themself say the same, and decide it."""
    for actor in others(sitting, case):
        say(session, case, opinion, actor, now)
    decide_case(
        session,
        review_id=case.review_id,
        member_id=case.member_id,
        opinion=opinion,
        actor=others(sitting, case)[0],
        now=now,
    )


def say(
    session: Session, case: CaseFile, opinion: Opinion, actor: Actor, now: datetime
) -> None:
    """Let one of a committee say a grade."""
    say_grade(
        session,
        review_id=case.review_id,
        member_id=case.member_id,
        opinion=opinion,
        actor=actor,
        now=now,
    )
