"""Deductions, vetoes, exemptions: two people, what they do and leave, the way back."""

from datetime import date

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import IntegrityError

from pointsbank.appraisals.deciding import answer_statement, state_own_side
from pointsbank.appraisals.errors import (
    AnotherPersonNeeded,
    BadExemptionSpan,
    BadPaperDay,
    ExemptionStands,
    NotEvaluated,
    NothingToAnswer,
    NotOver70,
    PaperAboutOneself,
    PaperDecided,
    PaperNotFound,
    PaperNotInForce,
    StatementStands,
)
from pointsbank.appraisals.queries import (
    elders_without_exemption,
    exemptions_on,
    vetoes_within,
)
from pointsbank.appraisals.reading_queries import paper_of, papers_about, papers_within
from pointsbank.ledger.models import Transfer
from pointsbank.members.belonging import move_member
from pointsbank.members.errors import MemberNotFound
from pointsbank.members.models import Member
from pointsbank.messages.queries import inbox
from tests.appraisals.committee_room import (
    SPRING,
    TODAY,
    a_room,
    changes,
    decided,
    deduction,
    entries,
    exemption,
    lifted,
    veto,
)
from tests.builders import a_branch, a_member, how_many, with_role
from tests.moments import NOON
from tests.scoring.hands import actor_of

ENTER = {"deductions": deduction, "vetoes": veto, "exemptions": exemption}
KINDS = pytest.mark.parametrize("kind", list(ENTER))


def said_to(session, member_id):
    return [line.kind for line in inbox(session, member_id, limit=50)]


@pytest.fixture
def room(session):
    return a_room(session)


def test_a_confirmed_deduction_lowers_the_evaluation_and_touches_no_points(session, room):
    before = how_many(session, Transfer)
    paper_id = deduction(session, room)
    assert entries(session, room.member_id) == []
    assert decided(session, room, "deductions", paper_id) == "confirmed"
    assert entries(session, room.member_id) == [("deduction", -500, 0, SPRING)]
    assert how_many(session, Transfer) == before
    assert said_to(session, room.member_id) == ["deduction_confirmed", "deduction_entered"]
    assert said_to(session, room.secretary_id) == ["evaluation_paper_confirmed"]
    assert said_to(session, room.administrator_id) == ["evaluation_paper_entered"]


def test_a_lifted_deduction_is_taken_away_again(session, room):
    paper_id = deduction(session, room)
    decided(session, room, "deductions", paper_id)
    lifted(session, room, "deductions", paper_id)
    assert [entry[1] for entry in entries(session, room.member_id)] == [-500, 500]
    with pytest.raises(PaperNotInForce):
        lifted(session, room, "deductions", paper_id)
    found = paper_of(session, "deductions", paper_id, ["/"])
    assert (found.state, found.lift_reason) == ("lifted", "复核后撤销")


@KINDS
def test_a_refused_paper_does_nothing(session, room, kind):
    paper_id = ENTER[kind](session, room)
    assert decided(session, room, kind, paper_id, is_confirmed=False) == "refused"
    assert entries(session, room.member_id) == []
    assert exemptions_on(session, [room.member_id], SPRING) == {}
    assert vetoes_within(session, [room.member_id], SPRING, TODAY) == frozenset()
    assert not changes(session, room.member_id, "veto")
    assert not changes(session, room.member_id, "exemption")
    with pytest.raises(PaperDecided):
        decided(session, room, kind, paper_id)
    with pytest.raises(PaperNotInForce):
        lifted(session, room, kind, paper_id)


@KINDS
def test_whoever_entered_it_neither_decides_nor_lifts_it(session, room, kind):
    paper_id = ENTER[kind](session, room)
    with pytest.raises(AnotherPersonNeeded):
        decided(session, room, kind, paper_id, room.secretary_id)
    decided(session, room, kind, paper_id)
    with pytest.raises(AnotherPersonNeeded):
        lifted(session, room, kind, paper_id, room.secretary_id)


@KINDS
def test_nobody_has_a_hand_in_what_is_about_them(session, room, kind):
    with pytest.raises(PaperAboutOneself):
        ENTER[kind](session, room, member_id=room.secretary_id)
    paper_id = ENTER[kind](session, room, room.administrator_id, member_id=room.secretary_id)
    with pytest.raises(AnotherPersonNeeded):
        decided(session, room, kind, paper_id, room.secretary_id)


@KINDS
def test_the_database_holds_to_two_people(session, room, kind):
    paper_id = ENTER[kind](session, room)
    table = paper_of(session, kind, paper_id, ["/"]).kind
    name = {"deductions": "deduction", "vetoes": "veto", "exemptions": "exemption"}[table]
    for column, who in (
        ("confirmed_by_id", room.secretary_id),
        ("confirmed_by_id", room.member_id),
        ("lifted_by_id", room.secretary_id),
        ("entered_by_id", room.member_id),
    ):
        state = ", state = 'confirmed'" if column == "confirmed_by_id" else ""
        with pytest.raises(IntegrityError), session.begin_nested():
            session.execute(text(f"UPDATE {name} SET {column} = :who{state}"), {"who": who})


