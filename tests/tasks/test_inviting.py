"""Invitations: asked, told, answered once; a place only for those who accept."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from pointsbank.core.db import reading, run, transaction
from pointsbank.members.errors import MemberNotFound
from pointsbank.members.models import Member
from pointsbank.messages.queries import inbox
from pointsbank.tasks import inviting
from pointsbank.tasks.claiming import claim_shift, give_up_claim
from pointsbank.tasks.errors import (
    BadAnswerBy,
    InvitationAnswered,
    InvitationLapsed,
    InvitationNotFound,
    InviteesMissing,
    KeptPlacesTaken,
    NotOpen,
)
from pointsbank.tasks.groups import group_of, release_group
from pointsbank.tasks.inviting import (
    accept_invitation,
    decline_invitation,
    lapse_invitations,
)
from pointsbank.tasks.models import Claim, GroupClaim, Invitation, Task
from tests.builders import a_claim, a_member, how_many
from tests.moments import NOON
from tests.racing import race
from tests.tasks.inviting_scene import (
    IN_THREE_DAYS,
    a_scene,
    accepted,
    an_invitation,
    assert_counts_add_up,
    invitation_of,
    invited,
    kept,
)


def accept(session, invitation_id, member_id, now=NOON):
    return accept_invitation(session, invitation_id=invitation_id, member_id=member_id, now=now)


def decline(session, invitation_id, member_id, now=NOON):
    decline_invitation(session, invitation_id=invitation_id, member_id=member_id, now=now)


def state_of(session, invitation_id):
    return session.scalar(select(Invitation.state).where(Invitation.id == invitation_id))


def test_an_invitation_is_told_once_and_is_no_claim(session):
    scene = a_scene(session)
    group_id = kept(session, scene, 3)
    member_id = a_member(session, organization_id=scene.branch_id)
    assert invited(session, scene, [member_id, member_id], group_id) == ["invited"]
    assert invited(session, scene, [member_id], group_id) == ["already_invited"]
    assert how_many(session, Claim) == 0
    told = inbox(session, member_id)
    assert [line.kind for line in told] == ["invited_to_shift"]
    # The group keeps its places until a day before the start, so long there is to answer.
    answer_by = IN_THREE_DAYS - timedelta(hours=24)
    assert (
        told[0].facts["answer_by"]
        == answer_by.astimezone(
            session.get_one(Invitation, invitation_of(session, member_id)).answer_by.tzinfo
        ).isoformat()
    )
    assert group_of(session, group_id, [scene.path]).invited == 1
    assert_counts_add_up(session, scene.shift_id)


def test_accepting_takes_the_kept_place_and_a_repeat_answers_the_claim(session):
    scene = a_scene(session, places=1)
    group_id = kept(session, scene, 1)
    member_id, invitation_id = an_invitation(session, scene, group_id)
    claim = accept(session, invitation_id, member_id)
    assert (claim.state, claim.position) == ("claimed", None)
    assert accept(session, invitation_id, member_id).id == claim.id
    row = session.get_one(Claim, claim.id)
    assert (row.source, row.group_claim_id) == ("invitation", group_id)
    assert state_of(session, invitation_id) == "accepted"
    with pytest.raises(InvitationAnswered):
        decline(session, invitation_id, member_id)
    assert_counts_add_up(session, scene.shift_id)


def test_declining_costs_nothing_and_is_final(session):
    scene = a_scene(session)
    group_id = kept(session, scene, 2)
    member_id, invitation_id = an_invitation(session, scene, group_id)
    for _ in range(2):
        decline(session, invitation_id, member_id)
    assert how_many(session, Claim) == 0
    with pytest.raises(InvitationAnswered):
        accept(session, invitation_id, member_id)
    # Whoever declined may be asked again, and may change their mind.
    assert invited(session, scene, [member_id], group_id) == ["invited"]
    assert accept(session, invitation_of(session, member_id), member_id).state == "claimed"


def test_who_gave_the_place_up_does_not_get_it_by_the_old_invitation(session):
    scene = a_scene(session)
    member_id, invitation_id = an_invitation(session, scene)
    claim = accept(session, invitation_id, member_id)
    give_up_claim(session, claim_id=claim.id, member_id=member_id, now=NOON)
    with pytest.raises(InvitationAnswered):
        accept(session, invitation_id, member_id)


def test_without_an_answer_it_lapses(session):
    scene = a_scene(session)
    soon = NOON + timedelta(hours=3)
    member_id, invitation_id = an_invitation(session, scene, answer_by=soon)
    assert lapse_invitations(session, now=soon - timedelta(seconds=1), limit=10) == 0
    with pytest.raises(InvitationLapsed):
        accept(session, invitation_id, member_id, now=soon)
    assert lapse_invitations(session, now=soon, limit=10) == 1
    assert lapse_invitations(session, now=soon, limit=10) == 0
    assert state_of(session, invitation_id) == "lapsed"
    with pytest.raises(InvitationLapsed):
        accept(session, invitation_id, member_id, now=soon)
    decline(session, invitation_id, member_id)
    assert state_of(session, invitation_id) == "lapsed"


def test_nobody_answers_for_another(session):
    scene = a_scene(session)
    _, invitation_id = an_invitation(session, scene)
    stranger = a_member(session)
    for act in (accept, decline):
        with pytest.raises(InvitationNotFound):
            act(session, invitation_id, stranger)


def test_more_may_be_invited_than_places_are_kept(session):
    scene = a_scene(session, places=3)
    group_id = kept(session, scene, 1)
    people = [an_invitation(session, scene, group_id) for _ in range(4)]
    claims = [accept(session, invitation, member) for member, invitation in people]
    assert [claim.state for claim in claims] == ["claimed"] * 3 + ["waitlisted"]
    groups = [session.get_one(Claim, claim.id).group_claim_id for claim in claims]
    assert groups == [group_id, None, None, None]
    assert_counts_add_up(session, scene.shift_id)


def test_who_waits_in_line_goes_over_to_a_kept_place(session):
    scene = a_scene(session, places=2)
    group_id = kept(session, scene, 1)
    a_claim(session, scene.shift_id)
    people = [a_member(session, organization_id=scene.branch_id) for _ in range(2)]
    for member_id in people:
        assert a_claim(session, scene.shift_id, member_id).state == "waitlisted"
    assert invited(session, scene, people) == ["waitlisted"] * 2
    assert invited(session, scene, people, group_id) == ["invited"] * 2
    first, second = people
    claim = accept(session, invitation_of(session, first), first)
    assert claim.state == "claimed"
    assert_counts_add_up(session, scene.shift_id)
    with pytest.raises(KeptPlacesTaken):
        accept(session, invitation_of(session, second), second)
    assert a_claim(session, scene.shift_id, second).position == 1


def test_after_the_release_an_invitation_is_for_a_place_like_everyones(session):
    scene = a_scene(session, places=2)
    group_id = kept(session, scene, 2)
    member_id, invitation_id = an_invitation(session, scene, group_id)
    release_group(session, group_id=group_id, actor_id=None, now=NOON)
    claim = accept(session, invitation_id, member_id)
    assert claim.state == "claimed"
    assert session.get_one(Claim, claim.id).group_claim_id is None
    assert_counts_add_up(session, scene.shift_id)


def test_who_has_a_place_is_not_asked(session):
    scene = a_scene(session)
    member_id, _ = accepted(session, scene)
    assert invited(session, scene, [member_id]) == ["has_place"]


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"answer_by": NOON}, BadAnswerBy),
        ({"answer_by": IN_THREE_DAYS + timedelta(seconds=1)}, BadAnswerBy),
        ({"now": IN_THREE_DAYS}, BadAnswerBy),
    ],
    ids=str,
)
def test_an_answer_is_given_before_the_start(session, changes, refusal):
    scene = a_scene(session)
    member_id = a_member(session, organization_id=scene.branch_id)
    with pytest.raises(refusal):
        invited(session, scene, [member_id], **changes)


def test_only_people_of_the_branch_who_may_sign_in_are_asked(session):
    scene = a_scene(session)
    stopped = a_member(session, organization_id=scene.branch_id)
    session.execute(update(Member).where(Member.id == stopped).values(state="suspended"))
    mine = a_member(session, organization_id=scene.branch_id)
    for foreign in (a_member(session), stopped, 999_999):
        with pytest.raises(MemberNotFound):
            invited(session, scene, [mine, foreign])
    with pytest.raises(InviteesMissing):
        invited(session, scene, [])
    assert how_many(session, Invitation) == 0


def test_nobody_is_asked_to_what_was_called_off(session):
    scene = a_scene(session)
    member_id, invitation_id = an_invitation(session, scene)
    session.execute(update(Task).values(state="cancelled"))
    with pytest.raises(NotOpen):
        invited(session, scene, [a_member(session, organization_id=scene.branch_id)])
    with pytest.raises(NotOpen):
        accept(session, invitation_id, member_id)


def test_accepting_declining_and_lapsing_at_once_leave_one_answer(app, writing):
    with writing() as session:
        scene = a_scene(session, places=5)
        group_id = kept(session, scene, 5)
        asked = [an_invitation(session, scene, group_id) for _ in range(6)]
    late = IN_THREE_DAYS - timedelta(hours=24)

    acts = []
    for member_id, invitation_id in asked:
        one = {"invitation_id": invitation_id, "member_id": member_id, "now": NOON}
        acts += [
            lambda one=one: run(lambda session: accept_invitation(session, **one)),
            lambda one=one: run(lambda session: decline_invitation(session, **one)),
            lambda: run(lambda session: lapse_invitations(session, now=late, limit=1)),
        ]
    answers = race(app, acts)
    strange = [
        answer
        for answer in answers
        if isinstance(answer, Exception)
        and not isinstance(answer, InvitationAnswered | InvitationLapsed)
    ]
    assert strange == []
    with writing() as session:
        rows = session.execute(select(Invitation.state, Invitation.claim_id)).all()
        assert all((row.state == "accepted") == (row.claim_id is not None) for row in rows)
        assert how_many(session, Claim) == sum(row.state == "accepted" for row in rows)
        assert not [row for row in rows if row.state == "open"]
        assert_counts_add_up(session, scene.shift_id)


@pytest.mark.engine("postgresql")
def test_whose_invitation_lapses_while_they_accept_has_no_place(app, writing, monkeypatch):
    with writing() as session:
        scene = a_scene(session)
        member_id, invitation_id = an_invitation(session, scene, kept(session, scene, 1))
    late = IN_THREE_DAYS - timedelta(hours=24)

    def claim_and_let_it_lapse(session, **wanted):
        claim = claim_shift(session, **wanted)
        assert race(
            app, [lambda: run(lambda other: lapse_invitations(other, now=late, limit=1))]
        ) == [1]
        return claim

    monkeypatch.setattr(inviting, "claim_shift", claim_and_let_it_lapse)
    with pytest.raises(InvitationLapsed), writing() as session:
        accept(session, invitation_id, member_id)
    with writing() as session:
        assert how_many(session, Claim) == 0
        assert state_of(session, invitation_id) == "lapsed"
        assert_counts_add_up(session, scene.shift_id)


def accepting(app, writing, contestant):
    """Let twenty people accept invitations to three kept places of a full shift at once."""
    with writing() as session:
        scene = a_scene(session, places=3)
        group_id = kept(session, scene, 3)
        asked = [an_invitation(session, scene, group_id) for _ in range(20)]
    answers = race(
        app,
        [lambda each=each: contestant(scene.shift_id, group_id, *each) for each in asked],
    )
    assert not [answer for answer in answers if isinstance(answer, Exception)], answers
    return scene, group_id, answers


def test_twenty_accept_three_kept_places(app, writing):
    scene, _, answers = accepting(
        app,
        writing,
        lambda _shift, _group, member, invitation: run(
            lambda session: accept(session, invitation, member)
        ),
    )
    assert sum(answer.state == "claimed" for answer in answers) == 3
    with writing() as session:
        assert_counts_add_up(session, scene.shift_id)


def test_without_the_guard_more_accept_than_places_are_kept(app, writing, barrier):
    def accept_unguarded(shift_id, group_id, member_id, invitation_id):
        with reading() as session:
            group = session.get_one(GroupClaim, group_id)
            is_free, role_id = group.taken < group.places, group.role_id
        barrier.wait()
        with transaction() as session:
            session.execute(
                insert(Claim).values(
                    shift_id=shift_id,
                    role_id=role_id,
                    member_id=member_id,
                    state="claimed" if is_free else "waitlisted",
                    group_claim_id=group_id,
                    queue_no=invitation_id,
                    claimed_at=NOON,
                )
            )

    scene, group_id, _ = accepting(app, writing, accept_unguarded)
    with writing() as session:
        claims = session.scalars(
            select(Claim.id).where(Claim.group_claim_id == group_id, Claim.state == "claimed")
        ).all()
        assert len(claims) > 3
