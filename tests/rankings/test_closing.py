"""A period is frozen once for each organization, the same however late, and never changed."""

import threading
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError

from pointsbank.appraisals.models import Exemption, Veto
from pointsbank.core import clock
from pointsbank.core.calendar import read_period
from pointsbank.core.db import transaction
from pointsbank.jobs.closing import ORGANIZATIONS_BATCH, due_closing, work_closing
from pointsbank.jobs.running import run_slot
from pointsbank.jobs.table import Slot, job_named
from pointsbank.members.models import Member, MemberChange
from pointsbank.rankings import closing
from pointsbank.rankings.closing import cut_at, next_to_close, periods_to_close
from pointsbank.rankings.errors import PeriodNotOver
from pointsbank.rankings.models import Snapshot, SnapshotLine
from pointsbank.rankings.snapshots import came_after, lines_of, snapshot_of
from pointsbank.rankings.sources import evaluation_of
from tests.builders import a_branch, a_member, how_many
from tests.counting import statements_of
from tests.racing import MEET_SECONDS_MAX, meet_after, race, times
from tests.rankings.closings import (
    AFTER_YEAR,
    CLOSES,
    DURING,
    LATER,
    QUARTER,
    ZONE,
    Branch,
    close,
)


@pytest.fixture
def branch(writing):
    with writing() as session:
        return Branch(session)


def frozen(session, branch, period=QUARTER):
    return snapshot_of(session, period=period.name, organization_id=branch.id)


def exempted(session, branch, member_id, decided_at, reason="over_70"):
    session.add(
        Exemption(
            member_id=member_id,
            organization_id=branch.id,
            reason_code=reason,
            from_on=date(2026, 1, 1),
            state="confirmed",
            entered_by_id=branch.secretary,
            entered_at=DURING,
            confirmed_by_id=branch.second,
            decided_at=decided_at,
        )
    )
    session.flush()


def test_everyone_has_a_line_and_ties_share_a_rank(branch, writing):
    with writing() as session:
        found = lines_of(session, close(session, branch))
        head = frozen(session, branch)
    assert [(each.name, each.line.rank) for each in found] == [
        ("王桂兰", 1),
        ("李敏", 2),
        ("陈明", 2),
        ("周芬", 4),
        ("何军", 5),
    ]
    assert [each.line.evaluation_hundredths for each in found] == [800, 400, 400, 200, 0]
    assert (head.version, head.members, head.entries) == (1, 5, 9)
    assert (head.sum_hundredths, head.sum_points, head.sum_minutes) == (450, 90, 540)
    assert head.standard_version == 1


def test_a_line_is_the_evaluation_entry_by_entry(branch, writing):
    with writing() as session:
        branch.entry(session, branch.members[1], 300, "theme_day")
        lines = lines_of(session, close(session, branch))
        for each in lines:
            whole = evaluation_of(
                session,
                member_id=each.line.member_id,
                period=QUARTER,
                today=CLOSES.date(),
            )
            assert each.line.evaluation_hundredths == whole.evaluation_hundredths
            assert [part["score"] for part in each.line.parts] == [
                part.score for part in whole.parts
            ]
            assert each.line.base_hundredths == whole.base_hundredths


def test_who_is_exempt_has_a_line_and_no_rank(branch, writing):
    with writing() as session:
        exempted(session, branch, branch.members[1], DURING)
        found = {each.name: each.line for each in lines_of(session, close(session, branch))}
    assert (found["李敏"].rank, found["李敏"].is_exempt) == (None, True)
    assert (found["陈明"].rank, found["周芬"].rank) == (2, 3)


def test_a_period_is_not_closed_before_its_last_entries_are_settled(branch, writing):
    with writing() as session, pytest.raises(PeriodNotOver):
        close(session, branch, now=cut_at(QUARTER, ZONE) - timedelta(seconds=1))
    with writing() as session:
        assert close(session, branch, now=cut_at(QUARTER, ZONE))


def test_a_repeat_finds_what_stands(branch, writing):
    with writing() as session:
        first = close(session, branch)
    with writing() as session:
        branch.entry(session, branch.members[4], now=LATER)
        assert close(session, branch, now=LATER) == first
        assert how_many(session, Snapshot) == 1
        assert came_after(session, frozen(session, branch)) == 1