@KINDS
def test_a_committee_member_reads_and_decides_nothing(session, room, kind):
    paper_id = ENTER[kind](session, room)
    with pytest.raises(PaperNotFound):
        decided(session, room, kind, paper_id, room.committee_id)
    with pytest.raises(MemberNotFound):
        ENTER[kind](session, room, room.committee_id)
    paths = actor_of(session, room.committee_id).paths("committee")
    assert [found.id for found in papers_within(session, kind, paths)] == [paper_id]


@KINDS
def test_a_foreign_branch_sees_nothing_of_it_until_the_member_moves_there(session, room, kind):
    paper_id = ENTER[kind](session, room)
    elsewhere = a_branch(session, "B9", room.community_id)
    other = with_role(session, a_member(session, "孙书记", elsewhere), "secretary", elsewhere)
    paths = actor_of(session, other).paths("secretary")
    with pytest.raises(PaperNotFound):
        paper_of(session, kind, paper_id, paths)
    move_member(
        session,
        member_id=room.member_id,
        organization_id=elsewhere,
        grid_id=None,
        on=TODAY,
        now=NOON,
    )
    assert paper_of(session, kind, paper_id, paths).id == paper_id
    own = actor_of(session, room.secretary_id).paths("secretary")
    assert paper_of(session, kind, paper_id, own).id == paper_id


def test_there_are_no_deductions_for_residents(session, room):
    for kind in ("deductions", "vetoes"):
        with pytest.raises(NotEvaluated):
            ENTER[kind](session, room, member_id=room.resident_id)
    paper_id = deduction(session, room)
    session.execute(update(Member).where(Member.id == room.member_id).values(kind="resident"))
    with pytest.raises(NotEvaluated), session.begin_nested():
        decided(session, room, "deductions", paper_id)
    assert entries(session, room.member_id) == []


@pytest.mark.parametrize("day", [date(2026, 11, 22), date(2024, 12, 31)])
def test_a_paper_is_about_this_year_or_the_last(session, room, day):
    for enter in (deduction, veto):
        with pytest.raises(BadPaperDay):
            enter(session, room, occurred_on=day)


@pytest.mark.parametrize("hundredths", [199, 2001, -500])
def test_the_database_bounds_a_deduction(session, room, hundredths):
    with pytest.raises(IntegrityError), session.begin_nested():
        deduction(session, room, hundredths=hundredths)


def test_the_same_entered_twice_is_one_paper(session, room):
    assert deduction(session, room) == deduction(session, room)
    assert deduction(session, room) != deduction(session, room, hundredths=400)
    assert exemption(session, room) == exemption(session, room)


def test_a_deduction_counts_where_the_member_belonged_that_day(session, room):
    elsewhere = a_branch(session, "B9", room.community_id)
    move_member(
        session,
        member_id=room.member_id,
        organization_id=elsewhere,
        grid_id=None,
        on=date(2026, 6, 1),
        now=NOON,
    )
    paper_id = deduction(session, room, room.administrator_id)
    other = with_role(session, a_member(session, "孙书记", elsewhere), "secretary", elsewhere)
    decided(session, room, "deductions", paper_id, other)
    home = session.execute(text("SELECT organization_id FROM score_entry")).scalar_one()
    assert home == room.branch_id


def test_a_veto_stands_in_its_period_and_leaves_a_change(session, room):
    paper_id = veto(session, room)
    span = (date(2026, 1, 1), date(2027, 1, 1))
    assert vetoes_within(session, [room.member_id], *span) == frozenset()
    decided(session, room, "vetoes", paper_id)
    assert vetoes_within(session, [room.member_id, room.other_id], *span) == {room.member_id}
    assert vetoes_within(session, [room.member_id], date(2026, 4, 1), span[1]) == frozenset()
    lifted(session, room, "vetoes", paper_id)
    assert vetoes_within(session, [room.member_id], *span) == frozenset()
    assert changes(session, room.member_id, "veto") == [SPRING, SPRING]
    assert entries(session, room.member_id) == []


def test_an_exemption_holds_from_a_day_until_it_is_ended(session, room):
    paper_id = exemption(session, room)
    decided(session, room, "exemptions", paper_id)
    who = [room.member_id]
    assert exemptions_on(session, who, date(2026, 3, 1)) == {}
    assert exemptions_on(session, who, SPRING) == {room.member_id: {"long_illness"}}
    lifted(session, room, "exemptions", paper_id, on=date(2026, 9, 1))
    assert exemptions_on(session, who, date(2026, 8, 31)) == {room.member_id: {"long_illness"}}
    assert exemptions_on(session, who, date(2026, 9, 1)) == {}
    assert changes(session, room.member_id, "exemption") == [SPRING, SPRING]
    found = paper_of(session, "exemptions", paper_id, ["/"])
    assert (found.state, found.is_ended) == ("confirmed", True)
    with pytest.raises(PaperNotInForce):
        lifted(session, room, "exemptions", paper_id)


