"""One key, one effect: in series, in parallel, and after a refusal."""

import pytest
from sqlalchemy import text

from pointsbank.core.audit import note
from pointsbank.core.errors import Conflict, KeyReused
from pointsbank.web.idempotency import once
from tests.moments import NOON
from tests.racing import race, times


class Refused(Conflict):
    """The use case of these tests, refusing."""

    message = "This was refused."


def act(session):
    note(session, at=NOON, actor_id=1, action="test", subject=("test", 1))
    return {"文": "answer", "a": [1, None, True], "points": 2**60}


def send(use_case=act, *, key="k", sent=b"body", member_id=1, status=201):
    return once(use_case, member_id=member_id, key=key, sent=sent, now=NOON, status=status)


def effects(writing) -> int:
    with writing() as session:
        return session.scalar(text("SELECT COUNT(*) FROM audit_entry"))


@pytest.fixture
def here(app):
    with app.app_context():
        yield app


def test_a_repeat_answers_the_first_and_does_nothing(here, writing):
    first = send()
    assert (first.status, first.is_replay) == (201, False)
    again = send(status=299)
    assert (again.status, again.body, again.is_replay) == (201, first.body, True)
    assert effects(writing) == 1


def test_the_same_key_for_something_else_is_refused(here, writing):
    send()
    with pytest.raises(KeyReused):
        send(sent=b"another body")
    assert effects(writing) == 1


def test_keys_belong_to_the_member_who_drew_them(here, writing):
    send()
    assert not send(member_id=2, sent=b"another body").is_replay
    assert not send(key="K").is_replay
    assert effects(writing) == 3


def test_a_refusal_leaves_no_answer_behind(here, writing):
    def refuse(session):
        act(session)
        raise Refused

    for _ in range(2):
        with pytest.raises(Refused):
            send(refuse)
    assert effects(writing) == 0
    assert not send(sent=b"another body").is_replay


def test_a_fault_leaves_no_answer_behind(here, writing):
    def fail(session):
        act(session)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        send(fail)
    assert not send().is_replay
    assert effects(writing) == 1


def test_twenty_at_once_are_one(app, writing):
    answers = race(app, times(20, send))
    assert [answer.body for answer in answers] == [answers[0].body] * 20
    assert sum(answer.is_replay for answer in answers) == 19
    assert effects(writing) == 1


def test_without_the_key_twenty_at_once_are_twenty(app, writing):
    """Control: the same use case, each time under another key."""
    keys = iter(range(100))
    race(app, times(20, lambda: send(key=f"k{next(keys)}")))
    assert effects(writing) == 20


def test_others_at_once_under_one_key_are_refused(app, writing):
    bodies = iter(range(100))
    answers = race(app, times(8, lambda: send(sent=b"%d" % next(bodies))))
    assert sum(isinstance(answer, KeyReused) for answer in answers) == 7
    assert effects(writing) == 1
