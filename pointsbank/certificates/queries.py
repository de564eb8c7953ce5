"""Reads of levels, of applications for stars, of awards and revocations."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from pointsbank.certificates.errors import RevocationNotFound, StarApplicationNotFound
from pointsbank.certificates.models import StarApplication, StarLevel, StarRevocation
from pointsbank.core.text import masked_name
from pointsbank.members.models import Member
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import in_scope, within
from pointsbank.scoring.models import ScoreEntry


@dataclass(frozen=True)
class LevelSet:
    """What each star needs from a local day on: {stars: hours or marks}."""

    kind: str
    valid_from: date
    levels: dict[int, int]


@dataclass(frozen=True)
class ApplicationFile:
    """An application with its member; the full name is only for those who may see it.

    path: of the organization the member belonged to when they applied. barred_until: of a
    revocation that stands.
    """

    id: int
    member_id: int
    member_name: str
    volunteer_no: str
    organization_id: int
    organization_name: str
    path: str
    stars: int
    hours_needed: int
    service_minutes: int
    state: str
    applied_at: datetime
    notice_id: int | None
    decided_by_id: int | None
    decided_at: datetime | None
    decision_reason: str
    number: str | None
    awarded_on: date | None

    @property
    def display_name(self) -> str:
        """The masked name: 王*兰."""
        return masked_name(self.member_name)


@dataclass(frozen=True)
class RevocationFile:
    """A revocation with the star it is about; names are masked."""

    id: int
    application_id: int
    member_id: int
    member_name: str
    path: str
    stars: int
    number: str
    reason: str
    bar_years: int
    state: str
    asked_by_id: int
    asked_by_name: str
    asked_at: datetime
    decided_by_name: str
    decided_at: datetime | None
    decision_reason: str
    barred_until: date | None


@dataclass(frozen=True)
class Award:
    """What a number proves, and nothing more: whether it holds, the stars, a masked name."""

    number: str
    is_valid: bool
    stars: int
    display_name: str


def levels_on(session: Session, kind: str, day: date) -> dict[int, int]:
    """Return what each star needs on a local day: hours of service, or marks of a plan."""
    newest = (
        select(func.max(StarLevel.valid_from))
        .where(StarLevel.kind == kind, StarLevel.valid_from <= day)
        .scalar_subquery()
    )
    rows = session.execute(
        select(StarLevel.stars, StarLevel.least)
        .where(StarLevel.kind == kind, StarLevel.valid_from == newest)
        .order_by(StarLevel.stars)
    )
    return {row.stars: row.least for row in rows}


def level_sets(session: Session) -> list[LevelSet]:
    """Return every set of levels, volunteers' first, the newest day first."""
    rows = session.execute(
        select(StarLevel.kind, StarLevel.valid_from, StarLevel.stars, StarLevel.least).order_by(
            StarLevel.kind.desc(), StarLevel.valid_from.desc(), StarLevel.stars
        )
    )
    found: dict[tuple[str, date], dict[int, int]] = {}
    for row in rows:
        found.setdefault((row.kind, row.valid_from), {})[row.stars] = row.least
    return [LevelSet(kind, day, levels) for (kind, day), levels in found.items()]


def _applications() -> Select[*tuple[Any, ...]]:
    return (
        select(
            StarApplication.id,
            StarApplication.member_id,
            Member.name.label("member_name"),
            Member.volunteer_no,
            StarApplication.organization_id,
            Organization.name.label("organization_name"),
            Organization.path,
            StarApplication.stars,
            StarApplication.hours_needed,
            StarApplication.service_minutes,
            StarApplication.state,
            StarApplication.applied_at,
            StarApplication.notice_id,
            StarApplication.decided_by_id,
            StarApplication.decided_at,
            StarApplication.decision_reason,
            StarApplication.number,
            StarApplication.awarded_on,
        )
        .join(Member, Member.id == StarApplication.member_id)
        .join(Organization, Organization.id == StarApplication.organization_id)
    )


def application_of(
    session: Session, application_id: int, paths: Iterable[str]
) -> ApplicationFile:
    """Return an application whose organization stands under one of these paths.

    Raises StarApplicationNotFound, for a foreign one as for an unknown one.
    """
    row = session.execute(_applications().where(StarApplication.id == application_id)).first()
    if row is None or not in_scope(row.path, paths):
        raise StarApplicationNotFound
    return ApplicationFile(*row)


def own_application(session: Session, application_id: int, member_id: int) -> ApplicationFile:
    """Return an application of this member's own.

    Raises StarApplicationNotFound.
    """
    found = application_of(session, application_id, ("/",))
    if found.member_id != member_id:
        raise StarApplicationNotFound
    return found


def applications_of_member(session: Session, member_id: int) -> list[ApplicationFile]:
    """Return all applications of a member, the newest first."""
    statement = (
        _applications()
        .where(StarApplication.member_id == member_id)
        .order_by(StarApplication.id.desc())
    )
    return [ApplicationFile(*row) for row in session.execute(statement)]


def applications_within(
    session: Session,
    paths: Sequence[str],
    *,
    states: Sequence[str] = (),
    before_id: int | None = None,
    limit: int = 50,
) -> list[ApplicationFile]:
    """Return the applications under these paths, the newest first.

    states: only these, all when empty. before_id: the id behind which to go on.
    """
    statement = (
        _applications()
        .where(within(Organization.path, paths))
        .order_by(StarApplication.id.desc())
        .limit(limit)
    )
    if states:
        statement = statement.where(StarApplication.state.in_(states))
    if before_id is not None:
        statement = statement.where(StarApplication.id < before_id)
    return [ApplicationFile(*row) for row in session.execute(statement)]


