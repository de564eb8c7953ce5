"""Adjustments by hand: who asks, who decides, how much, how long, and what comes of it."""

from datetime import date, timedelta

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from pointsbank.core.audit import AuditEntry
from pointsbank.core.calendar import read_period
from pointsbank.ledger.budgets import set_budget
from pointsbank.ledger.errors import BudgetSpent, NotEnoughPoints
from pointsbank.ledger.models import Transfer
from pointsbank.ledger.queries import book_lines
from pointsbank.ledger.service import open_account
from pointsbank.ledger.verifying import offenders
from pointsbank.members.errors import MemberNotFound
from pointsbank.messages.models import Message
from pointsbank.messages.queries import inbox
from pointsbank.rankings.models import MemberStanding
from pointsbank.rankings.rolling_up import roll_up
from pointsbank.scoring.adjustments import adjusted_lines, adjustment_of, adjustments_within
from pointsbank.scoring.errors import (
    AdjustmentDecided,
    AdjustmentForOneself,
    AdjustmentLapsed,
    AdjustmentMonthFull,
    AdjustmentNotFound,
    BadOccurredOn,
    DayAlreadyFull,
    NotEnoughMinutes,
    OneMeasureNeeded,
    SecondPersonNeeded,
)
from pointsbank.scoring.lapsing import lapse_adjustments, tell_of_lapsing
from pointsbank.scoring.models import (
    ADJUSTMENT_MONTH_MINUTES_MAX,
    ADJUSTMENT_MONTH_POINTS_MAX,
    Adjustment,
    ScoreEntry,
)
from pointsbank.scoring.queries import service_minutes_of
from tests.builders import (
    COMMUNITY_CODE,
    a_branch,
    a_member,
    a_score_entry,
    an_organization,
    how_many,
    with_points,
    with_role,
)
from tests.moments import NOON
from tests.scoring.hands import (
    MONTH,
    ZONE,
    asked,
    balance,
    decided,
    month_of,
    some_hands,
    state_of,
)

WEEK = timedelta(days=7)


@pytest.fixture
def hands(session):
    return some_hands(session)


def kinds_told(session, member_id):
    return [line.kind for line in inbox(session, member_id)]


def test_asking_moves_nothing_and_tells_who_may_decide(session, hands):
    found = asked(session, hands)
    assert found.decide_by == NOON + WEEK
    assert state_of(session, found.id) == "pending"
    assert (balance(session, hands.member_id), how_many(session, ScoreEntry)) == (0, 0)
    assert month_of(session, hands.member_id) == (20, 0)
    for decider in (hands.secretary_id, hands.administrator_id):
        line = inbox(session, decider)[0]
        assert (line.kind, line.facts["adjustment_id"]) == ("adjustment_asked", found.id)
    assert kinds_told(session, hands.organizer_id) == kinds_told(session, hands.member_id) == []


def test_an_author_who_may_decide_is_not_told_of_their_own(session, hands):
    asked(session, hands, hands.secretary_id)
    assert kinds_told(session, hands.secretary_id) == []
    assert kinds_told(session, hands.administrator_id) == ["adjustment_asked"]


def test_approved_points_are_posted_once_and_ranked_without_evaluation(session, hands):
    found = asked(session, hands, points=30, occurred_on=date(2026, 11, 18))
    assert decided(session, found.id, hands.secretary_id) == "approved"
    line = book_lines(session, f"member:{hands.member_id}")[0]
    assert (line.kind, line.points, line.key) == ("adjust_up", 30, f"adjust:{found.id}")
    assert (line.reason, line.actor_id) == ("人工调整 · 漏签到或漏签退", hands.secretary_id)
    assert line.expires_on == date(2027, 12, 31)
    assert line.occurred_at.astimezone(ZONE).date() == date(2026, 11, 18)
    issuer = f"issue:community:{COMMUNITY_CODE}"
    issued = session.scalar(
        text(
            "SELECT issued FROM issue_budget JOIN account ON account.id = account_id"
            " WHERE code = :code AND month = '2026-11'"
        ),
        {"code": issuer},
    )
    assert issued == 30
    roll_up(session, period=read_period("2026-Q4"), zone=ZONE, now=NOON)
    standing = session.scalars(select(MemberStanding)).one()
    assert (standing.points_earned, standing.service_minutes) == (30, 0)
    assert standing.evaluation_hundredths == 0
    stored = session.get_one(Adjustment, found.id)
    assert (stored.transfer_id, stored.decided_by_id) == (line.transfer_id, hands.secretary_id)
    assert stored.entry_id == session.scalar(select(ScoreEntry.id))
    told = inbox(session, hands.member_id)[0]
    assert (told.kind, told.facts["points"]) == ("adjustment_points_approved", 30)
    assert kinds_told(session, hands.organizer_id) == ["adjustment_request_approved"]
    assert offenders(session) == []


