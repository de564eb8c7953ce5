"""A shop applies to become a merchant; an administrator who is not the applicant decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.members.queries import role_holders_over
from pointsbank.members.service import grant_role
from pointsbank.merchants.applications import ApplicationLine, application_of, papers_of
from pointsbank.merchants.errors import (
    AlreadyApplied,
    ApplicationDecided,
    ApplicationNotFound,
    BadLicense,
    LicenseMissing,
    OwnApplication,
)
from pointsbank.merchants.licenses import license_from
from pointsbank.merchants.models import MerchantApplication, MerchantPaper
from pointsbank.merchants.papers import Paper, keep_paper
from pointsbank.merchants.shops import ShopFacts, open_shop
from pointsbank.messages.service import tell, tell_each
from pointsbank.organizations.errors import UnknownKind
from pointsbank.organizations.models import MERCHANT_KINDS
from pointsbank.organizations.queries import organization_by_code, organization_of
from pointsbank.organizations.service import add_merchant

# A community runs its own store (爱心超市) under its own name: there may be no license.
KINDS_WITHOUT_LICENSE = ("community_store",)
SHOP_NAME_MAX = 80


@dataclass(frozen=True)
class NewApplication:
    """What a shop says about itself. license_no: as somebody typed it, empty for none."""

    name: str
    kind: str
    organization_code: str
    license_no: str
    address: str
    note: str = ""


def apply_as_merchant(
    session: Session,
    *,
    applicant_id: int,
    application: NewApplication,
    papers: Sequence[Paper] = (),
    now: datetime,
) -> int:
    """Keep an application with its papers and return its id; the administrators are told.

    Raises OrganizationNotFound, UnknownKind, BadLicense, AlreadyApplied.
    """
    if application.kind not in MERCHANT_KINDS:
        raise UnknownKind
    license_no = license_from(application.license_no) if application.license_no else ""
    if license_no is None or (not license_no and application.kind not in KINDS_WITHOUT_LICENSE):
        raise BadLicense
    organization = organization_by_code(session, application.organization_code)
    waiting = select(MerchantApplication.id).where(
        MerchantApplication.applicant_id == applicant_id,
        MerchantApplication.name == application.name,
        MerchantApplication.state == "waiting",
    )
    if session.scalar(waiting) is not None:
        raise AlreadyApplied
    application_id = session.execute(
        insert(MerchantApplication)
        .values(
            applicant_id=applicant_id,
            organization_id=organization.id,
            name=application.name,
            kind=application.kind,
            license_no=license_no,
            address=application.address,
            note=application.note,
            state="waiting",
            applied_at=now,
        )
        .returning(MerchantApplication.id)
    ).scalar_one()
    for paper in papers:
        keep_paper(
            session, paper, application_id=application_id, uploaded_by_id=applicant_id, now=now
        )
    _note(session, applicant_id, "apply_as_merchant", application_id, now)
    deciders = set(role_holders_over(session, organization.path, ("administrator",)))
    tell_each(
        session,
        key=f"merchant_application:{application_id}",
        member_ids=deciders - {applicant_id},
        kind="merchant_application_asked",
        facts={"shop": application.name, "application_id": application_id},
        now=now,
    )
    return application_id


def add_paper(
    session: Session, *, actor: Actor, application_id: int, paper: Paper, now: datetime
) -> int:
    """Attach a paper to one's own application that waits, and return its id.

    Raises ApplicationNotFound, ApplicationDecided, TooManyPapers.
    """
    line = own_application(session, actor, application_id)
    if line.state != "waiting":
        raise ApplicationDecided
    return keep_paper(
        session,
        paper,
        application_id=application_id,
        uploaded_by_id=actor.member_id,
        now=now,
    )


def own_application(session: Session, actor: Actor, application_id: int) -> ApplicationLine:
    """Return one's own application, locked.

    Raises ApplicationNotFound, for another person's as for an unknown one.
    """
    _lock(session, application_id)
    line = application_of(session, application_id, actor)
    if line.applicant_id != actor.member_id:
        raise ApplicationNotFound
    return line


def withdraw_application(
    session: Session, *, actor: Actor, application_id: int, now: datetime
) -> None:
    """Take one's own application back; a repeat changes nothing.

    Raises ApplicationNotFound, ApplicationDecided.
    """
    line = own_application(session, actor, application_id)
    if line.state == "withdrawn":
        return
    if line.state != "waiting":
        raise ApplicationDecided
    _set(session, application_id, state="withdrawn")
    _note(session, actor.member_id, "withdraw_merchant_application", application_id, now)


def refuse_application(
    session: Session, *, actor: Actor, application_id: int, reason: str, now: datetime
) -> None:
    """Refuse an application with a reason that the applicant reads.

    Raises ApplicationNotFound, OwnApplication, ApplicationDecided.
    """
    line = application_to_decide(session, actor, application_id)
    _set(
        session,
        application_id,
        state="refused",
        decided_by_id=actor.member_id,
        decided_at=now,
        decision_note=reason,
    )
    _note(session, actor.member_id, "refuse_merchant_application", application_id, now)
    tell(
        session,
        key=f"merchant_application:{application_id}:refused",
        member_id=line.applicant_id,
        kind="merchant_application_refused",
        facts={"shop": line.name, "reason": reason, "application_id": application_id},
        now=now,
    )


def approve_application(
    session: Session,
    *,
    actor: Actor,
    application_id: int,
    handle: bytes,
    now: datetime,
) -> int:
    """Make a merchant of an application and return its id: with its papers, a first shop, and
    the applicant as its clerk.

    handle: eight random bytes, in the code at the first shop's till.
    Raises ApplicationNotFound, OwnApplication, ApplicationDecided, LicenseMissing.
    """
    line = application_to_decide(session, actor, application_id)
    papers = papers_of(session, application_id)
    has_license = any(paper.kind == "license" for paper in papers)
    if not has_license and line.kind not in KINDS_WITHOUT_LICENSE:
        raise LicenseMissing
    merchant_id = _found_merchant(session, actor, line, application_id, handle, now)
    _note(
        session,
        actor.member_id,
        "approve_merchant_application",
        application_id,
        now,
        merchant_id=merchant_id,
    )
    tell(
        session,
        key=f"merchant_application:{application_id}:approved",
        member_id=line.applicant_id,
        kind="merchant_application_approved",
        facts={"shop": line.name, "merchant_id": merchant_id},
        now=now,
    )
    return merchant_id


def _found_merchant(
    session: Session,
    actor: Actor,
    line: ApplicationLine,
    application_id: int,
    handle: bytes,
    now: datetime,
) -> int:
    """Add the merchant, decide its application, and bring its papers, shop and first clerk."""
    organization_id = session.scalars(
        select(MerchantApplication.organization_id).where(
            MerchantApplication.id == application_id
        )
    ).one()
    code = organization_of(session, organization_id).code
    merchant_id = add_merchant(
        session, name=line.name, organization_code=code, kind=line.kind, now=now
    )
    _set(
        session,
        application_id,
        state="approved",
        decided_by_id=actor.member_id,
        decided_at=now,
        merchant_id=merchant_id,
    )
    session.execute(
        update(MerchantPaper)
        .where(MerchantPaper.application_id == application_id)
        .values(application_id=None, merchant_id=merchant_id)
    )
    open_shop(
        session,
        merchant_id=merchant_id,
        facts=ShopFacts(line.name[:SHOP_NAME_MAX], line.address),
        hours=(),
        handle=handle,
        actor_id=actor.member_id,
        now=now,
    )
    # The applicant asked for it, wherever they live; what they become clerk of is the actor's.
    grant_role(
        session,
        member_id=line.applicant_id,
        role="clerk",
        merchant_id=merchant_id,
        granted_by_id=actor.member_id,
        now=now,
    )
    return merchant_id


def application_to_decide(
    session: Session, actor: Actor, application_id: int
) -> ApplicationLine:
    """Return an application that this administrator may decide now, locked.

    Raises ApplicationNotFound, OwnApplication, ApplicationDecided.
    """
    _lock(session, application_id)
    line = application_of(session, application_id, actor)
    if not actor.oversees(line.path, "administrator"):
        raise ApplicationNotFound
    if line.applicant_id == actor.member_id:
        raise OwnApplication
    if line.state != "waiting":
        raise ApplicationDecided
    return line


def _lock(session: Session, application_id: int) -> None:
    session.execute(
        select(MerchantApplication.id)
        .where(MerchantApplication.id == application_id)
        .with_for_update()
    )


def _set(session: Session, application_id: int, **values: object) -> None:
    session.execute(
        update(MerchantApplication)
        .where(MerchantApplication.id == application_id)
        .values(**values)
    )


def _note(
    session: Session,
    actor_id: int,
    action: str,
    application_id: int,
    now: datetime,
    **facts: object,
) -> None:
    note(
        session,
        at=now,
        actor_id=actor_id,
        action=action,
        subject=("merchant_application", application_id),
        **facts,
    )
