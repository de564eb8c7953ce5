"""Finding something to do: by time, kind, place, skill, words and position."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import insert, select, update

from pointsbank.core.calendar import midnight
from pointsbank.members.models import Member, MemberSkill, Skill
from pointsbank.organizations.queries import lineage_of
from pointsbank.tasks.finding import (
    Search,
    count_shifts,
    find_shifts,
    home_of,
    metres_between,
    span_of,
)
from pointsbank.tasks.models import Claim, Shift, Task, TaskSkill
from tests.builders import (
    SHANGHAI,
    TODAY,
    a_branch,
    a_claim,
    a_member,
    a_plan,
    a_shift,
    a_task,
    an_organization,
    shifts_of,
    signed_in,
)
from tests.counting import statements_of
from tests.moments import NOON

SOON = NOON + timedelta(hours=1)
# What a page asks of the database, its reader's session and unread messages included.
STATEMENTS_MAX = 8


@pytest.fixture
def _at_noon():
    with time_machine.travel(NOON, tick=False):
        yield


def titles(session, search, **more):
    return [found.title for found in find_shifts(session, search, now=NOON, **more)]


def test_what_is_over_full_closed_drafted_or_called_off_is_not_offered(session):
    me = a_member(session)
    a_shift(session, SOON, title="free")
    over = a_shift(session, SOON, title="over")
    past = {"starts_at": NOON - timedelta(hours=2), "ends_at": NOON}
    session.execute(update(Shift).where(Shift.id == over).values(**past))
    full = a_shift(session, SOON, places=1, title="full")
    a_claim(session, full)
    a_task(session, title="draft", is_open=False)
    for title, values in (
        ("cancelled", {"state": "cancelled"}),
        ("closed", {"claims_close_at": NOON - timedelta(hours=1)}),
    ):
        task_id = a_task(session, title=title)
        session.execute(update(Task).where(Task.id == task_id).values(**values))
    off = a_shift(session, SOON, title="off")
    session.execute(update(Shift).where(Shift.id == off).values(called_off_at=NOON))
    assert titles(session, Search(me)) == ["free"]
    everything = titles(session, Search(me, only_free=False))
    assert sorted(everything) == ["closed", "free", "full"]
    assert count_shifts(session, Search(me), now=NOON) == 1
    assert count_shifts(session, Search(me, only_free=False), now=NOON) == 3


def test_time_kind_place_and_words_narrow(session):
    me = a_member(session)
    a_shift(session, SOON, title="河道清洁")
    a_shift(session, SOON + timedelta(days=3), title="社区夜巡")
    other = an_organization(session, "140303006001", name="第三社区")
    a_shift(session, SOON, title="50% off_cleaning", organization_id=other)
    session.execute(update(Task).where(Task.title == "社区夜巡").values(kind="patrol"))
    for search, found in (
        (Search(me, words="清洁"), ["河道清洁"]),
        (Search(me, words="CLEAN"), ["50% off_cleaning"]),
        (Search(me, words="%"), ["50% off_cleaning"]),
        (Search(me, words="f_c"), ["50% off_cleaning"]),
        (Search(me, words="o_d"), []),
        (Search(me, kind="patrol"), ["社区夜巡"]),
        (Search(me, starts_from=SOON + timedelta(seconds=1)), ["社区夜巡"]),
        (Search(me, starts_to=SOON), []),
        (Search(me, path="/999/"), []),
    ):
        assert titles(session, search) == found, search


def test_what_i_can_do_stands_first(session):
    me, other = a_member(session), a_member(session)
    skills = session.scalars(select(Skill.id).order_by(Skill.id).limit(3)).all()
    for title, asked in (("none", []), ("one", skills[:1]), ("both", skills[:2])):
        task_id = a_task(session, title=title)
        for skill_id in asked:
            session.execute(insert(TaskSkill).values(task_id=task_id, skill_id=skill_id))
    for who, told in ((me, skills[:2]), (other, skills[2:])):
        for skill_id in told:
            values = {"member_id": who, "skill_id": skill_id, "told_at": NOON}
            session.execute(insert(MemberSkill).values(**values))
    assert titles(session, Search(me, order="skills")) == ["both", "one", "none"]
    assert titles(session, Search(other, order="skills")) == ["none", "one", "both"]
    fits = [found.skills for found in find_shifts(session, Search(me), now=NOON)]
    assert sorted(fits) == [0, 1, 2]


def test_my_grid_stands_first_then_what_is_above_it(session):
    community = an_organization(session)
    grid = an_organization(session, "G1", "grid", community, "第一网格")
    next_door = an_organization(session, "G2", "grid", community, "第二网格")
    elsewhere = an_organization(session, "140303006001", name="第三社区")
    places = (("elsewhere", elsewhere), ("next", next_door), ("all", community), ("mine", grid))
    for title, place in places:
        a_task(session, title=title, organization_id=place)
    me = a_member(session, organization_id=community)
    session.execute(update(Member).where(Member.id == me).values(grid_id=grid))
    lineage = lineage_of(session, home_of(session, me))
    paths = tuple(node.path for node in reversed(lineage))
    found = titles(session, Search(me, paths, order="home"))
    assert found == ["mine", "next", "all", "elsewhere"]
    member = a_member(session, organization_id=a_branch(session, parent=community))
    assert home_of(session, member).startswith(lineage[0].path)


def test_the_nearest_stand_first_and_what_has_no_position_last(session):
    me = a_member(session)
    a_shift(session, SOON, title="nowhere")
    a_shift(session, SOON, latitude=37.90, longitude=113.60, title="far")
    a_shift(session, SOON, latitude=37.871, longitude=113.561, title="near")
    here = (37.87, 113.56)
    found = find_shifts(session, Search(me, near=here), now=NOON)
    assert [each.title for each in found] == ["near", "far", "nowhere"]
    metres = [metres_between(here, each) for each in found]
    assert metres[0] == pytest.approx(142, abs=3)
    assert metres[1] == pytest.approx(4840, rel=0.02)
    assert metres[2] is None


def test_my_own_claim_is_said(session):
    me = a_member(session)
    shift_id = a_shift(session, SOON)
    a_claim(session, shift_id, me)
    a_claim(session, shift_id)
    assert [each.state for each in find_shifts(session, Search(me), now=NOON)] == ["claimed"]
    session.execute(update(Claim).values(state="withdrawn"))
    assert [each.state for each in find_shifts(session, Search(me), now=NOON)] == [""]


def test_pages_follow_each_other_without_gap_or_repeat(session):
    me = a_member(session)
    plans = [a_plan(SOON + timedelta(hours=3 * number)) for number in range(7)]
    ids = shifts_of(session, a_task(session, shifts=plans))
    pages = [
        [each.id for each in find_shifts(session, Search(me), now=NOON, after=after, limit=3)]
        for after in (0, 3, 6)
    ]
    assert sum(pages, []) == ids


@pytest.mark.parametrize(
    ("when", "first", "after"),
    [
        ("today", 0, 1),
        ("tomorrow", 1, 2),
        # TODAY is a Saturday: the week ends tomorrow, and the weekend has begun.
        ("week", 0, 2),
        ("weekend", 0, 2),
        ("2026-11-30", 9, 10),
    ],
)
def test_a_span_of_days_begins_and_ends_at_local_midnight(when, first, after):
    assert span_of(when, TODAY, SHANGHAI) == tuple(
        midnight(TODAY + timedelta(days=days), SHANGHAI) for days in (first, after)
    )


def test_on_a_monday_the_weekend_lies_ahead():
    monday = TODAY + timedelta(days=2)
    starts, ends = span_of("weekend", monday, SHANGHAI)
    assert starts == midnight(monday + timedelta(days=5), SHANGHAI)
    assert ends == midnight(monday + timedelta(days=7), SHANGHAI)


@pytest.mark.parametrize("when", ["", "someday", "2026-02-30", "9999-12-31", "0001-01-01"])
def test_what_is_no_time_bounds_nothing(when):
    assert span_of(when, TODAY, SHANGHAI)[0] is None or when.startswith("0001")


@pytest.fixture
def me(app, writing):
    """A member as headers of a program."""
    with writing() as session:
        member_id = a_member(session)
    return signed_in(app, member_id, NOON)


@pytest.mark.usefixtures("_at_noon")
def test_a_page_asks_the_database_eight_times_however_long_it_is(app, client, me, writing):
    for count in (1, 60):
        with writing() as session:
            plans = [a_plan(SOON + timedelta(hours=number)) for number in range(count)]
            a_task(session, shifts=plans)
        for path in ("/tasks", "/tasks?order=skills&full=1&when=week&q=河道"):
            with statements_of(app) as sent:
                page = client.get(path, headers=me)
            assert page.status_code == 200
            asked = [statement for statement in sent if statement != "BEGIN"]
            assert len(asked) <= STATEMENTS_MAX, asked


@pytest.mark.usefixtures("_at_noon")
def test_the_page_filters_and_goes_on(client, me, writing):
    with writing() as session:
        plans = [a_plan(SOON + timedelta(hours=number)) for number in range(40)]
        a_task(session, title="河道清洁", shifts=plans)
        a_shift(session, SOON, title="社区夜巡")
    page = client.get("/tasks", headers=me).text
    assert page.count('class="row"') == 30
    assert "cursor=" in page
    assert "今天" in page
    narrowed = client.get("/tasks?q=夜巡&when=today", headers=me).text
    assert ("社区夜巡" in narrowed, "河道清洁" in narrowed) == (True, False)
    assert client.get("/tasks?cursor=nonsense", headers=me).status_code == 400
    assert client.get("/tasks?organization_code=nowhere", headers=me).status_code == 404
    odd = "/tasks?kind=war&when=x&on=2026-99-99&order=best&full=2&q=%00%ff"
    assert client.get(odd, headers=me).status_code == 200


@pytest.mark.usefixtures("_at_noon")
def test_a_position_is_in_no_address_and_in_no_log(client, me, writing, caplog):
    with writing() as session:
        plans = [
            a_plan(SOON, latitude=37.8711, longitude=113.5611),
            *[a_plan(SOON + timedelta(hours=number)) for number in range(35)],
        ]
        a_task(session, shifts=plans)
    form = {"latitude": "37.123", "longitude": "113.456"}
    answer = client.post("/tasks/nearby", data=form, headers=me)
    page = answer.text
    assert "公里" in page
    assert page.index('name="cursor"') > 0
    addresses = [part.split('"')[0] for part in page.split('href="')[1:]]
    actions = [part.split('"')[0] for part in page.split('action="')[1:]]
    assert not [each for each in addresses + actions if "37.123" in each]
    assert "set-cookie" not in {name.lower() for name, _ in answer.headers} or (
        "37.123" not in str(answer.headers)
    )
    searched = client.post(
        "/api/v1/tasks/search",
        json={"near": {"latitude": 37.123, "longitude": 113.456}},
        headers=me,
    )
    assert searched.status_code == 200
    logged = caplog.text
    assert "/tasks/nearby" in logged
    assert "37.123" not in logged


@pytest.mark.usefixtures("_at_noon")
@pytest.mark.parametrize(
    "form",
    [{}, {"latitude": "x", "longitude": "1"}, {"latitude": "91", "longitude": "0"}]
    + [{"latitude": "nan", "longitude": "nan"}, {"latitude": "inf", "longitude": "0"}],
    ids=json.dumps,
)
def test_what_is_no_position_sorts_by_time(client, me, writing, form):
    with writing() as session:
        a_shift(session, SOON)
    page = client.post("/tasks/nearby", data=form, headers=me)
    assert page.status_code == 200
    assert "今天" in page.text


@pytest.mark.usefixtures("_at_noon")
def test_programs_search_in_a_body(client, me, writing):
    with writing() as session:
        a_shift(session, SOON, latitude=37.871, longitude=113.561, title="near", places=1)
        a_shift(session, SOON, title="nowhere")

    def searched(**body):
        return client.post("/api/v1/tasks/search", json=body, headers=me)

    near = {"latitude": 37.87, "longitude": 113.56}
    first = searched(near=near, limit=1).json
    assert [item["title"] for item in first["items"]] == ["near"]
    item = first["items"][0]
    assert (item["metres"], item["points"], item["places"]) == (142, 25, 1)
    assert item["claim_state"] is None
    second = searched(near=near, limit=1, cursor=first["next"]).json
    assert ([each["title"] for each in second["items"]], second["next"]) == (["nowhere"], None)
    assert searched(words="NEAR").json["items"][0]["title"] == "near"
    for bad in (
        {"near": {"latitude": 91, "longitude": 0}},
        {"near": "37.87,113.56"},
        {"near": {"latitude": 37.87}},
        {"order": "best"},
        {"limit": 0},
        {"only_free": "perhaps"},
        {"from": "2026-11-21"},
        {"who": "me"},
    ):
        assert searched(**bad).status_code == 422, bad
    assert searched(organization_code="nowhere").status_code == 404


def test_a_search_is_one_statement(app, writing):
    with writing() as session:
        me = a_member(session)
        a_task(session, shifts=[a_plan(SOON + timedelta(hours=n)) for n in range(9)])
    search = Search(me, ("/1/",), order="skills")
    for each in (search, replace(search, near=(37.8, 113.5))):
        with writing() as session, statements_of(app) as sent:
            assert len(find_shifts(session, each, now=NOON)) == 9
        assert len([statement for statement in sent if "SELECT" in statement]) == 1