def test_minutes_by_hand_never_earn_points(session, hands):
    found = asked(session, hands, service_minutes=150)
    decided(session, found.id, hands.administrator_id)
    assert service_minutes_of(session, hands.member_id) == 150
    entry = session.scalars(select(ScoreEntry)).one()
    assert (entry.points, entry.evaluation_hundredths, entry.service_minutes) == (0, 0, 150)
    assert (how_many(session, Transfer), balance(session, hands.member_id)) == (0, 0)
    told = inbox(session, hands.member_id)[0]
    assert (told.kind, told.facts["minutes"]) == ("adjustment_minutes_approved", 150)


def test_points_below_zero_go_back_to_who_issued_them(session, hands):
    with_points(session, hands.member_id, 50)
    found = asked(session, hands, points=-20, reason_code="wrong_entry")
    decided(session, found.id, hands.secretary_id)
    line = book_lines(session, f"member:{hands.member_id}")[0]
    assert (line.kind, line.points, line.balance_after) == ("adjust_down", -20, 30)
    assert month_of(session, hands.member_id) == (20, 0)
    assert session.scalar(select(ScoreEntry.points)) == -20
    assert offenders(session) == []


def test_points_that_were_spent_cannot_be_taken_and_it_stays_pending(writing):
    with writing() as session:
        hands = some_hands(session)
        with_points(session, hands.member_id, 10)
        found = asked(session, hands, points=-20)
    with pytest.raises(NotEnoughPoints), writing() as session:
        decided(session, found.id, hands.secretary_id)
    with writing() as session:
        assert state_of(session, found.id) == "pending"
        assert (balance(session, hands.member_id), how_many(session, ScoreEntry)) == (10, 0)
        assert kinds_told(session, hands.member_id) == []
        with_points(session, hands.member_id, 10)
        assert decided(session, found.id, hands.secretary_id) == "approved"
        assert offenders(session) == []


def test_a_spent_budget_refuses_and_it_stays_pending(writing):
    issuer = f"issue:community:{COMMUNITY_CODE}"
    with writing() as session:
        hands = some_hands(session)
        open_account(session, code=issuer, kind="issue")
        set_budget(session, code=issuer, month=MONTH, points_max=25)
        first, second = asked(session, hands), asked(session, hands)
        decided(session, first.id, hands.secretary_id)
    with pytest.raises(BudgetSpent), writing() as session:
        decided(session, second.id, hands.secretary_id)
    with writing() as session:
        assert state_of(session, second.id) == "pending"
        assert balance(session, hands.member_id) == 20


def test_refusing_changes_nothing_and_gives_the_month_back(session, hands):
    found = asked(session, hands, points=120)
    assert decided(session, found.id, hands.secretary_id, False) == "refused"
    assert month_of(session, hands.member_id) == (0, 0)
    assert (how_many(session, Transfer), how_many(session, ScoreEntry)) == (0, 0)
    assert kinds_told(session, hands.member_id) == ["adjustment_refused"]
    assert kinds_told(session, hands.organizer_id) == ["adjustment_request_refused"]


