"""What is owed: it ties to the ledger to the last point, whatever moved, and by place."""

import io
import random
from datetime import date, timedelta
from functools import partial

import openpyxl
import pytest
import time_machine
from sqlalchemy import func, select, text

from pointsbank.budgets.liability import NEVER, liability_within
from pointsbank.core.db import run
from pointsbank.core.money import yuan
from pointsbank.core.settings import BadSettings, Settings, read_settings
from pointsbank.ledger.holding import place_hold
from pointsbank.ledger.models import Wallet
from pointsbank.ledger.moving import Move, move
from pointsbank.ledger.queries import balance_of
from pointsbank.ledger.service import open_account
from pointsbank.organizations.models import Organization
from pointsbank.passbooks.models import CareFund
from tests.browsing import Browser, words_of
from tests.builders import (
    COMMUNITY_CODE,
    a_branch,
    a_member,
    an_organization,
    points_spent,
    signed_in,
    with_points,
    with_role,
)
from tests.moments import NOON
from tests.racing import LOOKS_BESIDE_WRITERS, seen_beside


@pytest.fixture(autouse=True)
def clock():
    """The clock on the wall."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def a_fund(session, organization_id):
    """Return the account of a new care fund."""
    fund = CareFund(organization_id=organization_id, name="爱心基金", created_at=NOON)
    session.add(fund)
    session.flush()
    code = f"care_fund:{fund.id}"
    open_account(session, code=code, kind="fund")
    return code, {code: organization_id}


def donate(session, member_id, fund, points, key="donation:1"):
    asked = Move(
        key=key,
        source=f"member:{member_id}",
        target=fund,
        points=points,
        occurred_at=NOON,
        kind_out="donate",
        kind_in="gift_in",
        reason_out="捐赠",
        reason_in="捐赠",
        expires_on=date.max,
    )
    move(session, asked, NOON)


def set_aside(session, member_id, points, key):
    place_hold(
        session,
        key=key,
        code=f"member:{member_id}",
        points=points,
        expires_at=NOON + timedelta(days=1),
        now=NOON,
    )


@pytest.fixture
def district(writing):
    """Two communities under a district: people of one in a branch, one at the top, a fund."""
    with writing() as session:
        top = an_organization(session, "140303", "district", name="矿区")
        west = an_organization(session, COMMUNITY_CODE, parent=top)
        east = an_organization(session, "140303005004", parent=top, name="=HYPERLINK(1)")
        branch = a_branch(session, "B1", west)
        west_member, branch_member, east_member, top_member = (
            a_member(session, organization_id=place) for place in (west, branch, east, top)
        )
        with_points(session, west_member, 100, date(2026, 12, 31))
        with_points(session, west_member, 50, date(2027, 12, 31))
        with_points(session, branch_member, 30, date(2027, 12, 1))
        with_points(session, east_member, 7, date(2027, 12, 31))
        with_points(session, top_member, 3, date(2027, 1, 31))
        points_spent(session, west_member, 20, "redeem:1")
        fund, places = a_fund(session, west)
        donate(session, west_member, fund, 40)
        set_aside(session, branch_member, 11, "order:1")
        return {"top": top, "west": west, "east": east, "places": places, "fund": fund}


def path_of(session, organization_id):
    return session.scalar(select(Organization.path).where(Organization.id == organization_id))


def in_the_ledger(session):
    """Return what all wallets hold, and how much of it is held."""
    return tuple(
        int(each)
        for each in session.execute(
            select(func.sum(Wallet.posted), func.sum(Wallet.held))
        ).one()
    )


def test_the_total_is_what_all_wallets_hold(writing, district):
    with writing() as session:
        found = liability_within(session, ("/",), district["places"])
        assert (found.total.points, found.total.held) == in_the_ledger(session) == (170, 11)
        assert found.total.funds == 40
        assert sum(found.total.months.values()) == 170
        assert sum(each.owed.points for each in found.places) == 170
        assert sum(each.owed.held for each in found.places) == 11


def test_it_stands_by_month_of_expiry_and_by_community(writing, district):
    with writing() as session:
        found = liability_within(session, ("/",), district["places"])
    assert dict(found.total.months) == {"2026-12": 40, "2027-01": 3, "2027-12": 87, NEVER: 40}
    owed = {each.place.code: each.owed for each in found.places}
    assert list(owed) == ["140303", COMMUNITY_CODE, "140303005004"]
    # Those of its branch, and of its fund, whose points do not expire.
    west = owed[COMMUNITY_CODE]
    assert (west.points, west.held, west.funds) == (160, 11, 40)
    assert dict(west.months) == {"2026-12": 40, "2027-12": 80, NEVER: 40}
    assert owed["140303"].points == 3


def test_a_scope_shows_its_own_and_the_parts_add_up(writing, district):
    with writing() as session:
        west, east = (
            liability_within(session, (path_of(session, district[side]),), district["places"])
            for side in ("west", "east")
        )
        assert (west.total.points, east.total.points) == (160, 7)
        assert [each.place.code for each in east.places] == ["140303005004"]
        assert liability_within(session, (), district["places"]).total.points == 0


def test_stopped_members_are_owed_too(writing, district):
    with writing() as session:
        session.execute(text("UPDATE member SET state = 'suspended'"))
        assert liability_within(session, ("/",), district["places"]).total.points == 170


def live_a_while(session, dice, members, funds):
    """Let members earn, spend, donate and set aside, as chance has it."""
    for member in members:
        for _ in range(dice.randrange(4)):
            last_day = NOON.date() + timedelta(days=dice.randrange(800))
            with_points(session, member, dice.randint(1, 90), last_day)
    for number in range(40):
        member = dice.choice(members)
        left = balance_of(session, f"member:{member}").available
        if not left:
            continue
        part, what = dice.randint(1, left), dice.choice(("spend", "donate", "hold"))
        if what == "spend":
            points_spent(session, member, part, f"redeem:{number}")
        elif what == "donate":
            donate(session, member, dice.choice(funds), part, f"donation:{number}")
        else:
            set_aside(session, member, part, f"order:{number}")


def test_it_ties_to_the_ledger_after_a_random_history(writing, dice: random.Random):
    """To the last point, over many members, days, spendings, donations and holds."""
    with writing() as session:
        top = an_organization(session, "140303", "district", name="矿区")
        sides = [an_organization(session, f"14030300{n}", parent=top) for n in range(3)]
        funds, places = zip(*(a_fund(session, side) for side in sides), strict=True)
        places = {code: side for place in places for code, side in place.items()}
        homes = [*sides, top]
        members = [a_member(session, organization_id=dice.choice(homes)) for _ in range(12)]
        live_a_while(session, dice, members, funds)
    with writing() as session:
        found = liability_within(session, ("/",), places)
        assert found.total.points > 0
        assert (found.total.points, found.total.held) == in_the_ledger(session)
        assert sum(found.total.months.values()) == found.total.points
        paths = [path_of(session, side) for side in sides]
        parts = [liability_within(session, (path,), places).total for path in paths]
        directly = [each.owed for each in found.places if each.place.id == top]
        assert sum(each.points for each in [*parts, *directly]) == found.total.points
        assert sum(each.held for each in [*parts, *directly]) == found.total.held


def test_every_read_while_points_move_is_one_moment(app, writing, district):
    """Donations neither make nor lose points, at whichever moment the report is read."""
    with writing() as session:
        giver = a_member(session)
        with_points(session, giver, 100)

    def give(meet_watcher):
        for number in range(60):
            if number % 30 == 0:
                meet_watcher()
            run(
                partial(
                    donate,
                    member_id=giver,
                    fund=district["fund"],
                    points=1,
                    key=f"donation:more:{number}",
                )
            )

    seen = seen_beside(
        app,
        [give],
        lambda session: liability_within(session, ("/",), district["places"]).total.points,
    )
    assert len(seen) >= LOOKS_BESIDE_WRITERS
    assert set(seen) == {270}


def people_over(writing, district):
    with writing() as session:
        return {
            "all": with_role(session, a_member(session), "administrator"),
            "west": with_role(session, a_member(session), "auditor", district["west"]),
        }


def test_the_api_tells_points_and_money(app, client, writing, district):
    people = people_over(writing, district)
    answer = client.get("/api/v1/liability", headers=signed_in(app, people["all"], NOON)).json
    assert (answer["points"], answer["fen_per_point"], answer["fen"]) == (170, 10, 1700)
    assert answer["months"][0] == {"month": "2026-12", "points": 40, "fen": 400}
    assert answer["months"][-1] == {"month": None, "points": 40, "fen": 400}
    assert [each["organization"]["code"] for each in answer["places"]] == [
        "140303",
        COMMUNITY_CODE,
        "140303005004",
    ]
    mine = client.get("/api/v1/liability", headers=signed_in(app, people["west"], NOON)).json
    assert (mine["points"], mine["held"], mine["funds"]) == (160, 11, 40)


def test_the_page_and_its_file_say_the_same(app, writing, district):
    browser = Browser(app, people_over(writing, district)["all"])
    words = words_of(browser.open("/liability"))
    for said in ("170", "¥17.00", "2026年12月", "不过期", "平潭街西社区居委会", "¥0.10"):
        assert said in words
    file = browser.open("/liability.xlsx")
    assert file.headers["Content-Disposition"].endswith("liability-2026-11-21.xlsx")
    rows = [
        [cell.value for cell in row]
        for row in openpyxl.load_workbook(io.BytesIO(file.data)).active.iter_rows(min_row=3)
    ]
    assert rows[0][2:6] == ["应付积分", "冻结", "爱心基金", "折合金额（元）"]
    assert rows[0][6:] == ["2026-12到期", "2027-01到期", "2027-12到期", "不过期"]
    assert rows[-1][1:] == ["合计", 170, 11, 40, 17, 40, 3, 87, 40]
    # A name that a spreadsheet would run is text.
    assert rows[3][:3] == ["140303005004", "'=HYPERLINK(1)", 7]


def test_with_nothing_owed_the_page_says_so(app, writing):
    with writing() as session:
        administrator = with_role(session, a_member(session), "administrator")
    browser = Browser(app, administrator)
    assert "现在没有未用的积分" in words_of(browser.open("/liability"))
    assert browser.open("/liability.xlsx").status_code == 200


@pytest.mark.parametrize(
    ("fen", "words"), [(0, "¥0.00"), (5, "¥0.05"), (10, "¥0.10"), (123_456, "¥1,234.56")]
)
def test_money_is_written_in_yuan(fen, words):
    assert yuan(fen) == words


def test_the_rate_is_a_setting_and_never_nothing(settings: Settings):
    given = {"POINTSBANK_SECRET_KEY": settings.secret_key, "POINTSBANK_FEN_PER_POINT": "25"}
    assert read_settings(given).fen_per_point == 25
    for wrong in ("0", "-1", "1.5", "ten"):
        with pytest.raises(BadSettings, match="FEN_PER_POINT"):
            read_settings({**given, "POINTSBANK_FEN_PER_POINT": wrong})
