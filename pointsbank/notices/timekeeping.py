"""What days bring by themselves: notices open, close and become final; names are masked."""

from collections import Counter
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session

from pointsbank.core.audit import note
from pointsbank.core.calendar import midnight
from pointsbank.core.text import masked_name
from pointsbank.members.consenting import who_consents
from pointsbank.members.models import Consent
from pointsbank.members.queries import role_holders_over
from pointsbank.messages.service import tell
from pointsbank.notices.drafting import lock_row
from pointsbank.notices.models import SHOWN, UNDECIDED, Notice, NoticeLine, Objection
from pointsbank.notices.objecting import forget_tries
from pointsbank.notices.policy import REVIEWERS
from pointsbank.notices.queries import PUBLISH_NAME, NoticeFile, undecided_objections
from pointsbank.notices.reviewing import last_day
from pointsbank.organizations.models import Organization


def keep_time(session: Session, *, today: date, zone: ZoneInfo, now: datetime) -> int:
    """Bring every notice to this local day and return how many changed.

    Whatever days were missed, the result is the one of a run each day: what is kept follows
    from the days of a notice and not from the moment of the run. A repeat changes nothing.
    """
    opened = session.scalars(
        update(Notice)
        .where(Notice.state == "reviewed", Notice.opened_on <= today)
        .values(state="open")
        .returning(Notice.id)
        .execution_options(synchronize_session=False)
    ).all()
    alive = session.scalars(
        select(Notice.id).where(Notice.state.in_(SHOWN)).order_by(Notice.id)
    ).all()
    changed = sum(_keep_one(session, each, today, zone, now) for each in alive)
    forget_tries(session, now)
    return len(opened) + changed + mask_withdrawn(session)


def _keep_one(
    session: Session, notice_id: int, today: date, zone: ZoneInfo, now: datetime
) -> bool:
    """Lengthen a window whose days turned out to be holidays; lock it when it is over."""
    found = lock_row(session, notice_id)
    if found.state not in SHOWN or found.opened_on is None or found.closes_on is None:
        return False
    closes_on = max(found.closes_on, last_day(session, found, found.opened_on))
    has_grown = closes_on > found.closes_on
    if has_grown:
        _change(session, found, now, "lengthen_notice", closes_on=closes_on)
    is_over = found.state == "open" and closes_on < today
    if not is_over or undecided_objections(session, notice_id):
        return has_grown
    _change(
        session,
        found,
        now,
        "lock_notice",
        state="locked",
        locked_at=_final_at(session, notice_id, closes_on, zone),
    )
    return True


def _final_at(session: Session, notice_id: int, closes_on: date, zone: ZoneInfo) -> datetime:
    """Return when a notice became final: at the end of its last day, or with the last word on
    an objection after that.
    """
    over_at = midnight(closes_on + timedelta(days=1), zone)
    answered, decided = session.execute(
        select(func.max(Objection.answered_at), func.max(Objection.decided_at)).where(
            Objection.notice_id == notice_id
        )
    ).one()
    return max(over_at, answered or over_at, decided or over_at)


def _change(
    session: Session, found: NoticeFile, now: datetime, action: str, **values: object
) -> None:
    session.execute(
        update(Notice)
        .where(Notice.id == found.id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    note(session, at=now, actor_id=None, action=action, subject=("notice", found.id))


def mask_withdrawn(session: Session) -> int:
    """Mask for good the names whose consent was taken back since they were drafted; return how
    many lines changed.
    """
    lines = session.scalars(
        select(NoticeLine)
        .where(
            exists().where(
                Consent.member_id == NoticeLine.member_id,
                Consent.purpose == PUBLISH_NAME,
                Consent.withdrawn_at.is_not(None),
            ),
            NoticeLine.shown_name.not_like("%*%"),
        )
        .order_by(NoticeLine.notice_id, NoticeLine.no)
    ).all()
    allowed = who_consents(
        session, PUBLISH_NAME, [each.member_id for each in lines if each.member_id]
    )
    masked = [each for each in lines if each.member_id not in allowed]
    for line in masked:
        line.shown_name = masked_name(line.shown_name)
    session.flush()
    return len(masked)


def tell_of_objections(session: Session, *, today: date, now: datetime) -> int:
    """Tell each who answers how many objections are due by tomorrow, and how many are overdue;
    return how many were told.

    A repeat on the same day tells nobody twice. Nobody is told of what concerns themself.
    """
    rows = session.execute(
        select(
            Organization.path,
            Objection.objector_id,
            NoticeLine.member_id,
            Objection.state,
            Objection.answer_by,
            Objection.decide_by,
        )
        .join(Notice, Notice.id == Objection.notice_id)
        .join(Organization, Organization.id == Notice.organization_id)
        .outerjoin(
            NoticeLine,
            (NoticeLine.notice_id == Objection.notice_id)
            & (NoticeLine.no == Objection.line_no),
        )
        .where(Objection.state.in_(UNDECIDED))
        .order_by(Objection.id)
    ).all()
    holders = {
        path: role_holders_over(session, path, REVIEWERS)
        for path in sorted({row.path for row in rows})
    }
    waiting: Counter[tuple[int, str]] = Counter()
    for row in rows:
        due_on = row.answer_by if row.state == "raised" else row.decide_by
        if due_on > today + timedelta(days=1):
            continue
        kind = "objections_late" if due_on < today else "objections_due"
        for holder_id in holders[row.path]:
            if holder_id not in (row.objector_id, row.member_id):
                waiting[holder_id, kind] += 1
    return sum(
        tell(
            session,
            key=f"{kind}:{today.isoformat()}:{holder_id}",
            member_id=holder_id,
            kind=kind,
            facts={"objections": count},
            now=now,
        )
        for (holder_id, kind), count in sorted(waiting.items())
    )
