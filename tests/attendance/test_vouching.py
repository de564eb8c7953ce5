"""Above thirty a second person signs for the list before it is settled."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from pointsbank.attendance.models import Attendance, CoSignature
from pointsbank.attendance.review_errors import (
    CannotVouch,
    CoSignatureMissing,
    NobodyCame,
    NoSuchSigner,
)
from pointsbank.attendance.settling import settle_shift
from pointsbank.attendance.vouching import (
    CO_SIGN_ABOVE,
    ask_to_vouch,
    co_sign,
    demand_co_signature,
    people_on_list,
    signers_for,
    vouching_of,
)
from pointsbank.core.db import run
from pointsbank.members.models import Member
from pointsbank.messages.models import Message
from pointsbank.tasks.errors import ShiftNotFound
from pointsbank.tasks.queries import shift_of
from tests.attendance.crowd import AFTER, a_reviewer, many_come
from tests.attendance.scene import ENDS, ZONE, actor_of, set_scene
from tests.builders import a_member, how_many
from tests.racing import race


@pytest.fixture
def crowd(app, writing):
    """A shift to which one more came than anybody has to sign for."""
    with writing() as session:
        scene = set_scene(app, session, places=CO_SIGN_ABOVE + 5)
    people = many_come(scene, writing, CO_SIGN_ABOVE + 1, stay_until=ENDS)
    return scene, people


def sign(session, scene, actor, at=AFTER):
    return co_sign(session, shift_id=scene.shift_id, actor=actor, now=at)


def settle(session, scene):
    return settle_shift(
        session,
        shift_id=scene.shift_id,
        actor_id=scene.organizer.member_id,
        paths=scene.organizer.paths("organizer"),
        zone=ZONE,
        now=AFTER,
    )


def test_a_small_shift_needs_nobody(app, writing):
    with writing() as session:
        scene = set_scene(app, session, places=CO_SIGN_ABOVE + 5)
    many_come(scene, writing, CO_SIGN_ABOVE)
    with writing() as session:
        demand_co_signature(session, scene.shift_id)
        assert not vouching_of(session, scene.shift_id).is_needed


def test_a_large_shift_is_not_settled_without_a_signature(crowd, writing):
    scene, people = crowd
    with writing() as session, pytest.raises(CoSignatureMissing) as refused:
        settle(session, scene)
    assert refused.value.facts == {"people": len(people)}
    with writing() as session:
        assert not session.scalars(
            select(Attendance.id).where(Attendance.settled_at.is_not(None))
        ).all()
        sign(session, scene, actor_of(session, people[0]))
        assert len(settle(session, scene).awarded) == len(people)


def test_who_oversees_it_may_sign_without_having_been_there(crowd, writing):
    scene, people = crowd
    with writing() as session:
        vouching = sign(session, scene, a_reviewer(session))
        assert (vouching.is_needed, vouching.is_signed) == (True, True)
        assert [each.people for each in vouching.signatures] == [len(people)]
        demand_co_signature(session, scene.shift_id)


def test_the_organizer_does_not_sign(crowd, writing):
    scene, _ = crowd
    with writing() as session:
        with pytest.raises(CannotVouch):
            sign(session, scene, scene.organizer)
        assert how_many(session, CoSignature) == 0


def test_who_scanned_others_in_does_not_sign_and_did_not_if_they_did_later(crowd, writing):
    scene, people = crowd
    with writing() as session:
        helper = a_reviewer(session, "李敏", "organizer")
        sign(session, scene, helper)
        demand_co_signature(session, scene.shift_id)
        number = session.get_one(Member, a_member(session)).volunteer_no
    # The helper takes the camera after having signed: their list is their own now.
    at = ENDS - timedelta(minutes=1)
    shown = scene.scan(
        helper, number, at, shift_id=scene.shift_id, confirm=True, note="手机没电"
    )
    assert shown.facts["reason"] == "ok_in"
    with writing() as session:
        with pytest.raises(CoSignatureMissing):
            demand_co_signature(session, scene.shift_id)
        with pytest.raises(CannotVouch):
            sign(session, scene, helper)


def test_who_was_not_there_and_oversees_nothing_sees_no_list(crowd, writing):
    scene, _ = crowd
    with writing() as session, pytest.raises(ShiftNotFound):
        sign(session, scene, scene.stranger)


def test_who_says_they_were_not_there_does_not_sign(crowd, writing):
    scene, people = crowd
    with writing() as session:
        line = session.scalars(
            select(Attendance).where(Attendance.member_id == people[0])
        ).one()
        line.state, line.rejected_at = "rejected", AFTER
        session.flush()
        with pytest.raises(ShiftNotFound):
            sign(session, scene, actor_of(session, people[0]))


def test_an_empty_list_is_not_signed(scene, writing):
    with writing() as session, pytest.raises(NobodyCame):
        sign(session, scene, a_reviewer(session))


def test_who_came_later_is_signed_for_anew(crowd, writing):
    scene, people = crowd
    with writing() as session:
        signer = actor_of(session, people[0])
        sign(session, scene, signer)
        late = actor_of(session, a_member(session))
    at = ENDS - timedelta(minutes=1)
    scene.scan(late, scene.venue(at), at, confirm=True)
    with writing() as session:
        with pytest.raises(CoSignatureMissing):
            demand_co_signature(session, scene.shift_id)
        assert sign(session, scene, signer).is_signed
        demand_co_signature(session, scene.shift_id)
        assert how_many(session, CoSignature) == 1


def test_signing_at_once_is_one_signature(app, crowd, writing):
    scene, people = crowd
    with writing() as session:
        signer = actor_of(session, people[0])
    answers = race(app, [lambda: run(lambda session: sign(session, scene, signer))] * 5)
    assert all(answer == answers[0] for answer in answers), answers
    with writing() as session:
        assert how_many(session, CoSignature) == 1


def test_somebody_is_asked_once_by_a_message(crowd, writing):
    scene, people = crowd

    def ask(session, signer_id):
        return ask_to_vouch(
            session,
            shift_id=scene.shift_id,
            signer_id=signer_id,
            actor_id=scene.organizer.member_id,
            paths=scene.organizer.paths("organizer"),
            now=AFTER,
        )

    with writing() as session:
        assert ask(session, people[0]) is True
        assert ask(session, people[0]) is False
        kinds = session.scalars(select(Message.kind).where(Message.member_id == people[0]))
        assert list(kinds).count("co_signature_asked") == 1
        for nobody in (scene.stranger.member_id, scene.organizer.member_id):
            with pytest.raises(NoSuchSigner):
                ask(session, nobody)


def test_the_lead_chooses_among_overseers_and_those_who_came(crowd, writing):
    scene, people = crowd
    with writing() as session:
        secretary = a_reviewer(session)
        _, task = shift_of(session, scene.shift_id)
        signers = signers_for(session, scene.shift_id, task)
        assert signers[0].member_id == secretary.member_id
        assert [each.is_overseer for each in signers] == [True] + [False] * len(people)
        listed = people_on_list(session, scene.shift_id)
        assert len(listed) == len(people)
        assert all("*" in each.display_name for each in listed)