def test_nobody_asks_for_themselves(session, hands):
    with pytest.raises(AdjustmentForOneself):
        asked(session, hands, hands.organizer_id, member_id=hands.organizer_id)
    with pytest.raises(AdjustmentForOneself):
        asked(session, hands, hands.member_id)
    assert how_many(session, Adjustment) == 0


ROW = {
    "reason_code": "other",
    "reason": "x",
    "state": "pending",
    "occurred_on": NOON.date(),
    "asked_at": NOON,
    "decide_by": NOON + WEEK,
}


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("author_is_not_beneficiary", {"author": "member"}),
        ("second_person", {"state": "approved", "decider": "organizer"}),
        ("second_person", {"state": "approved", "decider": "member"}),
        ("one_measure", {"service_minutes": 30}),
        ("one_measure", {"points": None}),
        ("points", {"points": 0}),
        ("points", {"points": ADJUSTMENT_MONTH_POINTS_MAX + 1}),
        ("service_minutes", {"points": None, "service_minutes": 0}),
        ("decision", {"state": "approved"}),
        ("decision", {"decider": "secretary"}),
        ("reason_code", {"reason_code": "because"}),
    ],
)
def test_the_database_refuses_what_the_service_never_writes(writing, constraint, values):
    with writing() as session:
        hands = some_hands(session)
    more = dict(values)
    row = {
        **ROW,
        "points": 20,
        "member_id": hands.member_id,
        "organization_id": hands.branch_id,
        "author_id": getattr(hands, f"{more.pop('author', 'organizer')}_id"),
        "decided_by_id": getattr(hands, f"{more['decider']}_id") if "decider" in more else None,
    }
    more.pop("decider", None)
    with pytest.raises(IntegrityError, match=f"ck_adjustment_{constraint}"):
        with writing() as session:
            session.execute(insert(Adjustment).values(**{**row, **more}))


def test_the_database_takes_the_same_row_from_two_people(session, hands):
    row = {**ROW, "points": 20, "organization_id": hands.branch_id}
    people = {"member_id": hands.member_id, "author_id": hands.organizer_id}
    session.execute(insert(Adjustment).values(**row, **people))
    assert how_many(session, Adjustment) == 1


def test_neither_author_nor_beneficiary_decides(session, hands):
    found = asked(session, hands, hands.secretary_id)
    with pytest.raises(SecondPersonNeeded):
        decided(session, found.id, hands.secretary_id)
    with_role(session, hands.member_id, "administrator", hands.branch_id)
    for is_approved in (True, False):
        with pytest.raises(SecondPersonNeeded):
            decided(session, found.id, hands.member_id, is_approved)
    assert state_of(session, found.id) == "pending"


def test_a_role_elsewhere_neither_asks_nor_decides_nor_sees(session, hands):
    beside = an_organization(session, "140303009", "community")
    home = a_branch(session, "B9", beside)
    foreign = with_role(session, a_member(session, "外人", home), "secretary", beside)
    with pytest.raises(MemberNotFound):
        asked(session, hands, foreign)
    found = asked(session, hands)
    with pytest.raises(AdjustmentNotFound):
        decided(session, found.id, foreign)
    with pytest.raises(AdjustmentNotFound):
        decided(session, found.id + 1, hands.secretary_id)
    assert adjustments_within(session, ["/99/"]) == []


def test_an_organizer_asks_and_does_not_decide(session, hands):
    second = with_role(session, a_member(session, "周组织"), "organizer", hands.community_id)
    found = asked(session, hands)
    with pytest.raises(AdjustmentNotFound):
        decided(session, found.id, second)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("second", [True, False])
def test_a_decision_stands(session, hands, first, second):
    found = asked(session, hands)
    state = decided(session, found.id, hands.secretary_id, first)
    with pytest.raises(AdjustmentDecided):
        decided(session, found.id, hands.administrator_id, second)
    assert state_of(session, found.id) == state


