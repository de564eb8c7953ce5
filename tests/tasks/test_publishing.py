"""From a draft to what members see: risk, many places, the second person, changes."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from pointsbank.core.audit import AuditEntry
from pointsbank.messages.models import Message
from pointsbank.tasks.drafting import Details, NewRole, change_draft
from pointsbank.tasks.errors import (
    BadClaimWindow,
    BadEligibility,
    BreakTooLong,
    InsuranceMissing,
    NotADraft,
    NotOpen,
    NotSubmitted,
    OwnTask,
    RiskNoteMissing,
    RolesUnclear,
    ShiftInThePast,
    ShiftNotFound,
    TaskNotFound,
    TooManyPlaces,
    UnknownSkill,
)
from pointsbank.tasks.models import Shift, ShiftRole, Task
from pointsbank.tasks.publishing import (
    APPROVAL_PLACES,
    Changes,
    approve_task,
    change_open_task,
    publish_task,
    send_back_task,
)
from pointsbank.tasks.queries import task_of, tasks_waiting
from tests.builders import (
    COMMUNITY_CODE,
    SHANGHAI,
    a_claim,
    a_member,
    a_plan,
    a_shift,
    an_organization,
    with_role,
)
from tests.moments import NOON
from tests.racing import race, times
from tests.tasks.planning import a_drafted_task, a_plan_with_roles, an_open_task

DAY = timedelta(days=1)
MANY = APPROVAL_PLACES + 1


def publish(session, task_id, now=NOON):
    publish_task(session, task_id=task_id, actor_id=1, paths=["/"], now=now)


def state_of(session, task_id):
    return session.scalar(select(Task.state).where(Task.id == task_id))


def told(session, member_id):
    kinds = select(Message.kind).where(Message.member_id == member_id).order_by(Message.id)
    return list(session.scalars(kinds))


def a_large_task(session, organizer_id=None):
    """A submitted task, and a secretary over it."""
    plans = [a_plan(NOON + DAY, places=APPROVAL_PLACES), a_plan(NOON + 2 * DAY, places=1)]
    secretary = with_role(session, a_member(session, "赵书记"), "secretary")
    task_id = a_drafted_task(session, *plans, organizer_id=organizer_id)
    publish(session, task_id)
    return task_id, secretary


def test_fifty_places_need_nobody_else(session):
    task_id = a_drafted_task(session, a_plan(NOON + DAY, places=APPROVAL_PLACES))
    publish(session, task_id)
    assert state_of(session, task_id) == "open"


def test_more_places_in_all_wait_for_a_second_person_who_is_told(session):
    organizer = with_role(session, a_member(session, "李敏"), "organizer")
    task_id, secretary = a_large_task(session, organizer)
    publish(session, task_id)
    assert state_of(session, task_id) == "submitted"
    assert told(session, secretary) == ["task_submitted"]
    assert [task.id for task in tasks_waiting(session, ["/"])] == [task_id]
    shift_id = session.scalars(select(Shift.id).where(Shift.task_id == task_id)).first()
    with pytest.raises(ShiftNotFound):
        a_claim(session, shift_id)
    with pytest.raises(TaskNotFound):
        task_of(session, task_id)
    for _ in range(2):
        approve_task(session, task_id=task_id, actor_id=secretary, paths=["/"], now=NOON)
    assert state_of(session, task_id) == "open"
    assert told(session, organizer) == ["task_approved"]
    assert a_claim(session, shift_id).state == "claimed"
    assert tasks_waiting(session, ["/"]) == []


def test_nobody_approves_their_own_task(session):
    both = with_role(session, a_member(session), "organizer")
    with_role(session, both, "secretary")
    task_id, _ = a_large_task(session, both)
    for decide in (
        lambda: approve_task(session, task_id=task_id, actor_id=both, paths=["/"], now=NOON),
        lambda: send_back_task(
            session, task_id=task_id, actor_id=both, paths=["/"], reason="x", now=NOON
        ),
    ):
        with pytest.raises(OwnTask):
            decide()


def test_a_task_sent_back_is_a_draft_again_with_the_reason_told(session):
    organizer = with_role(session, a_member(session, "李敏"), "organizer")
    task_id, secretary = a_large_task(session, organizer)
    send_back_task(
        session, task_id=task_id, actor_id=secretary, paths=["/"], reason="太多人", now=NOON
    )
    assert state_of(session, task_id) == "draft"
    message = session.scalars(select(Message).where(Message.member_id == organizer)).one()
    assert (message.kind, message.facts["reason"]) == ("task_sent_back", "太多人")
    with pytest.raises(NotSubmitted):
        approve_task(session, task_id=task_id, actor_id=secretary, paths=["/"], now=NOON)
    publish(session, task_id, NOON + timedelta(hours=1))
    assert told(session, secretary) == ["task_submitted"] * 2


def test_another_communitys_secretary_finds_nothing(session):
    task_id, _ = a_large_task(session)
    other = an_organization(session, "140303005004", name="别处社区")
    stranger = with_role(session, a_member(session, organization_id=other), "secretary", other)
    with pytest.raises(TaskNotFound):
        approve_task(
            session, task_id=task_id, actor_id=stranger, paths=[f"/{other}/"], now=NOON
        )
    assert tasks_waiting(session, [f"/{other}/"]) == []


def test_an_approval_comes_too_late_once_a_shift_has_begun(session):
    task_id, secretary = a_large_task(session)
    with pytest.raises(ShiftInThePast):
        approve_task(session, task_id=task_id, actor_id=secretary, paths=["/"], now=NOON + DAY)


def test_of_two_decisions_one_stands(app, writing):
    with writing() as session:
        task_id, secretary = a_large_task(session)

    def send_back():
        with writing() as session:
            send_back_task(
                session, task_id=task_id, actor_id=secretary, paths=["/"], reason="x", now=NOON
            )

    answers = race(app, times(4, send_back))
    assert sum(answer is None for answer in answers) == 1
    assert all(isinstance(each, NotSubmitted) for each in answers if each is not None)


@pytest.mark.parametrize(
    ("column", "value", "name"),
    [
        ("state", "open", "approved"),
        ("approved_by_id", None, "second_person"),
    ],
)
def test_the_table_itself_demands_the_second_person(writing, column, value, name):
    with writing() as session:
        task_id, _ = a_large_task(session)
        organizer = session.scalar(select(Task.organizer_id).where(Task.id == task_id))
    wrong = {column: organizer if value is None else value}
    with pytest.raises(Exception, match=f"ck_task_{name}"), writing() as session:
        session.execute(update(Task).where(Task.id == task_id).values(**wrong))


def test_work_of_high_risk_is_insured_and_says_what_to_mind(writing):
    with writing() as session:
        plan = a_plan(NOON + DAY, places=3)
        bare = a_drafted_task(session, plan, details=Details(risk_level="high"))
        silent = a_drafted_task(
            session,
            a_plan(NOON + DAY, places=3),
            details=Details(risk_level="medium"),
            risk_note="",
        )
        insured = a_drafted_task(
            session,
            a_plan(NOON + DAY, places=3),
            details=Details(risk_level="high", insurance_ref="PICC-2026-0017"),
        )
    for task_id, refusal in ((bare, InsuranceMissing), (silent, RiskNoteMissing)):
        with pytest.raises(refusal), writing() as session:
            publish(session, task_id)
    with writing() as session:
        publish(session, insured)
    with pytest.raises(Exception, match="ck_task_insured"), writing() as session:
        session.execute(update(Task).where(Task.id == bare).values(state="open"))


@pytest.mark.parametrize(
    ("kind", "starts", "ends", "may"),
    [
        ("activity", timedelta(seconds=1), DAY, True),
        ("activity", timedelta(), timedelta(hours=2), False),
        ("mobilization", -timedelta(hours=1), timedelta(hours=1), True),
        ("mobilization", -timedelta(hours=2), timedelta(), False),
    ],
)
def test_what_has_begun_is_published_for_a_mobilization_only(session, kind, starts, ends, may):
    plan = a_plan(NOON + starts, int((ends - starts).total_seconds() // 60), 3)
    task_id = a_drafted_task(session, plan, kind=kind)
    if may:
        publish(session, task_id)
        assert state_of(session, task_id) == "open"
        return
    with pytest.raises(ShiftInThePast):
        publish(session, task_id)


def plan_with(**changes):
    roles = changes.pop("roles", (NewRole("", 3),))
    plan = a_plan_with_roles(*roles)
    return type(plan)(**{**vars(plan), **changes})


@pytest.mark.parametrize(
    ("plan", "details", "refusal"),
    [
        ({"roles": (NewRole("司机", 1), NewRole("司机", 1))}, {}, RolesUnclear),
        ({"roles": (NewRole("司机", 1), NewRole("", 1))}, {}, RolesUnclear),
        ({"roles": (NewRole("司机", 2000), NewRole("保洁", 1))}, {}, TooManyPlaces),
        ({"roles": (NewRole("司机", 1, {"rule": "magic"}),)}, {}, BadEligibility),
        ({"break_minutes": 150}, {}, BreakTooLong),
        ({}, {"eligibility": {"rule": "skill", "code": "flying"}}, BadEligibility),
        ({}, {"skills": ("flying",)}, UnknownSkill),
        ({}, {"claims_open_at": NOON, "claims_close_at": NOON}, BadClaimWindow),
    ],
)
def test_a_plan_that_cannot_be_is_refused(session, plan, details, refusal):
    with pytest.raises(refusal):
        a_drafted_task(session, plan_with(**plan), details=Details(**details))


def change(session, task_id, *shifts, details=None, title="社区夜巡"):
    change_draft(
        session,
        task_id=task_id,
        title=title,
        kind="patrol",
        organization_code=COMMUNITY_CODE,
        scoring_item="volunteer_hour",
        summary="",
        risk_note="",
        shifts=shifts,
        actor_id=1,
        paths=["/"],
        zone=SHANGHAI,
        now=NOON,
        details=details or Details(),
    )


def test_a_draft_is_changed_as_a_whole(session):
    details = Details(skills=("first_aid",), contact_phone="13912345678")
    first = a_plan(NOON + DAY)
    task_id = a_drafted_task(session, first, a_plan(NOON + 2 * DAY), details=details)
    kept = session.scalars(select(Shift.id).where(Shift.task_id == task_id)).first()
    roles = (NewRole("司机", 2), NewRole("保洁", 6))
    for _ in range(2):
        new = Details(skills=("driving",), risk_level="high", insurance_ref="P1")
        change(session, task_id, a_plan_with_roles(*roles), details=new)
    task = task_of(session, task_id, ["/"])
    assert (task.title, task.kind, task.skills) == ("社区夜巡", "patrol", ("driving",))
    assert (task.risk_level, task.insurance_ref, task.contact_phone) == ("high", "P1", None)
    (shift,) = task.shifts
    assert (shift.id, shift.handle, shift.places) == (kept, first.handle, 8)
    assert [(role.name, role.places) for role in shift.roles] == [("司机", 2), ("保洁", 6)]
    assert session.scalars(select(ShiftRole.shift_id)).all() == [kept, kept]


def test_only_a_draft_is_changed_as_a_whole(session):
    task_id = an_open_task(session, NOON + DAY)
    with pytest.raises(NotADraft):
        change(session, task_id, a_plan(NOON + DAY))


def test_an_open_task_changes_its_words_and_nobody_loses_a_place(session):
    shift_id, member_id = a_shift(session, NOON + DAY), a_member(session)
    claim = a_claim(session, shift_id, member_id)
    task_id = session.get_one(Shift, shift_id).task_id
    changes = Changes(
        summary="带手套", contact_phone="0353-1234567", place_names={shift_id: "西门"}
    )
    for _ in range(2):
        change_open_task(
            session, task_id=task_id, changes=changes, actor_id=1, paths=["/"], now=NOON
        )
    task = task_of(session, task_id)
    assert (task.summary, task.contact_phone) == ("带手套", "0353-1234567")
    assert task.shifts[0].place_name == "西门"
    assert a_claim(session, shift_id, member_id).id == claim.id
    assert told(session, member_id) == ["shift_moved"]
    (entry,) = session.scalars(
        select(AuditEntry).where(AuditEntry.action == "open_task_changed")
    )
    assert entry.facts == {"fields": ["contact_phone", "summary"], "moved_shifts": [shift_id]}


def test_a_draft_or_a_foreign_shift_is_not_changed_as_an_open_task(session):
    draft = a_drafted_task(session, a_plan(NOON + DAY))
    with pytest.raises(NotOpen):
        change_open_task(
            session, task_id=draft, changes=Changes(), actor_id=1, paths=["/"], now=NOON
        )
    task_id, other = an_open_task(session, NOON + DAY), a_shift(session)
    with pytest.raises(ShiftNotFound):
        change_open_task(
            session,
            task_id=task_id,
            changes=Changes(place_names={other: "西门"}),
            actor_id=1,
            paths=["/"],
            now=NOON,
        )