def test_a_closing_that_comes_late_is_the_same(branch, writing):
    """Entries, exemptions and states that came after the closing night are not in it."""
    with writing() as session:
        in_time = close(session, branch)
        digest = frozen(session, branch).digest
        session.rollback()
        assert in_time
        assert how_many(session, Snapshot) == 0
    with writing() as session:
        branch.entry(session, branch.members[4], now=LATER)
        exempted(session, branch, branch.members[0], LATER)
        session.execute(
            update(Member).where(Member.id == branch.members[3]).values(state="suspended")
        )
        session.add(
            MemberChange(
                member_id=branch.members[3],
                cause="state",
                from_on=LATER.date(),
                recorded_at=LATER,
            )
        )
    with writing() as session:
        close(session, branch, now=datetime(2027, 6, 1, tzinfo=UTC))
        late = frozen(session, branch)
        assert late.digest == digest
        assert (late.members, late.entries) == (5, 9)
        assert came_after(session, late) == 1


def lifted(session, kind, member_id, at, by, **more):
    """Lift what was confirmed about a member, as lifting it does."""
    values = {"lifted_by_id": by, "lifted_at": at, "lift_reason": "复核后撤销"} | more
    session.execute(update(kind).where(kind.member_id == member_id).values(**values))


def vetoed(session, branch, member_id):
    session.add(
        Veto(
            member_id=member_id,
            organization_id=branch.id,
            reason_code="discipline",
            reason="受党内警告处分",
            document_no="矿纪〔2026〕3号",
            occurred_on=date(2026, 8, 1),
            state="confirmed",
            entered_by_id=branch.secretary,
            entered_at=DURING,
            confirmed_by_id=branch.second,
            decided_at=DURING,
        )
    )
    session.flush()


def entered(session, branch, kind, member_id):
    """Let two people say so during the quarter."""
    if kind is Veto:
        vetoed(session, branch, member_id)
    else:
        exempted(session, branch, member_id, DURING)


# An exemption that held a day ends; one lifted as if it had never been, and a veto, do not.
LIFTED = {
    "ended": (Exemption, {"until_on": LATER.date()}),
    "never held": (Exemption, {"state": "lifted"}),
    "veto": (Veto, {"state": "lifted"}),
}


@pytest.mark.parametrize("how", LIFTED)
def test_what_was_lifted_after_the_closing_night_counts_in_a_late_closing(branch, writing, how):
    kind, values = LIFTED[how]
    member = branch.members[0]
    with writing() as session:
        entered(session, branch, kind, member)
    with writing() as session:
        close(session, branch)
        digest = frozen(session, branch).digest
        session.rollback()
    with writing() as session:
        lifted(session, kind, member, LATER, branch.third, **values)
    with writing() as session:
        lines = lines_of(session, close(session, branch, now=datetime(2027, 6, 1, tzinfo=UTC)))
        (own,) = [each.line for each in lines if each.line.member_id == member]
        assert (own.is_exempt, own.is_vetoed) == (kind is Exemption, kind is Veto)
        assert frozen(session, branch).digest == digest


@pytest.mark.parametrize("how", ["never held", "veto"])
def test_what_was_lifted_before_the_closing_night_does_not(branch, writing, how):
    """The control of the one above."""
    kind, values = LIFTED[how]
    member = branch.members[0]
    with writing() as session:
        entered(session, branch, kind, member)
        lifted(session, kind, member, CLOSES - timedelta(days=2), branch.third, **values)
        lines = lines_of(session, close(session, branch, now=datetime(2027, 6, 1, tzinfo=UTC)))
        (own,) = [each.line for each in lines if each.line.member_id == member]
        assert (own.is_exempt, own.is_vetoed) == (False, False)


def test_what_is_in_the_digest_cannot_change_without_it(branch, writing):
    """The control of the one above: one more entry in time gives another digest."""
    with writing() as session:
        close(session, branch)
        digest = frozen(session, branch).digest
        session.rollback()
    with writing() as session:
        branch.entry(session, branch.members[4])
        close(session, branch)
        assert frozen(session, branch).digest != digest


ATTEMPTS = [
    "UPDATE snapshot SET digest = 'another'",
    "DELETE FROM snapshot",
    "UPDATE snapshot_line SET evaluation_hundredths = 10000",
    "DELETE FROM snapshot_line",
]


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_a_snapshot_is_never_changed_or_removed(branch, writing, attempt):
    with writing() as session:
        close(session, branch)
    with pytest.raises(DBAPIError, match="never changed or removed"), writing() as session:
        session.execute(text(attempt))


