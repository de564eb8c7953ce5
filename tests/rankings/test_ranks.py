"""Ranks by each measure in each place, transfers in mid-period, and how ranks are looked up."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from pointsbank.appraisals.models import Exemption
from pointsbank.core.calendar import read_period
from pointsbank.members.belonging import move_member, note_change
from pointsbank.organizations.models import Organization
from pointsbank.rankings.models import MEASURES, BranchStanding, MemberStanding
from pointsbank.rankings.queries import (
    count_ranked,
    count_with,
    every_ranked,
    member_ranked,
    next_above,
    ranked_branches,
    ranked_members,
    scope_of,
    tied_name,
    value_of,
)
from tests.builders import TODAY, a_branch, a_member, a_score_entry, an_organization
from tests.moments import NOON
from tests.rankings.boards import roll
from tests.rankings.test_sources import confirmed

QUARTER = read_period("2026-Q4")
EARLIER = NOON - timedelta(days=60)


class District:
    """Two communities with a branch each and people in them, one of them living in a grid."""

    def __init__(self, session):
        self.session = session
        self.top = an_organization(session, "D1", "district")
        self.homes = [an_organization(session, f"C{n}", parent=self.top) for n in range(2)]
        self.branches = [a_branch(session, parent=home) for home in self.homes]
        self.grid = an_organization(session, "G1", "grid", self.homes[0])
        self.members = []
        places = (*self.branches, self.homes[0], self.branches[0], self.branches[1])
        for number, place in enumerate(places):
            member = a_member(session, organization_id=place, now=EARLIER)
            self.members.append(member)
            a_score_entry(
                session,
                member,
                evaluation_hundredths=(3, 1, 3, 2, 1)[number] * 100,
                points=(10, 40, 30, 30, 20)[number],
                service_minutes=(120, 60, 240, 60, 60)[number],
            )
        self.exempt = a_member(session, organization_id=self.branches[0], now=EARLIER)
        a_score_entry(session, self.exempt, evaluation_hundredths=900, points=900)
        confirmed(
            session, Exemption, self.exempt, reason_code="over_70", from_on=EARLIER.date()
        )
        move_member(
            session,
            member_id=self.members[3],
            organization_id=self.branches[0],
            grid_id=self.grid,
            on=TODAY,
            now=NOON,
        )
        roll(session)

    def scope(self, place, measure="evaluation"):
        path = self.session.scalar(select(Organization.path).where(Organization.id == place))
        return scope_of(self.session, period="2026-Q4", paths=(path,), measure=measure)


@pytest.fixture
def district(session):
    return District(session)


def plainly(district, place, measure):
    """Return [(rank, member)] counted one by one."""
    path = district.scope(place).places[0].path
    paths = dict(district.session.execute(select(Organization.id, Organization.path)).all())
    rows = district.session.scalars(select(MemberStanding).where(~MemberStanding.is_exempt))
    values = {
        row.member_id: value_of(row, measure)
        for row in rows
        if paths[row.organization_id].startswith(path) or row.grid_id == place
    }
    return {
        (1 + sum(other > value for other in values.values()), member)
        for member, value in values.items()
    }


@pytest.mark.parametrize("measure", MEASURES)
def test_ranks_are_what_counting_one_by_one_gives(district, measure):
    places = (district.top, *district.homes, *district.branches, district.grid)
    for place in places:
        scope = district.scope(place, measure)
        rows = ranked_members(district.session, scope)
        wanted = plainly(district, place, measure)
        assert {(row.rank, row.id) for row in rows} == wanted
        assert count_ranked(district.session, scope) == len(wanted)
        for row in rows:
            alone = member_ranked(district.session, scope, row.id)
            assert (alone.rank, alone.is_tied) == (row.rank, row.is_tied)
            has_same = count_with(district.session, scope, value_of(row, measure)) > 1
            assert row.is_tied is has_same
        found = every_ranked(district.session, of="members", scope=scope, paths=())
        assert [(row.rank, row.id) for row in found] == [(row.rank, row.id) for row in rows]
    assert len(plainly(district, district.top, measure)) == 5
    assert len(plainly(district, district.grid, measure)) == 1


def test_pages_of_any_length_come_to_the_same_list(district):
    scope = district.scope(district.top)
    whole = ranked_members(district.session, scope)
    for size in (1, 2, 3):
        pages = [
            row
            for skip in range(0, 5, size)
            for row in ranked_members(district.session, scope, skip=skip, limit=size)
        ]
        assert pages == whole
    assert ranked_members(district.session, scope, skip=5) == []


def test_several_places_are_ranked_together_and_one_within_another_counts_once(district):
    session = district.session
    paths = dict(session.execute(select(Organization.id, Organization.path)).all())
    both = tuple(paths[each] for each in (*district.branches, district.homes[1]))
    scope = scope_of(session, period="2026-Q4", paths=both)
    assert {node.id for node in scope.places} == {district.branches[0], district.homes[1]}
    assert [row.rank for row in ranked_members(session, scope)] == [1, 2, 3, 3]
    everything = scope_of(session, period="2026-Q4", paths=("/",))
    assert count_ranked(session, everything) == 5


def test_who_is_exempt_has_a_score_and_no_rank(district):
    found = member_ranked(district.session, district.scope(district.top), district.exempt)
    assert (found.rank, found.is_exempt) == (None, True)
    assert found.evaluation_hundredths > 0


def test_the_next_above_is_told_with_its_rank_and_a_tie_by_name(district):
    session, scope = district.session, district.scope(district.top)
    last = ranked_members(session, scope)[-1]
    above = next_above(session, scope, last.evaluation_hundredths)
    assert (above.rank, above.value) == (3, 800)
    assert next_above(session, scope, 1200) is None
    assert tied_name(session, scope, value=400, but_not=last.id) == "王*兰"
    assert tied_name(session, scope, value=800, but_not=district.members[3]) is None


def test_moving_in_mid_period_neither_loses_nor_doubles_anything(district):
    session = district.session
    mover = district.members[0]
    scope = district.scope(district.top)

    def sums():
        return session.execute(
            text(
                "SELECT SUM(points_earned), SUM(service_minutes), SUM(active_count),"
                " SUM(member_count) FROM branch_standing WHERE period = '2026-Q4'"
            )
        ).one()

    before, row = sums(), member_ranked(session, scope, mover)
    move_member(
        session,
        member_id=mover,
        organization_id=district.branches[1],
        grid_id=None,
        on=TODAY,
        now=NOON,
    )
    idle = {"evaluation_hundredths": 0, "points": 0, "service_minutes": 0}
    a_score_entry(session, district.members[1], **idle)
    roll(session)
    assert sums() == before
    after = member_ranked(session, scope, mover)
    assert replace(after, place=row.place) == row
    assert member_ranked(session, district.scope(district.branches[0]), mover) is None
    there = member_ranked(session, district.scope(district.branches[1]), mover)
    assert there.evaluation_hundredths == row.evaluation_hundredths
    counts = dict(
        tuple(each)
        for each in session.execute(
            select(BranchStanding.organization_id, BranchStanding.points_earned)
        )
    )
    assert counts[district.branches[1]] == 40 + 20 + 10


def test_branches_are_ranked_by_each_measure(district):
    session = district.session
    for measure in MEASURES:
        scope = district.scope(district.top, measure)
        path = scope.places[0].path
        rows = ranked_branches(session, scope=scope, paths=(path,))
        values = [value_of(row, measure) for row in rows]
        assert values == sorted(values, reverse=True)
        assert {row.id for row in rows} == {*district.branches, district.homes[0]}
        assert rows[0].rank == 1


def test_a_change_that_says_nothing_new_changes_nothing(district):
    session = district.session
    before = ranked_members(session, district.scope(district.top))
    note_change(
        session, member_ids=[district.members[0]], cause="state", from_on=TODAY, now=NOON
    )
    assert roll(session).touched == 1
    assert ranked_members(session, district.scope(district.top)) == before


@pytest.mark.engine("postgresql")
def test_a_rank_in_a_large_place_reads_counts_and_not_members(district):
    """The plan: the index of the counts' key, bounded by the value."""
    plan = "\n".join(
        row[0]
        for row in district.session.execute(
            text(
                "EXPLAIN SELECT SUM(members) FROM standing_count WHERE period = '2026-Q4'"
                f" AND organization_id = {district.top} AND measure = 'evaluation'"
                " AND value > 700"
            )
        )
    )
    assert "pk_standing_count" in plan
    assert "value > 700" in plan


def test_whoever_belongs_to_one_place_and_lives_in_another_is_one_person(district):
    """A grid of one community, in which somebody lives who belongs to another community."""
    session = district.session
    move_member(
        session,
        member_id=district.members[1],
        organization_id=district.branches[1],
        grid_id=district.grid,
        on=TODAY,
        now=NOON,
    )
    roll(session)
    paths = session.scalars(
        select(Organization.path).where(Organization.id.in_((district.homes[1], district.grid)))
    ).all()
    scope = scope_of(session, period="2026-Q4", paths=tuple(paths))
    rows = ranked_members(session, scope)
    assert count_ranked(session, scope) == len(rows) == len({row.id for row in rows})
    for row in rows:
        assert member_ranked(session, scope, row.id) == row
