"""What waits for review: who may decide, what follows, and that it is decided once."""

import threading

import pytest
from sqlalchemy import select, update

from pointsbank.attendance.evidence import facts_for_review
from pointsbank.attendance.models import Attendance
from pointsbank.attendance.review_errors import (
    OwnReview,
    ReviewDecided,
    ReviewNoteMissing,
    ReviewNotFound,
)
from pointsbank.attendance.reviewing import decide_review
from pointsbank.attendance.reviews import evidence_of, own_review, review_of, reviews_within
from pointsbank.attendance.settling import settle_shift
from pointsbank.attendance.weighing import REVIEW_FROM, weigh
from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import reading, run, transaction
from pointsbank.ledger.queries import balance_of
from pointsbank.ledger.verifying import offenders
from pointsbank.members.models import Member
from pointsbank.messages.models import Message
from pointsbank.organizations.models import Organization
from tests.attendance.crowd import AFTER, a_reviewer, many_come
from tests.attendance.scene import ENDS, STARTS, ZONE, set_scene
from tests.builders import an_organization
from tests.counting import statements_of
from tests.racing import MEET_SECONDS_MAX, race

LATER = AFTER.replace(hour=20)


def settle(session, scene):
    return settle_shift(
        session,
        shift_id=scene.shift_id,
        actor_id=scene.organizer.member_id,
        paths=scene.organizer.paths("organizer"),
        zone=ZONE,
        now=AFTER,
    )


def decide(session, review_id, actor, *, is_approved=True, reason=""):
    return decide_review(
        session,
        attendance_id=review_id,
        actor=actor,
        is_approved=is_approved,
        reason=reason,
        zone=ZONE,
        now=LATER,
    )


@pytest.fixture
def doubtful(scene, writing):
    """Two who checked in on one phone within a second, settled; and one beside them."""
    many_come(scene, writing, 1, stay_until=ENDS)
    with writing() as session:
        other = scene.stranger
    for actor in (scene.volunteer, other):
        scene.scan(actor, scene.venue(STARTS), STARTS, device_id="one phone", confirm=True)
        scene.scan(actor, scene.venue(ENDS, "out"), ENDS, device_id="one phone")
    with writing() as session:
        settlement = settle(session, scene)
        assert len(settlement.awarded) == 1
        assert {each.reason for each in settlement.held} == {"review"}
        secretary = a_reviewer(session)
    return scene, secretary


def waiting(session, actor):
    return reviews_within(session, actor.paths("secretary", "administrator"), is_waiting=True)


def test_doubtful_attendances_wait_and_the_others_are_awarded(doubtful, writing):
    scene, secretary = doubtful
    with writing() as session:
        files = waiting(session, secretary)
        assert {each.member_id for each in files} == {
            scene.volunteer.member_id,
            scene.stranger.member_id,
        }
        assert all(each.score >= REVIEW_FROM for each in files)
        assert all("device_burst" in {r.code for r in each.reasons} for each in files)
        assert all("*" in each.display_name for each in files)
        evidence = evidence_of(session, files[0])
        assert [scan.device_people for scan in evidence.scans] == [2, 2]
        assert all(scan.is_own and scan.counts for scan in evidence.scans)


def test_what_is_approved_is_awarded_at_once_and_once(doubtful, writing):
    scene, secretary = doubtful
    member_id = scene.volunteer.member_id
    with writing() as session:
        review = next(r for r in waiting(session, secretary) if r.member_id == member_id)
        decided = decide(session, review.id, secretary)
        assert (decided.state, decided.attendance_state) == ("approved", "credited")
        points = balance_of(session, f"member:{member_id}").available
        assert points == decided.points > 0
    with writing() as session:
        settle(session, scene)
        assert balance_of(session, f"member:{member_id}").available == points
        assert len(waiting(session, secretary)) == 1
        kinds = session.scalars(select(Message.kind).where(Message.member_id == member_id))
        assert "attendance_approved" in list(kinds)
        assert offenders(session) == []


def test_what_is_refused_stays_held_and_the_person_is_told_why(doubtful, writing):
    scene, secretary = doubtful
    member_id = scene.volunteer.member_id
    with writing() as session:
        review = next(r for r in waiting(session, secretary) if r.member_id == member_id)
        with pytest.raises(ReviewNoteMissing):
            decide(session, review.id, secretary, is_approved=False)
        decide(session, review.id, secretary, is_approved=False, reason="一人代签")
    with writing() as session:
        settle(session, scene)
        own = own_review(session, review.id, member_id)
        assert (own.state, own.attendance_state, own.note) == ("refused", "held", "一人代签")
        assert balance_of(session, f"member:{member_id}").available == 0
        kinds = session.scalars(select(Message.kind).where(Message.member_id == member_id))
        assert "attendance_refused" in list(kinds)
        with pytest.raises(ReviewNotFound):
            own_review(session, review.id, scene.organizer.member_id)


def test_it_is_decided_once(doubtful, writing):
    _, secretary = doubtful
    with writing() as session:
        review = waiting(session, secretary)[0]
        decide(session, review.id, secretary)
        with pytest.raises(ReviewDecided) as refused:
            decide(session, review.id, secretary, is_approved=False, reason="反悔")
        assert refused.value.facts == {"state": "approved"}


def with_powers(actor):
    """Return the same person as one who oversees everything here."""
    return Actor(
        actor.member_id, actor.name, actor.organization_id, 0, (Grant("secretary", "/"),)
    )


