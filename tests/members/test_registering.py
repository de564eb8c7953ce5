"""Registration with an invitation: in at once, nothing told to strangers, guesses counted."""

import threading
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, text

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import run
from pointsbank.core.keys import draw_bytes, draw_letters, draw_token
from pointsbank.members import invitations
from pointsbank.members.invitations import (
    ALPHABET,
    CODE_LETTERS,
    GUESS_MINUTES,
    GUESSES_MAX,
    code_from,
    make_invitation,
    spelled,
    use_invitation,
)
from pointsbank.members.models import BranchInvitation, InvitationGuess, Member, SignInFailure
from pointsbank.members.registering import NewRegistration, register
from pointsbank.members.sessions import begin_try
from tests.browsing import Browser, words_of
from tests.builders import a_branch, a_member, a_phone, how_many, signed_in, with_role
from tests.moments import NOON
from tests.racing import MEET_SECONDS_MAX, race, times

REGISTRATIONS = "/api/v1/registrations"
INVITATIONS = "/api/v1/branch-invitations"
CODE = "ABCD2345"
RACERS = 10
PASSWORD = "a quiet river bank"
BRANCH_CODE = "140303001002B1"


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def secret(app):
    return app.extensions["settings"].secret_key


def invite(session, secret, code=CODE, uses_max=3, days=7, kind="volunteer"):
    """Make an invitation into the branch, by its secretary; return both ids."""
    organization_id = a_branch(session, BRANCH_CODE)
    secretary = with_role(session, a_member(session, "赵书记"), "secretary")
    actor = Actor(secretary, "赵书记", 0, 0, (Grant("secretary", "/"),))
    return organization_id, make_invitation(
        session,
        actor=actor,
        organization_code=BRANCH_CODE,
        kind=kind,
        code=code,
        expires_at=NOON + timedelta(days=days),
        uses_max=uses_max,
        secret=secret,
        now=NOON,
    )


@pytest.fixture
def branch_id(writing, secret):
    """A branch with an invitation for three."""
    with writing() as session:
        return invite(session, secret)[0]


def ask(client, code=CODE, phone="13800138000", password=PASSWORD, name="王桂兰", **more):
    body = {"name": name, "phone": phone, "password": password, "invitation": code}
    return client.post(REGISTRATIONS, json=body, **more)


def uses_of(writing):
    with writing() as session:
        return session.scalars(select(BranchInvitation.uses)).one()


def people_with(writing, phone="13800138000"):
    """Return the names of the members with this phone."""
    with writing() as session:
        return session.scalars(select(Member.name).where(Member.phone == phone)).all()


@pytest.mark.parametrize("code", [CODE, "abcd-2345", " abcd 2345 ", "ＡＢＣＤ２３４５"])
def test_whoever_registers_is_a_member_of_the_branch_and_signed_in(
    client, writing, branch_id, code
):
    answer = ask(client, code)
    assert answer.status_code == 201, answer.text
    headers = {"Authorization": f"Bearer {answer.json['token']}"}
    me = client.get("/api/v1/me", headers=headers).json
    assert (me["name"], me["kind"], me["organization_id"]) == ("王桂兰", "volunteer", branch_id)
    assert me["points"]["available"] == 0
    assert uses_of(writing) == 1
    again = client.post("/api/v1/sessions", json={"phone": "13800138000", "password": PASSWORD})
    assert again.status_code == 201


def spoilt(session, how):
    changes = {
        "over": "expires_at = made_at",
        "withdrawn": "withdrawn_at = made_at",
        "used up": "uses = uses_max",
    }
    session.execute(text(f"UPDATE branch_invitation SET {changes[how]}"))


@pytest.mark.parametrize("how", ["over", "withdrawn", "used up"])
def test_what_is_wrong_with_a_code_is_not_said(client, writing, branch_id, how):
    unknown = ask(client, "ZZZZ9999")
    with writing() as session:
        spoilt(session, how)
    answer = ask(client)
    assert (answer.status_code, answer.json["code"]) == (400, "invitation_not_good")
    assert answer.json == unknown.json
    assert people_with(writing) == []


def test_a_stranger_without_a_code_learns_nothing_of_a_phone(client, writing, branch_id):
    with writing() as session:
        a_member(session, phone="13900139000", password=PASSWORD)
    known = ask(client, "ZZZZ9999", "13900139000")
    unknown = ask(client, "ZZZZ9999", "13900139001")
    right = ask(client, "ZZZZ9999", "13900139000", PASSWORD)
    assert known.json == unknown.json == right.json
    assert set(known.headers.keys()) == set(unknown.headers.keys())


