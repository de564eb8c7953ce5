"""What stands about members on a day or in a period: exemptions, vetoes, who turned 70."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from pointsbank.appraisals.models import (
    EVALUATED_KINDS,
    OVER_70_YEARS,
    Exemption,
    Veto,
)
from pointsbank.core.text import masked_name
from pointsbank.members.models import Member
from pointsbank.organizations.models import Organization
from pointsbank.organizations.queries import within

# Below the parameters that one statement may have on either engine.
IDS_AT_ONCE = 5000
HINTS_MAX = 100


@dataclass(frozen=True)
class Elder:
    """A party member who has turned 70 and has no exemption; the name is masked."""

    id: int
    volunteer_no: str
    display_name: str
    organization_name: str


def exemptions_on(
    session: Session, member_ids: Sequence[int], day: date
) -> dict[int, frozenset[str]]:
    """Return the reasons of the confirmed exemptions that cover a day; who has none is left
    out."""
    found: dict[int, set[str]] = defaultdict(set)
    for ids in _portions(member_ids):
        rows = session.execute(
            select(Exemption.member_id, Exemption.reason_code).where(
                Exemption.member_id.in_(ids),
                Exemption.state == "confirmed",
                Exemption.from_on <= day,
                or_(Exemption.until_on.is_(None), Exemption.until_on > day),
            )
        )
        for member_id, reason in rows:
            found[member_id].add(reason)
    return {member_id: frozenset(reasons) for member_id, reasons in found.items()}


def vetoes_within(
    session: Session, member_ids: Sequence[int], first_on: date, end_on: date
) -> frozenset[int]:
    """Return whom a confirmed veto concerns that occurred in a span; end_on is exclusive."""
    found: set[int] = set()
    for ids in _portions(member_ids):
        found.update(
            session.scalars(
                select(Veto.member_id).where(
                    Veto.member_id.in_(ids),
                    Veto.state == "confirmed",
                    Veto.occurred_on >= first_on,
                    Veto.occurred_on < end_on,
                )
            )
        )
    return frozenset(found)


def _portions(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[n : n + IDS_AT_ONCE] for n in range(0, len(ids), IDS_AT_ONCE))


def elders_without_exemption(
    session: Session, paths: Iterable[str], today: date
) -> list[Elder]:
    """Return active party members under these paths who turned 70 and have no exemption that
    waits or holds: a hint, nothing follows from it. At most 100."""
    is_leap_day = (today.month, today.day) == (2, 29)
    day = 28 if is_leap_day else today.day
    latest = date(today.year - OVER_70_YEARS, today.month, day)
    stands = exists(
        select(Exemption.id).where(
            Exemption.member_id == Member.id,
            Exemption.state.in_(("pending", "confirmed")),
            or_(Exemption.until_on.is_(None), Exemption.until_on > today),
        )
    )
    rows = session.execute(
        select(Member.id, Member.volunteer_no, Member.name, Organization.name.label("home"))
        .join(Organization, Organization.id == Member.organization_id)
        .where(
            within(Organization.path, paths),
            Member.state == "active",
            Member.kind.in_(EVALUATED_KINDS),
            Member.born_on <= latest,
            ~stands,
        )
        .order_by(Member.born_on, Member.id)
        .limit(HINTS_MAX)
    )
    return [Elder(row.id, row.volunteer_no, masked_name(row.name), row.home) for row in rows]
