"""What a task multiplies its item by: within the item's bound, from the form to the award."""

import pytest
import time_machine
from sqlalchemy import text

from pointsbank.attendance.settling import Awarded, settle_shift
from pointsbank.tasks.models import Task
from tests.attendance.scene import ENDS, ZONE, set_scene
from tests.browsing import Browser, words_of
from tests.builders import a_member, signed_in, with_role
from tests.moments import NOON
from tests.standards import a_standard
from tests.tasks.test_pages import FORM
from tests.tasks.test_planning_api import body

BOUNDED = {"volunteer_hour": {"coefficient_percent_max": 120}}


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(NOON) as traveller:
        yield traveller


@pytest.fixture
def bounded(writing):
    """From today on an hour of volunteer service may count up to 120 %."""
    with writing() as session:
        a_standard(session, valid_from=NOON.date(), changes=BOUNDED)


@pytest.fixture
def headers(app, writing):
    with writing() as session:
        member_id = with_role(session, a_member(session, "李敏"), "organizer")
    return signed_in(app, member_id)


@pytest.fixture
def organizer(app, writing):
    with writing() as session:
        member_id = with_role(session, a_member(session, "李敏"), "organizer")
    return Browser(app, member_id)


def test_the_default_standard_multiplies_nothing(client, headers):
    answer = client.post(
        "/api/v1/tasks", json=body(coefficient_percent=110, skills=[]), headers=headers
    )
    assert (answer.status_code, answer.json["code"]) == (400, "coefficient_too_high")
    assert answer.json["most"] == 100


@pytest.mark.parametrize(
    ("percent", "status"), [(100, 201), (120, 201), (121, 400), (99, 422), (151, 422)]
)
def test_a_task_multiplies_within_the_bound(client, headers, bounded, percent, status):
    wanted = body(coefficient_percent=percent, skills=[])
    answer = client.post("/api/v1/tasks", json=wanted, headers=headers)
    assert answer.status_code == status, answer.text
    if status == 201:
        assert answer.json["coefficient_percent"] == percent
        # 10 points an hour for the two and three quarter hours that count in half hours.
        assert answer.json["shifts"][0]["points"] == 25 * percent // 100


@pytest.mark.parametrize("percent", ["many", "1e2", 110.5, True, None])
def test_a_percentage_is_a_whole_number(client, headers, bounded, percent):
    wanted = body(coefficient_percent=percent, skills=[])
    assert client.post("/api/v1/tasks", json=wanted, headers=headers).status_code == 422


def test_the_form_asks_where_something_may_be_multiplied(organizer, bounded, writing):
    page = organizer.open("/organizing/new")
    assert "志愿服务 120%" in words_of(page)
    form = organizer.form(page, "/organizing/new")
    wrong = organizer.send(form, **FORM, coefficient_percent="121")
    assert "最多按百分之 120 计分" in words_of(wrong)
    form = organizer.form(wrong, "/organizing/new")
    assert form.fields["coefficient_percent"] == "121"
    kept = {name: FORM[name] for name in ("kind", "organization_code", "scoring_item")}
    planned = organizer.send(form, **kept, coefficient_percent="１２０")
    assert "平时的 120%" in words_of(planned)
    with writing() as session:
        assert session.query(Task).one().coefficient_percent == 120


def test_the_form_says_nothing_where_nothing_is_multiplied(organizer):
    assert "按百分之多少计分" not in words_of(organizer.open("/organizing/new"))


def settled(scene, writing):
    scene.check_in()
    preview = scene.check_out()
    with writing() as session:
        settlement = settle_shift(
            session,
            shift_id=scene.shift_id,
            actor_id=scene.organizer.member_id,
            paths=("/",),
            zone=ZONE,
            now=ENDS.replace(minute=ENDS.minute + 5),
        )
    return preview, settlement


@pytest.mark.parametrize(("percent", "points"), [(100, 25), (120, 30), (150, 30)])
def test_an_award_is_multiplied_and_its_minutes_are_not(app, bounded, writing, percent, points):
    """A task drafted under a higher bound is cut at the one of its day."""
    with writing() as session:
        scene = set_scene(app, session)
        session.execute(text("UPDATE task SET coefficient_percent = :p"), {"p": percent})
    preview, settlement = settled(scene, writing)
    assert preview.facts["points_preview"] == {"points": points, "service_minutes": 150}
    assert settlement.awarded == (Awarded(scene.volunteer.member_id, points, 150),)
