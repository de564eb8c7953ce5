"""The pages of disputes: a member's line, the list of those who answer, and their answer."""

from datetime import timedelta

import pytest
import time_machine

from pointsbank.passbooks.disputing import open_dispute
from tests.browsing import Browser
from tests.builders import a_member, points_for, points_spent, with_points, with_role
from tests.moments import NOON


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def member(writing):
    """A member with one line in, 45, and one out, 20."""
    with writing() as session:
        member_id = a_member(session)
        points_for(session, member_id, 45, "award:17")
        points_spent(session, member_id, 20, "redeem:R1")
        return member_id


class Someone(Browser):
    """A browser that fills in the forms of the page it last opened."""

    def get(self, url):
        self.page = self.open(url)
        return self.page

    def fill(self, action, **filled):
        self.page = self.send(self.form(self.page, action), **filled)
        return self.page


@pytest.fixture
def hers(app, member):
    """The member's browser."""
    return Someone(app, member)


@pytest.fixture
def office(app, writing):
    """The secretary's browser."""
    with writing() as session:
        secretary = with_role(session, a_member(session, "李敏"), "secretary")
    return Someone(app, secretary)


def test_a_line_leads_to_its_dispute_and_says_what_became_of_it(hers, office):
    page = hers.get("/passbook")
    assert '<a class="link" href="/passbook/2/disputes">' in page.text
    hers.get("/passbook/2/disputes")
    said = hers.fill("/passbook/2/disputes", reason="东西没有拿到")
    assert "最迟 2026年11月27日 答复您" in said.text
    assert "还没有答复" in said.text
    assert "<textarea" not in said.text
    book = hers.get("/passbook").text
    assert "已提出异议，11月27日前答复" in book
    assert "处理情况" in book
    office.get("/disputes/1")
    office.fill("/disputes/1/answer", decision="uphold", points="5", reason="店里确认少给了")
    book = hers.get("/passbook").text
    assert "已冲正 5 分 · 异议成立，已冲正" in book
    assert "异议编号 1" in book
    answered = hers.get("/passbook/2/disputes").text
    assert "店里确认少给了" in answered
    assert "还是不对" in answered


def test_a_line_that_is_not_there_has_no_page(hers):
    assert hers.get("/passbook/3/disputes").status_code == 404


def test_nothing_said_is_asked_again(hers):
    hers.get("/passbook/1/disputes")
    answer = hers.fill("/passbook/1/disputes", reason=" ")
    assert answer.status_code == 400
    assert "请简单说说哪里不对。" in answer.text


def test_what_was_typed_for_a_line_that_is_disputed_is_kept(hers, writing, member):
    hers.get("/passbook/1/disputes")
    with writing() as session:
        disputed(session, member, 1)
    answer = hers.fill("/passbook/1/disputes", reason="是别人去的")
    assert answer.status_code == 409
    assert "您已经对这一笔提出过异议" in answer.text


def disputed(session, member_id, line, now=NOON):
    return open_dispute(
        session,
        member_id=member_id,
        line=line,
        reason="我没有参加",
        today=now.date(),
        now=now,
    ).id


def test_the_list_shows_what_is_overdue_in_front_and_in_red(office, writing, member):
    with writing() as session:
        disputed(session, member, 2)
        disputed(session, member, 1, NOON - timedelta(days=8))
    page = office.get("/disputes").text
    assert page.index("河道清洁") < page.index("大米 5 公斤")
    assert '<span class="cap fix">已超期</span>' in page
    assert page.count("已超期") == 1
    assert "11月27日前" in page
    assert "王*兰" in page
    assert "王桂兰" not in page
    assert "没有答复过" in office.get("/disputes?state=answered").text


def test_the_list_goes_on(office, writing, member):
    with writing() as session:
        for number in range(45):
            points_for(session, member, 1, f"award:more:{number}")
        for line in range(1, 46):
            disputed(session, member, line)
    first = office.get("/disputes").text
    assert first.count('href="/disputes/') == 40
    following = first.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0]
    rest = office.get(following.replace("&amp;", "&")).text
    assert rest.count('href="/disputes/') == 5
    assert "回到" in rest


@pytest.mark.parametrize(
    ("typed", "status", "said"),
    [
        ({}, 400, "请选择这一笔怎么处理"),
        ({"decision": "uphold", "points": "0"}, 400, "请选择这一笔怎么处理"),
        ({"decision": "reject"}, 400, "请说明这一笔为什么不改。"),
        ({"decision": "uphold", "points": "46"}, 409, "这一笔最多还能冲回 45 分"),
        ({"decision": "uphold", "reason": "你说得对"}, 409, "积分不够"),
    ],
)
def test_an_answer_that_cannot_be_keeps_what_was_typed(
    office, writing, member, typed, status, said
):
    with writing() as session:
        disputed(session, member, 1)
    office.get("/disputes/1")
    answer = office.fill("/disputes/1/answer", **typed)
    assert answer.status_code == status
    assert said in answer.text
    assert typed.get("reason", "") in answer.text
    assert "请在 2026年11月27日 前答复" in office.get("/disputes/1").text


def test_a_rejected_dispute_tells_why(office, hers, writing, member):
    with writing() as session:
        disputed(session, member, 1)
    office.get("/disputes/1")
    done = office.fill("/disputes/1/answer", decision="reject", reason="签到记录在", points="7")
    assert "这一笔不变，对方能看到您的答复。" in done.text
    assert "<form" not in done.text.split("</main>")[0].split("<main")[1]
    assert "签到记录在" in hers.get("/passbook/1/disputes").text
    assert "1" in office.get("/disputes?state=answered").text


def test_nobody_is_offered_an_answer_to_their_own(writing, app):
    with writing() as session:
        secretary = with_role(session, a_member(session, "李敏"), "secretary")
        with_points(session, secretary, 20)
        disputed(session, secretary, 1)
    page = Someone(app, secretary).get("/disputes/1").text
    assert "要由别人来处理" in page
    assert "decision" not in page


def test_a_reversal_can_only_be_explained(writing, office, member):
    with writing() as session:
        disputed(session, member, 2)
    office.get("/disputes/1")
    office.fill("/disputes/1/answer", decision="uphold")
    with writing() as session:
        disputed(session, member, 3)
    page = office.get("/disputes/2").text
    assert 'value="reject"' in page
    assert 'value="uphold"' not in page
