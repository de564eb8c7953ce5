"""What the evaluation of members reads: their entries, the caps in force, where they count."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from pointsbank.appraisals.models import Exemption, Veto
from pointsbank.core.calendar import Period
from pointsbank.members.models import Belonging, Member
from pointsbank.organizations.models import Organization
from pointsbank.rankings.errors import StandingNotFound
from pointsbank.rankings.policy import yearly_factor
from pointsbank.scoring.evaluating import Evaluation, ItemCaps, Scored, evaluate
from pointsbank.scoring.models import ScoreEntry, ScoringItem, ScoringStandard
from pointsbank.scoring.queries import Standard, standard_on
from pointsbank.scoring.tables import DEFAULT_TABLE, MOBILE_TABLE, EvaluationTable, table_named

# Rule: research/domain.md 2.3: these are neither ranked nor graded; mobile members are, by a
# table of their own.
EXEMPTING_REASONS = ("over_70", "long_illness", "other")
MOBILE_REASON = "mobile"
# Below the parameters that one statement may have on either engine.
IDS_AT_ONCE = 5000


@dataclass(frozen=True)
class Placing:
    """Where a member counts in a period, by which table, and whether at all."""

    organization_id: int
    grid_id: int | None
    table_name: str
    is_exempt: bool
    is_vetoed: bool


@dataclass(frozen=True)
class Cut:
    """How far a closed period is counted: what was recorded before a moment, through an id.

    Whatever one cut does not hold came after it, so that nothing is in both or in neither.
    """

    before: datetime
    through_id: int

    def holds(self) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        """Return the SQL conditions that an entry is counted."""
        return ScoreEntry.id <= self.through_id, ScoreEntry.recorded_at < self.before


def last_day(period: Period) -> date:
    """Return the last local day of a period."""
    return period.end_on - timedelta(days=1)


def standard_for(session: Session, period: Period, today: date) -> Standard:
    """Return the standard that counts a period: of its last day, or of today while it runs.

    Raises NoStandard.
    """
    return standard_on(session, max(min(last_day(period), today), period.first_on))


def caps_for(session: Session, standard: Standard) -> dict[str, ItemCaps]:
    """Return the caps of every item code that entries may carry.

    An item that this standard no longer has keeps those of the newest published version before
    it that has it; one that only a later version has, those of the first that has it.
    """
    rows = session.execute(
        select(
            ScoringItem.code,
            ScoringItem.hundredths_day_max,
            ScoringItem.hundredths_week_max,
            ScoringItem.hundredths_year_max,
        )
        .join(ScoringStandard, ScoringStandard.id == ScoringItem.standard_id)
        .where(ScoringStandard.state == "published")
        .order_by(
            # Later versions first of all, the newest of them first, so that the next overrules.
            (ScoringStandard.version <= standard.version),
            func.abs(ScoringStandard.version - standard.version).desc(),
        )
    )
    return {row[0]: ItemCaps(*row[1:]) for row in rows}


def tables_for(session: Session, standard_id: int) -> dict[str, EvaluationTable]:
    """Return how a standard evaluates members, by the name a placing gives.

    Raises NoSuchTable.
    """
    kept: Any = session.scalar(
        select(ScoringStandard.evaluation_tables).where(ScoringStandard.id == standard_id)
    )
    return {name: table_named(kept or {}, name) for name in (DEFAULT_TABLE, MOBILE_TABLE)}


def entries_of(
    session: Session, *, member_ids: Sequence[int], period: Period, cut: Cut | None = None
) -> dict[int, list[Scored]]:
    """Return what each of these members has in a period; who has nothing has an empty list.

    cut: only what it holds.
    """
    found: dict[int, list[Scored]] = {member_id: [] for member_id in member_ids}
    for ids in portions(member_ids):
        rows = session.execute(
            select(
                ScoreEntry.member_id,
                ScoringItem.code,
                ScoreEntry.category,
                ScoreEntry.earned_on,
                ScoreEntry.evaluation_hundredths,
                ScoreEntry.points,
                ScoreEntry.service_minutes,
            )
            .join(ScoringItem, ScoringItem.id == ScoreEntry.item_id)
            .where(
                ScoreEntry.member_id.in_(ids),
                ScoreEntry.earned_on >= period.first_on,
                ScoreEntry.earned_on < period.end_on,
                *(cut.holds() if cut else ()),
            )
            .order_by(ScoreEntry.earned_on, ScoreEntry.id)
        )
        for row in rows:
            found[row[0]].append(Scored(*row[1:]))
    return found


def placing_of(
    session: Session,
    *,
    member_ids: Sequence[int],
    period: Period,
    decided_before: datetime | None = None,
) -> dict[int, Placing]:
    """Return where each of these members counts in a period; unknown ids are left out.

    A member counts where they belonged on the period's last day, or where their first row says
    if they joined after it. decided_before: exemptions and vetoes as they stood then.
    """
    last_on = last_day(period)
    places: dict[int, tuple[int, int | None]] = {}
    reasons: dict[int, set[str]] = defaultdict(set)
    vetoed: set[int] = set()
    for ids in portions(member_ids):
        for row in session.execute(_places(ids, last_on)):
            places[row.member_id] = (row.organization_id, row.grid_id)
        for member_id, reason in session.execute(_exemptions(ids, last_on, decided_before)):
            reasons[member_id].add(reason)
        vetoed.update(session.scalars(_vetoes(ids, period, decided_before)))
    return {
        member_id: Placing(
            *place,
            table_name=MOBILE_TABLE if MOBILE_REASON in reasons[member_id] else DEFAULT_TABLE,
            is_exempt=any(reason in reasons[member_id] for reason in EXEMPTING_REASONS),
            is_vetoed=member_id in vetoed,
        )
        for member_id, place in places.items()
    }


def members_of(
    session: Session, *, organization_id: int, period: Period, and_below: bool = False
) -> list[int]:
    """Return the active members who count at an organization or grid in a period, by id.

    Only who belonged to it by the period's last day. and_below: those under it as well.
    """
    last_on = last_day(period)
    own = select(Organization.id).where(Organization.id == organization_id)
    if and_below:
        path = select(Organization.path).where(Organization.id == organization_id)
        own = select(Organization.id).where(
            Organization.path.like(path.scalar_subquery().concat("%"))
        )
    return list(
        session.scalars(
            select(Member.id)
            .join(Belonging, Belonging.member_id == Member.id)
            .where(
                Member.state == "active",
                covers(Belonging, last_on),
                or_(Belonging.organization_id.in_(own), Belonging.grid_id.in_(own)),
            )
            .order_by(Member.id)
        )
    )


def evaluation_of(
    session: Session, *, member_id: int, period: Period, today: date
) -> Evaluation:
    """Return one member's evaluation, entry by entry, as docs/scoring.md has it.

    Raises StandingNotFound for an unknown member, NoStandard.
    """
    standard = standard_for(session, period, today)
    placing = placing_of(session, member_ids=[member_id], period=period).get(member_id)
    if placing is None:
        raise StandingNotFound
    return evaluate(
        entries_of(session, member_ids=[member_id], period=period)[member_id],
        caps=caps_for(session, standard),
        table=tables_for(session, standard.id)[placing.table_name],
        factor=yearly_factor(period),
    )


def covers(spans: Any, day: date) -> Any:
    """Return the SQL condition that a row from from_on until until_on holds this day."""
    return and_(spans.from_on <= day, or_(spans.until_on.is_(None), spans.until_on > day))


def portions(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    """Yield ids in portions that one statement can take."""
    for start in range(0, len(ids), IDS_AT_ONCE):
        yield ids[start : start + IDS_AT_ONCE]


def _places(ids: Sequence[int], last_on: date) -> Select[Any]:
    """Return each member's row that covers the day, or else the first that they have.

    Without any row it is where they are now.
    """
    order = func.row_number().over(
        partition_by=Member.id,
        order_by=(covers(Belonging, last_on).desc(), Belonging.from_on),
    )
    rows = (
        select(
            Member.id.label("member_id"),
            func.coalesce(Belonging.organization_id, Member.organization_id).label("place_id"),
            case((Belonging.id.is_(None), Member.grid_id), else_=Belonging.grid_id).label(
                "grid_id"
            ),
            order.label("place"),
        )
        .outerjoin(Belonging, Belonging.member_id == Member.id)
        .where(Member.id.in_(ids))
        .subquery()
    )
    return select(
        rows.c.member_id, rows.c.place_id.label("organization_id"), rows.c.grid_id
    ).where(rows.c.place == 1)


def _exemptions(
    ids: Sequence[int], last_on: date, decided_before: datetime | None
) -> Select[int, str]:
    return select(Exemption.member_id, Exemption.reason_code).where(
        Exemption.member_id.in_(ids),
        _stood(Exemption, decided_before),
        covers(Exemption, last_on),
    )


def _vetoes(ids: Sequence[int], period: Period, decided_before: datetime | None) -> Select[Any]:
    return select(Veto.member_id).where(
        Veto.member_id.in_(ids),
        _stood(Veto, decided_before),
        Veto.occurred_on >= period.first_on,
        Veto.occurred_on < period.end_on,
    )


def _stood(paper: Any, at: datetime | None) -> ColumnElement[bool]:
    """Return the SQL condition that a paper is confirmed, or was at that moment.

    What was lifted afterwards stood then: a closing that comes late counts what one in time
    would have.
    """
    is_confirmed: ColumnElement[bool] = paper.state == "confirmed"
    if at is None:
        return is_confirmed
    return and_(
        paper.decided_at < at,
        or_(
            is_confirmed,
            and_(paper.state == "lifted", paper.lifted_at >= at),
        ),
    )
