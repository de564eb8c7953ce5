"""Wishes for rewards: one's community, one vote each, one answer that everybody hears of."""

from copy import copy
from functools import partial
from threading import Barrier

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import run, transaction
from pointsbank.core.errors import Refusal
from pointsbank.messages.models import Message
from pointsbank.rewards import wishing
from pointsbank.rewards.errors import WishAnswered, WishNotFound
from pointsbank.rewards.wishes import community_of, wish_of, wishes_of, wishes_within
from pointsbank.rewards.wishing import OPEN_WISHES_MAX, answer_wish, vote, wish
from tests.browsing import Browser, words_of
from tests.builders import a_branch, a_member, a_reward, an_organization, how_many, with_role
from tests.moments import NOON
from tests.racing import MEET_SECONDS_MAX, after_looking, race, times

URL = "/api/v1/reward-wishes"


@pytest.fixture
def people(counter, writing):
    """Two members of the counter's community, one from elsewhere, and an administrator."""
    with writing() as session:
        elsewhere = an_organization(session, "140303009001", name="别处社区")
        administrator = with_role(
            session, a_member(session, "管理员"), "administrator", an_organization(session)
        )
        return {
            "first": counter.member_id,
            "second": a_member(session, "赵敏", a_branch(session)),
            "stranger": a_member(session, "张伟", elsewhere),
            "administrator": administrator,
        }


def wished(session, member_id, title="上门理发"):
    return wish(session, member_id=member_id, title=title, note_text="", now=NOON)


def voted(session, member_id, wish_id, is_wanted=True):
    return vote(session, member_id=member_id, wish_id=wish_id, is_wanted=is_wanted, now=NOON)


def answered(session, people, wish_id, decision="declined", reward_id=None, path="/"):
    actor = Actor(people["administrator"], "管理员", 0, 0, (Grant("administrator", path),))
    return answer_wish(
        session,
        actor=actor,
        wish_id=wish_id,
        decision=decision,
        answer="下个月",
        reward_id=reward_id,
        now=NOON,
    )


def test_a_wish_is_for_the_community_above_ones_branch(counter, people, writing):
    with writing() as session:
        assert community_of(session, people["second"]).id == an_organization(session)
        wish_id = wished(session, people["second"])
        [line] = wishes_of(session, an_organization(session), counter.member_id)
        assert (line.id, line.votes, line.is_voted, line.is_own) == (wish_id, 1, False, False)
        elsewhere = community_of(session, people["stranger"]).id
        assert wishes_of(session, elsewhere, people["stranger"]) == []
        for is_wanted in (True, False):
            with pytest.raises(WishNotFound):
                voted(session, people["stranger"], wish_id, is_wanted)


def test_each_person_has_one_vote_and_may_take_it_back(people, writing):
    with writing() as session:
        wish_id = wished(session, people["first"])
        for _ in range(2):
            assert voted(session, people["second"], wish_id).votes == 2
        for _ in range(2):
            assert voted(session, people["second"], wish_id, is_wanted=False).votes == 1


def test_the_same_title_is_a_vote_and_open_wishes_are_few(people, writing):
    with writing() as session:
        wish_id = wished(session, people["first"], "Umbrella")
        assert wished(session, people["second"], "umbrella") == wish_id
        assert voted(session, people["first"], wish_id).votes == 2
        assert wished(session, people["stranger"], "Umbrella") != wish_id
        for number in range(OPEN_WISHES_MAX - 1):
            wished(session, people["first"], str(number))
        assert wished(session, people["first"], "1") is not None
        with pytest.raises(Refusal) as caught:
            wished(session, people["first"], "一件太多")
        assert caught.value.facts == {"limit": OPEN_WISHES_MAX}