@pytest.mark.parametrize(
    "measure",
    [
        {"points": None},
        {"points": 20, "service_minutes": 30},
        {"points": 0},
        {"service_minutes": 0},
    ],
)
def test_exactly_one_measure_is_needed(session, hands, measure):
    with pytest.raises(OneMeasureNeeded):
        asked(session, hands, **measure)
    assert month_of(session, hands.member_id) == (0, 0)


@pytest.mark.parametrize(
    ("days_ago", "is_taken"), [(0, True), (7, True), (8, False), (-1, False), (400, False)]
)
def test_what_is_entered_happened_within_a_week(session, hands, days_ago, is_taken):
    on = NOON.date() - timedelta(days=days_ago)
    if is_taken:
        assert asked(session, hands, occurred_on=on).id
    else:
        with pytest.raises(BadOccurredOn):
            asked(session, hands, occurred_on=on)


def test_a_local_day_decides_not_one_of_greenwich(session, hands):
    early = NOON.replace(hour=1)
    assert asked(session, hands, occurred_on=date(2026, 11, 21), now=early).id
    with pytest.raises(BadOccurredOn):
        asked(session, hands, occurred_on=date(2026, 11, 13), now=early)


def test_a_month_takes_so_much_by_hand_whichever_the_sign(session, hands):
    asked(session, hands, points=200)
    asked(session, hands, points=-80)
    with pytest.raises(AdjustmentMonthFull) as refused:
        asked(session, hands, points=21)
    assert refused.value.facts == {"left": 20}
    asked(session, hands, points=20)
    asked(session, hands, service_minutes=ADJUSTMENT_MONTH_MINUTES_MAX)
    with pytest.raises(AdjustmentMonthFull) as refused:
        asked(session, hands, service_minutes=-1)
    assert refused.value.facts == {"left": 0}
    assert month_of(session, hands.member_id) == (300, 480)
    december = NOON + timedelta(days=14)
    asked(session, hands, points=300, now=december)
    assert month_of(session, hands.member_id, "2026-12") == (300, 0)


def test_a_size_beyond_a_whole_month_is_refused(session, hands):
    for wanted in ({"points": 301}, {"points": -(10**15)}, {"service_minutes": 481}):
        with pytest.raises(AdjustmentMonthFull):
            asked(session, hands, **wanted)


def test_what_is_undecided_lapses_and_gives_the_month_back(session, hands):
    found = asked(session, hands, points=120)
    last = NOON + WEEK - timedelta(seconds=1)
    assert lapse_adjustments(session, zone=ZONE, now=last, limit=500) == 0
    assert decided(session, asked(session, hands).id, hands.secretary_id, now=last)
    assert lapse_adjustments(session, zone=ZONE, now=NOON + WEEK, limit=500) == 1
    assert lapse_adjustments(session, zone=ZONE, now=NOON + WEEK, limit=500) == 0
    assert state_of(session, found.id) == "lapsed"
    assert month_of(session, hands.member_id) == (20, 0)
    assert kinds_told(session, hands.organizer_id)[0] == "adjustment_request_lapsed"
    with pytest.raises(AdjustmentLapsed):
        decided(session, found.id, hands.secretary_id, now=NOON + WEEK)


@pytest.mark.parametrize("is_approved", [True, False])
def test_an_overdue_one_is_refused_before_the_job_ran(session, hands, is_approved):
    found = asked(session, hands)
    with pytest.raises(AdjustmentLapsed):
        decided(session, found.id, hands.secretary_id, is_approved, now=NOON + WEEK)
    shown = adjustment_of(session, found.id, ["/"])
    assert (shown.state, shown.state_at(NOON + WEEK)) == ("pending", "lapsed")
    assert shown.state_at(NOON) == "pending"


def test_the_month_that_is_given_back_is_the_one_it_was_asked_in(session, hands):
    in_november = NOON + timedelta(days=9)
    asked(session, hands, points=100, now=in_november)
    asked(session, hands, points=30, now=in_november + timedelta(days=2))
    assert lapse_adjustments(session, zone=ZONE, now=in_november + WEEK, limit=500) == 1
    assert month_of(session, hands.member_id) == (0, 0)
    assert month_of(session, hands.member_id, "2026-12") == (30, 0)


