"""A move that one branch proposes and the other confirms: two people, one at each end."""

import threading
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from pointsbank.core.actor import Actor
from pointsbank.core.db import transaction
from pointsbank.members import proposing
from pointsbank.members.errors import BadMoveDay, MemberNotFound, MoveOneself, NotAHome
from pointsbank.members.models import Belonging
from pointsbank.members.moves_errors import (
    BelongsThere,
    MoveDecided,
    MoveOvertaken,
    MoveProposalNotFound,
    MoveProposed,
    MoveReasonMissing,
    OtherEndConfirms,
)
from pointsbank.members.moves_models import MoveProposal
from pointsbank.members.moves_queries import proposal_of, proposals_within
from pointsbank.members.moving import Move, move
from pointsbank.members.proposing import WantedMove, decide_proposal, propose_move
from pointsbank.members.queries import member_of, stays_of
from pointsbank.organizations.queries import organization_of
from tests.builders import TODAY, a_branch, a_member, a_token, an_organization, with_role
from tests.moments import NOON
from tests.racing import MEET_SECONDS_MAX, forget_guard, forget_lock, race
from tests.scoring.hands import actor_of

EARLIER = NOON - timedelta(days=60)


@dataclass
class Ends:
    """Two branches, each with a secretary; a third one's; and an administrator over all."""

    old: int
    new: int
    member: int
    old_secretary: int
    new_secretary: int
    foreign_secretary: int
    administrator: int


def two_ends(session) -> Ends:
    def of(name, role, place):
        return with_role(session, a_member(session, name, place, now=EARLIER), role, place)

    district = an_organization(session, "140303", "district")
    homes = [an_organization(session, f"14030300{n}", parent=district) for n in range(3)]
    old, new, foreign = (a_branch(session, f"B{n}", home) for n, home in enumerate(homes))
    return Ends(
        old,
        new,
        a_member(session, "王桂兰", old, now=EARLIER),
        *(of("书记", "secretary", place) for place in (old, new, foreign)),
        of("赵管理", "administrator", district),
    )


@pytest.fixture
def ends(writing):
    with writing() as session:
        return two_ends(session)


@pytest.fixture
def told():
    return []


def proposed(session, ends, by, told=None, **changes):
    member_id, place = changes.get("member", ends.member), changes.get("to", ends.new)
    wanted = WantedMove(
        member_of(session, member_id).volunteer_no,
        organization_of(session, place).code,
        changes.get("on", TODAY),
        changes.get("reason", "搬家了"),
    )
    heard = [] if told is None else told
    return propose_move(
        session,
        wanted,
        actor=actor_of(session, by),
        tell_of_move=lambda _s, event, ids, _f, _n: heard.append((event, sorted(ids))),
        today=TODAY,
        now=NOON,
    )


def decided(session, proposal_id, by: int | Actor, told=None, *, is_confirmed=True, reason=""):
    heard = [] if told is None else told
    return decide_proposal(
        session,
        proposal_id=proposal_id,
        actor=by if isinstance(by, Actor) else actor_of(session, by),
        is_confirmed=is_confirmed,
        reason=reason,
        tell_of_move=lambda _s, event, ids, _f, _n: heard.append((event, sorted(ids))),
        today=TODAY,
        now=NOON,
    )


@pytest.mark.parametrize(
    ("proposer", "decider"),
    [("old_secretary", "new_secretary"), ("new_secretary", "old_secretary")],
)
def test_either_end_proposes_and_the_other_confirms(ends, writing, told, proposer, decider):
    by, other = getattr(ends, proposer), getattr(ends, decider)
    with writing() as session:
        proposal_id = proposed(session, ends, by, told)
        assert member_of(session, ends.member).organization_id == ends.old
    with writing() as session:
        assert decided(session, proposal_id, other, told) == "confirmed"
    with writing() as session:
        # A repeat changes nothing and tells nobody.
        assert decided(session, proposal_id, other, told) == "confirmed"
        assert member_of(session, ends.member).organization_id == ends.new
        assert [stay.from_on for stay in stays_of(session, ends.member)] == [
            TODAY,
            EARLIER.date(),
        ]
    assert told == [
        ("proposed", sorted([other, ends.administrator])),
        ("confirmed", [by]),
        ("done", [ends.member]),
    ]


