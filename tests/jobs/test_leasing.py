"""The lease: one holder at a time, renewed while it lives, taken when it has run out."""

import threading
import time
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from pointsbank.core.db import transaction
from pointsbank.jobs import leasing
from pointsbank.jobs.errors import LeaseLost
from pointsbank.jobs.leasing import LEASE_SECONDS, give_up_lease, hold_fast, take_lease
from pointsbank.jobs.occasions import Step
from pointsbank.jobs.running import run_slot
from pointsbank.jobs.scheduler import draw_holder
from tests.jobs.occasions import SLOT, a_job, times_worked
from tests.jobs.test_table import ZONE
from tests.moments import NOON

SHOW = "SHOW idle_in_transaction_session_timeout"
LATER = NOON + timedelta(seconds=LEASE_SECONDS)


def test_the_lease_is_taken_kept_and_refused_to_others(session):
    assert take_lease(session, holder="first", now=NOON)
    assert take_lease(session, holder="first", now=NOON + timedelta(seconds=5))
    assert not take_lease(session, holder="second", now=NOON + timedelta(seconds=6))


def test_a_lease_that_ran_out_is_taken_over(session):
    assert take_lease(session, holder="first", now=NOON)
    assert not take_lease(session, holder="second", now=LATER - timedelta(seconds=1))
    assert take_lease(session, holder="second", now=LATER)
    assert not take_lease(session, holder="first", now=LATER)


def test_a_lease_given_up_can_be_taken_at_once(session):
    assert take_lease(session, holder="first", now=NOON)
    give_up_lease(session, holder="first", now=NOON)
    assert take_lease(session, holder="second", now=NOON)


def test_nobody_gives_up_what_another_holds(session):
    assert take_lease(session, holder="first", now=NOON)
    give_up_lease(session, holder="second", now=NOON)
    assert not take_lease(session, holder="second", now=NOON)


def test_work_of_a_tenure_that_was_taken_over_cannot_be_kept(session):
    assert take_lease(session, holder="first", now=NOON)
    hold_fast(session, holder="first", now=NOON)
    assert take_lease(session, holder="second", now=LATER)
    with pytest.raises(LeaseLost):
        hold_fast(session, holder="first", now=LATER)


@pytest.mark.engine("postgresql")
def test_who_freezes_in_a_step_is_cut_off_by_the_database(app, writing, monkeypatch):
    """Else the next leader would wait for the occasion as long as the other stands still."""
    with writing() as session:
        usual = session.scalar(text(SHOW))
    monkeypatch.setattr(leasing, "FREE", text(str(leasing.FREE).replace("60s", "200ms")))

    def freeze(session, _period, _zone, _now):
        time.sleep(1)
        session.execute(text("SELECT 1"))
        return Step(1)

    with app.app_context(), pytest.raises(DBAPIError):
        run_slot(a_job(freeze), SLOT, zone=ZONE)
    with writing() as session:
        assert times_worked(session) == 0
        assert session.scalar(text(SHOW)) == usual


def test_a_tenure_is_never_named_twice():
    assert len({draw_holder() for _ in range(100)}) == 100


def test_of_four_at_once_one_takes_it(app):
    start = threading.Barrier(4)
    has_it = []

    def one(name):
        start.wait()
        with app.app_context(), transaction() as session:
            has_it.append(take_lease(session, holder=name, now=NOON))

    threads = [threading.Thread(target=one, args=(f"holder {n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(has_it) == [False, False, False, True]
