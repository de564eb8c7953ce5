"""Reads of disputes: those of a book's lines, and those within a person's scope."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, and_, case, or_, select
from sqlalchemy.orm import Session

from pointsbank.core.text import masked_name
from pointsbank.ledger.models import Transfer
from pointsbank.ledger.queries import Line, book_lines
from pointsbank.members.models import Member
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import within
from pointsbank.passbooks.errors import DisputeNotFound, LineNotFound
from pointsbank.passbooks.models import Dispute
from pointsbank.passbooks.queries import account_code


@dataclass(frozen=True)
class DisputeFile:
    """A dispute with whose it is, and the line as the ledger has it; points are signed.

    answer_by is the last local day for the answer.
    """

    id: int
    member_id: int
    name: str
    volunteer_no: str
    organization_name: str
    path: str
    transfer_id: int
    line: int
    number: int
    points: int
    title: str
    kind: str
    reason: str
    state: str
    opened_at: datetime
    answer_by: date
    answered_by_id: int | None
    answered_at: datetime | None
    answer: str
    reversal_id: int | None

    @property
    def display_name(self) -> str:
        """The masked name: 王*兰."""
        return masked_name(self.name)

    def is_overdue(self, today: date) -> bool:
        """Whether it is still open after the last day for its answer."""
        return self.state == "open" and self.answer_by < today


def _files() -> Select[Any]:
    """Return the statement that reads disputes, in the order of the record's fields."""
    is_in = Transfer.wallet_id == Transfer.target_id
    return (
        select(
            Dispute.id,
            Dispute.member_id,
            Member.name,
            Member.volunteer_no,
            Organization.name.label("organization_name"),
            Organization.path,
            Dispute.transfer_id,
            Dispute.line,
            Dispute.number,
            case((is_in, Transfer.points), else_=-Transfer.points).label("points"),
            Transfer.reason.label("title"),
            Transfer.kind,
            Dispute.reason,
            Dispute.state,
            Dispute.opened_at,
            Dispute.answer_by,
            Dispute.answered_by_id,
            Dispute.answered_at,
            Dispute.answer,
            Dispute.reversal_id,
        )
        .join(Transfer, Transfer.id == Dispute.transfer_id)
        .join(Member, Member.id == Dispute.member_id)
        .join(Organization, Organization.id == Member.organization_id)
    )


def _file(row: Any) -> DisputeFile:
    return DisputeFile(*row)


def dispute_in_scope(session: Session, paths: Iterable[str], dispute_id: int) -> DisputeFile:
    """Return a dispute of a member whose organization stands under one of these paths.

    Raises DisputeNotFound, for a foreign one as for an unknown one.
    """
    row = session.execute(
        _files().where(Dispute.id == dispute_id, within(Organization.path, paths))
    ).first()
    if row is None:
        raise DisputeNotFound
    return _file(row)


def disputes_within(
    session: Session,
    paths: Iterable[str],
    *,
    is_open: bool,
    after_id: int | None = None,
    limit: int = 50,
) -> list[DisputeFile]:
    """Return disputes under these paths: open ones by the day their answer is due, the earliest
    in front; answered ones the newest in front.

    after_id: the last one already seen.
    """
    statement = _files().where(within(Organization.path, paths)).limit(limit)
    if is_open:
        statement = statement.where(Dispute.state == "open")
        statement = statement.order_by(Dispute.answer_by, Dispute.id)
    else:
        statement = statement.where(Dispute.state != "open").order_by(Dispute.id.desc())
    if after_id is not None and is_open:
        due = select(Dispute.answer_by).where(Dispute.id == after_id).scalar_subquery()
        statement = statement.where(
            or_(
                Dispute.answer_by > due,
                and_(Dispute.answer_by == due, Dispute.id > after_id),
            )
        )
    elif after_id is not None:
        statement = statement.where(Dispute.id < after_id)
    return [_file(row) for row in session.execute(statement)]


def disputes_of_line(session: Session, member_id: int, line: int) -> list[DisputeFile]:
    """Return what a member said against one line of their book, the newest first."""
    statement = (
        _files()
        .where(Dispute.member_id == member_id, Dispute.line == line)
        .order_by(Dispute.number.desc())
    )
    return [_file(row) for row in session.execute(statement)]


def newest_disputes(session: Session, lines: Sequence[Line]) -> dict[int, DisputeFile]:
    """Return the newest dispute of each of these lines that has one, by transfer id."""
    statement = (
        _files()
        .where(Dispute.transfer_id.in_([line.transfer_id for line in lines]))
        .order_by(Dispute.number)
    )
    found = [_file(row) for row in session.execute(statement)]
    return {each.transfer_id: each for each in found}


def line_of(session: Session, member_id: int, line: int) -> Line:
    """Return one line of a member's book.

    Raises LineNotFound.
    """
    found = book_lines(session, account_code(member_id), before_line=line + 1, limit=1)
    if not found or found[0].line != line:
        raise LineNotFound
    return found[0]
