"""Reads of notices: how one stands, what the public sees, what waits within a scope."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pointsbank.core.text import masked_name
from pointsbank.members.consenting import who_consents
from pointsbank.notices.errors import NoticeNotFound
from pointsbank.notices.models import (
    ALIVE,
    SHOWN,
    UNDECIDED,
    Notice,
    NoticeLine,
    Objection,
)
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import within
from pointsbank.organizations.workdays import working_day_after

PUBLISH_NAME = "publish_name"


@dataclass(frozen=True)
class Standing:
    """How a notice stands, for the rooms that drafted it; it ended well once it is locked."""

    state: str
    opened_on: date | None
    closes_on: date | None
    locked_at: datetime | None


@dataclass(frozen=True)
class NoticeFile:
    """One version of a notice with its organization; path is the organization's."""

    id: int
    subject: str
    no: int
    kind: str
    organization_id: int
    organization_code: str
    organization_name: str
    path: str
    title: str
    facts: Mapping[str, Any]
    digest: str
    state: str
    window_days: int
    drafted_by_id: int | None
    drafted_at: datetime
    reviewed_by_id: int | None
    also_reviewed_by_id: int | None
    reviewed_at: datetime | None
    opened_on: date | None
    closes_on: date | None
    locked_at: datetime | None
    replaces_id: int | None
    withdrawn_reason: str

    def is_shown(self, today: date) -> bool:
        """Tell whether the public sees it on this local day, and may object."""
        return (
            self.state in SHOWN
            and self.opened_on is not None
            and self.closes_on is not None
            and self.opened_on <= today <= self.closes_on
        )

    @property
    def is_alive(self) -> bool:
        """Tell whether it can still change."""
        return self.state in ALIVE


@dataclass(frozen=True)
class ShownLine:
    """A line as the public reads it. about: member or organization."""

    no: int
    about: str
    name: str
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Upheld:
    """An objection that was upheld and whose notice is not corrected yet.

    member_id: whom the line is about; None when it is about the whole notice.
    """

    objection_id: int
    notice_id: int
    subject: str
    line_no: int | None
    member_id: int | None
    decision: str
    decided_at: datetime | None


FILE = (
    Notice.id,
    Notice.subject,
    Notice.no,
    Notice.kind,
    Notice.organization_id,
    Organization.code.label("organization_code"),
    Organization.name.label("organization_name"),
    Organization.path,
    Notice.title,
    Notice.facts,
    Notice.digest,
    Notice.state,
    Notice.window_days,
    Notice.drafted_by_id,
    Notice.drafted_at,
    Notice.reviewed_by_id,
    Notice.also_reviewed_by_id,
    Notice.reviewed_at,
    Notice.opened_on,
    Notice.closes_on,
    Notice.locked_at,
    Notice.replaces_id,
    Notice.withdrawn_reason,
)


def how_it_stands(session: Session, notice_id: int) -> Standing:
    """Return how a notice stands; whoever drafted it asks, and is never called.

    Raises NoticeNotFound.
    """
    row = session.execute(
        select(Notice.state, Notice.opened_on, Notice.closes_on, Notice.locked_at).where(
            Notice.id == notice_id
        )
    ).first()
    if row is None:
        raise NoticeNotFound
    return Standing(*row)


def alive_notice(session: Session, subject: str) -> int | None:
    """Return the notice about a subject that is before the public or on its way there."""
    return session.scalar(
        select(Notice.id).where(Notice.subject == subject, Notice.state.in_(ALIVE))
    )


def upheld_without_correction(
    session: Session, *, kind: str, organization_id: int | None = None
) -> list[Upheld]:
    """Return the upheld objections to notices of a kind that were not corrected or withdrawn
    yet, the oldest decision first.
    """
    statement = (
        select(
            Objection.id,
            Objection.notice_id,
            Notice.subject,
            Objection.line_no,
            NoticeLine.member_id,
            Objection.decision,
            Objection.decided_at,
        )
        .join(Notice, Notice.id == Objection.notice_id)
        .outerjoin(
            NoticeLine,
            (NoticeLine.notice_id == Objection.notice_id)
            & (NoticeLine.no == Objection.line_no),
        )
        .where(Objection.state == "upheld", Notice.state == "contested", Notice.kind == kind)
        .order_by(Objection.decided_at, Objection.id)
    )
    if organization_id is not None:
        statement = statement.where(Notice.organization_id == organization_id)
    return [Upheld(*row) for row in session.execute(statement)]


def notice_of(session: Session, notice_id: int, paths: Sequence[str] = ("/",)) -> NoticeFile:
    """Return a notice of an organization under one of these paths.

    Raises NoticeNotFound, for a foreign one as for an unknown one.
    """
    row = session.execute(
        select(*FILE)
        .join(Organization, Organization.id == Notice.organization_id)
        .where(Notice.id == notice_id, within(Organization.path, paths))
    ).first()
    if row is None:
        raise NoticeNotFound
    return NoticeFile(*row)


