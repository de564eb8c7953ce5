"""Places on a shift: claimed in order, waited for in line, given up and handed on."""

from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select, update

from pointsbank.core.db import reading, run, transaction
from pointsbank.ledger.verifying import offenders
from pointsbank.tasks.claiming import claim_shift, give_up_claim
from pointsbank.tasks.claims import claims_of
from pointsbank.tasks.errors import ClaimNotFound, NotOpen, ShiftNotFound, ShiftOver
from pointsbank.tasks.models import Claim, Shift, ShiftRole
from pointsbank.tasks.publishing import call_off_task
from tests.builders import a_claim, a_member, a_shift, a_task, how_many, shifts_of
from tests.moments import NOON
from tests.racing import race

RACERS = 20
PLACES = 3


def give_up(session, claim, member_id, now=NOON):
    give_up_claim(session, claim_id=claim.id, member_id=member_id, now=now)


def states(session, shift_id):
    return list(
        session.scalars(
            select(Claim.state).where(Claim.shift_id == shift_id).order_by(Claim.queue_no)
        )
    )


def test_a_full_shift_lines_people_up(session):
    shift_id = a_shift(session, places=1)
    first, second, third = (a_claim(session, shift_id) for _ in range(3))
    assert (first.state, first.position) == ("claimed", None)
    assert (second.state, second.position) == ("waitlisted", 1)
    assert (third.state, third.position) == ("waitlisted", 2)


def test_a_repeat_answers_the_claim_held(session):
    shift_id = a_shift(session, places=1)
    a_claim(session, shift_id)
    member_id = a_member(session)
    held = a_claim(session, shift_id, member_id)
    assert a_claim(session, shift_id, member_id) == held
    assert how_many(session, Claim) == 2


def test_giving_up_lets_the_first_in_line_move_up(session):
    shift_id = a_shift(session, places=1)
    members = [a_member(session) for _ in range(3)]
    claims = [a_claim(session, shift_id, member_id) for member_id in members]
    give_up(session, claims[0], members[0])
    assert states(session, shift_id) == ["withdrawn", "claimed", "waitlisted"]
    assert session.get_one(Shift, shift_id).claimed == 1
    assert a_claim(session, shift_id, members[2]).position == 1


def test_giving_up_with_nobody_waiting_frees_the_place(session):
    shift_id = a_shift(session, places=1)
    member_id = a_member(session)
    claim = a_claim(session, shift_id, member_id)
    give_up(session, claim, member_id)
    give_up(session, claim, member_id)
    assert session.get_one(Shift, shift_id).claimed == 0
    assert a_claim(session, shift_id).state == "claimed"


def test_leaving_the_line_changes_nobody_elses_place(session):
    shift_id = a_shift(session, places=1)
    a_claim(session, shift_id)
    member_id = a_member(session)
    waiting = a_claim(session, shift_id, member_id)
    give_up(session, waiting, member_id)
    assert session.get_one(Shift, shift_id).claimed == 1
    assert states(session, shift_id) == ["claimed", "withdrawn"]


def test_whoever_gave_up_joins_at_the_end(session):
    shift_id = a_shift(session, places=1)
    member_id = a_member(session)
    claim = a_claim(session, shift_id, member_id)
    a_claim(session, shift_id)
    give_up(session, claim, member_id)
    again = a_claim(session, shift_id, member_id)
    assert (again.state, again.position) == ("waitlisted", 1)


def test_nobody_gives_up_for_another(session):
    shift_id = a_shift(session)
    claim = a_claim(session, shift_id)
    with pytest.raises(ClaimNotFound):
        give_up(session, claim, a_member(session))


def test_drafts_do_not_exist_and_ended_shifts_stand(writing):
    with writing() as session:
        draft = shifts_of(session, a_task(session, is_open=False))[0]
        shift_id, member_id = a_shift(session), a_member(session)
        claim = a_claim(session, shift_id, member_id)
    over = NOON + timedelta(hours=4)
    for act, refusal in (
        (lambda s: a_claim(s, draft), ShiftNotFound),
        (lambda s: a_claim(s, 999_999), ShiftNotFound),
        (lambda s: a_claim(s, shift_id, now=over), ShiftOver),
        (lambda s: give_up(s, claim, member_id, over), ShiftOver),
    ):
        with pytest.raises(refusal), writing() as session:
            act(session)