def test_a_known_phone_with_another_password_hears_what_the_sign_in_says(
    client, writing, branch_id
):
    with writing() as session:
        a_member(session, "李敏", phone="13900139000", password="another quiet bank")
    answer = ask(client, phone="13900139000")
    wrong = client.post(
        "/api/v1/sessions", json={"phone": "13900139000", "password": "not this one"}
    )
    assert (answer.status_code, answer.json) == (wrong.status_code, wrong.json)
    assert answer.json["code"] == "bad_credentials"
    assert uses_of(writing) == 0
    with writing() as session:
        assert session.scalars(select(SignInFailure.failures)).one() == 2
    assert people_with(writing, "13900139000") == ["李敏"]


def test_five_wrong_passwords_lock_the_phone_here_as_at_the_sign_in(client, writing, branch_id):
    with writing() as session:
        a_member(session, phone="13900139000", password="another quiet bank")
    answers = [ask(client, phone="13900139000").status_code for _ in range(6)]
    assert answers == [401] * 5 + [429]
    signing_in = client.post(
        "/api/v1/sessions", json={"phone": "13900139000", "password": "another quiet bank"}
    )
    assert signing_in.status_code == 429


def test_a_member_who_registers_again_signs_in_and_uses_nothing_up(client, writing, branch_id):
    first = ask(client)
    second = ask(client, name="别的名字")
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json["member"]["id"] == first.json["member"]["id"]
    assert (uses_of(writing), people_with(writing)) == (1, ["王桂兰"])


def test_an_imported_person_without_a_password_cannot_be_taken_over(client, writing, branch_id):
    with writing() as session:
        a_member(session, phone="13900139000")
    assert ask(client, phone="13900139000").json["code"] == "bad_credentials"


def test_a_stopped_account_stays_stopped(client, writing, branch_id):
    assert ask(client).status_code == 201
    with writing() as session:
        session.execute(text("UPDATE member SET state = 'suspended' WHERE phone IS NOT NULL"))
    assert ask(client).json["code"] == "member_suspended"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"phone": "12345"}, "not_a_phone"),
        ({"password": "12345678"}, "weak_password"),
        ({"name": "  "}, "bad_fields"),
    ],
)
def test_what_is_typed_wrong_is_said_and_counts_nowhere(
    client, writing, branch_id, changes, code
):
    assert ask(client, **changes).json["code"] == code
    with writing() as session:
        assert how_many(session, InvitationGuess) == 0


@pytest.mark.parametrize("field", ["kind", "role", "organization_id", "points", "volunteer_no"])
def test_nobody_chooses_more_than_their_name(client, branch_id, field):
    body = {"name": "王", "phone": "13800138000", "password": PASSWORD, "invitation": CODE}
    answer = client.post(REGISTRATIONS, json={**body, field: "administrator"})
    assert (answer.status_code, answer.json["code"]) == (422, "bad_fields")


def test_codes_that_begin_alike_are_guessed_so_often_from_everywhere(
    client, writing, branch_id, travel
):
    for number in range(GUESSES_MAX["prefix"]):
        place = {"REMOTE_ADDR": f"10.0.0.{number}"}
        answer = ask(client, f"ABCD{ALPHABET[number] * 4}", environ_base=place)
        assert answer.json["code"] == "invitation_not_good"
    locked = ask(client, environ_base={"REMOTE_ADDR": "10.9.9.9"})
    assert (locked.status_code, locked.json["code"]) == (429, "registration_locked")
    assert 0 < int(locked.headers["Retry-After"]) <= GUESS_MINUTES * 60
    assert people_with(writing) == []
    travel.move_to(NOON + timedelta(minutes=GUESS_MINUTES, seconds=1))
    assert ask(client).status_code == 201


def test_one_client_guesses_so_often_whatever_it_says_of_itself(client, branch_id):
    for number in range(GUESSES_MAX["client"]):
        code = f"{ALPHABET[number]}{ALPHABET[number - 1]}ZZ9999"
        forged = {"X-Forwarded-For": f"10.0.0.{number}"}
        assert ask(client, code, headers=forged).json["code"] == "invitation_not_good"
    forged = {"X-Forwarded-For": "10.0.0.99", "Forwarded": "for=10.0.0.98"}
    assert ask(client, headers=forged).status_code == 429
    assert ask(client, environ_base={"REMOTE_ADDR": "10.0.0.7"}).status_code == 201


def test_good_codes_count_as_no_guess(client, writing, secret):
    with writing() as session:
        invite(session, secret, uses_max=100)
    for _ in range(GUESSES_MAX["client"] + 5):
        assert ask(client, phone=a_phone()).status_code == 201


