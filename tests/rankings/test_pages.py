"""The secretary's pages: the dashboard, the list, why a rank is so, and the file."""

import io

import openpyxl
import pytest
import time_machine
from sqlalchemy import select

from pointsbank.core.audit import AuditEntry
from pointsbank.ledger.verifying import Verified, record
from tests.builders import a_member, a_score_entry, signed_in, with_points, with_role
from tests.counting import statements_of
from tests.moments import NOON
from tests.rankings.boards import Board, roll


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def board(writing):
    with writing() as session:
        return Board(session)


@pytest.fixture
def look(app, client):
    """Open a page as a member; return its text."""

    def look_as(member_id, path, status=200):
        answer = client.get(path, headers=signed_in(app, member_id))
        assert answer.status_code == status, answer.text
        return answer.text

    return look_as


def export(client, app, member_id, **form):
    answer = client.post(
        "/rankings/export.xlsx",
        data={"period": "2026-Q4"} | form,
        headers=signed_in(app, member_id),
    )
    answer.get_data()
    answer.close()
    return answer


def cells(answer):
    page = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    return [list(row) for row in page.iter_rows(values_only=True)], page


@pytest.mark.parametrize(("count", "is_told"), [(0, False), (3, True)])
def test_the_dashboard_tells_administrators_of_a_wrong_ledger(
    board, look, writing, count, is_told
):
    with writing() as session:
        administrator = with_role(session, a_member(session), "administrator")
        found = Verified(rules=1, transfers=1, sealed=1, count=count, offenders=[])
        record(session, found, started_at=NOON, finished_at=NOON)
    assert ("账本有 3 处不对" in look(administrator, "/dashboard")) is is_told
    assert "账本有" not in look(board.secretary, "/dashboard")


def test_the_dashboard_says_first_what_waits_and_then_figures(board, look):
    page = look(board.secretary, "/dashboard")
    assert "今天没有待办" in page
    assert page.index("今天没有待办") < page.index("参与率") < page.index("参加人数")
    assert "60%" in page
    assert "3/5" in page
    assert "2026年第四季度评价" in page
    assert "为什么是这个名次" in page
    assert "王*兰" in page
    assert "王桂兰" not in page


@pytest.mark.parametrize("concerned", [False, True])
def test_the_dashboard_counts_what_waits_for_a_second_person(
    app, client, board, look, writing, concerned
):
    """What somebody asked for themself waits for others."""
    with writing() as session:
        administrator = with_role(
            session, a_member(session, "郑明", board.branch), "administrator", board.street
        )
        with_points(session, board.first, 30)
    asker = board.secretary if concerned else administrator
    asked = client.post(
        "/api/v1/adjustments",
        json={"member_id": board.first, "points": 5, "reason_code": "other", "reason": "补发"},
        headers=signed_in(app, asker),
    )
    assert asked.status_code == 201, asked.text
    disputed = client.post(
        "/api/v1/me/passbook/1/disputes",
        json={"reason": "少记了"},
        headers=signed_in(app, board.first),
    )
    assert disputed.status_code == 201, disputed.text
    page = look(board.secretary, "/dashboard")
    assert "答复居民的异议" in page
    assert ("审核人工调整" in page) is not concerned
    assert ("今天没有待办" in page) is False


def test_the_chart_is_a_table_too(board, look):
    page = look(board.secretary, "/dashboard")
    assert '<svg class="chart"' in page
    assert "11月" in page
    assert "14 小时" in page


def test_a_dashboard_before_the_first_roll_up_still_stands(writing, look):
    with writing() as session:
        secretary = with_role(session, a_member(session), "secretary")
    assert "参与率" in look(secretary, "/dashboard")


def test_the_list_shows_ties_and_leads_to_why(board, look):
    page = look(board.secretary, "/rankings?period=2026-Q4")
    assert page.count("并列") >= 2
    assert f"/rankings/members/{board.first}/why?period=2026-Q4" in page
    assert "截至 11月21日 12:00" in page


def test_branches_are_listed_in_their_turn(board, look):
    page = look(board.secretary, "/rankings?period=2026-Q4&of=branches")
    assert "平潭街西社区居委会" in page
    assert "北社区" not in page


def test_a_period_not_counted_says_so(board, look):
    page = look(board.secretary, "/rankings?period=2026-Q2")
    assert "这一期还没有统计" in page
    assert "导出" not in page


def test_why_names_every_part_and_the_way_to_the_next_rank(writing, board, look):
    with writing() as session:
        a_score_entry(session, board.second, "study_session", evaluation_hundredths=50)
        roll(session)
    page = look(board.secretary, f"/rankings/members/{board.second}/why?period=2026-Q4")
    assert "志愿服务" in page
    assert "2 + 8 = 10" in page
    assert "与第 1 名差 2 分" in page
    assert "相当于1小时志愿服务" in page


