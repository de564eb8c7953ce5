"""Service that was never counted: two people, a document, time and evaluation, no points."""

from datetime import date

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from pointsbank.appraisals.entering import NewLateEntry, enter_late_entry
from pointsbank.appraisals.errors import AnotherPersonNeeded, BadPaperDay, NothingToEnter
from pointsbank.appraisals.models import LateEntry
from pointsbank.appraisals.reading_queries import paper_of
from pointsbank.ledger.models import Transfer
from pointsbank.members.errors import MemberNotFound
from pointsbank.messages.queries import inbox
from pointsbank.scoring.errors import DayAlreadyFull, UnknownScoringItem
from pointsbank.scoring.models import ScoreEntry
from tests.appraisals.committee_room import SPRING, TODAY, a_room, decided, lifted
from tests.builders import a_member, a_score_entry, how_many
from tests.moments import NOON
from tests.scoring.hands import actor_of
from tests.standards import a_standard

KIND = "late_entries"


@pytest.fixture
def room(session):
    return a_room(session)


def late(session, room, by=None, **more):
    values = {
        "member_id": room.member_id,
        "item_code": "volunteer_hour",
        "service_minutes": 130,
        "occurred_on": SPRING,
        "reason": "九月十二日的巡河没有结算",
        "document_no": "签到表3号",
    }
    actor = actor_of(session, by or room.secretary_id)
    wanted = NewLateEntry(**(values | more))
    return enter_late_entry(session, wanted, actor=actor, today=TODAY, now=NOON)


def counted(session, member_id):
    """Return hundredths, points and minutes of a member's entries, in their order."""
    rows = session.execute(
        select(ScoreEntry.evaluation_hundredths, ScoreEntry.points, ScoreEntry.service_minutes)
        .where(ScoreEntry.member_id == member_id)
        .order_by(ScoreEntry.id)
    )
    return [tuple(row) for row in rows]


def test_it_counts_once_confirmed_and_gives_no_points(session, room):
    transfers = how_many(session, Transfer)
    paper_id = late(session, room)
    assert counted(session, room.member_id) == []
    assert decided(session, room, KIND, paper_id) == "confirmed"
    # Two hours and ten minutes are two hours in steps of half an hour.
    assert counted(session, room.member_id) == [(100, 0, 120)]
    assert how_many(session, Transfer) == transfers
    told = [line.kind for line in inbox(session, room.member_id, limit=9)]
    assert told == ["late_entry_confirmed"]


@pytest.mark.parametrize(
    ("item", "times", "minutes", "worth"),
    [
        ("theme_day", 2, 90, (600, 0, 0)),
        ("night_patrol", 1, 120, (100, 0, 120)),
        ("micro_wish", 3, 0, (300, 0, 0)),
        ("volunteer_hour", 9, 60, (50, 0, 60)),
    ],
)
def test_it_is_worth_what_the_standard_of_its_day_says(
    session, room, item, times, minutes, worth
):
    paper_id = late(session, room, item_code=item, times=times, service_minutes=minutes)
    decided(session, room, KIND, paper_id)
    assert counted(session, room.member_id) == [worth]


def test_a_later_standard_changes_nothing_of_it(session, room):
    a_standard(
        session,
        valid_from=date(TODAY.year, TODAY.month, 1),
        changes={"volunteer_hour": {"evaluation_hundredths": 90}},
    )
    paper_id = late(session, room, service_minutes=60)
    decided(session, room, KIND, paper_id)
    assert counted(session, room.member_id) == [(50, 0, 60)]


def test_taken_back_it_leaves_nothing(session, room):
    paper_id = late(session, room)
    decided(session, room, KIND, paper_id)
    lifted(session, room, KIND, paper_id)
    assert counted(session, room.member_id) == [(100, 0, 120), (-100, 0, -120)]
    assert paper_of(session, KIND, paper_id, ["/"]).state == "lifted"


def test_volunteers_have_it_too_and_whoever_entered_it_does_not_decide(session, room):
    neighbour = a_member(session, "陈居民", room.branch_id)
    paper_id = late(session, room, member_id=neighbour)
    with pytest.raises(AnotherPersonNeeded):
        decided(session, room, KIND, paper_id, room.secretary_id)
    decided(session, room, KIND, paper_id)
    assert counted(session, neighbour) == [(100, 0, 120)]


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"item_code": "deduction"}, UnknownScoringItem),
        ({"item_code": "democratic_appraisal"}, UnknownScoringItem),
        ({"item_code": "nothing_of_it"}, UnknownScoringItem),
        ({"service_minutes": 29}, NothingToEnter),
        ({"occurred_on": date(TODAY.year - 2, 12, 31)}, BadPaperDay),
        ({"occurred_on": date(TODAY.year + 1, 1, 1)}, BadPaperDay),
        ({"member_id": 10**9}, MemberNotFound),
    ],
)
def test_what_is_wrong_is_refused_and_leaves_nothing(session, room, wrong, refusal):
    with pytest.raises(refusal):
        late(session, room, **wrong)
    assert how_many(session, LateEntry) == 0


def test_a_day_that_is_full_takes_no_more(session, room):
    paper_id = late(session, room, service_minutes=120)
    a_score_entry(session, room.member_id, service_minutes=400, earned_on=SPRING)
    with pytest.raises(DayAlreadyFull):
        decided(session, room, KIND, paper_id)


@pytest.mark.parametrize(
    "wrong",
    [
        "document_no = ''",
        "hundredths = -1",
        "hundredths = 0, service_minutes = 0",
        "service_minutes = 481",
        "times = 10",
        "confirmed_by_id = entered_by_id, state = 'confirmed'",
    ],
)
def test_the_database_holds_to_it(session, room, wrong):
    late(session, room)
    with pytest.raises(IntegrityError):
        session.execute(text(f"UPDATE late_entry SET {wrong}"))