def test_guesses_at_one_moment_are_judged_no_oftener(app, secret, branch_id):
    """As many threads as twice the limit: never more verdicts than the limit says."""
    tries = 2 * GUESSES_MAX["prefix"]

    def guess():
        wanted = NewRegistration(
            "王", a_phone(), "ABCD9999", "x", draw_bytes(5), draw_token(), "10.0.0.1"
        )

        def act(session):
            tried = begin_try(session, phone=wanted.phone, secret=secret, now=NOON)
            lasts = {"staff_lasts": timedelta(hours=1), "member_lasts": timedelta(hours=1)}
            clock = {"now": NOON, "today": NOON.date()}
            return register(
                session, wanted, tried=tried, is_right=False, secret=secret, **clock, **lasts
            ).word

        return run(act)

    words = [word for batch in range(5) for word in race(app, times(tries // 5, guess))]
    assert words.count("not_good") == GUESSES_MAX["prefix"]
    assert words.count("locked") == tries - GUESSES_MAX["prefix"]


def last_use_raced(app, writing, secret, use):
    with writing() as session:
        session.execute(text("UPDATE branch_invitation SET uses = 0, uses_max = 1"))
    return race(app, times(RACERS, lambda: run(use)))


def test_ten_race_for_the_last_use_and_one_gets_it(app, writing, secret, branch_id):
    def use(session):
        return use_invitation(session, code=CODE, secret=secret, now=NOON)

    answers = last_use_raced(app, writing, secret, use)
    assert sum(answer is not None for answer in answers) == 1
    assert uses_of(writing) == 1


@pytest.mark.engine("postgresql")
def test_without_the_guard_several_would_get_it(app, writing, secret, branch_id):
    """The control: read, then write, as the guarded statement does in one."""
    everyone_has_read = threading.Barrier(RACERS, timeout=MEET_SECONDS_MAX)

    def use(session):
        left = session.execute(
            select(BranchInvitation.uses_max - BranchInvitation.uses)
        ).scalar_one()
        everyone_has_read.wait()
        if left < 1:
            return None
        session.execute(text("UPDATE branch_invitation SET uses = 1"))
        return "used"

    answers = last_use_raced(app, writing, secret, use)
    assert answers == ["used"] * RACERS


def test_people_who_register_at_once_are_no_more_than_the_invitation_says(
    app, writing, secret, branch_id
):
    clients = [app.test_client() for _ in range(8)]
    phones = [a_phone() for _ in clients]
    answers = race(
        app,
        [
            lambda client=client, phone=phone: ask(client, phone=phone).status_code
            for client, phone in zip(clients, phones, strict=True)
        ],
    )
    assert sorted(answers) == [201] * 3 + [400] * 5
    with writing() as session:
        found = session.scalars(select(Member.id).where(Member.phone.in_(phones))).all()
    assert len(found) == 3


def test_the_same_person_twice_at_once_is_taken_in_once(app, writing, branch_id):
    clients = [app.test_client() for _ in range(4)]
    answers = race(app, [lambda client=client: ask(client).status_code for client in clients])
    assert set(answers) == {201}
    assert len(people_with(writing)) == 1
    assert uses_of(writing) == 1


def test_a_code_is_kept_as_a_keyed_hash_only(writing, secret, branch_id):
    with writing() as session:
        kept = session.scalars(select(BranchInvitation.code_hash)).one()
    assert CODE.encode() not in bytes(kept)
    assert bytes(kept) == invitations.code_hash(secret, CODE)


def test_no_code_holds_a_letter_that_is_read_as_another():
    assert not set("01OI") & set(ALPHABET)
    assert len(set(ALPHABET)) == 32
    code = draw_letters(ALPHABET, CODE_LETTERS)
    assert code_from(spelled(code)) == code


# The pages.


def test_a_secretary_makes_a_code_that_is_shown_once_counted_and_withdrawn(app, writing):
    with writing() as session:
        a_branch(session, BRANCH_CODE)
        secretary = with_role(session, a_member(session, "赵书记"), "secretary")
    browser = Browser(app, secretary)
    page = browser.open("/branch-invitations")
    made = browser.send(
        browser.form(page, "/branch-invitations"),
        organization_code=BRANCH_CODE,
        uses_max=2,
        kind="resident",
    )
    assert made.status_code == 200, words_of(made)
    code = made.text.split("data-invitation>")[1].split("<")[0]
    assert len(code_from(code)) == CODE_LETTERS
    assert code not in browser.open("/branch-invitations").text
    assert ask(app.test_client(), code).status_code == 201
    listed = browser.open("/branch-invitations")
    assert "已用 1/2" in words_of(listed)
    done = browser.send(browser.form(listed, "/withdrawal"))
    assert "已作废" in words_of(done)
    assert ask(app.test_client(), code, a_phone()).status_code == 400


@pytest.mark.parametrize(
    ("filled", "words"),
    [
        ({"uses_max": 0}, "1 到 500 人"),
        ({"days": 181}, "最长 180 天"),
        ({"organization_code": "999"}, "没有"),
        ({"kind": "staff"}, "类"),
    ],
)
def test_a_senseless_invitation_is_refused_with_what_was_typed(app, writing, filled, words):
    with writing() as session:
        a_branch(session, BRANCH_CODE)
        secretary = with_role(session, a_member(session, "赵书记"), "secretary")
    browser = Browser(app, secretary)
    form = browser.form(browser.open("/branch-invitations"), "/branch-invitations")
    answer = browser.send(
        form, **{"organization_code": BRANCH_CODE, "kind": "volunteer", **filled}
    )
    assert answer.status_code in (400, 404)
    assert words in words_of(answer)
    with writing() as session:
        assert how_many(session, BranchInvitation) == 0


def test_programs_make_list_and_withdraw(app, client, writing):
    with writing() as session:
        a_branch(session, BRANCH_CODE)
        secretary = with_role(session, a_member(session, "赵书记"), "secretary")
    headers = signed_in(app, secretary, NOON)
    body = {
        "organization_code": BRANCH_CODE,
        "expires_at": (NOON + timedelta(days=3)).isoformat(),
        "uses_max": 2,
    }
    made = client.post(INVITATIONS, json=body, headers=headers)
    assert made.status_code == 201
    listed = client.get(INVITATIONS, headers=headers).json["items"]
    assert [line["id"] for line in listed] == [made.json["id"]]
    assert (listed[0]["uses"], listed[0]["is_good"]) == (0, True)
    assert "code" not in listed[0]
    address = f"{INVITATIONS}/{made.json['id']}"
    assert client.delete(address, headers=headers).status_code == 204
    assert client.delete(address, headers=headers).status_code == 204
    assert client.get(INVITATIONS, headers=headers).json["items"][0]["is_good"] is False


def test_the_page_keeps_what_was_typed_but_the_password(app, branch_id):
    browser = Browser(app)
    page = browser.open("/register?next=/tasks")
    answer = browser.send(
        browser.form(page, "/register?next=/tasks"),
        name="王桂兰",
        phone="13800138000",
        code="ZZZZ9999",
        password=PASSWORD,
    )
    assert answer.status_code == 400
    form = browser.form(answer, "/register?next=/tasks")
    assert (form.fields["name"], form.fields["code"]) == ("王桂兰", "ZZZZ9999")
    assert PASSWORD not in answer.text
    done = browser.send(form, code=CODE, password=PASSWORD, follow=False)
    assert (done.status_code, done.location) == (302, "/tasks")


@pytest.mark.parametrize("way", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_registration_sends_nobody_elsewhere(app, branch_id, way):
    browser = Browser(app)
    form = browser.form(browser.open("/register"), "/register")
    words = {"name": "王", "phone": "13800138000", "code": CODE, "password": PASSWORD}
    answer = browser.send(form, follow=False, next=way, **words)
    assert (answer.status_code, answer.location) == (302, "/")


def test_what_was_typed_is_no_markup(app, branch_id):
    browser = Browser(app)
    form = browser.form(browser.open("/register"), "/register")
    name = '"><script>alert(1)</script>'
    answer = browser.send(form, name=name, phone="1", code=name, password=PASSWORD)
    assert "<script>alert" not in answer.text


def test_a_form_of_another_page_registers_nobody(app, writing, branch_id):
    words = {"name": "王", "phone": "13800138000", "code": CODE, "password": PASSWORD}
    answer = app.test_client().post("/register", data=words)
    assert answer.status_code == 400
    assert people_with(writing) == []


def test_a_new_session_begins_and_the_old_browser_state_is_gone(app, branch_id):
    """Security: what a stranger put into the browser before does not go on."""
    browser = Browser(app)
    form = browser.form(browser.open("/register"), "/register")
    before = browser.client.get_cookie("pointsbank_form")
    words = {"name": "王", "phone": "13800138000", "code": CODE, "password": PASSWORD}
    browser.send(form, follow=False, **words)
    assert browser.client.get_cookie("pointsbank") is not None
    assert browser.client.get_cookie("pointsbank_form") != before
    assert browser.open("/me").status_code == 200
