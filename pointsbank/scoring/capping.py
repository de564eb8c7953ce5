"""The most points one person gets by one item in a day, a week and a year.

What was awarded is counted gross, row by row; what the ledger took back makes room again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Date, bindparam, select, text
from sqlalchemy.orm import Session

from pointsbank.scoring.errors import CapTakenMeanwhile
from pointsbank.scoring.models import Item, PointsTaken

DAY_CAP, WEEK_CAP, YEAR_CAP = "day_cap", "week_cap", "year_cap"
DAYS_A_WEEK = 7

# A row begins with what its span has been awarded so far, whatever standard limited it then.
BEGIN = (
    text(
        """
    INSERT INTO points_taken (member_id, item_code, span, points)
    SELECT m.id, :item_code, :span, COALESCE((
        SELECT SUM(entry.points) FROM score_entry AS entry
        JOIN scoring_item AS item ON item.id = entry.item_id
        WHERE entry.member_id = m.id AND item.code = :item_code
          AND entry.cause LIKE 'award:%'
          AND entry.earned_on >= :first_on AND entry.earned_on < :end_on), 0)
    FROM member AS m WHERE m.id IN :member_ids ORDER BY m.id
    ON CONFLICT (member_id, item_code, span) DO NOTHING
    """
    )
    .bindparams(bindparam("member_ids", expanding=True))
    .bindparams(bindparam("first_on", type_=Date()), bindparam("end_on", type_=Date()))
    .bindparams(bindparam("item_code", type_=PointsTaken.item_code.type))
    .bindparams(bindparam("span", type_=PointsTaken.span.type))
)
# Two settlements meet here: of two that want the same room one finds it gone.
TAKE = text(
    """
    UPDATE points_taken SET points = points + :more
    WHERE member_id = :member_id AND item_code = :item_code AND span = :span
      AND points + :more <= :most
    """
)
# By the ledger, not by the entries: what was spent before it could be taken back is not back.
RETURNED = (
    text(
        """
    SELECT entry.member_id, SUM(back.points) AS points
    FROM score_entry AS entry
    JOIN scoring_item AS item ON item.id = entry.item_id
    JOIN transfer AS award ON award.key = entry.cause
    JOIN transfer AS back ON back.reverses_id = award.id
    WHERE entry.member_id IN :member_ids AND item.code = :item_code
      AND entry.earned_on >= :first_on AND entry.earned_on < :end_on
    GROUP BY entry.member_id
    """
    )
    .bindparams(bindparam("member_ids", expanding=True))
    .bindparams(bindparam("first_on", type_=Date()), bindparam("end_on", type_=Date()))
)


@dataclass(frozen=True)
class Span:
    """A span that an item limits: its name, its days, the most points, why more is cut."""

    name: str
    first_on: date
    end_on: date
    most: int
    reason: str


@dataclass(frozen=True)
class Room:
    """How many points somebody may still get, by which limit, and each span's own limit."""

    left: int
    reason: str
    limits: Mapping[str, int]


def spans_of(item: Item, day: date) -> list[Span]:
    """Return the spans around a local day that an item limits, the shortest first."""
    iso, monday = day.isocalendar(), day - timedelta(days=day.weekday())
    spans = (
        (day.isoformat(), day, day + timedelta(days=1), item.points_day_max, DAY_CAP),
        (
            f"{iso.year}-W{iso.week:02d}",
            monday,
            monday + timedelta(days=DAYS_A_WEEK),
            item.points_week_max,
            WEEK_CAP,
        ),
        (
            f"{day.year:04d}",
            date(day.year, 1, 1),
            date(day.year + 1, 1, 1),
            item.points_year_max,
            YEAR_CAP,
        ),
    )
    return [
        Span(name, first_on, end_on, most, reason)
        for name, first_on, end_on, most, reason in spans
        if most is not None
    ]


def room_for(
    session: Session, *, member_ids: Sequence[int], item: Item, day: date
) -> dict[int, Room]:
    """Return how many points each of these may still get by an item on a day.

    Empty where the item limits nothing. The rows stay locked until the transaction ends, taken
    in the order of members: ask before a wallet is locked.
    """
    spans = spans_of(item, day)
    if not spans or not member_ids:
        return {}
    ids = sorted(set(member_ids))
    for span in spans:
        session.execute(BEGIN, {"member_ids": ids, **_key(item, span), **_days(span)})
    taken = _taken(session, ids, item, spans)
    back = [_returned(session, ids, item, span) for span in spans]
    return {
        member_id: _room(
            [
                (span, had.get(member_id, 0), taken[member_id, span.name])
                for span, had in zip(spans, back, strict=True)
            ]
        )
        for member_id in ids
    }


def _room(spans: Sequence[tuple[Span, int, int]]) -> Room:
    """Return the room of one person: each span with what came back and what is taken."""
    limits = {span.name: span.most + back for span, back, _taken in spans}
    left, reason = min(
        ((max(0, limits[span.name] - taken), span.reason) for span, _back, taken in spans),
        key=lambda each: each[0],
    )
    return Room(left, reason, limits)


def _taken(
    session: Session, ids: Sequence[int], item: Item, spans: Sequence[Span]
) -> dict[tuple[int, str], int]:
    """Return what stands in the rows, which are locked in one order."""
    rows = session.execute(
        select(PointsTaken.member_id, PointsTaken.span, PointsTaken.points)
        .where(
            PointsTaken.member_id.in_(ids),
            PointsTaken.item_code == item.code,
            PointsTaken.span.in_([span.name for span in spans]),
        )
        .order_by(PointsTaken.member_id, PointsTaken.span)
        .with_for_update()
    )
    return {(row.member_id, row.span): row.points for row in rows}


def take_points(
    session: Session, *, points: Mapping[int, int], rooms: Mapping[int, Room], item: Item
) -> None:
    """Count points that are being awarded against the limits that room_for answered.

    Raises CapTakenMeanwhile when a row has no such room any more.
    """
    rows = [
        {
            "member_id": member_id,
            "item_code": item.code,
            "span": name,
            "more": more,
            "most": most,
        }
        for member_id, more in sorted(points.items())
        if more > 0 and member_id in rooms
        for name, most in rooms[member_id].limits.items()
    ]
    if not rows:
        return
    changed: Any = session.execute(TAKE, rows)
    if changed.rowcount != len(rows):
        raise CapTakenMeanwhile


def forget_taken(session: Session) -> None:
    """Let all rows begin anew from the entries: another standard limits other spans."""
    session.execute(text("DELETE FROM points_taken"))


def _returned(session: Session, ids: Sequence[int], item: Item, span: Span) -> dict[int, int]:
    rows = session.execute(RETURNED, {"member_ids": ids, "item_code": item.code, **_days(span)})
    return {row.member_id: int(row.points) for row in rows}


def _key(item: Item, span: Span) -> dict[str, Any]:
    return {"item_code": item.code, "span": span.name}


def _days(span: Span) -> dict[str, Any]:
    return {"first_on": span.first_on, "end_on": span.end_on}
