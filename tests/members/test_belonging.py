"""Where people belong: every door that takes in or moves somebody keeps it, day by day."""

from datetime import date, timedelta
from functools import partial

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError

from bench.district import signed_in_people
from pointsbank.core.db import run
from pointsbank.core.keys import draw_bytes
from pointsbank.members.belonging import Home, begin_belonging, move_all, move_member
from pointsbank.members.errors import MemberNotFound, MoveTooEarly
from pointsbank.members.importing import import_members, read_members
from pointsbank.members.models import Belonging, Member, MemberChange
from pointsbank.members.service import activate_member, add_first_administrator, suspend_member
from tests.builders import a_branch, a_member, an_organization
from tests.moments import NOON
from tests.racing import race

TODAY = NOON.date()
JOINED = TODAY - timedelta(days=30)
HEADER = "志愿者编号,姓名,手机号,所属组织编码,类别\n"


def spans(session, member_id):
    """Every belonging of a member, the oldest first."""
    rows = session.scalars(
        select(Belonging).where(Belonging.member_id == member_id).order_by(Belonging.from_on)
    )
    return [(row.organization_id, row.grid_id, row.from_on, row.until_on) for row in rows]


def causes(session, member_id):
    rows = session.execute(
        select(MemberChange.cause, MemberChange.from_on)
        .where(MemberChange.member_id == member_id)
        .order_by(MemberChange.id)
    )
    return [tuple(row) for row in rows]


def strays(session):
    """Members whose open belonging is missing or says something else than their own row."""
    return session.scalars(
        select(Member.id)
        .outerjoin(Belonging, (Belonging.member_id == Member.id) & Belonging.until_on.is_(None))
        .where(
            Belonging.id.is_(None)
            | (Belonging.organization_id != Member.organization_id)
            | Belonging.grid_id.is_distinct_from(Member.grid_id)
        )
    ).all()


def an_old_member(session, organization_id):
    return a_member(session, organization_id=organization_id, now=NOON - (TODAY - JOINED))


def imported(session, rows):
    table, problems = read_members((HEADER + rows).encode(), "people.csv")
    report = import_members(
        session,
        table=table,
        problems=problems,
        paths=("/",),
        password_hashes={},
        draw_handle=draw_bytes,
        actor_id=None,
        now=NOON,
        today=TODAY,
    )
    assert not report.rejected
    return report


def moved(session, member_id, organization_id, on=TODAY, grid_id=None):
    return move_member(
        session,
        member_id=member_id,
        organization_id=organization_id,
        grid_id=grid_id,
        on=on,
        now=NOON,
    )


def taken_in_by_hand(session):
    a_member(session)


def first_administrator(session):
    add_first_administrator(
        session,
        name="管理员",
        phone="13900000001",
        password_hash="x",
        handle=b"12345",
        now=NOON,
        today=TODAY,
    )


def by_a_file(session):
    an_organization(session, "B1", "branch")
    imported(session, "10,王桂兰,,B1,居民\n11,李建国,,B1,党员\n")


def by_a_file_that_moves(session):
    by_a_file(session)
    an_organization(session, "B2", "branch")
    imported(session, "10,王桂兰,,B2,居民\n11,李建国,,B1,党员\n")


def measured_with(session):
    signed_in_people(session, an_organization(session), 3, "T")


def moved_by_hand(session):
    moved(session, an_old_member(session, a_branch(session)), a_branch(session))


def moved_within_a_community(session):
    branch = a_branch(session)
    grid = an_organization(session, "G1", "grid", None, "第一网格")
    moved(session, an_old_member(session, branch), branch, grid_id=grid)


DOORS = (
    taken_in_by_hand,
    first_administrator,
    by_a_file,
    by_a_file_that_moves,
    measured_with,
    moved_by_hand,
    moved_within_a_community,
)


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_every_door_keeps_where_people_belong(session, door):
    door(session)
    assert session.scalar(select(func.count()).select_from(Member))
    assert strays(session) == []
    joined = select(MemberChange.member_id).where(MemberChange.cause == "joined")
    assert session.scalars(select(Member.id).where(Member.id.not_in(joined))).all() == []


def test_a_move_that_passes_the_door_by_is_seen(session):
    """The control: the question above can be answered with somebody."""
    member_id, elsewhere = a_member(session), a_branch(session)
    session.execute(
        update(Member).where(Member.id == member_id).values(organization_id=elsewhere)
    )
    assert strays(session) == [member_id]
    session.execute(text("DELETE FROM belonging"))
    assert strays(session) == [member_id]


