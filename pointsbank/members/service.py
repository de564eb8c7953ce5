"""Writes about people: taking them in, roles, stopped accounts, passwords."""

from datetime import date, datetime

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from pointsbank.core.actor import ROLES
from pointsbank.core.audit import note
from pointsbank.ledger.service import open_account
from pointsbank.members.belonging import Home, begin_belonging, note_change
from pointsbank.members.errors import (
    BadRoleScope,
    MemberNotFound,
    PhoneTaken,
    RoleNotFound,
    VolunteerNoTaken,
)
from pointsbank.members.models import DISPLAY_MODES, MEMBER_KINDS, Member, MemberRole
from pointsbank.members.sessions import end_all_sessions, end_other_sessions
from pointsbank.organizations.errors import UnknownKind
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import organization_of
from pointsbank.organizations.service import add_organization

# Eight digits without a leading zero, which spreadsheets would drop.
VOLUNTEER_NO_FIRST = 10_000_001

# The organization of the first administrator, while there is no other.
INSTALLATION_CODE = "installation"
INSTALLATION_NAME = "本系统"

DRAW_NUMBERS = text(
    """
    INSERT INTO volunteer_count (id, drawn) VALUES (1, :count)
    ON CONFLICT (id) DO UPDATE SET drawn = volunteer_count.drawn + :count
    RETURNING drawn
    """
)


def draw_volunteer_numbers(session: Session, count: int) -> list[str]:
    """Draw so many volunteer numbers that nobody has; the counter stays locked to the end.

    Numbers that an import has brought along are passed over.
    """
    drawn: list[str] = []
    while len(drawn) < count:
        wanted = count - len(drawn)
        last = session.execute(DRAW_NUMBERS, {"count": wanted}).scalar_one()
        fresh = [str(VOLUNTEER_NO_FIRST + last - wanted + each) for each in range(wanted)]
        taken = set(
            session.scalars(
                select(Member.volunteer_no).where(
                    Member.volunteer_no.between(fresh[0], fresh[-1])
                )
            )
        )
        drawn.extend(number for number in fresh if number not in taken)
    return drawn


def add_member(
    session: Session,
    *,
    name: str,
    phone: str | None,
    organization_id: int,
    kind: str,
    password_hash: str | None,
    handle: bytes,
    now: datetime,
    today: date,
    volunteer_no: str | None = None,
) -> int:
    """Take one person in, open their ledger account member:{id}, and return their id.

    today: the local day, from which they belong to the organization.
    volunteer_no: drawn when it is not given. phone: eleven digits. handle: five random bytes.
    Raises PhoneTaken, VolunteerNoTaken, OrganizationNotFound, UnknownKind.
    """
    if kind not in MEMBER_KINDS:
        raise UnknownKind
    organization_of(session, organization_id)
    if phone is not None and _holds(session, Member.phone == phone):
        raise PhoneTaken
    if volunteer_no is None:
        volunteer_no = draw_volunteer_numbers(session, 1)[0]
    elif _holds(session, Member.volunteer_no == volunteer_no):
        raise VolunteerNoTaken
    member = Member(
        volunteer_no=volunteer_no,
        name=name,
        phone=phone,
        password_hash=password_hash,
        kind=kind,
        state="active",
        organization_id=organization_id,
        handle=handle,
        joined_at=now,
    )
    session.add(member)
    session.flush()
    begin_belonging(session, members=[Home(member.id, organization_id)], on=today, now=now)
    open_account(session, code=f"member:{member.id}", kind="member")
    return member.id


def _holds(session: Session, condition: object) -> bool:
    return session.scalar(select(Member.id).where(condition)) is not None  # type: ignore[arg-type]


def add_first_administrator(
    session: Session,
    *,
    name: str,
    phone: str,
    password_hash: str,
    handle: bytes,
    now: datetime,
    today: date,
) -> int:
    """Take in a person who administers everything, and return their id.

    While the tree is empty they belong to an organization made for them, otherwise to the top
    of the tree. Raises PhoneTaken.
    """
    organization_id = session.scalar(
        select(Organization.id)
        .where(Organization.parent_id.is_(None))
        .order_by(Organization.code != INSTALLATION_CODE, Organization.id)
        .limit(1)
    )
    if organization_id is None:
        organization_id = add_organization(
            session,
            code=INSTALLATION_CODE,
            name=INSTALLATION_NAME,
            kind="work_unit",
            parent_code=None,
            now=now,
        )
    member_id = add_member(
        session,
        name=name,
        phone=phone,
        organization_id=organization_id,
        kind="staff",
        password_hash=password_hash,
        handle=handle,
        now=now,
        today=today,
    )
    grant_role(session, member_id=member_id, role="administrator", granted_by_id=None, now=now)
    return member_id


