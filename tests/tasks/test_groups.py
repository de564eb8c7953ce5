"""Places that a branch keeps: all or none of them, filled by consent, released in time."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from pointsbank.core.db import reading, run, transaction
from pointsbank.messages.queries import inbox
from pointsbank.organizations.errors import OrganizationNotFound
from pointsbank.tasks.claiming import give_up_claim
from pointsbank.tasks.errors import (
    GroupNotFound,
    GroupPlacesTaken,
    GroupTooLate,
    NotOpen,
    PlacesNotFree,
    RoleNotFound,
    ShiftNotFound,
    TooManyKept,
)
from pointsbank.tasks.groups import (
    group_of,
    groups_within,
    release_due_groups,
    release_group,
)
from pointsbank.tasks.models import Claim, GroupClaim, Shift, ShiftRole, Task
from tests.builders import a_claim, a_member, a_shift, a_task, shifts_of
from tests.moments import NOON
from tests.racing import race
from tests.tasks.inviting_scene import (
    IN_THREE_DAYS,
    a_scene,
    accepted,
    assert_counts_add_up,
    kept,
)

RACERS = 20


def states(session, shift_id):
    return list(
        session.scalars(
            select(Claim.state).where(Claim.shift_id == shift_id).order_by(Claim.queue_no)
        )
    )


def test_a_branch_keeps_all_it_asks_for_or_none(writing):
    with writing() as session:
        scene = a_scene(session, places=5)
        a_claim(session, scene.shift_id)
    with pytest.raises(PlacesNotFree) as refused, writing() as session:
        kept(session, scene, 5)
    assert refused.value.facts == {"free": 4}
    with writing() as session:
        assert session.get_one(Shift, scene.shift_id).claimed == 1
        group = group_of(session, kept(session, scene, 4), [scene.path])
        assert (group.places, group.taken, group.invited) == (4, 0, 0)
        assert group.release_at == IN_THREE_DAYS - timedelta(hours=24)
        assert a_claim(session, scene.shift_id).state == "waitlisted"
        assert_counts_add_up(session, scene.shift_id)


def test_a_repeat_keeps_the_same_and_another_number_more_or_fewer(session):
    scene = a_scene(session, places=5)
    group_id = kept(session, scene, 2)
    assert kept(session, scene, 2) == group_id
    assert_counts_add_up(session, scene.shift_id)
    assert kept(session, scene, 5) == group_id
    assert a_claim(session, scene.shift_id).state == "waitlisted"
    assert kept(session, scene, 3) == group_id
    assert states(session, scene.shift_id) == ["claimed"]
    assert session.get_one(Shift, scene.shift_id, populate_existing=True).claimed == 4
    assert_counts_add_up(session, scene.shift_id)


def test_nobody_loses_a_place_because_their_branch_keeps_fewer(session):
    scene = a_scene(session)
    group_id = kept(session, scene, 3)
    for _ in range(2):
        accepted(session, scene, group_id)
    with pytest.raises(GroupPlacesTaken) as refused:
        kept(session, scene, 1)
    assert refused.value.facts == {"taken": 2}


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"now": IN_THREE_DAYS - timedelta(hours=24)}, GroupTooLate),
        ({"role_id": 999_999}, RoleNotFound),
        ({"task": "cancelled"}, NotOpen),
        ({"task": "draft"}, ShiftNotFound),
        ({"called_off": True}, NotOpen),
    ],
    ids=str,
)
def test_what_cannot_be_kept_says_why(writing, changes, refusal):
    with writing() as session:
        scene = a_scene(session)
        changes = dict(changes)
        if state := changes.pop("task", None):
            session.execute(update(Task).values(state=state))
        if changes.pop("called_off", False):
            session.execute(update(Shift).values(called_off_at=NOON))
    with pytest.raises(refusal), writing() as session:
        kept(session, scene, 2, **changes)


def test_only_ones_own_branch_keeps_places(writing):
    with writing() as session:
        scene, other = a_scene(session), a_scene(session)
        group_id = kept(session, scene, 2)
        with pytest.raises(GroupNotFound):
            group_of(session, group_id, [other.path])
        assert groups_within(session, [other.path]) == []
        assert [group.id for group in groups_within(session, [scene.path])] == [group_id]
    stranger = replace(scene, code=other.code)
    with pytest.raises(OrganizationNotFound), writing() as session:
        kept(session, stranger, 2)


def test_who_gives_up_gives_the_place_back_to_the_group(session):
    scene = a_scene(session, places=2)
    group_id = kept(session, scene, 2)
    member_id, claim = accepted(session, scene, group_id)
    assert (claim.state, group_of(session, group_id, [scene.path]).taken) == ("claimed", 1)
    waiting = a_claim(session, scene.shift_id)
    give_up_claim(session, claim_id=claim.id, member_id=member_id, now=NOON)
    assert session.get_one(Claim, waiting.id).state == "waitlisted"
    assert group_of(session, group_id, [scene.path]).taken == 0
    assert_counts_add_up(session, scene.shift_id)
    assert accepted(session, scene, group_id)[1].state == "claimed"
    assert_counts_add_up(session, scene.shift_id)


def test_released_places_go_to_the_line_and_then_to_everyone(session):
    scene = a_scene(session, places=4)
    group_id = kept(session, scene, 4)
    member_id, claim = accepted(session, scene, group_id)
    for _ in range(2):
        assert a_claim(session, scene.shift_id).state == "waitlisted"
    assert release_group(session, group_id=group_id, actor_id=member_id, now=NOON) == 3
    assert release_group(session, group_id=group_id, actor_id=member_id, now=NOON) == 0
    assert states(session, scene.shift_id) == ["claimed"] * 3
    assert_counts_add_up(session, scene.shift_id)
    # Whoever gives up now gives to everyone: the group keeps nothing any more.
    a_claim(session, scene.shift_id)
    last = a_claim(session, scene.shift_id)
    assert last.state == "waitlisted"
    give_up_claim(session, claim_id=claim.id, member_id=member_id, now=NOON)
    assert session.get_one(Claim, last.id, populate_existing=True).state == "claimed"
    assert_counts_add_up(session, scene.shift_id)


def test_the_job_releases_a_day_before_and_tells_the_secretary_once(session):
    scene = a_scene(session, places=4)
    group_id = kept(session, scene, 3)
    accepted(session, scene, group_id)
    a_day_before = IN_THREE_DAYS - timedelta(hours=24)
    early = a_day_before - timedelta(seconds=1)
    assert release_due_groups(session, now=early, limit=10) == 0
    assert release_due_groups(session, now=a_day_before, limit=10) == 1
    assert release_due_groups(session, now=a_day_before, limit=10) == 0
    told = [line for line in inbox(session, scene.secretary_id) if "kept" in line.kind]
    assert [line.facts for line in told] == [{"places": 2, "group_id": group_id}]
    assert_counts_add_up(session, scene.shift_id)


def test_a_shift_moved_ahead_is_released_by_its_new_start(session):
    scene = a_scene(session)
    kept(session, scene, 2)
    session.execute(update(Shift).values(starts_at=NOON + timedelta(hours=20)))
    assert release_due_groups(session, now=NOON, limit=10) == 1


def test_nobody_moves_up_to_what_was_called_off(session):
    scene = a_scene(session, places=2)
    group_id = kept(session, scene, 2)
    waiting = a_claim(session, scene.shift_id)
    session.execute(update(Task).values(state="cancelled"))
    assert release_group(session, group_id=group_id, actor_id=None, now=NOON) == 2
    assert session.get_one(Claim, waiting.id, populate_existing=True).state == "waitlisted"


def racing_branches(app, writing, contestant):
    """Let twenty branches ask for three of twelve places at once."""
    with writing() as session:
        scene = a_scene(session, places=12)
        scenes = [a_scene(session) for _ in range(RACERS)]
        rivals = [replace(each, shift_id=scene.shift_id) for each in scenes]
    return scene, race(app, [lambda each=each: contestant(each) for each in rivals])


@pytest.mark.parametrize(
    ("places", "winners", "refusal"), [(1, 12, PlacesNotFree), (3, 3, TooManyKept)]
)
def test_twenty_branches_race_for_twelve_places(app, writing, places, winners, refusal):
    """One each: as many as there are. Three each: of the last three a branch gets one."""
    scene, answers = racing_branches(
        app, writing, lambda each: run(lambda session: kept(session, each, places))
    )
    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert {type(answer) for answer in refused} == {refusal}
    assert len(answers) - len(refused) == winners
    with writing() as session:
        assert session.get_one(Shift, scene.shift_id).claimed == winners * places
        assert_counts_add_up(session, scene.shift_id)


def test_without_the_guard_more_is_kept_than_there_is(app, writing, barrier):
    def keep_unguarded(each):
        with reading() as session:
            taken = session.scalar(select(Shift.claimed).where(Shift.id == each.shift_id))
        barrier.wait()
        if taken + 3 > 12:
            return None
        with transaction() as session:
            role_id = session.scalar(
                select(ShiftRole.id).where(ShiftRole.shift_id == each.shift_id)
            )
            session.execute(
                insert(GroupClaim).values(
                    shift_id=each.shift_id,
                    role_id=role_id,
                    organization_id=each.branch_id,
                    places=3,
                    made_by_id=each.secretary_id,
                    made_at=NOON,
                    release_at=IN_THREE_DAYS,
                )
            )
        return True

    scene, answers = racing_branches(app, writing, keep_unguarded)
    assert not [answer for answer in answers if isinstance(answer, Exception)], answers
    with writing() as session:
        promised = session.scalars(
            select(GroupClaim.places).where(GroupClaim.shift_id == scene.shift_id)
        ).all()
        assert sum(promised) > 12


def test_claims_keeping_giving_up_and_releasing_at_once_add_up(app, writing):
    with writing() as session:
        scene = a_scene(session, places=6)
        group_id = kept(session, scene, 4)
        leaving = [accepted(session, scene, group_id) for _ in range(3)]
        coming = [a_member(session) for _ in range(6)]

    def leave(member_id, claim):
        return run(
            lambda session: give_up_claim(
                session, claim_id=claim.id, member_id=member_id, now=NOON
            )
        )

    answers = race(
        app,
        [lambda pair=pair: leave(*pair) for pair in leaving]
        + [
            lambda each=each: run(lambda session: a_claim(session, scene.shift_id, each))
            for each in coming
        ]
        + [
            lambda: run(
                lambda session: release_group(
                    session, group_id=group_id, actor_id=None, now=NOON
                )
            )
        ],
    )
    assert not [answer for answer in answers if isinstance(answer, Exception)], answers
    with writing() as session:
        assert_counts_add_up(session, scene.shift_id)
        # Six places, nobody kept out: whoever came has one.
        assert states(session, scene.shift_id).count("claimed") == 6


def test_a_shift_of_several_days_keeps_for_one_only(session):
    scene = a_scene(session)
    other = shifts_of(session, a_task(session))[0]
    kept(session, scene, 2)
    assert session.get_one(Shift, other).claimed == 0


def a_foreign_scene(session, places):
    """A branch, and a shift of somebody else's work."""
    scene = a_scene(session)
    return replace(scene, shift_id=a_shift(session, starts_at=IN_THREE_DAYS, places=places))


