"""Signing in and out over JSON: five wrong tries lock, and what is ended is dead everywhere."""

import json
import time
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from pointsbank.core.db import run
from pointsbank.members import passwords, sessions
from pointsbank.members.errors import SignInLocked
from pointsbank.members.models import SignInFailure, SignInSession
from pointsbank.members.service import suspend_member
from tests.builders import a_member, a_token, how_many, signed_in, with_role
from tests.moments import NOON
from tests.racing import race, times

PHONE = "13800138000"
PASSWORD = "a quiet river bank"


@pytest.fixture
def member_id(writing):
    with writing() as session:
        return a_member(session, phone=PHONE, password=PASSWORD)


def sign_in(client, phone=PHONE, password=PASSWORD):
    return client.post("/api/v1/sessions", json={"phone": phone, "password": password})


def me(client, token):
    return client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize(
    "phone", [PHONE, "138 0013 8000", "+86 138-0013-8000", "１３８００１３８０００"]
)
def test_a_right_password_begins_a_session(client, member_id, phone):
    answer = sign_in(client, phone)
    assert answer.status_code == 201
    assert set(answer.json) == {"token", "expires_at", "member"}
    assert answer.json["member"]["id"] == member_id
    assert answer.json["member"]["display_name"] == "王*兰"
    assert me(client, answer.json["token"]).json["id"] == member_id


def test_a_token_is_kept_as_a_hash_only(client, member_id, writing):
    token = sign_in(client).json["token"]
    with writing() as session:
        kept = session.scalars(select(SignInSession.token_hash)).one()
    assert token.encode() not in bytes(kept)


@pytest.mark.parametrize(
    ("phone", "password"),
    [
        (PHONE, "wrong"),
        (PHONE, PASSWORD + " "),
        (PHONE, PASSWORD.upper()),
        ("13800138001", PASSWORD),
        ("not a phone", PASSWORD),
    ],
)
def test_wrong_words_are_all_refused_alike(client, member_id, phone, password):
    answer = sign_in(client, phone, password)
    assert (answer.status_code, answer.json["code"]) == (401, "bad_credentials")
    assert sign_in(client, "13911111111", "x").json == answer.json


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"phone": PHONE},
        {"phone": PHONE, "password": ""},
        {"phone": PHONE, "password": "x" * 201},
        {"phone": PHONE, "password": "\ud800"},
        {"phone": 1, "password": "x"},
        {"phone": "\u202e", "password": "x"},
        {"phone": PHONE, "password": "x", "role": "administrator"},
    ],
)
def test_a_form_that_is_none_is_refused(client, body):
    # json.dumps writes half a character as an escape; the test client's own writer cannot.
    answer = client.post(
        "/api/v1/sessions", data=json.dumps(body), content_type="application/json"
    )
    assert answer.status_code == 422


@pytest.mark.parametrize("phone", [PHONE, "13800138009", "nobody"])
def test_five_wrong_tries_lock_known_and_unknown_phones_alike(client, member_id, phone):
    with time_machine.travel(NOON, tick=False) as traveller:
        for _ in range(5):
            assert sign_in(client, phone, "wrong").status_code == 401
        locked = sign_in(client, phone, PASSWORD)
        assert (locked.status_code, locked.json["code"]) == (429, "sign_in_locked")
        assert locked.headers["Retry-After"] == "900"
        traveller.shift(timedelta(minutes=14, seconds=59))
        assert sign_in(client, phone).status_code == 429
        traveller.shift(timedelta(seconds=1))
        assert sign_in(client, phone).status_code == (201 if phone == PHONE else 401)


def test_the_lock_stands_in_every_worker(another_app, client, member_id):
    for _ in range(5):
        sign_in(client, PHONE, "wrong")
    assert sign_in(another_app().test_client()).status_code == 429


def test_a_right_password_forgets_the_wrong_ones(client, member_id, writing):
    for _ in range(4):
        sign_in(client, PHONE, "wrong")
    assert sign_in(client).status_code == 201
    with writing() as session:
        assert how_many(session, SignInFailure) == 0
    for _ in range(4):
        assert sign_in(client, PHONE, "wrong").status_code == 401


def test_no_phone_stands_in_the_table_of_wrong_tries(client, member_id, writing):
    sign_in(client, PHONE, "wrong")
    with writing() as session:
        kept = bytes(session.scalars(select(SignInFailure.phone_hash)).one())
    assert PHONE.encode() not in kept


def test_a_burst_of_guesses_learns_five_outcomes_and_no_more(app, member_id):
    """All thirty are judged before any is counted, the right one among the last."""
    with app.app_context():
        tried = run(
            lambda session: sessions.begin_try(session, phone=PHONE, secret="s" * 40, now=NOON)
        )

    def finish(is_right):
        return lambda: run(
            lambda session: sessions.finish_try(
                session,
                tried=tried,
                is_right=is_right,
                token="a token",
                kind="program",
                staff_lasts=timedelta(hours=1),
                member_lasts=timedelta(hours=1),
                now=NOON,
            )
        )

    answers = race(app, [finish(False)] * 30)
    assert sum(answer is None for answer in answers) == 5
    assert sum(isinstance(answer, SignInLocked) for answer in answers) == 25
    assert isinstance(race(app, [finish(True)])[0], SignInLocked)


