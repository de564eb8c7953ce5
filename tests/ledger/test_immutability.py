"""A transfer and a block can be added and never changed or removed, whoever tries."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from pointsbank.ledger.sealing import seal
from tests.ledger.accounts import earn, open_accounts, rows_of_everything
from tests.moments import NOON

ATTEMPTS = [
    "UPDATE transfer SET points = points + 1",
    "UPDATE transfer SET reason = 'another'",
    "DELETE FROM transfer",
    "UPDATE block SET count = 7",
    "DELETE FROM block",
    "UPDATE merchant_checkpoint SET balance = 7",
    "DELETE FROM merchant_checkpoint",
]


@pytest.fixture
def kept(writing):
    with writing() as session:
        open_accounts(session)
        earn(session, "award:1", 30)
        seal(session, now=NOON, salt=bytes(32))
    return writing


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_a_kept_row_is_never_changed_or_removed(kept, attempt):
    with kept() as session:
        before = rows_of_everything(session)
    with pytest.raises(DBAPIError, match="never changed or removed"), kept() as session:
        session.execute(text(attempt))
    with kept() as session:
        assert rows_of_everything(session) == before


@pytest.mark.engine("postgresql")
@pytest.mark.parametrize("table", ["transfer", "block", "merchant_checkpoint"])
def test_a_table_is_never_emptied(kept, table):
    with pytest.raises(DBAPIError, match="never changed or removed"), kept() as session:
        session.execute(text(f"TRUNCATE {table} CASCADE"))


def test_a_wallet_below_zero_is_refused_by_the_database_itself(kept):
    with pytest.raises(DBAPIError, match="floor"), kept() as session:
        session.execute(text("UPDATE wallet SET posted = -1"))