@pytest.mark.parametrize(("places", "most"), [(1, 1), (2, 1), (5, 2), (10, 5)])
def test_a_branch_keeps_half_of_the_free_places_of_anothers_work(writing, places, most):
    with writing() as session:
        scene = a_foreign_scene(session, places)
    if most < places:
        with pytest.raises(TooManyKept) as refused, writing() as session:
            kept(session, scene, most + 1)
        assert refused.value.facts == {"most": most}
    with writing() as session:
        kept(session, scene, most)
        assert_counts_add_up(session, scene.shift_id)


def test_what_is_kept_may_be_told_again_and_filled_when_others_came(writing):
    with writing() as session:
        scene = a_foreign_scene(session, 6)
        group_id = kept(session, scene, 3)
        for _ in range(3):
            a_claim(session, scene.shift_id)
        for _ in range(2):
            accepted(session, scene, group_id)
        assert kept(session, scene, 3) == group_id
        assert_counts_add_up(session, scene.shift_id)
    with pytest.raises(PlacesNotFree), writing() as session:
        kept(session, scene, 4)


def test_step_by_step_is_no_way_to_more(writing):
    with writing() as session:
        scene = a_foreign_scene(session, 8)
        for number in (1, 2, 3, 4):
            kept(session, scene, number)
    with pytest.raises(TooManyKept) as refused, writing() as session:
        kept(session, scene, 5)
    assert refused.value.facts == {"most": 4}


def test_the_organizers_own_branch_may_keep_all(session):
    scene = a_foreign_scene(session, 6)
    organizer = a_member(session, "李敏", scene.branch_id)
    task_id = session.get_one(Shift, scene.shift_id).task_id
    session.execute(update(Task).where(Task.id == task_id).values(organizer_id=organizer))
    group_id = kept(session, scene, 6)
    assert session.get_one(GroupClaim, group_id).places == 6
    assert_counts_add_up(session, scene.shift_id)


def test_two_secretaries_of_a_branch_at_once_keep_no_more_than_half(app, writing):
    with writing() as session:
        scene = a_foreign_scene(session, 8)

    def keep(number):
        return run(lambda session: kept(session, scene, number))

    answers = race(app, [lambda each=each: keep(each) for each in (4, 5, 4, 5)])
    assert [isinstance(each, TooManyKept) for each in answers] == [False, True, False, True]
    with writing() as session:
        assert session.get_one(Shift, scene.shift_id).claimed == 4
