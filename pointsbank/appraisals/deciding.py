"""Papers confirmed or refused by a second person, contested by the member, lifted later."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, bindparam, select, text, update
from sqlalchemy.orm import Session

from pointsbank.appraisals.errors import (
    AnotherPersonNeeded,
    NothingToAnswer,
    PaperDecided,
    PaperNotInForce,
    StatementStands,
)
from pointsbank.appraisals.models import Deduction, LateEntry
from pointsbank.appraisals.policy import DECIDERS, demand_party_member
from pointsbank.appraisals.reading_queries import (
    KINDS,
    PaperFile,
    model_of,
    own_paper,
    paper_of,
)
from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.db import Moment
from pointsbank.members.belonging import note_change
from pointsbank.members.models import Member
from pointsbank.members.queries import member_of, organizations_on, role_holders_over
from pointsbank.messages.service import tell, tell_each
from pointsbank.scoring.errors import DayAlreadyFull
from pointsbank.scoring.models import Item
from pointsbank.scoring.policy import Award
from pointsbank.scoring.queries import minutes_counted_on, standard_on
from pointsbank.scoring.service import negate_entry, record_entry

DEDUCTION_ITEM = "deduction"
# Stands in the member's entries for ever, so the words stand here and in no catalog.
DEDUCTION_TITLE = "评价扣分"
LATE_TITLE = "补录服务"
SINGULAR = {
    "deductions": "deduction",
    "vetoes": "veto",
    "exemptions": "exemption",
    "late_entries": "late_entry",
}
# Kinds that count by a score entry, which is negated when they are taken back.
WITH_ENTRY = ("deductions", "late_entries")
# What a member is told when something became of a paper about them.
TOLD = {
    ("deductions", "confirmed"): "deduction_confirmed",
    ("deductions", "refused"): "deduction_refused",
    ("deductions", "lifted"): "deduction_lifted",
    ("deductions", "answered"): "statement_answered",
    ("vetoes", "confirmed"): "veto_confirmed",
    ("vetoes", "refused"): "veto_refused",
    ("vetoes", "lifted"): "veto_lifted",
    ("vetoes", "answered"): "statement_answered",
    ("exemptions", "confirmed"): "exemption_confirmed",
    ("exemptions", "refused"): "exemption_refused",
    ("exemptions", "lifted"): "exemption_ended",
    ("late_entries", "confirmed"): "late_entry_confirmed",
    ("late_entries", "refused"): "late_entry_refused",
    ("late_entries", "lifted"): "late_entry_lifted",
}


def _statements(sql: str) -> Mapping[str, Any]:
    """Return one statement a kind of paper."""
    return {
        kind: text(sql.replace("TABLE", model.__tablename__)).bindparams(
            bindparam("now", type_=Moment())
        )
        for kind, model in KINDS.items()
    }


# Of several who decide at once, whatever they decide, exactly one finds it pending.
DECIDE = _statements(
    "UPDATE TABLE SET state = :state, confirmed_by_id = :by, decided_at = :now,"
    " decision_reason = :reason WHERE id = :id AND state = 'pending' RETURNING id"
)
# Of several who lift it at once one finds it in force.
LIFT = _statements(
    "UPDATE TABLE SET state = 'lifted', lifted_by_id = :by, lifted_at = :now,"
    " lift_reason = :reason WHERE id = :id AND state = 'confirmed' AND lifted_by_id IS NULL"
    " RETURNING id"
)
END_EXEMPTION = text(
    "UPDATE exemption SET until_on = :on, lifted_by_id = :by, lifted_at = :now,"
    " lift_reason = :reason WHERE id = :id AND state = 'confirmed' AND lifted_by_id IS NULL"
    " AND from_on < :on AND (until_on IS NULL OR until_on > :on) RETURNING id"
).bindparams(bindparam("now", type_=Moment()), bindparam("on", type_=Date()))


def decide_paper(
    session: Session,
    *,
    kind: str,
    paper_id: int,
    actor: Actor,
    is_confirmed: bool,
    reason: str,
    now: datetime,
) -> str:
    """Confirm or refuse a paper as its second person, and return its state.

    A confirmed deduction or late entry becomes a score entry of the standard in force on its
    day; a veto and an exemption leave a change for the roll-up. The member and who entered it
    are told.
    Raises PaperNotFound, AnotherPersonNeeded, PaperDecided, NotEvaluated, NoStandard,
    DayAlreadyFull.
    """
    found = _judged(session, kind, paper_id, actor)
    state = "confirmed" if is_confirmed else "refused"
    values = {"by": actor.member_id, "now": now, "reason": reason}
    decided = session.execute(DECIDE[kind], {"id": paper_id, "state": state, **values})
    if decided.first() is None:
        raise PaperDecided
    if is_confirmed:
        _carry_out(session, found, now)
    _note(session, found, f"{state}_{SINGULAR[kind]}", actor, now)
    _tell_member(session, found, state, now)
    tell(
        session,
        key=f"paper:{kind}:{paper_id}:author",
        member_id=found.entered_by_id,
        kind="evaluation_paper_confirmed" if is_confirmed else "evaluation_paper_refused",
        facts={"kind": kind, "paper_id": paper_id},
        now=now,
    )
    return state


def lift_paper(
    session: Session,
    *,
    kind: str,
    paper_id: int,
    actor: Actor,
    reason: str,
    on: date,
    now: datetime,
) -> None:
    """Take back what was confirmed, with a reason; whoever entered it cannot.

    A lifted deduction or late entry is negated by an entry of its own. An exemption that held
    before this local day ends with it and stays confirmed for the days it held.
    Raises PaperNotFound, AnotherPersonNeeded, PaperNotInForce.
    """
    found = _judged(session, kind, paper_id, actor)
    values = {"id": paper_id, "by": actor.member_id, "now": now, "reason": reason}
    if kind == "exemptions" and found.occurred_on < on:
        done = session.execute(END_EXEMPTION, {**values, "on": on}).first()
    else:
        done = session.execute(LIFT[kind], values).first()
    if done is None:
        raise PaperNotInForce
    session.expire_all()
    if kind in WITH_ENTRY:
        cause = f"{SINGULAR[kind]}:{paper_id}"
        negate_entry(session, cause=f"lift:{cause}", of_cause=cause, now=now)
    else:
        _note_change(session, found, now)
    _note(session, found, f"lifted_{SINGULAR[kind]}", actor, now)
    _tell_member(session, found, "lifted", now)


def state_own_side(
    session: Session,
    *,
    kind: str,
    paper_id: int,
    actor: Actor,
    statement: str,
    now: datetime,
) -> None:
    """Keep what a member says to a deduction or veto about them; those who decide are told.

    Once, while it waits or holds. The same words again change nothing.
    Raises PaperNotFound, StatementStands, PaperNotInForce.
    """
    found = own_paper(session, kind, paper_id, actor.member_id)
    if found.statement is None or found.state not in ("pending", "confirmed"):
        raise PaperNotInForce
    if found.stated_at is not None:
        if found.statement == statement:
            return
        raise StatementStands
    model: Any = model_of(kind)
    kept = session.execute(
        update(model)
        .where(model.id == paper_id, model.stated_at.is_(None))
        .values(statement=statement, stated_at=now)
        .returning(model.id)
    ).first()
    if kept is None:
        raise StatementStands
    deciders = set(role_holders_over(session, found.home_path, DECIDERS))
    tell_each(
        session,
        key=f"paper:{kind}:{paper_id}:stated",
        member_ids=deciders - {actor.member_id},
        kind="evaluation_paper_contested",
        facts={"kind": kind, "paper_id": paper_id},
        now=now,
    )
    _note(session, found, f"contested_{SINGULAR[kind]}", actor, now)


def answer_statement(
    session: Session, *, kind: str, paper_id: int, actor: Actor, answer: str, now: datetime
) -> None:
    """Answer what a member said, as somebody who did not enter the paper; the member is told.

    Whoever finds the member right lifts or refuses the paper as well.
    Raises PaperNotFound, AnotherPersonNeeded, NothingToAnswer.
    """
    found = _judged(session, kind, paper_id, actor)
    model: Any = model_of(kind)
    if found.stated_at is None or found.answered_at is not None:
        raise NothingToAnswer
    answered = session.execute(
        update(model)
        .where(model.id == paper_id, model.answered_at.is_(None))
        .values(answer=answer, answered_by_id=actor.member_id, answered_at=now)
        .returning(model.id)
    ).first()
    if answered is None:
        raise NothingToAnswer
    _note(session, found, f"answered_{SINGULAR[kind]}", actor, now)
    _tell_member(session, found, "answered", now)


def _judged(session: Session, kind: str, paper_id: int, actor: Actor) -> PaperFile:
    """Return a paper that the actor may decide as somebody who stands outside of it.

    Raises PaperNotFound, AnotherPersonNeeded.
    """
    found = paper_of(session, kind, paper_id, actor.paths(*DECIDERS))
    if actor.member_id in (found.entered_by_id, found.member_id):
        raise AnotherPersonNeeded
    return found


def _carry_out(session: Session, found: PaperFile, now: datetime) -> None:
    if found.kind not in WITH_ENTRY:
        _note_change(session, found, now)
        return
    standard = standard_on(session, found.occurred_on)
    if found.kind == "deductions":
        demand_party_member(member_of(session, found.member_id).kind)
        item, title = standard.item(DEDUCTION_ITEM), DEDUCTION_TITLE
        award = Award(evaluation_hundredths=-(found.hundredths or 0))
    else:
        item, title = standard.task_item(found.item_code or ""), LATE_TITLE
        award = Award(found.service_minutes or 0, 0, found.hundredths or 0)
        _demand_room(session, found, item)
    home = organizations_on(session, [found.member_id], found.occurred_on)
    entry_id = record_entry(
        session,
        cause=f"{SINGULAR[found.kind]}:{found.id}",
        member_id=found.member_id,
        organization_id=home[found.member_id],
        item=item,
        award=award,
        title=title,
        earned_on=found.occurred_on,
        now=now,
    )
    model = Deduction if found.kind == "deductions" else LateEntry
    session.execute(update(model).where(model.id == found.id).values(entry_id=entry_id))


def _demand_room(session: Session, found: PaperFile, item: Item) -> None:
    """Refuse service time that does not fit into its day any more.

    The member's row is where this meets an adjustment or a settlement of that day.
    """
    if not found.service_minutes:
        return
    session.execute(
        select(Member.id).where(Member.id == found.member_id).with_for_update(key_share=True)
    )
    counted = minutes_counted_on(session, [found.member_id], found.occurred_on)
    before = counted.get(found.member_id, 0)
    if before + found.service_minutes > item.day_minutes_max:
        raise DayAlreadyFull(counted=before, most=item.day_minutes_max)


def _note_change(session: Session, found: PaperFile, now: datetime) -> None:
    note_change(
        session,
        member_ids=[found.member_id],
        cause=SINGULAR[found.kind],
        from_on=found.occurred_on,
        now=now,
    )


def _tell_member(session: Session, found: PaperFile, what: str, now: datetime) -> None:
    tell(
        session,
        key=f"paper:{found.kind}:{found.id}:{what}",
        member_id=found.member_id,
        kind=TOLD[found.kind, what],
        facts={"kind": found.kind, "paper_id": found.id},
        now=now,
    )


def _note(session: Session, found: PaperFile, action: str, actor: Actor, now: datetime) -> None:
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action=action,
        subject=(SINGULAR[found.kind], found.id),
        member_id=found.member_id,
    )
