"""Skills told and confirmed, trainings recorded and withdrawn, dates of birth."""

from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from pointsbank.core.audit import AuditEntry
from pointsbank.core.db import run
from pointsbank.members.abilities import (
    COMPLETED_YEARS_MAX,
    confirm_skill,
    define_training,
    doubt_skill,
    record_training,
    record_training_by_numbers,
    set_birth_day,
    tell_birth_day,
    tell_skills,
    valid_until,
    withdraw_training,
)
from pointsbank.members.abilities_errors import (
    BadBirthDay,
    BadCompletedOn,
    BadTrainingCode,
    BirthDayStands,
    CompletionNotFound,
    OwnAbility,
    SkillNotFound,
    SkillNotTold,
    TrainingCodeTaken,
    TrainingNotFound,
    UnknownNumbers,
)
from pointsbank.members.abilities_queries import (
    born_on_of,
    completed_by,
    completions_of,
    skills_of,
    waiting_skills,
)
from pointsbank.members.errors import MemberNotFound, NotOneself
from pointsbank.members.models import MemberSkill, MemberTraining
from pointsbank.members.policy import age_on, day_from
from tests.builders import how_many
from tests.members.schooling import (
    COURSE_DAY,
    TODAY,
    School,
    a_completion,
    a_training,
    an_overseer,
    completed_days,
    confirmed,
    confirmed_codes,
    told,
    told_codes,
)
from tests.moments import NOON
from tests.racing import race, times

BORN = date(1953, 4, 5)


@pytest.fixture
def school(session):
    return School(session)


def test_the_list_of_skills_is_told_from_and_told_again(session, school):
    told(session, school.member, "first_aid", "law")
    told(session, school.member, "law", "cooking")
    assert told_codes(session, school.member) == {"law", "cooking"}
    told(session, school.member)
    assert told_codes(session, school.member) == set()


def test_an_unknown_skill_changes_nothing(session, school):
    told(session, school.member, "law")
    with pytest.raises(SkillNotFound):
        told(session, school.member, "first_aid", "flying")
    assert told_codes(session, school.member) == {"law"}


def test_a_colleague_confirms_once_and_it_is_written_down(session, school):
    told(session, school.member, "first_aid", "law")
    for actor in (school.organizer, school.secretary):
        confirm_skill(
            session, actor=actor, member_id=school.member, skill_code="first_aid", now=NOON
        )
    found = {each.code: each for each in skills_of(session, school.member)}
    assert found["first_aid"].confirmed_at == NOON
    assert found["first_aid"].confirmed_by == "李*"
    assert found["law"].confirmed_at is None
    entries = session.query(AuditEntry).filter_by(action="confirm_skill").all()
    assert [(each.actor_id, each.facts) for each in entries] == [
        (school.organizer.member_id, {"skill": "first_aid"})
    ]


def test_a_confirmation_is_lost_with_the_skill_and_stays_with_it(session, school):
    confirmed(session, school.member, "first_aid", "law")
    told(session, school.member, "law", "cooking")
    assert confirmed_codes(session, school.member) == {"law"}
    told(session, school.member, "first_aid", "law")
    assert confirmed_codes(session, school.member) == {"law"}


def test_nobody_confirms_their_own_skill(session, school):
    own = school.secretary.member_id
    told(session, own, "first_aid")
    with pytest.raises(OwnAbility):
        confirm_skill(
            session, actor=school.secretary, member_id=own, skill_code="first_aid", now=NOON
        )
    assert confirmed_codes(session, own) == set()


def test_the_table_itself_refuses_an_own_confirmation(writing):
    with writing() as session:
        member_id = told(session, School(session).member, "first_aid")
    with pytest.raises(IntegrityError, match="second_person"), writing() as session:
        session.execute(
            text("UPDATE member_skill SET confirmed_by_id = member_id, confirmed_at = told_at")
        )
    with writing() as session:
        assert confirmed_codes(session, member_id) == set()


def test_only_what_was_told_to_whom_one_looks_after_is_confirmed(session, school):
    told(session, school.stranger, "first_aid")
    for member_id, skill, refusal in (
        (school.member, "first_aid", SkillNotTold),
        (school.member, "flying", SkillNotFound),
        (school.stranger, "first_aid", MemberNotFound),
    ):
        with pytest.raises(refusal):
            confirm_skill(
                session,
                actor=school.secretary,
                member_id=member_id,
                skill_code=skill,
                now=NOON,
            )


def test_a_confirmation_is_taken_back_once(session, school):
    confirmed(session, school.member, "first_aid")
    for _ in range(2):
        doubt_skill(
            session,
            actor=school.secretary,
            member_id=school.member,
            skill_code="first_aid",
            now=NOON,
        )
    assert told_codes(session, school.member) == {"first_aid"}
    assert confirmed_codes(session, school.member) == set()
    assert session.query(AuditEntry).filter_by(action="doubt_skill").count() == 1