def test_lapsing_goes_in_batches(session, hands):
    for _ in range(3):
        asked(session, hands)
    late = NOON + WEEK
    assert [lapse_adjustments(session, zone=ZONE, now=late, limit=2) for _ in range(3)] == [
        2,
        1,
        0,
    ]
    assert month_of(session, hands.member_id) == (0, 0)


def test_deciders_are_reminded_once_before_it_lapses(session, hands):
    asked(session, hands)
    assert tell_of_lapsing(session, now=NOON + timedelta(days=4)) == 0
    soon = NOON + timedelta(days=5)
    assert tell_of_lapsing(session, now=soon) == 2
    assert tell_of_lapsing(session, now=soon + timedelta(days=1)) == 0
    assert kinds_told(session, hands.secretary_id)[0] == "adjustment_lapsing"
    new = with_role(session, a_member(session, "新书记"), "secretary", hands.branch_id)
    assert tell_of_lapsing(session, now=soon + timedelta(days=1)) == 1
    assert kinds_told(session, new) == ["adjustment_lapsing"]
    assert tell_of_lapsing(session, now=NOON + WEEK) == 0


def test_no_day_counts_more_than_eight_hours_by_hand_either(session, hands):
    a_score_entry(session, hands.member_id, service_minutes=300)
    found = asked(session, hands, service_minutes=181)
    with pytest.raises(DayAlreadyFull):
        decided(session, found.id, hands.secretary_id)


def test_time_by_hand_fills_the_day_up_to_its_limit(session, hands):
    a_score_entry(session, hands.member_id, service_minutes=300)
    found = asked(session, hands, service_minutes=180)
    assert decided(session, found.id, hands.secretary_id) == "approved"


def test_service_time_never_falls_below_nothing(writing):
    with writing() as session:
        hands = some_hands(session)
        a_score_entry(session, hands.member_id, service_minutes=60)
        found = asked(session, hands, service_minutes=-61)
        other = asked(session, hands, service_minutes=-60)
    with pytest.raises(NotEnoughMinutes), writing() as session:
        decided(session, found.id, hands.secretary_id)
    with writing() as session:
        decided(session, other.id, hands.secretary_id)
        assert service_minutes_of(session, hands.member_id) == 0
        assert state_of(session, found.id) == "pending"


def test_those_that_wait_stand_first_then_the_newest(session, hands):
    ids = [asked(session, hands).id for _ in range(5)]
    for number in (4, 1):
        decided(session, ids[number], hands.secretary_id)
    expected = [ids[3], ids[2], ids[0], ids[4], ids[1]]
    assert [each.id for each in adjustments_within(session, ["/"])] == expected
    seen, after = [], None
    while page := adjustments_within(session, ["/"], after=after, limit=2):
        seen += [each.id for each in page]
        after = (page[-1].rank, page[-1].id)
    assert seen == expected


def test_everybody_is_masked_wherever_an_adjustment_is_shown(session, hands):
    found = asked(session, hands)
    decided(session, found.id, hands.secretary_id)
    shown = adjustment_of(session, found.id, ["/"])
    assert (shown.member_name, shown.author_name) == ("王*兰", "李*")
    assert shown.decided_by_name == "张*记"
    lines = adjusted_lines(session, [shown.transfer_id, 10**9])
    assert [(f.author_name, f.decided_by_name) for f in lines.values()] == [("李*", "张*记")]


def test_messages_and_the_trail_hold_no_name_and_no_typed_word(session, hands):
    found = asked(session, hands, reason="王桂兰的手机没电", evidence="13812345678")
    decided(session, found.id, hands.secretary_id, reason="李敏说属实")
    kept = [str(facts) for facts in session.scalars(select(Message.facts))]
    kept += [str(facts) for facts in session.scalars(select(AuditEntry.facts))]
    assert len(kept) > 4
    assert not [each for each in kept if "桂" in each or "李" in each or "138" in each]
