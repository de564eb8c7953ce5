"""A notice drafted from its template, replaced by a corrected version, or withdrawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

from pointsbank.core.audit import note
from pointsbank.core.text import cleaned, holds_private_number, masked_name
from pointsbank.members.consenting import who_consents
from pointsbank.members.models import Member
from pointsbank.members.queries import role_holders_over
from pointsbank.messages.service import tell_each
from pointsbank.notices.errors import (
    BadNotice,
    NoticeAlive,
    NoticeNotAlive,
    ObjectionsUndecided,
    PrivateNumber,
    ReasonMissing,
)
from pointsbank.notices.filling import (
    LINE_PLACES,
    LINES_MAX,
    NOTICE_PLACES,
    digest_of,
    judged_facts,
    judged_title,
)
from pointsbank.notices.models import NOTICE_KINDS, Notice, NoticeLine
from pointsbank.notices.policy import REVIEWERS, window_days_of
from pointsbank.notices.queries import (
    PUBLISH_NAME,
    NoticeFile,
    ShownLine,
    alive_notice,
    notice_of,
    undecided_objections,
)
from pointsbank.organizations.queries import organization_names, organization_of

REASON_LENGTH_MAX = 200

# The guards: of several who act at once on a notice one finds it as it was.
REPLACE = text(
    """
    UPDATE notice SET state = 'replaced', withdrawn_reason = :reason
    WHERE id = :id AND state IN ('draft', 'reviewed', 'open', 'contested')
    RETURNING id
    """
)
WITHDRAW = text(
    """
    UPDATE notice SET state = 'withdrawn', withdrawn_reason = :reason
    WHERE id = :id AND state IN ('draft', 'reviewed', 'open', 'contested')
    RETURNING id
    """
)


@dataclass(frozen=True)
class DraftLine:
    """One line: about a member or about an organization, with what its template has places
    for. Never a phone, never a number of a document.
    """

    member_id: int | None
    organization_id: int | None
    facts: Mapping[str, Any]


def draft_notice(
    session: Session,
    *,
    kind: str,
    subject: str,
    organization_id: int,
    title: str,
    facts: Mapping[str, Any],
    lines: Sequence[DraftLine],
    drafted_by_id: int | None,
    now: datetime,
    window_days: int | None = None,
    replaces_id: int | None = None,
) -> int:
    """Draft a notice and tell those who may review it; return its id.

    subject: what it is about for ever, such as "grades:2026:17"; a later notice about it is its
    next version. lines: in the order in which they are shown. drafted_by_id: None for a job.
    Names are masked where consent to publish them does not stand.
    Raises NoticeAlive, BadNotice, PrivateNumber, OrganizationNotFound.
    """
    if alive_notice(session, subject) is not None:
        raise NoticeAlive
    if kind not in NOTICE_KINDS or not 1 <= len(lines) <= LINES_MAX:
        raise BadNotice(what="kind" if kind not in NOTICE_KINDS else "lines")
    place = organization_of(session, organization_id)
    judged_title_, judged = judged_title(title), judged_facts(facts, NOTICE_PLACES[kind])
    shown = _shown(session, kind, lines)
    last = session.scalar(select(func.max(Notice.no)).where(Notice.subject == subject))
    no = (last or 0) + 1
    notice_id = session.execute(
        insert(Notice)
        .values(
            subject=subject,
            no=no,
            kind=kind,
            organization_id=place.id,
            title=judged_title_,
            facts=judged,
            digest=digest_of(kind=kind, no=no, title=judged_title_, facts=judged, lines=shown),
            state="draft",
            window_days=window_days or window_days_of(kind),
            drafted_by_id=drafted_by_id,
            drafted_at=now,
            replaces_id=replaces_id,
            withdrawn_reason="",
        )
        .returning(Notice.id)
    ).scalar_one()
    _keep_lines(session, notice_id, shown, lines)
    _announce(session, notice_id, judged_title_, place.path, drafted_by_id, now)
    return notice_id


def replace_notice(
    session: Session,
    *,
    notice_id: int,
    lines: Sequence[DraftLine],
    facts: Mapping[str, Any],
    title: str,
    by_id: int | None,
    reason: str,
    now: datetime,
) -> int:
    """Put a corrected version in a notice's place, and return the new one's id.

    It waits for review again; once the public has seen the old one it is shown for three
    working days, and never less than the old one would have been. Every objection to the old
    one is decided first.
    Raises NoticeNotAlive, ObjectionsUndecided, ReasonMissing, BadNotice, PrivateNumber.
    """
    old = _ended(session, REPLACE, notice_id, reason)
    note(
        session,
        at=now,
        actor_id=by_id,
        action="replace_notice",
        subject=("notice", notice_id),
    )
    was_shown = old.opened_on is not None
    return draft_notice(
        session,
        kind=old.kind,
        subject=old.subject,
        organization_id=old.organization_id,
        title=title,
        facts=facts,
        lines=lines,
        drafted_by_id=by_id,
        now=now,
        window_days=window_days_of(old.kind, is_again=True) if was_shown else old.window_days,
        replaces_id=old.id,
    )


def withdraw_notice(
    session: Session, *, notice_id: int, by_id: int | None, reason: str, now: datetime
) -> None:
    """Take a notice back for good, before or after the public has seen it.

    Raises NoticeNotAlive, ObjectionsUndecided, ReasonMissing, PrivateNumber.
    """
    _ended(session, WITHDRAW, notice_id, reason)
    note(
        session,
        at=now,
        actor_id=by_id,
        action="withdraw_notice",
        subject=("notice", notice_id),
    )


def lock_row(session: Session, notice_id: int) -> NoticeFile:
    """Return a notice as it stands once everyone else who changes it has finished.

    Raises NoticeNotFound.
    """
    session.execute(select(Notice.id).where(Notice.id == notice_id).with_for_update())
    return notice_of(session, notice_id)


def _keep_lines(
    session: Session, notice_id: int, shown: Sequence[ShownLine], lines: Sequence[DraftLine]
) -> None:
    session.execute(
        insert(NoticeLine),
        [
            {
                "notice_id": notice_id,
                "no": line.no,
                "member_id": wanted.member_id,
                "organization_id": wanted.organization_id,
                "shown_name": line.name,
                "facts": dict(line.facts),
            }
            for line, wanted in zip(shown, lines, strict=True)
        ],
    )


def _announce(
    session: Session,
    notice_id: int,
    title: str,
    path: str,
    drafted_by_id: int | None,
    now: datetime,
) -> None:
    """Note who drafted, and tell those who may review."""
    note(
        session,
        at=now,
        actor_id=drafted_by_id,
        action="draft_notice",
        subject=("notice", notice_id),
    )
    tell_each(
        session,
        key=f"notice:{notice_id}:drafted",
        member_ids=set(role_holders_over(session, path, REVIEWERS)) - {drafted_by_id},
        kind="notice_to_review",
        facts={"notice_id": notice_id, "title": title},
        now=now,
    )


def _ended(session: Session, statement: Any, notice_id: int, reason: str) -> NoticeFile:
    reason = cleaned(reason)[:REASON_LENGTH_MAX]
    if not reason:
        raise ReasonMissing
    if holds_private_number(reason):
        raise PrivateNumber
    old = lock_row(session, notice_id)
    waiting = undecided_objections(session, notice_id)
    if waiting and old.is_alive:
        raise ObjectionsUndecided(objections=waiting)
    if session.execute(statement, {"id": notice_id, "reason": reason}).first() is None:
        raise NoticeNotAlive
    return old


def _shown(session: Session, kind: str, lines: Sequence[DraftLine]) -> list[ShownLine]:
    """Return the lines with the names that may be shown.

    Raises BadNotice, PrivateNumber.
    """
    member_ids = [each.member_id for each in lines if each.member_id is not None]
    places = [each.organization_id for each in lines if each.organization_id is not None]
    rows = session.execute(select(Member.id, Member.name).where(Member.id.in_(set(member_ids))))
    people = {row.id: row.name for row in rows}
    organizations = organization_names(session, places)
    allowed = who_consents(session, PUBLISH_NAME, member_ids)
    shown: list[ShownLine] = []
    for no, line in enumerate(lines, start=1):
        if (line.member_id is None) == (line.organization_id is None):
            raise BadNotice(what="lines")
        if line.member_id is not None:
            full = people.get(line.member_id)
            name = full if line.member_id in allowed else masked_name(full or "")
            about = "member"
        else:
            full = name = organizations.get(line.organization_id or 0)
            about = "organization"
        if full is None or name is None:
            raise BadNotice(what="lines")
        shown.append(ShownLine(no, about, name, judged_facts(line.facts, LINE_PLACES[kind])))
    return shown