def test_what_waits_is_shown_to_who_can_confirm_it(session, school):
    told(session, school.member, "law", "cooking")
    confirmed(session, school.neighbour, "first_aid")
    told(session, school.stranger, "music_and_dance")
    own = told(session, school.secretary.member_id, "law")
    paths = school.secretary.paths("secretary")
    waiting, total = waiting_skills(session, paths, without_id=own, limit=1)
    assert (total, len(waiting)) == (2, 1)
    waiting, _ = waiting_skills(session, paths, without_id=own, limit=9)
    assert {(each.member_id, each.skill_code) for each in waiting} == {
        (school.member, "law"),
        (school.member, "cooking"),
    }


def test_the_same_skills_told_at_once_are_told_once(app, writing):
    with writing() as session:
        member_id = School(session).member

    def tell():
        return run(
            lambda session: tell_skills(
                session, member_id=member_id, codes=["law", "cooking"], now=NOON
            )
        )

    assert race(app, times(4, tell)) == [None] * 4
    with writing() as session:
        assert how_many(session, MemberSkill) == 2


def define(session, school, code="fire", months=12):
    return define_training(
        session,
        actor=school.secretary,
        code=code,
        name="消防培训",
        valid_months=months,
        now=NOON,
    )


def test_a_code_names_one_training(session, school):
    define(session, school)
    with pytest.raises(TrainingCodeTaken):
        define(session, school)


@pytest.mark.parametrize("code", ["", "a", "Fire", "fire course", "消防", "f" * 25, "ｆire"])
def test_a_code_is_written_the_same_way_everywhere(session, school, code):
    with pytest.raises(BadTrainingCode):
        define(session, school, code=code)


def record(session, school, training_id, *member_ids, on=COURSE_DAY, actor=None):
    return record_training(
        session,
        actor=actor or school.secretary,
        training_id=training_id,
        member_ids=member_ids,
        completed_on=on,
        today=TODAY,
        now=NOON,
    )


def test_a_course_day_is_recorded_once(session, school):
    training_id = a_training(session, valid_months=24)
    assert record(session, school, training_id, school.member, school.neighbour) == 2
    assert record(session, school, training_id, school.member, school.neighbour) == 0
    (found,) = completions_of(session, school.member)
    assert (found.completed_on, found.valid_until) == (COURSE_DAY, date(2028, 11, 14))
    assert found.recorded_by == "陈*记"
    assert found.is_valid(date(2028, 11, 14))
    assert not found.is_valid(date(2028, 11, 15))
    assert not found.is_valid(COURSE_DAY - timedelta(days=1))


def test_a_course_day_is_recorded_for_all_or_for_none(session, school):
    training_id = a_training(session)
    with pytest.raises(MemberNotFound):
        record(session, school, training_id, school.member, school.stranger)
    with pytest.raises(OwnAbility):
        record(session, school, training_id, school.member, school.secretary.member_id)
    with pytest.raises(TrainingNotFound):
        record(session, school, training_id + 1, school.member)
    assert completed_days(session, school.member) == []


def test_the_table_itself_refuses_an_own_training(writing):
    with writing() as session:
        school = School(session)
        a_completion(session, school.member, a_training(session))
    with pytest.raises(IntegrityError, match="second_person"), writing() as session:
        session.execute(text("UPDATE member_training SET recorded_by_id = member_id"))


@pytest.mark.parametrize(
    "day",
    [TODAY + timedelta(days=1), TODAY.replace(year=TODAY.year - COMPLETED_YEARS_MAX - 1)],
)
def test_a_course_lies_in_the_years_we_keep(session, school, day):
    training_id = a_training(session)
    with pytest.raises(BadCompletedOn):
        record(session, school, training_id, school.member, on=day)
    assert record(session, school, training_id, school.member, on=TODAY) == 1


def by_numbers(session, school, training_id, *numbers):
    return record_training_by_numbers(
        session,
        actor=school.secretary,
        training_id=training_id,
        numbers=numbers,
        completed_on=COURSE_DAY,
        today=TODAY,
        now=NOON,
    )


def test_a_list_of_numbers_is_taken_whole_or_says_which_are_wrong(session, school):
    training_id = a_training(session)
    with pytest.raises(UnknownNumbers) as refused:
        by_numbers(session, school, training_id, "20000001", "20000003", "7")
    assert refused.value.facts == {"shown": "20000003、7", "count": 2}
    with pytest.raises(UnknownNumbers):
        by_numbers(session, school, training_id)
    assert completed_days(session, school.member) == []
    assert by_numbers(session, school, training_id, "20000001", "20000002", "20000001") == 2