def test_the_job_closes_every_organization_and_what_was_missed(
    branch, writing, monkeypatch, app
):
    with writing() as session:
        others = [a_branch(session) for _ in range(ORGANIZATIONS_BATCH)]
        for place in others:
            a_member(session, "郑好", place, now=datetime(2026, 2, 1, tzinfo=UTC))
    monkeypatch.setattr(clock, "now", lambda: AFTER_YEAR)
    with app.app_context():
        job = job_named("closing")
        assert run_slot(job, Slot("2027-01-08", "2027-01-08"), zone=ZONE) is not None
    with writing() as session:
        found = session.execute(select(Snapshot.period, func.count()).group_by(Snapshot.period))
        # The first entry is of the third quarter: before it there is nothing to close.
        closed = dict(found.all())
        assert set(closed) == {"2026-Q3", "2026-Q4", "2026"}
        # The branch, the ten others, and the community of the three officers.
        assert set(closed.values()) == {ORGANIZATIONS_BATCH + 2}
        assert work_closing(session, "2027-01-08", ZONE, AFTER_YEAR).is_last
        assert work_closing(session, "2027-01-08", ZONE, AFTER_YEAR).count == 0


def test_a_job_cut_short_goes_on_where_it_was(branch, writing):
    with writing() as session:
        for _ in range(ORGANIZATIONS_BATCH):
            a_member(session, "郑好", a_branch(session), now=DURING)
        first = work_closing(session, "2026-10-08", ZONE, CLOSES)
        assert (first.count, first.is_last) == (ORGANIZATIONS_BATCH, False)
    with writing() as session:
        second = work_closing(session, "2026-10-08", ZONE, CLOSES)
        assert (second.count, second.is_last) == (2, True)
        assert next_to_close(session, QUARTER) is None


def test_periods_close_in_their_order(branch, session):
    found = periods_to_close(session, zone=ZONE, now=AFTER_YEAR)
    assert [period.name for period in found] == ["2026-Q3", "2026-Q4", "2026"]
    assert periods_to_close(session, zone=ZONE, now=DURING) == []


def test_the_job_is_due_each_night_after_midnight():
    assert [slot.period for slot in due_closing(CLOSES, ZONE)] == ["2026-10-08"]
    before = CLOSES - timedelta(minutes=1)
    assert [slot.period for slot in due_closing(before, ZONE)] == ["2026-10-07"]


def closing_it(branch):
    with transaction() as session:
        return close(session, branch)


def test_of_two_closings_at_once_the_second_finds_the_first(app, branch, writing):
    answers = race(app, times(4, partial(closing_it, branch)))
    assert len(set(answers)) == 1
    assert isinstance(answers[0], int)
    with writing() as session:
        assert how_many(session, Snapshot) == 1
        assert how_many(session, SnapshotLine) == 5


@pytest.mark.engine("postgresql")
def test_without_meeting_two_closings_collide(app, branch, monkeypatch):
    """The control: the unique constraint alone lets the others fail instead of finding it."""
    monkeypatch.setattr(closing, "meet", lambda *_args, **_more: None)
    meet_after(monkeypatch, closing, "count", 4)
    answers = race(app, times(4, partial(closing_it, branch)))
    assert sorted(type(answer).__name__ for answer in answers) == [
        *["IntegrityError"] * 3,
        "int",
    ]


@pytest.mark.engine("postgresql")
def test_an_entry_that_is_being_written_is_waited_for(app, branch, writing, monkeypatch):
    """Its id is drawn and cannot be seen: without the lock it would be in no version."""
    monkeypatch.setattr(closing, "LOCK_WAIT_MS", 200)
    is_drawn, has_waited = threading.Event(), threading.Event()

    def write_slowly():
        with transaction() as session:
            branch.entry(session, branch.members[4])
            is_drawn.set()
            assert has_waited.wait(MEET_SECONDS_MAX)
        return "written"

    def close_meanwhile():
        assert is_drawn.wait(MEET_SECONDS_MAX)
        try:
            return closing_it(branch)
        finally:
            has_waited.set()

    written, answer = race(app, [write_slowly, close_meanwhile])
    assert (written, getattr(answer, "code", None)) == ("written", "entries_busy")
    with writing() as session:
        assert len(lines_of(session, close(session, branch))) == 5
        assert frozen(session, branch).entries == 10
    assert read_period("2026-Q3") == QUARTER


@pytest.mark.engine("sqlite")
def test_closing_a_branch_does_not_read_the_changes_of_everybody(app, branch, writing):
    """By the plan, which a million changes of others would make slow."""
    with writing() as session, statements_of(app) as sent:
        closing.members_at(session, branch.id, QUARTER, cut_at(QUARTER, ZONE))
        statement = sent[-1]
        values = (None,) * statement.count("?")
        asked = f"EXPLAIN QUERY PLAN {statement}"
        plan = [row[3] for row in session.connection().exec_driver_sql(asked, values)]
    reads = [step for step in plan if "member_change" in step]
    assert reads
    assert all(step.startswith("SEARCH member_change USING INDEX") for step in reads), plan
