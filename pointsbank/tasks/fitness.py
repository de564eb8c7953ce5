"""What is known of people when the rules of a task are judged, in a few statements for all."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Connection, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from pointsbank.members.models import Member, MemberSkill, MemberTraining, Skill, Training
from pointsbank.members.policy import age_on
from pointsbank.organizations.models import Organization
from pointsbank.scoring.models import ScoreEntry
from pointsbank.tasks.eligibility import TRUST_MAX, Person, check_tree, leaves_of
from pointsbank.tasks.errors import BadEligibility
from pointsbank.tasks.models import Claim

# Services of a year that make trust 1, 2 and 3: once a season, once a month, nearly weekly.
TRUST_SERVICES = (3, 12, 40)
TRUST_DAYS = 365
# So many places given up late, or not come to, within so many days cost one step of trust.
LET_DOWN_COUNT = 2
LET_DOWN_DAYS = 90
AWARD = "award:"
REJECT = "reject:"
# Values in one IN list: SQLite takes 32,766, PostgreSQL 65,535.
BATCH_PEOPLE = 2000


@dataclass(frozen=True)
class Names:
    """What skills (English, Chinese), trainings and organizations (by path) are called."""

    skills: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    trainings: Mapping[str, str] = field(default_factory=dict)
    organizations: Mapping[str, str] = field(default_factory=dict)


def people_of(session: Session, member_ids: Iterable[int], on: date) -> dict[int, Person]:
    """Return what rules are judged by for each of these members, as it is on a local day.

    Five statements for every 2,000 people, whoever they are. Who is not a member is left out.
    """
    found: dict[int, Person] = {}
    for batch in _batches(sorted(set(member_ids))):
        found |= _people(session, batch, on)
    return found


def trust_of(services: int, let_downs: int) -> int:
    """Return the step of trust, 0 to 3, for services of a year and recent let-downs."""
    steps = sum(services >= needed for needed in TRUST_SERVICES)
    return max(0, min(TRUST_MAX, steps) - let_downs // LET_DOWN_COUNT)


def check_eligibility(session: Session, tree: Any) -> None:
    """Accept a tree that can be judged, and whose skills, trainings and places there are.

    Raises BadEligibility.
    """
    check_tree(tree)
    leaves = leaves_of(tree)
    names = names_of(session, leaves)
    for leaf in leaves:
        if leaf["rule"] == "skill" and leaf["code"] not in names.skills:
            raise BadEligibility("There is no such skill.")
        if leaf["rule"] == "training" and leaf["code"] not in names.trainings:
            raise BadEligibility("There is no such training.")
        if leaf["rule"] == "organization" and leaf["path"] not in ("/", *names.organizations):
            raise BadEligibility("There is no such organization.")


def names_of(session: Session | Connection, leaves: Iterable[Mapping[str, Any]]) -> Names:
    """Return the names that these leaves need, in at most three statements."""
    wanted: dict[str, set[str]] = {"skill": set(), "training": set(), "organization": set()}
    for leaf in leaves:
        if leaf["rule"] in wanted:
            wanted[leaf["rule"]].add(leaf["path" if leaf["rule"] == "organization" else "code"])
    skills, trainings, organizations = (
        session.execute(select(*columns).where(columns[0].in_(wanted[rule]))).all()
        if wanted[rule]
        else []
        for rule, columns in (
            ("skill", (Skill.code, Skill.name, Skill.name_zh)),
            ("training", (Training.code, Training.name)),
            ("organization", (Organization.path, Organization.name)),
        )
    )
    return Names(
        {row[0]: (row[1], row[2]) for row in skills},
        {row[0]: row[1] for row in trainings},
        {row[0]: row[1] for row in organizations},
    )


def _people(session: Session, member_ids: Sequence[int], on: date) -> dict[int, Person]:
    rows = session.execute(
        select(Member.id, Member.born_on, Member.kind, Organization.path)
        .join(Organization, Organization.id == Member.organization_id)
        .where(Member.id.in_(member_ids))
    ).all()
    told, confirmed = _skills(session, member_ids)
    trainings = _trainings(session, member_ids, on)
    services = _services(session, member_ids, on)
    let_downs = _let_downs(session, member_ids, on)
    return {
        row.id: Person(
            member_id=row.id,
            age=None if row.born_on is None else age_on(row.born_on, on),
            kind=row.kind,
            path=row.path,
            skills=frozenset(told.get(row.id, ())),
            confirmed=frozenset(confirmed.get(row.id, ())),
            trainings=frozenset(trainings.get(row.id, ())),
            trust=trust_of(services.get(row.id, 0), let_downs.get(row.id, 0)),
        )
        for row in rows
    }


def _skills(
    session: Session, member_ids: Sequence[int]
) -> tuple[dict[int, set[str]], dict[int, set[str]]]:
    told: dict[int, set[str]] = {}
    confirmed: dict[int, set[str]] = {}
    rows = session.execute(
        select(MemberSkill.member_id, Skill.code, MemberSkill.confirmed_at)
        .join(Skill, Skill.id == MemberSkill.skill_id)
        .where(MemberSkill.member_id.in_(member_ids))
    )
    for row in rows:
        told.setdefault(row.member_id, set()).add(row.code)
        if row.confirmed_at is not None:
            confirmed.setdefault(row.member_id, set()).add(row.code)
    return told, confirmed


def _trainings(session: Session, member_ids: Sequence[int], on: date) -> dict[int, set[str]]:
    rows = session.execute(
        select(MemberTraining.member_id, Training.code)
        .join(Training, Training.id == MemberTraining.training_id)
        .where(
            MemberTraining.member_id.in_(member_ids),
            MemberTraining.withdrawn_at.is_(None),
            MemberTraining.completed_on <= on,
            or_(MemberTraining.valid_until.is_(None), MemberTraining.valid_until >= on),
        )
    )
    valid: dict[int, set[str]] = {}
    for row in rows:
        valid.setdefault(row.member_id, set()).add(row.code)
    return valid


def _services(session: Session, member_ids: Sequence[int], on: date) -> dict[int, int]:
    """Return how many services of the year before a day stand; one that was rejected does
    not."""
    rejected = aliased(ScoreEntry)
    rows = session.execute(
        select(ScoreEntry.member_id, func.count())
        .where(
            ScoreEntry.member_id.in_(member_ids),
            ScoreEntry.earned_on > on - timedelta(days=TRUST_DAYS),
            ScoreEntry.earned_on <= on,
            ScoreEntry.cause.startswith(AWARD),
            ~exists().where(
                rejected.cause == REJECT + func.substr(ScoreEntry.cause, len(AWARD) + 1)
            ),
        )
        .group_by(ScoreEntry.member_id)
    )
    return {row[0]: row[1] for row in rows}


def _let_downs(session: Session, member_ids: Sequence[int], on: date) -> dict[int, int]:
    """Return how often each gave a place up late or did not come, in the days before a day."""
    since = datetime.combine(on - timedelta(days=LET_DOWN_DAYS), time(), UTC)
    late = and_(Claim.told_in_time.is_(False), Claim.withdrawn_at >= since)
    rows = session.execute(
        select(Claim.member_id, func.count())
        .where(Claim.member_id.in_(member_ids), or_(late, Claim.missed_at >= since))
        .group_by(Claim.member_id)
    )
    return {row[0]: row[1] for row in rows}


def _batches(ids: Iterable[int]) -> Iterator[list[int]]:
    waiting = iter(ids)
    while batch := list(islice(waiting, BATCH_PEOPLE)):
        yield batch