def public_notice(session: Session, notice_id: int, today: date) -> NoticeFile:
    """Return a notice that is before the public on this day.

    Raises NoticeNotFound, for a draft, or after the window, as for an unknown one.
    """
    found = notice_of(session, notice_id)
    if not found.is_shown(today):
        raise NoticeNotFound
    return found


def public_notices(
    session: Session,
    today: date,
    *,
    path: str = "/",
    after_id: int = 0,
    limit: int = 50,
) -> list[NoticeFile]:
    """Return what is before the public under this path on this day, by id."""
    rows = session.execute(
        select(*FILE)
        .join(Organization, Organization.id == Notice.organization_id)
        .where(
            Notice.state.in_(SHOWN),
            Notice.opened_on <= today,
            Notice.closes_on >= today,
            within(Organization.path, (path,)),
            Notice.id > after_id,
        )
        .order_by(Notice.id)
        .limit(limit)
    )
    return [NoticeFile(*row) for row in rows]


def notices_within(
    session: Session,
    paths: Iterable[str],
    *,
    is_alive: bool = True,
    before_id: int | None = None,
    limit: int = 50,
) -> list[NoticeFile]:
    """Return the notices of organizations under these paths, the newest first.

    is_alive: those that can still change; otherwise the archive.
    """
    statement = (
        select(*FILE)
        .join(Organization, Organization.id == Notice.organization_id)
        .where(
            within(Organization.path, paths),
            Notice.state.in_(ALIVE) if is_alive else Notice.state.not_in(ALIVE),
        )
        .order_by(Notice.id.desc())
        .limit(limit)
    )
    if before_id is not None:
        statement = statement.where(Notice.id < before_id)
    return [NoticeFile(*row) for row in session.execute(statement)]


def versions_of(session: Session, subject: str) -> list[NoticeFile]:
    """Return every version about a subject, the first one first."""
    rows = session.execute(
        select(*FILE)
        .join(Organization, Organization.id == Notice.organization_id)
        .where(Notice.subject == subject)
        .order_by(Notice.no)
    )
    return [NoticeFile(*row) for row in rows]


def shown_lines(session: Session, notice_id: int) -> list[ShownLine]:
    """Return the lines as they may be read at this moment, in their order.

    A name that was shown in full is masked again once its consent does not stand.
    """
    rows = session.execute(
        select(NoticeLine).where(NoticeLine.notice_id == notice_id).order_by(NoticeLine.no)
    ).scalars()
    lines = list(rows)
    allowed = who_consents(
        session, PUBLISH_NAME, [line.member_id for line in lines if line.member_id is not None]
    )
    return [
        ShownLine(
            line.no,
            "organization" if line.member_id is None else "member",
            line.shown_name
            if line.member_id is None or line.member_id in allowed
            else masked_name(line.shown_name),
            line.facts,
        )
        for line in lines
    ]


def people_in(session: Session, notice_id: int) -> list[int | None]:
    """Return whom each line is about, in their order; None for an organization."""
    return list(
        session.scalars(
            select(NoticeLine.member_id)
            .where(NoticeLine.notice_id == notice_id)
            .order_by(NoticeLine.no)
        )
    )


def days_of_window(session: Session, notice: NoticeFile) -> list[date]:
    """Return the working days of a window, in order; the day it opens on is none of them."""
    day, days = notice.opened_on, []
    while day is not None and notice.closes_on is not None and day < notice.closes_on:
        day = working_day_after(session, day, 1)
        days.append(day)
    return days


def objection_counts(session: Session, notice_id: int) -> tuple[int, int]:
    """Return how many objections to a notice came in, and how many of them are closed."""
    states = session.scalars(
        select(Objection.state).where(Objection.notice_id == notice_id)
    ).all()
    return len(states), sum(state not in UNDECIDED for state in states)


def undecided_objections(session: Session, notice_id: int) -> int:
    """Return how many objections to a notice wait for an answer or a decision."""
    return (
        session.scalar(
            select(func.count())
            .select_from(Objection)
            .where(Objection.notice_id == notice_id, Objection.state.in_(UNDECIDED))
        )
        or 0
    )


def undecided_by_notice(session: Session, notice_ids: Iterable[int]) -> dict[int, int]:
    """Return for each of these notices how many objections wait; who has none is left out."""
    rows = session.execute(
        select(Objection.notice_id, func.count().label("waiting"))
        .where(Objection.notice_id.in_(set(notice_ids)), Objection.state.in_(UNDECIDED))
        .group_by(Objection.notice_id)
    )
    return {row.notice_id: row.waiting for row in rows}
