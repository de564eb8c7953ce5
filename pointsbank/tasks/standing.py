"""Standing claims: a person's own wish to take part on every date of a series, carried out as
dates are made."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert, or_, select, update
from sqlalchemy.orm import Session

from pointsbank.core.audit import note
from pointsbank.core.calendar import local_day
from pointsbank.core.errors import Refusal
from pointsbank.members.models import Member
from pointsbank.messages.service import tell, tell_each
from pointsbank.tasks.claiming import claim_shift
from pointsbank.tasks.claims import overlaps_of
from pointsbank.tasks.errors import ClaimsClosed, ClaimsNotOpenYet, NotEligible, NotOpen
from pointsbank.tasks.models import Shift, ShiftRole, StandingClaim
from pointsbank.tasks.series_errors import (
    BadSpan,
    NotOfTheSeries,
    SeriesEnded,
    StandingClaimNotFound,
)
from pointsbank.tasks.series_queries import (
    SeriesLine,
    StandingLine,
    ever_claimed,
    series_of,
    standing_on,
    starts_at_on,
)

# What a standing claim is told when it could not claim, by the refusal; each has its sentence
# in messages/schemas.py.
TOLD = {
    NotEligible: "standing_not_eligible",
    ClaimsNotOpenYet: "standing_not_open",
    ClaimsClosed: "standing_closed",
}


@dataclass(frozen=True)
class StandingWish:
    """What a person wishes for: weekdays from 0 for Monday, the first and the last day.

    since: None for today; until: None for as long as it goes on. role_name: "" for any.
    """

    weekdays: frozenset[int]
    since: date | None = None
    until: date | None = None
    role_name: str = ""


@dataclass(frozen=True)
class StandingMade:
    """A standing claim as it stands, and on how many dates it claimed a place, waits in line,
    or could not claim."""

    id: int
    claimed: int = 0
    waitlisted: int = 0
    missed: int = 0


def make_standing_claim(
    session: Session,
    *,
    series_id: int,
    member_id: int,
    wish: StandingWish,
    zone: ZoneInfo,
    now: datetime,
) -> StandingMade:
    """Let a person stand in for every date of a series that fits their wish, those that exist
    at once; nobody does so for another.

    A person has one on a series: a second call changes it to this wish, and leaves dates that
    were claimed or given up as they are.
    Raises SeriesNotFound, NotOpen, SeriesEnded, NotOfTheSeries, BadSpan.
    """
    series = series_of(session, series_id)
    if series.task_state != "open":
        raise NotOpen
    if series.state != "active":
        raise SeriesEnded
    today = local_day(now, zone)
    since = max(wish.since or today, today)
    if wish.until is not None and wish.until < since:
        raise BadSpan
    _check_wish(series, wish)
    values = {
        "role_name": wish.role_name,
        "weekdays": sum(1 << day for day in wish.weekdays),
        "since": since,
        "until": wish.until,
    }
    standing_id = _kept_standing(session, series_id, member_id, values, now)
    note(
        session,
        at=now,
        actor_id=member_id,
        action="standing_claim_made",
        subject=("standing_claim", standing_id),
        series=series_id,
    )
    return claim_dates(session, series, zone=zone, now=now, only=standing_id)


def _check_wish(series: SeriesLine, wish: StandingWish) -> None:
    if not wish.weekdays or not wish.weekdays <= set(series.weekdays):
        raise NotOfTheSeries
    if wish.role_name and wish.role_name not in series.role_names:
        raise NotOfTheSeries


def _kept_standing(
    session: Session, series_id: int, member_id: int, values: dict[str, Any], now: datetime
) -> int:
    """Change the person's living standing claim on a series, or make one; return its id."""
    changed: int | None = session.scalar(
        update(StandingClaim)
        .where(
            StandingClaim.series_id == series_id,
            StandingClaim.member_id == member_id,
            StandingClaim.ended_at.is_(None),
        )
        .values(**values)
        .returning(StandingClaim.id)
    )
    if changed is not None:
        return changed
    return session.execute(
        insert(StandingClaim)
        .values(series_id=series_id, member_id=member_id, made_at=now, **values)
        .returning(StandingClaim.id)
    ).scalar_one()


