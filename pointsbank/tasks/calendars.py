"""A person's shifts as an iCalendar file (RFC 5545), and the secret address it is read at."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from icalendar import Calendar, Event
from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from pointsbank.core.audit import note
from pointsbank.members.models import Member
from pointsbank.tasks.models import CalendarFeed, Claim, Shift, Task

# So long a place that was given up is still sent as cancelled, for calendars that were offline.
CANCELLED_FOR = timedelta(days=30)
PAST_FOR = timedelta(days=90)
ENTRIES_MAX = 500
# A claim is made, moves up, and is given up: so many changes come before the next claim's.
STEPS_A_CLAIM = 3
# How often programs are asked to look again; most have a rhythm of their own.
REFRESH = timedelta(hours=1)
PRODUCT = "-//Pointsbank//Shifts//ZH"


@dataclass(frozen=True)
class Entry:
    """One shift in a calendar. status: CONFIRMED, TENTATIVE in the waiting line, CANCELLED.

    sequence: grows with each change of the person's claim. changed_at: when that was.
    """

    shift_id: int
    task_id: int
    title: str
    summary: str
    risk_note: str
    starts_at: datetime
    ends_at: datetime
    place_name: str
    latitude: float | None
    longitude: float | None
    status: str
    sequence: int
    changed_at: datetime


def entries_of(session: Session, member_id: int, now: datetime) -> list[Entry]:
    """Return a member's shifts of the last 90 days and to come, in the order of time.

    What was given up or called off within 30 days stands there as cancelled. One statement.
    """
    before = aliased(Claim)
    earlier = (
        select(func.count(before.id))
        .where(
            before.shift_id == Claim.shift_id,
            before.member_id == member_id,
            before.id < Claim.id,
        )
        .scalar_subquery()
    )
    columns: tuple[Any, ...] = (
        Claim.id,
        Claim.state,
        Claim.claimed_at,
        Claim.promoted_at,
        Claim.withdrawn_at,
        Shift.id.label("shift_id"),
        Shift.task_id,
        Task.title,
        Task.summary,
        Task.risk_note,
        Task.state.label("task_state"),
        Shift.starts_at,
        Shift.ends_at,
        Shift.place_name,
        Shift.latitude,
        Shift.longitude,
        Shift.called_off_at,
        earlier.label("earlier"),
    )
    rows = session.execute(
        select(*columns)
        .join(Shift, Shift.id == Claim.shift_id)
        .join(Task, Task.id == Shift.task_id)
        .where(
            Claim.member_id == member_id,
            or_(
                and_(Claim.state != "withdrawn", Shift.ends_at > now - PAST_FOR),
                Claim.withdrawn_at > now - CANCELLED_FOR,
            ),
        )
        .order_by(Shift.starts_at.desc(), Claim.id.desc())
        .limit(ENTRIES_MAX)
    ).all()
    newest = {row.shift_id: row for row in reversed(rows)}
    entries = [_entry(row) for row in newest.values()]
    return sorted(entries, key=lambda each: (each.starts_at, each.shift_id))


def _entry(newest: Any) -> Entry:
    """Return the entry of a shift from a person's newest claim on it."""
    is_off = newest.task_state == "cancelled" or newest.called_off_at is not None
    is_cancelled = is_off or newest.state == "withdrawn"
    moments = [newest.claimed_at, newest.promoted_at, newest.withdrawn_at, newest.called_off_at]
    steps = int(newest.promoted_at is not None) + int(is_cancelled)
    kept = "CONFIRMED" if newest.state == "claimed" else "TENTATIVE"
    return Entry(
        shift_id=newest.shift_id,
        task_id=newest.task_id,
        title=newest.title,
        summary=newest.summary,
        risk_note=newest.risk_note,
        starts_at=newest.starts_at,
        ends_at=newest.ends_at,
        place_name=newest.place_name,
        latitude=newest.latitude,
        longitude=newest.longitude,
        status="CANCELLED" if is_cancelled else kept,
        sequence=STEPS_A_CLAIM * newest.earlier + steps,
        changed_at=max(moment for moment in moments if moment is not None),
    )


def calendar_file(
    entries: Iterable[Entry], *, name: str, waiting: str, host: str, public_url: str
) -> bytes:
    """Return the file: UTF-8, lines of at most 75 octets that end in CRLF.

    name: of the calendar, as programs show it. waiting: the word in front of a title while its
    person is in the waiting line. host: makes the names of entries unique in the world; they
    stay the same for ever.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    for entry in entries:
        calendar.add_component(_event(entry, waiting, host, public_url))
    return bytes(calendar.to_ical())


def _event(entry: Entry, waiting: str, host: str, public_url: str) -> Event:
    event = Event()
    event.add("uid", f"shift-{entry.shift_id}@{host}")
    event.add("dtstamp", entry.changed_at.astimezone(UTC))
    event.add("last-modified", entry.changed_at.astimezone(UTC))
    event.add("sequence", entry.sequence)
    event.add("dtstart", entry.starts_at.astimezone(UTC))
    event.add("dtend", entry.ends_at.astimezone(UTC))
    is_waiting = entry.status == "TENTATIVE"
    event.add("summary", f"{waiting} {entry.title}" if is_waiting else entry.title)
    event.add("status", entry.status)
    event.add("location", entry.place_name)
    words = "\n\n".join(text for text in (entry.summary, entry.risk_note) if text)
    if words:
        event.add("description", words)
    if entry.latitude is not None and entry.longitude is not None:
        event.add("geo", (entry.latitude, entry.longitude))
    event.add("url", f"{public_url}/tasks/{entry.task_id}?shift={entry.shift_id}")
    return event


def make_feed(session: Session, *, member_id: int, token_hash: bytes, now: datetime) -> None:
    """Give a person a calendar address; the one before is dead from now on."""
    _withdraw(session, member_id, now)
    feed = CalendarFeed(member_id=member_id, token_hash=token_hash, made_at=now)
    session.add(feed)
    session.flush()
    note(
        session,
        at=now,
        actor_id=member_id,
        action="calendar_address_made",
        subject=("calendar_feed", feed.id),
    )


def withdraw_feed(session: Session, *, member_id: int, now: datetime) -> None:
    """Let a person's calendar address be dead from now on; a repeat changes nothing."""
    feed_id = _withdraw(session, member_id, now)
    if feed_id is not None:
        note(
            session,
            at=now,
            actor_id=member_id,
            action="calendar_address_withdrawn",
            subject=("calendar_feed", feed_id),
        )


def _withdraw(session: Session, member_id: int, now: datetime) -> int | None:
    return session.scalar(
        update(CalendarFeed)
        .where(CalendarFeed.member_id == member_id, CalendarFeed.withdrawn_at.is_(None))
        .values(withdrawn_at=now)
        .returning(CalendarFeed.id)
    )


def reader_of_feed(session: Session, token_hash: bytes) -> tuple[int, str | None] | None:
    """Return whose living address this is, with their language; None for every other."""
    row = session.execute(
        select(Member.id, Member.locale)
        .join(CalendarFeed, CalendarFeed.member_id == Member.id)
        .where(
            CalendarFeed.token_hash == token_hash,
            CalendarFeed.withdrawn_at.is_(None),
            Member.state == "active",
        )
    ).first()
    return None if row is None else (row.id, row.locale)


def feed_made_at(session: Session, member_id: int) -> datetime | None:
    """Return since when a person has a calendar address, None without one."""
    return session.scalar(
        select(CalendarFeed.made_at).where(
            CalendarFeed.member_id == member_id, CalendarFeed.withdrawn_at.is_(None)
        )
    )
