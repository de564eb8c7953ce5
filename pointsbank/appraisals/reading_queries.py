"""Papers as those read them who look after a member, and as the member does."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, aliased

from pointsbank.appraisals.errors import PaperNotFound
from pointsbank.appraisals.models import Deduction, Exemption, LateEntry, Veto
from pointsbank.core.text import masked_name
from pointsbank.members.models import Member
from pointsbank.members.queries import display_names
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import within
from pointsbank.scoring.models import ScoringItem

LATE = "late_entries"
PaperModel = type[Deduction] | type[Veto] | type[Exemption] | type[LateEntry]

KINDS: dict[str, PaperModel] = {
    "deductions": Deduction,
    "vetoes": Veto,
    "exemptions": Exemption,
    LATE: LateEntry,
}
PAPERS_MAX = 200
PEOPLE = ("entered_by", "confirmed_by", "lifted_by", "answered_by")


@dataclass(frozen=True)
class PaperFile:
    """A paper with the people it names, all masked.

    path: where the member belonged when it was entered. home_path: where they belong now.
    occurred_on: the day of an exemption's beginning too. What a kind does not have is None.
    """

    kind: str
    id: int
    member_id: int
    member_name: str
    volunteer_no: str
    organization_name: str
    path: str
    home_path: str
    state: str
    reason: str
    reason_code: str | None
    hundredths: int | None
    item_code: str | None
    item_name: str
    item_name_zh: str
    times: int | None
    service_minutes: int | None
    document_no: str | None
    evidence: str | None
    occurred_on: date
    until_on: date | None
    entered_by_id: int
    entered_at: datetime
    confirmed_by_id: int | None
    decided_at: datetime | None
    decision_reason: str
    lifted_by_id: int | None
    lifted_at: datetime | None
    lift_reason: str
    statement: str | None
    stated_at: datetime | None
    answer: str | None
    answered_by_id: int | None
    answered_at: datetime | None
    entered_by: str
    confirmed_by: str
    lifted_by: str
    answered_by: str

    @property
    def is_ended(self) -> bool:
        """Whether an exemption was ended by somebody for the days to come."""
        return self.state == "confirmed" and self.lifted_by_id is not None


def papers_within(
    session: Session,
    kind: str,
    paths: Iterable[str],
    *,
    states: Sequence[str] = (),
    before_id: int | None = None,
    limit: int = PAPERS_MAX,
) -> list[PaperFile]:
    """Return the papers of a kind that were entered under these paths, or are about somebody
    who belongs there now, the newest first. states: only these, all without."""
    model, kept = model_of(kind), tuple(paths)
    home = aliased(Organization)
    conditions = [or_(within(Organization.path, kept), within(home.path, kept))]
    if states:
        conditions.append(model.state.in_(states))
    if before_id is not None:
        conditions.append(model.id < before_id)
    return _read(session, kind, home, and_(*conditions), limit)


def paper_of(session: Session, kind: str, paper_id: int, paths: Iterable[str]) -> PaperFile:
    """Return one paper within these paths.

    Raises PaperNotFound, for a foreign one as for an unknown one.
    """
    model, kept, home = model_of(kind), tuple(paths), aliased(Organization)
    is_within = or_(within(Organization.path, kept), within(home.path, kept))
    found = _read(session, kind, home, and_(model.id == paper_id, is_within), 1)
    if not found:
        raise PaperNotFound
    return found[0]


def papers_about(session: Session, member_id: int) -> list[PaperFile]:
    """Return all papers about one member, whatever became of them, the newest first."""
    found: list[PaperFile] = []
    for kind, model in KINDS.items():
        home = aliased(Organization)
        found += _read(session, kind, home, model.member_id == member_id, PAPERS_MAX)
    return sorted(found, key=lambda paper: paper.entered_at, reverse=True)


def own_paper(session: Session, kind: str, paper_id: int, member_id: int) -> PaperFile:
    """Return a paper about this member.

    Raises PaperNotFound, for a paper about another as for an unknown one.
    """
    model, home = model_of(kind), aliased(Organization)
    mine = and_(model.id == paper_id, model.member_id == member_id)
    found = _read(session, kind, home, mine, 1)
    if not found:
        raise PaperNotFound
    return found[0]


def model_of(kind: str) -> PaperModel:
    """Return the table of a kind of paper.

    Raises PaperNotFound for a kind there is none of.
    """
    if kind not in KINDS:
        raise PaperNotFound
    return KINDS[kind]


def _read(
    session: Session, kind: str, home: Any, condition: Any, limit: int
) -> list[PaperFile]:
    model = model_of(kind)
    rows = session.execute(
        select(
            model,
            Member.name,
            Member.volunteer_no,
            Organization.name,
            Organization.path,
            home.path,
        )
        .join(Member, Member.id == model.member_id)
        .join(Organization, Organization.id == model.organization_id)
        .join(home, home.id == Member.organization_id)
        .where(condition)
        .order_by(model.id.desc())
        .limit(limit)
    ).all()
    ids = {getattr(row[0], f"{each}_id", None) for row in rows for each in PEOPLE} - {None}
    names = display_names(session, [each for each in ids if each is not None])
    codes = {row[0].item_code for row in rows} if kind == LATE else set()
    items = _item_names(session, codes) if codes else {}
    return [_file(kind, row, names, items) for row in rows]


def _item_names(session: Session, codes: set[str]) -> dict[str, tuple[str, str]]:
    """Return what items are called, in English and in Chinese, as their newest version says."""
    rows = session.execute(
        select(ScoringItem.code, ScoringItem.name, ScoringItem.name_zh)
        .where(ScoringItem.code.in_(codes))
        .order_by(ScoringItem.id)
    )
    return {row.code: (row.name, row.name_zh) for row in rows}


def _file(
    kind: str, row: Any, names: dict[int, str], items: dict[str, tuple[str, str]]
) -> PaperFile:
    paper = row[0]
    given: dict[str, Any] = {
        name: getattr(paper, name, None)
        for name in PaperFile.__dataclass_fields__
        if name not in ("kind", "occurred_on")
    }
    given["item_name"], given["item_name_zh"] = items.get(given["item_code"] or "", ("", ""))
    people = {each: names.get(given[f"{each}_id"] or 0, "") for each in PEOPLE}
    given |= people | {
        "kind": kind,
        "occurred_on": paper.from_on if kind == "exemptions" else paper.occurred_on,
        "member_name": masked_name(row[1]),
        "volunteer_no": row[2],
        "organization_name": row[3],
        "path": row[4],
        "home_path": row[5],
    }
    return PaperFile(**given)