def end_standing_claim(
    session: Session, *, standing_id: int, member_id: int, now: datetime
) -> None:
    """End one's own standing claim; places that it claimed stay, and are given up one by one.
    A repeat changes nothing.

    Raises StandingClaimNotFound, for another's as for an unknown one.
    """
    own = (StandingClaim.id == standing_id, StandingClaim.member_id == member_id)
    if session.scalar(select(StandingClaim.id).where(*own)) is None:
        raise StandingClaimNotFound
    ended = session.execute(
        update(StandingClaim)
        .where(*own, StandingClaim.ended_at.is_(None))
        .values(ended_at=now)
        .returning(StandingClaim.id)
    ).first()
    if ended is not None:
        note(
            session,
            at=now,
            actor_id=member_id,
            action="standing_claim_ended",
            subject=("standing_claim", standing_id),
        )


def claim_dates(
    session: Session,
    series: SeriesLine,
    *,
    zone: ZoneInfo,
    now: datetime,
    only: int | None = None,
) -> StandingMade:
    """Claim the dates to come of a series for its standing claims, in the order of the dates
    and then of the claims; who cannot be claimed for is told why, once a date.

    A date on which a person has or had a claim is passed over, so that a repeat changes nothing
    and a place that was given up stays given up. only: one standing claim alone.
    Returns the counts; its id is only's, else 0.
    """
    shifts = session.execute(
        select(Shift.id, Shift.starts_at, Shift.ends_at, Shift.occurs_on)
        .where(
            Shift.series_id == series.id, Shift.starts_at > now, Shift.called_off_at.is_(None)
        )
        .order_by(Shift.id)
    ).all()
    people = _willing(session, series.id, only)
    passed_over = ever_claimed(session, series.id)
    outcomes = [
        _claim_one(session, series, standing, shift, zone, now)
        for shift in shifts
        for standing in people
        if (shift.id, standing.member_id) not in passed_over
        and _is_meant(standing, shift.occurs_on)
    ]
    return StandingMade(
        only or 0, *(outcomes.count(each) for each in ("claimed", "waitlisted", "missed"))
    )


def _willing(session: Session, series_id: int, only: int | None) -> list[StandingLine]:
    """Return the standing claims of people whose account is not stopped."""
    found = standing_on(session, series_id)
    stopped = set(
        session.scalars(
            select(Member.id).where(
                Member.id.in_([each.member_id for each in found]), Member.state != "active"
            )
        )
    )
    return [each for each in found if each.member_id not in stopped and only in (None, each.id)]


def _is_meant(standing: StandingLine, day: date) -> bool:
    is_within = standing.since <= day and (standing.until is None or day <= standing.until)
    return is_within and day.weekday() in standing.weekdays


def _claim_one(
    session: Session,
    series: SeriesLine,
    standing: StandingLine,
    shift: Any,
    zone: ZoneInfo,
    now: datetime,
) -> str:
    """Claim one date for one standing claim; return claimed, waitlisted or missed."""
    facts = {
        "task_id": series.task_id,
        "shift": shift.id,
        "title": series.title,
        "starts_at": shift.starts_at.isoformat(),
    }

    def miss(kind: str) -> str:
        key = f"standing:{standing.id}:{shift.id}:{kind}"
        tell(session, key=key, member_id=standing.member_id, kind=kind, facts=facts, now=now)
        return "missed"

    if shift.starts_at != starts_at_on(shift.occurs_on, series.start_minute, zone):
        # It was moved: what the person wished for is another time.
        return miss("standing_moved")
    if overlaps_of(session, standing.member_id, shift.id, shift.starts_at, shift.ends_at):
        return miss("standing_overlaps")
    role_id = _role_of(session, shift.id, standing.role_name)
    if role_id is None and standing.role_name:
        return miss("standing_no_role")
    try:
        held = claim_shift(
            session,
            shift_id=shift.id,
            member_id=standing.member_id,
            now=now,
            role_id=role_id,
            source="standing",
            zone=zone,
        )
    except (NotEligible, ClaimsNotOpenYet, ClaimsClosed) as refusal:
        return miss(TOLD[type(refusal)])
    except Refusal:
        # Called off or begun since the dates were read: whoever did that tells its people.
        return "missed"
    if held.state == "waitlisted":
        facts = {**facts, "position": held.position}
        miss("standing_waitlisted")
    return held.state