def test_an_answer_is_given_once_and_told_to_everyone_who_voted(counter, people, writing):
    with writing() as session:
        wish_id = wished(session, people["first"])
        voted(session, people["second"], wish_id)
        for _ in range(2):
            line = answered(session, people, wish_id, "fulfilled", counter.reward_id)
            assert (line.state, line.reward_name) == ("fulfilled", "洗洁精一瓶")
        assert how_many(session, Message) == 2
        told = text("SELECT DISTINCT kind FROM message")
        assert session.scalars(told).all() == ["reward_wish_here"]
        with pytest.raises(WishAnswered):
            answered(session, people, wish_id, "declined")
        with pytest.raises(WishAnswered):
            voted(session, people["second"], wish_id, is_wanted=False)


def test_an_answer_names_what_is_on_offer_and_comes_from_above(counter, people, writing):
    with writing() as session:
        wish_id = wished(session, people["first"])
        draft = a_reward(session, counter.merchant_id, is_draft=True)
        for reward_id, code in ((draft, "reward_withdrawn"), (10**12, "reward_not_found")):
            with pytest.raises(Refusal) as caught:
                answered(session, people, wish_id, "fulfilled", reward_id)
            assert caught.value.code == code
        with pytest.raises(WishNotFound):
            answered(session, people, wish_id, path="/999999/")
        assert [each.id for each in wishes_within(session, ["/"], 1)] == [wish_id]
        assert wishes_within(session, ["/999999/"], 1) == []
        assert how_many(session, Message) == 0


def test_of_two_answers_at_once_one_stands(counter, people, writing):
    with writing() as session:
        wish_id = wished(session, people["first"])

    def act(decision):
        try:
            return run(lambda session: answered(session, people, wish_id, decision).state)
        except WishAnswered:
            return "too late"

    acts = [partial(act, name) for name in ("fulfilled", "declined") for _ in range(4)]
    results = race(counter.app, acts)
    winner = next(each for each in results if each != "too late")
    assert set(results) <= {winner, "too late"}
    assert results.count("too late") == 4
    with writing() as session:
        assert how_many(session, Message) == 1


def test_votes_at_once_count_each_person_once(counter, people, writing):
    with writing() as session:
        wish_id = wished(session, people["first"])
    race(
        counter.app,
        times(8, lambda: run(lambda session: voted(session, people["second"], wish_id).votes)),
    )
    with writing() as session:
        assert voted(session, people["first"], wish_id).votes == 2


def is_open(wish_id, session) -> bool:
    return wish_of(session, wish_id, 0).state == "open"


def test_without_the_guard_both_who_answer_do(counter, people, writing):
    """The control: look whether it is open, then answer."""
    with writing() as session:
        wish_id = wished(session, people["first"])

    def act(decision) -> bool:
        statement = "UPDATE reward_wish SET state = :state, answered_at = wished_at,"
        with transaction() as session:
            session.execute(
                text(f"{statement} answered_by_id = author_id WHERE id = :id"),
                {"state": decision, "id": wish_id},
            )
        return True

    acts = after_looking(
        partial(is_open, wish_id), [partial(act, each) for each in ("fulfilled", "declined")]
    )
    assert race(counter.app, acts) == [True, True]


def test_without_the_guard_a_second_tap_is_a_fault(counter, people, writing, monkeypatch):
    """The control: look whether one voted, then vote."""
    with writing() as session:
        wish_id = wished(session, people["first"])
    bare = copy(wishing.VOTE)
    bare.text = bare.text.replace("ON CONFLICT (wish_id, member_id) DO NOTHING", "")
    monkeypatch.setattr(wishing, "VOTE", bare)

    def tap():
        with transaction() as session:
            return voted(session, people["second"], wish_id).votes

    taps = after_looking(
        lambda session: not wish_of(session, wish_id, people["second"]).is_voted, [tap, tap]
    )
    votes = race(counter.app, taps)
    assert sum(isinstance(each, IntegrityError) for each in votes) == 1, votes


