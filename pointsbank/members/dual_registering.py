"""A party member of a work unit registers with the community of their home, and is accepted."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.calendar import Period
from pointsbank.core.db import Moment
from pointsbank.members.dual_errors import (
    AlreadyRegistered,
    BadFirstDay,
    NoCommentedQuarter,
    NotACommunity,
    NotAWorkUnit,
    NotPartyMember,
    OtherSideDecides,
    OwnRegistration,
    RegistrationMoved,
    RegistrationNotFound,
)
from pointsbank.members.dual_queries import (
    COMMUNITY,
    WORK_UNIT,
    RegistrationFile,
    registration_of,
)
from pointsbank.members.models import DualRegistration
from pointsbank.members.queries import MemberFile, member_in_scope, member_of
from pointsbank.organizations.errors import OrganizationNotFound
from pointsbank.organizations.queries import OrganizationNode, organization_by_code

# Who answers for a community or for a work unit, and who only looks.
DECIDERS = ("administrator", "secretary")
READERS = (*DECIDERS, "auditor")
PARTY_KINDS = ("party_member", "probationary_member")
# A paper list may be entered late, a move be known early; a year apart is a slip of the pen.
FIRST_DAY_DAYS_MAX = 366
COMMENT_LENGTH_MAX = 200

WRITE_COMMENT = text(
    """
    INSERT INTO dual_comment (registration_id, period, comment, written_by_id, written_at)
    VALUES (:registration_id, :period, :comment, :written_by_id, :now)
    ON CONFLICT (registration_id, period) DO UPDATE SET comment = excluded.comment,
        written_by_id = excluded.written_by_id, written_at = excluded.written_at
    """
).bindparams(bindparam("now", type_=Moment()))


@dataclass(frozen=True)
class Wanted:
    """A registration as it is asked for. is_named: the unit may read hours under the name."""

    work_unit_code: str
    community_code: str
    is_named: bool = False


def apply_at_home(session: Session, *, actor: Actor, wanted: Wanted, now: datetime) -> int:
    """Register oneself and return the registration's id; it waits for the community.

    Raises NotPartyMember, NotAWorkUnit, NotACommunity, AlreadyRegistered.
    """
    member = member_of(session, actor.member_id)
    unit, community = _places(session, wanted)
    return _enter(session, actor, member, unit, community, wanted, "screen", now)


def enter_registration(
    session: Session,
    *,
    actor: Actor,
    member_id: int,
    wanted: Wanted,
    first_on: date,
    today: date,
    now: datetime,
) -> int:
    """Register a member of one's scope and return the registration's id.

    Whoever answers for the community accepts it with this; anybody else's waits for it.
    is_named: as it was signed on paper.
    Raises MemberNotFound, OwnRegistration, BadFirstDay and what apply_at_home raises.
    """
    member = member_in_scope(session, actor.paths(*DECIDERS), member_id)
    if member_id == actor.member_id:
        raise OwnRegistration
    unit, community = _places(session, wanted)
    made = _enter(session, actor, member, unit, community, wanted, "paper", now)
    if actor.oversees(community.path, *DECIDERS):
        accept_registration(
            session,
            actor=actor,
            registration_id=made,
            first_on=first_on,
            today=today,
            now=now,
        )
    return made


def accept_registration(
    session: Session,
    *,
    actor: Actor,
    registration_id: int,
    first_on: date,
    today: date,
    now: datetime,
) -> None:
    """Accept an application at its community, from a day on.

    Raises RegistrationNotFound, OtherSideDecides, OwnRegistration, BadFirstDay, and
    RegistrationMoved where it is accepted or ended already.
    """
    found = _decidable(session, actor, registration_id, side=COMMUNITY)
    if abs((first_on - today).days) > FIRST_DAY_DAYS_MAX:
        raise BadFirstDay(days=FIRST_DAY_DAYS_MAX)
    _move(
        session,
        found.id,
        ("applied",),
        state="accepted",
        accepted_by_id=actor.member_id,
        accepted_at=now,
        from_on=first_on,
    )
    _note(session, actor, now, "accept", found.id, from_on=first_on.isoformat())


def confirm_registration(
    session: Session, *, actor: Actor, registration_id: int, now: datetime
) -> None:
    """Say for the work unit that the person is one of theirs.

    Raises RegistrationNotFound, OtherSideDecides, OwnRegistration, and RegistrationMoved where
    the community has not accepted it, or it is confirmed or ended already.
    """
    found = _decidable(session, actor, registration_id, side=WORK_UNIT)
    _move(
        session,
        found.id,
        ("accepted",),
        state="active",
        confirmed_by_id=actor.member_id,
        confirmed_at=now,
    )
    _note(session, actor, now, "confirm", found.id)


def end_registration(
    session: Session,
    *,
    actor: Actor,
    registration_id: int,
    reason: str,
    today: date,
    now: datetime,
) -> None:
    """End a registration today, or refuse an application; the person or either side may.

    Today still counts. Raises RegistrationNotFound and RegistrationMoved.
    """
    found = _readable(session, actor, registration_id)
    tomorrow = today + timedelta(days=1)
    _move(
        session,
        found.id,
        (found.state,) if found.state != "ended" else (),
        state="ended",
        ended_by_id=actor.member_id,
        ended_at=now,
        end_reason=reason,
        until_on=max(tomorrow, found.from_on) if found.from_on else None,
    )
    _note(session, actor, now, "end", found.id)


def set_naming(session: Session, *, actor: Actor, is_named: bool, now: datetime) -> None:
    """Agree that the work unit reads one's hours under one's name, or take that back.

    A repeat changes nothing. Raises RegistrationNotFound where one has no registration.
    """
    found = session.execute(
        select(DualRegistration.id, DualRegistration.named_at).where(
            DualRegistration.member_id == actor.member_id, DualRegistration.state != "ended"
        )
    ).first()
    if found is None:
        raise RegistrationNotFound
    if (found.named_at is not None) == is_named:
        return
    session.execute(
        update(DualRegistration)
        .where(DualRegistration.id == found.id)
        .values(
            named_at=now if is_named else None, named_channel="screen" if is_named else None
        )
    )
    _note(session, actor, now, "agree" if is_named else "withdraw_consent", found.id)


def write_comment(
    session: Session,
    *,
    actor: Actor,
    registration_id: int,
    period: Period,
    comment: str,
    now: datetime,
) -> None:
    """Write what the sheet to the work unit says of one person's quarter; the last word stands.

    Raises RegistrationNotFound, OtherSideDecides, OwnRegistration, NoCommentedQuarter.
    """
    found = _decidable(session, actor, registration_id, side=COMMUNITY)
    has_begun = found.from_on is not None and found.from_on < period.end_on
    if not has_begun or (found.until_on is not None and found.until_on <= period.first_on):
        raise NoCommentedQuarter
    session.execute(
        WRITE_COMMENT,
        {
            "registration_id": found.id,
            "period": period.name,
            "comment": comment,
            "written_by_id": actor.member_id,
            "now": now,
        },
    )
    _note(session, actor, now, "comment", found.id, period=period.name)


def _places(session: Session, wanted: Wanted) -> tuple[OrganizationNode, OrganizationNode]:
    try:
        unit = organization_by_code(session, wanted.work_unit_code)
    except OrganizationNotFound:
        raise NotAWorkUnit from None
    try:
        community = organization_by_code(session, wanted.community_code)
    except OrganizationNotFound:
        raise NotACommunity from None
    if unit.kind != WORK_UNIT:
        raise NotAWorkUnit
    if community.kind != COMMUNITY:
        raise NotACommunity
    return unit, community


def _enter(
    session: Session,
    actor: Actor,
    member: MemberFile,
    unit: OrganizationNode,
    community: OrganizationNode,
    wanted: Wanted,
    channel: str,
    now: datetime,
) -> int:
    if member.kind not in PARTY_KINDS:
        raise NotPartyMember
    alive = session.scalar(
        select(DualRegistration.id).where(
            DualRegistration.member_id == member.id, DualRegistration.state != "ended"
        )
    )
    if alive is not None:
        raise AlreadyRegistered
    made = DualRegistration(
        member_id=member.id,
        work_unit_id=unit.id,
        community_id=community.id,
        entered_by_id=actor.member_id,
        entered_at=now,
        named_at=now if wanted.is_named else None,
        named_channel=channel if wanted.is_named else None,
    )
    session.add(made)
    session.flush()
    _note(session, actor, now, "apply", made.id, channel=channel, is_named=wanted.is_named)
    return made.id


def _readable(session: Session, actor: Actor, registration_id: int) -> RegistrationFile:
    """Return a registration that is one's own, or of a side that one answers for."""
    paths = actor.paths(*DECIDERS)
    found = registration_of(session, registration_id, ("/",))
    if found is None or not (
        found.member_id == actor.member_id or found.is_at_home(paths) or found.is_at_work(paths)
    ):
        raise RegistrationNotFound
    return found


def _decidable(
    session: Session, actor: Actor, registration_id: int, *, side: str
) -> RegistrationFile:
    """Return a registration on which this person decides for the side."""
    paths = actor.paths(*DECIDERS)
    found = registration_of(session, registration_id, paths)
    if found is None:
        raise RegistrationNotFound
    if found.member_id == actor.member_id:
        raise OwnRegistration
    if not (found.is_at_home(paths) if side == COMMUNITY else found.is_at_work(paths)):
        raise OtherSideDecides
    return found


def _move(session: Session, registration_id: int, states: tuple[str, ...], **to: Any) -> None:
    """Change a registration that stands in one of these states; of two at once one finds it so.

    Raises RegistrationMoved.
    """
    moved = session.scalar(
        update(DualRegistration)
        .where(DualRegistration.id == registration_id, DualRegistration.state.in_(states))
        .values(**to)
        .returning(DualRegistration.id)
    )
    if moved is None:
        raise RegistrationMoved


def _note(
    session: Session,
    actor: Actor,
    now: datetime,
    action: str,
    registration_id: int,
    **facts: Any,
) -> None:
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action=action,
        subject=("dual_registration", registration_id),
        **facts,
    )
