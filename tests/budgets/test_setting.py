"""A month's issue budget: who sets it for whom, by API and by page, and what is refused."""

from datetime import datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from pointsbank.budgets.errors import MonthOver, NotAMonth, NotAnIssuer
from pointsbank.budgets.months import months_from, read_month
from pointsbank.budgets.queries import (
    FULL,
    NEARLY,
    NO_LIMIT,
    ROOM,
    Budget,
    budget_of,
    budgets_of_month,
    issuer_of,
    short_budgets,
)
from pointsbank.budgets.schemas import BUDGET_POINTS_MAX
from pointsbank.budgets.service import repeat_budgets, set_issue_budget
from pointsbank.core.audit import AuditEntry
from pointsbank.ledger.errors import BudgetBelowIssued, BudgetSpent
from pointsbank.ledger.models import Account, IssueBudget
from pointsbank.organizations.errors import OrganizationNotFound
from pointsbank.organizations.queries import organization_by_code
from tests.browsing import Browser, words_of
from tests.builders import (
    COMMUNITY_CODE,
    SHANGHAI,
    a_branch,
    a_member,
    an_organization,
    signed_in,
    with_points,
    with_role,
)
from tests.moments import NOON

MONTH = "2026-11"
ADDRESS = f"/api/v1/organizations/{COMMUNITY_CODE}/issue-budget"


