"""Two people at one statement at once, each race with a control that goes without its lock."""

import threading
from functools import partial

import pytest
from sqlalchemy import select

from pointsbank.core.audit import AuditEntry
from pointsbank.core.db import run
from pointsbank.messages.models import Message
from pointsbank.settlements import signing
from pointsbank.settlements.errors import DisputesOpen, StatementPaid, StatementSigned
from pointsbank.settlements.models import Statement
from pointsbank.settlements.queries import open_disputes, statement_of
from pointsbank.settlements.signing import (
    approve_statement,
    confirm_statement,
    dispute_line,
    mark_paid,
)
from tests.builders import SHANGHAI, a_member, with_role
from tests.merchants.partners import an_administrator
from tests.racing import MEET_SECONDS_MAX, forget_lock, meet_after, race
from tests.settlements.test_signing import IN_TIME, closed, people, sign

__all__ = ["closed", "people"]


def signing_as(counter, act, actor, **more):
    """Return a contestant who signs the counter's November."""
    return partial(
        run,
        partial(
            act,
            merchant_id=counter.merchant_id,
            month="2026-11",
            actor=actor,
            now=IN_TIME,
            **more,
        ),
    )


@pytest.fixture
def payers(counter, writing, people, closed):
    """Three administrators, each with a reference of their own, at an approved statement."""
    sign(writing, counter, confirm_statement, people["clerk"])
    sign(writing, counter, approve_statement, people["first"], zone=SHANGHAI)
    with writing() as session:
        actors = [an_administrator(session) for _ in range(3)]
    return [
        signing_as(counter, mark_paid, actor, reference=f"2026-{number}")
        for number, actor in enumerate(actors)
    ]


def left_by_payers(writing, counter):
    """Return the reference that stands, how many payments were noted and told."""
    with writing() as session:
        noted = session.scalars(
            select(AuditEntry.facts).where(AuditEntry.action == "pay_statement")
        ).all()
        told = session.scalars(select(Message.id).where(Message.kind == "statement_paid")).all()
        found = statement_of(session, counter.merchant_id, "2026-11")
    return found.payment_reference, [each["reference"] for each in noted], len(told)


def test_of_three_who_pay_at_once_one_does(counter, writing, payers):
    answers = race(counter.app, payers)
    assert sum(isinstance(answer, StatementPaid) for answer in answers) == 2, answers
    standing = f"2026-{answers.index(None)}"
    assert left_by_payers(writing, counter) == (standing, [standing], 1)


@pytest.mark.engine("postgresql")
def test_without_the_lock_it_is_paid_three_times(counter, writing, payers, monkeypatch):
    """The control: all three read that it is not paid yet."""
    forget_lock(monkeypatch, signing, Statement.id)
    meet_after(monkeypatch, signing, "statement_to_see", 3)
    answers = race(counter.app, payers)
    assert answers == [None] * 3
    _, noted, _ = left_by_payers(writing, counter)
    assert sorted(noted) == ["2026-0", "2026-1", "2026-2"]


@pytest.fixture
def two_clerks(counter, writing, people, closed):
    """One clerk who confirms, and one who disputes a line."""
    with writing() as session:
        second = with_role(
            session, a_member(session, "钱小红"), "clerk", merchant_id=counter.merchant_id
        )
    other = type(people["clerk"])(second, "钱小红", 1, 1, people["clerk"].grants)
    return [
        signing_as(counter, confirm_statement, people["clerk"]),
        signing_as(counter, dispute_line, other, no=1, reason="多记了"),
    ]


def test_who_confirms_and_who_disputes_at_once_do_one_of_them(counter, writing, two_clerks):
    answers = race(counter.app, two_clerks)
    refusals = [type(answer) for answer in answers if answer is not None]
    assert refusals in ([DisputesOpen], [StatementSigned]), answers
    with writing() as session:
        found = statement_of(session, counter.merchant_id, "2026-11")
        expected = ("disputed", 1) if refusals == [DisputesOpen] else ("confirmed", 0)
        assert (found.state, open_disputes(session, found.id)) == expected


@pytest.mark.engine("postgresql")
def test_without_the_lock_a_disputed_line_is_confirmed(
    counter, writing, two_clerks, monkeypatch
):
    """The control: who confirms has judged before the line is disputed, and writes after it."""
    forget_lock(monkeypatch, signing, Statement.id)
    has_judged, is_disputed = threading.Event(), threading.Event()
    change = signing._change

    def in_turn(session, statement_id, **values):
        if values["state"] == "confirmed":
            has_judged.set()
            assert is_disputed.wait(MEET_SECONDS_MAX)
        else:
            assert has_judged.wait(MEET_SECONDS_MAX)
        change(session, statement_id, **values)

    def dispute_and_tell():
        try:
            disputing()
        finally:
            is_disputed.set()

    monkeypatch.setattr(signing, "_change", in_turn)
    confirming, disputing = two_clerks
    assert race(counter.app, [confirming, dispute_and_tell]) == [None, None]
    with writing() as session:
        found = statement_of(session, counter.merchant_id, "2026-11")
        assert (found.state, open_disputes(session, found.id)) == ("confirmed", 1)