def test_a_move_ends_one_belonging_and_begins_the_next(session):
    old, new = a_branch(session), a_branch(session)
    member_id = an_old_member(session, old)
    on = TODAY - timedelta(days=3)
    assert moved(session, member_id, new, on)
    assert spans(session, member_id) == [(old, None, JOINED, on), (new, None, on, None)]
    assert causes(session, member_id) == [("joined", JOINED), ("moved", on)]


def test_a_repeat_changes_nothing_and_says_so(session):
    old, new = a_branch(session), a_branch(session)
    member_id = an_old_member(session, old)
    assert moved(session, member_id, new)
    before = spans(session, member_id), causes(session, member_id)
    assert not moved(session, member_id, new, TODAY - timedelta(days=1))
    assert (spans(session, member_id), causes(session, member_id)) == before


def test_two_moves_on_one_day_leave_one_belonging_of_that_day(session):
    first, second, third = (a_branch(session) for _ in range(3))
    member_id = an_old_member(session, first)
    moved(session, member_id, second)
    moved(session, member_id, third)
    assert spans(session, member_id) == [
        (first, None, JOINED, TODAY),
        (third, None, TODAY, None),
    ]


def test_nobody_moves_before_they_came(session):
    member_id, new = an_old_member(session, a_branch(session)), a_branch(session)
    with pytest.raises(MoveTooEarly) as refused:
        moved(session, member_id, new, JOINED - timedelta(days=1))
    assert refused.value.facts == {"began_on": JOINED}
    assert moved(session, member_id, new, JOINED)
    assert spans(session, member_id) == [(new, None, JOINED, None)]
    with pytest.raises(MemberNotFound):
        moved(session, 9_000_000_000, new)


def test_a_file_moves_many_and_leaves_the_grid_they_live_in(session):
    by_a_file(session)
    grid = an_organization(session, "G1", "grid", None, "第一网格")
    elsewhere = an_organization(session, "B2", "branch")
    wang = session.scalar(select(Member.id).where(Member.volunteer_no == "10"))
    home = session.scalar(select(Member.organization_id).where(Member.id == wang))
    moved(session, wang, home, grid_id=grid)
    imported(session, "10,王桂兰,,B2,居民\n11,李建国,,B2,党员\n")
    assert spans(session, wang) == [(elsewhere, grid, TODAY, None)]
    assert strays(session) == []


def test_many_are_taken_in_and_moved_without_naming_one_another(session):
    branch, other = a_branch(session), a_branch(session)
    people = [an_old_member(session, branch) for _ in range(5)]
    move_all(session, homes=[Home(each, other) for each in people[:2]], on=TODAY, now=NOON)
    assert [len(spans(session, each)) for each in people] == [2, 2, 1, 1, 1]
    begin_belonging(session, members=[], on=TODAY, now=NOON)
    move_all(session, homes=[], on=TODAY, now=NOON)


def test_stopping_and_opening_an_account_is_a_change(session):
    member_id = an_old_member(session, a_branch(session))
    for act, by in ((suspend_member, "suspended_by_id"), (activate_member, "activated_by_id")):
        for _ in range(2):
            act(session, member_id=member_id, now=NOON, today=TODAY, **{by: None})
    assert causes(session, member_id) == [
        ("joined", JOINED),
        ("state", TODAY),
        ("state", TODAY),
    ]


def test_two_moves_at_once_meet_at_the_member(app, writing):
    with writing() as session:
        old, *new = (a_branch(session) for _ in range(3))
        member_id = an_old_member(session, old)
    days = TODAY - timedelta(days=2), TODAY
    answers = race(
        app,
        [
            partial(
                run, lambda session, where=where, on=on: moved(session, member_id, where, on)
            )
            for where, on in zip(new, days, strict=True)
        ],
    )
    with writing() as session:
        assert strays(session) == []
        found = spans(session, member_id)
    # Whichever came first, the days follow one another without a gap.
    assert found[0][2] == JOINED
    assert [span[3] for span in found] == [*(span[2] for span in found[1:]), None]
    late = [answer for answer in answers if isinstance(answer, Exception)]
    assert all(type(answer) is MoveTooEarly for answer in late)
    assert len(found) == 3 - len(late)


def test_a_belonging_of_no_length_is_refused_by_the_database(session):
    row = Belonging(
        member_id=a_member(session),
        organization_id=a_branch(session),
        from_on=date(2026, 1, 2),
        until_on=date(2026, 1, 2),
    )
    with pytest.raises(IntegrityError, match="ck_belonging_span"), session.begin_nested():
        session.add(row)
