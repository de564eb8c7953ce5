"""Ranking notices (支部季度积分公示表), and a closed period's way to the archive.

Rule: docs/evaluation.md, "The way of a quarter". A notice shows bands and no places; who is
below the lowest band is counted and not named.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, select, update
from sqlalchemy.orm import Session, aliased

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.calendar import Period
from pointsbank.notices.drafting import DraftLine, draft_notice, replace_notice
from pointsbank.notices.models import ALIVE, Notice
from pointsbank.notices.policy import window_days_of
from pointsbank.notices.queries import how_it_stands
from pointsbank.organizations.queries import organization_of
from pointsbank.rankings.closing import meet
from pointsbank.rankings.correcting import CORRECTING_ROLES
from pointsbank.rankings.errors import (
    CorrectionFirst,
    NobodyToShow,
    NoticeStands,
    NoticeToCome,
    PeriodArchived,
    RankingNotPublished,
)
from pointsbank.rankings.models import PeriodCourse, Snapshot, SnapshotCorrection
from pointsbank.rankings.snapshots import NamedLine, SnapshotFile, lines_of, snapshot_of
from pointsbank.rankings.sources import tables_for
from pointsbank.scoring.tables import FULL_HUNDREDTHS, GRADES_WITH_FLOORS, EvaluationTable

PUBLISHING = "published_notice"
# A notice hangs on a wall in China: its own text is Chinese whoever drafts it.
TITLE = "{place}{period}积分公示表"
QUARTERS = "一二三四"


@dataclass(frozen=True)
class Course:
    """How far a closed period is; snapshot_id is the version that is shown or archived."""

    notice_id: int | None
    snapshot_id: int | None
    archived_at: datetime | None
    archived_by_id: int | None


@dataclass(frozen=True)
class Shown:
    """What a notice says of a snapshot: its lines, and how many are not named."""

    lines: list[DraftLine]
    members: int
    unnamed: int


def course_of(session: Session, *, period: str, organization_id: int) -> Course:
    """Return how far a period of an organization is on its way."""
    row = session.execute(
        select(
            PeriodCourse.notice_id,
            PeriodCourse.snapshot_id,
            PeriodCourse.archived_at,
            PeriodCourse.archived_by_id,
        ).where(PeriodCourse.period == period, PeriodCourse.organization_id == organization_id)
    ).first()
    return Course(*row) if row else Course(None, None, None, None)


def period_in_chinese(period: Period) -> str:
    """Write 2026年第四季度, 2026年11月 or 2026年度."""
    year, _, rest = period.name.partition("-")
    if rest.startswith("Q"):
        return f"{year}年第{QUARTERS[int(rest[1]) - 1]}季度"
    return f"{year}年{int(rest)}月" if rest else f"{year}年度"


def shown_of(session: Session, snapshot: SnapshotFile) -> Shown:
    """Return the bands of a snapshot: the best first, within each in order of name."""
    tables = tables_for(session, snapshot.standard_id)
    bands: dict[int, list[tuple[str, DraftLine]]] = {}
    people = [each for each in lines_of(session, snapshot.id) if not each.line.is_exempt]
    for each in people:
        place, words = band_of(each, tables[each.line.table_name])
        if words:
            line = DraftLine(each.line.member_id, None, {"band": words})
            bands.setdefault(place, []).append((each.name, line))
    named = [
        line
        for place in sorted(bands)
        for _name, line in sorted(bands[place], key=lambda found: found[0])
    ]
    return Shown(named, len(people), len(people) - len(named))


def band_of(each: NamedLine, table: EvaluationTable) -> tuple[int, str]:
    """Return which band somebody is in, 0 for the best, and its range; "" below the lowest.

    A band holds its lower end and not its upper one, but the best holds 100.
    """
    upper = FULL_HUNDREDTHS
    for place, grade in enumerate(GRADES_WITH_FLOORS):
        lower = table.floors[grade]
        if each.line.evaluation_hundredths >= lower:
            return place, f"{_points(lower)}–{_points(upper)}"
        upper = lower
    return len(GRADES_WITH_FLOORS), ""


def _points(hundredths: int) -> str:
    whole, rest = divmod(hundredths, 100)
    return f"{whole}.{rest:02}".rstrip("0") if rest else str(whole)


def draft_ranking_notice(
    session: Session,
    *,
    organization_id: int,
    period: str,
    visibility: str,
    actor: Actor,
    now: datetime,
) -> int:
    """Draft the notice of a closed period from its newest version, and return its id.

    A notice that shows an older version is replaced, with the correction's reason. Raises
    OrganizationNotFound, SnapshotNotFound, RankingNotPublished, CorrectionFirst, NoticeStands,
    NobodyToShow, and what notices.drafting raises, such as ObjectionsUndecided.
    """
    place = organization_of(session, organization_id, actor.paths(*CORRECTING_ROLES))
    if visibility != PUBLISHING:
        raise RankingNotPublished
    meet(session, organization_id=place.id, period=period)
    snapshot = snapshot_of(session, period=period, organization_id=place.id)
    course = course_of(session, period=period, organization_id=place.id)
    state = how_it_stands(session, course.notice_id).state if course.notice_id else ""
    if course.snapshot_id == snapshot.id and (course.archived_at or state != "withdrawn"):
        if course.archived_at:
            raise PeriodArchived
        raise NoticeStands
    _no_correction_waits(session, snapshot)
    shown = shown_of(session, snapshot)
    if not shown.lines:
        raise NobodyToShow
    notice_id = _drafted(session, snapshot, shown, course, state, actor, now)
    _keep(session, snapshot, notice_id=notice_id, archived_at=None, archived_by_id=None)
    return notice_id


def _drafted(
    session: Session,
    snapshot: SnapshotFile,
    shown: Shown,
    course: Course,
    state: str,
    actor: Actor,
    now: datetime,
) -> int:
    said: dict[str, Any] = {
        "title": TITLE.format(
            place=snapshot.organization_name, period=period_in_chinese(snapshot.span)
        ),
        "facts": {
            "period": snapshot.period,
            "measure": "evaluation",
            "standard": snapshot.standard_version,
            "members": shown.members,
            "unnamed": shown.unnamed,
            "snapshot": snapshot.version,
            "snapshot_digest": snapshot.digest,
        },
        "lines": shown.lines,
        "now": now,
    }
    if course.notice_id is not None and state in ALIVE:
        return replace_notice(
            session,
            notice_id=course.notice_id,
            by_id=actor.member_id,
            reason=snapshot.reason,
            **said,
        )
    return draft_notice(
        session,
        kind="ranking",
        subject=f"ranking:{snapshot.period}:{snapshot.organization_id}",
        organization_id=snapshot.organization_id,
        drafted_by_id=actor.member_id,
        window_days=window_days_of("ranking", is_again=state == "locked"),
        replaces_id=course.notice_id,
        **said,
    )


def archive_period(
    session: Session,
    *,
    organization_id: int,
    period: str,
    visibility: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Archive a closed period that nothing is shown of.

    Where rankings are shown in public, the job archives it when its notice is locked. Raises
    OrganizationNotFound, SnapshotNotFound, CorrectionFirst, NoticeToCome, PeriodArchived.
    """
    place = organization_of(session, organization_id, actor.paths(*CORRECTING_ROLES))
    meet(session, organization_id=place.id, period=period)
    snapshot = snapshot_of(session, period=period, organization_id=place.id)
    course = course_of(session, period=period, organization_id=place.id)
    if course.archived_at is not None and course.snapshot_id == snapshot.id:
        raise PeriodArchived
    _no_correction_waits(session, snapshot)
    if visibility == PUBLISHING and shown_of(session, snapshot).lines:
        raise NoticeToCome
    if course.notice_id and how_it_stands(session, course.notice_id).state in ALIVE:
        raise NoticeToCome
    _keep(
        session,
        snapshot,
        notice_id=course.notice_id,
        archived_at=now,
        archived_by_id=actor.member_id,
    )
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="archive_period",
        subject=("snapshot", snapshot.id),
        period=period,
        organization_id=place.id,
    )