def test_who_looks_after_both_ends_confirms_too(ends, writing):
    with writing() as session:
        proposal_id = proposed(session, ends, ends.old_secretary)
        assert decided(session, proposal_id, ends.administrator) == "confirmed"
        assert member_of(session, ends.member).organization_id == ends.new


def test_who_looks_after_both_ends_may_ask_where_the_member_goes(ends, writing):
    with writing() as session:
        proposal_id = proposed(session, ends, ends.administrator)
        for by in (ends.administrator, ends.old_secretary):
            with pytest.raises(OtherEndConfirms):
                decided(session, proposal_id, by)
        assert decided(session, proposal_id, ends.new_secretary) == "confirmed"


def test_the_grid_somebody_lives_in_stays(ends, writing):
    with writing() as session:
        grid = an_organization(session, "G1", "grid", name="第一网格")
        wanted = Move(
            ends.member, organization_of(session, ends.old).code, "G1", EARLIER.date()
        )
        actor = actor_of(session, with_role(session, a_member(session), "administrator"))
        move(session, wanted, actor=actor, today=TODAY, now=NOON)
        decided(session, proposed(session, ends, ends.old_secretary), ends.new_secretary)
        assert member_of(session, ends.member).grid_id == grid


def test_nobody_confirms_what_they_proposed(ends, writing):
    with writing() as session:
        proposal_id = proposed(session, ends, ends.old_secretary)
        with pytest.raises(OtherEndConfirms):
            decided(session, proposal_id, ends.old_secretary)
        # Another secretary of the same end is no second end.
        beside = with_role(session, a_member(session), "secretary", ends.old)
        with pytest.raises(OtherEndConfirms):
            decided(session, proposal_id, beside)
        with pytest.raises(OtherEndConfirms):
            decided(session, proposal_id, beside, is_confirmed=False, reason="不同意")
        # Nor does the proposer who has come to look after the other end as well.
        with_role(session, ends.old_secretary, "secretary", ends.new)
        with pytest.raises(OtherEndConfirms):
            decided(session, proposal_id, ends.old_secretary)
        assert member_of(session, ends.member).organization_id == ends.old


def test_the_member_does_not_decide_about_themself(ends, writing):
    with writing() as session:
        proposal_id = proposed(session, ends, ends.old_secretary)
        with_role(session, ends.member, "secretary", ends.new)
        with pytest.raises(MoveOneself):
            decided(session, proposal_id, ends.member)
        with pytest.raises(MoveOneself):
            proposed(session, ends, ends.member)


def test_a_proposal_is_seen_from_its_ends_alone(ends, writing):
    with writing() as session:
        proposal_id = proposed(session, ends, ends.new_secretary)
        seen = {
            by: [each.name for each in proposals_within(session, paths, limit=5)]
            for by in ("old_secretary", "new_secretary", "foreign_secretary")
            for paths in [actor_of(session, getattr(ends, by)).paths("secretary")]
        }
        assert seen == {
            "old_secretary": ["王*兰"],
            "new_secretary": ["王*兰"],
            "foreign_secretary": [],
        }
        with pytest.raises(MoveProposalNotFound):
            decided(session, proposal_id, ends.foreign_secretary)
        with pytest.raises(MoveProposalNotFound):
            decided(session, proposal_id + 1, ends.new_secretary)
        # Between two ends of which none is theirs, a member looks unknown.
        with pytest.raises(MemberNotFound):
            proposed(session, ends, ends.foreign_secretary)


