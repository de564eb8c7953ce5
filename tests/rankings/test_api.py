"""GET /rankings: shared ranks, scope, who may see it, and parts that add up."""

import pytest

from tests.builders import a_member, a_score_entry, signed_in, with_role
from tests.rankings.boards import Board, roll


@pytest.fixture
def board(writing):
    with writing() as session:
        return Board(session)


@pytest.fixture
def ask(app, client):
    """Ask for a ranking as a member."""

    def ask_as(member_id, status=200, **query):
        answer = client.get(
            "/api/v1/rankings",
            query_string={"period": "2026-Q4"} | query,
            headers=signed_in(app, member_id),
        )
        assert answer.status_code == status, answer.text
        return answer.json

    return ask_as


def test_equal_scores_share_a_rank_and_leave_a_gap(writing, board, ask):
    with writing() as session:
        last = a_member(session, "钱进", board.home)
        a_score_entry(session, last, evaluation_hundredths=50)
        roll(session)
    items = ask(board.secretary)["items"]
    assert [(item["rank"], item["is_tied"]) for item in items] == [
        (1, False),
        (2, True),
        (2, True),
        (4, False),
    ]
    # Within a tie the order says nothing.
    found = [item["member"]["id"] for item in items]
    assert (found[0], set(found[1:3]), found[3]) == (
        board.first,
        {board.second, board.third},
        last,
    )


def test_each_row_explains_its_score(board, ask):
    answer = ask(board.secretary)
    top = answer["items"][0]
    assert top["evaluation_score"] == 12
    assert top["evaluation_score"] == sum(part["score"] for part in top["parts"])
    assert (top["points_earned"], top["service_minutes"]) == (60, 360)
    assert top["member"]["display_name"] == "王*兰"
    (part,) = top["parts"]
    assert (part["category"], part["earned"], part["cap"], part["entries"]) == (
        "volunteer_service",
        3,
        25,
        3,
    )
    assert part["label"] == "志愿服务"
    assert part["reason"] == "3 次 · 6小时 · 3 × 4 折合全年"
    assert answer["standard_version"] == 1
    assert answer["as_of"] == "2026-11-21T04:00:00+00:00"


def test_branches_are_the_organizations_that_members_belong_to(board, ask):
    items = ask(board.secretary, of="branches")["items"]
    assert [(item["rank"], item["organization"]["code"]) for item in items][0] == (
        1,
        "140303001002",
    )
    top = items[0]
    assert (top["organization"]["member_count"], top["organization"]["active_count"]) == (4, 3)
    assert top["evaluation_score"] == pytest.approx((12 + 8 + 8 + 0) / 4)
    assert top["evaluation_score"] == sum(part["score"] for part in top["parts"])


def test_a_secretary_sees_their_own_subtree_only(board, ask):
    inside = ask(board.secretary, organization_code="140303001002")["items"]
    assert board.stranger not in {item["member"]["id"] for item in inside}
    for code in ("140303001004", "140303001", "no such code"):
        answer = ask(board.secretary, 404, organization_code=code)
        assert answer["code"] == ask(board.secretary, 404, organization_code="x")["code"]


def test_a_rank_is_counted_within_what_was_asked_for(writing, board, ask):
    with writing() as session:
        administrator = with_role(session, a_member(session), "administrator")
    everywhere = ask(administrator)["items"]
    there = ask(administrator, organization_code="140303001004")["items"]
    assert [item["rank"] for item in everywhere] == [1, 2, 2, 4]
    assert [(item["rank"], item["member"]["id"]) for item in there] == [(1, board.stranger)]


@pytest.mark.parametrize("role", ["auditor", "administrator"])
def test_who_oversees_a_branch_sees_its_ranking(writing, board, ask, role):
    with writing() as session:
        overseer = with_role(session, a_member(session), role, board.home)
    assert len(ask(overseer)["items"]) == 3


@pytest.mark.parametrize("visibility", ["off", "secretaries"])
def test_members_see_nothing_where_it_is_off(another_app, board, visibility):
    app = another_app(ranking_visibility=visibility)
    answer = app.test_client().get("/api/v1/rankings", headers=signed_in(app, board.first))
    assert (answer.status_code, answer.json["code"]) == (403, "ranking_not_shown")


def test_an_organizer_is_no_viewer(writing, board, ask):
    with writing() as session:
        organizer = with_role(session, a_member(session), "organizer", board.home)
    assert ask(organizer, 403)["code"] == "ranking_not_shown"


@pytest.mark.parametrize("visibility", ["self_only", "published_notice"])
def test_members_see_their_own_row_where_it_is_theirs_to_see(another_app, board, visibility):
    app = another_app(ranking_visibility=visibility)

    def ask(status=200, **query):
        answer = app.test_client().get(
            "/api/v1/rankings",
            query_string={"period": "2026-Q4"} | query,
            headers=signed_in(app, board.second),
        )
        assert answer.status_code == status, answer.text
        return answer.json

    for query in ({}, {"organization_code": "140303001"}):
        items = ask(**query)["items"]
        (own,) = items
        # A band, and neither a place nor a tie that would tell of others.
        assert (own["rank"], own["member"]["id"]) == (None, board.second)
        assert own["band"] == {"from_score": 0, "to_score": 60}
        assert "is_tied" not in own
    assert ask(404, organization_code="140303001004")["code"] == "organization_not_found"
    assert ask(403, of="branches")["code"] == "ranking_not_shown"


def test_a_period_not_rolled_up_is_empty(board, ask):
    answer = ask(board.secretary, period="2026-Q3")
    assert (answer["items"], answer["as_of"], answer["standard_version"]) == ([], None, None)


@pytest.mark.parametrize("period", ["2026-Q5", "2026-13", "1999", "２０２６-Q4", "2026-Q4 "])
def test_an_unknown_period_is_refused(board, ask, period):
    assert ask(board.secretary, 400, period=period)["code"] == "unknown_period"


def test_a_ranking_is_read_page_by_page(board, ask):
    first = ask(board.secretary, limit=2)
    rest = ask(board.secretary, limit=2, cursor=first["next"])
    assert [item["rank"] for item in first["items"] + rest["items"]] == [1, 2, 2]
    assert rest["next"] is None
