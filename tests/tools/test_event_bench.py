"""The bench of an event names whoever was answered wrongly, not at all, or twice."""

import json
import random

import pytest

from bench.arrivals import Answered, Asked
from bench.district import People
from bench.gathering import WALK_INS, Gathering, Passage, Staff

PEOPLE = 250
LEADS = People([1, 2, 3], ["a", "b", "c"])


@pytest.fixture
def passage() -> Passage:
    people = People(list(range(PEOPLE)), [f"t{number}" for number in range(PEOPLE)])
    handles = [bytes([number]) * 5 for number in range(PEOPLE)]
    gathering = Gathering(1, bytes(5), Staff(1, LEADS, "s"), people, handles)
    return Passage(gathering, "in", 10, random.Random(4711))


def answers_to(plan: list[Asked]) -> list[Answered]:
    """Answer each scan as a service without a fault does."""
    answers, scans = [], {}

    def answer(asked: Asked) -> None:
        sent = json.loads(asked.write().partition(b"\r\n\r\n")[2])
        refused = {"expired": "code_expired", "foreign": "bad_code"}.get(asked.kind)
        is_asking = asked.person >= PEOPLE - WALK_INS and not sent["confirm"]
        reason = refused or ("not_claimed" if is_asking else "ok_in")
        result = "refuse" if refused else "confirm" if is_asking else "ok"
        if reason == "ok_in" and asked.person in scans and scans[asked.person] != sent["nonce"]:
            reason = "repeat_just_now"
        elif reason == "ok_in":
            scans[asked.person] = sent["nonce"]
        body = json.dumps(
            {"result": result, "reason": reason, "scan_id": asked.person}
        ).encode()
        answers.append(Answered(asked, 200, body, 0.01))
        for more in asked.then(200, body) if asked.then else ():
            answer(more)

    for each in sorted(plan, key=lambda asked: asked.due):
        answer(each)
    return answers


def changed(answer: Answered, status: int = 200, **facts: object) -> Answered:
    """Return an answer that says something else."""
    body = json.dumps(json.loads(answer.body) | facts).encode()
    return Answered(answer.asked, status, body, answer.seconds)


def test_nobody_is_named_where_all_is_right(passage: Passage) -> None:
    answers = answers_to(passage.plan)
    kinds = {each.asked.kind for each in answers}
    assert kinds >= {"scan", "retry", "duplicate", "joining", "expired", "foreign"}
    assert passage.wrong(answers) == []


def test_whoever_is_turned_away_fails_or_is_let_in_twice_is_named(passage: Passage) -> None:
    answers = answers_to(passage.plan)
    at = next(
        number
        for number, each in enumerate(answers)
        if each.asked.kind == "scan" and json.loads(each.body)["reason"] == "ok_in"
    )
    person = answers[at].asked.person
    turned_away = changed(answers[at], result="refuse", reason="not_member")
    for odd in (turned_away, changed(answers[at], 500)):
        named = passage.wrong([*answers[:at], odd, *answers[at + 1 :]])
        assert any(f"person {person}, scan" in each for each in named)
    assert passage.wrong([each for each in answers if each.asked.person != person]) == [
        f"person {person} went in 0 times"
    ]
    again = changed(answers[at], scan_id=10_000)
    assert passage.wrong([*answers, again]) == [f"person {person} went in 2 times"]


def test_an_old_photograph_that_is_let_in_is_named(passage: Passage) -> None:
    answers = answers_to(passage.plan)
    foreign = next(each for each in answers if each.asked.kind == "foreign")
    others = [each for each in answers if each is not foreign]
    named = passage.wrong([*others, changed(foreign, result="ok", reason="repeat_just_now")])
    assert named == [f"person {foreign.asked.person}, foreign: 200 repeat_just_now"]