def test_a_stopped_member_learns_it_only_with_the_right_password(client, member_id, writing):
    with writing() as session:
        suspend_member(
            session, member_id=member_id, suspended_by_id=None, now=NOON, today=NOON.date()
        )
    assert sign_in(client, PHONE, "wrong").json["code"] == "bad_credentials"
    answer = sign_in(client)
    assert (answer.status_code, answer.json["code"]) == (409, "member_suspended")


def test_a_member_without_a_password_cannot_sign_in(client, writing):
    with writing() as session:
        a_member(session, phone="13700137000")
    for password in (PASSWORD, "None", "nobody has this password"):
        assert sign_in(client, "13700137000", password).status_code == 401


def test_unknown_phones_take_as_long_as_known_ones():
    """The real hasher on both sides; medians of tries in turn, so that noise falls on both."""
    hasher = passwords.hasher_for(is_cheap=False)
    real = passwords.hashed(PASSWORD, hasher)
    took = {"known": [], "unknown": []}
    for _ in range(9):
        for name, password_hash in (("known", real), ("unknown", None)):
            began = time.perf_counter()
            assert not passwords.is_right("wrong", password_hash, hasher)
            took[name].append(time.perf_counter() - began)
    known_seconds, unknown_seconds = (sorted(each)[4] for each in took.values())
    assert 0.5 < known_seconds / unknown_seconds < 2
    assert min(known_seconds, unknown_seconds) > 0.002


def test_signing_out_kills_the_token_at_once(client, member_id):
    token, other = sign_in(client).json["token"], sign_in(client).json["token"]
    headers = {"Authorization": f"Bearer {token}"}
    answer = client.delete("/api/v1/sessions/current", headers=headers)
    assert (answer.status_code, answer.data) == (204, b"")
    assert me(client, token).status_code == 401
    assert client.delete("/api/v1/sessions/current", headers=headers).status_code == 401
    assert me(client, other).status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic abc", "Bearer \u00e9"])
def test_other_headers_are_nobodys(client, member_id, header):
    answer = client.get("/api/v1/me", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_session_ends_by_itself_and_a_role_makes_it_shorter(client, member_id, writing):
    with writing() as session:
        with_role(session, a_member(session, phone="13500135000", password=PASSWORD), "auditor")
    with time_machine.travel(NOON, tick=False) as traveller:
        plain, staff = sign_in(client).json, sign_in(client, "13500135000").json
        assert plain["expires_at"].startswith("2026-11-28T04:00")
        assert staff["expires_at"].startswith("2026-11-21T16:00")
        traveller.shift(timedelta(hours=12))
        assert me(client, staff["token"]).status_code == 401
        assert me(client, plain["token"]).status_code == 200


def change(client, headers, old, new):
    return client.post(
        "/api/v1/me/password",
        json={"old_password": old, "new_password": new},
        headers=headers,
    )


def test_a_new_password_ends_every_other_session(app, client, member_id):
    headers, other = signed_in(app, member_id), sign_in(client).json["token"]
    assert change(client, headers, PASSWORD, "another river bank").status_code == 204
    assert me(client, other).status_code == 401
    assert client.get("/api/v1/me", headers=headers).status_code == 200
    assert sign_in(client).status_code == 401
    assert sign_in(client, PHONE, "another river bank").status_code == 201


@pytest.mark.parametrize(
    "new",
    ["short", "12345678", "PASSWORD", "aaaaaaaaaaaa", "abababababab", "x" * 73],
)
def test_a_password_that_is_easy_to_guess_is_refused(app, client, member_id, new):
    answer = change(client, signed_in(app, member_id), PASSWORD, new)
    assert (answer.status_code, answer.json["code"]) == (400, "weak_password")
    assert sign_in(client).status_code == 201


def test_guessing_the_old_password_locks_as_well(app, client, member_id):
    headers = signed_in(app, member_id)
    for _ in range(5):
        answer = change(client, headers, "wrong", "another river bank")
        assert (answer.status_code, answer.json["code"]) == (400, "wrong_password")
    assert change(client, headers, PASSWORD, "another river bank").status_code == 429
    assert sign_in(client).status_code == 429


def test_suspending_a_member_ends_their_sessions(app, client, member_id, writing):
    with writing() as session:
        token = a_token(session, member_id)
        suspend_member(
            session, member_id=member_id, suspended_by_id=None, now=NOON, today=NOON.date()
        )
    assert me(client, token).status_code == 401
    with writing() as session:
        ended = select(func.count()).where(SignInSession.end_reason == "suspended")
        assert session.scalar(ended) == 1


def test_many_sign_ins_of_one_person_at_once_all_succeed(app, member_id):
    answers = race(app, times(8, lambda: sign_in(app.test_client()).status_code))
    assert answers == [201] * 8
