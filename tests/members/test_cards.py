"""Paper cards for many: read back from the PDF, the old ones dead, nobody else's touched."""

import re
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import select, update

from pointsbank.core.actor import Actor, Grant
from pointsbank.core.db import run
from pointsbank.core.keys import draw_bytes
from pointsbank.core.printing import KNOWN_FONTS
from pointsbank.members import carding, showing
from pointsbank.members.carding import CARDS_MAX, issue_cards
from pointsbank.members.codes import card_text
from pointsbank.members.errors import CardNotFound, MemberNotFound
from pointsbank.members.models import Card, Member
from pointsbank.members.showing import member_of_card
from tests.browsing import Browser, words_of
from tests.builders import a_branch, a_member, an_organization, how_many, signed_in, with_role
from tests.moments import NOON
from tests.paper_codes import codes_on, sheets_of, words_on
from tests.racing import forget_lock, meet_after, race, times

CARDS = "/api/v1/cards"
SIDE_LEAST_MM = 25
ISSUINGS = 6

needs_font = pytest.mark.skipif(
    not any(Path(place).is_file() for place in KNOWN_FONTS),
    reason="this machine has no font with Chinese characters",
)


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def branch(writing):
    """A branch of ten people, and an organizer of its community."""
    with writing() as session:
        place = a_branch(session, "140303001002B1")
        people = [
            a_member(session, f"王桂{number}", place) for number in "一二三四五六七八九十"
        ]
        organizer = with_role(session, a_member(session, "李敏"), "organizer")
    return organizer, people


def secret_of(app):
    return app.extensions["settings"].secret_key


def as_actor(session, member_id, path="/"):
    return Actor(member_id, "李敏", 0, 0, (Grant("organizer", path),))


def printed(browser, **first_answer):
    page = browser.open("/cards")
    asked = browser.send(browser.form(page, "/cards/question"), **first_answer)
    boxes = re.findall(r'name="member_id" value="(\d+)" checked', asked.text)
    form = browser.form(asked, "/cards")
    form.fields.pop("member_id", None)
    answer = browser.client.post("/cards", data={**form.fields, "member_id": boxes})
    return asked, answer


@needs_font
def test_the_pdf_of_a_branch_is_read_back_by_a_phone(app, branch, writing):
    organizer, people = branch
    asked, answer = printed(Browser(app, organizer), organization_code="140303001002B1")
    assert "10" in words_of(asked)
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    seen = codes_on(answer.data)
    assert sheets_of(answer.data) == 2
    assert [sum(code.sheet == sheet for code in seen) for sheet in (0, 1)] == [8, 2]
    assert min(code.side_mm for code in seen) >= SIDE_LEAST_MM
    with writing() as session:
        owners = [
            member_of_card(session, text=code.text, secret=secret_of(app), now=NOON)
            for code in seen
        ]
        numbers = dict(session.execute(select(Member.id, Member.volunteer_no)).all())
    assert sorted(owners) == sorted(people)
    text = "\n".join(words_on(answer.data))
    assert all(numbers[member_id] in text for member_id in people)
    # In the order of the numbers, so that the stack can be handed out along the list.
    assert owners == sorted(people, key=lambda each: numbers[each])


@needs_font
def test_an_organizer_prints_masked_names_and_a_secretary_who_may_read_them_full(
    app, branch, writing
):
    organizer, people = branch
    with writing() as session:
        number = session.get_one(Member, people[0]).volunteer_no
    _, answer = printed(Browser(app, organizer), numbers=number)
    assert "王*一" in words_on(answer.data)[0]
    with writing() as session:
        administrator = with_role(session, a_member(session, "赵"), "administrator")
    _, answer = printed(Browser(app, administrator), numbers=number)
    assert "王桂一" in words_on(answer.data)[0]


@needs_font
def test_old_cards_are_counted_in_the_question_and_die_with_the_printing(app, branch, writing):
    organizer, people = branch
    old = draw_bytes(10)
    with writing() as session:
        showing.issue_card(
            session,
            member_id=people[0],
            number=old,
            pin="246810",
            secret=secret_of(app),
            issued_by_id=None,
            now=NOON,
        )
    text = card_text(secret_of(app), old)
    asked, answer = printed(Browser(app, organizer), organization_code="140303001002B1")
    assert "同时有 1 张旧卡作废" in words_of(asked)
    assert "其中 1 张旧卡可凭六位密码兑换" in words_of(asked)
    assert answer.status_code == 200
    with writing() as session, pytest.raises(CardNotFound):
        member_of_card(session, text=text, secret=secret_of(app), now=NOON)


def test_asking_first_issues_nothing(app, branch, writing):
    organizer, _ = branch
    browser = Browser(app, organizer)
    page = browser.open("/cards")
    browser.send(browser.form(page, "/cards/question"), organization_code="140303001002B1")
    with writing() as session:
        assert how_many(session, Card) == 0