def wish_at_once(counter, people, titles):
    """Let two people wish for these at once, each title by each of them."""
    acts = [
        partial(run, partial(wished, member_id=people[name], title=title))
        for title in titles
        for name in ("first", "second")
    ]
    race(counter.app, acts)


def test_one_title_wished_for_at_once_is_one_wish(counter, people, writing):
    wish_at_once(counter, people, ["雨伞"] * 4)
    with writing() as session:
        [line] = wishes_of(session, an_organization(session), counter.member_id)
        assert (line.title, line.votes) == ("雨伞", 2)


@pytest.mark.engine("postgresql")
def test_without_turns_one_title_would_be_several_wishes(counter, people, writing, monkeypatch):
    """The control: all have looked for the title before any of them commits."""
    looked = Barrier(8)
    monkeypatch.setattr(wishing, "take_turns", lambda _session, _place: None)
    monkeypatch.setattr(wishing, "insert", partial(after_all, looked))
    wish_at_once(counter, people, ["雨伞"] * 4)
    with writing() as session:
        assert len(wishes_of(session, an_organization(session), counter.member_id)) == 8


def after_all(looked, table):
    looked.wait(MEET_SECONDS_MAX)
    return insert(table)


def test_the_api_tells_ones_own_side(counter, client, people):
    first, second = (counter.headers(people[name]) for name in ("first", "second"))
    made = client.post(URL, json={"title": "雨伞", "note": "两把"}, headers=first)
    assert made.status_code == 201
    wish_id = made.get_json()["id"]
    [line] = client.get(URL, headers=second).get_json()["items"]
    assert (line["title"], line["votes"], line["voted"], line["own"]) == (
        "雨伞",
        1,
        False,
        False,
    )
    here = f"{URL}/{wish_id}/vote"
    assert client.put(here, headers=second).get_json()["votes"] == 2
    assert client.delete(here, headers=second).get_json()["voted"] is False
    for body in ({}, {"title": " "}, {"title": "长" * 81}, {"title": "x", "votes": 9}):
        assert client.post(URL, json=body, headers=first).status_code == 422
    administrator = counter.headers(people["administrator"])
    waiting = client.get(f"{URL}/unanswered", headers=administrator).get_json()["items"]
    assert [each["id"] for each in waiting] == [wish_id]
    body = {"decision": "declined", "answer": "没有商户"}
    answer = client.post(f"{URL}/{wish_id}/answer", json=body, headers=administrator)
    assert (answer.get_json()["state"], answer.get_json()["answer"]) == ("declined", "没有商户")
    late = client.put(here, headers=second)
    assert (late.status_code, late.get_json()["code"]) == (409, "wish_answered")


def test_the_pages_from_the_wish_to_the_answer(counter, people):
    first, second = (Browser(counter.app, people[name]) for name in ("first", "second"))
    assert "许个心愿" in words_of(first.open("/rewards"))
    form = first.form(first.open("/reward-wishes"), "/reward-wishes")
    assert "雨伞" in words_of(first.send(form, title="雨伞", note="<b>两把</b>"))
    page = second.open("/reward-wishes")
    assert "1 票" in words_of(page)
    assert "<b>两把" not in page.text
    voting = second.send(second.form(page, "/vote"))
    assert "2 票" in words_of(voting)
    assert "1 票" in words_of(second.send(second.form(voting, "/vote")))
    administrator = Browser(counter.app, people["administrator"])
    listed = administrator.open("/reward-wishes/answers")
    assert "雨伞" in words_of(listed)
    where = next(
        part.split('"')[0] for part in listed.text.split('href="') if '/answer"' in part[:60]
    )
    form = administrator.form(administrator.open(where), "/answer")
    done = administrator.send(form, decision="fulfilled", answer="下周到", reward_id="")
    assert "都会收到通知" in words_of(done)
    assert "您想要的“雨伞”会引进" in words_of(first.open("/messages"))
    assert "下周到" in words_of(first.open("/reward-wishes"))
