"""Tables of tasks, shifts and claims."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from pointsbank.core.db import BigId, Model, one_of
from pointsbank.scoring.models import COEFFICIENT_PERCENT_MAX

TASK_KINDS = ("activity", "post", "patrol", "visit", "wish", "need", "mobilization", "meeting")
# What the three meetings and one lecture (三会一课) are, and the theme day beside them.
MEETING_KINDS = ("branch_assembly", "committee", "group", "lecture", "theme_day")
TASK_STATES = ("draft", "submitted", "open", "cancelled")
# Members do not know of these: for them there is no such task.
UNSEEN_STATES = ("draft", "submitted")
RISK_LEVELS = ("low", "medium", "high")
CLAIM_STATES = ("claimed", "waitlisted", "withdrawn")
CLAIM_SOURCES = ("self", "walk_in", "standing", "invitation")
WITHDRAWALS = ("gave_up", "offer_lapsed", "task_called_off")
SERIES_STATES = ("active", "ended")
INVITATION_STATES = ("open", "accepted", "declined", "lapsed")
PLACES_MAX = 2000
# Monday to Sunday as bits 1, 2, 4 … 64.
EVERY_WEEKDAY = 127
HANDLE_BYTES = 5


class Task(Model):
    """A piece of work with its shifts; members see it once it is open."""

    __tablename__ = "task"
    __table_args__ = (
        CheckConstraint(one_of("kind", TASK_KINDS), name="kind"),
        CheckConstraint(one_of("state", TASK_STATES), name="state"),
        CheckConstraint(one_of("risk_level", RISK_LEVELS), name="risk_level"),
        # Dangerous work is insured before anybody can claim it (the same Regulations, article
        # 17).
        CheckConstraint(
            "state <> 'open' OR risk_level <> 'high' OR insurance_ref IS NOT NULL",
            name="insured",
        ),
        CheckConstraint(
            "state <> 'open' OR NOT needs_approval OR approved_by_id IS NOT NULL",
            name="approved",
        ),
        CheckConstraint(
            "approved_by_id IS NULL OR approved_by_id <> organizer_id", name="second_person"
        ),
        CheckConstraint("claims_open_at < claims_close_at", name="claim_window"),
        CheckConstraint(
            f"coefficient_percent BETWEEN 100 AND {COEFFICIENT_PERCENT_MAX}", name="coefficient"
        ),
        CheckConstraint(
            "meeting_kind IS NULL OR (kind = 'meeting'"
            f" AND {one_of('meeting_kind', MEETING_KINDS)})",
            name="meeting_kind",
        ),
        Index(None, "state", "organization_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    title: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(16))
    # Which meeting it is; only of the kind meeting.
    meeting_kind: Mapped[str | None] = mapped_column(String(16))
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    organizer_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    scoring_item: Mapped[str] = mapped_column(String(40))
    # What the item's points and evaluation are multiplied by, within the item's own bound.
    coefficient_percent: Mapped[int] = mapped_column(default=100, server_default="100")
    summary: Mapped[str] = mapped_column(String(2000))
    # Recruiting must tell the risks (Regulations on Volunteer Service, article 12).
    risk_note: Mapped[str] = mapped_column(String(500))
    risk_level: Mapped[str] = mapped_column(String(8), default="low", server_default="low")
    insurance_ref: Mapped[str | None] = mapped_column(String(80))
    contact_name: Mapped[str | None] = mapped_column(String(60))
    contact_phone: Mapped[str | None] = mapped_column(String(20))
    # A tree of rules as tasks/eligibility.py reads it; an empty one lets everyone in.
    eligibility: Mapped[dict[str, Any]] = mapped_column(
        JSON, default=dict, server_default=text("'{}'")
    )
    claims_open_at: Mapped[datetime | None]
    claims_close_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(12), default="draft")
    needs_approval: Mapped[bool] = mapped_column(default=False, server_default=false())
    submitted_at: Mapped[datetime | None]
    approved_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    approved_at: Mapped[datetime | None]
    drafted_at: Mapped[datetime]
    published_at: Mapped[datetime | None]


class TaskSkill(Model):
    """A skill that a task asks for, so that people find work by what they can do.

    What is required stands in the task's eligibility; this is what it is searched by.
    """

    __tablename__ = "task_skill"

    task_id: Mapped[int] = mapped_column(ForeignKey("task.id"), primary_key=True)
    skill_id: Mapped[int] = mapped_column(ForeignKey("skill.id"), primary_key=True, index=True)


class Series(Model):
    """Shifts of one task that recur by a rule, made some weeks ahead.

    rule: an RFC 5545 RRULE without DTSTART, read in local time from starts_on at
    start_minute. roles: [{name, places, eligibility}], as the shifts get them.
    """

    __tablename__ = "series"
    __table_args__ = (
        CheckConstraint(one_of("state", SERIES_STATES), name="state"),
        CheckConstraint("start_minute BETWEEN 0 AND 1439", name="start_minute"),
        CheckConstraint("lasts_minutes BETWEEN 1 AND 1440", name="lasts_minutes"),
        CheckConstraint("weeks_ahead BETWEEN 1 AND 26", name="weeks_ahead"),
        CheckConstraint("break_minutes >= 0", name="break_minutes"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("task.id"), index=True)
    rule: Mapped[str] = mapped_column(String(400))
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    start_minute: Mapped[int]
    lasts_minutes: Mapped[int]
    break_minutes: Mapped[int] = mapped_column(default=0, server_default="0")
    roles: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    place_name: Mapped[str] = mapped_column(String(120))
    latitude: Mapped[float | None] = mapped_column(Float)
    longitude: Mapped[float | None] = mapped_column(Float)
    weeks_ahead: Mapped[int]
    # Through this local day its shifts exist.
    made_through: Mapped[date | None]
    state: Mapped[str] = mapped_column(String(8), default="active")
    # The series that this one carries on, where all following dates were changed.
    follows_id: Mapped[int | None] = mapped_column(ForeignKey("series.id"))
    made_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    made_at: Mapped[datetime]


class Shift(Model):
    """A span of time with places. handle is the random name that stands in codes instead of an
    id.

    claimed counts the places taken and those kept for groups; it is the row that racing
    claims meet at. Both counts are the sums of its roles.
    """

    __tablename__ = "shift"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="span"),
        CheckConstraint(f"places BETWEEN 1 AND {PLACES_MAX}", name="places"),
        CheckConstraint("0 <= claimed AND claimed <= places", name="claimed"),
        CheckConstraint("latitude BETWEEN -90 AND 90", name="latitude"),
        CheckConstraint("longitude BETWEEN -180 AND 180", name="longitude"),
        CheckConstraint("break_minutes >= 0", name="break_minutes"),
        CheckConstraint("(series_id IS NULL) = (occurs_on IS NULL)", name="occurrence"),
        # The job that makes shifts ahead may run twice and makes each date once.
        UniqueConstraint("series_id", "occurs_on"),
        Index(None, "starts_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("task.id"), index=True)
    handle: Mapped[bytes] = mapped_column(LargeBinary(HANDLE_BYTES), unique=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    places: Mapped[int]
    claimed: Mapped[int] = mapped_column(default=0, server_default="0")
    place_name: Mapped[str] = mapped_column(String(120))
    latitude: Mapped[float | None] = mapped_column(Float)
    longitude: Mapped[float | None] = mapped_column(Float)
    # Rest within the shift, which is no service time.
    break_minutes: Mapped[int] = mapped_column(default=0, server_default="0")
    series_id: Mapped[int | None] = mapped_column(ForeignKey("series.id"))
    # The local day of the rule; stays when this date alone is moved.
    occurs_on: Mapped[date | None]
    # Changed by itself, so that changes of the whole series pass it over.
    is_detached: Mapped[bool] = mapped_column(default=False, server_default=false())
    # A date of a series that does not take place, while the others do.
    called_off_at: Mapped[datetime | None]


class ShiftRole(Model):
    """A role on a shift with places of its own; a shift without named roles has one without a
    name."""

    __tablename__ = "shift_role"
    __table_args__ = (
        CheckConstraint(f"places BETWEEN 1 AND {PLACES_MAX}", name="places"),
        CheckConstraint("0 <= claimed AND claimed <= places", name="claimed"),
        UniqueConstraint("shift_id", "name"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    shift_id: Mapped[int] = mapped_column(ForeignKey("shift.id"))
    name: Mapped[str] = mapped_column(String(40), default="", server_default="")
    places: Mapped[int]
    claimed: Mapped[int] = mapped_column(default=0, server_default="0")
    # Asked for beside what the task asks for.
    eligibility: Mapped[dict[str, Any]] = mapped_column(
        JSON, default=dict, server_default=text("'{}'")
    )


class Claim(Model):
    """A person's place on a shift, or their place in its waiting line; lower queue numbers move
    up first."""

    __tablename__ = "claim"
    __table_args__ = (
        CheckConstraint(one_of("state", CLAIM_STATES), name="state"),
        CheckConstraint(one_of("source", CLAIM_SOURCES), name="source"),
        CheckConstraint(one_of("withdrawal", WITHDRAWALS), name="withdrawal"),
        CheckConstraint("accept_by IS NULL OR state = 'claimed'", name="accept_by"),
        UniqueConstraint("shift_id", "queue_no"),
        # One living claim a person and shift; one that was given up stays as history.
        Index(
            "uq_claim_living",
            "shift_id",
            "member_id",
            unique=True,
            sqlite_where=text("state <> 'withdrawn'"),
            postgresql_where=text("state <> 'withdrawn'"),
        ),
        Index(None, "member_id", "state"),
        Index(
            None,
            "accept_by",
            sqlite_where=text("accept_by IS NOT NULL"),
            postgresql_where=text("accept_by IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    shift_id: Mapped[int] = mapped_column(ForeignKey("shift.id"))
    role_id: Mapped[int] = mapped_column(ForeignKey("shift_role.id"), index=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    state: Mapped[str] = mapped_column(String(12))
    source: Mapped[str] = mapped_column(String(12), default="self", server_default="self")
    # The group whose place this is; it goes back to the group, not to the waiting line.
    group_claim_id: Mapped[int | None] = mapped_column(ForeignKey("group_claim.id"), index=True)
    # Somebody who moved up has the place, and keeps it if they say so (or come) by then.
    accept_by: Mapped[datetime | None]
    queue_no: Mapped[int]
    claimed_at: Mapped[datetime]
    promoted_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_reason: Mapped[str | None] = mapped_column(String(200))
    withdrawal: Mapped[str | None] = mapped_column(String(16))
    # Whether the organizer heard of it early enough to find somebody else.
    told_in_time: Mapped[bool | None]
    # They had the place and did not come; cleared again when that is excused.
    missed_at: Mapped[datetime | None]


class GroupClaim(Model):
    """Places that a branch keeps for its people until they accept, or until released_at.

    taken: how many of them stand in claims.
    """

    __tablename__ = "group_claim"
    __table_args__ = (
        CheckConstraint("places BETWEEN 1 AND 200", name="places"),
        CheckConstraint("0 <= taken AND taken <= places", name="taken"),
        Index(
            "uq_group_claim_standing",
            "role_id",
            "organization_id",
            unique=True,
            sqlite_where=text("released_at IS NULL"),
            postgresql_where=text("released_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    shift_id: Mapped[int] = mapped_column(ForeignKey("shift.id"), index=True)
    role_id: Mapped[int] = mapped_column(ForeignKey("shift_role.id"))
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    places: Mapped[int]
    taken: Mapped[int] = mapped_column(default=0, server_default="0")
    made_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    made_at: Mapped[datetime]
    # Unfilled places go back to everyone at this moment at the latest.
    release_at: Mapped[datetime]
    released_at: Mapped[datetime | None]


class Invitation(Model):
    """Somebody is asked to take part; it becomes a claim only when they accept."""

    __tablename__ = "invitation"
    __table_args__ = (
        CheckConstraint(one_of("state", INVITATION_STATES), name="state"),
        CheckConstraint("(state = 'accepted') = (claim_id IS NOT NULL)", name="claim"),
        CheckConstraint("(state = 'open') = (answered_at IS NULL)", name="answer"),
        Index(
            "uq_invitation_open",
            "shift_id",
            "member_id",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
        Index(None, "member_id", "state"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    shift_id: Mapped[int] = mapped_column(ForeignKey("shift.id"))
    role_id: Mapped[int] = mapped_column(ForeignKey("shift_role.id"))
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    group_claim_id: Mapped[int | None] = mapped_column(ForeignKey("group_claim.id"))
    invited_by_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    invited_at: Mapped[datetime]
    answer_by: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(12), default="open")
    answered_at: Mapped[datetime | None]
    claim_id: Mapped[int | None] = mapped_column(ForeignKey("claim.id"), unique=True)


class StandingClaim(Model):
    """A person's wish to take part on every date of a series, on these weekdays.

    role_name: which role they want. The job that makes shifts claims for them, in the order of
    these rows.
    """

    __tablename__ = "standing_claim"
    __table_args__ = (
        CheckConstraint(f"weekdays BETWEEN 1 AND {EVERY_WEEKDAY}", name="weekdays"),
        CheckConstraint("until >= since", name="span"),
        Index(
            "uq_standing_claim_living",
            "series_id",
            "member_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    series_id: Mapped[int] = mapped_column(ForeignKey("series.id"))
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    role_name: Mapped[str] = mapped_column(String(40), default="", server_default="")
    weekdays: Mapped[int]
    since: Mapped[date]
    until: Mapped[date | None]
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class CalendarFeed(Model):
    """A person's calendar as other programs subscribe to it; only the hash of its address is
    kept."""

    __tablename__ = "calendar_feed"
    __table_args__ = (
        Index(
            "uq_calendar_feed_living",
            "member_id",
            unique=True,
            sqlite_where=text("withdrawn_at IS NULL"),
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    made_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
