"""Who may knock at the doors of changing, approving and accepting."""

from datetime import timedelta

from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from pointsbank.tasks.publishing import APPROVAL_PLACES, publish_task
from tests.builders import a_member, a_plan, a_task, with_role
from tests.laws.doors import MEMBERS, ORGANIZER, Row, door, fields, form
from tests.laws.world import (
    CLAIM,
    COMMUNITY,
    DRAFT,
    ORGANIZATION,
    TASK,
    Kind,
    Made,
    World,
)
from tests.moments import NOON

APPROVING = ("administrator", "secretary")


def make_submitted(session: Session, world: World, place: str, _actor: int, _made: Made) -> int:
    """A task of that side that waits for approval; its organizer is none of those who knock."""
    ground = world.ground(place)
    organizer = with_role(
        session, a_member(session, "周组织"), "organizer", ground.community_id
    )
    plan = a_plan(NOON + timedelta(days=40), places=APPROVAL_PLACES + 1)
    task_id = a_task(
        session,
        organization_id=ground.community_id,
        organizer_id=organizer,
        shifts=[plan],
        is_open=False,
    )
    publish_task(session, task_id=task_id, actor_id=organizer, paths=["/"], now=NOON)
    return task_id


SUBMITTED = Kind(COMMUNITY, make_submitted)
PLAN = {
    "title": "河道清洁",
    "kind": "activity",
    "organization_code": "CODE",
    "scoring_item": "volunteer_hour",
    "shifts": [
        {
            "starts_at": (NOON + timedelta(days=1)).isoformat(),
            "ends_at": (NOON + timedelta(days=1, hours=2)).isoformat(),
            "places": 3,
            "place_name": "东门桥头",
        }
    ],
}
APPROVED = {"decision": "approve"}
FORM = {
    **{name: value for name, value in PLAN.items() if name != "shifts"},
    "starts_at_1": "2027-11-24T13:30",
    "ends_at_1": "2027-11-24T16:00",
    "places_1": "25",
    "place_name_1": "东门桥头",
}


def asks_again_or_finds_nothing(answer: TestResponse) -> bool:
    return answer.status_code in (404, 422)


ROWS: list[Row] = [
    door(
        "PUT",
        "/api/v1/tasks/<id:task_id>/plan",
        ORGANIZER,
        fields(**PLAN),
        task_id=DRAFT,
        code=ORGANIZATION,
    ),
    door(
        "PATCH",
        "/api/v1/tasks/<id:task_id>/words",
        ORGANIZER,
        fields(summary="新"),
        task_id=TASK,
    ),
    door("GET", "/api/v1/tasks/submitted", APPROVING),
    door(
        "POST",
        "/api/v1/tasks/<id:task_id>/decision",
        APPROVING,
        fields(**APPROVED),
        task_id=SUBMITTED,
    ),
    door("POST", "/api/v1/claims/<id:claim_id>/acceptance", MEMBERS, claim_id=CLAIM),
    door("POST", "/api/v1/claims/<id:claim_id>/withdrawal", MEMBERS, claim_id=CLAIM),
    door("GET", "/organizing/<id:task_id>/edit", ORGANIZER, task_id=DRAFT),
    door(
        "POST",
        "/organizing/<id:task_id>/edit",
        ORGANIZER,
        form(**FORM),
        is_foreign=asks_again_or_finds_nothing,
        task_id=DRAFT,
        code=ORGANIZATION,
    ),
    door("GET", "/organizing/<id:task_id>/words", ORGANIZER, task_id=TASK),
    door(
        "POST",
        "/organizing/<id:task_id>/words",
        ORGANIZER,
        form(summary="新"),
        task_id=TASK,
    ),
    door("GET", "/approvals", APPROVING),
    door("GET", "/approvals/<id:task_id>", APPROVING, task_id=SUBMITTED),
    door(
        "POST",
        "/approvals/<id:task_id>/decision",
        APPROVING,
        form(decision="approve"),
        task_id=SUBMITTED,
    ),
    door("POST", "/claims/<id:claim_id>/acceptance", MEMBERS, claim_id=CLAIM),
]