def applications_in_notice(session: Session, notice_id: int) -> list[ApplicationFile]:
    """Return the applications that are shown in a notice and not decided yet."""
    statement = (
        _applications()
        .where(StarApplication.notice_id == notice_id, StarApplication.state == "noticed")
        .order_by(StarApplication.id)
    )
    return [ApplicationFile(*row) for row in session.execute(statement)]


def minutes_of(session: Session, member_ids: Sequence[int]) -> dict[int, int]:
    """Return all the service time of each of these members; 0 for who has none."""
    rows = session.execute(
        select(ScoreEntry.member_id, func.sum(ScoreEntry.service_minutes).label("minutes"))
        .where(ScoreEntry.member_id.in_(member_ids))
        .group_by(ScoreEntry.member_id)
    )
    return {**dict.fromkeys(member_ids, 0), **{row.member_id: int(row.minutes) for row in rows}}


def stars_held(session: Session, member_id: int) -> int:
    """Return the highest star of a member that stands, 0 without one."""
    highest = session.scalar(
        select(func.max(StarApplication.stars)).where(
            StarApplication.member_id == member_id, StarApplication.state == "awarded"
        )
    )
    return int(highest or 0)


def barred_until(session: Session, member_id: int, today: date) -> date | None:
    """Return the first local day on which a barred member may apply, None who may now."""
    return session.scalar(
        select(func.max(StarRevocation.barred_until)).where(
            StarRevocation.member_id == member_id,
            StarRevocation.state == "confirmed",
            StarRevocation.barred_until > today,
        )
    )


def _revocations() -> Select[*tuple[Any, ...]]:
    asker, decider = aliased(Member), aliased(Member)
    return (
        select(
            StarRevocation.id,
            StarRevocation.application_id,
            StarRevocation.member_id,
            Member.name.label("member_name"),
            Organization.path,
            StarApplication.stars,
            StarApplication.number,
            StarRevocation.reason,
            StarRevocation.bar_years,
            StarRevocation.state,
            StarRevocation.asked_by_id,
            asker.name.label("asked_by_name"),
            StarRevocation.asked_at,
            decider.name.label("decided_by_name"),
            StarRevocation.decided_at,
            StarRevocation.decision_reason,
            StarRevocation.barred_until,
        )
        .join(StarApplication, StarApplication.id == StarRevocation.application_id)
        .join(Organization, Organization.id == StarApplication.organization_id)
        .join(Member, Member.id == StarRevocation.member_id)
        .join(asker, asker.id == StarRevocation.asked_by_id)
        .outerjoin(decider, decider.id == StarRevocation.decided_by_id)
    )


def _revocation(row: Any) -> RevocationFile:
    names = ("member_name", "asked_by_name", "decided_by_name")
    masked = {name: masked_name(row._mapping[name] or "") for name in names}
    masked["decided_by_name"] = masked["decided_by_name"] if row.decided_by_name else ""
    return RevocationFile(**{**row._mapping, **masked})


def revocation_of(session: Session, revocation_id: int, paths: Iterable[str]) -> RevocationFile:
    """Return a revocation of a star that was applied for under one of these paths.

    Raises RevocationNotFound, for a foreign one as for an unknown one.
    """
    row = session.execute(_revocations().where(StarRevocation.id == revocation_id)).first()
    if row is None or not in_scope(row.path, paths):
        raise RevocationNotFound
    return _revocation(row)


def revocations_of(session: Session, application_id: int) -> list[RevocationFile]:
    """Return what was asked about one star, the newest first."""
    statement = (
        _revocations()
        .where(StarRevocation.application_id == application_id)
        .order_by(StarRevocation.id.desc())
    )
    return [_revocation(row) for row in session.execute(statement)]


def revocations_waiting(
    session: Session, paths: Sequence[str], limit: int = 50
) -> list[RevocationFile]:
    """Return the revocations under these paths that nobody decided yet, the oldest first."""
    statement = (
        _revocations()
        .where(StarRevocation.state == "pending", within(Organization.path, paths))
        .order_by(StarRevocation.id)
        .limit(limit)
    )
    return [_revocation(row) for row in session.execute(statement)]


def count_revocations_to_decide(session: Session, paths: Sequence[str], member_id: int) -> int:
    """Return how many revocations wait under these paths for somebody other than who asked."""
    return session.execute(
        select(func.count())
        .select_from(StarRevocation)
        .join(StarApplication, StarApplication.id == StarRevocation.application_id)
        .join(Organization, Organization.id == StarApplication.organization_id)
        .where(
            within(Organization.path, paths),
            StarRevocation.state == "pending",
            StarRevocation.asked_by_id != member_id,
            StarRevocation.member_id != member_id,
        )
    ).scalar_one()


def award_by_number(session: Session, number: str) -> Award | None:
    """Return what a number proves, None for one that no award has."""
    row = session.execute(
        select(
            StarApplication.number, StarApplication.state, StarApplication.stars, Member.name
        )
        .join(Member, Member.id == StarApplication.member_id)
        .where(StarApplication.number == number)
    ).first()
    if row is None:
        return None
    return Award(row.number, row.state == "awarded", row.stars, masked_name(row.name))
