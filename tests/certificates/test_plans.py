"""Plans of organizations: filed, delivered, rated, reviewed, shown, awarded, in bands."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from pointsbank.certificates.models import OrganizationStarPlan, PlanItem
from pointsbank.certificates.noticing import draft_plans_notice, take_plan_out
from pointsbank.certificates.planning import (
    NewItem,
    change_plan,
    deliver_item,
    file_plan,
    withdraw_plan,
)
from pointsbank.certificates.plans_errors import (
    BadPlanYear,
    DueOutsideYear,
    ItemNotDelivered,
    MarksMissing,
    MarksNotWhole,
    MarksTooHigh,
    OwnerElsewhere,
    PlanBegun,
    PlanFiled,
    PlanItemNotFound,
    PlanMoved,
    PlanNotFound,
    ReviewFromAbove,
    ShownFromAbove,
)
from pointsbank.certificates.plans_queries import (
    delivered_bands,
    delivered_score,
    items_of,
    plan_of,
    plans_seen_by,
    starred,
    starred_years,
)
from pointsbank.certificates.queries import levels_on
from pointsbank.certificates.rating import self_rate
from pointsbank.certificates.urging import tell_of_overdue_items
from pointsbank.messages.queries import inbox
from pointsbank.notices.models import Notice, NoticeLine
from pointsbank.organizations.errors import OrganizationNotFound
from tests.builders import TODAY, a_branch, a_member, with_role
from tests.certificates.planned import (
    a_plan_of,
    delivered,
    plan_state,
    plans_noticed,
    reviewed,
    two_items,
    whole,
)
from tests.certificates.starring import a_home, administrator_of, ended, secretary_of, settled
from tests.moments import NOON
from tests.scoring.hands import actor_of


@pytest.fixture
def home(session):
    return a_home(session)


@pytest.fixture
def owner_id(session, home):
    return a_member(session, "吴海燕", home.branch_id)


def filed(session, home, items, **more):
    return file_plan(
        session,
        actor=more.get("actor") or secretary_of(session, home),
        organization_id=more.get("organization_id", home.branch_id),
        year=more.get("year", 2026),
        items=items,
        today=TODAY,
        now=NOON,
    )


def rated(session, home, plan_id, *marks):
    given = dict(enumerate(marks, 1))
    actor = secretary_of(session, home)
    return self_rate(session, actor=actor, plan_id=plan_id, marks=given, now=NOON)


def test_a_filed_plan_has_its_items_in_order_and_tells_their_owners(session, home, owner_id):
    plan_id = filed(session, home, two_items(owner_id))
    plan = plan_of(session, plan_id, secretary_of(session, home))
    assert (plan.state, plan.items, plan.items_delivered, plan.delivered) == ("filed", 2, 0, 0)
    assert [(each.no, each.marks, each.owner_name) for each in items_of(session, plan_id)] == [
        (1, 60, "吴*燕"),
        (2, 40, "吴*燕"),
    ]
    assert inbox(session, owner_id)[0].kind == "plan_item_yours"


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"marks": 61}, MarksNotWhole),
        ({"marks": 59}, MarksNotWhole),
        ({"due_on": date(2027, 1, 1)}, DueOutsideYear),
        ({"owner_id": "outside"}, OwnerElsewhere),
    ],
)
def test_a_plan_is_whole_within_its_year_and_its_people(
    session, home, owner_id, changes, refusal
):
    first, second = two_items(owner_id)
    outside = a_member(session, "外人", a_branch(session, "B2", home.community_id))
    values = {name: outside if value == "outside" else value for name, value in changes.items()}
    with pytest.raises(refusal):
        filed(session, home, [NewItem(**{**vars(first), **values}), second])
    assert filed(session, home, [first, second])


def test_one_plan_a_year_by_its_own_secretary(session, home, owner_id):
    for year in (2025, 2028):
        with pytest.raises(BadPlanYear):
            filed(session, home, two_items(owner_id), year=year)
    with pytest.raises(OrganizationNotFound):
        filed(session, home, two_items(owner_id), actor=administrator_of(session, home))
    plan_id = filed(session, home, two_items(owner_id))
    with pytest.raises(PlanFiled):
        filed(session, home, two_items(owner_id))
    for _ in range(2):
        withdraw_plan(session, actor=secretary_of(session, home), plan_id=plan_id, now=NOON)
    assert plan_state(session, plan_id) == "withdrawn"
    assert filed(session, home, two_items(owner_id))


def test_a_plan_is_changed_until_something_is_delivered(session, home, owner_id):
    plan_id = filed(session, home, two_items(owner_id))
    actor = secretary_of(session, home)
    one = [NewItem("全年一件事", "", owner_id, date(2026, 12, 1), 100)]
    change_plan(session, actor=actor, plan_id=plan_id, items=one, now=NOON)
    assert [each.task for each in items_of(session, plan_id)] == ["全年一件事"]
    delivered(session, plan_id, actor, 1)
    with pytest.raises(PlanBegun):
        change_plan(session, actor=actor, plan_id=plan_id, items=one, now=NOON)


def test_the_owner_or_the_secretary_delivers_and_may_mend_the_evidence(session, home, owner_id):
    plan_id = filed(session, home, two_items(owner_id))
    delivered(session, plan_id, actor_of(session, owner_id), 1)
    deliver_item(
        session,
        actor=secretary_of(session, home),
        plan_id=plan_id,
        no=1,
        evidence="会议记录第 3 本",
        today=TODAY + timedelta(days=9),
        now=NOON,
    )
    session.expire_all()
    item = items_of(session, plan_id)[0]
    assert (item.delivered_on, item.evidence) == (TODAY, "会议记录第 3 本")
    with pytest.raises(PlanItemNotFound):
        delivered(session, plan_id, actor_of(session, owner_id), 3)
    auditor = with_role(session, a_member(session), "auditor", home.community_id)
    for other in (auditor, a_member(session, "外人")):
        with pytest.raises(PlanNotFound):
            delivered(session, plan_id, actor_of(session, other), 2)


def test_only_what_is_delivered_counts_and_never_above_its_marks(session, home, owner_id):
    plan_id = filed(session, home, two_items(owner_id))
    delivered(session, plan_id, secretary_of(session, home), 1)
    for marks, refusal in (
        ((60,), MarksMissing),
        ((60, 0, 0), MarksMissing),
        ((61, 0), MarksTooHigh),
        ((60, 1), ItemNotDelivered),
    ):
        with pytest.raises(refusal):
            rated(session, home, plan_id, *marks)
    assert rated(session, home, plan_id, 55, 0) == 55
    assert plan_state(session, plan_id) == "self_rated"
    with pytest.raises(PlanMoved):
        delivered(session, plan_id, secretary_of(session, home), 2)
    with pytest.raises(PlanMoved):
        rated(session, home, plan_id, 60, 0)
    assert inbox(session, home.administrator_id)[0].kind == "plan_self_rated"


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("delivered", {"self_marks": 1}),
        ("delivered", {"reviewed_marks": 1}),
        ("self", {"delivered_on": TODAY, "evidence": "x", "self_marks": 61}),
        ("reviewed", {"delivered_on": TODAY, "evidence": "x", "reviewed_marks": 61}),
        ("evidence", {"delivered_on": TODAY}),
    ],
)
def test_the_database_counts_only_what_is_delivered(writing, constraint, values):
    with writing() as session:
        home = a_home(session)
        plan_id = a_plan_of(session, home.branch_id, delivers=False)
    if "evidence" in values:
        values = {**values, "delivered_by_id": home.secretary_id}
    with pytest.raises(IntegrityError, match=f"ck_plan_item_{constraint}"):
        with writing() as session:
            session.execute(
                update(PlanItem)
                .where(PlanItem.plan_id == plan_id, PlanItem.no == 1)
                .values(**values)
            )


@pytest.mark.parametrize(
    ("marks", "stars", "state"),
    [((59, 0), 0, "refused"), ((60, 0), 1, "reviewed"), ((60, 36), 5, "reviewed")],
)
def test_a_review_from_above_comes_to_stars(session, home, marks, stars, state):
    plan_id = a_plan_of(session, home.branch_id, state="self_rated", marks=(60, 40))
    assert reviewed(session, plan_id, administrator_of(session, home), marks) == stars
    plan = plan_of(session, plan_id, administrator_of(session, home))
    assert (plan.state, plan.stars, plan.reviewed_marks) == (state, stars, sum(marks))
    assert plan.review == "材料齐全"


def test_nobody_reviews_from_the_same_height_or_what_they_filed(session, home):
    plan_id = a_plan_of(session, home.branch_id, state="self_rated")
    beside = a_member(session, "同级", home.branch_id)
    with_role(session, beside, "administrator", home.branch_id)
    filer = session.get_one(OrganizationStarPlan, plan_id).filed_by_id
    with_role(session, filer, "administrator", home.district_id)
    for who in (beside, filer):
        with pytest.raises(ReviewFromAbove):
            reviewed(session, plan_id, actor_of(session, who), (60, 0))
    assert reviewed(session, plan_id, administrator_of(session, home), (60, 0)) == 1
    with pytest.raises(PlanMoved):
        reviewed(session, plan_id, whole(session), (50, 0))


def test_a_locked_notice_awards_its_organizations_for_everyone_to_see(session, home):
    other = a_branch(session, "B2", home.community_id, "第二党支部")
    ids = [
        a_plan_of(session, home.branch_id, state="reviewed"),
        a_plan_of(session, other, state="reviewed", marks=(60, 40)),
    ]
    notice_id = plans_noticed(session, home.community_id, ids)
    notice = session.get_one(Notice, notice_id)
    assert (notice.kind, notice.subject) == (
        "organization_star",
        f"organization_star:2026:{home.community_id}",
    )
    facts = session.scalars(select(NoticeLine.facts).order_by(NoticeLine.no)).all()
    assert facts == [{"stars": 1, "marks": 60}, {"stars": 5, "marks": 100}]
    assert (starred(session, 2026), starred_years(session)) == ([], [])
    ended(session, notice_id)
    assert settled(session) == 2
    assert [(each.name, each.stars) for each in starred(session, 2026)] == [
        ("第二党支部", 5),
        ("第一党支部", 1),
    ]
    assert starred_years(session) == [2026]
    assert settled(session) == 0


def test_nobody_shows_their_own_organization_to_its_own_committee(session, home):
    """Its own secretary would review the notice, and answer what is said against it."""
    beside = a_member(session, "同级", home.branch_id)
    with_role(session, beside, "administrator", home.branch_id)
    plan_id = a_plan_of(session, home.branch_id, state="reviewed")
    for actor in (actor_of(session, beside), whole(session)):
        with pytest.raises(ShownFromAbove):
            draft_plans_notice(
                session,
                actor=actor,
                organization_id=home.branch_id,
                plan_ids=[plan_id],
                now=NOON,
            )
    assert plan_state(session, plan_id) == "reviewed"
    # Nothing is above the top of the tree.
    top_id = a_plan_of(session, home.district_id, state="reviewed")
    assert plans_noticed(session, home.district_id, [top_id, plan_id])


def test_a_plan_taken_out_has_no_stars_and_the_others_are_shown_again(session, home):
    other = a_branch(session, "B2", home.community_id, "第二党支部")
    ids = [a_plan_of(session, each, state="reviewed") for each in (home.branch_id, other)]
    notice_id = plans_noticed(session, home.community_id, ids)
    given = {"notice_id": notice_id, "by_id": home.administrator_id, "now": NOON}
    new_id = take_plan_out(session, plan_ids=ids[:1], reason="材料不实", **given)
    assert [plan_state(session, each) for each in ids] == ["refused", "noticed"]
    ended(session, new_id)
    settled(session)
    assert [each.name for each in starred(session, 2026)] == ["第二党支部"]


def test_a_withdrawn_notice_lets_reviewed_plans_wait_for_another(session, home):
    plan_id = a_plan_of(session, home.branch_id, state="reviewed")
    ended(session, plans_noticed(session, home.community_id, [plan_id]), "withdrawn")
    assert settled(session) == 1
    assert plan_state(session, plan_id) == "reviewed"


def test_what_is_delivered_is_the_organizations_score(session, home, owner_id):
    assert delivered_score(session, home.branch_id, 2026) == 0
    plan_id = a_plan_of(session, home.branch_id, state="self_rated")
    assert delivered_score(session, home.branch_id, 2026) == 60
    reviewed(session, plan_id, whole(session), (45, 0))
    session.expire_all()
    assert delivered_score(session, home.branch_id, 2026) == 45
    assert delivered_score(session, home.branch_id, 2025) == 0


def test_bands_name_by_name_and_only_count_who_is_below(session, home):
    for code, name, marks in (
        ("B2", "乙", (60, 40)),
        ("B3", "甲", (60, 40)),
        ("B4", "丙", (10, 0)),
    ):
        branch = a_branch(session, code, home.community_id, name)
        plan_id = a_plan_of(session, branch, state="self_rated", marks=marks)
        reviewed(session, plan_id, whole(session), marks)
    session.expire_all()
    levels = levels_on(session, "organization", TODAY)
    bands, below = delivered_bands(session, ["/"], 2026, levels)
    assert [(each.stars, each.least, each.most) for each in bands] == [
        (5, 96, 100),
        (4, 90, 95),
        (3, 80, 89),
        (2, 70, 79),
        (1, 60, 69),
    ]
    assert (sorted(["甲", "乙"]), below) == (list(bands[0].names), 1)
    assert delivered_bands(session, ["/999/"], 2026, levels)[1] == 0


def test_overdue_items_are_told_to_owner_and_secretary_once(session, home, owner_id):
    plan_id = filed(session, home, two_items(owner_id))

    def told(day):
        return tell_of_overdue_items(session, today=day, now=NOON, limit=500)

    assert told(date(2026, 11, 10)) == 0
    assert told(date(2026, 11, 11)) == 1
    assert told(date(2026, 11, 12)) == 0
    line = inbox(session, owner_id)[0]
    assert (line.kind, line.facts["task"]) == ("plan_item_overdue", "楼道清理")
    assert inbox(session, home.secretary_id)[0].kind == "plan_item_overdue_below"
    delivered(session, plan_id, secretary_of(session, home), 2)
    assert told(date(2026, 12, 25)) == 0


def test_a_plan_is_read_within_its_scope_and_by_its_owners(session, home, owner_id):
    plan_id = filed(session, home, two_items(owner_id))
    readers = [home.secretary_id, home.administrator_id, owner_id]
    for reader in readers:
        found = plans_seen_by(session, actor_of(session, reader))
        assert [each.id for each in found] == [plan_id]
    stranger = actor_of(session, a_member(session, "外人", home.branch_id))
    assert plans_seen_by(session, stranger) == []
    with pytest.raises(PlanNotFound):
        plan_of(session, plan_id, stranger)
