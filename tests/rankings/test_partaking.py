"""What the dashboard counts: taking part, months, the share by hand, and what is missing."""

from datetime import date, timedelta

import pytest
import time_machine
from sqlalchemy import update

from pointsbank.attendance.models import Scan
from pointsbank.attendance.settling import settle_shift
from pointsbank.core.calendar import quarter_of, read_period
from pointsbank.rankings.pages.figuring import Figures, samples_of, share_words
from pointsbank.rankings.partaking import (
    Entered,
    Gaps,
    PlacePart,
    entered_in,
    gaps_in,
    parts_by_branch,
    parts_by_grid,
    parts_by_month,
)
from pointsbank.scoring.models import ScoreEntry
from pointsbank.scoring.service import negate_entry
from pointsbank.tasks.models import Shift, Task
from tests.attendance.scene import ENDS, set_scene
from tests.builders import (
    SHANGHAI,
    TODAY,
    a_member,
    a_score_entry,
    a_shift,
    an_organization,
    signed_in,
    with_role,
)
from tests.counting import statements_of
from tests.moments import NOON
from tests.rankings.boards import Board

QUARTER = quarter_of(TODAY)
LATER = ENDS + timedelta(hours=2)


@pytest.fixture
def board(writing):
    with writing() as session:
        return Board(session)


def as_if(session, entry_id, cause):
    """Let an entry have the cause of another way in."""
    session.execute(update(ScoreEntry).where(ScoreEntry.id == entry_id).values(cause=cause))
    return cause


def by_hand(session, member_id, cause, points=0, minutes=0):
    """An adjustment's entry, as approving it writes it."""
    entry = a_score_entry(
        session, member_id, points=points, service_minutes=minutes, evaluation_hundredths=0
    )
    as_if(session, entry, cause)


def parts_of(found):
    return {part.name: (part.active, part.members) for part in found}


def test_each_branch_is_beside_its_members(board, writing):
    with writing() as session:
        found = parts_by_branch(session, ["/"], QUARTER)
    assert parts_of(found) == {
        "第一党支部": (0, 1),
        "平潭街西社区居委会": (3, 4),
        "北社区": (1, 1),
    }
    # Where the fewest took part comes first.
    assert [part.percent for part in found] == [0, 75, 100]


def test_another_period_and_another_scope_are_counted_for_themselves(board, writing):
    with writing() as session:
        assert parts_of(parts_by_branch(session, ["/"], read_period("2026-Q3"))) == {}
        path = f"/{board.street}/{board.away}/"
        assert parts_of(parts_by_branch(session, [path], QUARTER)) == {"北社区": (1, 1)}


def test_work_that_was_taken_back_and_deductions_are_no_taking_part(board, writing):
    with writing() as session:
        taken_back = a_member(session, "孙立新", board.home)
        cause = as_if(session, a_score_entry(session, taken_back), "award:1")
        negate_entry(session, cause="reject:1", of_cause=cause, now=NOON)
        punished = a_member(session, "钱进", board.home)
        a_score_entry(
            session,
            punished,
            "deduction",
            evaluation_hundredths=-200,
            points=0,
            service_minutes=0,
        )
        found = parts_of(parts_by_branch(session, ["/"], QUARTER))
        assert found["平潭街西社区居委会"] == (3, 6)
        assert (
            parts_by_month(session, ["/"], date(2026, 11, 1), date(2026, 12, 1))[
                (2026, 11)
            ].people
            == 4
        )


def test_a_grid_without_members_is_listed_as_unknown(board, writing):
    with writing() as session:
        an_organization(session, "G1", "grid", board.home, "第一网格")
        found = parts_by_grid(session, ["/"], QUARTER)
    assert found == [PlacePart("G1", "第一网格", 0, 0)]
    assert share_words(0, 0) == "–"


def test_months_hold_what_was_earned_in_them(board, writing):
    with writing() as session:
        a_score_entry(session, board.first, earned_on=date(2026, 10, 31))
        a_score_entry(session, board.first, earned_on=date(2025, 11, 30))
        found = parts_by_month(session, ["/"], date(2025, 12, 1), date(2026, 12, 1))
    assert set(found) == {(2026, 10), (2026, 11)}
    assert (found[2026, 10].minutes, found[2026, 10].points, found[2026, 10].people) == (
        120,
        20,
        1,
    )
    assert (found[2026, 11].minutes, found[2026, 11].people) == (8 * 120, 4)


def test_minutes_by_hand_are_told_from_scanned_ones(app, writing):
    with writing() as session:
        scene = set_scene(app, session)
    scene.check_in()
    scene.check_out()
    with writing() as session:
        settle_shift(
            session,
            shift_id=scene.shift_id,
            actor_id=scene.organizer.member_id,
            paths=["/"],
            zone=SHANGHAI,
            now=LATER,
        )
        by_hand(session, scene.volunteer.member_id, "adjust:1", minutes=30)
        by_hand(session, scene.volunteer.member_id, "adjust:2", points=-5)
        entered = entered_in(session, ["/"], QUARTER, SHANGHAI)
    assert (entered.typed_minutes, entered.adjusted_minutes) == (0, 30)
    assert entered.all_minutes == 150 + 30
    assert entered.minutes_percent == 17
    assert entered.adjusted_points == 5
    # What was taken away by hand is as much by hand as what was given.
    assert entered.all_points - entered.net_points == 10
    assert Entered(0, 0, 0, 0, 0, 0, 0, 0).points_percent == 0