def grant_role(
    session: Session,
    *,
    member_id: int,
    role: str,
    organization_id: int | None = None,
    merchant_id: int | None = None,
    granted_by_id: int | None,
    now: datetime,
) -> int:
    """Give a role over a subtree or at a merchant, and return the id of the grant.

    A repeat returns the grant that stands. An administrator without an organization stands over
    everything. Scope is the caller's to check. Raises MemberNotFound, BadRoleScope.
    """
    is_at_merchant = merchant_id is not None
    if role not in ROLES or is_at_merchant != (role == "clerk"):
        raise BadRoleScope
    if organization_id is None and not is_at_merchant and role != "administrator":
        raise BadRoleScope
    if organization_id is not None and is_at_merchant:
        raise BadRoleScope
    if session.scalar(select(Member.id).where(Member.id == member_id)) is None:
        raise MemberNotFound
    standing = session.scalar(
        select(MemberRole.id).where(
            MemberRole.member_id == member_id,
            MemberRole.role == role,
            MemberRole.organization_id.is_not_distinct_from(organization_id),
            MemberRole.merchant_id.is_not_distinct_from(merchant_id),
            MemberRole.withdrawn_at.is_(None),
        )
    )
    if standing is not None:
        return standing
    grant = MemberRole(
        member_id=member_id,
        role=role,
        organization_id=organization_id,
        merchant_id=merchant_id,
        granted_by_id=granted_by_id,
        granted_at=now,
    )
    session.add(grant)
    session.flush()
    note(
        session,
        at=now,
        actor_id=granted_by_id,
        action="grant_role",
        subject=("member", member_id),
        role=role,
        organization_id=organization_id,
        merchant_id=merchant_id,
    )
    return grant.id


def withdraw_role(
    session: Session,
    *,
    member_id: int,
    role_id: int,
    withdrawn_by_id: int | None,
    now: datetime,
) -> None:
    """Take a role back and end every session of the member at once.

    Raises RoleNotFound, also when it was taken back before.
    """
    withdrawn = session.execute(
        update(MemberRole)
        .where(
            MemberRole.id == role_id,
            MemberRole.member_id == member_id,
            MemberRole.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=now)
        .returning(MemberRole.role)
    ).scalar()
    if withdrawn is None:
        raise RoleNotFound
    end_all_sessions(session, member_id=member_id, reason="role_withdrawn", now=now)
    note(
        session,
        at=now,
        actor_id=withdrawn_by_id,
        action="withdraw_role",
        subject=("member", member_id),
        role=withdrawn,
        role_id=role_id,
    )


def suspend_member(
    session: Session,
    *,
    member_id: int,
    suspended_by_id: int | None,
    now: datetime,
    today: date,
) -> None:
    """Stop an account and end its sessions at once; a repeat changes nothing."""
    if _set_state(session, member_id, "suspended", now, today):
        end_all_sessions(session, member_id=member_id, reason="suspended", now=now)
        note(
            session,
            at=now,
            actor_id=suspended_by_id,
            action="suspend_member",
            subject=("member", member_id),
        )


def activate_member(
    session: Session,
    *,
    member_id: int,
    activated_by_id: int | None,
    now: datetime,
    today: date,
) -> None:
    """Open a stopped account again; a repeat changes nothing."""
    if _set_state(session, member_id, "active", now, today):
        note(
            session,
            at=now,
            actor_id=activated_by_id,
            action="activate_member",
            subject=("member", member_id),
        )


def _set_state(
    session: Session, member_id: int, state: str, now: datetime, today: date
) -> bool:
    changed = session.execute(
        update(Member)
        .where(Member.id == member_id, Member.state != state)
        .values(state=state)
        .returning(Member.id)
    ).scalar()
    if changed is None:
        return False
    note_change(session, member_ids=[member_id], cause="state", from_on=today, now=now)
    return True


def set_password(
    session: Session,
    *,
    member_id: int,
    password_hash: str,
    keep_session_id: int | None,
    now: datetime,
) -> None:
    """Give a member a new password and end every session but the one it was changed in."""
    session.execute(
        update(Member).where(Member.id == member_id).values(password_hash=password_hash)
    )
    end_other_sessions(
        session, member_id=member_id, keep_id=keep_session_id, reason="new_password", now=now
    )
    note(
        session,
        at=now,
        actor_id=member_id,
        action="set_password",
        subject=("member", member_id),
    )


def set_preferences(
    session: Session,
    *,
    member_id: int,
    locale: str | None = None,
    display_mode: str | None = None,
) -> None:
    """Keep a member's language or display; what is None stays as it was."""
    values: dict[str, str] = {}
    if locale is not None:
        values["locale"] = locale
    if display_mode in DISPLAY_MODES and display_mode is not None:
        values["display_mode"] = display_mode
    if values:
        session.execute(update(Member).where(Member.id == member_id).values(**values))
