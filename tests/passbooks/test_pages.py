"""The passbook's page: months with their sums, what was carried, reversals, expiry, paging."""

from datetime import timedelta

import pytest
import time_machine

from pointsbank.ledger.service import expire_points, reverse
from tests.builders import a_member, a_score_entry, points_for, points_spent, signed_in
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

    def look_at(path="/passbook", status=200):
        answer = client.get(path, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.text

    return look_at


def take_back(session, transfer_id, points=None):
    reverse(
        session,
        transfer_id=transfer_id,
        key=f"void:{transfer_id}",
        reason="冲回多计的时长",
        actor_id=None,
        today=NOON.date(),
        now=NOON,
        points=points,
    )


def test_an_empty_book_leads_to_the_first_line(look):
    assert "还没有记录" in look()


def test_months_have_their_sums_and_what_was_carried_forward(writing, look, member):
    with writing() as session:
        points_for(session, member, 100, "award:1", NOON - timedelta(days=40))
        points_spent(session, member, 30, "redeem:R1", NOON - timedelta(days=39))
        points_for(session, member, 25, "award:2", NOON - timedelta(days=1))
    page = look()
    november, october = page.index("2026年11月"), page.index("2026年10月")
    assert november < october
    assert "存入 25" in page[november:october]
    assert "承前页 10月末结余" in page[november:october]
    assert "<b>70</b>" in page[november:october]
    assert "存入 100" in page[october:]
    assert "支取 30" in page[october:]
    assert "承前页" not in page[october:]


def test_a_reversal_is_red_and_leads_to_the_line_it_takes_back(writing, look, member):
    with writing() as session:
        wrong = points_for(session, member, 35, "award:1", NOON - timedelta(days=1))
        take_back(session, wrong, points=10)
    page = look()
    assert '<tr role="row" id="line-2" class="rev">' in page
    assert '<a href="#line-1">第 1 行</a>' in page
    assert "已冲正 10 分" in page
    assert "冲正 10" in page


def test_a_line_tells_where_it_came_from(writing, look, member):
    with writing() as session:
        points_for(session, member, 35, "award:17")
    page = look()
    assert "认领编号 17" in page
    assert "2027-12-31" in page


def test_what_expires_when_is_listed_and_said_when_it_is_near(writing, look, member, travel):
    with writing() as session:
        points_for(session, member, 45, "award:1", NOON - timedelta(days=400))
        points_for(session, member, 20, "award:2")
    page = look()
    assert "45 分将于 2026年12月31日 到期" in page
    assert "哪些分什么时候到期" in page
    assert "2027年12月31日" in page


def test_far_expiry_stands_on_the_cover_alone(writing, look, member):
    with writing() as session:
        points_for(session, member, 20, "award:2")
    page = look()
    assert "将于" not in page
    assert "2027年12月31日到期" in page.replace(" ", "")


def test_what_expired_says_so(writing, look, member):
    with writing() as session:
        points_for(session, member, 45, "award:1", NOON - timedelta(days=700))
        expire_points(session, today=NOON.date(), now=NOON)
    assert "到期清零" in look()


def test_service_time_stands_apart(writing, look, member):
    with writing() as session:
        a_score_entry(session, member, service_minutes=150)
        a_score_entry(
            session,
            member,
            service_minutes=60,
            earned_on=NOON.date() - timedelta(days=400),
        )
    page = look()
    assert page.index("服务时长") < page.index("3.5") < page.index("今年") < page.index("2.5")


def test_a_choice_of_kind_carries_nothing_forward(writing, look, member):
    with writing() as session:
        points_for(session, member, 100, "award:1")
        points_spent(session, member, 30, "redeem:R1")
    page = look("/passbook?kind=out")
    assert "大米 5 公斤" in page
    assert "河道清洁" not in page
    assert "承前页" not in page


def test_a_choice_of_year_shows_that_year(writing, look, member):
    with writing() as session:
        points_for(session, member, 100, "award:1", NOON - timedelta(days=400))
        points_for(session, member, 25, "award:2")
    assert "2025年10月" in look("/passbook?year=2025")
    assert "2026年11月" not in look("/passbook?year=2025")
    assert "2025年10月" in look("/passbook?year=nonsense")


def test_a_long_book_goes_on_by_cursor_and_leads_back(writing, look, member):
    with writing() as session:
        for place in range(45):
            points_for(session, member, 10, f"award:{place}")
    first = look()
    assert 'id="line-45"' in first
    assert 'id="line-5"' not in first
    assert "承前页 第 5 行结余" in first
    rest = look(first.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0])
    assert 'id="line-5"' in rest
    assert 'id="line-6"' not in rest
    assert "回到" in rest


def test_a_foreign_page_marker_is_refused(look):
    look("/passbook?cursor=nonsense", 400)


def test_a_stranger_is_led_to_the_door(client):
    answer = client.get("/passbook")
    assert answer.status_code == 302
    assert answer.location.endswith("/sign-in?next=/passbook")


def test_nobody_reads_anothers_book(app, client, writing, member):
    with writing() as session:
        points_for(session, member, 35, "award:1")
        other = a_member(session, "李敏")
    answer = client.get("/passbook", headers=signed_in(app, other))
    assert "河道清洁" not in answer.text


def test_the_page_asks_no_more_the_longer_the_book_is(app, client, writing, member):
    headers = signed_in(app, member)

    def asked():
        with statements_of(app) as sent:
            assert client.get("/passbook", headers=headers).status_code == 200
        return len(sent)

    with writing() as session:
        points_for(session, member, 10, "award:0", NOON - timedelta(days=30))
    few = asked()
    with writing() as session:
        for place in range(1, 30):
            points_for(session, member, 10, f"award:{place}")
    assert asked() == few


def test_a_full_page_stays_light(writing, look, member):
    with writing() as session:
        for place in range(45):
            points_for(session, member, 10, f"award:{place}")
    assert len(look().encode()) < 100_000
