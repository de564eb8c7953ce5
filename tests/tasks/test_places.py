"""Roles with their own places and lines, moving up and accepting, giving up, calling off."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from pointsbank.jobs.table import JOBS
from pointsbank.members.models import Member
from pointsbank.messages.models import Message
from pointsbank.tasks.claiming import (
    accept_place,
    claim_shift,
    give_up_claim,
    lapse_places,
    offer_ends,
)
from pointsbank.tasks.drafting import Details, NewRole
from pointsbank.tasks.errors import (
    ClaimNotFound,
    ClaimsClosed,
    ClaimsNotOpenYet,
    NotEligible,
    NotOpen,
    OfferLapsed,
    RoleNotFound,
)
from pointsbank.tasks.models import Claim, Shift, ShiftRole
from pointsbank.tasks.publishing import call_off_shift, call_off_task
from tests.builders import SHANGHAI, a_claim, a_member, a_shift
from tests.moments import NOON
from tests.tasks.planning import a_shift_with_roles, an_open_task, roles_of

DAY = timedelta(days=1)
TWO_DRIVERS = (NewRole("司机", 1), NewRole("保洁", 2))


def claim(session, shift_id, member_id=None, now=NOON, **more):
    """Claim for a member, a new one unless given."""
    who = member_id if member_id is not None else a_member(session)
    return claim_shift(session, shift_id=shift_id, member_id=who, now=now, **more)


def told(session, member_id):
    kinds = select(Message.kind).where(Message.member_id == member_id).order_by(Message.id)
    return list(session.scalars(kinds))


def counts(session, shift_id):
    """Return what the shift counts, and what each of its roles does."""
    roles = select(ShiftRole.claimed).where(ShiftRole.shift_id == shift_id)
    return (
        session.scalar(select(Shift.claimed).where(Shift.id == shift_id)),
        list(session.scalars(roles.order_by(ShiftRole.id))),
    )


def row(session, claim_id):
    return session.execute(select(Claim.__table__).where(Claim.id == claim_id)).one()


def test_the_places_of_a_shift_are_the_sum_of_its_roles(session):
    shift_id = a_shift_with_roles(session, *TWO_DRIVERS)
    assert session.get_one(Shift, shift_id).places == 3
    plain = a_shift(session, places=7)
    assert [(role.name, role.places) for role in roles_of(session, plain)] == [("", 7)]


def test_each_role_has_places_and_a_line_of_its_own(session):
    shift_id = a_shift_with_roles(session, *TWO_DRIVERS)
    driver, cleaner = (role.id for role in roles_of(session, shift_id))
    first = claim(session, shift_id, role_id=driver)
    second = claim(session, shift_id, role_id=driver)
    third = claim(session, shift_id, role_id=cleaner)
    fourth = claim(session, shift_id, role_id=driver)
    assert [each.state for each in (first, second, third, fourth)] == [
        "claimed",
        "waitlisted",
        "claimed",
        "waitlisted",
    ]
    assert (second.position, fourth.position) == (1, 2)
    assert counts(session, shift_id) == (2, [1, 1])


def test_without_a_wish_the_first_role_with_a_place_is_claimed(session):
    shift_id = a_shift_with_roles(session, *TWO_DRIVERS)
    driver, cleaner = (role.id for role in roles_of(session, shift_id))
    claims = [claim(session, shift_id) for _ in range(4)]
    assert [each.role_id for each in claims] == [driver, cleaner, cleaner, driver]
    assert [each.state for each in claims] == ["claimed"] * 3 + ["waitlisted"]


def test_a_role_of_another_shift_is_none(session):
    shift_id = a_shift_with_roles(session, *TWO_DRIVERS)
    other = roles_of(session, a_shift(session))[0].id
    with pytest.raises(RoleNotFound):
        claim(session, shift_id, role_id=other)


def test_a_role_asks_beside_what_the_task_asks(session):
    party = {"rule": "kind", "in": ["party_member"]}
    shift_id = a_shift_with_roles(
        session, NewRole("党员先锋", 1, party), NewRole("保洁", 1), places_at=NOON + DAY
    )
    leading, cleaning = (role.id for role in roles_of(session, shift_id))
    volunteer = a_member(session)
    with pytest.raises(NotEligible) as refused:
        claim(session, shift_id, volunteer, role_id=leading)
    assert refused.value.facts["missing"] == [party]
    assert claim(session, shift_id, volunteer).role_id == cleaning
    waiting = claim(session, shift_id)
    assert (waiting.role_id, waiting.state) == (cleaning, "waitlisted")
    member = a_member(session, kind="party_member")
    assert claim(session, shift_id, member).role_id == leading


def test_who_fits_no_role_hears_the_easiest_way(session):
    kind = {"rule": "kind", "in": ["party_member"]}
    skill = {"rule": "skill", "code": "driving"}
    shift_id = a_shift_with_roles(session, NewRole("领队", 1, kind), NewRole("司机", 1, skill))
    with pytest.raises(NotEligible) as refused:
        claim(session, shift_id)
    assert refused.value.facts["missing"] == [skill]


def test_the_lead_lets_a_walk_in_take_part_all_the_same(session):
    details = Details(eligibility={"rule": "age", "min": 18})
    shift_id = a_shift_with_roles(session, NewRole("", 2), details=details)
    with pytest.raises(NotEligible):
        claim(session, shift_id, source="walk_in")
    held = claim(session, shift_id, source="walk_in", is_lead_present=True)
    assert (held.state, held.is_eligible) == ("claimed", False)


def test_an_age_counts_on_the_local_day_of_the_shift(session):
    details = Details(eligibility={"rule": "age", "min": 18})
    # 07:30 on the birthday here is still the day before in UTC.
    starts_at = NOON + timedelta(hours=19, minutes=30)
    shift_id = a_shift_with_roles(session, NewRole("", 2), details=details, places_at=starts_at)
    young, grown = a_member(session), a_member(session)
    for member_id, day in ((young, 23), (grown, 22)):
        session.execute(
            update(Member).where(Member.id == member_id).values(born_on=date(2008, 11, day))
        )
    assert claim(session, shift_id, grown).state == "claimed"
    with pytest.raises(NotEligible):
        claim(session, shift_id, young)


def test_claims_open_and_close_and_the_door_passes_both(session):
    window = Details(claims_open_at=NOON + DAY, claims_close_at=NOON + 2 * DAY)
    shift_id = a_shift_with_roles(
        session, NewRole("", 5), details=window, places_at=NOON + 3 * DAY
    )
    with pytest.raises(ClaimsNotOpenYet):
        claim(session, shift_id, now=NOON + DAY - timedelta(seconds=1))
    assert claim(session, shift_id, now=NOON + DAY).state == "claimed"
    with pytest.raises(ClaimsClosed):
        claim(session, shift_id, now=NOON + 2 * DAY)
    assert claim(session, shift_id, source="walk_in").state == "claimed"


def test_other_claims_at_the_same_time_are_told_and_no_refusal(session):
    member_id = a_member(session)
    starts_at = NOON + DAY
    evening = a_shift(session, starts_at + timedelta(minutes=149), title="社区夜巡")
    after = a_shift(session, starts_at + timedelta(minutes=150), title="楼道清扫")
    shift_id = a_shift(session, starts_at)
    claim(session, evening, member_id)
    claim(session, after, member_id)
    held = claim(session, shift_id, member_id)
    assert held.state == "claimed"
    assert [each.title for each in held.overlaps] == ["社区夜巡"]
    give_up_claim(
        session, claim_id=claim(session, evening, member_id).id, member_id=member_id, now=NOON
    )
    assert claim(session, shift_id, member_id).overlaps == ()


@pytest.mark.parametrize(
    ("ahead", "lasts"),
    [
        (timedelta(days=3), timedelta(hours=12)),
        (timedelta(hours=14), timedelta(hours=12)),
        (timedelta(hours=13), timedelta(hours=11)),
        (timedelta(hours=3, seconds=1), timedelta(hours=1, seconds=1)),
        (timedelta(hours=3), None),
        (timedelta(minutes=5), None),
    ],
)
def test_who_moves_up_has_half_a_day_but_answers_two_hours_before(ahead, lasts):
    assert offer_ends(NOON + ahead, NOON) == (None if lasts is None else NOON + lasts)


def one_who_moved_up(session, starts_at=NOON + 2 * DAY):
    """Return a full shift, who moved up on it, their claim, and who is next in line."""
    shift_id = a_shift(session, starts_at, places=1)
    leaving, moving, waiting = (a_member(session) for _ in range(3))
    held = [claim(session, shift_id, each) for each in (leaving, moving, waiting)]
    give_up_claim(session, claim_id=held[0].id, member_id=leaving, now=NOON)
    return shift_id, moving, held[1].id, waiting


def test_who_moves_up_is_told_and_keeps_the_place_by_saying_so(session):
    shift_id, moving, claim_id, _ = one_who_moved_up(session)
    assert row(session, claim_id).accept_by == NOON + timedelta(hours=12)
    assert told(session, moving) == ["place_offered"]
    for _ in range(2):
        accept_place(
            session, claim_id=claim_id, member_id=moving, now=NOON + timedelta(hours=1)
        )
    assert lapse_places(session, now=NOON + DAY, limit=10) == 0
    assert row(session, claim_id).state == "claimed"
    assert counts(session, shift_id) == (1, [1])


def test_a_place_nobody_accepts_goes_to_the_next_in_line(session):
    shift_id, moving, claim_id, waiting = one_who_moved_up(session)
    late = NOON + timedelta(hours=12)
    assert lapse_places(session, now=late - timedelta(seconds=1), limit=10) == 0
    assert lapse_places(session, now=late, limit=10) == 1
    lapsed = row(session, claim_id)
    assert (lapsed.state, lapsed.withdrawal) == ("withdrawn", "offer_lapsed")
    assert lapsed.told_in_time is None
    assert told(session, moving) == ["place_offered", "place_lapsed"]
    assert told(session, waiting) == ["place_offered"]
    assert claim(session, shift_id, waiting).state == "claimed"
    assert counts(session, shift_id) == (1, [1])
    with pytest.raises(OfferLapsed):
        accept_place(session, claim_id=claim_id, member_id=moving, now=late)
    assert lapse_places(session, now=late, limit=10) == 0


def test_a_job_hands_places_on_in_batches(session, monkeypatch):
    monkeypatch.setattr("pointsbank.jobs.minutes.PLACES_BATCH", 2)
    for _ in range(3):
        one_who_moved_up(session)
    late, job = NOON + timedelta(hours=12), JOBS["places"]
    steps = [job.work(session, job.due(late, SHANGHAI)[0].period, SHANGHAI, late)]
    while not steps[-1].is_last:
        steps.append(job.work(session, "", SHANGHAI, late))
    assert [step.count for step in steps] == [2, 1]


def test_a_late_answer_counts_as_long_as_nobody_else_got_the_place(session):
    _, moving, claim_id, _ = one_who_moved_up(session)
    accept_place(session, claim_id=claim_id, member_id=moving, now=NOON + DAY)
    assert lapse_places(session, now=NOON + DAY, limit=10) == 0


def test_a_job_that_slept_takes_no_place_from_a_shift_that_has_begun(session):
    starts_at = NOON + timedelta(hours=5)
    shift_id, _, claim_id, _ = one_who_moved_up(session, starts_at)
    assert lapse_places(session, now=starts_at, limit=10) == 1
    assert row(session, claim_id).state == "claimed"
    assert lapse_places(session, now=starts_at, limit=10) == 0
    assert counts(session, shift_id) == (1, [1])


def test_shortly_before_the_start_nobody_is_asked(session):
    _, moving, claim_id, _ = one_who_moved_up(session, NOON + timedelta(hours=3))
    assert row(session, claim_id).accept_by is None
    assert told(session, moving) == ["place_yours"]


def test_nobody_accepts_for_another(session):
    _, _, claim_id, waiting = one_who_moved_up(session)
    with pytest.raises(ClaimNotFound):
        accept_place(session, claim_id=claim_id, member_id=waiting, now=NOON)


@pytest.mark.parametrize(
    ("claimed_before", "given_up_before", "in_time"),
    [
        (timedelta(days=5), timedelta(hours=24), True),
        (timedelta(days=5), timedelta(hours=23, minutes=59), False),
        (timedelta(hours=3), timedelta(hours=2), True),
        (timedelta(hours=3), timedelta(hours=1, minutes=59), False),
        (timedelta(hours=3), timedelta(minutes=-1), False),
    ],
)
def test_told_in_time_is_a_day_before_or_within_an_hour(
    session, claimed_before, given_up_before, in_time
):
    starts_at = NOON + 6 * DAY
    shift_id, member_id = a_shift(session, starts_at), a_member(session)
    held = claim(session, shift_id, member_id, starts_at - claimed_before)
    give_up_claim(
        session,
        claim_id=held.id,
        member_id=member_id,
        now=starts_at - given_up_before,
        reason="临时有事",
    )
    given_up = row(session, held.id)
    assert given_up.told_in_time is in_time
    assert (given_up.withdrawal, given_up.withdrawn_reason) == ("gave_up", "临时有事")


def test_who_only_waits_or_was_only_offered_is_always_in_time(session):
    starts_at = NOON + timedelta(hours=20)
    _, moving, claim_id, waiting = one_who_moved_up(session, starts_at)
    at = NOON + timedelta(hours=4)
    give_up_claim(session, claim_id=claim_id, member_id=moving, now=at)
    assert row(session, claim_id).told_in_time is True
    mine = session.scalar(
        select(Claim.id).where(Claim.member_id == waiting, Claim.state == "claimed")
    )
    accept_place(session, claim_id=mine, member_id=waiting, now=at)
    give_up_claim(
        session, claim_id=mine, member_id=waiting, now=at + timedelta(hours=1, seconds=1)
    )
    assert row(session, mine).told_in_time is False


def test_called_off_work_gives_everybody_their_time_back(session):
    shift_id = a_shift(session, NOON + DAY, places=1)
    members = [a_member(session) for _ in range(2)]
    held = [claim(session, shift_id, each) for each in members]
    task_id = session.get_one(Shift, shift_id).task_id
    for _ in range(2):
        call_off_task(
            session, task_id=task_id, actor_id=1, paths=["/"], reason="大雨", now=NOON
        )
    rows = [row(session, each.id) for each in held]
    assert [each.withdrawal for each in rows] == ["task_called_off"] * 2
    assert [each.told_in_time for each in rows] == [None, None]
    assert [told(session, each) for each in members] == [["shift_called_off"]] * 2
    assert counts(session, shift_id) == (0, [0])


def test_what_is_over_stays_when_the_rest_is_called_off(session):
    task_id = an_open_task(session, NOON + DAY, NOON + 3 * DAY)
    early, late = session.scalars(
        select(Shift.id).where(Shift.task_id == task_id).order_by(Shift.starts_at)
    )
    member_id = a_member(session)
    done, to_come = claim(session, early, member_id), claim(session, late, member_id)
    call_off_task(
        session, task_id=task_id, actor_id=1, paths=["/"], reason="大雨", now=NOON + 2 * DAY
    )
    assert row(session, done.id).state == "claimed"
    assert row(session, to_come.id).state == "withdrawn"


def test_one_shift_is_called_off_while_the_task_goes_on(session):
    task_id = an_open_task(session, NOON + DAY, NOON + 3 * DAY)
    early, late = session.scalars(
        select(Shift.id).where(Shift.task_id == task_id).order_by(Shift.starts_at)
    )
    held = a_claim(session, early)
    for _ in range(2):
        call_off_shift(
            session, shift_id=early, actor_id=1, paths=["/"], reason="大雨", now=NOON
        )
    assert row(session, held.id).withdrawal == "task_called_off"
    with pytest.raises(NotOpen):
        claim(session, early)
    assert claim(session, late).state == "claimed"
