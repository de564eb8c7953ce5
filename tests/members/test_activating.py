"""A first password by a code: for who has none, once, within seven days, guesses counted."""

import threading
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import reading, run, transaction
from pointsbank.members.activating import CODE_DAYS, activate, make_activation_code
from pointsbank.members.errors import (
    HasPassword,
    MemberNotFound,
    MemberSuspended,
    NotOverThisPerson,
    PhoneMissing,
    SignInLocked,
)
from pointsbank.members.models import ActivationCode, Member
from pointsbank.members.sessions import FAILURES_MAX, begin_try
from tests.browsing import Browser, words_of
from tests.builders import a_branch, a_member, how_many, signed_in, with_role
from tests.moments import NOON
from tests.racing import MEET_SECONDS_MAX, race

CODE = "ABCD2345"
PASSWORD = "a quiet river bank"
WEEK = timedelta(days=CODE_DAYS)


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def secret(app):
    return app.extensions["settings"].secret_key


def a_newcomer(session, name="吴海燕", **values):
    """Somebody who was imported: a phone, and no password."""
    member_id = a_member(session, name)
    changes = {"password_hash": None, **values}
    session.execute(update(Member).where(Member.id == member_id).values(**changes))
    return member_id


def the_secretary(session, role="secretary", path="/"):
    member_id = with_role(session, a_member(session, "赵书记"), role)
    return Actor(member_id, "赵书记", 0, 0, (Grant(role, path),))


def make(session, secret, actor, member_id, code=CODE, now=NOON):
    return make_activation_code(
        session, actor=actor, member_id=member_id, code=code, secret=secret, now=now
    )


def use(session, secret, phone, code=CODE, now=NOON, password_hash="new hash"):
    tried = begin_try(session, phone=phone, secret=secret, now=now)
    return activate(
        session, tried=tried, code=code, password_hash=password_hash, secret=secret, now=now
    )


def handed_over(writing, secret, **values):
    """Return a newcomer, their phone, and who made the code that they hold."""
    with writing() as session:
        member_id = a_newcomer(session, **values)
        actor = the_secretary(session)
        make(session, secret, actor, member_id)
        return member_id, session.get_one(Member, member_id).phone, actor


def password_of(session, member_id):
    return session.scalar(select(Member.password_hash).where(Member.id == member_id))


def test_a_code_is_used_once_and_kept_as_a_hash_only(writing, secret):
    member_id, phone, _ = handed_over(writing, secret)
    with writing() as session:
        kept = session.get_one(ActivationCode, member_id)
        assert CODE.encode() not in kept.code_hash
        assert kept.expires_at == NOON + WEEK
        assert use(session, secret, phone, "abcd-2345") is True
        assert password_of(session, member_id) == "new hash"
    with writing() as session:
        assert use(session, secret, phone, password_hash="stolen") is False
        assert password_of(session, member_id) == "new hash"


@pytest.mark.parametrize(("later", "is_good"), [(WEEK, False), (WEEK - timedelta(1), True)])
def test_a_code_is_good_for_seven_days(writing, secret, later, is_good):
    _, phone, _ = handed_over(writing, secret)
    with writing() as session:
        assert use(session, secret, phone, now=NOON + later) is is_good


def test_a_new_code_takes_the_place_of_the_one_before(writing, secret):
    member_id, phone, actor = handed_over(writing, secret)
    with writing() as session:
        make(session, secret, actor, member_id, "WXYZ6789")
        assert how_many(session, ActivationCode) == 1
        assert use(session, secret, phone, CODE) is False
        assert use(session, secret, phone, "WXYZ6789") is True


def test_a_code_fits_nobody_else(writing, secret):
    _, _, actor = handed_over(writing, secret)
    with writing() as session:
        other = a_newcomer(session, "郑小梅")
        make(session, secret, actor, other, "WXYZ6789")
        phone = session.get_one(Member, other).phone
    with writing() as session:
        assert use(session, secret, phone, CODE) is False
        assert use(session, secret, "13900000000", CODE) is False


def test_wrong_codes_lock_the_phone_like_wrong_passwords(writing, secret):
    _, phone, _ = handed_over(writing, secret)
    for _ in range(FAILURES_MAX):
        with writing() as session:
            assert use(session, secret, phone, "WRNG2345") is False
    with writing() as session, pytest.raises(SignInLocked):
        use(session, secret, phone, CODE)
    with writing() as session:
        assert session.scalar(select(ActivationCode.used_at)) is None
        assert use(session, secret, phone, now=NOON + timedelta(hours=1)) is True


def test_only_who_has_no_password_a_phone_and_an_open_account_gets_one(writing, secret):
    with writing() as session:
        actor = the_secretary(session)
        people = {
            HasPassword: a_newcomer(session, password_hash="a hash"),
            PhoneMissing: a_newcomer(session, phone=None),
            MemberSuspended: a_newcomer(session, state="suspended"),
        }
    for refusal, member_id in people.items():
        with pytest.raises(refusal), writing() as session:
            make(session, secret, actor, member_id)


