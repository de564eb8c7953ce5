"""Where people belong, day by day, and what else changes how they are counted."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import bindparam, exists, insert, literal, select, update
from sqlalchemy.orm import Session

from pointsbank.members.errors import MemberNotFound, MoveTooEarly
from pointsbank.members.models import Belonging, Member, MemberChange

# Below the parameters that one statement may have on either engine.
IDS_AT_ONCE = 5000


@dataclass(frozen=True)
class Home:
    """Where one member belongs: an organization, and the grid they live in if it is known."""

    member_id: int
    organization_id: int
    grid_id: int | None = None


def begin_belonging(
    session: Session, *, members: Sequence[Home], on: date, now: datetime
) -> None:
    """Note where members who were just taken in belong, from a local day on.

    A member who belongs somewhere already breaks a unique constraint.
    """
    if not members:
        return
    session.execute(
        insert(Belonging),
        [
            {
                "member_id": home.member_id,
                "organization_id": home.organization_id,
                "grid_id": home.grid_id,
                "from_on": on,
            }
            for home in members
        ],
    )
    note_change(
        session,
        member_ids=[home.member_id for home in members],
        cause="joined",
        from_on=on,
        now=now,
    )


def move_member(
    session: Session,
    *,
    member_id: int,
    organization_id: int,
    grid_id: int | None,
    on: date,
    now: datetime,
) -> bool:
    """Let a member belong elsewhere from a local day on, and tell whether anything changed.

    A move on the very day the last belonging began takes its place, as if it had never been.
    Whoever belongs there already is left alone. Scope is the caller's to check.
    Raises MemberNotFound, MoveTooEarly.
    """
    # The member's row is where two moves meet; the second sees what the first left.
    locked = session.execute(
        select(Member.organization_id, Member.grid_id)
        .where(Member.id == member_id)
        .with_for_update()
    ).first()
    if locked is None:
        raise MemberNotFound
    if (locked.organization_id, locked.grid_id) == (organization_id, grid_id):
        return False
    began_on = session.execute(
        select(Belonging.from_on).where(
            Belonging.member_id == member_id, Belonging.until_on.is_(None)
        )
    ).scalar_one()
    if on < began_on:
        raise MoveTooEarly(began_on=began_on)
    move_all(session, homes=[Home(member_id, organization_id, grid_id)], on=on, now=now)
    return True


def move_all(session: Session, *, homes: Sequence[Home], on: date, now: datetime) -> None:
    """Let members belong to these homes from a local day on, many in a few statements.

    A belonging that began on that day or later is put right instead of ended, so that whoever
    was taken in this morning and moved by a file has belonged to one place only.
    """
    if not homes:
        return
    rows = [
        {"who": home.member_id, "where": home.organization_id, "grid": home.grid_id}
        for home in homes
    ]
    left = {
        row.id: row.organization_id
        for start in range(0, len(rows), IDS_AT_ONCE)
        for row in session.execute(
            select(Member.id, Member.organization_id).where(
                Member.id.in_([each["who"] for each in rows[start : start + IDS_AT_ONCE]])
            )
        )
    }
    connection = session.connection()
    spans, people = Belonging.__table__, Member.__table__
    is_open = (spans.c.member_id == bindparam("who")) & spans.c.until_on.is_(None)
    for statement in (
        update(spans)  # type: ignore[arg-type]  # a declarative class hides its Table's type
        .where(is_open, spans.c.from_on < on)
        .values(until_on=on),
        update(spans)  # type: ignore[arg-type]
        .where(is_open)
        .values(organization_id=bindparam("where"), grid_id=bindparam("grid")),
        insert(spans).from_select(  # type: ignore[arg-type]
            ["member_id", "organization_id", "grid_id", "from_on"],
            select(
                people.c.id,
                bindparam("where", type_=spans.c.organization_id.type),
                bindparam("grid", type_=spans.c.grid_id.type),
                literal(on, spans.c.from_on.type),
            ).where(
                people.c.id == bindparam("who"), ~exists(select(spans.c.id).where(is_open))
            ),
        ),
        update(people)  # type: ignore[arg-type]
        .where(people.c.id == bindparam("who"))
        .values(organization_id=bindparam("where"), grid_id=bindparam("grid")),
    ):
        connection.execute(statement, rows)
    session.expire_all()
    note_change(
        session,
        member_ids=[home.member_id for home in homes],
        cause="moved",
        from_on=on,
        now=now,
        left=left,
    )


def note_change(
    session: Session,
    *,
    member_ids: Iterable[int],
    cause: str,
    from_on: date,
    now: datetime,
    left: Mapping[int, int] | None = None,
) -> None:
    """Leave a row for the roll-up: from this local day on these members may count otherwise.

    cause: one of models.CHANGE_CAUSES. left: the organization each one leaves by it, which
    Belonging forgets when it is put right. A repeat adds a row and harms nothing.
    """
    rows = [
        {
            "member_id": each,
            "cause": cause,
            "left_id": (left or {}).get(each),
            "from_on": from_on,
            "recorded_at": now,
        }
        for each in member_ids
    ]
    if rows:
        session.execute(insert(MemberChange), rows)