def test_without_a_font_nothing_is_issued(app, branch, writing, monkeypatch):
    organizer, _ = branch
    monkeypatch.setattr("pointsbank.core.printing.KNOWN_FONTS", ())
    _, answer = printed(Browser(app, organizer), organization_code="140303001002B1")
    assert answer.status_code == 409
    assert "字体" in words_of(answer)
    with writing() as session:
        assert how_many(session, Card) == 0


def test_programs_issue_to_chosen_people_and_hear_what_died(app, client, branch, writing):
    organizer, people = branch
    headers = signed_in(app, organizer, NOON)
    first = client.post(CARDS, json={"member_ids": people[:3]}, headers=headers)
    assert (first.status_code, first.json["revoked"]) == (201, 0)
    second = client.post(CARDS, json={"organization_code": "140303001002B1"}, headers=headers)
    assert (len(second.json["cards"]), second.json["revoked"]) == (10, 3)
    with writing() as session:
        good = session.scalars(select(Card.member_id).where(Card.revoked_at.is_(None))).all()
    assert sorted(good) == sorted(people)


def test_one_stranger_among_them_and_nobody_gets_a_card(app, client, branch, writing):
    organizer, people = branch
    with writing() as session:
        elsewhere = an_organization(session, "140303009009", name="桥头社区")
        stranger = a_member(session, "吴海燕", elsewhere)
    headers = signed_in(app, organizer, NOON)
    answer = client.post(CARDS, json={"member_ids": [people[0], stranger]}, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (404, "member_not_found")
    with writing() as session:
        assert how_many(session, Card) == 0


@pytest.mark.parametrize(
    "body",
    [{}, {"member_ids": []}, {"member_ids": [1], "organization_code": "1"}, {"member_ids": 3}],
)
def test_one_group_has_to_be_named(app, client, branch, body):
    headers = signed_in(app, branch[0], NOON)
    assert client.post(CARDS, json=body, headers=headers).status_code == 422


def test_more_than_fit_into_one_pdf_are_refused_with_the_number(app, client, branch, writing):
    headers = signed_in(app, branch[0], NOON)
    with writing() as session:
        place = an_organization(session, "140303001002B2", "branch", an_organization(session))
        for _ in range(CARDS_MAX + 1):
            a_member(session, "孙平", place)
    answer = client.post(CARDS, json={"organization_code": "140303001002B2"}, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (400, "too_many_cards")
    assert answer.json["number"] == CARDS_MAX + 1


def test_nobody_suspended_gets_a_card(app, client, branch, writing):
    organizer, people = branch
    with writing() as session:
        session.execute(update(Member).where(Member.id == people[0]).values(state="suspended"))
    headers = signed_in(app, organizer, NOON)
    answer = client.post(CARDS, json={"organization_code": "140303001002B1"}, headers=headers)
    assert people[0] not in [card["member_id"] for card in answer.json["cards"]]
    assert len(answer.json["cards"]) == 9


def good_cards_after_a_race(app, member_id):
    def issue():
        def act(session):
            numbers = {member_id: draw_bytes(10)}
            actor = as_actor(session, member_id)
            return issue_cards(session, actor=actor, numbers=numbers, secret="s" * 32, now=NOON)

        return run(act)

    answers = race(app, times(ISSUINGS, issue))
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    with app.app_context():
        return run(
            lambda session: len(
                session.scalars(
                    select(Card.id).where(
                        Card.member_id == member_id, Card.revoked_at.is_(None)
                    )
                ).all()
            )
        )


def test_of_six_issuings_at_once_one_card_stays(app, branch):
    assert good_cards_after_a_race(app, branch[1][0]) == 1


@pytest.mark.engine("postgresql")
def test_without_the_lock_several_cards_would_stay(app, branch, monkeypatch):
    """The control: all have looked for old cards and issued theirs before one commits."""
    forget_lock(monkeypatch, carding, Member.id)
    meet_after(monkeypatch, carding, "issue_card", ISSUINGS)
    assert good_cards_after_a_race(app, branch[1][0]) == ISSUINGS


def test_a_number_that_nobody_has_is_said(app, branch):
    browser = Browser(app, branch[0])
    page = browser.open("/cards")
    answer = browser.send(browser.form(page, "/cards/question"), numbers="99999999")
    assert answer.status_code == 404
    assert "1 个会员号不在您负责的范围内" in words_of(answer)


def test_a_clerk_or_volunteer_issues_none(app, client, branch):
    headers = signed_in(app, branch[1][0], NOON)
    answer = client.post(CARDS, json={"member_ids": [branch[1][1]]}, headers=headers)
    assert answer.status_code == 403


def test_a_member_from_elsewhere_is_as_unknown(writing, branch):
    organizer, people = branch
    with writing() as session, pytest.raises(MemberNotFound):
        carding.holders_by_ids(session, as_actor(session, organizer, "/999/"), [people[0]])
