"""The proof of the ledger finds each kind of broken row; an untouched ledger has none."""

import pytest
from sqlalchemy import text

from pointsbank.core.db import glance, reading
from pointsbank.ledger.rules import RULES_OF_ACCOUNTS
from pointsbank.ledger.sealing import seal
from pointsbank.ledger.verifying import RULES, offenders, verify
from tests.ledger.accounts import earn, open_accounts, reverse, spend
from tests.moments import NOON

# A copy of the first earning under another key, with the columns that the control wants else.
COPY = """
    INSERT INTO transfer (key, request_hash, kind, source_id, target_id, points, wallet_id,
                          wallet_seq, wallet_after, occurred_at, recorded_at, reason)
    SELECT 'by hand', request_hash, kind, source_id, target_id, points, {wallet},
           occurred_at, recorded_at, reason
    FROM transfer WHERE key = 'award:1'
"""
WRONG_BALANCE = COPY.format(wallet="wallet_id, (SELECT MAX(wallet_seq) + 1 FROM transfer), 999")
NO_WALLET = COPY.format(
    wallet="CAST(NULL AS bigint), CAST(NULL AS bigint), CAST(NULL AS bigint)"
)

# Each breaks one rule by hand, as a wrong program or a wrong hand would.
BREAKS = {
    "a wallet holds what came in less what went out": [
        "UPDATE wallet SET posted = posted + 1",
        "UPDATE lot SET granted = granted + 1",
    ],
    "lines are numbered without a gap": ["UPDATE wallet SET seq = seq + 1"],
    "each line's balance follows from the line before": [WRONG_BALANCE],
    "held is the sum of open holds": ["UPDATE wallet SET held = 3"],
    "lots hold what the wallet holds": ["UPDATE lot SET used = used + 1"],
    "a spending took all its points from lots": ["DELETE FROM lot_use"],
    "no more is reversed than was transferred": ["UPDATE reversed SET reversed = 1"],
    "what came back to lots is what was reversed": ["UPDATE lot_use SET returned = 6"],
    "a lot is used by what was taken from it": ["UPDATE lot SET used = used + 6"],
    "only what a wallet gave was taken from its lots": [
        "UPDATE lot_use SET transfer_id = (SELECT id FROM transfer WHERE key = 'award:1')"
    ],
    "a lot was granted what came in for its day": ["UPDATE lot SET granted = granted - 1"],
    "the wallet of a transfer is its floored account": [NO_WALLET],
}
STRAY_CHECKPOINT = """
    INSERT INTO merchant_checkpoint (account_id, block_no, balance)
    SELECT MIN(account_id), 1, 7 FROM wallet
"""


@pytest.fixture
def book(writing):
    with writing() as session:
        open_accounts(session)
        earn(session, "award:1", 30)
        spent = spend(session, "redeem:1", 20)
        reverse(session, spent.id, "void:1", points=5)
    return writing


def test_an_untouched_ledger_has_no_offender(book):
    with book() as session:
        assert offenders(session) == []


def test_every_rule_has_its_control():
    # Those of accounts stand in test_rules.py.
    assert set(BREAKS) | set(RULES_OF_ACCOUNTS) == set(RULES)


@pytest.mark.parametrize("rule", BREAKS)
def test_a_broken_row_is_named(book, rule):
    with book() as session:
        for statement in BREAKS[rule]:
            session.execute(text(statement))
    with book() as session:
        found = [offender for offender in offenders(session) if offender.rule == rule]
        assert len(found) == 1
        assert found[0].subject.split(" ")[0] in ("wallet", "transfer")
        assert found[0].subject.split(" ")[1].isdigit()


def test_two_connections_find_what_one_finds(app, book):
    """One row is wrong by a rule, and one checkpoint too many stands at a block."""
    with book() as session:
        seal(session, now=NOON, salt=bytes(32))
        session.execute(text("UPDATE wallet SET seq = seq + 1"))
        session.execute(text(STRAY_CHECKPOINT))
    told = []
    with app.app_context(), reading() as session, glance() as beside:
        alone = verify(session)
        both = verify(session, beside=beside, told=lambda *part: told.append(part))
    assert {each.subject.split(" ")[0] for each in alone.offenders} == {"wallet", "checkpoint"}
    assert both == alone
    assert told[-1][0] == told[-1][1] == max(done for done, _ in told)


def test_a_reversal_that_claims_more_than_it_took_is_named(book):
    with book() as session:
        earn(session, "award:2", 10)
        session.execute(
            text(
                "INSERT INTO reversed (transfer_id, points, reversed)"
                " SELECT id, points, 1 FROM transfer WHERE key = 'award:2'"
            )
        )
    with book() as session:
        assert [found.rule for found in offenders(session)] == [
            "no more is reversed than was transferred"
        ]
