"""Registering at home: who applies, who accepts, who confirms, and how it ends."""

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select, update

from pointsbank.core.audit import AuditEntry
from pointsbank.core.calendar import NotAQuarter, quarter_of, read_period, read_quarter
from pointsbank.core.db import reading, run
from pointsbank.members import dual_registering
from pointsbank.members.dual_errors import (
    AlreadyRegistered,
    BadFirstDay,
    NoCommentedQuarter,
    NotACommunity,
    NotAWorkUnit,
    NotPartyMember,
    OtherSideDecides,
    OwnRegistration,
    RegistrationMoved,
    RegistrationNotFound,
)
from pointsbank.members.dual_queries import (
    applications_waiting,
    comment_of,
    confirmations_waiting,
    registration_of,
    registrations_of_member,
)
from pointsbank.members.dual_registering import (
    Wanted,
    accept_registration,
    apply_at_home,
    confirm_registration,
    end_registration,
    enter_registration,
    set_naming,
    write_comment,
)
from pointsbank.members.errors import MemberNotFound
from pointsbank.members.models import DualRegistration
from tests.builders import TODAY, how_many
from tests.members.homes import LONG_AGO, Town
from tests.moments import NOON
from tests.racing import race

QUARTER = quarter_of(TODAY)


@pytest.fixture
def town(writing):
    with writing() as session:
        return Town(session)


def accept(session, actor, registration_id, first_on=TODAY):
    accept_registration(
        session,
        actor=actor,
        registration_id=registration_id,
        first_on=first_on,
        today=TODAY,
        now=NOON,
    )


def end(session, actor, registration_id, reason="搬家了", today=TODAY):
    end_registration(
        session,
        actor=actor,
        registration_id=registration_id,
        reason=reason,
        today=today,
        now=NOON,
    )


def enter(session, actor, member_id, wanted, first_on=TODAY):
    return enter_registration(
        session,
        actor=actor,
        member_id=member_id,
        wanted=wanted,
        first_on=first_on,
        today=TODAY,
        now=NOON,
    )


def standing(session, registration_id):
    return registration_of(session, registration_id, ("/",))


def test_a_registration_goes_from_home_to_work_to_its_end(town, writing):
    with writing() as session:
        made = town.applied(session)
        assert standing(session, made).state == "applied"
        assert applications_waiting(session, ("/",), 0) == (1, NOON)
        accept(session, town.secretary, made)
        assert standing(session, made).state == "accepted"
        assert confirmations_waiting(session, ("/",), 0) == 1
        confirm_registration(session, actor=town.contact, registration_id=made, now=NOON)
        assert standing(session, made).state == "active"
        end(session, town.worker, made)
        ended = standing(session, made)
        assert (ended.state, ended.from_on, ended.until_on) == (
            "ended",
            TODAY,
            TODAY + timedelta(days=1),
        )
        assert applications_waiting(session, ("/",), 0)[0] == 0
        assert town.applied(session) != made
        actions = session.scalars(
            select(AuditEntry.action).where(AuditEntry.subject_kind == "dual_registration")
        )
        assert list(actions) == ["apply", "accept", "confirm", "end", "apply"]


@pytest.mark.parametrize(
    ("unit", "community", "refusal"),
    [
        ("140303001002", "140303001002", NotAWorkUnit),
        ("nowhere", "140303001002", NotAWorkUnit),
        ("U-WATER", "U-WATER", NotACommunity),
        ("U-WATER", "nowhere", NotACommunity),
    ],
)
def test_one_registers_a_unit_with_a_community(town, writing, unit, community, refusal):
    with pytest.raises(refusal), writing() as session:
        apply_at_home(session, actor=town.worker, wanted=Wanted(unit, community), now=NOON)


def test_only_party_members_register(town, writing):
    with writing() as session:
        volunteer = town.person(session, "李敏", kind="volunteer")
    with pytest.raises(NotPartyMember), writing() as session:
        town.applied(session, volunteer)


def test_one_home_at_a_time(town, writing):
    with writing() as session:
        town.applied(session)
    with pytest.raises(AlreadyRegistered), writing() as session:
        town.applied(session, community="140303001004")


def test_a_secretary_enters_who_is_in_their_scope_and_accepts_with_it_at_home(town, writing):
    with writing() as session:
        made = enter(session, town.contact, town.worker.member_id, town.wanted(is_named=True))
        found = standing(session, made)
        # The unit's contact enters; the community has not spoken yet.
        assert (found.state, found.named_at) == ("applied", NOON)
        end(session, town.contact, made)
        overseer = town.keeper(session, town.district, town.district, "administrator")
        made = enter(session, overseer, town.worker.member_id, town.wanted())
        assert standing(session, made).state == "accepted"
    with pytest.raises(MemberNotFound), writing() as session:
        enter(session, town.secretary, town.worker.member_id, town.wanted())


def test_nobody_decides_on_their_own(town, writing):
    with writing() as session:
        own = town.applied(session)
        both = town.keeper(session, town.home, town.district)
    himself = type(both)(town.worker.member_id, "王桂兰", town.unit_branch, 0, both.grants)
    for act in (
        lambda session: accept(session, himself, own),
        lambda session: confirm_registration(
            session, actor=himself, registration_id=own, now=NOON
        ),
        lambda session: enter(session, himself, himself.member_id, town.wanted()),
        lambda session: write_comment(
            session, actor=himself, registration_id=own, period=QUARTER, comment="好", now=NOON
        ),
    ):
        with pytest.raises(OwnRegistration), writing() as session:
            act(session)