def test_a_full_category_promises_no_hours(writing, board, look):
    with writing() as session:
        a_score_entry(session, board.second, evaluation_hundredths=500)
        a_score_entry(session, board.first, evaluation_hundredths=500)
        a_score_entry(session, board.first, "study_session", evaluation_hundredths=50)
        roll(session)
    page = look(board.secretary, f"/rankings/members/{board.second}/why?period=2026-Q4")
    assert "与第 1 名差 2 分" in page
    assert "相当于" not in page


def test_who_is_foreign_or_has_no_standing_is_not_there(board, look):
    for member_id in (board.stranger, board.idle, 10**9):
        look(board.secretary, f"/rankings/members/{member_id}/why?period=2026-Q4", 404)


@pytest.mark.parametrize("path", ["/dashboard", "/rankings", "/rankings/members/1/why"])
def test_members_are_shown_nothing_where_it_is_off(board, look, path):
    look(board.first, path, 403)


def test_the_file_has_headers_in_chinese_and_numbers_as_numbers(app, client, board):
    answer = export(client, app, board.secretary)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].endswith("rankings-2026-Q4-members.xlsx")
    rows, page = cells(answer)
    assert "截至 2026-11-21 12:00，评分标准第 1 版" in rows[0][0]
    assert rows[2][:7] == [
        "名次",
        "姓名",
        "志愿者编号",
        "所属组织",
        "评价分",
        "所得积分",
        "服务时长（分钟）",
    ]
    assert rows[3][0] == 1
    assert rows[3][1] == "王*兰"
    assert rows[3][4:7] == [12, 60, 360]
    assert rows[3][7:] == [0, 0, 0, 12, 0, 0, 0]
    assert [row[0] for row in rows[3:]] == [1, 2, 2]
    assert page.freeze_panes == "A4"


def test_the_file_of_branches_tells_how_many_took_part(app, client, board):
    rows, _ = cells(export(client, app, board.secretary, of="branches"))
    assert rows[2][:3] == ["名次", "组织编码", "所属组织"]
    assert rows[3][:9] == [1, "140303001002", "平潭街西社区居委会", 7, 140, 840, 4, 3, 0]


def test_a_name_that_looks_like_a_formula_stays_text(app, client, writing, board):
    with writing() as session:
        trickster = a_member(session, '=HYPERLINK("http://x","y")', board.home)
        a_score_entry(session, trickster, evaluation_hundredths=600)
        roll(session)
    rows, page = cells(export(client, app, board.secretary))
    assert rows[3][1] == "'=*)"
    assert page["B4"].data_type == "s"


def test_taking_the_file_is_kept_in_the_audit_trail(app, client, writing, board):
    export(client, app, board.secretary, of="branches", organization_code="140303001002")
    with writing() as session:
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert (entry.action, entry.actor_id) == ("export_ranking", board.secretary)
        assert entry.facts == {
            "period": "2026-Q4",
            "of": "branches",
            "organization_code": "140303001002",
            "rows": 2,
        }


def test_nobody_takes_a_foreign_file(app, client, board):
    foreign = export(client, app, board.secretary, organization_code="140303001004")
    assert foreign.status_code == 404
    assert export(client, app, board.first).status_code == 403


def test_a_page_asks_no_more_the_longer_the_list_is(app, client, writing, board):
    headers = signed_in(app, board.secretary)

    def asked(path):
        with statements_of(app) as sent:
            assert client.get(path, headers=headers).status_code == 200
        return len(sent)

    pages = ("/rankings?period=2026-Q4", "/dashboard")
    few = [asked(path) for path in pages]
    with writing() as session:
        for _ in range(30):
            a_score_entry(session, a_member(session, organization_id=board.home))
        roll(session)
    assert [asked(path) for path in pages] == few


def test_hours_to_the_next_rank_make_good_what_deductions_took_below_zero(board, look, writing):
    """Four behind by the score, and two more that a score ending at 0 does not show."""
    with writing() as session:
        a_score_entry(session, board.third, "deduction", -1000, 0, 0)
        a_score_entry(session, board.idle, evaluation_hundredths=100)
        roll(session)
    page = look(board.secretary, f"/rankings/members/{board.third}/why?period=2026-Q4")
    # At half a point an hour, four times that on the year's scale.
    assert "相当于3小时志愿服务" in page


def test_who_sits_on_a_committee_elsewhere_reads_no_report_of_it(
    app, client, writing, board, look
):
    """A committee reads the ranking of its branch, and no report or file of it."""
    with writing() as session:
        person = a_member(session, "孙书记", board.away)
        with_role(session, person, "secretary", board.away)
        with_role(session, person, "committee", board.home)
    here = "140303001002"
    ranking = look(person, f"/rankings?period=2026-Q4&organization_code={here}")
    assert "王*兰" in ranking
    look(person, f"/dashboard?period=2026-Q4&organization_code={here}", status=404)
    page = look(person, "/dashboard?period=2026-Q4")
    assert "何*" in page
    assert "王*兰" not in page
    assert export(client, app, person, organization_code=here).status_code == 404
    rows, _page = cells(export(client, app, person))
    assert [row[1] for row in rows[3:]] == ["何*"]