def test_what_was_called_off_takes_nobody(writing):
    with writing() as session:
        shift_id = a_shift(session)
        task_id = session.get_one(Shift, shift_id).task_id
        for _ in range(2):
            call_off_task(
                session, task_id=task_id, actor_id=1, paths=["/"], reason="大雨", now=NOON
            )
    with pytest.raises(NotOpen), writing() as session:
        a_claim(session, shift_id)


def test_my_claims_show_shift_task_and_place_in_line(session):
    shift_id = a_shift(session, places=1, title="社区夜巡")
    a_claim(session, shift_id)
    member_id = a_member(session)
    a_claim(session, shift_id, member_id)
    (mine,) = claims_of(session, member_id)
    assert (mine.task.title, mine.shift.id, mine.position) == ("社区夜巡", shift_id, 1)


def racers(app, writing, contestant):
    """Let twenty people claim three places at once, and return the states they were told."""
    with writing() as session:
        shift_id = a_shift(session, places=PLACES)
        members = [a_member(session) for _ in range(RACERS)]
    answers = race(
        app, [lambda member_id=each: contestant(shift_id, member_id) for each in members]
    )
    assert not [answer for answer in answers if isinstance(answer, Exception)], answers
    return shift_id, answers


def test_twenty_race_for_three_places(app, writing):
    def claim(shift_id, member_id):
        return run(
            lambda session: claim_shift(
                session, shift_id=shift_id, member_id=member_id, now=NOON
            )
        )

    shift_id, answers = racers(app, writing, claim)
    assert sum(answer.state == "claimed" for answer in answers) == PLACES
    positions = sorted(answer.position for answer in answers if answer.position)
    assert len(positions) == RACERS - PLACES
    with writing() as session:
        assert session.get_one(Shift, shift_id).claimed == PLACES
        assert states(session, shift_id) == ["claimed"] * PLACES + ["waitlisted"] * 17
        assert offenders(session) == []


def test_without_the_guard_more_get_in_than_there_are_places(app, writing, barrier):
    def claim_unguarded(shift_id, member_id):
        with reading() as session:
            taken = session.scalar(
                select(func.count(Claim.id)).where(
                    Claim.shift_id == shift_id, Claim.state == "claimed"
                )
            )
        barrier.wait()
        state = "claimed" if taken < PLACES else "waitlisted"
        with transaction() as session:
            role_id = session.scalar(select(ShiftRole.id).where(ShiftRole.shift_id == shift_id))
            session.execute(
                insert(Claim).values(
                    shift_id=shift_id,
                    role_id=role_id,
                    member_id=member_id,
                    state=state,
                    queue_no=member_id,
                    claimed_at=NOON,
                )
            )
        return state

    shift_id, _ = racers(app, writing, claim_unguarded)
    with writing() as session:
        assert states(session, shift_id).count("claimed") > PLACES


def test_the_database_itself_refuses_one_place_too_many(writing):
    with writing() as session:
        shift_id = a_shift(session, places=1)
        a_claim(session, shift_id)
    with pytest.raises(Exception, match="ck_shift_claimed"), writing() as session:
        session.execute(update(Shift).where(Shift.id == shift_id).values(claimed=2))


def test_giving_up_and_claiming_at_once_keeps_the_count(app, writing):
    with writing() as session:
        shift_id = a_shift(session, places=PLACES)
        leaving = [a_member(session) for _ in range(6)]
        claims = {each: a_claim(session, shift_id, each) for each in leaving}
        coming = [a_member(session) for _ in range(6)]

    def leave(each):
        return run(lambda session: give_up(session, claims[each], each))

    def come(each):
        return run(lambda session: a_claim(session, shift_id, each))

    answers = race(
        app,
        [lambda each=each: leave(each) for each in leaving]
        + [lambda each=each: come(each) for each in coming],
    )
    assert not [answer for answer in answers if isinstance(answer, Exception)], answers
    with writing() as session:
        living = [state for state in states(session, shift_id) if state != "withdrawn"]
        assert living == ["claimed"] * PLACES + ["waitlisted"] * 3
        assert session.get_one(Shift, shift_id).claimed == PLACES