def test_each_side_has_its_own_word(town, writing):
    with writing() as session:
        made = town.applied(session)
    with pytest.raises(OtherSideDecides), writing() as session:
        accept(session, town.contact, made)
    with writing() as session:
        accept(session, town.secretary, made)
    with pytest.raises(OtherSideDecides), writing() as session:
        confirm_registration(session, actor=town.secretary, registration_id=made, now=NOON)


def test_who_is_foreign_knows_of_nothing(town, writing):
    with writing() as session:
        made = town.applied(session)
        stranger = town.person(session, "李敏")
    for actor in (town.foreign, stranger):
        for act in (accept, end):
            with pytest.raises(RegistrationNotFound), writing() as session:
                act(session, actor, made)
    with writing() as session:
        paths = town.foreign.paths("secretary")
        assert registration_of(session, made, paths) is None
        assert applications_waiting(session, paths, 0)[0] == 0


def test_a_first_day_lies_within_a_year(town, writing):
    with writing() as session:
        made = town.applied(session)
    for days in (-367, 367):
        with pytest.raises(BadFirstDay), writing() as session:
            accept(session, town.secretary, made, TODAY + timedelta(days=days))


def test_what_ended_stays_ended(town, writing):
    with writing() as session:
        made = town.applied(session)
        end(session, town.secretary, made, "不住在本社区")
        # An application that was refused never counted.
        assert standing(session, made).until_on is None
    for act in (
        lambda session: accept(session, town.secretary, made),
        lambda session: confirm_registration(
            session, actor=town.contact, registration_id=made, now=NOON
        ),
        lambda session: end(session, town.worker, made),
    ):
        with pytest.raises(RegistrationMoved), writing() as session:
            act(session)


def test_one_who_was_to_begin_tomorrow_never_counted(town, writing):
    with writing() as session:
        made = town.applied(session)
        accept(session, town.secretary, made, TODAY + timedelta(days=9))
        end(session, town.worker, made)
        found = standing(session, made)
        assert found.until_on == found.from_on


def test_being_named_is_ones_own_to_give_and_take(town, writing):
    with writing() as session:
        made = town.accepted(session)
        for is_named in (True, True, False, False):
            set_naming(session, actor=town.worker, is_named=is_named, now=NOON)
            assert (standing(session, made).named_at is not None) is is_named
        noted = session.scalars(
            select(AuditEntry.action).where(
                AuditEntry.action.in_(("agree", "withdraw_consent"))
            )
        )
        assert list(noted) == ["agree", "withdraw_consent"]
    with pytest.raises(RegistrationNotFound), writing() as session:
        set_naming(session, actor=town.contact, is_named=True, now=NOON)


def test_the_last_comment_stands(town, writing):
    with writing() as session:
        made = town.accepted(session)
        for comment in ("热心", "热心，每周都来"):
            write_comment(
                session,
                actor=town.secretary,
                registration_id=made,
                period=QUARTER,
                comment=comment,
                now=NOON,
            )
        assert comment_of(session, made, QUARTER.name) == "热心，每周都来"
        assert comment_of(session, made, "2026-Q1") == ""
    with pytest.raises(NoCommentedQuarter), writing() as session:
        write_comment(
            session,
            actor=town.secretary,
            registration_id=made,
            period=read_period("2026-Q1"),
            comment="热心",
            now=NOON,
        )


@pytest.mark.parametrize("name", ["2026", "2026-11", "2026-Q5", "", "2026-Q4 "])
def test_a_quarter_is_a_quarter(name):
    with pytest.raises(NotAQuarter):
        read_quarter(name)
    assert read_quarter("2026-Q4") == QUARTER


def test_two_applications_at_once_leave_one(app, town):
    answers = race(
        app,
        [
            partial(run, partial(town.applied, community=code))
            for code in ("140303001002", "140303001004")
        ],
    )
    assert [type(each) for each in answers].count(AlreadyRegistered) == 1
    with app.app_context(), reading() as session:
        assert how_many(session, DualRegistration) == 1


def first_day_of(app, made):
    with app.app_context(), reading() as session:
        return standing(session, made).from_on


def accepted_twice(app, town, made):
    """Let two accept at once, from different days; return what became of each."""
    return race(
        app,
        [
            partial(run, lambda session, day=day: accept(session, town.secretary, made, day))
            for day in (TODAY, LONG_AGO)
        ],
    )


def test_of_two_who_accept_at_once_one_does(app, town, writing):
    with writing() as session:
        made = town.applied(session)
    answers = accepted_twice(app, town, made)
    assert sorted(type(each).__name__ for each in answers) == [
        "NoneType",
        "RegistrationMoved",
    ]
    assert first_day_of(app, made) == (TODAY if answers[0] is None else LONG_AGO)


def test_the_control_without_the_guard_lets_both(app, town, writing, monkeypatch):
    def move(session, registration_id, _states, **to):
        session.execute(
            update(DualRegistration).where(DualRegistration.id == registration_id).values(**to)
        )

    with writing() as session:
        made = town.applied(session)
    monkeypatch.setattr(dual_registering, "_move", move)
    assert accepted_twice(app, town, made) == [None, None]


def test_one_sees_all_of_ones_own(town, writing):
    with writing() as session:
        first = town.applied(session)
        end(session, town.worker, first)
        second = town.applied(session)
        found = registrations_of_member(session, town.worker.member_id)
        assert [each.id for each in found] == [second, first]
