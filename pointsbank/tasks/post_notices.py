"""Who takes which post of a task, announced by a public notice (上岗公示)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from pointsbank.core.calendar import local_day
from pointsbank.members.queries import display_names
from pointsbank.notices.drafting import DraftLine, draft_notice, replace_notice
from pointsbank.notices.queries import NoticeFile, alive_notice, notice_of, versions_of
from pointsbank.tasks.models import Claim, Series, Shift, ShiftRole, StandingClaim
from pointsbank.tasks.post_errors import NobodyTakesIt, NotAPost
from pointsbank.tasks.queries import TaskLine, own_task

# Who drafts such a notice, within their scope; others review it.
DRAFTERS = ("organizer", "secretary")
TITLE_LENGTH_MAX = 120
POST_LENGTH_MAX = 120


@dataclass(frozen=True)
class Taker:
    """Somebody and the posts they take; name is masked."""

    member_id: int
    name: str
    post: str


def takers_of(session: Session, task: TaskLine, now: datetime, zone: ZoneInfo) -> list[Taker]:
    """Return who takes a post of this task from now on, in the order of having said so.

    Whoever stands in for its series, and whoever holds a place on one of its shifts to come.
    """
    today = local_day(now, zone)
    standing = session.execute(
        select(StandingClaim.member_id, StandingClaim.role_name, StandingClaim.made_at)
        .join(Series, Series.id == StandingClaim.series_id)
        .where(
            Series.task_id == task.id,
            Series.state == "active",
            StandingClaim.ended_at.is_(None),
            or_(StandingClaim.until.is_(None), StandingClaim.until >= today),
        )
        .order_by(StandingClaim.made_at, StandingClaim.id)
    ).all()
    placed = session.execute(
        select(Claim.member_id, ShiftRole.name.label("role_name"), Claim.claimed_at)
        .join(Shift, Shift.id == Claim.shift_id)
        .join(ShiftRole, ShiftRole.id == Claim.role_id)
        .where(
            Shift.task_id == task.id,
            Shift.ends_at > now,
            Shift.called_off_at.is_(None),
            Claim.state == "claimed",
        )
        .order_by(Claim.claimed_at, Claim.id)
    ).all()
    posts: dict[int, list[str]] = {}
    for row in (*standing, *placed):
        mine = posts.setdefault(row.member_id, [])
        if row.role_name and row.role_name not in mine:
            mine.append(row.role_name)
    names = display_names(session, posts)
    return [
        Taker(each, names[each], ("、".join(posts[each]) or task.title)[:POST_LENGTH_MAX])
        for each in posts
    ]


def notices_of_posts(session: Session, task_id: int) -> list[NoticeFile]:
    """Return every version of a task's notice of posts, the first one first."""
    return versions_of(session, subject_of(task_id))


def subject_of(task_id: int) -> str:
    """Return what a task's notice of posts is about, for ever."""
    return f"post:{task_id}"


def draft_post_notice(
    session: Session,
    *,
    task_id: int,
    paths: Sequence[str],
    actor_id: int,
    reason: str,
    zone: ZoneInfo,
    now: datetime,
) -> int:
    """Draft the notice of who takes which post of a task, and return the notice's id.

    While one is before the public or on its way there, the new one takes its place as a
    corrected version; reason: why, needed only then.
    Raises TaskNotFound, NotAPost, NobodyTakesIt, ReasonMissing, ObjectionsUndecided,
    PrivateNumber.
    """
    task = own_task(session, task_id, paths)
    if task.kind != "post" or task.state != "open":
        raise NotAPost
    takers = takers_of(session, task, now, zone)
    if not takers:
        raise NobodyTakesIt
    days = [local_day(shift.starts_at, zone) for shift in task.shifts if shift.ends_at > now]
    facts: dict[str, object] = {
        "task": task.title,
        "from_on": min(days, default=local_day(now, zone)).isoformat(),
    }
    title = f"{task.title}上岗公示"[:TITLE_LENGTH_MAX]
    lines = [DraftLine(each.member_id, None, {"post": each.post}) for each in takers]
    standing = alive_notice(session, subject_of(task_id))
    if standing is not None:
        notice_of(session, standing, paths)
        return replace_notice(
            session,
            notice_id=standing,
            lines=lines,
            facts=facts,
            title=title,
            by_id=actor_id,
            reason=reason,
            now=now,
        )
    return draft_notice(
        session,
        kind="post",
        subject=subject_of(task_id),
        organization_id=task.organization_id,
        title=title,
        facts=facts,
        lines=lines,
        drafted_by_id=actor_id,
        now=now,
    )