def test_what_is_entered_late_is_by_hand(board, writing):
    with writing() as session:
        before = entered_in(session, ["/"], QUARTER, SHANGHAI)
        by_hand(session, board.first, "late_entry:1", minutes=60)
        by_hand(session, board.first, "late_entry:2", minutes=90)
        by_hand(session, board.first, "lift:late_entry:2", minutes=-90)
        entered = entered_in(session, ["/"], QUARTER, SHANGHAI)
    # What was given and taken back is by hand both times, as it is with adjustments.
    assert (before.adjusted_minutes, entered.adjusted_minutes) == (0, 240)
    assert entered.all_minutes - before.all_minutes == 240
    assert entered.net_minutes - before.net_minutes == 60


def test_a_typed_number_is_by_hand(app, writing):
    with writing() as session:
        scene = set_scene(app, session)
    scene.check_in()
    scene.check_out()
    with writing() as session:
        settle_shift(
            session,
            shift_id=scene.shift_id,
            actor_id=scene.organizer.member_id,
            paths=["/"],
            zone=SHANGHAI,
            now=LATER,
        )
        session.execute(update(Scan).values(code_kind="manual"))
        entered = entered_in(session, ["/"], QUARTER, SHANGHAI)
    assert entered.typed_minutes == entered.all_minutes == 150
    assert (entered.points_percent, entered.minutes_percent) == (100, 100)


def test_what_is_missing_is_counted_and_said(app, writing):
    with writing() as session:
        scene = set_scene(app, session)
        meeting = a_shift(session, organizer_id=scene.organizer.member_id)
        a_shift(session, organizer_id=scene.organizer.member_id)
        task_id = session.get_one(Shift, meeting).task_id
        session.execute(update(Task).where(Task.id == task_id).values(kind="meeting"))
        assert gaps_in(session, ["/"], QUARTER, SHANGHAI, NOON) == Gaps(0, 0, 0)
    scene.check_in()
    with writing() as session:
        gaps = gaps_in(session, ["/"], QUARTER, SHANGHAI, LATER)
    assert gaps == Gaps(meetings_without_list=1, shifts_without_list=1, shifts_unsettled=1)
    nothing = Entered(0, 0, 0, 0, 0, 0, 0, 0)
    with app.test_request_context("/?locale=zh", headers={"Accept-Language": "zh"}):
        said = " ".join(
            samples_of(Figures([PlacePart("", "", 75, 7)], [], nothing, gaps), NOON)
        )
    assert "75 名成员中有 7 人参加" in said
    assert "有 1 次会议还没有签到名单" in said


@pytest.fixture
def travel():
    with time_machine.travel(NOON, tick=False):
        yield


def test_the_dashboard_is_of_the_chosen_place_and_period(app, client, board, writing, travel):
    with writing() as session:
        overseer = with_role(session, a_member(session), "administrator", board.street)
    headers = signed_in(app, overseer)

    def page(**asked):
        return client.get("/dashboard", query_string=asked, headers=headers)

    assert "7 名成员中有 4 人参加" in page().text
    assert "1 名成员中有 1 人参加" in page(organization_code="140303001004").text
    assert "0 名成员中有 0 人参加" in page(period="2025").text
    assert page(organization_code="nowhere").status_code == 404
    assert page(period="2026-Q9").status_code == 400
    foreign = client.get(
        "/dashboard?organization_code=140303001004", headers=signed_in(app, board.secretary)
    )
    assert foreign.status_code == 404


def test_the_dashboard_asks_no_more_the_more_there_is(app, client, board, writing, travel):
    headers = signed_in(app, board.secretary)

    def asked():
        with statements_of(app) as sent:
            assert client.get("/dashboard", headers=headers).status_code == 200
        return len(sent)

    few = asked()
    with writing() as session:
        for no in range(6):
            grid = an_organization(session, f"G{no}", "grid", board.branch, f"第{no}网格")
            assert grid
            a_score_entry(session, a_member(session, organization_id=board.branch))
    assert asked() == few


def test_a_program_reads_the_same_figures(app, client, board, writing, travel):
    with writing() as session:
        overseer = with_role(session, a_member(session), "administrator", board.street)
    answer = client.get(
        "/api/v1/reports/partaking?organization_code=140303001&period=2026-Q4",
        headers=signed_in(app, overseer),
    )
    assert answer.status_code == 200, answer.text
    told = answer.json
    assert (told["members"], told["active"], told["service_minutes"]) == (7, 4, 8 * 120)
    assert {part["name"] for part in told["branches"]} == {
        "第一党支部",
        "平潭街西社区居委会",
        "北社区",
    }
