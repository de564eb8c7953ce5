"""Reads of objections: what waits within a scope, one's own, one by its receipt."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pointsbank.members.queries import display_names
from pointsbank.notices.models import UNDECIDED, Notice, NoticeLine, Objection
from pointsbank.notices.objection_errors import ObjectionNotFound
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import within


@dataclass(frozen=True)
class ObjectionFile:
    """An objection with the notice it is about; path is the notice's organization's.

    about_id: the member of the line it is about. objector_name: masked, "" without a name.
    """

    id: int
    notice_id: int
    title: str
    organization_name: str
    path: str
    line_no: int | None
    about_id: int | None
    about_name: str
    objector_id: int | None
    objector_name: str
    reason: str
    facts: str
    raised_at: datetime
    answer_by: date
    decide_by: date
    state: str
    answered_at: datetime | None
    answer: str
    decided_at: datetime | None
    decision: str

    @property
    def due_on(self) -> date | None:
        """The local day by which somebody has to act; None when all is said."""
        return {"raised": self.answer_by, "accepted": self.decide_by}.get(self.state)

    def is_late(self, today: date) -> bool:
        """Tell whether the answer or the decision is overdue."""
        return self.due_on is not None and self.due_on < today


FILE = (
    Objection.id,
    Objection.notice_id,
    Notice.title,
    Organization.name.label("organization_name"),
    Organization.path,
    Objection.line_no,
    NoticeLine.member_id.label("about_id"),
    Objection.objector_id,
    Objection.reason,
    Objection.facts,
    Objection.raised_at,
    Objection.answer_by,
    Objection.decide_by,
    Objection.state,
    Objection.answered_at,
    Objection.answer,
    Objection.decided_at,
    Objection.decision,
)


def _files() -> Any:
    return (
        select(*FILE)
        .join(Notice, Notice.id == Objection.notice_id)
        .join(Organization, Organization.id == Notice.organization_id)
        .outerjoin(
            NoticeLine,
            (NoticeLine.notice_id == Objection.notice_id)
            & (NoticeLine.no == Objection.line_no),
        )
    )


def _named(session: Session, rows: Iterable[Any]) -> list[ObjectionFile]:
    found = [row._asdict() for row in rows]
    people = display_names(
        session,
        [each[name] for each in found for name in ("about_id", "objector_id") if each[name]],
    )
    return [
        ObjectionFile(
            **each,
            about_name=people.get(each["about_id"] or 0, ""),
            objector_name=people.get(each["objector_id"] or 0, ""),
        )
        for each in found
    ]


def objection_in_scope(
    session: Session, paths: Sequence[str], objection_id: int, reader_id: int
) -> ObjectionFile:
    """Return an objection to a notice under one of these paths.

    One that is about the reader's own line looks unknown: who objects has to be safe from whom
    it concerns. Raises ObjectionNotFound.
    """
    rows = session.execute(
        _files().where(Objection.id == objection_id, within(Organization.path, paths))
    )
    for each in _named(session, rows):
        if each.about_id != reader_id:
            return each
    raise ObjectionNotFound


def objections_within(
    session: Session,
    paths: Sequence[str],
    reader_id: int,
    *,
    is_open: bool = True,
    after_id: int = 0,
    limit: int = 50,
) -> list[ObjectionFile]:
    """Return the objections to notices under these paths by id, without those about the reader.

    is_open: those that wait for an answer or a decision; otherwise the others.
    """
    is_waiting = Objection.state.in_(UNDECIDED)
    rows = session.execute(
        _files()
        .where(
            within(Organization.path, paths),
            is_waiting if is_open else ~is_waiting,
            NoticeLine.member_id.is_distinct_from(reader_id),
            Objection.id > after_id,
        )
        .order_by(Objection.id)
        .limit(limit)
    )
    return _named(session, rows)


def objections_to(session: Session, notice_id: int, reader_id: int) -> list[ObjectionFile]:
    """Return what was said against one notice, oldest first, but not against the reader."""
    rows = session.execute(
        _files()
        .where(
            Objection.notice_id == notice_id,
            NoticeLine.member_id.is_distinct_from(reader_id),
        )
        .order_by(Objection.id)
    )
    return _named(session, rows)


def objections_by(
    session: Session, objector_id: int, *, before_id: int | None = None, limit: int = 50
) -> list[ObjectionFile]:
    """Return what one member objected to under their name, newest first."""
    statement = (
        _files()
        .where(Objection.objector_id == objector_id)
        .order_by(Objection.id.desc())
        .limit(limit)
    )
    if before_id is not None:
        statement = statement.where(Objection.id < before_id)
    return _named(session, session.execute(statement))


def own_objection(session: Session, objector_id: int, objection_id: int) -> ObjectionFile:
    """Return one's own objection.

    Raises ObjectionNotFound.
    """
    rows = session.execute(
        _files().where(Objection.id == objection_id, Objection.objector_id == objector_id)
    )
    for each in _named(session, rows):
        return each
    raise ObjectionNotFound


def objection_by_receipt(session: Session, receipt_hash: bytes) -> ObjectionFile:
    """Return the objection whose receipt has this hash.

    Raises ObjectionNotFound.
    """
    rows = session.execute(_files().where(Objection.receipt_hash == receipt_hash))
    for each in _named(session, rows):
        return each
    raise ObjectionNotFound
