"""Papers of applications and merchants: judged by what they hold, made smaller, kept."""

import hashlib
import io
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, insert, select
from sqlalchemy.orm import Session

from pointsbank.core.actor import Actor
from pointsbank.core.audit import note
from pointsbank.core.images import NotDecodable, TooManyPixels, decoded
from pointsbank.members.queries import role_holders_over
from pointsbank.merchants.errors import BadPaper, PaperTooLarge, TooManyPapers
from pointsbank.merchants.models import PAPER_BYTES_MAX, MerchantPaper
from pointsbank.merchants.scope import lock_merchant, merchant_to_keep
from pointsbank.messages.service import tell_each

MEGABYTE = 1024 * 1024
# What a telephone's camera makes is taken and made smaller.
UPLOAD_BYTES_MAX = 12 * MEGABYTE
PAPERS_MAX = 12
# A license is renewed every few years and what it replaces is kept: enough for decades.
MERCHANT_PAPERS_MAX = 40
FILE_NAME_MAX = 120
# Small print of a license stays readable.
SIDE_MAX = 2_000
# Of a picture so busy that it is too large in the first, a coarser one is kept.
QUALITIES = (82, 60, 40)
JPEG_PIXELS_MAX = 80_000_000
PDF_HEAD = b"%PDF-"
PDF_FOOT = b"%%EOF"
# Behind its last mark a PDF may have a little more.
PDF_FOOT_WITHIN = 2_048


@dataclass(frozen=True)
class Paper:
    """A paper as it is kept. kind: one of models.PAPER_KINDS."""

    kind: str
    file_name: str
    media_type: str
    content: bytes


def judged_paper(kind: str, file_name: str, content: bytes) -> Paper:
    """Return an uploaded paper as it will be kept; what it is called decides nothing.

    A picture is written anew as JPEG, without what its camera wrote into it.
    Raises BadPaper, PaperTooLarge.
    """
    if len(content) > UPLOAD_BYTES_MAX:
        raise PaperTooLarge(megabytes=PAPER_BYTES_MAX // MEGABYTE)
    if content.startswith(PDF_HEAD):
        if len(content) > PAPER_BYTES_MAX:
            raise PaperTooLarge(megabytes=PAPER_BYTES_MAX // MEGABYTE)
        if PDF_FOOT not in content[-PDF_FOOT_WITHIN:]:
            raise BadPaper
        return Paper(kind, file_name[:FILE_NAME_MAX], "application/pdf", content)
    return Paper(kind, file_name[:FILE_NAME_MAX], "image/jpeg", rewritten(content))


def rewritten(content: bytes) -> bytes:
    """Return a picture as a JPEG of at most 2,000 pixels a side, upright, with nothing else in
    it.

    Raises BadPaper, also for one that would unfold to more than memory should hold, and
    PaperTooLarge.
    """
    try:
        flat = decoded(content, side=SIDE_MAX, jpeg_pixels_max=JPEG_PIXELS_MAX)
    except (NotDecodable, TooManyPixels) as error:
        raise BadPaper from error
    for quality in QUALITIES:
        written = io.BytesIO()
        flat.save(written, "JPEG", quality=quality, optimize=True)
        if written.tell() <= PAPER_BYTES_MAX:
            return written.getvalue()
    raise PaperTooLarge(megabytes=PAPER_BYTES_MAX // MEGABYTE)


def keep_paper(
    session: Session,
    paper: Paper,
    *,
    application_id: int | None = None,
    merchant_id: int | None = None,
    uploaded_by_id: int,
    now: datetime,
) -> int:
    """Keep a paper with an application or a merchant, and return its id; a repeat keeps none.

    Raises TooManyPapers.
    """
    if application_id is not None:
        belongs, most = MerchantPaper.application_id == application_id, PAPERS_MAX
    else:
        belongs, most = MerchantPaper.merchant_id == merchant_id, MERCHANT_PAPERS_MAX
    before = _kept_before(session, paper, belongs)
    if before is not None:
        return before
    count = session.scalar(select(func.count()).select_from(MerchantPaper).where(belongs))
    if (count or 0) >= most:
        raise TooManyPapers(most=most)
    return session.execute(
        insert(MerchantPaper)
        .values(
            application_id=application_id,
            merchant_id=merchant_id,
            **vars(paper),
            size=len(paper.content),
            digest=_digest_of(paper),
            uploaded_by_id=uploaded_by_id,
            uploaded_at=now,
        )
        .returning(MerchantPaper.id)
    ).scalar_one()


def _kept_before(session: Session, paper: Paper, belongs: ColumnElement[bool]) -> int | None:
    """Return the id of the same file kept as the same kind: somebody sent a form twice."""
    return session.scalar(
        select(MerchantPaper.id).where(
            belongs, MerchantPaper.kind == paper.kind, MerchantPaper.digest == _digest_of(paper)
        )
    )


def _digest_of(paper: Paper) -> bytes:
    return hashlib.sha256(paper.content).digest()


def add_merchant_paper(
    session: Session, *, actor: Actor, merchant_id: int, paper: Paper, now: datetime
) -> int:
    """Add a paper to a merchant's own and return its id; the administrators over it are told.

    A repeat changes nothing.
    The ones before stay, each with its day: what held when something was sold can be shown.
    Raises MerchantNotFound, TooManyPapers.
    """
    merchant = merchant_to_keep(session, actor, merchant_id)
    lock_merchant(session, merchant_id)
    before = _kept_before(session, paper, MerchantPaper.merchant_id == merchant_id)
    if before is not None:
        return before
    paper_id = keep_paper(
        session, paper, merchant_id=merchant_id, uploaded_by_id=actor.member_id, now=now
    )
    note(
        session,
        at=now,
        actor_id=actor.member_id,
        action="add_merchant_paper",
        subject=("merchant", merchant_id),
        paper_id=paper_id,
        kind=paper.kind,
    )
    overseers = set(role_holders_over(session, merchant.path, ("administrator",)))
    tell_each(
        session,
        key=f"merchant_paper:{paper_id}",
        member_ids=overseers - {actor.member_id},
        kind="merchant_paper_added",
        facts={"shop": merchant.name, "merchant_id": merchant_id},
        now=now,
    )
    return paper_id
