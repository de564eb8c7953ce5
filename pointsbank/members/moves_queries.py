"""Reads of proposed moves, each within the branches that somebody looks after."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, Select, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from pointsbank.core.text import masked_name
from pointsbank.members.models import Member
from pointsbank.members.moves_models import MoveProposal
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import in_scope, within

FROM, TO = aliased(Organization), aliased(Organization)


@dataclass(frozen=True)
class ProposalFile:
    """One proposal as both ends see it; the name is masked."""

    id: int
    member_id: int
    name: str
    volunteer_no: str
    from_id: int
    from_name: str
    from_path: str
    to_id: int
    to_name: str
    to_code: str
    to_path: str
    side: str
    from_on: date
    reason: str
    state: str
    proposed_by_id: int
    proposed_at: datetime
    decided_by_id: int | None
    decision_reason: str

    def is_decided_from(self, paths: Sequence[str]) -> bool:
        """Tell whether these paths cover the end that did not propose it."""
        return in_scope(self.to_path if self.side == "from" else self.from_path, paths)


def proposal_of(
    session: Session, proposal_id: int, paths: Sequence[str]
) -> ProposalFile | None:
    """Return a proposal with an end under one of these paths, None for every other."""
    row = session.execute(_files(paths).where(MoveProposal.id == proposal_id)).first()
    return _file(row) if row else None


def proposals_within(
    session: Session, paths: Sequence[str], *, limit: int
) -> list[ProposalFile]:
    """Return the proposals with an end under these paths, those that wait first, then new."""
    waits = case((MoveProposal.state == "pending", 0), else_=1)
    rows = session.execute(_files(paths).order_by(waits, MoveProposal.id.desc()).limit(limit))
    return [_file(row) for row in rows]


def count_moves_to_decide(session: Session, paths: Sequence[str], member_id: int) -> int:
    """Return how many moves wait for these paths' end, but one's own and what one proposed."""
    other_end = case(
        (MoveProposal.side == "from", MoveProposal.to_id), else_=MoveProposal.from_id
    )
    return session.execute(
        select(func.count())
        .select_from(MoveProposal)
        .join(Organization, Organization.id == other_end)
        .where(
            within(Organization.path, paths),
            MoveProposal.state == "pending",
            MoveProposal.proposed_by_id != member_id,
            MoveProposal.member_id != member_id,
        )
    ).scalar_one()


def _files(paths: Sequence[str]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            MoveProposal.id,
            MoveProposal.member_id,
            Member.name,
            Member.volunteer_no,
            MoveProposal.from_id,
            FROM.name.label("from_name"),
            FROM.path.label("from_path"),
            MoveProposal.to_id,
            TO.name.label("to_name"),
            TO.code.label("to_code"),
            TO.path.label("to_path"),
            MoveProposal.side,
            MoveProposal.from_on,
            MoveProposal.reason,
            MoveProposal.state,
            MoveProposal.proposed_by_id,
            MoveProposal.proposed_at,
            MoveProposal.decided_by_id,
            MoveProposal.decision_reason,
        )
        .join(Member, Member.id == MoveProposal.member_id)
        .join(FROM, FROM.id == MoveProposal.from_id)
        .join(TO, TO.id == MoveProposal.to_id)
        .where(or_(within(FROM.path, paths), within(TO.path, paths)))
    )


def _file(row: Row[Any]) -> ProposalFile:
    return ProposalFile(**(row._asdict() | {"name": masked_name(row.name)}))