def _role_of(session: Session, shift_id: int, name: str) -> int | None:
    if not name:
        return None
    return session.scalar(
        select(ShiftRole.id).where(ShiftRole.shift_id == shift_id, ShiftRole.name == name)
    )


def end_standing_on(
    session: Session,
    series: SeriesLine,
    *,
    today: date,
    now: datetime,
    but: Collection[int] = (),
) -> None:
    """End the standing claims on a series that is over, and tell their people.

    Who wished for no longer than before today knows it already. but: members whose wish is
    carried on elsewhere; they are told of that instead.
    """
    ended = session.execute(
        update(StandingClaim)
        .where(StandingClaim.series_id == series.id, StandingClaim.ended_at.is_(None))
        .values(ended_at=now)
        .returning(StandingClaim.member_id, StandingClaim.until)
    ).all()
    people = {row.member_id for row in ended if row.until is None or row.until >= today}
    tell_each(
        session,
        key=f"series:{series.id}:standing_ended",
        member_ids=people - set(but),
        kind="standing_ended",
        facts={"task_id": series.task_id, "title": series.title},
        now=now,
    )


def carry_standing_on(
    session: Session,
    old: SeriesLine,
    new: SeriesLine,
    *,
    from_on: date,
    now: datetime,
) -> list[int]:
    """Let standing claims go on in the series that carries theirs on at the same times; return
    whose.

    Their people are told. Whoever wished for a role that is gone is not carried on.
    """
    carried = [each for each in standing_on(session, old.id) if _goes_on(each, new, from_on)]
    for standing in carried:
        session.execute(
            insert(StandingClaim).values(
                series_id=new.id,
                member_id=standing.member_id,
                role_name=standing.role_name,
                weekdays=standing.weekday_bits,
                since=max(standing.since, from_on),
                until=standing.until,
                made_at=now,
            )
        )
    members = [standing.member_id for standing in carried]
    tell_each(
        session,
        key=f"series:{new.id}:standing_carried",
        member_ids=members,
        kind="standing_carried",
        facts={
            "task_id": new.task_id,
            "title": new.title,
            "changes_on": from_on.isoformat(),
        },
        now=now,
    )
    return members


def _goes_on(standing: StandingLine, new: SeriesLine, from_on: date) -> bool:
    is_known = not standing.role_name or standing.role_name in new.role_names
    return is_known and (standing.until is None or standing.until >= from_on)


def bound_standing_on(
    session: Session,
    series: SeriesLine,
    *,
    last_on: date,
    now: datetime,
    but: Collection[int] = (),
) -> None:
    """Let the standing claims on a series reach no further than its new last day, and tell
    their people, but those whose wish is carried on."""
    living = (StandingClaim.series_id == series.id, StandingClaim.ended_at.is_(None))
    ended = session.scalars(
        update(StandingClaim)
        .where(*living, StandingClaim.since > last_on)
        .values(ended_at=now)
        .returning(StandingClaim.member_id)
    ).all()
    bounded = session.scalars(
        update(StandingClaim)
        .where(*living, or_(StandingClaim.until.is_(None), StandingClaim.until > last_on))
        .values(until=last_on)
        .returning(StandingClaim.member_id)
    ).all()
    tell_each(
        session,
        key=f"series:{series.id}:standing_ends",
        member_ids={*ended, *bounded} - set(but),
        kind="standing_ends",
        facts={
            "task_id": series.task_id,
            "title": series.title,
            "last_on": last_on.isoformat(),
        },
        now=now,
    )
