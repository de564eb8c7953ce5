"""The jobs `seal` and `verify`: every posting gets into a block, and a wrong ledger is told."""

from contextlib import contextmanager
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text

from pointsbank.core import clock
from pointsbank.core.db import reading, transaction
from pointsbank.jobs import minutes, verifying
from pointsbank.jobs.models import JobRun
from pointsbank.jobs.running import run_slot
from pointsbank.jobs.table import JOBS, Slot, slot_by_hand
from pointsbank.ledger.models import Verification
from pointsbank.ledger.queries import blocks, seal_state
from pointsbank.ledger.sealing import seal
from pointsbank.ledger.verifying import RULES, Verified, verify
from pointsbank.messages.models import Message
from tests.builders import a_member, an_organization, points_for, with_role
from tests.moments import NOON

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def ran(app):
    """Run a job now and return its count."""

    def run_job(name):
        job = JOBS[name]
        with app.app_context():
            return run_slot(job, slot_by_hand(job, None, clock.now(), ZONE), zone=ZONE)

    return run_job


@pytest.fixture
def awarded(writing):
    """A member with three lines of a passbook, and who administers what."""
    with writing() as session:
        district = an_organization(session, "140303", kind="district")
        street = an_organization(session, "140303009", kind="street", parent=district)
        member = a_member(session)
        for n in range(3):
            points_for(session, member, 10, f"award:{n}")
        return {
            "all": with_role(session, a_member(session), "administrator"),
            "district": with_role(
                session, a_member(session), "administrator", organization_id=district
            ),
            "street": with_role(
                session, a_member(session), "administrator", organization_id=street
            ),
            "auditor": with_role(session, a_member(session), "auditor"),
            "member": member,
        }


def break_it(writing):
    with writing() as session:
        session.execute(text("UPDATE wallet SET posted = 31 WHERE posted = 30"))


def test_it_is_sealed_every_minute_and_verified_every_night():
    assert JOBS["seal"].due(NOON, ZONE) == [Slot("2026-11-21T12:00", "2026-11-21T12:00")]
    assert JOBS["verify"].due(NOON, ZONE) == [Slot("2026-11-21", "2026-11-21")]
    early = NOON.replace(hour=2, minute=29)
    assert JOBS["verify"].due(early, ZONE) == [Slot("2026-11-20", "2026-11-20")]


def test_what_other_systems_read_is_sealed_before_it_is_sent():
    assert list(JOBS).index("seal") < list(JOBS).index("webhooks")


def test_sealing_leaves_nothing_and_does_nothing_twice(writing, awarded, ran, monkeypatch):
    monkeypatch.setattr(minutes, "BLOCK_ROWS_MAX", 2)
    monkeypatch.setattr(minutes, "seal", partial(seal, limit=2))
    assert ran("seal") == 3
    assert ran("seal") == 0
    with writing() as session:
        assert [head.count for head in blocks(session)] == [1, 2]
        assert seal_state(session).waiting == 0


def test_a_right_ledger_is_kept_as_right_and_told_to_nobody(writing, awarded, ran):
    assert ran("seal") == 3
    assert ran("verify") == 0
    with writing() as session:
        kept = session.scalars(select(Verification)).one()
        assert (kept.transfers, kept.offender_count, kept.offenders) == (3, 0, {"items": []})
        assert kept.rules > len(RULES)
        assert kept.started_at <= kept.finished_at
        assert session.scalars(select(Message)).all() == []


def test_a_wrong_ledger_is_told_to_those_who_stand_over_all_of_it(writing, awarded, ran):
    break_it(writing)
    assert ran("verify") == 2
    with writing() as session:
        kept = session.scalars(select(Verification)).one()
        wallet = session.scalar(text("SELECT account_id FROM wallet WHERE posted = 31"))
        assert kept.offender_count == 2
        assert {item["subject"] for item in kept.offenders["items"]} == {f"wallet {wallet}"}
        told = session.execute(select(Message.member_id, Message.kind, Message.facts)).all()
        assert {row.member_id for row in told} == {awarded["all"], awarded["district"]}
        assert {row.kind for row in told} == {"ledger_wrong"}
        assert {row.facts["offenders"] for row in told} == {2}
        # The run is done, although what it found is bad.
        assert session.scalars(select(JobRun.state)).all() == ["done"]


def test_a_second_night_is_told_again(writing, awarded, ran):
    break_it(writing)
    ran("verify")
    ran("verify")
    with writing() as session:
        assert len(session.scalars(select(Message)).all()) == 4


def test_the_ledger_is_recomputed_outside_of_a_writing_transaction(
    app, awarded, ran, monkeypatch
):
    """Somebody posts while it runs: on SQLite that waits for whoever writes."""
    posted = []

    def verify_beside_a_poster(session, beside, more) -> Verified:
        found = verify(session, beside=beside, more=more)
        assert session.info["in_use_case"]
        with other_transaction(app) as other:
            points_for(other, awarded["member"], 10, "award:meanwhile")
            posted.append(True)
        return found

    monkeypatch.setattr(verifying, "verify", verify_beside_a_poster)
    assert ran("verify") == 0
    assert posted == [True]


@contextmanager
def other_transaction(app):
    """A transaction of another request, in a context and with a session of its own."""
    with app.app_context(), transaction() as session:
        yield session


def test_progress_reaches_its_end(app, writing, awarded, ran):
    ran("seal")
    steps = []
    with app.app_context(), reading() as session:
        verify(session, told=lambda done, total: steps.append((done, total)))
    assert steps[-1][0] == steps[-1][1]
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