def test_nobody_opens_an_account_that_is_more_than_theirs(writing, secret):
    with writing() as session:
        secretary = the_secretary(session)
        below = the_secretary(session, "administrator", "/999/")
        organizer = the_secretary(session, "organizer")
        leader = with_role(session, a_newcomer(session), "organizer")
        administrator = the_secretary(session, "administrator")
    for actor, refusal in (
        (secretary, NotOverThisPerson),
        (below, MemberNotFound),
        (organizer, MemberNotFound),
    ):
        with pytest.raises(refusal), writing() as session:
            make(session, secret, actor, leader)
    with writing() as session:
        make(session, secret, administrator, leader)


def test_a_stopped_account_is_not_opened_by_its_code(writing, secret):
    member_id, phone, _ = handed_over(writing, secret)
    with writing() as session:
        session.execute(update(Member).where(Member.id == member_id).values(state="suspended"))
    with pytest.raises(MemberSuspended), writing() as session:
        use(session, secret, phone)
    with writing() as session:
        assert password_of(session, member_id) is None


def test_of_many_uses_at_once_one_sets_the_password(app, writing, secret):
    member_id, phone, _ = handed_over(writing, secret)

    def one(number):
        return run(lambda session: use(session, secret, phone, password_hash=f"hash {number}"))

    answers = race(app, [lambda number=number: one(number) for number in range(4)])
    assert not [each for each in answers if isinstance(each, Exception)], answers
    winner = answers.index(True)
    assert answers.count(True) == 1
    with writing() as session:
        assert password_of(session, member_id) == f"hash {winner}"


def test_without_the_guard_both_set_it(app, writing, secret):
    """The control: who looks first and writes later, without asking whether it was used."""
    member_id, _, _ = handed_over(writing, secret)
    both_have_looked = threading.Barrier(2, timeout=MEET_SECONDS_MAX)

    def careless(number):
        with reading() as session:
            is_free = session.get_one(ActivationCode, member_id).used_at is None
        both_have_looked.wait()
        if is_free:
            with transaction() as session:
                session.execute(
                    update(Member)
                    .where(Member.id == member_id)
                    .values(password_hash=f"hash {number}")
                )
        return is_free

    assert race(app, [lambda: careless(1), lambda: careless(2)]) == [True, True]


def test_a_secretary_hands_a_code_over_and_its_person_gets_in(app, writing):
    with writing() as session:
        member_id = a_newcomer(session)
        phone = session.get_one(Member, member_id).phone
        secretary = with_role(session, a_member(session, "赵书记"), "secretary")
    office = Browser(app, secretary)
    person = office.open(f"/members/{member_id}")
    assert "还没有密码" in words_of(person)
    shown = office.send(office.form(person, "/activation-code"))
    code = shown.text.partition("data-activation>")[2][:9]
    assert code[4] == "-"
    assert shown.headers["Cache-Control"] == "no-store"
    home = Browser(app)
    assert "/activate" in home.open("/sign-in").text
    form = home.form(home.open("/activate"), "/activate")
    weak = home.send(form, phone=phone, code=code, password="12345678")
    assert (weak.status_code, PASSWORD in weak.text) == (400, False)
    wrong = home.send(form, phone=phone, code="ZZZZ-9999", password=PASSWORD)
    assert wrong.status_code == 400
    assert "手机号或码不对" in words_of(wrong)
    assert PASSWORD not in wrong.text
    done = home.send(form, phone=phone, code=code, password=PASSWORD)
    assert "密码已设好" in words_of(done)
    home.send(home.form(home.open("/sign-in"), ""), phone=phone, password=PASSWORD)
    assert home.open("/me").status_code == 200
    assert "还没有密码" not in words_of(office.open(f"/members/{member_id}"))


def test_programs_make_and_use_a_code(app, client, writing):
    with writing() as session:
        member_id = a_newcomer(session)
        phone = session.get_one(Member, member_id).phone
        administrator = with_role(session, a_member(session), "administrator")
        a_branch(session)
    headers = signed_in(app, administrator, NOON)
    path = f"/api/v1/members/{member_id}/activation-code"
    made = client.post(path, headers=headers)
    assert made.status_code == 201
    body = {"phone": phone, "code": made.json["code"], "password": PASSWORD}
    bad = client.post("/api/v1/activations", json={**body, "code": "ZZZZ-9999"})
    assert (bad.status_code, bad.json["code"]) == (400, "bad_activation")
    assert client.post("/api/v1/activations", json=body).status_code == 204
    signing_in = {"phone": phone, "password": PASSWORD}
    assert client.post("/api/v1/sessions", json=signing_in).status_code == 201
    again = client.post(path, headers=headers)
    assert (again.status_code, again.json["code"]) == (409, "has_password")
