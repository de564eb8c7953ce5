"""The rules of accounts, holds, moves and budgets each find what was broken by hand."""

import pytest
from sqlalchemy import text

from pointsbank.ledger import holding, service
from pointsbank.ledger.rules import RULES_OF_ACCOUNTS
from pointsbank.ledger.verifying import RULES, offenders
from tests.ledger.accounts import MEMBER, earn, open_accounts, reverse
from tests.ledger.test_holding import TOMORROW, place, settle
from tests.ledger.test_moving import FUND, OTHER, give, take_back
from tests.moments import NOON

A_HOLD = """
    INSERT INTO hold (key, wallet_id, points, state, placed_at, expires_at, decided_at)
    SELECT 'by hand', MIN(account_id), 1, '{state}', :now, :now, {decided_at} FROM wallet
"""
# A transfer under another key, from or to the account that is named.
A_ROW = """
    INSERT INTO transfer (key, request_hash, kind, source_id, target_id, points, occurred_at,
                          recorded_at, reason)
    SELECT 'by hand', transfer.request_hash, 'earn', {source}, {target}, 1, occurred_at,
           recorded_at, reason
    FROM transfer, account WHERE key = 'award:1' AND account.code = '{code}'
"""
# Where a settled hold's transfer says otherwise: holds may be changed by hand, transfers not.
SETTLED = "UPDATE hold SET {change} WHERE state = 'settled'"

BREAKS = {
    "an account's kind agrees with its code": [
        "UPDATE account SET code = 'merchant:of-a-kind' WHERE code LIKE 'issue:%'",
        "UPDATE account SET kind = 'member' WHERE code = 'expired'",
        "UPDATE account SET code = 'nobody' WHERE code = 'member:2'",
    ],
    "members and funds have a wallet, and nobody else": [
        """INSERT INTO wallet (account_id, posted, held, seq)
           SELECT id, 0, 0, 0 FROM account WHERE code = 'merchant:1'""",
        "INSERT INTO account (code, kind) VALUES ('care_fund:9', 'fund')",
    ],
    "a settled hold has its transfer, and only a settled one": [
        A_HOLD.format(state="settled", decided_at=":now"),
        SETTLED.format(change="state = 'void'"),
    ],
    "a hold pays out of its wallet, no more than it set aside": [
        SETTLED.format(change="points = 4"),
        SETTLED.format(change="wallet_id = (SELECT MAX(account_id) FROM wallet)"),
        SETTLED.format(change="expires_at = placed_at"),
    ],
    "a hold that is not open was decided at some moment": [
        A_HOLD.format(state="void", decided_at="NULL"),
        A_HOLD.format(state="open", decided_at=":now"),
    ],
    "what passes through the clearing account does not stay": [
        A_ROW.format(source="source_id", target="account.id", code="clearing"),
        A_ROW.format(source="account.id", target="source_id", code="clearing"),
    ],
    "budgets count what was issued": [
        "UPDATE issue_budget SET issued = issued - 1",
        A_ROW.format(source="source_id", target="account.id", code="merchant:1"),
        "DELETE FROM issue_budget",
    ],
    "only issuing accounts have budgets": [
        """INSERT INTO issue_budget (account_id, month, issued)
           SELECT id, '2026-11', 0 FROM account WHERE code = 'merchant:1'""",
    ],
}
CASES = [
    (rule, number) for rule, statements in BREAKS.items() for number in range(len(statements))
]


@pytest.fixture
def book(writing):
    """A ledger with something of everything: gifts, donations, holds of each kind."""
    with writing() as session:
        open_accounts(session, MEMBER, OTHER)
        service.open_account(session, code=FUND, kind="fund")
        award = earn(session, "award:1", 90)
        give(session, "gift:1", 20)
        give(session, "gift:2", 10, target=FUND)
        take_back(session, "gift:1")
        reverse(session, award.id, "takeback:1", points=3)
        settle(session, place(session, "order:1", 20).id, points=5)
        holding.void_hold(session, hold_id=place(session, "order:2", 3).id, now=NOON)
        place(session, "order:3", 4)
        holding.expire_holds(session, now=TOMORROW)
        place(session, "order:4", 6)
    return writing


def test_an_untouched_ledger_has_no_offender(book):
    with book() as session:
        assert offenders(session) == []


def test_every_rule_is_asked_and_has_its_control():
    assert set(BREAKS) == set(RULES_OF_ACCOUNTS)
    assert set(RULES_OF_ACCOUNTS) < set(RULES)


@pytest.mark.parametrize(("rule", "number"), CASES)
def test_what_was_broken_is_named(book, rule, number):
    with book() as session:
        statement = text(BREAKS[rule][number])
        values = {"now": "2026-11-21 04:00:00+00:00"}
        session.execute(statement, values if ":now" in BREAKS[rule][number] else {})
    with book() as session:
        found = [each for each in offenders(session) if each.rule == rule]
        assert len(found) == 1, found
        kind, number_of_it = found[0].subject.split(" ")
        assert kind in ("account", "hold")
        assert number_of_it.isdigit()
