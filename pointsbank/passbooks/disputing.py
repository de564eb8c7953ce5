"""A member says that a line is wrong; someone else answers by a reversal or a reason."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import bindparam, func, insert, select, text, update
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.db import Moment
from pointsbank.ledger.posting import Posted
from pointsbank.ledger.service import reverse
from pointsbank.members.queries import member_of, role_holders_over
from pointsbank.messages.service import tell, tell_each
from pointsbank.organizations.workdays import working_day_after
from pointsbank.passbooks.disputes import DisputeFile, dispute_in_scope, line_of
from pointsbank.passbooks.errors import (
    AlreadyAnswered,
    AnswerReasonMissing,
    LineDisputed,
    LineNotReversible,
    OwnBook,
)
from pointsbank.passbooks.models import Dispute
from pointsbank.passbooks.reversing import LowerScore

# Rule: research/domain.md, 2.3, "Publicity & appeal": decide within five working days.
ANSWER_WORKING_DAYS = 5
# Who answers, within their scope.
ANSWERERS = ("administrator", "secretary")
STATE_OF = {"uphold": "upheld", "reject": "rejected"}

# The guard: of any number of answers at once one changes the row, the others find it answered.
ANSWER = text(
    """
    UPDATE dispute SET state = :state, answered_by_id = :actor_id, answered_at = :now,
                       answer = :answer
    WHERE id = :id AND state = 'open'
    RETURNING id
    """
).bindparams(bindparam("now", type_=Moment()))


@dataclass(frozen=True)
class Opened:
    """A dispute that stands open; answer_by is the last local day for its answer."""

    id: int
    answer_by: date
    is_replay: bool


@dataclass(frozen=True)
class Answer:
    """What is decided: "uphold" reverses the line, "reject" gives the reason why it stays.

    points: how many to reverse; all that is left of the line when not given.
    """

    decision: str
    reason: str = ""
    points: int | None = None


def open_dispute(
    session: Session, *, member_id: int, line: int, reason: str, today: date, now: datetime
) -> Opened:
    """Dispute a line of one's own book; the same reason again answers the dispute that is open.

    A line that was answered may be disputed anew. Two who do it at once: the second breaks the
    unique index and core.db.run tries again.
    Raises LineNotFound, LineDisputed when it is open for another reason.
    """
    disputed = line_of(session, member_id, line)
    standing = session.execute(
        select(Dispute.id, Dispute.answer_by, Dispute.reason).where(
            Dispute.transfer_id == disputed.transfer_id, Dispute.state == "open"
        )
    ).first()
    if standing is not None:
        if standing.reason != reason:
            raise LineDisputed(dispute_id=standing.id, answer_by=standing.answer_by.isoformat())
        return Opened(standing.id, standing.answer_by, is_replay=True)
    before = session.scalar(
        select(func.max(Dispute.number)).where(Dispute.transfer_id == disputed.transfer_id)
    )
    answer_by = working_day_after(session, today, ANSWER_WORKING_DAYS)
    opened = session.execute(
        insert(Dispute)
        .values(
            member_id=member_id,
            transfer_id=disputed.transfer_id,
            line=line,
            number=(before or 0) + 1,
            reason=reason,
            opened_at=now,
            answer_by=answer_by,
        )
        .returning(Dispute.id)
    ).scalar_one()
    note(
        session,
        at=now,
        actor_id=member_id,
        action="dispute_line",
        subject=("dispute", opened),
        transfer=disputed.transfer_id,
    )
    _tell_answerers(session, member_id, opened, answer_by, now)
    return Opened(opened, answer_by, is_replay=False)


def _tell_answerers(
    session: Session, member_id: int, dispute_id: int, answer_by: date, now: datetime
) -> None:
    """Tell the secretaries over the member; the administrators where nobody is secretary."""
    path = member_of(session, member_id).path
    others: list[int] = []
    for role in ("secretary", "administrator"):
        others = [
            each for each in role_holders_over(session, path, [role]) if each != member_id
        ]
        if others:
            break
    tell_each(
        session,
        key=f"dispute:{dispute_id}:opened",
        member_ids=others,
        kind="dispute_opened",
        facts={"dispute_id": dispute_id, "answer_on": answer_by.isoformat()},
        now=now,
    )


def answer_dispute(
    session: Session,
    *,
    dispute_id: int,
    actor: Actor,
    answer: Answer,
    lower_score: LowerScore,
    today: date,
    now: datetime,
) -> DisputeFile:
    """Answer a dispute once: reverse its line, wholly or in part, or say why it stays.

    A refused reversal refuses the answer: the dispute stays open. lower_score: as the app
    hands it to the door.
    Raises DisputeNotFound for a foreign one as for an unknown one, OwnBook,
    AnswerReasonMissing, AlreadyAnswered, LineNotReversible, and what ledger.service.reverse
    raises.
    """
    paths = actor.paths(*ANSWERERS)
    found = dispute_in_scope(session, paths, dispute_id)
    if found.member_id == actor.member_id:
        raise OwnBook
    if answer.decision == "reject" and not answer.reason:
        raise AnswerReasonMissing
    values = {
        "id": dispute_id,
        "state": STATE_OF[answer.decision],
        "actor_id": actor.member_id,
        "answer": answer.reason,
        "now": now,
    }
    if session.execute(ANSWER, values).first() is None:
        raise AlreadyAnswered(state=dispute_in_scope(session, paths, dispute_id).state)
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="answer_dispute",
        subject=("dispute", dispute_id),
        state=values["state"],
    )
    tell(
        session,
        key=f"dispute:{dispute_id}:answered",
        member_id=found.member_id,
        kind="dispute_upheld" if answer.decision == "uphold" else "dispute_rejected",
        facts={"line": found.line},
        now=now,
    )
    if answer.decision == "uphold":
        returned = _take_back(session, found, actor.member_id, answer.points, today, now)
        lower_score(session, transfer_id=found.transfer_id, reversal=returned, now=now)
    return dispute_in_scope(session, paths, dispute_id)


def _take_back(
    session: Session,
    dispute: DisputeFile,
    actor_id: int,
    points: int | None,
    today: date,
    now: datetime,
) -> Posted:
    """Reverse the disputed line under the dispute's own key; the wallet is locked last."""
    if dispute.kind == "reversal":
        raise LineNotReversible
    returned = reverse(
        session,
        transfer_id=dispute.transfer_id,
        key=f"dispute:{dispute.id}",
        reason=dispute.title,
        actor_id=actor_id,
        today=today,
        now=now,
        points=points,
    )
    session.execute(
        update(Dispute).where(Dispute.id == dispute.id).values(reversal_id=returned.id)
    )
    return returned
