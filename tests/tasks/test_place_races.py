"""Places under fire: a role's last place, giving up and claiming, accepting and lapsing; each
with a control that shows the race without its guard."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select, update

from pointsbank.core.db import reading, run, transaction
from pointsbank.tasks import claiming, publishing
from pointsbank.tasks.claiming import accept_place, claim_shift, give_up_claim, lapse_places
from pointsbank.tasks.drafting import NewRole
from pointsbank.tasks.errors import ClaimNotFound, NotOpen, OfferLapsed
from pointsbank.tasks.models import Claim, Shift, ShiftRole
from pointsbank.tasks.publishing import call_off_shift, call_off_task
from tests.builders import a_member, a_shift
from tests.moments import NOON
from tests.racing import MEET_SECONDS_MAX, race
from tests.tasks.planning import a_shift_with_roles, roles_of

RACERS = 20
TOMORROW = NOON + timedelta(days=1)
LAPSES_AT = NOON + timedelta(hours=12)


def no_faults(answers):
    assert not [each for each in answers if isinstance(each, Exception)], answers
    return answers


def agree(session, shift_id):
    """Tell whether every count is the number of claims behind it, and within the places."""
    claimed = dict(
        session.execute(
            select(Claim.role_id, func.count())
            .where(Claim.shift_id == shift_id, Claim.state == "claimed")
            .group_by(Claim.role_id)
        ).all()
    )
    roles = roles_of(session, shift_id)
    shift = session.get_one(Shift, shift_id)
    return (
        all(role.claimed == claimed.get(role.id, 0) <= role.places for role in roles)
        and shift.claimed == sum(claimed.values())
        and shift.places == sum(role.places for role in roles)
    )


def nobody_waits_beside_a_free_place(session, shift_id):
    waiting = set(
        session.scalars(
            select(Claim.role_id).where(Claim.shift_id == shift_id, Claim.state == "waitlisted")
        )
    )
    roles = roles_of(session, shift_id)
    return not [each for each in roles if each.id in waiting and each.claimed < each.places]


def a_role_with_one_place(writing):
    with writing() as session:
        shift_id = a_shift_with_roles(session, NewRole("司机", 1), NewRole("保洁", 30))
        members = [a_member(session) for _ in range(RACERS)]
        return shift_id, roles_of(session, shift_id)[0].id, members


def test_twenty_race_for_the_last_place_of_a_role(app, writing):
    shift_id, role_id, members = a_role_with_one_place(writing)

    def claim(member_id):
        return run(
            lambda session: claim_shift(
                session, shift_id=shift_id, member_id=member_id, role_id=role_id, now=NOON
            )
        )

    answers = no_faults(race(app, [lambda each=each: claim(each) for each in members]))
    assert sum(each.state == "claimed" for each in answers) == 1
    waiting = sorted(each.position for each in answers if each.position)
    assert waiting == list(range(1, RACERS))
    with writing() as session:
        assert agree(session, shift_id)


def test_without_the_guard_a_role_takes_more_than_it_has(app, writing, barrier):
    shift_id, role_id, members = a_role_with_one_place(writing)

    def claim_unguarded(member_id):
        with reading() as session:
            taken = session.scalar(select(ShiftRole.claimed).where(ShiftRole.id == role_id))
        barrier.wait()
        with transaction() as session:
            session.execute(
                insert(Claim).values(
                    shift_id=shift_id,
                    role_id=role_id,
                    member_id=member_id,
                    state="claimed" if taken < 1 else "waitlisted",
                    queue_no=member_id,
                    claimed_at=NOON,
                )
            )

    no_faults(race(app, [lambda each=each: claim_unguarded(each) for each in members]))
    with writing() as session:
        assert not agree(session, shift_id)


def test_giving_up_and_claiming_a_role_at_once_keeps_every_count(app, writing):
    with writing() as session:
        shift_id = a_shift_with_roles(session, NewRole("司机", 2), NewRole("保洁", 2))
        leaving = [a_member(session) for _ in range(6)]
        held = {
            each: claim_shift(session, shift_id=shift_id, member_id=each, now=NOON).id
            for each in leaving
        }
        coming = [a_member(session) for _ in range(6)]

    def leave(each):
        return run(
            lambda session: give_up_claim(
                session, claim_id=held[each], member_id=each, now=NOON
            )
        )

    def come(each):
        return run(
            lambda session: claim_shift(session, shift_id=shift_id, member_id=each, now=NOON)
        )

    no_faults(
        race(
            app,
            [lambda each=each: leave(each) for each in leaving]
            + [lambda each=each: come(each) for each in coming],
        )
    )
    with writing() as session:
        assert agree(session, shift_id)
        assert nobody_waits_beside_a_free_place(session, shift_id)


def test_without_the_lock_a_place_given_up_is_lost(app, writing):
    """Both look before either writes: the leaver sees nobody wait, the comer a full role."""
    both_looked = threading.Barrier(2, timeout=MEET_SECONDS_MAX)
    with writing() as session:
        shift_id = a_shift(session, TOMORROW, places=1)
        leaving, coming = a_member(session), a_member(session)
        role_id = roles_of(session, shift_id)[0].id
        held = claim_shift(session, shift_id=shift_id, member_id=leaving, now=NOON).id

    def leave_unguarded():
        with reading() as session:
            waits = session.scalar(
                select(func.count(Claim.id)).where(
                    Claim.role_id == role_id, Claim.state == "waitlisted"
                )
            )
        both_looked.wait()
        with transaction() as session:
            session.execute(update(Claim).where(Claim.id == held).values(state="withdrawn"))
            if not waits:
                session.execute(
                    update(ShiftRole).where(ShiftRole.id == role_id).values(claimed=0)
                )

    def come_unguarded():
        with reading() as session:
            taken = session.scalar(select(ShiftRole.claimed).where(ShiftRole.id == role_id))
        both_looked.wait()
        with transaction() as session:
            session.execute(
                insert(Claim).values(
                    shift_id=shift_id,
                    role_id=role_id,
                    member_id=coming,
                    state="claimed" if taken < 1 else "waitlisted",
                    queue_no=2,
                    claimed_at=NOON,
                )
            )

    no_faults(race(app, [leave_unguarded, come_unguarded]))
    with writing() as session:
        state = session.scalar(select(Claim.state).where(Claim.member_id == coming))
        free = session.scalar(select(ShiftRole.claimed).where(ShiftRole.id == role_id)) == 0
        assert (state, free) == ("waitlisted", True)
        assert not nobody_waits_beside_a_free_place(session, shift_id)


def one_who_moved_up(writing):
    """Return a shift with one place, who moved up to it with their claim, and who is next."""
    with writing() as session:
        shift_id = a_shift(session, TOMORROW, places=1)
        leaving, moving, waiting = (a_member(session) for _ in range(3))
        held = [
            claim_shift(session, shift_id=shift_id, member_id=each, now=NOON).id
            for each in (leaving, moving, waiting)
        ]
        give_up_claim(session, claim_id=held[0], member_id=leaving, now=NOON)
    return shift_id, moving, held[1], waiting


@pytest.mark.parametrize("round_no", range(4))
def test_an_answer_and_a_lapse_at_once_leave_one_of_them(app, writing, round_no):
    shift_id, moving, claim_id, _ = one_who_moved_up(writing)

    def accept():
        return run(
            lambda session: accept_place(
                session, claim_id=claim_id, member_id=moving, now=LAPSES_AT
            )
        )

    def lapse():
        return run(lambda session: lapse_places(session, now=LAPSES_AT, limit=10))

    contestants = [accept, lapse] if round_no % 2 else [lapse, accept]
    answers = race(app, contestants)
    refused = [each for each in answers if isinstance(each, Exception)]
    assert all(isinstance(each, OfferLapsed) for each in refused), answers
    with writing() as session:
        state = session.scalar(select(Claim.state).where(Claim.id == claim_id))
        assert state == ("withdrawn" if refused else "claimed")
        assert agree(session, shift_id)


def test_without_the_lock_who_accepted_loses_the_place(app, writing):
    """A lapse that trusts what it read before takes the place from somebody who said yes."""
    _, moving, claim_id, _ = one_who_moved_up(writing)
    looked, accepted = threading.Event(), threading.Event()

    def accept():
        assert looked.wait(MEET_SECONDS_MAX)
        run(
            lambda session: accept_place(
                session, claim_id=claim_id, member_id=moving, now=LAPSES_AT
            )
        )
        accepted.set()

    def lapse_unguarded():
        with reading() as session:
            due = session.scalars(select(Claim.id).where(Claim.accept_by <= LAPSES_AT)).all()
        looked.set()
        assert accepted.wait(MEET_SECONDS_MAX)
        with transaction() as session:
            session.execute(
                update(Claim)
                .where(Claim.id.in_(due))
                .values(state="withdrawn", accept_by=None, withdrawal="offer_lapsed")
            )

    no_faults(race(app, [accept, lapse_unguarded]))
    with writing() as session:
        assert session.scalar(select(Claim.state).where(Claim.id == claim_id)) == "withdrawn"


def claims_and_calling_off(app, writing, claimants, what="shift"):
    """Let people claim a shift while it, or its task, is called off; return its id and all
    answers.
    """
    with writing() as session:
        shift_id = a_shift(session, TOMORROW, places=30)
        task_id = session.get_one(Shift, shift_id).task_id
        members = [a_member(session) for _ in range(claimants)]
    by = {"actor_id": 1, "paths": ["/"], "reason": "大雨", "now": NOON}

    def call_off():
        if what == "task":
            return run(lambda session: call_off_task(session, task_id=task_id, **by))
        return run(lambda session: call_off_shift(session, shift_id=shift_id, **by))

    def claim(member_id):
        return run(
            lambda session: claim_shift(
                session, shift_id=shift_id, member_id=member_id, now=NOON
            )
        )

    people = [lambda each=each: claim(each) for each in members]
    middle = len(people) // 2
    return shift_id, race(app, [*people[:middle], call_off, *people[middle:]])


def living_claims(session, shift_id):
    living = select(func.count(Claim.id)).where(
        Claim.shift_id == shift_id, Claim.state != "withdrawn"
    )
    return session.scalar(living), session.get_one(Shift, shift_id).claimed


@pytest.mark.parametrize("what", ["shift", "task"])
def test_no_claim_slips_into_what_is_called_off(app, writing, what):
    shift_id, answers = claims_and_calling_off(app, writing, 12, what)
    refused = [each for each in answers if isinstance(each, Exception)]
    assert all(isinstance(each, NotOpen) for each in refused), answers
    with writing() as session:
        assert living_claims(session, shift_id) == (0, 0)


@pytest.mark.engine("postgresql")
def test_without_the_lock_a_claim_stands_on_a_shift_that_is_called_off(
    app, writing, monkeypatch
):
    """On SQLite writers take turns, so there is nothing between a look and a write."""
    has_looked, is_called_off = threading.Event(), threading.Event()
    locked, withdraw = claiming.locked_shift, publishing.withdraw_claims

    def look_without_lock(session, shift_id):
        seen = locked(session, shift_id)
        session.rollback()
        has_looked.set()
        assert is_called_off.wait(MEET_SECONDS_MAX)
        return seen

    def lock_later(session, shift_id):
        assert has_looked.wait(MEET_SECONDS_MAX)
        return locked(session, shift_id)

    def withdraw_and_tell(session, shift_id, now):
        people = withdraw(session, shift_id, now)
        session.commit()
        is_called_off.set()
        return people

    monkeypatch.setattr(claiming, "locked_shift", look_without_lock)
    monkeypatch.setattr(publishing, "locked_shift", lock_later)
    monkeypatch.setattr(publishing, "withdraw_claims", withdraw_and_tell)
    shift_id, answers = claims_and_calling_off(app, writing, 1)
    no_faults(answers)
    with writing() as session:
        assert living_claims(session, shift_id) == (1, 1)


def test_the_database_refuses_one_place_too_many_of_a_role(writing):
    with writing() as session:
        shift_id = a_shift_with_roles(session, NewRole("司机", 1), NewRole("保洁", 2))
        role_id = roles_of(session, shift_id)[0].id
    with pytest.raises(Exception, match="ck_shift_role_claimed"), writing() as session:
        session.execute(update(ShiftRole).where(ShiftRole.id == role_id).values(claimed=2))


def test_another_cannot_accept_in_the_race_either(writing):
    _, _, claim_id, waiting = one_who_moved_up(writing)
    with pytest.raises(ClaimNotFound), writing() as session:
        accept_place(session, claim_id=claim_id, member_id=waiting, now=NOON)