def test_what_cannot_be_proposed(ends, writing):
    with writing() as session:
        by = ends.old_secretary
        grid = an_organization(session, "G1", "grid")
        for refusal, more in (
            (NotAHome, {"to": grid}),
            (BelongsThere, {"to": ends.old}),
            (BadMoveDay, {"on": TODAY + timedelta(days=1)}),
            (BadMoveDay, {"on": TODAY.replace(year=2025)}),
            (MoveReasonMissing, {"reason": ""}),
        ):
            with pytest.raises(refusal):
                proposed(session, ends, by, **more)
        proposed(session, ends, by)
        with pytest.raises(MoveProposed):
            proposed(session, ends, ends.new_secretary)


def test_a_refusal_has_a_reason_and_leaves_the_member(ends, writing, told):
    with writing() as session:
        proposal_id = proposed(session, ends, ends.old_secretary)
        with pytest.raises(MoveReasonMissing):
            decided(session, proposal_id, ends.new_secretary, is_confirmed=False)
        refused = decided(
            session, proposal_id, ends.new_secretary, told, is_confirmed=False, reason="人未到"
        )
        assert refused == "refused"
        assert told == [("refused", [ends.old_secretary])]
        with pytest.raises(MoveDecided):
            decided(session, proposal_id, ends.administrator)
        assert member_of(session, ends.member).organization_id == ends.old
        assert proposed(session, ends, ends.old_secretary) > proposal_id


def test_whoever_proposed_it_withdraws_it(ends, writing, told):
    with writing() as session:
        proposal_id = proposed(session, ends, ends.old_secretary)
        by = ends.old_secretary
        assert decided(session, proposal_id, by, told, is_confirmed=False) == "withdrawn"
        assert told == []
        with pytest.raises(MoveDecided):
            decided(session, proposal_id, ends.new_secretary)


def test_who_moved_meanwhile_is_not_moved_again(ends, writing):
    with writing() as session:
        proposal_id = proposed(session, ends, ends.old_secretary)
        foreign = member_of(session, ends.foreign_secretary).organization_id
        wanted = Move(ends.member, organization_of(session, foreign).code, None, TODAY)
        move(
            session,
            wanted,
            actor=actor_of(session, ends.administrator),
            today=TODAY,
            now=NOON,
        )
    with pytest.raises(MoveOvertaken), writing() as session:
        decided(session, proposal_id, ends.new_secretary)
    with writing() as session:
        assert member_of(session, ends.member).organization_id == foreign
        # What was refused left the proposal waiting.
        assert session.get_one(MoveProposal, proposal_id).state == "pending"


def alone(act):
    """Return a contestant with a transaction of its own."""

    def contestant():
        with transaction() as session:
            return act(session)

    return contestant


def answers_of(app, ends, proposal_id, deciders):
    """Let half of them confirm and half refuse at once."""
    return race(
        app,
        [
            alone(
                lambda session, who=who, n=n: decided(
                    session, proposal_id, who, is_confirmed=n % 2 == 0, reason="不同意"
                )
            )
            for n, who in enumerate(deciders)
        ],
    )


@pytest.fixture
def deciders(ends, writing):
    with writing() as session:
        more = [with_role(session, a_member(session), "secretary", ends.new) for _ in range(5)]
        return [ends.new_secretary, *more]


def test_of_many_who_decide_at_once_one_does(app, ends, deciders, writing):
    with writing() as session:
        proposal_id = proposed(session, ends, ends.old_secretary)
    answers = answers_of(app, ends, proposal_id, deciders)
    states = [each for each in answers if isinstance(each, str)]
    assert len(states) == 1
    assert {type(each) for each in answers if not isinstance(each, str)} == {MoveDecided}
    with writing() as session:
        assert session.get_one(MoveProposal, proposal_id).state == states[0]
        has_moved = member_of(session, ends.member).organization_id == ends.new
        assert has_moved is (states == ["confirmed"])
        spans = select(func.count()).where(Belonging.member_id == ends.member)
        assert session.scalar(spans) == 1 + has_moved


