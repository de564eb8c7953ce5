"""Who takes which post is announced before they take it, and corrected by a new version."""

import pytest
import time_machine

from pointsbank.core.actor import Actor, Grant
from pointsbank.notices.errors import ReasonMissing
from pointsbank.notices.queries import how_it_stands, notice_of, shown_lines
from pointsbank.notices.reviewing import review_notice
from pointsbank.organizations.queries import organization_of
from pointsbank.tasks.errors import TaskNotFound
from pointsbank.tasks.models import Task
from pointsbank.tasks.post_errors import NobodyTakesIt, NotAPost
from pointsbank.tasks.post_notices import draft_post_notice, takers_of
from pointsbank.tasks.queries import own_task
from tests.builders import (
    SHANGHAI,
    a_claim,
    a_member,
    a_task,
    an_organization,
    shifts_of,
    signed_in,
    with_role,
)
from tests.laws.world import FORM_TOKEN
from tests.moments import NOON
from tests.tasks.repeating import a_series, a_standing


@pytest.fixture
def travel():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def a_post(session):
    """Return a published task of posts, and the path of its organization."""
    task_id = a_task(session, title="文明交通岗")
    session.get_one(Task, task_id).kind = "post"
    return task_id, organization_of(session, an_organization(session)).path


def drafted(session, task_id, path, reason=""):
    return draft_post_notice(
        session,
        task_id=task_id,
        paths=(path,),
        actor_id=with_role(session, a_member(session, "李敏"), "organizer"),
        reason=reason,
        zone=SHANGHAI,
        now=NOON,
    )


def test_standing_and_single_claims_are_announced_once_each(session):
    task_id, path = a_post(session)
    shift_id = shifts_of(session, task_id)[0]
    series_id = a_series(session, shift_id=shift_id)
    first = a_member(session, "王桂兰")
    a_standing(session, series_id, first, role_name="")
    a_claim(session, shift_id, a_member(session, "李建军"))
    names = [
        each.name
        for each in takers_of(session, own_task(session, task_id, [path]), NOON, SHANGHAI)
    ]
    assert sorted(names) == ["李*军", "王*兰"]
    notice_id = drafted(session, task_id, path)
    found = notice_of(session, notice_id)
    assert (found.kind, found.subject, found.window_days) == ("post", f"post:{task_id}", 5)
    assert found.facts == {"task": "文明交通岗", "from_on": "2026-11-21"}
    lines = shown_lines(session, notice_id)
    assert {(line.name, line.facts["post"]) for line in lines} == {
        ("王*兰", "文明交通岗"),
        ("李*军", "文明交通岗"),
    }


def test_only_a_published_post_that_somebody_takes_is_announced(session):
    task_id, path = a_post(session)
    with pytest.raises(NobodyTakesIt):
        drafted(session, task_id, path)
    activity = a_task(session)
    a_claim(session, shifts_of(session, activity)[0])
    with pytest.raises(NotAPost):
        drafted(session, activity, path)
    a_claim(session, shifts_of(session, task_id)[0])
    with pytest.raises(TaskNotFound):
        drafted(session, task_id, "/999999/")


def test_a_correction_needs_a_reason_and_is_shown_again(session):
    task_id, path = a_post(session)
    shift_id = shifts_of(session, task_id)[0]
    a_claim(session, shift_id)
    first = drafted(session, task_id, path)
    reviewer = with_role(session, a_member(session, "孙支委"), "committee")
    review_notice(
        session,
        notice_id=first,
        actor=Actor(reviewer, "孙支委", 1, 1, (Grant("committee", path),)),
        today=NOON.date(),
        now=NOON,
    )
    a_claim(session, shift_id, a_member(session, "李建军"))
    with pytest.raises(ReasonMissing):
        drafted(session, task_id, path)
    second = drafted(session, task_id, path, "又有一人认领")
    assert how_it_stands(session, first).state == "replaced"
    found = notice_of(session, second)
    assert (found.state, found.no, found.window_days) == ("draft", 2, 3)
    assert len(shown_lines(session, second)) == 2


@pytest.mark.usefixtures("travel")
def test_an_organizer_drafts_it_from_the_page_of_the_task(app, writing):
    with writing() as session:
        task_id, _ = a_post(session)
        a_claim(session, shifts_of(session, task_id)[0], a_member(session, "王桂兰"))
        organizer = with_role(session, a_member(session, "李敏"), "organizer")
    client = app.test_client()
    client.set_cookie("pointsbank", signed_in(app, organizer, NOON)["Authorization"][7:])
    assert f"/tasks/{task_id}/post-notice" in client.get(f"/organizing/{task_id}").text
    path = f"/tasks/{task_id}/post-notice"
    page = client.get(path).text
    assert "王*兰" in page
    token = FORM_TOKEN.search(page)[1]
    done = client.post(path, data={"csrf_token": token}, follow_redirects=True)
    assert "文明交通岗上岗公示" in done.text
    again = client.post(path, data={"csrf_token": token, "reason": ""})
    assert again.status_code == 400
    assert "请简单写明理由" in again.text
    headers = signed_in(app, organizer, NOON)
    by_program = client.post(f"/api/v1{path}", json={"reason": "更正"}, headers=headers)
    assert by_program.status_code == 201