def test_who_had_a_hand_in_it_does_not_decide(doubtful, writing):
    scene, secretary = doubtful
    with writing() as session:
        review = next(
            each
            for each in waiting(session, secretary)
            if each.member_id == scene.volunteer.member_id
        )
        for involved in (scene.organizer, scene.volunteer):
            with pytest.raises(OwnReview):
                decide(session, review.id, with_powers(involved))
        assert decide(session, review.id, with_powers(scene.stranger)).state == "approved"


def test_who_settled_it_does_not_decide_though_another_organizes(scene, writing):
    for actor in (scene.volunteer, scene.stranger):
        scene.scan(actor, scene.venue(STARTS), STARTS, device_id="one", confirm=True)
        scene.scan(actor, scene.venue(ENDS, "out"), ENDS, device_id="one")
    with writing() as session:
        settler = a_reviewer(session, "赵主任", "administrator")
        settle_shift(
            session,
            shift_id=scene.shift_id,
            actor_id=settler.member_id,
            paths=settler.paths("administrator"),
            zone=ZONE,
            now=AFTER,
        )
        review = waiting(session, settler)[0]
        with pytest.raises(OwnReview):
            decide(session, review.id, settler)


def test_a_foreign_review_is_like_none(doubtful, writing):
    _, secretary = doubtful
    with writing() as session:
        review = waiting(session, secretary)[0]
        street = an_organization(session, "140303009", "street", None, "另一街道")
        path = session.get_one(Organization, street).path
        stranger = Actor(secretary.member_id, "", 0, 0, (Grant("secretary", path),))
        assert waiting(session, stranger) == []
        for attempt in (
            lambda: decide(session, review.id, stranger),
            lambda: decide(session, 10**9, secretary),
            lambda: review_of(session, review.id, ()),
        ):
            with pytest.raises(ReviewNotFound):
                attempt()


def test_the_database_takes_nobody_as_the_judge_of_themselves(doubtful, writing):
    scene, secretary = doubtful
    with pytest.raises(Exception, match="second_person"), writing() as session:
        session.execute(
            update(Attendance)
            .where(Attendance.member_id == scene.volunteer.member_id)
            .values(review_state="approved", reviewed_by_id=scene.volunteer.member_id)
        )
    with pytest.raises(Exception, match="ck_attendance_review"), writing() as session:
        session.execute(
            update(Attendance)
            .where(Attendance.member_id == scene.volunteer.member_id)
            .values(review_state="approved")
        )


def test_secretaries_are_told_that_something_waits(scene, writing):
    with writing() as session:
        secretary = a_reviewer(session)
    for actor in (scene.volunteer, scene.stranger):
        scene.scan(actor, scene.venue(STARTS), STARTS, device_id="one", confirm=True)
        scene.scan(actor, scene.venue(ENDS, "out"), ENDS, device_id="one")
    with writing() as session:
        settle(session, scene)
        settle(session, scene)
        told = session.scalars(
            select(Message.member_id).where(Message.kind == "attendance_to_review")
        ).all()
        assert list(told) == [secretary.member_id]


def test_of_two_reviewers_at_once_one_decides(app, doubtful, writing):
    scene, secretary = doubtful
    with writing() as session:
        review = waiting(session, secretary)[0]
        other = a_reviewer(session, "赵主任", "administrator")
    answers = race(
        app,
        [
            lambda: run(lambda session: decide(session, review.id, secretary)),
            lambda: run(
                lambda session: decide(
                    session, review.id, other, is_approved=False, reason="不实"
                )
            ),
        ],
    )
    refused = [each for each in answers if isinstance(each, ReviewDecided)]
    decided = [each for each in answers if not isinstance(each, Exception)]
    assert (len(refused), len(decided)) == (1, 1), answers
    with writing() as session:
        found = review_of(session, review.id, ("/",))
        points = balance_of(session, f"member:{found.member_id}").available
        assert (points > 0) is (found.state == "approved")
        assert offenders(session) == []


def test_without_the_guard_both_decide(app, doubtful, writing):
    """The control: who looks first and writes later, without asking whether it still waits."""
    _, secretary = doubtful
    with writing() as session:
        review = waiting(session, secretary)[0]
        others = [secretary, a_reviewer(session, "赵主任", "administrator")]
    both_have_looked = threading.Barrier(2, timeout=MEET_SECONDS_MAX)

    def careless(actor, state):
        with reading() as session:
            is_waiting = review_of(session, review.id, ("/",)).state == "waiting"
        both_have_looked.wait()
        if is_waiting:
            with transaction() as session:
                session.execute(
                    update(Attendance)
                    .where(Attendance.id == review.id)
                    .values(
                        review_state=state,
                        reviewed_by_id=actor.member_id,
                        reviewed_at=LATER,
                    )
                )
        return is_waiting

    answers = race(
        app,
        [
            lambda: careless(others[0], "approved"),
            lambda: careless(others[1], "refused"),
        ],
    )
    assert answers == [True, True]


def test_the_facts_of_a_crowd_are_read_by_as_many_statements_as_of_few(app, writing):
    with writing() as session:
        scene = set_scene(app, session, places=60)
    counts = []
    for number in (2, 30):
        many_come(scene, writing, number)
        with writing() as session, statements_of(app) as statements:
            weighed = weigh(facts_for_review(session, scene.shift_id, ZONE))
        counts.append(sum("SELECT" in statement for statement in statements))
    assert len(weighed) == 32
    assert counts == [6, 6]


def test_a_person_of_the_list_is_known_by_more_than_a_masked_name(doubtful, writing):
    _, secretary = doubtful
    with writing() as session:
        found = waiting(session, secretary)[0]
        assert found.volunteer_no == session.get_one(Member, found.member_id).volunteer_no