@pytest.mark.engine("postgresql")
@pytest.mark.parametrize("is_guarded", [True, False])
def test_the_guard_alone_keeps_several_from_deciding(
    app, ends, deciders, writing, monkeypatch, is_guarded
):
    """All have seen it wait before one decides; without its guard all do: the control.

    On SQLite one transaction writes at a time, so nobody sees it wait beside another.
    """
    with writing() as session:
        proposal_id = proposed(session, ends, ends.old_secretary)
    everyone_has_looked = threading.Barrier(len(deciders))

    def looked(*asked):
        found = proposal_of(*asked)
        everyone_has_looked.wait(MEET_SECONDS_MAX)
        return found

    monkeypatch.setattr(proposing, "proposal_of", looked)
    if not is_guarded:
        forget_guard(monkeypatch, proposing, "DECIDE", "state = 'pending'")
    acts = [
        alone(
            lambda session, who=who: decided(
                session, proposal_id, who, is_confirmed=False, reason="不同意"
            )
        )
        for who in deciders
    ]
    answers = race(app, acts)
    assert answers.count("refused") == (1 if is_guarded else len(deciders))


def test_of_two_ends_that_propose_at_once_one_does(app, ends, writing):
    acts = [
        alone(lambda session, by=by: proposed(session, ends, by))
        for by in (ends.old_secretary, ends.new_secretary)
    ]
    answers = race(app, acts)
    assert sorted(type(each).__name__ for each in answers) == ["MoveProposed", "int"]


@pytest.mark.engine("postgresql")
def test_without_the_lock_the_index_refuses_the_second(app, ends, writing, monkeypatch):
    """The control: both read that nothing waits, and the database says no."""
    forget_lock(monkeypatch, proposing, proposing.Member.id)
    both_are_judged = threading.Barrier(2)
    monkeypatch.setattr(
        proposing, "judge_move_day", lambda *_: both_are_judged.wait(MEET_SECONDS_MAX)
    )
    seen = set()
    for _ in range(10):
        acts = [
            alone(lambda session, by=by: proposed(session, ends, by))
            for by in (ends.old_secretary, ends.new_secretary)
        ]
        seen |= {type(each).__name__ for each in race(app, acts)}
        with writing() as session:
            session.execute(MoveProposal.__table__.delete())
    assert "IntegrityError" in seen


@pytest.mark.usefixtures("at_noon")
def test_over_the_api_and_on_the_page(client, writing):
    with writing() as session:
        ends = two_ends(session)
        number = member_of(session, ends.member).volunteer_no
        old, new = (
            {"Authorization": f"Bearer {a_token(session, each)}"}
            for each in (ends.old_secretary, ends.new_secretary)
        )
    path = "/api/v1/move-proposals"
    body = {"volunteer_no": number, "organization_code": "B1", "reason": "搬家了"}
    made = client.post(path, json=body, headers=old)
    assert made.status_code == 201, made.text
    assert (made.json["name"], made.json["side"]) == ("王*兰", "from")
    assert client.get(path, headers=new).json["items"] == [made.json]
    one = f"{path}/{made.json['id']}/decision"
    refused = client.post(one, json={"decision": "refuse"}, headers=new)
    assert (refused.status_code, refused.json["code"]) == (400, "move_reason_missing")
    again = client.post(path, json=body, headers=new)
    assert (again.status_code, again.json["code"]) == (409, "move_proposed")
    confirmed = client.post(one, json={"decision": "confirm"}, headers=new)
    assert (confirmed.status_code, confirmed.json["state"]) == (200, "confirmed")
    told = client.get("/api/v1/me/messages", headers=old).json["items"]
    assert [each["kind"] for each in told] == ["move_confirmed"]