def test_an_entry_is_withdrawn_once_and_can_be_made_again(session, school):
    training_id = a_training(session)
    record(session, school, training_id, school.member)
    (entry,) = completions_of(session, school.member)
    for _ in range(2):
        withdraw_training(session, actor=school.secretary, completion_id=entry.id, now=NOON)
    assert completed_days(session, school.member) == []
    paths = school.secretary.paths("secretary")
    assert completed_by(session, training_id, paths, before_id=None, limit=9) == []
    assert session.query(AuditEntry).filter_by(action="withdraw_training").count() == 1
    assert record(session, school, training_id, school.member) == 1
    assert how_many(session, MemberTraining) == 2


def test_an_entry_of_a_stranger_or_of_oneself_stays(session, school):
    training_id = a_training(session)
    foreign = a_completion(session, school.stranger, training_id)
    own = a_completion(session, school.secretary.member_id, training_id)
    for completion_id, refusal in ((foreign, CompletionNotFound), (own, OwnAbility)):
        with pytest.raises(refusal):
            withdraw_training(
                session, actor=school.secretary, completion_id=completion_id, now=NOON
            )
    assert completed_days(session, school.stranger) == [COURSE_DAY]


def test_a_training_recorded_at_two_desks_at_once_stands_once(app, writing):
    with writing() as session:
        school, training_id = School(session), a_training(session)

    def at_a_desk():
        return run(lambda session: record(session, school, training_id, school.member))

    assert sorted(race(app, times(4, at_a_desk))) == [0, 0, 0, 1]
    with writing() as session:
        assert how_many(session, MemberTraining) == 1


@pytest.mark.parametrize(
    ("completed_on", "months", "last"),
    [
        (date(2026, 11, 14), None, None),
        (date(2026, 11, 14), 1, date(2026, 12, 14)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2024, 2, 29), 48, date(2028, 2, 29)),
        (date(2026, 12, 31), 12, date(2027, 12, 31)),
    ],
)
def test_a_training_runs_out_on_the_same_day_of_a_later_month(completed_on, months, last):
    assert valid_until(completed_on, months) == last


def tell_birth(session, member_id, born_on):
    tell_birth_day(session, member_id=member_id, born_on=born_on, today=TODAY, now=NOON)


def test_an_own_date_of_birth_is_told_once(session, school):
    tell_birth(session, school.member, BORN)
    tell_birth(session, school.member, BORN)
    with pytest.raises(BirthDayStands):
        tell_birth(session, school.member, date(1990, 1, 1))
    assert born_on_of(session, school.member) == BORN


def test_the_branch_corrects_a_date_of_birth_and_the_trail_does_not_tell_it(session, school):
    tell_birth(session, school.member, date(1935, 4, 5))
    given = {"actor": school.secretary, "today": TODAY, "now": NOON}
    set_birth_day(session, member_id=school.member, born_on=BORN, **given)
    set_birth_day(session, member_id=school.member, born_on=BORN, **given)
    assert born_on_of(session, school.member) == BORN
    entries = session.query(AuditEntry).filter_by(action="set_birth_day").all()
    assert [each.facts for each in entries] == [{}, {}]
    with pytest.raises(NotOneself):
        set_birth_day(session, member_id=school.secretary.member_id, born_on=BORN, **given)
    with pytest.raises(MemberNotFound):
        set_birth_day(session, member_id=school.stranger, born_on=BORN, **given)


@pytest.mark.parametrize("born_on", [TODAY + timedelta(days=1), date(1905, 11, 20)])
def test_nobody_is_born_tomorrow_or_too_long_ago(session, school, born_on):
    with pytest.raises(BadBirthDay):
        tell_birth(session, school.member, born_on)
    with pytest.raises(BadBirthDay):
        set_birth_day(
            session,
            actor=an_overseer(session),
            member_id=school.member,
            born_on=born_on,
            today=TODAY,
            now=NOON,
        )
    assert born_on_of(session, school.member) is None


@pytest.mark.parametrize(
    ("born_on", "on", "years"),
    [
        (date(2008, 11, 21), date(2026, 11, 21), 18),
        (date(2008, 11, 22), date(2026, 11, 21), 17),
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
        (date(2027, 1, 1), date(2026, 1, 1), 0),
    ],
)
def test_an_age_is_counted_in_whole_years(born_on, on, years):
    assert age_on(born_on, on) == years


@pytest.mark.parametrize(
    "written",
    [
        *("1953-04-05", "1953/4/5", "1953.4.5", "1953年4月5日", "1953年04月05", "19530405"),
        *("1953-04-05T00:00:00", "1953-04-05 00:00:00"),
    ],
)
def test_a_day_is_read_as_people_write_it(written):
    assert day_from(written) == BORN


@pytest.mark.parametrize(
    "written",
    ["", "1953", "5.4.1953", "1953-13-05", "1953-02-30", "1953-04-05T10:00:00", "0000-01-01"],
)
def test_what_is_no_day_is_none(written):
    assert day_from(written) is None