@pytest.fixture(autouse=True)
def clock():
    """The clock on the wall."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def people(writing):
    """An administrator of the community, an auditor, and a volunteer."""
    with writing() as session:
        an_organization(session)
        return {
            "administrator": with_role(
                session, a_member(session), "administrator", an_organization(session)
            ),
            "auditor": with_role(session, a_member(session), "auditor"),
            "volunteer": a_member(session),
        }


def set_it(
    session, points_max=1000, *, code=COMMUNITY_CODE, month=MONTH, paths=("/",), now=NOON
):
    return set_issue_budget(
        session,
        code=code,
        month=month,
        points_max=points_max,
        paths=paths,
        actor_id=a_member(session),
        zone=SHANGHAI,
        now=now,
    )


@pytest.mark.parametrize(
    ("issued", "points_max", "percent", "left", "state"),
    [
        (0, None, None, None, NO_LIMIT),
        (0, 100, 0, 100, ROOM),
        (79, 100, 79, 21, ROOM),
        (7_999, 10_000, 79, 2_001, ROOM),
        (80, 100, 80, 20, NEARLY),
        (9_999, 10_000, 99, 1, NEARLY),
        (100, 100, 100, 0, FULL),
        (0, 0, 100, 0, FULL),
    ],
)
def test_the_share_is_rounded_down_and_full_only_when_nothing_is_left(
    issued, points_max, percent, left, state
):
    budget = Budget(issued, points_max)
    assert (budget.percent, budget.left, budget.state) == (percent, left, state)


@pytest.mark.parametrize("name", ["2026", "2026-Q4", "2026-13", "2026-1", "x", "", "2026-11 "])
def test_what_is_no_month_is_refused(name):
    with pytest.raises(NotAMonth):
        read_month(name)


def test_months_go_over_the_year():
    names = [
        months_from(read_month("2026-11"), count).name for count in (-11, -10, 0, 1, 2, 14)
    ]
    assert names == ["2025-12", "2026-01", "2026-11", "2026-12", "2027-01", "2028-01"]


def test_a_budget_is_set_changed_and_lifted(writing):
    with writing() as session:
        an_organization(session)
        assert set_it(session).budget == Budget(0, 1000)
        assert set_it(session).budget == Budget(0, 1000)
        assert set_it(session, 0).budget == Budget(0, 0)
        assert set_it(session, None).budget == Budget(0, None)
        notes = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        assert [note.facts["points_max"] for note in notes] == [1000, 1000, 0, None]
        assert {(note.action, note.facts["month"]) for note in notes} == {
            ("set_issue_budget", MONTH)
        }


def test_a_month_is_over_at_local_midnight(writing):
    with writing() as session:
        an_organization(session)
    last = datetime.fromisoformat("2026-11-30T23:59:59.999999+08:00")
    with writing() as session:
        assert set_it(session, now=last).budget.points_max == 1000
    with pytest.raises(MonthOver), writing() as session:
        set_it(session, now=last + timedelta(microseconds=1))
    with writing() as session:
        assert set_it(session, month="2026-12", now=last).budget.points_max == 1000


def test_branches_and_grids_share_the_budget_of_their_community(writing):
    with writing() as session:
        district = an_organization(session, "140303", "district", name="矿区")
        community = an_organization(session, "140303001", "community", district, "街道社区")
        branch = a_branch(session, "B1", community)
        group = an_organization(session, "G1", "party_group", branch)
        for place in (community, branch, group):
            assert issuer_of(session, place).id == community
        assert issuer_of(session, district).id == district
    for code in ("B1", "G1"):
        with pytest.raises(NotAnIssuer), writing() as session:
            set_it(session, code=code)
    with writing() as session:
        assert set_it(session, code="140303").place.kind == "district"


def test_a_foreign_organization_looks_like_none(writing):
    with writing() as session:
        own = an_organization(session)
        an_organization(session, "140303005004")
    for code in ("140303005004", "404"):
        with pytest.raises(OrganizationNotFound), writing() as session:
            set_it(session, code=code, paths=(f"/{own}/",))


def test_nothing_is_issued_beyond_it(writing):
    with writing() as session:
        with_points(session, a_member(session), 30)
        set_it(session, 50)
    with pytest.raises(BudgetSpent), writing() as session:
        with_points(session, a_member(session), 21)
    with pytest.raises(BudgetBelowIssued), writing() as session:
        set_it(session, 29)
    with writing() as session:
        place = organization_by_code(session, COMMUNITY_CODE)
        assert budget_of(session, place, MONTH) == Budget(30, 50)


def test_communities_are_listed_and_who_else_has_issued(writing):
    with writing() as session:
        district = an_organization(session, "14", "district", name="矿区")
        an_organization(session, "1401", "street", district, "未发过的街道")
        for code in ("1402", "1403", "1404"):
            an_organization(session, code, "community", district, code)
        a_branch(session, "B9", district)
        set_it(session, 10, code="14")
        set_it(session, 20, code="1403")
        listed = budgets_of_month(session, ("/",), MONTH)
        assert [(line.place.code, line.budget.points_max) for line in listed] == [
            ("14", 10),
            ("1402", None),
            ("1403", 20),
            (COMMUNITY_CODE, None),
            ("1404", None),
        ]
        rest = budgets_of_month(session, ("/",), MONTH, after="1402", limit=1)
        assert [line.place.code for line in rest] == ["1403"]
        other = budgets_of_month(session, ("/",), "2026-12")
        assert {line.budget.points_max for line in other} == {None}


def test_the_api_sets_shows_and_lists(app, client, people, writing):
    mine = signed_in(app, people["administrator"], NOON)
    put = client.put(f"{ADDRESS}/{MONTH}", json={"points_max": 200}, headers=mine)
    assert (put.status_code, put.json["left"]) == (200, 200)
    with writing() as session:
        with_points(session, a_member(session), 170)
    shown = client.get(f"{ADDRESS}/{MONTH}", headers=mine).json
    assert shown == {
        "organization": put.json["organization"],
        "month": MONTH,
        "issued": 170,
        "points_max": 200,
        "left": 30,
        "percent": 85,
        "state": "nearly",
    }
    theirs = signed_in(app, people["auditor"], NOON)
    listed = client.get("/api/v1/issue-budgets", headers=theirs).json
    assert (listed["month"], listed["items"], listed["next"]) == (MONTH, [shown], None)
    december = client.get("/api/v1/issue-budgets?month=2026-12", headers=theirs).json
    assert [item["state"] for item in december["items"]] == ["no_limit"]


def test_a_long_list_comes_in_pages(app, client, people, writing):
    with writing() as session:
        for number in range(5):
            an_organization(session, f"14030300200{number}")
        everywhere = with_role(session, a_member(session), "administrator")
    theirs = signed_in(app, everywhere, NOON)
    codes, cursor = [], None
    for _ in range(3):
        asked = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = client.get("/api/v1/issue-budgets", query_string=asked, headers=theirs).json
        codes += [item["organization"]["code"] for item in page["items"]]
        cursor = page["next"]
    assert cursor is None
    assert codes == sorted(codes)
    assert len(set(codes)) == 6


@pytest.mark.parametrize(
    "points_max",
    ["1000", 1.5, -1, True, BUDGET_POINTS_MAX + 1, 10**30, [], {}],
)
def test_a_budget_is_a_whole_number(app, client, people, points_max):
    mine = signed_in(app, people["administrator"], NOON)
    answer = client.put(f"{ADDRESS}/{MONTH}", json={"points_max": points_max}, headers=mine)
    assert (answer.status_code, answer.json["code"]) == (422, "bad_fields")


@pytest.mark.parametrize("body", [{}, {"points_max": 1, "month": MONTH}, {"issued": 0}])
def test_fields_that_lack_or_are_unknown_are_refused(app, client, people, body):
    mine = signed_in(app, people["administrator"], NOON)
    assert client.put(f"{ADDRESS}/{MONTH}", json=body, headers=mine).status_code == 422


@pytest.mark.parametrize(
    ("month", "status", "code"),
    [
        ("2026-10", 409, "month_over"),
        ("2026-13", 404, "not_found"),
        ("2026-Q4", 404, "not_found"),
        ("2026-1", 404, "not_found"),
    ],
)
def test_a_month_in_the_address(app, client, people, month, status, code):
    mine = signed_in(app, people["administrator"], NOON)
    answer = client.put(f"{ADDRESS}/{month}", json={"points_max": 1}, headers=mine)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    asked = client.get(f"/api/v1/issue-budgets?month={month}", headers=mine)
    assert asked.status_code == (200 if status == 409 else 400)


@pytest.fixture
def page(app, people):
    """The browser of an administrator of the community."""
    return Browser(app, people["administrator"])


def test_the_page_sets_a_budget(page, writing):
    with writing() as session:
        with_points(session, a_member(session), 85)
    listed = words_of(page.open("/budgets"))
    assert "平潭街西社区居委会" in listed
    assert "不限" in listed
    address = f"/budgets/{COMMUNITY_CODE}/{MONTH}"
    form = page.form(page.open(address), "")
    set_ = words_of(page.send(form, points_max="1，00"))
    assert "预算已设置" in set_
    assert "85%" in set_
    assert "快用完了" in set_
    with writing() as session:
        place = organization_by_code(session, COMMUNITY_CODE)
        assert budget_of(session, place, MONTH) == Budget(85, 100)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("many", "请填整数积分"),
        ("-5", "请填整数积分"),
        ("1.5", "请填整数积分"),
        ("１００", "请填整数积分"),
        ("999999999999", "预算最多"),
        ("84", "已发放 85 分"),
    ],
)
def test_the_page_says_what_is_wrong_and_keeps_what_was_typed(page, writing, typed, said):
    with writing() as session:
        with_points(session, a_member(session), 85)
    opened = page.open(f"/budgets/{COMMUNITY_CODE}/{MONTH}")
    answer = page.send(page.form(opened, ""), points_max=typed)
    assert answer.status_code == 422
    assert said in words_of(answer)
    assert f'value="{typed}"' in answer.text
    with writing() as session:
        place = organization_by_code(session, COMMUNITY_CODE)
        assert budget_of(session, place, MONTH).points_max is None


def test_months_that_are_over_are_shown_and_not_set(page, app, people):
    shown = page.open("/budgets?month=2026-10")
    assert "/budgets/140303001002/2026-10" not in shown.text
    assert page.client.get(f"/budgets/{COMMUNITY_CODE}/2026-10").status_code == 409
    assert page.client.get("/budgets?month=nonsense").status_code == 400
    auditor = Browser(app, people["auditor"])
    assert "/budgets/140303001002/" not in auditor.open("/budgets").text


def repeat(session, month="2026-12", paths=("/",), now=NOON):
    return repeat_budgets(
        session,
        month=month,
        paths=paths,
        actor_id=a_member(session),
        zone=SHANGHAI,
        now=now,
    )


def budgets_by_code(session, month):
    return {
        line.place.code: line.budget.points_max
        for line in budgets_of_month(session, ("/",), month)
    }


def test_the_month_before_is_taken_over_where_nothing_is_set(writing):
    with writing() as session:
        for number in range(4):
            an_organization(session, f"C{number}")
        for number, points_max in enumerate((100, 200, 0)):
            set_it(session, points_max, code=f"C{number}")
        set_it(session, 50, code="C1", month="2026-12")
        assert repeat(session) == 2
        assert repeat(session) == 0
        found = budgets_by_code(session, "2026-12")
        assert [found[f"C{n}"] for n in range(4)] == [100, 50, 0, None]


def test_a_month_in_which_more_was_issued_already_is_left_alone(writing):
    with writing() as session:
        an_organization(session)
        set_it(session, 30)
        with_points(session, a_member(session), 31, now=datetime(2026, 12, 1, tzinfo=SHANGHAI))
        assert repeat(session) == 0
        assert budgets_by_code(session, "2026-12") == {COMMUNITY_CODE: None}


def test_only_ones_own_scope_is_taken_over_and_no_month_that_is_over(writing):
    with writing() as session:
        own = an_organization(session, "C1")
        an_organization(session, "C2")
        for code in ("C1", "C2"):
            set_it(session, 100, code=code)
        assert repeat(session, paths=(f"/{own}/",)) == 1
        assert budgets_by_code(session, "2026-12")["C2"] is None
    with pytest.raises(MonthOver), writing() as session:
        repeat(session, now=datetime(2027, 1, 1, tzinfo=SHANGHAI))


def test_what_runs_short_stands_first(writing):
    with writing() as session:
        for number, issued in enumerate((79, 80, 100)):
            code = f"C{number}"
            an_organization(session, code)
            set_it(session, 100, code=code)
            account = select(Account.id).where(Account.code == f"issue:community:{code}")
            session.execute(
                update(IssueBudget)
                .where(IssueBudget.account_id == account.scalar_subquery())
                .values(issued=issued)
            )
        short = short_budgets(session, ("/",), MONTH, limit=9)
        assert [line.place.code for line in short] == ["C2", "C1"]
        assert short_budgets(session, ("/404/",), MONTH, limit=9) == []


def test_the_page_offers_to_take_the_month_before_over(page, writing):
    with writing() as session:
        set_it(session, 120)
    december = page.open("/budgets?month=2026-12")
    assert "有 1 个社区上个月设了预算" in words_of(december)
    after = page.send(page.form(december, "/budgets"))
    assert "已沿用上个月的预算" in words_of(after)
    assert "有 1 个社区上个月设了预算" not in words_of(after)
    with writing() as session:
        assert budgets_by_code(session, "2026-12")[COMMUNITY_CODE] == 120
