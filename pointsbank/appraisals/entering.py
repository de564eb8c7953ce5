"""Papers of every kind entered by one person, for a second one to decide."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, or_, select
from sqlalchemy.orm import Session

from pointsbank.appraisals.errors import (
    ExemptionStands,
    NothingToEnter,
    NotOver70,
    PaperAboutOneself,
)
from pointsbank.appraisals.models import OVER_70_YEARS, Exemption
from pointsbank.appraisals.policy import (
    DECIDERS,
    ENTERERS,
    demand_paper_day,
    demand_party_member,
    demand_span,
    worth_of_late,
)
from pointsbank.appraisals.reading_queries import model_of
from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.members.models import Member
from pointsbank.members.policy import age_on
from pointsbank.members.queries import MemberFile, member_in_scope, role_holders_over
from pointsbank.messages.service import tell, tell_each
from pointsbank.scoring.queries import standard_on

# What the member is told at once, so that they can say their side before it is decided.
TOLD_AT_ONCE = {"deductions": "deduction_entered", "vetoes": "veto_entered"}


@dataclass(frozen=True)
class NewDeduction:
    """What is to be taken off, in hundredths, for what happened on a local day."""

    member_id: int
    hundredths: int
    occurred_on: date
    reason: str
    document_no: str = ""
    evidence: str = ""


@dataclass(frozen=True)
class NewVeto:
    """The fact for which a year is to be advised as unqualified, and the paper that says it."""

    member_id: int
    reason_code: str
    reason: str
    document_no: str
    occurred_on: date


@dataclass(frozen=True)
class NewExemption:
    """Why somebody is not to be evaluated, from a local day; until_on is exclusive."""

    member_id: int
    reason_code: str
    from_on: date
    until_on: date | None = None
    reason: str = ""


@dataclass(frozen=True)
class NewLateEntry:
    """Service that was never counted: of which item, how often or how long, on a local day."""

    member_id: int
    item_code: str
    occurred_on: date
    reason: str
    document_no: str
    times: int = 1
    service_minutes: int = 0


def enter_deduction(
    session: Session, wanted: NewDeduction, *, actor: Actor, today: date, now: datetime
) -> int:
    """Enter a deduction of a party member within the actor's scope, and return its id.

    Nothing counts yet; the member and those who may decide are told. The same one of the same
    person that still waits is answered again.
    Raises PaperAboutOneself, MemberNotFound, NotEvaluated, BadPaperDay.
    """
    member = _member(session, actor, wanted.member_id)
    demand_party_member(member.kind)
    demand_paper_day(wanted.occurred_on, today)
    return _enter(session, "deductions", vars(wanted), member, actor=actor, now=now)


def enter_veto(
    session: Session, wanted: NewVeto, *, actor: Actor, today: date, now: datetime
) -> int:
    """Enter a veto over a party member within the actor's scope, and return its id.

    Told and repeated as a deduction is.
    Raises PaperAboutOneself, MemberNotFound, NotEvaluated, BadPaperDay.
    """
    member = _member(session, actor, wanted.member_id)
    demand_party_member(member.kind)
    demand_paper_day(wanted.occurred_on, today)
    return _enter(session, "vetoes", vars(wanted), member, actor=actor, now=now)


def enter_exemption(
    session: Session, wanted: NewExemption, *, actor: Actor, today: date, now: datetime
) -> int:
    """Enter an exemption of a member within the actor's scope, and return its id.

    Raises PaperAboutOneself, MemberNotFound, NotEvaluated, BadExemptionSpan, NotOver70,
    ExemptionStands.
    """
    member = _member(session, actor, wanted.member_id)
    demand_party_member(member.kind)
    demand_span(wanted.from_on, wanted.until_on, today)
    if wanted.reason_code == "over_70":
        _demand_age(session, wanted)
    standing = _same_that_waits(session, "exemptions", vars(wanted), actor.member_id)
    if standing is None and _stands(session, wanted):
        raise ExemptionStands
    return _enter(session, "exemptions", vars(wanted), member, actor=actor, now=now)


def enter_late_entry(
    session: Session, wanted: NewLateEntry, *, actor: Actor, today: date, now: datetime
) -> int:
    """Enter service of a member within the actor's scope that was never counted; return its id.

    It is worth what the standard in force on its day says, and no points. An item by the hour
    counts its minutes in the item's steps; another counts by times.
    Raises PaperAboutOneself, MemberNotFound, BadPaperDay, NoStandard, UnknownScoringItem,
    NothingToEnter.
    """
    member = _member(session, actor, wanted.member_id)
    demand_paper_day(wanted.occurred_on, today)
    item = standard_on(session, wanted.occurred_on).task_item(wanted.item_code)
    times, minutes, hundredths = worth_of_late(item, wanted.times, wanted.service_minutes)
    if not (minutes or hundredths):
        raise NothingToEnter(unit_minutes=item.unit_minutes)
    worth = {"times": times, "service_minutes": minutes, "hundredths": hundredths}
    values = vars(wanted) | worth
    return _enter(session, "late_entries", values, member, actor=actor, now=now)


def _member(session: Session, actor: Actor, member_id: int) -> MemberFile:
    if member_id == actor.member_id:
        raise PaperAboutOneself
    member = member_in_scope(session, actor.paths(*ENTERERS), member_id)
    # Two who enter something about one member at once, or a double click, meet here.
    session.execute(
        select(Member.id).where(Member.id == member_id).with_for_update(key_share=True)
    )
    return member


def _demand_age(session: Session, wanted: NewExemption) -> None:
    born_on = session.scalar(select(Member.born_on).where(Member.id == wanted.member_id))
    if born_on is not None and age_on(born_on, wanted.from_on) < OVER_70_YEARS:
        raise NotOver70(age=age_on(born_on, wanted.from_on))


def _stands(session: Session, wanted: NewExemption) -> bool:
    ends_later = or_(Exemption.until_on.is_(None), Exemption.until_on > wanted.from_on)
    begins_before = wanted.until_on is None or Exemption.from_on < wanted.until_on
    found = select(Exemption.id).where(
        Exemption.member_id == wanted.member_id,
        Exemption.reason_code == wanted.reason_code,
        Exemption.state.in_(("pending", "confirmed")),
        ends_later,
    )
    if begins_before is not True:
        found = found.where(begins_before)
    return session.scalar(found) is not None


def _same_that_waits(
    session: Session, kind: str, values: dict[str, Any], actor_id: int
) -> int | None:
    model = model_of(kind)
    return session.scalar(
        select(model.id).where(
            model.state == "pending",
            model.entered_by_id == actor_id,
            *(
                getattr(model, name).is_not_distinct_from(value)
                for name, value in values.items()
            ),
        )
    )


def _enter(
    session: Session,
    kind: str,
    values: dict[str, Any],
    member: MemberFile,
    *,
    actor: Actor,
    now: datetime,
) -> int:
    standing = _same_that_waits(session, kind, values, actor.member_id)
    if standing is not None:
        return standing
    model = model_of(kind)
    paper_id = session.execute(
        insert(model)
        .values(
            **values,
            organization_id=member.organization_id,
            entered_by_id=actor.member_id,
            entered_at=now,
        )
        .returning(model.id)
    ).scalar_one()
    key, facts = f"paper:{kind}:{paper_id}", {"kind": kind, "paper_id": paper_id}
    deciders = set(role_holders_over(session, member.path, DECIDERS))
    tell_each(
        session,
        key=f"{key}:entered",
        member_ids=deciders - {actor.member_id, member.id},
        kind="evaluation_paper_entered",
        facts=facts,
        now=now,
    )
    if kind in TOLD_AT_ONCE:
        tell(
            session,
            key=f"{key}:member",
            member_id=member.id,
            kind=TOLD_AT_ONCE[kind],
            facts=facts,
            now=now,
        )
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action=f"enter_{model.__tablename__}",
        subject=(model.__tablename__, paper_id),
        member_id=member.id,
    )
    return paper_id