def _no_correction_waits(session: Session, snapshot: SnapshotFile) -> None:
    waiting = session.scalar(
        select(SnapshotCorrection.id).where(
            SnapshotCorrection.period == snapshot.period,
            SnapshotCorrection.organization_id == snapshot.organization_id,
            SnapshotCorrection.state == "pending",
        )
    )
    if waiting is not None:
        raise CorrectionFirst


def _keep(session: Session, snapshot: SnapshotFile, **values: Any) -> None:
    session.execute(
        update(PeriodCourse)
        .where(
            PeriodCourse.period == snapshot.period,
            PeriodCourse.organization_id == snapshot.organization_id,
        )
        .values(snapshot_id=snapshot.id, **values)
    )


def archive_locked(session: Session, *, now: datetime, limit: int) -> int:
    """Archive the periods whose notice is locked; return how many, at most so many at once.

    Not where a correction waits, or made another version than the notice shows: that one is to
    be shown first.
    """
    shows_what_stands = and_(*_shows_what_stands())
    rows: Sequence[Any] = session.execute(
        select(PeriodCourse.period, PeriodCourse.organization_id, PeriodCourse.snapshot_id)
        .join(Notice, Notice.id == PeriodCourse.notice_id)
        .where(PeriodCourse.archived_at.is_(None), Notice.state == "locked", shows_what_stands)
        .order_by(PeriodCourse.period, PeriodCourse.organization_id)
        .limit(limit)
        .with_for_update(of=PeriodCourse)
    ).all()
    archived = 0
    for row in rows:
        # Whoever corrected it before these rows could be locked is seen only now.
        done = session.execute(
            update(PeriodCourse)
            .where(
                PeriodCourse.period == row.period,
                PeriodCourse.organization_id == row.organization_id,
                shows_what_stands,
            )
            .values(archived_at=now)
            .returning(PeriodCourse.period)
            .execution_options(synchronize_session=False)
        ).first()
        if done is None:
            continue
        archived += 1
        note(
            session,
            at=now,
            actor_id=None,
            action="archive_period",
            subject=("snapshot", row.snapshot_id),
            period=row.period,
            organization_id=row.organization_id,
        )
    return archived


def _shows_what_stands() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return the conditions that a course's version is the newest and none is asked for."""
    shown, other = aliased(Snapshot), aliased(Snapshot)
    has_newer = exists().where(
        shown.id == PeriodCourse.snapshot_id,
        other.period == PeriodCourse.period,
        other.organization_id == PeriodCourse.organization_id,
        other.version > shown.version,
    )
    is_asked = exists().where(
        SnapshotCorrection.period == PeriodCourse.period,
        SnapshotCorrection.organization_id == PeriodCourse.organization_id,
        SnapshotCorrection.state == "pending",
    )
    return ~has_newer, ~is_asked
