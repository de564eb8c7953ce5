"""Reads of applications and papers, as far as a person may see them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, undefer

from pointsbank.core.actor import Actor
from pointsbank.core.text import masked_name
from pointsbank.members.models import Member
from pointsbank.merchants.errors import ApplicationNotFound, PaperNotFound
from pointsbank.merchants.models import MerchantApplication, MerchantPaper
from pointsbank.merchants.policy import may_see
from pointsbank.organizations.models import Merchant, Organization
from pointsbank.organizations.queries import within

DECIDERS = ("administrator",)
READERS = ("administrator", "auditor")


@dataclass(frozen=True)
class ApplicationLine:
    """An application; path is that of the organization it was sent to. The name is masked."""

    id: int
    applicant_id: int
    applicant_name: str
    organization_name: str
    path: str
    name: str
    kind: str
    license_no: str
    address: str
    note: str
    state: str
    applied_at: datetime
    decided_at: datetime | None
    decision_note: str | None
    merchant_id: int | None


@dataclass(frozen=True)
class PaperLine:
    """A paper without its contents."""

    id: int
    kind: str
    file_name: str
    media_type: str
    size: int
    uploaded_at: datetime


PAPER = (
    MerchantPaper.id,
    MerchantPaper.kind,
    MerchantPaper.file_name,
    MerchantPaper.media_type,
    MerchantPaper.size,
    MerchantPaper.uploaded_at,
)


def application_of(session: Session, application_id: int, actor: Actor) -> ApplicationLine:
    """Return an application: one's own, or one sent to an organization that one oversees.

    Raises ApplicationNotFound.
    """
    row = session.execute(
        _applications().where(MerchantApplication.id == application_id)
    ).first()
    line = None if row is None else _line(row)
    if line is None or not may_read(actor, line):
        raise ApplicationNotFound
    return line


def may_read(actor: Actor, line: ApplicationLine) -> bool:
    """Tell whether a person may read an application."""
    return line.applicant_id == actor.member_id or actor.oversees(line.path, *READERS)


def may_decide(actor: Actor, line: ApplicationLine) -> bool:
    """Tell whether an application waits for this person's decision."""
    is_over = actor.oversees(line.path, *DECIDERS)
    return line.state == "waiting" and is_over and line.applicant_id != actor.member_id


def applications_for(
    session: Session,
    actor: Actor,
    *,
    state: str | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[ApplicationLine]:
    """Return one's own applications and those to organizations one oversees, newest first."""
    statement = _applications().where(
        or_(
            MerchantApplication.applicant_id == actor.member_id,
            within(Organization.path, actor.paths(*READERS)),
        )
    )
    if state is not None:
        statement = statement.where(MerchantApplication.state == state)
    if before_id is not None:
        statement = statement.where(MerchantApplication.id < before_id)
    rows = session.execute(statement.order_by(MerchantApplication.id.desc()).limit(limit))
    return [_line(row) for row in rows]


def papers_of(session: Session, application_id: int) -> list[PaperLine]:
    """Return an application's papers, the oldest first; approved, the merchant has them."""
    return papers_of_each(session, [application_id]).get(application_id, [])


def papers_of_each(
    session: Session, application_ids: Iterable[int]
) -> dict[int, list[PaperLine]]:
    """Return the papers of these applications, the oldest first; those without are left out."""
    found: dict[int, list[PaperLine]] = {}
    rows: Iterable[Any] = session.execute(
        select(MerchantPaper.application_id, *PAPER)
        .where(MerchantPaper.application_id.in_(set(application_ids)))
        .order_by(MerchantPaper.id)
    )
    for application_id, *paper in rows:
        found.setdefault(application_id, []).append(PaperLine(*paper))
    return found


def papers_of_merchant(session: Session, merchant_id: int) -> list[PaperLine]:
    """Return every paper that a merchant ever had, the newest first."""
    rows = session.execute(
        select(*PAPER)
        .where(MerchantPaper.merchant_id == merchant_id)
        .order_by(MerchantPaper.id.desc())
    )
    return [PaperLine(*row) for row in rows]


def paper_to_see(session: Session, paper_id: int, actor: Actor) -> MerchantPaper:
    """Return a paper with its contents, if this person may read what it belongs to.

    Raises PaperNotFound.
    """
    paper = session.get(MerchantPaper, paper_id, options=[undefer(MerchantPaper.content)])
    if paper is None:
        raise PaperNotFound
    if paper.application_id is not None:
        line = _line(
            session.execute(
                _applications().where(MerchantApplication.id == paper.application_id)
            ).one()
        )
        is_readable = may_read(actor, line)
    else:
        is_readable = _may_see_merchant(session, paper.merchant_id, actor)
    if not is_readable:
        raise PaperNotFound
    return paper


def _may_see_merchant(session: Session, merchant_id: int | None, actor: Actor) -> bool:
    row = session.execute(
        select(Merchant.id, Organization.path)
        .join(Organization, Organization.id == Merchant.organization_id)
        .where(Merchant.id == merchant_id)
    ).one()
    return may_see(actor, row.id, row.path)


def _applications() -> Select[*tuple[Any, ...]]:
    return (
        select(
            MerchantApplication.id,
            MerchantApplication.applicant_id,
            Member.name.label("applicant_name"),
            Organization.name.label("organization_name"),
            Organization.path,
            MerchantApplication.name,
            MerchantApplication.kind,
            MerchantApplication.license_no,
            MerchantApplication.address,
            MerchantApplication.note,
            MerchantApplication.state,
            MerchantApplication.applied_at,
            MerchantApplication.decided_at,
            MerchantApplication.decision_note,
            MerchantApplication.merchant_id,
        )
        .join(Member, Member.id == MerchantApplication.applicant_id)
        .join(Organization, Organization.id == MerchantApplication.organization_id)
    )


def _line(row: Any) -> ApplicationLine:
    return ApplicationLine(
        **{**row._mapping, "applicant_name": masked_name(row.applicant_name)}
    )
