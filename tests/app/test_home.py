"""The first page: what is next, the code in one tap, the book, and who is still needed."""

from datetime import timedelta

import pytest
import time_machine

from pointsbank.attendance.models import Attendance
from tests.builders import (
    a_claim,
    a_member,
    a_shift,
    points_for,
    signed_in,
)
from tests.counting import statements_of
from tests.moments import NOON


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def member(writing):
    with writing() as session:
        return a_member(session)


@pytest.fixture
def look(app, client, member):
    headers = signed_in(app, member)

    def open_home(**more):
        answer = client.get("/", headers={**headers, **more})
        assert answer.status_code == 200, answer.text
        return answer.text

    return open_home


def test_a_stranger_is_welcomed_and_shown_the_door(client):
    page = client.get("/").text
    assert 'href="/sign-in"' in page
    assert "附近还缺人" not in page


def test_without_a_claim_the_book_and_the_tasks_are_there(writing, look, member):
    with writing() as session:
        points_for(session, member, 325, "award:1")
        a_shift(session, title="社区夜巡")
    page = look()
    assert "325" in page
    assert "2027年12月31日" in page
    assert "社区夜巡" in page
    assert "还差 25 人" in page
    assert "+25" in page
    assert "下一个岗位" not in page


def test_the_next_claimed_task_stands_first_with_the_code_in_one_tap(writing, look, member):
    with writing() as session:
        later = a_shift(session, NOON + timedelta(days=2), title="敬老午餐")
        sooner = a_shift(session, NOON + timedelta(minutes=38), title="河道清洁")
        for shift_id in (later, sooner):
            a_claim(session, shift_id, member)
    page = look()
    slip = page[page.index('class="slip"') : page.index("附近还缺人")]
    assert "河道清洁" in slip
    assert "敬老午餐" not in slip
    assert "38" in slip
    assert 'href="/my-code"' in slip


def test_a_shift_that_runs_is_next_and_one_that_is_over_is_not(writing, look, member, travel):
    with writing() as session:
        shift_id = a_shift(session, NOON + timedelta(minutes=10), minutes=60, title="楼道清理")
        a_claim(session, shift_id, member)
    travel.move_to(NOON + timedelta(minutes=30))
    assert 'class="slip"' in look()
    travel.move_to(NOON + timedelta(minutes=71))
    assert 'class="slip"' not in look()


def test_a_place_in_the_waiting_line_is_no_next_task(writing, look, member):
    with writing() as session:
        shift_id = a_shift(session, places=1)
        a_claim(session, shift_id)
        a_claim(session, shift_id, member)
    assert 'class="slip"' not in look()


def test_elder_mode_says_in_words_whether_there_is_a_task_today(writing, client, look, member):
    client.set_cookie("pointsbank_display", "elder")
    assert "今天没有" in look()
    with writing() as session:
        a_claim(session, a_shift(session, NOON + timedelta(days=2)), member)
    assert "今天没有" in look()
    with writing() as session:
        a_claim(session, a_shift(session, NOON + timedelta(minutes=38)), member)
    assert "您今天有岗位" in look()


def test_elder_mode_has_a_bar_of_three_with_the_code_first(client, look):
    client.set_cookie("pointsbank_display", "elder")
    page = look()
    bar = page[page.index('class="bar menu"') :].split("</nav>")[0]
    hrefs = [part.split('"')[0] for part in bar.split('href="')[1:] if part.startswith("/")]
    assert [href for href in hrefs if not href.startswith("/static")] == [
        "/my-code",
        "/tasks",
        "/passbook",
    ]


def test_full_tasks_are_not_shown_and_only_three_are(writing, look):
    with writing() as session:
        full = a_shift(session, places=1, title="已满的岗位")
        a_claim(session, full)
        for place in range(4):
            a_shift(session, NOON + timedelta(hours=2 + place), title=f"岗位{place}")
    page = look()
    assert "已满的岗位" not in page
    assert [f"岗位{place}" in page for place in range(4)] == [True, True, True, False]
    assert "全部 4 个" in page


def test_ones_own_tasks_are_not_among_those_that_need_people(writing, look, member):
    with writing() as session:
        a_claim(session, a_shift(session, title="我的岗位"), member)
        a_shift(session, NOON + timedelta(hours=5), title="别的岗位")
    needing = look().split("附近还缺人")[1]
    assert "我的岗位" not in needing
    assert "别的岗位" in needing


def test_who_is_checked_in_keeps_the_code_at_hand(writing, look, member, travel):
    with writing() as session:
        shift_id = a_shift(session, NOON + timedelta(minutes=10))
        claim = a_claim(session, shift_id, member)
        session.add(
            Attendance(
                shift_id=shift_id,
                member_id=member,
                claim_id=claim.id,
                state="present",
                checked_in_at=NOON,
                flags=[],
            )
        )
    travel.move_to(NOON + timedelta(minutes=30))
    assert 'href="/my-code"' in look()


def test_the_page_asks_no_more_the_more_tasks_there_are(app, client, writing, member):
    headers = signed_in(app, member)

    def asked():
        with statements_of(app) as sent:
            assert client.get("/", headers=headers).status_code == 200
        return len(sent)

    with writing() as session:
        a_claim(session, a_shift(session), member)
        a_shift(session)
    few = asked()
    with writing() as session:
        for place in range(10):
            a_shift(session, NOON + timedelta(hours=place + 1))
    assert asked() == few