def test_an_exemption_that_never_held_is_lifted(session, room):
    paper_id = exemption(session, room, from_on=TODAY)
    decided(session, room, "exemptions", paper_id)
    lifted(session, room, "exemptions", paper_id, on=TODAY)
    assert paper_of(session, "exemptions", paper_id, ["/"]).state == "lifted"
    assert exemptions_on(session, [room.member_id], TODAY) == {}


def test_one_exemption_for_one_reason_at_a_time(session, room):
    exemption(session, room, until_on=date(2026, 6, 1))
    for span in ((date(2026, 5, 31), None), (date(2026, 1, 1), date(2026, 3, 3))):
        with pytest.raises(ExemptionStands):
            exemption(session, room, from_on=span[0], until_on=span[1])
    exemption(session, room, from_on=date(2026, 6, 1))
    exemption(session, room, reason_code="mobile", from_on=date(2026, 5, 1))


@pytest.mark.parametrize(
    ("from_on", "until_on"),
    [
        (date(2024, 12, 31), None),
        (date(2028, 1, 1), None),
        (SPRING, SPRING),
        (SPRING, date(2026, 3, 1)),
    ],
)
def test_an_exemption_has_a_sensible_span(session, room, from_on, until_on):
    with pytest.raises(BadExemptionSpan):
        exemption(session, room, from_on=from_on, until_on=until_on)


def test_seventy_is_judged_where_the_birth_is_known(session, room):
    def born(day):
        session.execute(update(Member).where(Member.id == room.member_id).values(born_on=day))

    born(date(1956, 3, 3))
    with pytest.raises(NotOver70) as refused:
        exemption(session, room, reason_code="over_70")
    assert refused.value.facts == {"age": 69}
    assert [each.id for each in elders_without_exemption(session, ["/"], TODAY)] == [
        room.member_id
    ]
    born(date(1956, 3, 2))
    exemption(session, room, reason_code="over_70")
    assert elders_without_exemption(session, ["/"], TODAY) == []
    exemption(session, room, reason_code="over_70", member_id=room.other_id)


def test_turning_70_is_only_a_hint_about_party_members_in_scope(session, room):
    session.execute(update(Member).values(born_on=date(1956, 11, 21)))
    paths = actor_of(session, room.secretary_id).paths("secretary")
    found = {each.id for each in elders_without_exemption(session, paths, TODAY)}
    assert room.resident_id not in found
    assert {room.member_id, room.other_id} <= found
    session.execute(update(Member).values(born_on=date(1956, 11, 22)))
    assert elders_without_exemption(session, paths, TODAY) == []


def say(session, room, kind, paper_id, statement="那天我在住院，有病历", by=None):
    state_own_side(
        session,
        kind=kind,
        paper_id=paper_id,
        actor=actor_of(session, by or room.member_id),
        statement=statement,
        now=NOON,
    )


def answer(session, room, kind, paper_id, by=None):
    answer_statement(
        session,
        kind=kind,
        paper_id=paper_id,
        actor=actor_of(session, by or room.administrator_id),
        answer="已核实，撤销",
        now=NOON,
    )


@pytest.mark.parametrize("kind", ["deductions", "vetoes"])
def test_the_member_says_their_side_once_and_is_answered_once(session, room, kind):
    paper_id = ENTER[kind](session, room)
    with pytest.raises(NothingToAnswer):
        answer(session, room, kind, paper_id)
    say(session, room, kind, paper_id)
    say(session, room, kind, paper_id)
    with pytest.raises(StatementStands):
        say(session, room, kind, paper_id, "另外一句话")
    assert "evaluation_paper_contested" in said_to(session, room.secretary_id)
    with pytest.raises(AnotherPersonNeeded):
        answer(session, room, kind, paper_id, room.secretary_id)
    answer(session, room, kind, paper_id)
    with pytest.raises(NothingToAnswer):
        answer(session, room, kind, paper_id)
    assert said_to(session, room.member_id)[0] == "statement_answered"
    found = papers_about(session, room.member_id)[0]
    assert (found.statement, found.answer) == ("那天我在住院，有病历", "已核实，撤销")


def test_nobody_speaks_for_another_and_not_to_what_is_over(session, room):
    paper_id = deduction(session, room)
    with pytest.raises(PaperNotFound):
        say(session, room, "deductions", paper_id, by=room.other_id)
    decided(session, room, "deductions", paper_id, is_confirmed=False)
    with pytest.raises(PaperNotInForce):
        say(session, room, "deductions", paper_id)
    with pytest.raises(PaperNotInForce):
        say(session, room, "exemptions", exemption(session, room))
    with pytest.raises(PaperNotFound):
        say(session, room, "presents", paper_id)
